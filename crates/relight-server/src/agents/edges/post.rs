//! The mailbox of a server, by edge: questions that wait for the agent, the one that it has, and
//! what it answered. Nothing waits in here, and the time is a parameter.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use relight_engine::edge::{Ask, Capabilities, EdgeError, Reply};
use tokio::sync::Notify;

/// Questions to one edge that are not answered yet, at most.
pub(super) const QUESTIONS_MAX: usize = 16;

/// Within this time a question has to be begun on the machine of the edge, or it never is: whoever
/// asked goes on without it.
pub(super) const BEGIN_MAX: Duration = Duration::from_secs(5);

/// The same for what opens, for the evidence that permits it may end meanwhile, and for getting
/// ready, which is in the way of the next order.
const SOON_MAX: Duration = Duration::from_secs(1);

/// Longest wait for the answer to a look, from when the agent has the question.
const LOOK_MAX: Duration = Duration::from_secs(10);

/// Longest wait for the answer to an effect or to lint.
const EFFECT_MAX: Duration = Duration::from_secs(30);

/// An agent that has asked for nothing for so long is away: nobody waits for it.
const AWAY_AFTER: Duration = Duration::from_secs(3);

/// Why a question has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Silence {
    /// The agent asks for nothing.
    Away,
    /// Too many questions wait.
    Full,
    /// It was not begun in time.
    NotBegun,
    /// It was begun, and not answered in time.
    NotAnswered(Duration),
}

/// What became of a question.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It was answered.
    Done(Answer),
    /// Until then it may be.
    Waiting(Instant),
    /// It is not, and never will be.
    Silent(Silence),
}

/// What the driver on the other machine answered.
pub(super) type Answer = Result<Reply, EdgeError>;

/// Says whether a question is not to be begun any more, because of what was ordered since.
#[derive(Clone)]
pub(super) struct Void(pub(super) Arc<dyn Fn() -> bool + Send + Sync>);

impl fmt::Debug for Void {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Void").finish()
    }
}

#[derive(Clone, Debug)]
struct Question {
    ticket: String,
    ask: Arc<Ask>,
    is_void: Void,
    asked: Instant,
}

impl Question {
    fn begins_until(&self) -> Instant {
        self.asked + begin_max(&self.ask)
    }
}

/// The question that the agent has.
#[derive(Debug)]
struct Out {
    question: Question,
    agent: u32,
    taken: Instant,
}

/// A question on its way to the agent.
#[derive(Clone, Debug)]
pub(super) struct Taken {
    pub(super) ticket: String,
    pub(super) ask: Arc<Ask>,
    /// How much of the time is left in which it has to be begun.
    pub(super) left: Duration,
}

/// What one edge is asked.
#[derive(Debug, Default)]
struct Slot {
    waiting: VecDeque<Question>,
    out: Option<Out>,
    answers: BTreeMap<String, Answer>,
    /// Requests of the agent so far, and whether the newest one still waits for a question.
    count: u64,
    is_open: bool,
    ended: Option<Instant>,
    /// Whose request was the newest.
    agent: Option<u32>,
    able: Option<Capabilities>,
    generation: Option<u64>,
    /// Told when a question came, or when a newer request took the place of one that waits.
    asked: Arc<Notify>,
}

/// The mailbox.
#[derive(Debug)]
pub(super) struct Post {
    edges: BTreeMap<String, Slot>,
    /// Since when there is one: an agent that was there before is about to come back.
    since: Instant,
}

impl Post {
    pub(super) const fn new(since: Instant) -> Self {
        Self { edges: BTreeMap::new(), since }
    }

