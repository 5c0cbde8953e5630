//! The engine: sessions with timeouts, sealed data and revocation, for applications on Node.

mod csrf_form;
mod event;
mod failure;
mod manager;
mod options;
mod owner_sessions;
mod request_head;
mod secrets;
mod session_info;
mod store;
mod visit;
mod wording;
