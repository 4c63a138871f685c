//! How probable it is that a candidate is optimal, given what is known of how far the scores can be off.
//!
//! The criterion is asked about scores that the candidates might have had. Drawing each one around its mean would claim
//! that no two are equal: on a plateau, half of the draws of a point that gains nothing would say that it gains
//! something. So neighbours on an axis may be equal in a draw, with the probability that they are equal given how far
//! apart they lie: the bound of Sellke, Bayarri and Berger (2001), −e p ln p to 1, where both were equally probable
//! before. `docs/coverage.md` compares what is said with what is true.

use crate::comparison::Comparison;
use crate::pareto::{Settled, TradeOff, settle};
use aiperf_metrics::significance::two_sided;
use aiperf_model::conclusion::{Candidate, Judgement, Score, Standing, Uncertainty};
use aiperf_model::plugin::ParetoCriterion;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng as _;
use rand_distr::{Distribution as _, StandardNormal, StandardUniform};
use std::f64::consts::E;

/// How often the criterion is asked, at most and at least, and how many pairs of candidates are looked at in all. Where
/// there are so many candidates that it could not be asked often enough, it is not asked.
const MOST_DRAWS: usize = 200;
const LEAST_DRAWS: usize = 20;
const DRAWN_PAIRS: usize = 50_000_000;

/// The probability of each candidate. None if nothing is known of how far any score can be off, if the criterion
/// gives all probabilities itself, if it fails, or if there are thousands of candidates. The same candidates have the same probabilities.
pub(crate) fn probabilities(
    criterion: &dyn ParetoCriterion,
    trade_off: &TradeOff<'_>,
    judgements: &[Judgement],
) -> Option<Vec<f64>> {
    let TradeOff { axes, candidates, comparisons, .. } = trade_off;
    let is_known = comparisons.iter().any(|comparison| comparison.uncertainty() != Uncertainty::Unknown);
    let times = (DRAWN_PAIRS / candidates.len().pow(2).max(1)).min(MOST_DRAWS);
    if !is_known || times < LEAST_DRAWS || judgements.iter().all(|judgement| judgement.probability.is_some())
    {
        return None;
    }
    let axes_of_draws: Vec<AxisDraws<'_>> = comparisons.iter().map(AxisDraws::new).collect();
    let mut counts = vec![0_u32; candidates.len()];
    for round in 0..times {
        let mut random = ChaCha8Rng::seed_from_u64(round as u64);
        let units = Units::draw(candidates, &mut random);
        let drawn: Vec<Vec<f64>> = axes_of_draws
            .iter()
            .enumerate()
            .map(|(axis, draws)| draws.values(&units.along(candidates, axis, &mut random), &mut random))
            .collect();
        let exact: Vec<Comparison> = comparisons
            .iter()
            .zip(&drawn)
            .map(|(comparison, values)| Comparison::new(comparison.rule(), exactly(values)))
            .collect();
        let judged = criterion.judge(axes, &with_scores(candidates, &drawn)).ok()?;
        for ((position, count), judgement) in counts.iter_mut().enumerate().zip(judged) {
            *count += u32::from(is_member(&settle(axes, &exact, position, judgement.standing)));
        }
    }
    Some(counts.into_iter().map(|count| f64::from(count) / times as f64).collect())
}

fn is_member(settled: &Settled) -> bool {
    matches!(settled, Settled::AsJudged(Standing::Optimal) | Settled::AsGoodAs(_))
}

fn exactly(values: &[f64]) -> Vec<crate::comparison::Estimate> {
    values.iter().map(|value| crate::comparison::Estimate::exact(*value)).collect()
}

/// The candidates with these scores, by axis and candidate.
fn with_scores(candidates: &[Candidate], drawn: &[Vec<f64>]) -> Vec<Candidate> {
    let of = |position: usize, candidate: &Candidate| {
        let values = drawn.iter().filter_map(|axis| axis.get(position).copied());
        let scores = values.map(|mean| Score { mean, trials: vec![mean], confidence: None });
        Candidate { point_index: candidate.point_index, scores: scores.collect() }
    };
    candidates.iter().enumerate().map(|(position, candidate)| of(position, candidate)).collect()
}

