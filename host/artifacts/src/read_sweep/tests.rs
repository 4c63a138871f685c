use super::*;
use crate::export::Exporter as _;
use crate::fixture;
use crate::sweep_csv::SweepCsv;
use crate::sweep_json::SweepJson;
use aiperf_model::conclusion::Conclusions;
use aiperf_model::sweep::Order;
use serde_json::{Value, json};

fn parsed(document: &Value) -> SweepResult {
    parse(Path::new("sweep.json"), document.to_string().as_bytes()).unwrap()
}

fn refused(document: &Value) -> String {
    parse(Path::new("sweep.json"), document.to_string().as_bytes()).unwrap_err().to_string()
}

/// The example of the specification, with blocks as bare as they are there.
fn specification() -> Value {
    let block =
        |mean: f64, std: f64, unit: &str| json!({ "mean": mean, "std": std, "cv": std / mean, "unit": unit });
    let value = |throughput, ttft| {
        json!({
            "request_throughput_avg": block(throughput, 3.1, "requests/sec"),
            "ttft_p99_ms": block(ttft, 8.2, "ms"),
        })
    };
    json!({
        "metadata": {
            "aggregation_type": "sweep",
            "parameter_name": "concurrency",
            "parameter_values": [10, 20, 30, 40],
            "num_values": 4,
            "num_trials_per_value": 5,
            "sweep_mode": "repeated",
            "confidence_level": 0.95
        },
        "per_value_metrics": {
            "10": value(95.2, 125.4),
            "20": value(175.8, 145.2),
            "30": value(245.3, 180.5),
            "40": value(255.1, 285.7),
        },
        "best_configurations": {},
        "pareto_optimal": [10, 30, 40],
        "trends": {}
    })
}

#[test]
fn the_example_of_the_specification() {
    let result = parsed(&specification());
    assert_eq!(result.axes, ["concurrency"]);
    assert_eq!((result.trials_per_value, result.order), (5, Order::Repeated));
    assert_eq!(result.points.len(), 4);
    let point = &result.points[0];
    assert_eq!((point.trials, &point.parameters), (5, &fixture::concurrency(10)));
    let throughput = point.measurement("request_throughput_avg").unwrap();
    assert_eq!((throughput.mean, throughput.std_dev, throughput.confidence), (95.2, Some(3.1), None));
    assert_eq!(throughput.trials, [95.2]);
    let ttft = point.measurement("ttft_p99_ms").unwrap();
    assert_eq!((ttft.metric.as_str(), ttft.statistic.as_str()), ("time_to_first_token", "p99"));
}

#[test]
fn what_is_unknown_stays_unknown_when_it_is_written_again() {
    let bytes = SweepJson.encode(&parsed(&specification())).unwrap();
    let again: Value = serde_json::from_slice(&bytes).unwrap();
    let block = &again["per_value_metrics"]["10"]["request_throughput_avg"];
    assert_eq!((&block["n"], &block["std"]), (&json!(5), &json!(3.1)));
    for unknown in ["min", "max", "trials", "ci_low"] {
        assert_eq!(block.get(unknown), Some(&Value::Null), "{unknown}");
    }
}

#[test]
fn our_own_files_come_back_as_they_were() {
    for written in [fixture::sweep(1), fixture::sweep(3), fixture::two_axes()] {
        let bytes = SweepJson.encode(&written).unwrap();
        let read = parse(Path::new("sweep.json"), &bytes).unwrap();
        assert_eq!(read.axes, written.axes);
        for (read, written) in read.points.iter().zip(&written.points) {
            assert_eq!(read.measurements, written.measurements);
            assert_eq!((read.trials, &read.parameters), (written.trials, &written.parameters));
        }
        // Apart from the conclusions, which are concluded anew, the bytes are the same.
        let unconcluded = SweepResult { conclusions: Conclusions::default(), ..written };
        assert_eq!(
            String::from_utf8(SweepJson.encode(&read).unwrap()).unwrap(),
            String::from_utf8(SweepJson.encode(&unconcluded).unwrap()).unwrap()
        );
    }
}

