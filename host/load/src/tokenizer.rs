//! Counts tokens where the server does not.

use tiktoken_rs::o200k_base_singleton;

/// Tokens of a text in the `o200k_base` vocabulary. The first call loads its tables, which takes 0.1 s or more.
pub(crate) fn count(text: &str) -> u32 {
    u32::try_from(o200k_base_singleton().encode_ordinary(text).len()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_have_the_tokens_of_the_vocabulary() {
        assert_eq!(count(""), 0);
        assert_eq!(count("hello world"), 2);
        assert_eq!(count("<|endoftext|>"), 7);
    }
}
