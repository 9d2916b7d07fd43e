//! The log of events: what each command tells, once and in order; and how it is read, resumed and cut off.

use std::time::Duration;

use switchboard::domain::conversation::{BotPolicy, LoopGuard, Policy, Refusal, SessionPatch};
use switchboard::domain::delivery::{ErrorClass, Evidence, ReceiptStage, Status};
use switchboard::domain::event::{Event, MessageChange, What};
use switchboard::domain::ids::{MessageId, TurnId};
use switchboard::domain::pause::{Pause, PauseScope};
use switchboard::domain::time::Timestamp;
use switchboard::domain::turn::TurnState;
use switchboard::store::{
    CreateMessageError, CustomerPatch, EventsError, InHand, Inbound, Logged, SettleError, TurnFailure,
};

use crate::engines::{Open, fjall_at, sled_at};
use crate::export::{file_of, fill};
use crate::fixture::{
    ANN, BOB, CLEO, Fixture, HERE, IDLE_AFTER, accepted, all, assignment, at, at_once, by_api, hand_off, key,
    lane, permanent, receipt, rules, texts, transient, unknown,
};

on_every_engine! {
    a_customer_is_told_of_in_every_step,
    a_session_is_told_of_when_what_is_shown_of_it_changes,
    a_message_is_told_of_as_it_gets_on,
    what_went_wrong_with_a_turn_is_told,
    who_is_called_no_more_or_again_is_told,
    what_changes_nothing_is_told_to_nobody,
    a_command_that_fails_tells_nothing,
    what_the_bot_texts_in_vain_is_told_and_changes_nothing,
    a_bot_that_texts_too_often_hands_over,
    an_answer_of_too_many_texts_hands_over_and_none_of_it_is_sent,
    the_loop_guard_forgets_with_time_and_counts_nobody_elses_texts,
    one_command_tells_each_thing_once,
    people_are_told_of_before_sessions_before_messages,
    places_are_gapless_whoever_asks_at_once,
    an_events_id_says_its_place_and_sorts_by_time,
    with_an_event_comes_what_it_is_about_as_that_is_now,
    read_in_pages_it_is_the_same_as_at_once,
    what_is_not_kept_and_what_was_not_reached_is_forgotten,
    the_oldest_are_pruned_and_never_the_newest,
    what_was_erased_or_pruned_is_not_in_what_is_read,
    nothing_said_and_nobodys_name_or_number_is_in_an_event,
    the_news_show_the_newest_place,
    an_import_tells_nothing,
}

const NOBODY: [&str; 0] = [];

fn guarded(texts: usize, seconds: u64) -> Policy {
    let guard = LoopGuard { texts, within: Duration::from_secs(seconds) };
    Policy { bot: BotPolicy { loop_guard: Some(guard), ..BotPolicy::default() }, ..rules() }
}

async fn logged(f: &Fixture, after: u64) -> Vec<Logged> {
    f.events(after, usize::MAX).await.unwrap()
}

async fn a_customer_is_told_of_in_every_step(open: Open) {
    let f = Fixture::new(open);
    let id = f.create_customer(f.customer(ANN, at(0))).await.unwrap().value.id;
    assert_eq!(f.names(0).await, ["customer.created", "customer.verification"]);
    let from = f.place().await;
    let patch = CustomerPatch { email: Some(Some("ann@example.com".into())), ..CustomerPatch::default() };
    f.update_customer(id, patch.clone(), at(1)).await.unwrap();
    assert_eq!(f.names(from).await, ["customer.updated"]);
    f.update_customer(id, patch, at(2)).await.unwrap();
    assert_eq!(f.place().await, from + 1, "it says what was known");
    f.begin_confirmation(id, "654321".into(), at(3)).await.unwrap();
    assert!(f.confirm_customer(id, "123456".into(), by_api(), at(4)).await.is_err());
    assert_eq!(f.names(from + 1).await, ["customer.verification"], "a wrong token is nobody's business");
    f.confirm_customer(id, "654321".into(), by_api(), at(5)).await.unwrap();
    f.unsubscribe(id, at(6)).await;
    f.unsubscribe(id, at(7)).await;
    f.hear(f.text(ANN, "START", at(8))).await;
    f.erase_customer(id, at(9)).await.unwrap();
    let expected = [
        "customer.verification",
        "customer.unsubscribed",
        "customer.subscribed",
        "session.created",
        "message.created",
        "customer.erased",
    ];
    assert_eq!(f.names(from + 2).await, expected);
    assert!(f.told(0).await.iter().all(|what| what.customer_id() == Some(id)));
}

