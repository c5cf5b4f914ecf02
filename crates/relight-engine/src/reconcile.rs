//! One edge brought to what the journal wants: observe, close, prove, open, prove.
//!
//! Level-triggered: a round looks at the edge as it is, never at what an earlier round did, so a
//! crash, a lie or somebody else's reload only costs another round (INCIDENT 5).

mod barrier;
mod canary;
mod dark;
mod eyes;
mod fight;
mod grace;
mod lit;
mod names;
mod overtaken;
mod ready;
mod silence;
mod spelled;
mod turn;
mod unasked;
mod wanted;

use std::collections::{BTreeMap, BTreeSet};

pub use relight_edge::config::{CANARY_HOST, CANARY_KEY};
use relight_edge::{
    EdgeDriver, EdgeError, EdgeErrorKind, GateSet, GateView, Overtaken, Stage, Untried,
};
use relight_model::{Epoch, GateKey, Light, Seen};

use crate::incident::{Entry, Gate, PROOF_EXPIRED};

use barrier::Barrier;
pub use barrier::{BARRIER, BARRIER_AGAIN_MS, BARRIER_SILENT_MS_MAX, BARRIER_WAIT_MAX};
use dark::Proof;
pub use eyes::{Asking, Eyes, Hurry, Listeners};
use fight::Fight;
pub use fight::{FIGHT_DRIFTS, FIGHT_QUIET_MS, FIGHT_WINDOW_MS, REWRITE_MS_MAX, REWRITE_MS_MIN};
pub use grace::{GRACE, GRACE_S_MAX, HARD, grace_ms};
use lit::stop;
use overtaken::is_of_an_older_term;
pub use ready::READY_AGAIN_MS;
use ready::Ready;
pub use silence::{AGAIN_MS_MAX, AGAIN_MS_MIN};
use spelled::Spellings;
pub use spelled::{
    SPELL_AFTER_MS, SPELL_AGAIN_MS, SPELL_EVERY_MS, SPELL_MAX, SPELLED_NAMES_MAX, SPELLED_SITES_MAX,
};
use turn::{Turn, since};
pub use unasked::{DARK_UNASKED, dark_unasked, unexplained};
use wanted::opening;
pub use wanted::{Want, wants};

/// A proof older than this is no proof, in milliseconds.
pub const PROOF_TTL_MS: i64 = 15_000;

/// A proof older than this is renewed, in milliseconds: well before it expires.
pub const PROOF_RENEW_MS: i64 = 5_000;

/// A proof older than this is renewed in the next round, however many there are, in milliseconds.
pub const PROOF_LATE_MS: i64 = 11_000;

/// Requests for proofs that one round renews before they are late, one for each name of a site; a
/// site that became clear meanwhile waits for all of them.
pub const RENEWALS_MAX: usize = 100;

/// Dark that is not proven after this time counts as exposed, in milliseconds.
pub const DARK_PROOF_MAX_MS: i64 = 5_000;

/// A relight that is not proven after this time goes dark again, in milliseconds.
pub const LIT_PROOF_MAX_MS: i64 = 30_000;

/// Ordinary requests may finish this long after the gate closed, in milliseconds; then what is
/// still open is cut. The setting [`GRACE`] of an edge says otherwise.
pub const TUNNEL_GRACE_MS: i64 = 10_000;

/// An edge in rest is tried on its canary this often, in milliseconds.
pub const CANARY_EVERY_MS: i64 = 3_600_000;

/// One whose canary failed, or that could not be opened, is tried again this often, in
/// milliseconds.
pub const CANARY_AGAIN_MS: i64 = 60_000;

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
    /// The edge did not do as it was told, or did not answer: it is asked again after so long, in
    /// milliseconds, unless another light is wanted before.
    pub again_ms: Option<i64>,
    /// The edge answered what it shows.
    pub is_seen: bool,
}

