//! The customers: what they text, and how the provider's webhooks bring it, again and again until it is acknowledged.

use std::sync::Arc;
use std::time::Duration;

use switchboard::domain::phone::Address;
use switchboard::provider::ProviderText;
use switchboard::store::Inbound;

use crate::plan::channel_of;
use crate::world::World;

/// What a customer's text is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    Anything,
    Stop,
    Start,
    Help,
    /// An opt-out in other words: a human should look at it.
    NearStop,
}

impl World {
    /// A customer texts a number of ours.
    pub fn customer_texts(self: &Arc<Self>, about: About) {
        let dice = &self.dice.people;
        let content = match about {
            About::Anything => self.words(dice, "customer"),
            About::Stop => "STOP".into(),
            About::Start => "START".into(),
            About::Help => "HELP".into(),
            About::NearStop => "please stop texting".into(),
        };
        let text = ProviderText {
            provider_id: format!("IN{}", self.number()),
            from: Address::parse(dice.pick::<&str>(&self.plan.phones)).unwrap(),
            to: (*dice.pick(&self.plan.numbers)).to_owned(),
            service: None,
            content,
            media: Vec::new(),
            sent_at: None,
            keyword: None,
        };
        self.audit.customer_texts(&text, about);
        self.reaches_provider(&text);
        self.journal.note(|| {
            format!("{} texts {}: {} ({about:?})", text.from, text.provider_id, short(&text.content))
        });
        if dice.chance(1_500) {
            self.journal.saw("webhook twice at once");
            self.spawn(Arc::clone(self).webhook(text.clone()));
        }
        self.spawn(Arc::clone(self).webhook(text));
    }

    async fn webhook(self: Arc<Self>, text: ProviderText) {
        let dice = &self.dice.people;
        tokio::time::sleep(Duration::from_millis(dice.between(0..=dice.weighted(&[(8, 20), (1, 3_000)]))))
            .await;
        let mut repeats = dice.weighted(&[(12, 0), (1, 1), (1, 2)]);
        // Some providers try once. The others try for longer than an outage that is not worth asking them about.
        let patient = dice.chance(8_000);
        for _ in 0..if patient { 60 } else { 1 } {
            let told = self.ask(|gateway| {
                let text = text.clone();
                async move {
                    let channel = gateway.channel(channel_of(&text.to)).unwrap();
                    gateway.receive_text(channel, text).await
                }
            });
            let told = told.await;
            if told.is_none() && self.has_crashed() {
                self.audit.text_is_owed(&text);
            }
            if let Some(Ok(inbound)) = told {
                let message_id = match &inbound {
                    Inbound::Recorded { message, .. } => message.id,
                    Inbound::Duplicate { message_id } => *message_id,
                };
                self.audit.text_is_acknowledged(&text, message_id);
                if repeats == 0 {
                    return;
                }
                // The acknowledgement was lost on its way.
                repeats -= 1;
                self.journal.saw("webhook repeated");
            }
            tokio::time::sleep(Duration::from_millis(dice.between(10..=6_000))).await;
        }
    }
}

pub fn short(content: &str) -> &str {
    let end = content.char_indices().nth(28).map_or(content.len(), |(at, _)| at);
    &content[..end]
}
