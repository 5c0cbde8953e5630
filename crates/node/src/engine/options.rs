//! The engine's options, as JavaScript gives them: checked for their types there, for what they mean by the engine.

use std::num::NonZeroU32;
use std::time::Duration;

use ipnet::IpNet;
use napi::bindgen_prelude::*;
use napi_derive::napi;
use tenure::{
    CookieLifetime, CsrfTokens, Environment, GuessLimit, OriginCheck, Policy, ProxyHeaders, SameSite,
    Sealing, SessionLimit, TrustProxy,
};

use super::secrets::from_millis;

type SetTime = fn(Policy, Duration) -> Policy;

/// All times in milliseconds. What is left out has the engine's default.
#[napi(object, object_to_js = false)]
pub struct EngineOptions {
    pub development: bool,
    pub preset: Option<String>,
    pub idle_timeout: Option<f64>,
    pub absolute_timeout: Option<f64>,
    pub remembered_idle_timeout: Option<f64>,
    pub remembered_absolute_timeout: Option<f64>,
    pub touch_interval: Option<f64>,
    /// 0 for never.
    pub renew_every: Option<f64>,
    pub renewal_grace: Option<f64>,
    pub session_limit: Option<SessionLimitOption>,
    pub cookie: CookieOptions,
    pub origin_check: Option<String>,
    pub trusted_origins: Option<Vec<String>>,
    pub csrf_exempt_paths: Option<Vec<String>>,
    pub csrf_tokens: Option<String>,
    pub guess_limit: Option<GuessLimitOption>,
    pub sealed: Option<bool>,
    pub max_data_bytes: Option<f64>,
    pub store_deadline: Option<f64>,
    pub record_client_address: Option<bool>,
    /// 0 for never.
    pub sweep_interval: Option<f64>,
    pub trust_proxy: Option<TrustProxyOption>,
}

/// The cookie's attributes.
#[napi(object, object_to_js = false)]
pub struct CookieOptions {
    pub name: Option<String>,
    pub path: Option<String>,
    pub domain: Option<String>,
    pub secure: Option<bool>,
    pub http_only: Option<bool>,
    pub same_site: Option<String>,
    pub partitioned: Option<bool>,
    pub lifetime: Option<String>,
}

/// How many sessions a user may have.
#[napi(object, object_to_js = false)]
pub struct SessionLimitOption {
    pub most: u32,
    pub refuse_newest: bool,
}

/// How many guesses a client has in a minute; without numbers, as many as it likes.
#[napi(object, object_to_js = false)]
pub struct GuessLimitOption {
    pub refused: Option<u32>,
    pub unknown: Option<u32>,
}

/// Which proxies are believed.
#[napi(object, object_to_js = false)]
pub struct TrustProxyOption {
    pub hops: Option<u32>,
    pub networks: Option<Vec<String>>,
    pub forwarded: bool,
}

impl EngineOptions {
    pub(super) fn policy(&self) -> Result<Policy> {
        let environment = if self.development {
            Environment::Development
        } else {
            Environment::Production
        };
        let mut policy = self.preset()?.environment(environment);
        let times: [(Option<f64>, SetTime); 7] = [
            (self.idle_timeout, Policy::idle_timeout),
            (self.absolute_timeout, Policy::absolute_timeout),
            (self.remembered_idle_timeout, Policy::remembered_idle_timeout),
            (
                self.remembered_absolute_timeout,
                Policy::remembered_absolute_timeout,
            ),
            (self.touch_interval, Policy::touch_interval),
            (self.renewal_grace, Policy::renewal_grace),
            (self.store_deadline, Policy::store_deadline),
        ];
        for (time, set) in times {
            if let Some(time) = time {
                policy = set(policy, from_millis(time));
            }
        }
        if let Some(interval) = self.renew_every {
            policy = policy.renew_every(unless_zero(interval));
        }
        if let Some(interval) = self.sweep_interval {
            policy = policy.sweep_interval(unless_zero(interval));
        }
        if let Some(bytes) = self.max_data_bytes {
            policy = policy.max_data_bytes(bytes as usize);
        }
        if let Some(record) = self.record_client_address {
            policy = policy.record_client_address(record);
        }
        if let Some(sealed) = self.sealed {
            policy = policy.sealing(if sealed { Sealing::Sealed } else { Sealing::Plain });
        }
        if let Some(limit) = &self.session_limit {
            policy = policy.session_limit(limit.limit()?);
        }
        if let Some(limit) = &self.guess_limit {
            policy = policy.guess_limit(limit.limit()?);
        }
        self.cookie.set(self.set_csrf(policy)?)
    }

