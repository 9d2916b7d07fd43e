//! `[sending]`: how long texts may wait and how fast they leave.

use std::num::NonZeroUsize;
use std::time::Duration;

use super::section::Section;
use super::tree::Node;
use super::values::{Setting, choice};
use crate::domain::delivery::OnUnknown;
use crate::domain::pace::Pace;
use crate::domain::retry::Looks;

#[derive(Clone, Debug)]
pub struct Sending {
    /// How long a text may wait before it expires.
    pub valid_for: Duration,
    /// Of each lane.
    pub max_in_flight: usize,
    /// For one call to a provider.
    pub request_timeout: Duration,
    /// When the provider is asked for a text whose answer was lost.
    pub looks: Looks,
    /// How long such a text holds its customer's later ones at the most.
    pub order_hold: Duration,
    /// For channels that say nothing of it.
    pub on_unknown: OnUnknown,
    /// For channels that say nothing of it.
    pub pace: ChannelPace,
}

/// In segments.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChannelPace {
    /// Of each number or messaging service.
    pub number: Pace,
    /// Of the whole account.
    pub account: Pace,
}

/// Twilio's for a long code in the USA, and for an account.
const USUAL: ChannelPace = ChannelPace { number: Pace::per_second(1), account: Pace::per_second(100) };

impl Setting for OnUnknown {
    fn read(node: &Node) -> Result<Self, String> {
        choice(node, &[("hold", Self::Hold), ("resend", Self::Resend)])
    }
}

impl ChannelPace {
    /// What the section does not say is as in `default`.
    pub(super) fn read(mut section: Section<'_>, default: Self) -> Self {
        let number = section.or("number", default.number);
        let account = section.or("account", default.account);
        section.finish();
        Self { number, account }
    }
}

impl Sending {
    pub(super) fn read(mut section: Section<'_>) -> Self {
        let pace = ChannelPace::read(section.section("pace"), USUAL);
        let valid_for = section.or("valid_for", Duration::from_secs(4 * 60 * 60));
        let max_in_flight = section.optional::<NonZeroUsize>("max_in_flight").map_or(32, NonZeroUsize::get);
        let request_timeout = section.or("request_timeout", Duration::from_secs(10));
        let looks = section.optional("looks").map_or_else(|| Ok(Looks::default()), Looks::new);
        let looks = looks.unwrap_or_else(|error| {
            section.refuse("looks", error.to_string());
            Looks::default()
        });
        let order_hold = section.or("order_hold", Duration::from_secs(2 * 60));
        let on_unknown = section.or("on_unknown", OnUnknown::default());
        section.finish();
        Self { valid_for, max_in_flight, request_timeout, looks, order_hold, on_unknown, pace }
    }
}