/// A standard normal number for each trial of each candidate: what one trial adds to a draw, on every axis.
struct Units(Vec<Vec<f64>>);

impl Units {
    fn draw(candidates: &[Candidate], random: &mut ChaCha8Rng) -> Self {
        let trials = |candidate: &Candidate| {
            candidate.scores.iter().map(|score| score.trials.len()).max().unwrap_or_default()
        };
        let of = |candidate| (0..trials(candidate)).map(|_| StandardNormal.sample(random)).collect();
        Self(candidates.iter().map(of).collect())
    }

    /// A standard normal number for each candidate along an axis. Scores that vary together over the trials have
    /// numbers that do.
    fn along(&self, candidates: &[Candidate], axis: usize, random: &mut ChaCha8Rng) -> Vec<f64> {
        let mut unit = |(candidate, normals): (&Candidate, &Vec<f64>)| {
            let independent: f64 = StandardNormal.sample(random);
            let Some(score) = candidate.scores.get(axis) else { return independent };
            let mean = score.trials.iter().sum::<f64>() / score.trials.len().max(1) as f64;
            let deviations: Vec<f64> = score.trials.iter().map(|trial| trial - mean).collect();
            let length = deviations.iter().map(|deviation| deviation * deviation).sum::<f64>().sqrt();
            let along: f64 =
                deviations.iter().zip(normals).map(|(deviation, normal)| deviation * normal).sum();
            if length > 0.0 { along / length } else { independent }
        };
        candidates.iter().zip(&self.0).map(&mut unit).collect()
    }
}

/// What draws along an axis are made of.
struct AxisDraws<'a> {
    comparison: &'a Comparison,
    /// The candidates by their means.
    order: Vec<usize>,
    /// How probable it is that each one in that order is equal to the next.
    equal: Vec<f64>,
}

impl<'a> AxisDraws<'a> {
    fn new(comparison: &'a Comparison) -> Self {
        let mean = |position: usize| comparison.estimates().get(position).map_or(0.0, |one| one.mean);
        let mut order: Vec<usize> = (0..comparison.estimates().len()).collect();
        order.sort_by(|a, b| mean(*a).total_cmp(&mean(*b)));
        let error = |position| comparison.standard_error(position).unwrap_or_default();
        let equal = order.iter().zip(order.iter().skip(1)).map(|(low, high)| {
            let distance = mean(*high) - mean(*low);
            let error = error(*low).hypot(error(*high));
            if error > 0.0 {
                probability_of_equality(two_sided(distance / error, comparison.degrees_of_freedom))
            } else {
                f64::from(u8::from(distance == 0.0))
            }
        });
        let equal = equal.collect();
        Self { comparison, order, equal }
    }

    /// A value for each candidate, from a standard normal number for each.
    fn values(&self, units: &[f64], random: &mut ChaCha8Rng) -> Vec<f64> {
        let mut values: Vec<f64> = self
            .comparison
            .estimates()
            .iter()
            .enumerate()
            .zip(units)
            .map(|((position, estimate), unit)| {
                let drawn =
                    estimate.mean + unit * self.comparison.standard_error(position).unwrap_or_default();
                // What is measured above 0 is a time, a rate or a count.
                if estimate.mean >= 0.0 { drawn.max(0.0) } else { drawn }
            })
            .collect();
        for group in self.groups(random) {
            let drawn = || group.iter().filter_map(|position| values.get(*position));
            let mean = drawn().sum::<f64>() / group.len() as f64;
            for position in group {
                if let Some(value) = values.get_mut(*position) {
                    *value = mean;
                }
            }
        }
        values
    }

    /// The candidates in groups that are equal in a draw.
    fn groups(&self, random: &mut ChaCha8Rng) -> Vec<&[usize]> {
        let mut groups = Vec::new();
        let mut start = 0;
        for (position, probability) in self.equal.iter().enumerate() {
            let drawn: f64 = StandardUniform.sample(random);
            if drawn >= *probability {
                groups.extend(self.order.get(start..=position));
                start = position + 1;
            }
        }
        groups.extend(self.order.get(start..));
        groups
    }
}

