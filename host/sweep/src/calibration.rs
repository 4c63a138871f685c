//! The client's own error, from a server whose times are known, before the first run.
//!
//! At the load of each value, requests go to a [`ReferenceServer`] for some seconds. What is measured there beyond the known
//! times, and beyond the server's own lateness, the client has added. The slots of a closed loop begin one after the
//! other: all at once they would stay together, since this server takes the same time for each, and every round would be a
//! burst that no real server sees but the first one. What is due until then is left out. The server itself is none of this
//! crate's business: whoever plugs in a [`CalibrationBackend`] starts it, and keeps what was found for a while.

use crate::benchmark::Benchmark;
use crate::interrupt::Interrupt;
use crate::order;
use crate::sinks::{Summary, Summed};
use aiperf_columns::Store;
use aiperf_load::{BodyMemory, Clock, Control, Length, Processing, RunSpec, Transport, WorkloadSpec};
use aiperf_metrics::bounds::needed;
use aiperf_metrics::{ConcurrencyTimeline, record_metrics};
use aiperf_model::catalogue::MetricId;
use aiperf_model::client_error::{Added, ClientErrorEstimate};
use aiperf_model::metrics::{RunMetrics, Statistic};
use aiperf_model::record::Record;
use aiperf_model::server::ServerUrl;
use aiperf_plan::{Calibration, RunSettings, Servers};
use std::time::Duration;

/// For how long requests are sent at each load, after the slots have begun.
const DURATION: Duration = Duration::from_secs(2);
/// For how long at most, where that is enough for a p99.
const LONGEST: Duration = Duration::from_secs(10);
/// How much longer than the load needs on average for so many requests.
const RESERVE: f64 = 1.1;
const P99: f64 = 0.99;
/// Tokens of each answer: with the pace of servers as people run them, several answers for each slot.
const OUTPUT_TOKENS: f64 = 32.0;
/// A prompt is sent again once so many others were.
const PROMPTS: u32 = 200;
/// Benchmarks of fewer requests, or seconds, are not held up by a calibration that nobody asked for.
const LONG_REQUESTS: u64 = 2000;
const LONG_DURATION: Duration = Duration::from_mins(1);

/// Where calibrations take place.
pub trait CalibrationBackend {
    /// What was found for such a load not long ago.
    fn kept(&self, load: &str) -> Option<ClientErrorEstimate>;
    /// Keeps what was found for a load.
    fn keep(&self, load: &str, client_error: &ClientErrorEstimate);
    /// Starts a server that batches everything.
    fn start(&self) -> Result<Box<dyn ReferenceServer>, String>;
}

/// A server whose times are known; it stops when it is dropped.
pub trait ReferenceServer {
    /// Where it is.
    fn url(&self) -> ServerUrl;
    /// What a client without any error would measure, and by how much the server missed that so far.
    fn known(&self) -> Known;
}

/// The times of a server, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Known {
    /// From the request to the first token.
    pub ttft_ms: f64,
    /// From one token to the next.
    pub itl_ms: f64,
    /// How late the server itself was with a token.
    pub lateness: Lateness,
}

/// How late a server was with a token, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lateness {
    /// In the median.
    pub p50_ms: f64,
    /// In the 99th percentile.
    pub p99_ms: f64,
}

impl Known {
    /// How long an answer takes.
    fn answer(&self) -> Duration {
        let milliseconds = self.ttft_ms + (OUTPUT_TOKENS - 1.0) * self.itl_ms;
        Duration::try_from_secs_f64(milliseconds / 1e3).unwrap_or_default()
    }
}

/// Whether a calibration is due: as the user says, else before long benchmarks of real servers.
pub(crate) fn is_wanted(benchmark: &Benchmark<'_>) -> bool {
    match benchmark.config.trust.calibration {
        Calibration::Never => false,
        Calibration::Always => true,
        Calibration::Automatic => {
            matches!(benchmark.config.server.servers, Servers::Urls(_)) && is_long(benchmark)
        }
    }
}

fn is_long(benchmark: &Benchmark<'_>) -> bool {
    let (mut requests, mut duration) = (0_u64, Duration::ZERO);
    for step in &benchmark.plan.steps {
        let settings = benchmark.config.settings(&step.value);
        match settings.duration {
            Some(seconds) => duration = duration.saturating_add(seconds),
            None => requests += u64::from(settings.requests.unwrap_or_default()),
        }
    }
    requests >= LONG_REQUESTS || duration >= LONG_DURATION
}

