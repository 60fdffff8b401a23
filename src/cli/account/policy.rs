//! The options that say what a POP3 account downloads and what it leaves on the server: for `add` and for `set`.

use clap::Args;
use posthorn_model::pop3::{parse_octets, say_octets};
use posthorn_model::{KeepAtMost, LeaveOnServer, Pop3Policy};

/// Why an IMAP account takes none of them.
pub const FOR_POP3: &str =
    "--leave-on-server and what goes with it are for POP3: by IMAP mail stays until someone deletes it";

/// What is not said stays as it is.
#[derive(Args, Clone, Copy, Debug, Default)]
#[command(next_help_heading = "POP3")]
pub struct PolicyRequest {
    /// When downloaded mail is removed from the server [forever, if never said]
    #[arg(long, value_name = "never|forever|DAYS|until-removed", value_parser = parse_leave)]
    leave_on_server: Option<LeaveOnServer>,
    /// Leave no more than this on the server: of what is verified here, the oldest go first
    #[arg(long, value_name = "MESSAGES|SIZE|none", value_parser = parse_limit)]
    keep_at_most: Option<Limit<KeepAtMost>>,
    /// Fetch headers alone; a message comes whole when it is opened
    #[arg(long, value_name = "yes|no", num_args = 0..=1, require_equals = true, default_missing_value = "yes", value_parser = parse_answer)]
    headers_first: Option<bool>,
    /// Of what is larger fetch the header alone, such as 5MB
    #[arg(long, value_name = "SIZE|none", value_parser = parse_cap)]
    size_cap: Option<Limit<u64>>,
    /// Download the newest first
    #[arg(long, value_name = "yes|no", num_args = 0..=1, require_equals = true, default_missing_value = "yes", value_parser = parse_answer)]
    newest_first: Option<bool>,
    /// Download at most so many messages at one check
    #[arg(long, value_name = "MESSAGES|none", value_parser = parse_count)]
    per_session: Option<Limit<u32>>,
    /// Sign in by APOP where the server offers nothing better; weak: it rests on MD5
    #[arg(long, value_name = "yes|no", num_args = 0..=1, require_equals = true, default_missing_value = "yes", value_parser = parse_answer)]
    apop: Option<bool>,
}

/// A limit, or the word `none`, which takes it away.
#[derive(Clone, Copy, Debug)]
enum Limit<T> {
    To(T),
    Off,
}

impl<T> Limit<T> {
    fn into_option(self) -> Option<T> {
        match self {
            Self::To(value) => Some(value),
            Self::Off => None,
        }
    }
}

impl PolicyRequest {
    /// The policy with what is said changed.
    pub fn apply(self, policy: Pop3Policy) -> Pop3Policy {
        Pop3Policy {
            leave: self.leave_on_server.unwrap_or(policy.leave),
            keep_at_most: self.keep_at_most.map_or(policy.keep_at_most, Limit::into_option),
            headers_first: self.headers_first.unwrap_or(policy.headers_first),
            body_cap: self.size_cap.map_or(policy.body_cap, Limit::into_option),
            newest_first: self.newest_first.unwrap_or(policy.newest_first),
            per_session: self.per_session.map_or(policy.per_session, Limit::into_option),
            apop: self.apop.unwrap_or(policy.apop),
        }
    }

    pub const fn says_something(&self) -> bool {
        self.leave_on_server.is_some()
            || self.keep_at_most.is_some()
            || self.headers_first.is_some()
            || self.size_cap.is_some()
            || self.newest_first.is_some()
            || self.per_session.is_some()
            || self.apop.is_some()
    }
}

fn parse_leave(text: &str) -> Result<LeaveOnServer, String> {
    LeaveOnServer::parse(text)
        .ok_or_else(|| "expected never, forever, a number of days up to 65535, or until-removed".to_owned())
}

fn parse_limit(text: &str) -> Result<Limit<KeepAtMost>, String> {
    limit(text, KeepAtMost::parse)
        .ok_or_else(|| "expected a number of messages, a size such as 200MB, or none".to_owned())
}

fn parse_cap(text: &str) -> Result<Limit<u64>, String> {
    limit(text, parse_octets).ok_or_else(|| "expected a size such as 5MB, or none".to_owned())
}

fn parse_count(text: &str) -> Result<Limit<u32>, String> {
    let count = |text: &str| text.parse().ok().filter(|count| *count > 0);
    limit(text, count).ok_or_else(|| "expected a number of messages, 1 or more, or none".to_owned())
}

fn limit<T>(text: &str, parse: impl Fn(&str) -> Option<T>) -> Option<Limit<T>> {
    match text {
        "none" => Some(Limit::Off),
        text => parse(text).map(Limit::To),
    }
}

fn parse_answer(text: &str) -> Result<bool, String> {
    match text {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err("expected yes or no".to_owned()),
    }
}

/// The policy in plain words, for `show`.
pub fn say(policy: &Pop3Policy) -> Vec<(&'static str, String)> {
    let leave = match policy.leave {
        LeaveOnServer::Never => "removed as soon as it is verified here".to_owned(),
        LeaveOnServer::Forever => "never removed by this program".to_owned(),
        LeaveOnServer::Days(days) => format!("removed {days} days after it was downloaded and verified here"),
        LeaveOnServer::UntilRemoved => "removed once it leaves the inbox here".to_owned(),
    };
    let mut lines = vec![("on the server", leave)];
    if let Some(limit) = policy.keep_at_most {
        let most = match limit {
            KeepAtMost::Messages(messages) => format!("{messages} messages"),
            KeepAtMost::Bytes(bytes) => say_octets(bytes),
        };
        lines.push((
            "at most",
            format!("{most}; beyond it the oldest that are verified here go"),
        ));
    }
    if policy.headers_first {
        lines.push((
            "downloads",
            "headers; a message comes whole when it is opened".to_owned(),
        ));
    } else if let Some(cap) = policy.body_cap {
        let what = format!("headers alone of what is larger than {}", say_octets(cap));
        lines.push(("downloads", what));
    }
    if policy.newest_first {
        lines.push(("order", "the newest first".to_owned()));
    }
    if let Some(count) = policy.per_session {
        lines.push(("at one check", format!("at most {count} messages")));
    }
    if policy.apop {
        lines.push((
            "sign-in",
            "APOP where nothing better is offered; it is weak".to_owned(),
        ));
    }
    lines
}
