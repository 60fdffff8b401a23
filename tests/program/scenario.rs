//! One list of scenarios for every server: Dovecot, Cyrus, Courier and the sandbox, IMAP with all extensions and with
//! none, and POP3. Each scenario has a user of its own, so that one server serves a whole list.
//!
//! Another client is a session of the test kit's own. A server that is not installed is said to be missing.

mod imap;
mod pop3;

use posthorn_model::Security;
use posthorn_sandbox::{Sandbox, SandboxMail, SandboxOptions, SandboxUser};
use posthorn_testkit::mailserver::{
    ImapPipe, Kind, MailServer, Options, Seed, ServedMessage, Service, quote,
};
use serde_json::Value;
use std::path::PathBuf;
use tokio::runtime::Runtime;

use crate::posthorn::Posthorn;

const PASSWORD: &str = "secret-1";

type Script = fn(&Place);

/// Where scenarios run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Where {
    Real(Kind),
    Sandbox,
}

/// A server with a user for each scenario.
enum Host {
    Real(Box<MailServer>),
    Sandbox {
        sandbox: Box<Sandbox>,
        _runtime: Runtime,
    },
}

/// One scenario's user on a server.
struct Place {
    host: Host,
    user: String,
    protocol: &'static str,
    /// Without IMAP's extensions.
    bare: bool,
}

/// Runs each script, or the one that `POSTHORN_SCENARIO` names; all failures are told together.
fn run(at: Where, protocol: &'static str, bare: bool, scripts: &[(&str, Script)]) {
    let users: Vec<(String, String)> = scripts
        .iter()
        .map(|(name, _)| (name.to_string(), PASSWORD.to_owned()))
        .collect();
    let Some(host) = start(at, users) else {
        println!("skipped: {at:?} is not installed");
        return;
    };
    let mut place = Place {
        host,
        user: String::new(),
        protocol,
        bare,
    };
    let mut failed = Vec::new();
    let only = std::env::var("POSTHORN_SCENARIO").ok();
    for (name, script) in scripts {
        if only.as_deref().is_some_and(|only| only != *name) {
            continue;
        }
        (*name).clone_into(&mut place.user);
        let begin = std::time::Instant::now();
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| script(&place)));
        println!(
            "{at:?} {protocol} bare={bare} {name}: {} in {:.1} s",
            if result.is_ok() { "ok" } else { "FAILED" },
            begin.elapsed().as_secs_f64()
        );
        if result.is_err() {
            failed.push(*name);
        }
    }
    assert!(failed.is_empty(), "{at:?} {protocol} bare={bare}: {failed:?}");
}

fn start(at: Where, users: Vec<(String, String)>) -> Option<Host> {
    match at {
        Where::Real(kind) => {
            let options = Options {
                kind,
                users,
                smtp: false,
                ..Options::default()
            };
            let server = MailServer::start(options).unwrap()?;
            Some(Host::Real(Box::new(server)))
        }
        Where::Sandbox => {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .enable_all()
                .build()
                .unwrap();
            let options = SandboxOptions {
                security: Security::None,
                mail: SandboxMail::Empty,
                users: users
                    .iter()
                    .map(|(name, password)| SandboxUser::new(name, password))
                    .collect(),
                ..SandboxOptions::default()
            };
            let sandbox = runtime.block_on(Sandbox::start(options)).unwrap();
            Some(Host::Sandbox {
                sandbox: Box::new(sandbox),
                _runtime: runtime,
            })
        }
    }
}

impl Place {
    fn kind(&self) -> Option<Kind> {
        match &self.host {
            Host::Real(server) => Some(server.kind()),
            Host::Sandbox { .. } => None,
        }
    }

    /// Another client.
    fn other(&self) -> ImapPipe {
        match &self.host {
            Host::Real(server) => server.open(&self.user).unwrap(),
            Host::Sandbox { sandbox, .. } => {
                ImapPipe::connect(sandbox.imap_port, &self.user, PASSWORD).unwrap()
            }
        }
    }

    /// A mailbox's name as this server's IMAP writes it: levels are given with `/`, names in modified UTF-7.
    fn wire(&self, path: &str) -> String {
        let (separator, prefix) = match &self.host {
            Host::Real(server) => server.naming(),
            Host::Sandbox { .. } => ("/", ""),
        };
        if path == "INBOX" {
            return path.to_owned();
        }
        format!("{prefix}{}", path.replace('/', separator))
    }

    /// The same as this program names it, with its account.
    fn here(&self, path: &str) -> String {
        let courier = self.kind() == Some(Kind::Courier) && self.protocol == "imap" && path != "INBOX";
        format!("work/{}{path}", if courier { "INBOX/" } else { "" })
    }

    fn seed(&self, path: &str, raws: &[Vec<u8>]) {
        let mut other = self.other();
        if path != "INBOX" {
            let _ = other.command(&format!("CREATE {}", quote(&self.wire(path))));
        }
        for raw in raws {
            let seed = Seed {
                raw: raw.clone(),
                ..Seed::default()
            };
            other.append(&self.wire(path), &seed).unwrap();
        }
    }

    fn held(&self, path: &str) -> Vec<ServedMessage> {
        let mut other = self.other();
        other
            .command(&format!("EXAMINE {}", quote(&self.wire(path))))
            .unwrap();
        other.fetch_all().unwrap()
    }

