//! HTML as sent to a tree of bounded size, by html5ever's tree builder.
//!
//! The builder looks through its open elements at nearly every tag, so its work is the product of tags and depth.
//! What would make that large is stopped from outside: tags of boxes beyond a depth are passed over (their content
//! stays), and tokens, nodes and moved children are counted against a budget.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};

use html5ever::interface::{ElemName, ElementFlags, NodeOrText, QuirksMode, TreeSink};
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{
    BufferQueue, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};
use html5ever::tree_builder::{TreeBuilder, TreeBuilderOpts};
use html5ever::{Attribute, LocalName, Namespace, QualName, TokenizerResult, ns};

/// Elements nested deeper are no longer opened.
const MAX_DEPTH: u32 = 300;
const MAX_NODES: usize = 150_000;
/// Steps of the builder: open elements looked at, children moved.
const MAX_WORK: u64 = 40_000_000;
/// What is fed at once; between, the guard looks.
const CHUNK: usize = 4 * 1024;
/// Possible attributes since the last token: the tokenizer compares each attribute with all others of its tag.
const MAX_PENDING: usize = 5_000;

pub(super) type NodeRef = usize;

/// The tree's root, which is no element.
pub(super) const ROOT: NodeRef = 0;

pub(super) enum Data {
    Root,
    Element(Element),
    Text(StrTendril),
    /// A comment or the like.
    Nothing,
}

pub(super) struct Element {
    pub(super) name: QualName,
    pub(super) attributes: Vec<(LocalName, StrTendril)>,
    template: Option<NodeRef>,
    integration_point: bool,
}

impl Element {
    pub(super) fn is_html(&self) -> bool {
        self.name.ns == ns!(html)
    }

    pub(super) fn local(&self) -> &str {
        &self.name.local
    }

    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(key, _)| &**key == name)
            .map(|(_, value)| &**value)
    }
}

pub(super) struct Node {
    pub(super) parent: Option<NodeRef>,
    pub(super) children: Vec<NodeRef>,
    pub(super) data: Data,
    depth: u32,
}

impl Node {
    fn new(data: Data) -> Node {
        Node {
            parent: None,
            children: Vec::new(),
            data,
            depth: 0,
        }
    }

    pub(super) fn element(&self) -> Option<&Element> {
        match &self.data {
            Data::Element(element) => Some(element),
            _ => None,
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        match &self.data {
            Data::Text(text) => Some(text),
            _ => None,
        }
    }
}

pub(super) struct Tree {
    nodes: Vec<Node>,
    /// Browsers of the nineties are to be imitated: there is no doctype, or an old one.
    pub(super) quirks: Quirks,
    /// The message was too long or too tangled: its end is missing.
    pub(super) is_cut: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quirks {
    None,
    /// Only a picture alone in a table cell is without a gap below.
    Limited,
    Full,
}

impl Tree {
    pub(super) fn node(&self, at: NodeRef) -> Option<&Node> {
        self.nodes.get(at)
    }

    pub(super) fn children(&self, at: NodeRef) -> &[NodeRef] {
        self.nodes.get(at).map_or(&[], |node| node.children.as_slice())
    }

    pub(super) fn element(&self, at: NodeRef) -> Option<&Element> {
        self.nodes.get(at).and_then(Node::element)
    }

    pub(super) fn elements(&self) -> impl Iterator<Item = (NodeRef, &Element)> {
        self.nodes
            .iter()
            .enumerate()
            .filter_map(|(at, node)| Some((at, node.element()?)))
    }

