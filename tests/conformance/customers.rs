//! Customers: created, changed, confirmed, subscribed; and the consent log.

use switchboard::domain::customer::{
    CONFIRMATION_LIFE, CONFIRMATION_TRIES, ConfirmRefusal, ConsentAction, ConsentRecord, ConsentSource,
    NumberHash,
};
use switchboard::domain::delivery::{ErrorClass, ReceiptStage, Status};
use switchboard::domain::ids::CustomerId;
use switchboard::store::{
    ConfirmError, CreateCustomerError, CustomerError, CustomerPatch, SetSubscription, Subscription,
};

use crate::engines::Open;
use crate::fixture::{ANN, BOB, Fixture, accepted, at, at_once, by_api, error, number, permanent, receipt};

on_every_engine! {
    a_number_belongs_to_one_customer,
    of_many_customers_with_one_number_one_is_created,
    one_created_confirmed_is_in_the_consent_log,
    a_patch_changes_only_what_it_names,
    the_right_token_confirms,
    a_wrong_token_costs_a_try_durably,
    a_token_ends_with_its_time_and_its_tries,
    a_new_token_takes_the_place_of_an_older_one,
    every_opt_out_is_written_down,
    unsubscribing_cancels_what_is_queued_confirmations_too,
    a_permanent_opt_out_unsubscribes,
    a_receipts_opt_out_unsubscribes,
    an_opt_out_with_the_provider_cancels_confirmations_too,
    an_opt_out_that_moves_nothing_unsubscribes_nobody,
    an_opt_out_with_the_provider_is_logged_though_it_is_not_the_first,
    nobody_unknown_is_changed,
}

async fn log_of(f: &Fixture, of: &str) -> Vec<ConsentRecord> {
    f.consent_log(NumberHash::of(&number(of))).await.unwrap()
}

async fn a_number_belongs_to_one_customer(open: Open) {
    let f = Fixture::new(open);
    let id = f.create_customer(f.customer(ANN, at(0))).await.unwrap().value.id;
    assert!(matches!(
        f.create_customer(f.customer(ANN, at(1))).await,
        Err(CreateCustomerError::NumberTaken(other)) if other == id
    ));
    let proved = f.with_bot(BOB).await;
    assert!(matches!(
        f.create_customer(f.customer(BOB, at(1))).await,
        Err(CreateCustomerError::NumberTaken(other)) if other == proved
    ));
}

async fn of_many_customers_with_one_number_one_is_created(open: Open) {
    let f = Fixture::new(open);
    let answers = at_once(64, |_| {
        let (store, command) = ((*f).clone(), f.customer(ANN, at(0)));
        async move { store.create_customer(command).await }
    })
    .await;
    let created: Vec<_> = answers.iter().filter_map(|answer| answer.as_ref().ok()).collect();
    assert_eq!(created.len(), 1);
    assert_eq!(f.customer_by_number(&number(ANN)).await.unwrap().as_ref(), Some(&created[0].value));
    let refused = |answer: &&Result<_, _>| matches!(answer, Err(CreateCustomerError::NumberTaken(id)) if *id == created[0].value.id);
    assert_eq!(answers.iter().filter(refused).count(), 63);
}

async fn one_created_confirmed_is_in_the_consent_log(open: Open) {
    let f = Fixture::new(open);
    let mut command = f.customer(ANN, at(0));
    command.confirmed = Some(by_api());
    let customer = f.create_customer(command).await.unwrap().value;
    assert_eq!((customer.confirmed_at, customer.confirmation), (Some(at(0)), None));
    let log = log_of(&f, ANN).await;
    assert_eq!((log.len(), log[0].action, &log[0].evidence), (1, ConsentAction::Confirmed, &by_api()));
    f.create_customer(f.customer(BOB, at(0))).await.unwrap();
    assert!(log_of(&f, BOB).await.is_empty());
}

async fn a_patch_changes_only_what_it_names(open: Open) {
    let f = Fixture::new(open);
    let before = f.create_customer(f.customer(ANN, at(0))).await.unwrap().value;
    let patch = CustomerPatch {
        first_name: Some(None),
        email: Some(Some("a@b.c".into())),
        ..CustomerPatch::default()
    };
    let after = f.update_customer(before.id, patch, at(5)).await.unwrap();
    let mut expected = before;
    (expected.first_name, expected.email, expected.updated_at) = (None, Some("a@b.c".into()), at(5));
    assert_eq!(after, expected);
    assert_eq!(f.who(after.id).await, after);
}

