//! The headers of proxies, as any client may send them.
#![no_main]

use http::{HeaderValue, Request};
use libfuzzer_sys::fuzz_target;
use tenure_tower::{ProxyHeaders, TrustProxy};

fuzz_target!(|data: &[u8]| {
    let Ok(value) = HeaderValue::from_bytes(data) else { return };
    let request = Request::builder()
        .header("forwarded", value.clone())
        .header("x-forwarded-for", value.clone())
        .header("x-forwarded-proto", value)
        .body(())
        .expect("a fit request");
    TrustProxy::hops(3).client(&request);
    TrustProxy::hops(3).reading(ProxyHeaders::Forwarded).client(&request);
});
