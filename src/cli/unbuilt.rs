//! Commands of the contract that are not built yet: they can be written, and say so.

use clap::{Args, Subcommand};
use std::path::PathBuf;

use crate::failure::{Failure, Status};

/// # Errors
/// Always.
pub fn refuse(command: &str) -> Result<Status, Failure> {
    Err(Failure::not_yet(command))
}

#[derive(Args, Debug)]
pub struct WhereRequest {
    #[arg(value_name = "ACCOUNT|MAILBOX|ID")]
    what: Option<String>,
}

#[derive(Args, Debug)]
pub struct SwitchRequest {
    account: String,
    #[arg(long, value_name = "imap|pop3", required_unless_present = "undo")]
    to: Option<crate::arguments::ProtocolName>,
    #[arg(long)]
    dry_run: bool,
    #[arg(long, conflicts_with = "to")]
    undo: bool,
}

#[derive(Args, Debug)]
pub struct LabRequest {
    account: Option<String>,
    #[arg(long, conflicts_with = "account")]
    sandbox: bool,
    #[arg(long, value_name = "NAME|all")]
    scenario: Option<String>,
}

#[derive(Debug, Subcommand)]
pub enum BackupCommand {
    Create { dir: PathBuf },
    Update { dir: PathBuf },
    Verify { dir: PathBuf },
    Drill { dir: PathBuf },
    Restore { dir: PathBuf },
}

#[derive(Args, Debug)]
pub struct ImportRequest {
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    #[arg(long, value_name = "MAILBOX")]
    into: Option<String>,
}

#[derive(Args, Debug)]
pub struct ExportRequest {
    mailbox: String,
    #[arg(long, value_name = "mbox|maildir|eml")]
    format: String,
    #[arg(long, value_name = "PATH")]
    to: PathBuf,
}
