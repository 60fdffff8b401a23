//! What the network may be used for.

use serde::{Deserialize, Serialize};

/// The user's word on the network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NetworkPolicy {
    #[default]
    Online,
    /// Every byte costs: large bodies wait until they are opened, and servers are asked less often.
    Metered,
    /// No connection at all: what is done here is kept and sent later.
    Offline,
}

impl NetworkPolicy {
    pub const ALL: [Self; 3] = [Self::Online, Self::Metered, Self::Offline];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Metered => "metered",
            Self::Offline => "offline",
        }
    }

    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|policy| policy.name() == name)
    }

    /// Bytes: a body above this is fetched only when it is opened. `None`: no such limit.
    #[must_use]
    pub const fn prefetch_limit(self) -> Option<u64> {
        match self {
            Self::Online => None,
            Self::Metered => Some(256 * 1024),
            Self::Offline => Some(0),
        }
    }

    /// What holds where the system says that its connection is (or seems) metered.
    #[must_use]
    pub const fn on_metered_connection(self, metered: bool) -> Self {
        match self {
            Self::Online if metered => Self::Metered,
            policy => policy,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for policy in NetworkPolicy::ALL {
            assert_eq!(NetworkPolicy::parse(policy.name()), Some(policy));
        }
        assert_eq!(NetworkPolicy::parse("Online"), None);
    }

    #[test]
    fn the_system_only_makes_online_metered() {
        use NetworkPolicy::{Metered, Offline, Online};
        let check = |policy: NetworkPolicy, metered, expect| {
            assert_eq!(policy.on_metered_connection(metered), expect);
        };
        check(Online, true, Metered);
        check(Online, false, Online);
        check(Metered, false, Metered);
        check(Offline, true, Offline);
    }
}
