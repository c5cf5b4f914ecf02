//! Every rating of a flaw with its vector, its score and who gave it, beside the one that counts.

use relight_engine::matching::{Group, cvss_scores};
use relight_model::{Rating, RatingKind};
use relight_server::web::number::tenths;
use relight_server::web::{Lang, texts};
use serde::Serialize;

use crate::report::Report;

/// One rating.
#[derive(Serialize, PartialEq, PartialOrd)]
pub(super) struct RatingRow<'a> {
    /// The source whose record holds it.
    source: &'a str,
    record: &'a str,
    /// Who gave it; the source itself where it names nobody.
    by: &'a str,
    /// Of CVSS; `null` for words and scales of the source's own.
    version: Option<&'static str>,
    /// As written; empty where only a number is given.
    vector: &'a str,
    /// The base score of the vector; `null` where it cannot be read.
    score: Option<f64>,
    /// The number that the record gives, whatever the vector says.
    stated: Option<f64>,
    /// What it says of a record that is withdrawn counts no more.
    in_force: bool,
}

impl<'a> RatingRow<'a> {
    /// Every rating of a flaw, by source and record; equal ones once.
    pub(super) fn all(group: &'a Group) -> Vec<Self> {
        let rows = group.records().flat_map(|record| {
            record.severities.iter().map(move |rating| Self::of(record, rating))
        });
        let mut rows: Vec<Self> = rows.collect();
        rows.dedup_by(|one, other| one == other);
        rows
    }

    fn of(record: &'a relight_model::Advisory, rating: &'a Rating) -> Self {
        let scores = cvss_scores(&rating.vector).ok();
        let of_kind = match rating.kind {
            RatingKind::CvssV2 => Some("2.0"),
            RatingKind::CvssV3 => Some("3"),
            RatingKind::CvssV4 => Some("4.0"),
            RatingKind::Other => None,
        };
        let number = |score: u16| f64::from(score) / 10.0;
        Self {
            source: &record.source,
            record: &record.id,
            by: if rating.by.is_empty() { &record.source } else { &rating.by },
            version: scores.map(|it| it.version.as_str()).or(of_kind),
            vector: &rating.vector,
            score: scores.map(|it| number(it.base)),
            stated: rating.stated.map(number),
            in_force: record.is_in_force(),
        }
    }

    /// In one line: `CVSS 3.1 10.0  CVSS:3.1/…  (ghsa)`.
    pub(super) fn tell(&self, lang: Lang, report: &mut Report) {
        // A whole number of tenths was divided by ten.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 100")]
        let shown = |score: f64| tenths(lang, (score * 10.0).round() as u64);
        let stated = || self.stated.map(|it| texts::rating_stated(lang, &shown(it)));
        let score = self.score.map(shown).or_else(stated);
        let scale = self.version.map(|version| format!("CVSS {version}"));
        let withdrawn = (!self.in_force).then(|| texts::revision_withdrawn(lang).to_owned());
        let words = [scale, score, Some(self.vector.to_owned())].into_iter().flatten();
        let words = words.chain([format!("({})", self.by)]).chain(withdrawn);
        let words: Vec<String> = words.filter(|it| !it.is_empty()).collect();
        report.line(&format!("    {}", words.join("  ")));
    }
}
