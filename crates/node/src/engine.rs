//! The engine: sessions with timeouts, sealed data and revocation, for applications on Node.

pub mod csrf_form;
pub mod event;
pub mod failure;
pub mod manager;
pub mod options;
pub mod owner_sessions;
pub mod request_head;
pub mod secrets;
pub mod session_info;
pub mod store;
pub mod visit;
pub mod wording;
