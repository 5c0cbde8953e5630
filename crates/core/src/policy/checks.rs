//! Everything that can be wrong with a policy.

use std::time::Duration;

use crate::cookie_attributes::SameSite;
use crate::csrf::{Origin, OriginCheck, Protocol, is_exemption};
use crate::environment::Environment;
use crate::policy::{Policy, Timeouts};
use crate::record::Lifetime;
use crate::seal;
use crate::setup_error::Problem;
use crate::store::MAX_DATA_BYTES;
use crate::token::COOKIE_VALUE_LENGTH;

/// The longest that a browser keeps a cookie (RFC 6265bis, section 5.5).
const LONGEST_LIFETIME: Duration = Duration::from_hours(400 * 24);
/// Browsers drop a cookie whose name and value together are longer (RFC 6265bis, section 5.7).
const LONGEST_NAME_AND_VALUE: usize = 4096;
/// Browsers ignore an attribute whose value is longer (RFC 6265bis, section 5.6).
const LONGEST_ATTRIBUTE: usize = 1024;

/// Checking.
impl Policy {
    /// Everything that is wrong with this policy. Empty for one that may be used.
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        Self::check_timeouts(Lifetime::Standard, self.standard, &mut problems);
        Self::check_timeouts(Lifetime::Remembered, self.remembered, &mut problems);
        self.check_cookie(&mut problems);
        self.check_limits(&mut problems);
        self.check_csrf(&mut problems);
        problems
    }

    fn check_csrf(&self, problems: &mut Vec<Problem>) {
        if self.csrf.origin_check == OriginCheck::Off && self.environment == Environment::Production {
            problems.push(Problem::OriginUncheckedInProduction);
        }
        for origin in &self.csrf.trusted_origins {
            match Origin::parse(origin) {
                None => problems.push(Problem::InvalidTrustedOrigin {
                    origin: origin.clone().into_owned(),
                }),
                Some(parsed)
                    if parsed.protocol == Protocol::Http
                        && !parsed.is_loopback()
                        && self.environment == Environment::Production =>
                {
                    problems.push(Problem::InsecureTrustedOrigin {
                        origin: origin.clone().into_owned(),
                    });
                }
                Some(_) => {}
            }
        }
        for path in self.csrf.exempt_paths.iter().filter(|path| !is_exemption(path)) {
            problems.push(Problem::InvalidExemptPath {
                path: path.clone().into_owned(),
            });
        }
    }

    fn check_timeouts(lifetime: Lifetime, timeouts: Timeouts, problems: &mut Vec<Problem>) {
        let Timeouts { idle, absolute } = timeouts;
        if idle.as_millis() == 0 || absolute.as_millis() == 0 {
            problems.push(Problem::ZeroTimeout { lifetime });
        }
        if idle > absolute {
            problems.push(Problem::IdleLongerThanAbsolute {
                lifetime,
                idle,
                absolute,
            });
        }
        if absolute > LONGEST_LIFETIME {
            problems.push(Problem::LifetimeTooLong { lifetime, absolute });
        }
    }

    fn check_cookie(&self, problems: &mut Vec<Problem>) {
        let name = self.cookie_name.as_ref();
        if name.is_empty() || !name.bytes().all(is_token_byte) {
            problems.push(Problem::InvalidCookieName {
                name: name.to_owned(),
            });
        }
        let length = name.len() + COOKIE_VALUE_LENGTH;
        if length > LONGEST_NAME_AND_VALUE {
            problems.push(Problem::CookieTooLong { bytes: length });
        }
        if !is_attribute(&self.cookie_path) || !self.cookie_path.starts_with('/') {
            problems.push(Problem::InvalidCookiePath {
                path: self.cookie_path.clone().into_owned(),
            });
        }
        if let Some(domain) = self.cookie_domain.as_deref().filter(|domain| !is_domain(domain)) {
            problems.push(Problem::InvalidCookieDomain {
                domain: domain.to_owned(),
            });
        }
        if !self.cookie_secure && self.environment == Environment::Production {
            problems.push(Problem::InsecureCookieInProduction);
        }
        if !self.cookie_http_only {
            problems.push(Problem::CookieReadableByScripts);
        }
        if self.cookie_same_site == SameSite::None && !self.cookie_secure {
            problems.push(Problem::SameSiteNoneWithoutSecure);
        }
        if self.cookie_partitioned && !self.cookie_secure {
            problems.push(Problem::PartitionedWithoutSecure);
        }
        // Browsers compare prefixes without regard to case (RFC 6265bis, section 5.4).
        let has_prefix = |prefix: &str| {
            name.get(..prefix.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
        };
        let host_only = has_prefix("__Host-") || has_prefix("__Host-Http-");
        if host_only && self.cookie_domain.is_some() {
            problems.push(Problem::HostPrefixWithDomain);
        }
        if host_only && self.cookie_path != "/" {
            problems.push(Problem::HostPrefixWithPath {
                path: self.cookie_path.clone().into_owned(),
            });
        }
        let needs_secure = host_only || has_prefix("__Secure-") || has_prefix("__Http-");
        if needs_secure && !self.cookie_secure {
            problems.push(Problem::PrefixWithoutSecure {
                name: name.to_owned(),
            });
        }
    }

    fn check_limits(&self, problems: &mut Vec<Problem>) {
        let most = MAX_DATA_BYTES - seal::OVERHEAD;
        if self.max_data_bytes > most {
            problems.push(Problem::DataLimitTooLarge {
                bytes: self.max_data_bytes,
                most,
            });
        }
        if self.store_deadline.is_zero() {
            problems.push(Problem::ZeroStoreDeadline);
        }
        if self.sweep_interval.is_some_and(|interval| interval.is_zero()) {
            problems.push(Problem::ZeroSweepInterval);
        }
        #[cfg(feature = "metrics")]
        if self.count_interval.is_some_and(|interval| interval.is_zero()) {
            problems.push(Problem::ZeroCountInterval);
        }
        if let Some(interval) = self
            .renew_every
            .filter(|interval| *interval <= self.renewal_grace)
        {
            problems.push(Problem::RenewalShorterThanGrace {
                interval,
                grace: self.renewal_grace,
            });
        }
        let shortest_idle = self.standard.idle.min(self.remembered.idle);
        if let Some(interval) = self.touch_interval.filter(|interval| *interval >= shortest_idle) {
            problems.push(Problem::TouchIntervalTooLong {
                interval,
                idle: shortest_idle,
            });
        }
    }
}

