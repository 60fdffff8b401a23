//! A server made of a script, for a client's wire tests:
//!
//! ```text
//! S: * OK ready              sends the line and CRLF
//! C: {tag} LOGIN {*}         wants one line; {tag} is a word that it remembers, {*} is anything
//! S: {tag} OK done           … and says again here
//! S+ half a line             sends without CRLF
//! C+ 12                      wants so many bytes, whatever they are
//! -- close                   closes; nothing may follow
//! ```
//! `\r`, `\n`, `\t`, `\\` and `\xNN` stand for bytes in what is sent. Empty lines and lines from `#` on are passed
//! over. At the end the client must close, and must have sent nothing more.

use std::fmt;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream};
use tokio::task::JoinHandle;

/// A client that does not go on for this long (of tokio's time) has failed.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Send(String),
    SendLine(String),
    WantLine(String),
    WantBytes(usize),
    Close,
}

/// Where the talk left the script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The script's line, from 1.
    pub line: usize,
    pub expected: String,
    pub got: String,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "line {}: expected {:?}, got {:?}",
            self.line, self.expected, self.got
        )
    }
}
impl std::error::Error for Mismatch {}

/// A script, ready to be played once.
#[derive(Clone, Debug)]
pub struct Transcript {
    steps: Vec<(usize, Step)>,
}

impl Transcript {
    /// A mismatch here is a line of the script that means nothing.
    pub fn parse(script: &str) -> Result<Self, Mismatch> {
        let mut steps = Vec::new();
        for (number, line) in (1..).zip(script.lines()) {
            let line = line.trim_start();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let unknown = || Mismatch {
                line: number,
                expected: "S:, S+, C:, C+ or --".into(),
                got: line.into(),
            };
            let (kind, rest) = line.split_at_checked(2).ok_or_else(unknown)?;
            let rest = rest.strip_prefix(' ').unwrap_or(rest);
            let step = match kind {
                "S:" => Step::SendLine(rest.to_owned()),
                "S+" => Step::Send(rest.to_owned()),
                "C:" => Step::WantLine(rest.to_owned()),
                "C+" => Step::WantBytes(rest.trim().parse().map_err(|_| unknown())?),
                "--" if rest.trim() == "close" => Step::Close,
                _ => return Err(unknown()),
            };
            steps.push((number, step));
        }
        Ok(Self { steps })
    }

    /// Plays the server's side; answers the lines that the client sent.
    pub async fn play(self, stream: impl AsyncRead + AsyncWrite + Unpin) -> Result<Vec<String>, Mismatch> {
        let mut player = Player {
            stream,
            seen: Vec::new(),
            tag: String::new(),
            lines: Vec::new(),
        };
        for (number, step) in &self.steps {
            let fail = |expected: &str, got: String| Mismatch {
                line: *number,
                expected: expected.to_owned(),
                got,
            };
            match step {
                Step::Send(text) => player.send(text, "").await,
                Step::SendLine(text) => player.send(text, "\r\n").await,
                Step::Close => {
                    let _ = player.stream.shutdown().await;
                    return Ok(player.lines);
                }
                Step::WantBytes(count) => {
                    if !player.read_until(|seen| seen.len() >= *count).await {
                        return Err(fail(&format!("{count} bytes"), player.rest()));
                    }
                    player.seen.drain(..*count);
                }
                Step::WantLine(pattern) => {
                    let Some(line) = player.line().await else {
                        return Err(fail(pattern, player.rest()));
                    };
                    match fits(pattern, &line) {
                        Some(tag) => player.tag = tag.unwrap_or(std::mem::take(&mut player.tag)),
                        None => return Err(fail(pattern, line)),
                    }
                    player.lines.push(line);
                }
            }
        }
        let more = player.read_until(|seen| !seen.is_empty()).await;
        let last = self.steps.last().map_or(0, |(number, _)| number + 1);
        if more {
            Err(Mismatch {
                line: last,
                expected: "the end".into(),
                got: player.rest(),
            })
        } else {
            Ok(player.lines)
        }
    }
}

struct Player<S> {
    stream: S,
    seen: Vec<u8>,
    tag: String,
    lines: Vec<String>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Player<S> {
    /// A client that has gone away shows in what it should have sent next.
    async fn send(&mut self, text: &str, end: &str) {
        let text = text.replace("{tag}", &self.tag);
        let bytes = [unescape(&text), end.as_bytes().to_vec()].concat();
        let _ = self.stream.write_all(&bytes).await;
        let _ = self.stream.flush().await;
    }

    /// Reads until enough is there; false where the client ended or waited too long before.
    async fn read_until(&mut self, enough: impl Fn(&[u8]) -> bool) -> bool {
        while !enough(&self.seen) {
            let read = self.stream.read_buf(&mut self.seen);
            match tokio::time::timeout(PATIENCE, read).await {
                Ok(Ok(count)) if count > 0 => (),
                _ => return false,
            }
        }
        true
    }

    async fn line(&mut self) -> Option<String> {
        if !self.read_until(|seen| seen.contains(&b'\n')).await {
            return None;
        }
        let end = self.seen.iter().position(|byte| *byte == b'\n')? + 1;
        let line: Vec<u8> = self.seen.drain(..end).collect();
        let line = String::from_utf8_lossy(&line).into_owned();
        // A bare LF stays visible: a client must send CRLF.
        Some(line.strip_suffix("\r\n").map(str::to_owned).unwrap_or(line))
    }

    fn rest(&self) -> String {
        if self.seen.is_empty() {
            "nothing".to_owned()
        } else {
            String::from_utf8_lossy(&self.seen).into_owned()
        }
    }
}

/// Whether a line fits, and the tag if the pattern has one.
fn fits(pattern: &str, line: &str) -> Option<Option<String>> {
    let (pattern, line, tag) = match pattern.strip_prefix("{tag}") {
        None => (pattern, line, None),
        Some(pattern) => {
            let (tag, _) = line.split_once(' ')?;
            (pattern, line.strip_prefix(tag)?, Some(tag.to_owned()))
        }
    };
    let pieces: Vec<&str> = pattern.split("{*}").collect();
    let (first, others) = pieces.split_first()?;
    let mut rest = line.strip_prefix(first)?;
    let Some((last, middle)) = others.split_last() else {
        return rest.is_empty().then_some(tag);
    };
    for piece in middle {
        rest = rest.split_once(piece)?.1;
    }
    rest.ends_with(last).then_some(tag)
}

fn unescape(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        out.extend_from_slice(before.as_bytes());
        let mut letters = after.chars();
        let byte = match letters.next() {
            Some('r') => Some(b'\r'),
            Some('n') => Some(b'\n'),
            Some('t') => Some(b'\t'),
            Some('x') => after
                .get(1..3)
                .and_then(|digits| u8::from_str_radix(digits, 16).ok()),
            _ => None,
        };
        let used = match (byte, after.starts_with('x')) {
            (Some(_), true) => 3,
            (Some(_), false) => 1,
            (None, _) => usize::from(after.starts_with('\\')),
        };
        out.push(byte.unwrap_or(b'\\'));
        rest = after.get(used..).unwrap_or_default();
    }
    out.extend_from_slice(rest.as_bytes());
    out
}

/// A client's stream with the script behind it, and the script's outcome. Needs a tokio runtime.
pub fn serve(script: &str) -> (DuplexStream, JoinHandle<Result<Vec<String>, Mismatch>>) {
    let (client, server) = tokio::io::duplex(1 << 16);
    let parsed = Transcript::parse(script);
    let task = tokio::spawn(async move { parsed?.play(server).await });
    (client, task)
}

#[cfg(test)]
mod tests;
