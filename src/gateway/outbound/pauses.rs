//! What rests since the provider said so. Kept in the store, so that a restart does not wake it; bounded by the number
//! of channels and senders.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::domain::delivery::DeliveryError;
use crate::domain::message::Lane;
use crate::domain::pause::{self, Pause, PauseScope, Rest};
use crate::domain::time::Timestamp;
use crate::store::StoreError;

use crate::gateway::Gateway;
use crate::gateway::channels::Channel;

/// No pause is longer. What is read at a start could be, if the clock was set back since.
const LONGEST: Duration = Duration::from_secs(25 * 60 * 60);
/// A pause that grows by less is not worth writing down again.
const WORTH_KEEPING: Duration = Duration::from_secs(1);

#[derive(Default)]
pub(in crate::gateway) struct Pauses {
    /// Those that are over are kept until something is taken again: the next pause is longer than they were.
    by_scope: Mutex<BTreeMap<PauseScope, Resting>>,
    changed: Notify,
}

struct Resting {
    pause: Pause,
    /// Its beginning was told, and its end was not.
    told: bool,
}

/// A pause as it is now, after it was asked for.
pub(super) struct Asked {
    pub pause: Pause,
    /// It is to be written down: new, or much longer than before.
    news: bool,
}

impl Pauses {
    /// Until when nothing of the lane leaves, if it is later than `now`.
    pub(super) fn until(&self, lane: &Lane, now: Timestamp) -> Option<Timestamp> {
        let pauses = self.lock();
        let of = |scope: PauseScope| pauses.get(&scope).map(|resting| resting.pause.until);
        let account = of(PauseScope::Account { channel: lane.channel.clone() });
        let sender = of(PauseScope::Sender(lane.clone()));
        account.max(sender).filter(|until| *until > now)
    }

    /// A refusal or a receipt asked for a rest. Those that come while it lasts were under way when it began: they do
    /// not make it grow, unless the provider itself names a later moment.
    pub(super) fn ask(
        &self,
        rest: Rest,
        lane: &Lane,
        reason: String,
        now: Timestamp,
        retry_after: Option<Duration>,
        jitter: f64,
    ) -> Asked {
        let scope = rest.scope(lane);
        let mut pauses = self.lock();
        let before = pauses.get(&scope).map(|resting| resting.pause.clone());
        let running = before.as_ref().filter(|pause| pause.until > now);
        let tries = match (running, &before) {
            (Some(running), _) => running.tries,
            (None, before) => before.as_ref().map_or(0, |pause| pause.tries).saturating_add(1),
        };
        let until = rest.until(now, tries, retry_after, jitter);
        let pause = match running {
            Some(running) if rest.grows_only_once(retry_after) || running.until >= until => running.clone(),
            _ => Pause { scope: scope.clone(), until, reason, tries },
        };
        let news = running.is_none_or(|running| pause.until.since(running.until) >= WORTH_KEEPING);
        let told = running.is_some() && pauses.get(&scope).is_some_and(|resting| resting.told);
        pauses.insert(scope, Resting { pause: pause.clone(), told });
        drop(pauses);
        self.changed.notify_one();
        Asked { pause, news }
    }

    /// Something was taken: what went before is forgotten.
    pub(super) fn forget(&self, lane: &Lane, now: Timestamp) {
        let mut pauses = self.lock();
        if pauses.is_empty() {
            return;
        }
        for scope in [PauseScope::Account { channel: lane.channel.clone() }, PauseScope::Sender(lane.clone())]
        {
            if pauses.get(&scope).is_some_and(|resting| resting.pause.until <= now && !resting.told) {
                pauses.remove(&scope);
            }
        }
    }

    fn restore(&self, pauses: Vec<Pause>, now: Timestamp) {
        for mut pause in pauses {
            pause.until = pause.until.min(now.after(LONGEST));
            self.lock().insert(pause.scope.clone(), Resting { pause, told: false });
        }
    }

