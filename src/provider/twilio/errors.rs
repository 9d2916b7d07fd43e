//! What Twilio's error codes mean: the one table of them, for refusals of the API and for receipts alike. Knows
//! nothing of HTTP bodies. Plain words are ours: Twilio's own texts repeat phone numbers, and change.

use std::time::Duration;

use jiff::tz::TimeZone;

use crate::domain::delivery::{DeliveryError, ErrorClass};
use crate::domain::pause::{Length, Rest, Resting, TOO_FAST};
use crate::domain::retry::Backoff;
use crate::domain::time::Timestamp;

use ErrorClass::{Configuration, Content, Credentials, OptedOut, Permanent, Throttled, Transient, Unknown};

/// Too many requests: "never processed, always safe to retry".
pub const TOO_MANY_REQUESTS: u32 = 20429;

/// Sorted by code.
#[rustfmt::skip]
const TABLE: &[(u32, ErrorClass, &str)] = &[
    (14107, Throttled, "too many texts between these two numbers in half a minute (loop guard)"),
    (20003, Credentials, "the credentials are wrong, or the account is suspended"),
    (20005, Configuration, "the account is not active"),
    (20006, Configuration, "access to the account is denied"),
    (20008, Configuration, "test credentials cannot be used for this"),
    (20403, Configuration, "the account may not do this"),
    (20404, Configuration, "the account does not exist there; check account_sid and api_base"),
    (TOO_MANY_REQUESTS, Throttled, "too many requests at once"),
    (20500, Unknown, "an error inside the provider"),
    (20503, Unknown, "the provider is unavailable"),
    (21211, Permanent, "the customer's number is not a valid number"),
    (21212, Configuration, "our number is not a valid sender"),
    (21214, Permanent, "the customer's number cannot be reached"),
    (21217, Permanent, "the customer's number is not a valid number"),
    (21401, Permanent, "the customer's number is not a valid number"),
    // Both hold for one country or one recipient: the channel itself is sound, and must not stop for them.
    (21408, Permanent, "the account may not text to the customer's country; see its geo permissions"),
    (21421, Permanent, "the number is not a valid number"),
    (21602, Permanent, "the text is empty"),
    (21603, Configuration, "the sender is missing"),
    (21604, Permanent, "the customer's number is missing"),
    (21605, Permanent, "the text is too long"),
    (21606, Configuration, "our number is not one of the account's, or cannot send texts"),
    (21607, Configuration, "our number cannot send from this account"),
    (21608, Permanent, "a trial account may text only to numbers that were verified with the provider"),
    (21609, Configuration, "the status URL is not valid; check public_url"),
    (21610, OptedOut, "the customer has opted out with the provider"),
    (21611, Throttled, "the provider's queue for our number is full"),
    (21612, Permanent, "the customer cannot be reached from our number"),
    (21614, Permanent, "the customer's number is not a mobile number"),
    (21616, Configuration, "our number is not the account's alone"),
    (21617, Permanent, "the text is longer than 1600 characters"),
    (21618, Permanent, "the text cannot be sent"),
    (21619, Permanent, "there is neither text nor media"),
    (21620, Permanent, "the media's URL is not valid"),
    (21621, Configuration, "our number cannot send media"),
    (21622, Configuration, "our number cannot send media"),
    (21623, Permanent, "there are too many media"),
    (21624, Configuration, "the validity period is out of range"),
    (21626, Configuration, "a status URL or parameter is not valid"),
    (21627, Configuration, "the maximum price is not valid"),
    (21635, Permanent, "the customer's number is a landline"),
    (21659, Configuration, "the sender is neither a number nor a short code of the account"),
    (21660, Configuration, "the sender belongs to another account"),
    (21661, Configuration, "the sender cannot send texts"),
    (21701, Configuration, "the messaging service does not exist"),
    (21703, Configuration, "the messaging service has no numbers"),
    (21704, Configuration, "the messaging service has no number for this"),
    (21705, Configuration, "the messaging service is missing or not valid"),
    (30001, Throttled, "the provider's queue is full"),
    (30002, Configuration, "the account is suspended"),
    (30003, Transient, "the handset cannot be reached"),
    (30004, Permanent, "the carrier or the customer blocks our texts"),
    (30005, Permanent, "the number is not in use"),
    (30006, Permanent, "the number is a landline, or its carrier cannot be reached"),
    (30007, Content, "the carrier filtered the text"),
    (30008, Transient, "the carrier gave no reason"),
    (30010, Permanent, "the text costs more than the maximum price"),
    (30011, Permanent, "media cannot be sent to the customer's country"),
    (30012, Permanent, "the validity period is out of range"),
    (30013, Permanent, "a parameter is not valid"),
    (30014, Permanent, "the sender is of another channel than the customer"),
    (30015, Permanent, "the message's attributes are not valid"),
    (30016, Permanent, "a parameter of the message is not valid"),
    (30017, Transient, "the carrier's network is congested"),
    (30018, Configuration, "the sender must be registered in the customer's country"),
    (30019, Permanent, "the text is too large for the carrier"),
    (30020, Transient, "an error inside the provider"),
    (30021, Transient, "an error inside the provider"),
    (30022, Throttled, "faster than the brand's registration allows"),
    (30023, Throttled, "the brand's daily limit at the carrier is reached"),
    (30024, Configuration, "the sender is not registered with the carrier"),
    (30025, Throttled, "half of the brand's daily limit at the carrier is used"),
    (30026, Throttled, "most of the brand's daily limit at the carrier is used"),
    (30027, Throttled, "the brand's daily limit at the carrier is reached"),
    (30032, Configuration, "our toll-free number is not verified"),
    (30033, Configuration, "the campaign is suspended"),
    (30034, Configuration, "our number is not registered for a campaign"),
    (30035, Configuration, "our number's registration is not finished"),
    (30410, Transient, "the carrier did not answer in time"),
    (30450, Transient, "held back as suspected SMS pumping"),
    (63001, Credentials, "the other channel does not accept the provider's credentials"),
    (63002, Configuration, "the other channel does not know our sender"),
    (63003, Permanent, "the other channel does not know the recipient"),
    (63005, Content, "the other channel does not accept the content"),
    (63007, Configuration, "the other channel's sender is not set up"),
    (63008, Configuration, "the other channel is set up wrongly"),
    (63009, Transient, "the other channel returned an error"),
    (63010, Transient, "an error inside the provider"),
    (63012, Transient, "the other channel is unavailable"),
    (63013, Content, "the text violates the other channel's policy"),
    (63014, OptedOut, "the customer has blocked us"),
    (63016, Permanent, "outside the other channel's window for free text"),
    (63017, Throttled, "faster than the other channel allows"),
    (63018, Throttled, "faster than the other channel allows"),
    (63021, Content, "the other channel does not accept the content"),
    (63024, Permanent, "the other channel does not know the recipient"),
    (63026, Permanent, "the other channel does not accept the message"),
    (63032, Permanent, "the other channel does not deliver to this recipient"),
    (63033, Permanent, "the recipient is blocked"),
    (63036, Transient, "the recipient cannot be reached on the other channel"),
    (63038, Throttled, "the account's daily limit is reached"),
];

