//! How well a run knows its own figures, from how they vary over ten equal parts of it.
//!
//! Requests depend on each other through the server's queue: a thousand of them may say no more than thirty independent
//! ones. Parts of a run that are long enough hardly do, so the spread of their means tells how far the mean of all may
//! be off (batch means, Law and Kelton 1984), corrected for what dependence is left between neighbouring parts as if
//! it were that of an autoregressive process of first order (Tafazzoli and Wilson, "Skart", 2011). The correlation that is
//! estimated from ten parts is too low by about a tenth, which is added.
//!
//! A percentile is known by its order statistics, of as many requests as are as good as independent: q(1 − q) over the
//! variance of the share of requests below it.
//!
//! Where a run is short against the time that its queue remembers, all parts resemble each other and the spread is too
//! low. Then the figure is undetermined: in a closed loop, whose slots limit the queue, two hundred independent requests must
//! stand behind an interval, or requests that hardly depend on each other; in an open loop four hundred.

use crate::bounds::{Effective, LEVEL};
use crate::distribution::percentile;
use crate::statistics;
use crate::steady::{Done, LoadShape, PARTS, Request, Requests, Window};
use aiperf_columns::{Column, Sorted, Store};
use aiperf_model::catalogue::MetricId;
use aiperf_model::metrics::{Statistic, Summary, WithinRun};
use aiperf_model::point::Interval;
use std::collections::BTreeMap;

/// With so many independent requests the spread of the parts can be believed where slots limit the queue.
const ENOUGH_IN_SLOTS: f64 = 200.0;
/// And with so many where nothing does.
const ENOUGH_IN_A_QUEUE: f64 = 400.0;
/// Fewer requests have parts of a single one.
const FEWEST: u64 = 20;
/// The most correlation of neighbouring parts that is corrected for.
const MOST_CORRELATION: f64 = 0.9;

/// What the means of equal parts say of the mean of all.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    /// The variance of the mean of all.
    pub(crate) variance: f64,
}

impl Spread {
    pub(crate) fn of(parts: &[f64; PARTS]) -> Option<Self> {
        let moments = statistics::moments(|| parts.iter().copied())?;
        let deviations = parts.map(|part| part - moments.mean);
        let count = PARTS as f64;
        let variance = moments.squares / (count - 1.0) / count;
        let products: f64 = deviations.array_windows().map(|[before, after]| before * after).sum();
        let correlation = if moments.squares > 0.0 { products / moments.squares } else { 0.0 };
        let correlation = (correlation + 1.0 / count).clamp(0.0, MOST_CORRELATION);
        Some(Self { variance: variance * (1.0 + correlation) / (1.0 - correlation) })
    }

    /// The interval around a mean that is not negative.
    pub(crate) fn interval(self, mean: f64) -> Option<Interval> {
        let half = critical()? * self.variance.sqrt();
        half.is_finite().then(|| Interval { low: (mean - half).max(0.0), high: mean + half, level: LEVEL })
    }
}

/// The quantile of Student's t for ten parts.
fn critical() -> Option<f64> {
    statistics::t_critical(PARTS, LEVEL)
}

/// How much wider an interval is for want of parts, against one from a known variance.
pub(crate) fn widening() -> f64 {
    const NORMAL: f64 = 1.959_963_984_540_054;
    critical().map_or(1.0, |critical| critical / NORMAL)
}

/// Whether an interval can be given for so many requests that say as much as so many independent ones.
fn is_determined(shape: LoadShape, count: u64, effective: f64) -> bool {
    match shape {
        LoadShape::Closed { .. } => {
            count >= FEWEST && (effective >= ENOUGH_IN_SLOTS || 2.0 * effective >= count as f64)
        }
        LoadShape::Open => effective >= ENOUGH_IN_A_QUEUE,
    }
}

/// The requests of a run in parts with equally many of them each, in the order of their sends.
#[derive(Debug)]
pub(crate) struct Parts {
    /// The first send of each part but the first.
    edges: Vec<u64>,
}

impl Parts {
    /// None for fewer than twenty requests.
    pub(crate) fn of(sends: &Sorted<u64>) -> Option<Self> {
        let count = sends.len();
        let edge = |part: u64| sends.get(part * count / PARTS as u64);
        let edges = (1..PARTS as u64).map(edge).collect::<Option<Vec<u64>>>()?;
        (count >= FEWEST).then_some(Self { edges })
    }

    fn of_request(&self, request: &Request) -> usize {
        self.edges.partition_point(|edge| *edge <= request.send)
    }
}

/// One value of each request that has it, in parts: how many there are, their sum, and how many are at most as large as some
/// percentiles.
///
/// Whole numbers, so that the sums do not depend on the order of the requests.
#[derive(Clone, Debug)]
pub(crate) struct PartSums<const QUANTILES: usize> {
    percentiles: [f64; QUANTILES],
    counts: [u64; PARTS],
    /// In billionths.
    sums: [i128; PARTS],
    at_most: [[u64; PARTS]; QUANTILES],
}

