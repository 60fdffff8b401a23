//! From bytes to [`Request`]: pure. The whole command is there, literals included as `{n}` CRLF bytes.

use posthorn_model::{Flag, Flags, Timestamp};

use super::command::{Command, List, Qresync, Request, Select, SequenceNumber, SequenceSet, StatusItem};
use super::parse_fetch::{parse_fetch, parse_store};
use super::parse_search::parse_search;
use super::utf7;

/// What is wrong with a command: text for the BAD reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed(pub &'static str);

pub type Result<T> = std::result::Result<T, Malformed>;

/// Parts of a sequence set, items of a list: more is abuse.
pub const MAX_ITEMS: usize = 10_000;

/// A position in a command's bytes.
#[derive(Clone, Copy)]
pub struct Cursor<'a> {
    bytes: &'a [u8],
    /// Mailbox names are UTF-8 and not modified UTF-7 (RFC 6855 section 3).
    utf8: bool,
}

impl<'a> Cursor<'a> {
    pub const fn new(bytes: &'a [u8], utf8: bool) -> Self {
        Self { bytes, utf8 }
    }

    pub fn peek(&self) -> Option<u8> {
        self.bytes.first().copied()
    }

    pub const fn at_end(&self) -> bool {
        self.bytes.is_empty()
    }

    pub fn end(&self) -> Result<()> {
        if self.at_end() {
            Ok(())
        } else {
            Err(Malformed("too many arguments"))
        }
    }

