//! Mail by the thousand: conversations, lists, newsletters, attachments, many charsets, and a few broken messages.
//!
//! Message `i` depends on the seed and on those before it only, so that a longer corpus begins with a shorter one.
//! Every message has CRLF line ends and no NUL: a server serves it byte for byte as it is here.

mod body;

use posthorn_model::{Flag, Flags, Timestamp};

use crate::rng::Rng;

/// The newest message of a corpus is not later than this: 2025-06-15T12:00:00Z.
pub const END: Timestamp = Timestamp(1_749_988_800);

/// One message of a corpus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CorpusMail {
    pub raw: Vec<u8>,
    pub flags: Flags,
    pub internal_date: Timestamp,
    /// Without angle brackets; `None` where the message has none.
    pub message_id: Option<String>,
    /// The first message's index of the conversation that it belongs to.
    pub thread: usize,
    /// What is wrong with it.
    pub defect: Option<Defect>,
}

/// How a message is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Defect {
    NoDate,
    NoMessageId,
    ImpossibleDate,
    UndeclaredBytes,
    UnclosedMultipart,
    NoBody,
    LineWithoutColon,
    UnknownCharset,
    BrokenBase64,
    VeryLongLine,
}

const DEFECTS: [Defect; 10] = [
    Defect::NoDate,
    Defect::NoMessageId,
    Defect::ImpossibleDate,
    Defect::UndeclaredBytes,
    Defect::UnclosedMultipart,
    Defect::NoBody,
    Defect::LineWithoutColon,
    Defect::UnknownCharset,
    Defect::BrokenBase64,
    Defect::VeryLongLine,
];

const PEOPLE: [(&str, &str); 10] = [
    ("Ada Example", "ada@example.org"),
    ("Bruno Sample", "bruno@example.com"),
    ("=?utf-8?Q?Jos=C3=A9_Muestra?=", "jose@example.net"),
    ("=?utf-8?B?5bGx55SwIOimi+acrA==?=", "yamada@example.com"),
    ("\"Muster, Max\"", "max.muster@example.org"),
    ("Chidi Placeholder", "chidi@placeholder.example"),
    ("=?koi8-r?B?6dfBziDv4tLB2sXD?=", "ivan@example.net"),
    ("Dora Specimen", "dora@specimen.example"),
    ("", "robot@builds.example"),
    ("Eve Template", "eve@template.example"),
];

/// The reader of all this mail.
const ME: (&str, &str) = ("Alice Reader", "alice@example.test");

/// What an earlier message left for answers to it.
#[derive(Clone, Debug)]
struct Opened {
    thread: usize,
    subject: String,
    references: Vec<String>,
    list: bool,
}

/// An endless, seeded stream of mail, oldest first and about a message an hour.
#[derive(Clone, Debug)]
pub struct Corpus {
    rng: Rng,
    seed: u64,
    next: usize,
    at: i64,
    malformed_per_mille: u64,
    open: Vec<Opened>,
}

impl Corpus {
    /// `count` decides the dates only: the last of so many messages falls just before [`END`].
    #[must_use]
    pub fn new(seed: u64, count: usize) -> Self {
        let hours = i64::try_from(count).unwrap_or(0);
        Self {
            rng: Rng::new(seed),
            seed,
            next: 0,
            at: END.0 - (hours + 1) * 3600,
            malformed_per_mille: 10,
            open: Vec::new(),
        }
    }

    /// How many of a thousand are broken; 10 without this.
    #[must_use]
    pub const fn malformed(mut self, per_mille: u64) -> Self {
        self.malformed_per_mille = per_mille;
        self
    }

    fn write(&mut self) -> CorpusMail {
        let index = self.next;
        self.next += 1;
        self.at += 1800 + i64::try_from(self.rng.below(3600)).unwrap_or(0);
        // Half hours gained by chance must not pass the end.
        self.at = self.at.min(END.0);
        let answers = self
            .rng
            .chance(45)
            .then(|| self.rng.choose(&self.open).cloned())
            .flatten();
        let opened = answers.clone().unwrap_or_else(|| Opened {
            thread: index,
            subject: body::subject(&mut self.rng),
            references: Vec::new(),
            list: self.rng.chance(25),
        });
        let defect = (self.rng.below(1000) < self.malformed_per_mille)
            .then(|| self.rng.choose(&DEFECTS).copied())
            .flatten();
        let id = format!("{index}.{}@corpus.example", self.seed);
        let head = self.write_head(&opened, answers.is_some(), &id, defect);
        let body = body::write(&mut self.rng, index, defect);
        let raw = if defect == Some(Defect::NoBody) {
            head
        } else {
            [head, body].concat()
        };
        let mut references = opened.references.clone();
        references.push(id.clone());
        self.open.push(Opened {
            references,
            ..opened.clone()
        });
        if self.open.len() > 40 {
            self.open.remove(0);
        }
        CorpusMail {
            raw,
            flags: self.choose_flags(),
            internal_date: Timestamp(self.at),
            message_id: (defect != Some(Defect::NoMessageId)).then_some(id),
            thread: opened.thread,
            defect,
        }
    }

