//! Cookies and records of new sessions, beside those of express-session.

use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderMap;
use serde_json::{Value, json};
use tenure::express::{
    CookiePriority, CookieSecrets, ExpressCookie, ExpressSessions, ExpressStore, MemoryExpressStore,
    SidCookie,
};
use tenure::{Clock, Key, SameSite, SystemClock};

use crate::express_app::ExpressApp;

const A: Key<u32> = Key::new("a");

/// What both are told, each in its way.
struct Options {
    js: Value,
    rust: ExpressCookie,
    max_age: Option<Duration>,
}

/// Every combination that browsers take.
fn combinations() -> Vec<Options> {
    let mut all = vec![Options {
        js: json!({}),
        rust: ExpressCookie::like_express_session(),
        max_age: None,
    }];
    let mut add = |change: &dyn Fn(&mut Options)| {
        let changed: Vec<Options> = all
            .iter()
            .map(|options| {
                let mut changed = Options {
                    js: options.js.clone(),
                    rust: options.rust.clone(),
                    max_age: options.max_age,
                };
                change(&mut changed);
                changed
            })
            .collect();
        all.extend(changed);
    };
    add(&|options| {
        options.js["maxAge"] = json!(3_600_000);
        options.max_age = Some(Duration::from_secs(3_600));
    });
    add(&|options| {
        options.js["domain"] = json!("example.com");
        options.rust = options.rust.clone().domain("example.com");
    });
    add(&|options| {
        options.js["httpOnly"] = json!(false);
        options.rust = options.rust.clone().http_only(false);
    });
    add(&|options| {
        options.js["priority"] = json!("high");
        options.rust = options.rust.clone().priority(CookiePriority::High);
    });
    add(&|options| {
        options.js["sameSite"] = json!("strict");
        options.rust = options.rust.clone().same_site(Some(SameSite::Strict));
    });
    add(&|options| {
        options.js["secure"] = json!(true);
        options.js["sameSite"] = json!("none");
        options.rust = options.rust.clone().secure(true).same_site(Some(SameSite::None));
    });
    add(&|options| {
        options.js["secure"] = json!(true);
        options.js["partitioned"] = json!(true);
        options.rust = options.rust.clone().secure(true).partitioned(true);
    });
    all
}

/// `Set-Cookie` and the record of a session that begins.
struct Begun {
    value: String,
    attributes: String,
    record: String,
}

async fn begun_in_express(app: &ExpressApp, options: &Options) -> Begun {
    let client = reqwest::Client::new();
    let url = reqwest::Url::parse_with_params(
        &format!("{}/record", app.url()),
        [("cookie", options.js.to_string())],
    );
    let request = client.get(url.unwrap()).header("x-forwarded-proto", "https");
    let response = request.send().await.unwrap();
    let set_cookie = response.headers()["set-cookie"].to_str().unwrap().to_owned();
    let body: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
    Begun::new(&set_cookie, body["record"].as_str().unwrap())
}

async fn begun_here(secrets: &CookieSecrets, options: &Options) -> Begun {
    let store = Arc::new(MemoryExpressStore::new());
    let builder = ExpressSessions::builder(secrets.clone(), Arc::clone(&store)).cookie(options.rust.clone());
    let builder = match options.max_age {
        Some(max_age) => builder.max_age(max_age),
        None => builder,
    };
    let sessions = builder.build().unwrap();
    let opened = sessions.open(&HeaderMap::new());
    opened.load().await.unwrap().insert(A, &1).unwrap();
    let mut headers = HeaderMap::new();
    sessions.commit(&opened).await.unwrap().apply(&mut headers);
    let set_cookie = headers["set-cookie"].to_str().unwrap();
    let sid = sid(set_cookie, secrets);
    let record = store.load(&sid, SystemClock.now()).await.unwrap().unwrap();
    Begun::new(set_cookie, &record)
}

impl Begun {
    fn new(set_cookie: &str, record: &str) -> Self {
        let (pair, attributes) = set_cookie.split_once("; ").unwrap();
        Self {
            value: pair.strip_prefix("connect.sid=").unwrap().to_owned(),
            attributes: attributes.to_owned(),
            record: record.to_owned(),
        }
    }

    /// Times and ages aside, which are of the moment; that they are there, and how they are written, counts.
    fn timeless(&self) -> (String, String) {
        let is_digit = |c: char| c.is_ascii_digit();
        let attributes =
            self.attributes
                .split("; ")
                .map(|attribute| match attribute.strip_prefix("Expires=") {
                    Some(date) => {
                        let parsed = date.split(' ').count();
                        assert_eq!((parsed, date.len()), (6, 29), "{date}");
                        "Expires=".to_owned()
                    }
                    None => attribute.to_owned(),
                });
        let record = self.record.replace(is_digit, "0");
        (attributes.collect::<Vec<_>>().join("; "), record)
    }
}

fn sid(set_cookie: &str, secrets: &CookieSecrets) -> String {
    let pair = set_cookie.split(';').next().unwrap();
    match SidCookie::read(pair, "connect.sid", secrets) {
        SidCookie::Genuine(sid) => sid,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cookies_and_records_of_new_sessions_are_written_as_express_session_writes_them() {
    let app = ExpressApp::start("memory", "");
    let secrets = CookieSecrets::new("keyboard cat");
    let combinations = combinations();
    assert_eq!(combinations.len(), 128);
    for options in combinations {
        let theirs = begun_in_express(&app, &options).await;
        let ours = begun_here(&secrets, &options).await;
        assert_eq!(ours.timeless(), theirs.timeless(), "{}", options.js);

        let sid = sid(&format!("connect.sid={}", theirs.value), &secrets);
        assert_eq!(secrets.cookie_value(&sid), theirs.value);
    }
}
