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

/// To stderr: warnings, or what `--log` says. Libraries may write what crosses the wire at debug and below, so
/// that only our own crates are ever let through there.
fn start_logging(level: Option<log::LevelFilter>) {
    let level = level.unwrap_or(log::LevelFilter::Warn);
    let started = env_logger::Builder::new()
        .filter_level(level.min(log::LevelFilter::Info))
        .filter_module("posthorn", level)
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
