//! Several proxies in front of the same sites: told together, and dark only where each of them is.
//!
//! One that fails keeps no other from closing, and makes the whole fail. None of them is ever
//! opened in the place of another: what they do not agree upon is taken for the worse.

mod hand;
mod pace;

use std::sync::Arc;
use std::time::{Duration, Instant};

use relight_model::{Epoch, GateKey, Seen};

use super::agent::{told_epoch, without_told};
use crate::capability::{Capabilities, CutsTunnels, Maturity};
use crate::driver::{
    self, DriverKind, EdgeDriver, GateSet, GateView, Lint, Setting, Stage, Target, TunnelCount,
};
use crate::error::{EdgeError, EdgeErrorKind};
use crate::fence::Overtaken;
use hand::{Hand, Wanted};
use pace::Threads;
pub use pace::{Pace, Work};

/// The setting with the names of the edges in a group, blanks between them.
pub const MEMBERS: &str = "members";

/// The kind of edge that stands for several others.
pub const GROUP: &str = "group";

/// A look that took longer and showed nothing is one of an edge that hangs.
const HANGING: Duration = Duration::from_secs(1);

/// Such an edge is not looked at for so long: it is to be free for the next order.
const UNSEEN: Duration = Duration::from_secs(5);

/// How long is waited where nobody has to be closed meanwhile.
const UNHURRIED: Duration = Duration::from_secs(30);

pub(super) const PLUGIN: GroupKind = GroupKind;

pub(super) struct GroupKind;

impl DriverKind for GroupKind {
    fn name(&self) -> &'static str {
        GROUP
    }

    /// As much as the least of its members, which are not known here: nothing but that it was tried
    /// with real ones.
    fn capabilities(&self) -> Capabilities {
        Capabilities { maturity: Maturity::Tested, ..Capabilities::NONE }
    }

    fn capabilities_of(&self, target: &Target) -> Capabilities {
        let all = target.members.iter().map(driver::capabilities_of);
        all.reduce(Capabilities::weakest).unwrap_or(Capabilities::NONE)
    }

    fn settings(&self) -> &'static [Setting] {
        const { &[Setting::required(MEMBERS)] }
    }

    fn open(&self, target: &Target) -> Result<Box<dyn EdgeDriver>, EdgeError> {
        target.required(MEMBERS)?;
        if target.members.is_empty() {
            let doing = "open a group of edges of which none is known";
            return Err(EdgeError::new(EdgeErrorKind::Lint, doing));
        }
        let hand = |target: &Target| Hand::of(Member::of(target.clone()), Arc::new(Threads));
        Ok(Box::new(Group::of(target.members.iter().map(hand).collect())))
    }
}

/// The edges of these drivers as one, asked as `pace` says: for a simulation, in which one seed
/// says who is late. A driver without a gate folder asks [`is_superseded`] before it writes.
///
/// [`is_superseded`]: crate::is_superseded
pub fn group_with(
    members: Vec<(Target, Box<dyn EdgeDriver>)>,
    pace: &Arc<dyn Pace>,
) -> Box<dyn EdgeDriver> {
    let hand = |(target, driver)| {
        let member = Member { driver: Some(driver), ..Member::of(target) };
        Hand::of(member, Arc::clone(pace))
    };
    Box::new(Group::of(members.into_iter().map(hand).collect()))
}

/// One of them, opened when it is first needed, and again until it can be.
struct Member {
    target: Target,
    driver: Option<Box<dyn EdgeDriver>>,
    /// Until when nobody looks at it, because it hung.
    unseen_until: Option<Instant>,
}

impl Member {
    const fn of(target: Target) -> Self {
        Self { target, driver: None, unseen_until: None }
    }

    fn driver(&mut self) -> Result<&mut Box<dyn EdgeDriver>, EdgeError> {
        let driver = match self.driver.take() {
            Some(driver) => driver,
            None => driver::open(&self.target)?,
        };
        Ok(self.driver.insert(driver))
    }

