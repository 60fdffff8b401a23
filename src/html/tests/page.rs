//! Pages as a whole: nothing is lost at any width, links and selections are where they are drawn, the dark is dark,
//! and what is hostile costs nothing but its own page.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    reason = "a test that cannot go on panics, and says on standard output what it skips"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use posthorn_html::document::STACK;
use posthorn_html::page::{BlockedKind, Failure, Grain, Look, PageId, PageTheme, Point, Rect, Source};
use posthorn_html::{Document, to_text};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn source(html: &str, width: f32, theme: PageTheme) -> Source {
    Source {
        html: html.to_owned(),
        parts: BTreeMap::new(),
        fetched: BTreeMap::new(),
        look: Look {
            width,
            scale: 1.0,
            theme,
        },
    }
}

/// The engine recurses; a test's thread is too small for that.
fn on_large_stack(run: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(STACK).spawn(run).unwrap();
    thread.join().unwrap();
}

fn open(html: &str, width: f32) -> Document {
    Document::open(source(html, width, PageTheme::Light)).unwrap()
}

fn fixtures() -> Vec<(String, String)> {
    let mut files: Vec<PathBuf> = fs::read_dir(root().join("tests/fixtures/html"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
        .into_iter()
        .map(|path| {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            (name, fs::read_to_string(path).unwrap())
        })
        .collect()
}

/// From a telephone to a large window.
const WIDTHS: [f32; 7] = [320.0, 480.0, 600.0, 700.0, 800.0, 1_000.0, 1_200.0];

/// Words that a message hides by its own rules.
const HIDDEN: &[(&str, &str)] = &[
    ("td-block", "Only wide screens see this line."),
    (
        "newsletter-hybrid",
        "This week: tides, timetables and a new lighthouse keeper.",
    ),
];

#[test]
fn no_word_is_lost_at_any_width() {
    on_large_stack(|| {
        let mut seen = 0;
        let mut lost = Vec::new();
        for (name, html) in fixtures() {
            for width in WIDTHS {
                let document = open(&html, width);
                let gone = document.lost_text().into_iter();
                lost.extend(gone.map(|text| format!("{name} at {width}: {text}")));
                let shown = document.shown_text().to_lowercase();
                let shown: String = shown.split_whitespace().collect();
                for line in to_text(&html).text.lines() {
                    // A picture that is shown needs no words.
                    let line = line
                        .split('[')
                        .map(|part| part.split(']').next_back().unwrap_or_default());
                    let line: String = line.collect::<Vec<_>>().join(" ");
                    for word in line
                        .split(|c: char| !c.is_alphanumeric())
                        .filter(|word| word.len() > 2)
                    {
                        let is_hidden = HIDDEN
                            .iter()
                            .any(|(file, text)| *file == name && text.contains(word));
                        assert!(
                            shown.contains(&word.to_lowercase()) || is_hidden,
                            "{name} at {width}: {word} ({line})"
                        );
                        seen += 1;
                    }
                }
            }
        }
        assert!(seen > 5_000, "{seen}");
        assert!(lost.is_empty(), "{lost:#?}");
    });
}

#[test]
fn links_are_where_they_are_drawn() {
    on_large_stack(|| {
        let html = "<body style='margin:0'><p style='margin:0'>before <a href='https://example.org/a'>the link</a></p>\
            <a href='https://example.org/b' style='display:inline-block;padding:10px;margin-top:20px'>Button</a>\
            <a href='mailto:x@example.org'><img alt=Logo src='data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7' width=50 height=40></a>\
            <a href='javascript:x'>no</a>";
        let page = open(html, 700.0).page(PageId(3));
        let found: Vec<(&str, &str)> = page
            .links
            .iter()
            .map(|link| (link.url.as_str(), link.text.as_str()))
            .collect();
        assert_eq!(
            found,
            [
                ("https://example.org/a", "the link"),
                ("https://example.org/b", "Button"),
                ("mailto:x@example.org", "Logo"),
            ]
        );
        let rect = page.links[0].rects[0];
        assert!(
            rect.x > 30.0 && rect.x < 60.0 && rect.y < 5.0 && rect.width > 40.0,
            "{rect:?}"
        );
        let button = page.links[1].rects[0];
        assert!(button.height > 30.0 && button.y > 30.0, "{button:?}");
        assert!(page.links[2].rects.iter().any(|rect| rect.height >= 40.0));
    });
}

#[test]
fn a_paragraph_is_marked_whatever_room_broke_its_lines() {
    on_large_stack(|| {
        let html = "<body style='margin:0;font:16px Arial'><p style='margin:0;white-space:pre-wrap'>one\nlong and longer, wrapped by the room\nthree</p>";
        let mut document = open(html, 120.0);
        let mut marked = |y: f32| {
            let at = Point { x: 5.0, y };
            let selected = document.select(at, at, Grain::Line);
            selected.text.trim_end().to_owned()
        };
        assert_eq!(marked(5.0), "one");
        assert_eq!(marked(28.0), "long and longer, wrapped by the room");
        assert_eq!(marked(50.0), "long and longer, wrapped by the room");
        assert_eq!(marked(900.0), "three");
    });
}

#[test]
fn text_is_marked_and_found() {
    on_large_stack(|| {
        let html = "<body style='margin:0;font:16px Arial'><p style='margin:0'>Grüße aus dem <b>Süden</b></p><p>second line</p>";
        let mut document = open(html, 700.0);
        let at = |x: f32, y: f32| Point { x, y };
        for (from, to, grain, expect) in [
            (at(2.0, 5.0), at(2.0, 5.0), Grain::Word, "Grüße"),
            (at(2.0, 5.0), at(2.0, 5.0), Grain::Line, "Grüße aus dem Süden"),
            (at(2.0, 5.0), at(60.0, 5.0), Grain::Word, "Grüße aus"),
            (
                at(0.0, 0.0),
                at(0.0, 0.0),
                Grain::All,
                "Grüße aus dem Süden\nsecond line",
            ),
            (
                at(0.0, 5.0),
                at(2_000.0, 45.0),
                Grain::Character,
                "Grüße aus dem Süden\nsecond line",
            ),
        ] {
            let selected = document.select(from, to, grain);
            assert_eq!(selected.text.trim_end(), expect, "{grain:?}");
            assert!(!selected.rects.is_empty());
        }
        for (needle, count) in [
            ("GRÜSSE", 0),
            ("grüße", 1),
            ("SÜDEN", 1),
            ("dem  süd", 1),
            ("e", 5),
            ("", 0),
        ] {
            assert_eq!(document.find(needle).len(), count, "{needle}");
        }
        let hit = document.find("second")[0][0];
        assert!(hit.y > 20.0 && hit.width > 20.0, "{hit:?}");
    });
}

#[test]
fn a_text_that_nobody_can_see_is_told_from_one_that_is_hidden() {
    on_large_stack(|| {
        let check = |html: &str, expect: &[&str]| {
            assert_eq!(open(html, 500.0).lost_text(), expect, "{html}");
        };
        check("<p>seen", &[]);
        check(
            "<div style='overflow:hidden;height:40px'><p style='margin:0 0 60px'>seen<p>beyond</div>",
            &["beyond"],
        );
        check(
            "<div style='position:relative;left:-400px;width:300px'>to the left</div>",
            &["to the left"],
        );
        check(
            "<div style='width:900px;text-align:right'>wide, and the page with it</div>",
            &[],
        );
        check(
            "<div style='max-height:0;overflow:hidden'>hidden</div><p>seen",
            &[],
        );
        check(
            "<div style='font-size:1px;opacity:0'>hidden</div><div style='display:none'>hidden</div>",
            &[],
        );
    });
}

/// The share of pixels that are darker than the middle.
fn darkness(html: &str, theme: PageTheme) -> f32 {
    let mut document = Document::open(source(html, 400.0, theme)).unwrap();
    let area = Rect {
        x: 0.0,
        y: 0.0,
        width: 400.0,
        height: 300.0,
    };
    let pixels = document.paint(area).unwrap();
    assert_eq!(pixels.rgba.len(), 400 * 300 * 4);
    let dark = pixels
        .rgba
        .chunks(4)
        .filter(|pixel| pixel[..3].iter().all(|part| *part < 128))
        .count();
    dark as f32 / (400.0 * 300.0)
}

#[test]
fn the_dark_is_dark() {
    on_large_stack(|| {
        for html in [
            "<p>plain words</p>",
            "<body bgcolor=white><font color=black>words</font>",
            "<body style='background:#222;color:#eee'>dark already",
            "<style>@media (prefers-color-scheme:dark){body{background:#000;color:#fff}}</style><p>own rules",
            "<style>@media (prefers-color-scheme:dark){.x{color:#fff}}</style><body style='background:#fff'>too few rules",
        ] {
            assert!(darkness(html, PageTheme::Dark) > 0.9, "{html}");
        }
        assert!(darkness("<p>plain words</p>", PageTheme::Light) < 0.1);
    });
}

#[test]
fn a_narrow_screen_gets_its_own_rules() {
    on_large_stack(|| {
        let html = "<!DOCTYPE html><style>@media (max-width:500px){td{display:block}}</style>\
            <table width=100%><tr><td>left words<td>right words</table>";
        let place = |document: &Document| {
            let rect = |needle| document.find(needle)[0][0];
            (rect("left"), rect("right"))
        };
        let mut document = open(html, 700.0);
        let (left, right) = place(&document);
        assert!(
            (left.y - right.y).abs() < 1.0 && right.x > left.x + 100.0,
            "{left:?} {right:?}"
        );
        document
            .resize(Look {
                width: 400.0,
                scale: 1.5,
                theme: PageTheme::Light,
            })
            .unwrap();
        let (left, right) = place(&document);
        assert!(
            right.y > left.y + 10.0 && (left.x - right.x).abs() < 1.0,
            "{left:?} {right:?}"
        );
    });
}

#[test]
fn what_was_refused_is_told() {
    on_large_stack(|| {
        let html = "<img src='https://example.org/a.png' width=80 height=60 alt='A picture'>\
            <img src='https://example.org/open' width=1 height=1><script src='https://example.org/x.js'></script>";
        let page = open(html, 700.0).page(PageId(1));
        let kinds: Vec<BlockedKind> = page.blocked.iter().map(|blocked| blocked.kind).collect();
        assert_eq!(
            kinds,
            [BlockedKind::Picture, BlockedKind::Tracker, BlockedKind::Script]
        );
        assert_eq!(page.remote, ["https://example.org/a.png"]);
        assert!(open(html, 700.0).shown_text().contains("A picture"));
    });
}

/// Something to be hostile with, the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end.max(1)
    }
}

