//! The provider as one life of the gateway reaches it. What was handed over goes on in the [`crate::network`], whether
//! or not the life still waits for its answer.

use std::sync::Arc;

use async_trait::async_trait;
use switchboard::domain::delivery::ReceiptStatus;
use switchboard::domain::message::Media;
use switchboard::domain::time::Timestamp;
use switchboard::provider::{
    Acknowledgement, AskError, Capability, OutgoingText, ParseError, Provider, ProviderReceipt, ProviderText,
    Received, Sent, SentRecord, SignatureError, Span, WebhookRequest,
};

use crate::life::Life;
use crate::network::Reply;
use crate::world::World;

pub struct MortalProvider {
    world: Arc<World>,
    life: Arc<Life>,
}

impl MortalProvider {
    pub fn new((world, life): (Arc<World>, Arc<Life>)) -> Self {
        Self { world, life }
    }
}

#[async_trait]
impl Provider for MortalProvider {
    fn capability(&self) -> Capability {
        Capability {
            fetches_status: self.world.plan.fetches,
            lists_sent: self.world.plan.lists,
            lists_received: self.world.plan.recovers,
            receipts: true,
            answers_keywords: false,
        }
    }

    fn verify(&self, _: &WebhookRequest) -> Result<(), SignatureError> {
        Err(SignatureError::Missing)
    }

    fn parse_text(&self, _: &WebhookRequest) -> Result<ProviderText, ParseError> {
        Err(ParseError::Missing("everything"))
    }

    fn parse_receipt(&self, _: &WebhookRequest, _: Timestamp) -> Result<ProviderReceipt, ParseError> {
        Err(ParseError::Missing("everything"))
    }

    fn acknowledge(&self) -> Acknowledgement {
        Acknowledgement { content_type: "text/plain", body: "" }
    }

    async fn send(&self, text: &OutgoingText) -> Sent {
        let crash = self.world.plan.crash;
        self.life.boundary(&self.world, ("before a text leaves", ""), crash).await;
        self.world.audit.departs(text.message_id);
        let (after, reply) = self.world.hand_over(text);
        self.life.boundary(&self.world, ("while a text is on its way", ""), crash).await;
        tokio::time::sleep(after).await;
        self.life.boundary(&self.world, ("when the provider has answered", ""), crash).await;
        match reply {
            Reply::Sent(sent) => sent,
            // Without the panic hook, whose noise would bury what matters.
            Reply::Panic => std::panic::resume_unwind(Box::new("the adapter fell over")),
        }
    }

    async fn list_sent(&self, sender: &str, to: &str, since: Timestamp) -> Result<Vec<SentRecord>, AskError> {
        let crash = self.world.plan.crash;
        self.life.boundary(&self.world, ("before the provider is asked", ""), crash).await;
        let (after, list) = self.world.list_sent(sender, to, since);
        tokio::time::sleep(after).await;
        self.life.boundary(&self.world, ("when the provider has told", ""), crash).await;
        list
    }

    async fn fetch_status(&self, id: &str, now: Timestamp) -> Result<Option<ReceiptStatus>, AskError> {
        let crash = self.world.plan.crash;
        self.life.boundary(&self.world, ("before the provider is asked for one text", ""), crash).await;
        let (after, status) = self.world.status_of(id, now);
        tokio::time::sleep(after).await;
        self.life.boundary(&self.world, ("when the provider has told of one text", ""), crash).await;
        status
    }

    async fn list_received(&self, sender: &str, span: Span) -> Result<Received, AskError> {
        let crash = self.world.plan.crash;
        self.life
            .boundary(&self.world, ("before the provider is asked for customers' texts", ""), crash)
            .await;
        let (after, list) = self.world.list_received(sender, span);
        tokio::time::sleep(after).await;
        self.life.boundary(&self.world, ("when the provider has told customers' texts", ""), crash).await;
        list
    }

    async fn received_media(&self, _: &str) -> Result<Vec<Media>, AskError> {
        Ok(Vec::new())
    }

    async fn check(&self) -> Result<String, AskError> {
        Ok("good".into())
    }
}
