//! What an attachment is, by what it holds and not only by what it is called, and whether opening it needs a
//! question first.

pub mod archive;

use crate::glyph;
use crate::media_type::content_type_for;

/// Beginning of a part that suffices to know its type.
pub const HEAD: usize = 64 * 1024;

/// For the icon and for what can be previewed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Kind {
    Text,
    WebPage,
    Picture,
    Sound,
    Film,
    Pdf,
    Document,
    Table,
    Slides,
    Archive,
    Program,
    DiskImage,
    Calendar,
    Card,
    Message,
    /// Signatures, certificates, keys, encrypted parts.
    Security,
    Font,
    #[default]
    Other,
}

/// Why opening should be asked about first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Runs as a program or installs one.
    Program,
    /// Is a script, or a document that runs as one.
    Script,
    /// Points to something else, which opens in its place.
    Shortcut,
    /// Brings a file system of its own, in which warnings do not count.
    DiskImage,
    /// A web page: its scripts run in the browser, and it can ask for passwords.
    WebPage,
    /// A document with macros, or of a kind that carries them.
    Macros,
    /// An archive that holds such a file: its name.
    Holds(String),
    /// An archive that opens with a password only: nothing could be looked at.
    Locked,
    /// The name shows one type and ends in another: the type shown.
    DoubleExtension(String),
    /// It is not what its name or its sender says: the type found.
    NotWhatItSays(String),
    /// Invisible or direction-turning characters were taken out of the name.
    HiddenInName,
}

/// Whether the system may open it straight away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Risk {
    #[default]
    Safe,
    /// First say why.
    Ask(Vec<Reason>),
}

/// What was found out about one attachment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Nature {
    pub kind: Kind,
    /// By content where it tells, else by the name, else as declared.
    pub media_type: String,
    /// Lower case, without the dot; empty where there is none.
    pub extension: String,
    pub risk: Risk,
}

impl Nature {
    #[must_use]
    pub fn needs_question(&self) -> bool {
        matches!(self.risk, Risk::Ask(_))
    }
}

/// Judges an attachment. `raw_name`: as the sender wrote it, decoded, before it was made safe; `declared`: its
/// Content-Type; `bytes`: decoded, all of them where they are at hand, else the beginning.
#[must_use]
pub fn judge(raw_name: &str, declared: &str, bytes: &[u8]) -> Nature {
    let name = crate::name::safe_file_name(raw_name).unwrap_or_default();
    let folded = glyph::fold_forms(&name).to_lowercase();
    let extension = extension_of(&folded).to_owned();
    let found = sniff(bytes);
    let by_name = content_type_for(&folded);
    let media_type = match found {
        Some(found) if !is_container(found, by_name) => found.to_owned(),
        _ if by_name != "application/octet-stream" => by_name.to_owned(),
        Some(found) if declared == "application/octet-stream" || declared.is_empty() => found.to_owned(),
        _ if declared.is_empty() => "application/octet-stream".to_owned(),
        _ => declared.to_owned(),
    };
    let mut reasons = Vec::new();
    let mut add = |reason: Reason| {
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    };
    if let Some(reason) = by_extension(&extension) {
        add(reason);
    }
    if let Some(reason) = by_media_type(found.unwrap_or_default()).or_else(|| by_media_type(declared)) {
        add(reason);
    }
    look_inside(bytes, &mut add);
    if let Some(shown) = double_extension(&folded, &extension) {
        add(Reason::DoubleExtension(shown));
    }
    if let Some(found) = found
        && by_name != "application/octet-stream"
        && family(found) != family(by_name)
        && !is_container(found, by_name)
    {
        add(Reason::NotWhatItSays(found.to_owned()));
    }
    let hidden = raw_name
        .chars()
        .any(|c| glyph::is_invisible(c) && c != '\u{fe0f}' && c != '\u{200d}' && c != '\u{ad}');
    if hidden || raw_name.contains('\0') {
        add(Reason::HiddenInName);
    }
    // A single reason that says nothing alone.
    let risk = if reasons.is_empty() {
        Risk::Safe
    } else {
        Risk::Ask(reasons)
    };
    Nature {
        kind: kind_of(&media_type, &extension),
        media_type,
        extension,
        risk,
    }
}

