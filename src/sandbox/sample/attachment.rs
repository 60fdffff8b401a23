//! The files that come with the sample mail, made here byte by byte: a PDF, a picture, a calendar entry.

use posthorn_model::Timestamp;

use crate::mailbox::SandboxUser;

/// A file in a message.
#[derive(Clone, Debug)]
pub struct Attachment {
    pub name: &'static str,
    pub content_type: &'static str,
    /// The Content-ID of a picture that the HTML shows.
    pub inline_id: Option<&'static str>,
    pub bytes: Vec<u8>,
}

impl Attachment {
    pub fn text(name: &'static str, content_type: &'static str, text: &str) -> Self {
        let bytes = text.replace('\n', "\r\n").into_bytes();
        Self {
            name,
            content_type,
            inline_id: None,
            bytes,
        }
    }

    pub fn pdf(name: &'static str, lines: &[&str]) -> Self {
        Self {
            name,
            content_type: "application/pdf",
            inline_id: None,
            bytes: build_pdf(lines),
        }
    }

    pub fn png(name: &'static str, bytes: Vec<u8>) -> Self {
        Self {
            name,
            content_type: "image/png",
            inline_id: None,
            bytes,
        }
    }

    /// A calendar entry; `{SUNDAY}` and `{THURSDAY}` are the first ones after the letter.
    pub fn calendar(name: &'static str, method: &str, lines: &[&str]) -> Self {
        let mut text = format!(
            "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//Example//Sample//EN\nMETHOD:{method}\nBEGIN:VEVENT\nUID:{name}@sample.example.org\nDTSTAMP:{{TODAY}}T080000Z\n"
        );
        for line in lines {
            text.push_str(line);
            text.push('\n');
        }
        text.push_str("END:VEVENT\nEND:VCALENDAR\n");
        Self::text(name, "text/calendar; charset=utf-8", &text)
    }

    /// The bytes, with the days of a calendar entry and its reader filled in.
    pub fn dated(&self, user: &SandboxUser, sent: Timestamp) -> Vec<u8> {
        if !self.content_type.starts_with("text/calendar") {
            return self.bytes.clone();
        }
        let days = sent.0.div_euclid(Timestamp::DAY);
        // Day 0, the first of January 1970, was a Thursday.
        let next = |weekday: i64| days + 1 + (weekday - days - 1).rem_euclid(7);
        String::from_utf8_lossy(&self.bytes)
            .replace("{NAME}", &user.name)
            .replace("{ADDRESS}", &user.address)
            .replace("{TODAY}", &show_day(days))
            .replace("{THURSDAY}", &show_day(next(0)))
            .replace("{SUNDAY}", &show_day(next(3)))
            .into_bytes()
    }

    pub const fn inline(mut self, id: &'static str) -> Self {
        self.inline_id = Some(id);
        self
    }
}

/// `20250131`.
fn show_day(days: i64) -> String {
    let at = jiff::Timestamp::from_second(days * Timestamp::DAY).unwrap_or_default();
    let date = at.to_zoned(jiff::tz::TimeZone::UTC).date();
    format!("{:04}{:02}{:02}", date.year(), date.month(), date.day())
}

/// One page of text lines, the first as a heading.
fn build_pdf(lines: &[&str]) -> Vec<u8> {
    let mut page = String::from("BT 72 770 Td 16 TL\n");
    for (index, line) in lines.iter().enumerate() {
        let size = if index == 0 { 18 } else { 11 };
        let text = line.replace('\\', "\\\\").replace('(', "\\(").replace(')', "\\)");
        page.push_str(&format!("/F1 {size} Tf ({text}) Tj T*\n"));
    }
    page.push_str("ET\n");
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R \
         /Resources << /Font << /F1 5 0 R >> >> >>"
            .to_owned(),
        format!("<< /Length {} >>\nstream\n{page}endstream", page.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    let mut out = String::from("%PDF-1.4\n");
    let mut table = String::from("0000000000 65535 f \n");
    for (number, object) in (1..).zip(&objects) {
        table.push_str(&format!("{:010} 00000 n \n", out.len()));
        out.push_str(&format!("{number} 0 obj\n{object}\nendobj\n"));
    }
    let start = out.len();
    let count = objects.len() + 1;
    out.push_str(&format!(
        "xref\n0 {count}\n{table}trailer\n<< /Size {count} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n"
    ));
    out.into_bytes()
}

type Colour = [u8; 3];

/// A PNG with a palette; `pixel` answers an index into it.
fn build_png(width: u32, height: u32, palette: &[Colour], pixel: impl Fn(u32, u32) -> u8) -> Vec<u8> {
    let mut rows = Vec::new();
    for y in 0..height {
        rows.push(0); // no filter
        rows.extend((0..width).map(|x| pixel(x, y)));
    }
    let mut header = Vec::new();
    header.extend_from_slice(&width.to_be_bytes());
    header.extend_from_slice(&height.to_be_bytes());
    header.extend_from_slice(&[8, 3, 0, 0, 0]);
    let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
    push_chunk(&mut out, b"IHDR", &header);
    push_chunk(&mut out, b"PLTE", &palette.concat());
    push_chunk(&mut out, b"IDAT", &zlib_stored(&rows));
    push_chunk(&mut out, b"IEND", &[]);
    out
}

fn push_chunk(out: &mut Vec<u8>, kind: &[u8; 4], data: &[u8]) {
    let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
    let body = [kind.as_slice(), data].concat();
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(&body);
    out.extend_from_slice(&crc32(&body).to_be_bytes());
}

fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 {
                (crc >> 1) ^ 0xedb8_8320
            } else {
                crc >> 1
            };
        }
    }
    !crc
}

