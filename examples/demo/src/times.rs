//! Spans of time in words.

use std::time::Duration;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// What is left, in its two largest units. `app.js` counts on in the same words.
pub(crate) fn left(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..MINUTE => format!("{seconds} s"),
        MINUTE..HOUR => format!("{} min {} s", seconds / MINUTE, seconds % MINUTE),
        HOUR..DAY => format!("{} h {} min", seconds / HOUR, seconds % HOUR / MINUTE),
        _ => format!("{} d {} h", seconds / DAY, seconds % DAY / HOUR),
    }
}

/// How long something has been.
pub(crate) fn ago(time: Duration) -> String {
    let seconds = time.as_secs();
    let (number, unit) = match seconds {
        0..MINUTE => return "just now".to_owned(),
        MINUTE..HOUR => (seconds / MINUTE, "minute"),
        HOUR..DAY => (seconds / HOUR, "hour"),
        _ => (seconds / DAY, "day"),
    };
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {unit}{plural} ago")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_has_its_two_largest_units() {
        let left = |seconds| left(Duration::from_secs(seconds));
        assert_eq!(left(0), "0 s");
        assert_eq!(left(59), "59 s");
        assert_eq!(left(60), "1 min 0 s");
        assert_eq!(left(1_799), "29 min 59 s");
        assert_eq!(left(43_199), "11 h 59 min");
        assert_eq!(left(30 * DAY), "30 d 0 h");
    }

    #[test]
    fn what_has_been_is_rounded_down() {
        let ago = |seconds| ago(Duration::from_secs(seconds));
        assert_eq!(ago(0), "just now");
        assert_eq!(ago(59), "just now");
        assert_eq!(ago(119), "1 minute ago");
        assert_eq!(ago(2 * HOUR), "2 hours ago");
        assert_eq!(ago(3 * DAY), "3 days ago");
    }
}
