//! The exposure ledger: for how long each site of an incident was dark, and for how long it was
//! exposed. A view of the journal (INCIDENT Q14).

use std::collections::BTreeMap;

use relight_model::{GateKey, Light, Timestamp, Verdict};
use relight_store::Store;

use crate::engine::replay_each;
use crate::error::EngineError;
use crate::incident::{Case, Entry, Evidence, Gate, Incident, Ledger, Phase, is_exposed};
use crate::looked::{Looks, PROOF_TTL_S};

/// One site in one incident, over its whole time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exposure {
    /// The site.
    pub site: GateKey,
    /// Where it stands.
    pub phase: Phase,
    /// It was affected at some time.
    pub was_affected: bool,
    /// A verified fix is in service.
    pub fixed: bool,
    /// It should be dark, and waits for a person.
    pub is_held: bool,
    /// Where the component was found, in the last evidence that called it affected.
    pub found: Vec<String>,
    /// Package URLs of what was affected, in the same evidence.
    pub components: Vec<String>,
    /// What is known of it last, if anything.
    pub evidence: Option<Evidence>,
    /// A control stands in front of it.
    pub is_mitigated: bool,
    /// Until when two people answer for it, where no evidence calls it clear.
    pub accepted_until: Option<Timestamp>,
    /// The journal's last word is that its gate was proven closed. Whether anybody has looked since
    /// is told elsewhere.
    pub is_proven: bool,
    /// When it was first ordered dark.
    pub ordered_at: Option<Timestamp>,
    /// When it was last proven lit again.
    pub relit_at: Option<Timestamp>,
    /// Proven dark, in seconds.
    pub dark_s: i64,
    /// Dark was wanted without proof, or it was lit in scope without current evidence, in seconds.
    pub exposed_s: i64,
}

impl Exposure {
    /// What was done about the site, as a code: the column "action taken" of a report.
    pub fn action(&self) -> &'static str {
        if self.phase.wants() == Light::Dark {
            return match self.phase {
                Phase::Mitigated => "mitigated",
                _ if self.is_proven => "removed-from-network",
                _ => "removal-not-proven",
            };
        }
        match self.evidence.as_ref().map(|evidence| evidence.verdict) {
            _ if self.is_held => "left-online",
            _ if self.accepted_until.is_some() && self.is_mitigated => "mitigated-risk-accepted",
            _ if self.accepted_until.is_some() => "risk-accepted",
            _ if self.fixed => "updated",
            Some(Verdict::Clear) if self.was_affected => "not-affected-any-more",
            _ if self.phase == Phase::Exempt => "exempt",
            Some(Verdict::Clear) => "none-needed",
            Some(Verdict::Affected) => "left-online",
            None | Some(Verdict::Unknown) if self.was_affected => "left-online",
            None | Some(Verdict::Unknown) => "not-examined",
        }
    }
}

impl Exposure {
    /// What its case says at the end; `is_on_paper` where people answer for it, and no evidence.
    fn stand(&mut self, case: &Case, is_on_paper: bool) {
        self.evidence.clone_from(&case.evidence);
        self.is_mitigated = case.mitigation.is_some();
        let accepted = case.grant.as_ref().filter(|_| is_on_paper);
        self.accepted_until = accepted.map(|grant| grant.expires);
        self.is_proven = is_proven_dark(case);
    }
}

fn is_proven_dark(case: &Case) -> bool {
    case.gate == Gate::Proven && case.phase.wants() == Light::Dark
}

#[derive(Clone, Debug)]
struct Track {
    since: Timestamp,
    is_dark: bool,
    is_exposed: bool,
    /// When what allows the site to be lit ends, without anybody writing a word.
    bare_at: Option<Timestamp>,
    /// When it was last proven dark.
    proved_at: Timestamp,
    row: Exposure,
}

/// The exposure of every site that has a case in this incident, by gate key.
///
/// # Errors
/// The store cannot be read, or the journal does not replay.
pub fn exposures(store: &Store, id: &str, now: Timestamp) -> Result<Vec<Exposure>, EngineError> {
    let mut tracks: BTreeMap<GateKey, Track> = BTreeMap::new();
    let (ledger, _) = replay_each(store, |ledger, (incident, entry, at)| {
        // A matcher is of no incident, and evidence of another one allows nothing.
        if incident == id || matches!(entry, Entry::MatcherRuns { .. }) {
            follow(&mut tracks, at, id, entry, ledger);
        }
    })?;
    let looks = Looks::of(store, &ledger, now)?;
    let edges: BTreeMap<GateKey, String> =
        store.sites()?.into_iter().map(|site| (site.slug, site.edge)).collect();
    let incident = ledger.incident(id);
    let finish = |(site, mut track): (GateKey, Track)| {
        let edge = edges.get(&site).filter(|edge| !looks.is_seen(edge, now));
        if let Some(edge) = edge {
            track.end_proof(looks.at(edge).unwrap_or(Timestamp::MIN), now);
        }
        track.pass(now);
        if let Some((incident, case)) = incident.and_then(|it| Some((it, it.case(&site)?))) {
            track.row.stand(case, incident.is_on_paper(case, now));
        }
        track.row
    };
    Ok(tracks.into_iter().map(finish).collect())
}