/// A zlib stream (RFC 1950) of stored blocks: the pictures are small.
fn zlib_stored(bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0x78, 0x01];
    let count = bytes.chunks(60_000).count();
    for (index, chunk) in bytes.chunks(60_000).enumerate() {
        let length = u16::try_from(chunk.len()).unwrap_or(u16::MAX);
        out.push(u8::from(index + 1 == count));
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&(!length).to_le_bytes());
        out.extend_from_slice(chunk);
    }
    let (mut a, mut b) = (1_u32, 0_u32);
    for byte in bytes {
        a = (a + u32::from(*byte)) % 65_521;
        b = (b + a) % 65_521;
    }
    out.extend_from_slice(&((b << 16) | a).to_be_bytes());
    out
}

/// Twelve columns of visitors, month by month.
pub fn chart() -> Vec<u8> {
    const HEIGHTS: [u32; 12] = [22, 27, 35, 48, 66, 80, 92, 96, 70, 51, 33, 29];
    let palette = [[250, 250, 247], [210, 212, 206], [36, 92, 122], [214, 122, 58]];
    build_png(260, 140, &palette, |x, y| {
        let column = (x.saturating_sub(10)) / 20;
        let inside = x >= 10 && (x - 10) % 20 < 14;
        let height = usize::try_from(column)
            .ok()
            .and_then(|index| HEIGHTS.get(index))
            .copied()
            .unwrap_or(0);
        let tallest = HEIGHTS.iter().max().is_some_and(|most| *most == height);
        match y {
            126 => 1,
            _ if y < 126 && inside && 126 - y <= height => {
                if tallest {
                    3
                } else {
                    2
                }
            }
            _ if y < 126 && (126 - y) % 25 == 0 => 1,
            _ => 0,
        }
    })
}

/// A red scarf on a chair, as far as 96 by 96 pixels can show it.
pub fn scarf() -> Vec<u8> {
    let palette = [[233, 228, 218], [140, 98, 62], [176, 38, 44], [240, 236, 226]];
    build_png(96, 96, &palette, |x, y| {
        let chair = ((20..=26).contains(&x) || (70..=76).contains(&x)) && y > 18
            || (20..=76).contains(&x) && (56..=64).contains(&y);
        let hangs = (40..=58).contains(&x) && (12..=86).contains(&y);
        let across = (24..=72).contains(&x) && (14..=28).contains(&y);
        let stripe = (y / 6) % 3 == 0;
        match (hangs || across, stripe, chair) {
            (true, true, _) => 3,
            (true, false, _) => 2,
            (false, _, true) => 1,
            _ => 0,
        }
    })
}

/// A mark for the welcome letter: a coiled horn.
pub fn horn() -> Vec<u8> {
    let palette = [[255, 255, 255], [196, 140, 40], [150, 100, 24]];
    build_png(64, 64, &palette, |x, y| {
        let (dx, dy) = (i64::from(x) - 28, i64::from(y) - 34);
        let distance = dx * dx + dy * dy;
        let ring = (170..=330).contains(&distance);
        let bell = x > 40 && i64::from(y) < 40 && (i64::from(y) - 20).abs() < (i64::from(x) - 38) / 2;
        match (ring, bell) {
            (true, _) => 1,
            (_, true) => 2,
            _ => 0,
        }
    })
}

