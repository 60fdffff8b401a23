//! What becomes of each element.

use crate::page::BlockedKind;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Treatment {
    Keep,
    /// Written under another name.
    As(&'static str),
    /// Only its content is written.
    Unwrap,
    /// Refused and counted; its content is written.
    RefuseTag(BlockedKind),
    /// Refused and counted, with its content.
    Refuse(BlockedKind),
    /// Left out with its content: it shows nothing.
    Drop,
}

pub(super) fn treat(name: &str) -> Treatment {
    match name {
        "html" | "head" | "body" | "div" | "p" | "span" | "a" | "b" | "i" | "u" | "s" | "em" | "strong"
        | "small" | "big" | "sub" | "sup" | "br" | "hr" | "wbr" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6"
        | "ul" | "ol" | "li" | "dl" | "dt" | "dd" | "table" | "thead" | "tbody" | "tfoot" | "tr" | "td"
        | "th" | "caption" | "colgroup" | "col" | "img" | "blockquote" | "pre" | "code" | "tt" | "kbd"
        | "samp" | "var" | "cite" | "q" | "abbr" | "acronym" | "address" | "center" | "del" | "ins"
        | "strike" | "dfn" | "mark" | "bdi" | "bdo" | "article" | "aside" | "section" | "header"
        | "footer" | "nav" | "main" | "figure" | "figcaption" | "hgroup" | "time" | "style" | "fieldset"
        | "legend" | "ruby" | "rt" | "rp" | "nobr" | "dir" | "menu" | "font" | "label" => Treatment::Keep,
        "details" | "summary" | "search" => Treatment::As("div"),
        "form" => Treatment::As("div"),
        "button" | "output" | "input" | "textarea" | "select" => Treatment::As("x-field"),
        "xmp" | "listing" | "plaintext" => Treatment::As("pre"),
        "script" => Treatment::Refuse(BlockedKind::Script),
        "iframe" | "frame" | "frameset" | "portal" => Treatment::Refuse(BlockedKind::Frame),
        "embed" | "applet" => Treatment::Refuse(BlockedKind::Frame),
        "object" => Treatment::RefuseTag(BlockedKind::Frame),
        "video" | "audio" => Treatment::RefuseTag(BlockedKind::Media),
        "track" | "bgsound" => Treatment::Refuse(BlockedKind::Media),
        "link" => Treatment::Refuse(BlockedKind::Style),
        "meta" | "base" | "title" | "template" | "canvas" | "datalist" | "source" | "param" | "noframes"
        | "noembed" | "optgroup" | "option" | "basefont" | "map" | "area" => Treatment::Drop,
        _ => Treatment::Unwrap,
    }
}

/// Elements without content or end tag.
pub(super) fn is_void(name: &str) -> bool {
    matches!(name, "br" | "hr" | "wbr" | "img" | "col")
}

/// Attributes that would load something, or send something somewhere.
pub(super) fn loads(attribute: &str) -> bool {
    matches!(
        attribute,
        "poster"
            | "longdesc"
            | "dynsrc"
            | "lowsrc"
            | "ping"
            | "formaction"
            | "manifest"
            | "classid"
            | "codebase"
            | "imagesrcset"
    )
}
