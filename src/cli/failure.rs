//! What a failed command says, and the exit codes.

use posthorn_model::{ErrorClass, Problem, Remedy};
use serde_json::json;

use crate::output::Output;

/// How a command ended that did not fail. The numbers are a contract with scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Done,
    /// What was to be done is printed, and it did not work.
    Failed,
    /// Something is held or uncertain.
    Partly,
    /// Authentication, a certificate, a circuit breaker.
    NeedsUser,
}

impl Status {
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Partly => 3,
            Self::NeedsUser => 4,
        }
    }

    /// From the problems that are left after work on some accounts; `whole` where something worked all the same.
    #[must_use]
    pub fn after<'a>(problems: impl IntoIterator<Item = &'a Problem>, something_worked: bool) -> Self {
        let mut status = Self::Done;
        for problem in problems {
            if problem.class == ErrorClass::Limited {
                continue;
            }
            if problem.class.needs_user() {
                return Self::NeedsUser;
            }
            let partly = something_worked || matches!(problem.class, ErrorClass::Refused | ErrorClass::Quota);
            status = match status {
                Self::Done | Self::Partly if partly => Self::Partly,
                _ => Self::Failed,
            };
        }
        status
    }
}

/// Why a command failed.
#[derive(Clone, Debug)]
pub struct Failure {
    class: &'static str,
    message: String,
    remedies: Vec<Remedy>,
    code: u8,
    /// Nobody reads what we print any more: nothing is to be said.
    silent: bool,
}

impl Failure {
    fn new(class: &'static str, code: u8, message: impl Into<String>) -> Self {
        Self {
            class,
            message: message.into(),
            remedies: Vec::new(),
            code,
            silent: false,
        }
    }

    #[must_use]
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new("usage", 2, message)
    }

    #[must_use]
    pub fn not_yet(command: &str) -> Self {
        Self::new(
            "not-yet",
            1,
            format!("{command}: not yet: this version does not have it"),
        )
    }

    #[must_use]
    pub fn config(message: impl Into<String>) -> Self {
        Self {
            remedies: vec![Remedy::CheckSettings],
            ..Self::new(ErrorClass::Config.name(), 1, message)
        }
    }

    #[must_use]
    pub fn disk(what: &str, error: &std::io::Error) -> Self {
        Self::new(ErrorClass::Disk.name(), 1, format!("{what}: {error}"))
    }

    #[must_use]
    pub fn interrupted() -> Self {
        Self::new("interrupted", 1, "interrupted; what was done so far is kept")
    }

    /// The process that draws.
    #[must_use]
    pub fn drawing(message: impl Into<String>) -> Self {
        Self::new("drawing", 1, message)
    }

    #[must_use]
    pub fn unknown(what: impl Into<String>) -> Self {
        Self::new("unknown", 1, what)
    }

    /// For standard output: a reader that went away is no error worth a word.
    #[must_use]
    pub fn of_output(error: &std::io::Error) -> Self {
        Self {
            silent: error.kind() == std::io::ErrorKind::BrokenPipe,
            ..Self::disk("standard output", error)
        }
    }

    /// As JSON carries it.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        json!({ "class": self.class, "message": self.message, "remedies": self.remedies })
    }

    /// As people read it.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = self.message.clone();
        for remedy in &self.remedies {
            text.push_str("\n  ");
            text.push_str(advise(*remedy));
        }
        text
    }

    /// Says it, and gives the exit code.
    pub fn report(&self, output: &mut Output) -> u8 {
        if !self.silent {
            output.complain(self);
        }
        self.code
    }
}

impl From<posthorn_engine::Error> for Failure {
    fn from(error: posthorn_engine::Error) -> Self {
        let code = if error.class.needs_user() { 4 } else { 1 };
        Self {
            remedies: error.remedies,
            ..Self::new(error.class.name(), code, error.message)
        }
    }
}

/// A remedy, as the command line offers it.
#[must_use]
pub const fn advise(remedy: Remedy) -> &'static str {
    match remedy {
        Remedy::TryAgain => "try again later",
        Remedy::EnterPassword => "give the password again: posthorn account remove, then account add",
        Remedy::CheckSettings => "check the settings: posthorn account show NAME",
        Remedy::InspectCertificate => {
            "look at the certificate; if you trust its issuer, name that with --ca-file PEM"
        }
        Remedy::FreeDiskSpace => "free some disk space",
        Remedy::ReviewAndContinue => "look at what vanished, in the window, before going on",
        Remedy::ExpungeMailbox => {
            "remove from the server what is marked there, for good: posthorn mailbox expunge ACCOUNT/Path"
        }
        Remedy::WorkOffline => "go on without the network: what is here can be read",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use posthorn_model::Timestamp;

    #[test]
    fn exit_codes_follow_the_problems() {
        let check = |classes: &[ErrorClass], something_worked: bool, expect: u8| {
            let problems: Vec<Problem> = classes
                .iter()
                .map(|class| Problem {
                    account: None,
                    mailbox: None,
                    class: *class,
                    since: Timestamp(0),
                    detail: String::new(),
                    remedies: Vec::new(),
                })
                .collect();
            assert_eq!(
                Status::after(&problems, something_worked).code(),
                expect,
                "{classes:?} {something_worked}"
            );
        };
        check(&[], true, 0);
        check(&[], false, 0);
        check(&[ErrorClass::Limited], false, 0);
        check(&[ErrorClass::Limited, ErrorClass::Network], false, 1);
        check(&[ErrorClass::Network], false, 1);
        check(&[ErrorClass::Network], true, 3);
        check(&[ErrorClass::Refused], false, 3);
        check(&[ErrorClass::Refused, ErrorClass::Disk], false, 1);
        check(&[ErrorClass::Disk, ErrorClass::Refused], false, 1);
        check(&[ErrorClass::Network, ErrorClass::Auth], true, 4);
        check(&[ErrorClass::Certificate], false, 4);
        check(&[ErrorClass::Suspicious], true, 4);
    }
}
