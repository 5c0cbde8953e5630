//! The steps that bring a database's schema up to date.

use crate::OpenError;

/// One step of a store's schema: SQL that is run once on each database, in order of `version`.
///
/// They are applied when a store is opened, and recorded in the table `tenure_migrations`. They are
/// Tenure's own, so they never collide with the migrations of the application.
#[cfg_attr(
    feature = "sqlite",
    doc = r#"
```
use tenure_sql::sqlite::SqliteStore;

for migration in SqliteStore::migrations() {
    println!("-- {} {}\n{}", migration.version, migration.name, migration.sql);
}
```"#
)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Migration {
    /// Its place in the order, from 1 and without gaps.
    pub version: u32,
    /// What it is about.
    pub name: &'static str,
    /// The statements.
    pub sql: &'static str,
}

/// A migration that a database says it has.
#[allow(
    unreachable_pub,
    reason = "the trait of the servers shows it, where there is one"
)]
pub struct Applied {
    pub(crate) version: i64,
    pub(crate) name: String,
}

/// Those of `known` that a database with `applied` still lacks.
pub(crate) fn pending<'a>(
    known: &'a [Migration],
    applied: &[Applied],
    database: &str,
) -> Result<&'a [Migration], OpenError> {
    let newest_known = i64::try_from(known.len()).unwrap_or(i64::MAX);
    let newest_applied = applied.iter().map(|applied| applied.version).max().unwrap_or(0);
    if newest_applied > newest_known {
        return Err(OpenError::NewerSchema {
            database: database.to_owned(),
            found: newest_applied,
            known: newest_known,
        });
    }
    let is_ours = |(known, applied): (&Migration, &Applied)| {
        i64::from(known.version) == applied.version && known.name == applied.name
    };
    if applied.len() > known.len() || !known.iter().zip(applied).all(is_ours) {
        return Err(OpenError::ForeignSchema {
            database: database.to_owned(),
        });
    }
    Ok(&known[applied.len()..])
}

/// All migrations, with the table that tells of them.
#[cfg(any(feature = "postgres", feature = "mysql"))]
pub(crate) fn script<D: crate::server::Dialect>(tables: &crate::server::Tables) -> String {
    let steps = D::MIGRATIONS.iter().map(|Migration { version, name, sql }| {
        format!("{sql}\nINSERT INTO tenure_migrations (version, name) VALUES ({version}, '{name}');\n")
    });
    let ledger = format!("{};\n\n", D::CREATE_LEDGER);
    let script: String = std::iter::once(ledger).chain(steps).collect();
    let go_there = tables
        .schema()
        .map(|schema| format!("SET search_path TO \"{schema}\";\n\n"));
    go_there.unwrap_or_default() + &tables.migration(&script)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [Migration; 2] = [step(1, "sessions"), step(2, "more")];

    const fn step(version: u32, name: &'static str) -> Migration {
        Migration {
            version,
            name,
            sql: "",
        }
    }

    fn outcome(applied: &[(i64, &str)]) -> Result<Vec<u32>, OpenError> {
        let applied: Vec<Applied> = applied
            .iter()
            .map(|&(version, name)| Applied {
                version,
                name: name.to_owned(),
            })
            .collect();
        let pending = pending(&KNOWN, &applied, "app.db")?;
        Ok(pending.iter().map(|migration| migration.version).collect())
    }

    #[test]
    fn what_is_not_applied_is_pending() {
        assert_eq!(outcome(&[]).unwrap(), [1, 2]);
        assert_eq!(outcome(&[(1, "sessions")]).unwrap(), [2]);
        assert_eq!(outcome(&[(1, "sessions"), (2, "more")]).unwrap(), [0; 0]);
    }

    #[test]
    fn a_version_that_is_not_known_is_newer() {
        let newer = outcome(&[(1, "sessions"), (2, "more"), (3, "unknown")]);
        assert!(matches!(
            newer,
            Err(OpenError::NewerSchema {
                found: 3,
                known: 2,
                ..
            })
        ));
    }

    #[test]
    fn another_name_or_a_gap_is_foreign() {
        for applied in [
            &[(1, "users")][..],
            &[(2, "more")],
            &[(0, "sessions")],
            &[(-1, "sessions")],
        ] {
            assert!(
                matches!(outcome(applied), Err(OpenError::ForeignSchema { .. })),
                "{applied:?}"
            );
        }
    }
}
