//! Secrets rotated under load: several instances of the real program, which look at the source at different moments.

#![cfg(all(unix, feature = "redis", feature = "vault"))]

mod common;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use common::Visitor;
use common::program::{Demo, Setting};
use reqwest::{Method, StatusCode};
use tempfile::TempDir;
use tenure::secrets::{SecretSource, SecretText, VaultLogin, VaultSource};
use tenure_testkit::SplitMix64;
use tenure_testkit::servers::OpenBaoServer;
use tenure_testkit::servers::redis::RedisServer;

const INSTANCES: usize = 3;
const CLIENTS: usize = 200;
const SIGNED_IN: usize = 10;
const ROTATIONS: usize = 3;
/// How often each instance looks, give or take a tenth.
const REFRESH: Duration = Duration::from_secs(1);
/// A new version is seen within one interval and signs two later.
const ROTATED: Duration = Duration::from_millis(3_600);

/// Three instances over one store and one source.
struct Fleet {
    redis: RedisServer,
    bao: OpenBaoServer,
    folder: TempDir,
    instances: tokio::sync::RwLock<Vec<Option<Demo>>>,
}

/// What the clients saw.
#[derive(Default)]
struct Seen {
    answers: AtomicU64,
    is_over: AtomicBool,
}

impl Fleet {
    async fn start() -> Arc<Self> {
        let fleet = Self {
            redis: RedisServer::standalone().unwrap(),
            bao: OpenBaoServer::start().unwrap(),
            folder: TempDir::new().unwrap(),
            instances: tokio::sync::RwLock::default(),
        };
        fleet.rotate().await;
        let mut instances = Vec::new();
        for _ in 0..INSTANCES {
            // Not all at the same moment.
            tokio::time::sleep(REFRESH / 3).await;
            instances.push(Some(fleet.instance()));
        }
        *fleet.instances.write().await = instances;
        Arc::new(fleet)
    }

    fn instance(&self) -> Demo {
        Demo::start_with(&Setting {
            database: &self.folder.path().join("demo.db"),
            store: Some(&self.redis.url()),
            arguments: &["--secret", "vault:secret/demo#session", "--secret-refresh", "1"],
            variables: &[
                ("VAULT_ADDR", &self.bao.address()),
                ("VAULT_TOKEN", OpenBaoServer::ROOT_TOKEN),
            ],
            serves_metrics: true,
        })
    }

    async fn rotate(&self) {
        let source = VaultSource::builder("secret", "demo")
            .field("session")
            .address(self.bao.address())
            .login(VaultLogin::token(OpenBaoServer::ROOT_TOKEN))
            .build()
            .unwrap();
        source.rotate(&SecretText::generate().unwrap()).await.unwrap();
    }

    async fn url(&self, number: usize) -> Option<String> {
        let instances = self.instances.read().await;
        instances[number].as_ref().map(|demo| demo.url.clone())
    }

    /// Cookies verified by each key, by all instances together.
    async fn cookies_by_key(&self) -> HashMap<String, u64> {
        let mut total: HashMap<String, u64> = HashMap::new();
        for demo in self.instances.read().await.iter().flatten() {
            for line in demo.metrics().await.lines() {
                let Some(labelled) = line.strip_prefix("tenure_cookies_verified_total{") else {
                    continue;
                };
                let (_, key) = labelled.split_once("key=\"").unwrap();
                let key = key.split('"').next().unwrap();
                let count: u64 = labelled.rsplit(' ').next().unwrap().parse().unwrap();
                *total.entry(key.to_owned()).or_default() += count;
            }
        }
        total
    }

    /// Presses the button again and again, at whichever instance the dice say, and insists that no count is missing.
    async fn keep_clicking(
        self: Arc<Self>,
        mut visitor: Visitor,
        owner: Option<String>,
        seen: Arc<Seen>,
        seed: u64,
    ) {
        let mut dice = SplitMix64::new(seed);
        let mut count = 0;
        while !seen.is_over.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(300 + dice.next_u64() % 600)).await;
            let Some(url) = self.url(usize::try_from(dice.next_u64() % 3).unwrap()).await else {
                continue;
            };
            visitor.go_to(&url);
            // Nobody is at home at an instance that was killed this very moment.
            let Ok(answer) = visitor.try_send(Method::POST, "/api/count", None).await else {
                continue;
            };
            assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
            visitor.keep_cookie(&answer);
            let now = answer.value()["count"].as_u64().unwrap();
            // An answer that was lost with its instance may have counted.
            assert!(
                now == count + 1 || now == count + 2,
                "{now} after {count}: signed out"
            );
            count = now;
            let Ok(answer) = visitor.try_send(Method::GET, "/api/session", None).await else {
                continue;
            };
            assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
            visitor.keep_cookie(&answer);
            assert_eq!(answer.value()["owner"].as_str(), owner.as_deref());
            seen.answers.fetch_add(1, Ordering::SeqCst);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_rotations_and_a_crash_sign_nobody_out_and_the_first_key_falls_out_of_use() {
    let fleet = Fleet::start().await;
    let seen = Arc::new(Seen::default());
    let mut clients = Vec::new();
    for number in 0..CLIENTS {
        let url = fleet.url(number % INSTANCES).await.unwrap();
        let mut visitor = Visitor::of(&url);
        let owner = (number < SIGNED_IN).then(|| format!("user-{number}"));
        if let Some(owner) = &owner {
            assert_eq!(visitor.sign_up(owner).await.status, StatusCode::OK);
        }
        let clicking = Arc::clone(&fleet).keep_clicking(visitor, owner, Arc::clone(&seen), number as u64);
        clients.push(tokio::spawn(clicking));
    }
    tokio::time::sleep(2 * REFRESH).await;
    let first_keys: Vec<_> = fleet.cookies_by_key().await.into_keys().collect();
    assert_eq!(first_keys.len(), 1);

    for rotation in 1..=ROTATIONS {
        fleet.rotate().await;
        if rotation == 2 {
            // In the middle of it: some know the new version, some don't.
            tokio::time::sleep(REFRESH).await;
            let killed = fleet.instances.write().await[1].take();
            killed.unwrap().kill();
            let restarted = fleet.instance();
            fleet.instances.write().await[1] = Some(restarted);
        }
        tokio::time::sleep(ROTATED).await;
    }

    // Everybody has come by since the last rotation, so that the older keys are out of use from here on.
    tokio::time::sleep(2 * REFRESH).await;
    let before = fleet.cookies_by_key().await;
    tokio::time::sleep(3 * REFRESH).await;
    let after = fleet.cookies_by_key().await;
    seen.is_over.store(true, Ordering::SeqCst);
    for client in clients {
        client.await.unwrap();
    }

    assert_eq!(after.len(), 1 + ROTATIONS, "{after:?}");
    let still_used: Vec<_> = after.keys().filter(|key| after[*key] > before[*key]).collect();
    assert_eq!(still_used.len(), 1, "before {before:?}, after {after:?}");
    assert!(!still_used.contains(&&first_keys[0]));
    assert!(before[&first_keys[0]] > 0);
    assert!(seen.answers.load(Ordering::SeqCst) > 10 * CLIENTS as u64);
}
