//! The list of messages on the server, and that of deletions: drawn straight onto the window, every text cut to fit.

use iced::advanced::Renderer as _;
use iced::advanced::renderer::Quad;
use iced::advanced::text::Alignment::{Left, Right};
use iced::{Background, Color, Rectangle, Renderer, Theme};
use posthorn_engine::forecast::{Leaves, Maildrop};
use posthorn_model::Uidl;

use super::{Outlook, Tab, words};
use crate::measure::{cut, width};
use crate::row::Pen;
use crate::t;
use crate::theme::{self, Tokens, font, line, size, space};
use crate::when::{self, Clock};
use crate::widget::Rows;

/// The height of every line.
pub const HEIGHT: f32 = 48.0;
const LINE: f32 = size::BODY * line::LIST;

/// See the module.
pub struct Table<'a> {
    pub maildrop: &'a Maildrop,
    pub outlook: &'a Outlook,
    pub tab: Tab,
    pub clock: &'a Clock,
}

/// What one line says.
struct Said {
    title: String,
    below: String,
    end: String,
    /// It leaves the server soon, or has left it.
    leaving: bool,
}

impl Table<'_> {
    fn title(&self, uidl: &Uidl) -> String {
        match self.maildrop.letters.get(uidl) {
            Some(letter) if !letter.subject.is_empty() => letter.subject.clone(),
            Some(_) => t!("list-no-subject"),
            None if self.tab == Tab::Deleted => t!("account-no-longer-here", uidl = uidl.to_string()),
            None => t!("account-unnamed", uidl = uidl.to_string()),
        }
    }

    fn said(&self, row: u64) -> Option<Said> {
        let at = usize::try_from(row).ok()?;
        match self.tab {
            Tab::Ahead => {
                let line = self.outlook.forecast.lines.get(at)?;
                let size = line.listed.size.map(when::size).unwrap_or_default();
                let from = self.maildrop.letters.get(&line.listed.uidl);
                let parts = [
                    from.map(|letter| letter.from.clone()).unwrap_or_default(),
                    size,
                    words::line(line),
                ];
                Some(Said {
                    title: self.title(&line.listed.uidl),
                    below: join(&parts),
                    end: words::leaves(line.leaves, self.clock),
                    leaving: line.leaves == Leaves::Next,
                })
            }
            Tab::Deleted => {
                let row = self.outlook.deleted.get(at)?;
                let size = row.size.map(when::size).unwrap_or_default();
                let said = if row.reply.is_empty() {
                    String::new()
                } else {
                    t!("account-server-said", reply = row.reply.clone())
                };
                Some(Said {
                    title: self.title(&row.uidl),
                    below: join(&[size, words::why_deleted(&row.reason), said]),
                    end: words::deleted(row, self.clock),
                    leaving: false,
                })
            }
        }
    }
}

fn join(parts: &[String]) -> String {
    let there: Vec<&str> = parts
        .iter()
        .map(String::as_str)
        .filter(|part| !part.is_empty())
        .collect();
    // Names may run from right to left: the line goes from left to right all the same, and so does what follows them.
    const ONWARD: char = '\u{200e}';
    format!("{ONWARD}{}", there.join(&format!("{ONWARD} · ")))
}

fn end_color(said: &Said, tokens: &Tokens) -> Color {
    if said.leaving {
        tokens.warning
    } else {
        tokens.text_muted
    }
}

impl Rows for Table<'_> {
    type Key = u64;

    fn total(&self) -> u64 {
        match self.tab {
            Tab::Ahead => self.outlook.forecast.lines.len() as u64,
            Tab::Deleted => self.outlook.deleted.len() as u64,
        }
    }

    fn key(&self, row: u64) -> Option<u64> {
        (row < self.total()).then_some(row)
    }

    fn find(&self, key: u64) -> Option<u64> {
        self.key(key)
    }

    fn draw(&self, row: u64, hovered: bool, bounds: Rectangle, renderer: &mut Renderer, theme: &Theme) {
        let t = theme::tokens(theme);
        let Some(said) = self.said(row) else { return };
        if hovered {
            renderer.fill_quad(
                Quad {
                    bounds,
                    ..Quad::default()
                },
                Background::Color(t.hover),
            );
        }
        let inner = Rectangle {
            x: bounds.x + space::M,
            y: bounds.y + (HEIGHT - 2.0 * LINE - 2.0) / 2.0,
            width: (bounds.width - space::M - space::L).max(0.0),
            height: LINE,
        };
        let end = width(&said.end, size::BODY, font::REGULAR) + 1.0;
        let room = (inner.width - end - space::M).max(0.0);
        let title = cut(&said.title, size::BODY, font::MEDIUM, room);
        let mut pen = Pen { renderer };
        let left = Rectangle { width: room, ..inner };
        pen.text(title, font::MEDIUM, t.text, left, Left);
        let color = end_color(&said, t);
        pen.text(said.end.clone(), font::REGULAR, color, inner, Right);
        let below = Rectangle {
            y: inner.y + LINE + 2.0,
            ..inner
        };
        let text = cut(&said.below, size::BODY, font::REGULAR, inner.width);
        pen.text(text, font::REGULAR, t.text_muted, below, Left);
        pen.renderer.fill_quad(
            Quad {
                bounds: Rectangle {
                    x: bounds.x + space::M,
                    y: bounds.y + bounds.height - 1.0,
                    width: (bounds.width - space::M).max(0.0),
                    height: theme::HAIRLINE,
                },
                ..Quad::default()
            },
            Background::Color(t.hairline),
        );
    }

    fn read(&self, row: u64, bounds: Rectangle, text: &mut dyn FnMut(Rectangle, &str)) {
        if let Some(said) = self.said(row) {
            text(bounds, &said.title);
            text(bounds, &said.below);
            text(bounds, &said.end);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_from_right_to_left_does_not_turn_the_line() {
        let parts = ["דנה".to_owned(), String::new(), "1 kB".to_owned()];
        assert_eq!(join(&parts), "\u{200e}דנה\u{200e} · 1 kB");
    }
}
