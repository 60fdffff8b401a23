//! FETCH items with their sections, and STORE (RFC 9051 sections 6.4.5 and 6.4.6, RFC 7162).

use super::command::{Fetch, FetchItem, Section, SectionText, Store, StoreChange};
use super::parser::{Cursor, Malformed, Result};
use posthorn_model::Flags;

pub fn parse_fetch(cursor: &mut Cursor<'_>) -> Result<Fetch> {
    cursor.space()?;
    let set = cursor.sequence_set()?;
    cursor.space()?;
    let mut items = Vec::new();
    if cursor.peek() == Some(b'(') {
        for found in cursor.list(parse_fetch_item)? {
            items.extend(found);
        }
    } else {
        items = parse_fetch_item(cursor)?;
    }
    let mut fetch = Fetch {
        set,
        items,
        changed_since: None,
        vanished: false,
    };
    if cursor.take(b' ') {
        cursor.list(|cursor| {
            match cursor.word().as_str() {
                "CHANGEDSINCE" => {
                    cursor.space()?;
                    fetch.changed_since = Some(cursor.number()?);
                }
                "VANISHED" => fetch.vanished = true,
                _ => return Err(Malformed("unknown FETCH modifier")),
            }
            Ok(())
        })?;
    }
    Ok(fetch)
}

fn parse_fetch_item(cursor: &mut Cursor<'_>) -> Result<Vec<FetchItem>> {
    use FetchItem::{Body, BodyStructure, Envelope, Flags, InternalDate, ModSeq, Size, Uid};
    use FetchItem::{EmailId, GmailLabels, GmailMessage, GmailThread, Preview, ThreadId};
    let whole = |label: &str, text: SectionText, peek: bool| {
        let section = Section {
            path: Vec::new(),
            text,
        };
        vec![FetchItem::Section {
            section,
            partial: None,
            peek,
            label: label.to_owned(),
        }]
    };
    Ok(match cursor.word().as_str() {
        "ALL" => vec![Flags, InternalDate, Size, Envelope],
        "FAST" => vec![Flags, InternalDate, Size],
        "FULL" => vec![Flags, InternalDate, Size, Envelope, Body],
        "UID" => vec![Uid],
        "FLAGS" => vec![Flags],
        "INTERNALDATE" => vec![InternalDate],
        "RFC822.SIZE" => vec![Size],
        "ENVELOPE" => vec![Envelope],
        "BODYSTRUCTURE" => vec![BodyStructure],
        "MODSEQ" => vec![ModSeq],
        "EMAILID" => vec![EmailId],
        "THREADID" => vec![ThreadId],
        "PREVIEW" => {
            // RFC 8970 section 3.1: always at hand here, so LAZY changes nothing.
            cursor.take_word(" (LAZY)");
            vec![Preview]
        }
        "X-GM-MSGID" => vec![GmailMessage],
        "X-GM-THRID" => vec![GmailThread],
        "X-GM-LABELS" => vec![GmailLabels],
        "RFC822" => whole("RFC822", SectionText::Whole, false),
        "RFC822.HEADER" => whole("RFC822.HEADER", SectionText::Header, true),
        "RFC822.TEXT" => whole("RFC822.TEXT", SectionText::Text, false),
        "BODY" if cursor.peek() != Some(b'[') => vec![Body],
        "BODY" => vec![parse_section(cursor, false)?],
        "BODY.PEEK" => vec![parse_section(cursor, true)?],
        _ => return Err(Malformed("unknown FETCH item")),
    })
}

fn parse_section(cursor: &mut Cursor<'_>, peek: bool) -> Result<FetchItem> {
    cursor.need(b'[', "expected [")?;
    let mut section = Section::default();
    while cursor.peek().is_some_and(|byte| byte.is_ascii_digit()) {
        match cursor.number32()? {
            0 => return Err(Malformed("parts are numbered from 1")),
            number => section.path.push(number),
        }
        if section.path.len() > 100 {
            return Err(Malformed("section too deep"));
        }
        if !cursor.take(b'.') {
            break;
        }
    }
    section.text = match cursor.word().as_str() {
        "" => SectionText::Whole,
        "HEADER" => SectionText::Header,
        "TEXT" => SectionText::Text,
        "MIME" if !section.path.is_empty() => SectionText::Mime,
        field @ ("HEADER.FIELDS" | "HEADER.FIELDS.NOT") => {
            cursor.space()?;
            let names = cursor.list(Cursor::astring)?;
            SectionText::HeaderFields {
                names,
                inverted: field == "HEADER.FIELDS.NOT",
            }
        }
        _ => return Err(Malformed("unknown section")),
    };
    cursor.need(b']', "expected ]")?;
    let mut partial = None;
    if cursor.take(b'<') {
        let offset = cursor.number32()?;
        cursor.need(b'.', "expected .")?;
        let count = cursor.number32()?;
        cursor.need(b'>', "expected >")?;
        partial = Some((offset, count));
    }
    let origin = partial
        .map(|(offset, _)| format!("<{offset}>"))
        .unwrap_or_default();
    let label = format!("BODY[{}]{origin}", section_label(&section));
    Ok(FetchItem::Section {
        section,
        partial,
        peek,
        label,
    })
}

fn section_label(section: &Section) -> String {
    let mut parts: Vec<String> = section.path.iter().map(ToString::to_string).collect();
    match &section.text {
        SectionText::Whole => (),
        SectionText::Header => parts.push("HEADER".into()),
        SectionText::Text => parts.push("TEXT".into()),
        SectionText::Mime => parts.push("MIME".into()),
        SectionText::HeaderFields { names, inverted } => {
            let not = if *inverted { ".NOT" } else { "" };
            let names: Vec<String> = names.iter().map(|name| super::quote(name)).collect();
            parts.push(format!("HEADER.FIELDS{not} ({})", names.join(" ")));
        }
    }
    parts.join(".")
}

pub fn parse_store(cursor: &mut Cursor<'_>) -> Result<Store> {
    cursor.space()?;
    let set = cursor.sequence_set()?;
    cursor.space()?;
    let mut unchanged_since = None;
    if cursor.take(b'(') {
        if !cursor.take_word("UNCHANGEDSINCE ") {
            return Err(Malformed("unknown STORE modifier"));
        }
        unchanged_since = Some(cursor.number()?);
        cursor.need(b')', "expected a closing parenthesis")?;
        cursor.space()?;
    }
    let change = if cursor.take(b'+') {
        StoreChange::Add
    } else if cursor.take(b'-') {
        StoreChange::Remove
    } else {
        StoreChange::Replace
    };
    let word = cursor.word();
    if let "X-GM-LABELS" | "X-GM-LABELS.SILENT" = word.as_str() {
        cursor.space()?;
        let label = |cursor: &mut Cursor<'_>| match cursor.take(b'\\') {
            true => Ok(format!("\\{}", cursor.word())),
            false => cursor.mailbox(),
        };
        let labels = if cursor.peek() == Some(b'(') {
            cursor.list(label)?
        } else {
            vec![label(cursor)?]
        };
        return Ok(Store {
            set,
            change,
            flags: Flags::default(),
            labels: Some(labels),
            silent: word.ends_with("SILENT"),
            unchanged_since,
        });
    }
    let silent = match word.as_str() {
        "FLAGS" => false,
        "FLAGS.SILENT" => true,
        _ => return Err(Malformed("unknown STORE item")),
    };
    cursor.space()?;
    Ok(Store {
        set,
        change,
        flags: cursor.flags()?,
        labels: None,
        silent,
        unchanged_since,
    })
}
