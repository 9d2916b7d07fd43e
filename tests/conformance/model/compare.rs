//! All that can be read, compared: every page, every record and every count.

use std::fmt::Debug;

use proptest::test_runner::TestCaseError;
use switchboard::domain::customer::NumberHash;
use switchboard::domain::search::Query;
use switchboard::store::{
    AssigneeFilter, Cursor, InboxFilter, ListError, Page, PageRequest, Silent, Store, StoreError,
};

use super::run::{inbound_id, outbound_id, token_hash};
use super::world::{AGENTS, ENDPOINTS, NUMBERS, World, lanes, picked, same};
use crate::fixture::number;

type Compared = Result<(), TestCaseError>;

/// Asks both for every page of a list and compares them; the cursors are each engine's own.
macro_rules! same_pages {
    ($world:ident, $limit:expr, $list:ident($($argument:expr),*)) => {{
        let (mut model_after, mut engine_after): (Option<Cursor>, Option<Cursor>) = (None, None);
        loop {
            let page = |after| PageRequest { after, limit: $limit };
            let model = $world.model.$list($($argument,)* page(model_after)).await;
            let engine = $world.engine.$list($($argument,)* page(engine_after)).await;
            let nexts = (next(&model), next(&engine));
            same_read(stringify!($list), model.map(contents), engine.map(contents))?;
            (model_after, engine_after) = nexts;
            if engine_after.is_none() {
                break;
            }
        }
    }};
}

macro_rules! same_answer {
    ($world:ident.$read:ident($($argument:expr),*)) => {{
        let model = $world.model.$read($($argument),*).await;
        let engine = $world.engine.$read($($argument),*).await;
        same_read(stringify!($read), model, engine)?;
    }};
}

/// Reading what is there never fails.
fn same_read<T: PartialEq + Debug, E: Debug>(
    what: &str,
    model: Result<T, E>,
    engine: Result<T, E>,
) -> Compared {
    match same(what, model, engine)? {
        Ok(_) => Ok(()),
        Err(error) => Err(TestCaseError::fail(format!("{what} fails with {error}"))),
    }
}

fn next<T>(page: &Result<Page<T>, ListError>) -> Option<Cursor> {
    page.as_ref().ok().and_then(|page| page.next.clone())
}

fn contents<T>(page: Page<T>) -> (Vec<T>, bool) {
    (page.items, page.next.is_some())
}

impl World {
    pub async fn compare_reads(&self) -> Compared {
        self.compare_customers().await?;
        self.compare_inbox().await?;
        self.compare_messages().await?;
        self.compare_lanes().await?;
        self.compare_log().await?;
        self.compare_the_rest().await
    }

    async fn compare_customers(&self) -> Compared {
        same_pages!(self, 2, customers());
        for text in NUMBERS {
            same_answer!(self.customer_by_number(&number(text)));
            same_answer!(self.consent_log(NumberHash::of(&number(text))));
        }
        for id in &self.customers {
            same_answer!(self.customer(*id));
            same_answer!(self.newest_session(*id));
            same_pages!(self, 2, sessions_of(*id));
        }
        for text in ["an", "ann ex", "14155", "0101", "74", "155501"] {
            for limit in [1, 9] {
                same_answer!(self.search_customers(Query::parse(text).unwrap(), limit));
            }
        }
        Ok(())
    }

    async fn compare_inbox(&self) -> Compared {
        for need_attention in [None, Some(true), Some(false)] {
            for (tag, topic) in [(None, None), (Some("vip"), None), (None, Some("a")), (Some("a"), Some("b"))]
            {
                let filter = InboxFilter {
                    assignee: None,
                    need_attention,
                    tag: tag.map(str::to_owned),
                    topic: topic.map(str::to_owned),
                };
                same_pages!(self, 2, inbox(filter.clone()));
            }
        }
        let agents = AGENTS.map(|name| AssigneeFilter::Agent(name.to_owned()));
        for assignee in agents.into_iter().chain([AssigneeFilter::Nobody]) {
            for tag in [None, Some("vip".to_owned())] {
                let filter = InboxFilter { assignee: Some(assignee.clone()), tag, ..InboxFilter::default() };
                same_pages!(self, 2, inbox(filter.clone()));
            }
        }
        Ok(())
    }

    async fn compare_messages(&self) -> Compared {
        for id in &self.sessions {
            same_answer!(self.session(*id));
            same_pages!(self, 3, messages_of(*id));
        }
        for id in &self.customers {
            same_answer!(self.queue_front(*id));
        }
        same_pages!(self, 2, held());
        for id in &self.messages {
            same_answer!(self.message(*id));
        }
        for provider_id in (0..10).map(outbound_id).chain((0..4).map(inbound_id)) {
            same_answer!(self.messages_by_provider_id(&provider_id));
        }
        for which in 0..2 {
            let channel = lanes(which).channel;
            for provider_id in (0..10).map(outbound_id).chain((0..4).map(inbound_id)) {
                same_answer!(self.text_by_provider_id(&channel, &provider_id));
            }
        }
        Ok(())
    }

    async fn compare_lanes(&self) -> Compared {
        for seconds in [-3600, 0, 1, 10_000, 1_000_000] {
            let now = self.in_seconds(seconds);
            for lane in [lanes(0), lanes(1)] {
                for limit in [1, 3] {
                    same_answer!(self.lane_heads(&lane, now, limit));
                }
            }
            same_answer!(self.unknown_due(now, 100));
            same_answer!(self.holding(now, 100));
            for asks in 0..3 {
                let filter = Silent { asks, from: self.in_seconds(-1_000_000), until: now };
                same_answer!(self.silent(filter, 100));
            }
            same_answer!(self.pauses(now));
        }
        let sorted = |lanes: Result<Vec<_>, StoreError>| {
            lanes.map(|mut lanes| {
                lanes.sort();
                lanes
            })
        };
        same_read("busy_lanes", sorted(self.model.busy_lanes().await), sorted(self.engine.busy_lanes().await))
    }

    async fn compare_log(&self) -> Compared {
        same_answer!(self.last_event());
        let last = self.model.last_event().await.unwrap_or_default();
        // Also from where nothing is known any more, or yet.
        for after in [0, last / 2, last.saturating_sub(3), last, last + 1] {
            for limit in [2, 1_000] {
                same(
                    "events",
                    self.model.events(after, limit).await,
                    self.engine.events(after, limit).await,
                )?
                .ok();
            }
        }
        for place in [0, 1, last / 2, last, last + 1] {
            same_answer!(self.event(place));
        }
        same_answer!(self.endpoints());
        for endpoint in ENDPOINTS {
            same_answer!(self.endpoint(endpoint));
            same_pages!(self, 2, deliveries(endpoint));
            for seconds in [-3600, 0, 10_000] {
                same_answer!(self.due_deliveries(endpoint, self.in_seconds(seconds), 2));
            }
            for place in last.saturating_sub(6)..=last {
                same_answer!(self.delivery(endpoint, place));
            }
        }
        Ok(())
    }

    async fn compare_the_rest(&self) -> Compared {
        same_pages!(self, 2, failed_turns());
        for id in &self.turns {
            same_answer!(self.turn(*id));
        }
        same_answer!(self.tokens());
        for pick in 0..self.tokens.len() {
            if let Some(id) = picked(&self.tokens, pick) {
                same_answer!(self.token_by_hash(token_hash(id)));
            }
        }
        same_answer!(self.counts());
        same_answer!(self.last_alive());
        Ok(())
    }
}
