//! Scores of CVSS in a document: ratings, and what is wrong with them (6.1.7 to 6.1.10). A wrong
//! score changes no match, so it is noted and the document stays in use.

use std::collections::BTreeSet;

use relight_model::{Rating, RatingKind};
use serde_json::Value;

use crate::advisory::json::{Object, VERSIONS_MAX, list, tenths, texts};

/// The members that hold a score, and their versions of CVSS.
const KINDS: [(&str, RatingKind, &[&str]); 3] = [
    ("cvss_v2", RatingKind::CvssV2, &["2.0"]),
    ("cvss_v3", RatingKind::CvssV3, &["3.0", "3.1"]),
    ("cvss_v4", RatingKind::CvssV4, &["4.0"]),
];

/// Members of a score that repeat a metric of its vector. The value begins with the letter of the
/// metric (`NETWORK`, `N`) in every version.
const METRICS: [(&str, &str); 20] = [
    ("accessVector", "AV"),
    ("accessComplexity", "AC"),
    ("authentication", "Au"),
    ("attackVector", "AV"),
    ("attackComplexity", "AC"),
    ("attackRequirements", "AT"),
    ("privilegesRequired", "PR"),
    ("userInteraction", "UI"),
    ("scope", "S"),
    ("confidentialityImpact", "C"),
    ("integrityImpact", "I"),
    ("availabilityImpact", "A"),
    ("vulnConfidentialityImpact", "VC"),
    ("vulnIntegrityImpact", "VI"),
    ("vulnAvailabilityImpact", "VA"),
    ("subConfidentialityImpact", "SC"),
    ("subIntegrityImpact", "SI"),
    ("subAvailabilityImpact", "SA"),
    ("exploitCodeMaturity", "E"),
    ("remediationLevel", "RL"),
];

/// Every score of a flaw, with its version: `scores` of 2.0, `metrics` of 2.1.
fn scores(flaw: &Object) -> Vec<(&Object, &Object, RatingKind, &'static [&'static str])> {
    let mut all = Vec::new();
    let items = ["scores", "metrics"].iter().flat_map(|key| list(flaw, key, VERSIONS_MAX));
    for item in items.flatten().filter_map(Value::as_object) {
        let content = item.get("content").and_then(Value::as_object).unwrap_or(item);
        for (key, kind, versions) in KINDS {
            if let Some(score) = content.get(key).and_then(Value::as_object) {
                all.push((item, score, kind, versions));
            }
        }
    }
    all
}

/// The ratings.
pub(super) fn ratings(flaw: &Object) -> Vec<Rating> {
    let rating = |(_, score, kind, _): (&Object, &Object, _, _)| Rating {
        kind,
        vector: said(score, "vectorString").to_owned(),
        stated: tenths(score.get("baseScore")),
        by: String::new(),
    };
    let mut ratings: Vec<_> = scores(flaw).into_iter().map(rating).collect();
    ratings.sort();
    ratings.dedup();
    ratings
}

/// What is wrong with the scores of a flaw. Whether a score is that of its vector is checked where
/// scores can be computed.
pub(super) fn faults(flaw: &Object) -> Vec<String> {
    let mut faults = BTreeSet::new();
    let mut seen = BTreeSet::new();
    for (item, score, kind, versions) in scores(flaw) {
        let version = said(score, "version");
        for product in texts(item, "products", VERSIONS_MAX).unwrap_or_default() {
            // In 2.1, several sources may each give one.
            let by = item.get("source").and_then(Value::as_str).unwrap_or_default();
            if !seen.insert((kind, version.to_owned(), by, product.clone())) {
                let text = "has two scores of one version (6.1.7)";
                faults.insert(format!("product `{product}` {text}"));
            }
        }
        faults.extend(form(score, version, versions).map(|it| format!("{it} (6.1.8)")));
        faults.extend(severity(score).map(|it| format!("{it} (6.1.9)")));
        faults.extend(inconsistent(score).map(|it| format!("{it} (6.1.10)")));
    }
    faults.into_iter().collect()
}

/// A score that its schema refuses.
fn form(score: &Object, version: &str, versions: &[&str]) -> Option<String> {
    let vector = said(score, "vectorString");
    if !versions.contains(&version) {
        return Some(format!("a score says version `{version}`"));
    }
    if vector.is_empty() {
        return Some("a score has no vector".to_owned());
    }
    let is_prefixed = version == "2.0" || vector.starts_with(&format!("CVSS:{version}/"));
    if !is_prefixed {
        return Some(format!("the vector `{vector}` is not one of version {version}"));
    }
    let needs_severity = version != "2.0";
    let missing = ["baseScore", "baseSeverity"]
        .into_iter()
        .find(|key| score.get(*key).is_none() && (*key != "baseSeverity" || needs_severity));
    missing.map(|key| format!("a score has no {key}"))
}

/// A word for the severity that is not that of the number beside it (FIRST, section 5).
fn severity(score: &Object) -> Option<String> {
    const PAIRS: [(&str, &str); 3] = [
        ("baseScore", "baseSeverity"),
        ("temporalScore", "temporalSeverity"),
        ("environmentalScore", "environmentalSeverity"),
    ];
    PAIRS.into_iter().find_map(|(number, word)| {
        let (number, word) = (tenths(score.get(number))?, score.get(word)?.as_str()?);
        let right = match number {
            0 => "NONE",
            1..40 => "LOW",
            40..70 => "MEDIUM",
            70..90 => "HIGH",
            _ => "CRITICAL",
        };
        let shown = format!("{}.{}", number / 10, number % 10);
        (!word.eq_ignore_ascii_case(right))
            .then(|| format!("the severity `{word}` is not that of the score {shown}"))
    })
}

/// A member that says another thing than the vector.
fn inconsistent(score: &Object) -> Option<String> {
    let vector = said(score, "vectorString");
    let of = |metric: &str| {
        vector.split('/').find_map(|part| part.strip_prefix(metric)?.strip_prefix(':'))
    };
    METRICS.into_iter().find_map(|(member, metric)| {
        let word = score.get(member)?.as_str()?;
        let value = of(metric)?;
        let is_same = letter(member, word).eq_ignore_ascii_case(value);
        (!is_same).then(|| format!("{member} `{word}` contradicts {metric}:{value}"))
    })
}

/// The value of a metric as vectors write it.
fn letter(member: &str, word: &str) -> String {
    let word = word.to_ascii_uppercase();
    let short = match (member, word.as_str()) {
        (_, "NOT_DEFINED") => "X",
        ("exploitCodeMaturity", "PROOF_OF_CONCEPT") => "P",
        ("remediationLevel", "OFFICIAL_FIX") => "O",
        ("remediationLevel", "TEMPORARY_FIX") => "T",
        (_, word) => word.get(..1).unwrap_or_default(),
    };
    short.to_owned()
}

fn said<'a>(score: &'a Object, key: &str) -> &'a str {
    score.get(key).and_then(Value::as_str).unwrap_or_default()
}
