-- Sign-ins that failed, so that all instances count together. The id is an HMAC: it names no account and no address.
-- Times are milliseconds since the Unix epoch.
CREATE TABLE tenure_login_attempts (
    id             bytea  NOT NULL PRIMARY KEY CHECK (octet_length(id) = 32),
    version        bigint NOT NULL CHECK (version > 0),
    failures       bigint NOT NULL CHECK (failures >= 0),
    last_failed_at bigint NOT NULL CHECK (last_failed_at >= 0),
    blocked_until  bigint NOT NULL CHECK (blocked_until >= 0),
    expires_at     bigint NOT NULL CHECK (expires_at >= 0)
);

CREATE INDEX tenure_login_attempts_expires_at ON tenure_login_attempts (expires_at);
