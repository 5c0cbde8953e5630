//! What all of them share.

use std::error::Error;
use std::fmt::Debug;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use tenure_core::Keyring;
use tenure_secrets::{Fetched, SecretText, SecretVersion, Stage};

pub(crate) const FIRST: &str = "Yb0yP2kV9rT4nXwE6uLsJ1dHfCaGzmQ7";
pub(crate) const SECOND: &str = "T4nXwE6uLsJ1dHfCaGzmQ7Yb0yP2kV9r";
pub(crate) const THIRD: &str = "mQ7Yb0yP2kV9rT4nXwE6uLsJ1dHfCaGz";
pub(crate) const FOURTH: &str = "J1dHfCaGzmQ7Yb0yP2kV9rT4nXwE6uLs";

/// Which secret it is, without a look at it.
pub(crate) fn key_id(secret: impl AsRef<[u8]>) -> String {
    Keyring::new(tenure_core::Secret::new(secret))
        .current_key_id()
        .to_string()
}

pub(crate) fn key_ids(fetched: &Fetched) -> Vec<String> {
    fetched.versions.iter().map(version_key_id).collect()
}

pub(crate) fn version_key_id(version: &SecretVersion) -> String {
    Keyring::new(version.secret.clone()).current_key_id().to_string()
}

pub(crate) fn ids_of(secrets: &[&str]) -> Vec<String> {
    secrets.iter().map(key_id).collect()
}

pub(crate) fn names(fetched: &Fetched) -> Vec<&str> {
    fetched
        .versions
        .iter()
        .map(|version| version.name.as_str())
        .collect()
}

pub(crate) fn stages(fetched: &Fetched) -> Vec<Stage> {
    fetched.versions.iter().map(|version| version.stage).collect()
}

pub(crate) fn new_secret() -> SecretText {
    SecretText::generate().unwrap()
}

/// Neither what it prints nor what it holds has any of the secrets in it, as they are, in hexadecimal or in base64.
#[track_caller]
pub(crate) fn assert_silent(shown: &dyn Debug, secrets: &[&str]) {
    assert_text_silent(&format!("{shown:?} {shown:#?}"), secrets);
}

/// The same for an error and all its causes.
#[track_caller]
pub(crate) fn assert_error_silent(error: &(dyn Error + 'static), secrets: &[&str]) {
    let mut text = format!("{error} {error:?} {error:#?}");
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(" {error} {error:?} {error:#?}"));
        cause = error.source();
    }
    assert_text_silent(&text, secrets);
}

#[track_caller]
pub(crate) fn assert_text_silent(text: &str, secrets: &[&str]) {
    for secret in secrets {
        let bytes: Vec<String> = secret.bytes().map(|byte| byte.to_string()).collect();
        for shown in [
            (*secret).to_owned(),
            secret.bytes().map(|byte| format!("{byte:02x}")).collect(),
            // What is inside of a longer text is cut differently at its ends.
            Base64::encode_string(secret.as_bytes())[..secret.len() / 3 * 4].to_owned(),
            Base64UrlUnpadded::encode_string(secret.as_bytes())[..secret.len() / 3 * 4].to_owned(),
            bytes.join(", "),
        ] {
            assert!(!text.contains(&shown), "a secret is shown in: {text}");
        }
    }
}

/// Whatever is logged at any level, by us and by the clients, while this runs.
pub(crate) async fn logged(work: impl Future<Output = ()>) -> String {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    work.await;
    drop(guard);
    let bytes = log.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
