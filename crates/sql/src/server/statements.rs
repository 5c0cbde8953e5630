//! The statements of a store, prepared by each connection at their first use.

use sqlx::SqlStr;

use super::Tables;

/// The statements, with what each is given, in order: as a kind of server speaks them, or on the tables of a store.
#[derive(Clone, Debug)]
pub struct Statements<S = SqlStr> {
    /// Id.
    pub(crate) load: S,
    /// Now, id, version, bearer, the latest `last_seen_at` from which it is due, now.
    pub(crate) touch: S,
    /// Id, and all columns after it.
    pub(crate) insert: S,
    /// All columns after the id, id, version, now.
    pub(crate) update: S,
    /// Id, now.
    pub(crate) version_of_living: S,
    /// Id.
    pub(crate) remove: S,
    /// Owner, now.
    pub(crate) list_by_owner: S,
    /// Owner, the id that is spared.
    pub(crate) remove_by_owner: S,
    /// Moment, limit.
    pub(crate) sweep: S,
    /// The id that the page begins behind, limit.
    pub(crate) page: S,
    /// Now.
    pub(crate) count_living: S,
    /// Key.
    pub(crate) load_attempts: S,
    /// All columns but the key, key.
    pub(crate) insert_attempts: S,
    /// All columns but the key, key, now.
    pub(crate) replace_expired_attempts: S,
    /// All columns but the key, key, version.
    pub(crate) replace_attempts: S,
    /// Key.
    pub(crate) remove_attempts: S,
    /// Moment, limit.
    pub(crate) sweep_attempts: S,
    /// Nothing.
    pub(crate) ping: S,
    /// Nothing.
    pub(crate) read_ledger: S,
}

impl Statements<&'static str> {
    pub(super) fn on(&self, tables: &Tables) -> Statements {
        Statements {
            load: tables.statement(self.load),
            touch: tables.statement(self.touch),
            insert: tables.statement(self.insert),
            update: tables.statement(self.update),
            version_of_living: tables.statement(self.version_of_living),
            remove: tables.statement(self.remove),
            list_by_owner: tables.statement(self.list_by_owner),
            remove_by_owner: tables.statement(self.remove_by_owner),
            sweep: tables.statement(self.sweep),
            page: tables.statement(self.page),
            count_living: tables.statement(self.count_living),
            load_attempts: tables.statement(self.load_attempts),
            insert_attempts: tables.statement(self.insert_attempts),
            replace_expired_attempts: tables.statement(self.replace_expired_attempts),
            replace_attempts: tables.statement(self.replace_attempts),
            remove_attempts: tables.statement(self.remove_attempts),
            sweep_attempts: tables.statement(self.sweep_attempts),
            ping: tables.statement(self.ping),
            read_ledger: tables.statement(self.read_ledger),
        }
    }
}

/// No row, but the table has to be there, and reading it allowed.
pub(crate) const PING: &str = "SELECT id FROM tenure_sessions LIMIT 0";

pub(crate) const READ_LEDGER: &str = "SELECT version, name FROM tenure_migrations ORDER BY version";
