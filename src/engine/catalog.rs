//! Everything that can be read without the network: mailboxes, pages of lists, messages, search, the queues.

use posthorn_model::filter::Rule;
use posthorn_model::operation::Operation;
use posthorn_model::query::{Cursor, PageStart, View};
use posthorn_model::{
    AccountConfig, AccountId, Address, Appearance, BodyState, Envelope, Flags, Hash, InternetMessageId,
    LedgerRow, MailboxId, MailboxName, MessageId, Part, SpecialUse, SubmissionId, SubmissionState, ThreadId,
    Timestamp, Where,
};

use posthorn_store::{ListRow, MailboxRow};

use crate::filter::round::{self, Tried};
use crate::forecast::Maildrop;
use crate::ops::left;
use crate::pop3::dry_run;
use crate::shared::Shared;
use crate::{Error, whereabouts};

/// The setting that keeps how the window looks.
pub(crate) const APPEARANCE: &str = "appearance";

/// An account, with its settings.
#[derive(Clone, Debug)]
pub struct Account {
    pub id: AccountId,
    pub config: AccountConfig,
}

/// A mailbox with its counts.
#[derive(Clone, Debug)]
pub struct Mailbox {
    pub id: MailboxId,
    pub account: AccountId,
    pub name: MailboxName,
    pub special_use: Option<SpecialUse>,
    pub selectable: bool,
    pub subscribed: bool,
    pub local: bool,
    pub total: u64,
    pub unread: u64,
    pub uid_validity: Option<u32>,
    pub highest_modseq: Option<u64>,
}

/// One line of a list: a message in a mailbox.
#[derive(Clone, Debug)]
pub struct Row {
    pub message: MessageId,
    pub mailbox: MailboxId,
    pub account: AccountId,
    pub message_id: Option<InternetMessageId>,
    /// All authors, of very many the first.
    pub from: Vec<Address>,
    /// First of To, for Sent and Drafts.
    pub to: Option<Address>,
    pub subject: String,
    pub preview: String,
    pub date: Timestamp,
    pub size: u64,
    pub flags: Flags,
    pub has_attachments: bool,
    pub body: BodyState,
    pub thread: ThreadId,
    pub lives: Where,
}

/// A page of a list, newest first.
#[derive(Clone, Debug, Default)]
pub struct Page {
    pub rows: Vec<Row>,
    /// How many rows of the list stand above the first one here.
    pub first: u64,
    /// Rows in the whole list.
    pub total: u64,
    /// Where the next page starts; `None` at the end.
    pub next: Option<Cursor>,
}

/// One message, parsed, to read.
#[derive(Clone, Debug)]
pub struct Message {
    pub id: MessageId,
    pub account: AccountId,
    pub thread: ThreadId,
    pub envelope: Envelope,
    pub date: Timestamp,
    pub size: u64,
    pub hash: Option<Hash>,
    pub body: BodyState,
    /// The best plain text; `None` until the body is here.
    pub text: Option<String>,
    /// The HTML part, unsanitised: only `html` may look into it.
    pub html: Option<String>,
    pub parts: Vec<Part>,
    pub defects: Vec<String>,
    /// Where it stands, with flags.
    pub placements: Vec<(MailboxId, Flags)>,
    pub lives: Where,
}

/// One submission of the outbox.
#[derive(Clone, Debug)]
pub struct Submission {
    pub id: SubmissionId,
    pub account: AccountId,
    pub message_id: String,
    pub subject: String,
    pub to: Vec<String>,
    pub state: SubmissionState,
    /// The server's words.
    pub reply: String,
    pub tries: u32,
    pub created: Timestamp,
    pub not_before: Option<Timestamp>,
}

/// What a search found, newest first.
#[derive(Clone, Debug, Default)]
pub struct Hits {
    pub rows: Vec<Row>,
    pub total: u64,
    pub bodies_indexed: u64,
    pub messages: u64,
}

/// One stored message, for `dump`.
#[derive(Clone, Debug)]
pub struct DumpRow {
    pub id: MessageId,
    /// `ACCOUNT/Path`.
    pub folder: String,
    /// `None` while only its headers are here.
    pub hash: Option<Hash>,
    pub size: u64,
    pub flags: Flags,
}

/// Reads the store. Cheap to clone; every method may be awaited on any executor and never waits for the network.
#[derive(Clone)]
pub struct Catalog {
    core: Shared,
}

impl Catalog {
    pub(crate) const fn new(core: Shared) -> Self {
        Self { core }
    }

    pub(crate) const fn core(&self) -> &Shared {
        &self.core
    }

