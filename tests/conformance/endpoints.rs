//! Whom the events are told: how far they were, what they were told in vain, and whether they are called at all.

use switchboard::domain::endpoint::{Delivery, Disabled, Endpoint};
use switchboard::domain::time::Timestamp;
use switchboard::store::{AdvanceEndpoint, DueDeliveries, ListError, PageRequest};

use crate::engines::Open;
use crate::export::{file_of, fill};
use crate::fixture::{ANN, Fixture, all, at, first};

on_every_engine! {
    how_far_an_endpoint_was_told_is_kept_with_what_it_was_told_in_vain,
    endpoints_are_listed_by_their_names,
    an_endpoint_that_is_switched_before_it_was_told_anything_is_told_what_comes_next,
    a_disabled_endpoint_stays_so_however_far_it_was_told,
    who_is_called_again_has_failed_since_never,
    what_is_due_comes_the_longest_due_first,
    a_dead_letter_is_not_due_and_stays_on_record,
    what_is_on_record_of_an_event_is_replaced,
    what_was_told_after_all_is_dropped,
    endpoints_have_nothing_in_common,
    deliveries_are_paged_in_the_order_of_the_log,
    what_an_endpoint_was_told_in_vain_moves_with_the_store,
    what_was_told_in_vain_is_forgotten_with_the_log,
}

async fn what_was_told_in_vain_is_forgotten_with_the_log(open: Open) {
    let f = Fixture::new(open);
    f.hear(f.text(ANN, "1", at(1))).await;
    let old = f.place().await;
    f.hear(f.text(ANN, "2", at(50))).await;
    let new = f.place().await;
    for name in ["chat", "crm"] {
        advance(&f, name, new, vec![in_vain(name, old, Some(at(60))), in_vain(name, new, None)]).await;
    }
    assert_eq!(f.prune_events(at(40), 1000, at(60)).await.unwrap() as u64, old);
    for name in ["chat", "crm"] {
        assert_eq!(f.delivery(name, old).await.unwrap(), None);
        assert!(f.delivery(name, new).await.unwrap().is_some());
        assert_eq!(due(&f, name, at(99), 10).await, (Vec::new(), None), "nothing is left of when it was due");
    }
}

fn in_vain(endpoint: &str, place: u64, next_at: Option<Timestamp>) -> Delivery {
    Delivery {
        endpoint: endpoint.into(),
        place,
        attempts: 1,
        next_at,
        last_error: "it answered 503".into(),
        created_at: at(0),
    }
}

async fn advance(f: &Fixture, name: &str, position: u64, in_vain: Vec<Delivery>) {
    let name = name.to_owned();
    let command = AdvanceEndpoint { name, position, in_vain, reached: Some(false), now: at(7) };
    f.advance_endpoint(command).await.unwrap();
}

fn places(deliveries: &[Delivery]) -> Vec<u64> {
    deliveries.iter().map(|delivery| delivery.place).collect()
}

async fn due(f: &Fixture, endpoint: &str, now: Timestamp, limit: usize) -> (Vec<u64>, Option<Timestamp>) {
    let DueDeliveries { due, next_at } = f.due_deliveries(endpoint, now, limit).await.unwrap();
    (places(&due), next_at)
}

async fn how_far_an_endpoint_was_told_is_kept_with_what_it_was_told_in_vain(open: Open) {
    let f = Fixture::new(open);
    assert_eq!(f.endpoint("crm").await.unwrap(), None);
    let missed = in_vain("crm", 3, Some(at(9)));
    advance(&f, "crm", 5, vec![missed.clone()]).await;
    let expected = Endpoint { name: "crm".into(), position: 5, disabled: None, failing_since: Some(at(7)) };
    assert_eq!(f.endpoint("crm").await.unwrap(), Some(expected.clone()));
    assert_eq!(f.delivery("crm", 3).await.unwrap(), Some(missed));
    let well =
        AdvanceEndpoint { name: "crm".into(), position: 9, in_vain: Vec::new(), reached: None, now: at(9) };
    f.advance_endpoint(well.clone()).await.unwrap();
    let expected = Endpoint { position: 9, ..expected };
    assert_eq!(f.endpoint("crm").await.unwrap(), Some(expected.clone()), "nothing was told");
    let reached = AdvanceEndpoint { position: 4, reached: Some(true), ..well };
    f.advance_endpoint(reached).await.unwrap();
    let expected = Endpoint { failing_since: None, ..expected };
    assert_eq!(f.endpoint("crm").await.unwrap(), Some(expected));
    assert_eq!(f.place().await, 0, "none of that is an event");
}

