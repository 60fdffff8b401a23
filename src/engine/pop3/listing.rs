//! What the server lists, each message with what identifies it.
//!
//! The server's UIDL where it is there and unique. Else the message's header, by TOP. Else the sizes of LIST: a
//! maildrop grows at its end, so where the listing begins as it did, and the last message of that beginning is still
//! the same, all of it is the same. Whatever remains is downloaded, and its bytes tell whether it is here already.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use posthorn_model::{AccountId, ErrorClass, Hash, MsgNo, Uidl};
use posthorn_net::pop3::Session;
use posthorn_store::write::Write;
use tokio::sync::mpsc;

use super::header;
use super::plan::{Ledger, Listed, Naming};
use crate::Error;
use crate::shared::Shared;

/// Messages without a name that one check looks at, where the server names others: it may list what it does not have.
const UNNAMED: usize = 10_000;

/// The setting that remembers the listing of a maildrop without UIDL.
fn memory_key(account: AccountId) -> String {
    format!("pop3-listing/{account}")
}

/// Lists the maildrop.
///
/// # Errors
/// Where the server lists nothing, or the connection broke.
pub async fn list(
    session: &mut Session,
    core: &Shared,
    account: AccountId,
    ledger: &Ledger,
) -> Result<Vec<Listed>, Error> {
    let uidls = session.uidl().await?;
    let sizes: BTreeMap<MsgNo, u64> = match session.list().await {
        Ok(sizes) => sizes.into_iter().collect(),
        // Sizes are a convenience where UIDL names the messages.
        Err(error) if error.class == ErrorClass::Refused && uidls.is_some() => BTreeMap::new(),
        Err(error) => return Err(error.into()),
    };
    let (mut listed, unnamed) = name_by_uidl(uidls, &sizes);
    if !unnamed.is_empty() {
        let mut nameless = Nameless {
            session,
            sizes: &sizes,
        };
        let remembered = core.store.setting(&memory_key(account)).await?;
        let remembered = remembered.map(|text| parse_memory(&text)).unwrap_or_default();
        // Only where nothing has a name can the whole listing be laid beside the remembered one.
        let known = if listed.is_empty() {
            nameless.recognise(&unnamed, &remembered, ledger).await?
        } else {
            Vec::new()
        };
        let most = if listed.is_empty() { usize::MAX } else { UNNAMED };
        let rest: Vec<MsgNo> = unnamed.into_iter().skip(known.len()).take(most).collect();
        listed.extend(known);
        listed.extend(nameless.name_by_header(&rest).await?);
    }
    listed.sort_by_key(|entry| entry.number);
    Ok(listed)
}

/// What the next check needs to know this listing again, where the server gives no names.
pub fn remember(account: AccountId, listed: &[Listed]) -> Write {
    let nameless = listed.iter().all(|entry| entry.naming != Naming::Server);
    let known = listed
        .iter()
        .take_while(|entry| entry.naming == Naming::Made)
        .filter_map(|entry| {
            Some(format!(
                "{} {}\n",
                entry.size?,
                String::from_utf8_lossy(&entry.uidl.0)
            ))
        });
    let text: String = known.collect();
    Write::PutSetting {
        key: memory_key(account),
        value: (nameless && !text.is_empty()).then_some(text),
    }
}

fn parse_memory(text: &str) -> Vec<(u64, Uidl)> {
    let lines = text.lines().map_while(|line| {
        let (size, name) = line.split_once(' ')?;
        Some((size.parse().ok()?, Uidl(name.as_bytes().to_vec())))
    });
    lines.collect()
}

