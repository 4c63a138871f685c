//! Lists whose values have blanks between them, as other programs take them: `--concurrency 10 20 30`.

use crate::args::Arguments;
use aiperf_plan::Sweepable;
use clap::CommandFactory as _;
use std::ffi::OsString;
use std::fmt;

/// A flag with the values that stand behind it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SpacedList {
    /// As the user wrote it.
    pub(crate) flag: String,
    values: Vec<String>,
}

impl fmt::Display for SpacedList {
    /// As it is understood.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.flag, self.values.join(","))
    }
}

/// The first flag for a list with several numbers behind it.
pub(crate) fn spaced_list(arguments: &[OsString]) -> Option<SpacedList> {
    let flags = flags();
    let texts: Vec<&str> = arguments.iter().map(|argument| argument.to_str().unwrap_or_default()).collect();
    let lists = texts.iter().enumerate().filter(|(_, text)| flags.iter().any(|flag| flag == *text));
    lists
        .map(|(position, flag)| {
            let behind = texts.iter().skip(position + 1);
            let numbers = behind.map(|text| text.trim_end_matches(',')).take_while(|text| is_number(text));
            SpacedList { flag: (*flag).to_owned(), values: numbers.map(str::to_owned).collect() }
        })
        .find(|list| list.values.len() > 1)
}

/// The flags that take a list, with their other names.
fn flags() -> Vec<String> {
    let command = Arguments::command();
    let arguments = command.find_subcommand("profile").into_iter().flat_map(clap::Command::get_arguments);
    let is_list = |name: &str| Sweepable::ALL.iter().any(|parameter| parameter.flag() == format!("--{name}"));
    arguments
        .filter(|argument| argument.get_long().is_some_and(is_list))
        .flat_map(|argument| argument.get_long_and_visible_aliases().unwrap_or_default())
        .map(|name| format!("--{name}"))
        .collect()
}

fn is_number(text: &str) -> bool {
    text.parse().is_ok_and(f64::is_finite)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(arguments: &str) -> Option<String> {
        let arguments: Vec<OsString> = arguments.split(' ').map(OsString::from).collect();
        spaced_list(&arguments).map(|list| list.to_string())
    }

    #[test]
    fn numbers_behind_a_flag_are_its_list() {
        assert_eq!(found("profile --concurrency 10 20 30 -m x").as_deref(), Some("--concurrency 10,20,30"));
        assert_eq!(found("profile --concurrency 10, 20, 30").as_deref(), Some("--concurrency 10,20,30"));
        assert_eq!(found("profile --num-requests 10 20").as_deref(), Some("--num-requests 10,20"));
    }

    #[test]
    fn other_arguments_are_none() {
        assert_eq!(found("profile --concurrency 10 --isl 128 x"), None);
        assert_eq!(found("profile --random-seed 1 2"), None);
    }
}
