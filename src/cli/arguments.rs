//! What can be written on the command line.

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

use crate::account::policy::PolicyRequest;
use crate::{filter, pop3_plan, rehearse, render, unbuilt};

/// A mail client for IMAP and POP3 that shows where your mail lives. Without a command it opens the window.
#[derive(Debug, Parser)]
#[command(name = "posthorn", version, max_term_width = 100)]
pub struct Arguments {
    #[command(flatten)]
    pub common: Common,
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Options of every command, before or after its name.
#[derive(Args, Clone, Debug, Default)]
pub struct Common {
    /// Keep everything under this directory instead of the platform's
    #[arg(long, global = true, value_name = "DIR")]
    pub profile: Option<PathBuf>,
    /// Print one JSON document (for streams: JSON lines) and nothing else
    #[arg(long, global = true)]
    pub json: bool,
    /// Trust this certificate authority too, for this run
    #[arg(long, global = true, value_name = "PEM")]
    pub ca_file: Option<PathBuf>,
    /// What to log to stderr: error, warn, info, debug or trace
    #[arg(long, global = true, value_name = "LEVEL", value_parser = parse_level)]
    pub log: Option<log::LevelFilter>,
}

fn parse_level(text: &str) -> Result<log::LevelFilter, String> {
    text.parse()
        .map_err(|_| "expected off, error, warn, info, debug or trace".to_owned())
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Set up, show, test and remove accounts
    #[command(subcommand)]
    Account(AccountCommand),
    /// Push what is queued, then fetch what is new, and stop
    Sync(SyncRequest),
    /// Stay connected and print what happens, until interrupted
    Watch(AccountNames),
    /// Tell or set what the network may be used for, also after a restart
    Network(NetworkRequest),
    /// List mailboxes with their counts
    Mailboxes(MailboxesRequest),
    /// Make, rename, delete and subscribe mailboxes
    #[command(subcommand)]
    Mailbox(MailboxCommand),
    /// List messages, newest first
    List(ListRequest),
    /// Show one message
    Show(ShowRequest),
    /// Fetch the rest of messages of which only the header is here
    Fetch(Chosen),
    /// List a message's attachments, or save them
    Attachments(AttachmentsRequest),
    /// Find messages
    Search(SearchRequest),
    /// Set and clear flags
    Flag(FlagRequest),
    /// Move messages to a mailbox
    Move(MoveRequest),
    /// Move messages to the trash; from the trash, delete for good
    Delete(Chosen),
    /// Move messages to the archive
    Archive(Chosen),
    /// Move messages to the junk mailbox
    Junk(Chosen),
    /// Take back the last change
    Undo,
    /// Write a message in the window, or send it at once
    Compose(ComposeRequest),
    /// Send a finished message (RFC 5322)
    Send(SendRequest),
    /// List what waits to be sent, and what was sent
    Outbox,
    /// List changes that wait for the server
    Operations,
    /// List every stored message with its hash
    Dump,
    /// Sort mail as it arrives
    #[command(subcommand)]
    Filter(filter::FilterCommand),
    /// List every deletion on a POP3 server
    Ledger(LedgerRequest),
    /// Run the built-in mailbox server on loopback, until interrupted
    Sandbox(SandboxRequest),
    /// Open the window on a fresh sandbox mailbox
    Demo,
    /// Draw a message's HTML as a picture
    Render(render::RenderRequest),
    /// Tell where each message lives
    Where(unbuilt::WhereRequest),
    /// Tell what the next POP3 check would do
    Pop3Plan(pop3_plan::PlanRequest),
    /// Turn a POP3 account into an IMAP one, or back
    Switch(unbuilt::SwitchRequest),
    /// See one mailbox by both protocols, side by side
    Lab(unbuilt::LabRequest),
    /// Back up, verify and restore
    #[command(subcommand)]
    Backup(unbuilt::BackupCommand),
    /// Read mail from files
    Import(unbuilt::ImportRequest),
    /// Write a mailbox to files
    Export(unbuilt::ExportRequest),
    /// Check the set-up and print a report safe to share
    Doctor(AccountNames),
    /// Open every message of files and folders in every way, and say what came of it
    #[command(hide = true)]
    Rehearse(rehearse::RehearseRequest),
    /// The child process that draws HTML
    #[command(hide = true)]
    HtmlWorker,
}

#[derive(Debug, Subcommand)]
pub enum AccountCommand {
    /// Add an account; contacts no server
    Add(Box<AddRequest>),
    /// Look for an address's servers; sends no password
    Discover { address: String },
    /// List accounts
    List,
    /// Show an account's settings
    Show { name: String },
    /// Change how many connections an IMAP account may have, or what a POP3 account downloads and leaves on the
    /// server; contacts no server
    Set(SetRequest),
    /// Forget an account and what was kept of its mail; its server is not touched
    Remove { name: String },
    /// Sign in to both servers and out again
    Test { name: String },
}

#[derive(Args, Debug)]
pub struct AddRequest {
    /// What the account is called here
    #[arg(long)]
    pub name: String,
    #[arg(long, value_name = "ADDRESS")]
    pub email: String,
    /// The name that recipients see
    #[arg(long, value_name = "NAME", default_value = "")]
    pub display_name: String,
    #[arg(long, value_name = "imap|pop3")]
    pub protocol: ProtocolName,
    #[arg(long, value_name = "HOST:PORT")]
    pub incoming: String,
    #[arg(long, value_name = "tls|starttls|none", default_value = "tls")]
    pub incoming_security: SecurityName,
    /// Without it the account only receives
    #[arg(long, value_name = "HOST:PORT")]
    pub outgoing: Option<String>,
    #[arg(long, value_name = "tls|starttls|none", default_value = "tls")]
    pub outgoing_security: SecurityName,
    /// The address, where it is not given
    #[arg(long)]
    pub username: Option<String>,
    /// Read the password from the first line of standard input
    #[arg(long, conflicts_with = "oauth")]
    pub password_stdin: bool,
    /// Sign in through the browser
    #[arg(long)]
    pub oauth: bool,
    /// Show this certificate where a server asks for one; with no password given, sign in by it alone
    #[arg(long, value_name = "PEM", requires = "client_key")]
    pub client_cert: Option<PathBuf>,
    /// The private key of the certificate
    #[arg(long, value_name = "PEM", requires = "client_cert")]
    pub client_key: Option<PathBuf>,
    /// IMAP: at most so many connections at once [3, if never said]; a provider's own limit counts too
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=10))]
    pub connections: Option<u8>,
    #[command(flatten)]
    pub policy: PolicyRequest,
    /// Where the password is kept
    #[arg(long, value_name = "keychain|file|session", default_value = "keychain")]
    pub secrets: SecretsName,
    /// Let the password travel in clear to a host other than this machine
    #[arg(long)]
    pub allow_cleartext: bool,
}

