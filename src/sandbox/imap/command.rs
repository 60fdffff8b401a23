//! What a client can ask of the IMAP server, as values (RFC 3501, RFC 9051 section 6 and the extensions offered).

use posthorn_model::{Flags, Timestamp};

/// One command with its tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub tag: String,
    pub command: Command,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    Capability,
    Noop,
    Check,
    Logout,
    Id,
    StartTls,
    Login {
        username: String,
        password: String,
    },
    Authenticate {
        mechanism: String,
        initial: Option<String>,
    },
    Enable(Vec<String>),
    Namespace,
    Select(Select),
    Create {
        mailbox: String,
        special_use: Option<String>,
    },
    Delete(String),
    Rename {
        from: String,
        to: String,
    },
    Subscribe(String),
    Unsubscribe(String),
    List(List),
    Lsub {
        reference: String,
        pattern: String,
    },
    Status {
        mailbox: String,
        items: Vec<StatusItem>,
    },
    Append {
        mailbox: String,
        flags: Flags,
        date: Option<Timestamp>,
        raw: Vec<u8>,
    },
    Idle,
    Compress,
    /// `None`: NOTIFY NONE.
    Notify(Option<Notify>),
    Close,
    Unselect,
    Expunge {
        uids: Option<SequenceSet>,
    },
    Search {
        uid: bool,
        search: Search,
    },
    Fetch {
        uid: bool,
        fetch: Fetch,
    },
    Store {
        uid: bool,
        store: Store,
    },
    Copy {
        uid: bool,
        set: SequenceSet,
        mailbox: String,
    },
    Move {
        uid: bool,
        set: SequenceSet,
        mailbox: String,
    },
}

