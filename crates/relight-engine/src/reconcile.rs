//! One edge brought to what the journal wants: observe, close, prove, open, prove.
//!
//! Level-triggered: a round looks at the edge as it is, never at what an earlier round did, so a
//! crash, a lie or somebody else's reload only costs another round (INCIDENT 5).

use std::collections::{BTreeMap, BTreeSet};

use relight_edge::{
    CutsTunnels, EdgeDriver, EdgeError, EdgeErrorKind, GateSet, GateView, ProbeResult, ProbeTarget,
    Prober, Stage, TunnelCount,
};
use relight_model::{Epoch, GateKey, Light, Seen, Site};

use crate::incident::{Entry, Gate, Ledger, Phase};

/// A proof older than this is no proof, in milliseconds.
pub const PROOF_TTL_MS: i64 = 15_000;

/// A proof older than this is renewed, in milliseconds: well before it expires.
pub const PROOF_RENEW_MS: i64 = 5_000;

/// A proof older than this is renewed in the next round, however many there are, in milliseconds.
pub const PROOF_LATE_MS: i64 = 11_000;

/// Proofs renewed in one round before they are late; each costs a request, and a site that became
/// clear meanwhile waits for all of them.
pub const RENEWALS_MAX: usize = 100;

/// Dark that is not proven after this time counts as exposed, in milliseconds.
pub const DARK_PROOF_MAX_MS: i64 = 5_000;

/// A relight that is not proven after this time goes dark again, in milliseconds.
pub const LIT_PROOF_MAX_MS: i64 = 30_000;

/// Ordinary requests may finish this long after the gate closed, in milliseconds; then what is
/// still open is cut.
pub const TUNNEL_GRACE_MS: i64 = 2_000;

/// The key of the virtual host on which an edge is tried before sites are touched.
pub const CANARY_KEY: &str = "relight-canary";

/// The name of that virtual host (RFC 2606 reserves `.invalid`).
pub const CANARY_HOST: &str = "relight-canary.invalid";

/// Looks at an edge from outside, as a visitor would.
pub trait Eyes: Send {
    /// One result per target, in order; all listeners of the edge must agree.
    fn probe(&mut self, targets: &[ProbeTarget], nonce: u64) -> Vec<ProbeResult>;
}

/// Every public listener of an edge.
#[derive(Debug)]
pub struct Listeners(pub Vec<Prober>);

impl Eyes for Listeners {
    fn probe(&mut self, targets: &[ProbeTarget], nonce: u64) -> Vec<ProbeResult> {
        let mut seen: Option<Vec<ProbeResult>> = None;
        for prober in &mut self.0 {
            let here = prober.probe(targets, nonce);
            seen = Some(match seen {
                None => here,
                Some(before) => before.iter().zip(&here).map(|(a, b)| agree(*a, *b)).collect(),
            });
        }
        seen.unwrap_or_else(|| vec![ProbeResult::default(); targets.len()])
    }
}

fn agree(a: ProbeResult, b: ProbeResult) -> ProbeResult {
    if a.seen == b.seen { a } else { ProbeResult { seen: Seen::Unknown, ..b } }
}

/// What the journal wants of one site of the edge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Want {
    /// The site, under the name visitors use.
    pub target: ProbeTarget,
    /// What visitors must see.
    pub light: Light,
    /// What the journal last said about its gate.
    pub gate: Gate,
}

/// What the open incidents together want of the sites of one edge. Sites that none of them ever
/// touched, and sites that the register does not know, are not in it.
pub fn wants<'a>(
    ledger: &Ledger,
    edge: &str,
    site_of: impl Fn(&GateKey) -> Option<&'a Site>,
) -> Vec<Want> {
    let mut touched: BTreeSet<&GateKey> = BTreeSet::new();
    for (_, incident) in ledger.open() {
        let cases = incident.cases().iter();
        touched.extend(
            cases
                .filter(|(_, case)| {
                    case.ordered || !matches!(case.phase, Phase::Online | Phase::Exempt)
                })
                .map(|(key, _)| key),
        );
    }
    let sites = touched.into_iter().filter_map(site_of).filter(|site| site.edge == edge);
    sites.map(|site| want(ledger, site)).collect()
}

