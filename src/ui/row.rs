//! One line of the message list, as a card: drawn straight onto the window, every text cut to fit.

use iced::advanced::Renderer as _;
use iced::advanced::renderer::Quad;
use iced::advanced::svg::{Renderer as _, Svg};
use iced::advanced::text::{self, Renderer as _, Shaping, Text, Wrapping};
use iced::{Background, Border, Color, Font, Pixels, Point, Rectangle, Renderer, Size, Theme, alignment};
use posthorn_engine::catalog::Row;
use posthorn_model::query::Cursor;
use posthorn_model::{AccountId, Address, Flag, Where};

use crate::icon::Icon;
use crate::listing::{Listing, key};
use crate::measure::{cut, width};
use crate::t;
use crate::theme::{self, Tokens, account_color, font, line, size, space};
use crate::when::Clock;
use crate::widget::Rows;

/// The height of every card.
pub const HEIGHT: f32 = 76.0;
/// Left of the text: the unread dot.
const GUTTER: f32 = 24.0;
/// Where the star is, from the right edge.
const STAR: f32 = 28.0;
/// Rows drawn while nothing is known of the list.
const SKELETONS: u64 = 12;
const LINE: f32 = size::BODY * line::LIST;

/// The list's rows with all that drawing them needs.
pub struct Cards<'a> {
    pub listing: &'a Listing,
    pub clock: &'a Clock,
    /// The accounts in order, for their colours; empty where all rows are of one account.
    pub accounts: Vec<AccountId>,
    /// Whether this mailbox shows whom the mail went to.
    pub outgoing: bool,
}

/// Whether a click at this point of a card is on its star.
#[must_use]
pub fn is_star(at: Point, width: f32) -> bool {
    at.x > width - STAR - space::S && at.y > HEIGHT / 2.0
}

/// Writes lines of the list's size.
pub struct Pen<'a> {
    pub renderer: &'a mut Renderer,
}

impl Pen<'_> {
    pub fn text(
        &mut self,
        content: String,
        font: Font,
        color: Color,
        area: Rectangle,
        align: text::Alignment,
    ) {
        if content.is_empty() {
            return;
        }
        let x = if align == text::Alignment::Right {
            // Set from its start: the renderer repaints too little of a text that is set from its end.
            area.x + area.width - width(&content, size::BODY, font)
        } else {
            area.x
        };
        self.renderer.fill_text(
            Text {
                content,
                bounds: Size::new(area.width, area.height),
                size: Pixels(size::BODY),
                line_height: text::LineHeight::Absolute(Pixels(LINE)),
                font,
                align_x: text::Alignment::Left,
                align_y: alignment::Vertical::Top,
                shaping: Shaping::Auto,
                wrapping: Wrapping::None,
            },
            Point::new(x, area.y),
            color,
            area,
        );
    }

    fn fill(&mut self, bounds: Rectangle, color: Color, radius: f32) {
        self.renderer.fill_quad(
            Quad {
                bounds,
                border: Border {
                    color: Color::TRANSPARENT,
                    width: 0.0,
                    radius: radius.into(),
                },
                ..Quad::default()
            },
            Background::Color(color),
        );
    }

    fn icon(&mut self, icon: Icon, color: Color, x: f32, y: f32, side: f32) {
        let area = Rectangle::new(Point::new(x, y), Size::new(side, side));
        self.renderer
            .draw_svg(Svg::new(icon.handle()).color(color), area, area);
    }
}

/// Where the parts of a card stand.
struct Layout {
    text: Rectangle,
    date: f32,
}

