//! `input_config` in the metrics of a run: what was asked of the server, in the words that readers of the file know.
//!
//! The Python tool of the same name accepts a file only if this part has its shape, so it holds no more than that
//! shape has a place for. The whole resolved configuration is in the manifest.

use aiperf_model::arrival::{ArrivalPattern, RequestRate};
use aiperf_model::dataset::{DatasetType, Sampling, ScheduleWindow};
use serde_json::{Map, Value, json};
use std::path::Path;
use std::time::Duration;

/// A length in tokens that is drawn from a normal distribution.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TokenLength {
    /// The mean, in tokens.
    pub mean: f64,
    /// The standard deviation, in tokens.
    pub std_dev: f64,
}

/// What one run asks of the server.
#[derive(Clone, Debug, PartialEq)]
pub struct InputConfig<'a> {
    /// The model.
    pub model: &'a str,
    /// The URLs of the servers, without secrets.
    pub urls: &'a [String],
    /// The name of the endpoint plugin.
    pub endpoint_type: &'a str,
    /// Whether answers are streamed.
    pub streaming: bool,
    /// How many requests are in flight at once, or with a request rate at most; none for no limit.
    pub concurrency: Option<u32>,
    /// How requests arrive; none if a request follows the one before it.
    pub request_rate: Option<RequestRate>,
    /// For how long concurrency and request rate grow; 0 if they do not.
    pub ramps: (Duration, Duration),
    /// Which timestamps of the file say when requests are due, if they do.
    pub fixed_schedule: Option<ScheduleWindow>,
    /// How many requests are sent, or none if something else ends the run.
    pub requests: Option<u32>,
    /// How many conversations are begun, or none if something else ends the run.
    pub conversations: Option<u32>,
    /// For how long requests are sent, or none if only their number ends the run.
    pub duration: Option<Duration>,
    /// The file that the prompts come from; none if they are made up.
    pub file: Option<InputFile<'a>>,
    /// How many different prompts there are.
    pub prompts: u32,
    /// The length of the prompts.
    pub input_length: TokenLength,
    /// The length of the answers that is asked for, if any.
    pub output_length: Option<TokenLength>,
    /// The seed of the prompts.
    pub random_seed: u64,
}

/// A file of requests.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InputFile<'a> {
    /// The file.
    pub path: &'a Path,
    /// What its lines are.
    pub kind: DatasetType,
    /// In which order they are sent.
    pub sampling: Sampling,
}

