//! The way to the network, as far as it can be told without sending anything.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// The addresses that this machine would speak from. Two that differ are two ways; none is no network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Route {
    pub ipv4: Option<IpAddr>,
    pub ipv6: Option<IpAddr>,
}

impl Route {
    /// Asks the system which way it would choose. Connecting a datagram socket sends nothing: it looks a route up.
    #[must_use]
    pub fn look() -> Self {
        // Reserved for documentation (RFC 5737, RFC 3849): nobody is there, so only a default route leads to them.
        Self {
            ipv4: source_towards(
                (Ipv4Addr::UNSPECIFIED, 0).into(),
                (Ipv4Addr::new(192, 0, 2, 1), 9).into(),
            ),
            ipv6: source_towards(
                (Ipv6Addr::UNSPECIFIED, 0).into(),
                (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1), 9).into(),
            ),
        }
    }
}

fn source_towards(from: SocketAddr, to: SocketAddr) -> Option<IpAddr> {
    let socket = UdpSocket::bind(from).ok()?;
    socket.connect(to).ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_unspecified() && !address.is_loopback()).then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_source_is_an_address_of_this_machine() {
        let here = source_towards(
            (Ipv4Addr::UNSPECIFIED, 0).into(),
            (Ipv4Addr::new(127, 0, 0, 1), 9).into(),
        );
        assert_eq!(here, None, "loopback is not the network");
        // Whatever the answer is, it does not change from one moment to the next, and nothing waits.
        assert_eq!(Route::look(), Route::look());
    }
}
