//! Which sites the public page shows, as people say it.

use std::collections::BTreeMap;

use relight_model::GateKey;

use crate::engine::Engine;
use crate::error::{EngineError, EngineErrorKind};
use crate::incident::Entry;

impl Engine {
    /// Shows a site on the public page, or takes it off, under the name of a person; the journal
    /// says so first. The same again changes nothing. One that is dark, or whose edge still has
    /// something to do for it, stays there: else the page would say that all are back.
    ///
    /// # Errors
    /// The site is to be taken off and is not back ([`EngineErrorKind::NotBack`]), it is not
    /// registered, or the journal or the register cannot be written.
    pub fn show_site(
        &self,
        actor: &str,
        site: &GateKey,
        is_public: bool,
    ) -> Result<(), EngineError> {
        let one = self.one_act();
        if self.sites().iter().any(|it| it.slug == *site && it.public == is_public) {
            return Ok(());
        }
        let is_away = |site| self.with_ledger(|it| it.display(site).1 || it.is_at_work(site));
        if !is_public && is_away(site) {
            let context = format!("{site} is not back");
            return Err(EngineError::new(EngineErrorKind::NotBack, context));
        }
        let act = if is_public { "site-shown" } else { "site-hidden" }.to_owned();
        let facts = BTreeMap::from([("site".to_owned(), site.to_string())]);
        let entry = Entry::Access { act, account: actor.to_owned(), facts };
        self.append(actor, vec![(String::new(), entry)])?;
        self.store().show_site(site, is_public, self.now(), actor)?;
        drop(one);
        self.follow_store()
    }
}
