//! The app in a real browser: what people see and press, and the cookie as the browser keeps it.
//! Leaves pictures in `target/screenshots`.

mod common;

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use common::Server;
use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use fantoccini::cookies::Cookie;
use fantoccini::key::Key;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;

const MISSING: &str =
    "the browser tests need Chromium and its driver: apt-get install chromium chromium-driver";

const ON_LINUX: &str =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";
const ON_IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1";

/// What a page is told when somebody comes back to it.
const FOCUS: &str = "window.dispatchEvent(new Event('focus'))";

const MINUTE: Duration = Duration::from_secs(60);

/// A running chromedriver; it and its browsers end when this is dropped.
struct Driver {
    process: Child,
    port: u16,
    profiles: TempDir,
    browsers: u32,
}

/// How a browser is set up.
struct Look {
    user_agent: &'static str,
    size: (u32, u32),
    is_phone: bool,
    is_dark: bool,
    has_scripts: bool,
}

const LAPTOP: Look = Look {
    user_agent: ON_LINUX,
    size: (1200, 900),
    is_phone: false,
    is_dark: false,
    has_scripts: true,
};

const PHONE: Look = Look {
    user_agent: ON_IPHONE,
    size: (375, 812),
    is_phone: true,
    ..LAPTOP
};

impl Driver {
    fn start() -> Self {
        let mut process = Command::new(installed("chromedriver"))
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(process.stdout.take().unwrap());
        // It takes a free port and says which; it is silent after that.
        let port = stdout.lines().map_while(Result::ok).find_map(|line| {
            let (_, port) = line.split_once("started successfully on port ")?;
            port.trim_end_matches('.').parse().ok()
        });
        let driver = Self {
            process,
            port: port.unwrap_or(0),
            profiles: TempDir::new().unwrap(),
            browsers: 0,
        };
        assert_ne!(driver.port, 0, "chromedriver did not start; {MISSING}");
        driver
    }

    /// A browser with a profile of its own, so with cookies of its own.
    async fn browser(&mut self, look: &Look) -> Client {
        self.browsers += 1;
        let profile = self.profiles.path().join(self.browsers.to_string());
        let (width, height) = look.size;
        let mut options = json!({
            "binary": installed("chromium"),
            "args": [
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--disable-dev-shm-usage",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                format!("--user-data-dir={}", profile.display()),
                format!("--window-size={width},{height}"),
                format!("--user-agent={}", look.user_agent),
                format!("--blink-settings=preferredColorScheme={}", u8::from(!look.is_dark)),
            ],
        });
        if look.is_phone {
            options["mobileEmulation"] = json!({
                "deviceMetrics": {"width": width, "height": height, "pixelRatio": 2.0},
                "userAgent": look.user_agent,
            });
        }
        if !look.has_scripts {
            options["prefs"] = json!({"profile.managed_default_content_settings.javascript": 2});
        }
        let Value::Object(capabilities) = json!({"goog:chromeOptions": options}) else {
            unreachable!()
        };
        ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{}", self.port))
            .await
            .unwrap()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // Ends the browsers too, which a killed chromedriver would leave behind.
        if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) {
            let _ = stream.set_read_timeout(Some(Duration::from_secs(10)));
            let _ = write!(
                stream,
                "GET /shutdown HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
            );
            let _ = stream.read_to_end(&mut Vec::new());
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn installed(program: &str) -> PathBuf {
    let folders = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&folders)
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
        .unwrap_or_else(|| panic!("{program} was not found; {MISSING}"))
}

/// What these tests do again and again.
trait Page {
    async fn open(&self, server: &Server, path: &str);
    async fn sees(&self, text: &str);
    async fn press(&self, button: &str);
    async fn fill(&self, field: &str, text: &str);
    async fn credentials(&self, name: &str);
    async fn is_at(&self, path_and_query: &str);
    async fn keys(&self, keys: &[char]);
    async fn count(&self) -> String;
    async fn cookie(&self) -> Cookie<'static>;
    async fn picture(&self, name: &str);
    async fn whole_picture(&self, name: &str);
}

impl Page for Client {
    async fn open(&self, server: &Server, path: &str) {
        self.goto(&format!("{}{path}", server.url)).await.unwrap();
    }

