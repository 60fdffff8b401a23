//! Answers: to whom, under which subject and references, and the quoted text.

use posthorn_model::{Address, Envelope, Identity, InternetMessageId};

use super::{Draft, with_signature};
use crate::address::is_plausible;
use crate::parse::Parsed;
use crate::subject::reply_subject;
use crate::text::{quote_text, split_signature};

/// Quoted text, in bytes: beyond, nobody reads it.
const MAX_QUOTE: usize = 256 * 1024;

/// Starts an answer: to the sender, or with `all` to everyone but oneself.
#[must_use]
pub fn reply(parent: &Parsed, all: bool, me: &Identity) -> Draft {
    let envelope = &parent.envelope;
    let (to, cc) = recipients(envelope, all, me);
    let text = parent.text.as_deref().unwrap_or_default();
    let text = text.get(..text.floor_char_boundary(MAX_QUOTE)).unwrap_or(text);
    let quoted = quote_text(split_signature(text).0);
    let body = if quoted.is_empty() {
        String::new()
    } else {
        // The answer is written above: room for it comes first.
        format!("\n\n{}\n{quoted}\n\n", attribution(envelope))
    };
    Draft {
        identity: me.clone(),
        to,
        cc,
        bcc: Vec::new(),
        subject: reply_subject(&envelope.subject),
        body: with_signature(&body, me),
        in_reply_to: envelope.message_id.clone(),
        references: references(envelope),
        attachments: Vec::new(),
    }
}

fn recipients(envelope: &Envelope, all: bool, me: &Identity) -> (Vec<Address>, Vec<Address>) {
    let same = |a: &str, b: &str| a.eq_ignore_ascii_case(b);
    let usable = |addresses: &[Address]| -> Vec<Address> {
        addresses
            .iter()
            .filter(|address| is_plausible(&address.email))
            .cloned()
            .collect()
    };
    let mine = envelope.from.iter().any(|from| same(&from.email, &me.email));
    let reply_to = usable(&envelope.reply_to);
    let mut to = if mine {
        // An answer to one's own message goes where that went.
        usable(&envelope.to)
    } else if reply_to.is_empty() {
        usable(&envelope.from)
    } else {
        reply_to
    };
    if to.is_empty() {
        to = usable(&envelope.from);
    }
    dedup(&mut to, &[]);
    if !all {
        return (to, Vec::new());
    }
    let mut cc = if mine {
        usable(&envelope.cc)
    } else {
        usable(&envelope.to)
    };
    if !mine {
        cc.extend(usable(&envelope.cc));
    }
    cc.retain(|address| !same(&address.email, &me.email));
    dedup(&mut cc, &to);
    (to, cc)
}

fn dedup(addresses: &mut Vec<Address>, others: &[Address]) {
    let mut seen: std::collections::HashSet<String> = others
        .iter()
        .map(|address| address.email.to_ascii_lowercase())
        .collect();
    addresses.retain(|address| seen.insert(address.email.to_ascii_lowercase()));
}

/// RFC 5322 section 3.6.4: the parent's references, or its only In-Reply-To, then the parent itself.
fn references(envelope: &Envelope) -> Vec<InternetMessageId> {
    let mut out = match (envelope.references.as_slice(), envelope.in_reply_to.as_slice()) {
        ([], [only]) => vec![only.clone()],
        (references, _) => references.to_vec(),
    };
    // Without an id of its own the parent cannot be referred to.
    match &envelope.message_id {
        Some(id) => out.push(id.clone()),
        None => out.clear(),
    }
    out
}

/// The line above the quote. The day as the sender's clock had it in UTC: there is no time zone here.
fn attribution(envelope: &Envelope) -> String {
    let who = envelope.from.first().map_or("someone", Address::display);
    match envelope.date {
        Some(date) => {
            let at = date.to_string();
            let day = at.split('T').next().unwrap_or_default();
            format!("On {day}, {who} wrote:")
        }
        None => format!("{who} wrote:"),
    }
}
