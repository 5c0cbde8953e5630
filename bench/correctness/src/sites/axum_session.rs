//! axum_session with a database of its own kind: texts by id, here in memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use axum_session::{DatabaseError, DatabasePool, Key, SessionConfig, SessionLayer, SessionStore};

use crate::axum_site::{AxumSite, Handle};
use crate::control::{Control, Watch};
use crate::forger::CookieJarForger;
use crate::site::Site;

type Session = axum_session::Session<Watched>;

/// It signs the visitor's address and user agent along: a thief takes their own.
const THIEF: &str = "127.0.0.1;;;;";

pub async fn site(key: Option<&'static [u8; 64]>) -> anyhow::Result<Box<dyn Site>> {
    let database = Watched::default();
    let control =
        Control::of(database.watch.clone()).forged_by(key.map(|key| CookieJarForger::new(key, THIEF)));
    AxumSite::start::<Session, _>(control, |router| {
        let database = database.clone();
        async move {
            let config = SessionConfig::default();
            let config = match key {
                Some(key) => config.with_key(Key::from(key)),
                None => config,
            };
            Ok(router.layer(SessionLayer::new(
                SessionStore::new(Some(database), config).await?,
            )))
        }
    })
    .await
}

impl Handle for Session {
    async fn get(&self, key: &'static str) -> anyhow::Result<Option<String>> {
        let value: Option<serde_json::Value> = Self::get(self, key);
        Ok(value.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
    }

    async fn set(&self, key: &'static str, value: String) -> anyhow::Result<()> {
        Self::set(self, key, value);
        Ok(())
    }

    async fn add_one(&self) -> anyhow::Result<()> {
        let count: Option<u64> = Self::get(self, "count");
        Self::set(self, "count", count.unwrap_or(0) + 1);
        Ok(())
    }

    async fn clear(&self) -> anyhow::Result<()> {
        Self::clear(self);
        Ok(())
    }

    async fn renew(&self) -> anyhow::Result<()> {
        Self::renew(self);
        Ok(())
    }

    async fn sign_out(&self) -> anyhow::Result<()> {
        self.destroy();
        Ok(())
    }
}

#[derive(Clone, Debug, Default)]
struct Watched {
    rows: Arc<Mutex<HashMap<String, String>>>,
    watch: Watch,
}

impl Watched {
    fn rows<T>(&self, with: impl FnOnce(&mut HashMap<String, String>) -> T) -> T {
        with(&mut self.rows.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl DatabasePool for Watched {
    async fn initiate(&self, _: &str) -> Result<(), DatabaseError> {
        Ok(())
    }

    async fn count(&self, _: &str) -> Result<i64, DatabaseError> {
        Ok(i64::try_from(self.rows(|rows| rows.len())).unwrap_or(i64::MAX))
    }

    async fn store(&self, id: &str, session: &str, _: i64, _: &str) -> Result<(), DatabaseError> {
        self.watch.keeps(id);
        self.watch.keeps(session);
        self.rows(|rows| rows.insert(id.to_owned(), session.to_owned()));
        Ok(())
    }

    async fn load(&self, id: &str, _: &str) -> Result<Option<String>, DatabaseError> {
        if self.watch.fails_loads() {
            return Err(DatabaseError::GenericSelectError(
                "the database is out of order".to_owned(),
            ));
        }
        Ok(self.rows(|rows| rows.get(id).cloned()))
    }

    async fn delete_one_by_id(&self, id: &str, _: &str) -> Result<(), DatabaseError> {
        self.rows(|rows| rows.remove(id));
        Ok(())
    }

    async fn exists(&self, id: &str, _: &str) -> Result<bool, DatabaseError> {
        Ok(self.rows(|rows| rows.contains_key(id)))
    }

    async fn delete_by_expiry(&self, _: &str) -> Result<Vec<String>, DatabaseError> {
        Ok(Vec::new())
    }

    async fn delete_all(&self, _: &str) -> Result<(), DatabaseError> {
        self.rows(HashMap::clear);
        Ok(())
    }

    async fn get_ids(&self, _: &str) -> Result<Vec<String>, DatabaseError> {
        Ok(self.rows(|rows| rows.keys().cloned().collect()))
    }

    fn auto_handles_expiry(&self) -> bool {
        false
    }
}
