//! The layout of connect-pg-simple.

use std::time::Duration;

use sqlx::Row as _;
use sqlx::postgres::PgRow;
use tenure_core::Timestamp;
use tenure_core::express::ExpressExpiry;

use super::Postgres;
use crate::row::Value;
use crate::server::{ExpressDialect, ExpressServerStore, ExpressStatements};

/// Sessions that an Express application keeps in PostgreSQL with connect-pg-simple.
pub type PostgresExpressStore = ExpressServerStore<Postgres>;

/// How [connect-pg-simple](https://www.npmjs.com/package/connect-pg-simple) keeps sessions: what its options are in the
/// Express application. Its `schemaName` is [`schema`](super::PostgresOptions::schema) of the connection's options.
///
/// A session is a row of the table `session`, with its JSON in the column `sess`, of the type json or jsonb, and its end in
/// `expire`.
///
/// ```no_run
/// use tenure_core::express::{CookieSecrets, ExpressSessions};
/// use tenure_sql::postgres::{ConnectPgSimple, PostgresStore};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let options = PostgresStore::options("postgres://app:password@localhost/app");
/// let store = options.connect_express(ConnectPgSimple::default()).await?;
/// let secrets = CookieSecrets::new(std::env::var("SESSION_SECRET")?);
/// let sessions = ExpressSessions::builder(secrets, store).build()?;
/// # Ok(())
/// # }
/// ```
///
/// # The time zone
///
/// The column `expire` has no time zone: it is in the one that the server gives the Express application's connections,
/// and so this store has to know it. It asks the server for the setting `timezone` of its own user and database, which
/// should be the Express application's; where they have none, it takes `log_timezone`, which a new server sets to the
/// same zone as its `timezone`. If these differ, or the Express application sets a zone of its own, say which one by
/// [`time_zone`](Self::time_zone), or sessions end hours too soon or too late.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "it says nothing by itself; give it to PostgresOptions::connect_express"]
pub struct ConnectPgSimple {
    table: String,
    time_to_live: Duration,
    time_zone: Option<String>,
    creates_table: bool,
}

impl Default for ConnectPgSimple {
    fn default() -> Self {
        Self {
            table: "session".to_owned(),
            time_to_live: Duration::from_secs(86_400),
            time_zone: None,
            creates_table: false,
        }
    }
}

impl ConnectPgSimple {
    /// The table: `tableName` in connect-pg-simple.
    ///
    /// *Default*: `session`, as there.
    pub fn table(mut self, name: impl Into<String>) -> Self {
        self.table = name.into();
        self
    }

    /// How long a session without `expires` lives since its last use: `ttl` in connect-pg-simple.
    ///
    /// *Default*: a day, as there.
    pub fn time_to_live(mut self, time_to_live: Duration) -> Self {
        self.time_to_live = time_to_live;
        self
    }

    /// The time zone of the column `expire`, such as `Europe/Berlin`.
    ///
    /// *Default*: what the server says; see [above](Self#the-time-zone).
    pub fn time_zone(mut self, name: impl Into<String>) -> Self {
        self.time_zone = Some(name.into());
        self
    }

    /// Whether the table is created where it is missing: `createTableIfMissing` in connect-pg-simple.
    ///
    /// *Default*: no, as there. *Reason*: a misspelled name is found at the start.
    pub fn create_table_if_missing(mut self, create: bool) -> Self {
        self.creates_table = create;
        self
    }
}

/// The more it is about this connection, the more a setting counts.
const TIME_ZONE: &str = "SELECT coalesce((\
     SELECT split_part(setting, '=', 2) FROM pg_catalog.pg_db_role_setting, unnest(setconfig) AS setting \
     WHERE lower(split_part(setting, '=', 1)) = 'timezone' \
     AND setdatabase IN (0, (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())) \
     AND setrole IN (0, (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = session_user)) \
     ORDER BY (setrole <> 0) DESC, (setdatabase <> 0) DESC LIMIT 1\
     ), current_setting('log_timezone'))";

impl ExpressDialect for Postgres {
    type Layout = ConnectPgSimple;

    const QUESTION: Option<&'static str> = Some(TIME_ZONE);

