//! Many who write at once, and what they were told was taken.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::task::JoinSet;

use crate::client::Client;

/// Customers who text as fast as they are answered, and agents who do.
const CUSTOMERS: usize = 32;
const AGENTS: usize = 8;

/// A customer's text whose webhook was answered with 200.
#[derive(Clone)]
pub struct Text {
    pub sid: String,
    pub from: String,
    pub body: String,
}

#[derive(Clone, Default)]
pub struct Acknowledged {
    pub texts: Vec<Text>,
    /// The ids of agents' texts that were answered with 201.
    pub replies: Vec<String>,
}

impl Acknowledged {
    pub fn len(&self) -> usize {
        self.texts.len() + self.replies.len()
    }
}

/// The customers' numbers, always the same.
pub fn numbers() -> impl Iterator<Item = String> {
    (0..CUSTOMERS).map(|customer| format!("+1415555{:04}", 2000 + customer))
}

pub struct Load {
    writers: JoinSet<()>,
    shared: Arc<Shared>,
}

struct Shared {
    client: Client,
    acknowledged: Mutex<Acknowledged>,
    over: AtomicBool,
}

impl Load {
    /// Goes on with what was acknowledged before.
    pub async fn start(client: &Client, before: Acknowledged) -> Self {
        let (acknowledged, over) = (Mutex::new(before), AtomicBool::new(false));
        let shared = Arc::new(Shared { client: client.clone(), acknowledged, over });
        let mut writers = JoinSet::new();
        for (index, number) in numbers().enumerate() {
            // So that there is somebody whom an agent can answer.
            shared.text(&number).await.expect("the first text is taken");
            if index < AGENTS {
                let customer = client.customer(&number).await.expect("who has texted is a customer");
                writers.spawn(Arc::clone(&shared).reply_on(customer));
            }
            writers.spawn(Arc::clone(&shared).text_on(number));
        }
        Self { writers, shared }
    }

    pub async fn until_acknowledged(&self, enough: usize) {
        while self.shared.acknowledged.lock().unwrap().len() < enough {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Once every writer has had their last answer.
    pub async fn stop(self) -> Acknowledged {
        self.shared.over.store(true, Ordering::SeqCst);
        self.writers.join_all().await;
        let mut acknowledged = self.shared.acknowledged.lock().unwrap();
        std::mem::take(&mut *acknowledged)
    }
}

impl Shared {
    async fn text_on(self: Arc<Self>, from: String) {
        while self.goes_on(self.text(&from).await).await {}
    }

    async fn reply_on(self: Arc<Self>, customer: String) {
        while self.goes_on(self.reply(&customer).await).await {}
    }

    /// Waits a little after a failure: the daemon may be gone.
    async fn goes_on(&self, done: Option<()>) -> bool {
        if done.is_none() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        !self.over.load(Ordering::SeqCst)
    }

    /// None where it was not acknowledged.
    async fn text(&self, from: &str) -> Option<()> {
        let count = count();
        let (sid, body) = (format!("SM{count:032x}"), sentence(count));
        let answer = self.client.webhook(from, &sid, &body).send().await.ok()?;
        (answer.status() == 200).then_some(())?;
        self.acknowledged.lock().unwrap().texts.push(Text { sid, from: from.to_owned(), body });
        Some(())
    }

    async fn reply(&self, customer: &str) -> Option<()> {
        let answer = self.client.say(customer, &sentence(count())).send().await.ok()?;
        (answer.status() == 201).then_some(())?;
        let message: Value = answer.json().await.ok()?;
        let id = message["id"].as_str()?.to_owned();
        self.acknowledged.lock().unwrap().replies.push(id);
        Some(())
    }
}

/// Never the same twice.
fn count() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(1);
    NEXT.fetch_add(1, Ordering::SeqCst)
}

/// Of any length that a text has.
fn sentence(count: usize) -> String {
    format!("{count} {}", "and so on ".repeat(count % 17))
}
