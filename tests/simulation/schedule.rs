//! One schedule: a world is made from a seed, lives through its script step by step, and comes to rest. After each step
//! every promise is checked.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use switchboard::domain::message::Role;

use crate::journal::Pages;
use crate::life::Life;
use crate::panics;
use crate::people::About;
use crate::world::World;

/// How a schedule went.
pub struct Outcome {
    pub pages: Pages,
    pub steps: u64,
}

#[derive(Clone, Copy)]
enum Action {
    Text(About),
    Take,
    LetGo,
    /// Agents take the session, say a few things, and perhaps let go.
    Agents,
    AgentSays,
    BotSays,
    Cancel,
    Resend,
    Unsubscribe,
    Subscribe,
    CreateCustomer,
    Confirm,
    Erase,
    Crash,
    Restart,
    DiskFull,
    Nothing,
}

const ACTIONS: [(u64, Action); 21] = [
    (30, Action::Text(About::Anything)),
    (2, Action::Text(About::Stop)),
    (3, Action::Text(About::Start)),
    (1, Action::Text(About::Help)),
    (1, Action::Text(About::NearStop)),
    (5, Action::Take),
    (7, Action::LetGo),
    (12, Action::Agents),
    (12, Action::AgentSays),
    (5, Action::BotSays),
    (8, Action::Cancel),
    (5, Action::Resend),
    (1, Action::Unsubscribe),
    (3, Action::Subscribe),
    (4, Action::CreateCustomer),
    (6, Action::Confirm),
    (1, Action::Erase),
    (1, Action::Crash),
    (1, Action::Restart),
    (1, Action::DiskFull),
    (6, Action::Nothing),
];

/// Lives one schedule from beginning to end.
pub fn run(seed: u64, keeps_log: bool) -> Outcome {
    panics::watch();
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let outcome = runtime.block_on(async {
        let world = World::new(seed, keeps_log);
        world.journal.note(|| format!("seed {seed}: {:?}", world.plan));
        let steps = world.live().await;
        let outcome = Outcome { pages: world.journal.close(), steps };
        // The world holds its life, and the life its world: let go of one, so that both go.
        if let Some(life) = world.life() {
            life.end();
        }
        world.set_life(None);
        outcome
    });
    drop(runtime);
    outcome
}

impl World {
    async fn live(self: &Arc<Self>) -> u64 {
        self.resurrect().await;
        for step in 0..self.plan.steps {
            let action = self.dice.script.weighted(&ACTIONS);
            self.act(action).await;
            self.pass_time().await;
            self.resurrect().await;
            if self.breaks_a_promise() {
                return step;
            }
        }
        self.come_to_rest().await;
        self.plan.steps
    }

    fn breaks_a_promise(&self) -> bool {
        self.audit.check();
        if let Some(panic) = panics::take() {
            self.journal.broken(format!("a task panicked: {panic}"));
        }
        self.journal.is_broken()
    }

    async fn act(self: &Arc<Self>, action: Action) {
        let dice = &self.dice.script;
        let customer = || self.audit.some_customer(dice);
        match action {
            Action::Text(about) => self.customer_texts(about),
            Action::CreateCustomer => self.spawn(Arc::clone(self).create_customer()),
            Action::Crash => self.crash(),
            Action::Restart => self.restart().await,
            Action::DiskFull => self.fill_the_disk(),
            Action::Nothing => {}
            Action::Cancel => {
                if let Some(id) = self.audit.some_text(dice) {
                    self.spawn(Arc::clone(self).cancel(id));
                }
            }
            Action::Resend => {
                if let Some(id) = self.audit.some_held_text() {
                    self.spawn(Arc::clone(self).resend(id));
                }
            }
            Action::Take | Action::LetGo => {
                if let Some(customer) = customer() {
                    self.spawn(Arc::clone(self).switch(customer, matches!(action, Action::Take)));
                }
            }
            Action::Agents => {
                let Some(customer) = customer() else { return };
                let (says, lets_go) = (dice.between(1..=5), dice.chance(5_000));
                let world = Arc::clone(self);
                self.spawn(async move {
                    Arc::clone(&world).switch(customer, true).await;
                    for _ in 0..says {
                        Arc::clone(&world).say(customer, Role::Agent).await;
                    }
                    if lets_go {
                        world.switch(customer, false).await;
                    }
                });
            }
            Action::AgentSays | Action::BotSays => {
                let role = if matches!(action, Action::AgentSays) { Role::Agent } else { Role::Init };
                if let Some(customer) = customer() {
                    self.spawn(Arc::clone(self).say(customer, role));
                }
            }
            Action::Unsubscribe | Action::Subscribe => {
                if let Some(customer) = customer() {
                    let unsubscribed = matches!(action, Action::Unsubscribe);
                    self.spawn(Arc::clone(self).subscribe(customer, unsubscribed));
                }
            }
            Action::Confirm => {
                if let Some(customer) = customer() {
                    self.spawn(Arc::clone(self).confirm(customer));
                }
            }
            Action::Erase => {
                // Parrots' texts are told apart by whose they are: nobody is forgotten among them.
                if let Some(customer) = customer().filter(|_| !self.plan.parrots) {
                    self.spawn(Arc::clone(self).erase(customer));
                }
            }
        }
    }

