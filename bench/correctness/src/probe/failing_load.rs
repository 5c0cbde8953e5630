//! A store that fails to load for a while.

use super::{Finding, Scene, value_at};
use crate::site::Site;
use measure::Visitor;

/// On the instance that has not seen the session yet, for those that keep sessions in memory besides.
pub fn then_a_write(site: &dyn Site) -> anyhow::Result<Finding> {
    let scene = Scene::of(site);
    let mut visitor = scene.signed_in()?;
    let before = visitor.cookies().clone();
    scene.must_post(&mut Visitor::default(), "/control/loads/fail")?;
    let answer = visitor.post(scene.b(), "/value/b/2")?;
    scene.must_post(&mut Visitor::default(), "/control/loads/work")?;
    for instance in [scene.a(), scene.b()] {
        let mut same = Visitor::bearing(&before);
        if value_at(instance, &mut same, "user")? != "ada" {
            return Ok(Finding::Broken(format!(
                "answers {}, and what was there is gone",
                answer.status
            )));
        }
    }
    Ok(if value_at(scene.b(), &mut visitor, "user")? == "ada" {
        Finding::Held
    } else {
        Finding::Broken(format!(
            "answers {}, and the browser has lost its session",
            answer.status
        ))
    })
}
