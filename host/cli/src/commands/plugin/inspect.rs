//! `aiperf plugin inspect`: what a plugin is, wants and takes.

use super::list::as_json;
use crate::args::{Format, InspectArguments};
use crate::console;
use crate::exit_code::Exit;
use crate::failure::Failure;
use crate::lines::Lines;
use aiperf_plan::SourceOptions;
use aiperf_plugin_host::{Description, Inspection};
use serde_json::{Value, json};

pub(crate) fn inspect(arguments: &InspectArguments) -> Result<Exit, Failure> {
    let inspections = inspections(arguments)?;
    for inspection in &inspections {
        match arguments.format {
            Format::Table => console::print(&table(inspection))?,
            Format::Json => console::print(&Lines::json(&format!("{:#}", document(inspection))))?,
        }
    }
    // What is known was printed; why it cannot be used is the error.
    inspections
        .into_iter()
        .find_map(|inspection| inspection.plugins.err())
        .map_or(Ok(Exit::Success), |error| Err(error.into()))
}

/// The file, or else the components with plugins of this name.
fn inspections(arguments: &InspectArguments) -> Result<Vec<Inspection>, Failure> {
    let path = &arguments.plugin;
    let allow_native = arguments.native.allow_native;
    if let Some(name) = path.to_str().filter(|_| !path.exists()) {
        let plugin_dir = arguments.plugin_dir.clone();
        let sources = SourceOptions { plugin: None, plugin_dir, allow_native: Some(allow_native) };
        let named = super::host(&sources)?.inspect_named(name)?;
        if !named.is_empty() {
            return Ok(named);
        }
    }
    Ok(vec![super::bare_host(allow_native)?.inspect_file(path)?])
}

fn table(inspection: &Inspection) -> Lines {
    let mut lines = Lines::default();
    let none = || "none".to_owned();
    let mut line = |name: &str, value: &str| lines.push(format_args!("{name:<9} {value}"));
    line("file", &inspection.source.to_string());
    line("size", &format!("{} bytes", inspection.size));
    line("sha256", &inspection.sha256);
    line(
        "contract",
        &inspection.contract.as_ref().map_or_else(none, |version| format!("aiperf:plugin@{version}")),
    );
    line(
        "sandbox",
        if inspection.native { "none: a native library has all your rights and no limits" } else { "yes" },
    );
    if !inspection.native {
        line("imports", &inspection.imports.to_string());
        line("exports", &inspection.exports.to_string());
    }
    for plugin in inspection.plugins.iter().flatten() {
        let Description { kind, name, version, summary, settings_schema, .. } = plugin;
        line(kind.name(), &format!("{name} {version}: {summary}"));
        let mut schema = settings_schema.as_deref().map_or("no schema", str::trim).lines();
        line("settings", schema.next().unwrap_or_default());
        schema.for_each(|rest| line("", rest));
    }
    lines
}

fn document(inspection: &Inspection) -> Value {
    json!({
        "source": inspection.source.to_string(),
        "size": inspection.size,
        "sha256": inspection.sha256,
        "sandboxed": !inspection.native,
        "contract": inspection.contract,
        "imports": inspection.imports.first,
        "imports_left_out": inspection.imports.more,
        "exports": inspection.exports.first,
        "exports_left_out": inspection.exports.more,
        "plugins": inspection.plugins.iter().flatten().map(as_json).collect::<Value>(),
    })
}
