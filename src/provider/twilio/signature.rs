//! `X-Twilio-Signature`: whether a webhook is Twilio's. HMAC-SHA1 over the configured URL and the form's pairs
//! (<https://www.twilio.com/docs/usage/security>). Reads no field of the webhook, and never guesses the URL.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use super::config::Secret;
use super::form::{self, Form};
use crate::provider::{SignatureError, WebhookRequest};

pub(super) const HEADER: &str = "x-twilio-signature";
/// The query parameter with the hash of a body that is no form.
const BODY_HASH: &str = "bodySHA256";

pub fn verify(request: &WebhookRequest, tokens: &[Secret]) -> Result<(), SignatureError> {
    let given =
        request.headers.get(HEADER).map(http::HeaderValue::as_bytes).filter(|given| !given.is_empty());
    let given = given.ok_or(SignatureError::Missing)?;
    let url = without_fragment(&request.url);
    let (pairs, body_hash) = signed_parts(request, url)?;

    let matches = |url: &str| matches_any(given, tokens, url, &pairs);
    // Nearly always it is the URL as it came.
    let genuine = matches(url)
        || with_and_without_port(url).iter().any(|url| matches(url))
        || reencoded(url).iter().flat_map(|url| with_and_without_port(url)).any(|url| matches(&url));
    if !genuine {
        return Err(SignatureError::Mismatch);
    }
    match body_hash {
        Some(hash) if !is_hash_of(&hash, &request.body) => Err(SignatureError::BodyMismatch),
        _ => Ok(()),
    }
}

/// What is signed beside the URL: a form's pairs, or, through the URL, the hash of any other body.
fn signed_parts(request: &WebhookRequest, url: &str) -> Result<(String, Option<String>), SignatureError> {
    let unreadable = |error: form::FormError| SignatureError::Unreadable(error.to_string());
    if request.method == "GET" {
        return Ok((String::new(), None));
    }
    if form::is_form(request) {
        let form = Form::decode(&request.body).map_err(unreadable)?;
        return Ok((joined(&form), None));
    }
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let query = Form::decode(query.as_bytes()).map_err(unreadable)?;
    // Without its hash in the URL, nothing vouches for the body.
    let hash = query.get(BODY_HASH).ok_or(SignatureError::Mismatch)?;
    Ok((String::new(), Some(hash.to_owned())))
}

/// Names and values, sorted by their bytes; a pair that is there twice counts once.
fn joined(form: &Form<'_>) -> String {
    let mut pairs: Vec<_> = form.pairs().iter().collect();
    pairs.sort_unstable();
    pairs.dedup();
    let mut joined = String::with_capacity(pairs.iter().map(|(name, value)| name.len() + value.len()).sum());
    pairs.iter().flat_map(|(name, value)| [name, value]).for_each(|text| joined.push_str(text));
    joined
}

/// Compares with every token's signature, and takes as long whichever it is.
fn matches_any(given: &[u8], tokens: &[Secret], url: &str, pairs: &str) -> bool {
    let matches = |token: &Secret| {
        sign(token, url, pairs).is_some_and(|expected| expected.as_bytes().ct_eq(given).into())
    };
    tokens.iter().fold(Choice::from(0), |any, token| any | Choice::from(u8::from(matches(token)))).into()
}

fn sign(token: &Secret, url: &str, pairs: &str) -> Option<String> {
    let mut mac = Hmac::<Sha1>::new_from_slice(token.expose().as_bytes()).ok()?;
    mac.update(url.as_bytes());
    mac.update(pairs.as_bytes());
    Some(BASE64.encode(mac.finalize().into_bytes()))
}

fn is_hash_of(hash: &str, body: &[u8]) -> bool {
    use std::fmt::Write as _;
    let mut expected = String::with_capacity(64);
    for byte in Sha256::digest(body) {
        // Writing to a String cannot fail; were it to, the hashes would differ.
        if write!(expected, "{byte:02x}").is_err() {
            return false;
        }
    }
    expected.as_bytes().ct_eq(hash.as_bytes()).into()
}

/// Connection overrides (`#rc=5`) stand in the configured URL, but are neither sent nor signed.
fn without_fragment(url: &str) -> &str {
    url.split_once('#').map_or(url, |(before, _)| before)
}

/// Twilio signs some URLs with their port and some without, whatever was configured.
fn with_and_without_port(url: &str) -> Vec<String> {
    let Some((scheme, rest)) = url.split_once("://") else {
        return vec![url.to_owned()];
    };
    let authority_end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(authority_end);
    let host_start = authority.rfind('@').map_or(0, |at| at + 1);
    let (userinfo, host_and_port) = authority.split_at(host_start);
    // The colons of an IPv6 address stand inside its brackets.
    let bracket_end = host_and_port.rfind(']').map_or(0, |at| at + 1);
    let port_start = host_and_port[bracket_end..].find(':').map(|at| bracket_end + at);
    let (host, port) = host_and_port.split_at(port_start.unwrap_or(host_and_port.len()));
    let standard = if scheme.eq_ignore_ascii_case("https") { ":443" } else { ":80" };
    let port = if port.is_empty() { standard } else { port };
    vec![format!("{scheme}://{userinfo}{host}{path}"), format!("{scheme}://{userinfo}{host}{port}{path}")]
}

/// The other ways to write the same URL that Twilio is known to sign, where its characters leave a choice (`'` or
/// `%27`): as browsers write it, and with the query taken apart and put together again. Both only say the same in
/// other bytes, so that nothing is believed that Twilio did not sign.
fn reencoded(url: &str) -> Vec<String> {
    let Ok(normalised) = reqwest::Url::parse(url).map(String::from) else {
        return Vec::new();
    };
    let requeried =
        normalised.split_once('?').filter(|(_, query)| !query.is_empty()).and_then(|(path, query)| {
            let form = Form::decode(query.as_bytes()).ok()?;
            let parts: Vec<_> =
                form.pairs().iter().map(|(n, v)| format!("{}={}", escape(n), escape(v))).collect();
            Some(format!("{path}?{}", parts.join("&")))
        });
    std::iter::once(normalised).chain(requeried).collect()
}

/// What JavaScript's `encodeURIComponent` does, apostrophes unescaped.
fn escape(text: &str) -> impl std::fmt::Display + '_ {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
    const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'_')
        .remove(b'.')
        .remove(b'!')
        .remove(b'~')
        .remove(b'*')
        .remove(b'\'')
        .remove(b'(')
        .remove(b')');
    utf8_percent_encode(text, ESCAPED)
}

#[cfg(test)]
mod tests;
