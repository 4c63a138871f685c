//! `aiperf plugin new`: a project to begin with.

use crate::args::NewArguments;
use crate::console;
use crate::exit_code::Exit;
use crate::failure::Failure;
use aiperf_toolchain::Template;
use std::path::Path;

pub(crate) fn new(arguments: &NewArguments) -> Result<Exit, Failure> {
    let NewArguments { name, kind, lang, sdk } = arguments;
    let template = Template { name, kind: *kind, language: *lang, sdk: sdk.as_deref() };
    let directory = template.write(Path::new(""))?;
    console::print(format_args!(
        "{}: a plugin of kind {kind} in {lang}; its README.md says how to go on:\n  cd {name} && aiperf plugin build\n",
        directory.display()
    ))?;
    Ok(Exit::Success)
}
