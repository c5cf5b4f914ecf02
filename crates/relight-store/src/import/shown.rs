//! One site that is shown on the public page, or not any more: the same change as an import makes.

use relight_model::{GateKey, Timestamp};

use super::{ImportPlan, SiteChange, SiteRow, apply};
use crate::store::Failure;
use crate::{Store, StoreError, StoreErrorKind};

impl Store {
    /// Says whether the public page shows a site; false when it did already.
    ///
    /// # Errors
    /// The site is not registered (`NotFound`), or the database cannot be written.
    pub fn show_site(
        &self,
        site: &GateKey,
        is_public: bool,
        now: Timestamp,
        actor: &str,
    ) -> Result<bool, StoreError> {
        self.write("showing a site", |transaction| {
            let rows = apply::rows_in(transaction)?;
            let Some(before) = rows.into_iter().find(|row| row.slug == *site) else {
                let context = format!("no site is called {site}");
                return Err(Failure::rule(StoreErrorKind::NotFound, &context));
            };
            if before.public == is_public {
                return Ok(false);
            }
            let after = SiteRow { public: is_public, ..before.clone() };
            let changed = vec![SiteChange { before, after }];
            let plan = ImportPlan { changed, ..ImportPlan::default() };
            apply::write(transaction, &plan, now, actor)?;
            Ok(true)
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{import, open, rows};
    use crate::{SiteRow, StoreErrorKind};

    #[test]
    fn a_site_is_shown_or_not_and_nothing_else_of_it_changes() {
        let (_folder, store) = open();
        let rows: Vec<SiteRow> = rows(2);
        import(&store, &rows);
        let before = store.sites().unwrap();
        assert!(store.show_site(&rows[0].slug, false, 7, "zoe").unwrap());
        assert!(!store.show_site(&rows[0].slug, false, 8, "zoe").unwrap(), "it was so already");
        let mut after = store.sites().unwrap();
        assert!(!after[0].public && after[1].public);
        let change = store.register_changes(0).unwrap().pop().unwrap();
        assert_eq!((change.at, change.actor.as_str()), (7, "zoe"));
        assert!(change.before.contains("\tpublic\t") && change.after.contains("\thidden\t"));
        after[0].public = true;
        assert_eq!(after, before);
        let nobody = relight_model::GateKey::new("nobody").unwrap();
        let error = store.show_site(&nobody, true, 9, "zoe").unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::NotFound);
    }
}
