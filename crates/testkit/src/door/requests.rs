//! Ordinary requests, and cookies that are not.

use std::time::Duration;

use reqwest::StatusCode;

use super::setup::Setup;
use super::visitor::SESSION_COOKIE;
use super::{Door, OUTER_COOKIE};

const MINUTE: Duration = Duration::from_secs(60);

/// The first write begins a session; its cookie has every attribute, and nobody may cache it.
pub async fn a_write_makes_a_session_and_a_cookie_that_the_next_request_uses<D: Door>() {
    let visitor = Setup::new::<D>().await.visitor();
    let first = visitor.post("/count").await;
    let set_cookie = first.header("set-cookie").unwrap();
    assert!(set_cookie.starts_with("__Host-session="), "{set_cookie}");
    assert!(
        set_cookie.ends_with("; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=43200"),
        "{set_cookie}"
    );
    assert_eq!(first.header("cache-control"), Some("no-store"));
    assert_eq!(first.header("vary"), Some("cookie"));
    assert_eq!(first.text, "1");
    let second = visitor.post("/count").await;
    assert!(!second.sets_cookie());
    assert_eq!(second.text, "2");
}

/// Reading begins no session.
pub async fn a_request_that_only_reads_sets_no_cookie<D: Door>() {
    let setup = Setup::new::<D>().await;
    let answer = setup.visitor().get("/read").await;
    assert_eq!((answer.text.as_str(), answer.sets_cookie()), ("none", false));
    assert_eq!(setup.store.total_calls(), 0);
}

/// A genuine cookie alone costs nothing.
pub async fn a_handler_that_does_not_ask_causes_no_store_call<D: Door>() {
    let setup = Setup::new::<D>().await;
    let ada = setup.ada().await;
    setup.store.reset_counts();
    assert_eq!(ada.get("/static").await.text, "static");
    assert_eq!(setup.store.total_calls(), 0);
}

/// `SignedIn` is 401 for strangers, and its `Option` is `None`.
pub async fn nobody_is_signed_in_until_somebody_signs_in<D: Door>() {
    let visitor = Setup::new::<D>().await.visitor();
    assert_eq!(visitor.get("/me").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(visitor.get("/maybe").await.text, "nobody");
    visitor.post("/sign-in").await;
    assert_eq!(visitor.get("/me").await.text, "ada");
    assert_eq!(visitor.get("/maybe").await.text, "ada");
}

/// `PassiveSession` slides nothing.
pub async fn looking_is_no_activity<D: Door>() {
    let setup = Setup::new::<D>().await;
    let visitor = setup.visitor();
    visitor.post("/count").await;
    for _ in 0..3 {
        setup.clock.advance(9 * MINUTE);
        assert_eq!(visitor.get("/peek").await.text, "1");
    }
    setup.clock.advance(3 * MINUTE);
    assert_eq!(visitor.get("/peek").await.text, "none");
}

/// A forged cookie goes away at once.
pub async fn a_forged_cookie_is_removed_even_if_nobody_asks_for_the_session<D: Door>() {
    let visitor = Setup::new::<D>().await.visitor();
    visitor.plant(SESSION_COOKIE, "forged");
    assert!(visitor.get("/static").await.removes_cookie());
    assert_eq!(visitor.cookie(), None);
}

/// Fixation: who plants a cookie of theirs is left outside when the victim signs in.
pub async fn a_planted_cookie_never_becomes_a_session<D: Door>() {
    let attacker = Setup::new::<D>().await.visitor();
    attacker.post("/count").await;
    let victim = attacker.copy();
    victim.post("/sign-in").await;
    assert_ne!(victim.cookie(), attacker.cookie());
    assert_eq!(victim.get("/me").await.text, "ada");
    assert_eq!(attacker.get("/me").await.status, StatusCode::UNAUTHORIZED);
    let read = attacker.get("/read").await;
    assert_eq!((read.text.as_str(), read.sets_cookie()), ("none", false));
}

/// Whatever is sent as a cookie.
pub async fn hostile_cookie_headers_cost_no_store_call_and_no_server_error<D: Door>() {
    let setup = Setup::new::<D>().await;
    let many: String = (0..200)
        .map(|number| format!("__Host-session=v{number}; "))
        .collect();
    let long = format!("__Host-session={}", "A".repeat(16 * 1024));
    for cookies in [
        long.as_bytes(),
        many.as_bytes(),
        b"__Host-session=\xff\xfe; a=\x80",
        b";;;=;__Host-session;__Host-session=;__Host-session==;",
    ] {
        let answer = setup.visitor().get_with("/read", &[("cookie", cookies)]).await;
        assert_eq!((answer.status, answer.removes_cookie()), (StatusCode::OK, true));
    }
    assert_eq!(setup.store.total_calls(), 0);
}

/// What the handler set is not replaced.
pub async fn the_handlers_own_headers_stay<D: Door>() {
    let answer = Setup::new::<D>().await.visitor().get("/own-headers").await;
    let cookies: Vec<_> = answer.headers.get_all("set-cookie").iter().collect();
    assert!(cookies.iter().any(|cookie| *cookie == "theme=dark"));
    assert_eq!(cookies.len(), 2);
    assert_eq!(answer.header("cache-control"), Some("private"));
}

/// The nearest proxy is believed, and what it was told is not.
pub async fn the_client_is_whom_a_trusted_proxy_names<D: Door>() {
    let visitor = Setup::new::<D>().await.visitor();
    let named = visitor
        .get_with(
            "/client",
            &[
                ("x-forwarded-for", b"198.51.100.1, 203.0.113.9"),
                ("x-forwarded-proto", b"https"),
            ],
        )
        .await;
    assert_eq!(named.text, "Some(203.0.113.9) Some(Https)");
    assert_eq!(visitor.get("/client").await.text, "Some(127.0.0.1) None");
}

/// Two layers have two sessions, and a cookie of one is worth nothing to the other.
pub async fn layers_with_different_cookies_work_one_inside_another<D: Door>() {
    let visitor = Setup::new::<D>().await.visitor();
    visitor.post("/count").await;
    assert_eq!(visitor.get("/outer-read").await.text, "none");
    visitor.post("/outer-count").await;
    visitor.post("/outer-count").await;
    assert_eq!(visitor.get("/read").await.text, "1");
    assert_eq!(visitor.get("/outer-read").await.text, "2");
    let ours = visitor.cookie().unwrap();
    visitor.plant(OUTER_COOKIE, &ours);
    assert_eq!(visitor.get("/outer-read").await.text, "none");
    assert_eq!(visitor.get("/read").await.text, "1");
}

/// One session, many tabs.
pub async fn requests_at_once_lose_no_count<D: Door>() {
    const TABS: u64 = 16;
    const CLICKS: u64 = 10;
    let visitor = Setup::new::<D>().await.visitor();
    visitor.post("/count").await;
    let tabs: Vec<_> = (0..TABS)
        .map(|_| {
            let tab = visitor.copy();
            tokio::spawn(async move {
                for _ in 0..CLICKS {
                    assert_eq!(tab.post("/count").await.status, StatusCode::OK);
                }
            })
        })
        .collect();
    for tab in tabs {
        tab.await.unwrap();
    }
    assert_eq!(visitor.get("/read").await.text, (1 + TABS * CLICKS).to_string());
}
