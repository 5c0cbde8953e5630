//! Whose session it is.

use std::fmt;
use std::sync::Arc;

/// The application's id of the signed-in user.
///
/// Any string of 1 to 255 bytes without control characters: a primary key, a UUID, a subject claim. It is kept in the store
/// as it is, so that an operator can list and end a user's sessions; an id that never changes
/// serves better than an e-mail address, which does and is personal data.
///
/// ```
/// use tenure_core::Owner;
///
/// assert_eq!(Owner::new("user-42")?.as_str(), "user-42");
/// assert!(Owner::new("").is_err());
/// assert!(Owner::new("a\nb").is_err());
/// # Ok::<(), tenure_core::OwnerError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Owner(Arc<str>);

/// The application gave an owner that cannot be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OwnerError {
    /// An empty owner would lump together every user whose id could not be read.
    #[error("the owner is empty; give the id of the user who has just proved who they are")]
    Empty,
    /// Longer than the stores' columns.
    #[error("the owner is {0} bytes long; at most 255 are kept: give a shorter, stable id")]
    TooLong(usize),
    /// Control characters would forge lines in logs, and not every database keeps them.
    #[error("the owner has a control character in it; give a plain, stable id")]
    ControlCharacter,
}

impl Owner {
    /// The longest owner, in bytes.
    pub const MAX_BYTES: usize = 255;

    /// Checks and keeps an owner.
    ///
    /// # Errors
    /// If it is empty, longer than [`Owner::MAX_BYTES`], or has control characters in it.
    pub fn new(owner: impl AsRef<str>) -> Result<Self, OwnerError> {
        let owner = owner.as_ref();
        match owner.len() {
            0 => Err(OwnerError::Empty),
            length if length > Self::MAX_BYTES => Err(OwnerError::TooLong(length)),
            _ if owner.chars().any(char::is_control) => Err(OwnerError::ControlCharacter),
            _ => Ok(Self(owner.into())),
        }
    }

    /// The owner as the application gave it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Owner({:?})", &self.0)
    }
}
