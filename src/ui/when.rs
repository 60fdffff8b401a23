//! Dates as people say them: 14:05, Yesterday, 3 Mar, 2024-11-02.

use jiff::tz::TimeZone;
use jiff::{Timestamp as Instant, Zoned};
use posthorn_model::Timestamp;

use crate::t;

/// Now, and where on the earth the reader is.
#[derive(Clone, Debug)]
pub struct Clock {
    pub now: Timestamp,
    pub zone: TimeZone,
    /// What [`Clock::tick`] reads.
    pub read: fn() -> Timestamp,
}

fn system_now() -> Timestamp {
    Timestamp(Instant::now().as_second())
}

impl Clock {
    /// The system's clock and time zone.
    #[must_use]
    pub fn system() -> Self {
        Self {
            now: system_now(),
            zone: TimeZone::system(),
            read: system_now,
        }
    }

    /// Reads the clock again.
    pub fn tick(&mut self) {
        self.now = (self.read)();
    }

    fn zoned(&self, at: Timestamp) -> Option<Zoned> {
        Instant::from_second(at.0)
            .ok()
            .map(|at| at.to_zoned(self.zone.clone()))
    }

    /// For a list: the shortest that is still clear.
    #[must_use]
    pub fn short(&self, at: Timestamp) -> String {
        let (Some(then), Some(now)) = (self.zoned(at), self.zoned(self.now)) else {
            return at.to_string();
        };
        let days = now
            .date()
            .since(then.date())
            .map_or(i32::MAX, |span| span.get_days());
        match days {
            0 => then.strftime("%H:%M").to_string(),
            1 => t!("when-yesterday"),
            _ if then.year() == now.year() => day_and_month(&then),
            _ => then.strftime("%Y-%m-%d").to_string(),
        }
    }

    /// The time of day.
    #[must_use]
    pub fn time(&self, at: Timestamp) -> String {
        self.zoned(at)
            .map_or_else(|| at.to_string(), |then| then.strftime("%H:%M").to_string())
    }

    /// For a message's header: day and time.
    #[must_use]
    pub fn long(&self, at: Timestamp) -> String {
        self.moment(at, t!("when-today"), t!("when-yesterday"))
    }

    /// The same within a sentence: "today at 14:05".
    #[must_use]
    pub fn within(&self, at: Timestamp) -> String {
        self.moment(at, t!("when-today-within"), t!("when-yesterday-within"))
    }

    fn moment(&self, at: Timestamp, today: String, yesterday: String) -> String {
        let (Some(then), Some(now)) = (self.zoned(at), self.zoned(self.now)) else {
            return at.to_string();
        };
        let time = then.strftime("%H:%M").to_string();
        let days = now
            .date()
            .since(then.date())
            .map_or(i32::MAX, |span| span.get_days());
        let day = match days {
            0 => today,
            1 => yesterday,
            _ if then.year() == now.year() => day_and_month(&then),
            _ => then.strftime("%Y-%m-%d").to_string(),
        };
        t!("when-day-and-time", day = day, time = time)
    }

    /// A day to come or gone by: "3 Mar", "2027-01-02".
    #[must_use]
    pub fn day(&self, at: Timestamp) -> String {
        match (self.zoned(at), self.zoned(self.now)) {
            (Some(then), Some(now)) if then.year() == now.year() => day_and_month(&then),
            (Some(then), _) => then.strftime("%Y-%m-%d").to_string(),
            _ => at.to_string(),
        }
    }

    /// For a quotation's first line: unmistakable anywhere.
    #[must_use]
    pub fn full(&self, at: Timestamp) -> String {
        self.zoned(at).map_or_else(
            || at.to_string(),
            |then| then.strftime("%Y-%m-%d %H:%M").to_string(),
        )
    }
}

fn day_and_month(then: &Zoned) -> String {
    let month = match then.month() {
        1 => t!("month-1"),
        2 => t!("month-2"),
        3 => t!("month-3"),
        4 => t!("month-4"),
        5 => t!("month-5"),
        6 => t!("month-6"),
        7 => t!("month-7"),
        8 => t!("month-8"),
        9 => t!("month-9"),
        10 => t!("month-10"),
        11 => t!("month-11"),
        _ => t!("month-12"),
    };
    t!("when-day-and-month", day = i64::from(then.day()), month = month)
}

/// A size as people say it: 812 B, 14 kB, 3.2 MB.
#[must_use]
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let mut scaled = bytes;
    let mut rest = 0;
    let mut unit = "B";
    for next in UNITS {
        if scaled < 1000 {
            break;
        }
        rest = scaled % 1000 / 100;
        scaled /= 1000;
        unit = next;
    }
    if scaled < 10 && unit != "kB" {
        format!("{scaled}.{rest} {unit}")
    } else {
        format!("{scaled} {unit}")
    }
}

/// A number with its thousands apart.
#[must_use]
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            // U+202F, a thin space that does not break.
            grouped.push('\u{202f}');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(now: &str) -> Clock {
        Clock {
            now: Timestamp::parse_rfc3339(now).unwrap(),
            zone: TimeZone::UTC,
            read: system_now,
        }
    }

    #[test]
    fn says_dates_as_people_do() {
        let clock = clock("2026-03-10T09:00:00Z");
        for (at, short, long) in [
            ("2026-03-10T07:05:00Z", "07:05", "Today at 07:05"),
            ("2026-03-09T23:59:00Z", "Yesterday", "Yesterday at 23:59"),
            ("2026-03-03T10:00:00Z", "3 Mar", "3 Mar at 10:00"),
            ("2024-11-02T10:00:00Z", "2024-11-02", "2024-11-02 at 10:00"),
            ("2026-03-12T10:00:00Z", "12 Mar", "12 Mar at 10:00"),
        ] {
            let at = Timestamp::parse_rfc3339(at).unwrap();
            assert_eq!(clock.short(at), short);
            assert_eq!(clock.long(at), long);
            assert_eq!(clock.within(at).to_lowercase(), long.to_lowercase());
        }
    }

    #[test]
    fn says_sizes_and_counts() {
        for (bytes, expect) in [
            (0, "0 B"),
            (999, "999 B"),
            (14_300, "14 kB"),
            (3_260_000, "3.2 MB"),
            (52_000_000, "52 MB"),
            (1_900_000_000, "1.9 GB"),
        ] {
            assert_eq!(size(bytes), expect);
        }
        assert_eq!(count(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!(count(999), "999");
    }
}
