//! The selected mailbox as this session has been told of it, and how it catches up (RFC 9051 section 5.2).

use posthorn_model::{Flag, Flags, Uid, UidSet};

use super::command::{Qresync, Select};
use super::flag_list;
use super::folders::{Standing, wire_name};
use super::session::{Answer, Session, bad, no, ok};
use crate::mailbox::{Mailbox, StoredMessage};
use crate::wire::{Hangup, Result};

/// One message that the client knows of. Its index + 1 is its sequence number.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    pub uid: Uid,
    /// The modification sequence of the flags last told.
    pub modseq: u64,
}

pub struct Selected {
    pub id: u64,
    pub read_only: bool,
    pub view: Vec<Known>,
    /// The mailbox when the view was last brought up to date.
    pub standing: Standing,
}

impl Session {
    pub fn select(&mut self, select: &Select) -> Answer {
        let was_selected = self.selected.take().is_some();
        if (select.condstore && !self.core.offers("CONDSTORE")) || (select.qresync.is_some() && !self.qresync)
        {
            return bad("not enabled");
        }
        if was_selected && self.qresync {
            self.link.line("* OK [CLOSED] the mailbox before");
        }
        self.condstore |= select.condstore;
        let reply = self.with_account(|account| {
            let mailbox = account.mailbox(&select.mailbox)?;
            let view = mailbox
                .messages
                .iter()
                .map(|m| Known {
                    uid: m.uid,
                    modseq: m.modseq,
                })
                .collect();
            let selected = Selected {
                id: mailbox.id,
                read_only: select.examine,
                view,
                standing: Standing::of(mailbox),
            };
            let mut lines = describe(mailbox, select.examine, self.core.offers("CONDSTORE"));
            if self.core.offers("OBJECTID") {
                lines.push(format!("* OK [MAILBOXID ({})] its id", mailbox.object_id()));
            }
            if self.rev2 {
                // RFC 9051 section 6.3.2 and appendix E.
                lines.retain(|line| !line.ends_with(" RECENT") && !line.starts_with("* OK [UNSEEN"));
                lines.push(format!("* LIST () \"/\" {}", wire_name(&mailbox.path, true)));
            }
            if let Some(resume) = &select.qresync {
                lines.extend(catch_up(mailbox, resume));
            }
            Some((selected, lines))
        });
        let Some((selected, lines)) = reply.flatten() else {
            return no("[NONEXISTENT] no such mailbox");
        };
        for line in lines {
            self.link.line(line);
        }
        self.selected = Some(selected);
        ok(if select.examine {
            "[READ-ONLY] selected"
        } else {
            "[READ-WRITE] selected"
        })
    }

    /// CLOSE: removes what is marked deleted without telling (RFC 9051 section 6.4.1).
    pub fn close(&mut self) -> Answer {
        if self.selected.as_ref().is_some_and(|selected| !selected.read_only) {
            self.change_selected(|mailbox| mailbox.remove(|message| message.flags.contains(Flag::Deleted)));
        }
        self.selected = None;
        ok("done")
    }

    /// Tells what other sessions did. Removals only where sequence numbers may change (RFC 9051 section 7.5.1).
    pub fn tell_changes(&mut self, removals: bool) -> Result<()> {
        let Some(selected) = &mut self.selected else {
            return Ok(());
        };
        let Some(user) = self.user.as_deref() else {
            return Ok(());
        };
        let (condstore, qresync, rev2) = (self.condstore, self.qresync, self.rev2);
        let lines = self.core.store.read(|state| {
            let mailbox = state.account(user)?.by_id(selected.id)?;
            if mailbox.highest_modseq() == selected.standing.highest_modseq {
                return Some(Vec::new());
            }
            let mut lines = Vec::new();
            if removals {
                tell_removals(selected, mailbox, qresync, &mut lines);
                selected.standing = Standing::of(mailbox);
            }
            for (index, known) in selected.view.iter_mut().enumerate() {
                if let Some(message) = mailbox
                    .find(known.uid)
                    .filter(|message| message.modseq > known.modseq)
                {
                    known.modseq = message.modseq;
                    lines.push(flag_report(index + 1, message, true, condstore));
                }
            }
            let last = selected.view.last().map(|known| known.uid);
            let from = mailbox
                .messages
                .partition_point(|message| Some(message.uid) <= last);
            let fresh = mailbox.messages.iter().skip(from);
            let before = selected.view.len();
            selected.view.extend(fresh.map(|m| Known {
                uid: m.uid,
                modseq: m.modseq,
            }));
            if selected.view.len() > before {
                lines.push(format!("* {} EXISTS", selected.view.len()));
                if !rev2 {
                    lines.push("* 0 RECENT".to_owned());
                }
            }
            Some(lines)
        });
        let Some(lines) = lines else {
            self.link.line("* BYE the selected mailbox is gone");
            return Err(Hangup::Done);
        };
        for line in lines {
            self.link.line(line);
        }
        Ok(())
    }
}

