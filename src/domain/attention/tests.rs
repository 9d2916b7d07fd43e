//! Who waits, who is reminded, and who comes back to the bot.

use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::domain::conversation::{LOOP_GUARD, POSSIBLE_OPT_OUT};
use crate::domain::fixtures::{HOUR, at, first, patient, policy, switched, turn_id};

const MINUTE: Duration = Duration::from_secs(60);

fn held(policy: &Policy) -> Session {
    switched(first().session, true, policy, at(0))
}

fn look(session: Session, policy: &Policy, now: Timestamp) -> Attended {
    attend(session, None, policy, turn_id(50), now)
}

#[test]
fn the_wait_begins_once_and_ends_with_all_that_was_planned() {
    let policy = patient(Some(MINUTE), Some(HOUR));
    let mut session = held(&policy);
    assert_eq!((session.waiting_since, session.attend_at), (Some(at(0)), Some(at(60))));
    session.wait_from(at(30), &policy);
    assert_eq!((session.waiting_since, session.attend_at), (Some(at(0)), Some(at(60))));
    session.stop_waiting();
    assert_eq!((session.waiting_since, session.attend_at), (None, None));
    session.wait_from(at(90), &policy);
    assert_eq!(session.attend_at, Some(at(150)));
}

#[test]
fn whichever_comes_first_is_planned() {
    assert_eq!(held(&patient(Some(HOUR), Some(MINUTE))).attend_at, Some(at(60)));
    assert_eq!(held(&patient(Some(MINUTE), Some(HOUR))).attend_at, Some(at(60)));
    assert_eq!(held(&patient(None, Some(MINUTE))).attend_at, Some(at(60)));
    assert_eq!(held(&policy()).attend_at, None);
    let no_bot = Policy { has_bot: false, ..patient(None, Some(MINUTE)) };
    assert_eq!(held(&no_bot).attend_at, None, "there is nobody whom it could come back to");
}

#[test]
fn the_bot_has_it_back_only_where_it_was_not_taken_from_it_for_good() {
    let policy = patient(None, Some(MINUTE));
    for reason in
        [LOOP_GUARD, POSSIBLE_OPT_OUT, "bot_unavailable: it answered 503", "bot_disabled: it is gone"]
    {
        let kept = Session { attention_reason: Some(reason.into()), ..held(&policy) };
        assert_eq!(kept.return_at(&policy), None, "{reason}");
    }
    let other = Session { attention_reason: Some("bot-unreachable".into()), ..held(&policy) };
    assert_eq!(other.return_at(&policy), Some(at(60)));
    let taken = Session { assignee: Some("eve".into()), ..held(&policy) };
    assert_eq!(taken.return_at(&policy), None);
}

#[test]
fn a_session_that_comes_back_is_switched_like_any_other() {
    let policy = patient(None, Some(MINUTE));
    let session = held(&policy);
    let back = look(session.clone(), &policy, at(60));
    let Attention::Returned(Some(turn)) = back.outcome else { panic!("{:?}", back.outcome) };
    assert_eq!((back.session.need_attention, back.session.version), (false, session.version + 1));
    assert_eq!((turn.kind, turn.version), (TurnKind::SessionUpdated, back.session.version));
}

#[test]
fn the_bot_is_asked_about_the_text_and_told_the_rest() {
    let policy = patient(None, Some(MINUTE));
    let mut session = held(&policy);
    let mut asked = first().message;
    asked.place = 3;
    session.message_count = 6;
    let back = attend(session, Some(&asked), &policy, turn_id(50), at(60));
    let Attention::Returned(Some(turn)) = back.outcome else { panic!("{:?}", back.outcome) };
    assert_eq!((turn.kind, turn.message_id), (TurnKind::MessageReceived, Some(asked.id)));
    assert_eq!((turn.history, back.session.unseen_by_bot_from), (Some(1..3), Some(4)));
}

#[test]
fn the_bot_is_given_back_what_the_customer_wrote_last_only_once() {
    let policy = patient(Some(10 * HOUR), Some(MINUTE));
    let back = look(held(&policy), &policy, at(60));
    assert!(matches!(back.outcome, Attention::Returned(_)));
    // The bot calls for a human again.
    let again = switched(back.session, true, &policy, at(70));
    assert_eq!((again.return_at(&policy), again.attend_at), (None, Some(at(70 + 36_000))));
    let mut asked = again;
    asked.asks_anew(at(80), &policy);
    assert_eq!((asked.return_at(&policy), asked.attend_at), (Some(at(130)), Some(at(130))));
}

