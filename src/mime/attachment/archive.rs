//! The table of contents of a ZIP file (PKWARE's APPNOTE, sections 4.3.12 and 4.4.4), read without unpacking
//! anything.

/// Entries looked at.
const MAX_ENTRIES: usize = 5_000;

/// What the names and marks of a ZIP file say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Some entry needs a password.
    pub locked: bool,
    /// An office file with macros.
    pub macros: bool,
    /// The first entry that would need a question if it were sent alone.
    pub risky: Option<String>,
}

/// Looks through the central directory, and through the local headers where that is missing.
#[must_use]
pub fn look(bytes: &[u8]) -> Found {
    let mut out = Found::default();
    let directory = memchr::memmem::find_iter(bytes, b"PK\x01\x02").take(MAX_ENTRIES);
    let mut any = false;
    for at in directory {
        any |= note(bytes, at, 8, 28, 46, &mut out);
    }
    if !any {
        for at in memchr::memmem::find_iter(bytes, b"PK\x03\x04").take(MAX_ENTRIES) {
            note(bytes, at, 6, 26, 30, &mut out);
        }
    }
    out
}

fn note(bytes: &[u8], at: usize, flags: usize, length: usize, name: usize, out: &mut Found) -> bool {
    let two = |offset: usize| -> Option<usize> {
        let pair = bytes.get(at + offset..at + offset + 2)?;
        pair.try_into()
            .ok()
            .map(|pair| usize::from(u16::from_le_bytes(pair)))
    };
    let (Some(flags), Some(length)) = (two(flags), two(length)) else {
        return false;
    };
    let Some(raw) = bytes.get(at + name..at + name + length) else {
        return false;
    };
    out.locked |= flags & 1 == 1;
    let entry = String::from_utf8_lossy(raw);
    let last = entry.rsplit(['/', '\\']).next().unwrap_or_default();
    out.macros |= last.eq_ignore_ascii_case("vbaProject.bin");
    let office = entry.starts_with("word/") || entry.starts_with("xl/") || entry.starts_with("ppt/");
    if out.risky.is_none() && !office && super::is_risky_name(last) {
        out.risky = super::super::name::safe_file_name(last);
    }
    true
}

/// Whether a RAR archive's first header says that all headers are encrypted.
pub(super) fn is_locked_rar(bytes: &[u8]) -> bool {
    // RAR 5: an encryption header (type 4) stands first; RAR 4: bit 0x80 of the main header's flags.
    match bytes.get(..12) {
        Some([b'R', b'a', b'r', b'!', 0x1a, 7, 1, 0, ..]) => bytes.get(13) == Some(&4),
        Some([b'R', b'a', b'r', b'!', 0x1a, 7, 0, _, _, 0x73, low, _]) => low & 0x80 != 0,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, flags: u8) -> Vec<u8> {
        let mut out = b"PK\x01\x02".to_vec();
        out.extend([20, 0, 20, 0, flags, 0]);
        out.extend([0; 18]);
        out.extend([u8::try_from(name.len()).unwrap(), 0]);
        out.extend([0; 16]);
        out.extend(name.as_bytes());
        out
    }

    #[test]
    fn looks_into_directories() {
        let check = |entries: &[(&str, u8)], locked: bool, macros: bool, risky: Option<&str>| {
            let bytes: Vec<u8> = entries
                .iter()
                .flat_map(|(name, flags)| entry(name, *flags))
                .collect();
            let found = look(&bytes);
            assert_eq!(
                (found.locked, found.macros, found.risky.as_deref()),
                (locked, macros, risky),
                "{entries:?}"
            );
        };
        check(&[("a.txt", 0)], false, false, None);
        check(&[("a.txt", 1)], true, false, None);
        check(&[("dir/run.exe", 0)], false, false, Some("run.exe"));
        check(&[("word/vbaProject.bin", 0)], false, true, None);
        check(&[], false, false, None);
        assert_eq!(look(b"PK\x01\x02\xff"), Found::default());
    }
}
