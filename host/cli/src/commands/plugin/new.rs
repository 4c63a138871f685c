//! `aiperf plugin new`: a project to begin with.

use crate::args::NewArguments;
use crate::exit_code::Exit;
use crate::failure::Failure;
use aiperf_toolchain::Template;
use std::path::Path;

pub(crate) fn new(arguments: &NewArguments) -> Result<Exit, Failure> {
    let NewArguments { name, kind, lang, sdk } = arguments;
    let template = Template { name, kind: *kind, language: *lang, sdk: sdk.as_deref() };
    let directory = template.write(Path::new(""))?;
    println!("{}: a plugin of kind {kind} in {lang}; its README.md says how to go on:", directory.display());
    println!("  cd {name} && aiperf plugin build");
    Ok(Exit::Success)
}
