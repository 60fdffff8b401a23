//! What a submission server offers, and what a message needs of it.

use lettre::transport::smtp::extension::{MailBodyParameter, MailParameter};
use posthorn_model::ErrorClass;
use std::borrow::Cow;

use crate::Error;

/// From the reply to EHLO (RFC 5321, section 4.1.1.1), said inside TLS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Offer {
    /// Bytes of the largest message; `None`: not said, or no bound (RFC 1870).
    pub(super) size_limit: Option<u64>,
    pub(super) takes_size: bool,
    pub(super) eight_bit: bool,
    pub(super) utf8: bool,
    pub(super) sasl: Vec<String>,
}

impl Offer {
    /// `lines`: the reply's texts, the first of which is the greeting's.
    pub(super) fn parse(lines: &[String]) -> Self {
        let mut offer = Self::default();
        for line in lines.iter().skip(1) {
            // "AUTH=LOGIN" is how some servers once wrote it, and still do beside the right way.
            let line = line.replacen(
                '=',
                " ",
                usize::from(line.to_ascii_uppercase().starts_with("AUTH=")),
            );
            let mut words = line.split_ascii_whitespace();
            match words.next().unwrap_or_default().to_ascii_uppercase().as_str() {
                "SIZE" => {
                    offer.takes_size = true;
                    let limit = words.next().and_then(|bytes| bytes.parse().ok());
                    offer.size_limit = limit.filter(|bytes| *bytes > 0);
                }
                "8BITMIME" => offer.eight_bit = true,
                "SMTPUTF8" => offer.utf8 = true,
                "AUTH" => offer.sasl.extend(words.map(str::to_ascii_uppercase)),
                _ => {}
            }
        }
        offer
    }

    /// The parameters of MAIL for this message, or why the server cannot take it.
    pub(super) fn parameters(
        &self,
        host: &str,
        raw: &[u8],
        addresses_need_utf8: bool,
    ) -> Result<Vec<MailParameter>, Error> {
        let refuse = |what: String| {
            Err(Error::new(ErrorClass::Refused, host, what)
                .with_remedies(&[])
                .permanently(true))
        };
        let size = raw.len();
        if let Some(limit) = self.size_limit.filter(|limit| (size as u64) > *limit) {
            return refuse(format!(
                "the message is too large: it has {} kB and the server takes {} kB",
                size.div_ceil(1000),
                limit / 1000
            ));
        }
        let mut parameters = Vec::new();
        if self.takes_size {
            parameters.push(MailParameter::Size(size));
        }
        if !raw.is_ascii() {
            if !self.eight_bit {
                return refuse(
                    "the message holds unencoded 8-bit text, which the server does not take".to_owned(),
                );
            }
            parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        let header_end = memchr::memmem::find(raw, b"\r\n\r\n").unwrap_or(size);
        let header_is_ascii = raw.get(..header_end).is_none_or(<[u8]>::is_ascii);
        if addresses_need_utf8 && !self.utf8 {
            return refuse("the server does not take addresses with letters outside ASCII".to_owned());
        }
        if self.utf8 && (addresses_need_utf8 || !header_is_ascii) {
            parameters.push(MailParameter::SmtpUtfEight);
        }
        Ok(parameters)
    }
}

/// Every line end as CRLF: a bare CR or LF is read as a line end by some servers and not by others, and so smuggles
/// commands (RFC 5321, section 2.3.8).
pub(super) fn normalise(raw: &[u8]) -> Cow<'_, [u8]> {
    let mut previous = 0;
    let clean = raw.iter().all(|byte| {
        let fits = (previous == b'\r') == (*byte == b'\n');
        previous = *byte;
        fits
    });
    if clean && previous != b'\r' && (raw.is_empty() || raw.ends_with(b"\r\n")) {
        return Cow::Borrowed(raw);
    }
    let mut out = Vec::with_capacity(raw.len() + raw.len() / 32 + 2);
    let mut bytes = raw.iter().peekable();
    while let Some(&byte) = bytes.next() {
        match byte {
            b'\r' => {
                out.extend_from_slice(b"\r\n");
                bytes.next_if_eq(&&b'\n');
            }
            b'\n' => out.extend_from_slice(b"\r\n"),
            _ => out.push(byte),
        }
    }
    if !out.is_empty() && !out.ends_with(b"\r\n") {
        out.extend_from_slice(b"\r\n");
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(lines: &[&str]) -> Offer {
        Offer::parse(&lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn reads_what_is_offered() {
        let found = offer(&[
            "AUTH.example SIZE",
            "size 2000",
            "8BitMime",
            "AUTH PLAIN login",
            "AUTH=XOAUTH2",
            "X",
        ]);
        assert_eq!((found.size_limit, found.takes_size), (Some(2000), true));
        assert!(found.eight_bit && !found.utf8);
        assert_eq!(found.sasl, ["PLAIN", "LOGIN", "XOAUTH2"]);
        assert_eq!(offer(&["h", "SIZE 0"]).size_limit, None);
        assert_eq!(offer(&["h", "SIZE"]).size_limit, None);
        assert_eq!(offer(&["SIZE 5"]), Offer::default());
    }

    #[test]
    fn asks_only_for_what_is_offered() {
        let check = |offer: &Offer, raw: &str, utf8: bool, expect: Option<&str>| {
            let found = offer
                .parameters("h", raw.as_bytes(), utf8)
                .ok()
                .map(|parameters| {
                    parameters
                        .iter()
                        .map(ToString::to_string)
                        .collect::<Vec<_>>()
                        .join(" ")
                });
            assert_eq!(found.as_deref(), expect, "{raw:?}");
        };
        let plain = Offer::default();
        let full = offer(&["h", "SIZE 100", "8BITMIME", "SMTPUTF8"]);
        check(&plain, "a: b\r\n\r\nc\r\n", false, Some(""));
        check(&plain, "a: b\r\n\r\nä\r\n", false, None);
        check(&plain, "a: b\r\n\r\nc\r\n", true, None);
        check(&full, "a: b\r\n\r\nc\r\n", false, Some("SIZE=11"));
        check(&full, "a: b\r\n\r\nä\r\n", false, Some("SIZE=12 BODY=8BITMIME"));
        check(
            &full,
            "a: ä\r\n\r\nc\r\n",
            false,
            Some("SIZE=12 BODY=8BITMIME SMTPUTF8"),
        );
        check(&full, "a: b\r\n\r\nc\r\n", true, Some("SIZE=11 SMTPUTF8"));
        check(&full, &"x".repeat(101), false, None);
    }

    #[test]
    fn leaves_no_bare_line_end() {
        let check = |raw: &[u8], expect: &[u8]| {
            assert_eq!(
                normalise(raw).as_ref(),
                expect,
                "{:?}",
                raw.escape_ascii().to_string()
            );
        };
        check(b"", b"");
        check(b"a\r\nb\r\n", b"a\r\nb\r\n");
        check(b"a\nb", b"a\r\nb\r\n");
        check(b"a\rb\r", b"a\r\nb\r\n");
        check(b"a\r\r\nb\r\n", b"a\r\n\r\nb\r\n");
        check(b"\n", b"\r\n");
        check(b"a\n\r\nb", b"a\r\n\r\nb\r\n");
        assert!(matches!(normalise(b"a\r\nb\r\n"), Cow::Borrowed(_)));
    }
}
