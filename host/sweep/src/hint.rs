//! What may help against the errors of requests.

use aiperf_artifacts::error_summary::ErrorDetails;
use aiperf_model::record::FailureKind;

/// What to try where all requests, or most, to a URL end in this error; none where the error says everything.
pub(crate) fn hint(error: &ErrorDetails<'_>, url: &str) -> Option<&'static str> {
    let message = error.message.to_ascii_lowercase();
    let is_in_the_clear = url.starts_with("http://");
    match error.code {
        Some(400) if is_in_the_clear && (message.contains("https")) => Some(SPEAKS_TLS),
        Some(401 | 403) => {
            Some("give the key of the server with --api-key, or in the variable OPENAI_API_KEY")
        }
        Some(404) if message.contains("model") => {
            Some("write --model as the server calls it; its names are at /v1/models")
        }
        Some(404 | 405) => {
            Some("write the path that the server answers at with --endpoint, or the whole URL with --url")
        }
        Some(429) => Some("lower --concurrency or --request-rate"),
        None if is_in_the_clear && error.kind == FailureKind::Malformed.name() => Some(SPEAKS_TLS),
        _ => None,
    }
}

const SPEAKS_TLS: &str = "if the server speaks TLS, write https:// in --url";

#[cfg(test)]
mod tests {
    use super::*;

    fn hint_for(code: Option<u16>, kind: FailureKind, message: &str, url: &str) -> String {
        let error = ErrorDetails { code, kind: kind.name(), retry_after_seconds: None, message };
        hint(&error, url).unwrap_or_default().to_owned()
    }

    #[test]
    fn each_cause_has_its_own_help() {
        let (plain, secret) = ("http://a/v1/chat/completions", "https://a/v1/chat/completions");
        for (code, kind, message, url, help) in [
            (Some(404), FailureKind::Status, "Not Found", plain, "--endpoint"),
            (Some(405), FailureKind::Status, "Method Not Allowed", plain, "--endpoint"),
            (Some(404), FailureKind::Status, "The model `m` does not exist.", plain, "--model"),
            (Some(401), FailureKind::Status, "", plain, "--api-key"),
            (Some(403), FailureKind::Status, "", secret, "--api-key"),
            (
                Some(400),
                FailureKind::Status,
                "The plain HTTP request was sent to HTTPS port",
                plain,
                "https://",
            ),
            (Some(429), FailureKind::Status, "slow down", plain, "--request-rate"),
            (None, FailureKind::Malformed, "the response is not HTTP", plain, "https://"),
            (None, FailureKind::Malformed, "the response is not HTTP", secret, ""),
            (Some(400), FailureKind::Status, "max_tokens is too large", plain, ""),
            (Some(500), FailureKind::Status, "out of memory", plain, ""),
        ] {
            let hint = hint_for(code, kind, message, url);
            assert!(hint.contains(help) && hint.is_empty() == help.is_empty(), "{code:?} {message}: {hint}");
        }
    }
}
