//! `posthorn render`: a message as the window would draw it, as a picture or, by the name of the file, as a PDF.

pub mod canvas;
pub mod letter;
#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on panics, and says on standard output what it skips"
)]
mod widths;

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use posthorn_html::page::{Failure as NotDrawn, Heading, Look, Page, PageTheme, Source};
use posthorn_html::worker::Worker;
use serde_json::{Value, json};

use crate::arguments::ChosenOne;
use crate::failure::{Failure, Status};
use crate::output::Output;
use crate::resolve;
use crate::session::{Context, Purpose};

use self::canvas::Canvas;

#[derive(Args, Debug)]
pub struct RenderRequest {
    /// A message's number, a file, or - for standard input
    #[arg(value_name = "ID|FILE.eml|-")]
    message: String,
    /// Of the pane, in CSS pixels
    #[arg(long, value_name = "PIXELS", value_parser = clap::value_parser!(u32).range(100..=10_000))]
    width: u32,
    /// Dots for one CSS pixel
    #[arg(long, default_value_t = 1.0, value_parser = parse_scale)]
    scale: f32,
    #[arg(long)]
    dark: bool,
    /// Fetch the message's pictures from servers
    #[arg(long, value_name = "allow")]
    remote: Option<Remote>,
    /// A picture; with a name that ends in .pdf, a document
    #[arg(long, value_name = "X.png")]
    out: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Remote {
    Allow,
}

fn parse_scale(text: &str) -> Result<f32, String> {
    text.parse()
        .ok()
        .filter(|scale| (0.25..=4.0).contains(scale))
        .ok_or_else(|| "expected a number from 0.25 to 4".to_owned())
}

/// # Errors
/// Where there is no such message, no process that draws, or the picture cannot be written.
pub fn run(request: &RenderRequest, context: &Context, output: &mut Output) -> Result<Status, Failure> {
    let worker = worker()?;
    let raw = read_message(&request.message, context)?;
    let look = Look {
        #[expect(clippy::cast_precision_loss, reason = "at most 10,000")]
        width: request.width as f32,
        scale: request.scale,
        theme: if request.dark {
            PageTheme::Dark
        } else {
            PageTheme::Light
        },
    };
    let is_pdf = request
        .out
        .extension()
        .is_some_and(|end| end.eq_ignore_ascii_case("pdf"));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .map_err(|error| Failure::disk("cannot start", &error))?;
    let (bytes, value) = runtime.block_on(async {
        // What starting costs is not what drawing costs.
        worker.warm().await.map_err(say_failure)?;
        let began = Instant::now();
        let parsed = posthorn_mime::parse(&raw);
        let mut source = letter::source(&raw, &parsed, look);
        if request.remote == Some(Remote::Allow) {
            fetch_pictures(&worker, &mut source, context).await?;
        }
        if is_pdf {
            return print(&worker, source, letter::heading(&parsed.envelope), began).await;
        }
        let is_plain = parsed.html.is_none();
        let text = parsed.text.unwrap_or_default();
        let (png, mut value) = draw(&worker, source, &text, began).await?;
        // A page of plain text holds its beginning only.
        if let Some(fields) = value
            .as_object_mut()
            .filter(|fields| is_plain || fields.contains_key("failure"))
        {
            fields.insert("text".to_owned(), json!(text));
        }
        Ok((png, value))
    })?;
    std::fs::write(&request.out, bytes)
        .map_err(|error| Failure::disk(&request.out.display().to_string(), &error))?;
    if output.is_json() {
        output.document(&value)?;
    } else {
        say(&value, output)?;
    }
    Ok(Status::Done)
}

/// # Errors
/// Where this program cannot find itself.
pub fn worker() -> Result<Worker, Failure> {
    Worker::of_this_program().ok_or_else(|| say_failure(NotDrawn::NoProcess))
}

fn read_message(name: &str, context: &Context) -> Result<Vec<u8>, Failure> {
    let is_number = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number {
        let mut raw = Vec::new();
        let read = if name == "-" {
            std::io::stdin().lock().read_to_end(&mut raw).map(drop)
        } else {
            std::fs::read(name).map(|bytes| raw = bytes)
        };
        return read.map(|()| raw).map_err(|error| Failure::disk(name, &error));
    }
    let session = context.open(Purpose::Read)?;
    let chosen = ChosenOne {
        id: name.parse().ok(),
        message_id: None,
    };
    let id = resolve::message(&session, &chosen)?;
    let raw = session.ask(|catalog| async move { catalog.raw(id).await })?;
    let Some(raw) = raw else {
        return match session.ask(|catalog| async move { catalog.message(id).await })? {
            Some(_) => Err(Failure::unknown(format!(
                "only the headers of message {id} are here: posthorn sync fetches the rest"
            ))),
            None => Err(resolve::no_such_message(id)),
        };
    };
    Ok(raw)
}

/// The pictures that the page would show, into its source.
async fn fetch_pictures(worker: &Worker, source: &mut Source, context: &Context) -> Result<(), Failure> {
    // Where it cannot be laid out, there is nothing to put pictures into; drawing says why.
    let Ok(page) = worker.open(source.clone()).await else {
        return Ok(());
    };
    worker.close(page.id);
    let fetched = posthorn_engine::pictures::fetch(&page.remote, context.ca_file())?;
    for (url, came) in fetched {
        match came {
            Ok(bytes) => {
                source.fetched.insert(url, bytes);
            }
            Err(fault) => log::info!("A picture was not fetched: {fault:?}."),
        }
    }
    Ok(())
}

async fn draw(
    worker: &Worker,
    source: Source,
    text: &str,
    began: Instant,
) -> Result<(Vec<u8>, Value), Failure> {
    let look = source.look;
    let drawn = match worker.open(source).await {
        Ok(page) => canvas::paint(worker, &page, look.scale)
            .await
            .map(|canvas| (page, canvas)),
        Err(failure) => Err(failure),
    };
    let (page, canvas, failure) = match drawn {
        Ok((page, canvas)) => (page, canvas, None),
        Err(NotDrawn::NoProcess) => return Err(say_failure(NotDrawn::NoProcess)),
        Err(failure) => {
            // A message that cannot be drawn is shown as its text, with a line that says so.
            let plain = letter::plain(Some(explain(failure)), text, look);
            let page = worker.open(plain).await.map_err(say_failure)?;
            let canvas = canvas::paint(worker, &page, look.scale)
                .await
                .map_err(say_failure)?;
            (page, canvas, Some(failure))
        }
    };
    let seconds = began.elapsed().as_secs_f64();
    let value = to_json(&page, &canvas, failure, seconds);
    worker.close(page.id);
    let png = canvas.into_png().ok_or_else(|| say_failure(NotDrawn::TooLarge))?;
    Ok((png, value))
}

async fn print(
    worker: &Worker,
    source: Source,
    heading: Heading,
    began: Instant,
) -> Result<(Vec<u8>, Value), Failure> {
    let page = worker.open(source.clone()).await.map_err(say_failure)?;
    worker.close(page.id);
    let pdf = worker.print(source, heading).await.map_err(say_failure)?;
    let value = with_page(
        &page,
        json!({ "width": page.width, "height": page.height, "seconds": began.elapsed().as_secs_f64() }),
    );
    Ok((pdf, value))
}

fn to_json(page: &Page, canvas: &Canvas, failure: Option<NotDrawn>, seconds: f64) -> Value {
    let mut value = with_page(
        page,
        json!({ "width": canvas.width(), "height": canvas.height(), "seconds": seconds }),
    );
    if let Some(fields) = value.as_object_mut() {
        if canvas.is_cut() {
            fields.insert("page_height".to_owned(), json!(page.height));
        }
        if let Some(failure) = failure {
            fields.insert("failure".to_owned(), json!(failure));
        }
    }
    value
}

fn with_page(page: &Page, mut value: Value) -> Value {
    // A link over several lines is several rectangles.
    let links: Vec<Value> = page
        .links
        .iter()
        .flat_map(|link| {
            let rects = if link.rects.is_empty() {
                vec![None]
            } else {
                link.rects.iter().map(Some).collect()
            };
            rects
                .into_iter()
                .map(|rect| json!({ "url": link.url, "text": link.text, "rect": rect }))
                .collect::<Vec<_>>()
        })
        .collect();
    let more: BTreeMap<&str, Value> = BTreeMap::from([
        ("links", json!(links)),
        ("blocked", json!(page.blocked)),
        ("remote", json!(page.remote)),
        ("text", json!(page.text)),
    ]);
    if let Some(fields) = value.as_object_mut() {
        fields.extend(more.into_iter().map(|(name, value)| (name.to_owned(), value)));
    }
    value
}

fn say(value: &Value, output: &mut Output) -> Result<(), Failure> {
    let count = |name: &str| value.get(name).and_then(Value::as_array).map_or(0, Vec::len);
    let number = |name: &str| value.get(name).and_then(Value::as_f64).unwrap_or_default();
    if let Some(failure) = value.get("failure") {
        output.note(&format!(
            "shown as its text: {}",
            failure.as_str().unwrap_or_default()
        ));
    }
    output.line(&format!(
        "{} × {}, {} links, {} blocked, {:.3} s",
        number("width"),
        number("height"),
        count("links"),
        count("blocked"),
        number("seconds")
    ))
}

/// A line above the text of what could not be drawn.
fn explain(failure: NotDrawn) -> &'static str {
    match failure {
        NotDrawn::TooSlow => "This message took too long to draw. This is its text.",
        NotDrawn::TooLarge => "This message is too large to be drawn. This is its text.",
        _ => "This message could not be drawn. This is its text.",
    }
}

fn say_failure(failure: NotDrawn) -> Failure {
    Failure::drawing(match failure {
        NotDrawn::TooSlow => "drawing took too long",
        NotDrawn::Died => "the process that draws ended",
        NotDrawn::TooLarge => "it is larger than what is drawn",
        NotDrawn::Gone => "the page is gone",
        NotDrawn::NoProcess => "the process that draws could not be started",
        NotDrawn::Unreadable => "it could not be read",
    })
}
