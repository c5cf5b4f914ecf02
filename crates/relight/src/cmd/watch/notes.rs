//! `relight watch notes`: who looked at what several organisations have together, and why; and
//! what was erased. Kept in the register, only ever added to.

use relight_engine::store::Store;
use relight_server::web::number::rfc3339;
use serde::Serialize;

use crate::context::Context;
use crate::failure::Failure;
use crate::report::Report;

/// Who looks from the command line.
const ACTOR: &str = "relight watch";

#[derive(Serialize)]
struct NotesDocument {
    notes: Vec<NoteRow>,
}

#[derive(Serialize)]
struct NoteRow {
    at: String,
    actor: String,
    kind: String,
    what: String,
}

/// Adds a note; what cannot be noted is not done.
pub(super) fn note(
    store: &Store,
    kind: &str,
    what: &str,
    context: &Context,
) -> Result<(), Failure> {
    store
        .put_watch_note(context.now(), ACTOR, kind, what)
        .map_err(|error| context.store_failure(&error))
}

/// Every note, oldest first.
pub(super) fn list(context: &Context, report: &mut Report) -> Result<(), Failure> {
    let store = context.existing_store()?;
    let notes = store.watch_notes().map_err(|error| context.store_failure(&error))?;
    if context.json {
        let row = |(at, actor, kind, what)| NoteRow { at: rfc3339(at), actor, kind, what };
        let notes = notes.into_iter().map(row).collect();
        report.document("relight.watch-notes/1", &NotesDocument { notes });
        return Ok(());
    }
    for (at, actor, kind, what) in notes {
        report.line(&format!("{}  {actor}  {kind}  {what}", rfc3339(at)));
    }
    Ok(())
}
