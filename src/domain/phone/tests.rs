//! Numbers are read as the oracle reads them, but for the differences named here.

use proptest::prelude::*;

use super::*;

const FIXTURE: &str = include_str!("../../../tests/fixtures/numbers.json");

#[derive(Deserialize)]
struct Oracle {
    numbers: Vec<Row>,
}

/// One input and what PyPI phonenumbers makes of it.
#[derive(Deserialize)]
struct Row {
    input: String,
    region: Option<String>,
    e164: Option<String>,
    possible: Possible,
    country: Option<String>,
}

#[derive(PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Possible {
    Yes,
    LocalOnly,
    No,
}

impl Row {
    /// The number that can be texted, and its country.
    fn expected(&self) -> Option<(String, Option<String>)> {
        let number = self.e164.clone().filter(|_| self.possible == Possible::Yes)?;
        Some((number, self.country.clone()))
    }

    fn found(&self) -> Option<(String, Option<String>)> {
        let number = PhoneNumber::parse_human(&self.input, self.region.as_deref()).ok()?;
        Some((number.to_string(), number.country_code()))
    }
}

/// Where we differ from the oracle on purpose: input, region, what we make of it, and why.
const DIFFERENCES: &[(&str, &str, Option<&str>, &str)] = &[
    (
        "1 333-333-333",
        "US",
        None,
        "one digit is missing; the oracle makes the trunk prefix part of the number",
    ),
    ("1415555267", "US", None, "the same"),
    ("123456", "FO", None, "six digits are a short code to us, though the Faroes have such numbers"),
    ("0xx11 96123 4567", "BR", None, "letters are refused"),
    ("1-800-FLOWERS", "US", None, "letters are refused"),
    ("415 555 2671 ext. 5", "US", None, "no text reaches an extension"),
    ("415 555 2671 x5", "US", None, "no text reaches an extension"),
    ("++14155552671", "US", None, "a second plus is a slip, and what else slipped is unknown"),
    ("00 234 8021234567", "NG", None, "Nigeria dials 009; the oracle reads 17 digits, more than E.164 has"),
    ("415 555 2671", "us", Some("+14155552671"), "regions are read in any case"),
];

fn difference(
    row: &Row,
) -> Option<&'static (&'static str, &'static str, Option<&'static str>, &'static str)> {
    DIFFERENCES
        .iter()
        .find(|(input, region, ..)| row.input == *input && row.region.as_deref() == Some(*region))
}

#[test]
fn human_input_is_read_as_the_oracle_reads_it_but_for_the_known_differences() {
    let rows = serde_json::from_str::<Oracle>(FIXTURE).unwrap().numbers;
    assert!(rows.len() >= 200, "the fixture has lost rows");
    for row in &rows {
        match difference(row) {
            None => assert_eq!(row.found(), row.expected(), "{:?} in {:?}", row.input, row.region),
            Some((_, _, ours, why)) => {
                assert_eq!(row.found().map(|(number, _)| number).as_deref(), *ours, "{why}");
                assert_ne!(row.found(), row.expected(), "no longer different: {why}");
            }
        }
    }
    assert_eq!(
        rows.iter().filter_map(difference).count(),
        DIFFERENCES.len(),
        "a difference is not in the fixture"
    );
}

#[test]
fn only_the_canonical_form_is_a_phone_number() {
    for good in ["+14155552671", "+1234567", "+123456789012345", "+266696687"] {
        assert_eq!(PhoneNumber::parse(good).unwrap().as_str(), good);
    }
    let bad = [
        "",
        "+",
        "14155552671",
        "+04155552671",
        "+123456",
        "+1234567890123456",
        "+1 415 555 2671",
        "+1415555267a",
        "++14155552671",
        " +14155552671",
        "+14155552671\n",
        "+١٤١٥٥٥٥٢٦٧١",
        "whatsapp:+14155552671",
    ];
    for text in bad {
        assert!(matches!(PhoneNumber::parse(text), Err(InvalidNumber::NotE164)), "{text:?}");
    }
}

#[test]
fn short_code_like_input_is_never_made_a_number() {
    for text in ["911", "74454", "12345", "123 456", "(744) 54", "tel:74454"] {
        for region in [None, Some("US"), Some("DE"), Some("FO")] {
            let found = PhoneNumber::parse_human(text, region);
            assert!(matches!(found, Err(InvalidNumber::LooksLikeShortCode)), "{text} in {region:?}");
        }
    }
}

#[test]
fn a_national_number_needs_a_known_region() {
    let read = |region| PhoneNumber::parse_human("(415) 555-2671", region);
    assert!(matches!(read(None), Err(InvalidNumber::NoRegion)));
    for unknown in ["XX", "", "USA", "001"] {
        assert!(matches!(read(Some(unknown)), Err(InvalidNumber::UnknownRegion)), "{unknown}");
    }
    assert_eq!(read(Some("US")).unwrap().as_str(), "+14155552671");
}

#[test]
fn a_number_for_local_dialling_is_incomplete() {
    let found = PhoneNumber::parse_human("555-2671", Some("US"));
    assert!(matches!(found, Err(InvalidNumber::ImpossibleLength)));
}

#[test]
fn a_number_that_would_be_read_again_as_another_is_refused() {
    let found = PhoneNumber::parse_human("000201000", Some("DE"));
    assert!(matches!(found, Err(InvalidNumber::Ambiguous)));
}

