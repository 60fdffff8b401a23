//! Whether a message is from whom it says, by what the user's own receiving server found out (RFC 8601). Anybody can
//! write an `Authentication-Results` field: one counts only where it names a server that the account trusts, and
//! stands above the trace of every other server.

use crate::defect::Defects;
use crate::domain::{is_related, organisation};
use crate::word;

use super::auth_results::{AuthResults, MethodResult};

/// Fields looked at from the top: what a receiving server adds, and room for the filters behind it.
const MAX_FIELDS: usize = 400;

/// The answer of one method, as far as the reader's mark needs it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Outcome {
    Pass,
    /// Also what RFC 8601 calls softfail and policy.
    Fail,
    /// Not tried, not offered, or undecided: none, neutral, temperror, permerror, or no result at all.
    #[default]
    Unknown,
}

impl Outcome {
    fn of(result: &str) -> Self {
        match result {
            "pass" => Self::Pass,
            "fail" | "hardfail" | "softfail" | "policy" => Self::Fail,
            _ => Self::Unknown,
        }
    }
}

/// The one quiet mark.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Mark {
    /// The sender's domain answers for this message.
    Verified(String),
    /// The sender's domain says that this is not from there.
    Failed,
    /// Nothing trustworthy is known.
    #[default]
    Unknown,
}

/// What the receiving server says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    pub mark: Mark,
    pub spf: Outcome,
    pub dkim: Outcome,
    pub dmarc: Outcome,
    pub arc: Outcome,
    /// Domains that answered: of signatures that pass, and of the envelope where SPF passes.
    pub dkim_domains: Vec<String>,
    pub spf_domain: Option<String>,
    /// The server that says so; `None`: no field could be believed.
    pub server: Option<String>,
    /// Whether a passing domain is that of `From` or of the same owner.
    pub aligned: bool,
    /// Every result of the fields believed, for the details.
    pub results: Vec<MethodResult>,
    /// Fields that claim to be such results and were not believed.
    pub ignored: u32,
    /// `DKIM-Signature` fields cover `List-Unsubscribe` and `List-Unsubscribe-Post`, and one of theirs passes: RFC
    /// 8058 section 4 asks for that.
    pub signs_unsubscribe: bool,
}

struct Raw<'x> {
    name: &'x [u8],
    value: String,
}

/// Whose results an account believes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trusted {
    /// Ids of the receiving servers (authserv-id), or the domains they lie in.
    pub ids: Vec<String>,
    /// These servers take away what claims to be theirs (RFC 8601 section 5), so that their field is believed below
    /// their trace too. Otherwise only what stands above the trace of the way in: nobody outside can write there.
    pub strips: bool,
}

impl Trusted {
    /// Servers that the user named.
    #[must_use]
    pub fn named(ids: &[String]) -> Self {
        Self {
            ids: ids.to_vec(),
            strips: true,
        }
    }
}

