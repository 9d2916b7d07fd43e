//! Random commands on an engine and on the reference model: every answer is the same, and so is all that can be read
//! afterwards, also after a restart. Asks for many more cases with `PROPTEST_CASES`.

use std::time::Duration;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use switchboard::domain::conversation::{AttentionPolicy, BotPolicy, LoopGuard, Policy};

use crate::fixture::{IDLE_AFTER, rules};

mod command;
mod compare;
mod invariants;
mod regressions;
mod run;
mod world;

use command::{Command, command};
use world::World;

/// Enough to find most of what is wrong while somebody waits for it.
const CASES: u32 = 64;
/// How many commands are given between two comparisons of all that can be read.
const READ_AFTER: usize = 10;

fn config() -> ProptestConfig {
    let asked = ProptestConfig::default();
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { asked.cases } else { CASES };
    ProptestConfig { cases, failure_persistence: None, max_shrink_time: 60_000, ..asked }
}

fn policies() -> impl Strategy<Value = Policy> {
    let idle_after = prop_oneof![4 => Just(IDLE_AFTER), 1 => Just(Duration::from_millis(500))];
    (prop::bool::weighted(0.9), prop::bool::weighted(0.3), idle_after, bots(), patience()).prop_map(
        |(has_bot, forward_keywords, idle_after, bot, attention)| Policy {
            idle_after,
            has_bot,
            forward_keywords,
            bot,
            attention,
            ..rules()
        },
    )
}

fn seconds(some: &[u64]) -> impl Strategy<Value = Option<Duration>> + use<> {
    option::of(select(some.to_vec()).prop_map(Duration::from_secs))
}

fn bots() -> impl Strategy<Value = BotPolicy> {
    let loop_guard = option::of((1..4usize, select(vec![1, 600])));
    (seconds(&[1, 3, 60]), any::<bool>(), loop_guard).prop_map(|(debounce, observe, guard)| BotPolicy {
        debounce: debounce.unwrap_or_default(),
        observe,
        loop_guard: guard.map(|(texts, within_s)| LoopGuard { texts, within: Duration::from_secs(within_s) }),
    })
}

fn patience() -> impl Strategy<Value = AttentionPolicy> {
    (seconds(&[1, 60, 3_600]), seconds(&[1, 600]))
        .prop_map(|(escalate_after, return_after)| AttentionPolicy { escalate_after, return_after })
}

/// Gives the commands to both, and compares.
async fn live(world: &mut World, commands: &[Command]) -> Result<(), TestCaseError> {
    for some in commands.chunks(READ_AFTER) {
        for command in some {
            world.run(command).await?;
            world.check_invariants().await?;
        }
        world.compare_reads().await?;
    }
    Ok(())
}

fn block_on<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test)
}

/// The random commands on one engine.
macro_rules! as_the_model_does {
    ($engine:ident: $open:path) => {
        mod $engine {
            use super::*;

            proptest! {
                #![proptest_config(config())]

                #[test]
                fn answers_and_reads_as_the_model_does(
                    policy in policies(),
                    commands in vec(command(), 40..80),
                ) {
                    block_on(async {
                        live(&mut World::new($open, policy), &commands).await
                    })?;
                }

                #[test]
                fn goes_on_after_a_restart_as_if_there_was_none(
                    policy in policies(),
                    before in vec(command(), 30..50),
                    after in vec(command(), 0..30),
                ) {
                    block_on(async {
                        let mut world = World::new($open, policy);
                        live(&mut world, &before).await?;
                        world.restart().await;
                        world.compare_reads().await?;
                        live(&mut world, &after).await
                    })?;
                }

                #[test]
                fn goes_on_as_it_was_after_an_export_and_an_import(
                    policy in policies(),
                    before in vec(command(), 40..70),
                    after in vec(command(), 0..40),
                ) {
                    block_on(async {
                        let mut world = World::new($open, policy);
                        live(&mut world, &before).await?;
                        world.change_places().await;
                        world.compare_reads().await?;
                        live(&mut world, &after).await
                    })?;
                }
            }
        }
    };
}

as_the_model_does! { sled: crate::engines::sled_at }
as_the_model_does! { fjall: crate::engines::fjall_at }
as_the_model_does! { postgres: crate::engines::postgres_at }
