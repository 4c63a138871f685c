//! Synthetic prompts of an exact number of tokens, without a tokenizer.
//!
//! Every word of `words.txt` is one token, with a space before it, in the vocabularies of several model families;
//! the first [`OPENERS`] of them are one token at the beginning of a text too. So a prompt of n words has n
//! tokens there, and close to n elsewhere.
//!
//! A prompt is an opening of up to [`OPENING`] words and a rest. The openings of one seed and salt enumerate the prompts, so
//! that no two are the same as long as there are enough openings; the words of the rest are random. Another seed or salt
//! has other texts. All openings of so many words have the same number of bytes, since the words at each place are
//! equally long: so a body that is sent once more gets another opening where it lies.

use crate::random::Stream;
use aiperf_model::record::Phase;
use rand_chacha::rand_core::Rng as _;

static WORDS: &str = include_str!("words.txt");

/// How many words there are; a power of two, so that random bits choose among them evenly.
const WORD_COUNT: usize = 4096;
/// How many of them can begin a prompt.
const OPENERS: usize = 2048;
/// How many words an opening has, unless the prompt is shorter.
pub(super) const OPENING: u32 = 4;
/// How many letters the first word of an opening has, and the others.
const LETTERS: [usize; 2] = [4, 5];
/// How many words there are for each place of an opening; a power of two.
const CHOICES: u64 = 512;
/// How many openings there are.
const ORDINALS: u64 = CHOICES.pow(OPENING);
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

/// Writes the prompts of one seed and salt.
#[derive(Clone, Debug)]
pub(super) struct Prompts {
    words: Vec<&'static str>,
    /// The words at the first place of an opening, and at the others.
    openings: [Vec<&'static str>; 2],
    offsets: [u32; OPENING as usize],
    random: Stream,
    blocks: Stream,
}

impl Prompts {
    pub(super) fn new(seed: u64, salt: &str) -> Self {
        let stream = |purpose| Stream::new(seed, &format!("{purpose}, {salt}"));
        let words: Vec<_> = WORDS.lines().collect();
        let long = |letters: usize, among: usize| {
            let candidates = words.iter().take(among).filter(|word| word.len() == letters);
            candidates.copied().take(CHOICES as usize).collect()
        };
        let [first, other] = LETTERS;
        let mut offsets = stream("prompt order").of_item(0);
        Self {
            openings: [long(first, OPENERS), long(other, WORD_COUNT)],
            words,
            offsets: std::array::from_fn(|_| offsets.next_u32()),
            random: stream("prompt words"),
            blocks: stream("trace blocks"),
        }
    }

    /// The prompt of so many words, at least one, with the opening at one place of the enumeration and the rest of
    /// another, which is the same place unless the rest was sent before.
    pub(super) fn text(&self, opening: u64, rest: u64, length: u32) -> String {
        let length = length.max(1);
        // The words have 6 letters on average and a space.
        let mut text = String::with_capacity(length as usize * 8);
        text.push_str(&self.opening(opening, length));
        let mut random = self.random.of_item(rest);
        let random = std::iter::repeat_with(|| random.next_u32()).flat_map(|bits| [bits, bits >> 16]);
        for word in random.take(length.saturating_sub(OPENING) as usize) {
            text.push(' ');
            text.push_str(self.word(word.into()));
        }
        text
    }

    /// The first words of the prompt at a place of the enumeration that has so many words.
    ///
    /// The first word runs through all choices, then the second for each first one, and so on. What the words before are
    /// moves each further one, so that it is not the same in all prompts.
    pub(super) fn opening(&self, ordinal: u64, length: u32) -> String {
        let mut text = String::with_capacity(32);
        let (mut rest, mut before) = (ordinal, 0);
        for (place, offset) in (0..length.clamp(1, OPENING)).zip(self.offsets) {
            let moved = rest.wrapping_add(before).wrapping_mul(SCATTER).wrapping_add(offset.into());
            let [first, others] = &self.openings;
            let choices = if place == 0 { first } else { others };
            if place > 0 {
                text.push(' ');
            }
            text.push_str(choices.get((moved % CHOICES) as usize).copied().unwrap_or_default());
            before = before * CHOICES + rest % CHOICES;
            rest /= CHOICES;
        }
        text
    }

