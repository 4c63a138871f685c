//! Points in time as files show them: RFC 3339 in UTC.

use jiff::Timestamp;

/// The present, with second precision, such as `2025-01-15T10:30:45Z`.
#[must_use]
pub fn now() -> String {
    let second = Timestamp::now().as_second();
    Timestamp::from_second(second).unwrap_or(Timestamp::UNIX_EPOCH).to_string()
}

/// A wall-clock time in nanoseconds since the Unix epoch, with as many decimals as it needs.
#[must_use]
pub fn exact(unix_ns: u64) -> String {
    // 2^64 nanoseconds end in the year 2554, well inside the range of timestamps.
    Timestamp::from_nanosecond(i128::from(unix_ns)).unwrap_or(Timestamp::MAX).to_string()
}

/// Nanoseconds since the Unix epoch of a time as [`exact`] writes it, or none if it is not one.
#[must_use]
pub fn parse(text: &str) -> Option<u64> {
    let time: Timestamp = text.parse().ok()?;
    u64::try_from(time.as_nanosecond()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_carry_their_zone() {
        assert_eq!(exact(1_736_937_045_000_000_000), "2025-01-15T10:30:45Z");
        assert_eq!(exact(1_736_937_045_123_456_789), "2025-01-15T10:30:45.123456789Z");
        for unix_ns in [0, 1_736_937_045_123_456_789, u64::MAX] {
            assert_eq!(parse(&exact(unix_ns)), Some(unix_ns));
        }
        assert_eq!(parse("yesterday"), None);
        assert!(exact(u64::MAX).starts_with("2554-"));
    }

    #[test]
    fn the_present_has_second_precision() {
        let now = now();
        assert_eq!(now.len(), "2025-01-15T10:30:45Z".len(), "{now}");
        assert!(now.ends_with('Z'));
    }
}