    pub async fn accounts(&self) -> Result<Vec<Account>, Error> {
        Ok(self.core.with_accounts(|accounts| {
            let all = accounts.iter().map(|(id, config)| Account {
                id,
                config: config.clone(),
            });
            all.collect()
        }))
    }

    /// `None`: of all accounts. Special-use first, then by path.
    pub async fn mailboxes(&self, account: Option<AccountId>) -> Result<Vec<Mailbox>, Error> {
        let rows = self.core.store.mailboxes(account).await?;
        let leaving = crate::ops::mailbox::leaving(&self.core.store.operations(account).await?);
        let mut all: Vec<Mailbox> = rows
            .into_iter()
            .filter(|row| !leaving.contains(&row.id))
            .map(read_mailbox)
            .collect();
        all.sort_by_cached_key(|mailbox| {
            let rank = mailbox.special_use.map_or(usize::MAX, |purpose| {
                let known = SpecialUse::ALL.iter().position(|one| *one == purpose);
                known.unwrap_or(usize::MAX)
            });
            (mailbox.account, rank, mailbox.name.path.to_lowercase())
        });
        Ok(all)
    }

    pub async fn page(&self, view: View, start: PageStart, limit: u32) -> Result<Page, Error> {
        if let View::Mailbox(mailbox) = view {
            self.core.visit(mailbox);
        }
        let page = self.core.store.page(view, start, limit as usize).await?;
        Ok(Page {
            rows: self.read_rows(page.rows),
            first: page.first,
            total: page.total,
            next: page.next,
        })
    }

    /// `None` where there is no such message.
    pub async fn message(&self, id: MessageId) -> Result<Option<Message>, Error> {
        let Some((mut message, raw)) = self.load(id).await? else {
            return Ok(None);
        };
        if let Some(raw) = raw {
            let parsed = self.blocking(move || posthorn_mime::parse(&raw)).await?;
            (message.text, message.html) = (parsed.text, parsed.html);
        }
        Ok(Some(message))
    }

    /// The conversation, oldest first, one row a message.
    pub async fn thread(&self, id: ThreadId) -> Result<Vec<Row>, Error> {
        Ok(self.read_rows(self.core.store.thread(id).await?))
    }

    /// One message as a line of a list; `None` where there is no such message.
    pub async fn row(&self, id: MessageId) -> Result<Option<Row>, Error> {
        let row = self.core.store.row(id).await?;
        Ok(row.map(|row| self.read_row(row)))
    }

    /// The bytes exactly as served; `None` while only its headers are here.
    pub async fn raw(&self, id: MessageId) -> Result<Option<Vec<u8>>, Error> {
        let record = self.core.store.message(id).await?;
        match record.and_then(|record| record.hash) {
            Some(hash) => Ok(self.core.store.raw(hash).await?),
            None => Ok(None),
        }
    }

    /// A part's decoded bytes.
    pub async fn part(&self, id: MessageId, index: u32) -> Result<Option<Vec<u8>>, Error> {
        match self.raw(id).await? {
            Some(raw) => {
                self.blocking(move || posthorn_mime::part_bytes(&raw, index))
                    .await
            }
            None => Ok(None),
        }
    }

    /// Messages with this `Message-ID`.
    pub async fn by_message_id(&self, id: InternetMessageId) -> Result<Vec<MessageId>, Error> {
        let mut found = Vec::new();
        for account in self.core.account_ids() {
            let these = self.core.store.find_by_message_id(account, &id).await?;
            found.extend(these.into_iter().map(|(message, _, _)| message));
        }
        Ok(found)
    }

    pub async fn search(&self, query: String, limit: u32) -> Result<Hits, Error> {
        let hits = self
            .core
            .store
            .search(&query, posthorn_store::Typing::Finished, limit as usize)
            .await?;
        Ok(Hits {
            rows: self.read_rows(hits.rows),
            total: hits.total,
            bodies_indexed: hits.coverage.bodies_indexed,
            messages: hits.coverage.messages,
        })
    }

    /// Messages that wait for the search index.
    pub async fn unindexed(&self) -> Result<u64, Error> {
        Ok(self.core.store.coverage().await?.pending)
    }

    pub async fn operations(&self) -> Result<Vec<Operation>, Error> {
        Ok(self.core.store.operations(None).await?)
    }

    /// Messages in a mailbox that other programs have marked as deleted: what goes with our own where all that is
    /// marked is removed.
    pub async fn marked_by_others(&self, mailbox: MailboxId) -> Result<Vec<Row>, Error> {
        let Some(row) = self.core.store.mailbox(mailbox).await? else {
            return Ok(Vec::new());
        };
        let mut rows = Vec::new();
        for message in left::find(&self.core, row.account, mailbox).await?.others {
            rows.extend(self.row(message).await?);
        }
        Ok(rows)
    }

