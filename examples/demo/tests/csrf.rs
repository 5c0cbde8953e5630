//! Requests from other origins, sent by a real browser: what gets to the application's handler, and what doesn't.
//!
//! The victim's browser holds a cookie with `SameSite=None`, so that nothing but the layer stands between. One attacker
//! is on another site (`localhost` to a victim at `127.0.0.1`), the other on another port of the same host, which is the
//! same site, and gets the victim's cookie sent whatever `SameSite` says.

#[allow(dead_code, reason = "this test uses one kind of browser")]
#[path = "browser/driver.rs"]
mod driver;

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Query, Request};
use axum::middleware::{Next, from_fn};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{any, get, post};
use driver::{Driver, LAPTOP};
use fantoccini::Client;
use serde::Deserialize;
use tenure::axum::{CsrfToken, Session, SessionLayer};
use tenure::{
    CsrfTokens, Environment, Keyring, MemoryStore, OriginCheck, Policy, SameSite, Secret, Sessions,
};
use tokio::net::TcpListener;

/// What a page can do to have its browser send a request that may change something. `T` is where to.
const ATTACKS: &[(&str, &str)] = &[
    ("form", "form(T)"),
    ("form-multipart", "form(T, {enctype: 'multipart/form-data'})"),
    ("form-text", "form(T, {enctype: 'text/plain'})"),
    ("form-in-frame", "form(T, {target: 'frame'})"),
    ("form-in-new-window", "form(T, {target: '_blank'})"),
    (
        "fetch",
        "fetch(T, {method: 'POST', credentials: 'include', body: 'x'})",
    ),
    (
        "fetch-no-cors",
        "fetch(T, {method: 'POST', mode: 'no-cors', credentials: 'include', body: 'x'})",
    ),
    (
        "fetch-keepalive",
        "fetch(T, {method: 'POST', mode: 'no-cors', credentials: 'include', keepalive: true})",
    ),
    (
        "fetch-without-referrer",
        "fetch(T, {method: 'POST', mode: 'no-cors', credentials: 'include', referrerPolicy: 'no-referrer'})",
    ),
    ("beacon", "navigator.sendBeacon(T, 'x')"),
    ("websocket", "new WebSocket(T.replace('http', 'ws'))"),
];

/// Attacks that only make sense from elsewhere.
const DETOURS: &[(&str, &str)] = &[
    ("form-sandboxed", "sandboxed(T)"),
    ("form-redirected", "form('/redirect?to=' + encodeURIComponent(T))"),
    (
        "fetch-redirected",
        "fetch('/redirect?to=' + encodeURIComponent(T), {method: 'POST', mode: 'no-cors', credentials: 'include'})",
    ),
];

/// Requests that must change nothing, so they get through from anywhere.
const SAFE: &[(&str, &str)] = &[
    ("image", "new Image().src = T"),
    ("navigation", "location.href = T"),
    ("fetch-get", "fetch(T, {mode: 'no-cors', credentials: 'include'})"),
];

const TOOLS: &str = "
    const form = (to, more = {}) => {
        const form = Object.assign(document.createElement('form'), {method: 'post', action: to, ...more});
        form.innerHTML = '<input name=amount value=7>';
        document.body.append(form);
        form.submit();
    };
    const sandboxed = to => {
        const frame = document.createElement('iframe');
        frame.setAttribute('sandbox', 'allow-forms allow-scripts');
        frame.srcdoc = `<form method=post action='${to}'></form><script>document.forms[0].submit()</script>`;
        document.body.append(frame);
    };
";

/// What arrived at the victim's server, and what of that reached its handler.
#[derive(Clone, Default)]
struct Ledger {
    arrived: Arc<Mutex<Vec<Answered>>>,
    effects: Arc<Mutex<Vec<Effect>>>,
}

/// A request's name, and its answer's status.
type Answered = (String, u16);

/// A request's name, and who was signed in.
type Effect = (String, Option<String>);

#[derive(Deserialize)]
struct Act {
    how: String,
}

#[derive(Deserialize)]
struct To {
    to: String,
}

impl Ledger {
    fn effects(&self) -> BTreeSet<String> {
        self.effects
            .lock()
            .unwrap()
            .iter()
            .map(|(how, _)| how.clone())
            .collect()
    }

    /// The answer's status of what was sent by this name, when it has come.
    async fn status(&self, how: &str) -> u16 {
        for _ in 0..200 {
            let found = self
                .arrived
                .lock()
                .unwrap()
                .iter()
                .find_map(|(sent, status)| (sent == how).then_some(*status));
            if let Some(status) = found {
                return status;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{how} never arrived at the server");
    }
}

/// A server on a free port. The browser finds it by `127.0.0.1` and by `localhost`, which are two sites.
async fn serve(router: Router) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move { axum::serve(listener, router).await });
    port
}