/// The client's error at one load: one that was kept, unless the user wants a new one, or one that is measured now.
pub(crate) fn client_error(
    benchmark: &Benchmark<'_>,
    calibration_backend: &dyn CalibrationBackend,
    settings: &RunSettings,
    interrupt: &Interrupt,
) -> Result<ClientErrorEstimate, String> {
    let load = describe(benchmark, settings);
    let kept =
        (benchmark.config.trust.calibration != Calibration::Always).then(|| calibration_backend.kept(&load));
    if let Some(client_error) = kept.flatten() {
        return Ok(client_error);
    }
    let client_error = measure(benchmark, calibration_backend, settings, interrupt)?;
    calibration_backend.keep(&load, &client_error);
    Ok(client_error)
}

/// What the client's error depends on, beside the machine.
fn describe(benchmark: &Benchmark<'_>, settings: &RunSettings) -> String {
    let endpoint = benchmark.endpoint.identity();
    let rate = settings.request_rate.map(|rate| format!("{}/s {}", rate.per_second, rate.pattern));
    format!(
        "endpoint {} {}, concurrency {:?}, rate {rate:?}, {} input tokens, {} workers",
        endpoint.name,
        endpoint.sha256,
        settings.concurrency,
        settings.isl.mean,
        benchmark.config.load.workers
    )
}

fn measure(
    benchmark: &Benchmark<'_>,
    calibration_backend: &dyn CalibrationBackend,
    settings: &RunSettings,
    interrupt: &Interrupt,
) -> Result<ClientErrorEstimate, String> {
    if !benchmark.streaming() {
        return Err("answers that are not streamed have no time to first token".to_owned());
    }
    if settings.request_rate.is_none() && settings.concurrency.is_none() {
        return Err("a schedule has no load that lasts".to_owned());
    }
    let control = Control::new();
    interrupt.watch(&control);
    let prepared = benchmark
        .executor
        .prepare(&workload(benchmark, settings), &benchmark.endpoint, &control)
        .map_err(|error| error.to_string())?;
    let server = calibration_backend.start()?;
    let spec = spec(benchmark, settings, &*server);
    let mut summary = Summary::new(order::shape(&spec), &[], Store::default());
    let mut sink = |record: Record| {
        summary.add(&record, &record_metrics(&record));
        Ok(())
    };
    let outcome =
        prepared.run(Clock::start(), &spec, &control, &mut sink).map_err(|error| error.to_string())?;
    if outcome.cancelled {
        return Err("interrupted".to_owned());
    }
    let Summed { metrics, timeline, .. } = summary.finish().map_err(|error| error.to_string())?;
    let offered = offered(settings, &timeline, outcome.client.missed_arrivals);
    compare(&metrics, server.known(), offered)
        .ok_or_else(|| "the simulator does not speak the language of this endpoint".to_owned())
}

fn workload(benchmark: &Benchmark<'_>, settings: &RunSettings) -> WorkloadSpec {
    WorkloadSpec {
        model: benchmark.config.model.clone(),
        seed: settings.seed,
        prompt_salt: String::new(),
        requests: PROMPTS,
        warmup_requests: 0,
        dataset: None,
        conversation: None,
        input_length: Length { mean: f64::from(settings.isl.mean), std_dev: settings.isl.std_dev },
        output_length: Some(Length { mean: OUTPUT_TOKENS, std_dev: 0.0 }),
        streaming: true,
        extra: benchmark.config.workload.extra(),
        body_memory: BodyMemory::in_folder(std::env::temp_dir()),
    }
}

fn spec(benchmark: &Benchmark<'_>, settings: &RunSettings, server: &dyn ReferenceServer) -> RunSpec {
    let answer = server.known().answer();
    let per_second = settings.request_rate.map(|rate| rate.per_second);
    // An open loop does not begin with a burst.
    let ramp = if per_second.is_some() { Duration::ZERO } else { answer };
    let of_slots = f64::from(settings.concurrency.unwrap_or(1)) / answer.as_secs_f64();
    RunSpec {
        urls: vec![server.url()],
        endpoint_path: None,
        headers: Vec::new(),
        concurrency: settings.concurrency,
        request_rate: settings.request_rate,
        schedule: None,
        seed: settings.seed,
        arrival_seed: settings.seed,
        requests: None,
        conversations: None,
        duration: Some(ramp + duration(per_second.unwrap_or(of_slots))),
        may_end_early: false,
        grace_period: DURATION,
        request_timeout: 2 * DURATION,
        unreachable_timeout: DURATION,
        cancellation: None,
        warm_up: false,
        workers: Some(benchmark.config.load.workers),
        concurrency_ramp: ramp,
        request_rate_ramp: Duration::ZERO,
        transport: Transport::default(),
        processing: Processing::default(),
    }
}

