//! What Twilio's webhooks say, in our terms: customers' texts and receipts. Takes for granted that the signature was
//! checked, and repeats no field's value in an error: it may be personal data.

use crate::domain::delivery::{DeliveryError, ErrorClass, ReceiptStage, ReceiptStatus};
use crate::domain::keywords::Keyword;
use crate::domain::message::Media;
use crate::domain::phone::Address;
use crate::domain::time::Timestamp;
use crate::provider::{Acknowledgement, ParseError, ProviderReceipt, ProviderText, WebhookRequest};

use super::errors;
use super::form::{self, Form};

/// TwiML that asks for nothing: answers go through the API. Anything but XML would be a warning in Twilio's console.
pub const ACKNOWLEDGEMENT: Acknowledgement = Acknowledgement {
    content_type: "text/xml",
    body: r#"<?xml version="1.0" encoding="UTF-8"?><Response/>"#,
};

/// The parameter of the status URL that carries our message id.
pub const MESSAGE_ID_PARAMETER: &str = "m";

pub fn parse_text(request: &WebhookRequest, account_sid: &str) -> Result<ProviderText, ParseError> {
    let form = read(request)?;
    check_account(&form, account_sid)?;
    let to = address(&form, "To")?;
    let media = media(&form);
    Ok(ProviderText {
        provider_id: message_sid(&form)?,
        from: address(&form, "From")?,
        to: to.as_str().to_owned(),
        service: form.get_filled("MessagingServiceSid").map(str::to_owned),
        content: content(&form, &media)?,
        media,
        // Twilio does not say.
        sent_at: None,
        keyword: form.get("OptOutType").and_then(keyword),
    })
}

pub fn parse_receipt(
    request: &WebhookRequest,
    account_sid: &str,
    now: Timestamp,
) -> Result<ProviderReceipt, ParseError> {
    let form = read(request)?;
    check_account(&form, account_sid)?;
    let raw = form.get_filled("MessageStatus").ok_or(ParseError::Missing("MessageStatus"))?;
    let code = form.get_filled("ErrorCode").and_then(|code| code.parse().ok());
    let status = receipt_status(raw, code, now);
    Ok(ProviderReceipt { provider_id: message_sid(&form)?, message_id: message_id(request), status })
}

/// A POST is read from its body alone, a GET from its query: nothing else is a field.
fn read(request: &WebhookRequest) -> Result<Form<'_>, ParseError> {
    let encoded = if request.method == "GET" {
        request.query.as_deref().unwrap_or_default().as_bytes()
    } else if form::is_form(request) {
        &request.body
    } else {
        return Err(ParseError::NotAForm("its content type is not application/x-www-form-urlencoded".into()));
    };
    Form::decode(encoded).map_err(|error| ParseError::NotAForm(error.to_string()))
}

/// The signature has proved whose call it is; an account that is named all the same must be the right one.
fn check_account(form: &Form<'_>, account_sid: &str) -> Result<(), ParseError> {
    match form.get_filled("AccountSid") {
        None => Ok(()),
        Some(sid) if sid == account_sid => Ok(()),
        Some(_) => Err(invalid("AccountSid", "not the account of this channel; check account_sid")),
    }
}

/// Longer than any vendor's.
const MAX_SID_CHARS: usize = 64;

fn message_sid(form: &Form<'_>) -> Result<String, ParseError> {
    // SmsSid is its former name, still sent.
    let sid = form.get_filled("MessageSid").or_else(|| form.get_filled("SmsSid"));
    let sid = sid.ok_or(ParseError::Missing("MessageSid"))?;
    if is_sid(sid) {
        Ok(sid.to_owned())
    } else {
        Err(invalid("MessageSid", "not an id: letters, digits and dashes"))
    }
}

/// Twilio's are SM or MM and 32 hexadecimal digits, compatible vendors' are UUIDs. The signature has proved whose it is.
pub fn is_sid(sid: &str) -> bool {
    let plain = sid.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    plain && (1..=MAX_SID_CHARS).contains(&sid.len())
}

fn address(form: &Form<'_>, field: &'static str) -> Result<Address, ParseError> {
    let text = form.get_filled(field).ok_or(ParseError::Missing(field))?;
    Address::parse(text).map_err(|error| invalid(field, &error.to_string()))
}

/// Empty where only media came. NUL says nothing to a reader, and stores of text cannot keep it.
fn content(form: &Form<'_>, media: &[Media]) -> Result<String, ParseError> {
    match form.get("Body") {
        Some(body) => Ok(body.replace('\0', "")),
        None if media.is_empty() => Err(ParseError::Missing("Body")),
        None => Ok(String::new()),
    }
}

fn media(form: &Form<'_>) -> Vec<Media> {
    let content_type =
        |at: usize| form.get_filled(&format!("MediaContentType{at}")).unwrap_or("application/octet-stream");
    // Counted by what is there, not by NumMedia: a wrong number must not lose the text.
    (0..)
        .map_while(|at| form.get_filled(&format!("MediaUrl{at}")).map(|url| (at, url)))
        .map(|(at, url)| Media { url: url.to_owned(), content_type: content_type(at).to_owned() })
        .collect()
}

fn keyword(opt_out_type: &str) -> Option<Keyword> {
    match opt_out_type {
        "STOP" => Some(Keyword::Stop),
        "START" => Some(Keyword::Start),
        "HELP" => Some(Keyword::Help),
        _ => None,
    }
}

/// All of the API's statuses; the last two of the first line belong to customers' texts, and say nothing of ours.
/// `accepted`, `scheduled`, `queued`, `sending`, and any word that is not known here, say no more than that Twilio has the
/// text.
fn stage(status: &str) -> ReceiptStage {
    match status {
        // Some of a group have it: not all, so not delivered.
        "sent" | "partially_delivered" => ReceiptStage::Sent,
        "delivered" | "read" => ReceiptStage::Delivered,
        "undelivered" => ReceiptStage::Undelivered,
        "failed" => ReceiptStage::Failed,
        "canceled" => ReceiptStage::Canceled,
        _ => ReceiptStage::Taken,
    }
}

/// What Twilio's word for a state means. A code that cannot be read is no reason to lose it.
pub fn receipt_status(raw: &str, code: Option<u32>, at: Timestamp) -> ReceiptStatus {
    let stage = stage(raw);
    ReceiptStatus { stage, raw: raw.to_owned(), error: receipt_error(code, stage), at }
}

fn receipt_error(code: Option<u32>, stage: ReceiptStage) -> Option<DeliveryError> {
    let failed = matches!(stage, ReceiptStage::Failed | ReceiptStage::Undelivered);
    match code.filter(|code| *code != 0) {
        Some(code) => Some(errors::of_code(code)),
        None => failed.then(|| errors::without_code(ErrorClass::Permanent, "the provider gave no reason")),
    }
}

/// Without it, or with what is none of ours, the receipt is still good: it has the provider's id.
fn message_id(request: &WebhookRequest) -> Option<crate::domain::ids::MessageId> {
    let query = Form::decode(request.query.as_deref()?.as_bytes()).ok()?;
    query.get(MESSAGE_ID_PARAMETER)?.parse().ok()
}

fn invalid(field: &'static str, reason: &str) -> ParseError {
    ParseError::Invalid { field, reason: reason.to_owned() }
}

#[cfg(test)]
mod tests;