/// Judges a message by its header. `from_domain`: the domain of the author.
#[must_use]
pub fn verdict(raw: &[u8], trusted: &Trusted, from_domain: &str) -> Verdict {
    let fields = top_fields(raw);
    let mut out = Verdict::default();
    let mut sealed: Option<AuthResults> = None;
    let mut waiting: Vec<AuthResults> = Vec::new();
    let mut believing = !trusted.ids.is_empty();
    let mut crossed = false;
    for field in &fields {
        match Trace::of(field.name) {
            Trace::Received if believing => {
                let hop = Hop::read(&field.value, &trusted.ids);
                if hop.ours && hop.named && !crossed {
                    waiting.drain(..).for_each(|read| believe(&mut out, read));
                }
                crossed |= hop.from_outside;
                // What stands below the way in was there before.
                believing = hop.ours && (!crossed || trusted.strips && out.server.is_none());
            }
            // Where it stands does not matter: the chain is believed only where our server checked it.
            Trace::Sealed => sealed = sealed.or_else(|| read_sealed(&field.value)),
            Trace::Results => {
                let read = AuthResults::read(&field.value);
                let ours = if read.server.is_empty() {
                    // Some large providers leave their id out.
                    trusted.strips
                } else {
                    is_trusted(&read.server, &trusted.ids)
                };
                if !(believing && ours) {
                    out.ignored = out.ignored.saturating_add(1);
                } else if trusted.strips && out.server.is_none() && waiting.is_empty() {
                    // The topmost one; more of them only where a trace of ours stands below.
                    believe(&mut out, read);
                    believing = !crossed;
                } else {
                    waiting.push(read);
                }
            }
            // The author's own fields: servers write above them.
            Trace::Origin => believing = false,
            _ => {}
        }
    }
    out.ignored = out
        .ignored
        .saturating_add(u32::try_from(waiting.len()).unwrap_or(u32::MAX));
    out.results.truncate(100);
    let known_sealer = sealed
        .as_ref()
        .is_some_and(|sealed| is_trusted(&sealed.server, &trusted.ids));
    settle(&mut out, sealed, known_sealer, from_domain);
    out.signs_unsubscribe = fields
        .iter()
        .filter(|field| field.name.eq_ignore_ascii_case(b"dkim-signature"))
        .any(|field| covers_unsubscribe(&field.value, &out.dkim_domains));
    out
}

/// Several fields count where they are of one server.
fn believe(out: &mut Verdict, read: AuthResults) {
    match &out.server {
        Some(server) if !server.eq_ignore_ascii_case(&read.server) => {
            out.ignored = out.ignored.saturating_add(1);
            return;
        }
        Some(_) => {}
        None => out.server = Some(read.server),
    }
    out.results.extend(read.results);
}

enum Trace {
    Received,
    Results,
    Sealed,
    Origin,
    Other,
}

impl Trace {
    fn of(name: &[u8]) -> Self {
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        if is("received") {
            Self::Received
        } else if is("authentication-results") {
            Self::Results
        } else if is("arc-authentication-results") {
            Self::Sealed
        } else if ["from", "to", "subject", "date", "message-id"]
            .iter()
            .any(|known| is(known))
        {
            Self::Origin
        } else {
            Self::Other
        }
    }
}

/// One step of a message's way.
struct Hop {
    /// Taken by a server of ours, or by one that names itself by an inner address only.
    ours: bool,
    /// Taken by a server whose name is trusted.
    named: bool,
    from_outside: bool,
}

impl Hop {
    fn read(value: &str, trusted: &[String]) -> Self {
        let value = value.replace('\t', " ");
        let by = received_by(&value).unwrap_or_default();
        let named = is_trusted(by, trusted);
        // Google's and others' inner hops carry an address, mail filters a bare name.
        let inner = by.starts_with('[') || by.contains(':') || !by.contains('.') || is_inner_address(by);
        let (from, rest) = value.split_once(" by ").unwrap_or((value.as_str(), ""));
        // Spoken between a server and its own store only (RFC 2033 section 5).
        let lmtp = rest
            .split_once(" with ")
            .is_some_and(|(_, with)| with.trim_start().to_ascii_uppercase().starts_with("LMTP"));
        let told = from.split_once('(').map_or("", |(_, told)| told);
        // What a sender calls itself proves nothing, in a comment neither: only the address that the server saw,
        // and the name that it found for that.
        let told = match told.get(..5) {
            Some(mark) if mark.eq_ignore_ascii_case("helo ") || mark.eq_ignore_ascii_case("ehlo ") => {
                told.split_once(')').map_or("", |(_, rest)| rest)
            }
            _ => told,
        };
        let words: Vec<&str> = told
            .split(|c: char| c.is_whitespace() || "()".contains(c))
            .filter(|word| !word.is_empty())
            .collect();
        let seen = |word: &&str| is_inner_address(word.trim_start_matches('[').trim_end_matches(']'));
        let found = match words.as_slice() {
            [name, address, ..] if address.starts_with('[') && !told.contains("forged") => {
                is_trusted(name, trusted)
            }
            _ => false,
        };
        let without_from = !value.trim_start().to_ascii_lowercase().starts_with("from ");
        let from_inside = without_from || lmtp || found || words.iter().any(seen);
        Self {
            ours: named || inner,
            named,
            from_outside: !from_inside,
        }
    }
}

