//! Posts webhooks, signed, and when their time has come. Decides nothing: what is posted when comes out of the state
//! machine. Receipts of one text are posted one after the other, those of different texts side by side.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, USER_AGENT};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::Simulator;
use super::message::Receipt;
use super::signer;
use crate::domain::time::Timestamp;

/// The provider waits so long for an answer, in all.
const TIMEOUT: Duration = Duration::from_secs(15);
/// The first try and one more, if no connection came about.
const TRIES: u32 = 2;
/// Texts whose receipts are posted at the same time.
const MOST_AT_ONCE: usize = 64;
/// Looks again after so long even if nothing is known to be due.
const IDLE: Duration = Duration::from_secs(60);

/// What our side answered to a webhook.
#[derive(Debug)]
pub(super) struct Answered {
    pub status: u16,
    pub content_type: Option<String>,
}

pub(super) async fn run(simulator: &Arc<Simulator>, shutdown: &CancellationToken) {
    let mut courier = Courier::default();
    loop {
        let (receipts, next) = simulator.let_happen();
        for receipt in receipts {
            courier.add(receipt);
        }
        courier.start_what_can(simulator);
        let pause = next.map_or(IDLE, |at| at.since(simulator.now()).min(IDLE));
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = simulator.due_changed.notified() => {}
            () = tokio::time::sleep(pause) => {}
            Some(posted) = courier.posting.join_next() => match posted {
                Ok(sid) => courier.finish(sid),
                Err(error) => tracing::error!(%error, "posting a receipt broke off"),
            },
        }
    }
}

impl Simulator {
    /// Lets happen what is due: the receipts to post, and when to look again.
    fn let_happen(&self) -> (Vec<Receipt>, Option<Timestamp>) {
        let now = self.now();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let happens = state.next_due().is_some_and(|at| at <= now);
        let receipts = state.tick(now);
        let next = state.next_due();
        drop(state);
        if happens {
            self.phones_changed.notify_waiters();
        }
        (receipts, next)
    }
}

/// Receipts on their way, by text.
#[derive(Default)]
struct Courier {
    /// Each text's receipts, the one being posted left out.
    waiting: HashMap<String, VecDeque<Receipt>>,
    /// Texts with receipts of which none is being posted.
    ready: VecDeque<String>,
    posting: JoinSet<String>,
}

impl Courier {
    fn add(&mut self, receipt: Receipt) {
        let sid = receipt.sid.clone();
        let queue = self.waiting.entry(sid.clone()).or_insert_with(|| {
            self.ready.push_back(sid);
            VecDeque::new()
        });
        queue.push_back(receipt);
    }

    fn start_what_can(&mut self, simulator: &Arc<Simulator>) {
        while self.posting.len() < MOST_AT_ONCE
            && let Some(sid) = self.ready.pop_front()
        {
            let Some(receipt) = self.waiting.get_mut(&sid).and_then(VecDeque::pop_front) else {
                continue;
            };
            let simulator = Arc::clone(simulator);
            self.posting.spawn(async move {
                post_receipt(&simulator, &receipt).await;
                sid
            });
        }
    }

    fn finish(&mut self, sid: String) {
        if self.waiting.get(&sid).is_some_and(|queue| !queue.is_empty()) {
            self.ready.push_back(sid);
        } else {
            self.waiting.remove(&sid);
        }
    }
}

/// Posts a receipt. One that is not taken is gone, as it is with the real provider.
pub(super) async fn post_receipt(simulator: &Simulator, receipt: &Receipt) {
    let sid = receipt.sid.as_str();
    match post(simulator, &receipt.url, &receipt.fields, &receipt.token).await {
        Ok(answered) if (200..300).contains(&answered.status) => {
            tracing::debug!(sid, "a simulated receipt was taken");
        }
        Ok(answered) => tracing::warn!(sid, status = answered.status, "a simulated receipt was refused"),
        Err(error) => {
            let error = error.without_url();
            tracing::warn!(
                sid,
                error = &error as &dyn std::error::Error,
                "a simulated receipt did not arrive"
            );
        }
    }
}

/// Posts a signed form.
pub(super) async fn post(
    simulator: &Simulator,
    url: &str,
    fields: &[(String, String)],
    token: &str,
) -> Result<Answered, reqwest::Error> {
    let mut tries = 1;
    loop {
        let sent = post_once(simulator, url, fields, token).await;
        match sent {
            Err(error) if error.is_connect() && tries < TRIES => tries += 1,
            sent => return sent,
        }
    }
}

async fn post_once(
    simulator: &Simulator,
    url: &str,
    fields: &[(String, String)],
    token: &str,
) -> Result<Answered, reqwest::Error> {
    let response = simulator
        .http
        .post(url)
        .timeout(TIMEOUT)
        .header(USER_AGENT, "TwilioProxy/1.1")
        .header("X-Twilio-Signature", signer::sign(&simulator.config.auth_token, url, fields))
        .header("I-Twilio-Idempotency-Token", token)
        .form(fields)
        .send()
        .await?;
    let status = response.status().as_u16();
    let content_type =
        response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).map(str::to_owned);
    // Read to its end, so that the connection can be used again.
    response.bytes().await?;
    Ok(Answered { status, content_type })
}
