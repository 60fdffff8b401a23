//! What mailboxes hold, without opening them (RFC 9051 section 6.3.11, RFC 8438, RFC 8474).

use posthorn_model::{MailboxName, ModSeq, UidValidity};
use std::collections::HashMap;
use tokio::time::Instant;

use super::client::Reply;
use super::code::Verdict;
use super::guard::Captured;
use super::mailboxes::{begins, key};
use super::quirks::Care;
use super::scan::{Scanner, Token};
use super::{Session, Status, fetched};
use crate::Error;

/// STATUS commands under way together.
const PIPELINED: usize = 50;

impl Session {
    /// What a mailbox holds. Not for the selected one (RFC 9051 section 6.3.11).
    ///
    /// # Errors
    /// Refused where the mailbox is not there or may not be read.
    pub async fn status(&mut self, mailbox: &MailboxName) -> Result<Status, Error> {
        let command = format!("STATUS {} {}", self.argument(mailbox)?, self.status_items());
        let what = "the mailbox could not be looked at";
        let mut told = HashMap::new();
        self.client.set_asking(true);
        let done = self
            .client
            .demand(&command, what, &mut |reply| note(&mut told, reply))
            .await;
        self.client.set_asking(false);
        done?;
        // A name that comes back written otherwise still answers the only question.
        let status = told.remove(&key(&mailbox.wire)).or_else(|| {
            let only = if told.len() == 1 {
                told.keys().next().cloned()
            } else {
                None
            };
            told.remove(&only?)
        });
        self.client.hear_statuses(told);
        status.map(|(status, _)| status).ok_or_else(|| {
            Error::protocol(
                self.client.host(),
                "the server did not say what the mailbox holds",
            )
        })
    }

    /// What several mailboxes hold, in one turn; `None` for those that the server does not tell of.
    ///
    /// # Errors
    /// Where the connection fails.
    pub async fn statuses(&mut self, mailboxes: &[MailboxName]) -> Result<Vec<Option<Status>>, Error> {
        self.client.set_asking(true);
        let statuses = self.ask_statuses(mailboxes).await;
        self.client.set_asking(false);
        statuses
    }

    async fn ask_statuses(&mut self, mailboxes: &[MailboxName]) -> Result<Vec<Option<Status>>, Error> {
        let items = self.status_items();
        let mut statuses = Vec::with_capacity(mailboxes.len());
        for some in mailboxes.chunks(PIPELINED) {
            let mut tags = Vec::new();
            for mailbox in some {
                let Ok(argument) = self.argument(mailbox) else {
                    tags.push(None);
                    continue;
                };
                if tags.iter().any(Option::is_some) {
                    self.client.allow_pipelining();
                }
                tags.push(Some(
                    self.client.send(&format!("STATUS {argument} {items}")).await?,
                ));
            }
            // Replies name their mailboxes: they may come in any order.
            let mut told = HashMap::new();
            let mut done = Vec::new();
            for tag in &tags {
                let Some(tag) = tag else {
                    done.push(false);
                    continue;
                };
                let until = Instant::now() + self.client.patience();
                let end = self
                    .client
                    .finish(tag, until, &mut |reply| note(&mut told, reply))
                    .await?;
                done.push(end.verdict == Verdict::Ok);
            }
            let answers = some.iter().zip(done);
            statuses.extend(answers.map(|(mailbox, done)| {
                let status = told.remove(&key(&mailbox.wire));
                status.filter(|_| done).map(|(status, _)| status)
            }));
            self.client.hear_statuses(told);
        }
        Ok(statuses)
    }

    pub(super) fn status_items(&self) -> String {
        let mut items = "(MESSAGES UNSEEN UIDNEXT UIDVALIDITY".to_owned();
        let more = [
            (self.condstore, " HIGHESTMODSEQ"),
            (self.capabilities.has("STATUS=SIZE"), " SIZE"),
            (
                self.capabilities.has("OBJECTID") && !self.quirks.ask_for(Care::NoMailboxIdInStatus),
                " MAILBOXID",
            ),
        ];
        items.extend(
            more.into_iter()
                .filter(|(offered, _)| *offered)
                .map(|(_, item)| item),
        );
        items + ")"
    }
}

