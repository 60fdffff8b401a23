//! Invitations by mail (RFC 5545, 5546, 6047): what an organiser asks, and the answer. Nothing that an invitation
//! points to is fetched, and no recurrence is expanded.

use calcard::common::PartialDateTime;
use calcard::icalendar::{
    ICalendar, ICalendarComponent, ICalendarComponentType, ICalendarDuration, ICalendarEntry,
    ICalendarFrequency, ICalendarMethod, ICalendarParameterName, ICalendarParameterValue,
    ICalendarParticipationStatus, ICalendarProperty, ICalendarRecurrenceRule, ICalendarStatus,
    ICalendarValue, ICalendarWeekday,
};
use calcard::{Entry, Parser};
use posthorn_model::{Address, Timestamp};

use crate::glyph;
use crate::sender;

mod answer;

pub use answer::answer_calendar;

/// What of a calendar is read.
const MAX_SOURCE: usize = 512 * 1024;
const MAX_EVENTS: usize = 20;
const MAX_ATTENDEES: usize = 500;
const MAX_LINE: usize = 500;
const MAX_TEXT: usize = 16 * 1024;

/// What the sender wants with it (RFC 5546 section 1.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Method {
    /// For information: nobody waits for an answer.
    #[default]
    Publish,
    /// An invitation, or a change to one.
    Request,
    /// Somebody's answer.
    Reply,
    /// More occurrences of what is known.
    Add,
    Cancel,
    Refresh,
    /// An attendee proposes something else.
    Counter,
    DeclineCounter,
}

/// An attendee's answer (RFC 5545 section 3.2.12).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum PartStat {
    #[default]
    NeedsAction,
    Accepted,
    Declined,
    Tentative,
    Delegated,
}

/// A time as the organiser wrote it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    pub year: u16,
    pub month: u8,
    pub day: u8,
    /// Hour and minute; `None`: the whole day.
    pub time: Option<(u8, u8)>,
    /// The zone that the time is in, by its IANA name where it is known, `UTC`, or as the organiser calls it;
    /// `None`: wherever the reader is.
    pub zone: Option<String>,
    /// The instant, where the zone is known; for whole days midnight in UTC.
    pub at: Option<Timestamp>,
}

/// How often it comes again (RFC 5545 section 3.3.10), as data for words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recurrence {
    pub every: Frequency,
    /// Every that many.
    pub interval: u16,
    /// With the number of the week in the month or year: 0 is every one, -1 the last.
    pub weekdays: Vec<(i16, Weekday)>,
    pub month_days: Vec<i8>,
    pub months: Vec<u8>,
    pub count: Option<u32>,
    pub until: Option<Moment>,
    /// There is more to the rule than stands here.
    pub more: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Frequency {
    Year,
    Month,
    Week,
    Day,
    Hour,
    Minute,
    Second,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Weekday {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

/// Somebody who is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attendee {
    /// As it may be shown.
    pub address: Address,
    pub status: PartStat,
    pub optional: bool,
    /// Whether the organiser wants an answer.
    pub rsvp: bool,
}

/// One event of a calendar part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Invitation {
    pub method: Method,
    pub uid: String,
    /// Higher numbers replace lower ones.
    pub sequence: i64,
    /// Which occurrence this is about, where not all.
    pub recurrence_id: Option<Moment>,
    pub summary: String,
    pub description: String,
    pub location: String,
    /// A link to join or to read more, `https:` or `http:` only.
    pub url: Option<String>,
    pub start: Option<Moment>,
    /// The first moment after it, or the last whole day of it.
    pub end: Option<Moment>,
    pub all_day: bool,
    pub recurrence: Option<Recurrence>,
    pub organizer: Option<Address>,
    pub attendees: Vec<Attendee>,
    /// Which of the attendees is the reader.
    pub mine: Option<usize>,
    /// It does not take place: a CANCEL, or marked so.
    pub cancelled: bool,
    /// What is answered from.
    source: String,
    component: usize,
}

impl Invitation {
    /// Whether an answer can be sent: it asks for one, and says whom to answer.
    #[must_use]
    pub fn can_answer(&self) -> bool {
        matches!(self.method, Method::Request | Method::Add)
            && !self.cancelled
            && !self.uid.is_empty()
            && self
                .organizer
                .as_ref()
                .is_some_and(|organizer| crate::address::is_plausible(&organizer.email))
    }

    /// What the reader has answered so far, as the organiser knows it.
    #[must_use]
    pub fn my_status(&self) -> Option<PartStat> {
        self.mine
            .and_then(|index| self.attendees.get(index))
            .map(|attendee| attendee.status)
    }
}

