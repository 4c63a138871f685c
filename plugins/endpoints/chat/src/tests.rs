use aiperf_plugin::endpoint::{Part, Usage};
use aiperf_plugin::{Error, testing};
use serde_json::{Value, json};

use super::*;

fn build(request: &Request) -> Value {
    serde_json::from_slice(&Chat::default().build(request).unwrap().body).unwrap()
}

/// Reads a stream.
fn parse(data: &[&str]) -> Result<Response> {
    Chat::default().parse(&testing::events(data), true)
}

/// Event, text and reasoning of each chunk.
fn chunks(response: &Response) -> Vec<(u32, &str, &str)> {
    let chunks = response.chunks.iter();
    let texts = chunks.map(|chunk| (chunk.event_index, chunk.text.as_deref(), chunk.reasoning.as_deref()));
    texts.map(|(event, text, reasoning)| (event, text.unwrap_or(""), reasoning.unwrap_or(""))).collect()
}

#[test]
fn a_streamed_request_asks_for_usage() {
    let request = Request { max_output_tokens: Some(64), ..testing::request("tiny", "Hello") };
    assert_eq!(
        build(&request),
        json!({
            "messages": [{"role": "user", "content": "Hello"}],
            "model": "tiny",
            "stream": true,
            "stream_options": {"include_usage": true},
            "max_completion_tokens": 64,
        })
    );
}

#[test]
fn a_request_that_is_not_streamed_has_no_stream_options() {
    let request = Request { streaming: false, ..testing::request("tiny", "Hello") };
    assert_eq!(
        build(&request),
        json!({"messages": [{"role": "user", "content": "Hello"}], "model": "tiny", "stream": false})
    );
}

#[test]
fn extra_fields_win() {
    let extra = r#"{"temperature":0,"stream_options":{"continuous_usage_stats":true}}"#.to_owned();
    let request = Request { extra: Some(extra), ..testing::request("tiny", "Hello") };
    let body = build(&request);
    assert_eq!(body["temperature"], 0);
    assert_eq!(body["stream_options"], json!({"continuous_usage_stats": true}));
}