async fn a_session_is_told_of_when_what_is_shown_of_it_changes(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    assert_eq!(f.names(0).await, ["customer.created", "session.created", "message.created"]);
    let from = f.place().await;
    f.hear(f.text(ANN, "hello?", at(1))).await;
    assert_eq!(f.names(from).await, ["message.created"], "what is said is its message's to tell");
    let state = SessionPatch { bot_state: Some("{}".into()), ..SessionPatch::default() };
    f.update_session(f.update(id, state, at(2))).await.unwrap();
    assert_eq!(f.place().await, from + 1, "the bot's own affair");
    let tags = SessionPatch { tags: Some(vec!["vip".into()]), ..SessionPatch::default() };
    f.update_session(f.update(id, tags, at(3))).await.unwrap();
    f.hold(id, at(4)).await;
    f.queue(f.by_agent(id, "hi", at(5))).await;
    f.queue(f.by_agent(id, "hi again", at(6))).await;
    f.hear(f.text(ANN, "hi", at(7))).await;
    f.let_go(id, at(8)).await;
    let expected = [
        "session.updated",
        "session.updated",
        // Answered, and so waiting no longer; the second time nothing of that changes.
        "session.updated",
        "message.created",
        "message.created",
        "session.updated",
        "message.created",
        "session.updated",
    ];
    assert_eq!(f.names(from + 1).await, expected);
    let session = f.talk(id).await;
    let What::Session { session: told, .. } = f.told(f.place().await - 1).await.remove(0) else { panic!() };
    assert_eq!(
        (told.id, told.version, told.need_attention, told.bot_state),
        (session.id, session.version, false, None)
    );
    assert_eq!((told.tags.len(), session.tags.len()), (0, 1), "what somebody put into words is in no event");
}

async fn a_message_is_told_of_as_it_gets_on(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let [sent, lost, failed, canceled, late] = {
        let mut ids = [MessageId(f.id()); 5];
        for queued in &mut ids {
            let mut command = f.by_bot(id, "hi", at(1));
            command.text.valid_for = Duration::from_secs(100);
            *queued = f.queue(command).await;
        }
        ids
    };
    let from = f.place().await;
    f.send(sent, transient(at(2)), at(1)).await;
    assert_eq!(f.names(from).await, NOBODY, "it is where it was");
    f.send(sent, accepted("SM1"), at(2)).await;
    f.apply_receipt(receipt("SM1", ReceiptStage::Delivered, at(3)), at(3)).await.unwrap();
    assert_eq!(f.names(from).await, ["delivery.sent", "delivery.delivered", "message.updated"]);
    let from = f.place().await;
    f.send(lost, unknown(at(5)), at(4)).await;
    f.resolve(lost, Evidence::NotYet { look_at: at(6) }, at(5)).await.unwrap();
    f.resolve(lost, Evidence::CannotTell, at(6)).await.unwrap();
    f.resend_message(lost, Duration::from_secs(100), at(7)).await.unwrap();
    f.send(lost, unknown(at(9)), at(8)).await;
    f.resolve(lost, Evidence::Found { provider_id: "SM2".into() }, at(9)).await.unwrap();
    let expected =
        ["delivery.unknown", "delivery.held", "delivery.queued", "delivery.unknown", "delivery.sent"];
    assert_eq!(f.names(from).await, expected);
    let from = f.place().await;
    f.send(failed, permanent(ErrorClass::Permanent), at(10)).await;
    f.cancel_message(canceled, at(11)).await.unwrap();
    f.sweep(at(1000), 9).await.unwrap();
    assert_eq!(f.names(from).await, ["delivery.failed", "delivery.canceled", "delivery.expired"]);
    let What::Message { id: told, now, change, .. } = f.told(from + 2).await.remove(0) else { panic!() };
    assert_eq!((told, change, now.status), (late, MessageChange::Delivery, Status::Expired));
    let first = f.event(from + 1).await.unwrap().unwrap();
    let What::Message { now, .. } = first.event.what else { panic!() };
    assert_eq!(now.error.map(|error| error.class), Some(ErrorClass::Permanent));
}

