//! The switch, raced: a slow bot answers in every way that it has, while agents take conversations over and give them back.
//! After the `200` of a take-over not one text of the bot's leaves until the bot has the conversation again, and whatever it
//! said is somewhere: on the customer's phone, or on record as canceled or refused.
//!
//! `RACE_ROUNDS` sets how many rounds there are (1,000), `RACE_SEED` repeats a run as far as time lets it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use serde_json::{Value, json};
use switchboard::app::ambient;
use switchboard::domain::time::Timestamp;

use crate::fixture::{BRAND, Bot, Daemon, Provider, Setup, client};

/// Conversations side by side.
const LANES: u64 = 16;

fn rounds() -> u64 {
    std::env::var("RACE_ROUNDS").map_or(1_000, |rounds| rounds.parse().unwrap())
}

/// Chance that can be repeated.
#[derive(Clone)]
struct Dice(Arc<Mutex<u64>>);

impl Dice {
    fn seeded() -> (u64, Self) {
        let seed = std::env::var("RACE_SEED").map_or_else(
            |_| u64::try_from(ambient::now().as_millis()).unwrap(),
            |seed| seed.parse().unwrap(),
        );
        (seed, Self(Arc::new(Mutex::new(seed | 1))))
    }

    fn below(&self, bound: u64) -> u64 {
        let mut state = self.0.lock().unwrap();
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        *state % bound
    }

    async fn pause(&self, most_ms: u64) {
        tokio::time::sleep(Duration::from_millis(self.below(most_ms + 1))).await;
    }
}

/// What the bot tried to say, and what it was told of it where it was told anything.
#[derive(Clone, Debug)]
enum Tried {
    /// In the answer to the call.
    InTheAnswer,
    /// By a call of its own: the status.
    ByItself(u16),
}

/// From when to when agents had a conversation for certain.
type Window = (Timestamp, Timestamp);

#[derive(Clone, Default)]
struct Ledger {
    tried: Arc<Mutex<BTreeMap<String, Tried>>>,
    /// By phone.
    held: Arc<Mutex<BTreeMap<String, Vec<Window>>>>,
    /// What the bot was told, and of whom.
    told: Arc<Mutex<BTreeSet<(String, String)>>>,
}

