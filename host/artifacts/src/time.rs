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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_carry_their_zone() {
        assert_eq!(exact(1_736_937_045_000_000_000), "2025-01-15T10:30:45Z");
        assert_eq!(exact(1_736_937_045_123_456_789), "2025-01-15T10:30:45.123456789Z");
        assert!(exact(u64::MAX).starts_with("2554-"));
    }

    #[test]
    fn the_present_has_second_precision() {
        let now = now();
        assert_eq!(now.len(), "2025-01-15T10:30:45Z".len(), "{now}");
        assert!(now.ends_with('Z'));
    }
}
