//! A fake engine with real state behind: commands change it, readers see it, events follow.

#[path = "fixture/accounts.rs"]
mod accounts;
#[path = "fixture/letters.rs"]
mod letters;
#[path = "fixture/maildrop.rs"]
mod maildrop;
#[path = "fixture/scenes.rs"]
mod scenes;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};

use iced::futures::channel::mpsc;
use iced::futures::stream::{BoxStream, StreamExt};
use posthorn_engine::attachment::Caution;
use posthorn_engine::catalog::{Account, Hits, Mailbox, Message, Page, Row, Submission};
use posthorn_engine::command::Selection;
use posthorn_engine::forecast::Maildrop;
use posthorn_engine::invitation::InvitationAnswer;
use posthorn_engine::pictures::{Fetched, PictureRequest};
use posthorn_engine::reading::{AskWhy, PartAt, PictureRule, ReceiptState, Unsubscribe};
use posthorn_engine::report::{ServerTest, TestReport};
use posthorn_engine::unsubscribe::{By, Unsubscribed};
use posthorn_engine::{AccountState, Command, Error, Event, Network, Outgoing, Reading, Receipt};
use posthorn_model::query::{Cursor, PageStart, View};
use posthorn_model::{
    AccountConfig, AccountId, Appearance, BodyState, Endpoint, Envelope, ErrorClass, Flag, Flags, Identity,
    InternetMessageId, MailboxId, MailboxName, MessageId, Part, Problem, Protocol, Secret, Security,
    SpecialUse, SubmissionId, SubmissionState, ThreadId, Timestamp, Where,
};
use posthorn_ui::bridge::{Answer, Face};

/// 2026-03-10T09:30:00Z: the fixture's now.
pub const NOW: Timestamp = Timestamp(1_773_135_000);

/// Everything that the fake holds.
#[derive(Default)]
pub struct State {
    /// A rule of the reader's allows every message its pictures.
    pub show_pictures: bool,
    pub accounts: Vec<Account>,
    pub mailboxes: Vec<Mailbox>,
    pub rows: Vec<Row>,
    pub messages: BTreeMap<MessageId, Message>,
    pub problems: Vec<Problem>,
    pub states: Vec<(AccountId, AccountState)>,
    pub outbox: Vec<Submission>,
    pub sent: Vec<Outgoing>,
    pub commands: Vec<Command>,
    pub network: Network,
    pub appearance: Appearance,
    /// What was handed to other programs, fetched and left.
    pub opened: Vec<(PartAt, Caution)>,
    pub fetched: Vec<PictureRequest>,
    pub unsubscribed: Vec<(MessageId, By)>,
    pub receipts: Vec<(MessageId, bool)>,
    pub answered: Vec<InvitationAnswer>,
    /// What `test_account` answers with instead of success.
    pub refuse_test: bool,
    /// Most of what the POP3 server listed is gone at once.
    pub vanished: bool,
    undo: Vec<(i64, Vec<Row>)>,
    events: Vec<mpsc::UnboundedSender<Event>>,
    next: i64,
}

/// The fake engine.
#[derive(Clone, Default)]
pub struct Fixture {
    state: Arc<Mutex<State>>,
}

fn answer<T: Send + 'static>(value: T) -> Answer<T> {
    Box::pin(std::future::ready(Ok(value)))
}

