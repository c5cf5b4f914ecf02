//! `relight incident off` and `on`: a plan, the order, and the wait for the proof.

use std::io::{self, BufRead, IsTerminal};
use std::sync::Arc;

use clap::Args;
use relight_engine::access::{Grant, Role, Scope};
use relight_engine::blast::Blast;
use relight_engine::drive::Drive;
use relight_engine::incident::flaw_of;
use relight_engine::matching::Question;
use relight_engine::plan::{Action, Plan, PlanAsk};
use relight_engine::policy::{Means, Person, Refusal};
use relight_engine::rollout::Rollout;
use relight_engine::{Engine, EngineError, INVENTORY_TTL_S, Smashing};
use relight_model::{Digest, GateKey, SitePart};
use relight_server::web::{Lang, texts};
use serde::Serialize;

use super::remote::{Asked, Remote};
use super::{Control, Which};
use crate::cmd::edge::barrier::tell_troubles;
use crate::context::Context;
use crate::failure::{Failure, coded};
use crate::register::Register;
use crate::report::{Exit, Report};

/// Sites of a plan shown by name; `--json` has all.
const SITES_SHOWN_MAX: usize = 20;

/// Who plays the second person in a fictional province.
const DEMO_SECOND: &str = "demo (second person)";

#[derive(Debug, Args)]
pub(super) struct Off {
    #[command(flatten)]
    order: Order,
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[arg(long, conflicts_with = "server")]
    break_glass: bool,
}

#[derive(Debug, Args)]
pub(super) struct On {
    #[command(flatten)]
    order: Order,
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    reason: String,
}

/// What a person wants done, and how much it may cost.
struct Wish {
    action: Action,
    reason: String,
    break_glass: bool,
}

#[derive(Debug, Args)]
struct Order {
    #[arg(long, value_name = "QUERY")]
    sites: String,
    #[command(flatten)]
    which: Which,
    #[arg(long, value_name = "PART")]
    part: Option<String>,
    #[arg(long)]
    dry_run: bool,
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Serialize)]
struct PlanDocument<'a> {
    plan: &'a Plan,
    hash: String,
    applied: bool,
    proven: Option<usize>,
    not_proven: Vec<&'a str>,
}

impl Off {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let Self { order, reason, break_glass } = self;
        let action = if order.part.is_some() { Action::Close } else { Action::Dark };
        order.run(Wish { action, reason, break_glass }, context, report)
    }
}

impl On {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let Self { order, mut reason } = self;
        if reason.trim().is_empty() {
            reason = texts::on_reason(context.lang).to_owned();
        }
        let action = if order.part.is_some() { Action::Open } else { Action::Relight };
        let wish = Wish { action, reason, break_glass: false };
        order.run(wish, context, report)
    }
}

