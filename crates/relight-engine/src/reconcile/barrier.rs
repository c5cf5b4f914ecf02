//! The second barrier: another edge that closes what this one could not prove dark (INCIDENT 5).
//! It makes no site count as dark; only what a visitor sees does.
//!
//! Its driver works on a thread of its own: a program that hangs for half a minute must not keep
//! the edge in front of it from being looked at. An answer that is late is taken when it is there.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::Duration;
use std::{io, thread};

use relight_edge::{EdgeDriver, EdgeError, EdgeErrorKind, GateSet, GateView, Stage};
use relight_model::{Epoch, GateKey, Light, Seen};

use super::unasked::dark_unasked;
use super::wanted::whole_sites;
use super::{EdgeLoop, Round, Want};
use crate::incident::{Entry, Gate, NOT_SEEN_OPEN, STILL_CLOSED};

/// The setting of an edge that names its second barrier, another edge of the register.
pub const BARRIER: &str = "barrier";

/// A barrier that failed is tried again no sooner, and what is closed there is looked at again as
/// often, in milliseconds.
pub const BARRIER_AGAIN_MS: i64 = 5_000;

/// Longest wait of an edge for its barrier, twice in a round at most: one that answers at once is
/// told in the same round, and any other in the one after its answer.
pub const BARRIER_WAIT_MAX: Duration = Duration::from_millis(200);

/// A barrier that has not answered for so long is told as one that cannot be reached, in
/// milliseconds: a little longer than the longest attempt of any driver beside this process. One
/// that an agent writes may answer to the whole of a hold later, and is told as silent until then.
pub const BARRIER_SILENT_MS_MAX: i64 = 35_000;

/// Code of a relight that stops where visitors do not see what a barrier was told to open.
pub(super) const BARRIER_HOLDS: &str = "barrier-holds";

/// What the thread of a barrier does next.
enum Order {
    Observe(Vec<GateKey>),
    Hold {
        epoch: Epoch,
        dark: GateSet,
        /// What was closed there, and is not to be any more.
        opened: Vec<GateKey>,
        /// What this journal knows of: whatever else is dark there stays so.
        explained: GateSet,
    },
}

/// What an order was about, as long as it is not answered.
enum Asked {
    Look(Vec<GateKey>),
    Hold { dark: GateSet, opened: Vec<GateKey> },
}

/// What a barrier says.
#[derive(Default)]
struct Reply {
    /// One view a key that was to be looked at; after an effect, of what was to be opened.
    views: Vec<GateView>,
    /// What was dark there before an effect although this journal does not explain it.
    unasked: GateSet,
}

type Answer = Result<Reply, EdgeError>;

