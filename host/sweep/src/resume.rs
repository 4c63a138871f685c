//! Whether an earlier benchmark can be continued by this one.

use crate::error::SweepError;
use aiperf_artifacts::Manifest;
use aiperf_artifacts::host::Host;
use aiperf_artifacts::manifest::{PlanRecord, RunRecord};
use aiperf_model::plugin::Identity;
use aiperf_model::secret::REDACTED;
use serde_json::{Map, Value};
use std::path::Path;

/// The parts of the configuration that change no result: what is shown, what happens after a failure, and how sure the
/// result must be.
const WITHOUT_EFFECT: [&str; 3] = ["output", "failures", "trust"];

/// What may grow: a time that is used up leaves answers open, and more of it continues the same benchmark.
const MAY_GROW: &str = "trials.time_budget.seconds";

/// Refuses to continue a benchmark with another one, naming each difference.
pub(crate) fn check(directory: &Path, before: &Manifest, now: &Manifest) -> Result<(), SweepError> {
    let differences = differences(before, now);
    if differences.is_empty() {
        return Ok(());
    }
    Err(SweepError::Different {
        directory: directory.display().to_string(),
        // A manifest is a file like others: what it holds begins no line.
        differences: differences
            .iter()
            .map(|line| line.replace('\n', "\\n"))
            .collect::<Vec<_>>()
            .join("\n  "),
    })
}

fn differences(before: &Manifest, now: &Manifest) -> Vec<String> {
    let mut found = Vec::new();
    if before.aiperf_version != now.aiperf_version {
        found.push(format!("aiperf: version {} then, {} now", before.aiperf_version, now.aiperf_version));
    }
    compare("", &before.configuration, &now.configuration, &mut found);
    compare_plugins(&before.plugins, &now.plugins, &mut found);
    // The plan follows from the configuration; this is for a manifest that was edited.
    if found.is_empty() && !is_begun_like(before, now) {
        found.push("the plan in manifest.json does not follow from its configuration".into());
    }
    found
}

/// Names every leaf of two configurations that is not the same.
fn compare(path: &str, before: &Value, now: &Value, found: &mut Vec<String>) {
    match (before, now) {
        (Value::Object(before), Value::Object(now)) => {
            for key in keys(before, now).filter(|key| !(path.is_empty() && WITHOUT_EFFECT.contains(key))) {
                let path = if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
                let (before, now) = (before.get(key), now.get(key));
                compare(&path, before.unwrap_or(&Value::Null), now.unwrap_or(&Value::Null), found);
            }
        }
        (before, now) if before == now || path == MAY_GROW => {}
        (Value::String(before), Value::Null) if before == REDACTED => {
            found.push(format!("{path}: given then and not stored, since it is secret; give it again"));
        }
        (before, now) => found.push(format!("{path}: {before} then, {now} now")),
    }
}

/// What tells this machine from the one that began the benchmark, one line each. It may go on here, but its values may
/// not be comparable.
pub(crate) fn other_machine(before: &Host, now: &Host) -> Vec<String> {
    let as_value = |host: &Host| serde_json::to_value(host).unwrap_or_default();
    let mut found = Vec::new();
    compare("host", &as_value(before), &as_value(now), &mut found);
    found.iter().map(|difference| format!("not the machine that began the benchmark: {difference}")).collect()
}

fn keys<'a>(before: &'a Map<String, Value>, now: &'a Map<String, Value>) -> impl Iterator<Item = &'a str> {
    let new = now.keys().filter(|key| !before.contains_key(*key));
    before.keys().chain(new).map(String::as_str)
}

/// A plugin is what its bytes and settings are; where the file lies does not matter.
fn compare_plugins(before: &[Identity], now: &[Identity], found: &mut Vec<String>) {
    let is_same = |a: &Identity, b: &Identity| {
        (a.kind, &a.name, &a.sha256, &a.settings) == (b.kind, &b.name, &b.sha256, &b.settings)
    };
    let is_missing = |plugin: &&Identity, from: &[Identity]| !from.iter().any(|other| is_same(plugin, other));
    let described = |plugins: &[Identity], wanted: &Identity| {
        let same_name =
            plugins.iter().find(|plugin| (plugin.kind, &plugin.name) == (wanted.kind, &wanted.name));
        same_name
            .map_or("none".into(), |plugin| format!("version {}, sha256 {}", plugin.version, plugin.sha256))
    };
    let mut different = |plugin: &Identity| {
        found.push(format!("{plugin}: {} then, {} now", described(before, plugin), described(now, plugin)));
    };
    before.iter().filter(|plugin| is_missing(plugin, now)).for_each(&mut different);
    // One that has another under its name is told already.
    let has_no_name = |plugin: &&Identity| described(before, plugin) == "none";
    now.iter().filter(|plugin| is_missing(plugin, before)).filter(has_no_name).for_each(different);
}