/// An address of one's own machine or network.
fn is_inner_address(word: &str) -> bool {
    let word = word.trim_start_matches("IPv6:").trim_end_matches([',', ';']);
    match word.parse::<std::net::IpAddr>() {
        Ok(std::net::IpAddr::V4(address)) => {
            address.is_loopback() || address.is_private() || address.is_link_local()
        }
        Ok(std::net::IpAddr::V6(address)) => {
            let first = address.segments().first().copied().unwrap_or_default();
            address.is_loopback() || first & 0xfe00 == 0xfc00 || first & 0xffc0 == 0xfe80
        }
        Err(_) => word.eq_ignore_ascii_case("localhost"),
    }
}

/// A chain that holds (ARC, RFC 8617) says only that its sealers said so: a stranger's word takes a failure back, as
/// mailing lists cause them, and verifies nothing.
fn settle(out: &mut Verdict, sealed: Option<AuthResults>, known_sealer: bool, from_domain: &str) {
    let mut domains = Vec::new();
    for result in &out.results {
        let outcome = Outcome::of(&result.result);
        match result.method.as_str() {
            "spf" => {
                out.spf = better(out.spf, outcome);
                if outcome == Outcome::Pass && out.spf_domain.is_none() {
                    out.spf_domain = result.domain(&["smtp.mailfrom", "smtp.helo"]);
                }
            }
            "dkim" => {
                out.dkim = better(out.dkim, outcome);
                if outcome == Outcome::Pass {
                    domains.extend(result.domain(&["header.d", "header.i"]));
                }
            }
            // The strictest one counts where a server says it twice.
            "dmarc" => {
                out.dmarc = match (out.dmarc, outcome) {
                    (Outcome::Fail, _) | (_, Outcome::Fail) => Outcome::Fail,
                    (old, Outcome::Unknown) => old,
                    _ => outcome,
                }
            }
            "arc" => out.arc = better(out.arc, outcome),
            _ => {}
        }
    }
    domains.dedup();
    out.dkim_domains = domains;
    let speaks = |domain: &String| is_related(domain, from_domain);
    let claimed = out.results.iter().find(|result| result.method == "dmarc");
    let dmarc_from = claimed.and_then(|result| result.domain(&["header.from"]));
    out.aligned = out.dkim_domains.iter().any(speaks) || out.spf_domain.as_ref().is_some_and(speaks);
    // A verdict on another author is none on this one.
    let dmarc_fits = dmarc_from.as_ref().is_none_or(speaks);
    let aligned_dkim = out.dkim_domains.iter().any(speaks);
    let forwarded = out.arc == Outcome::Pass
        && sealed.is_some_and(|sealed| {
            sealed.result("dmarc") == Some("pass")
                && sealed
                    .results
                    .iter()
                    .filter(|result| result.method == "dmarc")
                    .all(|result| result.domain(&["header.from"]).as_ref().is_none_or(speaks))
        });
    out.mark = if from_domain.is_empty() || out.server.is_none() {
        Mark::Unknown
    } else if out.dmarc == Outcome::Pass && dmarc_fits
        || out.dmarc != Outcome::Fail && aligned_dkim
        || forwarded && known_sealer
    {
        Mark::Verified(organisation_of(from_domain, &out.dkim_domains))
    } else if forwarded {
        Mark::Unknown
    } else if out.dmarc == Outcome::Fail {
        Mark::Failed
    } else {
        Mark::Unknown
    };
}

/// The domain to name beside the mark: the author's own.
fn organisation_of(from_domain: &str, signed: &[String]) -> String {
    let exact = signed
        .iter()
        .find(|domain| domain.eq_ignore_ascii_case(from_domain));
    exact.cloned().unwrap_or_else(|| {
        let owner = organisation(from_domain);
        if owner.is_empty() {
            from_domain.to_owned()
        } else {
            owner
        }
    })
}

