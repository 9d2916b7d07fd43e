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
mod tests;