impl State {
    fn read(&self, message: Message) -> Reading {
        let list = message
            .envelope
            .from
            .iter()
            .any(|from| from.email.contains("news"));
        let asks = message.envelope.subject.contains("second reading");
        let way = Unsubscribe::OneClick {
            url: "https://lists.example.org/leave".into(),
            host: "lists.example.org".into(),
            signed: true,
        };
        Reading {
            pictures: if self.show_pictures {
                PictureRule::Show
            } else {
                PictureRule::Ask(AskWhy::Usual)
            },
            unsubscribe: if list { vec![way] } else { Vec::new() },
            me: self
                .accounts
                .iter()
                .map(|account| account.config.identity.email.clone())
                .collect(),
            receipt: asks.then(|| {
                ReceiptState::Open(posthorn_mime::Asked {
                    to: message.envelope.from.clone(),
                    ..posthorn_mime::Asked::default()
                })
            }),
            attachments: message
                .parts
                .iter()
                .map(|part| posthorn_mime::Attached {
                    nature: posthorn_mime::attachment::judge(
                        part.name.as_deref().unwrap_or_default(),
                        &part.content_type,
                        b"",
                    ),
                    message: part.content_type == "message/rfc822",
                    part: part.clone(),
                })
                .collect(),
            ..Reading::bare(message)
        }
    }

    fn tell(&mut self, event: &Event) {
        self.events
            .retain(|sender| sender.unbounded_send(event.clone()).is_ok());
    }

    fn number(&mut self) -> i64 {
        self.next += 1;
        self.next
    }

    fn listed(&self, view: View) -> Vec<Row> {
        let inboxes: Vec<MailboxId> = self
            .mailboxes
            .iter()
            .filter(|mailbox| mailbox.special_use == Some(SpecialUse::Inbox))
            .map(|mailbox| mailbox.id)
            .collect();
        let mut rows: Vec<Row> = self
            .rows
            .iter()
            .filter(|row| match view {
                View::Mailbox(id) => row.mailbox == id,
                View::Inbox => inboxes.contains(&row.mailbox),
                View::Account(id) => row.account == id,
                View::All => true,
            })
            .cloned()
            .collect();
        rows.sort_by_key(|row| std::cmp::Reverse((row.message, row.mailbox)));
        rows
    }

    fn count(&mut self) {
        for mailbox in &mut self.mailboxes {
            let here = self.rows.iter().filter(|row| row.mailbox == mailbox.id);
            mailbox.total = here.clone().count() as u64;
            mailbox.unread = here.filter(|row| !row.flags.contains(Flag::Seen)).count() as u64;
        }
    }

    fn special(&self, account: AccountId, purpose: SpecialUse) -> Option<MailboxId> {
        self.mailboxes
            .iter()
            .find(|mailbox| mailbox.account == account && mailbox.special_use == Some(purpose))
            .map(|mailbox| mailbox.id)
    }

    /// Changes the selected rows; a change that returns false removes the row.
    fn change(&mut self, selection: &Selection, change: impl Fn(&Self, &mut Row) -> bool) -> Receipt {
        let before = self.rows.clone();
        let mut rows = std::mem::take(&mut self.rows);
        let mut touched = 0;
        rows.retain_mut(|row| {
            let concerned = selection.messages.contains(&row.message)
                && selection.mailbox.is_none_or(|mailbox| mailbox == row.mailbox);
            if !concerned {
                return true;
            }
            touched += 1;
            change(self, row)
        });
        self.rows = rows;
        let intent = self.number();
        self.undo.push((intent, before));
        self.changed(&selection.messages);
        Receipt {
            intent: Some(intent),
            messages: touched,
            ..Receipt::default()
        }
    }

    fn changed(&mut self, messages: &[MessageId]) {
        self.count();
        self.tell(&Event::MessagesChanged {
            mailboxes: self.mailboxes.iter().map(|mailbox| mailbox.id).collect(),
            messages: messages.to_vec(),
        });
        let accounts: Vec<AccountId> = self.accounts.iter().map(|account| account.id).collect();
        for account in accounts {
            self.tell(&Event::MailboxesChanged { account });
        }
    }

    fn put_into(&mut self, selection: &Selection, purpose: SpecialUse) -> Receipt {
        self.change(selection, |state, row| {
            match state.special(row.account, purpose) {
                Some(target) if target != row.mailbox => {
                    row.mailbox = target;
                    true
                }
                _ => false,
            }
        })
    }

