//! The application's secret, and whether it is fit to be one.

use std::fmt;

use aws_lc_rs::constant_time;
use zeroize::Zeroizing;

/// A secret of the application, from which the [`Keyring`](crate::Keyring) derives its keys.
///
/// Any bytes will do as long as nobody can guess them: at least 32 bytes (RFC 2104, section 3:
/// a key no shorter than the hash), best from the operating system's generator, for example the
/// output of `openssl rand -base64 32`. `Debug` shows nothing of it, and it is zeroed when dropped.
///
/// ```
/// use tenure_core::{Secret, Weakness};
///
/// let secret = Secret::new("mQ7Yb0yP2kV9rT4nXwE6uLsJ1dHfCaGz");
/// assert_eq!(secret.weakness(), None);
/// assert_eq!(format!("{secret:?}"), "Secret(redacted)");
///
/// assert_eq!(Secret::new("keyboard cat").weakness(), Some(Weakness::TooShort { bytes: 12 }));
/// ```
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

/// Why a secret is refused. Says what is wrong, never what the secret is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Weakness {
    /// Fewer than 32 bytes.
    #[error("it is {bytes} bytes long, at least 32 are needed; make one with `openssl rand -base64 32`")]
    TooShort {
        /// How long it is.
        bytes: usize,
    },
    /// It has the words of an example or of a template in it.
    #[error(
        "it looks like the placeholder {pattern:?} that everybody knows; make one with `openssl rand -base64 32`"
    )]
    Placeholder {
        /// The known words that were found.
        pattern: &'static str,
    },
    /// It repeats itself, counts up, or uses too few different bytes.
    #[error("it is repetitive and easy to guess; make one with `openssl rand -base64 32`")]
    LowEntropy,
}

impl Secret {
    /// The fewest bytes of a secret.
    pub const MIN_BYTES: usize = 32;

    /// Takes a secret. Whether it is strong enough is asked by [`Secret::weakness`], and by
    /// [`Sessions`](crate::Sessions) when it is built: a weak one never gets to sign a cookie.
    #[must_use]
    pub fn new(secret: impl AsRef<[u8]>) -> Self {
        Self(Zeroizing::new(secret.as_ref().to_vec()))
    }

    /// Why this secret may not be used, if it may not.
    #[must_use]
    pub fn weakness(&self) -> Option<Weakness> {
        if self.0.len() < Self::MIN_BYTES {
            return Some(Weakness::TooShort { bytes: self.0.len() });
        }
        if let Some(pattern) = known_placeholder(&self.0) {
            return Some(Weakness::Placeholder { pattern });
        }
        is_predictable(&self.0).then_some(Weakness::LowEntropy)
    }

    /// Whether this is the same secret, compared in constant time.
    ///
    /// ```
    /// use tenure_core::Secret;
    ///
    /// let secret = Secret::new("mQ7Yb0yP2kV9rT4nXwE6uLsJ1dHfCaGz");
    /// assert!(secret.is_same(&secret.clone()));
    /// assert!(!secret.is_same(&Secret::new("T4nXwE6uLsJ1dHfCaGzmQ7Yb0yP2kV9r")));
    /// ```
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        constant_time::verify_slices_are_equal(&self.0, &other.0).is_ok()
    }

    pub(crate) fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

/// Words of examples, tutorials and templates, without the punctuation between them. All have at
/// least six letters, so that a random secret has one of them in it about once in ten million.
const PLACEHOLDERS: &[&str] = &[
    "keyboardcat",
    "changeme",
    "changethis",
    "replaceme",
    "replacethis",
    "secret",
    "password",
    "passwort",
    "passphrase",
    "placeholder",
    "example",
    "default",
    "yourkey",
    "yoursession",
    "insertkey",
    "development",
    "production",
    "sessionkey",
    "testtest",
    "qwerty",
    "letmein",
    "loremipsum",
    "correcthorse",
    "deadbeef",
    "cafebabe",
    "12345678",
];

