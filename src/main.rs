//! Arguments, logging, the panic hook, wiring, orderly shutdown. What happens then is `cli`'s or `ui`'s business.

use clap::Parser as _;
use posthorn_cli::arguments::Arguments;
use posthorn_cli::{Next, Window};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return ExitCode::from(posthorn_cli::refuse_usage(&error)),
    };
    start_logging(arguments.common.log);
    std::panic::set_hook(Box::new(report_panic));
    let code = match posthorn_cli::run(arguments) {
        Next::Leave(code) => code,
        Next::Open(window) => open(window),
    };
    ExitCode::from(code)
}

/// To stderr: our warnings, or what `--log` says. Libraries are heard only when asked for, and never below info:
/// they may write there what crosses the wire, and their warnings come to the user as our own words anyway.
fn start_logging(level: Option<log::LevelFilter>) {
    let libraries = level.map_or(log::LevelFilter::Off, |level| level.min(log::LevelFilter::Info));
    let started = env_logger::Builder::new()
        .filter_level(libraries)
        .filter_module("posthorn", level.unwrap_or(log::LevelFilter::Warn))
        .try_init();
    debug_assert!(started.is_ok(), "logging starts once");
}

/// The place and nothing else: what a panic says may hold a message's text.
fn report_panic(panic: &std::panic::PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let thread = std::thread::current();
    let name = thread.name().unwrap_or("unnamed").to_owned();
    log::error!("The program made a mistake at {place}, in thread {name}.");
}

fn open(window: Window) -> u8 {
    let options = posthorn_ui::UiOptions {
        engine: posthorn_cli::engine_options(&window),
        demo: window.demo,
        mailto: window.compose,
        open: None,
    };
    match posthorn_ui::run(options) {
        Ok(()) => 0,
        Err(error) => {
            log::error!("{error}");
            1
        }
    }
}
