//! The token in a form, found while the form is read.

use napi_derive::napi;
use tenure::{FormCsrfField, FormProgress};

/// The search for the token in a form's body.
#[napi]
pub struct CsrfForm {
    field: FormCsrfField,
}

impl CsrfForm {
    pub(super) fn new(field: FormCsrfField) -> Self {
        Self { field }
    }

    pub(super) fn token(&self) -> Option<&[u8]> {
        self.field.value()
    }
}

#[napi]
impl CsrfForm {
    /// Reads on. Tells whether more is needed.
    #[napi]
    pub fn needs_more_after(&mut self, chunk: &[u8]) -> bool {
        self.field.read(chunk) == FormProgress::ReadOn
    }

    /// The body is at its end.
    #[napi]
    pub fn end(&mut self) {
        self.field.end();
    }
}
