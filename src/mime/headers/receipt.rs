//! Requests for a read receipt (RFC 8098 section 2.1). A request is only data: whether one is sent is the reader's
//! decision.

use posthorn_model::Address;

use crate::address;
use crate::defect::Defects;

use super::named::raw_values;

/// That a receipt is asked for, and by whom.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Where the receipt would go: the first usable address.
    pub to: Vec<Address>,
    /// Whether that is the address of `Return-Path`. Where it is not, or there is none, RFC 8098 section 2.1 forbids
    /// to send without asking.
    pub matches_return_path: bool,
    /// Whether the receipt would go to another domain than the author's.
    pub elsewhere: bool,
    /// The sender's `Disposition-Notification-Options` demand something that nobody here understands (section 2.2):
    /// then no receipt may be sent but one that says so.
    pub demands_unknown: bool,
}

/// The request in a header block, `None` where there is none. `Return-Receipt-To` and `X-Confirm-Reading-To` are
/// older ways to ask the same.
#[must_use]
pub fn receipt_asked(header: &[u8]) -> Option<Asked> {
    let read = |name: &str| -> Vec<Address> {
        raw_values(header, name)
            .iter()
            .flat_map(|value| address::read(value, None, &mut Defects::default()))
            .filter(|address| address::is_plausible(&address.email))
            .take(20)
            .collect()
    };
    let to = [
        "Disposition-Notification-To",
        "X-Confirm-Reading-To",
        "Return-Receipt-To",
    ]
    .iter()
    .map(|name| read(name))
    .find(|to| !to.is_empty())?;
    let same = |a: &Address, b: &Address| a.email.eq_ignore_ascii_case(&b.email);
    let return_path = read("Return-Path");
    let from = read("From");
    let demands_unknown = raw_values(header, "Disposition-Notification-Options")
        .iter()
        .any(|value| {
            String::from_utf8_lossy(value)
                .to_ascii_lowercase()
                .contains("required")
        });
    Some(Asked {
        matches_return_path: to.len() == 1
            && return_path
                .first()
                .is_some_and(|path| to.iter().all(|to| same(to, path))),
        elsewhere: to.iter().any(|to| {
            !from.iter().any(|from| {
                crate::domain::is_related(to.domain().unwrap_or_default(), from.domain().unwrap_or_default())
            })
        }),
        to,
        demands_unknown,
    })
}
