//! Which of a secret's versions count, and in which order.

use std::cmp::Reverse;
use std::time::{Duration, SystemTime};

use azure_core::time::OffsetDateTime;
use azure_security_keyvault_secrets::ResourceExt;
use azure_security_keyvault_secrets::models::SecretProperties;
use tenure_core::Timestamp;

use super::failure::Failure;
use crate::version::Stage;

#[derive(Clone, Debug)]
pub(super) struct Listed {
    pub(super) id: String,
    pub(super) created_at: Option<Timestamp>,
    is_enabled: bool,
    not_before: Option<Timestamp>,
    expires_at: Option<Timestamp>,
}

/// What counts now, and when that changes by itself.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) versions: Vec<(Listed, Stage)>,
    pub(super) look_again_in: Option<Duration>,
}

impl Listed {
    pub(super) fn from_properties(properties: &SecretProperties) -> Result<Self, Failure> {
        let resource = properties.resource_id().map_err(|_| Failure::garbage())?;
        let attributes = properties.attributes.clone().unwrap_or_default();
        Ok(Self {
            id: resource.version.ok_or_else(Failure::garbage)?,
            created_at: attributes.created.map(timestamp),
            is_enabled: attributes.enabled.unwrap_or(true),
            not_before: attributes.not_before.map(timestamp),
            expires_at: attributes.expires.map(timestamp),
        })
    }

    fn counts(&self, now: Timestamp) -> bool {
        self.is_enabled && self.expires_at.is_none_or(|end| now < end)
    }

    fn stage(&self, now: Timestamp) -> Stage {
        if self.not_before.is_some_and(|start| now < start) {
            Stage::Pending
        } else {
            Stage::Active
        }
    }
}

/// The versions that count, the one to sign with first.
pub(super) fn wanted(mut listed: Vec<Listed>, now: Timestamp) -> Result<Wanted, Failure> {
    if listed.is_empty() {
        return Err(Failure::no_such_secret());
    }
    listed.retain(|version| version.counts(now));
    listed.sort_by_key(|version| (version.stage(now) == Stage::Pending, Reverse(version.created_at)));
    let is_usable = listed
        .first()
        .is_some_and(|version| version.stage(now) == Stage::Active);
    if !is_usable {
        return Err(Failure::Unusable(
            "none of its versions is enabled and within its time; enable one, or set a new one".to_owned(),
        ));
    }
    let turns = listed
        .iter()
        .flat_map(|version| [version.not_before, version.expires_at]);
    let next = turns.flatten().filter(|turn| now < *turn).min();
    Ok(Wanted {
        look_again_in: next.map(|next| now.until(next)),
        versions: listed
            .into_iter()
            .map(|version| {
                let stage = version.stage(now);
                (version, stage)
            })
            .collect(),
    })
}

fn timestamp(time: OffsetDateTime) -> Timestamp {
    SystemTime::from(time).into()
}
