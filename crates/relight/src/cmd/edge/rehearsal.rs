//! A drill of this process in the journal: that it begins, before anything is closed, and its end.
//! The edges are held meanwhile: once nobody holds them, a drill that did not end was interrupted.

use std::thread;
use std::time::{Duration, Instant};

use relight_engine::drill::{self, DrillReport, DrillScope, Extent};
use relight_engine::store::{Control, Store};
use relight_server::web::texts;

use crate::context::Context;
use crate::failure::Failure;
use crate::report::Report;

/// Longest wait until a server that runs has taken what a drill showed, or that it begins.
const HAND_OVER_MAX: Duration = Duration::from_secs(10);

/// How often it is looked whether it has.
const HAND_OVER_LOOK: Duration = Duration::from_millis(100);

/// A drill that began.
pub(super) struct Rehearsal {
    actor: String,
    _held: Vec<Control>,
}

impl Rehearsal {
    /// Journals that drills of these edges begin; first, what an interrupted one left dark there
    /// comes back, unless a server runs, which sees to that by itself.
    ///
    /// # Errors
    /// Somebody rehearses there already, or the journal does not take it: then nothing may be
    /// closed.
    pub(super) fn begin(
        scope: &DrillScope,
        actor: String,
        context: &Context,
    ) -> Result<Self, Failure> {
        let failed = |error| Failure::engine(context.lang, &error);
        let store = context.existing_store()?;
        let edges: Vec<String> = scope.edges().iter().map(|edge| edge.name().to_owned()).collect();
        if is_controlled(&store, context)? {
            let held = hold(&edges, &store, context)?;
            drill::leave_begun(&store, &actor, scope).map_err(failed)?;
            if !are_taken(&edges, &store, context)? {
                drill::leave_unbegun(&store, &actor, scope).map_err(failed)?;
                let failure = Failure::new(texts::drill_not_begun(context.lang));
                return Err(failure.hint(texts::drill_not_begun_remedy(context.lang)));
            }
            return Ok(Self { actor, _held: held });
        }
        let engine = context.engine()?;
        engine.bring_back(&edges).map_err(failed)?;
        let held = hold(&edges, &store, context)?;
        for edge in scope.edges() {
            engine.journal_drill(&actor, edge.begun()).map_err(failed)?;
        }
        Ok(Self { actor, _held: held })
    }

    /// Journals what they showed, or leaves it for the server that runs.
    ///
    /// # Errors
    /// The journal cannot be written.
    pub(super) fn end(
        self,
        reports: &[DrillReport],
        extent: Extent,
        context: &Context,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let failed = |error| Failure::engine(context.lang, &error);
        let store = context.existing_store()?;
        if is_controlled(&store, context)? {
            drill::leave(&store, &self.actor, reports, extent).map_err(failed)?;
            let edges: Vec<String> = reports.iter().map(|it| it.edge.clone()).collect();
            if !are_taken(&edges, &store, context)? {
                report.note(texts::drill_left(context.lang));
            }
            return Ok(());
        }
        let entries = reports.iter().flat_map(|it| it.entries(extent));
        let entries = entries.map(|entry| (String::new(), entry)).collect();
        context.engine()?.append(&self.actor, entries).map_err(failed)?;
        Ok(())
    }
}

/// Whether a server runs.
fn is_controlled(store: &Store, context: &Context) -> Result<bool, Failure> {
    let control = store.take_control().map_err(|error| context.store_failure(&error))?;
    Ok(control.is_none())
}

/// Holds these edges for a drill.
fn hold(edges: &[String], store: &Store, context: &Context) -> Result<Vec<Control>, Failure> {
    let mut held = Vec::new();
    for edge in edges {
        let taken = store.take_drill(edge).map_err(|error| context.store_failure(&error))?;
        let taken = taken.ok_or_else(|| {
            Failure::new(texts::drill_busy(context.lang, edge))
                .hint(texts::drill_busy_remedy(context.lang))
        });
        held.push(taken?);
    }
    Ok(held)
}

/// Waits until the server has taken what was left of drills of these edges; whether it has.
fn are_taken(edges: &[String], store: &Store, context: &Context) -> Result<bool, Failure> {
    let deadline = Instant::now() + HAND_OVER_MAX;
    let is_left = || {
        let left = drill::are_left(store, edges.iter().map(String::as_str));
        left.map_err(|error| Failure::engine(context.lang, &error))
    };
    while is_left()? {
        if Instant::now() >= deadline {
            return Ok(false);
        }
        // Another process writes: its writing is what is waited for.
        thread::sleep(HAND_OVER_LOOK);
    }
    Ok(true)
}
