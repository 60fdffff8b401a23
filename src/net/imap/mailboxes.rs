//! LIST, LSUB and STATUS (RFC 9051 section 6.3.9, RFC 3501 section 6.3.9, RFC 5819), and making mailboxes.

use posthorn_model::{ErrorClass, MailboxName, ModSeq, SpecialUse, UidValidity};
use std::collections::HashMap;
use tokio::time::Instant;

use super::client::Reply;
use super::code::Verdict;
use super::guard::Captured;
use super::quirks::Care;
use super::scan::{Scanner, Token};
use super::{ListedMailbox, Session, Status, fetched, name, special_use};
use crate::Error;

/// Mailboxes in one account.
const MOST: usize = 50_000;
/// STATUS commands under way together.
const PIPELINED: usize = 50;

/// LIST, LSUB and STATUS replies of one question, gathered.
#[derive(Default)]
struct Gathered {
    utf8: bool,
    mailboxes: Vec<ListedMailbox>,
    /// Places in `mailboxes` by name.
    places: HashMap<Vec<u8>, usize>,
    subscribed: Vec<Vec<u8>>,
    overflown: bool,
}

impl Session {
    /// All mailboxes that the server shows, in its order. Those whose name no command can carry are not selectable.
    ///
    /// # Errors
    /// Where the server refuses or does not end its list.
    pub async fn list(&mut self) -> Result<Vec<ListedMailbox>, Error> {
        self.client.set_asking(true);
        let listed = self.ask_list().await;
        self.client.set_asking(false);
        listed
    }

    async fn ask_list(&mut self) -> Result<Vec<ListedMailbox>, Error> {
        let mut gathered = Gathered {
            utf8: self.utf8,
            ..Gathered::default()
        };
        let what = "the mailboxes could not be listed";
        // RFC 5258 section 3: one command tells names, subscriptions, purposes and contents.
        let extended = self.capabilities.has("LIST-EXTENDED");
        if extended {
            let mut wanted = vec!["SUBSCRIBED".to_owned()];
            if self.capabilities.has("SPECIAL-USE") {
                wanted.push("SPECIAL-USE".to_owned());
            }
            if self.capabilities.has("LIST-STATUS") {
                wanted.push(format!("STATUS {}", self.status_items()));
            }
            let command = format!("LIST \"\" \"*\" RETURN ({})", wanted.join(" "));
            let patience = self.client.patience() * 2;
            let done = self
                .client
                .run(&command, patience, &mut |reply| gathered.accept(reply))
                .await?;
            if done.verdict == Verdict::Bad {
                // It claimed more than it can do.
                self.capabilities.remove("LIST-EXTENDED");
                return Box::pin(self.ask_list()).await;
            }
            done.demand_ok(self.client.host(), what)?;
        } else {
            let list = self.client.send("LIST \"\" \"*\"").await?;
            self.client.allow_pipelining();
            let lsub = self.client.send("LSUB \"\" \"*\"").await?;
            for (tag, needed) in [(list, true), (lsub, false)] {
                let until = Instant::now() + self.client.patience() * 2;
                let done = self
                    .client
                    .finish(&tag, until, &mut |reply| gathered.accept(reply))
                    .await?;
                if needed && let Err(error) = done.demand_ok(self.client.host(), what) {
                    // The other command is still under way.
                    return Err(self.client.give_up(error));
                }
            }
        }
        // What was before RFC 6154; its names may be translated, so that only those which LIST shows count.
        if self.capabilities.has("XLIST") && !self.capabilities.has("SPECIAL-USE") {
            let patience = self.client.patience();
            self.client
                .run("XLIST \"\" \"*\"", patience, &mut |reply| gathered.accept(reply))
                .await?;
        }
        if gathered.overflown {
            return Err(Error::protocol(
                self.client.host(),
                "the server lists mailboxes without end",
            ));
        }
        let mailboxes = gathered.finish(extended);
        self.delimiter = mailboxes.iter().find_map(|mailbox| mailbox.delimiter);
        self.prefix = personal_prefix(&mailboxes, self.delimiter);
        Ok(mailboxes)
    }

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

    /// Leaves the selected mailbox without expunging anything (RFC 3691).
    ///
    /// # Errors
    /// Where the connection fails.
    pub async fn unselect(&mut self) -> Result<(), Error> {
        let what = "the mailbox could not be left";
        if self.capabilities.has("UNSELECT") {
            self.client.demand("UNSELECT", what, &mut |_| {}).await?;
        } else {
            // CLOSE would expunge. RFC 9051 section 6.3.2: an EXAMINE that fails leaves nothing selected.
            let patience = self.client.patience();
            let command = "EXAMINE \"no mailbox of this name, so that none is selected\"";
            self.client.run(command, patience, &mut |_| {}).await?;
        }
        self.client.take_news();
        Ok(())
    }

