//! What is inside: the networks that are nobody's on the Internet, by the registries of special-purpose addresses that IANA
//! keeps (RFC 6890 and what has come since). Must not know what is allowed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::network::Network;

const THIS_MACHINE: &str = "this machine";
const PRIVATE: &str = "private networks";
const LINK: &str = "one link, where clouds keep their machines' credentials";
const DOCUMENTATION: &str = "documentation";
const PROTOCOLS: &str = "protocols";
const MANY: &str = "many receivers at once";
const RESERVED: &str = "reserved";

const INSIDE: [(Network, &str); 28] = [
    (Network::v4([0, 0, 0, 0], 8), THIS_MACHINE),
    (Network::v4([10, 0, 0, 0], 8), PRIVATE),
    (Network::v4([100, 64, 0, 0], 10), "carriers' and clouds' own networks"),
    (Network::v4([127, 0, 0, 0], 8), THIS_MACHINE),
    (Network::v4([169, 254, 0, 0], 16), LINK),
    (Network::v4([172, 16, 0, 0], 12), PRIVATE),
    (Network::v4([192, 0, 0, 0], 24), PROTOCOLS),
    (Network::v4([192, 0, 2, 0], 24), DOCUMENTATION),
    (Network::v4([192, 88, 99, 0], 24), PROTOCOLS),
    (Network::v4([192, 168, 0, 0], 16), PRIVATE),
    (Network::v4([198, 18, 0, 0], 15), "measurements"),
    (Network::v4([198, 51, 100, 0], 24), DOCUMENTATION),
    (Network::v4([203, 0, 113, 0], 24), DOCUMENTATION),
    (Network::v4([224, 0, 0, 0], 4), MANY),
    (Network::v4([240, 0, 0, 0], 4), RESERVED),
    (Network::v6(0, 0, 128), THIS_MACHINE),
    (Network::v6(0, 1, 128), THIS_MACHINE),
    (Network::v6(0x0064_ff9b_0001_0000, 0, 48), "translation to IPv4 within a network"),
    (Network::v6(0x0100_0000_0000_0000, 0, 64), "what is thrown away"),
    // Teredo and its kin: what they stand for is another's to say.
    (Network::v6(0x2001_0000_0000_0000, 0, 23), PROTOCOLS),
    (Network::v6(0x2001_0db8_0000_0000, 0, 32), DOCUMENTATION),
    (Network::v6(0x3fff_0000_0000_0000, 0, 20), DOCUMENTATION),
    (Network::v6(0x5f00_0000_0000_0000, 0, 16), PROTOCOLS),
    (Network::v6(0xfc00_0000_0000_0000, 0, 7), PRIVATE),
    (Network::v6(0xfe00_0000_0000_0000, 0, 9), RESERVED),
    (Network::v6(0xfe80_0000_0000_0000, 0, 10), LINK),
    (Network::v6(0xfec0_0000_0000_0000, 0, 10), PRIVATE),
    (Network::v6(0xff00_0000_0000_0000, 0, 8), MANY),
];

/// How an IPv4 address is written as one of IPv6, and how many bits stand after it.
const EMBEDDING: [(Network, u32); 5] = [
    // Compatible and mapped (RFC 4291), translated (RFC 7915, RFC 6052), and 6to4 (RFC 3056).
    (Network::v6(0, 0, 96), 0),
    (Network::v6(0, 0xffff_0000_0000, 96), 0),
    (Network::v6(0, 0xffff_0000_0000_0000, 96), 0),
    (Network::v6(0x0064_ff9b_0000_0000, 0, 96), 0),
    (Network::v6(0x2002_0000_0000_0000, 0, 16), 80),
];

/// An address that is not called unless it is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{} is in {network} ({what}), which is not called; if it is meant to be, add it to network.allow_private",
    self.named()
)]
pub struct Inside {
    address: IpAddr,
    means: IpAddr,
    network: Network,
    what: &'static str,
}

impl Inside {
    /// The address itself, or the IPv4 address that it stands for.
    pub fn means(&self) -> IpAddr {
        self.means
    }

