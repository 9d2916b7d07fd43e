//! Somebody at the brand speaks, or a session changes hands.

use std::time::Duration;

use crate::domain::conversation::{OutboundText, SessionPatch};
use crate::domain::ids::{CustomerId, MessageId, SessionId, TurnId};
use crate::domain::message::{Author, Message};
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::store::{
    CancelError, CreateMessage, CreateMessageError, Fresh, Idempotency, ResendError, StoreError,
    UpdateSession, UpdateSessionError,
};

use super::Gateway;
use super::metrics::labels;

/// A text of an agent, of the bot, or of the gateway itself.
#[derive(Clone, Debug)]
pub struct Say {
    pub customer_id: CustomerId,
    pub author: Author,
    pub content: String,
    /// A confirmation text as it leaves, with the token that `content` does not show. Other rules hold for it.
    pub confirmation: Option<String>,
    /// For how long it is worth sending; none: as it is set up.
    pub valid_for: Option<Duration>,
    /// The bot's turn that it answers, where the bot says so.
    pub turn_id: Option<TurnId>,
    /// The bot says that it answers nothing.
    pub unprompted: bool,
    pub idempotency: Option<Idempotency>,
}

impl Gateway {
    /// Queues a text to the customer. It is durable when this returns, and leaves at its lane's pace.
    pub async fn say(&self, say: Say) -> Result<Fresh<Message>, CreateMessageError> {
        let now = self.now();
        let role = say.author.role;
        let is_bot = say.author.is_bot();
        let mut text = self.outbound_text(say.author, say.content, say.confirmation, say.valid_for, now);
        text.turn_id = say.turn_id;
        text.unprompted = say.unprompted;
        let command = CreateMessage { customer_id: say.customer_id, text, idempotency: say.idempotency, now };
        let created = self.store.create_message(command).await;
        if let (true, Err(CreateMessageError::Refused(refusal))) = (is_bot, &created) {
            tracing::warn!(customer = %say.customer_id, reason = refusal.slug(), "a text of the bot's was refused");
            self.metrics.bot_refused(refusal.slug());
            // Too many of them give the session to agents.
            self.outbound.wake_all();
        }
        let created = created?;
        if !created.replayed {
            self.metrics.created(role);
            self.outbound.wake(&created.value.delivery.lane);
            self.turns.wake();
            tracing::info!(
                message = %created.value.id,
                session = %created.value.session_id,
                role = role.as_str(),
                segments = created.value.delivery.segmentation.segments,
                "a text is queued"
            );
        }
        Ok(created)
    }

    fn outbound_text(
        &self,
        author: Author,
        content: String,
        confirmation: Option<String>,
        valid_for: Option<Duration>,
        now: Timestamp,
    ) -> OutboundText {
        OutboundText {
            id: MessageId(self.new_id(now)),
            author,
            content,
            default_lane: self.channels.default_lane().cloned(),
            not_before: None,
            valid_for: valid_for.unwrap_or(self.settings.valid_for),
            confirmation,
            new_session: SessionId(self.new_id(now)),
            new_turn: TurnId(self.new_id(now)),
            turn_id: None,
            unprompted: false,
        }
    }

    /// The customer's session, if it is current.
    pub async fn current_session(&self, customer_id: CustomerId) -> Result<Option<Session>, StoreError> {
        let newest = self.store.newest_session(customer_id).await?;
        Ok(newest.filter(|session| session.is_current(self.now(), self.policy().idle_after)))
    }

    /// Changes the current session. When this returns with `need_attention` true, no text of the bot to this customer
    /// leaves any more, of an older session neither: what was on its way when agents took this one has been waited for.
    pub async fn update_session(
        &self,
        customer_id: CustomerId,
        patch: SessionPatch,
    ) -> Result<Session, UpdateSessionError> {
        let now = self.now();
        let switch = patch.need_attention;
        let command = UpdateSession { customer_id, patch, new_turn: TurnId(self.new_id(now)), now };
        let session = self.store.update_session(command).await?;
        if let Some(held) = switch {
            tracing::info!(session = %session.id, held, version = session.version, "a session was switched");
            self.turns.wake();
            // What was canceled makes room for what comes after it.
            self.outbound.wake_all();
            if held {
                self.outbound.in_flight.until_gone(customer_id).await;
                self.until_none_leaves_elsewhere(customer_id).await;
            }
        }
        Ok(session)
    }

    /// Takes a queued text back.
    pub async fn cancel_message(&self, id: MessageId) -> Result<Message, CancelError> {
        let message = self.store.cancel_message(id, self.now()).await?;
        tracing::info!(message = %id, "a text was canceled");
        // What comes after it may go out by another number.
        self.outbound.wake_all();
        Ok(message)
    }

    /// Sends a text again of which nobody can say whether it left: somebody decided so. May bring it twice.
    pub async fn resend_message(&self, id: MessageId) -> Result<Message, ResendError> {
        let message = self.store.resend_message(id, self.settings.valid_for, self.now()).await?;
        tracing::warn!(message = %id, "a held text is sent again, as somebody decided");
        self.metrics.unknown(&message.delivery.lane.channel, labels::RESENT_BY_HAND);
        self.outbound.wake(&message.delivery.lane);
        Ok(message)
    }
}
