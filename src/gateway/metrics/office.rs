//! What is counted of the daemons that share a store, and of what this one does of what only one may do.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::{Metrics, whole};

pub(super) struct Office {
    daemons: Gauge,
    duties: Gauge,
    terms_lost: Counter,
}

impl Office {
    pub fn register(registry: &mut Registry) -> Self {
        let (daemons, duties, terms_lost) = (Gauge::default(), Gauge::default(), Counter::default());
        registry.register(
            "daemons",
            "Daemons that share the store and are alive, this one among them; 0 while it is not",
            daemons.clone(),
        );
        registry.register(
            "duties",
            "What this daemon does of what only one may do at a time: send by a number, tell an endpoint, sweep …",
            duties.clone(),
        );
        registry.register(
            "terms_lost",
            "Times that this daemon was not heard of for so long that others took its duties over",
            terms_lost.clone(),
        );
        Self { daemons, duties, terms_lost }
    }
}

impl Metrics {
    /// This daemon is in office, with so many others.
    pub(in crate::gateway) fn in_office(&self, others: usize, duties: usize) {
        self.office.daemons.set(whole(others as u64 + 1));
        self.office.duties.set(whole(duties as u64));
    }

    pub(in crate::gateway) fn out_of_office(&self) {
        self.office.daemons.set(0);
        self.office.duties.set(0);
    }

    pub(in crate::gateway) fn term_lost(&self) {
        self.out_of_office();
        self.office.terms_lost.inc();
    }
}
