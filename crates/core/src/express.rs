//! Sessions that a Rust service and an Express application share, live: [`ExpressSessions`], and the formats that they
//! are made of.
//!
//! The formats are what express-session 1.19 and cookie-signature 1.0 write and accept, byte for byte: the signed
//! cookie, the session id, and the record as JSON. They are weaker than the native ones: the id in the
//! cookie is the key in the store as well, so whoever reads the store can sign in as anybody. They are for moving
//! one service at a time, and for the npm package `tenure-express`.
//!
//! A database in the layout of connect-redis, connect-pg-simple, connect-mongo or express-mysql-session is an
//! [`ExpressStore`]; the crates of the stores have them.
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

mod builder;
mod commit;
mod cookie;
mod cookie_secrets;
mod engine;
#[cfg(feature = "memory")]
mod memory;
mod opened;
mod record;
mod record_cookie;
mod session;
mod sessions;
mod set_cookie;
mod sid;
mod sid_cookie;
mod store;
mod visit;

pub use builder::{ExpressConfigError, ExpressSessionsBuilder};
pub use cookie::{CookiePriority, ExpressCookie};
pub use cookie_secrets::CookieSecrets;
#[cfg(feature = "memory")]
pub use memory::MemoryExpressStore;
pub use opened::ExpressOpened;
pub use record::{RecordError, SessionRecord};
pub use record_cookie::RecordCookie;
pub use session::ExpressSession;
pub use sessions::ExpressSessions;
pub use sid::new_sid;
pub use sid_cookie::SidCookie;
pub use store::{ExpressExpiry, ExpressStore, Replaced};
