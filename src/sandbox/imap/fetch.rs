//! FETCH (RFC 9051 section 6.4.5, RFC 7162).

use posthorn_model::{Flag, Uid, UidSet};

use super::command::{Fetch, FetchItem, SequenceSet};
use super::decode::body_text;
use super::session::{Answer, Session, bad, ok};
use super::structure::{self, Entity};
use super::{date_time, envelope, flag_list, gmail, push_literal, push_string};
use crate::mailbox::StoredMessage;
use crate::wire::Result;

impl Session {
    /// What a set names, as (sequence number, UID), ascending. `None`: a sequence number that does not exist.
    pub fn targets(&self, uid: bool, set: &SequenceSet) -> Option<Vec<(usize, Uid)>> {
        let view = &self.selected.as_ref()?.view;
        let count = u32::try_from(view.len()).unwrap_or(u32::MAX);
        if !uid {
            let ends = set.0.iter().flat_map(|(first, last)| [*first, *last]);
            if ends.flatten().any(|number| number > count) || (count == 0 && !set.0.is_empty()) {
                return None;
            }
        }
        let largest = if uid {
            view.last().map_or(0, |known| known.uid.value())
        } else {
            count
        };
        let numbered = (1_usize..).zip(view).zip(1_u32..);
        let chosen = numbered.filter(|((_, known), number)| {
            set.contains(if uid { known.uid.value() } else { *number }, largest)
        });
        Some(chosen.map(|((number, known), _)| (number, known.uid)).collect())
    }

    pub async fn fetch(&mut self, uid: bool, mut fetch: Fetch) -> Result<Answer> {
        let asks_modseq = fetch.changed_since.is_some() || fetch.items.contains(&FetchItem::ModSeq);
        if asks_modseq && !self.core.offers("CONDSTORE") {
            return Ok(bad("no CONDSTORE here"));
        }
        let refused = fetch.items.iter().any(|item| match item {
            FetchItem::EmailId | FetchItem::ThreadId => !self.core.offers("OBJECTID"),
            FetchItem::Preview => !self.core.offers("PREVIEW"),
            FetchItem::GmailMessage | FetchItem::GmailThread | FetchItem::GmailLabels => {
                !self.core.offers("X-GM-EXT-1")
            }
            _ => false,
        });
        if refused {
            return Ok(bad("unknown FETCH item"));
        }
        if fetch.vanished && !(uid && self.qresync && fetch.changed_since.is_some()) {
            return Ok(bad("VANISHED needs UID FETCH, CHANGEDSINCE and QRESYNC"));
        }
        self.condstore |= asks_modseq;
        let Some(targets) = self.targets(uid, &fetch.set) else {
            return Ok(bad("no such message number"));
        };
        if uid && !fetch.items.contains(&FetchItem::Uid) {
            fetch.items.insert(0, FetchItem::Uid);
        }
        if fetch.changed_since.is_some() && !fetch.items.contains(&FetchItem::ModSeq) {
            fetch.items.push(FetchItem::ModSeq);
        }
        if let (true, Some(since)) = (fetch.vanished, fetch.changed_since) {
            self.tell_vanished(&fetch.set, since);
        }
        let writable = self.selected.as_ref().is_some_and(|selected| !selected.read_only);
        let marks = writable
            && fetch
                .items
                .iter()
                .any(|item| matches!(item, FetchItem::Section { peek: false, .. }));
        let mut missing = false;
        for (number, uid) in targets {
            let Some(message) = self.with_selected(|mailbox| mailbox.find(uid).cloned()).flatten() else {
                missing = true;
                continue;
            };
            if fetch.changed_since.is_some_and(|since| message.modseq <= since) {
                continue;
            }
            let (message, marked) = if marks {
                self.mark_seen(message)
            } else {
                (message, false)
            };
            let labels = if fetch.items.contains(&FetchItem::GmailLabels) {
                let viewed = self.selected.as_ref().map(|selected| selected.id);
                self.with_account(|account| gmail::labels(account, &message, viewed, self.utf8))
            } else {
                None
            };
            let line = render(
                number,
                &message,
                &fetch.items,
                marked,
                &labels.unwrap_or_default(),
            );
            self.note_told(number, &message, &fetch.items, marked);
            self.link.push(line);
            self.link.relieve().await?;
        }
        if missing && !uid {
            return Ok(Err("NO [EXPUNGEISSUED] some of the messages are gone".to_owned()));
        }
        Ok(ok("done"))
    }

    /// `BODY[…]` without PEEK sets \Seen.
    fn mark_seen(&self, message: StoredMessage) -> (StoredMessage, bool) {
        if message.flags.contains(Flag::Seen) {
            return (message, false);
        }
        let flags = message.flags.clone().with(Flag::Seen);
        let changed = self.change_selected(|mailbox| {
            mailbox.set_flags(message.uid, flags);
            mailbox.find(message.uid).cloned()
        });
        changed
            .flatten()
            .map_or((message, false), |message| (message, true))
    }

