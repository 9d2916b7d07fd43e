//! Twilio's Programmable Messaging (API 2010-04-01) as a [`Provider`]. Owns the wiring of the parts; what Twilio's
//! words mean stands in `webhook` and `errors`, how it is asked in `client`, `sending`, `listing`, `received` and
//! `fetching`.

use async_trait::async_trait;

use super::{
    Acknowledgement, AskError, Capability, OutgoingText, ParseError, Provider, ProviderReceipt, ProviderText,
    Received, Sent, SentRecord, SignatureError, Span, WebhookRequest,
};
use crate::domain::delivery::{DeliveryError, ReceiptStatus};
use crate::domain::message::Media;
use crate::domain::pause::Rest;
use crate::domain::time::Timestamp;

#[cfg(test)]
mod budget;
mod client;
mod config;
mod errors;
mod fetching;
mod form;
#[cfg(any(fuzzing, test))]
pub(crate) mod fuzzing;
mod listing;
mod received;
#[cfg(test)]
mod scripted_server;
mod sending;
mod signature;
mod webhook;

pub use client::{CONNECT_TIMEOUT, client_builder};
pub use config::{Credentials, Secret, TwilioConfig, TwilioConfigError};

use client::Client;

/// One Twilio account.
#[derive(Debug)]
pub struct TwilioProvider {
    config: TwilioConfig,
    client: Client,
}

impl TwilioProvider {
    /// `http`: made with [`client_builder`], and shared, so that connections are used again.
    pub fn new(config: TwilioConfig, http: reqwest::Client) -> Result<Self, TwilioConfigError> {
        config.validate()?;
        Ok(Self { client: Client::new(&config, http), config })
    }
}

#[async_trait]
impl Provider for TwilioProvider {
    fn capability(&self) -> Capability {
        Capability {
            lists_sent: true,
            lists_received: true,
            receipts: true,
            fetches_status: true,
            answers_keywords: true,
        }
    }

    fn verify(&self, request: &WebhookRequest) -> Result<(), SignatureError> {
        signature::verify(request, &self.config.auth_tokens)
    }

    fn parse_text(&self, request: &WebhookRequest) -> Result<ProviderText, ParseError> {
        webhook::parse_text(request, &self.config.account_sid)
    }

    fn parse_receipt(&self, request: &WebhookRequest, now: Timestamp) -> Result<ProviderReceipt, ParseError> {
        webhook::parse_receipt(request, &self.config.account_sid, now)
    }

    fn acknowledge(&self) -> Acknowledgement {
        webhook::ACKNOWLEDGEMENT
    }

    async fn send(&self, text: &OutgoingText) -> Sent {
        sending::send(&self.client, text).await
    }

    fn rest_after(&self, error: &DeliveryError, now: Timestamp) -> Option<Rest> {
        errors::rest_after(error, now)
    }

    async fn list_sent(&self, sender: &str, to: &str, since: Timestamp) -> Result<Vec<SentRecord>, AskError> {
        listing::list_sent(&self.client, sender, to, since).await
    }

    async fn list_received(&self, sender: &str, span: Span) -> Result<Received, AskError> {
        received::list_received(&self.client, sender, span).await
    }

    async fn received_media(&self, provider_id: &str) -> Result<Vec<Media>, AskError> {
        received::received_media(&self.client, provider_id).await
    }

    async fn fetch_status(
        &self,
        provider_id: &str,
        now: Timestamp,
    ) -> Result<Option<ReceiptStatus>, AskError> {
        fetching::fetch_status(&self.client, provider_id, now).await
    }

    async fn check(&self) -> Result<String, AskError> {
        self.client.check().await
    }
}
