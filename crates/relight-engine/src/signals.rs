//! What is known about the exploitation of a flaw: catalogues, scores, decisions. Signals order
//! work; they never change a verdict.

use std::collections::{BTreeSet, HashMap};

use relight_formats::advisory::{self, Input, Score};
use relight_match::Group;
use relight_model::{OrgId, Signal, Site, SiteId, Timestamp};
use relight_store::{Store, StoreError};

use crate::silenced::disabled_sources;

/// The name of the table of EPSS scores.
pub(crate) const EPSS: &str = "epss";

/// The EPSS scores of the newest day that was imported.
#[derive(Clone, Debug, Default)]
pub struct Scores {
    model: String,
    date: Timestamp,
    by_cve: HashMap<String, (u32, u32)>,
}

impl Scores {
    /// Reads them from the store; none is an empty table.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn read(store: &Store) -> Result<Self, StoreError> {
        if disabled_sources(store)?.contains_key(EPSS) {
            return Ok(Self::default());
        }
        let Some(stored) = store.advisory_scores(EPSS)? else { return Ok(Self::default()) };
        let read = advisory::read(&Input::whole("", EPSS, &stored.bytes));
        let rows = read.scores.map(|scores| scores.rows).unwrap_or_default();
        let row = |Score { cve, score, percentile }| (cve, (score, percentile));
        let by_cve = rows.into_iter().map(row).collect();
        Ok(Self { model: stored.model, date: stored.at, by_cve })
    }

    /// The score of a flaw.
    pub fn of(&self, cve: &str) -> Option<Signal> {
        let &(score, percentile) = self.by_cve.get(cve)?;
        let (date, model) = (self.date, self.model.clone());
        Some(Signal::Epss { score, percentile, date, model })
    }

    /// Everything that is known about a group, without doubles.
    pub fn signals(&self, group: &Group) -> Vec<Signal> {
        let in_force = group.records().filter(|record| record.withdrawn.is_none());
        let mut all: Vec<Signal> = in_force.flat_map(|it| &it.signals).cloned().collect();
        all.extend(self.of(&group.id));
        all.sort();
        all.dedup();
        all
    }
}

/// How far back an attempt still ranks a site, in days.
pub const PROBED_DAYS: i64 = 90;

/// Which sites and bodies were tried for a flaw, by what is kept of their logs.
#[derive(Clone, Debug, Default)]
pub struct Attempts {
    sites: BTreeSet<SiteId>,
    bodies: BTreeSet<OrgId>,
}

impl Attempts {
    /// The attempts of the last [`PROBED_DAYS`] days at any door that leads to the flaw.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn read(
        store: &Store,
        group: &Group,
        sites: &[Site],
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let today = now.div_euclid(86_400);
        let mut tried = BTreeSet::new();
        for id in group.aliases.iter().chain([&group.id]) {
            for door in relight_watch::doors_of(id) {
                for (_, day) in store.watch_probes(door, today - PROBED_DAYS, today)? {
                    tried.extend(day.iter().map(SiteId));
                }
            }
        }
        let bodies = sites.iter().filter(|site| tried.contains(&site.id)).map(|site| site.org);
        Ok(Self { bodies: bodies.collect(), sites: tried })
    }

    /// At how many bodies somebody tried.
    pub fn bodies(&self) -> usize {
        self.bodies.len()
    }

    /// The site itself was tried, and somebody of its body was.
    pub fn against(&self, site: &Site) -> (bool, bool) {
        (self.sites.contains(&site.id), self.bodies.contains(&site.org))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::{ImportOptions, import};

    #[test]
    fn scores_catalogues_and_decisions_come_together() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("data")).unwrap();
        assert!(Scores::read(&store).unwrap().of("CVE-2021-44228").is_none());
        let epss = "#model_version:m,score_date:2025-08-25T00:00:00Z\ncve,epss,percentile\n\
                    CVE-2021-44228,0.94,0.99\n";
        let kev = r#"{"catalogVersion":"1","vulnerabilities":[{"cveID":"CVE-2021-44228",
                    "dateAdded":"2021-12-10","knownRansomwareCampaignUse":"Known"}]}"#;
        let files = [("e.csv", epss), ("k.json", kev)].map(|(name, text)| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        });
        import(&store, &files, &ImportOptions::default(), &mut |_, _| {}).unwrap();
        let scores = Scores::read(&store).unwrap();
        let known = crate::advisories_of(&store).unwrap();
        let group = known.group("CVE-2021-44228").unwrap();
        let signals = scores.signals(group);
        let is = |of: fn(&Signal) -> bool| signals.iter().any(of);
        assert!(is(|it| matches!(it, Signal::Kev { ransomware: true, .. })));
        assert!(is(|it| matches!(it, Signal::Epss { score: 940_000, percentile: 990_000, .. })));
    }

    /// Goal: what leaves a catalogue is removed from the day of the list that lacks it, counts no
    /// more as exploited, and counts again when it is back.
    #[test]
    fn an_entry_that_left_its_catalogue_is_removed_until_it_is_back() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("data")).unwrap();
        let path = folder.path().join("k.json");
        let bring = |has_it: bool, now: Timestamp| {
            let ids = (0..40).filter(|id| has_it || *id > 0);
            let rows =
                ids.map(|id| format!(r#"{{"cveID":"CVE-2099-{id}","dateAdded":"2021-12-10"}}"#));
            let rows = rows.collect::<Vec<_>>().join(",");
            let text = format!(r#"{{"catalogVersion":"1","vulnerabilities":[{rows}]}}"#);
            std::fs::write(&path, text).unwrap();
            let options = ImportOptions { now, ..ImportOptions::default() };
            import(&store, std::slice::from_ref(&path), &options, &mut |_, _| {}).unwrap();
            let known = crate::advisories_of(&store).unwrap();
            let group = known.group("CVE-2099-0").unwrap();
            let removed = Scores::default().signals(group).into_iter().find_map(|it| match it {
                Signal::Kev { removed, .. } => Some(removed),
                _ => None,
            });
            (group.known_exploited(), removed)
        };
        assert_eq!(bring(true, 10), (true, Some(None)));
        assert_eq!(bring(false, 20), (false, Some(Some(20))));
        assert_eq!(bring(false, 30), (false, Some(Some(20))), "the day it left");
        assert_eq!(bring(true, 40), (true, Some(None)));
    }
}
