//! Owns what the simulator is told at start: its account, its numbers and its habits. Reads no file.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::faults::Faults;

/// Texts kept before the oldest are forgotten.
const HISTORY: usize = 10_000;

/// One simulated account.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SimulatorConfig {
    /// `AC…`. Names the account, and is the user of Basic authentication.
    pub account_sid: String,
    /// The password that goes with it, and the key of every signature.
    pub auth_token: String,
    /// Further users (`SK…`) and their secrets. They sign nothing.
    #[serde(default)]
    pub api_keys: BTreeMap<String, String>,
    /// The senders of the account: numbers in E.164, short codes, sender names.
    pub numbers: Vec<String>,
    /// `MG…`. The pool of each is all of `numbers`.
    #[serde(default)]
    pub messaging_services: Vec<String>,
    /// Whether webhooks carry `OptOutType`, as they do for services with advanced opt-out.
    #[serde(default)]
    pub advanced_opt_out: bool,
    /// Where customers' texts are posted. Without it they are only kept.
    #[serde(default)]
    pub inbound_url: Option<String>,
    /// Where receipts go for texts that name no `StatusCallback` themselves.
    #[serde(default)]
    pub status_callback: Option<String>,
    #[serde(default)]
    pub delays: Delays,
    /// Segments that each sender passes on in a second; without it there is no limit.
    #[serde(default)]
    pub mps: Option<f64>,
    /// The faults at start and after a reset.
    #[serde(default)]
    pub faults: Faults,
    /// Texts kept, and as many again on the phones; beyond that the oldest are forgotten.
    #[serde(default = "history")]
    pub history: usize,
}

const fn history() -> usize {
    HISTORY
}

impl SimulatorConfig {
    /// An account with the usual habits, without faults, that calls nobody yet.
    pub fn new(account_sid: &str, auth_token: &str, numbers: Vec<String>) -> Self {
        Self {
            account_sid: account_sid.to_owned(),
            auth_token: auth_token.to_owned(),
            api_keys: BTreeMap::new(),
            numbers,
            messaging_services: Vec::new(),
            advanced_opt_out: false,
            inbound_url: None,
            status_callback: None,
            delays: Delays::default(),
            mps: None,
            faults: Faults::default(),
            history: HISTORY,
        }
    }

    pub(super) fn accepts_login(&self, user: &str, password: &str) -> bool {
        (user == self.account_sid && password == self.auth_token)
            || self.api_keys.get(user).is_some_and(|secret| secret == password)
    }

    pub(super) fn owns(&self, sender: &str) -> bool {
        self.numbers.iter().any(|number| number == sender)
    }
}

/// How long an accepted text takes from each state to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Delays {
    /// From `accepted` to `queued`, for messaging services.
    pub queued_ms: u64,
    /// From `queued` to `sending`, where no limit makes it longer.
    pub sending_ms: u64,
    pub sent_ms: u64,
    /// From `sent` to the end.
    pub delivered_ms: u64,
}

impl Default for Delays {
    fn default() -> Self {
        Self { queued_ms: 20, sending_ms: 50, sent_ms: 150, delivered_ms: 800 }
    }
}