#[test]
fn the_python_tool_with_several_trials() {
    let block = |mean: f64| json!({ "mean": mean, "std": 0.8, "min": mean - 0.6, "max": mean + 0.6, "cv": 0.03, "ci_low": mean - 7.2, "ci_high": mean + 7.2, "unit": "ms" });
    let result = parsed(&json!({
        "aggregation_type": "sweep",
        "metadata": {
            "sweep_parameters": [{ "name": "concurrency", "values": [4, 2] }],
            "num_combinations": 2, "sweep_mode": "independent", "confidence_level": 0.9, "num_trials_per_value": 2
        },
        "per_combination_metrics": [
            { "parameters": { "concurrency": 4 }, "metrics": { "my_own_thing_p99": block(1.0), "time_to_first_token_p99": block(45.7) } },
            { "parameters": { "concurrency": 2 }, "metrics": { "time_to_first_token_p99": { "mean": null, "unit": "ms" } } }
        ]
    }));
    assert_eq!(result.axes, ["concurrency"]);
    assert_eq!(result.order, Order::Independent);
    let keys: Vec<_> = result.points[1].measurements.iter().map(|m| m.key.as_str()).collect();
    assert_eq!(keys, ["ttft_p99_ms", "my_own_thing_p99"]);
    let ttft = &result.points[1].measurements[0];
    assert_eq!((ttft.mean, ttft.std_dev), (45.7, Some(0.8)));
    assert_eq!((ttft.range().min, ttft.range().max), (Some(45.7 - 0.6), Some(45.7 + 0.6)));
    assert_eq!(ttft.confidence.map(|interval| interval.level), Some(0.9));
    assert_eq!(result.points[1].measurements[1].statistic, "p99");
    assert_eq!(result.points[0].parameters, fixture::concurrency(2));
    assert!(result.points[0].measurements.is_empty());
}

#[test]
fn the_python_tool_with_one_trial_has_whole_distributions_under_bare_names() {
    let result = parsed(&json!({
        "metadata": { "num_trials_per_value": 1 },
        "per_combination_metrics": [{ "parameters": { "concurrency": 2 }, "metrics": {
            "time_to_first_token": { "mean": 20.0, "avg": 20.0, "std": 0, "min": 10.0, "max": 40.0, "cv": 0,
                "ci_low": 20.0, "ci_high": 20.0, "unit": "ms", "p50": 19.0, "p99": 39.0, "count": 20 },
            "request_throughput": { "mean": 24.0, "avg": 24.0, "std": 0, "unit": "requests/sec" }
        } }]
    }));
    assert_eq!(result.axes, ["concurrency"]);
    let point = &result.points[0];
    let keys: Vec<_> = point.measurements.iter().map(|m| m.key.as_str()).collect();
    assert_eq!(
        keys,
        ["request_throughput_avg", "ttft_avg_ms", "ttft_min_ms", "ttft_max_ms", "ttft_p50_ms", "ttft_p99_ms"]
    );
    assert!(point.measurements.iter().all(|m| m.std_dev.is_none() && m.confidence.is_none()));
}

#[test]
fn a_spread_of_one_trial_is_unknown_whatever_the_file_says() {
    let mut document = specification();
    document["metadata"]["num_trials_per_value"] = 1.into();
    let block = &mut document["per_value_metrics"]["10"]["ttft_p99_ms"];
    (block["std"], block["ci_low"], block["ci_high"]) = (json!(0.0), json!(125.4), json!(125.4));
    let measurement = &parsed(&document).points[0].measurements[1];
    assert_eq!((measurement.std_dev, measurement.confidence), (None, None));
}

#[test]
fn a_metric_in_another_unit_is_not_taken_for_ours() {
    let mut document = specification();
    document["per_value_metrics"]["10"]["ttft_p99_ms"]["unit"] = "sec".into();
    let measurement = &parsed(&document).points[0].measurements[1].clone();
    assert_eq!((measurement.metric.as_str(), measurement.unit.as_str()), ("ttft_p99_ms", "sec"));
}

