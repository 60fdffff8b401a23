//! The signature below what the user writes.

use posthorn_model::Identity;

/// The body with the identity's signature below its separator (RFC 3676 section 4.3); unchanged without one.
#[must_use]
pub fn with_signature(body: &str, identity: &Identity) -> String {
    let signature = identity.signature.trim_end();
    if signature.is_empty() {
        return body.to_owned();
    }
    format!("{}\n\n-- \n{signature}\n", body.trim_end_matches('\n'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds_a_signature() {
        let identity = |signature: &str| Identity {
            signature: signature.to_owned(),
            ..Identity::default()
        };
        assert_eq!(with_signature("Hi\n", &identity("Anna\n")), "Hi\n\n-- \nAnna\n");
        assert_eq!(with_signature("Hi\n", &identity(" \n")), "Hi\n");
        assert_eq!(with_signature("", &identity("Anna")), "\n\n-- \nAnna\n");
    }
}