/// Lamps along a quay at dusk, doubled in the water.
pub fn harbour() -> Vec<u8> {
    const SKY: [Colour; 6] = [
        [24, 40, 66],
        [44, 62, 92],
        [84, 88, 116],
        [140, 110, 116],
        [196, 134, 104],
        [232, 168, 96],
    ];
    let mut palette = SKY.to_vec();
    // 6: hills, 7: quay, 8: water, 9: a ripple, 10: a lamp, 11: its light on the water, 12: a mast.
    palette.extend([
        [30, 34, 48],
        [20, 24, 34],
        [22, 34, 54],
        [34, 50, 74],
        [255, 224, 150],
        [196, 150, 82],
        [14, 17, 26],
    ]);
    build_png(600, 220, &palette, |x, y| {
        let hill = 96 + (i64::from(x) - 180).pow(2) / 2600 + i64::from((x / 7) % 3);
        let lamp = x % 75;
        let mast = [112_u32, 268, 405, 521]
            .iter()
            .any(|at| x.abs_diff(*at) < 1 && (58..128).contains(&y))
            || [112_u32, 268, 405, 521]
                .iter()
                .any(|at| (118..128).contains(&y) && x.abs_diff(*at) < 24 - (y - 118));
        let glow = lamp.abs_diff(37).pow(2) + y.abs_diff(104).pow(2) < 14;
        match y {
            _ if glow => 10,
            0..=127 if mast => 12,
            106..=127 if lamp == 37 => 12,
            128..=138 => 7,
            139..=219 => {
                let near = lamp.abs_diff(37) < 3 + (y % 4);
                if near && (y + x / 75) % 3 != 0 {
                    11
                } else if (x / 9 + y * 5) % 17 < 3 && y % 3 == 0 {
                    9
                } else {
                    8
                }
            }
            _ if i64::from(y) > hill => 6,
            _ => u8::try_from(y / 19).unwrap_or(5).min(5),
        }
    })
}

/// A red kite over a beach.
pub fn kite() -> Vec<u8> {
    let palette = [
        [188, 220, 232],
        [232, 216, 172],
        [198, 58, 48],
        [238, 140, 60],
        [90, 84, 76],
        [120, 178, 196],
    ];
    build_png(250, 130, &palette, |x, y| {
        let (dx, dy) = (x.abs_diff(150), y.abs_diff(42));
        let within = dx * 3 + dy * 2 < 72;
        let tail = x < 150 && y > 66 && (x + y).abs_diff(214 + (y / 6) % 3) < 2;
        match (within, tail) {
            (true, _) if (x < 150) == (y < 42) => 2,
            (true, _) => 3,
            (_, true) => 4,
            _ if y > 112 => 1,
            _ if y > 98 => 5,
            _ => 0,
        }
    })
}

/// A boat under a white sail.
pub fn boat() -> Vec<u8> {
    let palette = [
        [224, 232, 226],
        [70, 122, 140],
        [252, 250, 244],
        [150, 84, 48],
        [60, 48, 42],
        [96, 148, 164],
    ];
    build_png(250, 130, &palette, |x, y| {
        let sail = x > 126 && y < 84 && y > 18 && (x - 126) * 66 < (y - 18) * 58;
        let jib = x < 122 && y < 84 && y > 30 && (122 - x) * 54 < (y - 30) * 40;
        let hull = (88..104).contains(&y) && x > 66 + (y - 88) && x < 196 - (y - 88);
        match y {
            _ if sail || jib => 2,
            _ if hull => 3,
            14..=88 if x.abs_diff(124) < 2 => 4,
            98..=129 if (x / 5 + y * 3) % 11 < 2 => 5,
            98..=129 => 1,
            _ => 0,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calendar_entries_fall_on_their_weekday() {
        // 2025-06-15 was a Sunday.
        for (sent, expect) in [
            (1_749_859_200, "20250614 20250619 20250615"),
            (1_749_945_600, "20250615 20250619 20250622"),
            (1_750_291_200, "20250619 20250626 20250622"),
        ] {
            let entry = Attachment::text("x", "text/calendar", "{TODAY} {THURSDAY} {SUNDAY}");
            assert_eq!(
                String::from_utf8_lossy(&entry.dated(&SandboxUser::new("robin", "x"), Timestamp(sent))),
                expect
            );
        }
    }
}
