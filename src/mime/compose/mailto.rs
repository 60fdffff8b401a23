//! `mailto:` links (RFC 6068). Anybody can write one: it may fill a draft, never send, attach or set other fields.

use posthorn_model::{Address, InternetMessageId};

use crate::address::parse_addresses;
use crate::envelope::message_ids;
use crate::text::linkify::percent_decode;
use crate::word;

/// What a link asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mailto {
    pub to: Vec<Address>,
    pub cc: Vec<Address>,
    pub bcc: Vec<Address>,
    pub subject: String,
    pub body: String,
    pub in_reply_to: Option<InternetMessageId>,
}

/// Reads a link; `None` where it is no `mailto:`. Fields other than those of [`Mailto`] are left out (section 4).
#[must_use]
pub fn from_mailto(link: &str) -> Option<Mailto> {
    let link = link.trim();
    let link = link.get(..link.floor_char_boundary(64 * 1024))?;
    let scheme = link
        .get(..7)
        .filter(|scheme| scheme.eq_ignore_ascii_case("mailto:"))?;
    let rest = link.get(scheme.len()..)?;
    let rest = rest.split('#').next().unwrap_or_default();
    let (to, query) = rest.split_once('?').unwrap_or((rest, ""));
    let mut out = Mailto {
        to: addresses(to),
        ..Mailto::default()
    };
    // `+` is a plus here, not a space (section 5).
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        match percent_decode(name).to_ascii_lowercase().as_str() {
            "to" => out.to.extend(addresses(value)),
            "cc" => out.cc.extend(addresses(value)),
            "bcc" => out.bcc.extend(addresses(value)),
            "subject" => out.subject = word::clean(&percent_decode(value)),
            "in-reply-to" => {
                out.in_reply_to = message_ids(percent_decode(value).as_bytes()).into_iter().next()
            }
            "body" => {
                if !out.body.is_empty() {
                    out.body.push('\n');
                }
                let body = percent_decode(value).replace("\r\n", "\n").replace('\r', "\n");
                out.body.extend(
                    body.chars()
                        .filter(|c| !c.is_control() || matches!(c, '\n' | '\t')),
                );
            }
            _ => {}
        }
    }
    Some(out)
}

/// Commas separate before decoding: an encoded one belongs to its address (section 2).
fn addresses(encoded: &str) -> Vec<Address> {
    encoded
        .split(',')
        .flat_map(|piece| parse_addresses(&percent_decode(piece)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_links() {
        let check = |link: &str, to: &[&str], subject: &str, body: &str| {
            let read = from_mailto(link).unwrap();
            let emails: Vec<_> = read.to.iter().map(|address| address.email.as_str()).collect();
            assert_eq!(
                (emails.as_slice(), read.subject.as_str(), read.body.as_str()),
                (to, subject, body),
                "{link:?}"
            );
        };
        check("mailto:a@b.c", &["a@b.c"], "", "");
        check("MAILTO:a@b.c,d@e.f", &["a@b.c", "d@e.f"], "", "");
        check("mailto:?to=a@b.c&subject=Hi%20there", &["a@b.c"], "Hi there", "");
        check("mailto:a@b?subject=x&body=1%0D%0A2", &["a@b"], "x", "1\n2");
        check("mailto:a+b@c", &["a+b@c"], "", "");
        check(
            "mailto:gorby%25kremvax@example.com",
            &["gorby%kremvax@example.com"],
            "",
            "",
        );
        check(
            "mailto:a@b?subject=x%0D%0ABcc:%20evil@x",
            &["a@b"],
            "x Bcc: evil@x",
            "",
        );
        check(
            "mailto:a@b?attach=/etc/passwd&from=evil@x&X-Y=z",
            &["a@b"],
            "",
            "",
        );
        check("mailto:", &[], "", "");
        check("mailto:a@b?subject=caf%C3%A9%ZZ", &["a@b"], "café%ZZ", "");
        assert_eq!(from_mailto("https://example.org"), None);
        assert_eq!(from_mailto("mail"), None);
        let read = from_mailto("mailto:a@b?cc=c@d&bcc=e@f&In-Reply-To=%3Cid@x%3E").unwrap();
        assert_eq!((read.cc.len(), read.bcc.len()), (1, 1));
        assert_eq!(read.in_reply_to, Some(InternetMessageId("id@x".into())));
    }
}
