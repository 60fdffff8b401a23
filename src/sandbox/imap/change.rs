//! STORE, COPY, MOVE and EXPUNGE (RFC 9051 section 6.4, RFC 4315 UIDPLUS, RFC 6851 MOVE, RFC 7162 UNCHANGEDSINCE).

use std::collections::{BTreeMap, BTreeSet};

use posthorn_model::{Flag, Uid, UidSet};

use super::command::{SequenceSet, Store, StoreChange};
use super::select::flag_report;
use super::session::{Answer, Session, bad, no, ok};
use crate::gmail;

impl Session {
    pub fn store_flags(&mut self, uid: bool, store: &Store) -> Answer {
        if let Some(labels) = &store.labels {
            return self.store_labels(uid, &store.set, store.change, labels);
        }
        if store.unchanged_since.is_some() && !self.core.offers("CONDSTORE") {
            return bad("no CONDSTORE here");
        }
        self.condstore |= store.unchanged_since.is_some();
        if self.selected.as_ref().is_none_or(|selected| selected.read_only) {
            return no("[READ-ONLY] the mailbox was opened read-only");
        }
        let Some(targets) = self.targets(uid, &store.set) else {
            return bad("no such message number");
        };
        let outcome = self.change_selected(|mailbox| {
            let mut done = Vec::new();
            let mut modified = Vec::new();
            for (number, uid) in targets {
                let Some(message) = mailbox.find(uid) else {
                    continue;
                };
                if store.unchanged_since.is_some_and(|since| message.modseq > since) {
                    modified.push((number, uid));
                    continue;
                }
                let flags = match store.change {
                    StoreChange::Replace => store.flags.clone(),
                    StoreChange::Add => message.flags.union(&store.flags),
                    StoreChange::Remove => message.flags.minus(&store.flags),
                };
                let before = message.modseq;
                mailbox.set_flags(uid, flags);
                done.extend(mailbox.find(uid).map(|message| (number, before, message.clone())));
            }
            (done, modified)
        });
        let Some((done, modified)) = outcome else {
            return no("[NONEXISTENT] the mailbox is gone");
        };
        for (number, before, message) in done {
            let known = self
                .selected
                .as_mut()
                .and_then(|selected| selected.view.get_mut(number - 1));
            // Another session's change that was not yet told must still be told, .SILENT or not.
            let current = known.is_some_and(|known| {
                let current = known.modseq >= before;
                known.modseq = message.modseq;
                current
            });
            if !store.silent || !current {
                self.link.line(flag_report(
                    number,
                    &message,
                    uid || self.condstore,
                    self.condstore,
                ));
            } else if self.condstore && message.modseq > before {
                self.link.line(format!(
                    "* {number} FETCH (UID {} MODSEQ ({}))",
                    message.uid, message.modseq
                ));
            }
        }
        if modified.is_empty() {
            return ok("done");
        }
        let set: UidSet = modified
            .iter()
            .filter_map(|(number, id)| if uid { Some(*id) } else { to_number(*number) })
            .collect();
        Ok(format!("[MODIFIED {set}] some were changed meanwhile"))
    }

    pub fn expunge(&mut self, uids: Option<&SequenceSet>) -> Answer {
        let Some(selected) = self.selected.as_ref().filter(|selected| !selected.read_only) else {
            return no("[READ-ONLY] the mailbox was opened read-only");
        };
        let largest = selected.view.last().map_or(0, |known| known.uid.value());
        let highest = self.change_selected(|mailbox| {
            mailbox.remove(|message| {
                message.flags.contains(Flag::Deleted)
                    && uids.is_none_or(|set| set.contains(message.uid.value(), largest))
            });
            mailbox.highest_modseq()
        });
        // RFC 7162 section 3.2.4 wants HIGHESTMODSEQ here; `tell_changes` tells the removals first.
        match highest {
            Some(highest) if self.qresync => Ok(format!("[HIGHESTMODSEQ {highest}] done")),
            _ => ok("done"),
        }
    }

