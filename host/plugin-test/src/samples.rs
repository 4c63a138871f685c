//! Inputs that every plugin of a kind must bear, each with a few words on what is special about it.

use aiperf_model::conclusion::{Axis, Candidate, Direction, Sample, Score, Series};
use aiperf_model::parameter::{Parameter, ParameterValue};
use aiperf_model::point::{Extremes, Interval, Measurement, Point};
use aiperf_model::request::{Part, Request, Turn};
use aiperf_model::response::OwnedEvent;

/// An input and what is special about it.
pub(crate) type Labelled<T> = (&'static str, T);

/// Points of a sweep.
pub(crate) fn points() -> Vec<Labelled<Point>> {
    let measured = [
        ("request_throughput_avg", "requests/sec", 95.2),
        ("output_token_throughput_avg", "tokens/sec", 6093.0),
        ("ttft_avg_ms", "ms", 98.1),
        ("ttft_p99_ms", "ms", 125.4),
        ("itl_avg_ms", "ms", 11.2),
        ("request_latency_p99_ms", "ms", 1520.0),
        ("error_rate", "%", 0.0),
    ];
    let measurement = |(key, unit, mean): (&str, &str, f64), trials: usize| Measurement {
        key: key.to_owned(),
        metric: key.to_owned(),
        statistic: "avg".to_owned(),
        unit: unit.to_owned(),
        better: None,
        mean,
        trials: vec![mean; trials],
        std_dev: (trials > 1).then_some(0.0),
        confidence: (trials > 1).then_some(Interval { low: mean, high: mean, level: 0.95 }),
        within_run: None,
        extremes: Extremes::default(),
    };
    let point = |value: ParameterValue, trials: usize, scale: f64| Point {
        index: 0,
        parameters: vec![Parameter::new("concurrency", value)],
        trials: trials as u32,
        measurements: measured
            .map(|(key, unit, mean)| measurement((key, unit, mean * scale), trials))
            .to_vec(),
    };
    let bare = Point { index: 3, parameters: Vec::new(), trials: 1, measurements: Vec::new() };
    vec![
        ("a point of one trial", point(ParameterValue::Integer(10), 1, 1.0)),
        ("a point of five trials", point(ParameterValue::Integer(10), 5, 1.0)),
        ("a parameter that is a text", point(ParameterValue::Text("tiny".to_owned()), 1, 1.0)),
        ("a parameter that is a fraction", point(ParameterValue::Number(2.5), 1, 1.0)),
        ("measurements of zero", point(ParameterValue::Integer(1), 1, 0.0)),
        ("very large measurements", point(ParameterValue::Integer(1), 1, 1e300)),
        ("a point without measurements", bare),
    ]
}

/// Trade-offs.
pub(crate) fn trade_offs() -> Vec<Labelled<(Vec<Axis>, Vec<Candidate>)>> {
    let axes = |count: usize| -> Vec<Axis> {
        let directions = [Direction::Maximize, Direction::Minimize, Direction::Minimize];
        let named = ["throughput", "latency-p99", "cost"].into_iter().zip(directions).take(count);
        named
            .map(|(name, direction)| Axis { objective: name.to_owned(), direction, unit: String::new() })
            .collect()
    };
    let candidates = |means: &[&[f64]], trials: usize| -> Vec<Candidate> {
        let score = |mean: &f64| Score {
            mean: *mean,
            trials: vec![*mean; trials],
            confidence: (trials > 1).then_some(Interval { low: *mean, high: *mean, level: 0.95 }),
        };
        let candidate = |(means, point_index): (&&[f64], u32)| Candidate {
            point_index,
            scores: means.iter().map(score).collect(),
        };
        means.iter().zip(0..).map(candidate).collect()
    };
    let four: [&[f64]; 4] = [&[95.2, 125.4], &[175.8, 145.2], &[245.3, 180.5], &[255.1, 285.7]];
    let mixed: [&[f64]; 5] = [&[3.0, 3.0], &[2.0, 2.0], &[1.0, 3.0], &[2.0, 1.0], &[3.0, 4.0]];
    let three: [&[f64]; 3] = [&[2.0, 1.0, 9.0], &[1.0, 2.0, 3.0], &[1.0, 2.0, 9.0]];
    vec![
        ("four points", (axes(2), candidates(&four, 1))),
        ("points of three trials", (axes(2), candidates(&four, 3))),
        ("points that others beat", (axes(2), candidates(&mixed, 1))),
        ("three objectives", (axes(3), candidates(&three, 1))),
        ("equal points", (axes(2), candidates(&[&[1.0, 1.0], &[1.0, 1.0]], 1))),
        ("zeros and negative values", (axes(2), candidates(&[&[0.0, -1.0], &[-2.0, 0.0]], 1))),
        ("a single point", (axes(2), candidates(&[&[1.0, 1.0]], 1))),
        ("no points", (axes(2), Vec::new())),
    ]
}

/// Series of measurements.
pub(crate) fn series() -> Vec<Labelled<Series>> {
    let series = |better: Option<Direction>, values: &[f64], trials: usize| Series {
        parameter: "concurrency".to_owned(),
        key: "request_throughput_avg".to_owned(),
        metric: "request_throughput".to_owned(),
        statistic: "avg".to_owned(),
        unit: "requests/sec".to_owned(),
        better,
        samples: (0..)
            .zip(values)
            .map(|(point_index, y)| Sample {
                point_index,
                x: f64::from(point_index + 1) * 10.0,
                y: *y,
                trials: vec![*y; trials],
                confidence: None,
            })
            .collect(),
    };
    let up = Some(Direction::Maximize);
    vec![
        ("growth that slows down", series(up, &[95.2, 175.8, 245.3, 255.1], 1)),
        ("three trials", series(up, &[95.2, 175.8, 245.3, 255.1], 3)),
        ("growth that turns", series(up, &[100.0, 250.0, 240.0, 100.0], 1)),
        ("a fall", series(Some(Direction::Minimize), &[400.0, 200.0, 100.0], 1)),
        ("a constant", series(up, &[5.0, 5.0, 5.0], 1)),
        ("zeros", series(None, &[0.0, 0.0, 0.0], 1)),
        ("negative values", series(None, &[-3.0, -1.0, -2.0], 1)),
        ("two samples", series(up, &[1.0, 2.0], 1)),
    ]
}

/// Requests.
pub(crate) fn requests() -> Vec<Labelled<Request>> {
    let request = |turns: Vec<Turn>| Request {
        model: "tiny".to_owned(),
        turns,
        max_output_tokens: Some(8),
        streaming: false,
        extra: None,
    };
    let one = || request(vec![Turn::text("user", "Once upon a time")]);
    let image = Turn {
        role: "user".to_owned(),
        parts: vec![Part { kind: "image".to_owned(), value: "data:image/png;base64,AA==".to_owned() }],
    };
    vec![
        ("one turn", one()),
        ("one turn to be streamed", Request { streaming: true, ..one() }),
        ("no limit on the output", Request { max_output_tokens: None, ..one() }),
        ("fields of the user", Request { extra: Some(r#"{"temperature":0}"#.to_owned()), ..one() }),
        ("several turns", request(["user", "assistant", "user"].map(|role| Turn::text(role, "a")).to_vec())),
        (
            "text with quotes and line breaks",
            request(vec![Turn::text("user", "\"a\"\n\\u{1f600} \u{1f600}")]),
        ),
        ("an empty text", request(vec![Turn::text("user", "")])),
        ("an image", request(vec![image])),
    ]
}

/// Responses that are none.
pub(crate) fn garbage() -> Vec<Labelled<Vec<OwnedEvent>>> {
    let events = |data: &[&[u8]]| -> Vec<OwnedEvent> {
        data.iter().map(|data| OwnedEvent { name: None, data: data.to_vec() }).collect()
    };
    // Deeper than any server goes, and no deeper than an interpreter's own parser bears.
    let nested = "[".repeat(200);
    vec![
        ("an empty event", events(&[b""])),
        ("a page of HTML", events(&[b"<html><body>502 Bad Gateway</body></html>"])),
        ("bytes that are no text", events(&[&[0xff, 0xfe, 0x00, 0x80]])),
        ("JSON cut short", events(&[br#"{"choices":[{"delta":{"content":"a"#])),
        ("null", events(&[b"null"])),
        ("numbers", events(&[b"42", b"-1e999"])),
        ("deeply nested JSON", events(&[nested.as_bytes()])),
        ("an object of another shape", events(&[br#"{"detail":"Not Found"}"#])),
        ("half a character", events(&[br#"{"text":"\ud800"}"#])),
    ]
}
