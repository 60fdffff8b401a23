//! What the window remembers between runs: keys and values whose meaning is the caller's.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension};

use crate::db::{Pace, Store};
use crate::error::Result;

/// Keys that begin so are the store's own and are not shown.
pub(crate) const OWN: &str = "store:";

impl Store {
    pub async fn setting(&self, key: &str) -> Result<Option<String>> {
        let key = key.to_owned();
        self.read(Pace::Quick, move |reader| load(&reader.index, &key))
            .await
    }

    pub async fn settings(&self) -> Result<BTreeMap<String, String>> {
        self.read(Pace::Quick, |reader| {
            let mut select = reader.index.prepare_cached("SELECT key, value FROM setting")?;
            let rows = select.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))?;
            let all: BTreeMap<String, String> = rows.collect::<rusqlite::Result<_>>()?;
            Ok(all.into_iter().filter(|(key, _)| !key.starts_with(OWN)).collect())
        })
        .await
    }
}

pub(crate) fn load(index: &Connection, key: &str) -> Result<Option<String>> {
    let mut select = index.prepare_cached("SELECT value FROM setting WHERE key = ?1")?;
    Ok(select.query_row([key], |row| row.get(0)).optional()?)
}

pub(crate) fn put(index: &Connection, key: &str, value: Option<&str>) -> Result<()> {
    match value {
        None => index
            .prepare_cached("DELETE FROM setting WHERE key = ?1")?
            .execute([key])?,
        Some(value) => index
            .prepare_cached(
                "INSERT INTO setting (key, value) VALUES (?1, ?2)
                 ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            )?
            .execute([key, value])?,
    };
    Ok(())
}
