//! What the bot proposes while agents have a session: observed turns, and answers that came too late to be sent.

use std::time::Duration;

use switchboard::domain::conversation::{Answer, BotPolicy, LoopGuard, Policy, Refusal};
use switchboard::domain::delivery::Status;
use switchboard::domain::ids::{CustomerId, SuggestionId};
use switchboard::domain::session::{MAX_SUGGESTIONS, Suggestion};
use switchboard::domain::turn::{TurnKind, TurnState, TurnWork};
use switchboard::store::{TurnClaim, TurnFailure};

use crate::engines::Open;
use crate::export::{file_of, fill};
use crate::fixture::{ANN, Fixture, HERE, at, hand_off, rules, texts};

on_every_engine! {
    the_bot_observes_only_where_it_is_asked_to,
    what_the_bot_answers_to_what_it_observes_is_proposed_and_not_sent,
    a_proposal_takes_the_place_of_the_one_before,
    nothing_to_propose_leaves_what_was_proposed,
    only_so_many_texts_are_proposed,
    a_proposal_is_found_by_its_id_and_its_use_is_counted,
    a_release_clears_what_was_proposed,
    a_proposal_for_a_session_that_was_switched_is_refused,
    an_answer_that_comes_too_late_is_proposed,
    without_observing_a_late_answer_is_lost,
    an_observed_turn_that_is_given_up_switches_nothing,
    an_observed_turn_is_not_asked_again_after_a_switch,
    what_is_observed_is_told_again_with_the_release,
    a_call_of_its_own_proposes_too,
    a_proposal_counts_for_no_loop_guard,
    what_was_proposed_moves_with_the_store_and_goes_with_its_customer,
}

fn observing() -> Policy {
    Policy { bot: BotPolicy { observe: true, ..BotPolicy::default() }, ..rules() }
}

fn contents(suggestions: &[Suggestion]) -> Vec<&str> {
    suggestions.iter().map(|suggestion| suggestion.content.as_str()).collect()
}

/// Held, with an observed turn in hand.
async fn observed(f: &Fixture, second: i64) -> (CustomerId, TurnWork) {
    let id = f.with_agents(ANN).await;
    f.hear(f.text(ANN, "where is it?", at(second))).await;
    (id, f.claim(at(second)).await)
}

async fn the_bot_observes_only_where_it_is_asked_to(open: Open) {
    for (policy, is_told) in
        [(observing(), true), (rules(), false), (Policy { has_bot: false, ..observing() }, false)]
    {
        let f = Fixture::under(open, policy);
        f.with_agents(ANN).await;
        let (text, session) = f.hear(f.text(ANN, "where is it?", at(1))).await;
        let counts = f.counts().await.unwrap();
        assert_eq!(counts.turns_open, u64::from(is_told));
        let TurnClaim::Work(work) = f.claim_turn(HERE, at(1)).await.unwrap() else { continue };
        assert_eq!((work.turn.kind, work.message), (TurnKind::MessageObserved, Some(text)));
        assert!(work.session.need_attention && !work.turn.kind.expects_reply());
        assert_eq!(work.turn.kind.as_str(), "message.received");
        assert_eq!(
            work.session.unseen_by_bot_from, session.unseen_by_bot_from,
            "it is still told on release"
        );
    }
}

async fn what_the_bot_answers_to_what_it_observes_is_proposed_and_not_sent(open: Open) {
    let f = Fixture::under(open, observing());
    let (id, work) = observed(&f, 1).await;
    let (before, from) = (f.talk(id).await, f.place().await);
    let done = f.answer(&work, Answer { tags: Some(vec!["x".into()]), ..hand_off(&["a", "b"]) }, at(2)).await;
    assert_eq!((done.refused, done.messages.len(), done.handed_off), (None, 0, false));
    let session = f.talk(id).await;
    assert_eq!(contents(&session.suggestions), ["a", "b"]);
    let first = &session.suggestions[0];
    assert_eq!((first.turn_id, first.selected_count, first.created_at), (work.turn.id, 0, at(2)));
    assert_eq!((session.message_count, session.version), (before.message_count, before.version));
    assert_eq!((session.tags, session.waiting_since), (before.tags, before.waiting_since));
    assert_eq!(f.names(from).await, ["bot.suggested"]);
    assert_eq!(f.turn(work.turn.id).await.unwrap().unwrap().state, TurnState::Done);
    assert_eq!(f.counts().await.unwrap().queued, 0);
}

