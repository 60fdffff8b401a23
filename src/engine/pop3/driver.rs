//! Carries out one POP3 check: list, plan, download, and only then delete what is durable and verified here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use posthorn_model::{
    ErrorClass, Hash, LedgerRow, LedgerState, MailboxId, MessageId, MsgNo, SpecialUse, Uidl,
};
use posthorn_net::pop3::Session;
use posthorn_store::Durability;
use posthorn_store::write::Write;
use sha2::{Digest, Sha256};

use super::download::Download;
use super::plan::{self, Listed, Plan, Recheck, Situation};
use crate::Error;
use crate::account::Post;
use crate::event::Doing;
use crate::ops::wish::accept_key;
use crate::problem::Topic;
use crate::report::AccountReport;

/// Messages without a usable UIDL that are asked for their header: more are left for the next check.
const UNNAMED: usize = 2000;

/// What a UIDL made from a header begins with.
const MADE: &[u8] = b"posthorn-header:";

/// One check of the maildrop.
///
/// # Errors
/// Where the server cannot be reached or broke off; what came whole until then is kept.
pub async fn check(post: &Post, report: &mut AccountReport) -> Result<(), Error> {
    let core = &post.core;
    core.progress(post.id, Doing::Connecting, 0, 0);
    let dialer = core.dialer(&post.config).await?;
    let credentials = core.credentials(post.id, &post.config).await?;
    let session = Session::connect(&dialer, &post.config.incoming, &credentials).await?;
    report.connections += 1;
    post.note_login_delay(session.capabilities().login_delay);
    let mut check = Check {
        post,
        inbox: find_inbox(post).await?,
        session,
        report,
        situation: Situation {
            policy: post.config.pop3.leave,
            now: core.now(),
            accepted: core.store.setting(&accept_key(post.id)).await?.is_some(),
        },
        ledger: BTreeMap::new(),
        asked: Vec::new(),
    };
    let result = check.run().await;
    let accepted = check.situation.accepted;
    let traffic = check.session.traffic();
    let result = match result {
        Ok(()) => check.leave().await,
        Err(error) => Err(error),
    };
    report.mailboxes = 1;
    report.bytes_in += traffic.bytes_in;
    report.bytes_out += traffic.bytes_out;
    report.round_trips += traffic.round_trips;
    if result.is_ok() && accepted {
        let used = Write::PutSetting {
            key: accept_key(post.id),
            value: None,
        };
        core.apply(post.id, vec![used], Durability::Normal).await?;
    }
    result
}

async fn find_inbox(post: &Post) -> Result<(MailboxId, String), Error> {
    let mailboxes = post.core.store.mailboxes(Some(post.id)).await?;
    let inbox = mailboxes
        .into_iter()
        .find(|mailbox| mailbox.special_use == Some(SpecialUse::Inbox));
    let inbox = inbox.ok_or_else(|| Error::bug("a POP3 account without an inbox"))?;
    Ok((inbox.id, inbox.name.path))
}

struct Check<'a> {
    post: &'a Post,
    inbox: (MailboxId, String),
    session: Session,
    report: &'a mut AccountReport,
    situation: Situation,
    ledger: BTreeMap<Uidl, LedgerRow>,
    /// Deletions that the server has said yes to, believed when QUIT is answered.
    asked: Vec<(Uidl, String)>,
}

