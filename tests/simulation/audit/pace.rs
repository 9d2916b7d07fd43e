//! Pace: no window of any length holds more segments than the pace allows, over all lives; and with work waiting and no
//! reason to wait, a lane is not idle for longer than its pace asks.

use std::collections::BTreeMap;
use std::time::Duration;

use switchboard::domain::message::Lane;
use switchboard::domain::pace::Pace;
use switchboard::domain::pause::{Pause, PauseScope};
use switchboard::domain::time::Timestamp;
use switchboard::gateway::pace::Paces;
use switchboard::store::StoreError;

use super::{Audit, Text};
use crate::plan::Plan;

/// What a meter may catch up of a timer's lateness, and what a timer is rounded by.
const SLACK: Duration = Duration::from_millis(3);
/// The most segments that a text of this world has, and a little more.
const LONGEST: u32 = 7;
/// What nobody was woken for is found after so long.
const SAFETY_NET: Duration = Duration::from_secs(5);
/// A store that refused is left alone for a second.
pub const AFTER_TROUBLE: Duration = Duration::from_millis(1_200);

#[derive(Default)]
pub struct Traffic {
    paces: Paces,
    max_in_flight: usize,
    /// Of each channel.
    accounts: BTreeMap<String, Window>,
    lanes: BTreeMap<Lane, LaneTraffic>,
    /// Of each channel, by the number's prefix.
    destinations: BTreeMap<(String, String), Window>,
    /// What the provider asked for, as it was written down: it holds in all lives.
    pauses: BTreeMap<PauseScope, KeptPause>,
    /// The latest moment that a refusal or a pause of a channel spoke of. It stops no other channel.
    rests_until: BTreeMap<String, Duration>,
    life_began: Duration,
    ahead_ms: i64,
    /// By how much the clocks of two lives may be apart.
    clock_steps: Duration,
    last_trouble: Duration,
}

struct KeptPause {
    until: Timestamp,
    kept_at: Duration,
}

#[derive(Default)]
struct LaneTraffic {
    window: Window,
    /// Sends that are begun and not written down, of this life.
    in_flight: usize,
    /// When there was last no room for one more.
    full_at: Duration,
}

/// Departures against one pace. `debt`: by how much the worst window that ends with the last departure is too short.
#[derive(Default)]
struct Window {
    last: Duration,
    departed: bool,
    debt_s: f64,
}

impl Window {
    fn depart(&mut self, now: Duration, segments: u32, pace: Option<Pace>) -> bool {
        if let Some(pace) = pace.filter(|_| self.departed) {
            let fair = pace.interval().as_secs_f64() * f64::from(segments);
            self.debt_s = self.debt_s.max(0.0) + fair - now.saturating_sub(self.last).as_secs_f64();
        }
        (self.last, self.departed) = (now, true);
        self.debt_s <= SLACK.as_secs_f64()
    }
}

impl Traffic {
    pub fn new(plan: &Plan) -> Self {
        Self {
            paces: plan.paces.clone(),
            max_in_flight: plan.settings.max_in_flight,
            clock_steps: Duration::from_secs(if plan.clock_jumps { 3 } else { 0 }),
            ..Self::default()
        }
    }

    /// True time of what a life's clock calls so.
    pub(super) fn truly(&self, at: Timestamp) -> Duration {
        let ms = at.as_millis() - self.ahead_ms - 1_700_000_000_000;
        Duration::from_millis(u64::try_from(ms).unwrap_or(0))
    }

