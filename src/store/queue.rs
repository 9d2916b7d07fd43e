//! The commands that wait for the committer: bounded, and what is under way before what is new, so that a store with
//! more work than it can take finishes what it has begun. Knows nothing of what a command does.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What a command is for. The more urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// It ends what was begun, or takes something back: an outcome, a receipt, the bot's answer.
    UnderWay,
    /// It begins what was taken before: an attempt, a turn.
    Due,
    /// It takes something new: a text, a customer.
    New,
}

/// How many parts of a batch there are, of which what is due and what is new may always have one each: a flood of what is
/// under way, as when a provider repeats its receipts, slows down what leaves and what comes from outside, and shuts
/// neither out.
const PARTS: usize = 4;

pub struct Queue<J> {
    waiting: Mutex<Waiting<J>>,
    changed: Condvar,
    /// For each urgency by itself: a flood of one kind leaves the others their places.
    most_waiting: usize,
}

struct Waiting<J> {
    of: [VecDeque<J>; 3],
    closed: bool,
}

/// Why a command may not wait here.
#[derive(Debug, PartialEq, Eq)]
pub enum Refused {
    Full,
    Closed,
}

impl<J> Queue<J> {
    pub fn new(most_waiting: usize) -> Self {
        let of = [VecDeque::new(), VecDeque::new(), VecDeque::new()];
        Self { waiting: Mutex::new(Waiting { of, closed: false }), changed: Condvar::new(), most_waiting }
    }

    pub fn push(&self, urgency: Urgency, job: J) -> Result<(), Refused> {
        let mut waiting = self.waiting();
        if waiting.closed {
            return Err(Refused::Closed);
        }
        let line = &mut waiting.of[urgency as usize];
        if line.len() >= self.most_waiting {
            return Err(Refused::Full);
        }
        line.push_back(job);
        drop(waiting);
        self.changed.notify_all();
        Ok(())
    }

    /// Up to `most` that wait, the most urgent first, and in order within an urgency. Blocks until there is one; none:
    /// it is closed, and nothing waits any more.
    pub fn next_batch(&self, most: usize) -> Option<Vec<(Urgency, J)>> {
        let waiting = self.changed.wait_while(self.waiting(), Waiting::has_nothing);
        let batch = waiting.unwrap_or_else(PoisonError::into_inner).take(most);
        (!batch.is_empty()).then_some(batch)
    }

    /// The same, and nothing if there is none within that time.
    pub fn next_batch_within(&self, most: usize, time: Duration) -> Option<Vec<(Urgency, J)>> {
        let waiting = self.changed.wait_timeout_while(self.waiting(), time, Waiting::has_nothing);
        let (mut waiting, _) = waiting.unwrap_or_else(PoisonError::into_inner);
        let batch = waiting.take(most);
        (!batch.is_empty() || !waiting.closed).then_some(batch)
    }

    /// Waits that long, or until it is closed, which is `true`.
    pub fn closes_within(&self, pause: Duration) -> bool {
        let open = |waiting: &mut Waiting<J>| !waiting.closed;
        let waited = self.changed.wait_timeout_while(self.waiting(), pause, open);
        waited.unwrap_or_else(PoisonError::into_inner).0.closed
    }

    /// All that waits, taken out.
    pub fn drain(&self) -> Vec<J> {
        self.waiting().of.iter_mut().flat_map(std::mem::take).collect()
    }

    /// Takes nothing more. What waits stays.
    pub fn close(&self) {
        self.waiting().closed = true;
        self.changed.notify_all();
    }

    pub fn is_closed(&self) -> bool {
        self.waiting().closed
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting<J>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<J> Waiting<J> {
    fn has_nothing(&mut self) -> bool {
        !self.closed && self.of.iter().all(VecDeque::is_empty)
    }

    fn take(&mut self, most: usize) -> Vec<(Urgency, J)> {
        let [under_way, due, new] = &mut self.of;
        let share = |line: &VecDeque<J>| line.len().min(most / PARTS);
        let (for_due, for_new) = (share(due), share(new));
        let mut batch = Vec::new();
        let mut take = |urgency, line: &mut VecDeque<J>, most: usize| {
            let room = most.saturating_sub(batch.len()).min(line.len());
            batch.extend(line.drain(..room).map(|job| (urgency, job)));
        };
        take(Urgency::UnderWay, under_way, most - for_due - for_new);
        take(Urgency::Due, due, most - for_new);
        take(Urgency::New, new, most);
        batch
    }
}

#[cfg(test)]
mod tests {
    use super::Urgency::{Due, New, UnderWay};
    use super::*;

    fn batch(queue: &Queue<u32>, most: usize) -> Vec<u32> {
        queue.next_batch(most).unwrap().into_iter().map(|(_, job)| job).collect()
    }

    #[test]
    fn what_is_under_way_goes_before_what_is_new_and_each_stays_in_order() {
        let queue = Queue::new(8);
        for (urgency, job) in [(New, 1), (New, 2), (Due, 3), (UnderWay, 4), (UnderWay, 5)] {
            queue.push(urgency, job).unwrap();
        }
        assert_eq!(batch(&queue, 8), [4, 5, 3, 1, 2]);
    }

    #[test]
    fn a_flood_of_what_is_under_way_does_not_shut_out_what_is_new() {
        let queue = Queue::new(8);
        (0..8).for_each(|job| queue.push(UnderWay, job).unwrap());
        (8..12).for_each(|job| queue.push(New, job).unwrap());
        assert_eq!(batch(&queue, 4), [0, 1, 2, 8]);
        assert_eq!(batch(&queue, 4), [3, 4, 5, 9]);
    }

    #[test]
    fn a_flood_of_what_is_under_way_does_not_shut_out_what_is_due() {
        let queue = Queue::new(16);
        (0..8).for_each(|job| queue.push(UnderWay, job).unwrap());
        (8..12).for_each(|job| queue.push(Due, job).unwrap());
        assert_eq!(batch(&queue, 4), [0, 1, 2, 8]);
        queue.push(New, 12).unwrap();
        assert_eq!(batch(&queue, 4), [3, 4, 9, 12]);
        assert_eq!(batch(&queue, 8), [5, 6, 7, 10, 11]);
    }

    #[test]
    fn each_urgency_has_its_own_places() {
        let queue = Queue::new(2);
        queue.push(New, 1).unwrap();
        queue.push(New, 2).unwrap();
        assert_eq!(queue.push(New, 3), Err(Refused::Full));
        queue.push(UnderWay, 4).unwrap();
    }

    #[test]
    fn nothing_is_waited_for_no_longer_than_that() {
        let queue = Queue::new(2);
        assert_eq!(queue.next_batch_within(4, Duration::ZERO), Some(vec![]));
        queue.push(New, 1).unwrap();
        assert_eq!(queue.next_batch_within(4, Duration::from_secs(60)), Some(vec![(New, 1)]));
        queue.close();
        assert_eq!(queue.next_batch_within(4, Duration::from_secs(60)), None);
    }

    #[test]
    fn a_closed_queue_gives_out_what_waits_and_then_ends() {
        let queue = Queue::new(2);
        queue.push(New, 1).unwrap();
        assert!(!queue.closes_within(Duration::ZERO));
        queue.close();
        assert!(queue.closes_within(Duration::from_secs(60)));
        assert_eq!(queue.push(New, 2), Err(Refused::Closed));
        assert_eq!(batch(&queue, 4), [1]);
        assert!(queue.next_batch(4).is_none());
    }
}
