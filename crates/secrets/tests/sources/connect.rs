//! Sources by their URL.

use tenure_secrets::{ConnectError, connect};

use crate::common::{FIRST, assert_error_silent};

#[tokio::test]
async fn a_source_is_picked_by_its_scheme_and_named_after_its_url() {
    let mut urls = vec!["env:SESSION_SECRET"];
    if cfg!(feature = "file") {
        urls.extend(["file:/run/secrets/session", "file:relative"]);
    }
    if cfg!(feature = "vault") {
        urls.extend(["vault:secret/shop#session", "vault:secret/team/shop"]);
    }
    if cfg!(feature = "azure") {
        urls.push("azure:shop/session");
    }
    for url in urls {
        assert_eq!(connect(url).await.unwrap().name(), url);
    }
}

#[tokio::test]
async fn a_real_variable_is_read() {
    // The test's runner sets it.
    let source = connect("env:CARGO_MANIFEST_DIR").await.unwrap();
    let fetched = source.fetch().await.unwrap();
    assert_eq!(
        crate::common::key_ids(&fetched),
        crate::common::ids_of(&[env!("CARGO_MANIFEST_DIR")])
    );
}

#[tokio::test]
async fn a_secret_in_place_of_a_url_is_not_shown() {
    for url in [
        FIRST.to_owned(),
        format!("{FIRST}:"),
        format!("env:{FIRST}=x"),
        format!("vault:{FIRST}"),
    ] {
        let error = connect(&url).await.unwrap_err();
        assert_error_silent(&error, &[FIRST]);
    }
}

#[tokio::test]
async fn what_is_written_wrongly_is_told_with_how_to_write_it() {
    let mut wrong = vec!["env:"];
    if cfg!(feature = "file") {
        wrong.push("file:");
    }
    if cfg!(feature = "vault") {
        wrong.push("vault:secret");
    }
    if cfg!(feature = "aws") {
        wrong.push("aws:#key");
    }
    if cfg!(feature = "azure") {
        wrong.push("azure:shop");
    }
    for url in wrong {
        let error = connect(url).await.unwrap_err();
        assert!(matches!(error, ConnectError::Malformed { .. }), "{url}: {error}");
    }
    let error = connect("consul:kv/shop").await.unwrap_err();
    assert!(matches!(error, ConnectError::UnknownScheme { scheme } if scheme == "consul"));
}

#[tokio::test]
async fn a_source_that_was_not_compiled_in_names_its_feature() {
    for (url, is_there) in [
        ("file:/run/secrets/session", cfg!(feature = "file")),
        ("vault:secret/shop", cfg!(feature = "vault")),
        ("aws:shop", cfg!(feature = "aws")),
        ("azure:shop/session", cfg!(feature = "azure")),
    ] {
        match connect(url).await {
            Err(ConnectError::MissingFeature { scheme }) => {
                assert!(!is_there);
                assert!(url.starts_with(scheme));
            }
            _ => assert!(is_there, "{url}"),
        }
    }
}
