//! CVSS 2.0 (guide of FIRST, section 3.2).

use super::fixed::Fixed;
use super::{CvssScores, Metrics, Part, Rule};

/// The metrics, in the order of the guide.
pub(super) const RULES: [Rule; 14] = [
    ("AV", Part::Base, &["L", "A", "N"]),
    ("AC", Part::Base, &["H", "M", "L"]),
    ("Au", Part::Base, &["M", "S", "N"]),
    ("C", Part::Base, &["N", "P", "C"]),
    ("I", Part::Base, &["N", "P", "C"]),
    ("A", Part::Base, &["N", "P", "C"]),
    ("E", Part::Temporal, &["U", "POC", "F", "H", "ND"]),
    ("RL", Part::Temporal, &["OF", "TF", "W", "U", "ND"]),
    ("RC", Part::Temporal, &["UC", "UR", "C", "ND"]),
    ("CDP", Part::Environmental, &["N", "L", "LM", "MH", "H", "ND"]),
    ("TD", Part::Environmental, &["N", "L", "M", "H", "ND"]),
    ("CR", Part::Environmental, &["L", "M", "H", "ND"]),
    ("IR", Part::Environmental, &["L", "M", "H", "ND"]),
    ("AR", Part::Environmental, &["L", "M", "H", "ND"]),
];

pub(super) fn scores(metrics: &Metrics<'_>) -> CvssScores {
    let base = base(metrics, impact(metrics, |_| Fixed::ONE));
    let temporal = temporal(metrics, base);
    let environmental = metrics.has(Part::Environmental).then(|| environmental(metrics));
    CvssScores {
        version: metrics.version,
        base: base.score(),
        temporal: metrics.has(Part::Temporal).then(|| temporal.score()),
        environmental,
    }
}

/// Below zero for some adjusted impacts, which the guide rounds and uses as it is.
fn base(metrics: &Metrics<'_>, impact: Fixed) -> Fixed {
    if impact <= Fixed::ZERO {
        return Fixed::ZERO;
    }
    let vector = match metrics.get("AV") {
        "L" => 3_950,
        "A" => 6_460,
        _ => 10_000,
    };
    let complexity = match metrics.get("AC") {
        "H" => 3_500,
        "M" => 6_100,
        _ => 7_100,
    };
    let authentication = match metrics.get("Au") {
        "M" => 4_500,
        "S" => 5_600,
        _ => 7_040,
    };
    let exploitability = Fixed::weight(200_000)
        * Fixed::weight(vector)
        * Fixed::weight(complexity)
        * Fixed::weight(authentication);
    let sum = Fixed::weight(6_000) * impact + Fixed::weight(4_000) * exploitability;
    ((sum - Fixed::weight(15_000)) * Fixed::weight(11_760)).rounded()
}

/// `requirement` weighs the impact on confidentiality, integrity and availability.
fn impact(metrics: &Metrics<'_>, requirement: impl Fn(&str) -> Fixed) -> Fixed {
    let rest = [("C", "CR"), ("I", "IR"), ("A", "AR")].map(|(name, required)| {
        let weight = match metrics.get(name) {
            "N" => 0,
            "P" => 2_750,
            _ => 6_600,
        };
        Fixed::ONE - Fixed::weight(weight) * requirement(required)
    });
    Fixed::weight(104_100) * (Fixed::ONE - rest[0] * rest[1] * rest[2])
}

fn temporal(metrics: &Metrics<'_>, base: Fixed) -> Fixed {
    let exploit = match metrics.get("E") {
        "U" => 8_500,
        "POC" => 9_000,
        "F" => 9_500,
        _ => 10_000,
    };
    let remedy = match metrics.get("RL") {
        "OF" => 8_700,
        "TF" => 9_000,
        "W" => 9_500,
        _ => 10_000,
    };
    let confidence = match metrics.get("RC") {
        "UC" => 9_000,
        "UR" => 9_500,
        _ => 10_000,
    };
    let factor = Fixed::weight(exploit) * Fixed::weight(remedy) * Fixed::weight(confidence);
    (base * factor).rounded()
}

fn environmental(metrics: &Metrics<'_>) -> u16 {
    let requirement = |name: &str| {
        Fixed::weight(match metrics.get(name) {
            "L" => 5_000,
            "H" => 15_100,
            _ => 10_000,
        })
    };
    let impact = impact(metrics, requirement).min(Fixed::weight(100_000));
    let adjusted = temporal(metrics, base(metrics, impact));
    let damage = match metrics.get("CDP") {
        "L" => 1_000,
        "LM" => 3_000,
        "MH" => 4_000,
        "H" => 5_000,
        _ => 0,
    };
    let targets = match metrics.get("TD") {
        "N" => 0,
        "L" => 2_500,
        "M" => 7_500,
        _ => 10_000,
    };
    let rest = Fixed::tenths(100) - adjusted;
    ((adjusted + rest * Fixed::weight(damage)) * Fixed::weight(targets)).rounded().score()
}
