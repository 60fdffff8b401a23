//! The mail that a new user finds: stub.

use posthorn_model::Timestamp;

use crate::mailbox::{MailStore, NewMessage, SandboxUser};

/// The sandbox's users: the one who tries the program, and one to write to.
pub(crate) fn users() -> Vec<SandboxUser> {
    let user = |username: &str, name: &str| SandboxUser {
        name: name.to_owned(),
        ..SandboxUser::new(username, "sandbox")
    };
    vec![user("robin", "Robin Placeholder"), user("alex", "Alex Sample")]
}

pub(crate) fn fill(store: &MailStore, user: &SandboxUser, now: Timestamp) {
    let raw = format!(
        "From: Alex Sample <alex@example.org>\r\nTo: {} <{}>\r\nSubject: Welcome\r\nDate: {}\r\nMessage-ID: <welcome@example.org>\r\n\r\nHello!\r\n",
        user.name,
        user.address,
        crate::smtp::session::rfc2822(now)
    );
    store.append(
        &user.username,
        "INBOX",
        NewMessage {
            raw: raw.into_bytes(),
            internal_date: now,
            ..NewMessage::default()
        },
    );
}