async fn the_right_token_confirms(open: Open) {
    let f = Fixture::new(open);
    let id = f.create_customer(f.customer(ANN, at(0))).await.unwrap().value.id;
    let customer = f.confirm_customer(id, "123456".into(), by_api(), at(1)).await.unwrap();
    assert_eq!((customer.phone_number.as_ref(), customer.confirmed_at), (Some(&number(ANN)), Some(at(1))));
    assert_eq!(f.customer_by_number(&number(ANN)).await.unwrap(), Some(customer));
    assert_eq!(log_of(&f, ANN).await.len(), 1);
    let again = f.confirm_customer(id, "123456".into(), by_api(), at(2)).await;
    assert!(matches!(again, Err(ConfirmError::Refused(ConfirmRefusal::AlreadyConfirmed))));
    let anew = f.begin_confirmation(id, "654321".into(), at(2)).await;
    assert!(matches!(anew, Err(ConfirmError::Refused(ConfirmRefusal::AlreadyConfirmed))));
    assert_eq!(log_of(&f, ANN).await.len(), 1);
}

async fn a_wrong_token_costs_a_try_durably(open: Open) {
    let f = Fixture::new(open);
    let id = f.create_customer(f.customer(ANN, at(0))).await.unwrap().value.id;
    let wrong = f.confirm_customer(id, "000000".into(), by_api(), at(1)).await;
    let left = CONFIRMATION_TRIES - 1;
    assert!(matches!(
        wrong,
        Err(ConfirmError::Refused(ConfirmRefusal::Wrong { tries_left })) if tries_left == left
    ));
    assert_eq!(f.who(id).await.confirmation.unwrap().tries_left, left);
    assert!(log_of(&f, ANN).await.is_empty());
}

async fn a_token_ends_with_its_time_and_its_tries(open: Open) {
    let f = Fixture::new(open);
    let id = f.create_customer(f.customer(ANN, at(0))).await.unwrap().value.id;
    let late = f.confirm_customer(id, "123456".into(), by_api(), at(0).after(CONFIRMATION_LIFE)).await;
    assert!(matches!(late, Err(ConfirmError::Refused(ConfirmRefusal::Expired))));
    at_once(CONFIRMATION_TRIES as usize, |_| {
        let store = (*f).clone();
        async move { store.confirm_customer(id, "000000".into(), by_api(), at(1)).await.unwrap_err() }
    })
    .await;
    let used_up = f.confirm_customer(id, "123456".into(), by_api(), at(1)).await;
    assert!(matches!(used_up, Err(ConfirmError::Refused(ConfirmRefusal::Expired))));
    assert!(!f.who(id).await.is_confirmed());
}

async fn a_new_token_takes_the_place_of_an_older_one(open: Open) {
    let f = Fixture::new(open);
    let mut command = f.customer(ANN, at(0));
    command.token = None;
    let id = f.create_customer(command).await.unwrap().value.id;
    let none = f.confirm_customer(id, "123456".into(), by_api(), at(1)).await;
    assert!(matches!(none, Err(ConfirmError::Refused(ConfirmRefusal::NoToken))));
    f.begin_confirmation(id, "111111".into(), at(1)).await.unwrap();
    f.begin_confirmation(id, "222222".into(), at(2)).await.unwrap();
    assert!(f.confirm_customer(id, "111111".into(), by_api(), at(3)).await.is_err());
    assert!(f.confirm_customer(id, "222222".into(), by_api(), at(3)).await.unwrap().is_confirmed());
}

async fn every_opt_out_is_written_down(open: Open) {
    let f = Fixture::new(open);
    let customer_id = f.with_bot(ANN).await;
    let set = |unsubscribed, now| SetSubscription { customer_id, unsubscribed, evidence: by_api(), now };
    assert_eq!(f.set_subscription(set(true, at(1))).await.unwrap(), Subscription::Changed);
    assert_eq!(f.set_subscription(set(true, at(2))).await.unwrap(), Subscription::Already);
    assert_eq!(f.set_subscription(set(false, at(3))).await.unwrap(), Subscription::Changed);
    let log: Vec<_> = log_of(&f, ANN).await.iter().map(|line| (line.action, line.at)).collect();
    let opted_out = [1, 2].map(|second| (ConsentAction::OptedOut, at(second)));
    assert_eq!((&log[1..3], log[3]), (&opted_out[..], (ConsentAction::OptedIn, at(3))));
    assert_eq!(f.set_subscription(set(false, at(4))).await.unwrap(), Subscription::Already);
    assert_eq!(log_of(&f, ANN).await.len(), log.len());
}

