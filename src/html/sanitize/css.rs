//! CSS token by token: what could load, hang or hide is left out, and every number is kept within what a message
//! can need. Huge lengths make a painter emit geometry without end, and a division by nothing reaches infinity.

use std::collections::HashMap;

use cssparser::{ParseError, Parser, ToCss, Token};

use super::addresses::{Addresses, Shelf, Supply};
use crate::page::BlockedKind;

/// CSS of one message, in bytes; styles beyond it are dropped.
const MAX_CSS: usize = 2 * 1024 * 1024;
/// One declaration: thousands of shadows or gradient stops are no message's.
const MAX_DECLARATION: usize = 4 * 1024;
const MAX_DEPTH: usize = 24;
/// Distinct `style` attributes remembered.
const MAX_REMEMBERED: usize = 4_000;

/// Attributes that selectors ask for and that the sanitised document has under another name, because the engine
/// would read them in its own way.
pub(super) const RENAMED: &[&str] = &[
    "width",
    "height",
    "align",
    "valign",
    "bgcolor",
    "border",
    "cellpadding",
    "cellspacing",
    "style",
    "color",
    "size",
    "face",
];

pub(super) struct Css {
    left: usize,
    remembered: HashMap<String, String>,
    asks_scheme: bool,
    pub(super) has_dark_rules: bool,
    /// A selector asks for what stands in `style` attributes.
    pub(super) asks_style: bool,
}

/// What a run of tokens stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Declarations or rules, ended by `;` or by a block.
    Block,
    /// Within brackets.
    Value,
    /// Within square brackets: mostly an attribute selector.
    Attribute,
}

/// The declaration that is being copied.
struct Statement {
    start: usize,
    /// The first word, until something other than a colon follows.
    first: Option<String>,
    property: Option<String>,
    is_open: bool,
    is_refused: bool,
}

impl Statement {
    fn new(start: usize) -> Statement {
        Statement {
            start,
            first: None,
            property: None,
            is_open: false,
            is_refused: false,
        }
    }

    fn take(&mut self, token: &Token<'_>) {
        match token {
            Token::WhiteSpace(_) | Token::Comment(_) => return,
            Token::Ident(name) if !self.is_open => self.first = Some(name.to_ascii_lowercase()),
            Token::Colon if self.property.is_none() => self.property = self.first.take(),
            _ => self.first = None,
        }
        self.is_open = true;
    }
}

impl Default for Css {
    fn default() -> Css {
        Css {
            left: MAX_CSS,
            remembered: HashMap::new(),
            asks_scheme: false,
            has_dark_rules: false,
            asks_style: false,
        }
    }
}

/// Where refusals go and pictures come from.
pub(super) struct Outside<'a> {
    pub(super) addresses: &'a mut Addresses,
    pub(super) shelf: &'a mut dyn Shelf,
}

impl Css {
    /// A style sheet or the declarations of a `style` attribute, safe to stand in either.
    pub(super) fn filter(&mut self, css: &str, outside: &mut Outside<'_>) -> String {
        if css.len() > self.left {
            outside.addresses.refuse(BlockedKind::Style, "");
            return String::new();
        }
        if let Some(known) = self.remembered.get(css) {
            return known.clone();
        }
        self.left -= css.len();
        let mut out = String::with_capacity(css.len());
        self.copy(&mut Parser::new(css), &mut out, Place::Block, 0, outside);
        if css.len() < MAX_DECLARATION && self.remembered.len() < MAX_REMEMBERED {
            self.remembered.insert(css.to_owned(), out.clone());
        }
        out
    }

