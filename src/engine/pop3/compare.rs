//! Headers, where they decide: messages known again under another name, and messages of which only the header comes.

use std::collections::{BTreeMap, BTreeSet};

use posthorn_model::{Flags, Hash, LedgerRow, LedgerState, MessageId, MsgNo, Uidl};
use posthorn_store::Durability;
use posthorn_store::write::{NewMessage, Write};

use super::driver::Check;
use super::header;
use super::plan::{self, Act, Plan};
use crate::Error;
use crate::event::{Doing, Event};
use crate::filter::round::Round;

/// Messages here by their headers, with their sizes on the server: what is listed twice is shown once.
type Twins = BTreeMap<Hash, Vec<(Option<u64>, MessageId)>>;

/// Headers written in one transaction.
const BATCH: usize = 200;

impl Check<'_> {
    /// Looks at the headers of what may be here under another name.
    pub(super) async fn compare(&mut self, plan: &Plan) -> Result<(), Error> {
        let asked: Vec<MsgNo> = plan.to(Act::Compare).map(|step| step.listed.number).collect();
        let mut headers: BTreeMap<MsgNo, Hash> = BTreeMap::new();
        self.session
            .tops(&asked, &mut |number, header| {
                headers.extend(header.map(|header| (number, header::digest(&header))));
            })
            .await?;
        let mut used: BTreeSet<Uidl> = BTreeSet::new();
        let mut rows = Vec::new();
        for step in plan.to(Act::Compare) {
            self.told.compared.insert(step.listed.uidl.clone());
            let Some(header) = headers.get(&step.listed.number) else {
                continue;
            };
            for uidl in &step.candidates {
                let Some(row) = self.known_header(uidl).await? else {
                    continue;
                };
                if used.contains(uidl) || !plan::is_same(&row, *header, step.listed.size) {
                    continue;
                }
                used.insert(uidl.clone());
                rows.extend(self.take_over(&row, &step.listed));
                break;
            }
        }
        self.record(rows, Durability::Normal).await
    }

    /// The row with its header's digest, made from the message here where the row is from before there was one.
    async fn known_header(&mut self, uidl: &Uidl) -> Result<Option<LedgerRow>, Error> {
        let Some(mut row) = self.ledger.get(uidl).cloned() else {
            return Ok(None);
        };
        if let (None, Some(hash)) = (row.header_hash, row.hash) {
            let raw = self.post.core.store.raw(hash).await.unwrap_or_default();
            row.header_hash = raw.map(|raw| header::digest(&raw));
            self.ledger.insert(uidl.clone(), row.clone());
        }
        Ok(Some(row))
    }

    /// What follows when a listed message is the one of this row.
    fn take_over(&self, row: &LedgerRow, listed: &plan::Listed) -> Vec<LedgerRow> {
        let now = self.situation.now;
        let state = match (row.state, row.hash) {
            // The user's wish goes with the message.
            (LedgerState::DeleteWanted, Some(_)) => LedgerState::DeleteWanted,
            (_, Some(_)) => LedgerState::Downloaded,
            (_, None) => LedgerState::Seen,
        };
        let here = LedgerRow {
            uidl: listed.uidl.clone(),
            size: listed.size.or(row.size),
            state,
            changed_at: if state == row.state { row.changed_at } else { now },
            asked_at: None,
            reason: if state == LedgerState::DeleteWanted {
                row.reason.clone()
            } else {
                String::new()
            },
            reply: String::new(),
            ..row.clone()
        };
        if row.uidl == listed.uidl {
            return vec![here];
        }
        let gone = LedgerRow {
            state: LedgerState::Gone,
            changed_at: now,
            reply: "the server has given it another name".to_owned(),
            ..row.clone()
        };
        vec![here, gone]
    }

    /// Fetches and lists the headers of messages that do not come whole by themselves.
    pub(super) async fn fetch_headers(&mut self, plan: &Plan) -> Result<(), Error> {
        let wanted: BTreeMap<MsgNo, plan::Listed> = plan
            .to(Act::Headers)
            .map(|step| (step.listed.number, step.listed.clone()))
            .collect();
        let mut order: Vec<MsgNo> = plan.to(Act::Headers).map(|step| step.listed.number).collect();
        let mut twins: Twins = BTreeMap::new();
        for row in self.ledger.values() {
            if let (Some(header), Some(message)) = (row.header_hash, row.message) {
                twins.entry(header).or_default().push((row.size, message));
            }
        }
        let total = order.len() as u64;
        let mut done = 0;
        while !order.is_empty() {
            let batch: Vec<MsgNo> = order.drain(..order.len().min(BATCH)).collect();
            let mut headers = Vec::new();
            self.session
                .tops(&batch, &mut |number, header| {
                    headers.extend(header.map(|header| (number, header)))
                })
                .await?;
            done += batch.len() as u64;
            let came = headers
                .into_iter()
                .filter_map(|(number, header)| Some((wanted.get(&number)?, header)));
            self.list_headers(came.collect(), &mut twins).await?;
            self.post.core.progress(self.post.id, Doing::Listing, done, total);
        }
        Ok(())
    }

    async fn list_headers(
        &mut self,
        headers: Vec<(&plan::Listed, Vec<u8>)>,
        twins: &mut Twins,
    ) -> Result<(), Error> {
        let post = self.post;
        let core = &post.core;
        let _local = core.local().await;
        let mut round = Round::open(core, post.id, self.inbox.0);
        let (mut writes, mut rows, mut fresh) = (Vec::new(), Vec::new(), Vec::new());
        for (listed, raw) in headers {
            let digest = header::digest(&raw);
            let row = self.ledger.get(&listed.uidl);
            let mut row = row
                .cloned()
                .unwrap_or_else(|| LedgerRow::first_seen(listed.uidl.clone(), self.situation.now));
            row.size = listed.size.or(row.size);
            row.header_hash = Some(digest);
            let alike = twins.entry(digest).or_default();
            let twin = alike.iter().find(|(size, _)| *size == listed.size);
            row.message = match twin {
                Some((_, message)) => Some(*message),
                None => {
                    let parsed = posthorn_mime::parse_header(&raw);
                    let id = core.store.message_id(parsed.envelope.sort_date(parsed.received));
                    let new = NewMessage {
                        id,
                        account: post.id,
                        envelope: parsed.envelope,
                        received: parsed.received,
                        size: listed.size.unwrap_or(0),
                        has_attachments: parsed.has_attachment_hint,
                        body: None,
                    };
                    round.take(&new, &raw, None, &Flags::default());
                    writes.push(Write::AddMessage(Box::new(new)));
                    writes.push(Write::Place {
                        message: id,
                        mailbox: self.inbox.0,
                        uid: None,
                        flags: Flags::default(),
                        base: Flags::default(),
                    });
                    alike.push((listed.size, id));
                    fresh.push(id);
                    Some(id)
                }
            };
            writes.push(Write::PutLedger {
                account: post.id,
                row: Box::new(row.clone()),
            });
            rows.push(row);
        }
        let filtered = round.finish(core, None).await?;
        writes.extend(filtered.writes);
        core.apply(post.id, writes, Durability::Full).await?;
        for row in rows {
            self.ledger.insert(row.uidl.clone(), row);
        }
        self.report.new += fresh.len() as u64;
        fresh.retain(|message| !filtered.quiet.contains(message));
        if !fresh.is_empty() {
            core.hub.publish(&Event::NewMail {
                account: post.id,
                messages: fresh,
            });
        }
        Ok(())
    }
}