    async fn pass_time(&self) {
        let dice = &self.dice.script;
        let longest_ms = dice.weighted(&[(6, 0), (10, self.plan.tempo_ms), (1, self.plan.tempo_ms * 10)]);
        tokio::time::sleep(Duration::from_millis(dice.between(0..=longest_ms.min(120_000)))).await;
    }

    fn crash(&self) {
        if let Some(life) = self.life().filter(|life| !life.is_over()) {
            self.journal.note(|| format!("CRASH of life {}", life.number));
            self.journal.saw("crash");
            self.crashed.store(true, Ordering::Relaxed);
            life.end();
        }
    }

    async fn restart(self: &Arc<Self>) {
        let Some(life) = self.life().filter(|life| life.serves()) else { return };
        self.journal.note(|| format!("life {} is asked to stop", life.number));
        self.journal.saw("clean stop");
        let since = self.time.elapsed();
        if tokio::time::timeout(Duration::from_secs(120), life.stop()).await.is_err() {
            self.journal.broken("a soft stop never ended");
        }
        if !life.is_over() && !self.disk_is_full.load(Ordering::Relaxed) {
            self.audit.check_clean_stop(since);
        }
        if !life.is_over() {
            self.crashed.store(false, Ordering::Relaxed);
        }
        life.end();
    }

    fn fill_the_disk(self: &Arc<Self>) {
        if self.plan.store_refuses == 0 || self.disk_is_full.swap(true, Ordering::Relaxed) {
            return;
        }
        let pause_ms = self.dice.script.between(500..=20_000);
        self.journal.note(|| format!("the disk is full for {pause_ms} ms"));
        self.journal.saw("disk full");
        let world = Arc::clone(self);
        self.spawn(async move {
            tokio::time::sleep(Duration::from_millis(pause_ms)).await;
            world.disk_is_full.store(false, Ordering::Relaxed);
            world.audit.store_was_trouble();
        });
    }

    /// If nobody lives, somebody starts it again, until it does.
    async fn resurrect(self: &Arc<Self>) {
        while self.life().is_none_or(|life| life.is_over()) {
            let down_ms = self.dice.script.between(0..=self.plan.tempo_ms.min(5_000));
            tokio::time::sleep(Duration::from_millis(down_ms)).await;
            if !Life::begin(self).await {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }

    /// Where conversations are not kept for ever, time runs on until all that is over is gone.
    async fn grow_old(self: &Arc<Self>) {
        let Some(keep) = self.plan.settings.keep_messages else { return };
        // What is removed is looked for every ten minutes, and once more where clocks were a little wrong.
        let end = self.time.elapsed() + keep + Duration::from_secs(21 * 60);
        while self.time.elapsed() < end {
            self.resurrect().await;
            tokio::time::sleep(Duration::from_secs(60)).await;
            if self.breaks_a_promise() {
                return;
            }
        }
        self.audit.check_forgotten();
    }

    /// Nothing goes wrong any more; time runs on until nothing is left to do. Then everything must be settled.
    async fn come_to_rest(self: &Arc<Self>) {
        self.journal.note(|| "nothing goes wrong from here on".into());
        self.chaos.store(false, Ordering::Relaxed);
        self.tasks.close();
        // Twice the longest life of a text, and all looks at those of unknown fate.
        let longest = self.plan.settings.valid_for * 2 + Duration::from_secs(3_600);
        let end = self.time.elapsed() + longest;
        loop {
            self.resurrect().await;
            tokio::time::sleep(Duration::from_secs(3)).await;
            if self.breaks_a_promise() {
                return;
            }
            let at_rest = self.tasks.is_empty() && self.audit.is_at_rest();
            if at_rest || self.time.elapsed() > end {
                break;
            }
        }
        self.audit.check_at_rest();
        self.grow_old().await;
    }
}
