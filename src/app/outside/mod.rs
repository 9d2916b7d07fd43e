//! The way out: every HTTP client of the daemon is built here, so that what it calls is outside. A URL of the configuration
//! leads wherever its name's owner says: to this machine's metadata service as well. What is inside (this machine, private and
//! special networks: [`inside`]) is called only where `network.allow_private` says so.
//!
//! * A name is judged by the addresses that are connected to, each time anew ([`resolver`]): what it led to before counts for
//!   nothing.
//! * An address that stands in the URL itself is asked of no resolver. So it is judged when the configuration is read
//!   ([`Outside::check`]), and redirects, which could lead to another one, are never followed.
//! * A proxy looks names up by itself, and would undo the first of these. So none is used, whatever the environment says, unless
//!   `network.proxy` is `"environment"`; then it is for the proxy to refuse what is inside.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use reqwest::{ClientBuilder, Url};

pub mod inside;
pub mod network;
mod resolver;

pub use self::inside::Inside;
pub use self::network::Network;
use self::resolver::Guard;

/// What may be called, and by which way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outside {
    allowed: Vec<Network>,
    proxy: ProxyUse,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyUse {
    None,
    /// What `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` say.
    Environment,
}

impl Outside {
    /// `allowed`: what may be called although it is inside.
    pub fn new(allowed: Vec<Network>, proxy: ProxyUse) -> Self {
        Self { allowed, proxy }
    }

    /// Whether that address may be called.
    pub fn admit(&self, address: IpAddr) -> Result<(), Inside> {
        let Some(inside) = inside::judge(address) else { return Ok(()) };
        let is_allowed = |address| self.allowed.iter().any(|network| network.contains(address));
        if is_allowed(address) || is_allowed(inside.means()) { Ok(()) } else { Err(inside) }
    }

    /// Whether a URL may be called, as far as it says itself where it leads: by an address, however it is spelt, or by
    /// `localhost`. Every URL has to be asked about before it is called.
    pub fn check(&self, url: &str) -> Result<(), Inside> {
        // The parser has made plain numbers of 0x7f.1 and 2130706433.
        let url = Url::parse(url).ok();
        let host = url.as_ref().and_then(Url::host_str).unwrap_or_default();
        if is_localhost(host) {
            let of_v4 = self.admit(Ipv4Addr::LOCALHOST.into());
            return of_v4.or_else(|inside| self.admit(Ipv6Addr::LOCALHOST.into()).map_err(|_| inside));
        }
        match host.trim_matches(['[', ']']).parse() {
            Ok(address) => self.admit(address),
            Err(_) => Ok(()),
        }
    }

    /// A client for that URL, which has passed [`Self::check`]: it connects to nothing inside, follows no redirect, and tries
    /// nothing again.
    pub fn client_builder(&self, url: &str) -> ClientBuilder {
        let client = plain().dns_resolver(Guard::new(self.clone()));
        match self.proxy {
            ProxyUse::Environment if !is_of_this_machine(url) => client,
            _ => client.no_proxy(),
        }
    }
}

/// A client for what the daemon's own commands and its simulator call: the daemon, wherever it listens.
pub fn own_client_builder() -> ClientBuilder {
    plain().no_proxy()
}

fn plain() -> ClientBuilder {
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).retry(reqwest::retry::never())
}

fn is_localhost(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    host == "localhost" || host.ends_with(".localhost")
}

/// What no proxy could reach.
fn is_of_this_machine(url: &str) -> bool {
    let url = Url::parse(url).ok();
    let host = url.as_ref().and_then(Url::host_str).unwrap_or_default();
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    is_localhost(host) || address.is_ok_and(|address| address.is_loopback() || address.is_unspecified())
}

#[cfg(test)]
mod tests;
