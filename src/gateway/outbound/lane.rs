//! One lane: chooses the next texts shortly before the pace lets them leave, and writes their attempts down. They leave
//! by [`super::departure`].

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::{OwnedSemaphorePermit, TryAcquireError};
use tokio::task::JoinHandle;

use crate::domain::ids::MessageId;
use crate::domain::message::Priority;
use crate::domain::pace::Moment;
use crate::store::{Begun, Head, LaneHeads, StoreError};

use super::choice::{Choice, Chooser, Chosen};
use super::departure::{self, Leaving};
use super::number::NumberPace;
use super::{LaneState, SAFETY_NET, STORE_PAUSE};
use crate::gateway::Gateway;
use crate::gateway::channels::Channel;
use crate::gateway::pace::Lead;
use crate::gateway::troubles::Trouble;

/// How long a lane whose head was not what it seemed waits before it looks again.
const CHANGED_PAUSE: Duration = Duration::from_millis(20);
/// How many texts are looked at together: more than are put off and kept, so that there is always another to see.
const PAGE: usize = 64;

/// What the lane does next.
enum Next {
    /// Ask again at once.
    Again,
    /// Ask again after a while, or when woken.
    Wait(Duration),
    /// Ask again after a while, or when woken; it is this lane's turn with the account meanwhile.
    Keep(Duration),
    /// Ask again after a while: nothing new can leave before.
    Sleep(Duration),
    Stop,
}

struct Runner {
    gateway: Arc<Gateway>,
    channel: Arc<Channel>,
    state: Arc<LaneState>,
    number: Arc<NumberPace>,
    departing: UnboundedSender<Leaving>,
    lead: Lead,
    /// The right to choose what leaves next of the account, where that has a pace.
    turn: Option<OwnedSemaphorePermit>,
    /// Of the texts that were looked at last, and wait for their destinations.
    kept: BTreeMap<MessageId, Addressed>,
    trouble: Trouble,
}

/// Whom a text is to, and whose it is.
#[derive(Clone)]
struct Addressed {
    to: String,
    priority: Priority,
}

/// Drains one lane until the gateway stops.
pub(super) async fn run(gateway: Arc<Gateway>, channel: Arc<Channel>, state: Arc<LaneState>) {
    let number = Arc::new(NumberPace::starting(channel.pace.number, state.duty.since));
    // As many as there are slots at the most.
    let (departing, coming) = unbounded_channel();
    let parts = (Arc::clone(&gateway), Arc::clone(&channel), Arc::clone(&state), Arc::clone(&number));
    let departing_all = departure::run(parts.0, parts.1, parts.2, parts.3, coming);
    gateway.spawn(state.duty.tasks.track_future(departing_all));
    let trouble = gateway.troubles.watch();
    let (lead, turn, kept) = (Lead::default(), None, BTreeMap::new());
    let mut runner = Runner { gateway, channel, state, number, departing, lead, turn, kept, trouble };
    loop {
        let next = runner.step().await.unwrap_or_else(|error| {
            runner.trouble.met(&error, "a lane's next texts could not be read or begun");
            Next::Wait(STORE_PAUSE)
        });
        let goes_on = match next {
            Next::Again => true,
            Next::Stop => false,
            Next::Wait(pause) => {
                // Others may want it meanwhile.
                runner.turn = None;
                runner.rest(pause).await
            }
            Next::Keep(pause) => runner.rest(pause).await,
            Next::Sleep(pause) => {
                runner.turn = None;
                runner.sleep(pause).await
            }
        };
        if !goes_on {
            return runner.gateway.outbound.end(&runner.state);
        }
    }
}

