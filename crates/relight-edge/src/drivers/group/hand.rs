//! One member of a group, and the thread that is with it: an edge that hangs is waited for no
//! longer than the others can wait, and asked nothing more until it answered.
//!
//! An order that comes meanwhile replaces the one that the edge is at, which writes nothing any
//! more once it has the gate ([`Order`]). It is carried out as soon as the edge answers: only what
//! it closes, for nobody asks then what may be opened, nor closes what is lit and was not named.
//! The same becomes of an order to open that an edge has not begun when nobody waits any more.

use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use relight_model::{Epoch, GateKey, Seen};

use super::Member;
use super::pace::Pace;
use crate::capability::Capabilities;
use crate::config::CANARY_KEY;
use crate::driver::{EdgeDriver, GateSet, GateView, Target};
use crate::error::{EdgeError, EdgeErrorKind};
use crate::fence::{Order, Orders};

/// How long a member is waited for of which nobody knows that it takes longer.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long one is waited for that hung the last time.
const PATIENCE_HUNG: Duration = Duration::from_millis(100);

/// Longest wait for one that takes its time and answers.
const PATIENCE_MAX: Duration = Duration::from_secs(60);

/// What is known of a member without asking it.
#[derive(Clone, Copy)]
struct Known {
    capabilities: Capabilities,
    patience: Duration,
}

/// What nobody knows of a member: no effect about other sites opens anything of it there.
#[derive(Clone, Default)]
pub(super) struct Doubt {
    /// Sites of which the newest look at them did not tell whether it holds them dark: it did not
    /// answer in time, or neither its gate nor its record could be read. The next look that tells
    /// ends it, and nothing else does.
    unseen: GateSet,
    /// Its record could not be read when it was asked for last: it may hold what nobody here knows.
    pub(super) is_unread: bool,
}

impl Doubt {
    /// What a look told. The canary is no site: any effect may open it.
    pub(super) fn look(&mut self, keys: &[GateKey], views: &[GateView]) {
        let both = keys.iter().zip(views);
        for (key, view) in both.filter(|(key, _)| key.as_str() != CANARY_KEY) {
            if view.darkest() == Seen::Unknown {
                self.unseen.insert(key.clone());
            } else if !self.unseen.is_empty() {
                self.unseen.remove(key);
            }
        }
    }

    fn is_none(&self) -> bool {
        self.unseen.is_empty() && !self.is_unread
    }

    fn is_about(&self, key: &GateKey) -> bool {
        self.is_unread || self.unseen.contains(key)
    }
}

/// One order: what is to be dark, and what it is to open.
#[derive(Clone)]
pub(super) struct Wanted {
    pub(super) epoch: Epoch,
    pub(super) dark: GateSet,
    pub(super) changed: GateSet,
}

impl Wanted {
    /// As it was ordered, unless that would open what nobody knows: then what it closes is closed,
    /// and nothing is opened.
    fn obey(
        &self,
        driver: &mut Box<dyn EdgeDriver>,
        doubt: &Doubt,
        effect: impl FnOnce(&mut Box<dyn EdgeDriver>) -> Result<(), EdgeError>,
    ) -> Result<(), EdgeError> {
        if doubt.is_none() {
            return effect(driver);
        }
        let owned = driver.owned()?;
        let is_ordered = |key: &GateKey| self.dark.contains(key) || self.changed.contains(key);
        if owned.iter().all(|key| is_ordered(key) || !doubt.is_about(key)) {
            return effect(driver);
        }
        self.close(driver)?;
        let doing = "open what it holds dark and did not show";
        Err(EdgeError::new(EdgeErrorKind::Unreachable, doing))
    }

    /// It names what may be lit at this instant.
    fn is_opening(&self) -> bool {
        !self.changed.is_subset(&self.dark)
    }

    /// What it closes. All else that is its own by the record stays as it is: lit only where a look
    /// shows it so in each copy, for a record keeps what could not be read back.
    fn close(&self, driver: &mut Box<dyn EdgeDriver>) -> Result<(), EdgeError> {
        let owned = driver.owned()?;
        let others: Vec<GateKey> = owned.difference(&self.dark).cloned().collect();
        let mut dark = &owned | &self.dark;
        if !others.is_empty() {
            let views = driver.observe(&others).unwrap_or_default();
            for (key, _) in others.iter().zip(&views).filter(|(_, view)| is_lit(view)) {
                dark.remove(key);
            }
        }
        driver.close(self.epoch, &dark)
    }
}

/// Lit, and nowhere dark or unknown.
fn is_lit(view: &GateView) -> bool {
    [view.durable, view.runtime, view.darkest()] == [Seen::Lit; 3]
}

/// The member, while no thread is with it, and the newest order that came while one was.
struct Slot {
    member: Option<Member>,
    late: Option<(Order, Wanted)>,
}

type Ask<T> = Box<dyn FnOnce(&mut Member) -> Result<T, EdgeError> + Send>;

/// A question to one member, and the order that it is, where it is one.
struct Task<T> {
    ask: Ask<T>,
    order: Option<(Order, Wanted)>,
    has_answered: fn(&Result<T, EdgeError>) -> bool,
}

