//! Dark is proven: read back on every copy, seen by every listener, and no connection left behind.

use std::collections::{BTreeMap, BTreeSet};

use relight_edge::{
    Capabilities, CutsTunnels, EdgeError, EdgeErrorKind, GateView, ProbeResult, TunnelCount,
};
use relight_model::{GateKey, Light, Seen};

use super::fight::FOUGHT;
use super::names::see_dark;
use super::{
    CANARY_KEY, DARK_PROOF_MAX_MS, EdgeLoop, PROOF_LATE_MS, PROOF_RENEW_MS, PROOF_TTL_MS,
    RENEWALS_MAX, Turn, Want, push, shut, since,
};
use crate::incident::{Entry, Gate, LET_IN, PROOF_EXPIRED};

/// Why a site that shows dark is not proven so: code of the reason, by key.
type Busy = BTreeMap<GateKey, &'static str>;

/// Connections of before are open.
const OPEN: &str = "tunnels-open";
/// Connections are open to an origin that lit sites share.
const SHARED: &str = "shared-origin";
/// Nobody could count them.
const UNCOUNTED: &str = "tunnels-uncounted";

/// Most processes that may take over while sites are looked at.
const TAKEOVERS_MAX: u32 = 3;

/// Connections that are open, by key.
type Counts = Vec<(GateKey, TunnelCount)>;

/// What was looked at: which sites, what each of them shows, and what was counted.
struct Looked {
    due: Vec<usize>,
    seen: Vec<ProbeResult>,
    counts: Option<Result<Counts, EdgeError>>,
    /// Why nobody knows whether one process showed all of it: then it proves nothing.
    divided: Option<EdgeError>,
}

/// A proof to renew: its instant, its site, and where that stands.
type Renewal<'a> = (i64, &'a GateKey, usize);

/// When a site was seen dark, and under which names.
pub(super) struct Proof {
    pub(super) at_ms: i64,
    names: Vec<String>,
}

impl Proof {
    fn of(want: &Want, at_ms: i64) -> Self {
        Self { at_ms, names: want.names().map(str::to_owned).collect() }
    }

    fn is_of(&self, want: &Want) -> bool {
        want.names().eq(self.names.iter().map(String::as_str))
    }
}

impl EdgeLoop {
    /// Why connections could not be counted or cut, if they could not.
    pub(super) fn prove_dark(
        &mut self,
        turn: &mut Turn<'_>,
        keys: &[GateKey],
    ) -> Result<Option<EdgeError>, EdgeError> {
        let (wants, now_ms) = (turn.wants, turn.now_ms);
        // Once: of an edge on another machine it may be another thing a moment later.
        let able = self.driver.capabilities();
        let missing = able.missing_for_dark(self.drilled);
        let Looked { due, seen, counts, divided } = self.look_at_one_process(turn, keys, able)?;
        let fought = self.fight.sites(now_ms);
        let (busy, trouble) = self.busy(turn, &due, counts);
        turn.is_unanswered = is_unanswered(&seen);
        let (mut proved, mut drifted, mut expired) = (Vec::new(), Vec::new(), Vec::new());
        let mut failed: BTreeMap<&'static str, Vec<GateKey>> = BTreeMap::new();
        for (index, result) in due.into_iter().zip(seen) {
            let (want, view) = (&wants[index], &turn.views[index]);
            let key = &want.target.key;
            let is_lost = turn.undone.contains(key);
            let past = self.spellings.why(key);
            let stuck = past.or(fought.contains(key).then_some(FOUGHT));
            let busy = left_behind(view, result, busy.get(key).copied());
            let is_dark = shut(view) && result.seen == Seen::Dark && busy.is_none();
            let is_able = is_able(want, &missing);
            if is_able && is_dark && stuck.is_none() && divided.is_none() {
                self.proofs.insert(key.clone(), Proof::of(want, now_ms));
                self.unproven_since.remove(key);
                if want.gate != Gate::Proven || is_lost {
                    proved.push(key.clone());
                }
                continue;
            }
            let old = !self.is_fresh(want, now_ms);
            let contradicted = result.seen == Seen::Lit || !shut(view) || past.is_some();
            let is_overdue =
                stuck.is_none() && self.is_overdue_by(want, now_ms, self.grace_of(busy));
            // One incident may have proven it that another one asks for just now.
            let was_proven =
                contradicted && (self.proofs.remove(key).is_some() || want.gate == Gate::Proven);
            if (was_proven || is_lit_for_good(want, result, is_overdue)) && !is_lost {
                drifted.push(key.clone());
            } else if want.gate == Gate::Proven && old && !is_lost {
                expired.push(key.clone());
            }
            if let Some(why) = stuck {
                // It may show dark now; whoever undoes it again and again has not gone away.
                if want.gate != Gate::Failed {
                    failed.entry(why).or_default().push(key.clone());
                }
            } else if is_overdue {
                // It may show dark, and nobody knows for how long, or whether it is true.
                let why = match (is_able, busy) {
                    (false, _) => "capability",
                    (true, Some(why)) => why,
                    (true, None) => why_unproven(view, result, divided.as_ref()),
                };
                failed.entry(why).or_default().push(key.clone());
            }
        }
        self.tell_dark(turn, [proved, drifted, expired], failed);
        Ok(divided.or(trouble))
    }

