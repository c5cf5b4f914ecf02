//! `relight advisories cvss`: what vectors are worth.

use std::io::{BufRead, Read};

use clap::Args;
use relight_engine::matching::{CVSS_BYTES_MAX, CvssError, CvssScores, CvssVersion, cvss_scores};
use relight_server::web::number::tenths;
use relight_server::web::{Lang, texts};
use serde::Serialize;

use crate::context::Context;
use crate::failure::Failure;
use crate::report::{Exit, Report};

#[derive(Debug, Args)]
pub(super) struct Cvss {
    #[arg(value_name = "VECTOR")]
    vectors: Vec<String>,
}

#[derive(Default, Serialize)]
struct Document {
    vectors: Vec<VectorRow>,
    refused: Vec<RefusedRow>,
}

#[derive(Serialize)]
struct VectorRow {
    vector: String,
    version: &'static str,
    base: f64,
    temporal: Option<f64>,
    environmental: Option<f64>,
    score: f64,
    severity: &'static str,
}

#[derive(Serialize)]
struct RefusedRow {
    place: usize,
    vector: String,
    code: &'static str,
    offset: usize,
    part: String,
}

impl Cvss {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let mut told = Document::default();
        if self.vectors.is_empty() || self.vectors == ["-"] {
            from_stdin(context, report, &mut told)?;
        } else {
            for (at, vector) in self.vectors.iter().enumerate() {
                let place = texts::cvss_argument(context.lang, at + 1);
                take(vector, at + 1, &place, context, report, &mut told);
            }
        }
        if context.json {
            report.document("relight.cvss/1", &told);
        }
        if !told.refused.is_empty() {
            report.hint(texts::cvss_remedy(context.lang));
        }
        Ok(())
    }
}

/// One vector a line; blank lines and remarks after `#` are left out.
fn from_stdin(context: &Context, report: &mut Report, told: &mut Document) -> Result<(), Failure> {
    let mut input = std::io::stdin().lock();
    let mut bytes = Vec::new();
    for number in 1.. {
        bytes.clear();
        // A vector that is cut here is longer than any: it is refused for its length.
        let most = CVSS_BYTES_MAX as u64 + 3;
        let read = input.by_ref().take(most).read_until(b'\n', &mut bytes).and_then(|read| {
            if read as u64 == most && bytes.last() != Some(&b'\n') {
                input.skip_until(b'\n')?;
            }
            Ok(read)
        });
        let read = read.map_err(|error| {
            let failure = Failure::new(texts::cannot_read(context.lang, "-"));
            let failure = failure.because(context.lang, &error);
            failure.hint(texts::cannot_read_remedy(context.lang))
        })?;
        if read == 0 {
            break;
        }
        let text = String::from_utf8_lossy(&bytes);
        let vector = text.trim_start_matches('\u{feff}').trim();
        if !vector.is_empty() && !vector.starts_with('#') {
            let place = texts::order_line(context.lang, number);
            take(vector, number, &place, context, report, told);
        }
    }
    Ok(())
}

fn take(
    vector: &str,
    number: usize,
    place: &str,
    context: &Context,
    report: &mut Report,
    told: &mut Document,
) {
    match cvss_scores(vector) {
        Ok(scores) if context.json => told.vectors.push(row(vector, &scores)),
        Ok(scores) => report.line(&shown(vector, &scores, context.lang)),
        Err(error) => {
            report.raise(Exit::Failed);
            report.warn(place, &refusal(&error, context.lang), "");
            let CvssError { offset, code, part } = error;
            let vector = vector.to_owned();
            told.refused.push(RefusedRow { place: number, vector, code, offset, part });
        }
    }
}

/// What is wrong, at which character (counted from 1), and the part that is meant.
pub(super) fn refusal(error: &CvssError, lang: Lang) -> String {
    let what = texts::by_code(lang, error.code).unwrap_or(error.code);
    texts::cvss_refused(lang, error.offset + 1, &error.part, what)
}

fn row(vector: &str, scores: &CvssScores) -> VectorRow {
    let number = |tenths: u16| f64::from(tenths) / 10.0;
    VectorRow {
        vector: vector.to_owned(),
        version: scores.version.as_str(),
        base: number(scores.base),
        temporal: scores.temporal.map(number),
        environmental: scores.environmental.map(number),
        score: number(scores.overall()),
        severity: scores.severity(),
    }
}

fn shown(vector: &str, scores: &CvssScores, lang: Lang) -> String {
    let number = |score: Option<u16>| {
        score.map_or_else(|| "-".to_owned(), |score| tenths(lang, u64::from(score)))
    };
    let base = number(Some(scores.base));
    let (temporal, environmental) = (number(scores.temporal), number(scores.environmental));
    if scores.version == CvssVersion::V4 {
        return texts::cvss_scores_4(lang, &base, &environmental, &temporal, vector);
    }
    texts::cvss_scores(lang, &base, &environmental, &temporal, vector)
}