/// The events of a calendar part, decoded to text. `me`: the reader's addresses.
#[must_use]
pub fn invitations(calendar: &str, me: &[String]) -> Vec<Invitation> {
    let calendar = calendar
        .get(..calendar.floor_char_boundary(MAX_SOURCE))
        .unwrap_or(calendar);
    // The parser is not ours.
    std::panic::catch_unwind(|| read(calendar, me)).unwrap_or_default()
}

fn read(source: &str, me: &[String]) -> Vec<Invitation> {
    let Some(calendar) = parse(source) else {
        return Vec::new();
    };
    let method = calendar
        .components
        .first()
        .and_then(|top| top.property(&ICalendarProperty::Method))
        .and_then(|entry| entry.values.first())
        .map(read_method)
        .unwrap_or_default();
    calendar
        .components
        .iter()
        .enumerate()
        .filter(|(_, component)| {
            matches!(
                component.component_type,
                ICalendarComponentType::VEvent | ICalendarComponentType::VTodo
            )
        })
        .take(MAX_EVENTS)
        .map(|(index, component)| Invitation {
            source: source.to_owned(),
            component: index,
            ..read_event(&calendar, component, method, me)
        })
        .collect()
}

fn parse(source: &str) -> Option<ICalendar> {
    let mut parser = Parser::new(source);
    // What stands before the calendar is passed over, but not for ever.
    for _ in 0..50 {
        match parser.entry() {
            Entry::ICalendar(calendar) => return Some(calendar),
            Entry::Eof => return None,
            _ => {}
        }
    }
    None
}

fn read_method(value: &ICalendarValue) -> Method {
    let text = match value {
        ICalendarValue::Method(method) => {
            return match method {
                ICalendarMethod::Publish => Method::Publish,
                ICalendarMethod::Request => Method::Request,
                ICalendarMethod::Reply => Method::Reply,
                ICalendarMethod::Add => Method::Add,
                ICalendarMethod::Cancel => Method::Cancel,
                ICalendarMethod::Refresh => Method::Refresh,
                ICalendarMethod::Counter => Method::Counter,
                ICalendarMethod::Declinecounter => Method::DeclineCounter,
            };
        }
        value => value.as_text().unwrap_or_default(),
    };
    match text.to_ascii_uppercase().as_str() {
        "REQUEST" => Method::Request,
        "REPLY" => Method::Reply,
        "CANCEL" => Method::Cancel,
        _ => Method::Publish,
    }
}

fn read_event(
    calendar: &ICalendar,
    component: &ICalendarComponent,
    method: Method,
    me: &[String],
) -> Invitation {
    let line = |property: ICalendarProperty| glyph::clean_label(&text_of(component, &property), MAX_LINE).0;
    let moment = |property: ICalendarProperty| {
        component
            .property(&property)
            .and_then(|entry| read_moment(calendar, entry))
    };
    let start = moment(ICalendarProperty::Dtstart);
    let all_day = start.as_ref().is_some_and(|start| start.time.is_none());
    let end = moment(ICalendarProperty::Dtend)
        .or_else(|| moment(ICalendarProperty::Due))
        .or_else(|| add_duration(start.as_ref()?, component));
    let attendees: Vec<Attendee> = component
        .properties(&ICalendarProperty::Attendee)
        .take(MAX_ATTENDEES)
        .filter_map(read_attendee)
        .collect();
    let is_me = |email: &str| me.iter().any(|mine| mine.eq_ignore_ascii_case(email));
    Invitation {
        method,
        uid: component.uid().unwrap_or_default().to_owned(),
        sequence: component
            .property(&ICalendarProperty::Sequence)
            .and_then(|entry| entry.values.first())
            .and_then(ICalendarValue::as_integer)
            .unwrap_or(0),
        recurrence_id: moment(ICalendarProperty::RecurrenceId),
        summary: line(ICalendarProperty::Summary),
        description: clean_lines(&text_of(component, &ICalendarProperty::Description)),
        location: line(ICalendarProperty::Location),
        url: find_url(component),
        end: if all_day { end.map(last_day) } else { end },
        start,
        all_day,
        recurrence: component.property(&ICalendarProperty::Rrule).and_then(|entry| {
            match entry.values.first() {
                Some(ICalendarValue::RecurrenceRule(rule)) => Some(read_rule(rule)),
                _ => None,
            }
        }),
        organizer: component
            .property(&ICalendarProperty::Organizer)
            .and_then(read_address),
        mine: attendees
            .iter()
            .position(|attendee| is_me(&attendee.address.email)),
        attendees,
        cancelled: method == Method::Cancel || component.status() == Some(&ICalendarStatus::Cancelled),
        ..Invitation::default()
    }
}

fn text_of(component: &ICalendarComponent, property: &ICalendarProperty) -> String {
    component
        .property(property)
        .and_then(|entry| entry.values.first())
        .and_then(ICalendarValue::as_text)
        .unwrap_or_default()
        .to_owned()
}

