//! The official client against a stand-in for Key Vault, which has no emulator.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use azure_core::http::{ClientOptions, Transport};
use azure_security_keyvault_secrets::{SecretClient, SecretClientOptions};
use tenure_secrets::{AzureSource, FetchError, RotateError, SecretSource, SetupError, Stage};
use tenure_testkit::servers::{AzureMood, AzureStandIn, AzureVersion, FaultProxy};

use crate::common::{
    FIRST, FOURTH, SECOND, THIRD, assert_error_silent, assert_silent, assert_text_silent, ids_of, key_ids,
    logged, names, new_secret, stages,
};

const TOKEN: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.e30.c2lnbmF0dXJl";

/// Gives a token, for whatever it is asked.
struct Bearer(Option<&'static str>);

impl std::fmt::Debug for Bearer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Bearer")
    }
}

#[async_trait::async_trait]
impl TokenCredential for Bearer {
    async fn get_token(
        &self,
        scopes: &[&str],
        _: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        assert_eq!(scopes, ["https://vault.azure.net/.default"]);
        let refused = || {
            azure_core::Error::with_message(azure_core::error::ErrorKind::Credential, "nobody is signed in")
        };
        let token = self.0.ok_or_else(refused)?;
        Ok(AccessToken {
            token: token.into(),
            expires_on: (SystemTime::now() + Duration::from_secs(3_600)).into(),
        })
    }
}

/// The vault by its real name, which is led to the loopback.
fn source_at(stand_in: &AzureStandIn, port: u16, token: Option<&'static str>) -> AzureSource {
    let authority = reqwest::Certificate::from_pem(stand_in.authority().as_bytes()).unwrap();
    let http = reqwest::Client::builder()
        .tls_certs_only([authority])
        .resolve(AzureStandIn::HOST, ([127, 0, 0, 1], port).into())
        .build()
        .unwrap();
    let options = SecretClientOptions {
        client_options: ClientOptions {
            transport: Some(Transport::new(Arc::new(http))),
            ..ClientOptions::default()
        },
        ..SecretClientOptions::default()
    };
    let url = format!("https://{}:{port}", AzureStandIn::HOST);
    let client = SecretClient::new(&url, Arc::new(Bearer(token)), Some(options)).unwrap();
    AzureSource::with_client(client, "shop", AzureStandIn::SECRET).unwrap()
}

