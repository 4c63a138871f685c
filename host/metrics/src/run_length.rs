//! Whether a run that goes on knows its figures well enough to end.
//!
//! It is asked after a number of requests that grows by a fifth each time, so that luck has few chances to end a run too
//! soon, and of the requests before the first one that is still under way, since nobody knows what those after it will be.

use crate::bounds::bounds;
use crate::distribution::percentile;
use crate::steady::{Done, LoadShape, PARTS, RequestRows, Requests, Seen, Window};
use crate::within_run::{KnownLatencies, Spread};
use aiperf_columns::{Column, Sorted, Store};
use aiperf_model::catalogue::MetricId;
use aiperf_model::precision::Precision;
use aiperf_model::record::Record;
use std::collections::{BTreeMap, BTreeSet};

/// Each slot sends at least so many requests.
const LEAST_REQUESTS_PER_SLOT: usize = 10;
/// The fewest requests that are looked at.
const FEWEST: usize = 100;
/// So many requests are enough, whatever they say: they are kept in memory.
const MOST: usize = 200_000;
/// The latencies of which the run is to know the median.
const LATENCIES: [MetricId; 2] = [MetricId::TimeToFirstToken, MetricId::RequestLatency];

/// Follows the requests of one run.
#[derive(Debug)]
pub struct RunLength {
    shape: LoadShape,
    precision: Precision,
    seen: Vec<Seen>,
    /// Requests before this position have all been seen.
    complete: u32,
    /// Positions beyond it that have been seen.
    ahead: BTreeSet<u32>,
    next_look: usize,
}

impl RunLength {
    /// Of a run of requests by themselves, whose positions count from 0.
    #[must_use]
    pub fn new(shape: LoadShape, precision: Precision) -> Self {
        let of_slots = match shape {
            LoadShape::Closed { slots, .. } => LEAST_REQUESTS_PER_SLOT * slots as usize,
            LoadShape::Open => 0,
        };
        Self {
            shape,
            precision,
            seen: Vec::new(),
            complete: 0,
            ahead: BTreeSet::new(),
            next_look: of_slots.max(FEWEST),
        }
    }

    /// Takes one request, and says whether the run may end.
    pub fn is_enough_with(&mut self, record: &Record) -> bool {
        // Whether a request is good changes nothing here.
        let Some(seen) = Seen::of(self.shape, record, true) else { return false };
        self.seen.push(seen);
        if !seen.in_ramp {
            self.ahead.insert(seen.position);
            while self.ahead.remove(&self.complete) {
                self.complete += 1;
            }
        }
        if self.seen.len() >= MOST {
            return true;
        }
        if self.seen.len() < self.next_look {
            return false;
        }
        self.next_look += self.next_look.div_ceil(5);
        let requests = self.complete_requests();
        requests
            .window
            .is_some_and(|window| self.knows_throughput(&requests, window) && self.knows_medians(&requests))
    }

    fn complete_requests(&self) -> Requests {
        let mut rows = RequestRows::new(self.shape, &Store::default());
        let complete = self.seen.iter().filter(|seen| seen.in_ramp || seen.position < self.complete);
        complete.for_each(|seen| rows.see(seen));
        rows.finish()
    }

    /// The throughput of an open loop is its rate.
    fn knows_throughput(&self, requests: &Requests, window: Window) -> bool {
        if self.shape == LoadShape::Open {
            return true;
        }
        let done = Done::in_window(requests.iter(), window).requests();
        let mean = done.iter().sum::<f64>() / PARTS as f64;
        let interval = Spread::of(&done).and_then(|spread| spread.interval(mean));
        interval.is_some_and(|known| is_within(known.low, known.high, mean, self.precision.throughput))
    }

    fn knows_medians(&self, requests: &Requests) -> bool {
        let store = Store::default();
        let latencies = LATENCIES.into_iter().filter_map(|metric| {
            let mut values = Column::new(&store);
            values.extend(requests.counted().filter_map(|request| request.latency(metric)));
            (!values.is_empty()).then(|| (metric, values.sorted()))
        });
        let latencies: BTreeMap<MetricId, Sorted<f64>> = latencies.collect();
        let known = KnownLatencies::new(requests, &latencies, &store);
        let is_known = |metric: MetricId, values: &Sorted<f64>| {
            let effective = known.effective(metric);
            let bounds = bounds(values, effective).p50;
            let (low, high) = bounds.low.zip(bounds.high)?;
            let is_narrow = is_within(low, high, percentile(values, 50)?, self.precision.latency());
            // In a queue that nothing limits, what few requests agree on may be luck.
            (is_narrow && (self.shape != LoadShape::Open || known.is_determined(values.len(), effective.p50)))
                .then_some(())
        };
        !latencies.is_empty() && latencies.iter().all(|(metric, values)| is_known(*metric, values).is_some())
    }
}

/// Whether bounds are as near to a figure as this share of it, on average of both sides.
fn is_within(low: f64, high: f64, figure: f64, share: f64) -> bool {
    high - low <= 2.0 * share * figure
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{self, MS};

    /// One slot, whose requests take these milliseconds one after the other; how many there were when they were enough.
    fn enough_after(latencies_ms: impl Iterator<Item = u64>) -> Option<usize> {
        let mut length = RunLength::new(LoadShape::Closed { slots: 1, ramped: false }, Precision::DEFAULT);
        let mut at = 0;
        for (position, latency) in (0..).zip(latencies_ms) {
            let mut record = testing::streamed(at * MS, at * MS, &[at + latency / 2, at + latency], 11);
            record.timing.end = (at + latency) * MS;
            record.timing.request = position;
            at += latency;
            if length.is_enough_with(&record) {
                return Some(position as usize + 1);
            }
        }
        None
    }

    #[test]
    fn a_steady_run_ends_at_the_first_look() {
        assert_eq!(enough_after(std::iter::repeat_n(100, 2000)), Some(FEWEST));
    }

    #[test]
    fn a_run_that_slows_down_goes_on() {
        assert_eq!(enough_after((0..2000).map(|number| 100 + number / 10)), None);
    }

    #[test]
    fn a_request_that_is_under_way_holds_the_end_of_the_time_back() {
        let mut length = RunLength::new(LoadShape::Closed { slots: 2, ramped: false }, Precision::DEFAULT);
        let is_enough = (1..3000_u32).any(|position| {
            let at = u64::from(position) * 100;
            let mut record = testing::streamed(at * MS, at * MS, &[at + 50, at + 100], 11);
            record.timing.request = position;
            length.is_enough_with(&record)
        });
        assert!(!is_enough, "the first one has not ended");
    }
}
