//! Attempts, their outcomes, evidence and receipts.

use switchboard::domain::delivery::{ErrorClass, Evidence, ReceiptStatus, SendOutcome};
use switchboard::domain::ids::MessageId;
use switchboard::domain::pause::{Pause, PauseScope};
use switchboard::store::{Begun, InHand, LaneHead, Receipt, Silent, Store};

use super::super::command::{Command, Outcome, Proof};
use super::super::world::{OWNERS, World, lanes, picked, same};
use super::{Ran, outbound_id};
use crate::fixture::{VALID_FOR, error, transient, unknown};

impl World {
    pub(super) async fn run_sending(&mut self, command: &Command) -> Ran {
        let now = self.now;
        match *command {
            Command::SendHead { lane, owner } => {
                if let Ok(LaneHead::Ready { message_id, .. }) = both!(self.lane_head(&lanes(lane), now)) {
                    return self.begin(message_id, owner).await;
                }
            }
            Command::Send { lane, outcome } => {
                let begun = self.attempts.len();
                if let Ok(LaneHead::Ready { message_id, .. }) = both!(self.lane_head(&lanes(lane), now)) {
                    self.begin(message_id, 0).await?;
                }
                if let Some(&(id, attempt)) = self.attempts.get(begun) {
                    both!(self.settle(id, attempt, self.outcome(outcome), now)).ok();
                }
            }
            Command::Begin { message, owner } => {
                let Some(id) = picked(&self.messages, message) else { return Ok(()) };
                return self.begin(id, owner).await;
            }
            Command::Postpone { lane, place, message, wait_s } => {
                let heads = both!(self.lane_heads(&lanes(lane), now, 3)).unwrap_or_default().ready;
                let head = heads.get(place).map(|head| head.message_id);
                let other = message.and_then(|pick| picked(&self.messages, pick));
                let Some(id) = other.or(head) else { return Ok(()) };
                both!(self.postpone(id, self.in_seconds(wait_s), now)).ok();
            }
            Command::Pause { lane, account, wait_s } => {
                let lane = lanes(lane);
                let scope = if account {
                    PauseScope::Account { channel: lane.channel }
                } else {
                    PauseScope::Sender(lane)
                };
                let until = self.in_seconds(wait_s);
                let pause = Pause { scope, until, reason: "20429".into(), tries: 1 };
                both!(self.keep_pause(pause.clone())).ok();
            }
            Command::Settle { attempt, right, outcome } => {
                let Some((id, attempt)) = picked(&self.attempts, attempt) else { return Ok(()) };
                let outcome = self.outcome(outcome);
                both!(self.settle(id, attempt + u32::from(!right), outcome.clone(), now)).ok();
            }
            Command::Abandon { owner } => {
                both!(self.abandon_attempts(OWNERS[owner], now)).ok();
            }
            Command::Reclaim { owner, every } => {
                let known =
                    InHand { messages: some_of(&self.attempts, every), turns: some_of(&self.calls, every) };
                both!(self.reclaim(OWNERS[owner], known.clone(), now)).ok();
            }
            Command::Look { limit, proof } => {
                let due = both!(self.unknown_due(now, limit)).unwrap_or_default();
                for message in due {
                    let (attempt, evidence) = (message.delivery.attempt_number(), self.evidence(proof));
                    both!(self.resolve(message.id, attempt, evidence.clone(), now)).ok();
                }
            }
            Command::Resolve { message, proof } => {
                let Some(id) = picked(&self.messages, message) else { return Ok(()) };
                let Some(message) = self.model.message(id).await.unwrap() else { return Ok(()) };
                let (attempt, evidence) = (message.delivery.attempt_number(), self.evidence(proof));
                both!(self.resolve(id, attempt, evidence.clone(), now)).ok();
            }
            Command::Cancel { message } => {
                let Some(id) = picked(&self.messages, message) else { return Ok(()) };
                both!(self.cancel_message(id, now)).ok();
            }
            Command::Resend { message } => {
                let Some(id) = picked(&self.messages, message) else { return Ok(()) };
                both!(self.resend_message(id, VALID_FOR, now)).ok();
            }
            Command::AskAbout { asks, stage, class } => {
                let filter = Silent { asks, from: self.in_seconds(-1_000_000), until: self.in_seconds(0) };
                for message in both!(self.silent(filter, 2)).unwrap_or_default() {
                    let status = stage.map(|stage| ReceiptStatus {
                        stage,
                        raw: format!("{stage:?}"),
                        error: class.map(error),
                        at: now,
                    });
                    let answer = message.delivery.provider_ids.last().cloned().zip(status);
                    both!(self.take_answer(message.id, asks + 1, answer.clone(), now)).ok();
                }
            }
            Command::ResendHeld => {
                for id in self.messages.clone() {
                    let message = self.model.message(id).await.ok().flatten();
                    if message.is_some_and(|message| message.is_held()) {
                        both!(self.resend_message(id, VALID_FOR, now)).ok();
                        break;
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    async fn begin(&mut self, id: MessageId, owner: usize) -> Ran {
        if let Ok(Begun::Attempt(message)) = both!(self.begin_attempt(id, OWNERS[owner], self.now)) {
            self.attempts.push((id, message.delivery.attempt_number()));
        }
        Ok(())
    }

    fn outcome(&self, outcome: Outcome) -> SendOutcome {
        match outcome {
            Outcome::Accepted { provider_id, from } => SendOutcome::Accepted {
                provider_id: outbound_id(provider_id),
                from: from.then(|| "+15550009999".into()),
            },
            Outcome::Throttled { wait_s } => SendOutcome::Throttled {
                error: error(ErrorClass::Throttled),
                ready_at: self.in_seconds(wait_s),
            },
            Outcome::Transient { wait_s } => transient(self.in_seconds(wait_s)),
            Outcome::ChannelFault { wait_s } => SendOutcome::ChannelFault {
                error: error(ErrorClass::Configuration),
                ready_at: self.in_seconds(wait_s),
            },
            Outcome::Permanent { class } => SendOutcome::Permanent { error: error(class) },
            Outcome::Unknown { wait_s } => unknown(self.in_seconds(wait_s)),
        }
    }

    fn evidence(&self, proof: Proof) -> Evidence {
        match proof {
            Proof::Found { provider_id } => Evidence::Found { provider_id: outbound_id(provider_id) },
            Proof::NotYet { wait_s } => Evidence::NotYet { look_at: self.in_seconds(wait_s) },
            Proof::Absent => Evidence::Absent,
            Proof::CannotTell => Evidence::CannotTell,
            Proof::Passed { wait_s } => Evidence::Passed { look_at: self.in_seconds(wait_s) },
            Proof::Resend => Evidence::Resend,
        }
    }

    pub(super) async fn run_receipt(&mut self, command: &Command) -> Ran {
        let &Command::Receipt { message, lane, provider_id, stage, class } = command else { return Ok(()) };
        let status = ReceiptStatus {
            stage,
            raw: format!("{stage:?}"),
            error: class.map(error),
            at: self.in_seconds(-1),
        };
        let receipt = Receipt {
            channel: lanes(lane).channel,
            provider_id: outbound_id(provider_id),
            message_id: message.and_then(|pick| picked(&self.messages, pick)),
            status,
        };
        both!(self.apply_receipt(receipt.clone(), self.now)).ok();
        Ok(())
    }
}

fn some_of<T: Copy>(begun: &[T], every: usize) -> Vec<T> {
    if every == 0 { Vec::new() } else { begun.iter().copied().step_by(every).collect() }
}
