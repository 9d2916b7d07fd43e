//! A whole store as records, and back: nothing is lost on the way, and work goes on where it stood.

use switchboard::domain::customer::NumberHash;
use switchboard::domain::delivery::{ErrorClass, ReceiptStage, Status};
use switchboard::domain::endpoint::Delivery;
use switchboard::domain::ids::{CustomerId, MessageId, TokenId};
use switchboard::domain::message::Message;
use switchboard::domain::pause::{Pause, PauseScope};
use switchboard::domain::time::Timestamp;
use switchboard::store::export::{Export, ImportError, Lines, ReadError, Reader, Record, Summary, VERSION};
use switchboard::store::{
    AdvanceEndpoint, Alive, CreateCustomerError, Inbound, ReceiptOutcome, Store, Token, TokenRole, TurnClaim,
    TurnFailure,
};
use uuid::Uuid;

use crate::engines::{self, Open};
use crate::fixture::{
    ANN, BOB, CLEO, Fixture, HERE, accepted, all, at, key, lane, number, permanent, receipt, texts,
    transient, unknown,
};

on_every_engine! {
    what_was_imported_is_exported_again_line_for_line,
    work_goes_on_in_the_copy_where_it_stood,
    exports_of_every_version_are_imported,
    an_export_shows_the_moment_of_its_beginning,
    an_export_of_a_store_whose_daemon_died_counts_as_of_one_that_runs,
    an_export_sees_everything_that_was_answered_before_it,
    an_import_needs_an_empty_store,
    nothing_is_imported_before_an_import_has_begun,
    a_record_that_belongs_to_nothing_is_refused_by_its_place,
    a_record_that_comes_twice_is_refused,
    what_is_created_in_the_copy_comes_after_what_was_copied,
}

const ALIVE: Alive = Alive { at: Timestamp::from_millis(1_700_000_000_000), clean: false };

/// All that is left of an export.
async fn records_of(mut export: Box<dyn Export>) -> Vec<Record> {
    let mut records = Vec::new();
    loop {
        let some = export.next().await.unwrap();
        if some.is_empty() {
            return records;
        }
        records.extend(some);
    }
}

/// The store as a file.
pub async fn file_of(store: &dyn Store) -> Vec<u8> {
    written(Lines::of(store.export().await.unwrap(), at(0))).await
}

async fn written(mut lines: Lines) -> Vec<u8> {
    let mut file = Vec::new();
    while let Some(chunk) = lines.next().await.unwrap() {
        file.extend(chunk);
    }
    file
}

/// Reads a file, in pieces that no line fits.
pub fn read(file: &[u8]) -> Result<(Vec<Record>, Summary), ReadError> {
    let (mut reader, mut records) = (Reader::default(), Vec::new());
    file.chunks(97).try_for_each(|piece| reader.read(piece, &mut records))?;
    Ok((records, reader.finish()?))
}

/// Fills an empty store with the file's contents, a few records at a time.
pub async fn fill(store: &dyn Store, file: &[u8]) {
    let (records, _) = read(file).unwrap();
    store.begin_import().await.unwrap();
    for some in records.chunks(7) {
        store.import(some.to_vec()).await.unwrap();
    }
    store.end_import().await.unwrap();
}

async fn an_export_of_a_store_whose_daemon_died_counts_as_of_one_that_runs(open: Open) {
    let f = Fixture::new(open);
    let is_running = async || read(&file_of(&**f).await).unwrap().1.header.running;
    assert!(!is_running().await, "there never was a daemon");
    f.mark_alive(Alive { clean: false, ..ALIVE }).await.unwrap();
    assert!(is_running().await);
    f.mark_alive(Alive { clean: true, ..ALIVE }).await.unwrap();
    assert!(!is_running().await);
    let lines = Lines::of_running(f.export().await.unwrap(), at(0));
    assert!(read(&written(lines).await).unwrap().1.header.running);
}

/// The records' lines: what stands around them names the engine.
fn bare(file: &[u8]) -> Vec<&str> {
    let lines: Vec<&str> = std::str::from_utf8(file).unwrap().lines().collect();
    lines[1..lines.len() - 1].to_vec()
}

