//! A real mail server on loopback: Debian's Dovecot (IMAP, POP3, LMTP) and Postfix (SMTP, submission), or in their
//! place Cyrus or Courier (IMAP, POP3), whose packages are unpacked and not installed.
//!
//! Configuration, state, queue, mail and logs all lie in one temporary directory; every port is picked free; nothing
//! listens past 127.0.0.1; Postfix delivers to this server's own users and refuses everybody else. The daemons are
//! ended by their recorded process ids when the [`MailServer`] is dropped, and by a keeper process if the test dies.

mod courier;
mod cyrus;
mod dovecot;
mod imap_pipe;
mod keeper;
mod postfix;

use std::any::Any;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use posthorn_model::{Endpoint, Flag, Keyword, Security, Timestamp};
use tempfile::TempDir;

use crate::ca::{Ca, CertificateKind};
use crate::mail::CorpusMail;
pub use imap_pipe::{ImapPipe, ServedMessage, quote};
use keeper::Keeper;

/// The domain of every address of the server's users.
pub const DOMAIN: &str = "example.test";
/// Owns the mail; needs no entry in the password file.
const MAIL_UID: u32 = 5000;
/// Unix socket paths end at 108 bytes.
const MAX_DIRECTORY: usize = 70;
const PATIENCE: Duration = Duration::from_secs(30);

/// What went wrong, in words.
#[derive(Debug)]
pub struct Error(String);

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl std::error::Error for Error {}
impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self(error.to_string())
    }
}
impl From<rcgen::Error> for Error {
    fn from(error: rcgen::Error) -> Self {
        Self(error.to_string())
    }
}

pub type Result<T> = std::result::Result<T, Error>;

fn fail<T>(text: impl Into<String>) -> Result<T> {
    Err(Error(text.into()))
}

/// Which server it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    #[default]
    Dovecot,
    Cyrus,
    /// In clear only.
    Courier,
}

/// How Dovecot keeps mail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Storage {
    #[default]
    Maildir,
    Sdbox,
}

/// How the server is set up.
#[derive(Clone, Debug)]
pub struct Options {
    pub kind: Kind,
    /// Login name and password.
    pub users: Vec<(String, String)>,
    pub storage: Storage,
    pub certificate: CertificateKind,
    /// Whether IMAP and POP3 take a password in clear.
    pub plaintext: bool,
    /// Whether Postfix is started too; with Dovecot only.
    pub smtp: bool,
    /// IMAP capabilities to announce in place of Dovecot's own; `+X` adds one.
    pub capability: Option<String>,
    /// A quota rule such as `1M`; `None`: 20 GB.
    pub quota: Option<String>,
    /// IMAP sessions of one user at one time.
    pub max_connections: u32,
}

impl Default for Options {
    fn default() -> Self {
        let user = |name: &str| (name.to_owned(), format!("{name}-secret"));
        Self {
            kind: Kind::default(),
            users: vec![user("alice"), user("bob")],
            storage: Storage::default(),
            certificate: CertificateKind::default(),
            plaintext: true,
            smtp: true,
            capability: None,
            quota: None,
            max_connections: 200,
        }
    }
}

/// Which server of the three.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    Imap,
    Pop3,
    /// Submission: login first.
    Smtp,
}

/// All on 127.0.0.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    /// In clear, with STARTTLS.
    pub imap: u16,
    pub imaps: u16,
    /// In clear, with STLS.
    pub pop3: u16,
    pub pop3s: u16,
    /// From server to server: no login, own users only.
    pub smtp: u16,
    /// With STARTTLS.
    pub submission: u16,
    pub submissions: u16,
}

/// A message to put into a mailbox.
#[derive(Clone, Debug, Default)]
pub struct Seed {
    pub raw: Vec<u8>,
    /// IMAP flags with spaces between, such as `\Seen $Forwarded`.
    pub flags: String,
    pub internal_date: Option<Timestamp>,
}

impl From<&CorpusMail> for Seed {
    fn from(mail: &CorpusMail) -> Self {
        let system = Flag::ALL
            .iter()
            .filter(|flag| mail.flags.contains(**flag))
            .map(|flag| flag.imap_name());
        let flags: Vec<&str> = system
            .chain(mail.flags.keywords().iter().map(Keyword::as_str))
            .collect();
        Self {
            raw: mail.raw.clone(),
            flags: flags.join(" "),
            internal_date: Some(mail.internal_date),
        }
    }
}

