//! PROVISIONAL
use crate::record::Record;
/// p
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor(Box<[u8]>);
impl Cursor {
    /// p
    #[must_use]
    pub fn from_bytes(bytes: impl Into<Box<[u8]>>) -> Self {
        Self(bytes.into())
    }
    /// p
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}
/// p
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// p
    pub records: Vec<Record>,
    /// p
    pub next: Option<Cursor>,
}
