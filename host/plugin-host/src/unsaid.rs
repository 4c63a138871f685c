//! Responses without the secrets that a server sent back in them, also where it split one over several events.

use std::collections::BTreeMap;

use aiperf_model::response::OwnedEvent;
use aiperf_model::secret::Secrets;
use serde_json::Value;

/// Takes secrets out of the events of one response. An event in which there is none keeps its bytes.
pub(crate) fn hide_in_events(events: &mut [OwnedEvent], secrets: &Secrets) {
    let texts: Vec<String> =
        events.iter().map(|event| String::from_utf8_lossy(&event.data).into_owned()).collect();
    for (event, (before, after)) in events.iter_mut().zip(texts.iter().zip(hidden_texts(&texts, secrets))) {
        if *before != after {
            event.data = after.into_bytes();
        }
        event.name = event.name.take().map(|name| secrets.hide(&name).into_owned());
    }
}

/// Takes secrets out of the body of a response. A body in which there is none keeps its bytes; the line breaks of
/// others become LF.
#[must_use]
pub fn hide_in_body(body: Vec<u8>, secrets: &Secrets) -> Vec<u8> {
    const FIELD: &str = "data:";
    let text = String::from_utf8_lossy(&body);
    let lines: Vec<&str> = text.lines().collect();
    let split = |line: &str| {
        let start = if line.starts_with(FIELD) { FIELD.len() } else { 0 };
        let value = line.get(start..).unwrap_or_default();
        (line.len() - value.trim_start().len(), value.trim_start().to_owned())
    };
    let (starts, values): (Vec<usize>, Vec<String>) = lines.iter().map(|line| split(line)).unzip();
    let shown = lines.iter().zip(starts).zip(hidden_texts(&values, secrets));
    let shown: Vec<String> = shown
        .map(|((line, start), value)| format!("{}{value}", line.get(..start).unwrap_or_default()))
        .collect();
    let whole = shown.join("\n");
    let hidden = secrets.hide(&whole);
    if hidden.lines().eq(lines.iter().copied()) {
        return body;
    }
    let end = if text.ends_with('\n') { "\n" } else { "" };
    format!("{hidden}{end}").into_bytes()
}

/// The texts without secrets: of each by itself, and of the strings that stand in the same place of several.
fn hidden_texts(texts: &[String], secrets: &Secrets) -> Vec<String> {
    let mut documents: Vec<Option<Value>> =
        texts.iter().map(|text| serde_json::from_str(text).ok()).collect();
    let mut strings: BTreeMap<String, Vec<(usize, &mut String)>> = BTreeMap::new();
    for (index, document) in documents.iter_mut().enumerate() {
        if let Some(document) = document {
            collect(document, String::new(), &mut |path, string| {
                strings.entry(path).or_default().push((index, string));
            });
        }
    }
    let mut changed = vec![false; texts.len()];
    for places in strings.into_values() {
        let parts: Vec<&str> = places.iter().map(|(_, string)| string.as_str()).collect();
        let Some(hidden) = secrets.hide_parts(&parts) else { continue };
        for ((index, string), hidden) in places.into_iter().zip(hidden) {
            if let Some(changed) = changed.get_mut(index).filter(|_| *string != hidden) {
                *changed = true;
            }
            *string = hidden;
        }
    }
    let said = |(text, (document, changed)): (&String, (Option<Value>, bool))| match document {
        Some(document) if changed => document.to_string(),
        _ => text.clone(),
    };
    let joined: Vec<String> = texts.iter().zip(documents.into_iter().zip(changed)).map(said).collect();
    let parts: Vec<&str> = joined.iter().map(String::as_str).collect();
    secrets.hide_parts(&parts).unwrap_or(joined)
}

/// Every string of a document with its path.
fn collect<'a>(value: &'a mut Value, path: String, found: &mut impl FnMut(String, &'a mut String)) {
    match value {
        Value::String(string) => found(path, string),
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                collect(item, format!("{path}/{index}"), found);
            }
        }
        Value::Object(members) => {
            for (key, member) in members.iter_mut() {
                collect(member, format!("{path}/{key}"), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const KEY: &str = "sk-0123456789abcdef";

    fn secrets() -> Secrets {
        Secrets::new([KEY])
    }

    fn event(data: impl Into<Vec<u8>>) -> OwnedEvent {
        OwnedEvent { name: None, data: data.into() }
    }

    #[test]
    fn a_secret_that_goes_on_in_the_next_event_is_hidden() {
        for size in [1, 3, 5, 7, 8, 19] {
            let parts: Vec<String> =
                KEY.as_bytes().chunks(size).map(|part| String::from_utf8(part.to_vec()).unwrap()).collect();
            let deltas = || parts.iter().map(|part| json!({ "choices": [{ "delta": { "content": part } }] }));
            let mut events: Vec<OwnedEvent> = deltas().map(|delta| event(delta.to_string())).collect();
            hide_in_events(&mut events, &secrets());
            let kept: String = events
                .iter()
                .map(|event| serde_json::from_slice::<Value>(&event.data).unwrap())
                .map(|delta| {
                    delta["choices"][0]["delta"]["content"].as_str().unwrap().replace("<redacted>", "")
                })
                .collect();
            assert_eq!(kept, "", "{size}");

            let body = deltas().fold(String::new(), |body, delta| body + &format!("data: {delta}\r\n\r\n"));
            let body = String::from_utf8(hide_in_body(body.into_bytes(), &secrets())).unwrap();
            assert!(parts.iter().all(|part| part.len() < 3 || !body.contains(part)), "{body}");
        }
    }

    #[test]
    fn plain_text_that_is_split_is_hidden() {
        let mut events = ["see sk-0123", "456789ab", "cdef."].map(event);
        hide_in_events(&mut events, &secrets());
        let kept = events.map(|event| String::from_utf8(event.data).unwrap());
        assert_eq!(kept, ["see <redacted>", "<redacted>", "<redacted>."]);
    }

    #[test]
    fn bytes_that_are_no_text_hide_nothing() {
        let mut events = [event([b"\xff".as_slice(), KEY.as_bytes()].concat())];
        hide_in_events(&mut events, &secrets());
        assert_eq!(events[0].data, "\u{fffd}<redacted>".as_bytes());
        let body = hide_in_body([b"\xff".as_slice(), KEY.as_bytes()].concat(), &secrets());
        assert_eq!(body, "\u{fffd}<redacted>".as_bytes());
    }

    #[test]
    fn what_holds_no_secret_keeps_its_bytes() {
        for body in [b"data: {\"a\":  1}\r\n\r\ndata: [DONE]".as_slice(), b"\xff\xfe", b"", b"{ }\n"] {
            assert_eq!(hide_in_body(body.to_vec(), &secrets()), body);
        }
    }
}
