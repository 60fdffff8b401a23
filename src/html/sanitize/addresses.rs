//! Every address of a message, taken out of it: the engine sees `r:N` for a picture and `l:N` for a link, and these
//! tables say what that was.

use std::collections::HashMap;

use url::Url;

use crate::page::{Blocked, BlockedKind};

/// Pictures and links beyond this many are dropped.
const MAX_ADDRESSES: usize = 20_000;
/// Refusals told one by one.
const MAX_BLOCKED: usize = 1_000;
/// Pictures on servers that are told one by one.
const MAX_REMOTE: usize = 1_000;
/// A refused address as it is told.
const MAX_SHOWN: usize = 2_000;

/// Where a picture's bytes may come from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Origin {
    /// A part of this message, by its Content-ID.
    Part(String),
    /// A `data:` address, whole.
    Inline(String),
    /// An `http:` or `https:` address.
    Remote(String),
}

/// What is found behind an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Supply {
    /// Bytes that are a picture within the limits, at this place of the shelf.
    Here(usize),
    /// A picture on a server that nobody fetched.
    Away,
    /// No picture, too large a one, or an address that none may have.
    Never,
}

/// Answers for bytes: the sanitiser asks once for each address.
pub(crate) trait Shelf {
    /// The place of an origin's bytes, where they are a picture within the limits.
    fn find(&mut self, origin: &Origin) -> Option<usize>;
}

#[derive(Debug, Default)]
pub(crate) struct Addresses {
    base: Option<Url>,
    /// By address as written and whether it is a tracker's.
    known: HashMap<(String, bool), Supply>,
    /// Targets of `l:N`, in order.
    pub(crate) links: Vec<String>,
    pub(crate) remote: Vec<String>,
    pub(crate) blocked: Vec<Blocked>,
}

impl Addresses {
    /// `<base href>`: only the first that is usable counts.
    pub(super) fn set_base(&mut self, address: &str) {
        if self.base.is_none() {
            self.base = Url::parse(address.trim())
                .ok()
                .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        }
    }

    pub(super) fn refuse(&mut self, kind: BlockedKind, address: &str) {
        if self.blocked.len() < MAX_BLOCKED {
            let address = address.trim();
            let cut = address.floor_char_boundary(MAX_SHOWN);
            self.blocked.push(Blocked {
                kind,
                url: address.get(..cut).unwrap_or_default().to_owned(),
            });
        }
    }

    /// A picture's address. `seen` is false for one that the message itself hides.
    pub(super) fn picture(&mut self, address: &str, seen: bool, shelf: &mut dyn Shelf) -> Supply {
        let address = address.trim();
        if address.is_empty() {
            return Supply::Never;
        }
        let key = (address.to_owned(), seen);
        if let Some(known) = self.known.get(&key) {
            return *known;
        }
        if self.known.len() >= MAX_ADDRESSES {
            return Supply::Never;
        }
        let supply = self.examine(address, seen, shelf);
        self.known.insert(key, supply);
        supply
    }

    fn examine(&mut self, address: &str, seen: bool, shelf: &mut dyn Shelf) -> Supply {
        let Some(origin) = self.origin_of(address) else {
            self.refuse(BlockedKind::Scheme, address);
            return Supply::Never;
        };
        if let Origin::Remote(url) = &origin
            && (!seen || is_tracker(url))
        {
            self.refuse(BlockedKind::Tracker, url);
            return Supply::Never;
        }
        if let Some(place) = shelf.find(&origin) {
            if let Origin::Remote(url) = origin {
                self.list_remote(url);
            }
            return Supply::Here(place);
        }
        match origin {
            Origin::Remote(url) => {
                self.refuse(BlockedKind::Picture, &url);
                self.list_remote(url);
                Supply::Away
            }
            Origin::Part(_) | Origin::Inline(_) => {
                self.refuse(BlockedKind::Missing, address);
                Supply::Never
            }
        }
    }

    fn list_remote(&mut self, url: String) {
        if self.remote.len() < MAX_REMOTE && !self.remote.contains(&url) {
            self.remote.push(url);
        }
    }

    fn origin_of(&self, address: &str) -> Option<Origin> {
        match scheme_of(address).as_deref() {
            Some("cid") => {
                let id = address.get(4..)?.trim_matches(['<', '>', ' ']);
                Some(Origin::Part(decode_percent(id)))
            }
            Some("data") => Some(Origin::Inline(address.to_owned())),
            _ => {
                let url = self.resolve(address)?;
                (matches!(url.scheme(), "http" | "https") && url.has_host())
                    .then(|| Origin::Remote(url.into()))
            }
        }
    }

    fn resolve(&self, address: &str) -> Option<Url> {
        // An address inside an attribute may be broken over lines.
        let address: String = address
            .chars()
            .filter(|c| !matches!(c, '\t' | '\n' | '\r'))
            .collect();
        if address.starts_with("//") {
            return Url::parse(&format!("https:{address}")).ok();
        }
        match Url::parse(&address) {
            Ok(url) => Some(url),
            Err(_) => self.base.as_ref()?.join(&address).ok(),
        }
    }

    /// A link's target: `l:N`, or nothing where it may not be followed.
    pub(super) fn link(&mut self, address: &str) -> Option<String> {
        let url = self.resolve(address.trim());
        let allowed = url.filter(|url| match url.scheme() {
            "http" | "https" => url.has_host(),
            "mailto" => true,
            _ => false,
        });
        let Some(url) = allowed else {
            if !address.trim().is_empty() {
                self.refuse(BlockedKind::Scheme, address);
            }
            return None;
        };
        if self.links.len() >= MAX_ADDRESSES {
            return None;
        }
        self.links.push(url.into());
        Some(format!("l:{}", self.links.len() - 1))
    }
}

