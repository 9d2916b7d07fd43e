//! What must hold for any phone number, keyword and text, whoever wrote it. Each function is the body of a target in
//! `fuzz/fuzz_targets`.

#![expect(clippy::missing_panics_doc, reason = "a target says by panicking what it has found")]

use super::keywords::{Keyword, classify, looks_like_opt_out};
use super::phone::{Address, PhoneNumber};
use super::segments::{Encoding, analyse, utf16_units};

/// The first line is a region, or empty; the rest is what a person typed.
pub fn phone(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (region, number) = text.split_once('\n').unwrap_or(("", &text));
    let region = Some(region).filter(|region| !region.is_empty());
    if let Ok(read) = PhoneNumber::parse_human(number, region) {
        assert_eq!(PhoneNumber::parse(read.as_str()).ok().as_ref(), Some(&read), "not in its canonical form");
        let again = PhoneNumber::parse_human(read.as_str(), None).ok();
        assert_eq!(again.as_ref(), Some(&read), "the canonical form is read as another number");
    }
    if let Ok(address) = Address::parse(number) {
        assert_eq!(address.as_str(), number, "an address was changed");
        if let Some(phone) = address.phone() {
            let logged = format!("{address:?}");
            assert!(!logged.contains(phone.as_str().trim_start_matches('+')), "a log would show it in full");
            phone.country_code();
        }
    }
}

pub fn keywords(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let read = classify(&text, false);
    let dressed = format!(" \u{201c}{}!\u{201d} \u{1f6d1}\n", text.to_ascii_uppercase());
    assert_eq!(classify(&dressed, false), read, "case or what stands around it makes a difference");
    let unsubscribed = classify(&text, true);
    assert!(
        unsubscribed == read || (read.is_none() && unsubscribed == Some(Keyword::Start)),
        "being unsubscribed changes more than the meaning of YES"
    );
    assert!(read != Some(Keyword::Stop) || !looks_like_opt_out(&text), "a STOP that is also a maybe");
}

/// The counts have bounds that follow from the sizes of the parts alone.
pub fn segments(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let found = analyse(&text);
    let (single, part, longest_piece) = match found.encoding {
        Encoding::Gsm7 => (160, 153, 2),
        Encoding::Ucs2 => (70, 67, 67),
    };
    if found.encoding == Encoding::Ucs2 {
        assert_eq!(found.units as usize, utf16_units(&text), "UCS-2 units are UTF-16 units");
    } else {
        assert!(found.units as usize >= text.chars().count(), "a character takes a septet at the least");
        assert!(
            found.units as usize <= 2 * text.chars().count(),
            "a character takes two septets at the most"
        );
    }
    if found.units <= single {
        assert_eq!(found.segments, 1, "what fits into one part is in one part");
        return;
    }
    assert!(found.segments >= found.units.div_ceil(part), "more than the parts can hold");
    // A part is left because the next piece did not fit: it and that piece are more than a part together.
    let least = if longest_piece <= 2 { (part - 1).into() } else { f64::from(part + 1) / 2.0 };
    let most = (f64::from(found.units) / least).ceil() + 1.0;
    assert!(f64::from(found.segments) <= most, "emptier parts than the pieces can cause");
}
