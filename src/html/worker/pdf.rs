//! Writes the sheets of a printed message.

use std::collections::HashMap;

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder as _};
use pdf_writer::types::{
    ActionType, AnnotationType, CidFontType, FontFlags, Predictor, SystemInfo, TextRenderingMode, UnicodeCmap,
};
use pdf_writer::{Content, Filter, Finish as _, Name, Rect as PdfRect, Ref, Str, TextStr};

use super::print::{MARGIN, PAPER};
use crate::page::{Failure, Pixels, Rect};

/// What stands on a sheet: a part of a page, in CSS pixels, and what is on it.
pub struct Piece {
    pub pixels: Pixels,
    pub area: Rect,
    /// Points for one CSS pixel.
    pub points: f32,
    /// So many points below the sheet's upper margin.
    pub below: f32,
    pub words: Vec<Words>,
    pub links: Vec<(Rect, String)>,
}

impl Piece {
    /// In points.
    pub fn height(&self) -> f32 {
        self.area.height * self.points
    }

    /// Where a part of it stands on the sheet.
    fn place(&self, rect: &Rect) -> PdfRect {
        let x = MARGIN + (rect.x - self.area.x) * self.points;
        let top = PAPER.1 - MARGIN - self.below - (rect.y - self.area.y) * self.points;
        PdfRect::new(
            x,
            top - rect.height * self.points,
            x + rect.width * self.points,
            top,
        )
    }
}

/// A box of text.
pub struct Words {
    pub area: Rect,
    pub text: String,
}

pub struct Pdf {
    pdf: pdf_writer::Pdf,
    next: i32,
    pages: Ref,
    /// Each sheet, and what stands at its foot.
    sheets: Vec<(Ref, Ref)>,
    /// The font of the numbers at the foot.
    plain: Ref,
    unseen: Unseen,
    catalog: Ref,
}

const PLAIN: Name<'static> = Name(b"N");
const UNSEEN: Name<'static> = Name(b"T");
const SYSTEM: SystemInfo<'static> = SystemInfo {
    registry: Str(b"Adobe"),
    ordering: Str(b"Identity"),
    supplement: 0,
};

/// The font of the unseen text: it has no glyphs, and says which character each of its codes is.
struct Unseen {
    font: Ref,
    codes: HashMap<char, u16>,
}

impl Unseen {
    /// The codes of a text, two bytes each; characters beyond what one font can hold are left out.
    fn encode(&mut self, text: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        for c in text.chars() {
            let next = self.codes.len() + 1;
            let code = match (self.codes.get(&c), u16::try_from(next)) {
                (Some(code), _) => *code,
                (None, Ok(code)) => {
                    self.codes.insert(c, code);
                    code
                }
                (None, Err(_)) => continue,
            };
            bytes.extend_from_slice(&code.to_be_bytes());
        }
        bytes
    }
}

impl Pdf {
    pub fn new(title: &str) -> Self {
        let mut pdf = pdf_writer::Pdf::new();
        let (catalog, pages, font, information) = (Ref::new(1), Ref::new(2), Ref::new(3), Ref::new(4));
        let plain = Ref::new(5);
        // One of the fonts that every reader has (PDF 1.7, section 9.6.2.2): enough for numbers.
        pdf.type1_font(plain).base_font(Name(b"Helvetica"));
        let mut about = pdf.document_info(information);
        about.title(TextStr(title)).producer(TextStr("Posthorn"));
        about.finish();
        Self {
            pdf,
            next: 6,
            pages,
            sheets: Vec::new(),
            plain,
            unseen: Unseen {
                font,
                codes: HashMap::new(),
            },
            catalog,
        }
    }

    fn reserve(&mut self) -> Ref {
        let name = Ref::new(self.next);
        self.next += 1;
        name
    }

