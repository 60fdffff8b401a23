//! Attributes from before CSS as the declarations that HTML section 15 gives them.

use std::fmt::Write as _;

use super::tree::{Element, Quirks};

/// What cells take from their table.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct TableAttributes {
    padding: Option<f32>,
    has_border: bool,
    border_color: Option<u32>,
}

impl TableAttributes {
    pub(super) fn of(table: &Element) -> TableAttributes {
        TableAttributes {
            padding: table
                .attribute("cellpadding")
                .and_then(parse_number)
                .map(|value| value.min(500.0)),
            has_border: table
                .attribute("border")
                .is_some_and(|value| border_width(value) > 0.0),
            border_color: table.attribute("bordercolor").and_then(parse_color),
        }
    }
}

/// The declarations that an element's attributes stand for. `background` pictures are not among them.
pub(super) fn declare(element: &Element, inherited: TableAttributes, quirks: Quirks) -> String {
    let mut out = String::new();
    let name = element.local();
    match name {
        "table" => declare_table(element, &mut out),
        "td" | "th" => declare_cell(element, inherited, &mut out),
        "tr" | "tbody" | "thead" | "tfoot" => declare_length(element, "height", "height", false, &mut out),
        "col" | "colgroup" => declare_length(element, "width", "width", false, &mut out),
        "img" => declare_picture(element, quirks, &mut out),
        "hr" => declare_rule(element, &mut out),
        "font" => declare_font(element, &mut out),
        "body" => declare_body(element, &mut out),
        "br" => declare_clear(element, &mut out),
        "ol" | "ul" | "li" => declare_list(element, &mut out),
        "pre" if element.attribute("wrap").is_some() => out.push_str("white-space:pre-wrap;"),
        "nobr" => out.push_str("white-space:nowrap;"),
        _ => {}
    }
    if is_table_part(name) || matches!(name, "body" | "table") {
        declare_color(element, "bgcolor", "background-color", &mut out);
    }
    declare_align(element, &mut out);
    out
}

fn is_table_part(name: &str) -> bool {
    matches!(
        name,
        "td" | "th" | "tr" | "tbody" | "thead" | "tfoot" | "col" | "colgroup"
    )
}

fn declare_table(table: &Element, out: &mut String) {
    if let Some(border) = table.attribute("border") {
        let width = border_width(border);
        if width > 0.0 {
            let _ = write!(out, "border:{width}px outset gray;");
            declare_color(table, "bordercolor", "border-color", out);
        }
    }
    if let Some(spacing) = table.attribute("cellspacing").and_then(parse_number) {
        let _ = write!(out, "border-spacing:{}px;", spacing.min(500.0));
    }
    declare_length(table, "width", "width", true, out);
    declare_length(table, "height", "height", true, out);
    match lower(table, "align").as_deref() {
        Some("center") => out.push_str("margin-left:auto;margin-right:auto;"),
        Some("left") => out.push_str("float:left;"),
        Some("right") => out.push_str("float:right;"),
        _ => {}
    }
}

fn declare_cell(cell: &Element, table: TableAttributes, out: &mut String) {
    if let Some(padding) = table.padding {
        let _ = write!(out, "padding:{padding}px;");
    }
    if table.has_border {
        out.push_str("border:1px inset gray;");
        if let Some(color) = table.border_color {
            let _ = write!(out, "border-color:#{color:06x};");
        }
    }
    declare_length(cell, "width", "width", true, out);
    declare_length(cell, "height", "height", true, out);
    if cell.attribute("nowrap").is_some() {
        out.push_str("white-space:nowrap;");
    }
}

fn declare_picture(picture: &Element, quirks: Quirks, out: &mut String) {
    declare_length(picture, "width", "width", false, out);
    declare_length(picture, "height", "height", false, out);
    if let Some(border) = picture.attribute("border").and_then(parse_number) {
        let _ = write!(out, "border:{}px solid;", border.min(100.0));
    }
    for (attribute, sides) in [("hspace", ["left", "right"]), ("vspace", ["top", "bottom"])] {
        if let Some(space) = picture.attribute(attribute).and_then(parse_length) {
            for side in sides {
                let _ = write!(out, "margin-{side}:{space};");
            }
        }
    }
    let side = lower(picture, "align");
    match side.as_deref() {
        Some("left") => out.push_str("float:left;"),
        Some("right") => out.push_str("float:right;"),
        Some("top" | "texttop") => out.push_str("vertical-align:top;"),
        Some("middle" | "absmiddle" | "center" | "abscenter") => out.push_str("vertical-align:middle;"),
        Some("bottom" | "absbottom") => out.push_str("vertical-align:bottom;"),
        _ => {}
    }
    if quirks == Quirks::Full {
        match side.as_deref() {
            Some("left") => out.push_str("margin-right:3px;"),
            Some("right") => out.push_str("margin-left:3px;"),
            _ => {}
        }
    }
}

