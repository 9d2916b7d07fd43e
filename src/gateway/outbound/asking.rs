//! Asking providers about texts: each channel by itself, a few texts at once. A provider that does not answer keeps nobody
//! else waiting; and what cannot be kept is not asked for again and again.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::domain::message::Message;
use crate::gateway::Gateway;
use crate::gateway::troubles::Trouble;
use crate::store::StoreError;

/// How many questions a channel is asked at once: beside its sends, which go first.
const AT_ONCE: usize = 4;
/// How long a channel is asked nothing after an answer of its could not be kept.
const UNKEPT_PAUSE: Duration = Duration::from_secs(10);

#[derive(Clone)]
pub(super) struct Asking {
    /// The channels that are being asked, or rest.
    channels: Arc<Mutex<HashSet<String>>>,
    trouble: Arc<Mutex<Trouble>>,
    /// What fails when an answer cannot be kept.
    what: &'static str,
}

impl Asking {
    pub(super) fn new(gateway: &Gateway, what: &'static str) -> Self {
        let trouble = Arc::new(Mutex::new(gateway.troubles.watch()));
        Self { channels: Arc::default(), trouble, what }
    }

    /// Asks about each message, in the background; those of a channel that is being asked already are left out. Of a
    /// channel whose answers cannot be kept no more is asked.
    pub(super) fn each<A, F>(&self, gateway: &Arc<Gateway>, messages: Vec<Message>, ask: A)
    where
        A: Fn(Arc<Gateway>, Message) -> F + Clone + Send + 'static,
        F: Future<Output = Result<(), StoreError>> + Send + 'static,
    {
        for (channel, messages) in by_channel(messages) {
            if self.channels().insert(channel.clone()) {
                let (asking, gateway, ask) = (self.clone(), Arc::clone(gateway), ask.clone());
                Arc::clone(&gateway).spawn(async move {
                    let asked = ask_all(&gateway, messages, ask, asking.what).await;
                    if asking.could_not_keep(asked) {
                        tokio::select! {
                            biased;
                            () = gateway.stop.cancelled() => {}
                            () = tokio::time::sleep(UNKEPT_PAUSE) => {}
                        }
                    }
                    asking.channels().remove(&channel);
                });
            }
        }
    }

    fn could_not_keep(&self, asked: Result<(), StoreError>) -> bool {
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        match asked {
            Ok(()) => trouble.over(),
            Err(error) => {
                trouble.met(&error, self.what);
                return true;
            }
        }
        false
    }

    fn channels(&self) -> MutexGuard<'_, HashSet<String>> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Fails where the store cannot keep what is answered; not for what is wrong with a single text.
async fn ask_all<A, F>(
    gateway: &Arc<Gateway>,
    messages: Vec<Message>,
    ask: A,
    what: &str,
) -> Result<(), StoreError>
where
    A: Fn(Arc<Gateway>, Message) -> F,
    F: Future<Output = Result<(), StoreError>> + Send + 'static,
{
    let mut messages = messages.into_iter();
    loop {
        let some: Vec<_> = messages.by_ref().take(AT_ONCE).collect();
        if some.is_empty() || gateway.is_stopping() {
            return Ok(());
        }
        let under_way: Vec<_> = some
            .into_iter()
            .map(|message| {
                gateway.tasks.spawn(until_stop(Arc::clone(gateway), ask(Arc::clone(gateway), message)))
            })
            .collect();
        let mut kept = Ok(());
        for asked in under_way {
            match asked.await {
                Ok(Ok(())) => {}
                Ok(Err(error)) if keeps_nothing(gateway, &error).await => kept = Err(error),
                Ok(Err(error)) => tracing::error!(%error, "{}", what),
                Err(failed) => tracing::error!(%failed, "asking about a text failed"),
            }
        }
        kept?;
    }
}

/// Whether the store takes nothing at all now, and not only this.
async fn keeps_nothing(gateway: &Gateway, error: &StoreError) -> bool {
    error.may_pass() && gateway.store.ready().await.is_err()
}

/// What is being asked when the gateway stops can be asked again.
async fn until_stop(
    gateway: Arc<Gateway>,
    ask: impl Future<Output = Result<(), StoreError>>,
) -> Result<(), StoreError> {
    tokio::select! {
        biased;
        () = gateway.stop.cancelled() => Ok(()),
        asked = ask => asked,
    }
}

fn by_channel(messages: Vec<Message>) -> BTreeMap<String, Vec<Message>> {
    let mut channels: BTreeMap<String, Vec<Message>> = BTreeMap::new();
    for message in messages {
        channels.entry(message.delivery.lane.channel.clone()).or_default().push(message);
    }
    channels
}
