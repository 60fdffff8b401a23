//! Subjects and bodies.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Defect;
use crate::rng::Rng;

const WORDS: [&str; 64] = [
    "the", "harbour", "meeting", "report", "garden", "ticket", "please", "attached", "tomorrow", "invoice",
    "window", "answer", "question", "quiet", "river", "bridge", "seven", "copy", "draft", "budget", "lunch",
    "minutes", "train", "late", "early", "found", "lost", "blue", "paper", "boat", "lamp", "stairs", "key",
    "thanks", "sorry", "again", "version", "number", "table", "list", "photo", "music", "school", "weather",
    "rain", "salt", "bread", "letter", "house", "north", "south", "market", "price", "order", "week",
    "month", "year", "between", "without", "perhaps", "always", "never", "somebody", "nobody",
];

const SUBJECTS: [&str; 8] = [
    "=?utf-8?Q?Gr=C3=BC=C3=9Fe?= from the coast",
    "=?utf-8?B?5Lya6K2w44Gu5LqI5a6a?=",
    "=?iso-8859-1?Q?R=E9union_de_mardi?=",
    "=?utf-8?B?2KfZhNin2KzYqtmF2KfYuQ==?=",
    "=?koi8-r?B?8NLJ18XU?=",
    "=?utf-8?B?8J+OiSDwn46CIPCfjog=?=",
    "[talk] Which one?",
    "Re: Re: no subject worth the name",
];

pub fn subject(rng: &mut Rng) -> String {
    if rng.chance(20) {
        return (*rng.choose(&SUBJECTS).unwrap_or(&"")).to_owned();
    }
    let count = 2 + rng.index(6);
    words(rng, count).join(" ")
}

fn words(rng: &mut Rng, count: usize) -> Vec<&'static str> {
    (0..count)
        .map(|_| *rng.choose(&WORDS).unwrap_or(&"word"))
        .collect()
}

/// Lines of words, with what a server must not stumble over now and then.
fn prose(rng: &mut Rng) -> String {
    let mut out = String::new();
    for _ in 0..1 + rng.index(12) {
        let count = 3 + rng.index(9);
        let line = words(rng, count).join(" ");
        match rng.below(40) {
            0 => out.push_str(".\r\n"),
            1 => out.push_str("From the beginning: "),
            2 => out.push_str("> > "),
            3 => out.push_str("..dots "),
            4 => out.push_str("\r\n"),
            _ => (),
        }
        out.push_str(&line);
        out.push_str("\r\n");
    }
    out
}

/// From the content fields on.
pub fn write(rng: &mut Rng, index: usize, defect: Option<Defect>) -> Vec<u8> {
    match defect {
        Some(Defect::UnclosedMultipart) => return unclosed(rng, index),
        Some(Defect::UnknownCharset) => {
            return part(
                "text/plain; charset=x-nobody-knows",
                "8bit",
                b"\xa4\xc0\xff bytes\r\n",
            );
        }
        Some(Defect::BrokenBase64) => return part("text/plain", "base64", b"SGVsbG8g!!d29ybGQ\r\n=\r\n"),
        Some(Defect::VeryLongLine) => {
            let line = "long ".repeat(2000 + rng.index(3000));
            return part(
                "text/plain; charset=us-ascii",
                "7bit",
                format!("{line}\r\n").as_bytes(),
            );
        }
        _ => (),
    }
    match rng.below(100) {
        0..35 => plain(rng),
        35..45 => flowed(rng),
        45..60 => foreign(rng),
        60..80 => alternative(rng, index),
        80..95 => with_attachment(rng, index),
        95..98 => forwarded(rng, index),
        _ => invitation(rng, index),
    }
}

fn part(content_type: &str, encoding: &str, body: &[u8]) -> Vec<u8> {
    let mut out =
        format!("Content-Type: {content_type}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n").into_bytes();
    out.extend_from_slice(body);
    out
}

fn plain(rng: &mut Rng) -> Vec<u8> {
    part("text/plain; charset=us-ascii", "7bit", prose(rng).as_bytes())
}

fn flowed(rng: &mut Rng) -> Vec<u8> {
    let text = prose(rng).replace(" the", " the \r\n");
    part(
        "text/plain; charset=utf-8; format=flowed",
        "8bit",
        text.as_bytes(),
    )
}

