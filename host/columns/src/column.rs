//! Numbers that come in any order and are wanted in ascending order.

use crate::key::Key;
use crate::merge::merge;
use crate::pieces::{Pieces, Reading};
use crate::sorted::Sorted;
use crate::store::Store;
use std::marker::PhantomData;
use std::ops::Range;

/// Numbers in any order.
#[derive(Debug)]
pub struct Column<T> {
    store: Store,
    /// Those that are not in the file.
    resident: Vec<u64>,
    file: Option<Pieces>,
    /// The sorted pieces of the file.
    ranges: Vec<Range<u64>>,
    /// Whether the disk takes no more, after which all that comes stays in memory.
    full: bool,
    kind: PhantomData<T>,
}

impl<T: Key> Column<T> {
    /// A column without numbers.
    #[must_use]
    pub fn new(store: &Store) -> Self {
        Self {
            store: store.clone(),
            resident: Vec::new(),
            file: None,
            ranges: Vec::new(),
            full: false,
            kind: PhantomData,
        }
    }

    /// Takes a number.
    pub fn push(&mut self, number: T) {
        self.resident.push(number.to_key());
        if self.resident.len() >= self.store.resident() && !self.full {
            self.spill();
        }
    }

    /// How many numbers it has taken.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.file.as_ref().map_or(0, Pieces::len) + self.resident.len() as u64
    }

    /// Whether it has taken none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn spill(&mut self) {
        self.resident.sort_unstable();
        let file = match self.file.take() {
            Some(file) => Ok(file),
            None => Pieces::new(&self.store),
        };
        let Ok(mut file) = file else {
            self.full = true;
            return;
        };
        match file.append(&self.resident) {
            Ok(range) => {
                self.ranges.push(range);
                self.resident.clear();
            }
            Err(_) => self.full = true,
        }
        self.file = Some(file);
    }

    /// The same numbers in ascending order.
    #[must_use]
    pub fn sorted(mut self) -> Sorted<T> {
        self.resident.sort_unstable();
        let Some(file) = self.file else { return Sorted::in_memory(self.resident, self.store) };
        if let Ok(merged) = merge(&file, &self.ranges, &self.resident, &self.store) {
            return Sorted::in_file(merged, self.store);
        }
        // The disk has no room for a second file: memory may have.
        let all = Reading::new(&file, &self.store, 0..file.len(), self.store.resident());
        self.resident.extend(all);
        self.resident.sort_unstable();
        Sorted::in_memory(self.resident, self.store)
    }
}

impl<T: Key> Extend<T> for Column<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, numbers: I) {
        numbers.into_iter().for_each(|number| self.push(number));
    }
}
