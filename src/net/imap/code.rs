//! Response codes (RFC 9051 section 7.1, RFC 5530) and what a refusal means.

use posthorn_model::{ErrorClass, UidSet};

use super::scan;
use crate::Error;

/// Why a server refused, in the words of RFC 9051 section 7.1 and RFC 5530.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ResponseCode {
    /// The target mailbox is not there, and making it would help.
    TryCreate,
    OverQuota,
    AlreadyExists,
    NonExistent,
    /// Somebody else holds what is needed.
    InUse,
    /// Too many connections, messages or mailboxes.
    Limit,
    NoPerm,
    Unavailable,
    AuthenticationFailed,
    AuthorizationFailed,
    /// The password is too old.
    Expired,
    PrivacyRequired,
    ContactAdmin,
    /// The server's data is damaged.
    Corruption,
    ServerBug,
    ClientBug,
    Cannot,
    /// The mailbox holds others and so cannot be deleted (RFC 9051).
    HasChildren,
    /// The message is larger than the server takes (RFC 7889).
    TooBig,
    /// Another session expunged what was asked for.
    ExpungeIssued,
    /// The server does not know the encoding (RFC 3516).
    UnknownCte,
}

impl ResponseCode {
    const NAMES: [(&'static str, Self); 21] = [
        ("TRYCREATE", Self::TryCreate),
        ("OVERQUOTA", Self::OverQuota),
        ("ALREADYEXISTS", Self::AlreadyExists),
        ("NONEXISTENT", Self::NonExistent),
        ("INUSE", Self::InUse),
        ("LIMIT", Self::Limit),
        ("NOPERM", Self::NoPerm),
        ("UNAVAILABLE", Self::Unavailable),
        ("AUTHENTICATIONFAILED", Self::AuthenticationFailed),
        ("AUTHORIZATIONFAILED", Self::AuthorizationFailed),
        ("EXPIRED", Self::Expired),
        ("PRIVACYREQUIRED", Self::PrivacyRequired),
        ("CONTACTADMIN", Self::ContactAdmin),
        ("CORRUPTION", Self::Corruption),
        ("SERVERBUG", Self::ServerBug),
        ("CLIENTBUG", Self::ClientBug),
        ("CANNOT", Self::Cannot),
        ("HASCHILDREN", Self::HasChildren),
        ("TOOBIG", Self::TooBig),
        ("EXPUNGEISSUED", Self::ExpungeIssued),
        ("UNKNOWN-CTE", Self::UnknownCte),
    ];

    /// `name` in upper case.
    fn parse(name: &str) -> Option<Self> {
        Self::NAMES
            .into_iter()
            .find(|(known, _)| *known == name)
            .map(|(_, code)| code)
    }
}

/// The end of a command or an untagged status: its code, if any, and the words after it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct StatusText {
    /// Upper case; empty for none.
    pub(super) code: String,
    pub(super) arguments: String,
    pub(super) words: String,
}

impl StatusText {
    pub(super) fn parse(text: &str) -> Self {
        let text = text.trim();
        let Some(inner) = text.strip_prefix('[') else {
            return Self {
                words: text.to_owned(),
                ..Self::default()
            };
        };
        // PERMANENTFLAGS and BADCHARSET hold lists, whose strings may hold a bracket; a broken code has no end.
        let (code, words) = inner.split_once(']').unwrap_or((inner, ""));
        let (name, arguments) = code.split_once(' ').unwrap_or((code, ""));
        Self {
            code: name.to_ascii_uppercase(),
            arguments: arguments.trim().to_owned(),
            words: words.trim().to_owned(),
        }
    }

    pub(super) fn is(&self, code: &str) -> bool {
        self.code == code
    }

    /// The argument of UIDNEXT and the like.
    pub(super) fn number(&self) -> Option<u64> {
        scan::number(self.arguments.as_bytes())
    }

    /// Both as the server wrote them, for a quotation.
    pub(super) fn quotation(&self) -> String {
        match (self.code.as_str(), self.words.as_str()) {
            ("", words) => words.to_owned(),
            (code, "") => format!("[{code}]"),
            (code, words) => format!("[{code}] {words}"),
        }
    }
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Ok,
    No,
    Bad,
}

/// A command's tagged reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Done {
    pub(super) verdict: Verdict,
    pub(super) status: StatusText,
}

impl Done {
    /// `what` says what was not done: "the mailbox could not be opened".
    pub(super) fn demand_ok(self, host: &str, what: &str) -> Result<StatusText, Error> {
        if self.verdict == Verdict::Ok {
            return Ok(self.status);
        }
        Err(self.refusal(host, what))
    }

