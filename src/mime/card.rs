//! Contacts sent along (vCard, RFC 6350). Nothing that a card points to is fetched.

use calcard::vcard::{VCard, VCardEntry, VCardProperty, VCardValue};
use calcard::{Entry, Parser};

use crate::glyph;
use crate::sender;
use crate::text::linkify::safe_url;

const MAX_SOURCE: usize = 1024 * 1024;
const MAX_CARDS: usize = 100;
const MAX_VALUES: usize = 50;

/// One contact, cleaned for showing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Card {
    pub name: String,
    pub emails: Vec<String>,
    pub phones: Vec<String>,
    pub organisation: String,
    pub title: String,
    pub addresses: Vec<String>,
    /// `http:` and `https:` only.
    pub urls: Vec<String>,
    pub birthday: String,
    pub note: String,
}

/// The cards of a part, decoded to text.
#[must_use]
pub fn cards(source: &str) -> Vec<Card> {
    let source = source
        .get(..source.floor_char_boundary(MAX_SOURCE))
        .unwrap_or(source);
    // The parser is not ours.
    std::panic::catch_unwind(|| read(source)).unwrap_or_default()
}

fn read(source: &str) -> Vec<Card> {
    let mut parser = Parser::new(source);
    let mut out = Vec::new();
    for _ in 0..MAX_CARDS * 10 {
        match parser.entry() {
            Entry::VCard(card) => out.push(read_card(&card)),
            Entry::Eof => break,
            _ => {}
        }
        if out.len() >= MAX_CARDS {
            break;
        }
    }
    out.retain(|card| *card != Card::default());
    out
}

fn read_card(card: &VCard) -> Card {
    let lines = |property: VCardProperty| -> Vec<String> {
        card.properties(&property)
            .take(MAX_VALUES)
            .map(|entry| glyph::clean_label(&text_of(entry, ", "), 300).0)
            .filter(|line| !line.is_empty())
            .collect()
    };
    let first = |property: VCardProperty| lines(property).into_iter().next().unwrap_or_default();
    let name = first(VCardProperty::Fn);
    Card {
        name: if name.is_empty() {
            structured_name(card)
        } else {
            name
        },
        emails: lines(VCardProperty::Email)
            .iter()
            .map(|email| sender::show_parts("", email.as_str()).email)
            .filter(|email| email.contains('@'))
            .collect(),
        phones: lines(VCardProperty::Tel)
            .iter()
            .map(|phone| phone.trim_start_matches("tel:").to_owned())
            .collect(),
        organisation: first(VCardProperty::Org),
        title: first(VCardProperty::Title),
        addresses: lines(VCardProperty::Adr),
        urls: lines(VCardProperty::Url)
            .iter()
            .filter_map(|url| safe_url(url))
            .filter(|url| !url.to_ascii_lowercase().starts_with("mailto:"))
            .collect(),
        birthday: first(VCardProperty::Bday),
        note: lines(VCardProperty::Note).join("\n"),
    }
}

fn text_of(entry: &VCardEntry, between: &str) -> String {
    let mut pieces: Vec<String> = Vec::new();
    for value in entry.values.iter().take(20) {
        match value {
            VCardValue::Component(parts) => pieces.extend(parts.iter().take(20).cloned()),
            VCardValue::PartialDateTime(date) => {
                let two =
                    |number: Option<u8>| number.map_or_else(String::new, |number| format!("-{number:02}"));
                let year = date
                    .year
                    .map_or_else(|| "-".to_owned(), |year| format!("{year:04}"));
                pieces.push(format!("{year}{}{}", two(date.month), two(date.day)));
            }
            value => pieces.extend(value.as_text().map(str::to_owned)),
        }
    }
    pieces.retain(|piece| !piece.trim().is_empty());
    pieces.join(between)
}

/// Family, given, more, prefixes, suffixes (section 6.2.2), in the order in which they are said.
fn structured_name(card: &VCard) -> String {
    let Some(entry) = card.property(&VCardProperty::N) else {
        return String::new();
    };
    let parts: Vec<String> = entry
        .values
        .iter()
        .take(5)
        .map(|value| match value {
            VCardValue::Component(parts) => parts.join(" "),
            value => value.as_text().unwrap_or_default().to_owned(),
        })
        .collect();
    let ordered: Vec<&str> = [3, 1, 2, 0, 4]
        .iter()
        .filter_map(|index| parts.get(*index))
        .map(String::as_str)
        .filter(|part| !part.is_empty())
        .collect();
    glyph::clean_label(&ordered.join(" "), 300).0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_cards() {
        let source = "BEGIN:VCARD\r\nVERSION:3.0\r\nN:Berg;Ada;;Dr.;\r\nFN:Dr. Ada Berg\r\nORG:Example;Research\r\nTITLE:Head\r\n\
            EMAIL;TYPE=work:ada@example.org\r\nTEL;TYPE=cell:+49 170 1\r\nADR:;;Road 1;Town;;12345;Land\r\n\
            URL:https://example.org\r\nURL:javascript:alert(1)\r\nPHOTO;VALUE=uri:http://127.0.0.1/x\r\nEND:VCARD\r\n\
            BEGIN:VCARD\r\nVERSION:4.0\r\nN:Lind;Bo;;;\r\nEND:VCARD\r\n";
        let read = cards(source);
        assert_eq!(read.len(), 2);
        let ada = &read[0];
        assert_eq!(
            (ada.name.as_str(), ada.organisation.as_str()),
            ("Dr. Ada Berg", "Example, Research")
        );
        assert_eq!(
            (ada.emails.as_slice(), ada.phones.as_slice()),
            (&["ada@example.org".to_owned()][..], &["+49 170 1".to_owned()][..])
        );
        assert_eq!(ada.addresses, ["Road 1, Town, 12345, Land"]);
        assert_eq!(ada.urls, ["https://example.org"]);
        assert_eq!(read[1].name, "Bo Lind");
        assert!(cards("nothing").is_empty());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]
        #[test]
        fn never_panics(body in "(N|FN|BDAY|TEL|X)[;=A-Za-z0-9:,\\\\\n ]{0,60}") {
            let _ = cards(&format!("BEGIN:VCARD\n{body}\nEND:VCARD\n"));
        }
    }
}
