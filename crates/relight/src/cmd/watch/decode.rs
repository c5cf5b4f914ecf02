//! `relight watch decode`: what Log4j 2.14.1 would have made of each line, one answer a line.

use std::path::PathBuf;

use clap::Args;
use relight_engine::watch::line::{DECODE_LINE_BYTES_MAX, text_within};
use relight_engine::watch::lookup::{Verdict, Why, evaluate};
use relight_engine::watch::{Attempt, Callback, decode_line, may_hold_attempt};
use relight_server::web::{Lang, texts};
use serde::Serialize;

use super::lines::{Line, LineSource};
use crate::context::Context;
use crate::failure::Failure;
use crate::report::Report;

#[derive(Debug, Args)]
pub(super) struct Decode {
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    #[arg(long)]
    exact: bool,
    #[arg(long, conflicts_with = "json")]
    text: bool,
    #[arg(long)]
    attempts: bool,
}

/// One answer.
#[derive(Serialize)]
struct Row {
    line: u64,
    verdict: &'static str,
    /// What kind of it.
    detail: Option<&'static str>,
    format: Option<&'static str>,
    field: Option<&'static str>,
    key: Option<String>,
    callback: Option<CallbackRow>,
    steps: Vec<String>,
    cut: bool,
}

#[derive(Serialize)]
struct CallbackRow {
    scheme: String,
    host: String,
    port: Option<u16>,
    path: String,
}

/// How many lines came to what.
#[derive(Default)]
struct Totals {
    lines: u64,
    effective: u64,
    attempts: u64,
}

impl Decode {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let mut source = LineSource::open(self.file.as_deref(), DECODE_LINE_BYTES_MAX, context)?;
        let mut totals = Totals::default();
        loop {
            if self.attempts {
                totals.lines += source.skip_harmless(context)?;
            }
            let Some(line) = source.next(context)? else { break };
            if self.attempts && !line.cut && !may_hold_attempt(line.bytes) {
                totals.lines += 1;
                continue;
            }
            let row = self.judge(&line);
            totals.add(&row);
            if self.attempts && row.verdict == "benign" {
                continue;
            }
            if self.text {
                tell(&row, context.lang, report);
            } else {
                report.document_line("relight.decode/1", &row);
            }
        }
        let Totals { lines, effective, attempts } = totals;
        report.note(&texts::decode_summary(context.lang, attempts, effective, lines));
        Ok(())
    }

    fn judge(&self, line: &Line<'_>) -> Row {
        let (text, _) = text_within(line.bytes, DECODE_LINE_BYTES_MAX);
        let (format, mut found) = match self.exact {
            true => (None, exactly(&text)),
            false => decode_line(&text),
        };
        // What is beyond the limit was not looked at, so nobody knows that it is harmless.
        if line.cut && found.is_none() {
            let verdict = Verdict::Attempt(Why::OverLimit);
            found = Some(Attempt { verdict, field: "line", key: String::new(), steps: Vec::new() });
        }
        row(line, format, found)
    }
}

/// The text is the message itself, as an application would have given it to the library; the key
/// is the first that the library would have looked up.
fn exactly(text: &str) -> Option<Attempt> {
    let found = evaluate(text);
    let key = found.keys.first().cloned().unwrap_or_default();
    (found.verdict != Verdict::Benign).then(|| Attempt {
        verdict: found.verdict,
        field: "line",
        key,
        steps: Vec::new(),
    })
}

fn row(line: &Line<'_>, format: Option<&'static str>, found: Option<Attempt>) -> Row {
    let verdict = found.as_ref().map_or(Verdict::Benign, |found| found.verdict).as_str();
    let (verdict, detail) = verdict
        .split_once('/')
        .map_or((verdict, None), |(verdict, detail)| (verdict, Some(detail)));
    let callback = found.as_ref().and_then(Attempt::callback).map(|found| {
        let Callback { scheme, host, port, path } = found;
        CallbackRow { scheme, host, port, path }
    });
    let field = found.as_ref().map(|found| found.field);
    let key = found.as_ref().map(|found| found.key.clone()).filter(|key| !key.is_empty());
    let steps = found.map(|found| found.steps).unwrap_or_default();
    let cut = line.cut;
    Row { line: line.number, verdict, detail, format, field, key, callback, steps, cut }
}

impl Totals {
    fn add(&mut self, row: &Row) {
        self.lines += 1;
        self.effective += u64::from(row.verdict == "effective");
        self.attempts += u64::from(row.verdict == "attempt");
    }
}

/// The answer for people: the verdict, where it would have called, and how it was unwrapped.
fn tell(row: &Row, lang: Lang, report: &mut Report) {
    let verdict = match row.detail {
        Some(detail) => format!("decode-{}-{detail}", row.verdict),
        None => "decode-benign".to_owned(),
    };
    let verdict = texts::by_code(lang, &verdict).unwrap_or(row.verdict);
    let field = row.field.map(|field| format!(" ({field})")).unwrap_or_default();
    report.line(&texts::decode_line(lang, row.line, &format!("{verdict}{field}")));
    if let Some(callback) = &row.callback {
        let port = callback.port.map(|port| format!(":{port}")).unwrap_or_default();
        let place = format!("{}://{}{port}", callback.scheme, callback.host);
        report.line(&format!("  {}", texts::decode_callback(lang, &place)));
    }
    for step in &row.steps {
        report.line(&format!("    {step}"));
    }
}
