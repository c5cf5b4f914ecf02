//! What is next on the incident screen: which sites return, on what evidence, and which need a
//! person first.

use std::collections::{BTreeMap, BTreeSet};

use relight_engine::access::Scope;
use relight_engine::incident::{Action, Case, Gate, Incident, Phase};
use relight_engine::plan;
use relight_engine::waves::Herds;
use relight_engine::{Engine, EngineError};
use relight_model::{
    DisplayState, GateKey, Light, OrgId, Organisation, Site, SiteId, Stack, Timestamp,
    UnknownReason, Verdict,
};
use relight_web::views::{QueueRow, TodoRow};
use relight_web::{Lang, Number, texts, words};

use super::tally::elapsed;
use crate::page::encode;

/// Rows of the table of what to do first: as many as fit beside the wall.
const TODO_MAX: usize = 9;

/// The name in addresses of all that needs a person first.
const TODO: &str = "todo";

/// Names of what a site is built with that stand in one cell.
const STACK_NAMES_MAX: usize = 3;

/// On what evidence a dark site returns, or why it does not, in the order of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Ground {
    /// On its way.
    Relighting,
    /// The library is not there, by a full analysis.
    Absent,
    /// A fix was verified.
    Fixed,
    /// Two people answer for it.
    Accepted,
    /// A fix is in service and not verified yet.
    Unverified,
    /// What lets it return is known from before the register came back from a copy.
    Restored,
    /// It came back in vain before: a person decides.
    Stopped,
    /// The plan that was to open it ended, or was taken back: a person decides.
    Left,
    /// Something could not be read.
    Incomplete,
}

impl Ground {
    fn of(incident: &Incident, (site, case): (&GateKey, &Case), now: Timestamp) -> Option<Self> {
        Some(match case.phase {
            Phase::Relighting => Self::Relighting,
            Phase::RelightEligible if incident.is_held_by_restore(site, now) => Self::Restored,
            Phase::RelightEligible if case.is_stopped() => Self::Stopped,
            Phase::RelightEligible if case.is_left => Self::Left,
            Phase::RelightEligible if case.grant.is_some() => Self::Accepted,
            Phase::RelightEligible if case.fixed => Self::Fixed,
            Phase::RelightEligible => Self::Absent,
            Phase::FixDeployed | Phase::Verifying => Self::Unverified,
            Phase::Unknown => Self::Incomplete,
            _ => return None,
        })
    }

    /// Every one, in the order of the screen.
    const ALL: [Self; 9] = [
        Self::Relighting,
        Self::Absent,
        Self::Fixed,
        Self::Accepted,
        Self::Unverified,
        Self::Restored,
        Self::Stopped,
        Self::Left,
        Self::Incomplete,
    ];

    /// Its name in addresses.
    const fn code(self) -> &'static str {
        match self {
            Self::Relighting => "relighting",
            Self::Absent => "absent",
            Self::Fixed => "fixed",
            Self::Accepted => "accepted",
            Self::Unverified => "unverified",
            Self::Restored => "restored",
            Self::Stopped => "stopped",
            Self::Left => "left",
            Self::Incomplete => "incomplete",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|ground| ground.code() == text)
    }

    /// The evidence, and what happens.
    fn words(self, lang: Lang) -> (&'static str, &'static str) {
        let all = [
            (texts::queue_relighting(lang), texts::queue_relighting_then(lang)),
            (texts::queue_absent(lang), texts::queue_automatic(lang)),
            (texts::queue_fixed(lang), texts::queue_automatic(lang)),
            (texts::queue_accepted(lang), texts::queue_automatic(lang)),
            (texts::queue_unverified(lang), texts::queue_unverified_then(lang)),
            (texts::queue_restored(lang), texts::queue_restored_then(lang)),
            (texts::queue_stopped(lang), texts::queue_stopped_then(lang)),
            (texts::queue_left(lang), texts::queue_left_then(lang)),
            (texts::queue_incomplete(lang), texts::queue_incomplete_then(lang)),
        ];
        all[self as usize]
    }

    /// What happens to these, and whether they come back without anybody: where too many others did
    /// not come back, nothing but a person opens more.
    fn follows(self, lang: Lang, is_stopped: bool) -> (String, bool) {
        if is_stopped && self.returns() && self != Self::Relighting {
            return (texts::queue_braked_then(lang).to_owned(), false);
        }
        (self.words(lang).1.to_owned(), self.returns())
    }

    /// Whether these come back without anybody.
    const fn returns(self) -> bool {
        matches!(self, Self::Relighting | Self::Absent | Self::Fixed | Self::Accepted)
    }
}