async fn victim(policy: Policy) -> (u16, Ledger) {
    let ledger = Ledger::default();
    let policy = policy
        .environment(Environment::Development)
        .cookie_same_site(SameSite::None);
    let keyring = Keyring::new(Secret::new("T4nXwE6uLsJ1dHfCaGzmQ7Yb0yP2kV9r"));
    let sessions = Sessions::new(policy, keyring, MemoryStore::new()).unwrap();
    let effects = Arc::clone(&ledger.effects);
    let act = any(async move |Query(act): Query<Act>, session: Session| {
        let owner = session.owner().map(|owner| owner.to_string());
        effects.lock().unwrap().push((act.how, owner));
        "done"
    });
    let sign_in = async |session: Session| {
        session.sign_in("ada").unwrap();
        Redirect::to("/")
    };
    let token_form = async |token: CsrfToken| {
        let (token, field) = (token.clone(), token.hidden_field());
        Html(format!(
            "<meta name=csrf-token content='{token}'>
             <form id=urlencoded method=post action='/act?how=token-form'>{field}<input name=amount></form>
             <form id=multipart method=post action='/act?how=token-upload' enctype=multipart/form-data>{field}<input type=file name=file></form>
             <form id=bare method=post action='/act?how=no-token-form'><input name=amount></form>"
        ))
    };
    let arrived = Arc::clone(&ledger.arrived);
    let watch = move |request: Request, next: Next| note_answer(Arc::clone(&arrived), request, next);
    let router = Router::new()
        .route("/", get(async || page()))
        .route("/sign-in", get(sign_in))
        .route("/act", act)
        .route("/token-form", get(token_form))
        .route("/redirect", post(redirect))
        .layer(SessionLayer::new(sessions))
        .layer(from_fn(watch));
    (serve(router).await, ledger)
}

/// Writes down how a request that has a name was answered.
async fn note_answer(arrived: Arc<Mutex<Vec<Answered>>>, request: Request, next: Next) -> Response {
    let is_preflight = request.method() == axum::http::Method::OPTIONS;
    let query = request.uri().query().unwrap_or("").to_owned();
    let response = next.run(request).await;
    if let Some(how) = query.strip_prefix("how=") {
        let how = if is_preflight {
            format!("preflight of {how}")
        } else {
            how.to_owned()
        };
        arrived.lock().unwrap().push((how, response.status().as_u16()));
    }
    response
}

async fn attacker() -> u16 {
    serve(
        Router::new()
            .route("/", get(async || page()))
            .route("/redirect", post(redirect)),
    )
    .await
}

fn page() -> Html<&'static str> {
    Html("<!doctype html><title>page</title><body><iframe name=frame></iframe>")
}

/// 307: the browser sends the same request, with its body, to the other place.
async fn redirect(Query(To { to }): Query<To>) -> impl IntoResponse {
    Redirect::temporary(&to)
}

/// Has a page at this origin send a request to the victim, and tells how it was answered.
async fn send(browser: &Client, from: &str, victim: u16, ledger: &Ledger, how: &str, script: &str) -> u16 {
    browser.goto(&format!("{from}/")).await.unwrap();
    let to = format!("http://127.0.0.1:{victim}/act?how={how}");
    let script = format!("const T = '{to}'; {TOOLS} {script};");
    browser.execute(&script, vec![]).await.unwrap();
    ledger.status(how).await
}

async fn signed_in_browser(driver: &mut Driver, victim: u16) -> Client {
    let browser = driver.browser(&LAPTOP).await;
    browser
        .goto(&format!("http://127.0.0.1:{victim}/sign-in"))
        .await
        .unwrap();
    browser
}

