//! What the user's rules make of a message. Pure; [`file`] keeps the rules, [`round`] applies them to what arrives.
//!
//! A rule never deletes: not here, and not on a server. Its move out of a POP3 inbox is not the user's act, so it
//! counts for nothing under "keep until I delete or move it here".

pub mod file;
pub mod round;

use posthorn_model::filter::{Action, Condition, Field, Matching, Rule, Test};
use posthorn_model::{AccountId, Address, Envelope, Flag, FlagChange};

/// A message, as far as rules look at it.
#[derive(Clone, Copy, Debug)]
pub struct Letter<'a> {
    pub account: AccountId,
    pub envelope: &'a Envelope,
    /// The raw header block, or as much of the message as is here.
    pub header: &'a [u8],
    pub size: u64,
    pub has_attachments: bool,
}

/// Where a message goes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Destination {
    /// A mailbox of the message's account, by its path.
    Mailbox(String),
    Junk,
}

/// What the rules make of one message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Names of the rules that fit, in order.
    pub rules: Vec<String>,
    pub change: FlagChange,
    pub to: Option<Destination>,
}

impl Verdict {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.to.is_none() && self.change.add.is_empty() && self.change.remove.is_empty()
    }
}

/// Tries the rules in their order. Marks add up; the first move counts.
#[must_use]
pub fn decide(rules: &[Rule], letter: &Letter<'_>) -> Verdict {
    let mut verdict = Verdict::default();
    for rule in rules.iter().filter(|rule| fits(rule, letter)) {
        verdict.rules.push(rule.name.clone());
        let mut stop = false;
        for action in &rule.actions {
            match action {
                Action::Read => verdict.change.add.insert(Flag::Seen),
                Action::Star => verdict.change.add.insert(Flag::Flagged),
                Action::Tag(keyword) => verdict.change.add.insert_keyword(keyword.clone()),
                Action::Move(path) => {
                    verdict
                        .to
                        .get_or_insert_with(|| Destination::Mailbox(path.clone()));
                }
                Action::Junk => {
                    verdict.to.get_or_insert(Destination::Junk);
                }
                Action::Stop => stop = true,
            }
        }
        if stop {
            break;
        }
    }
    verdict
}

/// Whether a rule looks at fields that only the raw header has.
#[must_use]
pub fn needs_header(rules: &[Rule]) -> bool {
    let mut conditions = rules.iter().flat_map(|rule| &rule.conditions);
    conditions.any(|condition| {
        matches!(
            condition,
            Condition::Text {
                field: Field::ListId | Field::Header(_),
                ..
            }
        )
    })
}

fn fits(rule: &Rule, letter: &Letter<'_>) -> bool {
    if !rule.enabled || rule.account.is_some_and(|account| account != letter.account) {
        return false;
    }
    let mut conditions = rule.conditions.iter();
    match rule.matching {
        _ if rule.conditions.is_empty() => true,
        Matching::All => conditions.all(|condition| holds(condition, letter)),
        Matching::Any => conditions.any(|condition| holds(condition, letter)),
    }
}

fn holds(condition: &Condition, letter: &Letter<'_>) -> bool {
    match condition {
        Condition::Larger(size) => letter.size > *size,
        Condition::Smaller(size) => letter.size < *size,
        Condition::Attachment(there) => letter.has_attachments == *there,
        Condition::Text {
            field,
            not,
            test,
            value,
        } => {
            let wanted = value.to_lowercase();
            let found = texts(field, letter)
                .into_iter()
                .any(|text| compare(*test, &text.to_lowercase(), &wanted));
            found != *not
        }
    }
}

/// What the field says: for addresses each form in which people write one.
fn texts(field: &Field, letter: &Letter<'_>) -> Vec<String> {
    let envelope = letter.envelope;
    match field {
        Field::From => envelope.from.iter().flat_map(forms).collect(),
        Field::To => envelope.to.iter().chain(&envelope.cc).flat_map(forms).collect(),
        Field::Subject => vec![envelope.subject.clone()],
        Field::ListId => {
            let values = posthorn_mime::field_values(letter.header, "List-Id");
            values.into_iter().flat_map(list_forms).collect()
        }
        Field::Header(name) => posthorn_mime::field_values(letter.header, name),
    }
}

fn forms(address: &Address) -> impl Iterator<Item = String> {
    [
        Some(address.email.clone()),
        address.name.clone(),
        Some(address.to_string()),
    ]
    .into_iter()
    .flatten()
}

/// The whole value, and the identifier in its brackets (RFC 2919).
fn list_forms(value: String) -> impl Iterator<Item = String> {
    let inner = value
        .rsplit_once('<')
        .and_then(|(_, rest)| rest.split_once('>'))
        .map(|(inner, _)| inner.trim().to_owned());
    [Some(value), inner].into_iter().flatten()
}

fn compare(test: Test, text: &str, wanted: &str) -> bool {
    match test {
        Test::Contains => text.contains(wanted),
        Test::Is => text.trim() == wanted,
        Test::Begins => text.trim_start().starts_with(wanted),
        Test::Ends => text.trim_end().ends_with(wanted),
    }
}

#[cfg(test)]
mod tests;