    fn named(&self) -> String {
        if self.address == self.means {
            self.address.to_string()
        } else {
            format!("{}, which stands for {},", self.address, self.means)
        }
    }
}

/// Where an address is, if that is inside.
pub fn judge(address: IpAddr) -> Option<Inside> {
    let found = |means: IpAddr| {
        let (network, what) = INSIDE.into_iter().find(|(network, _)| network.contains(means))?;
        Some(Inside { address, means, network, what })
    };
    found(address).or_else(|| found(embedded(address)?.into()))
}

/// The IPv4 address that one of IPv6 stands for.
fn embedded(address: IpAddr) -> Option<Ipv4Addr> {
    let IpAddr::V6(v6) = address else { return None };
    let (_, after) = EMBEDDING.into_iter().find(|(network, _)| network.contains(address))?;
    let bits = Ipv6Addr::to_bits(v6) >> after;
    u32::try_from(bits & u128::from(u32::MAX)).ok().map(Ipv4Addr::from_bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_inside(address: &str) -> bool {
        judge(address.parse().unwrap()).is_some()
    }

    #[test]
    fn each_network_is_inside_from_its_first_address_to_its_last() {
        for (first, last, after) in [
            ("0.0.0.0", "0.255.255.255", "1.0.0.0"),
            ("10.0.0.0", "10.255.255.255", "11.0.0.0"),
            ("100.64.0.0", "100.127.255.255", "100.128.0.0"),
            ("127.0.0.0", "127.255.255.255", "128.0.0.0"),
            ("169.254.0.0", "169.254.255.255", "169.255.0.0"),
            ("172.16.0.0", "172.31.255.255", "172.32.0.0"),
            ("192.0.0.0", "192.0.0.255", "192.0.1.0"),
            ("192.0.2.0", "192.0.2.255", "192.0.3.0"),
            ("192.168.0.0", "192.168.255.255", "192.169.0.0"),
            ("198.18.0.0", "198.19.255.255", "198.20.0.0"),
            ("198.51.100.0", "198.51.100.255", "198.51.101.0"),
            ("203.0.113.0", "203.0.113.255", "203.0.114.0"),
            ("fc00::", "fdff:ffff::1", "fb00::"),
            ("fe80::", "febf::1", "2606:4700::1"),
            ("ff00::", "ffff::1", "2a00::1"),
            ("2001:db8::", "2001:db8:ffff::1", "2001:db9::"),
        ] {
            assert!(is_inside(first) && is_inside(last) && !is_inside(after), "{first}");
        }
        for address in ["224.0.0.1", "239.1.2.3", "240.0.0.1", "255.255.255.255", "::", "::1", "64:ff9b:1::1"]
        {
            assert!(is_inside(address), "{address}");
        }
        for address in ["8.8.8.8", "1.1.1.1", "172.15.0.1", "2606:4700:4700::1111", "2001:4860:4860::8888"] {
            assert!(!is_inside(address), "{address}");
        }
    }

    #[test]
    fn an_ipv4_address_in_the_clothes_of_ipv6_is_judged_as_what_it_is() {
        for (inside, outside) in [
            ("::ffff:10.0.0.1", "::ffff:8.8.8.8"),
            ("::ffff:0:10.0.0.1", "::ffff:0:8.8.8.8"),
            ("::127.0.0.1", "::8.8.8.8"),
            ("64:ff9b::169.254.169.254", "64:ff9b::8.8.8.8"),
            ("2002:a00:1::1", "2002:808:808::1"),
        ] {
            assert!(is_inside(inside) && !is_inside(outside), "{inside} {outside}");
        }
        insta::assert_snapshot!(
            judge("64:ff9b::169.254.169.254".parse().unwrap()).unwrap(),
            @"64:ff9b::a9fe:a9fe, which stands for 169.254.169.254, is in 169.254.0.0/16 (one link, where clouds keep their machines' credentials), which is not called; if it is meant to be, add it to network.allow_private"
        );
    }
}
