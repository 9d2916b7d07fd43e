//! The bot is told: turn after turn, one in hand per session, each until it is answered or humans take over.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use crate::bot::BotError;
use crate::domain::conversation::Answer;
use crate::domain::ids::{MessageId, SessionId, TurnId};
use crate::domain::message::Message;
use crate::domain::retry::bot_pause;
use crate::domain::turn::{Turn, TurnWork};
use crate::store::{CompleteTurn, PageRequest, StoreError, TurnClaim, TurnCompleted, TurnError, TurnFailure};

use super::Gateway;

/// Claims are made as soon as there is something to claim; this is only the safety net.
const SAFETY_NET: Duration = Duration::from_secs(5);
/// How long a store that cannot answer is left alone.
const STORE_PAUSE: Duration = Duration::from_secs(1);

pub(super) struct Turns {
    wake: Notify,
    slots: Arc<Semaphore>,
    /// With the numbers of their attempts: a turn may be told again before the last that was done for it has ended.
    in_hand: Mutex<BTreeSet<(TurnId, u32)>>,
}

/// One turn that the bot is being told, for as long as this lives.
struct Told {
    attempt: (TurnId, u32),
    gateway: Arc<Gateway>,
}

impl Drop for Told {
    fn drop(&mut self) {
        self.gateway.turns.told().remove(&self.attempt);
    }
}

impl Turns {
    pub(super) fn new(max_turns: usize) -> Self {
        Self {
            wake: Notify::new(),
            slots: Arc::new(Semaphore::new(max_turns.max(1))),
            in_hand: Mutex::default(),
        }
    }

    /// All that the bot is being told.
    pub(super) fn in_hand(&self) -> Vec<(TurnId, u32)> {
        self.told().iter().copied().collect()
    }

    fn told(&self) -> MutexGuard<'_, BTreeSet<(TurnId, u32)>> {
        self.in_hand.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn wake(&self) {
        self.wake.notify_one();
    }
}

