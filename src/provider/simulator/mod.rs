//! A provider that lives in this process: it speaks Twilio's HTTP (API 2010-04-01, the Messages resource), signs
//! and posts webhooks, and has the customers' phones too. It behaves and misbehaves like the real one, so that the
//! daemon can be tried, tested and shown without an account anywhere. It shares no code with the adapters.
//!
//! Two faces, both in [`Simulator::router`]:
//!
//! * the provider's API under `/2010-04-01/Accounts/…` (`api`), for adapters and the vendor's own clients;
//! * the phones and the switches (`person`), as below. Nobody is asked for a password there, so mount it only where
//!   a simulator is wanted.
//!
//! | request | what it does |
//! |---|---|
//! | `POST /texts` `{from, to, body, media_urls?, repeat?, at_once?}` | a customer texts us: calls the inbound webhook (`repeat` times, one after the other or `at_once`) and tells what was answered: `{sid, status, content_type, answers: [{status, content_type, warning, error}]}` |
//! | `POST /texts/{sid}/webhook` | calls the inbound webhook of a text again, as an operator can: `{status, content_type, warning, error}` |
//! | `GET /phones` | our `numbers`, and the `phones` with their counts of texts |
//! | `GET /phones/{number}/texts?after=&wait_ms=` | `{number, count, texts}`: what a phone got and sent, in order, after its first `after` texts; waits for something new |
//! | `GET /faults`, `PUT /faults` | the [`Faults`], all of them at once |
//! | `POST /reset` `{seed?}` | forgets texts, phones, blocks and faults, and throws the dice from the start |
//!
//! [`Simulator::run`] lets time pass: without it nothing leaves `queued`.
//!
//! # What becomes of a text
//!
//! `queued → sending → sent → delivered`; through a messaging service `accepted` (or `scheduled`) comes first. There
//! is a receipt for every state but the first. The last digits of `To` choose another end:
//!
//! | `To` ends in | what becomes of it |
//! |---|---|
//! | 30003 to 30008 | `undelivered` with that code: unreachable, blocked, unknown, landline, filtered, unknown reason |
//! | 30010, 30011, 30017, 30019, 30020, 30022, 30023, 30032, 30034, 30410, 30450 | `undelivered` with that code |
//! | 30001, 30002, 21610 | `failed` with that code, without ever being `sent` |
//! | 90001 | stays `sent`: no further receipt ever comes |
//! | 90002 | `undelivered` with 30008, then after all `delivered` |
//!
//! And these, which are the vendor's magic numbers, are refused at once:
//!
//! | number | as | code |
//! |---|---|---|
//! | +15005550001 | `To` / `From` | 21211 / 21212, not valid |
//! | +15005550002 | `To` | 21612, no route |
//! | +15005550003 | `To` | 21408, region not permitted |
//! | +15005550004 | `To` | 21610, unsubscribed |
//! | +15005550009 | `To` | 21614, not a mobile number |
//! | +15005550006 | `From` | accepted, in any account |
//! | +15005550007 | `From` | 21606, not a number of the account |
//! | +15005550008 | `From` | 21611, queue full |
//!
//! A customer who texts STOP to a number gets nothing more from it (400 with 21610) until START; with a messaging
//! service, nothing from any number. The webhook is called all the same, and the network's own reply is on the phone.
//!
//! # Faults
//!
//! [`Faults`], by chance or one by one; see [`SendFault`] and [`ReceiptFault`]. The dice depend on the seed alone.
//!
//! # Not simulated
//!
//! Media files (they are listed, but stay where the customer has them), content templates, link shortening, prices, sub-accounts, connection overrides in a URL's fragment
//! (a webhook is tried again once, if no connection came about), and replies written as TwiML: an answer's content
//! type is reported to whoever sent the text, what it says is not acted upon.

mod api;
mod callbacks;
mod config;
mod dates;
mod errors;
mod fate;
mod faults;
mod form;
mod history;
mod life;
mod list;
mod message;
mod opt_out;
mod page;
mod person;
mod phones;
mod send_request;
mod signer;
mod state;
mod texts;

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

pub use self::config::{Delays, SimulatorConfig};
pub use self::faults::{Faults, ReceiptFault, SendFault};
use self::state::State;
use crate::domain::time::Timestamp;

/// Tells the time.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// A simulated account with its provider, its network and its customers' phones.
pub struct Simulator {
    config: Arc<SimulatorConfig>,
    clock: Clock,
    http: reqwest::Client,
    state: Mutex<State>,
    /// Something may have become due earlier than thought.
    due_changed: Notify,
    /// Something may have happened on a phone.
    phones_changed: Notify,
}

impl Simulator {
    /// `seed` decides all chances and ids; `http` calls the webhooks.
    pub fn new(config: SimulatorConfig, clock: Clock, seed: u64, http: reqwest::Client) -> Arc<Self> {
        let config = Arc::new(config);
        Arc::new(Self {
            state: Mutex::new(State::new(Arc::clone(&config), seed)),
            config,
            clock,
            http,
            due_changed: Notify::new(),
            phones_changed: Notify::new(),
        })
    }

    /// Both faces. To be mounted at the root of a port, or nested under a path.
    pub fn router(self: &Arc<Self>) -> axum::Router {
        api::routes().merge(person::routes()).merge(page::routes()).with_state(Arc::clone(self))
    }

    /// Lets time pass until `shutdown`: texts take their steps and receipts are posted. To run once.
    pub async fn run(self: Arc<Self>, shutdown: CancellationToken) {
        callbacks::run(&self, &shutdown).await;
    }

    /// Where customers' texts are posted from now on.
    pub fn set_inbound_url(&self, url: Option<String>) {
        self.change(|state, _| state.inbound_url = url);
    }

    /// Sets all faults anew.
    ///
    /// # Errors
    /// In words, if a chance is none.
    pub fn set_faults(&self, faults: Faults) -> Result<(), String> {
        faults.check()?;
        self.change(|state, _| state.faults = faults);
        Ok(())
    }

    fn now(&self) -> Timestamp {
        (self.clock)()
    }

    fn read<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes the state, and wakes whoever waits for changes.
    fn change<T>(&self, change: impl FnOnce(&mut State, Timestamp) -> T) -> T {
        let changed = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            change(&mut state, self.now())
        };
        self.due_changed.notify_one();
        self.phones_changed.notify_waiters();
        changed
    }
}

#[cfg(test)]
mod tests;
