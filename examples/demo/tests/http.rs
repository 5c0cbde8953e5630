//! The app over HTTP: every JSON endpoint, the pages' flows, and many requests at once.

mod common;

use std::time::Duration;

use common::{Answer, Server, Visitor};
use reqwest::{Method, StatusCode};
use serde_json::json;
use tenure::store::{Operation, Store};
use tenure::{MemoryStore, Owner};
use tenure_testkit::FaultyStore;

const MINUTE: Duration = Duration::from_secs(60);

#[track_caller]
fn assert_redirect(answer: &Answer, location: &str) {
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{answer:?}");
    assert_eq!(answer.location(), location);
}

#[tokio::test]
async fn a_visitor_without_a_session_is_nobody_and_gets_no_cookie() {
    let server = Server::with_memory().await;
    let answer = server.visitor().get("/api/session").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(
        answer.value(),
        json!({"signed_in": false, "owner": null, "idle_expires_in": null, "absolute_expires_in": null})
    );
    assert_eq!(server.visitor().get("/").await.set_cookie(), None);
}

#[tokio::test]
async fn signing_up_signs_in() {
    let server = Server::with_memory().await;
    let mut ada = server.visitor();
    let answer = ada.sign_up("Ada").await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!(answer.value(), json!({"owner": "ada"}));
    assert_eq!(
        ada.session().await,
        json!({"signed_in": true, "owner": "ada", "idle_expires_in": 1_800, "absolute_expires_in": 43_200})
    );
}

#[tokio::test]
async fn signing_in_needs_the_right_name_and_password_and_does_not_say_which_was_wrong() {
    let server = Server::with_memory().await;
    server.visitor().sign_up("ada").await;

    let mut visitor = server.visitor();
    let wrong_password = visitor
        .json(
            "/api/sign-in",
            json!({"name": "ada", "password": "wrong password"}),
        )
        .await;
    let wrong_name = visitor.sign_in("bob").await;
    let no_name = visitor.sign_in("not a name").await;
    for refused in [&wrong_password, &wrong_name, &no_name] {
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
        assert_eq!(refused.value(), json!({"error": "Name or password is wrong."}));
        assert_eq!(refused.set_cookie(), None);
    }

    let answer = visitor.sign_in("ada").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.value(), json!({"owner": "ada"}));
}

