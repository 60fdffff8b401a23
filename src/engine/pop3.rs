//! Mail by POP3 (RFC 1939): the plan of one check, and the driver that carries it out.
//!
//! Start reading at [`plan`], which decides; `driver` connects and goes through the check, `listing` names what the
//! server lists, `compare` knows messages again, `download` takes them in, `delete` removes them there.

mod compare;
mod delete;
pub(crate) mod download;
pub(crate) mod driver;
pub(crate) mod dry_run;
mod header;
mod listing;
pub mod plan;
