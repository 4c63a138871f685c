//! One series, its slopes, and where they change.

use crate::{Finding, Series, SlopeChange};

/// A change between two neighbouring steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Inflection {
    /// The sample it is reported at.
    pub(crate) position: usize,
    change: Change,
    /// Whether the metric rises along the first of the two steps.
    rising: bool,
    /// How many times the change is as large as one that would not count.
    excess: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Change {
    Turn,
    SlowDown { factor: f64 },
    SpeedUp { factor: f64 },
}

/// All changes of `series`, at most one for each pair of neighbouring steps.
pub(crate) fn inflections(settings: &SlopeChange, series: &Series) -> Vec<Inflection> {
    let floor = settings.floor * range(series) / mean_step(series);
    let slopes = series.slopes();
    let joints = slopes.windows(2).zip(1..).filter_map(|(pair, joint)| match pair {
        [before, after] => Inflection::between(settings.factor, floor, *before, *after, joint),
        _ => None,
    });
    joints.collect()
}

impl Inflection {
    /// The change from the slope `before` to the slope `after`, which meet at the sample `joint`.
    fn between(least: f64, floor: f64, before: f64, after: f64, joint: usize) -> Option<Self> {
        let floored = |slope: f64| slope.abs().max(floor);
        let steeper = floored(before).max(floored(after));
        let factor = steeper / floored(before).min(floored(after));
        let turns = before * after < 0.0 && before.abs().min(after.abs()) >= floor;
        let rising = if before == 0.0 { after > 0.0 } else { before > 0.0 };
        if turns {
            let excess = before.abs().min(after.abs()) / floor;
            Some(Self { position: joint, change: Change::Turn, rising, excess })
        } else if steeper == 0.0 || factor < least {
            None
        } else if floored(before) > floored(after) {
            Some(Self {
                position: joint,
                change: Change::SlowDown { factor },
                rising,
                excess: factor / least,
            })
        } else {
            let rising = after > 0.0;
            Some(Self {
                position: joint + 1,
                change: Change::SpeedUp { factor },
                rising,
                excess: factor / least,
            })
        }
    }

    /// Certain in as far as the trials agree; with a single trial, in as far as the change is beyond doubt.
    pub(crate) fn into_finding(self, series: &Series, trials: &[Vec<Self>]) -> Finding {
        let same = |other: &Self| other.position == self.position && other.rising == self.rising;
        let agreeing = trials.iter().filter(|found| found.iter().any(same)).count();
        let certainty = if trials.is_empty() {
            1.0 - 1.0 / (1.0 + self.excess)
        } else {
            agreeing as f64 / trials.len() as f64
        };
        Finding { certainty, ..Finding::inflection(self.position, self.message(series)) }
    }

    fn message(&self, series: &Series) -> String {
        let place = series.samples.get(self.position).map_or(0.0, |sample| sample.x);
        let parameter = &series.parameter;
        match self.change {
            Change::Turn if self.rising => format!("peak at {parameter} {place}"),
            Change::Turn => format!("valley at {parameter} {place}"),
            Change::SlowDown { factor } if self.rising => {
                format!("slope falls to 1/{} after {parameter} {place} (saturation)", rounded(factor))
            }
            Change::SlowDown { factor } => {
                format!("decline slows to 1/{} after {parameter} {place}", rounded(factor))
            }
            Change::SpeedUp { factor } if self.rising => {
                format!("slope increases {}-fold at {parameter} {place}", rounded(factor))
            }
            Change::SpeedUp { factor } => {
                format!("decline steepens {}-fold at {parameter} {place}", rounded(factor))
            }
        }
    }
}

/// A factor with as many digits as a reader has use for: 2.4, 7.1, 100.
fn rounded(factor: f64) -> String {
    if factor < 9.95 {
        let text = format!("{factor:.1}");
        text.strip_suffix(".0").unwrap_or(&text).to_owned()
    } else {
        format!("{factor:.0}")
    }
}

/// From the lowest to the highest mean.
fn range(series: &Series) -> f64 {
    let values = || series.samples.iter().map(|sample| sample.y);
    values().fold(f64::NEG_INFINITY, f64::max) - values().fold(f64::INFINITY, f64::min)
}

fn mean_step(series: &Series) -> f64 {
    match series.samples.as_slice() {
        [first, .., last] => (last.x - first.x) / (series.samples.len() - 1) as f64,
        _ => f64::INFINITY,
    }
}
