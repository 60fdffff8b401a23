//! Who a message is from, in words that cannot lie: one function for the list, the reading pane, replies,
//! notifications and the command line.

use posthorn_model::Address;

use crate::domain::show_domain;
use crate::glyph;

/// Longest name shown, in characters.
const MAX_NAME: usize = 160;
/// Longest address: 64 octets, an `@` and 255 (RFC 5321 section 4.5.3.1).
const MAX_EMAIL: usize = 320;

/// What is odd about an address. None of them is a proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SenderWarning {
    /// The name looked like the address given here, which is not the sender's: the true one is shown in its place.
    NameIsAddress(String),
    /// Invisible characters, controls or padding were taken out of the name.
    NameHadHidden,
    /// A word of the name mixes scripts: letters that look like others.
    NameMixesScripts,
    /// The name is the domain given here, which is not the sender's.
    NameIsDomain(String),
    /// The domain could be read as another: it is shown in its ASCII form.
    DomainDeceptive,
    /// The part before the last `@` holds another `@`.
    LocalHasAt,
    /// There is no address, or none that could be answered.
    NoAddress,
    /// More than one author and no `Sender` among them.
    SeveralAuthors,
    /// `From` stands more than once, or is written so that programs read it in different ways.
    Ambiguous,
    /// An answer would go to another domain: the first address of `Reply-To`.
    ReplyElsewhere(String),
}

/// An address as it is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// One clean line that does not look like another address; `None`: show the address.
    pub name: Option<String>,
    /// The true address, its domain in the form that cannot be mistaken.
    pub email: String,
    /// The domain alone, in that form.
    pub domain: String,
    pub warnings: Vec<SenderWarning>,
}

impl Shown {
    /// The name, else the address.
    #[must_use]
    pub fn label(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.email)
    }

    #[must_use]
    pub fn into_address(self) -> Address {
        Address {
            name: self.name,
            email: self.email,
        }
    }
}

/// How an address is shown. Addresses of an [`posthorn_model::Envelope`] that this crate read went through here.
#[must_use]
pub fn show(address: &Address) -> Shown {
    show_parts(
        address.name.as_deref().unwrap_or_default(),
        address.email.as_str(),
    )
}

pub(crate) fn show_parts(name: &str, email: impl Into<String>) -> Shown {
    let mut warnings = Vec::new();
    let (email, domain) = clean_email(email.into(), &mut warnings);
    let (name, dirty) = glyph::clean_label(name, MAX_NAME);
    if dirty {
        warnings.push(SenderWarning::NameHadHidden);
    }
    // Some senders quote twice: "'Name'".
    let inner = name.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
    let name = inner.map_or(name.as_str(), str::trim);
    let mut shown = Shown {
        name: None,
        email,
        domain,
        warnings,
    };
    if name.is_empty() {
        return shown;
    }
    // Most names hold no such sign in any form, and are plain: nothing is folded for them.
    if name.contains(['@', '＠', '﹫']) {
        match find_address(name, &shown.email) {
            Found::Other(other) => {
                shown.warnings.push(SenderWarning::NameIsAddress(other));
                return shown;
            }
            // A name that only repeats the address says nothing.
            Found::Own if name.eq_ignore_ascii_case(&shown.email) => return shown,
            Found::Own | Found::None => {}
        }
    }
    if name
        .split(|c: char| !c.is_alphanumeric())
        .any(glyph::mixes_scripts)
    {
        shown.warnings.push(SenderWarning::NameMixesScripts);
    }
    if name.contains(['.', '．', '。', '｡'])
        && let Some(other) = other_domain(name, &shown.domain)
    {
        shown.warnings.push(SenderWarning::NameIsDomain(other));
    }
    shown.name = Some(name.to_owned());
    shown
}

/// Drops what cannot be part of an address, and gives the domain its safe form.
fn clean_email(email: String, warnings: &mut Vec<SenderWarning>) -> (String, String) {
    let plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>');
    let kept = |c: &char| {
        !c.is_control() && !glyph::is_blank(*c) && !glyph::is_invisible(*c) && !matches!(c, '<' | '>')
    };
    let clean: String = if email.len() <= MAX_EMAIL && email.bytes().all(plain) {
        email
    } else {
        email.chars().filter(kept).take(MAX_EMAIL).collect()
    };
    let Some((local, domain)) = clean.rsplit_once('@') else {
        if !clean.is_empty() {
            warnings.push(SenderWarning::NoAddress);
        }
        return (clean, String::new());
    };
    if local.contains('@') {
        warnings.push(SenderWarning::LocalHasAt);
    }
    // Only what is not plain ASCII changes: the sender's own spelling of a domain stays.
    let coded = |domain: &str| {
        let four = domain.as_bytes().windows(4);
        four.into_iter().any(|four| four.eq_ignore_ascii_case(b"xn--"))
    };
    if domain.is_ascii() && !coded(domain) {
        let shown = domain.to_owned();
        return (clean, shown);
    }
    let shown = show_domain(domain);
    if shown.deceptive {
        warnings.push(SenderWarning::DomainDeceptive);
    }
    // Compatibility forms may unfold into blanks.
    let domain: String = shown.text.chars().filter(kept).collect();
    (format!("{local}@{domain}"), domain)
}

enum Found {
    None,
    /// Only the sender's own address.
    Own,
    Other(String),
}

