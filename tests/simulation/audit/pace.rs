//! Pace: no window of any length holds more segments than the pace allows, over all lives; and with work waiting and no
//! reason to wait, a lane is not idle for longer than its pace asks.

use std::collections::BTreeMap;
use std::time::Duration;

use switchboard::domain::message::{Lane, Message};
use switchboard::domain::pace::Pace;
use switchboard::domain::time::Timestamp;
use switchboard::store::{LaneHeads, StoreError};

use super::{Audit, Text};
use crate::plan::Plan;

/// What a meter may catch up of a timer's lateness, and what a timer is rounded by.
const SLACK: Duration = Duration::from_millis(6);
/// By how much one lane of an account may be late, so that the next lane's text follows too soon: what the store takes.
const LATENESS: Duration = Duration::from_secs(5);
/// A customer's next text in another lane is found by that lane's safety net.
const SAFETY_NET: Duration = Duration::from_secs(5);
/// The most segments that a text of this world has, and a little more.
const LONGEST: u32 = 7;
/// A store that refused is left alone for a second.
pub const AFTER_TROUBLE: Duration = Duration::from_millis(1_200);

#[derive(Default)]
pub struct Traffic {
    number_interval: Option<Duration>,
    account_interval: Option<Duration>,
    max_in_flight: usize,
    account: Window,
    lanes: BTreeMap<Lane, LaneTraffic>,
    life_began: Duration,
    ahead_ms: i64,
    last_trouble: Duration,
}

#[derive(Default)]
struct LaneTraffic {
    window: Window,
    /// The provider wants to be left alone until then; and since when we know.
    paused_until: Duration,
    paused_at: Duration,
    /// When the lane last asked for its head.
    asked_at: Duration,
    /// Sends that are begun and not written down, of this life.
    in_flight: usize,
    /// When there was last no room for one more.
    full_at: Duration,
    /// From when the text that was begun last could have left.
    could_leave: Duration,
}

/// Departures against one pace. `debt`: by how much the worst window that ends with the last departure is too short.
#[derive(Default)]
struct Window {
    last: Option<Duration>,
    debt_s: f64,
}

impl Window {
    fn depart(&mut self, now: Duration, segments: u32, interval: Duration, slack: Duration) -> bool {
        if let Some(last) = self.last {
            let fair = interval.as_secs_f64() * f64::from(segments);
            self.debt_s = self.debt_s.max(0.0) + fair - now.saturating_sub(last).as_secs_f64();
        }
        self.last = Some(now);
        self.debt_s <= slack.as_secs_f64()
    }
}

impl Traffic {
    pub fn new(plan: &Plan) -> Self {
        Self {
            number_interval: plan.number_pace.map(Pace::interval),
            account_interval: plan.account_pace.map(Pace::interval),
            max_in_flight: plan.settings.max_in_flight,
            ..Self::default()
        }
    }

    /// True time of what a life's clock calls so.
    fn truly(&self, at: Timestamp) -> Duration {
        let ms = at.as_millis() - self.ahead_ms - 1_700_000_000_000;
        Duration::from_millis(u64::try_from(ms).unwrap_or(0))
    }

    pub(super) fn begins(&mut self, message: &Message, now: Duration) {
        let could_leave = self.truly(message.delivery.ready_at);
        let lane = self.lanes.entry(message.delivery.lane.clone()).or_default();
        lane.could_leave = could_leave;
        lane.in_flight += 1;
        if lane.in_flight >= self.max_in_flight {
            lane.full_at = now;
        }
    }

    pub(super) fn ends(&mut self, lane: &Lane, now: Duration) {
        let lane = self.lanes.entry(lane.clone()).or_default();
        if lane.in_flight >= self.max_in_flight {
            lane.full_at = now;
        }
        lane.in_flight = lane.in_flight.saturating_sub(1);
    }

    pub(super) fn pauses(&mut self, lane: &Lane, until: Timestamp, now: Duration) {
        let until = self.truly(until);
        let lane = self.lanes.entry(lane.clone()).or_default();
        lane.paused_until = lane.paused_until.max(until);
        lane.paused_at = now;
    }

    /// A text departs. What is wrong with that, if anything is.
    pub(super) fn departs(&mut self, text: &Text, now: Duration) -> Option<String> {
        let title = text.title();
        let (number, account) = (self.number_interval, self.account_interval);
        let lane = self.lanes.entry(text.lane.clone()).or_default();
        if now < lane.paused_until && lane.asked_at > lane.paused_at && self.last_trouble < lane.paused_at {
            return Some(format!(
                "{title} leaves {:?} before its lane's pause ends",
                lane.paused_until.saturating_sub(now)
            ));
        }
        let idle_since = [
            lane.could_leave,
            lane.full_at,
            lane.paused_until,
            lane.window.last.unwrap_or_default(),
            self.account.last.unwrap_or_default(),
            self.life_began,
            self.last_trouble + AFTER_TROUBLE,
        ];
        let idle = now.saturating_sub(idle_since.into_iter().max().unwrap_or_default());
        let most = number.unwrap_or_default() * (text.segments + LONGEST)
            + account.unwrap_or_default() * (text.segments + LONGEST) * 2
            + Duration::from_millis(500);
        if idle > most + SAFETY_NET {
            return Some(format!("{title} could have left {idle:?} ago; its lane was idle without a reason"));
        }
        if number.is_some_and(|interval| !lane.window.depart(now, text.segments, interval, SLACK)) {
            return Some(format!("{title} leaves its number {:.3} s too early", lane.window.debt_s));
        }
        lane.window.last = Some(now);
        if account.is_some_and(|interval| !self.account.depart(now, text.segments, interval, LATENESS)) {
            return Some(format!("{title} leaves its account {:.3} s too early", self.account.debt_s));
        }
        None
    }
}

impl Audit {
    /// A new life: what the one before had in hand is over, and so are the pauses that it knew of.
    pub fn life_began(&self, ahead_ms: i64) {
        let now = self.now();
        let mut book = self.book();
        book.traffic.life_began = now;
        book.traffic.ahead_ms = ahead_ms;
        for lane in book.traffic.lanes.values_mut() {
            lane.in_flight = 0;
            lane.paused_until = Duration::ZERO;
        }
    }

    /// The store refused, or was slow: who waits for it is not idle.
    pub fn store_was_trouble(&self) {
        let now = self.now();
        self.book().traffic.last_trouble = now;
    }

    /// When there was last trouble with the store.
    pub fn last_trouble(&self) -> Duration {
        self.book().traffic.last_trouble
    }

    pub fn saw_heads(&self, _: &Result<LaneHeads, StoreError>, lane: &Lane) {
        let now = self.now();
        self.book().traffic.lanes.entry(lane.clone()).or_default().asked_at = now;
    }
}