async fn what_went_wrong_with_a_turn_is_told(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let work = f.claim(at(0)).await;
    let from = f.place().await;
    f.fail_turn(work.turn.id, 1, TurnFailure::RetryAt(at(1)), at(1)).await.unwrap();
    f.fail_turn(f.claim(at(1)).await.turn.id, 2, TurnFailure::PutOff(at(2)), at(1)).await.unwrap();
    let again = f.claim(at(2)).await;
    assert_eq!(f.names(from).await, NOBODY, "it is tried again");
    let given_up = TurnFailure::GiveUp { reason: "bot-unreachable".into(), fallback: None };
    f.fail_turn(again.turn.id, 3, given_up, at(3)).await.unwrap();
    assert_eq!(f.names(from).await, ["session.updated", "bot.failed"]);
    f.let_go(id, at(4)).await;
    let back = f.claim(at(4)).await;
    let from = f.place().await;
    f.unsubscribe(id, at(5)).await;
    f.answer(&back, texts(&["hi", "again"]), at(6)).await;
    let What::BotRefused { reason, texts, turn_id, .. } = f.told(from + 1).await.remove(0) else { panic!() };
    assert_eq!((reason.as_str(), texts, turn_id), ("customer-unsubscribed", 2, Some(back.turn.id)));
}

async fn who_is_called_no_more_or_again_is_told(open: Open) {
    let f = Fixture::new(open);
    for (name, stopped, again) in
        [("bot", "bot.disabled", "bot.enabled"), ("crm", "webhook.disabled", "webhook.enabled")]
    {
        let from = f.place().await;
        f.switch_endpoint(name, None, at(0)).await.unwrap();
        f.switch_endpoint(name, Some("it is gone".into()), at(1)).await.unwrap();
        f.switch_endpoint(name, Some("it is gone for good".into()), at(2)).await.unwrap();
        f.switch_endpoint(name, None, at(3)).await.unwrap();
        f.switch_endpoint(name, None, at(4)).await.unwrap();
        assert_eq!(f.names(from).await, [stopped, again]);
        let reason = "it is gone".to_owned();
        assert_eq!(f.told(from).await[0], What::Disabled { endpoint: name.into(), reason });
    }
}

async fn what_changes_nothing_is_told_to_nobody(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let mut repeated = f.by_bot(id, "1", at(1));
    repeated.idempotency = Some(key("bot", "k", 1));
    let text = f.queue(repeated.clone()).await;
    let mut heard = f.text(ANN, "2", at(1));
    heard.text.provider_id = "IN".into();
    f.hear(heard.clone()).await;
    let from = f.place().await;

    f.queue(repeated).await;
    assert!(matches!(f.record_inbound(heard).await.unwrap(), Inbound::Duplicate { .. }));
    f.let_go(id, at(2)).await;
    assert!(f.postpone(text, at(3), at(2)).await.unwrap());
    f.begin(text, at(3)).await;
    f.reclaim(HERE, InHand::default(), at(4)).await.unwrap();
    f.apply_receipt(receipt("SM7", ReceiptStage::Sent, at(4)), at(4)).await.unwrap();
    let work = f.claim(at(4)).await;
    f.reclaim(HERE, InHand::default(), at(5)).await.unwrap();
    f.answer(&f.claim(at(5)).await, texts(&[]), at(5)).await;
    assert!(f.replay_turn(work.turn.id, TurnId(f.id()), at(5)).await.is_ok());
    let scope = PauseScope::Sender(lane());
    f.keep_pause(Pause { scope, until: at(9), reason: "20429".into(), tries: 1 }).await.unwrap();
    f.attend(vec![TurnId(f.id())], at(6)).await.unwrap();
    f.sweep(at(6), 9).await.unwrap();
    f.prune(at(0), None, 9, at(6)).await.unwrap();
    f.prune_events(at(0), 9, at(6)).await.unwrap();
    assert_eq!(f.names(from).await, NOBODY);

    f.send(text, accepted("SM1"), at(7)).await;
    assert_eq!(f.names(from).await, ["delivery.sent"]);
    f.apply_receipt(receipt("SM1", ReceiptStage::Sent, at(8)), at(8)).await.unwrap();
    assert_eq!(f.place().await, from + 1, "it was known to be sent");
}