fn extension_of(name: &str) -> &str {
    match name.trim_end_matches(['.', ' ']).rsplit_once('.') {
        Some((_, extension)) if extension.len() <= 20 && !extension.contains(' ') => extension,
        _ => "",
    }
}

/// What the first bytes say, where they say it clearly.
fn sniff(bytes: &[u8]) -> Option<&'static str> {
    if bytes.is_empty() {
        return None;
    }
    let found = std::panic::catch_unwind(|| infer::get(bytes))
        .ok()
        .flatten()
        .map(|kind| kind.mime_type());
    if let Some(found) = found {
        // Two letters are too little to call a text a program.
        let weak = matches!(
            found,
            "application/vnd.microsoft.portable-executable"
                | "application/x-llvm"
                | "application/octet-stream"
        );
        if !weak || (bytes.starts_with(b"MZ") && is_binary(bytes)) {
            return Some(found);
        }
    }
    let head = bytes.get(..1024).unwrap_or(bytes).trim_ascii_start();
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let begins = |mark: &str| {
        head.get(..mark.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(mark.as_bytes()))
    };
    if begins("#!") {
        return Some("text/x-shellscript");
    }
    if begins("<!doctype html") || begins("<html") || begins("<script") {
        return Some("text/html");
    }
    if begins("L\0\0\0\x01\x14\x02\0") {
        return Some("application/x-ms-shortcut");
    }
    if begins("[internetshortcut]") {
        return Some("application/x-mswinurl");
    }
    if begins("BEGIN:VCALENDAR") {
        return Some("text/calendar");
    }
    if begins("BEGIN:VCARD") {
        return Some("text/vcard");
    }
    if bytes.get(0x8001..0x8006) == Some(b"CD001") {
        return Some("application/x-iso9660-image");
    }
    None
}

fn is_binary(bytes: &[u8]) -> bool {
    bytes.get(..512).unwrap_or(bytes).contains(&0)
}

/// Whether a type found is only the wrapping of what the name says: zip of office files, OLE of old ones.
fn is_container(found: &str, by_name: &str) -> bool {
    let zipped = by_name.contains("openxmlformats")
        || by_name.contains("opendocument")
        || matches!(
            by_name,
            "application/epub+zip" | "application/java-archive" | "application/vnd.android.package-archive"
        );
    let stored = matches!(
        by_name,
        "application/msword" | "application/vnd.ms-excel" | "application/vnd.ms-powerpoint"
    );
    match found {
        "application/zip" => zipped || by_name == "application/octet-stream",
        "application/x-ole-storage" => stored || by_name == "application/octet-stream",
        "application/gzip" | "application/x-tar" => by_name.contains("gzip") || by_name.contains("tar"),
        "text/xml" | "application/xml" => true,
        "text/html" => matches!(by_name, "application/xhtml+xml" | "text/markdown"),
        _ => false,
    }
}

/// Types that may stand for each other.
fn family(media_type: &str) -> &str {
    match media_type {
        "text/xml" | "application/xml" | "image/svg+xml" => "xml",
        "application/x-compressed-tar" | "application/gzip" | "application/x-gzip" => "gzip",
        "application/msword" | "application/rtf" | "text/rtf" => "word",
        _ => match media_type.split_once('/') {
            // A picture is a picture: browsers and viewers look at the content anyway.
            Some((main @ ("image" | "audio" | "video" | "text"), _)) => main,
            _ => media_type,
        },
    }
}