fn known_placeholder(secret: &[u8]) -> Option<&'static str> {
    let letters: Zeroizing<Vec<u8>> = Zeroizing::new(
        secret
            .iter()
            .filter(|byte| byte.is_ascii_alphanumeric())
            .map(u8::to_ascii_lowercase)
            .collect(),
    );
    PLACEHOLDERS.iter().copied().find(|pattern| {
        letters
            .windows(pattern.len())
            .any(|window| window == pattern.as_bytes())
    })
}

/// Random bytes of at least 32 have about 30 that neither repeat an earlier part nor go on in the
/// step of the two before; hexadecimal digits, the poorest honest alphabet, still have 8 kinds.
fn is_predictable(secret: &[u8]) -> bool {
    const FEWEST_KINDS: usize = 8;
    const FEWEST_SURPRISES: usize = 20;

    let mut seen = [false; 256];
    for byte in secret {
        seen[usize::from(*byte)] = true;
    }
    let kinds = seen.iter().filter(|seen| **seen).count();
    let core = &secret[..shortest_period(secret)];
    let surprises = core.len() - bytes_that_continue_a_step(core);
    kinds < FEWEST_KINDS || core.len() < Secret::MIN_BYTES / 2 || surprises < FEWEST_SURPRISES.min(core.len())
}

fn shortest_period(secret: &[u8]) -> usize {
    (1..secret.len())
        .find(|period| {
            secret[*period..]
                .iter()
                .zip(secret)
                .all(|(later, earlier)| later == earlier)
        })
        .unwrap_or(secret.len())
}

fn bytes_that_continue_a_step(secret: &[u8]) -> usize {
    let step = |pair: &[u8]| pair[1].wrapping_sub(pair[0]);
    secret
        .windows(3)
        .filter(|three| step(&three[..2]) == step(&three[1..]))
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weakness(secret: &str) -> Option<Weakness> {
        Secret::new(secret).weakness()
    }

    #[test]
    fn short_secrets_are_refused_whatever_is_in_them() {
        assert_eq!(weakness(""), Some(Weakness::TooShort { bytes: 0 }));
        assert_eq!(
            weakness("mQ7Yb0yP2kV9rT4nXwE6uLsJ1dHfCaG"),
            Some(Weakness::TooShort { bytes: 31 })
        );
    }

    #[test]
    fn placeholders_are_refused_however_they_are_written() {
        for secret in [
            "keyboard cat keyboard cat keyboard cat",
            "Keyboard-Cat_mQ7Yb0yP2kV9rT4nXwE6uLsJ",
            "changeme-changeme-changeme-changeme",
            "CHANGE_ME_mQ7Yb0yP2kV9rT4nXwE6uLsJ1dH",
            "my-super-secret-key-for-my-nice-app-2026",
            "this is a passphrase that nobody guesses",
        ] {
            assert!(
                matches!(weakness(secret), Some(Weakness::Placeholder { .. })),
                "{secret}"
            );
        }
    }

    #[test]
    fn repetition_and_sequences_are_refused() {
        for secret in [
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "abababababababababababababababababababab",
            "xK9mPxK9mPxK9mPxK9mPxK9mPxK9mPxK9mPxK9mP",
            "abcdefghijklmnopqrstuvwxyzabcdefghijklmn",
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
            "00000000000000000000000000000001",
            "zyxwvutsrqponmlkjihgfedcbazyxwvutsrqponm",
        ] {
            assert_eq!(weakness(secret), Some(Weakness::LowEntropy), "{secret}");
        }
        assert_eq!(Secret::new([0u8; 64]).weakness(), Some(Weakness::LowEntropy));
    }

    #[test]
    fn random_secrets_pass_in_every_usual_spelling() {
        for _ in 0..2_000 {
            let bytes: [u8; 32] = crate::random::random_bytes().unwrap();
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(Secret::new(bytes).weakness(), None);
            assert_eq!(weakness(&hex), None, "{hex}");
            // 16 random bytes in hexadecimal are 32 bytes of text and 128 bits: just enough.
            assert_eq!(weakness(&hex[..32]), None, "{hex}");
        }
    }
}
