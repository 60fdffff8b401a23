//! Damage: a file that cannot be read is set aside under a dated name, never thrown away; what can be read of it
//! is saved, and the index is made again from the raw messages.

mod salvage;

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use posthorn_model::{
    AccountId, Envelope, Flags, Hash, LedgerRow, LedgerState, MailboxId, MailboxName, MessageId, Part,
    SpecialUse, SyncState, Timestamp, Uid, UidValidity, Uidl,
};
use rusqlite::{Connection, OptionalExtension};

use crate::account::AccountRow;
use crate::column::{
    build_flags, flags_at, protocol_at, required_hash_at, time_at, uid_at, unsigned, validity_at,
};
use crate::db::{Access, Pace, Reader, Store, Writer, open_file, set_aside, suspect_mark};
use crate::error::{Error, File, Result};
use crate::write::{Durability, NewBody, NewMailbox, NewMessage, Write};
use crate::{check, local, migrate, raw, settings};

/// What parsing a raw message finds: the engine's part in a rebuild.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    pub envelope: Envelope,
    /// The topmost Received header, where the server did not say.
    pub received: Option<Timestamp>,
    pub parts: Vec<Part>,
    pub preview: String,
    pub index_text: Option<String>,
    pub defects: Vec<String>,
}

pub type Parse = Arc<dyn Fn(&[u8]) -> Reading + Send + Sync>;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rebuilt {
    pub messages: u64,
    /// Raw messages that could not be read back.
    pub unreadable: u64,
}

/// Its value: the last raw row that was taken in.
const WANTED: &str = "store:rebuild";
/// Its value: the path of the damaged index, for the ids that messages had there.
const OLD_IDS: &str = "store:old-index";
const BATCH: i64 = 200;

pub(crate) struct Opened {
    pub(crate) writer: Writer,
    pub(crate) notices: Vec<String>,
}

pub(crate) fn open_both(dir: &Path) -> Result<Opened> {
    let mut notices = Vec::new();
    let messages = match open_one(dir, File::Messages) {
        Err(Error::Corrupt { what, .. }) => {
            log::error!("{} is damaged: {what}.", File::Messages);
            let aside = set_aside(dir, File::Messages)?;
            let mut fresh = open_one(dir, File::Messages)?;
            let saved = salvage::copy_raws(&aside, dir, &mut fresh)?;
            notices.push(format!(
                "the file of raw messages was damaged; it is kept as {}, and {saved} messages were saved from it",
                aside.display()
            ));
            fresh
        }
        other => other?,
    };
    let (mut index, aside) = match open_one(dir, File::Index) {
        Err(Error::Corrupt { what, .. }) => {
            log::error!("{} is damaged: {what}.", File::Index);
            let aside = set_aside(dir, File::Index)?;
            (open_one(dir, File::Index)?, Some(aside))
        }
        other => (other?, None),
    };
    if let Some(aside) = &aside {
        salvage::copy_index(aside, &mut index)?;
        notices.push(format!(
            "the message index was damaged; it is kept as {}, and a new one is made from the messages here",
            aside.display()
        ));
    }
    // No account beside messages of some: the index was lost, or its making was cut short.
    let empty: bool = index.query_row("SELECT NOT EXISTS (SELECT 1 FROM account)", [], |row| row.get(0))?;
    let kept: bool = messages
        .query_row("SELECT EXISTS (SELECT 1 FROM provenance)", [], |row| row.get(0))
        .map_err(raw::wrap)?;
    if empty && kept {
        settings::put(&index, WANTED, Some("0"))?;
    }
    if notices.iter().any(|notice| notice.contains("raw messages")) {
        let lost = salvage::unfill_lost(&mut index, &messages)?;
        if lost > 0 {
            notices.push(format!(
                "{lost} messages have lost their text here and are to be fetched again"
            ));
        }
    }
    Ok(Opened {
        writer: Writer { index, messages },
        notices,
    })
}

/// Opens, looks for damage as far as is quick (all of it where an earlier run met some), and migrates.
fn open_one(dir: &Path, file: File) -> Result<Connection> {
    let wrap = |error: rusqlite::Error| Error::sqlite(&error, file);
    let mut connection = open_file(dir, file, Access::Write)?;
    let mark = suspect_mark(dir, file);
    if mark.exists() {
        let wrong = check::check_file(&connection, "PRAGMA integrity_check(1)").map_err(wrap)?;
        if let Some(line) = wrong.first() {
            std::fs::remove_file(&mark).map_err(|error| Error::io(&error, &mark))?;
            return Err(Error::corrupt(file, line.clone()));
        }
    }
    migrate::migrate(&mut connection, dir, file, migrate::known(file))?;
    if mark.exists() {
        std::fs::remove_file(&mark).map_err(|error| Error::io(&error, &mark))?;
    }
    // Reads the schema and a table's root: the commonest damage shows here.
    let first = match file {
        File::Index => "SELECT count(*) FROM (SELECT 1 FROM message, mailbox LIMIT 1)",
        File::Messages => "SELECT count(*) FROM (SELECT 1 FROM raw, provenance LIMIT 1)",
    };
    connection.query_row(first, [], |_| Ok(())).map_err(wrap)?;
    Ok(connection)
}

