//! The receipt that says that a message was shown (RFC 8098). Only built here: whether one is sent is the reader's
//! decision.

use mail_builder::headers::content_type::ContentType;
use mail_builder::mime::{BodyPart, MimePart};
use posthorn_model::{InternetMessageId, Timestamp};

use super::build::{build_around, multipart, text_part};
use super::{Built, Draft};
use crate::address::wire_email;

/// What a receipt says beside its words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receipt {
    /// The message that was shown; left out where it has no id.
    pub original: Option<InternetMessageId>,
    /// The address that it was delivered to.
    pub recipient: String,
}

/// Builds the receipt around a draft: its identity, recipient, subject and words. It names this program and nothing
/// of the machine, and says that a person sent it. It must go out with an empty reverse-path (section 3).
#[must_use]
pub fn build_receipt(
    draft: &Draft,
    receipt: &Receipt,
    date: Timestamp,
    message_id: &InternetMessageId,
    boundary_seed: u64,
) -> Built {
    let line = |value: &str| -> String {
        let plain = |c: &char| c.is_ascii_graphic();
        value.chars().filter(plain).take(900).collect()
    };
    let mut fields = format!(
        "Reporting-UA: Posthorn\r\nFinal-Recipient: rfc822;{}\r\n",
        line(&wire_email(&receipt.recipient))
    );
    if let Some(original) = &receipt.original {
        fields.push_str(&format!("Original-Message-ID: <{}>\r\n", line(&original.0)));
    }
    // Section 3.2.6: the user did it, and was asked.
    fields.push_str("Disposition: manual-action/MDN-sent-manually; displayed\r\n");
    let notification = MimePart::new(
        ContentType::new("message/disposition-notification"),
        // As text it would be given a charset, which this type does not know.
        BodyPart::Binary(fields.into_bytes().into()),
    );
    let parts = vec![text_part(&draft.body), notification.transfer_encoding("7bit")];
    let report = ContentType::new("multipart/report").attribute("report-type", "disposition-notification");
    let body = multipart(report, parts, boundary_seed);
    // So that nobody's holiday answers it (RFC 3834 section 5).
    let fields = [("Auto-Submitted", "auto-replied")];
    build_around(body, draft, date, message_id, &fields)
}
