//! One message, unfolded: what it says, and its page.

use std::collections::BTreeMap;
use std::sync::Arc;

use posthorn_engine::catalog::Message as Mail;
use posthorn_engine::pictures::{Consent, PictureRequest};
use posthorn_engine::reading::{PartAt, PictureRule};
use posthorn_mime::Attached;
use posthorn_model::MessageId;

use super::block::{self, Block};
use super::canvas::{Around, Canvas};
use super::material::{Fetched, Material, Read, Wanted};
use super::preview::Preview;
use crate::app::Action;

/// How much text is set where no page can be drawn; the rest comes on request, since a megabyte takes a second to
/// shape.
const FIRST: usize = 64 * 1024;

/// A message, ready to draw.
#[derive(Debug)]
pub struct Reading {
    pub read: Read,
    /// How the reader knows it: a message inside another one has a number of its own.
    id: MessageId,
    pub pictures: Pictures,
    /// What files look like, by their place among the parts.
    pub previews: BTreeMap<u32, Preview>,
    pub wanted: Wanted,
    pub fetched: Fetched,
    /// It stands in a conversation: what it quotes can be read there.
    pub answers: bool,
    /// `None` where nobody is there to draw, or nothing is to be drawn.
    pub canvas: Option<Canvas>,
    /// The text, set by ourselves where there is no page.
    pub set: Option<Set>,
}

/// How it stands with this message's pictures on servers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pictures {
    #[default]
    Off,
    Coming,
    /// So many did not come.
    Here {
        missing: usize,
    },
}

/// Text as the window itself sets it.
#[derive(Debug)]
pub struct Set {
    pub blocks: Vec<Block>,
    /// How many bytes of the text are shown, of how many.
    pub shown: usize,
    pub whole: usize,
}

impl Set {
    fn new(mail: &Mail, limit: usize) -> Self {
        let plain = mail.text.as_deref().filter(|text| !text.trim().is_empty());
        let converted = match (plain, &mail.html) {
            (None, Some(html)) => Some(posthorn_html::to_text(html)),
            _ => None,
        };
        let text = converted
            .as_ref()
            .map(|html| html.text.as_str())
            .or(plain)
            .unwrap_or_default();
        let links: &[posthorn_html::Link] = converted.as_ref().map_or(&[], |html| &html.links);
        let shown = if text.len() > limit {
            text.get(..text.floor_char_boundary(limit))
                .and_then(|start| start.rfind('\n'))
                .unwrap_or(limit)
        } else {
            text.len()
        };
        Self {
            blocks: block::blocks(text.get(..shown).unwrap_or(text), links),
            shown,
            whole: text.len(),
        }
    }
}

impl Reading {
    /// `drawn`: somebody is there to draw it, in a window that looks like this.
    #[must_use]
    pub fn new(id: MessageId, read: Read, answers: bool, drawn: Option<Around>) -> Self {
        let mut reading = Self {
            read,
            id,
            pictures: Pictures::Off,
            previews: BTreeMap::new(),
            wanted: Wanted::default(),
            fetched: Fetched::default(),
            answers,
            canvas: None,
            set: None,
        };
        let material = reading.material();
        reading.canvas = drawn
            .filter(|_| !material.is_empty())
            .map(|around| Canvas::new(reading.id, material, around));
        if reading.canvas.is_none() {
            reading.set_text();
        }
        reading
    }

    fn material(&self) -> Material {
        Material::new(&self.read, self.wanted, self.answers, self.fetched.clone())
    }

    #[must_use]
    pub const fn mail(&self) -> &Mail {
        &self.read.reading.message
    }

    #[must_use]
    pub const fn id(&self) -> MessageId {
        self.id
    }

    /// One of its parts, wherever it lies itself.
    #[must_use]
    pub fn part_at(&self, index: u32) -> PartAt {
        let mut path = self.read.reading.path.clone();
        path.push(index);
        PartAt {
            message: self.read.reading.message.id,
            path,
        }
    }

    /// Asks for the pictures on servers that the page would show.
    pub fn fetch(&mut self, consent: Consent) -> Vec<Action> {
        let urls = self
            .drawn()
            .and_then(Canvas::page)
            .map(|page| page.remote.clone());
        let urls = urls.filter(|urls| !urls.is_empty() && self.pictures != Pictures::Coming);
        let Some(urls) = urls else { return Vec::new() };
        self.pictures = Pictures::Coming;
        let request = PictureRequest {
            message: self.read.reading.message.id,
            urls,
            consent,
        };
        vec![Action::FetchPictures(self.id, request)]
    }

    /// Pictures came, or did not.
    pub fn fetched(
        &mut self,
        result: Result<posthorn_engine::pictures::Fetched, posthorn_engine::Error>,
    ) -> Vec<Action> {
        let fetched = match result {
            Ok(fetched) => fetched,
            Err(error) => {
                self.pictures = Pictures::Off;
                return vec![Action::Failed(error)];
            }
        };
        let asked = fetched.len();
        let came: BTreeMap<String, Vec<u8>> = fetched
            .into_iter()
            .filter_map(|(url, came)| Some((url, came.ok()?)))
            .collect();
        self.pictures = Pictures::Here {
            missing: asked - came.len(),
        };
        if came.is_empty() {
            return Vec::new();
        }
        self.fetched = Arc::new(came);
        self.renew()
    }

    /// What the user's rules allow without a question, once the page has said what it would show.
    pub fn obey(&mut self) -> Vec<Action> {
        if self.read.reading.pictures == PictureRule::Show && self.pictures == Pictures::Off {
            return self.fetch(Consent::Rule);
        }
        Vec::new()
    }

    /// There is nothing to show.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.canvas.is_none() && self.set.as_ref().is_none_or(|set| set.whole == 0)
    }

    /// The text is set here, since there is no page.
    pub fn set_text(&mut self) {
        if self.set.is_none() {
            self.set = Some(Set::new(self.mail(), FIRST));
        }
    }

    pub fn set_more(&mut self) {
        if let Some(set) = &self.set {
            self.set = Some(Set::new(self.mail(), set.shown * 4));
        }
    }

    /// Shows the message as it is wanted now.
    pub fn show(&mut self, change: impl FnOnce(&mut Wanted)) -> Vec<Action> {
        change(&mut self.wanted);
        self.renew()
    }

    /// Lays the page out anew, from what there is now.
    pub fn renew(&mut self) -> Vec<Action> {
        let material = self.material();
        self.canvas
            .as_mut()
            .map(|canvas| canvas.replace(material))
            .unwrap_or_default()
    }

    /// The whole message, in its own colours.
    #[must_use]
    pub fn for_paper(&self) -> Material {
        let wanted = Wanted {
            as_sent: true,
            quoted: true,
            whole: true,
            ..self.wanted
        };
        Material::new(&self.read, wanted, false, self.fetched.clone())
    }

    /// The page, where one is shown or on its way.
    #[must_use]
    pub fn drawn(&self) -> Option<&Canvas> {
        self.canvas.as_ref().filter(|canvas| canvas.failure().is_none())
    }

    /// What is offered as a file: named parts and those that are not text.
    pub fn attachments(&self) -> impl Iterator<Item = &Attached> {
        self.read.reading.attachments.iter()
    }
}