impl InputConfig<'_> {
    /// The JSON of the file.
    #[must_use]
    pub fn to_value(&self) -> Value {
        json!({
            "models": { "items": [{ "name": self.model }] },
            "endpoint": { "urls": self.urls, "type": self.endpoint_type, "streaming": self.streaming },
            "datasets": [self.dataset()],
            "phases": [self.phase()],
        })
    }

    fn dataset(&self) -> Value {
        match self.file {
            Some(InputFile { path, kind, sampling }) => json!({
                "name": "main",
                "type": "file",
                "path": path.to_string_lossy(),
                "format": kind.name(),
                "sampling": sampling.name(),
                "random_seed": self.random_seed,
            }),
            None => json!({
                "name": "main",
                "type": "synthetic",
                "entries": self.prompts,
                "random_seed": self.random_seed,
                "prompts": self.lengths(),
            }),
        }
    }

    fn lengths(&self) -> Value {
        let length = |length: TokenLength| json!({ "mean": length.mean, "stddev": length.std_dev });
        let input = ("isl".to_owned(), length(self.input_length));
        let output = self.output_length.map(|output| ("osl".to_owned(), length(output)));
        std::iter::once(input).chain(output).collect::<Map<_, _>>().into()
    }

    fn phase(&self) -> Value {
        let pattern = self.request_rate.map(|rate| rate.pattern);
        let kind = match pattern {
            None if self.fixed_schedule.is_some() => "fixed_schedule",
            None => "concurrency",
            Some(ArrivalPattern::Poisson) => "poisson",
            Some(ArrivalPattern::Constant) => "constant",
            Some(ArrivalPattern::Gamma { .. }) => "gamma",
        };
        let smoothness = match pattern {
            Some(ArrivalPattern::Gamma { smoothness }) => Some(("smoothness", smoothness.into())),
            _ => None,
        };
        let always =
            [("name", Value::from("profiling")), ("kind", "profiling".into()), ("type", kind.into())];
        let rate = self.request_rate.map(|rate| ("rate", rate.per_second.into()));
        let concurrency = self.concurrency.map(|concurrency| ("concurrency", concurrency.into()));
        let requests = self.requests.map(|requests| ("requests", requests.into()));
        let duration = self.duration.map(|duration| ("duration", duration.as_secs_f64().into()));
        let load = rate.into_iter().chain(smoothness).chain(concurrency);
        let ramp = |name, ramp: Duration| (!ramp.is_zero()).then(|| (name, ramp.as_secs_f64().into()));
        let (concurrency_ramp, rate_ramp) = self.ramps;
        let ramps = [ramp("concurrency_ramp", concurrency_ramp), ramp("rate_ramp", rate_ramp)];
        let window = self.fixed_schedule.unwrap_or_default();
        let auto_offset = self.fixed_schedule.map(|window| ("auto_offset", window.auto_offset.into()));
        let start_offset = window.start_ms.map(|start| ("start_offset", start.into()));
        let end_offset = window.end_ms.map(|end| ("end_offset", end.into()));
        let conversations = self.conversations.map(|conversations| ("sessions", conversations.into()));
        let fields = always.into_iter().chain(load).chain(ramps.into_iter().flatten());
        let fields = fields.chain(auto_offset).chain(start_offset).chain(end_offset);
        let fields = fields.chain(requests).chain(conversations).chain(duration);
        fields.map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open_loop(pattern: ArrivalPattern, concurrency: Option<u32>) -> Value {
        let config = InputConfig {
            model: "demo",
            urls: &[],
            endpoint_type: "chat",
            streaming: true,
            concurrency,
            request_rate: Some(RequestRate { per_second: 2.5, pattern }),
            ramps: (Duration::ZERO, Duration::ZERO),
            fixed_schedule: None,
            requests: Some(100),
            conversations: None,
            duration: None,
            file: None,
            prompts: 100,
            input_length: TokenLength { mean: 550.0, std_dev: 0.0 },
            output_length: None,
            random_seed: 42,
        };
        config.phase()
    }

    #[test]
    fn an_open_loop_is_named_after_its_arrivals() {
        let named = |kind: &str| json!({ "name": "profiling", "kind": "profiling", "type": kind, "rate": 2.5, "requests": 100 });
        assert_eq!(open_loop(ArrivalPattern::Poisson, None), named("poisson"));
        assert_eq!(open_loop(ArrivalPattern::Constant, None), named("constant"));
        let gamma = open_loop(ArrivalPattern::Gamma { smoothness: 4.0 }, Some(8));
        assert_eq!(
            (&gamma["type"], &gamma["smoothness"], &gamma["concurrency"]),
            (&json!("gamma"), &json!(4.0), &json!(8))
        );
    }

    #[test]
    fn only_what_is_asked_is_named() {
        let config = InputConfig {
            model: "demo",
            urls: &["http://localhost:8000".to_owned()],
            endpoint_type: "chat",
            streaming: true,
            concurrency: Some(10),
            request_rate: None,
            ramps: (Duration::ZERO, Duration::ZERO),
            fixed_schedule: None,
            requests: Some(100),
            conversations: None,
            duration: None,
            file: None,
            prompts: 100,
            input_length: TokenLength { mean: 550.0, std_dev: 0.0 },
            output_length: None,
            random_seed: 42,
        };
        let expected = json!({
            "models": { "items": [{ "name": "demo" }] },
            "endpoint": { "urls": ["http://localhost:8000"], "type": "chat", "streaming": true },
            "datasets": [{
                "name": "main", "type": "synthetic", "entries": 100, "random_seed": 42,
                "prompts": { "isl": { "mean": 550.0, "stddev": 0.0 } },
            }],
            "phases": [{
                "name": "profiling", "kind": "profiling", "type": "concurrency", "concurrency": 10, "requests": 100,
            }],
        });
        assert_eq!(config.to_value(), expected);
        let timed = InputConfig {
            requests: None,
            duration: Some(Duration::from_millis(2500)),
            output_length: Some(TokenLength { mean: 128.0, std_dev: 4.0 }),
            ..config
        };
        let value = timed.to_value();
        assert_eq!(value["phases"][0]["duration"], 2.5);
        assert!(value["phases"][0].get("requests").is_none());
        assert_eq!(value["datasets"][0]["prompts"]["osl"], json!({ "mean": 128.0, "stddev": 4.0 }));
    }
}
