//! The tree written out again: only elements, attributes, styles and addresses that were allowed.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::addresses::{Addresses, Shelf, Supply};
use super::css::{Css, Outside, RENAMED};
use super::elements::{Treatment, is_void, loads, treat};
use super::legacy::{self, TableAttributes};
use super::tree::{Element, NodeRef, Quirks, ROOT, Tree};
use crate::page::BlockedKind;

/// Elements nested deeper lose their boxes, not their content. Layout recurses, so this bounds its stack.
const MAX_DEPTH: usize = 120;
const MAX_TEXT: usize = 4 * 1024 * 1024;
const MAX_ATTRIBUTE: usize = 2_000;
const MAX_COLUMNS: u32 = 100;
const MAX_CELLS: usize = 60_000;
/// A preformatted text is cut into blocks of so many lines, so that painting can pass over what is out of sight.
const LINES_A_BLOCK: usize = 60;

pub(super) struct Writer<'a> {
    tree: &'a Tree,
    shelf: &'a mut dyn Shelf,
    pub(super) addresses: Addresses,
    pub(super) css: Css,
    /// Declarations of legacy attributes, each once; elements name them by number.
    hints: Vec<String>,
    hint_numbers: HashMap<String, usize>,
    out: String,
    text_left: usize,
    cells: usize,
    pub(super) is_cut: bool,
}

#[derive(Clone, Copy, Default)]
struct Inherited {
    table: TableAttributes,
    is_preformatted: bool,
}

enum Step {
    Open(NodeRef, usize, Inherited),
    Close(&'static str),
    CloseNamed(NodeRef),
}

impl<'a> Writer<'a> {
    pub(super) fn new(tree: &'a Tree, shelf: &'a mut dyn Shelf) -> Writer<'a> {
        Writer {
            tree,
            shelf,
            addresses: Addresses::default(),
            css: Css::default(),
            hints: Vec::new(),
            hint_numbers: HashMap::new(),
            out: String::new(),
            text_left: MAX_TEXT,
            cells: 0,
            is_cut: tree.is_cut,
        }
    }

    /// The whole document.
    pub(super) fn write(&mut self) -> String {
        self.read_head();
        // A selector that asks for a `style` attribute's text needs that text; few messages have one.
        self.css.asks_style = self
            .tree
            .elements()
            .any(|(at, element)| element.local() == "style" && self.tree.text_of(at).contains("[style"));
        let tree = self.tree;
        let mut steps: Vec<Step> = Vec::new();
        self.push_children(ROOT, 0, Inherited::default(), &mut steps);
        while let Some(step) = steps.pop() {
            match step {
                Step::Open(at, depth, inherited) => self.open(at, depth, inherited, &mut steps),
                Step::Close(name) => self.close(name),
                Step::CloseNamed(at) => {
                    if let Some(element) = tree.element(at) {
                        self.close(element.local());
                    }
                }
            }
        }
        self.assemble()
    }

    fn close(&mut self, name: &str) {
        let _ = write!(self.out, "</{name}>");
    }

    /// Puts the sheet of legacy attributes before everything that the message says itself.
    fn assemble(&mut self) -> String {
        let mut sheet = String::from("<style>");
        if self.tree.quirks == Quirks::Full {
            sheet.push_str(QUIRKS_SHEET);
        }
        for (number, declarations) in self.hints.iter().enumerate() {
            let _ = writeln!(sheet, ":where([h{number}]){{{declarations}}}");
        }
        sheet.push_str("</style>");
        let doctype = match self.tree.quirks {
            Quirks::Full => "",
            Quirks::None | Quirks::Limited => "<!DOCTYPE html>\n",
        };
        let body = std::mem::take(&mut self.out);
        let mut html = String::with_capacity(doctype.len() + sheet.len() + body.len() + 16);
        html.push_str(doctype);
        match body.split_once("<head>") {
            Some((before, after)) => {
                html.push_str(before);
                html.push_str("<head>");
                html.push_str(&sheet);
                html.push_str(after);
            }
            None => {
                html.push_str(&sheet);
                html.push_str(&body);
            }
        }
        html
    }

    fn read_head(&mut self) {
        for (_, element) in self.tree.elements() {
            match element.local() {
                "base" => self
                    .addresses
                    .set_base(element.attribute("href").unwrap_or_default()),
                "meta"
                    if element
                        .attribute("http-equiv")
                        .is_some_and(|v| v.trim().eq_ignore_ascii_case("refresh")) =>
                {
                    self.addresses.refuse(
                        BlockedKind::Frame,
                        element.attribute("content").unwrap_or_default(),
                    );
                }
                _ => {}
            }
        }
    }

