//! How a customer is found by what somebody remembers of them: words of their name, or digits of their number. Owns what
//! is looked for; how it is found is an engine's business.

use std::collections::BTreeSet;

use super::customer::Customer;
use super::phone::Address;

/// The longest word that is looked at, in characters. More of it tells nobody apart.
const MAX_WORD_CHARS: usize = 40;
/// The fewest characters that are worth looking for.
pub const MIN_CHARS: usize = 2;
/// What the digits of a number begin with that are read from its end.
const FROM_THE_END: char = '<';

/// The words that lead to a customer, each by its beginning.
pub fn words_of(customer: &Customer) -> BTreeSet<String> {
    let names = [&customer.first_name, &customer.last_name];
    let names = names.into_iter().flatten().flat_map(|name| words(name));
    let numbers = [&customer.phone_number, &customer.unconfirmed_phone_number];
    let numbers = numbers.into_iter().flatten().map(Address::as_str).flat_map(|number| {
        let digits = digits(number);
        [from_the_end(&digits), digits]
    });
    names.chain(numbers).filter(|word| !word.is_empty()).collect()
}

fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(|word| word.chars().flat_map(char::to_lowercase).take(MAX_WORD_CHARS).collect())
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).take(MAX_WORD_CHARS).collect()
}

fn from_the_end(digits: &str) -> String {
    std::iter::once(FROM_THE_END).chain(digits.chars().rev()).collect()
}

/// What somebody looks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Query {
    /// Each is the beginning of a word of the customer's name.
    Words(Vec<String>),
    /// The number begins or ends with these.
    Digits(String),
}

/// There is too little to look for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("needs at least {MIN_CHARS} letters or digits")]
pub struct TooShort;

impl Query {
    pub fn parse(text: &str) -> Result<Self, TooShort> {
        let is_number = text.chars().all(|letter| letter.is_ascii_digit() || " +-().".contains(letter));
        let long_enough = |length: usize| if length < MIN_CHARS { Err(TooShort) } else { Ok(()) };
        if is_number {
            let digits = digits(text);
            long_enough(digits.len())?;
            return Ok(Self::Digits(digits));
        }
        let words: Vec<String> = words(text).collect();
        long_enough(words.iter().map(|word| word.chars().count()).sum())?;
        Ok(Self::Words(words))
    }

    /// The beginnings of the words to go through: every customer who is looked for has a word that begins with one of
    /// them.
    pub fn beginnings(&self) -> Vec<String> {
        match self {
            // The longest leads to the fewest.
            Self::Words(words) => words.iter().max_by_key(|word| word.len()).cloned().into_iter().collect(),
            Self::Digits(digits) => {
                vec![digits.clone(), from_the_end(digits)]
            }
        }
    }

    pub fn finds(&self, customer: &Customer) -> bool {
        let known = words_of(customer);
        let leads_there = |word: &String| known.iter().any(|known| known.starts_with(word));
        match self {
            Self::Words(words) => words.iter().all(leads_there),
            Self::Digits(_) => self.beginnings().iter().any(leads_there),
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::ids::CustomerId;
    use crate::domain::time::Timestamp;

    fn ann() -> Customer {
        let number = Address::parse("+14155550101").unwrap();
        let mut customer =
            Customer::new(CustomerId(Uuid::nil()), number, None, false, Timestamp::from_millis(0));
        customer.first_name = Some("Ann-Marie".into());
        customer.last_name = Some("Ó Briain".into());
        customer
    }

    #[test]
    fn a_customer_is_found_by_the_beginnings_of_names_and_by_either_end_of_the_number() {
        for found in ["an", "MARIE", "briain ann", "ó br", "+1 415", "1415", "0101", "555-0101", "4155550101"]
        {
            assert!(Query::parse(found).unwrap().finds(&ann()), "{found}");
        }
        for not in ["nn", "rie", "ann bob", "2000", "55501"] {
            assert!(!Query::parse(not).unwrap().finds(&ann()), "{not}");
        }
    }

    #[test]
    fn what_is_looked_for_has_at_least_two_characters() {
        for short in ["", " ", "a", "1", "+", "()"] {
            assert_eq!(Query::parse(short), Err(TooShort), "{short}");
        }
    }

    #[test]
    fn every_customer_that_is_found_has_a_word_with_one_of_the_beginnings() {
        for text in ["an", "briain ann", "0101", "1415"] {
            let query = Query::parse(text).unwrap();
            let words = words_of(&ann());
            let leads = |start: &String| words.iter().any(|word| word.starts_with(start));
            assert!(query.beginnings().iter().any(leads), "{text}");
        }
    }
}
