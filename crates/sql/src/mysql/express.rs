//! The layout of express-mysql-session.

use std::time::Duration;

use sqlx::Row as _;
use sqlx::mysql::MySqlRow;
use tenure_core::Timestamp;
use tenure_core::express::ExpressExpiry;

use super::MySql;
use crate::row::Value;
use crate::server::{ExpressDialect, ExpressServerStore, ExpressStatements};

/// Sessions that an Express application keeps in MySQL or MariaDB with express-mysql-session.
pub type MySqlExpressStore = ExpressServerStore<MySql>;

/// How [express-mysql-session](https://www.npmjs.com/package/express-mysql-session) keeps sessions: what its options are
/// in the Express application.
///
/// A session is a row of the table `sessions`: `session_id`, its JSON in `data`, and its end in `expires`, in whole
/// seconds since the Unix epoch, rounded to the nearest.
///
/// ```no_run
/// use tenure_core::express::{CookieSecrets, ExpressSessions};
/// use tenure_sql::mysql::{ExpressMySqlSession, MySqlStore};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let options = MySqlStore::options("mysql://app:password@localhost/app");
/// let store = options.connect_express(ExpressMySqlSession::default()).await?;
/// let secrets = CookieSecrets::new(std::env::var("SESSION_SECRET")?);
/// let sessions = ExpressSessions::builder(secrets, store).build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "it says nothing by itself; give it to MySqlOptions::connect_express"]
pub struct ExpressMySqlSession {
    table: String,
    session_id: String,
    expires: String,
    data: String,
    time_to_live: Duration,
    creates_table: bool,
}

impl Default for ExpressMySqlSession {
    fn default() -> Self {
        Self {
            table: "sessions".to_owned(),
            session_id: "session_id".to_owned(),
            expires: "expires".to_owned(),
            data: "data".to_owned(),
            time_to_live: Duration::from_secs(86_400),
            creates_table: false,
        }
    }
}

impl ExpressMySqlSession {
    /// The table: `schema.tableName` in express-mysql-session.
    ///
    /// *Default*: `sessions`, as there.
    pub fn table(mut self, name: impl Into<String>) -> Self {
        self.table = name.into();
        self
    }

    /// The columns of the id, the end and the JSON: `schema.columnNames` in express-mysql-session.
    ///
    /// *Default*: `session_id`, `expires` and `data`, as there.
    pub fn columns(
        mut self,
        session_id: impl Into<String>,
        expires: impl Into<String>,
        data: impl Into<String>,
    ) -> Self {
        self.session_id = session_id.into();
        self.expires = expires.into();
        self.data = data.into();
        self
    }

    /// How long a session without `expires` lives since its last use: `expiration` in express-mysql-session.
    ///
    /// *Default*: a day, as there.
    pub fn time_to_live(mut self, time_to_live: Duration) -> Self {
        self.time_to_live = time_to_live;
        self
    }

    /// Whether the table is created where it is missing: `createDatabaseTable` in express-mysql-session.
    ///
    /// *Default*: no; there it is yes. *Reason*: a misspelled name is found at the start.
    pub fn create_table_if_missing(mut self, create: bool) -> Self {
        self.creates_table = create;
        self
    }
}

impl ExpressDialect for MySql {
    type Layout = ExpressMySqlSession;

    const QUESTION: Option<&'static str> = None;

    fn statements(
        schema: Option<&str>,
        layout: &ExpressMySqlSession,
        _: Option<String>,
    ) -> ExpressStatements {
        let table = Self::table(schema, layout);
        let [id, expires, data] =
            [&layout.session_id, &layout.expires, &layout.data].map(|name| quoted(name));
        // Byte for byte, whatever the column's own collation is.
        let text = format!("CONVERT({data} USING utf8mb4)");
        let content = format!("CAST({text} AS BINARY)");
        ExpressStatements {
            look: format!("SELECT {id}, {text}, {expires} FROM {table} LIMIT 0"),
            load: format!("SELECT {text} FROM {table} WHERE {id} = ? AND {expires} >= ?"),
            insert: format!("INSERT INTO {table} ({id}, {data}, {expires}) VALUES (?, ?, ?)"),
            replace: format!(
                "UPDATE {table} SET {data} = ?, {expires} = ? WHERE {id} = ? AND {content} = ? AND {expires} >= ?"
            ),
            touch: format!("UPDATE {table} SET {expires} = ? WHERE {id} = ? AND {expires} >= ?"),
            remove: format!("DELETE FROM {table} WHERE {id} = ?"),
            remove_unchanged: format!(
                "DELETE FROM {table} WHERE {id} = ? AND {content} = ? AND {expires} >= ?"
            ),
            prune: format!("DELETE FROM {table} WHERE {expires} < ?"),
        }
    }

    fn table(_: Option<&str>, layout: &ExpressMySqlSession) -> String {
        quoted(&layout.table)
    }

    fn create(schema: Option<&str>, layout: &ExpressMySqlSession) -> Option<String> {
        let table = Self::table(schema, layout);
        let [id, expires, data] =
            [&layout.session_id, &layout.expires, &layout.data].map(|name| quoted(name));
        layout.creates_table.then(|| {
            format!(
                "CREATE TABLE IF NOT EXISTS {table} (
    {id} varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    {expires} int unsigned NOT NULL,
    {data} mediumtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    PRIMARY KEY ({id})
) ENGINE=InnoDB"
            )
        })
    }

    fn end(layout: &ExpressMySqlSession, expiry: ExpressExpiry) -> i64 {
        rounded(expiry.or_after(layout.time_to_live))
    }

    fn now(now: Timestamp) -> i64 {
        rounded(now)
    }

    fn content(json: &str) -> Value<'_> {
        Value::Bytes(Some(json.as_bytes().into()))
    }

    fn text(row: &MySqlRow) -> Result<Option<String>, sqlx::Error> {
        row.try_get(0)
    }
}

/// The nearest whole second, as express-mysql-session has it, and none that the column can't hold.
fn rounded(moment: Timestamp) -> i64 {
    let seconds = moment.as_millis().saturating_add(500) / 1_000;
    u32::try_from(seconds).unwrap_or(u32::MAX).into()
}

fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_no_more_than_names() {
        let layout = ExpressMySqlSession::default()
            .table("a`; DROP TABLE b; -- ")
            .columns("i`d", "e", "d");
        let statements = MySql::statements(None, &layout, None);
        assert_eq!(
            statements.load,
            "SELECT CONVERT(`d` USING utf8mb4) FROM `a``; DROP TABLE b; -- ` WHERE `i``d` = ? AND `e` >= ?"
        );
    }

    #[test]
    fn a_session_ends_with_the_nearest_whole_second() {
        for (millis, seconds) in [(5_499, 5), (5_500, 6), (u64::MAX, 4_294_967_295)] {
            assert_eq!(rounded(Timestamp::from_millis(millis)), seconds);
        }
    }
}