    /// A look that waits for no edge which hung a moment ago: nobody knows what that one shows. It
    /// is written to all the same.
    fn look<T>(
        &mut self,
        look: impl FnOnce(&mut Box<dyn EdgeDriver>) -> Result<T, EdgeError>,
        is_empty: impl FnOnce(&T) -> bool,
    ) -> Result<T, EdgeError> {
        let begun = Instant::now();
        if self.unseen_until.is_some_and(|until| begun < until) {
            let doing = "wait for an edge that hung a moment ago";
            return Err(EdgeError::new(EdgeErrorKind::Unreachable, doing).at(&self.target.name));
        }
        let seen = self.driver().and_then(look);
        let hung = begun.elapsed() >= HANGING && seen.as_ref().map_or(true, is_empty);
        self.unseen_until = hung.then(|| Instant::now() + UNSEEN);
        seen
    }

    /// As its driver says. One that does not answer shows nothing, and is taken to hold dark what
    /// it was told to; where that cannot be read either, nobody knows.
    fn observe(&mut self, keys: &[GateKey]) -> Looked {
        let nothing = |views: &Vec<GateView>| {
            !views.is_empty() && views.iter().all(|view| view.runtime == Seen::Unknown)
        };
        match self.look(|driver| driver.observe(keys), nothing) {
            Ok(views) => Looked { has_answered: !nothing(&views), views, trouble: None },
            Err(error) => {
                let owned = self.driver().and_then(|driver| driver.owned());
                let other = if owned.is_ok() { Seen::Lit } else { Seen::Unknown };
                let views = told(keys, &owned.unwrap_or_default(), other);
                Looked { views, trouble: Some(error), has_answered: false }
            }
        }
    }

    fn capabilities(&self) -> Capabilities {
        let opened = self.driver.as_ref().map(|driver| driver.capabilities());
        opened.unwrap_or_else(|| driver::capabilities_of(&self.target))
    }

    /// Connections behind the gate, by who ends them.
    fn tunnels(&mut self, keys: &[GateKey]) -> Result<Vec<TunnelCount>, EdgeError> {
        let driver = self.driver()?;
        match driver.capabilities().cuts_tunnels {
            CutsTunnels::Driver => driver.tunnels(keys),
            CutsTunnels::Nobody => Ok(vec![TunnelCount::Unknown; keys.len()]),
            // Nothing is to be counted there: the edge ends them, or lets none be.
            CutsTunnels::DataPlane | CutsTunnels::Refused => {
                Ok(vec![TunnelCount::ClosedByDataPlane; keys.len()])
            }
        }
    }
}

/// What one of them shows, why it is no more, and whether the running edge told anything.
struct Looked {
    views: Vec<GateView>,
    trouble: Option<EdgeError>,
    has_answered: bool,
}

impl Looked {
    fn is_answer(looked: &Result<Self, EdgeError>) -> bool {
        looked.as_ref().is_ok_and(|looked| looked.has_answered)
    }
}

/// What one that shows nothing holds dark: what it was told, and of the rest `other`.
fn told(keys: &[GateKey], dark: &GateSet, other: Seen) -> Vec<GateView> {
    let view = |key| {
        let seen = if dark.contains(key) { Seen::Dark } else { other };
        GateView { in_part: Some(seen), ..GateView::default() }
    };
    keys.iter().map(view).collect()
}

/// All of them.
struct Group {
    members: Vec<Hand>,
    /// What was to be dark when they were told last; before that nobody knows.
    told: Option<GateSet>,
    /// Under which epoch they were last to be told something.
    epoch: Option<Epoch>,
    /// A newer controller that gave one of them an order.
    ordered: Overtaken,
    /// One that only an agent among them tells of.
    agent_told: Overtaken,
    /// The generation of each when it was asked last; none of one that did not answer.
    generations: Vec<Option<u64>>,
    generation: u64,
}

impl Group {
    const fn of(members: Vec<Hand>) -> Self {
        Self {
            members,
            told: None,
            epoch: None,
            ordered: Overtaken::new(),
            agent_told: Overtaken::new(),
            generations: Vec::new(),
            generation: 0,
        }
    }

