//! Signs what the simulator posts. Shares no line with the code that checks signatures: that is what makes the
//! one a test of the other.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;

/// The value of `X-Twilio-Signature` for a form posted to `url`: HMAC-SHA1 over the URL (less its fragment)
/// followed by each name and value, names sorted, values of one name sorted and without repeats.
pub(super) fn sign(auth_token: &str, url: &str, fields: &[(String, String)]) -> String {
    let mut pairs: Vec<(&str, &str)> =
        fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    pairs.sort_unstable();
    pairs.dedup();
    let mut signed = without_fragment(url).to_owned();
    for (name, value) in pairs {
        signed.push_str(name);
        signed.push_str(value);
    }
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, auth_token.as_bytes());
    STANDARD.encode(hmac::sign(&key, signed.as_bytes()))
}

fn without_fragment(url: &str) -> &str {
    url.split_once('#').map_or(url, |(before, _)| before)
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://mycompany.com/myapp.php?foo=1&bar=2";

    fn signed(url: &str, fields: &[(&str, &str)]) -> String {
        let owned: Vec<_> = fields.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        sign("12345", url, &owned)
    }

    #[test]
    fn the_provider_s_published_example_is_signed_as_published() {
        let fields = [
            ("To", "+18005551212"),
            ("CallSid", "CA1234567890ABCDE"),
            ("From", "+14158675309"),
            ("Digits", "1234"),
            ("Caller", "+14158675309"),
        ];
        assert_eq!(signed(URL, &fields), "RSOYDt4T1cUTdK1PDd93/VVr8B8=");
        assert_eq!(signed(&format!("{URL}#rc=2"), &fields), "RSOYDt4T1cUTdK1PDd93/VVr8B8=");
    }

    #[test]
    fn repeated_names_are_sorted_by_value_and_exact_repeats_dropped() {
        let fields = [
            ("Sid", "CA123"),
            ("SidAccount", "AC123"),
            ("Digits", "5678"),
            ("Digits", "1234"),
            ("Digits", "1234"),
        ];
        assert_eq!(signed(URL, &fields), "IK+Dwps556ElfBT0I3Rgjkr1wJU=");
    }
}
