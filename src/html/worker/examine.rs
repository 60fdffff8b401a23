//! Things that the child must not be able to do. Each is harmless where it works.

use std::fs::{File, OpenOptions, read_dir};
use std::io;
use std::net::{TcpListener, UdpSocket};
use std::process::{Command, Stdio};
use std::thread;

use super::message::Attempt;

pub fn attempt() -> Vec<Attempt> {
    let mut attempts = Vec::new();
    let mut tried = |what: &str, outcome: io::Result<()>| {
        attempts.push(Attempt {
            what: what.to_owned(),
            refused: outcome.err().map(|error| error.to_string()).unwrap_or_default(),
        });
    };
    tried("listen", TcpListener::bind(("127.0.0.1", 0)).map(drop));
    tried("datagram", UdpSocket::bind(("127.0.0.1", 0)).map(drop));
    #[cfg(unix)]
    tried(
        "local socket",
        std::os::unix::net::UnixDatagram::unbound().map(drop),
    );
    let file = if cfg!(windows) {
        "C:\\Windows\\win.ini"
    } else {
        "/etc/passwd"
    };
    tried("read a file", File::open(file).map(drop));
    tried("list a folder", read_dir(std::env::temp_dir()).map(drop));
    let device = if cfg!(windows) { "NUL" } else { "/dev/null" };
    tried(
        "write a file",
        OpenOptions::new().write(true).open(device).map(drop),
    );
    tried(
        "start a program",
        Command::new(if cfg!(windows) { "cmd.exe" } else { "/bin/true" })
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .and_then(|mut program| program.wait())
            .map(drop),
    );
    tried("start a thread", thread::Builder::new().spawn(|| ()).map(drop));
    attempts
}