async fn unsubscribing_cancels_what_is_queued_confirmations_too(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let plain = f.queue(f.by_bot(id, "1", at(1))).await;
    let confirmation = f.queue(f.by_gateway(id, "123456", at(1))).await;
    f.unsubscribe(id, at(2)).await;
    let canceled = f.get(plain).await.delivery;
    assert_eq!((canceled.status, canceled.error.unwrap().class), (Status::Canceled, ErrorClass::OptedOut));
    assert_eq!(f.status(confirmation).await, Status::Canceled);
}

async fn a_permanent_opt_out_unsubscribes(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let (first, second) = (f.queue(f.by_bot(id, "1", at(1))).await, f.queue(f.by_bot(id, "2", at(1))).await);
    let failed = f.send(first, permanent(ErrorClass::OptedOut), at(2)).await;
    assert_eq!(failed.delivery.status, Status::Failed);
    assert!(f.who(id).await.unsubscribed);
    assert_eq!(f.status(second).await, Status::Canceled);
    let line = log_of(&f, ANN).await.pop().unwrap();
    assert_eq!((line.action, line.evidence.source), (ConsentAction::OptedOut, ConsentSource::Provider));
    assert_eq!((line.evidence.message_id, line.evidence.detail.as_str()), (Some(first), "21610"));
}

async fn a_receipts_opt_out_unsubscribes(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let (first, second) = (f.queue(f.by_bot(id, "1", at(1))).await, f.queue(f.by_bot(id, "2", at(1))).await);
    f.send(first, accepted("SM1"), at(2)).await;
    let mut undelivered = receipt("SM1", ReceiptStage::Undelivered, at(3));
    undelivered.status.error = Some(error(ErrorClass::OptedOut));
    f.apply_receipt(undelivered, at(3)).await.unwrap();
    assert!(f.who(id).await.unsubscribed);
    assert_eq!((f.status(first).await, f.status(second).await), (Status::Undelivered, Status::Canceled));
    assert_eq!(log_of(&f, ANN).await.last().unwrap().evidence.source, ConsentSource::Provider);
}

async fn an_opt_out_with_the_provider_cancels_confirmations_too(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let refused = f.queue(f.by_bot(id, "1", at(1))).await;
    let confirmation = f.queue(f.by_gateway(id, "123456", at(1))).await;
    f.send(refused, permanent(ErrorClass::OptedOut), at(2)).await;
    assert_eq!(f.status(confirmation).await, Status::Canceled);
}

async fn an_opt_out_that_moves_nothing_unsubscribes_nobody(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let text = f.queue(f.by_bot(id, "1", at(1))).await;
    f.send(text, accepted("SM1"), at(2)).await;
    f.apply_receipt(receipt("SM1", ReceiptStage::Delivered, at(3)), at(3)).await.unwrap();
    let mut late = receipt("SM1", ReceiptStage::Failed, at(4));
    late.status.error = Some(error(ErrorClass::OptedOut));
    f.apply_receipt(late, at(4)).await.unwrap();
    assert!(!f.who(id).await.unsubscribed);
}

async fn an_opt_out_with_the_provider_is_logged_though_it_is_not_the_first(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let first = f.queue(f.by_bot(id, "1", at(1))).await;
    let attempt = f.begin(first, at(1)).await;
    f.unsubscribe(id, at(2)).await;
    let lines = log_of(&f, ANN).await.len();
    f.settle(first, attempt, permanent(ErrorClass::OptedOut), at(3)).await.unwrap();
    let log = log_of(&f, ANN).await;
    let last = log.last().unwrap();
    assert_eq!((log.len(), last.action, last.at), (lines + 1, ConsentAction::OptedOut, at(3)));
    assert_eq!(last.evidence.source, ConsentSource::Provider);
}

async fn nobody_unknown_is_changed(open: Open) {
    let f = Fixture::new(open);
    let id = CustomerId(f.id());
    let command = SetSubscription { customer_id: id, unsubscribed: true, evidence: by_api(), now: at(0) };
    assert!(matches!(f.set_subscription(command).await, Err(CustomerError::NotFound)));
    assert!(matches!(
        f.update_customer(id, CustomerPatch::default(), at(0)).await,
        Err(CustomerError::NotFound)
    ));
    assert!(matches!(f.begin_confirmation(id, "1".into(), at(0)).await, Err(ConfirmError::NotFound)));
    assert!(matches!(f.confirm_customer(id, "1".into(), by_api(), at(0)).await, Err(ConfirmError::NotFound)));
    assert!(matches!(f.erase_customer(id, at(0)).await, Err(CustomerError::NotFound)));
    assert_eq!(Option::None, switchboard::store::Store::customer(&**f, id).await.unwrap());
}
