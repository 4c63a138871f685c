//! Numbers in a file, written in pieces one after the other and read back from any place.

use crate::store::Store;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::ops::Range;

/// Bytes of one number.
const WIDTH: usize = 8;

/// A file of numbers without a name.
#[derive(Debug)]
pub(crate) struct Pieces {
    file: File,
    /// How many numbers it holds.
    len: u64,
}

impl Pieces {
    pub(crate) fn new(store: &Store) -> io::Result<Self> {
        Ok(Self { file: store.file()?, len: 0 })
    }

    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Adds numbers at the end; where that fails, the file holds what it held.
    pub(crate) fn append(&mut self, numbers: &[u64]) -> io::Result<Range<u64>> {
        let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        self.file.seek(SeekFrom::Start(self.len * WIDTH as u64))?;
        self.file.write_all(&bytes)?;
        let start = self.len;
        self.len += numbers.len() as u64;
        Ok(start..self.len)
    }

    /// Reads the numbers of a range, which must be there, into the emptied `numbers`.
    pub(crate) fn read(&self, range: Range<u64>, numbers: &mut Vec<u64>) -> io::Result<()> {
        let mut bytes = vec![0; usize::try_from(range.end - range.start).map_err(io::Error::other)? * WIDTH];
        let mut file = &self.file;
        file.seek(SeekFrom::Start(range.start * WIDTH as u64))?;
        file.read_exact(&mut bytes)?;
        numbers.clear();
        numbers.extend(bytes.as_chunks::<WIDTH>().0.iter().copied().map(u64::from_le_bytes));
        Ok(())
    }
}

/// Reads a range of a file from its start to its end, a block at a time.
#[derive(Debug)]
pub(crate) struct Reading<'a> {
    pieces: &'a Pieces,
    store: &'a Store,
    rest: Range<u64>,
    /// How many numbers are read at once.
    block: usize,
    numbers: Vec<u64>,
    position: usize,
}

impl<'a> Reading<'a> {
    pub(crate) fn new(pieces: &'a Pieces, store: &'a Store, range: Range<u64>, block: usize) -> Self {
        Self { pieces, store, rest: range, block: block.max(1), numbers: Vec::new(), position: 0 }
    }
}

/// Ends early where the file cannot be read, which the store then knows.
impl Iterator for Reading<'_> {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        if self.position == self.numbers.len() {
            let end = self.rest.end.min(self.rest.start + self.block as u64);
            if self.rest.start == end {
                return None;
            }
            if let Err(error) = self.pieces.read(self.rest.start..end, &mut self.numbers) {
                self.store.note(error);
                self.rest.start = self.rest.end;
                return None;
            }
            (self.rest.start, self.position) = (end, 0);
        }
        let number = self.numbers.get(self.position).copied();
        self.position += 1;
        number
    }
}