impl Ledger {
    /// The bot was told what the customer wrote in that round.
    async fn until_told(&self, phone: &str, round: u64) {
        let told = (phone.to_owned(), format!("question {round}"));
        for _ in 0..10_000 {
            if self.told.lock().unwrap().contains(&told) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        panic!("the bot was not told {told:?}");
    }

    fn tried(&self, content: &str, how: Tried) {
        self.tried.lock().unwrap().insert(content.to_owned(), how);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_take_over_no_text_of_the_bots_leaves_and_none_is_lost_without_a_record() {
    let (seed, dice) = Dice::seeded();
    println!("RACE_SEED={seed}");
    let ledger = Ledger::default();
    let provider = Provider::start().await;
    let bot = racing_bot(dice.clone(), ledger.clone()).await;
    let section = format!("{}\ninit_secret = \"shared\"\nloop_guard = \"none\"", bot.section());
    let env = vec![("SWITCHBOARD__SERVER__API_RATE", "100000/s".to_owned())];
    let daemon = Arc::new(Daemon::start(&Setup { bot: section, env, ..Setup::new(&provider.url) }).await);
    provider.calls_back(&daemon);
    let provider = Arc::new(provider);

    let mut lanes = Vec::new();
    for lane in 0..LANES {
        let (daemon, provider) = (Arc::clone(&daemon), Arc::clone(&provider));
        let (dice, ledger) = (dice.clone(), ledger.clone());
        lanes.push(tokio::spawn(async move {
            let phone = format!("+1415555{:04}", 1_000 + lane);
            let each = rounds().div_ceil(LANES);
            for round in 0..each {
                one_round(&daemon, &provider, &dice, &ledger, &phone, round).await;
            }
        }));
    }
    for lane in lanes {
        lane.await.unwrap();
    }
    settle(&daemon, &ledger).await;
    audit(&daemon, &provider, &ledger).await;
}

/// A customer writes, the bot thinks, an agent takes over at some moment, answers, and gives back.
async fn one_round(
    daemon: &Daemon,
    provider: &Provider,
    dice: &Dice,
    ledger: &Ledger,
    phone: &str,
    round: u64,
) {
    provider.text(phone, BRAND, &format!("question {round}")).await;
    let customer = daemon.customer(phone).await;
    // Now and then before the bot has heard of it; mostly while it thinks.
    if dice.below(10) > 0 {
        ledger.until_told(phone, round).await;
    }
    dice.pause(60).await;
    let (status, session) = daemon.hold(&customer, true).await;
    let from = ambient::now();
    assert_eq!((status, &session["need_attention"]), (200, &json!(true)), "{session}");
    dice.pause(20).await;
    let (status, said) = daemon.say(&customer, "agent-secret", &format!("agent {round}")).await;
    assert_eq!(status, 201, "{said}");
    dice.pause(40).await;
    let until = ambient::now();
    let (status, session) = daemon.hold(&customer, false).await;
    assert_eq!((status, &session["need_attention"]), (200, &json!(false)), "{session}");
    ledger.held.lock().unwrap().entry(phone.to_owned()).or_default().push((from, until));
    dice.pause(10).await;
}

/// Answers each turn in one of the ways that there are, after some time.
async fn racing_bot(dice: Dice, ledger: Ledger) -> Bot {
    Bot::start(move |turn| {
        if turn["type"] != "message.received" {
            return (204, Value::Null, Duration::ZERO);
        }
        let data = turn["data"].clone();
        let word = |path: &str| turn.pointer(path).and_then(Value::as_str).unwrap().to_owned();
        let heard = (word("/data/customer/phone_number"), word("/data/message/content"));
        ledger.told.lock().unwrap().insert(heard);
        let id = data["reply_url"].as_str().unwrap().split('/').rev().nth(1).unwrap().to_owned();
        let named = id.clone();
        let content = move |way: &str| format!("bot {way} {named}");
        let pause = Duration::from_millis(dice.below(60));
        let way = dice.below(5);
        if way < 2 {
            let said = content("answer");
            // A repeat of a turn says the same once more.
            ledger.tried(&said, Tried::InTheAnswer);
            return (200, json!({"messages": [{"content": said, "content_type": "text"}]}), pause);
        }
        let (dice, ledger) = (dice.clone(), ledger.clone());
        tokio::spawn(async move {
            tokio::time::sleep(pause).await;
            let (said, status) = match way {
                2 => reply_later(&data, content("reply")).await,
                3 => speak_with_token(&data, &id, content("token")).await,
                _ => speak_as_init(&data, &id, content("init")).await,
            };
            ledger.tried(&said, Tried::ByItself(status));
        });
        (202, Value::Null, Duration::from_millis(dice.below(20)))
    })
    .await
}

fn base(data: &Value) -> String {
    let url = data["reply_url"].as_str().unwrap();
    url.split("/v1/").next().unwrap().to_owned()
}

async fn reply_later(data: &Value, said: String) -> (String, u16) {
    let body = json!({"messages": [{"content": said, "content_type": "text"}]});
    let url = data["reply_url"].as_str().unwrap();
    let answer =
        client().post(url).bearer_auth(data["reply_token"].as_str().unwrap()).json(&body).send().await;
    (said, answer.unwrap().status().as_u16())
}

async fn speak_with_token(data: &Value, turn: &str, said: String) -> (String, u16) {
    let customer = data["customer"]["id"].as_str().unwrap();
    let url = format!("{}/v1/customers/{customer}/sessions/current/messages", base(data));
    let body = json!({"content": said, "content_type": "text", "turn_id": turn});
    let answer = client().post(url).bearer_auth("bot-secret").json(&body).send().await;
    (said, answer.unwrap().status().as_u16())
}

async fn speak_as_init(data: &Value, turn: &str, said: String) -> (String, u16) {
    let url = format!("{}/v1/receive/init", base(data));
    let body = json!({
        "event_type": "MessageOutbound",
        "customer_id": data["customer"]["id"],
        "data": {"content": said, "turn_id": turn},
    });
    let answer = client().post(url).header("x-init-ai-secret", "shared").json(&body).send().await;
    (said, answer.unwrap().status().as_u16())
}

/// Until nothing is under way any more: no turn, no text, no call of the bot's.
async fn settle(daemon: &Daemon, ledger: &Ledger) {
    let mut last = usize::MAX;
    for _ in 0..400 {
        let metrics = daemon.http.get(format!("{}/metrics", daemon.url)).send().await.unwrap();
        let metrics = metrics.text().await.unwrap();
        let gauge = |name: &str| metrics.lines().any(|line| line == format!("switchboard_{name} 0"));
        let tried = ledger.tried.lock().unwrap().len();
        if gauge("messages_queued") && gauge("bot_turns_open") && tried == last {
            return;
        }
        last = tried;
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    panic!("it did not come to rest:\n{}", daemon.log());
}

async fn audit(daemon: &Daemon, provider: &Provider, ledger: &Ledger) {
    let tried = ledger.tried.lock().unwrap().clone();
    let held = ledger.held.lock().unwrap().clone();
    let (mut arrived_of_bot, mut sent_while_held) = (BTreeSet::new(), Vec::new());
    let (mut canceled, mut left, mut windows) = (BTreeSet::new(), BTreeSet::new(), 0);
    for (phone, held) in &held {
        windows += held.len();
        for text in provider.arrived(phone).await {
            let body = text["body"].as_str().unwrap().to_owned();
            if !body.starts_with("bot ") {
                continue;
            }
            let accepted = Timestamp::parse(text["accepted_at"].as_str().unwrap()).unwrap();
            if held.iter().any(|(from, until)| *from < accepted && accepted < *until) {
                sent_while_held.push(body.clone());
            }
            assert!(arrived_of_bot.insert(body.clone()), "{body} arrived twice");
        }
        let customer = daemon.customer(phone).await;
        for message in daemon.all_messages(&customer).await {
            let content = message["content"].as_str().unwrap().to_owned();
            match message["delivery"]["status"].as_str().unwrap() {
                "canceled" => drop(canceled.insert(content)),
                // The last may still be on their way to the phone.
                "sent" | "delivered" => drop(left.insert(content)),
                other => panic!("{content} is {other}"),
            }
        }
    }
    let (refused, told_refused) = refusals(daemon).await;
    let by_itself = tried.values().filter(|how| matches!(how, Tried::ByItself(409))).count();
    println!(
        "{windows} take-overs; of {} texts {} arrived, {} were canceled, {} answers and {by_itself} calls refused, {told_refused} refusals told",
        tried.len(),
        arrived_of_bot.len(),
        canceled.len(),
        refused.len(),
    );
    assert!(arrived_of_bot.is_subset(&left), "what arrived is on record as sent");
    assert_eq!(sent_while_held, Vec::<String>::new(), "these left while agents had the conversation");
    let mut lost = Vec::new();
    for (content, how) in &tried {
        let on_record = left.contains(content) || canceled.contains(content) || refused.contains(content);
        let was_refused = matches!(how, Tried::ByItself(409));
        if !on_record && !was_refused {
            lost.push((content, how));
        }
    }
    assert!(lost.is_empty(), "of these there is no record: {lost:?}");
    assert!(told_refused >= by_itself, "each refused call is told: {told_refused} of {by_itself}");
    // A race that nobody loses shows nothing.
    assert!(windows as u64 >= rounds() && !arrived_of_bot.is_empty() && !refused.is_empty());
}

/// What is on record as refused with its turn, and how many texts the log of events tells of as refused.
async fn refusals(daemon: &Daemon) -> (BTreeSet<String>, usize) {
    let turns = daemon.all("/v1/bot/turns?failed=true&limit=1000".to_owned()).await;
    let texts = turns.iter().flat_map(|turn| turn["refused_messages"].as_array().unwrap());
    let refused = texts.map(|text| text.as_str().unwrap().to_owned()).collect();
    let told = crate::events::all_of(daemon, "bot.refused").await;
    let told = told.iter().map(|event| event["data"]["texts"].as_u64().unwrap()).sum::<u64>();
    (refused, usize::try_from(told).unwrap())
}
