//! Carries the commands out, each on the model and on the engine, and compares the answers.

use std::time::Duration;

use proptest::test_runner::TestCaseError;
use switchboard::domain::conversation::{
    Answer, AnswerText, InboundIds, InboundText, KeywordReplies, OutboundText, SessionPatch,
};
use switchboard::domain::delivery::{Evidence, ReceiptStatus, SendOutcome};
use switchboard::domain::ids::{CustomerId, MessageId, SessionId, TokenId, TurnId};
use switchboard::domain::message::{Author, Media, Role};
use switchboard::domain::time::Timestamp;
use switchboard::store::{
    Begun, CompleteTurn, CreateCustomer, CreateMessage, CustomerPatch, Idempotency, Inbound, LaneHead,
    Receipt, RecordInbound, SetSubscription, Store, Token, TokenRole, TurnClaim, TurnFailure, UpdateSession,
};

use super::command::{Command, Key, Labels, Outcome, Pick, Proof, Reply, Who};
use super::world::{NUMBERS, OWNERS, World, lanes, picked, same};
use crate::fixture::{by_api, error, key, number, transient, unknown};

type Ran = Result<(), TestCaseError>;

/// Gives both the same command and compares the answers: the answer of both.
macro_rules! both {
    ($world:ident.$command:ident($($argument:expr),*)) => {{
        let model = $world.model.$command($($argument),*).await;
        let engine = $world.engine.$command($($argument),*).await;
        same(stringify!($command), model, engine)?
    }};
}

pub fn inbound_id(which: usize) -> String {
    // The first few are also ids of ours: the two never meet.
    if which < 2 { outbound_id(which) } else { format!("IN{which}") }
}

pub fn outbound_id(which: usize) -> String {
    format!("SM{which}")
}

pub fn token_hash(id: TokenId) -> [u8; 32] {
    let mut hash = [7; 32];
    hash[..16].copy_from_slice(id.0.as_bytes());
    hash
}

impl World {
    pub async fn run(&mut self, command: &Command) -> Ran {
        match command.clone() {
            Command::Wait { ms } => {
                self.now = Timestamp::from_millis(self.now.as_millis() + ms);
                Ok(())
            }
            Command::Text { .. } => self.run_text(command).await,
            Command::CreateCustomer { .. }
            | Command::UpdateCustomer { .. }
            | Command::Erase { .. }
            | Command::BeginConfirmation { .. }
            | Command::Confirm { .. }
            | Command::Subscribe { .. } => self.run_customers(command).await,
            Command::Say { .. } => self.run_say(command).await,
            Command::UpdateSession { customer, need_attention, labels } => {
                self.update_session(customer, need_attention, labels).await
            }
            Command::SendHead { .. }
            | Command::Send { .. }
            | Command::Begin { .. }
            | Command::Settle { .. }
            | Command::Abandon { .. }
            | Command::Look { .. }
            | Command::Resolve { .. }
            | Command::Cancel { .. } => self.run_sending(command).await,
            Command::Receipt { .. } => self.run_receipt(command).await,
            Command::Claim { .. }
            | Command::Ask { .. }
            | Command::Complete { .. }
            | Command::Fail { .. }
            | Command::Release { .. } => self.run_turns(command).await,
            Command::Mint { role } => self.mint(role).await,
            Command::Revoke { token } => {
                let Some(id) = picked(&self.tokens, token) else { return Ok(()) };
                both!(self.revoke_token(id, self.now)).ok();
                Ok(())
            }
            Command::Sweep { limit } => {
                both!(self.sweep(self.now, limit)).ok();
                Ok(())
            }
        }
    }