fn declare_rule(rule: &Element, out: &mut String) {
    declare_length(rule, "width", "width", false, out);
    if let Some(color) = rule.attribute("color").and_then(parse_color) {
        let _ = write!(
            out,
            "border-style:solid;border-color:#{color:06x};background:#{color:06x};"
        );
    } else if rule.attribute("noshade").is_some() {
        out.push_str("border-style:solid;border-color:gray;background:gray;");
    }
    match rule.attribute("size").and_then(parse_number) {
        Some(size) if size <= 1.0 => out.push_str("border-bottom-width:0;"),
        Some(size) => {
            let _ = write!(out, "height:{}px;", (size - 2.0).clamp(0.0, 200.0));
        }
        None => {}
    }
    match lower(rule, "align").as_deref() {
        Some("left") => out.push_str("margin-left:0;margin-right:auto;"),
        Some("right") => out.push_str("margin-left:auto;margin-right:0;"),
        _ => {}
    }
}

fn declare_font(font: &Element, out: &mut String) {
    declare_color(font, "color", "color", out);
    if let Some(face) = font.attribute("face") {
        let families: Vec<String> = face
            .chars()
            .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | ',' | '-' | '_'))
            .take(300)
            .collect::<String>()
            .split(',')
            .map(str::trim)
            .filter(|family| !family.is_empty())
            .map(|family| match family.to_ascii_lowercase().as_str() {
                generic @ ("serif" | "sans-serif" | "monospace" | "cursive" | "fantasy") => {
                    generic.to_owned()
                }
                _ => format!("\"{family}\""),
            })
            .collect();
        if !families.is_empty() {
            let _ = write!(out, "font-family:{};", families.join(","));
        }
    }
    if let Some(size) = font.attribute("size").and_then(parse_font_size) {
        let _ = write!(out, "font-size:{size};");
    }
}

fn declare_body(body: &Element, out: &mut String) {
    declare_color(body, "text", "color", out);
    for (attribute, sides) in [
        ("marginwidth", &["left", "right"][..]),
        ("marginheight", &["top", "bottom"]),
        ("leftmargin", &["left"]),
        ("topmargin", &["top"]),
        ("rightmargin", &["right"]),
        ("bottommargin", &["bottom"]),
    ] {
        if let Some(margin) = body.attribute(attribute).and_then(parse_number) {
            for side in sides {
                let _ = write!(out, "margin-{side}:{}px;", margin.min(1_000.0));
            }
        }
    }
}

fn declare_clear(line_break: &Element, out: &mut String) {
    match lower(line_break, "clear").as_deref() {
        Some("all" | "both") => out.push_str("clear:both;"),
        Some("left") => out.push_str("clear:left;"),
        Some("right") => out.push_str("clear:right;"),
        _ => {}
    }
}

fn declare_list(list: &Element, out: &mut String) {
    let style = match list.attribute("type").map(str::trim) {
        Some("1") => "decimal",
        Some("a") => "lower-alpha",
        Some("A") => "upper-alpha",
        Some("i") => "lower-roman",
        Some("I") => "upper-roman",
        Some(other) => match other.to_ascii_lowercase().as_str() {
            "disc" => "disc",
            "circle" => "circle",
            "square" => "square",
            "none" => "none",
            _ => return,
        },
        None => return,
    };
    let _ = write!(out, "list-style-type:{style};");
}

fn declare_align(element: &Element, out: &mut String) {
    let name = element.local();
    if let Some(align) = lower(element, "valign")
        && (is_table_part(name))
    {
        match align.as_str() {
            "top" | "middle" | "bottom" | "baseline" => {
                let _ = write!(out, "vertical-align:{align};");
            }
            "center" => out.push_str("vertical-align:middle;"),
            _ => {}
        }
    }
    // Aligns blocks within it too, which text-align alone does not.
    let aligns_blocks = is_table_part(name) || matches!(name, "div" | "p");
    let aligns_text = matches!(
        name,
        "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "caption" | "legend"
    );
    if !aligns_blocks && !aligns_text {
        return;
    }
    match lower(element, "align").as_deref() {
        Some("center") if aligns_blocks => out.push_str("text-align:-moz-center;"),
        Some("right") if aligns_blocks => out.push_str("text-align:-moz-right;"),
        Some("left") if aligns_blocks => out.push_str("text-align:-moz-left;"),
        Some("center" | "middle" | "absmiddle") => out.push_str("text-align:center;"),
        Some("right") => out.push_str("text-align:right;"),
        Some("left") => out.push_str("text-align:left;"),
        Some("justify") => out.push_str("text-align:justify;"),
        _ => {}
    }
}

fn declare_color(element: &Element, attribute: &str, property: &str, out: &mut String) {
    if let Some(color) = element.attribute(attribute).and_then(parse_color) {
        let _ = write!(out, "{property}:#{color:06x};");
    }
}