/// What it was told to close, what it holds beside that, and what is wrong with it.
type Told = (GateSet, GateSet, &'static str);

/// The driver of a barrier on its own thread, which ends when this is dropped, after the order that
/// it is at.
struct Hand {
    orders: Sender<Order>,
    answers: Receiver<Answer>,
    wait: Duration,
}

impl Hand {
    fn of(name: &str, driver: Box<dyn EdgeDriver>, wait: Duration) -> io::Result<Self> {
        let (orders, taken) = mpsc::channel();
        let (given, answers) = mpsc::channel();
        let name = format!("barrier {name}");
        thread::Builder::new().name(name).spawn(move || obey(driver, &taken, &given))?;
        Ok(Self { orders, answers, wait })
    }

    /// What it answered, if that was in time.
    fn answer(&self, wait: Duration) -> Option<Answer> {
        match self.answers.recv_timeout(wait) {
            Ok(answer) => Some(answer),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => {
                let doing = "ask a barrier whose thread has ended";
                Some(Err(EdgeError::new(EdgeErrorKind::Unreachable, doing)))
            }
        }
    }
}

fn obey(mut driver: Box<dyn EdgeDriver>, orders: &Receiver<Order>, answers: &Sender<Answer>) {
    while let Ok(order) = orders.recv() {
        let answer = match order {
            Order::Observe(keys) if keys.is_empty() => Ok(Reply::default()),
            Order::Observe(keys) => {
                driver.observe(&keys).map(|views| Reply { views, ..Reply::default() })
            }
            Order::Hold { epoch, dark, opened, explained } => {
                hold(&mut *driver, epoch, (dark, &opened), &explained)
            }
        };
        if answers.send(answer).is_err() {
            return;
        }
    }
}

/// Durable and runtime: it is closed and opened as a whole, but for what this journal knows nothing
/// of, which another register may have closed there, or this one before it came back from a copy.
fn hold(
    driver: &mut dyn EdgeDriver,
    epoch: Epoch,
    (mut dark, opened): (GateSet, &[GateKey]),
    explained: &GateSet,
) -> Answer {
    let unasked = dark_unasked(driver, |key| explained.contains(key))?;
    dark.extend(unasked.iter().cloned());
    for stage in [Stage::Durable, Stage::Runtime] {
        driver.apply(epoch, stage, &dark)?;
    }
    // One that says yes and does nothing keeps its sites dark. A look that fails undoes no effect.
    let views = match opened.is_empty() {
        true => Vec::new(),
        false => driver.observe(opened).unwrap_or_default(),
    };
    Ok(Reply { unasked, views })
}

/// The other edge, and what is closed there.
pub(super) struct Barrier {
    name: String,
    hand: Hand,
    /// What it was told and has not answered yet, and since when.
    asked: Option<(Asked, i64)>,
    /// What is closed there, as far as is known.
    closed: GateSet,
    /// What the journal says that it was told last.
    known: GateSet,
    /// What it opened, and was not seen lit since.
    let_go: GateSet,
    /// What it was told to open and keeps closed, as it shows itself, or as visitors see it.
    kept: GateSet,
    unseen: GateSet,
    /// What it was told to open twice, and keeps closed.
    stubborn: GateSet,
    /// What is dark there and nothing in this journal explains, as far as was seen last.
    unasked: GateSet,
    /// Not before the first effect, when another controller may have closed something, and not
    /// after one that failed.
    is_sure: bool,
    looked_at: i64,
    /// When nothing is tried there, after a failure.
    rest: Option<Range<i64>>,
    /// When what it keeps closed is not asked for again.
    patience: Option<Range<i64>>,
    /// What the journal was told last.
    told: Option<Told>,
}

impl Barrier {
    /// Gives an order and waits a little for its answer.
    fn ask(&mut self, order: Order, asked: Asked, now_ms: i64) -> Option<(Asked, Answer)> {
        // A thread that has ended is told by the answer that is missing.
        let _ = self.hand.orders.send(order);
        self.answered((asked, now_ms), self.hand.wait)
    }

    /// The answer to what was asked, if it is there in time; else it is taken in a later round.
    fn answered(&mut self, asked: (Asked, i64), wait: Duration) -> Option<(Asked, Answer)> {
        let Some(answer) = self.hand.answer(wait) else {
            self.asked = Some(asked);
            return None;
        };
        Some((asked.0, answer))
    }

    /// It was asked so long ago that it will hardly answer any more.
    fn is_silent(&self, now_ms: i64) -> bool {
        self.asked.as_ref().is_some_and(|(_, since)| now_ms - since >= BARRIER_SILENT_MS_MAX)
    }

    /// Nothing is to be told there. What it keeps closed is asked for now and then, and is in the
    /// way of no other order.
    fn is_as_told(&self, wanted: &GateSet, now_ms: i64) -> bool {
        let waits = self.patience.as_ref().is_some_and(|it| it.contains(&now_ms));
        let is_closed = self.closed == *wanted || (waits && self.closed == wanted | &self.kept);
        // What it keeps against an order may be open in one of its copies.
        is_closed && wanted.is_disjoint(&self.kept)
    }

    /// What has to be looked at there before anything is done: nothing while it is known and fresh.
    fn due(&self, wants: &[Want], now_ms: i64) -> Option<Vec<GateKey>> {
        let is_fresh = (0..BARRIER_AGAIN_MS).contains(&(now_ms - self.looked_at));
        match self.is_sure {
            false => Some(wants.iter().map(|want| want.target.key.clone()).collect()),
            true if is_fresh => None,
            true => {
                let all = &self.closed | &self.unasked;
                (!all.is_empty()).then(|| all.into_iter().collect())
            }
        }
    }

    /// What was dark there unasked is ours once something is wanted of it here.
    fn adopt(&mut self, wants: &[Want]) {
        for want in wants {
            self.closed.extend(self.unasked.take(&want.target.key));
        }
    }

    /// What a look found: whether everything has to be told again.
    fn looked(
        &mut self,
        views: &BTreeMap<GateKey, GateView>,
        wants: &[Want],
        now_ms: i64,
        is_proven: &dyn Fn(&Want) -> bool,
    ) -> bool {
        if !self.is_sure {
            self.take_over(views, wants, is_proven);
            return true;
        }
        self.looked_at = now_ms;
        views.values().any(|view| view.durable == Seen::Lit || view.runtime == Seen::Lit)
    }

    /// Takes over what somebody closed there before: of the sites that are wanted dark and not
    /// proven, whatever is not seen lit there.
    fn take_over(
        &mut self,
        views: &BTreeMap<GateKey, GateView>,
        wants: &[Want],
        is_proven: &dyn Fn(&Want) -> bool,
    ) {
        for want in wants {
            let key = &want.target.key;
            let view = views.get(key).copied().unwrap_or_default();
            let is_lit = view.durable == Seen::Lit && view.runtime == Seen::Lit;
            let is_kept = match want.light {
                Light::Dark => !is_lit && !is_proven(want),
                Light::Lit => view.runtime == Seen::Dark && !view.foreign,
            };
            if is_kept {
                self.closed.insert(key.clone());
            }
        }
    }

    /// What became of an order: when it failed, what was meant to be closed may be so, and nobody
    /// knows.
    fn done(
        &mut self,
        edge: &str,
        now_ms: i64,
        (wanted, opened): (GateSet, Vec<GateKey>),
        answer: Answer,
    ) -> Option<Entry> {
        if let Ok(Reply { unasked, views }) = &answer {
            let is_shut =
                |view: &GateView| view.durable == Seen::Dark || view.runtime == Seen::Dark;
            // What a person closed there by hand is no lie.
            let mut shut: Vec<_> = opened.iter().zip(views).collect();
            shut.retain(|(_, view)| is_shut(view) && !view.foreign);
            let kept = shut.into_iter().map(|(key, _)| key.clone()).collect();
            // Some take a while to do it: told is what was asked for twice.
            let before = std::mem::replace(&mut self.kept, kept);
            self.stubborn = &self.kept & &before;
            self.let_go.extend(opened.into_iter().filter(|key| !self.kept.contains(key)));
            self.patience = Some(now_ms..now_ms + BARRIER_AGAIN_MS);
            (self.closed, self.is_sure, self.looked_at) = (&wanted | &self.kept, true, now_ms);
            (self.known, self.unasked) = (self.closed.clone(), unasked.clone());
        } else {
            self.rest = Some(now_ms..now_ms + BARRIER_AGAIN_MS);
            self.closed.extend(wanted.iter().cloned());
            self.is_sure = false;
        }
        self.tell(edge, wanted, answer.err().map_or("", |error| error.kind.code()))
    }

    /// What the round of the edge says of sites that were opened here: whoever is seen lit is, and
    /// one that was to be, and is not, may be held here.
    fn hear(&mut self, front: &Front<'_>) {
        if self.let_go.is_empty() && self.unseen.is_empty() {
            return;
        }
        for entry in &front.round.entries {
            match entry {
                Entry::Proved { sites, light: Light::Lit, .. } => {
                    self.let_go.retain(|key| !sites.contains(key));
                    self.unseen.retain(|key| !sites.contains(key));
                }
                Entry::RelightStopped { sites, why, .. } if why == BARRIER_HOLDS => {
                    let here = sites.iter().filter(|key| self.let_go.contains(*key));
                    self.unseen.extend(here.cloned());
                }
                _ => {}
            }
        }
        // One that is stopped is wanted dark again, and stays told until it is seen lit, or is
        // closed here again.
        let (unseen, closed) = (&self.unseen, &self.closed);
        let wanted: BTreeMap<&GateKey, Light> =
            front.wants.iter().map(|want| (&want.target.key, want.light)).collect();
        let is_lit = |key: &GateKey| wanted.get(key) == Some(&Light::Lit);
        self.let_go.retain(|key| is_lit(key) || unseen.contains(key));
        self.unseen.retain(|key| wanted.contains_key(key) && !closed.contains(key));
    }

    /// What became of it, unless the journal knows.
    fn tell(&mut self, edge: &str, wanted: GateSet, why: &'static str) -> Option<Entry> {
        let (held, why) = match why {
            "" if !self.stubborn.is_empty() => (self.stubborn.clone(), STILL_CLOSED),
            "" if !self.unseen.is_empty() => (self.unseen.clone(), NOT_SEEN_OPEN),
            why => (GateSet::new(), why),
        };
        let is_nothing = self.told.is_none() && wanted.is_empty() && why.is_empty();
        let told = Some((wanted, held, why));
        if self.told == told || is_nothing {
            return None;
        }
        self.told = told;
        let (wanted, held, why) = self.told.as_ref()?;
        let [sites, held] = [wanted, held].map(|all| all.iter().cloned().collect());
        let (edge, barrier, why) = (edge.to_owned(), self.name.clone(), (*why).to_owned());
        Some(Entry::Barred { sites, held, edge, barrier, why })
    }
}

/// What the edge in front of a barrier came to in its round.
struct Front<'a> {
    wants: &'a [Want],
    epoch: Epoch,
    now_ms: i64,
    permits: &'a dyn Fn(&GateKey) -> bool,
    round: &'a Round,
}