    /// Flags that this reply told need not be told again.
    fn note_told(&mut self, number: usize, message: &StoredMessage, items: &[FetchItem], marked: bool) {
        let told = marked || items.contains(&FetchItem::Flags);
        let known = self
            .selected
            .as_mut()
            .and_then(|selected| selected.view.get_mut(number - 1));
        if let (true, Some(known)) = (told, known) {
            known.modseq = message.modseq;
        }
    }

    fn tell_vanished(&mut self, set: &SequenceSet, since: u64) {
        let gone: Option<UidSet> = self.with_selected(|mailbox| {
            let largest = mailbox.uid_next;
            mailbox
                .removed_since(since)
                .filter(|uid| set.contains(uid.value(), largest))
                .collect()
        });
        if let Some(gone) = gone.filter(|gone| !gone.is_empty()) {
            self.link.line(format!("* VANISHED (EARLIER) {gone}"));
        }
    }
}

fn render(
    number: usize,
    message: &StoredMessage,
    items: &[FetchItem],
    marked: bool,
    labels: &[u8],
) -> Vec<u8> {
    let mut out = format!("* {number} FETCH (").into_bytes();
    let mut entity: Option<Entity> = None;
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(b' ');
        }
        if *item == FetchItem::GmailLabels {
            out.extend_from_slice(b"X-GM-LABELS ");
            out.extend_from_slice(labels);
        } else {
            push_item(&mut out, message, item, &mut entity);
        }
    }
    if marked && !items.contains(&FetchItem::Flags) {
        out.extend_from_slice(format!(" FLAGS {}", flag_list(&message.flags)).as_bytes());
    }
    out.extend_from_slice(b")\r\n");
    out
}

/// The first words of the text (RFC 8970 section 3.2: at most 200 characters).
fn preview(raw: &[u8], entity: &Entity) -> String {
    let text = body_text(raw, entity);
    let words: Vec<&str> = text.split_whitespace().take(100).collect();
    words.join(" ").chars().take(200).collect()
}

fn look<'a>(raw: &[u8], parsed: &'a mut Option<Entity>) -> &'a Entity {
    parsed.get_or_insert_with(|| structure::parse(raw))
}

fn push_item(out: &mut Vec<u8>, message: &StoredMessage, item: &FetchItem, parsed: &mut Option<Entity>) {
    let raw: &[u8] = &message.raw;
    let text = match item {
        FetchItem::Uid => format!("UID {}", message.uid),
        FetchItem::Flags => format!("FLAGS {}", flag_list(&message.flags)),
        FetchItem::InternalDate => format!("INTERNALDATE {}", date_time(message.internal_date)),
        FetchItem::Size => format!("RFC822.SIZE {}", raw.len()),
        FetchItem::EmailId => format!("EMAILID (M{:016x})", message.email_id),
        FetchItem::ThreadId => match gmail::thread_id(message) {
            Some(id) => format!("THREADID (T{id:016x})"),
            None => "THREADID NIL".to_owned(),
        },
        FetchItem::GmailMessage => format!("X-GM-MSGID {}", message.email_id),
        FetchItem::GmailThread => {
            let id = gmail::thread_id(message).unwrap_or(message.email_id);
            format!("X-GM-THRID {id}")
        }
        FetchItem::GmailLabels => String::new(),
        FetchItem::Preview => {
            out.extend_from_slice(b"PREVIEW ");
            push_string(out, preview(raw, look(raw, parsed)).as_bytes());
            return;
        }
        FetchItem::ModSeq => format!("MODSEQ ({})", message.modseq),
        FetchItem::Envelope => {
            out.extend_from_slice(b"ENVELOPE ");
            envelope::push_envelope(out, structure::slice(raw, &look(raw, parsed).header));
            return;
        }
        FetchItem::Body | FetchItem::BodyStructure => {
            let extended = *item == FetchItem::BodyStructure;
            out.extend_from_slice(if extended {
                b"BODYSTRUCTURE ".as_slice()
            } else {
                b"BODY ".as_slice()
            });
            structure::push_body_structure(out, raw, look(raw, parsed), extended);
            return;
        }
        FetchItem::Section {
            section,
            partial,
            label,
            ..
        } => {
            out.extend_from_slice(label.as_bytes());
            out.push(b' ');
            match structure::section(raw, look(raw, parsed), section) {
                Some(bytes) => push_literal(out, cut(&bytes, *partial)),
                None => out.extend_from_slice(b"NIL"),
            }
            return;
        }
    };
    out.extend_from_slice(text.as_bytes());
}

/// `<offset.count>`: past the end is empty.
fn cut(bytes: &[u8], partial: Option<(u32, u32)>) -> &[u8] {
    let Some((offset, count)) = partial else {
        return bytes;
    };
    let offset = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
    let end = offset
        .saturating_add(usize::try_from(count).unwrap_or(usize::MAX))
        .min(bytes.len());
    bytes.get(offset..end).unwrap_or_default()
}
