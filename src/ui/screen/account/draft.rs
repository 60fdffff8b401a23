//! The policy as it is being typed and picked.

use posthorn_model::{KeepAtMost, Pop3Policy};

use crate::screen::leave::Leave;
use crate::t;

/// The slider's end; more days are typed.
pub const MOST_DAYS: u16 = 90;

/// How much is kept there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    None,
    Messages,
    Megabytes,
}

/// A change by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    Leave(Leave),
    Days(String),
    Limit(Limit),
    LimitTyped(String),
    HeadersFirst(bool),
    /// In megabytes; empty: none.
    Cap(String),
    NewestFirst(bool),
    /// Messages at one check; empty: all.
    Portion(String),
}

/// The fields as they stand, and the policy that is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    pub saved: Pop3Policy,
    pub leave: Leave,
    pub days: String,
    pub limit: Limit,
    pub most: String,
    pub headers_first: bool,
    pub cap: String,
    pub newest_first: bool,
    pub portion: String,
}

const MEGABYTE: u64 = 1_000_000;

impl Draft {
    #[must_use]
    pub fn of(policy: Pop3Policy) -> Self {
        let (leave, days) = Leave::of(policy.leave);
        let (limit, most) = match policy.keep_at_most {
            None => (Limit::None, String::new()),
            Some(KeepAtMost::Messages(messages)) => (Limit::Messages, messages.to_string()),
            Some(KeepAtMost::Bytes(bytes)) => (Limit::Megabytes, bytes.div_ceil(MEGABYTE).to_string()),
        };
        Self {
            saved: policy,
            leave,
            days: days.to_string(),
            limit,
            most,
            headers_first: policy.headers_first,
            cap: policy
                .body_cap
                .map(|cap| cap.div_ceil(MEGABYTE).to_string())
                .unwrap_or_default(),
            newest_first: policy.newest_first,
            portion: policy
                .per_session
                .map(|count| count.to_string())
                .unwrap_or_default(),
        }
    }

    pub fn update(&mut self, edit: Edit) {
        let digits = |text: String, most: usize| -> String {
            text.chars().filter(char::is_ascii_digit).take(most).collect()
        };
        match edit {
            Edit::Leave(leave) => self.leave = leave,
            Edit::Days(text) => {
                self.leave = Leave::Days;
                self.days = digits(text, 5);
            }
            Edit::Limit(limit) => {
                if self.limit != limit {
                    self.most = match limit {
                        Limit::None => String::new(),
                        Limit::Messages => "1000".to_owned(),
                        Limit::Megabytes => "500".to_owned(),
                    };
                }
                self.limit = limit;
            }
            Edit::LimitTyped(text) => self.most = digits(text, 9),
            Edit::HeadersFirst(yes) => self.headers_first = yes,
            Edit::Cap(text) => self.cap = digits(text, 6),
            Edit::NewestFirst(yes) => self.newest_first = yes,
            Edit::Portion(text) => self.portion = digits(text, 6),
        }
    }

    /// Where the slider stands.
    #[must_use]
    pub fn slider(&self) -> u16 {
        self.days.parse().unwrap_or(0).min(MOST_DAYS)
    }

    /// The policy that the fields make. What was not touched stays exactly as it was.
    ///
    /// # Errors
    /// What is missing, in plain words.
    pub fn policy(&self) -> Result<Pop3Policy, String> {
        let before = Self::of(self.saved);
        let leave = self.leave.policy(&self.days)?;
        let most: Option<u32> = self.most.parse().ok();
        let keep_at_most = match (self.limit, most) {
            _ if (self.limit, &self.most) == (before.limit, &before.most) => self.saved.keep_at_most,
            (Limit::None, _) => None,
            (Limit::Messages, Some(messages)) => Some(KeepAtMost::Messages(messages)),
            (Limit::Megabytes, Some(megabytes)) => Some(KeepAtMost::Bytes(u64::from(megabytes) * MEGABYTE)),
            (Limit::Messages | Limit::Megabytes, None) => return Err(t!("account-bad-limit")),
        };
        let body_cap = if self.cap == before.cap {
            self.saved.body_cap
        } else {
            self.cap.parse::<u64>().ok().map(|megabytes| megabytes * MEGABYTE)
        };
        Ok(Pop3Policy {
            leave,
            keep_at_most,
            headers_first: self.headers_first,
            body_cap,
            newest_first: self.newest_first,
            per_session: self.portion.parse().ok().filter(|count| *count > 0),
            ..self.saved
        })
    }

    #[must_use]
    pub fn is_changed(&self) -> bool {
        *self != Self::of(self.saved)
    }
}

#[cfg(test)]
mod tests {
    use posthorn_model::LeaveOnServer;

    use super::*;

    #[test]
    fn untouched_fields_keep_the_policy_to_the_octet() {
        let policy = Pop3Policy {
            keep_at_most: Some(KeepAtMost::Bytes(1_234_567)),
            body_cap: Some(1),
            per_session: Some(250),
            newest_first: true,
            apop: true,
            ..Pop3Policy::leaving(LeaveOnServer::Days(65_535))
        };
        let mut draft = Draft::of(policy);
        assert_eq!(draft.policy(), Ok(policy));
        assert!(!draft.is_changed());
        draft.update(Edit::Days("7".into()));
        let changed = Pop3Policy {
            leave: LeaveOnServer::Days(7),
            ..policy
        };
        assert_eq!(draft.policy(), Ok(changed));
        assert!(draft.is_changed());
    }

    #[test]
    fn edits_make_policies() {
        let check = |edits: &[Edit], expect: Result<Pop3Policy, ()>| {
            let mut draft = Draft::of(Pop3Policy::default());
            for edit in edits {
                draft.update(edit.clone());
            }
            assert_eq!(draft.policy().map_err(|_| ()), expect, "{edits:?}");
        };
        let usual = Pop3Policy::default();
        let keep = |limit| {
            Ok(Pop3Policy {
                keep_at_most: Some(limit),
                ..usual
            })
        };
        check(
            &[Edit::Leave(Leave::Never)],
            Ok(Pop3Policy::leaving(LeaveOnServer::Never)),
        );
        check(
            &[Edit::Leave(Leave::UntilRemoved)],
            Ok(Pop3Policy::leaving(LeaveOnServer::UntilRemoved)),
        );
        check(
            &[Edit::Days("3x0".into())],
            Ok(Pop3Policy::leaving(LeaveOnServer::Days(30))),
        );
        check(&[Edit::Days(String::new())], Err(()));
        check(&[Edit::Days("99999".into())], Err(()));
        check(&[Edit::Limit(Limit::Messages)], keep(KeepAtMost::Messages(1000)));
        check(
            &[Edit::Limit(Limit::Megabytes), Edit::LimitTyped("20".into())],
            keep(KeepAtMost::Bytes(20_000_000)),
        );
        check(
            &[Edit::Limit(Limit::Messages), Edit::LimitTyped(String::new())],
            Err(()),
        );
        check(
            &[Edit::Cap("5".into())],
            Ok(Pop3Policy {
                body_cap: Some(5_000_000),
                ..usual
            }),
        );
        check(&[Edit::Portion("0".into())], Ok(usual));
        check(
            &[Edit::Portion("50".into())],
            Ok(Pop3Policy {
                per_session: Some(50),
                ..usual
            }),
        );
    }
}
