//! Tokens against forged requests.

mod form;
mod read_form;
mod token;

pub use form::{CsrfForm, CsrfFormRejection};
pub use token::CsrfToken;

pub(crate) use read_form::read_form;
