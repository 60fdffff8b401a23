//! Answering invitations by mail (RFC 6047), because the user said so.

use posthorn_mime::calendar::answer_calendar;
use posthorn_mime::compose::{self, Draft};
use posthorn_mime::{Invitation, PartStat};
use posthorn_model::{MessageId, SubmissionId};
use posthorn_store::write::Write;

use crate::catalog::Catalog;
use crate::outbox::building;
use crate::outbox::submit::{Beside, accept_with};
use crate::shared::Shared;
use crate::{Error, Outgoing};

/// What the user answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvitationAnswer {
    pub message: MessageId,
    /// Which of [`crate::Reading::invitations`].
    pub index: usize,
    /// Accepted, tentative or declined.
    pub status: PartStat,
    /// For the organiser; may be empty.
    pub comment: String,
    /// In the user's language; empty: a few English words.
    pub subject: String,
}

/// Where the last answer is remembered.
pub(crate) fn answer_key(invitation: &Invitation) -> String {
    let occurrence = invitation.recurrence_id.as_ref();
    let occurrence = occurrence.map_or_else(String::new, |at| {
        format!("/{:04}{:02}{:02}{:?}", at.year, at.month, at.day, at.time)
    });
    format!("invitation/{}{occurrence}", invitation.uid)
}

/// The word for an answer in the settings.
pub(crate) const fn name_of(status: PartStat) -> &'static str {
    match status {
        PartStat::Accepted => "accepted",
        PartStat::Declined => "declined",
        PartStat::Tentative => "tentative",
        PartStat::Delegated => "delegated",
        PartStat::NeedsAction => "needs-action",
    }
}

pub(crate) fn parse_status(name: &str) -> Option<PartStat> {
    let all = [PartStat::Accepted, PartStat::Declined, PartStat::Tentative];
    all.into_iter().find(|status| name_of(*status) == name)
}

/// # Errors
/// `Config` where there is no such invitation, or nothing to answer.
pub(crate) async fn answer(core: &Shared, answer: InvitationAnswer) -> Result<SubmissionId, Error> {
    let reading = Catalog::new(Shared::clone(core)).reading(answer.message).await?;
    let reading = reading.ok_or_else(|| Error::config("there is no such message"))?;
    let asked = reading
        .invitations
        .get(answer.index)
        .map(|asked| &asked.invitation);
    let asked = asked.ok_or_else(|| Error::config("there is no such invitation in this message"))?;
    let said = match answer.status {
        PartStat::Accepted => "Accepted",
        PartStat::Declined => "Declined",
        PartStat::Tentative => "Tentative",
        PartStat::Delegated | PartStat::NeedsAction => {
            return Err(Error::config("an invitation is accepted, declined or left open"));
        }
    };
    let config = core.config(reading.message.account);
    let config = config.ok_or_else(|| Error::config("there is no such account"))?;
    let now = core.now();
    let calendar = answer_calendar(asked, &config.identity, answer.status, &answer.comment, now);
    let (Some(calendar), Some(organizer)) = (calendar, asked.organizer.clone()) else {
        return Err(Error::config("this invitation does not say whom to answer"));
    };
    let subject = match answer.subject.trim() {
        "" => format!("{said}: {}", asked.summary),
        subject => subject.to_owned(),
    };
    let draft = Draft {
        identity: config.identity,
        to: vec![organizer],
        body: if answer.comment.trim().is_empty() {
            format!("{subject}\n")
        } else {
            answer.comment.clone()
        },
        subject,
        in_reply_to: reading.message.envelope.message_id.clone(),
        references: reading.message.envelope.message_id.iter().cloned().collect(),
        ..Draft::default()
    };
    let random = building::random()?;
    let id = compose::message_id(&draft.identity, &random);
    let built = compose::build_answer(&draft, &calendar, now, &id, building::seed(&random));
    let outgoing = Outgoing {
        account: reading.message.account,
        raw: built.raw,
        recipients: built.recipients,
        at: None,
        draft: None,
    };
    let remembered = Write::PutSetting {
        key: answer_key(asked),
        value: Some(name_of(answer.status).to_owned()),
    };
    let beside = Beside {
        writes: vec![remembered],
        ..Beside::default()
    };
    accept_with(core, outgoing, beside).await
}