    fn copy(
        &mut self,
        parser: &mut Parser<'_>,
        out: &mut String,
        place: Place,
        depth: usize,
        outside: &mut Outside<'_>,
    ) {
        let mut statement = Statement::new(out.len());
        let mut follows_dot = false;
        while let Ok(token) = parser.next_including_whitespace_and_comments() {
            let token = token.clone();
            if place == Place::Block && matches!(token, Token::Semicolon) {
                finish(&statement, out);
                out.push(';');
                statement = Statement::new(out.len());
                continue;
            }
            statement.take(&token);
            match &token {
                Token::AtKeyword(name) => {
                    let name = name.to_ascii_lowercase();
                    if matches!(name.as_str(), "media" | "supports" | "layer") {
                        out.push('@');
                        out.push_str(&name);
                    } else {
                        skip_rule(parser, &name, outside);
                        statement = Statement::new(out.len());
                    }
                }
                Token::CurlyBracketBlock => {
                    self.copy_block(parser, out, ('{', '}'), Place::Block, depth, outside);
                    statement = Statement::new(out.len());
                }
                Token::ParenthesisBlock => {
                    self.copy_block(parser, out, ('(', ')'), Place::Value, depth, outside);
                }
                Token::SquareBracketBlock => {
                    self.copy_block(parser, out, ('[', ']'), Place::Attribute, depth, outside);
                }
                Token::Function(name) => {
                    let name = name.to_ascii_lowercase();
                    statement.is_refused |= self.copy_function(parser, out, &name, depth, outside);
                }
                Token::UnquotedUrl(address) => put_picture(address, out, outside),
                // A picture that is not here stands in the document as another element.
                Token::Ident(name)
                    if name.eq_ignore_ascii_case("img") && !follows_dot && place != Place::Attribute =>
                {
                    out.push_str(":is(img,x-img)");
                }
                Token::Ident(name) => self.copy_word(name, out, place, &mut statement),
                _ => copy_plain(&token, out),
            }
            follows_dot = matches!(token, Token::Delim('.'));
            if statement.property.is_some() && is_refused_property(&mut statement, outside) {
                statement.is_refused = true;
            }
        }
        if place == Place::Block {
            finish(&statement, out);
        }
    }

    fn copy_block(
        &mut self,
        parser: &mut Parser<'_>,
        out: &mut String,
        (open, close): (char, char),
        place: Place,
        depth: usize,
        outside: &mut Outside<'_>,
    ) {
        out.push(open);
        let _ = parser.parse_nested_block(|parser| {
            if depth < MAX_DEPTH {
                self.copy(parser, out, place, depth + 1, outside);
            }
            Ok::<_, ParseError<()>>(())
        });
        out.push(close);
    }

    /// Whether the declaration around it must go.
    fn copy_function(
        &mut self,
        parser: &mut Parser<'_>,
        out: &mut String,
        name: &str,
        depth: usize,
        outside: &mut Outside<'_>,
    ) -> bool {
        match name {
            "url" | "src" => {
                let address = first_string(parser);
                put_picture(&address, out, outside);
            }
            "expression" => {
                outside.addresses.refuse(BlockedKind::Script, "");
                return true;
            }
            "image-set" | "-webkit-image-set" | "image" | "cross-fade" | "element" | "paint" | "attr"
            | "env" => {
                return true;
            }
            "calc" | "min" | "max" | "clamp" | "-webkit-calc" | "-moz-calc" if divides(parser, 0) => {
                return true;
            }
            _ if !name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')) =>
            {
                return true;
            }
            _ => {
                out.push_str(name);
                self.copy_block(parser, out, ('(', ')'), Place::Value, depth, outside);
            }
        }
        false
    }

    fn copy_word(&mut self, name: &str, out: &mut String, place: Place, statement: &mut Statement) {
        let lower = name.to_ascii_lowercase();
        match lower.as_str() {
            "infinity" | "-infinity" | "nan" => out.push('0'),
            // The pane is the device.
            "min-device-width" => out.push_str("min-width"),
            "max-device-width" => out.push_str("max-width"),
            _ if place == Place::Attribute && RENAMED.contains(&lower.as_str()) => {
                self.asks_style |= lower == "style";
                out.push_str("was-");
                out.push_str(&lower);
            }
            _ => {
                match lower.as_str() {
                    "prefers-color-scheme" => self.asks_scheme = true,
                    "dark" if self.asks_scheme => {
                        self.has_dark_rules = true;
                        self.asks_scheme = false;
                    }
                    "light" => self.asks_scheme = false,
                    "fixed" | "sticky" | "-webkit-sticky"
                        if statement.property.as_deref() == Some("position") =>
                    {
                        statement.is_refused = true;
                    }
                    _ => {}
                }
                copy_plain(&Token::Ident(name.into()), out);
            }
        }
    }
}

fn finish(statement: &Statement, out: &mut String) {
    if statement.is_refused || (statement.property.is_some() && out.len() - statement.start > MAX_DECLARATION)
    {
        out.truncate(statement.start);
    }
}

fn is_refused_property(statement: &mut Statement, outside: &mut Outside<'_>) -> bool {
    let Some(property) = statement.property.as_deref() else {
        return false;
    };
    match property {
        "behavior" | "-moz-binding" => {
            if !statement.is_refused {
                outside.addresses.refuse(BlockedKind::Script, "");
            }
            true
        }
        "will-change" | "cursor" | "content-visibility" | "contain" | "container" | "zoom" => true,
        "mask" | "mask-image" | "-webkit-mask" | "-webkit-mask-image" | "filter" | "backdrop-filter" => true,
        _ => {
            property.starts_with("mso-")
                || property.starts_with("animation")
                || property.starts_with("transition")
                || property.starts_with("-webkit-animation")
                || property.starts_with("-webkit-transition")
                || property.starts_with("-ms-")
        }
    }
}