    fn push_children(&self, at: NodeRef, depth: usize, inherited: Inherited, steps: &mut Vec<Step>) {
        let children = self.tree.children(at).iter().rev();
        steps.extend(children.map(|child| Step::Open(*child, depth, inherited)));
    }

    fn open(&mut self, at: NodeRef, depth: usize, inherited: Inherited, steps: &mut Vec<Step>) {
        let tree = self.tree;
        let Some(node) = tree.node(at) else { return };
        if let Some(text) = node.text() {
            self.write_text(text, inherited.is_preformatted);
            return;
        }
        let Some(element) = node.element() else { return };
        if !element.is_html() {
            self.addresses.refuse(BlockedKind::Media, "");
            return;
        }
        let name = match treat(element.local()) {
            Treatment::Keep => None,
            Treatment::As(name) => Some(name),
            Treatment::Unwrap => return self.push_children(at, depth, inherited, steps),
            Treatment::RefuseTag(kind) => {
                self.refuse(kind, element);
                return self.push_children(at, depth, inherited, steps);
            }
            Treatment::Refuse(kind) => return self.refuse(kind, element),
            Treatment::Drop => return,
        };
        match element.local() {
            "style" => return self.write_style(at),
            "img" => return self.write_picture(at, element, inherited.table),
            "form" => self.refuse(BlockedKind::Form, element),
            _ => {}
        }
        let is_cell = matches!(element.local(), "td" | "th");
        self.cells += usize::from(is_cell);
        let is_too_much = depth >= MAX_DEPTH || self.cells > MAX_CELLS;
        if is_too_much && !is_void(element.local()) {
            if is_cell {
                self.out.push(' ');
            }
            return self.push_children(at, depth, inherited, steps);
        }
        // The engine aligns a line's end as the block is aligned among cells, unless a box stands between.
        // Documents with an old doctype ask for such a box too, see `document/quirks.rs`.
        let is_boxed =
            element.local() == "br" && (self.tree.quirks != Quirks::None || self.stands_in_cell(at));
        if is_boxed {
            self.out.push_str("<x-br>");
        }
        self.write_tag(at, name.unwrap_or(element.local()), element, inherited.table);
        if is_boxed {
            self.out.push_str("</x-br>");
        }
        if is_void(element.local()) {
            return;
        }
        if name == Some("x-field") {
            self.write_field(at, element);
            return;
        }
        let mut below = inherited;
        match element.local() {
            "table" => below.table = TableAttributes::of(element),
            "pre" | "xmp" | "listing" | "plaintext" => {
                below.is_preformatted = true;
                // The parser drops a line break that begins a <pre>.
                self.out.push('\n');
            }
            _ => {}
        }
        steps.push(match name {
            Some(name) => Step::Close(name),
            None => Step::CloseNamed(at),
        });
        self.push_children(at, depth + 1, below, steps);
    }

    fn stands_in_cell(&self, at: NodeRef) -> bool {
        let parent = self.tree.node(at).and_then(|node| node.parent);
        let parent = parent.and_then(|parent| self.tree.element(parent));
        parent.is_some_and(|parent| matches!(parent.local(), "td" | "th"))
    }

    fn refuse(&mut self, kind: BlockedKind, element: &Element) {
        let address = ["src", "href", "data", "action"]
            .iter()
            .find_map(|name| element.attribute(name))
            .unwrap_or_default();
        self.addresses.refuse(kind, address);
    }

    fn write_style(&mut self, at: NodeRef) {
        let css = self.tree.text_of(at);
        let mut outside = Outside {
            addresses: &mut self.addresses,
            shelf: &mut *self.shelf,
        };
        let css = self.css.filter(&css, &mut outside);
        self.out.push_str("<style>");
        self.out.push_str(&css);
        self.out.push_str("</style>");
    }

