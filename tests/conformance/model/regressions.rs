//! What the random commands once found, each in the fewest commands.

use super::command::{Command, Key, Who};
use super::world::World;
use super::{block_on, live};
use crate::fixture::rules;

const KEY: Option<Key> = Some(Key { scope: 0, key: 0, request: 0 });

/// Fails where the engine and the model differ.
fn check(commands: &[Command]) {
    block_on(async { live(&mut World::new(rules()), commands).await }).unwrap();
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
    }
}

#[test]
fn erasing_a_customer_leaves_a_key_that_somebody_else_has_used_since() {
    check(&[
        created(0),
        said_with_key(0),
        Command::Wait { ms: 25 * 3_600_000 },
        Command::Sweep { limit: 4 },
        created(1),
        said_with_key(0),
        Command::Erase { customer: 1 },
        said_with_key(0),
    ]);
}
