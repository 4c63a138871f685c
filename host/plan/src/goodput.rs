//! The grammar of `--goodput`: service level objectives as `metric:limit`, separated by blanks.

use crate::error::ConfigError;
use aiperf_model::catalogue::{self, CATALOGUE, Metric, Scope};
use aiperf_model::metrics::ServiceLevel;

const FLAG: &str = "--goodput";
const EXAMPLE: &str = "--goodput \"time_to_first_token:100 inter_token_latency:10\"";

/// The service level objectives, in the order given; at least one.
///
/// A metric goes by its long or its short name, and its limit is in its unit. Only metrics that each request has once
/// and that get better in one direction can be limits of a request.
pub(crate) fn parse(text: &str) -> Result<Vec<ServiceLevel>, ConfigError> {
    let mut levels: Vec<ServiceLevel> = Vec::new();
    for (index, item) in text.split_whitespace().enumerate() {
        let level = parse_item(item).map_err(|what| problem(format!("item {} {what}", index + 1)))?;
        if levels.iter().any(|earlier| earlier.metric == level.metric) {
            let tag = &level.metric.metric().tag;
            return Err(problem(format!("item {} sets a second limit for '{tag}'", index + 1)));
        }
        levels.push(level);
    }
    if levels.is_empty() { Err(problem("it is empty".into())) } else { Ok(levels) }
}

fn parse_item(item: &str) -> Result<ServiceLevel, String> {
    let (name, limit) =
        item.split_once(':').ok_or_else(|| format!("is '{item}', without a limit after a colon"))?;
    let id = catalogue::find(name)
        .ok_or_else(|| format!("names '{name}', which is no metric; known are {}", known()))?;
    if !can_be_limited(id.metric()) {
        return Err(format!(
            "names '{name}', which is not a limit that one request can meet; known are {}",
            known()
        ));
    }
    let limit: f64 = limit.parse().map_err(|_| format!("has the limit '{limit}', which is not a number"))?;
    if !limit.is_finite() || limit <= 0.0 {
        return Err(format!("has the limit {limit}, but must be more than 0"));
    }
    Ok(ServiceLevel { metric: id, limit })
}

fn can_be_limited(metric: &Metric) -> bool {
    metric.scope == Scope::Request && metric.better.is_some()
}

fn known() -> String {
    let limited = CATALOGUE.iter().filter(|metric| can_be_limited(metric));
    limited.map(Metric::names).collect::<Vec<_>>().join(", ")
}

fn problem(problem: String) -> ConfigError {
    ConfigError::value(FLAG, problem, EXAMPLE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aiperf_model::catalogue::MetricId;
    use proptest::prelude::*;

    #[test]
    fn both_names_of_a_metric_are_understood() {
        let expected = [
            ServiceLevel { metric: MetricId::TimeToFirstToken, limit: 100.0 },
            ServiceLevel { metric: MetricId::InterTokenLatency, limit: 10.5 },
        ];
        assert_eq!(parse("time_to_first_token:100 inter_token_latency:10.5").unwrap(), expected);
        assert_eq!(parse("  ttft:100\titl:10.5 ").unwrap(), expected);
    }

    #[test]
    fn mistakes_are_named() {
        let mistakes = [
            "",
            "ttft",
            "ttft:",
            "ttft:abc",
            "ttft:0",
            "ttft:-1",
            "ttft:nan",
            "speed:10",
            "request_throughput:10",
            "inter_chunk_latency:10",
            "osl:10",
            "ttft:100 time_to_first_token:50",
        ];
        let messages: Vec<String> =
            mistakes.into_iter().map(|text| format!("{text:?} => {}", parse(text).unwrap_err())).collect();
        insta::assert_snapshot!(messages.join("\n"));
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC*") {
            let _ = parse(&text);
        }
    }
}
