//! The local message cache in SQLite: the only crate that names rusqlite.
//!
//! Two files. `messages.sqlite` holds the raw bytes of every message exactly as served, and where each came from;
//! it is precious, every commit to it is synced. `index.sqlite` holds what is known about messages; it is small,
//! and made again from the other should it be lost.
//!
//! **What it must never do.** It never speaks to a network, never parses mail (a rebuild is handed a parser) and
//! never decides what to delete: it keeps, finds and counts. No change happens but through [`Write`], in one
//! transaction with the rest of its batch. No raw message is removed by a write. A damaged file is set aside, not
//! overwritten; a file of a newer version is not opened.
//!
//! **Where to start reading.** [`write`]: every change as data. [`db`]: one writer thread, first in first out, one
//! that keeps raw messages, and readers that can only query. [`listing`]: the hot path. `migrations/`: what each
//! column means.
//!
//! **Writing** (each a future; an error means that nothing of it happened)
//! - [`Store::apply`] a batch, → [`Changes`]; [`Store::keep_raw`] raw messages, durable when it returns;
//!   [`Store::verify_raw`] reads them back. Ids first: [`Store::message_id`], `new_mailbox_id`,
//!   `new_account_id`, `new_operation_id`, `new_submission_id`.
//! - Behind the critical path: [`Store::index_pending`]. At the end: [`Store::drain`].
//!
//! **Reading**
//! - lists: [`Store::page`], `row`, `rows`, `thread`, `counts`; [`Store::search`], `coverage`
//! - accounts and mailboxes: [`Store::accounts`], `mailboxes`, `mailbox`, `sync_state`
//! - messages: [`Store::message`], `find_by_message_id`, `find_by_hash`, `messages_without_body`
//! - identity: [`Store::adrift`], `adrift_counts`, `find_candidates`; bodies to fetch: `bodies_missing`
//! - placements: [`Store::placements_of`], `placement`, `placement_by_uid`, `placements_by_uids`,
//!   `placements_in`, `uids`
//! - raw bytes: [`Store::raw`], `raw_path`, `raw_to_file`, `has_raw`, `raw_totals`
//! - queues: [`Store::operations`], `submissions`, `submission`; POP3: [`Store::ledger`], `ledger_of`
//! - the whole: [`Store::whereabouts`], `dump`, `check`; [`Store::setting`], `settings`
//! - after damage: [`Store::notices`], `rebuild_wanted`, [`Store::rebuild`]

mod account;
mod check;
mod column;
pub mod db;
mod error;
mod identity;
mod ledger;
pub mod listing;
mod local;
mod mailbox;
mod message;
mod migrate;
mod operation;
mod outbox;
mod placement;
mod raw;
mod rebuild;
mod search;
mod settings;
mod sync_state;
mod thread;
mod whereabouts;
pub mod write;

pub use account::AccountRow;
pub use check::Depth;
pub use db::Store;
pub use error::{Error, File, Result};
pub use identity::{Adrift, Candidate, Wanted};
pub use ledger::{LedgerLetter, LedgerMark};
pub use listing::{Counts, ListRow, Page};
pub use mailbox::MailboxRow;
pub use message::{MessageRecord, Missing, Scope, WithoutBody};
pub use outbox::SubmissionRecord;
pub use placement::Placed;
pub use raw::{LARGE, PreparedRaw, Preparer, Provenance, RawInput, RawSource};
pub use rebuild::{Parse, Reading, Rebuilt};
pub use search::{Coverage, Hits, TextOf, Typing};
pub use whereabouts::{Amount, DumpRow, Whereabouts};
pub use write::{Changes, Durability, NewBody, NewMailbox, NewMessage, NewSubmission, Write};
