//! Dates as people say them.

use jiff::tz::TimeZone;
use jiff::{Timestamp as Instant, ToSpan};
use posthorn_model::Timestamp;

/// Now, to the second.
#[must_use]
pub fn now() -> Timestamp {
    Timestamp(Instant::now().as_second())
}

/// In this machine's time zone, seen from now.
#[must_use]
pub fn say(at: Timestamp) -> String {
    say_from(at, now(), &TimeZone::system())
}

/// To the minute, with its zone, for the head of a message.
#[must_use]
pub fn say_in_full(at: Timestamp) -> String {
    Instant::from_second(at.0).map_or_else(
        |_| at.to_string(),
        |instant| {
            instant
                .to_zoned(TimeZone::system())
                .strftime("%a %-d %b %Y, %H:%M %Z")
                .to_string()
        },
    )
}

fn say_from(at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let (Ok(at), Ok(now)) = (Instant::from_second(at.0), Instant::from_second(now.0)) else {
        return at.to_string();
    };
    let (at, now) = (at.to_zoned(zone.clone()), now.to_zoned(zone.clone()));
    let yesterday = now.date().checked_sub(1.day()).ok();
    if at.date() == now.date() {
        at.strftime("%H:%M").to_string()
    } else if Some(at.date()) == yesterday {
        "Yesterday".to_owned()
    } else if at.year() == now.year() && at < now {
        at.strftime("%-d %b").to_string()
    } else {
        at.strftime("%Y-%m-%d").to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_dates_as_people_do() {
        let check = |at: &str, expect: &str| {
            let now = Timestamp::parse_rfc3339("2026-03-04T15:00:00Z").unwrap();
            let at = Timestamp::parse_rfc3339(at).unwrap();
            assert_eq!(say_from(at, now, &TimeZone::UTC), expect, "{at}");
        };
        check("2026-03-04T14:05:59Z", "14:05");
        check("2026-03-04T23:05:00Z", "23:05");
        check("2026-03-03T23:59:59Z", "Yesterday");
        check("2026-03-02T10:00:00Z", "2 Mar");
        check("2026-01-01T00:00:00Z", "1 Jan");
        check("2025-12-31T23:59:59Z", "2025-12-31");
        check("2026-03-05T00:00:00Z", "2026-03-05");
        check("1969-12-31T00:00:00Z", "1969-12-31");
    }
}
