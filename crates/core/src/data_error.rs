//! What can be wrong with a value.

use std::borrow::Cow;

use serde_json::error::Category;

/// A value could not be kept in a session or read from it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// The value's `Serialize` failed.
    #[error("the value of the session key {key:?} does not become JSON; check its Serialize")]
    Serialize {
        /// Which key.
        key: Cow<'static, str>,
        /// Where it went wrong.
        #[source]
        source: JsonFault,
    },
    /// The JSON in the session is not of the key's type.
    #[error(
        "the session key {key:?} holds JSON of another shape than its type; give a changed type a new key"
    )]
    Deserialize {
        /// Which key.
        key: Cow<'static, str>,
        /// Where it went wrong.
        #[source]
        source: JsonFault,
    },
    /// The data would be over [`Policy::max_data_bytes`](crate::Policy::max_data_bytes).
    #[error(
        "writing the session key {key:?} would bring the session to {bytes} bytes, over the policy's {limit}; keep big things elsewhere and their key in the session"
    )]
    TooLarge {
        /// Which key.
        key: Cow<'static, str>,
        /// What the data would come to.
        bytes: usize,
        /// The policy's limit.
        limit: usize,
    },
    /// express-session has the key for itself, and would drop the value.
    #[cfg(feature = "express")]
    #[error(
        "the session key {key:?} is one that req.session has already in Express, which would drop the value; name the key otherwise"
    )]
    Reserved {
        /// Which key.
        key: Cow<'static, str>,
    },
}

/// Where JSON went wrong: serde's error without its text, for that may quote what is in the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{category:?} error at line {line}, column {column} of the value")]
pub struct JsonFault {
    category: Category,
    line: usize,
    column: usize,
}

impl From<serde_json::Error> for JsonFault {
    fn from(error: serde_json::Error) -> Self {
        Self {
            category: error.classify(),
            line: error.line(),
            column: error.column(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_quotes_nothing_of_the_value() {
        let error = serde_json::from_str::<u32>("\"the secret plan\"").unwrap_err();
        assert!(
            error.to_string().contains("secret plan"),
            "which is why it is not shown"
        );
        let fault = JsonFault::from(error);
        let shown = format!("{fault} {fault:?}");
        assert!(!shown.contains("plan"), "{shown}");
        assert_eq!(fault.to_string(), "Data error at line 1, column 17 of the value");
    }
}
