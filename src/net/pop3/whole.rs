//! Whether what TOP showed is the whole message: only where it has the size that LIST gave, counted in one of the ways in
//! which servers count. Some write one line more than there is; it is taken away again.

use std::fs::OpenOptions;
use std::io::{Read, Seek, SeekFrom};

use super::retrieve::SLACK;
use crate::Payload;

/// Octets that a line end has (RFC 1939, section 11: sizes count it as two).
const CRLF: u64 = 2;

#[derive(Debug)]
pub(super) enum Whole {
    Yes(Payload),
    /// A part, or the server counts in a way of its own.
    Unclear(Payload),
}

/// Lays a message beside the size that LIST gave.
pub(super) fn compare(payload: Payload, size: u64) -> Whole {
    let came = payload.len();
    if came == size || came + SLACK == size {
        return Whole::Yes(payload);
    }
    let ends = count_ends(&payload);
    let counted = came + ends.bare;
    let agrees = came - ends.feeds == size || counted == size || counted + SLACK == size;
    if agrees && came > 0 {
        return Whole::Yes(payload);
    }
    if counted != size + CRLF {
        return Whole::Unclear(payload);
    }
    let surplus = match ends.last {
        [b'\r', b'\n', b'\r', b'\n'] => 2,
        [_, _, b'\n', b'\n'] | [_, _, b'\r', b'\r'] => 1,
        // The server gave the last line the end that it lacked.
        _ => return Whole::Yes(payload),
    };
    match shorten(payload, came - surplus) {
        Some(payload) => Whole::Yes(payload),
        None => Whole::Unclear(Payload::Memory(Vec::new())),
    }
}

/// `None`: its file cannot be shortened.
fn shorten(payload: Payload, length: u64) -> Option<Payload> {
    match payload {
        Payload::Memory(mut bytes) => {
            bytes.truncate(usize::try_from(length).ok()?);
            Some(Payload::Memory(bytes))
        }
        Payload::File { path, .. } => {
            OpenOptions::new()
                .write(true)
                .open(&path)
                .ok()?
                .set_len(length)
                .ok()?;
            Some(Payload::File { path, size: length })
        }
    }
}

/// The line ends of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Ends {
    /// Of one byte, which LIST counts as two: LF without CR, and CR without LF.
    pub(super) bare: u64,
    /// LF after CR: a server that keeps messages with LF alone may count these lines by it.
    feeds: u64,
    /// The last bytes.
    last: [u8; 4],
}

pub(super) fn count_ends(payload: &Payload) -> Ends {
    let mut ends = Ends::default();
    match payload {
        Payload::Memory(bytes) => ends.count(bytes),
        Payload::File { path, .. } => {
            let mut buffer = vec![0; 64 * 1024];
            let Ok(mut file) = std::fs::File::open(path) else {
                return ends;
            };
            if file.seek(SeekFrom::Start(0)).is_err() {
                return ends;
            }
            while let Ok(read @ 1..) = file.read(&mut buffer) {
                ends.count(buffer.get(..read).unwrap_or_default());
            }
        }
    }
    ends.bare += u64::from(matches!(ends.last, [.., b'\r']));
    ends
}

impl Ends {
    fn count(&mut self, bytes: &[u8]) {
        for byte in bytes {
            let [_, second, third, before] = self.last;
            match (before, *byte) {
                (b'\r', b'\n') => self.feeds += 1,
                (_, b'\n') | (b'\r', _) => self.bare += 1,
                _ => {}
            }
            self.last = [second, third, before, *byte];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In memory and in a file, which must not make a difference.
    fn both(bytes: &[u8]) -> [Payload; 2] {
        let path = tempfile::NamedTempFile::new().expect("file").into_temp_path();
        std::fs::write(&path, bytes).expect("written");
        let size = bytes.len() as u64;
        [Payload::Memory(bytes.to_vec()), Payload::File { path, size }]
    }

    #[test]
    fn believes_only_a_size_that_agrees() {
        let check = |bytes: &[u8], size: u64, expect: Option<&[u8]>| {
            for payload in both(bytes) {
                let found = match compare(payload, size) {
                    Whole::Yes(payload) => Some(payload.into_bytes().expect("bytes")),
                    Whole::Unclear(_) => None,
                };
                assert_eq!(
                    found.as_deref(),
                    expect,
                    "{:?} of {size}",
                    bytes.escape_ascii().to_string()
                );
            }
        };
        let whole: &[u8] = b"a: b\r\n\r\nc\r\nd\r\n";
        check(whole, 14, Some(whole));
        // The final CRLF counted once more, and each line end counted as one.
        check(whole, 16, Some(whole));
        check(whole, 10, Some(whole));
        check(whole, 15, None);
        check(whole, 13, None);
        check(whole, 100, None);
        check(whole, 9, None);
        // One line more than there is.
        check(b"a: b\r\n\r\nc\r\n\r\n", 11, Some(b"a: b\r\n\r\nc\r\n"));
        check(b"a: b\nc: d\n\ne\n\n", 17, Some(b"a: b\nc: d\n\ne\n"));
        check(b"a: b\rc: d\r\re\r\r", 17, Some(b"a: b\rc: d\r\re\r"));
        // The last line had no end.
        check(b"a: b\r\n\r\nc\r\n", 9, Some(b"a: b\r\n\r\nc\r\n"));
        check(b"a: b\n\nc\n", 11, Some(b"a: b\n\nc\n"));
        check(b"", 0, Some(b""));
        check(b"", 2, Some(b""));
        check(b"", 3, None);
    }
}
