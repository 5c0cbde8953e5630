//! Which version does what at a given moment: the rules of a rotation that signs nobody out.

use std::time::Duration;

use tenure_core::{KeyId, KeyRole, Timestamp};

use crate::version::{SecretVersion, Stage};

/// A version, and since when it has been known.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) version: SecretVersion,
    pub(crate) key_id: KeyId,
    /// Since when every instance may be supposed to be getting to know it.
    pub(crate) known_since: Timestamp,
}

impl Known {
    /// Whether the source says when it was made, which is the same for every instance.
    fn is_dated(&self) -> bool {
        self.version.created_at.is_some()
    }
}

/// How long things take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timing {
    /// How long until every instance has seen a new version.
    pub(crate) propagation: Duration,
    /// How long a session can live.
    pub(crate) longest_lifetime: Duration,
}

/// What the versions are there for at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// For each version, in the order of the versions.
    pub(crate) duties: Vec<Duty>,
    /// When the plan will be another one without any news from the source.
    pub(crate) changes_at: Option<Timestamp>,
}

/// What one version is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Duty {
    /// Is in the keyring.
    Serves {
        role: KeyRole,
        /// When it begins to sign, if it does not yet and the source does not hold it back.
        signs_from: Option<Timestamp>,
        /// Until when it verifies, if a newer one has taken over.
        verifies_until: Option<Timestamp>,
    },
    /// No session that lives has its cookie.
    Retired,
}

impl Plan {
    /// The plan at `now` for these versions, the one to sign with first. `None` if none of them may sign.
    ///
    /// The first version signs that has been known for the propagation delay. Those before it are upcoming. Those
    /// behind it verify until the longest session that they can have signed has ended: the longest lifetime after
    /// another took over, and a propagation delay more, for the instance that took over last.
    ///
    /// Where none has been known for long enough, as at a start, one signs that every other instance surely takes:
    /// the first behind the newest of which the source does not say that it is new, or else the oldest.
    ///
    /// What retires is up to the source's own times alone. An instance that starts must never sign with a version that
    /// another has let go, and without the source nobody knows what the others count from.
    pub(crate) fn at(now: Timestamp, versions: &[Known], timing: Timing) -> Option<Self> {
        let signs_from = |known: &Known| known.known_since.plus(timing.propagation);
        let may_sign = |known: &Known| known.version.stage == Stage::Active;
        let current = versions
            .iter()
            .position(|known| may_sign(known) && signs_from(known) <= now)
            .or_else(|| {
                let newest = versions.iter().position(may_sign)?;
                let behind = |known: &Known| may_sign(known) && !known.is_dated();
                let second = versions[newest + 1..].iter().position(behind);
                second.map(|behind| newest + 1 + behind)
            })
            .or_else(|| versions.iter().rposition(may_sign))?;

        let mut duties = Vec::with_capacity(versions.len());
        let mut taken_over_at: Option<Timestamp> = None;
        for (position, known) in versions.iter().enumerate() {
            let verifies_until = taken_over_at
                .filter(|_| position > current)
                .map(|moment| moment.plus(timing.longest_lifetime).plus(timing.propagation));
            duties.push(match verifies_until {
                Some(moment) if moment <= now => Duty::Retired,
                _ => Duty::Serves {
                    role: match position.cmp(&current) {
                        std::cmp::Ordering::Less => KeyRole::Upcoming,
                        std::cmp::Ordering::Equal => KeyRole::Current,
                        // Held back by the source, it may sign one day, and some instance may be told earlier.
                        std::cmp::Ordering::Greater if !may_sign(known) => KeyRole::Upcoming,
                        std::cmp::Ordering::Greater => KeyRole::Older,
                    },
                    signs_from: (position < current && may_sign(known)).then(|| signs_from(known)),
                    verifies_until,
                },
            });
            if may_sign(known) && known.is_dated() {
                let moment = signs_from(known);
                taken_over_at = Some(taken_over_at.map_or(moment, |earlier| earlier.min(moment)));
            }
        }
        let changes_at = duties
            .iter()
            .filter_map(|duty| duty.next_change())
            .filter(|at| *at > now);
        let changes_at = changes_at.min();
        Some(Self { duties, changes_at })
    }
}

impl Duty {
    /// Verifies, and does not sign until the source says so.
    pub(crate) const HELD_BACK: Self = Self::Serves {
        role: KeyRole::Upcoming,
        signs_from: None,
        verifies_until: None,
    };

    /// What it is in the keyring for, when it begins to sign, and until when it verifies.
    pub(crate) fn parts(&self) -> (Option<KeyRole>, Option<Timestamp>, Option<Timestamp>) {
        match *self {
            Self::Serves {
                role,
                signs_from,
                verifies_until,
            } => (Some(role), signs_from, verifies_until),
            Self::Retired => (None, None, None),
        }
    }