/// STATUS replies by name, and whether each tells enough to plan by.
pub(super) type Told = HashMap<Vec<u8>, (Status, bool)>;

fn note(told: &mut Told, reply: Reply) {
    if let Reply::Data(mut captured) = reply
        && begins(&captured, b"STATUS")
        && told.len() < 4 * PIPELINED
        && let Some((wire, status, whole)) = parse_status(&mut captured)
    {
        told.insert(key(&wire), (status, whole));
    }
}
/// `* STATUS name (MESSAGES 1 …)`; with whether it tells enough to plan by.
pub(super) fn parse_status(captured: &mut Captured) -> Option<(Vec<u8>, Status, bool)> {
    let mut scanner = Scanner::new(captured);
    scanner.token()?;
    scanner.token()?;
    let wire = scanner.token()?.into_bytes()?;
    // Some servers do not quote a name with spaces.
    while !matches!(scanner.token()?, Token::Open) {}
    let mut status = Status::default();
    let (mut messages, mut uid_next) = (false, false);
    let mut item: Option<Vec<u8>> = None;
    scanner.walk(&mut |depth, token| {
        // RFC 8474 section 4.2: `MAILBOXID (F2212ea87)`.
        if depth > 1 {
            if depth == 2 && item.as_deref() == Some(b"MAILBOXID") {
                status.mailbox_id = status.mailbox_id.take().or(fetched::object_id(token));
            }
            return;
        }
        match token {
            Token::Open => {}
            Token::Close => item = None,
            token => match (item.take(), token.number()) {
                (Some(name), Some(number)) => {
                    messages |= name == b"MESSAGES";
                    uid_next |= name == b"UIDNEXT" && number > 0;
                    status.set(&name, number);
                }
                _ => item = token.into_bytes().map(|name| name.to_ascii_uppercase()),
            },
        }
    })?;
    Some((wire, status, messages && uid_next))
}

impl Status {
    fn set(&mut self, name: &[u8], number: u64) {
        let small = u32::try_from(number).ok();
        match name {
            b"MESSAGES" => self.messages = small.unwrap_or_default(),
            b"UNSEEN" => self.unseen = small.unwrap_or_default(),
            b"UIDNEXT" => self.uid_next = small.filter(|next| *next > 0),
            b"UIDVALIDITY" => self.uid_validity = small.and_then(UidValidity::new),
            b"HIGHESTMODSEQ" => self.highest_modseq = (number > 0).then_some(ModSeq(number)),
            b"SIZE" => self.size = Some(number),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_statuses() {
        let check = |text: &str, expect: Option<(&str, Status, bool)>| {
            let mut captured = Captured {
                text: text.as_bytes().to_vec(),
                ..Captured::default()
            };
            let expect = expect.map(|(wire, status, whole)| (wire.as_bytes().to_vec(), status, whole));
            assert_eq!(parse_status(&mut captured), expect, "{text:?}");
        };
        let status = |messages, uid_next| Status {
            messages,
            uid_next,
            ..Status::default()
        };
        check(
            "* STATUS a (MESSAGES 3 UIDNEXT 9)\r\n",
            Some(("a", status(3, Some(9)), true)),
        );
        check(
            "* STATUS \"a\" (UIDNEXT 9 UNSEEN 0)\r\n",
            Some(("a", status(0, Some(9)), false)),
        );
        check(
            "* STATUS a (MESSAGES 3 MAILBOXID (F1-x) SIZE 5000000000 UIDNEXT 0)\r\n",
            Some((
                "a",
                Status {
                    size: Some(5_000_000_000),
                    mailbox_id: Some("F1-x".into()),
                    ..status(3, None)
                },
                false,
            )),
        );
        check(
            "* STATUS a b c (MESSAGES 1)\r\n",
            Some(("a", status(1, None), false)),
        );
        check("* STATUS a\r\n", None);
        check("* STATUS a (MESSAGES 1\r\n", None);
    }
}
