//! What a call of a plugin costs in the sandbox, and the same in a native library of the same source.

mod workload;

use self::workload::Workload;
use crate::fixtures;
use aiperf_model::plugin::PluginError;
use aiperf_model::response::OwnedEvent;
use aiperf_plugin_host::{Call, Description, HostError, PluginHost};
use serde_json::Value;
use std::path::Path;
use std::time::{Duration, Instant};

/// How often each is measured, in turns, so that whatever else the machine does meets both.
pub const ROUNDS: usize = 25;

/// How long the calls of one round last together, at least.
const ROUND: Duration = Duration::from_millis(20);

/// What a call costs.
#[derive(Clone, Debug, PartialEq)]
pub struct Cost {
    /// The function of the contract.
    pub function: &'static str,
    /// What it was given.
    pub input: String,
    /// How many events it read; none if it reads no events.
    pub events: Option<usize>,
    /// Of one call in the sandbox, with its limits on.
    pub sandbox: Timing,
    /// Of one call to the native library, if there is one.
    pub native: Option<Timing>,
}

/// Seconds of one call, each round's mean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Timing {
    /// In the quickest round: what it costs where nothing else disturbs.
    pub best: f64,
    /// In the middle one: far above the best if the machine was busy.
    pub median: f64,
}

/// A plugin, and the host that knows it.
#[derive(Clone, Copy)]
pub struct Contender<'a> {
    /// The host.
    pub host: &'a PluginHost,
    /// The plugin.
    pub plugin: &'a Description,
}

/// Measures one call of each function of a plugin, as its fixtures have them or as is typical; the native library is
/// given the same calls in the same run.
///
/// # Errors
///
/// If no call is known that the plugin answers, or if the library does not answer as well.
pub fn bench(
    sandboxed: Contender,
    native: Option<Contender>,
    fixtures: Option<&Path>,
) -> Result<Vec<Cost>, String> {
    let kind = sandboxed.plugin.kind;
    let fixtures = fixtures.map(fixtures::cases).unwrap_or_default();
    let answers = |workload: &Workload| sandboxed.prepare(workload).and_then(|call| call());
    let workloads = workload::choose(kind, fixtures, answers);
    if workloads.is_empty() {
        return Err(format!(
            "{kind} '{}' answers no call that is known; give one in --fixtures",
            sandboxed.plugin.name
        ));
    }
    workloads.iter().map(|workload| cost(workload, sandboxed, native)).collect()
}

fn cost(workload: &Workload, sandboxed: Contender, native: Option<Contender>) -> Result<Cost, String> {
    let failed = |error: PluginError| format!("{}, {}: {error}", workload.call.function(), workload.name);
    let contenders = [Some(sandboxed), native];
    let calls = contenders
        .into_iter()
        .flatten()
        .map(|contender| contender.prepare(workload))
        .collect::<Result<Vec<_>, _>>()
        .map_err(failed)?;
    let mut timings = measure(&calls).map_err(failed)?.into_iter();
    let sandbox = timings.next().ok_or("nothing was measured")?;
    let events = matches!(workload.call, Call::Parse { .. }).then(|| workload.parts());
    Ok(Cost {
        function: workload.call.function(),
        input: workload.name.clone(),
        events,
        sandbox,
        native: timings.next(),
    })
}

/// One call, ready to be made again and again.
type Prepared<'a> = Box<dyn Fn() -> Result<(), PluginError> + 'a>;

impl Contender<'_> {
    /// Configures the plugin for a call.
    fn prepare<'a>(&self, workload: &'a Workload) -> Result<Prepared<'a>, PluginError> {
        let choice = format!("{}:{}", self.plugin.name, Value::Object(workload.settings.clone()));
        let refused = |error: HostError| PluginError::Other(error.to_string());
        Ok(match &workload.call {
            Call::Build(request) => {
                let endpoint = self.host.endpoint(&choice).map_err(refused)?;
                Box::new(move || endpoint.build(request).map(drop))
            }
            Call::Parse { events, streamed } => {
                let endpoint = self.host.endpoint(&choice).map_err(refused)?;
                let events: Vec<_> = events.iter().map(OwnedEvent::lend).collect();
                Box::new(move || endpoint.parse(&events, *streamed).map(drop))
            }
            Call::Evaluate(point) => {
                let objective = self.host.objective(&choice).map_err(refused)?;
                Box::new(move || objective.evaluate(point).map(drop))
            }
            Call::Judge { axes, candidates } => {
                let criterion = self.host.pareto(&choice).map_err(refused)?;
                Box::new(move || criterion.judge(axes, candidates).map(drop))
            }
            Call::Detect(series) => {
                let detector = self.host.trend(&choice).map_err(refused)?;
                Box::new(move || detector.detect(series).map(drop))
            }
        })
    }
}

/// The timing of each call.
fn measure(calls: &[Prepared]) -> Result<Vec<Timing>, PluginError> {
    let counts = calls.iter().map(calls_per_round).collect::<Result<Vec<_>, _>>()?;
    let mut rounds = vec![Vec::with_capacity(ROUNDS); calls.len()];
    for _ in 0..ROUNDS {
        for ((call, count), means) in calls.iter().zip(&counts).zip(&mut rounds) {
            means.push(timed(call, *count)?.as_secs_f64() / f64::from(*count));
        }
    }
    Ok(rounds.into_iter().map(Timing::of).collect())
}

/// How many calls last for a round, found by doubling, which warms up as well.
fn calls_per_round(call: &Prepared) -> Result<u32, PluginError> {
    let mut count = 1;
    while timed(call, count)? < ROUND {
        count *= 2;
    }
    Ok(count)
}

fn timed(call: &Prepared, count: u32) -> Result<Duration, PluginError> {
    let start = Instant::now();
    (0..count).try_for_each(|_| call())?;
    Ok(start.elapsed())
}

impl Timing {
    fn of(mut means: Vec<f64>) -> Self {
        means.sort_by(f64::total_cmp);
        let at = |index: usize| means.get(index).copied().unwrap_or(f64::NAN);
        Self { best: at(0), median: at(means.len() / 2) }
    }
}
