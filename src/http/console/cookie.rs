//! The console's cookie: holds the token that somebody signed in with, out of every script's reach. It counts only with a
//! header that no other site can make a browser send, so that no other site can use it.

use axum::http::HeaderMap;
use axum::http::header::COOKIE;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

const NAME: &str = "switchboard_console";
/// A working day. Whoever is revoked is out at once.
const LIFE_S: u32 = 12 * 3_600;

const HEADER: &str = "x-requested-with";
const FROM_CONSOLE: &str = "switchboard-console";

/// Whether the call comes from our own page.
pub fn is_from_console(headers: &HeaderMap) -> bool {
    headers.get(HEADER).is_some_and(|value| value.as_bytes() == FROM_CONSOLE.as_bytes())
}

/// The token of whoever signed in, if the call comes from our own page.
pub fn token(headers: &HeaderMap) -> Option<String> {
    if !is_from_console(headers) {
        return None;
    }
    let cookies = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let (_, value) = pairs.find(|(name, _)| *name == NAME)?;
    String::from_utf8(URL_SAFE_NO_PAD.decode(value).ok()?).ok()
}

/// The header that signs somebody in.
pub fn set(token: &str, secure: bool) -> String {
    written(&URL_SAFE_NO_PAD.encode(token), LIFE_S, secure)
}

/// The header that signs out whoever is in.
pub fn clear(secure: bool) -> String {
    written("", 0, secure)
}

fn written(value: &str, life_s: u32, secure: bool) -> String {
    let secure = if secure { "; Secure" } else { "" };
    format!("{NAME}={value}; HttpOnly; SameSite=Strict; Path=/; Max-Age={life_s}{secure}")
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(cookie: &str, from: Option<&'static str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, HeaderValue::from_str(cookie).unwrap());
        if let Some(from) = from {
            headers.insert(HEADER, HeaderValue::from_static(from));
        }
        headers
    }

    #[test]
    fn the_cookie_counts_from_our_own_page_only() {
        let set = set("demo \"token\"; x", false);
        let cookie = set.split(';').next().unwrap();
        let given = |from| token(&headers(&format!("theme=dark; {cookie}"), from));
        assert_eq!(given(Some(FROM_CONSOLE)).as_deref(), Some("demo \"token\"; x"));
        assert_eq!(given(None), None);
        assert_eq!(given(Some("XMLHttpRequest")), None);
    }

    #[test]
    fn no_script_reads_it_and_no_other_site_sends_it() {
        for (header, secure) in [(set("a", true), true), (set("a", false), false), (clear(true), true)] {
            assert!(header.contains("; HttpOnly; SameSite=Strict; "), "{header}");
            assert_eq!(header.ends_with("; Secure"), secure);
        }
    }

    #[test]
    fn what_is_no_cookie_of_ours_is_nobody() {
        for cookie in ["switchboard_console=%%%", "switchboard_console=", "switchboard_consol=YQ", "a", ""] {
            assert!(
                token(&headers(cookie, Some(FROM_CONSOLE))).is_none_or(|token| token.is_empty()),
                "{cookie}"
            );
        }
    }
}
