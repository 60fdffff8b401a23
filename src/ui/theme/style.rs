//! How the toolkit's widgets look, from the tokens.

use iced::widget::{container, progress_bar, scrollable, slider as sliding, text, text_editor, text_input};
use iced::{Border, Color, Theme};

use super::{HAIRLINE, radius, tokens};

fn border(color: Color, width: f32, radius: f32) -> Border {
    Border {
        color,
        width,
        radius: radius.into(),
    }
}

pub fn muted(theme: &Theme) -> text::Style {
    colored(tokens(theme).text_muted)
}

pub fn accent(theme: &Theme) -> text::Style {
    colored(tokens(theme).accent)
}

pub fn danger(theme: &Theme) -> text::Style {
    colored(tokens(theme).danger)
}

pub fn warning(theme: &Theme) -> text::Style {
    colored(tokens(theme).warning)
}

pub fn success(theme: &Theme) -> text::Style {
    colored(tokens(theme).success)
}

fn colored(color: Color) -> text::Style {
    text::Style { color: Some(color) }
}

fn filled(background: Color, text: Color) -> container::Style {
    container::Style {
        background: Some(background.into()),
        text_color: Some(text),
        ..container::Style::default()
    }
}

pub fn surface(theme: &Theme) -> container::Style {
    filled(tokens(theme).surface, tokens(theme).text)
}

/// A pane that lets the window's own ground be seen, which is the surface. The software renderer paints whatever
/// reaches beyond what is repainted through a mask, and all of it: so each pane with a ground of its own is painted
/// whole whenever one of its rows changes.
pub fn ground(theme: &Theme) -> container::Style {
    container::Style {
        text_color: Some(tokens(theme).text),
        ..container::Style::default()
    }
}

pub fn sunken(theme: &Theme) -> container::Style {
    filled(tokens(theme).surface_sunken, tokens(theme).text)
}

/// A dialog or menu that floats over the window. Without a shadow, as everything here: the software renderer draws
/// shadows without a clip, so that every partial redraw darkens them anew.
pub fn floating(theme: &Theme) -> container::Style {
    let t = tokens(theme);
    container::Style {
        border: border(t.border, HAIRLINE, radius::CARD),
        ..filled(t.surface_raised, t.text)
    }
}

/// A quiet card within a surface.
pub fn card(theme: &Theme) -> container::Style {
    let t = tokens(theme);
    container::Style {
        border: border(t.hairline, HAIRLINE, radius::CARD),
        ..filled(t.surface_raised, t.text)
    }
}

/// A quiet bar: remote pictures, where the message lives.
pub fn bar(theme: &Theme) -> container::Style {
    let t = tokens(theme);
    container::Style {
        border: border(Color::TRANSPARENT, 0.0, radius::CONTROL),
        ..filled(t.surface_sunken, t.text_muted)
    }
}

pub fn warning_bar(theme: &Theme) -> container::Style {
    let t = tokens(theme);
    container::Style {
        border: border(Color::TRANSPARENT, 0.0, radius::CONTROL),
        ..filled(t.warning_soft, t.text)
    }
}

pub fn danger_bar(theme: &Theme) -> container::Style {
    let t = tokens(theme);
    container::Style {
        border: border(Color::TRANSPARENT, 0.0, radius::CONTROL),
        ..filled(t.danger_soft, t.text)
    }
}

pub fn tag(theme: &Theme) -> container::Style {
    let t = tokens(theme);
    container::Style {
        text_color: Some(t.text_muted),
        border: border(t.border, HAIRLINE, 4.0),
        ..container::Style::default()
    }
}

pub fn toast(theme: &Theme) -> container::Style {
    let t = tokens(theme);
    container::Style {
        border: border(Color::TRANSPARENT, 0.0, radius::CARD),
        ..filled(t.inverse, t.on_inverse)
    }
}

pub fn scrim(theme: &Theme) -> container::Style {
    container::Style {
        background: Some(tokens(theme).scrim.into()),
        ..container::Style::default()
    }
}

pub fn hairline(theme: &Theme) -> container::Style {
    container::Style {
        background: Some(tokens(theme).hairline.into()),
        ..container::Style::default()
    }
}

