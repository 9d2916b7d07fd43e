//! The bot's turns: claimed, answered, failed, released.

use std::time::Duration;

use switchboard::domain::conversation::{Answer, AnswerText};
use switchboard::domain::ids::{MessageId, TurnId};
use switchboard::store::{CompleteTurn, Store, TurnClaim, TurnFailure};

use super::super::command::{Command, Reply};
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
            Command::Fail { turn, right, wait_s } => {
                let Some((id, attempt)) = picked(&self.calls, turn) else { return Ok(()) };
                let failure = match wait_s {
                    Some(seconds) => TurnFailure::RetryAt(self.in_seconds(seconds)),
                    None => TurnFailure::GiveUp { reason: "the bot does not answer".into(), fallback: None },
                };
                let attempt = attempt + u32::from(!right);
                both!(self.fail_turn(id, attempt, failure.clone(), now)).ok();
            }
            Command::Release { owner } => {
                both!(self.release_turns(OWNERS[owner], now)).ok();
            }
            _ => {}
        }
        Ok(())
    }

    async fn complete(&mut self, turn_id: TurnId, attempt: u32, reply: Reply) -> Ran {
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
        let command = CompleteTurn {
            turn_id,
            attempt,
            answer,
            message_ids,
            bot_name: "bot".into(),
            valid_for: Duration::from_secs(600),
            new_turn: TurnId(self.id()),
            now: self.now,
        };
        if let Ok(completed) = both!(self.complete_turn(command.clone())) {
            note(&mut self.messages, completed.messages.iter().map(|message| message.id));
            if let (true, Some(message)) = (completed.handed_off, completed.messages.first()) {
                let session = self.engine.session(message.session_id).await.unwrap().unwrap();
                self.hand_offs.insert(turn_id, session.version);
            }
        }
        Ok(())
    }
}