/// Text that is not ASCII, in several charsets and encodings.
fn foreign(rng: &mut Rng) -> Vec<u8> {
    let tail = prose(rng);
    match rng.below(5) {
        0 => part(
            "text/plain; charset=iso-8859-1",
            "quoted-printable",
            format!("Caf=E9 =E0 la cr=E8me =3D 4\r\n{tail}").as_bytes(),
        ),
        1 => {
            let text = [
                b"\xf0\xd2\xc9\xd7\xc5\xd4, \xcd\xc9\xd2\r\n".as_slice(),
                tail.as_bytes(),
            ]
            .concat();
            part("text/plain; charset=koi8-r", "8bit", &text)
        }
        2 => {
            let text = [b"\x93\xfa\x96\x7b\x8c\xea\r\n".as_slice(), tail.as_bytes()].concat();
            part("text/plain; charset=shift_jis", "8bit", &text)
        }
        3 => part(
            "text/plain; charset=utf-8",
            "base64",
            lines(format!("日本語、العربية, עברית\r\n{tail}").as_bytes()).as_bytes(),
        ),
        _ => part(
            "text/plain; charset=utf-8",
            "8bit",
            format!("Ελληνικά, Grüße, 🎈\r\n{tail}").as_bytes(),
        ),
    }
}

fn lines(bytes: &[u8]) -> String {
    let all: Vec<String> = bytes.chunks(57).map(|chunk| STANDARD.encode(chunk)).collect();
    all.join("\r\n") + "\r\n"
}

fn multipart(subtype: &str, boundary: &str, parts: &[Vec<u8>]) -> Vec<u8> {
    let mut out = format!("Content-Type: multipart/{subtype}; boundary=\"{boundary}\"\r\n\r\n").into_bytes();
    for part in parts {
        out.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
        out.extend_from_slice(part);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    out
}

fn html(rng: &mut Rng) -> Vec<u8> {
    let text = prose(rng).replace("\r\n", "<br>=\r\n");
    let page = format!(
        "<html><body><p style=3D\"color: #333\">{text}</p><img src=3D\"https://images.exam=\r\nple.com/{}.png\"></body></html>\r\n",
        rng.below(1000)
    );
    part("text/html; charset=utf-8", "quoted-printable", page.as_bytes())
}

fn alternative(rng: &mut Rng, index: usize) -> Vec<u8> {
    let parts = [plain(rng), html(rng)];
    multipart("alternative", &format!("=_alt_{index}"), &parts)
}

fn with_attachment(rng: &mut Rng, index: usize) -> Vec<u8> {
    let text = if rng.chance(50) {
        plain(rng)
    } else {
        alternative(rng, index)
    };
    let mut parts = vec![text];
    for number in 0..1 + rng.index(2) {
        // Mostly small; one in twenty is large.
        let size = if rng.chance(5) {
            60_000 + rng.index(400_000)
        } else {
            200 + rng.index(8_000)
        };
        let bytes = rng.bytes(size);
        let name = if rng.chance(30) {
            "filename*=utf-8''%C3%BCbersicht.bin".to_owned()
        } else {
            format!("filename=\"file-{number}.bin\"")
        };
        let mut attachment = format!("Content-Type: application/octet-stream\r\nContent-Disposition: attachment; {name}\r\nContent-Transfer-Encoding: base64\r\n\r\n").into_bytes();
        attachment.extend_from_slice(lines(&bytes).as_bytes());
        parts.push(attachment);
    }
    multipart("mixed", &format!("=_mix_{index}"), &parts)
}

fn forwarded(rng: &mut Rng, index: usize) -> Vec<u8> {
    let inner = [b"From: Inner <inner@example.org>\r\nSubject: what was forwarded\r\nDate: Mon, 02 Jun 2025 10:00:00 +0000\r\nMessage-ID: <inner@example.org>\r\nMIME-Version: 1.0\r\n".to_vec(), plain(rng)].concat();
    let parts = [
        plain(rng),
        [b"Content-Type: message/rfc822\r\n\r\n".to_vec(), inner].concat(),
    ];
    multipart("mixed", &format!("=_fwd_{index}"), &parts)
}

fn invitation(rng: &mut Rng, index: usize) -> Vec<u8> {
    let entry = format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:{index}@corpus.example\r\nDTSTART:20250620T{:02}0000Z\r\nSUMMARY:A meeting\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
        rng.below(24)
    );
    let parts = [
        plain(rng),
        part(
            "text/calendar; charset=utf-8; method=REQUEST",
            "7bit",
            entry.as_bytes(),
        ),
    ];
    multipart("alternative", &format!("=_inv_{index}"), &parts)
}

fn unclosed(rng: &mut Rng, index: usize) -> Vec<u8> {
    let whole = with_attachment(rng, index);
    let text = String::from_utf8_lossy(&whole);
    let end = text.rfind("\r\n--").map_or(whole.len(), |at| at + 2);
    whole.get(..end).unwrap_or_default().to_vec()
}

pub fn date_header(at: i64, zone: i64) -> String {
    let offset = i8::try_from(zone)
        .ok()
        .and_then(|hours| jiff::tz::Offset::from_hours(hours).ok());
    let zone = offset.unwrap_or(jiff::tz::Offset::UTC).to_time_zone();
    let zoned = jiff::Timestamp::from_second(at)
        .unwrap_or_default()
        .to_zoned(zone);
    jiff::fmt::rfc2822::to_string(&zoned).unwrap_or_default()
}