/// Passes over an at-rule with its block, telling what it would have loaded.
fn skip_rule(parser: &mut Parser<'_>, name: &str, outside: &mut Outside<'_>) {
    let kind = match name {
        "import" => Some(BlockedKind::Style),
        "font-face" => Some(BlockedKind::Font),
        _ => None,
    };
    let mut address = None;
    while let Ok(token) = parser.next() {
        match token.clone() {
            Token::Semicolon => break,
            Token::CurlyBracketBlock => {
                let _ = parser.parse_nested_block(|parser| {
                    find_address(parser, &mut address, 0);
                    Ok::<_, ParseError<()>>(())
                });
                break;
            }
            token => take_address(&token, parser, &mut address, 0),
        }
    }
    if let Some(kind) = kind {
        outside.addresses.refuse(kind, &address.unwrap_or_default());
    }
}

fn find_address(parser: &mut Parser<'_>, found: &mut Option<String>, depth: usize) {
    while let Ok(token) = parser.next() {
        let token = token.clone();
        take_address(&token, parser, found, depth);
    }
}

fn take_address(token: &Token<'_>, parser: &mut Parser<'_>, found: &mut Option<String>, depth: usize) {
    match token {
        Token::UnquotedUrl(address) if found.is_none() => *found = Some(address.to_string()),
        Token::QuotedString(address) if found.is_none() && address.contains('/') => {
            *found = Some(address.to_string());
        }
        Token::Function(_)
        | Token::ParenthesisBlock
        | Token::SquareBracketBlock
        | Token::CurlyBracketBlock => {
            let _ = parser.parse_nested_block(|parser| {
                if depth < MAX_DEPTH {
                    find_address(parser, found, depth + 1);
                }
                Ok::<_, ParseError<()>>(())
            });
        }
        _ => {}
    }
}

fn first_string(parser: &mut Parser<'_>) -> String {
    let mut found = String::new();
    let _ = parser.parse_nested_block(|parser| {
        while let Ok(token) = parser.next() {
            if let Token::QuotedString(text) = token
                && found.is_empty()
            {
                found = text.to_string();
            }
        }
        Ok::<_, ParseError<()>>(())
    });
    found
}

/// Whether the function that was just opened divides; the parser stands at its start again where it does not.
fn divides(parser: &mut Parser<'_>, depth: usize) -> bool {
    let start = parser.state();
    let mut found = false;
    let _ = parser.parse_nested_block(|parser| {
        found = contains_division(parser, depth);
        Ok::<_, ParseError<()>>(())
    });
    if !found {
        parser.reset(&start);
    }
    found
}

fn contains_division(parser: &mut Parser<'_>, depth: usize) -> bool {
    let mut found = depth > MAX_DEPTH;
    while let Ok(token) = parser.next() {
        match token {
            Token::Delim('/') => found = true,
            Token::Function(_)
            | Token::ParenthesisBlock
            | Token::SquareBracketBlock
            | Token::CurlyBracketBlock => {
                let _ = parser.parse_nested_block(|parser| {
                    if !found {
                        found = contains_division(parser, depth + 1);
                    }
                    Ok::<_, ParseError<()>>(())
                });
            }
            _ => {}
        }
    }
    found
}

fn put_picture(address: &str, out: &mut String, outside: &mut Outside<'_>) {
    match outside.addresses.picture(address, true, outside.shelf) {
        Supply::Here(place) => {
            out.push_str("url(r:");
            out.push_str(&place.to_string());
            out.push(')');
        }
        Supply::Away | Supply::Never => out.push_str("none"),
    }
}