/// The loop of one edge: its driver, its eyes, and the proofs it has in hand.
pub struct EdgeLoop {
    name: String,
    driver: Box<dyn EdgeDriver>,
    eyes: Box<dyn Eyes>,
    hurry: Option<Hurry>,
    proofs: BTreeMap<GateKey, Proof>,
    /// The last proof that the round before tried to renew.
    renewed_to: Option<(i64, GateKey)>,
    unproven_since: BTreeMap<GateKey, i64>,
    opening_since: BTreeMap<GateKey, i64>,
    closed_at: BTreeMap<GateKey, i64>,
    found_shut: GateSet,
    /// Dark, and nobody asked for it here: no effect opens these.
    unasked: GateSet,
    /// One of these is not seen dark in the durable copy.
    has_loose: bool,
    fight: Fight,
    spellings: Spellings,
    /// When it began not to answer, or not to do as it is told.
    silent_since: Option<i64>,
    nonce: u64,
    grace_ms: i64,
    canary_shown: bool,
    ready: Ready,
    /// What holds sites that this edge cannot prove dark.
    barrier: Option<Barrier>,
    /// When it was tried last; since the first look before that.
    canary_at: Option<i64>,
    /// It did not do as it was told then.
    canary_failed: bool,
    /// What the drill could not try that it passed: of the rest, what is only declared of it may be
    /// believed.
    drilled: Option<Untried>,
    /// Nothing is opened yet, and what is open stays so: nobody can tell what may be.
    is_holding: bool,
    overtaken: Overtaken,
    /// Which process served when that was asked last.
    generation: u64,
}

impl EdgeLoop {
    /// A loop that knows nothing yet. `nonce` must differ between processes.
    pub fn new(name: &str, driver: Box<dyn EdgeDriver>, eyes: Box<dyn Eyes>, nonce: u64) -> Self {
        Self {
            name: name.to_owned(),
            driver,
            eyes,
            hurry: None,
            proofs: BTreeMap::new(),
            renewed_to: None,
            unproven_since: BTreeMap::new(),
            opening_since: BTreeMap::new(),
            closed_at: BTreeMap::new(),
            found_shut: GateSet::new(),
            unasked: GateSet::new(),
            has_loose: false,
            fight: Fight::default(),
            spellings: Spellings::default(),
            silent_since: None,
            nonce,
            grace_ms: TUNNEL_GRACE_MS,
            canary_shown: false,
            ready: Ready::No,
            barrier: None,
            canary_at: None,
            canary_failed: false,
            drilled: None,
            is_holding: false,
            overtaken: Overtaken::new(),
            generation: 0,
        }
    }

    /// The name of the edge.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Says whether a drill on this edge has shown what it is only said to do, and what it could
    /// not try.
    pub fn set_drilled(&mut self, drilled: Option<Untried>) {
        self.drilled = drilled;
    }

    /// Says whether nobody can tell yet what may be opened: then sites are closed and proven dark,
    /// and those that are on their way back stay as they are.
    pub fn set_holding(&mut self, is_holding: bool) {
        self.is_holding = is_holding;
    }

    /// Says how long ordinary requests may go on after a gate closed, in milliseconds.
    pub fn set_grace(&mut self, grace_ms: i64) {
        self.grace_ms = grace_ms;
    }

    /// Gives what is asked during a look that takes long: whether something has to be closed that
    /// waits for its end.
    pub fn set_hurry(&mut self, hurry: Hurry) {
        self.eyes.set_hurry(Hurry::clone(&hurry));
        self.hurry = Some(hurry);
    }

    /// Something is wrong with the edge already: its canary is tried at the first rest.
    pub fn suspect(&mut self) {
        (self.canary_at, self.canary_failed) = (Some(0), true);
    }

    /// Whether another process or configuration serves since the last call, which may have read an
    /// old copy of the gate; an edge that does not answer may be about to restart.
    pub fn took_over(&mut self) -> bool {
        self.is_another_process().unwrap_or(true)
    }

    /// The same. Connections to the process before, and what it had got ready, are let go.
    fn is_another_process(&mut self) -> Result<bool, EdgeError> {
        let now = self.driver.generation();
        let before = self.generation;
        self.generation = *now.as_ref().unwrap_or(&before);
        let is_other = now.is_err() || self.generation != before;
        if is_other {
            self.eyes.forget();
            // What the process before had got ready went with it. One that does not answer cannot
            // get ready either: that was tried, and is tried again later.
            self.ready.lose(now.is_ok());
        }
        now.map(|_| is_other)
    }

