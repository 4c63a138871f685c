//! Rows of numbers, read back in the order in which they came.

use crate::pieces::{Pieces, Reading};
use crate::store::Store;

/// How many numbers are read at once.
const BLOCK: usize = 8192;

/// Rows of so many numbers each.
#[derive(Debug)]
pub struct Table<const WIDTH: usize> {
    store: Store,
    /// Rows in the file, before those in memory.
    file: Option<Pieces>,
    resident: Vec<u64>,
    /// Whether the disk takes no more, after which all that comes stays in memory.
    full: bool,
}

impl<const WIDTH: usize> Table<WIDTH> {
    /// A table without rows.
    #[must_use]
    pub fn new(store: &Store) -> Self {
        Self { store: store.clone(), file: None, resident: Vec::new(), full: false }
    }

    /// Takes a row.
    pub fn push(&mut self, row: [u64; WIDTH]) {
        self.resident.extend(row);
        if self.resident.len() >= self.store.resident() && !self.full {
            self.full = self.spill().is_err();
        }
    }

    fn spill(&mut self) -> std::io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(Pieces::new(&self.store)?),
        };
        file.append(&self.resident)?;
        self.resident.clear();
        Ok(())
    }

    /// All rows.
    pub fn rows(&self) -> impl Iterator<Item = [u64; WIDTH]> {
        let file = self.file.as_ref();
        let file = file.map(|file| Reading::new(file, &self.store, 0..file.len(), BLOCK));
        let mut numbers = file.into_iter().flatten().chain(self.resident.iter().copied());
        std::iter::from_fn(move || {
            let mut row = [0; WIDTH];
            for number in &mut row {
                *number = numbers.next()?;
            }
            Some(row)
        })
    }
}
