//! The engine against sandbox servers in the same process: what a user sees must converge with what the server
//! holds, whatever breaks in between.

mod filters;
mod gmail;
mod identity;
mod imap;
mod left;
mod network;
mod operations;
mod outbox;
mod passes;
mod pop3;
mod profile;
mod proxy;
mod reading;
mod simulation;
mod watch;
mod world;
