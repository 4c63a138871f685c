//! The file of `--config`: every flag is a key, in TOML, or in YAML by the ending of the file name.

use crate::error::ConfigError;
use crate::later;
use crate::options::Options;
use crate::secret::Secret;
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::Path;

/// The most bytes of a file.
const LARGEST: u64 = 16 << 20;

impl Options {
    /// Read a configuration file. This is the only place of the crate that touches the disk.
    pub fn load_file(path: &Path) -> Result<Self, ConfigError> {
        let text = aiperf_files::read_text(path, LARGEST).map_err(|error| ConfigError::UnreadableFile {
            path: path.to_owned(),
            problem: error.to_string(),
        })?;
        let format = Format::of(path);
        let keys: BTreeMap<String, Value> = format.read(&text).map_err(|error| error.in_file(path))?;
        keys.keys().try_for_each(|key| later::refuse_key(key))?;
        format.read(&text).map_err(|error| error.in_file(path))
    }
}

#[derive(Clone, Copy)]
enum Format {
    Toml,
    Yaml,
}

impl Format {
    fn of(path: &Path) -> Self {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some(ending) if ending.eq_ignore_ascii_case("yaml") || ending.eq_ignore_ascii_case("yml") => {
                Self::Yaml
            }
            _ => Self::Toml,
        }
    }

    fn read<T: DeserializeOwned>(self, text: &str) -> Result<T, FileProblem> {
        match self {
            Self::Toml => toml::from_str(text).map_err(|error| FileProblem {
                line: error
                    .span()
                    .map(|span| text.bytes().take(span.start).filter(|byte| *byte == b'\n').count() + 1),
                problem: error.message().to_owned(),
            }),
            Self::Yaml => {
                too_deep(text).or_else(|| too_many_directives(text)).map_or(Ok(()), Err)?;
                serde_yaml_ng::from_str(text).map_err(|error| FileProblem {
                    line: error.location().map(|location| location.line()),
                    problem: error.to_string(),
                })
            }
        }
    }
}

/// Where more brackets are open at once than any configuration has. The parser looks at all of them at each next word, so
/// that thousands would take minutes before it refuses them.
fn too_deep(text: &str) -> Option<FileProblem> {
    const MOST_OPEN: usize = 128;
    let mut open: usize = 0;
    for (line, words) in (1..).zip(text.lines()) {
        for byte in words.bytes() {
            open = match byte {
                b'[' | b'{' => open + 1,
                b']' | b'}' => open.saturating_sub(1),
                _ => open,
            };
            if open > MOST_OPEN {
                let problem = format!(
                    "more than {MOST_OPEN} brackets are open at once; close them, or write less deeply nested values"
                );
                return Some(FileProblem { line: Some(line), problem });
            }
        }
    }
    None
}

/// Where more directives stand than any configuration has, which needs none. The parser compares each of them with all
/// before it.
fn too_many_directives(text: &str) -> Option<FileProblem> {
    const MOST: usize = 16;
    let directives = (1..).zip(text.lines()).filter(|(_, line)| line.starts_with('%'));
    directives.map(|(line, _)| line).nth(MOST).map(|line| {
        let problem =
            format!("more than {MOST} directives (lines that begin with %) stand here; remove them");
        FileProblem { line: Some(line), problem }
    })
}

/// What a parser says, without the line itself, which may hold a secret.
struct FileProblem {
    line: Option<usize>,
    problem: String,
}

impl FileProblem {
    fn in_file(self, path: &Path) -> ConfigError {
        // The parsers list all known keys, which would bury what is wrong.
        let problem = match self.problem.split_once(", expected one of `") {
            Some((unknown, _)) if unknown.contains("unknown field") => {
                format!("{unknown}; each flag of `aiperf profile --help` is a key, without its dashes")
            }
            _ => self.problem,
        };
        let place = self.line.map(|line| format!(" line {line}")).unwrap_or_default();
        ConfigError::File { path: path.to_owned(), place, problem }
    }
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a text or an array of texts")]
enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

impl<T> From<OneOrMany<T>> for Vec<T> {
    fn from(value: OneOrMany<T>) -> Self {
        match value {
            OneOrMany::One(one) => vec![one],
            OneOrMany::Many(many) => many,
        }
    }
}

/// A repeatable flag: one value, or an array of them.
pub(crate) fn one_or_many<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Vec<T>>, D::Error> {
    OneOrMany::deserialize(deserializer).map(|value| Some(value.into()))
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a number or a text such as \"1%\"")]
enum TextOrNumber {
    Text(String),
    Number(f64),
}

/// A share: a number, or what the flag takes.
pub(crate) fn text_or_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(Some(match TextOrNumber::deserialize(deserializer)? {
        TextOrNumber::Text(text) => text,
        TextOrNumber::Number(number) => number.to_string(),
    }))
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a table, a text or an array of texts")]
enum TableOrTexts<T> {
    Table(Map<String, Value>),
    Texts(OneOrMany<T>),
}

/// Extra inputs: a table of fields, or what the flag takes.
pub(crate) fn fields_or_texts<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<String>>, D::Error> {
    Ok(Some(match TableOrTexts::deserialize(deserializer)? {
        TableOrTexts::Table(fields) => vec![Value::Object(fields).to_string()],
        TableOrTexts::Texts(texts) => texts.into(),
    }))
}

/// Headers: a table of names and values, or what the flag takes.
pub(crate) fn headers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<Secret>>, D::Error> {
    Ok(Some(match TableOrTexts::deserialize(deserializer)? {
        TableOrTexts::Table(headers) => {
            headers.iter().map(|(name, value)| header_line(name, value)).collect()
        }
        TableOrTexts::Texts(texts) => texts.into(),
    }))
}

fn header_line(name: &str, value: &Value) -> Secret {
    match value {
        Value::String(text) => format!("{name}: {text}").into(),
        other => format!("{name}: {other}").into(),
    }
}
