//! Whether a manifest agrees with itself. Its runs are numbered, have their folders from their values, and each value has
//! each trial once; one that says otherwise was edited, and would lead to the files of another run.

use super::{Manifest, PlanRecord, RunRecord, ValueRecord};
use crate::contradiction::{Contradiction, check_size};
use crate::digest::FileDigest;
use crate::journal::Change;
use crate::layout::Layout;
use aiperf_model::limits::MOST_SECONDS;
use aiperf_model::parameter::describe;
use std::collections::BTreeMap;

/// Whether all that a manifest says can be true at once.
pub(super) fn check(manifest: &Manifest) -> Result<(), Contradiction> {
    check_plan(&manifest.plan)?;
    check_runs(manifest)?;
    let values = manifest.plan.values.len();
    let known = |value: u32| (value as usize) < values;
    if let Some(index) = manifest.client_errors.iter().position(|error| !known(error.value)) {
        let problem = format!("found a value that the plan does not have, which has {values}");
        return Err(Contradiction::new(format!("client_errors[{index}].value"), problem));
    }
    let Some(budget) = manifest.time_budget else { return Ok(()) };
    check_seconds("time_budget.seconds", budget.seconds)?;
    check_seconds("time_budget.spent_seconds", budget.spent_seconds)
}

/// Whether a change is one of a run or value that there is, or of the next one.
pub(super) fn check_place(manifest: &Manifest, change: &Change) -> Result<(), String> {
    let (what, index, count) = match change {
        Change::Value(value) => ("value", value.index, manifest.plan.values.len()),
        Change::Run(run) => ("run", run.step, manifest.runs.len()),
        Change::ClientError(_) | Change::SpentSeconds(_) => return Ok(()),
    };
    if index as usize <= count {
        return Ok(());
    }
    Err(format!("found {what} {index}, expected at most {count}, which is the next one"))
}

fn check_plan(plan: &PlanRecord) -> Result<(), Contradiction> {
    if plan.trials == 0 {
        return Err(Contradiction::new("plan.trials", "found 0, expected at least 1"));
    }
    if !(plan.confidence_level > 0.0 && plan.confidence_level < 1.0) {
        let problem = format!("found {}, expected a number between 0 and 1", plan.confidence_level);
        return Err(Contradiction::new("plan.confidence_level", problem));
    }
    let mut places = BTreeMap::new();
    for (index, value) in plan.values.iter().enumerate() {
        let at = || format!("plan.values[{index}]");
        check_value(index, value, &plan.axes)
            .map_err(|(field, problem)| Contradiction::new(format!("{}.{field}", at()), problem))?;
        if let Some(earlier) = places.insert(describe(&value.parameters), index) {
            let problem = format!("found the parameters of plan.values[{earlier}], expected each value once");
            return Err(Contradiction::new(at(), problem));
        }
    }
    Ok(())
}

/// Names the field that is wrong.
fn check_value(index: usize, value: &ValueRecord, axes: &[String]) -> Result<(), (&'static str, String)> {
    if value.index as usize != index {
        return Err(("index", format!("found {}, expected {index}, its place in the list", value.index)));
    }
    let names: Vec<&str> = value.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
    if names != axes {
        let problem = format!("found {}, expected those of `plan.axes`: {}", listed(&names), listed(axes));
        return Err(("parameters", problem));
    }
    let mut numbers = value.parameters.iter().filter_map(|parameter| parameter.value.as_number());
    numbers.try_for_each(check_size).map_err(|problem| ("parameters", problem))
}

fn listed(names: &[impl AsRef<str>]) -> String {
    if names.is_empty() {
        return "none".into();
    }
    names.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", ")
}

fn check_runs(manifest: &Manifest) -> Result<(), Contradiction> {
    let layout = Layout::new("", manifest.shape());
    let mut places = BTreeMap::new();
    for (index, run) in manifest.runs.iter().enumerate() {
        let at = |field: &str| format!("runs[{index}].{field}");
        check_run(index, run, &manifest.plan, &layout)
            .map_err(|(field, problem)| Contradiction::new(at(field), problem))?;
        check_seconds(&at("cooldown_seconds"), run.cooldown_seconds)?;
        check_files(&run.files).map_err(|problem| Contradiction::new(at("files"), problem))?;
        if let Some(earlier) = places.insert((run.value, run.trial), index) {
            let problem = format!(
                "found value {} and trial {} of runs[{earlier}], expected each trial of a value once",
                run.value, run.trial
            );
            return Err(Contradiction::new(format!("runs[{index}]"), problem));
        }
    }
    Ok(())
}

/// Names the field that is wrong.
fn check_run(
    index: usize,
    run: &RunRecord,
    plan: &PlanRecord,
    layout: &Layout,
) -> Result<(), (&'static str, String)> {
    if run.step as usize != index {
        return Err(("step", format!("found {}, expected {index}, its place in the list", run.step)));
    }
    let Some(value) = plan.values.get(run.value as usize) else {
        let problem =
            format!("found {}, expected one of the {} values of the plan", run.value, plan.values.len());
        return Err(("value", problem));
    };
    if !(1..=plan.trials).contains(&run.trial) {
        return Err(("trial", format!("found {}, expected 1 to {}", run.trial, plan.trials)));
    }
    let expected = layout.relative(&layout.run(&value.parameters, run.trial));
    if run.directory != expected {
        let problem = format!("found '{}', expected '{expected}', as its value and trial say", run.directory);
        return Err(("directory", problem));
    }
    Ok(())
}

