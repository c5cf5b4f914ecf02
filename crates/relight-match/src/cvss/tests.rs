//! Published scores, the traps of rounding, and what is no vector.

use proptest::prelude::*;

use super::*;

/// Base, temporal or threat, environmental, as printed: `9.8 - 9.1`.
fn shown(vector: &str) -> String {
    let CvssScores { base, temporal, environmental, .. } = cvss_scores(vector).unwrap();
    let show = |score: Option<u16>| {
        score.map_or("-".to_owned(), |tenths| format!("{}.{}", tenths / 10, tenths % 10))
    };
    format!("{} {} {}", show(Some(base)), show(temporal), show(environmental))
}

#[test]
fn version_2() {
    for (vector, scores) in [
        // The three examples of the guide, section 3.3.
        ("AV:N/AC:L/Au:N/C:N/I:N/A:C/E:F/RL:OF/RC:C", "7.8 6.4 -"),
        ("AV:N/AC:L/Au:N/C:N/I:N/A:C/E:F/RL:OF/RC:C/CDP:H/TD:H/CR:M/IR:M/AR:H", "7.8 6.4 9.2"),
        ("AV:N/AC:L/Au:N/C:C/I:C/A:C/E:F/RL:OF/RC:C/CDP:H/TD:H/CR:M/IR:M/AR:L", "10.0 8.3 9.0"),
        ("AV:L/AC:H/Au:N/C:C/I:C/A:C/E:POC/RL:OF/RC:C/CDP:H/TD:H/CR:M/IR:M/AR:M", "6.2 4.9 7.5"),
        ("AV:L/AC:H/Au:M/C:N/I:N/A:N", "0.0 - -"),
        ("(AV:N/AC:L/Au:N/C:P/I:P/A:P)", "7.5 - -"),
        ("AV:N/AC:L/Au:N/C:P/I:P/A:P/E:ND/TD:ND", "7.5 - -"),
        ("AV:N/AC:L/Au:N/C:C/I:C/A:C/TD:N", "10.0 - 0.0"),
        // The adjusted base score is -0.2 here, and is used as it is.
        ("AV:L/AC:H/Au:M/C:N/I:N/A:P/CDP:LM/AR:L", "0.8 - 2.9"),
    ] {
        assert_eq!(shown(vector), scores, "{vector}");
    }
}

#[test]
fn version_3() {
    for (vector, scores) in [
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", "10.0 10.0 10.0"), // CVE-2021-44228
        ("CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:C/C:H/I:H/A:H", "9.0 9.0 9.1"),    // CVE-2021-45046
        ("CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:N/I:N/A:H", "5.9 5.9 5.9"),    // CVE-2021-45105
        ("CVSS:3.1/AV:N/AC:H/PR:H/UI:N/S:U/C:H/I:H/A:H", "6.6 6.6 6.6"),    // CVE-2021-44832
        ("CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", "7.5 7.5 7.5"),    // CVE-2014-0160
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", "6.1 6.1 6.1"),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", "0.0 0.0 0.0"),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/E:P/RL:O", "9.8 8.8 8.8"),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/MAV:L", "9.8 9.8 8.4"),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/CR:L/IR:L/AR:L", "9.8 9.8 8.0"),
        // Environmental scores of a changed scope have a formula of their own in 3.1.
        ("CVSS:3.1/AV:P/AC:L/PR:L/UI:N/S:C/C:H/I:H/A:H", "7.4 7.4 7.5"),
        ("CVSS:3.0/AV:P/AC:L/PR:L/UI:N/S:C/C:H/I:H/A:H", "7.4 7.4 7.4"),
    ] {
        assert_eq!(shown(vector), scores, "{vector}");
    }
}

#[test]
fn version_4() {
    for (vector, scores) in [
        ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H", "10.0 - -"),
        ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N", "0.0 - -"),
        ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", "9.3 - -"),
        ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N/E:U", "9.3 8.1 -"),
        ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N/MSI:S", "9.3 - 10.0"),
        // The order of the metrics means nothing, nor do supplemental ones.
        ("CVSS:4.0/AC:L/AV:N/AT:N/U:Red/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N/E:X", "9.3 - -"),
    ] {
        assert_eq!(shown(vector), scores, "{vector}");
    }
}

#[test]
fn what_is_no_vector_says_where() {
    let long = format!("CVSS:3.1/{}", "A".repeat(CVSS_BYTES_MAX));
    for (vector, offset, code, part) in [
        ("", 0, "cvss-empty", ""),
        ("  ", 0, "cvss-empty", ""),
        ("High", 0, "cvss-version", "High"),
        ("CVSS:5.0/AV:N", 0, "cvss-version", "CVSS:5.0"),
        (" CVSS:3.1/AV:N/XX:L", 15, "cvss-metric", "XX:L"),
        ("CVSS:3.1/AV:N/", 0, "cvss-metric", ""),
        ("CVSS:3.1/AV:Q", 9, "cvss-value", "AV:Q"),
        ("CVSS:3.1/AV", 9, "cvss-value", "AV"),
        ("CVSS:3.1/AV:N/AV:N", 14, "cvss-twice", "AV:N"),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H", 40, "cvss-missing", "A"),
        ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:S", 49, "cvss-value", "SC:S"),
        ("AV:N/AC:L/Au:N/C:P/I:P/A:P/E:X", 27, "cvss-value", "E:X"),
        (&long, 0, "cvss-too-long", ""),
    ] {
        let part = part.to_owned();
        assert_eq!(cvss_scores(vector), Err(CvssError { offset, code, part }), "{vector}");
        assert_eq!(base_score(vector), None);
    }
}

/// A vector of one version with random metrics.
fn vector(prefix: &'static str, rules: &'static [Rule]) -> impl Strategy<Value = String> {
    let metric = |rule: &'static Rule| {
        let optional = rule.1 != Part::Base;
        (0..rule.2.len() + usize::from(optional))
            .prop_map(move |at| rule.2.get(at).map(|value| format!("{}:{value}", rule.0)))
    };
    rules.iter().map(metric).collect::<Vec<_>>().prop_map(move |metrics| {
        let metrics: Vec<_> = metrics.into_iter().flatten().collect();
        format!("{prefix}{}", metrics.join("/"))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn every_vector_has_a_score_and_a_worse_metric_never_lowers_it(
        two in vector("", &v2::RULES),
        thirty in vector("CVSS:3.0/", &v3::RULES),
        thirty_one in vector("CVSS:3.1/", &v3::RULES),
        four in vector("CVSS:4.0/", &v4::RULES),
    ) {
        for vector in [&two, &thirty, &thirty_one, &four] {
            let scores = cvss_scores(vector).unwrap();
            prop_assert!(scores.overall() <= 100);
            prop_assert!(scores.temporal.is_none_or(|temporal| temporal <= scores.base));
        }
        for (from, to) in [("/C:L", "/C:H"), ("/I:N", "/I:L"), ("/PR:H", "/PR:L")] {
            for vector in [&thirty, &thirty_one] {
                let worse = vector.replacen(from, to, 1);
                prop_assert!(base_score(&worse) >= base_score(vector), "{} {}", worse, vector);
            }
        }
    }

    #[test]
    fn no_text_breaks_it(
        start in "(CVSS:[34]\\.[01]/|\\()?",
        metrics in "([A-Za-z]{1,3}:[A-Z]?/?){0,14}\\PC{0,5}",
    ) {
        let _ = cvss_scores(&(start + &metrics));
    }
}
