//! Links that are not what they seem: what the text says against where it leads.

use std::net::{IpAddr, Ipv4Addr};

use crate::domain::{organisation, show_domain};
use crate::glyph;
use crate::text::linkify::{percent_decode, safe_url};

/// Longer than what anybody can look over.
const LONG: usize = 500;

/// What is odd about a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkWarning {
    /// It must not be opened at all: no scheme that a reader opens. Here the scheme.
    Refused(String),
    /// The text names another host than the one it leads to.
    OtherHost {
        shown: String,
        target: String,
    },
    /// The host could be read as another, or mixes scripts: here its ASCII form.
    DeceptiveHost(String),
    /// Something stands before the host that looks like one: `https://bank.example@attacker.example`.
    UserInfo(String),
    /// A bare address in place of a name.
    NumericHost(String),
    OddPort(u16),
    VeryLong,
    /// Its text holds invisible characters or turns its direction.
    HiddenCharacters,
}

/// Where a link leads, for showing before it is opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// The whole URL, without invisible characters, the host in a form that cannot be mistaken.
    pub url: String,
    /// The host alone; for `mailto:` the address.
    pub host: String,
    /// May it be opened at all?
    pub openable: bool,
    pub warnings: Vec<LinkWarning>,
}

/// Looks at a link by its text and its URL. `text` may be empty.
#[must_use]
pub fn look_at_link(text: &str, url: &str) -> Target {
    let clean: String = url
        .trim()
        .chars()
        .filter(|c| !glyph::is_invisible(*c) && !c.is_control())
        .collect();
    let mut out = Target {
        openable: safe_url(&clean).is_some(),
        ..Target::default()
    };
    let hidden = clean.len() != url.trim().len() || text.chars().any(turns);
    if hidden {
        out.warnings.push(LinkWarning::HiddenCharacters);
    }
    let scheme: String = clean.split(':').next().unwrap_or_default().to_ascii_lowercase();
    if !out.openable {
        let scheme: String = scheme.chars().take(40).collect();
        out.warnings.push(LinkWarning::Refused(scheme));
        out.url = clean;
        return out;
    }
    if clean.len() > LONG {
        out.warnings.push(LinkWarning::VeryLong);
    }
    if scheme == "mailto" {
        look_at_mailto(text, &clean, &mut out);
        return out;
    }
    look_at_web(text, &clean, &mut out);
    out
}

/// Only the warnings of [`look_at_link`].
#[must_use]
pub fn link_warnings(text: &str, url: &str) -> Vec<LinkWarning> {
    look_at_link(text, url).warnings
}

fn turns(c: char) -> bool {
    crate::word::is_override(c) || matches!(c, '\u{200b}' | '\u{2060}' | '\u{feff}')
}

fn look_at_mailto(text: &str, url: &str, out: &mut Target) {
    let read = crate::compose::from_mailto(url).unwrap_or_default();
    let to = read
        .to
        .first()
        .map(|address| address.email.clone())
        .unwrap_or_default();
    if text.contains('@')
        && let Some(shown) = hosts_in(text).into_iter().next()
        && let Some((_, domain)) = to.rsplit_once('@')
        && organisation(&shown) != organisation(domain)
    {
        out.warnings.push(LinkWarning::OtherHost {
            shown,
            target: domain.to_owned(),
        });
    }
    out.host = to;
    out.url = url.to_owned();
}

