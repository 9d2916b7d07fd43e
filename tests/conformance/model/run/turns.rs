//! The bot's turns: claimed, answered, replied to, failed, replayed, released.

use std::time::Duration;

use switchboard::domain::answer::Fallback;
use switchboard::domain::conversation::{Answer, AnswerText};
use switchboard::domain::ids::{MessageId, SuggestionId, TurnId};
use switchboard::store::{BotSaid, CompleteTurn, ReplyToTurn, Store, TurnClaim, TurnCompleted, TurnFailure};

use super::super::command::{Command, Failure, Reply};
use super::super::world::{OWNERS, World, picked, same};
use super::{Ran, note, owned};

impl World {
    pub(super) async fn run_turns(&mut self, command: &Command) -> Ran {
        let now = self.now;
        match command.clone() {
            Command::Claim { owner } => {
                if let Ok(TurnClaim::Work(work)) = both!(self.claim_turn(OWNERS[owner], now)) {
                    self.calls.push((work.turn.id, work.turn.attempts));
                }
            }
            Command::Ask { reply } => {
                if let Ok(TurnClaim::Work(work)) = both!(self.claim_turn(OWNERS[0], now)) {
                    self.calls.push((work.turn.id, work.turn.attempts));
                    return self.complete(work.turn.id, work.turn.attempts, reply).await;
                }
            }
            Command::Complete { turn, right, reply } => {
                let Some((id, attempt)) = picked(&self.calls, turn) else { return Ok(()) };
                return self.complete(id, attempt + u32::from(!right), reply).await;
            }
            Command::Fail { turn, right, failure } => {
                let Some((id, attempt)) = picked(&self.calls, turn) else { return Ok(()) };
                let failure = self.failure(failure);
                let attempt = attempt + u32::from(!right);
                if let Ok(failed) = both!(self.fail_turn(id, attempt, failure.clone(), now)) {
                    note(&mut self.messages, failed.message.map(|message| message.id));
                }
            }
            Command::ReplyTo { turn, key, reply } => {
                let Some(id) = picked(&self.turns, turn) else { return Ok(()) };
                return self.reply_to(id, key, reply).await;
            }
            Command::Replay { turn } => {
                let Some(id) = picked(&self.turns, turn) else { return Ok(()) };
                let new_turn = TurnId(self.id());
                if both!(self.replay_turn(id, new_turn, now)).is_ok() {
                    note(&mut self.turns, [new_turn]);
                }
            }
            Command::Release { owner } => {
                both!(self.release_turns(OWNERS[owner], now)).ok();
            }
            _ => {}
        }
        Ok(())
    }

    fn failure(&mut self, failure: Failure) -> TurnFailure {
        match failure {
            Failure::Retry { wait_s } => TurnFailure::RetryAt(self.in_seconds(wait_s)),
            Failure::PutOff { wait_s } => TurnFailure::PutOff(self.in_seconds(wait_s)),
            Failure::GiveUp { fallback } => {
                let fallback = fallback.then(|| Fallback {
                    id: MessageId(self.id()),
                    content: "somebody will be with you soon".into(),
                    valid_for: Duration::from_secs(600),
                });
                TurnFailure::GiveUp { reason: "the bot does not answer".into(), fallback }
            }
        }
    }

    /// The answer, and an id for each of its texts.
    fn answer(&mut self, reply: Reply) -> (Answer, Vec<MessageId>) {
        let text = |(content, delay_s): (&str, u64)| AnswerText {
            content: content.into(),
            delay: Duration::from_secs(delay_s),
            valid_for: None,
        };
        let message_ids: Vec<MessageId> = reply.texts.iter().map(|_| MessageId(self.id())).collect();
        let answer = Answer {
            texts: reply.texts.into_iter().map(text).collect(),
            handoff: reply.hand_off.then(|| "asked for a human".into()),
            tags: owned(reply.labels.tags),
            topics: owned(reply.labels.topics),
            state: reply.labels.state.map(str::to_owned),
        };
        note(&mut self.suggestions, message_ids.iter().map(|id| SuggestionId(id.0)));
        (answer, message_ids)
    }

    fn said(&mut self, reply: Reply) -> BotSaid {
        let (answer, message_ids) = self.answer(reply);
        BotSaid {
            answer,
            message_ids,
            bot_name: "bot".into(),
            valid_for: Duration::from_secs(600),
            new_turn: TurnId(self.id()),
        }
    }

    async fn complete(&mut self, turn_id: TurnId, attempt: u32, reply: Reply) -> Ran {
        let command = CompleteTurn { turn_id, attempt, said: self.said(reply), now: self.now };
        if let Ok(completed) = both!(self.complete_turn(command.clone())) {
            self.note_answer(turn_id, &completed).await;
        }
        Ok(())
    }

    async fn reply_to(&mut self, turn_id: TurnId, key: u8, reply: Reply) -> Ran {
        let command = ReplyToTurn { turn_id, key: [key; 32], said: self.said(reply), now: self.now };
        if let Ok(replied) = both!(self.reply_to_turn(command.clone())) {
            self.note_answer(turn_id, &replied.completed).await;
        }
        Ok(())
    }

    async fn note_answer(&mut self, turn_id: TurnId, completed: &TurnCompleted) {
        note(&mut self.messages, completed.messages.iter().map(|message| message.id));
        if let (true, Some(message)) = (completed.handed_off, completed.messages.first()) {
            let session = self.engine.session(message.session_id).await.unwrap().unwrap();
            self.hand_offs.insert(turn_id, session.version);
        }
    }
}
