//! How much all responses in flight may hold together: each of them is bounded, but many of them are many times that.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// What is accounted at once, in bytes: most responses are shorter and cost nothing.
const BLOCK: usize = 64 << 10;

/// How much all responses in flight may hold, in MiB.
pub(crate) const MOST_MIB: usize = 256;

/// A response as short as this, in bytes, goes on whatever the others hold: it is not the one that fills the memory.
const SMALL: usize = 1 << 20;

/// The memory of all responses in flight. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct ResponseMemory {
    blocks: Arc<AtomicUsize>,
}

/// What one connection holds of it.
#[derive(Debug, Default)]
pub(crate) struct Share {
    memory: ResponseMemory,
    blocks: usize,
}

impl ResponseMemory {
    /// Nothing yet.
    pub(crate) fn share(&self) -> Share {
        Share { memory: self.clone(), blocks: 0 }
    }
}

impl Share {
    /// Grows to so many bytes; false where there is no room for a response of this length any more.
    pub(crate) fn grow_to(&mut self, bytes: usize) -> bool {
        let more = (bytes / BLOCK).saturating_sub(self.blocks);
        if more == 0 {
            return true;
        }
        self.blocks += more;
        let all = self.memory.blocks.fetch_add(more, Relaxed).saturating_add(more);
        bytes <= SMALL || all <= (MOST_MIB << 20) / BLOCK
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
        assert!(long.iter_mut().all(|share| share.grow_to(64 * MIB)));
        let (mut short, mut fifth) = (memory.share(), memory.share());
        assert!(short.grow_to(MIB));
        assert!(!fifth.grow_to(MIB + 1));
        fifth.release();
        drop(long);
        assert!(memory.share().grow_to(64 * MIB));
        drop(short);
        assert_eq!(memory.blocks.load(Relaxed), 0);
    }
}