    /// What another daemon was told of counts where it lasts longer than what is known here.
    fn learn(&self, pauses: Vec<Pause>, now: Timestamp) {
        let mut news = false;
        let mut known = self.lock();
        for mut pause in pauses {
            pause.until = pause.until.min(now.after(LONGEST));
            let told = known.get(&pause.scope).is_some_and(|resting| resting.told);
            if known.get(&pause.scope).is_none_or(|resting| resting.pause.until < pause.until) {
                known.insert(pause.scope.clone(), Resting { pause, told });
                news = true;
            }
        }
        drop(known);
        if news {
            self.changed.notify_one();
        }
    }

    /// What began and what ended since it was last asked, and when the next one ends.
    fn turn(&self, now: Timestamp) -> (Vec<Pause>, Vec<Pause>, Option<Timestamp>) {
        let (mut began, mut ended, mut next) = (Vec::new(), Vec::new(), None);
        for resting in self.lock().values_mut() {
            let runs = resting.pause.until > now;
            match (resting.told, runs) {
                (false, true) => began.push(resting.pause.clone()),
                (true, false) => ended.push(resting.pause.clone()),
                (true, true) | (false, false) => {}
            }
            resting.told = runs;
            if runs {
                next = next.into_iter().chain([resting.pause.until]).min();
            }
        }
        (began, ended, next)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<PauseScope, Resting>> {
        self.by_scope.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells of every pause once when it begins and once when it ends, until the gateway stops.
pub(in crate::gateway) async fn watch(gateway: Arc<Gateway>) {
    loop {
        let now = gateway.now();
        let (began, ended, next) = gateway.outbound.pauses.turn(now);
        for pause in began {
            let (channel, scope) = (pause.scope.channel(), pause.scope.as_str());
            tracing::warn!(channel, scope, reason = pause.reason, until = %pause.until, "the provider asked for a pause");
            gateway.metrics.pauses(channel, scope, 1);
        }
        for pause in ended {
            let (channel, scope) = (pause.scope.channel(), pause.scope.as_str());
            tracing::info!(channel, scope, reason = pause.reason, "a pause is over");
            gateway.metrics.pauses(channel, scope, -1);
        }
        let end = async {
            match next {
                Some(next) => tokio::time::sleep(next.since(now)).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = gateway.stop.cancelled() => return,
            () = gateway.outbound.pauses.changed.notified() => {}
            () = end => {}
        }
    }
}

impl Gateway {
    /// Takes up the pauses that an earlier process was told of.
    pub(in crate::gateway) async fn restore_pauses(&self) -> Result<(), StoreError> {
        let now = self.now();
        self.outbound.pauses.restore(self.store.pauses(now).await?, now);
        Ok(())
    }

    /// Takes notice of the pauses that other daemons were told of.
    pub(in crate::gateway) async fn learn_pauses(&self) -> Result<(), StoreError> {
        let now = self.now();
        self.outbound.pauses.learn(self.store.pauses(now).await?, now);
        Ok(())
    }

    /// A provider's error asks for a pause, perhaps: it begins at once, and is durable when this returns. A store that
    /// cannot keep it changes nothing for this process.
    pub(in crate::gateway) async fn rest_after(
        &self,
        channel: &Channel,
        lane: &Lane,
        error: &DeliveryError,
        retry_after: Option<Duration>,
    ) -> Option<Pause> {
        let now = self.now();
        let rest = channel.provider.rest_after(error, now)?;
        let jitter = self.entropy.fraction();
        let reason = pause::reason(error);
        let asked = self.outbound.pauses.ask(rest, lane, reason, now, retry_after, jitter);
        if asked.news
            && let Err(error) = self.store.keep_pause(asked.pause.clone()).await
        {
            tracing::error!(channel = channel.name, %error, "a pause could not be written down; a restart would end it");
        }
        Some(asked.pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::delivery::ErrorClass;
    use crate::domain::pause::{Length, Resting as Whose};

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn lane(sender: &str) -> Lane {
        Lane { channel: "main".into(), sender: sender.into() }
    }

    fn later(seconds: u64) -> Timestamp {
        NOW.after(Duration::from_secs(seconds))
    }

    fn ask(pauses: &Pauses, now: Timestamp, retry_after_s: Option<u64>) -> Asked {
        let rest = Rest::of_class(ErrorClass::Throttled).unwrap();
        let retry_after = retry_after_s.map(Duration::from_secs);
        pauses.ask(rest, &lane("+15550001111"), "20429".into(), now, retry_after, 1.0)
    }

    #[test]
    fn an_accounts_pause_is_its_senders_and_a_senders_is_its_own() {
        let pauses = Pauses::default();
        ask(&pauses, NOW, Some(10));
        let sender = Rest::new(Whose::Sender, Length::Fixed(Duration::from_secs(30)));
        pauses.ask(sender, &lane("+15550002222"), "30022".into(), NOW, None, 1.0);
        assert_eq!(pauses.until(&lane("+15550001111"), NOW), Some(later(10)));
        assert_eq!(pauses.until(&lane("+15550002222"), NOW), Some(later(30)));
        assert_eq!(pauses.until(&Lane { channel: "other".into(), ..lane("+15550001111") }, NOW), None);
        assert_eq!(pauses.until(&lane("+15550001111"), later(10)), None);
    }

    #[test]
    fn what_was_under_way_when_it_began_does_not_make_it_grow() {
        let pauses = Pauses::default();
        let first = ask(&pauses, NOW, None);
        assert!(first.news && first.pause.until == later(1));
        let second = ask(&pauses, NOW.after(Duration::from_millis(10)), None);
        assert!(!second.news && second.pause == first.pause);
        assert_eq!(ask(&pauses, NOW, Some(20)).pause.until, later(20));
    }

    #[test]
    fn pauses_in_a_row_grow_until_something_is_taken() {
        let pauses = Pauses::default();
        ask(&pauses, NOW, None);
        assert_eq!(ask(&pauses, later(1), None).pause.until, later(3));
        assert_eq!(ask(&pauses, later(3), None).pause.until, later(7));
        pauses.forget(&lane("+15550001111"), later(6));
        assert_eq!(ask(&pauses, later(7), None).pause.tries, 4);
        pauses.forget(&lane("+15550001111"), later(30));
        assert_eq!(ask(&pauses, later(30), None).pause.tries, 1);
    }

    #[test]
    fn what_another_daemon_was_told_counts_where_it_lasts_longer_and_is_told_once() {
        let pauses = Pauses::default();
        let own = ask(&pauses, NOW, Some(10)).pause;
        assert_eq!(pauses.turn(NOW).0.len(), 1);
        let (shorter, longer) = (Pause { until: later(5), ..own.clone() }, Pause { until: later(30), ..own });
        pauses.learn(vec![shorter], NOW);
        assert_eq!(pauses.until(&lane("+15550001111"), NOW), Some(later(10)));
        pauses.learn(vec![longer.clone()], NOW);
        pauses.learn(vec![longer], NOW);
        assert_eq!(pauses.until(&lane("+15550001111"), NOW), Some(later(30)));
        assert_eq!(pauses.turn(NOW).0.len(), 0);
    }

    #[test]
    fn beginning_and_end_are_told_once() {
        let pauses = Pauses::default();
        ask(&pauses, NOW, Some(10));
        let (began, ended, next) = pauses.turn(NOW);
        assert_eq!((began.len(), ended.len(), next), (1, 0, Some(later(10))));
        ask(&pauses, NOW, Some(20));
        let (began, ended, next) = pauses.turn(NOW);
        assert_eq!((began.len(), ended.len(), next), (0, 0, Some(later(20))));
        let (began, ended, next) = pauses.turn(later(20));
        assert_eq!((began.len(), ended.len(), next), (0, 1, None));
        let (began, ended, _) = pauses.turn(later(21));
        assert_eq!((began.len(), ended.len()), (0, 0));
    }
}