    /// Makes a mailbox and subscribes to it; one that is there already is well.
    ///
    /// # Errors
    /// Refused where the server does not allow it.
    pub async fn create(&mut self, mailbox: &MailboxName, purpose: Option<SpecialUse>) -> Result<(), Error> {
        let argument = self.argument(mailbox)?;
        let patience = self.client.patience();
        // RFC 6154 section 3.
        let purpose = purpose.filter(|_| self.capabilities.has("CREATE-SPECIAL-USE"));
        let used = purpose.and_then(SpecialUse::attribute);
        let used = used.map_or_else(String::new, |attribute| format!(" (USE ({attribute}))"));
        let mut done = self
            .client
            .run(&format!("CREATE {argument}{used}"), patience, &mut |_| {})
            .await?;
        // RFC 6154 section 3: USEATTR where this server cannot give that purpose; the mailbox is wanted all the same.
        let purpose_refused = done.verdict == Verdict::Bad || done.status.is("USEATTR");
        if !used.is_empty() && purpose_refused {
            done = self
                .client
                .run(&format!("CREATE {argument}"), patience, &mut |_| {})
                .await?;
        }
        if !done.status.is("ALREADYEXISTS") {
            done.demand_ok(self.client.host(), "the mailbox could not be made")?;
        }
        // Other programs show subscribed mailboxes only; that it failed changes nothing here.
        let _ = self
            .client
            .run(&format!("SUBSCRIBE {argument}"), patience, &mut |_| {})
            .await?;
        Ok(())
    }

    /// Gives a mailbox, and what lies below it, another name; the subscription goes along.
    ///
    /// # Errors
    /// Refused where the server does not allow it.
    pub async fn rename(&mut self, from: &MailboxName, to: &MailboxName) -> Result<(), Error> {
        let command = format!("RENAME {} {}", self.argument(from)?, self.argument(to)?);
        let what = "the mailbox could not be renamed";
        self.client.demand(&command, what, &mut |_| {}).await?;
        // RFC 9051 section 6.3.6: a subscription is to a name, and stays at the old one. Nothing hangs on it.
        self.subscribe(to, true).await.or_else(refused)?;
        self.subscribe(from, false).await.or_else(refused)
    }

    /// Deletes a mailbox with the messages in it; one that is not there is well.
    ///
    /// # Errors
    /// Refused where the server does not allow it.
    pub async fn delete(&mut self, mailbox: &MailboxName) -> Result<(), Error> {
        let command = format!("DELETE {}", self.argument(mailbox)?);
        let patience = self.client.patience();
        let done = self.client.run(&command, patience, &mut |_| {}).await?;
        if !done.status.is("NONEXISTENT") {
            done.demand_ok(self.client.host(), "the mailbox could not be deleted")?;
        }
        self.subscribe(mailbox, false).await.or_else(refused)
    }

    /// Subscribes or unsubscribes; a mailbox that is not there cannot stay subscribed.
    ///
    /// # Errors
    /// Refused where the server does not allow it.
    pub async fn subscribe(&mut self, mailbox: &MailboxName, on: bool) -> Result<(), Error> {
        let verb = if on { "SUBSCRIBE" } else { "UNSUBSCRIBE" };
        let command = format!("{verb} {}", self.argument(mailbox)?);
        let patience = self.client.patience();
        let done = self.client.run(&command, patience, &mut |_| {}).await?;
        if on || !done.status.is("NONEXISTENT") {
            done.demand_ok(self.client.host(), "the subscription could not be changed")?;
        }
        Ok(())
    }

    /// The name for a path that a person wrote, as this server wants it. After [`Session::list`].
    #[must_use]
    pub fn name_for(&self, path: &str) -> MailboxName {
        let whole = |path: &str| name::from_path(path, self.delimiter, self.utf8);
        let name = whole(path);
        if self.prefix.is_empty() || name.is_inbox() || name.wire.starts_with(self.prefix.as_bytes()) {
            name
        } else {
            whole(&format!("INBOX/{path}"))
        }
    }

    pub(super) fn argument(&self, mailbox: &MailboxName) -> Result<String, Error> {
        name::quote(&mailbox.wire).ok_or_else(|| {
            Error::new(
                ErrorClass::Refused,
                self.client.host(),
                "the mailbox has a name that cannot be sent",
            )
            .permanently(true)
        })
    }

