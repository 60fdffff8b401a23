//! The message that goes out (RFC 5322, RFC 2045, RFC 3676). Nothing that a person or a sender wrote reaches a header
//! line with a control character in it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mail_builder::MessageBuilder;
use mail_builder::headers::HeaderType;
use mail_builder::headers::address::Address as BuiltAddress;
use mail_builder::headers::content_type::ContentType;
use mail_builder::headers::date::Date;
use mail_builder::headers::message_id::MessageId;
use mail_builder::headers::text::Text;
use mail_builder::mime::{BodyPart, MimePart};
use posthorn_model::{Address, Identity, InternetMessageId, Timestamp};

use super::{Attachment, Draft};
use crate::address::{is_plausible, wire_email};
use crate::name::safe_file_name;
use crate::text::encode_flowed;
use crate::word;

/// References sent: the first and the newest. RFC 5322 section 3.6.4 sets no bound, but servers do.
const MAX_REFERENCES: usize = 50;

/// A message ready to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Built {
    /// With CRLF line ends, and with the Bcc field: the copy to keep. See [`without_bcc`].
    pub raw: Vec<u8>,
    /// Everyone in To, Cc and Bcc, once, domains in their ASCII form.
    pub recipients: Vec<String>,
    /// Addresses that nothing can be sent to. They are in the headers, not among the recipients: do not send
    /// before the user has mended them.
    pub refused: Vec<Address>,
}

/// A Message-ID from a random left part and the domain of the identity: never the name of this machine.
#[must_use]
pub fn message_id(identity: &Identity, random: &str) -> InternetMessageId {
    let left: String = random
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
        .collect();
    let email = wire_email(&identity.email);
    let domain = email.rsplit_once('@').map_or("", |(_, domain)| domain);
    let domain: String = domain
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'))
        .collect();
    let domain = if domain.is_empty() {
        "localhost.invalid".to_owned()
    } else {
        domain
    };
    InternetMessageId(format!("{left}@{domain}"))
}

/// Builds the message. `boundary_seed` must be random; it keeps the function pure.
#[must_use]
pub fn build(draft: &Draft, date: Timestamp, message_id: &InternetMessageId, boundary_seed: u64) -> Built {
    build_around(body(draft, boundary_seed), draft, date, message_id, &[])
}

/// The message with this body in place of the draft's, and these fields beside the usual ones.
pub(super) fn build_around(
    body: MimePart<'static>,
    draft: &Draft,
    date: Timestamp,
    message_id: &InternetMessageId,
    fields: &[(&'static str, &'static str)],
) -> Built {
    let sender = Address::new(draft.identity.name.as_str(), draft.identity.email.as_str());
    let mut message = MessageBuilder::new().header("From", address_list(std::slice::from_ref(&sender)));
    for (name, addresses) in [("To", &draft.to), ("Cc", &draft.cc), ("Bcc", &draft.bcc)] {
        if !addresses.is_empty() {
            message = message.header(name, address_list(addresses));
        }
    }
    message = message
        .header("Subject", Text::new(word::clean(&draft.subject)))
        .header("Date", Date::new(date.0))
        .header(
            "Message-ID",
            MessageId::new(wire_id(message_id).unwrap_or_default()),
        );
    if let Some(id) = draft.in_reply_to.as_ref().and_then(wire_id) {
        message = message.header("In-Reply-To", MessageId::new(id));
    }
    let references = wire_references(&draft.references);
    if !references.is_empty() {
        message = message.header("References", MessageId::new_list(references.into_iter()));
    }
    for (name, value) in fields {
        message = message.header(*name, Text::new(*value));
    }
    let mut raw = Vec::new();
    message.body(body).serialize(&mut raw);

    let mut recipients: Vec<String> = Vec::new();
    let mut refused = Vec::new();
    for address in draft.to.iter().chain(&draft.cc).chain(&draft.bcc) {
        let email = wire_email(&address.email);
        if !is_plausible(&address.email) {
            refused.push(address.clone());
        } else if !recipients.contains(&email) {
            recipients.push(email);
        }
    }
    Built {
        raw,
        recipients,
        refused,
    }
}

/// The message without its Bcc field, for everyone but the sender.
#[must_use]
pub fn without_bcc(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len());
    let mut at = 0;
    let mut dropping = false;
    for line in raw.split_inclusive(|byte| *byte == b'\n') {
        if matches!(line, b"\r\n" | b"\n") {
            break;
        }
        if !(line.starts_with(b" ") || line.starts_with(b"\t")) {
            let name = line
                .split(|byte| *byte == b':')
                .next()
                .unwrap_or_default()
                .trim_ascii();
            dropping = name.eq_ignore_ascii_case(b"bcc") || name.eq_ignore_ascii_case(b"resent-bcc");
        }
        if !dropping {
            out.extend_from_slice(line);
        }
        at += line.len();
    }
    out.extend_from_slice(raw.get(at..).unwrap_or_default());
    out
}