    /// While nothing is to do: gets ready for an order for all sites of the edge, which `keys`
    /// gives by its name, from the list of sites of this number; once after each order, each new
    /// list and each flip of the canary, and once when the last of its sites is open again. As
    /// soon as `is_over` says so it stops, and goes on at the next call; what failed is tried again
    /// later. In the gate of a newer controller nothing is got ready.
    pub fn get_ready(
        &mut self,
        (list, keys): (u64, impl FnOnce(&str) -> GateSet),
        now_ms: i64,
        is_over: &(dyn Fn() -> bool + Sync),
    ) {
        if self.ready.is_due(list, now_ms) && !self.overtaken.is_met() {
            // What is not ready is done when it is needed, or says then why it cannot be.
            self.ready = match self.driver.get_ready(&keys(&self.name), is_over) {
                Ok(true) => Ready::For(list),
                Ok(false) => Ready::No,
                Err(_) => Ready::Failed(now_ms),
            };
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
        let mut turn = Turn::new(wants, epoch, now_ms, permits);
        if let Err(error) = self.try_round(&mut turn) {
            self.fail(&mut turn, &error);
            turn.round.error = Some(error);
        }
        let settled = turn.round.error.is_none() && self.is_settled(&turn);
        let is_silent = turn.round.error.is_some() || turn.is_unanswered;
        let again_ms = self.again(is_silent, now_ms);
        Round { settled, again_ms, is_seen: !turn.views.is_empty(), ..turn.round }
    }

    fn try_round(&mut self, turn: &mut Turn<'_>) -> Result<(), EdgeError> {
        let wants = turn.wants;
        let keys: Vec<GateKey> = wants.iter().map(|want| want.target.key.clone()).collect();
        self.forget_other_times(wants);
        // One that a clock showed before it was set back is none when that hour comes again.
        self.proofs.retain(|_, proof| proof.at_ms <= turn.now_ms);
        if self.generation == 0 {
            // Nobody asked yet; it stays 0 where a takeover cannot lose the gate.
            self.generation = self.driver.generation().unwrap_or(0);
        }
        turn.views = self.driver.observe(&keys)?;
        self.remember_shut(wants, &turn.views);
        self.lose(turn);
        if self.is_overtaken(turn) {
            return Err(self.look_only(turn, &keys));
        }
        let opening = opening(wants, &turn.views);
        let mut held = self.held(turn, &opening);
        let again = self.opened_again(turn).filter(|again| !again.is_empty());
        let mut all = wants.iter().zip(&turn.views);
        let is_open = all.any(|(want, view)| want.light == Light::Dark && !shut(view));
        // Whoever undoes it at once would be answered as fast as a disk can.
        let waits = again.is_some() && opening.is_empty() && self.fight.waits(turn.now_ms);
        let is_open = is_open && !waits;
        let mut trouble = None;
        let is_older = is_of_an_older_term(turn.epoch, &turn.views);
        if is_open || is_older || !opening.is_empty() {
            held.extend(self.find_unasked(wants)?.iter().cloned());
        }
        if is_open || is_older {
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
            // It is read back beside the look from outside, unless somebody may have to be told of.
            turn.is_stale = true;
            if let (Some(again), None, true) = (again, &trouble, is_open) {
                (turn.views, turn.is_stale) = (self.driver.observe(&keys)?, false);
                self.closed_again(&again, turn);
            }
        }
        // Connections that cannot be counted or cut leave their sites unproven and nobody waiting.
        let uncounted = self.prove_dark(turn, &keys)?;
        self.watch_lit(turn);
        if !self.is_holding {
            self.open(turn, &opening, held)?;
        }
        trouble.or(uncounted).map_or(Ok(()), Err)
    }

    /// What effects about other sites leave dark: what is wanted so, and what was found so.
    fn held(&self, turn: &Turn<'_>, opening: &[usize]) -> GateSet {
        let wants = turn.wants;
        // A lit site that an old copy of the gate made dark again is opened by `open` alone.
        let mut held: GateSet = wants
            .iter()
            .zip(&turn.views)
            .filter(|(want, view)| {
                want.light == Light::Dark
                    || (want.gate == Gate::Open && self.is_kept_shut(want, view))
            })
            .map(|(want, _)| want.target.key.clone())
            .collect();
        // One that is lit already is closed by an order of its own, the durable copy first.
        let shut_still = |index: &&usize| self.is_kept_shut(&wants[**index], &turn.views[**index]);
        let still = opening.iter().filter(shut_still);
        held.extend(still.map(|index| wants[*index].target.key.clone()));
        held
    }

    /// Lit sites that were last seen dark. A read-back that tells nothing does not change that, and
    /// neither does a journal that cannot be written: else the next effect on another site would
    /// open them, unasked and in the durable copy first.
    ///
    /// Where several edges stand together, the darkest of them decides, whatever they show as one:
    /// what one of them holds dark stays so until each of them shows it lit. Where nobody sees what
    /// a running edge does, its durable copy decides. Where neither can be seen, the record of the
    /// gate says what it was told to hold: an order of which a restored register knows nothing is
    /// in it.
    fn remember_shut(&mut self, wants: &[Want], views: &[GateView]) {
        let is_unseen = |want: &Want, view: &GateView| {
            want.gate == Gate::Open && view.darkest() == Seen::Unknown
        };
        let is_asked = wants.iter().zip(views).any(|(want, view)| is_unseen(want, view));
        let owned = if is_asked { self.driver.owned().unwrap_or_default() } else { GateSet::new() };
        for (want, view) in wants.iter().zip(views) {
            let alone = match view.runtime {
                Seen::Unknown => view.darkest(),
                Seen::Dark if view.foreign => Seen::Lit,
                seen => seen,
            };
            let shown = match is_unseen(want, view) && owned.contains(&want.target.key) {
                true => Seen::Dark,
                false => view.in_part.unwrap_or(alone),
            };
            let is_known = match shown {
                // A durable copy that is lit does not say that the running edge is.
                Seen::Lit => view.runtime != Seen::Unknown,
                seen => seen == Seen::Dark,
            };
            if want.gate == Gate::Open && shown == Seen::Dark {
                self.found_shut.insert(want.target.key.clone());
            } else if is_known {
                self.found_shut.remove(&want.target.key);
            }
        }
    }

    /// True for a site that an effect about other sites must leave dark: it is dark, or it should
    /// be and nobody can tell. Where several edges stand together, one of them is enough.
    fn is_kept_shut(&self, want: &Want, view: &GateView) -> bool {
        let is_lit = |seen: Seen| seen == Seen::Lit;
        match want.gate {
            Gate::Open => self.found_shut.contains(&want.target.key),
            _ => !(is_lit(view.durable) && is_lit(view.runtime) && view.in_part.is_none_or(is_lit)),
        }
    }

    /// Times run while the same light is wanted: an earlier closing or opening is another one.
    fn forget_other_times(&mut self, wants: &[Want]) {
        let times = [&self.unproven_since, &self.closed_at, &self.opening_since];
        if times.iter().all(|times| times.is_empty()) {
            return;
        }
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
            turn.round.canary = Some(self.show_canary(turn).unwrap_or_default().seen);
        }
        self.driver.close(turn.epoch, held)?;
        self.ready = Ready::No;
        for key in held {
            since(&mut self.closed_at, key, turn.now_ms);
        }
        Ok(())
    }

