//! Customers who wait for an agent: agents are reminded, and the bot may have them back.

use std::time::Duration;

use switchboard::domain::conversation::{AttentionPolicy, BotPolicy, LoopGuard, Policy};
use switchboard::domain::ids::{CustomerId, MessageId, TurnId};
use switchboard::domain::message::Message;
use switchboard::domain::session::Session;
use switchboard::domain::turn::TurnKind;
use switchboard::store::{Attended, TurnClaim, TurnFailure};

use crate::engines::Open;
use crate::export::{file_of, fill};
use crate::fixture::{ANN, BOB, CLEO, Fixture, HERE, all, assignment, at, rules, texts};

on_every_engine! {
    who_has_waited_longest_is_attended_to_first,
    each_pause_is_twice_as_long,
    nothing_is_due_for_whom_nobody_waits_or_asked,
    an_agents_answer_and_a_release_end_the_wait,
    who_writes_on_waits_since_the_first_text,
    who_takes_a_session_on_is_reminded_from_then_on,
    a_reminder_is_told_and_a_turn_is_none,
    the_bot_is_asked_about_what_nobody_answered,
    the_bot_is_told_only_that_it_is_back_where_it_knows_all,
    what_came_after_the_text_is_told_with_the_next_turn,
    what_agents_were_to_decide_on_is_not_returned,
    what_somebody_has_taken_on_is_not_returned,
    without_a_bot_nothing_is_returned,
    what_was_planned_moves_with_the_store_and_goes_with_its_customer,
    new_rules_count_for_those_who_wait_already,
    what_the_bot_could_not_be_asked_about_is_not_returned,
    what_was_given_back_in_vain_is_given_back_again_only_for_another_text,
}

async fn new_rules_count_for_those_who_wait_already(open: Open) {
    let f = Fixture::under(open, patience(None, None));
    let id = waits(&f, ANN, 0).await;
    f.with_bot(BOB).await;
    let file = file_of(&**f).await;
    let moved = Fixture::under(open, patience(Some(60), None));
    fill(&**moved, &file).await;
    assert_eq!(moved.talk(id).await.attend_at, None);
    assert_eq!(moved.plan_attention(at(100)).await.unwrap(), 1);
    assert_eq!(moved.plan_attention(at(200)).await.unwrap(), 0, "it is planned");
    assert_eq!(attend(&moved, 9, 159).await, Attended { next_at: Some(at(160)), ..Attended::default() });
    assert_eq!(whose(&attend(&moved, 9, 160).await.escalated), [id]);
}

async fn what_the_bot_could_not_be_asked_about_is_not_returned(open: Open) {
    let f = Fixture::under(open, patience(None, Some(600)));
    f.hear(f.text(ANN, "hello", at(0))).await;
    let work = f.claim(at(0)).await;
    let given_up = TurnFailure::GiveUp { reason: "bot_unavailable: it answered 503".into(), fallback: None };
    f.fail_turn(work.turn.id, 1, given_up, at(1)).await.unwrap();
    assert_eq!(attend(&f, 9, 99_999).await, Attended::default());
}

async fn what_was_given_back_in_vain_is_given_back_again_only_for_another_text(open: Open) {
    let f = Fixture::under(open, patience(None, Some(600)));
    let id = waits(&f, ANN, 0).await;
    f.hear(f.text(ANN, "where is it?", at(1))).await;
    assert_eq!(whose(&attend(&f, 9, 600).await.returned), [id]);
    f.answer(&f.claim(at(600)).await, crate::fixture::hand_off(&["One moment."]), at(601)).await;
    assert_eq!(attend(&f, 9, 99_999).await, Attended::default());
    f.hear(f.text(ANN, "hello?", at(100_000))).await;
    assert_eq!(whose(&attend(&f, 9, 100_000).await.returned), [id], "the wait began long ago");
}

fn patience(escalate_s: Option<u64>, return_s: Option<u64>) -> Policy {
    let seconds = |seconds: Option<u64>| seconds.map(Duration::from_secs);
    let attention = AttentionPolicy { escalate_after: seconds(escalate_s), return_after: seconds(return_s) };
    Policy { attention, ..rules() }
}

