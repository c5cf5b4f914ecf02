//! Query by example, answered from the inventory: which sites have archives like this one. Nothing
//! is scanned again.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use relight_match::{Comparison, Likeness, may_hide};
use relight_model::{Answer, AssetId, Coverage, SiteId, Timestamp, UnknownReason, Values};
use relight_store::{ContainerId, Holders, Index, ProfileLook, Store, StoreError};

/// What is asked, of which inventory, and when.
#[derive(Clone, Copy, Debug)]
pub struct AskAlike<'a> {
    /// What the examples are made of.
    pub examples: &'a [Values],
    /// The least share that counts, from 0 to 1.
    pub least: f64,
    /// The inventory.
    pub index: &'a Index,
    /// When it is asked.
    pub now: Timestamp,
    /// Inventories confirmed longer ago than this, in seconds, are stale.
    pub age_max: i64,
}

/// One archive, or folder of classes, that is like an example.
#[derive(Clone, Debug, PartialEq)]
pub struct Alike {
    /// Which example.
    pub example: usize,
    /// The asset that has it.
    pub asset: AssetId,
    /// Its evidence path.
    pub place: String,
    /// The share of the example that is inside it, from 0 to 1.
    pub of_example: f64,
    /// The share of it that is inside the example, from 0 to 1.
    pub of_container: f64,
}

/// What one site says.
#[derive(Clone, Debug, PartialEq)]
pub struct AlikeAnswer {
    /// The site.
    pub site: SiteId,
    /// Its answer.
    pub answer: Answer,
    /// Every reason that would make it unknown, sorted; an affected site can have some too.
    pub reasons: Vec<UnknownReason>,
    /// What was found, the most alike first.
    pub found: Vec<Alike>,
}

/// What the inventory says about all assets.
pub(crate) struct Looked {
    profiled: BTreeSet<AssetId>,
    /// Assets with a container that may hide something.
    hidden: BTreeSet<AssetId>,
    pub(crate) found: BTreeMap<AssetId, Vec<Alike>>,
    /// All examples have code.
    is_code: bool,
}

impl AskAlike<'_> {
    /// The answers of these sites, in their order.
    ///
    /// # Errors
    /// What the inventory knows does not read back as it was written, or cannot be read.
    pub fn sites(
        &self,
        store: &Store,
        sites: impl IntoIterator<Item = SiteId>,
    ) -> Result<Vec<AlikeAnswer>, StoreError> {
        let looked = store.look_at_profiles(|look| Looked::at(look, self.examples, self.least))?;
        Ok(sites.into_iter().map(|site| self.site(site, &looked)).collect())
    }

    fn site(&self, site: SiteId, looked: &Looked) -> AlikeAnswer {
        // Programs that do not list what they were built from hold no archives.
        let states = self.index.inventory_states(site).into_iter();
        let states: Vec<_> = states.map(|state| state.about(|_| false)).collect();
        let assets: Vec<AssetId> = self.index.assets_of(site).collect();
        let found = assets.iter().filter_map(|asset| looked.found.get(asset)).flatten();
        let mut found: Vec<Alike> = found.cloned().collect();
        found.sort_by(|a, b| {
            let share = |it: &Alike| it.of_example.max(it.of_container);
            let key = |it: &Alike| (it.example, it.asset);
            share(b).total_cmp(&share(a)).then(key(a).cmp(&key(b))).then(a.place.cmp(&b.place))
        });
        let mut reasons = Coverage::reasons(&states, self.now, self.age_max);
        if !assets.iter().all(|asset| looked.sees(*asset)) {
            reasons.push(UnknownReason::NotObservable);
            reasons.sort();
            reasons.dedup();
        }
        let answer = match (found.is_empty(), reasons.first()) {
            (false, _) => Answer::Affected,
            (true, Some(reason)) => Answer::Unknown(*reason),
            (true, None) => match Coverage::of(&states, self.now, self.age_max) {
                Ok(coverage) => Answer::Clear(coverage),
                Err(reason) => Answer::Unknown(reason),
            },
        };
        AlikeAnswer { site, answer, reasons, found }
    }
}

impl Looked {
    /// Looks for what is like these examples at least to a share.
    pub(crate) fn at(
        look: &ProfileLook<'_>,
        examples: &[Values],
        least: f64,
    ) -> Result<Self, StoreError> {
        let mut looked = Self {
            profiled: look.assets()?.into_iter().collect(),
            hidden: BTreeSet::new(),
            found: BTreeMap::new(),
            is_code: examples.iter().all(|example| !example.classes.is_empty()),
        };
        for (at, example) in examples.iter().enumerate() {
            let (likes, holders) = compare(look, example, least)?;
            let containers = holders.containers();
            let ids: Vec<ContainerId> =
                likes.iter().map(|it| containers[it.container].id).collect();
            for (like, places) in likes.iter().zip(look.places_of(&ids)?) {
                looked.add(at, like, places);
            }
            let hides = containers.iter().filter(|it| may_hide(it.gap, example));
            let hides: Vec<ContainerId> = hides.map(|it| it.id).collect();
            let places = look.places_of(&hides)?.into_iter().flatten();
            looked.hidden.extend(places.map(|(asset, _)| asset));
        }
        Ok(looked)
    }