impl Cards<'_> {
    fn layout(&self, row: &Row, bounds: Rectangle) -> Layout {
        let date = width(&self.clock.short(row.date), size::BODY, font::REGULAR);
        Layout {
            text: Rectangle {
                x: bounds.x + GUTTER,
                y: bounds.y + (HEIGHT - 3.0 * LINE - 2.0 * 2.0) / 2.0,
                width: (bounds.width - GUTTER - space::L).max(0.0),
                height: 3.0 * LINE,
            },
            date: date + 1.0,
        }
    }

    fn who(&self, row: &Row) -> String {
        match &row.to {
            Some(to) if self.outgoing => t!("list-to", name = to.display()),
            _ => authors(row),
        }
    }

    fn glyph(row: &Row) -> Option<Icon> {
        match row.lives {
            Where::Both => None,
            Where::OnlyHere => Some(Icon::Here),
            Where::HeadersOnly => Some(Icon::Server),
            Where::Leaving { .. } => Some(Icon::Clock),
        }
    }

    fn draw_texts(&self, row: &Row, bounds: Rectangle, t: &Tokens, pen: &mut Pen<'_>) {
        let unread = !row.flags.contains(Flag::Seen);
        let at = self.layout(row, bounds);
        let line_at = |n: f32, width: f32| Rectangle {
            y: at.text.y + n * (LINE + 2.0),
            width,
            height: LINE,
            ..at.text
        };
        let strong = if unread { font::SEMIBOLD } else { font::MEDIUM };
        let room = at.text.width - at.date - space::M;
        let who = self.who(row);
        let strong = font::suited(&who, strong);
        pen.text(
            cut(&who, size::BODY, strong, room),
            strong,
            t.text,
            line_at(0.0, room),
            text::Alignment::Left,
        );
        pen.text(
            self.clock.short(row.date),
            font::REGULAR,
            if unread { t.accent } else { t.text_muted },
            Rectangle {
                x: at.text.x + at.text.width - at.date,
                ..line_at(0.0, at.date)
            },
            text::Alignment::Right,
        );
        let marks = f32::from(u8::from(row.has_attachments) + u8::from(Self::glyph(row).is_some())) * 20.0;
        let room = at.text.width - marks - space::S;
        let subject = subject(row);
        let plain = font::suited(&subject, if unread { font::MEDIUM } else { font::REGULAR });
        pen.text(
            cut(&subject, size::BODY, plain, room),
            plain,
            t.text,
            line_at(1.0, room),
            text::Alignment::Left,
        );
        let room = at.text.width - STAR;
        pen.text(
            cut(&row.preview, size::BODY, font::REGULAR, room),
            font::REGULAR,
            t.text_muted,
            line_at(2.0, room),
            text::Alignment::Left,
        );
    }

    fn draw_marks(&self, row: &Row, hovered: bool, bounds: Rectangle, t: &Tokens, pen: &mut Pen<'_>) {
        let at = self.layout(row, bounds);
        let right = at.text.x + at.text.width;
        if !row.flags.contains(Flag::Seen) {
            let dot = Rectangle::new(
                Point::new(bounds.x + 10.0, at.text.y + LINE / 2.0 - 3.5),
                Size::new(7.0, 7.0),
            );
            pen.fill(dot, t.accent, 3.5);
        }
        let mut x = right;
        let y = at.text.y + LINE + 2.0;
        for icon in [Self::glyph(row), row.has_attachments.then_some(Icon::Attachment)]
            .into_iter()
            .flatten()
        {
            x -= 15.0;
            pen.icon(icon, t.text_muted, x, y + 1.0, 15.0);
            x -= 5.0;
        }
        let starred = row.flags.contains(Flag::Flagged);
        if starred || hovered {
            let (icon, color) = if starred {
                (Icon::StarFull, t.accent)
            } else {
                (Icon::Star, t.text_muted)
            };
            pen.icon(icon, color, right - 15.0, at.text.y + 2.0 * (LINE + 2.0), 15.0);
        }
        if let Some(n) = self.accounts.iter().position(|id| *id == row.account) {
            let bar = Rectangle::new(
                Point::new(bounds.x, bounds.y + 8.0),
                Size::new(theme::ACCOUNT_BAR, HEIGHT - 16.0),
            );
            pen.fill(bar, account_color(t, n), 1.5);
        }
    }
}

/// Everyone who wrote the message, or words for nobody.
#[must_use]
pub fn authors(row: &Row) -> String {
    if row.from.is_empty() {
        t!("list-nobody")
    } else {
        Address::display_all(&row.from)
    }
}

/// The subject, or words for its absence.
#[must_use]
pub fn subject(row: &Row) -> String {
    if row.subject.trim().is_empty() {
        t!("list-no-subject")
    } else {
        row.subject.clone()
    }
}

impl Rows for Cards<'_> {
    type Key = Cursor;

    fn total(&self) -> u64 {
        if self.listing.loaded {
            self.listing.total
        } else {
            SKELETONS
        }
    }

    fn key(&self, row: u64) -> Option<Cursor> {
        self.listing.row(row).map(key)
    }

    fn find(&self, key: Cursor) -> Option<u64> {
        self.listing.find(key)
    }

    fn draw(&self, number: u64, hovered: bool, bounds: Rectangle, renderer: &mut Renderer, theme: &Theme) {
        let t = theme::tokens(theme);
        let mut pen = Pen { renderer };
        let Some(row) = self.listing.row(number) else {
            skeleton(number, bounds, t, &mut pen);
            return;
        };
        let selected = self.listing.selected.contains(&key(row));
        let current = self.listing.cursor == Some(key(row));
        if selected || hovered {
            pen.fill(bounds, if selected { t.accent_soft } else { t.hover }, 0.0);
        }
        if current && self.listing.selected.len() > 1 {
            let edge = Rectangle {
                x: bounds.x + bounds.width - 3.0,
                width: 3.0,
                ..bounds
            };
            pen.fill(edge, t.accent, 0.0);
        }
        self.draw_texts(row, bounds, t, &mut pen);
        self.draw_marks(row, hovered, bounds, t, &mut pen);
        if !selected {
            let rule = Rectangle {
                x: bounds.x + GUTTER,
                y: bounds.y + HEIGHT - theme::HAIRLINE,
                width: bounds.width - GUTTER,
                height: theme::HAIRLINE,
            };
            pen.fill(rule, t.hairline, 0.0);
        }
    }

    fn read(&self, number: u64, bounds: Rectangle, text: &mut dyn FnMut(Rectangle, &str)) {
        if let Some(row) = self.listing.row(number) {
            text(bounds, &subject(row));
            text(bounds, &self.who(row));
        }
    }
}

/// A row that is not here yet: bars where its texts will be.
fn skeleton(number: u64, bounds: Rectangle, t: &Tokens, pen: &mut Pen<'_>) {
    let room = (bounds.width - GUTTER - space::L).max(0.0);
    // Uneven, so that it reads as text.
    let uneven = [0.62, 0.48, 0.71, 0.55];
    let share = |at: u64| {
        let at = usize::try_from((number + at) % 4).unwrap_or(0);
        uneven.get(at).copied().unwrap_or(0.5)
    };
    for (n, width) in [(0.0_f32, share(0) * 0.6), (1.0, share(1)), (2.0, share(2) + 0.2)] {
        let bar = Rectangle::new(
            Point::new(bounds.x + GUTTER, bounds.y + 15.0 + n * (LINE + 2.0)),
            Size::new(room * width, 9.0),
        );
        pen.fill(bar, t.hover, 4.0);
    }
}
