//! Changing messages: STORE, COPY, MOVE and UID EXPUNGE (RFC 9051 section 6.4). A bare EXPUNGE would remove what other
//! programs have marked: it is sent on the user's own word alone.

use posthorn_model::{Flag, FlagChange, Flags, MailboxName, Uid, UidSet, UidValidity};

use super::client::Reply;
use super::code::{self, StatusText, Verdict};
use super::select::report;
use super::{FlagReport, SET_LENGTH, Session};
use crate::Error;

/// Where copied messages went (RFC 4315 section 3): the n-th of `from` became the n-th of `to`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyUid {
    pub uid_validity: UidValidity,
    pub from: Vec<Uid>,
    pub to: Vec<Uid>,
}

/// How a move ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MoveOutcome {
    /// `None`: the server does not say where they went.
    pub copied: Option<CopyUid>,
    /// Whether the originals are gone.
    pub originals: Expunged,
}

/// Whether messages were removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expunged {
    Done,
    /// Only marked \Deleted: the server has no UIDPLUS, and without it others' messages would go too.
    LeftDeleted,
}

impl Session {
    /// Adds and removes flags. Returns what the server says they are now, where it says so.
    ///
    /// # Errors
    /// Refused, with the server's words; what was changed until then stays changed.
    pub async fn store_flags(
        &mut self,
        uids: &UidSet,
        change: &FlagChange,
    ) -> Result<Vec<FlagReport>, Error> {
        let mut reports = Vec::new();
        for set in uids.split_for_wire(SET_LENGTH) {
            for (sign, flags) in [('+', &change.add), ('-', &change.remove)] {
                if flags.is_empty() {
                    continue;
                }
                let command = format!("UID STORE {set} {sign}FLAGS ({})", wire_flags(flags));
                self.client
                    .demand(&command, "the flags could not be changed", &mut |reply| {
                        if let Reply::Fetch(fetched) = reply {
                            reports.extend(report(fetched).filter(|report| set.contains(report.uid)));
                        }
                    })
                    .await?;
            }
        }
        Ok(reports)
    }

    /// Copies into a mailbox that exists. TRYCREATE comes back as an error of class Refused.
    ///
    /// # Errors
    /// Refused or Quota, with the server's words.
    pub async fn copy(&mut self, uids: &UidSet, target: &MailboxName) -> Result<Option<CopyUid>, Error> {
        self.transfer("UID COPY", uids, target).await
    }

    /// Moves into a mailbox: by MOVE, else by copy, \Deleted and UID EXPUNGE. The originals are touched only after
    /// the copy has succeeded.
    ///
    /// # Errors
    /// As [`Session::copy`].
    pub async fn move_messages(&mut self, uids: &UidSet, target: &MailboxName) -> Result<MoveOutcome, Error> {
        if self.capabilities.has("MOVE") {
            let copied = self.transfer("UID MOVE", uids, target).await?;
            return Ok(MoveOutcome {
                copied,
                originals: Expunged::Done,
            });
        }
        let copied = self.copy(uids, target).await?;
        self.store_flags(uids, &FlagChange::adding(Flag::Deleted)).await?;
        let originals = self.expunge(uids).await?;
        Ok(MoveOutcome { copied, originals })
    }

    /// Removes those of `uids` that are marked \Deleted, and no others.
    ///
    /// # Errors
    /// Refused, with the server's words.
    pub async fn expunge(&mut self, uids: &UidSet) -> Result<Expunged, Error> {
        if !self.capabilities.has("UIDPLUS") {
            return Ok(Expunged::LeftDeleted);
        }
        for set in uids.split_for_wire(SET_LENGTH) {
            let command = format!("UID EXPUNGE {set}");
            self.client
                .demand(&command, "the messages could not be removed", &mut |_| {})
                .await?;
        }
        Ok(Expunged::Done)
    }

    /// Removes everything in the selected mailbox that is marked \Deleted, by whomever: only where the user has been
    /// told of that and wants it.
    ///
    /// # Errors
    /// Refused, with the server's words.
    pub async fn expunge_all(&mut self) -> Result<(), Error> {
        self.client
            .demand("EXPUNGE", "the messages could not be removed", &mut |_| {})
            .await?;
        Ok(())
    }

