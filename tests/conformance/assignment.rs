//! Which agent has a session: who may take it on, and who may speak in it.

use switchboard::domain::attention::AssignRefusal;
use switchboard::domain::conversation::Refusal;
use switchboard::domain::ids::CustomerId;
use switchboard::domain::message::{Author, Role};
use switchboard::store::{
    AssignError, AssignSession, AssigneeFilter, CreateMessage, CreateMessageError, InboxFilter,
};

use crate::engines::Open;
use crate::export::{file_of, fill};
use crate::fixture::{ANN, BOB, CLEO, Fixture, IDLE_AFTER, all, assignment, at, at_once, rules};

on_every_engine! {
    an_agent_takes_a_session_on_and_lets_it_go,
    only_a_held_session_of_somebody_is_assigned,
    two_agents_cannot_have_it,
    of_many_who_take_a_session_on_one_has_it,
    force_takes_it_from_whoever_has_it,
    what_is_so_already_changes_nothing,
    a_release_leaves_it_to_nobody,
    only_who_has_it_speaks_in_it,
    the_gateway_and_the_bot_mind_no_assignee,
    what_an_assigned_session_refuses_changes_nothing,
    the_inbox_is_narrowed_down_to_whose_sessions_they_are,
    who_has_it_moves_with_the_store,
}

fn by(f: &Fixture, name: &str, id: CustomerId, second: i64) -> CreateMessage {
    f.say(id, Author { role: Role::Agent, name: name.into() }, "hi", at(second))
}

async fn taken_by(f: &Fixture, name: &str, id: CustomerId, second: i64) {
    f.assign_session(assignment(id, Some(name), name, at(second))).await.unwrap();
}

async fn assignee(f: &Fixture, id: CustomerId) -> Option<String> {
    f.talk(id).await.assignee
}

async fn an_agent_takes_a_session_on_and_lets_it_go(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_agents(ANN).await;
    let (before, from) = (f.talk(id).await, f.place().await);
    let taken = f.assign_session(assignment(id, Some("eve"), "eve", at(1))).await.unwrap();
    assert_eq!(taken, f.talk(id).await);
    assert_eq!((taken.assignee.as_deref(), taken.updated_at), (Some("eve"), at(1)));
    assert_eq!((taken.version, taken.waiting_since), (before.version, before.waiting_since), "no switch");
    let left = f.assign_session(assignment(id, None, "eve", at(2))).await.unwrap();
    assert_eq!(left.assignee, None);
    assert_eq!(f.names(from).await, ["session.updated", "session.updated"]);
}

async fn only_a_held_session_of_somebody_is_assigned(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let refused = f.assign_session(assignment(id, Some("eve"), "eve", at(1))).await;
    let expected = AssignRefusal::Refused(Refusal::SessionNotHeld);
    assert!(matches!(refused, Err(AssignError::Refused(refusal)) if refusal == expected));
    let late = f.assign_session(assignment(id, Some("eve"), "eve", at(0).after(IDLE_AFTER))).await;
    assert!(matches!(late, Err(AssignError::NoCurrentSession)));
    let nobody = f.assign_session(assignment(CustomerId(f.id()), Some("eve"), "eve", at(1))).await;
    assert!(matches!(nobody, Err(AssignError::NotFound)));
}

async fn two_agents_cannot_have_it(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_agents(ANN).await;
    taken_by(&f, "eve", id, 1).await;
    for assignee in [Some("joe"), None] {
        let refused = f.assign_session(assignment(id, assignee, "joe", at(2))).await;
        let expected = AssignRefusal::Taken("eve".into());
        assert!(matches!(refused, Err(AssignError::Refused(refusal)) if refusal == expected), "{assignee:?}");
    }
    // Who has it may hand it on.
    f.assign_session(assignment(id, Some("joe"), "eve", at(3))).await.unwrap();
    assert_eq!(assignee(&f, id).await.as_deref(), Some("joe"));
}

async fn of_many_who_take_a_session_on_one_has_it(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_agents(ANN).await;
    let taken = at_once(32, |task| {
        let name = format!("agent {task}");
        let (store, command) = ((*f).clone(), assignment(id, Some(&name), &name, at(1)));
        async move { store.assign_session(command).await.is_ok() }
    })
    .await;
    assert_eq!(taken.into_iter().filter(|taken| *taken).count(), 1);
}

async fn force_takes_it_from_whoever_has_it(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_agents(ANN).await;
    taken_by(&f, "eve", id, 1).await;
    let by_force = AssignSession { force: true, ..assignment(id, Some("joe"), "joe", at(2)) };
    assert_eq!(f.assign_session(by_force).await.unwrap().assignee.as_deref(), Some("joe"));
    let by_force = AssignSession { force: true, ..assignment(id, None, "eve", at(3)) };
    assert_eq!(f.assign_session(by_force).await.unwrap().assignee, None);
}

