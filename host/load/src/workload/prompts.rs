//! Synthetic prompts of an exact number of tokens, without a tokenizer.
//!
//! Every word of `words.txt` is one token, with a space before it, in the vocabularies of several model families;
//! the first [`OPENERS`] of them are one token at the beginning of a text too. So a prompt of n words has n
//! tokens there, and close to n elsewhere.
//!
//! Prompts are as different as their length allows. Seeds that differ modulo [`CLASSES`] share no first word, so
//! the runs of a sweep share no prefix that a server could have cached. Within a seed the first three words
//! enumerate the prompts and the rest is random.

use crate::random::Stream;
use aiperf_model::record::Phase;
use rand_chacha::rand_core::Rng as _;

static WORDS: &str = include_str!("words.txt");

/// How many words there are; a power of two, so that random bits choose among them evenly.
const WORD_COUNT: usize = 4096;
/// How many of them can begin a prompt.
const OPENERS: usize = 2048;
/// How many seeds in a row have first words of their own.
const CLASSES: usize = 256;
/// How many first words each seed has.
const OPENERS_PER_CLASS: u64 = (OPENERS / CLASSES) as u64;
/// How many prompts of three words a seed has.
const ORDINALS: u64 = OPENERS_PER_CLASS * (WORD_COUNT * WORD_COUNT) as u64;
/// Odd, so that multiplying by it permutes the words.
const SCATTER: u64 = 2_477;

/// The place of a request in the enumeration of prompts: profiling counts up from the bottom, warm-up down from
/// the top, so neither depends on how many the other has.
pub(super) fn ordinal(phase: Phase, position: u32) -> u64 {
    match phase {
        Phase::Ramp | Phase::Profiling => u64::from(position),
        Phase::Warmup => (ORDINALS - 1).saturating_sub(u64::from(position)),
    }
}

/// Writes the prompts of one seed.
#[derive(Clone, Debug)]
pub(super) struct Prompts {
    words: Vec<&'static str>,
    class: u64,
    offset: u64,
    random: Stream,
    blocks: Stream,
}