    fn command(&mut self, command: Command) -> Result<Receipt, Error> {
        self.commands.push(command.clone());
        Ok(match command {
            Command::Flag { selection, change } => self.change(&selection, |_, row| {
                row.flags = change.apply(&row.flags);
                true
            }),
            Command::Move { selection, to } => self.change(&selection, |_, row| {
                row.mailbox = to;
                true
            }),
            Command::Delete(selection) => self.put_into(&selection, SpecialUse::Trash),
            Command::Archive(selection) => self.put_into(&selection, SpecialUse::Archive),
            Command::Junk(selection) => self.put_into(&selection, SpecialUse::Junk),
            Command::CreateMailbox { account, path } => {
                let id = MailboxId(self.number());
                if let Some(model) = self.mailboxes.iter().find(|mailbox| mailbox.account == account) {
                    let made = Mailbox {
                        id,
                        name: MailboxName::local(&path),
                        special_use: None,
                        total: 0,
                        unread: 0,
                        ..model.clone()
                    };
                    self.mailboxes.push(made);
                }
                self.changed(&[]);
                Receipt {
                    intent: Some(id.0),
                    mailbox: Some(id),
                    ..Receipt::default()
                }
            }
            Command::RenameMailbox { mailbox, path } => {
                for known in self.mailboxes.iter_mut().filter(|known| known.id == mailbox) {
                    known.name = MailboxName::local(&path);
                }
                self.changed(&[]);
                Receipt::default()
            }
            Command::DeleteMailbox { mailbox, .. } => {
                self.mailboxes.retain(|known| known.id != mailbox);
                self.changed(&[]);
                Receipt::default()
            }
            Command::Undo { intent } => {
                let at = match intent {
                    Some(intent) => self.undo.iter().position(|(id, _)| *id == intent),
                    None => self.undo.len().checked_sub(1),
                };
                if let Some(at) = at {
                    self.rows = self.undo.remove(at).1;
                    self.changed(&[]);
                }
                Receipt::default()
            }
            Command::SaveDraft {
                account,
                raw,
                replaces,
            } => {
                if let Some(old) = replaces {
                    self.rows.retain(|row| row.message != old);
                    self.messages.remove(&old);
                }
                let draft = self.store(account, SpecialUse::Drafts, &raw, &[Flag::Seen, Flag::Draft]);
                self.changed(&[]);
                Receipt {
                    intent: None,
                    messages: 1,
                    draft,
                    ..Receipt::default()
                }
            }
            Command::DiscardDraft(id) => {
                let selection = Selection {
                    messages: vec![id],
                    mailbox: None,
                };
                self.change(&selection, |_, _| false)
            }
            Command::SetNetwork(policy) => {
                self.network.chosen = policy;
                Receipt::default()
            }
            Command::SetAppearance(appearance) => {
                self.appearance = appearance;
                Receipt::default()
            }
            Command::CancelSubmission(id) => {
                self.outbox.retain(|submission| submission.id != id);
                self.sent.pop();
                Receipt::default()
            }
            _ => Receipt::default(),
        })
    }

    fn store(
        &mut self,
        account: AccountId,
        purpose: SpecialUse,
        raw: &[u8],
        flags: &[Flag],
    ) -> Option<MessageId> {
        let mailbox = self.special(account, purpose)?;
        let parsed = posthorn_mime::parse(raw);
        let serial = self.number();
        let id = MessageId(MessageId::floor(parsed.envelope.date.unwrap_or(NOW)).0 + serial);
        self.put(Seed {
            id,
            thread: ThreadId(id.0),
            account,
            mailbox,
            flags: flags.iter().copied().collect(),
            envelope: parsed.envelope,
            text: parsed.text.unwrap_or_default(),
            html: None,
            parts: parsed.parts,
            lives: Where::Both,
        });
        Some(id)
    }

