//! Rules for mail that arrives: conditions and actions, each written as one line of words, the same in the file, on
//! the command line and in the window.

use serde::{Deserialize, Serialize};
use std::fmt;

use crate::pop3::{parse_octets, say_octets};
use crate::{AccountId, Keyword};

/// Rules in a profile, conditions in a rule, and the like: more is a mistake.
pub const MOST: usize = 1_000;
/// Characters of one condition or action.
const LONGEST: usize = 2_000;

/// One rule. Rules are tried in their order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Unique in the profile.
    pub name: String,
    #[serde(default = "yes")]
    pub enabled: bool,
    /// `None`: mail of every account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    #[serde(default, rename = "match")]
    pub matching: Matching,
    /// Without any, the rule fits every message.
    #[serde(default, rename = "if")]
    pub conditions: Vec<Condition>,
    #[serde(rename = "then")]
    pub actions: Vec<Action>,
}

const fn yes() -> bool {
    true
}

/// How many of the conditions must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Matching {
    #[default]
    All,
    Any,
}

impl Matching {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Any => "any",
        }
    }
}

/// What a textual condition looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    From,
    /// To or Cc.
    To,
    Subject,
    ListId,
    /// Any field of the header, by its name.
    Header(String),
}

/// How a text is compared: without regard to case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Test {
    Contains,
    Is,
    Begins,
    Ends,
}

impl Test {
    const ALL: [Self; 4] = [Self::Contains, Self::Is, Self::Begins, Self::Ends];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Contains => "contains",
            Self::Is => "is",
            Self::Begins => "begins",
            Self::Ends => "ends",
        }
    }
}

/// What must be true of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Condition {
    /// `from contains ada`, `header X-Loop not is yes`.
    Text {
        field: Field,
        not: bool,
        test: Test,
        value: String,
    },
    /// `size > 1MB`: octets.
    Larger(u64),
    /// `size < 20kB`: octets.
    Smaller(u64),
    /// `attachment yes`, `attachment no`.
    Attachment(bool),
}

/// What happens to a message that fits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Action {
    /// To the mailbox of this path in the message's own account. The first move counts.
    Move(String),
    /// To the account's junk mailbox.
    Junk,
    Read,
    Star,
    Tag(Keyword),
    /// Later rules are not tried.
    Stop,
}

/// Why a condition or an action cannot be understood, in words for the one who wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotUnderstood(String);

impl fmt::Display for NotUnderstood {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl std::error::Error for NotUnderstood {}

fn not_understood<T>(words: impl Into<String>) -> Result<T, NotUnderstood> {
    Err(NotUnderstood(words.into()))
}

/// The first word, and what follows it.
fn split(text: &str) -> (&str, &str) {
    let text = text.trim();
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (word, rest.trim())
}

fn check_length(text: &str) -> Result<(), NotUnderstood> {
    if text.len() > LONGEST || text.chars().any(char::is_control) {
        return not_understood("this is too long, or holds control characters");
    }
    Ok(())
}

impl Condition {
    /// # Errors
    /// What cannot be understood, and what would be.
    pub fn parse(text: &str) -> Result<Self, NotUnderstood> {
        check_length(text)?;
        let (word, rest) = split(text);
        match word.to_ascii_lowercase().as_str() {
            "size" => Self::parse_size(rest),
            "attachment" => match rest {
                "" | "yes" => Ok(Self::Attachment(true)),
                "no" => Ok(Self::Attachment(false)),
                _ => not_understood("attachment yes, or attachment no"),
            },
            "from" => Self::parse_text(Field::From, rest),
            "to" => Self::parse_text(Field::To, rest),
            "subject" => Self::parse_text(Field::Subject, rest),
            "list-id" => Self::parse_text(Field::ListId, rest),
            "header" => {
                let (name, rest) = split(rest);
                let fits = |byte: u8| byte.is_ascii_graphic() && byte != b':';
                if name.is_empty() || !name.bytes().all(fits) {
                    return not_understood(
                        "header is followed by a field's name, as in: header X-Loop contains yes",
                    );
                }
                Self::parse_text(Field::Header(name.to_owned()), rest)
            }
            _ => not_understood(format!(
                "{word:?} is nothing that can be looked at: from, to, subject, list-id, header NAME, size or attachment"
            )),
        }
    }

    fn parse_text(field: Field, text: &str) -> Result<Self, NotUnderstood> {
        let (word, rest) = split(text);
        let (not, word, rest) = if word == "not" {
            let (word, rest) = split(rest);
            (true, word, rest)
        } else {
            (false, word, rest)
        };
        let test = Test::ALL.into_iter().find(|test| test.name() == word);
        match test {
            Some(test) if !rest.is_empty() => Ok(Self::Text {
                field,
                not,
                test,
                value: rest.to_owned(),
            }),
            Some(_) => not_understood(format!("{word} is followed by the text to look for")),
            None => {
                not_understood("expected contains, is, begins or ends, with not before it for the contrary")
            }
        }
    }

