//! `aiperf plugin test`: whether a plugin keeps the contract and gives the expected answers.

use super::{bare_host, build};
use crate::args::TestArguments;
use crate::console;
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::failure::Failure;
use crate::lines::Lines;
use aiperf_plugin_host::PluginHost;
use aiperf_plugin_test::{Outcome, Tested, replay_trace};
use std::path::{Path, PathBuf};

pub(crate) fn test(arguments: &TestArguments) -> Result<Exit, Failure> {
    let allow_native = arguments.native.allow_native;
    let components = build::components(&arguments.plugin)?;
    let outcomes = match &arguments.trace {
        Some(trace) => vec![repeat(bare_host(allow_native)?, &components, trace)?],
        None => components
            .iter()
            .map(|component| {
                test_component(bare_host(allow_native)?, component, arguments.fixtures.as_deref())
            })
            .collect::<Result<Vec<_>, _>>()?
            .concat(),
    };
    let failed = outcomes.iter().filter(|outcome| !outcome.passed()).count();
    console::print(&Lines::of(format_args!("{} passed, {failed} failed", outcomes.len() - failed)))?;
    Ok(if failed == 0 { Exit::Success } else { Exit::PluginFailed })
}

fn repeat(mut host: PluginHost, components: &[PathBuf], trace: &Path) -> Result<Outcome, Failure> {
    for component in components {
        host.load_file(component)?;
    }
    let outcome = replay_trace(&host, trace).map_err(CommandError::Trace)?;
    show(&outcome)?;
    Ok(outcome)
}

fn test_component(
    mut host: PluginHost,
    component: &Path,
    fixtures: Option<&Path>,
) -> Result<Vec<Outcome>, Failure> {
    if let Some(directory) = fixtures.filter(|directory| !directory.is_dir()) {
        return Err(CommandError::NoFixtures(directory.to_path_buf()).into());
    }
    let beside = component.with_file_name("fixtures");
    let mut outcomes = Vec::new();
    let tested = aiperf_plugin_test::test(&mut host, component, Some(fixtures.unwrap_or(&beside)))?;
    for Tested { plugin, outcomes: of_plugin } in tested {
        console::print(&build::named(component, &plugin))?;
        of_plugin.iter().try_for_each(show)?;
        outcomes.extend(of_plugin);
    }
    Ok(outcomes)
}

fn show(outcome: &Outcome) -> Result<(), Failure> {
    let line = match &outcome.problem {
        None => format!("  ok    {}", outcome.check),
        Some(problem) => format!("  FAIL  {}: {problem}", outcome.check),
    };
    console::print(&Lines::of(line))
}
