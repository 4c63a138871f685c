//! How long a plan takes, and how one knows.

use crate::lines::Lines;
use crate::ui::format;
use aiperf_model::sweep::Step;
use aiperf_plan::{Config, Expected, Plan, RunSettings};
use aiperf_sweep::{Benchmark, DurationEstimator};
use std::time::Duration;

/// What is known of the time for the runs that are left, in a line or a few.
pub(super) fn describe(
    benchmark: &Benchmark<'_>,
    open: &[&Step],
    durations: Option<&DurationEstimator>,
) -> Lines {
    let Benchmark { config, plan, .. } = *benchmark;
    let pauses = pauses(plan, open);
    let mut lines = Lines::of(format_args!("pauses in total: {} s", pauses.as_secs_f64()));
    let mut runs = Expected::ZERO;
    for step in open {
        let settings = config.settings(&step.value);
        runs += Expected::of_run(&settings, replayed(benchmark, &settings));
    }
    let by_durations = durations.and_then(|durations| time_by_durations(durations, open));
    let line = match (open.len(), by_durations) {
        (0, _) => "nothing is left to do".to_owned(),
        (left, Some(time)) => format!(
            "expected time: {} for {}, by the runs that are done",
            format::time(time + pauses),
            format::count(left, "run")
        ),
        (_, None) => by_plan(runs, pauses, open.len()),
    };
    lines.push(line);
    for note in notes(config, open) {
        lines.push(format_args!("  {note}"));
    }
    lines
}

/// The length of the trace that is sent at its timestamps, as far as it is sent; none if there is none, or if its
/// conversations go on after it.
fn replayed(benchmark: &Benchmark<'_>, settings: &RunSettings) -> Option<Duration> {
    let dataset = benchmark.dataset.as_ref().filter(|dataset| !dataset.has_conversations())?;
    let schedule = dataset.schedule(benchmark.config.load.fixed_schedule?).ok()?;
    let count = settings.requests.map_or(usize::MAX, |requests| requests as usize);
    schedule.due.into_iter().take(count).next_back().map(Duration::from_nanos)
}

/// The pauses between the runs that are left; none lies before the first one.
fn pauses(plan: &Plan, open: &[&Step]) -> Duration {
    open.array_windows().map(|[before, step]| plan.pause(before, step)).sum()
}

fn time_by_durations(durations: &DurationEstimator, open: &[&Step]) -> Option<Duration> {
    open.iter().map(|step| durations.expected(step.value.index)).sum()
}

/// What the plan alone says.
fn by_plan(runs: Expected, pauses: Duration, count: usize) -> String {
    let least = format::time(runs.least + pauses);
    match runs.most {
        Some(most) if most == runs.least => {
            format!("expected time: {least}, by durations, schedules and pauses")
        }
        Some(most) => {
            format!("expected time: {least} to {}, by durations and pauses", format::time(most + pauses))
        }
        None if (runs.least + pauses).is_zero() => format!(
            "expected time: unknown, since {} as long as the server does; --benchmark-duration bounds it",
            if count == 1 { "1 run takes".to_owned() } else { format!("{count} runs take") }
        ),
        None => format!(
            "expected time: more than {least}, since runs of a number of requests take as long as the server does; \
             --benchmark-duration bounds it"
        ),
    }
}

/// What makes it longer or shorter.
fn notes(config: &Config, open: &[&Step]) -> Vec<String> {
    let warm_ups = open.iter().filter(|step| step.warm_up).count();
    let warm_ups = (warm_ups > 0).then(|| format!("{} on top", format::count(warm_ups, "warm-up")));
    let budget = config.trials.time_budget;
    let budget = budget.map(|budget| format!("--budget ends it after {}", format::time(budget.time)));
    let convergence = config.trials.convergence.as_ref();
    let convergence = convergence
        .map(|rule| format!("less where {} converges after {} trials", rule.metric, rule.min_trials));
    [warm_ups, budget, convergence].into_iter().flatten().collect()
}
