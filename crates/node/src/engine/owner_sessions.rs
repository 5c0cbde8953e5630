//! All the sessions of one user.

use napi::bindgen_prelude::*;
use napi_derive::napi;
use tenure::{Owner, SessionFailure, SessionId};

use super::failure::{Failure, outcome};
use super::manager::Manager;
use super::session_info::ListedSession;
use super::visit::Visit;

#[napi]
impl Manager {
    /// The owner's live sessions, the last seen first.
    #[napi]
    pub async fn list(&self, owner: String, current: Option<&Visit>) -> Either<Vec<ListedSession>, Failure> {
        let listed = async {
            let sessions = self.sessions.of(Owner::new(owner)?);
            let current = current.and_then(Visit::session);
            let listed = sessions.list(current.as_ref()).await?;
            Ok::<_, SessionFailure>(listed.into_iter().map(ListedSession::from).collect())
        };
        outcome(listed.await)
    }

    /// Ends one session, if it is the owner's.
    #[napi]
    pub async fn revoke_of_owner(&self, owner: String, id: String) -> Either<bool, Failure> {
        let revoked = async {
            let sessions = self.sessions.of(Owner::new(owner)?);
            // What is no id is nobody's.
            let Ok(id) = id.parse::<SessionId>() else {
                return Ok(false);
            };
            Ok::<_, SessionFailure>(sessions.revoke(id).await?)
        };
        outcome(revoked.await)
    }

    /// Ends all of the owner's sessions, but this one if one is given.
    #[napi]
    pub async fn revoke_all_but(&self, owner: String, except: Option<&Visit>) -> Either<f64, Failure> {
        let revoked = async {
            let sessions = self.sessions.of(Owner::new(owner)?);
            let revoked = match except.and_then(Visit::session) {
                Some(session) => sessions.revoke_others(&session).await?,
                None => sessions.revoke_all().await?,
            };
            Ok::<_, SessionFailure>(revoked as f64)
        };
        outcome(revoked.await)
    }
}