/// Something of every kind, and of every state that matters.
async fn busy(open: Open) -> Fixture {
    let f = Fixture::new(open);
    // Ann is with the agents; texts of hers are delivered, in hand, and waiting.
    let ann = f.with_agents(ANN).await;
    let delivered = f.queue(f.by_agent(ann, "delivered", at(1))).await;
    f.send(delivered, accepted("SM1"), at(2)).await;
    f.apply_receipt(receipt("SM1", ReceiptStage::Delivered, at(3)), at(3)).await.unwrap();
    let sending = f.queue(f.by_agent(ann, "in hand", at(4))).await;
    f.begin(sending, at(4)).await;
    let mut command = f.by_agent(ann, "waits", at(5));
    command.idempotency = Some(key("desk", "k1", 1));
    f.queue(command).await;
    // Bob is with the bot: one turn is over, one in hand, one waits; one text is of unknown fate, one failed.
    let bob = f.with_bot(BOB).await;
    let work = f.claim(at(6)).await;
    f.complete_turn(f.completion(&work, texts(&["lost on its way", "refused", "later"]), at(6)))
        .await
        .unwrap();
    let queue: Vec<MessageId> = said(&f, bob).await.iter().rev().skip(1).map(|message| message.id).collect();
    f.send(queue[0], unknown(at(60)), at(7)).await;
    f.resolve(queue[0], switchboard::domain::delivery::Evidence::CannotTell, at(61)).await.unwrap();
    f.send(queue[1], permanent(ErrorClass::Permanent), at(62)).await;
    f.send(queue[2], transient(at(100)), at(63)).await;
    f.hear(f.text(BOB, "one", at(64))).await;
    f.hear(f.text(BOB, "two", at(65))).await;
    // One of Ann's session, one of Bob's.
    f.claim(at(65)).await;
    f.claim(at(65)).await;
    // Cleo opted out and was erased. Somebody else is not confirmed. Tokens, and a receipt for nobody yet.
    let cleo = f.with_bot(CLEO).await;
    f.unsubscribe(cleo, at(66)).await;
    f.erase_customer(cleo, at(67)).await.unwrap();
    let mut dora = f.customer("+14155550104", at(68));
    dora.idempotency = Some(key("desk", "k2", 2));
    f.create_customer(dora).await.unwrap();
    f.mark_alive(ALIVE).await.unwrap();
    for scope in [PauseScope::Sender(lane()), PauseScope::Account { channel: lane().channel }] {
        f.keep_pause(Pause { scope, until: at(1000), reason: "20429".into(), tries: 2 }).await.unwrap();
    }
    // Somebody was told of it, and of the third event in vain.
    let in_vain = Delivery {
        endpoint: "crm".into(),
        place: 3,
        attempts: 1,
        next_at: Some(at(75)),
        last_error: "it answered 503".into(),
        created_at: at(68),
    };
    let told = AdvanceEndpoint {
        name: "crm".into(),
        position: 9,
        in_vain: vec![in_vain],
        reached: None,
        now: at(68),
    };
    f.advance_endpoint(told).await.unwrap();
    f.mint_token(token(1)).await.unwrap();
    f.mint_token(token(2)).await.unwrap();
    f.revoke_token(token(2).id, at(69)).await.unwrap();
    f.apply_receipt(receipt("SM9", ReceiptStage::Sent, at(70)), at(70)).await.unwrap();
    f.apply_receipt(receipt("SM9", ReceiptStage::Delivered, at(71)), at(71)).await.unwrap();
    f
}

fn token(id: u8) -> Token {
    Token {
        id: TokenId(Uuid::from_u128(u128::from(id))),
        name: format!("token {id}"),
        role: TokenRole::Admin,
        sha256: [id; 32],
        created_at: at(0),
        revoked_at: None,
    }
}

/// The newest first.
async fn said(f: &Fixture, customer: CustomerId) -> Vec<Message> {
    let session = f.talk(customer).await;
    f.messages_of(session.id, all()).await.unwrap().items
}

async fn by_number(f: &Fixture, of: &str) -> CustomerId {
    f.customer_by_number(&number(of)).await.unwrap().unwrap().id
}

async fn what_was_imported_is_exported_again_line_for_line(open: Open) {
    for from in [engines::memory as Open, engines::sled, engines::fjall, open] {
        let file = file_of(&**busy(from).await).await;
        let (_, summary) = read(&file).unwrap();
        assert!(summary.trailer.counts.values().all(|count| *count > 0), "{:?}", summary.trailer.counts);
        let copy = Fixture::new(open);
        fill(&**copy, &file).await;
        let again = file_of(&**copy).await;
        assert_eq!(bare(&again), bare(&file));
    }
}

async fn exports_of_every_version_are_imported(open: Open) {
    for version in 1..=VERSION {
        let file = std::fs::read(format!("tests/fixtures/exports/v{version}.ndjson")).unwrap();
        let copy = Fixture::new(open);
        fill(&**copy, &file).await;
        let (records, _) = read(&file).unwrap();
        assert_eq!(records_of(copy.export().await.unwrap()).await, records);
    }
}

