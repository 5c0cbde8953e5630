-- Sign-ins that failed, so that all instances count together. The id is an HMAC: it names no account and no address.
-- Times are milliseconds since the Unix epoch.
CREATE TABLE tenure_login_attempts (
    id             BINARY(32) NOT NULL PRIMARY KEY,
    version        BIGINT     NOT NULL CHECK (version > 0),
    failures       BIGINT     NOT NULL CHECK (failures >= 0),
    last_failed_at BIGINT     NOT NULL CHECK (last_failed_at >= 0),
    blocked_until  BIGINT     NOT NULL CHECK (blocked_until >= 0),
    expires_at     BIGINT     NOT NULL CHECK (expires_at >= 0),
    INDEX tenure_login_attempts_expires_at (expires_at)
) ENGINE = InnoDB;
