//! `tidy`: what the compiler does not hold us to. Crates depend only on those below them, and files stay
//! small enough to be read in one go.

mod files;
mod layers;

use anyhow::bail;

use crate::workspace::Workspace;

/// Prints everything that is out of order, and fails if anything is.
pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<()> {
    let mut problems = layers::problems(workspace);
    problems.extend(files::problems(workspace.root())?);
    for problem in &problems {
        eprintln!("{problem}");
    }
    match problems.len() {
        0 => Ok(()),
        count => bail!("{count} things are out of order"),
    }
}
