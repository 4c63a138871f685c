//! The built-in plugins, on the example of the specification.

use aiperf_model::conclusion::{Axis, Candidate, Sample, Score, Series, Standing};
use aiperf_model::plugin::Kind;
use aiperf_model::point::Point;
use aiperf_model::request::{Request, Turn};
use aiperf_model::response::Event;
use aiperf_plugin_host::{HostConfig, Limits, LogSink, PluginHost, Source};

use crate::support::{Messages, host, point};

const CONCURRENCY: [i64; 4] = [10, 20, 30, 40];
const THROUGHPUT: [f64; 4] = [95.2, 175.8, 245.3, 255.1];
const LATENCY: [f64; 4] = [125.4, 145.2, 180.5, 285.7];

fn points() -> Vec<Point> {
    (0..)
        .zip(CONCURRENCY)
        .zip(THROUGHPUT.into_iter().zip(LATENCY))
        .map(|((index, concurrency), (throughput, latency))| {
            let means =
                [("request_throughput_avg", "requests/sec", throughput), ("ttft_p99_ms", "ms", latency)];
            point(index, concurrency, &means)
        })
        .collect()
}

fn series(key: &str, values: [f64; 4]) -> Series {
    let samples = (0..)
        .zip(CONCURRENCY)
        .zip(values)
        .map(|((point_index, x), y)| Sample {
            point_index,
            x: x as f64,
            y,
            trials: vec![y],
            confidence: None,
        })
        .collect();
    Series {
        parameter: "concurrency".to_owned(),
        key: key.to_owned(),
        metric: key.to_owned(),
        statistic: "avg".to_owned(),
        unit: "ms".to_owned(),
        better: None,
        samples,
    }
}

/// The objectives' values as candidates for a trade-off.
fn trade_off(host: &PluginHost) -> (Vec<Axis>, Vec<Candidate>) {
    let objectives = ["throughput", "latency-p99"].map(|name| host.objective(name).unwrap());
    let axes = objectives
        .iter()
        .map(|objective| Axis {
            objective: objective.identity().name.clone(),
            direction: objective.direction(),
            unit: objective.unit().to_owned(),
        })
        .collect();
    let score = |mean: f64| Score { mean, trials: vec![mean], confidence: None };
    let candidates = points()
        .iter()
        .map(|point| Candidate {
            point_index: point.index,
            scores: objectives
                .iter()
                .map(|objective| score(objective.evaluate(point).unwrap().unwrap().value))
                .collect(),
        })
        .collect();
    (axes, candidates)
}

fn optimal(host: &PluginHost, criterion: &str) -> Vec<i64> {
    let (axes, candidates) = trade_off(host);
    let judgements = host.pareto(criterion).unwrap().judge(&axes, &candidates).unwrap();
    let is_optimal = |index: &usize| judgements[*index].standing == Standing::Optimal;
    (0..4).filter(is_optimal).map(|index| CONCURRENCY[index]).collect()
}

fn inflections(host: &PluginHost, detector: &str, series: &Series) -> Vec<f64> {
    let report = host.trend(detector).unwrap().detect(series).unwrap();
    report
        .findings
        .iter()
        .filter(|finding| finding.kind == "inflection")
        .map(|finding| series.samples[finding.first as usize].x)
        .collect()
}

#[test]
fn every_built_in_plugin_goes_by_the_name_it_is_listed_under() {
    let (mut host, _) = host(Limits::default());
    let descriptions = host.descriptions().unwrap();
    let kinds = [Kind::Endpoint, Kind::Objective, Kind::Pareto, Kind::Trend];
    let listed: Vec<(Kind, &str)> =
        kinds.iter().flat_map(|kind| host.names(*kind).map(move |name| (*kind, name))).collect();
    let described: Vec<(Kind, &str)> =
        descriptions.iter().map(|description| (description.kind, description.name.as_str())).collect();
    assert_eq!(listed, described);
    assert!(descriptions.iter().all(|description| description.source == Source::BuiltIn));
    assert!(descriptions.iter().all(|description| !description.summary.is_empty()));
}

#[test]
fn objectives_name_the_measurement_they_judge() {
    let (host, _) = host(Limits::default());
    for (name, key, unit) in
        [("throughput", "request_throughput_avg", "requests/sec"), ("latency-p99", "ttft_p99_ms", "ms")]
    {
        let objective = host.objective(name).unwrap();
        let evaluation = objective.evaluate(&points()[0]).unwrap().unwrap();
        assert_eq!((objective.unit(), evaluation.metric.as_deref()), (unit, Some(key)));
    }
}

