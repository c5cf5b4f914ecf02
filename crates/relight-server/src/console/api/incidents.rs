//! Incidents, as `relight incident list` and `status` show them. They count sites of everybody, so
//! they are told to those who read everything.

use std::collections::BTreeMap;

use relight_engine::access::Scope;
use relight_engine::incident::{
    Counters, Course, Foretold, Incident, PartCase, THEN_PER_HOUR_TENTHS,
};
use relight_engine::notify::Proposal;
use relight_engine::sources_policy::proposal_rule;
use relight_engine::waves::Herds;
use relight_model::{GateKey, Timestamp};
use relight_web::number::rfc3339;
use relight_web::texts;

use super::document::documents;
use super::problem::Problem;
use super::{Call, Nothing};

documents! {
    /// An incident.
    IncidentView {
        /// Its id: that of the alias group of its advisory, with a number behind a tilde where one
        /// about it was closed before.
        id: String,
        /// One line about it.
        title: String,
        /// When it was opened (RFC 3339).
        opened: String,
        /// Nothing more can be done in it.
        closed: bool,
        /// The entry of the journal up to which all of it counts.
        entry: u64,
        /// How many sites the register has.
        sites: u64,
        /// How many sites have a case in it.
        cases: u64,
        /// How many sites stand in each phase; those without a case are online.
        phases: Vec<PhaseCount>,
        /// How many sites are drawn in each state.
        states: Vec<StateCount>,
        /// Sites that are to be dark without a proof, or lit without current evidence.
        exposed: u64,
        /// Parts of sites that are to be closed; none of them is dark by that.
        closed_parts: Vec<ClosedPart>,
        /// Sites whose fix is in service and not verified.
        unverified: Vec<Unverified>,
        /// Sites that should be dark by the newest evidence, and wait for an order.
        held_back: u64,
        /// Sites that stay dark although they are clear, or signed for: that is known from before
        /// the register came back from an older copy.
        held_by_restore: u64,
        /// What is clear, and stays as it is until a person says otherwise.
        waiting: Waiting,
        /// At what pace sites come back; null where none was ever proven dark.
        burn_down: Option<BurnDownView>,
    }

    /// How an incident goes, by the journal alone.
    BurnDownView {
        /// Sites whose last proof says dark, also where it has expired.
        dark: u64,
        /// Most that were.
        peak: u64,
        /// When so many were, the last time (RFC 3339).
        peaked: String,
        /// When a site came back, the last time since then.
        last_return: Option<String>,
        /// Null where no site is dark, or fewer than 10 came back in the time that is measured.
        pace: Option<PaceView>,
        /// For comparison; null where no site is dark.
        december_2021: Option<ThenView>,
    }

    /// The pace of the last third of the time since the peak, up to the newest entry about it.
    PaceView {
        /// Tenths of a site.
        sites_per_hour_tenths: u64,
        /// When none of them would be dark (RFC 3339), as the journal has it: that may have passed.
        none_dark: String,
        /// The same, at the soonest.
        soonest: String,
        /// The same, at the latest.
        latest: String,
    }

    /// The pace of December 2021.
    ThenView {
        /// Tenths of a site.
        sites_per_hour_tenths: u64,
        /// When none of them would be dark (RFC 3339).
        none_dark: String,
    }

    /// How many sites stand in one phase of an incident.
    PhaseCount {
        /// Stable name of the phase.
        phase: String,
        /// How many sites.
        sites: u64,
    }

    /// How many sites are drawn in one state.
    StateCount {
        /// Stable name of the state.
        state: String,
        /// How many sites.
        sites: u64,
    }

    /// A part of a site that is to be closed.
    ClosedPart {
        /// Short name of the site.
        site: String,
        /// The part: `booking`, `@internet`, `@write`.
        part: String,
        /// Stable name of its state.
        state: String,
        /// Code of why it is not closed; empty where it is not to be, or is.
        why: String,
        /// Since when (RFC 3339).
        since: String,
    }

    /// A site whose fix is in service and not verified.
    Unverified {
        /// Its short name.
        site: String,
        /// Code of what stands in the way; empty where nothing is known to.
        why: String,
        /// What was asked and what came.
        detail: String,
    }

    /// What is clear, and stays dark or closed until a person says otherwise.
    Waiting {
        /// Sites, because too many others did not come back behind their edge, or behind the first
        /// ten edges.
        sites: u64,
        /// Sites that a plan left.
        left: u64,
        /// Parts of sites.
        parts: u64,
    }

    /// Every incident that is known, and those that nobody opened yet but a rule proposes.
    Incidents {
        /// The entry of the journal up to which all of it counts.
        entry: u64,
        /// By id.
        incidents: Vec<IncidentView>,
        /// The worst first.
        proposals: Vec<ProposalView>,
    }

    /// An incident that a rule proposes.
    ProposalView {
        /// The id under which the flaw is shown.
        advisory: String,
        /// One line about it, in the language of its source.
        summary: String,
        /// Highest CVSS base score, in tenths.
        score_tenths: Option<u64>,
        /// In a catalogue of known exploited vulnerabilities.
        known_exploited: bool,
        /// Sites that are affected.
        affected: u64,
        /// Sites that are perhaps affected.
        possible: u64,
        /// The records that it rests on: licences ask that they are named.
        records: Vec<RecordOf>,
    }

    /// A record of a source.
    RecordOf {
        /// Name of the source.
        source: String,
        /// Id of the record.
        id: String,
    }
}

fn reads_all(call: &Call) -> Result<(), Problem> {
    let reads = call.signed.account.reads(&Scope::root());
    if reads { Ok(()) } else { Err(Problem::role()) }
}