/// With ids for so many turns.
async fn attend(f: &Fixture, most: usize, second: i64) -> Attended {
    let ids = (0..most).map(|_| TurnId(f.id())).collect();
    f.attend(ids, at(second)).await.unwrap()
}

fn whose(sessions: &[Session]) -> Vec<CustomerId> {
    sessions.iter().map(|session| session.customer_id).collect()
}

fn ids(messages: &[Message]) -> Vec<MessageId> {
    messages.iter().map(|message| message.id).collect()
}

/// Held from that moment on, with nothing that the bot does not know.
async fn waits(f: &Fixture, of: &str, second: i64) -> CustomerId {
    let id = f.hear(f.text(of, "hello", at(second))).await.0.customer_id;
    f.answer(&f.claim(at(second)).await, texts(&[]), at(second)).await;
    f.hold(id, at(second)).await;
    id
}

async fn who_has_waited_longest_is_attended_to_first(open: Open) {
    let f = Fixture::under(open, patience(Some(60), None));
    let (second, first, third) = (waits(&f, ANN, 1).await, waits(&f, BOB, 0).await, waits(&f, CLEO, 2).await);
    assert_eq!(attend(&f, 9, 59).await, Attended { next_at: Some(at(60)), ..Attended::default() });
    let two = attend(&f, 2, 70).await;
    assert_eq!((whose(&two.escalated), two.next_at), (vec![first, second], Some(at(62))));
    assert_eq!(two.escalated[0], f.talk(first).await);
    let rest = attend(&f, 9, 70).await;
    assert_eq!((whose(&rest.escalated), rest.next_at), (vec![third], Some(at(70 + 120))));
    assert_eq!(attend(&f, 0, 999).await.escalated, []);
}

async fn each_pause_is_twice_as_long(open: Open) {
    let f = Fixture::under(open, patience(Some(60), None));
    let id = waits(&f, ANN, 0).await;
    let mut now = 0;
    for (escalations, pause) in (0..).zip([60, 120, 240, 480, 960, 1920, 3840, 3840, 3840]) {
        now += pause;
        let early = attend(&f, 9, now - 1).await;
        assert_eq!((early.escalated.len(), early.next_at), (0, Some(at(now))), "reminder {escalations}");
        assert_eq!(whose(&attend(&f, 9, now).await.escalated), [id]);
        assert_eq!(f.talk(id).await.escalations, escalations + 1);
    }
    assert_eq!(f.talk(id).await.waiting_since, Some(at(0)), "and still waits");
}

async fn nothing_is_due_for_whom_nobody_waits_or_asked(open: Open) {
    for (policy, has_waiting) in [(patience(None, None), true), (patience(Some(60), Some(60)), false)] {
        let f = Fixture::under(open, policy);
        if has_waiting {
            waits(&f, ANN, 0).await;
        }
        f.with_bot(BOB).await;
        assert_eq!(attend(&f, 9, 999_999).await, Attended::default());
    }
}

async fn an_agents_answer_and_a_release_end_the_wait(open: Open) {
    let f = Fixture::under(open, patience(Some(60), Some(600)));
    let (ann, bob) = (waits(&f, ANN, 0).await, waits(&f, BOB, 0).await);
    attend(&f, 9, 60).await;
    f.queue(f.by_agent(ann, "hi", at(61))).await;
    f.let_go(bob, at(61)).await;
    for id in [ann, bob] {
        let session = f.talk(id).await;
        assert_eq!((session.waiting_since, session.escalations, session.attend_at), (None, 0, None));
    }
    assert_eq!(attend(&f, 9, 999_999).await, Attended::default());
    // Who writes again waits again, from the beginning.
    f.hear(f.text(ANN, "and then?", at(100))).await;
    assert_eq!(attend(&f, 9, 159).await.next_at, Some(at(160)));
    assert_eq!(whose(&attend(&f, 9, 160).await.escalated), [ann]);
}