fn look_at_web(text: &str, url: &str, out: &mut Target) {
    let (scheme, rest) = url.split_once(':').unwrap_or(("", url));
    // Browsers take a backslash for a slash, and any number of them.
    let rest = rest.trim_start_matches(['/', '\\']);
    let end = rest.find(['/', '\\', '?', '#']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    let (user, host_port) = match authority.rsplit_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (None, authority),
    };
    let (host, port) = match host_port.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (host_port, None),
    };
    let host = percent_decode(host);
    if let Some(user) = user {
        let user = user.chars().take(80).collect();
        out.warnings.push(LinkWarning::UserInfo(user));
    }
    let shown = show_domain(&host.to_lowercase());
    if shown.deceptive {
        out.warnings.push(LinkWarning::DeceptiveHost(shown.text.clone()));
    }
    if let Some(address) = numeric(&host) {
        out.warnings.push(LinkWarning::NumericHost(address));
    }
    let standard = if scheme.eq_ignore_ascii_case("https") {
        443
    } else {
        80
    };
    if let Some(port) = port.and_then(|port| port.parse::<u16>().ok())
        && port != standard
    {
        out.warnings.push(LinkWarning::OddPort(port));
    }
    let own = organisation(&shown.text);
    let other = hosts_in(text).into_iter().find(|host| organisation(host) != own);
    if let Some(other) = other {
        out.warnings.push(LinkWarning::OtherHost {
            shown: other,
            target: shown.text.clone(),
        });
    }
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    let user = user.map(|user| format!("{user}@")).unwrap_or_default();
    out.url = format!(
        "{}://{user}{}{port}{tail}",
        scheme.to_ascii_lowercase(),
        shown.text
    );
    out.host = shown.text;
}

/// Hosts that a text shows: behind a scheme, behind `www.`, behind an `@`, or a lone word that is a domain.
fn hosts_in(text: &str) -> Vec<String> {
    let folded = glyph::fold_forms(text);
    let clean: String = folded
        .chars()
        .map(|c| if glyph::is_blank(c) { ' ' } else { c })
        .filter(|c| !glyph::is_invisible(*c))
        .take(2_000)
        .collect();
    let words: Vec<&str> = clean.split(' ').filter(|word| !word.is_empty()).collect();
    let lone = words.len() == 1;
    words
        .iter()
        .filter_map(|word| {
            let word = word.trim_matches(|c: char| "<>()[]{}\"'.,;:!?»«“”‘’…".contains(c));
            let lower = word.to_lowercase();
            let (marked, rest) = match lower.split_once("://") {
                Some((_, rest)) => (true, rest),
                None => (lower.starts_with("www.") || lower.contains('@'), lower.as_str()),
            };
            let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
            let host = authority.rsplit('@').next().unwrap_or_default();
            let host = host.split(':').next().unwrap_or_default();
            (is_host(host) && (marked || lone && !is_file_like(host))).then(|| show_domain(host).text)
        })
        .take(5)
        .collect()
}

fn is_host(host: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_')
    };
    let Some((_, top)) = host.rsplit_once('.') else {
        return false;
    };
    host.len() <= 253
        && host.split('.').all(label)
        && top.chars().count() >= 2
        && top
            .chars()
            .all(|c| c.is_alphabetic() || c == '-' || top.starts_with("xn--"))
}

/// `report.pdf` as the text of a link names a file, not a host.
fn is_file_like(host: &str) -> bool {
    crate::media_type::content_type_for(host) != "application/octet-stream"
}

