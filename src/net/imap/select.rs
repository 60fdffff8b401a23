//! Opening a mailbox (RFC 9051 sections 6.3.2 and 6.3.3), with what changed since (RFC 7162).

use posthorn_model::{MailboxName, ModSeq, UidValidity};

use super::client::Reply;
use super::code::{self, StatusText, Verdict};
use super::fetched::{self, Fetched};
use super::guard::Captured;
use super::mailboxes::begins;
use super::search::gather;
use super::{Access, FlagReport, Resume, SET_LENGTH, Selected, Session};
use crate::Error;

/// Changes told on opening a mailbox; where there are more, the caller asks for them in pieces.
const MOST_CHANGED: usize = 200_000;

impl Session {
    /// Opens a mailbox; the one that was open is left without expunging anything. `resume` is used where QRESYNC
    /// is enabled and passed over elsewhere: look at [`Selected::vanished`].
    ///
    /// # Errors
    /// Refused where the mailbox is not there or may not be opened.
    pub async fn select(
        &mut self,
        mailbox: &MailboxName,
        mode: Access,
        resume: Option<Resume>,
    ) -> Result<Selected, Error> {
        let command = match mode {
            Access::Write => "SELECT",
            Access::Examine => "EXAMINE",
        };
        let resume = resume.filter(|_| self.qresync);
        let parameters = match &resume {
            Some(resume) => format!(" (QRESYNC ({}))", resume_arguments(resume)),
            None if self.condstore => " (CONDSTORE)".to_owned(),
            None => String::new(),
        };
        let argument = self.argument(mailbox)?;
        let mut selected = Selected::default();
        let mut gone = posthorn_model::UidSet::default();
        let mut bounded = true;
        let patience = self.client.patience() * 2;
        self.selected = true;
        let done = self
            .client
            .run(
                &format!("{command} {argument}{parameters}"),
                patience,
                &mut |reply| {
                    match reply {
                        // RFC 7162 section 3.2.11: what came before spoke of the mailbox open until now.
                        Reply::Status(_, status) if status.is("CLOSED") => {
                            selected = Selected::default();
                            gone = posthorn_model::UidSet::default();
                        }
                        Reply::Status(Verdict::Ok, status) => selected.learn(&status),
                        Reply::Exists(count) => selected.exists = count,
                        Reply::Fetch(fetched) if selected.changed.len() < MOST_CHANGED => {
                            selected.changed.extend(report(fetched));
                        }
                        Reply::Fetch(_) => bounded = false,
                        Reply::Data(captured) if begins(&captured, b"VANISHED") => {
                            bounded &= gather(&mut gone, &vanished(&captured));
                        }
                        _ => {}
                    }
                },
            )
            .await?;
        if done.verdict == Verdict::Bad && !parameters.is_empty() {
            // It claimed more than it can do; without parameters every server can.
            self.qresync = false;
            self.condstore = false;
            return Box::pin(self.select(mailbox, mode, None)).await;
        }
        let status = done.demand_ok(self.client.host(), "the mailbox could not be opened")?;
        selected.read_only = mode == Access::Examine || status.is("READ-ONLY");
        if !self.condstore {
            selected.highest_modseq = None;
        }
        // What was told on the way is part of the answer.
        self.client.take_news();
        if resume.is_some_and(|resume| Some(resume.uid_validity) == selected.uid_validity)
            && selected.highest_modseq.is_some()
            && bounded
        {
            selected.vanished = Some(gone);
        } else {
            selected.changed.clear();
        }
        Ok(selected)
    }
}

fn resume_arguments(resume: &Resume) -> String {
    let known = resume.known.to_string();
    let base = format!("{} {}", resume.uid_validity.0, resume.modseq.0);
    // RFC 7162 section 3.2.5.2: without the set the server may name more than we know; it must not be long.
    if known.is_empty() || known.len() > SET_LENGTH {
        base
    } else {
        format!("{base} {known}")
    }
}

pub(super) fn report(fetched: Fetched) -> Option<FlagReport> {
    Some(FlagReport {
        uid: fetched.uid?,
        flags: fetched.flags?,
        modseq: fetched.modseq,
    })
}

/// `* VANISHED (EARLIER) 1:3,7`
pub(super) fn vanished(captured: &Captured) -> posthorn_model::UidSet {
    let set = captured
        .text
        .trim_ascii_end()
        .rsplit(|byte| *byte == b' ')
        .next()
        .unwrap_or_default();
    code::uid_set(set)
}

impl Selected {
    fn learn(&mut self, status: &StatusText) {
        let small = || status.number().and_then(|number| u32::try_from(number).ok());
        match status.code.as_str() {
            "UIDVALIDITY" => self.uid_validity = small().and_then(UidValidity::new),
            "UIDNEXT" => self.uid_next = small().filter(|next| *next > 0),
            "HIGHESTMODSEQ" => self.highest_modseq = status.number().filter(|modseq| *modseq > 0).map(ModSeq),
            "MAILBOXID" => {
                let id = status.arguments.trim_matches(['(', ')']);
                self.mailbox_id = fetched::object_id(super::scan::Token::Atom(id.as_bytes()));
            }
            "NOMODSEQ" => self.highest_modseq = None,
            "PERMANENTFLAGS" => {
                let list = status.arguments.trim_start_matches('(').trim_end_matches(')');
                let names = || list.split_ascii_whitespace();
                self.new_keywords = names().any(|name| name == "\\*");
                self.permanent_flags = Some(fetched::flags(
                    names().filter(|name| *name != "\\*").map(str::as_bytes),
                ));
            }
            _ => {}
        }
    }
}