    fn write_text(&mut self, text: &str, is_preformatted: bool) {
        if text.len() > self.text_left {
            self.is_cut = true;
            return;
        }
        self.text_left -= text.len();
        let lines = text.bytes().filter(|byte| *byte == b'\n').count();
        if !is_preformatted || lines <= 2 * LINES_A_BLOCK {
            push_escaped(text, &mut self.out);
            return;
        }
        self.out.push_str("<div>");
        for (number, line) in text.split_inclusive('\n').enumerate() {
            if number > 0 && number % LINES_A_BLOCK == 0 {
                self.out.push_str("</div><div>");
            }
            let is_last = (number + 1) % LINES_A_BLOCK == 0;
            let line = if is_last {
                line.trim_end_matches('\n')
            } else {
                line
            };
            // A block of which only an empty line is left would vanish.
            push_escaped(if line.is_empty() { "\n" } else { line }, &mut self.out);
        }
        self.out.push_str("</div>");
    }

    /// What a field of a form shows: nothing can be typed into it.
    fn write_field(&mut self, at: NodeRef, element: &Element) {
        let kind = element.attribute("type").unwrap_or_default().to_ascii_lowercase();
        let shown = match element.local() {
            "input"
                if matches!(
                    kind.as_str(),
                    "hidden" | "password" | "checkbox" | "radio" | "file"
                ) =>
            {
                String::new()
            }
            "input" => element
                .attribute("value")
                .or(element.attribute("placeholder"))
                .unwrap_or_default()
                .to_owned(),
            "select" => self.chosen_option(at),
            _ => self.text_below(at),
        };
        push_escaped(&shown, &mut self.out);
        self.out.push_str("</x-field>");
    }

    fn chosen_option(&self, at: NodeRef) -> String {
        let options: Vec<NodeRef> = self
            .tree
            .children(at)
            .iter()
            .flat_map(|child| std::iter::once(child).chain(self.tree.children(*child)))
            .copied()
            .filter(|child| self.tree.element(*child).is_some_and(|e| e.local() == "option"))
            .collect();
        let chosen = options
            .iter()
            .find(|option| {
                self.tree
                    .element(**option)
                    .is_some_and(|e| e.attribute("selected").is_some())
            })
            .or(options.first());
        chosen
            .map(|option| self.tree.text_of(*option))
            .unwrap_or_default()
    }

    fn text_below(&self, at: NodeRef) -> String {
        let mut text = String::new();
        let mut open = vec![at];
        while let Some(at) = open.pop() {
            if let Some(part) = self.tree.node(at).and_then(|node| node.text())
                && text.len() < MAX_ATTRIBUTE
            {
                text.push_str(part);
            }
            open.extend(self.tree.children(at).iter().rev());
        }
        text
    }

    fn write_picture(&mut self, at: NodeRef, element: &Element, table: TableAttributes) {
        let style = element.attribute("style").unwrap_or_default();
        let is_dot = is_tiny(element, style, "width") && is_tiny(element, style, "height");
        let seen = !(is_dot || is_hidden(style));
        let address = first_address(element);
        let supply = self.addresses.picture(address, seen, &mut *self.shelf);
        let alternative = element.attribute("alt").unwrap_or_default().trim();
        let tag = match supply {
            Supply::Here(_) => "img",
            Supply::Away | Supply::Never => "x-img",
        };
        let _ = write!(self.out, "<{tag}");
        if let Supply::Here(place) = supply {
            let _ = write!(self.out, " src=\"r:{place}\"");
        } else if is_tiny(element, style, "width") || is_tiny(element, style, "height") || !seen {
            self.out.push_str(" was-tiny");
        }
        let mut hint = legacy::declare(element, table, self.tree.quirks);
        if self.tree.quirks != Quirks::None && self.is_alone_in_cell(at) {
            hint.push_str("vertical-align:bottom;");
        }
        self.write_attributes(element, hint);
        self.out.push('>');
        if tag == "x-img" {
            push_escaped(
                alternative
                    .get(..alternative.floor_char_boundary(300))
                    .unwrap_or_default(),
                &mut self.out,
            );
            self.out.push_str("</x-img>");
        }
    }

    /// A line that holds nothing but a picture is as high as the picture, in documents that ask for old behaviour.
    fn is_alone_in_cell(&self, at: NodeRef) -> bool {
        let mut up = self.tree.node(at).and_then(|node| node.parent);
        for _ in 0..8 {
            let Some(node) = up.and_then(|at| self.tree.node(at)) else {
                return false;
            };
            let Some(element) = node.element() else {
                return false;
            };
            let has_company = node
                .children
                .iter()
                .filter_map(|child| self.tree.node(*child))
                .any(|child| {
                    child.text().is_some_and(|text| !text.trim().is_empty())
                        || child.element().is_some_and(|element| element.local() == "br")
                });
            if has_company {
                return false;
            }
            match element.local() {
                "td" | "th" => return true,
                "a" | "span" | "center" | "font" | "b" | "strong" | "div" | "p" => up = node.parent,
                _ => return false,
            }
        }
        false
    }

