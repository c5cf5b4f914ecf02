//! `relight advisories order`: lines like `1.0 < 1.1` against the order that matching uses.

use std::cmp::Ordering;
use std::io::{BufRead, Read};

use clap::Args;
use relight_engine::matching::{
    ORDER_LINE_BYTES_MAX, OrderLine, Version, VersionScheme, compare, judge_line_by,
};
use relight_model::Ecosystem;
use relight_server::web::texts;
use serde::Serialize;

use crate::context::Context;
use crate::failure::Failure;
use crate::report::{Exit, Report};

/// Most lines that are listed in the document; all are counted.
const LISTED_MAX: usize = 10_000;

#[derive(Debug, Args)]
pub(super) struct Order {
    #[arg(value_name = "ECOSYSTEM")]
    ecosystem: String,
    #[arg(value_name = "VERSION", allow_hyphen_values = true)]
    versions: Vec<String>,
    #[arg(long)]
    matching: bool,
}

/// The published order of a scheme, or the one by which ranges are searched. They differ for
/// Composer alone: PHP says `v3.0 < v3.0.0-beta`, and ranges that Composer reads say otherwise.
#[derive(Clone, Copy)]
struct Judge {
    scheme: VersionScheme,
    matching: bool,
}

impl Judge {
    fn order(self, a: &str, b: &str) -> Option<Ordering> {
        if !self.matching {
            return compare(self.scheme, a, b);
        }
        Version::parse(self.scheme, a)?.compare(&Version::parse(self.scheme, b)?)
    }
}

#[derive(Serialize)]
struct Document {
    scheme: &'static str,
    lines: usize,
    different: usize,
    malformed: usize,
    different_lines: Vec<DifferentRow>,
    malformed_lines: Vec<MalformedRow>,
}

#[derive(Serialize)]
struct DifferentRow {
    line: usize,
    text: String,
    judged: &'static str,
}

#[derive(Serialize)]
struct MalformedRow {
    line: usize,
    code: &'static str,
}

impl Order {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let scheme = VersionScheme::from_name(&self.ecosystem).ok_or_else(|| {
            let schemes = VersionScheme::ALL.iter().map(|it| it.as_str());
            let names: Vec<_> = Ecosystem::all().map(|it| it.as_str().to_owned()).collect();
            let schemes = schemes.collect::<Vec<_>>().join(", ");
            Failure::usage(texts::no_such_ecosystem(context.lang, &self.ecosystem))
                .hint(texts::no_such_ecosystem_remedy(context.lang, &names.join(", "), &schemes))
        })?;
        let judge = Judge { scheme, matching: self.matching };
        if self.versions.is_empty() {
            return from_stdin(judge, context, report);
        }
        for pair in self.versions.windows(2) {
            let order = judge.order(&pair[0], &pair[1]);
            if order.is_none() {
                report.raise(Exit::Incomplete);
            }
            report.line(&format!("{} {} {}", pair[0], sign(order), pair[1]));
        }
        if self.versions.len() == 1 {
            return Err(Failure::usage(texts::order_one_version(context.lang))
                .hint(texts::order_remedy(context.lang)));
        }
        Ok(())
    }
}

const fn sign(order: Option<Ordering>) -> &'static str {
    match order {
        Some(Ordering::Less) => "<",
        Some(Ordering::Equal) => "=",
        Some(Ordering::Greater) => ">",
        None => "?",
    }
}

fn from_stdin(by: Judge, context: &Context, report: &mut Report) -> Result<(), Failure> {
    let mut document = Document {
        scheme: by.scheme.as_str(),
        lines: 0,
        different: 0,
        malformed: 0,
        different_lines: Vec::new(),
        malformed_lines: Vec::new(),
    };
    let mut input = std::io::stdin().lock();
    let mut number = 0;
    let mut bytes = Vec::new();
    loop {
        number += 1;
        let read = read_line(&mut input, &mut bytes).map_err(|error| {
            let failure = Failure::new(texts::cannot_read(context.lang, "-"));
            let failure = failure.because(context.lang, &error);
            failure.hint(texts::cannot_read_remedy(context.lang))
        })?;
        if !read {
            break;
        }
        judge(&bytes, number, by, &mut document, context, report);
    }
    if document.different + document.malformed > 0 {
        report.raise(Exit::Failed);
    }
    if context.json {
        report.document("relight.version-order/1", &document);
        return Ok(());
    }
    let Document { different, lines, .. } = document;
    report.line(&texts::order_summary(context.lang, different, lines, by.scheme.as_str()));
    if document.malformed > 0 {
        report.hint(texts::order_remedy(context.lang));
    }
    Ok(())
}

/// One line without its end; of a longer one than [`ORDER_LINE_BYTES_MAX`] the start, and the rest
/// is skipped. `false` at the end of the input.
fn read_line(input: &mut impl BufRead, bytes: &mut Vec<u8>) -> std::io::Result<bool> {
    bytes.clear();
    let most = ORDER_LINE_BYTES_MAX as u64 + 2;
    let read = input.by_ref().take(most).read_until(b'\n', bytes)?;
    if bytes.len() as u64 == most && bytes.last() != Some(&b'\n') {
        input.skip_until(b'\n')?;
    }
    Ok(read > 0)
}

fn judge(
    bytes: &[u8],
    number: usize,
    by: Judge,
    document: &mut Document,
    context: &Context,
    report: &mut Report,
) {
    let text = std::str::from_utf8(bytes).map(|text| text.trim_end_matches(['\n', '\r']));
    let judged = text.map_or(OrderLine::Malformed("order-line-utf8"), |it| {
        judge_line_by(it, |a, b| by.order(a, b))
    });
    match judged {
        OrderLine::Blank => {}
        OrderLine::Same => document.lines += 1,
        OrderLine::Other { left, right, judged } => {
            document.lines += 1;
            document.different += 1;
            let text = text.unwrap_or_default().trim().to_owned();
            let judged = sign(judged);
            if context.json && document.different_lines.len() < LISTED_MAX {
                document.different_lines.push(DifferentRow { line: number, text, judged });
            } else if !context.json {
                let ours = format!("{left} {judged} {right}");
                report.line(&texts::order_other(context.lang, &ours, number, &text));
            }
        }
        OrderLine::Malformed(code) => {
            document.malformed += 1;
            if document.malformed_lines.len() < LISTED_MAX {
                document.malformed_lines.push(MalformedRow { line: number, code });
            }
            let what = texts::by_code(context.lang, code).unwrap_or(code);
            report.warn(&texts::order_line(context.lang, number), what, "");
        }
    }
}