    /// One sheet more.
    ///
    /// # Errors
    /// [`Failure::Died`] where a picture cannot be written.
    pub fn add(&mut self, pieces: &[Piece]) -> Result<(), Failure> {
        let (name, content, foot) = (self.reserve(), self.reserve(), self.reserve());
        let links: Vec<(PdfRect, &str)> = pieces
            .iter()
            .flat_map(|piece| {
                piece
                    .links
                    .iter()
                    .map(|(rect, url)| (piece.place(rect), url.as_str()))
            })
            .collect();
        let notes: Vec<Ref> = links.iter().map(|_| self.reserve()).collect();
        let pictures: Vec<Ref> = pieces.iter().map(|_| self.reserve()).collect();
        let mut page = self.pdf.page(name);
        page.media_box(PdfRect::new(0.0, 0.0, PAPER.0, PAPER.1))
            .parent(self.pages)
            .contents_array([content, foot]);
        page.annotations(notes.iter().copied());
        let mut resources = page.resources();
        let mut drawn = resources.x_objects();
        for (n, picture) in pictures.iter().enumerate() {
            drawn.pair(Name(format!("P{n}").as_bytes()), *picture);
        }
        drawn.finish();
        resources
            .fonts()
            .pair(UNSEEN, self.unseen.font)
            .pair(PLAIN, self.plain);
        resources.finish();
        page.finish();
        for (note, (place, url)) in notes.iter().zip(links) {
            let mut link = self.pdf.annotation(*note);
            link.subtype(AnnotationType::Link)
                .rect(place)
                .border(0.0, 0.0, 0.0, None);
            link.action()
                .action_type(ActionType::Uri)
                .uri(Str(url.as_bytes()));
        }
        let mut drawing = Content::new();
        for (n, piece) in pieces.iter().enumerate() {
            self.draw(&mut drawing, piece, Name(format!("P{n}").as_bytes()));
        }
        self.pdf.stream(content, &drawing.finish());
        for (picture, piece) in pictures.iter().zip(pieces) {
            self.write_picture(*picture, &piece.pixels)?;
        }
        self.sheets.push((name, foot));
        Ok(())
    }

    /// A picture, and its text over it.
    fn draw(&mut self, content: &mut Content, piece: &Piece, picture: Name<'_>) {
        let drawn = piece.place(&piece.area);
        content.save_state();
        content.transform([
            drawn.x2 - drawn.x1,
            0.0,
            0.0,
            drawn.y2 - drawn.y1,
            drawn.x1,
            drawn.y1,
        ]);
        content.x_object(picture);
        content.restore_state();
        content.begin_text();
        content.set_text_rendering_mode(TextRenderingMode::Invisible);
        for words in &piece.words {
            let codes = self.unseen.encode(&words.text);
            let at = piece.place(&words.area);
            let size = (at.y2 - at.y1).max(1.0) * 0.8;
            #[expect(clippy::cast_precision_loss, reason = "characters of one line")]
            let natural = size * (codes.len() / 2).max(1) as f32;
            content.set_font(UNSEEN, size);
            // Every code is as wide as the font is high; stretched, the line is as long as what is seen.
            content.set_horizontal_scaling(100.0 * (at.x2 - at.x1) / natural);
            content.set_text_matrix([1.0, 0.0, 0.0, 1.0, at.x1, at.y1 + size * 0.25]);
            content.show(Str(&codes));
        }
        content.end_text();
    }

    /// Which sheet of how many, at the foot of each.
    fn write_feet(&mut self) {
        const SIZE: f32 = 9.0;
        const GREY: f32 = 0.4;
        let count = self.sheets.len();
        for (n, (_, foot)) in self.sheets.iter().enumerate() {
            let said = format!("{} / {count}", n + 1);
            // In Helvetica a digit is 0.556 of its size wide, a space and a stroke 0.278.
            let width: f32 = said
                .chars()
                .map(|c| SIZE * if c.is_ascii_digit() { 0.556 } else { 0.278 })
                .sum();
            let mut content = Content::new();
            content.begin_text();
            content.set_text_rendering_mode(TextRenderingMode::Fill);
            content.set_horizontal_scaling(100.0);
            content.set_fill_gray(GREY);
            content.set_font(PLAIN, SIZE);
            content.set_text_matrix([1.0, 0.0, 0.0, 1.0, (PAPER.0 - width) / 2.0, MARGIN / 2.0]);
            content.show(Str(said.as_bytes()));
            content.end_text();
            self.pdf.stream(*foot, &content.finish());
        }
    }