    fn write_tag(&mut self, at: NodeRef, name: &str, element: &Element, table: TableAttributes) {
        let _ = write!(self.out, "<{name}");
        let mut hint = legacy::declare(element, table, self.tree.quirks);
        if self.tree.quirks == Quirks::Full && has_margins(element.local()) {
            if self.is_outermost(at, true) {
                hint.push_str("margin-top:0;");
            }
            if self.is_outermost(at, false) {
                hint.push_str("margin-bottom:0;");
            }
        }
        if let Some(address) = element.attribute("background")
            && matches!(
                element.local(),
                "body" | "table" | "td" | "th" | "tr" | "tbody" | "thead" | "tfoot"
            )
            && let Supply::Here(place) = self.addresses.picture(address, true, &mut *self.shelf)
        {
            let _ = write!(hint, "background-image:url(r:{place});");
        }
        if element.local() == "input"
            && element
                .attribute("type")
                .is_some_and(|v| v.eq_ignore_ascii_case("hidden"))
        {
            hint.push_str("display:none;");
        }
        self.write_attributes(element, hint);
        self.out.push('>');
        if element.local() == "body"
            && let Some(color) = element.attribute("link")
        {
            let mut outside = Outside {
                addresses: &mut self.addresses,
                shelf: &mut *self.shelf,
            };
            let color = self.css.filter(&format!("color:{color}"), &mut outside);
            let _ = write!(self.out, "<style>:where(a[href]){{{color}}}</style>");
        }
    }

    /// Whether an element begins a cell or the body, or ends a cell: its own margin is not wanted there in documents
    /// without a doctype (HTML section 15.3.9).
    fn is_outermost(&self, at: NodeRef, begins: bool) -> bool {
        let mut inner = at;
        for _ in 0..6 {
            let Some(parent) = self.tree.node(inner).and_then(|node| node.parent) else {
                return false;
            };
            let Some(element) = self.tree.element(parent) else {
                return false;
            };
            let siblings = self.tree.children(parent);
            let mut order: Box<dyn Iterator<Item = &NodeRef>> = if begins {
                Box::new(siblings.iter())
            } else {
                Box::new(siblings.iter().rev())
            };
            if order.find(|sibling| **sibling == inner || self.shows(**sibling)) != Some(&inner) {
                return false;
            }
            match element.local() {
                "td" | "th" => return true,
                "body" => return begins,
                "div" | "center" | "form" => {
                    let style = element.attribute("style").unwrap_or_default();
                    if style.contains("padding") || style.contains("border") {
                        return false;
                    }
                    inner = parent;
                }
                _ => return false,
            }
        }
        false
    }

    fn shows(&self, at: NodeRef) -> bool {
        let Some(node) = self.tree.node(at) else {
            return false;
        };
        match (node.text(), node.element()) {
            (Some(text), _) => !text.trim().is_empty(),
            (None, Some(element)) => {
                !matches!(element.local(), "style" | "script" | "meta" | "title" | "link")
            }
            (None, None) => false,
        }
    }

    fn write_attributes(&mut self, element: &Element, hint: String) {
        if !hint.is_empty() {
            let count = self.hints.len();
            let number = *self.hint_numbers.entry(hint).or_insert_with_key(|hint| {
                self.hints.push(hint.clone());
                count
            });
            let _ = write!(self.out, " h{number}");
        }
        for (name, value) in &element.attributes {
            self.write_attribute(element, name, value);
        }
    }

