//! Which addresses a message may send us to: those of the public network only (RFC 6890's registries).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether an address belongs to the public network: not to this machine, not to a local network, not to several
/// hosts at once, and to nothing set aside. IPv6 addresses that carry an IPv4 one are judged by what they carry.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let set_aside = match a {
        // "This network", and multicast with everything above it.
        0 | 224..=255 => true,
        10 | 127 => true,
        // Shared by carriers (RFC 6598).
        100 => (64..128).contains(&b),
        169 => b == 254,
        172 => (16..32).contains(&b),
        // Protocols, documentation, the old 6to4 relays, home networks.
        192 => matches!((b, c), (0, 0 | 2) | (88, 99) | (168, _)),
        // Benchmarks, documentation.
        198 => matches!((b, c), (18 | 19, _) | (51, 100)),
        203 => (b, c) == (0, 113),
        _ => false,
    };
    !set_aside
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let carried = |high: u16, low: u16| {
        let ([w, x], [y, z]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(w, x, y, z))
    };
    match (a, b) {
        // ::ffff:0:0/96 (RFC 4291): the system dials the IPv4 address.
        (0, 0) => (c, d, e, f) == (0, 0, 0, 0xffff) && carried(g, h),
        // The well-known prefix of NAT64 (RFC 6052): the IPv4 address lies at the end.
        (0x64, 0xff9b) => (c, d, e, f) == (0, 0, 0, 0) && carried(g, h),
        // Teredo and what else 2001::/23 holds; documentation.
        (0x2001, 0..=0x1ff | 0xdb8) => false,
        // 6to4 (RFC 3056).
        (0x2002, _) => carried(b, c),
        (0x3fff, 0..=0xfff) => false,
        // 2000::/3 is all that is given out.
        _ => a & 0xe000 == 0x2000,
    }
}

/// Names that mean something on this machine or network only, and those that must not be asked for (RFC 6761, 6762,
/// 7686, 8375, 9476). A single label is looked up in the local domain.
#[must_use]
pub fn is_local_name(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let Some((rest, last)) = name.rsplit_once('.') else {
        return true;
    };
    matches!(
        last,
        "localhost"
            | "local"
            | "localdomain"
            | "internal"
            | "intranet"
            | "lan"
            | "home"
            | "corp"
            | "onion"
            | "alt"
            | "invalid"
    ) || (last == "arpa" && (rest == "home" || rest.ends_with(".home")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_public_network_is_dialled() {
        let check = |address: &str, expect: bool| {
            assert_eq!(
                is_public(address.parse().expect("an address")),
                expect,
                "{address}"
            );
        };
        for public in [
            "1.1.1.1",
            "93.184.216.34",
            "100.63.0.1",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "192.167.0.1",
            "198.17.0.1",
            "198.51.99.1",
            "203.0.112.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00:1450::1",
            "2001:4860:4860::8888",
            "::ffff:1.1.1.1",
            "64:ff9b::101:101",
            "2002:101:101::1",
        ] {
            check(public, true);
        }
        for private in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.1.2.3",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:192.168.0.1",
            "::ffff:0:127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::a00:1",
            "64:ff9b:1::101:101",
            "100::1",
            "2001::1",
            "2001:0:4136:e378:8000:63bf:3fff:fdd2",
            "2001:db8::1",
            "2002:7f00:1::1",
            "2002:a00:1::1",
            "3fff::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            check(private, false);
        }
    }

    #[test]
    fn local_names_are_not_looked_up() {
        for local in [
            "localhost",
            "LOCALHOST.",
            "router",
            "printer.local",
            "a.b.localhost",
            "x.home.arpa",
            "home.arpa",
            "nas.lan",
            "wiki.internal",
            "a.onion",
            "",
        ] {
            assert!(is_local_name(local), "{local}");
        }
        for public in [
            "example.org",
            "local.example",
            "a.b.example.org.",
            "xn--bcher-kva.example",
            "1.0.0.127.in-addr.arpa",
        ] {
            assert!(!is_local_name(public), "{public}");
        }
    }
}