    fn parse_size(text: &str) -> Result<Self, NotUnderstood> {
        let octets = |text: &str| text.parse().ok().or_else(|| parse_octets(text));
        let size = |text: &str| octets(text.trim());
        let condition = match (text.strip_prefix('>'), text.strip_prefix('<')) {
            (Some(text), _) => size(text).map(Self::Larger),
            (_, Some(text)) => size(text).map(Self::Smaller),
            _ => None,
        };
        condition.map_or_else(
            || not_understood("expected a size such as: size > 500kB, or size < 2MB"),
            Ok,
        )
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text {
                field,
                not,
                test,
                value,
            } => {
                match field {
                    Field::From => f.write_str("from")?,
                    Field::To => f.write_str("to")?,
                    Field::Subject => f.write_str("subject")?,
                    Field::ListId => f.write_str("list-id")?,
                    Field::Header(name) => write!(f, "header {name}")?,
                }
                write!(f, "{} {} {value}", if *not { " not" } else { "" }, test.name())
            }
            Self::Larger(size) => write!(f, "size > {}", say_octets(*size)),
            Self::Smaller(size) => write!(f, "size < {}", say_octets(*size)),
            Self::Attachment(there) => write!(f, "attachment {}", if *there { "yes" } else { "no" }),
        }
    }
}

impl Action {
    /// # Errors
    /// What cannot be understood, and what would be.
    pub fn parse(text: &str) -> Result<Self, NotUnderstood> {
        check_length(text)?;
        let (word, rest) = split(text);
        match (word.to_ascii_lowercase().as_str(), rest) {
            ("move", "") => {
                not_understood("move is followed by a mailbox of the account, as in: move Lists/Rust")
            }
            ("move", path) => Ok(Self::Move(path.to_owned())),
            ("tag", name) => Keyword::parse(name).map_or_else(
                || not_understood("tag is followed by one word without brackets, quotes or backslashes"),
                |keyword| Ok(Self::Tag(keyword)),
            ),
            ("junk", "") => Ok(Self::Junk),
            ("read", "") => Ok(Self::Read),
            ("star", "") => Ok(Self::Star),
            ("stop", "") => Ok(Self::Stop),
            _ => not_understood(format!(
                "{text:?} is nothing that can be done: move MAILBOX, read, star, tag WORD, junk or stop"
            )),
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Move(path) => write!(f, "move {path}"),
            Self::Tag(keyword) => write!(f, "tag {keyword}"),
            Self::Junk => f.write_str("junk"),
            Self::Read => f.write_str("read"),
            Self::Star => f.write_str("star"),
            Self::Stop => f.write_str("stop"),
        }
    }
}

macro_rules! as_text {
    ($($name:ty),+) => {$(
        impl TryFrom<String> for $name {
            type Error = NotUnderstood;
            fn try_from(text: String) -> Result<Self, NotUnderstood> {
                Self::parse(&text)
            }
        }
        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.to_string()
            }
        }
    )+};
}
as_text!(Condition, Action);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_read_back_as_written() {
        for text in [
            "from contains ada@example.org",
            "to not contains me",
            "subject is Weekly report, the new one",
            "list-id ends .example.org",
            "header X-Spam-Flag begins yes",
            "header List-Post not is <mailto:a@b>",
            "size > 500kB",
            "size < 2MB",
            "size > 1234B",
            "attachment yes",
            "attachment no",
        ] {
            let condition = Condition::parse(text).unwrap_or_else(|why| panic!("{text}: {why}"));
            assert_eq!(condition.to_string(), text);
            assert_eq!(
                Condition::try_from(String::from(condition.clone())),
                Ok(condition)
            );
        }
        assert_eq!(Condition::parse("attachment"), Ok(Condition::Attachment(true)));
        assert_eq!(
            Condition::parse(" size >  1 mb "),
            Ok(Condition::Larger(1_000_000))
        );
    }

    #[test]
    fn what_is_not_understood_is_said() {
        for text in [
            "",
            "from",
            "from ada",
            "from contains",
            "from not",
            "sender is x",
            "size 20",
            "size > many",
            "size > 99999999999999999999GB",
            "header contains",
            "header X:Y contains a",
            "attachment maybe",
            "subject contains a\nb",
        ] {
            assert!(Condition::parse(text).is_err(), "{text:?}");
        }
        for text in [
            "",
            "move",
            "tag",
            "tag two words",
            "tag a(b",
            "delete",
            "stop now",
            "read\n",
        ] {
            assert!(Action::parse(text).is_err(), "{text:?}");
        }
        for text in [
            "move Lists/Rust users",
            "tag work",
            "junk",
            "read",
            "star",
            "stop",
        ] {
            assert_eq!(
                Action::parse(text).map(|action| action.to_string()),
                Ok(text.to_owned())
            );
        }
    }
}
