//! What the client's errors mean, without what they hold: whole answers are in them.

use std::error::Error;

use azure_core::error::ErrorKind;

use crate::fetch_error::FetchError;

/// Gets the source's name where it leaves the source.
#[derive(Debug)]
pub(super) enum Failure {
    Unreachable(String),
    Denied(String),
    NotFound(String),
    Unusable(String),
}

impl Failure {
    pub(super) fn of(error: &azure_core::Error) -> Self {
        match error.kind() {
            ErrorKind::HttpResponse {
                status, error_code, ..
            } => Self::by_status(u16::from(*status), error_code),
            ErrorKind::Credential => Self::Denied(format!(
                "there is no token to be had{}; check the AZURE_ variables, or the machine's identity",
                answer_in(error)
            )),
            ErrorKind::DataConversion => Self::garbage(),
            ErrorKind::Connection | ErrorKind::Io => Self::Unreachable(chain(error)),
            _ => Self::Unreachable("the call failed before there was an answer".to_owned()),
        }
    }

    fn by_status(status: u16, code: &Option<String>) -> Self {
        let code = shown(status, code.as_deref());
        match status {
            401 | 403 => Self::Denied(format!(
                "{code}; the identity needs `get` and `list` for secrets, and the vault's firewall has to let it in"
            )),
            404 => Self::no_such_secret(),
            400 => Self::Unusable(format!("{code}; check the names of the vault and the secret")),
            _ => Self::Unreachable(code),
        }
    }

    pub(super) fn no_such_secret() -> Self {
        Self::NotFound(
            "make it with `az keyvault secret set`, and check the names of the vault and the secret"
                .to_owned(),
        )
    }

    pub(super) fn garbage() -> Self {
        Self::Unreachable("the answer is not one of Key Vault's; is the vault's host right?".to_owned())
    }

    pub(super) fn named(self, origin: &str) -> FetchError {
        let origin = origin.to_owned();
        match self {
            Self::Unreachable(cause) => FetchError::Unreachable {
                origin,
                cause: cause.into(),
            },
            Self::Denied(reason) => FetchError::Denied { origin, reason },
            Self::NotFound(reason) => FetchError::NotFound { origin, reason },
            Self::Unusable(reason) => FetchError::Unusable { origin, reason },
        }
    }
}

/// What the identity provider answered, if it did.
fn answer_in(error: &azure_core::Error) -> String {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(ErrorKind::HttpResponse {
            status, error_code, ..
        }) = error
            .downcast_ref::<azure_core::Error>()
            .map(azure_core::Error::kind)
        {
            return format!(" ({})", shown(u16::from(*status), error_code.as_deref()));
        }
        cause = error.source();
    }
    String::new()
}

/// Anybody may answer anything; a code is a word or numbers.
fn shown(status: u16, code: Option<&str>) -> String {
    let is_code = |code: &&str| {
        code.len() <= 64
            && code
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b',')
    };
    match code.filter(is_code) {
        Some(code) => format!("status {status}, {code}"),
        None => format!("status {status}"),
    }
}

/// What all causes say, as none of them has an answer's body here.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
