//! What `Sessions` refuses to be built from, and whether the refusal says what to do.

mod common;

use std::sync::Arc;

use common::*;
use tenure_core::store::{
    Attempts, AttemptsKey, Cursor, Inserted, Operation, Page, Persistence, StoreFuture, Swept, Touch, Updated,
};
use tenure_core::{
    Environment, Keyring, KeyringProblem, MemoryStore, Owner, Policy, Problem, Record, Secret, SessionId,
    Sessions, SetupError, Store, StoreError, Timestamp, Weakness,
};
use tenure_testkit::FaultyStore;

fn production() -> Policy {
    Policy::default().environment(Environment::Production)
}

/// A store that calls itself durable, for policies that are to be checked beside it.
struct DurableStore(MemoryStore);

impl Store for DurableStore {
    fn name(&self) -> &'static str {
        "durable"
    }

    fn persistence(&self) -> Persistence {
        Persistence::Durable
    }

    fn load(&self, id: SessionId, touch: Touch) -> StoreFuture<'_, Option<Arc<Record>>> {
        self.0.load(id, touch)
    }

    fn insert<'a>(&'a self, record: &'a Record) -> StoreFuture<'a, Inserted> {
        self.0.insert(record)
    }

    fn update<'a>(&'a self, record: &'a Record, expected: u64, now: Timestamp) -> StoreFuture<'a, Updated> {
        self.0.update(record, expected, now)
    }

    fn remove(&self, id: SessionId) -> StoreFuture<'_, bool> {
        self.0.remove(id)
    }

    fn list_by_owner<'a>(&'a self, owner: &'a Owner, now: Timestamp) -> StoreFuture<'a, Vec<Record>> {
        self.0.list_by_owner(owner, now)
    }

    fn remove_by_owner<'a>(&'a self, owner: &'a Owner, except: Option<SessionId>) -> StoreFuture<'a, u64> {
        self.0.remove_by_owner(owner, except)
    }

    fn sweep_expired(&self, moment: Timestamp, limit: u32) -> StoreFuture<'_, Swept> {
        self.0.sweep_expired(moment, limit)
    }

    fn load_attempts(&self, key: AttemptsKey) -> StoreFuture<'_, Option<Attempts>> {
        self.0.load_attempts(key)
    }

    fn save_attempts<'a>(
        &'a self,
        key: AttemptsKey,
        attempts: &'a Attempts,
        expected: u64,
        now: Timestamp,
    ) -> StoreFuture<'a, bool> {
        self.0.save_attempts(key, attempts, expected, now)
    }

    fn remove_attempts(&self, key: AttemptsKey) -> StoreFuture<'_, bool> {
        self.0.remove_attempts(key)
    }

    fn page<'a>(&'a self, after: Option<&'a Cursor>, limit: u32) -> StoreFuture<'a, Page> {
        self.0.page(after, limit)
    }

    fn count(&self, now: Timestamp) -> StoreFuture<'_, u64> {
        self.0.count(now)
    }

    fn ping(&self) -> StoreFuture<'_, ()> {
        self.0.ping()
    }
}

fn refused(policy: Policy, keyring: Keyring, store: impl Store) -> SetupError {
    Sessions::new(policy, keyring, store).unwrap_err()
}

#[test]
fn the_memory_store_is_refused_in_production_and_fine_in_development() {
    let error = refused(production(), keyring(), MemoryStore::new());
    assert_eq!(error.problems(), [Problem::StoreNotDurable { store: "memory" }]);
    let wrapped = refused(production(), keyring(), FaultyStore::new(MemoryStore::new()));
    assert_eq!(wrapped.problems(), error.problems());
    assert!(Sessions::new(production(), keyring(), DurableStore(MemoryStore::new())).is_ok());
    assert!(Sessions::new(policy(), keyring(), MemoryStore::new()).is_ok());
}

#[test]
fn every_kind_of_weak_secret_is_refused_in_development_too() {
    let kinds: [(&[u8], Weakness); 6] = [
        (b"", Weakness::TooShort { bytes: 0 }),
        (b"keyboard cat", Weakness::TooShort { bytes: 12 }),
        (
            b"keyboard cat keyboard cat keyboard cat",
            Weakness::Placeholder {
                pattern: "keyboardcat",
            },
        ),
        (
            b"change-me-change-me-change-me-change-me",
            Weakness::Placeholder { pattern: "changeme" },
        ),
        (&[0; 64], Weakness::LowEntropy),
        (b"abcdefghijklmnopqrstuvwxyzabcdefghijklmn", Weakness::LowEntropy),
    ];
    for environment in [Environment::Development, Environment::Production] {
        for (secret, weakness) in kinds {
            for (keyring, position) in [
                (Keyring::new(Secret::new(secret)), 0),
                (keyring().with_older(Secret::new(secret)), 1),
            ] {
                let error = refused(
                    policy().environment(environment),
                    keyring,
                    DurableStore(MemoryStore::new()),
                );
                let problem = KeyringProblem { position, weakness };
                assert_eq!(error.problems(), [Problem::WeakSecret(problem)]);
                let text = error.to_string();
                assert!(text.contains("openssl rand -base64 32"), "{text}");
                assert!(text.contains(&format!("number {position}")), "{text}");
            }
        }
    }
}

