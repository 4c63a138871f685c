//! The bytes that go back and forth, the same for all clients and hardly any work for the server.

/// The path of chat completions.
pub(crate) const PATH: &str = "/v1/chat/completions";

/// A body of about the size of one with 100 tokens.
pub(crate) fn body() -> String {
    let prompt = "word ".repeat(100);
    format!(r#"{{"messages":[{{"role":"user","content":"{prompt}"}}],"model":"model","stream":true}}"#)
}

/// A whole response, as chat completions stream it: so many tokens, the usage, the end marker.
pub(crate) fn response(tokens: usize) -> Vec<u8> {
    let mut response =
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    let token = r#"{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"model","choices":[{"index":0,"delta":{"content":" word"},"finish_reason":null}]}"#;
    let usage = format!(
        r#"{{"id":"chatcmpl-1","choices":[],"usage":{{"prompt_tokens":100,"completion_tokens":{tokens}}}}}"#
    );
    let events = std::iter::repeat_n(token, tokens).chain([usage.as_str(), "[DONE]"]);
    for event in events {
        let data = format!("data: {event}\n\n");
        response.extend_from_slice(format!("{:x}\r\n{data}\r\n", data.len()).as_bytes());
    }
    response.extend_from_slice(b"0\r\n\r\n");
    response
}

/// How a response ends, and nothing else in it.
pub(crate) const END: &[u8] = b"\r\n0\r\n\r\n";
