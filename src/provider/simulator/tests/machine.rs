//! The state machine by itself, with the time as a value.

use super::super::errors::ApiError;
use super::super::form::Form;
use super::super::state::{Answer, Answering, State};
use super::*;

fn machine(config: SimulatorConfig, seed: u64) -> State {
    State::new(Arc::new(config), seed)
}

fn send(state: &mut State, now: Timestamp) -> Answering {
    let form = "To=%2B14155552671&From=%2B15550001111&Body=hi&StatusCallback=http://localhost/";
    state.send(&Form::parse(form.as_bytes()), now)
}

/// All receipts to come, with their times in milliseconds.
fn live(state: &mut State) -> Vec<(i64, String)> {
    let mut seen = Vec::new();
    while let Some(at) = state.next_due() {
        for receipt in state.tick(at) {
            let (_, status) =
                receipt.fields.iter().find(|(name, _)| name == "MessageStatus").unwrap().clone();
            seen.push((at.as_millis() - start_of_time().as_millis(), status));
        }
    }
    seen
}

fn lived_with(next: &[ReceiptFault]) -> Vec<(i64, String)> {
    let mut state = machine(config(), 1);
    state.faults.next_receipts.extend(next);
    state.faults.late_ms = 100;
    send(&mut state, start_of_time());
    live(&mut state)
}

fn expected(states: &[(i64, &str)]) -> Vec<(i64, String)> {
    states.iter().map(|(at, state)| (*at, (*state).to_owned())).collect()
}

#[test]
fn receipts_are_lost_late_or_overtaken_as_their_fault_says() {
    use ReceiptFault::{Late, Lost, Nothing, Reordered};
    assert_eq!(lived_with(&[]), expected(&[(5, "sending"), (10, "sent"), (15, "delivered")]));
    assert_eq!(lived_with(&[Nothing, Lost]), expected(&[(5, "sending"), (15, "delivered")]));
    assert_eq!(lived_with(&[Late]), expected(&[(10, "sent"), (15, "delivered"), (105, "sending")]));
    assert_eq!(
        lived_with(&[Nothing, Reordered]),
        expected(&[(5, "sending"), (15, "delivered"), (15, "sent")])
    );
    assert_eq!(lived_with(&[Reordered, Lost]), expected(&[(10, "sending"), (15, "delivered")]));
    // The last receipt has none after it.
    assert_eq!(lived_with(&[Lost, Lost, Reordered]), expected(&[(15, "delivered")]));
}

#[test]
fn the_same_seed_gives_the_same_faults_and_ids_whatever_the_timing() {
    let faults =
        r#"{"sends": {"throttled": 0.2, "dropped_after": 0.2}, "receipts": {"lost": 0.3, "repeated": 0.3}}"#;
    let run = |seed: u64, hurried: bool| {
        let mut state = machine(config(), seed);
        state.faults = Faults::from_json(faults.as_bytes()).unwrap();
        let mut log = Vec::new();
        for _ in 0..100 {
            let answer = send(&mut state, start_of_time()).answer;
            log.push(format!("{:?}", std::mem::discriminant(&answer)));
            if hurried {
                log.extend(live(&mut state).into_iter().map(|(_, status)| status));
            }
        }
        log.extend(live(&mut state).into_iter().map(|(_, status)| status));
        log.sort_unstable();
        log
    };
    assert_eq!(run(7, false), run(7, true));
    assert_ne!(run(7, false), run(8, false));
}

#[test]
fn a_limited_sender_spends_its_time_by_segments() {
    let mut state = machine(SimulatorConfig { mps: Some(2.0), ..config() }, 1);
    for _ in 0..3 {
        send(&mut state, start_of_time());
    }
    let sending: Vec<_> =
        live(&mut state).into_iter().filter(|(_, s)| s == "sending").map(|(at, _)| at).collect();
    assert_eq!(sending, [5, 505, 1005]);
}

#[test]
fn a_text_that_cannot_leave_in_time_fails_and_a_queue_of_ten_hours_is_full() {
    let mut state = machine(SimulatorConfig { mps: Some(0.01), ..config() }, 1);
    let form = |validity: &str| {
        format!(
            "To=%2B14155552671&From=%2B15550001111&Body=hi&StatusCallback=http://localhost/&ValidityPeriod={validity}"
        )
    };
    state.send(&Form::parse(form("36000").as_bytes()), start_of_time());
    state.send(&Form::parse(form("60").as_bytes()), start_of_time());
    assert!(live(&mut state).contains(&(60_000, "failed".to_owned())));
    let full = (0..400).find_map(|_| match send(&mut state, start_of_time()).answer {
        Answer::Refused(error) => Some(error),
        _ => None,
    });
    assert_eq!(full.as_ref().map(|ApiError { code, .. }| *code), Some(21611));
}

#[test]
fn the_oldest_texts_are_forgotten() {
    let mut state = machine(SimulatorConfig { history: 3, ..config() }, 1);
    for _ in 0..10 {
        send(&mut state, start_of_time());
    }
    live(&mut state);
    let list = state.list(&Form::default(), start_of_time()).unwrap();
    assert_eq!(list["messages"].as_array().unwrap().len(), 3);
    assert_eq!(state.phones.texts(CUSTOMER, 0).len(), 3);
}

#[test]
fn a_new_text_can_be_missing_from_the_list_for_a_while() {
    let mut state = machine(config(), 1);
    state.faults.list_lag_ms = 1_000;
    send(&mut state, start_of_time());
    let listed = |later_ms| {
        let now = start_of_time().after(Duration::from_millis(later_ms));
        state.list(&Form::default(), now).unwrap()["messages"].as_array().unwrap().len()
    };
    assert_eq!((listed(999), listed(1_000)), (0, 1));
}

#[test]
fn a_simulator_that_starts_again_gives_no_id_twice() {
    let sid = |now| match send(&mut machine(config(), 1), now).answer {
        Answer::Created(text) => text["sid"].as_str().unwrap().to_owned(),
        other => panic!("{other:?}"),
    };
    assert_ne!(sid(start_of_time()), sid(start_of_time().after(Duration::from_millis(1))));
}
