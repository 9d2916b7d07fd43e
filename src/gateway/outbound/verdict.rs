//! What the provider's answer means for the message, and for its lane.

use std::time::Duration;

use crate::domain::delivery::{DeliveryError, ErrorClass, SendOutcome};
use crate::domain::message::Message;
use crate::domain::retry::{Backoff, Looks};
use crate::domain::time::Timestamp;
use crate::provider::Sent;

const BACKOFF: Backoff = Backoff { first: Duration::from_secs(1), most: Duration::from_secs(60) };
/// How long a text waits, and how long a lane with wrong credentials rests, before somebody may have mended it.
const FAULT_PAUSE: Duration = Duration::from_secs(60);

/// The longest that a provider's `Retry-After` is heeded.
const LONGEST_PAUSE: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) struct Verdict {
    pub outcome: SendOutcome,
    /// The whole lane rests: the provider said so, or nothing of it can work.
    pub pause_lane_until: Option<Timestamp>,
}

pub(super) fn judge(sent: Sent, message: &Message, looks: &Looks, now: Timestamp, jitter: f64) -> Verdict {
    match sent {
        Sent::Accepted { provider_id, from } => Verdict::of(SendOutcome::Accepted { provider_id, from }),
        Sent::Unknown { error } => {
            Verdict::of(SendOutcome::Unknown { error, look_at: now.after(looks.first()) })
        }
        Sent::Refused { error, retry_after_s } => {
            let back_off = BACKOFF.pause(message.delivery.attempt_number(), jitter);
            // At least the back-off, also where the provider says "at once"; and never for ever.
            let pause = retry_after_s
                .map_or(back_off, |wait| Duration::from_secs(wait).clamp(back_off, LONGEST_PAUSE));
            refused(error, looks, now, pause)
        }
    }
}

fn refused(error: DeliveryError, looks: &Looks, now: Timestamp, pause: Duration) -> Verdict {
    let ready_at = now.after(pause);
    match error.class {
        ErrorClass::Throttled => {
            Verdict { outcome: SendOutcome::Throttled { error, ready_at }, pause_lane_until: Some(ready_at) }
        }
        ErrorClass::Transient => Verdict::of(SendOutcome::Transient { error, ready_at }),
        ErrorClass::Credentials => {
            let ready_at = now.after(FAULT_PAUSE);
            Verdict {
                outcome: SendOutcome::ChannelFault { error, ready_at },
                pause_lane_until: Some(ready_at),
            }
        }
        // One country that is not enabled, say, is no reason to hold up everybody else.
        ErrorClass::Configuration => {
            Verdict::of(SendOutcome::ChannelFault { error, ready_at: now.after(FAULT_PAUSE) })
        }
        ErrorClass::Permanent | ErrorClass::OptedOut | ErrorClass::Content => {
            Verdict::of(SendOutcome::Permanent { error })
        }
        ErrorClass::Unknown => Verdict::of(SendOutcome::Unknown { error, look_at: now.after(looks.first()) }),
    }
}

impl Verdict {
    fn of(outcome: SendOutcome) -> Self {
        Self { outcome, pause_lane_until: None }
    }
}
