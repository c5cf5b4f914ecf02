//! The one place that reads the wall clock; everything below takes `now` as a parameter.

use std::time::{SystemTime, UNIX_EPOCH};

use relight_model::Timestamp;

/// Seconds since 1970 now; 0 when the machine's clock stands before 1970.
pub fn now() -> Timestamp {
    now_ms() / 1_000
}

/// Milliseconds since 1970 now; 0 when the machine's clock stands before 1970.
#[expect(clippy::disallowed_methods, reason = "this is the home of the wall clock")]
pub fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn now_is_after_this_was_written() {
        assert!(now() > 1_700_000_000);
    }
}
