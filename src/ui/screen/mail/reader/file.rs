//! A message's files, its pictures on servers, its mailing list, and messages inside it.

use posthorn_engine::attachment::Caution;
use posthorn_engine::invitation::InvitationAnswer;
use posthorn_engine::pictures::Consent;
use posthorn_engine::reading::{PictureRule, ReceiptState};
use posthorn_engine::{Command, Error};
use posthorn_mime::{PartStat, Risk};
use posthorn_model::{MessageId, Part, Sender};

use super::material::Read;
use super::reading::Reading;
use super::{Opened, Reader};
use crate::app::{Action, Deed};
use crate::t;

impl Reader {
    /// Opens a file: a message here, anything else with the system, after a question where it could do harm.
    pub(super) fn open_part(&self, id: MessageId, part: &Part) -> Vec<Action> {
        let Some(reading) = self.reading_of(id) else {
            return Vec::new();
        };
        let at = reading.part_at(part.index);
        let known = reading.attachments().find(|file| file.part.index == part.index);
        if known.is_some_and(|file| file.message) || part.content_type == "message/rfc822" {
            return vec![Action::LoadNested(at)];
        }
        match risk(reading, part) {
            Risk::Safe if reading.is_picture(part.index) => vec![show_picture(reading, part.index)],
            Risk::Safe => vec![Action::OpenPart(at, Caution::Usual)],
            Risk::Ask(reasons) => vec![Action::AskOpen(at, part.clone(), reasons)],
        }
    }

    /// Drags a file out of the window. One that could do harm is asked about instead: what it is dropped on may open
    /// it at once, and saving is offered there.
    pub(super) fn drag_part(&self, id: MessageId, part: &Part) -> Vec<Action> {
        let Some(reading) = self.reading_of(id) else {
            return Vec::new();
        };
        let at = reading.part_at(part.index);
        match risk(reading, part) {
            Risk::Safe => vec![Action::DragPart(at)],
            Risk::Ask(reasons) => vec![Action::AskOpen(at, part.clone(), reasons)],
        }
    }

    pub(super) fn save_part(&self, id: MessageId, part: Part) -> Vec<Action> {
        let at = self.reading_of(id).map(|reading| reading.part_at(part.index));
        at.map(|at| Action::SavePart(at, part)).into_iter().collect()
    }

    pub(super) fn save_all(&self, id: MessageId) -> Vec<Action> {
        let parts = self.reading_of(id).map(|reading| {
            reading
                .attachments()
                .map(|file| (reading.part_at(file.part.index), file.part.clone()))
                .collect::<Vec<_>>()
        });
        match parts {
            Some(parts) if !parts.is_empty() => vec![Action::SaveParts(parts)],
            _ => vec![Action::Say(t!("said-no-attachments"))],
        }
    }

    /// From now on this sender's pictures are shown; this message's too.
    pub(super) fn allow_always(&mut self, id: MessageId) -> Vec<Action> {
        let Some(reading) = self.reading_of_mut(id) else {
            return Vec::new();
        };
        let from = reading.mail().envelope.from.first();
        let Some(sender) = from.and_then(|from| Sender::parse(&from.email)) else {
            return Vec::new();
        };
        let said = t!("said-pictures-always", sender = sender.to_string());
        reading.read.reading.pictures = PictureRule::Show;
        let mut actions = vec![Action::Do(Deed {
            commands: vec![Command::AllowPictures(sender)],
            said: Some(said),
            undoable: false,
        })];
        actions.extend(reading.fetch(Consent::Once));
        actions
    }

    pub(super) fn ask_unsubscribe(&self, id: MessageId) -> Vec<Action> {
        let Some(reading) = self.reading_of(id) else {
            return Vec::new();
        };
        match reading.read.reading.unsubscribe.first() {
            Some(way) => vec![Action::AskUnsubscribe(reading.mail().id, way.clone())],
            None => vec![Action::Say(t!("said-no-list"))],
        }
    }

    /// Accepts or declines, by mail to whoever invites.
    pub(super) fn answer_invitation(&mut self, id: MessageId, n: usize, status: PartStat) -> Vec<Action> {
        let Some(reading) = self.reading_of_mut(id) else {
            return Vec::new();
        };
        let message = reading.mail().id;
        let Some(invited) = reading.read.reading.invitations.get_mut(n) else {
            return Vec::new();
        };
        invited.answered = Some(status);
        let event = invited.invitation.summary.as_str();
        let subject = match status {
            PartStat::Accepted => t!("event-accepted-subject", event = event),
            PartStat::Declined => t!("event-declined-subject", event = event),
            _ => t!("event-tentative-subject", event = event),
        };
        vec![Action::AnswerInvitation(InvitationAnswer {
            message,
            index: n,
            status,
            comment: String::new(),
            subject,
        })]
    }

    /// Tells the sender that the message was read, or never.
    pub(super) fn answer_receipt(&mut self, id: MessageId, send: bool) -> Vec<Action> {
        let Some(reading) = self.reading_of_mut(id) else {
            return Vec::new();
        };
        reading.read.reading.receipt = Some(ReceiptState::Answered);
        vec![Action::AnswerReceipt(reading.mail().id, send)]
    }

    /// A message inside another one: shown in the conversation's place until it is closed.
    pub(super) fn nested_loaded(&mut self, result: Result<Option<Box<Read>>, Error>) -> Vec<Action> {
        match result {
            Ok(Some(read)) => {
                self.numbers -= 1;
                let id = MessageId(self.numbers);
                let reading = Reading::new(id, *read, false, self.around);
                self.open.insert(id, Opened::Here(Box::new(reading)));
                self.inside.push(id);
                let mut actions = vec![Action::ScrollReader(0.0)];
                actions.extend(self.lay_out(id));
                actions.extend(self.look_into_files(id));
                actions
            }
            Ok(None) => vec![Action::Say(t!("said-no-nested"))],
            Err(error) => vec![Action::Failed(error)],
        }
    }

    pub(super) fn close_nested(&mut self) -> Vec<Action> {
        if let Some(id) = self.inside.pop()
            && let Some(opened) = self.open.remove(&id)
        {
            self.let_go(opened);
        }
        Vec::new()
    }
}

/// Whether a file could do harm.
fn risk(reading: &Reading, part: &Part) -> Risk {
    let known = reading.attachments().find(|file| file.part.index == part.index);
    let name = part.name.as_deref().unwrap_or_default();
    known.map_or_else(
        || posthorn_mime::attachment::judge(name, &part.content_type, b"").risk,
        |file| file.nature.risk.clone(),
    )
}

/// The picture as large as the window; keys go on to the message's others.
fn show_picture(reading: &Reading, index: u32) -> Action {
    let pictures: Vec<_> = reading
        .attachments()
        .filter(|file| reading.is_picture(file.part.index))
        .map(|file| (reading.part_at(file.part.index), file.part.clone()))
        .collect();
    let at = pictures.iter().position(|(_, part)| part.index == index);
    Action::ShowPicture(pictures, at.unwrap_or_default())
}