const BILLION: f64 = 1e9;

impl<const QUANTILES: usize> PartSums<QUANTILES> {
    pub(crate) fn new(percentiles: [f64; QUANTILES]) -> Self {
        Self { percentiles, counts: [0; PARTS], sums: [0; PARTS], at_most: [[0; PARTS]; QUANTILES] }
    }

    pub(crate) fn add(&mut self, parts: &Parts, request: &Request, value: f64) {
        let part = parts.of_request(request);
        let (Some(count), Some(sum)) = (self.counts.get_mut(part), self.sums.get_mut(part)) else { return };
        *count += 1;
        *sum += (value * BILLION) as i128;
        for (percentile, at_most) in self.percentiles.iter().zip(&mut self.at_most) {
            if let Some(at_most) = at_most.get_mut(part) {
                *at_most += u64::from(value <= *percentile);
            }
        }
    }

    /// How far the mean of all values may be off.
    pub(crate) fn mean(&self) -> Option<Spread> {
        Spread::of(&self.means(self.sums.map(|sum| sum as f64 / BILLION))?)
    }

    /// As how many independent requests the values are for the mean, of which the variance is known.
    pub(crate) fn effective_for_mean(&self, variance: f64) -> Option<f64> {
        let spread = self.mean()?;
        Some(self.capped(variance / spread.variance))
    }

    /// The same for the percentiles.
    pub(crate) fn effective(&self) -> Option<[f64; QUANTILES]> {
        let mut effective = [0.0; QUANTILES];
        for (place, at_most) in effective.iter_mut().zip(self.at_most) {
            let shares = self.means(at_most.map(|count| count as f64))?;
            let share = statistics::mean(&shares)?;
            *place = self.capped(share * (1.0 - share) / Spread::of(&shares)?.variance);
        }
        Some(effective)
    }

    /// Equal parts say that nothing varies.
    fn capped(&self, effective: f64) -> f64 {
        let count = self.counts.iter().sum::<u64>() as f64;
        if effective.is_finite() { effective.clamp(1.0, count.max(1.0)) } else { count }
    }

    /// None where a part has no value.
    fn means(&self, sums: [f64; PARTS]) -> Option<[f64; PARTS]> {
        let mut means = sums;
        for (mean, count) in means.iter_mut().zip(&self.counts) {
            if *count == 0 {
                return None;
            }
            *mean /= *count as f64;
        }
        Some(means)
    }
}

/// The percentiles that have bounds.
const QUANTILES: [Statistic; 4] = [Statistic::P50, Statistic::P90, Statistic::P95, Statistic::P99];
/// Of how many hundredths they are.
const HUNDREDTHS: [u64; 4] = [50, 90, 95, 99];
/// The latencies that tables and conclusions show.
const LATENCIES: [MetricId; 5] = [
    MetricId::TimeToFirstToken,
    MetricId::InterTokenLatency,
    MetricId::RequestLatency,
    MetricId::EffectiveTimeToFirstToken,
    MetricId::EffectiveLatency,
];

/// How well the latencies of a run are known.
#[derive(Debug)]
pub(crate) struct KnownLatencies {
    shape: LoadShape,
    known: Vec<(MetricId, PartSums<4>)>,
}

impl KnownLatencies {
    /// Of these requests, whose values in ascending order are the samples.
    pub(crate) fn new(requests: &Requests, samples: &BTreeMap<MetricId, Sorted<f64>>, store: &Store) -> Self {
        let mut sends = Column::new(store);
        sends.extend(requests.counted().map(|request| request.send));
        let Some(parts) = Parts::of(&sends.sorted()) else {
            return Self { shape: requests.shape, known: Vec::new() };
        };
        let begin = |metric: &MetricId| {
            let values = samples.get(metric)?;
            let percentiles = HUNDREDTHS.map(|percent| percentile(values, percent).unwrap_or_default());
            Some((*metric, PartSums::new(percentiles)))
        };
        let mut known: Vec<_> = LATENCIES.iter().filter_map(begin).collect();
        for request in requests.counted() {
            for (metric, sums) in &mut known {
                if let Some(value) = request.latency(*metric) {
                    sums.add(&parts, &request, value);
                }
            }
        }
        Self { shape: requests.shape, known }
    }

    /// Whether an interval can be given for so many requests that say as much as so many independent ones.
    ///
    /// Slots limit how long a queue can be; where nothing does, it takes more.
    pub(crate) fn is_determined(&self, count: u64, effective: f64) -> bool {
        is_determined(self.shape, count, effective)
    }

