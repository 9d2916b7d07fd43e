//! One life of the gateway: from its start until it crashes or stops. What it is made of is mortal: once the life has
//! ended, no call of it returns any more, and nothing it does has any effect.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use switchboard::gateway::channels::{Channel, Channels, Sender, SignaturePolicy};
use switchboard::gateway::pace::ChannelPace;
use switchboard::gateway::{Gateway, Parts};
use tokio_util::sync::CancellationToken;

use crate::chance::Dice;
use crate::mortal::{MortalBot, MortalProvider, MortalStore};
use crate::time::{LifeClock, LifeEntropy};
use crate::world::World;

pub struct Life {
    pub number: u64,
    /// How far its time of day is ahead of the true one.
    pub ahead_ms: i64,
    gateway: Mutex<Option<Arc<Gateway>>>,
    ended: CancellationToken,
    serves: AtomicBool,
}

impl Life {
    /// Starts the gateway on what is on the disk. False: it died, or could not start.
    pub async fn begin(world: &Arc<World>) -> bool {
        let number = world.number();
        let ahead_ms = if world.plan.clock_jumps {
            i64::try_from(world.dice.script.between(0..=3_000)).unwrap() - 1_500
        } else {
            0
        };
        let life = Arc::new(Self {
            number,
            ahead_ms,
            gateway: Mutex::default(),
            ended: CancellationToken::new(),
            serves: AtomicBool::new(false),
        });
        let gateway = build(world, &life);
        *life.gateway.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&gateway));
        world.set_life(Some(Arc::clone(&life)));
        world.journal.note(|| format!("life {number} begins"));
        let started = tokio::select! {
            biased;
            () = life.until_ended() => return false,
            started = gateway.run() => started,
        };
        if let Err(error) = started {
            world.journal.broken(format!("life {number} could not start: {error}"));
            life.end();
            return false;
        }
        world.audit.life_began(ahead_ms);
        life.serves.store(true, Ordering::Relaxed);
        true
    }

    pub fn serves(&self) -> bool {
        self.serves.load(Ordering::Relaxed) && !self.is_over()
    }

    pub fn gateway(&self) -> Option<Arc<Gateway>> {
        self.gateway.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn is_over(&self) -> bool {
        self.ended.is_cancelled()
    }

    pub async fn until_ended(&self) {
        self.ended.cancelled().await;
    }

    /// All at once, wherever it is.
    pub fn end(&self) {
        self.serves.store(false, Ordering::Relaxed);
        self.ended.cancel();
        self.gateway.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// The soft stop.
    pub async fn stop(&self) {
        self.serves.store(false, Ordering::Relaxed);
        if let Some(gateway) = self.gateway() {
            tokio::select! {
                biased;
                () = self.until_ended() => {}
                () = gateway.stop() => {}
            }
        }
    }

    /// A place where it may die, as likely as `in_ten_thousand` says. Whoever is past its death stays here for ever.
    pub async fn boundary(&self, world: &World, place: (&str, &str), in_ten_thousand: u32) {
        if !self.is_over() && world.is_chaotic() && in_ten_thousand > 0 {
            let may = world.crashes.load(Ordering::Relaxed) < u64::from(world.plan.most_crashes);
            if may && world.dice.crash.chance(in_ten_thousand) {
                world.crashes.fetch_add(1, Ordering::Relaxed);
                world.journal.note(|| format!("CRASH of life {} {} {}", self.number, place.0, place.1));
                world.journal.saw("crash");
                world.crashed.store(true, Ordering::Relaxed);
                self.end();
            }
        }
        if self.is_over() {
            std::future::pending::<()>().await;
        }
    }
}

fn build(world: &Arc<World>, life: &Arc<Life>) -> Arc<Gateway> {
    let plan = &world.plan;
    let parts = || (Arc::clone(world), Arc::clone(life));
    let sender = |name: &&str| Sender { name: (*name).into(), replies: plan.replies.clone() };
    let channel = |(name, numbers): (&str, Vec<&str>)| Channel {
        name: name.into(),
        provider: Arc::new(MortalProvider::new(parts())),
        public_url: "http://127.0.0.1".into(),
        recover: true,
        on_unknown: plan.on_unknown,
        signature: SignaturePolicy::Enforce,
        senders: numbers.iter().map(sender).collect(),
        pace: ChannelPace::starting(&plan.paces, Duration::ZERO),
    };
    let clock =
        LifeClock { time: Arc::clone(&world.time), born: world.time.elapsed(), ahead_ms: life.ahead_ms };
    Gateway::new(Parts {
        notices: switchboard::gateway::notices::Notices::default(),
        store: Arc::new(MortalStore::new(parts())),
        channels: Channels::new(plan.channels().map(channel).collect()),
        bot: Arc::new(MortalBot::new(parts())),
        clock: Arc::new(clock),
        entropy: Arc::new(LifeEntropy(Dice::new(world.seed, &format!("life {}", life.number)))),
        settings: plan.settings.clone(),
    })
}