fn clean_lines(text: &str) -> String {
    let cut = text.get(..text.floor_char_boundary(MAX_TEXT)).unwrap_or(text);
    cut.replace("\r\n", "\n")
        .chars()
        .filter(|c| matches!(c, '\n' | '\t') || !c.is_control() && !crate::word::is_override(*c))
        .collect()
}

/// The link of a conference or of the event itself.
fn find_url(component: &ICalendarComponent) -> Option<String> {
    let entries = component.entries.iter().filter(|entry| match &entry.name {
        ICalendarProperty::Conference | ICalendarProperty::Url => true,
        ICalendarProperty::Other(name) => {
            let name = name.to_ascii_uppercase();
            matches!(
                name.as_str(),
                "X-GOOGLE-CONFERENCE"
                    | "X-MICROSOFT-SKYPETEAMSMEETINGURL"
                    | "X-MICROSOFT-ONLINEMEETINGCONFLINK"
            )
        }
        _ => false,
    });
    entries
        .filter_map(|entry| entry.values.first()?.as_text())
        .filter_map(crate::text::linkify::safe_url)
        .find(|url| !url.to_ascii_lowercase().starts_with("mailto:"))
}

fn read_attendee(entry: &ICalendarEntry) -> Option<Attendee> {
    let status = match entry.parameter(&ICalendarParameterName::Partstat) {
        Some(ICalendarParameterValue::Partstat(status)) => match status {
            ICalendarParticipationStatus::Accepted => PartStat::Accepted,
            ICalendarParticipationStatus::Declined => PartStat::Declined,
            ICalendarParticipationStatus::Tentative => PartStat::Tentative,
            ICalendarParticipationStatus::Delegated => PartStat::Delegated,
            _ => PartStat::NeedsAction,
        },
        _ => PartStat::NeedsAction,
    };
    let role = entry
        .parameter(&ICalendarParameterName::Role)
        .and_then(ICalendarParameterValue::as_text)
        .unwrap_or_default();
    Some(Attendee {
        address: read_address(entry)?,
        status,
        optional: matches!(role, "OPT-PARTICIPANT" | "NON-PARTICIPANT"),
        rsvp: entry
            .parameter(&ICalendarParameterName::Rsvp)
            .and_then(ICalendarParameterValue::as_bool)
            .unwrap_or(false),
    })
}

fn read_address(entry: &ICalendarEntry) -> Option<Address> {
    let uri = entry.calendar_address()?;
    // Some write another kind of address there, and the mail address beside it (RFC 7986 section 6.2).
    let beside = entry
        .parameter(&ICalendarParameterName::Email)
        .and_then(ICalendarParameterValue::as_text);
    let email = if uri.contains('@') {
        uri
    } else {
        beside.unwrap_or(uri)
    };
    let name = entry
        .parameter(&ICalendarParameterName::Cn)
        .and_then(ICalendarParameterValue::as_text)
        .unwrap_or_default();
    let shown = sender::show_parts(name, crate::text::linkify::percent_decode(email));
    (!shown.email.is_empty()).then(|| shown.into_address())
}

fn read_moment(calendar: &ICalendar, entry: &ICalendarEntry) -> Option<Moment> {
    let value = entry.values.first()?.as_partial_date_time()?;
    let named = entry
        .parameter(&ICalendarParameterName::Tzid)
        .and_then(ICalendarParameterValue::as_text);
    moment_of(calendar, value, named)
}

