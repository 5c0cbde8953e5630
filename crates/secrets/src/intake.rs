//! What a keyring takes in of what a source has.

use tenure_core::Timestamp;

use crate::follow_error::{FollowError, WeakVersion};
use crate::follow_options::FollowOptions;
use crate::plan::{Duty, Known, Plan};
use crate::version::SecretVersion;

/// The versions, and what follows from them.
pub(crate) struct Intake {
    pub(crate) known: Vec<Known>,
    /// None, if none of them may sign.
    plan: Option<Plan>,
}

impl Intake {
    /// What `versions` are there for at `now`, if those `before` were known before.
    pub(crate) fn of(
        versions: Vec<SecretVersion>,
        before: Option<&[Known]>,
        options: &FollowOptions,
        now: Timestamp,
    ) -> Self {
        let versions = versions
            .into_iter()
            .filter(|version| !options.refused.contains(&version.name));
        let known = known_versions(versions, before, now);
        let plan = Plan::at(now, &known, options.timing());
        Self { known, plan }
    }

    /// The plan, if it can be followed.
    pub(crate) fn judged(&self, origin: &str) -> Result<&Plan, FollowError> {
        let Some(plan) = &self.plan else {
            return Err(FollowError::NothingMaySign {
                origin: origin.to_owned(),
            });
        };
        let weak: Vec<_> = self
            .known
            .iter()
            .zip(&plan.duties)
            .filter(|(_, duty)| **duty != Duty::Retired)
            .filter_map(|(known, _)| WeakVersion::of(&known.version))
            .collect();
        if !weak.is_empty() {
            return Err(FollowError::Weak {
                origin: origin.to_owned(),
                versions: weak,
            });
        }
        Ok(plan)
    }

    /// Each version with what it is there for. Without a plan all are held back.
    pub(crate) fn into_duties(self) -> impl Iterator<Item = (Known, Duty)> {
        let duties = self.plan.map(|plan| plan.duties);
        let duties = duties.unwrap_or_else(|| vec![Duty::HELD_BACK; self.known.len()]);
        self.known.into_iter().zip(duties)
    }
}

/// The versions with what is known of them, each secret once: of two names for one secret the first counts, and
/// the secret is as well known as the better known one.
fn known_versions(
    versions: impl Iterator<Item = SecretVersion>,
    before: Option<&[Known]>,
    now: Timestamp,
) -> Vec<Known> {
    let mut all: Vec<Known> = Vec::new();
    for version in versions {
        let known_since = match before {
            Some(before) => before
                .iter()
                .find(|known| known.version.secret.is_same(&version.secret))
                .map_or(now, |known| known.known_since),
            // At the start nobody can say when the other instances saw it, except the source.
            None => version.created_at.filter(|moment| *moment <= now).unwrap_or(now),
        };
        match all
            .iter_mut()
            .find(|known| known.version.secret.is_same(&version.secret))
        {
            Some(twice) => twice.known_since = twice.known_since.min(known_since),
            None => all.push(Known {
                key_id: version.secret.key_id(),
                version,
                known_since,
            }),
        }
    }
    all
}