const HOSTILE: &[&str] = &[
    "<table>",
    "<td colspan=999 rowspan=999>",
    "<col span=1000>",
    "<div style='position:absolute;left:-1e30px'>",
    "<div style='width:1e38px;height:1e38px;margin:-1e38px'>",
    "<ol start=-99999999999><li>",
    "<li value=x>",
    "<div style='display:grid;grid-template-columns:repeat(9999999,1px)'>",
    "<div style='display:flex;flex:1e30'>",
    "<div style='font-size:1e9em;line-height:1e9'>",
    "<span style='letter-spacing:1e9px'>",
    "\u{202e}\u{200f}א\u{0301}",
    "<div style='display:table-cell'>",
    "<tr style='display:block'>",
    "<td style='display:flex'>",
    "<caption>",
    "<table style='display:block'>",
    "<tbody style='display:inline'>",
    "<div style='columns:9999'>",
    "<ruby><rt>",
    "<div style='transform:rotate(1e30deg) scale(1e30)'>",
    "<div style='border-radius:1e30px;box-shadow:0 0 1e9px red'>",
    "<div style='background:linear-gradient(red,blue 1e30%)'>",
    "<p style='float:left;width:0'>",
    "<br>",
    "</table>",
    "<img src='data:image/png;base64,iVBORw0KGgo='>",
    "<a href='https://[::1'>",
    "<a href='http://a b/'>",
    "</p>",
    "<h1>",
    "<div style='display:contents'>",
    "<td style='width:100%;height:100%'>",
    "<div style='aspect-ratio:0/0'>",
    "x y z",
    "<td style='display:block;float:left'>",
    "<table style='width:0;table-layout:fixed'>",
    "<pre>\n\n\n",
    "<b><i><u>",
    "<style>*{display:table}</style>",
    "<style>td{display:inline-block}</style>",
    "<style>tr{display:none}</style>",
    "<style>*{all:initial}</style>",
    "<style>a::before{content:counter(x);display:table-row}</style>",
    "<!--",
    "<svg>",
];

