//! Forwards: the text with its header lines above, and the original's attachments.

use posthorn_model::{Address, Envelope};

use super::{Attachment, Draft};
use crate::address::format_addresses;
use crate::decode;
use crate::defect::Defects;
use crate::parse::Parsed;
use crate::structure;
use crate::subject::forward_subject;

/// Starts a forward. The identity is the caller's to set; so are the recipients.
#[must_use]
pub fn forward(parent: &Parsed, raw: &[u8]) -> Draft {
    let envelope = &parent.envelope;
    let text = parent.text.as_deref().unwrap_or_default().trim_end();
    let body = format!("\n\n{}\n{text}\n", heading(envelope));
    Draft {
        subject: forward_subject(&envelope.subject),
        body,
        attachments: attachments(parent, raw),
        ..Draft::default()
    }
}

fn heading(envelope: &Envelope) -> String {
    let mut out = String::from("-------- Forwarded message --------\n");
    let mut line = |name: &str, value: &str| {
        if !value.is_empty() {
            out.push_str(&format!("{name}: {value}\n"));
        }
    };
    let list = |addresses: &[Address]| format_addresses(addresses);
    line("Subject", &envelope.subject);
    line(
        "Date",
        &envelope.date.map(|date| date.to_string()).unwrap_or_default(),
    );
    line("From", &list(&envelope.from));
    line("To", &list(&envelope.to));
    line("Cc", &list(&envelope.cc));
    out
}

fn attachments(parent: &Parsed, raw: &[u8]) -> Vec<Attachment> {
    let mut defects = Defects::default();
    let tree = structure::scan(raw, &mut defects);
    parent
        .attachments()
        .filter_map(|part| {
            let leaf = tree.leaves.get(usize::try_from(part.index).ok()?)?;
            Some(Attachment {
                name: part.name.clone().unwrap_or_default(),
                content_type: part.content_type.clone(),
                bytes: decode::decode(leaf.head.encoding, leaf.body, &mut defects).into_owned(),
            })
        })
        .collect()
}