    fn advance(&mut self, count: usize) -> Result<&'a [u8]> {
        let (head, rest) = self
            .bytes
            .split_at_checked(count)
            .ok_or(Malformed("command ends too early"))?;
        self.bytes = rest;
        Ok(head)
    }

    /// Takes `expect` if it is next.
    pub fn take(&mut self, expect: u8) -> bool {
        let found = self.peek() == Some(expect);
        if found {
            self.bytes = self.bytes.get(1..).unwrap_or_default();
        }
        found
    }

    pub fn need(&mut self, expect: u8, message: &'static str) -> Result<()> {
        if self.take(expect) {
            Ok(())
        } else {
            Err(Malformed(message))
        }
    }

    pub fn space(&mut self) -> Result<()> {
        self.need(b' ', "expected a space")
    }

    fn take_while(&mut self, accept: impl Fn(u8) -> bool) -> &'a [u8] {
        let count = self.bytes.iter().take_while(|byte| accept(**byte)).count();
        let (head, rest) = self.bytes.split_at_checked(count).unwrap_or((self.bytes, &[]));
        self.bytes = rest;
        head
    }

    /// Letters, digits and the few signs that keywords of the grammar have; in upper case.
    pub fn word(&mut self) -> String {
        let accept = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'=' | b'_');
        String::from_utf8_lossy(self.take_while(accept)).to_ascii_uppercase()
    }

    /// Takes `word` if it is next, whatever its case and whatever follows.
    pub fn take_word(&mut self, word: &str) -> bool {
        let found = self
            .bytes
            .get(..word.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(word.as_bytes()));
        if found {
            self.bytes = self.bytes.get(word.len()..).unwrap_or_default();
        }
        found
    }

    pub fn number(&mut self) -> Result<u64> {
        let digits = self.take_while(|byte| byte.is_ascii_digit());
        let text = std::str::from_utf8(digits).map_err(|_| Malformed("expected a number"))?;
        text.parse().map_err(|_| Malformed("expected a number"))
    }

    pub fn number32(&mut self) -> Result<u32> {
        u32::try_from(self.number()?).map_err(|_| Malformed("number too large"))
    }

    fn atom(&mut self) -> Result<&'a [u8]> {
        let atom = self.take_while(is_astring_char);
        if atom.is_empty() {
            Err(Malformed("expected a word"))
        } else {
            Ok(atom)
        }
    }

    fn quoted(&mut self) -> Result<Vec<u8>> {
        let mut text = Vec::new();
        self.need(b'"', "expected a quote")?;
        loop {
            match self.advance(1)? {
                b"\"" => return Ok(text),
                b"\\" => match self.advance(1)? {
                    byte @ (b"\"" | b"\\") => text.extend_from_slice(byte),
                    _ => return Err(Malformed("bad escape in a quoted string")),
                },
                b"\r" | b"\n" => return Err(Malformed("line end in a quoted string")),
                byte => text.extend_from_slice(byte),
            }
        }
    }

    fn literal(&mut self) -> Result<&'a [u8]> {
        self.need(b'{', "expected a literal")?;
        let count = usize::try_from(self.number()?).map_err(|_| Malformed("literal too large"))?;
        self.take(b'+');
        self.need(b'}', "bad literal")?;
        self.need(b'\r', "bad literal")?;
        self.need(b'\n', "bad literal")?;
        self.advance(count)
    }

    /// `string` or, where `atoms` says so, an atom.
    fn bytes_of(&mut self, atoms: bool) -> Result<Vec<u8>> {
        match self.peek() {
            Some(b'"') => self.quoted(),
            Some(b'{') => self.literal().map(<[u8]>::to_vec),
            _ if atoms => self.atom().map(<[u8]>::to_vec),
            _ => Err(Malformed("expected a string")),
        }
    }

    pub fn astring(&mut self) -> Result<String> {
        String::from_utf8(self.bytes_of(true)?).map_err(|_| Malformed("text is not UTF-8"))
    }

    pub fn message(&mut self) -> Result<Vec<u8>> {
        self.literal().map(<[u8]>::to_vec)
    }

    fn decode_name(&self, text: String) -> Option<String> {
        if self.utf8 {
            Some(text)
        } else {
            utf7::decode(&text)
        }
    }

    /// A mailbox name, decoded from modified UTF-7 (RFC 3501 section 5.1.3).
    pub fn mailbox(&mut self) -> Result<String> {
        let text = self.astring()?;
        let name = self
            .decode_name(text)
            .ok_or(Malformed("mailbox name is not modified UTF-7"))?;
        if name.len() > 500 || name.chars().any(char::is_control) {
            return Err(Malformed("impossible mailbox name"));
        }
        Ok(name)
    }

    /// A name pattern of LIST: `%` and `*` may stand in the atom.
    fn pattern(&mut self) -> Result<String> {
        let bytes = match self.peek() {
            Some(b'"' | b'{') => self.bytes_of(false)?,
            _ => self
                .take_while(|byte| is_astring_char(byte) || matches!(byte, b'%' | b'*'))
                .to_vec(),
        };
        let text = String::from_utf8(bytes).map_err(|_| Malformed("pattern is not UTF-8"))?;
        self.decode_name(text)
            .ok_or(Malformed("pattern is not modified UTF-7"))
    }

    fn sequence_number(&mut self) -> Result<SequenceNumber> {
        if self.take(b'*') {
            return Ok(None);
        }
        match self.number32()? {
            0 => Err(Malformed("0 is no message number")),
            number => Ok(Some(number)),
        }
    }

    pub fn sequence_set(&mut self) -> Result<SequenceSet> {
        let mut ranges = Vec::new();
        loop {
            let first = self.sequence_number()?;
            let last = if self.take(b':') {
                self.sequence_number()?
            } else {
                first
            };
            ranges.push((first, last));
            if ranges.len() > MAX_ITEMS {
                return Err(Malformed("too many ranges"));
            }
            if !self.take(b',') {
                return Ok(SequenceSet(ranges));
            }
        }
    }

    /// `(` items separated by single spaces `)`.
    pub fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        self.need(b'(', "expected a parenthesis")?;
        let mut items = Vec::new();
        if self.take(b')') {
            return Ok(items);
        }
        loop {
            items.push(item(self)?);
            if items.len() > MAX_ITEMS {
                return Err(Malformed("too many items"));
            }
            if self.take(b')') {
                return Ok(items);
            }
            self.space()?;
        }
    }

    fn flag(&mut self) -> Result<String> {
        let mut name = if self.take(b'\\') {
            String::from("\\")
        } else {
            String::new()
        };
        name.push_str(&String::from_utf8_lossy(self.atom()?));
        Ok(name)
    }

    pub fn flags(&mut self) -> Result<Flags> {
        let names = if self.peek() == Some(b'(') {
            self.list(Self::flag)?
        } else {
            let mut names = vec![self.flag()?];
            while self.take(b' ') {
                names.push(self.flag()?);
            }
            names
        };
        let mut flags = Flags::default();
        for name in names {
            let system = Flag::ALL
                .iter()
                .any(|flag| flag.imap_name().eq_ignore_ascii_case(&name));
            // `Flags` reads `seen` as \Seen; on the wire it is a keyword, which nothing here needs.
            if (name.starts_with('\\') && !system) || !flags.insert_named(&name) {
                return Err(Malformed("unknown flag"));
            }
        }
        Ok(flags)
    }
}

