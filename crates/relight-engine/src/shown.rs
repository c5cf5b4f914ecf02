//! Which sites the public page shows, as people say it.

use std::collections::BTreeMap;

use relight_model::GateKey;

use crate::engine::Engine;
use crate::error::EngineError;
use crate::incident::Entry;

impl Engine {
    /// Shows a site on the public page, or takes it off, under the name of a person; the journal
    /// says so first. The same again changes nothing.
    ///
    /// # Errors
    /// The site is not registered, or the journal or the register cannot be written.
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
        let act = if is_public { "site-shown" } else { "site-hidden" }.to_owned();
        let facts = BTreeMap::from([("site".to_owned(), site.to_string())]);
        let entry = Entry::Access { act, account: actor.to_owned(), facts };
        self.append(actor, vec![(String::new(), entry)])?;
        self.store().show_site(site, is_public, self.now(), actor)?;
        drop(one);
        self.follow_store()
    }
}
