//! The calls whose cost is measured: those of the author's fixtures, or typical ones.

use crate::samples;
use aiperf_model::parameter::{Parameter, ParameterValue};
use aiperf_model::plugin::{Kind, PluginError};
use aiperf_model::point::{Extremes, Measurement, Point};
use aiperf_model::request::{Request, Turn};
use aiperf_model::response::OwnedEvent;
use aiperf_plugin_host::{Call, Case};
use serde_json::{Map, Value};

/// How many events a response has whose parsing is measured, if it can be had.
const EVENTS: usize = 256;

/// How many measurements the point has that an objective is asked for.
const MEASUREMENTS: usize = 64;

/// A call whose cost is measured.
pub(crate) struct Workload {
    /// What it is, for the reader.
    pub(crate) name: String,
    /// The call.
    pub(crate) call: Call,
    /// The settings it is made under.
    pub(crate) settings: Map<String, Value>,
}

impl Workload {
    fn new(name: impl Into<String>, call: Call) -> Self {
        Self { name: name.into(), call, settings: Map::new() }
    }

    /// How many parts of equal kind the call has: events where it reads a response, else one.
    pub(crate) fn parts(&self) -> usize {
        match &self.call {
            Call::Parse { events, .. } => events.len().max(1),
            _ => 1,
        }
    }
}

/// For each function of a kind, the first call that succeeds by `answers`: of the fixtures, or else of the samples.
pub(crate) fn choose(
    kind: Kind,
    fixtures: Vec<(String, Case)>,
    answers: impl Fn(&Workload) -> Result<(), PluginError>,
) -> Vec<Workload> {
    let mut candidates: Vec<Workload> = Vec::new();
    for (file, Case { call, settings, .. }) in fixtures {
        if let Some(long) = stretched(&call) {
            candidates.push(Workload {
                name: format!("{file}, to {EVENTS} events"),
                call: long,
                settings: settings.clone(),
            });
        }
        candidates.push(Workload { name: file, call, settings });
    }
    candidates.extend(samples_of(kind));
    let mut chosen: Vec<Workload> = Vec::new();
    for candidate in candidates {
        let is_new = chosen.iter().all(|other| other.call.function() != candidate.call.function());
        if candidate.call.kind() == kind && is_new && answers(&candidate).is_ok() {
            chosen.push(candidate);
        }
    }
    chosen
}

/// A stream with its second event again and again, so that it has enough events for the cost of one.
fn stretched(call: &Call) -> Option<Call> {
    let Call::Parse { events, streamed: true } = call else { return None };
    let (first, repeated, rest) = match events.as_slice() {
        [first, repeated, rest @ ..] if events.len() < EVENTS => (first, repeated, rest),
        _ => return None,
    };
    let middle = std::iter::repeat_n(repeated, EVENTS - 1 - rest.len());
    let events = std::iter::once(first).chain(middle).chain(rest).cloned().collect();
    Some(Call::Parse { events, streamed: true })
}

fn samples_of(kind: Kind) -> Vec<Workload> {
    match kind {
        Kind::Endpoint => {
            let parse = |events: Vec<String>, streamed: bool| {
                let event = |data: String| OwnedEvent { name: None, data: data.into_bytes() };
                Call::Parse { events: events.into_iter().map(event).collect(), streamed }
            };
            vec![
                Workload::new("a prompt of 2.5 kB", Call::Build(request(true))),
                Workload::new("a prompt of 2.5 kB", Call::Build(request(false))),
                Workload::new("a chat response", parse(stream(chat_event), true)),
                Workload::new("a completion", parse(stream(completion_event), true)),
                Workload::new("an embedding", parse(vec![embedding()], false)),
            ]
        }
        Kind::Objective => {
            vec![Workload::new(format!("{MEASUREMENTS} measurements"), Call::Evaluate(point()))]
        }
        Kind::Pareto => {
            let judge = |(name, (axes, candidates))| Workload::new(name, Call::Judge { axes, candidates });
            samples::trade_offs().into_iter().map(judge).collect()
        }
        Kind::Trend => samples::series()
            .into_iter()
            .map(|(name, series)| Workload::new(name, Call::Detect(series)))
            .collect(),
    }
}

