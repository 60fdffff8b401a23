//! The crate from outside: whole messages in, whole messages out.

mod compose;
mod hostile;
mod opening;
mod parse;
mod reading;
mod real_mail;