fn check_files(files: &[FileDigest]) -> Result<(), String> {
    for (index, file) in files.iter().enumerate() {
        // Other programs may export formats of their own, but into the folder of the run.
        if file.name.is_empty() || file.name.starts_with('.') || file.name.contains(['/', '\\']) {
            return Err(format!(
                "found '{}', expected the name of a file in the folder of the run",
                file.name
            ));
        }
        if files.iter().take(index).any(|earlier| earlier.name == file.name) {
            return Err(format!("found {} twice, expected each file once", file.name));
        }
    }
    Ok(())
}

fn check_seconds(at: &str, seconds: f64) -> Result<(), Contradiction> {
    if (0.0..=f64::from(MOST_SECONDS)).contains(&seconds) {
        return Ok(());
    }
    let problem = format!("found {seconds:e}, expected 0 to {MOST_SECONDS} seconds");
    Err(Contradiction::new(at, problem))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout;
    use crate::manifest::tests::manifest;
    use serde_json::{Value, json};
    use std::fs;

    /// What is said of the manifest after `edit`.
    fn told(edit: impl FnOnce(&mut Value)) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(layout::MANIFEST);
        let mut value = serde_json::to_value(manifest()).unwrap();
        edit(&mut value);
        fs::write(&path, value.to_string()).unwrap();
        Manifest::read(&path).unwrap_err().to_string()
    }

    /// A place in the manifest, what is put there, and what is said of it.
    type Edit = (&'static str, fn() -> Value, &'static str);

    const EDITS: &[Edit] = &[
        ("/plan/trials", || json!(0), "`plan.trials`: found 0"),
        ("/plan/trials", || json!(1), "`runs[0].directory`: found"),
        ("/plan/confidence_level", || json!(2), "`plan.confidence_level`: found 2"),
        (
            "/plan/axes",
            || json!([]),
            "`plan.values[0].parameters`: found concurrency, expected those of `plan.axes`: none",
        ),
        ("/plan/values/1/index", || json!(0), "`plan.values[1].index`: found 0, expected 1"),
        (
            "/plan/values/1/parameters/concurrency",
            || json!(10),
            "`plan.values[1]`: found the parameters of plan.values[0]",
        ),
        ("/plan/values/1/parameters/concurrency", || json!(1e200), "found 1e200, expected a number between"),
        ("/runs/1/step", || json!(7), "`runs[1].step`: found 7, expected 1"),
        ("/runs/1/value", || json!(2), "`runs[1].value`: found 2, expected one of the 2 values"),
        ("/runs/1/trial", || json!(3), "`runs[1].trial`: found 3, expected 1 to 2"),
        (
            "/runs/1/directory",
            || json!("../mine"),
            "`runs[1].directory`: found '../mine', expected 'profile_runs/trial_0001/concurrency_20'",
        ),
        ("/runs/1/cooldown_seconds", || json!(1e30), "`runs[1].cooldown_seconds`: found 1e30"),
        (
            "/runs/1/files",
            || json!([{"name": "/dev/zero", "bytes": 0, "sha256": ""}]),
            "`runs[1].files`: found '/dev/zero', expected the name of a file",
        ),
        (
            "/time_budget",
            || json!({"seconds": 60, "spent_seconds": -1}),
            "`time_budget.spent_seconds`: found -1e0",
        ),
    ];

    #[test]
    fn each_contradiction_is_named() {
        for (place, new, expected) in EDITS {
            let (parent, key) = place.rsplit_once('/').unwrap();
            let text = told(|manifest| match manifest.pointer_mut(parent).unwrap() {
                Value::Array(list) => list[key.parse::<usize>().unwrap()] = new(),
                object => object[key] = new(),
            });
            assert!(text.contains(expected), "{place}: {text}");
        }
    }

    #[test]
    fn a_run_is_there_once() {
        let text = told(|manifest| {
            let mut first = manifest["runs"][0].clone();
            first["step"] = json!(1);
            manifest["runs"][1] = first;
        });
        assert!(text.contains("`runs[1]`: found value 0 and trial 1 of runs[0]"), "{text}");
    }

    #[test]
    fn a_journal_leaves_no_hole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(layout::MANIFEST);
        let manifest = manifest();
        manifest.write(&path).unwrap();
        let run = RunRecord { step: 9, ..manifest.runs[0].clone() };
        let line = serde_json::to_string(&Change::Run(run)).unwrap();
        fs::write(folder.path().join(layout::JOURNAL), line + "\n").unwrap();
        let text = Manifest::read(&path).unwrap_err().to_string();
        assert!(
            text.contains("journal.jsonl") && text.contains("`line 1`: found run 9, expected at most 4"),
            "{text}"
        );
    }
}
