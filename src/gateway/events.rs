//! Who follows what happens: each follower reads the log from where it stands, and then with everybody else what is added to
//! it, without a gap and without a repeat. Who is typing is told beside the log, and to those only who follow right now.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use crate::domain::event::{EventId, NAMES};
use crate::domain::ids::{CustomerId, SessionId};
use crate::domain::time::Timestamp;
use crate::store::{EventsError, Logged, StoreError};

use super::Gateway;
use super::troubles::STORE_PAUSE;

/// How many events are read of the log at a time.
const AT_ONCE: usize = 200;
/// How many events a follower may be behind before it reads the log again.
const TAIL: usize = 1024;
/// The log is looked at as soon as something was added; this is only the safety net.
const SAFETY_NET: Duration = Duration::from_secs(2);

/// Somebody at the desk is typing, or is not any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Typing {
    pub session_id: SessionId,
    pub customer_id: CustomerId,
    /// The name of the agent's token.
    pub name: String,
    pub typing: bool,
    pub at: Timestamp,
}

pub(super) struct Events {
    tail: broadcast::Sender<Arc<Logged>>,
    typing: broadcast::Sender<Typing>,
}

impl Default for Events {
    fn default() -> Self {
        Self { tail: broadcast::Sender::new(TAIL), typing: broadcast::Sender::new(TAIL) }
    }
}

/// Why nobody can follow from there.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    #[error("the log does not go back that far")]
    Forgotten,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<EventsError> for FollowError {
    fn from(error: EventsError) -> Self {
        match error {
            EventsError::Forgotten => Self::Forgotten,
            EventsError::Store(error) => Self::Store(error),
        }
    }
}

/// What a follower is told.
#[derive(Clone, Debug)]
pub enum Told {
    Event(Arc<Logged>),
    Typing(Typing),
    /// The daemon ends.
    End,
}

/// One who follows the log.
pub struct Follower {
    gateway: Arc<Gateway>,
    /// The place of the last event that it was told.
    place: u64,
    id: EventId,
    /// What it has read and was not told yet.
    read: VecDeque<Arc<Logged>>,
    /// Whether it has read all that there was when it last looked.
    caught_up: bool,
    tail: broadcast::Receiver<Arc<Logged>>,
    typing: broadcast::Receiver<Typing>,
}

impl Follower {
    /// The id of the event that it was told last, or after which it began.
    pub fn id(&self) -> EventId {
        self.id
    }

    /// The next thing that happens. Nothing is lost if this is dropped before it returns.
    pub async fn next(&mut self) -> Result<Told, FollowError> {
        loop {
            if let Some(logged) = self.read.pop_front() {
                return Ok(self.tell(logged));
            }
            if !self.caught_up {
                let events = self.gateway.store.events(self.place, AT_ONCE).await?;
                self.caught_up = events.len() < AT_ONCE;
                self.read.extend(events.into_iter().map(Arc::new));
                continue;
            }
            tokio::select! {
                biased;
                () = self.gateway.stop.cancelled() => return Ok(Told::End),
                logged = self.tail.recv() => match logged {
                    Ok(logged) if logged.event.place <= self.place => {}
                    Ok(logged) if logged.event.place == self.place + 1 => return Ok(self.tell(logged)),
                    // It was not there in time.
                    Ok(_) | Err(RecvError::Lagged(_)) => self.caught_up = false,
                    Err(RecvError::Closed) => return Ok(Told::End),
                },
                typing = self.typing.recv() => if let Ok(typing) = typing {
                    return Ok(Told::Typing(typing));
                },
            }
        }
    }

    fn tell(&mut self, logged: Arc<Logged>) -> Told {
        self.place = logged.event.place;
        self.id = logged.event.id();
        Told::Event(logged)
    }
}

impl Gateway {
    /// Follows the log after an event; without one, from now on.
    pub async fn follow(self: &Arc<Self>, after: Option<EventId>) -> Result<Follower, FollowError> {
        // Before the log is looked at, so that nothing comes in between.
        let (tail, typing) = (self.events.tail.subscribe(), self.events.typing.subscribe());
        let (place, id) = if let Some(id) = after {
            (self.place_of(id).await?, id)
        } else {
            let place = self.store.last_event().await?;
            let last = self.store.event(place).await?;
            (place, last.map_or(EventId::BEFORE_ALL, |logged| logged.event.id()))
        };
        let gateway = Arc::clone(self);
        Ok(Follower { gateway, place, id, read: VecDeque::new(), caught_up: false, tail, typing })
    }

    /// Where the log has that event; an id that it never gave, or forgot, has no place.
    async fn place_of(&self, id: EventId) -> Result<u64, FollowError> {
        let place = id.place();
        if id != EventId::BEFORE_ALL {
            let known = self.store.event(place).await?;
            if known.is_none_or(|known| known.event.id() != id) {
                return Err(FollowError::Forgotten);
            }
        }
        // Whether what comes next is still there.
        self.store.events(place, 1).await?;
        Ok(place)
    }

    /// Tells those who follow right now.
    pub fn note_typing(&self, typing: Typing) {
        // Nobody may be there to hear it.
        drop(self.events.typing.send(typing));
    }
}