#[test]
fn old_servers_get_the_old_limit() {
    let chat: Chat = testing::configure(r#"{"legacy_max_tokens":true}"#).unwrap();
    let request = Request { max_output_tokens: Some(64), ..testing::request("tiny", "Hello") };
    let body: Value = serde_json::from_slice(&chat.build(&request).unwrap().body).unwrap();
    assert_eq!(body["max_tokens"], 64);
    assert_eq!(body.get("max_completion_tokens"), None);
}

#[test]
fn the_schema_names_the_settings() {
    let schema: Value = serde_json::from_str(&Chat::settings_schema().unwrap()).unwrap();
    assert_eq!(schema["properties"]["legacy_max_tokens"]["type"], "boolean");
    assert!(testing::configure::<Chat>(r#"{"legacy":true}"#).is_err());
}

#[test]
fn parts_of_all_kinds_become_a_list() {
    let part = |kind: &str, value: &str| Part { kind: kind.to_owned(), value: value.to_owned() };
    let mut request = testing::request("tiny", "What is this?");
    request.turns[0].parts.extend([
        part("image", "https://example.com/cat.png"),
        part("audio", "data:audio/wav;base64,UklGRg=="),
        part("video", "data:video/mp4;base64,AAAA"),
    ]);
    assert_eq!(
        build(&request)["messages"][0]["content"],
        json!([
            {"type": "text", "text": "What is this?"},
            {"type": "image_url", "image_url": {"url": "https://example.com/cat.png"}},
            {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}},
            {"type": "video_url", "video_url": {"url": "data:video/mp4;base64,AAAA"}},
        ])
    );
}

#[test]
fn what_a_chat_cannot_say_is_unsupported() {
    let part = |kind: &str, value: &str| Part { kind: kind.to_owned(), value: value.to_owned() };
    let refusal = |turn| {
        let request = Request { turns: vec![turn], ..testing::request("tiny", "") };
        match Chat::default().build(&request) {
            Err(Error::Unsupported(message)) => message,
            other => panic!("{other:?}"),
        }
    };
    let turn = |part| aiperf_plugin::endpoint::Turn { role: "user".to_owned(), parts: vec![part] };
    assert!(refusal(turn(part("smell", "rose"))).contains("'smell'"));
    assert!(refusal(turn(part("audio", "https://example.com/a.wav"))).contains("data:audio/"));
    assert!(refusal(testing::turn("passage", "text")).contains("'passage'"));
}

#[test]
fn a_stream_in_the_way_of_llama_cpp() {
    let response = parse(&[
        r#"{"choices":[{"finish_reason":null,"index":0,"delta":{"role":"assistant","content":null}}],"object":"chat.completion.chunk"}"#,
        r#"{"choices":[{"finish_reason":null,"index":0,"delta":{"content":"He"}}],"object":"chat.completion.chunk"}"#,
        r#"{"choices":[{"finish_reason":null,"index":0,"delta":{"content":"llo"}}],"object":"chat.completion.chunk"}"#,
        r#"{"choices":[{"finish_reason":"length","index":0,"delta":{}}],"object":"chat.completion.chunk"}"#,
        r#"{"choices":[],"usage":{"completion_tokens":2,"prompt_tokens":9,"total_tokens":11,"prompt_tokens_details":{"cached_tokens":4}},"timings":{"prompt_ms":1.5}}"#,
        "[DONE]",
    ])
    .unwrap();
    assert_eq!(chunks(&response), [(1, "He", ""), (2, "llo", "")]);
    assert_eq!(response.finish_reason.as_deref(), Some("length"));
    assert!(response.complete);
    assert_eq!(
        response.usage,
        Some(Usage {
            input_tokens: Some(9),
            output_tokens: Some(2),
            reasoning_tokens: None,
            cached_input_tokens: Some(4)
        })
    );
}

#[test]
fn a_stream_in_the_way_of_vllm() {
    let response = parse(&[
        r#"{"id":"c","choices":[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}],"usage":{"prompt_tokens":9,"completion_tokens":0}}"#,
        r#"{"id":"c","choices":[{"index":0,"delta":{"content":"Hi"},"logprobs":null,"finish_reason":null}],"usage":{"prompt_tokens":9,"completion_tokens":1}}"#,
        r#"{"id":"c","choices":[{"index":0,"delta":{"content":"!"},"logprobs":null,"finish_reason":"stop","stop_reason":null}],"usage":{"prompt_tokens":9,"completion_tokens":2}}"#,
        "[DONE]",
    ])
    .unwrap();
    assert_eq!(chunks(&response), [(1, "Hi", ""), (2, "!", "")]);
    assert_eq!(response.finish_reason.as_deref(), Some("stop"));
    assert_eq!(response.usage.and_then(|usage| usage.output_tokens), Some(2));
}

#[test]
fn reasoning_has_two_names() {
    let response = parse(&[
        r#"{"choices":[{"delta":{"reasoning_content":"hm","content":null}}]}"#,
        r#"{"choices":[{"delta":{"reasoning":"so"}}]}"#,
        r#"{"choices":[{"delta":{"reasoning_content":"!","content":"42"}}]}"#,
        r#"{"choices":[],"usage":{"completion_tokens":4,"completion_tokens_details":{"reasoning_tokens":3}}}"#,
    ])
    .unwrap();
    assert_eq!(chunks(&response), [(0, "", "hm"), (1, "", "so"), (2, "42", "!")]);
    assert_eq!(response.usage.and_then(|usage| usage.reasoning_tokens), Some(3));
}

#[test]
fn tool_calls_are_content() {
    let response = parse(&[
        r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"t","function":{"name":"add","arguments":""}}]}}]}"#,
        r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"a\":1}"}}]}}]}"#,
        r#"{"choices":[{"delta":{},"finish_reason":"tool_calls"}]}"#,
        "[DONE]",
    ])
    .unwrap();
    assert_eq!(chunks(&response), [(0, "add", ""), (1, r#"{"a":1}"#, "")]);
}

#[test]
fn a_whole_answer_is_complete_without_a_marker_and_a_stream_of_one_event_is_not() {
    let events = testing::events(&[
        r#"{"object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":1}}"#,
    ]);
    let response = Chat::default().parse(&events, false).unwrap();
    assert_eq!(chunks(&response), [(0, "Hello", "")]);
    assert!(response.complete);
    assert!(!Chat::default().parse(&events, true).unwrap().complete);
}

#[test]
fn a_stream_that_stops_early_is_not_complete() {
    let response = parse(&[
        r#"{"choices":[{"delta":{"content":"He"}}]}"#,
        r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#,
    ])
    .unwrap();
    assert!(!response.complete);
    assert!(!parse(&[]).unwrap().complete);
}

#[test]
fn an_error_inside_of_a_stream_is_the_servers() {
    let error = parse(&[
        r#"{"choices":[{"delta":{"content":"He"}}]}"#,
        r#"{"error":{"code":500,"message":"out of memory","type":"server_error"}}"#,
    ]);
    assert_eq!(error, Err(Error::Server("out of memory".to_owned())));
}

#[test]
fn what_is_no_chat_is_malformed_and_numbered() {
    for data in [
        "{",
        "nonsense",
        "[]",
        r#"{"choices":{}}"#,
        r#"{"choices":[{"delta":{"content":1}}]}"#,
        r#"{"usage":[]}"#,
    ] {
        let answer = parse(&[r#"{"choices":[{"delta":{"content":"He"}}]}"#, data]);
        assert!(
            matches!(&answer, Err(Error::Malformed(message)) if message.starts_with("event 1: ")),
            "{data} gave {answer:?}"
        );
    }
}

/// Event, text and reasoning of each chunk of a stream of one odd event and a plain one; an odd event is marked.
fn odd_chunks(data: &str) -> Vec<(u32, String, String)> {
    let response = parse(&[data, r#"{"choices":[{"delta":{"content":"!"}}]}"#, "[DONE]"]).unwrap();
    assert!(response.complete, "{data}");
    chunks(&response)
        .into_iter()
        .map(|(event, text, reasoning)| (event, text.to_owned(), reasoning.to_owned()))
        .collect()
}

#[test]
fn an_odd_event_is_read_as_far_as_it_can_be_and_marked() {
    for (data, text, reasoning) in [
        (r#"{"choices":[{"delta":{"content":"a\ud83d"}}]}"#, "a\u{FFFD}", ""),
        (r#"{"choices":[{"delta":{"content":"a","content":"b"}}]}"#, "b", ""),
        (
            r#"{"choices":[{"delta":{"content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}}]}"#,
            "ab",
            "",
        ),
        (
            r#"{"choices":[{"delta":{"content":[{"type":"thinking","thinking":[{"text":"hm"}]},{"text":"b"}]}}]}"#,
            "b",
            "hm",
        ),
    ] {
        let mark = (0, String::new(), String::new());
        let said = (0, text.to_owned(), reasoning.to_owned());
        assert_eq!(odd_chunks(data), [mark, said, (1, "!".to_owned(), String::new())], "{data}");
    }
    for data in [
        "",
        "{}",
        r#"{"type":"ping"}"#,
        r#"{"choices":null}"#,
        r#"{"choices":[],"usage":{"completion_tokens":20.0}}"#,
        r#"{"choices":[],"usage":{"completion_tokens":"20"}}"#,
    ] {
        let mark = (0, String::new(), String::new());
        assert_eq!(odd_chunks(data), [mark, (1, "!".to_owned(), String::new())], "{data}");
    }
}

#[test]
fn a_whole_body_must_be_an_answer() {
    for data in ["", "{}", r#"{"choices":null}"#, "busy"] {
        let answer = Chat::default().parse(&testing::events(&[data]), false);
        assert!(matches!(&answer, Err(Error::Malformed(_))), "{data} gave {answer:?}");
    }
    let events =
        testing::events(&["\u{FEFF}{\"choices\":[{\"message\":{\"content\":\"a\",\"content\":\"b\"}}]}"]);
    assert_eq!(chunks(&Chat::default().parse(&events, false).unwrap()), [(0, "", ""), (0, "b", "")]);
}

#[test]
fn a_refusal_and_a_call_of_the_old_kind_are_answers() {
    let response = parse(&[
        r#"{"choices":[{"delta":{"refusal":"I must not"}}]}"#,
        r#"{"choices":[{"delta":{"function_call":{"name":"f","arguments":"{}"}}}]}"#,
    ])
    .unwrap();
    assert_eq!(chunks(&response), [(0, "I must not", ""), (1, "f{}", "")]);
}

#[test]
fn a_repeating_stream_reads_as_each_event_alone() {
    let chunk =
        |content: &str| format!(r#"{{"id":"c","choices":[{{"index":0,"delta":{{"content":{content}}}}}]}}"#);
    let data: Vec<String> =
        [r#""a""#, r#"" b""#, r#""\n""#, r#""é""#, r#""\u00e9\"""#, r#""""#, r#""c""#].map(chunk).into();
    let events = testing::events(&data.iter().map(String::as_str).collect::<Vec<_>>());
    let chat = Chat::default();
    assert_eq!(chat.parse(&events, true), fold(&events, true, |event| chat.read(event)));
    assert_eq!(
        chunks(&chat.parse(&events, true).unwrap()).iter().map(|(_, text, _)| *text).collect::<Vec<_>>(),
        ["a", " b", "\n", "é", "é\"", "c"]
    );
}
