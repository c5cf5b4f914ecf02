//! `relight sbom export SITE`: what the register holds of a site, as one document.

use clap::Args;
use relight_engine::store::Index;
use relight_model::{Sbom, Timestamp};
use relight_server::web::texts;

use crate::context::Context;
use crate::failure::Failure;
use crate::inventory;
use crate::localise::one_of;
use crate::report::Report;

#[derive(Debug, Args)]
pub(super) struct Export {
    #[arg(value_name = "SITE")]
    site: String,
    #[arg(short, long, default_value = "cyclonedx-json", value_parser = one_of(super::NAMES))]
    format: String,
}

impl Export {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let (sbom, at) = present(&self.site, context)?;
        super::print(&self.format, (&sbom, at), &self.site, context, report);
        Ok(())
    }
}

/// The present inventory of a site, of all its assets together when it runs on several, and when
/// it was last seen so: of several the oldest, of which all of it is true.
fn present(slug: &str, context: &Context) -> Result<(Sbom, Option<Timestamp>), Failure> {
    let store = context.existing_store()?;
    let failed = |error| context.store_failure(&error);
    let site = store.site_by_slug(slug).map_err(failed)?;
    let site = site.ok_or_else(|| inventory::unknown_site(context.lang, slug))?;
    let index = Index::build(&store).map_err(failed)?;
    let (mut all, mut at): (Option<Sbom>, Option<Timestamp>) = (None, None);
    for asset in index.assets_of(site.id) {
        let Some(state) = index.asset(asset) else { continue };
        let Some(digest) = state.snapshot else { continue };
        let sbom = store.snapshot(digest).map_err(failed)?;
        at = at.into_iter().chain(state.confirmed).min();
        match &mut all {
            None => all = Some(sbom),
            Some(all) => {
                all.components.extend(sbom.components);
                all.flaws.extend(sbom.flaws);
                // No digest names several artifacts.
                all.artifact = None;
                // What is installed on one asset says nothing of the lock files of another.
                all.sort();
            }
        }
    }
    all.map(|all| (all, at)).ok_or_else(|| {
        Failure::new(texts::sbom_no_inventory(context.lang, slug))
            .hint(texts::sbom_no_inventory_remedy(context.lang, slug))
    })
}
