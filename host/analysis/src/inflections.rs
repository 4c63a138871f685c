//! Which of the inflections that detectors claim are more than noise.
//!
//! At each value between two others the metric is compared with where the straight line between those two would have
//! it. That distance, the bend, is the second difference of unevenly spaced values in the unit of the metric. The bends
//! of all metrics along all parameters are one family (Holm), so that a sweep in which nothing bends has any inflection
//! in about 5 of 100 cases, and most often fewer, since metrics depend on each other.
//!
//! Trials do not know what they all share: each value may be off by what does not matter, in any direction, and that is
//! part of the error of a bend. No inflection is therefore certain, however equal the trials are.

use crate::comparison::{Comparison, Estimate, Rule};
use aiperf_metrics::significance::{holm, two_sided};
use aiperf_model::conclusion::{Finding, Trend, Uncertainty};

/// The certainty that no number of trials exceeds.
const MOST_CERTAIN: f64 = 0.99;

/// The values of a metric along a parameter, and how sure each bend between them is.
pub(crate) struct Tested {
    /// One for each value; none for the first and the last, and beside an invalid value.
    bends: Vec<Option<Bend>>,
    flat_within: Option<f64>,
    uncertainty: Uncertainty,
    level: f64,
}

/// A change of slope at one value.
#[derive(Clone, Copy, Debug)]
struct Bend {
    /// Whether it is large enough to matter.
    is_material: bool,
    /// How probable one at least as large is by chance, anywhere in the family; none where nothing is known of that.
    probability: Option<f64>,
    /// Whether the metric changes faster behind it, in the same direction.
    is_steepening: bool,
}

/// One value of a series.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) x: f64,
    pub(crate) estimate: Estimate,
    /// Whether it is invalid, so that nothing follows from it.
    pub(crate) is_excluded: bool,
}

/// Tests all bends of all these series as one family.
pub(crate) fn test(series: &[Vec<Place>], rule: Rule) -> Vec<Tested> {
    let mut tested: Vec<Tested> = series.iter().map(|places| of_series(places, rule)).collect();
    let bends = || tested.iter().flat_map(|series| series.bends.iter().flatten());
    let adjusted = holm(&bends().filter_map(|bend| bend.probability).collect::<Vec<_>>());
    let all = tested.iter_mut().flat_map(|series| series.bends.iter_mut().flatten());
    let probabilities = all.filter_map(|bend| bend.probability.as_mut());
    probabilities.zip(adjusted).for_each(|(probability, adjusted)| *probability = adjusted);
    tested
}

fn of_series(places: &[Place], rule: Rule) -> Tested {
    let comparison = Comparison::new(rule, places.iter().map(|place| place.estimate).collect());
    let inner = (1..places.len().saturating_sub(1)).map(|middle| bend(places, &comparison, middle));
    let ends = |count: usize| std::iter::repeat_n(None, count);
    Tested {
        bends: ends(1).chain(inner).chain(ends(1)).take(places.len()).collect(),
        flat_within: flat_within(places, rule),
        uncertainty: comparison.uncertainty(),
        level: rule.level,
    }
}

/// The bend at the value `middle`, which has two neighbours.
fn bend(places: &[Place], comparison: &Comparison, middle: usize) -> Option<Bend> {
    let around = places.get(middle - 1..=middle + 1)?;
    let [left, place, right] = around else { return None };
    if around.iter().any(|place| place.is_excluded) {
        return None;
    }
    let (before, after) = (place.x - left.x, right.x - place.x);
    let (of_left, of_right) = (after / (before + after), before / (before + after));
    let [y_left, y, y_right] = [left, place, right].map(|place| place.estimate.mean);
    let straight = of_left * y_left + of_right * y_right;
    let (slope_before, slope_after) = ((y - y_left) / before, (y_right - y) / after);
    Some(Bend {
        is_material: comparison.rule().is_material(y, straight),
        probability: probability(comparison, middle, y - straight, [of_left, 1.0, of_right]),
        is_steepening: slope_after.abs() > slope_before.abs() && slope_before * slope_after >= 0.0,
    })
}

