//! `[server]`: where the daemon listens and how the world reaches it.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::time::Duration;

use super::section::Section;
use super::values::{ByteSize, PublicUrl};
use crate::domain::pace::Pace;

#[derive(Clone, Debug)]
pub struct Server {
    pub listen: SocketAddr,
    /// What providers sign and call back.
    pub public_url: PublicUrl,
    pub max_body_bytes: u64,
    /// Calls of each token.
    pub api_rate: Pace,
    /// How many connections are open at once.
    pub max_connections: usize,
    pub shutdown_grace: Duration,
}

impl Server {
    pub(super) fn read(mut section: Section<'_>) -> Self {
        let listen = section.or("listen", SocketAddr::from(([127, 0, 0, 1], 8080)));
        let server = Self {
            listen,
            public_url: section.or("public_url", PublicUrl::of(listen)),
            max_body_bytes: section.or("max_body_bytes", ByteSize(256 << 10)).0,
            api_rate: section.or("api_rate", Pace::per_second(100)),
            max_connections: section
                .optional::<NonZeroUsize>("max_connections")
                .map_or(512, NonZeroUsize::get),
            shutdown_grace: section.or("shutdown_grace", Duration::from_secs(20)),
        };
        section.finish();
        server
    }
}
