//! Drills of edges that only a running server can ask: those that an agent writes. A command leaves
//! the wish in the register, the server rehearses, and leaves what it showed for the command.
//!
//! A wish names an edge and nothing else that is done. What may be closed there the server reads
//! from the register itself, as any drill does; the keys of the wish only say what was agreed to,
//! and where they are not the same any more nothing is closed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use relight_edge::{AGENT, is_elsewhere};
use relight_model::{Digest, GateKey, Timestamp};
use relight_store::Store;
use serde::{Deserialize, Serialize};

use super::script::{DRILL_PAUSE, Pace};
use super::{DrillKey, DrillReport, DrillScope, STEPS, Step, chain};
use crate::engine::Engine;
use crate::error::EngineError;

/// What stands before the name of an edge in the settings of a wish, and of what was shown.
const ASKED: &str = "asked-drill:";
const SHOWN: &str = "shown-drill:";

/// A wish that nobody began for so long is none any more, in seconds.
pub const ASKED_AGE_MAX_S: i64 = 30;

/// A wish.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Wish {
    actor: String,
    at: Timestamp,
    /// The canary alone.
    canary: bool,
    /// What may be closed, as whoever asks knows it.
    keys: Vec<String>,
    /// Differs from any wish before.
    nonce: u64,
}

/// What a server says of a wish.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Shown {
    nonce: u64,
    said: Said,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Said {
    Begun,
    Shown(Report),
    Refused(Unrehearsed),
}

/// Why nobody rehearsed, or nobody can say what that showed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unrehearsed {
    /// Other sites are marked now than when it was asked for: nothing was closed.
    Changed,
    /// The server came to it too late, or its clock was set: nothing was closed.
    TooOld,
    /// Somebody else asked for another drill of this edge before this one was begun.
    Replaced,
    /// Another drill of this edge runs: nothing was closed.
    Busy,
    /// It failed, or could not be journalled: why, in English as in every log.
    Failed(String),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Report {
    identity: String,
    keys: Vec<String>,
    steps: Vec<StepRow>,
    #[serde(default)]
    left: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct StepRow {
    passed: bool,
    tried: bool,
    took_ms: i64,
    detail: String,
}

/// How far a drill goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// The canaries alone; what they show says nothing of an edge as a whole.
    Canary,
    /// The sites that somebody marked for it as well.
    Marked,
}

impl Extent {
    /// What may be closed on these edges.
    ///
    /// # Errors
    /// As [`DrillScope::read`].
    pub fn scope(self, store: &Store, names: &[String]) -> Result<DrillScope, EngineError> {
        match self {
            Self::Canary => DrillScope::canaries(store, names),
            Self::Marked => DrillScope::read(store, names),
        }
    }
}

/// A wish that was left, for whoever waits for its answer.
#[derive(Clone, Debug)]
pub struct Asked {
    edge: String,
    text: String,
    nonce: u64,
}

/// How a wish stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// No server began it yet.
    Waiting,
    /// A server rehearses.
    Begun,
    /// What it showed.
    Shown(Box<DrillReport>),
    /// There is nothing to wait for.
    Refused(Unrehearsed),
}