/// One passing signature suffices, whatever the others say.
const fn better(old: Outcome, new: Outcome) -> Outcome {
    match (old, new) {
        (Outcome::Pass, _) | (_, Outcome::Pass) => Outcome::Pass,
        (Outcome::Fail, _) | (_, Outcome::Fail) => Outcome::Fail,
        _ => Outcome::Unknown,
    }
}

/// `i=1; mx.example.org; spf=…`: the instance stands in front (RFC 8617 section 4.1.1).
fn read_sealed(value: &str) -> Option<AuthResults> {
    let (instance, rest) = value.split_once(';')?;
    instance
        .trim_start()
        .starts_with("i=")
        .then(|| AuthResults::read(rest))
}

/// Whether an id is that of a trusted server, or of one in a trusted domain.
fn is_trusted(server: &str, trusted: &[String]) -> bool {
    let server = server.trim_end_matches('.').to_ascii_lowercase();
    trusted.iter().any(|known| {
        let known = known.trim_end_matches('.').to_ascii_lowercase();
        !known.is_empty()
            && (server == known
                || known.contains('.')
                    && server
                        .strip_suffix(&known)
                        .is_some_and(|head| head.ends_with('.')))
    })
}

/// The host behind `by` in a `Received` (RFC 5321 section 4.4), outside comments.
fn received_by(value: &str) -> Option<&str> {
    let mut depth = 0_i32;
    let mut by = false;
    for word in value.split([' ', '\t']).filter(|word| !word.is_empty()) {
        let outside = depth == 0 && !word.starts_with('(');
        depth += i32::try_from(word.matches('(').count()).unwrap_or(0);
        depth -= i32::try_from(word.matches(')').count()).unwrap_or(0);
        if !outside {
            continue;
        }
        if by {
            return Some(word.trim_end_matches([';', '.']));
        }
        by = word.eq_ignore_ascii_case("by");
    }
    None
}

/// What a signature covers (RFC 6376 section 3.5), where its domain is one that passed.
fn covers_unsubscribe(value: &str, passed: &[String]) -> bool {
    let tag = |name: &str| {
        value.split(';').find_map(|tag| {
            let (key, text) = tag.split_once('=')?;
            (key.trim() == name).then(|| {
                text.chars()
                    .filter(|c| !c.is_whitespace())
                    .collect::<String>()
                    .to_ascii_lowercase()
            })
        })
    };
    let (Some(domain), Some(covered)) = (tag("d"), tag("h")) else {
        return false;
    };
    let has = |name: &str| covered.split(':').any(|field| field == name);
    passed.iter().any(|known| known.eq_ignore_ascii_case(&domain))
        && has("list-unsubscribe")
        && has("list-unsubscribe-post")
}

/// The first fields of a header, unfolded.
fn top_fields(raw: &[u8]) -> Vec<Raw<'_>> {
    let mut out: Vec<(&[u8], Vec<u8>)> = Vec::new();
    for line in raw.split_inclusive(|byte| *byte == b'\n') {
        if matches!(line, b"\n" | b"\r\n") {
            break;
        }
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            if let Some((_, value)) = out.last_mut().filter(|(_, value)| value.len() < 64 * 1024) {
                value.extend_from_slice(line);
            }
            continue;
        }
        if out.len() >= MAX_FIELDS {
            break;
        }
        if let Some(colon) = memchr::memchr(b':', line) {
            let (name, rest) = line.split_at(colon);
            out.push((name.trim_ascii(), rest.get(1..).unwrap_or_default().to_vec()));
        }
    }
    out.into_iter()
        .map(|(name, value)| Raw {
            name,
            value: word::to_line(&value, None, &mut Defects::default()),
        })
        .collect()
}