/// The error of a receipt.
pub fn of_code(code: u32) -> DeliveryError {
    let (class, text) =
        known(code).unwrap_or((Permanent, "the provider gives a reason that is not known here"));
    DeliveryError { code: Some(code.to_string()), class, text: text.into() }
}

/// The error of a refusal by the API: the code decides, and the status where there is none, or none that is known.
pub fn of_response(http_status: u16, code: Option<u32>) -> DeliveryError {
    match code {
        Some(TOO_MANY_REQUESTS) => of_code(TOO_MANY_REQUESTS),
        Some(code) if code_decides(http_status) && is_known_or_family(code) => of_code(code),
        _ => {
            let (class, text) = of_status(http_status);
            DeliveryError {
                code: code.map(|code| code.to_string()),
                class,
                text: format!("{text} (HTTP {http_status})"),
            }
        }
    }
}

/// A queue for hours of traffic is full: it empties slowly.
const QUEUE_FULL: Backoff = Backoff { first: Duration::from_secs(30), most: Duration::from_secs(15 * 60) };
/// Limits that are counted by the second, or by the minute at most.
const SHORT: Duration = Duration::from_secs(10);
/// A limit of the account that is counted by the day, but not by which.
const BY_THE_DAY: Backoff =
    Backoff { first: Duration::from_secs(5 * 60), most: Duration::from_secs(60 * 60) };
