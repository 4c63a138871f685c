use crate::workspace::Workspace;
#[derive(clap::Args)]
pub(crate) struct Arguments {}
pub(crate) fn run(_workspace: &Workspace, _arguments: &Arguments) -> anyhow::Result<()> { Ok(()) }
