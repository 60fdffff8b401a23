//! Bytes to meaning and meaning to bytes: messages as RFC 5322 and MIME (RFC 2045 to 2049) write them.
//!
//! Everything here is pure: no I/O, no clock, no randomness, no globals. Reading never fails: whatever arrives
//! gives a value and a list of [`Defect`]s, within bounds on depth, parts and header size, in time linear in the
//! message. Writing never lets a line break from a name, an address, a subject or a file name reach a header.
//! This is the only crate that names mail-parser (field parsers and decoders) and mail-builder. It knows nothing of
//! HTML beyond stripping it for previews and the search index, nor of mailbox names (IMAP's modified UTF-7).
//!
//! A list needs [`survey`] or [`parse_header`], search [`parse()`], a reading pane [`read()`]: who a message is from ([`sender`]), what
//! the user's server says of that ([`headers::verdict`]), where links lead ([`link`]), what attachments are
//! ([`attachment`]), invitations and contacts ([`calendar`], [`card`]).
//!
//! Start reading at [`parse()`]: `structure` cuts a message into leaves, `field` and `envelope` read header
//! blocks, `charset` and `decode` give text, [`text`] makes it readable. [`compose`] goes the other way. [`thread`]
//! and [`subject`] are RFC 5256.

pub mod address;
pub mod attachment;
pub mod calendar;
pub mod card;
pub mod charset;
pub mod compose;
mod date;
mod decode;
pub mod defect;
pub mod domain;
mod envelope;
mod field;
mod glyph;
pub mod headers;
mod inner;
pub mod link;
pub mod media_type;
mod name;
mod parameter;
pub mod parse;
pub mod read;
pub mod sender;
mod structure;
pub mod subject;
pub mod text;
pub mod thread;
mod uuencode;
mod winmail;
mod word;

pub use address::{format_address, format_addresses, parse_addresses};
pub use attachment::{Kind, Nature, Reason, Risk};
pub use calendar::{Invitation, Method, Moment, PartStat, Recurrence, invitations};
pub use card::{Card, cards};
pub use defect::Defect;
pub use domain::show_domain;
pub use headers::named::field_values;
pub use headers::receipt::{Asked, receipt_asked};
pub use headers::verdict::{Mark, Outcome, Trusted, Verdict, learn_trusted, topmost_received, verdict};
pub use link::{LinkWarning, Target, link_warnings, look_at_link};
pub use media_type::content_type_for;
pub use name::safe_file_name;
pub use parse::{Parsed, ParsedHeader, parse, parse_header, part_bytes, survey};
pub use read::{Attached, Reader, Reading, Related, read, related_parts};
pub use sender::{SenderWarning, Shown, show as show_sender};
pub use subject::base_subject;
