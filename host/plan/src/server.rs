//! Where the server is: base URLs or full endpoint URLs, or the simulator inside this process.

use crate::error::ConfigError;
use crate::later::HTTPS;
use crate::secret::{REDACTED, is_secret_name};
use http::Uri;
use serde::{Serialize, Serializer};
use std::fmt;

const FLAG: &str = "--url";
const EXAMPLE: &str = "--url http://localhost:8000";
const SIMULATOR: &str = "sim:";

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
        let urls = numbered.map(|(index, text)| {
            ServerUrl::read(text).map_err(|what| problem(format!("item {} {what}", index + 1)))
        });
        let urls = urls.collect::<Result<Vec<ServerUrl>, _>>()?;
        if urls.iter().any(ServerUrl::is_https) { Err((&HTTPS).into()) } else { Ok(Self::Urls(urls)) }
    }

    fn simulator(text: &str) -> Self {
        let query = text.trim_start_matches(SIMULATOR).trim_start_matches("//").trim_start_matches('?');
        Self::Simulator { query: query.to_owned() }
    }
}

/// The URL of one server: scheme, authority, and whatever path and query the user gave. Printed and serialised
/// without the values of query parameters that look like secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerUrl {
    /// `http` or `https`.
    scheme: &'static str,
    /// Host and port as written, such as `localhost:8000` or `[::1]:8000`.
    authority: String,
    /// Without a slash at its end; empty if there is none.
    path: String,
    query: Option<String>,
}

impl ServerUrl {
    /// Read a base URL or a full endpoint URL. The scheme is `http` where there is none.
    ///
    /// # Errors
    /// Other schemes, a missing host, a user name or password, and whatever is no URL.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        Self::read(text).map_err(|what| problem(format!("'{}' {what}", shown(text))))
    }

    fn read(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => ("http", rest),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => ("https", rest),
            Some(_) => return Err("has a scheme other than http and https"),
            None => ("http", text),
        };
        let uri: Uri = format!("{scheme}://{rest}").parse().map_err(|_| "is not a URL")?;
        let authority = uri.authority().ok_or("has no host")?;
        if authority.as_str().contains('@') {
            return Err(
                "holds a user name or password, which belongs into --header 'Authorization: Basic …'",
            );
        }
        if authority.host().is_empty() {
            return Err("has no host");
        }
        if authority.as_str().len() > authority.host().len() && !matches!(authority.port_u16(), Some(1..)) {
            return Err("has a port that is not a number from 1 to 65535");
        }
        Ok(Self {
            scheme,
            authority: authority.as_str().to_owned(),
            path: uri.path().trim_end_matches('/').to_owned(),
            query: uri.query().map(str::to_owned),
        })
    }

    /// Whether the connection is encrypted.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.scheme == "https"
    }

    /// Host and port as they stand in the `host` header.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The URL without path and query, such as `http://localhost:8000`.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("{}://{}", self.scheme, self.authority)
    }

    /// The URL of an endpoint: this URL with `path` appended, except for what this URL already ends with. The path
    /// is therefore never there twice, whether the user gave a base URL, one that ends in `/v1`, or the full one.
    #[must_use]
    pub fn endpoint(&self, path: &str) -> String {
        let (path, own_query) = match path.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (path, None),
        };
        let mut url = self.origin();
        url.push_str(&join(&self.path, path));
        for (sign, query) in
            ['?', '&'].into_iter().zip([own_query, self.query.as_deref()].into_iter().flatten())
        {
            url.push(sign);
            url.push_str(query);
        }
        url
    }

    fn redacted(&self) -> String {
        let query = self.query.as_deref().map(|query| {
            let parameters: Vec<String> = query.split('&').map(redact_parameter).collect();
            format!("?{}", parameters.join("&"))
        });
        format!("{}{}{}", self.origin(), self.path, query.unwrap_or_default())
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.redacted())
    }
}

impl fmt::Debug for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.redacted())
    }
}

impl Serialize for ServerUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.redacted())
    }
}

/// `base` followed by the segments of `path` that `base` does not already end with.
fn join(base: &str, path: &str) -> String {
    let segments = |text: &'_ str| -> Vec<String> {
        text.split('/').filter(|segment| !segment.is_empty()).map(str::to_owned).collect()
    };
    let (mut all, wanted) = (segments(base), segments(path));
    let overlap = (0..=wanted.len().min(all.len()))
        .rev()
        .find(|length| wanted.get(..*length).is_some_and(|start| all.ends_with(start)))
        .unwrap_or(0);
    all.extend(wanted.into_iter().skip(overlap));
    format!("/{}", all.join("/"))
}

