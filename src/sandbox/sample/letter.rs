//! From a conversation's text to messages as a server would hold them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use posthorn_model::{Flag, Flags, Timestamp};

use super::attachment::Attachment;
use super::people::{ME, Person};
use crate::mailbox::{NewMessage, SandboxUser};

const WIDTH: usize = 72;

/// How the text travels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Style {
    /// 7 bits where they suffice, else quoted-printable, or base64 for scripts other than Latin.
    #[default]
    Plain,
    /// RFC 3676.
    Flowed,
    /// ISO 8859-1 in quoted-printable, as older programs still write.
    Latin1,
    /// UTF-8 as it is: 8BITMIME.
    EightBit,
}

/// One message of a conversation.
#[derive(Clone, Debug)]
pub struct Letter {
    /// Days before now and the time of day; for today hours and minutes before now.
    when: (i64, i64, i64),
    from: Person,
    to: Vec<Person>,
    cc: Vec<Person>,
    text: &'static str,
    html: Option<&'static str>,
    attachments: Vec<Attachment>,
    headers: &'static str,
    style: Style,
    quotes: bool,
    unread: bool,
    flagged: bool,
    keyword: Option<&'static str>,
    mailbox: Option<&'static str>,
    whole_body: Option<(&'static str, &'static str)>,
}

impl Letter {
    pub fn new(when: (i64, i64, i64), from: Person, to: &[Person], text: &'static str) -> Self {
        Self {
            when,
            from,
            to: to.to_vec(),
            cc: Vec::new(),
            text,
            html: None,
            attachments: Vec::new(),
            headers: "",
            style: Style::Plain,
            quotes: false,
            unread: false,
            flagged: false,
            keyword: None,
            mailbox: None,
            whole_body: None,
        }
    }

    pub fn cc(mut self, people: &[Person]) -> Self {
        self.cc = people.to_vec();
        self
    }

    /// An HTML alternative to the text.
    pub const fn html(mut self, html: &'static str) -> Self {
        self.html = Some(html);
        self
    }

    pub fn attach(mut self, attachment: Attachment) -> Self {
        self.attachments.push(attachment);
        self
    }

    /// More header lines, each with CRLF.
    pub const fn headers(mut self, lines: &'static str) -> Self {
        self.headers = lines;
        self
    }

    pub const fn flowed(mut self) -> Self {
        self.style = Style::Flowed;
        self
    }

    pub const fn latin1(mut self) -> Self {
        self.style = Style::Latin1;
        self
    }

    pub const fn eight_bit(mut self) -> Self {
        self.style = Style::EightBit;
        self
    }

    /// Quotes the letter before it below.
    pub const fn quoting(mut self) -> Self {
        self.quotes = true;
        self
    }

    pub const fn unread(mut self) -> Self {
        self.unread = true;
        self
    }

    pub const fn flagged(mut self) -> Self {
        self.flagged = true;
        self
    }

    pub const fn keyword(mut self, keyword: &'static str) -> Self {
        self.keyword = Some(keyword);
        self
    }

    /// Elsewhere than the rest of the conversation.
    pub const fn filed(mut self, mailbox: &'static str) -> Self {
        self.mailbox = Some(mailbox);
        self
    }

    /// A body of this content type that is none of the above.
    pub const fn whole_body(mut self, content_type: &'static str, body: &'static str) -> Self {
        self.whole_body = Some((content_type, body));
        self
    }

    fn date(&self, now: Timestamp) -> Timestamp {
        let (days, hours, minutes) = self.when;
        let clock = hours * 3600 + minutes * 60;
        if days == 0 {
            return now.plus_seconds(-clock);
        }
        let midnight = now.0.div_euclid(Timestamp::DAY) * Timestamp::DAY;
        Timestamp(midnight - days * Timestamp::DAY + clock)
    }
}

/// Letters on one subject, oldest first; each answers the one before.
#[derive(Clone, Debug)]
pub struct Conversation {
    /// Names it in Message-IDs.
    pub key: &'static str,
    pub subject: &'static str,
    /// Where what others wrote is kept; one's own goes to Sent.
    pub mailbox: &'static str,
    pub letters: Vec<Letter>,
}