    /// Whether an asset would have been found. Loose files are not profiled: only code has a place
    /// that no archive needs to be around.
    pub(crate) fn sees(&self, asset: AssetId) -> bool {
        self.is_code && self.profiled.contains(&asset) && !self.hidden.contains(&asset)
    }

    fn add(&mut self, example: usize, like: &Likeness, places: Vec<(AssetId, String)>) {
        let Likeness { of_example, of_container, .. } = *like;
        for (asset, place) in places {
            let found = Alike { example, asset, place, of_example, of_container };
            self.found.entry(asset).or_default().push(found);
        }
    }
}

fn compare(
    look: &ProfileLook<'_>,
    example: &Values,
    least: f64,
) -> Result<(Vec<Likeness>, Rc<Holders>), StoreError> {
    let kind = example.compared();
    let values = example.of(kind);
    let start = |holders: &Holders| Comparison::new(values.len(), holders.containers().len());
    let (comparison, holders) = look.fold((kind, values), start, Comparison::value)?;
    let whole = |container: usize| holders.containers()[container].weight;
    Ok((comparison.alike(whole, least), holders))
}

#[cfg(test)]
mod tests {
    use relight_model::{Criticality, GateKey, Profile, ProfileGap, Sbom};
    use relight_store::{SiteRow, SnapshotDraft};

    use super::*;

    fn row(number: usize) -> SiteRow {
        SiteRow {
            line: number + 2,
            slug: GateKey::new(&format!("site-{number}")).unwrap(),
            name_fr: String::from("Site"),
            name_en: String::from("Site"),
            origin: format!("https://site-{number}.example"),
            organisation: String::from("Body"),
            sector: String::from("health"),
            criticality: Criticality::Important,
            exposure: None,
            aliases: None,
            parts: None,
            channel_fr: None,
            channel_en: None,
            edge: String::from("edge-a"),
            public: true,
        }
    }

    fn classes(values: std::ops::Range<u64>, gap: ProfileGap) -> Values {
        Values { classes: values.collect(), gap, ..Values::default() }
    }

    /// The answers of a site whose present inventory has these containers, and of one that has
    /// none: verdict and reasons.
    fn check(containers: Option<&[Values]>, examples: &[Values], now: Timestamp, expected: &str) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let plan = store.plan_import(&[row(0), row(1)]).unwrap();
        store.apply_import(&plan, 1, "test").unwrap();
        let profile = |(at, values): (usize, &Values)| Profile {
            place: format!("{at}.jar"),
            values: values.clone(),
            names: None,
        };
        let profiles: Option<Vec<Profile>> =
            containers.map(|all| all.iter().enumerate().map(profile).collect());
        let sbom = Sbom { tool: String::from("test"), ..Sbom::default() };
        let draft = SnapshotDraft {
            asset: AssetId(1),
            sbom: &sbom,
            observed_at: 1,
            recorded_at: 1,
            profiles: profiles.as_deref(),
        };
        store.put_snapshots(&[draft]).unwrap();
        let index = Index::build(&store).unwrap();
        let ask = AskAlike { examples, least: 0.5, index: &index, now, age_max: 10 };
        let sites: Vec<SiteId> = store.sites().unwrap().iter().map(|site| site.id).collect();
        let answers = ask.sites(&store, sites).unwrap();
        let told = |it: &AlikeAnswer| {
            let reasons: Vec<&str> = it.reasons.iter().map(|reason| reason.as_str()).collect();
            let places: Vec<&str> = it.found.iter().map(|found| found.place.as_str()).collect();
            let verdict = it.answer.verdict().as_str();
            format!("{verdict} [{}] {}", reasons.join(" "), places.join(" "))
        };
        assert_eq!(told(&answers[0]), expected);
        assert_eq!(told(&answers[1]), "unknown [never-inventoried not-observable] ");
    }

    #[test]
    fn only_what_was_looked_at_whole_and_lately_is_clear() {
        let whole = |values| classes(values, ProfileGap::None);
        let asked = [whole(0..20)];
        check(Some(&[whole(0..90), whole(3..20)]), &asked, 5, "affected [] 0.jar 1.jar");
        check(Some(&[whole(100..120)]), &asked, 5, "clear [] ");
        check(Some(&[]), &asked, 5, "clear [] ");
        check(None, &asked, 5, "unknown [not-observable] ");
        check(Some(&[whole(100..120)]), &asked, 50, "unknown [stale] ");
        check(Some(&[whole(0..20)]), &asked, 50, "affected [stale] 0.jar");
    }

    #[test]
    fn what_a_limit_or_a_missing_check_sum_may_hide_is_unknown() {
        let asked = [classes(0..20, ProfileGap::None)];
        let hidden = "unknown [not-observable] ";
        check(Some(&[classes(50..60, ProfileGap::Values)]), &asked, 5, hidden);
        check(Some(&[classes(50..60, ProfileGap::Members)]), &asked, 5, "clear [] ");
        let members = Values { members: (0..20).collect(), ..Values::default() };
        let there = [members.clone()];
        check(Some(&there), &there, 5, "affected [not-observable] 0.jar");
        check(Some(&[]), &[asked[0].clone(), members], 5, hidden);
    }

    #[test]
    fn each_example_is_asked_for_itself() {
        let whole = |values| classes(values, ProfileGap::None);
        let both = [whole(0..20), whole(200..220)];
        check(Some(&[whole(200..220), whole(0..10)]), &both, 5, "affected [] 1.jar 0.jar");
    }
}