    /// As how many independent requests those of the run are for the percentiles of a metric. What is not looked at by itself
    /// is known no better than what is known worst; without any, nothing is known.
    pub(crate) fn effective(&self, metric: MetricId) -> Effective {
        let own = self.known.iter().filter(|(known, _)| *known == metric);
        let of = |(_, sums): &(MetricId, PartSums<4>)| sums.effective();
        let worst = |left: [f64; 4], right: [f64; 4]| {
            let mut pairs = left.into_iter().zip(right);
            std::array::from_fn(|_| pairs.next().map_or(0.0, |(left, right)| left.min(right)))
        };
        let own = own.filter_map(of).reduce(worst);
        let [p50, p90, p95, p99] =
            own.or_else(|| self.known.iter().filter_map(of).reduce(worst)).unwrap_or_default();
        Effective { p50, p90, p95, p99 }
    }

    /// The intervals of the means and percentiles, none of which is known where the run has no steady part.
    pub(crate) fn of_latencies(
        &self,
        entries: &BTreeMap<MetricId, Summary>,
        is_steady: bool,
    ) -> Vec<WithinRun> {
        let mut all = Vec::new();
        for metric in LATENCIES {
            let Some(Summary::Distribution(distribution)) = entries.get(&metric) else { continue };
            let sums = self.known.iter().find(|(known, _)| *known == metric).map(|(_, sums)| sums);
            let effective = sums.and_then(|sums| sums.effective_for_mean(distribution.std.powi(2)));
            let known = sums.filter(|_| {
                is_steady
                    && effective.is_some_and(|effective| self.is_determined(distribution.count, effective))
            });
            let mean = known.and_then(|sums| sums.mean()?.interval(distribution.avg));
            all.push(WithinRun { metric, statistic: Statistic::Avg, interval: mean });
            let effective = known.and_then(PartSums::effective);
            for (place, statistic) in QUANTILES.into_iter().enumerate() {
                let is_known = effective
                    .and_then(|effective| effective.get(place).copied())
                    .is_some_and(|effective| self.is_determined(distribution.count, effective));
                let bounds = distribution.bounds.of(statistic).filter(|_| is_known);
                let interval = bounds
                    .and_then(|bounds| Some(Interval { low: bounds.low?, high: bounds.high?, level: LEVEL }));
                all.push(WithinRun { metric, statistic, interval });
            }
        }
        all
    }
}

/// The intervals of the throughputs, none of which is known where the run has no steady part.
pub(crate) fn of_throughputs(
    steady: Option<(&Done, Window)>,
    entries: &BTreeMap<MetricId, Summary>,
) -> Vec<WithinRun> {
    type Amount = fn(&Done) -> [f64; PARTS];
    let all: [(MetricId, Amount); 5] = [
        (MetricId::RequestThroughput, Done::requests),
        (MetricId::OutputTokenThroughput, Done::output_tokens),
        (MetricId::InputTokenThroughput, Done::input_tokens),
        (MetricId::TotalTokenThroughput, Done::total_tokens),
        (MetricId::Goodput, Done::good),
    ];
    let throughput = |(metric, amount): (MetricId, Amount)| {
        let Some(Summary::Scalar(mean)) = entries.get(&metric) else { return None };
        let interval = steady.and_then(|(done, window)| {
            let enough = done.requests().iter().sum::<f64>() >= FEWEST as f64;
            let seconds = window.nanoseconds() as f64 / 1e9 / PARTS as f64;
            let rates = amount(done).map(|amount| amount / seconds);
            enough.then_some(())?;
            Spread::of(&rates)?.interval(*mean)
        });
        Some(WithinRun { metric, statistic: Statistic::Avg, interval })
    };
    all.into_iter().filter_map(throughput).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_that_agree_leave_no_doubt() {
        let spread = Spread::of(&[5.0; PARTS]).unwrap();
        assert_eq!(spread.variance, 0.0);
        let interval = spread.interval(5.0).unwrap();
        assert_eq!((interval.low, interval.high), (5.0, 5.0));
    }

    #[test]
    fn neighbours_that_resemble_each_other_widen_the_interval() {
        let apart = [1.0, 9.0, 2.0, 8.0, 3.0, 7.0, 4.0, 6.0, 5.0, 5.0];
        let mut together = apart;
        together.sort_by(f64::total_cmp);
        let (apart, together) = (Spread::of(&apart).unwrap(), Spread::of(&together).unwrap());
        assert!(together.variance > 3.0 * apart.variance, "{together:?} {apart:?}");
    }

    #[test]
    fn an_interval_needs_independent_requests() {
        let slots = LoadShape::Closed { slots: 4, ramped: false };
        assert!(!is_determined(slots, 19, 19.0), "too few");
        assert!(is_determined(slots, 20, 12.0), "hardly dependent");
        assert!(!is_determined(slots, 400, 100.0));
        assert!(is_determined(slots, 6400, 200.0));
        assert!(!is_determined(LoadShape::Open, 399, 399.0));
        assert!(is_determined(LoadShape::Open, 6400, 400.0));
    }
}