pub(crate) fn is_wanted(index: &Connection) -> Result<bool> {
    Ok(settings::load(index, WANTED)?.is_some())
}

impl Store {
    /// Makes the index again from the raw messages, where [`Store::rebuild_wanted`]; goes on where an earlier
    /// run stopped. Call it before anything synchronises. Mailboxes get back their messages and UIDs, with a
    /// sync state that has seen nothing (`uid_next` 1), so that the next sync compares the whole mailbox; POP3
    /// ledgers get back what was downloaded.
    pub async fn rebuild(&self, parse: Parse) -> Result<Rebuilt> {
        let mut done = Rebuilt::default();
        let Some(after) = self
            .read(Pace::Bulk, |reader| settings::load(&reader.index, WANTED))
            .await?
        else {
            return Ok(done);
        };
        let mut after: i64 = after.parse().unwrap_or(0);
        let mut known = self.load_known().await?;
        loop {
            let parse = Arc::clone(&parse);
            let batch = self
                .read(Pace::Bulk, move |reader| load_batch(reader, after, &parse))
                .await?;
            let Some(last) = batch.last else { break };
            done.unreadable += batch.unreadable;
            let mut writes = Vec::new();
            for found in batch.found {
                done.messages += self.plan(found, &mut known, &mut writes).await?;
            }
            writes.push(Write::PutSetting {
                key: WANTED.into(),
                value: Some(last.to_string()),
            });
            self.apply(writes, Durability::Normal).await?;
            after = last;
        }
        let finish = [WANTED, OLD_IDS].map(|key| Write::PutSetting {
            key: key.into(),
            value: None,
        });
        self.apply(finish.into(), Durability::Full).await?;
        self.rebuild_done();
        log::info!("The index was made again from {} messages.", done.messages);
        Ok(done)
    }

    async fn load_known(&self) -> Result<Known> {
        let mailboxes = self.mailboxes(None).await?;
        let mut known = Known {
            accounts: self
                .accounts()
                .await?
                .into_iter()
                .map(|account| account.id)
                .collect(),
            synced: mailboxes
                .iter()
                .filter(|row| row.sync.is_some())
                .map(|row| row.id)
                .collect(),
            mailboxes: mailboxes
                .into_iter()
                .map(|row| ((row.account, row.name.path), row.id))
                .collect(),
            ledger: HashMap::new(),
            old_ids: HashMap::new(),
            taken: HashSet::new(),
        };
        let old = self
            .read(Pace::Bulk, |reader| settings::load(&reader.index, OLD_IDS))
            .await?;
        if let Some(old) = old {
            known.old_ids = salvage::load_old_ids(Path::new(&old));
            known.taken = known.old_ids.values().copied().collect();
        }
        for account in known.accounts.clone() {
            let rows = self.ledger(account).await?;
            known
                .ledger
                .extend(rows.into_iter().map(|row| ((account, row.uidl.clone()), row)));
        }
        Ok(known)
    }

    /// The writes that take one raw message in; how many messages that adds.
    async fn plan(&self, found: Found, known: &mut Known, writes: &mut Vec<Write>) -> Result<u64> {
        let mut added = 0;
        let mut accounts: Vec<AccountId> = found.origins.iter().map(|origin| origin.account.id).collect();
        accounts.dedup();
        for account in accounts {
            // An earlier run that was cut short, or a salvaged row.
            if !self.find_by_hash(account, found.hash).await?.is_empty() {
                continue;
            }
            let origins: Vec<&Origin> = found
                .origins
                .iter()
                .filter(|from| from.account.id == account)
                .collect();
            let Some(first) = origins.first() else { continue };
            // Deleted here for good: what came by POP3 must not be downloaded again all the same.
            let deleted = origins.iter().all(|origin| origin.absent);
            if known.accounts.insert(account) {
                writes.push(Write::PutAccount {
                    id: account,
                    name: first.account.name.clone(),
                    protocol: first.account.protocol,
                });
            }
            let received = first.received.or(found.reading.received);
            let date = found.reading.envelope.sort_date(received);
            let id = match known.old_ids.get(&(account, found.hash)) {
                Some(id) => *id,
                None => loop {
                    let id = self.message_id(date);
                    if !known.taken.contains(&id) {
                        break id;
                    }
                },
            };
            if !deleted {
                writes.push(Write::AddMessage(Box::new(build_message(
                    id, account, &found, received,
                ))));
                added += 1;
            }
            for origin in origins {
                let mailbox = self.plan_mailbox(origin, known, writes);
                if !origin.absent {
                    writes.push(Write::Place {
                        message: id,
                        mailbox,
                        uid: origin.uid,
                        flags: origin.flags.clone(),
                        base: origin.flags.clone(),
                    });
                }
                if let Some(uidl) = &origin.uidl {
                    let kept = known.ledger.get(&(account, uidl.clone()));
                    let row = build_ledger(uidl, kept, id, &found);
                    writes.push(Write::PutLedger {
                        account,
                        row: Box::new(row),
                    });
                }
            }
        }
        Ok(added)
    }