    async fn sees(&self, text: &str) {
        let anything = format!("//main//*[contains(normalize-space(.), {text:?})]");
        self.wait()
            .for_element(Locator::XPath(&anything))
            .await
            .unwrap_or_else(|error| panic!("{text:?} is not on the page: {error}"));
    }

    async fn press(&self, button: &str) {
        self.wait()
            .for_element(Locator::Css(button))
            .await
            .unwrap()
            .click()
            .await
            .unwrap();
    }

    async fn fill(&self, field: &str, text: &str) {
        let field = self.wait().for_element(Locator::Id(field)).await.unwrap();
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    async fn credentials(&self, name: &str) {
        self.fill("name", name).await;
        self.fill("password", "analytical engine").await;
    }

    async fn is_at(&self, path_and_query: &str) {
        for _ in 0..100 {
            let url = self.current_url().await.unwrap();
            if url.as_str().ends_with(path_and_query) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!(
            "expected {path_and_query}, but the browser is at {}",
            self.current_url().await.unwrap()
        );
    }

    /// Presses keys one after the other, wherever the focus is.
    async fn keys(&self, keys: &[char]) {
        let pressed = keys
            .iter()
            .fold(KeyActions::new("keyboard".to_owned()), |actions, &value| {
                actions
                    .then(KeyAction::Down { value })
                    .then(KeyAction::Up { value })
            });
        self.perform_actions(pressed).await.unwrap();
    }

    async fn count(&self) -> String {
        self.find(Locator::Id("count"))
            .await
            .unwrap()
            .text()
            .await
            .unwrap()
    }

    async fn cookie(&self) -> Cookie<'static> {
        self.get_named_cookie("__Host-session").await.unwrap()
    }

    async fn picture(&self, name: &str) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/screenshots");
        fs::create_dir_all(&folder).unwrap();
        let png = self.screenshot().await.unwrap();
        fs::write(folder.join(format!("{name}.png")), png).unwrap();
    }

    /// The page from top to bottom, in a window that is as high as it.
    async fn whole_picture(&self, name: &str) {
        let height = self
            .execute("return document.documentElement.scrollHeight", vec![])
            .await
            .unwrap();
        let (_, _, width, _) = self.get_window_rect().await.unwrap();
        let height = u32::try_from(height.as_u64().unwrap()).unwrap();
        self.set_window_size(u32::try_from(width).unwrap(), height + 160)
            .await
            .unwrap();
        // Until the bars have slid to where they belong.
        tokio::time::sleep(Duration::from_millis(500)).await;
        self.picture(name).await;
    }
}

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
    phone.is_at("/sign-in?reason=ended").await;
    phone.sees("Your session was ended").await;
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
async fn a_page_that_was_left_open_warns_and_then_says_that_the_session_has_expired() {
    let (server, mut driver) = (Server::with_sqlite().await, Driver::start());
    let browser = driver.browser(&LAPTOP).await;
    browser.open(&server, "/sign-up").await;
    browser.credentials("ada").await;
    browser.press("main form button").await;
    browser.sees("Hello, ada.").await;

    // The page notices when it comes to the front that not much is left.
    server.advance(29 * MINUTE + Duration::from_secs(15));
    browser.execute(FOCUS, vec![]).await.unwrap();
    browser
        .wait()
        .for_element(Locator::Css("#warning:not([hidden])"))
        .await
        .unwrap();
    browser.picture("expiry-warning").await;

    // "Stay signed in" is activity.
    browser.press("#stay").await;
    browser
        .wait()
        .for_element(Locator::Css("#warning[hidden]"))
        .await
        .unwrap();
    browser.sees("30 min 0 s").await;

    // Left alone for good, it counts down to the end and goes to the sign-in page.
    server.advance(29 * MINUTE + Duration::from_secs(58));
    browser.execute(FOCUS, vec![]).await.unwrap();
    browser
        .wait()
        .for_element(Locator::Css("#warning:not([hidden])"))
        .await
        .unwrap();
    server.advance(Duration::from_secs(2));
    browser.is_at("/sign-in?reason=idle").await;
    browser.sees("there was no activity for a while").await;
    browser.picture("expired").await;
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
