//! `kill -9` under load, between people who keep going and a provider whose lines break: nothing that was acknowledged
//! is lost, nothing leaves twice, nothing out of order, and the bot keeps silent while agents have the session. What
//! customers said is kept once, acknowledged or not: of some texts the daemon never hears, and has to ask.
//!
//! `CRASHES` sets how often the daemon is killed: 4 unless it says otherwise. `CRASH_SEED` repeats the moments, faults
//! and words of an earlier run, as far as the machine's timing lets it.

mod audit;
mod cluster;
mod ledger;
mod people;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use self::ledger::Ledger;
use self::people::{Agent, Conversation, With};
use crate::fixture::{BRAND, Daemon, Provider, Relay, Setup, client, engine};

/// Of each kind.
const CONVERSATIONS: usize = 5;

/// Chances from one seed (SplitMix64).
pub struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }

    pub fn millis(&mut self, from: u64, below: u64) -> Duration {
        Duration::from_millis(from + self.below(below - from))
    }

    fn split(&mut self) -> Self {
        Self(self.next())
    }
}

fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is not a number")))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_under_load_it_keeps_every_promise() {
    let kills = from_environment("CRASHES").unwrap_or(4);
    assert!(kills > 0);
    let seed = from_environment("CRASH_SEED")
        .unwrap_or_else(|| switchboard::app::ambient::now().as_millis().unsigned_abs() % 1_000_000);
    println!("{kills} kills with CRASH_SEED={seed}");
    let mut dice = Dice(seed);

    let provider = Arc::new(Provider::start().await);
    provider.reset_to(seed).await;
    let ledger = Arc::new(Ledger::default());
    let bot = people::bot(Arc::clone(&ledger)).await;
    let setup = Setup::new(&provider.url);
    let relay = Relay::to(setup.port).await;
    let public_url = Some(relay.url.clone());
    // People in a hurry look like another bot, and not every text of theirs would be answered.
    let bot = format!("{}\nloop_guard = \"none\"", bot.section());
    let setup = Setup { bot, more: settings(), public_url, ..setup };
    let mut daemon = Daemon::start(&setup).await;
    provider.calls_back_at(&relay.url);

    let conversations = begin(&daemon, &provider).await;
    provider.faults(faults()).await;
    let people = everybody(&daemon.url, &provider, &ledger, &conversations, Duration::ZERO, &mut dice);
    for _ in 0..kills {
        kill(&mut daemon, &mut dice).await;
    }
    ledger.end();
    people.join_all().await;
    provider.faults(json!({})).await;
    // Its next life asks at once for what nobody brought to this one.
    daemon.kill();
    daemon.start_again().await;

    let findings = audit::audit(&daemon, &provider, &ledger, &conversations, &relay.acknowledged()).await;
    println!("{kills} kills on {} (seed {seed}): {}", engine(), findings.summary());
    if let Some(complaint) = findings.complaint() {
        let log = std::env::temp_dir().join(format!("switchboard-crash-{seed}.log"));
        std::fs::write(&log, daemon.log()).unwrap();
        println!("the daemon's log is kept in {}", log.display());
        panic!("CRASH_SEED={seed}: {}\n{complaint}", findings.summary());
    }
    let least = usize::try_from(kills).unwrap();
    assert!(
        findings.texts_taken > least
            && findings.texts_accepted > least
            && findings.line_breaks > 0
            && findings.texts_unheard > 0,
        "there was no load to speak of: {}",
        findings.summary()
    );
}

/// What was being sent when it died is looked for, and the last look must not be minutes away. Every agent has a token,
/// and so an allowance, of its own.
fn settings() -> String {
    let tokens = (0..2 * CONVERSATIONS).map(|agent| {
        format!(
            "\n[[tokens]]\nname = \"agent {agent}\"\nrole = \"agent\"\nsecret = \"agent-secret-{agent}\"\n"
        )
    });
    let sending = "[sending]\nlooks = [\"300ms\", \"1s\", \"4s\"]\nrequest_timeout = \"1s\"\n";
    tokens.chain([sending.to_owned()]).collect()
}

/// Every fault once, and then by chance.
fn faults() -> Value {
    json!({
        "next_sends": ["none", "error_taken", "dropped_before", "dropped_after", "error_not_taken", "slow", "receipt_first", "throttled"],
        "next_receipts": ["none", "lost", "repeated", "reordered", "late"],
        "sends": {
            "throttled": 0.002, "error_not_taken": 0.01, "error_taken": 0.02, "dropped_before": 0.01,
            "dropped_after": 0.02, "slow": 0.005, "receipt_first": 0.05,
        },
        "receipts": {"lost": 0.05, "repeated": 0.05, "reordered": 0.05, "late": 0.05},
        "webhooks_lost": 0.05,
        "reads_failed": 0.1,
        "retry_after_s": 1,
        "slow_ms": 2_500,
        "late_ms": 1_500,
        "list_lag_ms": 500,
    })
}

/// Everybody's first text, so that there are customers and sessions.
async fn begin(daemon: &Daemon, provider: &Provider) -> Vec<Arc<Conversation>> {
    let mut conversations = Vec::new();
    for (kind, with) in [With::Agents, With::Bot, With::Both].into_iter().enumerate() {
        for count in 0..CONVERSATIONS {
            let number = format!("+1415555{kind}{count:03}");
            provider.text(&number, BRAND, "Hey").await;
            let customer = daemon.customer(&number).await;
            if with == With::Both {
                let path = format!("/v1/customers/{customer}/sessions/current");
                let tags = json!({"tags": ["both"]});
                assert_eq!(daemon.call("PATCH", &path, "agent-secret", Some(tags)).await.0, 200);
            }
            conversations.push(Arc::new(Conversation::new(number, with, customer)));
        }
    }
    for of in &conversations {
        provider.until_arrived(&of.number, 1).await;
    }
    conversations
}

fn everybody(
    url: &str,
    provider: &Arc<Provider>,
    ledger: &Arc<Ledger>,
    conversations: &[Arc<Conversation>],
    late: Duration,
    dice: &mut Dice,
) -> JoinSet<()> {
    let mut people = JoinSet::new();
    let mut agents = 0..;
    let mut agent = || Agent {
        url: url.to_owned(),
        http: client(),
        token: format!("agent-secret-{}", agents.next().unwrap_or_default()),
        late,
    };
    for of in conversations {
        let (of, ledger) = (|| Arc::clone(of), || Arc::clone(ledger));
        people.spawn(people::watch_phone(Arc::clone(provider), of(), ledger()));
        people.spawn(people::text(Arc::clone(provider), of(), ledger(), dice.split()));
        match of().with {
            With::Agents => {
                people.spawn(agent().answer(of(), ledger(), dice.split()));
            }
            With::Both => {
                people.spawn(agent().come_and_go(of(), ledger(), dice.split()));
            }
            With::Bot => {}
        }
    }
    people
}

/// Kills it at some moment of its life: mostly while it works, now and then while it is still starting.
async fn kill(daemon: &mut Daemon, dice: &mut Dice) {
    tokio::time::sleep(dice.millis(50, 1_500)).await;
    daemon.kill();
    if dice.one_in(8) {
        daemon.spawn_again();
        tokio::time::sleep(dice.millis(0, 300)).await;
        daemon.kill();
    }
    daemon.start_again().await;
}
