//! ruts with its store on moka.

use std::marker::PhantomData;
use std::sync::Arc;

use ruts::store::moka::{MokaStore, MokaStoreBuilder};
use ruts::store::{Error, SessionMap, SessionStore, Ttl};
use ruts::{CookieOptions, Id, Key, SessionLayer};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tower_cookies::CookieManagerLayer;

use crate::axum_site::{AxumSite, Handle};
use crate::control::{Control, Watch};
use crate::forger::CookieJarForger;
use crate::site::Site;

type Session = ruts::Session<Watched>;

pub async fn site(key: Option<&'static [u8; 64]>) -> anyhow::Result<Box<dyn Site>> {
    let store = Watched {
        inner: MokaStoreBuilder::new().build(),
        watch: Watch::default(),
    };
    let control = Control::of(store.watch.clone()).forged_by(key.map(|key| CookieJarForger::new(key, "")));
    AxumSite::start::<Session, _>(control, |router| {
        let options = CookieOptions::build()
            .name("session")
            .http_only(true)
            .secure(true)
            .max_age(3_600)
            .path("/");
        let options = match key {
            Some(key) => options.signing_key(Key::from(key)),
            None => options,
        };
        let layer = SessionLayer::new(Arc::new(store.clone())).with_cookie_options(options);
        async move { Ok(router.layer(layer).layer(CookieManagerLayer::new())) }
    })
    .await
}

fn an_hour() -> anyhow::Result<Ttl> {
    Ok(Ttl::new(3_600)?)
}

impl Handle for Session {
    async fn get(&self, key: &'static str) -> anyhow::Result<Option<String>> {
        if key == "count" {
            return Ok(Self::get::<u64>(self, key).await?.map(|count| count.to_string()));
        }
        Ok(Self::get::<String>(self, key).await?)
    }

    async fn set(&self, key: &'static str, value: String) -> anyhow::Result<()> {
        Ok(Self::set(self, key, &value, an_hour()?, None).await?)
    }

    async fn add_one(&self) -> anyhow::Result<()> {
        let count = Self::get::<u64>(self, "count").await?.unwrap_or(0);
        Ok(Self::set(self, "count", &(count + 1), an_hour()?, None).await?)
    }

    async fn clear(&self) -> anyhow::Result<()> {
        // It has no other means to empty one.
        for key in crate::site::KEYS {
            self.remove(key).await?;
        }
        Ok(())
    }

    async fn renew(&self) -> anyhow::Result<()> {
        self.regenerate().await?;
        Ok(())
    }

    async fn sign_out(&self) -> anyhow::Result<()> {
        self.delete().await?;
        Ok(())
    }
}

#[derive(Clone)]
struct Watched {
    inner: MokaStore,
    watch: Watch,
}

impl Watched {
    fn may_load(&self) -> Result<(), Error> {
        if self.watch.fails_loads() {
            return Err(Error::Backend("the store is out of order".to_owned()));
        }
        Ok(())
    }
}

impl SessionStore for Watched {
    async fn get<T: Send + Sync + DeserializeOwned>(&self, id: &Id, field: &str) -> Result<Option<T>, Error> {
        self.may_load()?;
        self.inner.get(id, field).await
    }

    async fn get_all(&self, id: &Id) -> Result<Option<SessionMap>, Error> {
        self.may_load()?;
        self.inner.get_all(id).await
    }

    async fn set<T: Send + Sync + Serialize>(
        &self,
        id: &Id,
        field: &str,
        value: &T,
        ttl: Ttl,
        _: Option<PhantomData<()>>,
    ) -> Result<(), Error> {
        self.watch.keeps(id.as_str());
        self.inner.set(id, field, value, ttl, None).await
    }

    async fn set_and_rename<T: Send + Sync + Serialize>(
        &self,
        old: &Id,
        new: &Id,
        field: &str,
        value: &T,
        ttl: Ttl,
        _: Option<PhantomData<()>>,
    ) -> Result<(), Error> {
        self.watch.keeps(new.as_str());
        self.inner.set_and_rename(old, new, field, value, ttl, None).await
    }

    async fn rename_session_id(&self, old: &Id, new: &Id) -> Result<bool, Error> {
        self.watch.keeps(new.as_str());
        self.inner.rename_session_id(old, new).await
    }

    async fn remove(&self, id: &Id, field: &str) -> Result<bool, Error> {
        self.inner.remove(id, field).await
    }

    async fn delete(&self, id: &Id) -> Result<bool, Error> {
        self.inner.delete(id).await
    }

    async fn expire_field(&self, id: &Id, field: &str, ttl: Ttl) -> Result<bool, Error> {
        self.inner.expire_field(id, field, ttl).await
    }
}
