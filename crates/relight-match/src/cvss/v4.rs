//! CVSS 4.0, by the crate `cvss`: the score of 270 classes of vectors is a table, not a formula.

use std::str::FromStr;

use cvss::v4::Vector;

use super::{CvssScores, Metrics, Part, Rule};

/// The metrics, in the order that the specification asks for.
pub(super) const RULES: [Rule; 32] = [
    ("AV", Part::Base, &["N", "A", "L", "P"]),
    ("AC", Part::Base, &["L", "H"]),
    ("AT", Part::Base, &["N", "P"]),
    ("PR", Part::Base, &["N", "L", "H"]),
    ("UI", Part::Base, &["N", "P", "A"]),
    ("VC", Part::Base, &["H", "L", "N"]),
    ("VI", Part::Base, &["H", "L", "N"]),
    ("VA", Part::Base, &["H", "L", "N"]),
    ("SC", Part::Base, &["H", "L", "N"]),
    ("SI", Part::Base, &["H", "L", "N"]),
    ("SA", Part::Base, &["H", "L", "N"]),
    ("E", Part::Temporal, &["A", "P", "U", "X"]),
    ("CR", Part::Environmental, &["H", "M", "L", "X"]),
    ("IR", Part::Environmental, &["H", "M", "L", "X"]),
    ("AR", Part::Environmental, &["H", "M", "L", "X"]),
    ("MAV", Part::Environmental, &["N", "A", "L", "P", "X"]),
    ("MAC", Part::Environmental, &["L", "H", "X"]),
    ("MAT", Part::Environmental, &["N", "P", "X"]),
    ("MPR", Part::Environmental, &["N", "L", "H", "X"]),
    ("MUI", Part::Environmental, &["N", "P", "A", "X"]),
    ("MVC", Part::Environmental, &["H", "L", "N", "X"]),
    ("MVI", Part::Environmental, &["H", "L", "N", "X"]),
    ("MVA", Part::Environmental, &["H", "L", "N", "X"]),
    ("MSC", Part::Environmental, &["H", "L", "N", "X"]),
    ("MSI", Part::Environmental, &["S", "H", "L", "N", "X"]),
    ("MSA", Part::Environmental, &["S", "H", "L", "N", "X"]),
    ("S", Part::Supplemental, &["N", "P", "X"]),
    ("AU", Part::Supplemental, &["N", "Y", "X"]),
    ("R", Part::Supplemental, &["A", "U", "I", "X"]),
    ("V", Part::Supplemental, &["D", "C", "X"]),
    ("RE", Part::Supplemental, &["L", "M", "H", "X"]),
    ("U", Part::Supplemental, &["Clear", "Green", "Amber", "Red", "X"]),
];

/// `None` when the crate refuses what was checked here.
pub(super) fn scores(metrics: &Metrics<'_>) -> Option<CvssScores> {
    let with = |parts: &[Part]| {
        let mut vector = String::from("CVSS:4.0");
        for (name, part, _) in RULES.iter().filter(|(_, part, _)| parts.contains(part)) {
            let value = metrics.get(name);
            if *part == Part::Base || value != "X" {
                vector.push_str(&format!("/{name}:{value}"));
            }
        }
        let value = Vector::from_str(&vector).ok()?.score().value();
        // A score has one decimal, so the product is a whole number but for a rounding error.
        (0..=100).find(|tenths| (f64::from(*tenths) - value * 10.0).abs() < 0.01)
    };
    let temporal = match metrics.has(Part::Temporal) {
        true => Some(with(&[Part::Base, Part::Temporal])?),
        false => None,
    };
    let environmental = match metrics.has(Part::Environmental) {
        true => Some(with(&[Part::Base, Part::Temporal, Part::Environmental])?),
        false => None,
    };
    Some(CvssScores {
        version: metrics.version,
        base: with(&[Part::Base])?,
        temporal,
        environmental,
    })
}