    /// Asks all of them at the same time: one that hangs makes no other later, and is not waited
    /// for once the others can be told something else.
    fn each<T: Send + 'static>(
        &mut self,
        ask: impl Fn(&mut Member) -> Result<T, EdgeError> + Send + Sync + 'static,
    ) -> Vec<Result<T, EdgeError>> {
        hand::each(&mut self.members, Duration::ZERO, ask)
    }

    /// All of them did it, or why one did not: that there is a newer controller is worse than that
    /// one of them does not answer.
    fn all(results: Vec<Result<(), EdgeError>>) -> Result<(), EdgeError> {
        let mut errors: Vec<EdgeError> = results.into_iter().filter_map(Result::err).collect();
        errors.sort_by_key(|error| error.kind != EdgeErrorKind::Fenced);
        errors.into_iter().next().map_or(Ok(()), Err)
    }

    /// That an older controller has no effect on any of them: also where only one of them has seen
    /// the newer one, and later, when its own epochs have grown. Of one that an agent only tells of
    /// it opens nothing: that keeps no edge from being closed.
    fn check_epoch(&mut self, epoch: Epoch, is_opening: bool) -> Result<(), EdgeError> {
        self.epoch = Some(epoch);
        let (ordered, told) = (self.newest(driver::ordered_epoch), self.newest(told_epoch));
        // Both are noted whatever is asked.
        let ordered = ordered.filter(|(shown, _)| self.ordered.meet(*shown, epoch));
        let told = told.filter(|(shown, _)| self.agent_told.meet(*shown, epoch));
        let Some((shown, name)) = ordered.max(told.filter(|_| is_opening)) else { return Ok(()) };
        let (new, old) = (crate::fence::text(shown), crate::fence::text(epoch));
        let doing = format!("act under epoch {old}: it has seen {new}");
        Err(EdgeError::new(EdgeErrorKind::Fenced, doing).at(&name))
    }

    /// The newest epoch of all, by `of`, and the name of its edge. One whose epoch cannot be read
    /// says so when it is written to.
    fn newest(
        &self,
        of: fn(&Target) -> Result<Option<Epoch>, EdgeError>,
    ) -> Option<(Epoch, String)> {
        let newest = |hand: &Hand| Some((of(&hand.target).ok()??, hand.target.name.clone()));
        // Of several that show the same, the first one is named.
        let all = self.members.iter().filter_map(newest);
        all.reduce(|one, other| if other.0 > one.0 { other } else { one })
    }

    /// Notes what an agent tells of a newer controller before our own epochs are beyond it: what we
    /// told them last is not, so it was somebody else.
    fn hear_agents(&mut self) {
        if let (Some(ours), Some((shown, _))) = (self.epoch, self.newest(told_epoch)) {
            self.agent_told.meet(shown, ours);
        }
    }

    /// An effect on all of them. At one of which nobody knows what it holds, it opens nothing but
    /// what is `changed`.
    fn write(
        &mut self,
        epoch: Epoch,
        dark: &GateSet,
        changed: &GateSet,
        effect: impl Fn(&mut Box<dyn EdgeDriver>) -> Result<(), EdgeError> + Send + Sync + 'static,
    ) -> Result<(), EdgeError> {
        self.check_epoch(epoch, !changed.is_subset(dark))?;
        self.told = Some(dark.clone());
        let wanted = Wanted { epoch, dark: dark.clone(), changed: changed.clone() };
        Self::all(hand::order(&mut self.members, &wanted, effect))
    }

    /// What they show of one key together.
    fn view(&self, key: &GateKey, views: &[GateView]) -> GateView {
        let is_told = self.told.as_ref().map(|told| told.contains(key));
        let together = |copy: fn(&GateView) -> Seen| {
            let seen: Vec<Seen> = views.iter().map(copy).collect();
            agreed(&seen, is_told)
        };
        // What one of them alone holds is dark for a look at what was opened, and is closed by the
        // next order to close it, the durable copies first: no gate is dark while a copy of one of
        // them is not.
        let (durable, runtime) = (together(|view| view.durable), together(|view| view.runtime));
        let is_all = |copy: fn(&GateView) -> Seen| views.iter().all(|it| copy(it) == Seen::Dark);
        let is_shut = runtime != Seen::Dark || is_all(|view| view.runtime);
        let is_open_at_one = durable == Seen::Dark && !(is_shut && is_all(|view| view.durable));
        GateView {
            durable: if is_open_at_one { Seen::Unknown } else { durable },
            runtime,
            // The older one has to be told, so that nobody of before is let in there.
            epoch: views.iter().filter_map(|view| view.epoch).min(),
            foreign: views.iter().any(|view| view.foreign),
            // What one of them may hold dark is left dark by effects about other sites, at all of
            // them.
            in_part: [Seen::Dark, Seen::Unknown, Seen::Lit]
                .into_iter()
                .find(|seen| views.iter().any(|view| view.darkest() == *seen)),
        }
    }
}

