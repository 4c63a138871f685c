//! `aiperf plugin bench`: what a call of a plugin costs, and what of that the sandbox is.

use super::{bare_host, build};
use crate::args::BenchArguments;
use crate::console;
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::failure::Failure;
use crate::lines::Lines;
use crate::ui;
use aiperf_plugin_host::{Description, PluginHost};
use aiperf_plugin_test::{Contender, Cost, ROUNDS, bench as measure};
use std::path::{Path, PathBuf};

/// How far the middle round may be above the best one on a machine that does nothing else.
const QUIET: f64 = 1.15;

pub(crate) fn bench(arguments: &BenchArguments) -> Result<Exit, Failure> {
    let mut native = bare_host(true)?;
    let libraries = match &arguments.native {
        Some(file) => native.load_file(file)?,
        None => Vec::new(),
    };
    let mut sandbox = bare_host(false)?;
    let (plugins, beside) = plugins(&mut sandbox, &arguments.plugin)?;
    let fixtures = arguments.fixtures.as_deref().or(beside.as_deref());
    for plugin in &plugins {
        let same = |library: &&Description| (library.kind, &library.name) == (plugin.kind, &plugin.name);
        let library = libraries.iter().find(same);
        if arguments.native.is_some() && library.is_none() {
            let (kind, name) = (plugin.kind.to_string(), plugin.name.clone());
            return Err(CommandError::NotInLibrary { kind, name }.into());
        }
        let sandboxed = Contender { host: &sandbox, plugin };
        let library = library.map(|plugin| Contender { host: &native, plugin });
        let costs = measure(sandboxed, library, fixtures).map_err(CommandError::Plugin)?;
        console::print(&shown(plugin, &costs))?;
    }
    Ok(Exit::Success)
}

/// The plugins of a project, a file or a name, and the directory beside them that may hold fixtures.
fn plugins(host: &mut PluginHost, named: &Path) -> Result<(Vec<Description>, Option<PathBuf>), Failure> {
    let name = named.to_str().filter(|_| !named.exists()).unwrap_or_default();
    let known = host.inspect_named(name)?;
    if !known.is_empty() {
        let plugins =
            known.into_iter().map(|inspection| inspection.plugins).collect::<Result<Vec<_>, _>>()?;
        return Ok((plugins.concat(), None));
    }
    let mut plugins = Vec::new();
    let mut beside = None;
    for file in build::components(named)? {
        plugins.extend(host.load_file(&file)?);
        beside = Some(file.with_file_name("fixtures"));
    }
    Ok((plugins, beside))
}

fn shown(plugin: &Description, costs: &[Cost]) -> Lines {
    let Description { kind, name, version, source, .. } = plugin;
    let header = ["call", "input", "of one", "sandbox", "native", "ratio"].map(str::to_owned);
    let mut lines = Lines::of(format_args!(
        "{kind} '{name}' {version} ({source}), the best of {ROUNDS} rounds in microseconds, with all limits on"
    ));
    lines.append(&ui::text_table(&header, costs.iter().map(row)));
    let busy = costs.iter().flat_map(timings).map(|timing| timing.median / timing.best).fold(1.0, f64::max);
    if busy > QUIET {
        lines.push(format_args!(
            "The machine was busy: the middle round took up to {busy:.2} times the best. Repeat this when it is quiet."
        ));
    }
    lines
}

fn timings(cost: &Cost) -> impl Iterator<Item = aiperf_plugin_test::Timing> {
    [Some(cost.sandbox), cost.native].into_iter().flatten()
}

fn row(cost: &Cost) -> Vec<String> {
    let parts = cost.events.unwrap_or(1) as f64;
    let microseconds = |seconds: f64| format!("{:.3}", seconds * 1e6 / parts);
    let none = || "-".to_owned();
    let input = match cost.events {
        Some(events) => format!("{}, {events} events", cost.input),
        None => cost.input.clone(),
    };
    vec![
        cost.function.to_owned(),
        input,
        if cost.events.is_some() { "event" } else { "call" }.to_owned(),
        microseconds(cost.sandbox.best),
        cost.native.map_or_else(none, |native| microseconds(native.best)),
        cost.native.map_or_else(none, |native| format!("{:.2}", cost.sandbox.best / native.best)),
    ]
}
