//! What a name leads to, without what is inside. The client connects to these addresses and to no others: nobody can say one
//! thing when a name is judged and another when it is called.

use std::net::SocketAddr;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::{Inside, Outside};

pub struct Guard {
    outside: Outside,
}

impl Guard {
    pub fn new(outside: Outside) -> Self {
        Self { outside }
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let outside = self.outside.clone();
        Box::pin(async move {
            // The client has the port: none is asked for here.
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let admitted = admitted(&outside, found)?;
            Ok(Box::new(admitted.into_iter()) as Addrs)
        })
    }
}

/// Those that may be called; if there is none, why the first may not.
fn admitted(outside: &Outside, found: impl Iterator<Item = SocketAddr>) -> Result<Vec<SocketAddr>, Inside> {
    let mut refused = None;
    let mut admitted = Vec::new();
    for address in found {
        match outside.admit(address.ip()) {
            Ok(()) => admitted.push(address),
            Err(inside) => refused = refused.or(Some(inside)),
        }
    }
    match refused {
        Some(inside) if admitted.is_empty() => Err(inside),
        _ => Ok(admitted),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::outside::ProxyUse;

    #[test]
    fn of_the_addresses_of_a_name_only_those_outside_are_called() {
        let outside = Outside::new(vec!["10.1.0.0/16".parse().unwrap()], ProxyUse::None);
        let admitted = |addresses: &[&str]| {
            let found = addresses.iter().map(|address| SocketAddr::new(address.parse().unwrap(), 0));
            admitted(&outside, found).map(|admitted| admitted.len())
        };
        assert_eq!(admitted(&["8.8.8.8", "10.0.0.1", "10.1.0.1", "::1"]), Ok(2));
        assert_eq!(admitted(&[]), Ok(0));
        let refused = admitted(&["10.0.0.1", "127.0.0.1"]).unwrap_err();
        insta::assert_snapshot!(refused, @"10.0.0.1 is in 10.0.0.0/8 (private networks), which is not called; if it is meant to be, add it to network.allow_private");
    }
}
