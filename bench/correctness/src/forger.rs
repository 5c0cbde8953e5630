//! Somebody who has the secret that the application signs, or encrypts, its cookies with.

mod cookie_jar;
mod tenure;

use serde::{Deserialize, Serialize};

pub use cookie_jar::CookieJarForger;
pub use tenure::TenureForger;

/// What such a one makes.
#[derive(Debug, Serialize, Deserialize)]
pub struct Forgery {
    /// A genuine cookie, taken apart and made anew: it is accepted, or the forger does not know the library's way.
    pub remade: String,
    /// What could open a session of the stolen store.
    pub forged: Vec<String>,
}

/// Makes cookies in a library's way.
pub trait Forger: Send + Sync {
    /// # Errors
    /// If the cookie is not of its library.
    fn forge(&self, genuine: &str, dump: &[String]) -> anyhow::Result<Forgery>;
}
