//! Tenure's store, asked as the engine asks it: a save is a compare-and-set.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use measure::Payload;
use tenure_core::store::{Inserted, Touch, Updated};
use tenure_core::{Record, SessionId, Store};
use tenure_sql::sqlite::{self, SqliteStore};
use tenure_testkit::records::{BEARER, now, session};

use crate::keeper::{Durability, Keep, Keeper, id};

struct Tenure {
    store: SqliteStore,
    data: Bytes,
    versions: Mutex<HashMap<u64, u64>>,
}

pub async fn open(file: PathBuf, durability: Durability) -> anyhow::Result<Keeper> {
    let durability = match durability {
        Durability::Full => sqlite::Durability::Full,
        Durability::Normal => sqlite::Durability::Normal,
    };
    Ok(Arc::new(Tenure {
        store: SqliteStore::options(file).durability(durability).open().await?,
        data: serde_json::to_vec(&Payload::TwentyKeys.map())?.into(),
        versions: Mutex::default(),
    }))
}

impl Tenure {
    fn record(&self, number: u64, version: u64) -> Record {
        Record {
            id: SessionId::from_bytes(id(number)),
            version,
            data: self.data.clone(),
            ..session(0)
        }
    }

    fn versions<T>(&self, with: impl FnOnce(&mut HashMap<u64, u64>) -> T) -> T {
        with(&mut self.versions.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Keep for Tenure {
    fn create(&self, number: u64) -> BoxFuture<'_, anyhow::Result<()>> {
        Box::pin(async move {
            let inserted = self.store.insert(&self.record(number, 1)).await?;
            anyhow::ensure!(inserted == Inserted::New, "{number} is taken");
            self.versions(|versions| versions.insert(number, 1));
            Ok(())
        })
    }

    fn load(&self, number: u64) -> BoxFuture<'_, anyhow::Result<()>> {
        Box::pin(async move {
            let touch = Touch::Active {
                now: now(),
                bearer: BEARER,
                at_most_every: std::time::Duration::from_secs(60),
            };
            let loaded = self.store.load(SessionId::from_bytes(id(number)), touch).await?;
            anyhow::ensure!(loaded.is_some(), "{number} is not there");
            Ok(())
        })
    }

    fn save(&self, number: u64) -> BoxFuture<'_, anyhow::Result<()>> {
        Box::pin(async move {
            let expected = self.versions(|versions| versions.get(&number).copied().unwrap_or(0));
            let updated = self
                .store
                .update(&self.record(number, expected + 1), expected, now())
                .await?;
            anyhow::ensure!(updated == Updated::Saved, "{number} is {updated:?}");
            self.versions(|versions| versions.insert(number, expected + 1));
            Ok(())
        })
    }
}
