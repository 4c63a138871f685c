//! How each metric changes along each parameter, judged by detectors.

use crate::comparison::{Estimate, Rule};
use crate::differences;
use crate::excluded;
use crate::fault::Fault;
use crate::inflections::{self, Place, Tested};
use crate::room::Room;
use aiperf_model::conclusion::{ExcludedValue, Report, Sample, Series, Trend, Uncertainty};
use aiperf_model::parameter::Parameter;
use aiperf_model::plugin::TrendDetector;
use aiperf_model::point::Point;

/// A series, the parameters that are the same for all its samples, and those that change along with it.
pub(crate) struct Line {
    series: Series,
    /// What is known of each sample.
    estimates: Vec<Estimate>,
    fixed: Vec<Parameter>,
    along_with: Vec<String>,
}

/// All series of these points: for each metric, in the order of the points' measurements, one along each axis for
/// every combination of the other parameters. A series has at least two samples with different positions, and the
/// metric in every one of them; parameters that are no numbers span no series.
///
/// Where no two points differ in one parameter only, as when lists are taken element by element, there is one series
/// for each metric, along the first axis that no two points share, with the other parameters changing along with it.
pub(crate) fn lines(axes: &[String], points: &[Point]) -> Vec<Line> {
    lines_of(axes, points, &keys(points))
}

/// The same for some metrics.
pub(crate) fn lines_of(axes: &[String], points: &[Point], keys: &[&str]) -> Vec<Line> {
    let mut rows: Vec<Row<'_>> = axes.iter().flat_map(|axis| rows(axis, points)).collect();
    if rows.is_empty() {
        rows.extend(axes.iter().find_map(|axis| path(axis, points)));
    }
    keys.iter().flat_map(|key| rows.iter().filter_map(move |row| row.line(key))).collect()
}

/// Points that differ in one parameter only, or in others along with it.
struct Row<'a> {
    parameter: &'a str,
    fixed: Vec<Parameter>,
    along_with: Vec<String>,
    /// Positions and points, strictly ascending.
    points: Vec<(f64, &'a Point)>,
}

fn rows<'a>(axis: &'a str, points: &'a [Point]) -> Vec<Row<'a>> {
    let mut rows: Vec<Row<'a>> = Vec::new();
    for point in points {
        let Some((x, fixed)) = position(axis, point) else { continue };
        match rows.iter_mut().find(|row| row.fixed == fixed) {
            Some(row) => row.points.push((x, point)),
            None => {
                rows.push(Row { parameter: axis, fixed, along_with: Vec::new(), points: vec![(x, point)] });
            }
        }
    }
    rows.into_iter().filter_map(Row::ascending).collect()
}

/// All points along an axis, whatever their other parameters.
fn path<'a>(axis: &'a str, points: &'a [Point]) -> Option<Row<'a>> {
    let others = points.first()?.parameters.iter().filter(|parameter| parameter.name != axis);
    let along_with = others.map(|parameter| parameter.name.clone()).collect();
    let points = points.iter().map(|point| Some((position(axis, point)?.0, point))).collect::<Option<_>>()?;
    Row { parameter: axis, fixed: Vec::new(), along_with, points }.ascending()
}

/// Where a point stands on an axis, and its other parameters; none if the axis is no number there.
fn position(axis: &str, point: &Point) -> Option<(f64, Vec<Parameter>)> {
    let parameter = point.parameters.iter().find(|parameter| parameter.name == axis)?;
    let x = parameter.value.as_number().filter(|x| x.is_finite())?;
    Some((x, point.parameters.iter().filter(|other| other.name != axis).cloned().collect()))
}

/// The keys of all measurements, in order of first appearance.
fn keys(points: &[Point]) -> Vec<&str> {
    let mut keys: Vec<&str> = Vec::new();
    for measurement in points.iter().flat_map(|point| &point.measurements) {
        if !keys.contains(&measurement.key.as_str()) {
            keys.push(&measurement.key);
        }
    }
    keys
}

