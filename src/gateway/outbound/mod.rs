//! Sending: every lane drains its own queue at its own pace, and none waits for another.
//!
//! [`lane`] chooses the next texts ([`choice`]) and writes their attempts down; [`departure`] lets them leave when the
//! paces do; [`attempt`] hands them over and writes down what came of it; [`verdict`] says what the provider's answer
//! means, and [`pauses`] what rests for it; [`unknown`] looks for evidence where the answer is missing, and [`silent`]
//! asks what became of what was taken.
//!
//! What is held in memory is bounded: a lane for each sender that had something to send since the start, `max_in_flight`
//! texts for each lane, a few moments for each limit, a pause for each sender and channel. What waits
//! is in the store.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore};

use super::duties::{self, Held};
use super::troubles::STORE_PAUSE;
use super::{Gateway, Settings};
use crate::domain::message::Lane;
use in_flight::InFlight;
use pauses::Pauses;

mod asking;
mod attempt;
mod choice;
mod departure;
mod in_flight;
mod lane;
mod number;
pub(super) mod pauses;
pub(super) mod silent;
pub(super) mod unknown;
mod verdict;

/// Lanes are woken when there is something to send; this is only the safety net.
const SAFETY_NET: Duration = Duration::from_secs(5);

/// The lanes that are running.
pub(super) struct Outbound {
    lanes: Mutex<BTreeMap<Lane, Arc<LaneState>>>,
    /// A lane is wanted that is not running yet.
    wanted: Notify,
    /// What is leaving right now.
    pub(super) in_flight: InFlight,
    /// Some message's fate has become unknown.
    unknown: Notify,
    pub(super) pauses: Pauses,
    max_in_flight: usize,
}

/// What a running lane shares with those who wake and feed it.
struct LaneState {
    lane: Lane,
    wake: Notify,
    /// One for each send that may be on its way.
    slots: Arc<Semaphore>,
    /// What makes it this daemon's to send by it.
    duty: Held,
}

impl Outbound {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            lanes: Mutex::default(),
            wanted: Notify::new(),
            in_flight: InFlight::new(settings.request_timeout),
            unknown: Notify::new(),
            pauses: Pauses::default(),
            max_in_flight: settings.max_in_flight.max(1),
        }
    }

    /// There may be something to send in this lane.
    pub(super) fn wake(&self, lane: &Lane) {
        match self.running().get(lane) {
            Some(state) => state.wake.notify_one(),
            None => self.wanted.notify_one(),
        }
    }

    /// Some lane may have become this daemon's, or have something to send.
    pub(super) fn look_again(&self) {
        self.wanted.notify_one();
    }

    /// The lane is not run any more.
    fn end(&self, state: &Arc<LaneState>) {
        let mut running = self.running();
        if running.get(&state.lane).is_some_and(|current| Arc::ptr_eq(current, state)) {
            running.remove(&state.lane);
        }
        drop(running);
        // It may be this daemon's again already.
        self.wanted.notify_one();
    }

    fn has_several_lanes(&self) -> bool {
        self.running().len() > 1
    }

    pub(super) fn wake_all(&self) {
        self.running().values().for_each(|state| state.wake.notify_one());
    }

    fn running(&self) -> std::sync::MutexGuard<'_, BTreeMap<Lane, Arc<LaneState>>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state of a lane that is not running yet; none if it is.
    fn start(&self, lane: &Lane, duty: Held) -> Option<Arc<LaneState>> {
        let mut running = self.running();
        if running.contains_key(lane) {
            return None;
        }
        let state = Arc::new(LaneState {
            lane: lane.clone(),
            wake: Notify::new(),
            slots: Arc::new(Semaphore::new(self.max_in_flight)),
            duty,
        });
        running.insert(lane.clone(), Arc::clone(&state));
        Some(state)
    }
}

/// Sees to it that every lane with something to send is running, until the gateway stops.
pub(super) async fn supervise(gateway: Arc<Gateway>) {
    let mut orphans = std::collections::HashSet::new();
    let mut trouble = gateway.troubles.watch();
    loop {
        let pause = match gateway.store.busy_lanes().await {
            Ok(lanes) => {
                trouble.over();
                for lane in &lanes {
                    look_after(&gateway, lane, &mut orphans);
                }
                SAFETY_NET
            }
            Err(error) => {
                trouble.met(&error, "the lanes that have something to send could not be read");
                STORE_PAUSE
            }
        };
        tokio::select! {
            biased;
            () = gateway.stop.cancelled() => return,
            () = gateway.outbound.wanted.notified() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

fn look_after(gateway: &Arc<Gateway>, lane: &Lane, orphans: &mut std::collections::HashSet<Lane>) {
    let Some(channel) = gateway.channels.get(&lane.channel) else {
        if orphans.insert(lane.clone()) {
            tracing::error!(
                channel = lane.channel,
                "texts wait for a channel that is not configured; they will expire"
            );
        }
        return;
    };
    // Else another daemon's.
    let Some(duty) = gateway.duties.held(&duties::of_lane(channel, lane)) else { return };
    match gateway.outbound.start(lane, duty.clone()) {
        Some(state) => {
            let run = lane::run(Arc::clone(gateway), Arc::clone(channel), state);
            gateway.spawn(duty.tasks.track_future(run));
        }
        None => gateway.outbound.wake(lane),
    }
}
