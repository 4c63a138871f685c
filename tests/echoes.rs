//! A server that sends back what it was sent, in every place of an answer and spelled in every way: no file and no
//! output has eight consecutive characters of a key.

use crate::scripted::{Reply, serve};
use crate::support::{Finished, Workplace};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What the server was sent, by name: with a quote, a backslash, a slash and what URLs encode.
const KEYS: [(&str, &str); 4] = [
    ("the API key", r#"sk-Q7w"E9r\T2y/U4i+O6p=A8s"#),
    ("a header without a telling name", "zx81-Lk3Jh5Gf7-Dd9"),
    ("a header with several words", "session=m1N2b3V4c5; theme=dark99Xyz"),
    ("a key of the query", "uR5tE6wQ7aS8dF9"),
];

fn profile(url: &str, requests: usize) -> Vec<String> {
    let [key, header, cookie, query] = KEYS.map(|(_, key)| key);
    let url = format!("{url}/v1?api_key={query}");
    let (header, cookie) = (format!("X-Goog: {header}"), format!("Cookie: {cookie}"));
    let requests = requests.to_string();
    ["profile", "-m", "m", "--url", &url, "--api-key", key, "-H", &header, "-H", &cookie]
        .into_iter()
        .chain(["--concurrency", "1", "--num-prompts", &requests, "--max-error-rate", "1"])
        .chain(["--plugin-trace", "traces", "--ui", "simple"])
        .map(str::to_owned)
        .collect()
}

/// The bytes in base64, in one of both alphabets.
fn base64(text: &str, last: [char; 2]) -> String {
    let letters: Vec<char> = ('A'..='Z').chain('a'..='z').chain('0'..='9').chain(last).collect();
    let groups = text.as_bytes().chunks(3).map(|group| {
        let bits = (0..3).fold(0, |bits, at| bits << 8 | usize::from(*group.get(at).unwrap_or(&0)));
        let letter = |at: usize| if at > group.len() { '=' } else { letters[bits >> (18 - 6 * at) & 63] };
        (0..4).map(letter).collect::<String>()
    });
    groups.collect()
}

/// One way to send a key back: the parts that one event or line has of it.
type Parts = Vec<String>;

fn ways() -> Vec<Parts> {
    let percent = |text: &str, style: fn(u8) -> String| text.bytes().map(style).collect::<String>();
    let plain = |byte: u8| char::from(byte).to_string();
    let upper: fn(u8) -> String =
        |byte| if byte.is_ascii_alphanumeric() { char::from(byte).into() } else { format!("%{byte:02X}") };
    let lower: fn(u8) -> String =
        |byte| if byte.is_ascii_alphabetic() { char::from(byte).into() } else { format!("%{byte:02x}") };
    let mut ways = Vec::new();
    for (_, key) in KEYS {
        let length = key.len();
        for whole in [
            key.to_owned(),
            key[..8].to_owned(),
            key[length - 8..].to_owned(),
            key[3..12].to_owned(),
            percent(key, upper),
            percent(&percent(key, lower), upper),
            key.to_ascii_uppercase(),
            json!(key).to_string(),
            json!(json!(key).to_string()).to_string().replace('/', r"\/"),
            format!("https://elsewhere/?x=1&key={}&y=2", percent(key, upper)),
            format!("{}{}", "x".repeat(256 - 9), key),
            base64(key, ['+', '/']),
            base64(&key[3..12], ['+', '/']),
            base64(&format!("u:{key}"), ['+', '/']),
            percent(&base64(&format!("user:{key}@host"), ['-', '_']), upper),
        ] {
            ways.push(vec![whole]);
        }
        let encoded = base64(&format!("x{key}"), ['-', '_']);
        ways.push(
            encoded.as_bytes().chunks(5).map(|part| String::from_utf8(part.to_vec()).unwrap()).collect(),
        );
        for size in [1, 5, 7, 8, 11] {
            ways.push(
                key.as_bytes().chunks(size).map(|part| part.iter().copied().map(plain).collect()).collect(),
            );
        }
    }
    ways
}

fn events(events: impl IntoIterator<Item = String>) -> Reply {
    let events: Vec<_> = events.into_iter().map(|event| format!("data: {event}\n\n")).collect();
    Reply::Http("200 OK", "text/event-stream", events.concat())
}

fn chunk(delta: &Value, finish_reason: &Value) -> String {
    let choice = json!({ "index": 0, "delta": delta, "finish_reason": finish_reason });
    json!({ "object": "chat.completion.chunk", "choices": [choice] }).to_string()
}

fn deltas<'a>(field: &'a str, parts: &'a Parts) -> impl Iterator<Item = String> + 'a {
    parts.iter().map(move |part| chunk(&json!({ field: part }), &Value::Null))
}

fn raw(head: &str) -> Reply {
    Reply::Raw(format!("{head}content-length: 3\r\nconnection: close\r\n\r\nno.").into_bytes())
}

/// Its name, and an answer with a key there.
type Place = (&'static str, fn(&Parts) -> Reply);

/// The places of an answer that a key can stand in.
fn places() -> Vec<Place> {
    vec![
        ("the body of a status", |parts| Reply::error(parts.concat())),
        ("the lines of a status", |parts| Reply::error(parts.join("\n"))),
        ("the error of a status", |parts| {
            Reply::error(json!({ "error": { "message": parts.concat() } }).to_string())
        }),
        ("the reason of a status", |parts| raw(&format!("HTTP/1.1 401 {}\r\n", parts.concat()))),
        ("a redirect", |parts| raw(&format!("HTTP/1.1 302 Found\r\nlocation: /{}\r\n", parts.concat()))),
        ("the time to wait", |parts| {
            raw(&format!("HTTP/1.1 429 Too Many\r\nretry-after: {}\r\n", parts.concat()))
        }),
        ("the type", |parts| {
            Reply::Raw(
                format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: {}\r\ncontent-length: 2\r\n\r\n{{}}",
                    parts.concat()
                )
                .into_bytes(),
            )
        }),
        ("a header that is none", |parts| {
            Reply::Raw(format!("HTTP/1.1 200 OK\r\n{} \r\n\r\n", parts.concat()).into_bytes())
        }),
        ("what is no HTTP", |parts| Reply::Raw(parts.concat().into_bytes())),
        ("an error in a stream", |parts| {
            events([json!({ "error": { "message": parts.concat(), "code": 500 } }).to_string()])
        }),
        ("the code of an error", |parts| {
            events([json!({ "error": { "message": "no", "code": parts.concat(), "type": parts.concat() } })
                .to_string()])
        }),
        ("content before a torn end", |parts| {
            events(deltas("content", parts).chain(["{\"choices\":".to_owned()]))
        }),
        ("reasoning before a torn end", |parts| {
            events(deltas("reasoning_content", parts).chain(["{\"choices\":".to_owned()]))
        }),
        ("events that are no JSON", |parts| events(parts.clone())),
        ("the key of a member", |parts| events([json!({ parts.concat(): 1 }).to_string()])),
        ("the reason to finish", |parts| {
            let end = chunk(&json!({}), &json!(parts.concat()));
            let word = chunk(&json!({ "content": "yes" }), &Value::Null);
            events([word, end, "[DONE]".to_owned()])
        }),
        ("usage", |parts| {
            let usage = json!({ "choices": [], "usage": { "prompt_tokens": parts.concat() } });
            events([usage.to_string(), "[DONE]".to_owned()])
        }),
        ("the name of an event", |parts| {
            Reply::Http(
                "200 OK",
                "text/event-stream",
                format!("event: {}\ndata: {{\"choices\":\n\n", parts.concat()),
            )
        }),
        ("a body that is no text", |parts| {
            let body = parts.concat();
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: {}\r\n\r\ndata: ",
                body.len() + 9
            );
            Reply::Raw([head.as_bytes(), b"\xff", body.as_bytes(), b"\n\n"].concat())
        }),
        ("a whole body", |parts| {
            Reply::Http("200 OK", "application/json", json!({ "choices": parts.concat() }).to_string())
        }),
    ]
}

