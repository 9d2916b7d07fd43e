//! Customers found by what somebody remembers of them.

use switchboard::domain::ids::CustomerId;
use switchboard::domain::search::Query;
use switchboard::store::CustomerPatch;

use crate::engines::Open;
use crate::export::{file_of, fill};
use crate::fixture::Fixture;
use crate::fixture::at;

on_every_engine! {
    names_are_found_by_the_beginnings_of_their_words,
    numbers_are_found_by_either_end,
    who_is_found_comes_in_the_order_of_the_words,
    no_more_are_found_than_are_asked_for,
    a_customer_is_found_once,
    a_new_name_is_found_and_the_old_one_is_not,
    who_was_erased_is_not_found,
    who_texts_is_found_by_their_number,
    what_finds_them_moves_with_the_store,
}

async fn create(f: &Fixture, number: &str, first_name: &str, last_name: &str) -> CustomerId {
    let name = |name: &str| (!name.is_empty()).then(|| name.to_owned());
    let mut command = f.customer(number, at(0));
    (command.first_name, command.last_name) = (name(first_name), name(last_name));
    f.create_customer(command).await.unwrap().value.id
}

async fn found(f: &Fixture, text: &str, limit: usize) -> Vec<CustomerId> {
    let customers = f.search_customers(Query::parse(text).unwrap(), limit).await.unwrap();
    customers.iter().map(|customer| customer.id).collect()
}

async fn names_are_found_by_the_beginnings_of_their_words(open: Open) {
    let f = Fixture::new(open);
    let ann = create(&f, "+14155550101", "Ann-Marie", "Ó Briain").await;
    let bob = create(&f, "+14155550102", "Bob", "Mariani").await;
    for (text, who) in [
        ("ann", vec![ann]),
        ("ANN-MARIE", vec![ann]),
        ("mari", vec![bob, ann]),
        ("marie bri", vec![ann]),
        ("bri marie", vec![ann]),
        ("ó b", vec![ann]),
        ("riain", vec![]),
        ("bob briain", vec![]),
    ] {
        assert_eq!(found(&f, text, 9).await, who, "{text}");
    }
}

async fn numbers_are_found_by_either_end(open: Open) {
    let f = Fixture::new(open);
    let ann = create(&f, "+14155550101", "Ann", "").await;
    let bob = create(&f, "+4915155501010", "", "").await;
    let code = create(&f, "74454", "", "").await;
    for (text, who) in [
        ("+1 (415)", vec![ann]),
        ("01-01", vec![ann]),
        ("5550101", vec![ann]),
        ("14155550101", vec![ann]),
        ("010", vec![bob]),
        ("49", vec![bob]),
        ("74454", vec![code]),
        ("74", vec![code]),
        ("55501", vec![]),
    ] {
        assert_eq!(found(&f, text, 9).await, who, "{text}");
    }
}

async fn who_is_found_comes_in_the_order_of_the_words(open: Open) {
    let f = Fixture::new(open);
    let mut expected = Vec::new();
    for (number, name) in ["Anna", "Ann", "Annabel", "Anton", "Ann"].iter().enumerate() {
        let id = create(&f, &format!("+1415555010{number}"), name, "").await;
        expected.push((name.to_lowercase(), id));
    }
    expected.sort();
    let expected: Vec<_> = expected.into_iter().map(|(_, id)| id).collect();
    assert_eq!(found(&f, "an", 9).await, expected);
    // By the beginning of a number before by its end.
    let ends = create(&f, "+4930555011", "", "").await;
    let begins = create(&f, "+1105550199", "", "").await;
    assert_eq!(found(&f, "11", 9).await, [begins, ends]);
}

async fn no_more_are_found_than_are_asked_for(open: Open) {
    let f = Fixture::new(open);
    let mut ids = Vec::new();
    for number in 0..6 {
        // Each is found by the beginning and by the end.
        ids.push(create(&f, &format!("+14155{number}014155"), &format!("Ann{number}"), "").await);
    }
    for limit in 0..8 {
        let expected = &ids[..limit.min(6)];
        assert_eq!(found(&f, "ann", limit).await, expected);
        assert_eq!(found(&f, "14155", limit).await, expected);
    }
}

async fn a_customer_is_found_once(open: Open) {
    let f = Fixture::new(open);
    let ann = create(&f, "+14155514155", "Ann", "Anderson").await;
    assert_eq!(found(&f, "an", 9).await, [ann]);
    assert_eq!(found(&f, "14155", 9).await, [ann]);
}

async fn a_new_name_is_found_and_the_old_one_is_not(open: Open) {
    let f = Fixture::new(open);
    let id = create(&f, "+14155550101", "Ann", "Smith").await;
    let patch = CustomerPatch {
        first_name: Some(None),
        last_name: Some(Some("Jones".into())),
        ..CustomerPatch::default()
    };
    f.update_customer(id, patch, at(1)).await.unwrap();
    assert_eq!((found(&f, "jo", 9).await, found(&f, "smith", 9).await), (vec![id], vec![]));
    assert_eq!((found(&f, "ann", 9).await, found(&f, "0101", 9).await), (vec![], vec![id]));
}

async fn who_was_erased_is_not_found(open: Open) {
    let f = Fixture::new(open);
    let id = create(&f, "+14155550101", "Ann", "Smith").await;
    f.erase_customer(id, at(1)).await.unwrap();
    for text in ["ann", "smith", "1415", "0101"] {
        assert_eq!(found(&f, text, 9).await, [], "{text}");
    }
}

async fn who_texts_is_found_by_their_number(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot("+14155550101").await;
    assert_eq!(found(&f, "0101", 9).await, [id]);
    // A number that is proved is the same number.
    let bob = create(&f, "+14155550102", "Bob", "").await;
    f.hear(f.text("+14155550102", "hello", at(1))).await;
    assert_eq!(found(&f, "0102", 9).await, [bob]);
}

async fn what_finds_them_moves_with_the_store(open: Open) {
    let f = Fixture::new(open);
    let id = create(&f, "+14155550101", "Ann", "Smith").await;
    let copy = Fixture::new(open);
    fill(&**copy, &file_of(&**f).await).await;
    assert_eq!((found(&copy, "smi", 9).await, found(&copy, "0101", 9).await), (vec![id], vec![id]));
}