/// The sites behind one row of what is next in an incident, for the list that the row leads to. A
/// row that is none, or whose incident is over, has no sites: never those of another incident, and
/// never all.
#[derive(Clone, Debug)]
pub(crate) struct Queued {
    /// The name of the row in addresses.
    pub(crate) code: String,
    /// The incident whose row it is.
    pub(crate) incident: String,
    /// The evidence, or that there is no such row, in words.
    pub(crate) evidence: &'static str,
    sites: BTreeSet<String>,
}

/// Which row of what is next each site belongs to, in every incident that is open: the site, and
/// the incident with the name of its row.
pub(crate) fn rows(engine: &Engine) -> Vec<(String, String)> {
    let now = engine.now();
    engine.with_ledger(|ledger| {
        let rows = |(id, incident): (&str, &Incident)| -> Vec<(String, String)> {
            let row = |(site, case): (&GateKey, &Case)| {
                let ground = Ground::of(incident, (site, case), now)?;
                Some((site.to_string(), format!("{id} {}", ground.code())))
            };
            incident.cases().iter().filter_map(row).collect()
        };
        ledger.open().flat_map(rows).collect()
    })
}

impl Queued {
    pub(crate) fn of(engine: Option<&Engine>, lang: Lang, id: &str, code: &str) -> Self {
        let ground = Ground::parse(code);
        let todo = || (code == TODO).then(|| texts::todo_title(lang));
        let evidence = ground.map(|ground| ground.words(lang).0).or_else(todo);
        let found = engine.zip(evidence).and_then(|(engine, evidence)| {
            let now = engine.now();
            let sites = engine.with_ledger(|ledger| {
                let incident = ledger.incident(id).filter(|incident| !incident.closed)?;
                let is_in = |case: &(&GateKey, &Case)| match ground {
                    Some(ground) => Ground::of(incident, *case, now) == Some(ground),
                    None => rank(case.1).is_some(),
                };
                let cases = incident.cases().iter().filter(is_in);
                Some(cases.map(|(site, _)| site.to_string()).collect())
            })?;
            Some((evidence, sites))
        });
        let none = || (texts::queue_none(lang), BTreeSet::new());
        let (evidence, sites) = found.unwrap_or_else(none);
        Self { code: code.to_owned(), incident: id.to_owned(), evidence, sites }
    }

    /// Whether a site is one of them.
    pub(crate) fn has(&self, slug: &str) -> bool {
        self.sites.contains(slug)
    }
}

/// What is next in one incident, for somebody who reads a part of the register.
pub(crate) struct Work<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) lang: Lang,
    pub(crate) now: Timestamp,
}

/// The sites that somebody may know of, and who answers for each.
type Seen<'a> = BTreeMap<&'a GateKey, (&'a Site, &'a Organisation)>;