/// A member: here while nobody asks it anything, else with the thread that does.
pub(super) struct Hand {
    pub(super) target: Target,
    pub(super) doubt: Doubt,
    orders: Orders,
    slot: Arc<Mutex<Slot>>,
    known: Arc<Mutex<Known>>,
    pace: Arc<dyn Pace>,
    thread: Option<JoinHandle<()>>,
    /// Held by whoever is with the member.
    at_work: Weak<()>,
}

impl Hand {
    pub(super) fn of(member: Member, pace: Arc<dyn Pace>) -> Self {
        let (capabilities, target) = (member.capabilities(), member.target.clone());
        Self {
            slot: Arc::new(Mutex::new(Slot { member: Some(member), late: None })),
            known: Arc::new(Mutex::new(Known { capabilities, patience: PATIENCE })),
            target,
            doubt: Doubt::default(),
            orders: Orders::default(),
            pace,
            thread: None,
            at_work: Weak::new(),
        }
    }

    pub(super) fn capabilities(&self) -> Capabilities {
        lock(&self.known).capabilities
    }

    pub(super) fn patience(&self) -> Duration {
        lock(&self.known).patience
    }

    /// Runs `ask` in this thread, unless somebody is with the member.
    pub(super) fn here<T>(&mut self, ask: impl FnOnce(&mut Member) -> T) -> Option<T> {
        let mut slot = lock(&self.slot);
        slot.member.as_mut().map(ask)
    }

    /// Runs a task beside this thread, which is told what came of it. False where the member has
    /// not answered what it was asked before; an order is kept for it then.
    fn begin<T: Send + 'static>(
        &mut self,
        number: usize,
        task: Task<T>,
        say: Sender<(usize, Result<T, EdgeError>)>,
    ) -> bool {
        let Task { ask, order, has_answered } = task;
        let is_over = self.at_work.strong_count() == 0;
        let mut place = lock(&self.slot);
        // Whoever panicked took the member along.
        let again = || is_over.then(|| Member::of(self.target.clone()));
        let Some(member) = place.member.take().or_else(again) else {
            place.late = order.or(place.late.take());
            return false;
        };
        if order.is_some() {
            place.late = None;
        }
        drop(place);
        let (slot, known) = (Arc::clone(&self.slot), Arc::clone(&self.known));
        let at_work = Arc::new(());
        self.at_work = Arc::downgrade(&at_work);
        let work = move || {
            // Let go after the member, wherever that ends.
            let _at_work = at_work;
            let mut member = member;
            let begun = Instant::now();
            let answer = ask(&mut member);
            let capabilities = member.capabilities();
            let before = lock(&known).patience;
            let patience = patience_after(before, begun.elapsed(), has_answered(&answer));
            *lock(&known) = Known { capabilities, patience };
            give_back(&slot, member);
            // Nobody waits any more for one that took too long.
            drop(say.send((number, answer)));
        };
        self.thread = self.pace.begin(&self.target.name, Box::new(work));
        true
    }

    /// An order to open was not carried out in time: what may be lit then nobody asks. One that has
    /// not begun is not carried out any more; what it closes is closed.
    fn leave_shut(&self, wanted: &Wanted) {
        let order = self.orders.next();
        let mut place = lock(&self.slot);
        // Whoever is back by now has done it.
        if place.member.is_none() {
            place.late = Some((order, wanted.clone()));
        }
    }
}

/// After the orders that came meanwhile. What becomes of them the next look shows.
fn give_back(slot: &Mutex<Slot>, mut member: Member) {
    loop {
        let mut place = lock(slot);
        let Some((order, wanted)) = place.late.take() else {
            place.member = Some(member);
            return;
        };
        drop(place);
        let _ = order.carry_out(|| wanted.close(member.driver()?));
    }
}

impl Drop for Hand {
    fn drop(&mut self) {
        // What it was told last is done, or not, before somebody else drives it.
        drop(self.thread.take().map(JoinHandle::join));
    }
}

/// Who answers is waited for twice as long as it took; who hung and said nothing is not.
fn patience_after(before: Duration, took: Duration, has_answered: bool) -> Duration {
    match has_answered {
        true => PATIENCE.max(before).max(2 * took).min(PATIENCE_MAX),
        false if took >= PATIENCE => PATIENCE_HUNG,
        false => before,
    }
}

/// Asks all members at the same time, and waits for each as long as is known to make sense, and
/// `at_least` so long: what is not there by then is the error of one that hangs.
pub(super) fn each<T: Send + 'static>(
    hands: &mut [Hand],
    at_least: Duration,
    ask: impl Fn(&mut Member) -> Result<T, EdgeError> + Send + Sync + 'static,
) -> Vec<Result<T, EdgeError>> {
    look(hands, at_least, Result::is_ok, ask)
}

