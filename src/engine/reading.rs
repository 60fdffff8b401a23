//! What a reader sees of a message beside its text: whose it is, what it asks for, and what may be shown or done.
//! Pure: bytes, settings and facts in, a [`Reading`] out.

pub mod catalog;
pub mod settings;

use std::collections::BTreeMap;

use posthorn_mime::Parsed;
use posthorn_mime::headers::list::ListHeaders;
use posthorn_model::{Address, Envelope, MessageId, NetworkPolicy, PicturePolicy, ReadingSettings};

use crate::catalog::Message;

/// Names a part of a message, or of a message inside it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartAt {
    pub message: MessageId,
    /// Indexes of parts: the last one is meant, those before it are messages that lead there.
    pub path: Vec<u32>,
}

/// How deep messages inside messages can be opened.
pub(crate) const DEEPEST: usize = 16;

impl PartAt {
    #[must_use]
    pub fn of(message: MessageId, index: u32) -> Self {
        Self {
            message,
            path: vec![index],
        }
    }

    /// A part of the message that this part is.
    #[must_use]
    pub fn inside(&self, index: u32) -> Self {
        let mut path = self.path.clone();
        path.push(index);
        Self {
            message: self.message,
            path,
        }
    }
}

/// What may be done about pictures on servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PictureRule {
    /// The user's rule allows them: fetch them with [`crate::pictures::Consent::Rule`].
    Show,
    /// Offer to show them once, for [`crate::pictures::Consent::Once`].
    Ask(AskWhy),
    /// Not shown, not offered.
    Never,
}

/// Why the reader is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AskWhy {
    /// Nothing else was said.
    Usual,
    /// This sender is always allowed, but it is not certain that the message is theirs.
    NotVerified,
    /// The connection is metered.
    Metered,
    /// It lies in the junk mailbox.
    Junk,
    /// It came inside another message: nobody vouches for its sender.
    Nested,
}

/// How to leave a mailing list, the best way first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unsubscribe {
    /// One POST (RFC 8058): [`crate::Engine::unsubscribe`].
    OneClick { url: String, host: String },
    /// A message to send: [`crate::Engine::unsubscribe`].
    Mail { to: Address },
    /// A page to visit: a link like others.
    Web { url: String },
}

/// A message as it is read.
#[derive(Clone, Debug)]
pub struct Reading {
    /// For a message inside another one: what is known from the inside; its id is the outer one's.
    pub message: Message,
    /// Empty for a stored message; for one inside it the parts that lead there.
    pub path: Vec<u32>,
    /// The parts that the HTML names by `cid:`, by Content-ID without angle brackets.
    pub related: BTreeMap<String, Vec<u8>>,
    pub pictures: PictureRule,
    pub list: ListHeaders,
    /// The ways to leave the list, best first; empty for other mail.
    pub unsubscribe: Vec<Unsubscribe>,
    /// An answer goes to these rather than to who wrote it.
    pub reply_elsewhere: Vec<Address>,
    /// The user's own addresses, in all accounts.
    pub me: Vec<String>,
}

/// What is known beside the bytes.
#[derive(Clone, Debug)]
pub struct Facts {
    pub settings: ReadingSettings,
    pub network: NetworkPolicy,
    pub me: Vec<String>,
    pub junk: bool,
    pub path: Vec<u32>,
}

/// Puts together what a reader sees. `message` comes without text and HTML; `raw` is `None` while the body is not
/// here.
#[must_use]
pub fn read(mut message: Message, raw: Option<&[u8]>, facts: Facts) -> Reading {
    let parsed = raw.map(posthorn_mime::parse).unwrap_or_default();
    let nested = !facts.path.is_empty();
    let related = raw.map(|raw| related(raw, &parsed)).unwrap_or_default();
    let pictures = decide(&facts, &message.envelope, false);
    let unsubscribe = if nested {
        Vec::new()
    } else {
        ways_out(&parsed.list)
    };
    let reply_elsewhere = elsewhere(&message.envelope);
    if raw.is_some() {
        message.text = parsed.text;
        message.html = parsed.html;
        message.parts = parsed.parts;
        message.defects = parsed.defects.iter().map(ToString::to_string).collect();
    }
    Reading {
        message,
        path: facts.path,
        related,
        pictures,
        list: parsed.list,
        unsubscribe,
        reply_elsewhere,
        me: facts.me,
    }
}

