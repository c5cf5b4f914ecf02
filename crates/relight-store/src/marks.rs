//! Marks on sites that only people set: which may be drilled, and which no plan may take dark.

use std::collections::{BTreeMap, BTreeSet};

use relight_model::{GateKey, Timestamp};
use rusqlite::params;

use crate::register::{Change, note_change, slug_of};
use crate::store::Failure;
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

/// Most CPE names of one site.
pub const SITE_CPES_MAX: usize = 64;

/// CPE names stand among the marks of their sites; none begins so.
const CPE: &str = "cpe:";

impl Store {
    /// The CPE names that people gave to sites (appliances, products of vendors), sorted.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn cpes_of_sites(&self) -> Result<BTreeMap<GateKey, Vec<String>>, StoreError> {
        self.read("reading the CPE names of sites", |database| {
            let mut query = database.prepare_cached(
                "SELECT slug, mark FROM site_mark WHERE mark LIKE 'cpe:%' ORDER BY slug, mark",
            )?;
            let mut all: BTreeMap<GateKey, Vec<String>> = BTreeMap::new();
            let rows = query.query_map([], |row| Ok((slug_of(row, 0)?, row.get(1)?)))?;
            for row in rows {
                let (slug, name) = row?;
                all.entry(slug).or_default().push(name);
            }
            Ok(all)
        })
    }

    /// Changes the CPE names of a site, which begin with `cpe:`, and gives those that it has then.
    /// They are read and written as one: nobody else's name is lost. No change is none.
    ///
    /// # Errors
    /// The site is not registered (`NotFound`), there would be more than [`SITE_CPES_MAX`] or one
    /// is no CPE name (`Limit`), or the database cannot be written.
    pub fn change_cpes(
        &self,
        site: &GateKey,
        change: impl FnOnce(&mut BTreeSet<String>),
        now: Timestamp,
        actor: &str,
    ) -> Result<BTreeSet<String>, StoreError> {
        if self.site_by_slug(site.as_str())?.is_none() {
            let context = format!("no site is called {site}");
            return Err(StoreError::new(StoreErrorKind::NotFound, context));
        }
        self.write("naming a site", |transaction| {
            let before: BTreeSet<String> = transaction
                .prepare_cached("SELECT mark FROM site_mark WHERE slug = ?1 AND mark LIKE 'cpe:%'")?
                .query_map([site.as_str()], |row| row.get(0))?
                .collect::<Result<_, _>>()?;
            let mut after = before.clone();
            change(&mut after);
            if after.len() > SITE_CPES_MAX || !after.iter().all(|name| name.starts_with(CPE)) {
                let context = format!("{site}: at most {SITE_CPES_MAX} names, each `cpe:…`");
                return Err(Failure::Rule(StoreError::new(StoreErrorKind::Limit, context)));
            }
            if before == after {
                return Ok(after);
            }
            let clear = "DELETE FROM site_mark WHERE slug = ?1 AND mark LIKE 'cpe:%'";
            transaction.execute(clear, [site.as_str()])?;
            for name in &after {
                let add = "INSERT INTO site_mark (slug, mark) VALUES (?1, ?2)";
                transaction.execute(add, [site.as_str(), name])?;
            }
            let noted = Change { at: now, actor, what: &format!("CPE names of site {site}") };
            let words = |names: &BTreeSet<String>| {
                names.iter().map(String::as_str).collect::<Vec<_>>().join(" ")
            };
            note_change(transaction, noted, &words(&before), &words(&after))?;
            Ok(after)
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

    #[test]
    fn cpe_names_are_set_as_a_whole_noted_and_have_an_end() {
        let (_folder, store) = open_with_sites(2);
        let site = store.sites().unwrap()[1].slug.clone();
        let names = |count: usize| (0..count).map(|at| format!("cpe:2.3:a:v:p{at:02}")).collect();
        let change = |site: &GateKey, names: &BTreeSet<String>| {
            let all = |before: &mut BTreeSet<String>| before.clone_from(names);
            store.change_cpes(site, all, 1, "anna").map(drop)
        };
        let set = |names: &BTreeSet<String>| change(&site, names);
        let changes = || store.register_changes(1).unwrap().len();
        let before = changes();
        set(&names(2)).unwrap();
        set(&names(2)).unwrap();
        assert_eq!(changes(), before + 1, "twice is once");
        let wanted = vec!["cpe:2.3:a:v:p00".to_owned(), "cpe:2.3:a:v:p01".to_owned()];
        assert_eq!(store.cpes_of_sites().unwrap(), [(site.clone(), wanted)].into());
        assert!(store.marked(SiteMark::DrillOk).unwrap().is_empty(), "no name is a mark");
        set(&names(SITE_CPES_MAX)).unwrap();
        let kind = |result: Result<(), StoreError>| result.unwrap_err().kind();
        assert_eq!(kind(set(&names(SITE_CPES_MAX + 1))), StoreErrorKind::Limit);
        assert_eq!(kind(set(&["protected".to_owned()].into())), StoreErrorKind::Limit);
        let nobody = GateKey::new("x").unwrap();
        assert_eq!(kind(change(&nobody, &names(1))), StoreErrorKind::NotFound);
        set(&BTreeSet::new()).unwrap();
        assert!(store.cpes_of_sites().unwrap().is_empty());
    }

    /// Goal: who adds a name while somebody else does loses none.
    #[test]
    fn names_that_several_people_add_at_once_are_all_kept() {
        let (_folder, store) = open_with_sites(1);
        let site = store.sites().unwrap()[0].slug.clone();
        std::thread::scope(|scope| {
            for person in 0..4 {
                let (store, site) = (&store, &site);
                scope.spawn(move || {
                    for at in 0..8 {
                        let name = format!("cpe:2.3:a:v{person}:p{at}");
                        let add = |names: &mut BTreeSet<String>| {
                            names.insert(name);
                        };
                        store.change_cpes(site, add, 1, "anna").unwrap();
                    }
                });
            }
        });
        assert_eq!(store.cpes_of_sites().unwrap()[&site].len(), 32);
    }
}
