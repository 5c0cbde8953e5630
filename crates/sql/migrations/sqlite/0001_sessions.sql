-- One row a session. Times are milliseconds since the Unix epoch, timeouts are milliseconds.
--
-- Who is signed in:      SELECT hex(id), datetime(last_seen_at / 1000, 'unixepoch'), user_agent
--                        FROM tenure_sessions WHERE owner = 'user-42';
-- Sign them out for good: DELETE FROM tenure_sessions WHERE owner = 'user-42';
CREATE TABLE tenure_sessions (
    id                   BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    version              INTEGER NOT NULL CHECK (version >= 0),
    -- SHA-256 of what the browser bears: opens nothing.
    secret_hash          BLOB    NOT NULL CHECK (length(secret_hash) = 32),
    previous_secret_hash BLOB             CHECK (length(previous_secret_hash) = 32),
    owner                TEXT             CHECK (length(CAST(owner AS BLOB)) BETWEEN 1 AND 255),
    created_at           INTEGER NOT NULL CHECK (created_at >= 0),
    signed_in_at         INTEGER          CHECK (signed_in_at >= 0),
    last_seen_at         INTEGER NOT NULL CHECK (last_seen_at >= 0),
    idle_timeout         INTEGER NOT NULL CHECK (idle_timeout >= 0),
    absolute_deadline    INTEGER NOT NULL CHECK (absolute_deadline >= 0),
    -- The earlier of both deadlines. Written so that no sum overflows; generated, so that whoever
    -- changes a timeout by hand can't forget it.
    expires_at           INTEGER NOT NULL
        GENERATED ALWAYS AS (last_seen_at + min(idle_timeout, absolute_deadline - last_seen_at)) STORED,
    lifetime             TEXT    NOT NULL CHECK (lifetime IN ('standard', 'remembered')),
    user_agent           TEXT,
    address              TEXT,
    -- How far a periodic renewal of the secret has come: nothing in it opens anything without the browser's half.
    lineage              BLOB    NOT NULL CHECK (length(lineage) <= 255),
    -- Sealed, unless the policy says otherwise. Last, because a long one spills to other pages.
    data                 BLOB    NOT NULL CHECK (length(data) <= 1048576)
) STRICT;

CREATE INDEX tenure_sessions_owner ON tenure_sessions (owner) WHERE owner IS NOT NULL;

CREATE INDEX tenure_sessions_expires_at ON tenure_sessions (expires_at);
