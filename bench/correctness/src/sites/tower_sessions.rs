//! tower-sessions with its store in memory.

use async_trait::async_trait;
use tower_sessions::cookie::Key;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{Error, Result};
use tower_sessions::{MemoryStore, Session, SessionManagerLayer, SessionStore};

use crate::axum_site::{AxumSite, Handle};
use crate::control::{Control, Watch};
use crate::forger::CookieJarForger;
use crate::site::Site;

pub async fn site(key: Option<&'static [u8; 64]>) -> anyhow::Result<Box<dyn Site>> {
    let store = Watched::default();
    let control = Control::of(store.watch.clone()).forged_by(key.map(|key| CookieJarForger::new(key, "")));
    AxumSite::start::<Session, _>(control, |router| {
        let layer = SessionManagerLayer::new(store.clone());
        async move {
            Ok(match key {
                Some(key) => router.layer(layer.with_signed(Key::from(key))),
                None => router.layer(layer),
            })
        }
    })
    .await
}

impl Handle for Session {
    async fn get(&self, key: &'static str) -> anyhow::Result<Option<String>> {
        let value = self.get_value(key).await?;
        Ok(value.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
    }

    async fn set(&self, key: &'static str, value: String) -> anyhow::Result<()> {
        Ok(self.insert(key, value).await?)
    }

    async fn add_one(&self) -> anyhow::Result<()> {
        let count: Option<u64> = Self::get(self, "count").await?;
        Ok(self.insert("count", count.unwrap_or(0) + 1).await?)
    }

    async fn clear(&self) -> anyhow::Result<()> {
        Self::clear(self).await;
        Ok(())
    }

    async fn renew(&self) -> anyhow::Result<()> {
        Ok(self.cycle_id().await?)
    }

    async fn sign_out(&self) -> anyhow::Result<()> {
        Ok(self.flush().await?)
    }
}

#[derive(Clone, Debug, Default)]
struct Watched {
    inner: MemoryStore,
    watch: Watch,
}

impl Watched {
    fn keeps(&self, record: &Record) {
        self.watch.keeps(record.id.to_string());
        self.watch
            .keeps(serde_json::to_string(&record.data).unwrap_or_default());
    }
}

#[async_trait]
impl SessionStore for Watched {
    async fn create(&self, record: &mut Record) -> Result<()> {
        self.inner.create(record).await?;
        self.keeps(record);
        Ok(())
    }

    async fn save(&self, record: &Record) -> Result<()> {
        self.keeps(record);
        self.inner.save(record).await
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        if self.watch.fails_loads() {
            return Err(Error::Backend("the store is out of order".to_owned()));
        }
        self.inner.load(id).await
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        self.inner.delete(id).await
    }
}
