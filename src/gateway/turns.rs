//! The bot is told: turn after turn, one in hand per session, each until it is answered or humans take over.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use crate::bot::BotError;
use crate::domain::answer::Fallback;
use crate::domain::conversation::{Answer, BOT_DISABLED, BOT_UNAVAILABLE, Refusal};
use crate::domain::endpoint::Disabled;
use crate::domain::event::BOT;
use crate::domain::ids::{MessageId, SessionId, TurnId};
use crate::domain::message::Message;
use crate::domain::retry::{BOT_PAUSES, bot_pause};
use crate::domain::time::Timestamp;
use crate::domain::turn::{Turn, TurnWork};
use crate::store::{
    BotSaid, CompleteTurn, ListError, PageRequest, ReplayError, ReplyError, ReplyToTurn, StoreError,
    TurnClaim, TurnCompleted, TurnError, TurnFailure, TurnReplied,
};

use super::Gateway;
use super::breaker::{Breaker, BreakerState, Passage};
use super::duties::Term;
use super::troubles::STORE_PAUSE;

/// Claims are made as soon as there is something to claim; this is only the safety net.
const SAFETY_NET: Duration = Duration::from_secs(5);
/// How many turns are asked for at once. One, until there was one: most of the time there is no more.
const MOST_AT_ONCE: usize = 16;

pub(super) struct Turns {
    wake: Notify,
    slots: Arc<Semaphore>,
    /// With the numbers of their attempts: a turn may be told again before the last that was done for it has ended.
    in_hand: Mutex<BTreeSet<(TurnId, u32)>>,
    breaker: Breaker,
}

/// One turn that the bot is being told, for as long as this lives.
struct Told {
    attempt: (TurnId, u32),
    gateway: Arc<Gateway>,
    /// In whose name it was claimed.
    term: Arc<Term>,
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
            breaker: Breaker::default(),
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
    let mut at_once = 1;
    loop {
        let slot = tokio::select! {
            biased;
            () = gateway.stop.cancelled() => return,
            slot = Arc::clone(&gateway.turns.slots).acquire_owned() => slot,
        };
        let Ok(slot) = slot else { return };
        let more = std::iter::from_fn(|| Arc::clone(&gateway.turns.slots).try_acquire_owned().ok());
        let slots: Vec<_> = std::iter::once(slot).chain(more.take(at_once - 1)).collect();
        // Together, so that they share a commit.
        let claims = join_all(slots.iter().map(|_| claim(&gateway))).await;
        let mut pauses = Vec::new();
        for (claimed, slot) in claims.into_iter().zip(slots) {
            match claimed {
                Ok(Claimed::Turn(work, told)) => {
                    trouble.over();
                    gateway.spawn(take_turn(Arc::clone(&gateway), work, (slot, told)));
                }
                Ok(Claimed::None { again_after }) => {
                    trouble.over();
                    pauses.push(again_after);
                }
                Err(error) => {
                    trouble.met(&error, "the bot's next turn could not be read");
                    pauses.push(STORE_PAUSE);
                }
            }
        }
        let Some(pause) = pauses.into_iter().min() else {
            at_once = (at_once * 2).min(MOST_AT_ONCE);
            continue;
        };
        at_once = 1;
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
    let term = gateway.duties.term();
    if term.is_over(gateway.elapsed()) {
        return Ok(Claimed::None { again_after: STORE_PAUSE });
    }
    let claim = gateway.store.claim_turn(&term.owner, gateway.now()).await;
    let again_after = match claim.inspect_err(|error| gateway.reclaim.after(error))? {
        TurnClaim::Work(work) => {
            let attempt = (work.turn.id, work.turn.attempts);
            gateway.turns.told().insert(attempt);
            return Ok(Claimed::Turn(work, Told { attempt, gateway: Arc::clone(gateway), term }));
        }
        TurnClaim::NotBefore(due) => due.since(gateway.now()).min(SAFETY_NET),
        TurnClaim::Idle => SAFETY_NET,
    };
    Ok(Claimed::None { again_after })
}

async fn take_turn(gateway: Arc<Gateway>, work: Box<TurnWork>, until_told: (OwnedSemaphorePermit, Told)) {
    let started = gateway.clock.elapsed();
    let turn = work.turn.clone();
    let end = match gateway.turns.breaker.passage(started) {
        Passage::Call(call) => match gateway.transcript(turn.session_id).await {
            // Others may have told it the bot by now, or have taken the conversation from it.
            Ok(_) if until_told.1.term.is_over(gateway.elapsed()) => {
                gateway.turns.breaker.gave_up(call);
                End::NotCalled(STORE_PAUSE)
            }
            Ok(transcript) => match gateway.ask_bot(work, transcript, call).await {
                Some(Ok(answer)) => End::Answered(answer),
                Some(Err(error)) => End::Failed(error),
                // The turn stays in hand, and is told again when the next process takes it up.
                None => return gateway.turns.breaker.gave_up(call),
            },
            Err(error) => {
                gateway.turns.breaker.gave_up(call);
                tracing::warn!(turn = %turn.id, %error, "the conversation for the bot could not be read");
                End::NotCalled(STORE_PAUSE)
            }
        },
        Passage::Wait(pause) => End::NotCalled(pause),
        Passage::Disabled(reason) => End::Disabled(reason),
    };
    let took = gateway.clock.elapsed().saturating_sub(started);
    let outcome = gateway.keep_outcome(&turn, &end).await;
    gateway.metrics.turn(outcome, took);
    gateway.turns.wake();
}

/// Why nobody tries any more.
#[derive(Debug, thiserror::Error)]
enum Why {
    #[error("{BOT_UNAVAILABLE}: {0}")]
    Unavailable(String),
    #[error("{BOT_DISABLED}: {0}")]
    Disabled(String),
}

/// What came of a turn.
enum End {
    Answered(Answer),
    Failed(BotError),
    /// The bot has failed again and again, and is left alone for so long.
    NotCalled(Duration),
    /// The bot is not called any more.
    Disabled(String),
}

impl Gateway {
    /// The newest of the conversation, oldest first, for a bot that wants it.
    async fn transcript(&self, session_id: SessionId) -> Result<Vec<Message>, ListError> {
        let limit = self.bot.transcript_len();
        if limit == 0 {
            return Ok(Vec::new());
        }
        let page = self.store.messages_of(session_id, PageRequest { after: None, limit }).await?;
        let mut messages = page.items;
        messages.reverse();
        Ok(messages)
    }

