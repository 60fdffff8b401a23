//! The one mailbox store that all three servers show: users, mailboxes and messages in memory.
//!
//! Invariants: UIDs only grow within one UIDVALIDITY and are never used again; every change raises its mailbox's
//! modification sequence (RFC 7162 section 3.1); raw bytes never change once stored.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use posthorn_model::{Flag, Flags, SpecialUse, Timestamp, Uid, UidSet};
use tokio::sync::watch;

use crate::gmail::{self, Gmail};

/// One user of the sandbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SandboxUser {
    /// The login name.
    pub username: String,
    pub password: String,
    /// The display name.
    pub name: String,
    /// What SMTP delivers to. The login name and this address both work for logging in.
    pub address: String,
}

impl SandboxUser {
    /// A user whose address is `username@example.org`.
    #[must_use]
    pub fn new(username: &str, password: &str) -> Self {
        Self {
            username: username.to_owned(),
            password: password.to_owned(),
            name: username.to_owned(),
            address: format!("{username}@example.org"),
        }
    }
}

/// A message to be stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewMessage {
    /// Served exactly as given.
    pub raw: Vec<u8>,
    pub flags: Flags,
    pub internal_date: Timestamp,
}

/// One message in one mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredMessage {
    pub uid: Uid,
    pub flags: Flags,
    pub modseq: u64,
    pub internal_date: Timestamp,
    pub raw: Arc<[u8]>,
    /// The same for the same bytes, wherever they lie (RFC 8474 section 5.1).
    pub email_id: u64,
}

/// A mailbox as `LIST` shows it: `path` in UTF-8 with `/` between levels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailboxSummary {
    pub path: String,
    pub special_use: Option<SpecialUse>,
    pub messages: usize,
    pub uid_validity: u32,
}

/// One mailbox.
#[derive(Debug)]
pub(crate) struct Mailbox {
    /// Survives renaming.
    pub id: u64,
    pub path: String,
    pub special_use: Option<SpecialUse>,
    pub uid_validity: u32,
    pub uid_next: u32,
    /// Ascending by UID.
    pub messages: Vec<StoredMessage>,
    highest_modseq: u64,
    /// What was removed, by the modification sequence of its removal.
    removed: BTreeMap<u64, UidSet>,
}

impl Mailbox {
    fn new(id: u64, path: &str, special_use: Option<SpecialUse>, uid_validity: u32) -> Self {
        Self {
            id,
            path: path.to_owned(),
            special_use,
            uid_validity,
            uid_next: 1,
            messages: Vec::new(),
            highest_modseq: 1,
            removed: BTreeMap::new(),
        }
    }

    /// RFC 8474 section 4: stays when the mailbox is renamed.
    pub fn object_id(&self) -> String {
        format!("F{}", self.id)
    }

    pub const fn highest_modseq(&self) -> u64 {
        self.highest_modseq
    }

    /// `None` once all four thousand million UIDs are used.
    pub fn append(&mut self, raw: Arc<[u8]>, flags: Flags, internal_date: Timestamp) -> Option<Uid> {
        let uid = Uid::new(self.uid_next)?;
        self.uid_next = self.uid_next.checked_add(1)?;
        self.highest_modseq += 1;
        let mut hasher = DefaultHasher::new();
        raw.hash(&mut hasher);
        self.messages.push(StoredMessage {
            uid,
            // Some clients read it as a signed number.
            email_id: hasher.finish() >> 1,
            flags,
            modseq: self.highest_modseq,
            internal_date,
            raw,
        });
        Some(uid)
    }

    pub fn find(&self, uid: Uid) -> Option<&StoredMessage> {
        let index = self
            .messages
            .binary_search_by_key(&uid, |message| message.uid)
            .ok()?;
        self.messages.get(index)
    }

