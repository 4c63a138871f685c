//! Sorted pieces become one sorted file.

use crate::pieces::{Pieces, Reading};
use crate::store::Store;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::ops::Range;

/// How many numbers of all pieces together are in memory while they are merged: 8 MiB.
const MERGE_ROOM: usize = 1 << 20;

/// The most and the fewest numbers that are read of a piece at once.
const BLOCK: (usize, usize) = (4096, 64);

/// Merges the sorted ranges of a file and sorted numbers into a new file.
pub(crate) fn merge(
    pieces: &Pieces,
    ranges: &[Range<u64>],
    rest: &[u64],
    store: &Store,
) -> io::Result<Pieces> {
    let (most, fewest) = BLOCK;
    let block = (MERGE_ROOM / ranges.len().max(1)).clamp(fewest, most);
    let mut sources: Vec<Box<dyn Iterator<Item = u64> + '_>> = vec![Box::new(rest.iter().copied())];
    for range in ranges {
        sources.push(Box::new(Reading::new(pieces, store, range.clone(), block)));
    }
    let mut merged = Pieces::new(store)?;
    let mut written = Vec::with_capacity(store.resident());
    let mut heads: BinaryHeap<Reverse<(u64, usize)>> = BinaryHeap::new();
    for (index, source) in sources.iter_mut().enumerate() {
        heads.extend(source.next().map(|number| Reverse((number, index))));
    }
    while let Some(mut head) = heads.peek_mut() {
        let Reverse((number, index)) = *head;
        written.push(number);
        match sources.get_mut(index).and_then(Iterator::next) {
            Some(next) => *head = Reverse((next, index)),
            None => drop(std::collections::binary_heap::PeekMut::pop(head)),
        }
        if written.len() == store.resident() {
            merged.append(&written)?;
            written.clear();
        }
    }
    merged.append(&written)?;
    Ok(merged)
}
