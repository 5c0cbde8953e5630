//! Who stands behind a genuine cookie, by the record of its session.

use crate::keyring::Keyring;
use crate::lineage::Bearer;
use crate::record::Record;
use crate::seal::{self, OpenError};
use crate::token::{SecretHash, TokenSecret};

/// The right to use a session, and its current secret.
pub(crate) struct Recognised {
    pub(crate) bearer: Bearer,
    /// The current secret, which the bearer of the one before is about to get.
    pub(crate) secret: TokenSecret,
}

/// Why a genuine cookie opens nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotRecognised {
    /// Its secret was replaced at once.
    Superseded,
    /// Its secret retired: somebody copied it.
    Retired,
    /// The successor of its secret does not open.
    Unreadable(OpenError),
}

/// What a cookie of `generation` with this secret is worth on `record`.
pub(crate) fn recognise(
    record: &Record,
    generation: u32,
    secret: &TokenSecret,
    hash: &SecretHash,
    keyring: &Keyring,
) -> Result<Recognised, NotRecognised> {
    let is_current = record.secret_hash.matches(hash);
    let is_previous = record
        .previous_secret_hash
        .is_some_and(|previous| previous.matches(hash));
    match record.lineage.bearer(generation, is_current, is_previous) {
        Bearer::Current => Ok(Recognised {
            bearer: Bearer::Current,
            secret: secret.clone(),
        }),
        Bearer::Predecessor => {
            let successor =
                seal::open_successor(record, secret, keyring).map_err(NotRecognised::Unreadable)?;
            Ok(Recognised {
                bearer: Bearer::Predecessor,
                secret: successor,
            })
        }
        Bearer::Retired => Err(NotRecognised::Retired),
        Bearer::Superseded => Err(NotRecognised::Superseded),
    }
}