    fn statements(
        schema: Option<&str>,
        layout: &ConnectPgSimple,
        time_zone: Option<String>,
    ) -> ExpressStatements {
        let table = Self::table(schema, layout);
        let zone = layout.time_zone.clone().or(time_zone);
        let zone = literal(zone.as_deref().unwrap_or("UTC"));
        let end = |number| format!("to_timestamp(${number}::bigint) AT TIME ZONE {zone}");
        let now = |number| format!("to_timestamp(${number}::bigint / 1000.0) AT TIME ZONE {zone}");
        ExpressStatements {
            look: format!(
                "SELECT (SELECT count(*) FROM (SELECT sid, sess::text, expire FROM {table} LIMIT 1) AS one), \
                 now() AT TIME ZONE {zone}"
            ),
            load: format!(
                "SELECT sess::text FROM {table} WHERE sid = $1 AND expire >= {}",
                now(2)
            ),
            insert: format!(
                "INSERT INTO {table} (sid, sess, expire) VALUES ($1, $2::json, {}) ON CONFLICT (sid) DO NOTHING",
                end(3)
            ),
            replace: format!(
                "UPDATE {table} SET sess = $1::json, expire = {} \
                 WHERE sid = $3 AND sess::text = $4 AND expire >= {}",
                end(2),
                now(5)
            ),
            touch: format!(
                "UPDATE {table} SET expire = {} WHERE sid = $2 AND expire >= {}",
                end(1),
                now(3)
            ),
            remove: format!("DELETE FROM {table} WHERE sid = $1"),
            remove_unchanged: format!(
                "DELETE FROM {table} WHERE sid = $1 AND sess::text = $2 AND expire >= {}",
                now(3)
            ),
            prune: format!("DELETE FROM {table} WHERE expire < {}", now(1)),
        }
    }

    fn table(schema: Option<&str>, layout: &ConnectPgSimple) -> String {
        match schema {
            Some(schema) => format!("{}.{}", quoted(schema), quoted(&layout.table)),
            None => quoted(&layout.table),
        }
    }

    fn create(schema: Option<&str>, layout: &ConnectPgSimple) -> Option<String> {
        let table = Self::table(schema, layout);
        let key = quoted(&format!("{}_pkey", layout.table));
        let index = quoted(&format!("IDX_{}_expire", layout.table));
        layout.creates_table.then(|| {
            format!(
                "CREATE TABLE {table} (
    \"sid\" varchar NOT NULL COLLATE \"default\",
    \"sess\" json NOT NULL,
    \"expire\" timestamp(6) NOT NULL,
    CONSTRAINT {key} PRIMARY KEY (\"sid\")
);
CREATE INDEX {index} ON {table} (\"expire\");"
            )
        })
    }

    /// The next whole second, as connect-pg-simple has it, and none after the year 9999.
    fn end(layout: &ConnectPgSimple, expiry: ExpressExpiry) -> i64 {
        let seconds = expiry.or_after(layout.time_to_live).as_millis().div_ceil(1_000);
        i64::try_from(seconds).unwrap_or(LAST_SECOND).min(LAST_SECOND)
    }

    fn now(now: Timestamp) -> i64 {
        i64::try_from(now.as_millis())
            .unwrap_or(i64::MAX)
            .min(LAST_SECOND * 1_000)
    }

    fn content(json: &str) -> Value<'_> {
        Value::Text(Some(json.into()))
    }

    fn text(row: &PgRow) -> Result<Option<String>, sqlx::Error> {
        row.try_get(0)
    }
}

const LAST_SECOND: i64 = 253_402_300_799;

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_no_more_than_names() {
        let layout = ConnectPgSimple::default()
            .table("a\"; DROP TABLE b; --")
            .time_zone("UTC'; DROP TABLE c; --");
        let statements = Postgres::statements(Some("s\"s"), &layout, None);
        assert_eq!(
            statements.load,
            "SELECT sess::text FROM \"s\"\"s\".\"a\"\"; DROP TABLE b; --\" WHERE sid = $1 AND expire >= \
             to_timestamp($2::bigint / 1000.0) AT TIME ZONE 'UTC''; DROP TABLE c; --'"
        );
    }

    #[test]
    fn a_session_ends_with_the_next_whole_second() {
        let end = |millis| {
            let expiry = ExpressExpiry {
                now: Timestamp::from_millis(0),
                ends_at: Some(Timestamp::from_millis(millis)),
            };
            Postgres::end(&ConnectPgSimple::default(), expiry)
        };
        assert_eq!(end(5_000), 5);
        assert_eq!(end(5_001), 6);
        assert_eq!(end(u64::MAX), LAST_SECOND);
    }
}