/// How probable it is that two values are equal whose difference is by chance with this probability.
fn probability_of_equality(p: f64) -> f64 {
    if p >= 1.0 / E {
        return 0.5;
    }
    let odds = if p > 0.0 { -E * p * p.ln() } else { 0.0 };
    odds / (1.0 + odds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::comparison::Rule;
    use crate::testing::{self, Dominance, Reader, Scripted};
    use crate::{pareto, scores};
    use aiperf_model::conclusion::{Direction, Front, MemberStanding};
    use aiperf_model::point::Point;

    const RULE: Rule = Rule { level: 0.95, material: 0.01 };

    fn front_by(criterion: &dyn ParetoCriterion, points: &[Point]) -> Front {
        let throughput = Reader::new("throughput", Direction::Maximize, "request_throughput_avg");
        let latency = Reader::new("latency", Direction::Minimize, "ttft_p99_ms");
        let scores = [scores::score(&throughput, points).unwrap(), scores::score(&latency, points).unwrap()];
        pareto::front(criterion, &pareto::trade_off(&scores, points, RULE).unwrap()).unwrap()
    }

    fn point(index: u32, throughput: &[f64], latency: &[f64]) -> Point {
        testing::point(index, &[("request_throughput_avg", throughput), ("ttft_p99_ms", latency)])
    }

    /// A knee at the second point: the others are on the plateau, where only the latency grows.
    fn plateau() -> Vec<Point> {
        vec![
            point(0, &[50.0, 51.0, 49.0], &[10.0, 10.1, 9.9]),
            point(1, &[99.0, 101.0, 100.0], &[20.0, 20.2, 19.8]),
            point(2, &[101.0, 103.0, 99.0], &[40.0, 40.2, 39.8]),
        ]
    }

    #[test]
    fn what_is_better_by_noise_only_is_tied_and_no_member_as_far_as_the_draws_tell() {
        let front = front_by(&Dominance::new(), &plateau());
        let standings: Vec<_> = front.members.iter().map(|member| &member.standing).collect();
        assert_eq!(
            standings,
            [&MemberStanding::Optimal, &MemberStanding::Optimal, &MemberStanding::TiedWith(1)]
        );
        let probabilities: Vec<f64> =
            front.members.iter().map(|member| member.probability.unwrap()).collect();
        assert!(probabilities[0] > 0.99 && probabilities[1] > 0.9, "{probabilities:?}");
        assert!((0.05..0.6).contains(&probabilities[2]), "{probabilities:?}");
    }

    #[test]
    fn what_is_worse_by_noise_only_is_tied_with_what_dominates_it() {
        let points = [
            point(0, &[99.0, 101.0, 100.0], &[20.0, 20.2, 19.8]),
            point(1, &[98.5, 100.5, 99.5], &[20.1, 20.3, 19.9]),
        ];
        let front = front_by(&Dominance::new(), &points);
        assert_eq!(front.members[1].standing, MemberStanding::TiedWith(0));
        assert!(front.members[1].probability.unwrap() > 0.5);
    }

    #[test]
    fn the_example_of_the_specification_keeps_its_front_and_says_how_sure_it_is() {
        let front = front_by(&Dominance::new(), &testing::specification());
        assert!(front.members.iter().all(|member| member.standing == MemberStanding::Optimal));
        let probabilities: Vec<f64> =
            front.members.iter().map(|member| member.probability.unwrap()).collect();
        assert!(probabilities[..3].iter().all(|probability| *probability > 0.9), "{probabilities:?}");
        // 30 and 40 are not far apart in throughput.
        assert!((0.4..0.9).contains(&probabilities[3]), "{probabilities:?}");
        assert_eq!(front_by(&Dominance::new(), &testing::specification()), front, "the same again");
    }

    #[test]
    fn a_single_trial_has_no_probability_and_what_a_criterion_says_stands() {
        let single = [point(0, &[50.0], &[10.0]), point(1, &[99.0], &[20.0])];
        let front = front_by(&Dominance::new(), &single);
        assert!(front.members.iter().all(|member| member.probability.is_none()));
        let said = Judgement { standing: Standing::Optimal, probability: Some(0.25) };
        let front = front_by(&Scripted::criterion(vec![said; 3]), &plateau());
        assert!(front.members.iter().all(|member| member.probability == Some(0.25)));
    }
}