    fn next_change(&self) -> Option<Timestamp> {
        match self {
            Self::Serves {
                signs_from,
                verifies_until,
                ..
            } => match (*signs_from, *verifies_until) {
                (Some(one), Some(other)) => Some(one.min(other)),
                (one, other) => one.or(other),
            },
            Self::Retired => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tenure_core::Secret;

    const MINUTE: Duration = Duration::from_mins(1);
    const TIMING: Timing = Timing {
        propagation: Duration::from_mins(10),
        longest_lifetime: Duration::from_hours(720),
    };

    fn start() -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000)
    }

    fn version(number: u8, stage: Stage, known_since: Timestamp) -> Known {
        let secret = Secret::new([number; 32]);
        Known {
            key_id: secret.key_id(),
            version: SecretVersion {
                name: number.to_string(),
                secret,
                stage,
                created_at: None,
            },
            known_since,
        }
    }

    fn active(number: u8, known_since: Timestamp) -> Known {
        version(number, Stage::Active, known_since)
    }

    /// A version of a source that says when it was made.
    fn dated(number: u8, known_since: Timestamp) -> Known {
        let mut known = active(number, known_since);
        known.version.created_at = Some(known_since);
        known
    }

    fn roles(plan: &Plan) -> Vec<Option<KeyRole>> {
        plan.duties
            .iter()
            .map(|duty| match duty {
                Duty::Serves { role, .. } => Some(*role),
                Duty::Retired => None,
            })
            .collect()
    }

    #[test]
    fn the_only_version_signs_at_once() {
        let plan = Plan::at(start(), &[active(1, start())], TIMING).unwrap();
        assert_eq!(roles(&plan), [Some(KeyRole::Current)]);
        assert_eq!(plan.changes_at, None);
    }

    #[test]
    fn a_new_version_verifies_at_once_and_signs_after_the_propagation_delay() {
        let versions = [active(2, start()), active(1, start().minus(30 * MINUTE))];
        let before = Plan::at(
            start().plus(10 * MINUTE).minus(Duration::from_millis(1)),
            &versions,
            TIMING,
        )
        .unwrap();
        assert_eq!(roles(&before), [Some(KeyRole::Upcoming), Some(KeyRole::Current)]);
        assert_eq!(before.changes_at, Some(start().plus(10 * MINUTE)));
        let after = Plan::at(start().plus(10 * MINUTE), &versions, TIMING).unwrap();
        assert_eq!(roles(&after), [Some(KeyRole::Current), Some(KeyRole::Older)]);
    }

    #[test]
    fn an_older_version_verifies_for_as_long_as_a_session_can_live_and_then_goes() {
        let versions = [dated(2, start()), dated(1, start().minus(30 * MINUTE))];
        let end = start()
            .plus(10 * MINUTE)
            .plus(TIMING.longest_lifetime)
            .plus(TIMING.propagation);
        let before = Plan::at(end.minus(Duration::from_millis(1)), &versions, TIMING).unwrap();
        assert_eq!(roles(&before), [Some(KeyRole::Current), Some(KeyRole::Older)]);
        assert_eq!(before.changes_at, Some(end));
        let after = Plan::at(end, &versions, TIMING).unwrap();
        assert_eq!(roles(&after), [Some(KeyRole::Current), None]);
    }

    #[test]
    fn a_version_of_a_source_without_times_never_retires() {
        let versions = [active(2, start()), active(1, start().minus(30 * MINUTE))];
        let plan = Plan::at(start().plus(Duration::from_hours(24 * 400)), &versions, TIMING).unwrap();
        assert_eq!(roles(&plan), [Some(KeyRole::Current), Some(KeyRole::Older)]);
        assert_eq!(plan.changes_at, None);
    }

    #[test]
    fn at_a_start_without_times_the_second_signs_for_it_signed_before_the_last_rotation() {
        let versions = [active(3, start()), active(2, start()), active(1, start())];
        let plan = Plan::at(start(), &versions, TIMING).unwrap();
        assert_eq!(
            roles(&plan),
            [
                Some(KeyRole::Upcoming),
                Some(KeyRole::Current),
                Some(KeyRole::Older)
            ]
        );
    }

    #[test]
    fn at_a_start_where_the_source_says_that_all_are_new_the_oldest_signs() {
        let versions = [dated(3, start()), dated(2, start()), dated(1, start())];
        let plan = Plan::at(start(), &versions, TIMING).unwrap();
        assert_eq!(
            roles(&plan),
            [
                Some(KeyRole::Upcoming),
                Some(KeyRole::Upcoming),
                Some(KeyRole::Current)
            ]
        );
    }

