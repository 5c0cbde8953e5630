//! Where the application runs.

/// Where the application runs, which decides what a [`Policy`](crate::Policy) may leave out.
///
/// Production unless told otherwise, so that a forgotten setting fails safe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Environment {
    /// Real users: nothing insecure is accepted.
    #[default]
    Production,
    /// A developer's machine or a test: the memory store and cookies without `Secure` are allowed.
    Development,
}

impl Environment {
    /// The variable that [`Environment::from_env`] reads.
    pub const VARIABLE: &'static str = "TENURE_ENV";

    /// Development if the variable `TENURE_ENV` is exactly `development`, else production.
    #[must_use]
    pub fn from_env() -> Self {
        Self::named(std::env::var(Self::VARIABLE).ok().as_deref())
    }

    /// What a value of `TENURE_ENV` means.
    ///
    /// ```
    /// use tenure_core::Environment;
    ///
    /// assert_eq!(Environment::named(Some("development")), Environment::Development);
    /// assert_eq!(Environment::named(Some("Dev")), Environment::Production);
    /// assert_eq!(Environment::named(None), Environment::Production);
    /// ```
    #[must_use]
    pub fn named(value: Option<&str>) -> Self {
        match value {
            Some("development") => Self::Development,
            _ => Self::Production,
        }
    }
}