    /// The text directly in an element.
    pub(super) fn text_of(&self, at: NodeRef) -> String {
        self.children(at)
            .iter()
            .filter_map(|child| self.nodes.get(*child)?.text())
            .collect()
    }
}

/// Reads at most what the limits allow; never fails.
pub(super) fn parse(html: &str) -> Tree {
    let options = TreeBuilderOpts {
        scripting_enabled: false,
        drop_doctype: true,
        ..TreeBuilderOpts::default()
    };
    let gate = Gate {
        builder: TreeBuilder::new(Sink::default(), options),
        tokens: Cell::new(0),
    };
    let tokenizer = Tokenizer::new(gate, TokenizerOpts::default());
    let queue = BufferQueue::default();
    let (mut rest, mut pending, mut is_cut) = (html, 0, false);
    while !rest.is_empty() && !is_cut {
        let (chunk, tail) = rest.split_at(rest.floor_char_boundary(CHUNK).max(1).min(rest.len()));
        queue.push_back(StrTendril::from_slice(chunk));
        while !matches!(tokenizer.feed(&queue), TokenizerResult::Done) {}
        let tokens = tokenizer.sink.tokens.replace(0);
        pending = if tokens > 0 {
            0
        } else {
            pending + count_separators(chunk)
        };
        is_cut = pending > MAX_PENDING || tokenizer.sink.builder.sink.is_full();
        rest = tail;
    }
    if !is_cut {
        tokenizer.end();
    }
    let sink = tokenizer.sink.builder.sink;
    Tree {
        nodes: sink.nodes.into_inner(),
        quirks: match sink.quirks.get() {
            QuirksMode::Quirks => Quirks::Full,
            QuirksMode::LimitedQuirks => Quirks::Limited,
            QuirksMode::NoQuirks => Quirks::None,
        },
        is_cut,
    }
}

/// What may stand between two attributes.
fn count_separators(chunk: &str) -> usize {
    chunk
        .bytes()
        .filter(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0c | b'/' | b'"' | b'\''))
        .count()
}

/// Between tokenizer and tree builder: keeps the depth, and so the builder's work, within bounds.
struct Gate {
    builder: TreeBuilder<NodeRef, Sink>,
    tokens: Cell<usize>,
}

impl TokenSink for Gate {
    type Handle = NodeRef;

    fn process_token(&self, token: Token, line: u64) -> TokenSinkResult<NodeRef> {
        let sink = &self.builder.sink;
        if matches!(token, Token::ParseError(_)) {
            return TokenSinkResult::Continue;
        }
        self.tokens.set(self.tokens.get() + 1);
        sink.add_work(u64::from(sink.depth.get()) + 1);
        if sink.is_full() {
            return TokenSinkResult::Continue;
        }
        if let Token::TagToken(tag) = &token
            && tag.kind == TagKind::StartTag
            && sink.depth.get() >= MAX_DEPTH
            && !changes_the_tokenizer(&tag.name)
        {
            return TokenSinkResult::Continue;
        }
        self.builder.process_token(token, line)
    }

    fn end(&self) {
        self.builder.end();
    }

    fn adjusted_current_node_present_but_not_in_html_namespace(&self) -> bool {
        self.builder
            .adjusted_current_node_present_but_not_in_html_namespace()
    }
}

/// Elements whose content is no markup, and those that nest nothing.
fn changes_the_tokenizer(name: &str) -> bool {
    matches!(
        name,
        "script"
            | "style"
            | "xmp"
            | "iframe"
            | "noembed"
            | "noframes"
            | "title"
            | "textarea"
            | "plaintext"
            | "br"
            | "img"
            | "hr"
            | "wbr"
    )
}

struct Sink {
    nodes: RefCell<Vec<Node>>,
    quirks: Cell<QuirksMode>,
    work: Cell<u64>,
    /// Of the element that was added last.
    depth: Cell<u32>,
    nameless: QualName,
}

impl Default for Sink {
    fn default() -> Sink {
        Sink {
            nodes: RefCell::new(vec![Node::new(Data::Root)]),
            quirks: Cell::new(QuirksMode::NoQuirks),
            work: Cell::new(0),
            depth: Cell::new(0),
            nameless: QualName::new(None, ns!(), LocalName::from("")),
        }
    }
}

impl Sink {
    fn add_work(&self, steps: u64) {
        self.work.set(self.work.get().saturating_add(steps));
    }

    fn is_full(&self) -> bool {
        self.work.get() > MAX_WORK || self.nodes.borrow().len() > MAX_NODES
    }

    fn add(&self, data: Data) -> NodeRef {
        let mut nodes = self.nodes.borrow_mut();
        nodes.push(Node::new(data));
        nodes.len() - 1
    }