fn by_extension(extension: &str) -> Option<Reason> {
    Some(match extension {
        "exe" | "com" | "scr" | "pif" | "cpl" | "msi" | "msp" | "mst" | "msix" | "msixbundle" | "appx"
        | "appxbundle" | "appinstaller" | "gadget" | "dll" | "ocx" | "sys" | "drv" | "jar" | "jnlp"
        | "apk" | "xapk" | "ipa" | "app" | "pkg" | "mpkg" | "deb" | "rpm" | "appimage" | "flatpak"
        | "flatpakref" | "snap" | "run" | "bin" | "elf" | "so" | "dylib" | "xpi" | "crx" | "xll" | "wll"
        | "ppa" | "ade" | "adp" | "mda" | "mde" | "application" | "class" | "air" => Reason::Program,
        "js" | "jse" | "mjs" | "vbs" | "vbe" | "vb" | "wsf" | "wsh" | "wsc" | "ws" | "sct" | "bat"
        | "cmd" | "ps1" | "ps1xml" | "ps2" | "psc1" | "psm1" | "psd1" | "msh" | "hta" | "reg" | "inf"
        | "sh" | "bash" | "zsh" | "csh" | "ksh" | "fish" | "command" | "tool" | "workflow" | "action"
        | "scpt" | "scptd" | "applescript" | "py" | "pyw" | "pyc" | "pyz" | "pl" | "rb" | "php" | "lua"
        | "tcl" | "ahk" | "au3" | "chm" | "hlp" | "one" | "onepkg" | "diagcab" | "msc" | "job"
        | "terminal" | "fileloc" | "inetloc" | "slk" | "iqy" | "rqy" | "oqy" | "prf" | "mht" | "mhtml"
        | "xsl" | "xslt" => Reason::Script,
        "lnk" | "url" | "scf" | "desktop" | "webloc" | "library-ms" | "search-ms" | "searchconnector-ms"
        | "website" | "theme" | "themepack" | "settingcontent-ms" | "rdp" | "vpn" | "symlink" | "ica" => {
            Reason::Shortcut
        }
        "iso" | "img" | "vhd" | "vhdx" | "vmdk" | "dmg" | "udf" | "cdr" | "toast" | "wim" | "qcow2"
        | "sparseimage" => Reason::DiskImage,
        "html" | "htm" | "shtml" | "xhtml" | "xht" | "svg" | "svgz" => Reason::WebPage,
        "docm" | "dotm" | "xlsm" | "xltm" | "xlam" | "xlsb" | "pptm" | "potm" | "ppam" | "ppsm" | "sldm"
        | "xla" | "xlm" | "xlt" | "dot" | "accdb" | "accde" | "mdb" | "odb" => Reason::Macros,
        _ => return None,
    })
}

fn by_media_type(media_type: &str) -> Option<Reason> {
    Some(match media_type {
        "application/vnd.microsoft.portable-executable"
        | "application/x-executable"
        | "application/x-msdownload"
        | "application/x-dosexec"
        | "application/x-msi"
        | "application/x-mach-binary"
        | "application/java"
        | "application/java-archive"
        | "application/vnd.android.dex"
        | "application/vnd.android.package-archive"
        | "application/vnd.debian.binary-package"
        | "application/x-rpm"
        | "application/x-google-chrome-extension"
        | "application/wasm" => Reason::Program,
        "text/x-shellscript"
        | "application/x-sh"
        | "application/hta"
        | "application/javascript"
        | "text/javascript"
        | "application/x-javascript"
        | "text/vbscript" => Reason::Script,
        "application/x-ms-shortcut" | "application/x-mswinurl" | "application/x-desktop" => Reason::Shortcut,
        "application/x-iso9660-image" | "application/x-qemu-disk" | "application/x-apple-diskimage" => {
            Reason::DiskImage
        }
        "text/html" | "application/xhtml+xml" | "image/svg+xml" => Reason::WebPage,
        _ => return None,
    })
}

/// Whether what matters stands anywhere in it, for the table of contents of an archive even at its end.
pub(crate) fn needs_whole(head: &[u8]) -> bool {
    let starts: [&[u8]; 3] = [b"PK", b"\xd0\xcf\x11\xe0", b"{\\rtf"];
    starts.iter().any(|start| head.starts_with(start))
}

