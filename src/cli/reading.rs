//! What a reader is told of a message beside its text, for scripts: who it is from truly, what it asks for, and what
//! to think of its links and attachments.

use posthorn_engine::Reading;
use posthorn_engine::reading::{AskWhy, Invited, PictureRule, ReceiptState, Unsubscribe};
use posthorn_mime::calendar::Moment;
use posthorn_mime::read::Attached;
use posthorn_mime::text::linkify::linkify;
use posthorn_mime::{
    Card, Kind, LinkWarning, Mark, Method, Outcome, PartStat, Reason, Risk, SenderWarning, Verdict,
};
use serde_json::{Map, Value, json};

/// Links listed.
const MOST_LINKS: usize = 1_000;

/// Adds everything to a message's JSON.
pub fn describe(reading: &Reading, fields: &mut Map<String, Value>) {
    let mut put = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    put("from_shown", from_shown(reading));
    put("verdict", verdict(&reading.verdict));
    put(
        "reply_elsewhere",
        json!(
            reading
                .reply_elsewhere
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
        ),
    );
    put("pictures", json!(say_pictures(reading.pictures)));
    put("list", list(reading));
    put("receipt", receipt(reading.receipt.as_ref()));
    put(
        "invitations",
        reading.invitations.iter().map(invitation).collect(),
    );
    put("cards", reading.cards.iter().map(card).collect());
    put("links", links(reading));
}

fn from_shown(reading: &Reading) -> Value {
    let Some(shown) = &reading.sender else {
        return Value::Null;
    };
    json!({
        "label": shown.label(),
        "name": shown.name,
        "address": shown.email,
        "warnings": shown.warnings.iter().map(sender_warning).collect::<Vec<_>>(),
    })
}

fn sender_warning(warning: &SenderWarning) -> Value {
    let (kind, detail) = match warning {
        SenderWarning::NameIsAddress(address) => ("name_is_address", Some(address)),
        SenderWarning::NameHadHidden => ("name_had_hidden", None),
        SenderWarning::NameMixesScripts => ("name_mixes_scripts", None),
        SenderWarning::NameIsDomain(domain) => ("name_is_domain", Some(domain)),
        SenderWarning::DomainDeceptive => ("domain_deceptive", None),
        SenderWarning::LocalHasAt => ("local_has_at", None),
        SenderWarning::NoAddress => ("no_address", None),
        SenderWarning::SeveralAuthors => ("several_authors", None),
        SenderWarning::Ambiguous => ("ambiguous", None),
        SenderWarning::ReplyElsewhere(address) => ("reply_elsewhere", Some(address)),
    };
    json!({ "kind": kind, "detail": detail })
}

fn verdict(verdict: &Verdict) -> Value {
    let (mark, domain) = match &verdict.mark {
        Mark::Verified(domain) => ("verified", Some(domain)),
        Mark::Failed => ("failed", None),
        Mark::Unknown => ("unknown", None),
    };
    let say = |outcome: Outcome| match outcome {
        Outcome::Pass => "pass",
        Outcome::Fail => "fail",
        Outcome::Unknown => "unknown",
    };
    json!({
        "mark": mark,
        "domain": domain,
        "spf": say(verdict.spf),
        "dkim": say(verdict.dkim),
        "dmarc": say(verdict.dmarc),
        "arc": say(verdict.arc),
        "server": verdict.server,
        "aligned": verdict.aligned,
        "ignored": verdict.ignored,
    })
}

const fn say_pictures(rule: PictureRule) -> &'static str {
    match rule {
        PictureRule::Show => "show",
        PictureRule::Never => "never",
        PictureRule::Ask(AskWhy::Usual) => "ask",
        PictureRule::Ask(AskWhy::NotVerified) => "ask-not-verified",
        PictureRule::Ask(AskWhy::Metered) => "ask-metered",
        PictureRule::Ask(AskWhy::Junk) => "ask-junk",
        PictureRule::Ask(AskWhy::Nested) => "ask-nested",
    }
}

