//! `relight edge check --repair`: what differs from the journal is brought back to it.

use std::thread;
use std::time::{Duration, Instant};

use relight_engine::edge::Target;
use relight_engine::edges;
use relight_server::web::texts;

use super::check::look;
use super::{barrier, targets};
use crate::context::Context;
use crate::failure::Failure;
use crate::register::Register;
use crate::report::Report;

/// Longest wait until the edges show what the journal wants.
const REPAIR_WAIT_MAX: Duration = Duration::from_secs(30);

/// How often they are looked at meanwhile.
const REPAIR_LOOK: Duration = Duration::from_millis(100);

/// Takes control for a moment and lets the loops of the edges write what the journal wants, which
/// decides nothing and so asks for nobody's leave. What is not in any incident is not theirs: a
/// foreign entry waits for a person.
pub(super) fn run(context: &Context, report: &mut Report) -> Result<(), Failure> {
    let store = context.existing_store()?;
    if store.take_control().map_err(|error| context.store_failure(&error))?.is_none() {
        return wait_for_server(context, report);
    }
    drop(store);
    let (engine, drive) = context.driven()?;
    let failed = |error| Failure::engine(context.lang, &error);
    let targets = engine.store().edges().map_err(|error| context.store_failure(&error))?;
    barrier::tell_troubles(&drive, report);
    let deadline = Instant::now() + REPAIR_WAIT_MAX;
    loop {
        let seen = engine.version();
        let register = Register::open(context)?;
        let targets = edges::from_rows(&targets).map_err(failed)?;
        let is_equal = |target: &Target| look(target, &targets, &register).differ.is_empty();
        if targets.iter().all(is_equal) || Instant::now() >= deadline {
            break;
        }
        engine.wait_changed(seen, REPAIR_LOOK);
    }
    drop(drive);
    Ok(())
}

/// A server that runs writes what the journal wants by itself, and is the only one who may: what is
/// left to do is to wait until its edges show it.
fn wait_for_server(context: &Context, report: &mut Report) -> Result<(), Failure> {
    report.note(texts::edge_repair_by_server(context.lang));
    let deadline = Instant::now() + REPAIR_WAIT_MAX;
    let mut register = Register::open(context)?;
    loop {
        let all = targets(&register, context)?;
        let differs = |target: &Target| !look(target, &all, &register).differ.is_empty();
        if !all.iter().any(differs) || Instant::now() >= deadline {
            return Ok(());
        }
        // Another process writes: what its edges show is what is waited for.
        thread::sleep(REPAIR_LOOK);
        let changed = register.store.changed_elsewhere();
        if changed.map_err(|error| context.store_failure(&error))? {
            register = Register::open(context)?;
        }
    }
}