/// A character of a token (RFC 9110, section 5.6.2), which a cookie's name is (RFC 6265, 4.1.1).
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn is_attribute(value: &str) -> bool {
    value.len() <= LONGEST_ATTRIBUTE
        && value
            .bytes()
            .all(|byte| matches!(byte, b' '..=b'~') && byte != b';')
}

fn is_domain(domain: &str) -> bool {
    let labels = domain.strip_prefix('.').unwrap_or(domain);
    domain.len() <= LONGEST_ATTRIBUTE
        && labels.split('.').all(|label| {
            !label.is_empty()
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::csrf::CsrfTokens;
    use crate::policy::{DAY, HOUR, MINUTE};
    use crate::setup_error::SetupError;

    fn production() -> Policy {
        Policy::default().environment(Environment::Production)
    }

    fn only_problem(policy: &Policy) -> Problem {
        let mut problems = policy.problems();
        assert_eq!(problems.len(), 1, "{problems:?}");
        problems.remove(0)
    }

    #[test]
    fn the_default_and_the_presets_are_fit_for_production() {
        for policy in [Policy::default(), Policy::aal1(), Policy::aal2(), Policy::aal3()] {
            assert_eq!(policy.environment(Environment::Production).problems(), []);
        }
    }

    #[test]
    fn secure_off_is_refused_in_production_only() {
        let insecure = production().cookie_name("session").cookie_secure(false);
        assert_eq!(only_problem(&insecure), Problem::InsecureCookieInProduction);
        assert_eq!(insecure.environment(Environment::Development).problems(), []);
    }

    #[test]
    fn http_only_off_is_refused_everywhere() {
        for environment in [Environment::Production, Environment::Development] {
            let policy = production().environment(environment).cookie_http_only(false);
            assert_eq!(only_problem(&policy), Problem::CookieReadableByScripts);
        }
    }

    #[test]
    fn same_site_none_without_secure_is_refused() {
        let policy = production()
            .environment(Environment::Development)
            .cookie_name("session")
            .cookie_secure(false)
            .cookie_same_site(SameSite::None);
        assert_eq!(only_problem(&policy), Problem::SameSiteNoneWithoutSecure);
    }

    #[test]
    fn partitioned_without_secure_is_refused() {
        let policy = production()
            .environment(Environment::Development)
            .cookie_name("session")
            .cookie_secure(false)
            .cookie_partitioned(true);
        assert_eq!(only_problem(&policy), Problem::PartitionedWithoutSecure);
    }

    #[test]
    fn the_host_prefix_is_refused_with_a_domain_or_another_path_in_any_case() {
        for name in ["__Host-session", "__hOST-session", "__Host-Http-session"] {
            let named = production().cookie_name(name);
            assert_eq!(
                only_problem(&named.clone().cookie_domain("example.com")),
                Problem::HostPrefixWithDomain
            );
            assert_eq!(
                only_problem(&named.cookie_path("/app")),
                Problem::HostPrefixWithPath { path: "/app".into() }
            );
        }
    }

    #[test]
    fn a_prefix_that_needs_secure_is_refused_without_it() {
        for name in ["__Host-s", "__Secure-s", "__Http-s", "__secure-s"] {
            let policy = production()
                .environment(Environment::Development)
                .cookie_name(name)
                .cookie_secure(false);
            assert_eq!(
                only_problem(&policy),
                Problem::PrefixWithoutSecure { name: name.into() }
            );
        }
    }

    #[test]
    fn an_idle_timeout_longer_than_the_absolute_is_refused_for_both_lifetimes() {
        let (idle, absolute) = (13 * HOUR, 12 * HOUR);
        assert_eq!(
            only_problem(&production().idle_timeout(idle)),
            Problem::IdleLongerThanAbsolute {
                lifetime: Lifetime::Standard,
                idle,
                absolute
            }
        );
        let (idle, absolute) = (31 * DAY, 30 * DAY);
        assert_eq!(
            only_problem(&production().remembered_idle_timeout(idle)),
            Problem::IdleLongerThanAbsolute {
                lifetime: Lifetime::Remembered,
                idle,
                absolute
            }
        );
        assert_eq!(production().idle_timeout(12 * HOUR).problems(), []);
    }

    #[test]
    fn a_lifetime_over_400_days_is_refused() {
        let policy = |absolute| production().remembered_absolute_timeout(absolute);
        assert_eq!(policy(400 * DAY).problems(), []);
        let absolute = 400 * DAY + Duration::from_millis(1);
        assert_eq!(
            only_problem(&policy(absolute)),
            Problem::LifetimeTooLong {
                lifetime: Lifetime::Remembered,
                absolute
            }
        );
        assert!(matches!(
            only_problem(&production().absolute_timeout(absolute)),
            Problem::LifetimeTooLong {
                lifetime: Lifetime::Standard,
                ..
            }
        ));
    }

    #[test]
    fn a_timeout_under_a_millisecond_is_refused() {
        let policy = production()
            .idle_timeout(Duration::from_micros(999))
            .touch_interval(Duration::ZERO);
        assert_eq!(
            only_problem(&policy),
            Problem::ZeroTimeout {
                lifetime: Lifetime::Standard
            }
        );
    }

    #[test]
    fn name_and_value_over_4096_bytes_are_refused() {
        let longest = "s".repeat(4096 - COOKIE_VALUE_LENGTH);
        assert_eq!(production().cookie_name(longest.clone()).problems(), []);
        assert_eq!(
            only_problem(&production().cookie_name(longest + "s")),
            Problem::CookieTooLong { bytes: 4097 }
        );
    }

    #[test]
    fn an_invalid_cookie_name_is_refused() {
        for name in [
            "",
            "two words",
            "a=b",
            "a;b",
            "a,b",
            "naïve",
            "a\n",
            "\"a\"",
            "a/b",
        ] {
            assert_eq!(
                only_problem(&production().cookie_name(name)),
                Problem::InvalidCookieName { name: name.into() }
            );
        }
    }

    #[test]
    fn a_path_or_domain_that_could_smuggle_an_attribute_is_refused() {
        for path in ["", "app", "/; Domain=evil.example", "/\r\n"] {
            let policy = production().cookie_name("session").cookie_path(path);
            assert_eq!(
                only_problem(&policy),
                Problem::InvalidCookiePath { path: path.into() }
            );
        }
        for domain in ["", "..", "example.com; Path=/x", "a b"] {
            let policy = production().cookie_name("session").cookie_domain(domain);
            assert_eq!(
                only_problem(&policy),
                Problem::InvalidCookieDomain {
                    domain: domain.into()
                }
            );
        }
        let shared = production()
            .cookie_name("__Secure-session")
            .cookie_domain("example.com");
        assert_eq!(shared.problems(), []);
    }

    #[test]
    fn limits_that_could_never_work_are_refused() {
        let most = MAX_DATA_BYTES - seal::OVERHEAD;
        assert_eq!(production().max_data_bytes(most).problems(), []);
        assert_eq!(
            only_problem(&production().max_data_bytes(most + 1)),
            Problem::DataLimitTooLarge {
                bytes: most + 1,
                most
            }
        );
        assert_eq!(
            only_problem(&production().store_deadline(Duration::ZERO)),
            Problem::ZeroStoreDeadline
        );
        assert_eq!(
            only_problem(&production().sweep_interval(Some(Duration::ZERO))),
            Problem::ZeroSweepInterval
        );
        #[cfg(feature = "metrics")]
        assert_eq!(
            only_problem(&production().count_interval(Some(Duration::ZERO))),
            Problem::ZeroCountInterval
        );
        assert!(matches!(
            only_problem(&production().renew_every(Some(2 * MINUTE))),
            Problem::RenewalShorterThanGrace { .. }
        ));
        assert!(matches!(
            only_problem(&production().touch_interval(30 * MINUTE)),
            Problem::TouchIntervalTooLong { .. }
        ));
    }

    #[test]
    fn an_unchecked_origin_is_refused_in_production_unless_it_is_said_who_checks_it() {
        let off = production().origin_check(OriginCheck::Off);
        assert_eq!(only_problem(&off), Problem::OriginUncheckedInProduction);
        let with_tokens = off.clone().csrf_tokens(CsrfTokens::Demanded);
        assert_eq!(only_problem(&with_tokens), Problem::OriginUncheckedInProduction);
        assert_eq!(off.environment(Environment::Development).problems(), []);
        assert_eq!(
            production().origin_check(OriginCheck::DoneElsewhere).problems(),
            []
        );
    }

    #[test]
    fn a_trusted_origin_must_be_one_and_https() {
        for origin in [
            "",
            "*",
            "null",
            "https://*.example",
            "https://app.example/",
            "app.example",
            "//app.example",
        ] {
            let policy = production().trusted_origins([origin]);
            assert_eq!(
                only_problem(&policy),
                Problem::InvalidTrustedOrigin {
                    origin: origin.into()
                }
            );
        }
        let plain = production().trusted_origins(["http://app.example"]);
        let origin = "http://app.example".into();
        assert_eq!(only_problem(&plain), Problem::InsecureTrustedOrigin { origin });
        assert_eq!(plain.environment(Environment::Development).problems(), []);
        let fine = [
            "https://app.example",
            "https://app.example:8443",
            "http://localhost:5173",
            "http://[::1]:1",
        ];
        assert_eq!(production().trusted_origins(fine).problems(), []);
    }

    #[test]
    fn an_exemption_that_could_mean_more_than_it_says_is_refused() {
        for path in ["", "/*", "hooks", "/hooks*", "/a/../b", "/%2e", "/a//b"] {
            assert_eq!(
                only_problem(&production().csrf_exempt_paths([path])),
                Problem::InvalidExemptPath { path: path.into() }
            );
        }
        assert_eq!(
            production()
                .csrf_exempt_paths(["/hooks/*", "/callback"])
                .problems(),
            []
        );
    }

    #[test]
    fn all_problems_are_reported_at_once() {
        let policy = production()
            .cookie_secure(false)
            .cookie_http_only(false)
            .cookie_domain("example.com")
            .idle_timeout(13 * HOUR);
        let error = SetupError::of(policy.problems()).unwrap_err();
        assert_eq!(error.problems().len(), 5);
        assert_eq!(error.to_string().lines().count(), 6);
    }
}
