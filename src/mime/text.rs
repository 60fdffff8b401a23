//! Making mail text readable: plain text in, structure out. Nothing here touches bytes or charsets.

pub mod flowed;
pub mod layout;
pub mod linkify;
pub mod preview;
pub mod quote;
pub mod signature;
pub mod strip;
pub mod trim;

pub use flowed::{decode_flowed, encode_flowed};
pub use layout::{Piece, PieceKind, lay_out, looks_fixed};
pub use linkify::{Span, linkify};
pub use preview::{preview, preview_html};
pub use quote::{Line, quote_lines, quote_text};
pub use signature::split_signature;
pub use strip::strip_html;
pub use trim::trim_quoted;
