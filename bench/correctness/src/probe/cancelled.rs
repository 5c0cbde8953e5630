//! A visitor who goes away while a request is under way.

use super::{Finding, Scene};
use crate::site::{NOTHING, Site};
use measure::Visitor;

pub fn then_a_logout(site: &dyn Site) -> anyhow::Result<Finding> {
    let scene = Scene::of(site);
    let mut visitor = scene.signed_in()?;
    let before = visitor.cookies().clone();
    let opened = visitor.open(scene.a(), "/held/for-ever")?;
    scene.wait_for(1)?;
    drop(opened);
    if scene.wait_for(0).is_err() {
        return Ok(Finding::NotApplicable(
            "handlers run on when their visitor has gone".to_owned(),
        ));
    }
    scene.must_post(&mut visitor, "/sign-out")?;
    let mut old = Visitor::bearing(&before);
    Ok(if scene.value(&mut old, "user")? == NOTHING {
        Finding::Held
    } else {
        Finding::Broken("the old cookie is still signed in".to_owned())
    })
}
