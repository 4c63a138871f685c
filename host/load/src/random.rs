//! Random streams: one per purpose and item, the same on every machine.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng as _;
use sha2::{Digest as _, Sha256};

/// The random numbers of one purpose.
#[derive(Clone, Debug)]
pub(crate) struct Stream {
    key: [u8; 32],
}

impl Stream {
    /// The key is the SHA-256 of the seed, little-endian, and the purpose.
    pub(crate) fn new(seed: u64, purpose: &str) -> Self {
        let digest = Sha256::new().chain_update(seed.to_le_bytes()).chain_update(purpose).finalize();
        Self { key: digest.into() }
    }

    /// The numbers for one item, such as a request, whatever was drawn for the others.
    pub(crate) fn of_item(&self, ordinal: u64) -> ChaCha8Rng {
        let mut generator = ChaCha8Rng::from_seed(self.key);
        generator.set_stream(ordinal);
        generator
    }
}