async fn a_proposal_takes_the_place_of_the_one_before(open: Open) {
    let f = Fixture::under(open, observing());
    let (id, work) = observed(&f, 1).await;
    f.answer(&work, texts(&["a", "b"]), at(1)).await;
    let old = f.talk(id).await.suggestions[0].id;
    f.hear(f.text(ANN, "hello?", at(2))).await;
    f.answer(&f.claim(at(2)).await, texts(&["c"]), at(2)).await;
    assert_eq!(contents(&f.talk(id).await.suggestions), ["c"]);
    assert_eq!(f.use_suggestion(old, at(3)).await.unwrap(), None);
}

async fn nothing_to_propose_leaves_what_was_proposed(open: Open) {
    let f = Fixture::under(open, observing());
    let (id, work) = observed(&f, 1).await;
    f.answer(&work, texts(&["a"]), at(1)).await;
    let (before, from) = (f.talk(id).await.suggestions, f.place().await);
    for answer in [Answer::default(), hand_off(&[])] {
        f.hear(f.text(ANN, "hello?", at(2))).await;
        f.answer(&f.claim(at(2)).await, answer, at(2)).await;
    }
    assert_eq!(f.talk(id).await.suggestions, before);
    assert_eq!(f.names(from).await, ["message.created", "message.created"]);
}

async fn only_so_many_texts_are_proposed(open: Open) {
    let f = Fixture::under(open, observing());
    let (id, work) = observed(&f, 1).await;
    let many: Vec<String> = (0..=MAX_SUGGESTIONS).map(|number| number.to_string()).collect();
    f.answer(&work, texts(&many.iter().map(String::as_str).collect::<Vec<_>>()), at(1)).await;
    assert_eq!(contents(&f.talk(id).await.suggestions), many[..MAX_SUGGESTIONS]);
}

async fn a_proposal_is_found_by_its_id_and_its_use_is_counted(open: Open) {
    let f = Fixture::under(open, observing());
    let (id, work) = observed(&f, 1).await;
    f.answer(&work, texts(&["a", "b"]), at(1)).await;
    let [first, second] = f.talk(id).await.suggestions.try_into().unwrap();
    let from = f.place().await;
    for count in 1..=2 {
        let used = f.use_suggestion(second.id, at(2)).await.unwrap();
        assert_eq!(used, Some(Suggestion { selected_count: count, ..second.clone() }));
    }
    let expected = [first, Suggestion { selected_count: 2, ..second }];
    assert_eq!(f.talk(id).await.suggestions, expected);
    assert_eq!(f.use_suggestion(SuggestionId(f.id()), at(3)).await.unwrap(), None);
    assert_eq!(f.place().await, from, "the bot proposed nothing new");
}

async fn a_release_clears_what_was_proposed(open: Open) {
    let f = Fixture::under(open, observing());
    let (id, work) = observed(&f, 1).await;
    f.answer(&work, texts(&["a"]), at(1)).await;
    let proposed = f.talk(id).await.suggestions[0].id;
    f.let_go(id, at(2)).await;
    assert!(f.talk(id).await.suggestions.is_empty());
    f.hold(id, at(3)).await;
    assert_eq!(f.use_suggestion(proposed, at(3)).await.unwrap(), None);
}

async fn a_proposal_for_a_session_that_was_switched_is_refused(open: Open) {
    let f = Fixture::under(open, observing());
    let (id, work) = observed(&f, 1).await;
    f.let_go(id, at(2)).await;
    f.hold(id, at(3)).await;
    let done = f.answer(&work, texts(&["a"]), at(4)).await;
    assert_eq!(done.refused, Some(Refusal::StaleTurn));
    assert!(f.talk(id).await.suggestions.is_empty());
}

async fn an_answer_that_comes_too_late_is_proposed(open: Open) {
    let f = Fixture::under(open, observing());
    let id = f.with_bot(ANN).await;
    let work = f.claim(at(0)).await;
    f.hold(id, at(1)).await;
    let from = f.place().await;
    let done = f.answer(&work, texts(&["a", "b"]), at(2)).await;
    assert_eq!((done.refused, done.messages.len()), (Some(Refusal::StaleTurn), 0));
    assert_eq!(contents(&f.talk(id).await.suggestions), ["a", "b"]);
    assert_eq!(f.names(from).await, ["bot.suggested", "bot.refused"]);
    assert_eq!(f.turn(work.turn.id).await.unwrap().unwrap().refused_texts, ["a", "b"]);
}

