//! Segments are counted as Twilio's own calculator counts them.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

const FIXTURE: &str = include_str!("../../../tests/fixtures/segments.json");

#[derive(Deserialize)]
struct Oracle {
    basic: BTreeSet<u16>,
    extension: BTreeSet<u16>,
    texts: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    pieces: Vec<(String, usize)>,
    #[serde(flatten)]
    expected: Segmentation,
}

fn oracle() -> Oracle {
    serde_json::from_str(FIXTURE).expect("the fixture is JSON of this shape")
}

fn counted(text: &str) -> (Encoding, u32, u32) {
    let Segmentation { encoding, units, segments } = analyse(text);
    (encoding, units, segments)
}

#[test]
fn the_alphabet_is_the_calculators_for_every_code_point_of_the_basic_plane() {
    let oracle = oracle();
    assert_eq!((oracle.basic.len(), oracle.extension.len()), (127, 10));
    for code in (0..=u16::MAX).filter(|code| !(0xd800..=0xdfff).contains(code)) {
        let expected = match (oracle.basic.contains(&code), oracle.extension.contains(&code)) {
            (true, _) => Some(1),
            (_, true) => Some(2),
            _ => None,
        };
        let c = char::from_u32(u32::from(code)).expect("not a surrogate");
        assert_eq!(septets(c), expected, "U+{code:04X}");
    }
}

#[test]
fn every_text_of_the_fixture_counts_as_the_calculator_counts_it() {
    let rows = oracle().texts;
    assert!(rows.len() >= 400, "the fixture has lost rows");
    for Row { pieces, expected } in rows {
        let text: String = pieces.iter().map(|(text, times)| text.repeat(*times)).collect();
        assert_eq!(analyse(&text), expected, "{pieces:?}");
    }
}

#[test]
fn the_empty_text_is_one_gsm_segment_without_units() {
    assert_eq!(counted(""), (Encoding::Gsm7, 0, 1));
}

#[test]
fn an_escape_pair_is_not_split_over_parts() {
    let text = format!("{}€{}", "a".repeat(152), "a".repeat(152));
    assert_eq!(counted(&text), (Encoding::Gsm7, 306, 3));
}

#[test]
fn a_surrogate_pair_is_not_split_over_parts() {
    let text = format!("{}😀{}", "中".repeat(66), "中".repeat(66));
    assert_eq!(counted(&text), (Encoding::Ucs2, 134, 3));
}

#[test]
fn a_grapheme_cluster_is_not_split_over_parts() {
    let text = format!("{}👨‍👩‍👧‍👦{}", "中".repeat(60), "中".repeat(60));
    assert_eq!(counted(&text), (Encoding::Ucs2, 131, 3));
}

#[test]
fn a_cluster_longer_than_a_part_is_split_where_the_calculator_says_two_parts() {
    let text = format!("e{}", "\u{301}".repeat(200));
    assert_eq!(counted(&text), (Encoding::Ucs2, 201, 3));
}

#[test]
fn an_emoji_sequence_younger_than_the_calculator_stays_whole() {
    // A polar bear (2020) across the boundary: the calculator leaves the bear and moves the snowflake.
    let text = format!("{}🐻‍❄️{}", "中".repeat(64), "中".repeat(65));
    assert_eq!(counted(&text), (Encoding::Ucs2, 134, 3));
}

#[test]
fn the_longest_body_takes_eleven_or_twenty_four_segments() {
    assert_eq!(analyse(&"a".repeat(MAX_CONTENT_UNITS)).segments, 11);
    assert_eq!(analyse(&"中".repeat(MAX_CONTENT_UNITS)).segments, 24);
}

#[test]
fn an_encoding_reads_and_writes_as_its_name() {
    for encoding in [Encoding::Gsm7, Encoding::Ucs2] {
        let json = serde_json::to_string(&encoding).unwrap();
        assert_eq!(json, format!("\"{encoding}\""));
        assert_eq!(serde_json::from_str::<Encoding>(&json).unwrap(), encoding);
    }
}

/// Texts that mix what decides: GSM, escaped, other scripts, emoji and what joins them.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof!["[a-zA-Z0-9 €{}|é\n]{0,400}", "[a-z€中ष्क😀👍🏽\u{200d}\u{301}\r\n]{0,200}", any::<String>(),]
}

proptest! {
    #[test]
    fn appending_never_lowers_units_of_one_encoding_nor_segments(head in texts(), tail in texts()) {
        let (one, both) = (analyse(&head), analyse(&format!("{head}{tail}")));
        prop_assert!(both.encoding >= one.encoding);
        prop_assert!(both.encoding != one.encoding || both.units >= one.units);
        prop_assert!(both.segments >= one.segments);
    }

    #[test]
    fn units_lie_between_one_and_two_per_character(text in texts()) {
        let (found, chars) = (analyse(&text), u32::try_from(text.chars().count()).unwrap());
        prop_assert!((chars..=2 * chars).contains(&found.units));
        if found.encoding == Encoding::Ucs2 {
            prop_assert_eq!(found.units as usize, text.encode_utf16().count());
        }
    }

    #[test]
    fn segments_are_enough_for_the_units(text in texts()) {
        let found = analyse(&text);
        let (single, part) = match found.encoding {
            Encoding::Gsm7 => (160, 153),
            Encoding::Ucs2 => (70, 67),
        };
        let least = if found.units <= single { 1 } else { found.units.div_ceil(part) };
        prop_assert!(found.segments >= least);
    }

    #[test]
    fn utf16_units_are_what_the_standard_library_encodes(text in any::<String>()) {
        prop_assert_eq!(utf16_units(&text), text.encode_utf16().count());
    }
}