fn look_inside(bytes: &[u8], add: &mut impl FnMut(Reason)) {
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
        let found = archive::look(bytes);
        if found.locked {
            add(Reason::Locked);
        }
        if found.macros {
            add(Reason::Macros);
        } else if let Some(name) = found.risky {
            add(Reason::Holds(name));
        }
    } else if bytes.starts_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") {
        // The directory of an old office file names its macros in UTF-16 ([MS-OVBA] section 2.2.1).
        let wide: Vec<u8> = "_VBA_PROJECT".bytes().flat_map(|byte| [byte, 0]).collect();
        if memchr::memmem::find(bytes, &wide).is_some() {
            add(Reason::Macros);
        }
    } else if bytes.starts_with(b"Rar!\x1a\x07") || bytes.starts_with(b"7z\xbc\xaf\x27\x1c") {
        if archive::is_locked_rar(bytes) {
            add(Reason::Locked);
        }
    } else if bytes.starts_with(b"{\\rtf") && memchr::memmem::find(bytes, b"\\objdata").is_some() {
        add(Reason::Macros);
    }
}

/// `invoice.pdf.exe`, also with blanks between: the harmless type that the eye stops at.
fn double_extension(name: &str, last: &str) -> Option<String> {
    by_extension(last)?;
    let stem = name
        .trim_end_matches(['.', ' '])
        .strip_suffix(last)?
        .strip_suffix('.')?
        .trim_end();
    let shown = extension_of(stem);
    let harmless = content_type_for(stem) != "application/octet-stream" && by_extension(shown).is_none();
    harmless.then(|| shown.to_owned())
}

/// The kind that a media type, or else an extension, stands for.
#[must_use]
pub fn kind_of(media_type: &str, extension: &str) -> Kind {
    match by_extension(extension) {
        Some(Reason::Program | Reason::Script | Reason::Shortcut) => return Kind::Program,
        Some(Reason::DiskImage) => return Kind::DiskImage,
        _ => {}
    }
    match media_type {
        "text/html" | "application/xhtml+xml" => Kind::WebPage,
        "text/calendar" | "application/ics" => Kind::Calendar,
        "text/vcard" | "text/x-vcard" | "text/directory" => Kind::Card,
        "application/pdf" => Kind::Pdf,
        "message/rfc822" | "message/global" => Kind::Message,
        "text/csv" | "application/vnd.ms-excel" => Kind::Table,
        "application/msword" | "application/rtf" | "application/epub+zip" => Kind::Document,
        "application/vnd.ms-powerpoint" => Kind::Slides,
        "application/zip"
        | "application/gzip"
        | "application/x-tar"
        | "application/x-7z-compressed"
        | "application/vnd.rar"
        | "application/x-bzip2"
        | "application/x-xz"
        | "application/zstd"
        | "application/vnd.ms-cab-compressed"
        | "application/x-lzip"
        | "application/x-lz4"
        | "application/x-cpio"
        | "application/x-compress" => Kind::Archive,
        "application/pgp-signature"
        | "application/pgp-keys"
        | "application/pgp-encrypted"
        | "application/pkcs7-signature"
        | "application/x-pkcs7-signature"
        | "application/pkcs7-mime"
        | "application/x-pkcs7-mime"
        | "application/x-x509-ca-cert" => Kind::Security,
        "application/vnd.microsoft.portable-executable"
        | "application/x-executable"
        | "application/x-mach-binary" => Kind::Program,
        "application/x-iso9660-image" | "application/x-qemu-disk" => Kind::DiskImage,
        _ => match media_type.split_once('/') {
            Some(("image", _)) => Kind::Picture,
            Some(("audio", _)) => Kind::Sound,
            Some(("video", _)) => Kind::Film,
            Some(("font", _)) => Kind::Font,
            Some(("text", _)) => Kind::Text,
            _ if media_type.contains("wordprocessing") || media_type.contains("opendocument.text") => {
                Kind::Document
            }
            _ if media_type.contains("spreadsheet") => Kind::Table,
            _ if media_type.contains("presentation") => Kind::Slides,
            _ if media_type.starts_with("application/font") => Kind::Font,
            _ => Kind::Other,
        },
    }
}

