//! `--dry-run`: the plan as text.

mod expected_time;

use crate::lines::Lines;
use crate::ui::format;
use aiperf_model::arrival::RequestRate;
use aiperf_model::parameter;
use aiperf_model::sweep::Step;
use aiperf_plan::{Config, RunSettings};
use aiperf_sweep::{Benchmark, Progress, SweepError};
use std::fmt::Write as _;

/// Every run in order, with its seed, its load and the pause before it, and how long all that takes. Of a benchmark that
/// is continued, which runs are done.
pub(crate) fn describe(benchmark: &Benchmark<'_>) -> Result<Lines, SweepError> {
    let Benchmark { config, plan, .. } = *benchmark;
    let resumed = config.output.resume.as_ref();
    let progress = resumed.map(|directory| Progress::read(benchmark, directory)).transpose()?;
    let settled = |step: &Step| progress.as_ref().and_then(|progress| progress.settled(step));
    let (values, trials) = (plan.values.len(), plan.shape.trials);
    let mut lines = Lines::of(format_args!(
        "{}: {} x {}, {} order",
        format::count(plan.steps.len(), "run"),
        format::count(values, "value"),
        format::count(trials as usize, "trial"),
        plan.shape.order
    ));
    for step in &plan.steps {
        let mut line = line(config, step);
        if let Some(state) = settled(step) {
            let _ = write!(line, " ({state})");
        }
        lines.push(line);
    }
    let open: Vec<&Step> = plan.steps.iter().filter(|step| settled(step).is_none()).collect();
    let durations = progress.as_ref().map(|progress| &progress.durations);
    lines.append(&expected_time::describe(benchmark, &open, durations));
    Ok(lines)
}

fn load(config: &Config, settings: &RunSettings) -> String {
    if config.load.fixed_schedule.is_some() {
        let most = settings.concurrency.map(|most| format!(", at most {most} in flight"));
        return format!("at the timestamps of the file{}", most.unwrap_or_default());
    }
    match (settings.request_rate, settings.concurrency) {
        (None, concurrency) => format!("concurrency {}", concurrency.unwrap_or(1)),
        (Some(RequestRate { per_second, pattern }), None) => format!("{per_second} requests/s ({pattern})"),
        (Some(RequestRate { per_second, pattern }), Some(most)) => {
            format!("{per_second} requests/s ({pattern}), at most {most} in flight")
        }
    }
}

fn line(config: &Config, step: &Step) -> String {
    let settings = config.settings(&step.value);
    let pause = if step.cooldown.is_zero() {
        String::new()
    } else {
        format!("wait {} s, ", step.cooldown.as_secs_f64())
    };
    let what = if step.value.parameters.is_empty() {
        "run".into()
    } else {
        parameter::describe(&step.value.parameters)
    };
    let mut line = format!(
        "{:>5}  {pause}{what}, trial {}, seed {}, {}",
        step.index + 1,
        step.trial,
        step.value.seed,
        load(config, &settings)
    );
    for (what, ramp) in [("concurrency", settings.concurrency_ramp), ("rate", settings.request_rate_ramp)] {
        if !ramp.is_zero() {
            let _ = write!(line, ", {what} grows for {} s", ramp.as_secs_f64());
        }
    }
    if step.warm_up {
        let _ = write!(line, ", {} warm-up requests", settings.warmup_requests);
    }
    if let Some(requests) = settings.requests {
        let _ = write!(line, ", {requests} requests");
    }
    if let Some(conversations) = settings.conversations {
        let _ = write!(line, ", {conversations} conversations");
    }
    if settings.requests.or(settings.conversations).is_none() && settings.duration.is_none() {
        line.push_str(", every line of the file once");
    }
    if let Some(duration) = settings.duration {
        let _ = write!(line, ", {} s", duration.as_secs_f64());
    }
    line
}