/// How probable a bend at least this large is by chance, without other bends.
fn probability(comparison: &Comparison, middle: usize, bend: f64, weights: [f64; 3]) -> Option<f64> {
    // What all trials share is as good as any value within what does not matter.
    let shared = |mean: f64| (comparison.rule().material * mean).powi(2) / 3.0;
    let (mut of_trials, mut of_all) = (0.0, 0.0);
    for (position, weight) in (middle - 1..).zip(weights) {
        let mean = comparison.estimates().get(position)?.mean;
        let square = comparison.standard_error(position)?.powi(2);
        of_trials += weight * weight * square;
        of_all += weight * weight * (square + shared(mean));
    }
    if of_trials <= 0.0 {
        // Trials that do not vary at all say nothing of how far they are off.
        return (bend == 0.0).then_some(1.0);
    }
    // Welch and Satterthwaite, of which only the part that comes from trials has degrees of freedom.
    let degrees_of_freedom = comparison.degrees_of_freedom * (of_all / of_trials).powi(2);
    Some(two_sided(bend / of_all.sqrt(), degrees_of_freedom))
}

/// The range of the means relative to their mean, if none of them differs from the lowest or the highest, where the
/// intervals of the differences of all pairs hold together.
fn flat_within(places: &[Place], rule: Rule) -> Option<f64> {
    let estimates: Vec<Estimate> =
        places.iter().filter(|place| !place.is_excluded).map(|place| place.estimate).collect();
    let count = estimates.len();
    let by_mean = |a: &usize, b: &usize| {
        let mean = |position: usize| estimates.get(position).map_or(0.0, |estimate| estimate.mean);
        mean(*a).total_cmp(&mean(*b))
    };
    let (lowest, highest) = ((0..count).min_by(by_mean)?, (0..count).max_by(by_mean)?);
    let mean = estimates.iter().map(|estimate| estimate.mean).sum::<f64>() / count as f64;
    // Those from one value hold together already, and each pair belongs to two values.
    let of_pairs = Rule { level: 1.0 - 2.0 * (1.0 - rule.level) / count.max(2) as f64, ..rule };
    let comparison = Comparison::new(of_pairs, estimates);
    let differs = |position: usize| {
        [lowest, highest].into_iter().any(|extreme| comparison.difference(position, extreme).is_told_apart)
    };
    let range = comparison.difference(highest, lowest).gap;
    let relative = if range > 0.0 { range / mean.abs() } else { 0.0 };
    (count > 1 && relative.is_finite() && !(0..count).any(differs)).then_some(relative)
}

impl Bend {
    fn is_significant(&self, level: f64) -> bool {
        self.is_material && self.probability.is_none_or(|probability| probability <= 1.0 - level)
    }
}

impl Tested {
    /// The trend without the inflections that are not told from noise, and what else follows from the test.
    pub(crate) fn filter(&self, mut trend: Trend) -> Trend {
        let claimed: Vec<u32> =
            trend.findings.iter().filter(|one| is_claim(one)).map(|one| one.first).collect();
        let before = trend.findings.len();
        trend.findings.retain_mut(|finding| self.passes(finding, &claimed));
        trend.not_significant = before - trend.findings.len();
        let bends = trend.findings.iter().any(|finding| finding.kind == "inflection");
        trend.flat_within = self.flat_within.filter(|_| !bends);
        trend.uncertainty = self.uncertainty;
        trend
    }

