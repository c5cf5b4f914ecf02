//! Import of sites as a plan: what would be added and changed, what conflicts; then apply it.

mod apply;
#[cfg(test)]
mod parts_tests;
mod plan;
mod shown;
mod text;

pub use plan::is_host;

use relight_model::{Criticality, Digest, GateKey, SiteExposure, SitePart, Timestamp};

use crate::{
    Store, StoreError, StoreErrorKind, blob, fields::write_line, register::newest_change,
    store::Failure,
};

/// Most rows in one import.
pub const IMPORT_ROWS_MAX: usize = 100_000;

/// Longest text in one field of a row, in bytes.
pub const TEXT_BYTES_MAX: usize = 4_096;

/// Most other names of one site: each is asked for whenever dark is proven.
pub const ALIASES_MAX: usize = 64;

/// Most parts of one site that can be closed alone.
pub const SITE_PARTS_MAX: usize = 16;

/// One site, as a file tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteRow {
    /// Line in the file, from 1; 0 when it comes from the register.
    pub line: usize,
    /// The unique short name.
    pub slug: GateKey,
    /// Name in French.
    pub name_fr: String,
    /// Name in English.
    pub name_en: String,
    /// Scheme and host (`https://www.example.qc`), or the host alone.
    pub origin: String,
    /// Other host names that lead to it; `None` where the file does not say, which leaves them as
    /// they are.
    pub aliases: Option<Vec<String>>,
    /// Parts that can be closed alone; `None` where the file does not say, which leaves them as
    /// they are.
    pub parts: Option<Vec<SitePart>>,
    /// Name of the body that answers for it; added to the register when it is new.
    pub organisation: String,
    /// Sector of that body.
    pub sector: String,
    /// How much depends on it.
    pub criticality: Criticality,
    /// Who can reach it; `None` where the file does not say, which leaves it as it is.
    pub exposure: Option<SiteExposure>,
    /// Name of the edge that serves it; empty when it is not known.
    pub edge: String,
    /// Shown on the public page.
    pub public: bool,
    /// How else the service is reached, in French; `None` where the file does not say, which
    /// leaves it as it is.
    pub channel_fr: Option<String>,
    /// The same in English, which a file may say alone.
    pub channel_en: Option<String>,
}

/// What an import would do. Repeating an import after it was applied gives an empty plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportPlan {
    /// Number of the newest register change when the plan was made: on any other the plan is stale.
    pub base: u64,
    /// New sites, by line.
    pub added: Vec<SiteRow>,
    /// Changed sites, in an order in which no host name has two owners at any moment.
    pub changed: Vec<SiteChange>,
    /// Sites that are already as the file says.
    pub untouched: Vec<GateKey>,
    /// Rows that are not taken over, by line.
    pub conflicts: Vec<ImportConflict>,
}

/// A site before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteChange {
    /// As it is in the register.
    pub before: SiteRow,
    /// As the file says.
    pub after: SiteRow,
}

/// A row that is not taken over; the others are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportConflict {
    /// Line in the file.
    pub line: usize,
    /// The site that the row is about.
    pub slug: GateKey,
    /// What is wrong.
    pub conflict: Conflict,
}

/// What is wrong with a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Conflict {
    /// The origin has no host name, or one that no host can have.
    BadOrigin,
    /// Another name of the site is one that no host can have.
    BadAlias,
    /// The site has more than [`ALIASES_MAX`] other names.
    TooManyAliases,
    /// The site has more than [`SITE_PARTS_MAX`] parts.
    TooManyParts,
    /// Two parts have the same name, a key would be too long, or it is that of a site.
    PartTwice {
        /// The name of the part.
        part: String,
    },
    /// The name of the site is the key of a part of another.
    SlugOfPart {
        /// That site.
        of: GateKey,
    },
    /// The row names no organisation.
    NoOrganisation,
    /// A text is longer than [`TEXT_BYTES_MAX`].
    TextTooLong,
    /// An earlier line is about the same site.
    SlugTwice {
        /// That line.
        first: usize,
    },
    /// An earlier line claims the same host name for another site.
    HostTwice {
        /// That line.
        first: usize,
    },
    /// The register has the host name under another site.
    HostTaken {
        /// That site.
        by: GateKey,
    },
    /// An earlier line puts the same organisation into another sector.
    SectorTwice {
        /// That line.
        first: usize,
    },
}

