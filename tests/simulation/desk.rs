//! The agents and whoever else calls the API: they take sessions and let them go, speak, cancel, subscribe and
//! unsubscribe, create and confirm and erase customers. What they were answered is what the gateway has promised.

use std::sync::Arc;
use std::time::Duration;

use switchboard::domain::conversation::SessionPatch;
use switchboard::domain::ids::{CustomerId, MessageId};
use switchboard::domain::message::{Author, Role};
use switchboard::domain::phone::PhoneNumber;
use switchboard::gateway::conversation::Say;
use switchboard::gateway::customers::NewCustomer;
use switchboard::store::Idempotency;

use crate::people::short;
use crate::world::World;

impl World {
    /// Takes a session, or lets it go.
    pub async fn switch(self: Arc<Self>, customer: CustomerId, held: bool) {
        let mark = format!("switch {}", self.number());
        let patch = SessionPatch {
            need_attention: Some(held),
            reason: Some(mark.clone()),
            ..SessionPatch::default()
        };
        self.journal.note(|| format!("{mark}: held={held} is asked for {}", self.audit.name_of(customer)));
        let told = self.ask(|gateway| async move { gateway.update_session(customer, patch).await }).await;
        self.journal.note(|| format!("{mark}: {}", outcome(told.as_ref())));
        if let (Some(Ok(_)), true) = (told, held) {
            self.journal.saw("session taken");
            self.audit.hold_is_acknowledged(&mark);
        }
    }

    /// An agent or the bot says something, and says it again if nobody answers.
    pub async fn say(self: Arc<Self>, customer: CustomerId, role: Role) {
        let dice = &self.dice.people;
        let who = if role == Role::Agent { "agent" } else { "bot-api" };
        let content = self.words(dice, who);
        let key = format!("key {}", self.number());
        let keyed = dice.chance(6_000);
        let mut tries = if keyed { dice.between(1..=3) } else { 1 };
        let mut first: Option<MessageId> = None;
        while tries > 0 {
            tries -= 1;
            let say = Say {
                customer_id: customer,
                author: Author { role, name: who.into() },
                content: content.clone(),
                confirmation: None,
                turn_id: None,
                unprompted: false,
                valid_for: dice.chance(500).then_some(Duration::from_secs(10)),
                idempotency: keyed.then(|| Idempotency {
                    scope: who.into(),
                    key: key.clone(),
                    request: [7; 32],
                }),
            };
            let told = self.ask(|gateway| async move { gateway.say(say).await }).await;
            self.journal.note(|| format!("{who} says {}: {}", short(&content), outcome(told.as_ref())));
            match told {
                Some(Ok(fresh)) => {
                    let id = *first.get_or_insert(fresh.value.id);
                    if id != fresh.value.id {
                        self.journal.broken(format!("{key} created two messages"));
                    }
                    if fresh.replayed {
                        self.journal.saw("say replayed");
                    }
                    self.audit.text_is_accepted(fresh.value.id);
                }
                Some(Err(_)) if first.is_none() => self.journal.saw("say refused"),
                Some(Err(_)) | None => self.journal.saw("say without answer"),
            }
            tokio::time::sleep(Duration::from_millis(dice.between(0..=3_000))).await;
        }
    }

    pub async fn cancel(self: Arc<Self>, id: MessageId) {
        let told = self.ask(|gateway| async move { gateway.cancel_message(id).await }).await;
        self.journal.note(|| format!("cancel {}: {}", self.audit.title_of(id), outcome(told.as_ref())));
    }

    /// Somebody decides that a text of unknown fate is sent again.
    pub async fn resend(self: Arc<Self>, id: MessageId) {
        let told = self.ask(|gateway| async move { gateway.resend_message(id).await }).await;
        self.journal.note(|| format!("resend {}: {}", self.audit.title_of(id), outcome(told.as_ref())));
    }

    pub async fn subscribe(self: Arc<Self>, customer: CustomerId, unsubscribed: bool) {
        let told =
            self.ask(|gateway| async move { gateway.set_subscription(customer, unsubscribed, "desk").await });
        let told = told.await;
        self.journal.note(|| {
            format!(
                "unsubscribed={unsubscribed} {}: {}",
                self.audit.name_of(customer),
                outcome(told.as_ref())
            )
        });
    }

    pub async fn create_customer(self: Arc<Self>) {
        let dice = &self.dice.people;
        let new = NewCustomer {
            number: PhoneNumber::parse(dice.pick::<&str>(&self.plan.phones)).unwrap(),
            email: None,
            first_name: None,
            last_name: None,
            time_zone: None,
            confirmed: dice.chance(2_500),
            idempotency: None,
        };
        let told = self.ask(|gateway| async move { gateway.create_customer(new, "desk").await }).await;
        self.journal.note(|| format!("create a customer: {}", outcome(told.as_ref())));
    }

    /// Sends a confirmation text; perhaps the customer then tells the code, perhaps a wrong one.
    pub async fn confirm(self: Arc<Self>, customer: CustomerId) {
        let told = self.ask(|gateway| async move { gateway.send_confirmation(customer).await }).await;
        self.journal.note(|| format!("send confirmation: {}", outcome(told.as_ref())));
        tokio::time::sleep(Duration::from_millis(self.dice.people.between(0..=4_000))).await;
        let right = self.audit.code_of(customer);
        let code = if self.dice.people.chance(7_000) { right } else { None };
        let code = code.unwrap_or_else(|| "000000".into());
        let told = self.ask(|gateway| async move { gateway.confirm_customer(customer, code, "desk").await });
        let told = told.await;
        self.journal.note(|| format!("confirm: {}", outcome(told.as_ref())));
    }

    pub async fn erase(self: Arc<Self>, customer: CustomerId) {
        let told = self.ask(|gateway| async move { gateway.erase_customer(customer).await }).await;
        self.journal.note(|| format!("erase {}: {}", self.audit.name_of(customer), outcome(told.as_ref())));
    }
}

fn outcome<T, E: std::fmt::Display>(told: Option<&Result<T, E>>) -> String {
    match told {
        None => "no answer".into(),
        Some(Ok(_)) => "done".into(),
        Some(Err(error)) => format!("refused: {error}"),
    }
}
