//! The `Date` field (RFC 5322 section 3.3 and the obsolete forms of 4.3), and what senders write instead.

use mail_parser::{HeaderValue, parsers::MessageStream};
use posthorn_model::Timestamp;

use crate::defect::Defects;

/// Reads a date in any of the forms that mail holds; `None` where there is no plausible time in it.
pub(crate) fn parse(value: &str, defects: &mut Defects) -> Option<Timestamp> {
    let value = value.get(..value.len().min(200)).unwrap_or(value).trim();
    // A year before the first is none, whatever is made of it elsewhere.
    let is_negative = |token: &str| {
        let digits = token.strip_prefix('-').unwrap_or_default();
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    let before_time = value.split_whitespace().take_while(|token| !token.contains(':'));
    if before_time.into_iter().any(is_negative) {
        return None;
    }
    let standard = format!("{value}\n");
    let date = defects.guard("date", || {
        match MessageStream::new(standard.as_bytes()).parse_date() {
            HeaderValue::DateTime(date) => Some(date),
            _ => None,
        }
    });
    if let Some(mut date) = date {
        // Leap seconds exist on the wire only.
        date.second = date.second.min(59);
        if date.is_valid() {
            return Some(Timestamp(date.to_timestamp()));
        }
    }
    parse_rfc3339(value).or_else(|| parse_asctime(value))
}

/// ISO 8601 as RFC 3339 has it, with a space for the `T` and a missing zone allowed.
fn parse_rfc3339(value: &str) -> Option<Timestamp> {
    let mut text = value.split('(').next()?.trim().to_owned();
    if !text.starts_with(|c: char| c.is_ascii_digit()) || text.get(4..5) != Some("-") {
        return None;
    }
    if text.get(10..11) == Some(" ") {
        text.replace_range(10..11, "T");
    }
    text.retain(|c| c != ' ');
    Timestamp::parse_rfc3339(&text).or_else(|| Timestamp::parse_rfc3339(&format!("{text}Z")))
}

/// C's asctime, `Thu Nov 21 10:00:00 2024`, and what else has its pieces in another order.
fn parse_asctime(value: &str) -> Option<Timestamp> {
    const MONTHS: [&str; 12] = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ];
    let (mut day, mut month, mut year, mut time, mut offset) = (None, None, None, None, 0_i64);
    for token in value.split(|c: char| c.is_whitespace() || c == ',') {
        let lower = token.to_ascii_lowercase();
        let named = MONTHS.iter().position(|name| lower.get(..3) == Some(name));
        if let Some(index) = named {
            month = month.or(Some(index + 1));
        } else if token.contains(':') {
            let mut pieces = token.split(':').map(|piece| piece.parse::<i64>().ok());
            let (hour, minute) = (pieces.next()??, pieces.next()??);
            let second = pieces.next().flatten().unwrap_or(0);
            time = Some((hour, minute, second));
        } else if token.len() == 5 && token.starts_with(['+', '-']) {
            let zone: i64 = token.get(1..)?.parse().ok()?;
            let seconds = zone / 100 * 3600 + zone % 100 * 60;
            offset = if token.starts_with('-') { -seconds } else { seconds };
        } else if let Ok(number) = token.parse::<i64>() {
            match number {
                1..=31 if day.is_none() => day = Some(number),
                1900..=3000 => year = Some(number),
                // Two digits, behind the day (RFC 5322 section 4.3).
                0..=49 if year.is_none() => year = Some(2000 + number),
                50..=99 if year.is_none() => year = Some(1900 + number),
                _ => {}
            }
        }
    }
    let (hour, minute, second) = time.unwrap_or((0, 0, 0));
    let text = format!(
        "{:04}-{:02}-{:02}T{hour:02}:{minute:02}:{:02}Z",
        year?,
        month?,
        day?,
        second.min(59)
    );
    Some(Timestamp::parse_rfc3339(&text)?.plus_seconds(-offset))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_dates_of_the_world() {
        let check = |input: &str, expect: Option<&str>| {
            let date = parse(input, &mut Defects::default());
            assert_eq!(date.map(|at| at.to_string()).as_deref(), expect, "{input:?}");
        };
        check("Fri, 22 Nov 2024 01:00:00 +0100", Some("2024-11-22T00:00:00Z"));
        check("22 Nov 2024 00:00:00 -0000", Some("2024-11-22T00:00:00Z"));
        check("Fri, 22 Nov 24 00:00 GMT", Some("2024-11-22T00:00:00Z"));
        check(
            "Thu, 21 Nov 2024 19:00:00 EST (Eastern)",
            Some("2024-11-22T00:00:00Z"),
        );
        check("Fri Nov 22 00:00:00 2024", Some("2024-11-22T00:00:00Z"));
        check("Fri, Nov 22 2024 00:00:00 +0000", Some("2024-11-22T00:00:00Z"));
        check("2024-11-22T01:00:00+01:00", Some("2024-11-22T00:00:00Z"));
        check("2024-11-22 00:00:00", Some("2024-11-22T00:00:00Z"));
        check("Sat, 31 Dec 2016 23:59:60 +0000", Some("2016-12-31T23:59:59Z"));
        check("Fri, 22 Nov 2024 99:00:00 +0000", None);
        check("yesterday", None);
        check("", None);
        check("\u{1f600}", None);
        check("Mon, 99 Foo 99999 99:99:99 +9999", None);
    }
}
