//! The message that carries the answer to an invitation (RFC 6047).

use mail_builder::headers::content_type::ContentType;
use mail_builder::mime::{BodyPart, MimePart};
use posthorn_model::{InternetMessageId, Timestamp};

use super::build::{build_around, multipart, text_part};
use super::{Built, Draft};

/// Builds it around a draft: its identity, recipient, subject and words, and the calendar object that answers.
#[must_use]
pub fn build_answer(
    draft: &Draft,
    calendar: &str,
    date: Timestamp,
    message_id: &InternetMessageId,
    boundary_seed: u64,
) -> Built {
    // RFC 6047 section 2.4: the method stands in the type too.
    let content_type = ContentType::new("text/calendar")
        .attribute("charset", "utf-8")
        .attribute("method", "REPLY");
    let calendar = MimePart::new(content_type, BodyPart::Text(calendar.to_owned().into()));
    // Last is best (RFC 2046 section 5.1.4).
    let parts = vec![text_part(&draft.body), calendar];
    let body = multipart(ContentType::new("multipart/alternative"), parts, boundary_seed);
    build_around(body, draft, date, message_id, &[])
}
