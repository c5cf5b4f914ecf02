//! One member of a group, and the thread that is with it: an edge that hangs is waited for no
//! longer than the others can wait, and asked nothing more until it answered.

use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::Member;
use crate::capability::Capabilities;
use crate::driver::{self, Target};
use crate::error::{EdgeError, EdgeErrorKind};

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

/// A member: here while nobody asks it anything, else with the thread that does.
pub(super) struct Hand {
    pub(super) target: Target,
    /// What it holds could not be read: an effect might open what nobody here knows of.
    pub(super) is_blind: bool,
    slot: Arc<Mutex<Option<Member>>>,
    known: Arc<Mutex<Known>>,
    thread: Option<JoinHandle<()>>,
}

impl Hand {
    pub(super) fn of(target: Target) -> Self {
        let capabilities = driver::capabilities_of(&target);
        Self {
            slot: Arc::new(Mutex::new(Some(Member::of(target.clone())))),
            known: Arc::new(Mutex::new(Known { capabilities, patience: PATIENCE })),
            target,
            is_blind: false,
            thread: None,
        }
    }

    pub(super) fn capabilities(&self) -> Capabilities {
        lock(&self.known).capabilities
    }

    fn patience(&self) -> Duration {
        lock(&self.known).patience
    }

    /// Runs `ask` in this thread, unless somebody is with the member.
    pub(super) fn here<T>(&mut self, ask: impl FnOnce(&mut Member) -> T) -> Option<T> {
        let mut slot = lock(&self.slot);
        slot.as_mut().map(ask)
    }

    /// Runs `ask` in a thread of its own, which says what came of it. False where the member has
    /// not answered what it was asked before.
    fn begin<T: Send + 'static>(
        &mut self,
        number: usize,
        ask: impl FnOnce(&mut Member) -> Result<T, EdgeError> + Send + 'static,
        say: Sender<(usize, Result<T, EdgeError>)>,
    ) -> bool {
        let is_over = self.thread.as_ref().is_none_or(JoinHandle::is_finished);
        let member = lock(&self.slot).take();
        // A thread that panicked took its member along.
        let Some(mut member) = member.or_else(|| is_over.then(|| Member::of(self.target.clone())))
        else {
            return false;
        };
        let (slot, known) = (Arc::clone(&self.slot), Arc::clone(&self.known));
        let work = move || {
            let begun = Instant::now();
            let answer = ask(&mut member);
            let capabilities = member.capabilities();
            let before = lock(&known).patience;
            let patience = patience_after(before, begun.elapsed(), answer.is_ok());
            *lock(&known) = Known { capabilities, patience };
            *lock(&slot) = Some(member);
            // Nobody waits any more for one that took too long.
            drop(say.send((number, answer)));
        };
        self.thread = spawn_or_run(work);
        true
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
    let (begun, ask) = (Instant::now(), Arc::new(ask));
    let (say, said) = mpsc::channel();
    let patience: Vec<Duration> = hands.iter().map(|hand| hand.patience().max(at_least)).collect();
    let mut waits = Vec::new();
    for (number, hand) in hands.iter_mut().enumerate() {
        let ask = Arc::clone(&ask);
        waits.push(hand.begin(number, move |member| ask(member), say.clone()));
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
    let hung = |hand: &Hand| {
        let doing = "wait any longer for an edge that hangs";
        Err(EdgeError::new(EdgeErrorKind::Unreachable, doing).at(&hand.target.name))
    };
    let both = answers.into_iter().zip(hands.iter());
    both.map(|(answer, hand)| answer.unwrap_or_else(|| hung(hand))).collect()
}

/// In a thread of its own, else, where the system gives none, in this one.
fn spawn_or_run(work: impl FnOnce() + Send + 'static) -> Option<JoinHandle<()>> {
    let work = Arc::new(Mutex::new(Some(work)));
    let shared = Arc::clone(&work);
    let begun = thread::Builder::new().spawn(move || {
        let work = lock(&shared).take();
        work.into_iter().for_each(|work| work());
    });
    if begun.is_err() {
        let work = lock(&work).take();
        work.into_iter().for_each(|work| work());
    }
    begun.ok()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
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
        let target = Target {
            name: "one".into(),
            kind: "builtin".into(),
            gate: folder.path().join("one"),
            listeners: Vec::new(),
            verify: None,
            settings: [].into(),
            members: Vec::new(),
        };
        let mut hands = [Hand::of(target)];
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
