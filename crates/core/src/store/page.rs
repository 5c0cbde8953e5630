//! A walk over all sessions, page by page.

use crate::record::Record;

/// Some of all sessions, in an order of the store's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Live and expired ones, without their data. There may be none although there is a next page.
    pub records: Vec<Record>,
    /// Where the next page begins, if there is one.
    pub next: Option<Cursor>,
}

/// Where a page ended. Only the store that made it knows what the bytes mean; they name no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor(Box<[u8]>);

impl Cursor {
    /// A cursor of the store that calls this.
    #[must_use]
    pub fn from_bytes(bytes: impl Into<Box<[u8]>>) -> Self {
        Self(bytes.into())
    }

    /// What the store made it of.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}
