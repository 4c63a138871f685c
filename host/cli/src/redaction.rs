//! The command line as it may be written into files.

use aiperf_model::secret::REDACTED;

/// Flags whose values hold keys.
const SECRET_FLAGS: [&str; 3] = ["--api-key", "--header", "-H"];

/// The arguments with keys and headers replaced, whether the value stands alone, behind `=` or at the short flag.
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
        argument
    };
    arguments.into_iter().map(redact).collect()
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
        ] {
            let shown = without_secrets(arguments.iter().map(|argument| (*argument).to_owned())).join(" ");
            assert!(!shown.contains("sk-1") && shown.contains(REDACTED), "{shown}");
        }
    }

    #[test]
    fn everything_else_stays() {
        let arguments = ["aiperf", "profile", "--model", "m", "--headers", "-H"].map(str::to_owned);
        assert_eq!(without_secrets(arguments.clone()), arguments);
    }
}