    /// Puts a question to an edge. An effect goes before looks, and behind other effects.
    pub(super) fn put(
        &mut self,
        edge: &str,
        (ticket, ask, is_void): (&str, Ask, Void),
        now: Instant,
    ) -> Result<(), Silence> {
        let since = self.since;
        let slot = self.edges.entry(edge.to_owned()).or_default();
        if slot.is_away(since, now) {
            return Err(Silence::Away);
        }
        if slot.waiting.len() + usize::from(slot.out.is_some()) >= QUESTIONS_MAX {
            return Err(Silence::Full);
        }
        let place = match ask.is_effect() {
            true => slot.waiting.iter().position(|it| !it.ask.is_effect()),
            false => None,
        };
        let (ticket, ask) = (ticket.to_owned(), Arc::new(ask));
        let question = Question { ticket, ask, is_void, asked: now };
        slot.waiting.insert(place.unwrap_or(slot.waiting.len()), question);
        slot.asked.notify_waiters();
        Ok(())
    }

    /// What became of a question; whoever hears that it is over asks no more.
    pub(super) fn outcome(&mut self, edge: &str, ticket: &str, now: Instant) -> Outcome {
        let Some(slot) = self.edges.get_mut(edge) else { return Outcome::Silent(Silence::Away) };
        if let Some(answer) = slot.answers.remove(ticket) {
            return Outcome::Done(answer);
        }
        if let Some(place) = slot.waiting.iter().position(|it| it.ticket == ticket) {
            let until = slot.waiting[place].begins_until();
            if now < until {
                return Outcome::Waiting(until);
            }
            slot.waiting.remove(place);
            return Outcome::Silent(Silence::NotBegun);
        }
        match &slot.out {
            Some(out) if out.question.ticket == ticket => {
                let patience = patience(&out.question.ask);
                if now < out.taken + patience {
                    return Outcome::Waiting(out.taken + patience);
                }
                // Whatever it answers from now on is about a question that nobody has.
                (slot.out, slot.ended) = (None, Some(now));
                Outcome::Silent(Silence::NotAnswered(patience))
            }
            _ => Outcome::Silent(Silence::NotBegun),
        }
    }

    /// A request of an agent begins: the only one of this edge from now on. Gives its number, and
    /// by what it hears of questions.
    pub(super) fn begin(&mut self, edge: &str, agent: u32, told: Told) -> (u64, Arc<Notify>) {
        let slot = self.edges.entry(edge.to_owned()).or_default();
        slot.agent = Some(agent);
        (slot.able, slot.generation) = (Some(told.able), told.generation);
        slot.count += 1;
        slot.is_open = true;
        slot.asked.notify_waiters();
        (slot.count, Arc::clone(&slot.asked))
    }

    /// It is over.
    pub(super) fn end(&mut self, edge: &str, number: u64, now: Instant) {
        if let Some(slot) = self.edges.get_mut(edge).filter(|slot| slot.count == number) {
            (slot.is_open, slot.ended) = (false, Some(now));
        }
    }

    /// Whether this request is still the only one.
    pub(super) fn is_newest(&self, edge: &str, number: u64) -> bool {
        self.edges.get(edge).is_some_and(|slot| slot.count == number)
    }

    /// Whether something is there to be taken.
    pub(super) fn has_question(&self, edge: &str) -> bool {
        let slot = self.edges.get(edge);
        slot.is_some_and(|slot| !slot.waiting.is_empty() || slot.out.is_some())
    }

    /// The next question for this request. One that the agent had and asks again without an answer
    /// to it did not reach it, or died with it: it is given again, for twice is once.
    pub(super) fn take(
        &mut self,
        edge: &str,
        (number, agent): (u64, u32),
        now: Instant,
    ) -> Option<Taken> {
        let slot = self.edges.get_mut(edge)?;
        if slot.count != number || slot.agent != Some(agent) {
            return None;
        }
        if let Some(out) = slot.out.take() {
            slot.waiting.push_front(out.question);
        }
        // What is too old has no one who waits for it, and what a newer order replaced is not
        // begun; whoever waits for that hears so.
        while let Some(question) = slot.waiting.pop_front() {
            let left = question.begins_until().saturating_duration_since(now);
            if !left.is_zero() && !(question.is_void.0)() {
                let taken =
                    Taken { ticket: question.ticket.clone(), ask: Arc::clone(&question.ask), left };
                slot.out = Some(Out { question, agent, taken: now });
                return Some(taken);
            }
        }
        None
    }