    fn write_picture(&mut self, name: Ref, pixels: &Pixels) -> Result<(), Failure> {
        let rgb: Vec<u8> = pixels
            .rgba
            .chunks_exact(4)
            .flat_map(|dot| dot.first_chunk::<3>().copied().unwrap_or_default())
            .collect();
        let mut png = Vec::new();
        PngEncoder::new_with_quality(&mut png, CompressionType::Fast, FilterType::Up)
            .write_image(&rgb, pixels.width, pixels.height, ExtendedColorType::Rgb8)
            .map_err(|_| Failure::Died)?;
        // A PNG's data is what a PDF's Flate filter with a PNG predictor reads (PDF 1.7, section 7.4.4.4).
        let data = png_data(&png).ok_or(Failure::Died)?;
        let (width, height) = (
            i32::try_from(pixels.width).map_err(|_| Failure::TooLarge)?,
            i32::try_from(pixels.height).map_err(|_| Failure::TooLarge)?,
        );
        let mut picture = self.pdf.image_xobject(name, &data);
        picture.filter(Filter::FlateDecode);
        picture.width(width).height(height).bits_per_component(8);
        picture.color_space().device_rgb();
        picture
            .decode_parms()
            .predictor(Predictor::PngOptimum)
            .colors(3)
            .bits_per_component(8)
            .columns(width);
        Ok(())
    }

    pub fn finish(mut self) -> Vec<u8> {
        let count = i32::try_from(self.sheets.len()).unwrap_or(i32::MAX);
        self.pdf.catalog(self.catalog).pages(self.pages);
        self.pdf
            .pages(self.pages)
            .kids(self.sheets.iter().map(|(name, _)| *name))
            .count(count);
        self.write_feet();
        self.write_font();
        self.pdf.finish()
    }

    fn write_font(&mut self) {
        let (descendant, descriptor, map) = (self.reserve(), self.reserve(), self.reserve());
        let base = Name(b"PosthornUnseen");
        self.pdf
            .type0_font(self.unseen.font)
            .base_font(base)
            .encoding_predefined(Name(b"Identity-H"))
            .descendant_font(descendant)
            .to_unicode(map);
        self.pdf
            .cid_font(descendant)
            .subtype(CidFontType::Type2)
            .base_font(base)
            .system_info(SYSTEM)
            .font_descriptor(descriptor)
            .default_width(1_000.0)
            .cid_to_gid_map_predefined(Name(b"Identity"));
        self.pdf
            .font_descriptor(descriptor)
            .name(base)
            .flags(FontFlags::SYMBOLIC)
            .bbox(PdfRect::new(0.0, -250.0, 1_000.0, 750.0))
            .italic_angle(0.0)
            .ascent(750.0)
            .descent(-250.0)
            .cap_height(700.0)
            .stem_v(80.0);
        let mut characters = UnicodeCmap::<u16>::new(base, SYSTEM);
        let mut codes: Vec<(u16, char)> = self.unseen.codes.iter().map(|(c, code)| (*code, *c)).collect();
        codes.sort_unstable();
        for (code, c) in codes {
            characters.pair(code, c);
        }
        self.pdf.cmap(map, &characters.finish());
    }
}

/// The compressed data of a PNG, out of its chunks (PNG, section 5.3).
fn png_data(png: &[u8]) -> Option<Vec<u8>> {
    let mut rest = png.get(8..)?;
    let mut data = Vec::with_capacity(rest.len());
    while let Some((length, tail)) = rest.split_first_chunk::<4>() {
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (kind, tail) = tail.split_first_chunk::<4>()?;
        if kind == b"IDAT" {
            data.extend_from_slice(tail.get(..length)?);
        }
        rest = tail.get(length + 4..)?;
    }
    (!data.is_empty()).then_some(data)
}
