//! CVSS 3.0 and 3.1 (specification of FIRST, section 7). They differ in how they round, and in the
//! impact of a modified scope.

use super::fixed::Fixed;
use super::{CvssScores, CvssVersion, Metrics, Part, Rule};

/// The metrics, in the order of the specification.
pub(super) const RULES: [Rule; 22] = [
    ("AV", Part::Base, &["N", "A", "L", "P"]),
    ("AC", Part::Base, &["L", "H"]),
    ("PR", Part::Base, &["N", "L", "H"]),
    ("UI", Part::Base, &["N", "R"]),
    ("S", Part::Base, &["U", "C"]),
    ("C", Part::Base, &["H", "L", "N"]),
    ("I", Part::Base, &["H", "L", "N"]),
    ("A", Part::Base, &["H", "L", "N"]),
    ("E", Part::Temporal, &["H", "F", "P", "U", "X"]),
    ("RL", Part::Temporal, &["U", "W", "T", "O", "X"]),
    ("RC", Part::Temporal, &["C", "R", "U", "X"]),
    ("CR", Part::Environmental, &["H", "M", "L", "X"]),
    ("IR", Part::Environmental, &["H", "M", "L", "X"]),
    ("AR", Part::Environmental, &["H", "M", "L", "X"]),
    ("MAV", Part::Environmental, &["N", "A", "L", "P", "X"]),
    ("MAC", Part::Environmental, &["L", "H", "X"]),
    ("MPR", Part::Environmental, &["N", "L", "H", "X"]),
    ("MUI", Part::Environmental, &["N", "R", "X"]),
    ("MS", Part::Environmental, &["U", "C", "X"]),
    ("MC", Part::Environmental, &["H", "L", "N", "X"]),
    ("MI", Part::Environmental, &["H", "L", "N", "X"]),
    ("MA", Part::Environmental, &["H", "L", "N", "X"]),
];

/// As published, or with the modified metrics of an environment.
#[derive(Clone, Copy, PartialEq, Eq)]
enum View {
    Base,
    Modified,
}

pub(super) fn scores(metrics: &Metrics<'_>) -> CvssScores {
    let base = score(metrics, View::Base);
    let modified = score(metrics, View::Modified);
    let temporal = round(metrics.version, Fixed::tenths(base) * temporal_factor(metrics));
    let environmental = round(metrics.version, Fixed::tenths(modified) * temporal_factor(metrics));
    CvssScores {
        version: metrics.version,
        base,
        temporal: Some(temporal),
        environmental: Some(environmental),
    }
}

fn round(version: CvssVersion, score: Fixed) -> u16 {
    if version == CvssVersion::V30 { score.ceil() } else { score.round_up() }
}

/// The base equation, over base or modified metrics.
fn score(metrics: &Metrics<'_>, view: View) -> u16 {
    let changed = value(metrics, view, "S") == "C";
    let sub_score = impact_sub_score(metrics, view);
    let impact = if changed {
        let (factor, exponent) = match (view, metrics.version) {
            (View::Modified, CvssVersion::V31) => (9_731, 13),
            _ => (10_000, 15),
        };
        let power = (sub_score * Fixed::weight(factor) - Fixed::weight(200)).power(exponent);
        Fixed::weight(75_200) * (sub_score - Fixed::weight(290)) - Fixed::weight(32_500) * power
    } else {
        Fixed::weight(64_200) * sub_score
    };
    if impact <= Fixed::ZERO {
        return 0;
    }
    let factor = Fixed::weight(if changed { 10_800 } else { 10_000 });
    let sum = factor * (impact + exploitability(metrics, view, changed));
    round(metrics.version, sum.min(Fixed::tenths(100)))
}

fn impact_sub_score(metrics: &Metrics<'_>, view: View) -> Fixed {
    let rest = [("C", "CR"), ("I", "IR"), ("A", "AR")].map(|(name, requirement)| {
        let weight = match value(metrics, view, name) {
            "H" => 5_600,
            "L" => 2_200,
            _ => 0,
        };
        let required = match (view, metrics.get(requirement)) {
            (View::Modified, "H") => 15_000,
            (View::Modified, "L") => 5_000,
            _ => 10_000,
        };
        Fixed::ONE - Fixed::weight(weight) * Fixed::weight(required)
    });
    let sub_score = Fixed::ONE - rest[0] * rest[1] * rest[2];
    if view == View::Modified { sub_score.min(Fixed::weight(9_150)) } else { sub_score }
}

fn exploitability(metrics: &Metrics<'_>, view: View, changed: bool) -> Fixed {
    let vector = match value(metrics, view, "AV") {
        "N" => 8_500,
        "A" => 6_200,
        "L" => 5_500,
        _ => 2_000,
    };
    let complexity = if value(metrics, view, "AC") == "L" { 7_700 } else { 4_400 };
    let privileges = match (value(metrics, view, "PR"), changed) {
        ("N", _) => 8_500,
        ("L", false) => 6_200,
        ("L", true) => 6_800,
        (_, false) => 2_700,
        (_, true) => 5_000,
    };
    let interaction = if value(metrics, view, "UI") == "N" { 8_500 } else { 6_200 };
    Fixed::weight(82_200)
        * Fixed::weight(vector)
        * Fixed::weight(complexity)
        * Fixed::weight(privileges)
        * Fixed::weight(interaction)
}

fn temporal_factor(metrics: &Metrics<'_>) -> Fixed {
    let exploit = match metrics.get("E") {
        "U" => 9_100,
        "P" => 9_400,
        "F" => 9_700,
        _ => 10_000,
    };
    let remedy = match metrics.get("RL") {
        "O" => 9_500,
        "T" => 9_600,
        "W" => 9_700,
        _ => 10_000,
    };
    let confidence = match metrics.get("RC") {
        "U" => 9_200,
        "R" => 9_600,
        _ => 10_000,
    };
    Fixed::weight(exploit) * Fixed::weight(remedy) * Fixed::weight(confidence)
}

/// A base metric, or its modified form where one is defined.
fn value<'a>(metrics: &Metrics<'a>, view: View, name: &str) -> &'a str {
    match (view, metrics.get(&format!("M{name}"))) {
        (View::Base, _) | (_, "X") => metrics.get(name),
        (View::Modified, modified) => modified,
    }
}