fn names(attacks: &[&[(&str, &str)]]) -> BTreeSet<String> {
    attacks
        .concat()
        .iter()
        .map(|(how, _)| (*how).to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_applications_own_pages_get_through_with_what_changes_something() {
    let (victim, ledger) = victim(Policy::default()).await;
    let attacker = attacker().await;
    let mut driver = Driver::start();
    let browser = signed_in_browser(&mut driver, victim).await;

    for site in ["localhost", "127.0.0.1"] {
        let from = format!("http://{site}:{attacker}");
        for (how, script) in ATTACKS.iter().chain(DETOURS) {
            let how = format!("{how}-from-{site}");
            let status = send(&browser, &from, victim, &ledger, &how, script).await;
            assert_eq!(status, 403, "{how}");
        }
        // The browser asks first, and gets no leave.
        let how = format!("fetch-json-from-{site}");
        let script =
            "return fetch(T, {method: 'POST', headers: {'content-type': 'application/json'}, body: '{}'})
            .catch(() => 0)";
        let preflight = format!("preflight of {how}");
        browser.goto(&format!("{from}/")).await.unwrap();
        let to = format!("http://127.0.0.1:{victim}/act?how={how}");
        browser
            .execute(&format!("const T = '{to}'; {script}"), vec![])
            .await
            .unwrap();
        ledger.status(&preflight).await;
        let sent = ledger
            .arrived
            .lock()
            .unwrap()
            .iter()
            .any(|(sent, _)| *sent == how);
        assert!(!sent, "{how}");
        ledger
            .effects
            .lock()
            .unwrap()
            .retain(|(effect, _)| *effect != how);
    }
    assert_eq!(
        ledger.effects(),
        BTreeSet::new(),
        "nothing of all that reached the handler"
    );

    for site in ["localhost", "127.0.0.1"] {
        let from = format!("http://{site}:{attacker}");
        for (how, script) in SAFE {
            let how = format!("{how}-from-{site}");
            assert_eq!(
                send(&browser, &from, victim, &ledger, &how, script).await,
                200,
                "{how}"
            );
            assert!(ledger.effects().contains(&how));
        }
    }
    ledger.effects.lock().unwrap().clear();

    let own = format!("http://127.0.0.1:{victim}");
    let own_detours = &DETOURS[1..];
    for (how, script) in ATTACKS.iter().chain(own_detours) {
        assert_eq!(
            send(&browser, &own, victim, &ledger, how, script).await,
            200,
            "{how}"
        );
    }
    assert_eq!(ledger.effects(), names(&[ATTACKS, own_detours]));
    let effects = ledger.effects.lock().unwrap().clone();
    assert!(effects.iter().all(|(_, owner)| owner.as_deref() == Some("ada")));
}

/// The same attacks where the check is switched off: they are real, and it is the check that stops them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_check_the_same_attacks_do_get_through_as_the_user() {
    let (victim, ledger) = victim(Policy::default().origin_check(OriginCheck::Off)).await;
    let attacker = attacker().await;
    let mut driver = Driver::start();
    let browser = signed_in_browser(&mut driver, victim).await;
    let from = format!("http://127.0.0.1:{attacker}");
    for (how, script) in ATTACKS.iter().chain(DETOURS) {
        assert_eq!(
            send(&browser, &from, victim, &ledger, how, script).await,
            200,
            "{how}"
        );
    }
    assert_eq!(ledger.effects(), names(&[ATTACKS, DETOURS]));
    let effects = ledger.effects.lock().unwrap().clone();
    for (how, owner) in effects {
        // A sandboxed page has no cookies to send, and all others send the victim's.
        if how != "form-sandboxed" {
            assert_eq!(owner.as_deref(), Some("ada"), "{how}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trusted_origin_gets_through_and_nobody_else() {
    let (friend, stranger) = (attacker().await, attacker().await);
    let trusting = Policy::default().trusted_origins([format!("http://localhost:{friend}")]);
    let (victim, ledger) = victim(trusting).await;
    let mut driver = Driver::start();
    let browser = signed_in_browser(&mut driver, victim).await;
    let form = "form(T)";
    let friends = format!("http://localhost:{friend}");
    assert_eq!(
        send(&browser, &friends, victim, &ledger, "friend", form).await,
        200
    );
    for (how, from) in [
        ("other-port", format!("http://localhost:{stranger}")),
        ("other-host", format!("http://127.0.0.1:{friend}")),
    ] {
        assert_eq!(
            send(&browser, &from, victim, &ledger, how, form).await,
            403,
            "{how}"
        );
    }
    assert_eq!(ledger.effects(), BTreeSet::from(["friend".to_owned()]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn demanded_tokens_are_taken_from_real_forms_uploads_and_scripts() {
    let demanding = Policy::default()
        .origin_check(OriginCheck::Off)
        .csrf_tokens(CsrfTokens::Demanded);
    let (victim, ledger) = victim(demanding).await;
    let attacker = attacker().await;
    let mut driver = Driver::start();
    let browser = signed_in_browser(&mut driver, victim).await;

    let page = format!("http://127.0.0.1:{victim}/token-form");
    for (how, script, expected) in [
        ("token-form", "document.forms.urlencoded.submit()", 200),
        ("token-upload", "document.forms.multipart.submit()", 200),
        ("no-token-form", "document.forms.bare.submit()", 403),
        (
            "token-fetch",
            "fetch('/act?how=token-fetch', {method: 'DELETE', headers: {
                'x-csrf-token': document.querySelector('meta[name=csrf-token]').content}})",
            200,
        ),
        (
            "no-token-fetch",
            "fetch('/act?how=no-token-fetch', {method: 'DELETE'})",
            403,
        ),
    ] {
        browser.goto(&page).await.unwrap();
        browser.execute(&format!("{script};"), vec![]).await.unwrap();
        assert_eq!(ledger.status(how).await, expected, "{how}");
    }
    let from = format!("http://127.0.0.1:{attacker}");
    assert_eq!(
        send(&browser, &from, victim, &ledger, "forged", "form(T)").await,
        403
    );
    let expected = ["token-form", "token-upload", "token-fetch"].map(str::to_owned);
    assert_eq!(ledger.effects(), BTreeSet::from(expected));
}
