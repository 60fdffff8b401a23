//! What screens ask of the program: plain data, so that tests can read it.

use std::sync::Arc;

use posthorn_engine::attachment::Caution;
use posthorn_engine::forecast::Maildrop;
use posthorn_engine::invitation::InvitationAnswer;
use posthorn_engine::pictures::PictureRequest;
use posthorn_engine::reading::{PartAt, Unsubscribe};
use posthorn_engine::unsubscribe::By;
use posthorn_engine::{Command, Error};
use posthorn_mime::Reason;
use posthorn_model::query::Cursor;
use posthorn_model::{
    AccountConfig, AccountId, Appearance, MessageId, NetworkPolicy, Part, Pop3Policy, Secret, SubmissionId,
    ThreadId,
};

use crate::listing::Fetch;
use crate::screen::mail::reader::canvas::Draw;
use crate::screen::mail::reader::material::{Letterhead, Material};
use crate::screen::mail::reader::preview::Look;
use crate::shortcut::Wish;
use crate::widget::reveal::Reveal;

/// Commands that belong together, and what is said when they are done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    pub commands: Vec<Command>,
    /// The toast; `None` where the window itself shows it.
    pub said: Option<String>,
    pub undoable: bool,
}

impl Deed {
    /// Done without a word.
    #[must_use]
    pub const fn quiet(commands: Vec<Command>) -> Self {
        Self {
            commands,
            said: None,
            undoable: true,
        }
    }

    /// Done with a toast that offers it back.
    #[must_use]
    pub const fn undoable(commands: Vec<Command>, said: String) -> Self {
        Self {
            commands,
            said: Some(said),
            undoable: true,
        }
    }
}

/// A wish of a screen.
#[derive(Clone, Debug)]
pub enum Action {
    LoadPage(Fetch),
    LoadThread(Cursor, ThreadId),
    LoadMessage(MessageId),
    Do(Deed),
    /// Reply, reply to all or forward.
    Answer(Wish, MessageId, AccountId),
    ContinueDraft(MessageId, AccountId),
    /// Where it lies, and its name.
    SavePart(PartAt, Part),
    SaveParts(Vec<(PartAt, Part)>),
    /// A file follows the pointer out of the window.
    DragPart(PartAt),
    /// A message, under this name.
    DragMessage(MessageId, String),
    OpenPart(PartAt, Caution),
    /// Why a file should not be opened lightly: asks first.
    AskOpen(PartAt, Part, Vec<Reason>),
    AnswerInvitation(InvitationAnswer),
    /// Whether a receipt goes to the sender.
    AnswerReceipt(MessageId, bool),
    LoadNested(PartAt),
    /// A look at a file, for whoever shows its message.
    Preview {
        of: MessageId,
        at: PartAt,
        index: u32,
        look: Look,
    },
    /// Some of a message's files as pictures, beginning with this one.
    ShowPicture(Vec<(PartAt, Part)>, usize),
    LoadPicture(PartAt),
    FetchPictures(MessageId, PictureRequest),
    AskUnsubscribe(MessageId, Unsubscribe),
    Unsubscribe(MessageId, By),
    /// Shows where a link leads, and asks.
    AskLink {
        text: String,
        url: String,
    },
    /// What is asked of whoever draws messages.
    Draw(Draw),
    /// Comes back to a page after so long.
    Settle(MessageId, std::time::Duration),
    /// Brings a part of the conversation into view.
    Reveal(Reveal),
    /// Scrolls the conversation to a place, in pixels from its top.
    ScrollReader(f32),
    /// Scrolls the conversation further, by so many pixels.
    ScrollReaderBy(f32),
    /// To the clipboard.
    Copy(String),
    ShowMessageMenu,
    /// Links to choose from: their words, and where they lead.
    ShowLinks(Vec<(String, String)>),
    /// Shows a message as it came, or only its headers.
    LoadSource(MessageId, bool),
    /// Saves a message as it came, under this name.
    SaveMessage(MessageId, String),
    PrintMessage {
        of: MessageId,
        material: Arc<Material>,
        letterhead: Letterhead,
        name: String,
    },
    /// Asks before so many messages are deleted for good.
    AskDelete(usize),
    /// A dialog about a mailbox.
    AskMailbox(crate::screen::sheet::mailbox::Question),
    ShowMove,
    ShowPalette,
    ShowProblems,
    ShowSettings,
    /// An account's mail on its server.
    ShowAccount(AccountId),
    LoadMaildrop(AccountId),
    /// What a policy would do, by its serial number.
    Forecast(u64, Arc<Maildrop>, Pop3Policy),
    ShowMail,
    ShowSetup,
    SetNetwork(NetworkPolicy),
    SetAppearance(Appearance),
    /// The keyboard's focus goes to this widget.
    Focus(&'static str),
    Failed(Error),
    Say(String),
    TestAccount(Box<AccountConfig>, Option<Secret>),
    AddAccount(Box<AccountConfig>, Option<Secret>),
    UpdateAccount(AccountId, Box<AccountConfig>, Option<Secret>),
    RemoveAccount(AccountId),
    StartSandbox,
    /// The composer in front is done with.
    CloseComposer,
    PickFiles,
    SaveDraft,
    Send,
    CancelSubmission(SubmissionId),
}

impl Action {
    /// The user is waiting for this body.
    #[must_use]
    pub fn fetch_body(id: MessageId) -> Self {
        Self::Do(Deed {
            commands: vec![Command::FetchBody(id)],
            said: None,
            undoable: false,
        })
    }
}