    fn choose_flags(&mut self) -> Flags {
        let mut flags = Flags::default();
        for (percent, flag) in [(80, Flag::Seen), (15, Flag::Answered), (5, Flag::Flagged)] {
            if self.rng.chance(percent) {
                flags.insert(flag);
            }
        }
        if self.rng.chance(3) {
            flags.insert_named("$Forwarded");
        }
        flags
    }

    /// The header up to, not including, the content fields; each line with CRLF.
    fn write_head(&mut self, opened: &Opened, reply: bool, id: &str, defect: Option<Defect>) -> Vec<u8> {
        let (name, email) = *self.rng.choose(&PEOPLE).unwrap_or(&ME);
        let from = if name.is_empty() {
            email.to_owned()
        } else {
            format!("{name} <{email}>")
        };
        let date = body::date_header(self.at - 5, i64::try_from(self.rng.below(24)).unwrap_or(0) - 11);
        let date = match defect {
            Some(Defect::NoDate) => String::new(),
            Some(Defect::ImpossibleDate) => "Date: Tue, 31 Feb 2025 25:61:00 +9900\r\n".to_owned(),
            _ => format!("Date: {date}\r\n"),
        };
        let re = if reply { "Re: " } else { "" };
        let mut head = format!(
            "Return-Path: <{email}>\r\nReceived: from mail.example.net (mail.example.net [192.0.2.7])\r\n\tby mx.example.test with ESMTPS for <{}>; {}\r\n{date}From: {from}\r\nTo: {} <{}>\r\nSubject: {re}{}\r\n",
            ME.1,
            body::date_header(self.at, 0),
            ME.0,
            ME.1,
            opened.subject
        )
        .into_bytes();
        if defect == Some(Defect::UndeclaredBytes) {
            head.extend_from_slice(b"X-Undeclared: caf\xe9 \xfc\xdf\r\n");
        }
        if defect == Some(Defect::LineWithoutColon) {
            head.extend_from_slice(b"this line is no header field\r\n");
        }
        if defect != Some(Defect::NoMessageId) {
            head.extend_from_slice(format!("Message-ID: <{id}>\r\n").as_bytes());
        }
        if let Some(last) = opened.references.last() {
            let all: Vec<String> = opened
                .references
                .iter()
                .rev()
                .take(8)
                .rev()
                .map(|id| format!("<{id}>"))
                .collect();
            head.extend_from_slice(
                format!("In-Reply-To: <{last}>\r\nReferences: {}\r\n", all.join("\r\n ")).as_bytes(),
            );
        }
        if opened.list {
            head.extend_from_slice(b"List-Id: Corpus talk <talk.lists.example.org>\r\nList-Unsubscribe: <mailto:talk-leave@lists.example.org>\r\n");
        }
        head.extend_from_slice(b"MIME-Version: 1.0\r\n");
        head
    }
}

impl Iterator for Corpus {
    type Item = CorpusMail;

    fn next(&mut self) -> Option<CorpusMail> {
        Some(self.write())
    }
}

/// The first `count` messages for a seed.
#[must_use]
pub fn corpus(seed: u64, count: usize) -> Vec<CorpusMail> {
    Corpus::new(seed, count).take(count).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn is_the_same_for_the_same_seed() {
        assert_eq!(corpus(7, 50), corpus(7, 50));
        assert_ne!(corpus(7, 50), corpus(8, 50));
        let longer = Corpus::new(7, 50).take(80).collect::<Vec<_>>();
        assert_eq!(corpus(7, 50), longer[..50]);
    }

    #[test]
    fn is_mail_of_every_kind_that_any_server_serves_as_it_is() {
        let mail = Corpus::new(1, 1000).malformed(50).take(1000).collect::<Vec<_>>();
        let mut defects = BTreeSet::new();
        for message in &mail {
            let raw = &message.raw;
            assert!(!raw.contains(&0) && raw.ends_with(b"\r\n"));
            let bare = raw
                .iter()
                .enumerate()
                .any(|(at, byte)| *byte == b'\n' && (at == 0 || raw[at - 1] != b'\r'));
            let lone = raw
                .iter()
                .enumerate()
                .any(|(at, byte)| *byte == b'\r' && raw.get(at + 1) != Some(&b'\n'));
            assert!(!bare && !lone, "{}", String::from_utf8_lossy(raw));
            assert!(message.internal_date <= END);
            defects.extend(message.defect.map(|defect| format!("{defect:?}")));
        }
        assert_eq!(defects.len(), DEFECTS.len());
        let dates: Vec<_> = mail.iter().map(|message| message.internal_date).collect();
        assert!(dates.is_sorted());
        let threads: BTreeSet<_> = mail.iter().map(|message| message.thread).collect();
        assert!((300..800).contains(&threads.len()), "{}", threads.len());
        let holds = |text: &str| {
            mail.iter()
                .filter(|m| m.raw.windows(text.len()).any(|w| w == text.as_bytes()))
                .count()
        };
        for text in [
            "multipart/alternative",
            "multipart/mixed",
            "format=flowed",
            "koi8-r",
            "iso-8859-1",
            "shift_jis",
            "message/rfc822",
            "text/calendar",
            "\r\n.\r\n",
            "\r\nFrom ",
        ] {
            assert!(holds(text) > 0, "{text}");
        }
    }
}