#[test]
fn new_rules_count_for_those_who_wait_already() {
    let never = policy();
    let mut session = held(&never);
    assert_eq!(session.attend_at, None);
    assert!(!session.plan_anew(&never, at(1_000)));
    assert!(session.plan_anew(&patient(Some(MINUTE), None), at(1_000)));
    assert_eq!(session.attend_at, Some(at(1_060)));
    // One that is planned for earlier stays; the bot's is counted from the beginning of the wait.
    assert!(!session.plan_anew(&patient(Some(HOUR), None), at(1_001)));
    assert!(session.plan_anew(&patient(None, Some(MINUTE)), at(1_002)));
    assert_eq!(session.attend_at, Some(at(60)));
    let mut with_bot = first().session;
    assert!(!with_bot.plan_anew(&patient(Some(MINUTE), Some(MINUTE)), at(1_000)), "nobody waits");
}

#[test]
fn what_was_planned_under_other_rules_is_no_reminder() {
    let session = held(&patient(Some(MINUTE), None));
    let planned = look(session.clone(), &policy(), at(60));
    assert!(matches!(planned.outcome, Attention::Planned));
    assert_eq!(planned.session, Session { attend_at: None, ..session });
}

#[test]
fn a_session_is_taken_from_somebody_by_force_only() {
    let session = held(&policy());
    let take = |session: &Session, who: Option<&str>, caller: &str, force| {
        assign(session.clone(), who.map(str::to_owned), caller, force, &policy(), at(9))
    };
    let eves = take(&session, Some("eve"), "desk", false).unwrap();
    assert_eq!(take(&eves, Some("joe"), "joe", false), Err(AssignRefusal::Taken("eve".into())));
    assert_eq!(take(&eves, None, "joe", false), Err(AssignRefusal::Taken("eve".into())));
    assert_eq!(take(&eves, Some("joe"), "joe", true).unwrap().assignee.as_deref(), Some("joe"));
    assert_eq!(take(&eves, None, "eve", false).unwrap().assignee, None);
    assert_eq!(take(&eves, Some("eve"), "joe", false).unwrap(), eves);
    let with_bot = first().session;
    let refused = take(&with_bot, Some("eve"), "eve", true);
    assert_eq!(refused, Err(AssignRefusal::Refused(Refusal::SessionNotHeld)));
}

#[test]
fn only_words_of_the_customers_ask_something() {
    let mut message = first().message;
    assert!(asks_something(&message));
    message.keyword = Some(crate::domain::keywords::Keyword::Help);
    assert!(!asks_something(&message));
    message.keyword = None;
    message.author.role = Role::Agent;
    assert!(!asks_something(&message));
}

fn pauses() -> impl Strategy<Value = Option<Duration>> {
    option::of((1..10_000_000u64).prop_map(Duration::from_millis))
}

proptest! {
    /// Whatever the rules are and were, whoever has it, and however often one looks: after a look nothing is due at the
    /// same moment, or somebody who looks whenever something is due would look for ever.
    #[test]
    fn after_a_look_nothing_is_due(
        (escalate_after, return_after) in (pauses(), pauses()),
        (escalate_before, return_before) in (pauses(), pauses()),
        has_bot in any::<bool>(),
        assignee in option::of(Just("eve".to_owned())),
        looks in prop::collection::vec(0..10_000_000i64, 1..20),
    ) {
        let policy = Policy { has_bot, ..patient(escalate_after, return_after) };
        let mut session = held(&patient(escalate_before, return_before));
        session.assignee = assignee;
        let mut now = at(0);
        for wait_ms in looks {
            now = now.after(Duration::from_millis(wait_ms.unsigned_abs()));
            if session.attend_at.is_none_or(|at| at > now) {
                continue;
            }
            session = look(session, &policy, now).session;
            prop_assert!(session.attend_at.is_none_or(|at| at > now), "{:#?}", session);
        }
    }

    #[test]
    fn each_pause_is_at_least_as_long_as_the_one_before_and_never_too_long(first_ms in 1..1u64 << 40) {
        let first = Duration::from_millis(first_ms);
        let policy = patient(Some(first), None);
        let (mut session, mut before) = (held(&policy), Duration::ZERO);
        for _ in 0..80 {
            let due = session.attend_at.unwrap();
            session = look(session, &policy, due).session;
            let pause = session.attend_at.unwrap().since(due);
            prop_assert!(pause >= before && pause <= first * LONGEST_PAUSE);
            before = pause;
        }
        prop_assert_eq!(before, first * LONGEST_PAUSE);
    }
}
