//! What a source has, and what an instance that starts now would do with it.

use tenure_core::{KeyId, KeyRole, Timestamp, Weakness};

use crate::follow_error::FollowError;
use crate::follow_options::FollowOptions;
use crate::following_keyring::read;
use crate::intake::Intake;
use crate::source::SecretSource;
use crate::version::Stage;

/// What a source has, and what a [`FollowingKeyring`](crate::FollowingKeyring) that is started now would do with it:
/// for operators, before an application does it. Unlike a start it also shows versions that can't be used, each with
/// the reason. Holds no secret.
///
/// ```
/// use tenure_core::{KeyRole, Policy};
/// use tenure_secrets::{FollowOptions, Preview};
/// # use tenure_secrets::{Fetched, FetchError, SecretSource, SecretText, SecretVersion, SourceFuture, Stage};
/// # use tenure_core::Secret;
/// # #[derive(Debug)]
/// # struct MySource;
/// # impl SecretSource for MySource {
/// #     fn name(&self) -> &str { "mine" }
/// #     fn fetch(&self) -> SourceFuture<'_, Result<Fetched, FetchError>> {
/// #         let version = |name: &str, secret: &str| SecretVersion {
/// #             name: name.to_owned(), secret: Secret::new(secret), stage: Stage::Active, created_at: None,
/// #         };
/// #         let versions = vec![version("2", "T4nXwE6uLsJ1dHfCaGzmQ7Yb0yP2kV9r"), version("1", "keyboard cat")];
/// #         Box::pin(async move { Ok(Fetched { versions, look_again_in: None }) })
/// #     }
/// # }
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// # let source = MySource;
/// // The source has a new version, 2, and a weak one, 1.
/// let preview = Preview::of(&source, &FollowOptions::for_policy(&Policy::default())).await?;
/// assert_eq!(preview.versions[0].role, Some(KeyRole::Upcoming));
/// assert_eq!(preview.versions[0].weakness, None);
/// assert!(preview.versions[1].weakness.is_some());
/// assert!(preview.refusal.is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Preview {
    /// The source's name.
    pub source: String,
    /// When it was read.
    pub at: Timestamp,
    /// The versions, the one to sign with first.
    pub versions: Vec<VersionPreview>,
    /// Why a start would be refused, if it would be.
    pub refusal: Option<FollowError>,
}

/// What would become of one version.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct VersionPreview {
    /// The source's name for it.
    pub name: String,
    /// Its key's id.
    pub key: KeyId,
    /// What the source says it is for.
    pub stage: Stage,
    /// When it was made, if the source knows.
    pub created_at: Option<Timestamp>,
    /// Why it may not be used, if it may not.
    pub weakness: Option<Weakness>,
    /// What it would be there for. `None` if no session under it can be alive, and it would not be in the keyring.
    pub role: Option<KeyRole>,
    /// When it would begin to sign, if it is upcoming and the source does not hold it back.
    pub signs_from: Option<Timestamp>,
    /// Until when it would verify, if another one signs.
    pub verifies_until: Option<Timestamp>,
}

impl Preview {
    /// Reads the source once, with the deadline, the refused versions and the clock of these options.
    ///
    /// # Errors
    /// If the source cannot be read. What it has and can't be used is no error here: see [`refusal`](Self::refusal).
    pub async fn of(source: &dyn SecretSource, options: &FollowOptions) -> Result<Self, FollowError> {
        let fetched = read(source, options).await?;
        let now = options.clock.now();
        let intake = Intake::of(fetched.versions, None, options, now);
        Ok(Self {
            source: source.name().to_owned(),
            at: now,
            refusal: intake.judged(source.name()).err(),
            versions: intake
                .into_duties()
                .map(|(known, duty)| {
                    let (role, signs_from, verifies_until) = duty.parts();
                    VersionPreview {
                        key: known.key_id,
                        stage: known.version.stage,
                        created_at: known.version.created_at,
                        weakness: known.version.secret.weakness(),
                        name: known.version.name,
                        role,
                        signs_from,
                        verifies_until,
                    }
                })
                .collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fetch_error::FetchError;
    use crate::source::{Fetched, SourceFuture};
    use crate::version::SecretVersion;
    use std::time::Duration;
    use tenure_core::{ManualClock, Policy, Secret};

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
    const STRONG: [&str; 2] = [
        "T4nXwE6uLsJ1dHfCaGzmQ7Yb0yP2kV9r",
        "Yb0yP2kV9rT4nXwE6uLsJ1dHfCaGzmQ7",
    ];

    #[derive(Debug)]
    struct Having(Vec<SecretVersion>);

    impl SecretSource for Having {
        fn name(&self) -> &'static str {
            "having"
        }

        fn fetch(&self) -> SourceFuture<'_, Result<Fetched, FetchError>> {
            let versions = self.0.clone();
            Box::pin(async move {
                Ok(Fetched {
                    versions,
                    look_again_in: None,
                })
            })
        }
    }

    fn version(name: &str, secret: &str, stage: Stage, days_old: u64) -> SecretVersion {
        SecretVersion {
            name: name.to_owned(),
            secret: Secret::new(secret),
            stage,
            created_at: Some(NOW.minus(Duration::from_hours(24 * days_old))),
        }
    }

    async fn preview(versions: Vec<SecretVersion>) -> Preview {
        let options = FollowOptions::for_policy(&Policy::default())
            .clock(ManualClock::at(NOW))
            .refuse_version("leaked");
        Preview::of(&Having(versions), &options).await.unwrap()
    }

    #[tokio::test]
    async fn a_version_that_no_session_needs_may_be_weak() {
        let strong = version("2", STRONG[0], Stage::Active, 100);
        let preview = preview(vec![strong, version("1", "weak", Stage::Active, 200)]).await;
        assert!(preview.refusal.is_none());
        assert_eq!(
            (preview.versions[0].role, preview.versions[0].weakness),
            (Some(KeyRole::Current), None)
        );
        assert_eq!(preview.versions[1].role, None);
        assert_eq!(
            preview.versions[1].weakness,
            Some(Weakness::TooShort { bytes: 4 })
        );
    }

    #[tokio::test]
    async fn versions_that_are_all_held_back_are_shown_as_such() {
        let preview = preview(vec![version("1", STRONG[0], Stage::Pending, 100)]).await;
        assert!(matches!(
            preview.refusal,
            Some(FollowError::NothingMaySign { .. })
        ));
        let held_back = &preview.versions[0];
        assert_eq!(
            (held_back.stage, held_back.role),
            (Stage::Pending, Some(KeyRole::Upcoming))
        );
        assert_eq!(held_back.signs_from, None);
    }

    #[tokio::test]
    async fn a_refused_version_is_left_out() {
        let kept = version("kept", STRONG[0], Stage::Active, 100);
        let preview = preview(vec![version("leaked", STRONG[1], Stage::Active, 1), kept]).await;
        let names: Vec<_> = preview.versions.iter().map(|version| &version.name).collect();
        assert_eq!(names, ["kept"]);
        assert!(preview.refusal.is_none());
    }
}