fn request(streaming: bool) -> Request {
    Request {
        model: "meta-llama/Llama-3.1-8B-Instruct".to_owned(),
        turns: vec![Turn::text("user", "word ".repeat(500))],
        max_output_tokens: Some(256),
        streaming,
        extra: None,
    }
}

/// A stream as vLLM writes it.
fn stream(event: fn(usize) -> String) -> Vec<String> {
    (0..EVENTS - 1).map(event).chain(["[DONE]".to_owned()]).collect()
}

/// 248 bytes; one text in sixteen has an escape.
fn chat_event(index: usize) -> String {
    let text = text(index);
    format!(
        r#"{{"id":"chatcmpl-5f0c2a6a9b0a4c4f8e0f6f1f2c3d4e5f","object":"chat.completion.chunk","created":1763955000,"model":"meta-llama/Llama-3.1-8B-Instruct","choices":[{{"index":0,"delta":{{"content":"{text}"}},"logprobs":null,"finish_reason":null}}]}}"#
    )
}

fn completion_event(index: usize) -> String {
    let text = text(index);
    format!(
        r#"{{"id":"cmpl-5f0c2a6a9b0a4c4f8e0f6f1f2c3d4e5f","object":"text_completion","created":1763955000,"model":"meta-llama/Llama-3.1-8B-Instruct","choices":[{{"index":0,"text":"{text}","logprobs":null,"finish_reason":null}}]}}"#
    )
}

fn text(index: usize) -> String {
    if index % 16 == 15 { format!(r"\n{index}") } else { format!(" word{index}") }
}

fn embedding() -> String {
    let vector = vec!["0.0123456"; 1024].join(",");
    format!(
        r#"{{"object":"list","data":[{{"object":"embedding","index":0,"embedding":[{vector}]}}],"model":"m","usage":{{"prompt_tokens":8,"total_tokens":8}}}}"#
    )
}

fn point() -> Point {
    let measurement = |index: usize| Measurement {
        key: match index {
            0 => "request_throughput_avg".to_owned(),
            1 => "ttft_p99_ms".to_owned(),
            index => format!("metric_{index}_p99_ms"),
        },
        metric: format!("metric_{index}"),
        statistic: "p99".to_owned(),
        unit: "ms".to_owned(),
        better: None,
        mean: index as f64,
        trials: vec![index as f64; 5],
        std_dev: Some(0.5),
        confidence: None,
        within_run: None,
        extremes: Extremes::default(),
    };
    Point {
        index: 0,
        parameters: vec![Parameter::new("concurrency", ParameterValue::Integer(10))],
        trials: 5,
        measurements: (0..MEASUREMENTS).map(measurement).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream_of(texts: &[&str]) -> Call {
        let event = |text: &&str| OwnedEvent { name: None, data: text.as_bytes().to_vec() };
        Call::Parse { events: texts.iter().map(event).collect(), streamed: true }
    }

    #[test]
    fn a_short_stream_is_stretched_in_its_middle() {
        let Some(Call::Parse { events, .. }) = stretched(&stream_of(&["a", "b", "c", "d"])) else {
            panic!("not stretched");
        };
        assert_eq!(events.len(), EVENTS);
        let text = |index: usize| String::from_utf8(events[index].data.clone()).unwrap();
        assert_eq!([text(0), text(1), text(253), text(254), text(255)], ["a", "b", "b", "c", "d"]);
        assert!(stretched(&stream_of(&["a"])).is_none());
    }

    #[test]
    fn the_first_that_is_answered_of_each_function_is_chosen() {
        let case = |call: Call| Case { plugin: None, call, settings: Map::new(), error: None, answer: None };
        let fixtures = vec![
            ("short.json".to_owned(), case(stream_of(&["a"]))),
            ("point.json".to_owned(), case(Call::Evaluate(point()))),
        ];
        let reads_no_short = |workload: &Workload| match &workload.call {
            Call::Parse { events, .. } if events.len() < 2 => Err(PluginError::Other(String::new())),
            _ => Ok(()),
        };
        let chosen = choose(Kind::Endpoint, fixtures, reads_no_short);
        let names: Vec<&str> = chosen.iter().map(|workload| workload.name.as_str()).collect();
        assert_eq!(names, ["a prompt of 2.5 kB", "a chat response"]);
        assert_eq!(chosen[1].parts(), EVENTS);
    }
}
