//! One world: what is on the disk, the provider and the phones, the bot, the people, and the auditor who sees it all.
//! It outlives every life of the gateway.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use switchboard::gateway::Gateway;
use switchboard::store::memory::MemoryStore;
use tokio_util::task::TaskTracker;

use crate::audit::Audit;
use crate::chance::Dice;
use crate::journal::Journal;
use crate::life::Life;
use crate::network::Network;
use crate::plan::Plan;
use crate::time::Time;

pub struct World {
    pub seed: u64,
    pub plan: Plan,
    pub time: Arc<Time>,
    pub journal: Arc<Journal>,
    pub disk: Arc<MemoryStore>,
    pub audit: Audit,
    pub network: Network,
    pub dice: Streams,
    /// Whether anything may go wrong. Not any more at the end.
    pub chaos: AtomicBool,
    /// The disk refuses everything for a while.
    pub disk_is_full: AtomicBool,
    pub crashes: AtomicU64,
    /// The last life ended by a crash.
    pub crashed: AtomicBool,
    /// What goes on in the world by itself; all of it ends.
    pub tasks: TaskTracker,
    numbered: AtomicU64,
    life: Mutex<Option<Arc<Life>>>,
}

/// A stream of chance for each part of the world.
pub struct Streams {
    pub script: Dice,
    pub store: Dice,
    pub crash: Dice,
    pub network: Dice,
    pub receipts: Dice,
    pub people: Dice,
    pub bot: Dice,
}

impl World {
    pub fn new(seed: u64, keeps_log: bool) -> Arc<Self> {
        let plan = Plan::of(seed);
        let time = Arc::new(Time::start());
        let journal = Arc::new(Journal::new(Arc::clone(&time), keeps_log));
        let disk = Arc::new(MemoryStore::new(plan.settings.policy.clone()));
        let dice = |stream| Dice::new(seed, stream);
        Arc::new(Self {
            seed,
            audit: Audit::new(&plan, Arc::clone(&time), Arc::clone(&journal), Arc::clone(&disk)),
            plan,
            time,
            journal,
            disk,
            network: Network::default(),
            dice: Streams {
                script: dice("script"),
                store: dice("store"),
                crash: dice("crash"),
                network: dice("network"),
                receipts: dice("receipts"),
                people: dice("people"),
                bot: dice("bot"),
            },
            chaos: AtomicBool::new(true),
            disk_is_full: AtomicBool::new(false),
            crashes: AtomicU64::new(0),
            crashed: AtomicBool::new(false),
            tasks: TaskTracker::new(),
            numbered: AtomicU64::new(0),
            life: Mutex::default(),
        })
    }

    pub fn is_chaotic(&self) -> bool {
        self.chaos.load(Ordering::Relaxed)
    }

    /// Nobody lives, and who lived last did not stop by itself.
    pub fn has_crashed(&self) -> bool {
        self.crashed.load(Ordering::Relaxed) && self.life().is_none_or(|life| life.is_over())
    }

    /// A number that nothing else in this world has.
    pub fn number(&self) -> u64 {
        self.numbered.fetch_add(1, Ordering::Relaxed)
    }

    pub fn life(&self) -> Option<Arc<Life>> {
        self.life.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn set_life(&self, life: Option<Arc<Life>>) {
        *self.life.lock().unwrap_or_else(PoisonError::into_inner) = life;
    }

    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task);
    }

    /// Asks the gateway that serves right now. None: nobody serves, or it died before it answered.
    pub async fn ask<T, F: Future<Output = T>>(&self, ask: impl FnOnce(Arc<Gateway>) -> F) -> Option<T> {
        let life = self.life().filter(|life| life.serves())?;
        let gateway = life.gateway()?;
        tokio::select! {
            biased;
            () = life.until_ended() => None,
            answer = ask(gateway) => Some(answer),
        }
    }
}
