//! Everything that a reading pane shows of one message, from its raw bytes. What a list needs is in
//! [`crate::parse()`], which this builds on; the costlier questions are asked here only.

use std::collections::BTreeMap;

use posthorn_model::Part;

use crate::address;
use crate::attachment::{self, Nature};
use crate::calendar::{Invitation, invitations};
use crate::card::{Card, cards};
use crate::charset;
use crate::decode;
use crate::defect::{Defect, Defects};
use crate::domain::is_related;
use crate::field::FieldName;
use crate::headers::receipt::{Asked, receipt_asked};
use crate::headers::verdict::{Mark, Trusted, Verdict, verdict};
use crate::inner;
use crate::parse::{Parsed, parse};
use crate::sender::{SenderWarning, Shown};
use crate::structure::{self, Leaf, Tree};

/// Encoded bytes of an attachment up to which all of it is looked at; of larger ones only the beginning.
const MAX_WHOLE: usize = 16 * 1024 * 1024;
/// Attachments looked into.
const MAX_JUDGED: usize = 1_000;
/// Calendar and card parts read.
const MAX_CALENDARS: usize = 20;
/// Bytes of parts that the HTML refers to, all together, and their number.
const MAX_RELATED: usize = 96 * 1024 * 1024;
const MAX_RELATED_PARTS: usize = 1_000;

/// What the reader's account knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reader {
    /// Whose authentication results are believed.
    pub trusted: Trusted,
    /// The addresses of the account.
    pub me: Vec<String>,
}

/// One attachment with what was found out about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attached {
    pub part: Part,
    pub nature: Nature,
    /// A message that can be opened: [`crate::part_bytes`] gives its raw bytes.
    pub message: bool,
}

/// A message for reading.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    pub parsed: Parsed,
    /// The author with everything that is odd about it; `None`: there is none.
    pub sender: Option<Shown>,
    pub verdict: Verdict,
    /// Whether a receipt is asked for.
    pub receipt: Option<Asked>,
    /// Each event once, whichever parts it stands in.
    pub invitations: Vec<Invitation>,
    pub cards: Vec<Card>,
    pub attachments: Vec<Attached>,
    /// One click unsubscribes (RFC 8058), and a signature that passed covers the fields that say so. Without the
    /// second the link may be anybody's: ask before posting.
    pub one_click: bool,
}

/// Reads a message for showing.
#[must_use]
pub fn read(raw: &[u8], reader: &Reader) -> Reading {
    let mut out = Reading {
        parsed: parse(raw),
        ..Reading::default()
    };
    let mut defects = Defects::default();
    // Should anything below fail, the message itself is there all the same.
    let found = defects.guard("message", || Some(look(raw, reader, &out.parsed)));
    match found {
        Some(found) => Reading {
            parsed: out.parsed,
            ..found
        },
        None => {
            out.parsed.defects.extend(defects.into_vec());
            out
        }
    }
}

fn look(raw: &[u8], reader: &Reader, parsed: &Parsed) -> Reading {
    let mut defects = Defects::default();
    let tree = structure::scan(raw, &mut defects);
    let sender = show_sender(&tree, parsed);
    let domain = sender.as_ref().map_or("", |sender| sender.domain.as_str());
    let mut verdict = verdict(raw, &reader.trusted, domain);
    let ambiguous =
        parsed.envelope.from.len() > 1 || parsed.defects.contains(&Defect::DuplicateField("From"));
    if ambiguous && matches!(verdict.mark, Mark::Verified(_)) {
        // Whom the verdict is about is anybody's guess.
        verdict.mark = Mark::Unknown;
    }
    let (invitations, cards) = read_cards(&tree, &reader.me);
    Reading {
        parsed: Parsed::default(),
        receipt: receipt_asked(raw),
        invitations,
        cards,
        attachments: judge_attachments(&tree, parsed),
        one_click: parsed.list.one_click && verdict.signs_unsubscribe,
        sender,
        verdict,
    }
}

fn show_sender(tree: &Tree<'_>, parsed: &Parsed) -> Option<Shown> {
    let first = parsed.envelope.from.first()?;
    let value = tree.block.first(FieldName::From)?;
    let authors = address::read_shown(value, tree.charset.as_deref(), &mut Defects::default());
    let mut shown = authors
        .into_iter()
        .find(|author| author.email == first.email && author.name == first.name)
        .unwrap_or_else(|| crate::sender::show(first));
    let mut warn = |warning: SenderWarning| {
        if !shown.warnings.contains(&warning) {
            shown.warnings.push(warning);
        }
    };
    if parsed.defects.contains(&Defect::DuplicateField("From")) {
        warn(SenderWarning::Ambiguous);
    }
    if parsed.defects.contains(&Defect::SeveralAuthors) {
        warn(SenderWarning::SeveralAuthors);
    }
    let list = parsed.list.post.as_deref();
    let elsewhere = parsed.envelope.reply_to.iter().find(|reply| {
        let own = parsed.envelope.from.iter().any(|from| {
            is_related(
                from.domain().unwrap_or_default(),
                reply.domain().unwrap_or_default(),
            )
        });
        // Answers to a list go to the list.
        let listed = list.is_some_and(|post| post.eq_ignore_ascii_case(&reply.email));
        reply.email.contains('@') && !own && !listed
    });
    if let Some(elsewhere) = elsewhere {
        warn(SenderWarning::ReplyElsewhere(elsewhere.email.clone()));
    }
    Some(shown)
}

