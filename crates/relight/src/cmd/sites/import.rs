//! `relight sites import FILE.csv`: a plan of what would change, then exactly that.

use std::path::PathBuf;

use clap::Args;
use relight_engine::barriers::is_barrier;
use relight_engine::groups::group_of;
use relight_engine::store::{ALIASES_MAX, Conflict, ImportPlan, SITE_PARTS_MAX, SiteRow, Store};
use relight_server::web::texts;
use serde::Serialize;

use super::csv_rows::{self, BadRow, CSV_BYTES_MAX};
use crate::cmd::edge::barrier;
use crate::context::Context;
use crate::failure::{Failure, coded};
use crate::register;
use crate::report::{Exit, Report};

/// Who changes the register from the command line.
const ACTOR: &str = "relight sites import";

/// Which file.
#[derive(Debug, Args)]
pub(super) struct Import {
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[arg(long)]
    dry_run: bool,
}

#[derive(Serialize)]
struct Document<'a> {
    file: &'a str,
    plan: String,
    added: Vec<&'a str>,
    changed: Vec<&'a str>,
    untouched: usize,
    refused: Vec<RefusedRow<'a>>,
    applied: bool,
}

#[derive(Serialize)]
struct RefusedRow<'a> {
    line: usize,
    code: &'a str,
    what: &'a str,
}

/// Takes out the rows that would move a site, take a name away from one, or take it off the public
/// page, which an incident wants dark or which is not seen open again: the edge of before would no
/// longer be told, nor would visitors. And those of
/// an edge that is a second barrier or in a group, which takes no orders of its own.
fn hold_dark(
    rows: &mut Vec<SiteRow>,
    store: &Store,
    context: &Context,
) -> Result<Vec<BadRow>, Failure> {
    let ledger = register::ledger(store, context)?;
    let sites = store.sites().map_err(|error| context.store_failure(&error))?;
    let moves = |row: &SiteRow| {
        // As the register would keep it; what is wrong with it is told by the plan.
        let (known, Ok(row)) = (sites.iter().find(|site| site.slug == row.slug), row.checked())
        else {
            return false;
        };
        known.is_some_and(|site| {
            // A name that is taken away would be proven neither dark nor open any more.
            let keeps = |names: &Vec<String>| site.aliases.iter().all(|it| names.contains(it));
            // Without an edge nothing was told of it yet, and only an edge lets it come back.
            let is_told = !site.edge.is_empty();
            let is_other = site.edge != row.edge || site.origin != row.origin;
            is_told && (is_other || !row.aliases.as_ref().is_none_or(keeps))
        })
    };
    let is_held = |row: &SiteRow| ledger.is_at_work(&row.slug) && moves(row);
    // The public page would say that all are back.
    let hides = |row: &SiteRow| {
        let is_shown = sites.iter().any(|site| site.slug == row.slug && site.public);
        is_shown && !row.public && (ledger.display(&row.slug).1 || ledger.is_at_work(&row.slug))
    };
    let edges = barrier::registered(store, context)?;
    let mut held = Vec::new();
    rows.retain(|row| {
        let code = if is_held(row) {
            "import-held-dark"
        } else if hides(row) {
            "import-held-public"
        } else if is_barrier(&row.edge, &edges) {
            "import-barrier"
        } else if group_of(&row.edge, &edges).is_some() {
            "import-grouped"
        } else {
            return true;
        };
        held.push(BadRow { line: row.line, code, what: row.slug.to_string() });
        false
    });
    Ok(held)
}

impl Import {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let file = self.file.display().to_string();
        let mut rows = csv_rows::read(&context.read_file(&self.file, CSV_BYTES_MAX)?);
        let store = context.store()?;
        let failed = |error| context.store_failure(&error);
        let held = hold_dark(&mut rows.good, &store, context)?;
        let plan = store.plan_import(&rows.good).map_err(failed)?;
        if !self.dry_run && !plan.is_empty() {
            store.apply_import(&plan, context.now(), ACTOR).map_err(failed)?;
        }
        let mut refused = rows.bad;
        refused.extend(held);
        refused.extend(plan.conflicts.iter().map(|conflict| {
            let (code, what) = code_of(&conflict.conflict);
            let what = if what.is_empty() { conflict.slug.to_string() } else { what };
            BadRow { line: conflict.line, code, what }
        }));
        refused.sort_by_key(|bad| bad.line);
        for bad in &refused {
            let (what, remedy) = coded(context.lang, bad.code);
            let what = match bad.what.as_str() {
                "" => what.to_owned(),
                value => texts::quoted(context.lang, what, value),
            };
            report.warn(&format!("{file}:{}", bad.line), &what, remedy);
            report.raise(Exit::Failed);
        }
        self.tell(&file, &plan, &refused, context, report);
        Ok(())
    }

    fn tell(
        &self,
        file: &str,
        plan: &ImportPlan,
        refused: &[BadRow],
        context: &Context,
        report: &mut Report,
    ) {
        let lang = context.lang;
        if context.json {
            let document = Document {
                file,
                plan: plan.hash().to_string(),
                added: plan.added.iter().map(|row| row.slug.as_str()).collect(),
                changed: plan.changed.iter().map(|change| change.after.slug.as_str()).collect(),
                untouched: plan.untouched.len(),
                refused: refused
                    .iter()
                    .map(|bad| RefusedRow { line: bad.line, code: bad.code, what: &bad.what })
                    .collect(),
                applied: !self.dry_run,
            };
            report.document("relight.import/1", &document);
            return;
        }
        let (added, changed) = (plan.added.len(), plan.changed.len());
        let (refused, untouched) = (refused.len(), plan.untouched.len());
        report.line(&texts::import_summary(lang, added, changed, refused, untouched));
        if self.dry_run {
            report.line(&texts::plan_hash(lang, &plan.hash().to_string()));
            report.line(texts::plan_nothing_changed(lang));
        } else if added > 0 {
            report.next("relight sites gaps");
        }
    }
}

/// The code of a conflict and what it is about.
fn code_of(conflict: &Conflict) -> (&'static str, String) {
    match conflict {
        Conflict::BadOrigin => ("import-bad-origin", String::new()),
        Conflict::BadAlias => ("import-bad-alias", String::new()),
        Conflict::TooManyAliases => ("import-too-many-aliases", ALIASES_MAX.to_string()),
        Conflict::TooManyParts => ("import-too-many-parts", SITE_PARTS_MAX.to_string()),
        Conflict::PartTwice { part } => ("import-part-twice", part.clone()),
        Conflict::SlugOfPart { of } => ("import-slug-of-part", of.to_string()),
        Conflict::NoOrganisation => ("import-no-organisation", String::new()),
        Conflict::TextTooLong => ("import-text-too-long", String::new()),
        Conflict::SlugTwice { first } => ("import-slug-twice", first.to_string()),
        Conflict::HostTwice { first } => ("import-host-twice", first.to_string()),
        Conflict::HostTaken { by } => ("import-host-taken", by.to_string()),
        Conflict::SectorTwice { first } => ("import-sector-twice", first.to_string()),
    }
}
