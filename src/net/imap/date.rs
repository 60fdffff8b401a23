//! IMAP's `date-time` (RFC 9051 section 9): `17-Jul-1996 02:44:25 -0700`, in both directions.

use posthorn_model::Timestamp;

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// Without its quotes; `None` for what is no date.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    let mut words = text.split_ascii_whitespace();
    let mut date = words.next()?.split('-');
    let day: i64 = date.next()?.parse().ok()?;
    let month = date.next()?;
    let month = MONTHS.iter().position(|name| name.eq_ignore_ascii_case(month))?;
    let year: i64 = date.next()?.parse().ok()?;
    let mut time = words.next()?.split(':');
    let mut next = || time.next()?.parse::<i64>().ok();
    let (hour, minute, second) = (next()?, next()?, next()?);
    let zone = words.next().unwrap_or("+0000");
    let (sign, digits) = match zone.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let zone: i64 = digits.parse().ok()?;
    let fits = (1..=31).contains(&day)
        && (1..=9999).contains(&year)
        && (0..24).contains(&hour)
        && (0..60).contains(&minute)
        && (0..=60).contains(&second)
        && (0..=2400).contains(&zone);
    let offset = sign * (zone / 100 * 3600 + zone % 100 * 60);
    let days = days_before(year, i64::try_from(month).ok()? + 1) + day - 1;
    fits.then(|| Timestamp(days * Timestamp::DAY + hour * 3600 + minute * 60 + second - offset))
}

/// In UTC, quoted; the day padded with a space as `date-day-fixed` demands.
pub(super) fn format(at: Timestamp) -> String {
    let days = at.0.div_euclid(Timestamp::DAY);
    let seconds = at.0.rem_euclid(Timestamp::DAY);
    let (year, month, day) = civil(days);
    let month = usize::try_from(month - 1)
        .ok()
        .and_then(|index| MONTHS.get(index))
        .unwrap_or(&"Jan");
    format!(
        "\"{day:>2}-{month}-{year:04} {:02}:{:02}:{:02} +0000\"",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}

/// Days from 1970-01-01 to the first of a month, in the proleptic Gregorian calendar.
fn days_before(year: i64, month: i64) -> i64 {
    // Years that begin in March, so that the leap day is their last.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + (153 * month + 2) / 5 - 719_468
}

fn civil(days: i64) -> (i64, i64, i64) {
    // Never after the right year, and close to it.
    let mut year = 1970 + days.div_euclid(if days < 0 { 365 } else { 366 });
    while days_before(year + 1, 1) <= days {
        year += 1;
    }
    let mut month = 1;
    while month < 12 && days_before(year, month + 1) <= days {
        month += 1;
    }
    (year, month, days - days_before(year, month) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_dates() {
        let check = |text: &str, expect: Option<&str>| {
            let expect = expect.map(|text| Timestamp::parse_rfc3339(text).expect("a date"));
            assert_eq!(parse(text), expect, "{text:?}");
        };
        check("17-Jul-1996 02:44:25 -0700", Some("1996-07-17T09:44:25Z"));
        check(" 1-Jan-1970 00:00:00 +0000", Some("1970-01-01T00:00:00Z"));
        check("29-feb-2024 23:59:60 +0530", Some("2024-02-29T18:30:00Z"));
        check("01-Mar-2100 00:00:00", Some("2100-03-01T00:00:00Z"));
        check("NIL", None);
        check("1-Foo-2020 00:00:00 +0000", None);
        check("1-Jan-99999999999999999999 00:00:00 +0000", None);
        check("1-Jan-2020 25:00:00 +0000", None);
        check("1-Jan-2020 00:00:00 \u{fc}0000", None);
        check("", None);
    }

    #[test]
    fn writes_what_it_reads() {
        for seconds in [0, 1_732_233_600, -1, 951_782_400, 4_102_444_799, -62_135_596_800] {
            let text = format(Timestamp(seconds));
            assert_eq!(parse(text.trim_matches('"')), Some(Timestamp(seconds)), "{text}");
        }
        assert_eq!(format(Timestamp(0)), "\" 1-Jan-1970 00:00:00 +0000\"");
    }
}
