//! `posthorn compose`: opens the window's composer, or sends at once.

use posthorn_engine::Outgoing;
use posthorn_engine::catalog::Account;
use posthorn_mime::compose::{Attachment, Draft, build, from_mailto, message_id};
use posthorn_model::Address;
use std::fmt::Write as _;
use std::io::{IsTerminal, Read as _};
use std::path::Path;

use crate::Window;
use crate::arguments::ComposeRequest;
use crate::date;
use crate::failure::{Failure, Status};
use crate::output::Output;
use crate::send;
use crate::session::{Context, Purpose};
use crate::unbuilt;

/// # Errors
/// Where the window could not show what was asked for.
pub fn open(request: &ComposeRequest, context: &Context) -> Result<Window, Failure> {
    if !request.attach.is_empty() {
        return unbuilt::refuse("compose --attach without --send-now").map(|_| Window::default());
    }
    Ok(Window {
        compose: Some(request.mailto.clone().unwrap_or_else(|| to_link(request))),
        ..context.window()
    })
}

/// The same wishes as a `mailto:` link (RFC 6068).
fn to_link(request: &ComposeRequest) -> String {
    let mut link = format!("mailto:{}", escape(&request.to.join(",")));
    let copies = [("cc", request.cc.join(",")), ("bcc", request.bcc.join(","))];
    let texts = [
        ("subject", request.subject.clone().unwrap_or_default()),
        ("body", request.body.clone().unwrap_or_default()),
    ];
    let mut mark = '?';
    for (name, value) in copies.iter().chain(&texts).filter(|(_, value)| !value.is_empty()) {
        link.push(mark);
        link.push_str(name);
        link.push('=');
        link.push_str(&escape(value));
        mark = '&';
    }
    link
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'@' | b',') {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

/// # Errors
/// Where an address, an attachment or the account is not right; then nothing was sent.
pub fn send_now(request: &ComposeRequest, context: &Context, output: &mut Output) -> Result<Status, Failure> {
    let mut draft = read_draft(request)?;
    let session = context.open(Purpose::WriteAndSignIn)?;
    let accounts: Vec<Account> = session.ask(|catalog| async move { catalog.accounts().await })?;
    let account = send::choose_account(&accounts, request.account.as_deref(), &[])?;
    draft.identity = account.config.identity.clone();
    let mut random = [0_u8; 24];
    getrandom::fill(&mut random).map_err(|error| Failure::config(format!("no randomness: {error}")))?;
    let (seed, name) = random.split_at(8);
    let seed = seed
        .iter()
        .fold(0, |seed: u64, byte| seed << 8 | u64::from(*byte));
    let name: String = name.iter().fold(String::new(), |mut name, byte| {
        let _ = write!(name, "{byte:02x}");
        name
    });
    let built = build(&draft, date::now(), &message_id(&draft.identity, &name), seed);
    if let Some(refused) = built.refused.first() {
        return Err(Failure::usage(format!(
            "nothing can be sent to {:?}",
            refused.email
        )));
    }
    if built.recipients.is_empty() {
        return Err(Failure::usage("to whom? --to ADDRESS"));
    }
    let outgoing = Outgoing {
        account: account.id,
        raw: built.raw,
        recipients: built.recipients,
        at: None,
        draft: None,
    };
    send::hand_over(outgoing, &session, output)
}

fn read_draft(request: &ComposeRequest) -> Result<Draft, Failure> {
    let link = match &request.mailto {
        None => posthorn_mime::compose::Mailto::default(),
        Some(link) => {
            from_mailto(link).ok_or_else(|| Failure::usage(format!("{link:?} is no mailto: link")))?
        }
    };
    let people = |typed: &[String], mut given: Vec<Address>| {
        given.extend(typed.iter().flat_map(|text| posthorn_mime::parse_addresses(text)));
        given
    };
    let body = match &request.body {
        Some(body) => body.clone(),
        None if !link.body.is_empty() => link.body,
        None => read_body()?,
    };
    Ok(Draft {
        to: people(&request.to, link.to),
        cc: people(&request.cc, link.cc),
        bcc: people(&request.bcc, link.bcc),
        subject: request.subject.clone().unwrap_or(link.subject),
        body,
        in_reply_to: link.in_reply_to,
        attachments: request
            .attach
            .iter()
            .map(|path| read_attachment(path))
            .collect::<Result<_, _>>()?,
        ..Draft::default()
    })
}

fn read_body() -> Result<String, Failure> {
    let mut stdin = std::io::stdin();
    let mut body = String::new();
    if !stdin.is_terminal() {
        stdin
            .read_to_string(&mut body)
            .map_err(|error| Failure::disk("cannot read the text from standard input", &error))?;
    }
    Ok(body)
}

fn read_attachment(path: &Path) -> Result<Attachment, Failure> {
    let bytes = std::fs::read(path).map_err(|error| Failure::disk(&path.display().to_string(), &error))?;
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    Ok(Attachment {
        content_type: posthorn_mime::content_type_for(&name).to_owned(),
        name,
        bytes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::{Arguments, Command};
    use clap::Parser;

    fn request(words: &[&str]) -> ComposeRequest {
        let words = ["posthorn", "compose"].iter().chain(words);
        match Arguments::try_parse_from(words).unwrap().command {
            Some(Command::Compose(request)) => request,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_link_carries_what_was_typed() {
        for words in [
            &[
                "--to",
                "a@example.org",
                "--subject",
                "Grüße & more?",
                "--body",
                "one\r\ntwo #3",
            ][..],
            &[
                "--to",
                "Ann <a@example.org>",
                "--to",
                "b@example.org",
                "--cc",
                "c@example.org",
            ],
            &["--subject", "only this"],
        ] {
            let typed = request(words);
            let read = from_mailto(&to_link(&typed)).unwrap();
            let direct = read_draft(&ComposeRequest {
                body: Some(typed.body.clone().unwrap_or_default()),
                ..typed
            })
            .unwrap();
            assert_eq!((read.to, read.cc), (direct.to, direct.cc), "{words:?}");
            assert_eq!(read.subject, direct.subject, "{words:?}");
            assert_eq!(
                read.body.replace("\r\n", "\n"),
                direct.body.replace("\r\n", "\n"),
                "{words:?}"
            );
        }
    }
}