    fn put(&mut self, seed: Seed) {
        let date = seed.envelope.date.unwrap_or(NOW);
        let size = 900 + seed.text.len() as u64 + seed.parts.iter().map(|part| part.size).sum::<u64>();
        let preview: String = seed
            .text
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .chars()
            .take(200)
            .collect();
        let body = if seed.lives == Where::HeadersOnly {
            BodyState::Headers
        } else {
            BodyState::Whole
        };
        self.rows.push(Row {
            message: seed.id,
            mailbox: seed.mailbox,
            account: seed.account,
            message_id: seed.envelope.message_id.clone(),
            from: seed.envelope.from.clone(),
            to: seed.envelope.to.first().cloned(),
            subject: seed.envelope.subject.clone(),
            preview,
            date,
            size,
            flags: seed.flags.clone(),
            has_attachments: seed.parts.iter().any(|part| !part.inline),
            body,
            thread: seed.thread,
            lives: seed.lives,
        });
        self.messages.insert(
            seed.id,
            Message {
                id: seed.id,
                account: seed.account,
                thread: seed.thread,
                envelope: seed.envelope,
                date,
                size,
                hash: None,
                body,
                text: (body == BodyState::Whole).then_some(seed.text),
                html: seed.html,
                parts: seed.parts,
                defects: Vec::new(),
                placements: vec![(seed.mailbox, seed.flags)],
                lives: seed.lives,
            },
        );
    }
}

/// What one message of the fake is made of.
pub struct Seed {
    pub id: MessageId,
    pub thread: ThreadId,
    pub account: AccountId,
    pub mailbox: MailboxId,
    pub flags: Flags,
    pub envelope: Envelope,
    pub text: String,
    pub html: Option<String>,
    pub parts: Vec<Part>,
    pub lives: Where,
}

impl Face for Fixture {
    fn accounts(&self) -> Answer<Vec<Account>> {
        answer(self.lock().accounts.clone())
    }

    fn mailboxes(&self) -> Answer<Vec<Mailbox>> {
        answer(self.lock().mailboxes.clone())
    }

    fn page(&self, view: View, start: PageStart, limit: u32) -> Answer<Page> {
        let rows = self.lock().listed(view);
        let first = match start {
            PageStart::Newest => 0,
            PageStart::Row(row) => usize::try_from(row).unwrap_or(0).min(rows.len()),
            PageStart::Before(cursor) => rows
                .iter()
                .position(|row| (row.message, row.mailbox) < (cursor.message, cursor.mailbox))
                .unwrap_or(rows.len()),
        };
        let page: Vec<Row> = rows.iter().skip(first).take(limit as usize).cloned().collect();
        let next = page
            .last()
            .filter(|_| first + page.len() < rows.len())
            .map(|row| Cursor {
                message: row.message,
                mailbox: row.mailbox,
            });
        answer(Page {
            rows: page,
            first: first as u64,
            total: rows.len() as u64,
            next,
        })
    }

    fn reading(&self, id: MessageId) -> Answer<Option<Reading>> {
        let state = self.lock();
        answer(
            state
                .messages
                .get(&id)
                .cloned()
                .map(|message| state.read(message)),
        )
    }

    fn nested(&self, at: PartAt) -> Answer<Option<Reading>> {
        let state = self.lock();
        let inner = state.messages.get(&at.message).cloned().map(|outer| Message {
            envelope: Envelope {
                subject: "A message inside".into(),
                ..outer.envelope
            },
            text: Some("What was forwarded.".into()),
            html: None,
            parts: Vec::new(),
            ..outer
        });
        answer(inner.map(|message| Reading {
            path: at.path,
            ..state.read(message)
        }))
    }

    fn thread(&self, id: ThreadId) -> Answer<Vec<Row>> {
        let mut rows: Vec<Row> = self
            .lock()
            .rows
            .iter()
            .filter(|row| row.thread == id)
            .cloned()
            .collect();
        rows.sort_by_key(|row| row.message);
        answer(rows)
    }

