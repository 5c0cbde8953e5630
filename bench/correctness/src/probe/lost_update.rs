//! Two requests at once.

use super::{Finding, Scene};
use crate::site::Site;

pub fn of_different_keys(site: &dyn Site) -> anyhow::Result<Finding> {
    let scene = Scene::of(site);
    let mut visitor = scene.signed_in()?;
    both_at_once(&scene, &mut visitor, ["/held/value/a/1", "/held/value/b/2"])?;
    let (a, b) = (scene.value(&mut visitor, "a")?, scene.value(&mut visitor, "b")?);
    Ok(match (a.as_str(), b.as_str()) {
        ("1", "2") => Finding::Held,
        ("1", _) => Finding::Broken("the second write is lost".to_owned()),
        (_, "2") => Finding::Broken("the first write is lost".to_owned()),
        _ => Finding::Broken("both writes are lost".to_owned()),
    })
}

pub fn of_one_counter(site: &dyn Site) -> anyhow::Result<Finding> {
    let scene = Scene::of(site);
    let mut visitor = scene.signed_in()?;
    both_at_once(&scene, &mut visitor, ["/held/count", "/held/count"])?;
    let count = scene.value(&mut visitor, "count")?;
    Ok(if count == "2" {
        Finding::Held
    } else {
        Finding::Broken(format!("the counter stands at {count}"))
    })
}

/// Both have read before either writes; the visitor's browser sees the answers in order.
fn both_at_once(scene: &Scene<'_>, visitor: &mut measure::Visitor, paths: [&str; 2]) -> anyhow::Result<()> {
    let held = paths.map(|path| visitor.hold(scene.a(), path));
    scene.wait_for(2)?;
    for one in held {
        visitor.keep(&one?.finish()?);
    }
    Ok(())
}