/// Takes in one entry: the sites that it names, or all when it may change what each of them may.
fn follow(
    tracks: &mut BTreeMap<GateKey, Track>,
    at: Timestamp,
    id: &str,
    entry: &Entry,
    ledger: &Ledger,
) {
    let Some(incident) = ledger.incident(id) else { return };
    let sites = match entry {
        Entry::Revised { .. } | Entry::Closed { .. } | Entry::MatcherRuns { .. } => {
            incident.cases().keys().cloned().collect()
        }
        entry => entry.sites(),
    };
    for site in sites {
        let Some(case) = incident.case(&site) else { continue };
        let track = tracks.entry(site.clone()).or_insert_with(|| Track::new(&site, at));
        match entry {
            Entry::Drifted { since: Some(since), .. } => track.end_proof(*since, at),
            Entry::Proved { light: Light::Dark, .. } => track.proved_at = at,
            _ => {}
        }
        track.pass(at);
        track.is_exposed = !incident.closed && is_exposed(incident, &site, at);
        track.bare_at = bare_at(incident, &site, case, at).filter(|_| !track.is_exposed);
        track.look(at, case);
    }
}

/// The first instant at which a site is exposed because something ended that allowed it to be lit.
fn bare_at(incident: &Incident, site: &GateKey, case: &Case, at: Timestamp) -> Option<Timestamp> {
    let evidence = case.evidence.as_ref().map(|evidence| evidence.expires_at);
    let grant = case.grant.as_ref().map(|grant| grant.expires);
    let ends = evidence.into_iter().chain(grant).filter(|end| *end > at && !incident.closed);
    ends.filter(|end| is_exposed(incident, site, *end)).min()
}

impl Track {
    fn new(site: &GateKey, at: Timestamp) -> Self {
        let row = Exposure {
            site: site.clone(),
            phase: Phase::Online,
            was_affected: false,
            fixed: false,
            is_held: false,
            found: Vec::new(),
            components: Vec::new(),
            evidence: None,
            is_mitigated: false,
            accepted_until: None,
            is_proven: false,
            ordered_at: None,
            relit_at: None,
            dark_s: 0,
            exposed_s: 0,
        };
        let (is_dark, is_exposed, bare_at, proved_at) = (false, false, None, Timestamp::MIN);
        Self { since: at, is_dark, is_exposed, bare_at, proved_at, row }
    }

    /// Nobody looked from then on: what was proven dark was so for as long as a proof lasts, and
    /// after that it is exposed.
    fn end_proof(&mut self, looked: Timestamp, to: Timestamp) {
        let end = looked.max(self.proved_at).saturating_add(PROOF_TTL_S);
        if self.is_dark && end < to {
            self.pass(end);
            (self.is_dark, self.is_exposed, self.bare_at) = (false, true, None);
        }
    }

    /// A clock that was set back adds nothing.
    fn pass(&mut self, to: Timestamp) {
        let passed = (to - self.since).max(0);
        self.row.dark_s += if self.is_dark { passed } else { 0 };
        let bare = self.bare_at.map_or(0, |end| (to - end.max(self.since)).max(0));
        self.row.exposed_s += if self.is_exposed { passed } else { bare };
        self.since = self.since.max(to);
    }

    fn look(&mut self, at: Timestamp, case: &Case) {
        let row = &mut self.row;
        if case.ordered && row.ordered_at.is_none() {
            row.ordered_at = Some(at);
        }
        if case.phase == Phase::RelitProven && row.phase != Phase::RelitProven {
            row.relit_at = Some(at);
        }
        let affected = case.evidence.as_ref().filter(|it| it.verdict == Verdict::Affected);
        if let Some(evidence) = affected {
            row.was_affected = true;
            row.found.clone_from(&evidence.found);
            row.components.clone_from(&evidence.components);
        }
        (row.phase, row.fixed, row.is_held) = (case.phase, case.fixed, case.held_back.is_some());
        // The proof of before says nothing of a site that is being opened.
        self.is_dark = is_proven_dark(case);
    }
}
