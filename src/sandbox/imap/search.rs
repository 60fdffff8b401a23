//! SEARCH (RFC 9051 section 6.4.4) with ESEARCH (RFC 4731) and MODSEQ (RFC 7162 section 3.1.5).

use std::sync::Arc;

use posthorn_model::{Flags, Timestamp, Uid, UidSet};

use super::command::{Search, SearchKey, SearchReturn};
use super::decode::{body_text, decode_header};
use super::session::{Answer, Session, bad, no, ok};
use super::structure::{self, Entity, fields, header_value, slice, unfold};
use crate::mailbox::StoredMessage;

/// What a key is held against.
struct Candidate<'a> {
    number: u32,
    message: &'a StoredMessage,
    /// Sequence number and UID that `*` stands for.
    last: (u32, u32),
    entity: std::cell::OnceCell<Entity>,
}

impl Session {
    pub fn search(&mut self, uid: bool, search: &Search) -> Answer {
        let (esearch, condstore) = (self.core.offers("ESEARCH"), self.core.offers("CONDSTORE"));
        let asks_modseq = uses_modseq(&search.key);
        if (search.returns.is_some() && !esearch && !self.rev2) || (asks_modseq && !condstore) {
            return bad("not offered here");
        }
        self.condstore |= asks_modseq;
        let Some(selected) = &self.selected else {
            return bad("select a mailbox first");
        };
        let view = &selected.view;
        let count = u32::try_from(view.len()).unwrap_or(u32::MAX);
        let last = (count, view.last().map_or(0, |known| known.uid.value()));
        // Taken out of the lock: looking into bodies takes time.
        let messages: Option<Vec<(u32, StoredMessage)>> = self.with_selected(|mailbox| {
            let found = (1..)
                .zip(view)
                .filter_map(|(number, known)| Some((number, mailbox.find(known.uid)?)));
            found.map(|(number, message)| (number, message.clone())).collect()
        });
        let Some(messages) = messages else {
            return no("[NONEXISTENT] the mailbox is gone");
        };
        let hits: Vec<(u32, u64)> = messages
            .iter()
            .map(|(number, message)| Candidate {
                number: *number,
                message,
                last,
                entity: std::cell::OnceCell::new(),
            })
            .filter(|candidate| candidate.fits(&search.key))
            .map(|candidate| {
                let id = if uid {
                    candidate.message.uid.value()
                } else {
                    candidate.number
                };
                (id, candidate.message.modseq)
            })
            .collect();
        let highest = hits
            .iter()
            .map(|(_, modseq)| *modseq)
            .max()
            .filter(|_| asks_modseq);
        // RFC 9051 section 6.4.4: IMAP4rev2 answers with ESEARCH alone.
        let returns = search
            .returns
            .clone()
            .or_else(|| self.rev2.then(|| vec![SearchReturn::All]));
        let line = match &returns {
            Some(returns) => self.esearch_line(uid, returns, &hits, highest),
            None => {
                let ids: String = hits.iter().map(|(id, _)| format!(" {id}")).collect();
                let modseq = highest
                    .map(|highest| format!(" (MODSEQ {highest})"))
                    .unwrap_or_default();
                format!("* SEARCH{ids}{modseq}")
            }
        };
        self.link.line(line);
        ok("done")
    }

    /// The tag must be quoted back (RFC 4466 section 2.6.2): the session keeps it for this.
    fn esearch_line(
        &self,
        uid: bool,
        returns: &[SearchReturn],
        hits: &[(u32, u64)],
        highest: Option<u64>,
    ) -> String {
        let mut line = format!("* ESEARCH (TAG {})", super::quote(&self.tag));
        if uid {
            line.push_str(" UID");
        }
        let first = hits.first().map(|(id, _)| *id);
        let last = hits.last().map(|(id, _)| *id);
        for wanted in returns {
            match (wanted, first, last) {
                (SearchReturn::Count, _, _) => line.push_str(&format!(" COUNT {}", hits.len())),
                (SearchReturn::Min, Some(first), _) => line.push_str(&format!(" MIN {first}")),
                (SearchReturn::Max, _, Some(last)) => line.push_str(&format!(" MAX {last}")),
                (SearchReturn::All, Some(_), _) => {
                    let set: UidSet = hits.iter().filter_map(|(id, _)| Uid::new(*id)).collect();
                    line.push_str(&format!(" ALL {set}"));
                }
                _ => (),
            }
        }
        if let Some(highest) = highest {
            line.push_str(&format!(" MODSEQ {highest}"));
        }
        line
    }
}

fn uses_modseq(key: &SearchKey) -> bool {
    match key {
        SearchKey::ModSeq(_) => true,
        SearchKey::And(keys) => keys.iter().any(uses_modseq),
        SearchKey::Or(left, right) => uses_modseq(left) || uses_modseq(right),
        SearchKey::Not(inner) => uses_modseq(inner),
        _ => false,
    }
}

impl Candidate<'_> {
    fn raw(&self) -> &Arc<[u8]> {
        &self.message.raw
    }

    fn entity(&self) -> &Entity {
        self.entity.get_or_init(|| structure::parse(self.raw()))
    }

    fn header(&self) -> &[u8] {
        slice(self.raw(), &self.entity().header)
    }

    fn fits(&self, key: &SearchKey) -> bool {
        let size = self.raw().len() as u64;
        match key {
            SearchKey::All => true,
            SearchKey::Nothing => false,
            SearchKey::And(keys) => keys.iter().all(|key| self.fits(key)),
            SearchKey::Or(left, right) => self.fits(left) || self.fits(right),
            SearchKey::Not(inner) => !self.fits(inner),
            SearchKey::Flags(flags) => flags.minus(&self.message.flags) == Flags::default(),
            SearchKey::Set(set) => set.contains(self.number, self.last.0),
            SearchKey::Uid(set) => set.contains(self.message.uid.value(), self.last.1),
            SearchKey::Larger(than) => size > *than,
            SearchKey::Smaller(than) => size < *than,
            SearchKey::ModSeq(since) => self.message.modseq >= *since,
            SearchKey::Received { from, to } => (*from..*to).contains(&day(self.message.internal_date.0)),
            SearchKey::Sent { from, to } => self.sent_day().is_some_and(|sent| (*from..*to).contains(&sent)),
            SearchKey::Header { name, text } => fields(self.header()).iter().any(|field| {
                field.name.eq_ignore_ascii_case(name.as_bytes())
                    && holds(&decode_header(&unfold(field.value)), text)
            }),
            SearchKey::Body(text) => holds(&body_text(self.raw(), self.entity()), text),
            SearchKey::Text(text) => {
                holds(&decode_header(self.header()), text)
                    || holds(&body_text(self.raw(), self.entity()), text)
            }
        }
    }

    /// The day of the Date header, in the sender's zone (RFC 9051 section 6.4.4: "disregarding time and timezone").
    fn sent_day(&self) -> Option<i64> {
        let value = header_value(self.header(), "Date")?;
        let at = jiff::fmt::rfc2822::DateTimeParser::new()
            .relaxed_weekday(true)
            .parse_zoned(&value)
            .ok()?;
        Some(day(at.timestamp().as_second() + i64::from(at.offset().seconds())))
    }
}

fn day(seconds: i64) -> i64 {
    seconds.div_euclid(Timestamp::DAY)
}

fn holds(text: &str, wanted: &str) -> bool {
    text.to_lowercase().contains(&wanted.to_lowercase())
}
