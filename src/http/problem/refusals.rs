//! What the store and the use-cases refuse, as problems. One `From` for each of their errors, so that a handler's `?`
//! says enough, and a new refusal does not compile until it has its place here.

use crate::domain::attention::AssignRefusal;
use crate::domain::conversation::Refusal;
use crate::domain::customer::ConfirmRefusal;
use crate::domain::delivery::Status;
use crate::gateway::customers::SendConfirmationError;
use crate::gateway::events::FollowError;
use crate::gateway::exports::ExportError;
use crate::gateway::notices::ReplayNoticeError;
use crate::gateway::recovery::RecoverError;
use crate::store::{
    AssignError, CancelError, ConfirmError, CreateCustomerError, CreateMessageError, CustomerError,
    ListError, ReplayError, ReplyError, ResendError, UpdateSessionError,
};

use super::{Kind, Problem};

impl Problem {
    fn idempotency_mismatch() -> Self {
        Self::new(
            Kind::IdempotencyMismatch,
            "This Idempotency-Key was used with another body. Use a new key for a new request.",
        )
    }

    pub fn no_current_session() -> Self {
        Self::new(
            Kind::NoCurrentSession,
            "The customer has no current session; a message to or from the customer starts one.",
        )
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let (kind, detail) = match refusal {
            Refusal::CustomerUnconfirmed => (
                Kind::CustomerUnconfirmed,
                "The customer has not confirmed the number. Have it confirmed first (send_confirmation, confirm).",
            ),
            Refusal::CustomerUnsubscribed => (
                Kind::CustomerUnsubscribed,
                "The customer is unsubscribed and is not texted. They can text START to come back.",
            ),
            Refusal::CustomerUnreachable => {
                (Kind::CustomerUnreachable, "The customer has no number that can be texted.")
            }
            Refusal::SessionNotHeld => (
                Kind::SessionNotHeld,
                "The bot has this session. Set need_attention of the session to true, then send again.",
            ),
            Refusal::SessionHeld => (
                Kind::SessionHeld,
                "Agents have this session; the bot may speak again when need_attention is false.",
            ),
            Refusal::StaleTurn => (
                Kind::StaleTurn,
                "The answer belongs to a turn from before the session was switched, or to one that a later one has overtaken. It is recorded, and not sent.",
            ),
            Refusal::SessionAssigned => (
                Kind::SessionAssigned,
                "Another agent has this session. Assign it to yourself first, with force if need be.",
            ),
            Refusal::LoopGuard => (
                Kind::LoopGuard,
                "The bot texted this customer too often in too short a time. Agents have the session now.",
            ),
            Refusal::NoLane => (
                Kind::NoLane,
                "No channel is configured that this customer could be texted by. Add a channel with a number.",
            ),
        };
        Self::new(kind, detail)
    }
}

impl From<CreateMessageError> for Problem {
    fn from(error: CreateMessageError) -> Self {
        match error {
            CreateMessageError::NotFound => Self::not_found("customer"),
            CreateMessageError::Refused(refusal) => refusal.into(),
            CreateMessageError::IdempotencyMismatch => Self::idempotency_mismatch(),
            CreateMessageError::Store(error) => error.into(),
        }
    }
}

impl From<AssignError> for Problem {
    fn from(error: AssignError) -> Self {
        match error {
            AssignError::NotFound => Self::not_found("customer"),
            AssignError::NoCurrentSession => Self::no_current_session(),
            AssignError::Refused(AssignRefusal::Refused(refusal)) => refusal.into(),
            AssignError::Refused(AssignRefusal::Taken(name)) => Self::new(
                Kind::SessionAssigned,
                format!("{name} has this session. Take it over with force, or let {name} answer."),
            ),
            AssignError::Store(error) => error.into(),
        }
    }
}

impl From<FollowError> for Problem {
    fn from(error: FollowError) -> Self {
        match error {
            FollowError::Forgotten => Self::new(
                Kind::EventsForgotten,
                "The log of events does not have this one any more. Load the lists anew, and follow from now on: call \
                 again without Last-Event-ID.",
            ),
            FollowError::Store(error) => error.into(),
        }
    }
}

impl From<ReplyError> for Problem {
    fn from(error: ReplyError) -> Self {
        match error {
            ReplyError::NotFound => Self::not_found("turn"),
            ReplyError::IdempotencyMismatch => CreateMessageError::IdempotencyMismatch.into(),
            ReplyError::AnsweredOut => Refusal::LoopGuard.into(),
            ReplyError::Store(error) => error.into(),
        }
    }
}

impl From<ReplayError> for Problem {
    fn from(error: ReplayError) -> Self {
        match error {
            ReplayError::NotFound => Self::not_found("turn"),
            ReplayError::NotOver => Self::new(
                Kind::TurnNotOver,
                "The turn is still to be told or answered; it can be told again once that is over.",
            ),
            ReplayError::Refused(refusal) => refusal.into(),
            ReplayError::Store(error) => error.into(),
        }
    }
}

impl From<ReplayNoticeError> for Problem {
    fn from(error: ReplayNoticeError) -> Self {
        match error {
            ReplayNoticeError::NotFound => Self::not_found("webhook"),
            ReplayNoticeError::Forgotten => Self::not_found("event"),
            ReplayNoticeError::Store(error) => error.into(),
        }
    }
}

