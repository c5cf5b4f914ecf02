//! `relight incident analyse` and `undo`: who looks, and what an order that is taken back opens.

use std::sync::Arc;

use clap::Args;
use relight_engine::drive::Drive;
use relight_engine::incident::flaw_of;
use relight_engine::matching::Question;
use relight_engine::plan::Plan;
use relight_engine::{Engine, EngineError, INVENTORY_TTL_S, Undone};
use relight_model::{Digest, GateKey};
use relight_server::web::texts;
use serde::Serialize;

use super::switch::not_proven;
use super::{Control, Which};
use crate::cmd::edge::barrier::tell_troubles;
use crate::context::Context;
use crate::failure::Failure;
use crate::register::Register;
use crate::report::{Exit, Report};

/// Sites named on the terminal; `--json` has all.
const SITES_SHOWN_MAX: usize = 20;

#[derive(Debug, Args)]
pub(super) struct Analyse {
    #[arg(long, value_name = "QUERY", default_value = "", hide_default_value = true)]
    sites: String,
    #[command(flatten)]
    which: Which,
}

#[derive(Debug, Args)]
pub(super) struct Undo {
    #[arg(value_name = "PLAN")]
    plan: Option<String>,
    #[command(flatten)]
    which: Which,
}

#[derive(Serialize)]
struct AnalyseDocument<'a> {
    incident: &'a str,
    sites: usize,
    unknown: Vec<&'a str>,
}

#[derive(Serialize)]
struct UndoDocument<'a> {
    incident: &'a str,
    plan: String,
    opened: Vec<&'a str>,
    kept: Vec<&'a str>,
    not_proven: Vec<&'a str>,
}

impl Analyse {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let lang = context.lang;
        let register = Register::open(context)?;
        let Control { engine, actor, .. } = Control::new(context)?;
        let id = self.which.find(&engine, context)?;
        let asked = Question::Advisory(flaw_of(&id).to_owned());
        let sites = register.select(&self.sites, Some(&asked), INVENTORY_TTL_S, lang)?;
        let in_scope = |site: &GateKey| engine.phase(&id, site).is_some();
        let sites: Vec<GateKey> =
            sites.into_iter().map(|site| site.slug.clone()).filter(in_scope).collect();
        let unknown =
            engine.analyse(&actor, &id, &sites).map_err(|error| Failure::engine(lang, &error))?;
        if !unknown.is_empty() {
            report.raise(Exit::Incomplete);
        }
        if context.json {
            let names = unknown.iter().map(GateKey::as_str).collect();
            let document = AnalyseDocument { incident: &id, sites: sites.len(), unknown: names };
            report.document("relight.analysis/1", &document);
            return Ok(());
        }
        report.line(&texts::analysed(lang, sites.len(), unknown.len()));
        for site in unknown.iter().take(SITES_SHOWN_MAX) {
            report.line(&format!("  ? {site}"));
        }
        if let Some(first) = unknown.first() {
            report.next(&format!("relight scan TARGET --site {first}"));
        }
        Ok(())
    }
}

impl Undo {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let lang = context.lang;
        let control = Control::new(context)?;
        let Control { engine, person, rules, .. } = &control;
        let id = self.which.find(engine, context)?;
        let newest = || engine.with_ledger(|ledger| ledger.incident(&id)?.orders.newest());
        let plan = match &self.plan {
            Some(text) => Digest::parse(text),
            None => newest(),
        };
        let plan = plan.ok_or_else(|| {
            Failure::new(texts::undo_nothing(lang)).hint(texts::undo_nothing_remedy(lang))
        })?;
        let undone = engine.take_order_back(rules, person, (&id, plan));
        let undone = undone.map_err(|error| control.refused(context, &error))?;
        let dark = undone.dark.as_deref();
        let open = dark.map_or_else(|| Ok(Vec::new()), |dark| close_again(engine, dark, report));
        let open = open.map_err(|error| Failure::engine(lang, &error))?;
        if context.json {
            let [opened, kept, not_proven] = [&undone.opened, &undone.kept, &open]
                .map(|keys| keys.iter().map(GateKey::as_str).collect());
            let plan = plan.to_string();
            let document = UndoDocument { incident: &id, plan, opened, kept, not_proven };
            report.document("relight.undo/1", &document);
        } else {
            tell_undone(&undone, &open, report);
        }
        not_proven(&open, report);
        Ok(())
    }
}

/// What a relight opened stays open until its gates are closed: the order alone darkens nothing.
fn close_again(
    engine: &Arc<Engine>,
    dark: &Plan,
    report: &mut Report,
) -> Result<Vec<GateKey>, EngineError> {
    let drive = Drive::edges_alone(engine)?;
    tell_troubles(&drive, report);
    Ok(engine.wait_proven(dark, &dark.keys()))
}

fn tell_undone(undone: &Undone, open: &[GateKey], report: &mut Report) {
    let (lang, kept) = (report.lang(), undone.kept.len());
    report.line(&texts::undone(lang, kept, undone.opened.len()));
    if undone.dark.is_some() {
        report.line(&texts::proven_dark(lang, kept - open.len(), kept));
    }
    let is_dark = |site: &&GateKey| !open.contains(site);
    for site in undone.kept.iter().filter(is_dark).take(SITES_SHOWN_MAX) {
        report.line(&format!("  ○ {site}"));
    }
    if !undone.opened.is_empty() {
        report.next("relight edge check --repair");
    }
}