impl Conversation {
    /// The messages and where each is kept.
    pub fn write(&self, user: &SandboxUser, now: Timestamp) -> Vec<(&'static str, NewMessage)> {
        let mut out = Vec::new();
        for (index, letter) in self.letters.iter().enumerate() {
            let before = index.checked_sub(1).and_then(|before| self.letters.get(before));
            let answered = self
                .letters
                .get(index + 1)
                .is_some_and(|next| next.from == ME && letter.from != ME);
            let own = letter.from == ME;
            let mailbox = letter.mailbox.unwrap_or(if own { "Sent" } else { self.mailbox });
            let mut flags = Flags::default();
            for (on, flag) in [
                (!letter.unread, Flag::Seen),
                (answered, Flag::Answered),
                (letter.flagged, Flag::Flagged),
                (mailbox == "Drafts", Flag::Draft),
            ] {
                if on {
                    flags.insert(flag);
                }
            }
            if let Some(keyword) = letter.keyword {
                flags.insert_named(keyword);
            }
            let date = letter.date(now);
            let raw = self.build(index, letter, before, user, now);
            let message = NewMessage {
                raw,
                flags,
                internal_date: date.plus_seconds(if own { 0 } else { 3 }),
            };
            out.push((mailbox, message));
        }
        out
    }

    fn message_id(&self, index: usize) -> String {
        format!("<{}.{}@sample.example.org>", self.key, index + 1)
    }

    fn build(
        &self,
        index: usize,
        letter: &Letter,
        before: Option<&Letter>,
        user: &SandboxUser,
        now: Timestamp,
    ) -> Vec<u8> {
        let date = date_header(letter.date(now), letter.from.zone);
        let mut head = String::new();
        if letter.from != ME {
            let arrived = date_header(letter.date(now).plus_seconds(3), 0);
            head.push_str(&format!("Return-Path: <{}>\r\n", letter.from.email));
            head.push_str(&format!(
                "Received: from mail.example.net (mail.example.net [192.0.2.{}])\r\n\tby sandbox.example.org with ESMTPS for <{}>;\r\n\t{arrived}\r\n",
                10 + index, user.address
            ));
        }
        head.push_str(letter.headers);
        head.push_str(&format!("From: {}\r\n", address(letter.from, user)));
        for (name, people) in [("To", &letter.to), ("Cc", &letter.cc)] {
            if !people.is_empty() {
                let list: Vec<String> = people.iter().map(|person| address(*person, user)).collect();
                head.push_str(&format!("{name}: {}\r\n", list.join(",\r\n\t")));
            }
        }
        let subject = if index == 0 {
            self.subject.to_owned()
        } else {
            format!("Re: {}", self.subject)
        };
        head.push_str(&format!("Subject: {}\r\n", encode_words(&subject)));
        head.push_str(&format!(
            "Date: {date}\r\nMessage-ID: {}\r\n",
            self.message_id(index)
        ));
        if let Some(before) = index.checked_sub(1) {
            let references: Vec<String> = (0..index).map(|earlier| self.message_id(earlier)).collect();
            head.push_str(&format!("In-Reply-To: {}\r\n", self.message_id(before)));
            head.push_str(&format!("References: {}\r\n", references.join("\r\n\t")));
        }
        head.push_str("MIME-Version: 1.0\r\n");
        let quoted = before
            .filter(|_| letter.quotes)
            .map(|before| quote(before, user, now))
            .unwrap_or_default();
        let body = self.build_body(index, letter, &quoted, user, letter.date(now));
        [head.into_bytes(), body].concat()
    }

