//! Rows that the databases make themselves, which is quicker than to insert them one by one.

use tenure_core::{Owner, SessionId};

/// How many sessions have expired when the sweep begins.
pub(crate) const EXPIRED: u64 = 100_000;

/// How many sessions each owner has.
pub(crate) const PER_OWNER: u64 = 10;

/// A prime above the number of sessions, so that multiples of another spread over all ids.
const IDS: u64 = 1_000_003;
const STEP: u64 = 7_919;

/// The id of the session with this number, as the statements below make it: 16 digits.
pub(crate) fn id(number: u64) -> SessionId {
    let digits = format!("{:016}", number * STEP % IDS);
    SessionId::from_bytes(digits.as_bytes().try_into().expect("16 digits"))
}

/// The owner of the session with this number.
pub(crate) fn owner(number: u64) -> Owner {
    Owner::new(format!("user-{}", number / PER_OWNER)).expect("an owner")
}

pub(crate) fn of_sqlite(from: u64, to: u64) -> String {
    format!(
        "WITH RECURSIVE numbers (n) AS (SELECT {from} UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < {to}) \
         INSERT INTO tenure_sessions (id, version, secret_hash, owner, created_at, last_seen_at, idle_timeout, \
             absolute_deadline, lifetime, lineage, data) \
         SELECT CAST(printf('%016d', n * {STEP} % {IDS}) AS BLOB), 1, zeroblob(32), 'user-' || (n / {PER_OWNER}), 0, \
             CASE WHEN n < {EXPIRED} AND {from} > 0 THEN 0 ELSE n + 2000000 END, 1000, 1000000000, 'standard', \
             X'01000000000000000000000000000000000000', zeroblob(300) \
         FROM numbers"
    )
}

pub(crate) fn of_postgres(from: u64, to: u64) -> String {
    format!(
        "INSERT INTO tenure_sessions (id, version, secret_hash, owner, created_at, last_seen_at, idle_timeout, \
             absolute_deadline, lifetime, lineage, data) \
         SELECT convert_to(lpad((n * {STEP} % {IDS})::text, 16, '0'), 'UTF8'), 1, sha256('x'), \
             'user-' || (n / {PER_OWNER}), 0, CASE WHEN n < {EXPIRED} AND {from} > 0 THEN 0 ELSE n + 2000000 END, \
             1000, 1000000000, 'standard', \
             decode('01' || repeat('00', 18), 'hex'), decode(repeat('ab', 300), 'hex') \
         FROM generate_series({from}::bigint, {to} - 1) n"
    )
}
