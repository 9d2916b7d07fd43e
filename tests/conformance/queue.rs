//! The lanes: what is sent next, and in what order.

use switchboard::domain::conversation::KeywordReplies;
use switchboard::domain::delivery::Status;
use switchboard::domain::ids::MessageId;
use switchboard::store::{Begun, Inbound, LaneHead};

use crate::engines::Open;
use crate::fixture::{ANN, BOB, CLEO, Fixture, HERE, accepted, at, at_once, lane, other_lane, transient};

on_every_engine! {
    one_text_per_customer_is_in_flight,
    one_customers_texts_keep_their_order_over_all_lanes,
    a_customers_queue_tells_its_front_whatever_the_lane,
    agents_texts_go_before_the_bots,
    the_gateways_own_texts_go_with_the_agents,
    what_is_ready_first_goes_first,
    what_is_ready_at_once_goes_in_the_order_of_queueing,
    a_waiting_customer_holds_up_nobody_else,
    a_lane_tells_when_it_has_something,
    a_lane_has_only_its_own_texts,
    a_lane_is_busy_while_something_is_queued,
    many_senders_send_each_text_once,
}

async fn one_text_per_customer_is_in_flight(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let (first, second) = (f.queue(f.by_bot(id, "1", at(1))).await, f.queue(f.by_bot(id, "2", at(1))).await);
    assert_eq!(f.head(at(1)).await, Some(first));
    assert_eq!(f.begin_attempt(second, HERE, at(1)).await.unwrap(), Begun::NotDue);
    let attempt = f.begin(first, at(1)).await;
    assert_eq!(f.lane_head(&lane(), at(1)).await.unwrap(), LaneHead::Empty);
    assert_eq!(f.begin_attempt(second, HERE, at(1)).await.unwrap(), Begun::NotDue);
    f.settle(first, attempt, accepted("SM1"), at(2)).await.unwrap();
    assert_eq!(f.head(at(2)).await, Some(second));
}

async fn one_customers_texts_keep_their_order_over_all_lanes(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let first = f.queue(f.by_bot(id, "1", at(5))).await;
    let mut moves = f.text(ANN, "from here on", at(1));
    moves.text.lane = other_lane();
    f.hear(moves).await;
    let second = f.queue(f.by_bot(id, "2", at(1))).await;
    assert_eq!(f.lane_head(&other_lane(), at(5)).await.unwrap(), LaneHead::Empty);
    assert_eq!(f.begin_attempt(second, HERE, at(5)).await.unwrap(), Begun::NotDue);
    f.send(first, accepted("SM1"), at(6)).await;
    assert_eq!(
        f.lane_head(&other_lane(), at(6)).await.unwrap(),
        LaneHead::Ready { message_id: second, segments: 1 },
    );
}

async fn a_customers_queue_tells_its_front_whatever_the_lane(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    assert_eq!(f.queue_front(id).await.unwrap(), None);
    let first = f.queue(f.by_bot(id, "1", at(1))).await;
    let mut moves = f.text(ANN, "from here on", at(1));
    moves.text.lane = other_lane();
    f.hear(moves).await;
    let second = f.queue(f.by_bot(id, "2", at(1))).await;
    let attempt = f.begin(first, at(1)).await;
    let front = async || f.queue_front(id).await.unwrap().map(|front| (front.id, front.delivery.lane));
    assert_eq!(front().await, Some((first, lane())));
    f.settle(first, attempt, accepted("SM1"), at(2)).await.unwrap();
    assert_eq!(front().await, Some((second, other_lane())));
    f.cancel_message(second, at(3)).await.unwrap();
    assert_eq!(front().await, None);
}

async fn agents_texts_go_before_the_bots(open: Open) {
    let f = Fixture::new(open);
    let by_bot = f.queue(f.by_bot(f.with_bot(ANN).await, "1", at(1))).await;
    let by_agent = f.queue(f.by_agent(f.with_agents(BOB).await, "1", at(2))).await;
    assert_eq!(f.head(at(1)).await, Some(by_bot));
    assert_eq!(f.head(at(2)).await, Some(by_agent));
    // An agent's does not overtake within one customer's queue.
    let id = f.with_bot(CLEO).await;
    let first = f.queue(f.by_gateway(id, "123456", at(0))).await;
    f.hold(id, at(0)).await;
    f.queue(f.by_agent(id, "1", at(0))).await;
    assert_eq!(f.head(at(2)).await, Some(first));
}

async fn the_gateways_own_texts_go_with_the_agents(open: Open) {
    let f = Fixture::new(open);
    f.queue(f.by_bot(f.with_bot(ANN).await, "1", at(0))).await;
    let mut help = f.text(BOB, "HELP", at(1));
    help.text.replies = KeywordReplies { help: Some("This is us.".into()), ..KeywordReplies::default() };
    let Inbound::Recorded { reply: Some(reply), .. } = f.record_inbound(help).await.unwrap() else {
        panic!("no reply")
    };
    assert_eq!(f.head(at(1)).await, Some(reply.id));
}

