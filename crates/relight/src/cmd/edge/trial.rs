//! `relight edge test EDGE` and `relight drill`: the canary of an edge, and sites marked for it,
//! through everything that an incident does to a site.

use std::env;
use std::path::{Path, PathBuf};

use clap::Args;
use relight_engine::drill::{DRILL_PAUSE, DrillReport, DrillScope, Extent, Pace, STEPS};
use relight_engine::edge::{Target, is_elsewhere};
use relight_engine::groups::group_of;
use relight_engine::store::Store;
use relight_model::Epoch;
use relight_server::clock;
use relight_server::drill_report::{DrilledReport, REPORT_BYTES_MAX};
use relight_server::web::number::rfc3339;
use relight_server::web::texts;
use serde::Serialize;

use super::asked;
use super::barrier::registered;
use super::rehearsal::Rehearsal;
use crate::cmd::audit::head::expected_key;
use crate::cmd::public::CERTIFICATE_KEY;
use crate::context::Context;
use crate::failure::{Failure, coded};
use crate::operator;
use crate::register;
use crate::report::{Exit, Report, Style};

/// The name of what a drill shows.
const SCHEMA: &str = "relight.drill/1";

/// Which edge.
#[derive(Debug, Args)]
pub(super) struct Test {
    #[arg(value_name = "EDGE")]
    edge: String,
}

/// Which edges; all without a name.
#[derive(Debug, Args)]
pub(crate) struct Drill {
    #[arg(long, value_name = "NAME", num_args = 1..)]
    edges: Vec<String>,
    /// Where the signed report goes.
    #[arg(long, value_name = "FILE", conflicts_with = "hold")]
    report: Option<PathBuf>,
    /// A signed report to check instead.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["edges", "report", "hold"])]
    check: Option<PathBuf>,
    /// The key that has to have signed it; that of this data folder without one.
    #[arg(long, value_name = "KEY", requires = "check")]
    key: Option<String>,
    /// Becomes the controller that a drill of this edge kills.
    #[arg(long, value_name = "EDGE", hide = true, requires = "term", requires = "seq")]
    hold: Option<String>,
    /// The epoch of that drill, under which its controller acts.
    #[arg(long, value_name = "N", requires = "hold", hide = true)]
    term: Option<u64>,
    #[arg(long, value_name = "N", requires = "hold", hide = true)]
    seq: Option<u64>,
    /// That controller touches the canary alone.
    #[arg(long, requires = "hold", hide = true)]
    canary: bool,
}

#[derive(Serialize)]
struct Document {
    passed: bool,
    edges: Vec<EdgeRow>,
}

#[derive(Serialize)]
struct EdgeRow {
    edge: String,
    passed: bool,
    keys: Vec<String>,
    steps: Vec<StepRow>,
}

#[derive(Serialize)]
struct StepRow {
    step: &'static str,
    passed: bool,
    tried: bool,
    took_ms: i64,
    detail: String,
}

impl Test {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let store = context.existing_store()?;
        let failed = |error| Failure::engine(context.lang, &error);
        refuse_unknown(std::slice::from_ref(&self.edge), &store, context)?;
        let all = registered(&store, context)?;
        if let Some(target) = all.iter().find(|it| it.name == self.edge && is_elsewhere(it)) {
            let shown = asked::drill(target, Extent::Canary, &store, context, report)?;
            tell(&[shown], context, report);
            return Ok(());
        }
        let scope = DrillScope::canaries(&store, &[self.edge]).map_err(failed)?;
        let actor = operator::rehearser(context, &store);
        let rehearsal = Rehearsal::begin(&scope, (actor, Extent::Canary), context)?;
        let ledger = register::ledger(&store, context)?;
        let pace = pace(context, &["--canary"]);
        let mut reports = Vec::new();
        for edge in scope.edges() {
            reports.push(rehearsal.run(edge, (&ledger, &pace), context, report)?);
        }
        tell(&reports, context, report);
        Ok(())
    }
}

