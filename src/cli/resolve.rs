//! What the words of the command line name: accounts, mailboxes, messages.

use posthorn_engine::catalog::{Account, Mailbox};
use posthorn_model::query::View;
use posthorn_model::{AccountId, InternetMessageId, MessageId, SpecialUse};
use std::collections::HashMap;

use crate::arguments::{Chosen, ChosenOne};
use crate::failure::Failure;
use crate::session::Session;

/// The accounts, and their mailboxes, by name.
pub struct Names {
    pub accounts: Vec<Account>,
    pub mailboxes: Vec<Mailbox>,
}

impl Names {
    /// # Errors
    /// What the catalog says.
    pub fn load(session: &Session) -> Result<Self, Failure> {
        Ok(Self {
            accounts: session.ask(|catalog| async move { catalog.accounts().await })?,
            mailboxes: session.ask(|catalog| async move { catalog.mailboxes(None).await })?,
        })
    }

    /// `ACCOUNT/Path` for each mailbox.
    #[must_use]
    pub fn paths(&self) -> HashMap<posthorn_model::MailboxId, String> {
        self.mailboxes
            .iter()
            .map(|mailbox| {
                (
                    mailbox.id,
                    format!(
                        "{}/{}",
                        account_name(&self.accounts, mailbox.account),
                        mailbox.name
                    ),
                )
            })
            .collect()
    }

    /// Reads `inbox`, `all`, `ACCOUNT` or `ACCOUNT/Path`.
    ///
    /// # Errors
    /// Where there is no such account or mailbox.
    pub fn view(&self, text: &str) -> Result<View, Failure> {
        match text {
            "inbox" => Ok(View::Inbox),
            "all" => Ok(View::All),
            name => match self.accounts.iter().find(|account| account.config.name == name) {
                Some(account) => Ok(View::Account(account.id)),
                None => self.mailbox(name).map(|mailbox| View::Mailbox(mailbox.id)),
            },
        }
    }

    /// Reads `ACCOUNT/Path` of a mailbox that need not be there.
    ///
    /// # Errors
    /// Where there is no such account.
    pub fn place<'a>(&self, text: &'a str) -> Result<(AccountId, &'a str), Failure> {
        let found = self.accounts.iter().find_map(|account| {
            let path = text
                .strip_prefix(account.config.name.as_str())?
                .strip_prefix('/')?;
            Some((account.id, path))
        });
        found.ok_or_else(|| {
            Failure::unknown(format!(
                "{text:?} names no account: mailboxes are named ACCOUNT/Path, as posthorn mailboxes lists them"
            ))
        })
    }

    /// Reads `ACCOUNT/Path`, or `ACCOUNT/` and a special use such as `sent`.
    ///
    /// # Errors
    /// Where there is no such mailbox.
    pub fn mailbox(&self, text: &str) -> Result<&Mailbox, Failure> {
        let Some((account, path)) = self.accounts.iter().find_map(|account| {
            let path = text
                .strip_prefix(account.config.name.as_str())?
                .strip_prefix('/')?;
            Some((account, path))
        }) else {
            return Err(Failure::unknown(format!(
                "there is no mailbox {text:?}: mailboxes are named ACCOUNT/Path, as posthorn mailboxes lists them"
            )));
        };
        let own = || {
            self.mailboxes
                .iter()
                .filter(|mailbox| mailbox.account == account.id)
        };
        own()
            .find(|mailbox| mailbox.name.path == path)
            .or_else(|| own().find(|mailbox| mailbox.name.is_inbox() && path.eq_ignore_ascii_case("inbox")))
            .or_else(|| {
                let purpose = SpecialUse::parse(path)?;
                own().find(|mailbox| mailbox.special_use == Some(purpose))
            })
            .ok_or_else(|| {
                Failure::unknown(format!(
                    "account {:?} has no mailbox {path:?}",
                    account.config.name
                ))
            })
    }
}

/// # Errors
/// Where there is no account of this name.
pub fn account<'a>(accounts: &'a [Account], name: &str) -> Result<&'a Account, Failure> {
    accounts
        .iter()
        .find(|account| account.config.name == name)
        .ok_or_else(|| {
            Failure::unknown(format!(
                "there is no account {name:?}: posthorn account list shows them"
            ))
        })
}

/// # Errors
/// Where one of them does not exist.
pub fn account_ids(accounts: &[Account], names: &[String]) -> Result<Vec<AccountId>, Failure> {
    names
        .iter()
        .map(|name| account(accounts, name).map(|account| account.id))
        .collect()
}

