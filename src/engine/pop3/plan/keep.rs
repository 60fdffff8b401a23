//! "Keep at most": what exceeds it leaves sooner, the oldest first, and only what is verified here.

use posthorn_model::{KeepAtMost, MsgNo, Timestamp};

use super::{Act, Due, Ledger, Reason, Situation, Step, due};

pub(super) fn at_most(steps: &mut [Step], ledger: &Ledger, situation: &Situation) {
    let Some(limit) = situation.policy.keep_at_most else {
        return;
    };
    let weight = |step: &Step| match limit {
        KeepAtMost::Messages(_) => 1,
        KeepAtMost::Bytes(_) => step.listed.size.unwrap_or(0),
    };
    let room = match limit {
        KeepAtMost::Messages(messages) => u64::from(messages),
        KeepAtMost::Bytes(bytes) => bytes,
    };
    let mut held: u64 = 0;
    let mut may_go: Vec<(Timestamp, MsgNo, &mut Step)> = Vec::new();
    for step in steps {
        let row = ledger.get(&step.listed.uidl);
        let leaves_now = row
            .and_then(|row| due(row, situation.policy))
            .is_some_and(|due| due.on <= situation.now);
        if step.act == Act::Wait && leaves_now {
            continue;
        }
        held = held.saturating_add(weight(step));
        let verified = row.is_some_and(|row| row.hash.is_some() && row.downloaded_at.is_some());
        // What is downloaded now will be verified by the time of deleting.
        if step.act == Act::Download || (step.act == Act::Wait && verified) {
            let since = row.map_or(situation.now, |row| row.first_seen);
            may_go.push((since, step.listed.number, step));
        }
    }
    // Numbers follow the arrival by custom; when a message was first seen here is better, where that differs.
    may_go.sort_by_key(|(since, number, _)| (*since, *number));
    for (_, _, step) in may_go {
        if held <= room {
            return;
        }
        held = held.saturating_sub(weight(step));
        step.due = Some(Due {
            on: situation.now,
            reason: Reason::OverLimit(limit),
        });
    }
}