fn want(ledger: &Ledger, site: &Site) -> Want {
    let cases = || ledger.open().filter_map(|(_, incident)| incident.case(&site.slug));
    let gates = cases();
    // The worst gate of all incidents: what one of them has not seen proven is not proven.
    let gate = gates.map(|case| case.gate).max_by_key(|gate| gate_rank(*gate));
    Want {
        target: ProbeTarget {
            key: site.slug.clone(),
            host: site.host().to_owned(),
            baseline: cases().find_map(|case| case.baseline),
        },
        light: ledger.wants(&site.slug),
        gate: gate.unwrap_or(Gate::Open),
    }
}

const fn gate_rank(gate: Gate) -> u8 {
    match gate {
        Gate::Open => 0,
        Gate::Proven => 1,
        Gate::Failed => 2,
        Gate::Requested => 3,
    }
}

/// What one round saw and did.
#[derive(Debug, Default)]
pub struct Round {
    /// What to journal.
    pub entries: Vec<Entry>,
    /// Everything wanted is proven.
    pub settled: bool,
    /// More proofs want to be renewed soon.
    pub renewals_left: bool,
    /// What the canary showed when it was told to go dark, in the round that tried it.
    pub canary: Option<Seen>,
    /// What went wrong at the edge, if something did.
    pub error: Option<EdgeError>,
}

/// What one round is about, so far.
struct Turn<'a> {
    wants: &'a [Want],
    epoch: Epoch,
    now_ms: i64,
    permits: &'a dyn Fn(&GateKey) -> bool,
    views: Vec<GateView>,
    round: Round,
}

/// The loop of one edge: its driver, its eyes, and the proofs it has in hand.
pub struct EdgeLoop {
    name: String,
    driver: Box<dyn EdgeDriver>,
    eyes: Box<dyn Eyes>,
    proven_at: BTreeMap<GateKey, i64>,
    unproven_since: BTreeMap<GateKey, i64>,
    opening_since: BTreeMap<GateKey, i64>,
    closed_at: BTreeMap<GateKey, i64>,
    nonce: u64,
    canary_shown: bool,
    generation: u64,
}

impl EdgeLoop {
    /// A loop that knows nothing yet. `nonce` must differ between processes.
    pub fn new(name: &str, driver: Box<dyn EdgeDriver>, eyes: Box<dyn Eyes>, nonce: u64) -> Self {
        Self {
            name: name.to_owned(),
            driver,
            eyes,
            proven_at: BTreeMap::new(),
            unproven_since: BTreeMap::new(),
            opening_since: BTreeMap::new(),
            closed_at: BTreeMap::new(),
            nonce,
            canary_shown: false,
            generation: 0,
        }
    }

    /// The name of the edge.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether another process or configuration serves since the last call, which may have read an
    /// old copy of the gate; an edge that does not answer may be about to restart.
    pub fn took_over(&mut self) -> bool {
        match self.driver.generation() {
            Ok(generation) => std::mem::replace(&mut self.generation, generation) != generation,
            Err(_) => true,
        }
    }

    /// One round. `permits` is asked for each site at the instant before it is opened.
    pub fn round(
        &mut self,
        wants: &[Want],
        epoch: Epoch,
        now_ms: i64,
        permits: &dyn Fn(&GateKey) -> bool,
    ) -> Round {
        let (views, round) = (Vec::new(), Round::default());
        let mut turn = Turn { wants, epoch, now_ms, permits, views, round };
        if let Err(error) = self.try_round(&mut turn) {
            self.fail(&mut turn, &error);
            turn.round.error = Some(error);
        }
        let settled = turn.round.error.is_none() && self.is_settled(&turn);
        Round { settled, ..turn.round }
    }

