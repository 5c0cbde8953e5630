//! Headers, method, target and status between actix-web, which keeps to version 0.2 of the `http` crate, and the engine.

use actix_web::dev::RequestHead;
use actix_web::http::header::{
    HeaderMap as ActixHeaders, HeaderName as ActixName, HeaderValue as ActixValue,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use tenure_core::{CsrfToken, Outgoing};

/// What the engine looks at. The rest is not copied.
const LOOKED_AT: [&str; 11] = [
    "cookie",
    "user-agent",
    "host",
    "origin",
    "sec-fetch-site",
    "upgrade",
    "content-type",
    CsrfToken::HEADER,
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-proto",
];

/// The headers that the engine looks at.
pub(crate) fn looked_at(theirs: &ActixHeaders) -> HeaderMap {
    let mut ours = HeaderMap::new();
    for name in LOOKED_AT {
        copy(theirs, name, &mut ours);
    }
    ours
}

/// `None` for a method that is none, which no server hands on.
pub(crate) fn method(head: &RequestHead) -> Option<Method> {
    Method::from_bytes(head.method.as_str().as_bytes()).ok()
}

/// `None` for a target that is none, which no server hands on.
pub(crate) fn target(head: &RequestHead) -> Option<Uri> {
    head.uri.to_string().parse().ok()
}

pub(crate) fn status(status: StatusCode) -> actix_web::http::StatusCode {
    actix_web::http::StatusCode::from_u16(status.as_u16())
        .unwrap_or(actix_web::http::StatusCode::INTERNAL_SERVER_ERROR)
}

/// Adds to the response what a commit says.
pub(crate) fn apply(outgoing: Outgoing, theirs: &mut ActixHeaders) {
    if !outgoing.sets_cookie() {
        return;
    }
    let mut ours = HeaderMap::new();
    for name in ["cache-control", "vary"] {
        copy(theirs, name, &mut ours);
        theirs.remove(name);
    }
    outgoing.apply(&mut ours);
    for (name, value) in &ours {
        let name = ActixName::from_bytes(name.as_str().as_bytes());
        let theirs_value = ActixValue::from_bytes(value.as_bytes());
        if let (Ok(name), Ok(mut theirs_value)) = (name, theirs_value) {
            // Or it would be shown where headers are logged.
            theirs_value.set_sensitive(value.is_sensitive());
            theirs.append(name, theirs_value);
        }
    }
}

fn copy(theirs: &ActixHeaders, name: &'static str, ours: &mut HeaderMap) {
    for value in theirs.get_all(name) {
        if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
            ours.append(HeaderName::from_static(name), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{CACHE_CONTROL, SET_COOKIE, VARY};
    use tenure_core::{Environment, Key, Keyring, MemoryStore, Policy, Secret, Sessions};

    use super::*;

    #[test]
    fn repeated_headers_keep_their_order_and_others_stay_behind() {
        let mut theirs = ActixHeaders::new();
        for value in ["a=1", "b=2"] {
            theirs.append(ActixName::from_static("cookie"), ActixValue::from_static(value));
        }
        theirs.append(
            ActixName::from_static("authorization"),
            ActixValue::from_static("secret"),
        );
        let ours = looked_at(&theirs);
        assert_eq!(ours.get_all("cookie").iter().collect::<Vec<_>>(), ["a=1", "b=2"]);
        assert!(!ours.contains_key("authorization"));
    }

    #[actix_web::test]
    async fn the_cookie_is_not_shown_where_headers_are() {
        let policy = Policy::default().environment(Environment::Development);
        let keyring = Keyring::new(Secret::new("T4nXwE6uLsJ1dHfCaGzmQ7Yb0yP2kV9r"));
        let sessions = Sessions::new(policy, keyring, MemoryStore::new()).unwrap();
        let opened = sessions.open(&HeaderMap::new());
        let session = opened.load().await.unwrap();
        session.insert(Key::<u8>::new("count"), &1).unwrap();
        let mut theirs = ActixHeaders::new();
        apply(sessions.commit(&opened).await.unwrap(), &mut theirs);
        let cookie = theirs.get(SET_COOKIE).unwrap();
        assert!(cookie.is_sensitive());
        assert!(!format!("{theirs:?}").contains("__Host-session"));
        assert!(!theirs.get(VARY).unwrap().is_sensitive());
    }

    #[test]
    fn nothing_to_say_leaves_the_headers_alone() {
        let mut theirs = ActixHeaders::new();
        theirs.insert(CACHE_CONTROL, ActixValue::from_static("public"));
        apply(Outgoing::default(), &mut theirs);
        assert_eq!(theirs.get(CACHE_CONTROL).unwrap(), "public");
        assert!(!theirs.contains_key(SET_COOKIE) && !theirs.contains_key(VARY));
    }
}
