//! What the middleware costs in heap allocations, which are exact on any machine.

use actix_web::App;
use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::http::header::{COOKIE, SET_COOKIE};
use actix_web::test::{TestRequest, init_service};
use actix_web::web::get;
use tenure_actix::{Session, SessionLayer};
use tenure_core::{Environment, Key, Keyring, MemoryStore, Policy, Secret, Sessions};

const NUMBER: Key<u64> = Key::new("n");

fn sessions() -> Sessions {
    let policy = Policy::default().environment(Environment::Development);
    let keyring = Keyring::new(Secret::new("T4nXwE6uLsJ1dHfCaGzmQ7Yb0yP2kV9r"));
    Sessions::new(policy, keyring, MemoryStore::new()).unwrap()
}

async fn reads(session: Session) -> &'static str {
    assert_eq!(session.get(NUMBER).unwrap(), Some(7));
    "x"
}

async fn writes(session: Session) -> &'static str {
    session.insert(NUMBER, &7).unwrap();
    "x"
}

/// How many allocations one request to `path` takes when it runs warm.
fn allocations<T, B>(app: App<T>, path: &str, first: Option<&str>) -> u64
where
    T: ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<B>,
            Error = actix_web::Error,
            InitError = (),
        > + 'static,
    B: MessageBody,
{
    let system = actix_web::rt::System::new();
    system.block_on(async {
        let service = init_service(app).await;
        let mut cookie = "__Host-session=none".to_owned();
        if let Some(first) = first {
            let made = service.call(TestRequest::get().uri(first).to_request()).await;
            let made = made.unwrap();
            let set_cookie = made.headers().get(SET_COOKIE).unwrap().to_str().unwrap();
            cookie = set_cookie.split(';').next().unwrap().to_owned();
        }
        let mut least = u64::MAX;
        for _ in 0..20 {
            let request = TestRequest::get()
                .uri(path)
                .insert_header((COOKIE, cookie.clone()));
            let request = request.to_request();
            let (counted, response) = measured(async { service.call(request).await }).await;
            assert_eq!(response.unwrap().status(), 200);
            least = least.min(counted);
        }
        least
    })
}

/// The allocations of a future that never waits for anything but the memory store.
async fn measured<T>(future: impl Future<Output = T>) -> (u64, T) {
    let mut future = std::pin::pin!(future);
    std::future::poll_fn(|context| {
        let mut polled = std::task::Poll::Pending;
        let counted = allocation_counter::measure(|| polled = future.as_mut().poll(context));
        polled.map(|output| (counted.count_total, output))
    })
    .await
}

#[test]
fn a_request_costs_few_allocations_more_than_the_bare_application() {
    let bare = || App::new().route("/", get().to(async || "x"));
    let with_sessions = || {
        App::new()
            .wrap(SessionLayer::new(sessions()))
            .route("/", get().to(async || "x"))
            .route("/reads", get().to(reads))
            .route("/writes", get().to(writes))
    };
    let bare = allocations(bare(), "/", None);
    let ignored = allocations(with_sessions(), "/", Some("/writes")) - bare;
    let read = allocations(with_sessions(), "/reads", Some("/writes")) - bare;
    println!("bare {bare}, ignored +{ignored}, read +{read}");
    assert!(
        ignored <= 16,
        "a handler that ignores the session costs {ignored} allocations more"
    );
    assert!(
        read <= 24,
        "a handler that reads a value costs {read} allocations more"
    );
}