fn try_all(html: &str) -> Result<(), Failure> {
    let mut document = match Document::open(source(html, 500.0, PageTheme::Dark)) {
        Err(Failure::TooLarge) => return Ok(()),
        opened => opened?,
    };
    let _ = document.page(PageId(0));
    document.select(
        Point { x: -1.0, y: 9.0 },
        Point { x: 9_999.0, y: 99.0 },
        Grain::Word,
    );
    let _ = document.find("x");
    let area = Rect {
        x: 0.0,
        y: 0.0,
        width: 500.0,
        height: 400.0,
    };
    document.paint(area).map(|_| ())
}

#[test]
fn hostile_mixtures_cost_their_own_page_only() {
    on_large_stack(|| {
        let mut dice = Dice(7);
        let start = Instant::now();
        let mut count = 0;
        while count < 300 && start.elapsed().as_secs() < 30 {
            let html: String = (0..1 + dice.below(40))
                .map(|_| HOSTILE[dice.below(HOSTILE.len())])
                .collect();
            assert_eq!(try_all(&html), Ok(()), "{html}");
            count += 1;
        }
        assert!(count >= 20, "{count} in 30 s");
    });
}

/// A newsletter of a megabyte: cells within cells, styles in every one.
fn newsletter() -> String {
    let card = "<tr><td style='padding:16px 24px;font:15px/22px Arial,sans-serif;color:#333'>\
        <table width=100% cellpadding=0 cellspacing=0><tr><td width=120 style='vertical-align:top'>\
        <img src='https://pictures.example.org/x.jpg' width=110 height=80 alt='A picture'></td>\
        <td style='padding-left:12px'><b>A headline of the week</b><br>Some words about it, as many as fit in two or \
        three lines of a column. <a href='https://news.example.org/read' style='color:#06c'>Read on</a></td></tr>\
        </table></td></tr>";
    let cards = card.repeat(1_000_000 / card.len());
    format!(
        "<style>td{{border:0}}</style><table width=600 align=center cellpadding=0 cellspacing=0>{cards}</table>"
    )
}

