-- One row a session. Times are milliseconds since the Unix epoch, timeouts are milliseconds.
--
-- Who is signed in:       SELECT hex(id), from_unixtime(last_seen_at / 1000), user_agent
--                         FROM tenure_sessions WHERE owner = 'user-42';
-- Sign them out for good: DELETE FROM tenure_sessions WHERE owner = 'user-42';
-- One session of a log:   DELETE FROM tenure_sessions WHERE id = x'0123456789abcdef0123456789abcdef';
CREATE TABLE tenure_sessions (
    id                   BINARY(16)     NOT NULL PRIMARY KEY,
    version              BIGINT         NOT NULL CHECK (version >= 0),
    -- SHA-256 of what the browser bears: opens nothing.
    secret_hash          BINARY(32)     NOT NULL,
    previous_secret_hash BINARY(32)         NULL,
    -- UTF-8, as bytes: every collation of text that both MySQL and MariaDB have takes 'ada' and 'ada ' for equal.
    owner                VARBINARY(255)     NULL CHECK (length(owner) >= 1),
    created_at           BIGINT         NOT NULL CHECK (created_at >= 0),
    signed_in_at         BIGINT             NULL CHECK (signed_in_at >= 0),
    last_seen_at         BIGINT         NOT NULL CHECK (last_seen_at >= 0),
    idle_timeout         BIGINT         NOT NULL CHECK (idle_timeout >= 0),
    absolute_deadline    BIGINT         NOT NULL CHECK (absolute_deadline >= 0),
    -- The earlier of both deadlines. Written so that no sum overflows; generated, so that whoever
    -- changes a timeout by hand can't forget it.
    expires_at           BIGINT
        GENERATED ALWAYS AS (last_seen_at + least(idle_timeout, absolute_deadline - last_seen_at)) STORED,
    lifetime             VARCHAR(10) CHARACTER SET ascii COLLATE ascii_bin NOT NULL
        CHECK (lifetime IN ('standard', 'remembered')),
    user_agent           VARCHAR(256) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
    address              VARCHAR(45) CHARACTER SET ascii COLLATE ascii_bin NULL,
    -- How far a periodic renewal of the secret has come: nothing in it opens anything without the browser's half.
    lineage              VARBINARY(255) NOT NULL,
    -- Sealed, unless the policy says otherwise.
    data                 MEDIUMBLOB     NOT NULL CHECK (length(data) <= 1048576),
    INDEX tenure_sessions_owner (owner),
    INDEX tenure_sessions_expires_at (expires_at)
) ENGINE = InnoDB;
