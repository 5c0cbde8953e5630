//! Users are told about their session's time: before it ends, when it has, in every tab, and by any sense.

use std::time::Duration;

use fantoccini::key::Key;
use fantoccini::{Client, Locator};
use tenure::store::Operation;
use tenure::{MemoryStore, Policy};
use tenure_testkit::FaultyStore;

use crate::MINUTE;
use crate::common::Server;
use crate::dialog::SessionDialog;
use crate::driver::{Driver, LAPTOP, Look, PHONE};
use crate::page::Page;

const SECOND: Duration = Duration::from_secs(1);
/// Of the 30 minutes, so that 45 seconds are left.
const ALMOST: Duration = Duration::from_secs(29 * 60 + 15);

/// Ada, signed up and at the home page.
async fn ada(server: &Server, driver: &mut Driver, look: &Look) -> Client {
    let browser = driver.browser(look).await;
    browser.open(server, "/sign-up").await;
    browser.credentials("ada").await;
    browser.press("main form button").await;
    browser.sees("Hello, ada.").await;
    browser.sees("30 min 0 s").await;
    browser
}

const NO_NETWORK: &str = "window.fetch = () => Promise.reject(new Error('no network in this tab'))";

/// What the server says is left, by a look that is no activity.
async fn seconds_left(browser: &Client) -> u64 {
    let script = "const [done] = arguments; fetch('/session/status').then((answer) => answer.json()) \
         .then((report) => done((report.idle_deadline - report.now) / 1000))";
    let left = browser.execute_async(script, vec![]).await.unwrap();
    left.as_f64().unwrap() as u64
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_warning_is_an_alert_dialog_that_the_keyboard_answers() {
    let (server, mut driver) = (Server::with_memory().await, Driver::start());
    let browser = ada(&server, &mut driver, &LAPTOP).await;
    browser
        .execute("document.getElementById('note').focus()", vec![])
        .await
        .unwrap();

    server.advance(ALMOST);
    browser.come_back().await;
    browser.dialog_says("Are you still there?").await;
    browser.dialog_says("45 seconds").await;
    browser.picture("expiry-warning").await;
    let dialog = browser.in_dialog("dialog").await;
    assert_eq!(
        browser.perceived(&dialog).await,
        ("alertdialog".to_owned(), "Are you still there?".to_owned())
    );
    for (selector, role, name) in [
        ("button", "button", "Stay signed in"),
        ("button + button", "button", "Sign out"),
        ("h1", "heading", "Are you still there?"),
        ("[role=timer]", "timer", ""),
        ("[role=status]", "status", ""),
    ] {
        let element = browser.in_dialog(selector).await;
        let expected = (role.to_owned(), name.to_owned());
        assert_eq!(browser.perceived(&element).await, expected, "{selector}");
    }

    // The focus begins at the answer that most people want, and stays in the dialog.
    assert_eq!(browser.focused_in_dialog().await, "Stay signed in");
    browser.keys(&[Key::Tab.into()]).await;
    assert_eq!(browser.focused_in_dialog().await, "Sign out");
    let behind = "return document.activeElement.localName";
    for _ in 0..4 {
        browser.keys(&[Key::Tab.into()]).await;
        let focused = browser.execute(behind, vec![]).await.unwrap();
        assert!(
            focused == "tenure-session-timeout" || focused == "body",
            "{focused} behind the dialog has the focus"
        );
    }

    assert!(seconds_left(&browser).await <= 45, "looking is no activity");
    browser.keys(&[Key::Escape.into()]).await;
    browser.has_no_dialog().await;
    assert_eq!(seconds_left(&browser).await, 1_800);
    let focused = browser.execute("return document.activeElement.id", vec![]).await;
    assert_eq!(focused.unwrap(), "note", "the focus is back where it was");

    server.advance(ALMOST);
    browser.come_back().await;
    browser.dialog_says("Are you still there?").await;
    browser.keys(&[Key::Enter.into()]).await;
    browser.has_no_dialog().await;
    assert_eq!(seconds_left(&browser).await, 1_800);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn staying_in_one_tab_is_staying_in_all_and_signing_out_in_one_ends_all() {
    let (server, mut driver) = (Server::with_memory().await, Driver::start());
    let browser = ada(&server, &mut driver, &LAPTOP).await;
    let first = browser.window().await.unwrap();
    let second = browser.new_window(true).await.unwrap().handle;
    browser.switch_to_window(second.clone()).await.unwrap();
    browser.open(&server, "/account").await;
    browser.sees("This device").await;

    server.advance(ALMOST);
    for tab in [&first, &second] {
        browser.switch_to_window(tab.clone()).await.unwrap();
        browser.come_back().await;
        browser.dialog_says("Are you still there?").await;
    }
    // From now on this tab can't ask the server, so it has the news from the other one.
    browser.execute(NO_NETWORK, vec![]).await.unwrap();
    browser.switch_to_window(first.clone()).await.unwrap();
    browser.press_in_dialog("button").await;
    browser.has_no_dialog().await;
    assert_eq!(seconds_left(&browser).await, 1_800);
    browser.switch_to_window(second.clone()).await.unwrap();
    browser.has_no_dialog().await;

    // By the app's own form, which knows nothing of the other tab.
    browser.switch_to_window(first.clone()).await.unwrap();
    browser.press("form[action='/sign-out'] button").await;
    browser.sees("You are signed out.").await;
    browser.switch_to_window(second.clone()).await.unwrap();
    browser.dialog_says("Your session has ended").await;
    assert_eq!(browser.sees_of_page().await, "");
    assert!(!browser.source().await.unwrap().contains("This device"));

    // Signing in again in one tab brings the other one back.
    browser.switch_to_window(first).await.unwrap();
    browser.credentials("ada").await;
    browser.press("main form button").await;
    browser.sees("Hello, ada.").await;
    browser.switch_to_window(second).await.unwrap();
    browser.sees("This device").await;
    browser.has_no_dialog().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signing_out_by_the_dialog_ends_all_tabs() {
    let (server, mut driver) = (Server::with_memory().await, Driver::start());
    let browser = ada(&server, &mut driver, &LAPTOP).await;
    let first = browser.window().await.unwrap();
    let second = browser.new_window(true).await.unwrap().handle;
    browser.switch_to_window(second).await.unwrap();
    browser.open(&server, "/account").await;
    server.advance(ALMOST);
    browser.come_back().await;
    browser.dialog_says("Are you still there?").await;
    browser.press_in_dialog("button + button").await;
    browser.dialog_says("You signed out.").await;
    assert!(browser.get_all_cookies().await.unwrap().is_empty());
    browser.switch_to_window(first).await.unwrap();
    browser.dialog_says("You signed out.").await;
    assert_eq!(browser.sees_of_page().await, "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_was_left_open_is_hidden_when_its_session_ends_and_says_why() {
    let (server, mut driver) = (Server::with_sqlite().await, Driver::start());
    let browser = ada(&server, &mut driver, &LAPTOP).await;

    // It counts down to the end by itself.
    server.advance(30 * MINUTE - 5 * SECOND);
    browser.come_back().await;
    browser.dialog_says("Are you still there?").await;
    server.advance(5 * SECOND);
    browser.dialog_says("Your session has ended").await;
    let text = browser.dialog_text().await.unwrap();
    assert_eq!(
        text.split_whitespace().collect::<Vec<_>>().join(" "),
        "Your session has ended There was no activity for a while. Sign in again"
    );
    browser.picture("expired").await;

    assert_eq!(browser.sees_of_page().await, "");
    let source = browser.source().await.unwrap();
    assert!(!source.contains("Hello, ada."), "the page can still be read");
    assert_eq!(browser.title().await.unwrap(), "Your session has ended");
    let link = browser.in_dialog("a").await;
    assert_eq!(
        browser.perceived(&link).await,
        ("link".to_owned(), "Sign in again".to_owned())
    );
    assert_eq!(browser.focused_in_dialog().await, "Sign in again");
    browser.keys(&[Key::Escape.into()]).await;
    browser.dialog_says("Your session has ended").await;
    browser.keys(&[Key::Enter.into()]).await;
    browser.is_at("/sign-in").await;

    // Going back shows nothing either.
    browser.back().await.unwrap();
    browser
        .wait()
        .for_element(Locator::Css("tenure-session-timeout"))
        .await
        .unwrap();
    assert!(!browser.source().await.unwrap().contains("Hello, ada."));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_extended_is_said_so() {
    let policy = Policy::default()
        .idle_timeout(10 * MINUTE)
        .absolute_timeout(15 * MINUTE);
    let (server, mut driver) = (Server::with_policy(policy).await, Driver::start());
    let browser = driver.browser(&LAPTOP).await;
    browser.open(&server, "/sign-up").await;
    browser.credentials("ada").await;
    browser.press("main form button").await;
    browser.sees("Hello, ada.").await;

    server.advance(9 * MINUTE);
    browser.open(&server, "/").await;
    browser.has_no_dialog().await;
    server.advance(3 * MINUTE);
    browser.come_back().await;
    browser.dialog_says("Your session ends soon").await;
    browser.dialog_says("can’t be extended").await;
    browser.dialog_says("3 minutes").await;
    browser.picture("absolute-warning").await;
    assert_eq!(browser.focused_in_dialog().await, "OK, I’ll save my work");
    browser.keys(&[Key::Enter.into()]).await;
    browser.has_no_dialog().await;

    // Closed is closed: nobody is interrupted twice while they save.
    browser.fill("note", "saved in time").await;
    browser.press("form[action='/note'] button").await;
    browser.sees("Your note is kept.").await;

    server.advance(3 * MINUTE);
    browser.come_back().await;
    browser.dialog_says("It reached its time limit.").await;
    assert_eq!(browser.sees_of_page().await, "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_does_not_answer_is_no_end() {
    let store = FaultyStore::new(MemoryStore::new());
    let (server, mut driver) = (Server::with_store(store.clone()).await, Driver::start());
    let browser = ada(&server, &mut driver, &LAPTOP).await;
    server.advance(30 * MINUTE - 5 * SECOND);
    browser.come_back().await;
    browser.dialog_says("Are you still there?").await;

    store.fail(Operation::Load);
    browser.press_in_dialog("button").await;
    browser.dialog_says("The server can’t be reached.").await;
    // Past the deadline by what the page knows: covered, and not given up.
    browser.dialog_says("Your session may have ended").await;
    browser.picture("unreachable").await;
    assert_eq!(browser.sees_of_page().await, "");
    browser.keys(&[Key::Enter.into()]).await;
    browser.dialog_says("The server can’t be reached.").await;

    store.heal();
    browser.press_in_dialog("button").await;
    browser.dialog_says("Are you still there?").await;
    assert!(browser.sees_of_page().await.contains("Hello, ada."));
    browser.press_in_dialog("button").await;
    browser.has_no_dialog().await;
}

/// Five seconds before the deadline by what the page knows, and nothing will tell it more.
async fn loses_its_server_before_the_deadline(browser: &Client, server: &Server) {
    server.advance(30 * MINUTE - 5 * SECOND);
    browser.come_back().await;
    browser.dialog_says("Are you still there?").await;
    browser.execute(NO_NETWORK, vec![]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_prevents_the_event_of_doubt_is_not_hidden() {
    let (server, mut driver) = (Server::with_memory().await, Driver::start());
    let browser = ada(&server, &mut driver, &LAPTOP).await;
    let prevent = "document.querySelector('tenure-session-timeout').addEventListener('tenure-session-doubt', (event) => { \
         event.preventDefault(); document.querySelector('main').textContent = 'Waiting for the server.' })";
    browser.execute(prevent, vec![]).await.unwrap();
    loses_its_server_before_the_deadline(&browser, &server).await;
    browser.page_shows("Waiting for the server.").await;
    // It has looked at the time again since.
    tokio::time::sleep(2 * SECOND).await;
    browser.page_shows("Waiting for the server.").await;
    assert_eq!(browser.dialog_text().await, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn removed_in_doubt_it_leaves_no_hidden_page_and_put_back_it_hides_it_again() {
    let (server, mut driver) = (Server::with_memory().await, Driver::start());
    let browser = ada(&server, &mut driver, &LAPTOP).await;
    loses_its_server_before_the_deadline(&browser, &server).await;
    browser.dialog_says("Your session may have ended").await;
    assert_eq!(browser.sees_of_page().await, "");

    let sheets = "return document.adoptedStyleSheets.length";
    for _ in 0..2 {
        let remove =
            "window.removed = document.querySelector('tenure-session-timeout'); window.removed.remove()";
        browser.execute(remove, vec![]).await.unwrap();
        assert!(browser.sees_of_page().await.contains("Hello, ada."));
        assert_eq!(browser.execute(sheets, vec![]).await.unwrap(), 0);

        let put_back = "document.body.append(window.removed); return document.body.innerText.trim()";
        assert_eq!(browser.execute(put_back, vec![]).await.unwrap(), "");
        assert_eq!(browser.execute(sheets, vec![]).await.unwrap(), 1);
        browser.dialog_says("Your session may have ended").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_from_the_back_forward_cache_is_veiled_until_its_session_is_known_to_live() {
    let (server, mut driver) = (Server::with_memory().await, Driver::start());
    let browser = ada(&server, &mut driver, &LAPTOP).await;
    let moved = |event: &str| {
        format!("window.dispatchEvent(new PageTransitionEvent('{event}', {{ persisted: true }}))")
    };
    browser.execute(&moved("pagehide"), vec![]).await.unwrap();
    assert_eq!(browser.sees_of_page().await, "");
    browser.execute(&moved("pageshow"), vec![]).await.unwrap();
    browser.sees("Hello, ada.").await;
    browser.page_shows("Hello, ada.").await;
    browser.has_no_dialog().await;

    browser.execute(&moved("pagehide"), vec![]).await.unwrap();
    server.advance(30 * MINUTE);
    browser.execute(&moved("pageshow"), vec![]).await.unwrap();
    browser.dialog_says("Your session has ended").await;
    assert!(!browser.source().await.unwrap().contains("Hello, ada."));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_of_one_user_is_not_left_to_the_next_one() {
    let (server, mut driver) = (Server::with_memory().await, Driver::start());
    server.visitor().sign_up("bob").await;
    let browser = ada(&server, &mut driver, &LAPTOP).await;
    let script = "const [done] = arguments; fetch('/api/sign-in', { method: 'POST', \
         headers: { 'content-type': 'application/json' }, \
         body: JSON.stringify({ name: 'bob', password: 'analytical engine' }) }).then(() => done())";
    browser.execute_async(script, vec![]).await.unwrap();
    browser.come_back().await;
    browser.sees("Hello, bob.").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_speaks_the_pages_language_and_breaks_no_content_security_policy() {
    let (server, mut driver) = (Server::with_memory().await, Driver::start());
    let browser = ada(&server, &mut driver, &LAPTOP).await;
    let translate = "document.documentElement.lang = 'de'; \
         const timeout = document.querySelector('tenure-session-timeout'); \
         timeout.setAttribute('text-idle-title', 'Sind Sie noch da?'); \
         timeout.setAttribute('text-idle', 'In {time} endet Ihre Sitzung.'); \
         timeout.setAttribute('text-stay', 'Angemeldet bleiben')";
    browser.execute(translate, vec![]).await.unwrap();
    server.advance(ALMOST);
    browser.come_back().await;
    browser.dialog_says("Sind Sie noch da?").await;
    browser.dialog_says("45 Sekunden endet").await;
    browser.dialog_says("Angemeldet bleiben").await;

    let violations = "const observer = new ReportingObserver(() => {}, { types: ['csp-violation'], buffered: true }); \
         observer.observe(); return observer.takeRecords().map((report) => report.body.toJSON())";
    let violations = browser.execute(violations, vec![]).await.unwrap();
    assert_eq!(violations, serde_json::json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_style_of_the_pages_it_can_be_read_and_pressed() {
    let (server, mut driver) = (Server::with_memory().await, Driver::start());
    for (is_dark, name) in [(false, "light"), (true, "dark")] {
        let browser = driver.browser(&Look { is_dark, ..LAPTOP }).await;
        browser.open(&server, "/sign-up").await;
        browser.credentials(&format!("ada-{name}")).await;
        browser.press("main form button").await;
        browser.sees("Hello, ada-").await;
        let no_style = "document.querySelector('link[rel=stylesheet]').disabled = true";
        browser.execute(no_style, vec![]).await.unwrap();
        server.advance(ALMOST);
        browser.come_back().await;
        browser.dialog_says("Are you still there?").await;
        browser.picture(&format!("expiry-warning-unstyled-{name}")).await;
        let height = "return document.querySelector('tenure-session-timeout').shadowRoot \
             .querySelector('button').getBoundingClientRect().height";
        let height = browser.execute(height, vec![]).await.unwrap();
        // W3C WCAG 2.2, 2.5.8 Target Size (Minimum).
        assert!(
            height.as_f64().unwrap() >= 24.0,
            "a button is {height} pixels high"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_looks_right_on_a_phone_and_in_the_dark() {
    let (server, mut driver) = (Server::with_memory().await, Driver::start());
    let dark = Look {
        is_dark: true,
        ..LAPTOP
    };
    for (look, name) in [(&PHONE, "mobile"), (&dark, "dark")] {
        let browser = driver.browser(look).await;
        browser.open(&server, "/sign-up").await;
        browser.credentials(&format!("ada-{name}")).await;
        browser.press("main form button").await;
        browser.sees("Hello, ada-").await;
        server.advance(ALMOST);
        browser.come_back().await;
        browser.dialog_says("Are you still there?").await;
        browser.picture(&format!("expiry-warning-{name}")).await;
        let overflow = "return document.documentElement.scrollWidth - window.innerWidth";
        let overflow = browser.execute(overflow, vec![]).await.unwrap();
        assert!(overflow.as_i64().unwrap() <= 0, "it scrolls sideways on {name}");
        server.advance(MINUTE);
        browser.come_back().await;
        browser.dialog_says("Your session has ended").await;
        browser.picture(&format!("expired-{name}")).await;
    }
}