/// Whether a name ends in something that needs a question, whatever it holds.
#[must_use]
pub fn is_risky_name(name: &str) -> bool {
    let folded = glyph::fold_forms(name).to_lowercase();
    by_extension(extension_of(&folded)).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reasons(name: &str, declared: &str, bytes: &[u8]) -> Vec<Reason> {
        match judge(name, declared, bytes).risk {
            Risk::Safe => Vec::new(),
            Risk::Ask(reasons) => reasons,
        }
    }

    #[test]
    fn asks_about_risky_kinds() {
        use Reason as R;
        let check = |name: &str, declared: &str, bytes: &[u8], expect: &[Reason]| {
            assert_eq!(reasons(name, declared, bytes), expect, "{name:?} {declared}");
        };
        let double = |shown: &str| R::DoubleExtension(shown.to_owned());
        check("report.pdf", "application/pdf", b"%PDF-1.7\n", &[]);
        check("photo.jpg", "image/jpeg", b"\xff\xd8\xff\xe0", &[]);
        check("notes.txt", "text/plain", b"MZ is a fine beginning", &[]);
        check("letter.docx", "application/octet-stream", b"PK\x05\x06rest", &[]);
        check("a.exe", "application/octet-stream", b"", &[R::Program]);
        check(
            "invoice.pdf.exe",
            "application/pdf",
            b"",
            &[R::Program, double("pdf")],
        );
        check("invoice.pdf   .scr", "x/y", b"", &[R::Program, double("pdf")]);
        check("a.ｅｘｅ", "application/octet-stream", b"", &[R::Program]);
        check(
            "invoice_\u{202e}fdp.exe",
            "x/y",
            b"",
            &[R::Program, R::HiddenInName],
        );
        check(
            "a.txt\0.exe",
            "x/y",
            b"",
            &[R::Program, double("txt"), R::HiddenInName],
        );
        check("scan.js", "x/y", b"", &[R::Script]);
        check("a.lnk", "x/y", b"", &[R::Shortcut]);
        check("x.iso", "x/y", b"", &[R::DiskImage]);
        check("page.html", "text/html", b"<html>", &[R::WebPage]);
        check("sheet.xlsm", "x/y", b"", &[R::Macros]);
        check("tool", "application/octet-stream", b"#!/bin/sh\n", &[R::Script]);
        let program = [b"MZ".as_slice(), &[0; 200]].concat();
        check(
            "picture.png",
            "image/png",
            &program,
            &[
                R::Program,
                R::NotWhatItSays("application/vnd.microsoft.portable-executable".to_owned()),
            ],
        );
        check("README", "text/plain", b"hello", &[]);
        check("", "", b"", &[]);
    }

    #[test]
    fn knows_kinds() {
        let check = |name: &str, declared: &str, bytes: &[u8], kind: Kind| {
            assert_eq!(judge(name, declared, bytes).kind, kind, "{name:?}");
        };
        check("a.pdf", "application/octet-stream", b"%PDF-1.4", Kind::Pdf);
        check("a", "application/octet-stream", b"%PDF-1.4", Kind::Pdf);
        check("a.png", "image/png", b"\x89PNG\r\n\x1a\n", Kind::Picture);
        check("a.xlsx", "application/octet-stream", b"PK\x05\x06", Kind::Table);
        check("a.odp", "x/y", b"", Kind::Slides);
        check("a.eml", "message/rfc822", b"From: x", Kind::Message);
        check("a.ics", "text/calendar", b"BEGIN:VCALENDAR", Kind::Calendar);
        check("a.exe", "x/y", b"", Kind::Program);
        check("a.zip", "application/zip", b"PK\x05\x06", Kind::Archive);
        check("a.unheard", "x/y", b"", Kind::Other);
    }
}
