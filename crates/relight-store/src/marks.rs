//! Marks on sites that only people set: which may be drilled, and which no plan may take dark.

use std::collections::BTreeSet;

use relight_model::{GateKey, Timestamp};
use rusqlite::params;

use crate::register::{Change, note_change, slug_of};
use crate::{Store, StoreError, StoreErrorKind};

/// What a person said about a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SiteMark {
    /// A drill may take it dark: nobody needs it.
    DrillOk,
    /// No plan may take it dark (911, hospitals).
    Protected,
}

impl SiteMark {
    /// Every mark.
    pub const ALL: [Self; 2] = [Self::DrillOk, Self::Protected];

    /// The stable name used in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DrillOk => "drill_ok",
            Self::Protected => "protected",
        }
    }
}

impl Store {
    /// The sites that bear a mark.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn marked(&self, mark: SiteMark) -> Result<BTreeSet<GateKey>, StoreError> {
        self.read("reading the marks of sites", |database| {
            let mut query =
                database.prepare_cached("SELECT slug FROM site_mark WHERE mark = ?1")?;
            let rows = query.query_map([mark.as_str()], |row| slug_of(row, 0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Sets a mark on a site, or takes it off; the same again changes nothing.
    ///
    /// # Errors
    /// The site is not registered (`NotFound`), a site would be both protected and drilled
    /// (`Limit`), or the database cannot be written.
    pub fn set_mark(
        &self,
        site: &GateKey,
        mark: SiteMark,
        is_set: bool,
        now: Timestamp,
        actor: &str,
    ) -> Result<(), StoreError> {
        if self.site_by_slug(site.as_str())?.is_none() {
            let context = format!("no site is called {site}");
            return Err(StoreError::new(StoreErrorKind::NotFound, context));
        }
        for other in SiteMark::ALL.into_iter().filter(|other| *other != mark) {
            if is_set && self.marked(other)?.contains(site) {
                let context = format!("{site} is marked {} already", other.as_str());
                return Err(StoreError::new(StoreErrorKind::Limit, context));
            }
        }
        self.write("marking a site", |transaction| {
            let change = if is_set {
                "INSERT OR IGNORE INTO site_mark (slug, mark) VALUES (?1, ?2)"
            } else {
                "DELETE FROM site_mark WHERE slug = ?1 AND mark = ?2"
            };
            if transaction.execute(change, params![site.as_str(), mark.as_str()])? == 0 {
                return Ok(());
            }
            let what = format!("mark of site {site}");
            let (before, after) = if is_set { ("", mark.as_str()) } else { (mark.as_str(), "") };
            Ok(note_change(transaction, Change { at: now, actor, what: &what }, before, after)?)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::open_with_sites;

    #[test]
    fn a_mark_is_set_once_noted_and_taken_off() {
        let (_folder, store) = open_with_sites(2);
        let site = store.sites().unwrap()[0].slug.clone();
        let from = store.register_changes(1).unwrap().len() as u64 + 1;
        let key = |text: &str| GateKey::new(text).unwrap();
        for _ in 0..2 {
            store.set_mark(&site, SiteMark::DrillOk, true, 1, "anna").unwrap();
        }
        assert_eq!(store.marked(SiteMark::DrillOk).unwrap(), [site.clone()].into());
        assert!(store.marked(SiteMark::Protected).unwrap().is_empty());
        let both = store.set_mark(&site, SiteMark::Protected, true, 2, "anna").unwrap_err();
        assert_eq!(both.kind(), StoreErrorKind::Limit, "a drill would take it dark");
        let nobody = store.set_mark(&key("x"), SiteMark::DrillOk, true, 2, "anna").unwrap_err();
        assert_eq!(nobody.kind(), StoreErrorKind::NotFound);
        store.set_mark(&site, SiteMark::DrillOk, false, 3, "zoe").unwrap();
        assert!(store.marked(SiteMark::DrillOk).unwrap().is_empty());
        let changes = store.register_changes(from).unwrap();
        let told: Vec<_> =
            changes.iter().map(|it| (it.actor.as_str(), it.after.as_str())).collect();
        assert_eq!(told, [("anna", "drill_ok"), ("zoe", "")]);
    }
}
