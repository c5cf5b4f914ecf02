//! What a turn found of spellings that lead past gates, for the journal.

use crate::engine::{ACTOR, Engine};
use crate::incident::Entry;
use crate::reconcile::EdgeLoop;

/// Which spelling leads past a gate, unless the journal knows one: it is asked for again and again,
/// and another listener, or another answer, may come first each time.
pub(super) fn tell(engine: &Engine, edge: &mut EdgeLoop) {
    let mut entries = edge.take_spelled();
    if entries.is_empty() {
        return;
    }
    entries.retain(|entry| {
        let Entry::LedPast { edge, site, .. } = entry else { return false };
        engine.with_ledger(|ledger| ledger.spelling(edge, site).is_none())
    });
    let entries = entries.into_iter().map(|entry| (String::new(), entry)).collect();
    // A journal that cannot be written is told the next time that it is tried.
    drop(engine.append(ACTOR, entries));
}
