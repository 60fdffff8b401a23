//! `posthorn account list`.

use serde_json::json;

use super::to_json;
use crate::failure::{Failure, Status};
use crate::output::Output;
use crate::session::{Context, Purpose};
use crate::table::{self, Column};

/// # Errors
/// Where the profile cannot be read.
pub fn run(context: &Context, output: &mut Output) -> Result<Status, Failure> {
    let session = context.open(Purpose::Read)?;
    let accounts = session.ask(|catalog| async move { catalog.accounts().await })?;
    if output.is_json() {
        output.document(&json!({ "accounts": accounts.iter().map(to_json).collect::<Vec<_>>() }))?;
    } else if accounts.is_empty() {
        output.line("no accounts yet: posthorn account add sets one up")?;
    } else {
        let columns = [
            ("name", Column::Left),
            ("protocol", Column::Left),
            ("address", Column::Left),
            ("incoming", Column::Left),
            ("outgoing", Column::Left),
        ];
        let rows = accounts.iter().map(|account| {
            let config = &account.config;
            vec![
                config.name.clone(),
                config.protocol.name().to_uppercase(),
                config.identity.email.clone(),
                config.incoming.to_string(),
                config
                    .outgoing
                    .as_ref()
                    .map(ToString::to_string)
                    .unwrap_or_default(),
            ]
        });
        table::print(output, &columns, rows)?;
    }
    Ok(Status::Done)
}
