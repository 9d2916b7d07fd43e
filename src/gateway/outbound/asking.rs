//! Asking providers about texts: each channel by itself, a few texts at once. A provider that does not answer keeps nobody
//! else waiting.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::message::Message;
use crate::gateway::Gateway;

/// How many questions a channel is asked at once: beside its sends, which go first.
const AT_ONCE: usize = 4;

/// The channels that are being asked.
#[derive(Clone, Default)]
pub(super) struct Asking(Arc<Mutex<HashSet<String>>>);

impl Asking {
    /// Asks about each message, in the background; those of a channel that is being asked already are left out.
    pub(super) fn each<A, F>(&self, gateway: &Arc<Gateway>, messages: Vec<Message>, ask: A)
    where
        A: Fn(Arc<Gateway>, Message) -> F + Clone + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        for (channel, messages) in by_channel(messages) {
            if self.channels().insert(channel.clone()) {
                let (asking, gateway, ask) = (self.clone(), Arc::clone(gateway), ask.clone());
                Arc::clone(&gateway).spawn(async move {
                    ask_all(&gateway, messages, ask).await;
                    asking.channels().remove(&channel);
                });
            }
        }
    }

    fn channels(&self) -> MutexGuard<'_, HashSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn ask_all<A, F>(gateway: &Arc<Gateway>, messages: Vec<Message>, ask: A)
where
    A: Fn(Arc<Gateway>, Message) -> F,
    F: Future<Output = ()> + Send + 'static,
{
    let mut messages = messages.into_iter();
    loop {
        let some: Vec<_> = messages.by_ref().take(AT_ONCE).collect();
        if some.is_empty() {
            return;
        }
        let under_way: Vec<_> = some
            .into_iter()
            .map(|message| {
                gateway.tasks.spawn(until_stop(Arc::clone(gateway), ask(Arc::clone(gateway), message)))
            })
            .collect();
        for asked in under_way {
            if let Err(failed) = asked.await {
                tracing::error!(%failed, "asking about a text failed");
            }
        }
        if gateway.is_stopping() {
            return;
        }
    }
}

/// What is being asked when the gateway stops can be asked again.
async fn until_stop(gateway: Arc<Gateway>, ask: impl Future<Output = ()>) {
    tokio::select! {
        biased;
        () = gateway.stop.cancelled() => {}
        () = ask => {}
    }
}

fn by_channel(messages: Vec<Message>) -> BTreeMap<String, Vec<Message>> {
    let mut channels: BTreeMap<String, Vec<Message>> = BTreeMap::new();
    for message in messages {
        channels.entry(message.delivery.lane.channel.clone()).or_default().push(message);
    }
    channels
}