    fn tell_dark(
        &self,
        turn: &mut Turn<'_>,
        [proved, drifted, expired]: [Vec<GateKey>; 3],
        failed: BTreeMap<&'static str, Vec<GateKey>>,
    ) {
        let (edge, epoch) = (&self.name, turn.epoch);
        let entries = &mut turn.round.entries;
        let (light, name) = (Light::Dark, edge.clone());
        push(entries, proved, |sites| Entry::Proved { sites, light, edge: name, epoch });
        for (sites, what) in [(drifted, "dark-not-seen"), (expired, PROOF_EXPIRED)] {
            let (edge, what) = (edge.clone(), what.to_owned());
            push(entries, sites, |sites| Entry::Drifted { sites, edge, what, since: None });
        }
        for (why, sites) in failed {
            let (edge, why) = (edge.clone(), why.to_owned());
            entries.push(Entry::EdgeFailed { sites, edge, why });
        }
    }

    /// What is read back of one process, while connections that were kept lead to another, is
    /// no proof: the one that took over may have read an old copy of the gate. So who serves is
    /// asked after the look, and all is looked at again where that changed since it was asked last.
    fn look_at_one_process(
        &mut self,
        turn: &mut Turn<'_>,
        keys: &[GateKey],
        able: Capabilities,
    ) -> Result<Looked, EdgeError> {
        let due = self.due(turn);
        let mut looked = self.look_dark(turn, keys, able, due)?;
        if looked.due.is_empty() {
            return Ok(looked);
        }
        for _ in 0..TAKEOVERS_MAX {
            match self.is_another_process() {
                Ok(false) => return Ok(looked),
                Ok(true) => {}
                Err(error) => return Ok(Looked { divided: Some(error), ..looked }),
            }
            turn.is_stale = true;
            let before = looked.seen;
            looked = self.look_dark(turn, keys, able, looked.due)?;
            // Whoever was let in was let in, whichever process it was.
            let both = looked.seen.iter_mut().zip(before);
            both.filter(|(_, before)| before.shows(Seen::Lit)).for_each(|(now, it)| *now = it);
        }
        let doing = "look at one process: another one took over each time";
        let divided = EdgeError::new(EdgeErrorKind::Unreachable, doing);
        Ok(Looked { divided: Some(divided), ..looked })
    }

    /// Looks at what is to be proven dark from outside. What an effect left is read back, and
    /// connections are counted, meanwhile: all of it is from after the effect.
    fn look_dark(
        &mut self,
        turn: &mut Turn<'_>,
        keys: &[GateKey],
        able: Capabilities,
        mut due: Vec<usize>,
    ) -> Result<Looked, EdgeError> {
        let counted = to_count(turn, &due, able);
        let (is_stale, mut views, mut counts) = (std::mem::take(&mut turn.is_stale), None, None);
        let asked: Vec<&Want> = due.iter().map(|index| &turn.wants[*index]).collect();
        let mut beside = || {
            views = is_stale.then(|| self.driver.observe(keys));
            if !counted.is_empty() && !matches!(views, Some(Err(_))) {
                counts = Some(self.driver.tunnels(&counted));
            }
        };
        let mut seen = see_dark(&mut *self.eyes, &mut self.nonce, &asked, &mut beside);
        if let Some(views) = views {
            turn.views = views?;
            // Open, and it was not when it was decided what to look at.
            let mut more: Vec<usize> = (0..turn.wants.len()).collect();
            let known: BTreeSet<usize> = due.iter().copied().collect();
            more.retain(|index| {
                let is_dark = turn.wants[*index].light == Light::Dark;
                is_dark && !shut(&turn.views[*index]) && !known.contains(index)
            });
            let asked: Vec<&Want> = more.iter().map(|index| &turn.wants[*index]).collect();
            if !asked.is_empty() {
                let more_seen = see_dark(&mut *self.eyes, &mut self.nonce, &asked, &mut || ());
                seen.extend(more_seen);
                due.extend(more);
            }
        }
        let counts = counts.map(|counts| counts.map(|it| counted.into_iter().zip(it).collect()));
        Ok(Looked { due, seen, counts, divided: None })
    }

