//! What is wrong with a configuration, gathered so that all of it is reported at once, and how it is worded. Never holds
//! the text of a secret.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;

use super::tree::Place;

/// One thing that is wrong, with its mend.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    pub place: Place,
    pub text: String,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error(
        "there is no file {}; write the default one with `switchboard check --print-default > config.toml`, \
         or name yours with --config FILE",
        .0.display()
    )]
    Missing(PathBuf),
    #[error("{} cannot be read: {source}", .path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("{0}")]
    Invalid(Problems),
}

/// All that is wrong, in the order of the file and one a line: `config.toml:12:5: …`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems {
    path: PathBuf,
    list: Vec<Problem>,
}

impl Problems {
    pub(super) fn new(path: PathBuf, mut list: Vec<Problem>) -> Self {
        list.sort();
        list.dedup();
        Self { path, list }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Problem { place, text }) in self.list.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            match place {
                Place::Variable(_) => write!(f, "{place}: {text}")?,
                Place::File | Place::Line { .. } => write!(f, "{}{place}: {text}", self.path.display())?,
            }
        }
        Ok(())
    }
}

/// Where the sections write down what they find.
#[derive(Debug, Default)]
pub(super) struct Report {
    problems: RefCell<Vec<Problem>>,
    warnings: RefCell<Vec<String>>,
    /// Every key that was asked for, as `channels[].name`.
    known: RefCell<BTreeSet<String>>,
}

impl Report {
    pub fn problem(&self, place: Place, text: String) {
        self.problems.borrow_mut().push(Problem { place, text });
    }

    pub fn warn(&self, text: String) {
        self.warnings.borrow_mut().push(text);
    }

    pub fn know(&self, key: String) {
        self.known.borrow_mut().insert(key);
    }

    pub fn into_parts(self) -> (Vec<Problem>, Vec<String>, BTreeSet<String>) {
        (self.problems.into_inner(), self.warnings.into_inner(), self.known.into_inner())
    }
}

/// The word that was probably meant: at most a third of its letters are wrong.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (edits(word, candidate), candidate))
        .filter(|(edits, candidate)| *edits <= candidate.chars().count().max(3) / 3)
        .min()
        .map(|(_, candidate)| candidate)
}

/// How many letters are wrong, missing, too many, or swapped with their neighbour.
fn edits(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    let mut previous = None;
    for (index, from) in left.chars().enumerate() {
        let mut next = vec![index + 1];
        for (column, to) in right.iter().enumerate() {
            let replaced = row[column] + usize::from(from != *to);
            let mut least = replaced.min(row[column + 1] + 1).min(next[column] + 1);
            if column > 0 && previous == Some(*to) && from == right[column - 1] {
                least = least.min(before[column - 1] + 1);
            }
            next.push(least);
        }
        before = std::mem::replace(&mut row, next);
        previous = Some(from);
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_finds_its_word_and_another_word_does_not() {
        let known = ["listen", "public_url", "url"];
        assert_eq!(nearest("listn", known), Some("listen"));
        assert_eq!(nearest("publicurl", known), Some("public_url"));
        assert_eq!(nearest("ulr", known), Some("url"));
        assert_eq!(nearest("lru", known), None);
        assert_eq!(nearest("colour", known), None);
    }
}