/// Where carriers' days begin.
const CARRIERS_ZONE: &str = "America/Los_Angeles";

/// What rests after an error, of the API or of a receipt: what its code says of one sender, one pair of numbers or the
/// whole account, and else what its class says.
pub fn rest_after(error: &DeliveryError, now: Timestamp) -> Option<Rest> {
    let of_sender = |length| Some(Rest::new(Resting::Sender, length));
    match error.code.as_deref().and_then(|code| code.parse().ok()) {
        // Two numbers that answer each other concern nobody else, and what is only half used up is not used up.
        Some(14107u32 | 30025 | 30026) => None,
        Some(21611 | 30001) => of_sender(Length::Growing(QUEUE_FULL)),
        Some(30022) => of_sender(Length::Fixed(SHORT)),
        Some(30023 | 30027) => of_sender(Length::Until(carriers_next_day(now))),
        Some(63017 | 63018) => of_sender(Length::Growing(TOO_FAST)),
        Some(63038) => Some(Rest::new(Resting::Account, Length::Growing(BY_THE_DAY))),
        _ => Rest::of_class(error.class),
    }
}

/// When the carriers' daily limits begin anew: at the next midnight on the Pacific coast, of 23, 24 or 25 hours' days.
fn carriers_next_day(now: Timestamp) -> Timestamp {
    let midnight = || {
        let zone = TimeZone::get(CARRIERS_ZONE).ok()?;
        let here = jiff::Timestamp::from_millisecond(now.as_millis()).ok()?.to_zoned(zone);
        Some(here.tomorrow().ok()?.start_of_day().ok()?.timestamp().as_millisecond())
    };
    // The zone is in the program; a moment beyond the calendar's end is nobody's.
    midnight().map_or(now.after(Duration::from_secs(24 * 60 * 60)), Timestamp::from_millis)
}

/// An error without a code of the provider's.
pub fn without_code(class: ErrorClass, text: impl Into<String>) -> DeliveryError {
    DeliveryError { code: None, class, text: text.into() }
}

/// What the status alone settles: too fast is too fast, and a server error leaves open what was done before it.
fn code_decides(http_status: u16) -> bool {
    http_status < 500 && http_status != 429
}

fn known(code: u32) -> Option<(ErrorClass, &'static str)> {
    let index = TABLE.binary_search_by_key(&code, |(listed, ..)| *listed).ok()?;
    TABLE.get(index).map(|(_, class, text)| (*class, *text))
}

/// 21xxx speaks of a request, 30xxx and 63xxx of a delivery: unlisted ones say no to this one message.
fn is_known_or_family(code: u32) -> bool {
    known(code).is_some() || matches!(code / 1000, 21 | 30 | 63)
}

