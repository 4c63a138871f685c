//! Finds where a metric that should grow has all but stopped growing.

use aiperf_plugin::trend::{Finding, Report, Series, TrendDetector};
use aiperf_plugin::schemars::{self, JsonSchema};
use aiperf_plugin::{Direction, Result, register_trend};
use serde::Deserialize;

/// The settings, as in `--trend '{{name}}:{"share":0.9}'`.
#[derive(Deserialize, JsonSchema)]
#[serde(default)]
struct Plateau {
    /// The share of the best value from which on the metric counts as grown.
    share: f64,
}

impl Default for Plateau {
    fn default() -> Self {
        Self { share: 0.95 }
    }
}

impl TrendDetector for Plateau {
    fn settings_schema() -> Option<String> {
        aiperf_plugin::schema_of::<Self>()
    }

    fn detect(&self, series: &Series) -> Result<Report> {
        let best = series.samples.iter().map(|sample| sample.y).fold(f64::NEG_INFINITY, f64::max);
        let reached = series.samples.iter().position(|sample| sample.y >= self.share * best);
        let mut report = Report { findings: Vec::new(), derived: Vec::new() };
        if let Some(position) = reached
            && series.better == Some(Direction::Maximize)
            && position + 1 < series.samples.len()
        {
            let (parameter, place) = (&series.parameter, series.samples[position].x);
            let message = format!("{:.0} % of the best value is reached at {parameter} {place}", self.share * 100.0);
            report.findings.push(Finding::inflection(position, message));
        }
        Ok(report)
    }
}

register_trend!(Plateau);

#[cfg(test)]
mod tests {
    use super::*;
    use aiperf_plugin::testing;

    #[test]
    fn the_plateau_begins_where_most_of_the_best_is_reached() {
        let found = |samples: &[(f64, f64)]| {
            let report = Plateau::default().detect(&testing::series(samples)).unwrap();
            report.findings.first().map(|finding| finding.first)
        };
        assert_eq!(found(&[(10.0, 50.0), (20.0, 97.0), (30.0, 100.0)]), Some(1));
        assert_eq!(found(&[(10.0, 50.0), (20.0, 90.0), (30.0, 100.0)]), None);
    }
}
