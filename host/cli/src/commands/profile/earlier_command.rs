//! `--resume`: the flags of the command that began the benchmark, below those of this one.

use crate::args::{Arguments, Command};
use crate::error::CommandError;
use crate::failure::Failure;
use crate::redaction::without_redacted;
use aiperf_artifacts::{Manifest, layout};
use aiperf_plan::Options;
use aiperf_sweep::SweepError;
use clap::Parser as _;

/// The options with those of the earlier command where they say nothing. Secrets are not among them.
pub(crate) fn below(options: Options) -> Result<Options, Failure> {
    let Some(directory) = &options.resume else { return Ok(options) };
    let path = directory.join(layout::MANIFEST);
    if !path.is_file() {
        return Err(SweepError::NothingToResume { directory: directory.display().to_string() }.into());
    }
    let manifest = Manifest::read(&path)?;
    let unknown = |problem: String| CommandError::EarlierCommand {
        path: path.clone(),
        version: manifest.aiperf_version.clone(),
        problem,
    };
    let earlier = Arguments::try_parse_from(without_redacted(&manifest.command_line))
        .map_err(|error| unknown(error.kind().to_string()))?;
    match earlier.command {
        Command::Profile(earlier) => Ok(options.over(super::with_file(without_mode(*earlier))?)),
        _ => Err(unknown("it is not aiperf profile".into()).into()),
    }
}

/// What the earlier command said about its directory does not concern this one.
fn without_mode(earlier: Options) -> Options {
    Options { overwrite: None, resume: None, dry_run: None, ..earlier }
}
