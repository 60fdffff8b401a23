//! Mailboxes as a whole: LIST and its extensions (RFC 5258, 5819, 6154), STATUS, CREATE, DELETE, RENAME.

use posthorn_model::{Flag, SpecialUse, Timestamp};

use super::command::{List, StatusItem};
use super::session::{Answer, Session, no, ok};
use super::{quote, utf7};
use crate::mailbox::{Account, Mailbox, canonical, is_below, title};
use crate::server::now;

/// Mailboxes of one user: more is abuse.
const MAX_MAILBOXES: usize = 2000;

impl Session {
    pub fn create(&mut self, mailbox: &str, special_use: Option<&str>) -> Answer {
        let path = mailbox.strip_suffix('/').unwrap_or(mailbox);
        if path.is_empty()
            || path
                .split('/')
                .any(|level| level.is_empty() || level == "." || level == "..")
        {
            return no("[CANNOT] impossible mailbox name");
        }
        let purpose = special_use.and_then(SpecialUse::from_attribute);
        if special_use.is_some() && purpose.is_none() {
            return no("[USEATTR] unknown special use");
        }
        let Some(user) = self.user.clone() else {
            return no("log in first");
        };
        let objects = self.core.offers("OBJECTID");
        self.core.store.change(|state| {
            if state
                .account(&user)
                .is_some_and(|account| account.mailboxes.len() >= MAX_MAILBOXES)
            {
                return no("[LIMIT] too many mailboxes");
            }
            // The levels above come into being too (RFC 9051 section 6.3.4).
            for (at, _) in path.match_indices('/') {
                if let Some(above) = path.get(..at) {
                    state.create(&user, above, None);
                }
            }
            if state.create(&user, path, purpose) {
                let made = state.account(&user).and_then(|account| account.mailbox(path));
                match made.filter(|_| objects) {
                    Some(mailbox) => Ok(format!("[MAILBOXID ({})] created", mailbox.object_id())),
                    None => ok("created"),
                }
            } else {
                no("[ALREADYEXISTS] it exists")
            }
        })
    }

    pub fn delete(&mut self, mailbox: &str) -> Answer {
        let path = canonical(mailbox);
        let result = self.change_account(|account| {
            if path == "INBOX" {
                return no("[CANNOT] INBOX stays");
            }
            if account.mailbox(path).is_none() {
                return no("[NONEXISTENT] no such mailbox");
            }
            if account.has_children(path) {
                return no("[HASCHILDREN] it has mailboxes below it");
            }
            account.mailboxes.retain(|mailbox| mailbox.path != path);
            ok("deleted")
        });
        let selected_gone = self.selected.is_some() && self.with_selected(|_| ()).is_none();
        if selected_gone {
            self.selected = None;
        }
        result.unwrap_or_else(|| no("log in first"))
    }

    pub fn rename(&mut self, from: &str, to: &str) -> Answer {
        let (from, to) = (canonical(from).to_owned(), canonical(to).to_owned());
        let Some(user) = self.user.clone() else {
            return no("log in first");
        };
        let known =
            self.with_account(|account| (account.mailbox(&from).is_some(), account.mailbox(&to).is_some()));
        match known {
            Some((true, false)) if !is_below(&to, &from) => (),
            Some((false, _)) => return no("[NONEXISTENT] no such mailbox"),
            _ => return no("[ALREADYEXISTS] that name cannot be taken"),
        }
        if from == "INBOX" {
            // RFC 9051 section 6.3.6: its messages move, INBOX stays.
            self.create(&to, None)?;
            return self.core.store.change(|state| {
                let Some(account) = state.account_mut(&user) else {
                    return no("no such user");
                };
                let all = account
                    .mailbox("INBOX")
                    .map(|inbox| inbox.messages.clone())
                    .unwrap_or_default();
                for message in all {
                    if let Some(target) = account.mailbox_mut(&to) {
                        target.append(message.raw, message.flags, message.internal_date);
                    }
                }
                if let Some(inbox) = account.mailbox_mut("INBOX") {
                    inbox.remove(|_| true);
                }
                ok("renamed")
            });
        }
        self.change_account(|account| {
            for mailbox in &mut account.mailboxes {
                let below = mailbox
                    .path
                    .strip_prefix(&from)
                    .filter(|rest| rest.is_empty() || rest.starts_with('/'));
                if let Some(path) = below.map(|rest| format!("{to}{rest}")) {
                    if account.subscriptions.remove(&mailbox.path) {
                        account.subscriptions.insert(path.clone());
                    }
                    mailbox.path = path;
                }
            }
            ok("renamed")
        })
        .unwrap_or_else(|| no("log in first"))
    }

    pub fn subscribe(&mut self, mailbox: &str, wanted: bool) -> Answer {
        let path = canonical(mailbox).to_owned();
        self.change_account(|account| {
            if !wanted {
                account.subscriptions.remove(&path);
            } else if account.mailbox(&path).is_some() {
                account.subscriptions.insert(path);
            } else {
                return no("[NONEXISTENT] no such mailbox");
            }
            ok("done")
        })
        .unwrap_or_else(|| no("log in first"))
    }

