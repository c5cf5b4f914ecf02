//! The second barrier of an edge: refused where it could not do its work, and told where it does
//! not.

use relight_engine::drive::Drive;
use relight_engine::edge::{EdgeError, EdgeErrorKind, Target};
use relight_engine::reconcile::BARRIER;
use relight_engine::store::Store;
use relight_engine::{EngineError, EngineErrorKind, barriers, edges};
use relight_server::web::texts;

use crate::context::Context;
use crate::failure::{Failure, chain, coded};
use crate::report::Report;

/// Refuses an edge whose second barrier cannot be one.
pub(super) fn refuse(target: &Target, store: &Store, context: &Context) -> Result<(), Failure> {
    let lang = context.lang;
    let targets = registered(store, context)?;
    let sites = store.sites().map_err(|error| context.store_failure(&error))?;
    let has_sites = |name: &str| sites.iter().any(|site| site.edge == name);
    barriers::check(target, &targets, has_sites).map_err(|fault| {
        let barrier = target.settings.get(BARRIER).map_or("", String::as_str);
        let (why, _) = coded(lang, fault.code());
        Failure::usage(texts::edge_barrier_refused(lang, barrier, &target.name, why))
            .hint(texts::edge_barrier_remedy(lang))
    })
}

/// Every edge of the register.
pub(crate) fn registered(store: &Store, context: &Context) -> Result<Vec<Target>, Failure> {
    let rows = store.edges().map_err(|error| context.store_failure(&error))?;
    edges::from_rows(&rows).map_err(|error| Failure::engine(context.lang, &error))
}

/// Tells which edges could not be opened at the start, which are tried again while their sites
/// count as exposed, and which have no second barrier although they name one.
pub(crate) fn tell_troubles(drive: &Drive, report: &mut Report) {
    let lang = report.lang();
    for (name, error) in drive.troubles() {
        let (what, remedy) = match &error.kind {
            EngineErrorKind::Barrier(fault) => {
                let (why, _) = coded(lang, fault.code());
                (texts::edge_without_barrier(lang, why), texts::edge_barrier_remedy(lang))
            }
            _ if is_elsewhere(error) => {
                let what = texts::edge_unknown_here(lang).to_owned();
                (what, texts::edge_elsewhere_remedy(lang))
            }
            _ => (texts::edge_tried_again(lang).to_owned(), texts::edge_failed_remedy(lang)),
        };
        report.warn_in_detail(name, &what, &chain(error), remedy);
    }
}

/// Whether it is about an edge that only a server with agents can ask.
fn is_elsewhere(error: &EngineError) -> bool {
    let cause = std::error::Error::source(error).and_then(|it| it.downcast_ref::<EdgeError>());
    cause.is_some_and(|it| it.kind == EdgeErrorKind::Elsewhere)
}