/// The account's name, or its number where it has gone.
#[must_use]
pub fn account_name(accounts: &[Account], id: AccountId) -> String {
    accounts
        .iter()
        .find(|account| account.id == id)
        .map_or_else(|| id.to_string(), |account| account.config.name.clone())
}

/// # Errors
/// Where the header names no message here.
pub fn messages(session: &Session, chosen: &Chosen) -> Result<Vec<MessageId>, Failure> {
    let mut found: Vec<MessageId> = chosen.ids.iter().copied().map(MessageId).collect();
    if let Some(header) = &chosen.message_id {
        found.extend(by_header(session, header)?);
    }
    Ok(found)
}

/// # Errors
/// Where the header names no message here.
pub fn message(session: &Session, chosen: &ChosenOne) -> Result<MessageId, Failure> {
    match (chosen.id, &chosen.message_id) {
        (Some(id), _) => Ok(MessageId(id)),
        (None, Some(header)) => by_header(session, header)?
            .first()
            .copied()
            .ok_or_else(|| no_such_header(header)),
        (None, None) => Err(Failure::usage("which message?")),
    }
}

fn by_header(session: &Session, header: &str) -> Result<Vec<MessageId>, Failure> {
    let bare = header
        .trim()
        .trim_start_matches('<')
        .trim_end_matches('>')
        .to_owned();
    let found = session.ask(|catalog| async move { catalog.by_message_id(InternetMessageId(bare)).await })?;
    if found.is_empty() {
        return Err(no_such_header(header));
    }
    Ok(found)
}

fn no_such_header(header: &str) -> Failure {
    Failure::unknown(format!("no message here has the Message-ID {header}"))
}

/// What to say where there is no message of this number.
#[must_use]
pub fn no_such_message(id: MessageId) -> Failure {
    Failure::unknown(format!("there is no message {id}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use posthorn_model::{
        AccountConfig, Endpoint, Identity, MailboxId, MailboxName, Pop3Policy, Protocol, Security,
    };

    fn names() -> Names {
        let account = |id: i64, name: &str| Account {
            id: AccountId(id),
            config: AccountConfig {
                name: name.to_owned(),
                protocol: Protocol::Imap,
                username: String::new(),
                auth: posthorn_model::AuthMethod::Password,
                client_certificate: None,
                secrets: posthorn_model::SecretPlace::Session,
                allow_cleartext: false,
                connections: None,
                pop3: Pop3Policy::default(),
                identity: Identity::default(),
                incoming: Endpoint {
                    host: "localhost".into(),
                    port: 1,
                    security: Security::Tls,
                },
                outgoing: None,
            },
        };
        let mailbox = |id: i64, account: i64, path: &str, special_use: Option<SpecialUse>| Mailbox {
            id: MailboxId(id),
            account: AccountId(account),
            name: MailboxName::local(path),
            special_use,
            selectable: true,
            subscribed: true,
            local: false,
            total: 0,
            unread: 0,
            uid_validity: None,
            highest_modseq: None,
        };
        Names {
            accounts: vec![account(1, "work"), account(2, "work2")],
            mailboxes: vec![
                mailbox(1, 1, "INBOX", Some(SpecialUse::Inbox)),
                mailbox(2, 1, "Lists/rust", None),
                mailbox(3, 1, "Gesendet", Some(SpecialUse::Sent)),
                mailbox(4, 2, "INBOX", Some(SpecialUse::Inbox)),
                mailbox(5, 2, "sent", None),
            ],
        }
    }

    #[test]
    fn reads_mailboxes() {
        let check = |text: &str, expect: Option<View>| {
            assert_eq!(names().view(text).ok(), expect, "{text:?}");
        };
        check("inbox", Some(View::Inbox));
        check("all", Some(View::All));
        check("work", Some(View::Account(AccountId(1))));
        check("work2", Some(View::Account(AccountId(2))));
        check("work/INBOX", Some(View::Mailbox(MailboxId(1))));
        check("work2/inbox", Some(View::Mailbox(MailboxId(4))));
        check("work/Lists/rust", Some(View::Mailbox(MailboxId(2))));
        check("work/lists/rust", None);
        check("work/sent", Some(View::Mailbox(MailboxId(3))));
        check("work2/sent", Some(View::Mailbox(MailboxId(5))));
        check("work/", None);
        check("home/INBOX", None);
        check("INBOX", None);
    }
}