/// An address in any of the spellings that browsers take: dotted, whole, hexadecimal, octal.
fn numeric(host: &str) -> Option<String> {
    let inner = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    if let Some(inner) = inner {
        return inner.parse::<IpAddr>().ok().map(|address| address.to_string());
    }
    let pieces: Vec<&str> = host.trim_end_matches('.').split('.').collect();
    if pieces.len() > 4 {
        return None;
    }
    let number = |piece: &str| -> Option<u32> {
        let lower = piece.to_ascii_lowercase();
        match lower.strip_prefix("0x") {
            Some(hex) => u32::from_str_radix(if hex.is_empty() { "0" } else { hex }, 16).ok(),
            None if lower.len() > 1 && lower.starts_with('0') => u32::from_str_radix(&lower, 8).ok(),
            None => lower.parse().ok(),
        }
    };
    let numbers: Vec<u32> = pieces.iter().map(|piece| number(piece)).collect::<Option<_>>()?;
    let (last, head) = numbers.split_last()?;
    let mut value = u64::from(*last);
    for (index, part) in head.iter().enumerate() {
        if *part > 255 {
            return None;
        }
        value += u64::from(*part) << (24 - 8 * index);
    }
    u32::try_from(value)
        .ok()
        .map(|value| Ipv4Addr::from(value).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use LinkWarning as W;
    use proptest::prelude::*;

    #[test]
    fn warns_of_links() {
        let check = |text: &str, url: &str, expect: &[W]| {
            assert_eq!(link_warnings(text, url), expect, "{text:?} {url:?}");
        };
        let other = |shown: &str, target: &str| W::OtherHost {
            shown: shown.to_owned(),
            target: target.to_owned(),
        };
        check("Read more", "https://example.org/x", &[]);
        check("https://example.org/x", "https://www.example.org/x?utm", &[]);
        check("example.org", "https://click.example.org/", &[]);
        check(
            "https://bank.example",
            "https://attacker.example/",
            &[other("bank.example", "attacker.example")],
        );
        check(
            "www.bank.example",
            "http://attacker.example/",
            &[other("www.bank.example", "attacker.example")],
        );
        check(
            "bank.example",
            "https://t.attacker.example",
            &[other("bank.example", "t.attacker.example")],
        );
        check("report.pdf", "https://files.example/report.pdf", &[]);
        check("See bank.example for more", "https://news.example/", &[]);
        check(
            "Sign in",
            "https://bank.example@attacker.example/",
            &[W::UserInfo("bank.example".to_owned())],
        );
        check(
            "x",
            "http://192.0.2.7/a",
            &[W::NumericHost("192.0.2.7".to_owned())],
        );
        check("x", "http://0x7f.1/", &[W::NumericHost("127.0.0.1".to_owned())]);
        check(
            "x",
            "http://3221225991/",
            &[W::NumericHost("192.0.2.7".to_owned())],
        );
        check("x", "https://[::1]/", &[W::NumericHost("::1".to_owned())]);
        check("x", "https://example.org:8443/", &[W::OddPort(8443)]);
        check("x", "https://example.org:443/", &[]);
        check(
            "x",
            "https://аррӏе.com/",
            &[W::DeceptiveHost("xn--80ak6aa92e.com".to_owned())],
        );
        check("x", "https://xn--mnchen-3ya.de/", &[]);
        check("x", "javascript:alert(1)", &[W::Refused("javascript".to_owned())]);
        check("x", "data:text/html,x", &[W::Refused("data".to_owned())]);
        check("x", "file:///etc/passwd", &[W::Refused("file".to_owned())]);
        check(
            "a@bank.example",
            "mailto:a@attacker.example",
            &[other("bank.example", "attacker.example")],
        );
        check("a@bank.example", "mailto:a@bank.example", &[]);
        check(
            "x",
            &format!("https://example.org/{}", "a".repeat(600)),
            &[W::VeryLong],
        );
        check(
            "go \u{202e}moc.knab",
            "https://example.org",
            &[W::HiddenCharacters],
        );
    }

    #[test]
    fn shows_where_a_link_leads() {
        let target = look_at_link("", "HTTPS://User@XN--MNCHEN-3YA.de:81/a?b#c");
        assert_eq!(target.url, "https://User@münchen.de:81/a?b#c");
        assert_eq!(target.host, "münchen.de");
        assert!(target.openable);
        assert!(!look_at_link("", "vbscript:x").openable);
        assert_eq!(
            look_at_link("", "mailto:a@b.example?subject=x").host,
            "a@b.example"
        );
    }

    proptest! {
        #[test]
        fn never_panics(text in any::<String>(), url in any::<String>()) {
            let _ = look_at_link(&text, &url);
            let _ = look_at_link(&url, &format!("https://{text}"));
        }
    }
}
