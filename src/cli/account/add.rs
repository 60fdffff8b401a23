//! `posthorn account add`: keeps the settings and the password, and contacts no server.

use posthorn_engine::catalog::Account;
use posthorn_model::{
    AccountConfig, AuthMethod, ClientCertificate, Endpoint, Identity, Pop3Policy, Protocol, Secret,
    SecretPlace, Security,
};
use serde_json::json;
use std::io::{BufRead, IsTerminal};

use super::{FOR_IMAP, policy, to_json};
use crate::arguments::{AddRequest, ProtocolName, SecretsName, SecurityName};
use crate::failure::{Failure, Status};
use crate::output::Output;
use crate::session::{self, Context, Purpose};
use crate::unbuilt;

/// A password longer than this is no password but a mistake.
const PASSWORD_LIMIT: u64 = 64 * 1024;

/// # Errors
/// Where a setting cannot be right, or the password cannot be kept; then nothing was written.
pub fn run(request: AddRequest, context: &Context, output: &mut Output) -> Result<Status, Failure> {
    if request.oauth {
        return unbuilt::refuse("account add --oauth");
    }
    let from_stdin = request.password_stdin;
    let config = read_config(request)?;
    let by_certificate = config.auth == AuthMethod::External;
    if !by_certificate && !from_stdin && !std::io::stdin().is_terminal() {
        return Err(Failure::usage("no password: give it with --password-stdin"));
    }
    let secret = match (by_certificate, from_stdin) {
        (true, _) => None,
        (false, true) => Some(read_line(&mut std::io::stdin().lock())?),
        (false, false) => Some(session::prompt(&format!("Password of {}: ", config.username))?),
    };
    let secrets_key = match config.secrets {
        SecretPlace::File if secret.is_some() => Some(sealed_file_key()?),
        _ => None,
    };
    let session = context.open_with(Purpose::WriteAndSignIn, secrets_key)?;
    let id = session.wait(session.engine.add_account(config.clone(), secret))?;
    if output.is_json() {
        output.document(&json!({ "account": to_json(&Account { id, config }) }))?;
    } else {
        output.line(&format!(
            "added {}; no server was asked yet: posthorn account test {}",
            config.name, config.name
        ))?;
    }
    Ok(Status::Done)
}

fn sealed_file_key() -> Result<Secret, Failure> {
    match session::secrets_key_of_environment() {
        Some(key) => Ok(key),
        None if std::io::stderr().is_terminal() => session::prompt("Key for the sealed file of passwords: "),
        None => Err(Failure::config(
            "--secrets file needs a key: set POSTHORN_SECRETS_KEY, or run this on a terminal",
        )),
    }
}

/// The first line, without its end.
fn read_line(input: &mut impl BufRead) -> Result<Secret, Failure> {
    let mut line = String::new();
    let mut limited = std::io::Read::take(input, PASSWORD_LIMIT);
    limited
        .read_line(&mut line)
        .map_err(|error| Failure::disk("cannot read the password", &error))?;
    let end = line.trim_end_matches(['\r', '\n']).len();
    line.truncate(end);
    if line.is_empty() {
        return Err(Failure::usage(
            "the first line of standard input is empty: no password",
        ));
    }
    Ok(Secret::new(line))
}

fn read_config(request: AddRequest) -> Result<AccountConfig, Failure> {
    check_name(&request.name)?;
    if !request.email.contains('@') {
        return Err(Failure::usage(format!(
            "--email: {:?} is not an address",
            request.email
        )));
    }
    let protocol = match request.protocol {
        ProtocolName::Imap => Protocol::Imap,
        ProtocolName::Pop3 => Protocol::Pop3,
    };
    let pop3 = request.policy.apply(Pop3Policy::default());
    if protocol == Protocol::Imap && request.policy.says_something() {
        return Err(Failure::usage(policy::FOR_POP3));
    }
    if protocol == Protocol::Pop3 && request.connections.is_some() {
        return Err(Failure::usage(FOR_IMAP));
    }
    let incoming = read_endpoint("--incoming", &request.incoming, request.incoming_security)?;
    let outgoing = request
        .outgoing
        .as_deref()
        .map(|text| read_endpoint("--outgoing", text, request.outgoing_security))
        .transpose()?;
    let in_clear = std::iter::once(&incoming)
        .chain(outgoing.as_ref())
        .find(|endpoint| endpoint.security == Security::None && !endpoint.is_loopback());
    if let (Some(endpoint), false) = (in_clear, request.allow_cleartext) {
        return Err(Failure::config(format!(
            "{endpoint} without TLS would send the password in clear: choose tls or starttls, or say --allow-cleartext"
        )));
    }
    let client_certificate = match (request.client_cert, request.client_key) {
        (Some(certificate), Some(key)) => Some(ClientCertificate {
            certificate: find_file("--client-cert", &certificate)?,
            key: find_file("--client-key", &key)?,
        }),
        _ => None,
    };
    Ok(AccountConfig {
        protocol,
        username: request.username.unwrap_or_else(|| request.email.clone()),
        auth: match &client_certificate {
            Some(_) if !request.password_stdin => AuthMethod::External,
            _ => AuthMethod::Password,
        },
        client_certificate,
        secrets: match request.secrets {
            SecretsName::Keychain => SecretPlace::Keychain,
            SecretsName::File => SecretPlace::File,
            SecretsName::Session => SecretPlace::Session,
        },
        allow_cleartext: request.allow_cleartext,
        connections: request.connections,
        pop3,
        identity: Identity {
            name: request.display_name,
            email: request.email,
            signature: String::new(),
        },
        incoming,
        outgoing,
        name: request.name,
    })
}

