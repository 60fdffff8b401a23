//! A large message without the bulk of its long parts: what a list, a search and a reader need of it fits in memory,
//! however large it is.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use posthorn_mime::Parsed;

/// Octets kept after each line that may be a boundary: more than any header, and text enough for a search.
const KEPT: u64 = 512 * 1024;
/// Octets kept altogether.
const MOST: usize = 24 << 20;

/// What was left out of each long stretch, in order.
#[derive(Default)]
pub struct Abridged {
    left_out: Vec<u64>,
}

/// Reads the file once, in pieces, and adds to `kept` what is left of it. Lines that begin with two dashes are kept
/// wherever they are, since a boundary may be among them (RFC 2046, section 5.1.1).
pub fn read(path: &Path, kept: &mut Vec<u8>) -> io::Result<Abridged> {
    let mut file = BufReader::with_capacity(256 * 1024, File::open(path)?);
    let mut found = Abridged::default();
    let (mut since, mut out, mut at_line_start) = (0, 0, true);
    loop {
        let ready = file.fill_buf()?;
        if ready.is_empty() {
            break;
        }
        let taken = ready
            .iter()
            .position(|byte| *byte == b'\n')
            .map_or(ready.len(), |at| at + 1);
        let line = ready.get(..taken).unwrap_or_default();
        // Long stretches are base64, whose lines never begin so.
        if at_line_start && line.starts_with(b"--") {
            if out > 0 {
                found.left_out.push(out);
            }
            (since, out) = (0, 0);
        }
        if since < KEPT && kept.len() + line.len() <= MOST {
            kept.extend_from_slice(line);
        } else {
            out += taken as u64;
        }
        since += taken as u64;
        at_line_start = line.ends_with(b"\n");
        file.consume(taken);
    }
    if out > 0 {
        found.left_out.push(out);
    }
    Ok(found)
}

impl Abridged {
    /// Gives the parts that were cut the size that they have, as closely as it can be told: base64 has four octets
    /// for three.
    pub fn correct(&self, parsed: &mut Parsed) {
        let cut = parsed.parts.iter_mut().filter(|part| part.size >= KEPT / 2);
        for (part, left_out) in cut.zip(&self.left_out) {
            let encoded = part.size < KEPT * 9 / 10;
            part.size += if encoded { left_out / 4 * 3 } else { *left_out };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn message(attachment_lines: usize) -> Vec<u8> {
        let mut raw = b"From: a@example.org\r\nSubject: large\r\nMIME-Version: 1.0\r\n\
                        Content-Type: multipart/mixed; boundary=b\r\n\r\n\
                        --b\r\nContent-Type: text/plain\r\n\r\nThe text.\r\n"
            .to_vec();
        for name in ["one.bin", "two.bin"] {
            raw.extend_from_slice(
                format!(
                    "--b\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\
                     Content-Disposition: attachment; filename={name}\r\n\r\n"
                )
                .as_bytes(),
            );
            for _ in 0..attachment_lines {
                raw.extend_from_slice(
                    b"QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0\r\n",
                );
            }
        }
        raw.extend_from_slice(b"--b--\r\n");
        raw
    }

    #[test]
    fn finds_in_the_abridged_what_is_in_the_whole() {
        let raw = message(40_000);
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        file.write_all(&raw).expect("written");
        let mut kept = Vec::new();
        let abridged = read(file.path(), &mut kept).expect("read");
        assert!(kept.len() < raw.len() / 4, "{}", kept.len());
        let mut parsed = posthorn_mime::parse(&kept);
        abridged.correct(&mut parsed);
        let whole = posthorn_mime::parse(&raw);
        assert_eq!(parsed.envelope, whole.envelope);
        assert_eq!(parsed.preview, whole.preview);
        assert_eq!(parsed.parts.len(), whole.parts.len());
        for (found, expected) in parsed.parts.iter().zip(&whole.parts) {
            assert_eq!(found.name, expected.name);
            let off = found.size.abs_diff(expected.size);
            assert!(off * 20 <= expected.size, "{} for {}", found.size, expected.size);
        }
    }

    #[test]
    fn one_endless_line_takes_no_more_than_its_share() {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        file.write_all(b"Subject: x\r\n\r\n").expect("written");
        for _ in 0..40 {
            file.write_all(&vec![b'A'; 1 << 20]).expect("written");
        }
        let mut kept = Vec::new();
        read(file.path(), &mut kept).expect("read");
        assert!(kept.len() < 2 << 20);
        assert!(posthorn_mime::parse(&kept).envelope.subject == "x");
    }
}
