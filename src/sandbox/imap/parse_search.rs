//! SEARCH keys (RFC 9051 section 6.4.4, RFC 4731 RETURN).

use posthorn_model::{Flag, Flags, Keyword};

use super::command::{Search, SearchKey, SearchReturn};
use super::parser::{Cursor, MAX_ITEMS, Malformed, Result, parse_date};

/// Nested parentheses, ORs and NOTs: more is abuse.
const MAX_DEPTH: u32 = 40;

pub fn parse_search(cursor: &mut Cursor<'_>) -> Result<Search> {
    let mut returns = None;
    if cursor.take_word(" RETURN ") {
        let asked = cursor.list(|cursor| match cursor.word().as_str() {
            "MIN" => Ok(SearchReturn::Min),
            "MAX" => Ok(SearchReturn::Max),
            "ALL" => Ok(SearchReturn::All),
            "COUNT" => Ok(SearchReturn::Count),
            _ => Err(Malformed("unknown SEARCH return option")),
        })?;
        returns = Some(if asked.is_empty() {
            vec![SearchReturn::All]
        } else {
            asked
        });
    }
    if cursor.take_word(" CHARSET ") {
        let charset = cursor.astring()?;
        if !["UTF-8", "US-ASCII"]
            .iter()
            .any(|known| known.eq_ignore_ascii_case(&charset))
        {
            return Err(Malformed("[BADCHARSET (UTF-8 US-ASCII)] unknown charset"));
        }
    }
    cursor.space()?;
    let mut keys = vec![parse_key(cursor, 0)?];
    while cursor.take(b' ') {
        keys.push(parse_key(cursor, 0)?);
        if keys.len() > MAX_ITEMS {
            return Err(Malformed("too many search keys"));
        }
    }
    Ok(Search {
        returns,
        key: SearchKey::And(keys),
    })
}

fn parse_key(cursor: &mut Cursor<'_>, depth: u32) -> Result<SearchKey> {
    if depth > MAX_DEPTH {
        return Err(Malformed("search nested too deeply"));
    }
    match cursor.peek() {
        Some(b'(') => return Ok(SearchKey::And(cursor.list(|inner| parse_key(inner, depth + 1))?)),
        Some(byte) if byte.is_ascii_digit() || byte == b'*' => {
            return Ok(SearchKey::Set(cursor.sequence_set()?));
        }
        _ => (),
    }
    let word = cursor.word();
    if let Some(key) = parse_flag_key(&word) {
        return Ok(key);
    }
    cursor.space()?;
    if let Some(name) = header_key(&word) {
        return Ok(SearchKey::Header {
            name: name.to_owned(),
            text: cursor.astring()?,
        });
    }
    Ok(match word.as_str() {
        "NOT" => SearchKey::Not(Box::new(parse_key(cursor, depth + 1)?)),
        "OR" => {
            let left = parse_key(cursor, depth + 1)?;
            cursor.space()?;
            SearchKey::Or(Box::new(left), Box::new(parse_key(cursor, depth + 1)?))
        }
        "UID" => SearchKey::Uid(cursor.sequence_set()?),
        "HEADER" => {
            let name = cursor.astring()?;
            cursor.space()?;
            SearchKey::Header {
                name,
                text: cursor.astring()?,
            }
        }
        "BODY" => SearchKey::Body(cursor.astring()?),
        "TEXT" => SearchKey::Text(cursor.astring()?),
        "LARGER" => SearchKey::Larger(cursor.number()?),
        "SMALLER" => SearchKey::Smaller(cursor.number()?),
        "KEYWORD" => keyword(cursor)?,
        "UNKEYWORD" => SearchKey::Not(Box::new(keyword(cursor)?)),
        "MODSEQ" => {
            if cursor.peek() == Some(b'"') {
                // RFC 7162 section 3.1.5: an entry name and type, which change nothing here.
                cursor.astring()?;
                cursor.space()?;
                cursor.word();
                cursor.space()?;
            }
            SearchKey::ModSeq(cursor.number()?)
        }
        "BEFORE" | "ON" | "SINCE" => {
            let (from, to) = days(&word, cursor)?;
            SearchKey::Received { from, to }
        }
        "SENTBEFORE" | "SENTON" | "SENTSINCE" => {
            let (from, to) = days(word.trim_start_matches("SENT"), cursor)?;
            SearchKey::Sent { from, to }
        }
        _ => return Err(Malformed("unknown search key")),
    })
}

fn header_key(word: &str) -> Option<&'static str> {
    Some(match word {
        "FROM" => "From",
        "TO" => "To",
        "CC" => "Cc",
        "BCC" => "Bcc",
        "SUBJECT" => "Subject",
        _ => return None,
    })
}

fn parse_flag_key(word: &str) -> Option<SearchKey> {
    let set = |flag: Flag| SearchKey::Flags(Flags::default().with(flag));
    let unset = |flag: Flag| SearchKey::Not(Box::new(set(flag)));
    Some(match word {
        "ALL" => SearchKey::All,
        "ANSWERED" => set(Flag::Answered),
        "DELETED" => set(Flag::Deleted),
        "DRAFT" => set(Flag::Draft),
        "FLAGGED" => set(Flag::Flagged),
        "SEEN" => set(Flag::Seen),
        "UNANSWERED" => unset(Flag::Answered),
        "UNDELETED" => unset(Flag::Deleted),
        "UNDRAFT" => unset(Flag::Draft),
        "UNFLAGGED" => unset(Flag::Flagged),
        "UNSEEN" => unset(Flag::Seen),
        "NEW" | "RECENT" => SearchKey::Nothing,
        "OLD" => SearchKey::All,
        _ => return None,
    })
}

fn keyword(cursor: &mut Cursor<'_>) -> Result<SearchKey> {
    let keyword = Keyword::parse(&cursor.astring()?).ok_or(Malformed("impossible keyword"))?;
    Ok(SearchKey::Flags(Flags::from_bits(0, [keyword])))
}

fn days(word: &str, cursor: &mut Cursor<'_>) -> Result<(i64, i64)> {
    let day = parse_date(&cursor.astring()?).ok_or(Malformed("bad date"))?;
    Ok(match word {
        "BEFORE" => (i64::MIN, day),
        "ON" => (day, day + 1),
        _ => (day, i64::MAX),
    })
}