    /// Gives a message new flags. Its modification sequence grows only where they differ.
    pub fn set_flags(&mut self, uid: Uid, flags: Flags) {
        let Ok(index) = self.messages.binary_search_by_key(&uid, |message| message.uid) else {
            return;
        };
        let next = self.highest_modseq + 1;
        if let Some(message) = self.messages.get_mut(index)
            && message.flags != flags
        {
            message.flags = flags;
            message.modseq = next;
            self.highest_modseq = next;
        }
    }

    /// Removes the messages that `chosen` picks; answers their UIDs.
    pub fn remove(&mut self, chosen: impl Fn(&StoredMessage) -> bool) -> UidSet {
        let gone: UidSet = self
            .messages
            .iter()
            .filter(|m| chosen(m))
            .map(|m| m.uid)
            .collect();
        if !gone.is_empty() {
            self.messages.retain(|message| !gone.contains(message.uid));
            self.highest_modseq += 1;
            self.removed.insert(self.highest_modseq, gone.clone());
        }
        gone
    }

    /// What was removed after `modseq` (RFC 7162 section 3.2.5).
    pub fn removed_since(&self, modseq: u64) -> impl Iterator<Item = Uid> + '_ {
        self.removed
            .range(modseq.saturating_add(1)..)
            .flat_map(|(_, set)| set.iter())
    }

    pub fn unseen(&self) -> usize {
        self.messages
            .iter()
            .filter(|m| !m.flags.contains(Flag::Seen))
            .count()
    }

    pub fn size(&self) -> u64 {
        self.messages.iter().map(|m| m.raw.len() as u64).sum()
    }
}

/// One user and all their mail.
#[derive(Debug)]
pub(crate) struct Account {
    pub user: SandboxUser,
    pub mailboxes: Vec<Mailbox>,
    /// Names, which need not exist (RFC 9051 section 6.3.7).
    pub subscriptions: BTreeSet<String>,
    /// A POP3 session holds the maildrop (RFC 1939 section 4).
    pub maildrop_locked: bool,
    /// The last POP3 login.
    pub logged_in_at: Option<std::time::Instant>,
    /// IMAP sessions that are logged in.
    pub sessions: usize,
    /// Set where mail is kept as Gmail keeps it.
    pub gmail: Option<Gmail>,
}

impl Account {
    pub fn mailbox(&self, path: &str) -> Option<&Mailbox> {
        let path = canonical(path);
        self.mailboxes.iter().find(|mailbox| mailbox.path == path)
    }

    pub fn mailbox_mut(&mut self, path: &str) -> Option<&mut Mailbox> {
        let path = canonical(path);
        self.mailboxes.iter_mut().find(|mailbox| mailbox.path == path)
    }

    pub fn by_id(&self, id: u64) -> Option<&Mailbox> {
        self.mailboxes.iter().find(|mailbox| mailbox.id == id)
    }

    pub fn by_id_mut(&mut self, id: u64) -> Option<&mut Mailbox> {
        self.mailboxes.iter_mut().find(|mailbox| mailbox.id == id)
    }

    pub fn has_children(&self, path: &str) -> bool {
        self.mailboxes.iter().any(|mailbox| is_below(&mailbox.path, path))
    }

    pub fn size(&self) -> u64 {
        self.mailboxes.iter().map(Mailbox::size).sum()
    }
}

/// Everything, behind one lock.
#[derive(Debug)]
pub(crate) struct State {
    pub accounts: Vec<Account>,
    /// Bytes of mail that one user may hold.
    pub quota: u64,
    next_validity: u32,
    next_mailbox: u64,
}

impl State {
    pub fn account(&self, username: &str) -> Option<&Account> {
        self.accounts
            .iter()
            .find(|account| account.user.username == username)
    }

    pub fn account_mut(&mut self, username: &str) -> Option<&mut Account> {
        self.accounts
            .iter_mut()
            .find(|account| account.user.username == username)
    }

    pub fn fresh_validity(&mut self) -> u32 {
        self.next_validity = self.next_validity.wrapping_add(1).max(1);
        self.next_validity
    }