impl Order {
    fn run(self, wish: Wish, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let lang = context.lang;
        let action = wish.action;
        // Glass is broken on the machine itself: a server that the configuration names is not
        // asked, which would only propose. One that the command names is refused above.
        if let Some(server) = self.remote.server.as_ref().filter(|_| !wish.break_glass) {
            let asked = Asked {
                action: action.as_str(),
                sites: &self.sites,
                incident: self.which.incident.as_deref(),
                part: self.part.as_deref(),
                reason: &wish.reason,
                dry_run: self.dry_run,
            };
            return self.remote.ask(server, &asked, context, report);
        }
        let register = Register::as_journalled(context)?;
        let control = Control::new(context)?;
        let engine = &control.engine;
        let incident = self.which.find(engine, context)?;
        let asked = Question::Advisory(flaw_of(&incident).to_owned());
        // An incident asks more strictly than a reader: by its own limit of age.
        let sites = register.select(&self.sites, Some(&asked), INVENTORY_TTL_S, lang)?;
        let sites: Vec<GateKey> = sites.into_iter().map(|site| site.slug.clone()).collect();
        let ask = PlanAsk {
            incident,
            action,
            part: self.part.clone(),
            reason: wish.reason.clone(),
            // Filled in by the engine from the incident.
            advisory_revision: Digest::default(),
            policy: control.rules.digest,
            proposer: control.actor.clone(),
            created: engine.now(),
        };
        let failed = |error| Failure::engine(lang, &error);
        let plan = made(engine, ask, &sites, &wish).map_err(failed)?;
        let hash = plan.hash().map_err(|error| Failure::new(error.to_string()))?.to_string();
        if !context.json {
            show(&plan, &hash, context, report);
        }
        if plan.sites.is_empty() {
            return nothing_changed(&plan, hash, context, report);
        }
        // Whoever agrees knows how far it reaches.
        let blast = engine.blast(&plan).map_err(failed)?;
        reach(&blast, &plan, lang, report);
        if self.dry_run {
            return nothing_changed(&plan, hash, context, report);
        }
        edges_fit(&blast, &wish, lang)?;
        if !self.yes && !agreed(context, report)? {
            return nothing_changed(&plan, hash, context, report);
        }
        order_given(&control, &plan, &wish, context)?;
        // Not before the order: the loops bring back what is clear by themselves, and the plan
        // would not be the one that was shown any more.
        let open = match action {
            Action::Dark | Action::Close | Action::Open => {
                let drive = Drive::start(engine).map_err(failed)?;
                tell_troubles(&drive, report);
                let open = engine.wait_proven(&plan, &plan.keys());
                drop(drive);
                open
            }
            Action::Relight => by_waves(engine, &plan, &control.actor, context, report)?,
        };
        tell(&plan, hash, &open, context, report);
        Ok(())
    }
}

/// The plan for what was asked. Broken glass goes past the set-up of an edge.
fn made(
    engine: &Engine,
    ask: PlanAsk,
    sites: &[GateKey],
    wish: &Wish,
) -> Result<Plan, EngineError> {
    let plan = engine.plan(ask, sites)?;
    if wish.break_glass { Ok(plan) } else { engine.fitted(plan) }
}

fn show(plan: &Plan, hash: &str, context: &Context, report: &mut Report) {
    let lang = context.lang;
    let count = |verdict: &str| plan.sites.iter().filter(|site| site.verdict == verdict).count();
    let (affected, unknown) = (count("affected"), count("unknown"));
    let (edges, vital) =
        (plan.edges.len(), plan.sites.iter().filter(|site| site.criticality == 1).count());
    let sites = plan.sites.len();
    report.line(&texts::plan_hash(lang, hash));
    report.line(&texts::plan_summary(lang, affected, edges, sites, unknown, vital));
    if let Some(part) = &plan.part {
        report.line(&texts::plan_part(lang, part));
    }
    for site in plan.sites.iter().take(SITES_SHOWN_MAX) {
        let verdict = texts::by_code(lang, &format!("verdict-{}", site.verdict));
        let verdict = verdict.unwrap_or(&site.verdict);
        report.line(&format!("  {}  {verdict}  {}", site.site, site.edge));
    }
    if plan.sites.len() > SITES_SHOWN_MAX {
        report.line(&texts::and_more_places(lang, plan.sites.len() - SITES_SHOWN_MAX));
    }
    for skipped in &plan.skipped {
        let why = texts::by_code(lang, &format!("skipped-{}", skipped.reason));
        let why = why.unwrap_or(&skipped.reason);
        let line = texts::labelled(lang, skipped.site.as_str(), why);
        report.line(&format!("  - {line}"));
    }
}

fn nothing_changed(
    plan: &Plan,
    hash: String,
    context: &Context,
    report: &mut Report,
) -> Result<(), Failure> {
    if context.json {
        let document =
            PlanDocument { plan, hash, applied: false, proven: None, not_proven: Vec::new() };
        report.document("relight.order/1", &document);
    } else {
        report.line(texts::plan_nothing_changed(context.lang));
    }
    Ok(())
}

