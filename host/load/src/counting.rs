//! How many tokens a request and its answer have: the server's word, unless the texts rule it out.

use crate::tokenizer;
use aiperf_model::record::{TokenCount, TokenSource};
use aiperf_model::response::{Chunk, Response, Usage};

/// More prompt tokens than chat templates, tools and images add to a text.
const MOST_ADDED_INPUT: u32 = 1 << 20;
/// How many times more tokens a prompt may have by the server's vocabulary than by ours.
const MOST_INPUT_RATIO: u64 = 100;
/// How many tokens one byte of an answer may stand for. It is one at most in any vocabulary; servers leave special
/// tokens and broken characters out of the text.
const MOST_TOKENS_PER_BYTE: u64 = 16;
/// How many bytes one token may stand for. The longest ones, rows of spaces or dashes, have 128 to 256.
const MOST_BYTES_PER_TOKEN: u64 = 1024;
/// The most tokens that an answer without a limit may have beyond its text, where the server hides the reasoning and
/// does not count it apart: the longest output that models offer.
const MOST_HIDDEN: u32 = 1 << 17;
/// The most hidden reasoning that a server may count apart.
const MOST_REASONING: u32 = 1 << 20;

/// The tokens of a prompt: as the server counts them, else those it was `made_of`, else as the tokenizer has `counted`
/// them, which is asked only where nobody else knows.
pub(crate) fn input_tokens(
    usage: Option<Usage>,
    made_of: Option<u32>,
    counted: impl FnOnce() -> Option<u32>,
) -> Option<TokenCount> {
    let reported = usage.and_then(|usage| usage.input_tokens);
    if let Some(count) = reported.filter(|count| (1..=MOST_ADDED_INPUT).contains(count)) {
        return Some(from_server(count));
    }
    let known = made_of.map(from_length).or_else(|| counted().map(from_tokenizer));
    match (reported, known) {
        (None, known) => known,
        (Some(0), Some(known)) if known.count > 0 => Some(known),
        (Some(count), known) => {
            let most = known.map_or(0, |known| MOST_INPUT_RATIO * u64::from(known.count));
            let is_possible = u64::from(count) <= most.max(u64::from(MOST_ADDED_INPUT));
            if is_possible { Some(from_server(count)) } else { known }
        }
    }
}

/// The tokens of an answer, reasoning included. `requested` is the most that were asked for.
pub(crate) fn output_tokens(response: &Response, requested: Option<u32>) -> TokenCount {
    let reported = response.usage.and_then(|usage| usage.output_tokens);
    reported
        .filter(|count| is_possible(*count, response, requested))
        .map_or_else(|| from_tokenizer(counted(response)), from_server)
}

/// Whether so many tokens can have made the text that came.
fn is_possible(count: u32, response: &Response, requested: Option<u32>) -> bool {
    let bytes: usize = parts(response, text).chain(parts(response, reasoning)).map(str::len).sum();
    let bytes = bytes as u64;
    let hidden = response.usage.and_then(|usage| usage.reasoning_tokens).unwrap_or_default();
    let most = (MOST_TOKENS_PER_BYTE * bytes)
        .max(requested.unwrap_or(MOST_HIDDEN).into())
        .max(hidden.min(MOST_REASONING).into());
    let count = u64::from(count);
    count <= most && MOST_BYTES_PER_TOKEN * count >= bytes
}

fn counted(response: &Response) -> u32 {
    let joined = |part| parts(response, part).collect::<String>();
    tokenizer::count(&joined(text)).saturating_add(tokenizer::count(&joined(reasoning)))
}

fn parts(response: &Response, part: fn(&Chunk) -> Option<&str>) -> impl Iterator<Item = &str> {
    response.chunks.iter().filter_map(part)
}

fn text(chunk: &Chunk) -> Option<&str> {
    chunk.text.as_deref()
}

fn reasoning(chunk: &Chunk) -> Option<&str> {
    chunk.reasoning.as_deref()
}

fn from_server(count: u32) -> TokenCount {
    TokenCount { count, source: TokenSource::Server }
}

fn from_length(count: u32) -> TokenCount {
    TokenCount { count, source: TokenSource::Synthetic }
}

fn from_tokenizer(count: u32) -> TokenCount {
    TokenCount { count, source: TokenSource::Tokenizer }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str, usage: Usage) -> Response {
        let chunk = Chunk { event_index: 0, text: Some(text.to_owned()), reasoning: None };
        Response { chunks: vec![chunk], usage: Some(usage), ..Response::default() }
    }

    fn reported(output_tokens: u32) -> Usage {
        Usage { output_tokens: Some(output_tokens), ..Usage::default() }
    }

    #[test]
    fn the_server_s_count_of_an_answer_counts_unless_its_text_rules_it_out() {
        let long = "word ".repeat(1000);
        for (text, usage, requested, expected) in [
            ("hello world", reported(3), None, from_server(3)),
            ("hello world", reported(0), None, from_tokenizer(2)),
            ("hello world", reported(u32::MAX), None, from_tokenizer(2)),
            // Hidden reasoning, within what was asked for, what models offer, or what the server counts apart.
            ("42", reported(4000), Some(4096), from_server(4000)),
            ("42", reported(5000), Some(4096), from_tokenizer(1)),
            ("42", reported(100_000), None, from_server(100_000)),
            ("42", reported(200_000), None, from_tokenizer(1)),
            (
                "42",
                Usage { reasoning_tokens: Some(200_000), ..reported(200_000) },
                Some(16),
                from_server(200_000),
            ),
            (
                "42",
                Usage { reasoning_tokens: Some(u32::MAX), ..reported(u32::MAX) },
                Some(16),
                from_tokenizer(1),
            ),
            // More than was asked for, by a server that does not know the limit.
            (&long, reported(1100), Some(2), from_server(1100)),
            (&long, reported(1), Some(2000), from_tokenizer(1001)),
        ] {
            let response = said(text, usage);
            assert_eq!(output_tokens(&response, requested), expected, "{usage:?} of {requested:?}");
        }
    }

    #[test]
    fn the_server_s_count_of_a_prompt_counts_unless_it_cannot_be() {
        for (reported, made_of, counted, expected) in [
            (None, None, Some(10), Some(from_tokenizer(10))),
            (None, Some(10), None, Some(from_length(10))),
            (None, None, None, None),
            (Some(25), Some(10), None, Some(from_server(25))),
            (Some(0), None, Some(10), Some(from_tokenizer(10))),
            (Some(0), Some(10), None, Some(from_length(10))),
            (Some(0), None, None, Some(from_server(0))),
            (Some(4_000_000), Some(3_900_000), None, Some(from_server(4_000_000))),
            (Some(u32::MAX), None, Some(10), Some(from_tokenizer(10))),
            (Some(u32::MAX), None, None, None),
        ] {
            let usage = Usage { input_tokens: reported, ..Usage::default() };
            let tokens = input_tokens(Some(usage), made_of, || counted);
            assert_eq!(tokens, expected, "{reported:?} {made_of:?} {counted:?}");
        }
    }

    #[test]
    fn a_plausible_count_costs_no_tokenizing() {
        let usage = Usage { input_tokens: Some(25), ..Usage::default() };
        assert_eq!(input_tokens(Some(usage), None, || unreachable!()), Some(from_server(25)));
    }
}
