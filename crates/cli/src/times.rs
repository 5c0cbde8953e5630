//! Moments and durations, as people write and read them.

use std::time::{Duration, SystemTime};

use jiff::fmt::friendly::{Designator, Spacing, SpanPrinter};
use jiff::{Span, SpanRelativeTo, SpanRound, Unit};
use tenure_core::Timestamp;

const PRINTER: SpanPrinter = SpanPrinter::new()
    .designator(Designator::Verbose)
    .spacing(Spacing::BetweenUnitsAndDesignators);

/// Reads a duration such as `90s`, `5m`, `12h` or `30 days`. A day has 24 hours.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let expected = || "write it as 90s, 5m, 12h or 30d".to_owned();
    let span: Span = text.parse().map_err(|_| expected())?;
    let duration = span
        .to_duration(SpanRelativeTo::days_are_24_hours())
        .map_err(|_| expected())?;
    Duration::try_from(duration).map_err(|_| expected())
}

/// `2026-11-23 00:05:54 UTC`.
pub(crate) fn moment(at: Timestamp) -> String {
    in_calendar(at).strftime("%F %T UTC").to_string()
}

/// `2026-11-23 00:05:54 UTC (in 12 minutes)`.
pub(crate) fn moment_and_distance(at: Timestamp, now: Timestamp) -> String {
    format!("{} ({})", moment(at), distance(at, now))
}

/// `in 12 minutes`.
pub(crate) fn distance(at: Timestamp, now: Timestamp) -> String {
    const MOMENT: Duration = Duration::from_secs(1);
    let (past, future) = (at.until(now), now.until(at));
    if past.max(future) < MOMENT {
        "now".to_owned()
    } else if future.is_zero() {
        format!("{} ago", about(past))
    } else {
        format!("in {}", about(future))
    }
}

/// RFC 3339, for programs.
pub(crate) fn rfc3339(at: Timestamp) -> String {
    format!("{:.3}", in_calendar(at))
}

/// Every unit, down to seconds.
pub(crate) fn exact(duration: Duration) -> String {
    rounded(duration, Unit::Second)
}

/// One unit: nobody plans by the seconds of a month.
fn about(duration: Duration) -> String {
    const TWO_MINUTES: u64 = 2 * 60;
    const TWO_HOURS: u64 = 2 * 60 * 60;
    const TWO_DAYS: u64 = 2 * 24 * 60 * 60;
    let unit = match duration.as_secs() {
        TWO_DAYS.. => Unit::Day,
        TWO_HOURS.. => Unit::Hour,
        TWO_MINUTES.. => Unit::Minute,
        _ => Unit::Second,
    };
    rounded(duration, unit)
}

fn rounded(duration: Duration, smallest: Unit) -> String {
    let seconds = i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
    let units = SpanRound::new()
        .largest(if smallest == Unit::Second {
            Unit::Day
        } else {
            smallest
        })
        .smallest(smallest)
        .days_are_24_hours();
    let span = Span::new()
        .try_seconds(seconds)
        .and_then(|span| span.round(units));
    // Thousands of years are no duration of this tool.
    span.map_or_else(
        |_| format!("{seconds} seconds"),
        |span| PRINTER.span_to_string(&span),
    )
}

fn in_calendar(at: Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::try_from(SystemTime::from(at)).unwrap_or(jiff::Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    #[test]
    fn durations_are_read_as_people_write_them() {
        assert_eq!(parse("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(parse("5m"), Ok(Duration::from_secs(300)));
        assert_eq!(parse("1h30m"), Ok(Duration::from_secs(5_400)));
        assert_eq!(parse("30d"), Ok(Duration::from_hours(720)));
        assert_eq!(parse("30 days"), Ok(Duration::from_hours(720)));
        for wrong in [
            "",
            "5",
            "-5m",
            "5m ago",
            "two hours",
            "1 month",
            "1y",
            "99999999999999999999d",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn moments_are_in_utc_with_their_distance() {
        assert_eq!(moment(NOW), "2027-01-15 08:00:00 UTC");
        assert_eq!(
            rfc3339(NOW.plus(Duration::from_millis(7))),
            "2027-01-15T08:00:00.007Z"
        );
        let from_now = |distance| moment_and_distance(NOW.plus(distance), NOW);
        assert_eq!(from_now(Duration::ZERO), "2027-01-15 08:00:00 UTC (now)");
        assert_eq!(
            from_now(Duration::from_secs(59)),
            "2027-01-15 08:00:59 UTC (in 59 seconds)"
        );
        assert_eq!(
            from_now(Duration::from_secs(600)),
            "2027-01-15 08:10:00 UTC (in 10 minutes)"
        );
        let past = moment_and_distance(NOW, NOW.plus(Duration::from_hours(50)));
        assert_eq!(past, "2027-01-15 08:00:00 UTC (2 days ago)");
        assert!(moment(Timestamp::from_millis(u64::MAX)).starts_with("9999-12-3"));
    }

    #[test]
    fn durations_are_shown_in_words() {
        assert_eq!(exact(Duration::from_secs(330)), "5 minutes 30 seconds");
        assert_eq!(exact(Duration::from_hours(720)), "30 days");
        assert_eq!(exact(Duration::ZERO), "0 seconds");
        assert!(exact(Duration::MAX).ends_with(" seconds"));
    }
}
