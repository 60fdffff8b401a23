//! Ends the daemons: by us when the server is dropped, by a child shell when this process dies without a word.

use std::fs;
use std::io;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::wait_until;

/// A shell that waits for its input to end, which happens when this process ends in whatever way.
pub struct Keeper(Child);

impl Keeper {
    pub fn start(pids: &[u32]) -> io::Result<Self> {
        let child = Command::new("/bin/sh")
            .args(["-c", "read -r _; kill \"$@\"", "keeper"])
            .args(pids.iter().map(ToString::to_string))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Self(child))
    }

    #[cfg(test)]
    pub fn close_input(&mut self) {
        drop(self.0.stdin.take());
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        // Before its input closes: the process ids may belong to others by now.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Whether this process still is one of ours: ids are used again. Both daemons work below their own directory.
fn is_ours(pid: u32, root: &Path) -> bool {
    fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|directory| directory.starts_with(root))
}

fn signal(pid: u32, name: &str) {
    let _ = Command::new("/bin/sh")
        .args(["-c", "kill -s \"$1\" \"$2\"", "kill", name, &pid.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
}

/// Asks a daemon to end, and insists after a while.
pub fn end_process(pid: u32, root: &Path) {
    for name in ["TERM", "KILL"] {
        if !is_ours(pid, root) {
            return;
        }
        signal(pid, name);
        if wait_until(Duration::from_secs(10), || !is_ours(pid, root)) {
            return;
        }
    }
}
