//! `aiperf plugin record`: the response of a live server as a fixture.

mod exchange;

use crate::args::RecordArguments;
use crate::commands::profile::Started;
use crate::console;
use crate::environment;
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::failure::Failure;
use crate::plugins;
use aiperf_files::replace_in_folder;
use aiperf_load::replay;
use aiperf_model::plugin::Endpoint;
use aiperf_model::request::{Request, Turn};
use aiperf_model::response::OwnedEvent;
use aiperf_plan::{Config, Options};
use exchange::{Answer, exchange};
use serde_json::{Map, Value, json};
use std::sync::Arc;

pub(crate) fn record(arguments: &RecordArguments) -> Result<Exit, Failure> {
    let config = Config::resolve(options(arguments), &environment::read())?;
    let servers = Started::new(&config.server.servers)?;
    let choice = config.server.endpoint_type.to_string();
    let secrets = config.server.secrets();
    let reserved = plugins::reserved(&config.server);
    let endpoint = super::host_of_server(&arguments.sources, secrets.clone(), reserved)?.endpoint(&choice)?;
    let [response, fixture] =
        ["http", "json"].map(|extension| arguments.fixtures.join(format!("{}.{extension}", arguments.name)));
    if let Some(present) = [&response, &fixture].into_iter().find(|path| path.exists()) {
        return Err(CommandError::FixtureExists(present.clone()).into());
    }

    let streaming = !arguments.no_streaming && endpoint.info().supports_streaming;
    let request = Request {
        model: config.model.clone(),
        turns: vec![Turn::text("user", &arguments.prompt)],
        max_output_tokens: Some(arguments.osl),
        streaming,
        extra: config.workload.extra(),
    };
    let payload = endpoint.build(&request).map_err(|error| CommandError::Plugin(error.to_string()))?;
    let default_path = payload.path.as_deref().unwrap_or(&endpoint.info().default_path);
    let path = config.server.path(default_path);
    let mut headers = payload.headers;
    headers.extend(config.server.request_headers());
    let answer = servers
        .urls
        .first()
        .ok_or_else(|| "no server is given".to_owned())
        .and_then(|url| exchange(url, path, &headers, payload.body))
        .map_err(|problem| CommandError::NoAnswer(secrets.hide(&problem).into_owned()))?
        .without(&secrets);

    let settings = &config.server.endpoint_type.settings;
    let file_name = format!("{}.http", arguments.name);
    let text = format!("{:#}\n", described(&endpoint, settings, &file_name, &answer));
    for (path, bytes) in [(&response, answer.recorded()), (&fixture, text.into_bytes())] {
        replace_in_folder(path, &bytes).map_err(CommandError::Write)?;
    }
    console::print(&[response, fixture].iter().map(|path| path.display()).collect())?;
    Ok(Exit::Success)
}

/// The flags in terms of those of `profile`, which are checked in one place.
fn options(arguments: &RecordArguments) -> Options {
    let RecordArguments { header, extra_inputs, .. } = arguments;
    Options {
        model: Some(arguments.model.clone()),
        url: arguments.url.clone().map(|url| vec![url]),
        endpoint_type: arguments.endpoint_type.clone(),
        endpoint: arguments.endpoint.clone(),
        header: (!header.is_empty()).then(|| header.clone()),
        api_key: arguments.api_key.clone(),
        extra_inputs: (!extra_inputs.is_empty()).then(|| extra_inputs.clone()),
        ..Options::default()
    }
}

/// The fixture: what the plugin reads in the answer now, for its author to correct.
fn described(
    endpoint: &Arc<dyn Endpoint>,
    settings: &Map<String, Value>,
    file: &str,
    answer: &Answer,
) -> Value {
    let events = replay::events(&answer.body, answer.is_stream());
    let events: Vec<_> = events.iter().map(OwnedEvent::lend).collect();
    match endpoint.parse(&events, answer.is_stream()) {
        Ok(read) => json!({ "call": "parse", "settings": settings, "response": file, "answer": read }),
        Err(error) => {
            json!({ "call": "parse", "settings": settings, "response": file, "error": error.to_string() })
        }
    }
}
