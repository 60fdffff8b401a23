use posthorn_model::{Protocol, SubmissionState, Timestamp};
use posthorn_sandbox::{Fault, Service};

use super::world::{NOW, World, letter, run, subject_of};
use crate::{Command, Outgoing};

fn outgoing(world: &World, number: usize) -> Outgoing {
    Outgoing {
        account: world.account,
        raw: letter(number),
        recipients: vec![world.sandbox.login().address.clone()],
        at: None,
        draft: None,
    }
}

async fn states(world: &World) -> Vec<SubmissionState> {
    let all = world.engine().catalog().outbox().await.expect("an outbox");
    all.iter().map(|submission| submission.state).collect()
}

fn delivered(world: &World) -> usize {
    world.sandbox.messages("INBOX").len()
}

#[test]
fn sends_and_files_a_copy_by_both_protocols() {
    for (protocol, sent) in [(Protocol::Imap, "Sent"), (Protocol::Pop3, "Sent")] {
        run(async {
            let world = World::new(protocol).await;
            world.sync_well().await;
            world.engine().send(outgoing(&world, 5)).await.expect("taken in");
            world.sync_well().await;
            assert_eq!(states(&world).await, [SubmissionState::Sent]);
            assert_eq!(delivered(&world), 1);
            assert_eq!(world.subjects(sent).await, ["letter 0005"]);
            if protocol == Protocol::Imap {
                assert_eq!(world.there("Sent"), world.here("Sent").await);
            }
            world.sync_well().await;
            assert_eq!(world.subjects(sent).await, ["letter 0005"]);
        });
    }
}

#[test]
fn bcc_is_kept_here_and_not_sent() {
    run(async {
        let world = World::new(Protocol::Imap).await;
        world.sync_well().await;
        let address = world.sandbox.login().address.clone();
        let raw = format!(
            "From: {address}\r\nBcc: {address}\r\nSubject: quiet\r\nMessage-ID: <q@x>\r\n\r\nhush\r\n"
        );
        let outgoing = Outgoing {
            raw: raw.into_bytes(),
            recipients: Vec::new(),
            ..outgoing(&world, 0)
        };
        world.engine().send(outgoing).await.expect("taken in");
        world.sync_well().await;
        let arrived = world.sandbox.messages("INBOX");
        assert_eq!(arrived.len(), 1);
        assert!(!String::from_utf8_lossy(&arrived[0].raw).contains("Bcc"));
        let copy = &world.sandbox.messages("Sent")[0].raw;
        assert!(String::from_utf8_lossy(copy).contains("Bcc"));
    });
}

#[test]
fn what_may_have_arrived_is_never_sent_again_by_itself() {
    for delivers in [true, false] {
        run(async {
            let mut world = World::new(Protocol::Imap).await;
            world.sync_well().await;
            world
                .sandbox
                .faults()
                .inject(Fault::CloseAfterFinalDot { delivers });
            let id = world.engine().send(outgoing(&world, 5)).await.expect("taken in");
            world.sync().await;
            assert_eq!(states(&world).await, [SubmissionState::Uncertain]);
            world.crash();
            world.sync().await;
            world.sync().await;
            assert_eq!(delivered(&world), usize::from(delivers));
            assert_eq!(states(&world).await, [SubmissionState::Uncertain]);
            assert!(world.subjects("Sent").await.is_empty());
            let decision = if delivers {
                Command::MarkSent(id)
            } else {
                Command::Resend(id)
            };
            world.command(decision).await;
            world.sync_well().await;
            assert_eq!(states(&world).await, [SubmissionState::Sent]);
            assert_eq!(delivered(&world), 1);
            assert_eq!(world.subjects("Sent").await, ["letter 0005"]);
        });
    }
}

#[test]
fn refusals_are_held_or_tried_again() {
    let check = |reply: &str, expect: SubmissionState| {
        run(async {
            let world = World::new(Protocol::Pop3).await;
            world.sandbox.faults().inject(Fault::Answer {
                service: Service::Smtp,
                command: "MAIL".into(),
                reply: reply.into(),
            });
            let id = world.engine().send(outgoing(&world, 5)).await.expect("taken in");
            let report = world.sync().await;
            assert!(!report.problems.is_empty());
            assert_eq!(states(&world).await, [expect], "{reply}");
            if expect == SubmissionState::Held {
                world.command(Command::Resend(id)).await;
            }
            world.sync_well().await;
            assert_eq!(states(&world).await, [SubmissionState::Sent]);
            assert_eq!(delivered(&world), 1);
        });
    };
    check("550 5.7.1 no", SubmissionState::Held);
    check("451 later", SubmissionState::Queued);
}

#[test]
fn a_delayed_message_waits_and_can_be_cancelled() {
    run(async {
        let world = World::new(Protocol::Pop3).await;
        let later = |number| Outgoing {
            at: Some(Timestamp(NOW).plus_days(1)),
            ..outgoing(&world, number)
        };
        let cancelled = world.engine().send(later(1)).await.expect("taken in");
        world.engine().send(later(2)).await.expect("taken in");
        world.sync_well().await;
        assert_eq!(
            states(&world).await,
            [SubmissionState::Queued, SubmissionState::Queued]
        );
        world.command(Command::CancelSubmission(cancelled)).await;
        world.pass_days(1);
        world.sync_well().await;
        assert_eq!(states(&world).await, [SubmissionState::Sent]);
        let arrived: Vec<_> = world
            .sandbox
            .messages("INBOX")
            .iter()
            .map(|message| subject_of(&message.raw))
            .collect();
        assert_eq!(arrived, ["letter 0002"]);
    });
}

#[test]
fn a_reply_marks_the_original_and_removes_the_draft() {
    run(async {
        let world = World::new(Protocol::Imap).await;
        world.deliver("INBOX", 1);
        world.sync_well().await;
        let address = world.sandbox.login().address.clone();
        let raw = format!(
            "From: {address}\r\nTo: {address}\r\nSubject: Re: letter\r\nMessage-ID: <re@x>\r\nIn-Reply-To: <1@letters.example.org>\r\n\r\nyes\r\n"
        );
        let draft = world
            .command(Command::SaveDraft {
                account: world.account,
                raw: raw.clone().into_bytes(),
                replaces: None,
            })
            .await
            .draft;
        world.sync_well().await;
        assert_eq!(world.subjects_there("Drafts").len(), 1);
        let outgoing = Outgoing {
            raw: raw.into_bytes(),
            draft,
            ..outgoing(&world, 0)
        };
        world.engine().send(outgoing).await.expect("taken in");
        world.sync_well().await;
        let original = world
            .there("INBOX")
            .into_iter()
            .find(|(subject, _)| subject == "letter 0001");
        assert_eq!(
            original.map(|(_, flags)| flags),
            Some(vec!["answered".to_owned()])
        );
        assert!(world.subjects_there("Drafts").is_empty());
        assert!(world.subjects("Drafts").await.is_empty());
    });
}

#[test]
fn nothing_is_taken_in_that_cannot_be_sent() {
    run(async {
        let world = World::new(Protocol::Pop3).await;
        let to = |recipients: &[&str]| Outgoing {
            recipients: recipients.iter().map(ToString::to_string).collect(),
            raw: b"Subject: x\r\n\r\n".to_vec(),
            ..outgoing(&world, 1)
        };
        for bad in [&[][..], &["nobody"], &["a@b\r\nDATA"], &["a b@c"]] {
            assert!(world.engine().send(to(bad)).await.is_err(), "{bad:?}");
        }
        assert!(states(&world).await.is_empty());
    });
}