async fn what_is_ready_first_goes_first(open: Open) {
    let f = Fixture::new(open);
    let mut later = f.by_bot(f.with_bot(ANN).await, "1", at(1));
    later.text.not_before = Some(at(30));
    let later = f.queue(later).await;
    let sooner = f.queue(f.by_bot(f.with_bot(BOB).await, "1", at(20))).await;
    assert_eq!(f.head(at(30)).await, Some(sooner));
    f.send(sooner, accepted("SM1"), at(30)).await;
    assert_eq!(f.head(at(30)).await, Some(later));
}

async fn what_is_ready_at_once_goes_in_the_order_of_queueing(open: Open) {
    let f = Fixture::new(open);
    let (ann, bob) = (f.with_bot(ANN).await, f.with_bot(BOB).await);
    // Bob was there later, and his text has the smaller id.
    let first = f.queue(f.by_bot(bob, "1", at(1))).await;
    let mut command = f.by_bot(ann, "1", at(1));
    command.text.id = MessageId(uuid::Uuid::nil());
    let second = f.queue(command).await;
    assert_eq!(f.head(at(1)).await, Some(first));
    // Tried again at that moment it keeps its place.
    f.send(first, transient(at(1)), at(1)).await;
    assert_eq!(f.head(at(1)).await, Some(first));
    f.send(first, accepted("SM1"), at(1)).await;
    assert_eq!(f.head(at(1)).await, Some(second));
}

async fn a_waiting_customer_holds_up_nobody_else(open: Open) {
    let f = Fixture::new(open);
    let (ann, bob) = (f.with_bot(ANN).await, f.with_bot(BOB).await);
    let anns = f.queue(f.by_bot(ann, "1", at(1))).await;
    f.queue(f.by_bot(ann, "2", at(1))).await;
    let bobs = f.queue(f.by_bot(bob, "1", at(2))).await;
    f.begin(anns, at(1)).await;
    assert_eq!(f.head(at(2)).await, Some(bobs));
}

async fn a_lane_tells_when_it_has_something(open: Open) {
    let f = Fixture::new(open);
    assert_eq!(f.lane_head(&lane(), at(0)).await.unwrap(), LaneHead::Empty);
    for (of, ready_at) in [(ANN, 40), (BOB, 30)] {
        let mut command = f.by_bot(f.with_bot(of).await, "1", at(1));
        command.text.not_before = Some(at(ready_at));
        f.queue(command).await;
    }
    // An agent's that is ready later does not hide a bot's that is ready sooner.
    let mut command = f.by_agent(f.with_agents(CLEO).await, &"x".repeat(200), at(1));
    command.text.not_before = Some(at(35));
    let by_agent = f.queue(command).await;
    assert_eq!(f.lane_head(&lane(), at(29)).await.unwrap(), LaneHead::NotBefore(at(30)));
    assert_eq!(
        f.lane_head(&lane(), at(35)).await.unwrap(),
        LaneHead::Ready { message_id: by_agent, segments: 2 },
    );
}

async fn a_lane_has_only_its_own_texts(open: Open) {
    let f = Fixture::new(open);
    f.queue(f.by_bot(f.with_bot(ANN).await, "1", at(1))).await;
    assert_eq!(f.lane_head(&other_lane(), at(1)).await.unwrap(), LaneHead::Empty);
    let mut alike = lane();
    alike.sender.pop();
    assert_eq!(f.lane_head(&alike, at(1)).await.unwrap(), LaneHead::Empty);
}

async fn a_lane_is_busy_while_something_is_queued(open: Open) {
    let f = Fixture::new(open);
    assert!(f.busy_lanes().await.unwrap().is_empty());
    let id = f.with_bot(ANN).await;
    let mut later = f.by_bot(id, "1", at(1));
    later.text.not_before = Some(at(60));
    let text = f.queue(later).await;
    assert_eq!(f.busy_lanes().await.unwrap(), [lane()]);
    f.begin(text, at(60)).await;
    assert!(f.busy_lanes().await.unwrap().is_empty());
    // Behind one that is on its way, too.
    f.queue(f.by_bot(id, "2", at(60))).await;
    assert_eq!(f.busy_lanes().await.unwrap(), [lane()]);
}

async fn many_senders_send_each_text_once(open: Open) {
    let f = Fixture::new(open);
    let mut queued = Vec::new();
    for of in [ANN, BOB, CLEO] {
        let id = f.with_bot(of).await;
        for content in ["1", "2", "3", "4"] {
            queued.push(f.queue(f.by_bot(id, content, at(1))).await);
        }
    }
    at_once(64, |task| {
        let (store, owner) = ((*f).clone(), format!("process {task}"));
        async move {
            while let LaneHead::Ready { message_id, .. } = store.lane_head(&lane(), at(1)).await.unwrap() {
                if let Begun::Attempt(text) = store.begin_attempt(message_id, &owner, at(1)).await.unwrap() {
                    let outcome = accepted(&format!("SM{message_id}"));
                    store.settle(text.id, text.delivery.attempt_number(), outcome, at(1)).await.unwrap();
                }
            }
        }
    })
    .await;
    for text in queued {
        let delivery = f.get(text).await.delivery;
        assert_eq!((delivery.status, delivery.attempts.len()), (Status::Sent, 1));
    }
}