fn source(stand_in: &AzureStandIn) -> AzureSource {
    source_at(stand_in, stand_in.address().port(), Some(TOKEN))
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn version(number: u64, value: &str) -> AzureVersion {
    AzureVersion {
        id: format!("{number:032x}"),
        value: value.to_owned(),
        created: 1_700_000_000 + number,
        enabled: true,
        not_before: None,
        expires: None,
    }
}

fn id(number: u64) -> String {
    format!("{number:032x}")
}

#[tokio::test]
async fn the_versions_that_are_enabled_and_have_not_expired_are_given_from_the_newest_on() {
    let vault = AzureStandIn::start(TOKEN).await.unwrap();
    // In no order, as Azure promises none, and on more than one page.
    vault.set_versions(vec![
        version(2, SECOND),
        version(5, &format!("{FIRST}\n")),
        AzureVersion {
            enabled: false,
            ..version(6, FOURTH)
        },
        AzureVersion {
            expires: Some(now() - 10),
            ..version(4, FOURTH)
        },
        AzureVersion {
            not_before: Some(now() - 10),
            expires: Some(now() + 5_000),
            ..version(3, THIRD)
        },
    ]);
    let source = source(&vault);
    assert_eq!(source.name(), "azure:shop/session");
    let fetched = source.fetch().await.unwrap();
    assert_eq!(names(&fetched), [id(5), id(3), id(2)]);
    assert_eq!(key_ids(&fetched), ids_of(&[FIRST, THIRD, SECOND]));
    assert_eq!(stages(&fetched), [Stage::Active; 3]);
    let created = fetched.versions[0].created_at.unwrap();
    assert_eq!(created.as_millis(), 1_700_000_005_000);
    let left = fetched.look_again_in.unwrap();
    assert!(
        left > Duration::from_secs(4_900) && left <= Duration::from_secs(5_000),
        "{left:?}"
    );
    assert_silent(&source, &[FIRST, SECOND, THIRD, TOKEN]);
}

#[tokio::test]
async fn a_version_before_its_time_verifies_and_the_source_says_when_to_look_again() {
    let vault = AzureStandIn::start(TOKEN).await.unwrap();
    vault.set_versions(vec![
        version(1, FIRST),
        AzureVersion {
            not_before: Some(now() + 600),
            ..version(2, SECOND)
        },
    ]);
    let source = source(&vault);
    let fetched = source.fetch().await.unwrap();
    assert_eq!(key_ids(&fetched), ids_of(&[FIRST, SECOND]));
    assert_eq!(stages(&fetched), [Stage::Active, Stage::Pending]);
    let left = fetched.look_again_in.unwrap();
    assert!(
        left > Duration::from_secs(500) && left <= Duration::from_secs(600),
        "{left:?}"
    );

    vault.set_versions(vec![
        version(1, FIRST),
        AzureVersion {
            not_before: Some(now()),
            ..version(2, SECOND)
        },
    ]);
    let fetched = source.fetch().await.unwrap();
    assert_eq!(key_ids(&fetched), ids_of(&[SECOND, FIRST]));
    assert_eq!(fetched.look_again_in, None);
}

#[tokio::test]
async fn each_value_is_read_once_and_a_disabled_version_is_gone_all_the_same() {
    let vault = AzureStandIn::start(TOKEN).await.unwrap();
    vault.set_versions(vec![version(1, FIRST), version(2, SECOND)]);
    let source = source(&vault);
    for _ in 0..3 {
        source.fetch().await.unwrap();
    }
    assert_eq!(vault.values_read(), 2);
    vault.set_versions(vec![
        version(1, FIRST),
        AzureVersion {
            enabled: false,
            ..version(2, SECOND)
        },
        version(3, THIRD),
    ]);
    assert_eq!(key_ids(&source.fetch().await.unwrap()), ids_of(&[THIRD, FIRST]));
    assert_eq!(vault.values_read(), 3);
}

#[tokio::test]
async fn rotation_sets_a_new_version() {
    let vault = AzureStandIn::start(TOKEN).await.unwrap();
    vault.set_versions(vec![version(1, FIRST)]);
    let source = source(&vault);
    let new = new_secret();
    let name = source.rotate(&new).await.unwrap();
    let fetched = source.fetch().await.unwrap();
    assert_eq!(names(&fetched), [name.as_str(), &id(1)]);
    assert_eq!(key_ids(&fetched), ids_of(&[new.expose(), FIRST]));

    vault.set_mood(AzureMood::DeniesWriting);
    let refused = source.rotate(&new).await.unwrap_err();
    assert!(
        matches!(&refused, RotateError::Refused { reason, .. } if reason.contains("`set`")),
        "{refused}"
    );
    assert_error_silent(&refused, &[new.expose(), TOKEN]);
    assert_eq!(vault.versions().len(), 2);
}

#[tokio::test]
async fn what_can_not_be_used_is_told_from_what_is_not_there() {
    let vault = AzureStandIn::start(TOKEN).await.unwrap();
    let source = source(&vault);
    let error = source.fetch().await.unwrap_err();
    assert!(matches!(error, FetchError::NotFound { .. }), "{error}");
    for versions in [
        vec![AzureVersion {
            enabled: false,
            ..version(1, FIRST)
        }],
        vec![AzureVersion {
            expires: Some(now() - 1),
            ..version(1, FIRST)
        }],
        vec![AzureVersion {
            not_before: Some(now() + 100),
            ..version(1, FIRST)
        }],
        vec![version(1, FIRST), version(2, " \n")],
    ] {
        vault.set_versions(versions);
        let error = source.fetch().await.unwrap_err();
        assert!(matches!(error, FetchError::Unusable { .. }), "{error}");
        assert_error_silent(&error, &[FIRST]);
    }
}

#[tokio::test]
async fn who_may_not_read_or_has_no_or_a_wrong_token_is_denied_and_nothing_is_shown() {
    const WRONG: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.e30.d3JvbmctdG9rZW4";

    let vault = AzureStandIn::start(TOKEN).await.unwrap();
    vault.set_versions(vec![version(1, FIRST)]);
    for token in [None, Some(WRONG)] {
        let source = source_at(&vault, vault.address().port(), token);
        let error = source.fetch().await.unwrap_err();
        assert!(matches!(error, FetchError::Denied { .. }), "{error}");
        assert_error_silent(&error, &[WRONG, FIRST]);
    }
    vault.set_mood(AzureMood::DeniesReading);
    let error = source(&vault).fetch().await.unwrap_err();
    assert!(
        matches!(&error, FetchError::Denied { reason, .. } if reason.contains("`list`")),
        "{error}"
    );
    assert_error_silent(&error, &[TOKEN, FIRST]);
}

#[tokio::test]
async fn a_vault_that_fails_talks_nonsense_is_silent_or_gone_is_unreachable_and_not_shown() {
    let vault = AzureStandIn::start(TOKEN).await.unwrap();
    vault.set_versions(vec![version(1, FIRST)]);
    let proxy = FaultProxy::start(vault.address().port()).await.unwrap();
    let source = source_at(&vault, proxy.port(), Some(TOKEN)).timeout(Duration::from_secs(1));
    source.fetch().await.unwrap();
    for mood in [AzureMood::Fails, AzureMood::TalksNonsense] {
        vault.set_mood(mood);
        let error = source.fetch().await.unwrap_err();
        assert!(
            matches!(error, FetchError::Unreachable { .. }),
            "{mood:?}: {error}"
        );
        assert_error_silent(&error, &[FIRST, TOKEN]);
    }
    vault.set_mood(AzureMood::Well);
    proxy.stall();
    let began = Instant::now();
    let error = source.fetch().await.unwrap_err();
    assert!(matches!(error, FetchError::Unreachable { .. }), "{error}");
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    proxy.heal();
    source.fetch().await.unwrap();
    drop(vault);
    proxy.cut();
    let error = source.fetch().await.unwrap_err();
    assert!(matches!(error, FetchError::Unreachable { .. }), "{error}");
    assert_error_silent(&error, &[FIRST, TOKEN]);
}

#[tokio::test]
async fn names_that_lead_to_another_host_or_path_are_refused() {
    for (vault, secret) in [
        ("", "session"),
        ("shop/x", "session"),
        ("shop@evil.example", "session"),
        ("a b", "s"),
    ] {
        let refused = AzureSource::connect(vault, secret);
        assert!(matches!(refused, Err(SetupError::Setting { .. })), "{vault}");
    }
    for secret in ["", "../keys", "a/b", "a?b", &"a".repeat(128)] {
        let refused = AzureSource::connect("shop", secret);
        assert!(matches!(refused, Err(SetupError::Setting { .. })), "{secret}");
    }
}

#[tokio::test]
async fn nothing_secret_is_logged_at_any_level() {
    let vault = AzureStandIn::start(TOKEN).await.unwrap();
    vault.set_versions(vec![version(1, FIRST)]);
    let new = new_secret();
    let log = logged(async {
        let source = source(&vault).timeout(Duration::from_secs(1));
        source.fetch().await.unwrap();
        source.rotate(&new).await.unwrap();
        vault.set_mood(AzureMood::TalksNonsense);
        source.fetch().await.unwrap_err();
    })
    .await;
    assert!(!log.is_empty());
    assert_text_silent(&log, &[FIRST, new.expose(), TOKEN]);
}
