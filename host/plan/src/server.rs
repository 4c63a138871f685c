//! Where the server is: base URLs or full endpoint URLs, or the simulator inside this process.

use crate::error::ConfigError;
use aiperf_model::server::{ServerUrl, path_secrets, redacted_path};
use serde::{Serialize, Serializer};
use std::fmt;

const FLAG: &str = "--url";
const EXAMPLE: &str = "--url http://localhost:8000";
const SIMULATOR: &str = "sim:";

/// The path that requests go to, of the user's choice. Shown without the values of query parameters that look like
/// secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct EndpointPath(String);

impl EndpointPath {
    /// The path and query as they are sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn secrets(&self) -> impl Iterator<Item = &str> {
        path_secrets(&self.0)
    }
}

impl From<String> for EndpointPath {
    fn from(path: String) -> Self {
        Self(path)
    }
}

impl fmt::Debug for EndpointPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&redacted_path(&self.0))
    }
}

impl Serialize for EndpointPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&redacted_path(&self.0))
    }
}

/// The servers of a benchmark.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Servers {
    /// The simulator, started inside this process.
    Simulator {
        /// Its settings as in `sim:?ttft-ms=30&itl-ms=8`, without the question mark; may be empty.
        query: String,
    },
    /// At least one server; several take requests in turn.
    Urls(Vec<ServerUrl>),
}

impl Servers {
    /// Read the values of all `--url` flags.
    pub(crate) fn parse(texts: &[String]) -> Result<Self, ConfigError> {
        let numbered = texts.iter().enumerate();
        match texts {
            [] => return Err(problem("the list is empty".into())),
            [one] if one.trim().starts_with(SIMULATOR) => return Ok(Self::simulator(one.trim())),
            _ => {}
        }
        if let Some((index, _)) = numbered.clone().find(|(_, text)| text.trim().starts_with(SIMULATOR)) {
            return Err(problem(format!("item {} is the simulator, which only stands alone", index + 1)));
        }
        let urls = numbered
            .map(|(index, text)| text.parse().map_err(|what| problem(format!("item {} {what}", index + 1))));
        urls.collect::<Result<_, _>>().map(Self::Urls)
    }

    fn simulator(text: &str) -> Self {
        let query = text.trim_start_matches(SIMULATOR).trim_start_matches("//").trim_start_matches('?');
        Self::Simulator { query: query.to_owned() }
    }
}

fn problem(problem: String) -> ConfigError {
    ConfigError::value(FLAG, problem, EXAMPLE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_simulator_has_settings() {
        for (text, query) in [
            ("sim:", ""),
            ("sim:?ttft-ms=30&itl-ms=8", "ttft-ms=30&itl-ms=8"),
            ("sim://?max-batch=4", "max-batch=4"),
        ] {
            let servers = Servers::parse(&[text.to_owned()]).unwrap();
            assert_eq!(servers, Servers::Simulator { query: query.into() });
        }
    }

    #[test]
    fn several_servers_are_real_ones() {
        let parse =
            |texts: &[&str]| Servers::parse(&texts.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert!(matches!(parse(&["a:1", "b:2"]).unwrap(), Servers::Urls(urls) if urls.len() == 2));
        insta::assert_snapshot!(parse(&["a:1", "sim:"]).unwrap_err(), @"--url: item 2 is the simulator, which only stands alone; write for example --url http://localhost:8000");
        insta::assert_snapshot!(parse(&["a:1", "ftp://b"]).unwrap_err(), @"--url: item 2 has a scheme other than http, https and unix; write for example --url http://localhost:8000");
    }
}
