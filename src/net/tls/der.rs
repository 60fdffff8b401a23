//! Just enough DER (X.690) to name a certificate's issuer and subject (RFC 5280 section 4.1). Nothing is decided
//! by it: the certificate has been judged by the verifier.

/// The names of issuer and subject: common name, else organisation.
pub(super) fn parties(certificate: &[u8]) -> Option<(Option<String>, Option<String>)> {
    const SEQUENCE: u8 = 0x30;
    const VERSION: u8 = 0xa0;
    let (_, certificate, _) = read(certificate)?;
    let (_, fields, _) = read(certificate)?;
    let (tag, _, after) = read(fields)?;
    let serial_on = if tag == VERSION { after } else { fields };
    let (_, _serial, rest) = read(serial_on)?;
    let (_, _algorithm, rest) = read(rest)?;
    let (tag, issuer, rest) = read(rest)?;
    let (_, _validity, rest) = read(rest)?;
    let (_, subject, _) = read(rest)?;
    (tag == SEQUENCE).then(|| (name(issuer), name(subject)))
}

/// One element: its tag, its content, and what follows it.
fn read(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
        let length = digits.iter().try_fold(0usize, |sum, digit| {
            sum.checked_mul(256)?.checked_add(usize::from(*digit))
        })?;
        (length, rest)
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

fn name(mut sets: &[u8]) -> Option<String> {
    const COMMON_NAME: &[u8] = &[0x55, 4, 3];
    const ORGANISATION: &[u8] = &[0x55, 4, 10];
    let mut found = None;
    while let Some((_, set, rest)) = read(sets) {
        sets = rest;
        let Some((_, pair, _)) = read(set) else { continue };
        let Some((_, kind, value)) = read(pair) else {
            continue;
        };
        let Some((_, text, _)) = read(value) else { continue };
        if kind == COMMON_NAME {
            return Some(crate::error::quote(text));
        }
        if kind == ORGANISATION {
            found = Some(crate::error::quote(text));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn survives_anything() {
        for bytes in [
            &b""[..],
            b"\x30",
            b"\x30\x84\xff\xff\xff\xff",
            b"\x30\x02\x30\x00",
            &[0x30; 300],
        ] {
            assert_eq!(parties(bytes), None, "{bytes:?}");
        }
    }
}
