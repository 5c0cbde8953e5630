//! The statements that a PostgreSQL server was asked, as it tells them itself, and how it goes about them.

use tenure_testkit::servers::PostgresServer;

const LOGGED: &str = "FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid \
     WHERE query LIKE '%tenure_sessions%' AND query NOT LIKE 'CREATE %' AND datname = ";

/// Begins to log. What was asked on this database before is forgotten.
pub(crate) fn log(server: &PostgresServer, database: &str) {
    server.run("postgres", "CREATE EXTENSION IF NOT EXISTS pg_stat_statements");
    let reset = "SELECT pg_stat_statements_reset(0, oid, 0) FROM pg_database WHERE datname = ";
    server.run("postgres", &format!("{reset}'{database}'"));
}

/// Which statements on Tenure's sessions it was asked on this database, each as often as it was.
pub(crate) fn logged(server: &PostgresServer, database: &str) -> Vec<String> {
    // The text has line breaks where a program has put them.
    let select = format!(
        "SELECT regexp_replace(query, '\\s+', ' ', 'g') FROM (SELECT query, generate_series(1, calls) \
         {LOGGED}'{database}') asked"
    );
    server
        .run("postgres", &select)
        .lines()
        .map(str::to_owned)
        .collect()
}

/// How it goes about a statement whatever values it is given.
pub(crate) fn plan(server: &PostgresServer, database: &str, statement: &str) -> String {
    let values = (1..).take_while(|number| statement.contains(&format!("${number}")));
    let nulls = vec!["NULL"; values.count()].join(", ");
    server.run(
        database,
        &format!(
            "SET plan_cache_mode = force_generic_plan; PREPARE asked AS {statement}; \
             EXPLAIN EXECUTE asked ({nulls})"
        ),
    )
}