    /// Takes in an answer, if it is the one that is waited for, from the agent that was asked.
    pub(super) fn answer(&mut self, edge: &str, agent: u32, ticket: &str, answer: Answer) -> bool {
        let Some(slot) = self.edges.get_mut(edge) else { return false };
        let is_asked = |out: &mut Out| out.question.ticket == ticket && out.agent == agent;
        if slot.out.take_if(is_asked).is_none() {
            return false;
        }
        slot.answers.insert(ticket.to_owned(), answer);
        true
    }

    /// What an edge can do, as its agent said last.
    pub(super) fn able(&self, edge: &str) -> Option<Capabilities> {
        self.edges.get(edge)?.able
    }

    /// The generation that its agent told last; none of one that is away.
    pub(super) fn generation(&self, edge: &str, now: Instant) -> Option<u64> {
        let slot = self.edges.get(edge)?;
        if slot.is_away(self.since, now) { None } else { slot.generation }
    }
}

impl Slot {
    fn is_away(&self, since: Instant, now: Instant) -> bool {
        let was_there = self.ended.unwrap_or(since).max(since);
        !self.is_open && self.out.is_none() && now >= was_there + AWAY_AFTER
    }
}

/// What a request says of the edge.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told {
    pub(super) able: Capabilities,
    pub(super) generation: Option<u64>,
}

fn begin_max(ask: &Ask) -> Duration {
    match ask {
        Ask::Apply { dark, changed: Some(changed), .. } if !changed.is_subset(dark) => SOON_MAX,
        Ask::GetReady(_) => SOON_MAX,
        _ => BEGIN_MAX,
    }
}

