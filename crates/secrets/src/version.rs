//! One version of a secret, as its source has it.

use tenure_core::{Secret, Timestamp};

/// One version of a secret. `Debug` shows nothing of the secret.
#[derive(Clone, Debug)]
pub struct SecretVersion {
    /// The source's name for it, such as `3` in Vault; safe to log.
    pub name: String,
    /// The secret.
    pub secret: Secret,
    /// What the source says it is for.
    pub stage: Stage,
    /// When it was made, if the source knows, and would tell every instance the same. `None` where each instance has
    /// a copy of its own, such as a file.
    pub created_at: Option<Timestamp>,
}

/// What a source says a version is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// May sign, once every instance has had the time to see it, and until a newer one may.
    Active,
    /// Verifies, and does not sign yet, whatever its age: AWS's `AWSPENDING`, or an Azure version before its `nbf`.
    Pending,
}
