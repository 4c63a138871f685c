//! The figures of a run while it goes on: counts, latencies and errors of the requests that have ended.
//!
//! They are taken from the records on the thread that writes them, and read by user interfaces a few times a second; no
//! load thread knows of them.

use crate::events::{Event, Observer};
use aiperf_load::Control;
use aiperf_model::catalogue::MetricId;
use aiperf_model::metrics::RecordMetrics;
use aiperf_model::record::{Phase, Record};
use aiperf_model::sweep::Step;
use hdrhistogram::Histogram;
use std::collections::BTreeMap;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// How often user interfaces are told.
const INTERVAL: Duration = Duration::from_millis(250);
/// Latencies are known to three digits.
const DIGITS: u8 = 3;
/// Kinds of errors of which the counts are kept; servers can make up more.
const MOST_KINDS: usize = 32;
const MICROSECONDS_PER_MILLISECOND: f64 = 1e3;
const NANOSECONDS_PER_SECOND: f64 = 1e9;

/// The figures of a run so far. Of the profiling requests alone, without warm-up and ramps.
#[derive(Clone, Debug)]
pub struct LiveFigures {
    /// Requests that succeeded.
    pub succeeded: u64,
    /// Requests that failed, by the name of the failure's kind.
    pub failed: BTreeMap<&'static str, u64>,
    /// From the first send to the last end, in nanoseconds.
    pub window: Option<(u64, u64)>,
    /// Times to first token, in microseconds.
    pub ttft: Latencies,
    /// Mean times between two tokens of a request, in microseconds.
    pub itl: Latencies,
    /// From send to the last token, in microseconds.
    pub latency: Latencies,
}

/// How long something took, over many requests.
#[derive(Clone, Debug)]
pub struct Latencies(Option<Histogram<u64>>);

impl Default for LiveFigures {
    fn default() -> Self {
        Self {
            succeeded: 0,
            failed: BTreeMap::new(),
            window: None,
            ttft: Latencies::new(),
            itl: Latencies::new(),
            latency: Latencies::new(),
        }
    }
}

impl Latencies {
    fn new() -> Self {
        // None is for a number of digits that there is not.
        Self(Histogram::new(DIGITS).ok())
    }

    fn add(&mut self, milliseconds: Option<f64>) {
        if let (Some(histogram), Some(milliseconds)) = (&mut self.0, milliseconds) {
            // Times of hours, and those that are negative, are no matter for a live figure.
            let _ = histogram.record((milliseconds * MICROSECONDS_PER_MILLISECOND) as u64);
        }
    }

    /// The histogram, in microseconds.
    #[must_use]
    pub fn histogram(&self) -> Option<&Histogram<u64>> {
        self.0.as_ref()
    }

    /// The time that a share of the requests did not exceed, in milliseconds; none without a request.
    #[must_use]
    pub fn quantile_ms(&self, share: f64) -> Option<f64> {
        let histogram = self.0.as_ref().filter(|histogram| !histogram.is_empty())?;
        Some(histogram.value_at_quantile(share) as f64 / MICROSECONDS_PER_MILLISECOND)
    }
}

impl LiveFigures {
    /// Requests that succeeded for each second so far; none before the first one ended.
    #[must_use]
    pub fn requests_per_second(&self) -> Option<f64> {
        let (start, end) = self.window?;
        let seconds = end.saturating_sub(start) as f64 / NANOSECONDS_PER_SECOND;
        (seconds > 0.0).then(|| self.succeeded as f64 / seconds)
    }

    /// How many requests failed.
    #[must_use]
    pub fn errors(&self) -> u64 {
        self.failed.values().sum()
    }

    fn add(&mut self, record: &Record, metrics: &RecordMetrics) {
        if record.timing.phase != Phase::Profiling {
            return;
        }
        match &record.outcome {
            Ok(_) => self.succeeded += 1,
            Err(failure) => {
                let kind = failure.kind.name();
                if self.failed.len() < MOST_KINDS || self.failed.contains_key(kind) {
                    *self.failed.entry(kind).or_default() += 1;
                }
            }
        }
        if let Some(send) = record.timing.send {
            let (start, end) = self.window.unwrap_or((send, record.timing.end));
            self.window = Some((start.min(send), end.max(record.timing.end)));
        }
        self.ttft.add(metrics.one(MetricId::TimeToFirstToken));
        self.itl.add(metrics.one(MetricId::InterTokenLatency));
        self.latency.add(metrics.one(MetricId::RequestLatency));
    }
}

/// The figures, shared by the thread that takes records and the one that tells of them.
#[derive(Debug, Default)]
pub(crate) struct Figures(Mutex<LiveFigures>);

impl Figures {
    pub(crate) fn add(&self, record: &Record, metrics: &RecordMetrics) {
        self.lock().add(record, metrics);
    }

    pub(crate) fn now(&self) -> LiveFigures {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, LiveFigures> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells the figures of a run for as long as `work` lasts, and once more when it is done.
pub(crate) fn tell_while<T>(
    work: impl FnOnce() -> T,
    figures: &Figures,
    step: &Step,
    control: &Control,
    observer: &mut dyn Observer,
) -> T {
    let tell = |observer: &mut dyn Observer| {
        let figures = figures.now();
        observer.notify(Event::Figures { step, figures: &figures, progress: control.progress() });
    };
    let done = thread::scope(|scope| {
        let (ended, has_ended) = mpsc::channel::<()>();
        let telling = &mut *observer;
        let teller = move || {
            while has_ended.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
                tell(telling);
            }
        };
        // Without the thread the figures come at the end.
        let _ = thread::Builder::new().name("aiperf-figures".into()).spawn_scoped(scope, teller);
        let done = work();
        drop(ended);
        done
    });
    tell(observer);
    done
}