impl Check<'_> {
    async fn run(&mut self) -> Result<(), Error> {
        let post = self.post;
        let core = &post.core;
        core.progress(self.post.id, Doing::Listing, 0, 0);
        for row in core.store.ledger(self.post.id).await? {
            self.ledger.insert(row.uidl.clone(), row);
        }
        let listed = self.list().await?;
        let plan = self.settle_names(&listed).await?;
        self.record(plan.ledger.clone()).await?;
        let topic = Topic::Vanished(self.post.id, None);
        match &plan.suspicion {
            Some(suspicion) => core.raise(
                topic,
                &Error {
                    remedies: vec![posthorn_model::Remedy::ReviewAndContinue],
                    ..Error::new(ErrorClass::Suspicious, suspicion.explain())
                },
            ),
            None => core.clear(topic),
        }
        let fetched = self.download(&plan).await?;
        if plan.suspicion.is_none() {
            let mut delete = plan.delete.clone();
            delete.extend(self.due_at_once(fetched));
            self.delete(delete).await?;
        }
        Ok(())
    }

    /// What the server lists, each message with what identifies it.
    async fn list(&mut self) -> Result<Vec<Listed>, Error> {
        let uidls = self.session.uidl().await?;
        let sizes: BTreeMap<MsgNo, u64> = match self.session.list().await {
            Ok(sizes) => sizes.into_iter().collect(),
            // Sizes are a convenience where UIDL names the messages.
            Err(error) if error.class == ErrorClass::Refused && uidls.is_some() => BTreeMap::new(),
            Err(error) => return Err(error.into()),
        };
        let mut names: BTreeMap<Uidl, usize> = BTreeMap::new();
        for (_, uidl) in uidls.iter().flatten() {
            *names.entry(uidl.clone()).or_default() += 1;
        }
        let mut listed = Vec::new();
        let mut unnamed: BTreeSet<MsgNo> = sizes.keys().copied().collect();
        for (number, uidl) in uidls.into_iter().flatten() {
            if uidl.0.is_empty() || names.get(&uidl).is_none_or(|times| *times > 1) {
                unnamed.insert(number);
                continue;
            }
            unnamed.remove(&number);
            listed.push(Listed {
                number,
                uidl,
                certain: true,
                size: sizes.get(&number).copied(),
            });
        }
        if unnamed.len() > UNNAMED {
            log::warn!(
                "{} messages have no unique name; a part of them waits.",
                unnamed.len()
            );
        }
        for number in unnamed.into_iter().rev().take(UNNAMED) {
            let size = sizes.get(&number).copied();
            if let Some(uidl) = self.name_by_header(number).await? {
                listed.push(Listed {
                    number,
                    uidl,
                    certain: false,
                    size,
                });
            }
        }
        Ok(listed)
    }

    /// A name made from the header, for a message that the server does not name.
    async fn name_by_header(&mut self, number: MsgNo) -> Result<Option<Uidl>, Error> {
        match self.session.top(number, 0).await {
            Ok(Some(header)) => Ok(Some(name_of(&header))),
            // Without TOP the name is the session's: the message is downloaded, and its hash tells whether it is
            // here already.
            Ok(None) => Ok(Some(Uidl([MADE, number.to_string().as_bytes()].concat()))),
            Err(error) if error.class == ErrorClass::Refused => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Plans; looks at the headers of what may be here under another name; plans again with what that told.
    async fn settle_names(&mut self, listed: &[Listed]) -> Result<Plan, Error> {
        let mut checked: BTreeSet<Uidl> = BTreeSet::new();
        loop {
            let rows: Vec<LedgerRow> = self.ledger.values().cloned().collect();
            let plan = plan::plan(listed, &rows, self.situation, &checked);
            if plan.recheck.is_empty() {
                return Ok(plan);
            }
            let mut changed = Vec::new();
            for recheck in &plan.recheck {
                checked.insert(recheck.listed.uidl.clone());
                changed.extend(self.recognise(recheck).await?);
            }
            self.record(changed).await?;
        }
    }

    /// Whether a listed message is one of the candidates, by its header; ledger rows that follow from it.
    async fn recognise(&mut self, recheck: &Recheck) -> Result<Vec<LedgerRow>, Error> {
        let header = match self.session.top(recheck.listed.number, 0).await {
            Ok(Some(header)) => normalise(&header),
            Ok(None) => return Ok(Vec::new()),
            Err(error) if error.class == ErrorClass::Refused => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        };
        let listed = &recheck.listed;
        for (uidl, hash) in &recheck.candidates {
            let Some(raw) = self.post.core.store.raw(*hash).await? else {
                continue;
            };
            if normalise(&raw) != header {
                continue;
            }
            let Some(row) = self.ledger.get(uidl) else {
                continue;
            };
            let now = self.situation.now;
            let here = LedgerRow {
                uidl: listed.uidl.clone(),
                size: listed.size.or(row.size),
                state: LedgerState::Downloaded,
                changed_at: now,
                reason: String::new(),
                reply: String::new(),
                ..row.clone()
            };
            let mut rows = vec![here];
            if *uidl != listed.uidl {
                rows.push(LedgerRow {
                    state: LedgerState::Gone,
                    changed_at: now,
                    reply: "the server has given it another name".to_owned(),
                    ..row.clone()
                });
            }
            return Ok(rows);
        }
        Ok(Vec::new())
    }

    async fn record(&mut self, rows: Vec<LedgerRow>) -> Result<(), Error> {
        let writes = rows.iter().map(|row| Write::PutLedger {
            account: self.post.id,
            row: Box::new(row.clone()),
        });
        let writes = writes.collect();
        self.post
            .core
            .apply(self.post.id, writes, Durability::Normal)
            .await?;
        for row in rows {
            self.ledger.insert(row.uidl.clone(), row);
        }
        Ok(())
    }

    /// Downloads what is new; returns what is durable and verified now.
    async fn download(&mut self, plan: &Plan) -> Result<Vec<Listed>, Error> {
        if plan.download.is_empty() {
            return Ok(Vec::new());
        }
        let by_hash: BTreeMap<Hash, Option<MessageId>> = self
            .ledger
            .values()
            .filter_map(|row| Some((row.hash?, row.message)))
            .collect();
        let mut download = Download {
            core: Arc::clone(&self.post.core),
            account: self.post.id,
            inbox: self.inbox.clone(),
            wanted: plan
                .download
                .iter()
                .map(|listed| (listed.number, listed.clone()))
                .collect(),
            known: by_hash,
            first_seen: self
                .ledger
                .values()
                .map(|row| (row.uidl.clone(), row.first_seen))
                .collect(),
            rows: Vec::new(),
            new: 0,
            refused: 0,
        };
        let result = download.run(&mut self.session).await;
        self.report.new += download.new;
        self.report.bodies += download.rows.len() as u64;
        let mut fetched = Vec::new();
        for (number, row) in download.rows {
            if let Some(listed) = plan.download.iter().find(|listed| listed.number == number) {
                fetched.push(listed.clone());
            }
            self.ledger.insert(row.uidl.clone(), row);
        }
        if download.refused > 0 {
            log::warn!(
                "The server did not hand over {} messages; they are tried again.",
                download.refused
            );
        }
        result?;
        Ok(fetched)
    }

    /// What was downloaded in this very session and the policy wants gone: its number is certain now.
    fn due_at_once(&self, fetched: Vec<Listed>) -> Vec<(Listed, String)> {
        let due = fetched.into_iter().filter_map(|listed| {
            let row = self.ledger.get(&listed.uidl)?;
            let reason = plan::due(row, self.situation)?;
            Some((listed, reason))
        });
        due.collect()
    }

    /// Deletes on the server what is on this disk, read back and hash-checked, and nothing else.
    async fn delete(&mut self, wanted: Vec<(Listed, String)>) -> Result<(), Error> {
        let post = self.post;
        let core = &post.core;
        let hashes: Vec<Option<Hash>> = wanted
            .iter()
            .map(|(listed, _)| self.ledger.get(&listed.uidl).and_then(|row| row.hash))
            .collect();
        let sound = core
            .store
            .verify_raw(hashes.iter().flatten().copied().collect())
            .await?;
        let mut sound = sound.into_iter();
        let mut safe = Vec::new();
        let mut rows = Vec::new();
        for ((listed, reason), hash) in wanted.into_iter().zip(hashes) {
            if hash.is_none() || sound.next() != Some(true) {
                log::error!(
                    "A message to be deleted on the server cannot be read back here: it stays there."
                );
                continue;
            }
            if let Some(row) = self.ledger.get(&listed.uidl) {
                rows.push(LedgerRow {
                    state: LedgerState::DeleteWanted,
                    changed_at: self.situation.now,
                    reason,
                    ..row.clone()
                });
                safe.push(listed);
            }
        }
        if safe.is_empty() {
            return Ok(());
        }
        let writes = rows.iter().map(|row| Write::PutLedger {
            account: self.post.id,
            row: Box::new(row.clone()),
        });
        core.apply(self.post.id, writes.collect(), Durability::Full)
            .await?;
        for row in rows {
            self.ledger.insert(row.uidl.clone(), row);
        }
        let numbers: Vec<MsgNo> = safe.iter().map(|listed| listed.number).collect();
        let answers: BTreeMap<MsgNo, _> = self.session.delete(&numbers).await?.into_iter().collect();
        for listed in safe {
            match answers.get(&listed.number) {
                Some(Ok(reply)) => self.asked.push((listed.uidl, reply.clone())),
                Some(Err(error)) => {
                    let words = error.server.clone().unwrap_or_else(|| error.what.clone());
                    if let Some(row) = self.ledger.get(&listed.uidl).cloned() {
                        self.record(vec![LedgerRow { reply: words, ..row }]).await?;
                    }
                }
                None => {}
            }
        }
        Ok(())
    }

    /// QUIT: only its +OK makes deletions true. Without it, they stay wanted and the next listing tells.
    async fn leave(self) -> Result<(), Error> {
        let Self {
            post,
            session,
            situation,
            ledger,
            asked,
            report,
            ..
        } = self;
        let reply = match session.quit().await {
            Ok(reply) => reply,
            Err(error) if asked.is_empty() => {
                log::info!("The server did not take leave: {error}.");
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        let rows = asked.into_iter().filter_map(|(uidl, said)| {
            let row = ledger.get(&uidl)?;
            Some(Write::PutLedger {
                account: post.id,
                row: Box::new(LedgerRow {
                    state: LedgerState::Deleted,
                    changed_at: situation.now,
                    reply: format!("{said}; QUIT: {reply}"),
                    ..row.clone()
                }),
            })
        });
        let rows: Vec<Write> = rows.collect();
        report.gone += rows.len() as u64;
        post.core.apply(post.id, rows, Durability::Full).await?;
        Ok(())
    }
}

fn name_of(header: &[u8]) -> Uidl {
    let digest = Sha256::digest(normalise(header));
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    Uidl([MADE, hex.as_bytes()].concat())
}

/// The header block with one kind of line end: TOP and RETR may differ in what follows it.
fn normalise(raw: &[u8]) -> Vec<u8> {
    let mut header = Vec::new();
    for line in raw.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            break;
        }
        header.extend_from_slice(line);
        header.push(b'\n');
    }
    header
}
