//! What each step of a conversation may cost in this store: see [`crate::budget`].

use super::super::kv::Kv;
use super::super::overlay::Overlay;
use super::*;
use crate::budget::{Cost, keep_to};
use crate::domain::delivery::{ReceiptStage, ReceiptStatus};
use crate::store::apply::{inbound, messages, outbound, receipts, turns};

/// Does it; and what it cost.
fn done<T>(kv: &MapKv, now: Timestamp, command: impl FnOnce(&mut Tx<'_, '_>) -> T) -> (T, Cost) {
    let (rules, mut done) = (rules(), None);
    let (writes, allocations) = {
        let view = kv.begin().unwrap();
        let mut overlay = Overlay::new(&*view);
        let counted = allocation_counter::measure(|| {
            let mut tx = Tx::new(&mut overlay, &rules, now);
            done = Some(command(&mut tx));
            tx.finish().unwrap();
            overlay.keep();
        });
        (overlay.into_writes(), counted.count_total)
    };
    kv.commit(&writes).unwrap();
    let bytes = writes.iter().map(|(key, value)| key.len() + value.as_ref().map_or(0, Vec::len)).sum();
    (done.unwrap(), Cost { keys: writes.len(), bytes, allocations })
}

/// Does it, and holds it to its budget.
fn step<T>(kv: &MapKv, operation: &str, now: Timestamp, command: impl FnOnce(&mut Tx<'_, '_>) -> T) -> T {
    let (done, cost) = done(kv, now, command);
    keep_to(operation, &cost);
    done
}

#[test]
fn a_conversation_keeps_to_its_budget() {
    let kv = MapKv::default();
    // One that has had texts and answers before.
    let hear = |id: u128, operation: &str| {
        let command = text(ANN, id, "as much as customers write when they have something to say");
        step(&kv, operation, at(0), |tx| inbound::record(tx, &command).unwrap())
    };
    // What is made once in a process is not counted.
    done(&kv, at(0), |tx| inbound::record(tx, &text(BOB, 9, "hello")).unwrap());
    hear(1, "take a text of a new customer");
    hear(2, "take a text of a known customer");
    hear(2, "take a text that is a repeat");
    let claimed = step(&kv, "hand out a turn", at(1), |tx| turns::claim(tx, "bench").unwrap());
    let TurnClaim::Work(work) = claimed else { panic!("a turn is due") };
    let said = BotSaid {
        message_ids: vec![MessageId(Uuid::from_u128(100))],
        answer: Answer {
            texts: vec![AnswerText { content: "an answer".into(), delay: Duration::ZERO, valid_for: None }],
            ..Answer::default()
        },
        bot_name: "bot".into(),
        valid_for: Duration::from_secs(3_600),
        new_turn: TurnId(Uuid::from_u128(101)),
    };
    let complete = CompleteTurn { turn_id: work.turn.id, attempt: work.turn.attempts, said, now: at(2) };
    step(&kv, "keep the bot's answer", at(2), |tx| turns::complete(tx, &complete).unwrap());
    let create = answer(1, 102, None, at(2));
    step(&kv, "queue a text", at(2), |tx| messages::create(tx, &create).unwrap().unwrap());
    let id = MessageId(Uuid::from_u128(100));
    let begun = step(&kv, "begin an attempt", at(3), |tx| outbound::begin_attempt(tx, id, "bench").unwrap());
    let Begun::Attempt(begun) = begun else { panic!("it is due: {begun:?}") };
    let taken = SendOutcome::Accepted { provider_id: "SM1".into(), from: None };
    let attempt = begun.delivery.attempt_number();
    step(&kv, "settle an attempt", at(4), |tx| outbound::settle(tx, id, attempt, &taken).unwrap());
    let status = |stage, raw: &str| ReceiptStatus { stage, raw: raw.into(), error: None, at: at(5) };
    for (operation, status) in [
        ("apply a receipt", status(ReceiptStage::Sent, "sent")),
        ("apply the last receipt", status(ReceiptStage::Delivered, "delivered")),
    ] {
        let receipt =
            Receipt { channel: "main".into(), provider_id: "SM1".into(), message_id: Some(id), status };
        step(&kv, operation, at(5), |tx| receipts::apply(tx, &receipt).unwrap());
    }
}
