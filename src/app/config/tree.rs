//! What is written in the configuration, and where: TOML values that know their line and column, or the variable that
//! set them. Must not know any key.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::problem::Problem;

/// Where something is written. Sorts as a reader meets it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// Nowhere in particular: what is missing as a whole.
    File,
    /// Both from 1; the column counts characters.
    Line { line: usize, column: usize },
    /// An environment variable.
    Variable(String),
}

#[derive(Clone, Debug)]
pub struct Node {
    pub place: Place,
    pub value: Value,
}

#[derive(Clone, Debug)]
pub enum Value {
    Text(String),
    Integer(i64),
    Float(f64),
    Boolean(bool),
    Moment,
    List(Vec<Node>),
    Table(Table),
    /// A variable's value that also reads as TOML, such as a token of digits: the key's type decides which it is.
    Ambiguous {
        text: String,
        read: Box<Value>,
    },
}

pub type Table = BTreeMap<String, Entry>;

#[derive(Clone, Debug)]
pub struct Entry {
    /// Where the key stands.
    pub key: Place,
    pub node: Node,
}

impl Value {
    /// For messages: "is …".
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "a string",
            Self::Integer(_) => "an integer",
            Self::Float(_) => "a float",
            Self::Boolean(_) => "a boolean",
            Self::Moment => "a date or time",
            Self::List(_) => "an array",
            Self::Table(_) => "a table",
            Self::Ambiguous { read, .. } => read.kind(),
        }
    }

    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Ambiguous { text, .. } => Some(text),
            _ => None,
        }
    }

    /// Itself, and an ambiguous value as TOML.
    pub fn as_toml(&self) -> &Self {
        match self {
            Self::Ambiguous { read, .. } => read,
            plain => plain,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File => Ok(()),
            Self::Line { line, column } => write!(f, ":{line}:{column}"),
            Self::Variable(name) => f.write_str(name),
        }
    }
}

/// Reads a whole file, or says all that is wrong with its TOML.
pub fn parse(text: &str) -> Result<Table, Vec<Problem>> {
    let (root, errors) = DeTable::parse_recoverable(text);
    let lines = Lines { text };
    if errors.is_empty() {
        return Ok(table(root.get_ref(), &|span| lines.place(&span)));
    }
    let problem = |error: &toml::de::Error| {
        let place = error.span().map_or(Place::File, |span| lines.place(&span));
        Problem { place, text: format!("not TOML: {}", error.message()) }
    };
    Err(errors.iter().map(problem).collect())
}

/// Reads the value of a variable: TOML where it is, else the text itself.
pub fn parse_variable(name: &str, text: &str) -> Node {
    let place = Place::Variable(name.to_owned());
    let plain = || Value::Text(text.to_owned());
    let value = match DeValue::parse(text).map(|read| value(read.get_ref(), &|_| place.clone())) {
        Ok(Value::Text(quoted)) => Value::Text(quoted),
        Ok(structure @ (Value::List(_) | Value::Table(_))) => structure,
        Ok(scalar) => Value::Ambiguous { text: text.to_owned(), read: Box::new(scalar) },
        Err(_) => plain(),
    };
    Node { place, value }
}

type Locate<'a> = &'a dyn Fn(Range<usize>) -> Place;

fn table(read: &DeTable<'_>, locate: Locate<'_>) -> Table {
    let entry = |(key, found): (&toml::Spanned<_>, &toml::Spanned<DeValue<'_>>)| {
        let name: &std::borrow::Cow<'_, str> = key.get_ref();
        let node = Node { place: locate(found.span()), value: value(found.get_ref(), locate) };
        (name.to_string(), Entry { key: locate(key.span()), node })
    };
    read.iter().map(entry).collect()
}

fn value(read: &DeValue<'_>, locate: Locate<'_>) -> Value {
    match read {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(digits) => match i64::from_str_radix(digits.as_str(), digits.radix()) {
            Ok(integer) => Value::Integer(integer),
            // Too large for any key: of no type that one has.
            Err(_) => Value::Float(f64::INFINITY),
        },
        DeValue::Float(digits) => Value::Float(digits.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(boolean) => Value::Boolean(*boolean),
        DeValue::Datetime(_) => Value::Moment,
        DeValue::Array(items) => {
            let node = |item: &toml::Spanned<DeValue<'_>>| Node {
                place: locate(item.span()),
                value: value(item.get_ref(), locate),
            };
            Value::List(items.iter().map(node).collect())
        }
        DeValue::Table(inner) => Value::Table(table(inner, locate)),
    }
}

struct Lines<'a> {
    text: &'a str,
}

impl Lines<'_> {
    fn place(&self, span: &Range<usize>) -> Place {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Place::Line { line, column }
    }
}
