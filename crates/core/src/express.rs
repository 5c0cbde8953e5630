//! The formats of express-session, so that a Rust service and an Express application can share live sessions.
//!
//! What is here is what express-session 1.19 and cookie-signature 1.0 write and accept, byte for byte: the signed
//! cookie, the session id, and the record as JSON. It is weaker than the native format: the id in the
//! cookie is the key in the store as well, so whoever reads the store can sign in as anybody. It is for moving
//! one service at a time, and for the npm package `tenure-express`.
//!
//! ```
//! use tenure_core::express::{CookieSecrets, SidCookie, new_sid};
//!
//! let secrets = CookieSecrets::new("this year's secret").with_older("last year's secret");
//! let sid = new_sid()?;
//! let header = format!("theme=dark; connect.sid={}", secrets.cookie_value(&sid));
//! assert_eq!(SidCookie::read(&header, "connect.sid", &secrets), SidCookie::Genuine(sid));
//! # Ok::<(), tenure_core::RandomError>(())
//! ```

mod cookie_secrets;
mod record;
mod record_cookie;
mod sid;
mod sid_cookie;

pub use cookie_secrets::CookieSecrets;
pub use record::{RecordError, SessionRecord};
pub use record_cookie::RecordCookie;
pub use sid::new_sid;
pub use sid_cookie::SidCookie;
