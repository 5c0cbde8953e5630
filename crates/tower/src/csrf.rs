//! Tokens against forgeries, for axum: in pages, in forms, and in bodies that are on their way to a handler.

mod form;
mod read_form;
mod token;

pub use form::{CsrfForm, CsrfFormRejection};
pub use token::CsrfToken;

pub(crate) use read_form::read_form;
