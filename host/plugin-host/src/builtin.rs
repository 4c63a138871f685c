//! The plugins that are part of this program, as the components in `plugins/prebuilt`.

use aiperf_model::plugin::Kind;

/// One component and what it is, so that it can be found by name without being compiled.
pub(crate) struct BuiltIn {
    pub(crate) kind: Kind,
    /// The name by which it describes itself.
    pub(crate) name: &'static str,
    pub(crate) bytes: &'static [u8],
}

/// A component of the folder: its kind and name, and the two as they stand in the name of its file.
macro_rules! built_in {
    ($kind:ident, $name:literal, $file:literal) => {
        BuiltIn {
            kind: Kind::$kind,
            name: $name,
            bytes: include_bytes!(concat!("../../../plugins/prebuilt/", $file)),
        }
    };
}

/// All of them, in the order of the folder.
pub(crate) const BUILT_INS: &[BuiltIn] = &[
    built_in!(Endpoint, "chat", "endpoint-chat.wasm"),
    built_in!(Endpoint, "completions", "endpoint-completions.wasm"),
    built_in!(Endpoint, "embeddings", "endpoint-embeddings.wasm"),
    built_in!(Objective, "latency-p99", "objective-latency-p99.wasm"),
    built_in!(Objective, "throughput", "objective-throughput.wasm"),
    built_in!(Pareto, "dominance", "pareto-dominance.wasm"),
    built_in!(Pareto, "efficient", "pareto-efficient.wasm"),
    built_in!(Trend, "relative-step", "trend-relative-step.wasm"),
    built_in!(Trend, "slope-change", "trend-slope-change.wasm"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::PathBuf;

    #[test]
    fn the_table_holds_what_the_folder_holds() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../plugins/prebuilt");
        let mut files: Vec<PathBuf> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| PathBuf::from(entry.unwrap().file_name()))
            .filter(|file| file.extension().is_some_and(|extension| extension == "wasm"))
            .collect();
        files.sort();
        let file = |plugin: &BuiltIn| PathBuf::from(format!("{}-{}.wasm", plugin.kind, plugin.name));
        let table: Vec<PathBuf> = BUILT_INS.iter().map(file).collect();
        assert_eq!(table, files);
    }
}