    /// Notes gates that somebody undid, before they are closed again: a light of a second counts.
    pub(super) fn lose(&mut self, turn: &mut Turn<'_>) {
        turn.undone = self.fight.look(turn.wants, &turn.views, turn.now_ms);
        for key in &turn.undone {
            self.proofs.remove(key);
        }
        let wants = turn.wants.iter().filter(|want| want.gate == Gate::Proven);
        let lost = wants.map(|want| &want.target.key).filter(|key| turn.undone.contains(*key));
        let (lost, edge) = (lost.cloned().collect(), self.name.clone());
        push(&mut turn.round.entries, lost, |sites| Entry::Drifted {
            sites,
            edge,
            what: "gate-undone".to_owned(),
            since: None,
        });
    }

    pub(super) fn is_fresh(&self, want: &Want, now_ms: i64) -> bool {
        self.is_younger(want, now_ms, PROOF_TTL_MS)
    }

    /// A proof from the future is none: the clock was set back, and it would stay fresh too long.
    /// Neither is one of other names: under a new one nobody has looked yet.
    fn is_younger(&self, want: &Want, now_ms: i64, age_max_ms: i64) -> bool {
        let proof = self.proofs.get(&want.target.key).filter(|proof| proof.is_of(want));
        proof.is_some_and(|proof| (0..age_max_ms).contains(&(now_ms - proof.at_ms)))
    }

    /// True when dark was wanted for too long without a proof and nobody was told yet.
    pub(super) fn is_overdue(&mut self, want: &Want, now_ms: i64) -> bool {
        self.is_overdue_by(want, now_ms, 0)
    }

    /// The same where a grace is granted before the time runs.
    fn is_overdue_by(&mut self, want: &Want, now_ms: i64, grace_ms: i64) -> bool {
        let since = since(&mut self.unproven_since, &want.target.key, now_ms);
        want.gate == Gate::Requested && now_ms - since >= DARK_PROOF_MAX_MS + grace_ms
    }

    /// Sites to prove dark in this round: all that are not proven, or not any more, and of those
    /// whose proof is only to be renewed a few, so that nobody who waits for a light waits long.
    fn due(&mut self, turn: &mut Turn<'_>) -> Vec<usize> {
        let (mut due, mut old) = (Vec::new(), Vec::new());
        for (index, (want, view)) in turn.wants.iter().zip(&turn.views).enumerate() {
            let key = &want.target.key;
            if want.light == Light::Lit || self.is_younger(want, turn.now_ms, PROOF_RENEW_MS) {
                if want.light == Light::Dark && (want.gate != Gate::Proven || !shut(view)) {
                    due.push(index);
                }
                continue;
            }
            let is_late = !self.is_younger(want, turn.now_ms, PROOF_LATE_MS);
            if want.gate != Gate::Proven || !shut(view) || is_late {
                due.push(index);
            } else {
                let at_ms = self.proofs.get(key).map_or(0, |proof| proof.at_ms);
                old.push((at_ms, key, index));
            }
        }
        let renewed = self.renewals(turn.wants, &mut old);
        turn.round.renewals_left = renewed.len() < old.len();
        due.extend(renewed);
        due
    }

