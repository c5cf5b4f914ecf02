//! `relight incident analyse` and `undo`: who looks, and what an order that is taken back opens.

use clap::Args;
use relight_engine::INVENTORY_TTL_S;
use relight_engine::matching::Question;
use relight_model::{Digest, GateKey};
use relight_server::web::texts;
use serde::Serialize;

use super::{Control, Which};
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
}

impl Analyse {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let lang = context.lang;
        let register = Register::open(context)?;
        let Control { engine, actor, .. } = Control::new(context)?;
        let id = self.which.find(&engine, context)?;
        let asked = Question::Advisory(id.clone());
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
        let names = |keys: &[GateKey]| keys.iter().map(ToString::to_string).collect::<Vec<_>>();
        let (opened, kept) = (names(&undone.opened), names(&undone.kept));
        if context.json {
            let [opened, kept] = [&opened, &kept].map(|it| it.iter().map(String::as_str).collect());
            let document = UndoDocument { incident: &id, plan: plan.to_string(), opened, kept };
            report.document("relight.undo/1", &document);
            return Ok(());
        }
        report.line(&texts::undone(lang, kept.len(), opened.len()));
        for site in kept.iter().take(SITES_SHOWN_MAX) {
            report.line(&format!("  ○ {site}"));
        }
        if !opened.is_empty() {
            report.next("relight edge check --repair");
        }
        Ok(())
    }
}
