//! A request that is still under way when its user signs out.

use super::{Finding, Scene};
use crate::site::{NOTHING, Site};
use measure::Visitor;

pub fn after_logout(site: &dyn Site) -> anyhow::Result<Finding> {
    let scene = Scene::of(site);
    let mut visitor = scene.signed_in()?;
    let before = visitor.cookies().clone();
    let held = visitor.hold(scene.a(), "/held/value/late/1")?;
    scene.wait_for(1)?;
    scene.must_post(&mut visitor, "/sign-out")?;
    let late = held.finish()?;

    let mut old = Visitor::bearing(&before);
    if scene.value(&mut old, "user")? != NOTHING {
        return Ok(Finding::Broken("the old cookie is signed in again".to_owned()));
    }
    let mut old = Visitor::bearing(&before);
    if scene.value(&mut old, "late")? != NOTHING {
        return Ok(Finding::Broken("the old cookie has a session again".to_owned()));
    }
    visitor.keep(&late);
    if scene.value(&mut visitor, "user")? != NOTHING {
        return Ok(Finding::Broken(
            "the late answer's cookie is signed in".to_owned(),
        ));
    }
    Ok(Finding::Held)
}
