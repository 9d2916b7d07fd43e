//! Those who keep a daemon busy while it is killed: customers who text, agents who answer, take over and give back, and
//! the bot. Each waits for what it said to arrive before it says much more, so that nothing piles up without end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::Dice;
use super::ledger::{Held, Ledger};
use crate::fixture::{BRAND, Bot, Provider};

/// How many texts to one customer may be on their way.
const MOST_UNDER_WAY: usize = 4;
/// Somebody whose call was not answered calls again after this.
const AGAIN: Duration = Duration::from_millis(25);

/// Who speaks to a customer, besides the customer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum With {
    Agents,
    Bot,
    /// Now the one, now the other.
    Both,
}

/// One customer's conversation.
pub struct Conversation {
    pub number: String,
    pub with: With,
    /// The customer's id.
    pub customer: String,
    /// How many texts have arrived on the phone.
    arrived: AtomicUsize,
}

impl Conversation {
    pub fn new(number: String, with: With, customer: String) -> Self {
        Self { number, with, customer, arrived: AtomicUsize::new(0) }
    }

    fn path(&self) -> String {
        format!("/v1/customers/{}/sessions/current", self.customer)
    }

    /// Returns when fewer than [`MOST_UNDER_WAY`] of `said` are, or when it is over.
    async fn until_room(&self, said: usize, ledger: &Ledger) {
        while said >= self.arrived.load(Ordering::SeqCst) + MOST_UNDER_WAY && !ledger.is_over() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// Looks at the phone until it is over.
pub async fn watch_phone(provider: Arc<Provider>, of: Arc<Conversation>, ledger: Arc<Ledger>) {
    let mut seen = 0;
    while !ledger.is_over() {
        let (count, texts) = provider.phone(&of.number, seen, 500).await;
        let new = texts.iter().filter(|text| text["direction"] == "received").count();
        of.arrived.fetch_add(new, Ordering::SeqCst);
        seen = count;
    }
}

/// A customer who keeps texting. Some texts are repeated by the provider although they were acknowledged.
pub async fn text(provider: Arc<Provider>, of: Arc<Conversation>, ledger: Arc<Ledger>, mut dice: Dice) {
    let mut taken = 0;
    for count in 1.. {
        if ledger.is_over() {
            return;
        }
        if of.with == With::Bot {
            // The greeting was answered, too.
            of.until_room(taken + 1, &ledger).await;
        }
        let body = format!("in {} {count}", of.number);
        let repeat = if dice.one_in(8) { 2 } else { 1 };
        let text = json!({"from": of.number, "to": BRAND, "body": body, "repeat": repeat, "at_once": dice.one_in(2)});
        ledger.note(&of.number, |promises| {
            promises.said.insert(body.clone());
        });
        let told = provider.try_text(text).await;
        if told["answers"].as_array().unwrap().iter().any(|answer| answer["status"] == 200) {
            taken += 1;
            ledger.note(&of.number, |promises| {
                promises.taken.insert(body);
            });
        }
        let pause = if of.with == With::Both { dice.millis(100, 400) } else { dice.millis(20, 120) };
        tokio::time::sleep(pause).await;
    }
}

/// One agent's way to the API, with a token of its own.
pub struct Agent {
    pub url: String,
    pub http: reqwest::Client,
    pub token: String,
    /// How late a call that nobody answered may still be carried out: a daemon that was stopped has it in its socket, or the
    /// way to the database holds it back, while another daemon has answered the same call.
    pub late: Duration,
}

impl Agent {
    /// Calls until there is an answer from a daemon that is alive: status and body.
    async fn call(&self, method: reqwest::Method, path: &str, body: &Value, key: &str) -> (u16, Value) {
        let (status, body, _) = self.call_again(method, path, body, key).await;
        (status, body)
    }

    /// The same; and whether it had to be called more than once.
    async fn call_again(
        &self,
        method: reqwest::Method,
        path: &str,
        body: &Value,
        key: &str,
    ) -> (u16, Value, bool) {
        let mut again = false;
        loop {
            let mut request =
                self.http.request(method.clone(), format!("{}{path}", self.url)).bearer_auth(&self.token);
            if !key.is_empty() {
                request = request.header("Idempotency-Key", key);
            }
            if let Ok(answer) = request.json(body).send().await {
                let status = answer.status().as_u16();
                if !matches!(status, 429 | 500..)
                    && let Ok(body) = answer.json().await
                {
                    return (status, body, again);
                }
            }
            again = true;
            tokio::time::sleep(AGAIN).await;
        }
    }

    /// Says it, however often it takes: the same key makes it the same text.
    async fn say(&self, of: &Conversation, content: &str) -> (u16, Value) {
        let body = json!({"content": content, "content_type": "text"});
        self.call(
            reqwest::Method::POST,
            &format!("{}/messages", of.path()),
            &body,
            &content.replace(' ', "-"),
        )
        .await
    }

    async fn switch(&self, of: &Conversation, held: bool, ledger: &Ledger) {
        let wanted = json!({"need_attention": held});
        let (status, body, again) = self.call_again(reqwest::Method::PATCH, &of.path(), &wanted, "").await;
        assert_eq!(status, 200, "{}: {body}", of.number);
        if held {
            ledger.note(&of.number, |promises| promises.switched_ms.push(now_ms()));
        } else if again {
            // A switch has no key that makes it one with its repeat: it may be carried out twice, and the second time undo
            // what this agent asks for next.
            ledger.rest(self.late).await;
        }
    }

    /// Takes it back, if it has not left yet.
    async fn cancel(&self, of: &Conversation, message: &str, ledger: &Ledger) {
        let path = format!("/v1/messages/{message}");
        let (post, get) = (reqwest::Method::POST, reqwest::Method::GET);
        ledger.note(&of.number, |promises| {
            promises.cancel_asked.insert(message.to_owned());
        });
        let (status, _) = self.call(post, &format!("{path}/cancel"), &json!({}), "").await;
        // A call whose answer was lost may have taken it back already.
        let (_, delivery) = self.call(get, &format!("{path}/delivery"), &json!({}), "").await;
        assert!(status != 200 || delivery["status"] == "canceled", "{message} came back: {delivery}");
        if delivery["status"] == "canceled" {
            of.arrived.fetch_add(1, Ordering::SeqCst);
            ledger.note(&of.number, |promises| {
                promises.canceled.insert(message.to_owned());
            });
        }
    }

    /// Holds the session and keeps answering.
    pub async fn answer(self, of: Arc<Conversation>, ledger: Arc<Ledger>, mut dice: Dice) {
        self.switch(&of, true, &ledger).await;
        let from_ms = now_ms();
        ledger.note(&of.number, |promises| promises.held.push(Held { from_ms, until_ms: i64::MAX }));
        for count in 1.. {
            if ledger.is_over() {
                return;
            }
            of.until_room(count, &ledger).await;
            self.say_one(&of, &format!("agent {} {count}", of.number), &ledger, &mut dice).await;
            tokio::time::sleep(dice.millis(5, 60)).await;
        }
    }

    async fn say_one(&self, of: &Conversation, content: &str, ledger: &Ledger, dice: &mut Dice) {
        let (status, message) = self.say(of, content).await;
        assert_eq!(status, 201, "{content}: {message}");
        let id = message["id"].as_str().unwrap().to_owned();
        ledger.note(&of.number, |promises| {
            promises.accepted.insert(id.clone(), content.to_owned());
        });
        if dice.one_in(10) {
            self.cancel(of, &id, ledger).await;
        }
    }

    /// Takes the session from the bot, says a few words, gives it back, and again.
    pub async fn come_and_go(self, of: Arc<Conversation>, ledger: Arc<Ledger>, mut dice: Dice) {
        for round in 1.. {
            tokio::time::sleep(dice.millis(300, 1_500)).await;
            if ledger.is_over() {
                return;
            }
            self.switch(&of, true, &ledger).await;
            let from_ms = now_ms();
            for word in 0..dice.below(4) {
                let content = format!("agent {} {round} {word}", of.number);
                self.say_one(&of, &content, &ledger, &mut dice).await;
                tokio::time::sleep(dice.millis(5, 60)).await;
            }
            tokio::time::sleep(dice.millis(50, 400)).await;
            let until_ms = now_ms();
            self.switch(&of, false, &ledger).await;
            ledger.note(&of.number, |promises| promises.held.push(Held { from_ms, until_ms }));
        }
    }
}

fn now_ms() -> i64 {
    switchboard::app::ambient::now().as_millis()
}

/// A bot that answers each text, never twice in the same words. With those customers whom agents see to as well it
/// takes its time and says more, so that they come while it thinks and speaks; some of them it hands over.
pub async fn bot(ledger: Arc<Ledger>) -> Bot {
    let told = AtomicUsize::new(0);
    Bot::start(move |turn| {
        let count = told.fetch_add(1, Ordering::SeqCst);
        let both = turn["data"]["session"]["tags"] == json!(["both"]);
        if turn["type"] != "message.received" {
            return (204, Value::Null, Duration::ZERO);
        }
        let pause_ms = count % 7 * if both { 30 } else { 5 };
        let heard = turn["data"]["message"]["content"].as_str().unwrap();
        let mut texts = vec![json!({"content": format!("bot {count} re {heard}")})];
        if both {
            texts.push(json!({"content": format!("bot {count} more")}));
        }
        let mut answer = json!({"messages": texts});
        if both && count.is_multiple_of(20) {
            answer["handoff"] = json!({"needed": true, "reason": "a person is asked for"});
            let number = turn["data"]["customer"]["phone_number"].as_str().unwrap();
            ledger.note(number, |promises| promises.switched_ms.push(now_ms()));
        }
        (200, answer, Duration::from_millis(pause_ms.try_into().unwrap()))
    })
    .await
}