impl EdgeLoop {
    /// Gives this edge a second barrier, for whose answers it waits no longer than `wait`. The
    /// journal says that it was last told to close `known`: what else it has closed stays so.
    ///
    /// # Errors
    /// No thread can be started.
    pub fn set_barrier(
        &mut self,
        name: &str,
        driver: Box<dyn EdgeDriver>,
        known: GateSet,
        wait: Duration,
    ) -> io::Result<()> {
        self.barrier = Some(Barrier {
            name: name.to_owned(),
            hand: Hand::of(name, driver, wait)?,
            asked: None,
            closed: GateSet::new(),
            known,
            let_go: GateSet::new(),
            kept: GateSet::new(),
            unseen: GateSet::new(),
            stubborn: GateSet::new(),
            unasked: GateSet::new(),
            is_sure: false,
            looked_at: 0,
            rest: None,
            patience: None,
            told: None,
        });
        Ok(())
    }

    /// The barrier, if there is one, and whether it holds anything dark that this journal does not
    /// explain, as far as was seen last; nothing where nobody looked yet, or an order failed since.
    pub fn barrier_unasked(&self) -> Option<(&str, bool)> {
        let barrier = self.barrier.as_ref().filter(|barrier| barrier.is_sure)?;
        Some((&barrier.name, !barrier.unasked.is_empty()))
    }

