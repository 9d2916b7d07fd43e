//! Strict reading of `application/x-www-form-urlencoded`, from bodies and queries. Never replaces what it cannot read:
//! a replaced byte would be another text than the one that was signed.

use std::borrow::Cow;

use crate::provider::WebhookRequest;

/// Why bytes are no form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    #[error("a percent sign is not followed by two hexadecimal digits")]
    Escape,
    #[error("it is not UTF-8")]
    NotUtf8,
}

/// Names and values in the order in which they came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Form<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Form<'a> {
    pub fn decode(encoded: &'a [u8]) -> Result<Self, FormError> {
        let pair = |part: &'a [u8]| {
            let (name, value) = split(part);
            Ok((decode_text(name)?, decode_text(value)?))
        };
        encoded
            .split(|b| *b == b'&')
            .filter(|part| !part.is_empty())
            .map(pair)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// The first value of that name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_ref())
    }

    /// The first value of that name, if there is anything in it.
    pub fn get_filled(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    pub fn pairs(&self) -> &[(Cow<'a, str>, Cow<'a, str>)] {
        &self.0
    }
}

/// Whether the body says that it is a form.
pub fn is_form(request: &WebhookRequest) -> bool {
    let essence = request.content_type.as_deref().and_then(|full| full.split(';').next()).unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

fn split(part: &[u8]) -> (&[u8], &[u8]) {
    let mut halves = part.splitn(2, |b| *b == b'=');
    (halves.next().unwrap_or_default(), halves.next().unwrap_or_default())
}

fn decode_text(encoded: &[u8]) -> Result<Cow<'_, str>, FormError> {
    if !encoded.iter().any(|byte| matches!(byte, b'%' | b'+')) {
        return str::from_utf8(encoded).map(Cow::Borrowed).map_err(|_| FormError::NotUtf8);
    }
    let mut decoded = Vec::with_capacity(encoded.len());
    let mut rest = encoded;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => {
                let (digits, after) = after.split_at_checked(2).ok_or(FormError::Escape)?;
                rest = after;
                hex(digits[0])
                    .zip(hex(digits[1]))
                    .map(|(high, low)| high << 4 | low)
                    .ok_or(FormError::Escape)?
            }
            plain => *plain,
        });
    }
    String::from_utf8(decoded).map(Cow::Owned).map_err(|_| FormError::NotUtf8)
}

fn hex(digit: u8) -> Option<u8> {
    // One digit of base 16 is less than 16.
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decoded(encoded: &str) -> Vec<(String, String)> {
        let form = Form::decode(encoded.as_bytes()).unwrap();
        let pairs = form.pairs().iter();
        pairs.map(|(name, value)| (name.clone().into_owned(), value.clone().into_owned())).collect()
    }

    #[test]
    fn plus_and_percent_are_decoded_in_names_and_values() {
        assert_eq!(decoded("a%20b+c=%2B+%C3%A9"), [("a b c".into(), "+ é".into())]);
    }

    #[test]
    fn empty_values_count_and_empty_parts_do_not() {
        let expected =
            [("a".to_owned(), String::new()), ("b".into(), String::new()), ("c".into(), "=".into())];
        assert_eq!(decoded("&a=&&b&c==&"), expected);
        assert_eq!(decoded(""), []);
    }

    #[test]
    fn bytes_that_are_not_utf8_are_refused() {
        for encoded in [&b"Body=%ff"[..], b"Body=%C3", b"Body=\xff", b"%C3%28=x", b"Body=%ED%A0%80"] {
            assert_eq!(Form::decode(encoded), Err(FormError::NotUtf8), "{encoded:?}");
        }
    }

    #[test]
    fn broken_escapes_are_refused() {
        for encoded in ["Body=%", "Body=%4", "Body=%zz", "Body=50%+off", "%=x"] {
            assert_eq!(Form::decode(encoded.as_bytes()), Err(FormError::Escape), "{encoded}");
        }
    }

    proptest! {
        #[test]
        fn what_another_encoder_wrote_reads_back(pairs in prop::collection::vec((any::<String>(), any::<String>()), 0..8)) {
            let encoded = form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish();
            prop_assert_eq!(decoded(&encoded), pairs);
        }

        #[test]
        fn no_bytes_make_it_panic(encoded in prop::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(form) = Form::decode(&encoded) {
                prop_assert!(form.pairs().len() <= encoded.len());
            }
        }
    }
}
