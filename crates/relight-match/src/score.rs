//! CVSS v3.0 and v3.1 base scores (FIRST, Common Vulnerability Scoring System v3.1, section 7.1).

/// Weights of the eight base metrics; those of privileges depend on the scope.
struct Metrics {
    attack_vector: f64,
    attack_complexity: f64,
    privileges: f64,
    user_interaction: f64,
    scope_changed: bool,
    impacts: [f64; 3],
}

/// The base score of a vector in tenths (`98` is 9.8).
///
/// Temporal and environmental metrics are read and not used. `None` for other versions of CVSS, a
/// missing or repeated base metric, and a value that the specification does not have.
pub fn base_score(vector: &str) -> Option<u16> {
    let rest = vector.strip_prefix("CVSS:3.1/").or_else(|| vector.strip_prefix("CVSS:3.0/"))?;
    let Metrics {
        attack_vector,
        attack_complexity,
        privileges,
        user_interaction,
        scope_changed,
        impacts,
    } = metrics(rest)?;
    let rest_of_impact: f64 = impacts.iter().map(|impact| 1.0 - impact).product();
    let sub_score = 1.0 - rest_of_impact;
    let impact = if scope_changed {
        7.52 * (sub_score - 0.029) - 3.25 * (sub_score - 0.02).powi(15)
    } else {
        6.42 * sub_score
    };
    if impact <= 0.0 {
        return Some(0);
    }
    let exploitability = 8.22 * attack_vector * attack_complexity * privileges * user_interaction;
    let factor = if scope_changed { 1.08 } else { 1.0 };
    round_up((factor * (impact + exploitability)).min(10.0))
}

/// The smallest number of tenths that is not below `score`, computed on integers as the
/// specification does (appendix A), so that every machine agrees.
fn round_up(score: f64) -> Option<u16> {
    let scaled = (score * 100_000.0).round();
    // The score is at most 10, so the scaled value fits any integer that has 32 bits.
    (0..=100u16).find(|tenths| f64::from(*tenths) * 10_000.0 >= scaled)
}

fn metrics(rest: &str) -> Option<Metrics> {
    let find = |name: &str| {
        let mut values = rest.split('/').filter_map(|part| part.split_once(':'));
        let (_, value) = values.find(|(key, _)| *key == name)?;
        values.all(|(key, _)| key != name).then_some(value)
    };
    let scope_changed = match find("S")? {
        "U" => false,
        "C" => true,
        _ => return None,
    };
    let impact = |name: &str| match find(name)? {
        "H" => Some(0.56),
        "L" => Some(0.22),
        "N" => Some(0.0),
        _ => None,
    };
    Some(Metrics {
        attack_vector: match find("AV")? {
            "N" => 0.85,
            "A" => 0.62,
            "L" => 0.55,
            "P" => 0.2,
            _ => return None,
        },
        attack_complexity: match find("AC")? {
            "L" => 0.77,
            "H" => 0.44,
            _ => return None,
        },
        privileges: match (find("PR")?, scope_changed) {
            ("N", _) => 0.85,
            ("L", false) => 0.62,
            ("L", true) => 0.68,
            ("H", false) => 0.27,
            ("H", true) => 0.5,
            _ => return None,
        },
        user_interaction: match find("UI")? {
            "N" => 0.85,
            "R" => 0.62,
            _ => return None,
        },
        scope_changed,
        impacts: [impact("C")?, impact("I")?, impact("A")?],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_scores() {
        for (vector, score) in [
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", 100), // CVE-2021-44228
            ("CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:C/C:H/I:H/A:H", 90),  // CVE-2021-45046
            ("CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:N/I:N/A:H", 59),  // CVE-2021-45105
            ("CVSS:3.1/AV:N/AC:H/PR:H/UI:N/S:U/C:H/I:H/A:H", 66),  // CVE-2021-44832
            ("CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", 75),  // CVE-2014-0160
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", 61),  // the usual cross-site script
            ("CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H", 78),
            ("CVSS:3.1/AV:P/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N", 16),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", 0),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/E:P/RL:O", 98),
        ] {
            assert_eq!(base_score(vector), Some(score), "{vector}");
        }
    }

    #[test]
    fn what_is_no_vector_has_no_score() {
        for vector in [
            "",
            "AV:N/AC:L/Au:N/C:P/I:P/A:P",
            "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
            "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H",
            "CVSS:3.1/AV:X/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
            "CVSS:3.1/AV:N/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
        ] {
            assert_eq!(base_score(vector), None, "{vector}");
        }
    }

    #[test]
    fn rounding_is_up_and_exact() {
        for (score, tenths) in [(0.0, 0), (4.0, 40), (4.02, 41), (4.000_000_1, 40), (10.0, 100)] {
            assert_eq!(round_up(score), Some(tenths), "{score}");
        }
    }
}
