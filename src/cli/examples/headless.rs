use clap::Parser as _;
fn main() -> std::process::ExitCode {
    let arguments = match posthorn_cli::arguments::Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return std::process::ExitCode::from(posthorn_cli::refuse_usage(&error)),
    };
    match posthorn_cli::run(arguments) {
        posthorn_cli::Next::Leave(code) => std::process::ExitCode::from(code),
        posthorn_cli::Next::Open(_) => std::process::ExitCode::from(9),
    }
}
