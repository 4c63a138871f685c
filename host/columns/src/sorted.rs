//! Numbers in ascending order, to be read from the first to the last and at any position.

use crate::key::Key;
use crate::pieces::{Pieces, Reading};
use crate::store::Store;
use std::marker::PhantomData;

/// How many numbers are read at once.
const BLOCK: usize = 8192;

/// Numbers in ascending order.
#[derive(Debug)]
pub struct Sorted<T> {
    store: Store,
    keys: Keys,
    kind: PhantomData<T>,
}

#[derive(Debug)]
enum Keys {
    Memory(Vec<u64>),
    File(Pieces),
}

impl<T: Key> Sorted<T> {
    pub(crate) fn in_memory(keys: Vec<u64>, store: Store) -> Self {
        Self { store, keys: Keys::Memory(keys), kind: PhantomData }
    }

    pub(crate) fn in_file(pieces: Pieces, store: Store) -> Self {
        Self { store, keys: Keys::File(pieces), kind: PhantomData }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> u64 {
        match &self.keys {
            Keys::Memory(keys) => keys.len() as u64,
            Keys::File(pieces) => pieces.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number at a position, from 0, or none beyond the last one.
    #[must_use]
    pub fn get(&self, position: u64) -> Option<T> {
        let key = match &self.keys {
            Keys::Memory(keys) => keys.get(usize::try_from(position).ok()?).copied(),
            Keys::File(pieces) if position < pieces.len() => {
                Reading::new(pieces, &self.store, position..position + 1, 1).next()
            }
            Keys::File(_) => None,
        };
        key.map(T::from_key)
    }

    /// The smallest one.
    #[must_use]
    pub fn first(&self) -> Option<T> {
        self.get(0)
    }

    /// The greatest one.
    #[must_use]
    pub fn last(&self) -> Option<T> {
        self.get(self.len().checked_sub(1)?)
    }

    /// All of them in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = T> {
        let (memory, file) = match &self.keys {
            Keys::Memory(keys) => (keys.as_slice(), None),
            Keys::File(pieces) => {
                (&[] as &[u64], Some(Reading::new(pieces, &self.store, 0..pieces.len(), BLOCK)))
            }
        };
        memory.iter().copied().chain(file.into_iter().flatten()).map(T::from_key)
    }
}

/// Numbers that are few: in any order, and in memory.
impl<T: Key> From<Vec<T>> for Sorted<T> {
    fn from(numbers: Vec<T>) -> Self {
        let mut keys: Vec<u64> = numbers.into_iter().map(T::to_key).collect();
        keys.sort_unstable();
        Self::in_memory(keys, Store::default())
    }
}