/// What several show together: what all of them do. Where they differ, what was told to be dark is
/// lit if any shows it so, and anything else dark if any does; before anything was told, or where
/// one of them shows nothing, nobody knows.
fn agreed(seen: &[Seen], is_told: Option<bool>) -> Seen {
    let first = seen.first().copied().unwrap_or_default();
    match is_told {
        _ if seen.iter().all(|one| *one == first) => first,
        Some(true) if seen.contains(&Seen::Lit) => Seen::Lit,
        Some(false) if seen.contains(&Seen::Dark) => Seen::Dark,
        _ => Seen::Unknown,
    }
}

/// Connections behind all of them: one that cannot tell makes the sum unknown.
const fn sum(one: TunnelCount, other: TunnelCount) -> TunnelCount {
    match (one, other) {
        (TunnelCount::Unknown, _) | (_, TunnelCount::Unknown) => TunnelCount::Unknown,
        (TunnelCount::Shared, _) | (_, TunnelCount::Shared) => TunnelCount::Shared,
        (TunnelCount::Open(one), TunnelCount::Open(other)) => TunnelCount::Open(one + other),
        (TunnelCount::ClosedByDataPlane, count) | (count, TunnelCount::ClosedByDataPlane) => count,
    }
}

/// What those who answered said; the first error where nobody did.
fn answered<T>(results: Vec<Result<T, EdgeError>>) -> Result<Vec<Option<T>>, EdgeError> {
    if results.iter().any(Result::is_ok) {
        return Ok(results.into_iter().map(Result::ok).collect());
    }
    results.into_iter().map(|result| result.map(Some)).collect()
}

impl EdgeDriver for Group {
    fn capabilities(&self) -> Capabilities {
        let all = self.members.iter().map(Hand::capabilities);
        all.reduce(Capabilities::weakest).unwrap_or(Capabilities::NONE)
    }

    fn lint(&mut self) -> Result<Vec<Lint>, EdgeError> {
        let found = hand::each(&mut self.members, UNHURRIED, |member| member.driver()?.lint());
        if found.iter().all(Result::is_err) {
            return found.into_iter().next().unwrap_or_else(|| Ok(Vec::new()));
        }
        let mut lints = Vec::new();
        for (member, found) in self.members.iter().zip(found) {
            let name = &member.target.name;
            match found {
                Ok(found) => lints.extend(found.into_iter().map(|lint| {
                    let place = format!("{name}: {}", lint.place);
                    Lint { place, ..lint }
                })),
                Err(error) => lints.push(Lint::warning("member-silent", error.to_string())),
            }
        }
        Ok(lints)
    }

    fn owned(&mut self) -> Result<GateSet, EdgeError> {
        let owned = self.each(|member| member.driver()?.owned());
        for (hand, owned) in self.members.iter_mut().zip(&owned) {
            hand.doubt.is_unread = owned.is_err();
        }
        Ok(answered(owned)?.into_iter().flatten().flatten().collect())
    }