/// In lower case, without the colon.
fn scheme_of(address: &str) -> Option<String> {
    let (scheme, _) = address.split_once(':')?;
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    is_scheme.then(|| scheme.to_ascii_lowercase())
}

fn decode_percent(text: &str) -> String {
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        let mut ahead = bytes.clone();
        let digits = (byte == b'%').then(|| [ahead.next(), ahead.next()]);
        if let Some([Some(high), Some(low)]) = digits
            && let Some(high) = char::from(high).to_digit(16)
            && let Some(low) = char::from(low).to_digit(16)
            && let Ok(decoded) = u8::try_from(high * 16 + low)
        {
            out.push(decoded);
            bytes = ahead;
        } else {
            out.push(byte);
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Hosts that only count who opened a message, as `host` or `host/path-start`.
const TRACKER_HOSTS: &[&str] = &[
    "google-analytics.com/",
    "ssl.google-analytics.com/",
    "pixel.mathtag.com/",
    "ad.doubleclick.net/",
    "t.sidekickopen.com/",
    "mailfoogae.appspot.com/",
    "app.yesware.com/t/",
    "t.yesware.com/",
    "track.mixmax.com/",
    "email.mixmax.com/e/o/",
    "open.convertkit-mail.com/",
    "tracking.getmailbird.com/",
    "beacon.krxd.net/",
    "pixel.newscred.com/",
    "sb.scorecardresearch.com/",
    "pi.pardot.com/",
    "mailtrack.io/trace/",
    "tr.cloudmagic.com/",
    "receipts.canarymail.io/",
    "pixel.app.returnpath.net/",
    "api.mixpanel.com/track",
    "bat.bing.com/",
    "www.facebook.com/tr",
    "px.ads.linkedin.com/",
    "analytics.twitter.com/",
    "ea.pstmrk.it/",
    "emltrk.com/",
    "openrate.aweber.com/",
];

/// Paths by which the large mailing services count openings, whatever the host.
const TRACKER_PATHS: &[&str] = &[
    "/wf/open",
    "/track/open",
    "/e/o/",
    "/ss/o/",
    "/open.aspx",
    "/open.gif",
    "/opened.gif",
    "/o.gif",
    "/pixel.gif",
    "/tracking/open",
    "/tracking/pixel",
    "/trk/open",
    "/email/open",
    "/gp/r.html/open",
    "/mpss/o/",
    "/q/open",
    "/track/pixel",
    "/open/log/",
    "/track/open.php",
];

fn is_tracker(address: &str) -> bool {
    let Ok(url) = Url::parse(address) else {
        return false;
    };
    let host = url.host_str().unwrap_or_default();
    let path = url.path().to_ascii_lowercase();
    let full = format!("{host}{path}");
    let named = TRACKER_HOSTS.iter().any(|known| {
        full.starts_with(known) || full.find(&format!(".{known}")).is_some_and(|at| at < host.len())
    });
    named
        || TRACKER_PATHS
            .iter()
            .any(|known| path.starts_with(known) || path.ends_with(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Nothing;
    impl Shelf for Nothing {
        fn find(&mut self, _origin: &Origin) -> Option<usize> {
            None
        }
    }

    #[test]
    fn pictures_are_told_apart() {
        for (address, seen, supply, kind) in [
            (
                "https://shop.example.org/a.png",
                true,
                Supply::Away,
                BlockedKind::Picture,
            ),
            (
                "//shop.example.org/a.png",
                true,
                Supply::Away,
                BlockedKind::Picture,
            ),
            (
                "https://shop.example.org/a.png",
                false,
                Supply::Never,
                BlockedKind::Tracker,
            ),
            (
                "https://u1.ct.example.org/wf/open?upn=1",
                true,
                Supply::Never,
                BlockedKind::Tracker,
            ),
            (
                "https://stats.www.google-analytics.com/collect",
                true,
                Supply::Never,
                BlockedKind::Tracker,
            ),
            ("cid:gone", true, Supply::Never, BlockedKind::Missing),
            ("javascript:alert(1)", true, Supply::Never, BlockedKind::Scheme),
            ("file:///etc/passwd", true, Supply::Never, BlockedKind::Scheme),
            ("a.png", true, Supply::Never, BlockedKind::Scheme),
        ] {
            let mut addresses = Addresses::default();
            assert_eq!(
                addresses.picture(address, seen, &mut Nothing),
                supply,
                "{address}"
            );
            assert_eq!(addresses.blocked.first().map(|b| b.kind), Some(kind), "{address}");
        }
    }

    #[test]
    fn links_are_http_or_mail() {
        let mut addresses = Addresses::default();
        for (address, expect) in [
            ("https://example.org/a", Some("https://example.org/a")),
            (" HTTP://example.org/\n b", Some("http://example.org/%20b")),
            ("mailto:a@example.org", Some("mailto:a@example.org")),
            ("java\nscript:alert(1)", None),
            ("data:text/html,x", None),
            ("file:///x", None),
        ] {
            let count = addresses.links.len();
            let found = addresses.link(address).map(|_| addresses.links[count].clone());
            assert_eq!(found.as_deref(), expect, "{address}");
        }
    }

    #[test]
    fn content_ids_are_decoded() {
        let addresses = Addresses::default();
        for (address, expect) in [
            ("cid:a@b", "a@b"),
            ("CID:<a%40b>", "a@b"),
            ("cid:100%", "100%"),
            ("cid:%zz%4", "%zz%4"),
        ] {
            assert_eq!(
                addresses.origin_of(address),
                Some(Origin::Part(expect.to_owned()))
            );
        }
    }
}