fn of_status(http_status: u16) -> (ErrorClass, &'static str) {
    match http_status {
        401 => (Credentials, "the provider does not accept the credentials"),
        400 | 413 | 422 => (Permanent, "the provider refused the text and gave no reason that is known here"),
        // Whatever stood in between gave up waiting; the request may have been passed on.
        408 => (Unknown, "the provider's answer did not come in time"),
        429 => (Throttled, "too many requests at once"),
        300..=499 => (Configuration, "the provider cannot be used like this; check api_base and account_sid"),
        _ => (Unknown, "an error inside the provider"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_without_repeats() {
        for pair in TABLE.windows(2) {
            assert!(pair[0].0 < pair[1].0, "{} before {}", pair[0].0, pair[1].0);
        }
    }

    #[test]
    fn every_listed_code_is_found() {
        for (code, class, text) in TABLE {
            let error = of_code(*code);
            assert_eq!((error.class, error.text.as_str()), (*class, *text));
            assert_eq!(error.code.as_deref(), Some(code.to_string().as_str()));
        }
    }

    #[test]
    fn unlisted_codes_of_the_message_families_are_permanent_and_keep_their_code() {
        for code in [21999, 30999, 63999] {
            let error = of_response(400, Some(code));
            assert_eq!((error.class, error.code), (Permanent, Some(code.to_string())));
        }
    }

    #[test]
    fn without_a_known_code_the_status_decides() {
        let cases = [
            (400, Permanent),
            (401, Credentials),
            (403, Configuration),
            (404, Configuration),
            (307, Configuration),
            (408, Unknown),
            (429, Throttled),
            (500, Unknown),
            (503, Unknown),
        ];
        for (status, class) in cases {
            assert_eq!(of_response(status, None).class, class, "{status}");
            assert_eq!(
                of_response(status, Some(99999)).class,
                class,
                "{status} with a code of another family"
            );
        }
    }

    #[test]
    fn a_server_error_is_unknown_whatever_code_it_carries_but_too_many_requests() {
        assert_eq!(of_response(500, Some(21610)).class, Unknown);
        assert_eq!(of_response(503, Some(20503)).class, Unknown);
        assert_eq!(of_response(503, Some(TOO_MANY_REQUESTS)).class, Throttled);
    }

    fn day_after(now: &str) -> String {
        carriers_next_day(Timestamp::parse(now).unwrap()).to_string()
    }

    #[test]
    fn a_carriers_day_ends_at_midnight_on_the_pacific_coast_in_winter_in_summer_and_in_between() {
        // Winter, eight hours behind; a millisecond before midnight, and midnight itself.
        assert_eq!(day_after("2026-01-15T12:00:00.000Z"), "2026-01-16T08:00:00.000Z");
        assert_eq!(day_after("2026-01-15T07:59:59.999Z"), "2026-01-15T08:00:00.000Z");
        assert_eq!(day_after("2026-01-15T08:00:00.000Z"), "2026-01-16T08:00:00.000Z");
        // Summer, seven hours behind.
        assert_eq!(day_after("2026-07-15T12:00:00.000Z"), "2026-07-16T07:00:00.000Z");
        // The day of 23 hours, 8 March 2026: from 08:00Z to 07:00Z.
        assert_eq!(day_after("2026-03-08T08:00:00.000Z"), "2026-03-09T07:00:00.000Z");
        assert_eq!(day_after("2026-03-08T07:59:59.999Z"), "2026-03-08T08:00:00.000Z");
        // The day of 25 hours, 1 November 2026: from 07:00Z to 08:00Z.
        assert_eq!(day_after("2026-11-01T07:00:00.000Z"), "2026-11-02T08:00:00.000Z");
        assert_eq!(day_after("2026-11-02T07:30:00.000Z"), "2026-11-02T08:00:00.000Z");
    }

    #[test]
    fn a_code_says_what_rests_and_else_its_class_does() {
        let now = Timestamp::parse("2026-07-15T12:00:00.000Z").unwrap();
        let rest = |code| rest_after(&of_code(code), now);
        let seconds = |rest: Rest| rest.until(now, 1, None, 1.0).since(now).as_secs();
        let case = |code| rest(code).map(|rest| (rest.resting, seconds(rest)));
        assert_eq!(case(20429), Some((Resting::Account, 1)));
        assert_eq!(case(20003), Some((Resting::Account, 60)));
        assert_eq!(case(21611), Some((Resting::Sender, 30)));
        assert_eq!(case(30001), Some((Resting::Sender, 30)));
        assert_eq!(case(30022), Some((Resting::Sender, 10)));
        assert_eq!(case(30023), Some((Resting::Sender, 19 * 3600)));
        assert_eq!(case(30027), Some((Resting::Sender, 19 * 3600)));
        assert_eq!(case(63018), Some((Resting::Sender, 1)));
        for code in [14107, 21610, 21614, 30003, 30007, 30025, 30026, 20500] {
            assert_eq!(case(code), None, "{code}");
        }
        let without_code = rest_after(&of_response(429, None), now).map(|rest| rest.resting);
        assert_eq!(without_code, Some(Resting::Account));
    }
}