    /// From Content-Type on.
    fn build_body(
        &self,
        index: usize,
        letter: &Letter,
        quoted: &str,
        user: &SandboxUser,
        sent: Timestamp,
    ) -> Vec<u8> {
        if let Some((content_type, body)) = letter.whole_body {
            let body = fill_in(body, user).replace('\n', "\r\n");
            return format!("Content-Type: {content_type}\r\n\r\n{body}").into_bytes();
        }
        let text = text_part(&fill_in(letter.text, user), quoted, letter.style);
        let mut body = match letter.html {
            None => text,
            Some(html) => {
                let html = quoted_part("text/html; charset=utf-8", &fill_in(html, user));
                multipart("alternative", &format!("alt.{}.{index}", self.key), &[text, html])
            }
        };
        if !letter.attachments.is_empty() {
            let mut parts = vec![body];
            parts.extend(
                letter
                    .attachments
                    .iter()
                    .map(|file| attachment_part(file, user, sent)),
            );
            body = multipart("mixed", &format!("mix.{}.{index}", self.key), &parts);
        }
        body
    }
}

fn fill_in(text: &str, user: &SandboxUser) -> String {
    let first = user.name.split(' ').next().unwrap_or(&user.name);
    text.replace("{me}", first).replace("{address}", &user.address)
}

fn multipart(subtype: &str, boundary: &str, parts: &[Vec<u8>]) -> Vec<u8> {
    let mut out = format!("Content-Type: multipart/{subtype}; boundary=\"{boundary}\"\r\n\r\n").into_bytes();
    for part in parts {
        out.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
        out.extend_from_slice(part);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    out
}

fn attachment_part(attachment: &Attachment, user: &SandboxUser, sent: Timestamp) -> Vec<u8> {
    let name = attachment.name;
    let disposition = if attachment.inline_id.is_some() {
        "inline"
    } else {
        "attachment"
    };
    // RFC 2231 for names beyond ASCII.
    let file = if name.is_ascii() {
        format!("filename=\"{name}\"")
    } else {
        let encoded: String = name.bytes().map(|byte| format!("%{byte:02X}")).collect();
        format!("filename*=utf-8''{encoded}")
    };
    let mut out = format!(
        "Content-Type: {}\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: {disposition}; {file}\r\n",
        attachment.content_type
    );
    if let Some(id) = attachment.inline_id {
        out.push_str(&format!("Content-ID: <{id}>\r\n"));
    }
    out.push_str("\r\n");
    out.push_str(&base64_lines(&attachment.dated(user, sent)));
    out.into_bytes()
}

fn base64_lines(bytes: &[u8]) -> String {
    let lines: Vec<String> = bytes.chunks(57).map(|chunk| STANDARD.encode(chunk)).collect();
    format!("{}\r\n", lines.join("\r\n"))
}

fn text_part(text: &str, quoted: &str, style: Style) -> Vec<u8> {
    let mut lines = Vec::new();
    for paragraph in text.trim().split('\n') {
        wrap(paragraph, style == Style::Flowed, &mut lines);
    }
    if !quoted.is_empty() {
        lines.push(String::new());
        lines.extend(quoted.lines().map(str::to_owned));
    }
    let text = lines.join("\r\n") + "\r\n";
    match style {
        Style::Flowed if text.is_ascii() => {
            format!("Content-Type: text/plain; charset=us-ascii; format=flowed\r\n\r\n{text}").into_bytes()
        }
        Style::Flowed => encoded_part("text/plain; charset=utf-8; format=flowed", text.as_bytes()),
        Style::EightBit => format!(
            "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{text}"
        )
        .into_bytes(),
        Style::Latin1 => {
            // Characters beyond Latin-1 do not occur in these texts; `?` shows if one slips in.
            let bytes: Vec<u8> = text
                .chars()
                .map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?'))
                .collect();
            encoded_part("text/plain; charset=iso-8859-1", &bytes)
        }
        Style::Plain if text.is_ascii() => {
            format!("Content-Type: text/plain; charset=us-ascii\r\n\r\n{text}").into_bytes()
        }
        Style::Plain if text.chars().filter(|c| !c.is_ascii()).count() * 6 > text.chars().count() => {
            let head = "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n";
            format!("{head}{}", base64_lines(text.as_bytes())).into_bytes()
        }
        Style::Plain => quoted_part("text/plain; charset=utf-8", &text),
    }
}

fn quoted_part(content_type: &str, text: &str) -> Vec<u8> {
    encoded_part(
        content_type,
        text.replace("\r\n", "\n").replace('\n', "\r\n").as_bytes(),
    )
}

fn encoded_part(content_type: &str, bytes: &[u8]) -> Vec<u8> {
    let mut out =
        format!("Content-Type: {content_type}\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n")
            .into_bytes();
    out.extend_from_slice(quoted_printable(bytes).as_bytes());
    out
}

/// RFC 2045 section 6.7, with lines of at most 76 characters.
fn quoted_printable(bytes: &[u8]) -> String {
    let mut out = String::new();
    for line in bytes.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let mut width = 0;
        for (index, byte) in line.iter().enumerate() {
            let last = index + 1 == line.len();
            let plain = matches!(byte, b'!'..=b'<' | b'>'..=b'~') || (matches!(byte, b' ' | b'\t') && !last);
            let piece = if plain {
                char::from(*byte).to_string()
            } else {
                format!("={byte:02X}")
            };
            if width + piece.len() > 75 {
                out.push_str("=\r\n");
                width = 0;
            }
            width += piece.len();
            out.push_str(&piece);
        }
        out.push_str("\r\n");
    }
    // Splitting saw one empty line after the last line end.
    out.strip_suffix("\r\n").map(str::to_owned).unwrap_or(out)
}