fn is_astring_char(byte: u8) -> bool {
    // ASTRING-CHAR (RFC 9051 section 9), and 8-bit bytes for clients that send raw UTF-8.
    byte > 0x20 && byte != 0x7f && !matches!(byte, b'(' | b')' | b'{' | b'%' | b'*' | b'"' | b'\\')
}

/// The tag alone, for a BAD reply to a command that does not parse.
pub fn parse_tag(bytes: &[u8]) -> Option<String> {
    let mut cursor = Cursor::new(bytes, false);
    let tag = cursor.atom().ok()?;
    let tag = String::from_utf8(tag.to_vec()).ok()?;
    (tag.len() <= 200 && tag.is_ascii() && !tag.contains('+')).then_some(tag)
}

/// Reads one command, without its final line end. `utf8`: UTF8=ACCEPT or IMAP4rev2 was enabled.
pub fn parse(bytes: &[u8], utf8: bool) -> Result<Request> {
    let tag = parse_tag(bytes).ok_or(Malformed("bad tag"))?;
    let mut cursor = Cursor::new(bytes, utf8);
    cursor.advance(tag.len())?;
    cursor.space()?;
    let mut name = cursor.word();
    let uid = name == "UID";
    if uid {
        cursor.space()?;
        name = cursor.word();
    }
    let command = match parse_uid_command(&name, uid, &mut cursor) {
        Some(command) => command?,
        None if uid => return Err(Malformed("unknown UID command")),
        None => parse_command(&name, &mut cursor)?,
    };
    cursor.end()?;
    Ok(Request { tag, command })
}

fn parse_uid_command(name: &str, uid: bool, cursor: &mut Cursor<'_>) -> Option<Result<Command>> {
    Some(match name {
        "FETCH" => parse_fetch(cursor).map(|fetch| Command::Fetch { uid, fetch }),
        "STORE" => parse_store(cursor).map(|store| Command::Store { uid, store }),
        "SEARCH" => parse_search(cursor).map(|search| Command::Search { uid, search }),
        "COPY" => parse_target(cursor).map(|(set, mailbox)| Command::Copy { uid, set, mailbox }),
        "MOVE" => parse_target(cursor).map(|(set, mailbox)| Command::Move { uid, set, mailbox }),
        "EXPUNGE" if uid => {
            let set = cursor.space().and_then(|()| cursor.sequence_set());
            set.map(|set| Command::Expunge { uids: Some(set) })
        }
        "EXPUNGE" => Ok(Command::Expunge { uids: None }),
        _ => return None,
    })
}

/// The commands that [`parse_command`] reads arguments of.
const WITH_ARGUMENTS: [&str; 17] = [
    "COMPRESS",
    "NOTIFY",
    "ID",
    "LOGIN",
    "AUTHENTICATE",
    "ENABLE",
    "SELECT",
    "EXAMINE",
    "CREATE",
    "DELETE",
    "RENAME",
    "SUBSCRIBE",
    "UNSUBSCRIBE",
    "LIST",
    "LSUB",
    "STATUS",
    "APPEND",
];

fn parse_command(name: &str, cursor: &mut Cursor<'_>) -> Result<Command> {
    if let Some(command) = parse_bare(name) {
        return Ok(command);
    }
    if !WITH_ARGUMENTS.contains(&name) {
        return Err(Malformed("unknown command"));
    }
    cursor.space()?;
    Ok(match name {
        "COMPRESS" if cursor.take_word("DEFLATE") => Command::Compress,
        "NOTIFY" => Command::Notify(super::parse_notify::parse_notify(cursor)?),
        "ID" => {
            parse_id(cursor)?;
            Command::Id
        }
        "LOGIN" => {
            let username = cursor.astring()?;
            cursor.space()?;
            Command::Login {
                username,
                password: cursor.astring()?,
            }
        }
        "AUTHENTICATE" => {
            let mechanism = cursor.word();
            let initial = cursor.take(b' ').then(|| cursor.astring()).transpose()?;
            Command::Authenticate { mechanism, initial }
        }
        "ENABLE" => {
            let mut names = vec![cursor.word()];
            while cursor.take(b' ') {
                names.push(cursor.word());
            }
            Command::Enable(names)
        }
        "SELECT" => Command::Select(parse_select(cursor, false)?),
        "EXAMINE" => Command::Select(parse_select(cursor, true)?),
        "CREATE" => parse_create(cursor)?,
        "DELETE" => Command::Delete(cursor.mailbox()?),
        "RENAME" => {
            let from = cursor.mailbox()?;
            cursor.space()?;
            Command::Rename {
                from,
                to: cursor.mailbox()?,
            }
        }
        "SUBSCRIBE" => Command::Subscribe(cursor.mailbox()?),
        "UNSUBSCRIBE" => Command::Unsubscribe(cursor.mailbox()?),
        "LIST" => Command::List(parse_list(cursor)?),
        "LSUB" => {
            let reference = cursor.mailbox()?;
            cursor.space()?;
            Command::Lsub {
                reference,
                pattern: cursor.pattern()?,
            }
        }
        "STATUS" => {
            let mailbox = cursor.mailbox()?;
            cursor.space()?;
            Command::Status {
                mailbox,
                items: cursor.list(parse_status_item)?,
            }
        }
        "APPEND" => parse_append(cursor)?,
        _ => return Err(Malformed("unknown command")),
    })
}

