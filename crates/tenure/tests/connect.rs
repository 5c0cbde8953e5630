//! A store by its URL.

use tenure::Store;
use tenure::store::{ConnectError, connect};

async fn refused(url: &str) -> ConnectError {
    match connect(url).await {
        Ok(store) => panic!("{} opened", store.name()),
        Err(error) => error,
    }
}

#[tokio::test]
async fn an_unknown_scheme_is_told_which_there_are() {
    let error = refused("oracle://scott:tiger@db/app").await;
    assert!(matches!(&error, ConnectError::UnknownScheme { scheme } if scheme == "oracle"));
    assert!(error.to_string().contains("postgres:"));
    assert!(!error.to_string().contains("tiger"));
    assert!(
        !refused("a-password-given-by-mistake")
            .await
            .to_string()
            .contains("mistake")
    );
}

#[cfg(not(feature = "redis"))]
#[tokio::test]
async fn a_missing_feature_is_named() {
    let error = refused("rediss://:secret@db").await;
    assert!(matches!(
        error,
        ConnectError::MissingFeature { feature: "redis", .. }
    ));
    assert!(error.to_string().contains("--features redis"));
    assert!(!error.to_string().contains("secret"));
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn a_sqlite_file_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sessions.db");
    for url in [
        format!("sqlite:{}", file.display()),
        format!("sqlite://{}", file.display()),
    ] {
        let store = connect(&url).await.unwrap();
        assert_eq!(store.name(), "sqlite");
        store.ping().await.unwrap();
    }
    assert!(file.exists());
}

#[cfg(all(
    feature = "redis",
    feature = "postgres",
    feature = "mysql",
    feature = "mongodb"
))]
#[tokio::test]
async fn a_server_that_is_not_there_is_an_error_without_the_password() {
    for url in [
        "redis://app:hunter2@127.0.0.1:1",
        "postgres://app:hunter2@127.0.0.1:1/app",
        "mysql://app:hunter2@127.0.0.1:1/app",
        "mongodb://app:hunter2@127.0.0.1:1/?serverSelectionTimeoutMS=500",
    ] {
        let error = refused(url).await;
        let causes = std::iter::successors(Some(&error as &dyn std::error::Error), |cause| cause.source());
        let shown: String = causes.map(|cause| format!("{cause} {cause:?}\n")).collect();
        assert!(matches!(error, ConnectError::Failed { .. }), "{shown}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