    fn try_round(&mut self, turn: &mut Turn<'_>) -> Result<(), EdgeError> {
        let wants = turn.wants;
        let keys: Vec<GateKey> = wants.iter().map(|want| want.target.key.clone()).collect();
        self.forget_other_times(wants);
        turn.views = self.driver.observe(&keys)?;
        let opening = opening(wants, &turn.views);
        // A lit site that an old copy of the gate made dark again is opened by `open` alone.
        let mut held: GateSet = wants
            .iter()
            .zip(&turn.views)
            .filter(|(want, view)| {
                want.light == Light::Dark || (want.gate == Gate::Open && is_kept_shut(want, view))
            })
            .map(|(want, _)| want.target.key.clone())
            .collect();
        // One that is lit already is closed by an order of its own, the durable copy first.
        let shut_still = |index: &&usize| is_kept_shut(&wants[**index], &turn.views[**index]);
        held.extend(opening.iter().filter(shut_still).map(|index| keys[*index].clone()));
        let mut all = wants.iter().zip(&turn.views);
        let is_open = all.any(|(want, view)| want.light == Light::Dark && !shut(view));
        let mut trouble = None;
        if is_open || is_of_an_older_term(turn.epoch, &turn.views) {
            let effect = if is_open {
                self.close(turn, &held)
            } else {
                // From here on the controller of before is fenced off (INCIDENT 6).
                self.driver.apply(turn.epoch, Stage::Durable, &held)
            };
            trouble = effect.err();
            if trouble.as_ref().is_some_and(|error| error.kind == EdgeErrorKind::Fenced) {
                return trouble.map_or(Ok(()), Err);
            }
            turn.views = self.driver.observe(&keys)?;
        }
        // Connections that cannot be counted or cut leave their sites unproven and nobody waiting.
        let uncounted = self.prove_dark(turn).err();
        self.watch_lit(turn);
        self.open(turn, &opening, held)?;
        trouble.or(uncounted).map_or(Ok(()), Err)
    }

    /// Times run while the same light is wanted: an earlier closing or opening is another one.
    fn forget_other_times(&mut self, wants: &[Want]) {
        let is_wanted = |light: Light| {
            let wanted = wants.iter().filter(move |want| want.light == light);
            wanted.map(|want| &want.target.key).collect::<BTreeSet<&GateKey>>()
        };
        let (dark, lit) = (is_wanted(Light::Dark), is_wanted(Light::Lit));
        self.unproven_since.retain(|key, _| dark.contains(key));
        self.closed_at.retain(|key, _| dark.contains(key));
        self.opening_since.retain(|key, _| lit.contains(key));
    }

    /// Durable copy first, then runtime: a crash in between falls to dark.
    fn close(&mut self, turn: &mut Turn<'_>, held: &GateSet) -> Result<(), EdgeError> {
        if !self.canary_shown {
            self.canary_shown = true;
            turn.round.canary = Some(self.show_canary(turn).unwrap_or_default());
        }
        self.driver.apply(turn.epoch, Stage::Durable, held)?;
        self.driver.apply(turn.epoch, Stage::Runtime, held)?;
        for key in held {
            self.closed_at.entry(key.clone()).or_insert(turn.now_ms);
        }
        Ok(())
    }

    /// Closes the canary beside what is dark already, so that permissions, a wrong instance or a
    /// disabled gate show before a site is touched. A canary that does not close is reported; it
    /// is no reason to leave sites lit, and each of them is proven for itself.
    fn show_canary(&mut self, turn: &Turn<'_>) -> Result<Seen, EdgeError> {
        let Ok(key) = GateKey::new(CANARY_KEY) else { return Ok(Seen::Unknown) };
        let mut dark: GateSet = turn
            .wants
            .iter()
            .zip(&turn.views)
            .filter(|(want, view)| is_kept_shut(want, view))
            .map(|(want, _)| want.target.key.clone())
            .collect();
        dark.insert(key.clone());
        self.driver.apply(turn.epoch, Stage::Durable, &dark)?;
        self.driver.apply(turn.epoch, Stage::Runtime, &dark)?;
        let target = ProbeTarget { key, host: CANARY_HOST.to_owned(), baseline: None };
        self.nonce = self.nonce.wrapping_add(1);
        let seen = self.eyes.probe(&[target], self.nonce);
        Ok(seen.first().map_or(Seen::Unknown, |result| result.seen))
    }