    /// Whether a finding stands; how certain it is at most.
    fn passes(&self, finding: &mut Finding, claimed: &[u32]) -> bool {
        if finding.kind != "inflection" {
            return true;
        }
        let behind: Vec<&Bend> = (finding.first.saturating_sub(1)..=finding.last)
            .filter(|position| *position >= finding.first || finding.first == finding.last)
            .filter(|position| {
                finding.first != finding.last || self.belongs(*position, finding.first, claimed)
            })
            .filter_map(|position| self.bends.get(position as usize)?.as_ref())
            .filter(|bend| bend.is_significant(self.level))
            .collect();
        let least = behind.iter().filter_map(|bend| bend.probability).reduce(f64::min);
        if let Some(probability) = least {
            finding.certainty = finding.certainty.min(1.0 - probability).min(MOST_CERTAIN);
        }
        !behind.is_empty()
    }

    /// Whether the bend at `position` is what the claim at `claim` means. Detectors name the value where the slope
    /// changes, or the next one, where the new slope is first seen: most often for a metric that goes on faster. A bend
    /// belongs to one claim only, so that no claim is carried by the bend of its neighbour.
    fn belongs(&self, position: u32, claim: u32, claimed: &[u32]) -> bool {
        let is_steepening =
            self.bends.get(position as usize).and_then(Option::as_ref).is_some_and(|bend| bend.is_steepening);
        let (first, second) = if is_steepening { (position + 1, position) } else { (position, position + 1) };
        if claimed.contains(&first) { claim == first } else { claim == second }
    }
}

