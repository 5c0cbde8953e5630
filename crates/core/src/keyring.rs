//! The keys that sign cookies and seal data, and their rotation.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::{digest, hkdf, hmac};
use zeroize::Zeroizing;

use crate::hex::write_hex;
use crate::observed::KeyObserved;
use crate::secret::{Secret, Weakness};
use crate::wiped::Wiped;

/// One current secret, any number of older ones, and any number of upcoming ones.
///
/// The current one signs and seals; all of them verify and open. To rotate, make the new secret the current one and
/// keep the old one behind it for as long as a session can live: nobody is signed out, and each browser gets a
/// cookie under the new key, and its data a new seal, with its next request.
///
/// Where several instances run, an instance that does not know the new secret yet takes its cookies for
/// forged and removes them. So rotate in three steps: first add the new secret as an
/// [upcoming](Keyring::with_upcoming) one on every instance, where it verifies only; then make it the current one;
/// and drop the old one when the longest session has ended. The `tenure-secrets` crate has a keyring that takes
/// these steps by itself.
///
/// From each secret a key per purpose is derived with HKDF-SHA256 (RFC 5869), so that a cookie's
/// tag can never stand in for anything else.
///
/// ```
/// use tenure_core::{Keyring, Secret};
///
/// let last_year = Secret::new("Yb0yP2kV9rT4nXwE6uLsJ1dHfCaGzmQ7");
/// let this_year = Secret::new("T4nXwE6uLsJ1dHfCaGzmQ7Yb0yP2kV9r");
/// let keyring = Keyring::new(this_year).with_older(last_year);
/// assert!(keyring.problems().is_empty());
/// ```
pub struct Keyring {
    /// Tells this keyring from every other of the process.
    serial: u64,
    upcoming: Vec<Keys>,
    current: Keys,
    older: Vec<Keys>,
}

/// What tells one secret's keys from another's: 4 bytes, derived one-way from the secret, and
/// safe to show in logs and metrics.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyId([u8; KeyId::LENGTH]);

/// How often a key of the ring has verified a cookie.
///
/// An older key whose count stands still for as long as the longest session lives is out of use, and may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyUsage {
    /// Which key.
    pub id: KeyId,
    /// What it is there for.
    pub role: KeyRole,
    /// The genuine cookies under it that this process has seen since it began to know the key.
    pub cookies_verified: u64,
}

/// What a key of the ring is there for. Every one of them verifies and opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyRole {
    /// Will sign and seal when every instance knows it. Its cookies are left as they are.
    Upcoming,
    /// Signs and seals.
    Current,
    /// Signs and seals no more. A cookie under it is issued anew, and data sealed under it is sealed anew.
    Older,
}

/// A secret of the keyring that may not be used. The position is 0 for the current one, 1 for the
/// first older one, and so on; the upcoming ones come after the last older one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("secret number {position} of the keyring (0 is the current one) is too weak: {weakness}")]
pub struct KeyringProblem {
    /// Which secret it is.
    pub position: usize,
    /// What is wrong with it.
    pub weakness: Weakness,
}

/// `SESSION_SECRET` could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecretVariableError {
    /// The variable is not set, or empty.
    #[error(
        "the environment variable {0} is not set; set it to a secret made with `openssl rand -base64 32`"
    )]
    Missing(String),
    /// The variable holds bytes that are not UTF-8.
    #[error("the environment variable {0} is not UTF-8; write the secret as text, such as base64")]
    NotText(String),
}

/// The keys derived from one secret.
pub(crate) struct Keys {
    id: KeyId,
    cookie: hmac::Key,
    seal: hmac::Key,
    attempts: hmac::Key,
    device: hmac::Key,
    weakness: Option<Weakness>,
    use_so_far: Arc<KeyUse>,
}

/// Goes on where a keyring is replaced by one that has the key, too.
#[derive(Default)]
struct KeyUse {
    cookies_verified: AtomicU64,
    observed: KeyObserved,
}

