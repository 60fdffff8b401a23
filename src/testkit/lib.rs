//! What tests of several crates need: time that stands still, chance that repeats itself, mail by the thousand, a
//! certificate authority, transcripts, a web server, and a real mail server on loopback.
//!
//! A dev-dependency only: nothing that ships may depend on it. It must never reach past 127.0.0.1, and what it
//! starts must end with the test that started it.
//!
//! Start reading at [`mailserver`] (Dovecot and Postfix, from one temporary directory), [`mail`] (a seeded corpus)
//! or [`transcript`] (`C:`/`S:` scripts over a duplex stream).

pub mod ca;
pub mod clock;
#[cfg(target_os = "linux")]
pub mod drop_target;
pub mod mail;
#[cfg(unix)]
pub mod mailserver;
pub mod rng;
pub mod transcript;
pub mod webserver;
