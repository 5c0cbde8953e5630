//! Two applications on one database, as two processes have it: each with a store of its own.

use http::HeaderMap;
use tenure_core::Sessions;

use super::{COUNT, visit};

pub(crate) use tenure_testkit::instances::{lose_no_count, revoke_finally, sign_out_finally};

/// What the browser sends from now on.
pub(crate) async fn signed_in(application: &Sessions) -> HeaderMap {
    visit(application, &HeaderMap::new(), |session| {
        session.insert(COUNT, &0).unwrap();
        session.sign_in("alice").unwrap();
    })
    .await
}