    async fn run_text(&mut self, command: &Command) -> Ran {
        let &Command::Text { number: from, lane, content, provider_id, media, keyword, replies } = command
        else {
            return Ok(());
        };
        let ids = InboundIds {
            customer: CustomerId(self.id()),
            session: SessionId(self.id()),
            message: MessageId(self.id()),
            turn: TurnId(self.id()),
            reply: MessageId(self.id()),
        };
        let picture = Media { url: "https://media.example/1".into(), content_type: "image/png".into() };
        let reply = |text: &str| replies.then(|| text.to_owned());
        let text = InboundText {
            lane: lanes(lane),
            provider_id: inbound_id(provider_id),
            from: number(NUMBERS[from]),
            content: content.into(),
            media: if media { vec![picture] } else { Vec::new() },
            sent_at: media.then(|| self.in_seconds(-2)),
            keyword,
            replies: KeywordReplies {
                stop: reply("bye"),
                start: reply("welcome"),
                help: reply("this is us"),
            },
        };
        let command = RecordInbound { text, ids, now: self.now };
        let answer = both!(self.record_inbound(command.clone()));
        if let Ok(Inbound::Recorded { message, session, turn, reply }) = answer {
            note(&mut self.customers, [message.customer_id]);
            note(&mut self.sessions, [session.id]);
            note(&mut self.messages, [message.id].into_iter().chain(reply.map(|reply| reply.id)));
            note(&mut self.turns, turn.then_some(ids.turn));
        }
        Ok(())
    }

    async fn run_customers(&mut self, command: &Command) -> Ran {
        let now = self.now;
        let of = |pick: Pick| picked(&self.customers, pick);
        match *command {
            Command::CreateCustomer { number, confirmed, token, key } => {
                return self.create_customer(number, confirmed, token, key).await;
            }
            Command::UpdateCustomer { customer, email, first_name } => {
                let Some(id) = of(customer) else { return Ok(()) };
                let patch = CustomerPatch {
                    email: email.map(|email| email.map(str::to_owned)),
                    first_name: first_name.map(|name| name.map(str::to_owned)),
                    last_name: None,
                    time_zone: Some("Europe/Paris".into()),
                };
                both!(self.update_customer(id, patch.clone(), now)).ok();
            }
            Command::Erase { customer } => {
                let Some(id) = of(customer) else { return Ok(()) };
                both!(self.erase_customer(id, now)).ok();
            }
            Command::BeginConfirmation { customer, token } => {
                let Some(id) = of(customer) else { return Ok(()) };
                both!(self.begin_confirmation(id, confirmation(token), now)).ok();
            }
            Command::Confirm { customer, token } => {
                let Some(id) = of(customer) else { return Ok(()) };
                both!(self.confirm_customer(id, confirmation(token), by_api(), now)).ok();
            }
            Command::Subscribe { customer, unsubscribed } => {
                let Some(customer_id) = of(customer) else { return Ok(()) };
                let command = SetSubscription { customer_id, unsubscribed, evidence: by_api(), now };
                both!(self.set_subscription(command.clone())).ok();
            }
            _ => {}
        }
        Ok(())
    }

    async fn create_customer(
        &mut self,
        which: usize,
        confirmed: bool,
        token: Option<usize>,
        key: Option<Key>,
    ) -> Ran {
        let command = CreateCustomer {
            id: CustomerId(self.id()),
            number: number(NUMBERS[which]),
            email: None,
            first_name: Some("Ann".into()),
            last_name: None,
            time_zone: "UTC".into(),
            country_code: None,
            confirmed: confirmed.then(by_api),
            token: token.map(confirmation),
            idempotency: idempotency(key),
            now: self.now,
        };
        if let Ok(customer) = both!(self.create_customer(command.clone())) {
            note(&mut self.customers, [customer.value.id]);
        }
        Ok(())
    }

    async fn run_say(&mut self, command: &Command) -> Ran {
        let &Command::Say { customer, who, content, lane, not_before_s, valid_for_s, key } = command else {
            return Ok(());
        };
        let Some(customer_id) = picked(&self.customers, customer) else { return Ok(()) };
        let text = OutboundText {
            id: MessageId(self.id()),
            author: author(who),
            content: content.into(),
            default_lane: lane.map(lanes),
            not_before: not_before_s.map(|seconds| self.in_seconds(seconds)),
            valid_for: Duration::from_secs(valid_for_s),
            confirmation: matches!(who, Who::Gateway),
            new_session: SessionId(self.id()),
            new_turn: TurnId(self.id()),
        };
        let new_turn = text.new_turn;
        let command = CreateMessage { customer_id, text, idempotency: idempotency(key), now: self.now };
        if let Ok(message) = both!(self.create_message(command.clone())) {
            note(&mut self.sessions, [message.value.session_id]);
            note(&mut self.messages, [message.value.id]);
            note(&mut self.turns, [new_turn]);
        }
        Ok(())
    }