fn parse_bare(name: &str) -> Option<Command> {
    Some(match name {
        "CAPABILITY" => Command::Capability,
        "NOOP" => Command::Noop,
        "CHECK" => Command::Check,
        "LOGOUT" => Command::Logout,
        "STARTTLS" => Command::StartTls,
        "NAMESPACE" => Command::Namespace,
        "IDLE" => Command::Idle,
        "CLOSE" => Command::Close,
        "UNSELECT" => Command::Unselect,
        _ => return None,
    })
}

/// `NIL` or a list of strings (RFC 2971), which are not kept.
fn parse_id(cursor: &mut Cursor<'_>) -> Result<()> {
    if cursor.take_word("NIL") {
        return Ok(());
    }
    let item = |cursor: &mut Cursor<'_>| {
        if cursor.take_word("NIL") {
            Ok(String::new())
        } else {
            cursor.astring()
        }
    };
    cursor.list(item).map(|_| ())
}

fn parse_create(cursor: &mut Cursor<'_>) -> Result<Command> {
    let mailbox = cursor.mailbox()?;
    let mut special_use = None;
    if cursor.take(b' ') {
        // RFC 6154 section 3: CREATE name (USE (\Sent)).
        cursor.need(b'(', "expected a parenthesis")?;
        if !cursor.take_word("USE ") {
            return Err(Malformed("unknown CREATE parameter"));
        }
        special_use = cursor.list(Cursor::flag)?.into_iter().next();
        cursor.need(b')', "expected a closing parenthesis")?;
    }
    Ok(Command::Create { mailbox, special_use })
}

fn parse_target(cursor: &mut Cursor<'_>) -> Result<(SequenceSet, String)> {
    cursor.space()?;
    let set = cursor.sequence_set()?;
    cursor.space()?;
    Ok((set, cursor.mailbox()?))
}

fn parse_select(cursor: &mut Cursor<'_>, examine: bool) -> Result<Select> {
    let mut select = Select {
        mailbox: cursor.mailbox()?,
        examine,
        ..Select::default()
    };
    if !cursor.take(b' ') {
        return Ok(select);
    }
    cursor.list(|cursor| match cursor.word().as_str() {
        "CONDSTORE" => {
            select.condstore = true;
            Ok(())
        }
        "QRESYNC" => {
            cursor.space()?;
            select.qresync = Some(parse_qresync(cursor)?);
            Ok(())
        }
        _ => Err(Malformed("unknown SELECT parameter")),
    })?;
    Ok(select)
}

fn parse_qresync(cursor: &mut Cursor<'_>) -> Result<Qresync> {
    cursor.need(b'(', "expected a parenthesis")?;
    let uid_validity = cursor.number32()?;
    cursor.space()?;
    let modseq = cursor.number()?;
    let mut known = None;
    let mut matched = false;
    while cursor.take(b' ') {
        if cursor.take(b'(') {
            cursor.sequence_set()?;
            cursor.space()?;
            cursor.sequence_set()?;
            cursor.need(b')', "expected a closing parenthesis")?;
            matched = true;
        } else if known.is_none() && !matched {
            known = Some(cursor.sequence_set()?);
        } else {
            return Err(Malformed("bad QRESYNC parameter"));
        }
    }
    cursor.need(b')', "expected a closing parenthesis")?;
    Ok(Qresync {
        uid_validity,
        modseq,
        known,
    })
}

fn parse_status_item(cursor: &mut Cursor<'_>) -> Result<StatusItem> {
    Ok(match cursor.word().as_str() {
        "MESSAGES" => StatusItem::Messages,
        "RECENT" => StatusItem::Recent,
        "UIDNEXT" => StatusItem::UidNext,
        "UIDVALIDITY" => StatusItem::UidValidity,
        "UNSEEN" => StatusItem::Unseen,
        "HIGHESTMODSEQ" => StatusItem::HighestModSeq,
        "SIZE" => StatusItem::Size,
        "DELETED" => StatusItem::Deleted,
        "MAILBOXID" => StatusItem::MailboxId,
        _ => return Err(Malformed("unknown STATUS item")),
    })
}