async fn without_observing_a_late_answer_is_lost(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let work = f.claim(at(0)).await;
    f.hold(id, at(1)).await;
    assert_eq!(f.answer(&work, texts(&["a"]), at(2)).await.refused, Some(Refusal::StaleTurn));
    assert!(f.talk(id).await.suggestions.is_empty());
}

async fn an_observed_turn_that_is_given_up_switches_nothing(open: Open) {
    let f = Fixture::under(open, observing());
    let (id, work) = observed(&f, 1).await;
    let before = f.talk(id).await;
    let given_up = TurnFailure::GiveUp { reason: "bot-unreachable".into(), fallback: None };
    let failed = f.fail_turn(work.turn.id, 1, given_up, at(2)).await.unwrap();
    assert!(!failed.handed_over);
    let after = f.talk(id).await;
    assert_eq!((after.version, after.attention_reason), (before.version, before.attention_reason));
}

async fn an_observed_turn_is_not_asked_again_after_a_switch(open: Open) {
    let f = Fixture::under(open, observing());
    let (id, work) = observed(&f, 1).await;
    f.let_go(id, at(2)).await;
    f.fail_turn(work.turn.id, 1, TurnFailure::RetryAt(at(3)), at(3)).await.unwrap();
    assert_eq!(f.turn(work.turn.id).await.unwrap().unwrap().state, TurnState::Dropped);
    // Nor is one that still waits when agents take the session again.
    f.hold(id, at(4)).await;
    f.hear(f.text(ANN, "hello?", at(5))).await;
    f.let_go(id, at(6)).await;
    f.hold(id, at(7)).await;
    assert_eq!(f.claim_turn(HERE, at(9)).await.unwrap(), TurnClaim::Idle);
}

async fn what_is_observed_is_told_again_with_the_release(open: Open) {
    let f = Fixture::under(open, observing());
    let (id, work) = observed(&f, 1).await;
    f.answer(&work, texts(&["a"]), at(1)).await;
    f.let_go(id, at(2)).await;
    let back = f.claim(at(2)).await;
    assert_eq!(back.turn.kind, TurnKind::SessionUpdated);
    assert!(back.history.contains(work.message.as_ref().unwrap()));
}

async fn a_call_of_its_own_proposes_too(open: Open) {
    let f = Fixture::under(open, observing());
    let (id, work) = observed(&f, 1).await;
    f.answer(&work, texts(&[]), at(1)).await;
    let said = f.reply_to_turn(f.reply(work.turn.id, 1, texts(&["a"]), at(2))).await.unwrap();
    assert_eq!((said.completed.refused, said.completed.messages.len()), (None, 0));
    let proposed = f.talk(id).await.suggestions;
    assert_eq!(contents(&proposed), ["a"]);
    let again = f.reply_to_turn(f.reply(work.turn.id, 1, texts(&["b"]), at(3))).await.unwrap();
    assert!(again.replayed && again.completed.messages.is_empty());
    assert_eq!(f.talk(id).await.suggestions, proposed);
}

async fn a_proposal_counts_for_no_loop_guard(open: Open) {
    let guard = LoopGuard { texts: 1, within: Duration::from_secs(3600) };
    let bot = BotPolicy { observe: true, loop_guard: Some(guard), ..BotPolicy::default() };
    let f = Fixture::under(open, Policy { bot, ..rules() });
    let (id, work) = observed(&f, 1).await;
    assert_eq!(f.answer(&work, texts(&["a", "b", "c"]), at(1)).await.refused, None);
    f.let_go(id, at(2)).await;
    let text = f.queue(f.by_bot(id, "1", at(3))).await;
    assert_eq!(f.status(text).await, Status::Queued);
}

async fn what_was_proposed_moves_with_the_store_and_goes_with_its_customer(open: Open) {
    let f = Fixture::under(open, observing());
    let (id, work) = observed(&f, 1).await;
    f.answer(&work, texts(&["a"]), at(1)).await;
    let proposed = f.talk(id).await.suggestions[0].id;
    let copy = Fixture::under(open, observing());
    fill(&**copy, &file_of(&**f).await).await;
    assert_eq!(copy.use_suggestion(proposed, at(2)).await.unwrap().unwrap().content, "a");
    copy.erase_customer(id, at(3)).await.unwrap();
    assert_eq!(copy.use_suggestion(proposed, at(4)).await.unwrap(), None);
}