/// Asks on the terminal; without one, nobody agreed.
fn agreed(context: &Context, report: &mut Report) -> Result<bool, Failure> {
    let lang = context.lang;
    if !io::stdin().is_terminal() {
        return Err(Failure::approval(texts::needs_yes(lang)).hint(texts::needs_yes_remedy(lang)));
    }
    report.tell(texts::are_you_sure(lang));
    let mut answer = String::new();
    let read = io::stdin().lock().read_line(&mut answer);
    let yes = ["y", "yes", "o", "oui"].contains(&answer.trim().to_lowercase().as_str());
    Ok(read.is_ok() && yes)
}

/// The order, with the leave of those who have to agree to it, and what belongs to it. The operator
/// of a machine goes by the same rules as whoever is signed in: what he switches alone is counted.
fn order_given(
    control: &Control,
    plan: &Plan,
    wish: &Wish,
    context: &Context,
) -> Result<(), Failure> {
    let Control { engine, actor, person, rules, is_demo } = control;
    let failed = |error| Failure::engine(context.lang, &error);
    let played = is_demo.then(|| played_by(actor));
    let person = played.as_ref().unwrap_or(person);
    // Broken glass waits for nothing.
    if wish.action == Action::Dark && !wish.break_glass {
        let nonce = engine.now_ms().cast_unsigned().rotate_left(24);
        engine.take_baselines(rules, person, plan, nonce).map_err(failed)?;
    }
    let hash = plan.hash().map_err(|error| Failure::new(error.to_string()))?;
    let given = if wish.break_glass {
        let smashing = Smashing { hash, reason: &wish.reason, proof: None };
        engine.smash_glass(rules, person, plan, smashing)
    } else {
        engine.propose(rules, person, plan).and_then(|acted| match (acted.started, is_demo) {
            (true, _) => Ok(()),
            (false, false) => Err(Refusal::SeatsEmpty.into()),
            (false, true) => {
                let (second, typed) = (played_by(DEMO_SECOND), Some(plan.sites.len()));
                engine.approve(rules, &second, acted.number, hash, typed).map(drop)
            }
        })
    };
    given.map_err(|error| control.refused(context, &error))
}

/// In a fictional province everybody may play every part, under the rules that hold for everybody.
fn played_by(name: &str) -> Person {
    let grants = vec![Grant { role: Role::Commander, scope: Scope::root() }];
    Person { name: name.to_owned(), grants, means: Means::HardwareKey }
}

/// Refuses a plan for edges whose set-up would leave sites lit, unless glass is broken. An edge
/// that cannot be used at all refuses nothing: the other sites must not wait for it.
fn edges_fit(blast: &Blast, wish: &Wish, lang: Lang) -> Result<(), Failure> {
    let refused = blast.edges.iter().filter(|edge| !edge.faults.is_empty() && edge.left == 0);
    let refused: Vec<&str> = refused.map(|edge| edge.edge.as_str()).collect();
    if refused.is_empty() || wish.break_glass || !wish.action.is_closing() {
        return Ok(());
    }
    Err(Failure::new(texts::plan_edge_refused(lang, &refused.join(", ")))
        .hint(texts::plan_edge_refused_remedy(lang)))
}

