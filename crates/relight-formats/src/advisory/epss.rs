//! EPSS scores (FIRST): `#model_version:…,score_date:…`, then `cve,epss,percentile`, the whole
//! table every day.

use relight_model::{Timestamp, Warning};

use super::outline::Outline;
use super::{AdvisoryFormat, Input, Reading, Refusal};
use crate::time;

pub(super) const PLUGIN: Epss = Epss;

/// Most rows of one table.
pub const SCORES_MAX: usize = 10_000_000;

/// The scores of one day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scores {
    /// The version of the model; scores of two models do not compare.
    pub model: String,
    /// The day.
    pub date: Timestamp,
    /// Each CVE number with its score.
    pub rows: Vec<Score>,
}

/// The score of one flaw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Score {
    /// The CVE number, in upper case.
    pub cve: String,
    /// Probability of exploitation in 30 days, in millionths.
    pub score: u32,
    /// Share of flaws that score no higher, in millionths.
    pub percentile: u32,
}

/// The format. It has no settings.
pub(super) struct Epss;

impl AdvisoryFormat for Epss {
    fn name(&self) -> &'static str {
        "epss"
    }

    fn recognises(&self, outline: &Outline<'_>) -> bool {
        outline.head.starts_with(b"#model_version:") || outline.head.starts_with(b"cve,epss")
    }

    fn read(&self, input: &Input<'_>) -> Reading {
        let mut reading = Reading::default();
        let mut scores = Scores::default();
        let body = Outline::of(input.bytes).body;
        let mut has_columns = false;
        for (index, line) in body.split(|&byte| byte == b'\n').enumerate() {
            let line = String::from_utf8_lossy(line);
            let read = match line.trim() {
                "" => Ok(()),
                text if text.starts_with('#') => comment(text, &mut scores),
                text if text.starts_with("cve,epss") => {
                    has_columns = true;
                    Ok(())
                }
                text => row(text).map(|score| scores.rows.push(score)),
            };
            let read = read.and_then(|()| match scores.rows.len() > SCORES_MAX {
                true => Err(format!("the table has more than {SCORES_MAX} rows")),
                false => Ok(()),
            });
            if let Err(fault) = read {
                let id = line.split(',').next().map(|id| id.trim().to_owned());
                reading.refused.push(refusal(input, index, id, &fault));
            }
            if scores.rows.len() > SCORES_MAX {
                return Reading { scores: None, ..reading };
            }
        }
        if !body.ends_with(b"\n") || !has_columns || scores.rows.is_empty() {
            let fault = "the table does not end with a whole line: it was cut short";
            reading.refused.push(refusal(input, 0, None, fault));
        }
        // A day that is not known cannot be compared with another.
        if scores.date == 0 {
            let fault = "the first line does not say `score_date`";
            reading.refused.push(refusal(input, 0, None, fault));
        }
        reading.scores = (scores.date != 0 && !scores.rows.is_empty()).then_some(scores);
        reading
    }
}

fn refusal(input: &Input<'_>, index: usize, id: Option<String>, fault: &str) -> Refusal {
    let place = format!("{}:{}", input.place, input.line + index);
    let message = format!("{fault}; left out, get the table again");
    Refusal { id, warning: Warning::new("advisory-bad-record", place, message) }
}

fn comment(text: &str, scores: &mut Scores) -> Result<(), String> {
    for part in text.trim_start_matches('#').split(',') {
        match part.split_once(':') {
            Some(("model_version", model)) => model.clone_into(&mut scores.model),
            Some(("score_date", date)) => {
                let date = date.replace("+0000", "Z");
                scores.date =
                    time::parse_lenient(&date).ok_or_else(|| format!("`{date}` is no day"))?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn row(text: &str) -> Result<Score, String> {
    let mut fields = text.split(',').map(str::trim);
    let (cve, score, percentile) = (fields.next(), fields.next(), fields.next());
    let cve = cve.filter(|cve| cve.get(..4).is_some_and(|it| it.eq_ignore_ascii_case("CVE-")));
    let cve = cve.ok_or("the first field is no CVE number")?.to_ascii_uppercase();
    let score = score.and_then(millionths).ok_or("the score is not between 0 and 1")?;
    let percentile =
        percentile.and_then(millionths).ok_or("the percentile is not between 0 and 1")?;
    Ok(Score { cve, score, percentile })
}

fn millionths(text: &str) -> Option<u32> {
    let value: f64 = text.parse().ok()?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 1,000,000")]
    (0.0..=1.0).contains(&value).then_some((value * 1e6).round() as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "#model_version:v2025.03.14,score_date:2025-08-25T12:55:00Z\n\
                         cve,epss,percentile\n\
                         CVE-2021-44228,0.94358,0.99959\n\
                         cve-2021-45046,0.5,1\n";

    fn read(text: &str) -> Reading {
        PLUGIN.read(&Input::whole("", "scores.csv", text.as_bytes()))
    }

    #[test]
    fn a_table_of_one_day() {
        let Reading { scores, refused, .. } = read(TABLE);
        let scores = scores.unwrap();
        assert_eq!((scores.model.as_str(), scores.date), ("v2025.03.14", 1_756_126_500));
        assert_eq!(
            scores.rows[0],
            Score { cve: "CVE-2021-44228".into(), score: 943_580, percentile: 999_590 }
        );
        assert_eq!((scores.rows[1].cve.as_str(), scores.rows.len()), ("CVE-2021-45046", 2));
        assert_eq!(refused, []);
    }

    /// Goal: a table that was cut inside of a line is never taken for a whole one; one that lost
    /// whole lines is caught by its number of rows, against the day before.
    #[test]
    fn cut_anywhere_is_said() {
        for cut in 15..TABLE.len() {
            let Reading { scores, refused, .. } = read(&TABLE[..cut]);
            let is_shorter =
                TABLE[..cut].ends_with('\n') && scores.is_some_and(|it| it.rows.len() < 2);
            assert!(!refused.is_empty() || is_shorter, "{cut}");
        }
    }

    #[test]
    fn a_broken_row_costs_itself() {
        let broken = "CVE-1,2,0.5\nX,0.1,0.1\nCVE-2,0.1\nCVE-3,a,0.1\nCVE-4,0.1,NaN\n";
        let Reading { scores, refused, .. } = read(&format!("{TABLE}{broken}"));
        assert_eq!((scores.unwrap().rows.len(), refused.len()), (2, 5));
        assert_eq!(refused[0].id.as_deref(), Some("CVE-1"));
        assert_eq!(refused[0].warning.evidence, "scores.csv:5");
    }

    #[test]
    fn without_a_day_there_are_no_scores() {
        let Reading { scores, refused, .. } = read("cve,epss,percentile\nCVE-1,0.1,0.1\n");
        assert_eq!((scores, refused.len()), (None, 1));
    }
}