fn parse_list(cursor: &mut Cursor<'_>) -> Result<List> {
    let mut list = List::default();
    if cursor.peek() == Some(b'(') {
        list.extended = true;
        cursor.list(|cursor| {
            match cursor.word().as_str() {
                "SUBSCRIBED" => list.only_subscribed = true,
                "SPECIAL-USE" => list.only_special_use = true,
                "RECURSIVEMATCH" => list.recursive_match = true,
                "REMOTE" => (),
                _ => return Err(Malformed("unknown LIST selection")),
            }
            Ok(())
        })?;
        cursor.space()?;
    }
    list.reference = cursor.mailbox()?;
    cursor.space()?;
    if cursor.peek() == Some(b'(') {
        list.extended = true;
        list.patterns = cursor.list(Cursor::pattern)?;
    } else {
        list.patterns = vec![cursor.pattern()?];
    }
    if cursor.take_word(" RETURN ") {
        list.extended = true;
        cursor.list(|cursor| {
            match cursor.word().as_str() {
                "SUBSCRIBED" => list.return_subscribed = true,
                "CHILDREN" => list.return_children = true,
                "SPECIAL-USE" => list.return_special_use = true,
                "STATUS" => {
                    cursor.space()?;
                    list.return_status = cursor.list(parse_status_item)?;
                }
                _ => return Err(Malformed("unknown LIST return option")),
            }
            Ok(())
        })?;
    }
    Ok(list)
}

fn parse_append(cursor: &mut Cursor<'_>) -> Result<Command> {
    let mailbox = cursor.mailbox()?;
    cursor.space()?;
    let mut flags = Flags::default();
    if cursor.peek() == Some(b'(') {
        flags = cursor.flags()?;
        cursor.space()?;
    }
    let mut date = None;
    if cursor.peek() == Some(b'"') {
        let text = String::from_utf8(cursor.quoted()?).map_err(|_| Malformed("bad date"))?;
        date = Some(parse_date_time(&text).ok_or(Malformed("bad date"))?);
        cursor.space()?;
    }
    // RFC 6855 section 4: a message with UTF-8 in its header.
    let raw = if cursor.utf8 && cursor.take_word("UTF8 (~") {
        let raw = cursor.message()?;
        cursor.need(b')', "expected a closing parenthesis")?;
        raw
    } else {
        cursor.message()?
    };
    Ok(Command::Append {
        mailbox,
        flags,
        date,
        raw,
    })
}

/// `date-time` (RFC 9051 section 9): ` 1-Feb-2025 10:00:00 +0100`.
pub fn parse_date_time(text: &str) -> Option<Timestamp> {
    let mut parts = text.trim_start().splitn(3, ' ');
    let (date, time, zone) = (parts.next()?, parts.next()?, parts.next()?);
    let day = parse_date(date)?;
    let mut clock = time.splitn(3, ':').map(str::parse::<i64>);
    let (hour, minute, second) = (clock.next()?.ok()?, clock.next()?.ok()?, clock.next()?.ok()?);
    if !(0..24).contains(&hour) || !(0..60).contains(&minute) || !(0..=60).contains(&second) {
        return None;
    }
    let (sign, digits) = match zone.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let digits: i64 = (digits.len() == 4).then(|| digits.parse().ok()).flatten()?;
    let offset = sign * ((digits / 100) * 3600 + (digits % 100) * 60);
    Some(Timestamp(
        day * Timestamp::DAY + hour * 3600 + minute * 60 + second - offset,
    ))
}

/// `date` (RFC 9051 section 9): `1-Feb-2025`, as days since 1970.
pub fn parse_date(text: &str) -> Option<i64> {
    let mut parts = text.splitn(3, '-');
    let day: i8 = parts.next()?.parse().ok()?;
    let month = parts.next()?;
    let year: i16 = parts.next()?.parse().ok()?;
    let month = super::MONTHS
        .iter()
        .position(|name| name.eq_ignore_ascii_case(month))?
        + 1;
    let date = jiff::civil::Date::new(year, i8::try_from(month).ok()?, day).ok()?;
    let at = date
        .to_zoned(jiff::tz::TimeZone::UTC)
        .ok()?
        .timestamp()
        .as_second();
    Some(at.div_euclid(Timestamp::DAY))
}