impl ImportPlan {
    /// Nothing would be written.
    pub const fn is_empty(&self) -> bool {
        self.added.is_empty() && self.changed.is_empty()
    }

    /// Names exactly this plan on exactly this register: what was shown is what is applied.
    pub fn hash(&self) -> Digest {
        let mut text = String::new();
        write_line(&mut text, ["relight.import/1", &self.base.to_string()]);
        for row in &self.added {
            write_line(&mut text, ["add"]);
            row.write(&mut text);
        }
        for SiteChange { before, after } in &self.changed {
            write_line(&mut text, ["change"]);
            before.write(&mut text);
            after.write(&mut text);
        }
        blob::digest_of(text.as_bytes())
    }
}

impl Store {
    /// What importing these rows would do; nothing is written.
    ///
    /// # Errors
    /// More than [`IMPORT_ROWS_MAX`] rows (`Limit`), or the database cannot be read.
    pub fn plan_import(&self, rows: &[SiteRow]) -> Result<ImportPlan, StoreError> {
        if rows.len() > IMPORT_ROWS_MAX {
            let context = format!("importing {} rows: at most {IMPORT_ROWS_MAX}", rows.len());
            return Err(StoreError::new(StoreErrorKind::Limit, context));
        }
        let (held, base) = self.read("reading the register", |database| {
            Ok((apply::rows_in(database)?, newest_change(database)?))
        })?;
        Ok(plan::plan(&held, rows, base))
    }

    /// Writes what the plan says, in one transaction: each new site gets one asset of its name.
    ///
    /// # Errors
    /// The register changed since the plan was made (`PlanStale`), or the database cannot be
    /// written; then nothing is.
    pub fn apply_import(
        &self,
        plan: &ImportPlan,
        now: Timestamp,
        actor: &str,
    ) -> Result<(), StoreError> {
        self.write("importing sites", |transaction| {
            if newest_change(transaction)? != plan.base {
                let context = "importing sites: the register changed since the plan was made; \
                               hint: make the plan again";
                return Err(Failure::rule(StoreErrorKind::PlanStale, context));
            }
            Ok(apply::write(transaction, plan, now, actor)?)
        })
    }
}

impl SiteRow {
    /// The keys of the parts.
    fn part_keys(&self) -> impl Iterator<Item = GateKey> {
        self.parts.iter().flatten().filter_map(|part| part.key(&self.slug).ok())
    }

    fn hosts(&self) -> impl Iterator<Item = &str> {
        let aliases = self.aliases.iter().flatten().map(String::as_str);
        std::iter::once(self.host()).chain(aliases)
    }

    fn host(&self) -> &str {
        let rest = self.origin.split_once("://").map_or(self.origin.as_str(), |(_, rest)| rest);
        rest.split(['/', ':']).next().unwrap_or(rest)
    }
}

#[cfg(test)]
mod tests {
    use relight_model::{AssetId, OrgId, SiteId};
    use testkit::Rng;

    use super::*;
    use crate::testing::{behind, import, open, open_with_sites, rows};

    /// The plan for some rows on a store, as text.
    fn planned(store: &Store, rows: &[SiteRow]) -> String {
        let plan = store.plan_import(rows).unwrap();
        let slugs = |list: Vec<&GateKey>| {
            list.into_iter().map(GateKey::as_str).collect::<Vec<_>>().join(" ")
        };
        let mut text = format!(
            "added [{}] changed [{}] untouched {}",
            slugs(plan.added.iter().map(|row| &row.slug).collect()),
            slugs(plan.changed.iter().map(|change| &change.after.slug).collect()),
            plan.untouched.len(),
        );
        for ImportConflict { line, slug, conflict } in plan.conflicts {
            text.push_str(&format!("; {line} {slug}: {conflict:?}"));
        }
        text
    }