/// What has a name of its own, and the numbers of what has none.
fn name_by_uidl(
    uidls: Option<Vec<(MsgNo, Uidl)>>,
    sizes: &BTreeMap<MsgNo, u64>,
) -> (Vec<Listed>, BTreeSet<MsgNo>) {
    let uidls = uidls.unwrap_or_default();
    let mut unnamed: BTreeSet<MsgNo> = sizes.keys().copied().collect();
    let mut repeated: BTreeSet<Uidl> = BTreeSet::new();
    let mut seen: HashSet<&Uidl> = HashSet::with_capacity(uidls.len());
    for (_, uidl) in &uidls {
        if !seen.insert(uidl) {
            repeated.insert(uidl.clone());
        }
    }
    let mut listed = Vec::with_capacity(uidls.len());
    for (number, uidl) in uidls {
        if uidl.0.is_empty() || repeated.contains(&uidl) {
            unnamed.insert(number);
            continue;
        }
        unnamed.remove(&number);
        listed.push(Listed {
            number,
            uidl,
            naming: Naming::Server,
            size: sizes.get(&number).copied(),
        });
    }
    (listed, unnamed)
}

struct Nameless<'a> {
    session: &'a mut Session,
    sizes: &'a BTreeMap<MsgNo, u64>,
}

impl Nameless<'_> {
    fn entry(&self, number: MsgNo, uidl: Uidl, naming: Naming) -> Listed {
        Listed {
            number,
            uidl,
            naming,
            size: self.sizes.get(&number).copied(),
        }
    }

    /// The beginning of the listing that is as it was, its last message being the same beyond doubt.
    async fn recognise(
        &mut self,
        unnamed: &BTreeSet<MsgNo>,
        remembered: &[(u64, Uidl)],
        ledger: &Ledger,
    ) -> Result<Vec<Listed>, Error> {
        let alike = unnamed
            .iter()
            .zip(remembered)
            .take_while(|(number, (size, _))| self.sizes.get(number) == Some(size));
        let alike: Vec<(MsgNo, Uidl)> = alike.map(|(number, (_, uidl))| (*number, uidl.clone())).collect();
        let Some((number, uidl)) = alike.last() else {
            return Ok(Vec::new());
        };
        let Some(row) = ledger.get(uidl) else {
            return Ok(Vec::new());
        };
        let same = match (self.header(*number).await?, row.header_hash) {
            (Some(header), Some(known)) => header == known,
            // No TOP: the message itself.
            (None, _) => row.hash.is_some() && self.whole(*number).await? == row.hash,
            (Some(_), None) => false,
        };
        if !same {
            log::info!(
                "The maildrop is not the one of the last check: its messages are looked at one by one."
            );
            return Ok(Vec::new());
        }
        let entries = alike
            .into_iter()
            .map(|(number, uidl)| self.entry(number, uidl, Naming::Made));
        Ok(entries.collect())
    }

    async fn header(&mut self, number: MsgNo) -> Result<Option<Hash>, Error> {
        let mut found = None;
        self.session
            .tops(&[number], &mut |_, header| {
                found = header.map(|header| header::digest(&header))
            })
            .await?;
        Ok(found)
    }

    async fn whole(&mut self, number: MsgNo) -> Result<Option<Hash>, Error> {
        let (out, mut arrived) = mpsc::channel(1);
        let wanted = [(number, self.sizes.get(&number).copied())];
        let fetching = async {
            let result = self.session.retrieve(&wanted, &out).await;
            drop(out);
            result
        };
        let (fetched, came) = tokio::join!(fetching, arrived.recv());
        fetched?;
        match came.and_then(|retrieved| retrieved.result.ok()) {
            Some(payload) => header::whole_of(payload).await,
            None => Ok(None),
        }
    }

    /// Names made from headers; where there is no TOP, names for this session alone.
    async fn name_by_header(&mut self, numbers: &[MsgNo]) -> Result<Vec<Listed>, Error> {
        let mut headers: BTreeMap<MsgNo, Hash> = BTreeMap::new();
        self.session
            .tops(numbers, &mut |number, header| {
                headers.extend(header.map(|header| (number, header::digest(&header))));
            })
            .await?;
        let mut taken: BTreeSet<Hash> = BTreeSet::new();
        let entries = numbers.iter().map(|number| match headers.get(number) {
            // The same header twice: their bytes must tell them apart.
            Some(header) if taken.insert(*header) => self.entry(*number, header::name(*header), Naming::Made),
            _ => self.entry(*number, Uidl(number.to_string().into_bytes()), Naming::Session),
        });
        Ok(entries.collect())
    }
}