#[derive(Args, Debug)]
pub struct SetRequest {
    pub name: String,
    /// IMAP: at most so many connections at once; a provider's own limit counts too
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=10))]
    pub connections: Option<u8>,
    #[command(flatten)]
    pub policy: PolicyRequest,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum ProtocolName {
    Imap,
    Pop3,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum SecurityName {
    Tls,
    Starttls,
    None,
}

impl From<SecurityName> for posthorn_model::Security {
    fn from(name: SecurityName) -> Self {
        match name {
            SecurityName::Tls => Self::Tls,
            SecurityName::Starttls => Self::StartTls,
            SecurityName::None => Self::None,
        }
    }
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum SecretsName {
    Keychain,
    File,
    Session,
}

#[derive(Args, Debug, Default)]
pub struct AccountNames {
    /// All accounts, where none is named
    #[arg(value_name = "ACCOUNT")]
    pub accounts: Vec<String>,
}

#[derive(Args, Debug)]
pub struct SyncRequest {
    #[command(flatten)]
    pub names: AccountNames,
    /// Which bodies to fetch
    #[arg(long, value_name = "all|recent|none", default_value = "all")]
    pub bodies: BodiesName,
    /// One pass, which is what happens anyway
    #[arg(long)]
    pub once: bool,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum BodiesName {
    All,
    Recent,
    None,
}

#[derive(Args, Debug)]
pub struct NetworkRequest {
    /// Without it, only told
    #[arg(value_name = "online|metered|offline")]
    pub policy: Option<NetworkName>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum NetworkName {
    /// Everything is fetched as it comes
    Online,
    /// Large messages are fetched when they are opened, and servers are asked less often
    Metered,
    /// No connection is made; what is done here is kept and sent later
    Offline,
}

#[derive(Args, Debug)]
pub struct MailboxesRequest {
    pub account: Option<String>,
}

/// Mailboxes are named ACCOUNT/Path, with `/` between levels whatever the server writes there.
#[derive(Debug, Subcommand)]
pub enum MailboxCommand {
    /// Make a mailbox
    Create {
        #[arg(value_name = "ACCOUNT/Path")]
        mailbox: String,
    },
    /// Give a mailbox, and those within it, another name
    Rename {
        #[arg(value_name = "ACCOUNT/Path")]
        mailbox: String,
        /// In the same account
        #[arg(value_name = "ACCOUNT/New/Path")]
        to: String,
    },
    /// Delete a mailbox that is empty
    Delete {
        #[arg(value_name = "ACCOUNT/Path")]
        mailbox: String,
        /// Move its messages to the trash first, and delete the mailboxes within it too
        #[arg(long)]
        with_messages: bool,
    },
    /// Remove from the server, for good, what is marked as deleted in a mailbox: for servers that cannot remove single
    /// messages
    Expunge {
        #[arg(value_name = "ACCOUNT/Path")]
        mailbox: String,
        /// Also what other programs have marked
        #[arg(long)]
        with_others: bool,
    },
    /// Have other programs show it
    Subscribe {
        #[arg(value_name = "ACCOUNT/Path")]
        mailbox: String,
    },
    /// Have other programs hide it
    Unsubscribe {
        #[arg(value_name = "ACCOUNT/Path")]
        mailbox: String,
    },
}

#[derive(Args, Debug)]
pub struct ListRequest {
    /// ACCOUNT/Path, ACCOUNT, inbox or all
    pub mailbox: String,
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub limit: u32,
    /// Go on where an earlier page ended
    #[arg(long, value_name = "CURSOR")]
    pub before: Option<String>,
    /// One line a conversation
    #[arg(long)]
    pub threads: bool,
}

/// Messages, by number or by header.
#[derive(Args, Debug, Default)]
pub struct Chosen {
    #[arg(value_name = "ID", required_unless_present = "message_id")]
    pub ids: Vec<i64>,
    /// Name the message by its Message-ID header
    #[arg(long, value_name = "<…>")]
    pub message_id: Option<String>,
}

/// One message, by number or by header.
#[derive(Args, Debug, Default)]
pub struct ChosenOne {
    #[arg(value_name = "ID", required_unless_present = "message_id")]
    pub id: Option<i64>,
    /// Name the message by its Message-ID header
    #[arg(long, value_name = "<…>", conflicts_with = "id")]
    pub message_id: Option<String>,
}

#[derive(Args, Debug)]
pub struct ShowRequest {
    #[command(flatten)]
    pub message: ChosenOne,
    #[command(flatten)]
    pub form: ShowForm,
}

#[derive(Args, Debug)]
#[group(multiple = false)]
pub struct ShowForm {
    /// The stored bytes, exactly as served
    #[arg(long)]
    pub raw: bool,
    /// The whole header
    #[arg(long)]
    pub headers: bool,
    /// Only the text
    #[arg(long)]
    pub text: bool,
    /// The HTML part as it was sent
    #[arg(long)]
    pub html: bool,
}

#[derive(Args, Debug)]
pub struct AttachmentsRequest {
    #[command(flatten)]
    pub message: ChosenOne,
    /// Write the attachments into this directory
    #[arg(long, value_name = "DIR")]
    pub save: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub struct SearchRequest {
    #[arg(required = true)]
    pub query: Vec<String>,
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub limit: u32,
}

#[derive(Args, Debug)]
pub struct FlagRequest {
    #[command(flatten)]
    pub messages: Chosen,
    /// seen, answered, flagged, deleted, draft, or a keyword
    #[arg(long, value_name = "FLAG", value_delimiter = ',')]
    pub add: Vec<String>,
    #[arg(long, value_name = "FLAG", value_delimiter = ',')]
    pub remove: Vec<String>,
}

#[derive(Args, Debug)]
pub struct MoveRequest {
    /// Messages by number, then the mailbox: ACCOUNT/Path
    #[arg(value_name = "ID… MAILBOX", required = true)]
    pub words: Vec<String>,
    /// Name the message by its Message-ID header
    #[arg(long, value_name = "<…>")]
    pub message_id: Option<String>,
}

#[derive(Args, Debug)]
pub struct ComposeRequest {
    #[arg(long, value_name = "ADDRESS")]
    pub to: Vec<String>,
    #[arg(long, value_name = "ADDRESS")]
    pub cc: Vec<String>,
    #[arg(long, value_name = "ADDRESS")]
    pub bcc: Vec<String>,
    #[arg(long)]
    pub subject: Option<String>,
    /// The text; with --send-now and without it, standard input
    #[arg(long, value_name = "TEXT")]
    pub body: Option<String>,
    #[arg(long, value_name = "FILE")]
    pub attach: Vec<PathBuf>,
    /// Which account writes; not needed where there is one
    #[arg(long, value_name = "NAME")]
    pub account: Option<String>,
    /// Send at once, without the window
    #[arg(long)]
    pub send_now: bool,
    #[arg(value_name = "mailto:…")]
    pub mailto: Option<String>,
}

#[derive(Args, Debug)]
pub struct SendRequest {
    /// A message, or - for standard input
    #[arg(value_name = "FILE.eml|-")]
    pub file: String,
    /// Which account sends; not needed where the From address tells
    #[arg(long, value_name = "NAME")]
    pub account: Option<String>,
    /// Not before this time (RFC 3339)
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub at: Option<posthorn_model::Timestamp>,
}

fn parse_time(text: &str) -> Result<posthorn_model::Timestamp, String> {
    posthorn_model::Timestamp::parse_rfc3339(text)
        .ok_or_else(|| "expected a time such as 2026-03-01T09:00:00Z".to_owned())
}

#[derive(Args, Debug)]
pub struct LedgerRequest {
    pub account: String,
    /// Only deletions, which is what is listed anyway
    #[arg(long, conflicts_with = "all")]
    pub deletions: bool,
    /// Every message ever seen there, not only deletions
    #[arg(long)]
    pub all: bool,
}

#[derive(Args, Debug)]
pub struct SandboxRequest {
    #[arg(long, value_name = "P")]
    pub imap_port: Option<u16>,
    #[arg(long, value_name = "P")]
    pub pop3_port: Option<u16>,
    #[arg(long, value_name = "P")]
    pub smtp_port: Option<u16>,
    /// How the three connections are protected
    #[arg(long, value_name = "tls|starttls|none", default_value = "tls")]
    pub security: SecurityName,
    /// Start with no mail in the mailbox
    #[arg(long)]
    pub empty: bool,
}
