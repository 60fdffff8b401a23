//! Whether an arrival is a message that is here already, in another mailbox. Pure. Only what is certain counts: two
//! messages taken for one would hide mail, one taken for two costs a download.

use posthorn_model::{Envelope, MessageId, Timestamp};
use posthorn_store::Candidate;

/// What is known of an arrival before its body.
#[derive(Clone, Copy, Debug)]
pub struct Traits<'a> {
    /// EMAILID (RFC 8474) or X-GM-MSGID: the server's own word that two are one.
    pub object_id: Option<&'a str>,
    pub envelope: &'a Envelope,
    /// RFC822.SIZE.
    pub size: u64,
    /// INTERNALDATE, which COPY and MOVE keep (RFC 9051 sections 6.4.7 and 6.4.8).
    pub received: Option<Timestamp>,
}

/// The message that the arrival is, where exactly one can be.
#[must_use]
pub fn recognise(arrival: &Traits<'_>, candidates: &[Candidate]) -> Option<MessageId> {
    let free = || candidates.iter().filter(|candidate| !candidate.placed);
    if let Some(object) = arrival.object_id {
        // A server that gives a UID to another message may keep its name, too.
        let same = free().find(|candidate| {
            candidate.object_id.as_deref() == Some(object)
                && candidate.message_id == arrival.envelope.message_id
        });
        if let Some(same) = same {
            return Some(same.message);
        }
    }
    // A copy that stands in this mailbox counts among them: then it is not certain which one this is.
    let mut alike = candidates.iter().filter(|candidate| is_alike(arrival, candidate));
    let only = alike.next()?;
    (alike.next().is_none() && !only.placed).then_some(only.message)
}

fn is_alike(arrival: &Traits<'_>, candidate: &Candidate) -> bool {
    // Two names given by the server for two messages.
    let told_apart = arrival.object_id.is_some_and(|object| {
        candidate
            .object_id
            .as_deref()
            .is_some_and(|other| other != object)
    });
    let from = arrival.envelope.from.first().map(|from| from.email.as_str());
    !told_apart
        && arrival.envelope.message_id.is_some()
        && arrival.envelope.message_id == candidate.message_id
        && arrival.size == candidate.size
        && arrival.received.is_some()
        && arrival.received == candidate.received
        && from == candidate.from_email.as_deref()
        && begins_alike(&arrival.envelope.subject, &candidate.subject)
}

/// The store keeps no more than the beginning of a subject.
fn begins_alike(whole: &str, kept: &str) -> bool {
    whole == kept || (kept.len() >= 900 && whole.starts_with(kept))
}

#[cfg(test)]
mod tests {
    use super::*;
    use posthorn_model::{Address, InternetMessageId};

    fn envelope(id: Option<&str>, subject: &str) -> Envelope {
        Envelope {
            message_id: id.map(|id| InternetMessageId(id.into())),
            subject: subject.into(),
            from: vec![Address {
                name: None,
                email: "a@example.org".into(),
            }],
            ..Envelope::default()
        }
    }

    fn candidate(message: i64) -> Candidate {
        Candidate {
            message: MessageId(message),
            object_id: None,
            message_id: Some(InternetMessageId("x".into())),
            size: 10,
            received: Some(Timestamp(7)),
            subject: "hello".into(),
            from_email: Some("a@example.org".into()),
            placed: false,
        }
    }

    #[test]
    fn takes_for_one_only_what_is_certain() {
        let whole = envelope(Some("x"), "hello");
        let traits = Traits {
            object_id: None,
            envelope: &whole,
            size: 10,
            received: Some(Timestamp(7)),
        };
        let check = |what: &str, traits: Traits<'_>, candidates: &[Candidate], expect: Option<i64>| {
            assert_eq!(recognise(&traits, candidates), expect.map(MessageId), "{what}");
        };
        let one = candidate(1);
        check("alike", traits, std::slice::from_ref(&one), Some(1));
        check("nobody", traits, &[], None);
        check("two alike", traits, &[one.clone(), candidate(2)], None);
        let other = |change: fn(&mut Candidate)| {
            let mut candidate = candidate(1);
            change(&mut candidate);
            [candidate]
        };
        check("another size", traits, &other(|c| c.size = 11), None);
        check(
            "another date",
            traits,
            &other(|c| c.received = Some(Timestamp(8))),
            None,
        );
        check(
            "no date",
            Traits {
                received: None,
                ..traits
            },
            &other(|c| c.received = None),
            None,
        );
        check(
            "another subject",
            traits,
            &other(|c| c.subject = "hi".into()),
            None,
        );
        check("another sender", traits, &other(|c| c.from_email = None), None);
        check("in this mailbox", traits, &other(|c| c.placed = true), None);
        let nameless = envelope(None, "hello");
        let traits_nameless = Traits {
            envelope: &nameless,
            ..traits
        };
        check(
            "no Message-ID",
            traits_nameless,
            &other(|c| c.message_id = None),
            None,
        );
    }

    #[test]
    fn believes_the_servers_own_name_for_a_message() {
        let whole = envelope(Some("x"), "else");
        let traits = Traits {
            object_id: Some("M1"),
            envelope: &whole,
            size: 99,
            received: None,
        };
        let named = |object: &str, placed| Candidate {
            object_id: Some(object.into()),
            placed,
            ..candidate(1)
        };
        assert_eq!(recognise(&traits, &[named("M1", false)]), Some(MessageId(1)));
        assert_eq!(recognise(&traits, &[named("M1", true)]), None);
        let another = envelope(Some("y"), "else");
        let another = Traits {
            envelope: &another,
            ..traits
        };
        assert_eq!(recognise(&another, &[named("M1", false)]), None, "it lies");
        let alike = envelope(Some("x"), "hello");
        let alike = Traits {
            envelope: &alike,
            size: 10,
            received: Some(Timestamp(7)),
            ..traits
        };
        assert_eq!(
            recognise(&alike, &[named("M2", false)]),
            None,
            "told apart by name"
        );
        assert_eq!(
            recognise(&alike, &[candidate(1)]),
            Some(MessageId(1)),
            "not named yet"
        );
    }
}
