//! What a process has in hand without knowing it: begun while the store could not say that it was.

use switchboard::domain::delivery::Status;
use switchboard::domain::turn::{TurnKind, TurnState};
use switchboard::store::{Begun, InHand, Reclaimed, SettleError, TurnClaim, TurnError, TurnFailure};

use crate::engines::Open;
use crate::fixture::{ANN, BOB, CLEO, Fixture, HERE, accepted, at, texts, transient, unknown};

on_every_engine! {
    an_attempt_that_nobody_knows_of_never_left,
    what_is_known_and_what_is_others_stays,
    who_knows_of_an_earlier_attempt_does_not_know_of_this_one,
    a_text_that_was_recalled_meanwhile_is_canceled_and_lets_the_next_go,
    a_turn_that_nobody_knows_of_is_pending_again,
    what_a_turn_was_about_is_told_when_the_bot_has_the_session_again,
}

fn nothing() -> InHand {
    InHand::default()
}

async fn an_attempt_that_nobody_knows_of_never_left(open: Open) {
    let f = Fixture::new(open);
    let text = f.queue(f.by_bot(f.with_bot(ANN).await, "1", at(1))).await;
    f.begin(text, at(2)).await;
    let reclaimed = f.reclaim(HERE, nothing(), at(5)).await.unwrap();
    assert_eq!(reclaimed, Reclaimed { messages: 1, turns: 0 });
    let delivery = f.get(text).await.delivery;
    assert_eq!((delivery.status, delivery.ready_at, delivery.owner), (Status::Queued, at(5), None));
    assert_eq!(delivery.attempts[0].outcome.as_deref(), Some("never_left"));
    assert_eq!((delivery.counted_attempts, delivery.attempts[0].ended_at), (0, Some(at(5))));
    assert!(matches!(f.settle(text, 1, accepted("SM1"), at(6)).await, Err(SettleError::Stale)));
    assert_eq!((f.head(at(4)).await, f.head(at(5)).await), (None, Some(text)));
    assert_eq!(f.begin(text, at(6)).await, 2);
    assert_eq!(f.get(text).await.delivery.may_have_left_at(), Some(at(6)), "the first attempt did not");
    f.settle(text, 2, accepted("SM2"), at(7)).await.unwrap();
    assert_eq!(f.reclaim(HERE, nothing(), at(8)).await.unwrap(), Reclaimed::default());
}

async fn what_is_known_and_what_is_others_stays(open: Open) {
    let f = Fixture::new(open);
    let known = f.queue(f.by_bot(f.with_bot(ANN).await, "1", at(1))).await;
    f.begin(known, at(1)).await;
    let theirs = f.queue(f.by_bot(f.with_bot(BOB).await, "1", at(1))).await;
    assert!(matches!(f.begin_attempt(theirs, "there", at(1)).await.unwrap(), Begun::Attempt(_)));
    let lost = f.queue(f.by_bot(f.with_bot(CLEO).await, "1", at(1))).await;
    f.send(lost, unknown(at(10)), at(1)).await;
    let told = f.claim(at(1)).await;
    assert!(matches!(f.claim_turn("there", at(1)).await.unwrap(), TurnClaim::Work(_)));

    let in_hand = InHand { messages: vec![(known, 1)], turns: vec![(told.turn.id, told.turn.attempts)] };
    assert_eq!(f.reclaim(HERE, in_hand, at(5)).await.unwrap(), Reclaimed::default());
    for (text, status) in [(known, Status::Sending), (theirs, Status::Sending), (lost, Status::Unknown)] {
        assert_eq!(f.status(text).await, status);
    }
    f.settle(known, 1, accepted("SM1"), at(6)).await.unwrap();
    f.complete_turn(f.completion(&told, texts(&["hi"]), at(6))).await.unwrap();
}

async fn who_knows_of_an_earlier_attempt_does_not_know_of_this_one(open: Open) {
    let f = Fixture::new(open);
    let text = f.queue(f.by_bot(f.with_bot(ANN).await, "1", at(1))).await;
    f.begin(text, at(1)).await;
    f.settle(text, 1, transient(at(2)), at(2)).await.unwrap();
    assert_eq!(f.begin(text, at(2)).await, 2);
    let told = f.claim(at(2)).await.turn;
    f.fail_turn(told.id, 1, TurnFailure::RetryAt(at(3)), at(3)).await.unwrap();
    assert_eq!(f.claim(at(3)).await.turn.attempts, 2);

    let second = InHand { messages: vec![(text, 2)], turns: vec![(told.id, 2)] };
    assert_eq!(f.reclaim(HERE, second, at(5)).await.unwrap(), Reclaimed::default());
    let first = InHand { messages: vec![(text, 1)], turns: vec![(told.id, 1)] };
    assert_eq!(f.reclaim(HERE, first, at(5)).await.unwrap(), Reclaimed { messages: 1, turns: 1 });
}

async fn a_text_that_was_recalled_meanwhile_is_canceled_and_lets_the_next_go(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let text = f.queue(f.by_bot(id, "1", at(1))).await;
    f.begin(text, at(1)).await;
    f.hold(id, at(2)).await;
    let next = f.queue(f.by_agent(id, "2", at(3))).await;
    assert_eq!(f.head(at(9)).await, None);
    f.reclaim(HERE, nothing(), at(5)).await.unwrap();
    assert_eq!((f.status(text).await, f.head(at(5)).await), (Status::Canceled, Some(next)));
    assert_eq!(f.get(next).await.delivery.ready_at, at(5));
}

async fn a_turn_that_nobody_knows_of_is_pending_again(open: Open) {
    let f = Fixture::new(open);
    f.hear(f.text(ANN, "1", at(0))).await;
    let told = f.claim(at(0)).await;
    let reclaimed = f.reclaim(HERE, nothing(), at(5)).await.unwrap();
    assert_eq!(reclaimed, Reclaimed { messages: 0, turns: 1 });
    assert_eq!(f.turn(told.turn.id).await.unwrap().unwrap().state, TurnState::Pending);
    let late = f.complete_turn(f.completion(&told, texts(&["hi"]), at(5))).await;
    assert!(matches!(late, Err(TurnError::Stale)));
    let again = f.claim(at(5)).await.turn;
    assert_eq!((again.id, again.number, again.attempts), (told.turn.id, told.turn.number, 2));
}

async fn what_a_turn_was_about_is_told_when_the_bot_has_the_session_again(open: Open) {
    let f = Fixture::new(open);
    for (of, is_known) in [(ANN, false), (BOB, true)] {
        let (said, _) = f.hear(f.text(of, "1", at(0))).await;
        let unasked = f.claim(at(0)).await;
        f.hold(said.customer_id, at(1)).await;
        f.let_go(said.customer_id, at(2)).await;
        if is_known {
            // The bot could not be reached.
            f.fail_turn(unasked.turn.id, 1, TurnFailure::RetryAt(at(3)), at(3)).await.unwrap();
        } else {
            f.reclaim(HERE, nothing(), at(3)).await.unwrap();
        }
        assert_eq!(f.turn(unasked.turn.id).await.unwrap().unwrap().state, TurnState::Dropped);
        let told = f.claim(at(3)).await;
        assert_eq!(told.turn.kind, TurnKind::SessionUpdated);
        let history: Vec<_> = told.history.iter().map(|message| message.id).collect();
        assert_eq!(history, [said.id], "known: {is_known}");
        f.complete_turn(f.completion(&told, texts(&[]), at(4))).await.unwrap();
    }
}
