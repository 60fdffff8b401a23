//! Writing a message: recipients, subject, text, files. What is written is saved quietly.

mod history;
mod view;

use std::sync::Arc;
use std::time::{Duration, Instant};

use iced::widget::text_editor;
use posthorn_engine::Error;
use posthorn_mime::compose::{Attachment, Draft};
use posthorn_model::{AccountId, Identity, InternetMessageId, MessageId};

use crate::app::Action;
use crate::t;
use history::History;

pub use view::{chip, view};

/// The first field, for the keyboard.
pub const TO: &str = "compose-to";
/// The text, for the keyboard and tests.
pub const BODY: &str = "compose-body";
/// How long after the last change a draft is saved.
const SAVE_AFTER: Duration = Duration::from_secs(3);

/// What happened in the composer.
#[derive(Clone, Debug)]
pub enum Message {
    ToTyped(String),
    CcTyped(String),
    BccTyped(String),
    CopiesPressed,
    SubjectTyped(String),
    Edited(text_editor::Action),
    UndoPressed,
    RedoPressed,
    SenderPicked(AccountId),
    AttachPressed,
    FilesRead(u64, Vec<Result<File, Error>>),
    FileRemoved(usize),
    SendPressed,
    DiscardPressed,
    ClosePressed,
}

/// A file to send along.
#[derive(Clone, Debug)]
pub struct File {
    pub name: String,
    pub content_type: String,
    pub bytes: Arc<Vec<u8>>,
}

/// How a composer begins: built elsewhere, since reading a message takes a moment.
#[derive(Clone, Debug)]
pub struct Start {
    pub account: AccountId,
    pub draft: Draft,
    /// The stored draft that goes on being written.
    pub replaces: Option<MessageId>,
}

/// Whether the draft in the mailbox is what is on the screen.
#[derive(Clone, Debug, PartialEq)]
pub enum Saved {
    /// Nothing was written yet.
    Untouched,
    Dirty(Instant),
    Saving,
    Yes,
    Failed(String),
}

/// One message being written.
#[derive(Debug)]
pub struct Composer {
    pub id: u64,
    pub account: AccountId,
    pub to: String,
    pub cc: String,
    pub bcc: String,
    pub copies: bool,
    pub subject: String,
    pub body: text_editor::Content,
    history: History,
    pub files: Vec<File>,
    in_reply_to: Option<InternetMessageId>,
    references: Vec<InternetMessageId>,
    /// The stored draft.
    pub draft: Option<MessageId>,
    pub saved: Saved,
    /// Why it could not be sent.
    pub error: Option<String>,
    pub sending: bool,
}

impl Composer {
    #[must_use]
    pub fn new(id: u64, start: Start) -> Self {
        let Start {
            account,
            draft,
            replaces,
        } = start;
        let join = |addresses: &[posthorn_model::Address]| {
            addresses
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(", ")
        };
        let (cc, bcc) = (join(&draft.cc), join(&draft.bcc));
        Self {
            id,
            account,
            to: join(&draft.to),
            copies: !cc.is_empty() || !bcc.is_empty(),
            cc,
            bcc,
            subject: draft.subject,
            body: text_editor::Content::with_text(&draft.body),
            history: History::default(),
            files: draft
                .attachments
                .into_iter()
                .map(|file| File {
                    name: file.name,
                    content_type: file.content_type,
                    bytes: Arc::new(file.bytes),
                })
                .collect(),
            in_reply_to: draft.in_reply_to,
            references: draft.references,
            draft: replaces,
            saved: Saved::Untouched,
            error: None,
            sending: false,
        }
    }

