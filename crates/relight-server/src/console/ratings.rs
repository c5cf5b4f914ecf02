//! The ratings of a flaw on the page of its answer: each vector as written, and who gave it.

use relight_engine::matching::{Group, cvss_scores};
use relight_model::{Advisory, Rating, RatingKind};
use relight_web::register_views::RatingRow;
use relight_web::{Lang, number, texts};

/// Every rating, by source and record; equal ones once.
pub(super) fn ratings(lang: Lang, group: &Group) -> Vec<RatingRow> {
    let all = group.records().flat_map(|record| {
        record.severities.iter().map(move |rating| rating_row(lang, record, rating))
    });
    let mut rows = Vec::new();
    for row in all {
        if !rows.contains(&row) {
            rows.push(row);
        }
    }
    rows
}

fn rating_row(lang: Lang, record: &Advisory, rating: &Rating) -> RatingRow {
    let scores = cvss_scores(&rating.vector).ok();
    let of_kind = match rating.kind {
        RatingKind::CvssV2 => "CVSS 2.0",
        RatingKind::CvssV3 => "CVSS 3",
        RatingKind::CvssV4 => "CVSS 4.0",
        RatingKind::Other => "",
    };
    let tenths = |score: u16| number::tenths(lang, u64::from(score));
    let scale = scores.map(|it| format!("CVSS {}", it.version.as_str()));
    let score = match (scores, rating.stated) {
        (Some(scores), _) => tenths(scores.base),
        (None, Some(stated)) => texts::rating_stated(lang, &tenths(stated)),
        (None, None) => String::new(),
    };
    let scale = scale.unwrap_or_else(|| of_kind.to_owned());
    let name = [scale, score].into_iter().filter(|it| !it.is_empty());
    let by = if rating.by.is_empty() { &record.source } else { &rating.by };
    let withdrawn = if record.is_in_force() { "" } else { texts::revision_withdrawn(lang) };
    RatingRow {
        name: name.collect::<Vec<_>>().join("\u{a0}"),
        vector: rating.vector.clone(),
        by: by.to_owned(),
        withdrawn: withdrawn.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use relight_engine::matching::Advisories;

    use super::*;

    /// Trap: the score that counts hides what others said, a number beside a vector that nobody can
    /// read, and a record that was withdrawn.
    #[test]
    fn each_rating_is_told_with_its_vector_and_whose_it_is() {
        let rating = |kind, vector: &str, by: &str, stated| Rating {
            kind,
            vector: vector.into(),
            by: by.into(),
            stated,
        };
        let v3 = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H";
        let record = |source: &str, severities| Advisory {
            source: source.into(),
            id: "CVE-2099-1".into(),
            severities,
            ..Advisory::default()
        };
        let mine = vec![
            rating(RatingKind::CvssV3, v3, "", None),
            rating(RatingKind::CvssV3, v3, "", None),
            rating(RatingKind::CvssV4, "CVSS:4.0/odd", "nvd@nist.gov", Some(93)),
            rating(RatingKind::Other, "high", "", None),
        ];
        let gone = Advisory {
            withdrawn: Some(1),
            ..record("b", vec![rating(RatingKind::CvssV3, v3, "", None)])
        };
        let all = Advisories::new(vec![record("a", mine), gone]);
        let told: Vec<String> = ratings(Lang::En, all.group("CVE-2099-1").unwrap())
            .into_iter()
            .map(|it| [it.name, it.vector, it.by, it.withdrawn].join("|"))
            .collect();
        assert_eq!(
            told,
            [
                format!("CVSS 3.1\u{a0}10.0|{v3}|a|"),
                "CVSS 4.0\u{a0}9.3 as stated|CVSS:4.0/odd|nvd@nist.gov|".to_owned(),
                "|high|a|".to_owned(),
                format!("CVSS 3.1\u{a0}10.0|{v3}|b|withdrawn"),
            ]
        );
    }
}