/// Tells how far the plan reaches, and what would leave sites lit, before anything happens.
fn reach(blast: &Blast, plan: &Plan, lang: Lang, report: &mut Report) {
    for edge in &blast.edges {
        if let Some(error) = &edge.error {
            let what = texts::edge_will_be_exposed(lang, edge.sites);
            report.warn_in_detail(&edge.edge, &what, error, texts::edge_failed_remedy(lang));
        }
        if plan.action == Action::Dark && !edge.missing.is_empty() {
            let missing = edge.missing.join(", ");
            let what = texts::edge_cannot_prove(lang, &missing, edge.sites);
            report.warn(&edge.edge, &what, texts::edge_cannot_prove_remedy(lang));
        }
        if let Some(open) = edge.tunnels.filter(|open| *open > 0) {
            report.note(&texts::edge_has_tunnels(lang, &edge.edge, open));
        }
        for (place, code) in &edge.faults {
            let (what, remedy) = coded(lang, &format!("lint-{code}"));
            report.fault(&format!("{}: {place}", edge.edge), what, remedy);
        }
        if edge.left > 0 {
            let what = texts::edge_left_lit(lang, edge.left);
            report.warn(&edge.edge, &what, texts::plan_edge_refused_remedy(lang));
        }
    }
    let untrusted: Vec<&str> =
        blast.edges.iter().filter(|it| it.is_untrusted).map(|it| it.edge.as_str()).collect();
    if !untrusted.is_empty() {
        let what = texts::act_edge_untrusted(lang);
        report.warn(&untrusted.join(", "), what, texts::plan_untrusted_remedy(lang));
    }
    let undrilled: Vec<&str> =
        blast.edges.iter().filter(|it| it.is_undrilled).map(|it| it.edge.as_str()).collect();
    if !undrilled.is_empty() {
        report.note(&texts::plan_undrilled(lang, &undrilled.join(", ")));
    }
    if blast.bodies > 1 {
        report.note(&texts::plan_bodies(lang, blast.bodies));
    }
    if blast.sharing > 0 {
        report.note(&texts::plan_shares(lang, blast.sharing));
    }
}

/// Opens a canary, then the rest by waves, the most critical first; when more than one in a hundred
/// does not come back, the others stay dark. Those that are not proven lit are returned.
fn by_waves(
    engine: &Arc<Engine>,
    plan: &Plan,
    actor: &str,
    context: &Context,
    report: &mut Report,
) -> Result<Vec<GateKey>, Failure> {
    let lang = context.lang;
    let failed = |error| Failure::engine(lang, &error);
    let drive = Drive::edges_alone(engine).map_err(failed)?;
    tell_troubles(&drive, report);
    let Rollout { mut open, left, held } = engine.relight_by_waves(actor, plan).map_err(failed)?;
    drop(drive);
    if !left.is_empty() {
        report.warn("relight", &texts::waves_stopped(lang, left.len()), "");
    }
    if !held.is_empty() {
        report.warn("relight", &texts::waves_held(lang, held.len()), "");
    }
    open.extend(left.into_iter().chain(held));
    Ok(open)
}

fn tell(plan: &Plan, hash: String, open: &[GateKey], context: &Context, report: &mut Report) {
    let lang = context.lang;
    let proven = plan.sites.len() - open.len();
    if context.json {
        let not_proven = open.iter().map(GateKey::as_str).collect();
        let proven = Some(proven);
        let document = PlanDocument { plan, hash, applied: true, proven, not_proven };
        report.document("relight.order/1", &document);
    } else {
        report.line(&match plan.action {
            Action::Dark => texts::proven_dark(lang, proven, plan.sites.len()),
            Action::Relight => texts::proven_lit(lang, proven, plan.sites.len()),
            Action::Close => texts::parts_closed(lang, proven, plan.sites.len()),
            Action::Open => texts::parts_open(lang, proven, plan.sites.len()),
        });
        if plan.action == Action::Close && plan.part.as_deref() == Some(SitePart::Internet.name()) {
            report.note(texts::part_read_back(lang));
        }
    }
    if proven > 0 && plan.action.is_closing() {
        report.note(texts::nobody_looks_on(lang));
    }
    not_proven(open, report);
}

/// Names the sites that were switched and are not proven so, which is a failure.
pub(super) fn not_proven(open: &[GateKey], report: &mut Report) {
    if open.is_empty() {
        return;
    }
    let lang = report.lang();
    report.raise(Exit::Failed);
    for site in open.iter().take(SITES_SHOWN_MAX) {
        report.warn(site.as_str(), texts::not_proven_yet(lang), "");
    }
    report.hint(texts::not_proven_remedy(lang));
}