fn patience(ask: &Ask) -> Duration {
    match ask {
        Ask::GetReady(_) => SOON_MAX,
        _ if ask.is_effect() || *ask == Ask::Lint => EFFECT_MAX,
        _ => LOOK_MAX,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn never() -> Void {
        Void(Arc::new(|| false))
    }

    struct World {
        post: Post,
        start: Instant,
    }

    impl World {
        fn new() -> Self {
            let start = Instant::now();
            Self { post: Post::new(start), start }
        }

        fn at(&self, seconds: u32) -> Instant {
            self.start + seconds * SECOND
        }

        fn begin(&mut self, agent: u32) -> u64 {
            let told = Told { able: Capabilities::FILE_GATE, generation: Some(1) };
            self.post.begin("north", agent, told).0
        }

        fn put(&mut self, ticket: &str, at: u32) -> Result<(), Silence> {
            let at = self.at(at);
            self.post.put("north", (ticket, Ask::Owned, never()), at)
        }

        fn take(&mut self, number: u64, at: u32) -> Option<String> {
            let at = self.at(at);
            self.post.take("north", (number, 1), at).map(|taken| taken.ticket)
        }

        fn answer(&mut self, agent: u32, ticket: &str) -> bool {
            self.post.answer("north", agent, ticket, Ok(Reply::Done))
        }

        fn outcome(&mut self, ticket: &str, at: u32) -> String {
            let at = self.at(at);
            match self.post.outcome("north", ticket, at) {
                Outcome::Done(answer) => format!("{answer:?}"),
                Outcome::Waiting(until) => {
                    format!("until {}", until.duration_since(self.start).as_secs())
                }
                Outcome::Silent(why) => format!("{why:?}"),
            }
        }
    }

    #[test]
    fn a_question_is_taken_once_and_answered_once() {
        let mut world = World::new();
        let number = world.begin(1);
        assert_eq!(world.take(number, 0), None);
        world.put("a", 1).unwrap();
        assert_eq!(world.outcome("a", 1), "until 6");
        assert_eq!(world.take(number, 2).as_deref(), Some("a"));
        assert_eq!(world.outcome("a", 3), "until 12");
        assert!(!world.answer(1, "b"), "of no question");
        assert!(!world.answer(2, "a"), "of an agent that was not asked");
        assert!(world.answer(1, "a"));
        assert!(!world.answer(1, "a"), "twice");
        assert_eq!(world.outcome("a", 4), "Ok(Done)");
        assert_eq!(world.outcome("a", 4), "NotBegun", "it was heard");
    }

    /// Safety: whoever gave up a question never hears of it again.
    #[test]
    fn a_late_answer_to_an_old_question_is_thrown_away() {
        let mut world = World::new();
        let number = world.begin(1);
        world.put("a", 0).unwrap();
        assert_eq!(world.take(number, 1).as_deref(), Some("a"));
        assert_eq!(world.outcome("a", 10), "until 11");
        assert_eq!(world.outcome("a", 11), format!("NotAnswered({LOOK_MAX:?})"));
        world.put("b", 11).unwrap();
        assert!(!world.answer(1, "a"), "late");
        assert_eq!(world.outcome("b", 12), "until 16");
        let number = world.begin(1);
        assert_eq!(world.take(number, 12).as_deref(), Some("b"));
        assert!(!world.answer(1, "a"), "later");
        assert!(world.answer(1, "b"));
    }

    #[test]
    fn a_question_that_nobody_begins_in_time_is_never_begun() {
        let mut world = World::new();
        let number = world.begin(1);
        world.put("a", 0).unwrap();
        assert_eq!(world.take(number, 5), None, "its time is over");
        assert_eq!(world.outcome("a", 5), "NotBegun");
        world.put("b", 5).unwrap();
        assert_eq!(world.outcome("b", 10), "NotBegun");
        assert_eq!(world.take(number, 10), None);
    }

    #[test]
    fn nobody_waits_for_an_agent_that_is_away() {
        let mut world = World::new();
        // One that was there before the server started is about to come back.
        world.put("a", 2).unwrap();
        assert_eq!(world.put("b", 3), Err(Silence::Away));
        assert_eq!(world.post.generation("north", world.at(3)), None);
        let number = world.begin(1);
        world.put("b", 4).unwrap();
        assert_eq!(world.post.generation("north", world.at(4)), Some(1));
        let at = world.at(20);
        world.post.end("north", number, at);
        world.put("c", 22).unwrap();
        assert_eq!(world.put("d", 23), Err(Silence::Away));
        // Who has a question is not away, however long it takes.
        let number = world.begin(1);
        world.put("e", 30).unwrap();
        assert_eq!(world.take(number, 30).as_deref(), Some("e"));
        let at = world.at(30);
        world.post.end("north", number, at);
        world.put("f", 39).unwrap();
        assert_eq!(world.outcome("e", 40), format!("NotAnswered({LOOK_MAX:?})"));
        assert_eq!(world.put("g", 43), Err(Silence::Away));
    }

    #[test]
    fn so_many_questions_wait_and_no_more() {
        let mut world = World::new();
        let number = world.begin(1);
        for count in 0..QUESTIONS_MAX {
            world.put(&format!("q{count}"), 0).unwrap();
        }
        assert_eq!(world.put("more", 0), Err(Silence::Full));
        assert_eq!(world.take(number, 0).as_deref(), Some("q0"));
        assert_eq!(world.put("more", 0), Err(Silence::Full), "the agent has one of them");
        assert!(world.answer(1, "q0"));
        world.put("more", 0).unwrap();
    }

    #[test]
    fn an_order_goes_before_looks_and_not_before_another_order() {
        let mut world = World::new();
        let number = world.begin(1);
        world.put("look", 0).unwrap();
        for (ticket, term) in [("first", 1), ("second", 2)] {
            let epoch = relight_model::Epoch { term, seq: 0 };
            let ask = Ask::Close { epoch, dark: [].into() };
            let now = world.start;
            world.post.put("north", (ticket, ask, never()), now).unwrap();
        }
        for wanted in ["first", "second", "look"] {
            assert_eq!(world.take(number, 1).as_deref(), Some(wanted));
            assert!(world.answer(1, wanted));
        }
        let now = world.at(1);
        let cut = Ask::Cut { epoch: relight_model::Epoch::default(), keys: Vec::new() };
        world.post.put("north", ("cut", cut, never()), now).unwrap();
        assert_eq!(world.take(number, 1).as_deref(), Some("cut"));
        assert_eq!(world.outcome("cut", 2), "until 31");
    }

    /// Safety: what may be opened now may be so no more in five seconds. What closes has them.
    #[test]
    fn what_opens_is_begun_within_a_second_or_never() {
        let key = |name: &str| relight_model::GateKey::new(name).unwrap();
        let dark = [key("a")].into();
        let apply = |changed: &[&str]| Ask::Apply {
            epoch: relight_model::Epoch::default(),
            stage: relight_engine::edge::Stage::Runtime,
            dark: [key("a")].into(),
            changed: Some(changed.iter().map(|name| key(name)).collect()),
        };
        for (ask, left) in [
            (apply(&["a"]), BEGIN_MAX),
            (apply(&["a", "b"]), SECOND),
            (Ask::GetReady(dark), SECOND),
            (Ask::Owned, BEGIN_MAX),
        ] {
            let mut world = World::new();
            let (number, start) = (world.begin(1), world.start);
            world.post.put("north", ("it", ask.clone(), never()), start).unwrap();
            let taken = world.post.take("north", (number, 1), start).unwrap();
            assert_eq!(taken.left, left, "{ask:?}");
            assert!(world.post.take("north", (number, 1), start + left).is_none(), "{ask:?}");
        }
    }

    /// Safety: an opening that waits for its agent is not begun once a newer order was given.
    #[test]
    fn what_a_newer_order_replaced_is_never_begun() {
        let mut world = World::new();
        let number = world.begin(1);
        let (is_void, now) = (Arc::new(AtomicBool::new(false)), world.start);
        let flag = Arc::clone(&is_void);
        let old = Void(Arc::new(move || flag.load(Ordering::SeqCst)));
        world.post.put("north", ("old", Ask::Owned, old), now).unwrap();
        world.put("new", 1).unwrap();
        is_void.store(true, Ordering::SeqCst);
        assert_eq!(world.take(number, 1).as_deref(), Some("new"));
        assert_eq!(world.outcome("old", 1), "NotBegun");
    }

    /// Its connection broke on the way, or it was started again: what it had is given once more.
    #[test]
    fn what_an_agent_lost_is_given_again_while_there_is_time() {
        let mut world = World::new();
        let number = world.begin(1);
        world.put("a", 0).unwrap();
        assert_eq!(world.take(number, 1).as_deref(), Some("a"));
        let again = world.begin(1);
        assert!(world.post.has_question("north"));
        assert_eq!(world.take(number, 2), None, "another request took its place");
        assert_eq!(world.take(again, 2).as_deref(), Some("a"));
        let late = world.begin(1);
        assert_eq!(world.take(late, 5), None, "there is no time left to begin it");
        assert_eq!(world.outcome("a", 5), "NotBegun");
    }

    #[test]
    fn only_the_newest_request_of_the_agent_that_made_it_gets_anything() {
        let mut world = World::new();
        let (old, new) = (world.begin(1), world.begin(1));
        world.put("a", 0).unwrap();
        assert!(!world.post.is_newest("north", old));
        let now = world.start;
        world.post.end("north", old, now);
        assert_eq!(world.take(old, 4), None);
        let at = world.at(4);
        assert!(world.post.take("north", (new, 2), at).is_none(), "of another agent");
        assert_eq!(world.take(new, 4).as_deref(), Some("a"));
    }
}
