//! Cyrus 3.6, unpacked: its configuration and its start. Passwords are checked by a thread of this process, which
//! answers as saslauthd does.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Error, Options, PATIENCE, Ports, Result, fail, unpacked, wait_until};

/// Debian's user for local mail, which is always there: Cyrus's own comes with its package.
const USER: &str = "mail";

pub fn program(name: &str) -> PathBuf {
    unpacked("cyrus").0.join("usr/lib/cyrus/bin").join(name)
}

/// Answers whether a password is right, until it is dropped.
pub struct Passwords(PathBuf);

impl Passwords {
    fn start(path: PathBuf, users: Vec<(String, String)>) -> Result<Self> {
        let listener = UnixListener::bind(&path)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666))?;
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                match check(stream, &users) {
                    Ok(()) => (),
                    // The last word of the one that dropped us.
                    Err(_) => return,
                }
            }
        });
        Ok(Self(path))
    }
}

impl Drop for Passwords {
    fn drop(&mut self) {
        drop(UnixStream::connect(&self.0));
    }
}

/// saslauthd's protocol: name, password, service and realm, each after its length; back comes `OK` or `NO`.
fn check(mut stream: UnixStream, users: &[(String, String)]) -> std::io::Result<()> {
    let mut words = Vec::new();
    for _ in 0..4 {
        let mut length = [0; 2];
        stream.read_exact(&mut length)?;
        let mut word = vec![0; usize::from(u16::from_be_bytes(length))];
        stream.read_exact(&mut word)?;
        words.push(String::from_utf8_lossy(&word).into_owned());
    }
    let known = users
        .iter()
        .any(|(name, password)| words.first() == Some(name) && words.get(1) == Some(password));
    // One that hung up meanwhile is its own affair.
    let _ = stream.write_all(if known { b"\0\x02OK" } else { b"\0\x02NO" });
    Ok(())
}

pub fn configure(root: &Path, options: &Options, ports: &Ports) -> Result<Passwords> {
    fs::create_dir(root.join("spool"))?;
    fs::write(root.join("etc/imapd.conf"), build_imapd(root, options))?;
    fs::write(root.join("etc/cyrus.conf"), build_cyrus(root, ports))?;
    let owner = user_id()?;
    for folder in ["run", "state", "spool"] {
        std::os::unix::fs::chown(root.join(folder), Some(owner), Some(owner))?;
    }
    for file in ["etc/imapd.conf", "etc/cyrus.conf", "tls/cert.pem", "tls/key.pem"] {
        fs::set_permissions(root.join(file), fs::Permissions::from_mode(0o644))?;
    }
    Passwords::start(root.join("run/mux"), options.users.clone())
}

fn user_id() -> Result<u32> {
    let table = fs::read_to_string("/etc/passwd")?;
    let line = table
        .lines()
        .find_map(|line| line.strip_prefix(&format!("{USER}:")));
    let uid = line.and_then(|line| line.split(':').nth(1)?.parse().ok());
    uid.ok_or_else(|| Error(format!("there is no user {USER}")))
}

pub fn start(root: &Path) -> Result<u32> {
    let status = Command::new(program("master"))
        .arg("-C")
        .arg(root.join("etc/imapd.conf"))
        .arg("-M")
        .arg(root.join("etc/cyrus.conf"))
        .arg("-p")
        .arg(root.join("run/master.pid"))
        .arg("-d")
        .current_dir(root.join("state"))
        .env("LD_LIBRARY_PATH", unpacked("cyrus").1)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    if !status.success() {
        return fail(format!("Cyrus does not start: {status}"));
    }
    let file = root.join("run/master.pid");
    let mut pid = None;
    wait_until(PATIENCE, || {
        pid = fs::read_to_string(&file)
            .ok()
            .and_then(|text| text.split_whitespace().next()?.parse().ok());
        pid.is_some()
    });
    match pid {
        Some(pid) => Ok(pid),
        None => fail("Cyrus wrote no process id"),
    }
}

fn build_imapd(root: &Path, options: &Options) -> String {
    let at = root.display();
    let plaintext = if options.plaintext { "yes" } else { "no" };
    let connections = options.max_connections;
    format!(
        "configdirectory: {at}/state
proc_path: {at}/run/proc
mboxname_lockpath: {at}/run/lock
defaultpartition: default
partition-default: {at}/spool
altnamespace: yes
unixhierarchysep: yes
virtdomains: off
cyrus_user: {USER}
admins: cyrus
servername: mail.example.test
syslog_prefix: test
allowplaintext: {plaintext}
sasl_pwcheck_method: saslauthd
sasl_saslauthd_path: {at}/run/mux
sasl_mech_list: PLAIN LOGIN
tls_server_cert: {at}/tls/cert.pem
tls_server_key: {at}/tls/key.pem
autocreate_quota: 0
autocreate_post: yes
autocreate_inbox_folders: Drafts | Sent | Junk | Trash | Archive
autocreate_subscribe_folders: Drafts | Sent | Junk | Trash | Archive
xlist-drafts: Drafts
xlist-sent: Sent
xlist-junk: Junk
xlist-trash: Trash
xlist-archive: Archive
lmtpsocket: {at}/run/lmtp
idlesocket: {at}/run/idle
notifysocket: {at}/run/notify
popminpoll: 0
maxlogins_per_user: {connections}
delete_mode: immediate
expunge_mode: immediate
conversations: yes
"
    )
}

fn build_cyrus(root: &Path, ports: &Ports) -> String {
    let configuration = root.join("etc/imapd.conf");
    let run = |name: &str, more: &str| {
        format!(
            "cmd=\"{} -C {}{more}\"",
            program(name).display(),
            configuration.display()
        )
    };
    let listen = |name: &str, program: &str, more: &str, port: u16| {
        let command = run(program, more);
        format!("  {name} {command} listen=\"127.0.0.1:{port}\" prefork=0 maxchild=200\n")
    };
    let services = listen("imap", "imapd", "", ports.imap)
        + &listen("imaps", "imapd", " -s", ports.imaps)
        + &listen("pop3", "pop3d", "", ports.pop3)
        + &listen("pop3s", "pop3d", " -s", ports.pop3s);
    format!(
        "START {{\n  recover {}\n}}\nDAEMON {{\n  idled {}\n}}\nSERVICES {{\n{services}}}\nEVENTS {{\n}}\n",
        run("ctl_cyrusdb", " -r"),
        run("idled", "")
    )
}
