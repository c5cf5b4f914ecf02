//! A plan in words: how far it reaches, in which order it goes, what visitors will see.

use std::collections::BTreeSet;

use relight_engine::Engine;
use relight_engine::blast::{Blast, EdgeBlast};
use relight_engine::plan::{Action, Plan, Returns};
use relight_web::act_views::{EdgeRow, PlanView};
use relight_web::{Lang, Number, texts};

/// Sites of a plan that its page names; the API has all.
const SITES_MAX: usize = 100;

/// The word of an action.
fn action_word(lang: Lang, action: Action) -> &'static str {
    match action {
        Action::Dark => texts::act_dark(lang),
        Action::Relight => texts::act_relight(lang),
        Action::Close => texts::act_close_part(lang),
        Action::Open => texts::act_open_part(lang),
    }
}

/// Everything about a plan that people read. The edges are asked now, so it takes a moment.
pub(super) fn view(engine: &Engine, lang: Lang, plan: &Plan) -> PlanView {
    let blast = engine.blast(plan).unwrap_or_default();
    let more = |all: usize| match all.saturating_sub(SITES_MAX) {
        0 => String::new(),
        more => texts::act_more(lang, more),
    };
    PlanView {
        action: action_of(lang, plan),
        code: plan.action.as_str(),
        number: Number::from(plan.sites.len()).text(lang),
        sites_word: texts::act_number_word(lang, plan.sites.len()),
        summary: summary(lang, plan),
        edges: edges(lang, plan, &blast),
        vital: vital(engine, lang, plan),
        skipped: skipped(lang, plan),
        skipped_more: more(plan.skipped.len()),
        sites: sites(lang, plan),
        sites_more: more(plan.sites.len()),
        visitors: visitors(lang, plan.action),
        returns: plan.returns.map(|rule| returns(lang, rule)).unwrap_or_default(),
        waves: waves(lang, plan),
        undo: undo(lang, plan.action).to_owned(),
        notes: notes(lang, &blast),
    }
}

fn summary(lang: Lang, plan: &Plan) -> String {
    let count = |verdict: &str| plan.sites.iter().filter(|site| site.verdict == verdict).count();
    let bodies: BTreeSet<&str> = plan.sites.iter().map(|site| site.org.as_str()).collect();
    let (affected, unknown) = (count("affected"), count("unknown"));
    texts::act_summary(lang, affected, bodies.len(), count("clear"), unknown)
}

/// The word of an action, with the part that it is about.
pub(crate) fn action_of(lang: Lang, plan: &Plan) -> String {
    let word = action_word(lang, plan.action);
    plan.part.as_ref().map_or(word.to_owned(), |part| texts::act_of_part(lang, word, part))
}

const fn returns(lang: Lang, rule: Returns) -> &'static str {
    match rule {
        Returns::ClearEvidence => texts::act_returns_clear(lang),
    }
}

const fn visitors(lang: Lang, action: Action) -> &'static str {
    match action {
        Action::Dark => texts::act_visitors_dark(lang),
        Action::Relight => texts::act_visitors_relight(lang),
        Action::Close => texts::act_visitors_close(lang),
        Action::Open => texts::act_visitors_open(lang),
    }
}

const fn undo(lang: Lang, action: Action) -> &'static str {
    match action {
        Action::Dark => texts::act_undo_dark(lang),
        Action::Relight => texts::act_undo_relight(lang),
        Action::Close => texts::act_undo_close(lang),
        Action::Open => texts::act_undo_open(lang),
    }
}

fn waves(lang: Lang, plan: &Plan) -> String {
    match plan.action {
        Action::Relight => {}
        Action::Dark => return texts::act_waves_dark(lang).to_owned(),
        Action::Close | Action::Open => return texts::act_waves_parts(lang).to_owned(),
    }
    let sizes = plan.waves.iter().copied();
    let sizes: Vec<String> = sizes.map(|size| Number::from(size).text(lang)).collect();
    texts::act_waves_relight(lang, &sizes.join(" · "))
}

fn notes(lang: Lang, blast: &Blast) -> Vec<String> {
    let open: u64 = blast.edges.iter().filter_map(|edge| edge.tunnels).sum();
    let tunnels = (open > 0).then(|| texts::act_tunnels(lang, open));
    let sharing = (blast.sharing > 0).then(|| texts::act_sharing(lang, blast.sharing));
    tunnels.into_iter().chain(sharing).collect()
}