/// A running server. Dropping it ends the daemons and removes the directory.
pub struct MailServer {
    options: Options,
    ports: Ports,
    /// The daemons' process ids, Dovecot's first.
    pids: Vec<u32>,
    keeper: Option<Keeper>,
    /// Courier's front or Cyrus's password check: what this process itself does, until it is dropped.
    desk: Option<Box<dyn Any + Send + Sync>>,
    directory: TempDir,
}

impl MailServer {
    /// `None`, with the reason on standard output, where the machine cannot run one: not root, or the packages
    /// dovecot-imapd, dovecot-pop3d, dovecot-lmtpd and postfix are missing.
    #[expect(clippy::print_stdout, reason = "a skipped test says why it was skipped")]
    pub fn start(mut options: Options) -> Result<Option<Self>> {
        options.smtp &= options.kind == Kind::Dovecot;
        if let Some(reason) = missing(&options) {
            println!("skipped: no mail server here: {reason}");
            return Ok(None);
        }
        // Another process may take a port between our choosing it and the daemon's binding it.
        let mut last = Error("not tried".into());
        for _ in 0..3 {
            match Self::start_once(options.clone()) {
                Ok(server) => return Ok(Some(server)),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn start_once(options: Options) -> Result<Self> {
        let directory = make_directory()?;
        let root = directory.path().to_owned();
        for sub in ["etc", "run", "state", "log", "mail", "tls"] {
            fs::create_dir(root.join(sub))?;
        }
        std::os::unix::fs::chown(root.join("mail"), Some(MAIL_UID), Some(MAIL_UID))?;
        let ca = Ca::new()?;
        let certificate = ca.issue(options.certificate)?;
        fs::write(root.join("tls/ca.pem"), ca.pem())?;
        fs::write(root.join("tls/cert.pem"), certificate.certificate_pem)?;
        fs::write(root.join("tls/key.pem"), certificate.key_pem)?;
        let ports = pick_ports()?;
        let mut server = Self {
            options,
            ports,
            pids: Vec::new(),
            keeper: None,
            desk: None,
            directory,
        };
        server.write_users()?;
        match server.options.kind {
            Kind::Dovecot => {
                dovecot::configure(&root, &server.options, &ports)?;
                server.pids.push(dovecot::start(&root)?);
                server.watch();
            }
            Kind::Cyrus => {
                let passwords = cyrus::configure(&root, &server.options, &ports)?;
                server.desk = Some(Box::new(passwords));
                server.pids.push(cyrus::start(&root)?);
                server.watch();
            }
            Kind::Courier => {
                let front = courier::start(&root, &server.options, &ports)?;
                server.desk = Some(Box::new(front));
            }
        }
        if server.options.smtp {
            postfix::configure(&root, &server.options, &ports)?;
            server.pids.push(postfix::start(&root)?);
            server.watch();
        }
        server.wait_for_ports()?;
        Ok(server)
    }

    /// From here on the daemons end even if this process is killed.
    fn watch(&mut self) {
        self.keeper = Keeper::start(&self.pids).ok();
    }

    fn write_users(&self) -> Result<()> {
        let root = self.directory.path();
        let mut table = String::new();
        for (name, password) in &self.options.users {
            let plain = |text: &str| {
                text.bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
            };
            if !plain(name) || name.is_empty() || password.contains([':', '\n']) {
                return fail(format!("{name:?} cannot be a user of the test server"));
            }
            let home = root.join("mail").join(name);
            fs::create_dir(&home)?;
            std::os::unix::fs::chown(&home, Some(MAIL_UID), Some(MAIL_UID))?;
            table.push_str(&format!(
                "{name}:{{PLAIN}}{password}:{MAIL_UID}:{MAIL_UID}::{}::\n",
                home.display()
            ));
        }
        fs::write(root.join("etc/users"), table)?;
        Ok(())
    }

    fn wait_for_ports(&self) -> Result<()> {
        let ports = self.ports;
        let mut all = vec![ports.imap, ports.pop3];
        if self.options.kind != Kind::Courier {
            all.extend([ports.imaps, ports.pop3s]);
        }
        if self.options.smtp {
            all.extend([ports.smtp, ports.submission, ports.submissions]);
        }
        for port in all {
            let up = wait_until(PATIENCE, || {
                TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
            });
            if !up {
                return fail(format!("nothing answers on port {port}: {}", self.logs()));
            }
        }
        Ok(())
    }

    #[must_use]
    pub const fn ports(&self) -> Ports {
        self.ports
    }

    /// Where a client connects: `localhost`, which the good certificate names. `Security::None` is the STARTTLS
    /// port used in clear, and not there for SMTP (its submission port insists on TLS).
    #[must_use]
    pub fn endpoint(&self, service: Service, security: Security) -> Endpoint {
        let port = match (service, security) {
            (Service::Imap, Security::Tls) => self.ports.imaps,
            (Service::Imap, _) => self.ports.imap,
            (Service::Pop3, Security::Tls) => self.ports.pop3s,
            (Service::Pop3, _) => self.ports.pop3,
            (Service::Smtp, Security::Tls) => self.ports.submissions,
            (Service::Smtp, _) => self.ports.submission,
        };
        Endpoint {
            host: "localhost".to_owned(),
            port,
            security,
        }
    }

    /// The authority that a client has to trust.
    #[must_use]
    pub fn ca_pem(&self) -> PathBuf {
        self.directory.path().join("tls/ca.pem")
    }

    /// Everything of the server's: configuration in `etc`, logs in `log`, mail in `mail`.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Login names and passwords.
    #[must_use]
    pub fn users(&self) -> &[(String, String)] {
        &self.options.users
    }

    #[must_use]
    pub fn password(&self, user: &str) -> Option<&str> {
        self.options
            .users
            .iter()
            .find(|(name, _)| name == user)
            .map(|(_, password)| password.as_str())
    }

    /// The user's mail address.
    #[must_use]
    pub fn address(&self, user: &str) -> String {
        format!("{user}@{DOMAIN}")
    }

    /// Both daemons' logs, for a failing test's message.
    #[must_use]
    pub fn logs(&self) -> String {
        ["dovecot.log", "postfix.log"]
            .iter()
            .filter_map(|name| fs::read_to_string(self.directory.path().join("log").join(name)).ok())
            .collect()
    }

    /// Delivers by LMTP, as mail from outside arrives: a new message in INBOX, with Return-Path and Received.
    pub fn deliver(&self, user: &str, raw: &[u8]) -> Result<()> {
        let stream = UnixStream::connect(self.directory.path().join("run/lmtp-postfix"))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut writer = stream.try_clone()?;
        let mut reader = BufReader::new(stream);
        expect_reply(&mut reader, "220")?;
        for (line, code) in [
            ("LHLO tests.example".to_owned(), "250"),
            ("MAIL FROM:<sender@example.net>".to_owned(), "250"),
            (format!("RCPT TO:<{}>", self.address(user)), "250"),
            ("DATA".to_owned(), "354"),
        ] {
            writer.write_all(format!("{line}\r\n").as_bytes())?;
            expect_reply(&mut reader, code)?;
        }
        writer.write_all(&stuff(raw))?;
        expect_reply(&mut reader, "250")?;
        writer.write_all(b"QUIT\r\n")?;
        Ok(())
    }

    /// Another client's session.
    pub fn open(&self, user: &str) -> Result<ImapPipe> {
        let root = self.directory.path();
        match self.options.kind {
            Kind::Dovecot => ImapPipe::open(dovecot::imap(root, user)),
            Kind::Courier => ImapPipe::open(courier::imap(root, user)),
            Kind::Cyrus => ImapPipe::connect(self.ports.imap, user, self.password(user).unwrap_or_default()),
        }
    }

    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.options.kind
    }

    /// What stands between the levels of a mailbox's name, and before the names of all but INBOX.
    #[must_use]
    pub const fn naming(&self) -> (&'static str, &'static str) {
        match (self.options.kind, self.options.storage) {
            (Kind::Courier, _) => (".", "INBOX."),
            (Kind::Cyrus, _) | (Kind::Dovecot, Storage::Sdbox) => ("/", ""),
            (Kind::Dovecot, Storage::Maildir) => (".", ""),
        }
    }

    /// Puts messages into a mailbox, which is made where it is missing, in this order.
    pub fn seed(&self, user: &str, mailbox: &str, messages: &[Seed]) -> Result<()> {
        let mut pipe = self.open(user)?;
        if mailbox != "INBOX" {
            // It may be there already.
            let _ = pipe.command(&format!("CREATE {}", imap_pipe::quote(mailbox)));
        }
        messages.iter().try_for_each(|message| {
            if self.options.kind == Kind::Courier {
                await_ordered_names();
            }
            pipe.append(mailbox, message)
        })
    }

    /// Every message of a mailbox exactly as IMAP serves it, ascending by UID.
    pub fn messages(&self, user: &str, mailbox: &str) -> Result<Vec<ServedMessage>> {
        let mut pipe = self.open(user)?;
        pipe.command(&format!("EXAMINE {}", imap_pipe::quote(mailbox)))?;
        pipe.fetch_all()
    }

    /// All mailboxes of a user, as IMAP names them.
    pub fn mailboxes(&self, user: &str) -> Result<Vec<String>> {
        self.open(user)?.list()
    }

    /// Changes flags, as another client would: `change` is such as `+FLAGS (\Seen)`.
    pub fn set_flags(&self, user: &str, mailbox: &str, uids: &str, change: &str) -> Result<()> {
        let mut pipe = self.open(user)?;
        pipe.command(&format!("SELECT {}", imap_pipe::quote(mailbox)))?;
        pipe.command(&format!("UID STORE {uids} {change}")).map(|_| ())
    }

    /// Removes messages, as another client would.
    pub fn expunge(&self, user: &str, mailbox: &str, uids: &str) -> Result<()> {
        let mut pipe = self.open(user)?;
        pipe.command(&format!("SELECT {}", imap_pipe::quote(mailbox)))?;
        pipe.command(&format!("UID STORE {uids} +FLAGS.SILENT (\\Deleted)"))?;
        pipe.command(&format!("UID EXPUNGE {uids}")).map(|_| ())
    }

    /// Any IMAP command in a session of its own (with `mailbox` selected where given); its untagged lines.
    pub fn imap(&self, user: &str, mailbox: Option<&str>, command: &str) -> Result<Vec<String>> {
        let mut pipe = self.open(user)?;
        if let Some(mailbox) = mailbox {
            pipe.command(&format!("SELECT {}", imap_pipe::quote(mailbox)))?;
        }
        pipe.command(command)
    }

    /// Gives a mailbox another UIDVALIDITY, as a restored server would have.
    pub fn set_uid_validity(&self, user: &str, mailbox: &str, value: u32) -> Result<()> {
        let value = value.to_string();
        self.doveadm(&["mailbox", "update", "-u", user, "--uid-validity", &value, mailbox])
            .map(|_| ())
    }

    /// Runs doveadm against this server; its standard output.
    pub fn doveadm(&self, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new("doveadm");
        command
            .arg("-c")
            .arg(self.directory.path().join("etc/dovecot.conf"))
            .args(arguments);
        run(&mut command)
    }

    /// Waits until a mailbox holds at least `count` messages (delivery takes its time); how many it holds.
    pub fn wait_for_messages(&self, user: &str, mailbox: &str, count: usize) -> Result<usize> {
        let mut found = 0;
        wait_until(PATIENCE, || {
            found = self.count(user, mailbox).unwrap_or(0);
            found >= count
        });
        if found >= count {
            Ok(found)
        } else {
            fail(format!("{found} of {count} messages came: {}", self.logs()))
        }
    }

    fn count(&self, user: &str, mailbox: &str) -> Result<usize> {
        let lines = self
            .open(user)?
            .command(&format!("STATUS {} (MESSAGES)", imap_pipe::quote(mailbox)))?;
        let number = lines.iter().find_map(|line| {
            line.rsplit_once("(MESSAGES ")?
                .1
                .trim_end_matches(')')
                .parse()
                .ok()
        });
        number.ok_or_else(|| Error("no STATUS in the answer".into()))
    }
}

/// Courier orders a maildrop by file names, and writes microseconds into them without zeros in front: within one
/// second those below 100,000 would come after the others.
fn await_ordered_names() {
    let micros = || {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        now.map_or(0, |now| now.subsec_micros())
    };
    while !(100_000..950_000).contains(&micros()) {
        std::thread::sleep(Duration::from_millis(5));
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        for pid in self.pids.iter().rev() {
            keeper::end_process(*pid, self.directory.path());
        }
        drop(self.keeper.take());
    }
}

/// Why no server can run here.
fn missing(options: &Options) -> Option<String> {
    let owner = fs::metadata("/proc/self").map(|metadata| std::os::unix::fs::MetadataExt::uid(&metadata));
    if owner.ok() != Some(0) {
        return Some("it needs root, because Dovecot and Postfix change their user".to_owned());
    }
    let unpacked = match options.kind {
        Kind::Dovecot => None,
        Kind::Cyrus => Some(cyrus::program("master")),
        Kind::Courier => Some(courier::program("usr/bin/imapd")),
    };
    if let Some(file) = unpacked {
        return (!file.exists()).then(|| format!("{} is missing", file.display()));
    }
    let mut files = vec!["/usr/sbin/dovecot", "/usr/bin/doveadm"];
    files.extend([
        "/usr/lib/dovecot/imap",
        "/usr/lib/dovecot/pop3",
        "/usr/lib/dovecot/lmtp",
    ]);
    if options.smtp {
        files.extend(["/usr/sbin/postfix", "/usr/lib/postfix/sbin/master"]);
    }
    files
        .into_iter()
        .find(|file| !Path::new(file).exists())
        .map(|file| format!("{file} is not installed"))
}

fn make_directory() -> Result<TempDir> {
    let build = |parent: &Path| tempfile::Builder::new().prefix("mailserver-").tempdir_in(parent);
    let directory = build(&std::env::temp_dir())?;
    // The daemons are not root: they must be able to pass, and their sockets' paths must fit.
    let open = |path: &Path| fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 1 != 0);
    let passable = directory.path().ancestors().skip(1).all(open);
    let directory = if passable && directory.path().as_os_str().len() <= MAX_DIRECTORY {
        directory
    } else {
        build(Path::new("/tmp"))?
    };
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755))?;
    Ok(directory)
}

