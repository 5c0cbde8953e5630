//! One process of an application.

use std::time::Duration;

use http::HeaderMap;
use tenure_core::{
    CommitError, Environment, Key, Keyring, LoadError, Owner, Policy, Secret, Session, SessionLimit,
    Sessions, Store,
};

use crate::Browser;

/// What the application keeps in its sessions.
pub const COUNT: Key<u64> = Key::new("count");

/// One process of an application. All have the same secret. Clones share the store.
#[derive(Clone, Debug)]
pub struct Application {
    /// Its sessions.
    pub sessions: Sessions,
}

/// Why a request failed.
#[derive(Debug)]
pub enum RequestError {
    /// The session could not be loaded.
    Load(LoadError),
    /// The session could not be saved.
    Commit(CommitError),
}

impl Application {
    /// Over this store, with the policy's defaults.
    pub fn over(store: impl Store) -> Self {
        Self::with(store, Policy::default())
    }

    /// One that gives the store a minute: for more requests at once than a machine works through in time.
    pub fn patient(store: impl Store) -> Self {
        Self::with(store, Policy::default().store_deadline(Duration::from_secs(60)))
    }

    /// The same with a limit of sessions for each user.
    pub fn limited(store: impl Store, limit: SessionLimit) -> Self {
        let policy = Policy::default().store_deadline(Duration::from_secs(60));
        Self::with(store, policy.session_limit(limit))
    }

    fn with(store: impl Store, policy: Policy) -> Self {
        let policy = policy.environment(Environment::Development).sweep_interval(None);
        let keyring = Keyring::new(Secret::new("T4nXwE6uLsJ1dHfCaGzmQ7Yb0yP2kV9r"));
        Self {
            sessions: Sessions::new(policy, keyring, store).expect("a policy that is allowed"),
        }
    }

    /// A whole request. The browser learns nothing of one that fails.
    ///
    /// # Errors
    /// If the session can't be loaded or saved.
    pub async fn visit(
        &self,
        browser: &mut Browser,
        handler: impl FnOnce(&Session),
    ) -> Result<(), RequestError> {
        let opened = self.sessions.open(&browser.request());
        let session = opened.load().await.map_err(RequestError::Load)?;
        handler(&session);
        let outgoing = self.sessions.commit(&opened).await;
        let mut response = HeaderMap::new();
        outgoing.map_err(RequestError::Commit)?.apply(&mut response);
        browser.receive(&response);
        Ok(())
    }

    /// A browser that has signed in.
    ///
    /// # Panics
    /// If the request fails.
    pub async fn signed_in(&self, owner: &str) -> Browser {
        let mut browser = Browser::default();
        let sign_in = |session: &Session| session.sign_in(owner).expect("a fitting owner");
        self.visit(&mut browser, sign_in).await.expect("a sign-in");
        browser
    }

    /// Who is signed in on a browser.
    ///
    /// # Panics
    /// If the request fails.
    pub async fn owner(&self, browser: &Browser) -> Option<String> {
        let mut owner = None;
        let look = |session: &Session| owner = session.owner().map(|owner| owner.as_str().to_owned());
        self.visit(&mut browser.clone(), look).await.expect("a request");
        owner
    }

    /// What a browser has counted to.
    ///
    /// # Panics
    /// If the request fails.
    pub async fn count(&self, browser: &Browser) -> Option<u64> {
        let mut count = None;
        let look = |session: &Session| count = session.get(COUNT).expect("a number");
        self.visit(&mut browser.clone(), look).await.expect("a request");
        count
    }

    /// How many sessions an owner has.
    ///
    /// # Panics
    /// If the store fails.
    pub async fn sessions_of(&self, owner: &str) -> usize {
        let owner = Owner::new(owner).expect("a fitting owner");
        let listed = self.sessions.of(owner).list(None).await;
        listed.expect("a list").len()
    }
}

/// A handler that counts.
///
/// # Panics
/// If what is counted is no number.
pub fn increment(session: &Session) {
    session
        .update(COUNT, |count| count.unwrap_or(0) + 1)
        .expect("a number");
}
