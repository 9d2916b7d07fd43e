//! Every way in which a call can be refused: one table, in the order of the slugs. The slug is for ever; clients
//! branch on it.

use axum::http::StatusCode;

macro_rules! kinds {
    ($($kind:ident $status:ident $slug:literal $title:literal $meaning:literal)*) => {
        /// What kind of refusal it is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Kind {
            $($kind,)*
        }

        impl Kind {
            pub const ALL: &[Self] = &[$(Self::$kind,)*];

            /// The last part of the problem's `type`.
            pub const fn slug(self) -> &'static str {
                match self {
                    $(Self::$kind => $slug,)*
                }
            }

            pub const fn status(self) -> StatusCode {
                match self {
                    $(Self::$kind => StatusCode::$status,)*
                }
            }

            pub const fn title(self) -> &'static str {
                match self {
                    $(Self::$kind => $title,)*
                }
            }

            /// What it means and what to do, whatever the case.
            pub const fn meaning(self) -> &'static str {
                match self {
                    $(Self::$kind => $meaning,)*
                }
            }
        }
    };
}

kinds! {
    AlreadyConfirmed CONFLICT "already-confirmed" "The customer is confirmed already"
        "The customer has proved the number. There is nothing left to confirm."
    AlreadySubscribed CONFLICT "already-subscribed" "The customer is subscribed already"
        "The customer may be texted as it is. Nothing was changed."
    AlreadyUnsubscribed CONFLICT "already-unsubscribed" "The customer is unsubscribed already"
        "The customer is not texted as it is. Nothing was changed."
    BodyTooLarge PAYLOAD_TOO_LARGE "body-too-large" "The body is too large"
        "The body is longer than this server reads. Send less at once."
    ConfirmationInvalid UNPROCESSABLE_ENTITY "confirmation-invalid" "The confirmation token is not accepted"
        "The token is wrong, has expired, was tried too often, or was never generated. Generate a new one if need be."
    CustomerUnconfirmed CONFLICT "customer-unconfirmed" "The customer is not confirmed"
        "Nobody has proved that the number is the customer's, so it is not texted. Confirm the customer first; a text of theirs confirms them, too."
    CustomerUnreachable CONFLICT "customer-unreachable" "The customer cannot be texted"
        "What is known of the customer is not a number that takes texts."
    CustomerUnsubscribed CONFLICT "customer-unsubscribed" "The customer is unsubscribed"
        "The customer asked not to be texted, and is not. They can text START, or ask you to subscribe them again."
    EventsForgotten GONE "events-forgotten" "The events go back less far"
        "What happened after the event that the call names is not kept any more, or the store is another one. Load the lists anew, and follow the events from now on: call again without `Last-Event-ID`."
    ExportUnderWay CONFLICT "export-under-way" "An export is under way"
        "Everything is exported by one at a time; the detail says since when. Ask again when it is at its end. One that nobody reads is given up after a minute."
    Forbidden FORBIDDEN "forbidden" "The token does not allow this"
        "The token is good, but its role does not include this call. Use a token of a role that does."
    IdempotencyMismatch UNPROCESSABLE_ENTITY "idempotency-mismatch" "The idempotency key belongs to another request"
        "The same Idempotency-Key came with another body before. Use a new key for a new request."
    InvalidBody UNPROCESSABLE_ENTITY "invalid-body" "The body is not valid"
        "The body is JSON, but fields are missing, unknown, or not what they should be. `errors` names each by its JSON pointer. With status 400 it is not JSON at all."
    InvalidHeader BAD_REQUEST "invalid-header" "A header is not valid"
        "A header does not have the form that it should have; the detail names it."
    InvalidQuery BAD_REQUEST "invalid-query" "The query is not valid"
        "A query parameter is unknown or has a value that it cannot have; the detail names it."
    InvalidWebhook UNPROCESSABLE_ENTITY "invalid-webhook" "The webhook cannot be read"
        "The call is the provider's, but it lacks what a text or a receipt must have."
    LoopGuard CONFLICT "loop-guard" "The bot went round in circles"
        "The bot texted the customer too often in too short a time. Agents have the session now; the bot may speak again when they give it back."
    MalformedBody BAD_REQUEST "invalid-body" "The body is not JSON"
        "The body cannot be read as JSON; the detail says where it stops being JSON. With status 422 it is JSON, but not what is expected."
    MethodNotAllowed METHOD_NOT_ALLOWED "method-not-allowed" "The method is not allowed here"
        "The path exists, but not for this method. The header `Allow` lists the ones that do."
    NoCurrentSession NOT_FOUND "no-current-session" "There is no current session"
        "The customer has no session that is held or recent enough. A message, of anyone, starts one."
    NoLane CONFLICT "no-lane" "There is no number to text from"
        "No channel is configured that the customer could be texted by."
    NotFound NOT_FOUND "not-found" "There is no such thing"
        "What the path names does not exist, or not any more."
    NotHeld CONFLICT "not-held" "The message is not held"
        "Only a message that nobody can say about whether it left, and that is held for a decision, can be sent again; the detail says where it stands."
    NotQueued CONFLICT "not-queued" "The message is not queued any more"
        "Only a message that still waits in its queue can be canceled; the detail says where it stands."
    NumberTaken CONFLICT "number-taken" "Another customer has this number"
        "A number belongs to one customer, confirmed or not; the detail names them."
    ProviderUnavailable SERVICE_UNAVAILABLE "provider-unavailable" "The provider cannot be asked"
        "The channel's provider did not answer, or cannot tell. What was taken before is kept: make the same call again later."
    SessionAssigned CONFLICT "session-assigned" "Another agent has this session"
        "One agent at a time has a session; the detail says who. Take it over from them with `force`, or let them answer."
    SessionHeld CONFLICT "session-held" "Agents have this session"
        "While `need_attention` is true, only agents speak. The bot may again once it is set to false."
    SessionNotHeld CONFLICT "session-not-held" "The bot has this session"
        "While `need_attention` is false, agents may not speak. Set it to true first."
    SignatureMismatch FORBIDDEN "signature-mismatch" "The signature does not match"
        "The call is not signed with the channel's secret for this URL. Compare the secret and the public URL in the configuration with what the provider has."
    SignatureMissing FORBIDDEN "signature-missing" "The signature is missing"
        "Webhooks are taken from the provider only, who signs them."
    StaleTurn CONFLICT "stale-turn" "The session was switched since"
        "The answer belongs to a turn from before the session changed hands, or a later turn is answered already."
    TooManyCalls TOO_MANY_REQUESTS "too-many-calls" "Too many calls"
        "The token makes more calls than it may. Wait for as long as `Retry-After` says."
    TurnNotOver CONFLICT "turn-not-over" "The turn is not over"
        "Only a turn that was given up, refused, dropped or answered can be told again. This one is still to be told or answered."
    Unauthorized UNAUTHORIZED "unauthorized" "A token is needed"
        "The call carries no token, or one that is unknown or revoked. Send `Authorization: Bearer <token>`."
    Unavailable SERVICE_UNAVAILABLE "unavailable" "Not possible right now"
        "The store cannot be used at the moment: make the same call again after `Retry-After` seconds. Nothing was taken, unless the detail says that nobody knows; with the same `Idempotency-Key` nothing is done twice."
    UnknownChannel NOT_FOUND "unknown-channel" "There is no such channel"
        "No channel of this name is configured."
    UnsupportedEvent UNPROCESSABLE_ENTITY "unsupported-event" "Events of this type are not supported"
        "`MessageOutbound` is taken, and `Test` is answered. Nothing else is."
    UnsupportedMediaType UNSUPPORTED_MEDIA_TYPE "unsupported-media-type" "The media type is not supported"
        "Bodies are JSON: send `Content-Type: application/json`."
}

impl Kind {
    /// The first kind of that slug.
    pub fn of_slug(slug: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.slug() == slug)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_of_kinds() {
        let names: Vec<_> = Kind::ALL.iter().map(|kind| format!("{kind:?}")).collect();
        assert!(names.is_sorted(), "{names:?}");
    }

    #[test]
    fn a_slug_and_a_status_name_one_kind() {
        for (place, kind) in Kind::ALL.iter().enumerate() {
            let same = |other: &&Kind| other.slug() == kind.slug() && other.status() == kind.status();
            assert!(Kind::ALL[place + 1..].iter().find(same).is_none(), "{}", kind.slug());
        }
    }

    #[test]
    fn every_kind_is_a_refusal() {
        for kind in Kind::ALL {
            let status = kind.status();
            assert!(status.is_client_error() || status == StatusCode::SERVICE_UNAVAILABLE, "{kind:?}");
        }
    }
}
