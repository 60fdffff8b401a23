//! NAMESPACE (RFC 2342): where the user's own mailboxes are, and where others' are.

use super::Session;
use super::client::Reply;
use super::guard::Captured;
use super::mailboxes::begins;
use super::scan::{Scanner, Token};
use crate::Error;

/// Namespaces of one kind that are believed.
const MOST: usize = 100;

/// Names that begin with one prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Namespace {
    /// As the server wrote it, the delimiter at its end included; empty for names without a prefix.
    pub prefix: Vec<u8>,
    /// `None`: flat.
    pub delimiter: Option<char>,
}

/// What a server told of its namespaces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Namespaces {
    pub personal: Vec<Namespace>,
    /// Of other users.
    pub other: Vec<Namespace>,
    pub shared: Vec<Namespace>,
}

impl Session {
    /// Asked once a connection; `None` where the server does not tell.
    ///
    /// # Errors
    /// Where the connection fails.
    pub async fn namespaces(&mut self) -> Result<Option<Namespaces>, Error> {
        if let Some(known) = &self.namespaces {
            return Ok(known.clone());
        }
        let mut told = None;
        if self.capabilities.has("NAMESPACE") {
            let patience = self.client.patience();
            let done = self
                .client
                .run("NAMESPACE", patience, &mut |reply| {
                    if let Reply::Data(mut captured) = reply
                        && begins(&captured, b"NAMESPACE")
                    {
                        told = parse(&mut captured).or(told.take());
                    }
                })
                .await?;
            if done.demand_ok(self.client.host(), "").is_err() {
                told = None;
            }
        }
        self.namespaces = Some(told.clone());
        Ok(told)
    }
}

/// `* NAMESPACE (("" "/")) NIL (("Public/" "/"))`
fn parse(captured: &mut Captured) -> Option<Namespaces> {
    let mut scanner = Scanner::new(captured);
    scanner.token()?;
    scanner.token()?;
    let mut next = || list(&mut scanner);
    Some(Namespaces {
        personal: next()?,
        other: next().unwrap_or_default(),
        shared: next().unwrap_or_default(),
    })
}

fn list(scanner: &mut Scanner<'_>) -> Option<Vec<Namespace>> {
    let mut found = Vec::new();
    match scanner.token()? {
        Token::Open => {}
        first => return first.is_nil().then_some(found),
    }
    // The first two strings of each inner list; RFC 2342 lets extensions follow them.
    let mut strings: Vec<Option<Vec<u8>>> = Vec::new();
    scanner.walk(&mut |depth, token| match token {
        Token::Open if depth == 1 => strings.clear(),
        Token::Close if depth == 1 => {
            let mut strings = strings.drain(..);
            if let Some(Some(prefix)) = strings.next()
                && found.len() < MOST
            {
                let delimiter = strings.next().flatten();
                found.push(Namespace {
                    prefix,
                    delimiter: delimiter.and_then(|bytes| delimiter_of(&bytes)),
                });
            }
        }
        token if depth == 2 && strings.len() < 2 => {
            strings.push(if token.is_nil() { None } else { token.into_bytes() });
        }
        _ => {}
    })?;
    Some(found)
}

/// One graphic character.
pub(super) fn delimiter_of(bytes: &[u8]) -> Option<char> {
    let text = std::str::from_utf8(bytes).ok()?;
    text.chars().next().filter(char::is_ascii_graphic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_servers_tell() {
        let check = |text: &str, expect: Option<&str>| {
            let mut captured = Captured {
                text: text.as_bytes().to_vec(),
                ..Captured::default()
            };
            let show = |spaces: &[Namespace]| {
                let show = |space: &Namespace| {
                    let prefix = String::from_utf8_lossy(&space.prefix).into_owned();
                    prefix + &space.delimiter.map_or_else(|| "-".to_owned(), String::from)
                };
                spaces.iter().map(show).collect::<Vec<_>>().join(",")
            };
            let shown = parse(&mut captured).map(|all| {
                [&all.personal, &all.other, &all.shared]
                    .map(|kind| show(kind))
                    .join("; ")
            });
            assert_eq!(shown.as_deref(), expect, "{text:?}");
        };
        check("* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n", Some("/; ; "));
        check(
            "* NAMESPACE ((\"INBOX.\" \".\")) ((\"user.\" \".\")) ((\"\" \".\"))\r\n",
            Some("INBOX..; user..; ."),
        );
        check(
            "* NAMESPACE ((\"\" \"\\\\\")) ((\"Other\\\\\" \"\\\\\")) NIL\r\n",
            Some("\\; Other\\\\; "),
        );
        check(
            "* NAMESPACE ((\"\" \"/\" \"X-PARAM\" (\"FLAG1\" \"FLAG2\"))(\"#mh/\" \"/\")) NIL NIL\r\n",
            Some("/,#mh//; ; "),
        );
        check("* NAMESPACE ((\"\" NIL))\r\n", Some("-; ; "));
        check("* NAMESPACE NIL NIL NIL\r\n", Some("; ; "));
        check("* NAMESPACE\r\n", None);
        check("* NAMESPACE ((((\r\n", None);
    }
}