fn address_list(addresses: &[Address]) -> HeaderType<'static> {
    let one = |address: &Address| {
        let name = address
            .name
            .as_deref()
            .map(word::clean)
            .filter(|name| !name.is_empty());
        let email: String = wire_email(&address.email)
            .chars()
            .filter(|c| !c.is_control() && !"<>".contains(*c))
            .collect();
        BuiltAddress::new_address(name, email)
    };
    HeaderType::Address(BuiltAddress::new_list(addresses.iter().map(one).collect()))
}

/// An id that fits between angle brackets on one line; others' ids may hold anything.
fn wire_id(id: &InternetMessageId) -> Option<String> {
    let valid = |c: char| !c.is_control() && !c.is_whitespace() && !matches!(c, '<' | '>');
    let whole = !id.0.is_empty() && id.0.len() <= 900 && id.0.chars().all(valid);
    whole.then(|| id.0.clone())
}

fn wire_references(references: &[InternetMessageId]) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for id in references.iter().filter_map(wire_id) {
        if !out.contains(&id) {
            out.push(id);
        }
    }
    if out.len() > MAX_REFERENCES {
        out.drain(1..=out.len() - MAX_REFERENCES);
    }
    out
}

fn body(draft: &Draft, seed: u64) -> MimePart<'static> {
    let text = text_part(&draft.body);
    if draft.attachments.is_empty() {
        return text;
    }
    let mut parts = vec![text];
    parts.extend(draft.attachments.iter().map(attachment_part));
    multipart(ContentType::new("multipart/mixed"), parts, seed)
}

pub(super) fn multipart(
    content_type: ContentType<'static>,
    parts: Vec<MimePart<'static>>,
    seed: u64,
) -> MimePart<'static> {
    // "=_" cannot occur in base64 or quoted-printable (RFC 2045 section 6.7), and the seed keeps it out of text.
    let boundary = format!("=_{seed:016x}_{}", parts.len());
    MimePart::new(
        content_type.attribute("boundary", boundary),
        BodyPart::Multipart(parts),
    )
}

pub(super) fn text_part(body: &str) -> MimePart<'static> {
    let clean: String = body
        .replace("\r\n", "\n")
        .chars()
        .map(|c| if c == '\r' { '\n' } else { c })
        .filter(|c| !c.is_control() || matches!(c, '\n' | '\t'))
        .collect();
    let mut text = encode_flowed(clean.trim_end_matches('\n')).replace('\n', "\r\n");
    text.push_str("\r\n");
    let short = text.lines().all(|line| line.len() <= 990);
    let content_type = ContentType::new("text/plain")
        .attribute("charset", "utf-8")
        .attribute("format", "flowed");
    if text.is_ascii() && short {
        return MimePart::new(content_type, BodyPart::Text(text.into())).transfer_encoding("7bit");
    }
    MimePart::new(content_type, BodyPart::Text(text.into()))
}

fn attachment_part(attachment: &Attachment) -> MimePart<'static> {
    let token = |text: &str| {
        !text.is_empty()
            && text.len() <= 100
            && text
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "!#$&-^_.+".contains(c))
    };
    let valid = attachment
        .content_type
        .split_once('/')
        .is_some_and(|(main, sub)| token(main) && token(sub));
    // A message may not be in base64 (RFC 2046 section 5.2.1), and a multipart needs its boundary: as opaque files.
    let main = attachment
        .content_type
        .split('/')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let sendable = valid && !matches!(main.as_str(), "multipart" | "message");
    let content_type = if sendable {
        attachment.content_type.to_ascii_lowercase()
    } else {
        "application/octet-stream".to_owned()
    };
    let name = safe_file_name(&attachment.name).unwrap_or_else(|| "attachment.bin".to_owned());
    let header = ContentType::new(content_type).attribute("name", name.clone());
    MimePart::new(header, BodyPart::Binary(wrapped_base64(&attachment.bytes).into()))
        .attachment(name)
        .transfer_encoding("base64")
}

/// 76 characters a line (RFC 2045 section 6.8).
fn wrapped_base64(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() / 57 * 78 + 80);
    for chunk in bytes.chunks(57) {
        out.extend_from_slice(STANDARD.encode(chunk).as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    out
}