async fn who_writes_on_waits_since_the_first_text(open: Open) {
    let f = Fixture::under(open, patience(Some(60), None));
    let id = waits(&f, ANN, 0).await;
    f.hear(f.text(ANN, "hello??", at(50))).await;
    f.hold(id, at(55)).await;
    assert_eq!(whose(&attend(&f, 9, 60).await.escalated), [id]);
}

async fn who_takes_a_session_on_is_reminded_from_then_on(open: Open) {
    let f = Fixture::under(open, patience(Some(60), None));
    let id = waits(&f, ANN, 0).await;
    attend(&f, 9, 60).await;
    f.assign_session(assignment(id, Some("eve"), "eve", at(100))).await.unwrap();
    let session = f.talk(id).await;
    assert_eq!((session.waiting_since, session.attend_at), (Some(at(0)), Some(at(100 + 120))));
    assert_eq!(whose(&attend(&f, 9, 220).await.escalated), [id]);
}

async fn a_reminder_is_told_and_a_turn_is_none(open: Open) {
    let f = Fixture::under(open, patience(Some(60), None));
    let id = waits(&f, ANN, 0).await;
    let (from, version) = (f.place().await, f.talk(id).await.version);
    attend(&f, 9, 60).await;
    assert_eq!(f.names(from).await, ["session.updated"]);
    assert_eq!((f.talk(id).await.version, f.counts().await.unwrap().turns_open), (version, 0));
    attend(&f, 9, 61).await;
    assert_eq!(f.place().await, from + 1);
}

async fn the_bot_is_asked_about_what_nobody_answered(open: Open) {
    let f = Fixture::under(open, patience(None, Some(600)));
    let id = waits(&f, ANN, 0).await;
    let greeting = f.messages_of(f.talk(id).await.id, all()).await.unwrap().items[0].id;
    let by_agent = f.queue(f.by_agent(id, "one moment", at(10))).await;
    let told = f.claim(at(10)).await;
    f.answer(&told, texts(&[]), at(10)).await;
    let (first, _) = f.hear(f.text(ANN, "still there?", at(20))).await;
    let (last, held) = f.hear(f.text(ANN, "hello?", at(30))).await;
    assert_eq!(attend(&f, 9, 619).await.next_at, Some(at(620)));
    let from = f.place().await;
    let back = attend(&f, 9, 620).await;
    assert_eq!((whose(&back.returned), back.escalated.len(), back.next_at), (vec![id], 0, None));
    let session = f.talk(id).await;
    assert_eq!(back.returned.first(), Some(&session));
    assert_eq!(
        (session.need_attention, session.version, session.waiting_since),
        (false, held.version + 1, None)
    );
    assert_eq!(f.names(from).await, ["session.updated"]);

    let work = f.claim(at(620)).await;
    assert_eq!((work.turn.kind, work.message.as_ref()), (TurnKind::MessageReceived, Some(&last)));
    assert_eq!(ids(&work.history), [by_agent, first.id]);
    assert!(!ids(&work.history).contains(&greeting), "it was told of that");
    assert_eq!(f.answer(&work, texts(&["here I am"]), at(621)).await.refused, None);
    // All of it is told now.
    f.hear(f.text(ANN, "good", at(622))).await;
    assert!(f.claim(at(622)).await.history.is_empty());
}

async fn the_bot_is_told_only_that_it_is_back_where_it_knows_all(open: Open) {
    let f = Fixture::under(open, patience(None, Some(600)));
    let id = waits(&f, ANN, 0).await;
    assert_eq!(whose(&attend(&f, 9, 600).await.returned), [id]);
    let work = f.claim(at(600)).await;
    assert_eq!((work.turn.kind, work.message, work.history.len()), (TurnKind::SessionUpdated, None, 0));
    // A turn that could not be told is one that it does not know.
    let (lost, _) = f.hear(f.text(BOB, "hello", at(600))).await;
    let work = f.claim(at(600)).await;
    let given_up = TurnFailure::GiveUp { reason: "bot-unreachable".into(), fallback: None };
    f.fail_turn(work.turn.id, 1, given_up, at(601)).await.unwrap();
    assert_eq!(whose(&attend(&f, 9, 1201).await.returned), [lost.customer_id]);
    let again = f.claim(at(1201)).await;
    assert_eq!((again.turn.kind, again.message), (TurnKind::MessageReceived, Some(lost)));
}