async fn a_command_that_fails_tells_nothing(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let text = f.queue(f.by_bot(id, "1", at(1))).await;
    let work = f.claim(at(1)).await;
    let from = f.place().await;
    assert!(f.create_customer(f.customer(ANN, at(2))).await.is_err());
    assert!(f.create_message(f.by_agent(id, "hi", at(2))).await.is_err());
    assert!(matches!(f.settle(text, 1, accepted("SM1"), at(2)).await, Err(SettleError::Stale)));
    let mut stale = f.completion(&work, hand_off(&["hi"]), at(2));
    stale.attempt += 1;
    assert!(f.complete_turn(stale).await.is_err());
    assert!(f.assign_session(assignment(id, Some("desk"), "desk", at(2))).await.is_err());
    assert!(f.replay_turn(work.turn.id, TurnId(f.id()), at(2)).await.is_err());
    let nobody = switchboard::domain::ids::CustomerId(f.id());
    assert!(f.create_message(f.by_bot(nobody, "hi", at(2))).await.is_err());
    assert!(f.erase_customer(nobody, at(2)).await.is_err());
    assert_eq!(f.names(from).await, NOBODY);
    f.queue(f.by_bot(id, "2", at(3))).await;
    assert_eq!(logged(&f, from).await[0].event.place, from + 1, "nor does it leave a gap");
}

async fn refused(f: &Fixture, command: switchboard::store::CreateMessage) -> Refusal {
    match f.create_message(command).await {
        Err(CreateMessageError::Refused(refusal)) => refusal,
        other => panic!("it was not refused: {other:?}"),
    }
}

async fn what_the_bot_texts_in_vain_is_told_and_changes_nothing(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_agents(ANN).await;
    let (session, counts, from) = (f.talk(id).await, f.counts().await.unwrap(), f.place().await);
    assert_eq!(refused(&f, f.by_bot(id, "hi", at(1))).await, Refusal::SessionHeld);
    let expected = What::BotRefused {
        session_id: Some(session.id),
        customer_id: id,
        turn_id: None,
        reason: "session-held".into(),
        texts: 1,
    };
    assert_eq!(f.told(from).await, [expected]);
    assert_eq!((f.talk(id).await, f.counts().await.unwrap()), (session, counts));
    // A customer without a session has none that it could be told of.
    let new = f.create_customer(f.customer(BOB, at(2))).await.unwrap().value.id;
    let from = f.place().await;
    assert_eq!(refused(&f, f.by_bot(new, "hi", at(3))).await, Refusal::CustomerUnconfirmed);
    let told = f.told(from).await;
    assert!(
        matches!(&told[..], [What::BotRefused { session_id: None, customer_id, .. }] if *customer_id == new)
    );
    assert_eq!(f.newest_session(new).await.unwrap(), None);
}

