//! What single providers do otherwise than the rest. Pure.

use posthorn_model::AccountConfig;

/// Whether the provider files what is sent through it by itself, so that an upload would be a second copy.
#[must_use]
pub fn files_sent_mail(outgoing_host: &str) -> bool {
    let host = outgoing_host.to_ascii_lowercase();
    ["smtp.gmail.com", "smtp-relay.gmail.com", "smtp.googlemail.com"].contains(&host.as_str())
}

/// Connections that servers commonly allow and that are enough: one for the account's work, one for bodies, one that
/// waits for news.
const ENOUGH: u8 = 3;

/// Providers that turn away who comes with more, by the end of their host names, and how many of theirs are left for
/// us: the user's other devices need some too.
const LIMITS: [(&str, u8); 6] = [
    // Five from one address, over all programs.
    ("mail.yahoo.com", 3),
    ("mail.yahoo.co.jp", 3),
    ("imap.aol.com", 3),
    ("imap.mail.att.net", 3),
    // Fifteen for an account, over all devices.
    ("imap.gmail.com", 8),
    ("imap.googlemail.com", 8),
];

/// How many connections an account may have to its incoming server at once.
#[must_use]
pub fn connections(config: &AccountConfig) -> u8 {
    most_connections(&config.incoming.host, config.connections)
}

/// As the user wants it, and no more than the provider bears.
#[must_use]
fn most_connections(incoming_host: &str, wanted: Option<u8>) -> u8 {
    let host = incoming_host.to_ascii_lowercase();
    let limit = LIMITS.iter().find(|(end, _)| {
        host.strip_suffix(end)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    });
    let wanted = wanted.unwrap_or(ENOUGH).max(1);
    limit.map_or(wanted, |(_, most)| wanted.min(*most))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_caps_what_the_user_wants() {
        let check = |host: &str, wanted: Option<u8>, expect: u8| {
            assert_eq!(most_connections(host, wanted), expect, "{host} {wanted:?}");
        };
        check("imap.example.org", None, 3);
        check("imap.example.org", Some(1), 1);
        check("imap.example.org", Some(10), 10);
        check("imap.example.org", Some(0), 1);
        check("IMAP.Mail.Yahoo.com", Some(5), 3);
        check("imap.mail.yahoo.com", Some(2), 2);
        check("imap.gmail.com", Some(10), 8);
        check("notimap.gmail.com", Some(10), 10);
        check("imap.gmail.com.example.org", Some(10), 10);
    }

    #[test]
    fn knows_who_files_sent_mail() {
        assert!(files_sent_mail("SMTP.gmail.com"));
        assert!(!files_sent_mail("smtp.example.org"));
        assert!(!files_sent_mail("smtp.gmail.com.example.org"));
    }
}