impl Work<'_> {
    /// Both lists, from one look at the journal.
    ///
    /// # Errors
    /// The organisations cannot be read: an empty list would say that there is nothing to do.
    pub(crate) fn lists(
        &self,
        id: &str,
        reads: impl Fn(&Scope) -> bool,
    ) -> Result<(Vec<QueueRow>, Vec<TodoRow>), EngineError> {
        let mut bodies = self.engine.organisations()?;
        bodies.retain(|body| reads(&Scope::of_body(&body.sector, &body.name)));
        let bodies: BTreeMap<OrgId, Organisation> =
            bodies.into_iter().map(|body| (body.id, body)).collect();
        let sites = self.engine.sites();
        let edges: BTreeMap<&GateKey, &str> =
            sites.iter().map(|site| (&site.slug, site.edge.as_str())).collect();
        let sites: Seen<'_> = sites
            .iter()
            .filter_map(|site| Some((&site.slug, (site, bodies.get(&site.org)?))))
            .collect();
        let (queue, mut todo) = self.engine.with_ledger(|ledger| match ledger.incident(id) {
            Some(incident) => {
                let open = ledger.actions().newest().filter(|it| it.is_open(self.now));
                let plans: Vec<&Action> = open
                    .filter(|it| it.plan.incident == id && it.plan.action == plan::Action::Relight)
                    // Of a plan nobody learns who may not read all of its sites.
                    .filter(|it| it.plan.sites.iter().all(|site| sites.contains_key(&site.site)))
                    .collect();
                (self.queue(id, incident, (&sites, &edges), &plans), self.todo(incident, &sites))
            }
            None => Default::default(),
        });
        // Not within the look at the ledger: who asks twice for one lock waits for whoever wants to
        // write between.
        let ids: Vec<SiteId> = todo.iter().map(|(site, _)| *site).collect();
        for ((_, row), (seen, reasons)) in todo.iter_mut().zip(self.engine.stacks(&ids)) {
            row.stack = stack(self.lang, seen, &reasons);
        }
        Ok((queue, todo.into_iter().map(|(_, row)| row).collect()))
    }

    fn queue(
        &self,
        id: &str,
        incident: &Incident,
        (sites, edges): (&Seen<'_>, &BTreeMap<&GateKey, &str>),
        plans: &[&Action],
    ) -> Vec<QueueRow> {
        let mut found: BTreeMap<Ground, Vec<&GateKey>> = BTreeMap::new();
        for (key, case) in incident.cases().iter().filter(|(key, _)| sites.contains_key(key)) {
            if let Some(ground) = Ground::of(incident, (key, case), self.now) {
                found.entry(ground).or_default().push(key);
            }
        }
        // Also the sites that this reader does not see tell how their edge is doing.
        let edge_of = |site: &GateKey| edges.get(site).copied().unwrap_or_default();
        let herds = Herds::of_sites(incident, edge_of);
        let row = |(ground, keys): (Ground, Vec<&GateKey>)| {
            let evidence = ground.words(self.lang).0;
            let is_stopped = keys.iter().any(|key| herds.is_stopped(edge_of(key)));
            let (mut then, returns) = ground.follows(self.lang, is_stopped);
            let keys: BTreeSet<&GateKey> = keys.into_iter().collect();
            let has = |plan: &&&Action| plan.plan.sites.iter().any(|it| keys.contains(&it.site));
            if let Some(plan) = plans.iter().find(has) {
                let (signed, seats) = (plan.signatures.len(), plan.seats.len());
                then = texts::act_seats_wait(self.lang, &plan.id(), seats, signed);
            }
            let count = keys.len();
            let count = Number::from(count).text(self.lang);
            let row = format!("queue={}&incident={}", ground.code(), encode(id));
            let href = format!("/sites?lang={}&{row}", self.lang.tag());
            QueueRow { count, evidence, then, returns, href }
        };
        found.into_iter().map(row).collect()
    }

    fn todo(&self, incident: &Incident, sites: &Seen<'_>) -> Vec<(SiteId, TodoRow)> {
        let of = |(key, case): (&GateKey, &Case)| {
            let (site, body) = *sites.get(key)?;
            Some((rank(case)?, site.criticality, case.since, key.clone(), (site, body)))
        };
        let mut rows: Vec<_> = incident.cases().iter().filter_map(of).collect();
        rows.sort_by(|a, b| (a.0, a.1, a.2, &a.3).cmp(&(b.0, b.1, b.2, &b.3)));
        let first = rows.into_iter().take(TODO_MAX);
        first
            .filter_map(|(.., key, (site, body))| {
                Some((site.id, self.row(site, body, incident.case(&key)?)))
            })
            .collect()
    }

    fn row(&self, site: &Site, body: &Organisation, case: &Case) -> TodoRow {
        let lang = self.lang;
        let state = case.display();
        let slug = site.slug.as_str();
        let is_dark = case.gate == Gate::Proven && case.phase.wants() == Light::Dark;
        let found = case.evidence.as_ref().and_then(|evidence| evidence.found.first());
        let criticality = format!("criticality-{}", site.criticality.number());
        TodoRow {
            slug: slug.to_owned(),
            href: format!("/site/{}?lang={}", encode(slug), lang.tag()),
            organisation: body.name.clone(),
            letter: state.letter(),
            state: words::state(lang, state),
            criticality: texts::by_code(lang, &criticality).unwrap_or_default(),
            is_vital: site.criticality.number() == 1,
            path: found.cloned().unwrap_or_default(),
            stack: String::new(),
            edge: site.edge.clone(),
            dark_for: if is_dark { elapsed(lang, self.now - case.since) } else { String::new() },
            next: next(lang, case),
        }
    }
}

/// What a site is built with, in its own words: `Java · Spring Boot`. An inventory that is too old
/// tells what was there then, and one that shows none of what we name says so where it is whole.
fn stack(lang: Lang, stack: Stack, reasons: &[UnknownReason]) -> String {
    let mut names: Vec<&str> = stack.parts().map(|built| built.name).collect();
    if names.len() > STACK_NAMES_MAX {
        names.truncate(STACK_NAMES_MAX);
        names.push("…");
    }
    let is_old =
        |it: &UnknownReason| matches!(it, UnknownReason::Stale | UnknownReason::ChangedSince);
    match names.join(" · ").as_str() {
        "" if reasons.is_empty() => texts::todo_stack_other(lang).to_owned(),
        "" => texts::todo_stack_unknown(lang).to_owned(),
        names if reasons.iter().any(is_old) => texts::todo_stack_old(lang, names),
        names => names.to_owned(),
    }
}

