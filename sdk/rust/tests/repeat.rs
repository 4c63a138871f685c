//! A repeating stream must read exactly as each of its events alone, whatever a server sends.

use aiperf_plugin::endpoint::{Delta, Event, Repeat, fold};
use aiperf_plugin::{Result, testing};
use proptest::prelude::*;
use serde::Deserialize;

#[derive(Deserialize)]
struct Chunk {
    text: Option<String>,
    thought: Option<String>,
    stop: Option<String>,
}

fn read(event: &Event) -> Result<Delta> {
    let chunk: Chunk = event.json()?;
    Ok(Delta { text: chunk.text, reasoning: chunk.thought, finish_reason: chunk.stop, ..Delta::default() })
}

/// The inside of a JSON string, mostly a valid one.
fn inside() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[ a-z]{0,8}",
        2 => r#"[a-zé☃"\\]{0,6}"#,
        1 => Just(r"\n".to_owned()),
        1 => Just(r"\u00e9\ud83d\ude00".to_owned()),
        1 => Just(r"\ud83d".to_owned()),
        1 => Just(r#"","text":"b"#.to_owned()),
        1 => Just(r#"","thought":"b"#.to_owned()),
        1 => Just("tail \u{1} control".to_owned()),
    ]
}

/// Events that differ by their texts, by whole keys, or by a byte.
fn event() -> impl Strategy<Value = String> {
    let shape = prop_oneof![
        5 => Just((r#"{"id":"a-long-identifier","text":""#, r#"","n":0,"stop":null}"#)),
        1 => Just((r#"{"id":"a-long-identifier","thought":""#, r#"","n":0}"#)),
        1 => Just((r#"{"id":""#, r#"","text":"a"}"#)),
        1 => Just((r#"{"echo":"a","text":""#, r#""}"#)),
        1 => Just((r#"{"text":"a","thought":""#, r#"","n":0}"#)),
        1 => Just((r#"{"stop":""#, r#""}"#)),
    ];
    (shape, inside()).prop_map(|((head, tail), inside)| format!("{head}{inside}{tail}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn a_stream_reads_as_its_events(data in prop::collection::vec(event(), 1..8), flip in any::<(bool, usize, usize, u8)>()) {
        let mut events = testing::events(&data.iter().map(String::as_str).collect::<Vec<_>>());
        if let (true, event, byte, value) = flip {
            let event = event % events.len();
            let length = events[event].data.len();
            events[event].data[byte % length] = value;
        }
        let mut repeat = Repeat::new(read);
        prop_assert_eq!(fold(&events, true, |event| repeat.read(event)), fold(&events, true, read));
    }
}

#[test]
fn the_reader_is_skipped_where_only_the_text_differs() {
    let data: Vec<String> =
        (0..100).map(|n| format!(r#"{{"id":"x","text":"token {n}","stop":null}}"#)).collect();
    let events = testing::events(&data.iter().map(String::as_str).collect::<Vec<_>>());
    let mut calls = 0;
    let mut repeat = Repeat::new(|event: &Event| {
        calls += 1;
        read(event)
    });
    let response = fold(&events, true, |event| repeat.read(event)).unwrap();
    assert_eq!(response.chunks.len(), 100);
    assert_eq!(response.chunks[99].text.as_deref(), Some("token 99"));
    assert_eq!(calls, 2, "one event and one probe");
}

#[test]
fn a_stream_that_repeats_nothing_is_not_probed_for_ever() {
    let data: Vec<String> = (0..100).map(|n| format!(r#"{{"id":"{n:03}","text":"a"}}"#)).collect();
    let events = testing::events(&data.iter().map(String::as_str).collect::<Vec<_>>());
    let mut calls = 0;
    let mut repeat = Repeat::new(|event: &Event| {
        calls += 1;
        read(event)
    });
    assert_eq!(fold(&events, true, |event| repeat.read(event)).unwrap().chunks.len(), 100);
    assert!(calls < 110, "{calls} calls");
}

#[test]
fn the_name_of_an_event_is_part_of_it() {
    let named = |name: &str, text: &str| Event {
        name: Some(name.to_owned()),
        data: format!(r#"{{"text":"{text}"}}"#).into_bytes(),
    };
    let by_name = |event: &Event| {
        let delta = read(event)?;
        Ok(if event.name.as_deref() == Some("content") { delta } else { Delta::default() })
    };
    let events = [named("content", "a"), named("comment", "b"), named("content", "c")];
    let mut repeat = Repeat::new(by_name);
    let chunks = fold(&events, true, |event| repeat.read(event)).unwrap().chunks;
    assert_eq!(chunks.iter().filter_map(|chunk| chunk.text.as_deref()).collect::<Vec<_>>(), ["a", "c"]);
}

#[test]
fn a_text_that_stands_in_two_places_is_taken_from_the_right_one() {
    let data = [r#"{"echo":"a","text":"a"}"#, r#"{"echo":"b","text":"a"}"#, r#"{"echo":"a","text":"c"}"#];
    let events = testing::events(&data);
    let mut repeat = Repeat::new(read);
    let chunks = fold(&events, true, |event| repeat.read(event)).unwrap().chunks;
    assert_eq!(chunks.iter().filter_map(|chunk| chunk.text.as_deref()).collect::<Vec<_>>(), ["a", "a", "c"]);
}
