//! A customer texts: taken once, stored, and handed to the bot or held for agents.

use crate::domain::conversation::{InboundIds, InboundText};
use crate::domain::ids::{CustomerId, MessageId, SessionId, TurnId};
use crate::domain::keywords::Keyword;
use crate::provider::ProviderText;
use crate::store::{Inbound, RecordInbound, StoreError};

use super::Gateway;
use super::channels::Channel;
use super::metrics::labels;

impl Gateway {
    /// Takes a believed text of a customer. It is durable when this returns; where it fails, or is given up, the provider
    /// will be asked for the text.
    pub async fn receive_text(&self, channel: &Channel, text: ProviderText) -> Result<Inbound, StoreError> {
        let taking = self.owed.taking(&channel.name, self.now());
        let inbound = self.take_text(channel, text, false).await?;
        taking.taken();
        Ok(inbound)
    }

    /// `recovered`: the provider was asked for it; it did not bring it.
    pub(super) async fn take_text(
        &self,
        channel: &Channel,
        text: ProviderText,
        recovered: bool,
    ) -> Result<Inbound, StoreError> {
        let now = self.now();
        let lane = channel.lane_of(&text.to, text.service.as_deref());
        let sender = channel.sender(&lane.sender);
        if sender.is_none() {
            tracing::warn!(
                channel = channel.name,
                "a customer texted a number that the channel does not list; taken all the same"
            );
        }
        let command = RecordInbound {
            text: InboundText {
                replies: sender.map(|sender| sender.replies.clone()).unwrap_or_default(),
                lane,
                provider_id: text.provider_id,
                from: text.from,
                content: text.content,
                media: text.media,
                sent_at: text.sent_at,
                recovered,
                keyword: text.keyword,
            },
            ids: InboundIds {
                customer: CustomerId(self.new_id(now)),
                session: SessionId(self.new_id(now)),
                message: MessageId(self.new_id(now)),
                turn: TurnId(self.new_id(now)),
                reply: MessageId(self.new_id(now)),
            },
            now,
        };
        let inbound = self.store.record_inbound(command).await?;
        self.follow_up(channel, &inbound);
        if let Inbound::Recorded { message, .. } = &inbound
            && message.keyword == Some(Keyword::Stop)
        {
            self.until_none_leaves_elsewhere(message.customer_id).await;
        }
        Ok(inbound)
    }

    fn follow_up(&self, channel: &Channel, inbound: &Inbound) {
        match inbound {
            Inbound::Recorded { message, session, turn, reply } => {
                let outcome = if message.recovered { labels::RECOVERED } else { labels::RECORDED };
                self.metrics.inbound(&channel.name, outcome);
                tracing::info!(
                    channel = channel.name,
                    message = %message.id,
                    session = %session.id,
                    held = session.need_attention,
                    keyword = message.keyword.map(Keyword::as_str),
                    recovered = message.recovered,
                    "a customer texted"
                );
                if message.keyword == Some(Keyword::Stop) {
                    self.outbound.in_flight.stop_all_to(message.customer_id);
                    // What was canceled makes room for an answer to an earlier keyword, in whichever lane it waits.
                    self.outbound.wake_all();
                }
                if *turn {
                    self.turns.wake();
                }
                if let Some(reply) = reply {
                    self.outbound.wake(&reply.delivery.lane);
                }
            }
            Inbound::Duplicate { message_id } => {
                self.metrics.inbound(&channel.name, labels::DUPLICATE);
                tracing::info!(channel = channel.name, message = %message_id, "the provider repeated a text; taken once");
            }
        }
    }
}
