-- One row a session. Times are milliseconds since the Unix epoch, timeouts are milliseconds.
--
-- Who is signed in:       SELECT encode(id, 'hex'), to_timestamp(last_seen_at / 1000.0), user_agent
--                         FROM tenure_sessions WHERE owner = 'user-42';
-- Sign them out for good: DELETE FROM tenure_sessions WHERE owner = 'user-42';
-- One session of a log:   DELETE FROM tenure_sessions WHERE id = '\x0123456789abcdef0123456789abcdef';
CREATE TABLE tenure_sessions (
    id                   bytea  NOT NULL PRIMARY KEY CHECK (octet_length(id) = 16),
    version              bigint NOT NULL CHECK (version >= 0),
    -- SHA-256 of what the browser bears: opens nothing.
    secret_hash          bytea  NOT NULL CHECK (octet_length(secret_hash) = 32),
    previous_secret_hash bytea           CHECK (octet_length(previous_secret_hash) = 32),
    -- Compared byte by byte, whatever the database's own collation takes for equal.
    owner                text COLLATE "C" CHECK (octet_length(owner) BETWEEN 1 AND 255),
    created_at           bigint NOT NULL CHECK (created_at >= 0),
    signed_in_at         bigint          CHECK (signed_in_at >= 0),
    last_seen_at         bigint NOT NULL CHECK (last_seen_at >= 0),
    idle_timeout         bigint NOT NULL CHECK (idle_timeout >= 0),
    absolute_deadline    bigint NOT NULL CHECK (absolute_deadline >= 0),
    -- The earlier of both deadlines. Written so that no sum overflows; generated, so that whoever
    -- changes a timeout by hand can't forget it.
    expires_at           bigint NOT NULL
        GENERATED ALWAYS AS (last_seen_at + least(idle_timeout, absolute_deadline - last_seen_at)) STORED,
    lifetime             text   NOT NULL CHECK (lifetime IN ('standard', 'remembered')),
    user_agent           text,
    address              text,
    -- How far a periodic renewal of the secret has come: nothing in it opens anything without the browser's half.
    lineage              bytea  NOT NULL CHECK (octet_length(lineage) <= 255),
    -- Sealed, unless the policy says otherwise.
    data                 bytea  NOT NULL CHECK (octet_length(data) <= 1048576)
);

-- What is sealed can't be compressed, so that trying would be in vain.
ALTER TABLE tenure_sessions ALTER COLUMN data SET STORAGE EXTERNAL;

CREATE INDEX tenure_sessions_owner ON tenure_sessions (owner) WHERE owner IS NOT NULL;

CREATE INDEX tenure_sessions_expires_at ON tenure_sessions (expires_at);
