-- Beside the sessions, in the same file. Run at every start, so it must be safe to repeat.
CREATE TABLE IF NOT EXISTS users (
    name          TEXT    NOT NULL PRIMARY KEY,
    password_hash TEXT    NOT NULL,
    created_at    INTEGER NOT NULL -- seconds since the Unix epoch
) STRICT, WITHOUT ROWID;