    fn detach(&self, at: NodeRef) {
        let mut nodes = self.nodes.borrow_mut();
        let Some(parent) = nodes.get_mut(at).and_then(|node| node.parent.take()) else {
            return;
        };
        let Some(parent) = nodes.get_mut(parent) else {
            return;
        };
        if let Some(place) = parent.children.iter().rposition(|child| *child == at) {
            self.add_work((parent.children.len() - place) as u64);
            parent.children.remove(place);
        }
    }

    /// Puts a node or text into `parent`, before the child at `place` or last.
    fn put(&self, parent: NodeRef, place: Option<usize>, child: NodeOrText<NodeRef>) {
        let child = match child {
            NodeOrText::AppendNode(child) => {
                self.detach(child);
                child
            }
            NodeOrText::AppendText(text) => {
                if self.extend_text(parent, place, &text) {
                    return;
                }
                self.add(Data::Text(text))
            }
        };
        let mut nodes = self.nodes.borrow_mut();
        let Some(owner) = nodes.get_mut(parent) else {
            return;
        };
        let depth = owner.depth + 1;
        let count = owner.children.len();
        let place = place.unwrap_or(count).min(count);
        self.add_work((count - place) as u64);
        owner.children.insert(place, child);
        if let Some(node) = nodes.get_mut(child) {
            node.parent = Some(parent);
            node.depth = depth;
            if matches!(node.data, Data::Element(_)) {
                self.depth.set(depth);
            } else {
                self.depth.set(depth.saturating_sub(1));
            }
        }
    }

    fn extend_text(&self, parent: NodeRef, place: Option<usize>, text: &StrTendril) -> bool {
        let mut nodes = self.nodes.borrow_mut();
        let Some(owner) = nodes.get(parent) else {
            return true;
        };
        let before = place.unwrap_or(owner.children.len()).checked_sub(1);
        let Some(before) = before.and_then(|at| owner.children.get(at).copied()) else {
            return false;
        };
        match nodes.get_mut(before).map(|node| &mut node.data) {
            Some(Data::Text(sofar)) => {
                sofar.push_tendril(text);
                true
            }
            _ => false,
        }
    }
}

/// An element's name by value: interned, so that a copy costs nothing.
#[derive(Debug)]
struct Name(QualName);

impl ElemName for Name {
    fn ns(&self) -> &Namespace {
        &self.0.ns
    }

    fn local_name(&self) -> &LocalName {
        &self.0.local
    }
}

impl TreeSink for Sink {
    type Handle = NodeRef;
    type Output = Self;
    type ElemName<'a> = Name;

    fn finish(self) -> Self {
        self
    }

    fn parse_error(&self, _message: Cow<'static, str>) {}

    fn get_document(&self) -> NodeRef {
        ROOT
    }

    fn elem_name<'a>(&'a self, target: &'a NodeRef) -> Name {
        let nodes = self.nodes.borrow();
        let element = nodes.get(*target).and_then(Node::element);
        Name(element.map_or_else(|| self.nameless.clone(), |element| element.name.clone()))
    }

    fn create_element(&self, name: QualName, attributes: Vec<Attribute>, flags: ElementFlags) -> NodeRef {
        let template = flags.template.then(|| self.add(Data::Root));
        let attributes = attributes
            .into_iter()
            .filter(|attribute| attribute.name.ns == ns!())
            .map(|attribute| (attribute.name.local, attribute.value))
            .collect();
        self.add(Data::Element(Element {
            name,
            attributes,
            template,
            integration_point: flags.mathml_annotation_xml_integration_point,
        }))
    }

    fn create_comment(&self, _text: StrTendril) -> NodeRef {
        self.add(Data::Nothing)
    }

    fn create_pi(&self, _target: StrTendril, _data: StrTendril) -> NodeRef {
        self.add(Data::Nothing)
    }

    fn append(&self, parent: &NodeRef, child: NodeOrText<NodeRef>) {
        self.put(*parent, None, child);
    }

    fn append_based_on_parent_node(&self, element: &NodeRef, previous: &NodeRef, child: NodeOrText<NodeRef>) {
        let has_parent = self
            .nodes
            .borrow()
            .get(*element)
            .is_some_and(|node| node.parent.is_some());
        if has_parent {
            self.append_before_sibling(element, child);
        } else {
            self.append(previous, child);
        }
    }

