//! What customers do, and what is said to them and changed of them.

use std::time::Duration;

use switchboard::domain::conversation::{
    InboundIds, InboundText, KeywordReplies, OutboundText, SessionPatch,
};
use switchboard::domain::ids::{CustomerId, MessageId, TurnId};
use switchboard::domain::message::{Author, Media, Role};
use switchboard::store::{
    CreateCustomer, CreateMessage, CustomerPatch, Idempotency, Inbound, RecordInbound, SetSubscription,
    Store, UpdateSession,
};

use super::super::command::{Change, Command, Key, Labels, Pick, Who};
use super::super::world::{AGENTS, NUMBERS, World, lanes, picked, same};
use super::{Ran, inbound_id, note, owned};
use crate::fixture::{by_api, key, number};

impl World {
    pub(super) async fn run_text(&mut self, command: &Command) -> Ran {
        let &Command::Text { number: from, lane, content, provider_id, media, keyword, replies, recovered_s } =
            command
        else {
            return Ok(());
        };
        let ids = InboundIds {
            customer: CustomerId(self.id()),
            session: self.session_id(),
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
            sent_at: recovered_s.or(media.then_some(2)).map(|ago| self.in_seconds(-ago)),
            recovered: recovered_s.is_some(),
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

    pub(super) async fn run_customers(&mut self, command: &Command) -> Ran {
        let now = self.now;
        let of = |pick: Pick| picked(&self.customers, pick);
        match *command {
            Command::CreateCustomer { number, confirmed, token, key } => {
                return self.create_customer(number, confirmed, token, key).await;
            }
            Command::UpdateCustomer { customer, email, first_name } => {
                let Some(id) = of(customer) else { return Ok(()) };
                let patch = CustomerPatch {
                    email: changed(email),
                    first_name: changed(first_name),
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

    pub(super) async fn run_say(&mut self, command: &Command) -> Ran {
        let &Command::Say { customer, who, content, lane, not_before_s, valid_for_s, key, turn } = command
        else {
            return Ok(());
        };
        let Some(customer_id) = picked(&self.customers, customer) else { return Ok(()) };
        let text = OutboundText {
            turn_id: turn.and_then(|pick| picked(&self.turns, pick)),
            id: MessageId(self.id()),
            author: author(who),
            content: content.into(),
            default_lane: lane.map(lanes),
            not_before: not_before_s.map(|seconds| self.in_seconds(seconds)),
            valid_for: Duration::from_secs(valid_for_s),
            confirmation: matches!(who, Who::Gateway).then(|| "Your code is 123456".to_owned()),
            new_session: self.session_id(),
            new_turn: TurnId(self.id()),
            unprompted: lane.is_some(),
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

    pub(super) async fn update_session(
        &mut self,
        customer: Pick,
        need_attention: Option<bool>,
        labels: Labels,
    ) -> Ran {
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
}

#[expect(clippy::option_option, reason = "a patch tells leaving from clearing")]
fn changed(change: Change) -> Option<Option<String>> {
    match change {
        Change::Leave => None,
        Change::Clear => Some(None),
        Change::Set(text) => Some(Some(text.to_owned())),
    }
}

fn confirmation(which: usize) -> String {
    format!("00000{which}")
}

fn idempotency(wanted: Option<Key>) -> Option<Idempotency> {
    wanted.map(|wanted| key(["desk", "bot"][wanted.scope], ["a", "b", "c"][wanted.name], wanted.request))
}

fn author(who: Who) -> Author {
    match who {
        Who::Agent => Author { role: Role::Agent, name: AGENTS[0].into() },
        Who::OtherAgent => Author { role: Role::Agent, name: AGENTS[1].into() },
        Who::Bot => Author { role: Role::Init, name: "bot".into() },
        Who::Gateway => Author::gateway(),
    }
}
