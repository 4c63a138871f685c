//! `aiperf plugin new`: a project to begin with.

use crate::args::NewArguments;
use crate::console;
use crate::exit_code::Exit;
use crate::failure::Failure;
use crate::lines::Lines;
use aiperf_toolchain::Template;
use std::path::Path;

pub(crate) fn new(arguments: &NewArguments) -> Result<Exit, Failure> {
    let NewArguments { name, kind, lang, sdk } = arguments;
    let template = Template { name, kind: *kind, language: *lang, sdk: sdk.as_deref() };
    let directory = template.write(Path::new(""))?;
    let mut lines = Lines::of(format_args!(
        "{}: a plugin of kind {kind} in {lang}; its README.md says how to go on:",
        directory.display()
    ));
    lines.push(format_args!("  cd {name} && aiperf plugin build"));
    console::print(&lines)?;
    Ok(Exit::Success)
}