async fn a_bot_that_texts_too_often_hands_over(open: Open) {
    let f = Fixture::under(open, guarded(2, 60));
    let id = f.with_bot(ANN).await;
    let first = f.queue(f.by_bot(id, "1", at(1))).await;
    let second = f.queue(f.by_bot(id, "2", at(2))).await;
    f.send(first, accepted("SM1"), at(2)).await;
    let from = f.place().await;
    assert_eq!(refused(&f, f.by_bot(id, "3", at(3))).await, Refusal::LoopGuard);
    let session = f.talk(id).await;
    assert_eq!((session.need_attention, session.waiting_since), (true, Some(at(3))));
    assert_eq!(session.attention_reason.as_deref(), Some("loop_guard"));
    assert_eq!((f.status(first).await, f.status(second).await), (Status::Sent, Status::Canceled));
    assert_eq!(f.names(from).await, ["session.updated", "delivery.canceled", "bot.refused"]);
    assert_eq!(f.counts().await.unwrap().turns_open, 0, "the bot is not asked any more");
    // From now on agents have it, as after any other switch.
    assert_eq!(refused(&f, f.by_bot(id, "4", at(100))).await, Refusal::SessionHeld);
}

async fn an_answer_of_too_many_texts_hands_over_and_none_of_it_is_sent(open: Open) {
    let f = Fixture::under(open, guarded(2, 60));
    let id = f.with_bot(ANN).await;
    let work = f.claim(at(1)).await;
    let from = f.place().await;
    let done = f.answer(&work, texts(&["1", "2", "3"]), at(1)).await;
    assert_eq!((done.refused, done.messages.len()), (Some(Refusal::LoopGuard), 0));
    assert_eq!(
        f.turn(work.turn.id).await.unwrap().unwrap().state,
        TurnState::Refused { reason: "loop-guard".into() }
    );
    let session = f.talk(id).await;
    assert_eq!((session.need_attention, session.message_count), (true, 1));
    assert_eq!(f.names(from).await, ["session.updated", "bot.refused"]);
    // Nothing of what was refused is counted.
    f.let_go(id, at(2)).await;
    let back = f.claim(at(2)).await;
    assert_eq!(f.answer(&back, texts(&["1", "2"]), at(2)).await.refused, None);
}

async fn the_loop_guard_forgets_with_time_and_counts_nobody_elses_texts(open: Open) {
    let f = Fixture::under(open, guarded(1, 60));
    let (ann, bob) = (f.with_bot(ANN).await, f.with_bot(BOB).await);
    f.queue(f.by_bot(ann, "1", at(1))).await;
    f.queue(f.by_bot(bob, "1", at(1))).await;
    f.queue(f.by_gateway(ann, "2", at(1))).await;
    f.queue(f.by_bot(ann, "3", at(61))).await;
    assert_eq!(refused(&f, f.by_bot(ann, "4", at(62))).await, Refusal::LoopGuard);
    f.queue(f.by_agent(ann, "5", at(63))).await;
    f.queue(f.by_agent(ann, "6", at(63))).await;
    assert!(!f.talk(bob).await.need_attention);
}

async fn one_command_tells_each_thing_once(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let text = f.queue(f.by_bot(id, "1", at(1))).await;
    f.apply_receipt(receipt("SM1", ReceiptStage::Sent, at(1)), at(1)).await.unwrap();
    f.apply_receipt(receipt("SM1", ReceiptStage::Delivered, at(1)), at(1)).await.unwrap();
    let from = f.place().await;
    let sent = f.send(text, accepted("SM1"), at(2)).await;
    assert_eq!(sent.delivery.status, Status::Delivered);
    assert_eq!(f.names(from).await, ["delivery.delivered", "message.updated"]);
    // The session and the customer are written several times, and told of once; so is a text that is canceled by two rules.
    let waiting = f.queue(f.by_bot(id, "2", at(3))).await;
    let from = f.place().await;
    let mut stop = f.text(ANN, "STOP", at(4));
    stop.text.replies.stop = Some("bye".into());
    f.hear(stop).await;
    let expected = ["customer.unsubscribed", "delivery.canceled", "message.created", "message.created"];
    assert_eq!(f.names(from).await, expected);
    assert_eq!(f.status(waiting).await, Status::Canceled);
}

