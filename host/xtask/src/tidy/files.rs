//! Source files: how long they may be, what they may not be called, and that one crate alone writes files.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// The folders with sources, from the workspace root.
const FOLDERS: [&str; 4] = ["host", "sdk", "plugins", "tests"];

/// The most lines of a file that someone wrote.
const LINES: usize = 800;

/// What puts a file somewhere without being the one way to do it.
const WRITERS: [&str; 4] = ["fs::write(", "File::create(", "File::create_new(", ".persist("];

/// Where the one way to write a file is, from the workspace root.
const FILES_CRATE: &str = "host/files/src";

/// All files that should not be as they are.
pub(super) fn problems(root: &Path) -> anyhow::Result<Vec<String>> {
    let mut files = Vec::new();
    for folder in FOLDERS {
        collect(&root.join(folder), &mut files)?;
    }
    files.sort();
    let mut problems = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let path = file.strip_prefix(root).unwrap_or(&file);
        problems.extend(problem(path, text.lines().count()));
        problems.extend(writer(path, &text));
    }
    Ok(problems)
}

/// What is wrong with the file at `path`, which has so many lines.
fn problem(path: &Path, lines: usize) -> Option<String> {
    let shown = path.display();
    if path.file_name().is_some_and(|name| name == "mod.rs") {
        let folder = path.parent().and_then(Path::file_name).unwrap_or_default().display();
        return Some(format!("{shown}: call it {folder}.rs, beside the folder"));
    }
    if lines > LINES && !is_generated(path) {
        return Some(format!("{shown}: {lines} lines, but a file may have {LINES}; split it by its nouns"));
    }
    None
}

/// How the program writes a file that it should write with the crate that does it for all.
fn writer(path: &Path, text: &str) -> Option<String> {
    let is_of_program = path.starts_with("host") && path.iter().any(|part| part == "src");
    let is_test = path.file_stem().is_some_and(|name| name == "tests");
    if !is_of_program || is_test || path.starts_with(FILES_CRATE) || path.starts_with("host/xtask") {
        return None;
    }
    let program = text.split("mod tests").next().unwrap_or_default();
    // `NewFile::create` is the one way itself.
    let is_own_word = |at: usize| !program[..at].ends_with(|before: char| before.is_alphanumeric());
    let occurs = |writer: &&str| program.match_indices(*writer).any(|(at, _)| is_own_word(at));
    let found = WRITERS.into_iter().find(occurs)?;
    Some(format!("{}: {found}…) may leave half a file; use aiperf_files::replace", path.display()))
}

fn is_generated(path: &Path) -> bool {
    path.iter().any(|part| part == "generated")
}

/// Adds the Rust files below `folder`; a folder that does not exist has none.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_files_are_split_unless_a_program_wrote_them() {
        assert_eq!(problem(Path::new("host/plan/src/lib.rs"), 800), None);
        assert!(problem(Path::new("host/plan/src/lib.rs"), 801).unwrap().contains("801 lines"));
        assert_eq!(problem(Path::new("sdk/rust/src/generated/base.rs"), 9000), None);
    }

    #[test]
    fn a_module_is_called_after_its_folder() {
        let problem = problem(Path::new("host/plan/src/order/mod.rs"), 1).unwrap();
        assert!(problem.ends_with("call it order.rs, beside the folder"), "{problem}");
    }

    #[test]
    fn one_crate_alone_writes_files() {
        let text = "fn keep() { fs::write(path, bytes) }\n#[cfg(test)]\nmod tests {}";
        let problem = writer(Path::new("host/cli/src/lock.rs"), text).unwrap();
        assert!(problem.ends_with("may leave half a file; use aiperf_files::replace"), "{problem}");
        assert_eq!(writer(Path::new("host/files/src/write.rs"), text), None);
        assert_eq!(writer(Path::new("tests/disk.rs"), text), None);
        let only_tests = "#[cfg(test)]\nmod tests { fn keep() { fs::write(path, bytes) } }";
        assert_eq!(writer(Path::new("host/cli/src/lock.rs"), only_tests), None);
    }
}
