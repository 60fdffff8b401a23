//! Draws HTML files with Posthorn and, where it is installed, with headless Chromium, and compares the pictures.
//!
//! `fidelity FOLDER [--width 700] [--scale 1] [--dark] [--out FOLDER] [--no-browser] [--text]`: a line for each `.html` file,
//! then the median and the worst. With `--out` the pictures stay there: `NAME.ours.png`, `NAME.chromium.png`, and
//! `NAME.difference.png`. Nothing is fetched by either.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a tool for developers"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use image::{GrayImage, Luma, RgbaImage};
use posthorn_html::Document;
use posthorn_html::document::STACK;
use posthorn_html::page::{Look, PageId, PageTheme, Rect, Source};

/// Grey levels that two pixels may be apart.
const NEAR: u8 = 40;
/// Pages are painted in strips of so many CSS pixels.
const STRIP: f32 = 2_000.0;

struct Options {
    folder: PathBuf,
    width: u32,
    scale: f32,
    theme: PageTheme,
    out: Option<PathBuf>,
    asks_browser: bool,
    prints_text: bool,
}

fn main() {
    let options = read_options();
    std::thread::Builder::new()
        .stack_size(STACK)
        .spawn(move || run(&options))
        .unwrap()
        .join()
        .unwrap();
}

fn read_options() -> Options {
    let mut options = Options {
        folder: PathBuf::new(),
        width: 700,
        scale: 1.0,
        theme: PageTheme::Light,
        out: None,
        asks_browser: true,
        prints_text: false,
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().expect("a value");
        match argument.as_str() {
            "--width" => options.width = value().parse().expect("a width"),
            "--scale" => options.scale = value().parse().expect("a scale"),
            "--out" => options.out = Some(PathBuf::from(value())),
            "--dark" => options.theme = PageTheme::Dark,
            "--text" => options.prints_text = true,
            "--no-browser" => options.asks_browser = false,
            folder => options.folder = PathBuf::from(folder),
        }
    }
    options
}

fn run(options: &Options) {
    let mut files: Vec<PathBuf> = if options.folder.is_file() {
        vec![options.folder.clone()]
    } else {
        std::fs::read_dir(&options.folder)
            .expect("a folder of .html files")
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "html"))
            .collect()
    };
    files.sort();
    let scratch = std::env::temp_dir().join(format!("posthorn-fidelity-{}", std::process::id()));
    let out = options.out.clone().unwrap_or_else(|| scratch.join("pictures"));
    std::fs::create_dir_all(&out).unwrap();
    let mut shares = Vec::new();
    for file in &files {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        let html = String::from_utf8_lossy(&std::fs::read(file).unwrap()).into_owned();
        let Some((ours, took)) = draw(&html, options) else {
            println!("{name:40} failed");
            shares.push(0.0);
            continue;
        };
        ours.save(out.join(format!("{name}.ours.png"))).unwrap();
        let theirs = options
            .asks_browser
            .then(|| browse(&html, &name, options, &scratch))
            .flatten();
        let Some(theirs) = theirs else {
            println!("{name:40} {took:4} ms  height {:5}", ours.height());
            continue;
        };
        theirs.save(out.join(format!("{name}.chromium.png"))).unwrap();
        let (share, difference) = compare(&ours, &theirs);
        difference
            .save(out.join(format!("{name}.difference.png")))
            .unwrap();
        println!(
            "{name:40} {took:4} ms  {:6.2} %  height {:5} {:+5}",
            share * 100.0,
            theirs.height(),
            i64::from(ours.height()) - i64::from(theirs.height())
        );
        shares.push(share);
    }
    shares.sort_by(f64::total_cmp);
    if let (Some(worst), Some(median)) = (shares.first(), shares.get(shares.len() / 2)) {
        println!(
            "median {:.2} %, worst {:.2} %, {} files",
            median * 100.0,
            worst * 100.0,
            shares.len()
        );
    }
    let _ = std::fs::remove_dir_all(&scratch);
}