    fn append_doctype_to_document(&self, _name: StrTendril, _public: StrTendril, _system: StrTendril) {}

    fn get_template_contents(&self, target: &NodeRef) -> NodeRef {
        let nodes = self.nodes.borrow();
        nodes
            .get(*target)
            .and_then(Node::element)
            .and_then(|element| element.template)
            .unwrap_or(ROOT)
    }

    fn same_node(&self, one: &NodeRef, other: &NodeRef) -> bool {
        one == other
    }

    fn set_quirks_mode(&self, mode: QuirksMode) {
        self.quirks.set(mode);
    }

    fn append_before_sibling(&self, sibling: &NodeRef, child: NodeOrText<NodeRef>) {
        if let NodeOrText::AppendNode(child) = &child {
            self.detach(*child);
        }
        let found = {
            let nodes = self.nodes.borrow();
            nodes.get(*sibling).and_then(|node| node.parent).map(|parent| {
                let siblings = nodes.get(parent).map_or(&[][..], |node| node.children.as_slice());
                (
                    parent,
                    siblings.iter().rposition(|node| node == sibling).unwrap_or(0),
                )
            })
        };
        if let Some((parent, place)) = found {
            self.put(parent, Some(place), child);
        }
    }

    fn add_attrs_if_missing(&self, target: &NodeRef, attributes: Vec<Attribute>) {
        if let Some(Data::Element(element)) = self
            .nodes
            .borrow_mut()
            .get_mut(*target)
            .map(|node| &mut node.data)
        {
            for attribute in attributes {
                if element.attribute(&attribute.name.local).is_none() {
                    element.attributes.push((attribute.name.local, attribute.value));
                }
            }
        }
    }

    fn remove_from_parent(&self, target: &NodeRef) {
        self.detach(*target);
    }

    fn reparent_children(&self, from: &NodeRef, to: &NodeRef) {
        let mut nodes = self.nodes.borrow_mut();
        let moved = nodes
            .get_mut(*from)
            .map(|node| std::mem::take(&mut node.children))
            .unwrap_or_default();
        self.add_work(moved.len() as u64);
        let depth = nodes.get(*to).map_or(0, |node| node.depth) + 1;
        for child in &moved {
            if let Some(node) = nodes.get_mut(*child) {
                node.parent = Some(*to);
                node.depth = depth;
            }
        }
        if let Some(node) = nodes.get_mut(*to) {
            node.children.extend(moved);
        }
    }

    fn is_mathml_annotation_xml_integration_point(&self, handle: &NodeRef) -> bool {
        let nodes = self.nodes.borrow();
        nodes
            .get(*handle)
            .and_then(Node::element)
            .is_some_and(|element| element.integration_point)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nesting_is_bounded_and_content_stays() {
        for tag in [
            "div",
            "b",
            "span",
            "table><tr><td",
            "ul><li",
            "blockquote",
            "font color=red",
        ] {
            let tree = parse(&format!("{}deep", format!("<{tag}>").repeat(50_000)));
            let deepest = tree.nodes.iter().map(|node| node.depth).max().unwrap();
            assert!(deepest <= MAX_DEPTH + 10, "{tag} {deepest}");
            let text: String = tree.nodes.iter().filter_map(Node::text).collect();
            assert!(text.ends_with("deep") || tree.is_cut, "{tag}");
        }
    }

    #[test]
    fn tangles_are_cut() {
        // Each block opens again every format that was left open.
        let formats: String = (0..200).map(|n| format!("<b id=x{n}>")).collect();
        let tree = parse(&format!("<div>{formats}</div>{}", "<div>x</div>".repeat(20_000)));
        assert!(tree.is_cut);
        let tree = parse(&format!(
            "<p{}>",
            (0..50_000).map(|n| format!(" a{n}")).collect::<String>()
        ));
        assert!(tree.is_cut);
    }

    #[test]
    fn doctypes_tell_the_mode() {
        for (html, expect) in [
            ("<p>x", Quirks::Full),
            ("<!DOCTYPE html><p>x", Quirks::None),
            (
                "<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Transitional//EN\" \"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd\"><p>x",
                Quirks::Limited,
            ),
        ] {
            assert_eq!(parse(html).quirks, expect, "{html}");
        }
    }
}
