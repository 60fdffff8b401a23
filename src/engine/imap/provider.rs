//! What single providers do otherwise than the rest. Pure.

/// Whether the provider files what is sent through it by itself, so that an upload would be a second copy.
#[must_use]
pub fn files_sent_mail(outgoing_host: &str) -> bool {
    let host = outgoing_host.to_ascii_lowercase();
    ["smtp.gmail.com", "smtp-relay.gmail.com", "smtp.googlemail.com"].contains(&host.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_who_files_sent_mail() {
        assert!(files_sent_mail("SMTP.gmail.com"));
        assert!(!files_sent_mail("smtp.example.org"));
        assert!(!files_sent_mail("smtp.gmail.com.example.org"));
    }
}
