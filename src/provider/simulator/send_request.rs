//! Reads a request to send, and refuses what the provider would refuse on sight, in its codes. Knows nothing of
//! other texts, nor of who opted out.

use std::time::Duration;

use super::config::SimulatorConfig;
use super::errors::ApiError;
use super::form::Form;
use crate::domain::phone::{Address, PhoneNumber};
use crate::domain::segments::{MAX_CONTENT_UNITS, utf16_units};
use crate::domain::time::Timestamp;

/// Ten hours: the longest time that the provider holds a text, and the default.
pub(super) const LONGEST_VALIDITY_S: u64 = 36_000;
/// How far ahead a text may be scheduled, in seconds: a quarter of an hour to 35 days.
const SCHEDULE_S: std::ops::RangeInclusive<u64> = 900..=3_024_000;
const MOST_MEDIA: usize = 10;
/// The sender that the provider's test credentials accept in any account.
const TEST_SENDER: &str = "+15005550006";

/// A request that is in order by itself.
#[derive(Debug)]
pub(super) struct SendRequest {
    pub to: String,
    pub from: Option<String>,
    pub service: Option<String>,
    pub body: String,
    pub media: Vec<String>,
    pub status_callback: Option<String>,
    pub validity: Duration,
    pub send_at: Option<Timestamp>,
}

impl SendRequest {
    pub(super) fn read(form: &Form, config: &SimulatorConfig, now: Timestamp) -> Result<Self, ApiError> {
        let to = recipient(form)?;
        let (from, service) = sender(form, config)?;
        if from.as_deref() == Some(to.as_str()) {
            return Err(ApiError::new(21266, "'To' and 'From' number cannot be the same"));
        }
        let (body, media) = content(form)?;
        Ok(Self {
            to,
            from,
            body,
            media,
            status_callback: status_callback(form)?.or_else(|| config.status_callback.clone()),
            validity: validity(form)?,
            send_at: send_at(form, service.is_some(), now)?,
            service,
        })
    }
}

fn recipient(form: &Form) -> Result<String, ApiError> {
    let to = form.filled("To").ok_or_else(|| ApiError::new(21604, "A 'To' phone number is required"))?;
    let refused = |code, why: &str| Err(ApiError::new(code, format!("'To' {to}: {why}")));
    match to {
        "+15005550001" => refused(21211, "not a valid phone number"),
        "+15005550002" => refused(21612, "cannot be reached from this sender"),
        "+15005550003" => refused(21408, "no permission to send to this region"),
        "+15005550004" => refused(21610, "the recipient has unsubscribed"),
        "+15005550009" => refused(21614, "not a mobile number"),
        _ if PhoneNumber::parse(to).is_err() => refused(21211, "not a valid phone number"),
        _ => Ok(to.to_owned()),
    }
}

fn sender(form: &Form, config: &SimulatorConfig) -> Result<(Option<String>, Option<String>), ApiError> {
    let (from, service) = (form.filled("From"), form.filled("MessagingServiceSid"));
    if from.is_none() && service.is_none() {
        return Err(ApiError::new(21603, "A 'From' phone number or a messaging service is required"));
    }
    if let Some(service) = service
        && !config.messaging_services.iter().any(|known| known == service)
    {
        return Err(ApiError::new(21701, format!("The messaging service {service} does not exist")));
    }
    if let Some(from) = from {
        check_from(from, config)?;
    }
    Ok((from.map(str::to_owned), service.map(str::to_owned)))
}

fn check_from(from: &str, config: &SimulatorConfig) -> Result<(), ApiError> {
    let refused = |code, why: &str| Err(ApiError::new(code, format!("'From' {from}: {why}")));
    match from {
        "+15005550001" => refused(21212, "not a valid phone number"),
        "+15005550007" => refused(21606, "not a number of this account"),
        "+15005550008" => refused(21611, "the queue of this number is full"),
        TEST_SENDER => Ok(()),
        _ if config.owns(from) => Ok(()),
        _ if Address::parse(from).is_err() => refused(21212, "not a valid phone number"),
        _ => refused(21606, "not a number of this account"),
    }
}

fn content(form: &Form) -> Result<(String, Vec<String>), ApiError> {
    let body = form.first("Body").unwrap_or_default();
    let media: Vec<String> = form.all("MediaUrl").filter(|url| !url.is_empty()).map(str::to_owned).collect();
    if body.is_empty() && media.is_empty() {
        return Err(ApiError::new(21602, "Message body is required"));
    }
    if utf16_units(body) > MAX_CONTENT_UNITS {
        return Err(ApiError::new(21617, "The message body exceeds the 1600 character limit"));
    }
    if media.len() > MOST_MEDIA {
        return Err(ApiError::new(21623, "Too many media files"));
    }
    if let Some(url) = media.iter().find(|url| !is_web_url(url)) {
        return Err(ApiError::new(21620, format!("Invalid media URL {url}")));
    }
    Ok((body.to_owned(), media))
}

