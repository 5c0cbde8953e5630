//! The first lock: a request that may change something must come from a page of this origin.
//!
//! The rules are those of Go 1.25's `http.CrossOriginProtection`, of OWASP's Cross-Site Request Forgery Prevention Cheat
//! Sheet ("Fetch Metadata headers", "Verifying Origin With Standard Headers") and of W3C Fetch Metadata.

use http::header::{HOST, HeaderName, ORIGIN};

use super::exemption::covers;
use super::origin::{Origin, Protocol};
use super::refusal::CsrfRefusal;
use super::request::{CsrfRequest, Once};
use super::rules::{CsrfRules, OriginCheck};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// What the browser says of the page that sent the request.
enum Site {
    Unsaid,
    /// A page of this origin, or the user's own hand: a bookmark, the address bar.
    Ours,
    Foreign(CsrfRefusal),
}

impl CsrfRules {
    pub(crate) fn check_origin(&self, request: &CsrfRequest<'_>) -> Result<(), CsrfRefusal> {
        if self.origin_check != OriginCheck::Enforced || !request.is_guarded() || self.exempts(request) {
            return Ok(());
        }
        let site = site(request)?;
        let origin = match request.header(&ORIGIN) {
            Once::Repeated => return Err(CsrfRefusal::RepeatedHeader),
            Once::Absent => None,
            Once::Is(origin) => Some(origin.to_str().map_err(|_| CsrfRefusal::UnreadableOrigin)),
        };
        match (site, origin) {
            (Site::Ours, _) | (Site::Unsaid, None) => Ok(()),
            (Site::Foreign(refusal), None) => Err(refusal),
            // Whether `wss:` and `https:` are one site depends on the browser; its Origin does not.
            (Site::Foreign(_), Some(origin)) if request.opens_websocket() => self.admits(request, origin?),
            (Site::Foreign(refusal), Some(origin)) => {
                if origin.is_ok_and(|origin| self.trusts(origin)) {
                    Ok(())
                } else {
                    Err(refusal)
                }
            }
            (Site::Unsaid, Some(origin)) => self.admits(request, origin?),
        }
    }

    pub(super) fn exempts(&self, request: &CsrfRequest<'_>) -> bool {
        self.exempt_paths
            .iter()
            .any(|exemption| covers(exemption, request.path()))
    }

    fn trusts(&self, origin: &str) -> bool {
        Origin::parse(origin).is_some_and(|origin| {
            self.trusted_origins
                .iter()
                .any(|trusted| Origin::parse(trusted).is_some_and(|trusted| trusted.is(&origin)))
        })
    }

    fn admits(&self, request: &CsrfRequest<'_>, origin: &str) -> Result<(), CsrfRefusal> {
        if origin == "null" {
            return Err(CsrfRefusal::NullOrigin);
        }
        let parsed = Origin::parse(origin).ok_or(CsrfRefusal::UnreadableOrigin)?;
        if self.trusts(origin) {
            return Ok(());
        }
        if let Once::Repeated = request.header(&HOST) {
            return Err(CsrfRefusal::RepeatedHeader);
        }
        // A page by http is nobody to trust for an application by https. The other way round it is a proxy that ends
        // TLS and that nobody told us of.
        let is_downgrade = parsed.protocol == Protocol::Http && request.is_https == Some(true);
        let is_ours = request
            .authority()
            .and_then(|authority| Origin::of(parsed.protocol, authority))
            .is_some_and(|own| own.is(&parsed));
        if is_ours && !is_downgrade {
            Ok(())
        } else {
            Err(CsrfRefusal::OtherOrigin)
        }
    }
}

fn site(request: &CsrfRequest<'_>) -> Result<Site, CsrfRefusal> {
    Ok(match request.header(&SEC_FETCH_SITE) {
        Once::Repeated => return Err(CsrfRefusal::RepeatedHeader),
        Once::Absent => Site::Unsaid,
        Once::Is(site) => match site.as_bytes() {
            b"same-origin" | b"none" => Site::Ours,
            b"same-site" => Site::Foreign(CsrfRefusal::SameSite),
            _ => Site::Foreign(CsrfRefusal::CrossSite),
        },
    })
}