    pub(super) fn refusal(&self, host: &str, what: &str) -> Error {
        let (class, permanent) = match (self.verdict, self.status.code.as_str()) {
            (_, "AUTHENTICATIONFAILED" | "AUTHORIZATIONFAILED" | "EXPIRED") => (ErrorClass::Auth, true),
            (_, "UNAVAILABLE" | "INUSE" | "SERVERBUG" | "LIMIT") => (ErrorClass::Network, false),
            (_, "OVERQUOTA") => (ErrorClass::Quota, false),
            (_, "PRIVACYREQUIRED") => (ErrorClass::Config, true),
            (Verdict::Bad, _) => (ErrorClass::Protocol, true),
            // TRYCREATE, NONEXISTENT, ALREADYEXISTS, NOPERM, CANNOT, CONTACTADMIN, and NO without a reason.
            (Verdict::No | Verdict::Ok, _) => (ErrorClass::Refused, true),
        };
        Error::new(class, host, what)
            .quoting(self.status.quotation().as_bytes())
            .permanently(permanent)
            .coded(ResponseCode::parse(&self.status.code))
    }
}

/// UIDs that a server lists in order, such as COPYUID's: at most `most`, else `None`. `*` is not a UID.
pub(super) fn uid_list(text: &str, most: usize) -> Option<Vec<posthorn_model::Uid>> {
    let mut uids = Vec::new();
    for item in text.split(',') {
        let (first, last) = item.split_once(':').unwrap_or((item, item));
        let first: u32 = first.parse().ok()?;
        let last: u32 = last.parse().ok()?;
        let span = first.abs_diff(last) as usize;
        if span >= most.saturating_sub(uids.len()) {
            return None;
        }
        let numbers: Vec<u32> = if first <= last {
            (first..=last).collect()
        } else {
            (last..=first).collect()
        };
        for number in numbers {
            uids.push(posthorn_model::Uid::new(number)?);
        }
    }
    Some(uids)
}

/// A set of UIDs as a server writes it; what cannot be a UID is left out.
pub(super) fn uid_set(text: &[u8]) -> UidSet {
    let uid = |text: &[u8]| {
        scan::number(text)
            .and_then(|number| u32::try_from(number).ok())
            .and_then(posthorn_model::Uid::new)
    };
    let mut ranges: Vec<_> = text
        .split(|byte| *byte == b',')
        .filter_map(|item| {
            let mut ends = item.splitn(2, |byte| *byte == b':');
            let first = uid(ends.next()?)?;
            let last = match ends.next() {
                Some(last) => uid(last)?,
                None => first,
            };
            Some((first.min(last), first.max(last)))
        })
        .collect();
    // Sorted, so that inserting appends.
    ranges.sort_unstable();
    let mut set = UidSet::default();
    for (first, last) in ranges {
        set.insert_range(first, last);
    }
    set
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_codes() {
        let check = |text: &str, code: &str, arguments: &str, words: &str| {
            let status = StatusText::parse(text);
            assert_eq!(
                (
                    status.code.as_str(),
                    status.arguments.as_str(),
                    status.words.as_str()
                ),
                (code, arguments, words),
                "{text:?}"
            );
        };
        check("done", "", "", "done");
        check("[uidnext 5] predicted", "UIDNEXT", "5", "predicted");
        check("[ALERT]now", "ALERT", "", "now");
        check(
            "[PERMANENTFLAGS (\\Seen \\*)]",
            "PERMANENTFLAGS",
            "(\\Seen \\*)",
            "",
        );
        check("[never ends", "NEVER", "ends", "");
        check("", "", "", "");
    }

    #[test]
    fn refusals_have_classes() {
        let check = |verdict, text: &str, class: ErrorClass| {
            let status = StatusText::parse(text);
            let error = Done { verdict, status }.refusal("h", "it failed");
            assert_eq!(error.class, class, "{text}");
        };
        check(Verdict::No, "[AUTHENTICATIONFAILED] x", ErrorClass::Auth);
        check(Verdict::No, "[UNAVAILABLE] x", ErrorClass::Network);
        check(Verdict::No, "[OVERQUOTA] x", ErrorClass::Quota);
        check(Verdict::No, "[TRYCREATE] x", ErrorClass::Refused);
        check(Verdict::No, "because", ErrorClass::Refused);
        check(Verdict::Bad, "what?", ErrorClass::Protocol);
    }

    #[test]
    fn reads_uid_lists_in_order() {
        let check = |text: &str, expect: Option<&[u32]>| {
            let uids = uid_list(text, 10);
            let numbers: Option<Vec<u32>> = uids.map(|uids| uids.iter().map(|uid| uid.value()).collect());
            assert_eq!(numbers.as_deref(), expect, "{text:?}");
        };
        check("7,1:3", Some(&[7, 1, 2, 3]));
        check("3:1", Some(&[1, 2, 3]));
        check("0", None);
        check("1:4294967295", None);
        check("1:*", None);
    }

    #[test]
    fn reads_uid_sets_of_any_quality() {
        let check =
            |text: &str, expect: &str| assert_eq!(uid_set(text.as_bytes()).to_string(), expect, "{text:?}");
        check("5,1:3,4", "1:5");
        check("0,7,x,9:8,4294967296", "7:9");
        check("", "");
    }
}
