//! Signing up, in and out, counting, and how it all looks.

use fantoccini::Locator;
use fantoccini::cookies::Cookie;
use fantoccini::key::Key;

use crate::MINUTE;
use crate::common::Server;
use crate::dialog::SessionDialog;
use crate::driver::{Driver, LAPTOP, Look, PHONE};
use crate::page::{FOCUS, Page};

fn lasts_about(cookie: &Cookie<'_>, seconds: i64) {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let left = cookie.expires_datetime().unwrap().unix_timestamp() - i64::try_from(now).unwrap();
    assert!(
        (seconds - 60..=seconds + 60).contains(&left),
        "the cookie lasts {left} s"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signing_up_counting_and_signing_another_device_out() {
    let (server, mut driver) = (Server::with_sqlite().await, Driver::start());
    let laptop = driver.browser(&LAPTOP).await;
    laptop.open(&server, "/").await;
    laptop.sees("Sessions that know when to end.").await;
    laptop.sees("looking around stores nothing").await;
    assert!(laptop.get_all_cookies().await.unwrap().is_empty());
    laptop.whole_picture("home-signed-out").await;

    laptop.open(&server, "/sign-up").await;
    laptop.picture("sign-up").await;
    laptop.credentials("ada").await;
    laptop.press("main form button").await;
    laptop.sees("Hello, ada.").await;
    laptop.sees("Welcome, ada.").await;

    let cookie = laptop.cookie().await;
    assert_eq!(cookie.http_only(), Some(true));
    assert_eq!(cookie.secure(), Some(true));
    assert_eq!(
        cookie.same_site().map(|same_site| same_site.to_string()),
        Some("Lax".to_owned())
    );
    assert_eq!(cookie.path(), Some("/"));
    lasts_about(&cookie, 12 * 60 * 60);
    let readable = laptop.execute("return document.cookie", vec![]).await.unwrap();
    assert_eq!(readable, "", "no script reads it");

    // Without a new page, so a mark that a script leaves is still there afterwards.
    laptop.execute("window.mark = 1", vec![]).await.unwrap();
    for expected in ["1", "2", "3"] {
        laptop.press("#count-form button").await;
        let shown = format!("//output[. = '{expected}']");
        laptop.wait().for_element(Locator::XPath(&shown)).await.unwrap();
    }
    let mark = laptop.execute("return window.mark", vec![]).await.unwrap();
    assert_eq!(mark, 1);
    laptop.fill("note", "Ask Charles about the mill.").await;
    laptop.press("form[action='/note'] button").await;
    laptop.sees("Your note is kept.").await;
    assert_eq!(laptop.count().await, "3");
    // Looking at the tab again is no activity, so the bars show what has passed.
    server.advance(9 * MINUTE);
    laptop.execute(FOCUS, vec![]).await.unwrap();
    laptop.sees("21 min 0 s").await;
    laptop.whole_picture("home-signed-in").await;

    let phone = driver.browser(&PHONE).await;
    phone.open(&server, "/sign-in").await;
    phone.credentials("ada").await;
    phone.press("main form button").await;
    phone.sees("Welcome back, ada.").await;
    assert_eq!(phone.count().await, "0", "a session of its own");

    server.advance(5 * MINUTE);
    laptop.open(&server, "/account").await;
    laptop.sees("Chrome on Linux This device").await;
    laptop.sees("Safari on iPhone").await;
    laptop.whole_picture("account-two-devices").await;
    phone.open(&server, "/account").await;
    phone.sees("Safari on iPhone This device").await;
    phone.whole_picture("account-mobile").await;

    laptop
        .press("button[aria-label='Sign out Safari on iPhone']")
        .await;
    laptop.sees("That device is signed out.").await;
    assert_eq!(laptop.find_all(Locator::Css(".device")).await.unwrap().len(), 1);

    // As when somebody takes the phone out of the pocket: the open page notices by itself.
    phone.execute(FOCUS, vec![]).await.unwrap();
    phone.dialog_says("Your session has ended").await;
    phone.dialog_says("in another window or device").await;
    phone.picture("ended-elsewhere-mobile").await;
    assert!(!phone.source().await.unwrap().contains("Safari on iPhone"));
    phone.press_in_dialog("a").await;
    phone.is_at("/sign-in").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_of_it_works_by_keyboard_and_keep_me_signed_in_lasts_30_days() {
    let (server, mut driver) = (Server::with_sqlite().await, Driver::start());
    server.visitor().sign_up("ada").await;
    let browser = driver.browser(&LAPTOP).await;

    // The first stop of the tab key jumps over the header.
    browser.open(&server, "/").await;
    browser.keys(&[Key::Tab.into()]).await;
    let focus = browser.active_element().await.unwrap();
    assert_eq!(focus.text().await.unwrap(), "Skip to the content");
    browser.picture("keyboard-focus").await;
    browser.keys(&[Key::Enter.into()]).await;
    browser.is_at("/#main").await;

    // The name has the focus when the page opens.
    browser.open(&server, "/sign-in").await;
    let mut keys: Vec<char> = "ada".chars().collect();
    keys.push(Key::Tab.into());
    keys.extend("wrong password".chars());
    keys.push(Key::Enter.into());
    browser.keys(&keys).await;
    browser.sees("Name or password is wrong.").await;
    browser.picture("sign-in-refused").await;

    // The name is kept, and the password has the focus now.
    let mut keys: Vec<char> = "analytical engine".chars().collect();
    keys.extend([Key::Tab.into(), ' ', Key::Tab.into(), Key::Enter.into()]);
    browser.keys(&keys).await;
    browser.sees("Hello, ada.").await;
    lasts_about(&browser.cookie().await, 30 * 24 * 60 * 60);

    browser
        .execute("document.querySelector('#count-form button').focus()", vec![])
        .await
        .unwrap();
    browser.keys(&[' ']).await;
    browser
        .wait()
        .for_element(Locator::XPath("//output[. = '1']"))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_looks_right_on_a_phone_and_in_the_dark() {
    let (server, mut driver) = (Server::with_sqlite().await, Driver::start());
    for (look, name) in [
        // Higher than any phone, so that the pictures show the whole page.
        (
            Look {
                size: (375, 1300),
                ..PHONE
            },
            "mobile",
        ),
        (
            Look {
                is_dark: true,
                ..LAPTOP
            },
            "dark",
        ),
    ] {
        let browser = driver.browser(&look).await;
        for path in ["/", "/sign-in", "/sign-up"] {
            browser.open(&server, path).await;
            let overflow = "return document.documentElement.scrollWidth - window.innerWidth";
            let overflow = browser.execute(overflow, vec![]).await.unwrap();
            assert!(
                overflow.as_i64().unwrap() <= 0,
                "{path} scrolls sideways on {name}"
            );
        }
        browser.open(&server, "/").await;
        browser.whole_picture(&format!("home-signed-out-{name}")).await;
        browser.open(&server, "/sign-up").await;
        browser.credentials(&format!("grace-{name}")).await;
        browser.picture(&format!("sign-up-{name}")).await;
        browser.press("main form button").await;
        browser.sees("Hello, grace-").await;
        browser.press("#count-form button").await;
        browser.whole_picture(&format!("home-signed-in-{name}")).await;
        browser.open(&server, "/account").await;
        browser.whole_picture(&format!("account-{name}")).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_works_without_scripts() {
    let (server, mut driver) = (Server::with_sqlite().await, Driver::start());
    let look = Look {
        has_scripts: false,
        ..LAPTOP
    };
    let browser = driver.browser(&look).await;
    browser.open(&server, "/").await;
    browser.press("#count-form button").await;
    browser.sees("nobody yet").await;
    browser.press("#count-form button").await;
    browser
        .wait()
        .for_element(Locator::XPath("//output[. = '2']"))
        .await
        .unwrap();
    browser.open(&server, "/sign-up").await;
    browser.credentials("ada").await;
    browser.press("main form button").await;
    browser.sees("Hello, ada.").await;
    assert_eq!(browser.count().await, "2");
    browser.press("form[action='/sign-out'] button").await;
    browser.sees("You are signed out.").await;
}
