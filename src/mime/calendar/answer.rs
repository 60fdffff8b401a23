//! The answer to an invitation: a calendar object with METHOD:REPLY (RFC 5546 section 3.2.3).

use calcard::icalendar::{
    ICalendar, ICalendarComponent, ICalendarComponentType, ICalendarEntry, ICalendarMethod,
    ICalendarParameter, ICalendarParameterName, ICalendarParameterValue, ICalendarParticipationStatus,
    ICalendarProperty, ICalendarValue,
};
use posthorn_model::{Identity, Timestamp};

use super::{Invitation, PartStat, parse};

/// The calendar object that answers, with CRLF line ends; `None` where it cannot be answered.
#[must_use]
pub fn answer_calendar(
    invitation: &Invitation,
    me: &Identity,
    status: PartStat,
    comment: &str,
    now: Timestamp,
) -> Option<String> {
    if !invitation.can_answer() {
        return None;
    }
    std::panic::catch_unwind(|| build(invitation, me, status, comment, now))
        .ok()
        .flatten()
}

fn build(
    invitation: &Invitation,
    me: &Identity,
    status: PartStat,
    comment: &str,
    now: Timestamp,
) -> Option<String> {
    let asked = parse(&invitation.source)?;
    let event = asked.components.get(invitation.component)?;
    let mut out = ICalendarComponent {
        component_type: event.component_type.clone(),
        ..ICalendarComponent::default()
    };
    for property in [
        ICalendarProperty::Uid,
        ICalendarProperty::RecurrenceId,
        ICalendarProperty::Sequence,
        ICalendarProperty::Dtstart,
        ICalendarProperty::Dtend,
        ICalendarProperty::Duration,
        ICalendarProperty::Summary,
        ICalendarProperty::Location,
        ICalendarProperty::Organizer,
    ] {
        out.entries.extend(event.property(&property).cloned());
    }
    out.add_dtstamp(calcard::common::PartialDateTime::from_utc_timestamp(now.0));
    out.entries.push(attendee(invitation, event, me, status));
    let comment: String = comment
        .chars()
        .filter(|c| *c == '\n' || !c.is_control())
        .take(2_000)
        .collect();
    if !comment.trim().is_empty() {
        out.add_property(ICalendarProperty::Comment, ICalendarValue::Text(comment));
    }
    let mut top = ICalendarComponent {
        component_type: ICalendarComponentType::VCalendar,
        ..ICalendarComponent::default()
    };
    let text = |text: &str| ICalendarValue::Text(text.to_owned());
    top.add_property(ICalendarProperty::Prodid, text("-//Posthorn//EN"));
    top.add_property(ICalendarProperty::Version, text("2.0"));
    top.add_property(
        ICalendarProperty::Method,
        ICalendarValue::Method(ICalendarMethod::Reply),
    );
    let mut answer = ICalendar {
        components: vec![top, out],
    };
    if let Some(top) = answer.components.first_mut() {
        top.component_ids.push(1);
    }
    answer.copy_timezones(&asked);
    Some(answer.to_string())
}

/// The reader's own entry as the organiser wrote it, with the answer; a new one where the reader is not among them
/// (a forwarded invitation).
fn attendee(
    invitation: &Invitation,
    event: &ICalendarComponent,
    me: &Identity,
    status: PartStat,
) -> ICalendarEntry {
    let known = invitation
        .mine
        .and_then(|index| invitation.attendees.get(index))
        .and_then(|mine| {
            event
                .properties(&ICalendarProperty::Attendee)
                .find(|entry| super::read_address(entry).is_some_and(|address| address == mine.address))
        });
    let mut entry = match known {
        Some(entry) => entry.clone(),
        None => {
            let mut entry = ICalendarEntry::new(ICalendarProperty::Attendee)
                .with_value(ICalendarValue::Text(format!("mailto:{}", me.email)));
            if !me.name.is_empty() {
                let name: String = me.name.chars().filter(|c| !c.is_control() && *c != '"').collect();
                entry.add_param(ICalendarParameter::cn(name));
            }
            entry
        }
    };
    entry.params.retain(|parameter| {
        !matches!(
            parameter.name,
            ICalendarParameterName::Partstat | ICalendarParameterName::Rsvp
        )
    });
    let status = match status {
        PartStat::Accepted => ICalendarParticipationStatus::Accepted,
        PartStat::Declined => ICalendarParticipationStatus::Declined,
        PartStat::Tentative => ICalendarParticipationStatus::Tentative,
        PartStat::Delegated => ICalendarParticipationStatus::Delegated,
        PartStat::NeedsAction => ICalendarParticipationStatus::NeedsAction,
    };
    entry.add_param(ICalendarParameter {
        name: ICalendarParameterName::Partstat,
        value: ICalendarParameterValue::Partstat(status),
    });
    entry
}
