//! A handler that renews the session and then fails.

use super::{Finding, Scene};
use crate::site::Site;

pub fn then_a_failure(site: &dyn Site) -> anyhow::Result<Finding> {
    let scene = Scene::of(site);
    let mut visitor = scene.signed_in()?;
    let answer = visitor.post(scene.a(), "/renew-and-fail")?;
    anyhow::ensure!(answer.status == 500, "it answers {}", answer.status);
    Ok(if scene.value(&mut visitor, "user")? == "ada" {
        Finding::Held
    } else {
        Finding::Broken("the user is signed out".to_owned())
    })
}