/// Tells the bot whatever is due, until the gateway stops.
pub(super) async fn pump(gateway: Arc<Gateway>) {
    let mut trouble = gateway.troubles.watch();
    loop {
        let slot = tokio::select! {
            biased;
            () = gateway.stop.cancelled() => return,
            slot = Arc::clone(&gateway.turns.slots).acquire_owned() => slot,
        };
        let Ok(slot) = slot else { return };
        let claimed = claim(&gateway).await;
        if claimed.is_ok() {
            trouble.over();
        }
        let pause = match claimed {
            Ok(Claimed::Turn(work, told)) => {
                gateway.spawn(take_turn(Arc::clone(&gateway), work, (slot, told)));
                continue;
            }
            Ok(Claimed::None { again_after }) => again_after,
            Err(error) => {
                trouble.met(&error, "the bot's next turn could not be read");
                STORE_PAUSE
            }
        };
        drop(slot);
        tokio::select! {
            biased;
            () = gateway.stop.cancelled() => return,
            () = gateway.turns.wake.notified() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

enum Claimed {
    Turn(Box<TurnWork>, Told),
    None { again_after: Duration },
}

async fn claim(gateway: &Arc<Gateway>) -> Result<Claimed, StoreError> {
    let _taking = gateway.reclaim.taking().await;
    let claim = gateway.store.claim_turn(&gateway.owner, gateway.now()).await;
    let again_after = match claim.inspect_err(|error| gateway.reclaim.after(error))? {
        TurnClaim::Work(work) => {
            let attempt = (work.turn.id, work.turn.attempts);
            gateway.turns.told().insert(attempt);
            return Ok(Claimed::Turn(work, Told { attempt, gateway: Arc::clone(gateway) }));
        }
        TurnClaim::NotBefore(due) => due.since(gateway.now()).min(SAFETY_NET),
        TurnClaim::Idle => SAFETY_NET,
    };
    Ok(Claimed::None { again_after })
}

async fn take_turn(gateway: Arc<Gateway>, work: Box<TurnWork>, _until_told: (OwnedSemaphorePermit, Told)) {
    let started = gateway.clock.elapsed();
    let turn = work.turn.clone();
    let asking = Arc::clone(&gateway);
    let mut call = gateway.tasks.spawn(async move {
        let transcript = asking.transcript(work.turn.session_id).await?;
        asking.bot.take_turn(&work, &transcript).await
    });
    let answer = tokio::select! {
        biased;
        // The turn stays in hand, and is told again when the next process takes it up.
        () = gateway.stop.cancelled() => return call.abort(),
        answer = &mut call => answer.unwrap_or_else(|failed| Err(BotError::unavailable(format!("its adapter failed: {failed}")))),
    };
    let took = gateway.clock.elapsed().saturating_sub(started);
    let outcome = gateway.keep_outcome(&turn, &answer).await;
    gateway.metrics.turn(outcome, took);
    gateway.turns.wake();
}

impl Gateway {
    /// The newest of the conversation, oldest first, for a bot that wants it.
    async fn transcript(&self, session_id: SessionId) -> Result<Vec<Message>, BotError> {
        let limit = self.bot.transcript_len();
        if limit == 0 {
            return Ok(Vec::new());
        }
        let page = self.store.messages_of(session_id, PageRequest { after: None, limit }).await;
        let mut messages = page
            .map_err(|error| BotError::unavailable(format!("the conversation cannot be read: {error}")))?
            .items;
        messages.reverse();
        Ok(messages)
    }

    /// What the bot answered must be written down: while the store cannot, it is tried until the gateway stops.
    async fn keep_outcome(&self, turn: &Turn, answer: &Result<Answer, BotError>) -> &'static str {
        let mut trouble = self.troubles.watch();
        loop {
            let kept = match answer {
                Ok(answer) => self.answered(turn, answer.clone()).await,
                Err(error) => self.failed(turn, error).await,
            };
            match kept {
                Ok(label) => return label,
                Err(TurnError::Stale) => {
                    tracing::warn!(turn = %turn.id, session = %turn.session_id, "the bot answered a turn that is not in hand any more");
                    // Or its answer was kept when the store could not say so, and its texts wait.
                    self.outbound.wake_all();
                    return "stale";
                }
                Err(TurnError::Store(error)) => {
                    trouble.met(&error, "what came of a turn could not be written down");
                }
            }
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return "lost",
                () = tokio::time::sleep(STORE_PAUSE) => {}
            }
        }
    }

    async fn answered(&self, turn: &Turn, answer: Answer) -> Result<&'static str, TurnError> {
        let now = self.now();
        let command = CompleteTurn {
            turn_id: turn.id,
            attempt: turn.attempts,
            message_ids: answer.texts.iter().map(|_| MessageId(self.new_id(now))).collect(),
            answer,
            bot_name: self.bot.name().to_owned(),
            valid_for: self.settings.valid_for,
            new_turn: TurnId(self.new_id(now)),
            now,
        };
        let completed = self.store.complete_turn(command).await?;
        Ok(self.note_answer(turn, &completed))
    }

    fn note_answer(&self, turn: &Turn, completed: &TurnCompleted) -> &'static str {
        for message in &completed.messages {
            self.metrics.created(message.author.role);
            self.outbound.wake(&message.delivery.lane);
        }
        if completed.handed_off {
            self.outbound.wake_all();
        }
        if let Some(refusal) = completed.refused {
            tracing::warn!(turn = %turn.id, session = %turn.session_id, reason = refusal.slug(), "the bot's answer was refused");
            return "refused";
        }
        tracing::info!(
            turn = %turn.id,
            session = %turn.session_id,
            texts = completed.messages.len(),
            handed_off = completed.handed_off,
            "the bot was told"
        );
        if completed.handed_off { "handed_off" } else { "answered" }
    }

    async fn failed(&self, turn: &Turn, error: &BotError) -> Result<&'static str, TurnError> {
        let now = self.now();
        let pause = match error {
            BotError::Unavailable { .. } => bot_pause(turn.failures + 1),
            BotError::Refused(_) | BotError::Gone => None,
        };
        let failure = match pause {
            Some(pause) => TurnFailure::RetryAt(now.after(pause)),
            None => TurnFailure::GiveUp { reason: format!("bot_unavailable: {error}"), fallback: None },
        };
        tracing::warn!(
            turn = %turn.id,
            session = %turn.session_id,
            tries = turn.failures + 1,
            %error,
            "{}",
            if pause.is_some() { "the bot failed; it is asked again" } else { "the bot failed; humans take over" }
        );
        self.store.fail_turn(turn.id, turn.attempts, failure, now).await?;
        // Where humans take over, what the bot had queued was canceled.
        self.outbound.wake_all();
        Ok(if pause.is_some() { "retried" } else { "given_up" })
    }
}