    /// What is on the screen, as a draft to build from.
    #[must_use]
    pub fn draft(&self, identity: &Identity) -> Draft {
        let read = posthorn_mime::parse_addresses;
        Draft {
            identity: identity.clone(),
            to: read(&self.to),
            cc: read(&self.cc),
            bcc: read(&self.bcc),
            subject: self.subject.trim().to_owned(),
            body: self.body.text(),
            in_reply_to: self.in_reply_to.clone(),
            references: self.references.clone(),
            attachments: self
                .files
                .iter()
                .map(|file| Attachment {
                    name: file.name.clone(),
                    content_type: file.content_type.clone(),
                    bytes: file.bytes.to_vec(),
                })
                .collect(),
        }
    }

    /// Whether something has changed since it was last saved.
    #[must_use]
    pub const fn is_dirty(&self) -> bool {
        matches!(self.saved, Saved::Dirty(_) | Saved::Failed(_))
    }

    /// Whether the draft should be saved now.
    #[must_use]
    pub fn is_due(&self, now: Instant) -> bool {
        matches!(self.saved, Saved::Dirty(since) if now.duration_since(since) >= SAVE_AFTER) && !self.sending
    }

    fn touch(&mut self) {
        self.saved = Saved::Dirty(Instant::now());
        self.error = None;
    }

    pub fn add_files(&mut self, files: Vec<Result<File, Error>>) {
        for file in files {
            match file {
                Ok(file) => {
                    self.files.push(file);
                    self.touch();
                }
                Err(error) => self.error = Some(error.message),
            }
        }
    }

    pub fn undo(&mut self) {
        if self.history.undo(&mut self.body) {
            self.touch();
        }
    }

    /// What the chip of a composer that waits is called.
    #[must_use]
    pub fn name(&self) -> String {
        let subject = self.subject.trim();
        if subject.is_empty() {
            t!("compose-untitled")
        } else {
            subject.to_owned()
        }
    }

    pub fn update(&mut self, message: Message) -> Vec<Action> {
        match message {
            Message::ToTyped(text) => self.to = text,
            Message::CcTyped(text) => self.cc = text,
            Message::BccTyped(text) => self.bcc = text,
            Message::SubjectTyped(text) => self.subject = text,
            Message::SenderPicked(account) => self.account = account,
            Message::CopiesPressed => {
                self.copies = !self.copies;
                return Vec::new();
            }
            Message::Edited(action) => {
                let edits = action.is_edit();
                if edits {
                    self.history.before(&self.body, &action);
                }
                self.body.perform(action);
                if !edits {
                    return Vec::new();
                }
            }
            Message::UndoPressed => {
                self.undo();
                return Vec::new();
            }
            Message::RedoPressed => {
                if !self.history.redo(&mut self.body) {
                    return Vec::new();
                }
            }
            Message::FileRemoved(at) => {
                if at < self.files.len() {
                    self.files.remove(at);
                }
            }
            Message::FilesRead(_, files) => {
                self.add_files(files);
                return Vec::new();
            }
            Message::AttachPressed => return vec![Action::PickFiles],
            Message::SendPressed => return vec![Action::Send],
            Message::ClosePressed => return vec![Action::CloseComposer],
            // The program owns the list of composers.
            Message::DiscardPressed => return Vec::new(),
        }
        self.touch();
        Vec::new()
    }
}

/// A stored draft, to go on with.
#[must_use]
pub fn read_draft(raw: &[u8], identity: Identity) -> Draft {
    let parsed = posthorn_mime::parse(raw);
    let attachments = parsed
        .attachments()
        .map(|part| Attachment {
            name: part.name.clone().unwrap_or_default(),
            content_type: part.content_type.clone(),
            bytes: posthorn_mime::part_bytes(raw, part.index).unwrap_or_default(),
        })
        .collect();
    let envelope = parsed.envelope;
    Draft {
        identity,
        to: envelope.to,
        cc: envelope.cc,
        bcc: envelope.bcc,
        subject: envelope.subject,
        body: parsed.text.unwrap_or_default(),
        in_reply_to: envelope.in_reply_to.into_iter().next(),
        references: envelope.references,
        attachments,
    }
}