impl Keyring {
    /// A keyring of one secret.
    #[must_use]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "taking the secret lets it be zeroed here"
    )]
    pub fn new(current: Secret) -> Self {
        static MADE: AtomicU64 = AtomicU64::new(0);

        Self {
            serial: MADE.fetch_add(1, Ordering::Relaxed),
            upcoming: Vec::new(),
            current: Keys::derive(&current),
            older: Vec::new(),
        }
    }

    /// A keyring of the secret in an environment variable: the whole value, or, where it has
    /// commas, the current secret before the first comma and older ones behind.
    ///
    /// # Errors
    /// If the variable is not set, empty, or not UTF-8.
    pub fn from_env(variable: &str) -> Result<Self, SecretVariableError> {
        match std::env::var(variable) {
            Ok(list) => Self::from_list(&Zeroizing::new(list))
                .ok_or_else(|| SecretVariableError::Missing(variable.to_owned())),
            Err(std::env::VarError::NotPresent) => Err(SecretVariableError::Missing(variable.to_owned())),
            Err(std::env::VarError::NotUnicode(_)) => Err(SecretVariableError::NotText(variable.to_owned())),
        }
    }

    fn from_list(list: &str) -> Option<Self> {
        let mut secrets = list
            .split(',')
            .map(str::trim)
            .filter(|secret| !secret.is_empty())
            .map(Secret::new);
        let current = Self::new(secrets.next()?);
        Some(secrets.fold(current, Self::with_older))
    }

    /// This keyring and one more secret that verifies and opens but no longer signs or seals.
    #[must_use]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "taking the secret lets it be zeroed here"
    )]
    pub fn with_older(mut self, older: Secret) -> Self {
        self.older.push(Keys::derive(&older));
        self
    }

    /// This keyring and one more secret that verifies and opens but does not sign or seal yet: the first step of
    /// a rotation. An instance that signs with it already and one that does not then accept each other's cookies.
    ///
    /// ```
    /// use tenure_core::{KeyRole, Keyring, LiveKeyring, Secret};
    ///
    /// let keyring = Keyring::new(Secret::new("Yb0yP2kV9rT4nXwE6uLsJ1dHfCaGzmQ7"))
    ///     .with_upcoming(Secret::new("T4nXwE6uLsJ1dHfCaGzmQ7Yb0yP2kV9r"));
    /// assert_eq!(LiveKeyring::new(keyring).usage()[1].role, KeyRole::Upcoming);
    /// ```
    #[must_use]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "taking the secret lets it be zeroed here"
    )]
    pub fn with_upcoming(mut self, upcoming: Secret) -> Self {
        self.upcoming.push(Keys::derive(&upcoming));
        self
    }

    /// The secrets that may not be used, each with the reason. Empty for a fit keyring.
    #[must_use]
    pub fn problems(&self) -> Vec<KeyringProblem> {
        self.all()
            .enumerate()
            .filter_map(|(position, (keys, _))| {
                Some(KeyringProblem {
                    position,
                    weakness: keys.weakness?,
                })
            })
            .collect()
    }

    /// The id of the key that signs and seals now.
    #[must_use]
    pub fn current_key_id(&self) -> KeyId {
        self.current.id
    }

    pub(crate) fn serial(&self) -> u64 {
        self.serial
    }

    pub(crate) fn current(&self) -> &Keys {
        &self.current
    }

    /// Every secret's keys with this id: almost always one or none, for four bytes can collide.
    pub(crate) fn with_id(&self, id: KeyId) -> impl Iterator<Item = (&Keys, KeyRole)> {
        self.all().filter(move |(keys, _)| keys.id == id)
    }

    pub(crate) fn usage(&self) -> Vec<KeyUsage> {
        self.all()
            .map(|(keys, role)| KeyUsage {
                id: keys.id,
                role,
                cookies_verified: keys.use_so_far.cookies_verified.load(Ordering::Relaxed),
            })
            .collect()
    }

    /// Lets the keys that `before` has, too, go on with its counters.
    pub(crate) fn continue_counting(&mut self, before: &Self) {
        let all = self.older.iter_mut().chain(&mut self.upcoming);
        for keys in all.chain([&mut self.current]) {
            if let Some((same, _)) = before.with_id(keys.id).next() {
                keys.use_so_far = Arc::clone(&same.use_so_far);
            }
        }
    }

    /// Every secret's keys, those of the current one first.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&Keys, KeyRole)> {
        let current = std::iter::once((&self.current, KeyRole::Current));
        let older = self.older.iter().map(|keys| (keys, KeyRole::Older));
        let upcoming = self.upcoming.iter().map(|keys| (keys, KeyRole::Upcoming));
        current.chain(older).chain(upcoming)
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids = |keys: &[Keys]| keys.iter().map(|keys| keys.id).collect::<Vec<_>>();
        f.debug_struct("Keyring")
            .field("upcoming", &ids(&self.upcoming))
            .field("current", &self.current.id)
            .field("older", &ids(&self.older))
            .finish()
    }
}