impl Command {
    /// The command's name as faults and log lines call it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Capability => "CAPABILITY",
            Self::Noop => "NOOP",
            Self::Check => "CHECK",
            Self::Logout => "LOGOUT",
            Self::Id => "ID",
            Self::StartTls => "STARTTLS",
            Self::Login { .. } => "LOGIN",
            Self::Authenticate { .. } => "AUTHENTICATE",
            Self::Enable(_) => "ENABLE",
            Self::Namespace => "NAMESPACE",
            Self::Select(Select { examine: true, .. }) => "EXAMINE",
            Self::Select(_) => "SELECT",
            Self::Create { .. } => "CREATE",
            Self::Delete(_) => "DELETE",
            Self::Rename { .. } => "RENAME",
            Self::Subscribe(_) => "SUBSCRIBE",
            Self::Unsubscribe(_) => "UNSUBSCRIBE",
            Self::List(_) => "LIST",
            Self::Lsub { .. } => "LSUB",
            Self::Status { .. } => "STATUS",
            Self::Append { .. } => "APPEND",
            Self::Idle => "IDLE",
            Self::Compress => "COMPRESS",
            Self::Notify(_) => "NOTIFY",
            Self::Close => "CLOSE",
            Self::Unselect => "UNSELECT",
            Self::Expunge { uids: None } => "EXPUNGE",
            Self::Expunge { .. } => "UID EXPUNGE",
            Self::Search { uid: false, .. } => "SEARCH",
            Self::Search { .. } => "UID SEARCH",
            Self::Fetch { uid: false, .. } => "FETCH",
            Self::Fetch { .. } => "UID FETCH",
            Self::Store { uid: false, .. } => "STORE",
            Self::Store { .. } => "UID STORE",
            Self::Copy { uid: false, .. } => "COPY",
            Self::Copy { .. } => "UID COPY",
            Self::Move { uid: false, .. } => "MOVE",
            Self::Move { .. } => "UID MOVE",
        }
    }

    /// The extension that must be on for this command to exist.
    pub const fn needs(&self) -> Option<&'static str> {
        Some(match self {
            Self::Id => "ID",
            Self::Enable(_) => "ENABLE",
            Self::Namespace => "NAMESPACE",
            Self::Idle => "IDLE",
            Self::Compress => "COMPRESS=DEFLATE",
            Self::Notify(_) => "NOTIFY",
            Self::Unselect => "UNSELECT",
            Self::Expunge { uids: Some(_) } => "UIDPLUS",
            Self::Move { .. } => "MOVE",
            Self::Create {
                special_use: Some(_), ..
            } => "CREATE-SPECIAL-USE",
            _ => return None,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Select {
    pub mailbox: String,
    pub examine: bool,
    pub condstore: bool,
    pub qresync: Option<Qresync>,
}

/// RFC 7162 section 3.2.5. The optional sequence match data is read and not needed: every removal is remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Qresync {
    pub uid_validity: u32,
    pub modseq: u64,
    pub known: Option<SequenceSet>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct List {
    pub reference: String,
    pub patterns: Vec<String>,
    /// Parentheses were used: LIST-EXTENDED (RFC 5258).
    pub extended: bool,
    pub only_subscribed: bool,
    pub only_special_use: bool,
    pub recursive_match: bool,
    pub return_subscribed: bool,
    pub return_children: bool,
    pub return_special_use: bool,
    pub return_status: Vec<StatusItem>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusItem {
    Messages,
    Recent,
    UidNext,
    UidValidity,
    Unseen,
    HighestModSeq,
    Size,
    Deleted,
    MailboxId,
}

/// RFC 5465: what a client wants to be told of without asking.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notify {
    /// `SET STATUS`: the state of all mailboxes at once.
    pub status: bool,
    pub selected: Option<Events>,
    /// SELECTED-DELAYED: removals wait for a command.
    pub delayed: bool,
    /// All mailboxes but the selected one; every filter other than SELECTED is taken as PERSONAL.
    pub others: Option<Events>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Events {
    pub message_new: bool,
    pub message_expunge: bool,
    pub flag_change: bool,
    pub mailbox_name: bool,
    pub subscription_change: bool,
}

/// One end of a range; `None` is `*`.
pub type SequenceNumber = Option<u32>;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SequenceSet(pub Vec<(SequenceNumber, SequenceNumber)>);

impl SequenceSet {
    /// Whether `number` is in the set, where `*` stands for `largest`.
    pub fn contains(&self, number: u32, largest: u32) -> bool {
        self.0.iter().any(|(a, b)| {
            let (a, b) = (a.unwrap_or(largest), b.unwrap_or(largest));
            (a.min(b)..=a.max(b)).contains(&number)
        })
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetch {
    pub set: SequenceSet,
    pub items: Vec<FetchItem>,
    pub changed_since: Option<u64>,
    pub vanished: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FetchItem {
    Uid,
    Flags,
    InternalDate,
    Size,
    Envelope,
    /// `BODY` without brackets.
    Body,
    BodyStructure,
    ModSeq,
    EmailId,
    ThreadId,
    Preview,
    GmailMessage,
    GmailThread,
    GmailLabels,
    /// `BODY[…]` and the RFC822 forms. `label`: as the reply names it.
    Section {
        section: Section,
        partial: Option<(u32, u32)>,
        peek: bool,
        label: String,
    },
}

/// What of a message `BODY[…]` names (RFC 9051 section 6.4.5.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Section {
    /// Part numbers, from 1.
    pub path: Vec<u32>,
    pub text: SectionText,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SectionText {
    /// The whole of it.
    #[default]
    Whole,
    Header,
    HeaderFields {
        names: Vec<String>,
        inverted: bool,
    },
    Text,
    Mime,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Store {
    pub set: SequenceSet,
    pub change: StoreChange,
    pub flags: Flags,
    /// X-GM-LABELS in place of flags.
    pub labels: Option<Vec<String>>,
    pub silent: bool,
    pub unchanged_since: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreChange {
    Replace,
    Add,
    Remove,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    /// ESEARCH (RFC 4731): `None` asks for the old reply.
    pub returns: Option<Vec<SearchReturn>>,
    pub key: SearchKey,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SearchReturn {
    Min,
    Max,
    All,
    Count,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SearchKey {
    All,
    And(Vec<SearchKey>),
    Or(Box<SearchKey>, Box<SearchKey>),
    Not(Box<SearchKey>),
    /// All of these flags are set.
    Flags(Flags),
    /// Recent and New find nothing here: `\Recent` is never given.
    Nothing,
    Set(SequenceSet),
    Uid(SequenceSet),
    Header {
        name: String,
        text: String,
    },
    Body(String),
    Text(String),
    Larger(u64),
    Smaller(u64),
    /// INTERNALDATE's day in `[from, to)`, as days since 1970.
    Received {
        from: i64,
        to: i64,
    },
    /// The Date header's day in `[from, to)`.
    Sent {
        from: i64,
        to: i64,
    },
    ModSeq(u64),
}