async fn people_are_told_of_before_sessions_before_messages(open: Open) {
    let f = Fixture::new(open);
    let (ann, bob) = (f.with_bot(ANN).await, f.with_bot(BOB).await);
    for id in [bob, ann, bob, ann] {
        let mut command = f.by_bot(id, "1", at(1));
        command.text.valid_for = Duration::from_secs(1);
        f.queue(command).await;
    }
    let from = f.place().await;
    f.sweep(at(9), 9).await.unwrap();
    let told = f.told(from).await;
    let expired: Vec<_> = told
        .iter()
        .map(|what| match what {
            What::Message { id, session_id, .. } => (*session_id, *id),
            what => panic!("{what:?}"),
        })
        .collect();
    let mut expected = Vec::new();
    let mut sessions = [f.talk(ann).await.id, f.talk(bob).await.id];
    sessions.sort();
    for session in sessions {
        let messages = f.messages_of(session, all()).await.unwrap().items;
        let ours = messages.iter().rev().filter(|message| !message.is_inbound());
        expected.extend(ours.map(|message| (session, message.id)));
    }
    assert_eq!(expired, expected, "messages are told by session and place");

    let from = f.place().await;
    f.hear(f.text(CLEO, "please stop texting me", at(10))).await;
    assert_eq!(f.names(from).await, ["customer.created", "session.created", "message.created"]);
}

async fn places_are_gapless_whoever_asks_at_once(open: Open) {
    let f = Fixture::new(open);
    at_once(32, |task| {
        let (store, text) = ((*f).clone(), f.text(&format!("+141555501{task:02}"), "hello", at(0)));
        async move {
            store.record_inbound(text).await.unwrap();
            store.switch_endpoint(&format!("crm {task}"), Some("gone".into()), at(1)).await.unwrap();
        }
    })
    .await;
    let places: Vec<u64> = logged(&f, 0).await.iter().map(|logged| logged.event.place).collect();
    assert_eq!(places, (1..=128).collect::<Vec<_>>());
    assert_eq!(f.place().await, 128);
    // Those of one command stand together.
    let of = |logged: &Logged| logged.event.what.customer_id();
    let people: Vec<_> = logged(&f, 0).await.iter().filter_map(of).collect();
    assert!(people.chunks(3).all(|one| one.iter().all(|id| *id == one[0])));
}

async fn an_events_id_says_its_place_and_sorts_by_time(open: Open) {
    let f = Fixture::new(open);
    for second in 0..20 {
        f.hear(f.text(ANN, "hello", at(second))).await;
    }
    let events: Vec<Event> = logged(&f, 0).await.into_iter().map(|logged| logged.event).collect();
    assert!(events.iter().all(|event| event.id().place() == event.place));
    assert!(events.iter().map(Event::id).is_sorted());
    assert_eq!(events[2].id().to_string().parse(), Ok(events[2].id()));
}

async fn with_an_event_comes_what_it_is_about_as_that_is_now(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let text = f.queue(f.by_bot(id, "hi", at(1))).await;
    f.send(text, accepted("SM1"), at(1)).await;
    f.hold(id, at(2)).await;
    for logged in logged(&f, 0).await {
        assert_eq!(f.event(logged.event.place).await.unwrap(), Some(logged.clone()));
        let about = (logged.customer, logged.session, logged.message);
        match logged.event.what {
            What::Customer { id, .. } => assert_eq!(about, (Some(f.who(id).await), None, None)),
            What::Session { .. } => assert_eq!(about, (None, Some(f.talk(id).await), None)),
            What::Message { id, .. } => assert_eq!(about, (None, None, Some(f.get(id).await))),
            what => panic!("{what:?}"),
        }
    }
    // What it was then is in the event.
    let What::Session { session, .. } = f.told(1).await.remove(0) else { panic!() };
    assert!(!session.need_attention);
    assert_eq!(f.event(0).await.unwrap(), None);
    assert_eq!(f.event(f.place().await + 1).await.unwrap(), None);
}