/// Says which name is of no edge.
fn refuse_unknown(names: &[String], store: &Store, context: &Context) -> Result<(), Failure> {
    let rows = store.edges().map_err(|error| context.store_failure(&error))?;
    match names.iter().find(|name| !rows.iter().any(|row| row.name == **name)) {
        Some(name) => Err(Failure::new(texts::edge_unknown(context.lang, name))
            .hint(texts::edge_unknown_remedy(context.lang))),
        None => Ok(()),
    }
}

impl Drill {
    pub(crate) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let lang = context.lang;
        if let Some(path) = &self.check {
            return check(path, self.key.as_deref(), context, report);
        }
        let store = context.existing_store()?;
        if let (Some(edge), Some(term), Some(seq)) = (&self.hold, self.term, self.seq) {
            return self.hold(edge, Epoch { term, seq }, &store, context, report);
        }
        let actor = operator::rehearser(context, &store);
        let failed = |error| Failure::engine(lang, &error);
        refuse_unknown(&self.edges, &store, context)?;
        let mut meant = registered(&store, context)?;
        if self.edges.is_empty() {
            // A group is rehearsed with all of its edges.
            let all = meant.clone();
            meant.retain(|target| group_of(&target.name, &all).is_none());
        } else {
            meant.retain(|target| self.edges.contains(&target.name));
        }
        let (away, here): (Vec<&Target>, Vec<&Target>) =
            meant.iter().partition(|target| is_elsewhere(target));
        let mut reports = Vec::new();
        // Without a name, all would be meant.
        if !here.is_empty() {
            let names: Vec<String> = here.iter().map(|target| target.name.clone()).collect();
            let scope = DrillScope::read(&store, &names).map_err(failed)?;
            operator::may_drill(context, &store, &scope)?;
            let by = (actor.clone(), Extent::Marked);
            let rehearsal = Rehearsal::begin(&scope, by, context)?;
            let ledger = register::ledger(&store, context)?;
            let pace = pace(context, &[]);
            for edge in scope.edges() {
                reports.push(rehearsal.run(edge, (&ledger, &pace), context, report)?);
            }
        }
        let (mut elsewhere, mut is_whole) = (Vec::new(), true);
        let mut away = away.into_iter().peekable();
        while let Some(target) = away.next() {
            match asked::drill(target, Extent::Marked, &store, context, report) {
                Ok(shown) => elsewhere.push(shown),
                // Where nothing was rehearsed at all, there is no other answer.
                Err(failure)
                    if away.peek().is_none() && reports.is_empty() && elsewhere.is_empty() =>
                {
                    return Err(failure);
                }
                Err(failure) => {
                    report.fail(&failure);
                    report.raise(Exit::Incomplete);
                    is_whole = false;
                }
            }
        }
        reports.extend(elsewhere);
        // A report that cannot be written takes nothing from what was shown.
        tell(&reports, context, report);
        // What is signed would say that all passed, and not that one of them was left out.
        if let Some(path) = self.report.as_ref().filter(|_| is_whole) {
            sign(&reports, &actor, path, context, report)?;
        }
        Ok(())
    }

    /// The controller that a drill kills; it says when it has begun.
    fn hold(
        &self,
        edge: &str,
        epoch: Epoch,
        store: &Store,
        context: &Context,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let failed = |error| Failure::engine(context.lang, &error);
        let names = [edge.to_owned()];
        let scope = if self.canary {
            DrillScope::canaries(store, &names)
        } else {
            DrillScope::read(store, &names)
        };
        let scope = scope.map_err(failed)?;
        operator::may_drill(context, store, &scope)?;
        let ledger = register::ledger(store, context)?;
        for edge in scope.edges() {
            let began = &mut || {
                report.line(edge.name());
                report.flush();
            };
            edge.hold(epoch, &ledger, &pace(context, &[]), began).map_err(failed)?;
        }
        Ok(())
    }
}

/// With this program itself as the controller that is killed, where it knows its own path.
fn pace(context: &Context, words: &[&str]) -> Pace {
    let nonce = clock::now_ms().cast_unsigned().rotate_left(20);
    let data = context.data.display().to_string();
    let second = env::current_exe().ok().and_then(|path| path.into_os_string().into_string().ok());
    let second = second.map(|program| {
        let all = [&[program.as_str(), "--data", &data, "drill"], words, &["--hold"]].concat();
        all.into_iter().map(str::to_owned).collect()
    });
    Pace { clock: clock::now_ms, nonce, pause: DRILL_PAUSE, second, stop: None }
}