    fn raw(&self, id: MessageId) -> Answer<Option<Vec<u8>>> {
        let raw = self.lock().messages.get(&id).map(|message| {
            let draft = posthorn_mime::compose::Draft {
                identity: Identity {
                    name: message
                        .envelope
                        .from
                        .first()
                        .and_then(|from| from.name.clone())
                        .unwrap_or_default(),
                    email: message
                        .envelope
                        .from
                        .first()
                        .map(|from| from.email.clone())
                        .unwrap_or_default(),
                    signature: String::new(),
                },
                to: message.envelope.to.clone(),
                cc: message.envelope.cc.clone(),
                subject: message.envelope.subject.clone(),
                body: message.text.clone().unwrap_or_default(),
                ..posthorn_mime::compose::Draft::default()
            };
            let id = message
                .envelope
                .message_id
                .clone()
                .unwrap_or_else(|| InternetMessageId("fixture@example.org".into()));
            posthorn_mime::compose::build(&draft, message.date, &id, 7).raw
        });
        answer(raw)
    }

    fn part(&self, _: PartAt) -> Answer<Option<Vec<u8>>> {
        answer(Some(b"part".to_vec()))
    }

    fn open_part(&self, at: PartAt, caution: Caution) -> Answer<PathBuf> {
        self.lock().opened.push((at, caution));
        answer(PathBuf::from("opened"))
    }

    fn hand_out_part(&self, _: PartAt) -> Answer<PathBuf> {
        answer(PathBuf::from("part"))
    }

    fn hand_out_message(&self, _: MessageId, name: String) -> Answer<PathBuf> {
        answer(PathBuf::from(name))
    }

    fn fetch_pictures(&self, request: PictureRequest) -> Answer<Fetched> {
        let fetched = request
            .urls
            .iter()
            .map(|url| (url.clone(), Ok(b"picture".to_vec())))
            .collect();
        self.lock().fetched.push(request);
        answer(fetched)
    }

    fn send_receipt(&self, message: MessageId, _: String) -> Answer<SubmissionId> {
        self.lock().receipts.push((message, true));
        answer(SubmissionId(1))
    }

    fn decline_receipt(&self, message: MessageId) -> Answer<()> {
        self.lock().receipts.push((message, false));
        answer(())
    }

    fn answer_invitation(&self, said: InvitationAnswer) -> Answer<SubmissionId> {
        self.lock().answered.push(said);
        answer(SubmissionId(1))
    }

    fn unsubscribe(&self, message: MessageId, by: By) -> Answer<Unsubscribed> {
        self.lock().unsubscribed.push((message, by));
        answer(Unsubscribed::Posted {
            host: "lists.example.org".into(),
        })
    }

    fn search(&self, query: String, limit: u32) -> Answer<Hits> {
        let query = query.to_lowercase();
        let state = self.lock();
        let rows: Vec<Row> = state
            .listed(View::All)
            .into_iter()
            .filter(|row| {
                let from: String = row.from.iter().map(ToString::to_string).collect();
                format!("{} {} {from}", row.subject, row.preview)
                    .to_lowercase()
                    .contains(&query)
            })
            .take(limit as usize)
            .collect();
        let total = rows.len() as u64;
        answer(Hits {
            rows,
            total,
            bodies_indexed: total,
            messages: total,
        })
    }

    fn outbox(&self) -> Answer<Vec<Submission>> {
        answer(self.lock().outbox.clone())
    }

    fn maildrop(&self, account: AccountId) -> Answer<Maildrop> {
        answer(self.lock().maildrop(account))
    }

    fn problems(&self) -> Answer<Vec<Problem>> {
        answer(self.lock().problems.clone())
    }

    fn states(&self) -> Answer<Vec<(AccountId, AccountState)>> {
        answer(self.lock().states.clone())
    }

    fn network(&self) -> Answer<Network> {
        answer(self.lock().network)
    }

    fn appearance(&self) -> Answer<Appearance> {
        answer(self.lock().appearance)
    }

    fn command(&self, command: Command) -> Answer<Receipt> {
        let result = self.lock().command(command);
        Box::pin(std::future::ready(result))
    }