/// Whether a plan is that of an earlier benchmark, which may have taken up values and runs since.
fn is_begun_like(before: &Manifest, now: &Manifest) -> bool {
    let place = |run: &RunRecord| (run.step, run.value, run.trial, run.warm_up, run.directory.clone());
    let runs = before.runs.iter().take(now.runs.len());
    let values = before.plan.values.iter().take(now.plan.values.len()).cloned().collect();
    PlanRecord { values, ..before.plan.clone() } == now.plan && runs.map(place).eq(now.runs.iter().map(place))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn compared(before: &Value, now: &Value) -> Vec<String> {
        let mut found = Vec::new();
        compare("", before, now, &mut found);
        found
    }

    #[test]
    fn each_difference_is_named_with_its_place() {
        let before =
            json!({ "model": "m", "load": { "num_prompts": 20, "concurrency": [1, 2] }, "gone": true });
        let now = json!({ "model": "m", "load": { "num_prompts": 40, "concurrency": [1, 2] }, "new": 1 });
        assert_eq!(
            compared(&before, &now),
            ["load.num_prompts: 20 then, 40 now", "gone: true then, null now", "new: null then, 1 now"]
        );
    }

    #[test]
    fn a_secret_must_be_given_again() {
        let found = compared(&json!({ "api_key": REDACTED }), &json!({ "api_key": null }));
        assert!(
            found[0].starts_with("api_key: given then") && found[0].contains("give it again"),
            "{found:?}"
        );
        assert_eq!(compared(&json!({ "api_key": null }), &json!({ "api_key": REDACTED })).len(), 1);
    }

    #[test]
    fn what_changes_no_result_may_differ() {
        let before = json!({ "output": { "ui": "simple" }, "failures": { "fail_fast": true } });
        let now = json!({ "output": { "ui": "none" }, "failures": { "fail_fast": false } });
        assert_eq!(compared(&before, &now), Vec::<String>::new());
        let inside = |value: &str| json!({ "load": { "output": value } });
        assert_eq!(compared(&inside("a"), &inside("b")).len(), 1);
    }

    #[test]
    fn another_machine_is_noticed() {
        let host = Host::read();
        assert_eq!(other_machine(&host, &host), Vec::<String>::new());
        let other = Host { cores: Some(4096), ..host.clone() };
        let found = other_machine(&host, &other);
        assert!(
            found.len() == 1 && found[0].contains("host.cores") && found[0].contains("4096"),
            "{found:?}"
        );
    }

    fn plugin(source: &str, sha256: &str) -> Identity {
        Identity {
            kind: aiperf_model::plugin::Kind::Objective,
            name: "mine".into(),
            version: "1.0.0".into(),
            sha256: sha256.into(),
            source: source.into(),
            sandboxed: true,
            settings: "{}".into(),
        }
    }

    #[test]
    fn a_plugin_is_its_bytes_and_not_its_place() {
        let mut found = Vec::new();
        compare_plugins(&[plugin("a/mine.wasm", "12")], &[plugin("b/mine.wasm", "12")], &mut found);
        assert_eq!(found, Vec::<String>::new());
        compare_plugins(&[plugin("a/mine.wasm", "12")], &[plugin("a/mine.wasm", "34")], &mut found);
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("sha256 12 then") && found[0].contains("sha256 34 now"), "{found:?}");
    }
    #[test]
    fn a_plugin_that_was_taken_out_of_the_manifest_is_missed() {
        let mut found = Vec::new();
        compare_plugins(&[], &[plugin("mine.wasm", "12")], &mut found);
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("none then") && found[0].contains("sha256 12 now"), "{found:?}");
    }
}