#[test]
fn problems_of_policy_keyring_and_store_are_reported_at_once() {
    let policy = production()
        .cookie_http_only(false)
        .cookie_secure(false)
        .idle_timeout(24 * HOUR);
    let keyring = Keyring::new(Secret::new("keyboard cat")).with_older(Secret::new("hunter2"));
    let error = refused(policy, keyring, MemoryStore::new());
    let problems = error.problems();
    let has = |wanted: fn(&Problem) -> bool| problems.iter().filter(|problem| wanted(problem)).count();
    assert_eq!(has(|problem| *problem == Problem::CookieReadableByScripts), 1);
    assert_eq!(has(|problem| *problem == Problem::InsecureCookieInProduction), 1);
    assert_eq!(
        has(|problem| matches!(problem, Problem::PrefixWithoutSecure { .. })),
        1
    );
    assert_eq!(
        has(|problem| matches!(problem, Problem::IdleLongerThanAbsolute { .. })),
        1
    );
    assert_eq!(has(|problem| matches!(problem, Problem::WeakSecret(_))), 2);
    assert_eq!(
        has(|problem| matches!(problem, Problem::StoreNotDurable { .. })),
        1
    );
    assert_eq!(problems.len(), 7);

    let text = error.to_string();
    for problem in problems {
        assert!(text.contains(&problem.to_string()), "{text}");
    }
    for secret in ["keyboard", "hunter2"] {
        assert!(!text.contains(secret) && !format!("{error:?}").contains(secret));
    }
}

/// One policy for each thing that can be wrong with one, and the words that say what to do about it.
#[test]
fn every_refusal_says_what_to_do() {
    let cases: [(Policy, &[&str]); 14] = [
        (
            production().cookie_secure(false),
            &["remove cookie_secure(false)", "TENURE_ENV"],
        ),
        (
            production().cookie_http_only(false),
            &["remove cookie_http_only(false)"],
        ),
        (
            production().cookie_domain("example.com"),
            &["remove cookie_domain", "__Secure-"],
        ),
        (
            production().cookie_path("/app"),
            &["remove cookie_path", "__Secure-"],
        ),
        (
            policy()
                .cookie_secure(false)
                .cookie_name("s")
                .cookie_partitioned(true),
            &["remove cookie_secure(false)"],
        ),
        (
            policy()
                .cookie_secure(false)
                .cookie_name("s")
                .cookie_same_site(tenure_core::SameSite::None),
            &["remove cookie_secure(false)", "SameSite::Lax"],
        ),
        (
            production().idle_timeout(std::time::Duration::ZERO),
            &["at least a millisecond"],
        ),
        (production().idle_timeout(13 * HOUR), &["shorten it", "lengthen"]),
        (production().remembered_absolute_timeout(401 * DAY), &["400 days"]),
        (production().touch_interval(HOUR), &["touch"]),
        (production().cookie_name("two words"), &["cookie"]),
        (
            production().store_deadline(std::time::Duration::ZERO),
            &["deadline"],
        ),
        (
            production().sweep_interval(Some(std::time::Duration::ZERO)),
            &["sweep"],
        ),
        (production().max_data_bytes(usize::MAX), &["bytes"]),
    ];
    for (policy, words) in cases {
        let error = refused(policy.clone(), keyring(), DurableStore(MemoryStore::new()));
        let text = error.to_string();
        for word in words {
            assert!(text.contains(word), "{word:?} is not in {text:?}");
        }
        let advice = [
            "remove", "use", "give", "shorten", "lengthen", "choose", "name", "lower", "raise", "set", "keep",
        ];
        for problem in error.problems() {
            let text = problem.to_string();
            assert!(
                advice.iter().any(|word| text.contains(word)),
                "what to do about it? {text:?}"
            );
        }
    }
    let text = refused(production(), keyring(), MemoryStore::new()).to_string();
    assert!(
        text.contains("use a database") && text.contains("TENURE_ENV=development"),
        "{text}"
    );
}

#[test]
fn the_errors_of_a_running_application_say_what_to_do() {
    let store = "sqlite";
    let failed = StoreError::Unavailable {
        store,
        operation: Operation::Load,
        source: Box::new(std::io::Error::other("connection refused")),
    };
    assert!(failed.to_string().contains("check that it runs"));
    let late = StoreError::TimedOut {
        store,
        operation: Operation::Update,
        deadline: 2 * SECOND,
    };
    assert!(late.to_string().contains("Policy::store_deadline"));
    assert!(Owner::new("").unwrap_err().to_string().contains("give the id"));
    assert!(
        Owner::new("x".repeat(256))
            .unwrap_err()
            .to_string()
            .contains("255")
    );
}

#[test]
fn the_presets_are_accepted_in_production() {
    for policy in [Policy::default(), Policy::aal1(), Policy::aal2(), Policy::aal3()] {
        let policy = policy.environment(Environment::Production);
        assert!(Sessions::new(policy, keyring(), DurableStore(MemoryStore::new())).is_ok());
    }
}
