//! Files that stand in the text itself: uuencode (POSIX) and yEnc. Only blocks that are whole and well-formed are
//! taken out; anything else is text.

use crate::charset;
use crate::defect::Defects;
use crate::inner::{Inner, MAX_INNER};
use crate::media_type::content_type_for;

struct Block<'x> {
    /// Of the text, the lines of the block with its first and last.
    start: usize,
    end: usize,
    name: &'x [u8],
    data: &'x [u8],
    yenc: bool,
}

/// Whether a look is worth it.
pub(crate) fn is_likely(body: &[u8]) -> bool {
    // Encoded bodies are looked at when they are decoded: such a block is never in base64.
    (starts_line(body, b"begin ") && memchr::memmem::find(body, b"\nend").is_some())
        || starts_line(body, b"=ybegin ")
}

fn starts_line(body: &[u8], mark: &[u8]) -> bool {
    body.starts_with(mark)
        || memchr::memmem::find_iter(body, mark).any(|at| at > 0 && body.get(at - 1) == Some(&b'\n'))
}

/// The files in a text, decoded.
pub(crate) fn files(text: &[u8]) -> Vec<Inner> {
    blocks(text)
        .iter()
        .map(|block| {
            let name =
                charset::decode_text(None, block.name.trim_ascii(), &mut Defects::default()).into_owned();
            Inner {
                content_type: content_type_for(&name).to_owned(),
                name,
                bytes: if block.yenc {
                    decode_yenc(block.data)
                } else {
                    decode_uu(block.data)
                },
            }
        })
        .collect()
}

/// The text without the files in it.
pub(crate) fn without_files(text: &[u8]) -> Option<Vec<u8>> {
    if !is_likely(text) {
        return None;
    }
    let blocks = blocks(text);
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    for block in &blocks {
        out.extend_from_slice(text.get(at..block.start).unwrap_or_default());
        at = block.end;
    }
    out.extend_from_slice(text.get(at..).unwrap_or_default());
    (!blocks.is_empty()).then_some(out)
}

fn blocks(text: &[u8]) -> Vec<Block<'_>> {
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(line) = line_at(text, at) {
        let next = at + line.len();
        let bare = line.trim_ascii_end();
        let block = if let Some(rest) = bare.strip_prefix(b"begin ") {
            read_uu(text, at, next, rest)
        } else if let Some(rest) = bare.strip_prefix(b"=ybegin ") {
            read_yenc(text, at, next, rest)
        } else {
            None
        };
        at = block.as_ref().map_or(next, |block| block.end);
        out.extend(block);
        if out.len() >= MAX_INNER {
            break;
        }
    }
    out
}

fn line_at(text: &[u8], at: usize) -> Option<&[u8]> {
    let rest = text.get(at..).filter(|rest| !rest.is_empty())?;
    let length = memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
    rest.get(..length)
}

fn read_uu<'x>(text: &'x [u8], start: usize, data: usize, head: &'x [u8]) -> Option<Block<'x>> {
    let space = memchr::memchr(b' ', head)?;
    let (mode, name) = head.split_at(space);
    let octal = (3..=4).contains(&mode.len()) && mode.iter().all(|byte| matches!(byte, b'0'..=b'7'));
    if !octal || name.trim_ascii().is_empty() || name.len() > 1_000 {
        return None;
    }
    let mut at = data;
    loop {
        let line = line_at(text, at)?;
        let next = at + line.len();
        let bare = line.strip_suffix(b"\n").unwrap_or(line);
        let bare = bare.strip_suffix(b"\r").unwrap_or(bare);
        if bare.trim_ascii_end() == b"end" {
            return Some(Block {
                start,
                end: next,
                name,
                data: text.get(data..at)?,
                yenc: false,
            });
        }
        if !is_uu_line(bare) {
            return None;
        }
        at = next;
    }
}

