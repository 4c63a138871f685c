//! What completions are called by their server: one that comes twice in a row on a connection was not asked for twice.
//!
//! Nothing else of a response is looked at before an endpoint plugin reads it, and nothing is believed of an id but that
//! a server that gives each answer another one does not give the same one to two questions.

use crate::framing::Received;
use bytes::Bytes;
use memchr::memmem;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// How far into a response an id is looked for, in bytes.
const REACH: usize = 512;

/// Whether the servers of a run give their answers different ids, as far as is known. Shared by all slots.
#[derive(Debug, Default)]
pub(crate) struct Ids {
    /// The first one that was seen, as a hash; 0 before.
    first: AtomicU64,
    differ: AtomicBool,
}

/// What the last answer on a connection was called, and what it was asked.
#[derive(Debug)]
pub(crate) struct LastAnswer {
    id: u64,
    body: Bytes,
}

impl Ids {
    /// Takes note of an answer. Whether it is the one before it on its connection once more: the same id, for another
    /// question, from servers whose ids differ.
    pub(crate) fn note(&self, last: &mut Option<LastAnswer>, received: &Received, body: &Bytes) -> bool {
        let Some(id) = id(received) else { return false };
        if !self.differ.load(Relaxed) {
            let first = self.first.load(Relaxed);
            self.differ.store(first != 0 && first != id, Relaxed);
            self.first.store(id, Relaxed);
        }
        let before = last.replace(LastAnswer { id, body: body.clone() });
        before.is_some_and(|before| before.id == id && before.body != body) && self.differ.load(Relaxed)
    }
}

/// The id of a response as a hash, if there is one at its start.
fn id(received: &Received) -> Option<u64> {
    let (start, end) = received.events.first()?.data;
    let data = received.buffer.get(start as usize..end as usize)?;
    let data = data.get(..REACH).unwrap_or(data);
    let after = data.get(memmem::find(data, b"\"id\"")? + 4..)?.trim_ascii_start();
    let value = after.strip_prefix(b":")?.trim_ascii_start().strip_prefix(b"\"")?;
    let value = value.get(..memchr::memchr(b'"', value)?).filter(|value| !value.is_empty())?;
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    Some(hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use aiperf_model::record::EventMark;

    fn received(data: &str) -> Received {
        let mark = EventMark { name: (0, 0), data: (0, data.len() as u32), at: 0 };
        Received { buffer: data.into(), events: vec![mark], ..Received::default() }
    }

    /// Which of these answers, on one connection, are the one before them once more. The questions are letters.
    fn repeats(answers: &[(&str, &'static str)]) -> Vec<bool> {
        let (ids, mut last) = (Ids::default(), None);
        let note = |(data, question): &(&str, &'static str)| {
            ids.note(&mut last, &received(data), &Bytes::from_static(question.as_bytes()))
        };
        answers.iter().map(note).collect()
    }

    #[test]
    fn an_id_twice_in_a_row_repeats_an_answer() {
        let (one, two) = (r#"{"id": "1","x":0}"#, r#"{"object":"x","id":"2"}"#);
        assert_eq!(repeats(&[(one, "a"), (two, "b"), (two, "c"), (one, "d")]), [false, false, true, false]);
        // Who asks the same may be given the same, from a cache.
        assert_eq!(repeats(&[(one, "a"), (two, "b"), (two, "b")]), [false; 3]);
    }

    #[test]
    fn what_all_answers_have_in_common_is_no_id() {
        let constant = r#"{"id":"chatcmpl-123"}"#;
        assert_eq!(repeats(&[(constant, "a"), (constant, "b"), (constant, "c")]), [false; 3]);
        for none in [r#"{"id":""}"#, r#"{"id":7}"#, r#"{"id":"cut"#, "id", ""] {
            assert_eq!(repeats(&[(none, "a"), (r#"{"id":"1"}"#, "b"), (none, "c"), (none, "d")]), [false; 4]);
        }
    }
}
