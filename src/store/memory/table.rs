//! Rows in the order of their creation. Looks everything up by going through all of them, on purpose.

use std::collections::BTreeMap;

use crate::domain::customer::Customer;
use crate::domain::ids::{CustomerId, MessageId, SessionId, TurnId};
use crate::domain::message::Message;
use crate::domain::session::Session;
use crate::domain::turn::Turn;

/// Something that is known by an id.
pub(super) trait Row {
    type Id: PartialEq + Copy;
    fn id(&self) -> Self::Id;
}

macro_rules! rows {
    ($($row:ident: $id:ident),*) => {$(
        impl Row for $row {
            type Id = $id;
            fn id(&self) -> $id {
                self.id
            }
        }
    )*};
}

rows!(Customer: CustomerId, Session: SessionId, Message: MessageId, Turn: TurnId);

/// Rows by the sequence number that they were created with. A number is never given twice.
#[derive(Debug)]
pub(super) struct Table<T> {
    rows: BTreeMap<u64, T>,
    next: u64,
    /// What the command under way has touched, as it was before; none where there was nothing.
    touched: BTreeMap<u64, Option<T>>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { rows: BTreeMap::new(), next: 0, touched: BTreeMap::new() }
    }
}

impl<T: Row + Clone> Table<T> {
    pub fn get(&self, id: T::Id) -> Option<&T> {
        self.rows.values().find(|row| row.id() == id)
    }

    pub fn get_mut(&mut self, id: T::Id) -> Option<&mut T> {
        let (number, row) = self.rows.iter_mut().find(|(_, row)| row.id() == id)?;
        self.touched.entry(*number).or_insert_with(|| Some(row.clone()));
        Some(row)
    }

    /// Replaces the row with that id, or else creates it after all others.
    pub fn put(&mut self, row: T) {
        if let Some(old) = self.get_mut(row.id()) {
            *old = row;
        } else {
            self.touched.entry(self.next).or_insert(None);
            self.rows.insert(self.next, row);
            self.next += 1;
        }
    }

    /// Puts the row in with the number that it had elsewhere. `false`: another has that.
    pub fn place(&mut self, number: u64, row: T) -> bool {
        self.next = self.next.max(number.saturating_add(1));
        self.rows.insert(number, row).is_none()
    }

    /// Puts the row in where its place does not count: after all that have one.
    pub fn place_last(&mut self, row: T) {
        let mut number = u64::MAX;
        while self.rows.contains_key(&number) {
            number -= 1;
        }
        self.rows.insert(number, row);
    }

    pub fn retain(&mut self, keep: impl Fn(&T) -> bool) {
        for (number, row) in self.rows.iter().filter(|(_, row)| !keep(row)) {
            self.touched.entry(*number).or_insert_with(|| Some(row.clone()));
        }
        self.rows.retain(|_, row| keep(row));
    }

    /// What was touched since this was called last: as it was then, and as it is.
    pub fn take_touched(&mut self) -> Vec<(Option<T>, Option<T>)> {
        let touched = std::mem::take(&mut self.touched);
        touched.into_iter().map(|(number, old)| (old, self.rows.get(&number).cloned())).collect()
    }

    /// All rows, in the order of their creation.
    pub fn rows(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.rows.values()
    }

    /// Changes those rows. How many.
    pub fn change(&mut self, which: impl Fn(&T) -> bool, mut change: impl FnMut(&mut T)) -> usize {
        let mut changed = 0;
        for (number, row) in self.rows.iter_mut().filter(|(_, row)| which(row)) {
            self.touched.entry(*number).or_insert_with(|| Some(row.clone()));
            change(row);
            changed += 1;
        }
        changed
    }

    /// All rows with their sequence numbers.
    pub fn numbered(&self) -> impl Iterator<Item = (u64, &T)> {
        self.rows.iter().map(|(number, row)| (*number, row))
    }
}
