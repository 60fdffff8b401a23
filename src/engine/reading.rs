//! What a reader sees of a message beside its text: whose it is, what it asks for, and what may be shown or done.
//! Pure: bytes, settings and facts in, a [`Reading`] out.

pub mod catalog;
pub mod settings;
mod trust;

use std::collections::BTreeMap;

use posthorn_mime::headers::list::ListHeaders;
use posthorn_mime::read::{Attached, Reader};
use posthorn_mime::{Asked, Card, Invitation, Mark, PartStat, Shown, Trusted, Verdict};
use posthorn_model::{
    Address, Envelope, MessageId, NetworkPolicy, PicturePolicy, ReadingSettings, ReceiptPolicy,
};

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
    OneClick {
        url: String,
        host: String,
        /// A signature of the sender covers the address. Without one it may be anybody's: show the host first.
        signed: bool,
    },
    /// A message to send: [`crate::Engine::unsubscribe`].
    Mail { to: Address },
    /// A page to visit: a link like others.
    Web { url: String },
}

/// A request for a receipt, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReceiptState {
    /// The reader may be asked: [`crate::Engine::send_receipt`] or [`crate::Engine::decline_receipt`].
    Open(Asked),
    /// The settings say that none are sent, or it lies in the junk mailbox: nobody is asked.
    Off(Asked),
    /// One was sent, or the reader said no.
    Answered,
}

/// An event that somebody invites to, and what the reader answered from here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invited {
    pub invitation: Invitation,
    pub answered: Option<PartStat>,
}

/// A message as it is read.
#[derive(Clone, Debug)]
pub struct Reading {
    /// For a message inside another one: what is known from the inside; its id is the outer one's.
    pub message: Message,
    /// Empty for a stored message; for one inside it the parts that lead there.
    pub path: Vec<u32>,
    /// The author as it may be shown, with what is odd about it; `None`: there is none.
    pub sender: Option<Shown>,
    /// What the receiving server says about the author. Of a message inside another one nothing is known.
    pub verdict: Verdict,
    /// What the HTML may show by `cid:` or location, by Content-ID without angle brackets.
    pub related: BTreeMap<String, Vec<u8>>,
    pub pictures: PictureRule,
    pub list: ListHeaders,
    /// The ways to leave the list, best first; empty for other mail.
    pub unsubscribe: Vec<Unsubscribe>,
    pub receipt: Option<ReceiptState>,
    pub invitations: Vec<Invited>,
    pub cards: Vec<Card>,
    pub attachments: Vec<Attached>,
    /// An answer goes to these rather than to who wrote it.
    pub reply_elsewhere: Vec<Address>,
    /// The user's own addresses, in all accounts.
    pub me: Vec<String>,
}

impl Reading {
    /// A message of which nothing else is known.
    #[must_use]
    pub fn bare(message: Message) -> Self {
        read(message, None, Facts::default())
    }

    /// Where a part of this message is.
    #[must_use]
    pub fn part_at(&self, index: u32) -> PartAt {
        let mut path = self.path.clone();
        path.push(index);
        PartAt {
            message: self.message.id,
            path,
        }
    }
}

/// What is known beside the bytes.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    pub settings: ReadingSettings,
    pub network: NetworkPolicy,
    pub me: Vec<String>,
    /// Whose authentication results the account believes.
    pub trusted: Trusted,
    pub junk: bool,
    pub path: Vec<u32>,
    /// The request for a receipt was answered.
    pub receipt_answered: bool,
}

/// Puts together what a reader sees. `message` comes without text and HTML; `raw` is `None` while the body is not
/// here.
#[must_use]
pub fn read(mut message: Message, raw: Option<&[u8]>, facts: Facts) -> Reading {
    let nested = !facts.path.is_empty();
    let reader = Reader {
        // Whoever forwards a message can write anything into it.
        trusted: if nested {
            Trusted::default()
        } else {
            facts.trusted.clone()
        },
        me: facts.me.clone(),
    };
    let seen = raw
        .map(|raw| posthorn_mime::read(raw, &reader))
        .unwrap_or_default();
    let parsed = seen.parsed;
    let verified = matches!(seen.verdict.mark, Mark::Verified(_));
    let unsubscribe = if nested {
        Vec::new()
    } else {
        ways_out(&parsed.list, seen.one_click)
    };
    let related = raw
        .filter(|_| parsed.html.is_some())
        .map(posthorn_mime::related_parts);
    let receipt = seen.receipt.filter(|_| !nested);
    let receipt = receipt.and_then(|asked| receipt_state(asked, &message.envelope, &parsed.list, &facts));
    let invited = |invitation: Invitation| Invited {
        invitation,
        answered: None,
    };
    Reading {
        path: facts.path.clone(),
        pictures: decide(&facts, &message.envelope, verified),
        sender: seen
            .sender
            .or_else(|| message.envelope.from.first().map(posthorn_mime::show_sender)),
        verdict: seen.verdict,
        related: related
            .unwrap_or_default()
            .into_iter()
            .map(|(name, related)| (name, related.bytes))
            .collect(),
        unsubscribe,
        receipt,
        invitations: seen.invitations.into_iter().map(invited).collect(),
        cards: seen.cards,
        attachments: seen.attachments,
        reply_elsewhere: elsewhere(&message.envelope),
        list: parsed.list,
        me: facts.me.clone(),
        message: {
            if raw.is_some() {
                message.text = parsed.text;
                message.html = parsed.html;
                message.parts = parsed.parts;
                message.defects = parsed.defects.iter().map(ToString::to_string).collect();
            }
            message
        },
    }
}

/// `None` where nobody would wait for an answer, or none may be given: mail to a list, one's own mail, and requests
/// with demands that are not understood (RFC 8098 section 2.2).
fn receipt_state(
    asked: Asked,
    envelope: &Envelope,
    list: &ListHeaders,
    facts: &Facts,
) -> Option<ReceiptState> {
    let own = |address: &Address| facts.me.iter().any(|me| me.eq_ignore_ascii_case(&address.email));
    let to_list = list.id.is_some() || list.post.is_some();
    if asked.demands_unknown || to_list || envelope.from.iter().any(own) || asked.to.iter().any(own) {
        return None;
    }
    Some(if facts.receipt_answered {
        ReceiptState::Answered
    } else if facts.junk || facts.settings.receipts == ReceiptPolicy::Never {
        ReceiptState::Off(asked)
    } else {
        ReceiptState::Open(asked)
    })
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

fn ways_out(list: &ListHeaders, signed: bool) -> Vec<Unsubscribe> {
    let mut ways = Vec::new();
    let web = list.unsubscribe.iter().find(|url| url.starts_with("https:"));
    if let Some(url) = web.filter(|_| list.one_click)
        && let Some(host) = host_of(url)
    {
        ways.push(Unsubscribe::OneClick {
            url: url.clone(),
            host,
            signed,
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