impl Asked {
    /// Leaves the wish for a drill of one edge, of which this may be closed.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn leave(
        store: &Store,
        (edge, extent, scope): (&str, Extent, &DrillScope),
        actor: &str,
        (at, nonce): (Timestamp, u64),
    ) -> Result<Self, EngineError> {
        let keys = keys_of(scope);
        let canary = extent == Extent::Canary;
        let wish = Wish { actor: actor.to_owned(), at, canary, keys, nonce };
        let text = serde_json::to_string(&wish)?;
        store.meta_put(&key(ASKED, edge), &text)?;
        Ok(Self { edge: edge.to_owned(), text, nonce })
    }

    /// Where it stands; what was shown is taken.
    ///
    /// # Errors
    /// The store cannot be read or written.
    pub fn answer(&self, store: &Store) -> Result<Answer, EngineError> {
        // The wish first: a server says that it begins before it takes the wish away.
        let is_waiting = store.meta_get(&key(ASKED, &self.edge))?.as_ref() == Some(&self.text);
        let place = key(SHOWN, &self.edge);
        let text = store.meta_get(&place)?.unwrap_or_default();
        let shown = serde_json::from_str::<Shown>(&text).ok();
        let said = shown.filter(|it| it.nonce == self.nonce).map(|it| it.said);
        let answer = match said {
            None if is_waiting => return Ok(Answer::Waiting),
            None => return Ok(Answer::Refused(Unrehearsed::Replaced)),
            Some(Said::Begun) => return Ok(Answer::Begun),
            Some(Said::Refused(why)) => Answer::Refused(why),
            Some(Said::Shown(report)) => match report.read(&self.edge) {
                Some(report) => Answer::Shown(Box::new(report)),
                None => Answer::Refused(Unrehearsed::Failed("what was shown is no drill".into())),
            },
        };
        store.meta_remove(&place, &text)?;
        Ok(answer)
    }

    /// True once nobody rehearses any more and nobody said what that showed: whoever rehearses
    /// holds the edge from before it says so until the answer is there.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn is_given_up(&self, store: &Store) -> Result<bool, EngineError> {
        let Some(_held) = store.take_drill(&self.edge)? else { return Ok(false) };
        // What was said before that stands there already.
        let text = store.meta_get(&key(SHOWN, &self.edge))?.unwrap_or_default();
        let shown = serde_json::from_str::<Shown>(&text).ok();
        Ok(shown.is_none_or(|it| it.nonce == self.nonce && it.said == Said::Begun))
    }

    /// Takes the wish back.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn take_back(&self, store: &Store) -> Result<(), EngineError> {
        Ok(store.meta_remove(&key(ASKED, &self.edge), &self.text)?)
    }
}

impl Engine {
    /// Rehearses on the edges of agents for which somebody asked, one after the other, and journals
    /// what they showed.
    pub(crate) fn take_asked(&self, stop: &Arc<AtomicBool>) -> Result<(), EngineError> {
        for row in self.store.edges()? {
            self.take_wish(&row.name, stop)?;
        }
        Ok(())
    }

    fn take_wish(&self, edge: &str, stop: &Arc<AtomicBool>) -> Result<(), EngineError> {
        let place = key(ASKED, edge);
        let Some(text) = self.store.meta_get(&place)? else { return Ok(()) };
        let Ok(wish) = serde_json::from_str::<Wish>(&text) else {
            return Ok(self.store.meta_remove(&place, &text)?);
        };
        let is_old = !(0..=ASKED_AGE_MAX_S).contains(&(self.now() - wish.at));
        let extent = if wish.canary { Extent::Canary } else { Extent::Marked };
        let scope = extent.scope(&self.store, &[edge.to_owned()]);
        let is_ours = |edge: &super::DrillEdge| {
            edge.target.all().any(|it| it.kind == AGENT) && !is_elsewhere(&edge.target)
        };
        // Before anybody is told that it begins: who waits looks whether it is held.
        let held = self.store.take_drill(edge)?;
        let begun = match &scope {
            _ if is_old => Said::Refused(Unrehearsed::TooOld),
            Err(error) => failed(error),
            Ok(scope) if !scope.edges().iter().all(is_ours) => return Ok(()),
            Ok(scope) if keys_of(scope) != wish.keys => Said::Refused(Unrehearsed::Changed),
            Ok(_) if held.is_none() => Said::Refused(Unrehearsed::Busy),
            Ok(_) => Said::Begun,
        };
        self.say(edge, &wish, &begun)?;
        self.store.meta_remove(&place, &text)?;
        let Ok(scope) = scope else { return Ok(()) };
        if begun == Said::Begun {
            self.say(edge, &wish, &outcome(|| self.rehearse(&wish, &scope, stop)))?;
        }
        Ok(())
    }

    fn say(&self, edge: &str, wish: &Wish, said: &Said) -> Result<(), EngineError> {
        let shown = Shown { nonce: wish.nonce, said: said.clone() };
        Ok(self.store.meta_put(&key(SHOWN, edge), &serde_json::to_string(&shown)?)?)
    }

