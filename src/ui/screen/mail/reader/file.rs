//! A message's files, its pictures on servers, its mailing list, and messages inside it.

use posthorn_engine::attachment::Caution;
use posthorn_engine::pictures::Consent;
use posthorn_engine::reading::PictureRule;
use posthorn_engine::{Command, Error};
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
        if part.content_type == "message/rfc822" {
            return vec![Action::LoadNested(at)];
        }
        let name = part.name.as_deref().unwrap_or_default();
        if is_risky(name, &part.content_type) {
            return vec![Action::AskOpen(at, part.clone())];
        }
        vec![Action::OpenPart(at, Caution::Usual)]
    }

    pub(super) fn save_part(&self, id: MessageId, part: Part) -> Vec<Action> {
        let at = self.reading_of(id).map(|reading| reading.part_at(part.index));
        at.map(|at| Action::SavePart(at, part)).into_iter().collect()
    }

    pub(super) fn save_all(&self, id: MessageId) -> Vec<Action> {
        let parts = self.reading_of(id).map(|reading| {
            reading
                .attachments()
                .map(|part| (reading.part_at(part.index), part.clone()))
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

/// Kinds of file that can do more than be looked at.
fn is_risky(name: &str, content_type: &str) -> bool {
    const RISKY: [&str; 44] = [
        "exe", "com", "scr", "pif", "bat", "cmd", "msi", "msp", "ps1", "psm1", "vbs", "vbe", "js", "jse",
        "wsf", "wsh", "hta", "cpl", "jar", "lnk", "url", "desktop", "reg", "inf", "iso", "img", "vhd", "dmg",
        "pkg", "app", "command", "sh", "bash", "py", "pl", "rb", "appimage", "deb", "rpm", "docm", "xlsm",
        "pptm", "html", "svg",
    ];
    let extension = name
        .rsplit_once('.')
        .map(|(_, extension)| extension.to_lowercase());
    let by_name = extension.is_some_and(|extension| RISKY.contains(&extension.trim()));
    let by_type = [
        "text/html",
        "image/svg+xml",
        "application/x-msdownload",
        "application/javascript",
    ]
    .contains(&content_type);
    by_name || by_type
}