    /// Closes there what was not proven dark here in time; opens it once it is proven, or may be
    /// lit. Comes after the round, whose entries are in the journal by then.
    pub fn tend_barrier(
        &mut self,
        wants: &[Want],
        epoch: Epoch,
        now_ms: i64,
        permits: &dyn Fn(&GateKey) -> bool,
        round: &Round,
    ) -> Option<Entry> {
        let mut barrier = self.barrier.take()?;
        // Behind a barrier there are whole sites only.
        let wants = &*whole_sites(wants);
        let entry = self.tend(&mut barrier, &Front { wants, epoch, now_ms, permits, round });
        self.barrier = Some(barrier);
        entry
    }

    /// Something has to be closed or opened there, or is being so, and was not told as failed: who
    /// ends now leaves it undone.
    pub fn barrier_owes(
        &self,
        wants: &[Want],
        now_ms: i64,
        permits: &dyn Fn(&GateKey) -> bool,
    ) -> bool {
        let Some(barrier) = &self.barrier else { return false };
        let (epoch, round) = (Epoch::default(), &Round::default());
        let wants = &*whole_sites(wants);
        let front = Front { wants, epoch, now_ms, permits, round };
        if barrier.rest.as_ref().is_some_and(|rest| rest.contains(&now_ms)) {
            return false;
        }
        match &barrier.asked {
            Some(_) if barrier.is_silent(now_ms) => false,
            Some((Asked::Hold { .. }, _)) => true,
            _ => !barrier.is_as_told(&self.to_bar(&front, &barrier.closed), now_ms),
        }
    }

