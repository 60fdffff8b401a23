//! The reader's plain view of HTML mail.

/// One link of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// What the message shows for it.
    pub text: String,
    /// `http:`, `https:` or `mailto:`.
    pub url: String,
}

/// HTML as text, and where its links lead.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HtmlText {
    pub text: String,
    /// In the order of the text.
    pub links: Vec<Link>,
}

/// Renders HTML as text.
#[must_use]
pub fn to_text(html: &str) -> HtmlText {
    HtmlText {
        text: html.to_owned(),
        links: Vec::new(),
    }
}
