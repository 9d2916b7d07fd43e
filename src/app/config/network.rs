//! `[network]`: what of the inside may be called, and whether by a proxy.

use super::section::Section;
use super::tree::Node;
use super::values::{Setting, choice, is_callable, text};
use crate::app::outside::{Network, Outside, ProxyUse};

/// A bot or model beside the daemon. What is anybody else's has to be named.
const ALLOWED: [&str; 2] = ["127.0.0.0/8", "::1/128"];
/// The variables by which programs are told of a proxy for what this one calls.
const PROXIES: [&str; 6] =
    ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];

impl Setting for Network {
    fn read(node: &Node) -> Result<Self, String> {
        text(node, "a network such as \"10.0.0.0/8\"")?.parse()
    }
}

impl Setting for ProxyUse {
    fn read(node: &Node) -> Result<Self, String> {
        choice(node, &[("none", Self::None), ("environment", Self::Environment)])
    }
}

/// Whether a variable names a proxy.
pub(super) fn is_proxy(variable: &str, value: &str) -> bool {
    PROXIES.contains(&variable) && !value.is_empty()
}

/// `proxy`: the variable that names a proxy, if one does.
pub(super) fn read(mut section: Section<'_>, proxy: Option<&str>) -> Outside {
    let allowed = section.optional("allow_private");
    let allowed =
        allowed.unwrap_or_else(|| ALLOWED.iter().filter_map(|network| network.parse().ok()).collect());
    let used = section.or("proxy", ProxyUse::None);
    match (used, proxy) {
        (ProxyUse::None, Some(variable)) if !section.has("proxy") => section.warn(
            "proxy",
            format!(
                "is \"none\", so what {variable} says is not heeded; write \"environment\" if it is to be"
            ),
        ),
        _ => {}
    }
    section.finish();
    Outside::new(allowed, used)
}

/// Refuses a URL that cannot be called, or that leads inside, where that is not allowed.
pub(super) fn check_callable(section: &Section<'_>, key: &str, url: &str, such_as: &str, outside: &Outside) {
    if is_callable(url) {
        check(section, key, url, outside);
    } else {
        section.refuse(key, format!("cannot be called; write an address such as \"{such_as}\""));
    }
}

/// Refuses a URL that leads inside, where that is not allowed.
pub(super) fn check(section: &Section<'_>, key: &str, url: &str, outside: &Outside) {
    if let Err(inside) = outside.check(url) {
        section.refuse(key, format!("leads inside: {inside}"));
    }
}