/// What the settings say about this sender's pictures. `verified`: the receiving server vouches that the message is
/// from the domain that it says.
#[must_use]
pub fn decide(facts: &Facts, envelope: &Envelope, verified: bool) -> PictureRule {
    let settings = &facts.settings;
    // A list of authors cannot be vouched for.
    let author = match envelope.from.as_slice() {
        [author] => Some(author.email.as_str()),
        _ => None,
    };
    let named = |senders: &std::collections::BTreeSet<posthorn_model::Sender>| {
        author.is_some_and(|author| senders.iter().any(|sender| sender.covers(author)))
    };
    let allowed = named(&settings.pictures_from);
    if named(&settings.no_pictures_from) || (settings.pictures == PicturePolicy::Never && !allowed) {
        return PictureRule::Never;
    }
    let always = settings.pictures == PicturePolicy::Always;
    if !allowed && !always {
        return PictureRule::Ask(AskWhy::Usual);
    }
    if facts.junk {
        PictureRule::Ask(AskWhy::Junk)
    } else if !facts.path.is_empty() {
        PictureRule::Ask(AskWhy::Nested)
    } else if !always && !verified {
        PictureRule::Ask(AskWhy::NotVerified)
    } else if facts.network == NetworkPolicy::Online {
        PictureRule::Show
    } else {
        PictureRule::Ask(AskWhy::Metered)
    }
}

/// The parts that the HTML may name by `cid:`, by Content-ID without angle brackets.
#[must_use]
pub fn related(raw: &[u8], parsed: &Parsed) -> BTreeMap<String, Vec<u8>> {
    let wanted = parsed
        .parts
        .iter()
        .filter(|part| part.inline && parsed.html.is_some())
        .filter_map(|part| Some((part.content_id.clone()?, part.index)));
    wanted
        .filter_map(|(id, index)| Some((id, posthorn_mime::part_bytes(raw, index)?)))
        .collect()
}

fn ways_out(list: &ListHeaders) -> Vec<Unsubscribe> {
    let mut ways = Vec::new();
    let web = list.unsubscribe.iter().find(|url| url.starts_with("https:"));
    if let Some(url) = web.filter(|_| list.one_click)
        && let Some(host) = host_of(url)
    {
        ways.push(Unsubscribe::OneClick {
            url: url.clone(),
            host,
        });
    }
    let mail = list.unsubscribe.iter().find_map(|url| {
        let draft = posthorn_mime::compose::from_mailto(url)?;
        draft.to.into_iter().find(|to| to.email.contains('@'))
    });
    ways.extend(mail.map(|to| Unsubscribe::Mail { to }));
    if ways.is_empty() {
        ways.extend(web.map(|url| Unsubscribe::Web { url: url.clone() }));
    }
    ways
}

/// The host of a web address, as it is shown.
pub(crate) fn host_of(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#', '\\']).next()?;
    let host = authority.rsplit('@').next()?;
    (!host.is_empty()).then(|| host.to_owned())
}

/// Where an answer goes, if that is not to its authors.
fn elsewhere(envelope: &Envelope) -> Vec<Address> {
    let same = |a: &Address, b: &Address| a.email.eq_ignore_ascii_case(&b.email);
    let mut others = envelope.reply_to.clone();
    others.retain(|to| !envelope.from.iter().any(|from| same(from, to)));
    others
}

#[cfg(test)]
mod tests;