/// What to trust for an account that has configured nothing, from the top of messages that its server handed over:
/// the host that took them (`by` of the topmost `Received`) where that belongs to the incoming server or to the
/// account's own domain, the domains of the provider, and its well-known ids.
///
/// `incoming`: the host name that mail is fetched from; `email`: the account's address; `received`: topmost
/// `Received` values of some recent messages (see [`topmost_received`]).
#[must_use]
pub fn learn_trusted(incoming: &str, email: &str, received: &[String]) -> Trusted {
    let incoming = incoming.trim_end_matches('.').to_ascii_lowercase();
    let own = email
        .rsplit_once('@')
        .map_or("", |(_, domain)| domain)
        .to_ascii_lowercase();
    let mut out: Vec<String> = Vec::new();
    let mut add = |id: &str| {
        let id = id.to_ascii_lowercase();
        if !id.is_empty() && !out.contains(&id) {
            out.push(id);
        }
    };
    let known = PROVIDERS.iter().filter(|(host, _)| {
        incoming == *host
            || incoming
                .strip_suffix(host)
                .is_some_and(|head| head.ends_with('.'))
    });
    let mut provided = false;
    for (_, ids) in known {
        provided = true;
        ids.iter().for_each(|id| add(id));
    }
    if !provided {
        // Everything in the provider's own domain: it runs those servers.
        if incoming.contains('.') && incoming.parse::<std::net::IpAddr>().is_err() {
            add(&organisation(&incoming));
        }
        add(&own);
        for value in received {
            let Some(host) = received_by(value) else { continue };
            let host = host.to_ascii_lowercase();
            if is_related(&host, &incoming) || is_related(&host, &own) {
                add(&host);
            }
        }
    }
    Trusted {
        ids: out,
        strips: provided,
    }
}

/// The value of the topmost `Received` of a header, for [`learn_trusted`].
#[must_use]
pub fn topmost_received(header: &[u8]) -> Option<String> {
    super::named::field_values(header, "Received").into_iter().next()
}

/// Incoming hosts of large providers, and the ids that their servers write. They sign in places that their host
/// names do not tell.
const PROVIDERS: &[(&str, &[&str])] = &[
    ("gmail.com", &["mx.google.com", "google.com"]),
    ("googlemail.com", &["mx.google.com", "google.com"]),
    ("google.com", &["mx.google.com", "google.com"]),
    ("outlook.com", &["protection.outlook.com", "outlook.com"]),
    ("office365.com", &["protection.outlook.com", "outlook.com"]),
    ("hotmail.com", &["protection.outlook.com", "outlook.com"]),
    ("yahoo.com", &["yahoo.com", "yahoodns.net"]),
    ("aol.com", &["aol.com", "yahoo.com"]),
    ("me.com", &["icloud.com", "mac.com", "me.com"]),
    ("icloud.com", &["icloud.com", "mac.com", "me.com"]),
    ("fastmail.com", &["messagingengine.com", "fastmail.com"]),
    ("messagingengine.com", &["messagingengine.com", "fastmail.com"]),
    ("gmx.net", &["gmx.net", "gmx.com", "kundenserver.de"]),
    ("gmx.com", &["gmx.net", "gmx.com", "kundenserver.de"]),
    ("web.de", &["web.de", "gmx.net", "kundenserver.de"]),
    ("ionos.de", &["kundenserver.de", "ionos.de"]),
    ("ionos.com", &["kundenserver.de", "perfora.net", "ionos.com"]),
    ("mailbox.org", &["mailbox.org", "heinlein-support.de"]),
    ("zoho.com", &["mx.zohomail.com", "zohomail.com", "zoho.com"]),
    ("protonmail.ch", &["protonmail.ch", "proton.me", "protonmail.com"]),
    ("yandex.ru", &["yandex.net", "yandex.ru"]),
    ("yandex.com", &["yandex.net", "yandex.ru"]),
    ("mail.ru", &["mail.ru", "mxs.mail.ru"]),
    ("ovh.net", &["ovh.net", "mail.ovh.net"]),
    ("migadu.com", &["migadu.com"]),
];

#[cfg(test)]
mod tests;
