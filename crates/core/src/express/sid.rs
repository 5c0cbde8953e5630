//! Session ids as express-session makes them.

use base64ct::{Base64UrlUnpadded, Encoding};

use crate::random::{RandomError, random_bytes};

/// 24 random bytes of the operating system, as 32 characters of base64url: what `uid-safe` gives express-session.
///
/// This id is the bearer's secret and the key in the store at once, so it must not be logged.
///
/// # Errors
/// If the operating system gives no random bytes.
///
/// ```
/// assert_eq!(tenure_core::express::new_sid()?.len(), 32);
/// # Ok::<(), tenure_core::RandomError>(())
/// ```
pub fn new_sid() -> Result<String, RandomError> {
    Ok(Base64UrlUnpadded::encode_string(&random_bytes::<24>()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn ids_are_32_characters_of_base64url_and_never_the_same() {
        let ids: HashSet<String> = (0..1_000).map(|_| new_sid().unwrap()).collect();
        assert_eq!(ids.len(), 1_000);
        for id in ids {
            assert_eq!(id.len(), 32);
            assert!(
                id.bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
            );
        }
    }
}
