//! What kind of world a seed makes: its people, its paces, and how much goes wrong in it.

use std::collections::BTreeMap;
use std::time::Duration;

use switchboard::domain::conversation::{KeywordReplies, Policy};
use switchboard::domain::delivery::OnUnknown;
use switchboard::domain::pace::Pace;
use switchboard::domain::retry::{Asks, Looks};
use switchboard::gateway::Settings;
use switchboard::gateway::pace::Paces;

use crate::chance::Dice;

const NUMBERS: [&str; 2] = ["+15550001111", "+15550002222"];
/// Of the second channel, if there is one.
const OTHER_NUMBER: &str = "+15550003333";
const CHANNELS: [&str; 2] = ["main", "other"];
const PHONES: [&str; 4] = ["+14155550101", "+14155550102", "+14155550103", "+14155550104"];

/// A provider is waited for so long.
pub const TIME_OUT: Duration = Duration::from_secs(15);
/// The longest that a text is on its way to the provider, or behind its doors, before it is taken.
pub const LONGEST_WAY: Duration = Duration::from_secs(25);
/// The longest until what was taken shows in the provider's list. Together with the way it is shorter than the time
/// from the first look to the last: that is what makes a text that is not listed one that never left.
pub const LONGEST_LAG: Duration = Duration::from_secs(20);

/// When a silent text is first asked about.
pub const FIRST_ASK: Duration = Duration::from_secs(60);

pub const STOP_REPLY: &str = "You are unsubscribed.";
pub const START_REPLY: &str = "You are subscribed.";
pub const HELP_REPLY: &str = "This is a test.";
pub const CONFIRMATION: &str = "Your code is {token}.";

#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a lot that was drawn")]
pub struct Plan {
    pub phones: Vec<&'static str>,
    /// Of all channels.
    pub numbers: Vec<&'static str>,
    pub paces: Paces,
    pub settings: Settings,
    pub replies: KeywordReplies,
    pub steps: u64,
    /// The longest pause between two steps, mostly.
    pub tempo_ms: u64,
    /// All rates are in 10,000.
    pub crash: u32,
    pub most_crashes: u32,
    pub store_base_ms: u64,
    pub store_slow: u32,
    pub store_refuses: u32,
    /// How often it does what it was told and fails to say so.
    pub store_doubts: u32,
    pub sends_go_wrong: u32,
    pub lists: bool,
    /// The provider can be asked for what customers texted.
    pub recovers: bool,
    pub on_unknown: OnUnknown,
    /// The provider can be asked what became of a text.
    pub fetches: bool,
    pub lists_go_wrong: u32,
    /// How many of the texts that customers sent it lists at once; mostly all.
    pub lists_at_once: usize,
    pub receipts_go_wrong: u32,
    pub receipts_name_ours: u32,
    pub bot_goes_wrong: u32,
    /// Everybody says the same few things, so that words alone do not tell texts apart.
    pub parrots: bool,
    /// Each life's time of day is a little wrong.
    pub clock_jumps: bool,
    /// How far the provider's clock is ahead of the true time.
    pub provider_ahead_ms: i64,
}

