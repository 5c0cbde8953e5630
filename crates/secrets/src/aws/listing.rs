//! Which of a secret's versions count, and in which order.

use std::cmp::Reverse;
use std::time::Duration;

use aws_sdk_secretsmanager::primitives::DateTime;
use aws_sdk_secretsmanager::types::SecretVersionsListEntry;
use tenure_core::Timestamp;

use crate::version::Stage;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) id: String,
    pub(super) label: Label,
    pub(super) created_at: Option<Timestamp>,
}

/// In the order in which versions are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Label {
    Current,
    Previous,
    /// Somebody's own.
    Other,
    Pending,
    Unlabelled,
}

impl Listed {
    pub(super) fn from_entry(entry: &SecretVersionsListEntry) -> Option<Self> {
        let stages = entry.version_stages();
        let has = |label: Label| stages.iter().any(|stage| stage == label.name());
        // After a rotation the current version may still be labelled as pending.
        let labels = [Label::Current, Label::Previous, Label::Pending];
        let label = labels
            .into_iter()
            .find(|label| has(*label))
            .unwrap_or(if stages.is_empty() {
                Label::Unlabelled
            } else {
                Label::Other
            });
        Some(Self {
            id: entry.version_id()?.to_owned(),
            label,
            created_at: entry.created_date().and_then(timestamp),
        })
    }
}

impl Label {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Current => "AWSCURRENT",
            Self::Previous => "AWSPREVIOUS",
            Self::Pending => "AWSPENDING",
            Self::Other | Self::Unlabelled => "",
        }
    }

    pub(super) fn stage(self) -> Stage {
        match self {
            Self::Pending => Stage::Pending,
            _ => Stage::Active,
        }
    }

    pub(super) fn may_be_missing(self) -> bool {
        matches!(self, Self::Pending | Self::Unlabelled)
    }
}

/// The versions that count, the one to sign with first.
pub(super) fn wanted(mut listed: Vec<Listed>, keep_unlabelled_for: Duration, now: Timestamp) -> Vec<Listed> {
    listed.sort_by_key(|version| (Reverse(version.created_at), version.label));
    let mut replaced_at = None;
    listed.retain(|version| {
        // One that was taken back has none after it.
        let replaced = replaced_at.or(version.created_at);
        if version.label != Label::Pending {
            replaced_at = version.created_at;
        }
        let is_recent = replaced.is_none_or(|replaced| replaced.until(now) < keep_unlabelled_for);
        version.label != Label::Unlabelled || is_recent
    });
    // A stable sort: within a label they stay from newer to older.
    listed.sort_by_key(|version| version.label);
    listed
}

pub(super) fn timestamp(time: &DateTime) -> Option<Timestamp> {
    let millis = time.to_millis().ok()?;
    u64::try_from(millis).ok().map(Timestamp::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_hours(24);

    fn listed(id: &str, label: Label, day: u64) -> Listed {
        Listed {
            id: id.to_owned(),
            label,
            created_at: Some(at(day)),
        }
    }

    fn at(day: u64) -> Timestamp {
        Timestamp::from_millis(0).plus(DAY * u32::try_from(day).unwrap())
    }

    fn ids(wanted: &[Listed]) -> Vec<&str> {
        wanted.iter().map(|version| version.id.as_str()).collect()
    }

    #[test]
    fn the_current_one_comes_first_and_the_pending_one_behind_the_labelled() {
        let all = vec![
            listed("older", Label::Unlabelled, 2),
            listed("previous", Label::Previous, 4),
            listed("pending", Label::Pending, 6),
            listed("old", Label::Unlabelled, 3),
            listed("current", Label::Current, 5),
        ];
        let wanted = wanted(all, 30 * DAY, at(7));
        assert_eq!(ids(&wanted), ["current", "previous", "pending", "old", "older"]);
    }

    #[test]
    fn one_without_a_label_is_kept_from_when_it_was_replaced() {
        let all = vec![
            listed("current", Label::Current, 50),
            listed("previous", Label::Previous, 20),
            listed("replaced on day 20", Label::Unlabelled, 1),
            listed("replaced on day 1", Label::Unlabelled, 0),
        ];
        let kept = wanted(all.clone(), 40 * DAY, at(59));
        assert_eq!(ids(&kept), ["current", "previous", "replaced on day 20"]);
        assert_eq!(
            ids(&wanted(all.clone(), 40 * DAY, at(60))),
            ["current", "previous"]
        );
        assert_eq!(ids(&wanted(all, Duration::ZERO, at(50))), ["current", "previous"]);
    }

    #[test]
    fn a_current_version_that_is_still_called_pending_signs() {
        let entry = SecretVersionsListEntry::builder()
            .version_id("a")
            .version_stages("AWSPENDING")
            .version_stages("AWSCURRENT")
            .build();
        assert_eq!(Listed::from_entry(&entry).unwrap().label.stage(), Stage::Active);
    }
}
