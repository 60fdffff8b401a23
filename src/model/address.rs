//! Mail addresses (RFC 5322 section 3.4) as parsed; how they are written on the wire is `mime`'s business.

use serde::{Deserialize, Serialize};
use std::fmt;

/// One mailbox address: an optional display name, and `local@domain` as the message had it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Address {
    pub name: Option<String>,
    pub email: String,
}

impl Address {
    #[must_use]
    pub fn new(name: impl Into<String>, email: impl Into<String>) -> Self {
        let name = name.into();
        Self {
            name: (!name.is_empty()).then_some(name),
            email: email.into(),
        }
    }

    #[must_use]
    pub fn bare(email: impl Into<String>) -> Self {
        Self {
            name: None,
            email: email.into(),
        }
    }

    /// The name where there is one, else the address.
    #[must_use]
    pub fn display(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.email)
    }

    /// Several people as one line, for a list: names where there are some.
    #[must_use]
    pub fn display_all(people: &[Self]) -> String {
        people.iter().map(Self::display).collect::<Vec<_>>().join(", ")
    }

    #[must_use]
    pub fn domain(&self) -> Option<&str> {
        self.email.rsplit_once('@').map(|(_, domain)| domain)
    }
}

/// For people, not for headers: `Name <local@domain>`.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name} <{}>", self.email),
            None => f.write_str(&self.email),
        }
    }
}
