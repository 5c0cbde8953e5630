//! What the SDK's errors mean, without what they hold: whole answers are in them.

use std::error::Error;

use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};

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
    pub(super) fn of<E: ProvideErrorMetadata + Error + 'static>(error: &SdkError<E>) -> Self {
        match error {
            SdkError::ServiceError(service) => match service.err().code().filter(|code| is_code(code)) {
                Some(code) => Self::by_code(code),
                None => Self::by_status(service.raw().status().as_u16()),
            },
            SdkError::DispatchFailure(failure) if failure.is_io() || failure.is_timeout() => {
                Self::Unreachable(chain(error))
            }
            SdkError::DispatchFailure(_) if chain(error).contains("credential") => Self::Denied(format!(
                "there are no credentials: {}; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the machine or \
                 container a role",
                chain(error)
            )),
            SdkError::DispatchFailure(_) | SdkError::ConstructionFailure(_) => {
                Self::Unreachable(chain(error))
            }
            SdkError::TimeoutError(_) => Self::Unreachable("no answer in time".to_owned()),
            _ => Self::Unreachable(
                "the answer is not one of Secrets Manager; is the endpoint right?".to_owned(),
            ),
        }
    }

    fn by_code(code: &str) -> Self {
        match code {
            "ResourceNotFoundException" => Self::NotFound(
                "make it with `aws secretsmanager create-secret`, and check region and account".to_owned(),
            ),
            "InvalidRequestException" => {
                Self::NotFound("it is marked for deletion, or owned by another service".to_owned())
            }
            "DecryptionFailure" => Self::Denied("its key can't be used; kms:Decrypt is needed".to_owned()),
            "EncryptionFailure" => {
                Self::Denied("its key can't be used; kms:GenerateDataKey is needed".to_owned())
            }
            "InvalidParameterException" | "ValidationException" => {
                Self::Unusable(format!("the name can't be one of a secret ({code})"))
            }
            _ if is_denial(code) => Self::Denied(format!(
                "{code}; check the credentials, and that they allow secretsmanager:GetSecretValue"
            )),
            _ => Self::Unreachable(format!("it answered with {code}")),
        }
    }

    /// What stands between us and AWS may refuse in its own way.
    fn by_status(status: u16) -> Self {
        match status {
            401 | 403 => Self::Denied(format!(
                "status {status}; check the credentials, and that they allow secretsmanager:GetSecretValue"
            )),
            _ => Self::Unreachable(format!("it answered with status {status}")),
        }
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

fn is_denial(code: &str) -> bool {
    matches!(
        code,
        "AccessDenied"
            | "AccessDeniedException"
            | "ExpiredToken"
            | "ExpiredTokenException"
            | "IncompleteSignature"
            | "IncompleteSignatureException"
            | "InvalidClientTokenId"
            | "InvalidSignatureException"
            | "MissingAuthenticationToken"
            | "MissingAuthenticationTokenException"
            | "NotAuthorized"
            | "OptInRequired"
            | "SignatureDoesNotMatch"
            | "UnrecognizedClientException"
    )
}

/// Anybody may answer anything; a code is a word.
fn is_code(code: &str) -> bool {
    !code.is_empty() && code.len() <= 64 && code.bytes().all(|byte| byte.is_ascii_alphabetic())
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