async fn work_goes_on_in_the_copy_where_it_stood(open: Open) {
    let origin = busy(engines::memory).await;
    let f = Fixture::under(open, crate::fixture::rules());
    f.skip_ids_of(&origin);
    fill(&**f, &file_of(&**origin).await).await;
    let (ann, bob) = (by_number(&f, ANN).await, by_number(&f, BOB).await);
    // What another process was sending is looked for; what waits behind it leaves once it is settled.
    assert_eq!(f.head(at(99)).await, None);
    assert_eq!(f.abandon_attempts("another", at(99)).await.unwrap(), 1);
    let doubted = f.unknown_due(at(99), 10).await.unwrap();
    assert_eq!(doubted.iter().map(|message| message.content.as_str()).collect::<Vec<_>>(), ["in hand"]);
    let outcome = f.apply_receipt(named(doubted[0].id, "SM5"), at(99)).await.unwrap();
    assert_eq!(outcome, ReceiptOutcome::Advanced(doubted[0].id, Status::Sent));
    let waits = f.head(at(99)).await.unwrap();
    assert_eq!(f.get(waits).await.content, "waits");
    // The receipts that were parked are applied.
    assert_eq!(f.send(waits, accepted("SM9"), at(99)).await.delivery.status, Status::Delivered);
    // A receipt finds its message, a repeat is known, and so is a repeated request.
    let late = f.apply_receipt(receipt("SM1", ReceiptStage::Sent, at(99)), at(99)).await.unwrap();
    assert!(matches!(late, ReceiptOutcome::Stale(_)), "{late:?}");
    let heard = &said(&f, bob).await[0];
    let mut repeat = f.text(BOB, "two", at(99));
    repeat.text.provider_id.clone_from(&heard.delivery.provider_ids[0]);
    assert_eq!(f.record_inbound(repeat).await.unwrap(), Inbound::Duplicate { message_id: heard.id });
    let mut again = f.by_agent(ann, "waits", at(99));
    again.idempotency = Some(key("desk", "k1", 1));
    assert!(f.create_message(again).await.unwrap().replayed);
    // The turn in hand is told again, and the one after it follows.
    assert_eq!(f.claim_turn(HERE, at(99)).await.unwrap(), TurnClaim::Idle);
    assert_eq!(f.release_turns("another", at(98)).await.unwrap(), 2);
    assert_eq!(f.claim(at(99)).await.customer.id, ann);
    let one = f.claim(at(99)).await;
    assert_eq!((one.message.as_ref().unwrap().content.as_str(), one.turn.number), ("one", Some(2)));
    let failure = TurnFailure::GiveUp { reason: "it is down".into(), fallback: None };
    f.fail_turn(one.turn.id, one.turn.attempts, failure, at(99)).await.unwrap();
    assert!(f.talk(bob).await.need_attention);
    assert_eq!(f.last_alive().await.unwrap(), Some(ALIVE));
    // What rests goes on resting.
    assert_eq!(f.pauses(at(99)).await.unwrap().len(), 2);
    // Whoever opted out stays so, and access is what it was.
    let cleo = f.create_customer(f.customer(CLEO, at(99))).await.unwrap().value;
    assert!(cleo.unsubscribed);
    assert_eq!(f.consent_log(NumberHash::of(&number(CLEO))).await.unwrap().len(), 2);
    assert_eq!(f.token_by_hash([1; 32]).await.unwrap(), Some(token(1)));
    assert_eq!(f.token_by_hash([2; 32]).await.unwrap(), None);
}

fn named(message_id: MessageId, provider_id: &str) -> switchboard::store::Receipt {
    switchboard::store::Receipt {
        message_id: Some(message_id),
        ..receipt(provider_id, ReceiptStage::Sent, at(99))
    }
}

async fn an_export_shows_the_moment_of_its_beginning(open: Open) {
    let f = busy(open).await;
    let expected = records_of(f.export().await.unwrap()).await;
    let mut export = f.export().await.unwrap();
    let mut seen = Vec::new();
    for round in 0.. {
        // Everything changes meanwhile: texts come and go, people are erased and made.
        let (ann, now) = (by_number(&f, ANN).await, at(100 + round));
        f.hear(f.text(ANN, "again", now)).await;
        f.queue(f.by_agent(ann, "and again", now)).await;
        f.abandon_attempts("another", now).await.unwrap();
        f.mint_token(token(u8::try_from(100 + round).unwrap())).await.unwrap();
        if round % 2 == 1 {
            f.erase_customer(ann, now).await.unwrap();
            f.with_agents(ANN).await;
        }
        let some = export.next().await.unwrap();
        if some.is_empty() {
            break;
        }
        seen.extend(some);
    }
    assert_eq!(seen, expected);
}