    fn preset(&self) -> Result<Policy> {
        match self.preset.as_deref() {
            None => Ok(Policy::default()),
            Some("aal1") => Ok(Policy::aal1()),
            Some("aal2") => Ok(Policy::aal2()),
            Some("aal3") => Ok(Policy::aal3()),
            Some(other) => Err(unknown("preset", other, r#""aal1", "aal2" or "aal3""#)),
        }
    }

    fn set_csrf(&self, mut policy: Policy) -> Result<Policy> {
        if let Some(check) = &self.origin_check {
            policy = policy.origin_check(match check.as_str() {
                "enforced" => OriginCheck::Enforced,
                "off" => OriginCheck::Off,
                "done-elsewhere" => OriginCheck::DoneElsewhere,
                other => {
                    return Err(unknown(
                        "originCheck",
                        other,
                        r#""enforced", "off" or "done-elsewhere""#,
                    ));
                }
            });
        }
        if let Some(tokens) = &self.csrf_tokens {
            policy = policy.csrf_tokens(match tokens.as_str() {
                "offered" => CsrfTokens::Offered,
                "demanded" => CsrfTokens::Demanded,
                other => return Err(unknown("csrfTokens", other, r#""offered" or "demanded""#)),
            });
        }
        if let Some(origins) = &self.trusted_origins {
            policy = policy.trusted_origins(origins.clone());
        }
        if let Some(paths) = &self.csrf_exempt_paths {
            policy = policy.csrf_exempt_paths(paths.clone());
        }
        Ok(policy)
    }

    pub(super) fn trust_proxy(&self) -> Result<TrustProxy> {
        let Some(option) = &self.trust_proxy else {
            return Ok(TrustProxy::nobody());
        };
        let trusted = match (option.hops, &option.networks) {
            (Some(hops), None) => TrustProxy::hops(hops as usize),
            (None, Some(networks)) => TrustProxy::networks(
                networks
                    .iter()
                    .map(|network| parse_network(network))
                    .collect::<Result<Vec<_>>>()?,
            ),
            _ => {
                return Err(invalid(
                    "trustProxy takes either hops, a number of proxies, or networks, a list such as [\"10.0.0.0/8\"]",
                ));
            }
        };
        Ok(trusted.reading(if option.forwarded {
            ProxyHeaders::Forwarded
        } else {
            ProxyHeaders::XForwarded
        }))
    }
}

impl CookieOptions {
    fn set(&self, mut policy: Policy) -> Result<Policy> {
        if let Some(name) = &self.name {
            policy = policy.cookie_name(name.clone());
        }
        if let Some(path) = &self.path {
            policy = policy.cookie_path(path.clone());
        }
        if let Some(domain) = &self.domain {
            policy = policy.cookie_domain(domain.clone());
        }
        if let Some(secure) = self.secure {
            policy = policy.cookie_secure(secure);
        }
        if let Some(http_only) = self.http_only {
            policy = policy.cookie_http_only(http_only);
        }
        if let Some(partitioned) = self.partitioned {
            policy = policy.cookie_partitioned(partitioned);
        }
        if let Some(same_site) = &self.same_site {
            policy = policy.cookie_same_site(match same_site.as_str() {
                "strict" => SameSite::Strict,
                "lax" => SameSite::Lax,
                "none" => SameSite::None,
                other => return Err(unknown("cookie.sameSite", other, r#""strict", "lax" or "none""#)),
            });
        }
        if let Some(lifetime) = &self.lifetime {
            policy = policy.cookie_lifetime(match lifetime.as_str() {
                "absolute-timeout" => CookieLifetime::AbsoluteTimeout,
                "browser-session" => CookieLifetime::BrowserSession,
                other => {
                    return Err(unknown(
                        "cookie.lifetime",
                        other,
                        r#""absolute-timeout" or "browser-session""#,
                    ));
                }
            });
        }
        Ok(policy)
    }
}

impl SessionLimitOption {
    fn limit(&self) -> Result<SessionLimit> {
        let most = not_zero("sessionLimit.most", self.most)?;
        Ok(if self.refuse_newest {
            SessionLimit::RefuseNewest(most)
        } else {
            SessionLimit::EvictOldest(most)
        })
    }
}

impl GuessLimitOption {
    fn limit(&self) -> Result<GuessLimit> {
        match (self.refused, self.unknown) {
            (None, None) => Ok(GuessLimit::Unlimited),
            (Some(refused), Some(unknown)) => Ok(GuessLimit::PerClient {
                refused: not_zero("guessLimit.refused", refused)?,
                unknown: not_zero("guessLimit.unknown", unknown)?,
            }),
            _ => Err(invalid(
                "guessLimit takes both refused and unknown, or is \"unlimited\"",
            )),
        }
    }
}

fn unless_zero(millis: f64) -> Option<Duration> {
    (millis > 0.0).then(|| from_millis(millis))
}

fn not_zero(name: &str, number: u32) -> Result<NonZeroU32> {
    NonZeroU32::new(number).ok_or_else(|| invalid(&format!("{name} is 0; give at least 1")))
}

fn parse_network(network: &str) -> Result<IpNet> {
    let address = || Some(IpNet::from(network.parse::<std::net::IpAddr>().ok()?));
    let parsed = network.parse().ok().or_else(address);
    parsed.ok_or_else(|| {
        invalid(&format!(
            "trustProxy: {network:?} is no network; write it as \"10.0.0.0/8\", or as an address"
        ))
    })
}

fn unknown(option: &str, given: &str, known: &str) -> Error {
    invalid(&format!("{option} can't be {given:?}; it is {known}"))
}

fn invalid(message: &str) -> Error {
    Error::new(Status::InvalidArg, message)
}
