//! `posthorn mailboxes`: what there is, with counts.

use serde_json::json;

use crate::arguments::MailboxesRequest;
use crate::failure::{Failure, Status};
use crate::output::Output;
use crate::resolve::{self, Names};
use crate::session::{Context, Purpose};
use crate::table::{self, Column};

/// # Errors
/// Where the account does not exist, or the profile cannot be read.
pub fn run(request: &MailboxesRequest, context: &Context, output: &mut Output) -> Result<Status, Failure> {
    let session = context.open(Purpose::Read)?;
    let mut names = Names::load(&session)?;
    let only = request
        .account
        .as_deref()
        .map(|name| resolve::account(&names.accounts, name).map(|account| account.id))
        .transpose()?;
    names
        .mailboxes
        .retain(|mailbox| only.is_none_or(|account| mailbox.account == account));
    let paths = names.paths();
    let path = |mailbox| paths.get(&mailbox).cloned().unwrap_or_default();
    if output.is_json() {
        let mailboxes: Vec<_> = names
            .mailboxes
            .iter()
            .map(|mailbox| {
                json!({
                    "path": path(mailbox.id),
                    "account": resolve::account_name(&names.accounts, mailbox.account),
                    "special_use": mailbox.special_use,
                    "total": mailbox.total,
                    "unread": mailbox.unread,
                    "uid_validity": mailbox.uid_validity,
                    "highest_modseq": mailbox.highest_modseq,
                    "selectable": mailbox.selectable,
                    "subscribed": mailbox.subscribed,
                    "local": mailbox.local,
                })
            })
            .collect();
        output.document(&json!({ "mailboxes": mailboxes }))?;
    } else {
        let columns = [
            ("mailbox", Column::Left),
            ("unread", Column::Right),
            ("total", Column::Right),
            ("", Column::Left),
        ];
        let rows = names.mailboxes.iter().map(|mailbox| {
            let purpose = mailbox.special_use.map_or("", |purpose| purpose.name());
            let only_here = if mailbox.local { " (only here)" } else { "" };
            vec![
                path(mailbox.id),
                mailbox.unread.to_string(),
                mailbox.total.to_string(),
                format!("{purpose}{only_here}"),
            ]
        });
        table::print(output, &columns, rows)?;
    }
    Ok(Status::Done)
}
