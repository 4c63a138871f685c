//! The opening of a prompt within a body that an endpoint plugin has built.

use bytes::{Bytes, BytesMut};
use memchr::memmem;

/// Where an opening is, if that is the only place where its bytes are. A prompt of one word may also be the name of a
/// field, and a plugin may write prompts in a way that nobody here knows.
pub(super) fn found(body: &[u8], opening: &str) -> Option<u32> {
    let first = memmem::find(body, opening.as_bytes())?;
    let again = body.get(first + 1..).is_some_and(|rest| memmem::find(rest, opening.as_bytes()).is_some());
    u32::try_from(first).ok().filter(|_| !again)
}

/// The same body with another opening of the same length.
pub(super) fn replaced(body: &Bytes, at: u32, opening: &str) -> Bytes {
    let mut fresh = BytesMut::from(&body[..]);
    if let Some(place) = fresh.get_mut(at as usize..).and_then(|rest| rest.get_mut(..opening.len())) {
        place.copy_from_slice(opening.as_bytes());
    }
    fresh.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_opening_is_found_where_nothing_else_looks_like_it() {
        let body = br#"{"role":"user","content":"user wants"}"#;
        assert_eq!(found(body, "user wants"), Some(26));
        assert_eq!(found(body, "user"), None);
        assert_eq!(found(body, "none"), None);
        assert_eq!(found(b"aaa", "aa"), None);
        assert_eq!(found(b"aa", "aa"), Some(0));
    }

    #[test]
    fn an_opening_takes_the_place_of_another() {
        let body = Bytes::from_static(b"say: many words follow");
        assert_eq!(replaced(&body, 5, "four other"), "say: four other follow");
        assert_eq!(replaced(&body, 20, "four"), body);
    }
}