    fn write_attribute(&mut self, element: &Element, name: &str, value: &str) {
        let local = element.local();
        match name {
            "class" | "id" | "dir" | "lang" | "title" | "type" | "role" | "alt"
                if value.len() <= MAX_ATTRIBUTE =>
            {
                push_attribute(name, value, &mut self.out);
            }
            "hidden" => self.out.push_str(" hidden"),
            "style" => self.write_style_attribute(value),
            "start" | "value" if matches!(local, "ol" | "li") => {
                if let Ok(number) = value.trim().parse::<i32>() {
                    let lowest = i32::from(name == "start");
                    let _ = write!(self.out, " {name}=\"{}\"", number.clamp(lowest, 100_000));
                }
            }
            "reversed" if local == "ol" => self.out.push_str(" reversed"),
            "colspan" | "rowspan" if matches!(local, "td" | "th") => push_count(name, value, &mut self.out),
            "span" if matches!(local, "col" | "colgroup") => push_count(name, value, &mut self.out),
            "href" if local == "a" => {
                let target = if value.trim().starts_with('#') || value.trim().is_empty() {
                    None
                } else {
                    self.addresses.link(value)
                };
                // Without a target it still looks like the link that it is.
                push_attribute("href", target.as_deref().unwrap_or("l:x"), &mut self.out);
            }
            "name" if local == "a" && element.attribute("id").is_none() => {
                push_attribute("id", value, &mut self.out);
            }
            _ if RENAMED.contains(&name) => {
                push_attribute(&format!("was-{name}"), value, &mut self.out);
            }
            _ if loads(name) => self.addresses.refuse(BlockedKind::Scheme, value),
            _ if name.starts_with("on") => self.addresses.refuse(BlockedKind::Script, ""),
            _ => {}
        }
    }

    fn write_style_attribute(&mut self, value: &str) {
        let mut outside = Outside {
            addresses: &mut self.addresses,
            shelf: &mut *self.shelf,
        };
        let style = self.css.filter(value, &mut outside);
        if self.css.asks_style && style.len() <= MAX_ATTRIBUTE {
            push_attribute("was-style", &style, &mut self.out);
        }
        if !style.is_empty() {
            push_attribute("style", &style, &mut self.out);
        }
    }
}

/// What documents without a doctype expect of tables: they begin anew rather than inherit.
const QUIRKS_SHEET: &str = ":where(table){font-size:medium;font-weight:normal;font-style:normal;\
    font-variant:normal;line-height:normal;white-space:normal;text-align:start}\n";

/// Elements with margins that they have by themselves.
fn has_margins(name: &str) -> bool {
    matches!(
        name,
        "p" | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "ul"
            | "ol"
            | "dl"
            | "dir"
            | "menu"
            | "pre"
            | "blockquote"
            | "figure"
    )
}

/// The picture's address; of several sizes the first.
fn first_address(element: &Element) -> &str {
    let src = element.attribute("src").unwrap_or_default();
    if !src.trim().is_empty() {
        return src;
    }
    let set = element.attribute("srcset").unwrap_or_default().trim_start();
    set.split([' ', '\t', '\n', '\r'])
        .next()
        .unwrap_or_default()
        .trim_end_matches(',')
}

fn is_tiny(element: &Element, style: &str, side: &str) -> bool {
    let attribute = element.attribute(side).and_then(legacy::parse_number);
    let is_per_cent = element.attribute(side).is_some_and(|value| value.contains('%'));
    let declared = declared_value(style, side)
        .filter(|value| !value.contains('%') && !value.contains("em") && !value.contains("auto"))
        .and_then(|value| legacy::parse_number(&value));
    declared
        .or(attribute.filter(|_| !is_per_cent))
        .is_some_and(|size| size <= 2.0)
}

fn is_hidden(style: &str) -> bool {
    declared_value(style, "display").is_some_and(|value| value.starts_with("none"))
        || declared_value(style, "visibility").is_some_and(|value| value.starts_with("hidden"))
        || declared_value(style, "opacity").is_some_and(|value| legacy::parse_number(&value) == Some(0.0))
}

/// The value of a property in a `style` attribute, in lower case.
fn declared_value(style: &str, property: &str) -> Option<String> {
    style
        .split(';')
        .filter_map(|declaration| declaration.split_once(':'))
        .filter(|(name, _)| name.trim().eq_ignore_ascii_case(property))
        .map(|(_, value)| value.trim().to_ascii_lowercase())
        .next_back()
}

fn push_count(name: &str, value: &str, out: &mut String) {
    let count = legacy::parse_number(value).unwrap_or(1.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and 20,000"
    )]
    let count = (count as u32).clamp(1, MAX_COLUMNS);
    if count > 1 {
        let _ = write!(out, " {name}=\"{count}\"");
    }
}

fn push_attribute(name: &str, value: &str, out: &mut String) {
    let cut = value.floor_char_boundary(16 * 1024);
    let _ = write!(out, " {name}=\"");
    for c in value.get(..cut).unwrap_or_default().chars() {
        match c {
            '"' => out.push_str("&quot;"),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '\0' => {}
            c => out.push(c),
        }
    }
    out.push('"');
}

fn push_escaped(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\0' => {}
            c => out.push(c),
        }
    }
}