pub fn input(theme: &Theme, status: text_input::Status) -> text_input::Style {
    let t = tokens(theme);
    let focused = matches!(status, text_input::Status::Focused { .. });
    text_input::Style {
        background: t.surface.into(),
        border: if focused {
            border(t.focus, 2.0, radius::CONTROL)
        } else {
            border(t.border, HAIRLINE, radius::CONTROL)
        },
        icon: t.text_muted,
        placeholder: t.text_muted,
        value: t.text,
        selection: t.selection,
    }
}

/// A field without a box: the composer's header lines and the search box in its pane.
pub fn bare_input(theme: &Theme, status: text_input::Status) -> text_input::Style {
    let t = tokens(theme);
    let focused = matches!(status, text_input::Status::Focused { .. });
    let ring = if focused { t.focus } else { Color::TRANSPARENT };
    text_input::Style {
        background: Color::TRANSPARENT.into(),
        border: border(ring, HAIRLINE, radius::CONTROL),
        icon: t.text_muted,
        placeholder: t.text_muted,
        value: t.text,
        selection: t.selection,
    }
}

/// As large as its pane: the cursor in it says enough of the focus.
pub fn editor(theme: &Theme, _status: text_editor::Status) -> text_editor::Style {
    let t = tokens(theme);
    text_editor::Style {
        background: Color::TRANSPARENT.into(),
        border: border(Color::TRANSPARENT, 0.0, 0.0),
        placeholder: t.text_muted,
        value: t.text,
        selection: t.selection,
    }
}

pub fn scroll(theme: &Theme, status: scrollable::Status) -> scrollable::Style {
    let t = tokens(theme);
    let active = matches!(
        status,
        scrollable::Status::Hovered {
            is_vertical_scrollbar_hovered: true,
            ..
        } | scrollable::Status::Dragged { .. }
    );
    let rail = scrollable::Rail {
        background: None,
        border: Border::default(),
        scroller: scrollable::Scroller {
            background: if active { t.text_muted } else { t.border }.into(),
            border: border(Color::TRANSPARENT, 0.0, 4.0),
        },
    };
    scrollable::Style {
        container: container::Style::default(),
        vertical_rail: rail,
        horizontal_rail: rail,
        gap: None,
        ..scrollable::default(theme, status)
    }
}

/// The direction and width of every scroll bar of the toolkit's.
#[must_use]
pub fn vertical() -> scrollable::Direction {
    scrollable::Direction::Vertical(scrollable::Scrollbar::new().width(8).scroller_width(6).margin(2))
}

/// Around a chosen card of several.
pub fn chosen_card(theme: &Theme) -> container::Style {
    let t = tokens(theme);
    container::Style {
        border: border(t.accent, 2.0, radius::CARD),
        ..filled(t.surface_raised, t.text)
    }
}

pub fn tooltip(theme: &Theme) -> container::Style {
    let t = tokens(theme);
    container::Style {
        border: border(Color::TRANSPARENT, 0.0, radius::CONTROL),
        ..filled(t.inverse, t.on_inverse)
    }
}

/// The search box: sunken until it has the focus.
pub fn search(theme: &Theme, status: text_input::Status) -> text_input::Style {
    let t = tokens(theme);
    let plain = input(theme, status);
    if matches!(status, text_input::Status::Focused { .. }) {
        return plain;
    }
    text_input::Style {
        background: t.surface_sunken.into(),
        border: border(t.hairline, HAIRLINE, radius::CONTROL),
        ..plain
    }
}

/// A thin bar that fills up.
pub fn progress(theme: &Theme) -> progress_bar::Style {
    let t = tokens(theme);
    progress_bar::Style {
        background: t.hover.into(),
        bar: t.accent_fill.into(),
        border: border(Color::TRANSPARENT, 0.0, 2.0),
    }
}

/// A slider: the chosen part in the accent, a round handle.
pub fn slider(theme: &Theme, status: sliding::Status) -> sliding::Style {
    let t = tokens(theme);
    let fill = if status == sliding::Status::Active {
        t.accent_fill
    } else {
        t.accent_fill_hover
    };
    sliding::Style {
        rail: sliding::Rail {
            backgrounds: (fill.into(), t.border.into()),
            width: 4.0,
            border: border(Color::TRANSPARENT, 0.0, 2.0),
        },
        handle: sliding::Handle {
            shape: sliding::HandleShape::Circle { radius: 8.0 },
            background: fill.into(),
            border_width: 2.0,
            border_color: t.surface,
        },
    }
}