    pub(super) fn begins(&mut self, lane: &Lane, now: Duration) {
        let lane = self.lanes.entry(lane.clone()).or_default();
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

    /// Everything of that channel may rest until then.
    pub(super) fn may_rest(&mut self, channel: &str, until: Timestamp) {
        let until = self.truly(until);
        let rests_until = self.rests_until.entry(channel.to_owned()).or_default();
        *rests_until = until.max(*rests_until);
    }

    /// Whether the account of another channel rests.
    pub(super) fn another_account_rests(&self, channel: &str, now: Duration) -> bool {
        self.pauses.iter().any(|(scope, pause)| {
            matches!(scope, PauseScope::Account { channel: other } if other != channel)
                && now < self.truly(pause.until)
        })
    }

    /// The destination with a pace that a number belongs to: the longest prefix that fits.
    fn destination(&self, to: &str) -> Option<(String, Pace)> {
        let fits = self.paces.destinations.iter().filter(|(prefix, _)| to.starts_with(prefix.as_str()));
        fits.max_by_key(|(prefix, _)| prefix.len()).map(|(prefix, pace)| (prefix.clone(), *pace))
    }

    /// A text departs. What is wrong with that, if anything is.
    pub(super) fn departs(&mut self, text: &Text, now: Duration) -> Option<String> {
        let title = text.title();
        if let Some(scope) = self.pause_of(&text.lane, now) {
            return Some(format!("{title} leaves while the {} rests", scope.as_str()));
        }
        let destination = self.destination(&text.to);
        if let Some(idle) = self.idle_before(text, destination.as_ref(), now) {
            return Some(format!("{title} could have left {idle:?} ago; its lane was idle without a reason"));
        }
        let lane = self.lanes.entry(text.lane.clone()).or_default();
        if !lane.window.depart(now, text.segments, self.paces.number) {
            return Some(format!("{title} leaves its number {:.3} s too early", lane.window.debt_s));
        }
        let channel = || text.lane.channel.clone();
        let account = self.accounts.entry(channel()).or_default();
        if !account.depart(now, text.segments, self.paces.account) {
            return Some(format!("{title} leaves its account {:.3} s too early", account.debt_s));
        }
        if let Some((prefix, pace)) = destination {
            let window = self.destinations.entry((channel(), prefix)).or_default();
            if !window.depart(now, text.segments, Some(pace)) {
                return Some(format!("{title} leaves for its destination {:.3} s too early", window.debt_s));
            }
        }
        None
    }

    /// What rests at `now`, as the life that is knows the time, and had been told of before.
    fn pause_of(&self, lane: &Lane, now: Duration) -> Option<&PauseScope> {
        let account = PauseScope::Account { channel: lane.channel.clone() };
        [account, PauseScope::Sender(lane.clone())].iter().find_map(|scope| {
            let (scope, pause) = self.pauses.get_key_value(scope)?;
            (pause.kept_at < now && now < self.truly(pause.until)).then_some(scope)
        })
    }

    /// How long a lane was idle before a text leaves, if that is longer than its pace asks.
    fn idle_before(
        &self,
        text: &Text,
        destination: Option<&(String, Pace)>,
        now: Duration,
    ) -> Option<Duration> {
        let lane = self.lanes.get(&text.lane)?;
        let channel = &text.lane.channel;
        let last = |window: Option<&Window>| window.map_or(Duration::ZERO, |window| window.last);
        let idle_since = [
            text.could_leave,
            lane.full_at,
            self.rests_until.get(channel).copied().unwrap_or_default(),
            lane.window.last,
            last(self.accounts.get(channel)),
            last(
                destination.and_then(|(prefix, _)| self.destinations.get(&(channel.clone(), prefix.clone()))),
            ),
            self.life_began,
            self.last_trouble + AFTER_TROUBLE,
        ];
        let idle = now.saturating_sub(idle_since.into_iter().max().unwrap_or_default());
        let longest =
            |pace: Option<Pace>| pace.map_or(Duration::ZERO, Pace::interval) * (text.segments + LONGEST);
        let most = longest(self.paces.number)
            + longest(self.paces.account) * 2
            + longest(destination.map(|(_, pace)| *pace)) * 4
            + self.clock_steps
            + Duration::from_millis(500);
        (idle > most).then_some(idle)
    }
}

impl Audit {
    /// A new life: what the one before had in hand is over, and its clock with it.
    pub fn life_began(&self, ahead_ms: i64) {
        let now = self.now();
        let mut book = self.book();
        book.traffic.life_began = now;
        book.traffic.ahead_ms = ahead_ms;
        for lane in book.traffic.lanes.values_mut() {
            lane.in_flight = 0;
        }
    }

    /// The store refused, or was slow: who waits for it is not idle.
    pub fn store_was_trouble(&self) {
        let now = self.now();
        let traffic = &mut self.book().traffic;
        traffic.last_trouble = traffic.last_trouble.max(now);
    }

    /// It did something and nobody heard of it: nobody is woken for that, and the safety nets find it.
    pub fn store_was_in_doubt(&self) {
        let found = self.now() + SAFETY_NET;
        self.book().traffic.last_trouble = found;
    }

    /// When there was last trouble with the store.
    pub fn last_trouble(&self) -> Duration {
        self.book().traffic.last_trouble
    }

    /// The provider asked for a pause, and it was written down.
    pub fn saw_pause(&self, answer: &Result<(), StoreError>, pause: &Pause) {
        if answer.is_ok() {
            self.journal.note(|| format!("the {} rests until {}", pause.scope.as_str(), pause.until));
            self.journal.saw("pause kept");
            let kept = KeptPause { until: pause.until, kept_at: self.now() };
            let mut book = self.book();
            let (PauseScope::Account { channel } | PauseScope::Sender(Lane { channel, .. })) = &pause.scope;
            book.traffic.may_rest(channel, pause.until);
            book.traffic.pauses.insert(pause.scope.clone(), kept);
        }
    }
}
