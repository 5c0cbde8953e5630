//! What the engine itself spends on a guess, without any network.

use std::hint::black_box;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use http::header::{COOKIE, HeaderMap, HeaderValue, SET_COOKIE};

use crate::Outcome;
use crate::site::{COOKIE_NAME, COUNT, Site};

const ROUNDS: u32 = 200_000;

pub(crate) async fn print() -> Outcome {
    let site = Site::new()?;
    let guesser = IpAddr::from([203, 0, 113, 7]);
    let genuine = genuine(&site).await?;
    let forged = genuine.replace(&genuine[60..68], "00000000");
    for (what, cookie) in [
        ("no cookie", "theme=dark".to_owned()),
        ("genuine", genuine),
        ("forged, past the budget", forged),
        ("malformed, past the budget", format!("{COOKIE_NAME}=garbage")),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, HeaderValue::from_str(&cookie)?);
        let open = || black_box(site.sessions.open_from(black_box(&headers), Some(guesser)));
        // Spends the budget.
        let _ = time_of(open);
        println!("to open a request in the engine, {what}: {:?}", time_of(open));
    }
    Ok(())
}

fn time_of<T>(mut open: impl FnMut() -> T) -> Duration {
    let begun = Instant::now();
    for _ in 0..ROUNDS {
        open();
    }
    begun.elapsed() / ROUNDS
}

/// `name=value` of a new session.
async fn genuine(site: &Site) -> Outcome<String> {
    let opened = site.sessions.open(&HeaderMap::new());
    opened.load().await?.insert(COUNT, &1)?;
    let mut response = HeaderMap::new();
    site.sessions.commit(&opened).await?.apply(&mut response);
    let cookie = response.get(SET_COOKIE).ok_or("no cookie was set")?.to_str()?;
    Ok(cookie.split(';').next().unwrap_or_default().to_owned())
}
