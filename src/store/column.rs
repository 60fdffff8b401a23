//! How model types are written in columns, for every room alike.

use posthorn_model::{Address, Flags, Hash, Keyword, Protocol, Timestamp, Uid, UidValidity};
use rusqlite::types::Type;
use rusqlite::{Result, Row};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// SQLite's integers are signed; a count or size beyond 2^63 does not occur.
pub(crate) fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

pub(crate) fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

pub(crate) fn narrow(value: i64) -> u32 {
    u32::try_from(value.max(0)).unwrap_or(u32::MAX)
}

pub(crate) fn keywords(flags: &Flags) -> String {
    let mut text = String::new();
    for keyword in flags.keywords() {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(keyword.as_str());
    }
    text
}

pub(crate) fn build_flags(bits: i64, keywords: &str) -> Flags {
    let bits = u8::try_from(bits & 0xff).unwrap_or(0);
    Flags::from_bits(bits, keywords.split(' ').filter_map(Keyword::parse))
}

/// Flags from two neighbouring columns.
pub(crate) fn flags_at(row: &Row<'_>, at: usize) -> Result<Flags> {
    let keywords = row.get_ref(at + 1)?.as_str().unwrap_or_default();
    Ok(build_flags(row.get(at)?, keywords))
}

pub(crate) fn damaged(at: usize, what: impl Into<String>) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(at, Type::Null, what.into().into())
}

pub(crate) fn hash_at(row: &Row<'_>, at: usize) -> Result<Option<Hash>> {
    match row.get_ref(at)?.as_blob_or_null() {
        Ok(None) => Ok(None),
        Ok(Some(bytes)) => Hash::from_slice(bytes)
            .map(Some)
            .ok_or_else(|| damaged(at, "a hash of the wrong length")),
        Err(_) => Err(damaged(at, "a hash that is no blob")),
    }
}

pub(crate) fn required_hash_at(row: &Row<'_>, at: usize) -> Result<Hash> {
    hash_at(row, at)?.ok_or_else(|| damaged(at, "a missing hash"))
}

pub(crate) fn uid_at(row: &Row<'_>, at: usize) -> Result<Option<Uid>> {
    Ok(row.get::<_, Option<u32>>(at)?.and_then(Uid::new))
}

pub(crate) fn validity_at(row: &Row<'_>, at: usize) -> Result<Option<UidValidity>> {
    Ok(row.get::<_, Option<u32>>(at)?.and_then(UidValidity::new))
}

pub(crate) fn time_at(row: &Row<'_>, at: usize) -> Result<Option<Timestamp>> {
    Ok(row.get::<_, Option<i64>>(at)?.map(Timestamp))
}

pub(crate) fn build_address(name: Option<String>, email: Option<String>) -> Option<Address> {
    email.map(|email| Address { name, email })
}

pub(crate) fn protocol_at(row: &Row<'_>, at: usize) -> Result<Protocol> {
    match row.get_ref(at)?.as_str() {
        Ok("imap") => Ok(Protocol::Imap),
        Ok("pop3") => Ok(Protocol::Pop3),
        _ => Err(damaged(at, "an unknown protocol")),
    }
}

pub(crate) fn build_json<T: Serialize + ?Sized>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}

pub(crate) fn json_at<T: DeserializeOwned>(row: &Row<'_>, at: usize) -> Result<T> {
    let text = row.get_ref(at)?;
    let text = text.as_str().map_err(|error| damaged(at, error.to_string()))?;
    serde_json::from_str(text).map_err(|error| damaged(at, error.to_string()))
}

/// A name that one of `all` answers to.
pub(crate) fn name_at<T: Copy>(
    row: &Row<'_>,
    at: usize,
    all: &[T],
    name: impl Fn(T) -> &'static str,
) -> Result<T> {
    let text = row.get_ref(at)?;
    let text = text.as_str().unwrap_or_default();
    all.iter()
        .copied()
        .find(|item| name(*item) == text)
        .ok_or_else(|| damaged(at, format!("an unknown word: {text:?}")))
}

/// At most `limit` characters.
pub(crate) fn cut(text: &str, limit: usize) -> &str {
    text.char_indices()
        .nth(limit)
        .and_then(|(at, _)| text.get(..at))
        .unwrap_or(text)
}
