//! The channels: which provider account carries which of our numbers, under which rules.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::conversation::KeywordReplies;
use crate::domain::delivery::OnUnknown;
use crate::domain::message::Lane;
use crate::provider::Provider;

use super::pace::ChannelPace;

/// What the provider's signature is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignaturePolicy {
    /// What is not signed is refused.
    Enforce,
    /// What is not signed is taken and complained about: for finding out, while moving in, why signatures fail.
    Report,
}

/// One sender of a channel.
#[derive(Clone, Debug)]
pub struct Sender {
    /// A number, short code, or messaging service.
    pub name: String,
    /// What the gateway answers to keywords sent to it.
    pub replies: KeywordReplies,
}

/// One account with a provider.
pub struct Channel {
    pub name: String,
    pub provider: Arc<dyn Provider>,
    /// What providers sign and call back, without a path: `https://gw.example.com`.
    pub public_url: String,
    pub signature: SignaturePolicy,
    /// Whether the provider is asked for what was missed, without being told to.
    pub recover: bool,
    /// The first one is for customers who never texted.
    pub senders: Vec<Sender>,
    /// What becomes of a text where nobody can say whether it left.
    pub on_unknown: OnUnknown,
    pub pace: ChannelPace,
}

impl Channel {
    /// Where the provider reports what became of our texts.
    pub fn status_url(&self) -> String {
        format!("{}/v1/receive/{}/status", self.public_url.trim_end_matches('/'), self.name)
    }

    pub fn lane(&self, sender: &str) -> Lane {
        Lane { channel: self.name.clone(), sender: sender.to_owned() }
    }

    pub fn sender(&self, name: &str) -> Option<&Sender> {
        self.senders.iter().find(|sender| sender.name == name)
    }

    /// The lane that a text to `number` (perhaps of messaging service `service`) came in by, and is answered by.
    pub fn lane_of(&self, number: &str, service: Option<&str>) -> Lane {
        let by_service =
            service.filter(|service| self.sender(number).is_none() && self.sender(service).is_some());
        self.lane(by_service.unwrap_or(number))
    }
}

/// All channels, by name.
#[derive(Default)]
pub struct Channels {
    by_name: BTreeMap<String, Arc<Channel>>,
    /// The lane of those who never texted: the first sender of the first channel configured.
    default_lane: Option<Lane>,
}

impl Channels {
    pub fn new(channels: Vec<Channel>) -> Self {
        let default_lane = channels
            .iter()
            .find_map(|channel| channel.senders.first().map(|sender| channel.lane(&sender.name)));
        let by_name = channels.into_iter().map(|channel| (channel.name.clone(), Arc::new(channel))).collect();
        Self { by_name, default_lane }
    }

    pub fn get(&self, name: &str) -> Option<&Arc<Channel>> {
        self.by_name.get(name)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Arc<Channel>> {
        self.by_name.values()
    }

    pub fn default_lane(&self) -> Option<&Lane> {
        self.default_lane.as_ref()
    }
}