    fn plan_mailbox(&self, origin: &Origin, known: &mut Known, writes: &mut Vec<Write>) -> MailboxId {
        let key = (origin.account.id, origin.mailbox.path.clone());
        let mailbox = match known.mailboxes.get(&key) {
            Some(mailbox) => *mailbox,
            None => {
                let id = self.new_mailbox_id();
                known.mailboxes.insert(key, id);
                writes.push(Write::PutMailbox(NewMailbox {
                    id,
                    account: origin.account.id,
                    name: origin.mailbox.clone(),
                    delimiter: origin.delimiter,
                    special_use: origin.special_use,
                    selectable: true,
                    subscribed: true,
                    local: origin.local,
                }));
                id
            }
        };
        if let Some(uid_validity) = origin.uid_validity
            && known.synced.insert(mailbox)
        {
            writes.push(Write::SetSyncState {
                mailbox,
                state: Some(SyncState {
                    uid_validity,
                    uid_next: 1,
                    highest_modseq: None,
                }),
            });
        }
        mailbox
    }
}

/// What the new index has already.
struct Known {
    accounts: HashSet<AccountId>,
    mailboxes: HashMap<(AccountId, String), MailboxId>,
    synced: HashSet<MailboxId>,
    ledger: HashMap<(AccountId, Uidl), LedgerRow>,
    old_ids: HashMap<(AccountId, Hash), MessageId>,
    /// Old ids, which no other message may get.
    taken: HashSet<MessageId>,
}

struct Batch {
    /// The last raw row looked at; `None` at the end.
    last: Option<i64>,
    found: Vec<Found>,
    unreadable: u64,
}

struct Found {
    hash: Hash,
    size: u64,
    kept_at: Timestamp,
    reading: Reading,
    /// By account.
    origins: Vec<Origin>,
}

struct Origin {
    account: AccountRow,
    mailbox: MailboxName,
    delimiter: Option<char>,
    special_use: Option<SpecialUse>,
    local: bool,
    /// The generation that the mailbox's newest message was kept under.
    uid_validity: Option<UidValidity>,
    /// `None` where it is of an older generation.
    uid: Option<Uid>,
    uidl: Option<Uidl>,
    received: Option<Timestamp>,
    flags: Flags,
    /// In a local mailbox, and taken out of it since.
    absent: bool,
}

