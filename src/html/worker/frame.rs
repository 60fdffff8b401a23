//! How messages lie on a pipe: lengths first, a header in JSON, then bytes as they are.
//!
//! Little-endian `u32`s: the header's length, the number of blobs, each blob's length; then the header, then the
//! blobs. Neither side believes the other: every length is checked before a byte is stored, and what is stored
//! grows with what has arrived, not with what was announced.

use std::io::{self, Read, Write};

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Frame {
    pub header: Vec<u8>,
    pub blobs: Vec<Vec<u8>>,
}

/// The most that a side takes from the other.
#[derive(Clone, Copy, Debug)]
pub struct Caps {
    pub header: usize,
    pub blobs: usize,
    /// Of all blobs together.
    pub bytes: usize,
}

impl Frame {
    pub fn size(&self) -> usize {
        self.blobs.iter().map(Vec::len).sum()
    }

    /// What the other side would refuse is refused here.
    pub const fn fits(header: usize, blobs: usize, bytes: usize, caps: Caps) -> bool {
        header <= caps.header && blobs <= caps.blobs && bytes <= caps.bytes
    }
}

/// # Errors
/// The pipe's.
pub fn write_frame(pipe: &mut impl Write, frame: &Frame) -> io::Result<()> {
    let mut lengths = Vec::with_capacity(8 + 4 * frame.blobs.len());
    for length in [frame.header.len(), frame.blobs.len()]
        .into_iter()
        .chain(frame.blobs.iter().map(Vec::len))
    {
        let length = u32::try_from(length).map_err(|_| rubbish("too long to be framed"))?;
        lengths.extend_from_slice(&length.to_le_bytes());
    }
    pipe.write_all(&lengths)?;
    pipe.write_all(&frame.header)?;
    for blob in &frame.blobs {
        pipe.write_all(blob)?;
    }
    pipe.flush()
}

/// # Errors
/// The pipe's, its end before a whole frame (`UnexpectedEof`), or lengths beyond the caps (`InvalidData`).
pub fn read_frame(pipe: &mut impl Read, caps: Caps) -> io::Result<Frame> {
    let header = read_length(pipe)?;
    let count = read_length(pipe)?;
    if !Frame::fits(header, count, 0, caps) {
        return Err(rubbish("a frame beyond its bounds"));
    }
    let mut lengths = Vec::with_capacity(count);
    let mut bytes = 0_usize;
    for _ in 0..count {
        let length = read_length(pipe)?;
        bytes = bytes.saturating_add(length);
        lengths.push(length);
    }
    if !Frame::fits(header, count, bytes, caps) {
        return Err(rubbish("a frame beyond its bounds"));
    }
    let header = read_exactly(pipe, header)?;
    let blobs = lengths
        .into_iter()
        .map(|length| read_exactly(pipe, length))
        .collect::<io::Result<_>>()?;
    Ok(Frame { header, blobs })
}

fn read_length(pipe: &mut impl Read) -> io::Result<usize> {
    let mut bytes = [0; 4];
    pipe.read_exact(&mut bytes)?;
    usize::try_from(u32::from_le_bytes(bytes)).map_err(|_| rubbish("a length beyond this machine"))
}

fn read_exactly(pipe: &mut impl Read, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let wanted = u64::try_from(length).unwrap_or(u64::MAX);
    pipe.by_ref().take(wanted).read_to_end(&mut bytes)?;
    if bytes.len() == length {
        Ok(bytes)
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

pub fn rubbish(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAPS: Caps = Caps {
        header: 16,
        blobs: 3,
        bytes: 32,
    };

    #[test]
    fn what_is_written_is_read() {
        for frame in [
            Frame::default(),
            Frame {
                header: b"{}".to_vec(),
                blobs: vec![vec![], vec![0, 255, 10], vec![7; 29]],
            },
        ] {
            let mut pipe = Vec::new();
            assert!(write_frame(&mut pipe, &frame).is_ok());
            let read = read_frame(&mut pipe.as_slice(), CAPS);
            assert_eq!(read.ok(), Some(frame));
        }
    }

    #[test]
    fn lies_about_lengths_are_refused_before_anything_is_stored() {
        let check = |lengths: &[u32], rest: &[u8], expect: io::ErrorKind| {
            let mut pipe: Vec<u8> = lengths.iter().flat_map(|length| length.to_le_bytes()).collect();
            pipe.extend_from_slice(rest);
            let kind = read_frame(&mut pipe.as_slice(), CAPS)
                .err()
                .map(|error| error.kind());
            assert_eq!(kind, Some(expect), "{lengths:?}");
        };
        check(&[17, 0], b"", io::ErrorKind::InvalidData);
        check(&[u32::MAX, 0], b"", io::ErrorKind::InvalidData);
        check(&[2, 4], b"", io::ErrorKind::InvalidData);
        check(&[2, u32::MAX], b"", io::ErrorKind::InvalidData);
        check(&[2, 1, 33], b"{}", io::ErrorKind::InvalidData);
        check(
            &[2, 3, u32::MAX, u32::MAX, u32::MAX],
            b"{}",
            io::ErrorKind::InvalidData,
        );
        check(&[2, 1, 4], b"{}abc", io::ErrorKind::UnexpectedEof);
        check(&[3, 0], b"{}", io::ErrorKind::UnexpectedEof);
        check(&[3], b"", io::ErrorKind::UnexpectedEof);
        check(&[], b"", io::ErrorKind::UnexpectedEof);
    }
}