    fn observe(&mut self, keys: &[GateKey]) -> Result<Vec<GateView>, EdgeError> {
        let asked: Arc<[GateKey]> = keys.into();
        let ask = move |member: &mut Member| Ok(member.observe(&asked));
        let looked = hand::look(&mut self.members, Duration::ZERO, Looked::is_answer, ask);
        let (mut seen, mut whether) = (Vec::new(), Vec::new());
        for (hand, looked) in self.members.iter_mut().zip(looked) {
            let mut looked = looked.unwrap_or_else(|trouble| {
                // Nobody can ask it what it holds: what it was told, and maybe more.
                let none = GateSet::new();
                let views = told(keys, self.told.as_ref().unwrap_or(&none), Seen::Unknown);
                Looked { views, trouble: Some(trouble), has_answered: false }
            });
            hand.doubt.look(keys, &looked.views);
            without_told(&hand.target, &mut looked.views);
            seen.push(looked.views);
            whether.push(looked.trouble.map_or(Ok(()), Err));
        }
        self.hear_agents();
        answered(whether)?;
        let view = |(index, key): (usize, &GateKey)| {
            let of_key = |views: &Vec<GateView>| views.get(index).copied().unwrap_or_default();
            self.view(key, &seen.iter().map(of_key).collect::<Vec<_>>())
        };
        Ok(keys.iter().enumerate().map(view).collect())
    }

    fn apply(&mut self, epoch: Epoch, stage: Stage, dark: &GateSet) -> Result<(), EdgeError> {
        let wanted = dark.clone();
        self.write(epoch, dark, &GateSet::new(), move |driver| driver.apply(epoch, stage, &wanted))
    }

    fn close(&mut self, epoch: Epoch, dark: &GateSet) -> Result<(), EdgeError> {
        let wanted = dark.clone();
        self.write(epoch, dark, &GateSet::new(), move |driver| driver.close(epoch, &wanted))
    }

    fn get_ready(
        &mut self,
        keys: &GateSet,
        is_over: &(dyn Fn() -> bool + Sync),
    ) -> Result<bool, EdgeError> {
        // One after the other: it is the folders of their gates that take time. One that cannot,
        // or that is busy just now, keeps no other from it.
        let (mut is_ready, mut trouble) = (true, None);
        for hand in &mut self.members {
            match hand.here(|member| member.driver()?.get_ready(keys, is_over)) {
                // It may have taken its time over that: whoever waits is not kept by the next one.
                Some(Err(_)) if is_over() => return Ok(false),
                Some(Err(error)) => trouble = trouble.or(Some(error)),
                ready => is_ready &= matches!(ready, Some(Ok(true))),
            }
        }
        // Whoever is not ready yet is asked again; what cannot be says so after that.
        trouble.filter(|_| is_ready).map_or(Ok(is_ready), Err)
    }

    fn apply_changes(
        &mut self,
        epoch: Epoch,
        stage: Stage,
        dark: &GateSet,
        changed: &GateSet,
    ) -> Result<(), EdgeError> {
        let (wanted, asked) = (dark.clone(), changed.clone());
        self.write(epoch, dark, changed, move |driver| {
            driver.apply_changes(epoch, stage, &wanted, &asked)
        })
    }

    fn generation(&mut self) -> Result<u64, EdgeError> {
        let ask = |member: &mut Member| member.look(|driver| driver.generation(), |_| false);
        let now = answered(self.each(ask))?;
        // One that does not answer any more, or answers again, may have been replaced.
        self.generation += u64::from(now != self.generations);
        self.generations = now;
        Ok(self.generation)
    }

    fn tunnels(&mut self, keys: &[GateKey]) -> Result<Vec<TunnelCount>, EdgeError> {
        let asked: Arc<[GateKey]> = keys.into();
        let counts = answered(self.each(move |member| member.tunnels(&asked)))?;
        let of_key = |index: usize| {
            let counts = counts.iter().map(|counts| {
                let count = counts.as_ref().and_then(|counts| counts.get(index));
                count.copied().unwrap_or(TunnelCount::Unknown)
            });
            counts.reduce(sum).unwrap_or(TunnelCount::Unknown)
        };
        Ok((0..keys.len()).map(of_key).collect())
    }

    fn cut(&mut self, epoch: Epoch, keys: &[GateKey]) -> Result<(), EdgeError> {
        let keys: Arc<[GateKey]> = keys.into();
        self.check_epoch(epoch, false)?;
        Self::all(self.each(move |member| {
            let driver = member.driver()?;
            match driver.capabilities().cuts_tunnels {
                CutsTunnels::Driver | CutsTunnels::DataPlane => driver.cut(epoch, &keys),
                CutsTunnels::Refused | CutsTunnels::Nobody => Ok(()),
            }
        }))
    }
}

#[cfg(test)]
mod tests;