    /// What the bot says; none if the gateway stops meanwhile.
    async fn ask_bot(
        self: &Arc<Self>,
        work: Box<TurnWork>,
        transcript: Vec<Message>,
        number: u64,
    ) -> Option<Result<Answer, BotError>> {
        let asking = Arc::clone(self);
        let mut call = self.tasks.spawn(async move { asking.bot.take_turn(&work, &transcript).await });
        let answer = tokio::select! {
            biased;
            () = self.stop.cancelled() => {
                call.abort();
                return None;
            }
            answer = &mut call => answer
                .unwrap_or_else(|failed| Err(BotError::unavailable(format!("its adapter failed: {failed}")))),
        };
        match &answer {
            Err(BotError::Unavailable { .. }) => {
                if self.turns.breaker.failed(number, self.clock.elapsed()) {
                    tracing::error!(
                        "the bot fails again and again; it is only probed now and then until it answers"
                    );
                    self.metrics.bot_is_called(false);
                }
            }
            // Who keeps the outcome disables it.
            Err(BotError::Gone) => {}
            Ok(_) | Err(BotError::Refused(_)) => {
                if self.turns.breaker.succeeded(number) {
                    tracing::info!("the bot answers again");
                    self.metrics.bot_is_called(true);
                }
            }
        }
        Some(answer)
    }

    /// What the bot answered must be written down: while the store cannot, it is tried until the gateway stops.
    async fn keep_outcome(&self, turn: &Turn, end: &End) -> &'static str {
        let mut trouble = self.troubles.watch();
        loop {
            let kept = match end {
                End::Answered(answer) => self.answered(turn, answer.clone()).await,
                End::Failed(error) => self.failed(turn, error).await,
                End::NotCalled(pause) => self.not_called(turn, *pause).await,
                End::Disabled(reason) => self.give_up(turn, &Why::Disabled(reason.clone()), false).await,
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
            if self.rest(STORE_PAUSE).await.is_err() {
                return "lost";
            }
        }
    }

