//! Prints what the sandbox costs beside its calls: starting with and without compiled code, instances, and crashes. What
//! calls cost, `aiperf plugin bench` tells of any plugin.
//!
//! `cargo run --release -p aiperf-plugin-host --example costs`

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aiperf_model::plugin::{Endpoint, Kind};
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

/// An event as vLLM writes it.
const TOKEN: &str = r#"{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1763955000,"model":"m","choices":[{"index":0,"delta":{"content":" word"},"logprobs":null,"finish_reason":null}]}"#;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    for what in ["no code cache", "code cache, first start", "code cache, second start", "third start"] {
        let cache = (what != "no code cache").then(|| folder.path());
        let (time, _) = timed(|| start(cache));
        println!("{what}: {time:.1?} for one endpoint, two objectives, two criteria, two detectors");
    }

    let host = start(None)?;
    let endpoint = host.endpoint("chat")?;
    let one_event = [Event { name: None, data: TOKEN.as_bytes() }];
    let short = median(5000, || endpoint.parse(&one_event, true).is_ok());
    println!("chat, parse of one event: {short:.1?}");

    let fresh = with_fresh_instances()?;
    let first = median(500, || fresh.parse(&one_event, true).is_ok());
    println!("a new instance, configured, with its first call: {:.1?}", first.saturating_sub(short));

    let crashing = crashing()?;
    for which in ["first", "second", "third"] {
        let (time, ()) = timed(|| (0..1000).for_each(|_| assert!(crashing.parse(&one_event, true).is_err())));
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