async fn what_is_so_already_changes_nothing(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_agents(ANN).await;
    let free = f.talk(id).await;
    assert_eq!(f.assign_session(assignment(id, None, "joe", at(1))).await.unwrap(), free);
    taken_by(&f, "eve", id, 2).await;
    let (taken, from) = (f.talk(id).await, f.place().await);
    for caller in ["eve", "joe"] {
        let again = f.assign_session(assignment(id, Some("eve"), caller, at(3))).await.unwrap();
        assert_eq!(again, taken);
    }
    assert_eq!(f.place().await, from);
}

async fn a_release_leaves_it_to_nobody(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_agents(ANN).await;
    taken_by(&f, "eve", id, 1).await;
    assert_eq!(f.let_go(id, at(2)).await.assignee, None);
    f.hold(id, at(3)).await;
    taken_by(&f, "joe", id, 4).await;
    // Holding what is held leaves it to who has it.
    assert_eq!(f.hold(id, at(5)).await.assignee.as_deref(), Some("joe"));
}

async fn only_who_has_it_speaks_in_it(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_agents(ANN).await;
    f.queue(by(&f, "eve", id, 1)).await;
    f.queue(by(&f, "joe", id, 1)).await;
    taken_by(&f, "eve", id, 2).await;
    let refused = f.create_message(by(&f, "joe", id, 3)).await;
    assert!(matches!(refused, Err(CreateMessageError::Refused(Refusal::SessionAssigned))));
    f.queue(by(&f, "eve", id, 3)).await;
    f.assign_session(assignment(id, None, "eve", at(4))).await.unwrap();
    f.queue(by(&f, "joe", id, 5)).await;
    assert_eq!(assignee(&f, id).await, None, "who speaks has not taken it on");
}

async fn the_gateway_and_the_bot_mind_no_assignee(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_agents(ANN).await;
    taken_by(&f, "eve", id, 1).await;
    f.queue(f.by_gateway(id, "123456", at(2))).await;
    let mut stop = f.text(ANN, "HELP", at(3));
    stop.text.replies.help = Some("this is us".into());
    assert_eq!(f.hear(stop).await.1.assignee.as_deref(), Some("eve"));
    let refused = f.create_message(f.by_bot(id, "hi", at(4))).await;
    assert!(matches!(refused, Err(CreateMessageError::Refused(Refusal::SessionHeld))));
}

async fn what_an_assigned_session_refuses_changes_nothing(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_agents(ANN).await;
    taken_by(&f, "eve", id, 1).await;
    let (before, from) = (f.talk(id).await, f.place().await);
    assert!(f.create_message(by(&f, "joe", id, 2)).await.is_err());
    assert!(f.assign_session(assignment(id, Some("joe"), "joe", at(2))).await.is_err());
    assert_eq!((f.talk(id).await, f.place().await), (before, from));
}

async fn the_inbox_is_narrowed_down_to_whose_sessions_they_are(open: Open) {
    let f = Fixture::under(open, rules());
    let (ann, bob, cleo) = (f.with_agents(ANN).await, f.with_agents(BOB).await, f.with_agents(CLEO).await);
    let dora = f.with_bot("+14155550104").await;
    taken_by(&f, "eve", bob, 1).await;
    taken_by(&f, "eve", ann, 2).await;
    taken_by(&f, "joe", cleo, 3).await;
    f.queue(by(&f, "eve", ann, 4)).await;
    let of = async |assignee: AssigneeFilter| {
        let filter = InboxFilter { assignee: Some(assignee), ..InboxFilter::default() };
        let items = f.inbox(filter, all()).await.unwrap().items;
        items.iter().map(|session| session.customer_id).collect::<Vec<_>>()
    };
    let agent = |name: &str| AssigneeFilter::Agent(name.into());
    // Who waits comes before who was answered.
    assert_eq!(of(agent("eve")).await, [bob, ann]);
    assert_eq!(of(agent("joe")).await, [cleo]);
    assert_eq!(of(agent("ev")).await, []);
    assert_eq!(of(AssigneeFilter::Nobody).await, [dora]);
    f.let_go(bob, at(5)).await;
    assert_eq!(of(agent("eve")).await, [ann]);
    assert_eq!(of(AssigneeFilter::Nobody).await, [bob, dora]);
    let pair =
        InboxFilter { assignee: Some(agent("eve")), need_attention: Some(false), ..InboxFilter::default() };
    assert!(f.inbox(pair, all()).await.unwrap().items.is_empty());
    f.erase_customer(ann, at(6)).await.unwrap();
    assert_eq!(of(agent("eve")).await, []);
}

async fn who_has_it_moves_with_the_store(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_agents(ANN).await;
    taken_by(&f, "eve", id, 1).await;
    let copy = Fixture::new(open);
    copy.skip_ids_of(&f);
    fill(&**copy, &file_of(&**f).await).await;
    let filter =
        InboxFilter { assignee: Some(AssigneeFilter::Agent("eve".into())), ..InboxFilter::default() };
    assert_eq!(copy.inbox(filter, all()).await.unwrap().items, [f.talk(id).await]);
    assert!(copy.create_message(by(&copy, "joe", id, 2)).await.is_err());
}
