//! Prints the candidates for `src/workload/words.txt`: words that are one token in the vocabularies of several
//! model families, most frequent first.
//!
//! Openers come first: words that are one token at the beginning of a text too. The committed list was read by a
//! person, who took out what one would not want to read in a prompt; so this prints a few more words than it needs.

use tiktoken_rs::{CoreBPE, cl100k_base_singleton, o200k_base_singleton, r50k_base_singleton};

/// Ranks of the oldest vocabulary, which follow the frequency of words in English text, are read in order.
const R50K_ORDINARY_TOKENS: u32 = 50_256;

fn main() {
    let vocabularies = [r50k_base_singleton(), cl100k_base_singleton(), o200k_base_singleton()];
    let words: Vec<String> = (0..R50K_ORDINARY_TOKENS)
        .filter_map(|rank| r50k_base_singleton().decode_bytes(&[rank]).ok())
        .filter_map(|bytes| String::from_utf8(bytes).ok())
        .filter_map(|token| token.strip_prefix(' ').map(str::to_owned))
        .filter(|word| (3..=12).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_lowercase()))
        .filter(|word| is_one_token(&vocabularies, &format!(" {word}")))
        // Fragments of words seldom have a capitalised form of their own.
        .filter(|word| is_one_token(&vocabularies, &format!(" {}", capitalised(word))))
        .collect();
    let (openers, others): (Vec<_>, Vec<_>) =
        words.into_iter().partition(|word| is_one_token(&vocabularies, word));
    eprintln!("{} openers, {} others", openers.len(), others.len());
    for word in openers.iter().chain(&others) {
        println!("{word}");
    }
}

fn capitalised(word: &str) -> String {
    let (first, rest) = word.split_at(1);
    format!("{}{rest}", first.to_ascii_uppercase())
}

fn is_one_token(vocabularies: &[&CoreBPE], text: &str) -> bool {
    vocabularies.iter().all(|vocabulary| vocabulary.encode_ordinary(text).len() == 1)
}
