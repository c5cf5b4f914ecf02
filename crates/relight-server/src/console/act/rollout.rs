//! What happens after a plan was let go: answers before dark, waves of light.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use relight_engine::Engine;
use relight_engine::live::Board;
use relight_engine::plan::{Action, Plan};
use relight_engine::policy::{Person, Policy};

/// Records what the sites of a dark plan answer now, before anybody may let it go: afterwards
/// the same answer counts as lit. What does not answer has no baseline, and nothing waits for it.
pub(crate) fn before(engine: &Engine, policy: &Policy, person: &Person, plan: &Plan) {
    if plan.action == Action::Dark {
        let nonce = engine.now_ms().cast_unsigned().rotate_left(24);
        // Without a baseline only a success counts as lit: the stricter answer.
        drop(engine.take_baselines(policy, person, plan, nonce));
    }
}

/// Opens the sites of a relight plan by waves, on a thread of its own: it waits for proofs. How
/// they end is in the journal, and is told from there.
pub(crate) fn after(engine: &Arc<Engine>, board: &Arc<Board>, actor: &str, plan: &Plan) {
    if plan.action != Action::Relight {
        return;
    }
    let (engine, board) = (Arc::clone(engine), Arc::clone(board));
    let (actor, plan) = (actor.to_owned(), plan.clone());
    tokio::task::spawn_blocking(move || {
        if let Err(error) = engine.relight_by_waves(&actor, &plan) {
            board.log(engine.now(), "log-waves-failed", vec![error.to_string()]);
        }
    });
}

/// Plans of which was told that they are gone on with.
#[derive(Debug, Default)]
pub(crate) struct Resumed(Mutex<BTreeSet<String>>);

impl Resumed {
    /// Goes on with what came to no end, one plan after the other: before this server was there, or
    /// because the journal could not be written. Each is told once, however often it is tried.
    pub(crate) fn go_on(&self, engine: &Engine, board: &Board) {
        for action in engine.unfinished() {
            let is_new = self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(action.id());
            if is_new {
                board.log(engine.now(), "log-waves-resumed", vec![action.id()]);
            }
            if let Err(error) = engine.go_on(&action)
                && is_new
            {
                board.log(engine.now(), "log-waves-failed", vec![error.to_string()]);
            }
        }
    }
}
