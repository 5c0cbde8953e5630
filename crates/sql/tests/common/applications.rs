//! Two applications on one database, as two processes have it: each with a store of its own.

use http::HeaderMap;
use tenure_core::{Owner, Session, Sessions, Store};
use tokio::task::JoinSet;

use super::{COUNT, START, count_one_more, sessions, visit};

const REQUESTS: usize = 48;
const ROUNDS: usize = 10;

/// Requests to both, with the same cookie, count in one session.
pub(crate) async fn lose_no_count<S: Store>(stores: [S; 2]) {
    let applications = stores.map(sessions);
    let request = visit(&applications[0], &HeaderMap::new(), |session| {
        session.insert(COUNT, &0).unwrap();
    })
    .await;
    let mut requests = JoinSet::new();
    for number in 0..REQUESTS {
        let application = applications[number % 2].clone();
        let request = request.clone();
        requests.spawn(async move { visit(&application, &request, count_one_more).await });
    }
    requests.join_all().await;
    visit(&applications[1], &request, |session| {
        assert_eq!(session.get(COUNT).unwrap(), Some(REQUESTS as u64));
    })
    .await;
}

/// Among requests to both that count, one signs out.
pub(crate) async fn sign_out_finally<S: Store + Clone>(stores: [S; 2]) {
    let applications = stores.clone().map(sessions);
    for round in 0..ROUNDS {
        let request = signed_in(&applications[0]).await;
        let mut requests = JoinSet::new();
        for number in 0..8 {
            let application = applications[number % 2].clone();
            let request = request.clone();
            let act = if number == 5 {
                sign_out
            } else {
                count_one_more_if_signed_in
            };
            requests.spawn(async move { visit(&application, &request, act).await });
        }
        requests.join_all().await;
        nobody_is_signed_in(&applications, &request, round).await;
        nothing_is_left(&stores[0], round).await;
    }
}

/// While requests to both count in an owner's sessions, all of these are revoked.
pub(crate) async fn revoke_finally<S: Store + Clone>(stores: [S; 2]) {
    let applications = stores.clone().map(sessions);
    for round in 0..ROUNDS {
        let browsers = [
            signed_in(&applications[0]).await,
            signed_in(&applications[1]).await,
            signed_in(&applications[0]).await,
        ];
        let mut requests = JoinSet::new();
        for number in 0..12 {
            let application = applications[number % 2].clone();
            let request = browsers[number % 3].clone();
            requests.spawn(async move {
                visit(&application, &request, count_one_more_if_signed_in).await;
            });
        }
        let store = stores[1].clone();
        requests.spawn(async move {
            store.remove_by_owner(&alice(), None).await.unwrap();
        });
        requests.join_all().await;
        for request in &browsers {
            nobody_is_signed_in(&applications, request, round).await;
        }
        nothing_is_left(&stores[0], round).await;
    }
}

fn alice() -> Owner {
    Owner::new("alice").unwrap()
}

/// What the browser sends from now on.
pub(crate) async fn signed_in(application: &Sessions) -> HeaderMap {
    visit(application, &HeaderMap::new(), |session| {
        session.insert(COUNT, &0).unwrap();
        session.sign_in("alice").unwrap();
    })
    .await
}

async fn nobody_is_signed_in(applications: &[Sessions], request: &HeaderMap, round: usize) {
    for application in applications {
        visit(application, request, |session| {
            assert_eq!(session.owner(), None, "round {round}");
        })
        .await;
    }
}

async fn nothing_is_left(store: &impl Store, round: usize) {
    let left = store.list_by_owner(&alice(), START).await.unwrap();
    assert_eq!(left, [], "round {round}");
}

fn sign_out(session: &Session) {
    session.sign_out();
}

fn count_one_more_if_signed_in(session: &Session) {
    if session.owner().is_some() {
        count_one_more(session);
    }
}
