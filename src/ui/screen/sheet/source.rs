//! A message as it came: its headers, or all of it, to read, mark and copy.

use iced::widget::{column, container, row, space, text_editor};
use iced::{Center, Element, Fill};

use super::Outcome;
use crate::app::Action;
use crate::t;
use crate::theme::{font, line, space as gap, style};
use crate::when;
use crate::widget::{Kind, button, rule, words};

/// More than this is saved rather than read.
const LONG: usize = 128 * 1024;

/// What happened.
#[derive(Clone, Debug)]
pub enum Message {
    Acted(text_editor::Action),
    CopyPressed,
    ClosePressed,
}

/// See the module.
#[derive(Debug)]
pub struct Source {
    content: text_editor::Content,
    text: String,
    headers: bool,
    /// How many bytes are not shown.
    more: usize,
}

// The editor's content cannot be cloned cheaply, and a dialog is only cloned by tests.
impl Clone for Source {
    fn clone(&self) -> Self {
        Self {
            content: text_editor::Content::with_text(&self.text),
            text: self.text.clone(),
            headers: self.headers,
            more: self.more,
        }
    }
}

impl Source {
    #[must_use]
    pub fn new(raw: &[u8], headers: bool) -> Self {
        let whole = if headers { head(raw) } else { raw };
        let shown = whole.get(..whole.len().min(LONG)).unwrap_or(whole);
        let text = readable(shown);
        Self {
            content: text_editor::Content::with_text(&text),
            text,
            headers,
            more: whole.len() - shown.len(),
        }
    }

    pub fn update(&mut self, message: Message) -> Outcome {
        match message {
            Message::Acted(action) if action.is_edit() => Outcome::Stay,
            Message::Acted(action) => {
                self.content.perform(action);
                Outcome::Stay
            }
            Message::CopyPressed => {
                let marked = self.content.selection().filter(|text| !text.is_empty());
                Outcome::Act(Action::Copy(marked.unwrap_or_else(|| self.text.clone())))
            }
            Message::ClosePressed => Outcome::Close,
        }
    }
}

/// The headers: up to the first empty line.
fn head(raw: &[u8]) -> &[u8] {
    let end = raw.windows(2).enumerate().find_map(|(at, pair)| match pair {
        b"\n\n" => Some(at + 1),
        b"\n\r" => Some(at + 1),
        _ => None,
    });
    raw.get(..end.unwrap_or(raw.len())).unwrap_or(raw)
}

/// Bytes as text that shows what is there: no line ends of other systems, nothing that turns the writing about.
fn readable(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes)
        .replace("\r\n", "\n")
        .chars()
        .map(|c| match c {
            '\n' | '\t' => c,
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' => '\u{fffd}',
            c if c.is_control() => '\u{fffd}',
            c => c,
        })
        .collect()
}

pub fn view(source: &Source) -> Element<'_, Message> {
    let title = if source.headers {
        t!("headers-title")
    } else {
        t!("source-title")
    };
    let editor = text_editor(&source.content)
        .on_action(Message::Acted)
        .font(font::MONO)
        .size(12)
        .line_height(line::LIST)
        .padding(gap::M)
        .height(440)
        .style(style::editor);
    let mut below = row![].spacing(gap::S).align_y(Center);
    if source.more > 0 {
        let size = when::size(u64::try_from(source.more).unwrap_or(u64::MAX));
        below = below.push(words::caption(t!("source-more", size = size)));
    }
    below = below
        .push(space::horizontal())
        .push(button(t!("action-copy"), Kind::Secondary).on_press(Message::CopyPressed));
    column![
        row![
            iced::widget::text(title).size(16).font(font::SEMIBOLD),
            space::horizontal(),
            super::view::closer(Message::ClosePressed)
        ]
        .align_y(Center),
        rule(),
        container(editor).width(Fill).style(style::bar),
        below
    ]
    .spacing(gap::M)
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_end_at_the_first_empty_line() {
        for (raw, expect) in [
            ("A: 1\r\nB: 2\r\n\r\nbody\r\n\r\nmore", "A: 1\nB: 2\n"),
            ("A: 1\n\nbody", "A: 1\n"),
            ("A: 1", "A: 1"),
            ("", ""),
        ] {
            assert_eq!(Source::new(raw.as_bytes(), true).text, expect, "{raw:?}");
        }
    }

    #[test]
    fn nothing_that_turns_the_writing_about_is_hidden() {
        let source = Source::new("a\u{202e}b\u{7}c\r\n".as_bytes(), false);
        assert_eq!(source.text, "a\u{fffd}b\u{fffd}c\n");
    }

    #[test]
    fn a_very_long_message_is_shown_in_part() {
        let source = Source::new(&vec![b'x'; LONG + 10], false);
        assert_eq!((source.text.len(), source.more), (LONG, 10));
    }
}