impl Row<'_> {
    /// With the points in order, or none if these are fewer than two or two are at the same place.
    fn ascending(mut self) -> Option<Self> {
        self.points.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        let is_line = self.points.len() > 1 && self.points.is_sorted_by(|(a, _), (b, _)| a < b);
        is_line.then_some(self)
    }

    /// The line of one metric, or none if a point lacks it.
    fn line(&self, key: &str) -> Option<Line> {
        let samples = self.points.iter().map(|(x, point)| sample(*x, point, key)).collect::<Option<_>>()?;
        let measurement = self.points.first()?.1.measurement(key)?;
        let series = Series {
            parameter: self.parameter.into(),
            key: key.into(),
            metric: measurement.metric.clone(),
            statistic: measurement.statistic.clone(),
            unit: measurement.unit.clone(),
            better: measurement.better,
            samples,
        };
        let estimate =
            |(_, point): &(f64, &Point)| Some(Estimate::measured(point.measurement(key)?, point.trials));
        let estimates = self.points.iter().filter_map(estimate).collect();
        Some(Line { series, estimates, fixed: self.fixed.clone(), along_with: self.along_with.clone() })
    }
}

fn sample(x: f64, point: &Point, key: &str) -> Option<Sample> {
    let measurement = point.measurement(key)?;
    Some(Sample {
        point_index: point.index,
        x,
        y: measurement.mean,
        trials: measurement.trials.clone(),
        confidence: measurement.confidence,
    })
}

/// Tests all bends of these lines as one family, whatever detectors say of them.
pub(crate) fn test(lines: &[Line], excluded: &[ExcludedValue], rule: Rule) -> Vec<Tested> {
    let series: Vec<Vec<Place>> = lines.iter().map(|line| line.places(excluded)).collect();
    inflections::test(&series, rule)
}

/// Asks the detector about every line; one trend for each, in their order, with the inflections that the test bears out.
///
/// The first fault ends it: a detector that runs into its time limit would otherwise do so for every line.
pub(crate) fn detect(
    detector: &dyn TrendDetector,
    lines: &[Line],
    tested: &[Tested],
) -> Result<Vec<Trend>, Fault> {
    let mut room = Room::default();
    let trends = lines.iter().zip(tested).map(|(line, tested)| {
        let trend = tested.filter(trend(detector, line)?);
        Ok(room.furnish(trend))
    });
    trends.collect()
}

/// The trends of several detectors, each in the order of the same lines, with those of a line side by side.
pub(crate) fn by_metric(detectors: Vec<Vec<Trend>>) -> Vec<Trend> {
    let mut detectors: Vec<_> = detectors.into_iter().map(Vec::into_iter).collect();
    let mut trends = Vec::new();
    loop {
        let before = trends.len();
        trends.extend(detectors.iter_mut().filter_map(Iterator::next));
        if trends.len() == before {
            return trends;
        }
    }
}

impl Line {
    fn places(&self, excluded: &[ExcludedValue]) -> Vec<Place> {
        let place = |(sample, estimate): (&Sample, &Estimate)| Place {
            x: sample.x,
            estimate: *estimate,
            is_excluded: excluded::contains(excluded, sample.point_index),
        };
        self.series.samples.iter().zip(&self.estimates).map(place).collect()
    }

    /// The point behind a position of a trend along this line.
    pub(crate) fn point_at(&self, x: f64) -> Option<u32> {
        let at = |sample: &&Sample| sample.x.total_cmp(&x).is_eq();
        self.series.samples.iter().find(at).map(|sample| sample.point_index)
    }
}

fn trend(detector: &dyn TrendDetector, line: &Line) -> Result<Trend, Fault> {
    let series = &line.series;
    let Report { mut findings, mut derived, left_out } =
        detector.detect(series).map_err(|error| Fault::failed(name(series), error))?;
    findings.sort_by_key(|finding| (finding.first, finding.last));

    let positions: Vec<f64> = series.samples.iter().map(|sample| sample.x).collect();
    let means: Vec<f64> = series.samples.iter().map(|sample| sample.y).collect();
    let rate_of_change = differences::of_neighbours(&means);
    let steps = differences::of_neighbours(&positions);
    let slopes: Vec<f64> =
        rate_of_change.iter().zip(&steps).map(|(rise, run)| differences::slope(*rise, *run)).collect();
    derived.retain(|list| {
        let repeats = |name: &str, values: &[f64]| list.name == name && are_same(&list.values, values);
        !repeats("rate_of_change", &rate_of_change) && !repeats("slopes", &slopes)
    });
    Ok(Trend {
        key: series.key.clone(),
        parameter: series.parameter.clone(),
        fixed: line.fixed.clone(),
        along_with: line.along_with.clone(),
        positions,
        rate_of_change,
        slopes,
        detector: detector.identity().name.clone(),
        findings,
        not_significant: 0,
        flat_within: None,
        uncertainty: Uncertainty::default(),
        derived,
        left_out,
    })
}

