//! Small makers of accounts, mailboxes and messages.

use posthorn_model::{
    AccountId, Address, Envelope, Flags, Hash, InternetMessageId, MailboxId, MailboxName, MessageId,
    Protocol, SpecialUse, Timestamp, Uid, UidValidity,
};
use posthorn_store::{
    Durability, NewBody, NewMailbox, NewMessage, Provenance, RawInput, RawSource, Store, TextOf, Write,
};
use std::sync::Arc;
use tempfile::TempDir;

pub use super::waiting::wait;

pub struct Fixture {
    pub store: Store,
    pub account: AccountId,
    pub inbox: MailboxId,
    pub dir: TempDir,
}

pub fn mailbox(store: &Store, account: AccountId, path: &str, local: bool) -> (MailboxId, Write) {
    let id = store.new_mailbox_id();
    let write = Write::PutMailbox(NewMailbox {
        id,
        account,
        name: MailboxName::local(path),
        delimiter: Some('/'),
        special_use: (path == "INBOX").then_some(SpecialUse::Inbox),
        selectable: true,
        subscribed: true,
        local,
    });
    (id, write)
}

impl Fixture {
    pub fn new(protocol: Protocol) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let account = store.new_account_id();
        let (inbox, put) = mailbox(&store, account, "INBOX", protocol == Protocol::Pop3);
        let put_account = Write::PutAccount {
            id: account,
            name: "work".into(),
            protocol,
        };
        wait(store.apply(vec![put_account, put], Durability::Normal)).unwrap();
        Self {
            store,
            account,
            inbox,
            dir,
        }
    }

    pub fn apply(&self, writes: Vec<Write>) -> posthorn_store::Changes {
        wait(self.store.apply(writes, Durability::Normal)).unwrap()
    }

    pub fn add_mailbox(&self, path: &str) -> MailboxId {
        let (id, write) = mailbox(&self.store, self.account, path, false);
        self.apply(vec![write]);
        id
    }

    /// A message by its headers, in the inbox.
    pub fn add(&self, date: i64, id: &str, references: &[&str]) -> MessageId {
        let message = self.new_message(date, id, references);
        let id = message.id;
        self.apply(vec![
            Write::AddMessage(Box::new(message)),
            place(id, self.inbox, None, Flags::default()),
        ]);
        id
    }

    pub fn new_message(&self, date: i64, id: &str, references: &[&str]) -> NewMessage {
        NewMessage {
            id: self.store.message_id(Timestamp(date)),
            account: self.account,
            envelope: envelope(date, id, references),
            received: None,
            size: 100,
            has_attachments: false,
            body: None,
        }
    }

    pub fn check(&self) {
        assert_eq!(
            wait(self.store.check(posthorn_store::Depth::Bytes)).unwrap(),
            Vec::<String>::new()
        );
    }
}

pub fn envelope(date: i64, id: &str, references: &[&str]) -> Envelope {
    Envelope {
        date: Some(Timestamp(date)),
        subject: format!("subject of {id}"),
        from: vec![Address::new("Anna", "anna@example.org")],
        to: vec![Address::bare("bert@example.org")],
        message_id: Some(InternetMessageId(id.into())),
        references: references
            .iter()
            .map(|id| InternetMessageId((*id).into()))
            .collect(),
        ..Envelope::default()
    }
}

/// All of the bytes.
pub fn text_of() -> TextOf {
    Arc::new(|raw: &[u8]| String::from_utf8_lossy(raw).into_owned())
}

pub fn place(message: MessageId, mailbox: MailboxId, uid: Option<u32>, flags: Flags) -> Write {
    Write::Place {
        message,
        mailbox,
        uid: uid.and_then(Uid::new),
        base: flags.clone(),
        flags,
    }
}

pub fn body(message: MessageId, raw: &[u8], hash: Hash, envelope: Envelope, text: &str) -> NewBody {
    NewBody {
        message,
        hash,
        size: raw.len() as u64,
        envelope,
        parts: Vec::new(),
        preview: text.chars().take(50).collect(),
        index_text: Some(text.into()),
        defects: Vec::new(),
    }
}

pub fn raw(account: AccountId, uid: Option<u32>, bytes: &[u8]) -> RawInput {
    RawInput {
        source: RawSource::Bytes(bytes.to_vec()),
        provenance: Provenance {
            account,
            mailbox: "INBOX".into(),
            uid: UidValidity::new(9).zip(uid.and_then(Uid::new)),
            uidl: None,
            received: Some(Timestamp(1_700_000_000)),
            flags: Flags::default(),
        },
    }
}