async fn endpoints_are_listed_by_their_names(open: Open) {
    let f = Fixture::new(open);
    for name in ["b", "crm", "aa", "a"] {
        advance(&f, name, 1, Vec::new()).await;
    }
    let names: Vec<_> = f.endpoints().await.unwrap().into_iter().map(|endpoint| endpoint.name).collect();
    assert_eq!(names, ["a", "aa", "b", "crm"]);
}

async fn an_endpoint_that_is_switched_before_it_was_told_anything_is_told_what_comes_next(open: Open) {
    let f = Fixture::new(open);
    f.with_bot(crate::fixture::ANN).await;
    let place = f.place().await;
    f.switch_endpoint("crm", Some("gone".into()), at(1)).await.unwrap();
    assert_eq!(f.endpoint("crm").await.unwrap().unwrap().position, place);
}

async fn a_disabled_endpoint_stays_so_however_far_it_was_told(open: Open) {
    let f = Fixture::new(open);
    f.switch_endpoint("crm", Some("it answered 410".into()), at(1)).await.unwrap();
    f.switch_endpoint("crm", Some("another reason".into()), at(2)).await.unwrap();
    advance(&f, "crm", 1, Vec::new()).await;
    let endpoint = f.endpoint("crm").await.unwrap().unwrap();
    assert_eq!(endpoint.disabled, Some(Disabled { at: at(1), reason: "it answered 410".into() }));
}

async fn who_is_called_again_has_failed_since_never(open: Open) {
    let f = Fixture::new(open);
    advance(&f, "crm", 4, Vec::new()).await;
    f.switch_endpoint("crm", Some("gone".into()), at(9)).await.unwrap();
    f.switch_endpoint("crm", None, at(10)).await.unwrap();
    let expected = Endpoint { name: "crm".into(), position: 4, disabled: None, failing_since: None };
    assert_eq!(f.endpoint("crm").await.unwrap(), Some(expected));
}

async fn what_is_due_comes_the_longest_due_first(open: Open) {
    let f = Fixture::new(open);
    let missed = [(1, 30), (2, 10), (3, 20), (4, 10), (5, 40)];
    let missed = missed.map(|(place, next_at)| in_vain("crm", place, Some(at(next_at))));
    advance(&f, "crm", 9, missed.to_vec()).await;
    assert_eq!(due(&f, "crm", at(9), 9).await, (vec![], Some(at(10))));
    assert_eq!(due(&f, "crm", at(10), 9).await, (vec![2, 4], Some(at(20))));
    assert_eq!(due(&f, "crm", at(30), 3).await, (vec![2, 4, 3], Some(at(40))));
    assert_eq!(due(&f, "crm", at(99), 9).await, (vec![2, 4, 3, 1, 5], None));
    assert_eq!(due(&f, "nobody", at(99), 9).await, (vec![], None));
}

async fn a_dead_letter_is_not_due_and_stays_on_record(open: Open) {
    let f = Fixture::new(open);
    advance(&f, "crm", 9, vec![in_vain("crm", 1, None), in_vain("crm", 2, Some(at(5)))]).await;
    assert_eq!(due(&f, "crm", at(99), 9).await, (vec![2], None));
    assert_eq!(places(&f.deliveries("crm", all()).await.unwrap().items), [1, 2]);
}