    fn send(&self, outgoing: Outgoing) -> Answer<SubmissionId> {
        let mut state = self.lock();
        let id = SubmissionId(state.number());
        state.outbox.push(Submission {
            id,
            account: outgoing.account,
            message_id: String::new(),
            subject: String::new(),
            to: outgoing.recipients.clone(),
            state: SubmissionState::Queued,
            reply: String::new(),
            tries: 0,
            created: NOW,
            not_before: outgoing.at,
        });
        state.sent.push(outgoing);
        answer(id)
    }

    fn add_account(&self, config: AccountConfig, _: Option<Secret>) -> Answer<AccountId> {
        let mut state = self.lock();
        let id = AccountId(state.number());
        state.add_account(id, config);
        state.tell(&Event::AccountsChanged);
        answer(id)
    }

    fn update_account(&self, id: AccountId, config: AccountConfig, _: Option<Secret>) -> Answer<()> {
        let mut state = self.lock();
        for account in &mut state.accounts {
            if account.id == id {
                account.config = config.clone();
            }
        }
        answer(())
    }

    fn remove_account(&self, id: AccountId) -> Answer<()> {
        let mut state = self.lock();
        state.accounts.retain(|account| account.id != id);
        state.mailboxes.retain(|mailbox| mailbox.account != id);
        state.rows.retain(|row| row.account != id);
        answer(())
    }

    fn test_account(&self, config: AccountConfig, _: Option<Secret>) -> Answer<TestReport> {
        let result = if self.lock().refuse_test {
            Err(Error::new(
                ErrorClass::Auth,
                "the server did not accept the user name and password (server said: invalid credentials)",
            ))
        } else {
            Ok(vec!["IDLE".to_owned(), "MOVE".to_owned()])
        };
        answer(TestReport {
            servers: vec![
                ServerTest {
                    service: config.protocol.name(),
                    endpoint: config.incoming.to_string(),
                    result,
                },
                ServerTest {
                    service: "smtp",
                    endpoint: config
                        .outgoing
                        .map(|server| server.to_string())
                        .unwrap_or_default(),
                    result: Ok(Vec::new()),
                },
            ],
        })
    }

    fn events(&self) -> BoxStream<'static, Event> {
        let (sender, receiver) = mpsc::unbounded();
        self.lock().events.push(sender);
        receiver.boxed()
    }

    fn shutdown(&self) -> Answer<()> {
        answer(())
    }
}

/// An account of the fake.
pub fn account(name: &str, email: &str, protocol: Protocol) -> AccountConfig {
    let server = |host: &str, port| Endpoint {
        host: host.into(),
        port,
        security: Security::Tls,
    };
    AccountConfig {
        name: name.into(),
        protocol,
        username: email.into(),
        auth: posthorn_model::AuthMethod::Password,
        client_certificate: None,
        secrets: posthorn_model::SecretPlace::Keychain,
        allow_cleartext: false,
        connections: None,
        pop3: posthorn_model::Pop3Policy::leaving(posthorn_model::LeaveOnServer::Days(14)),
        identity: Identity {
            name: "Ada Berg".into(),
            email: email.into(),
            signature: String::new(),
        },
        incoming: server("imap.example.org", 993),
        outgoing: Some(server("smtp.example.org", 465)),
    }
}

impl Fixture {
    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("the fixture's state")
    }

    /// No account at all: the first run.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Two accounts with believable mail.
    pub fn full() -> Self {
        let fixture = Self::default();
        {
            let mut state = fixture.lock();
            state.next = 10;
            state.add_account(
                AccountId(1),
                account("Personal", "ada@example.org", Protocol::Imap),
            );
            state.add_account(
                AccountId(2),
                account("Allotment club", "ada.berg@example.net", Protocol::Pop3),
            );
            for letter in letters::LETTERS {
                letter.put(&mut state);
            }
            state.count();
        }
        fixture
    }
}
