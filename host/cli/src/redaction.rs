//! The command line as it may be written into files, and what of it can be read back.

use aiperf_model::secret::REDACTED;
use aiperf_model::server::{ServerUrl, redacted_path};

/// Flags whose values hold keys.
const SECRET_FLAGS: [&str; 3] = ["--api-key", "--header", "-H"];

/// The arguments without those whose values were replaced, and these flags. What was replaced must be given again.
pub(crate) fn without_redacted(arguments: &[String]) -> Vec<String> {
    let mut kept: Vec<String> = Vec::with_capacity(arguments.len());
    for argument in arguments {
        if !argument.contains(REDACTED) {
            kept.push(argument.clone());
        } else if !argument.starts_with('-') {
            // The flag whose value this is.
            kept.pop();
        }
    }
    kept
}

/// The arguments with keys and headers replaced, whether the value stands alone, behind `=` or at the short flag; and
/// with the keys in URLs replaced.
pub(crate) fn without_secrets(arguments: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut next_is_secret = false;
    let redact = |argument: String| {
        if std::mem::take(&mut next_is_secret) {
            return REDACTED.to_owned();
        }
        for flag in SECRET_FLAGS {
            match argument.strip_prefix(flag) {
                Some("") => next_is_secret = true,
                Some(value) if value.starts_with('=') => return format!("{flag}={REDACTED}"),
                Some(_) if !flag.starts_with("--") => return format!("{flag}{REDACTED}"),
                _ => {}
            }
        }
        without_keys_in_url(argument)
    };
    arguments.into_iter().map(redact).collect()
}

/// A URL or a path, alone or behind `=`, with the values of its secret parameters replaced; other arguments as they
/// are.
fn without_keys_in_url(argument: String) -> String {
    let start = if argument.starts_with('-') { argument.find('=').map_or(0, |at| at + 1) } else { 0 };
    let (flag, value) = argument.split_at(start);
    match value.parse::<ServerUrl>() {
        Ok(url) if url.to_string().contains(REDACTED) => format!("{flag}{url}"),
        Err(_) if value.starts_with('/') => format!("{flag}{}", redacted_path(value)),
        _ => argument,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_spelling_of_a_secret_stays() {
        for arguments in [
            &["--api-key", "sk-1"][..],
            &["--api-key=sk-1"],
            &["-H", "authorization: sk-1"],
            &["-Hx: sk-1"],
            &["--header=x: sk-1"],
            &["--url", "http://server/v1?api_key=sk-1"],
            &["--url=server:8000?token=sk-1&x=2"],
            &["--endpoint", "/v1/x?token=sk-1"],
        ] {
            let shown = without_secrets(arguments.iter().map(|argument| (*argument).to_owned())).join(" ");
            assert!(!shown.contains("sk-1") && shown.contains(REDACTED), "{shown}");
        }
    }

    #[test]
    fn what_was_replaced_is_not_read_back() {
        let arguments = [
            "aiperf",
            "--api-key",
            "sk-1",
            "-m",
            "m",
            "-Hx: sk-1",
            "--header=y: sk-1",
            "-H",
            "z: sk-1",
            "-u",
            "a:1",
            "-u",
            "b:1?key=sk-1",
        ];
        let shown = without_secrets(arguments.map(str::to_owned));
        assert_eq!(without_redacted(&shown), ["aiperf", "-m", "m", "-u", "a:1"]);
    }

    #[test]
    fn everything_else_stays() {
        let arguments =
            ["aiperf", "profile", "--model", "m", "--url", "http://a:1/v1?x=1", "--headers", "-H"]
                .map(str::to_owned);
        assert_eq!(without_secrets(arguments.clone()), arguments);
    }
}
