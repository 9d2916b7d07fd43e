//! Owns the count of a text: which alphabet it travels in, its units and its billed parts. It must not change
//! a text (no smart encoding, no normalisation) and knows no provider but through the limits named here.
//!
//! The alphabet is 3GPP TS 23.038's basic table and its extension; national shift tables are left out, as
//! Twilio does not use them. The counts agree with Twilio's own calculator (npm `sms-segments-calculator`
//! 1.3.0, encoding `auto`, smart encoding off), whose verdicts stand in `tests/fixtures/segments.json`:
//!
//! * A text of GSM-7 characters only is GSM-7, any other is UCS-2. The empty text is one GSM-7 segment.
//! * An escape pair, a surrogate pair and a grapheme cluster are never split over two parts; CR LF may be.
//!
//! Known differences, both in UCS-2 texts of several parts only:
//!
//! * The calculator knows the clusters of Unicode 10 (2017). Emoji sequences younger than that are kept whole
//!   here and are split there.
//! * It puts a cluster longer than a part (more than 67 units, such as a letter under seventy accents) into
//!   one part, which no network can do. Here such a cluster is split between its characters.

use std::fmt;

use serde::{Deserialize, Serialize};
use unicode_segmentation::UnicodeSegmentation;

/// Twilio's longest body (error 21617), counted here in UTF-16 code units. Twilio names "characters" without
/// saying which, and UTF-16 units are never fewer than characters.
pub const MAX_CONTENT_UNITS: usize = 1600;

/// Septets in a message of one part: 140 octets.
const GSM7_SINGLE: u32 = 160;
/// Septets in each part of a message of several: six octets go to the concatenation header.
const GSM7_PART: u32 = 153;
/// UTF-16 code units in a message of one part.
const UCS2_SINGLE: u32 = 70;
/// UTF-16 code units in each part of a message of several.
const UCS2_PART: u32 = 67;

/// The alphabet that a text travels in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Encoding {
    /// The 7-bit default alphabet of 3GPP TS 23.038, with its extension table.
    #[serde(rename = "GSM-7")]
    Gsm7,
    /// 16-bit code units; UTF-16 in practice.
    #[serde(rename = "UCS-2")]
    Ucs2,
}

impl Encoding {
    /// The name that Twilio's tools use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gsm7 => "GSM-7",
            Self::Ucs2 => "UCS-2",
        }
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How a text travels and what it costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Segmentation {
    /// The alphabet of the whole text.
    pub encoding: Encoding,
    /// Septets (an escaped character has two) for GSM-7, UTF-16 code units for UCS-2; without headers.
    pub units: u32,
    /// Parts, each billed as one message. At least 1, also for the empty text.
    pub segments: u32,
}

/// Counts `text` as it stands. Linear in its length, without allocation.
///
/// ```
/// use switchboard::domain::segments::{Encoding, analyse};
///
/// let found = analyse("see you at 5 €");
/// assert_eq!((found.encoding, found.units, found.segments), (Encoding::Gsm7, 15, 1));
/// ```
pub fn analyse(text: &str) -> Segmentation {
    match gsm7_units(text) {
        Some(units) if units <= GSM7_SINGLE => Segmentation { encoding: Encoding::Gsm7, units, segments: 1 },
        Some(units) => {
            let segments = parts(text.chars().filter_map(septets), GSM7_PART);
            Segmentation { encoding: Encoding::Gsm7, units, segments }
        }
        None => analyse_ucs2(text),
    }
}

