//! File names that senders choose, made safe for any file system.

use crate::glyph;

/// Bytes of a file name: what common file systems take, with room for a suffix of ours.
const MAX_BYTES: usize = 200;

/// A name that stays in its directory and shows what it is; `None` where nothing usable is left.
#[must_use]
pub fn safe_file_name(name: &str) -> Option<String> {
    // Only the last step of a path: `..\..\autoexec.bat`, `/etc/passwd`.
    let last = name.rsplit(['/', '\\']).find(|step| !step.trim().is_empty())?;
    let mut out = String::with_capacity(last.len());
    for c in last.chars() {
        if c.is_control() || glyph::is_invisible(c) {
            continue;
        }
        let c = if glyph::is_blank(c) { ' ' } else { c };
        // Windows gives these a meaning.
        out.push(if matches!(c, '<' | '>' | ':' | '"' | '|' | '?' | '*') {
            '_'
        } else {
            c
        });
    }
    // Dots in front hide a file or climb; dots and spaces at the end vanish on Windows.
    let trimmed = out.trim_matches([' ', '.']);
    if trimmed.is_empty() {
        return None;
    }
    let mut short = shorten(trimmed);
    // Programs take what begins with a dash for an option, and shells a tilde for somebody's home.
    if short.starts_with(['-', '~']) {
        short.replace_range(..1, "_");
    }
    Some(if is_device(&short) {
        format!("_{short}")
    } else {
        short
    })
}

/// Cuts the middle so that the extension stays.
fn shorten(name: &str) -> String {
    if name.len() <= MAX_BYTES {
        return name.to_owned();
    }
    let (stem, extension) = match name.rsplit_once('.') {
        Some((stem, extension)) if extension.len() <= 16 => (stem, Some(extension)),
        _ => (name, None),
    };
    let room = MAX_BYTES - extension.map_or(0, |extension| extension.len() + 1);
    let end = stem.floor_char_boundary(room);
    let stem = stem.get(..end).unwrap_or_default().trim_end();
    extension.map_or_else(|| stem.to_owned(), |extension| format!("{stem}.{extension}"))
}

/// Names that Windows gives to devices, whatever their extension.
fn is_device(name: &str) -> bool {
    let stem = name
        .split('.')
        .next()
        .unwrap_or_default()
        .trim_end()
        .to_ascii_uppercase();
    let numbered = |prefix: &str| {
        stem.strip_prefix(prefix)
            .is_some_and(|rest| rest.len() == 1 && rest.chars().all(|c| c.is_ascii_digit()))
    };
    matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL") || numbered("COM") || numbered("LPT")
}

/// The name of a part that has none, or none that is usable.
pub(crate) fn made_up(index: u32, content_type: &str) -> String {
    format!(
        "part-{}.{}",
        index + 1,
        crate::media_type::extension_for(content_type)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_in_their_directory() {
        let check = |input: &str, expect: Option<&str>| {
            assert_eq!(safe_file_name(input).as_deref(), expect, "{input:?}");
        };
        check("report.pdf", Some("report.pdf"));
        check("Jahresabschluß 2024.pdf", Some("Jahresabschluß 2024.pdf"));
        check("../../etc/passwd", Some("passwd"));
        check("..\\..\\autoexec.bat", Some("autoexec.bat"));
        check("/", None);
        check("..", None);
        check("...", None);
        check("", None);
        check(" . ", None);
        check("dir/", Some("dir"));
        check(".bashrc", Some("bashrc"));
        check("invoice\u{202e}fdp.exe", Some("invoicefdp.exe"));
        check("a\0b\r\nc.txt", Some("abc.txt"));
        check("a:b?.txt", Some("a_b_.txt"));
        check("file.txt. . ", Some("file.txt"));
        check("con.txt", Some("_con.txt"));
        check("COM1", Some("_COM1"));
        check("common.txt", Some("common.txt"));
        check("\u{200b}\u{200b}", None);
        check("-rf", Some("_rf"));
        check("~root", Some("_root"));
        check("a\u{2800}\u{3164}b.txt", Some("a  b.txt"));
    }

    #[test]
    fn long_names_keep_their_extension() {
        let name = safe_file_name(&format!("{}.pdf", "é".repeat(500))).unwrap();
        assert!(name.len() <= MAX_BYTES && name.ends_with("é.pdf"), "{name}");
    }
}
