//! Servers' faults, each with its name: what it looks like, and what is done about it.

use super::capability::Capabilities;

/// A capability that some server announces without being able to do it.
struct Quirk {
    /// What it is called in the log.
    name: &'static str,
    /// Announced together with this …
    sign: &'static str,
    /// … this does not work.
    broken: &'static str,
}

const QUIRKS: [Quirk; 2] = [
    // Yahoo and AOL refuse or forget what QRESYNC and CONDSTORE need.
    Quirk {
        name: "xymhighestmodseq-without-condstore",
        sign: "XYMHIGHESTMODSEQ",
        broken: "CONDSTORE",
    },
    Quirk {
        name: "xymhighestmodseq-without-qresync",
        sign: "XYMHIGHESTMODSEQ",
        broken: "QRESYNC",
    },
];

/// Takes away what the server only claims.
pub(super) fn correct(capabilities: &mut Capabilities) {
    for quirk in QUIRKS {
        if capabilities.has(quirk.sign) && capabilities.has(quirk.broken) {
            log::debug!("The server has the quirk {}.", quirk.name);
            capabilities.remove(quirk.broken);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_away_what_is_only_claimed() {
        let check = |list: &str, expect: &str| {
            let mut capabilities = Capabilities::parse(list);
            correct(&mut capabilities);
            assert_eq!(capabilities, Capabilities::parse(expect), "{list}");
        };
        check("IDLE CONDSTORE XYMHIGHESTMODSEQ", "IDLE XYMHIGHESTMODSEQ");
        check("IDLE CONDSTORE QRESYNC", "IDLE CONDSTORE QRESYNC");
    }
}
