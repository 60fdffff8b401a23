//! What was wrong with a message, listed beside the value that could be made of it.

use std::fmt;

/// One thing wrong with a message as it arrived. None of them kept it from being read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Defect {
    /// There were no bytes at all.
    Empty,
    /// No header block: the whole is taken for text.
    NoHeader,
    /// The header block exceeds the cap; what lies beyond was left out.
    HeaderTooLarge,
    /// A line in a header block that is no field.
    MalformedField,
    /// A field that may stand once stands more often; the first one counts.
    DuplicateField(&'static str),
    /// No `Date` field.
    NoDate,
    /// A `Date` field that gives no time.
    BadDate,
    /// NUL bytes, which RFC 5322 section 2.2 forbids.
    NulBytes,
    /// 8-bit text without a declared charset; it was guessed.
    UndeclaredCharset,
    /// A charset that nobody knows; it was guessed.
    UnknownCharset(String),
    /// Bytes that the declared charset does not allow.
    BadCharset,
    /// Base64 or quoted-printable that breaks its rules; what could be decoded was.
    BadEncoding,
    /// A multipart without a boundary, or whose boundary never appears.
    NoBoundary,
    /// A multipart whose closing boundary is missing.
    UnclosedMultipart,
    /// Nested too deep; taken as it stands from there.
    TooDeep,
    /// More parts than are read.
    TooManyParts,
    /// More references than are kept: the first and the newest are.
    TooManyReferences,
    /// An address that programs read in different ways; the last one counts.
    AmbiguousAddress,
    /// Several authors and no `Sender` among them (RFC 5322 section 3.6.2): the likeliest stands first.
    SeveralAuthors,
    /// More addresses than are kept.
    TooManyAddresses,
    /// The text exceeds the cap; the beginning is given.
    TextTruncated,
    /// A parser gave up on these bytes: a fault of ours, with no harm to the raw message.
    ParserPanicked(&'static str),
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Empty => "the message is empty",
            Self::NoHeader => "there is no header",
            Self::HeaderTooLarge => "the header is too large and was cut",
            Self::MalformedField => "the header has a line that is no field",
            Self::DuplicateField(name) => return write!(f, "the field {name} stands more than once"),
            Self::NoDate => "there is no date",
            Self::BadDate => "the date cannot be read",
            Self::NulBytes => "there are NUL bytes",
            Self::UndeclaredCharset => "the charset of 8-bit text is not declared",
            // The label is the sender's: cleaned and cut when the defect was made.
            Self::UnknownCharset(label) => return write!(f, "the charset {label} is unknown"),
            Self::BadCharset => "some text does not fit its charset",
            Self::BadEncoding => "a transfer encoding is broken",
            Self::NoBoundary => "a multipart has no boundary",
            Self::UnclosedMultipart => "a multipart is not closed",
            Self::TooDeep => "parts are nested too deep",
            Self::TooManyParts => "there are too many parts",
            Self::TooManyReferences => "there are too many references",
            Self::AmbiguousAddress => "an address can be read in different ways",
            Self::SeveralAuthors => "there are several authors and no sender",
            Self::TooManyAddresses => "there are too many addresses",
            Self::TextTruncated => "the text is too long and was cut",
            Self::ParserPanicked(what) => return write!(f, "the {what} could not be read"),
        };
        f.write_str(text)
    }
}

/// Defects as they are found, each kind once: a hostile message must not grow the list.
#[derive(Debug, Default)]
pub(crate) struct Defects(Vec<Defect>);

impl Defects {
    pub(crate) fn add(&mut self, defect: Defect) {
        if self.0.len() < 64 && !self.0.contains(&defect) {
            self.0.push(defect);
        }
    }

    pub(crate) fn into_vec(self) -> Vec<Defect> {
        self.0
    }

    /// Runs a parser that is not ours; should it panic, that is one more defect.
    pub(crate) fn guard<T: Default>(&mut self, what: &'static str, run: impl FnOnce() -> T) -> T {
        match std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)) {
            Ok(value) => value,
            Err(_) => {
                self.add(Defect::ParserPanicked(what));
                T::default()
            }
        }
    }
}
