//! Somebody who has stolen the database, and not the application's secret.

use std::collections::BTreeMap;

use anyhow::Context;

use super::{Finding, Scene};
use crate::site::Site;
use measure::Visitor;

pub fn as_cookies(site: &dyn Site) -> anyhow::Result<Finding> {
    let scene = Scene::of(site);
    let visitor = scene.signed_in()?;
    let dump = Visitor::default().get(scene.a(), "/control/dump")?.body;
    let dump: Vec<String> = serde_json::from_str(&dump).context("the dump is a list of texts")?;
    if dump.is_empty() {
        return Ok(Finding::NotApplicable("there is no database".to_owned()));
    }
    let (name, _) = visitor
        .cookies()
        .first_key_value()
        .context("somebody signed in has a cookie")?;
    for text in &dump {
        for value in worth_trying(text) {
            let mut thief = Visitor::bearing(&BTreeMap::from([(name.clone(), value)]));
            if scene.value(&mut thief, "user")? == "ada" {
                return Ok(Finding::Broken("it signs in".to_owned()));
            }
        }
    }
    Ok(Finding::Held)
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
