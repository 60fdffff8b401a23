//! LIST and LSUB (RFC 9051 section 6.3.9, RFC 3501 section 6.3.9, RFC 5819); making, renaming and deleting mailboxes.

use posthorn_model::{ErrorClass, MailboxName, SpecialUse};
use std::collections::HashMap;
use tokio::time::Instant;

use super::client::Reply;
use super::code::Verdict;
use super::guard::Captured;
use super::scan::{Scanner, Token};
use super::status::parse_status;
use super::{ListedMailbox, Session, name, special_use};
use crate::Error;

/// Mailboxes in one account.
const MOST: usize = 50_000;

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

    /// Leaves the selected mailbox, where there is one, without expunging anything (RFC 3691). Of the one that is
    /// selected, STATUS need not tell the truth (RFC 9051 section 6.3.11).
    ///
    /// # Errors
    /// Where the connection fails.
    pub async fn unselect(&mut self) -> Result<(), Error> {
        if !std::mem::take(&mut self.selected) {
            return Ok(());
        }
        let command = if self.capabilities.has("UNSELECT") {
            "UNSELECT"
        } else {
            // CLOSE would expunge. RFC 9051 section 6.3.2: an EXAMINE that fails leaves nothing selected.
            "EXAMINE \"no mailbox of this name, so that none is selected\""
        };
        // Refused: none was selected any more, as when somebody has deleted it.
        let patience = self.client.patience();
        self.client.run(command, patience, &mut |_| {}).await?;
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
