//! Lists in pages: every item once, while things are added and moved, and no cursor of another list.

use std::collections::BTreeSet;

use switchboard::domain::customer::Customer;
use switchboard::domain::ids::{CustomerId, SessionId};
use switchboard::store::{Cursor, InboxFilter, ListError, PageRequest};

use crate::engines::Open;
use crate::fixture::{ANN, BOB, Fixture, IDLE_AFTER, all, at, first};

on_every_engine! {
    pages_give_every_item_once,
    the_last_page_has_no_next,
    pages_stay_true_while_things_are_added,
    newest_first_pages_stay_true_while_things_are_added,
    a_page_begins_after_an_item_that_is_gone_or_moved,
    the_inbox_is_paged_under_any_filter,
    a_foreign_cursor_is_refused,
    what_is_no_cursor_is_refused,
    a_list_of_nobody_is_empty,
}

fn after(cursor: Option<Cursor>, limit: usize) -> PageRequest {
    assert!(cursor.is_some(), "the page before says that there is no more");
    PageRequest { after: cursor, limit }
}

fn numbers(range: std::ops::Range<u64>) -> Vec<String> {
    range.map(|index| format!("+1415555{:04}", 100 + index)).collect()
}

fn ids(customers: &[Customer]) -> Vec<CustomerId> {
    customers.iter().map(|customer| customer.id).collect()
}

async fn create(f: &Fixture, range: std::ops::Range<u64>) -> Vec<CustomerId> {
    let mut created = Vec::new();
    for number in numbers(range) {
        created.push(f.create_customer(f.customer(&number, at(0))).await.unwrap().value.id);
    }
    created
}

async fn pages_give_every_item_once(open: Open) {
    let f = Fixture::new(open);
    let created = create(&f, 0..7).await;
    let mut seen = Vec::new();
    let mut request = first(3);
    loop {
        let page = f.customers(request).await.unwrap();
        seen.extend(ids(&page.items));
        match page.next {
            Some(next) => request = after(Some(next), 3),
            None => break,
        }
    }
    assert_eq!(seen, created);
}

async fn the_last_page_has_no_next(open: Open) {
    let f = Fixture::new(open);
    create(&f, 0..4).await;
    assert!(f.customers(first(4)).await.unwrap().next.is_none());
    let page = f.customers(first(2)).await.unwrap();
    let last = f.customers(after(page.next, 2)).await.unwrap();
    assert_eq!((last.items.len(), last.next), (2, None));
}

async fn pages_stay_true_while_things_are_added(open: Open) {
    let f = Fixture::new(open);
    let before = create(&f, 0..4).await;
    let page = f.customers(first(3)).await.unwrap();
    let added = create(&f, 4..6).await;
    let rest = f.customers(after(page.next, 10)).await.unwrap();
    assert_eq!(ids(&rest.items), [&before[3..], &added[..]].concat());
}

async fn newest_first_pages_stay_true_while_things_are_added(open: Open) {
    let f = Fixture::new(open);
    let (heard, session) = f.hear(f.text(ANN, "0", at(0))).await;
    let mut texts = vec![heard.id];
    for _ in 0..4 {
        texts.push(f.queue(f.by_bot(heard.customer_id, "hi", at(1))).await);
    }
    let page = f.messages_of(session.id, first(2)).await.unwrap();
    f.queue(f.by_bot(heard.customer_id, "hi", at(2))).await;
    let rest = f.messages_of(session.id, after(page.next, 10)).await.unwrap();
    let rest: Vec<_> = rest.items.iter().map(|message| message.id).collect();
    assert_eq!(rest, [texts[2], texts[1], texts[0]]);
}

async fn a_page_begins_after_an_item_that_is_gone_or_moved(open: Open) {
    let f = Fixture::new(open);
    let created = create(&f, 0..4).await;
    let page = f.customers(first(2)).await.unwrap();
    f.erase_customer(created[1], at(1)).await.unwrap();
    let rest = f.customers(after(page.next, 10)).await.unwrap();
    assert_eq!(ids(&rest.items), created[2..]);
    // In the inbox its last item moves on, and takes nobody along.
    let mut who = Vec::new();
    for (second, number) in (0..).zip(numbers(10..13)) {
        who.push(f.hear(f.text(&number, "hello", at(second))).await.0.customer_id);
    }
    let page = f.inbox(InboxFilter::default(), first(1)).await.unwrap();
    assert_eq!(page.items[0].customer_id, who[0]);
    f.hear(f.text(&numbers(10..11)[0], "hello?", at(9))).await;
    let rest = f.inbox(InboxFilter::default(), after(page.next, 10)).await.unwrap();
    let rest: Vec<_> = rest.items.iter().map(|session| session.customer_id).collect();
    assert_eq!(rest, [who[1], who[2], who[0]]);
}

