//! Owns what becomes of a text once it is taken: the magic endings of `To`, and the words of the codes. The table
//! stands in the documentation of [`super`].

use super::message::Status;

/// How a text ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Delivered,
    /// The carrier took it and reports that it did not arrive.
    Undelivered(u32),
    /// It never left the provider.
    Failed(u32),
    /// It stays `sent`: the carrier reports nothing.
    Silent,
    /// Reported as undelivered (30008), then after all as delivered.
    Corrected,
}

/// What the last five digits of `to` stand for.
pub(super) fn fate_of(to: &str) -> Fate {
    let ending = to.len().checked_sub(5).and_then(|at| to.get(at..)).and_then(|digits| digits.parse().ok());
    match ending {
        Some(
            code @ (30003..=30008
            | 30010
            | 30011
            | 30017
            | 30019
            | 30020
            | 30022
            | 30023
            | 30032
            | 30034
            | 30410
            | 30450),
        ) => Fate::Undelivered(code),
        Some(code @ (30001 | 30002 | 21610)) => Fate::Failed(code),
        Some(90001) => Fate::Silent,
        Some(90002) => Fate::Corrected,
        _ => Fate::Delivered,
    }
}

impl Fate {
    /// The states after `sending`, each with its error code.
    pub(super) fn ending(self) -> Vec<(Status, Option<u32>)> {
        match self {
            Self::Delivered => vec![(Status::Sent, None), (Status::Delivered, None)],
            Self::Undelivered(code) => vec![(Status::Sent, None), (Status::Undelivered, Some(code))],
            Self::Failed(code) => vec![(Status::Failed, Some(code))],
            Self::Silent => vec![(Status::Sent, None)],
            Self::Corrected => {
                vec![(Status::Sent, None), (Status::Undelivered, Some(30008)), (Status::Delivered, None)]
            }
        }
    }
}

/// What a code of a receipt means, in words.
pub(super) const fn words(code: u32) -> &'static str {
    match code {
        21610 => "The recipient has opted out",
        30001 => "The queue is full",
        30002 => "The account is suspended",
        30003 => "The handset cannot be reached",
        30004 => "The message is blocked",
        30005 => "The handset is unknown",
        30006 => "A landline, or a carrier out of reach",
        30007 => "The carrier filtered the message",
        30008 => "The carrier gives no reason",
        30010 => "The price is above the maximum",
        30011 => "The network carries no media",
        30017 => "The carrier's network is congested",
        30019 => "The content is too large for the carrier",
        30020 => "The carrier had an internal failure",
        30022 => "The sender's rate limit is exceeded",
        30023 => "The daily limit of the carrier is reached",
        30032 => "The toll-free number is not verified",
        30034 => "The number is not registered for this traffic",
        30036 => "The validity period ran out",
        30410 => "The carrier did not answer in time",
        30450 => "Blocked for suspicious traffic",
        _ => "Unknown error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_five_digits_decide() {
        assert_eq!(fate_of("+15555530003"), Fate::Undelivered(30003));
        assert_eq!(fate_of("+15555530001"), Fate::Failed(30001));
        assert_eq!(fate_of("+15555590001"), Fate::Silent);
        assert_eq!(fate_of("+14155552671"), Fate::Delivered);
        assert_eq!(fate_of("12"), Fate::Delivered);
    }

    #[test]
    fn every_magic_code_has_words_of_its_own() {
        for ending in 0..100_000 {
            if let Fate::Undelivered(code) | Fate::Failed(code) = fate_of(&format!("+15555{ending:05}")) {
                assert_eq!(code, ending);
                assert_ne!(words(code), words(0), "{code}");
            }
        }
    }
}