fn copy_plain(token: &Token<'_>, out: &mut String) {
    match token {
        Token::Comment(_)
        | Token::CDO
        | Token::CDC
        | Token::BadUrl(_)
        | Token::BadString(_)
        | Token::WhiteSpace(_) => {
            out.push(' ');
        }
        Token::Dimension { value, unit, .. } => match largest(unit) {
            Some(largest) => {
                out.push_str(&clamp(*value, largest).to_string());
                out.push_str(&unit.to_ascii_lowercase());
            }
            None => out.push('0'),
        },
        Token::Percentage { unit_value, .. } => {
            out.push_str(&(clamp(*unit_value, 10.0) * 100.0).to_string());
            out.push('%');
        }
        Token::Number { value, int_value, .. } => match int_value {
            Some(whole) => out.push_str(&(*whole).clamp(-1_000_000, 1_000_000).to_string()),
            None => out.push_str(&clamp(*value, 1.0e6).to_string()),
        },
        token => {
            let start = out.len();
            let _ = token.to_css(out);
            // No token may end the element or attribute that it will stand in.
            if let Some(written) = out.get(start..)
                && written.contains('<')
            {
                let safe = written.replace('<', "\\3c ");
                out.truncate(start);
                out.push_str(&safe);
            }
        }
    }
}

/// The largest value that a unit is taken at; nothing for a unit that CSS has not.
fn largest(unit: &str) -> Option<f32> {
    match unit.to_ascii_lowercase().as_str() {
        "px" | "pt" => Some(10_000.0),
        "em" | "rem" | "ex" | "ch" | "pc" | "cm" | "in" | "lh" | "rlh" => Some(100.0),
        "mm" | "q" | "vw" | "vh" | "vmin" | "vmax" => Some(1_000.0),
        "deg" | "grad" | "rad" | "turn" | "s" | "ms" | "fr" | "dpi" | "dpcm" | "dppx" | "x" => Some(10_000.0),
        _ => None,
    }
}

fn clamp(value: f32, largest: f32) -> f32 {
    if !value.is_finite() || value.abs() < 1.0e-3 {
        return 0.0;
    }
    value.clamp(-largest, largest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sanitize::addresses::Origin;

    struct OneShelf;
    impl Shelf for OneShelf {
        fn find(&mut self, origin: &Origin) -> Option<usize> {
            matches!(origin, Origin::Part(id) if id == "here").then_some(7)
        }
    }

    fn filter(css: &str) -> (String, Vec<BlockedKind>) {
        let mut addresses = Addresses::default();
        let mut outside = Outside {
            addresses: &mut addresses,
            shelf: &mut OneShelf,
        };
        let out = Css::default().filter(css, &mut outside);
        (
            out,
            addresses.blocked.iter().map(|blocked| blocked.kind).collect(),
        )
    }

    #[test]
    fn what_loads_or_hides_is_left_out() {
        for (css, expect) in [
            ("color:red;width:10px", "color:red;width:10px"),
            ("width:99999999px", "width:10000px"),
            ("width:1e30em", "width:100em"),
            ("position:fixed;top:0", ";top:0"),
            ("table-layout:fixed", "table-layout:fixed"),
            ("behavior:url(x.htc);color:red", ";color:red"),
            ("width:expression(alert(1));color:red", ";color:red"),
            ("width:calc(100% - 20px)", "width:calc(100% - 20px)"),
            ("width:calc(1px / 0);color:red", ";color:red"),
            (
                "background:url(cid:here) no-repeat",
                "background:url(r:7) no-repeat",
            ),
            (
                "background:url('https://x.example.org/a.png') #fff",
                "background:none #fff",
            ),
            (
                "@import url(https://x.example.org/a.css);a{color:red}",
                "a{color:red}",
            ),
            (
                "@font-face{font-family:x;src:url(//x.example.org/f)}a{color:red}",
                "a{color:red}",
            ),
            (
                "@media (max-device-width:600px){a{color:red}}",
                "@media (max-width:600px){a{color:red}}",
            ),
            ("a[style*=\"x\"]{color:red}", "a[was-style*=\"x\"]{color:red}"),
            ("mso-line-height-rule:exactly;color:red", ";color:red"),
            ("td img.img{color:red}", "td :is(img,x-img).img{color:red}"),
            ("a:hover{position:sticky}b{color:red}", "a:hover{}b{color:red}"),
            (
                "a{content:\"</style><script>\"}",
                "a{content:\"\\3c /style>\\3c script>\"}",
            ),
            ("<!-- a{color:red} -->", "  a{color:red}  "),
        ] {
            assert_eq!(filter(css).0, expect, "{css}");
        }
    }

    #[test]
    fn refusals_are_told() {
        for (css, kind) in [
            ("@import 'https://x.example.org/a.css'", BlockedKind::Style),
            ("@font-face{src:url(https://x.example.org/f)}", BlockedKind::Font),
            (
                "a{background:url(https://x.example.org/a.png)}",
                BlockedKind::Picture,
            ),
            ("behavior:url(a.htc)", BlockedKind::Script),
        ] {
            assert_eq!(filter(css).1.first(), Some(&kind), "{css}");
        }
    }
}
