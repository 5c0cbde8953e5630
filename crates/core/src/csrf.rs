//! Cross-site request forgery: another site has the user's browser send a request, and the browser adds the cookie.
//!
//! Two locks. The first one asks the browser where a request comes from, and is on by default. The second one is a token
//! that only a page of the application can know.

mod exemption;
mod form_field;
mod origin;
mod origin_check;
mod refusal;
mod request;
mod rules;
mod same_origin;
mod token;
mod token_check;

pub use form_field::{FormCsrfField, FormProgress};
pub use refusal::CsrfRefusal;
pub use request::CsrfRequest;
pub use rules::{CsrfTokens, OriginCheck};
pub use same_origin::is_same_origin;
pub use token::CsrfToken;
pub use token_check::CsrfDemand;

pub(crate) use exemption::is_exemption;
pub(crate) use origin::{Origin, Protocol};
pub(crate) use rules::CsrfRules;
