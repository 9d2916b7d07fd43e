//! What is a keyword, what nearly is one, and what is neither.

use proptest::prelude::*;

use super::*;

const ALL_STOP: &[&str] = &[
    "STOP",
    "STOPALL",
    "STOP ALL",
    "UNSUBSCRIBE",
    "CANCEL",
    "END",
    "QUIT",
    "REVOKE",
    "OPTOUT",
    "OPT OUT",
    "OPT-OUT",
    "ARRET",
    "ARRÊT",
    "REMOVE",
    "TD",
];

#[test]
fn every_word_of_the_sets_is_its_keyword_in_any_case() {
    let sets = [
        (ALL_STOP, Keyword::Stop),
        (&["START", "UNSTOP"], Keyword::Start),
        (&["HELP", "INFO", "AIDE"], Keyword::Help),
    ];
    for (set, keyword) in sets {
        for word in set {
            assert_eq!(classify(word, false), Some(keyword), "{word}");
            assert_eq!(classify(&word.to_lowercase(), true), Some(keyword), "{word}");
        }
    }
}

#[test]
fn yes_is_start_only_from_somebody_unsubscribed() {
    assert_eq!(classify("YES", true), Some(Keyword::Start));
    assert_eq!(classify("Yes!", true), Some(Keyword::Start));
    assert_eq!(classify("YES", false), None);
    assert_eq!(classify("yes please", true), None);
}

#[test]
fn what_surrounds_a_keyword_makes_no_difference() {
    let wrapped = [
        "Stop.",
        "  stop\n",
        "“STOP”",
        "«stop»",
        "*STOP*",
        "STOP 🛑",
        "🙏🏽 stop",
        "Stop!!!",
        "(stop)",
        "stop ❤️",
        "\u{feff}stop",
        "¡stop!",
        "STOP🅰",
        "stop…",
    ];
    for text in wrapped {
        assert_eq!(classify(text, false), Some(Keyword::Stop), "{text}");
    }
}

#[test]
fn inner_white_space_is_one_space() {
    for text in ["stop   all", "STOP\nALL", "opt\u{a0}out", "opt \t out"] {
        assert_eq!(classify(text, false), Some(Keyword::Stop), "{text:?}");
    }
}

#[test]
fn other_spellings_of_the_same_letters_are_the_same_keyword() {
    for text in ["ＳＴＯＰ", "ARRE\u{302}T", "opt\u{2011}out", "Opt–Out"] {
        assert_eq!(classify(text, false), Some(Keyword::Stop), "{text:?}");
    }
}

#[test]
fn a_message_with_more_than_the_keyword_is_no_keyword() {
    let others =
        ["stop please", "please stop", "cancel my order", "weekend", "st op", "help me", "", "🛑", "?", "no"];
    for text in others {
        assert_eq!(classify(text, true), None, "{text}");
    }
}

#[test]
fn subscribe_and_optin_are_left_to_the_operator() {
    assert_eq!(classify("SUBSCRIBE", true), None);
    assert_eq!(classify("OPTIN", true), None);
}

#[test]
fn an_opt_out_word_in_five_words_or_fewer_is_a_near_miss() {
    let near = [
        "STOP PLEASE",
        "please stop",
        "I want to opt out",
        "opt-out now",
        "unsubscribe me please",
        "Stop it!!",
        "i revoke my consent",
        "STOP STOP",
        "arrêt svp",
        "no more",
        "No more!",
    ];
    for text in near {
        assert!(looks_like_opt_out(text), "{text}");
    }
}

#[test]
fn an_opt_out_word_in_a_longer_message_is_conversation() {
    assert!(!looks_like_opt_out("does the number nine stop at the market"));
    assert!(looks_like_opt_out("which stop is it now"));
    assert!(!looks_like_opt_out("which stop is it right now"));
}

#[test]
fn a_phrase_is_a_near_miss_at_any_length() {
    let near = [
        "hey I told you already, stop texting my phone or I will complain",
        "I have asked you three times now: LEAVE ME ALONE!",
        "could you please remove me from whatever list this is",
        "No más, por favor",
        "don’t text me again about this ever, thank you very much",
        "Don't   contact me at this number any longer, please",
    ];
    for text in near {
        assert!(looks_like_opt_out(text), "{text}");
    }
}

#[test]
fn ambiguous_words_among_others_are_conversation() {
    let plain = [
        "cancel my order",
        "weekend?",
        "the end",
        "I quit smoking",
        "end of week",
        "please cancel it",
        "nonstop flight",
        "remove the onions",
        "unstoppable",
        "no more onions please",
        "Yes",
        "start",
        "",
    ];
    for text in plain {
        assert!(!looks_like_opt_out(text), "{text}");
    }
}

#[test]
fn a_keyword_that_already_opts_out_is_no_near_miss() {
    for word in ALL_STOP {
        assert!(!looks_like_opt_out(word), "{word}");
        assert!(!looks_like_opt_out(&format!("“{word}”!")), "{word}");
    }
}

#[test]
fn a_keyword_reads_and_writes_as_its_lower_case_name() {
    for keyword in [Keyword::Stop, Keyword::Start, Keyword::Help] {
        let json = serde_json::to_string(&keyword).unwrap();
        assert_eq!(json, format!("\"{keyword}\""));
        assert_eq!(serde_json::from_str::<Keyword>(&json).unwrap(), keyword);
    }
}

const DECORATION: &str =
    "[ \t\n.,;:!?¡¿'\"“”‘’«»()*_~#…\u{2013}\u{2014}\u{feff}\u{200d}\u{fe0f}🛑😡🙏👍🏽❤]{0,6}";

proptest! {
    #[test]
    fn surrounding_punctuation_never_changes_the_class(
        before in DECORATION,
        text in prop_oneof![
            prop::sample::select(ALL_STOP).prop_map(str::to_owned),
            prop::sample::select(&["yes", "Start", "help", "stop please"][..]).prop_map(str::to_owned),
            any::<String>(),
        ],
        after in DECORATION,
        unsubscribed: bool,
    ) {
        let surrounded = format!("{before}{text}{after}");
        prop_assert_eq!(classify(&surrounded, unsubscribed), classify(&text, unsubscribed));
    }

    #[test]
    fn case_never_changes_the_class(word in prop::sample::select(ALL_STOP), upper: [bool; 11]) {
        let text: String = word
            .to_lowercase()
            .chars()
            .zip(upper)
            .map(|(c, up)| if up { c.to_uppercase().to_string() } else { c.to_string() })
            .collect();
        prop_assert_eq!(classify(&text, false), Some(Keyword::Stop));
    }

    #[test]
    fn no_text_is_both_a_stop_and_a_near_miss(text in any::<String>()) {
        prop_assert!(!(classify(&text, false) == Some(Keyword::Stop) && looks_like_opt_out(&text)));
    }
}