/// Whether two lists are the same but for the last digits of their largest number.
fn are_same(left: &[f64], right: &[f64]) -> bool {
    let largest = left.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
    left.len() == right.len()
        && left.iter().zip(right).all(|(left, right)| (left - right).abs() <= 1e-9 * largest)
}

/// A series as messages name it.
fn name(series: &Series) -> String {
    format!("{} along {}", series.key, series.parameter)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{self, Detector, finding};
    use aiperf_model::conclusion::{Derived, Direction, Finding};
    use aiperf_model::parameter::ParameterValue;

    fn axes(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    /// A point at these parameters with one latency.
    fn point(index: u32, parameters: &[(&str, ParameterValue)], latency: f64) -> Point {
        let parameters =
            parameters.iter().map(|(name, value)| Parameter::new(*name, value.clone())).collect();
        Point { parameters, ..testing::point(index, &[("request_latency_avg_ms", &[latency])]) }
    }

    fn at(index: u32, concurrency: i64, latency: f64) -> Point {
        point(index, &[("concurrency", ParameterValue::Integer(concurrency))], latency)
    }

    /// The trends whose bends all matter, however small.
    fn detected(detector: &dyn TrendDetector, lines: &[Line]) -> Vec<Trend> {
        detect(detector, lines, &test(lines, &[], Rule { level: 0.0, material: 0.0 })).unwrap()
    }

    fn trends(axes: &[String], points: &[Point]) -> Vec<Trend> {
        detected(&Detector::finding_nothing(), &lines(axes, points))
    }

    #[test]
    fn a_series_says_what_it_is() {
        let lines = lines(&axes(&["concurrency"]), &testing::specification());
        let series: Vec<_> =
            lines.iter().map(|line| (line.series.key.as_str(), line.series.better)).collect();
        assert_eq!(
            series,
            [
                ("request_throughput_avg", Some(Direction::Maximize)),
                ("ttft_p99_ms", Some(Direction::Minimize)),
            ]
        );
        let series = &lines[1].series;
        assert_eq!((series.metric.as_str(), series.statistic.as_str()), ("time_to_first_token", "p99"));
        assert_eq!((series.parameter.as_str(), series.unit.as_str()), ("concurrency", "ms"));
        let sample = &series.samples[3];
        assert_eq!((sample.point_index, sample.x, sample.y), (3, 40.0, 285.7));
        assert!(sample.confidence.is_some());
    }

    #[test]
    fn slopes_are_per_unit_of_the_parameter() {
        let points = [at(0, 5, 100.0), at(1, 10, 110.0), at(2, 20, 130.0), at(3, 40, 170.0)];
        let trends = trends(&axes(&["concurrency"]), &points);
        assert_eq!(trends[0].rate_of_change, [10.0, 20.0, 40.0]);
        assert_eq!(trends[0].slopes, [2.0, 2.0, 2.0]);
        assert!(trends[0].fixed.is_empty());
    }

    #[test]
    fn samples_ascend_whatever_the_order_of_the_points() {
        let points = [at(0, 20, 2.0), at(1, 10, 1.0)];
        assert_eq!(trends(&axes(&["concurrency"]), &points)[0].positions, [10.0, 20.0]);
    }

    #[test]
    fn two_axes_give_series_along_each_with_the_other_fixed() {
        let mut points = Vec::new();
        for concurrency in [1, 2] {
            for isl in [128, 256] {
                points.push(point(
                    points.len() as u32,
                    &[
                        ("concurrency", ParameterValue::Integer(concurrency)),
                        ("isl", ParameterValue::Integer(isl)),
                    ],
                    (concurrency * isl) as f64,
                ));
            }
        }
        let trends = trends(&axes(&["concurrency", "isl"]), &points);
        let described: Vec<_> = trends
            .iter()
            .map(|t| (t.parameter.as_str(), aiperf_model::parameter::describe(&t.fixed), t.rate_of_change[0]))
            .collect();
        assert_eq!(
            described,
            [
                ("concurrency", "isl 128".into(), 128.0),
                ("concurrency", "isl 256".into(), 256.0),
                ("isl", "concurrency 1".into(), 128.0),
                ("isl", "concurrency 2".into(), 256.0),
            ]
        );
    }

    #[test]
    fn lists_that_are_taken_element_by_element_give_one_series_along_the_first_axis_that_tells_all_points() {
        let zipped = |pairs: &[(i64, i64)]| -> Vec<Trend> {
            let points: Vec<Point> = (0..)
                .zip(pairs)
                .map(|(index, (concurrency, isl))| {
                    let parameters = [
                        ("concurrency", ParameterValue::Integer(*concurrency)),
                        ("isl", ParameterValue::Integer(*isl)),
                    ];
                    point(index, &parameters, (concurrency * isl) as f64)
                })
                .collect();
            trends(&axes(&["concurrency", "isl"]), &points)
        };
        let all = zipped(&[(4, 512), (1, 128), (2, 256)]);
        assert_eq!(all.len(), 1);
        assert_eq!(
            (all[0].parameter.as_str(), all[0].along_with.as_slice()),
            ("concurrency", &["isl".to_owned()][..])
        );
        assert_eq!(all[0].positions, [1.0, 2.0, 4.0]);
        assert!(all[0].fixed.is_empty());
        let second = zipped(&[(1, 128), (2, 256), (1, 512)]);
        assert_eq!((second.len(), second[0].parameter.as_str()), (1, "isl"));
        // Two of these differ in the concurrency only.
        let plain = zipped(&[(1, 128), (8, 128), (1, 512)]);
        assert!(plain.iter().all(|trend| trend.along_with.is_empty()), "{plain:#?}");
    }

    #[test]
    fn one_sample_equal_positions_and_names_give_no_series() {
        let model = |index, name: &str| point(index, &[("model", ParameterValue::Text(name.into()))], 1.0);
        for (axis, points) in [
            ("concurrency", vec![at(0, 10, 1.0)]),
            ("concurrency", vec![at(0, 10, 1.0), at(1, 10, 2.0)]),
            ("model", vec![model(0, "a"), model(1, "b")]),
            ("isl", vec![at(0, 10, 1.0), at(1, 20, 2.0)]),
        ] {
            assert!(trends(&axes(&[axis]), &points).is_empty(), "{axis}");
        }
    }

    #[test]
    fn trends_of_a_line_stand_side_by_side() {
        let lines = lines(&axes(&["concurrency"]), &testing::specification());
        let nothing = detected(&Detector::finding_nothing(), &lines);
        let inflection = detected(&Detector::inflection_at(1), &lines);
        let trends = by_metric(vec![nothing, inflection]);
        let order: Vec<_> = trends.iter().map(|t| (t.key.as_str(), t.inflection_points())).collect();
        assert_eq!(
            order,
            [
                ("request_throughput_avg", vec![]),
                ("request_throughput_avg", vec![20.0]),
                ("ttft_p99_ms", vec![]),
                ("ttft_p99_ms", vec![20.0]),
            ]
        );
    }

    #[test]
    fn findings_come_in_the_order_of_their_place() {
        let detector = Detector::new(vec![finding(2, 3), finding(1, 1)]);
        let lines = lines(&axes(&["concurrency"]), &testing::specification());
        let trends = detected(&detector, &lines);
        let places: Vec<_> = trends[0].findings.iter().map(|f| (f.first, f.last)).collect();
        assert_eq!(places, [(1, 1), (2, 3)]);
    }

    #[test]
    fn derived_numbers_are_kept_unless_the_files_have_them_anyway() {
        let derived = |name: &str, values: &[f64]| Derived { name: name.into(), values: values.to_vec() };
        let detector = Detector::finding_nothing().deriving(vec![
            // What plain subtraction gives.
            derived("rate_of_change", &[175.8 - 95.2, 245.3 - 175.8, 255.1 - 245.3]),
            derived("slopes", &[1.0, 2.0, 3.0]),
            derived("curvature", &[0.5, 0.25, 0.125]),
        ]);
        let lines = lines(&axes(&["concurrency"]), &testing::specification());
        let trends = detected(&detector, &lines);
        let names = |trend: &Trend| trend.derived.iter().map(|d| d.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&trends[0]), ["slopes", "curvature"], "those slopes are others than the host's");
        assert_eq!(trends[0].derived[1].values, [0.5, 0.25, 0.125]);
    }

    #[test]
    fn what_all_answers_of_a_detector_hold_is_limited() {
        let talkative = Detector::new(vec![Finding { message: "x".repeat(1 << 20), ..finding(1, 1) }; 20]);
        let lines = lines(&axes(&["concurrency"]), &testing::specification());
        let trends = detected(&talkative, &lines);
        let counts: Vec<_> = trends.iter().map(|trend| (trend.findings.len(), trend.left_out)).collect();
        assert_eq!(counts, [(20, 0), (11, 9)]);
    }
}
