//! What the layer costs in heap allocations, which are exact on any machine.

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderValue, Request};
use tenure_core::{Environment, Key, Keyring, MemoryStore, Policy, Secret, Sessions};
use tenure_tower::{Session, SessionLayer};
use tower::ServiceExt;

const NAME: Key<u64> = Key::new("n");

fn sessions() -> Sessions {
    let policy = Policy::default().environment(Environment::Development);
    let keyring = Keyring::new(Secret::new("T4nXwE6uLsJ1dHfCaGzmQ7Yb0yP2kV9r"));
    Sessions::new(policy, keyring, MemoryStore::new()).unwrap()
}

fn routes() -> Router {
    Router::new()
        .route("/ignores", get(async || "x"))
        .route(
            "/writes",
            get(async |session: Session| session.insert(NAME, &7).unwrap()),
        )
        .route(
            "/reads",
            get(async |session: Session| {
                assert_eq!(session.get(NAME).unwrap(), Some(7));
                "x"
            }),
        )
}

#[derive(Clone)]
struct Nothing;

/// Everything a request needs, made beforehand; then the count of one request that runs warm.
fn allocations(router: &Router, path: &str, cookie: &HeaderValue) -> u64 {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut least = u64::MAX;
    for _ in 0..20 {
        let mut request = Request::builder().uri(path).body(Body::empty()).unwrap();
        request.headers_mut().insert(COOKIE, cookie.clone());
        let router = router.clone();
        let mut response = None;
        let counted = allocation_counter::measure(|| {
            response = Some(runtime.block_on(router.oneshot(request)).unwrap());
        });
        assert_eq!(response.unwrap().status(), 200);
        least = least.min(counted.count_total);
    }
    least
}

fn cookie_of(router: &Router) -> HeaderValue {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let request = Request::builder().uri("/writes").body(Body::empty()).unwrap();
    let response = runtime.block_on(router.clone().oneshot(request)).unwrap();
    let set_cookie = response.headers()[SET_COOKIE].to_str().unwrap();
    HeaderValue::from_str(set_cookie.split(';').next().unwrap()).unwrap()
}

#[test]
fn a_request_costs_few_allocations_more_than_the_bare_router() {
    let with_sessions = routes().layer(SessionLayer::new(sessions()));
    let bare = Router::new()
        .route("/ignores", get(async || "x"))
        .route("/reads", get(async || "x"));
    let extension = bare.clone().layer(axum::Extension(Nothing));
    let cookie = cookie_of(&with_sessions);

    let bare_count = allocations(&bare, "/ignores", &cookie);
    let extension_only = allocations(&extension, "/ignores", &cookie) - bare_count;
    let ignored = allocations(&with_sessions, "/ignores", &cookie) - bare_count;
    let read = allocations(&with_sessions, "/reads", &cookie) - allocations(&bare, "/reads", &cookie);

    println!("bare {bare_count}, extension +{extension_only}, ignored +{ignored}, read +{read}");
    assert!(
        ignored <= 9,
        "a handler that ignores the session costs {ignored} allocations more"
    );
    assert!(
        read <= 15,
        "a handler that reads a value costs {read} allocations more"
    );
}