/// Looks for an address in a name: as written, in compatibility forms, or in letters that look like it.
fn find_address(name: &str, email: &str) -> Found {
    let folded = glyph::fold_forms(name);
    let mut found = Found::None;
    let mut rest = folded.as_str();
    let mut before = String::new();
    while let Some((left, right)) = rest.split_once('@') {
        before.push_str(left);
        let local = before
            .trim_end()
            .rsplit(|c: char| c.is_whitespace() || "<>()[]{}\"',;:|".contains(c))
            .next()
            .unwrap_or_default();
        let spaced = before.ends_with(' ') || right.starts_with(' ');
        let domain: String = right
            .trim_start()
            .chars()
            .take_while(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_'))
            .take(260)
            .collect();
        let domain = domain.trim_end_matches('.');
        let dotted = domain
            .rsplit_once('.')
            .is_some_and(|(_, top)| top.chars().count() >= 2);
        if !local.is_empty() && !domain.is_empty() && (dotted || !spaced) {
            let written = format!("{local}@{domain}");
            let own = written.eq_ignore_ascii_case(email)
                || spaced
                    && email
                        .rsplit_once('@')
                        .is_some_and(|(_, own)| own.eq_ignore_ascii_case(domain));
            if !own {
                return Found::Other(written);
            }
            found = Found::Own;
        }
        before.push('@');
        rest = right;
    }
    found
}

/// The name as a domain, where it is one, and not the sender's.
fn other_domain(name: &str, domain: &str) -> Option<String> {
    let folded = glyph::fold_forms(name).to_lowercase();
    let (host, top) = folded.rsplit_once('.')?;
    let label = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '-');
    let known = ["com", "org", "net", "info", "gov", "edu", "io", "app", "bank"].contains(&top);
    let domainlike = host.split('.').all(label)
        && (known || top.len() == 2 && top.bytes().all(|byte| byte.is_ascii_lowercase()));
    let brand = |domain: &str| {
        crate::domain::organisation(domain)
            .split('.')
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    // `Example.de` from example.com is the same house.
    (domainlike && brand(&folded) != brand(domain)).then_some(folded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn shows_the_true_sender() {
        use SenderWarning as W;
        let check = |name: &str, email: &str, label: &str, warnings: &[W]| {
            let shown = show_parts(name, email);
            assert_eq!(
                (shown.label(), shown.warnings.as_slice()),
                (label, warnings),
                "{name:?} {email:?}"
            );
        };
        let other = |text: &str| W::NameIsAddress(text.to_owned());
        let eve = "eve@attacker.example";
        check("Anna Berg", "anna@example.org", "Anna Berg", &[]);
        check("", "anna@example.org", "anna@example.org", &[]);
        check("'Anna'", "anna@example.org", "Anna", &[]);
        check("anna@example.org", "Anna@Example.org", "Anna@Example.org", &[]);
        check(
            "Anna (anna@example.org)",
            "anna@example.org",
            "Anna (anna@example.org)",
            &[],
        );
        check("support@bank.example", eve, eve, &[other("support@bank.example")]);
        check(
            "Bank support@bank.example",
            eve,
            eve,
            &[other("support@bank.example")],
        );
        check(
            "support @ bank.example",
            eve,
            eve,
            &[other("support@bank.example")],
        );
        check(
            "support＠bank.example",
            eve,
            eve,
            &[other("support@bank.example")],
        );
        check(
            "sup\u{200b}port@bank.example",
            eve,
            eve,
            &[W::NameHadHidden, other("support@bank.example")],
        );
        check("Anna @ Work", eve, "Anna @ Work", &[]);
        check("@anna", eve, "@anna", &[]);
        check("РаyРаl", eve, "РаyРаl", &[W::NameMixesScripts]);
        check(
            "paypal.com",
            eve,
            "paypal.com",
            &[W::NameIsDomain("paypal.com".to_owned())],
        );
        check("Example.de", "x@mail.example.com", "Example.de", &[]);
        check("Dr. Who", eve, "Dr. Who", &[]);
        check("\u{1b}]0;pwn\u{7}\u{1b}[2J", eve, eve, &[W::NameHadHidden]);
        check(
            "Apple",
            "id@xn--80ak6aa92e.example",
            "Apple",
            &[W::DomainDeceptive],
        );
        check(
            "",
            "\"support@bank.example\"@attacker.example",
            "\"support@bank.example\"@attacker.example",
            &[W::LocalHasAt],
        );
        check("", "root", "root", &[W::NoAddress]);
    }

    #[test]
    fn domains_take_their_safe_form() {
        assert_eq!(show_parts("", "a@xn--mnchen-3ya.de").email, "a@münchen.de");
        assert_eq!(show_parts("", "id@аррӏе.com").email, "id@xn--80ak6aa92e.com");
        assert_eq!(show_parts("", "Me@Example.ORG").email, "Me@Example.ORG");
        assert_eq!(show_parts("", "a\u{202e}b <c>@d.example").email, "abc@d.example");
    }

    proptest! {
        #[test]
        fn nothing_hidden_is_shown(name in any::<String>(), email in any::<String>()) {
            let shown = show_parts(&name, &email);
            for text in [shown.label(), &shown.email, &shown.domain] {
                prop_assert!(!text.chars().any(char::is_control));
                let hidden = text.contains(['\u{202e}', '\u{2066}', '\u{200b}', '\u{2800}', '\u{3164}']);
                prop_assert!(!hidden);
            }
            // What is shown once is shown the same again.
            let again = show(&shown.clone().into_address());
            prop_assert_eq!(again.name, shown.name);
            prop_assert_eq!(again.email, shown.email);
        }
    }
}
