//! Taking away what POP3 puts around a message (RFC 1939, section 3): the dot before lines that begin with one, and
//! the line with a lone dot at the end. Every other byte stays as it was served.
//!
//! A line begins after LF, with or without a CR before it: servers that stuff, stuff there, and those that serve
//! bare LF end with LF, dot, LF. A few end lines with a bare CR: there, and only where a header has ended and no LF
//! has come at all, CR, dot, CR, LF is the end.

use std::io;

/// Where in the message we are; chunks may end anywhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Unstuffer {
    at: At,
    /// An LF has come: lines end as they should.
    has_lines: bool,
    /// An empty line between two bare CRs has come: the end of a header whose lines end so.
    has_bare_blank: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum At {
    #[default]
    LineStart,
    /// After a dot at the start of a line.
    Dot,
    /// After a dot and a CR.
    DotCr,
    Inside,
    /// After a CR, where no LF has come.
    BareCr,
    /// After that and a dot …
    BareCrDot,
    /// … and another CR.
    BareCrDotCr,
}

/// What one chunk brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fed {
    /// Bytes of the chunk that belonged to the message or its end; the rest is the next reply's.
    pub(super) used: usize,
    pub(super) ended: bool,
}

impl Unstuffer {
    /// Hands the message's own bytes to `sink`, in order.
    pub(super) fn feed(
        &mut self,
        chunk: &[u8],
        sink: &mut impl FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<Fed> {
        let mut rest = chunk;
        while let Some((&byte, tail)) = rest.split_first() {
            match (self.at, byte) {
                (At::LineStart, b'.') => {
                    self.at = At::Dot;
                    rest = tail;
                }
                (At::Dot, b'\r') => {
                    self.at = At::DotCr;
                    rest = tail;
                }
                (At::Dot | At::DotCr, b'\n') => {
                    *self = Self::default();
                    return Ok(Fed {
                        used: chunk.len() - tail.len(),
                        ended: true,
                    });
                }
                (At::DotCr, _) => {
                    sink(b"\r")?;
                    self.at = At::Inside;
                }
                (At::LineStart | At::Dot, _) => self.at = At::Inside,
                (At::BareCr, b'\r') => {
                    self.has_bare_blank = true;
                    self.at = At::Inside;
                }
                (At::BareCr, b'.') if self.has_bare_blank => {
                    self.at = At::BareCrDot;
                    rest = tail;
                }
                (At::BareCrDot, b'\r') => {
                    self.at = At::BareCrDotCr;
                    rest = tail;
                }
                (At::BareCrDotCr, b'\n') => {
                    *self = Self::default();
                    return Ok(Fed {
                        used: chunk.len() - tail.len(),
                        ended: true,
                    });
                }
                (At::BareCrDot, _) => {
                    // A dot before a dot was put there; one alone was not.
                    if byte != b'.' {
                        sink(b".")?;
                    }
                    self.at = At::Inside;
                }
                (At::BareCrDotCr, _) => {
                    sink(b".")?;
                    self.at = if byte == b'.' { At::BareCrDot } else { At::Inside };
                    sink(b"\r")?;
                    if byte == b'.' {
                        rest = tail;
                    }
                }
                (At::BareCr, _) => self.at = At::Inside,
                (At::Inside, _) if !self.has_lines => {
                    let end = memchr::memchr2(b'\r', b'\n', rest).map_or(rest.len(), |at| at + 1);
                    let (plain, after) = rest.split_at_checked(end).unwrap_or((rest, &[]));
                    sink(plain)?;
                    if plain.ends_with(b"\n") {
                        self.has_lines = true;
                        self.at = At::LineStart;
                    } else if plain.ends_with(b"\r") {
                        self.at = At::BareCr;
                    }
                    rest = after;
                }
                (At::Inside, _) => {
                    let next_dot = memchr::memmem::find(rest, b"\n.").map_or(rest.len(), |at| at + 1);
                    let (plain, after) = rest.split_at_checked(next_dot).unwrap_or((rest, &[]));
                    sink(plain)?;
                    if plain.ends_with(b"\n") {
                        self.at = At::LineStart;
                    }
                    rest = after;
                }
            }
        }
        Ok(Fed {
            used: chunk.len(),
            ended: false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Feeds `wire` in chunks of the given lengths, over and over; gives the message and what was left unread.
    fn unstuff(wire: &[u8], lengths: &[usize]) -> (Vec<u8>, Option<Vec<u8>>) {
        let (mut unstuffer, mut message) = (Unstuffer::default(), Vec::new());
        let (mut rest, mut turn) = (wire, 0);
        while !rest.is_empty() {
            let (chunk, after) = rest.split_at(lengths[turn % lengths.len()].clamp(1, rest.len()));
            turn += 1;
            let fed = unstuffer
                .feed(chunk, &mut |bytes| {
                    message.extend_from_slice(bytes);
                    Ok(())
                })
                .expect("the sink takes all");
            if fed.ended {
                return (message, Some([&chunk[fed.used..], after].concat()));
            }
            assert_eq!(fed.used, chunk.len());
            rest = after;
        }
        (message, None)
    }

    #[test]
    fn takes_away_only_what_was_put_there() {
        let check = |wire: &[u8], message: &[u8], left: Option<&[u8]>| {
            for lengths in [&[usize::MAX][..], &[1], &[2], &[3], &[1, 4, 2]] {
                let expect = (message.to_vec(), left.map(<[u8]>::to_vec));
                assert_eq!(
                    unstuff(wire, lengths),
                    expect,
                    "{:?} by {lengths:?}",
                    wire.escape_ascii().to_string()
                );
            }
        };
        check(b"a\r\n.\r\n", b"a\r\n", Some(b""));
        check(b".\r\n", b"", Some(b""));
        check(b".\n", b"", Some(b""));
        check(b"a\r\n\r\n.\r\n+OK next", b"a\r\n\r\n", Some(b"+OK next"));
        check(b"..\r\n...\r\n.\r\n", b".\r\n..\r\n", Some(b""));
        check(b"..dot\r\n.\r\n", b".dot\r\n", Some(b""));
        check(b".unstuffed\r\n.\r\n", b"unstuffed\r\n", Some(b""));
        check(b"a\n..b\nc\n.\n-ERR", b"a\n.b\nc\n", Some(b"-ERR"));
        check(b"a\n.\r\n", b"a\n", Some(b""));
        check(b"a.\r\nb.c\r\n.\r\n", b"a.\r\nb.c\r\n", Some(b""));
        check(b".\rx\r\n.\r\n", b"\rx\r\n", Some(b""));
        check(b"\r.\r\n.\r\n", b"\r.\r\n", Some(b""));
        check(b"a\r\rb\r.\r\n+OK", b"a\r\rb\r", Some(b"+OK"));
        check(b"a\r\r..b\r.c\r.\r\n-", b"a\r\r.b\r.c\r", Some(b"-"));
        check(b"a\r\r.\r.\r\n-", b"a\r\r.\r", Some(b"-"));
        check(b"a\rb\r.\r\n.\r\n", b"a\rb\r.\r\n", Some(b""));
        check(b"a\r\nb\r.\r\n.\r\n", b"a\r\nb\r.\r\n", Some(b""));
        check(b"\0\xff\x80\r\n.\r\n", b"\0\xff\x80\r\n", Some(b""));
        check(b"a\r\n.", b"a\r\n", None);
        check(b"a\r\n.\r", b"a\r\n", None);
        check(b"no end", b"no end", None);
    }

    /// RFC 1939, section 3, as a server does it, with the final CRLF that it adds where the message lacks one.
    fn stuff(message: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let mut served = message.to_vec();
        if !served.is_empty() && !served.ends_with(b"\n") {
            served.extend_from_slice(b"\r\n");
        }
        let mut wire = Vec::new();
        for line in served.split_inclusive(|byte| *byte == b'\n') {
            if line.starts_with(b".") {
                wire.push(b'.');
            }
            wire.extend_from_slice(line);
        }
        wire.extend_from_slice(b".\r\n");
        (served, wire)
    }

    proptest! {
        #[test]
        fn gives_back_every_byte_however_it_is_cut(
            message in proptest::collection::vec(
                prop_oneof![Just(b'.'), Just(b'\r'), Just(b'\n'), any::<u8>()], 0..400),
            lengths in proptest::collection::vec(1_usize..40, 1..20),
            next in proptest::collection::vec(any::<u8>(), 0..20),
        ) {
            let (served, mut wire) = stuff(&message);
            // That is the end where lines end with CR; a message that begins so is seen to be cut by what follows.
            let first = served.split_inclusive(|byte| *byte == b'\n').next().unwrap_or_default();
            prop_assume!(memchr::memmem::find(first, b"\r.").is_none());
            wire.extend_from_slice(&next);
            prop_assert_eq!(unstuff(&wire, &lengths), (served, Some(next)));
        }
    }
}