/// Breaks a paragraph at spaces; `flowed` lines that go on end with a space (RFC 3676 section 4).
fn wrap(paragraph: &str, flowed: bool, lines: &mut Vec<String>) {
    let fixed = paragraph.starts_with(['>', ' ']) || paragraph == "-- ";
    if fixed || paragraph.chars().count() <= WIDTH {
        lines.push(paragraph.to_owned());
        return;
    }
    let mut line = String::new();
    for word in paragraph.split(' ') {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > WIDTH {
            if flowed {
                line.push(' ');
            }
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
}

fn quote(letter: &Letter, user: &SandboxUser, now: Timestamp) -> String {
    let name = if letter.from == ME {
        &user.name
    } else {
        letter.from.name
    };
    let mut lines = Vec::new();
    for paragraph in fill_in(letter.text, user).trim().split('\n') {
        wrap(paragraph, false, &mut lines);
    }
    // What stands below the signature is not quoted.
    let kept = lines.iter().take_while(|line| *line != "-- ");
    let body: Vec<String> = kept
        .map(|line| {
            if line.is_empty() || line.starts_with('>') {
                format!(">{line}")
            } else {
                format!("> {line}")
            }
        })
        .collect();
    format!(
        "On {}, {name} wrote:\n{}",
        date_header(letter.date(now), letter.from.zone),
        body.join("\n")
    )
}

fn address(person: Person, user: &SandboxUser) -> String {
    let (name, email) = if person == ME {
        (user.name.as_str(), user.address.as_str())
    } else {
        (person.name, person.email)
    };
    if name.is_empty() {
        return email.to_owned();
    }
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == ' ');
    let phrase = match (plain, name.is_ascii()) {
        (true, _) => name.to_owned(),
        (false, true) => format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\"")),
        (false, false) => encode_words(name),
    };
    format!("{phrase} <{email}>")
}

/// RFC 2047, where there is something to encode: words of at most 75 characters, cut between characters.
fn encode_words(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let mut words = Vec::new();
    let mut chunk = String::new();
    for character in text.chars() {
        if chunk.len() + character.len_utf8() > 42 {
            words.push(std::mem::take(&mut chunk));
        }
        chunk.push(character);
    }
    words.push(chunk);
    let words: Vec<String> = words
        .iter()
        .map(|word| format!("=?utf-8?B?{}?=", STANDARD.encode(word)))
        .collect();
    words.join("\r\n ")
}

fn date_header(at: Timestamp, zone: i64) -> String {
    let offset = i8::try_from(zone)
        .ok()
        .and_then(|hours| jiff::tz::Offset::from_hours(hours).ok());
    let zone = offset.unwrap_or(jiff::tz::Offset::UTC).to_time_zone();
    let zoned = jiff::Timestamp::from_second(at.0)
        .unwrap_or_default()
        .to_zoned(zone);
    jiff::fmt::rfc2822::to_string(&zoned).unwrap_or_default()
}
