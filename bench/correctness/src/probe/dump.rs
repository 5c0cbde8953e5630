//! Somebody who has stolen the database, and maybe the application's secret.

use std::collections::BTreeMap;

use anyhow::Context;

use super::{Finding, Scene};
use crate::forger::Forgery;
use crate::site::Site;
use measure::Visitor;

pub fn as_cookies(site: &dyn Site) -> anyhow::Result<Finding> {
    let scene = Scene::of(site);
    let name = Cookie::of(&scene.signed_in()?)?.name;
    let dump = dump(&scene)?;
    if dump.is_empty() {
        return Ok(Finding::NotApplicable("there is no database".to_owned()));
    }
    for value in dump.iter().flat_map(|text| worth_trying(text)) {
        if signs_in(&scene, &name, value)? {
            return Ok(Finding::Broken("it signs in".to_owned()));
        }
    }
    Ok(Finding::Held)
}

pub fn as_signed_cookies(site: &dyn Site) -> anyhow::Result<Finding> {
    let scene = Scene::of(site);
    let mut visitor = scene.signed_in()?;
    let cookie = Cookie::of(&visitor)?;
    let mut accomplice = Visitor::bearing(&BTreeMap::from([(cookie.name.clone(), cookie.value)]));
    let answer = accomplice.get(scene.a(), "/control/forgery")?.body;
    let forgery = serde_json::from_str(&answer).with_context(|| format!("a forgery: {answer}"))?;
    let Some(Forgery { remade, forged }) = forgery else {
        return Ok(Finding::NotApplicable("no cookie is signed".to_owned()));
    };
    anyhow::ensure!(
        signs_in(&scene, &cookie.name, remade)?,
        "the forger does not know how cookies are made"
    );
    anyhow::ensure!(!forged.is_empty(), "the forger has nothing to try");
    for value in forged {
        if signs_in(&scene, &cookie.name, value)? {
            let what = if dump(&scene)?.is_empty() {
                "the secret alone signs in"
            } else {
                "it signs in"
            };
            return Ok(Finding::Broken(what.to_owned()));
        }
    }
    Ok(if scene.value(&mut visitor, "user")? == "ada" {
        Finding::Held
    } else {
        Finding::Broken("it signs the user out".to_owned())
    })
}

/// The one that the session is known by.
struct Cookie {
    name: String,
    value: String,
}

impl Cookie {
    fn of(visitor: &Visitor) -> anyhow::Result<Self> {
        let cookie = visitor.cookies().first_key_value();
        let (name, value) = cookie.context("somebody signed in has a cookie")?;
        Ok(Self {
            name: name.clone(),
            value: value.clone(),
        })
    }
}

fn dump(scene: &Scene<'_>) -> anyhow::Result<Vec<String>> {
    let dump = Visitor::default().get(scene.a(), "/control/dump")?.body;
    serde_json::from_str(&dump).context("the dump is a list of texts")
}

fn signs_in(scene: &Scene<'_>, cookie: &str, value: String) -> anyhow::Result<bool> {
    let mut thief = Visitor::bearing(&BTreeMap::from([(cookie.to_owned(), value)]));
    Ok(scene.value(&mut thief, "user")? == "ada")
}

/// The text itself, and the words in it that are long enough for a secret.
fn worth_trying(text: &str) -> Vec<String> {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && !"-_".contains(letter));
    let words = words.filter(|word| word.len() >= 16).map(str::to_owned);
    let whole = text
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b';')
        .then(|| text.to_owned());
    whole.into_iter().chain(words).collect()
}