impl Plan {
    pub fn of(seed: u64) -> Self {
        let dice = Dice::new(seed, "plan");
        let rate = |rates: &[u32]| *dice.pick(rates);
        let has_bot = dice.chance(8_500);
        let policy = Policy {
            idle_after: Duration::from_secs(*dice.pick(&[120, 7_200])),
            has_bot,
            forward_keywords: dice.chance(3_000),
            max_content_units: 1_600,
            bot: switchboard::domain::conversation::BotPolicy::default(),
            attention: switchboard::domain::conversation::AttentionPolicy::default(),
        };
        let settings = Settings {
            keep_messages: dice.chance(2_500).then(|| Duration::from_secs(*dice.pick(&[600, 1_800]))),
            policy,
            valid_for: Duration::from_secs(*dice.pick(&[60, 300, 1_800])),
            order_hold: Duration::from_secs(*dice.pick(&[0, 20, 300])),
            max_in_flight: usize::try_from(dice.between(1..=8)).unwrap(),
            request_timeout: Duration::from_secs(10),
            looks: Looks::new([2, 10, 30, 90].map(Duration::from_secs).to_vec()).unwrap(),
            max_turns: usize::try_from(dice.between(1..=6)).unwrap(),
            asks: Asks::new(dice.chance(5_000).then_some(FIRST_ASK)),
            confirmation_text: dice.chance(7_000).then(|| CONFIRMATION.to_owned()),
            bot_fallback: None,
            keep_events: Duration::from_secs(7 * 24 * 3600),
        };
        let replies = if dice.chance(5_000) {
            KeywordReplies {
                stop: Some(STOP_REPLY.into()),
                start: Some(START_REPLY.into()),
                help: Some(HELP_REPLY.into()),
            }
        } else {
            KeywordReplies::default()
        };
        let tempo_ms = *dice.pick(&[40, 400, 3_000, 20_000]);
        let longest = if tempo_ms > 1_000 { 70 } else { 160 };
        let pace = |paces: &[&str]| match *dice.pick(paces) {
            "" => None,
            pace => Some(pace.parse().unwrap()),
        };
        let mut numbers = NUMBERS[..usize::try_from(dice.between(1..=2)).unwrap()].to_vec();
        if dice.chance(2_500) {
            numbers.push(OTHER_NUMBER);
        }
        Self {
            phones: PHONES[..usize::try_from(dice.between(1..=4)).unwrap()].to_vec(),
            numbers,
            paces: Paces {
                number: pace(&["", "1/s", "2/s", "5/s", "10/s"]),
                account: pace(&["", "", "2/s", "6/s"]),
                destinations: if dice.chance(2_500) { destinations(&dice) } else { BTreeMap::new() },
            },
            settings,
            replies,
            steps: dice.between(20..=longest),
            tempo_ms,
            crash: rate(&[0, 0, 15, 50, 150]),
            most_crashes: 8,
            store_base_ms: *dice.pick(&[0, 0, 2, 8]),
            store_slow: rate(&[0, 0, 30, 200]),
            store_refuses: rate(&[0, 0, 0, 50, 400]),
            store_doubts: rate(&[0, 0, 0, 60]),
            sends_go_wrong: rate(&[0, 1_000, 3_000, 6_000]),
            lists: dice.chance(8_000),
            recovers: dice.chance(7_000),
            fetches: dice.chance(7_000),
            on_unknown: *dice.pick(&[OnUnknown::Hold, OnUnknown::Resend]),
            lists_go_wrong: rate(&[0, 0, 1_000, 5_000]),
            receipts_go_wrong: rate(&[0, 1_500, 5_000]),
            receipts_name_ours: rate(&[0, 5_000, 10_000]),
            bot_goes_wrong: rate(&[0, 1_000, 4_000]),
            parrots: dice.chance(1_000),
            clock_jumps: dice.chance(1_500),
            lists_at_once: *dice.pick(&[usize::MAX, usize::MAX, 1, 3]),
            provider_ahead_ms: *dice.pick(&[0, 0, 0, 900, -1_500, 240_000, -240_000]),
        }
    }
}

impl Plan {
    /// The channels, and the numbers of each.
    pub fn channels(&self) -> impl Iterator<Item = (&'static str, Vec<&'static str>)> {
        let of_channel = |name| {
            let numbers = self.numbers.iter().copied().filter(|number| channel_of(number) == name);
            (name, numbers.collect::<Vec<_>>())
        };
        CHANNELS.into_iter().map(of_channel).filter(|(_, numbers)| !numbers.is_empty())
    }
}

/// Which channel a number of ours belongs to.
pub fn channel_of(number: &str) -> &'static str {
    CHANNELS[usize::from(number == OTHER_NUMBER)]
}

/// All phones together, and one of them by itself.
fn destinations(dice: &Dice) -> BTreeMap<String, Pace> {
    let mut destinations = BTreeMap::new();
    for (prefix, pace) in [("+1415", *dice.pick(&["1/s", "4/s"])), ("+14155550102", "30/m")] {
        if dice.chance(7_000) {
            destinations.insert(prefix.to_owned(), pace.parse().unwrap());
        }
    }
    destinations
}