    fn prove_dark(&mut self, turn: &mut Turn<'_>) -> Result<(), EdgeError> {
        let (wants, now_ms) = (turn.wants, turn.now_ms);
        let due = self.due(turn);
        let (busy, trouble) = self.busy(turn, &due);
        let targets: Vec<ProbeTarget> =
            due.iter().map(|index| wants[*index].target.clone()).collect();
        self.nonce = self.nonce.wrapping_add(1);
        let seen = self.eyes.probe(&targets, self.nonce);
        let (mut proved, mut drifted, mut failed) = (Vec::new(), Vec::new(), Vec::new());
        for (index, result) in due.into_iter().zip(seen) {
            let (want, view) = (&wants[index], &turn.views[index]);
            let key = &want.target.key;
            if shut(view) && result.seen == Seen::Dark && !busy.contains(key) {
                self.proven_at.insert(key.clone(), now_ms);
                self.unproven_since.remove(key);
                if want.gate != Gate::Proven {
                    proved.push(key.clone());
                }
                continue;
            }
            let old = !self.is_fresh(key, now_ms);
            let contradicted = result.seen == Seen::Lit || !shut(view);
            if contradicted {
                self.proven_at.remove(key);
            }
            if want.gate == Gate::Proven && (contradicted || old) {
                drifted.push(key.clone());
            }
            if self.is_overdue(want, now_ms) {
                failed.push(key.clone());
            }
        }
        let (edge, epoch) = (&self.name, turn.epoch);
        let entries = &mut turn.round.entries;
        push(entries, proved, |sites| Entry::Proved {
            sites,
            light: Light::Dark,
            edge: edge.clone(),
            epoch,
        });
        push(entries, drifted, |sites| Entry::Drifted {
            sites,
            edge: edge.clone(),
            what: "dark-not-seen".to_owned(),
        });
        push(entries, failed, |sites| Entry::EdgeFailed {
            sites,
            edge: edge.clone(),
            why: "probe-disagrees".to_owned(),
        });
        trouble.map_or(Ok(()), Err)
    }

    fn is_fresh(&self, key: &GateKey, now_ms: i64) -> bool {
        self.is_younger(key, now_ms, PROOF_TTL_MS)
    }

    /// A proof from the future is none: the clock was set back, and it would stay fresh too long.
    fn is_younger(&self, key: &GateKey, now_ms: i64, age_max_ms: i64) -> bool {
        self.proven_at.get(key).is_some_and(|at| (0..age_max_ms).contains(&(now_ms - at)))
    }

    /// True when dark was wanted for too long without a proof and nobody was told yet.
    fn is_overdue(&mut self, want: &Want, now_ms: i64) -> bool {
        let since = *self.unproven_since.entry(want.target.key.clone()).or_insert(now_ms);
        want.gate == Gate::Requested && now_ms - since >= DARK_PROOF_MAX_MS
    }

    /// Sites to prove dark in this round: all that are not proven, or not any more, and of those
    /// whose proof is only to be renewed a few, so that nobody who waits for a light waits long.
    fn due(&self, turn: &mut Turn<'_>) -> Vec<usize> {
        let (mut due, mut old) = (Vec::new(), Vec::new());
        for (index, (want, view)) in turn.wants.iter().zip(&turn.views).enumerate() {
            let key = &want.target.key;
            if want.light == Light::Lit || self.is_younger(key, turn.now_ms, PROOF_RENEW_MS) {
                if want.light == Light::Dark && (want.gate != Gate::Proven || !shut(view)) {
                    due.push(index);
                }
                continue;
            }
            let is_late = !self.is_younger(key, turn.now_ms, PROOF_LATE_MS);
            if want.gate != Gate::Proven || !shut(view) || is_late {
                due.push(index);
            } else {
                old.push((self.proven_at.get(key), index));
            }
        }
        old.sort_unstable();
        turn.round.renewals_left = old.len() > RENEWALS_MAX;
        due.extend(old.into_iter().take(RENEWALS_MAX).map(|(_, index)| index));
        due
    }

