//! Inventories into the register, and the advisories by which they are judged.

use relight_engine::incident::EvidenceKind;
use relight_engine::matching::Advisories;
use relight_engine::store::{Store, StoreError};
use relight_engine::{Inventory, advisories_of, leave};
use relight_formats::advisory;
use relight_model::{FindingState, FlawCode, GateKey, Profile, Sbom, Timestamp, Warning};
use relight_server::web::number::rfc3339;
use relight_server::web::{Lang, texts, words};

use crate::context::Context;
use crate::failure::Failure;
use crate::report::Report;

/// Who brings an inventory, in the journal.
const ACTOR: &str = "relight scan";

/// The advisories that relight ships, and those of the data folder where there is one.
pub(crate) fn advisories(context: &Context) -> Result<Advisories, Failure> {
    match context.store_if_any()? {
        Some(store) => advisories_of(&store).map_err(|error| context.store_failure(&error)),
        None => Ok(Advisories::new(advisory::builtin_advisories())),
    }
}

/// As [`advisories`], of what is about this id.
pub(crate) fn advisories_about(context: &Context, id: &str) -> Result<Advisories, Failure> {
    match context.store_if_any()? {
        Some(store) => relight_engine::advisories_about(&store, &[id.to_owned()])
            .map_err(|error| context.store_failure(&error)),
        None => Ok(Advisories::new(advisory::builtin_advisories())),
    }
}

/// The gate key of a site of the register.
pub(crate) fn site(context: &Context, slug: &str) -> Result<GateKey, Failure> {
    let store = context.existing_store()?;
    let site = store.site_by_slug(slug).map_err(|error| context.store_failure(&error))?;
    site.map(|site| site.slug).ok_or_else(|| unknown_site(context.lang, slug))
}

/// There is no such site.
pub(crate) fn unknown_site(lang: Lang, slug: &str) -> Failure {
    Failure::new(texts::no_such_site(lang, slug)).hint(texts::no_such_site_remedy(lang))
}

/// Whether the newest inventory of a site is of a scan that read more than directories: one in
/// fast mode in its place would make unknown what was clear.
pub(crate) fn is_deep(context: &Context, site: &GateKey) -> Result<bool, Failure> {
    let failed = |error| context.store_failure(&error);
    let store = context.existing_store()?;
    let Some(asset) = store.asset_by_key(site.as_str()).map_err(failed)? else { return Ok(false) };
    let rows = store.snapshots_of(asset).map_err(failed)?;
    let Some(newest) = rows.last() else { return Ok(false) };
    let flaws = store.snapshot(newest.digest).map_err(failed)?.flaws;
    Ok(flaws.iter().all(|flaw| flaw.code != FlawCode::ClassesNotRead))
}

/// An inventory, and when what it says was so.
pub(crate) struct Observed {
    pub(crate) sbom: Sbom,
    /// The start of a scan: what is deployed while it runs may be seen by another one only.
    pub(crate) at: Timestamp,
    pub(crate) profiles: Option<Vec<Profile>>,
}

/// Stores the inventory of a site; every open incident gets its evidence. A server that runs on
/// this register goes on: it finds the inventory and does the rest.
pub(crate) fn push(
    context: &Context,
    site: &GateKey,
    Observed { sbom, at, profiles }: Observed,
    report: &mut Report,
) -> Result<(), Failure> {
    let lang = context.lang;
    let store = context.existing_store()?;
    let inventory = Inventory { site: site.clone(), sbom, observed_at: at, profiles };
    let control = store.take_control().map_err(|error| context.store_failure(&error))?;
    let stored = if control.is_some() {
        context.engine()?.ingest(ACTOR, &[inventory], EvidenceKind::Scan)
    } else {
        leave(&store, &[inventory], context.now())
    };
    stored.map_err(|error| Failure::engine(lang, &error))?;
    match newer_than(at, site, &store).map_err(|error| context.store_failure(&error))? {
        Some(newer) => {
            let newer = rfc3339(newer);
            report.tell(&texts::inventory_in_history(lang, &newer, site.as_str()));
        }
        None => report.note(&texts::inventory_stored(lang, site.as_str())),
    }
    Ok(())
}

/// When the present inventory of a site was last seen, where one of `at` is history beside it.
fn newer_than(
    at: Timestamp,
    site: &GateKey,
    store: &Store,
) -> Result<Option<Timestamp>, StoreError> {
    let Some(asset) = store.asset_by_key(site.as_str())? else { return Ok(None) };
    let present = store.snapshots_of(asset)?.pop();
    Ok(present.map(|it| it.last_confirmed).filter(|newest| *newest > at))
}

/// Tells what could not be used of a document.
pub(crate) fn warn(warning: &Warning, file: Option<&str>, report: &mut Report) {
    let lang = report.lang();
    let place = match file {
        Some(file) if !warning.evidence.starts_with(file) => {
            format!("{file}: {}", warning.evidence)
        }
        _ => warning.evidence.clone(),
    };
    let what = words::warning(lang, warning.code);
    let remedy = texts::by_code(lang, &format!("remedy-{}", warning.code)).unwrap_or_default();
    report.warn_in_detail(&place, what, &warning.message, remedy);
}

/// How sure a finding is, in words.
pub(crate) fn state_words(lang: Lang, state: FindingState) -> &'static str {
    texts::by_code(lang, &format!("finding-{}", state.as_str())).unwrap_or_default()
}
