//! Owns the network's own block list, and the keywords that open and close it. Deliberately not the daemon's
//! reading of keywords: the two differ in reality too ("Stop." is none here).

use std::collections::HashSet;

const STOP: &[&str] = &["STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"];
const START: &[&str] = &["START", "YES", "UNSTOP"];
const HELP: &[&str] = &["HELP", "INFO"];

/// What a customer's text asks the network for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keyword {
    Stop,
    Start,
    Help,
}

impl Keyword {
    /// The keyword that all of `body` is, in any case, with white space around it.
    pub(super) fn read(body: &str) -> Option<Self> {
        let word = body.trim().to_ascii_uppercase();
        let is_in = |list: &[&str]| list.contains(&word.as_str());
        if is_in(STOP) {
            Some(Self::Stop)
        } else if is_in(START) {
            Some(Self::Start)
        } else {
            is_in(HELP).then_some(Self::Help)
        }
    }

    /// As `OptOutType` has it.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Stop => "STOP",
            Self::Start => "START",
            Self::Help => "HELP",
        }
    }
}

/// Who may not be texted from which number. With a messaging service, from none of the account's.
#[derive(Debug, Default)]
pub(super) struct BlockList {
    blocked: HashSet<(String, String)>,
}

impl BlockList {
    pub(super) fn is_blocked(&self, sender: &str, customer: &str) -> bool {
        self.blocked.contains(&(sender.to_owned(), customer.to_owned()))
    }

    /// Acts on a keyword that `customer` texted, for all of `senders`. The network's reply, if it has one: none to
    /// a STOP or START that changes nothing.
    pub(super) fn act(
        &mut self,
        keyword: Keyword,
        senders: &[String],
        customer: &str,
    ) -> Option<&'static str> {
        let mut changed = false;
        for sender in senders {
            let pair = (sender.clone(), customer.to_owned());
            changed |= match keyword {
                Keyword::Stop => self.blocked.insert(pair),
                Keyword::Start => self.blocked.remove(&pair),
                Keyword::Help => false,
            };
        }
        match keyword {
            Keyword::Stop => {
                changed.then_some("You will get no more texts from this number. Text START to undo this.")
            }
            Keyword::Start => {
                changed.then_some("You will get texts from this number again. Text STOP to end them.")
            }
            Keyword::Help => Some("Text STOP to get no more texts from this number. Rates may apply."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_text_is_a_keyword() {
        assert_eq!(Keyword::read(" stop\n"), Some(Keyword::Stop));
        assert_eq!(Keyword::read("Yes"), Some(Keyword::Start));
        assert_eq!(Keyword::read("info"), Some(Keyword::Help));
        assert_eq!(Keyword::read("stop please"), None);
        assert_eq!(Keyword::read("Stop."), None);
    }

    #[test]
    fn a_stop_blocks_the_pair_until_a_start_and_is_confirmed_once() {
        let (mut list, senders) = (BlockList::default(), ["+1".to_owned()]);
        assert!(list.act(Keyword::Stop, &senders, "+2").is_some());
        assert!(list.act(Keyword::Stop, &senders, "+2").is_none());
        assert!(list.is_blocked("+1", "+2") && !list.is_blocked("+3", "+2"));
        assert!(list.act(Keyword::Start, &senders, "+2").is_some());
        assert!(!list.is_blocked("+1", "+2"));
    }
}