/// The whole page, and how many milliseconds from bytes to picture.
fn draw(html: &str, options: &Options) -> Option<(RgbaImage, u128)> {
    let start = Instant::now();
    let source = Source {
        html: html.to_owned(),
        parts: BTreeMap::new(),
        fetched: BTreeMap::new(),
        look: Look {
            width: options.width as f32,
            scale: options.scale,
            theme: options.theme,
        },
    };
    let mut document = Document::open(source).ok()?;
    let page = document.page(PageId(0));
    if options.prints_text {
        println!("{}", document.shown_text());
    }
    let width = (page.width * options.scale).ceil() as u32;
    let mut rgba = Vec::new();
    let mut rows = 0;
    let mut top = 0.0;
    while top < page.height.max(1.0) {
        let height = (page.height - top).clamp(1.0, STRIP);
        let strip = document
            .paint(Rect {
                x: 0.0,
                y: top,
                width: page.width,
                height,
            })
            .ok()?;
        rows += strip.height;
        rgba.extend(strip.rgba);
        top += STRIP;
    }
    let took = start.elapsed().as_millis();
    Some((RgbaImage::from_raw(width, rows, rgba)?, took))
}

/// The whole page as Chromium draws it.
fn browse(html: &str, name: &str, options: &Options, scratch: &Path) -> Option<RgbaImage> {
    std::fs::create_dir_all(scratch).unwrap();
    let page = scratch.join("page.html");
    // Chromium tells the page's size through its title; the script is not there for the picture.
    let measured = format!(
        "{html}<script>document.documentElement.setAttribute('data-size', \
         document.documentElement.scrollWidth + 'x' + Math.max(document.documentElement.scrollHeight, \
         document.documentElement.offsetHeight))</script>"
    );
    std::fs::write(&page, measured).unwrap();
    let text = chromium(
        scratch,
        &["--dump-dom", &format!("--window-size={},250", options.width)],
        &page,
    )?;
    let text = String::from_utf8_lossy(&text).into_owned();
    let size = text.split_once("data-size=\"")?.1.split_once('"')?.0;
    let (width, height) = size.split_once('x')?;
    let (width, height): (u32, u32) = (width.parse().ok()?, height.parse().ok()?);
    std::fs::write(&page, html).unwrap();
    let picture = scratch.join(format!("{name}.png"));
    chromium(
        scratch,
        &[
            &format!("--screenshot={}", picture.display()),
            &format!("--window-size={},{}", width.max(options.width), height.max(1)),
            &format!("--force-device-scale-factor={}", options.scale),
        ],
        &page,
    )?;
    Some(image::open(picture).ok()?.into_rgba8())
}

fn chromium(scratch: &Path, arguments: &[&str], page: &Path) -> Option<Vec<u8>> {
    let output = Command::new("chromium")
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--hide-scrollbars",
            "--proxy-server=127.0.0.1:9",
            "--virtual-time-budget=2000",
        ])
        .arg(format!("--user-data-dir={}", scratch.join("profile").display()))
        .args(arguments)
        .arg(format!("file://{}", page.display()))
        .stderr(Stdio::null())
        .output()
        .ok()?;
    output.status.success().then_some(output.stdout)
}

/// The share of pixels that are near each other, and a picture of those that are not.
fn compare(ours: &RgbaImage, theirs: &RgbaImage) -> (f64, GrayImage) {
    let (width, height) = (
        ours.width().max(theirs.width()),
        ours.height().max(theirs.height()),
    );
    let mut difference = GrayImage::new(width, height);
    let mut near = 0_u64;
    for y in 0..height {
        for x in 0..width {
            let apart = grey(ours, x, y).abs_diff(grey(theirs, x, y));
            near += u64::from(apart <= NEAR);
            difference.put_pixel(x, y, Luma([255 - apart]));
        }
    }
    (near as f64 / f64::from(width) / f64::from(height), difference)
}

fn grey(picture: &RgbaImage, x: u32, y: u32) -> u8 {
    picture.get_pixel_checked(x, y).map_or(255, |pixel| {
        let [red, green, blue, _] = pixel.0.map(u32::from);
        ((red * 299 + green * 587 + blue * 114) / 1000) as u8
    })
}
