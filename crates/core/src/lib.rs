//! The engine of Tenure: sessions for web applications that are secure by default, without any web
//! framework or database.
//!
//! Most applications use the `tenure` crate, which has the doors into web frameworks and the stores
//! beside this engine. See [`Sessions`] for how to drive it by hand.

#![cfg_attr(not(test), warn(clippy::unwrap_used))]

mod administration;
mod arrival;
mod assurance;
mod base64url;
mod bearer;
mod changes;
mod clear_site_data;
mod client;
mod client_network;
mod clock;
mod commit;
mod cookie_attributes;
mod cookie_header;
mod csrf;
mod data;
mod data_error;
mod deadline;
mod device;
mod engine;
mod environment;
mod event;
mod event_queue;
mod events;
mod eviction;
#[cfg(feature = "express")]
pub mod express;
mod forwarded;
mod genuine_cookie;
mod guess_limit;
mod guessing;
mod hex;
mod key;
mod keyring;
mod known_device;
mod lineage;
#[cfg(test)]
mod lineage_model;
mod live_keyring;
mod login_attempt;
mod login_limit;
mod login_subject;
mod login_tally;
mod login_throttle;
mod next_record;
mod observed;
mod opened;
mod outgoing;
mod owner;
mod owner_sessions;
mod policy;
mod random;
mod record;
mod seal;
mod secret;
mod session;
mod session_failure;
mod session_id;
mod session_json;
mod session_limit;
mod sessions;
mod set_cookie;
mod setup_error;
mod state;
mod status_report;
pub mod store;
mod sweeper;
mod token;
mod too_many_guesses;
mod trust_proxy;
mod upkeep;
mod upkeep_commit;
mod verified_cookies;
mod visit;
mod wiped;

pub use administration::{Administration, SessionDetails, SessionPage};
pub use assurance::{AssuranceLevel, PROVE_AGAIN};
pub use clear_site_data::CLEAR_SITE_DATA;
pub use client::{Client, Scheme};
pub use clock::{Clock, ManualClock, SystemClock, Timestamp};
pub use commit::{CommitError, Saved};
pub use cookie_attributes::{CookieLifetime, SameSite};
pub use csrf::{
    CsrfDemand, CsrfRefusal, CsrfRequest, CsrfToken, CsrfTokens, FormCsrfField, FormProgress, OriginCheck,
    is_same_origin,
};
pub use data_error::{DataError, JsonFault};
pub use device::Device;
pub use environment::Environment;
pub use event::{Dropped, Event, EventKind, GuessedCookie, Listener, Refusal};
pub use guess_limit::GuessLimit;
pub use key::Key;
pub use keyring::{KeyId, KeyRole, KeyUsage, Keyring, KeyringProblem, SecretVariableError};
pub use known_device::KnownDevice;
pub use lineage::Lineage;
pub use live_keyring::{KeyringRefused, LiveKeyring, WeakLiveKeyring};
pub use login_attempt::{AllowedAttempt, Attempt, RefusedAttempt};
pub use login_limit::LoginLimit;
pub use login_subject::LoginSubject;
pub use login_throttle::LoginThrottle;
pub use opened::Opened;
pub use outgoing::Outgoing;
pub use owner::{Owner, OwnerError};
pub use owner_sessions::{OwnerSessions, SessionInfo};
pub use policy::Policy;
pub use random::RandomError;
pub use record::{Deadlines, Expiry, Lifetime, Record};
pub use seal::Sealing;
pub use secret::{Secret, Weakness};
pub use session::{Session, Status};
pub use session_failure::SessionFailure;
pub use session_id::{SessionId, SessionIdError};
pub use session_json::Replacement;
pub use session_limit::SessionLimit;
pub use sessions::{Sessions, SessionsBuilder};
pub use setup_error::{Problem, SetupError};
pub use state::Absence;
pub use status_report::{NoSession, ReportedSession, StatusReport};
#[cfg(feature = "memory")]
pub use store::memory::MemoryStore;
pub use store::{Store, StoreError};
pub use sweeper::Sweeper;
pub use token::SecretHash;
pub use too_many_guesses::TooManyGuesses;
pub use trust_proxy::{ProxyHeaders, TrustProxy};
pub use visit::LoadError;