    /// Subjects on the server, sorted, of what is not marked as deleted.
    fn subjects(&self, path: &str) -> Vec<String> {
        let marked = |message: &ServedMessage| message.flags.iter().any(|flag| flag == "\\Deleted");
        let mut subjects: Vec<String> = self
            .held(path)
            .iter()
            .filter(|message| !marked(message))
            .map(|message| subject_of(&message.raw))
            .collect();
        subjects.sort();
        subjects
    }

    /// One command of another client with this mailbox selected; `{uid}` stands for the message with this subject.
    fn elsewhere(&self, path: &str, subject: &str, command: &str) {
        let uid = self
            .held(path)
            .iter()
            .find(|message| subject_of(&message.raw) == subject)
            .unwrap_or_else(|| panic!("no {subject} in {path}"))
            .uid;
        let mut other = self.other();
        other
            .command(&format!("SELECT {}", quote(&self.wire(path))))
            .unwrap();
        for command in command.split(';') {
            other
                .command(&command.trim().replace("{uid}", &uid.to_string()))
                .unwrap();
        }
    }

    /// A profile with the account `work`.
    fn profile(&self, policy: Option<&str>) -> Posthorn {
        match policy {
            Some(policy) => self.profile_with(&["--leave-on-server", policy]),
            None => self.profile_with(&[]),
        }
    }

    /// The same, set up with these words.
    fn profile_with(&self, words: &[&str]) -> Posthorn {
        let (endpoint, security, ca) = self.way();
        let mut posthorn = Posthorn::new(ca.as_deref());
        if self.bare {
            posthorn.set("POSTHORN_IMAP_WITHOUT", "all");
        }
        self.add_account(&posthorn, "work", (&endpoint, security), words);
        posthorn
    }

    fn add_account(&self, posthorn: &Posthorn, name: &str, way: (&str, Security), more: &[&str]) {
        let mut words = vec!["account", "add", "--name", name, "--email", "me@example.test"];
        words.extend(["--protocol", self.protocol, "--username", &self.user]);
        words.extend(["--incoming", way.0, "--incoming-security", way.1.name()]);
        words.extend(["--password-stdin", "--secrets", "file"]);
        words.extend(more);
        posthorn
            .run_with_input(&words, format!("{PASSWORD}\n").as_bytes())
            .expect(0);
    }

    /// How to reach the server: `HOST:PORT`, protection, and whom to trust.
    fn way(&self) -> (String, Security, Option<PathBuf>) {
        let (service, security) = match (self.protocol, self.kind()) {
            ("imap", Some(Kind::Dovecot)) => (Service::Imap, Security::StartTls),
            ("imap", Some(Kind::Cyrus)) => (Service::Imap, Security::Tls),
            ("imap", _) => (Service::Imap, Security::None),
            (_, Some(Kind::Dovecot)) => (Service::Pop3, Security::Tls),
            (_, Some(Kind::Cyrus)) => (Service::Pop3, Security::StartTls),
            (_, _) => (Service::Pop3, Security::None),
        };
        let (endpoint, ca) = match &self.host {
            Host::Real(server) => (
                server.endpoint(service, security).to_string(),
                Some(server.ca_pem()),
            ),
            Host::Sandbox { sandbox, .. } => {
                let port = match service {
                    Service::Imap => sandbox.imap_port,
                    _ => sandbox.pop3_port,
                };
                (format!("localhost:{port}"), None)
            }
        };
        (endpoint, security, ca)
    }

    /// Subjects here, sorted, of what is not marked as deleted.
    fn listed(&self, posthorn: &Posthorn, path: &str) -> Vec<String> {
        let messages = posthorn.list(&["list", &self.here(path), "--limit", "2000"], "messages");
        let mut subjects: Vec<String> = messages
            .iter()
            .filter(|message| !flags_of(message).contains(&"deleted".to_owned()))
            .map(|message| message["subject"].as_str().unwrap().to_owned())
            .collect();
        subjects.sort();
        subjects
    }

    fn id(&self, posthorn: &Posthorn, path: &str, subject: &str) -> String {
        posthorn.id_of(&self.here(path), subject)
    }

    /// A mailbox here is the server's: subjects, flags and every byte.
    #[track_caller]
    fn assert_same(&self, posthorn: &Posthorn, path: &str) {
        assert_eq!(self.listed(posthorn, path), self.subjects(path), "{path}");
        for message in self.held(path) {
            let subject = subject_of(&message.raw);
            if message.flags.iter().any(|flag| flag == "\\Deleted") {
                continue;
            }
            let id = self.id(posthorn, path, &subject);
            let shown = posthorn.run_plain(&["show", &id, "--raw"]).expect(0).stdout;
            let mut served = message.raw.clone();
            // RFC 1939 section 3: the last line of a response ends with CRLF too.
            if self.protocol == "pop3" && !served.ends_with(b"\r\n") {
                served.extend_from_slice(b"\r\n");
            }
            assert!(
                shown == served,
                "{subject} in {path}: {} and {} bytes",
                shown.len(),
                served.len()
            );
        }
    }
}

fn subject_of(raw: &[u8]) -> String {
    let text = String::from_utf8_lossy(raw);
    let line = text.lines().find_map(|line| line.strip_prefix("Subject: "));
    line.unwrap_or_default().to_owned()
}

fn flags_of(message: &Value) -> Vec<String> {
    let flags = message["flags"].as_array().into_iter().flatten();
    flags
        .filter_map(|flag| flag.as_str().map(str::to_owned))
        .collect()
}

/// The figures of the only account's pass. What a server without UIDPLUS keeps, marked, is told and is no failure.
#[track_caller]
fn sync(posthorn: &Posthorn) -> Value {
    posthorn.run(&["sync"]).expect(0).json()["accounts"][0].clone()
}
