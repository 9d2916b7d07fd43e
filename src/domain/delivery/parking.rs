//! Receipts for ids that no message has: how many of them are kept. Some come before the answer to their send, and matter; a
//! flood of them does not, and must not fill the store.

use super::ReceiptStatus;

/// How many are kept in all; what comes then takes the place of the oldest. Those that matter are seconds old.
pub const MAX_PARKED: u64 = 10_000;
/// How many are kept of one id: more than any provider has words for.
pub const MAX_PARKED_OF_ONE: usize = 20;

/// What becomes of a receipt for an unknown id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parking {
    Kept,
    /// The same word is parked already.
    Known,
    /// There are too many of that id.
    Refused,
}

/// `parked`: what is parked of the id.
pub fn park(parked: &[ReceiptStatus], status: &ReceiptStatus) -> Parking {
    let word = |status: &ReceiptStatus| {
        (status.raw.clone(), status.error.as_ref().and_then(|error| error.code.clone()))
    };
    if parked.iter().any(|other| word(other) == word(status)) {
        Parking::Known
    } else if parked.len() >= MAX_PARKED_OF_ONE {
        Parking::Refused
    } else {
        Parking::Kept
    }
}
