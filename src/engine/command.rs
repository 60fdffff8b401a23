//! What the user wants. Each command is committed with its local effect in one transaction before anything is sent.

use posthorn_model::{
    AccountId, Appearance, FlagChange, MailboxId, MessageId, NetworkPolicy, ReadingSettings, Sender,
};

/// Messages acted on: in one mailbox, or wherever they stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    pub messages: Vec<MessageId>,
    /// `None`: in every mailbox that holds them.
    pub mailbox: Option<MailboxId>,
}

/// A wish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    Flag {
        selection: Selection,
        change: FlagChange,
    },
    Move {
        selection: Selection,
        to: MailboxId,
    },
    Copy {
        selection: Selection,
        to: MailboxId,
    },
    /// To the account's trash; from the trash, or where there is none, for good.
    Delete(Selection),
    /// To the account's archive.
    Archive(Selection),
    /// To the account's junk mailbox.
    Junk(Selection),
    /// Makes a mailbox; `path` has `/` between levels.
    CreateMailbox {
        account: AccountId,
        path: String,
    },
    /// Gives a mailbox, and what stands below it, another name.
    RenameMailbox {
        mailbox: MailboxId,
        path: String,
    },
    DeleteMailbox {
        mailbox: MailboxId,
        /// Its messages go to the trash first, and the mailboxes below it go too; else it must be empty.
        with_messages: bool,
    },
    /// Removes everything that is marked as deleted in it from the server, for good.
    ExpungeMailbox {
        mailbox: MailboxId,
        /// Also what other programs have marked; else, where there is such, nothing.
        with_others: bool,
    },
    /// Whether other programs are to show it.
    SubscribeMailbox {
        mailbox: MailboxId,
        on: bool,
    },
    /// Takes back the newest intent (or the one named) where the server has not heard of it; where it has, sends
    /// the inverse.
    Undo {
        intent: Option<i64>,
    },
    /// Stores a draft in the account's drafts mailbox, replacing an earlier version of it.
    SaveDraft {
        account: AccountId,
        raw: Vec<u8>,
        replaces: Option<MessageId>,
    },
    DiscardDraft(MessageId),
    /// The user is waiting for this body: it jumps the queue.
    FetchBody(MessageId),
    /// Sync now; empty: all accounts.
    CheckNow(Vec<AccountId>),
    /// What the network may be used for from now on, also after a restart.
    SetNetwork(NetworkPolicy),
    /// How the window looks from now on, also after a restart.
    SetAppearance(Appearance),
    /// This sender's pictures are shown from now on, where it is certain that a message is theirs.
    AllowPictures(Sender),
    /// This sender's pictures are neither shown nor offered.
    ForbidPictures(Sender),
    /// No rule about this sender any more.
    ForgetPictures(Sender),
    /// What a message may do from now on.
    SetReading(Box<ReadingSettings>),
    /// The user has looked at a sudden disappearance: go on.
    AcceptDisappearance(AccountId),
    /// What to do with a held or uncertain submission.
    Resend(posthorn_model::SubmissionId),
    CancelSubmission(posthorn_model::SubmissionId),
    /// The user says that the uncertain message did arrive.
    MarkSent(posthorn_model::SubmissionId),
}

/// What a command has done here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receipt {
    /// For undo; `None` where there is nothing to take back.
    pub intent: Option<i64>,
    pub messages: usize,
    /// The new draft's id, for `SaveDraft`.
    pub draft: Option<MessageId>,
    /// The mailbox that was made or changed.
    pub mailbox: Option<MailboxId>,
}
