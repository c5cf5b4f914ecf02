//! What visitors and the origin say against the journal: nobody reaches a site that is proven dark,
//! and none comes back that the journal, read in other words than the engine's, does not let.

use std::sync::atomic::Ordering;

use relight_engine::edge::http::{Client, Response};
use relight_engine::edge::probe::GATE_HEADER;
use relight_engine::incident::{Entry, Gate};
use relight_engine::reconcile::PROOF_TTL_MS;
use relight_engine::store::Store;
use relight_model::{Light, Seen, Timestamp};

use crate::oracle::Oracle;
use crate::origin::{Counts, STARTED};

use super::{Incident, SITES, Stand, clock, host, key};

/// Why proofs of before say nothing of what visitors see, until the engine had to notice.
#[derive(Clone, Copy, Default)]
pub(super) struct Stale {
    /// Somebody started the edge without our gate at this time, in milliseconds.
    pub(super) foreign_since: Option<i64>,
    /// The journal is an older copy.
    pub(super) is_copy: bool,
}

impl Stale {
    /// What is left of it after a round that saw the edge and was journalled.
    pub(super) fn after_round(self) -> Self {
        let is_fresh = |since: &i64| (clock() - since).abs() < PROOF_TTL_MS;
        Self { foreign_since: self.foreign_since.filter(is_fresh), is_copy: false }
    }

    const fn is_any(self) -> bool {
        self.foreign_since.is_some() || self.is_copy
    }
}

/// Connections that visitors keep from step to step, over reloads and crashes; one for each site.
#[derive(Default)]
pub(crate) struct Visitors(pub(crate) [Option<Client>; SITES]);

impl Visitors {
    /// What the visitor of a site sees on the connection that is there, or on a new one.
    fn see(&mut self, edge: &impl Stand, site: usize, started: u64) -> Seen {
        let kept = self.0[site].take();
        let visited = kept.and_then(|client| visit(client, site, started)).or_else(|| {
            let client = Client::connect(edge.listener()).ok()?;
            visit(client, site, started)
        });
        let Some((client, answer)) = visited else { return Seen::Unknown };
        self.0[site] = client.is_open().then_some(client);
        meaning(&answer)
    }
}

fn visit(mut client: Client, site: usize, started: u64) -> Option<(Client, Response)> {
    let started = started.to_string();
    let answer = client.request("GET", &host(site), "/", &[(STARTED, &started)]).ok()?;
    Some((client, answer))
}

fn meaning(answer: &Response) -> Seen {
    match answer.status {
        503 if answer.header(GATE_HEADER).is_some() => Seen::Dark,
        200 => Seen::Lit,
        _ => Seen::Unknown,
    }
}

impl<S: Stand> Incident<S> {
    /// What a new visitor of a site sees.
    pub(super) fn seen(&self, site: usize) -> Seen {
        Visitors::default().see(&self.edge, site, self.counts().now())
    }

    /// The log of the origin behind everything.
    fn counts(&self) -> &Counts {
        self.wall.as_ref().unwrap_or(&self.edge).counts()
    }

    /// Visitors of every site, new ones and those who stayed: an error when the journal calls one
    /// proven dark that somebody gets to see, or of which anything reaches the origin. Nothing else
    /// acts meanwhile, so the journal says the same before and after.
    pub(super) fn check_proofs(&mut self) -> Result<(), String> {
        let mut visitors = std::mem::take(&mut self.visitors);
        let checked = self.check_with(&mut visitors);
        self.visitors = visitors;
        // A visitor who waits no longer may still reach the origin when the site is lit again.
        (0..SITES).for_each(|site| self.counts().may_be_lit(site));
        checked
    }

    fn check_with(&self, visitors: &mut Visitors) -> Result<(), String> {
        let proven = self.proven();
        let counts = self.counts();
        proven.iter().for_each(|site| counts.proven_dark(*site));
        for site in 0..SITES {
            let before = counts.leaked.load(Ordering::SeqCst);
            let fresh = self.seen(site);
            let kept = visitors.see(&self.edge, site, counts.now());
            if !proven.contains(&site) {
                continue;
            }
            if counts.leaked.load(Ordering::SeqCst) > before {
                return Err(format!("{} is proven dark and its origin was asked", key(site)));
            }
            for (seen, who) in [(fresh, "a new visitor"), (kept, "one who stayed")] {
                if seen == Seen::Lit {
                    return Err(format!("{} is proven dark and {who} sees it lit", key(site)));
                }
            }
        }
        Ok(())
    }

    /// The sites that the journal calls dark and proven so, if its proofs say anything now.
    fn proven(&self) -> Vec<usize> {
        if self.stale.is_any() {
            return Vec::new();
        }
        let wants = self.wants();
        let is_proven = |site: &usize| {
            let of_site = wants.iter().find(|want| want.target.key == key(*site));
            of_site.is_some_and(|want| want.light == Light::Dark && want.gate == Gate::Proven)
        };
        (0..SITES).filter(is_proven).collect()
    }

    /// What the journal says against a site that came back.
    pub(super) fn rash(&self, site: usize) -> Option<String> {
        let cleared = oracle(self.engine.store()).cleared(&key(site), self.engine.now());
        cleared.err().map(|why| format!("{} came back: {why}", key(site)))
    }
}

/// The journal as the oracle of the simulator reads it.
fn oracle(store: &Store) -> Oracle {
    let mut oracle = Oracle::default();
    let lines: Vec<(Timestamp, String, Entry)> = store
        .journal(1)
        .unwrap()
        .into_iter()
        .map(|it| (it.time, it.incident, Entry::from_body(&it.body).unwrap()))
        .collect();
    // The matcher that ran from the start is said with what it found.
    let first = lines.iter().find_map(|(.., entry)| match entry {
        Entry::EvidenceAttached { evidence } => Some(evidence.matcher_revision),
        _ => None,
    });
    if let Some(revision) = first {
        oracle.read(Timestamp::default(), "", &Entry::MatcherRuns { revision });
    }
    for (at, incident, entry) in &lines {
        oracle.read(*at, incident, entry);
    }
    oracle
}
