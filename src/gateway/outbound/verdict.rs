//! What the provider's answer means for the message.

use std::time::Duration;

use crate::domain::delivery::{DeliveryError, ErrorClass, SendOutcome};
use crate::domain::message::Message;
use crate::domain::retry::{Backoff, Looks};
use crate::domain::time::Timestamp;
use crate::provider::Sent;

const BACKOFF: Backoff = Backoff { first: Duration::from_secs(1), most: Duration::from_secs(60) };
/// How long a text waits that our setup is to blame for, before somebody may have mended it.
const FAULT_PAUSE: Duration = Duration::from_secs(60);

/// The longest that a provider's `Retry-After` is heeded.
const LONGEST_PAUSE: Duration = Duration::from_secs(24 * 60 * 60);

/// `rests_until`: when the pause is over that the answer asked for, if it did.
pub(super) fn judge(
    sent: Sent,
    message: &Message,
    looks: &Looks,
    rests_until: Option<Timestamp>,
    now: Timestamp,
    jitter: f64,
) -> SendOutcome {
    match sent {
        Sent::Accepted { provider_id, from } => SendOutcome::Accepted { provider_id, from },
        Sent::Unknown { error } => SendOutcome::Unknown { error, look_at: now.after(looks.first()) },
        Sent::Refused { error, retry_after_s } => {
            let back_off = BACKOFF.pause(message.delivery.attempt_number(), jitter);
            // At least the back-off, also where the provider says "at once"; and never for ever.
            let pause = retry_after_s
                .map_or(back_off, |wait| Duration::from_secs(wait).clamp(back_off, LONGEST_PAUSE));
            refused(error, looks, now, pause, rests_until)
        }
    }
}

/// A text whose lane rests is ready as soon as that is over. Nothing of its customer's overtakes it.
fn refused(
    error: DeliveryError,
    looks: &Looks,
    now: Timestamp,
    pause: Duration,
    rests_until: Option<Timestamp>,
) -> SendOutcome {
    let or_else = |pause| rests_until.unwrap_or_else(|| now.after(pause));
    match error.class {
        ErrorClass::Throttled => SendOutcome::Throttled { error, ready_at: or_else(pause) },
        ErrorClass::Transient => SendOutcome::Transient { error, ready_at: or_else(pause) },
        // One country that is not enabled, say, is no reason to hold up everybody else.
        ErrorClass::Credentials | ErrorClass::Configuration => {
            SendOutcome::ChannelFault { error, ready_at: or_else(FAULT_PAUSE) }
        }
        ErrorClass::Permanent | ErrorClass::OptedOut | ErrorClass::Content => {
            SendOutcome::Permanent { error }
        }
        ErrorClass::Unknown => SendOutcome::Unknown { error, look_at: now.after(looks.first()) },
    }
}
