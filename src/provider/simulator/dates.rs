//! Owns the provider's two ways of writing dates: RFC 2822 in its answers, days or RFC 3339 moments in filters.

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::domain::time::Timestamp;

/// `Sat, 21 Nov 2026 18:30:05 +0000`.
pub(super) fn rfc2822(moment: Timestamp) -> String {
    format(moment, "%a, %d %b %Y %H:%M:%S +0000")
}

/// `2611211830`, as in `RawDlrDoneDate`.
pub(super) fn carrier_minute(moment: Timestamp) -> String {
    format(moment, "%y%m%d%H%M")
}

fn format(moment: Timestamp, pattern: &str) -> String {
    jiff::Timestamp::from_millisecond(moment.as_millis())
        .map(|moment| moment.strftime(pattern).to_string())
        .unwrap_or_default()
}

/// The seconds that a filter's value stands for, first and last: a whole day for `2026-11-21`, one second for a
/// moment with its time.
pub(super) fn span(text: &str) -> Option<(i64, i64)> {
    if let Some(moment) = Timestamp::parse(text) {
        return Some((moment.as_secs(), moment.as_secs()));
    }
    let date: Date = text.parse().ok()?;
    let second = |date: Date| Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second());
    Some((second(date)?, second(date.tomorrow().ok()?)? - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_as_the_provider_writes_it() {
        let moment = Timestamp::parse("2026-11-21T18:30:05.999Z").unwrap();
        assert_eq!(rfc2822(moment), "Sat, 21 Nov 2026 18:30:05 +0000");
        assert_eq!(carrier_minute(moment), "2611211830");
    }

    #[test]
    fn a_day_stands_for_all_of_its_seconds_and_a_moment_for_one() {
        assert_eq!(span("1970-01-02"), Some((86_400, 172_799)));
        assert_eq!(span("1970-01-02T00:00:01Z"), Some((86_401, 86_401)));
        assert_eq!(span("tomorrow"), None);
    }
}