    /// Sites with connections still open behind the closed gate. After the grace they are cut;
    /// until the count is 0 the site is not proven dark, and neither is one that was not counted.
    fn busy(&mut self, turn: &Turn<'_>, due: &[usize]) -> (BTreeSet<GateKey>, Option<EdgeError>) {
        if self.driver.capabilities().cuts_tunnels != CutsTunnels::Driver || due.is_empty() {
            return (BTreeSet::new(), None);
        }
        let due: BTreeSet<GateKey> =
            due.iter().map(|i| turn.wants[*i].target.key.clone()).collect();
        // All dark sites are counted together: two of them may share an origin.
        let dark = turn.wants.iter().filter(|want| want.light == Light::Dark);
        let keys: Vec<GateKey> = dark.map(|want| want.target.key.clone()).collect();
        let counts = match self.driver.tunnels(&keys) {
            Ok(counts) => counts,
            Err(error) => return (due, Some(error)),
        };
        let mut busy = BTreeSet::new();
        let mut cut = Vec::new();
        for (key, count) in keys.into_iter().zip(counts) {
            // The canary is answered by the edge itself: behind it there is nothing to count.
            let is_free = matches!(count, TunnelCount::Open(0) | TunnelCount::ClosedByDataPlane);
            if is_free || key.as_str() == CANARY_KEY || !due.contains(&key) {
                continue;
            }
            let closed = *self.closed_at.entry(key.clone()).or_insert(turn.now_ms);
            // Whose they are nobody knows, so none is cut: a person says which origin is whose.
            if count != TunnelCount::Unknown && turn.now_ms - closed >= TUNNEL_GRACE_MS {
                cut.push(key.clone());
            }
            busy.insert(key);
        }
        let is_cut = if cut.is_empty() { Ok(()) } else { self.driver.cut(turn.epoch, &cut) };
        (busy, is_cut.err())
    }

    /// Runtime first, then proof, then the durable copy: a crash in between falls to dark.
    fn open(
        &mut self,
        turn: &mut Turn<'_>,
        opening: &[usize],
        mut held: GateSet,
    ) -> Result<(), EdgeError> {
        let (mut targets, mut stopped) = (Vec::new(), Vec::new());
        for &index in opening {
            let key = &turn.wants[index].target.key;
            let since = *self.opening_since.entry(key.clone()).or_insert(turn.now_ms);
            if (turn.permits)(key) && turn.now_ms - since < LIT_PROOF_MAX_MS {
                held.remove(key);
                self.proven_at.remove(key);
                targets.push(turn.wants[index].target.clone());
            } else {
                self.opening_since.remove(key);
                stopped.push(key.clone());
            }
        }
        push(&mut turn.round.entries, stopped, |sites| Entry::RelightStopped {
            sites,
            why: "not-permitted-or-not-proven".to_owned(),
        });
        if targets.is_empty() {
            return Ok(());
        }
        let changed: GateSet = targets.iter().map(|target| target.key.clone()).collect();
        self.driver.apply_changes(turn.epoch, Stage::Runtime, &held, &changed)?;
        let lit = self.see_lit(&targets);
        let unseen = targets.into_iter().map(|target| target.key).filter(|key| !lit.contains(key));
        held.extend(unseen);
        self.driver.apply_changes(turn.epoch, Stage::Durable, &held, &lit)?;
        let keys: Vec<GateKey> = lit.into_iter().collect();
        let views = self.driver.observe(&keys)?;
        let open: Vec<GateKey> = keys
            .into_iter()
            .zip(views)
            .filter(|(_, view)| view.durable == Seen::Lit && view.runtime == Seen::Lit)
            .map(|(key, _)| key)
            .collect();
        for key in &open {
            self.opening_since.remove(key);
        }
        let (edge, epoch) = (self.name.clone(), turn.epoch);
        push(&mut turn.round.entries, open, |sites| Entry::Proved {
            sites,
            light: Light::Lit,
            edge,
            epoch,
        });
        Ok(())
    }