/// Reads what is added to the log, once for all who follow.
pub(super) async fn read_tail(gateway: Arc<Gateway>) {
    let mut news = gateway.store.event_news();
    let mut trouble = gateway.troubles.watch();
    let mut place: Option<u64> = None;
    loop {
        let read = read_on(&gateway, &mut place).await;
        let read = trouble.note(read, "what is new could not be read for those who follow it");
        let pause = if read.is_some() { SAFETY_NET } else { STORE_PAUSE };
        tokio::select! {
            biased;
            () = gateway.stop.cancelled() => return,
            Ok(()) = news.changed() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

async fn read_on(gateway: &Gateway, place: &mut Option<u64>) -> Result<(), StoreError> {
    if gateway.events.tail.receiver_count() == 0 {
        *place = None;
        return Ok(());
    }
    let mut from = match *place {
        Some(place) => place,
        // The last event is told, too: who followed before this began, or began again, sees by it what they have not been told.
        None => gateway.store.last_event().await?.saturating_sub(1),
    };
    loop {
        let events = match gateway.store.events(from, AT_ONCE).await {
            Ok(events) => events,
            // Nobody is told of what is not there any more; who follows reads the log and sees that.
            Err(EventsError::Forgotten) => {
                *place = None;
                return Ok(());
            }
            Err(EventsError::Store(error)) => return Err(error),
        };
        let all = events.len() < AT_ONCE;
        for logged in events {
            from = logged.event.place;
            // Nobody may follow.
            drop(gateway.events.tail.send(Arc::new(logged)));
        }
        *place = Some(from);
        if all {
            return Ok(());
        }
    }
}

/// How many events are forgotten at a time, and the pauses between.
const FORGOTTEN_AT_ONCE: usize = 500;
const BETWEEN: Duration = Duration::from_millis(200);
const FORGET_PAUSE: Duration = Duration::from_secs(60);

/// Forgets events that are older than `keep`, until the gateway stops.
pub(super) async fn forget(gateway: Arc<Gateway>, keep: Duration) {
    let mut trouble = gateway.troubles.watch();
    loop {
        let now = gateway.now();
        let forgotten = gateway.store.prune_events(now.before(keep), FORGOTTEN_AT_ONCE, now).await;
        let forgotten = trouble.note(forgotten, "old events could not be forgotten");
        let pause = if forgotten == Some(FORGOTTEN_AT_ONCE) { BETWEEN } else { FORGET_PAUSE };
        if gateway.rest(pause).await.is_err() {
            return;
        }
    }
}

/// Which events somebody wants to hear of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Names, or beginnings of names that end with `.*`, or `*`. Empty: all.
    pub names: Vec<String>,
    pub customer_id: Option<CustomerId>,
    pub session_id: Option<SessionId>,
}

/// The name of what is told beside the log.
pub const TYPING: &str = "session.typing";
/// The families of names that there are: what a name in a filter begins with.
const FAMILIES: [&str; 6] = ["bot", "customer", "delivery", "message", "session", "webhook"];

impl EventFilter {
    /// What is wrong with a name, if anything: one that can never come is a mistake.
    pub fn check_name(name: &str) -> Result<(), String> {
        let all_of_a_kind = name.strip_suffix(".*").is_some_and(|family| FAMILIES.contains(&family));
        if name == "*" || all_of_a_kind || NAMES.contains(&name) || name == TYPING {
            return Ok(());
        }
        let known: Vec<String> = FAMILIES.iter().map(|family| format!("{family}.*")).collect();
        Err(format!("\"{name}\" is no event's name; take *, or a name of {}", known.join(", ")))
    }

    pub fn takes(&self, name: &str, customer: Option<CustomerId>, session: Option<SessionId>) -> bool {
        (self.names.is_empty() || self.names.iter().any(|pattern| is_like(name, pattern)))
            && self.customer_id.is_none_or(|wanted| customer == Some(wanted))
            && self.session_id.is_none_or(|wanted| session == Some(wanted))
    }

    pub fn takes_event(&self, logged: &Logged) -> bool {
        let what = &logged.event.what;
        self.takes(what.name(), what.customer_id(), what.session_id())
    }
}

fn is_like(name: &str, pattern: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => name == pattern,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_takes_names_and_families_of_names() {
        let filter = |names: &[&str]| EventFilter {
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            ..EventFilter::default()
        };
        assert!(filter(&[]).takes("bot.refused", None, None));
        assert!(filter(&["*"]).takes("bot.refused", None, None));
        assert!(filter(&["message.*", "bot.refused"]).takes("message.created", None, None));
        assert!(!filter(&["message.*"]).takes("messages.created", None, None));
        assert!(!filter(&["message.created"]).takes("message.updated", None, None));
    }

    #[test]
    fn a_name_that_can_never_come_is_refused() {
        for good in ["*", "message.*", "session.updated", "delivery.failed"] {
            EventFilter::check_name(good).unwrap();
        }
        for wrong in ["", "messages.*", "message", "created", "message*"] {
            EventFilter::check_name(wrong).unwrap_err();
        }
    }
}