#[test]
fn test_numbers_of_no_known_range_are_numbers_without_a_country() {
    let number = PhoneNumber::parse_human("+1 555 555 0100", Some("DE")).unwrap();
    assert_eq!((number.as_str(), number.country_code()), ("+15555550100", None));
}

#[test]
fn a_short_code_is_three_to_eight_digits() {
    for good in ["123", "74454", "12345678"] {
        assert_eq!(ShortCode::parse(good).unwrap().as_str(), good);
    }
    for bad in ["", "12", "123456789", "+74454", "74 454", "7445a", "٧٤٤٥٤"] {
        assert!(matches!(ShortCode::parse(bad), Err(InvalidNumber::NotShortCode)), "{bad:?}");
    }
}

#[test]
fn a_sender_has_a_letter_and_at_most_eleven_characters() {
    for good in ["A", "Acme Shop", "A&B + C_D-E", "1800Flowers"] {
        assert_eq!(AlphanumericSender::parse(good).unwrap().as_str(), good);
    }
    for bad in ["", "12345", "Acme Shop 24", "Acme!", "Café", "a\nb", "a,b", "a.b"] {
        assert!(matches!(AlphanumericSender::parse(bad), Err(InvalidNumber::NotSender)), "{bad:?}");
    }
}

#[test]
fn an_address_is_of_the_kind_that_its_characters_say() {
    let parse = |text| Address::parse(text).unwrap();
    assert!(matches!(parse("+14155552671"), Address::Phone(_)));
    assert!(matches!(parse("74454"), Address::ShortCode(_)));
    assert!(matches!(parse("Acme"), Address::Sender(_)));
    for bad in ["", "14155552671", "whatsapp:+14155552671", "+0", "12"] {
        assert!(matches!(Address::parse(bad), Err(InvalidNumber::NotAddress)), "{bad:?}");
    }
}

#[test]
fn only_phones_and_short_codes_can_be_texted() {
    let found = ["+14155552671", "74454", "Acme"].map(|text| Address::parse(text).unwrap());
    assert_eq!(found.each_ref().map(Address::is_textable), [true, true, false]);
    assert_eq!(found.each_ref().map(|address| address.phone().is_some()), [true, false, false]);
}

#[test]
fn logs_show_no_full_number() {
    let address = Address::parse("+14155552671").unwrap();
    assert_eq!(address.redacted(), "+14…71");
    assert_eq!(format!("{address:?}"), "Address(+14…71)");
    assert_eq!(format!("{:?}", address.phone()), "Some(PhoneNumber(+14…71))");
    assert_eq!(address.to_string(), "+14155552671");
}

#[test]
fn short_codes_and_senders_are_logged_in_full() {
    for text in ["74454", "Acme Shop"] {
        assert_eq!(Address::parse(text).unwrap().redacted(), text);
    }
}

#[test]
fn json_is_checked_when_it_is_read_and_errors_do_not_repeat_it() {
    assert!(serde_json::from_str::<Address>("\"+14155552671\"").is_ok());
    for (text, region) in [("+1212555778812345", None), ("2125557788", None), ("212555778", Some("US"))] {
        let errors = [
            serde_json::from_str::<PhoneNumber>(&format!("\"{text}\"")).unwrap_err().to_string(),
            PhoneNumber::parse_human(text, region).unwrap_err().to_string(),
        ];
        for error in errors {
            assert!(!error.contains(text) && error.contains("+14155552671"), "{error}");
        }
    }
}

proptest! {
    #[test]
    fn every_canonical_number_survives_text_and_json(text in "\\+[1-9][0-9]{6,14}") {
        let number = PhoneNumber::parse(&text).unwrap();
        prop_assert_eq!(number.to_string(), text.clone());
        let json = serde_json::to_string(&number).unwrap();
        prop_assert_eq!(serde_json::from_str::<Address>(&json).unwrap(), Address::Phone(number.clone()));
        let logged = format!("{number:?}");
        prop_assert!(!logged.contains(&text));
        let _ = number.country_code();
    }

    #[test]
    fn separators_never_change_the_number(
        digits in "[2-9][0-9]{9}",
        gaps in prop::collection::vec("[-. ()/\u{a0}]{0,2}", 10),
    ) {
        let pairs = gaps.iter().zip(digits.chars());
        let spaced: String = pairs.flat_map(|(gap, digit)| gap.chars().chain([digit])).collect();
        let read = |text: &str| PhoneNumber::parse_human(text, Some("US")).ok();
        prop_assert_eq!(read(&spaced), read(&digits));
    }

    #[test]
    fn what_human_input_gives_is_read_again_as_itself(
        text in "\\+?[0-9]{5,17}",
        region in prop::sample::select(&["US", "DE", "IN", "RU", "IT", "BR"][..]),
    ) {
        if let Ok(number) = PhoneNumber::parse_human(&text, Some(region)) {
            prop_assert_eq!(PhoneNumber::parse_human(number.as_str(), None).unwrap(), number);
        }
    }

    #[test]
    fn no_input_makes_the_readers_panic(text in any::<String>(), dialled in "[+0-9 x;=a-f.-]{0,24}") {
        for text in [text, dialled] {
            let _ = PhoneNumber::parse_human(&text, Some("US"));
            let _ = PhoneNumber::parse_human(&text, None);
            let _ = Address::parse(&text);
        }
    }
}