    fn with_origin(row: &SiteRow, origin: &str) -> SiteRow {
        SiteRow { origin: origin.into(), ..row.clone() }
    }

    #[test]
    fn an_import_is_planned_applied_and_then_has_no_effect() {
        let (_folder, store) = open();
        let rows = rows(3);
        assert_eq!(planned(&store, &rows), "added [site-0 site-1 site-2] changed [] untouched 0");
        assert_eq!(store.sites().unwrap(), []);
        import(&store, &rows);
        assert_eq!(planned(&store, &rows), "added [] changed [] untouched 3");
        let changes = store.register_changes(0).unwrap().len();
        import(&store, &rows);
        assert_eq!(store.register_changes(0).unwrap().len(), changes);
    }

    #[test]
    fn a_new_site_gets_dense_numbers_and_one_asset_of_its_name() {
        let (_folder, store) = open_with_sites(12);
        let sites = store.sites().unwrap();
        assert!(sites.iter().zip(1..).all(|(site, number)| site.id == SiteId(number)));
        assert_eq!(sites[11].org, OrgId(2));
        assert_eq!(store.organisations().unwrap()[1].name, "Body 1");
        let site = store.site_by_slug("site-4").unwrap().unwrap();
        let asset = store.asset_by_key("site-4").unwrap().unwrap();
        assert!(store.placements().unwrap().contains(&(site.id, asset)));
        let assets = store.assets().unwrap();
        assert_eq!((assets.len(), assets[4].kind.as_str()), (12, "application"));
        assert_eq!(store.site_by_slug("site-99").unwrap(), None);
        assert_eq!(store.asset_by_key("site-99").unwrap(), None::<AssetId>);
    }

    #[test]
    fn a_change_is_kept_with_before_after_who_and_when() {
        let (_folder, store) = open_with_sites(2);
        let mut rows = rows(2);
        rows[1].name_fr = "École\tnouvelle".into();
        rows[1].organisation = "Other body".into();
        rows[1].sector = "education".into();
        assert_eq!(planned(&store, &rows), "added [] changed [site-1] untouched 1");
        let plan = store.plan_import(&rows).unwrap();
        store.apply_import(&plan, 77, "anna").unwrap();
        let changes = store.register_changes(plan.base + 1).unwrap();
        let whats: Vec<_> = changes.iter().map(|change| change.what.as_str()).collect();
        assert_eq!(whats, ["organisation Other body", "site site-1"]);
        assert_eq!((changes[1].at, changes[1].actor.as_str()), (77, "anna"));
        assert!(changes[1].before.contains("Site n° 1\tSite no. 1\thttps://site-1.example"));
        assert!(changes[1].after.contains("École\\tnouvelle"), "{}", changes[1].after);
        let site = store.site_by_slug("site-1").unwrap().unwrap();
        assert_eq!((site.name_fr.as_str(), site.org), ("École\tnouvelle", OrgId(2)));
        assert_eq!(store.assets().unwrap()[1].org, OrgId(2));
    }

    #[test]
    fn a_body_moves_to_another_sector_once() {
        let (_folder, store) = open_with_sites(2);
        let rows: Vec<_> =
            rows(2).into_iter().map(|row| SiteRow { sector: "education".into(), ..row }).collect();
        import(&store, &rows);
        assert_eq!(store.organisations().unwrap()[0].sector, "education");
        assert_eq!(planned(&store, &rows), "added [] changed [] untouched 2");
    }

