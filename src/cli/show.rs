//! `posthorn show`: one message, to read or exactly as it was served.

use base64::Engine as _;
use posthorn_engine::Reading;
use posthorn_engine::catalog::Message;
use posthorn_model::{Address, BodyState, MessageId, Part};
use serde_json::{Value, json};
use std::fmt::Write as _;

use crate::arguments::{ShowForm, ShowRequest};
use crate::date;
use crate::failure::{Failure, Status};
use crate::output::Output;
use crate::resolve::{self, Names};
use crate::row;
use crate::session::{Context, Purpose, Session};
use crate::sync::say_size;

/// # Errors
/// Where there is no such message, or not enough of it is here.
pub fn run(request: &ShowRequest, context: &Context, output: &mut Output) -> Result<Status, Failure> {
    let session = context.open(Purpose::Read)?;
    let id = resolve::message(&session, &request.message)?;
    if request.form.raw || request.form.headers {
        show_bytes(id, request.form.headers, &session, output)?;
    } else {
        show_parsed(id, &request.form, &session, output)?;
    }
    Ok(Status::Done)
}

fn show_bytes(
    id: MessageId,
    headers_only: bool,
    session: &Session,
    output: &mut Output,
) -> Result<(), Failure> {
    if headers_only {
        let header = session.ask(|catalog| async move { catalog.headers(id).await })?;
        let Some(header) = header else {
            load(id, session)?;
            return Err(only_headers(id));
        };
        if output.is_json() {
            return output.document(&json!({ "id": id, "headers": header }));
        }
        return output.text(&header);
    }
    let raw = session.ask(|catalog| async move { catalog.raw(id).await })?;
    let Some(raw) = raw else {
        // Tells a message without a body from no message at all.
        load(id, session)?;
        return Err(only_headers(id));
    };
    if output.is_json() {
        let encoded = base64::engine::general_purpose::STANDARD.encode(&raw);
        return output.document(&json!({ "id": id, "size": raw.len(), "raw_base64": encoded }));
    }
    output.bytes(&raw)
}

fn show_parsed(
    id: MessageId,
    form: &ShowForm,
    session: &Session,
    output: &mut Output,
) -> Result<(), Failure> {
    let reading = read(id, session)?;
    let message = &reading.message;
    if output.is_json() {
        let names = Names::load(session)?;
        return output.document(&to_json(&reading, form, &names));
    }
    if form.html {
        return match (&message.html, message.body) {
            (Some(html), _) => output.text(html),
            (None, BodyState::Whole) => Err(Failure::unknown(format!("message {id} has no HTML part"))),
            (None, BodyState::Headers) => Err(only_headers(id)),
        };
    }
    match (&message.text, message.body) {
        (Some(text), _) if form.text => output.text(text),
        (None, BodyState::Headers) if form.text => Err(only_headers(id)),
        (None, BodyState::Whole) if form.text => Ok(()),
        _ => output.text(&to_text(&reading)),
    }
}

fn read(id: MessageId, session: &Session) -> Result<Reading, Failure> {
    session
        .ask(|catalog| async move { catalog.reading(id).await })?
        .ok_or_else(|| resolve::no_such_message(id))
}

fn load(id: MessageId, session: &Session) -> Result<Message, Failure> {
    session
        .ask(|catalog| async move { catalog.message(id).await })?
        .ok_or_else(|| resolve::no_such_message(id))
}

fn only_headers(id: MessageId) -> Failure {
    Failure::unknown(format!(
        "only the headers of message {id} are here: posthorn fetch {id} brings the rest"
    ))
}

fn to_json(reading: &Reading, form: &ShowForm, names: &Names) -> Value {
    let message = &reading.message;
    let envelope = &message.envelope;
    let people = |list: &[Address]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
    let paths = names.paths();
    let placements: Vec<Value> = message
        .placements
        .iter()
        .map(|(mailbox, flags)| json!({ "mailbox": paths.get(mailbox), "flags": flags.names() }))
        .collect();
    let mut value = json!({
        "id": message.id,
        "account": resolve::account_name(&names.accounts, message.account),
        "thread": message.thread,
        "message_id": envelope.message_id.as_ref().map(ToString::to_string),
        "in_reply_to": envelope.in_reply_to.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "from": people(&envelope.from),
        "reply_to": people(&envelope.reply_to),
        "to": people(&envelope.to),
        "cc": people(&envelope.cc),
        "bcc": people(&envelope.bcc),
        "subject": envelope.subject,
        "date": message.date,
        "size": message.size,
        "sha256": message.hash.map(|hash| hash.to_string()),
        "body": message.body,
        "mailboxes": placements,
        "attachments": message.parts.iter().filter(|part| is_attachment(part)).map(|part| part_to_json(part, reading)).collect::<Vec<_>>(),
        "defects": message.defects,
        "where": row::where_name(message.lives),
    });
    if let Some(fields) = value.as_object_mut() {
        crate::reading::describe(reading, fields);
        if !form.html {
            fields.insert("text".into(), json!(message.text));
        }
        if !form.text {
            fields.insert("html".into(), json!(message.html));
        }
    }
    value
}

/// What `attachments` lists: parts with a name, and parts that are not shown in the text.
#[must_use]
pub fn is_attachment(part: &Part) -> bool {
    !part.inline || part.name.is_some()
}

/// A part, as scripts read it.
#[must_use]
pub fn part_to_json(part: &Part, reading: &Reading) -> Value {
    let mut value = json!({
        "index": part.index,
        "name": part.name,
        "content_type": part.content_type,
        "size": part.size,
        "content_id": part.content_id,
        "inline": part.inline,
    });
    let judged = reading
        .attachments
        .iter()
        .find(|judged| judged.part.index == part.index);
    if let (Some(judged), Some(fields)) = (judged, value.as_object_mut()) {
        crate::reading::judge(judged, fields);
    }
    value
}

fn to_text(reading: &Reading) -> String {
    let message = &reading.message;
    let envelope = &message.envelope;
    let mut text = String::new();
    let mut head = |name: &str, value: String| {
        if !value.is_empty() {
            // One header, one line: a line end in a subject must not look like another header.
            let _ = writeln!(text, "{name:>11}  {}", crate::clean::line(&value));
        }
    };
    let people = |list: &[Address]| {
        list.iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(", ")
    };
    head("From", people(&envelope.from));
    head("Author", crate::reading::say_author(reading));
    head("Answers to", people(&reading.reply_elsewhere));
    head("To", people(&envelope.to));
    head("Cc", people(&envelope.cc));
    head("Bcc", people(&envelope.bcc));
    head("Date", date::say_in_full(message.date));
    head("Subject", envelope.subject.clone());
    for part in message.parts.iter().filter(|part| is_attachment(part)) {
        let name = part.name.as_deref().unwrap_or("without a name");
        let judged = reading
            .attachments
            .iter()
            .find(|judged| judged.part.index == part.index);
        let risky = judged.is_some_and(|judged| judged.nature.needs_question());
        let careful = if risky { "; can do harm" } else { "" };
        head(
            "Attachment",
            format!("{name} ({}, {}{careful})", part.content_type, say_size(part.size)),
        );
    }
    head("Lives", row::say_where(message.lives));
    for defect in &message.defects {
        head("Defect", defect.clone());
    }
    text.push('\n');
    match (&message.text, message.body) {
        (Some(body), _) => text.push_str(body),
        (None, BodyState::Headers) => {
            text.push_str(&format!(
                "Only the headers are here: posthorn fetch {} brings the rest.\n",
                message.id
            ));
        }
        (None, BodyState::Whole) => text.push_str("This message has no text.\n"),
    }
    text
}
