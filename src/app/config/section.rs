//! One table of the configuration while it is read. Hands out its values by key, notes what is wrong, and in the end
//! refuses every key that nobody asked for.

use super::problem::{Report, nearest};
use super::tree::{Entry, Node, Place, Table, Value};
use super::values::Setting;

/// More than one key says the same thing. It is reported.
pub struct Ambiguous;

pub struct Section<'a> {
    /// As in messages: `server`, `channels[0]`; empty at the root.
    path: String,
    place: Place,
    table: Option<&'a Table>,
    asked: Vec<&'static str>,
    report: &'a Report,
}

impl<'a> Section<'a> {
    pub fn root(table: &'a Table, report: &'a Report) -> Self {
        Self { path: String::new(), place: Place::File, table: Some(table), asked: Vec::new(), report }
    }

    /// The table under a key; an empty one if there is none.
    pub fn section(&mut self, key: &'static str) -> Self {
        let path = self.path_of(key);
        let Some(entry) = self.ask(key) else {
            let place = self.place.clone();
            return Self { path, place, table: None, asked: Vec::new(), report: self.report };
        };
        self.open(path, entry.key.clone(), &entry.node)
    }

    /// The tables of an array.
    pub fn sections(&mut self, key: &'static str) -> Vec<Self> {
        match self.ask(key).map(|entry| (&entry.key, entry.node.value.as_toml())) {
            None => Vec::new(),
            Some((_, Value::List(nodes))) => {
                let open = |(index, node): (usize, &'a Node)| {
                    self.open(format!("{}[{index}]", self.path_of(key)), node.place.clone(), node)
                };
                nodes.iter().enumerate().map(open).collect()
            }
            Some((place, other)) => {
                let path = self.path_of(key);
                let kind = other.kind();
                self.report
                    .problem(place.clone(), format!("{path} is {kind}; write a table headed [[{path}]]"));
                Vec::new()
            }
        }
    }

    fn open(&self, path: String, place: Place, node: &'a Node) -> Self {
        let table = match node.value.as_toml() {
            Value::Table(table) => Some(table),
            other => {
                self.report.problem(place.clone(), format!("{path} is {}; write a table", other.kind()));
                None
            }
        };
        Self { path, place, table, asked: Vec::new(), report: self.report }
    }

    /// What stands under a key; none if it is absent, or wrong and reported.
    pub fn optional<T: Setting>(&mut self, key: &'static str) -> Option<T> {
        let entry = self.ask(key)?;
        match T::read(&entry.node) {
            Ok(value) => Some(value),
            Err(wrong) => {
                self.report.problem(entry.node.place.clone(), format!("{} {wrong}", self.path_of(key)));
                None
            }
        }
    }

    pub fn or<T: Setting>(&mut self, key: &'static str, default: T) -> T {
        self.optional(key).unwrap_or(default)
    }

    /// What has to be there; `mend` says what to write.
    pub fn required<T: Setting>(&mut self, key: &'static str, mend: &str) -> Option<T> {
        if !self.has(key) {
            self.ask(key);
            self.refuse(key, format!("is missing; {mend}"));
            return None;
        }
        self.optional(key)
    }

    pub fn has(&self, key: &str) -> bool {
        self.table.is_some_and(|table| table.contains_key(key))
    }

    /// Which of these keys is used; none if none is. Only one may be: else that is reported, and there is no answer.
    pub fn only_of(
        &self,
        keys: impl IntoIterator<Item = &'static str>,
    ) -> Result<Option<&'static str>, Ambiguous> {
        let mut used: Vec<_> = keys.into_iter().filter(|key| self.has(key)).collect();
        let by_variable = |key: &&str| matches!(self.place_of(key), Place::Variable(_));
        if used.iter().any(by_variable) {
            // A variable wins over the file, also where it names another source of the same thing.
            used.retain(by_variable);
        }
        if let [first, second, ..] = used[..] {
            self.refuse(second, format!("and {first} are both set; keep one of them"));
            return Err(Ambiguous);
        }
        Ok(used.first().copied())
    }

    /// What stands under a key, before it is read for good: notes nothing.
    pub fn peek<T: Setting>(&self, key: &str) -> Option<T> {
        T::read(&self.table?.get(key)?.node).ok()
    }

    /// Where a key's value stands, or else its table.
    pub fn place_of(&self, key: &str) -> Place {
        let entry = self.table.and_then(|table| table.get(key));
        entry.map_or(&self.place, |entry| &entry.node.place).clone()
    }

    /// Notes what is wrong with a key's value.
    pub fn refuse(&self, key: &str, wrong: impl std::fmt::Display) {
        self.report.problem(self.place_of(key), format!("{} {wrong}", self.path_of(key)));
    }

    pub fn warn(&self, key: &str, words: impl std::fmt::Display) {
        self.report.warn(format!("{} {words}", self.path_of(key)));
    }

    /// Refuses every key that was not asked for.
    pub fn finish(self) {
        for (key, Entry { key: place, .. }) in self.table.into_iter().flatten() {
            if self.asked.contains(&key.as_str()) {
                continue;
            }
            let known = nearest(key, self.asked.iter().copied());
            let path = self.path_of(key);
            let mend = match (place, known) {
                (_, None) => format!("the keys here are {}", self.asked.join(", ")),
                (Place::Variable(name), Some(known)) => {
                    format!("did you mean {}?", respelt(name, key, known))
                }
                (_, Some(known)) => format!("did you mean {known}?"),
            };
            let kind = if self.path.is_empty() { "section" } else { "key" };
            self.report.problem(place.clone(), format!("{path} is no known {kind}; {mend}"));
        }
    }

    fn ask(&mut self, key: &'static str) -> Option<&'a Entry> {
        self.asked.push(key);
        self.report.know(anonymous(&self.path_of(key)));
        self.table?.get(key)
    }

    fn path_of(&self, key: &str) -> String {
        match self.path.as_str() {
            "" => key.to_owned(),
            path => format!("{path}.{key}"),
        }
    }
}

/// A variable's name with one of its parts replaced.
fn respelt(variable: &str, key: &str, meant: &str) -> String {
    let part = |part: &str| {
        if part.eq_ignore_ascii_case(key) { meant.to_uppercase() } else { part.to_owned() }
    };
    variable.split("__").map(part).collect::<Vec<_>>().join("__")
}

/// `channels[3].name` as `channels[].name`.
fn anonymous(path: &str) -> String {
    let mut inside = false;
    path.chars()
        .filter(|&letter| {
            inside = (inside || letter == '[') && letter != ']';
            !inside || letter == '['
        })
        .collect()
}
