//! From the fields of a header block to an [`Envelope`].

use posthorn_model::{Address, Envelope, InternetMessageId, Timestamp};

use crate::address;
use crate::date;
use crate::defect::{Defect, Defects};
use crate::field::{Block, FieldName};
use crate::word;

/// References kept: the first, which starts the thread, and the newest.
pub(crate) const MAX_REFERENCES: usize = 200;

/// Bytes of a subject: nobody reads more, and every list holds it.
const MAX_SUBJECT: usize = 4_000;

pub(crate) fn read(block: &Block<'_>, charset: Option<&str>, defects: &mut Defects) -> Envelope {
    for name in [
        FieldName::From,
        FieldName::Subject,
        FieldName::Date,
        FieldName::MessageId,
    ] {
        if block.all(name).nth(1).is_some() {
            defects.add(Defect::DuplicateField(name.text()));
        }
    }
    let mut addresses = |name: FieldName| {
        let mut out = Vec::new();
        for value in block.all(name) {
            out.extend(address::read(value, charset, defects));
        }
        out
    };
    let to = addresses(FieldName::To);
    let cc = addresses(FieldName::Cc);
    let bcc = addresses(FieldName::Bcc);
    let reply_to = addresses(FieldName::ReplyTo);
    // A second From is what forgers add: only the first one counts.
    let mut first = |name: FieldName| {
        block
            .first(name)
            .map_or_else(Vec::new, |value| address::read(value, charset, defects))
    };
    let mut from = first(FieldName::From);
    let sender = first(FieldName::Sender);
    let ids = |name: FieldName| block.all(name).flat_map(message_ids).collect::<Vec<_>>();
    let mut references = ids(FieldName::References);
    if references.len() > MAX_REFERENCES {
        defects.add(Defect::TooManyReferences);
        references.drain(1..=references.len() - MAX_REFERENCES);
    }
    let mut in_reply_to = ids(FieldName::InReplyTo);
    in_reply_to.truncate(MAX_REFERENCES);
    let message_id = block
        .first(FieldName::MessageId)
        .and_then(|value| message_ids(value).into_iter().next());
    if from.len() > 1 {
        let return_path = block
            .first(FieldName::ReturnPath)
            .map(|value| address::read(value, charset, defects))
            .unwrap_or_default();
        let id = message_id.as_ref().map_or("", |id| id.0.as_str());
        if !put_sender_first(&mut from, &sender, &return_path, id) {
            defects.add(Defect::SeveralAuthors);
        }
    }
    Envelope {
        date: read_date(block, defects),
        subject: block
            .first(FieldName::Subject)
            .map(|value| cut(word::decode_line(value, charset, defects)))
            .unwrap_or_default(),
        from,
        sender,
        reply_to,
        to,
        cc,
        bcc,
        message_id,
        in_reply_to,
        references,
    }
}

/// A subject that a list can hold.
fn cut(mut subject: String) -> String {
    if subject.len() > MAX_SUBJECT {
        subject.truncate(subject.floor_char_boundary(MAX_SUBJECT));
        subject.push('…');
    }
    subject
}

/// Several authors need a `Sender` (RFC 5322 section 3.6.2): that one is listed first; true where it is there.
/// Without one the first author is who a forger wants to be seen as: the one that the receiving server's
/// `Return-Path` or the Message-ID speaks for comes first, else the last.
fn put_sender_first(from: &mut [Address], sender: &[Address], return_path: &[Address], id: &str) -> bool {
    let same = |a: &Address, b: &Address| a.email.eq_ignore_ascii_case(&b.email);
    let named = sender
        .first()
        .and_then(|sender| from.iter().position(|author| same(author, sender)));
    let of_domain = |domain: &str| {
        from.iter().rposition(|author| {
            author
                .domain()
                .is_some_and(|own| !own.is_empty() && own.eq_ignore_ascii_case(domain))
        })
    };
    let at = named
        .or_else(|| return_path.first()?.domain().and_then(of_domain))
        .or_else(|| id.rsplit_once('@').and_then(|(_, domain)| of_domain(domain)))
        .unwrap_or(from.len().saturating_sub(1));
    if let Some(head) = from.get_mut(..=at) {
        head.rotate_right(1);
    }
    named.is_some()
}

fn read_date(block: &Block<'_>, defects: &mut Defects) -> Option<Timestamp> {
    let Some(value) = block.first(FieldName::Date) else {
        defects.add(Defect::NoDate);
        return None;
    };
    let date = date::parse(&String::from_utf8_lossy(value), defects);
    if date.is_none() {
        defects.add(Defect::BadDate);
    }
    date
}

/// When the last server took the message: the time of the topmost `Received` (RFC 5321 section 4.4).
pub(crate) fn received(block: &Block<'_>, defects: &mut Defects) -> Option<Timestamp> {
    let value = String::from_utf8_lossy(block.first(FieldName::Received)?).into_owned();
    let (_, at) = value.rsplit_once(';')?;
    date::parse(at, defects)
}

/// Message ids in a field, in order: what stands in angle brackets, else what looks like one (RFC 5322 section
/// 3.6.4 and its obsolete form, in which words may stand between).
pub(crate) fn message_ids(value: &[u8]) -> Vec<InternetMessageId> {
    let text = String::from_utf8_lossy(value);
    let mut out = Vec::new();
    let mut rest = text.as_ref();
    while let Some((_, after)) = rest.split_once('<') {
        let Some((inner, tail)) = after.split_once('>') else {
            break;
        };
        // `<<a@b>` and `<a@b <c@d>`: the last opening counts.
        out.extend(message_id(inner.rsplit('<').next().unwrap_or_default()));
        rest = tail;
    }
    if out.is_empty() && !text.contains('<') {
        let words = text
            .split_whitespace()
            .filter(|word| word.contains('@') || !text.trim().contains(' '));
        out.extend(words.filter_map(message_id));
    }
    out
}

fn message_id(text: &str) -> Option<InternetMessageId> {
    let id: String = text
        .chars()
        .filter(|c| !c.is_whitespace() && !c.is_control())
        .collect();
    (!id.is_empty() && id.len() <= 998).then_some(InternetMessageId(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_message_ids() {
        let check = |value: &str, expect: &[&str]| {
            let ids = message_ids(value.as_bytes());
            assert_eq!(
                ids.iter().map(|id| id.0.as_str()).collect::<Vec<_>>(),
                expect,
                "{value:?}"
            );
        };
        check(" <a@b>\r\n", &["a@b"]);
        check("<a@b> <c@d>\r\n\t<e@f>", &["a@b", "c@d", "e@f"]);
        check("<a@\r\n b>", &["a@b"]);
        check("Message from Anna <a@b> of today", &["a@b"]);
        check("a@b", &["a@b"]);
        check("a@b c@d", &["a@b", "c@d"]);
        check("no id here", &[]);
        check("onlyword", &["onlyword"]);
        check("<<a@b>>", &["a@b"]);
        check("<>", &[]);
        check("<open", &[]);
        check("", &[]);
    }
}
