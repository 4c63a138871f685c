//! The text that comes out: one short word per token, the same in every answer.

const WORDS: [&str; 32] = [
    " the", " sun", " rose", " over", " a", " calm", " sea", " and", " two", " old", " ships", " set",
    " out", " for", " the", " far", " coast", " with", " salt", " and", " rope", " while", " the", " wind",
    " sang", " low", " songs", " of", " rain", " and", " home", " again",
];

/// The text of the token at `index`, counted from 0. All but the first start with a space.
pub(crate) fn word(index: usize) -> &'static str {
    let word = WORDS.get(index % WORDS.len()).copied().unwrap_or_default();
    if index == 0 { word.trim_start() } else { word }
}

/// An answer of so many tokens.
pub(crate) fn text(tokens: usize) -> String {
    (0..tokens).map(word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_one_word_per_token() {
        assert_eq!(text(0), "");
        assert_eq!(text(3), "the sun rose");
        assert_eq!(text(100).split_whitespace().count(), 100);
    }
}