    pub fn list(&mut self, list: &List) -> Answer {
        if list.extended && !self.core.offers("LIST-EXTENDED") {
            let special = list.only_special_use || list.return_special_use;
            let status = !list.return_status.is_empty();
            if !(special && self.core.offers("SPECIAL-USE") || status && self.core.offers("LIST-STATUS")) {
                return Err("BAD no extended LIST here".to_owned());
            }
        }
        if self.refuses(&list.return_status) {
            return Err("BAD unknown STATUS item".to_owned());
        }
        if !list.return_status.is_empty() && !self.core.offers("LIST-STATUS") {
            return Err("BAD no STATUS in LIST here".to_owned());
        }
        if !list.extended && list.patterns.iter().all(String::is_empty) {
            self.link.line("* LIST (\\Noselect) \"/\" \"\"");
            return ok("done");
        }
        let (special_use, children) = (self.core.offers("SPECIAL-USE"), self.core.offers("CHILDREN"));
        let lines = self.with_account(|account| {
            let mut lines = Vec::new();
            for mailbox in &account.mailboxes {
                if list.shows(account, mailbox) {
                    let attributes = list.attributes(account, mailbox, special_use, children);
                    lines.push(format!(
                        "* LIST ({attributes}) \"/\" {}",
                        wire_name(&mailbox.path, self.utf8)
                    ));
                    if !list.return_status.is_empty() {
                        let standing = self.standing(mailbox);
                        lines.push(status_line(mailbox, standing, &list.return_status, self.utf8));
                    }
                }
            }
            lines
        });
        for line in lines.unwrap_or_default() {
            self.link.line(line);
        }
        ok("done")
    }

    pub fn lsub(&mut self, reference: &str, pattern: &str) -> Answer {
        let pattern = format!("{reference}{pattern}");
        let names = self
            .with_account(|account| account.subscriptions.clone())
            .unwrap_or_default();
        for name in names.iter().filter(|name| matches(name, &pattern)) {
            let name = wire_name(name, self.utf8);
            self.link.line(format!("* LSUB () \"/\" {name}"));
        }
        ok("done")
    }

    fn refuses(&self, items: &[StatusItem]) -> bool {
        items.iter().any(|item| match item {
            StatusItem::HighestModSeq => !self.core.offers("CONDSTORE"),
            StatusItem::Size => !self.rev2 && !self.core.offers("STATUS=SIZE"),
            StatusItem::MailboxId => !self.core.offers("OBJECTID"),
            _ => false,
        })
    }

    pub fn status(&mut self, mailbox: &str, items: &[StatusItem]) -> Answer {
        if self.refuses(items) {
            return Err("BAD unknown STATUS item".to_owned());
        }
        self.condstore |= items.contains(&StatusItem::HighestModSeq);
        let line = self.with_account(|account| {
            account
                .mailbox(mailbox)
                .map(|mailbox| status_line(mailbox, self.standing(mailbox), items, self.utf8))
        });
        match line.flatten() {
            Some(line) => {
                self.link.line(line);
                ok("done")
            }
            None => no("[NONEXISTENT] no such mailbox"),
        }
    }

    /// As servers do whose sessions look at a mailbox through what they last told of it: STATUS of the selected one
    /// lags behind (RFC 9051 section 6.3.11 tells clients not to ask).
    fn standing(&self, mailbox: &Mailbox) -> Standing {
        match &self.selected {
            Some(selected) if selected.id == mailbox.id => selected.standing,
            _ => Standing::of(mailbox),
        }
    }

    /// APPEND (RFC 9051 section 6.3.12) with APPENDUID (RFC 4315).
    pub fn append(
        &mut self,
        mailbox: &str,
        flags: posthorn_model::Flags,
        date: Option<Timestamp>,
        raw: Vec<u8>,
    ) -> Answer {
        let Some(user) = self.user.clone() else {
            return no("log in first");
        };
        if raw.contains(&0) {
            return no("[CANNOT] a message holds no NUL");
        }
        let date = date.unwrap_or_else(now);
        let appended = self.core.store.change(|state| {
            let quota = state.quota;
            let account = state.account_mut(&user).ok_or("no such user")?;
            if account.size().saturating_add(raw.len() as u64) > quota {
                return Err("[OVERQUOTA] the sandbox is full");
            }
            let mailbox = account
                .mailbox_mut(mailbox)
                .ok_or("[TRYCREATE] no such mailbox")?;
            let uid = mailbox
                .append(raw.into(), flags, date)
                .ok_or("[LIMIT] no UIDs left")?;
            Ok((mailbox.uid_validity, uid))
        });
        match appended {
            Ok((validity, uid)) if self.core.offers("UIDPLUS") => {
                Ok(format!("[APPENDUID {validity} {uid}] kept"))
            }
            Ok(_) => ok("kept"),
            Err(text) => no(text),
        }
    }
}

