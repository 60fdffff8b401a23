//! Names for mailboxes that the user makes: what may be one, and how the server at hand would write it. Pure.

use posthorn_model::MailboxName;
use posthorn_net::imap::mailbox_name;
use posthorn_store::MailboxRow;

use crate::Error;

/// Characters of one level at most: what file systems below servers take.
const LEVEL: usize = 200;
/// Octets of a whole name: what fits a command.
const NAME: usize = 900;

/// How an account's server writes names, as far as its mailboxes tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Naming {
    /// Between levels; `None`: the server has no levels, or nothing is known of it.
    pub delimiter: Option<char>,
    /// What every name of the user's own begins with, as a path: empty, or `INBOX/`.
    pub prefix: String,
    /// RFC 6855: UTF-8 in place of modified UTF-7.
    pub utf8: bool,
}

impl Naming {
    /// What the mailboxes that are known tell.
    #[must_use]
    pub fn of(rows: &[MailboxRow]) -> Self {
        let local = rows.iter().all(|row| row.local);
        let delimiter = rows.iter().find_map(|row| row.delimiter);
        // Courier and Cyrus keep everything below INBOX and refuse names elsewhere.
        let mut others = rows
            .iter()
            .filter(|row| !row.local && !row.name.is_inbox())
            .peekable();
        let below = delimiter.is_some()
            && others.peek().is_some()
            && others.all(|row| row.name.path.starts_with("INBOX/"));
        Self {
            delimiter: if local { Some('/') } else { delimiter },
            prefix: if below { "INBOX/".to_owned() } else { String::new() },
            utf8: local || rows.iter().any(|row| !row.name.wire.is_ascii()),
        }
    }

    /// The name for what a person wrote, `/` between levels.
    ///
    /// # Errors
    /// `Config`, in words for the person, where no mailbox can have this name.
    pub fn name(&self, path: &str) -> Result<MailboxName, Error> {
        check(path, self.delimiter)?;
        let whole = if path.starts_with(&self.prefix) || path.eq_ignore_ascii_case("inbox") {
            path.to_owned()
        } else {
            format!("{}{path}", self.prefix)
        };
        let name = mailbox_name(&whole, self.delimiter, self.utf8);
        if name.wire.len() > NAME {
            return Err(Error::config("this name is too long for a mailbox"));
        }
        Ok(name)
    }
}

fn check(path: &str, delimiter: Option<char>) -> Result<(), Error> {
    if delimiter.is_none() && path.contains('/') {
        return Err(Error::config(
            "this server keeps no mailboxes within mailboxes: a name cannot hold a /",
        ));
    }
    for level in path.split('/') {
        if level.is_empty() {
            return Err(Error::config("a mailbox's name cannot be empty"));
        }
        if level.trim() != level {
            return Err(Error::config("a mailbox's name cannot begin or end with a blank"));
        }
        if level.chars().any(is_unseen) {
            return Err(Error::config(
                "a mailbox's name cannot hold control characters or characters that turn text around",
            ));
        }
        if level.chars().count() > LEVEL {
            return Err(Error::config("this name is too long for a mailbox"));
        }
        if let Some(delimiter) = delimiter.filter(|delimiter| *delimiter != '/' && level.contains(*delimiter))
        {
            return Err(Error::config(format!(
                "on this server {delimiter} stands between mailboxes: a name cannot hold it"
            )));
        }
    }
    Ok(())
}

/// Nobody could tell such a name from another (Unicode annex 9 section 2; RFC 9051 section 5.1).
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// The name of a mailbox below one that is renamed; `None` where it does not stand below it.
#[must_use]
pub fn below(
    name: &MailboxName,
    from: &MailboxName,
    to: &MailboxName,
    delimiter: char,
) -> Option<MailboxName> {
    let mut bytes = [0; 4];
    let between = delimiter.encode_utf8(&mut bytes).as_bytes();
    let rest = name.wire.strip_prefix(from.wire.as_slice())?;
    rest.strip_prefix(between)?;
    let tail = name.path.strip_prefix(from.path.as_str())?;
    let mut wire = to.wire.clone();
    wire.extend_from_slice(rest);
    Some(MailboxName {
        wire,
        path: format!("{}{tail}", to.path),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::mailbox::tests::row;

    #[test]
    fn writes_names_as_the_server_does() {
        let check = |naming: &Naming, path: &str, wire: Option<&str>| {
            let name = naming.name(path).ok();
            let found = name.map(|name| String::from_utf8(name.wire).expect("text"));
            assert_eq!(found.as_deref(), wire, "{path:?}");
        };
        let slash = Naming::of(&[row(1, "INBOX"), row(2, "Work")]);
        check(&slash, "Entwürfe/A & B", Some("Entw&APw-rfe/A &- B"));
        check(&slash, "", None);
        check(&slash, "a//b", None);
        check(&slash, "/a", None);
        check(&slash, " a", None);
        check(&slash, "a /b", None);
        check(&slash, "a\tb", None);
        check(&slash, "a\r\nb", None);
        check(&slash, "a\u{202e}b", None);
        check(&slash, "a.b", Some("a.b"));
        check(&slash, &"x".repeat(201), None);
        check(&slash, &"ü/".repeat(400), None);
        check(&slash, "../etc", Some("../etc"));
        let mut dotted = [row(1, "INBOX"), row(2, "INBOX/Sent")];
        for row in &mut dotted {
            row.delimiter = Some('.');
        }
        let dotted = Naming::of(&dotted);
        check(&dotted, "Lists/Rust", Some("INBOX.Lists.Rust"));
        check(&dotted, "INBOX/Lists", Some("INBOX.Lists"));
        check(&dotted, "v1.0", None);
        let mut flat = row(1, "INBOX");
        flat.delimiter = None;
        check(&Naming::of(&[flat]), "a/b", None);
        let mut wide = row(2, "Entwürfe");
        wide.name = MailboxName::local("Entwürfe");
        check(&Naming::of(&[row(1, "INBOX"), wide]), "ü", Some("ü"));
    }

    #[test]
    fn a_mailbox_below_follows() {
        let name = |path: &str| mailbox_name(path, Some('.'), false);
        let check = |path: &str, expect: Option<&str>| {
            let found = below(&name(path), &name("A"), &name("ü/B"), '.');
            assert_eq!(found, expect.map(name), "{path}");
        };
        check("A/x", Some("ü/B/x"));
        check("A/x/y", Some("ü/B/x/y"));
        check("Ax", None);
        check("A", None);
        check("B/A/x", None);
    }
}