/// A length, and about as many characters as it asks for: blanks at the end of lines get lost.
fn is_uu_line(line: &[u8]) -> bool {
    let Some((first, rest)) = line.split_first() else {
        return true;
    };
    if !line.iter().all(|byte| matches!(byte, 0x20..=0x60)) {
        return false;
    }
    let length = usize::from(first.wrapping_sub(0x20) & 0x3f);
    rest.len() <= length.div_ceil(3) * 4 + 2
}

fn decode_uu(data: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(data.len() / 4 * 3);
    for line in data.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let Some((first, rest)) = line.split_first() else {
            continue;
        };
        let length = usize::from(first.wrapping_sub(0x20) & 0x3f);
        let from = out.len();
        let mut sextets = rest
            .iter()
            .map(|byte| byte.wrapping_sub(0x20) & 0x3f)
            .chain(std::iter::repeat(0));
        while out.len() < from + length {
            let (Some(a), Some(b), Some(c), Some(d)) =
                (sextets.next(), sextets.next(), sextets.next(), sextets.next())
            else {
                break;
            };
            out.extend([a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d]);
        }
        out.truncate(from + length);
    }
    out
}

fn read_yenc<'x>(text: &'x [u8], start: usize, data: usize, head: &'x [u8]) -> Option<Block<'x>> {
    let at = memchr::memmem::find(head, b"name=")?;
    let name = head.get(at + 5..)?;
    // A piece of a file is no file.
    if memchr::memmem::find(head.get(..at)?, b"part=").is_some() || name.is_empty() {
        return None;
    }
    let rest = text.get(data..)?;
    let end = memchr::memmem::find_iter(rest, b"=yend")
        .find(|at| *at == 0 || rest.get(at - 1) == Some(&b'\n'))?
        + data;
    let last = line_at(text, end)?;
    Some(Block {
        start,
        end: end + last.len(),
        name,
        data: text.get(data..end)?,
        yenc: true,
    })
}

fn decode_yenc(data: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(data.len());
    let mut bytes = data.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\r' | b'\n' => {}
            b'=' => out.extend(bytes.next().map(|byte| byte.wrapping_sub(106))),
            byte => out.push(byte.wrapping_sub(42)),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn takes_files_out_of_text() {
        let check = |text: &[u8], rest: Option<&str>, expect: &[(&str, &[u8])]| {
            let got = files(text);
            let got: Vec<_> = got
                .iter()
                .map(|file| (file.name.as_str(), file.bytes.as_slice()))
                .collect();
            assert_eq!(got, expect, "{:?}", String::from_utf8_lossy(text));
            let left = without_files(text);
            assert_eq!(
                left.as_deref(),
                rest.map(str::as_bytes),
                "{:?}",
                String::from_utf8_lossy(text)
            );
        };
        check(
            b"Hi\nbegin 644 cat.txt\n#0V%T\n`\nend\nBye\n",
            Some("Hi\nBye\n"),
            &[("cat.txt", b"Cat")],
        );
        check(
            b"begin 4755 ../../x.sh\r\n#0V%T\r\n`\r\nend\r\n",
            Some(""),
            &[("../../x.sh", b"Cat")],
        );
        check(b"begin with this\nand end\nend\n", None, &[]);
        check(b"begin 644 x\nThis is no data\nend\n", None, &[]);
        check(b"begin 644 x\n#0V%T\n", None, &[]);
        check(
            b"=ybegin line=128 size=3 name=a.bin\n\x8b\x8c=\x8d\n=yend size=3\nrest",
            Some("rest"),
            &[("a.bin", b"ab#")],
        );
        check(b"", None, &[]);
    }

    proptest! {
        #[test]
        fn never_panics(text in "(begin 644 x\n|end\n|=ybegin name=x\n|=yend\n|[ -`]{0,70}\n|\r\n){0,20}") {
            let _ = files(text.as_bytes());
            let _ = without_files(text.as_bytes());
        }
    }
}
