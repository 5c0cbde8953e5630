//! All the sessions of one user: for account pages and operators.

use crate::clock::Timestamp;
use crate::device::Device;
use crate::event::EventKind;
use crate::owner::Owner;
use crate::record::{Deadlines, Lifetime, Record};
use crate::session::Session;
use crate::session_id::SessionId;
use crate::sessions::Sessions;
use crate::store::{Operation, StoreError, Touch};

/// The sessions of one user. See [`Sessions::of`].
#[derive(Debug)]
pub struct OwnerSessions<'s> {
    sessions: &'s Sessions,
    owner: Owner,
}

/// A session as an account page shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionInfo {
    /// Its name, with which it can be [revoked](OwnerSessions::revoke).
    pub id: SessionId,
    /// When it came to be.
    pub created_at: Timestamp,
    /// When its owner signed in.
    pub signed_in_at: Option<Timestamp>,
    /// The last activity, up to the policy's touch interval.
    pub last_seen_at: Timestamp,
    /// When it ends.
    pub expires: Deadlines,
    /// Whether its owner asked to be kept signed in.
    pub lifetime: Lifetime,
    /// The device that its owner signed in on.
    pub device: Device,
    /// Whether it is the session that asks.
    pub is_current: bool,
}

impl Sessions {
    /// The sessions of one user: to list them, and to end one, all, or all others.
    ///
    /// ```
    /// # use tenure_core::{Owner, Session, Sessions, StoreError};
    /// /// After a password change: everybody else who is signed in as this user must go.
    /// async fn sign_out_elsewhere(sessions: &Sessions, session: &Session) -> Result<u64, StoreError> {
    ///     match session.owner() {
    ///         Some(owner) => sessions.of(owner).revoke_others(session).await,
    ///         None => Ok(0),
    ///     }
    /// }
    /// ```
    #[must_use]
    pub fn of(&self, owner: Owner) -> OwnerSessions<'_> {
        OwnerSessions {
            sessions: self,
            owner,
        }
    }
}

impl OwnerSessions<'_> {
    /// The user's live sessions, the last seen first. `current` is the session that asks, if one does.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn list(&self, current: Option<&Session>) -> Result<Vec<SessionInfo>, StoreError> {
        let engine = self.sessions.engine();
        let listing = engine.store.list_by_owner(&self.owner, engine.now());
        let records = engine.deadline().call(Operation::List, listing).await;
        let records = engine.reported(Operation::List, None, records)?;
        let current = current.and_then(Session::id);
        Ok(records
            .into_iter()
            .map(|record| SessionInfo::new(record, current))
            .collect())
    }

    /// Ends one session, if it is this user's. Says whether it was.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn revoke(&self, id: SessionId) -> Result<bool, StoreError> {
        let engine = self.sessions.engine();
        let found = engine
            .deadline()
            .call(Operation::Load, engine.store.load(id, Touch::No))
            .await;
        match engine.reported(Operation::Load, id, found)? {
            Some(record) if record.owner.as_ref() == Some(&self.owner) => {
                self.sessions.revoke_of(id, record.owner.clone()).await
            }
            _ => Ok(false),
        }
    }

    /// Ends all of the user's sessions, this one included: when an account is closed or taken over.
    /// Says how many there were.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn revoke_all(&self) -> Result<u64, StoreError> {
        self.revoke_all_but(None).await
    }

    /// Ends all of the user's sessions but `session`: after a change of password.
    /// Says how many there were.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn revoke_others(&self, session: &Session) -> Result<u64, StoreError> {
        self.revoke_all_but(session.id()).await
    }

    async fn revoke_all_but(&self, except: Option<SessionId>) -> Result<u64, StoreError> {
        let engine = self.sessions.engine();
        let removing = engine.store.remove_by_owner(&self.owner, except);
        let sessions = engine.deadline().call(Operation::RemoveByOwner, removing).await;
        let sessions = engine.reported(Operation::RemoveByOwner, None, sessions)?;
        if sessions > 0 {
            engine.tell(EventKind::Revoked { sessions }, None, Some(self.owner.clone()));
        }
        Ok(sessions)
    }
}

impl SessionInfo {
    fn new(record: Record, current: Option<SessionId>) -> Self {
        Self {
            id: record.id,
            created_at: record.created_at,
            signed_in_at: record.signed_in_at,
            last_seen_at: record.last_seen_at,
            expires: record.deadlines(),
            lifetime: record.lifetime,
            is_current: Some(record.id) == current,
            device: record.device,
        }
    }
}