    fn rehearse(
        &self,
        wish: &Wish,
        scope: &DrillScope,
        stop: &Arc<AtomicBool>,
    ) -> Result<Said, EngineError> {
        let [only] = scope.edges() else { return Ok(Said::Refused(Unrehearsed::Changed)) };
        let ledger = self.with_ledger(Clone::clone);
        let (clock, nonce) = (self.clock(), wish.nonce.rotate_left(29));
        let stop = Some(Arc::clone(stop));
        let pace = Pace { clock, nonce, pause: DRILL_PAUSE, second: None, stop };
        let begin = || self.record(&wish.actor, "", only.begun());
        let report = only.run(&ledger, &pace, &mut || begin().map_err(|error| chain(&error)));
        let extent = if wish.canary { Extent::Canary } else { Extent::Marked };
        let entries = report.entries(extent).into_iter().map(|entry| (String::new(), entry));
        self.append(&wish.actor, entries.collect())?;
        Ok(Said::Shown(Report::of(&report)))
    }
}

/// What is said of a drill, whatever became of it: whoever asked waits for that.
fn outcome(drill: impl FnOnce() -> Result<Said, EngineError>) -> Said {
    match catch_unwind(AssertUnwindSafe(drill)) {
        Ok(Ok(said)) => said,
        Ok(Err(error)) => failed(&error),
        // The panic hook told it; the next wish is another one.
        Err(_) => Said::Refused(Unrehearsed::Failed("the drill panicked".to_owned())),
    }
}

fn failed(error: &EngineError) -> Said {
    Said::Refused(Unrehearsed::Failed(chain(error)))
}

impl Report {
    fn of(report: &DrillReport) -> Self {
        let step = |step: &Step| StepRow {
            passed: step.passed,
            tried: step.tried,
            took_ms: step.took_ms,
            detail: step.detail.clone(),
        };
        Self {
            identity: report.identity.to_string(),
            keys: report.keys.iter().map(ToString::to_string).collect(),
            steps: report.steps.iter().map(step).collect(),
            left: report.left.iter().map(ToString::to_string).collect(),
        }
    }

    /// None where somebody else wrote it.
    fn read(self, edge: &str) -> Option<DrillReport> {
        let read = |keys: &[String]| -> Option<Vec<GateKey>> {
            keys.iter().map(|key| GateKey::new(key).ok()).collect()
        };
        let (keys, left) = (read(&self.keys)?, read(&self.left)?);
        let steps = self.steps.into_iter().zip(STEPS).map(|(row, name)| Step {
            name,
            passed: row.passed,
            tried: row.tried,
            took_ms: row.took_ms,
            detail: row.detail,
        });
        let identity = Digest::parse(&self.identity)?;
        let (edge, steps) = (edge.to_owned(), steps.collect());
        Some(DrillReport { edge, identity, keys, steps, left })
    }
}

/// What may be closed in a scope, in its order.
fn keys_of(scope: &DrillScope) -> Vec<String> {
    let keys = scope.edges().iter().flat_map(super::DrillEdge::keys).map(DrillKey::key);
    keys.map(ToString::to_string).collect()
}

fn key(what: &str, edge: &str) -> String {
    format!("{what}{edge}")
}

#[cfg(test)]
mod tests {
    use relight_edge::{GROUP, MEMBERS, Target};

    use super::*;
    use crate::edges;
    use crate::engine::EngineOptions;

    const NOW: Timestamp = 1_000;