    /// After an error nothing is known: what was proven stays proven only while it is fresh.
    fn fail(&mut self, turn: &mut Turn<'_>, error: &EdgeError) {
        let (mut failed, mut expired) = (Vec::new(), Vec::new());
        // Nothing will come of waiting: this controller writes nothing there any more.
        let is_final = error.kind == EdgeErrorKind::Fenced;
        for want in turn.wants.iter().filter(|want| want.light == Light::Dark) {
            let key = &want.target.key;
            let is_told = turn.undone.contains(key);
            if want.gate == Gate::Proven && !self.is_fresh(want, turn.now_ms) && !is_told {
                expired.push(key.clone());
            }
            let is_overdue =
                self.is_overdue(want, turn.now_ms) || (is_final && want.gate == Gate::Requested);
            if !self.is_fresh(want, turn.now_ms) && is_overdue {
                failed.push(key.clone());
            }
        }
        // Nobody looked at them: whatever is in their way, it is this that is known.
        let stopped = self.not_lit_in_time(turn);
        stop(turn, stopped, error.kind.code());
        let (entries, edge) = (&mut turn.round.entries, || self.name.clone());
        let (what, why) = (PROOF_EXPIRED.to_owned(), error.kind.code().to_owned());
        push(entries, expired, |sites| Entry::Drifted { sites, edge: edge(), what, since: None });
        push(entries, failed, |sites| Entry::EdgeFailed { sites, edge: edge(), why });
    }

    fn is_settled(&self, turn: &Turn<'_>) -> bool {
        // An edge that says yes and goes on with the term of before fences nobody off.
        if is_of_an_older_term(turn.epoch, &turn.views) {
            return false;
        }
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
            Light::Dark => self.is_fresh(want, turn.now_ms),
            Light::Lit if lit_now.contains(&want.target.key) => true,
            Light::Lit => want.gate == Gate::Open && (view.foreign || view.runtime == Seen::Lit),
        })
    }
}

fn shut(view: &GateView) -> bool {
    view.durable == Seen::Dark && view.runtime == Seen::Dark
}

fn push(entries: &mut Vec<Entry>, sites: Vec<GateKey>, make: impl FnOnce(Vec<GateKey>) -> Entry) {
    if !sites.is_empty() {
        entries.push(make(sites));
    }
}
