//! Whether a BODYSTRUCTURE (RFC 9051 section 7.5.2) shows an attachment: a hint for the list, drawn from what can
//! be read of it. Servers write these wrongly often enough that nothing more should hang on them.

use super::scan::{Scanner, Token};

/// Reads a structure whose `(` has been read. The outer `None`: the text ends in the middle. The inner one:
/// nothing in it looked like a part.
pub(super) fn has_attachments(scanner: &mut Scanner<'_>) -> Option<Option<bool>> {
    let mut seen = Seen::default();
    seen.list_begins();
    scanner.walk(&mut |_, token| match token {
        Token::Open => seen.list_begins(),
        Token::Close => seen.list_ends(),
        Token::Atom(_) => seen.value(None),
        Token::Quoted(text) => seen.value(Some(text)),
        Token::Literal(_) => seen.value(Some(Vec::new())),
    })?;
    seen.list_ends();
    Some(seen.parts.then_some(seen.attachment))
}

/// The first two strings of each open list, which is where types and dispositions stand.
#[derive(Default)]
struct Seen {
    lists: Vec<(usize, [Vec<u8>; 2])>,
    parts: bool,
    attachment: bool,
}

impl Seen {
    fn list_begins(&mut self) {
        if let Some((count, strings)) = self.lists.last_mut() {
            // `("attachment" (parameters))`: a disposition (RFC 2183) is a string and then a list or NIL.
            if *count == 1 && strings[0].eq_ignore_ascii_case(b"attachment") {
                self.attachment = true;
            }
            *count += 1;
        }
        self.lists.push((0, Default::default()));
    }

    fn value(&mut self, string: Option<Vec<u8>>) {
        let Some((count, strings)) = self.lists.last_mut() else {
            return;
        };
        if string.is_none() && *count == 1 && strings[0].eq_ignore_ascii_case(b"attachment") {
            self.attachment = true;
        }
        if let Some(slot) = strings.get_mut(*count) {
            *slot = string.unwrap_or_default().to_ascii_lowercase();
        }
        *count += 1;
    }

    fn list_ends(&mut self) {
        let Some((count, [kind, subtype])) = self.lists.pop() else {
            return;
        };
        // A leaf has at least type, subtype, parameters, id, description, encoding and size.
        if count < 7 || kind.is_empty() || subtype.is_empty() {
            return;
        }
        self.parts = true;
        self.attachment |= match kind.as_slice() {
            b"application" => !matches!(
                subtype.as_slice(),
                b"pgp-signature" | b"pgp-encrypted" | b"pkcs7-signature" | b"x-pkcs7-signature"
            ),
            b"message" => subtype == b"rfc822",
            b"audio" | b"video" => true,
            _ => false,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_attachments() {
        let check = |text: &str, expect: Option<bool>| {
            let mut scanner = Scanner::over(text.as_bytes());
            scanner.token();
            assert_eq!(has_attachments(&mut scanner).flatten(), expect, "{text:?}");
        };
        let text = r#"("text" "plain" ("charset" "utf-8") NIL NIL "7bit" 12 1 NIL NIL NIL NIL)"#;
        let pdf = r#"("application" "pdf" ("name" "a.pdf") NIL NIL "base64" 99 NIL ("attachment" ("filename" "a.pdf")) NIL NIL)"#;
        let odd = r#"("text" "x-log" NIL NIL NIL "7bit" 12 1 NIL ("ATTACHMENT" NIL) NIL NIL)"#;
        let inline = r#"("image" "png" NIL "<1@x>" NIL "base64" 99 NIL ("inline" NIL) NIL NIL)"#;
        let sig = r#"("application" "pgp-signature" NIL NIL NIL "7bit" 99 NIL NIL NIL NIL)"#;
        check(text, Some(false));
        check(&format!("({text}{pdf} \"mixed\" NIL NIL NIL NIL)"), Some(true));
        check(&format!("({text}{odd} \"mixed\" NIL NIL NIL NIL)"), Some(true));
        check(
            &format!("({text}{inline} \"related\" NIL NIL NIL NIL)"),
            Some(false),
        );
        check(&format!("({text}{sig} \"signed\" NIL NIL NIL NIL)"), Some(false));
        check("(NIL)", None);
        check("(((((", None);
        check("()", None);
    }
}
