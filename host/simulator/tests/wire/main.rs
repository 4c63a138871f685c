//! What a client sees on a real socket: formats, token counts, order, keep-alive, faults.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "what a test does not expect ends it"
)]

mod client;

use aiperf_simulator::{Settings, Simulator, SimulatorError};
use client::{Client, Response, wait_for_metric, wait_until};
use serde_json::{Value, json};

const LOCAL: [u8; 4] = [127, 0, 0, 1];

fn start(query: &str) -> Simulator {
    Simulator::start(Settings::from_query(query).unwrap(), (LOCAL, 0).into()).unwrap()
}

/// Fast enough that no test waits for it.
fn start_fast(more: &str) -> Simulator {
    start(&format!("ttft-ms=1&prefill-rate=1000000&itl-ms=0.1&itl-slope-ms=0&{more}"))
}

fn chat(more: Value) -> Value {
    with(json!({ "model": "m", "messages": [{ "role": "user", "content": "one two three" }] }), more)
}

fn completion(more: Value) -> Value {
    with(json!({ "model": "m", "prompt": "one two" }), more)
}

fn with(mut body: Value, more: Value) -> Value {
    let Value::Object(more) = more else { panic!("fields expected") };
    body.as_object_mut().unwrap().extend(more);
    body
}

/// The JSON events of a stream that ends with `[DONE]`.
fn events(response: &Response) -> Vec<Value> {
    let (done, events) = response.events.split_last().unwrap();
    assert_eq!(done, "[DONE]");
    events.iter().map(|event| serde_json::from_str(event).unwrap()).collect()
}

#[test]
fn a_chat_stream() {
    let simulator = start_fast("");
    let mut client = Client::connect(&simulator);
    let asked = json!({
        "stream": true, "max_completion_tokens": 3, "stream_options": { "include_usage": true },
        "temperature": 0.5, "ignore_eos": true,
    });
    let response = client.post("/v1/chat/completions", &chat(asked));
    assert_eq!((response.status, response.complete), (200, true));
    assert_eq!(response.header("content-type"), Some("text/event-stream; charset=utf-8"));
    assert_eq!(response.header("connection"), None);
    let events = events(&response);
    for event in &events {
        assert_eq!(event["object"], "chat.completion.chunk");
        assert_eq!((&event["id"], &event["model"]), (&events[0]["id"], &json!("m")));
        assert!(event["created"].is_u64());
    }
    let choices: Vec<&Value> = events.iter().map(|event| &event["choices"]).collect();
    let choice = |delta: Value, reason: Value| json!([{ "index": 0, "delta": delta, "logprobs": null, "finish_reason": reason }]);
    assert_eq!(choices.len(), 6);
    assert_eq!(*choices[0], choice(json!({ "role": "assistant", "content": "" }), Value::Null));
    assert_eq!(*choices[1], choice(json!({ "content": "the" }), Value::Null));
    assert_eq!(*choices[2], choice(json!({ "content": " sun" }), Value::Null));
    assert_eq!(*choices[3], choice(json!({ "content": " rose" }), Value::Null));
    assert_eq!(*choices[4], choice(json!({}), json!("length")));
    assert_eq!(*choices[5], json!([]));
    assert_eq!(events[5]["usage"], json!({ "prompt_tokens": 3, "completion_tokens": 3, "total_tokens": 6 }));
}

#[test]
fn a_completion_stream() {
    let simulator = start_fast("");
    let mut client = Client::connect(&simulator);
    let response = client.post("/v1/completions", &completion(json!({ "stream": true, "max_tokens": 2 })));
    let events = events(&response);
    let texts: Vec<&Value> = events.iter().map(|event| &event["choices"][0]["text"]).collect();
    assert_eq!(texts, ["the", " sun", ""]);
    let reasons: Vec<&Value> = events.iter().map(|event| &event["choices"][0]["finish_reason"]).collect();
    assert_eq!(reasons, [&Value::Null, &Value::Null, &json!("length")]);
    assert!(events.iter().all(|event| event["object"] == "text_completion" && event.get("usage").is_none()));
}

#[test]
fn the_role_chunk_and_the_end_cost_no_packets_of_their_own() {
    let simulator = start_fast("");
    let mut client = Client::connect(&simulator);
    let response = client.post("/v1/chat/completions", &chat(json!({ "stream": true, "max_tokens": 2 })));
    assert_eq!(response.events.len(), 5);
    // Tokens that were due together share a piece, too.
    assert!(response.chunks.len() <= 2);
    assert!(response.chunks[0].contains("assistant") && response.chunks[0].contains("\"the\""));
    let last = response.chunks.last().unwrap();
    assert!(last.contains(" sun") && last.contains("length") && last.contains("[DONE]"));
}