/// `null` for mail that came by no list.
fn list(reading: &Reading) -> Value {
    let list = &reading.list;
    if list.id.is_none() && list.post.is_none() && list.unsubscribe.is_empty() {
        return Value::Null;
    }
    let ways: Vec<Value> = reading
        .unsubscribe
        .iter()
        .map(|way| match way {
            Unsubscribe::OneClick { url, host, signed } => {
                json!({ "by": "one-click", "url": url, "host": host, "signed": signed })
            }
            Unsubscribe::Mail { to } => json!({ "by": "mail", "to": to.email }),
            Unsubscribe::Web { url } => json!({ "by": "web", "url": url }),
        })
        .collect();
    json!({ "id": list.id, "post": list.post, "unsubscribe": ways })
}

fn receipt(state: Option<&ReceiptState>) -> Value {
    let (name, asked) = match state {
        None => return Value::Null,
        Some(ReceiptState::Open(asked)) => ("open", Some(asked)),
        Some(ReceiptState::Off(asked)) => ("off", Some(asked)),
        Some(ReceiptState::Answered) => ("answered", None),
    };
    json!({
        "state": name,
        "to": asked.map(|asked| asked.to.iter().map(|to| to.email.clone()).collect::<Vec<_>>()),
        "elsewhere": asked.map(|asked| asked.elsewhere),
    })
}

fn invitation(invited: &Invited) -> Value {
    let event = &invited.invitation;
    let status = |status: PartStat| match status {
        PartStat::NeedsAction => "needs-action",
        PartStat::Accepted => "accepted",
        PartStat::Declined => "declined",
        PartStat::Tentative => "tentative",
        PartStat::Delegated => "delegated",
    };
    let method = match event.method {
        Method::Publish => "publish",
        Method::Request => "request",
        Method::Reply => "reply",
        Method::Add => "add",
        Method::Cancel => "cancel",
        Method::Refresh => "refresh",
        Method::Counter => "counter",
        Method::DeclineCounter => "decline-counter",
    };
    let people: Vec<Value> = event
        .attendees
        .iter()
        .map(|attendee| json!({ "address": attendee.address.to_string(), "status": status(attendee.status) }))
        .collect();
    json!({
        "method": method,
        "uid": event.uid,
        "summary": event.summary,
        "location": event.location,
        "start": event.start.as_ref().map(moment),
        "end": event.end.as_ref().map(moment),
        "all_day": event.all_day,
        "repeats": event.recurrence.is_some(),
        "organizer": event.organizer.as_ref().map(ToString::to_string),
        "attendees": people,
        "cancelled": event.cancelled,
        "can_answer": event.can_answer(),
        "answered": invited.answered.map(status),
    })
}

fn moment(moment: &Moment) -> Value {
    let day = format!("{:04}-{:02}-{:02}", moment.year, moment.month, moment.day);
    let local = match moment.time {
        Some((hour, minute)) => format!("{day}T{hour:02}:{minute:02}"),
        None => day,
    };
    json!({ "local": local, "zone": moment.zone, "at": moment.at })
}

fn card(card: &Card) -> Value {
    json!({
        "name": card.name,
        "emails": card.emails,
        "phones": card.phones,
        "organisation": card.organisation,
        "title": card.title,
        "urls": card.urls,
    })
}

/// Every link once, as the text or the HTML has it, with what is odd about it.
fn links(reading: &Reading) -> Value {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut add = |url: &str, text: &str| {
        let known = found.iter().any(|(known, words)| known == url && words == text);
        if !known && found.len() < MOST_LINKS {
            found.push((url.to_owned(), text.to_owned()));
        }
    };
    match (&reading.message.html, &reading.message.text) {
        (Some(html), _) => {
            for link in &posthorn_html::to_text(html).links {
                add(&link.url, &link.text);
            }
        }
        (None, Some(text)) => {
            for span in linkify(text) {
                if let Some(url) = &span.url {
                    add(url, span.text);
                }
            }
        }
        (None, None) => {}
    }
    found
        .iter()
        .map(|(url, text)| {
            let target = posthorn_mime::look_at_link(text, url);
            let warnings: Vec<Value> = target.warnings.iter().map(link_warning).collect();
            json!({ "url": url, "text": text, "host": target.host, "openable": target.openable, "warnings": warnings })
        })
        .collect()
}

