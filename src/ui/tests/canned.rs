//! A painter that answers with canned pages: every line of the message's text is twenty pixels tall, every link
//! stands at its line's beginning.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use posthorn_html::page::{
    Blocked, BlockedKind, Failure, Grain, Heading, Page, PageId, PageLink, Pixels, Point, Rect, Selected,
    Source,
};

use crate::painter::{Drawn, Painter};

pub const LINE: f32 = 20.0;

/// What was asked of it.
#[derive(Debug, Default)]
pub struct Asked {
    pub opened: Vec<Source>,
    pub painted: Vec<(PageId, Rect)>,
    pub closed: Vec<PageId>,
    pub printed: Vec<Heading>,
    /// What `open` answers with instead of a page.
    pub refuse: Option<Failure>,
    /// What the next `paint` answers with instead of pixels.
    pub lose: Option<Failure>,
    texts: BTreeMap<PageId, String>,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Canned {
    pub asked: Arc<Mutex<Asked>>,
}

fn answer<T: Send + 'static>(value: Result<T, Failure>) -> Drawn<T> {
    Box::pin(std::future::ready(value))
}

fn line(n: usize) -> Rect {
    Rect {
        x: 0.0,
        y: n as f32 * LINE,
        width: 300.0,
        height: LINE,
    }
}

impl Painter for Canned {
    fn open(&self, source: Source) -> Drawn<Page> {
        let mut asked = self.asked.lock().unwrap();
        if let Some(failure) = asked.refuse {
            asked.opened.push(source);
            return answer(Err(failure));
        }
        let read = posthorn_html::to_text(&source.html);
        let lines: Vec<&str> = read.text.lines().collect();
        let links = read.links.iter().map(|link| {
            let at = lines.iter().position(|line| line.contains(link.text.trim()));
            PageLink {
                url: link.url.clone(),
                text: link.text.clone(),
                rects: vec![line(at.unwrap_or(0))],
            }
        });
        let mut remote = Vec::new();
        let mut blocked = Vec::new();
        for piece in source.html.split("src=\"").skip(1) {
            let url = piece.split('"').next().unwrap_or_default().to_owned();
            if !url.starts_with("http") || source.fetched.contains_key(&url) {
                continue;
            }
            let kind = if piece.contains("width=\"1\"") {
                BlockedKind::Tracker
            } else {
                remote.push(url.clone());
                BlockedKind::Picture
            };
            blocked.push(Blocked { kind, url });
        }
        let id = PageId(asked.opened.len() as u64 + 1);
        asked.texts.insert(id, read.text.clone());
        let page = Page {
            id,
            width: source.look.width,
            height: (lines.len().max(1)) as f32 * LINE,
            links: links.collect(),
            blocked,
            remote,
            text: read.text.clone(),
            has_dark_rules: false,
        };
        asked.opened.push(source);
        answer(Ok(page))
    }

    fn paint(&self, page: PageId, rect: Rect) -> Drawn<Pixels> {
        let mut asked = self.asked.lock().unwrap();
        asked.painted.push((page, rect));
        match asked.lose.take() {
            Some(failure) => answer(Err(failure)),
            None => answer(Ok(Pixels {
                width: 2,
                height: 2,
                rgba: vec![255; 16],
            })),
        }
    }

    fn select(&self, page: PageId, from: Point, to: Point, grain: Grain) -> Drawn<Selected> {
        let asked = self.asked.lock().unwrap();
        let text = asked.texts.get(&page).cloned().unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let (low, high) = (from.y.min(to.y), from.y.max(to.y));
        let within = |n: usize| match grain {
            Grain::All => true,
            _ => (n + 1) as f32 * LINE > low && n as f32 * LINE <= high,
        };
        let marked: Vec<usize> = (0..lines.len()).filter(|n| within(*n)).collect();
        answer(Ok(Selected {
            text: marked.iter().map(|n| lines[*n]).collect::<Vec<_>>().join("\n"),
            rects: marked.iter().map(|n| line(*n)).collect(),
        }))
    }

    fn find(&self, page: PageId, words: String) -> Drawn<Vec<Vec<Rect>>> {
        let asked = self.asked.lock().unwrap();
        let text = asked.texts.get(&page).cloned().unwrap_or_default();
        let hits = text
            .lines()
            .enumerate()
            .flat_map(|(n, text)| {
                let count = text.to_lowercase().matches(&words.to_lowercase()).count();
                vec![vec![line(n)]; count]
            })
            .collect();
        answer(Ok(hits))
    }

    fn close(&self, page: PageId) {
        self.asked.lock().unwrap().closed.push(page);
    }

    fn picture(&self, _: Vec<u8>, _: u32) -> Drawn<Pixels> {
        answer(Ok(Pixels {
            width: 2,
            height: 1,
            rgba: vec![255; 8],
        }))
    }

    fn pdf_page(&self, _: Vec<u8>, _: u32) -> Drawn<Pixels> {
        answer(Err(Failure::Unreadable))
    }

    fn print(&self, _: Source, heading: Heading) -> Drawn<Vec<u8>> {
        self.asked.lock().unwrap().printed.push(heading);
        answer(Ok(b"%PDF".to_vec()))
    }
}
