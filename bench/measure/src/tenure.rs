//! The sessions of Tenure that are compared.

use tenure_core::{Environment, Keyring, Policy, Sealing, Secret, Sessions, Store};

/// As in production, but that they may be kept in memory and go over http on the loopback.
///
/// # Errors
/// If they are set up wrongly.
pub fn sessions(sealing: Sealing, store: impl Store) -> anyhow::Result<Sessions> {
    let policy = Policy::default()
        .environment(Environment::Development)
        .sealing(sealing);
    let keyring = Keyring::new(Secret::new("T4nXwE6uLsJ1dHfCaGzmQ7Yb0yP2kV9r"));
    Ok(Sessions::new(policy, keyring, store)?)
}