    /// False where the user is unknown or has that mailbox already. Subscribes to it.
    pub fn create(&mut self, username: &str, path: &str, special_use: Option<SpecialUse>) -> bool {
        let validity = self.fresh_validity();
        self.next_mailbox += 1;
        let id = self.next_mailbox;
        let Some(account) = self.account_mut(username) else {
            return false;
        };
        if account.mailbox(path).is_some() {
            return false;
        }
        let path = canonical(path);
        account
            .mailboxes
            .push(Mailbox::new(id, path, special_use, validity));
        account.mailboxes.sort_by_key(|mailbox| rank(&mailbox.path));
        account.subscriptions.insert(path.to_owned());
        true
    }
}

fn rank(path: &str) -> (bool, String) {
    (path != "INBOX", path.to_lowercase())
}

/// INBOX is the one name that ignores case (RFC 9051 section 5.1).
pub(crate) fn canonical(path: &str) -> &str {
    if path.eq_ignore_ascii_case("INBOX") {
        "INBOX"
    } else {
        path
    }
}

/// Whether `path` lies below `above` in the hierarchy.
pub(crate) fn is_below(path: &str, above: &str) -> bool {
    path.strip_prefix(above).is_some_and(|rest| rest.starts_with('/'))
}

struct Shared {
    state: Mutex<State>,
    /// Counts changes: IDLE waits on it. Subscribers look at the state again, so that none can miss any.
    version: watch::Sender<u64>,
}

/// A handle on the store; clones share it.
#[derive(Clone)]
pub struct MailStore(Arc<Shared>);

impl MailStore {
    /// `validity` is the seed of UIDVALIDITY: choose a time, so that a second sandbox does not repeat the first's.
    pub(crate) fn new(validity: u32, quota: u64) -> Self {
        Self(Arc::new(Shared {
            state: Mutex::new(State {
                accounts: Vec::new(),
                quota,
                next_validity: validity,
                next_mailbox: 0,
            }),
            version: watch::Sender::new(0),
        }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn read<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.lock())
    }

    /// Changes the state, then wakes whoever waits for changes.
    pub(crate) fn change<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        let result = {
            let mut state = self.lock();
            let result = act(&mut state);
            state.accounts.iter_mut().for_each(gmail::settle);
            result
        };
        self.0
            .version
            .send_modify(|version| *version = version.wrapping_add(1));
        result
    }