fn moment_of(calendar: &ICalendar, value: &PartialDateTime, named: Option<&str>) -> Option<Moment> {
    let (year, month, day) = (value.year?, value.month?, value.day?);
    let time = value.hour.map(|hour| (hour, value.minute.unwrap_or(0)));
    let mut moment = Moment {
        year,
        month,
        day,
        time,
        zone: None,
        at: None,
    };
    let valid = (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && time.is_none_or(|(hour, minute)| hour < 24 && minute < 60);
    if !valid {
        return None;
    }
    let utc = value.tz_hour.is_some();
    if time.is_none() || utc && named.is_none() {
        moment.at = value
            .to_date_time_with_tz(calcard::common::timezone::Tz::UTC)
            .map(|at| Timestamp(at.timestamp()));
        moment.zone = (time.is_some() && utc).then(|| "UTC".to_owned());
        return Some(moment);
    }
    if let Some(named) = named {
        let zone = calendar.build_tz_resolver().resolve(named);
        moment.zone = Some(
            zone.as_ref()
                .and_then(calcard::common::timezone::Tz::name)
                .map_or_else(|| glyph::clean_label(named, 100).0, |name| name.into_owned()),
        );
        moment.at = zone
            .and_then(|zone| value.to_date_time_with_tz(zone))
            .map(|at| Timestamp(at.timestamp()));
    }
    Some(moment)
}

/// The end of what has a start and a length (RFC 5545 section 3.8.2.5).
fn add_duration(start: &Moment, component: &ICalendarComponent) -> Option<Moment> {
    let entry = component.property(&ICalendarProperty::Duration)?;
    let ICalendarValue::Duration(duration) = entry.values.first()? else {
        return None;
    };
    let seconds = seconds_of(duration)?;
    let (hour, minute) = start.time.unwrap_or((0, 0));
    let local = days_from_civil(
        i64::from(start.year),
        i64::from(start.month),
        i64::from(start.day),
    )
    .checked_mul(86_400)?
    .checked_add(i64::from(hour) * 3_600 + i64::from(minute) * 60)?
    .checked_add(seconds)?;
    let (year, month, day) = civil_from_days(local.div_euclid(86_400));
    let of_day = local.rem_euclid(86_400);
    Some(Moment {
        year: u16::try_from(year).ok()?,
        month,
        day,
        time: start.time.and_then(|_| {
            Some((
                u8::try_from(of_day / 3_600).ok()?,
                u8::try_from(of_day % 3_600 / 60).ok()?,
            ))
        }),
        zone: start.zone.clone(),
        at: start.at.and_then(|at| at.0.checked_add(seconds)).map(Timestamp),
    })
}

fn seconds_of(duration: &ICalendarDuration) -> Option<i64> {
    let days = i64::from(duration.weeks) * 7 + i64::from(duration.days);
    let seconds = days * 86_400
        + i64::from(duration.hours) * 3_600
        + i64::from(duration.minutes) * 60
        + i64::from(duration.seconds);
    // Ten years are no meeting.
    (!duration.neg && seconds < 3_660 * 86_400).then_some(seconds)
}

/// A whole-day event's end is the day after (RFC 5545 section 3.6.1); people say the last day.
fn last_day(end: Moment) -> Moment {
    let days = days_from_civil(i64::from(end.year), i64::from(end.month), i64::from(end.day)) - 1;
    let (year, month, day) = civil_from_days(days);
    Moment {
        year: u16::try_from(year).unwrap_or(end.year),
        month,
        day,
        at: end.at.and_then(|at| at.0.checked_sub(86_400)).map(Timestamp),
        ..end
    }
}

/// Days since 1970-01-01 in the Gregorian calendar, counted in eras of 400 years.
const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let shifted = if month > 2 { month - 3 } else { month + 9 };
    let of_year = (153 * shifted + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn civil_from_days(days: i64) -> (i64, u8, u8) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    (
        year,
        u8::try_from(month).unwrap_or(1),
        u8::try_from(day).unwrap_or(1),
    )
}

fn read_rule(rule: &ICalendarRecurrenceRule) -> Recurrence {
    let weekday = |day: ICalendarWeekday| match day {
        ICalendarWeekday::Monday => Weekday::Monday,
        ICalendarWeekday::Tuesday => Weekday::Tuesday,
        ICalendarWeekday::Wednesday => Weekday::Wednesday,
        ICalendarWeekday::Thursday => Weekday::Thursday,
        ICalendarWeekday::Friday => Weekday::Friday,
        ICalendarWeekday::Saturday => Weekday::Saturday,
        ICalendarWeekday::Sunday => Weekday::Sunday,
    };
    Recurrence {
        every: match rule.freq {
            ICalendarFrequency::Yearly => Frequency::Year,
            ICalendarFrequency::Monthly => Frequency::Month,
            ICalendarFrequency::Weekly => Frequency::Week,
            ICalendarFrequency::Daily => Frequency::Day,
            ICalendarFrequency::Hourly => Frequency::Hour,
            ICalendarFrequency::Minutely => Frequency::Minute,
            ICalendarFrequency::Secondly => Frequency::Second,
        },
        interval: rule.interval.unwrap_or(1).max(1),
        weekdays: rule
            .byday
            .iter()
            .take(14)
            .map(|day| (day.ordwk.unwrap_or(0), weekday(day.weekday)))
            .collect(),
        month_days: rule.bymonthday.iter().take(31).copied().collect(),
        months: rule.bymonth.iter().take(12).map(|month| month.month()).collect(),
        count: rule.count,
        until: rule
            .until
            .as_ref()
            .and_then(|until| moment_of(&ICalendar::default(), until, None)),
        more: !(rule.bysecond.is_empty()
            && rule.byminute.is_empty()
            && rule.byhour.is_empty()
            && rule.byyearday.is_empty()
            && rule.byweekno.is_empty()
            && rule.bysetpos.is_empty()),
    }
}

#[cfg(test)]
mod tests;
