//! The MongoDB store of Tenure: [`MongoStore`].
//!
//! ```no_run
//! use tenure_core::{Keyring, Policy, Sessions};
//! use tenure_mongodb::MongoStore;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let store = MongoStore::connect(&std::env::var("MONGODB_URL")?).await?;
//! let sessions = Sessions::new(Policy::default(), Keyring::from_env("SESSION_SECRET")?, store)?;
//! # Ok(())
//! # }
//! ```
//!
//! With the feature `express` there are also the sessions that an Express application keeps with connect-mongo, to be
//! shared: `MongoExpressStore`.
//!
//! # Documents
//!
//! One document a session, in the collection `tenure_sessions`. The metadata is in fields of their own,
//! for an operator to list and to revoke by; the data is one field of opaque bytes:
//!
//! ```js
//! db.tenure_sessions.find({ owner: "user-42" }, { data: 0 }).sort({ last_seen_at: -1 })
//!
//! db.tenure_sessions.deleteMany({ owner: "user-42" })
//! ```
//!
//! | field | type | meaning |
//! | --- | --- | --- |
//! | `_id` | 16 bytes | the session's id, as logs show it in hexadecimal |
//! | `version` | long | one more with each update |
//! | `secret_hash`, `previous_secret_hash` | 32 bytes | SHA-256 of what the browser bears: opens nothing |
//! | `owner` | string | the signed-in user |
//! | `created_at`, `signed_in_at`, `last_seen_at`, `absolute_deadline` | long | milliseconds since the Unix epoch |
//! | `idle_timeout` | long | milliseconds |
//! | `expires_at` | date | the earlier of both deadlines |
//! | `lifetime` | string | `standard` or `remembered` |
//! | `user_agent`, `address` | string | the device |
//! | `lineage` | at most 115 bytes | how far a periodic renewal of the secret has come, and when the owner last proved who they are |
//! | `data` | bytes | sealed, unless the policy says otherwise |
//!
//! What a session lacks, its document lacks. A session ends with the year 9999 at the latest: many a
//! program can't read a later `expires_at`.
//!
//! # Indexes
//!
//! [`connect`](MongoStore::connect) creates them where they are missing, and the collection with them:
//!
//! - on `expires_at`, with `expireAfterSeconds: 3600`: the server removes a session an hour after its end,
//!   so that whoever comes back late is told that it has expired. It opens nothing meanwhile, for each
//!   load and each write looks at the deadlines.
//! - on `owner`, sparse: to list a user's sessions and to sign them out everywhere.
//!
//! The user in the URL needs the role `readWrite` on the database, and no more.
//!
//! # What it was tested against
//!
//! SecantusDB 0.7.0b3, a server of MongoDB 8's protocol over WiredTiger, through the official driver 3.9:
//! the contract of a store, commands per operation by the server's own counters, the removal of expired
//! documents, use of the owner's index, several processes at once, a server that is killed and started
//! again with writes under way, one that hangs, connections that are cut in mid-command, refused passwords
//! and missing rights, and TLS.
//!
//! No package that the tests could install carries MongoDB's own server, so none of it was run against
//! that, nor against a replica set of several members: what is said here of majorities and failover follows
//! from MongoDB's and the driver's documentation. The commands need MongoDB 4.2 or later.

#![cfg_attr(not(test), warn(clippy::unwrap_used))]

mod attempts;
mod command;
mod connect_error;
mod document;
#[cfg(feature = "express")]
mod express;
mod failure;
mod options;
mod store;

pub use connect_error::ConnectError;
#[cfg(feature = "express")]
pub use express::{ConnectMongo, MongoExpressStore};
pub use failure::Failure;
pub use options::MongoOptions;
pub use store::MongoStore;

const NAME: &str = "mongodb";