/// The text as a curious reader would undo its spellings.
fn undone(text: &str) -> String {
    let mut text = text.replace('\\', "").to_ascii_lowercase();
    for _ in 0..3 {
        for byte in b'!'..=b'~' {
            text = text.replace(&format!("%{byte:02x}"), &char::from(byte).to_string());
        }
    }
    text
}

fn leaks(place: &Workplace, output: &Finished) -> BTreeSet<String> {
    let inner = |before: &str, key: &str| {
        // Without the letters in which other characters take part.
        let encoded = base64(&format!("{before}{key}"), ['+', '/']);
        encoded[4 * before.len().div_ceil(3)..encoded.len() - 4].to_owned()
    };
    let spelled = KEYS.iter().flat_map(|(name, key)| {
        let encoded = ["", "x", "xy"].map(|before| inner(before, key));
        let url_safe = encoded.clone().map(|encoded| encoded.replace('+', "-").replace('/', "_"));
        [(*key).to_owned()].into_iter().chain(encoded).chain(url_safe).map(|text| (*name, undone(&text)))
    });
    let keys: Vec<_> = spelled.collect();
    let files = place.files("").into_iter().map(|file| {
        let bytes = place.bytes(&file);
        (file, String::from_utf8_lossy(&bytes).into_owned())
    });
    let outputs = [("stdout", &output.stdout), ("stderr", &output.stderr)];
    let outputs = outputs.map(|(name, text)| (name.to_owned(), text.clone()));
    let mut found = BTreeSet::new();
    for (file, text) in files.chain(outputs) {
        let text = undone(&text);
        for (name, key) in &keys {
            let pieces = key.as_bytes().windows(8).map(|piece| std::str::from_utf8(piece).unwrap());
            found.extend(pieces.filter(|piece| text.contains(piece)).map(|piece| {
                let at = text.find(piece).unwrap();
                let around = text.get(at.saturating_sub(60)..(at + 60).min(text.len())).unwrap_or_default();
                format!("{piece} of {name} in {file}: {around}")
            }));
        }
    }
    found
}

