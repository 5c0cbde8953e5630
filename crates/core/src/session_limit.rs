//! How many sessions one user may have at once.

use std::num::NonZeroU32;

/// How many sessions one owner may have at once, and which of them ends when there is one more.
///
/// The limit is kept when somebody signs in: the owner's sessions are listed, and those over it are ended. Sign-ins at
/// once, at several instances, come to the same: as soon as the last of them is answered, there are no more than the
/// limit, and those that should stay have stayed.
///
/// ```
/// use std::num::NonZeroU32;
/// use tenure_core::{Policy, SessionLimit};
///
/// const FIVE: NonZeroU32 = NonZeroU32::new(5).expect("five is not zero");
/// let policy = Policy::default().session_limit(SessionLimit::EvictOldest(FIVE));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SessionLimit {
    /// As many as they like: the default.
    #[default]
    Unlimited,
    /// At most so many. The one that signed in the longest ago ends, whether it is in use or not.
    EvictOldest(NonZeroU32),
    /// At most so many. Whoever would be one too many is not signed in: the commit, or [`save`](crate::Session::save),
    /// fails with [`CommitError::TooManySessions`](crate::CommitError::TooManySessions). Of sign-ins at once the later ones are refused, and one that was
    /// answered an instant before may end.
    RefuseNewest(NonZeroU32),
}