    #[test]
    fn a_conflict_stops_its_row_only() {
        let (_folder, store) = open_with_sites(1);
        let good = rows(9);
        let mut rows = good[1..].to_vec();
        rows[1].slug = good[1].slug.clone();
        rows[2].origin = "https://SITE-1.example/path".into();
        rows[3].origin = "https://site-0.example".into();
        rows[4].sector = "other".into();
        rows[5].origin = "ftp://site-6.example".into();
        rows[6].organisation = String::new();
        rows[7].name_en = "x".repeat(TEXT_BYTES_MAX + 1);
        let expected = "added [site-1] changed [] untouched 0\
            ; 4 site-1: SlugTwice { first: 3 }\
            ; 5 site-3: HostTwice { first: 3 }\
            ; 6 site-4: HostTaken { by: GateKey(\"site-0\") }\
            ; 7 site-5: SectorTwice { first: 3 }\
            ; 8 site-6: BadOrigin; 9 site-7: NoOrganisation; 10 site-8: TextTooLong";
        assert_eq!(planned(&store, &rows), expected);
        let plan = store.plan_import(&rows).unwrap();
        store.apply_import(&plan, 1, "test").unwrap();
        assert_eq!(store.sites().unwrap().len(), 2);
        assert_eq!(
            planned(&store, &rows),
            expected.replace("[site-1]", "[]").replace("d 0", "d 1")
        );
    }

    #[test]
    fn origins_are_checked_and_written_in_one_way() {
        let row = &rows(1)[0];
        for (origin, expected) in [
            ("HTTPS://WWW.Example.QC/Path", Ok("https://www.example.qc/Path")),
            ("http://a.example:8080", Ok("http://a.example:8080")),
            ("A.example", Ok("a.example")),
            ("", Err(Conflict::BadOrigin)),
            ("https://", Err(Conflict::BadOrigin)),
            ("https:///path", Err(Conflict::BadOrigin)),
            ("https://a..example", Err(Conflict::BadOrigin)),
            ("https://a.example.", Err(Conflict::BadOrigin)),
            ("https://user@a.example", Err(Conflict::BadOrigin)),
            ("https://a b", Err(Conflict::BadOrigin)),
            ("https://é.example", Err(Conflict::BadOrigin)),
            (&"a.".repeat(126), Err(Conflict::BadOrigin)),
            (&format!("{}a", "a.".repeat(127)), Err(Conflict::BadOrigin)),
        ] {
            let checked = with_origin(row, origin).checked().map(|row| row.origin);
            assert_eq!(checked, expected.map(str::to_owned), "{origin}");
        }
    }

    /// Goal: a host name may move between sites in one file, whatever the order of the lines, and
    /// the same file again finds nothing to do. Method: a chain of moves, shuffled by seed.
    #[test]
    fn host_names_may_move_in_any_order_of_lines() {
        for seed in 0..20 {
            let (_folder, store) = open_with_sites(6);
            let mut moved = rows(7);
            for number in 0..6 {
                moved[number + 1].origin = format!("https://site-{number}.example");
            }
            moved[0].origin = "https://new.example".into();
            let mut rng = Rng::new(seed);
            for place in (1..moved.len()).rev() {
                moved.swap(place, rng.below(place + 1));
            }
            import(&store, &moved);
            assert_eq!(planned(&store, &moved), "added [] changed [] untouched 7", "seed {seed}");
        }
    }

    #[test]
    fn an_exchange_of_host_names_needs_two_steps() {
        let (_folder, store) = open_with_sites(2);
        let rows = rows(2);
        let swapped =
            [with_origin(&rows[0], &rows[1].origin), with_origin(&rows[1], &rows[0].origin)];
        let conflicts = store.plan_import(&swapped).unwrap().conflicts;
        assert!(conflicts.iter().all(|c| matches!(c.conflict, Conflict::HostTaken { .. })));
        assert_eq!(conflicts.len(), 2);
    }