#[test]
fn the_first_screenful_of_a_long_message_does_not_wait_for_the_rest() {
    on_large_stack(|| {
        let html = newsletter();
        let measure = |html: &str| {
            let start = Instant::now();
            let mut document = open(html, 700.0);
            let area = Rect {
                x: 0.0,
                y: 0.0,
                width: 700.0,
                height: 800.0,
            };
            let pixels = document.paint(area).unwrap();
            (start.elapsed(), pixels)
        };
        // Fonts are found once.
        measure("<p>words");
        let (first, beginning) = measure(posthorn_html::beginning(&html).unwrap());
        let (whole, all) = measure(&html);
        println!("a newsletter of 1 MB: first screenful {first:?}, from the whole {whole:?}");
        assert!(beginning == all, "they look the same");
        assert!(first < whole / 2, "{first:?} {whole:?}");
    });
}

#[test]
fn nothing_takes_long() {
    on_large_stack(|| {
        let nest = |open: &str, close: &str, count: usize| {
            format!("{}words{}", open.repeat(count), close.repeat(count))
        };
        let rows = "<tr><td>one<td>two words<td>three</tr>".repeat(3_000);
        let rules: String = (0..2_000).map(|n| format!(".c{n}{{color:red}}")).collect();
        let classes: String = (0..3_000)
            .map(|n| format!("<p class=c{n} align=left width={n}>x"))
            .collect();
        for (name, html) in [
            ("tables", nest("<table width=100%><tr><td>a", "</table>", 200)),
            (
                "collapsed",
                nest(
                    "<table border=1 style='border-collapse:collapse'><tr><td>",
                    "</table>",
                    200,
                ),
            ),
            ("floats", nest("<div style='float:left'>a", "</div>", 200)),
            (
                "inline",
                nest("<span style='display:inline-block'>a", "</span>", 200),
            ),
            ("flex", nest("<div style='display:flex'>a", "</div>", 200)),
            ("grid", nest("<div style='display:grid'>a", "</div>", 200)),
            ("cells", nest("<div style='display:table-cell'>a", "</div>", 200)),
            (
                "block cells",
                nest("<table><tr><td style='display:block'>a", "</table>", 200),
            ),
            ("lists", nest("<ol><li>a", "</ol>", 200)),
            ("rows", format!("<table>{rows}</table>")),
            ("one line", "word ".repeat(100_000)),
            ("no blank", "w".repeat(300_000)),
            ("links", "<a href='https://example.org/'>x</a> ".repeat(5_000)),
            ("rules", format!("<style>{rules}</style>{classes}")),
            ("breaks", "<br>".repeat(30_000)),
        ] {
            let start = Instant::now();
            assert_eq!(try_all(&html), Ok(()), "{name}");
            let took = start.elapsed();
            println!("{name}: {took:?}");
            assert!(took.as_secs() < 10, "{name} took {took:?}");
        }
    });
}