impl From<CreateCustomerError> for Problem {
    fn from(error: CreateCustomerError) -> Self {
        match error {
            CreateCustomerError::NumberTaken(id) => {
                Self::new(Kind::NumberTaken, format!("The customer {id} has this number."))
            }
            CreateCustomerError::IdempotencyMismatch => Self::idempotency_mismatch(),
            CreateCustomerError::Store(error) => error.into(),
        }
    }
}

impl From<CustomerError> for Problem {
    fn from(error: CustomerError) -> Self {
        match error {
            CustomerError::NotFound => Self::not_found("customer"),
            CustomerError::Store(error) => error.into(),
        }
    }
}

impl From<ConfirmRefusal> for Problem {
    fn from(refusal: ConfirmRefusal) -> Self {
        let (kind, detail) = match refusal {
            ConfirmRefusal::AlreadyConfirmed => {
                (Kind::AlreadyConfirmed, "The customer is confirmed already.".into())
            }
            ConfirmRefusal::NoToken => {
                (Kind::ConfirmationInvalid, "No confirmation token is out; generate one first.".into())
            }
            ConfirmRefusal::Expired => (
                Kind::ConfirmationInvalid,
                "The confirmation token has expired or was tried too often; generate a new one.".into(),
            ),
            ConfirmRefusal::Wrong { tries_left } => (
                Kind::ConfirmationInvalid,
                format!("The confirmation token is wrong; tries left: {tries_left}."),
            ),
        };
        Self::new(kind, detail)
    }
}

impl From<ConfirmError> for Problem {
    fn from(error: ConfirmError) -> Self {
        match error {
            ConfirmError::NotFound => Self::not_found("customer"),
            ConfirmError::Refused(refusal) => refusal.into(),
            ConfirmError::Store(error) => error.into(),
        }
    }
}

impl From<SendConfirmationError> for Problem {
    fn from(error: SendConfirmationError) -> Self {
        match error {
            SendConfirmationError::Confirm(error) => error.into(),
            SendConfirmationError::Text(error) => error.into(),
        }
    }
}

impl From<UpdateSessionError> for Problem {
    fn from(error: UpdateSessionError) -> Self {
        match error {
            UpdateSessionError::NotFound => Self::not_found("customer"),
            UpdateSessionError::NoCurrentSession => Self::no_current_session(),
            UpdateSessionError::Store(error) => error.into(),
        }
    }
}

impl From<CancelError> for Problem {
    fn from(error: CancelError) -> Self {
        match error {
            CancelError::NotFound => Self::not_found("message"),
            CancelError::NotQueued(status) => {
                let advice = match status {
                    Status::Unknown => {
                        " Nobody can say yet whether it left; it is not sent again without evidence or a resend."
                    }
                    _ => "",
                };
                Self::new(
                    Kind::NotQueued,
                    format!("The message is {}; only a queued one can be canceled.{advice}", status.as_str()),
                )
            }
            CancelError::Store(error) => error.into(),
        }
    }
}

impl From<ResendError> for Problem {
    fn from(error: ResendError) -> Self {
        match error {
            ResendError::NotFound => Self::not_found("message"),
            ResendError::NotHeld(status) => {
                Self::new(Kind::NotHeld, format!("The message is {}. {}", status.as_str(), instead(status)))
            }
            ResendError::Refused(refusal) => refusal.into(),
            ResendError::Store(error) => error.into(),
        }
    }
}

/// What to do about a message that is not held.
fn instead(status: Status) -> &'static str {
    match status {
        Status::Queued => "It leaves by itself.",
        Status::Sending => "It is on its way; wait for what comes of it.",
        Status::Unknown => "It is still being looked for; wait until it is found, sent again or held.",
        Status::Sent | Status::Delivered => "The provider has it.",
        Status::Undelivered | Status::Failed | Status::Canceled | Status::Expired => {
            "That is settled; write a new message."
        }
    }
}

impl From<RecoverError> for Problem {
    fn from(error: RecoverError) -> Self {
        match error {
            RecoverError::Store(error) => error.into(),
            // The provider's words hold no customer's: they are about its API.
            RecoverError::NotListed | RecoverError::Stopping | RecoverError::Provider(_) => {
                Self::new(Kind::ProviderUnavailable, format!("Not everything was asked for: {error}."))
            }
        }
    }
}

impl From<ExportError> for Problem {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::UnderWay { since } => Self::new(
                Kind::ExportUnderWay,
                format!(
                    "An export that was begun at {since} is still being read. Ask again when it is at its end."
                ),
            ),
            ExportError::Store(error) => error.into(),
        }
    }
}

impl From<ListError> for Problem {
    fn from(error: ListError) -> Self {
        match error {
            ListError::InvalidCursor => Self::new(
                Kind::InvalidQuery,
                "The cursor does not belong to this list; start again without it.",
            ),
            ListError::Store(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_message_keeps_the_slug_of_the_rule() {
        for refusal in [
            Refusal::CustomerUnconfirmed,
            Refusal::CustomerUnsubscribed,
            Refusal::CustomerUnreachable,
            Refusal::SessionNotHeld,
            Refusal::SessionHeld,
            Refusal::StaleTurn,
            Refusal::NoLane,
        ] {
            assert_eq!(Problem::from(refusal).kind().slug(), refusal.slug());
        }
    }

    #[test]
    fn a_wrong_confirmation_token_says_how_many_tries_are_left() {
        let problem = Problem::from(ConfirmRefusal::Wrong { tries_left: 3 });
        assert_eq!(problem.detail(), "The confirmation token is wrong; tries left: 3.");
    }
}