fn edges(lang: Lang, plan: &Plan, blast: &Blast) -> Vec<EdgeRow> {
    let is_faulty = |edge: &EdgeBlast| plan.action.is_closing() && !edge.faults.is_empty();
    // Where another edge has no fault, whoever agrees lets the plan go without those that have.
    let is_less = blast.edges.iter().any(|edge| edge.sites > 0 && !is_faulty(edge));
    let row = |name: &String| {
        let edge = blast.edges.iter().find(|edge| edge.edge == *name);
        let count = plan.sites.iter().filter(|site| site.edge == *name).count();
        EdgeRow {
            name: name.clone(),
            count: match edge {
                Some(edge) if is_less && is_faulty(edge) => texts::act_edge_left(lang, count),
                _ => texts::act_edge_sites(lang, count),
            },
            trouble: edge.map(|edge| trouble(lang, plan.action, edge)).unwrap_or_default(),
        }
    };
    // What the plan leaves lit is named with the others, and why.
    let left = blast.edges.iter().filter(|edge| edge.left > 0);
    let left = left.map(|edge| EdgeRow {
        name: edge.edge.clone(),
        count: texts::act_edge_left(lang, edge.left),
        trouble: trouble(lang, plan.action, edge),
    });
    plan.edges.iter().map(row).chain(left).collect()
}

/// What would leave sites lit comes first: it does so of an edge that does not answer as well.
fn trouble(lang: Lang, action: Action, edge: &EdgeBlast) -> String {
    let mut told = faults(lang, action, edge);
    told.extend(edge.is_untrusted.then(|| texts::act_edge_untrusted(lang).to_owned()));
    if let Some(error) = &edge.error {
        told.push(texts::act_edge_down(lang, error));
    } else {
        let blind = (!edge.missing.is_empty()).then(|| texts::act_edge_blind(lang));
        let undrilled = edge.is_undrilled.then(|| texts::act_edge_undrilled(lang));
        told.extend(blind.into_iter().chain(undrilled).map(str::to_owned));
    }
    told.join(" · ")
}

/// What would leave sites lit, with its place. A plan that only opens waits for none of it.
fn faults(lang: Lang, action: Action, edge: &EdgeBlast) -> Vec<String> {
    if !action.is_closing() {
        return Vec::new();
    }
    let word = |code: &str| texts::by_code(lang, &format!("lint-{code}")).unwrap_or_default();
    let told = |(place, code): &(String, &'static str)| {
        texts::act_edge_fault(lang, &texts::labelled(lang, place, word(code)))
    };
    edge.faults.iter().map(told).collect()
}

fn vital(engine: &Engine, lang: Lang, plan: &Plan) -> Vec<String> {
    let vital: BTreeSet<&str> =
        plan.sites.iter().filter(|it| it.criticality == 1).map(|it| it.site.as_str()).collect();
    if vital.is_empty() {
        return Vec::new();
    }
    let sites = engine.sites();
    let named = sites.iter().filter(|site| vital.contains(site.slug.as_str()));
    let name = |site: &relight_model::Site| {
        let name = super::super::register::site_name(site, lang);
        format!("{} · {name}", site.slug)
    };
    named.map(name).collect()
}

fn skipped(lang: Lang, plan: &Plan) -> Vec<(String, String)> {
    let row = |skipped: &relight_engine::plan::Skipped| {
        let why = texts::by_code(lang, &format!("skipped-{}", skipped.reason));
        (skipped.site.to_string(), why.unwrap_or(&skipped.reason).to_owned())
    };
    plan.skipped.iter().take(SITES_MAX).map(row).collect()
}

fn sites(lang: Lang, plan: &Plan) -> Vec<(String, String, String)> {
    let row = |site: &relight_engine::plan::PlanSite| {
        let verdict = texts::by_code(lang, &format!("verdict-{}", site.verdict));
        let verdict = verdict.unwrap_or(&site.verdict).to_owned();
        (site.site.to_string(), verdict, site.edge.clone())
    };
    plan.sites.iter().take(SITES_MAX).map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever agrees to a plan knows which edge let visitors in before.
    #[test]
    fn an_edge_that_was_caught_is_told() {
        let edge = EdgeBlast {
            edge: "east".into(),
            sites: 1,
            left: 0,
            error: None,
            tunnels: None,
            missing: Vec::new(),
            is_undrilled: false,
            is_untrusted: true,
            faults: Vec::new(),
        };
        let told = trouble(Lang::En, Action::Dark, &edge);
        assert_eq!(told, texts::act_edge_untrusted(Lang::En));
        let trusted = EdgeBlast { is_untrusted: false, ..edge };
        assert_eq!(trouble(Lang::En, Action::Dark, &trusted), "");
    }

    /// The refusal named the edge, and the page said only that it does not answer.
    #[test]
    fn what_refuses_a_plan_is_named_of_an_edge_that_does_not_answer_too() {
        let edge = EdgeBlast {
            edge: "east".into(),
            sites: 1,
            left: 0,
            error: Some("no answer".into()),
            tunnels: None,
            missing: Vec::new(),
            is_undrilled: true,
            is_untrusted: false,
            faults: vec![("nginx.conf:3".into(), "gate-missing")],
        };
        for action in [Action::Dark, Action::Close] {
            let told = trouble(Lang::En, action, &edge);
            let (fault, down) = told.split_once(" · ").unwrap();
            assert!(fault.contains("nginx.conf:3") && down.contains("no answer"), "{told}");
        }
        for action in [Action::Relight, Action::Open] {
            let told = trouble(Lang::En, action, &edge);
            assert!(!told.contains("nginx.conf") && told.contains("no answer"), "{told}");
        }
    }
}
