//! The servers that the scripts run against: Dovecot with Postfix, and the sandbox. One face for both.

use posthorn_model::{Flags, Security, Timestamp};
use posthorn_sandbox::{NewMessage, Sandbox, SandboxMail, SandboxOptions, SandboxUser};
use posthorn_testkit::mailserver::{MailServer, Options, Seed, Service};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::posthorn::Posthorn;

pub const USER: &str = "alice";
pub const FRIEND: &str = "bob";
const PASSWORD: &str = "pa ss:wörd-1";

/// A message as the server holds it.
#[derive(Clone, Debug)]
pub struct Held {
    pub raw: Vec<u8>,
    /// Lower case, without backslash.
    pub flags: BTreeSet<String>,
}

impl Held {
    pub fn subject(&self) -> String {
        String::from_utf8_lossy(&self.raw)
            .lines()
            .find_map(|line| line.strip_prefix("Subject: ").map(str::to_owned))
            .unwrap_or_default()
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.raw).into_owned()
    }
}

pub enum Server {
    Dovecot(Box<MailServer>),
    Sandbox(Box<SandboxHost>),
}

pub struct SandboxHost {
    sandbox: Sandbox,
    ca: PathBuf,
    // Declared after the sandbox: its tasks run on it.
    _runtime: Runtime,
    _folder: TempDir,
}

impl Server {
    /// `None` where the machine has no Dovecot or Postfix: a line says so. CI must have them.
    pub fn dovecot() -> Option<Self> {
        Self::dovecot_with(Options::default())
    }

    pub fn dovecot_with(options: Options) -> Option<Self> {
        let users = [USER, FRIEND]
            .map(|name| (name.to_owned(), "secret-1".to_owned()))
            .to_vec();
        let server = MailServer::start(Options { users, ..options }).unwrap();
        assert!(
            server.is_some() || std::env::var("CI").as_deref() != Ok("true"),
            "CI has no mail server: make test installs it"
        );
        server.map(|server| Self::Dovecot(Box::new(server)))
    }

    /// Without mail.
    pub fn sandbox(security: Security) -> Self {
        Self::sandbox_without(security, &[])
    }

