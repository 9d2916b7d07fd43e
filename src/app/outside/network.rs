//! A network: all addresses that begin with the same bits, as it is written: `10.0.0.0/8`, `fd00::/8`.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    /// Its first address.
    first: IpAddr,
    /// How many bits count.
    length: u8,
}

impl Network {
    pub const fn v4(first: [u8; 4], length: u8) -> Self {
        let [a, b, c, d] = first;
        Self { first: IpAddr::V4(Ipv4Addr::new(a, b, c, d)), length }
    }

    /// `high`: the first 64 bits; of those that stand in tables here the others are zero, or given as `low`.
    pub const fn v6(high: u64, low: u64, length: u8) -> Self {
        let bits = ((high as u128) << 64) | low as u128;
        Self { first: IpAddr::V6(Ipv6Addr::from_bits(bits)), length }
    }

    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.first, address) {
            (IpAddr::V4(first), IpAddr::V4(address)) => {
                begins(u128::from(address.to_bits()), 32, self.length) == u128::from(first.to_bits())
            }
            (IpAddr::V6(first), IpAddr::V6(address)) => {
                begins(address.to_bits(), 128, self.length) == first.to_bits()
            }
            _ => false,
        }
    }

    /// The network of that length which an address is in.
    fn of(address: IpAddr, length: u8) -> Self {
        let first = match address {
            IpAddr::V4(address) => {
                let bits = begins(u128::from(address.to_bits()), 32, length);
                Ipv4Addr::from_bits(u32::try_from(bits).unwrap_or(u32::MAX)).into()
            }
            IpAddr::V6(address) => Ipv6Addr::from_bits(begins(address.to_bits(), 128, length)).into(),
        };
        Self { first, length }
    }
}

/// A number of so many bits, of which all but the first `length` are made zero.
fn begins(bits: u128, of: u32, length: u8) -> u128 {
    let rest = of.saturating_sub(u32::from(length));
    bits.checked_shr(rest).and_then(|kept| kept.checked_shl(rest)).unwrap_or(0)
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.length)
    }
}

impl FromStr for Network {
    type Err = String;

    /// The error completes a sentence: "… is no network".
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "is \"{text}\", which is no network; write an address and how many of its bits count, such as \
                 \"10.0.0.0/8\" or \"fd00::/8\""
            )
        };
        let Some((address, length)) = text.split_once('/') else {
            let alone: IpAddr = text.parse().map_err(|_| wrong())?;
            let whole = if alone.is_ipv4() { 32 } else { 128 };
            return Err(format!("is the address \"{text}\"; write \"{text}/{whole}\" for it alone"));
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let (family, longest) = if address.is_ipv4() { ("IPv4", 32) } else { ("IPv6", 128) };
        let digits = !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit());
        let length: Option<u8> = length.parse().ok().filter(|length| digits && *length <= longest);
        let length = length
            .ok_or_else(|| format!("is \"{text}\"; after the slash of {family} stands 0 to {longest}"))?;
        let network = Self::of(address, length);
        if network.first != address {
            return Err(format!("is \"{text}\", which begins within a network; write \"{network}\""));
        }
        Ok(network)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refusal(text: &str) -> String {
        text.parse::<Network>().unwrap_err()
    }

    #[test]
    fn a_network_holds_what_begins_like_it() {
        let holds = |network: &str, address: &str| {
            network.parse::<Network>().unwrap().contains(address.parse().unwrap())
        };
        assert!(holds("10.0.0.0/8", "10.255.0.1") && !holds("10.0.0.0/8", "11.0.0.0"));
        assert!(holds("172.16.0.0/12", "172.31.255.255") && !holds("172.16.0.0/12", "172.32.0.0"));
        assert!(holds("127.0.0.1/32", "127.0.0.1") && !holds("127.0.0.1/32", "127.0.0.2"));
        assert!(holds("0.0.0.0/0", "255.255.255.255") && !holds("0.0.0.0/0", "::1"));
        assert!(holds("fe80::/10", "febf::1") && !holds("fe80::/10", "fec0::1"));
        assert!(holds("::/0", "ff::1") && holds("::1/128", "::1") && !holds("::1/128", "::2"));
    }

    #[test]
    fn what_is_no_network_is_refused_with_what_to_write() {
        insta::assert_snapshot!(refusal("10.1.2.3"), @r#"is the address "10.1.2.3"; write "10.1.2.3/32" for it alone"#);
        insta::assert_snapshot!(refusal("::1"), @r#"is the address "::1"; write "::1/128" for it alone"#);
        insta::assert_snapshot!(refusal("10.1.2.3/8"), @r#"is "10.1.2.3/8", which begins within a network; write "10.0.0.0/8""#);
        insta::assert_snapshot!(refusal("10.0.0.0/33"), @r#"is "10.0.0.0/33"; after the slash of IPv4 stands 0 to 32"#);
        insta::assert_snapshot!(refusal("::/129"), @r#"is "::/129"; after the slash of IPv6 stands 0 to 128"#);
        insta::assert_snapshot!(refusal("intranet"), @r#"is "intranet", which is no network; write an address and how many of its bits count, such as "10.0.0.0/8" or "fd00::/8""#);
        for text in ["10.0.0.0/", "10.0.0.0/+8", "10.0.0.0/8/8", "010.0.0.0/8", "10/8", "", "/8"] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_network_is_read_as_it_is_written(bits: u128, v4: bool, length in 0_u8..=128) {
            #[expect(clippy::cast_possible_truncation, reason = "any bits will do")]
            let address = if v4 { IpAddr::V4(Ipv4Addr::from_bits(bits as u32)) } else { IpAddr::V6(bits.into()) };
            let network = Network::of(address, if v4 { length / 4 } else { length });
            prop_assert!(network.contains(address));
            prop_assert_eq!(network.to_string().parse(), Ok(network));
        }
    }
}
