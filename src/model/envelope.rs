//! The headers that a list, a reply and a thread need (RFC 5322 section 3.6, RFC 9051 section 7.5.2 ENVELOPE).

use serde::{Deserialize, Serialize};

use crate::{Address, InternetMessageId, Timestamp};

/// Decoded headers. Missing headers are empty, never an error.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// The `Date` header, as the sender claims.
    pub date: Option<Timestamp>,
    pub subject: String,
    pub from: Vec<Address>,
    pub sender: Vec<Address>,
    pub reply_to: Vec<Address>,
    pub to: Vec<Address>,
    pub cc: Vec<Address>,
    pub bcc: Vec<Address>,
    pub message_id: Option<InternetMessageId>,
    pub in_reply_to: Vec<InternetMessageId>,
    pub references: Vec<InternetMessageId>,
}

impl Envelope {
    /// The date to sort by: the sender's, unless it lies more than a day after the server received the message
    /// or before 1970; then, and where there is none, the time of receipt; else 1970. Never "now": a message
    /// without a date must not stay on top of the list.
    #[must_use]
    pub fn sort_date(&self, received: Option<Timestamp>) -> Timestamp {
        let plausible = |date: &Timestamp| {
            date.0 >= 0 && received.is_none_or(|at| date.0 <= at.0.saturating_add(Timestamp::DAY))
        };
        self.date.filter(plausible).or(received).unwrap_or(Timestamp(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorts_by_a_plausible_date() {
        let check = |date: Option<i64>, received: Option<i64>, expect: i64| {
            let envelope = Envelope {
                date: date.map(Timestamp),
                ..Envelope::default()
            };
            assert_eq!(
                envelope.sort_date(received.map(Timestamp)),
                Timestamp(expect),
                "date {date:?} received {received:?}"
            );
        };
        check(Some(1_000_000), Some(1_000_500), 1_000_000);
        check(Some(9_000_000), Some(1_000_500), 1_000_500);
        check(Some(-3), Some(1_000_500), 1_000_500);
        check(None, Some(7), 7);
        check(Some(5), None, 5);
        check(None, None, 0);
    }
}