    fn status_items(&self) -> String {
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

/// Passes over a refusal on which nothing hangs; a lost connection stays an error.
fn refused(error: Error) -> Result<(), Error> {
    match error.class {
        ErrorClass::Network | ErrorClass::Bug => Err(error),
        _ => Ok(()),
    }
}

/// Courier and Cyrus keep everything of the user's below INBOX and refuse names elsewhere: seen from the names, and
/// so without asking for the NAMESPACE (RFC 2342).
fn personal_prefix(mailboxes: &[ListedMailbox], delimiter: Option<char>) -> String {
    let Some(delimiter) = delimiter else {
        return String::new();
    };
    let prefix = format!("INBOX{delimiter}");
    let mut others = mailboxes
        .iter()
        .filter(|mailbox| !mailbox.name.is_inbox())
        .peekable();
    let below =
        others.peek().is_some() && others.all(|mailbox| mailbox.name.wire.starts_with(prefix.as_bytes()));
    if below { prefix } else { String::new() }
}

/// Whether the reply is `* word …`.
pub(super) fn begins(captured: &Captured, word: &[u8]) -> bool {
    let rest = captured.text.get(2..).unwrap_or_default();
    rest.get(..word.len())
        .is_some_and(|found| found.eq_ignore_ascii_case(word))
        && rest
            .get(word.len())
            .is_some_and(|next| next.is_ascii_whitespace() || *next == b'(')
}

impl Gathered {
    fn accept(&mut self, reply: Reply) {
        let Reply::Data(mut captured) = reply else { return };
        if self.overflown {
            return;
        }
        if begins(&captured, b"LIST") {
            if let Some(mailbox) = parse_list(&mut captured, self.utf8) {
                self.insert(mailbox);
            }
        } else if begins(&captured, b"LSUB") {
            if let Some(mailbox) = parse_list(&mut captured, self.utf8)
                && self.subscribed.len() < MOST
            {
                self.subscribed.push(mailbox.name.wire);
            }
        } else if begins(&captured, b"XLIST") {
            if let Some(listed) = parse_list(&mut captured, self.utf8)
                && let Some(place) = self.places.get(&key(&listed.name.wire))
                && let Some(mailbox) = self.mailboxes.get_mut(*place)
            {
                mailbox.special_use = mailbox.special_use.or(listed.special_use);
            }
        } else if begins(&captured, b"STATUS")
            && let Some((wire, status, _)) = parse_status(&mut captured)
            && let Some(place) = self.places.get(&key(&wire))
            && let Some(mailbox) = self.mailboxes.get_mut(*place)
        {
            mailbox.mailbox_id.clone_from(&status.mailbox_id);
            mailbox.status = Some(status);
        }
    }

    fn insert(&mut self, mailbox: ListedMailbox) {
        self.overflown |= self.mailboxes.len() >= MOST;
        let name = key(&mailbox.name.wire);
        if !self.overflown && !self.places.contains_key(&name) {
            self.places.insert(name, self.mailboxes.len());
            self.mailboxes.push(mailbox);
        }
    }

    fn finish(mut self, extended: bool) -> Vec<ListedMailbox> {
        // STATUS may come before the LIST reply of its mailbox in no server known; LSUB always comes apart.
        for wire in &self.subscribed {
            if let Some(mailbox) = self
                .places
                .get(&key(wire))
                .and_then(|place| self.mailboxes.get_mut(*place))
            {
                mailbox.subscribed = true;
            }
        }
        // A server on which nobody ever subscribed to anything shows everything.
        if !extended && self.subscribed.is_empty() {
            for mailbox in &mut self.mailboxes {
                mailbox.subscribed = true;
            }
        }
        special_use::guess(&mut self.mailboxes);
        self.mailboxes
    }
}

/// INBOX is one name however it is written.
pub(super) fn key(wire: &[u8]) -> Vec<u8> {
    if wire.eq_ignore_ascii_case(b"INBOX") {
        b"INBOX".to_vec()
    } else {
        wire.to_vec()
    }
}

/// `* LIST (\HasNoChildren) "/" name …`
fn parse_list(captured: &mut Captured, utf8: bool) -> Option<ListedMailbox> {
    let mut scanner = Scanner::new(captured);
    scanner.token()?;
    scanner.token()?;
    let Token::Open = scanner.token()? else {
        return None;
    };
    let (mut selectable, mut subscribed, mut special_use) = (true, false, None);
    scanner.walk(&mut |_, token| {
        let Token::Atom(attribute) = token else { return };
        let attribute = String::from_utf8_lossy(attribute).to_ascii_lowercase();
        match attribute.as_str() {
            "\\noselect" | "\\nonexistent" => selectable = false,
            "\\subscribed" => subscribed = true,
            // Before RFC 6154, Gmail and others called them so.
            "\\spam" => special_use = Some(SpecialUse::Junk),
            "\\starred" => special_use = Some(SpecialUse::Flagged),
            "\\allmail" => special_use = Some(SpecialUse::All),
            other => special_use = special_use.or(SpecialUse::from_attribute(other)),
        }
    })?;
    let delimiter = scanner.token()?;
    let delimiter = if delimiter.is_nil() {
        None
    } else {
        delimiter.into_bytes()
    };
    let delimiter = delimiter
        .and_then(|bytes| std::str::from_utf8(&bytes).ok()?.chars().next())
        .filter(char::is_ascii_graphic);
    let wire = scanner.token()?.into_bytes()?;
    let name = name::from_wire(wire, delimiter, utf8);
    if name.is_inbox() {
        special_use = Some(SpecialUse::Inbox);
    }
    Some(ListedMailbox {
        selectable: selectable && name::quote(&name.wire).is_some(),
        name,
        delimiter,
        special_use,
        subscribed,
        status: None,
        mailbox_id: None,
    })
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