/// The same for what may be told without an answer of the edge itself, which is what says how long
/// it is waited for.
pub(super) fn look<T: Send + 'static>(
    hands: &mut [Hand],
    at_least: Duration,
    has_answered: fn(&Result<T, EdgeError>) -> bool,
    ask: impl Fn(&mut Member) -> Result<T, EdgeError> + Send + Sync + 'static,
) -> Vec<Result<T, EdgeError>> {
    let ask = Arc::new(ask);
    let answers = run(hands, at_least, |_| {
        let ask = Arc::clone(&ask);
        Task { ask: Box::new(move |member| ask(member)), order: None, has_answered }
    });
    said(hands, answers)
}

/// Gives all of them an order, which replaces the one before it also at those that are busy.
pub(super) fn order(
    hands: &mut [Hand],
    wanted: &Wanted,
    effect: impl Fn(&mut Box<dyn EdgeDriver>) -> Result<(), EdgeError> + Send + Sync + 'static,
) -> Vec<Result<(), EdgeError>> {
    let effect = Arc::new(effect);
    let answers = run(hands, Duration::ZERO, |hand| {
        let (order, wanted, doubt) = (hand.orders.next(), wanted.clone(), hand.doubt.clone());
        let (effect, kept) = (Arc::clone(&effect), (order.clone(), wanted.clone()));
        let ask = move |member: &mut Member| {
            let name = member.target.name.clone();
            let carry_out = || wanted.obey(member.driver()?, &doubt, |driver| effect(driver));
            order.carry_out(carry_out).map_err(|error| error.at(&name))
        };
        Task { ask: Box::new(ask), order: Some(kept), has_answered: Result::is_ok }
    });
    for (hand, _) in hands.iter().zip(&answers).filter(|(_, answer)| answer.is_none()) {
        if wanted.is_opening() {
            hand.leave_shut(wanted);
        }
    }
    said(hands, answers)
}

fn run<T: Send + 'static>(
    hands: &mut [Hand],
    at_least: Duration,
    task: impl Fn(&Hand) -> Task<T>,
) -> Vec<Option<Result<T, EdgeError>>> {
    let begun = Instant::now();
    let (say, said) = mpsc::channel();
    let patience = |hand: &Hand| hand.pace.patience(hand.patience().max(at_least));
    let patience: Vec<Duration> = hands.iter().map(patience).collect();
    let mut waits = Vec::new();
    for (number, hand) in hands.iter_mut().enumerate() {
        let task = task(hand);
        waits.push(hand.begin(number, task, say.clone()));
    }
    drop(say);
    let mut answers: Vec<Option<Result<T, EdgeError>>> = hands.iter().map(|_| None).collect();
    loop {
        let awaited = waits.iter().zip(&patience).filter(|(waits, _)| **waits);
        let Some(longest) = awaited.map(|(_, patience)| *patience).max() else { break };
        let left = longest.saturating_sub(begun.elapsed());
        // Whoever panicked says nothing at all.
        let Ok((number, answer)) = said.recv_timeout(left) else { break };
        (answers[number], waits[number]) = (Some(answer), false);
    }
    answers
}

/// What they said, and of those who said nothing that they hang.
fn said<T>(
    hands: &[Hand],
    answers: Vec<Option<Result<T, EdgeError>>>,
) -> Vec<Result<T, EdgeError>> {
    let hung = |hand: &Hand| {
        let doing = "wait any longer for an edge that hangs";
        Err(EdgeError::new(EdgeErrorKind::Unreachable, doing).at(&hand.target.name))
    };
    let both = answers.into_iter().zip(hands.iter());
    both.map(|(answer, hand)| answer.unwrap_or_else(|| hung(hand))).collect()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::super::pace::Threads;
    use super::*;

    #[test]
    fn who_answers_is_waited_for_and_who_hung_is_not() {
        let s = Duration::from_secs;
        assert_eq!(patience_after(PATIENCE, s(0), true), PATIENCE);
        assert_eq!(patience_after(PATIENCE, s(4), true), s(8), "slow, and it answers");
        assert_eq!(patience_after(s(8), s(1), true), s(8));
        assert_eq!(patience_after(s(8), s(100), true), PATIENCE_MAX);
        assert_eq!(patience_after(PATIENCE, s(5), false), PATIENCE_HUNG);
        assert_eq!(patience_after(PATIENCE_HUNG, s(0), false), PATIENCE_HUNG, "refused at once");
        assert_eq!(patience_after(PATIENCE_HUNG, s(0), true), PATIENCE, "it answers again");
        assert_eq!(patience_after(PATIENCE, s(0), false), PATIENCE);
    }

    /// A panic costs the answer of that time, and no other.
    #[test]
    fn one_whose_thread_panicked_is_asked_again() {
        let folder = crate::durable::quick_folder();
        let one = super::super::tests::builtin(folder.path());
        let mut hands = [Hand::of(Member::of(one), Arc::new(Threads))];
        let panicked =
            each(&mut hands, PATIENCE_MAX, |_| -> Result<(), EdgeError> { panic!("on purpose") });
        assert_eq!(panicked[0].as_ref().unwrap_err().kind, EdgeErrorKind::Unreachable);
        // The thread may be on its way out.
        while !hands[0].thread.as_ref().unwrap().is_finished() {
            thread::yield_now();
        }
        let asked = each(&mut hands, PATIENCE_MAX, |member| member.driver().map(drop));
        assert!(asked[0].is_ok());
    }
}
