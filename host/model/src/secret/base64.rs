//! Secrets in base64, and out of it: what a server sends back may be a part of a larger text that it has encoded.

/// Both alphabets (RFC 4648), which differ in their last two letters.
const ALPHABETS: [&[u8; 64]; 2] = [
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
];

/// Three bytes are four letters, so a text begins at one of three places among them.
const ALIGNMENTS: [usize; 3] = [0, 1, 2];

/// How the bytes are spelled wherever they stand in a text, in each alphabet: the letters that follow from them alone.
pub(super) fn spellings(bytes: &[u8]) -> Vec<Vec<u8>> {
    let of_alphabet = |alphabet| ALIGNMENTS.map(|before| letters(alphabet, before, bytes));
    ALPHABETS.into_iter().flat_map(of_alphabet).collect()
}

/// The letters of bytes that have so many others before them.
fn letters(alphabet: &[u8; 64], before: usize, bytes: &[u8]) -> Vec<u8> {
    let bit = |at: usize| {
        let byte = (at / 8).checked_sub(before).and_then(|at| bytes.get(at)).copied().unwrap_or_default();
        usize::from(byte >> (7 - at % 8) & 1)
    };
    let letter = |at: usize| (0..6).fold(0, |index, offset| index << 1 | bit(6 * at + offset));
    let (first, behind) = ((8 * before).div_ceil(6), 8 * (before + bytes.len()) / 6);
    (first..behind).filter_map(|at| alphabet.get(letter(at)).copied()).collect()
}

/// The bytes that letters of either alphabet stand for, padded or not; none if there is another character among them.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let position =
        |letter: u8| ALPHABETS.iter().find_map(|alphabet| alphabet.iter().position(|other| *other == letter));
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0_usize, 0);
    for letter in text.trim_end_matches('=').bytes() {
        bits = (bits << 6 | position(letter)?) & 0xffff;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    Some(bytes)
}

/// The user and password in the value of an `authorization` header, as `user:password` and the latter alone.
pub(super) fn credentials(header: &str) -> Option<[String; 2]> {
    let (scheme, encoded) = header.trim().split_once(' ')?;
    let text =
        String::from_utf8(decoded(encoded.trim()).filter(|_| scheme.eq_ignore_ascii_case("basic"))?).ok()?;
    let password = text.split_once(':')?.1.to_owned();
    Some([text, password])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelled(text: &str) -> Vec<String> {
        spellings(text.as_bytes()).into_iter().map(|letters| String::from_utf8(letters).unwrap()).collect()
    }

    #[test]
    fn letters_are_those_that_follow_from_the_text_alone() {
        // `foobar`, `?foobar` and `??foobar` are Zm9vYmFy, P2Zvb2Jhcg== and Pz9mb29iYXI=.
        assert_eq!(spelled("foobar")[..3], ["Zm9vYmFy", "Zvb2Jhc", "mb29iYX"]);
        assert_eq!(spelled("~~~???")[0], "fn5+Pz8/");
        assert_eq!(spelled("~~~???")[3], "fn5-Pz8_");
        assert_eq!(spelled("")[0], "");
    }

    #[test]
    fn credentials_are_read_from_the_header() {
        let expected = Some(["Aladdin:open sesame".to_owned(), "open sesame".to_owned()]);
        assert_eq!(credentials("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), expected);
        assert_eq!(credentials("basic  QWxhZGRpbjpvcGVuIHNlc2FtZQ"), expected);
        for other in ["Bearer QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Basic no!", "Basic", "Basic Zm9vYmFy"] {
            assert_eq!(credentials(other), None, "{other}");
        }
    }
}
