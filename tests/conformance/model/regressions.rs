//! What the random commands once found, each in the fewest commands.

use switchboard::domain::delivery::ReceiptStage;

use super::command::{Command, Failure, Key, Outcome, Who};
use super::world::World;
use super::{block_on, live};
use crate::engines::{OpenAt, fjall_at, postgres_at, sled_at};
use crate::fixture::rules;

const KEY: Option<Key> = Some(Key { scope: 0, name: 0, request: 0 });

/// Fails where an engine and the model differ.
fn check(commands: &[Command]) {
    let engines: [OpenAt; 3] = [sled_at, fjall_at, postgres_at];
    for open in engines {
        block_on(async { live(&mut World::new(open, rules()), commands).await }).unwrap();
    }
}

fn created(number: usize) -> Command {
    Command::CreateCustomer { number, confirmed: true, token: None, key: None }
}

fn said_with_key(customer: usize) -> Command {
    Command::Say {
        customer,
        who: Who::Agent,
        content: "done",
        lane: Some(0),
        not_before_s: None,
        valid_for_s: 200_000,
        key: KEY,
        turn: None,
    }
}

#[test]
fn erasing_a_customer_leaves_a_key_that_somebody_else_has_used_since() {
    check(&[
        created(0),
        said_with_key(0),
        Command::NextDay { limit: 4 },
        created(1),
        said_with_key(0),
        Command::Erase { customer: 1 },
        said_with_key(0),
    ]);
}

fn parked(provider_id: usize) -> Command {
    Command::Receipt { message: None, lane: 0, provider_id, stage: ReceiptStage::Delivered, class: None }
}

fn said_and_accepted(provider_id: usize) -> [Command; 2] {
    let said = Command::Say {
        customer: 0,
        who: Who::Agent,
        content: "done",
        lane: Some(0),
        not_before_s: None,
        valid_for_s: 600,
        key: None,
        turn: None,
    };
    [said, Command::Send { lane: 0, outcome: Outcome::Accepted { provider_id, from: false } }]
}

/// Two parked receipts, of which a sweep forgets one; then both messages are there.
fn one_of_two_is_forgotten(first: usize, between_ms: i64, second: usize) {
    let parked = [parked(first), Command::Wait { ms: between_ms }, parked(second)];
    let sent = [created(0)].into_iter().chain(said_and_accepted(0)).chain(said_and_accepted(1));
    check(&parked.into_iter().chain([Command::NextDay { limit: 1 }]).chain(sent).collect::<Vec<_>>());
}

#[test]
fn of_parked_receipts_of_the_same_moment_the_first_that_came_is_forgotten_first() {
    one_of_two_is_forgotten(1, 0, 0);
}

#[test]
fn of_parked_receipts_the_oldest_by_the_clock_is_forgotten_first() {
    one_of_two_is_forgotten(0, -1_000, 1);
}

#[test]
fn a_turn_that_the_bot_has_answered_keeps_its_number_also_if_it_was_not_called_for_it() {
    let text = Command::Text {
        number: 0,
        lane: 0,
        content: "hello",
        provider_id: 0,
        media: false,
        keyword: None,
        replies: false,
        recovered_s: None,
    };
    let said = Command::Say {
        customer: 0,
        who: Who::Bot,
        content: "we are on it",
        lane: None,
        not_before_s: None,
        valid_for_s: 1,
        key: None,
        turn: Some(0),
    };
    let put_off = Command::Fail { turn: 0, right: true, failure: Failure::PutOff { wait_s: 0 } };
    check(&[text, Command::Claim { owner: 0 }, said, put_off]);
}