    async fn update_session(&mut self, customer: Pick, need_attention: Option<bool>, labels: Labels) -> Ran {
        let Some(customer_id) = picked(&self.customers, customer) else { return Ok(()) };
        let patch = SessionPatch {
            need_attention,
            reason: need_attention.map(|_| "asked for".into()),
            tags: owned(labels.tags),
            topics: owned(labels.topics),
            bot_state: labels.state.map(str::to_owned),
        };
        let new_turn = TurnId(self.id());
        let command = UpdateSession { customer_id, patch, new_turn, now: self.now };
        if both!(self.update_session(command.clone())).is_ok() {
            note(&mut self.turns, [new_turn]);
        }
        Ok(())
    }

    async fn run_sending(&mut self, command: &Command) -> Ran {
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
            Command::Settle { attempt, right, outcome } => {
                let Some((id, attempt)) = picked(&self.attempts, attempt) else { return Ok(()) };
                let outcome = self.outcome(outcome);
                both!(self.settle(id, attempt + u32::from(!right), outcome.clone(), now)).ok();
            }
            Command::Abandon { owner } => {
                both!(self.abandon_attempts(OWNERS[owner], now)).ok();
            }
            Command::Look { limit, proof } => {
                let due = both!(self.unknown_due(now, limit)).unwrap_or_default();
                for message in due {
                    let evidence = self.evidence(proof);
                    both!(self.resolve(message.id, evidence.clone(), now)).ok();
                }
            }
            Command::Resolve { message, proof } => {
                let Some(id) = picked(&self.messages, message) else { return Ok(()) };
                let evidence = self.evidence(proof);
                both!(self.resolve(id, evidence.clone(), now)).ok();
            }
            Command::Cancel { message } => {
                let Some(id) = picked(&self.messages, message) else { return Ok(()) };
                both!(self.cancel_message(id, now)).ok();
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
        use switchboard::domain::delivery::ErrorClass::{Configuration, Throttled};
        match outcome {
            Outcome::Accepted { provider_id, from } => SendOutcome::Accepted {
                provider_id: outbound_id(provider_id),
                from: from.then(|| "+15550009999".into()),
            },
            Outcome::Throttled { wait_s } => {
                SendOutcome::Throttled { error: error(Throttled), ready_at: self.in_seconds(wait_s) }
            }
            Outcome::Transient { wait_s } => transient(self.in_seconds(wait_s)),
            Outcome::ChannelFault { wait_s } => {
                SendOutcome::ChannelFault { error: error(Configuration), ready_at: self.in_seconds(wait_s) }
            }
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
        }
    }

    async fn run_receipt(&mut self, command: &Command) -> Ran {
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

    async fn run_turns(&mut self, command: &Command) -> Ran {
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
                    None => TurnFailure::GiveUp { reason: "the bot does not answer".into() },
                };
                let new_turn = TurnId(self.id());
                let attempt = attempt + u32::from(!right);
                both!(self.fail_turn(id, attempt, failure.clone(), new_turn, now)).ok();
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

    async fn mint(&mut self, role: TokenRole) -> Ran {
        let id = TokenId(self.id());
        let name = format!("token {}", self.tokens.len());
        let token = Token { id, name, role, sha256: token_hash(id), created_at: self.now, revoked_at: None };
        both!(self.mint_token(token.clone())).ok();
        note(&mut self.tokens, [id]);
        Ok(())
    }
}

/// Adds those that are new.
fn note<T: PartialEq>(created: &mut Vec<T>, ids: impl IntoIterator<Item = T>) {
    for id in ids {
        if !created.contains(&id) {
            created.push(id);
        }
    }
}

fn owned(labels: Option<Vec<&str>>) -> Option<Vec<String>> {
    labels.map(|labels| labels.into_iter().map(str::to_owned).collect())
}

fn confirmation(which: usize) -> String {
    format!("00000{which}")
}

fn idempotency(wanted: Option<Key>) -> Option<Idempotency> {
    wanted.map(|wanted| key(["desk", "bot"][wanted.scope], ["a", "b", "c"][wanted.key], wanted.request))
}

fn author(who: Who) -> Author {
    match who {
        Who::Agent => Author { role: Role::Agent, name: "desk".into() },
        Who::Bot => Author { role: Role::Init, name: "bot".into() },
        Who::Gateway => Author::gateway(),
    }
}