    /// Changes what no other session can see.
    pub(crate) fn change_quietly<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.lock())
    }

    /// Never the same twice.
    pub(crate) fn next_number(&self) -> u64 {
        self.change_quietly(|state| {
            state.next_mailbox += 1;
            state.next_mailbox
        })
    }

    /// Wakes at every change.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.version.subscribe()
    }

    /// Adds a user with an INBOX and the usual mailboxes; false where the name is taken.
    pub fn add_user(&self, user: SandboxUser) -> bool {
        self.change(|state| {
            if state.account(&user.username).is_some() {
                return false;
            }
            let username = user.username.clone();
            state.accounts.push(Account {
                user,
                mailboxes: Vec::new(),
                subscriptions: BTreeSet::new(),
                maildrop_locked: false,
                logged_in_at: None,
                sessions: 0,
                gmail: None,
            });
            state.create(&username, "INBOX", None);
            for purpose in [
                SpecialUse::Archive,
                SpecialUse::Drafts,
                SpecialUse::Junk,
                SpecialUse::Sent,
                SpecialUse::Trash,
            ] {
                state.create(&username, title(purpose), Some(purpose));
            }
            true
        })
    }

    /// From here on this user's mail is kept as Gmail keeps it.
    pub(crate) fn be_gmail(&self, username: &str) {
        self.change(|state| gmail::set_up(state, username));
    }

    /// The login name for a name or address and its password.
    pub(crate) fn log_in(&self, name: &str, password: &str) -> Option<String> {
        self.read(|state| {
            let known = state.accounts.iter().map(|account| &account.user);
            known
                .filter(|user| user.username == name || user.address.eq_ignore_ascii_case(name))
                .find(|user| user.password == password)
                .map(|user| user.username.clone())
        })
    }

    /// The login name and password of a user by name or address.
    pub(crate) fn password_of(&self, name: &str) -> Option<(String, String)> {
        self.read(|state| {
            let mut known = state.accounts.iter().map(|account| &account.user);
            known
                .find(|user| user.username == name || user.address.eq_ignore_ascii_case(name))
                .map(|user| (user.username.clone(), user.password.clone()))
        })
    }

    /// The login name of whoever receives mail for `address`; `user+detail@` counts as `user@`.
    #[must_use]
    pub fn recipient(&self, address: &str) -> Option<String> {
        let (local, domain) = address.rsplit_once('@')?;
        let bare = local.split_once('+').map_or(local, |(user, _)| user);
        let bare = format!("{bare}@{domain}");
        self.read(|state| {
            let mut users = state.accounts.iter().map(|account| &account.user);
            users
                .find(|user| {
                    user.address.eq_ignore_ascii_case(address) || user.address.eq_ignore_ascii_case(&bare)
                })
                .map(|user| user.username.clone())
        })
    }

    /// Stores a message; `None` where the user or mailbox is unknown.
    pub fn append(&self, username: &str, mailbox: &str, message: NewMessage) -> Option<Uid> {
        self.change(|state| {
            let mailbox = state.account_mut(username)?.mailbox_mut(mailbox)?;
            mailbox.append(message.raw.into(), message.flags, message.internal_date)
        })
    }

    /// A mailbox's messages, ascending by UID; empty where it is unknown.
    #[must_use]
    pub fn messages(&self, username: &str, mailbox: &str) -> Vec<StoredMessage> {
        self.read(|state| {
            let mailbox = state
                .account(username)
                .and_then(|account| account.mailbox(mailbox));
            mailbox
                .map(|mailbox| mailbox.messages.clone())
                .unwrap_or_default()
        })
    }

    /// All mailboxes of a user, INBOX first.
    #[must_use]
    pub fn mailboxes(&self, username: &str) -> Vec<MailboxSummary> {
        self.read(|state| {
            let mailboxes = state.account(username).map(|account| account.mailboxes.iter());
            mailboxes
                .into_iter()
                .flatten()
                .map(|mailbox| MailboxSummary {
                    path: mailbox.path.clone(),
                    special_use: mailbox.special_use,
                    messages: mailbox.messages.len(),
                    uid_validity: mailbox.uid_validity,
                })
                .collect()
        })
    }

    /// Makes a mailbox, as another client would.
    pub fn create(&self, username: &str, path: &str) -> bool {
        self.change(|state| state.create(username, path, None))
    }

    /// Sets a message's flags, as another client would; false where there is no such message.
    pub fn set_flags(&self, username: &str, mailbox: &str, uid: Uid, flags: Flags) -> bool {
        self.change(|state| {
            let Some(mailbox) = state.account_mut(username).and_then(|a| a.mailbox_mut(mailbox)) else {
                return false;
            };
            let known = mailbox.find(uid).is_some();
            mailbox.set_flags(uid, flags);
            known
        })
    }

    /// Gives a message's UID to another message, as no server may and some have done.
    pub fn reuse_uid(&self, username: &str, mailbox: &str, uid: Uid, raw: &[u8]) -> bool {
        self.change(|state| {
            let mailbox = state
                .account_mut(username)
                .and_then(|account| account.mailbox_mut(mailbox));
            let message =
                mailbox.and_then(|mailbox| mailbox.messages.iter_mut().find(|message| message.uid == uid));
            message.is_some_and(|message| {
                message.raw = raw.into();
                true
            })
        })
    }

    /// Removes messages, as another client would; answers which.
    pub fn vanish(&self, username: &str, mailbox: &str, chosen: impl Fn(&StoredMessage) -> bool) -> UidSet {
        self.change(|state| {
            let mailbox = state.account_mut(username).and_then(|a| a.mailbox_mut(mailbox));
            mailbox.map(|mailbox| mailbox.remove(chosen)).unwrap_or_default()
        })
    }

    /// Gives a mailbox a new UIDVALIDITY and its messages new UIDs, as a server restored from a backup would.
    pub fn bump_uid_validity(&self, username: &str, mailbox: &str) -> bool {
        self.change(|state| {
            let validity = state.fresh_validity();
            state.next_mailbox += 1;
            let id = state.next_mailbox;
            let Some(mailbox) = state.account_mut(username).and_then(|a| a.mailbox_mut(mailbox)) else {
                return false;
            };
            let fresh = Mailbox::new(id, &mailbox.path, mailbox.special_use, validity);
            let old = std::mem::replace(mailbox, fresh);
            for message in old.messages {
                mailbox.append(message.raw, message.flags, message.internal_date);
            }
            true
        })
    }
}