    async fn answered(&self, turn: &Turn, answer: Answer) -> Result<&'static str, TurnError> {
        let now = self.now();
        let said = self.said(answer, now);
        let command = CompleteTurn { turn_id: turn.id, attempt: turn.attempts, said, now };
        let completed = self.store.complete_turn(command).await?;
        Ok(self.note_answer(turn, &completed))
    }

    fn said(&self, answer: Answer, now: Timestamp) -> BotSaid {
        BotSaid {
            message_ids: answer.texts.iter().map(|_| MessageId(self.new_id(now))).collect(),
            answer,
            bot_name: self.bot.name().to_owned(),
            valid_for: self.settings.valid_for,
            new_turn: TurnId(self.new_id(now)),
        }
    }

    fn note_texts(&self, completed: &TurnCompleted) {
        for message in &completed.messages {
            self.metrics.created(message.author.role);
            self.outbound.wake(&message.delivery.lane);
        }
        if completed.handed_off {
            self.outbound.wake_all();
        }
    }

    fn note_answer(&self, turn: &Turn, completed: &TurnCompleted) -> &'static str {
        self.note_texts(completed);
        if let Some(refusal) = completed.refused {
            tracing::warn!(turn = %turn.id, session = %turn.session_id, reason = refusal.slug(), "the bot's answer was refused");
            self.metrics.bot_refused(refusal.slug());
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
        let pause = match error {
            BotError::Unavailable { retry_after, .. } => self.pause_before_next(turn, *retry_after),
            BotError::Refused(_) => None,
            BotError::Gone => {
                self.disable_bot(error.to_string()).await?;
                return self.give_up(turn, &Why::Disabled(error.to_string()), true).await;
            }
        };
        tracing::warn!(
            turn = %turn.id,
            session = %turn.session_id,
            tries = turn.failures + 1,
            %error,
            "{}",
            if pause.is_some() { "the bot failed; it is asked again" } else { "the bot failed; humans take over" }
        );
        let Some(pause) = pause else {
            return self.give_up(turn, &Why::Unavailable(error.to_string()), true).await;
        };
        let now = self.now();
        self.store.fail_turn(turn.id, turn.attempts, TurnFailure::RetryAt(now.after(pause)), now).await?;
        Ok("retried")
    }

    /// The pause before a bot is asked again that could not answer; none when it is enough.
    fn pause_before_next(&self, turn: &Turn, asked_for: Option<Duration>) -> Option<Duration> {
        let planned = bot_pause(turn.failures + 1)?;
        match asked_for {
            Some(asked_for) => Some(planned.max(asked_for)),
            None if self.bot_state().0 == BreakerState::Closed => Some(planned),
            // While it is only probed, tries come late: nobody waits for them longer than for a bot that fails.
            None => {
                let waited = self.now().since(turn.created_at);
                let left = BOT_PAUSES.iter().sum::<Duration>().saturating_sub(waited);
                Some(planned.min(left)).filter(|pause| !pause.is_zero())
            }
        }
    }

