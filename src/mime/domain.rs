//! Domains as they may be shown: in Unicode where that cannot be mistaken for another, else in their ASCII form.

use crate::glyph;

/// Names that are imitated most. A label that looks like one and is another is shown in ASCII.
const IMITATED: &[&str] = &[
    "adobe",
    "amazon",
    "amex",
    "apple",
    "binance",
    "booking",
    "chase",
    "coinbase",
    "dhl",
    "docusign",
    "dropbox",
    "ebay",
    "facebook",
    "fedex",
    "github",
    "gmail",
    "google",
    "hotmail",
    "icloud",
    "ing",
    "instagram",
    "linkedin",
    "live",
    "mastercard",
    "microsoft",
    "netflix",
    "office",
    "outlook",
    "paypal",
    "santander",
    "spotify",
    "sparkasse",
    "telekom",
    "telegram",
    "ups",
    "usps",
    "visa",
    "whatsapp",
    "wise",
    "yahoo",
];

/// A domain for people's eyes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShownDomain {
    /// Lower case, without a final dot.
    pub text: String,
    /// It mixes scripts or could pass for another: `text` is its ASCII form.
    pub deceptive: bool,
}

/// How a domain is shown. What is no domain comes back cleaned, as it stands.
#[must_use]
pub fn show_domain(domain: &str) -> ShownDomain {
    let plain = domain
        .bytes()
        .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_'));
    if plain && !domain.contains("xn--") && !domain.ends_with('.') {
        return ShownDomain {
            text: domain.to_owned(),
            deceptive: false,
        };
    }
    if domain.starts_with('[') || domain.len() > 1_000 {
        return ShownDomain {
            text: domain.to_owned(),
            deceptive: false,
        };
    }
    let (unicode, result) = idna::domain_to_unicode(domain);
    let unicode = unicode.trim_end_matches('.').to_owned();
    if result.is_err() {
        // Not IDNA: kept where it is ASCII, else not to be trusted in any form.
        let text = domain.trim_end_matches('.').to_lowercase();
        let deceptive = !domain.is_ascii();
        return ShownDomain { text, deceptive };
    }
    if unicode.is_ascii() {
        return ShownDomain {
            text: unicode,
            deceptive: false,
        };
    }
    let ascii = idna::domain_to_ascii(&unicode);
    let own_script = unicode.rsplit('.').next().is_some_and(|top| !top.is_ascii());
    let deceptive = unicode.split('.').any(|label| is_deceptive(label, own_script));
    match ascii {
        Ok(ascii) if deceptive => ShownDomain {
            text: ascii,
            deceptive,
        },
        Ok(_) => ShownDomain {
            text: unicode,
            deceptive,
        },
        Err(_) => ShownDomain {
            text: unicode,
            deceptive: true,
        },
    }
}

/// Whether a label could be read as another one. `own_script`: its top-level domain is not ASCII either, as in
/// `пример.рф`, where nobody expects Latin letters.
fn is_deceptive(label: &str, own_script: bool) -> bool {
    if label.is_ascii() {
        return false;
    }
    if glyph::mixes_scripts(label)
        || label.chars().any(|c| {
            !glyph::is_everyday(c) || glyph::is_invisible(c) || glyph::is_blank(c) || is_odd_latin(c)
        })
    {
        return true;
    }
    // All letters pass for Latin ones: the whole could be a Latin word ("раураӏ").
    let whole = label
        .chars()
        .all(|c| c.is_ascii_digit() || c == '-' || glyph::look_alike(c).is_some());
    if whole && !own_script {
        return true;
    }
    let bare: String = glyph::skeleton(label)
        .chars()
        .filter_map(without_accent)
        .collect();
    IMITATED.contains(&bare.as_str())
}

/// Letters of Latin's phonetic and historic blocks, and the few of the everyday ones that differ by a hair.
const fn is_odd_latin(c: char) -> bool {
    matches!(c, '\u{131}' | '\u{138}' | '\u{149}' | '\u{17f}'..='\u{19f}' | '\u{1a2}'..='\u{1ae}' | '\u{1b1}'..='\u{1cc}' | '\u{1dd}' | '\u{1f1}'..='\u{1f7}' | '\u{21c}'..='\u{225}' | '\u{234}'..='\u{2ff}' | '\u{1d00}'..='\u{1dbf}' | '\u{2c60}'..='\u{2c7f}' | '\u{a720}'..='\u{a7ff}' | '\u{ab30}'..='\u{ab6f}')
}

