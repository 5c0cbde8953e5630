//! The statements of a store, prepared by each connection at their first use.

use sqlx::SqlStr;

/// The statements, with what each is given, in order.
#[derive(Clone, Debug)]
pub struct Statements {
    /// Id.
    pub(crate) load: SqlStr,
    /// Now, id, version, bearer, the latest `last_seen_at` from which it is due, now.
    pub(crate) touch: SqlStr,
    /// Id, and all columns after it.
    pub(crate) insert: SqlStr,
    /// All columns after the id, id, version, now.
    pub(crate) update: SqlStr,
    /// Id, now.
    pub(crate) version_of_living: SqlStr,
    /// Id.
    pub(crate) remove: SqlStr,
    /// Owner, now.
    pub(crate) list_by_owner: SqlStr,
    /// Owner, the id that is spared.
    pub(crate) remove_by_owner: SqlStr,
    /// Moment, limit.
    pub(crate) sweep: SqlStr,
    /// Nothing.
    pub(crate) ping: SqlStr,
    /// Nothing.
    pub(crate) read_ledger: SqlStr,
}
