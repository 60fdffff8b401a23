//! Text in the agreed sizes and weights.

use iced::widget::text::IntoFragment;
use iced::widget::{Text, text};

use crate::theme::{font, line, size, style};

pub fn body<'a>(words: impl IntoFragment<'a>) -> Text<'a> {
    text(words).size(size::BODY).line_height(line::LIST)
}

pub fn muted<'a>(words: impl IntoFragment<'a>) -> Text<'a> {
    body(words).style(style::muted)
}

pub fn strong<'a>(words: impl IntoFragment<'a>) -> Text<'a> {
    body(words).font(font::SEMIBOLD)
}

pub fn caption<'a>(words: impl IntoFragment<'a>) -> Text<'a> {
    text(words)
        .size(size::CAPTION)
        .line_height(line::LIST)
        .style(style::muted)
}

pub fn title<'a>(words: impl IntoFragment<'a>) -> Text<'a> {
    text(words)
        .size(size::TITLE)
        .line_height(line::LIST)
        .font(font::SEMIBOLD)
}

/// Longer text that people read.
pub fn reading<'a>(words: impl IntoFragment<'a>) -> Text<'a> {
    text(words).size(size::READING).line_height(line::READING)
}