async fn read_in_pages_it_is_the_same_as_at_once(open: Open) {
    let f = Fixture::new(open);
    for number in [ANN, BOB, CLEO] {
        f.with_agents(number).await;
    }
    let whole = logged(&f, 0).await;
    for limit in [1, 2, 5, 100] {
        let mut pages = Vec::new();
        loop {
            let after = pages.last().map_or(0, |logged: &Logged| logged.event.place);
            let page = f.events(after, limit).await.unwrap();
            if page.is_empty() {
                break;
            }
            assert!(page.len() <= limit);
            pages.extend(page);
        }
        assert_eq!(pages, whole);
    }
    assert_eq!(f.events(0, 0).await.unwrap(), []);
}

async fn what_is_not_kept_and_what_was_not_reached_is_forgotten(open: Open) {
    let f = Fixture::new(open);
    assert_eq!(f.events(0, 9).await.unwrap(), []);
    assert!(matches!(f.events(1, 9).await, Err(EventsError::Forgotten)));
    for second in 0..10 {
        f.hear(f.text(ANN, "hello", at(second))).await;
    }
    let last = f.place().await;
    assert_eq!(f.events(last, 9).await.unwrap(), []);
    for beyond in [last + 1, u64::MAX] {
        assert!(matches!(f.events(beyond, 9).await, Err(EventsError::Forgotten)));
    }
    f.prune_events(at(5), 9, at(10)).await.unwrap();
    assert!(matches!(f.events(6, 1).await, Err(EventsError::Forgotten)));
    let rest = f.events(7, usize::MAX).await.unwrap();
    assert_eq!((rest[0].event.place, rest.len()), (8, 5));
    assert_eq!(f.event(7).await.unwrap(), None);
}

async fn the_oldest_are_pruned_and_never_the_newest(open: Open) {
    let f = Fixture::new(open);
    assert_eq!(f.prune_events(at(99), 9, at(99)).await.unwrap(), 0);
    for second in 0..6 {
        f.hear(f.text(ANN, "hello", at(second))).await;
    }
    let last = f.place().await;
    assert_eq!(f.prune_events(at(0), 9, at(9)).await.unwrap(), 0, "only what is older");
    assert_eq!(f.prune_events(at(2), 1, at(9)).await.unwrap(), 1);
    assert_eq!(logged(&f, 1).await[0].event.place, 2);
    assert_eq!(f.prune_events(at(2), 9, at(9)).await.unwrap(), 3);
    assert_eq!(logged(&f, 4).await[0].event.at, at(2));
    assert_eq!(f.prune_events(Timestamp::END, 99, at(9)).await.unwrap(), 3);
    assert_eq!(f.prune_events(Timestamp::END, 99, at(9)).await.unwrap(), 0);
    assert_eq!(logged(&f, last - 1).await.len(), 1);
    assert_eq!(f.place().await, last);
    f.hear(f.text(ANN, "hello", at(10))).await;
    assert_eq!(logged(&f, last).await[0].event.place, last + 1, "it goes on where it stood");
}

async fn what_was_erased_or_pruned_is_not_in_what_is_read(open: Open) {
    let f = Fixture::new(open);
    let (ann, bob) = (f.with_bot(ANN).await, f.with_bot(BOB).await);
    for _ in 0..2 {
        f.answer(&f.claim(at(0)).await, texts(&[]), at(0)).await;
    }
    refused(&f, f.by_bot(f.with_agents(CLEO).await, "hi", at(1))).await;
    f.erase_customer(ann, at(2)).await.unwrap();
    let later = at(3).after(IDLE_AFTER);
    assert_eq!(f.prune(later, None, 99, later).await.unwrap().sessions, 1);
    let about = async |of| {
        let of_them =
            logged(&f, 0).await.into_iter().filter(|logged| logged.event.what.customer_id() == Some(of));
        of_them.collect::<Vec<_>>()
    };
    let of_ann = about(ann).await;
    assert_eq!(of_ann.len(), 4);
    assert!(
        of_ann
            .iter()
            .all(|logged| (&logged.customer, &logged.session, &logged.message) == (&None, &None, &None))
    );
    let of_bob = about(bob).await;
    assert_eq!(of_bob.iter().filter(|logged| logged.customer.is_some()).count(), 1, "their customer stays");
    assert!(of_bob.iter().all(|logged| (&logged.session, &logged.message) == (&None, &None)));
    let cleo = f.customer_by_number(&crate::fixture::number(CLEO)).await.unwrap().unwrap().id;
    let of_cleo = about(cleo).await;
    let said = of_cleo.iter().find(|logged| matches!(logged.event.what, What::BotRefused { .. })).unwrap();
    assert_eq!(said.session, Some(f.talk(cleo).await));
}

