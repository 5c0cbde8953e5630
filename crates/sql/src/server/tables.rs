//! The names of the tables.

use sqlx::AssertSqlSafe;
use sqlx::{SqlSafeStr, SqlStr};

/// What each name in the statements and migrations begins with, until another prefix takes its place.
const PREFIX: &str = "tenure_";

/// The longest prefix, so that the longest name with it is one that every server takes.
const MAX_PREFIX_BYTES: usize = 32;

/// The longest schema, as PostgreSQL has it.
const MAX_SCHEMA_BYTES: usize = 63;

/// Where the tables are, and what their names begin with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tables {
    schema: Option<String>,
    prefix: Option<String>,
}

impl Tables {
    /// None if one of the names is none that needs no quotes.
    pub(crate) fn new(schema: Option<&str>, prefix: Option<&str>) -> Option<Self> {
        let fits = |name: &str, longest| is_plain(name) && name.len() <= longest;
        let names_fit = schema.is_none_or(|name| fits(name, MAX_SCHEMA_BYTES))
            && prefix.is_none_or(|name| fits(name, MAX_PREFIX_BYTES));
        names_fit.then(|| Self {
            schema: schema.map(str::to_owned),
            prefix: prefix.map(str::to_owned),
        })
    }

    /// A statement on the tables of this name, from one on `tenure_sessions` or `tenure_migrations`.
    pub(crate) fn statement(&self, template: &str) -> SqlStr {
        let prefix = self.prefix.as_deref().unwrap_or(PREFIX);
        // Both are plain names: nothing in them ends a name or begins anything else.
        let name = match &self.schema {
            Some(schema) => format!("\"{schema}\".{prefix}"),
            None => prefix.to_owned(),
        };
        AssertSqlSafe(template.replace(PREFIX, &name)).into_sql_str()
    }

    /// The statements of a migration. They name no schema: that is the one where new tables go.
    pub(crate) fn migration(&self, template: &str) -> String {
        match &self.prefix {
            Some(prefix) => template.replace(PREFIX, prefix),
            None => template.to_owned(),
        }
    }

    pub(crate) fn schema(&self) -> Option<&str> {
        self.schema.as_deref()
    }
}

/// Lower-case letters, digits and underscores, and no digit first: every server takes it without quotes, and takes
/// it for the same name with them.
fn is_plain(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    !name.is_empty() && !name.as_bytes()[0].is_ascii_digit() && name.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_about_the_tables_that_were_chosen() {
        let statement = |schema, prefix| {
            Tables::new(schema, prefix)
                .unwrap()
                .statement("DELETE FROM tenure_sessions")
        };
        assert_eq!(statement(None, None).as_str(), "DELETE FROM tenure_sessions");
        assert_eq!(
            statement(None, Some("shop_")).as_str(),
            "DELETE FROM shop_sessions"
        );
        assert_eq!(
            statement(Some("auth"), Some("shop_")).as_str(),
            "DELETE FROM \"auth\".shop_sessions"
        );
    }

    #[test]
    fn a_name_that_is_more_than_a_name_is_refused() {
        for name in [
            "",
            "1st",
            "a b",
            "a\"b",
            "a;DROP TABLE x",
            "Ünï",
            "Upper",
            "a.b",
            "a`",
            &"a".repeat(64),
        ] {
            assert_eq!(Tables::new(Some(name), None), None, "{name}");
            assert_eq!(Tables::new(None, Some(name)), None, "{name}");
        }
    }
}
