//! Owns the reading of opt-out, opt-in and help keywords in a text. It must not act on them, and must not
//! overrule a provider that has classified the text itself.
//!
//! Two layers. [`classify`] is for the whole message that is one keyword, on which the caller acts at once.
//! [`looks_like_opt_out`] is for wording that a person should look at. The words are those that 47 CFR
//! 64.1200(a)(10) lists, Twilio's defaults, and the additions of AWS (`REMOVE`, `TD`) and of French Canada.
//! `SUBSCRIBE` and `OPTIN` are not read as consent: whether they are is an operator's choice.

use std::fmt;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

const STOP: &[&str] = &[
    "stop",
    "stopall",
    "stop all",
    "unsubscribe",
    "cancel",
    "end",
    "quit",
    "revoke",
    "optout",
    "opt out",
    "opt-out",
    "arret",
    "arrêt",
    "remove",
    "td",
];
const START: &[&str] = &["start", "unstop"];
/// Means START only from somebody who is unsubscribed; from anybody else it is an answer.
const YES: &str = "yes";
const HELP: &[&str] = &["help", "info", "aide"];

/// Words that tell of an opt-out also inside a short sentence. CANCEL, END, QUIT, REMOVE and TD are left out:
/// with other words around them they mostly speak of orders, days and jobs ("cancel my order").
const NEAR_WORDS: &[&str] =
    &["stop", "stopall", "unsubscribe", "unsubscribed", "revoke", "optout", "opt out", "arret", "arrêt"];
/// The longest message, in words, in which one of [`NEAR_WORDS`] counts.
const NEAR_WORDS_LIMIT: usize = 5;

/// Wording that tells of an opt-out in a message of any length. Written as [`words`] leaves it: lower case,
/// no apostrophes, single spaces.
const NEAR_PHRASES: &[&str] = &[
    "stop texting",
    "stop messaging",
    "stop sending",
    "stop contacting",
    "quit texting",
    "quit messaging",
    "dont text",
    "do not text",
    "dont message",
    "do not message",
    "dont contact",
    "do not contact",
    "remove me",
    "take me off",
    "leave me alone",
    "unsubscribe me",
    "opt me out",
    "no more texts",
    "no more messages",
    "no mas",
    "no más",
];
/// Wording that counts only as the whole message; inside a sentence it is about something else.
const NEAR_MESSAGES: &[&str] = &["no more"];

/// What a keyword asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Keyword {
    /// No more messages.
    Stop,
    /// Messages again.
    Start,
    /// Who is this, and how do I get out.
    Help,
}

impl Keyword {
    /// The keyword in lower case, as it stands in our API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Start => "start",
            Self::Help => "help",
        }
    }
}

impl fmt::Display for Keyword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The keyword that `text` is, if the whole of it is one.
///
/// Case, full-width forms, the amount of inner white space, and all punctuation, quotes and emoji around the
/// word make no difference: "“Stop!” 🛑" is STOP, "stop please" is not. CANCEL and END are STOP also in the
/// middle of an order. YES is START only if the sender is `unsubscribed`.
///
/// ```
/// use switchboard::domain::keywords::{Keyword, classify};
///
/// assert_eq!(classify(" Stop. ", false), Some(Keyword::Stop));
/// assert_eq!(classify("yes", false), None);
/// ```
pub fn classify(text: &str, unsubscribed: bool) -> Option<Keyword> {
    let message = canonical(text);
    let word = message.as_str();
    if STOP.contains(&word) {
        Some(Keyword::Stop)
    } else if START.contains(&word) || (unsubscribed && word == YES) {
        Some(Keyword::Start)
    } else if HELP.contains(&word) {
        Some(Keyword::Help)
    } else {
        None
    }
}

/// Whether `text` is no STOP keyword but may well mean one, so that a person should read it.
///
/// True for an opt-out word in a message of at most five words, and for a phrase such as "leave me alone" in
/// a message of any length. Words are matched whole ("nonstop" and "weekend" are not). CANCEL, END, QUIT,
/// REMOVE and TD count only as a whole message, where [`classify`] has them. Negations and bus stops are not
/// told apart: a false alarm costs a look, a miss costs a complaint.
pub fn looks_like_opt_out(text: &str) -> bool {
    if classify(text, false) == Some(Keyword::Stop) {
        return false;
    }
    let (message, count) = words(text);
    let has = |list: &[&str]| list.iter().any(|phrase| contains_words(&message, phrase));
    (count <= NEAR_WORDS_LIMIT && has(NEAR_WORDS))
        || has(NEAR_PHRASES)
        || NEAR_MESSAGES.contains(&message.as_str())
}

/// `text` as the keyword sets are written.
fn canonical(text: &str) -> String {
    let core = text.trim_matches(|c| !is_letter_or_digit(c));
    let folded = fold(core);
    let mut out = String::with_capacity(folded.len());
    for word in folded.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

/// The words of `text` in lower case with single spaces between, and their number.
fn words(text: &str) -> (String, usize) {
    let folded = fold(text);
    let (mut out, mut count) = (String::with_capacity(folded.len()), 0);
    let bare: String = folded.chars().filter(|c| !matches!(c, '\'' | '’' | '‘' | '`')).collect();
    for word in bare.split(|c| !is_letter_or_digit(c)).filter(|word| !word.is_empty()) {
        if count > 0 {
            out.push(' ');
        }
        out.push_str(word);
        count += 1;
    }
    (out, count)
}

/// Whether `phrase` stands in `message` between word boundaries; both have single spaces between words.
fn contains_words(message: &str, phrase: &str) -> bool {
    message.match_indices(phrase).any(|(at, found)| {
        let (before, after) = (&message[..at], &message[at + found.len()..]);
        (before.is_empty() || before.ends_with(' ')) && (after.is_empty() || after.starts_with(' '))
    })
}

/// Lower case, compatibility forms (full width, accents as marks) as the plain ones, every dash a hyphen.
fn fold(text: &str) -> String {
    let dashes = |c| match c {
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        other => other,
    };
    text.nfkc().map(dashes).flat_map(char::to_lowercase).collect()
}

/// Letters and digits, without the boxed and circled ones that are used as emoji.
fn is_letter_or_digit(c: char) -> bool {
    c.is_alphanumeric()
        && !matches!(c, '\u{2460}'..='\u{24ff}' | '\u{2776}'..='\u{2793}' | '\u{1f000}'..='\u{1faff}')
}

#[cfg(test)]
mod tests {
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
        let others = [
            "stop please",
            "please stop",
            "cancel my order",
            "weekend",
            "st op",
            "help me",
            "",
            "🛑",
            "?",
            "no",
        ];
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
}
