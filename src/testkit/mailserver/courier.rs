//! Courier 5.0, unpacked. Its login programs have their paths compiled in, so the front is here: it takes the
//! password, in clear, and hands the connection to Courier's own imapd or courierpop3d, which say everything after.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{MAIL_UID, Options, Ports, Result, run, unpacked};

/// As Debian's etc/courier/imapd has it.
const CAPABILITY: &str =
    "IMAP4rev1 UIDPLUS CHILDREN NAMESPACE THREAD=ORDEREDSUBJECT THREAD=REFERENCES SORT QUOTA IDLE";
const MAX_LINE: usize = 4096;

pub fn program(path: &str) -> PathBuf {
    unpacked("courier").0.join(path)
}

/// Takes connections until it is dropped.
pub struct Front {
    ports: [u16; 2],
    over: Arc<AtomicBool>,
}

impl Drop for Front {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        for port in self.ports {
            drop(TcpStream::connect((Ipv4Addr::LOCALHOST, port)));
        }
    }
}

/// What a connection needs to know.
struct Desk {
    root: PathBuf,
    users: Vec<(String, String)>,
}

pub fn start(root: &Path, options: &Options, ports: &Ports) -> Result<Front> {
    for (name, _) in &options.users {
        let home = root.join("mail").join(name);
        let make = |words: &[&str]| {
            let mut command = Command::new(program("usr/bin/maildirmake.courier"));
            run(command
                .args(words)
                .current_dir(&home)
                .uid(MAIL_UID)
                .gid(MAIL_UID)
                .env("LD_LIBRARY_PATH", unpacked("courier").1))
        };
        make(&["Maildir"])?;
        for folder in ["Drafts", "Sent", "Junk", "Trash", "Archive"] {
            make(&["-f", folder, "Maildir"])?;
        }
        let subscribed =
            ["Drafts", "Sent", "Junk", "Trash", "Archive"].map(|folder| format!("INBOX.{folder}\n"));
        let list = home.join("Maildir/courierimapsubscribed");
        fs::write(&list, subscribed.concat())?;
        std::os::unix::fs::chown(list, Some(MAIL_UID), Some(MAIL_UID))?;
    }
    let over = Arc::new(AtomicBool::new(false));
    for (port, serve) in [
        (ports.imap, serve_imap as fn(TcpStream, &Desk) -> io::Result<()>),
        (ports.pop3, serve_pop3),
    ] {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        let over = Arc::clone(&over);
        let desk = Arc::new(Desk {
            root: root.to_owned(),
            users: options.users.clone(),
        });
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                let desk = Arc::clone(&desk);
                std::thread::spawn(move || serve(stream, &desk));
            }
        });
    }
    Ok(Front {
        ports: [ports.imap, ports.pop3],
        over,
    })
}

/// Courier's imapd for a user who is logged in.
pub fn imap(root: &Path, user: &str) -> Command {
    logged_in(root, user, "usr/bin/imapd")
}

fn logged_in(root: &Path, user: &str, path: &str) -> Command {
    let mut command = Command::new(program(path));
    let home = root.join("mail").join(user);
    command
        .arg("Maildir")
        .current_dir(&home)
        .uid(MAIL_UID)
        .gid(MAIL_UID)
        .env("LD_LIBRARY_PATH", unpacked("courier").1)
        .env("AUTHENTICATED", user)
        .env("AUTHADDR", user)
        .env("HOME", home)
        .env("TCPREMOTEIP", "127.0.0.1")
        .env("TCPREMOTEPORT", "1")
        .env("IMAP_CAPABILITY", CAPABILITY)
        .env("IMAP_KEYWORDS", "1")
        .env("IMAP_ACL", "0")
        .env("IMAP_IDLE_TIMEOUT", "1")
        .env("IMAP_USELOCKS", "0")
        .env("IMAP_ENHANCEDIDLE", "0")
        .env("IMAP_MAILBOX_SANITY_CHECK", "0")
        .env("IMAP_TRASHFOLDERNAME", "Trash")
        .env("IMAP_ULIMITD", "0")
        .stderr(Stdio::null());
    command
}

/// Byte by byte: what follows the login belongs to the program that follows.
fn read_line(stream: &mut TcpStream) -> io::Result<String> {
    let mut line = Vec::new();
    let mut byte = [0];
    while line.len() < MAX_LINE {
        stream.read_exact(&mut byte)?;
        if byte == *b"\n" {
            return Ok(String::from_utf8_lossy(&line).trim_end_matches('\r').to_owned());
        }
        line.extend_from_slice(&byte);
    }
    Err(io::ErrorKind::InvalidData.into())
}

