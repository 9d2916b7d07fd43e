//! Somebody outside who is told of events: answers as the test says, and keeps what it was told, and when.

use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::domain::event::{Event, EventId};
use crate::notify::{Notice, Notifier, NotifyError};

type Reply = Result<(), NotifyError>;
type Script = Box<dyn Fn(usize) -> (Duration, Reply) + Send + Sync>;

/// One call: when it came, and of which event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heard {
    pub at: Duration,
    pub id: EventId,
}

pub struct Ear {
    started: Instant,
    /// What it answers to the call of that number, from 0, and how long it takes.
    script: Script,
    heard: Mutex<Vec<Heard>>,
    changed: Notify,
}

impl Ear {
    /// Begins with the world, whose clock stands still until then.
    #[expect(clippy::disallowed_methods, reason = "the test's clock is tokio's, which stands still")]
    pub fn new(script: impl Fn(usize) -> (Duration, Reply) + Send + Sync + 'static) -> std::sync::Arc<Self> {
        std::sync::Arc::new(Self {
            started: Instant::now(),
            script: Box::new(script),
            heard: Mutex::default(),
            changed: Notify::new(),
        })
    }

    /// Takes whatever it is told.
    pub fn good() -> std::sync::Arc<Self> {
        Self::new(|_| (Duration::ZERO, Ok(())))
    }

    pub fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }

    /// What it was told, once it is so much; time passes meanwhile.
    pub async fn until(&self, count: usize) -> Vec<Heard> {
        let wait = async {
            loop {
                let changed = self.changed.notified();
                let heard = self.heard();
                if heard.len() >= count {
                    return heard;
                }
                changed.await;
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(6 * 3_600), wait).await;
        waited.unwrap_or_else(|_| panic!("only {} of {count} calls came", self.heard().len()))
    }
}

#[async_trait]
impl Notifier for Ear {
    fn kind(&self) -> &'static str {
        "ear"
    }

    fn wants(&self, _: &Event) -> bool {
        true
    }

    async fn tell(&self, notice: &Notice) -> Reply {
        let number = {
            let mut heard = self.heard.lock().unwrap();
            heard.push(Heard { at: self.started.elapsed(), id: notice.event.id() });
            heard.len() - 1
        };
        self.changed.notify_waiters();
        let (pause, reply) = (self.script)(number);
        tokio::time::sleep(pause).await;
        reply
    }
}