fn pick_ports() -> Result<Ports> {
    let mut chosen = BTreeSet::new();
    let mut held = Vec::new();
    while chosen.len() < 7 {
        // Held until all are chosen, so that no port is chosen twice.
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        chosen.insert(listener.local_addr()?.port());
        held.push(listener);
    }
    let mut next = chosen.into_iter();
    let mut take = || next.next().ok_or_else(|| Error("no free port".into()));
    Ok(Ports {
        imap: take()?,
        imaps: take()?,
        pop3: take()?,
        pop3s: take()?,
        smtp: take()?,
        submission: take()?,
        submissions: take()?,
    })
}

/// Where `packaging/linux/unpack` has put a server, and its libraries.
fn unpacked(name: &str) -> (PathBuf, OsString) {
    let root = Path::new("/var/cache/posthorn-tests").join(name);
    let mut folders = Vec::new();
    for lib in [root.join("usr/lib"), root.join("lib")] {
        let inside = fs::read_dir(&lib).into_iter().flatten().flatten();
        folders.extend(
            inside
                .map(|entry| entry.path())
                .filter(|path| path.to_string_lossy().ends_with("-linux-gnu")),
        );
        folders.push(lib);
    }
    (root, std::env::join_paths(folders).unwrap_or_default())
}

/// Asks every 10 ms: daemons cannot tell us when they are ready.
fn wait_until(patience: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + patience;
    loop {
        if condition() {
            return true;
        }
        if Instant::now() > end {
            return false;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Runs a program to its end; its output goes through files, because a daemon that it leaves behind would hold a
/// pipe open for ever.
fn run(command: &mut Command) -> Result<String> {
    let out = tempfile::NamedTempFile::new()?;
    let err = out.reopen()?;
    let status = command
        .stdin(Stdio::null())
        .stdout(out.reopen()?)
        .stderr(err)
        .status()?;
    let text = String::from_utf8_lossy(&fs::read(out.path())?).into_owned();
    if status.success() {
        Ok(text)
    } else {
        fail(format!("{command:?}: {status}: {text}"))
    }
}

fn expect_reply(reader: &mut impl BufRead, code: &str) -> Result<()> {
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if !line.starts_with(code) {
            return fail(format!("LMTP expected {code}, got {line:?}"));
        }
        if line.as_bytes().get(3) != Some(&b'-') {
            return Ok(());
        }
    }
}

/// With CRLF line ends and doubled dots, and the final dot.
fn stuff(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len() + 64);
    for line in raw.split_inclusive(|byte| *byte == b'\n') {
        if line.starts_with(b".") {
            out.push(b'.');
        }
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        out.extend_from_slice(text.strip_suffix(b"\r").unwrap_or(text));
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b".\r\n");
    out
}

#[cfg(test)]
mod tests;
