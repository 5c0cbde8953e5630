//! The headers of proxies, as any client may send them.
#![no_main]

use http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;
use tenure_core::{ProxyHeaders, TrustProxy};

fuzz_target!(|data: &[u8]| {
    let Ok(value) = HeaderValue::from_bytes(data) else { return };
    let mut headers = HeaderMap::new();
    for name in ["forwarded", "x-forwarded-for", "x-forwarded-proto"] {
        headers.insert(name, value.clone());
    }
    let _ = TrustProxy::hops(3).client(&headers, None, None);
    let _ = TrustProxy::hops(3).reading(ProxyHeaders::Forwarded).client(&headers, None, None);
});