#[test]
fn the_specification_s_trade_off_comes_out() {
    let (host, _) = host(Limits::default());
    assert_eq!(optimal(&host, "efficient"), [10, 30, 40]);
    assert_eq!(optimal(&host, "dominance"), [10, 20, 30, 40]);
}

#[test]
fn the_specification_s_trends_come_out() {
    let (host, _) = host(Limits::default());
    let latency = series("ttft_p99_ms", LATENCY);
    assert_eq!(inflections(&host, "relative-step", &latency), [30.0, 40.0]);
    let throughput = series("request_throughput_avg", THROUGHPUT);
    assert_eq!(inflections(&host, "slope-change", &throughput), [30.0]);
    assert_eq!(inflections(&host, "slope-change", &latency), [40.0]);
}

#[test]
fn chat_builds_requests_and_reads_streams() {
    let (host, _) = host(Limits::default());
    let chat = host.endpoint("chat").unwrap();
    assert_eq!(chat.info().default_path, "/v1/chat/completions");
    let request = Request {
        model: "llama-3-8b".to_owned(),
        turns: vec![Turn::text("user", "Say \"hi\".")],
        max_output_tokens: Some(16),
        streaming: true,
        extra: Some(r#"{"temperature":0}"#.to_owned()),
    };
    let body: serde_json::Value = serde_json::from_slice(&chat.build(&request).unwrap().body).unwrap();
    assert_eq!(body["model"], "llama-3-8b");
    assert_eq!(body["stream"], true);
    assert_eq!(body["temperature"], 0);
    assert_eq!(body["messages"][0]["role"], "user");

    let data = [
        r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}"#,
        r#"{"choices":[{"index":0,"delta":{"content":"Hel"}}]}"#,
        r#"{"choices":[{"index":0,"delta":{"content":"lo"},"finish_reason":"stop"}]}"#,
        r#"{"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11}}"#,
        "[DONE]",
    ];
    let events = data.map(|data| Event { name: None, data: data.as_bytes() });
    let response = chat.parse(&events, true).unwrap();
    let chunks: Vec<_> = response
        .chunks
        .iter()
        .filter(|chunk| chunk.text.as_ref().is_some_and(|text| !text.is_empty()))
        .map(|chunk| (chunk.event_index, chunk.text.as_deref().unwrap()))
        .collect();
    assert_eq!(chunks, [(1, "Hel"), (2, "lo")]);
    assert_eq!(response.usage.unwrap().output_tokens, Some(2));
    assert_eq!(response.finish_reason.as_deref(), Some("stop"));
    assert!(response.complete);
    assert!(chat.parse(&events[..3], true).is_ok_and(|response| !response.complete));
    assert!(chat.parse(&[Event { name: None, data: b"{" }], true).is_err());
}

#[test]
fn a_body_is_complete_where_a_stream_of_the_same_event_is_not() {
    let (host, _) = host(Limits::default());
    let completions = host.endpoint("completions").unwrap();
    let data = br#"{"choices":[{"index":0,"text":"Hello","finish_reason":"stop"}]}"#;
    let events = [Event { name: None, data }];
    assert!(completions.parse(&events, false).unwrap().complete);
    assert!(!completions.parse(&events, true).unwrap().complete);
}

#[test]
fn an_identity_says_what_ran() {
    let (host, _) = host(Limits::default());
    let detector = host.trend(r#"relative-step:{ "threshold": 0.25 }"#).unwrap();
    let identity = detector.identity();
    assert_eq!(identity.to_string(), "trend 'relative-step'");
    assert_eq!(identity.source, "built-in");
    assert_eq!(identity.settings, r#"{"threshold":0.25}"#);
    assert_eq!(identity.sha256.len(), 64);
    assert!(!identity.version.is_empty());
}

#[test]
fn compiled_code_is_found_again_in_the_cache() {
    let folder = tempfile::tempdir().unwrap();
    let messages = Messages::default();
    let start = |log: LogSink| {
        let config = HostConfig { cache_dir: Some(folder.path().to_owned()), log, ..HostConfig::default() };
        let host = PluginHost::new(config).unwrap();
        host.preload([(Kind::Objective, "throughput"), (Kind::Objective, "no-such-plugin")]);
        host.objective("throughput").unwrap().evaluate(&points()[0]).unwrap()
    };
    let first = start(messages.sink());
    let files = walk(folder.path());
    let second = start(messages.sink());
    assert_eq!(first, second);
    assert!(!files.is_empty());
    assert_eq!(walk(folder.path()).len(), files.len());
    assert_eq!(messages.take(), []);
}

/// The compiled code below a folder; the cache keeps statistics beside it.
fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] })
        .filter(|path| path.extension().is_none())
        .collect()
}
