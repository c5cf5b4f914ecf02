//! Drills of edges that only a running server can ask: the server is asked to rehearse.

use std::thread;
use std::time::{Duration, Instant};

use relight_engine::drill::{ASKED_AGE_MAX_S, Answer, Asked, DrillReport, Extent, Unrehearsed};
use relight_engine::edge::Target;
use relight_engine::store::Store;
use relight_server::clock;
use relight_server::web::texts;

use super::agent::elsewhere;
use crate::context::Context;
use crate::failure::Failure;
use crate::operator;
use crate::report::Report;

/// How often it is looked what became of a wish.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Longest wait for a server that has begun.
const DRILL_MAX: Duration = Duration::from_secs(15 * 60);

/// Asks a server to rehearse on an edge, and waits for what that shows.
///
/// # Errors
/// No server runs that can ask this edge; or more people than one have to agree to it.
pub(super) fn drill(
    target: &Target,
    extent: Extent,
    store: &Store,
    context: &Context,
    report: &mut Report,
) -> Result<DrillReport, Failure> {
    let failed = |error| Failure::engine(context.lang, &error);
    if store.take_control().map_err(|error| context.store_failure(&error))?.is_some() {
        return Err(elsewhere(target, context));
    }
    let scope = extent.scope(store, std::slice::from_ref(&target.name)).map_err(failed)?;
    operator::may_drill(context, store, &scope)?;
    let nonce = clock::now_ms().cast_unsigned().rotate_left(20) ^ u64::from(std::process::id());
    let actor = operator::rehearser(context, store);
    let wish = (target.name.as_str(), extent, &scope);
    let asked = Asked::leave(store, wish, &actor, (context.now(), nonce)).map_err(failed)?;
    let begun_max = Duration::from_secs(ASKED_AGE_MAX_S.cast_unsigned());
    let (since, mut is_told) = (Instant::now(), false);
    loop {
        match asked.answer(store).map_err(failed)? {
            Answer::Shown(shown) => return Ok(*shown),
            Answer::Refused(why) => return Err(unrehearsed(&why, target, context)),
            Answer::Waiting if since.elapsed() < begun_max => {}
            Answer::Begun if asked.is_given_up(store).map_err(failed)? => {
                return Err(gone(target, context));
            }
            Answer::Begun if since.elapsed() < DRILL_MAX => {
                if !std::mem::replace(&mut is_told, true) {
                    report.note(&texts::drill_asked(context.lang, &target.name));
                }
            }
            Answer::Waiting | Answer::Begun => {
                asked.take_back(store).map_err(failed)?;
                let lang = context.lang;
                if store.take_control().map_err(|error| context.store_failure(&error))?.is_some() {
                    return Err(elsewhere(target, context));
                }
                return Err(Failure::new(texts::drill_unanswered(lang, &target.name))
                    .hint(texts::drill_unanswered_remedy(lang)));
            }
        }
        // Another process rehearses: its answer is what is waited for.
        thread::sleep(LOOK_EVERY);
    }
}

/// The server was ended in the middle of the drill.
fn gone(target: &Target, context: &Context) -> Failure {
    let lang = context.lang;
    Failure::new(texts::drill_gone(lang, &target.name)).hint(texts::drill_gone_remedy(lang))
}

/// Why a server did not rehearse, in words.
fn unrehearsed(why: &Unrehearsed, target: &Target, context: &Context) -> Failure {
    let (lang, edge) = (context.lang, &target.name);
    let what = match why {
        Unrehearsed::Changed => texts::drill_marks_changed(lang, edge),
        Unrehearsed::TooOld => texts::drill_too_old(lang, edge),
        Unrehearsed::Replaced => texts::drill_replaced(lang, edge),
        Unrehearsed::Busy => texts::drill_busy(lang, edge),
        Unrehearsed::Failed(why) => texts::drill_failed(lang, edge, why),
    };
    Failure::new(what).hint(texts::drill_again_remedy(lang))
}