/// The letter below its accent, for Latin.
fn without_accent(c: char) -> Option<char> {
    if c.is_ascii() {
        return Some(c);
    }
    let decomposed = icu_normalizer::DecomposingNormalizerBorrowed::new_nfd()
        .normalize(c.encode_utf8(&mut [0; 4]))
        .into_owned();
    decomposed.chars().next()
}

/// Whether two domains belong to one owner, as far as names tell without a list of public suffixes: equal, or one
/// below the other, or the same last labels where those are more than a suffix.
#[must_use]
pub fn is_related(a: &str, b: &str) -> bool {
    let (a, b) = (organisation(a), organisation(b));
    !a.is_empty() && a == b
}

/// The registered part of a domain: the last two labels, three where the second to last is one that registries
/// sell below (`co.uk`, `com.br`).
#[must_use]
pub fn organisation(domain: &str) -> String {
    let domain = domain.trim_end_matches('.').to_lowercase();
    let ascii = idna::domain_to_ascii(&domain).unwrap_or(domain);
    let labels: Vec<&str> = ascii.split('.').filter(|label| !label.is_empty()).collect();
    let take = match labels.as_slice() {
        [.., second, top] if SHARED.contains(&format!("{second}.{top}").as_str()) => 3,
        [.., second, top] if top.len() == 2 && is_registry(second) => 3,
        _ => 2,
    };
    let start = labels.len().saturating_sub(take);
    labels.get(start..).unwrap_or_default().join(".")
}

/// Domains below which strangers live side by side, and send mail or publish.
const SHARED: &[&str] = &[
    "amazonaws.com",
    "appspot.com",
    "azurewebsites.net",
    "blogspot.com",
    "br.com",
    "cloudfront.net",
    "cn.com",
    "co.com",
    "de.com",
    "duckdns.org",
    "eu.com",
    "eu.org",
    "firebaseapp.com",
    "github.io",
    "gitlab.io",
    "gr.com",
    "herokuapp.com",
    "in.net",
    "jp.net",
    "myshopify.com",
    "netlify.app",
    "onmicrosoft.com",
    "pages.dev",
    "r2.dev",
    "ru.com",
    "sa.com",
    "se.net",
    "sharepoint.com",
    "uk.com",
    "us.com",
    "us.org",
    "vercel.app",
    "web.app",
    "weebly.com",
    "wixsite.com",
    "wordpress.com",
    "workers.dev",
    "za.com",
];

fn is_registry(label: &str) -> bool {
    matches!(
        label,
        "ac" | "co"
            | "com"
            | "edu"
            | "go"
            | "gob"
            | "gov"
            | "gv"
            | "ltd"
            | "me"
            | "mil"
            | "ne"
            | "net"
            | "nom"
            | "or"
            | "org"
            | "plc"
            | "sch"
            | "web"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_domains() {
        let check = |domain: &str, text: &str, deceptive: bool| {
            let shown = show_domain(domain);
            assert_eq!(
                (shown.text.as_str(), shown.deceptive),
                (text, deceptive),
                "{domain}"
            );
        };
        check("example.org", "example.org", false);
        check("Example.ORG.", "example.org", false);
        check("xn--mnchen-3ya.de", "münchen.de", false);
        check("münchen.de", "münchen.de", false);
        check("xn--80ak6aa92e.example", "xn--80ak6aa92e.example", true);
        check("аррӏе.com", "xn--80ak6aa92e.com", true);
        check("xn--e1afmkfd.xn--p1ai", "пример.рф", false);
        check("bücher.example", "bücher.example", false);
        check("раyраl.com", "xn--yl-6kcb1fc.com", true);
        check("gọọgle.com", "xn--ggle-gx5aa.com", true);
        check("日本語.jp", "日本語.jp", false);
        check("xn--zzzzzzz999.com", "xn--zzzzzzz999.com", false);
        check("[127.0.0.1]", "[127.0.0.1]", false);
        check("", "", false);
    }

    #[test]
    fn compares_owners() {
        for (a, b, expect) in [
            ("mail.example.org", "example.org", true),
            ("example.co.uk", "other.co.uk", false),
            ("a.example.co.uk", "b.example.co.uk", true),
            ("example.org", "example.com", false),
            ("a.onmicrosoft.com", "b.onmicrosoft.com", false),
            ("mail.a.onmicrosoft.com", "a.onmicrosoft.com", true),
            ("münchen.de", "www.xn--mnchen-3ya.de", true),
            ("", "", false),
        ] {
            assert_eq!(is_related(a, b), expect, "{a} {b}");
        }
    }
}