    #[test]
    fn a_plan_on_an_older_register_is_stale_and_its_hash_names_it() {
        let (_folder, store) = open();
        let (first, second) = (rows(1), rows(2));
        let stale = store.plan_import(&second).unwrap();
        assert_eq!(stale.hash(), store.plan_import(&second).unwrap().hash());
        import(&store, &first);
        let error = store.apply_import(&stale, 1, "test").unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::PlanStale);
        assert_eq!(store.sites().unwrap().len(), 1);
        let fresh = store.plan_import(&second).unwrap();
        assert_ne!(fresh.hash(), stale.hash());
        assert!(!fresh.is_empty());
    }

    fn with_aliases(row: &SiteRow, aliases: &[&str]) -> SiteRow {
        let aliases = aliases.iter().map(|alias| (*alias).to_owned()).collect();
        SiteRow { aliases: Some(aliases), ..row.clone() }
    }

    fn aliases(store: &Store) -> Vec<String> {
        store.sites().unwrap().iter().map(|site| site.aliases.join(" ")).collect()
    }

    #[test]
    fn other_names_are_kept_in_one_way_and_left_where_a_file_says_nothing_of_them() {
        let (_folder, store) = open();
        let plain = rows(2);
        let named = with_aliases(
            &plain[0],
            &["WWW.site-0.example", "old.example", "site-0.example", "old.example"],
        );
        import(&store, &[named.clone(), plain[1].clone()]);
        assert_eq!(aliases(&store), ["old.example www.site-0.example", ""]);
        assert_eq!(planned(&store, &[named]), "added [] changed [] untouched 1");
        assert_eq!(planned(&store, &plain), "added [] changed [] untouched 2");
        let site = store.site_by_slug("site-0").unwrap().unwrap();
        let hosts: Vec<&str> = site.hosts().collect();
        assert_eq!(hosts, ["site-0.example", "old.example", "www.site-0.example"]);
        // The canonical name becomes another one that was known already.
        import(&store, &[with_origin(&plain[0], "https://old.example")]);
        assert_eq!(aliases(&store), ["www.site-0.example", ""]);
        import(&store, &[with_aliases(&plain[0], &[])]);
        assert_eq!(aliases(&store), ["", ""]);
        let change = store.register_changes(0).unwrap().pop().unwrap();
        assert!(change.before.ends_with("\twww.site-0.example"), "{}", change.before);
    }

    #[test]
    fn no_name_is_two_sites() {
        let (_folder, store) = open();
        let plain = rows(4);
        import(&store, &[with_aliases(&plain[0], &["www.example", "old.example"])]);
        let taken = |row: &SiteRow| planned(&store, std::slice::from_ref(row));
        let by =
            r#"added [] changed [] untouched 0; 3 site-1: HostTaken { by: GateKey("site-0") }"#;
        for row in [
            with_origin(&plain[1], "https://old.example"),
            with_aliases(&plain[1], &["new.example", "Old.Example"]),
            with_aliases(&plain[1], &["site-0.example"]),
        ] {
            assert_eq!(taken(&row), by, "{row:?}");
        }
        let twice = "added [site-2] changed [] untouched 0; 5 site-3: HostTwice { first: 4 }";
        let both =
            [with_aliases(&plain[2], &["x.example"]), with_origin(&plain[3], "http://X.example")];
        assert_eq!(planned(&store, &both), twice);
        // One name moves to another site in one file, in either order of the lines.
        let mut moved =
            [with_aliases(&plain[1], &["old.example"]), with_aliases(&plain[0], &["www.example"])];
        for _ in 0..2 {
            let plan = "added [site-1] changed [site-0] untouched 0";
            assert_eq!(planned(&store, &moved), plan);
            moved.reverse();
        }
        import(&store, &moved);
        assert_eq!(aliases(&store), ["www.example", "old.example"]);
    }

    #[test]
    fn other_names_that_no_host_can_have_and_too_many_of_them_are_refused() {
        let row = &rows(1)[0];
        for bad in ["", "a..b", "https://a.example", "a b", "é.example", "*.example"] {
            assert_eq!(with_aliases(row, &[bad]).checked(), Err(Conflict::BadAlias), "{bad}");
        }
        let names: Vec<String> = (0..=ALIASES_MAX).map(|n| format!("n{n}.example")).collect();
        let with = |names: &[String]| SiteRow { aliases: Some(names.to_vec()), ..row.clone() };
        assert!(with(&names[..ALIASES_MAX]).checked().is_ok());
        assert_eq!(with(&names).checked(), Err(Conflict::TooManyAliases));
    }

    #[test]
    fn a_file_that_says_nothing_of_exposure_leaves_it() {
        let (_folder, store) = open();
        let mut rows = rows(2);
        rows[0].exposure = Some(SiteExposure::Internal);
        import(&store, &rows);
        let exposures = || store.sites().unwrap().iter().map(|it| it.exposure).collect::<Vec<_>>();
        assert_eq!(exposures(), [SiteExposure::Internal, SiteExposure::Unknown]);
        rows[0].exposure = None;
        assert_eq!(planned(&store, &rows), "added [] changed [] untouched 2");
        rows[0].edge = "edge-b".into();
        import(&store, &rows);
        assert_eq!(exposures(), [SiteExposure::Internal, SiteExposure::Unknown]);
        rows[0].exposure = Some(SiteExposure::Unknown);
        rows[1].exposure = Some(SiteExposure::Controlled);
        assert_eq!(planned(&store, &rows), "added [] changed [site-0 site-1] untouched 0");
        import(&store, &rows);
        assert_eq!(exposures(), [SiteExposure::Unknown, SiteExposure::Controlled]);
        let last = store.register_changes(0).unwrap().pop().unwrap();
        assert!(last.before.ends_with("\tpublic\tunknown\t"), "{last:?}");
        assert!(last.after.ends_with("\tpublic\tcontrolled\t"), "{last:?}");
        behind(&store).execute("UPDATE site SET exposure = 'moon'", []).unwrap();
        assert_eq!(store.sites().unwrap_err().kind(), StoreErrorKind::Corrupt);
    }

    #[test]
    fn a_hash_names_every_field_of_every_row() {
        let (_folder, store) = open();
        let hash = |row: SiteRow| store.plan_import(&[row]).unwrap().hash();
        let row = rows(1).remove(0);
        let slug = GateKey::new("other").unwrap();
        let hashes = [
            row.clone(),
            SiteRow { slug, ..row.clone() },
            SiteRow { name_fr: "x".into(), ..row.clone() },
            SiteRow { name_en: "x".into(), ..row.clone() },
            SiteRow { origin: "x.example".into(), ..row.clone() },
            SiteRow { organisation: "x".into(), ..row.clone() },
            SiteRow { sector: "x".into(), ..row.clone() },
            SiteRow { criticality: Criticality::Vital, ..row.clone() },
            SiteRow { edge: "x".into(), ..row.clone() },
            SiteRow { public: false, ..row.clone() },
            SiteRow { exposure: Some(SiteExposure::Internal), ..row.clone() },
        ]
        .map(hash);
        let distinct: std::collections::BTreeSet<_> = hashes.iter().collect();
        assert_eq!(distinct.len(), hashes.len());
        assert_eq!(hash(SiteRow { line: 99, ..row }), hashes[0]);
    }

    #[test]
    fn an_import_that_fails_midway_writes_nothing() {
        let (_folder, store) = open();
        let mut plan = store.plan_import(&rows(5)).unwrap();
        plan.added.push(plan.added[0].clone());
        assert!(store.apply_import(&plan, 1, "test").is_err());
        assert_eq!(store.sites().unwrap(), []);
        assert_eq!(store.register_changes(0).unwrap(), []);
    }

    #[test]
    fn more_rows_than_the_limit_are_refused() {
        let (_folder, store) = open();
        let rows = vec![rows(1)[0].clone(); IMPORT_ROWS_MAX + 1];
        assert_eq!(store.plan_import(&rows).unwrap_err().kind(), StoreErrorKind::Limit);
        assert_eq!(store.plan_import(&rows[1..]).unwrap().added.len(), 1);
    }

    #[test]
    fn a_damaged_row_is_an_error_not_a_wrong_site() {
        let (_folder, store) = open_with_sites(2);
        behind(&store).execute("UPDATE site SET slug = '../x' WHERE id = 2", []).unwrap();
        assert_eq!(store.sites().unwrap_err().kind(), StoreErrorKind::Corrupt);
    }
}
