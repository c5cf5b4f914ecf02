//! Drills of this process in the journal: that one begins, before anything is closed, and its end.
//! The edges are held meanwhile: once nobody holds them, a drill that did not end was interrupted.

use std::thread;
use std::time::{Duration, Instant};

use relight_engine::drill::{self, DrillEdge, DrillReport, DrillScope, Extent, Pace};
use relight_engine::incident::Ledger;
use relight_engine::store::{Control, Store};
use relight_server::web::texts;

use crate::context::Context;
use crate::failure::Failure;
use crate::report::Report;

/// Longest wait until a server that runs has taken what a drill showed, or that it begins.
const HAND_OVER_MAX: Duration = Duration::from_secs(10);

/// How often it is looked whether it has.
const HAND_OVER_LOOK: Duration = Duration::from_millis(100);

/// Drills of edges that are held for them.
pub(super) struct Rehearsal {
    actor: String,
    extent: Extent,
    _held: Vec<Control>,
}

impl Rehearsal {
    /// Holds these edges; first, what an interrupted drill left dark there comes back, unless a
    /// server runs, which sees to that by itself.
    ///
    /// # Errors
    /// Somebody rehearses there already, or the journal cannot be read.
    pub(super) fn begin(
        scope: &DrillScope,
        (actor, extent): (String, Extent),
        context: &Context,
    ) -> Result<Self, Failure> {
        let store = context.existing_store()?;
        let edges: Vec<String> = scope.edges().iter().map(|edge| edge.name().to_owned()).collect();
        if !is_controlled(&store, context)? {
            let back = context.engine()?.bring_back(&edges);
            back.map_err(|error| Failure::engine(context.lang, &error))?;
        }
        let held = hold(&edges, &store, context)?;
        Ok(Self { actor, extent, _held: held })
    }

    /// Rehearses on one of them. The journal gets that it begins, and its end: one after the other,
    /// so that what is killed may have closed no other edge than the one that it was at.
    ///
    /// # Errors
    /// The journal does not take that it begins, and nothing was closed; or it cannot be written.
    pub(super) fn run(
        &self,
        edge: &DrillEdge,
        (ledger, pace): (&Ledger, &Pace),
        context: &Context,
        report: &mut Report,
    ) -> Result<DrillReport, Failure> {
        let mut trouble = None;
        let shown = edge.run(ledger, pace, &mut || {
            self.journal_begun(edge, context).map_err(|failure| {
                trouble = Some(failure);
                "the journal did not take that it begins".to_owned()
            })
        });
        if let Some(failure) = trouble {
            return Err(failure);
        }
        self.end(&shown, context, report)?;
        Ok(shown)
    }

    /// Journals that it begins, or leaves that for the server that runs, which has to take it.
    fn journal_begun(&self, edge: &DrillEdge, context: &Context) -> Result<(), Failure> {
        let failed = |error| Failure::engine(context.lang, &error);
        let store = context.existing_store()?;
        if !is_controlled(&store, context)? {
            return context.engine()?.record(&self.actor, "", edge.begun()).map_err(failed);
        }
        // The end of the drill before would be taken as the end of this one.
        if is_taken(edge.name(), &store, context)? {
            drill::leave_begun(&store, &self.actor, edge).map_err(failed)?;
            if is_taken(edge.name(), &store, context)? {
                return Ok(());
            }
            drill::leave_unbegun(&store, &self.actor, edge).map_err(failed)?;
        }
        let failure = Failure::new(texts::drill_not_begun(context.lang));
        Err(failure.hint(texts::drill_not_begun_remedy(context.lang)))
    }

    /// Journals what it showed, or leaves it for the server that runs.
    fn end(
        &self,
        shown: &DrillReport,
        context: &Context,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let failed = |error| Failure::engine(context.lang, &error);
        let store = context.existing_store()?;
        if is_controlled(&store, context)? {
            let reports = std::slice::from_ref(shown);
            drill::leave(&store, &self.actor, reports, self.extent).map_err(failed)?;
            if !is_taken(&shown.edge, &store, context)? {
                report.note(texts::drill_left(context.lang));
            }
            return Ok(());
        }
        let entries = shown.entries(self.extent).into_iter().map(|entry| (String::new(), entry));
        context.engine()?.append(&self.actor, entries.collect()).map_err(failed)?;
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

/// Waits until the server has taken what was left of drills of this edge; whether it has.
fn is_taken(edge: &str, store: &Store, context: &Context) -> Result<bool, Failure> {
    let deadline = Instant::now() + HAND_OVER_MAX;
    let is_left =
        || drill::is_left(store, edge).map_err(|error| Failure::engine(context.lang, &error));
    while is_left()? {
        if Instant::now() >= deadline {
            return Ok(false);
        }
        // Another process writes: its writing is what is waited for.
        thread::sleep(HAND_OVER_LOOK);
    }
    Ok(true)
}
