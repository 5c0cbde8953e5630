//! Two instances of one application.

use super::{Finding, Scene, value_at};
use crate::site::{NOTHING, Site};
use measure::Visitor;

pub fn ended_on_the_other(site: &dyn Site) -> anyhow::Result<Finding> {
    let scene = Scene::of(site);
    let mut visitor = scene.signed_in()?;
    anyhow::ensure!(
        value_at(scene.b(), &mut visitor, "user")? == "ada",
        "the instances share no sessions"
    );
    let before = visitor.cookies().clone();
    scene.must_post(&mut visitor, "/sign-out")?;
    let mut old = Visitor::bearing(&before);
    Ok(if value_at(scene.b(), &mut old, "user")? == NOTHING {
        Finding::Held
    } else {
        Finding::Broken("it is still signed in there".to_owned())
    })
}
