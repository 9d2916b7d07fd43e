//! Owns what a customer's text does: the resource it makes, the webhook it causes, the keywords it may hold. Part
//! of the state machine: no I/O and no clock.

use serde::Deserialize;

use super::message::{API_VERSION, Message, Status};
use super::opt_out::Keyword;
use super::phones::PhoneText;
use super::state::State;
use crate::domain::phone::PhoneNumber;
use crate::domain::time::Timestamp;

/// A text that a customer writes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Text {
    pub from: String,
    pub to: String,
    #[serde(default)]
    pub body: String,
    #[serde(default)]
    pub media_urls: Vec<String>,
    /// How often the webhook is called for it: more than once is a provider's repeat.
    #[serde(default = "once")]
    pub repeat: u32,
    /// Whether the repeats come all at once instead of one after the other.
    #[serde(default)]
    pub at_once: bool,
}

const fn once() -> u32 {
    1
}

/// A text on its way to our side.
#[derive(Clone, Debug)]
pub(super) struct Written {
    pub sid: String,
    /// Its number on the phone.
    pub number: u64,
    pub url: Option<String>,
    /// Its webhook is never called.
    pub lost: bool,
    pub fields: Vec<(String, String)>,
    pub token: String,
}

impl State {
    /// Keeps a customer's text and acts on its keyword.
    ///
    /// # Errors
    /// In words, if it cannot have been written so.
    pub(super) fn write(&mut self, text: Text, now: Timestamp) -> Result<Written, String> {
        PhoneNumber::parse(&text.from).map_err(|error| format!("from: {error}"))?;
        if !self.config.owns(&text.to) {
            return Err(format!("to: {} is not one of the numbers here", text.to));
        }
        if text.body.is_empty() && text.media_urls.is_empty() {
            return Err("body: empty, and there are no media_urls".to_owned());
        }
        let keyword = Keyword::read(&text.body).filter(|_| self.handles_keywords(&text.to));
        let sid = self.sid(!text.media_urls.is_empty(), now);
        let number = self.phones.push(sent_text(&text, &sid, now));
        let lost = self.loses_webhook();
        let message = self.received(text, sid.clone(), now);
        let written = Written {
            sid,
            number,
            url: self.inbound_url.clone(),
            lost,
            fields: self.webhook_fields(&message, keyword),
            token: self.token(),
        };
        if let Some(keyword) = keyword {
            self.act_on(keyword, &message, now);
        }
        self.messages.insert(message);
        Ok(written)
    }

    /// The webhook of a text, once more; as an operator can have it called again. None if there is no such text.
    pub(super) fn rewrite(&mut self, sid: &str) -> Option<Written> {
        let message = self.messages.get(sid).filter(|message| message.inbound)?;
        let keyword = Keyword::read(&message.body).filter(|_| self.handles_keywords(&message.to));
        let fields = self.webhook_fields(message, keyword);
        let sid = message.sid.clone();
        let url = self.inbound_url.clone();
        Some(Written { sid, number: 0, url, lost: false, fields, token: self.token() })
    }

    /// The network leaves the keywords of short codes to their owners, unless a service has them.
    fn handles_keywords(&self, to: &str) -> bool {
        to.starts_with('+') || !self.config.messaging_services.is_empty()
    }

    fn act_on(&mut self, keyword: Keyword, message: &Message, now: Timestamp) {
        let whole_pool = !self.config.messaging_services.is_empty();
        let one = [message.to.clone()];
        let senders = if whole_pool { &self.config.numbers[..] } else { &one[..] };
        if let Some(reply) = self.blocked.act(keyword, senders, &message.from) {
            self.phones.push(PhoneText {
                phone: message.from.clone(),
                peer: message.to.clone(),
                own: false,
                network: true,
                sid: None,
                body: reply.to_owned(),
                media: Vec::new(),
                status: Status::Delivered.as_str(),
                accepted_at: now,
                at: now,
            });
        }
    }

    fn received(&self, text: Text, sid: String, now: Timestamp) -> Message {
        Message {
            sid,
            service: self.config.messaging_services.first().cloned(),
            media: text.media_urls,
            inbound: true,
            sent_at: Some(now),
            ..Message::new(text.from, text.to, text.body, Status::Received, now)
        }
    }

    /// The form of the webhook. Places are left empty, as the provider often does, but are never left out.
    fn webhook_fields(&self, message: &Message, keyword: Option<Keyword>) -> Vec<(String, String)> {
        let mut fields = vec![
            ("ToCountry", country(&message.to)),
            ("ToState", String::new()),
            ("SmsMessageSid", message.sid.clone()),
            ("NumMedia", message.media.len().to_string()),
            ("ToCity", String::new()),
            ("FromZip", String::new()),
            ("SmsSid", message.sid.clone()),
            ("FromState", String::new()),
            ("SmsStatus", Status::Received.as_str().to_owned()),
            ("FromCity", String::new()),
            ("Body", message.body.clone()),
            ("FromCountry", country(&message.from)),
            ("To", message.to.clone()),
            ("ToZip", String::new()),
            ("NumSegments", message.segments.to_string()),
            ("MessageSid", message.sid.clone()),
            ("AccountSid", self.config.account_sid.clone()),
            ("From", message.from.clone()),
            ("ApiVersion", API_VERSION.to_owned()),
        ];
        if let Some(service) = &message.service {
            fields.push(("MessagingServiceSid", service.clone()));
        }
        if let Some(keyword) = keyword.filter(|_| self.config.advanced_opt_out) {
            fields.push(("OptOutType", keyword.as_str().to_owned()));
        }
        let mut fields: Vec<_> = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        for (at, url) in message.media.iter().enumerate() {
            fields.push((format!("MediaUrl{at}"), url.clone()));
            fields.push((format!("MediaContentType{at}"), media_type(url).to_owned()));
        }
        fields
    }
}

fn sent_text(text: &Text, sid: &str, now: Timestamp) -> PhoneText {
    PhoneText {
        phone: text.from.clone(),
        peer: text.to.clone(),
        own: true,
        network: false,
        sid: Some(sid.to_owned()),
        body: text.body.clone(),
        media: text.media_urls.clone(),
        status: "sending",
        accepted_at: now,
        at: now,
    }
}

fn country(number: &str) -> String {
    PhoneNumber::parse(number).ok().and_then(|number| number.country_code()).unwrap_or_default()
}

/// The type that the name of a file tells.
pub(super) fn media_type(url: &str) -> &'static str {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    match path.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).as_deref() {
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("png") => "image/png",
        Some("gif") => "image/gif",
        Some("mp4") => "video/mp4",
        Some("pdf") => "application/pdf",
        Some("vcf") => "text/vcard",
        _ => "application/octet-stream",
    }
}