impl Prompts {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            words: WORDS.lines().collect(),
            class: seed % CLASSES as u64,
            offset: u64::from(Stream::new(seed, "prompt order").of_item(0).next_u32()),
            random: Stream::new(seed, "prompt words"),
            blocks: Stream::new(seed, "trace blocks"),
        }
    }

    /// The prompt at a place of the enumeration, with so many words; at least one.
    pub(super) fn text(&self, ordinal: u64, length: u32) -> String {
        let length = length.max(1) as usize;
        // The words have 6 letters on average and a space.
        let mut text = String::with_capacity(length * 8);
        text.push_str(self.opener(ordinal));
        let [second, third] = self.enumerated(ordinal);
        let mut random = self.random.of_item(ordinal);
        let random = std::iter::repeat_with(|| random.next_u32()).flat_map(|bits| [bits, bits >> 16]);
        for word in [second, third].into_iter().chain(random.map(u64::from)).take(length - 1) {
            text.push(' ');
            text.push_str(self.word(word));
        }
        text
    }

    /// The first words, so many, of a block that several prompts may have in common.
    pub(super) fn block(&self, block: u64, length: u32) -> String {
        let mut text = self.opener(block).to_owned();
        let mut random = self.blocks.of_item(block);
        for _ in 1..length {
            text.push(' ');
            text.push_str(self.word(random.next_u32().into()));
        }
        text
    }

    fn opener(&self, ordinal: u64) -> &'static str {
        self.word((ordinal % OPENERS_PER_CLASS) * CLASSES as u64 + self.class)
    }

    /// The second word runs through all words for each opener, the third through all for each pair of the first two.
    fn enumerated(&self, ordinal: u64) -> [u64; 2] {
        let second = ordinal / OPENERS_PER_CLASS;
        let third = second / WORD_COUNT as u64;
        let scattered_second = second.wrapping_mul(SCATTER).wrapping_add(self.offset);
        // What the first two words are moves the third, so that it is not the same in all prompts.
        let moved = (ordinal % (OPENERS_PER_CLASS * WORD_COUNT as u64)).wrapping_mul(SCATTER);
        [scattered_second, third.wrapping_mul(SCATTER).wrapping_add(moved)]
    }

    fn word(&self, index: u64) -> &'static str {
        self.words.get((index % WORD_COUNT as u64) as usize).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest as _, Sha256};
    use std::collections::HashSet;
    use tiktoken_rs::{cl100k_base_singleton, o200k_base_singleton, r50k_base_singleton};

    fn first_words(seed: u64) -> HashSet<String> {
        let prompts = Prompts::new(seed);
        let phases = [Phase::Profiling, Phase::Warmup];
        phases
            .into_iter()
            .flat_map(|phase| (0..500).map(move |position| ordinal(phase, position)))
            .map(|ordinal| prompts.text(ordinal, 5).split(' ').next().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn every_word_is_one_token_in_every_vocabulary() {
        let words: Vec<_> = WORDS.lines().collect();
        assert_eq!(words.len(), WORD_COUNT);
        assert_eq!(words.iter().collect::<HashSet<_>>().len(), WORD_COUNT);
        for vocabulary in [r50k_base_singleton(), cl100k_base_singleton(), o200k_base_singleton()] {
            for (index, word) in words.iter().enumerate() {
                assert!(word.bytes().all(|byte| byte.is_ascii_lowercase()), "{word}");
                assert_eq!(vocabulary.encode_ordinary(&format!(" {word}")).len(), 1, "{word}");
                assert!(index >= OPENERS || vocabulary.encode_ordinary(word).len() == 1, "{word}");
            }
        }
    }

    #[test]
    fn a_prompt_of_n_words_has_n_tokens() {
        let prompts = Prompts::new(7);
        for vocabulary in [r50k_base_singleton(), cl100k_base_singleton(), o200k_base_singleton()] {
            for length in [1, 2, 3, 4, 17, 550] {
                let text = prompts.text(u64::from(length), length);
                assert_eq!(vocabulary.encode_ordinary(&text).len(), length as usize, "{text}");
            }
        }
    }

    #[test]
    fn prompts_of_neighbouring_seeds_differ_from_the_first_word_on() {
        let all: Vec<_> = (0..CLASSES as u64).map(|index| first_words(42 + index)).collect();
        let different: HashSet<_> = all.iter().flatten().collect();
        assert_eq!(different.len(), all.iter().map(HashSet::len).sum::<usize>());
        assert!(all.iter().all(|words| words.len() as u64 == OPENERS_PER_CLASS));
    }

    #[test]
    fn prompts_of_a_run_and_its_warm_up_all_differ() {
        let prompts = Prompts::new(42);
        for (length, count) in [(1, 4), (2, 16_000), (3, 70_000), (6, 70_000)] {
            let texts: HashSet<_> = [Phase::Profiling, Phase::Warmup]
                .into_iter()
                .flat_map(|phase| (0..count).map(move |position| ordinal(phase, position)))
                .map(|ordinal| prompts.text(ordinal, length))
                .collect();
            assert_eq!(texts.len(), 2 * count as usize, "{length} words");
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_bytes_everywhere() {
        let mut digest = Sha256::new();
        for seed in [0, 42, u64::MAX] {
            let prompts = Prompts::new(seed);
            for position in 0..100 {
                digest.update(prompts.text(ordinal(Phase::Profiling, position), 550));
                digest.update(prompts.text(ordinal(Phase::Warmup, position), position));
            }
        }
        assert_eq!(
            format!("{:x}", digest.finalize()),
            "c689a4c1c824eb0e2c8477d772dbbaa16f43bbfdede9c50e28af24e49513b8ca"
        );
    }
}