/// Whether a finding names one value as an inflection.
fn is_claim(finding: &Finding) -> bool {
    finding.kind == "inflection" && finding.first == finding.last
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::finding;

    const RULE: Rule = Rule { level: 0.95, material: 0.01 };

    /// Values at 10, 20 … with five trials that vary by this share.
    fn places(means: &[f64], cv: f64) -> Vec<Place> {
        let place = |(x, mean): (i32, &f64)| Place {
            x: f64::from(x) * 10.0,
            estimate: Estimate::over_trials(*mean, 5.0, cv * mean),
            is_excluded: false,
        };
        (1..).zip(means).map(place).collect()
    }

    fn trend(claims: &[(u32, u32)]) -> Trend {
        Trend {
            key: "request_throughput_avg".into(),
            parameter: "concurrency".into(),
            fixed: Vec::new(),
            along_with: Vec::new(),
            positions: Vec::new(),
            rate_of_change: Vec::new(),
            slopes: Vec::new(),
            detector: "detector".into(),
            findings: claims.iter().map(|(first, last)| finding(*first, *last)).collect(),
            not_significant: 0,
            flat_within: None,
            uncertainty: Uncertainty::Unknown,
            derived: Vec::new(),
            left_out: 0,
        }
    }

    fn listed(places: &[Place], claims: &[u32]) -> (Vec<u32>, usize) {
        let claims: Vec<_> = claims.iter().map(|place| (*place, *place)).collect();
        let trend = test(&[places.to_vec()], RULE).remove(0).filter(trend(&claims));
        (trend.findings.iter().map(|finding| finding.first).collect(), trend.not_significant)
    }

    const KNEE: [f64; 5] = [80.0, 160.0, 161.0, 159.0, 160.0];

    #[test]
    fn a_knee_stands_and_noise_on_the_plateau_does_not() {
        assert_eq!(listed(&places(&KNEE, 0.03), &[1, 2, 3]), (vec![1], 2));
        assert_eq!(listed(&places(&[100.0, 103.0, 99.0, 102.0], 0.03), &[1, 2]), (vec![], 2));
    }

    #[test]
    fn what_grows_faster_may_be_named_where_it_is_seen_first() {
        let rising = [100.0, 101.0, 100.0, 200.0, 300.0];
        assert_eq!(listed(&places(&rising, 0.03), &[3]), (vec![3], 0));
        assert_eq!(listed(&places(&rising, 0.03), &[2]), (vec![2], 0));
        assert_eq!(listed(&places(&rising, 0.03), &[2, 3]), (vec![2], 1), "one bend is one inflection");
        // A knee is named behind it by detectors that do so with every change, and one bend carries one claim.
        assert_eq!(listed(&places(&KNEE, 0.03), &[2]), (vec![2], 0));
    }

    #[test]
    fn a_bend_that_does_not_matter_is_none_however_sure_it_is() {
        assert_eq!(listed(&places(&[100.0, 100.4, 100.0, 100.0], 1e-6), &[1]), (vec![], 1));
        assert_eq!(listed(&places(&[100.0, 103.0, 100.0, 100.0], 1e-6), &[1]), (vec![1], 0));
    }

    #[test]
    fn no_inflection_is_certain_where_the_trials_are_equal() {
        let tested = test(&[places(&KNEE, 1e-9)], RULE).remove(0);
        let trend = tested.filter(trend(&[(1, 1)]));
        assert!(trend.findings[0].certainty <= MOST_CERTAIN, "{trend:?}");
        // A bend just above what matters may be what all trials share.
        let small = test(&[places(&[100.0, 101.1, 100.0, 100.0], 1e-9)], RULE).remove(0);
        assert_eq!(small.filter(self::trend(&[(1, 1)])).findings, []);
    }

    #[test]
    fn without_uncertainty_what_matters_stands_and_it_is_marked() {
        let exact = |mean: &f64| Estimate::exact(*mean);
        let single: Vec<Place> = places(&KNEE, 0.0)
            .iter()
            .zip(&KNEE)
            .map(|(place, mean)| Place { estimate: exact(mean), ..*place })
            .collect();
        assert_eq!(listed(&single, &[1, 2, 3]), (vec![1], 2));
        let tested = test(&[single], RULE).remove(0).filter(trend(&[(1, 1)]));
        assert_eq!((tested.uncertainty, tested.findings[0].certainty), (Uncertainty::Unknown, 1.0));
    }

    #[test]
    fn the_more_is_looked_at_the_more_a_bend_has_to_show() {
        let weak = places(&[80.0, 92.0, 92.0, 92.0], 0.03);
        let alone = test(std::slice::from_ref(&weak), RULE).remove(0).filter(trend(&[(1, 1)]));
        assert_eq!(alone.findings.len(), 1);
        let mut family = vec![weak];
        family.extend(vec![places(&[100.0, 101.0, 100.0, 101.0], 0.03); 100]);
        assert_eq!(test(&family, RULE).remove(0).filter(trend(&[(1, 1)])).findings, []);
    }

    #[test]
    fn nothing_follows_from_an_invalid_value() {
        let mut excluded = places(&KNEE, 0.03);
        excluded[2].is_excluded = true;
        assert_eq!(listed(&excluded, &[1]), (vec![], 1));
    }

    #[test]
    fn flat_is_an_answer() {
        let flat =
            |means: &[f64], cv| test(&[places(means, cv)], RULE).remove(0).filter(trend(&[])).flat_within;
        assert_eq!(flat(&[100.0, 102.0, 98.0, 100.0], 0.03), Some(0.04));
        assert_eq!(flat(&[100.0, 120.0, 140.0, 160.0], 0.03), None);
        assert_eq!(flat(&[0.0, 0.0], 0.0), Some(0.0));
        // Where differences of 0.5 % do not matter, trials that agree on them make no difference.
        assert_eq!(flat(&[100.0, 100.5], 1e-6), Some(0.5 / 100.25));
    }

    #[test]
    fn shapes_of_several_values_stand_if_one_of_them_bends_and_other_kinds_always() {
        let tested = |means: &[f64]| {
            let mut claims = trend(&[(1, 2), (1, 3)]);
            claims.findings[1].kind = "plateau".into();
            let trend = test(&[places(means, 0.03)], RULE).remove(0).filter(claims);
            trend.findings.iter().map(|finding| finding.kind.clone()).collect::<Vec<_>>()
        };
        assert_eq!(tested(&KNEE), ["inflection", "plateau"]);
        assert_eq!(tested(&[100.0, 101.0, 100.0, 101.0]), ["plateau"]);
    }
}