#[test]
fn failures_come_back() {
    let bytes = SweepJson.encode(&fixture::sweep(2)).unwrap();
    let result = parse(Path::new("sweep.json"), &bytes).unwrap();
    assert_eq!(result.failed_values.len(), 1);
    assert_eq!(result.failed_values[0].parameters, fixture::concurrency(30));
    assert_eq!(result.values[result.failed_values[0].index as usize].parameters, fixture::concurrency(30));
    assert_eq!(result.failed_trials[0].trial, 1);
}

#[test]
fn errors_name_file_place_and_expectation() {
    for (pointer, value, place, expectation) in [
        (
            "/per_value_metrics/10/ttft_p99_ms/mean",
            json!("fast"),
            "per_value_metrics.10.ttft_p99_ms.mean",
            "expected f64",
        ),
        (
            "/per_value_metrics/10/ttft_p99_ms",
            json!({}),
            "per_value_metrics.10.ttft_p99_ms",
            "missing field `mean`",
        ),
        ("/per_value_metrics/10", json!([]), "per_value_metrics.10", "expected an object"),
        ("/per_value_metrics", Value::Null, "`.`", "expected `per_value_metrics`"),
        ("/metadata/confidence_level", json!(95), "metadata.confidence_level", "between 0 and 1"),
        ("/metadata/num_trials_per_value", json!(0), "metadata.num_trials_per_value", "at least 1"),
        (
            "/metadata/sweep_mode",
            json!("random"),
            "metadata.sweep_mode",
            "expected one of `repeated`, `independent`",
        ),
        (
            "/metadata/parameter_values/2",
            json!([]),
            "metadata.parameter_values[2]",
            "expected a value or an object",
        ),
        ("/metadata/parameter_name", Value::Null, "metadata.parameter_name", "expected the name"),
        ("/metadata", json!("x"), "metadata", "expected struct"),
    ] {
        let mut document = specification();
        *document.pointer_mut(pointer).unwrap() = value;
        let text = refused(&document);
        assert!(text.contains("sweep.json") && text.contains(place) && text.contains(expectation), "{text}");
    }
}

#[test]
fn min_and_max_without_trials_are_kept() {
    let mut document = specification();
    let block = &mut document["per_value_metrics"]["10"]["request_throughput_avg"];
    (block["min"], block["max"]) = (json!(91.5), json!(99.0));
    let again: Value = serde_json::from_slice(&SweepJson.encode(&parsed(&document)).unwrap()).unwrap();
    let block = &again["per_value_metrics"]["10"]["request_throughput_avg"];
    assert_eq!((&block["min"], &block["max"], &block["trials"]), (&json!(91.5), &json!(99.0), &Value::Null));
    let table = String::from_utf8(SweepCsv.encode(&parsed(&document)).unwrap()).unwrap();
    assert!(table.contains("95.2,3.1,91.5,99,"), "{table}");
}