/// One untagged FETCH with the flags.
pub fn flag_report(number: usize, message: &StoredMessage, uid: bool, modseq: bool) -> String {
    let mut items = Vec::new();
    if uid {
        items.push(format!("UID {}", message.uid));
    }
    items.push(format!("FLAGS {}", flag_list(&message.flags)));
    if modseq {
        items.push(format!("MODSEQ ({})", message.modseq));
    }
    format!("* {number} FETCH ({})", items.join(" "))
}

fn tell_removals(selected: &mut Selected, mailbox: &Mailbox, qresync: bool, lines: &mut Vec<String>) {
    let gone: Vec<(usize, Uid)> = (1..)
        .zip(&selected.view)
        .filter(|(_, known)| mailbox.find(known.uid).is_none())
        .map(|(number, known)| (number, known.uid))
        .collect();
    if gone.is_empty() {
        return;
    }
    let set: UidSet = gone.iter().map(|(_, uid)| *uid).collect();
    if qresync {
        lines.push(format!("* VANISHED {set}"));
    } else {
        // From the end, so that the numbers of those still to be told stay right.
        lines.extend(gone.iter().rev().map(|(number, _)| format!("* {number} EXPUNGE")));
    }
    selected.view.retain(|known| !set.contains(known.uid));
}

fn describe(mailbox: &Mailbox, examine: bool, condstore: bool) -> Vec<String> {
    let used = mailbox
        .messages
        .iter()
        .fold(Flags::default(), |all, message| all.union(&message.flags));
    let all = Flag::ALL.into_iter().collect::<Flags>().union(&used);
    let names = flag_list(&all);
    let permanent = if examine {
        "()".to_owned()
    } else {
        names.replacen(')', " \\*)", 1)
    };
    let mut lines = vec![
        format!("* FLAGS {names}"),
        format!("* OK [PERMANENTFLAGS {permanent}] kept"),
        format!("* {} EXISTS", mailbox.messages.len()),
        "* 0 RECENT".to_owned(),
    ];
    let unseen = mailbox
        .messages
        .iter()
        .position(|message| !message.flags.contains(Flag::Seen));
    if let Some(index) = unseen {
        lines.push(format!("* OK [UNSEEN {}] first unseen", index + 1));
    }
    lines.push(format!("* OK [UIDVALIDITY {}] valid", mailbox.uid_validity));
    lines.push(format!("* OK [UIDNEXT {}] next", mailbox.uid_next));
    if condstore {
        lines.push(format!(
            "* OK [HIGHESTMODSEQ {}] highest",
            mailbox.highest_modseq()
        ));
    }
    lines
}

/// QRESYNC (RFC 7162 section 3.2.5.1): what vanished and what changed since the client was here.
fn catch_up(mailbox: &Mailbox, resume: &Qresync) -> Vec<String> {
    if resume.uid_validity != mailbox.uid_validity {
        return Vec::new();
    }
    let largest = mailbox.uid_next;
    let asked = |uid: Uid| {
        resume
            .known
            .as_ref()
            .is_none_or(|known| known.contains(uid.value(), largest))
    };
    let gone: UidSet = mailbox
        .removed_since(resume.modseq)
        .filter(|uid| asked(*uid))
        .collect();
    let mut lines = Vec::new();
    if !gone.is_empty() {
        lines.push(format!("* VANISHED (EARLIER) {gone}"));
    }
    for (number, message) in (1..).zip(&mailbox.messages) {
        if message.modseq > resume.modseq && asked(message.uid) {
            lines.push(flag_report(number, message, true, true));
        }
    }
    lines
}
