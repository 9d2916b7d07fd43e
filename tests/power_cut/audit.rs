//! What the next daemon finds on the disk, against what the last one had acknowledged.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use tokio::task::JoinSet;

use crate::client::Client;
use crate::daemon::Daemon;
use crate::disk::Disk;
use crate::load::{Acknowledged, numbers};

/// How many repeat their texts at once.
const REPEATERS: usize = 32;

pub enum Verdict {
    Opened { lost: usize },
    DoesNotOpen { why: String },
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Opened { lost } => write!(f, "{lost} lost"),
            Self::DoesNotOpen { why } => write!(f, "DOES NOT OPEN: {why}"),
        }
    }
}

pub async fn after_the_cut(room: &Path, engine: &str, disk: Disk, promised: &Acknowledged) -> Verdict {
    let mounted = disk.mount(&room.join("mounted"));
    let verdict = match Daemon::start(room, engine, mounted.at()).await {
        Err(why) => Verdict::DoesNotOpen { why },
        Ok(daemon) => {
            let missing = missing(&daemon.client, promised).await;
            let forgotten = forgotten(&daemon.client, promised).await;
            daemon.kill();
            Verdict::Opened { lost: missing.max(forgotten) }
        }
    };
    mounted.unmount();
    verdict
}

/// How many are in nobody's conversation.
async fn missing(client: &Client, promised: &Acknowledged) -> usize {
    let mut stored = Stored::default();
    for number in numbers() {
        if let Some(customer) = client.customer(&number).await {
            stored.read(client, &number, &customer).await;
        }
    }
    let lost_texts = promised.texts.iter().filter(|text| {
        let times = stored.texts.get(&(text.from.clone(), text.body.trim_end().to_owned()));
        assert!(times.is_none_or(|times| *times == 1), "{} is stored {times:?} times", text.sid);
        times.is_none()
    });
    let lost_replies = promised.replies.iter().filter(|id| !stored.ids.contains(*id));
    lost_texts.count() + lost_replies.count()
}

#[derive(Default)]
struct Stored {
    /// How often each text of a number is there.
    texts: HashMap<(String, String), usize>,
    ids: HashSet<String>,
}

impl Stored {
    async fn read(&mut self, client: &Client, number: &str, customer: &str) {
        let mut path = Some(format!("/v1/customers/{customer}/sessions/current/messages?limit=1000"));
        while let Some(next) = path {
            let (messages, more) = client.page(&next).await;
            for message in messages {
                self.ids.insert(message["id"].as_str().unwrap().to_owned());
                if message["sender_role"] == "end-user" {
                    let text = message["content"].as_str().unwrap().trim_end().to_owned();
                    *self.texts.entry((number.to_owned(), text)).or_default() += 1;
                }
            }
            path = more;
        }
    }
}

/// Posts each text again, as a provider does that had no answer: how many are taken as new ones.
async fn forgotten(client: &Client, promised: &Acknowledged) -> usize {
    let texts = Arc::new(promised.texts.clone());
    let mut repeaters = JoinSet::new();
    for repeater in 0..REPEATERS {
        let (client, texts) = (client.clone(), Arc::clone(&texts));
        repeaters.spawn(async move {
            for text in texts.iter().skip(repeater).step_by(REPEATERS) {
                let answer = client.webhook(&text.from, &text.sid, &text.body).send().await.unwrap();
                assert_eq!(answer.status(), 200, "{} is posted again", text.sid);
            }
        });
    }
    repeaters.join_all().await;
    let forgotten = client.texts("recorded").await;
    assert_eq!(client.texts("duplicate").await + forgotten, texts.len());
    forgotten
}
