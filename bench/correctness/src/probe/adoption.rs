//! A cookie that somebody else planted.

use std::collections::BTreeMap;

use super::{Finding, Scene};
use crate::site::Site;
use measure::Visitor;

pub fn of_an_ended_session(site: &dyn Site) -> anyhow::Result<Finding> {
    planted(site, ended, "/value/user/eve")
}

pub fn of_an_ended_session_cleared(site: &dyn Site) -> anyhow::Result<Finding> {
    planted(site, ended, "/cleared/user/eve")
}

pub fn of_a_made_up_cookie(site: &dyn Site) -> anyhow::Result<Finding> {
    planted(site, made_up, "/value/user/eve")
}

type Cookies = BTreeMap<String, String>;

fn planted(
    site: &dyn Site,
    cookies: fn(&Scene<'_>) -> anyhow::Result<Cookies>,
    write: &str,
) -> anyhow::Result<Finding> {
    let scene = Scene::of(site);
    let cookies = cookies(&scene)?;
    let mut victim = Visitor::bearing(&cookies);
    victim.post(scene.a(), write)?;
    let mut attacker = Visitor::bearing(&cookies);
    Ok(if scene.value(&mut attacker, "user")? == "eve" {
        Finding::Broken("the session lives under the planted cookie".to_owned())
    } else {
        Finding::Held
    })
}

fn ended(scene: &Scene<'_>) -> anyhow::Result<Cookies> {
    let mut attacker = scene.signed_in()?;
    let cookies = attacker.cookies().clone();
    scene.must_post(&mut attacker, "/sign-out")?;
    Ok(cookies)
}

/// Of the form that cookies have there, with another id.
fn made_up(scene: &Scene<'_>) -> anyhow::Result<Cookies> {
    let mut cookies = scene.signed_in()?.cookies().clone();
    for value in cookies.values_mut() {
        // Of UUIDs, too, this is a digit of the random part.
        let other = if value.as_bytes().get(6) == Some(&b'a') {
            "b"
        } else {
            "a"
        };
        anyhow::ensure!(
            value.len() > 7 && value.is_ascii(),
            "{value} is no cookie of a session"
        );
        value.replace_range(6..7, other);
    }
    Ok(cookies)
}