    /// Lit twice in a row, on every listener.
    fn see_lit(&mut self, targets: &[ProbeTarget]) -> BTreeSet<GateKey> {
        let mut lit: BTreeSet<GateKey> = targets.iter().map(|target| target.key.clone()).collect();
        for _ in 0..2 {
            self.nonce = self.nonce.wrapping_add(1);
            for (target, result) in targets.iter().zip(self.eyes.probe(targets, self.nonce)) {
                if result.seen != Seen::Lit {
                    lit.remove(&target.key);
                }
            }
        }
        lit
    }

    /// A relit site that an edge holds dark again, not by a person's hand, is opened again.
    fn watch_lit(&self, turn: &mut Turn<'_>) {
        let drifted: Vec<GateKey> = turn
            .wants
            .iter()
            .zip(&turn.views)
            .filter(|(want, view)| {
                want.light == Light::Lit
                    && want.gate == Gate::Open
                    && view.runtime == Seen::Dark
                    && !view.foreign
            })
            .map(|(want, _)| want.target.key.clone())
            .collect();
        let edge = self.name.clone();
        push(&mut turn.round.entries, drifted, |sites| Entry::Drifted {
            sites,
            edge,
            what: "lit-not-seen".to_owned(),
        });
    }

    /// After an error nothing is known: what was proven stays proven only while it is fresh.
    fn fail(&mut self, turn: &mut Turn<'_>, error: &EdgeError) {
        let (mut failed, mut expired) = (Vec::new(), Vec::new());
        for want in turn.wants.iter().filter(|want| want.light == Light::Dark) {
            let key = &want.target.key;
            if want.gate == Gate::Proven && !self.is_fresh(key, turn.now_ms) {
                expired.push(key.clone());
            }
            if !self.is_fresh(key, turn.now_ms) && self.is_overdue(want, turn.now_ms) {
                failed.push(key.clone());
            }
        }
        let (edge, why) = (&self.name, error.kind.code());
        push(&mut turn.round.entries, expired, |sites| Entry::Drifted {
            sites,
            edge: edge.clone(),
            what: "proof-expired".to_owned(),
        });
        push(&mut turn.round.entries, failed, |sites| Entry::EdgeFailed {
            sites,
            edge: edge.clone(),
            why: why.to_owned(),
        });
    }

    fn is_settled(&self, turn: &Turn<'_>) -> bool {
        let mut lit_now = BTreeSet::new();
        for entry in &turn.round.entries {
            match entry {
                Entry::Proved { light: Light::Lit, sites, .. } => lit_now.extend(sites),
                Entry::Drifted { .. } | Entry::RelightStopped { .. } => return false,
                _ => {}
            }
        }
        // A foreign dark entry waits for a person, not for the next round.
        let mut all = turn.wants.iter().zip(&turn.views);
        all.all(|(want, view)| match want.light {
            Light::Dark => self.is_fresh(&want.target.key, turn.now_ms),
            Light::Lit if lit_now.contains(&want.target.key) => true,
            Light::Lit => want.gate == Gate::Open && (view.foreign || view.runtime == Seen::Lit),
        })
    }
}

/// Indices of the sites that are wanted lit and are not seen lit yet.
fn opening(wants: &[Want], views: &[GateView]) -> Vec<usize> {
    (0..wants.len())
        .filter(|&index| {
            let (want, view) = (&wants[index], &views[index]);
            want.light == Light::Lit && want.gate != Gate::Open && !view.foreign
        })
        .collect()
}

/// True for a site that an effect about other sites must leave dark: it is dark, or it should be
/// and nobody can tell.
fn is_kept_shut(want: &Want, view: &GateView) -> bool {
    if want.gate == Gate::Open {
        return view.runtime == Seen::Dark && !view.foreign;
    }
    view.durable != Seen::Lit || view.runtime != Seen::Lit
}

fn is_of_an_older_term(epoch: Epoch, views: &[GateView]) -> bool {
    views.iter().any(|view| view.epoch.is_some_and(|seen| seen.term < epoch.term))
}

fn shut(view: &GateView) -> bool {
    view.durable == Seen::Dark && view.runtime == Seen::Dark
}

fn push(entries: &mut Vec<Entry>, sites: Vec<GateKey>, make: impl FnOnce(Vec<GateKey>) -> Entry) {
    if !sites.is_empty() {
        entries.push(make(sites));
    }
}