async fn nothing_said_and_nobodys_name_or_number_is_in_an_event(open: Open) {
    let f =
        Fixture::under(open, Policy { bot: BotPolicy { observe: true, ..BotPolicy::default() }, ..rules() });
    let mut created = f.customer(ANN, at(0));
    (created.first_name, created.last_name) = (Some("Secretia".into()), Some("Hush".into()));
    created.email = Some("secretia@example.com".into());
    let id = f.create_customer(created).await.unwrap().value.id;
    f.hear(f.text(ANN, "it is secret", at(1))).await;
    let answer = switchboard::domain::conversation::Answer {
        state: Some("{\"secret\":1}".into()),
        ..texts(&["a secret answer"])
    };
    f.answer(&f.claim(at(1)).await, answer, at(1)).await;
    f.hear(f.text(ANN, "another secret", at(2))).await;
    let asked = f.claim(at(2)).await;
    f.hold(id, at(3)).await;
    assert_eq!(f.answer(&asked, texts(&["a secret in vain"]), at(3)).await.refused, Some(Refusal::StaleTurn));
    refused(&f, f.by_bot(id, "a secret too late", at(3))).await;
    f.queue(f.by_agent(id, "an agent's secret", at(4))).await;
    f.unsubscribe(id, at(5)).await;
    f.erase_customer(id, at(6)).await.unwrap();
    let names = f.names(0).await;
    for told in ["bot.suggested", "bot.refused", "delivery.canceled", "customer.erased"] {
        assert!(names.contains(&told), "{told} is not among {names:?}");
    }
    for logged in logged(&f, 0).await {
        let kept = serde_json::to_string(&logged.event).unwrap().to_lowercase();
        for secret in ["secret", "hush", "4155550101"] {
            assert!(!kept.contains(secret), "{secret} is in {kept}");
        }
    }
}

async fn the_news_show_the_newest_place(open: Open) {
    let f = Fixture::new(open);
    let mut news = f.event_news();
    assert_eq!(*news.borrow_and_update(), 0);
    f.with_bot(ANN).await;
    assert_eq!(*news.wait_for(|place| *place >= 3).await.unwrap(), 3);
    f.claim(at(0)).await;
    assert_eq!(*f.event_news().borrow(), 3, "who comes later sees it as well");
    let copy = Fixture::new(open);
    fill(&**copy, &file_of(&**f).await).await;
    let mut news = copy.event_news();
    assert_eq!(*news.wait_for(|place| *place >= 3).await.unwrap(), 3);
}

#[tokio::test]
async fn the_news_stand_where_they_stood_after_a_restart() {
    for open in [sled_at, fjall_at] {
        let home = tempfile::tempdir().unwrap();
        let store = open(home.path(), rules());
        store.switch_endpoint("crm", Some("gone".into()), at(0)).await.unwrap();
        store.close().await.unwrap();
        drop(store);
        let store = open(home.path(), rules());
        assert_eq!((*store.event_news().borrow(), store.last_event().await.unwrap()), (1, 1));
    }
}

async fn an_import_tells_nothing(open: Open) {
    let f = Fixture::new(open);
    f.with_agents(ANN).await;
    f.prune_events(Timestamp::END, 2, at(1)).await.unwrap();
    let copy = Fixture::new(open);
    copy.skip_ids_of(&f);
    fill(&**copy, &file_of(&**f).await).await;
    assert_eq!(logged(&copy, 2).await, logged(&f, 2).await);
    assert!(matches!(copy.events(0, 9).await, Err(EventsError::Forgotten)));
    let last = f.place().await;
    copy.with_bot(BOB).await;
    assert_eq!(logged(&copy, last).await[0].event.place, last + 1);
}