/// What incidents are counted over.
struct Grounds {
    entry: u64,
    sites: Vec<GateKey>,
    edges: BTreeMap<GateKey, String>,
    now: Timestamp,
}

impl Grounds {
    /// The journal is asked first: what is counted after it holds all of it.
    fn of(call: &Call) -> Result<Self, Problem> {
        let head = call.engine.store().journal_head();
        let (entry, _) = head.map_err(|error| Problem::engine(call.lang, &error.into()))?;
        let sites = call.engine.sites();
        let edges = sites.iter().map(|site| (site.slug.clone(), site.edge.clone())).collect();
        let sites = sites.into_iter().map(|site| site.slug).collect();
        Ok(Self { entry, sites, edges, now: call.engine.now() })
    }

    fn view(&self, id: &str, incident: &Incident) -> IncidentView {
        let counters = Counters::of(incident, &self.sites, self.now);
        let edge_of = |site: &GateKey| self.edges.get(site).map_or("", String::as_str);
        let phases = counters.phases.iter().map(|(phase, count)| PhaseCount {
            phase: phase.as_str().to_owned(),
            sites: *count as u64,
        });
        let states = counters.states.iter().map(|(state, count)| StateCount {
            state: state.as_str().to_owned(),
            sites: *count as u64,
        });
        let parts = incident.parts().values().filter(|part| part.is_at_work());
        IncidentView {
            id: id.to_owned(),
            title: incident.title.clone(),
            opened: rfc3339(incident.opened),
            closed: incident.closed,
            entry: self.entry,
            sites: self.sites.len() as u64,
            cases: incident.cases().len() as u64,
            phases: phases.collect(),
            states: states.collect(),
            exposed: counters.exposed as u64,
            closed_parts: parts.map(part_view).collect(),
            unverified: unverified(incident),
            held_back: incident.held_back().count() as u64,
            held_by_restore: incident.held_by_restore(self.now) as u64,
            waiting: Waiting {
                sites: Herds::of_sites(incident, edge_of).waiting() as u64,
                left: incident.left().count() as u64,
                parts: Herds::of_parts(incident, self.now, edge_of).waiting() as u64,
            },
            burn_down: burn_down(&incident.course),
        }
    }
}

fn burn_down(course: &Course) -> Option<BurnDownView> {
    let told = course.forecast()?;
    let pace = |pace: Foretold| PaceView {
        sites_per_hour_tenths: pace.per_hour_tenths,
        none_dark: rfc3339(pace.none_dark),
        soonest: rfc3339(pace.soonest),
        latest: rfc3339(pace.latest),
    };
    let then =
        |at| ThenView { sites_per_hour_tenths: THEN_PER_HOUR_TENTHS, none_dark: rfc3339(at) };
    Some(BurnDownView {
        dark: told.dark as u64,
        peak: told.peak as u64,
        peaked: rfc3339(told.peaked),
        last_return: told.last_return.map(rfc3339),
        pace: told.pace.map(pace),
        december_2021: told.then.map(then),
    })
}

fn part_view(part: &PartCase) -> ClosedPart {
    ClosedPart {
        site: part.name.site.to_string(),
        part: part.name.part.to_string(),
        state: part.state().to_owned(),
        why: part.why.clone(),
        since: rfc3339(part.since),
    }
}

fn unverified(incident: &Incident) -> Vec<Unverified> {
    let found = incident.cases().iter().filter_map(|(site, case)| {
        let (why, detail) = case.unverified()?;
        let (site, why, detail) = (site.to_string(), why.to_owned(), detail.to_owned());
        Some(Unverified { site, why, detail })
    });
    found.collect()
}

pub(super) fn incidents(call: &Call, _: Nothing) -> Result<Incidents, Problem> {
    reads_all(call)?;
    let grounds = Grounds::of(call)?;
    let ids: Vec<String> =
        call.engine.with_ledger(|ledger| ledger.incidents().map(|(id, _)| id.to_owned()).collect());
    // One look for each: every site of the register is counted in all that were ever opened, and
    // an order waits no longer than for one of them.
    let view = |id: &String| {
        call.engine.with_ledger(|ledger| Some(grounds.view(id, ledger.incident(id)?)))
    };
    let incidents = ids.iter().filter_map(view).collect();
    let rule = proposal_rule(call.engine.store());
    let rule = rule.map_err(|error| Problem::engine(call.lang, &error.into()))?;
    let proposals = call.engine.proposals(rule).into_iter().map(proposal).collect();
    Ok(Incidents { entry: grounds.entry, incidents, proposals })
}

fn proposal(it: Proposal) -> ProposalView {
    ProposalView {
        advisory: it.advisory,
        summary: it.summary,
        score_tenths: it.score.map(u64::from),
        known_exploited: it.known_exploited,
        affected: it.affected as u64,
        possible: it.possible as u64,
        records: it.records.into_iter().map(|(source, id)| RecordOf { source, id }).collect(),
    }
}

pub(super) fn incident(call: &Call, _: Nothing) -> Result<IncidentView, Problem> {
    reads_all(call)?;
    named(call, call.part("id"))
}

/// The incident about the advisory with this id.
pub(super) fn named(call: &Call, id: &str) -> Result<IncidentView, Problem> {
    let grounds = Grounds::of(call)?;
    let found = call.engine.with_incidents(|ledger, known| {
        let kept = ledger.about(known, id)?;
        Some(grounds.view(kept, ledger.incident(kept)?))
    });
    found.ok_or_else(|| {
        let lang = call.lang;
        let remedy = texts::no_such_incident_remedy(lang);
        Problem::missing(texts::no_such_incident(lang, id)).remedy(remedy)
    })
}
