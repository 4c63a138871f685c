//! `aiperf plugin list`: which plugins can be chosen.

use crate::args::{Format, ListArguments};
use crate::console;
use crate::exit_code::Exit;
use crate::failure::Failure;
use crate::lines::Lines;
use crate::ui;
use aiperf_plugin_host::Description;
use serde_json::{Value, json};

pub(crate) fn list(arguments: &ListArguments) -> Result<Exit, Failure> {
    let descriptions = super::host(&arguments.sources)?.descriptions()?;
    match arguments.format {
        Format::Table => console::print(&table(&descriptions))?,
        Format::Json => {
            let document: Value = descriptions.iter().map(as_json).collect();
            console::print(&Lines::json(&format!("{document:#}")))?;
        }
    }
    Ok(Exit::Success)
}

fn table(descriptions: &[Description]) -> Lines {
    let header = ["kind", "name", "version", "source", "summary"].map(str::to_owned);
    let row = |plugin: &Description| {
        let Description { kind, name, version, source, summary, .. } = plugin;
        vec![kind.to_string(), name.clone(), version.clone(), source.to_string(), summary.clone()]
    };
    ui::text_table(&header, descriptions.iter().map(row))
}

/// A plugin as `--format json` shows it.
pub(super) fn as_json(plugin: &Description) -> Value {
    let schema = plugin.settings_schema.as_deref().and_then(|schema| serde_json::from_str(schema).ok());
    json!({
        "kind": plugin.kind,
        "name": plugin.name,
        "version": plugin.version,
        "summary": plugin.summary,
        "contract": plugin.contract,
        "source": plugin.source.to_string(),
        "sandboxed": !plugin.native,
        "sha256": plugin.sha256,
        "settings_schema": schema.unwrap_or(Value::Null),
    })
}
