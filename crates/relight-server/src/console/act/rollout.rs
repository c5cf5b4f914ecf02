//! What happens after a plan was let go: answers before dark, waves of light.

use std::sync::Arc;

use relight_engine::Engine;
use relight_engine::live::Board;
use relight_engine::plan::{Action, Plan};

/// Records what the sites of a dark plan answer now, before anybody may let it go: afterwards
/// the same answer counts as lit. What does not answer has no baseline, and nothing waits for it.
pub(crate) fn before(engine: &Engine, actor: &str, plan: &Plan) {
    if plan.action == Action::Dark {
        let nonce = engine.now_ms().cast_unsigned().rotate_left(24);
        // Without a baseline only a success counts as lit: the stricter answer.
        drop(engine.take_baselines(actor, plan, nonce));
    }
}

/// Opens the sites of a relight plan by waves, on a thread of its own: it waits for proofs.
pub(crate) fn after(engine: &Arc<Engine>, board: &Arc<Board>, actor: &str, plan: &Plan) {
    if plan.action != Action::Relight {
        return;
    }
    let (engine, board) = (Arc::clone(engine), Arc::clone(board));
    let (actor, plan) = (actor.to_owned(), plan.clone());
    tokio::task::spawn_blocking(move || {
        let now = engine.now();
        match engine.relight_by_waves(&actor, &plan) {
            Ok(rollout) if rollout.left.is_empty() && rollout.open.is_empty() => {}
            Ok(rollout) => {
                let (left, open) = (rollout.left.len(), rollout.open.len());
                board.log(now, "log-waves-stopped", vec![left.to_string(), open.to_string()]);
            }
            Err(error) => board.log(now, "log-waves-failed", vec![error.to_string()]),
        }
    });
}