#[tokio::test]
async fn a_taken_name_and_what_breaks_the_rules_is_refused() {
    let server = Server::with_memory().await;
    server.visitor().sign_up("ada").await;

    let mut visitor = server.visitor();
    let taken = visitor.sign_up("ADA").await;
    assert_eq!(taken.status, StatusCode::CONFLICT);

    let bad_name = visitor.sign_up("a b").await;
    assert_eq!(bad_name.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(bad_name.body.contains("3 to 32"), "{bad_name:?}");

    let short = visitor
        .json("/api/sign-up", json!({"name": "bob", "password": "1234567"}))
        .await;
    assert_eq!(short.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(short.body.contains("at least 8"), "{short:?}");
    assert_eq!(visitor.session().await["signed_in"], false);
}

#[tokio::test]
async fn a_body_must_be_json_and_say_so() {
    let server = Server::with_memory().await;
    let mut visitor = server.visitor();
    let form = visitor
        .form("/api/sign-in", "name=ada&password=analytical+engine")
        .await;
    assert_eq!(form.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert!(form.value()["error"].is_string());

    let incomplete = visitor.json("/api/sign-in", json!({"name": "ada"})).await;
    assert_eq!(incomplete.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(incomplete.value()["error"].is_string());
}

#[tokio::test]
async fn the_count_goes_on_through_signing_in() {
    let server = Server::with_memory().await;
    let mut visitor = server.visitor();
    assert_eq!(visitor.post("/api/count").await.value(), json!({"count": 1}));
    assert_eq!(visitor.post("/api/count").await.value(), json!({"count": 2}));
    let before = visitor.cookie.clone();
    visitor.sign_up("ada").await;
    assert_ne!(visitor.cookie, before, "signing in gives a new secret");
    assert_eq!(visitor.post("/api/count").await.value(), json!({"count": 3}));
}

#[tokio::test]
async fn signing_out_ends_the_session_and_its_cookie() {
    let server = Server::with_memory().await;
    let mut nobody = server.visitor();
    assert_eq!(nobody.post("/api/sign-out").await.status, StatusCode::OK);

    let mut ada = server.visitor();
    ada.sign_up("ada").await;
    let mut thief = ada.clone();
    assert_eq!(ada.post("/api/sign-out").await.status, StatusCode::OK);
    assert_eq!(ada.cookie, None, "the browser is told to forget it");
    assert_eq!(thief.session().await["signed_in"], false);
}

#[tokio::test]
async fn the_cookie_has_every_attribute_and_lasts_12_hours_or_30_days() {
    let server = Server::with_memory().await;
    let mut ada = server.visitor();
    let answer = ada.sign_up("ada").await;
    let cookie = answer.set_cookie().unwrap();
    assert!(cookie.starts_with("__Host-session="), "{cookie}");
    for attribute in ["Secure", "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=43200"] {
        assert!(
            cookie.split("; ").any(|part| part == attribute),
            "{attribute} is missing in {cookie}"
        );
    }

    let kept = json!({"name": "ada", "password": "analytical engine", "remember": true});
    let answer = server.visitor().json("/api/sign-in", kept).await;
    let cookie = answer.set_cookie().unwrap();
    assert!(cookie.contains("Max-Age=2592000"), "{cookie}");
}

#[tokio::test]
async fn asking_about_the_session_does_not_keep_it_alive() {
    let server = Server::with_memory().await;
    let mut ada = server.visitor();
    ada.sign_up("ada").await;
    server.advance(20 * MINUTE);
    assert_eq!(ada.session().await["idle_expires_in"], 600);
    server.advance(5 * MINUTE);
    assert_eq!(ada.session().await["idle_expires_in"], 300);
    assert_eq!(ada.get("/").await.status, StatusCode::OK);
    assert_eq!(ada.session().await["idle_expires_in"], 1_800, "a page does");
}

#[tokio::test]
async fn after_the_idle_timeout_the_next_page_says_so() {
    let server = Server::with_memory().await;
    let mut ada = server.visitor();
    ada.sign_up("ada").await;
    server.advance(30 * MINUTE);
    let mut other_tab = ada.clone();

    assert_redirect(&ada.get("/account").await, "/sign-in?reason=idle");
    let page = ada.get("/sign-in?reason=idle").await;
    assert!(
        page.body.contains("there was no activity for a while"),
        "{page:?}"
    );

    let home = other_tab.get("/").await;
    assert!(
        home.body.contains("there was no activity for a while"),
        "{home:?}"
    );
}

#[tokio::test]
async fn after_the_absolute_timeout_the_next_page_says_so() {
    let server = Server::with_memory().await;
    let mut ada = server.visitor();
    ada.sign_up("ada").await;
    for _ in 0..35 {
        server.advance(20 * MINUTE);
        assert_eq!(ada.get("/account").await.status, StatusCode::OK);
    }
    server.advance(20 * MINUTE); // 12 hours in all
    assert_redirect(&ada.get("/account").await, "/sign-in?reason=absolute");
    let page = ada.get("/sign-in?reason=absolute").await;
    assert!(page.body.contains("reached its time limit"), "{page:?}");
}

#[tokio::test]
async fn forms_of_a_page_that_is_out_of_date_lead_to_the_sign_in_page() {
    let server = Server::with_memory().await;
    let mut ada = server.visitor();
    ada.sign_up("ada").await;
    server.advance(30 * MINUTE);
    for (path, fields) in [("/count", ""), ("/note", "note=late")] {
        let answer = ada.clone().form(path, fields).await;
        assert_redirect(&answer, "/sign-in?reason=idle");
    }
}

#[tokio::test]
async fn a_made_up_reason_says_nothing() {
    let server = Server::with_memory().await;
    let page = server
        .visitor()
        .get("/sign-in?reason=%3Cb%3Eyou+won%3C%2Fb%3E")
        .await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(!page.body.contains("you won"), "{page:?}");
}

#[tokio::test]
async fn the_account_page_is_for_the_signed_in() {
    let server = Server::with_memory().await;
    let answer = server.visitor().get("/account").await;
    assert_redirect(&answer, "/sign-in?reason=sign-in-first");
}

/// Ada on her laptop and on her phone.
async fn two_devices(server: &Server) -> (Visitor, Visitor) {
    let mut laptop = server.visitor();
    laptop.sign_up("ada").await;
    let mut phone = server.visitor();
    phone.user_agent = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) Version/18.5 Safari/604.1";
    phone.sign_in("ada").await;
    (laptop, phone)
}

/// The id of the session that is not this one.
async fn id_of_the_other(server: &Server) -> String {
    let owner = Owner::new("ada").unwrap();
    let sessions = server.sessions.of(owner).list(None).await.unwrap();
    let phone = sessions
        .iter()
        .find(|info| info.device.user_agent().unwrap().contains("iPhone"));
    phone.unwrap().id.to_string()
}

#[tokio::test]
async fn the_account_page_lists_the_devices() {
    let server = Server::with_sqlite().await;
    let (mut laptop, mut phone) = two_devices(&server).await;
    server.advance(5 * MINUTE);
    let page = laptop.get("/account").await.body;
    for text in [
        "Firefox on Linux",
        "Safari on iPhone",
        "5 minutes ago",
        "just now",
    ] {
        assert!(page.contains(text), "{text} is missing in {page}");
    }
    let this_device = page.find("This device").unwrap();
    assert!(this_device < page.find("Safari on iPhone").unwrap(), "{page}");
    assert_eq!(page.matches("This device").count(), 1);
    assert_eq!(
        phone
            .get("/account")
            .await
            .body
            .matches("class=\"card device")
            .count(),
        2
    );
}

#[tokio::test]
async fn one_device_is_signed_out_from_another_and_says_so() {
    let server = Server::with_sqlite().await;
    let (mut laptop, mut phone) = two_devices(&server).await;
    let path = format!("/account/sessions/{}/sign-out", id_of_the_other(&server).await);
    assert_redirect(&laptop.post(&path).await, "/account");
    let page = laptop.get("/account").await.body;
    assert!(page.contains("That device is signed out."), "{page}");
    assert!(!page.contains("Safari on iPhone"), "{page}");

    assert_redirect(&phone.get("/account").await, "/sign-in?reason=ended");
    let page = phone.get("/sign-in?reason=ended").await.body;
    assert!(page.contains("Your session was ended"), "{page}");
}

#[tokio::test]
async fn nobody_signs_out_the_devices_of_others() {
    let server = Server::with_sqlite().await;
    let (_, mut phone) = two_devices(&server).await;
    let mut mallory = server.visitor();
    mallory.sign_up("mallory").await;
    let path = format!("/account/sessions/{}/sign-out", id_of_the_other(&server).await);
    assert_redirect(&mallory.post(&path).await, "/account");
    assert_redirect(
        &mallory.post("/account/sessions/nonsense/sign-out").await,
        "/account",
    );
    assert_eq!(phone.session().await["signed_in"], true);
}

#[tokio::test]
async fn all_other_devices_are_signed_out_at_once() {
    let server = Server::with_sqlite().await;
    let (mut laptop, mut phone) = two_devices(&server).await;
    assert_redirect(&laptop.post("/account/sign-out-others").await, "/account");
    assert!(
        laptop
            .get("/account")
            .await
            .body
            .contains("One other device is signed out.")
    );
    assert_eq!(phone.session().await["signed_in"], false);
}

#[tokio::test]
async fn changing_the_password_signs_out_all_other_devices_and_gives_this_one_a_new_cookie() {
    let server = Server::with_sqlite().await;
    let (mut laptop, mut phone) = two_devices(&server).await;
    let before = laptop.cookie.clone();
    let fields = "current=analytical+engine&new=difference+engine";
    assert_redirect(&laptop.form("/account/password", fields).await, "/account");
    assert_ne!(laptop.cookie, before);
    let page = laptop.get("/account").await.body;
    assert!(
        page.contains("Your password is changed. One other device is signed out."),
        "{page}"
    );
    assert_eq!(phone.session().await["signed_in"], false);

    let mut visitor = server.visitor();
    assert_eq!(visitor.sign_in("ada").await.status, StatusCode::UNAUTHORIZED);
    let credentials = json!({"name": "ada", "password": "difference engine"});
    assert_eq!(
        visitor.json("/api/sign-in", credentials).await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn a_password_is_changed_only_by_who_knows_the_current_one_and_guesses_at_it_have_to_wait() {
    let server = Server::with_memory().await;
    let (mut laptop, mut phone) = two_devices(&server).await;
    let guess = "current=wrong+password&new=difference+engine";
    for said in [
        "The current password is wrong.",
        "The current password is wrong.",
        "The current password is wrong.",
        "The current password is wrong.",
        "The current password is wrong.",
        "Please try again in 1 s.",
    ] {
        assert_redirect(&laptop.form("/account/password", guess).await, "/account");
        let page = laptop.get("/account").await.body;
        assert!(page.contains(said), "{said} is missing in {page}");
    }
    server.advance(MINUTE);
    let too_short = "current=analytical+engine&new=short";
    assert_redirect(&laptop.form("/account/password", too_short).await, "/account");
    let page = laptop.get("/account").await.body;
    assert!(page.contains("at least 8"), "{page}");
    assert_eq!(phone.session().await["signed_in"], true);
    assert_eq!(server.visitor().sign_in("ada").await.status, StatusCode::OK);
}

#[tokio::test]
async fn signing_out_everywhere_includes_this_device() {
    let server = Server::with_sqlite().await;
    let (mut laptop, mut phone) = two_devices(&server).await;
    let answer = laptop.post("/account/sign-out-everywhere").await;
    assert_redirect(&answer, "/sign-in?reason=signed-out");
    assert_eq!(laptop.cookie, None);
    assert_eq!(phone.session().await["signed_in"], false);
}

#[tokio::test]
async fn forms_post_and_redirect_and_their_message_is_shown_once() {
    let server = Server::with_memory().await;
    let mut ada = server.visitor();
    let signed_up = ada
        .form("/sign-up", "name=ada&password=analytical+engine&remember=true")
        .await;
    assert_redirect(&signed_up, "/");
    assert!(signed_up.set_cookie().unwrap().contains("Max-Age=2592000"));
    assert!(ada.get("/").await.body.contains("Welcome, ada."));
    assert!(!ada.get("/").await.body.contains("Welcome, ada."));

    assert_redirect(&ada.form("/count", "").await, "/");
    assert_redirect(&ada.form("/note", "note=buy+milk+%3Cb%3E").await, "/");
    let home = ada.get("/").await.body;
    assert!(home.contains("Your note is kept."), "{home}");
    assert!(home.contains("buy milk &#60;b&#62;</textarea>"), "{home}");
    assert!(home.contains(">1</output>"), "{home}");

    let too_long = format!("note={}", "x".repeat(501));
    assert_redirect(&ada.form("/note", &too_long).await, "/");
    assert!(ada.get("/").await.body.contains("at most 500 characters"));

    assert_redirect(&ada.form("/sign-out", "").await, "/sign-in?reason=signed-out");
    assert!(
        ada.get("/sign-in?reason=signed-out")
            .await
            .body
            .contains("You are signed out.")
    );
}

#[tokio::test]
async fn a_form_that_was_refused_says_why_and_keeps_the_name() {
    let server = Server::with_memory().await;
    let mut visitor = server.visitor();
    assert_redirect(
        &visitor.form("/sign-in", "name=ada&password=wrong+password").await,
        "/sign-in",
    );
    let page = visitor.get("/sign-in").await.body;
    assert!(page.contains("Name or password is wrong."), "{page}");
    assert!(page.contains("value=\"ada\""), "{page}");
    assert!(!page.contains("wrong password"), "{page}");

    assert_redirect(
        &visitor.form("/sign-up", "name=a&password=short").await,
        "/sign-up",
    );
    let page = visitor.get("/sign-up").await.body;
    assert!(page.contains("A name has 3 to 32 characters"), "{page}");
}

#[tokio::test]
async fn every_answer_has_the_security_headers() {
    let server = Server::with_memory().await;
    for path in ["/", "/sign-in", "/style.css", "/api/session", "/no-such-page"] {
        let headers = server.visitor().get(path).await.headers;
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(headers["referrer-policy"], "same-origin", "{path}");
    }
    for path in ["/", "/sign-in", "/api/session"] {
        let headers = server.visitor().get(path).await.headers;
        assert_eq!(headers["cache-control"], "no-store", "{path}");
    }
}

#[tokio::test]
async fn signing_out_clears_the_browser_only_if_the_program_was_told_to() {
    for (server, expected) in [
        (Server::with_memory().await, None),
        (Server::clearing_site_data().await, Some("\"cache\", \"storage\"")),
    ] {
        for path in ["/sign-out", "/account/sign-out-everywhere"] {
            let mut ada = server.visitor();
            if ada.sign_up("ada").await.status != StatusCode::OK {
                ada.sign_in("ada").await;
            }
            let answer = ada.form(path, "").await;
            assert_redirect(&answer, "/sign-in?reason=signed-out");
            let clear = answer.headers.get("clear-site-data");
            assert_eq!(clear.map(|value| value.to_str().unwrap()), expected, "{path}");
        }
    }
}

#[tokio::test]
async fn the_session_tells_how_it_stands_and_keeps_its_routes_from_other_sites() {
    let server = Server::with_memory().await;
    let mut ada = server.visitor();
    ada.sign_up("ada").await;
    let status = ada.get("/session/status").await;
    assert_eq!(status.value()["state"], "live");
    assert_eq!(status.headers["cache-control"], "no-store");
    assert_eq!(
        ada.post("/session/extend").await.status,
        StatusCode::FORBIDDEN,
        "a request that does not come from a page of this site"
    );
}

#[tokio::test]
async fn nothing_changes_by_a_get() {
    let server = Server::with_memory().await;
    for path in [
        "/count",
        "/note",
        "/sign-out",
        "/api/count",
        "/api/sign-in",
        "/api/sign-out",
        "/session/extend",
        "/session/sign-out",
        "/account/sign-out-others",
        "/account/sign-out-everywhere",
    ] {
        let answer = server.visitor().get(path).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
    }
}

#[tokio::test]
async fn a_session_that_ends_while_a_request_runs_is_a_conflict() {
    let store = FaultyStore::new(MemoryStore::new());
    let server = Server::with_store(store.clone()).await;
    let mut ada = server.visitor();
    ada.sign_up("ada").await;
    let owner = Owner::new("ada").unwrap();

    store.reset_counts();
    store.delay(Duration::from_millis(300));
    let count = tokio::spawn(async move { ada.post("/api/count").await });
    while store.calls(Operation::Update) == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    store.inner().remove_by_owner(&owner, None).await.unwrap();

    let answer = count.await.unwrap();
    assert_eq!(answer.status, StatusCode::CONFLICT, "{answer:?}");
    assert!(answer.value()["error"].is_string());
    assert_eq!(answer.set_cookie(), None);
}

#[tokio::test]
async fn a_store_that_fails_is_503_and_signs_nobody_out() {
    let store = FaultyStore::new(MemoryStore::new());
    let server = Server::with_store(store.clone()).await;
    let mut ada = server.visitor();
    ada.sign_up("ada").await;
    store.fail(Operation::Load);
    for path in ["/", "/account", "/api/session"] {
        let answer = ada.get(path).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert!(answer.headers.contains_key("retry-after"), "{path}");
    }
    store.heal();
    assert_eq!(ada.session().await["signed_in"], true);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_count_is_lost_among_64_clients_on_sqlite() {
    no_count_is_lost(Server::with_sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_count_is_lost_among_64_clients_in_memory() {
    no_count_is_lost(Server::with_memory().await).await;
}

async fn no_count_is_lost(server: Server) {
    const CLIENTS: usize = 64;
    const COUNTS_EACH: usize = 50;

    let mut ada = server.visitor();
    ada.sign_up("ada").await;
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            // A client of its own, so a connection of its own, with Ada's cookie.
            let mut client = server.visitor();
            client.cookie.clone_from(&ada.cookie);
            tokio::spawn(async move {
                for _ in 0..COUNTS_EACH {
                    let answer = client.try_send(Method::POST, "/api/count", None).await.unwrap();
                    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
                }
            })
        })
        .collect();
    for client in clients {
        client.await.unwrap();
    }
    let count = ada.post("/api/count").await.value()["count"].clone();
    assert_eq!(count, CLIENTS * COUNTS_EACH + 1);
}