fn load_batch(reader: &Reader, after: i64, parse: &Parse) -> Result<Batch> {
    let mut select = reader
        .messages
        .prepare_cached("SELECT id, hash, size, kept_at FROM raw WHERE id > ?1 ORDER BY id LIMIT ?2")
        .map_err(raw::wrap)?;
    let rows = select
        .query_map([after, BATCH], |row| {
            Ok((
                row.get::<_, i64>(0)?,
                required_hash_at(row, 1)?,
                unsigned(row.get(2)?),
                Timestamp(row.get(3)?),
            ))
        })
        .and_then(Iterator::collect::<rusqlite::Result<Vec<_>>>)
        .map_err(raw::wrap)?;
    let mut batch = Batch {
        last: None,
        found: Vec::new(),
        unreadable: 0,
    };
    for (id, hash, size, kept_at) in rows {
        batch.last = Some(id);
        let origins = load_origins(&reader.messages, id).map_err(raw::wrap)?;
        if origins.is_empty() {
            continue;
        }
        match raw::load(&reader.messages, &reader.dir, hash) {
            Ok(Some(bytes)) => batch.found.push(Found {
                hash,
                size,
                kept_at,
                reading: parse(&bytes),
                origins,
            }),
            Ok(None) => {}
            Err(error @ Error::Corrupt { .. }) => {
                log::error!("A raw message cannot be taken into the new index: {error}.");
                batch.unreadable += 1;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(batch)
}

/// One for each mailbox, the latest; none for what no list shows. In local mailboxes as it stood last.
fn load_origins(messages: &Connection, raw: i64) -> rusqlite::Result<Vec<Origin>> {
    let mut places = local::load_places(messages, raw)?;
    let mut select = messages.prepare_cached(
        "SELECT a.id, a.name, a.protocol, b.path, b.wire, b.delimiter, b.special_use, b.local,
                (SELECT n.uid_validity FROM provenance n WHERE n.mailbox = b.id ORDER BY n.id DESC LIMIT 1),
                p.uid_validity, p.uid, p.uidl, p.received, p.flags, p.keywords, b.id, max(p.id)
         FROM provenance p JOIN mailbox b ON b.id = p.mailbox JOIN account a ON a.id = b.account
         WHERE p.raw = ?1 AND b.path <> '' GROUP BY b.id ORDER BY a.id, b.id",
    )?;
    let rows = select.query_map([raw], |row| Ok((row.get::<_, i64>(15)?, read_origin(row)?)))?;
    let mut origins = Vec::new();
    for row in rows {
        let (mailbox, mut origin) = row?;
        if let Some((flags, keywords)) = places.remove(&mailbox) {
            origin.absent = flags == local::ABSENT;
            origin.flags = build_flags(flags.max(0), &keywords);
        }
        origins.push(origin);
    }
    for (mailbox, (flags, keywords)) in places {
        if flags != local::ABSENT
            && let Some(mut origin) = load_room(messages, mailbox)?
        {
            origin.flags = build_flags(flags, &keywords);
            origins.push(origin);
        }
    }
    origins.sort_by_key(|origin| origin.account.id);
    Ok(origins)
}

fn read_origin(row: &rusqlite::Row<'_>) -> rusqlite::Result<Origin> {
    let delimiter: String = row.get(5)?;
    let special_use: String = row.get(6)?;
    let uid_validity = validity_at(row, 8)?;
    let current = uid_validity.is_some() && uid_validity == validity_at(row, 9)?;
    Ok(Origin {
        account: AccountRow {
            id: AccountId(row.get(0)?),
            name: row.get(1)?,
            protocol: protocol_at(row, 2)?,
            total: 0,
            headers_only: 0,
        },
        mailbox: MailboxName {
            path: row.get(3)?,
            wire: row.get(4)?,
        },
        delimiter: delimiter.chars().next(),
        special_use: SpecialUse::parse(&special_use),
        local: row.get(7)?,
        uid_validity,
        uid: uid_at(row, 10)?.filter(|_| current),
        uidl: row.get::<_, Option<Vec<u8>>>(11)?.map(Uidl),
        received: time_at(row, 12)?,
        flags: flags_at(row, 13)?,
        absent: false,
    })
}

/// A local mailbox to which a message was moved: it came from elsewhere.
fn load_room(messages: &Connection, mailbox: i64) -> rusqlite::Result<Option<Origin>> {
    messages
        .prepare_cached(
            "SELECT a.id, a.name, a.protocol, b.path, b.wire, b.delimiter, b.special_use, b.local,
                    NULL, NULL, NULL, NULL, NULL, 0, ''
             FROM mailbox b JOIN account a ON a.id = b.account WHERE b.id = ?1 AND b.path <> ''",
        )?
        .query_row([mailbox], read_origin)
        .optional()
}

fn build_message(
    id: MessageId,
    account: AccountId,
    found: &Found,
    received: Option<Timestamp>,
) -> NewMessage {
    let reading = &found.reading;
    NewMessage {
        id,
        account,
        envelope: reading.envelope.clone(),
        received,
        size: found.size,
        has_attachments: false,
        body: Some(NewBody {
            message: id,
            hash: found.hash,
            size: found.size,
            envelope: reading.envelope.clone(),
            parts: reading.parts.clone(),
            preview: reading.preview.clone(),
            index_text: reading.index_text.clone(),
            defects: reading.defects.clone(),
        }),
    }
}

fn build_ledger(uidl: &Uidl, salvaged: Option<&LedgerRow>, message: MessageId, found: &Found) -> LedgerRow {
    match salvaged {
        Some(row) => LedgerRow {
            message: Some(message),
            ..row.clone()
        },
        None => LedgerRow {
            size: Some(found.size),
            downloaded_at: Some(found.kept_at),
            hash: Some(found.hash),
            message: Some(message),
            state: LedgerState::Downloaded,
            ..LedgerRow::first_seen(uidl.clone(), found.kept_at)
        },
    }
}
