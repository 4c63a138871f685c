//! `aiperf plugin list`: which plugins can be chosen.

use crate::args::{Format, ListArguments};
use crate::console;
use crate::exit_code::Exit;
use crate::failure::Failure;
use crate::ui;
use aiperf_plugin_host::Description;
use serde_json::{Value, json};

pub(crate) fn list(arguments: &ListArguments) -> Result<Exit, Failure> {
    let descriptions = super::host(&arguments.sources)?.descriptions()?;
    match arguments.format {
        Format::Table => console::print(format_args!("{}\n", table(&descriptions)))?,
        Format::Json => {
            console::print(format_args!("{:#}\n", descriptions.iter().map(as_json).collect::<Value>()))?;
        }
    }
    Ok(Exit::Success)
}

fn table(descriptions: &[Description]) -> String {
    let header = ["kind", "name", "version", "source", "summary"].map(str::to_owned).to_vec();
    let row = |plugin: &Description| {
        let Description { kind, name, version, source, summary, .. } = plugin;
        vec![kind.to_string(), name.clone(), version.clone(), source.to_string(), summary.clone()]
    };
    ui::text_table(header, descriptions.iter().map(row)).to_string()
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