    /// Nothing is told while an order is not answered, unless that takes too long; the next round
    /// asks for the answer.
    fn tend(&self, barrier: &mut Barrier, front: &Front<'_>) -> Option<Entry> {
        let (wants, now_ms) = (front.wants, front.now_ms);
        barrier.hear(front);
        if barrier.rest.as_ref().is_some_and(|rest| rest.contains(&now_ms)) {
            return None;
        }
        barrier.adopt(wants);
        let found = match (barrier.asked.take(), barrier.due(wants, now_ms)) {
            // A clock that was set back begins anew: it must not put off that this is told.
            (Some((asked, since)), _) => {
                match barrier.answered((asked, since.min(now_ms)), Duration::ZERO) {
                    None if barrier.is_silent(now_ms) => {
                        let wanted = self.to_bar(front, &barrier.closed);
                        return barrier.tell(&self.name, wanted, EdgeErrorKind::Unreachable.code());
                    }
                    answer => Some(answer?),
                }
            }
            (None, Some(keys)) => {
                Some(barrier.ask(Order::Observe(keys.clone()), Asked::Look(keys), now_ms)?)
            }
            (None, None) => None,
        };
        let is_due = match found {
            None => false,
            Some((Asked::Hold { dark, opened }, answer)) => {
                return barrier.done(&self.name, now_ms, (dark, opened), answer);
            }
            Some((Asked::Look(keys), Ok(reply))) => {
                let views = keys.into_iter().zip(reply.views).collect();
                barrier.looked(&views, wants, now_ms, &|want| self.is_fresh(want, now_ms))
            }
            Some((Asked::Look(_), failed)) => {
                let wanted = self.to_bar(front, &barrier.closed);
                return barrier.done(&self.name, now_ms, (wanted, Vec::new()), failed);
            }
        };
        let wanted = self.to_bar(front, &barrier.closed);
        if !is_due && barrier.is_as_told(&wanted, now_ms) {
            return barrier.tell(&self.name, wanted, "");
        }
        let mut explained = &barrier.known | &barrier.closed;
        explained.extend(wants.iter().map(|want| want.target.key.clone()));
        let opened: Vec<GateKey> = barrier.closed.difference(&wanted).cloned().collect();
        let (epoch, dark) = (front.epoch, wanted.clone());
        let order = Order::Hold { epoch, dark, opened: opened.clone(), explained };
        let asked = Asked::Hold { dark: wanted.clone(), opened: opened.clone() };
        let (_, answer) = barrier.ask(order, asked, now_ms)?;
        barrier.done(&self.name, now_ms, (wanted, opened), answer)
    }

    /// Whether the barrier opened this site, and nobody has seen it lit since.
    pub(super) fn is_let_go(&self, site: &GateKey) -> bool {
        self.barrier.as_ref().is_some_and(|it| it.let_go.contains(site) || it.kept.contains(site))
    }

    fn to_bar(&self, front: &Front<'_>, closed: &GateSet) -> GateSet {
        let failed_now = front.round.entries.iter().filter_map(|entry| match entry {
            Entry::EdgeFailed { sites, .. } => Some(sites),
            _ => None,
        });
        let failed_now: GateSet = failed_now.flatten().cloned().collect();
        let is_barred = |want: &&Want| {
            let key = &want.target.key;
            match want.light {
                Light::Lit => closed.contains(key) && !(front.permits)(key),
                Light::Dark if self.is_fresh(want, front.now_ms) => false,
                Light::Dark => {
                    want.gate == Gate::Failed || failed_now.contains(key) || closed.contains(key)
                }
            }
        };
        front.wants.iter().filter(is_barred).map(|want| want.target.key.clone()).collect()
    }
}
