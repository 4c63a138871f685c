//! The contract as files, for tools that read it.

use std::path::Path;

use crate::error::ToolchainError;

/// A file of `wit/`.
macro_rules! files {
    ($($name:literal)*) => {
        &[$(($name, include_str!(concat!("../../../wit/", $name)))),*]
    };
}

/// All WIT files of `wit/`, in alphabetical order.
const FILES: &[(&str, &str)] = files! {
    "endpoint.wit" "log.wit" "objective.wit" "pareto.wit" "trend.wit" "types.wit" "world.wit"
};

/// Writes the contract into `directory`, which is made.
pub(crate) fn write(directory: &Path) -> Result<(), ToolchainError> {
    FILES.iter().try_for_each(|(name, text)| {
        Ok(aiperf_files::replace_in_folder(&directory.join(name), text.as_bytes())?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn the_table_holds_what_the_folder_holds() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit");
        let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
        names.retain(|name| Path::new(name).extension().is_some_and(|extension| extension == "wit"));
        names.sort();
        assert_eq!(FILES.iter().map(|(name, _)| *name).collect::<Vec<_>>(), names);
    }
}