fn tell(reports: &[DrillReport], context: &Context, report: &mut Report) {
    let lang = context.lang;
    if reports.iter().any(|it| !it.passed()) {
        report.raise(Exit::Failed);
    }
    if context.json {
        report.document(SCHEMA, &document(reports));
        return;
    }
    for it in reports {
        for step in &it.steps {
            let name = step.name.as_str();
            let what = texts::by_code(lang, &format!("drill-{name}")).unwrap_or(name);
            let mark = match (step.tried, step.passed) {
                (false, _) => "○".to_owned(),
                (true, true) => report.paint(Style::Good, "●"),
                (true, false) => report.paint(Style::Bad, "◈"),
            };
            let is_absent = !step.tried && step.detail.is_empty();
            let untried = if is_absent { texts::drill_untried(lang) } else { "" };
            report.line(format!("{mark} {}  {what}  {untried}", it.edge).trim_end());
            if !step.passed {
                report.warn_in_detail(&it.edge, what, &step.detail, "");
            } else if let Some((code, place)) = step.detail.split_once(": ") {
                let (what, remedy) = coded(lang, &format!("lint-{code}"));
                report.warn(&format!("{}: {place}", it.edge), what, remedy);
            }
        }
        let done = it.steps.iter().filter(|step| step.passed && step.tried).count();
        report.line(&texts::drill_summary(lang, done, &it.edge, it.keys.len(), STEPS.len()));
    }
    if reports.is_empty() {
        report.line(texts::drill_no_edge(lang));
    }
}

fn document(reports: &[DrillReport]) -> Document {
    let passed = reports.iter().all(DrillReport::passed);
    Document { passed, edges: reports.iter().map(row).collect() }
}

/// Writes what was shown, signed with the key of the certificates.
fn sign(
    reports: &[DrillReport],
    actor: &str,
    path: &Path,
    context: &Context,
    report: &mut Report,
) -> Result<(), Failure> {
    let lang = context.lang;
    let shown = serde_json::to_value(document(reports));
    let mut shown = shown.map_err(|error| Failure::new(error.to_string()))?;
    shown["schema"] = SCHEMA.into();
    let by = actor.to_owned();
    let signed = DrilledReport { at: context.now(), by, report: shown.to_string() };
    let key = signed.write(&context.secret(CERTIFICATE_KEY), path).map_err(|error| {
        Failure::new(texts::cannot_write(lang, &path.display().to_string()))
            .because(lang, &error)
            .hint(texts::cannot_write_remedy(lang))
    })?;
    report.note(&texts::drill_report_written(lang, &path.display().to_string(), &key));
    Ok(())
}

/// Whether a signed report is what was signed, and by whom; and what it says.
fn check(
    path: &Path,
    key: Option<&str>,
    context: &Context,
    report: &mut Report,
) -> Result<(), Failure> {
    let lang = context.lang;
    let name = path.display().to_string();
    let not_signed = |why: &str| {
        let (what, remedy) = coded(lang, why);
        Failure::new(texts::labelled(lang, &name, what)).hint(remedy)
    };
    let bytes = context.read_file(path, REPORT_BYTES_MAX)?;
    let read = DrilledReport::read(&bytes);
    let (signed, signer) = read.map_err(|fault| not_signed(fault.as_str()))?;
    if expected_key(key, context)? != signer {
        return Err(not_signed("report-other-key"));
    }
    report.raw(&format!("{}\n", signed.report));
    report.note(&texts::drill_report_good(lang, &signed.by, &rfc3339(signed.at), &signer));
    Ok(())
}

fn row(it: &DrillReport) -> EdgeRow {
    EdgeRow {
        edge: it.edge.clone(),
        passed: it.passed(),
        keys: it.keys.iter().map(ToString::to_string).collect(),
        steps: it
            .steps
            .iter()
            .map(|step| StepRow {
                step: step.name.as_str(),
                passed: step.passed,
                tried: step.tried,
                took_ms: step.took_ms,
                detail: step.detail.clone(),
            })
            .collect(),
    }
}
