//! Tenure, as it comes and without the seal.

use base64ct::{Base64UrlUnpadded, Encoding};
use futures_util::future::BoxFuture;
use tenure_core::store::{Operation, Touch};
use tenure_core::{
    Environment, GuessLimit, Key, Keyring, MemoryStore, Policy, Record, Sealing, Secret, Sessions, Store,
};
use tenure_testkit::FaultyStore;
use tenure_tower::{Session, SessionLayer};

use crate::axum_site::{AxumSite, Handle};
use crate::control::{Control, WatchedStore};
use crate::forger::TenureForger;
use crate::site::Site;

const SECRET: &str = "T4nXwE6uLsJ1dHfCaGzmQ7Yb0yP2kV9r";

pub async fn site(sealing: Sealing) -> anyhow::Result<Box<dyn Site>> {
    let store = FaultyStore::new(MemoryStore::new());
    let control = Control::of(Watched(store.clone())).forged_by(Some(TenureForger::new(SECRET)?));
    AxumSite::start::<Session, _>(control, |router| {
        let store = store.clone();
        async move {
            // Sessions in memory are for development, and a thief has more time than a limit of guesses lets the probes
            // have; all else is as in production.
            let policy = Policy::default()
                .environment(Environment::Development)
                .guess_limit(GuessLimit::Unlimited)
                .sealing(sealing);
            let keyring = Keyring::new(Secret::new(SECRET));
            Ok(router.layer(SessionLayer::new(Sessions::new(policy, keyring, store)?)))
        }
    })
    .await
}

impl Handle for Session {
    async fn get(&self, key: &'static str) -> anyhow::Result<Option<String>> {
        let value: Option<serde_json::Value> = (**self).get(Key::new(key))?;
        Ok(value.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
    }

    async fn set(&self, key: &'static str, value: String) -> anyhow::Result<()> {
        Ok(self.insert(Key::new(key), &value)?)
    }

    async fn add_one(&self) -> anyhow::Result<()> {
        self.update(Key::<u64>::new("count"), |count| count.unwrap_or(0) + 1)?;
        Ok(())
    }

    async fn clear(&self) -> anyhow::Result<()> {
        (**self).clear();
        Ok(())
    }

    async fn renew(&self) -> anyhow::Result<()> {
        (**self).renew();
        Ok(())
    }

    async fn sign_in(&self) -> anyhow::Result<()> {
        (**self).sign_in("ada")?;
        self.set("user", "ada".to_owned()).await
    }

    async fn sign_out(&self) -> anyhow::Result<()> {
        (**self).sign_out();
        Ok(())
    }
}

struct Watched(FaultyStore<MemoryStore>);

impl WatchedStore for Watched {
    fn fail_loads(&self, fail: bool) {
        if fail {
            self.0.fail(Operation::Load);
        } else {
            self.0.heal();
        }
    }

    fn dump(&self) -> BoxFuture<'_, Vec<String>> {
        Box::pin(async {
            let store = self.0.inner();
            let Ok(page) = store.page(None, 100).await else {
                return Vec::new();
            };
            let mut texts = Vec::new();
            for listed in page.records {
                if let Ok(Some(record)) = store.load(listed.id, Touch::No).await {
                    texts.extend(texts_of(&record));
                }
            }
            texts
        })
    }
}

/// What stands in the record, and a cookie of the right form made of it.
fn texts_of(record: &Record) -> Vec<String> {
    let id = record.id.as_bytes().as_slice();
    let hash = record.secret_hash.as_bytes().as_slice();
    let before = record.previous_secret_hash.as_ref();
    let before = before.map_or(&[][..], |hash| hash.as_bytes());
    let lineage = record.lineage.to_bytes();
    let cookie = [&[1], [0; 4].as_slice(), id, &[0; 4], hash, &[0; 16]].concat();
    let binary = [id, hash, before, &lineage, &record.data, &cookie].map(Base64UrlUnpadded::encode_string);
    let text = [
        record.id.to_string(),
        String::from_utf8_lossy(&record.data).into_owned(),
    ];
    binary.into_iter().chain(text).collect()
}
