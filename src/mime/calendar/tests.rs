use super::*;
use posthorn_model::Identity;
use proptest::prelude::*;

const MEETING: &str = "BEGIN:VCALENDAR\r\nPRODID:-//x\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\nBEGIN:VTIMEZONE\r\nTZID:Europe/Berlin\r\nBEGIN:STANDARD\r\nDTSTART:19701025T030000\r\nTZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT\r\nUID:abc@example.org\r\nSEQUENCE:2\r\nDTSTAMP:20250301T100000Z\r\nDTSTART;TZID=Europe/Berlin:20250304T140000\r\nDURATION:PT1H30M\r\nSUMMARY:Plan\\, review\r\nLOCATION:Room 5\r\nDESCRIPTION:one\\ntwo\r\nORGANIZER;CN=Ada Berg:mailto:ada@example.org\r\nATTENDEE;CN=Bo;PARTSTAT=ACCEPTED:mailto:bo@example.org\r\nATTENDEE;CN=Me;PARTSTAT=NEEDS-ACTION;RSVP=TRUE;ROLE=OPT-PARTICIPANT:MAILTO:me@home.example\r\nRRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,-1FR;COUNT=10\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

fn me() -> Identity {
    Identity {
        name: "Me".to_owned(),
        email: "me@home.example".to_owned(),
        ..Identity::default()
    }
}

fn read_one(calendar: &str) -> Invitation {
    invitations(calendar, &["Me@Home.example".to_owned()])
        .into_iter()
        .next()
        .unwrap()
}

#[test]
fn reads_a_meeting() {
    let meeting = read_one(MEETING);
    assert_eq!((meeting.method, meeting.sequence), (Method::Request, 2));
    assert_eq!(
        (meeting.uid.as_str(), meeting.summary.as_str()),
        ("abc@example.org", "Plan, review")
    );
    assert_eq!(
        (meeting.location.as_str(), meeting.description.as_str()),
        ("Room 5", "one\ntwo")
    );
    let start = meeting.start.clone().unwrap();
    assert_eq!(
        (start.year, start.month, start.day, start.time),
        (2025, 3, 4, Some((14, 0)))
    );
    assert_eq!(start.zone.as_deref(), Some("Europe/Berlin"));
    assert_eq!(start.at, Some(Timestamp(1_741_093_200)));
    let end = meeting.end.clone().unwrap();
    assert_eq!(
        (end.time, end.at),
        (Some((15, 30)), Some(Timestamp(1_741_098_600)))
    );
    assert_eq!(
        meeting.organizer,
        Some(Address::new("Ada Berg", "ada@example.org"))
    );
    assert_eq!(meeting.attendees.len(), 2);
    assert_eq!(meeting.mine, Some(1));
    assert_eq!(meeting.my_status(), Some(PartStat::NeedsAction));
    let mine = &meeting.attendees[1];
    assert!(mine.optional && mine.rsvp);
    let rule = meeting.recurrence.clone().unwrap();
    assert_eq!(
        (rule.every, rule.interval, rule.count),
        (Frequency::Week, 2, Some(10))
    );
    assert_eq!(rule.weekdays, [(0, Weekday::Tuesday), (-1, Weekday::Friday)]);
    assert!(meeting.can_answer() && !meeting.all_day);
}

#[test]
fn whole_days_end_on_their_last_day() {
    let day = read_one(
        "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nDTSTART;VALUE=DATE:20250227\nDTEND;VALUE=DATE:20250302\nEND:VEVENT\nEND:VCALENDAR\n",
    );
    assert!(day.all_day);
    let end = day.end.unwrap();
    assert_eq!((end.month, end.day), (3, 1));
    assert_eq!(day.method, Method::Publish);
}

#[test]
fn says_what_is_cancelled() {
    let gone = read_one(&MEETING.replace("METHOD:REQUEST", "METHOD:CANCEL"));
    assert!(gone.cancelled && !gone.can_answer());
    assert_eq!(
        answer_calendar(&gone, &me(), PartStat::Accepted, "", Timestamp(0)),
        None
    );
}

