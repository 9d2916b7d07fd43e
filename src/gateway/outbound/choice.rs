//! Which of a lane's texts leave next: in their order, but past those whose destination has no room for them yet. Reads
//! and writes nothing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::ids::MessageId;
use crate::domain::message::Priority;
use crate::domain::pace::Moment;
use crate::store::Head;

use crate::gateway::pace::{Claim, Claims, Destination, Limit};

/// So many texts of one destination wait where they are, agents' first, ready to leave at the first chance; the others
/// are put off.
const KEPT: usize = 4;
/// And so many of all destinations together: fewer than a lane looks at.
const KEPT_IN_ALL: usize = 32;

/// A text whose attempt is to be written down now.
pub(super) struct Chosen {
    pub id: MessageId,
    pub claims: Claims,
}

#[derive(Default)]
pub(super) struct Choice {
    pub chosen: Vec<Chosen>,
    /// What is to be looked at again later, and after how long.
    pub put_off: Vec<(MessageId, Duration)>,
    /// When the first of the others may leave.
    pub next: Option<Moment>,
}

pub(super) struct Chooser {
    now: Moment,
    lead: Duration,
    account: Option<Arc<Limit>>,
    segments: Vec<u32>,
    choice: Choice,
    /// How many are kept of each destination.
    kept: BTreeMap<String, usize>,
    /// The kept one whose destination has room first.
    first_kept: Option<(Moment, Head, Arc<Destination>)>,
}

impl Chooser {
    pub fn new(now: Moment, lead: Duration, account: Option<Arc<Limit>>) -> Self {
        Self {
            now,
            lead,
            account,
            segments: Vec::new(),
            choice: Choice::default(),
            kept: BTreeMap::new(),
            first_kept: None,
        }
    }

    pub fn chosen(&self) -> usize {
        self.choice.chosen.len()
    }

    /// Of what was chosen so far, in its order.
    pub fn segments(&self) -> impl Iterator<Item = u32> {
        self.segments.iter().copied()
    }

    /// The next text, which its number lets leave at `departure`, and its account then or later. `false`: that is enough.
    pub fn consider(
        &mut self,
        head: Head,
        departure: Moment,
        destination: Option<(&Arc<Destination>, Priority)>,
    ) -> bool {
        let departure =
            self.account.as_ref().map_or(departure, |account| account.due(departure, head.segments));
        if departure > self.now + self.lead {
            // What comes after it must not overtake it.
            self.not_before(departure);
            return false;
        }
        let Some((destination, priority)) = destination else {
            self.choose(head, departure, None);
            return true;
        };
        match destination.limit.claim_at(departure, head.segments) {
            Ok(claim) => self.choose(head, departure, Some(claim)),
            Err(open) => self.leave(head, open, (destination, priority)),
        }
        true
    }

    /// If nothing can leave before, the first that its destination lets leave soon is waited for.
    pub fn finish(mut self) -> Choice {
        if self.choice.chosen.is_empty()
            && let Some((open, head, destination)) = self.first_kept.take()
            && open <= self.now + self.lead
            && let Ok(claim) = destination.limit.claim_at(open, head.segments)
        {
            self.choose(head, open, Some(claim));
        }
        self.choice
    }

    fn choose(&mut self, head: Head, departure: Moment, destination: Option<Claim>) {
        let account = self.account.as_ref().map(|account| account.claim(departure, head.segments));
        let claims = Claims::new(account, destination);
        self.segments.push(head.segments);
        self.choice.chosen.push(Chosen { id: head.message_id, claims });
    }

    /// There is no room for it yet: it stays where it is, or is put off.
    fn leave(&mut self, head: Head, open: Moment, (destination, priority): (&Arc<Destination>, Priority)) {
        let in_all: usize = self.kept.values().sum();
        let kept = self.kept.entry(destination.prefix.clone()).or_default();
        if *kept < KEPT && in_all < KEPT_IN_ALL {
            *kept += 1;
            self.not_before(open);
            if self.first_kept.as_ref().is_none_or(|(first, ..)| open < *first) {
                self.first_kept = Some((open, head, Arc::clone(destination)));
            }
        } else {
            let again = destination.put_off(self.now, priority, head.segments);
            self.choice.put_off.push((head.message_id, again.saturating_sub(self.now)));
        }
    }

    fn not_before(&mut self, moment: Moment) {
        self.choice.next = self.choice.next.into_iter().chain([moment]).min();
    }
}
