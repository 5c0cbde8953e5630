//! The operating system's random bytes: the one source of every id, secret and nonce.

/// The operating system gave no random bytes. Nothing was created; the request should fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gave no random bytes; check that the process may call getrandom: {0}")]
pub struct RandomError(getrandom::Error);

pub(crate) fn random_bytes<const N: usize>() -> Result<[u8; N], RandomError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(RandomError)?;
    Ok(bytes)
}