    #[test]
    fn a_version_that_the_source_holds_back_never_signs() {
        let long_ago = start().minus(Duration::from_hours(1));
        let versions = [version(2, Stage::Pending, long_ago), active(1, long_ago)];
        let plan = Plan::at(start(), &versions, TIMING).unwrap();
        assert_eq!(roles(&plan), [Some(KeyRole::Upcoming), Some(KeyRole::Current)]);
        assert_eq!(plan.changes_at, None);
        let versions = [active(1, long_ago), version(2, Stage::Pending, long_ago)];
        let plan = Plan::at(start(), &versions, TIMING).unwrap();
        assert_eq!(roles(&plan), [Some(KeyRole::Current), Some(KeyRole::Upcoming)]);
        assert!(Plan::at(start(), &[version(2, Stage::Pending, long_ago)], TIMING).is_none());
        assert!(Plan::at(start(), &[], TIMING).is_none());
    }

    #[test]
    fn going_back_to_an_older_version_takes_effect_at_once_for_every_instance_knows_it() {
        let versions = [
            active(1, start().minus(Duration::from_hours(48))),
            active(2, start().minus(Duration::from_hours(1))),
        ];
        let plan = Plan::at(start(), &versions, TIMING).unwrap();
        assert_eq!(roles(&plan), [Some(KeyRole::Current), Some(KeyRole::Older)]);
    }

    proptest! {
        /// Two instances that learn of each version at different moments, within the propagation delay of each
        /// other, and start anew now and then, over years: neither ever signs with a key that the other lacks.
        /// Rotations are two propagation delays apart at the least.
        #[test]
        fn no_instance_signs_with_a_key_that_another_lacks(
            gaps in proptest::collection::vec(20_u64..100_000, 1..8),
            lags in proptest::collection::vec(0_u64..10, 8),
            starts in proptest::collection::vec((0_u64..800_000, 0_u64..800_000), 1..6),
            probes in proptest::collection::vec((0_usize..8, 0_u64..60, any::<bool>()), 40),
            has_times: bool,
        ) {
            // Version n appears at the source at `appeared[n]`; the first instance sees it at once, the other later.
            let mut moment = start();
            let mut appeared = vec![moment];
            for gap in &gaps {
                moment = moment.plus(Duration::from_mins(*gap));
                appeared.push(moment);
            }
            let ring = |instance: usize, now: Timestamp| {
                let minutes = |minutes: u64| start().plus(Duration::from_mins(minutes));
                let started = starts
                    .iter()
                    .map(|pair| minutes(if instance == 0 { pair.0 } else { pair.1 }))
                    .filter(|moment| *moment <= now)
                    .max()
                    .unwrap_or(start());
                let known: Vec<_> = (0..appeared.len())
                    .rev()
                    .filter_map(|number| {
                        let lag = if instance == 0 || number == 0 { 0 } else { lags[number] };
                        let seen_at = appeared[number].plus(Duration::from_mins(lag));
                        let number = u8::try_from(number).unwrap();
                        let made_at = appeared[usize::from(number)];
                        if seen_at > now && made_at.max(started) > now {
                            return None;
                        }
                        // A start reads the source as it is at that moment.
                        let was_there_at_the_start = made_at <= started;
                        if !was_there_at_the_start && seen_at > now {
                            return None;
                        }
                        Some(match (has_times, was_there_at_the_start) {
                            (true, true) => dated(number, made_at),
                            (true, false) => {
                                let mut known = dated(number, made_at);
                                known.known_since = seen_at;
                                known
                            }
                            (false, true) => active(number, started),
                            (false, false) => active(number, seen_at),
                        })
                    })
                    .collect();
                let plan = Plan::at(now, &known, TIMING).unwrap();
                known.into_iter().zip(plan.duties).collect::<Vec<_>>()
            };
            let near_rotations = probes.iter().map(|(number, minutes, after)| {
                let rotation = appeared[number % appeared.len()];
                let distance = Duration::from_mins(*minutes);
                if *after { rotation.plus(distance) } else { rotation.minus(distance).max(start()) }
            });
            let near_starts = starts.iter().flat_map(|(one, other)| {
                [*one, *other, one + 5, other + 5].map(|minutes| start().plus(Duration::from_mins(minutes)))
            });
            for now in near_rotations.chain(near_starts) {
                for (one, other) in [(0, 1), (1, 0)] {
                    let signer = ring(one, now)
                        .into_iter()
                        .find(|(_, duty)| matches!(duty, Duty::Serves { role: KeyRole::Current, .. }))
                        .unwrap().0.key_id;
                    let verifies = ring(other, now)
                        .into_iter()
                        .any(|(known, duty)| known.key_id == signer && matches!(duty, Duty::Serves { .. }));
                    prop_assert!(verifies, "at {now:?}, times {has_times}");
                }
            }
        }
    }
}