async fn an_export_sees_everything_that_was_answered_before_it(open: Open) {
    let f = Fixture::new(open);
    for count in 0..5 {
        let id = f.with_agents(&format!("+1415555010{count}")).await;
        let message = f.queue(f.by_agent(id, "hello", at(1))).await;
        let records = records_of(f.export().await.unwrap()).await;
        let is_it =
            |record: &Record| matches!(record, Record::Message { message: seen, .. } if seen.id == message);
        assert!(records.iter().any(is_it));
    }
}

async fn an_import_needs_an_empty_store(open: Open) {
    let f = Fixture::new(open);
    f.with_bot(ANN).await;
    assert!(matches!(f.begin_import().await, Err(ImportError::NotEmpty)));
    // One that is half imported is not empty either.
    let f = Fixture::new(open);
    f.begin_import().await.unwrap();
    f.import(vec![Record::Token { token: token(1) }]).await.unwrap();
    assert!(matches!(f.begin_import().await, Err(ImportError::NotEmpty)));
}

async fn nothing_is_imported_before_an_import_has_begun(open: Open) {
    let f = Fixture::new(open);
    let records = vec![Record::Token { token: token(1) }];
    assert!(matches!(f.import(records.clone()).await, Err(ImportError::NotBegun)));
    assert!(matches!(f.end_import().await, Err(ImportError::NotBegun)));
    f.begin_import().await.unwrap();
    f.end_import().await.unwrap();
    assert!(matches!(f.import(records).await, Err(ImportError::NotBegun)));
    assert_eq!(f.tokens().await.unwrap(), []);
}

async fn a_record_that_belongs_to_nothing_is_refused_by_its_place(open: Open) {
    let records = records_of(busy(engines::memory).await.export().await.unwrap()).await;
    for missing in ["customer", "session", "message"] {
        let f = Fixture::new(open);
        f.begin_import().await.unwrap();
        let mut without: Vec<Record> = records.clone();
        without.retain(|record| record.kind() != missing);
        let refused = f.import(without.clone()).await;
        let Err(ImportError::Refused { at, reason }) = refused else { panic!("{missing}: {refused:?}") };
        assert!(reason.ends_with("is missing") || reason.contains("is missing, or"), "{reason}");
        let expected = match missing {
            "customer" => "session",
            "session" => "message",
            _ => "outbound_id",
        };
        assert_eq!(without[at].kind(), expected);
    }
}

async fn a_record_that_comes_twice_is_refused(open: Open) {
    let records = records_of(busy(engines::memory).await.export().await.unwrap()).await;
    for (place, twice) in records.iter().enumerate() {
        // A log may say a thing twice, a number is on a list or not, and of the others the last counts.
        if matches!(
            twice,
            Record::Consent { .. } | Record::Suppression { .. } | Record::Pause { .. } | Record::Alive { .. }
        ) {
            continue;
        }
        let f = Fixture::new(open);
        f.begin_import().await.unwrap();
        f.import(records[..=place].to_vec()).await.unwrap();
        let refused = f.import(vec![twice.clone()]).await;
        assert!(matches!(refused, Err(ImportError::Refused { at: 0, .. })), "{twice:?}: {refused:?}");
    }
}

async fn what_is_created_in_the_copy_comes_after_what_was_copied(open: Open) {
    let origin = busy(engines::sled).await;
    let f = Fixture::new(open);
    f.skip_ids_of(&origin);
    fill(&**f, &file_of(&**origin).await).await;
    let before = f.customers(all()).await.unwrap().items.len();
    let new = f.create_customer(f.customer("+14155550199", at(99))).await.unwrap();
    let customers = f.customers(all()).await.unwrap().items;
    assert_eq!(customers[before].id, new.value.id);
    let taken = f.create_customer(f.customer(BOB, at(99))).await;
    assert!(matches!(taken, Err(CreateCustomerError::NumberTaken(_))), "{taken:?}");
    let ann = by_number(&f, ANN).await;
    f.abandon_attempts("another", at(99)).await.unwrap();
    let in_hand = f.unknown_due(at(99), 1).await.unwrap()[0].id;
    f.apply_receipt(named(in_hand, "SM5"), at(99)).await.unwrap();
    let last = f.queue(f.by_agent(ann, "last", at(99))).await;
    let first = f.head(at(99)).await.unwrap();
    assert_ne!(first, last);
    f.send(first, accepted("SM6"), at(99)).await;
    assert_eq!(f.head(at(99)).await, Some(last));
}