#[test]
fn whole_answers() {
    let simulator = start_fast("default-output-tokens=4");
    let mut client = Client::connect(&simulator);
    let body = client.post("/v1/chat/completions", &chat(json!({}))).json();
    assert_eq!(body["object"], "chat.completion");
    assert_eq!(body["choices"][0]["message"]["role"], "assistant");
    assert_eq!(body["choices"][0]["message"]["content"], "the sun rose over");
    assert_eq!(body["choices"][0]["finish_reason"], "length");
    assert_eq!(body["usage"], json!({ "prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7 }));

    let body = client.post("/v1/completions", &completion(json!({ "max_tokens": 2 }))).json();
    assert_eq!(body["object"], "text_completion");
    assert_eq!(body["choices"][0]["text"], "the sun");
    assert_eq!(body["usage"], json!({ "prompt_tokens": 2, "completion_tokens": 2, "total_tokens": 4 }));

    let body = client.post("/v1/embeddings", &json!({ "model": "e", "input": ["a b", "c"] })).json();
    assert_eq!((&body["object"], &body["model"]), (&json!("list"), &json!("e")));
    assert_eq!(body["data"].as_array().unwrap().len(), 2);
    for (index, item) in body["data"].as_array().unwrap().iter().enumerate() {
        assert_eq!((&item["object"], &item["index"]), (&json!("embedding"), &json!(index)));
        assert_eq!(item["embedding"].as_array().unwrap().len(), 8);
    }
    assert_eq!(body["usage"], json!({ "prompt_tokens": 3, "total_tokens": 3 }));
}

#[test]
fn every_deadline_is_measured() {
    let simulator = start_fast("");
    let mut client = Client::connect(&simulator);
    let measured = |count: u64| {
        // The server measures after the write, and the client may be faster.
        wait_until("lateness", || simulator.lateness().count >= count);
        simulator.lateness()
    };
    client.post("/v1/chat/completions", &chat(json!({ "stream": true, "max_tokens": 5 })));
    let lateness = measured(5);
    assert!(lateness.p50_us <= lateness.p99_us && lateness.p99_us <= lateness.max_us);
    client.post("/v1/chat/completions", &chat(json!({ "max_tokens": 5 })));
    client.post("/v1/embeddings", &json!({ "model": "e", "input": "a" }));
    assert_eq!(measured(7).count, 7);
    simulator.reset_lateness();
    assert_eq!(simulator.lateness().count, 0);
}

#[test]
fn pages_of_the_server() {
    let simulator = start_fast("");
    let mut client = Client::connect(&simulator);
    assert_eq!(client.get("/health").status, 200);
    let models = client.get("/v1/models").json();
    assert_eq!((&models["object"], &models["data"][0]["id"]), (&json!("list"), &json!("simulator")));
    client.post("/v1/completions", &completion(json!({ "max_tokens": 5 })));
    let metrics = client.get("/metrics");
    assert_eq!(metrics.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    for line in [
        "# TYPE vllm:num_requests_running gauge",
        "vllm:num_requests_running{model_name=\"simulator\"} 0",
        "vllm:num_requests_waiting{model_name=\"simulator\"} 0",
        "vllm:prompt_tokens_total{model_name=\"simulator\"} 2",
        "vllm:generation_tokens_total{model_name=\"simulator\"} 5",
        "vllm:request_success_total{model_name=\"simulator\"} 1",
    ] {
        assert!(metrics.body.lines().any(|seen| seen == line), "{line} is missing in\n{}", metrics.body);
    }
}

#[test]
fn errors_are_json_and_keep_the_connection() {
    let simulator = start_fast("");
    let mut client = Client::connect(&simulator);
    let table = [
        ("POST", "/v1/chat/completions", "{", 400, "BadRequestError"),
        ("POST", "/v1/completions", r#"{"model":"m"}"#, 400, "BadRequestError"),
        ("POST", "/v1/embeddings", r#"{"model":"m"}"#, 400, "BadRequestError"),
        ("POST", "/v1/nothing", "{}", 404, "NotFoundError"),
        ("GET", "/v1/chat/completions", "", 405, "MethodNotAllowedError"),
        ("POST", "/metrics", "", 405, "MethodNotAllowedError"),
    ];
    for (method, path, body, status, kind) in table {
        let response = client.send(method, path, body);
        assert_eq!(response.status, status, "{path}");
        let error = &response.json()["error"];
        assert_eq!((&error["type"], &error["code"]), (&json!(kind), &json!(status)), "{path}");
        assert!(!error["message"].as_str().unwrap().is_empty(), "{path}");
    }
    assert_eq!(client.get("/health").status, 200);
}

#[test]
fn the_queue_is_served_in_order_of_arrival() {
    let simulator = start_fast("max-batch=1");
    let mut first = Client::connect(&simulator);
    first.write_post("/v1/completions", &completion(json!({ "stream": true, "max_tokens": 1_000_000 })));
    wait_for_metric(&simulator, "vllm:num_requests_running", 1);

    let mut queue: Vec<Client> = (0..3).map(|_| Client::connect(&simulator)).collect();
    for (before, client) in queue.iter_mut().enumerate() {
        client.write_post("/v1/completions", &completion(json!({ "max_tokens": 2 })));
        wait_for_metric(&simulator, "vllm:num_requests_waiting", before + 1);
    }
    // Its place becomes free when the client of a stream goes away.
    drop(first);
    for (before, client) in queue.iter_mut().enumerate() {
        // Answers are numbered by arrival, and one is admitted only after the one before has ended.
        assert_eq!(client.read_response().json()["id"], format!("cmpl-{}", before + 1));
    }
    assert_eq!(Client::connect(&simulator).metric("vllm:num_requests_running"), 0);
}

#[test]
fn one_connection_carries_many_requests() {
    let simulator = start_fast("");
    let mut client = Client::connect(&simulator);
    for number in 0..20 {
        let stream = number % 2 == 0;
        let response =
            client.post("/v1/chat/completions", &chat(json!({ "stream": stream, "max_tokens": 2 })));
        assert_eq!((response.status, response.complete), (200, true));
    }
}

#[test]
fn errors_come_at_the_asked_share() {
    let simulator = start_fast("error-rate=0.25");
    let mut client = Client::connect(&simulator);
    let statuses: Vec<u16> = (0..8)
        .map(|_| client.post("/v1/completions", &completion(json!({ "max_tokens": 1 }))).status)
        .collect();
    assert_eq!(statuses, [200, 200, 200, 500, 200, 200, 200, 500]);
}

#[test]
fn a_stream_is_cut_after_its_tokens() {
    let simulator = start_fast("cut-after-tokens=2");
    let mut client = Client::connect(&simulator);
    let response = client.post("/v1/completions", &completion(json!({ "stream": true, "max_tokens": 5 })));
    assert_eq!((response.status, response.complete, response.events.len()), (200, false, 2));
    assert!(client.is_closed());
    // The cut sequence gives its place back, and shorter answers are left alone.
    let mut client = Client::connect(&simulator);
    wait_for_metric(&simulator, "vllm:num_requests_running", 0);
    let response = client.post("/v1/completions", &completion(json!({ "stream": true, "max_tokens": 2 })));
    assert!(response.complete);
}

#[test]
fn a_stream_ends_without_done() {
    let simulator = start_fast("no-done");
    let mut client = Client::connect(&simulator);
    let response = client.post("/v1/completions", &completion(json!({ "stream": true, "max_tokens": 2 })));
    assert!(response.complete);
    assert!(response.events.last().unwrap().contains("\"finish_reason\":\"length\""));
    assert_eq!(client.get("/health").status, 200);
}

#[test]
fn a_promised_connection_is_closed_after_a_stream() {
    let simulator = start_fast("close-after-stream");
    let mut client = Client::connect(&simulator);
    assert_eq!(client.get("/health").status, 200);
    let response = client.post("/v1/completions", &completion(json!({ "stream": true, "max_tokens": 2 })));
    assert!(response.complete);
    assert_eq!(response.header("keep-alive"), Some("timeout=5, max=100"));
    assert_eq!(response.header("connection"), None);
    assert!(client.is_closed());
}

#[test]
fn stopping_closes_the_port_and_the_connections() {
    let simulator = start("ttft-ms=3600000");
    let mut client = Client::connect(&simulator);
    client.write_post("/v1/completions", &completion(json!({ "stream": true })));
    wait_for_metric(&simulator, "vllm:num_requests_running", 1);
    let address = simulator.local_addr();
    let stopper = simulator.stopper();
    let waiting = std::thread::spawn(move || simulator.wait());
    stopper.stop();
    waiting.join().unwrap();
    assert!(!client.read_response().complete);
    Simulator::start(Settings::default(), address).unwrap();
}

#[test]
fn a_port_in_use_is_named() {
    let simulator = start_fast("");
    let address = simulator.local_addr();
    let error = Simulator::start(Settings::default(), address).unwrap_err();
    assert!(matches!(error, SimulatorError::PortInUse { .. }));
    assert!(error.to_string().contains(&format!("port {} of 127.0.0.1", address.port())), "{error}");
}
