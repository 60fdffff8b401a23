//! `posthorn attachments`: what a message carries, listed or saved.

use posthorn_model::{BodyState, MessageId, Part};
use serde_json::{Value, json};
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use crate::arguments::AttachmentsRequest;
use crate::failure::{Failure, Status};
use crate::output::Output;
use crate::resolve;
use crate::session::{Context, Purpose, Session};
use crate::show::{is_attachment, part_to_json};
use crate::sync::say_size;
use crate::table::{self, Column};

/// # Errors
/// Where there is no such message, its body is not here, or the directory cannot be written.
pub fn run(request: &AttachmentsRequest, context: &Context, output: &mut Output) -> Result<Status, Failure> {
    let session = context.open(Purpose::Read)?;
    let id = resolve::message(&session, &request.message)?;
    let reading = session
        .ask(|catalog| async move { catalog.reading(id).await })?
        .ok_or_else(|| resolve::no_such_message(id))?;
    let message = &reading.message;
    if message.body == BodyState::Headers {
        return Err(Failure::unknown(format!(
            "only the headers of message {id} are here: posthorn fetch {id} brings the rest"
        )));
    }
    let mut found = Vec::new();
    for part in message.parts.iter().filter(|part| is_attachment(part)) {
        let saved = match &request.save {
            Some(directory) => Some(save(id, part, directory, &session)?),
            None => None,
        };
        found.push((part, saved));
    }
    if output.is_json() {
        let attachments: Vec<Value> = found
            .iter()
            .map(|(part, saved)| {
                let mut value = part_to_json(part, &reading);
                if let (Some(path), Some(fields)) = (saved, value.as_object_mut()) {
                    fields.insert("saved".into(), json!(path));
                }
                value
            })
            .collect();
        output.document(&json!({ "attachments": attachments }))?;
    } else if found.is_empty() {
        output.line("no attachments")?;
    } else {
        let columns = [
            ("part", Column::Right),
            ("name", Column::Left),
            ("type", Column::Left),
            ("size", Column::Right),
            ("", Column::Left),
        ];
        let rows = found.iter().map(|(part, saved)| {
            vec![
                part.index.to_string(),
                part.name.clone().unwrap_or_default(),
                part.content_type.clone(),
                say_size(part.size),
                saved
                    .as_ref()
                    .map(|path| format!("saved as {}", path.display()))
                    .unwrap_or_default(),
            ]
        });
        table::print(output, &columns, rows)?;
    }
    Ok(Status::Done)
}

fn save(id: MessageId, part: &Part, directory: &Path, session: &Session) -> Result<PathBuf, Failure> {
    let index = part.index;
    let bytes = session
        .ask(|catalog| async move { catalog.part(id, index).await })?
        .ok_or_else(|| Failure::unknown(format!("part {index} of message {id} cannot be decoded")))?;
    std::fs::create_dir_all(directory)
        .map_err(|error| Failure::disk(&directory.display().to_string(), &error))?;
    for attempt in 0..1_000_u32 {
        let path = directory.join(file_name(part, attempt));
        // Never over a file that is there: its name was chosen by whoever sent the mail.
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(mut file) => {
                return file
                    .write_all(&bytes)
                    .map(|()| path.clone())
                    .map_err(|error| Failure::disk(&path.display().to_string(), &error));
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(Failure::disk(&path.display().to_string(), &error)),
        }
    }
    Err(Failure::unknown("too many files of that name are there already"))
}

/// One plain file name: the last level of the sender's, without controls, never hidden, never empty.
fn file_name(part: &Part, attempt: u32) -> String {
    let wished = part.name.as_deref().unwrap_or_default();
    let leaf = wished.rsplit(['/', '\\']).next().unwrap_or_default();
    let safe: String = leaf
        .chars()
        .filter(|c| !crate::clean::is_unsafe(*c))
        .take(120)
        .collect();
    let safe = safe.trim().trim_start_matches('.');
    let name = if safe.is_empty() {
        format!("part-{}", part.index)
    } else {
        safe.to_owned()
    };
    match (attempt, name.rsplit_once('.')) {
        (0, _) => name,
        (n, Some((stem, extension))) if !stem.is_empty() => format!("{stem} ({n}).{extension}"),
        (n, _) => format!("{name} ({n})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_stay_in_their_directory() {
        let check = |name: Option<&str>, attempt: u32, expect: &str| {
            let part = Part {
                index: 3,
                content_type: "application/octet-stream".into(),
                name: name.map(str::to_owned),
                size: 0,
                content_id: None,
                inline: false,
            };
            assert_eq!(file_name(&part, attempt), expect, "{name:?}");
        };
        check(Some("report.pdf"), 0, "report.pdf");
        check(Some("report.pdf"), 2, "report (2).pdf");
        check(Some("README"), 1, "README (1)");
        check(Some("../../etc/passwd"), 0, "passwd");
        check(Some("..\\..\\boot.ini"), 0, "boot.ini");
        check(Some(".."), 0, "part-3");
        check(Some(".bashrc"), 0, "bashrc");
        check(Some("a\u{202e}fdp.exe"), 0, "afdp.exe");
        check(Some(""), 0, "part-3");
        check(None, 1, "part-3 (1)");
    }
}