    fn engine() -> (tempfile::TempDir, Engine) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        for (name, kind, members) in [
            ("a", "nginx_file", ""),
            ("b", "nginx_file", ""),
            ("g", GROUP, "a b"),
            ("z", AGENT, ""),
        ] {
            let settings = [(MEMBERS.to_owned(), members.to_owned())];
            let target = Target {
                name: name.into(),
                kind: kind.into(),
                gate: folder.path().join(name),
                listeners: Vec::new(),
                verify: None,
                settings: settings.into_iter().filter(|_| kind == GROUP).collect(),
                members: Vec::new(),
            };
            store.put_edge(&edges::to_row(&target).unwrap(), 0, "test").unwrap();
        }
        let clock = || NOW * 1_000;
        let options = EngineOptions { holder: "test".into(), clock, inventory_ttl_s: 1 };
        (folder, Engine::open(Arc::new(store), options).unwrap())
    }

    fn leave(engine: &Engine, edge: &str, at: Timestamp, nonce: u64) -> Asked {
        let scope = DrillScope { edges: Vec::new() };
        let wish = (edge, Extent::Canary, &scope);
        Asked::leave(&engine.store, wish, "anna", (at, nonce)).unwrap()
    }

    fn refused(why: Unrehearsed) -> Answer {
        Answer::Refused(why)
    }

    /// Goal: whoever asked for a drill is told why none comes, and waits for nobody. Method: wishes
    /// that another one replaced, that are too old, or of an edge that went into a group.
    #[test]
    fn a_wish_that_nobody_fulfils_is_answered() {
        let (_folder, engine) = engine();
        let (store, stop) = (&engine.store, Arc::default());
        let first = leave(&engine, "z", NOW, 1);
        assert_eq!(first.answer(store).unwrap(), Answer::Waiting);
        let second = leave(&engine, "z", NOW - ASKED_AGE_MAX_S - 1, 2);
        assert_eq!(first.answer(store).unwrap(), refused(Unrehearsed::Replaced));
        assert_eq!(second.answer(store).unwrap(), Answer::Waiting);
        let grouped = leave(&engine, "a", NOW, 3);
        engine.take_asked(&stop).unwrap();
        let answer = grouped.answer(store).unwrap();
        let Answer::Refused(Unrehearsed::Failed(why)) = answer else { panic!("{answer:?}") };
        assert!(why.contains("is in a group"), "{why}");
        assert_eq!(second.answer(store).unwrap(), refused(Unrehearsed::TooOld));
        for name in ["a", "z"] {
            assert_eq!(store.meta_get(&key(ASKED, name)).unwrap(), None, "taken once");
        }
    }

    /// Goal: a wish is one for half a minute by the clock of the server, and none from an hour that
    /// has not come. Method: one at its very end, one of a second before it, and one from then.
    #[test]
    fn a_wish_is_one_for_half_a_minute() {
        let (_folder, engine) = engine();
        let store = &engine.store;
        let old = refused(Unrehearsed::TooOld);
        for (at, answer) in [
            (NOW - ASKED_AGE_MAX_S, Answer::Waiting),
            (NOW - ASKED_AGE_MAX_S - 1, old.clone()),
            (NOW, Answer::Waiting),
            (NOW + 1, old),
        ] {
            let asked = leave(&engine, "z", at, at.unsigned_abs());
            engine.take_asked(&Arc::default()).unwrap();
            assert_eq!(asked.answer(store).unwrap(), answer, "{at}");
        }
    }

    /// Goal: who waits for a drill whose server is gone learns that, and nobody else does. Method:
    /// it is held, let go without an answer, and answered.
    #[test]
    fn a_drill_that_nobody_plays_any_more_is_given_up() {
        let (_folder, engine) = engine();
        let store = &engine.store;
        let asked = leave(&engine, "z", NOW, 1);
        let wish = serde_json::from_str(&asked.text).unwrap();
        let held = store.take_drill("z").unwrap();
        engine.say("z", &wish, &Said::Begun).unwrap();
        assert!(!asked.is_given_up(store).unwrap(), "somebody rehearses");
        drop(held);
        assert!(asked.is_given_up(store).unwrap());
        engine.say("z", &wish, &Said::Refused(Unrehearsed::Busy)).unwrap();
        assert!(!asked.is_given_up(store).unwrap(), "there is an answer");
        assert_eq!(asked.answer(store).unwrap(), refused(Unrehearsed::Busy));
    }

    /// Goal: one that is under way is waited for, also where the next one was asked for already.
    #[test]
    fn a_drill_that_began_is_not_replaced() {
        let (_folder, engine) = engine();
        let first = leave(&engine, "z", NOW, 1);
        let wish = serde_json::from_str(&first.text).unwrap();
        engine.say("z", &wish, &Said::Begun).unwrap();
        first.take_back(&engine.store).unwrap();
        let second = leave(&engine, "z", NOW, 2);
        assert_eq!(first.answer(&engine.store).unwrap(), Answer::Begun);
        assert_eq!(second.answer(&engine.store).unwrap(), Answer::Waiting);
    }

    /// Goal: a drill that panics or cannot be journalled ends neither the thread nor the wait.
    #[test]
    fn whatever_becomes_of_a_drill_is_said() {
        let said = |why: &str| Said::Refused(Unrehearsed::Failed(why.to_owned()));
        assert_eq!(outcome(|| panic!("a bug")), said("the drill panicked"));
        let full = || Err(EngineError::because("writing", std::io::Error::other("no room")));
        assert_eq!(outcome(full), said("writing: no room"));
        assert_eq!(outcome(|| Ok(Said::Begun)), Said::Begun);
    }
}