/// Nothing opens it but a person.
fn waits(case: &Case) -> bool {
    case.is_stopped() || case.is_left
}

/// What a person has to look at, most urgent first; nothing for what goes on by itself.
fn rank(case: &Case) -> Option<u8> {
    let is_lit = case.display() == DisplayState::Exposed;
    Some(match (case.phase, case.gate) {
        (phase, Gate::Failed) if phase.wants() == Light::Dark => 0,
        _ if is_lit => 1,
        (Phase::Affected, _) => 2,
        (Phase::RelightEligible, _) if waits(case) => 3,
        (Phase::Mitigated | Phase::FixDeployed | Phase::Verifying, _) => 4,
        (Phase::Fixing, _) => 5,
        (Phase::Unknown, _) => 6,
        _ => return None,
    })
}

/// The next step of a person.
fn next(lang: Lang, case: &Case) -> &'static str {
    match (case.phase, case.gate) {
        (phase, Gate::Failed) if phase.wants() == Light::Dark => texts::next_edge(lang),
        (Phase::Affected, _) => texts::next_fix(lang),
        (Phase::RelightEligible, _) => texts::next_relight(lang),
        (Phase::Mitigated, _) => texts::next_accept(lang),
        (Phase::FixDeployed | Phase::Verifying, _) => texts::next_verify(lang),
        (Phase::Fixing, _) => texts::next_deploy(lang),
        (Phase::Unknown, _) => texts::next_inventory(lang),
        _ if case.verdict() == Some(Verdict::Affected) => texts::next_dark(lang),
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_have_names_and_words_of_their_own() {
        let codes: BTreeSet<&str> = Ground::ALL.map(Ground::code).into();
        assert_eq!(codes.len(), Ground::ALL.len());
        assert!(Ground::ALL.is_sorted(), "in the order of the screen");
        for ground in Ground::ALL {
            assert_eq!(Ground::parse(ground.code()), Some(ground));
            for lang in Lang::ALL {
                assert!(!ground.words(lang).0.is_empty() && !ground.words(lang).1.is_empty());
            }
        }
        assert_eq!(Ground::parse(""), None);
    }

    #[test]
    fn a_cell_names_what_a_site_is_built_with_or_that_nobody_knows() {
        let of = |purls: &[&str], reasons: &[UnknownReason]| {
            let one = |purl: &&str| {
                let purl = relight_model::Purl::parse(purl).unwrap();
                let (basis, scope) =
                    (relight_model::Basis::LockFile, relight_model::Scope::Declared);
                Stack::of(&relight_model::Component::new(purl, "", basis, scope))
            };
            stack(Lang::En, purls.iter().map(one).fold(Stack::default(), Stack::and), reasons)
        };
        let java = ["pkg:maven/a/spring-boot@2"];
        for reason in UnknownReason::ALL {
            assert_eq!(of(&[], &[reason]), "unknown");
            let is_old = [UnknownReason::Stale, UnknownReason::ChangedSince].contains(&reason);
            let mark = if is_old { " (old)" } else { "" };
            assert_eq!(of(&java, &[reason]), format!("Java · Spring Boot{mark}"), "{reason:?}");
        }
        assert_eq!(of(&[], &[]), "other", "a whole inventory is no riddle");
        assert_eq!(of(&java, &[]), "Java · Spring Boot");
        let many = ["pkg:maven/a/spring-boot@2", "pkg:npm/x@1", "pkg:gem/y@1"];
        assert_eq!(of(&many, &[]), "Java · Spring Boot · Node.js · …");
    }

    /// Before, "automatic" stood where relight had stopped by itself.
    #[test]
    fn nothing_is_called_automatic_while_the_brake_holds() {
        for ground in Ground::ALL {
            let (before, returned) = ground.follows(Lang::En, false);
            let (then, returns) = ground.follows(Lang::En, true);
            assert_eq!(returned, ground.returns());
            if [Ground::Absent, Ground::Fixed, Ground::Accepted].contains(&ground) {
                assert!(!returns && then.starts_with("stay dark"), "{then}");
            } else {
                assert_eq!((then, returns), (before, returned), "{ground:?}");
            }
        }
    }
}