    /// Without some extensions of IMAP, too.
    pub fn sandbox_without(security: Security, without: &'static [&'static str]) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let options = SandboxOptions {
            security,
            mail: SandboxMail::Empty,
            without,
            users: vec![
                SandboxUser::new(USER, PASSWORD),
                SandboxUser::new(FRIEND, PASSWORD),
            ],
            ..SandboxOptions::default()
        };
        let sandbox = runtime.block_on(Sandbox::start(options)).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let ca = folder.path().join("ca.pem");
        std::fs::write(&ca, &sandbox.ca_pem).unwrap();
        Self::Sandbox(Box::new(SandboxHost {
            sandbox,
            ca,
            _runtime: runtime,
            _folder: folder,
        }))
    }

    pub fn ca(&self) -> PathBuf {
        match self {
            Self::Dovecot(server) => server.ca_pem(),
            Self::Sandbox(host) => host.ca.clone(),
        }
    }

    /// `HOST:PORT`.
    pub fn endpoint(&self, service: Service, security: Security) -> String {
        match self {
            Self::Dovecot(server) => server.endpoint(service, security).to_string(),
            Self::Sandbox(host) => {
                let service = match service {
                    Service::Imap => posthorn_sandbox::Service::Imap,
                    Service::Pop3 => posthorn_sandbox::Service::Pop3,
                    Service::Smtp => posthorn_sandbox::Service::Smtp,
                };
                host.sandbox.endpoint(service).to_string()
            }
        }
    }

    pub fn password(&self) -> &str {
        match self {
            Self::Dovecot(server) => server.password(USER).unwrap(),
            Self::Sandbox(_) => PASSWORD,
        }
    }

    pub fn address(&self, user: &str) -> String {
        match self {
            Self::Dovecot(server) => server.address(user),
            Self::Sandbox(_) => SandboxUser::new(user, PASSWORD).address,
        }
    }

    /// Puts messages into a mailbox of the first user: bytes, and flags such as `seen flagged`.
    pub fn seed<'a>(&self, mailbox: &str, messages: impl IntoIterator<Item = (&'a [u8], &'a str)>) {
        match self {
            Self::Dovecot(server) => {
                let seeds: Vec<Seed> = messages
                    .into_iter()
                    .map(|(raw, flags)| Seed {
                        raw: raw.to_vec(),
                        flags: flags
                            .split_whitespace()
                            .map(|flag| format!("\\{flag}"))
                            .collect::<Vec<_>>()
                            .join(" "),
                        internal_date: None,
                    })
                    .collect();
                // As IMAP writes it (RFC 3501 section 5.1.3), with this Dovecot's separator.
                server
                    .seed(USER, &mailbox.replace('ü', "&APw-").replace('/', "."), &seeds)
                    .unwrap();
            }
            Self::Sandbox(host) => {
                if mailbox != "INBOX" {
                    host.sandbox.store().create(USER, mailbox);
                }
                for (raw, names) in messages {
                    let mut flags = Flags::default();
                    names
                        .split_whitespace()
                        .for_each(|name| assert!(flags.insert_named(name)));
                    let message = NewMessage {
                        raw: raw.to_vec(),
                        flags,
                        internal_date: Timestamp(1_750_000_000),
                    };
                    host.sandbox.add_message(mailbox, message).unwrap();
                }
            }
        }
    }

    pub fn held(&self, user: &str, mailbox: &str) -> Vec<Held> {
        match self {
            Self::Dovecot(server) => server
                .messages(user, mailbox)
                .unwrap()
                .into_iter()
                .map(|message| Held {
                    raw: message.raw,
                    flags: message
                        .flags
                        .iter()
                        .map(|flag| flag.trim_start_matches('\\').to_lowercase())
                        .collect(),
                })
                .collect(),
            Self::Sandbox(host) => host
                .sandbox
                .store()
                .messages(user, mailbox)
                .into_iter()
                .map(|message| Held {
                    raw: message.raw.to_vec(),
                    flags: message.flags.names().into_iter().collect(),
                })
                .collect(),
        }
    }

    pub fn subjects(&self, user: &str, mailbox: &str) -> Vec<String> {
        let mut subjects: Vec<String> = self.held(user, mailbox).iter().map(Held::subject).collect();
        subjects.sort();
        subjects
    }

    /// Waits until so many messages are there: a mail server delivers in its own time.
    pub fn wait_for(&self, user: &str, mailbox: &str, count: usize) -> Vec<Held> {
        if let Self::Dovecot(server) = self {
            server.wait_for_messages(user, mailbox, count).unwrap();
        }
        let held = self.held(user, mailbox);
        assert!(
            held.len() >= count,
            "{} of {count} messages in {mailbox}",
            held.len()
        );
        held
    }

    /// Sets flags of the only message with this subject, as another client would.
    pub fn set_flag(&self, mailbox: &str, subject: &str, flag: &str) {
        let place = self
            .held(USER, mailbox)
            .iter()
            .position(|held| held.subject() == subject)
            .unwrap();
        match self {
            Self::Dovecot(server) => {
                let uid = server.messages(USER, mailbox).unwrap()[place].uid;
                server
                    .set_flags(USER, mailbox, &uid.to_string(), &format!("+FLAGS (\\{flag})"))
                    .unwrap();
            }
            Self::Sandbox(host) => {
                let message = host.sandbox.store().messages(USER, mailbox)[place].clone();
                let mut flags = message.flags;
                assert!(flags.insert_named(flag));
                assert!(host.sandbox.store().set_flags(USER, mailbox, message.uid, flags));
            }
        }
    }

    /// A profile with one account, `work`, on this server; its password in the sealed file.
    pub fn profile(&self, protocol: &str, security: Security, policy: Option<&str>) -> Posthorn {
        let posthorn = Posthorn::new(Some(&self.ca()));
        self.add_account(&posthorn, protocol, security, policy);
        posthorn
    }

    pub fn add_account(&self, posthorn: &Posthorn, protocol: &str, security: Security, policy: Option<&str>) {
        let service = if protocol == "imap" {
            Service::Imap
        } else {
            Service::Pop3
        };
        let (incoming, outgoing) = (
            self.endpoint(service, security),
            self.endpoint(Service::Smtp, security),
        );
        let address = self.address(USER);
        let mut words = vec!["account", "add", "--name", "work", "--email", &address];
        words.extend([
            "--display-name",
            "Alice Example",
            "--protocol",
            protocol,
            "--username",
            USER,
        ]);
        words.extend(["--incoming", &incoming, "--incoming-security", security.name()]);
        words.extend(["--outgoing", &outgoing, "--outgoing-security", security.name()]);
        words.extend(["--password-stdin", "--secrets", "file"]);
        if let Some(policy) = policy {
            words.extend(["--leave-on-server", policy]);
        }
        let line = format!("{}\n", self.password());
        posthorn.run_with_input(&words, line.as_bytes()).expect(0);
    }
}

/// Whether two paths name the same folder of ours beside the project, where it is.
pub fn shared(path: &str) -> Option<PathBuf> {
    let found = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared").join(path);
    found.exists().then_some(found)
}

/// One test for each server and protection, all running the same script.
macro_rules! on_each_server {
    ($($script:ident)*) => {
        mod dovecot {
            $(mod $script {
                use crate::server::Server;
                #[test]
                fn tls() {
                    if let Some(server) = Server::dovecot() {
                        super::super::$script(&server, posthorn_model::Security::Tls);
                    }
                }
                #[test]
                fn starttls() {
                    if let Some(server) = Server::dovecot() {
                        super::super::$script(&server, posthorn_model::Security::StartTls);
                    }
                }
            })*
        }
        mod sandbox {
            $(mod $script {
                use crate::server::Server;
                #[test]
                fn tls() {
                    let security = posthorn_model::Security::Tls;
                    super::super::$script(&Server::sandbox(security), security);
                }
                #[test]
                fn starttls() {
                    let security = posthorn_model::Security::StartTls;
                    super::super::$script(&Server::sandbox(security), security);
                }
            })*
        }
    };
}
pub(crate) use on_each_server;