    /// The bot is left alone for now. Who has waited for as long as a bot that fails is asked again gets a human.
    async fn not_called(&self, turn: &Turn, pause: Duration) -> Result<&'static str, TurnError> {
        let now = self.now();
        if now.since(turn.created_at) >= BOT_PAUSES.iter().sum() {
            let why = Why::Unavailable("it fails again and again".to_owned());
            return self.give_up(turn, &why, false).await;
        }
        self.store.fail_turn(turn.id, turn.attempts, TurnFailure::PutOff(now.after(pause)), now).await?;
        Ok("put_off")
    }

    /// `called`: whether the bot was called in vain, or not at all.
    async fn give_up(&self, turn: &Turn, why: &Why, called: bool) -> Result<&'static str, TurnError> {
        let now = self.now();
        let reason = why.to_string();
        let fallback = self.settings.bot_fallback.clone().map(|content| Fallback {
            id: MessageId(self.new_id(now)),
            content,
            valid_for: self.settings.valid_for,
        });
        let failure = if called {
            TurnFailure::GiveUp { reason, fallback }
        } else {
            TurnFailure::NotAsked { reason, fallback }
        };
        let failed = self.store.fail_turn(turn.id, turn.attempts, failure, now).await?;
        if let Some(message) = &failed.message {
            self.metrics.created(message.author.role);
            self.outbound.wake(&message.delivery.lane);
        }
        // Where humans take over, what the bot had queued was canceled.
        self.outbound.wake_all();
        Ok("given_up")
    }

    async fn disable_bot(&self, reason: String) -> Result<(), StoreError> {
        tracing::error!(
            reason,
            "the bot asks not to be called any more; humans get every conversation until it is enabled again"
        );
        let now = self.now();
        // First: nobody else is to call it while that is written down.
        self.turns.breaker.disable(Some(Disabled { at: now, reason: reason.clone() }));
        self.metrics.bot_is_called(false);
        self.store.switch_endpoint(BOT, Some(reason), now).await
    }

    /// The bot is called again.
    pub async fn enable_bot(&self) -> Result<(), StoreError> {
        self.store.switch_endpoint(BOT, None, self.now()).await?;
        self.turns.breaker.disable(None);
        self.metrics.bot_is_called(true);
        tracing::info!("the bot is called again, as somebody decided");
        self.turns.wake();
        Ok(())
    }

    /// What an earlier process was told stays so.
    pub(super) async fn recall_bot_state(&self) -> Result<(), StoreError> {
        let disabled = self.store.endpoint(BOT).await?.and_then(|endpoint| endpoint.disabled);
        self.metrics.bot_is_called(disabled.is_none());
        if let Some(disabled) = &disabled {
            tracing::warn!(reason = disabled.reason, since = %disabled.at, "the bot is not called, until it is enabled again");
        }
        self.turns.breaker.disable(disabled);
        Ok(())
    }

    /// Whether another daemon was told that the bot is not to be called, or is again.
    pub(super) async fn learn_bot_state(&self) -> Result<(), StoreError> {
        let disabled = self.store.endpoint(BOT).await?.and_then(|endpoint| endpoint.disabled);
        if disabled == self.bot_state().1 { Ok(()) } else { self.recall_bot_state().await }
    }

    /// How calling the bot stands.
    pub fn bot_state(&self) -> (BreakerState, Option<Disabled>) {
        self.turns.breaker.look()
    }

    /// Who speaks for the bot; none if there is none.
    pub fn bot_name(&self) -> Option<&str> {
        self.bot.is_present().then(|| self.bot.name())
    }

    /// The bot says something to a turn by a call of its own.
    pub async fn reply_to_turn(
        &self,
        turn_id: TurnId,
        key: [u8; 32],
        answer: Answer,
    ) -> Result<TurnReplied, ReplyError> {
        let now = self.now();
        let command = ReplyToTurn { turn_id, key, said: self.said(answer, now), now };
        let replied = self.store.reply_to_turn(command).await?;
        if !replied.replayed {
            self.note_texts(&replied.completed);
            let refused = replied.completed.refused.map(Refusal::slug);
            if let Some(reason) = refused {
                self.metrics.bot_refused(reason);
            }
            tracing::info!(turn = %turn_id, texts = replied.completed.messages.len(), refused, "the bot spoke by itself");
            self.metrics.turn(if refused.is_some() { "reply_refused" } else { "replied" }, Duration::ZERO);
            self.turns.wake();
        }
        Ok(replied)
    }

    /// Tells the bot a turn again that is over.
    pub async fn replay_turn(&self, id: TurnId) -> Result<Turn, ReplayError> {
        let now = self.now();
        let again = self.store.replay_turn(id, TurnId(self.new_id(now)), now).await?;
        tracing::info!(turn = %id, again = %again.id, "a turn is told again, as somebody decided");
        self.turns.wake();
        Ok(again)
    }
}