fn link_warning(warning: &LinkWarning) -> Value {
    let (kind, detail) = match warning {
        LinkWarning::Refused(scheme) => ("refused", Some(scheme.clone())),
        LinkWarning::OtherHost { shown, .. } => ("other_host", Some(shown.clone())),
        LinkWarning::DeceptiveHost(host) => ("deceptive_host", Some(host.clone())),
        LinkWarning::UserInfo(shown) => ("user_info", Some(shown.clone())),
        LinkWarning::NumericHost(host) => ("numeric_host", Some(host.clone())),
        LinkWarning::OddPort(port) => ("odd_port", Some(port.to_string())),
        LinkWarning::VeryLong => ("very_long", None),
        LinkWarning::HiddenCharacters => ("hidden_characters", None),
    };
    json!({ "kind": kind, "detail": detail })
}

/// What an attachment is, and why it should be asked about.
pub fn judge(attached: &Attached, fields: &mut Map<String, Value>) {
    let mut put = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    put("kind", json!(say_kind(attached.nature.kind)));
    put("type_found", json!(attached.nature.media_type));
    put("message", json!(attached.message));
    let reasons = match &attached.nature.risk {
        Risk::Safe => Vec::new(),
        Risk::Ask(reasons) => reasons.iter().map(reason).collect(),
    };
    put("risk", json!(if reasons.is_empty() { "safe" } else { "ask" }));
    put("reasons", Value::Array(reasons));
}

/// A word for people.
#[must_use]
pub const fn say_kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "text",
        Kind::WebPage => "web-page",
        Kind::Picture => "picture",
        Kind::Sound => "sound",
        Kind::Film => "film",
        Kind::Pdf => "pdf",
        Kind::Document => "document",
        Kind::Table => "table",
        Kind::Slides => "slides",
        Kind::Archive => "archive",
        Kind::Program => "program",
        Kind::DiskImage => "disk-image",
        Kind::Calendar => "calendar",
        Kind::Card => "card",
        Kind::Message => "message",
        Kind::Security => "security",
        Kind::Font => "font",
        Kind::Other => "other",
    }
}

fn reason(reason: &Reason) -> Value {
    let (kind, detail) = match reason {
        Reason::Program => ("program", None),
        Reason::Script => ("script", None),
        Reason::Shortcut => ("shortcut", None),
        Reason::DiskImage => ("disk_image", None),
        Reason::WebPage => ("web_page", None),
        Reason::Macros => ("macros", None),
        Reason::Holds(name) => ("holds", Some(name)),
        Reason::Locked => ("locked", None),
        Reason::DoubleExtension(shown) => ("double_extension", Some(shown)),
        Reason::NotWhatItSays(found) => ("not_what_it_says", Some(found)),
        Reason::HiddenInName => ("hidden_in_name", None),
    };
    json!({ "kind": kind, "detail": detail })
}

/// The author in one line, where that is another than what the header says, or something is known about it.
#[must_use]
pub fn say_author(reading: &Reading) -> String {
    let Some(shown) = &reading.sender else {
        return String::new();
    };
    let mark = match &reading.verdict.mark {
        Mark::Verified(domain) => format!("verified for {domain}"),
        Mark::Failed => "not verified: the domain says that this is not from there".to_owned(),
        Mark::Unknown if shown.warnings.is_empty() => return String::new(),
        Mark::Unknown => "not verified".to_owned(),
    };
    format!(
        "{} <{}>, {mark}",
        shown.name.as_deref().unwrap_or_default(),
        shown.email
    )
    .trim_start()
    .to_owned()
}
