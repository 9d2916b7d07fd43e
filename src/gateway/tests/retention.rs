//! Conversations go when their time has come, however many there are.

use std::time::Duration;

use super::fixture::{Plan, World};
use crate::store::PageRequest;

/// Stands for a year: what goes on by itself would take its time over that.
const HOUR: Duration = Duration::from_secs(3_600);

#[tokio::test(start_paused = true)]
async fn conversations_go_when_they_are_old_and_customers_stay() {
    let world = World::start(Plan { has_bot: true, keep_messages: Some(HOUR), ..Plan::default() }).await;
    let mut customers = Vec::new();
    for number in 100..150 {
        customers.push(world.text(&format!("+1415555{number:04}"), "HELP").await);
    }
    let held = customers[7];
    world.hold(held, true).await;
    tokio::time::sleep(HOUR * 9 / 10).await;
    let recent = customers[8];
    world.text("+14155550108", "HELP").await;
    tokio::time::sleep(HOUR / 2).await;
    for customer in customers {
        let store = world.gateway.store();
        assert!(store.customer(customer).await.unwrap().is_some());
        let sessions =
            store.sessions_of(customer, PageRequest { after: None, limit: 9 }).await.unwrap().items;
        assert_eq!(sessions.len(), usize::from(customer == held || customer == recent));
    }
    let counts = world.gateway.store().counts().await.unwrap();
    let metrics = world.gateway.metrics().render(Some(counts), true);
    assert!(metrics.contains("switchboard_sessions_pruned_total 48"), "{metrics}");
}