fn declare_length(element: &Element, attribute: &str, property: &str, skips_zero: bool, out: &mut String) {
    if let Some(length) = element.attribute(attribute).and_then(parse_length)
        && !(skips_zero && (length == "0px" || length == "0%"))
    {
        let _ = write!(out, "{property}:{length};");
    }
}

fn lower(element: &Element, attribute: &str) -> Option<String> {
    element
        .attribute(attribute)
        .map(|value| value.trim().to_ascii_lowercase())
}

fn border_width(value: &str) -> f32 {
    parse_number(value).unwrap_or(1.0).min(100.0)
}

/// The digits that a value begins with.
pub(super) fn parse_number(value: &str) -> Option<f32> {
    let value = value.trim_start();
    let value = value.strip_prefix('+').unwrap_or(value);
    let end = value
        .find(|c: char| !(c.is_ascii_digit() || c == '.'))
        .unwrap_or(value.len());
    let number: f32 = value.get(..end)?.parse().ok()?;
    number.is_finite().then_some(number.clamp(0.0, 20_000.0))
}

/// HTML's rules for dimension values (section 2.3.4.4): pixels, or per cent.
fn parse_length(value: &str) -> Option<String> {
    let number = parse_number(value)?;
    let rest = value
        .trim_start()
        .trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | '+'));
    Some(if rest.starts_with('%') {
        format!("{}%", number.min(1_000.0))
    } else {
        format!("{number}px")
    })
}

fn parse_font_size(value: &str) -> Option<&'static str> {
    let value = value.trim();
    let (sign, digits) = match value.strip_prefix(['+', '-']) {
        Some(digits) => (if value.starts_with('-') { -1 } else { 1 }, digits),
        None => (0, value),
    };
    #[expect(clippy::cast_possible_truncation, reason = "clamped to seven sizes")]
    let number = parse_number(digits)?.min(100.0) as i32;
    let size = if sign == 0 { number } else { 3 + sign * number };
    Some(match size.clamp(1, 7) {
        1 => "x-small",
        2 => "small",
        3 => "medium",
        4 => "large",
        5 => "x-large",
        6 => "xx-large",
        _ => "xxx-large",
    })
}

/// HTML's rules for legacy colours (section 2.3.6): everything is one.
fn parse_color(value: &str) -> Option<u32> {
    let value = value.trim();
    if value.is_empty() || value.eq_ignore_ascii_case("transparent") {
        return None;
    }
    if let Ok((red, green, blue)) = cssparser::color::parse_named_color(value) {
        return Some(u32::from(red) << 16 | u32::from(green) << 8 | u32::from(blue));
    }
    let digits = value.strip_prefix('#').unwrap_or(value);
    if value.starts_with('#') && digits.len() == 3 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return digits
            .chars()
            .filter_map(|digit| digit.to_digit(16))
            .try_fold(0_u32, |sum, digit| Some((sum << 8) | (digit * 17)));
    }
    let mut digits: Vec<u32> = digits
        .chars()
        .take(128)
        .map(|c| c.to_digit(16).unwrap_or(0))
        .collect();
    while digits.is_empty() || !digits.len().is_multiple_of(3) {
        digits.push(0);
    }
    let length = digits.len() / 3;
    let skipped = length.saturating_sub(8);
    let parts: Vec<&[u32]> = digits
        .chunks(length)
        .map(|part| part.get(skipped..).unwrap_or(part))
        .collect();
    let length = length - skipped;
    let zeros = (0..length.saturating_sub(2))
        .take_while(|at| parts.iter().all(|part| part.get(*at) == Some(&0)))
        .count();
    let wide = length > 1;
    parts.iter().try_fold(0_u32, |sum, part| {
        let high = part.get(zeros).copied().unwrap_or(0);
        let low = part.get(zeros + 1).copied().unwrap_or(0);
        Some((sum << 8) | if wide { high * 16 + low } else { high })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colors_are_read_as_browsers_do() {
        for (value, expect) in [
            ("red", Some(0xff_0000)),
            ("#ABC", Some(0xaa_bbcc)),
            ("#336699", Some(0x33_6699)),
            ("336699", Some(0x33_6699)),
            ("chucknorris", Some(0xc0_0000)),
            ("#ff", Some(0x0f_0f00)),
            ("transparent", None),
            ("", None),
        ] {
            assert_eq!(parse_color(value), expect, "{value}");
        }
    }

    #[test]
    fn lengths_are_pixels_or_per_cent() {
        for (value, expect) in [
            ("600", Some("600px")),
            (" 50% ", Some("50%")),
            ("600px", Some("600px")),
            ("12.5%", Some("12.5%")),
            ("auto", None),
            ("*", None),
            ("-5", None),
            ("9999999", Some("20000px")),
        ] {
            assert_eq!(parse_length(value).as_deref(), expect, "{value}");
        }
    }
}