async fn what_came_after_the_text_is_told_with_the_next_turn(open: Open) {
    let f = Fixture::under(open, patience(None, Some(600)));
    let id = waits(&f, ANN, 0).await;
    let (asked, _) = f.hear(f.text(ANN, "where is it?", at(10))).await;
    let mut help = f.text(ANN, "HELP", at(20));
    help.text.replies.help = Some("this is us".into());
    let (help, _) = f.hear(help).await;
    assert_eq!(whose(&attend(&f, 9, 600).await.returned), [id]);
    let work = f.claim(at(600)).await;
    assert_eq!((work.message.as_ref(), work.history.len()), (Some(&asked), 0));
    f.answer(&work, texts(&[]), at(601)).await;
    f.hear(f.text(ANN, "thanks", at(602))).await;
    let said: Vec<_> = f.claim(at(602)).await.history.into_iter().map(|message| message.content).collect();
    assert_eq!(said, [help.content.as_str(), "this is us"]);
}

async fn what_agents_were_to_decide_on_is_not_returned(open: Open) {
    let guard = LoopGuard { texts: 1, within: Duration::from_secs(3600) };
    let bot = BotPolicy { loop_guard: Some(guard), ..BotPolicy::default() };
    let f = Fixture::under(open, Policy { bot, ..patience(Some(6000), Some(600)) });
    let (opt_out, _) = f.hear(f.text(ANN, "please stop texting me", at(0))).await;
    let looping = f.with_bot(BOB).await;
    f.queue(f.by_bot(looping, "1", at(0))).await;
    assert!(f.create_message(f.by_bot(looping, "2", at(0))).await.is_err());
    for id in [opt_out.customer_id, looping] {
        assert_eq!(f.talk(id).await.attend_at, Some(at(6000)));
    }
    let reminded = attend(&f, 9, 6000).await;
    assert_eq!((reminded.returned.len(), reminded.escalated.len()), (0, 2));
}

async fn what_somebody_has_taken_on_is_not_returned(open: Open) {
    let f = Fixture::under(open, patience(None, Some(600)));
    let id = waits(&f, ANN, 0).await;
    f.assign_session(assignment(id, Some("eve"), "eve", at(10))).await.unwrap();
    assert_eq!(attend(&f, 9, 9_999).await, Attended::default());
    // Left to nobody again, its customer has waited for long enough.
    f.assign_session(assignment(id, None, "eve", at(10_000))).await.unwrap();
    assert_eq!(whose(&attend(&f, 9, 10_000).await.returned), [id]);
}

async fn without_a_bot_nothing_is_returned(open: Open) {
    let f = Fixture::under(open, Policy { has_bot: false, ..patience(Some(60), Some(30)) });
    let (text, _) = f.hear(f.text(ANN, "hello", at(0))).await;
    assert_eq!(attend(&f, 9, 59).await, Attended { next_at: Some(at(60)), ..Attended::default() });
    let reminded = attend(&f, 9, 60).await;
    assert_eq!((whose(&reminded.escalated), reminded.next_at), (vec![text.customer_id], Some(at(180))));
    assert_eq!(attend(&f, 9, 61).await.escalated, [], "not at every look");
    assert_eq!(f.claim_turn(HERE, at(99)).await.unwrap(), TurnClaim::Idle);
}

async fn what_was_planned_moves_with_the_store_and_goes_with_its_customer(open: Open) {
    let f = Fixture::under(open, patience(Some(60), None));
    let (ann, bob) = (waits(&f, ANN, 0).await, waits(&f, BOB, 5).await);
    let copy = Fixture::under(open, patience(Some(60), None));
    copy.skip_ids_of(&f);
    fill(&**copy, &file_of(&**f).await).await;
    copy.erase_customer(ann, at(10)).await.unwrap();
    let reminded = attend(&copy, 9, 70).await;
    assert_eq!((whose(&reminded.escalated), reminded.next_at), (vec![bob], Some(at(70 + 120))));
}
