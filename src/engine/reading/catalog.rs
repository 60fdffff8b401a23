//! Readings from the store. Like everything in the [`Catalog`], without the network.

use posthorn_model::{AccountId, MessageId, ReadingSettings, SpecialUse};

use super::{DEEPEST, Facts, PartAt, Reading, read, trust};
use crate::catalog::{Catalog, Message};
use crate::{Error, invitation, receipt, whereabouts};

impl Catalog {
    /// One message with everything that reading needs; `None` where there is no such message.
    pub async fn reading(&self, id: MessageId) -> Result<Option<Reading>, Error> {
        let Some((message, raw)) = self.load(id).await? else {
            return Ok(None);
        };
        let facts = self.facts(&message, Vec::new()).await?;
        let mut reading = self
            .blocking(move || read(message, raw.as_deref(), facts))
            .await?;
        self.recall_answers(&mut reading).await?;
        Ok(Some(reading))
    }

    /// A message inside another one, named by the part that it is. `None` where there is none, or the body is not
    /// here.
    pub async fn nested(&self, at: PartAt) -> Result<Option<Reading>, Error> {
        let Some((outer, Some(raw))) = self.load(at.message).await? else {
            return Ok(None);
        };
        let facts = self.facts(&outer, at.path.clone()).await?;
        self.blocking(move || {
            let raw = descend(&raw, &at.path)?;
            let header = posthorn_mime::parse_header(&raw);
            let inner = Message {
                date: header.envelope.date.or(header.received).unwrap_or(outer.date),
                envelope: header.envelope,
                size: raw.len() as u64,
                hash: None,
                placements: Vec::new(),
                ..outer
            };
            Some(read(inner, Some(&raw), facts))
        })
        .await
    }

    /// A part's decoded bytes, also of a message inside another one.
    pub async fn part_at(&self, at: PartAt) -> Result<Option<Vec<u8>>, Error> {
        match self.raw(at.message).await? {
            Some(raw) => self.blocking(move || descend(&raw, &at.path)).await,
            None => Ok(None),
        }
    }

    /// The name that a part is saved under, safe and never empty, and what it was declared as.
    pub(crate) async fn part_name(&self, at: PartAt) -> Result<(String, String), Error> {
        let raw = self.raw(at.message).await?.unwrap_or_default();
        self.blocking(move || {
            let Some((last, outer)) = at.path.split_last() else {
                return ("message.eml".to_owned(), "message/rfc822".to_owned());
            };
            let inner = if outer.is_empty() {
                Some(raw)
            } else {
                descend(&raw, outer)
            };
            let parsed = posthorn_mime::parse(&inner.unwrap_or_default());
            let part = parsed.parts.into_iter().find(|part| part.index == *last);
            let (name, declared) = part
                .map(|part| (part.name, part.content_type))
                .unwrap_or_default();
            let name = name.and_then(|name| posthorn_mime::safe_file_name(&name));
            (name.unwrap_or_else(|| format!("part-{last}")), declared)
        })
        .await
    }

    /// The header block as served, odd bytes replaced; `None` while the body is not here.
    pub async fn headers(&self, id: MessageId) -> Result<Option<String>, Error> {
        let raw = self.raw(id).await?;
        Ok(raw.map(|raw| String::from_utf8_lossy(header_block(&raw)).into_owned()))
    }

    /// What the user allows a message.
    pub async fn reading_settings(&self) -> Result<ReadingSettings, Error> {
        Ok(self.core().with_reading(|settings| settings.now().clone()))
    }

    /// The message without its text, and its bytes where they are here.
    pub(crate) async fn load(&self, id: MessageId) -> Result<Option<(Message, Option<Vec<u8>>)>, Error> {
        let store = &self.core().store;
        let Some(record) = store.message(id).await? else {
            return Ok(None);
        };
        let placements = store.placements_of(id).await?;
        let ledger = store.ledger_of(id).await?;
        let lives = whereabouts::lives(&whereabouts::Facts {
            whole: record.hash.is_some(),
            on_imap: placements.iter().any(|placement| placement.uid.is_some()),
            ledger: ledger.map(|(account, row)| self.mark(account, row.state, row.downloaded_at)),
        });
        let raw = match record.hash {
            Some(hash) => store.raw(hash).await?,
            None => None,
        };
        let message = Message {
            id,
            account: record.account,
            thread: record.thread,
            envelope: record.envelope,
            date: record.date,
            size: record.size,
            hash: record.hash,
            body: record.body,
            text: None,
            html: None,
            parts: record.parts,
            defects: record.defects,
            placements: placements
                .into_iter()
                .map(|placement| (placement.mailbox, placement.flags))
                .collect(),
            lives,
        };
        Ok(Some((message, raw)))
    }

    async fn facts(&self, message: &Message, path: Vec<u32>) -> Result<Facts, Error> {
        let core = self.core();
        let mut junk = false;
        for (mailbox, _) in &message.placements {
            let row = core.store.mailbox(*mailbox).await?;
            junk |= row.is_some_and(|row| row.special_use == Some(SpecialUse::Junk));
        }
        let marked = message
            .placements
            .iter()
            .any(|(_, flags)| receipt::is_answered(flags));
        let noted = core.store.setting(&receipt::answer_key(message)).await?.is_some();
        Ok(Facts {
            settings: core.with_reading(|settings| settings.now().clone()),
            network: core.policy(),
            me: self.own_addresses(),
            trusted: trust::trusted(core, message.account).await?,
            junk,
            path,
            receipt_answered: marked || noted,
        })
    }

    /// What was answered to the invitations of a reading: their keys are known only once it is there.
    async fn recall_answers(&self, reading: &mut Reading) -> Result<(), Error> {
        for invited in &mut reading.invitations {
            let key = invitation::answer_key(&invited.invitation);
            let answer = self.core().store.setting(&key).await?;
            invited.answered = answer.as_deref().and_then(invitation::parse_status);
        }
        Ok(())
    }

    fn own_addresses(&self) -> Vec<String> {
        self.core().with_accounts(|accounts| {
            let all = accounts.iter();
            all.map(|(_, config): (AccountId, _)| config.identity.email.clone())
                .collect()
        })
    }
}

/// The part that a path leads to.
fn descend(raw: &[u8], path: &[u32]) -> Option<Vec<u8>> {
    let (first, rest) = path.split_first()?;
    if path.len() > DEEPEST {
        return None;
    }
    let mut bytes = posthorn_mime::part_bytes(raw, *first)?;
    for index in rest {
        bytes = posthorn_mime::part_bytes(&bytes, *index)?;
    }
    Some(bytes)
}

/// Up to the first empty line (RFC 5322 section 2.1), whichever line ends the message has.
#[must_use]
pub fn header_block(raw: &[u8]) -> &[u8] {
    let mut end = 0;
    for line in raw.split_inclusive(|byte| *byte == b'\n') {
        if matches!(line, b"\n" | b"\r\n") {
            break;
        }
        end += line.len();
    }
    raw.get(..end).unwrap_or(raw)
}
