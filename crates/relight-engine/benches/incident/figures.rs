//! The usual figures of a series of times.

use serde_json::{Value, json};

/// The value at a fraction of the sorted values; not a number without any.
pub(crate) fn quantile(values: &[f64], at: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().saturating_sub(1);
    sorted.get(((last as f64) * at).ceil() as usize).copied().unwrap_or(f64::NAN)
}

/// The usual figures of a series, in milliseconds.
pub(crate) fn series(seconds: &[f64]) -> Value {
    let at = |fraction| quantile(seconds, fraction) * 1e3;
    json!({"count": seconds.len(), "p50_ms": at(0.5), "p95_ms": at(0.95), "p99_ms": at(0.99),
           "max_ms": at(1.0)})
}