    pub fn copy(&mut self, uid: bool, set: &SequenceSet, mailbox: &str) -> Answer {
        match self.transfer(uid, set, mailbox, false) {
            Ok(Some(code)) if self.core.offers("UIDPLUS") => Ok(format!("[{code}] copied")),
            Ok(_) => ok("copied"),
            Err(answer) => Err(answer),
        }
    }

    pub fn move_messages(&mut self, uid: bool, set: &SequenceSet, mailbox: &str) -> Answer {
        if self.selected.as_ref().is_none_or(|selected| selected.read_only) {
            return no("[READ-ONLY] the mailbox was opened read-only");
        }
        match self.transfer(uid, set, mailbox, true) {
            Ok(code) => {
                // RFC 6851 section 4.3: COPYUID comes untagged, before the removals.
                if let Some(code) = code.filter(|_| self.core.offers("UIDPLUS")) {
                    self.link.line(format!("* OK [{code}] moved"));
                }
                ok("moved")
            }
            Err(answer) => Err(answer),
        }
    }

    /// Copies, and removes where `moves`, in one step that no other session can see half of.
    fn transfer(
        &mut self,
        uid: bool,
        set: &SequenceSet,
        mailbox: &str,
        moves: bool,
    ) -> Result<Option<String>, String> {
        let targets = self.targets(uid, set).ok_or("BAD no such message number")?;
        let chosen: BTreeSet<Uid> = targets.into_iter().map(|(_, uid)| uid).collect();
        let (Some(user), Some(id)) = (
            self.user.clone(),
            self.selected.as_ref().map(|selected| selected.id),
        ) else {
            return Err("BAD select a mailbox first".to_owned());
        };
        self.core.store.change(|state| {
            let quota = state.quota;
            let account = state.account_mut(&user).ok_or("NO no such user")?;
            let source = account.by_id(id).ok_or("NO [NONEXISTENT] the mailbox is gone")?;
            let messages: Vec<_> = source
                .messages
                .iter()
                .filter(|message| chosen.contains(&message.uid))
                .cloned()
                .collect();
            let bytes: u64 = messages.iter().map(|message| message.raw.len() as u64).sum();
            let used = account.size();
            let labelled = account.gmail.is_some();
            let original = labelled && source.path == gmail::ALL_MAIL;
            let target = account
                .mailbox_mut(mailbox)
                .ok_or("NO [TRYCREATE] no such mailbox")?;
            if moves && target.id == id {
                return Err("NO [CANNOT] they are there already".to_owned());
            }
            if !moves && used.saturating_add(bytes) > quota {
                return Err("NO [OVERQUOTA] the sandbox is full".to_owned());
            }
            // Gmail has every message once: a mailbox that shows it already keeps the one it shows.
            let shown: BTreeMap<u64, Uid> = match labelled {
                true => target.messages.iter().map(|m| (m.email_id, m.uid)).collect(),
                false => BTreeMap::new(),
            };
            let mut pairs = Vec::new();
            for message in messages {
                let from = message.uid;
                if let Some(to) = shown.get(&message.email_id) {
                    pairs.push((from, *to));
                    continue;
                }
                let to = target.append(message.raw, message.flags, message.internal_date);
                pairs.push((from, to.ok_or("NO [LIMIT] no UIDs left")?));
            }
            let validity = target.uid_validity;
            // A label is put on what lies in All Mail; only into Trash or Junk does it leave.
            let stays = original && !gmail::hides(target.special_use);
            if moves
                && !stays
                && let Some(source) = account.by_id_mut(id)
            {
                source.remove(|message| chosen.contains(&message.uid));
            }
            // Both sides ascend together, so the sets pair up as RFC 4315 section 3 asks.
            let from: UidSet = pairs.iter().map(|(from, _)| *from).collect();
            let to: UidSet = pairs.iter().map(|(_, to)| *to).collect();
            Ok((!pairs.is_empty()).then(|| format!("COPYUID {validity} {from} {to}")))
        })
    }
}

fn to_number(number: usize) -> Option<Uid> {
    u32::try_from(number).ok().and_then(Uid::new)
}
