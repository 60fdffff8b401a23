//! Flags as the server has them now, laid over those here.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use posthorn_model::{Flags, ModSeq, Uid, UidSet};
use posthorn_net::imap::FlagReport;
use posthorn_store::Durability;

use super::{BATCH, MailboxSync, Opened};
use crate::Error;
use crate::imap::merge::{Held, merge_flags};
use crate::imap::plan::Plan;

/// What the server says of one message, in few bytes: a large mailbox has many.
pub(super) struct Told {
    pub(super) uid: Uid,
    flags: Flags,
}

impl From<FlagReport> for Told {
    fn from(report: FlagReport) -> Self {
        Self {
            uid: report.uid,
            flags: report.flags,
        }
    }
}

impl MailboxSync<'_> {
    /// Flags that changed, or all of them where nothing tells which.
    pub(super) async fn fetch_flags(&mut self, opened: &mut Opened) -> Result<Vec<Told>, Error> {
        let since: Option<ModSeq> = match opened.plan {
            Plan::Nothing => return Ok(Vec::new()),
            Plan::Quick { .. } => {
                let changed = std::mem::take(&mut opened.selected.changed);
                return Ok(changed.into_iter().map(Told::from).collect());
            }
            Plan::Resync { since, .. } => Some(since),
            Plan::UidDiff | Plan::Rekey => None,
        };
        let post = self.post;
        let empty = post.core.store.last_uid(self.mailbox.id).await?.is_none();
        if since.is_none() && empty || opened.remote.exists == 0 {
            return Ok(Vec::new());
        }
        let every = UidSet::range(Uid(NonZeroU32::MIN), Uid(NonZeroU32::MAX));
        let mut reports = Vec::new();
        let mut take = |report: FlagReport| reports.push(Told::from(report));
        self.session.fetch_flags(&every, since, &mut take).await?;
        Ok(reports)
    }

    pub(super) async fn merge(&mut self, reports: &[Told]) -> Result<(), Error> {
        let (post, mailbox) = (self.post, self.mailbox.id);
        let core = &post.core;
        for chunk in reports.chunks(BATCH) {
            let _local = core.local().await;
            let uids: UidSet = chunk.iter().map(|report| report.uid).collect();
            let placed = core.store.placements_by_uids(mailbox, &uids).await?;
            let held: BTreeMap<Uid, Held> = placed
                .into_iter()
                .filter_map(|placement| {
                    let held = Held {
                        message: placement.message,
                        uid: placement.uid,
                        flags: placement.flags,
                        base: placement.base,
                    };
                    Some((placement.uid?, held))
                })
                .collect();
            let reports = chunk.iter().map(|report| (report.uid, &report.flags));
            let writes = merge_flags(mailbox, &held, reports);
            self.report.changed += writes.len() as u64;
            core.apply(self.post.id, writes, Durability::Normal).await?;
        }
        Ok(())
    }
}