impl List {
    fn shows(&self, account: &Account, mailbox: &Mailbox) -> bool {
        let named = self.patterns.iter().any(|pattern| {
            let pattern = format!("{}{pattern}", self.reference);
            matches(&mailbox.path, &pattern)
        });
        let subscribed = !self.only_subscribed || account.subscriptions.contains(&mailbox.path);
        named && subscribed && (!self.only_special_use || mailbox.special_use.is_some())
    }

    fn attributes(&self, account: &Account, mailbox: &Mailbox, special_use: bool, children: bool) -> String {
        let mut names = Vec::new();
        if children {
            let parent = account.has_children(&mailbox.path);
            names.push(if parent {
                "\\HasChildren".to_owned()
            } else {
                "\\HasNoChildren".to_owned()
            });
        }
        let subscribed = account.subscriptions.contains(&mailbox.path);
        if subscribed && (self.only_subscribed || self.return_subscribed) {
            names.push("\\Subscribed".to_owned());
        }
        if special_use && let Some(purpose) = mailbox.special_use {
            names.push(format!("\\{}", title(purpose)));
        }
        names.join(" ")
    }
}

pub fn wire_name(path: &str, utf8: bool) -> String {
    if utf8 {
        quote(path)
    } else {
        quote(&utf7::encode(path))
    }
}

/// What STATUS says of a mailbox that changes by mail and marks.
#[derive(Clone, Copy)]
pub struct Standing {
    messages: usize,
    unseen: usize,
    uid_next: u32,
    pub highest_modseq: u64,
}

impl Standing {
    pub fn of(mailbox: &Mailbox) -> Self {
        Self {
            messages: mailbox.messages.len(),
            unseen: mailbox.unseen(),
            uid_next: mailbox.uid_next,
            highest_modseq: mailbox.highest_modseq(),
        }
    }
}

pub fn status_line(mailbox: &Mailbox, standing: Standing, items: &[StatusItem], utf8: bool) -> String {
    let values: Vec<String> = items
        .iter()
        .map(|item| status_value(mailbox, standing, *item))
        .collect();
    format!(
        "* STATUS {} ({})",
        wire_name(&mailbox.path, utf8),
        values.join(" ")
    )
}

fn status_value(mailbox: &Mailbox, standing: Standing, item: StatusItem) -> String {
    match item {
        StatusItem::Messages => format!("MESSAGES {}", standing.messages),
        StatusItem::Recent => "RECENT 0".to_owned(),
        StatusItem::UidNext => format!("UIDNEXT {}", standing.uid_next),
        StatusItem::UidValidity => format!("UIDVALIDITY {}", mailbox.uid_validity),
        StatusItem::Unseen => format!("UNSEEN {}", standing.unseen),
        StatusItem::HighestModSeq => format!("HIGHESTMODSEQ {}", standing.highest_modseq),
        StatusItem::MailboxId => format!("MAILBOXID ({})", mailbox.object_id()),
        StatusItem::Size => format!("SIZE {}", mailbox.size()),
        StatusItem::Deleted => {
            let deleted = mailbox
                .messages
                .iter()
                .filter(|m| m.flags.contains(Flag::Deleted))
                .count();
            format!("DELETED {deleted}")
        }
    }
}

/// LIST wildcards (RFC 9051 section 6.3.9): `*` stands for anything, `%` for anything within one level.
/// One pass over the name for each character of the pattern, so that no pattern can take exponential time.
fn matches(name: &str, pattern: &str) -> bool {
    let inbox = pattern.eq_ignore_ascii_case("INBOX");
    let name: Vec<char> = name.chars().collect();
    // `reached[i]`: the pattern so far can match the first i characters.
    let mut reached = vec![false; name.len() + 1];
    if let Some(first) = reached.first_mut() {
        *first = true;
    }
    for wanted in if inbox { "INBOX" } else { pattern }.chars() {
        let mut next = vec![false; name.len() + 1];
        let mut open = false;
        let steps = std::iter::once(None).chain(name.iter().copied().map(Some));
        let mut before = false;
        for ((slot, was), step) in next.iter_mut().zip(&reached).zip(steps) {
            match wanted {
                '*' | '%' => {
                    open = *was || (open && !(wanted == '%' && step == Some('/')));
                    *slot = open;
                }
                _ => *slot = before && step == Some(wanted),
            }
            before = *was;
        }
        reached = next;
    }
    reached.last() == Some(&true)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn matches_wildcards() {
        for (name, pattern, expect) in [
            ("INBOX", "*", true),
            ("INBOX", "inbox", true),
            ("INBOX", "%", true),
            ("A/B", "%", false),
            ("A/B", "%/%", true),
            ("A/B", "*", true),
            ("A/B", "A/%", true),
            ("A/B/C", "A/%", false),
            ("A/B/C", "A/*", true),
            ("A/B/C", "A*C", true),
            ("Sent", "Sen", false),
            ("Sent", "Sent", true),
            ("Sent", "", false),
            ("aaaaaaaaaaaaaaaaaaaaaaaaaaaa", "*a*a*a*a*a*a*a*a*a*a*b", false),
        ] {
            assert_eq!(matches(name, pattern), expect, "{name} {pattern}");
        }
    }
}