#[test]
fn mail_found_in_the_wild_is_drawn() {
    let mail = root().join("../shared/mail");
    if !mail.is_dir() {
        println!("skipped: no {}", mail.display());
        return;
    }
    on_large_stack(move || {
        let mut files = Vec::new();
        for folder in ["dompurify", "httpleaks", "synthetic", "spamassassin", "mimekit"] {
            collect(&mail.join(folder), &mut files);
        }
        files.sort();
        let start = Instant::now();
        let mut dice = Dice(11);
        let (mut tried, mut failed) = (0, Vec::new());
        for file in files {
            let bytes = fs::read(&file).unwrap();
            let text = String::from_utf8_lossy(&bytes);
            let Some(at) = text.find("<html").or(text.find("<HTML")).or(text.find("<table")) else {
                continue;
            };
            let html = text[at..].to_owned();
            if html.len() > 200_000 || start.elapsed().as_secs() > 60 {
                continue;
            }
            // Once as it is, and once with a piece of it gone.
            let cut = html.floor_char_boundary(dice.below(html.len()));
            let end = html.ceil_char_boundary((cut + dice.below(200)).min(html.len()));
            let torn = format!("{}{}", &html[..cut], &html[end..]);
            for html in [html, torn] {
                tried += 1;
                if try_all(&html).is_err() {
                    failed.push(file.display().to_string());
                }
            }
        }
        println!("{tried} tried in {:?}", start.elapsed());
        assert!(failed.is_empty(), "{} of {tried}: {failed:?}", failed.len());
    });
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(path);
        }
    }
}

#[test]
fn what_is_written_from_the_right_widens_the_page_to_the_left() {
    on_large_stack(|| {
        let html = "<html dir=rtl><body style='margin:0;background:#00f'><table width=500 dir=rtl><tr>\
            <td align=left><a href='https://example.org/'>first</a><td>שלום</table>";
        let mut document = open(html, 300.0);
        let page = document.page(PageId(1));
        assert!((500.0..520.0).contains(&page.width), "{}", page.width);
        let link = page.links[0].rects[0];
        let found = document.find("first")[0][0];
        assert!(
            link.x >= 0.0 && (link.x - found.x).abs() < 1.0,
            "{link:?} {found:?}"
        );
        let point = Point {
            x: found.x + 2.0,
            y: found.y + 5.0,
        };
        assert_eq!(document.select(point, point, Grain::Word).text, "first");
        // The body's colour reaches to every edge.
        let area = Rect {
            x: 0.0,
            y: page.height - 2.0,
            width: page.width,
            height: 2.0,
        };
        let pixels = document.paint(area).unwrap();
        let (first, last) = (&pixels.rgba[..4], &pixels.rgba[pixels.rgba.len() - 4..]);
        assert_eq!((first, last), (&[0, 0, 255, 255][..], &[0, 0, 255, 255][..]));
    });
}