/// The whole path: the program may be started elsewhere next time.
fn find_file(option: &str, path: &std::path::Path) -> Result<std::path::PathBuf, Failure> {
    path.canonicalize()
        .map_err(|error| Failure::usage(format!("{option}: {} cannot be read: {error}", path.display())))
}

/// A name must be told from `inbox`, `all` and a path.
fn check_name(name: &str) -> Result<(), Failure> {
    let taken = matches!(name, "inbox" | "all");
    let odd = name.is_empty()
        || name.starts_with('-')
        || name.trim() != name
        || name.contains('/')
        || name.chars().any(crate::clean::is_unsafe);
    if taken || odd {
        return Err(Failure::usage(format!(
            "--name: {name:?} cannot be an account's name (no slash, no control character, not inbox or all)"
        )));
    }
    Ok(())
}

fn read_endpoint(option: &str, text: &str, security: SecurityName) -> Result<Endpoint, Failure> {
    Endpoint::parse(text, security.into())
        .ok_or_else(|| Failure::usage(format!("{option}: {text:?} is not HOST:PORT")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::{AccountCommand, Arguments, Command};
    use clap::Parser;
    use posthorn_model::{KeepAtMost, LeaveOnServer};

    fn config(words: &str) -> Result<AccountConfig, String> {
        let base = "posthorn account add --name work --email a@example.org --password-stdin";
        let words = base.split_whitespace().chain(words.split_whitespace());
        let arguments = Arguments::try_parse_from(words).map_err(|error| error.to_string())?;
        let Some(Command::Account(AccountCommand::Add(request))) = arguments.command else {
            return Err("another command".to_owned());
        };
        read_config(*request).map_err(|failure| failure.to_text())
    }

    #[test]
    fn reads_settings() {
        let read = config(
            "--protocol pop3 --incoming pop.example.org:995 --outgoing [::1]:587 --outgoing-security starttls \
             --leave-on-server 14 --secrets file --username me",
        )
        .unwrap();
        assert_eq!(read.protocol, Protocol::Pop3);
        assert_eq!(read.incoming.security, Security::Tls);
        assert_eq!(
            read.outgoing.map(|endpoint| endpoint.to_string()).as_deref(),
            Some("[::1]:587")
        );
        assert_eq!(read.pop3.leave, LeaveOnServer::Days(14));
        assert_eq!(read.pop3, Pop3Policy::leaving(LeaveOnServer::Days(14)));
        assert_eq!(read.secrets, SecretPlace::File);
        assert_eq!(read.username, "me");
        let read = config(
            "--protocol pop3 --incoming pop.example.org:995 --keep-at-most 200MB --headers-first --size-cap 5MB \
             --newest-first --per-session 50 --apop",
        )
        .unwrap();
        assert_eq!(
            read.pop3,
            Pop3Policy {
                leave: LeaveOnServer::Forever,
                keep_at_most: Some(KeepAtMost::Bytes(200_000_000)),
                headers_first: true,
                body_cap: Some(5_000_000),
                newest_first: true,
                per_session: Some(50),
                apop: true,
            }
        );
        let read = config("--protocol imap --incoming imap.example.org:993").unwrap();
        assert_eq!(read.username, "a@example.org");
        assert_eq!(read.auth, AuthMethod::Password);
        assert_eq!(read.outgoing, None);
        assert_eq!(read.secrets, SecretPlace::Keychain);
    }

    #[test]
    fn refuses_what_cannot_be_right() {
        let check = |words: &str, expect: &str| {
            let error = config(words).unwrap_err();
            assert!(error.contains(expect), "{words:?}: {error:?}");
        };
        check("--protocol imap --incoming example.org", "HOST:PORT");
        check("--protocol nntp --incoming example.org:1", "nntp");
        check(
            "--protocol imap --incoming example.org:143 --incoming-security none",
            "--allow-cleartext",
        );
        check(
            "--protocol imap --incoming example.org:993 --outgoing example.org:25 --outgoing-security none",
            "--allow-cleartext",
        );
        check(
            "--protocol imap --incoming example.org:993 --leave-on-server 3",
            "POP3",
        );
        check(
            "--protocol pop3 --incoming example.org:995 --leave-on-server sometimes",
            "until-removed",
        );
        check(
            "--protocol imap --incoming example.org:993 --newest-first",
            "POP3",
        );
        check("--protocol pop3 --incoming example.org:995 --size-cap big", "5MB");
        check("--protocol pop3 --incoming example.org:995 --per-session 0", "1");
        assert!(config("--protocol imap --incoming 127.0.0.1:143 --incoming-security none").is_ok());
        assert!(
            config("--protocol imap --incoming example.org:143 --incoming-security none --allow-cleartext")
                .is_ok()
        );
    }

    #[test]
    fn names_are_told_from_paths() {
        for (name, good) in [
            ("work", true),
            ("Büro 2", true),
            ("", false),
            ("inbox", false),
            ("all", false),
            ("a/b", false),
            (" a", false),
            ("-a", false),
            ("a\u{1b}[m", false),
        ] {
            assert_eq!(check_name(name).is_ok(), good, "{name:?}");
        }
    }

    #[test]
    fn a_password_is_the_first_line() {
        let check = |input: &str, expect: Option<&str>| {
            let read = read_line(&mut input.as_bytes()).ok();
            assert_eq!(read.as_ref().map(Secret::reveal), expect);
        };
        check("s3cret\n", Some("s3cret"));
        check("s3cret\r\nmore\n", Some("s3cret"));
        check(" with spaces ", Some(" with spaces "));
        check("\n", None);
        check("", None);
    }
}