#[test]
fn answers_keep_what_identifies_the_event() {
    let meeting = read_one(MEETING);
    let answer = answer_calendar(
        &meeting,
        &me(),
        PartStat::Tentative,
        "Perhaps;\nlater",
        Timestamp(1_741_000_000),
    )
    .unwrap();
    for line in [
        "METHOD:REPLY",
        "UID:abc@example.org",
        "SEQUENCE:2",
        "DTSTART;TZID=Europe/Berlin:20250304T140000",
        "ORGANIZER;CN=\"Ada Berg\":mailto:ada@example.org",
        "DTSTAMP:20250303T110640Z",
        "COMMENT:Perhaps\\;\\nlater",
        "BEGIN:VTIMEZONE",
    ] {
        assert!(answer.lines().any(|known| known == line), "{line}\n{answer}");
    }
    assert!(
        !answer.contains("bo@example.org") && !answer.contains("RRULE"),
        "{answer}"
    );
    let read = read_one(&answer);
    assert_eq!(
        (read.method, read.my_status()),
        (Method::Reply, Some(PartStat::Tentative))
    );
    assert_eq!(
        answer.lines().filter(|line| line.starts_with("ATTENDEE")).count(),
        1,
        "{answer}"
    );
    assert!(
        answer
            .split("\r\n")
            .all(|line| line.len() <= 75 && !line.contains('\n')),
        "{answer}"
    );
}

#[test]
fn a_forwarded_invitation_is_answered_by_the_reader() {
    let meeting = invitations(MEETING, &["other@home.example".to_owned()]).remove(0);
    let me = Identity {
        email: "other@home.example".to_owned(),
        ..Identity::default()
    };
    let answer = answer_calendar(&meeting, &me, PartStat::Declined, "", Timestamp(0)).unwrap();
    assert!(
        answer.contains("ATTENDEE;PARTSTAT=DECLINED:mailto:other@home.example"),
        "{answer}"
    );
}

#[test]
fn hostile_calendars_stay_small() {
    let endless = read_one(
        "BEGIN:VCALENDAR\nMETHOD:REQUEST\nBEGIN:VEVENT\nUID:1\nDTSTART:20250101T000000Z\nORGANIZER:mailto:a@b\nATTACH:file:///etc/passwd\nURL:javascript:alert(1)\nRRULE:FREQ=SECONDLY;COUNT=99999999\nEND:VEVENT\nEND:VCALENDAR\n",
    );
    assert_eq!(endless.url, None);
    assert_eq!(endless.recurrence.unwrap().every, Frequency::Second);
    let many = format!(
        "BEGIN:VCALENDAR\n{}END:VCALENDAR\n",
        "BEGIN:VEVENT\nUID:1\nEND:VEVENT\n".repeat(10_000)
    );
    assert_eq!(invitations(&many, &[]).len(), MAX_EVENTS);
    let deep = "BEGIN:VEVENT\n".repeat(50_000);
    assert!(invitations(&deep, &[]).len() <= MAX_EVENTS);
    let spoof = read_one(
        "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nORGANIZER;CN=\"support@bank.example\":mailto:eve@attacker.example\nSUMMARY:a\u{202e}b\nEND:VEVENT\nEND:VCALENDAR\n",
    );
    assert_eq!(spoof.organizer, Some(Address::bare("eve@attacker.example")));
    assert_eq!(spoof.summary, "ab");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn near_calendars_never_panic(lines in "(BEGIN:VCALENDAR\n|BEGIN:VEVENT\n|END:VEVENT\n|DTSTART(;TZID=[A-Z]{1,3})?:[0-9TZ]{0,16}\n|DURATION:-?P[0-9TWDHMS]{0,9}\n|RRULE:[A-Z=;,0-9-]{0,40}\n|ATTENDEE;[A-Z=\":;@a-z]{0,30}\n|[\\PC]{0,20}\n){0,20}") {
        for invitation in invitations(&format!("BEGIN:VCALENDAR\nMETHOD:REQUEST\n{lines}"), &["me@x".to_owned()]) {
            let _ = answer_calendar(&invitation, &me(), PartStat::Accepted, "x", Timestamp(0));
        }
    }
}