    pub async fn outbox(&self) -> Result<Vec<Submission>, Error> {
        let records = self.core.store.submissions().await?;
        let submissions = records.into_iter().map(|record| Submission {
            id: record.id,
            account: record.account,
            message_id: record.message_id,
            subject: record.subject,
            to: record.to,
            state: record.state,
            reply: record.reply,
            tries: record.tries,
            created: record.created,
            not_before: record.not_before,
        });
        Ok(submissions.collect())
    }

    pub async fn ledger(&self, account: AccountId) -> Result<Vec<LedgerRow>, Error> {
        Ok(self.core.store.ledger(account).await?)
    }

    /// The rules for mail that arrives, in order.
    ///
    /// # Errors
    /// `Config` where `filters.toml` cannot be understood.
    pub async fn filters(&self) -> Result<Vec<Rule>, Error> {
        self.core.with_rules(|rules| match rules.trouble() {
            Some(trouble) => Err(trouble),
            None => Ok(rules.list().to_vec()),
        })
    }

    /// What the rules would do to this message; `None` where there is no such message.
    pub async fn try_filters(&self, message: MessageId) -> Result<Option<Tried>, Error> {
        round::try_one(&self.core, message).await
    }

    /// What the rules would do to everything in a mailbox.
    pub async fn preview_filters(&self, mailbox: MailboxId) -> Result<round::Run, Error> {
        Ok(round::run(&self.core, mailbox, false).await?.0)
    }

    /// What a forecast of a POP3 account is made from, as the last check left it: see [`crate::forecast`].
    pub async fn maildrop(&self, account: AccountId) -> Result<Maildrop, Error> {
        dry_run::remember(&self.core, account).await
    }

    pub async fn dump(&self) -> Result<Vec<DumpRow>, Error> {
        let rows = self.core.store.dump().await?;
        let rows = rows.into_iter().map(|row| DumpRow {
            id: row.message,
            folder: format!("{}/{}", row.account, row.mailbox),
            hash: Some(row.hash),
            size: row.size,
            flags: row.flags,
        });
        Ok(rows.collect())
    }

    fn read_rows(&self, rows: Vec<ListRow>) -> Vec<Row> {
        rows.into_iter().map(|row| self.read_row(row)).collect()
    }

    fn read_row(&self, row: ListRow) -> Row {
        let lives = whereabouts::lives(&whereabouts::Facts {
            whole: row.body == BodyState::Whole,
            on_imap: row.uid.is_some(),
            ledger: row
                .ledger
                .map(|mark| self.mark(row.account, mark.state, mark.downloaded_at)),
        });
        Row {
            message: row.message,
            mailbox: row.mailbox,
            account: row.account,
            message_id: row.message_id,
            from: row.from,
            to: row.to.into_iter().next(),
            subject: row.subject,
            preview: row.preview,
            date: row.date,
            size: row.size,
            flags: row.flags,
            has_attachments: row.has_attachments,
            body: row.body,
            thread: row.thread,
            lives,
        }
    }

    pub(crate) fn mark(
        &self,
        account: AccountId,
        state: posthorn_model::LedgerState,
        downloaded_at: Option<Timestamp>,
    ) -> whereabouts::Mark {
        let policy = self.core.config(account).map(|config| config.pop3.leave);
        whereabouts::Mark {
            state,
            downloaded_at,
            policy: policy.unwrap_or_default(),
        }
    }

    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        act: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let task = self.core.handle.spawn_blocking(act);
        task.await
            .map_err(|_| Error::bug("this message could not be taken apart"))
    }

    /// How the window looks, as the user last said.
    pub async fn appearance(&self) -> Result<Appearance, Error> {
        let kept = self.core.store.setting(APPEARANCE).await?;
        Ok(kept.and_then(|name| Appearance::parse(&name)).unwrap_or_default())
    }
}

fn read_mailbox(row: MailboxRow) -> Mailbox {
    Mailbox {
        id: row.id,
        account: row.account,
        name: row.name,
        special_use: row.special_use,
        selectable: row.selectable,
        subscribed: row.subscribed,
        local: row.local,
        total: row.total,
        unread: row.unread,
        uid_validity: row.sync.map(|state| state.uid_validity.0.get()),
        highest_modseq: row
            .sync
            .and_then(|state| state.highest_modseq)
            .map(|modseq| modseq.0),
    }
}
