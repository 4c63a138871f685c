//! How much all responses in flight may hold together: each of them is bounded, but many of them are many times that.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// What is accounted at once, in bytes: most responses are shorter and cost nothing.
const BLOCK: usize = 64 << 10;

/// How many of the longest responses may be in flight at the same time.
const MOST_OF_THE_LONGEST: usize = 4;

/// The longest response where the user says nothing, in MiB, which is more than any answer.
pub(crate) const LONGEST_MIB: u32 = 64;

/// A response as short as this, in bytes, goes on whatever the others hold: it is not the one that fills the memory.
const SMALL: usize = 1 << 20;

/// The memory of all responses in flight. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct ResponseMemory {
    blocks: Arc<AtomicUsize>,
    /// How long one response may be, in MiB.
    longest_mib: usize,
}

/// Why a response has no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoRoom {
    /// It is longer than a response may be: one that does not end must not take all memory.
    Endless { longest_mib: usize },
    /// All responses in flight are longer than they may be together, and this one is among the long ones.
    Crowded { most_mib: usize },
}

/// What one connection holds of it.
#[derive(Debug, Default)]
pub(crate) struct Share {
    memory: ResponseMemory,
    blocks: usize,
}

impl Default for ResponseMemory {
    /// For responses of the usual length.
    fn default() -> Self {
        Self::new(LONGEST_MIB)
    }
}

impl ResponseMemory {
    /// For responses of so many MiB at most, of which there is room for [`MOST_OF_THE_LONGEST`].
    pub(crate) fn new(longest_mib: u32) -> Self {
        Self { blocks: Arc::default(), longest_mib: longest_mib as usize }
    }

    /// Nothing yet.
    pub(crate) fn share(&self) -> Share {
        Share { memory: self.clone(), blocks: 0 }
    }
}

impl Share {
    /// Grows to so many bytes, unless there is no room for a response of this length.
    pub(crate) fn grow_to(&mut self, bytes: usize) -> Result<(), NoRoom> {
        let longest_mib = self.memory.longest_mib;
        if bytes > longest_mib << 20 {
            return Err(NoRoom::Endless { longest_mib });
        }
        let more = (bytes / BLOCK).saturating_sub(self.blocks);
        if more == 0 {
            return Ok(());
        }
        self.blocks += more;
        let all = self.memory.blocks.fetch_add(more, Relaxed).saturating_add(more);
        let most_mib = longest_mib * MOST_OF_THE_LONGEST;
        if bytes <= SMALL || all <= (most_mib << 20) / BLOCK {
            Ok(())
        } else {
            Err(NoRoom::Crowded { most_mib })
        }
    }

    /// Gives back what it holds.
    pub(crate) fn release(&mut self) {
        if self.blocks > 0 {
            self.memory.blocks.fetch_sub(self.blocks, Relaxed);
            self.blocks = 0;
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.release();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_long_ones_give_way_when_all_are_too_much() {
        const MIB: usize = 1 << 20;
        let memory = ResponseMemory::default();
        let mut long: Vec<_> = (0..4).map(|_| memory.share()).collect();
        assert!(long.iter_mut().all(|share| share.grow_to(64 * MIB).is_ok()));
        let (mut short, mut fifth) = (memory.share(), memory.share());
        assert_eq!(short.grow_to(MIB), Ok(()));
        assert_eq!(fifth.grow_to(MIB + 1), Err(NoRoom::Crowded { most_mib: 256 }));
        fifth.release();
        drop(long);
        assert_eq!(memory.share().grow_to(64 * MIB), Ok(()));
        drop(short);
        assert_eq!(memory.blocks.load(Relaxed), 0);
    }

    #[test]
    fn both_limits_follow_from_the_length_of_one() {
        const MIB: usize = 1 << 20;
        let memory = ResponseMemory::new(2);
        let mut all: Vec<_> = (0..5).map(|_| memory.share()).collect();
        let grown: Vec<_> = all.iter_mut().map(|share| share.grow_to(2 * MIB)).collect();
        assert_eq!(grown.iter().filter(|grown| grown.is_ok()).count(), 4);
        assert_eq!(grown[4], Err(NoRoom::Crowded { most_mib: 8 }));
        assert_eq!(memory.share().grow_to(2 * MIB + 1), Err(NoRoom::Endless { longest_mib: 2 }));
    }
}
