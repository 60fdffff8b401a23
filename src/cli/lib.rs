//! The command line: the engine's face without a display.
//!
//! Every command is one file here and can speak JSON. A command opens the profile (only to read, where it only
//! reads, so that it works beside a running window), asks the engine, prints, and leaves in order. [`arguments`]
//! is what can be written, [`session`] how the profile is opened, [`output`] the only way to the terminal,
//! [`failure`] what a failed command says and which code it leaves with.
//!
//! Must never: print a control character that came from mail (except `show --raw`), echo or log a password, see
//! the store or the network, or print anything but the one document where JSON was asked for.
//!
//! Start reading at [`run`].

mod account;
pub mod arguments;
mod attachments;
mod clean;
mod compose;
mod date;
mod demo;
mod dump;
pub mod failure;
mod fetch;
mod filter;
mod flag;
mod interrupt;
mod ledger;
mod list;
mod mailbox;
mod mailboxes;
mod network;
mod operations;
mod outbox;
pub mod output;
mod pop3_plan;
mod reading;
mod rehearse;
mod relocate;
mod render;
mod resolve;
mod row;
mod sandbox;
mod search;
mod send;
pub mod session;
mod show;
mod sync;
mod table;
mod unbuilt;
mod undo;
mod watch;

use arguments::{Arguments, Command};
use failure::{Failure, Status};
use output::Output;
use session::Context;

/// What the program does after the command.
#[derive(Clone, Debug)]
pub enum Next {
    /// Leaves with this exit code.
    Leave(u8),
    /// Opens the window.
    Open(Window),
}

/// The window, as the command line asks for it.
#[derive(Clone, Debug, Default)]
pub struct Window {
    pub profile: Option<std::path::PathBuf>,
    pub ca_file: Option<std::path::PathBuf>,
    /// On a fresh sandbox mailbox, beside any profile.
    pub demo: bool,
    /// Opens the composer on this `mailto:` address.
    pub compose: Option<String>,
}

/// How the window opens the profile.
#[must_use]
pub fn engine_options(window: &Window) -> posthorn_engine::Options {
    posthorn_engine::Options {
        profile: window.profile.clone(),
        ca_file: window.ca_file.clone(),
        imap_without: session::imap_without_of_environment(),
        secrets_key: session::secrets_key_of_environment(),
        read_only: false,
        ..posthorn_engine::Options::default()
    }
}

/// Carries out the command, and says what comes next. No command: the window.
#[must_use]
pub fn run(arguments: Arguments) -> Next {
    let mut output = Output::standard(arguments.common.json);
    let context = Context::new(arguments.common);
    match carry_out(arguments.command, &context, &mut output) {
        Ok(Done::Left(status)) => match output.finish() {
            Ok(()) => Next::Leave(status.code()),
            Err(failure) => Next::Leave(failure.report(&mut output)),
        },
        Ok(Done::Code(code)) => Next::Leave(code),
        Ok(Done::Window(window)) => Next::Open(window),
        Err(failure) => Next::Leave(failure.report(&mut output)),
    }
}

enum Done {
    Code(u8),
    Left(Status),
    Window(Window),
}

fn carry_out(command: Option<Command>, context: &Context, output: &mut Output) -> Result<Done, Failure> {
    let Some(command) = command else {
        return Ok(Done::Window(context.window()));
    };
    let status = match command {
        Command::Account(command) => account::run(command, context, output),
        Command::Sync(request) => sync::run(&request, context, output),
        Command::Watch(request) => watch::run(&request, context, output),
        Command::Network(request) => network::run(&request, context, output),
        Command::Mailboxes(request) => mailboxes::run(&request, context, output),
        Command::Mailbox(command) => mailbox::run(&command, context, output),
        Command::List(request) => list::run(&request, context, output),
        Command::Show(request) => show::run(&request, context, output),
        Command::Fetch(chosen) => fetch::run(&chosen, context, output),
        Command::Attachments(request) => attachments::run(&request, context, output),
        Command::Search(request) => search::run(&request, context, output),
        Command::Flag(request) => flag::run(&request, context, output),
        Command::Move(request) => relocate::to_mailbox(request, context, output),
        Command::Delete(chosen) => relocate::delete(&chosen, context, output),
        Command::Archive(chosen) => relocate::archive(&chosen, context, output),
        Command::Junk(chosen) => relocate::junk(&chosen, context, output),
        Command::Undo => undo::run(context, output),
        Command::Compose(request) if !request.send_now => {
            return compose::open(&request, context).map(Done::Window);
        }
        Command::Compose(request) => compose::send_now(&request, context, output),
        Command::Send(request) => send::run(&request, context, output),
        Command::Outbox => outbox::run(context, output),
        Command::Operations => operations::run(context, output),
        Command::Dump => dump::run(context, output),
        Command::Filter(command) => filter::run(command, context, output),
        Command::Ledger(request) => ledger::run(&request, context, output),
        Command::Pop3Plan(request) => pop3_plan::run(&request, context, output),
        Command::Sandbox(request) => sandbox::run(&request, output),
        Command::Demo => return Ok(Done::Window(demo::window(context))),
        Command::Render(request) => render::run(&request, context, output),
        Command::Rehearse(request) => rehearse::run(&request, output),
        Command::Where(_) => unbuilt::refuse("where"),
        Command::Switch(_) => unbuilt::refuse("switch"),
        Command::Lab(_) => unbuilt::refuse("lab"),
        Command::Backup(_) => unbuilt::refuse("backup"),
        Command::Import(_) => unbuilt::refuse("import"),
        Command::Export(_) => unbuilt::refuse("export"),
        Command::Doctor(_) => unbuilt::refuse("doctor"),
        Command::HtmlWorker => return Ok(Done::Code(posthorn_html::worker::serve())),
    };
    status.map(Done::Left)
}

/// Says what is wrong with the arguments (or prints the help that they asked for), and gives the exit code.
#[must_use]
pub fn refuse_usage(error: &clap::Error) -> u8 {
    let asked_for_json = error.use_stderr() && std::env::args_os().any(|word| word == "--json");
    if !asked_for_json {
        // Nobody reading the help is no failure.
        let _ = error.print();
        return if error.use_stderr() { 2 } else { 0 };
    }
    let text = error.render().to_string();
    let message = text
        .lines()
        .next()
        .unwrap_or_default()
        .trim_start_matches("error: ");
    Failure::usage(message).report(&mut Output::standard(true))
}
