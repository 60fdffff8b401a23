//! Files that go along, handing a message over, and taking it back.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use iced::Task;
use iced::widget::operation;
use posthorn_engine::{Error, Outgoing};
use posthorn_mime::compose::Draft;
use posthorn_model::{AccountId, ErrorClass, MessageId, SubmissionId};

use super::toast::Way;
use super::writing::build;
use super::{App, Message};
use crate::bridge::{Bridge, aside};
use crate::screen::compose::{self, BODY, File, Saved, TO};
use crate::t;

/// How long a message can be taken back.
const UNSEND: Duration = Duration::from_secs(8);
/// A file beyond this is not read into memory.
const LARGEST: u64 = 50 * 1024 * 1024;

impl App {
    pub(super) fn pick_files(&mut self) -> Task<Message> {
        let Some(id) = self.composing else {
            return Task::none();
        };
        Task::perform(
            async {
                match crate::system::dialog::pick_files().await {
                    Some(paths) => Some(read_files(paths).await),
                    None => None,
                }
            },
            move |files| match files {
                Some(files) => Message::Compose(compose::Message::FilesRead(id, files)),
                None => Message::Told(
                    String::new(),
                    Err(Error::new(ErrorClass::Config, t!("dialog-none-attach"))),
                ),
            },
        )
    }

    /// A file dropped anywhere while a message is being written goes along with it.
    pub(super) fn file_dropped(&mut self, path: PathBuf) -> Task<Message> {
        let Some(id) = self.composing else {
            return Task::none();
        };
        Task::perform(read_files(vec![path]), move |files| {
            Message::Compose(compose::Message::FilesRead(id, files))
        })
    }

    pub(super) fn send(&mut self) -> Task<Message> {
        let Some((id, account)) = self.front().map(|composer| (composer.id, composer.account)) else {
            return Task::none();
        };
        let identity = self.identity(account);
        self.clock.tick();
        let now = self.clock.now;
        let Some(bridge) = self.bridge.clone() else {
            return Task::none();
        };
        let Some(composer) = self.front() else {
            return Task::none();
        };
        let draft = composer.draft(&identity);
        if draft.to.is_empty() && draft.cc.is_empty() && draft.bcc.is_empty() {
            composer.error = Some(t!("compose-no-recipient"));
            return operation::focus(TO);
        }
        if composer.sending {
            return Task::none();
        }
        composer.sending = true;
        let replaces = composer.draft;
        Task::perform(submit(bridge, draft, account, now, replaces), move |result| {
            Message::SubmissionQueued(id, result)
        })
    }

    pub(super) fn submission_queued(
        &mut self,
        id: u64,
        result: Result<SubmissionId, Error>,
    ) -> Task<Message> {
        match result {
            Ok(submission) => {
                if let Some(mut composer) = self.take(id) {
                    composer.sending = false;
                    self.sent.push((submission, composer));
                }
                self.toast(t!("compose-sending"), Way::Unsend(submission), UNSEND, false);
            }
            Err(error) => {
                if let Some(composer) = self.composers.iter_mut().find(|composer| composer.id == id) {
                    composer.sending = false;
                    composer.error = Some(error.message);
                }
            }
        }
        Task::none()
    }

    /// What cannot be taken back any more need not be kept.
    pub(super) fn forget_sent(&mut self) {
        let toasts = &self.toasts;
        self.sent
            .retain(|(id, _)| toasts.iter().any(|toast| toast.way == Way::Unsend(*id)));
    }

    pub(super) fn submission_cancelled(
        &mut self,
        id: SubmissionId,
        result: Result<(), Error>,
    ) -> Task<Message> {
        match result {
            Ok(()) => {
                if let Some(at) = self.sent.iter().position(|(sent, _)| *sent == id) {
                    let (_, mut composer) = self.sent.remove(at);
                    composer.saved = Saved::Dirty(Instant::now());
                    self.mail.make_room();
                    self.composing = Some(composer.id);
                    self.composers.push(composer);
                    return operation::focus(BODY);
                }
                self.say(t!("compose-unsent"));
            }
            Err(error) => self.fail(&error),
        }
        Task::none()
    }
}

async fn submit(
    bridge: Bridge,
    draft: Draft,
    account: AccountId,
    now: posthorn_model::Timestamp,
    replaces: Option<MessageId>,
) -> Result<SubmissionId, Error> {
    let built = aside(move || build(&draft, now)).await?;
    if let Some(bad) = built.refused.first() {
        return Err(Error::new(
            ErrorClass::Config,
            t!("compose-bad-address", address = bad.to_string()),
        ));
    }
    let wait = i64::try_from(UNSEND.as_secs()).unwrap_or(0);
    bridge
        .send(Outgoing {
            account,
            raw: built.raw,
            recipients: built.recipients,
            at: Some(now.plus_seconds(wait)),
            draft: replaces,
        })
        .await
}

async fn read_files(paths: Vec<PathBuf>) -> Vec<Result<File, Error>> {
    let read = aside(move || paths.into_iter().map(|path| read_file(&path)).collect()).await;
    read.unwrap_or_else(|error| vec![Err(error)])
}

fn read_file(path: &std::path::Path) -> Result<File, Error> {
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let failed = |why: String| {
        Error::new(
            ErrorClass::Disk,
            t!("compose-file-failed", name = name.clone(), why = why),
        )
    };
    let size = std::fs::metadata(path)
        .map_err(|error| failed(error.to_string()))?
        .len();
    if size > LARGEST {
        return Err(failed(t!(
            "compose-file-large",
            size = crate::when::size(LARGEST)
        )));
    }
    let bytes = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
    Ok(File {
        content_type: posthorn_mime::content_type_for(&name).to_owned(),
        name,
        bytes: Arc::new(bytes),
    })
}