/// For how long to send so many requests per second: long enough to know a p99, if that is not too long.
fn duration(per_second: f64) -> Duration {
    let needed = RESERVE * needed(P99) as f64 / per_second;
    let needed = Duration::try_from_secs_f64(needed).unwrap_or(Duration::MAX);
    if needed > LONGEST { DURATION } else { needed.max(DURATION) }
}

/// The share of the asked load that reached the server, from 0 to 1.
fn offered(settings: &RunSettings, timeline: &ConcurrencyTimeline, missed: u64) -> Option<f64> {
    match (settings.request_rate, settings.concurrency) {
        (Some(_), _) => timeline.offered(missed),
        (None, Some(concurrency)) => Some(timeline.mean_in_flight()? / f64::from(concurrency)),
        (None, None) => None,
    }
}

/// What was measured beyond what is known; none if nothing was measured.
fn compare(metrics: &RunMetrics, known: Known, offered: Option<f64>) -> Option<ClientErrorEstimate> {
    let lateness = known.lateness;
    let requests = metrics.statistic(MetricId::RequestCount, Statistic::Avg)? as u64;
    let is_enough = requests >= needed(P99);
    let beyond = |metric, statistic, known_ms: f64| Some(metrics.statistic(metric, statistic)? - known_ms);
    let added = |metric, p50_ms, p99_ms| {
        Some(Added {
            p50: beyond(metric, Statistic::P50, p50_ms)?,
            p99: beyond(metric, Statistic::P99, p99_ms).filter(|_| is_enough),
        })
    };
    let per_gap = lateness.p99_ms / (OUTPUT_TOKENS - 1.0);
    Some(ClientErrorEstimate {
        ttft_ms: added(
            MetricId::TimeToFirstToken,
            known.ttft_ms + lateness.p50_ms,
            known.ttft_ms + lateness.p99_ms,
        )?,
        itl_ms: added(MetricId::InterTokenLatency, known.itl_ms, known.itl_ms + per_gap),
        rate_percent: 100.0 * (1.0 - offered?),
        requests,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use aiperf_model::metrics::{Distribution, Summary};

    const KNOWN: Known =
        Known { ttft_ms: 50.0, itl_ms: 10.0, lateness: Lateness { p50_ms: 0.25, p99_ms: 2.0 } };

    #[test]
    fn what_is_known_and_the_server_s_own_lateness_are_taken_off() {
        let times = |p50, p99| Summary::Distribution(Distribution { p50, p99, ..distribution() });
        let metrics = |requests| RunMetrics {
            entries: vec![
                (MetricId::TimeToFirstToken, times(50.5, 53.0)),
                (MetricId::InterTokenLatency, times(10.0, 10.1)),
                (MetricId::RequestCount, Summary::Scalar(requests)),
            ],
            ..RunMetrics::default()
        };
        let client_error = compare(&metrics(368.0), KNOWN, Some(0.75)).unwrap();
        let is_near = |added: f64, expected: f64| (added - expected).abs() < 1e-9;
        assert!(is_near(client_error.ttft_ms.p50, 0.25) && is_near(client_error.ttft_ms.p99.unwrap(), 1.0));
        assert!(is_near(client_error.itl_ms.unwrap().p99.unwrap(), 0.1 - 2.0 / 31.0));
        assert!(is_near(client_error.rate_percent, 25.0));
        assert_eq!(client_error.requests, 368);
        assert_eq!(compare(&RunMetrics::default(), KNOWN, Some(1.0)), None);
        // One request less says nothing of a p99.
        let client_error = compare(&metrics(367.0), KNOWN, Some(0.75)).unwrap();
        assert!(is_near(client_error.ttft_ms.p50, 0.25) && client_error.ttft_ms.p99.is_none());
        assert!(client_error.itl_ms.unwrap().p99.is_none());
    }

    #[test]
    fn a_load_is_sent_until_its_p99_is_known_unless_that_takes_too_long() {
        assert_eq!(KNOWN.answer(), Duration::from_millis(360));
        let at_concurrency = |slots: f64| duration(slots / KNOWN.answer().as_secs_f64());
        assert_eq!([1.0, 14.0, 200.0].map(at_concurrency), [DURATION; 3]);
        let between = at_concurrency(16.0);
        assert!(DURATION < between && between <= LONGEST, "{between:?}");
        assert!(between.as_secs_f64() * 16.0 / 0.36 > 368.0);
    }

    fn distribution() -> Distribution {
        aiperf_metrics::distribution::distribution(
            &vec![1.0].into(),
            aiperf_metrics::bounds::Effective { p50: 1.0, p90: 1.0, p95: 1.0, p99: 1.0 },
        )
        .unwrap()
    }
}