    /// The first words, so many, of a block that several prompts may have in common.
    pub(super) fn block(&self, block: u64, length: u32) -> String {
        let mut random = self.blocks.of_item(block);
        let mut text = self.word(u64::from(random.next_u32()) % OPENERS as u64).to_owned();
        for _ in 1..length {
            text.push(' ');
            text.push_str(self.word(random.next_u32().into()));
        }
        text
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

    fn prompts(seed: u64, salt: &str) -> Prompts {
        Prompts::new(seed, salt)
    }

    fn text(prompts: &Prompts, ordinal: u64, length: u32) -> String {
        prompts.text(ordinal, ordinal, length)
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
        let prompts = prompts(7, "salt");
        for vocabulary in [r50k_base_singleton(), cl100k_base_singleton(), o200k_base_singleton()] {
            for length in [1, 2, 3, 4, 17, 550] {
                let text = text(&prompts, u64::from(length), length);
                assert_eq!(vocabulary.encode_ordinary(&text).len(), length as usize, "{text}");
            }
        }
    }

    #[test]
    fn each_place_of_an_opening_has_its_words() {
        for (choices, letters) in prompts(0, "").openings.iter().zip(LETTERS) {
            assert_eq!(choices.len() as u64, CHOICES);
            assert!(choices.iter().all(|word| word.len() == letters));
        }
    }

    #[test]
    fn prompts_of_a_run_and_its_warm_up_all_differ() {
        let prompts = prompts(42, "salt");
        for (length, count) in [(1, 200), (2, 100_000), (3, 100_000), (6, 100_000)] {
            let texts: HashSet<_> = [Phase::Profiling, Phase::Warmup]
                .into_iter()
                .flat_map(|phase| (0..count).map(move |position| ordinal(phase, position)))
                .map(|ordinal| text(&prompts, ordinal, length))
                .collect();
            assert_eq!(texts.len(), 2 * count as usize, "{length} words");
        }
    }

    #[test]
    fn prompts_of_another_seed_or_salt_begin_with_other_words() {
        let openings = |prompts: &Prompts| -> HashSet<String> {
            (0..20_000).map(|ordinal| prompts.opening(ordinal, 550)).collect()
        };
        let all: Vec<_> = (0..20)
            .flat_map(|index| [prompts(42 + index, "salt"), prompts(42, &format!("salt {index}"))])
            .map(|prompts| openings(&prompts))
            .collect();
        let different: HashSet<_> = all.iter().flatten().collect();
        assert_eq!(different.len(), 20_000 * all.len());
    }

    #[test]
    fn an_opening_is_as_long_as_all_others_and_may_stand_before_any_rest() {
        let prompts = prompts(42, "salt");
        for length in [1, 2, 3, 4, 5, 550] {
            let (first, fresh) = (text(&prompts, 3, length), prompts.text(70_000, 3, length));
            let opening = prompts.opening(70_000, length);
            assert_eq!(opening.len(), prompts.opening(3, length).len());
            assert_eq!(fresh, format!("{opening}{}", &first[opening.len()..]));
            assert_ne!(fresh, first);
        }
    }

    #[test]
    fn the_same_seed_and_salt_give_the_same_bytes_everywhere() {
        let mut digest = Sha256::new();
        for seed in [0, 42, u64::MAX] {
            let prompts = prompts(seed, "salt");
            for position in 0..100 {
                digest.update(text(&prompts, ordinal(Phase::Profiling, position), 550));
                digest.update(text(&prompts, ordinal(Phase::Warmup, position), position));
            }
        }
        assert_eq!(
            format!("{:x}", digest.finalize()),
            "0514671c438a1a0bbebf8acc374fec6820d0f13bc135289284fff5af0df5e3ef"
        );
    }
}
