//! The `Set-Cookie` headers: a cookie, and its removal.

use cookie::{Cookie, SameSite as CookieSameSite};
use http::HeaderValue;

use crate::clock::Timestamp;
use crate::cookie_attributes::{CookieLifetime, SameSite};
use crate::policy::Policy;
use crate::record::{Lifetime, Record};

/// A `Set-Cookie` header with the value that opens `record`.
pub(crate) fn issue(policy: &Policy, value: &str, record: &Record, now: Timestamp) -> HeaderValue {
    let mut cookie = with_attributes(policy, value);
    let persists = match policy.cookie_lifetime {
        CookieLifetime::AbsoluteTimeout => true,
        CookieLifetime::BrowserSession => record.lifetime == Lifetime::Remembered,
    };
    if persists {
        let seconds = now.until(record.absolute_deadline).as_secs();
        cookie.set_max_age(cookie::time::Duration::seconds(
            i64::try_from(seconds).unwrap_or(i64::MAX),
        ));
    }
    header(&cookie)
}

/// A `Set-Cookie` header that makes the browser forget the cookie. It has every attribute that the
/// cookie was set with: without the same Path, Domain and Partitioned it would miss it, and without
/// Secure a browser refuses a name with a prefix.
pub(crate) fn removal(policy: &Policy) -> HeaderValue {
    let mut cookie = with_attributes(policy, "");
    cookie.set_max_age(cookie::time::Duration::ZERO);
    cookie.set_expires(cookie::time::OffsetDateTime::UNIX_EPOCH);
    header(&cookie)
}

fn with_attributes<'c>(policy: &'c Policy, value: &'c str) -> Cookie<'c> {
    let mut cookie = Cookie::new(policy.cookie_name.as_ref(), value);
    cookie.set_path(policy.cookie_path.as_ref());
    if let Some(domain) = &policy.cookie_domain {
        cookie.set_domain(domain.as_ref());
    }
    cookie.set_secure(policy.cookie_secure);
    cookie.set_http_only(policy.cookie_http_only);
    cookie.set_partitioned(policy.cookie_partitioned);
    cookie.set_same_site(match policy.cookie_same_site {
        SameSite::Strict => CookieSameSite::Strict,
        SameSite::Lax => CookieSameSite::Lax,
        SameSite::None => CookieSameSite::None,
    });
    cookie
}

fn header(cookie: &Cookie<'_>) -> HeaderValue {
    let mut header = HeaderValue::try_from(cookie.to_string())
        .expect("the policy was checked: name, path and domain are visible ASCII");
    // Keeps the value out of `Debug` output and of HTTP/2's header compression tables.
    header.set_sensitive(true);
    header
}