fn redact_parameter(parameter: &str) -> String {
    match parameter.split_once('=') {
        Some((name, _)) if is_secret_name(name) => format!("{name}={REDACTED}"),
        _ => parameter.to_owned(),
    }
}

/// A URL that may not be one, without what may be secret in it.
fn shown(text: &str) -> &str {
    let end = text.find('?').unwrap_or(text.len());
    let text = text.get(..end).unwrap_or_default();
    text.rsplit_once('@').map_or(text, |(_, host)| host)
}

fn problem(problem: String) -> ConfigError {
    ConfigError::value(FLAG, problem, EXAMPLE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CHAT: &str = "/v1/chat/completions";

    #[test]
    fn the_path_is_never_appended_twice() {
        for (url, path, expected) in [
            ("http://h:8000", CHAT, "http://h:8000/v1/chat/completions"),
            ("http://h:8000/", CHAT, "http://h:8000/v1/chat/completions"),
            ("http://h:8000/v1", CHAT, "http://h:8000/v1/chat/completions"),
            ("http://h:8000/v1/", CHAT, "http://h:8000/v1/chat/completions"),
            ("http://h:8000/v1/chat", CHAT, "http://h:8000/v1/chat/completions"),
            ("http://h:8000/v1/chat/completions", CHAT, "http://h:8000/v1/chat/completions"),
            ("http://h:8000/v1/chat/completions/", CHAT, "http://h:8000/v1/chat/completions"),
            ("https://h/openai/v1", CHAT, "https://h/openai/v1/chat/completions"),
            ("h", CHAT, "http://h/v1/chat/completions"),
            ("localhost:8000", CHAT, "http://localhost:8000/v1/chat/completions"),
            ("[::1]:8000", CHAT, "http://[::1]:8000/v1/chat/completions"),
            ("HTTP://h:1/generate", "", "http://h:1/generate"),
            ("h:1", "", "http://h:1/"),
            ("h:1?api-version=2", CHAT, "http://h:1/v1/chat/completions?api-version=2"),
            ("h:1/a?x=1", "/b?y=2", "http://h:1/a/b?y=2&x=1"),
        ] {
            assert_eq!(ServerUrl::parse(url).unwrap().endpoint(path), expected, "{url} {path}");
        }
    }

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
    fn mistakes_are_named() {
        let messages: Vec<String> = [
            "",
            "http://",
            "ftp://h",
            "http://h:99999",
            "http://h:0",
            "http://h:abc",
            "http://h:",
            "http://a b",
            "http://me:hunter2@h",
            "http://h/ä ö?key=hunter2",
        ]
        .into_iter()
        .map(|text| format!("{text:?} => {}", ServerUrl::parse(text).expect_err(text)))
        .collect();
        assert!(messages.iter().all(|message| !message.rsplit("=>").next().unwrap().contains("hunter2")));
        insta::assert_snapshot!(messages.join("\n"));
    }

    #[test]
    fn several_servers_are_real_ones() {
        let parse =
            |texts: &[&str]| Servers::parse(&texts.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert!(matches!(parse(&["a:1", "b:2"]).unwrap(), Servers::Urls(urls) if urls.len() == 2));
        insta::assert_snapshot!(parse(&["a:1", "sim:"]).unwrap_err(), @"--url: item 2 is the simulator, which only stands alone; write for example --url http://localhost:8000");
        insta::assert_snapshot!(parse(&["a:1", "ftp://b"]).unwrap_err(), @"--url: item 2 has a scheme other than http and https; write for example --url http://localhost:8000");
    }

    #[test]
    fn secrets_in_a_query_are_not_shown() {
        let url = ServerUrl::parse("h:1/v1?api-key=hunter2&api-version=2").unwrap();
        assert_eq!(url.to_string(), "http://h:1/v1?api-key=<redacted>&api-version=2");
        assert_eq!(format!("{url:?}"), url.to_string());
        assert!(url.endpoint("").contains("hunter2"));
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC*", path in "\\PC*") {
            if let Ok(url) = ServerUrl::parse(&text) {
                let _ = url.endpoint(&path);
            }
        }
    }
}