fn judge_attachments(tree: &Tree<'_>, parsed: &Parsed) -> Vec<Attached> {
    // Files of one leaf follow each other: it is unpacked once.
    let mut open: Option<u32> = None;
    let mut files = Vec::new();
    let mut out = Vec::new();
    for part in parsed.attachments().take(MAX_JUDGED) {
        let nature = match inner::split_index(part.index) {
            Some((index, number)) => {
                if open != Some(index) {
                    open = Some(index);
                    files = leaf_at(tree, index)
                        .map(|leaf| inner::files(leaf, &mut Defects::default()))
                        .unwrap_or_default();
                }
                files.get(number).map_or_else(Nature::default, |file| {
                    attachment::judge(&file.name, &file.content_type, &file.bytes)
                })
            }
            None => leaf_at(tree, part.index).map_or_else(Nature::default, |leaf| judge_leaf(leaf, part)),
        };
        let message = matches!(part.content_type.as_str(), "message/rfc822" | "message/global")
            || nature.extension == "eml" && nature.kind == attachment::Kind::Message;
        out.push(Attached {
            message,
            nature,
            part: part.clone(),
        });
    }
    out
}

/// Judges by the name as written, and by what suffices of the content.
fn judge_leaf(leaf: &Leaf<'_>, part: &Part) -> Nature {
    let decode = |body: &[u8]| {
        let mut defects = Defects::default();
        decode::decode(leaf.head.encoding, body, &mut defects).into_owned()
    };
    let head = leaf.body.get(..attachment::HEAD * 2);
    let mut bytes = decode(head.unwrap_or(leaf.body));
    if head.is_some() && leaf.body.len() <= MAX_WHOLE && attachment::needs_whole(&bytes) {
        bytes = decode(leaf.body);
    }
    let name = leaf.head.name.as_deref().or(part.name.as_deref());
    attachment::judge(name.unwrap_or_default(), &part.content_type, &bytes)
}

fn leaf_at<'x, 't>(tree: &'t Tree<'x>, index: u32) -> Option<&'t Leaf<'x>> {
    tree.leaves.get(usize::try_from(index).ok()?)
}

fn read_cards(tree: &Tree<'_>, me: &[String]) -> (Vec<Invitation>, Vec<Card>) {
    let mut events: Vec<Invitation> = Vec::new();
    let mut contacts: Vec<Card> = Vec::new();
    let named = |leaf: &Leaf<'_>, extension: &str| {
        leaf.head
            .name
            .as_deref()
            .is_some_and(|name| name.to_ascii_lowercase().ends_with(extension))
    };
    let calendar = |leaf: &Leaf<'_>| {
        matches!(
            leaf.head.content_type.as_str(),
            "text/calendar" | "application/ics"
        ) || named(leaf, ".ics")
    };
    let card = |leaf: &Leaf<'_>| {
        matches!(
            leaf.head.content_type.as_str(),
            "text/vcard" | "text/x-vcard" | "text/directory"
        ) || named(leaf, ".vcf")
    };
    for leaf in tree
        .leaves
        .iter()
        .filter(|leaf| calendar(leaf) || card(leaf))
        .take(MAX_CALENDARS)
    {
        let mut defects = Defects::default();
        let body = leaf.body.get(..4 * 1024 * 1024).unwrap_or(leaf.body);
        let bytes = decode::decode(leaf.head.encoding, body, &mut defects);
        let label = leaf.head.charset.as_deref().or(Some("utf-8"));
        let text = charset::decode_text(label, &bytes, &mut defects);
        if calendar(leaf) {
            for event in invitations(&text, me) {
                // The same one stands in the alternative and as a file.
                let known = events.iter().any(|known| {
                    known.uid == event.uid
                        && known.recurrence_id == event.recurrence_id
                        && known.method == event.method
                });
                if !known {
                    events.push(event);
                }
            }
        } else {
            contacts.extend(cards(&text));
        }
    }
    (events, contacts)
}

/// A part that the HTML may show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Related {
    pub content_type: String,
    pub bytes: Vec<u8>,
}

/// What `cid:` URLs (RFC 2392) and `Content-Location` (RFC 2557) in the HTML may mean: parts of this message by
/// Content-ID without its angle brackets, and by the location as written. Only pictures, style sheets and fonts.
#[must_use]
pub fn related_parts(raw: &[u8]) -> BTreeMap<String, Related> {
    let mut defects = Defects::default();
    let tree = structure::scan(raw, &mut defects);
    let mut out: BTreeMap<String, Related> = BTreeMap::new();
    let mut room = MAX_RELATED;
    for leaf in &tree.leaves {
        let head = &leaf.head;
        let names: Vec<&String> = head.content_id.iter().chain(&head.location).collect();
        if names.is_empty() || !is_shown(head.content_type.as_str(), head.name.as_deref()) {
            continue;
        }
        if leaf.body.len() > room || out.len() >= MAX_RELATED_PARTS {
            continue;
        }
        let bytes = decode::decode(head.encoding, leaf.body, &mut defects).into_owned();
        room = room.saturating_sub(bytes.len());
        for name in names {
            // The first one counts: a later part must not replace what stands before it.
            out.entry(name.clone()).or_insert_with(|| Related {
                content_type: head.content_type.clone(),
                bytes: bytes.clone(),
            });
        }
    }
    out
}

fn is_shown(content_type: &str, name: Option<&str>) -> bool {
    let by_name = name.map_or("", crate::media_type::content_type_for);
    let one = |kind: &str| {
        kind.starts_with("image/")
            || kind.starts_with("font/")
            || kind == "text/css"
            || kind.starts_with("application/font")
    };
    one(content_type) || content_type == "application/octet-stream" && one(by_name)
}
