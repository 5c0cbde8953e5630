//! The header that has a browser forget what it keeps of a site.

/// What an answer to a sign-out may say as `Clear-Site-Data` (W3C Clear Site Data, sections 3.1 and 3.3; OWASP ASVS 5.0,
/// 14.3.1): the browser drops the origin's HTTP cache, its storages, its databases and its service workers. Not its
/// cookies: `"cookies"` would take those of every subdomain.
pub const CLEAR_SITE_DATA: &str = "\"cache\", \"storage\"";
