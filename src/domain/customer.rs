//! A customer: who they are, and the two facts that decide whether they may be texted. Confirmed (they proved
//! that the number is theirs) and unsubscribed (they asked for silence) are independent of each other.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::ids::{CustomerId, MessageId};
use super::message::Lane;
use super::phone::Address;
use super::time::Timestamp;

/// How long a confirmation token is good for.
pub const CONFIRMATION_LIFE: Duration = Duration::from_secs(30 * 60);
/// How many wrong tokens are taken before a new one has to be generated.
pub const CONFIRMATION_TRIES: u32 = 5;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    pub id: CustomerId,
    /// The number they proved to be theirs.
    pub phone_number: Option<Address>,
    /// The number somebody said is theirs.
    pub unconfirmed_phone_number: Option<Address>,
    /// ISO 3166-1 alpha-2.
    pub country_code: Option<String>,
    pub email: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    /// IANA name.
    pub time_zone: String,
    pub unsubscribed: bool,
    pub confirmed_at: Option<Timestamp>,
    pub confirmation_sent_at: Option<Timestamp>,
    pub confirmation: Option<Confirmation>,
    /// The channel and number that their last text came in by; answers go out the same way.
    pub lane: Option<Lane>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A confirmation token that is out, waiting for the customer to give it back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    pub token: String,
    pub expires_at: Timestamp,
    pub tries_left: u32,
}

/// Why a confirmation token was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfirmRefusal {
    #[error("the customer is confirmed already")]
    AlreadyConfirmed,
    #[error("no confirmation token is out; generate one first")]
    NoToken,
    #[error("the confirmation token has expired; generate a new one")]
    Expired,
    #[error("wrong confirmation token; {tries_left} tries are left")]
    Wrong { tries_left: u32 },
}

impl Customer {
    /// Somebody of whom the number is known, and nothing else. `unsubscribed`: that number opted out before.
    pub fn new(
        id: CustomerId,
        number: Address,
        country_code: Option<String>,
        unsubscribed: bool,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            phone_number: None,
            unconfirmed_phone_number: Some(number),
            country_code,
            email: None,
            first_name: None,
            last_name: None,
            time_zone: "UTC".into(),
            unsubscribed,
            confirmed_at: None,
            confirmation_sent_at: None,
            confirmation: None,
            lane: None,
            created_at: now,
            updated_at: now,
        }
    }

    /// The number a text to this customer goes to: the proved one, or else the one that waits for its proof.
    pub fn address(&self) -> Option<&Address> {
        self.phone_number.as_ref().or(self.unconfirmed_phone_number.as_ref())
    }

    pub fn is_confirmed(&self) -> bool {
        self.confirmed_at.is_some()
    }

    /// The number has been proved.
    pub fn confirm(&mut self, now: Timestamp) {
        if let Some(number) = self.unconfirmed_phone_number.take() {
            self.phone_number = Some(number);
        }
        self.confirmed_at = Some(now);
        self.confirmation = None;
        self.updated_at = now;
    }

    /// Whether that changed anything.
    pub fn set_unsubscribed(&mut self, unsubscribed: bool, now: Timestamp) -> bool {
        let changed = self.unsubscribed != unsubscribed;
        if changed {
            self.unsubscribed = unsubscribed;
            self.updated_at = now;
        }
        changed
    }

    /// Puts a new confirmation token out; an older one no longer counts.
    pub fn begin_confirmation(&mut self, token: String, now: Timestamp) {
        self.confirmation = Some(Confirmation {
            token,
            expires_at: now.after(CONFIRMATION_LIFE),
            tries_left: CONFIRMATION_TRIES,
        });
        self.confirmation_sent_at = Some(now);
        self.updated_at = now;
    }

    /// Takes the token back from the customer. A wrong one costs a try, and the customer changed: keep it.
    pub fn try_confirm(&mut self, token: &str, now: Timestamp) -> Result<(), ConfirmRefusal> {
        if self.is_confirmed() {
            return Err(ConfirmRefusal::AlreadyConfirmed);
        }
        let Some(out) = self.confirmation.as_mut() else { return Err(ConfirmRefusal::NoToken) };
        if out.expires_at <= now || out.tries_left == 0 {
            return Err(ConfirmRefusal::Expired);
        }
        if out.token != token {
            out.tries_left -= 1;
            return Err(ConfirmRefusal::Wrong { tries_left: out.tries_left });
        }
        self.confirm(now);
        Ok(())
    }
}

/// A number that can be compared but not read: SHA-256 of its canonical text. What stays after a person is erased.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NumberHash(#[serde(with = "super::digest")] pub [u8; 32]);

impl NumberHash {
    pub fn of(number: &Address) -> Self {
        Self(Sha256::digest(number.as_str().as_bytes()).into())
    }
}

impl std::fmt::Debug for NumberHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0[..4].iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// What a customer agreed to or withdrew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsentAction {
    Confirmed,
    OptedOut,
    OptedIn,
}

/// Who said so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsentSource {
    /// The customer, by a text of theirs.
    Sms,
    /// The provider refused to text them, or said that they opted out.
    Provider,
    /// Somebody at the brand, through the API.
    Api,
}

/// The circumstances that prove a consent record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentEvidence {
    pub source: ConsentSource,
    /// The channel and number of ours that it concerns.
    pub lane: Option<Lane>,
    /// The text that says it.
    pub message_id: Option<MessageId>,
    /// The keyword, the provider's code, or the name of the token that was used.
    pub detail: String,
}

/// One line of the consent log. The log is only ever appended to, and outlives the customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentRecord {
    pub number: NumberHash,
    pub customer_id: CustomerId,
    pub action: ConsentAction,
    pub evidence: ConsentEvidence,
    /// When it was recorded.
    pub at: Timestamp,
    /// When it was said, if that was earlier: the text that says it was recovered.
    #[serde(default)]
    pub said_at: Option<Timestamp>,
}
