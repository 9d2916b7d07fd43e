//! Some rows of a table: as they are in the database, as the commands of a batch have left them, and as the command under
//! way has. One that fails leaves no trace. What was not loaded is known not to be known.

use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug)]
pub struct Table<K, V> {
    rows: BTreeMap<K, Row<V>>,
    /// What the command under way has written.
    written: BTreeSet<K>,
    /// What any command of the batch has written.
    changed: BTreeSet<K>,
}

#[derive(Debug)]
struct Row<V> {
    /// It is known how it is in the database.
    loaded: bool,
    stored: Option<V>,
    kept: Option<V>,
    now: Option<V>,
}

/// A row that the batch has changed.
#[derive(Debug, PartialEq, Eq)]
pub struct Change<'t, K, V> {
    pub key: &'t K,
    pub stored: Option<&'t V>,
    pub now: Option<&'t V>,
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self { rows: BTreeMap::new(), written: BTreeSet::new(), changed: BTreeSet::new() }
    }
}

impl<K: Ord + Clone, V: Clone + PartialEq> Table<K, V> {
    /// The row is so in the database. What is known of it already stays.
    pub fn load(&mut self, key: K, stored: Option<V>) {
        let row = || Row { loaded: true, kept: stored.clone(), now: stored.clone(), stored };
        self.rows.entry(key).or_insert_with(row);
    }

    /// None: it was not loaded.
    #[expect(clippy::option_option, reason = "what is not known is told from what is not there")]
    pub fn get(&self, key: &K) -> Option<Option<&V>> {
        self.rows.get(key).map(|row| row.now.as_ref())
    }

    /// The row, if it is known and there.
    pub fn row(&self, key: &K) -> Option<&V> {
        self.rows.get(key)?.now.as_ref()
    }

    /// As it was before the command under way.
    pub fn before(&self, key: &K) -> Option<&V> {
        self.rows.get(key)?.kept.as_ref()
    }

    pub fn put(&mut self, key: K, value: Option<V>) {
        self.written.insert(key.clone());
        self.rows.entry(key).or_insert(Row { loaded: false, stored: None, kept: None, now: None }).now =
            value;
    }

    /// What is known to be there.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.rows.iter().filter_map(|(key, row)| Some((key, row.now.as_ref()?)))
    }

    /// How what was written is in the database, and how it is now.
    pub fn since_stored(&self) -> impl Iterator<Item = (Option<&V>, Option<&V>)> {
        let keys = self.changed.union(&self.written).filter_map(|key| self.rows.get(key));
        keys.map(|row| (row.stored.as_ref(), row.now.as_ref()))
    }

    /// What the command under way has written.
    pub fn written(&self) -> impl Iterator<Item = &K> {
        self.written.iter()
    }

    /// The command under way has succeeded.
    pub fn keep(&mut self) {
        for key in std::mem::take(&mut self.written) {
            if let Some(row) = self.rows.get_mut(&key) {
                row.kept.clone_from(&row.now);
            }
            self.changed.insert(key);
        }
    }

    /// The command under way has failed: it wrote nothing.
    pub fn discard(&mut self) {
        for key in std::mem::take(&mut self.written) {
            if let Some(row) = self.rows.get_mut(&key) {
                row.now.clone_from(&row.kept);
            }
        }
    }

    /// Everything is as it is in the database.
    pub fn reset(&mut self) {
        self.discard();
        self.rows.retain(|_, row| row.loaded);
        for key in std::mem::take(&mut self.changed) {
            if let Some(row) = self.rows.get_mut(&key) {
                row.kept.clone_from(&row.stored);
                row.now.clone_from(&row.stored);
            }
        }
    }

    /// What is to be written, in the order of the keys.
    pub fn changes(&self) -> impl Iterator<Item = Change<'_, K, V>> {
        let rows = self.changed.iter().filter_map(|key| Some((key, self.rows.get(key)?)));
        rows.filter(|(_, row)| row.stored != row.kept).map(|(key, row)| Change {
            key,
            stored: row.stored.as_ref(),
            now: row.kept.as_ref(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(table: &Table<u8, &'static str>) -> Vec<(u8, Option<&'static str>, Option<&'static str>)> {
        table.changes().map(|change| (*change.key, change.stored.copied(), change.now.copied())).collect()
    }

    #[test]
    fn what_was_not_loaded_is_told_from_what_is_not_there() {
        let mut table = Table::<u8, &str>::default();
        table.load(1, None);
        table.load(2, Some("stored"));
        assert_eq!((table.get(&0), table.get(&1), table.get(&2)), (None, Some(None), Some(Some(&"stored"))));
    }

    #[test]
    fn a_command_that_fails_leaves_no_trace_and_those_before_it_stay() {
        let mut table = Table::default();
        table.load(1, Some("stored"));
        table.put(1, Some("kept"));
        table.put(2, Some("new"));
        table.keep();
        table.put(1, None);
        table.put(3, Some("never"));
        assert_eq!((table.row(&1), table.before(&1)), (None, Some(&"kept")));
        table.discard();
        assert_eq!(table.row(&1), Some(&"kept"));
        assert_eq!(changes(&table), [(1, Some("stored"), Some("kept")), (2, None, Some("new"))]);
    }

    #[test]
    fn what_ends_as_it_began_is_not_written() {
        let mut table = Table::default();
        table.load(1, Some("stored"));
        table.put(1, Some("other"));
        table.keep();
        table.put(1, Some("stored"));
        table.keep();
        table.put(2, Some("for a while"));
        table.keep();
        table.put(2, None);
        table.keep();
        assert_eq!(changes(&table), []);
    }

    #[test]
    fn after_a_reset_everything_is_as_it_is_stored() {
        let mut table = Table::default();
        table.load(1, Some("stored"));
        table.put(1, Some("kept"));
        table.keep();
        table.put(1, Some("pending"));
        table.put(2, Some("new"));
        table.reset();
        assert_eq!((table.get(&1), table.get(&2)), (Some(Some(&"stored")), None));
        assert_eq!(changes(&table), []);
    }
}