    /// As many proofs as one round renews, and one at least: the oldest first, from where the round
    /// before ended, so that those which cannot be renewed are in nobody's way.
    fn renewals(&mut self, wants: &[Want], old: &mut [Renewal<'_>]) -> Vec<usize> {
        old.sort_unstable();
        let is_behind = |&(at, key, _): &Renewal<'_>| {
            self.renewed_to.as_ref().is_some_and(|(to, last)| (at, key) <= (*to, last))
        };
        old.rotate_left(old.partition_point(is_behind));
        let mut requests = 0;
        let has_room = |(_, _, index): &&Renewal<'_>| {
            let is_first = requests == 0;
            requests += wants[*index].names().count();
            is_first || requests <= RENEWALS_MAX
        };
        let taken: Vec<_> = old.iter().take_while(has_room).collect();
        self.renewed_to = taken.last().map(|(at, key, _)| (*at, (*key).clone()));
        taken.into_iter().map(|(_, _, index)| *index).collect()
    }

    /// Who was there when the gate closed may finish, and is nobody's failure for so long.
    fn grace_of(&self, busy: Option<&str>) -> i64 {
        if busy == Some(OPEN) { self.grace_ms } else { 0 }
    }

    /// Sites with connections still open behind the closed gate, and what is known of these. After
    /// the grace they are cut; until the count is 0 the site is not proven dark, and neither is one
    /// that was not counted.
    fn busy(
        &mut self,
        turn: &Turn<'_>,
        due: &[usize],
        counts: Option<Result<Counts, EdgeError>>,
    ) -> (Busy, Option<EdgeError>) {
        // To cut what goes into a part would cut what goes to the rest of its site.
        let due = due.iter().map(|index| &turn.wants[*index]).filter(|want| !want.is_part());
        let due: Busy = due.map(|want| (want.target.key.clone(), UNCOUNTED)).collect();
        let counts = match counts {
            Some(Ok(counts)) => counts,
            Some(Err(error)) => return (due, Some(error)),
            None => return (Busy::new(), None),
        };
        let mut busy = Busy::new();
        let mut cut = Vec::new();
        for (key, count) in counts {
            // The canary is answered by the edge itself: behind it there is nothing to count.
            let is_free = matches!(count, TunnelCount::Open(0) | TunnelCount::ClosedByDataPlane);
            if is_free || key.as_str() == CANARY_KEY || !due.contains_key(&key) {
                continue;
            }
            let closed = since(&mut self.closed_at, &key, turn.now_ms);
            // Whose they are nobody knows, so none is cut: a person says which origin is whose.
            let why = match count {
                TunnelCount::Unknown => UNCOUNTED,
                TunnelCount::Shared => SHARED,
                _ => OPEN,
            };
            if why == OPEN && turn.now_ms - closed >= self.grace_ms {
                cut.push(key.clone());
            }
            busy.insert(key, why);
        }
        let is_left = cut.is_empty() || turn.is_overtaken;
        let is_cut = if is_left { Ok(()) } else { self.driver.cut(turn.epoch, &cut) };
        (busy, is_cut.err())
    }
}

/// What is counted while something is to be proven: all dark sites together, for two of them may
/// share an origin.
fn to_count(turn: &Turn<'_>, due: &[usize], able: Capabilities) -> Vec<GateKey> {
    if able.cuts_tunnels != CutsTunnels::Driver || due.is_empty() {
        return Vec::new();
    }
    let dark = turn.wants.iter().filter(|want| want.light == Light::Dark && !want.is_part());
    dark.map(|want| want.target.key.clone()).collect()
}

/// Why a site behind a closed gate is not free of those of before: by what was counted, or by what
/// the edge says in its page.
fn left_behind(
    view: &GateView,
    result: ProbeResult,
    counted: Option<&'static str>,
) -> Option<&'static str> {
    let is_draining = result.is_draining && !result.shows(Seen::Lit);
    let why = counted.filter(|_| result.seen == Seen::Dark).or(is_draining.then_some(OPEN));
    why.filter(|_| shut(view))
}

/// Whether an edge without these capabilities can prove it. A part is closed for new requests, and
/// nothing more is said of it.
fn is_able(want: &Want, missing: &[&str]) -> bool {
    missing.iter().all(|it| want.is_part() && *it == "cuts_tunnels")
}

/// Whether the public page calls a site offline that is seen lit and that nothing closes: the
/// proof may be one of a server that was here before.
fn is_lit_for_good(want: &Want, result: ProbeResult, is_overdue: bool) -> bool {
    result.seen == Seen::Lit && want.seen_dark && (is_overdue || want.gate == Gate::Failed)
}

/// Whether somebody was asked, and nobody answered.
fn is_unanswered(seen: &[ProbeResult]) -> bool {
    // Where one listener of several answers, somebody is to be looked at.
    let is_shown = |result: &ProbeResult| result.shows(Seen::Dark) || result.shows(Seen::Lit);
    let silent = |result: &ProbeResult| {
        result.trouble == Some(EdgeErrorKind::Unreachable) && !is_shown(result)
    };
    !seen.is_empty() && seen.iter().all(silent)
}

/// Code of what a probe met with instead of our page. That visitors got in is said of an edge only
/// where its gate reads back closed: one that is slow, or has a broken origin, said nothing else.
fn why_unproven(view: &GateView, result: ProbeResult, divided: Option<&EdgeError>) -> &'static str {
    if shut(view) && result.shows(Seen::Lit) {
        return LET_IN;
    }
    let trouble = result.trouble.or(divided.map(|error| error.kind));
    trouble.map_or("probe-disagrees", EdgeErrorKind::code)
}
