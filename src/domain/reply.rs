//! The right to answer one turn by a call of one's own: a token that the bot is given with the turn, good for a day and for
//! that turn only. Nothing is kept of it: it carries its end, and is signed.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;

use super::ids::TurnId;
use super::time::Timestamp;

/// How long a turn can be answered after the bot was told.
pub const REPLY_LIFE: std::time::Duration = std::time::Duration::from_secs(24 * 3_600);

const CONTEXT: &[u8] = b"switchboard reply token 1";

/// What the tokens are signed with.
#[derive(Clone)]
pub struct ReplyKey(hmac::Key);

impl ReplyKey {
    /// Made of a secret that the gateway shares with the bot for another use, so that neither use helps against the other.
    pub fn of(secret: &str) -> Self {
        let derived = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), CONTEXT);
        Self(hmac::Key::new(hmac::HMAC_SHA256, derived.as_ref()))
    }

    pub fn token(&self, turn: TurnId, until: Timestamp) -> String {
        let until = until.as_millis().to_be_bytes();
        let tag = hmac::sign(&self.0, &signed(turn, until));
        URL_SAFE_NO_PAD.encode([&until[..], tag.as_ref()].concat())
    }

    /// Whether the token is one for that turn, and still good.
    pub fn admits(&self, token: &str, turn: TurnId, now: Timestamp) -> bool {
        let Ok(bytes) = URL_SAFE_NO_PAD.decode(token) else { return false };
        let Some((until, tag)) = bytes.split_first_chunk::<8>() else { return false };
        hmac::verify(&self.0, &signed(turn, *until), tag).is_ok()
            && now < Timestamp::from_millis(i64::from_be_bytes(*until))
    }
}

fn signed(turn: TurnId, until: [u8; 8]) -> Vec<u8> {
    [&turn.0.as_bytes()[..], &until[..]].concat()
}

impl std::fmt::Debug for ReplyKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ReplyKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const TURN: TurnId = TurnId(Uuid::from_u128(1));

    #[test]
    fn a_token_is_good_for_its_turn_until_its_end_and_with_its_key() {
        let key = ReplyKey::of("whsec_a");
        let token = key.token(TURN, Timestamp::from_millis(1_000));
        assert!(key.admits(&token, TURN, Timestamp::from_millis(999)));
        assert!(!key.admits(&token, TURN, Timestamp::from_millis(1_000)));
        assert!(!key.admits(&token, TurnId(Uuid::from_u128(2)), Timestamp::from_millis(0)));
        assert!(!ReplyKey::of("whsec_b").admits(&token, TURN, Timestamp::from_millis(0)));
    }

    #[test]
    fn what_was_changed_is_no_token() {
        let key = ReplyKey::of("whsec_a");
        let token = key.token(TURN, Timestamp::from_millis(1_000));
        for at in 0..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(!key.admits(&changed, TURN, Timestamp::from_millis(0)), "{at}");
        }
        for nothing in ["", "A", "AAAAAAAAAAA"] {
            assert!(!key.admits(nothing, TURN, Timestamp::from_millis(0)));
        }
    }
}