async fn the_inbox_is_paged_under_any_filter(open: Open) {
    let f = Fixture::new(open);
    let mut held = BTreeSet::new();
    for (index, number) in (0..).zip(numbers(0..9)) {
        let id = f.hear(f.text(&number, "hello", at(index))).await.0.customer_id;
        if index % 2 == 0 {
            f.hold(id, at(100 - index)).await;
            held.insert(id);
        }
    }
    let filter = |wanted| InboxFilter { need_attention: Some(wanted), ..InboxFilter::default() };
    let page = f.inbox(filter(true), first(2)).await.unwrap();
    let mut seen: Vec<_> = page.items.iter().map(|session| session.customer_id).collect();
    let rest = f.inbox(filter(true), after(page.next.clone(), 3)).await.unwrap();
    seen.extend(rest.items.iter().map(|session| session.customer_id));
    assert_eq!((seen.len(), rest.next), (5, None));
    assert_eq!(seen.into_iter().collect::<BTreeSet<_>>(), held);
    // The cursor is the inbox's, whatever it is narrowed down to.
    assert_eq!(f.inbox(filter(false), after(page.next, 10)).await.unwrap().items.len(), 4);
}

async fn a_foreign_cursor_is_refused(open: Open) {
    let f = Fixture::new(open);
    let (ann, bob) = (f.with_bot(ANN).await, f.with_bot(BOB).await);
    for id in [ann, bob] {
        f.queue(f.by_bot(id, "hi", at(1))).await;
        f.hear(f.text(if id == ann { ANN } else { BOB }, "again", at(1).after(IDLE_AFTER))).await;
        f.queue(f.by_bot(id, "hi", at(1).after(IDLE_AFTER))).await;
    }
    let (anns, bobs) = (f.talk(ann).await.id, f.talk(bob).await.id);
    let cursors = [
        f.customers(first(1)).await.unwrap().next,
        f.sessions_of(ann, first(1)).await.unwrap().next,
        f.sessions_of(bob, first(1)).await.unwrap().next,
        f.messages_of(anns, first(1)).await.unwrap().next,
        f.messages_of(bobs, first(1)).await.unwrap().next,
        f.inbox(InboxFilter::default(), first(1)).await.unwrap().next,
    ];
    for (index, cursor) in (0..).zip(cursors) {
        let request = after(cursor, 9);
        let taken = [
            taken(f.customers(request.clone()).await),
            taken(f.sessions_of(ann, request.clone()).await),
            taken(f.sessions_of(bob, request.clone()).await),
            taken(f.messages_of(anns, request.clone()).await),
            taken(f.messages_of(bobs, request.clone()).await),
            taken(f.inbox(InboxFilter::default(), request).await),
        ];
        let only_its_own: Vec<bool> = (0..taken.len()).map(|list| list == index).collect();
        assert_eq!(taken[..], only_its_own);
    }
}

fn taken<T>(page: Result<T, ListError>) -> bool {
    match page {
        Ok(_) => true,
        Err(ListError::InvalidCursor) => false,
        Err(ListError::Store(error)) => panic!("{error}"),
    }
}

async fn what_is_no_cursor_is_refused(open: Open) {
    let f = Fixture::new(open);
    create(&f, 0..3).await;
    let good = f.customers(first(1)).await.unwrap().next.unwrap().0;
    let cut = good[..good.len() - 1].to_vec();
    for bytes in [Vec::new(), vec![0xff], b"1".to_vec(), vec![0; 64], cut] {
        let request = PageRequest { after: Some(Cursor(bytes)), limit: 1 };
        assert!(!taken(f.customers(request.clone()).await));
        assert!(!taken(f.inbox(InboxFilter::default(), request).await));
    }
}

async fn a_list_of_nobody_is_empty(open: Open) {
    let f = Fixture::new(open);
    assert!(f.customers(all()).await.unwrap().items.is_empty());
    assert!(f.sessions_of(CustomerId(f.id()), all()).await.unwrap().items.is_empty());
    assert!(f.messages_of(SessionId(f.id()), all()).await.unwrap().items.is_empty());
}
