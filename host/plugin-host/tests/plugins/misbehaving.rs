//! Plugins that crash, hang and lie: each call is a clear error, and the next call is served.

use std::sync::Arc;
use std::time::Duration;

use aiperf_model::conclusion::{Axis, Candidate, Direction, Sample, Score, Series};
use aiperf_model::plugin::{Endpoint, PluginError};
use aiperf_model::request::{Request, Turn};
use aiperf_model::response::Event;
use aiperf_plugin_host::{Level, Limits, PluginHost};

use crate::support::{Messages, fixture, host, point};

/// Short enough for a test that waits for it.
fn limits() -> Limits {
    Limits {
        endpoint_time: Duration::from_millis(200),
        analysis_time: Duration::from_millis(200),
        ..Limits::default()
    }
}

/// Limits for plugins that work hard before they fail.
fn patient() -> Limits {
    Limits {
        endpoint_time: Duration::from_secs(30),
        analysis_time: Duration::from_secs(30),
        ..Limits::default()
    }
}

fn misbehaving_host(limits: Limits) -> (PluginHost, Messages) {
    let (mut host, messages) = host(limits);
    host.load_file(&fixture("misbehaving.wasm")).unwrap();
    (host, messages)
}

fn choice(what: &str) -> String {
    format!(r#"misbehaving:{{"do":"{what}"}}"#)
}

fn endpoint(limits: Limits, what: &str) -> (Arc<dyn Endpoint>, Messages) {
    let (host, messages) = misbehaving_host(limits);
    (host.endpoint(&choice(what)).unwrap(), messages)
}

const EVENTS: [Event<'static>; 2] =
    [Event { name: None, data: b"one" }, Event { name: Some("e"), data: b"two" }];

fn request() -> Request {
    Request {
        model: "m".to_owned(),
        turns: vec![Turn::text("user", "hello")],
        max_output_tokens: None,
        streaming: false,
        extra: None,
    }
}

fn crash(result: Result<impl Sized, PluginError>) -> String {
    match result {
        Err(PluginError::Crashed(text)) => text,
        Err(other) => panic!("not a crash: {other:?}"),
        Ok(_) => panic!("no error"),
    }
}

fn broken(result: Result<impl Sized, PluginError>) -> String {
    match result {
        Err(PluginError::BrokeContract(text)) => text,
        Err(other) => panic!("no broken contract: {other:?}"),
        Ok(_) => panic!("no error"),
    }
}

#[test]
fn a_plugin_that_behaves_is_served() {
    let (endpoint, _) = endpoint(limits(), "nothing");
    let response = endpoint.parse(&EVENTS, true).unwrap();
    let texts: Vec<_> = response.chunks.iter().map(|chunk| chunk.text.as_deref().unwrap()).collect();
    assert_eq!(texts, ["one", "two"]);
    let payload = endpoint.build(&request()).unwrap();
    assert_eq!(payload.body, b"hello");
    assert_eq!((payload.headers[0].name.as_str(), payload.headers[0].value.as_str()), ("x-model", "m"));
}

#[test]
fn an_endless_loop_is_stopped() {
    let (endpoint, _) = endpoint(limits(), "loop");
    let told = "endpoint 'misbehaving' ran longer than 0.2 s in parse and was stopped";
    assert_eq!(crash(endpoint.parse(&EVENTS, true)), told);
    assert_eq!(crash(endpoint.parse(&EVENTS, true)), told);
}

#[test]
fn analysis_has_a_time_limit_of_its_own() {
    let limits = Limits { endpoint_time: Duration::from_hours(1), ..limits() };
    let (host, _) = misbehaving_host(limits);
    let objective = host.objective(&choice("loop")).unwrap();
    assert_eq!(
        crash(objective.evaluate(&point(0, 1, &[]))),
        "objective 'misbehaving' ran longer than 0.2 s in evaluate and was stopped"
    );
}

#[test]
fn endless_recursion_is_stopped() {
    let (endpoint, _) = endpoint(patient(), "recurse");
    assert_eq!(
        crash(endpoint.parse(&EVENTS, true)),
        "endpoint 'misbehaving' reached outside of its memory in parse, as endless recursion does"
    );
}

#[test]
fn memory_is_limited() {
    let (endpoint, _) = endpoint(patient(), "allocate");
    assert_eq!(
        crash(endpoint.parse(&EVENTS, true)),
        "endpoint 'misbehaving' tried to use more than 64 MiB of memory in parse"
    );
}

#[test]
fn a_panic_is_told_with_its_message() {
    let (endpoint, messages) = endpoint(limits(), "panic");
    let text = crash(endpoint.parse(&EVENTS, true));
    assert!(text.starts_with("endpoint 'misbehaving' panicked in parse: src/lib.rs:"), "{text}");
    assert!(text.ends_with(": no such thing: 2"), "{text}");
    let lines = messages.take();
    assert_eq!(lines.len(), 1);
    assert_eq!((lines[0].speaker.as_str(), lines[0].level), ("endpoint 'misbehaving'", Level::Error));
}

#[test]
fn a_trap_without_a_message_is_told() {
    let (endpoint, _) = endpoint(limits(), "unreachable");
    assert_eq!(crash(endpoint.build(&request())), "endpoint 'misbehaving' panicked in build");
}

#[test]
fn a_large_result_is_stopped() {
    let (host, _) = misbehaving_host(patient());
    let large = host.endpoint(&choice("return-much")).unwrap();
    assert_eq!(
        crash(large.parse(&EVENTS, true)),
        "endpoint 'misbehaving' logged or returned more than 32 MiB in parse"
    );
    let larger = host.endpoint(&choice("return-more-than-memory")).unwrap();
    assert_eq!(
        crash(larger.parse(&EVENTS, true)),
        "endpoint 'misbehaving' tried to use more than 64 MiB of memory in parse"
    );
}

#[test]
fn a_large_log_is_cut() {
    let (endpoint, messages) = endpoint(patient(), "log-much");
    endpoint.parse(&EVENTS, true).unwrap();
    let lines = messages.take();
    assert_eq!(lines.len(), 100);
    assert!(lines.iter().all(|line| line.message.len() < 5000));
}

#[test]
fn a_long_log_is_cut_and_the_rest_is_counted() {
    let (endpoint, messages) = endpoint(patient(), "log-often");
    endpoint.parse(&EVENTS, true).unwrap();
    let lines = messages.take();
    assert_eq!(lines.len(), 101);
    assert_eq!(lines[99].message, "line 99");
    assert_eq!(lines[100].message, "99900 more messages of one call were dropped");
    assert_eq!(lines[100].level, Level::Warn);
}

#[test]
fn each_call_has_its_own_messages() {
    let (endpoint, messages) = endpoint(limits(), "log-one");
    for _ in 0..2 {
        endpoint.parse(&EVENTS, true).unwrap();
        let lines: Vec<String> = messages.take().iter().map(ToString::to_string).collect();
        assert_eq!(lines, ["endpoint 'misbehaving': one line"]);
    }
}

#[test]
fn errors_keep_their_kind_and_words() {
    let (host, _) = misbehaving_host(limits());
    for (what, error) in [
        ("invalid-settings", PluginError::InvalidSettings("settings".to_owned())),
        ("unsupported", PluginError::Unsupported("unsupported".to_owned())),
        ("malformed", PluginError::Malformed("malformed".to_owned())),
        ("server", PluginError::Server("server".to_owned())),
        ("other", PluginError::Other("other".to_owned())),
    ] {
        let endpoint = host.endpoint(&choice(what)).unwrap();
        assert_eq!(endpoint.parse(&EVENTS, true).unwrap_err(), error);
    }
}

#[test]
fn what_an_endpoint_returns_is_checked() {
    let (host, _) = misbehaving_host(limits());
    let endpoint = |what: &str| host.endpoint(&choice(what)).unwrap();
    assert_eq!(
        broken(endpoint("index").parse(&EVENTS, true)),
        "endpoint 'misbehaving' returned a chunk of event 7, but there are 2 events"
    );
    assert_eq!(
        broken(endpoint("descend").parse(&EVENTS, true)),
        "endpoint 'misbehaving' returned a chunk of event 0 after one of event 1"
    );
    assert_eq!(
        broken(endpoint("header").build(&request())),
        "endpoint 'misbehaving' returned the header 'content-length', which no endpoint may set"
    );
    assert!(broken(endpoint("path").build(&request())).contains("the path 'no-slash'"));
    assert!(broken(endpoint("path=/../admin").build(&request())).contains("leads out of the URL"));
    assert!(broken(endpoint("many-headers").build(&request())).contains("1000 headers"));
}

#[test]
fn what_an_objective_returns_is_checked() {
    let (host, _) = misbehaving_host(limits());
    let evaluate = |what: &str| host.objective(&choice(what)).unwrap().evaluate(&point(3, 1, &[]));
    assert_eq!(evaluate("nothing").unwrap().unwrap().value.to_bits(), 3.0_f64.to_bits());
    assert_eq!(evaluate("none").unwrap(), None);
    assert_eq!(broken(evaluate("nan")), "objective 'misbehaving' returned NaN, which is not a finite number");
    assert_eq!(
        broken(evaluate("infinity")),
        "objective 'misbehaving' returned inf, which is not a finite number"
    );
    assert!(broken(evaluate("metric")).contains("'no_such_metric'"));
    assert!(broken(evaluate("long-metric")).len() < 500);
    let refused = host.objective(&choice("long-unit")).map(drop).unwrap_err().to_string();
    assert!(refused.contains("returned the unit 'xxx") && refused.len() < 500, "{refused}");
}

#[test]
fn what_an_instance_keeps_between_calls_is_noticed() {
    let (host, _) = misbehaving_host(limits());
    let told = "returned another answer than a new instance of it to the same question";
    let objective = host.objective(&choice("remember")).unwrap();
    assert_eq!(objective.evaluate(&point(0, 1, &[])).unwrap().unwrap().value.to_bits(), 0);
    assert!(broken(objective.evaluate(&point(0, 1, &[]))).contains(told));
    let criterion = host.pareto(&choice("remember")).unwrap();
    let (axes, candidates) = trade_off();
    assert!(criterion.judge(&axes, &candidates).is_ok());
    assert!(broken(criterion.judge(&axes, &candidates)).contains(told));
    let detector = host.trend(&choice("remember")).unwrap();
    assert!(detector.detect(&series()).is_ok());
    assert!(broken(detector.detect(&series())).contains(told));
}

#[test]
fn a_long_error_is_cut() {
    let (endpoint, _) = endpoint(limits(), "long-error");
    let error = endpoint.parse(&EVENTS, true).unwrap_err();
    assert!(matches!(error, PluginError::Other(_)) && error.to_string().len() < 5000, "{error}");
}

/// Two objectives and two candidates.
fn trade_off() -> ([Axis; 2], [Candidate; 2]) {
    let named =
        |name: &str| Axis { objective: name.to_owned(), direction: Direction::Maximize, unit: String::new() };
    let candidate = |point_index| Candidate {
        point_index,
        scores: vec![Score { mean: 1.0, trials: vec![1.0], confidence: None }; 2],
    };
    ([named("a"), named("b")], [candidate(0), candidate(1)])
}

#[test]
fn what_a_criterion_returns_is_checked() {
    let (host, _) = misbehaving_host(limits());
    let (axes, candidates) = trade_off();
    let judge = |what: &str| host.pareto(&choice(what)).unwrap().judge(&axes, &candidates);
    assert_eq!(judge("nothing").unwrap().len(), 2);
    assert_eq!(judge("reject").unwrap().len(), 2);
    assert_eq!(broken(judge("count")), "pareto 'misbehaving' returned 3 judgements on 2 candidates");
    assert_eq!(
        broken(judge("circle")),
        "pareto 'misbehaving' returned a circle: candidate 0 is dominated by 1, and 1 in turn by 0"
    );
    assert_eq!(
        broken(judge("no-optimum")),
        "pareto 'misbehaving' returned no optimal candidate at all, although candidate 1 is dominated"
    );
    assert!(broken(judge("index")).contains("candidate 99"));
    assert!(broken(judge("nan")).contains("NaN as a probability"));
}

/// Two samples.
fn series() -> Series {
    let sample = |x: f64| Sample { point_index: 0, x, y: x, trials: vec![x], confidence: None };
    Series {
        parameter: "concurrency".to_owned(),
        key: "k".to_owned(),
        metric: "m".to_owned(),
        statistic: "avg".to_owned(),
        unit: "ms".to_owned(),
        better: None,
        samples: vec![sample(1.0), sample(2.0)],
    }
}

#[test]
fn what_a_detector_returns_is_checked() {
    let (host, _) = misbehaving_host(patient());
    let detect = |what: &str| host.trend(&choice(what)).unwrap().detect(&series());
    assert_eq!(detect("nothing").unwrap().findings.len(), 1);
    assert!(broken(detect("index")).contains("a finding from sample 0 to 2 of 2"));
    assert!(broken(detect("nan")).contains("NaN as a certainty"));
    assert!(broken(detect("count")).contains("2 values of 'numbers' for 2 samples"));
    assert!(broken(detect("long-kind")).len() < 500);
    let flood = detect("flood").unwrap();
    assert_eq!((flood.findings.len(), flood.derived.len(), flood.left_out), (100, 100, 9900 + 100));
}

#[test]
fn many_threads_share_one_plugin() {
    let limits = Limits { calls_per_instance: 10, ..patient() };
    let (endpoint, _) = endpoint(limits, "nothing");
    std::thread::scope(|scope| {
        for thread in 0..4_u8 {
            let endpoint = &endpoint;
            scope.spawn(move || {
                for call in 0..100_u8 {
                    let data = [b'a' + thread, b'a' + call % 26];
                    let response = endpoint.parse(&[Event { name: None, data: &data }], true).unwrap();
                    assert_eq!(response.chunks[0].text.as_deref().unwrap().as_bytes(), data);
                }
            });
        }
    });
}