#[test]
fn no_piece_of_a_key_stays_wherever_and_however_a_server_sends_it_back() {
    let mut found = Vec::new();
    for (name, answer) in places() {
        let ways = ways();
        // Only so many failed calls are kept, and ten failed connections in a row end a run.
        for some in ways.chunks(9) {
            let (place, some, requests) = (Workplace::new(), some.to_vec(), some.len());
            let url = serve(move |request| answer(&some[request.number % some.len()]));
            let ended = place.run_with(&profile(&url, requests));
            let leaks = leaks(&place, &ended);
            if !leaks.is_empty() {
                found.push((name, leaks));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn what_is_recorded_for_a_plugin_has_no_piece_of_a_key() {
    let [key, ..] = KEYS.map(|(_, key)| key);
    for (number, parts) in ways().into_iter().enumerate() {
        let place = Workplace::new();
        let url = serve(move |_| events(deltas("content", &parts).chain(["[DONE]".to_owned()])));
        let arguments = ["plugin", "record", "answer", "--url", &url, "--model", "m", "--api-key", key, "-H"];
        let headers = [format!("X-Goog: {}", KEYS[1].1), "-H".to_owned(), format!("Cookie: {}", KEYS[2].1)];
        let arguments: Vec<String> = arguments.map(str::to_owned).into_iter().chain(headers).collect();
        let ended = place.run_with(&arguments).expect(0);
        let leaks = leaks(&place, &ended);
        let leaks: Vec<_> = leaks.iter().filter(|leak| !leak.contains(KEYS[3].0)).collect();
        assert!(leaks.is_empty(), "{number}: {leaks:#?}");
    }
}