fn status_callback(form: &Form) -> Result<Option<String>, ApiError> {
    match form.filled("StatusCallback") {
        Some(url) if !is_web_url(url) => {
            Err(ApiError::new(21609, format!("The 'StatusCallback' URL {url} is not valid")))
        }
        url => Ok(url.map(str::to_owned)),
    }
}

/// A whole URL whose host has no underscore: the provider takes no other.
fn is_web_url(text: &str) -> bool {
    reqwest::Url::parse(text).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https") && url.host_str().is_some_and(|host| !host.contains('_'))
    })
}

fn validity(form: &Form) -> Result<Duration, ApiError> {
    let Some(text) = form.filled("ValidityPeriod") else {
        return Ok(Duration::from_secs(LONGEST_VALIDITY_S));
    };
    match text.parse() {
        Ok(seconds @ 1..=LONGEST_VALIDITY_S) => Ok(Duration::from_secs(seconds)),
        _ => Err(ApiError::new(21624, format!("Invalid validity period {text}: 1 to 36000 seconds"))),
    }
}

fn send_at(form: &Form, through_service: bool, now: Timestamp) -> Result<Option<Timestamp>, ApiError> {
    // Without a service the provider sends at once and says nothing.
    if form.filled("ScheduleType") != Some("fixed") || !through_service {
        return Ok(None);
    }
    let text = form.filled("SendAt").ok_or_else(|| ApiError::new(35111, "'SendAt' is required"))?;
    match Timestamp::parse(text) {
        Some(at) if SCHEDULE_S.contains(&at.since(now).as_secs()) => Ok(Some(at)),
        _ => {
            Err(ApiError::new(35114, "'SendAt' must be 15 minutes to 35 days ahead, as 2026-11-21T18:30:00Z"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(form: &str) -> Result<SendRequest, u32> {
        let mut config = SimulatorConfig::new("AC1", "secret", vec!["+15550001111".to_owned()]);
        config.messaging_services.push("MG1".to_owned());
        let now = Timestamp::parse("2026-11-21T18:30:00Z").unwrap();
        SendRequest::read(&Form::parse(form.as_bytes()), &config, now).map_err(|error| error.code)
    }

    const GOOD: &str = "To=%2B14155552671&From=%2B15550001111&Body=hi";

    #[test]
    fn each_flaw_has_the_provider_s_code() {
        let flaws = [
            ("From=%2B15550001111&Body=hi", 21604),
            ("To=12&From=%2B15550001111&Body=hi", 21211),
            ("To=%2B15005550009&From=%2B15550001111&Body=hi", 21614),
            ("To=%2B14155552671&Body=hi", 21603),
            ("To=%2B14155552671&From=%2B15550002222&Body=hi", 21606),
            ("To=%2B14155552671&From=%2B15005550008&Body=hi", 21611),
            ("To=%2B14155552671&From=%2B1&Body=hi", 21212),
            ("To=%2B14155552671&MessagingServiceSid=MG2&Body=hi", 21701),
            ("To=%2B15550001111&From=%2B15550001111&Body=hi", 21266),
            ("To=%2B14155552671&From=%2B15550001111&Body=", 21602),
        ];
        for (form, code) in flaws {
            assert_eq!(read(form).map(drop), Err(code), "{form}");
        }
        let added = [
            ("StatusCallback=here", 21609),
            ("StatusCallback=http://a_b.example/", 21609),
            ("ValidityPeriod=36001", 21624),
            ("MediaUrl=x", 21620),
        ];
        for (field, code) in added {
            assert_eq!(read(&format!("{GOOD}&{field}")).map(drop), Err(code), "{field}");
        }
        assert_eq!(read(&format!("{GOOD}{}", "a".repeat(1599))).map(drop), Err(21617));
    }

    #[test]
    fn a_text_is_scheduled_only_through_a_service_and_within_the_window() {
        let at = |when: &str| {
            format!("To=%2B14155552671&MessagingServiceSid=MG1&Body=hi&ScheduleType=fixed{when}")
        };
        assert!(read(&at("&SendAt=2026-11-21T19:00:00Z")).unwrap().send_at.is_some());
        assert_eq!(read(&at("&SendAt=2026-11-21T18:31:00Z")).map(drop), Err(35114));
        assert_eq!(read(&at("")).map(drop), Err(35111));
        assert!(read(&format!("{GOOD}&ScheduleType=fixed&SendAt=x")).unwrap().send_at.is_none());
    }
}