impl Secret {
    /// The id of the key that signs cookies under this secret: what logs, metrics and operators call it by.
    ///
    /// ```
    /// use tenure_core::{Keyring, Secret};
    ///
    /// let secret = Secret::new("mQ7Yb0yP2kV9rT4nXwE6uLsJ1dHfCaGz");
    /// assert_eq!(secret.key_id(), Keyring::new(secret).current_key_id());
    /// ```
    #[must_use]
    pub fn key_id(&self) -> KeyId {
        Keys::derive(self).id
    }
}

impl Keys {
    fn derive(secret: &Secret) -> Self {
        let root = hkdf::Salt::new(hkdf::HKDF_SHA256, b"tenure 1").extract(secret.expose());
        let cookie = derived_bytes(&root, b"cookie");
        let seal = derived_bytes(&root, b"seal");
        let attempts = derived_bytes(&root, b"attempts");
        let device = derived_bytes(&root, b"device");
        Self {
            id: KeyId::of(&cookie),
            cookie: hmac::Key::new(hmac::HMAC_SHA256, &*cookie),
            seal: hmac::Key::new(hmac::HMAC_SHA256, &*seal),
            attempts: hmac::Key::new(hmac::HMAC_SHA256, &*attempts),
            device: hmac::Key::new(hmac::HMAC_SHA256, &*device),
            weakness: secret.weakness(),
            use_so_far: Arc::default(),
        }
    }

    pub(crate) fn count_cookie(&self) {
        self.use_so_far.cookies_verified.fetch_add(1, Ordering::Relaxed);
        self.use_so_far.observed.cookie_verified(self.id);
    }

    pub(crate) fn id(&self) -> KeyId {
        self.id
    }

    pub(crate) fn cookie(&self) -> &hmac::Key {
        &self.cookie
    }

    pub(crate) fn seal(&self) -> &hmac::Key {
        &self.seal
    }

    /// What names of accounts and addresses become keys of a store under.
    pub(crate) fn attempts(&self) -> &hmac::Key {
        &self.attempts
    }

    /// What vouches for a device that an account was signed in from.
    pub(crate) fn device(&self) -> &hmac::Key {
        &self.device
    }
}

fn derived_bytes(root: &hkdf::Prk, purpose: &[u8]) -> Wiped<32> {
    let mut key = Wiped::zero();
    root.expand(&[purpose], hkdf::HKDF_SHA256)
        .and_then(|output| output.fill(&mut *key))
        .expect("HKDF-SHA256 gives up to 8,160 bytes, and 32 are asked for");
    key
}

impl KeyId {
    pub(crate) const LENGTH: usize = 4;

    fn of(cookie_key: &[u8; 32]) -> Self {
        let mut hash = digest::Context::new(&digest::SHA256);
        hash.update(b"tenure key id");
        hash.update(cookie_key);
        let mut id = [0; Self::LENGTH];
        id.copy_from_slice(&hash.finish().as_ref()[..Self::LENGTH]);
        Self(id)
    }

    pub(crate) fn from_bytes(bytes: [u8; Self::LENGTH]) -> Self {
        Self(bytes)
    }

    pub(crate) fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, f)
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEW: &str = "T4nXwE6uLsJ1dHfCaGzmQ7Yb0yP2kV9r";
    const OLD: &str = "Yb0yP2kV9rT4nXwE6uLsJ1dHfCaGzmQ7";

    #[test]
    fn a_key_id_depends_on_the_secret_alone() {
        let one = Keyring::new(Secret::new(NEW)).current_key_id();
        let same = Keyring::new(Secret::new(NEW))
            .with_older(Secret::new(OLD))
            .current_key_id();
        let other = Keyring::new(Secret::new(OLD)).current_key_id();
        assert_eq!(one, same);
        assert_ne!(one, other);
    }

    #[test]
    fn debug_shows_ids_only() {
        let shown = format!(
            "{:?}",
            Keyring::new(Secret::new(NEW)).with_older(Secret::new(OLD))
        );
        assert!(!shown.contains(NEW) && !shown.contains(OLD), "{shown}");
    }

    #[test]
    fn problems_name_the_position_of_each_weak_secret() {
        let keyring = Keyring::new(Secret::new(NEW)).with_older(Secret::new("short"));
        let problems = keyring.problems();
        assert_eq!(
            problems,
            [KeyringProblem {
                position: 1,
                weakness: Weakness::TooShort { bytes: 5 }
            }]
        );
    }

    #[test]
    fn a_list_has_the_current_secret_first() {
        let keyring = Keyring::from_list(&format!("{NEW}, {OLD}")).unwrap();
        assert_eq!(
            keyring.current_key_id(),
            Keyring::new(Secret::new(NEW)).current_key_id()
        );
        assert_eq!(keyring.older.len(), 1);
        assert!(Keyring::from_list(" , ").is_none());
    }
}