/// What a mailbox for this purpose is called here.
pub(crate) const fn title(purpose: SpecialUse) -> &'static str {
    match purpose {
        SpecialUse::Inbox => "INBOX",
        SpecialUse::Drafts => "Drafts",
        SpecialUse::Sent => "Sent",
        SpecialUse::Archive => "Archive",
        SpecialUse::Junk => "Junk",
        SpecialUse::Trash => "Trash",
        SpecialUse::Flagged => "Flagged",
        SpecialUse::All => "All",
        SpecialUse::Important => "Important",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> MailStore {
        let store = MailStore::new(100, 1 << 20);
        assert!(store.add_user(SandboxUser::new("ada", "pw")));
        store
    }

    fn message(text: &str) -> NewMessage {
        NewMessage {
            raw: text.as_bytes().to_vec(),
            ..NewMessage::default()
        }
    }

    #[test]
    fn uids_grow_and_are_never_used_again() {
        let store = store();
        let uids = |store: &MailStore| -> Vec<u32> {
            store
                .messages("ada", "inbox")
                .iter()
                .map(|m| m.uid.value())
                .collect()
        };
        for text in ["a", "b", "c"] {
            store.append("ada", "INBOX", message(text)).unwrap();
        }
        store.vanish("ada", "INBOX", |m| m.uid.value() == 3);
        store.append("ada", "Inbox", message("d")).unwrap();
        assert_eq!(uids(&store), [1, 2, 4]);
        let before = store.mailboxes("ada")[0].uid_validity;
        assert!(store.bump_uid_validity("ada", "INBOX"));
        assert!(store.mailboxes("ada")[0].uid_validity > before);
        assert_eq!(uids(&store), [1, 2, 3]);
    }

    #[test]
    fn every_change_raises_the_modseq() {
        let store = store();
        let uid = store.append("ada", "INBOX", message("a")).unwrap();
        let modseq = || {
            store.read(|state| {
                state
                    .account("ada")
                    .unwrap()
                    .mailbox("INBOX")
                    .unwrap()
                    .highest_modseq()
            })
        };
        let first = modseq();
        store.set_flags("ada", "INBOX", uid, Flags::default().with(Flag::Seen));
        let second = modseq();
        store.set_flags("ada", "INBOX", uid, Flags::default().with(Flag::Seen));
        assert!(second > first);
        assert_eq!(modseq(), second, "nothing changed");
        store.vanish("ada", "INBOX", |_| true);
        assert!(modseq() > second);
        let gone = store.read(|state| {
            let account = state.account("ada").unwrap();
            account.mailbox("INBOX").unwrap().removed_since(second).count()
        });
        assert_eq!(gone, 1);
    }

    #[test]
    fn knows_recipients() {
        let store = store();
        for (address, expect) in [
            ("ada@example.org", Some("ada")),
            ("ADA@Example.ORG", Some("ada")),
            ("ada+lists@example.org", Some("ada")),
            ("ada@example.net", None),
            ("ada", None),
        ] {
            assert_eq!(store.recipient(address).as_deref(), expect, "{address}");
        }
    }
}
