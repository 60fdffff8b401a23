//! The mail that a new user finds: conversations that we wrote, with people who do not exist, dated from `now`.
//!
//! `letter` turns them into messages, `attachment` makes the files that come with them; the rest is text. Nothing
//! here may look like a real person, company or address: names say that they are placeholders, and domains are the
//! reserved example ones (RFC 2606).

mod alphabets;
mod attachment;
mod home;
mod letter;
mod notices;
mod people;
mod press;
mod work;

use posthorn_model::Timestamp;

use crate::mailbox::{MailStore, SandboxUser};
use letter::Conversation;

/// The sandbox's users: the one who tries the program, and one to write to.
pub(crate) fn users() -> Vec<SandboxUser> {
    let user = |username: &str, name: &str| SandboxUser {
        name: name.to_owned(),
        ..SandboxUser::new(username, "sandbox")
    };
    vec![user("robin", "Robin Placeholder"), user("alex", "Alex Sample")]
}

fn conversations() -> Vec<Conversation> {
    let rooms = [
        work::conversations(),
        home::conversations(),
        alphabets::conversations(),
        notices::conversations(),
        press::conversations(),
    ];
    rooms.into_iter().flatten().collect()
}

/// Fills a user's mailboxes in the order in which the mail came.
pub(crate) fn fill(store: &MailStore, user: &SandboxUser, now: Timestamp) {
    let mut letters: Vec<_> = conversations()
        .iter()
        .flat_map(|conversation| conversation.write(user, now))
        .collect();
    letters.sort_by_key(|(_, message)| message.internal_date);
    for (mailbox, message) in letters {
        store.create(&user.username, mailbox);
        store.append(&user.username, mailbox, message);
    }
}

#[cfg(test)]
mod tests;