    async fn transfer(
        &mut self,
        command: &str,
        uids: &UidSet,
        target: &MailboxName,
    ) -> Result<Option<CopyUid>, Error> {
        let target = self.argument(target)?;
        let mut pieces = Vec::new();
        for set in uids.split_for_wire(SET_LENGTH) {
            let mut told = None;
            // RFC 6851 section 4.3: MOVE tells it in an untagged OK, before the messages vanish.
            let status = self
                .client
                .demand(
                    &format!("{command} {set} {target}"),
                    "the messages could not be put into the mailbox",
                    &mut |reply| {
                        match reply {
                            Reply::Status(Verdict::Ok, status) => {
                                told = told.take().or_else(|| copy_uid(&status, &set));
                            }
                            // Exchange forgets the `* OK` before it.
                            Reply::Data(captured) => {
                                let status = StatusText::parse(&String::from_utf8_lossy(&captured.text));
                                told = told.take().or_else(|| copy_uid(&status, &set));
                            }
                            _ => {}
                        }
                    },
                )
                .await?;
            pieces.push(copy_uid(&status, &set).or(told));
        }
        Ok(join(pieces))
    }
}

pub(super) fn wire_flags(flags: &Flags) -> String {
    let system = Flag::ALL.into_iter().filter(|flag| flags.contains(*flag));
    let mut names: Vec<&str> = system.map(Flag::imap_name).collect();
    names.extend(flags.keywords().iter().map(posthorn_model::Keyword::as_str));
    names.join(" ")
}

/// Believed only where it speaks of what was asked.
fn copy_uid(status: &StatusText, asked: &UidSet) -> Option<CopyUid> {
    if !status.is("COPYUID") {
        return None;
    }
    let mut words = status.arguments.split_ascii_whitespace();
    let uid_validity = words.next()?.parse().ok().and_then(UidValidity::new)?;
    let most = usize::try_from(asked.len()).ok()?;
    let from = code::uid_list(words.next()?, most + 1)?;
    let to = code::uid_list(words.next()?, most + 1)?;
    let fits = from.len() == to.len() && from.iter().all(|uid| asked.contains(*uid));
    fits.then_some(CopyUid {
        uid_validity,
        from,
        to,
    })
}

/// One answer for several commands; none where one of them told nothing.
fn join(pieces: Vec<Option<CopyUid>>) -> Option<CopyUid> {
    pieces.into_iter().reduce(|whole, piece| {
        let (mut whole, piece) = (whole?, piece?);
        whole.from.extend(piece.from);
        whole.to.extend(piece.to);
        (whole.uid_validity == piece.uid_validity).then_some(whole)
    })?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn believes_only_fitting_copyuids() {
        let check = |text: &str, expect: Option<(&[u32], &[u32])>| {
            let asked = UidSet::parse("1:5").expect("a set");
            let found = copy_uid(&StatusText::parse(text), &asked);
            let numbers = |uids: &[Uid]| uids.iter().map(|uid| uid.value()).collect::<Vec<_>>();
            let found = found.map(|found| (numbers(&found.from), numbers(&found.to)));
            let expect = expect.map(|(from, to)| (from.to_vec(), to.to_vec()));
            assert_eq!(found, expect, "{text}");
        };
        check("[COPYUID 9 1:2,5 11,12:13] ok", Some((&[1, 2, 5], &[11, 12, 13])));
        check("[COPYUID 9 1:2 11] ok", None);
        check("[COPYUID 9 6 11] ok", None);
        check("[COPYUID 9 1:4294967295 1:4294967295] ok", None);
        check("[COPYUID 0 1 11] ok", None);
        check("[COPYUID 9 1] ok", None);
        check("ok", None);
    }

    #[test]
    fn writes_flags() {
        let mut flags = Flags::default().with(Flag::Seen).with(Flag::Draft);
        flags.insert_named("$Forwarded");
        assert_eq!(wire_flags(&flags), "\\Seen \\Draft $Forwarded");
    }
}
