//! Keys reach the server and nothing else.

use crate::options;
use aiperf_plan::{Config, Environment, Secret};

const LINE: &str = "--model|m|--api-key|hunter2-key|--url|h:1/v1?api-key=hunter2-query|\
    --header|Authorization: Basic hunter2-header|--header|X-Team: search";

fn environment() -> Environment {
    Environment { openai_api_key: Some(Secret::from("hunter2-environment")), ..Environment::default() }
}

#[test]
fn nothing_that_is_printed_or_written_holds_a_secret() {
    let config = Config::resolve(options(LINE), &environment()).unwrap();
    let texts = [
        format!("{config:?}"),
        config.redacted().to_string(),
        serde_json::to_string(&config).unwrap(),
        format!("{:?}", environment()),
    ];
    for text in texts {
        assert!(!text.contains("hunter2"), "{text}");
        assert!(text.contains("<redacted>"), "{text}");
    }
    assert!(config.redacted().to_string().contains("x-team"));
}

#[test]
fn a_variable_that_stands_for_a_setting_is_a_secret() {
    let line = r#"--model|m|--concurrency|1,2|--endpoint-type|chat:{"login": {"key": "$MY_KEY"}}|--objective|o:{"key": "$THEIR_KEY"}"#;
    let variables = [("MY_KEY", "hunter2-mine"), ("THEIR_KEY", "hunter2-theirs"), ("USER", "somebody")];
    let variables = variables.map(|(name, value)| (name.to_owned(), Secret::from(value))).into();
    let config =
        Config::resolve(options(line), &Environment { variables, ..Environment::default() }).unwrap();
    let hidden = config.server.secrets().hide("hunter2-mine, hunter2-theirs, somebody").into_owned();
    assert_eq!(hidden, "<redacted>, <redacted>, somebody");
    let written = config.redacted().to_string();
    assert!(written.contains("$MY_KEY") && !written.contains("hunter2"), "{written}");
}

#[test]
fn the_server_gets_the_key() {
    let headers = |line: &str, environment: &Environment| -> Vec<String> {
        let config = Config::resolve(options(line), environment).unwrap();
        config
            .server
            .request_headers()
            .into_iter()
            .map(|header| format!("{}: {}", header.name, header.value))
            .collect()
    };
    assert_eq!(headers(LINE, &environment()), ["authorization: Basic hunter2-header", "x-team: search"]);
    assert_eq!(headers("--model m --api-key a", &environment()), ["authorization: Bearer a"]);
    assert_eq!(headers("--model m", &environment()), ["authorization: Bearer hunter2-environment"]);
    assert!(headers("--model m", &Environment::default()).is_empty());
    let empty = Environment { openai_api_key: Some(Secret::from("")), ..Environment::default() };
    assert!(headers("--model m", &empty).is_empty());
}
