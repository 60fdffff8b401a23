use super::*;
use posthorn_model::{Flag, InternetMessageId};
use proptest::prelude::*;

fn uid(value: u32) -> Uid {
    Uid::new(value).expect("not zero")
}

fn held(message: i64, flags: Flags, base: Flags) -> Held {
    Held {
        message: MessageId(message),
        uid: None,
        flags,
        base,
    }
}

fn envelope(id: Option<&str>, subject: &str) -> Envelope {
    Envelope {
        message_id: id.map(|id| InternetMessageId(id.into())),
        subject: subject.into(),
        ..Envelope::default()
    }
}

#[test]
fn keeps_what_the_user_did_and_takes_what_others_did() {
    let seen = Flags::default().with(Flag::Seen);
    let flagged = Flags::default().with(Flag::Flagged);
    let both = seen.clone().with(Flag::Flagged);
    let held = BTreeMap::from([
        (uid(1), held(1, seen.clone(), Flags::default())),
        (uid(2), held(2, seen.clone(), seen.clone())),
        (uid(3), held(3, Flags::default(), Flags::default())),
    ]);
    let remote = [
        (uid(1), &flagged),
        (uid(2), &seen),
        (uid(3), &flagged),
        (uid(9), &seen),
    ];
    let writes = merge_flags(MailboxId(5), &held, remote);
    let expect = [(1, both, flagged.clone()), (3, flagged.clone(), flagged)];
    let got: Vec<_> = writes
        .into_iter()
        .map(|write| match write {
            Write::SetFlags {
                message,
                mailbox,
                flags,
                base,
            } => {
                assert_eq!(mailbox, MailboxId(5));
                (message.0, flags, base)
            }
            other => panic!("unexpected {other:?}"),
        })
        .collect();
    assert_eq!(got, expect);
}

#[test]
fn recognises_each_waiting_message_once() {
    let mut waiting = Waiting::default();
    let mut add = |message: i64, id: Option<&str>, subject: &str, size: u64, upload: bool| {
        let envelope = envelope(id, subject);
        let adrift = Adrift {
            message: MessageId(message),
            message_id: envelope.message_id,
            size,
            subject: envelope.subject,
            date: envelope.date,
        };
        waiting.add(&adrift, upload);
    };
    add(1, Some("a@x"), "one", 100, false);
    add(2, Some("a@x"), "one", 100, false);
    add(3, None, "no id", 50, false);
    add(4, Some("up@x"), "upload", 70, true);
    let mut check = |id: Option<&str>, subject: &str, size, expect: Option<i64>| {
        let found = waiting.take(&envelope(id, subject), size);
        assert_eq!(found, expect.map(MessageId), "{id:?} {size}");
    };
    check(Some("a@x"), "one", 99, None);
    check(Some("a@x"), "one", 100, Some(1));
    check(Some("a@x"), "one", 100, Some(2));
    check(Some("a@x"), "one", 100, None);
    check(None, "another", 50, None);
    check(None, "no id", 50, Some(3));
    check(Some("up@x"), "upload", 75, Some(4));
    check(Some("up@x"), "upload", 70, None);
}

proptest! {
    /// Whatever the order in which the server's word and the user's changes come, the result is the same.
    #[test]
    fn merging_twice_changes_nothing(local in 0u8..32, base in 0u8..32, remote in 0u8..32) {
        let flags = |bits| Flags::from_bits(bits, []);
        let merged = Flags::merge(&flags(local), &flags(base), &flags(remote));
        let again = BTreeMap::from([(uid(1), held(1, merged.clone(), flags(remote)))]);
        prop_assert!(merge_flags(MailboxId(1), &again, [(uid(1), &flags(remote))]).is_empty());
        // What the user did here since the base is still there.
        let done = flags(base).change_to(&flags(local));
        prop_assert_eq!(done.apply(&merged), merged);
    }
}
