//! Prints what the sandbox costs: starting with and without compiled code, instances, calls, and events.
//!
//! `cargo run --release -p aiperf-plugin-host --example costs`

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aiperf_model::parameter::{Parameter, ParameterValue};
use aiperf_model::plugin::{Endpoint, Kind};
use aiperf_model::point::{Measurement, Point};
use aiperf_model::request::{Request, Turn};
use aiperf_model::response::Event;
use aiperf_plugin_host::{HostConfig, Limits, PluginHost};

/// What a sweep uses.
const SWEEP: [(Kind, &str); 7] = [
    (Kind::Endpoint, "chat"),
    (Kind::Objective, "throughput"),
    (Kind::Objective, "latency-p99"),
    (Kind::Pareto, "dominance"),
    (Kind::Pareto, "efficient"),
    (Kind::Trend, "slope-change"),
    (Kind::Trend, "relative-step"),
];

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    for what in ["no code cache", "code cache, first start", "code cache, second start", "third start"] {
        let cache = (what != "no code cache").then(|| folder.path());
        let (time, _) = timed(|| start(cache));
        println!("{what}: {time:.1?} for one endpoint, two objectives, two criteria, two detectors");
    }

    let host = start(None)?;
    let endpoint = host.endpoint("chat")?;
    let events = chat_response(256);
    let events: Vec<Event<'_>> =
        events.iter().map(|data| Event { name: None, data: data.as_bytes() }).collect();
    let parse = median(500, || endpoint.parse(&events, true).is_ok());
    println!(
        "chat, parse of {} events: {parse:.1?}, {:.0?} per event",
        events.len(),
        parse / events.len() as u32
    );
    let one_event = events.get(..1).ok_or("there are no events")?;
    let short = median(5000, || endpoint.parse(one_event, true).is_ok());
    println!("chat, parse of one event: {short:.1?}");
    let request = prompt(2500);
    let build = median(2000, || endpoint.build(&request).is_ok());
    println!("chat, build of a prompt of 2.5 kB: {build:.1?}");
    let objective = host.objective("throughput")?;
    let point = point(64);
    let evaluate = median(2000, || objective.evaluate(&point).is_ok());
    println!("throughput, evaluate of 64 measurements: {evaluate:.1?}");

    let fresh = with_fresh_instances()?;
    let first = median(500, || fresh.parse(one_event, true).is_ok());
    println!("a new instance, configured, with its first call: {:.1?}", first.saturating_sub(short));

    let crashing = crashing()?;
    for which in ["first", "second", "third"] {
        let (time, ()) = timed(|| (0..1000).for_each(|_| assert!(crashing.parse(one_event, true).is_err())));
        println!("the {which} 1000 crashes: {:.1?} each", time / 1000);
    }
    Ok(())
}

fn start(cache: Option<&Path>) -> Result<PluginHost, Box<dyn Error>> {
    let host = PluginHost::new(HostConfig { cache_dir: cache.map(Path::to_owned), ..HostConfig::default() })?;
    host.preload(SWEEP);
    for (kind, name) in SWEEP {
        match kind {
            Kind::Endpoint => drop(host.endpoint(name)?),
            Kind::Objective => drop(host.objective(name)?),
            Kind::Pareto => drop(host.pareto(name)?),
            Kind::Trend => drop(host.trend(name)?),
        }
    }
    Ok(host)
}

/// The chat endpoint with an instance for each call.
fn with_fresh_instances() -> Result<Arc<dyn Endpoint>, Box<dyn Error>> {
    let limits = Limits { calls_per_instance: 1, ..Limits::default() };
    Ok(PluginHost::new(HostConfig { limits, ..HostConfig::default() })?.endpoint("chat")?)
}

/// An endpoint that panics.
fn crashing() -> Result<Arc<dyn Endpoint>, Box<dyn Error>> {
    let mut host = PluginHost::new(HostConfig::default())?;
    host.load_file(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/misbehaving.wasm")))?;
    Ok(host.endpoint(r#"misbehaving:{"do":"panic"}"#)?)
}

fn timed<T>(run: impl FnOnce() -> T) -> (Duration, T) {
    let start = Instant::now();
    let result = run();
    (start.elapsed(), result)
}

fn median(times: usize, run: impl Fn() -> bool) -> Duration {
    let mut all: Vec<Duration> = (0..times)
        .map(|_| {
            let (time, succeeded) = timed(&run);
            assert!(succeeded);
            time
        })
        .collect();
    all.sort_unstable();
    all.get(times / 2).copied().unwrap_or_default()
}

/// A stream as vLLM writes it, 248 bytes an event.
fn chat_response(events: usize) -> Vec<String> {
    (0..events)
        .map(|event| {
            format!(
                r#"{{"id":"chatcmpl-5f0c2a6a9b0a4c4f8e0f6f1f2c3d4e5f","object":"chat.completion.chunk","created":1763955000,"model":"meta-llama/Llama-3.1-8B-Instruct","choices":[{{"index":0,"delta":{{"content":" word{event}"}},"logprobs":null,"finish_reason":null}}]}}"#
            )
        })
        .collect()
}

fn prompt(bytes: usize) -> Request {
    Request {
        model: "meta-llama/Llama-3.1-8B-Instruct".to_owned(),
        turns: vec![Turn::text("user", "word ".repeat(bytes / 5))],
        max_output_tokens: Some(256),
        streaming: true,
        extra: None,
    }
}

fn point(measurements: usize) -> Point {
    let measurement = |index: usize| Measurement {
        key: if index == 0 { "request_throughput_avg".to_owned() } else { format!("metric_{index}_p99_ms") },
        metric: format!("metric_{index}"),
        statistic: "p99".to_owned(),
        unit: "ms".to_owned(),
        mean: index as f64,
        trials: vec![index as f64; 5],
        std_dev: Some(0.5),
        confidence: None,
    };
    Point {
        index: 0,
        parameters: vec![Parameter::new("concurrency", ParameterValue::Integer(10))],
        trials: 5,
        measurements: (0..measurements).map(measurement).collect(),
    }
}
