//! What must not reach a file, a log line or an error.

/// What stands in place of a secret.
pub const REDACTED: &str = "<redacted>";

/// Whether a header or a query parameter of this name usually holds a secret.
#[must_use]
pub fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["auth", "key", "token", "secret", "password", "cookie", "credential", "signature"]
        .iter()
        .any(|word| name.contains(word))
        || name == "sig"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_are_recognised() {
        for name in
            ["Authorization", "Proxy-Authorization", "X-Api-Key", "api-key", "Cookie", "sig", "access_token"]
        {
            assert!(is_secret_name(name), "{name}");
        }
        for name in ["X-Team", "Accept", "api-version", "User-Agent"] {
            assert!(!is_secret_name(name), "{name}");
        }
    }
}