/// The length of `text` in UTF-16 code units, the measure of [`MAX_CONTENT_UNITS`].
pub fn utf16_units(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

fn analyse_ucs2(text: &str) -> Segmentation {
    let units = u32::try_from(utf16_units(text)).unwrap_or(u32::MAX);
    let segments = if units <= UCS2_SINGLE { 1 } else { parts(unsplittable(text), UCS2_PART) };
    Segmentation { encoding: Encoding::Ucs2, units, segments }
}

/// The septets of `text`, or `None` if one of its characters is not in the alphabet.
fn gsm7_units(text: &str) -> Option<u32> {
    text.chars().try_fold(0_u32, |sum, c| Some(sum.saturating_add(septets(c)?)))
}

/// Packs pieces that must stay whole into parts that hold `capacity` units each, and counts the parts.
fn parts(pieces: impl Iterator<Item = u32>, capacity: u32) -> u32 {
    let (count, _) = pieces.fold((1_u32, 0_u32), |(count, used), piece| match used + piece {
        filled if filled <= capacity => (count, filled),
        _ => (count.saturating_add(1), piece),
    });
    count
}

/// The sizes, in UTF-16 units, of the pieces of `text` that stay whole in UCS-2.
fn unsplittable(text: &str) -> impl Iterator<Item = u32> {
    text.graphemes(true).flat_map(|cluster| {
        let fits = cluster != "\r\n" && utf16_units(cluster) <= UCS2_PART as usize;
        let whole = if fits { cluster } else { "" };
        let split = if fits { "" } else { cluster };
        conjuncts(whole).chain(split.chars().map(units_of))
    })
}

/// The sizes of the pieces of one cluster as Unicode 10 saw them: a later version joins the consonants of an
/// Indic conjunct (rule GB9c), the calculator does not.
fn conjuncts(cluster: &str) -> impl Iterator<Item = u32> {
    let mut rest = cluster;
    std::iter::from_fn(move || {
        let mut later = rest.char_indices().skip(1);
        let end = later.find(|(_, c)| is_indic_consonant(*c)).map_or(rest.len(), |(at, _)| at);
        let (piece, tail) = rest.split_at(end);
        rest = tail;
        (!piece.is_empty()).then(|| piece.chars().map(units_of).sum())
    })
}

/// The consonants that Unicode's rule GB9c can join to the one before (`InCB=Consonant`).
const fn is_indic_consonant(c: char) -> bool {
    matches!(c,
        '\u{0915}'..='\u{0939}' | '\u{0958}'..='\u{095f}' | '\u{0978}'..='\u{097f}' // Devanagari
        | '\u{0995}'..='\u{09b9}' | '\u{09dc}'..='\u{09df}' | '\u{09f0}'..='\u{09f1}' // Bengali
        | '\u{0a95}'..='\u{0ab9}' | '\u{0af9}' // Gujarati
        | '\u{0b15}'..='\u{0b39}' | '\u{0b5c}'..='\u{0b5f}' | '\u{0b71}' // Oriya
        | '\u{0c15}'..='\u{0c39}' | '\u{0c58}'..='\u{0c5a}' // Telugu
        | '\u{0d15}'..='\u{0d3a}' // Malayalam
    )
}

const fn units_of(c: char) -> u32 {
    if c.len_utf16() == 1 { 1 } else { 2 }
}

/// What `c` takes in GSM-7: one septet, two if it is escaped, `None` if it is not in the alphabet.
const fn septets(c: char) -> Option<u32> {
    let code = c as u32;
    if code < 0x100 {
        return match LATIN[code as usize] {
            0 => None,
            units => Some(units as u32),
        };
    }
    match c {
        'Γ' | 'Δ' | 'Θ' | 'Λ' | 'Ξ' | 'Π' | 'Σ' | 'Φ' | 'Ψ' | 'Ω' => Some(1),
        '€' => Some(2),
        _ => None,
    }
}

/// Septets of the code points below U+0100; zero is "not in the alphabet".
const LATIN: [u8; 256] = latin_table();

const fn latin_table() -> [u8; 256] {
    let mut table = [0; 256];
    table = set(table, "\n\r !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ_", 1);
    table = set(table, "abcdefghijklmnopqrstuvwxyz¡£¤¥§¿ÄÅÆÇÉÑÖØÜßàäåæèéìñòöøùü", 1);
    set(table, "\u{c}[\\]^{|}~", 2)
}

/// `table` with `septets` for each character of `list`; they are all of one or two UTF-8 bytes.
const fn set(mut table: [u8; 256], list: &str, septets: u8) -> [u8; 256] {
    let bytes = list.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] < 0x80 {
            table[bytes[at] as usize] = septets;
            at += 1;
        } else {
            let code = ((bytes[at] as usize & 0x1f) << 6) | (bytes[at + 1] as usize & 0x3f);
            table[code] = septets;
            at += 2;
        }
    }
    table
}

#[cfg(test)]
mod tests;