#[test]
fn what_disagrees_is_refused_by_name_and_place() {
    let block = "/per_value_metrics/10/request_throughput_avg";
    let place = "per_value_metrics.10.request_throughput_avg";
    for (field, said, told) in [
        ("n", json!({ "n": 3, "trials": [95.2, 95.2] }), "found 3, expected 2"),
        ("n", json!({ "n": 0 }), "at least 1"),
        ("mean", json!({ "mean": 95.2, "trials": [1.0, 3.0] }), "found 95.2, expected 2"),
        ("min", json!({ "trials": [94.0, 96.4], "min": 90.0 }), "found 90, expected 94"),
        ("max", json!({ "trials": [94.0, 96.4], "max": 90.0 }), "found 90, expected 96.4"),
        ("min", json!({ "min": 97.0 }), "found 97, expected at most `mean`"),
        ("max", json!({ "max": 90.0 }), "found 90, expected at least `mean`"),
        ("min", json!({ "min": 96.0, "max": 94.0 }), "at most `max`"),
        ("ci_low", json!({ "ci_low": 98.0, "ci_high": 92.0 }), "found 98, expected at most `ci_high`"),
        ("ci_high", json!({ "ci_low": 90.0, "ci_high": 92.0 }), "expected at least `mean`"),
        ("std", json!({ "std": -1.0 }), "found -1"),
        ("mean", json!({ "mean": 1e308 }), "found 1e308, expected a number between"),
        ("trials[1]", json!({ "trials": [95.2, -1e308] }), "found -1e308"),
        ("std", json!({ "std": 1e200 }), "found 1e200"),
    ] {
        let mut document = specification();
        let Some(Value::Object(written)) = document.pointer_mut(block) else { panic!("{block}") };
        written.extend(said.as_object().unwrap().clone());
        let text = refused(&document);
        assert!(text.contains(&format!("`{place}.{field}`")) && text.contains(told), "{text}");
    }
    for (pointer, value, place, told) in [
        ("/metadata/num_values", json!(5), "metadata.num_values", "found 5, expected 4"),
        (
            "/metadata/parameter_values/3",
            json!(10),
            "metadata.parameter_values[3]",
            "concurrency 10 is there twice",
        ),
        ("/metadata/parameter_values/3", json!(50), "per_value_metrics.40", "concurrency 40 was measured"),
        ("/metadata/parameter_values/3", json!(1e308), "metadata.parameter_values[3]", "found 1e308"),
    ] {
        let mut document = specification();
        *document.pointer_mut(pointer).unwrap() = value;
        let text = refused(&document);
        assert!(text.contains(place) && text.contains(told), "{text}");
    }
}

proptest::proptest! {
    /// Whatever one byte of a good file becomes: no panic, and an error names the file.
    #[test]
    fn a_damaged_file_is_read_or_refused(at in 0_usize..6000, byte in proptest::prelude::any::<u8>()) {
        let mut bytes = SweepJson.encode(&fixture::sweep(2)).unwrap();
        let at = at % bytes.len();
        bytes[at] = byte;
        if let Err(error) = parse(Path::new("sweep.json"), &bytes) {
            proptest::prop_assert!(error.to_string().contains("sweep.json"));
        }
    }

    /// Whatever a number of a good file becomes: what is read can be written again, and no number is lost to infinity.
    #[test]
    fn a_number_of_any_size_gives_no_infinity(which in 0_usize..200, number in proptest::prelude::any::<f64>()) {
        let mut document: Value =
            serde_json::from_slice(&SweepJson.encode(&fixture::sweep(2)).unwrap()).unwrap();
        let mut numbers = Vec::new();
        collect(&mut document["per_value_metrics"], &mut numbers);
        let which = which % numbers.len();
        *numbers[which] = json!(number);
        if let Ok(result) = parse(Path::new("sweep.json"), document.to_string().as_bytes()) {
            for measurement in result.points.iter().flat_map(|point| &point.measurements) {
                proptest::prop_assert!(measurement.mean.is_finite());
                proptest::prop_assert!(measurement.cv().is_none_or(f64::is_finite));
                proptest::prop_assert!(measurement.trials.iter().all(|trial| trial.abs() <= 1e100));
            }
        }
    }
}

/// All numbers below a value.
fn collect<'a>(value: &'a mut Value, found: &mut Vec<&'a mut Value>) {
    match value {
        Value::Number(_) => found.push(value),
        Value::Array(items) => items.iter_mut().for_each(|item| collect(item, found)),
        Value::Object(members) => members.iter_mut().for_each(|(_, member)| collect(member, found)),
        _ => {}
    }
}

#[test]
fn a_value_that_is_there_twice_is_refused() {
    let mut document = specification();
    document["per_value_metrics"]["10.0"] = document["per_value_metrics"]["10"].clone();
    assert!(refused(&document).contains("concurrency 10 are there twice"), "{}", refused(&document));
}

#[test]
fn a_torn_file_is_refused() {
    let text = specification().to_string();
    for end in [0, 1, text.len() / 2, text.len() - 1] {
        assert!(parse(Path::new("sweep.json"), &text.as_bytes()[..end]).is_err());
    }
}
