//! Whether a data folder holds the real thing: a drill and the fictional province leave a mark in
//! it, so that nothing shows as real later what was only played there.

use relight_engine::store::Store;
use relight_server::web::texts;
use relight_server::web::views::Stage;

use crate::context::Context;
use crate::failure::Failure;
use crate::operator;
use crate::register::ledger;
use crate::report::Report;

/// The setting that marks the folder of a drill; nothing takes it away.
const DRILL_KEY: &str = "drill";

/// What the pages of this folder say that they are.
pub(crate) fn of(context: &Context, store: &Store) -> Result<Stage, Failure> {
    if is_drill(context, store)? {
        return Ok(Stage::Drill);
    }
    Ok(if operator::is_demo(context, store)? { Stage::Demo } else { Stage::Real })
}

/// As [`of`], and says so to whoever did not ask for a drill.
pub(crate) fn told(
    context: &Context,
    store: &Store,
    report: &mut Report,
) -> Result<Stage, Failure> {
    let (stage, lang) = (of(context, store)?, context.lang);
    if stage == Stage::Drill {
        let place = context.data.display().to_string();
        report.warn(&place, texts::stage_folder(lang), texts::stage_folder_remedy(lang));
    }
    Ok(stage)
}

/// Refuses to begin a drill where real incidents stand in the journal, or where a server runs
/// that knows of none. It takes no lease, so what runs goes on.
pub(crate) fn refuse_drill(context: &Context) -> Result<(), Failure> {
    let (store, lang) = (context.existing_store()?, context.lang);
    if is_drill(context, &store)? {
        return Ok(());
    }
    context.refuse_beside_server(&store)?;
    if ledger(&store, context)?.incidents().next().is_some() {
        let place = context.data.display().to_string();
        return Err(Failure::new(texts::stage_no_drill(lang, &place))
            .hint(texts::stage_no_drill_remedy(lang)));
    }
    Ok(())
}

/// Marks the folder before anything can be rehearsed in it.
pub(crate) fn begin_drill(context: &Context, store: &Store) -> Result<Stage, Failure> {
    store.meta_put(DRILL_KEY, "1").map_err(|error| context.store_failure(&error))?;
    Ok(Stage::Drill)
}

fn is_drill(context: &Context, store: &Store) -> Result<bool, Failure> {
    let marked = store.meta_get(DRILL_KEY).map_err(|error| context.store_failure(&error))?;
    Ok(marked.is_some())
}