impl Runner {
    async fn step(&mut self) -> Result<Next, StoreError> {
        let Some(slot) = self.take_slot().await else { return Ok(Next::Stop) };
        let now = self.gateway.now();
        if !self.state.duty.is_this_daemons(self.now()) {
            // Perhaps it is again as soon as this daemon is heard of.
            return Ok(Next::Wait(STORE_PAUSE));
        }
        if let Some(until) = self.gateway.outbound.pauses.until(&self.state.lane, now) {
            return Ok(Next::Wait(until.since(now)));
        }
        let soonest = self.until_lead(self.number.plan(self.now(), std::iter::once(1))[0]);
        if !soonest.is_zero() {
            drop(slot);
            return Ok(Next::Sleep(soonest));
        }
        let looked_at = self.now();
        let heads = self.gateway.store.lane_heads(&self.state.lane, now, PAGE).await?;
        if heads.ready.is_empty() {
            self.trouble.over();
            let pause = heads.next_at.map_or(SAFETY_NET, |next_at| next_at.since(now));
            return Ok(Next::Wait(pause.min(SAFETY_NET)));
        }
        let departure = self.number.plan(self.now(), std::iter::once(heads.ready[0].segments))[0];
        let until_lead = self.until_lead(departure);
        if !until_lead.is_zero() {
            return Ok(Next::Wait(until_lead));
        }
        if !self.has_turn().await? {
            return Ok(Next::Again);
        }
        let account = self.channel.pace.account.as_ref();
        let departure = account.map_or(departure, |own| own.limit.due(departure, heads.ready[0].segments));
        let until_lead = self.until_lead(departure);
        if !until_lead.is_zero() {
            return Ok(Next::Keep(until_lead));
        }
        let next = self.take(slot, heads).await;
        self.lead.note(self.now().saturating_sub(looked_at));
        next
    }

    async fn take_slot(&self) -> Option<OwnedSemaphorePermit> {
        tokio::select! {
            biased;
            () = self.state.duty.end.cancelled() => None,
            slot = Arc::clone(&self.state.slots).acquire_owned() => slot.ok(),
        }
    }

    /// Whether it is the lane's turn with the account. `false`: it had to be waited for, and the lane may have another
    /// text to send by now.
    async fn has_turn(&mut self) -> Result<bool, StoreError> {
        let Some(account) = &self.channel.pace.account else { return Ok(true) };
        if self.turn.is_some() {
            return Ok(true);
        }
        match Arc::clone(&account.turn).try_acquire_owned() {
            Ok(turn) => {
                self.turn = Some(turn);
                Ok(true)
            }
            Err(TryAcquireError::Closed) => Err(StoreError::Unavailable("the account is closed".into())),
            Err(TryAcquireError::NoPermits) => {
                let turn = Arc::clone(&account.turn).acquire_owned();
                self.turn = tokio::select! {
                    biased;
                    () = self.state.duty.end.cancelled() => None,
                    turn = turn => turn.ok(),
                };
                Ok(false)
            }
        }
    }

    /// Chooses among the heads, puts off what waits behind others for its destination, and writes the attempts of the
    /// chosen down. All together, so that they share a commit.
    async fn take(&mut self, slot: OwnedSemaphorePermit, heads: LaneHeads) -> Result<Next, StoreError> {
        let (choice, slots) = self.choose(slot, &heads.ready).await?;
        // What was chosen has claimed its departures: now the next lane may choose.
        self.turn = None;
        let putting_off = self.put_off(&choice.put_off);
        let begun = self.begin_all(choice.chosen, slots).await;
        if matches!(begun, Ok(Some(_))) {
            self.trouble.over();
        }
        let mut any_put_off = false;
        for written in putting_off {
            any_put_off |= written.await.map_err(|error| died(&error))??;
        }
        if let Some(next) = begun? {
            return Ok(next);
        }
        if any_put_off {
            return Ok(Next::Again);
        }
        let now = self.gateway.now();
        let next_at = heads.next_at.map_or(SAFETY_NET, |next_at| next_at.since(now)).min(SAFETY_NET);
        Ok(Next::Wait(choice.next.map_or(next_at, |next| self.until_lead(next).min(next_at))))
    }

    async fn choose(
        &mut self,
        slot: OwnedSemaphorePermit,
        heads: &[Head],
    ) -> Result<(Choice, Vec<OwnedSemaphorePermit>), StoreError> {
        let mut slots = vec![slot];
        let account = self.channel.pace.account.as_ref().map(|account| Arc::clone(&account.limit));
        let mut chooser = Chooser::new(self.now(), self.lead.get(), account);
        let mut kept = BTreeMap::new();
        for head in heads {
            if chooser.chosen() == slots.len() {
                let Ok(slot) = Arc::clone(&self.state.slots).try_acquire_owned() else { break };
                slots.push(slot);
            }
            let segments = chooser.segments().chain([head.segments]);
            let departure = self.number.plan(self.now(), segments).pop().unwrap_or_default();
            let text = self.addressed(head.message_id).await?;
            let destination = text.as_ref().and_then(|text| {
                self.channel.pace.destination(&text.to).map(|destination| (destination, text.priority))
            });
            if !chooser.consider(*head, departure, destination) {
                break;
            }
            kept.extend(text.map(|text| (head.message_id, text)));
        }
        self.kept = kept;
        Ok((chooser.finish(), slots))
    }

