//! Overrides from the environment: `SWITCHBOARD__SECTION__KEY=value`. Puts them into the tree that was read from the
//! file; whether a key exists is found out by the sections, as for the file.

use super::problem::Report;
use super::tree::{self, Entry, Node, Place, Table, Value};

const PREFIX: &str = "SWITCHBOARD__";

/// Applies all variables that start with the prefix. Nothing else of the environment is looked at.
pub fn apply(root: &mut Table, variables: impl Iterator<Item = (String, String)>, report: &Report) {
    let mut overrides: Vec<_> = variables
        .filter_map(|(name, text)| Some((path_of(name.strip_prefix(PREFIX)?), name, text)))
        .collect();
    // Index 2 comes before index 10, and a table before its keys.
    overrides.sort();
    for (path, name, text) in overrides {
        if path.contains(&Step::Key(String::new())) {
            report.problem(Place::Variable(name), "names no key; write SWITCHBOARD__SECTION__KEY".into());
            continue;
        }
        let node = tree::parse_variable(&name, &text);
        if let Err(wrong) = set_in_table(root, &path, node) {
            report.problem(Place::Variable(name), wrong);
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Index(usize),
    Key(String),
}

fn path_of(name: &str) -> Vec<Step> {
    let step = |part: &str| match part.parse() {
        Ok(index) => Step::Index(index),
        Err(_) => Step::Key(part.to_ascii_lowercase()),
    };
    name.split("__").map(step).collect()
}

fn set_in_table(table: &mut Table, path: &[Step], new: Node) -> Result<(), String> {
    let (key, rest) = match path {
        [Step::Key(key), rest @ ..] => (key, rest),
        [Step::Index(index), ..] => return Err(format!("has index {index} where a key is wanted")),
        [] => return Ok(()),
    };
    let place = new.place.clone();
    let empty = || match rest.first() {
        Some(Step::Index(_)) => Value::List(Vec::new()),
        _ => Value::Table(Table::new()),
    };
    match table.get_mut(key) {
        Some(entry) if !rest.is_empty() => set_in_node(&mut entry.node, rest, new),
        _ if rest.is_empty() => {
            table.insert(key.clone(), Entry { key: place, node: new });
            Ok(())
        }
        _ => {
            let mut node = Node { place: place.clone(), value: empty() };
            set_in_node(&mut node, rest, new)?;
            table.insert(key.clone(), Entry { key: place, node });
            Ok(())
        }
    }
}

fn set_in_node(node: &mut Node, path: &[Step], new: Node) -> Result<(), String> {
    let (list, index, rest) = match (&mut node.value, path) {
        (_, []) => {
            *node = new;
            return Ok(());
        }
        (Value::Table(table), _) => return set_in_table(table, path, new),
        (Value::List(list), [Step::Index(index), rest @ ..]) => (list, *index, rest),
        (Value::List(_), [Step::Key(key), ..]) => {
            return Err(format!("has {key} where an index is wanted, from 0"));
        }
        (other, _) => return Err(format!("goes into what is {}, which has no keys", other.kind())),
    };
    if index > list.len() {
        return Err(format!("has index {index}; the list goes on with index {}", list.len()));
    }
    if index == list.len() {
        list.push(Node { place: new.place.clone(), value: Value::Table(Table::new()) });
    }
    set_in_node(&mut list[index], rest, new)
}
