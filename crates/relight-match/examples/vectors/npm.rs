//! The fixtures of npm's own `semver`: `node-semver-fixtures.json`. The `increments` are not about
//! order.

use std::fs;
use std::path::Path;

use relight_match::{NpmOptions, NpmRange, NpmVersion};
use serde_json::Value;

use crate::Count;

pub(crate) fn run(folder: &Path) -> Vec<Count> {
    let text = fs::read_to_string(folder.join("node-semver-fixtures.json")).unwrap_or_default();
    let document: Value = serde_json::from_str(&text).unwrap_or_default();
    let mut counts = Vec::new();
    for (kind, cases) in document.as_object().into_iter().flatten() {
        if kind == "increments" {
            continue;
        }
        let mut count = Count::new(format!("node-semver {kind}"));
        for case in cases.as_array().into_iter().flatten() {
            count.add((!holds(kind, case)).then(|| case.to_string()));
        }
        counts.push(count);
    }
    counts
}

/// The options at this place: `true` means loose.
fn options(case: &Value, place: usize) -> NpmOptions {
    let truthy = |value: &Value| !matches!(value, Value::Null | Value::Bool(false)) && *value != 0;
    let given = &case[place];
    NpmOptions {
        loose: *given == true || truthy(&given["loose"]),
        include_prerelease: truthy(&given["includePrerelease"]),
    }
}

fn holds(kind: &str, case: &Value) -> bool {
    let text = |place: usize| case[place].as_str();
    let version = |place: usize, options: NpmOptions| {
        NpmVersion::parse(text(place).unwrap_or("not a version"), options.loose)
    };
    let range = |place: usize, options: NpmOptions| NpmRange::parse(text(place)?, options);
    let given = options(case, 2);
    let outside = |is_outside: fn(&NpmRange, &NpmVersion) -> bool| {
        let both = range(0, given).zip(version(1, given));
        both.is_some_and(|(range, version)| is_outside(&range, &version))
    };
    match kind {
        "comparisons" => version(0, given).zip(version(1, given)).is_some_and(|(a, b)| a > b),
        "equality" => version(0, given).zip(version(1, given)).is_some_and(|(a, b)| a == b),
        "invalid-versions" => {
            version(0, options(case, if case[1] == true { 1 } else { 2 })).is_none()
        }
        "range-parse" => range(0, given).map(|range| range.to_string()).as_deref() == text(1),
        "range-include" | "range-exclude" => {
            let both = range(0, given).zip(version(1, given));
            let fits = both.is_some_and(|(range, version)| range.is_satisfied_by(&version));
            fits == (kind == "range-include")
        }
        "range-intersection" | "comparator-intersection" => {
            let mut given = options(case, 3);
            given.include_prerelease |= case[3] == true;
            let both = range(0, given).zip(range(1, given));
            both.is_some_and(|(a, b)| a.intersects(&b)) == (case[2] == true)
        }
        "version-gt-range" => outside(NpmRange::is_below),
        "version-not-gt-range" => !outside(NpmRange::is_below),
        "version-lt-range" => outside(NpmRange::is_above),
        "version-not-lt-range" => !outside(NpmRange::is_above),
        _ => false,
    }
}