    /// Where a text goes, if that makes a difference.
    async fn addressed(&self, id: MessageId) -> Result<Option<Addressed>, StoreError> {
        if !self.channel.pace.has_destinations() {
            return Ok(None);
        }
        if let Some(text) = self.kept.get(&id) {
            return Ok(Some(text.clone()));
        }
        let message = self.gateway.store.message(id).await?;
        Ok(message
            .map(|message| Addressed { priority: Priority::of(&message.author), to: message.delivery.to }))
    }

    fn put_off(&self, texts: &[(MessageId, Duration)]) -> Vec<JoinHandle<Result<bool, StoreError>>> {
        let now = self.gateway.now();
        let put_off = |&(id, off_for): &(MessageId, Duration)| {
            let store = Arc::clone(&self.gateway.store);
            self.gateway.tasks.spawn(async move { store.postpone(id, now.after(off_for), now).await })
        };
        texts.iter().map(put_off).collect()
    }

    /// Writes the attempts down; then, and only then, the texts leave. None: there was none.
    async fn begin_all(
        &self,
        chosen: Vec<Chosen>,
        slots: Vec<OwnedSemaphorePermit>,
    ) -> Result<Option<Next>, StoreError> {
        let _taking = self.gateway.reclaim.taking().await;
        let now = self.gateway.now();
        let begin = |text: Chosen| {
            let entry = self.gateway.outbound.in_flight.enter(text.id);
            let (store, owner) = (Arc::clone(&self.gateway.store), self.state.duty.term.owner.clone());
            let id = text.id;
            (text, entry, self.gateway.tasks.spawn(async move { store.begin_attempt(id, &owner, now).await }))
        };
        let writing: Vec<_> = chosen.into_iter().map(begin).zip(slots).collect();
        let (mut next, mut failed) = (None, None);
        for ((text, entry, begun), slot) in writing {
            match begun.await.map_err(|error| died(&error)).and_then(|begun| begun) {
                Ok(Begun::Attempt(message)) => {
                    entry.is_of(&message);
                    let (claims, written) = (text.claims, self.now());
                    self.depart(Leaving { message, slot, entry, claims, written });
                    next.get_or_insert(Next::Again);
                }
                Ok(Begun::Withdrawn(status)) => {
                    tracing::info!(message = %text.id, status = status.as_str(), "a text was withdrawn before it left");
                    self.gateway.wake_next_after(text.id).await;
                    next.get_or_insert(Next::Again);
                }
                Ok(Begun::NotDue) => {
                    tracing::debug!(message = %text.id, "the lane's next text has changed");
                    next = Some(Next::Wait(CHANGED_PAUSE));
                }
                Err(error) => {
                    self.gateway.reclaim.after(&error);
                    failed = Some(error);
                }
            }
        }
        failed.map_or(Ok(next), Err)
    }

    fn depart(&self, leaving: Leaving) {
        self.number.wait(leaving.message.delivery.segmentation.segments);
        if let Err(refused) = self.departing.send(leaving) {
            // Its attempt stays in hand, and the next process looks for it.
            tracing::error!(message = %refused.0.message.id, "the lane's gate is gone");
        }
    }

    /// How long until a text that leaves then is to be written down.
    fn until_lead(&self, departure: Moment) -> Duration {
        departure.saturating_sub(self.now()).saturating_sub(self.lead.get())
    }

    fn now(&self) -> Moment {
        self.gateway.clock.elapsed()
    }

    /// `false`: the gateway stops.
    async fn rest(&self, pause: Duration) -> bool {
        tokio::select! {
            biased;
            () = self.state.duty.end.cancelled() => false,
            () = self.state.wake.notified() => true,
            () = tokio::time::sleep(pause) => true,
        }
    }

    /// `false`: the gateway stops.
    async fn sleep(&self, pause: Duration) -> bool {
        tokio::select! {
            biased;
            () = self.state.duty.end.cancelled() => false,
            () = tokio::time::sleep(pause) => true,
        }
    }
}

/// A write whose task died: whether it was done is not known here.
fn died(error: &tokio::task::JoinError) -> StoreError {
    StoreError::Uncertain(format!("a write of the lane's died: {error}"))
}
