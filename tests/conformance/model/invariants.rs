//! What holds in an engine after every command, whatever the model says.

use std::collections::BTreeMap;

use proptest::prelude::*;
use switchboard::domain::delivery::{Exemption, Status};
use switchboard::domain::ids::CustomerId;
use switchboard::domain::message::Message;
use switchboard::domain::session::Session;

use super::world::World;
use crate::fixture::all;

impl World {
    pub async fn check_invariants(&mut self) -> Result<(), TestCaseError> {
        let mut in_flight: BTreeMap<CustomerId, u32> = BTreeMap::new();
        self.check_log().await?;
        for id in self.sessions.clone() {
            let Some(session) = self.engine.session(id).await.unwrap() else { continue };
            let customer =
                self.engine.customer(session.customer_id).await.unwrap().expect("whose session it is");
            let messages = self.engine.messages_of(id, all()).await.unwrap().items;
            self.check_session(&session)?;
            let places: Vec<u64> = messages.iter().rev().map(|message| message.place).collect();
            prop_assert_eq!(places, (0..session.message_count).collect::<Vec<_>>(), "places in {}", id);
            for message in &messages {
                let delivery = &message.delivery;
                *in_flight.entry(customer.id).or_default() += u32::from(message.is_in_flight());
                // One that was on its way when they opted out may come back; it is stopped before it leaves again.
                let new = delivery.status == Status::Queued && delivery.attempts.is_empty();
                prop_assert!(
                    !(new && customer.unsubscribed && delivery.exemption != Exemption::KeywordReply),
                    "queued for nobody: {:#?}",
                    message
                );
                prop_assert!(!self.speaks_for_agents(&session, message), "bot and agents: {:#?}", message);
                self.check_delivered(message)?;
            }
        }
        prop_assert!(in_flight.values().all(|count| *count <= 1), "two in flight: {:?}", in_flight);
        Ok(())
    }

    /// The log is gapless up to its newest, which the news show, and each event says its place.
    async fn check_log(&self) -> Result<(), TestCaseError> {
        let last = self.engine.last_event().await.unwrap();
        prop_assert_eq!(*self.engine.event_news().borrow(), last, "the news");
        let from = last.saturating_sub(20);
        let Ok(events) = self.engine.events(from, 1_000).await else { return Ok(()) };
        let places: Vec<u64> = events.iter().map(|logged| logged.event.place).collect();
        prop_assert_eq!(places, (from + 1..=last).collect::<Vec<_>>(), "places in the log");
        for logged in events {
            prop_assert_eq!(logged.event.id().place(), logged.event.place);
        }
        Ok(())
    }

    /// Who waits, who has it and what is proposed is so only where agents have it.
    fn check_session(&self, session: &Session) -> Result<(), TestCaseError> {
        let waits = session.waiting_since.is_some();
        prop_assert!(!waits || session.need_attention, "waits for nobody: {:#?}", session);
        prop_assert!(session.attend_at.is_none() || waits, "reminded of nobody: {:#?}", session);
        let agents = session.assignee.is_some() || !session.suggestions.is_empty() || session.escalations > 0;
        prop_assert!(!agents || session.need_attention, "the bot has it: {:#?}", session);
        let turns = [session.turns_answered, session.turns_numbered, session.turns_queued];
        prop_assert!(turns.is_sorted(), "turns in {:#?}", session);
        if let Some(guard) = self.policy.bot.loop_guard {
            prop_assert!(session.bot_texts.len() <= guard.texts, "goes round in circles: {:#?}", session);
        }
        Ok(())
    }

    /// The bot's text waits in a session that agents have, and is not of the very answer that gave it to them.
    fn speaks_for_agents(&self, session: &Session, message: &Message) -> bool {
        let waits = message.delivery.status == Status::Queued && message.author.is_bot();
        let handed_off_at = message.turn_id.and_then(|turn| self.hand_offs.get(&turn));
        waits && session.need_attention && handed_off_at != Some(&session.version)
    }

    fn check_delivered(&mut self, message: &Message) -> Result<(), TestCaseError> {
        let first = match message.delivered_at {
            Some(at) => Some(*self.delivered.entry(message.id).or_insert(at)),
            None => self.delivered.get(&message.id).copied(),
        };
        prop_assert_eq!(first, message.delivered_at, "delivered twice: {:#?}", message);
        Ok(())
    }
}