async fn what_is_on_record_of_an_event_is_replaced(open: Open) {
    let f = Fixture::new(open);
    advance(&f, "crm", 9, vec![in_vain("crm", 1, Some(at(5)))]).await;
    let later =
        Delivery { attempts: 2, last_error: "it timed out".into(), ..in_vain("crm", 1, Some(at(50))) };
    f.keep_delivery(later.clone(), at(6)).await.unwrap();
    assert_eq!(f.delivery("crm", 1).await.unwrap(), Some(later.clone()));
    assert_eq!(due(&f, "crm", at(6), 9).await, (vec![], Some(at(50))));
    f.keep_delivery(Delivery { next_at: None, ..later }, at(50)).await.unwrap();
    assert_eq!(due(&f, "crm", at(99), 9).await, (vec![], None));
    assert_eq!(f.deliveries("crm", all()).await.unwrap().items.len(), 1);
}

async fn what_was_told_after_all_is_dropped(open: Open) {
    let f = Fixture::new(open);
    advance(&f, "crm", 9, vec![in_vain("crm", 1, Some(at(5))), in_vain("crm", 2, Some(at(5)))]).await;
    for _ in 0..2 {
        f.drop_delivery("crm", 1, at(6)).await.unwrap();
    }
    assert_eq!(f.delivery("crm", 1).await.unwrap(), None);
    assert_eq!(due(&f, "crm", at(99), 9).await, (vec![2], None));
}

async fn endpoints_have_nothing_in_common(open: Open) {
    let f = Fixture::new(open);
    // Not even where one's name is the beginning of the other's.
    for name in ["crm", "crm2", "c"] {
        advance(&f, name, 9, vec![in_vain(name, 1, Some(at(5)))]).await;
    }
    f.drop_delivery("crm", 1, at(6)).await.unwrap();
    f.switch_endpoint("c", Some("gone".into()), at(6)).await.unwrap();
    assert_eq!(due(&f, "crm", at(9), 9).await, (vec![], None));
    assert_eq!(due(&f, "crm2", at(9), 9).await, (vec![1], None));
    assert_eq!(due(&f, "c", at(9), 9).await, (vec![1], None), "it is on record, called or not");
    assert_eq!(f.endpoint("crm2").await.unwrap().unwrap().disabled, None);
}

async fn deliveries_are_paged_in_the_order_of_the_log(open: Open) {
    let f = Fixture::new(open);
    let missed = [300, 2, 40, 1].map(|place| in_vain("crm", place, Some(at(5))));
    advance(&f, "crm", 999, missed.to_vec()).await;
    advance(&f, "other", 999, vec![in_vain("other", 3, None)]).await;
    let page = f.deliveries("crm", first(3)).await.unwrap();
    assert_eq!(places(&page.items), [1, 2, 40]);
    let rest = PageRequest { after: page.next.clone(), limit: 3 };
    // What is dropped meanwhile does not move the others.
    f.drop_delivery("crm", 40, at(6)).await.unwrap();
    let last = f.deliveries("crm", rest).await.unwrap();
    assert_eq!((places(&last.items), last.next), (vec![300], None));
    let foreign = f.deliveries("other", PageRequest { after: page.next, limit: 3 }).await;
    assert!(matches!(foreign, Err(ListError::InvalidCursor)));
    assert!(f.deliveries("nobody", all()).await.unwrap().items.is_empty());
}

async fn what_an_endpoint_was_told_in_vain_moves_with_the_store(open: Open) {
    let f = Fixture::new(open);
    advance(&f, "crm", 9, vec![in_vain("crm", 2, Some(at(20))), in_vain("crm", 1, None)]).await;
    f.switch_endpoint("crm", Some("gone".into()), at(1)).await.unwrap();
    // Nobody says that it was ever told anything else.
    f.keep_delivery(in_vain("unheard of", 5, Some(at(5))), at(1)).await.unwrap();
    let copy = Fixture::new(open);
    fill(&**copy, &file_of(&**f).await).await;
    assert_eq!(copy.endpoints().await.unwrap(), f.endpoints().await.unwrap());
    assert_eq!(due(&copy, "crm", at(99), 9).await, (vec![2], None));
    assert_eq!(places(&copy.deliveries("crm", all()).await.unwrap().items), [1, 2]);
    assert_eq!(due(&copy, "unheard of", at(9), 9).await, (vec![5], None));
}