fn hand_over(stream: TcpStream, mut command: Command) -> io::Result<()> {
    let output = OwnedFd::from(stream.try_clone()?);
    let mut child = command
        .stdin(Stdio::from(OwnedFd::from(stream)))
        .stdout(Stdio::from(output))
        .spawn()?;
    drop(command);
    child.wait().map(|_| ())
}

impl Desk {
    fn knows(&self, name: &str, password: &str) -> bool {
        self.users
            .iter()
            .any(|(known, secret)| (known.as_str(), secret.as_str()) == (name, password))
    }
}

fn serve_imap(mut stream: TcpStream, desk: &Desk) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.write_all(format!("* OK [CAPABILITY {CAPABILITY}] Courier-IMAP ready.\r\n").as_bytes())?;
    loop {
        let line = read_line(&mut stream)?;
        let mut words = line.splitn(3, ' ');
        let (tag, name) = (words.next().unwrap_or("*"), words.next().unwrap_or_default());
        let mut arguments = words.next().unwrap_or_default().to_owned();
        let reply = match name.to_ascii_uppercase().as_str() {
            "CAPABILITY" => format!("* CAPABILITY {CAPABILITY}\r\n{tag} OK CAPABILITY completed\r\n"),
            "NOOP" => format!("{tag} OK NOOP completed\r\n"),
            "LOGOUT" => {
                let bye = format!("* BYE Courier-IMAP server shutting down\r\n{tag} OK LOGOUT completed\r\n");
                return stream.write_all(bye.as_bytes());
            }
            "LOGIN" => {
                let user = take_string(&mut arguments, &mut stream)?;
                let password = take_string(&mut arguments, &mut stream)?;
                if desk.knows(&user, &password) {
                    let mut command = imap(&desk.root, &user);
                    command.env("IMAPLOGINTAG", tag);
                    return hand_over(stream, command);
                }
                format!("{tag} NO Login failed.\r\n")
            }
            _ => format!("{tag} NO Error in IMAP command received by server.\r\n"),
        };
        stream.write_all(reply.as_bytes())?;
    }
}

/// The next string of a line: an atom, quoted, or a literal that the client waits to send.
fn take_string(rest: &mut String, stream: &mut TcpStream) -> io::Result<String> {
    let text = rest.trim_start().to_owned();
    if let Some(quoted) = text.strip_prefix('"') {
        let mut out = String::new();
        let mut signs = quoted.chars();
        while let Some(sign) = signs.next() {
            match sign {
                '"' => break,
                '\\' => out.extend(signs.next()),
                _ => out.push(sign),
            }
        }
        *rest = signs.as_str().to_owned();
        return Ok(out);
    }
    if let Some(count) = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
        let count: usize = count.parse().map_err(|_| io::ErrorKind::InvalidData)?;
        stream.write_all(b"+ OK\r\n")?;
        let mut bytes = vec![0; count.min(MAX_LINE)];
        stream.read_exact(&mut bytes)?;
        *rest = read_line(stream)?;
        return Ok(String::from_utf8_lossy(&bytes).into_owned());
    }
    let (word, after) = text.split_once(' ').unwrap_or((&text, ""));
    let (word, after) = (word.to_owned(), after.to_owned());
    *rest = after;
    Ok(word)
}

fn serve_pop3(mut stream: TcpStream, desk: &Desk) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.write_all(b"+OK Hello there.\r\n")?;
    let mut user = String::new();
    loop {
        let line = read_line(&mut stream)?;
        let (name, argument) = line.split_once(' ').unwrap_or((&line, ""));
        let reply = match name.to_ascii_uppercase().as_str() {
            "CAPA" => {
                "+OK Here's what I can do:\r\nTOP\r\nUSER\r\nLOGIN-DELAY 10\r\nPIPELINING\r\nUIDL\r\nIMPLEMENTATION Courier Mail Server\r\n.\r\n"
            }
            "QUIT" => return stream.write_all(b"+OK Better luck next time.\r\n"),
            "USER" => {
                argument.clone_into(&mut user);
                "+OK Password required.\r\n"
            }
            "PASS" if desk.knows(&user, argument) => {
                return hand_over(
                    stream,
                    logged_in(&desk.root, &user, "usr/lib/courier/courier/courierpop3d"),
                );
            }
            "PASS" => "-ERR Login failed.\r\n",
            _ => "-ERR Invalid command.\r\n",
        };
        stream.write_all(reply.as_bytes())?;
    }
}
