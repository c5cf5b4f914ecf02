//! What protects each site, and since when that is known: patched and with logs as we measure it,
//! several factors at the sign-in as somebody attests it; and ten actions for each body.
//!
//! Nothing is rounded up: what was not measured is unknown, and an attestation ends.

use std::collections::BTreeMap;

use relight_formats::advisory::BUILTIN_SOURCE;
use relight_model::{
    Coverage, InventoryState, Light, OrgId, Organisation, Site, SiteId, Timestamp, UnknownReason,
};
use relight_store::{Attestation, EVIDENCE_BYTES_MAX, SiteSet, Store};

use crate::engine::Engine;
use crate::error::{EngineError, EngineErrorKind};
use crate::inventoried::{CATALOGUES, Inventoried};
use crate::logs::{LogState, SitePosture, posture};

/// Actions of the Cyber Centre's list (ITSM.10.089).
pub const ACTIONS: usize = 10;

/// Days for which an attestation holds when nobody says otherwise.
pub const ATTESTED_DAYS: i64 = 180;

/// Most days for which one holds: who says so has to look again once a year.
pub const ATTESTED_DAYS_MAX: i64 = 366;

/// Exploited flaws that are named as evidence of one site; more are counted.
pub const FLAWS_NAMED_MAX: usize = 20;

/// Inventories confirmed longer ago than this, in seconds, say nothing about patches: 7 days, as
/// for every question outside of an incident.
pub const MEASURED_AGE_MAX_S: i64 = 7 * 86_400;

/// Days after its newest entry at which a list of what is exploited says nothing any more, however
/// late it was read. Such lists grow each week, and the operator of a site that is cut off carries
/// them in by hand: once a month can be asked of anybody, and what is older misses several rounds
/// of new flaws.
pub const KEV_DAYS_MAX: u32 = 30;

/// [`KEV_DAYS_MAX`] in seconds.
const KEV_AGE_MAX_S: i64 = KEV_DAYS_MAX as i64 * 86_400;

/// Something that people attest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Measure {
    /// Several factors at every sign-in: of a site, or of all sites of a body.
    Mfa,
    /// One of the ten actions, from 1: of a body.
    Action(u8),
}

impl Measure {
    /// Every measure.
    pub fn all() -> impl Iterator<Item = Self> {
        std::iter::once(Self::Mfa).chain((1..=10).map(Self::Action))
    }

    /// The stable name used in documents: `mfa`, `action-1`.
    pub fn code(self) -> String {
        match self {
            Self::Mfa => "mfa".to_owned(),
            Self::Action(number) => format!("action-{number}"),
        }
    }

    /// The measure of a stable name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::all().find(|measure| measure.code() == text)
    }

    /// The action at a place in the list, from 0.
    pub fn action(at: usize) -> Self {
        Self::Action(u8::try_from(at + 1).unwrap_or(u8::MAX))
    }
}

/// What an attestation is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject<'a> {
    /// One site.
    Site(&'a Site),
    /// A body, and with it all its sites.
    Body(&'a Organisation),
}

impl Subject<'_> {
    fn key(&self) -> String {
        match self {
            Self::Site(site) => site_key(site),
            Self::Body(body) => body_key(body),
        }
    }
}

fn site_key(site: &Site) -> String {
    format!("site {}", site.slug)
}

fn body_key(body: &Organisation) -> String {
    format!("body {}", body.name)
}

/// What somebody wants to attest.
#[derive(Clone, Copy, Debug)]
pub struct Attesting<'a> {
    /// Each measure, and whether it is in place.
    pub measures: &'a [(Measure, bool)],
    /// Where that can be looked up, in one line.
    pub evidence: &'a str,
    /// Who says so.
    pub actor: &'a str,
    /// For how many days it holds, 1 to [`ATTESTED_DAYS_MAX`].
    pub days: i64,
}

/// The code of what is wrong with an attestation; `None` when it can be written.
pub fn fault_of(subject: Subject<'_>, what: Attesting<'_>) -> Option<&'static str> {
    let Attesting { measures, evidence, days, .. } = what;
    let is_of_site = |(measure, _): &(Measure, bool)| *measure == Measure::Mfa;
    let is_line = !evidence.trim().is_empty() && !evidence.chars().any(char::is_control);
    if matches!(subject, Subject::Site(_)) && !measures.iter().all(is_of_site) {
        Some("attest-of-site")
    } else if !is_line || evidence.len() > EVIDENCE_BYTES_MAX {
        Some("attest-evidence")
    } else if !(1..=ATTESTED_DAYS_MAX).contains(&days) {
        Some("attest-days")
    } else {
        None
    }
}

/// Writes attestations about one subject, all or none.
///
/// # Errors
/// There is a [`fault_of`] them, or the store cannot be written.
pub fn attest(
    store: &Store,
    subject: Subject<'_>,
    what: Attesting<'_>,
    now: Timestamp,
) -> Result<(), EngineError> {
    if let Some(fault) = fault_of(subject, what) {
        return Err(EngineError::new(EngineErrorKind::Other, fault));
    }
    let Attesting { measures, evidence, actor, days } = what;
    let row = |(measure, in_place): &(Measure, bool)| Attestation {
        subject: subject.key(),
        measure: measure.code(),
        in_place: *in_place,
        evidence: evidence.trim().to_owned(),
        actor: actor.to_owned(),
        at: now,
        expires: now + days * 86_400,
    };
    Ok(store.attest(&measures.iter().map(row).collect::<Vec<_>>())?)
}

/// Whether everything that is known to be exploited was patched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Patched {
    /// A whole and current inventory, confirmed then, holds no flaw that is known to be exploited.
    Yes(Timestamp),
    /// These are there for certain, as of the inventory confirmed then.
    No {
        /// When the oldest inventory of the site was confirmed.
        at: Option<Timestamp>,
        /// Ids of the flaws, at most [`FLAWS_NAMED_MAX`].
        flaws: Vec<String>,
        /// How many there are.
        count: usize,
    },
    /// Nobody can tell, for these reasons; without one, a flaw may be there.
    Unknown(Vec<UnknownReason>),
    /// Nobody can tell: no complete list of what is exploited is newer than [`KEV_DAYS_MAX`] days,
    /// or nothing that was imported names the packages of any flaw on it.
    Unlisted,
}

/// What was attested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attested {
    /// Nothing.
    Never,
    /// This, and it holds.
    Holds(Attestation),
    /// This, until it expired.
    Expired(Attestation),
}

impl Attested {
    fn of(found: Option<&Attestation>, now: Timestamp) -> Self {
        match found {
            None => Self::Never,
            Some(it) if it.expires > now => Self::Holds(it.clone()),
            Some(it) => Self::Expired(it.clone()),
        }
    }

    /// Yes or no, while it holds.
    pub fn value(&self) -> Option<bool> {
        match self {
            Self::Holds(attestation) => Some(attestation.in_place),
            Self::Never | Self::Expired(_) => None,
        }
    }

    /// What was attested, expired or not.
    pub const fn last(&self) -> Option<&Attestation> {
        match self {
            Self::Never => None,
            Self::Holds(attestation) | Self::Expired(attestation) => Some(attestation),
        }
    }
}

/// The three measures of one site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteMeasures {
    /// The site.
    pub site: SiteId,
    /// Patched?
    pub patched: Patched,
    /// Do its logs come?
    pub logs: SitePosture,
    /// Several factors? Of the site itself, else of its body.
    pub mfa: Attested,
}

impl SiteMeasures {
    /// Patched, logs, factors: yes, no, or unknown.
    pub fn values(&self) -> [Option<bool>; 3] {
        let patched = match &self.patched {
            Patched::Yes(_) => Some(true),
            Patched::No { .. } => Some(false),
            Patched::Unknown(_) | Patched::Unlisted => None,
        };
        let logs = match self.logs.state {
            LogState::Complete | LogState::Partial(_) => Some(true),
            LogState::Quiet(_) => None,
            LogState::Silent(_) | LogState::Never => Some(false),
        };
        [patched, logs, self.mfa.value()]
    }
}

/// One body: how many of its sites have each measure, and the ten actions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BodyMeasures {
    /// The body.
    pub org: OrgId,
    /// Its sites.
    pub sites: usize,
    /// Sites that have it, that lack it, and of which nobody knows; patched, logs, factors.
    pub measures: [[usize; 3]; 3],
    /// The ten actions, in their order.
    pub actions: [Attested; ACTIONS],
}

/// The measures of a register.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Measures {
    /// Every site that was asked about, in its order.
    pub sites: Vec<SiteMeasures>,
    /// Every body that has one of them, by number.
    pub bodies: Vec<BodyMeasures>,
}

/// What measures rest on.
#[derive(Clone, Copy)]
struct Grounds<'a> {
    store: &'a Store,
    inventory: &'a Inventoried,
    is_dark: &'a dyn Fn(&Site) -> bool,
    now: Timestamp,
}

/// The measures of these sites and of the bodies that answer for them, from the store alone.
/// `is_dark` says of which no requests are expected.
///
/// # Errors
/// The store cannot be read.
pub fn measures(
    store: &Store,
    sites: &[Site],
    is_dark: &dyn Fn(&Site) -> bool,
    now: Timestamp,
) -> Result<Measures, EngineError> {
    let inventory = &Inventoried::read(store)?;
    Grounds { store, inventory, is_dark, now }.of(sites)
}

impl Engine {
    /// The measures of these sites and of the bodies that answer for them.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn measures(&self, sites: &[Site]) -> Result<Measures, EngineError> {
        let state = self.read();
        let is_dark = |site: &Site| state.ledger.wants(&site.slug) == Light::Dark;
        let (store, inventory) = (self.store().as_ref(), &state.inventory);
        let now = self.now();
        Grounds { store, inventory, is_dark: &is_dark, now }.of(sites)
    }
}

impl Grounds<'_> {
    fn of(self, sites: &[Site]) -> Result<Measures, EngineError> {
        let attested: BTreeMap<(String, String), Attestation> = self
            .store
            .attestations()?
            .into_iter()
            .map(|it| ((it.subject.clone(), it.measure.clone()), it))
            .collect();
        let last = |key: String, measure: Measure| attested.get(&(key, measure.code()));
        let by_id: BTreeMap<SiteId, &Site> = sites.iter().map(|site| (site.id, site)).collect();
        let is_dark = |id: SiteId| by_id.get(&id).is_some_and(|site| (self.is_dark)(site));
        let logs = posture(self.store, sites.iter().map(|site| site.id), &is_dark, self.now)?;
        let bodies: BTreeMap<OrgId, Organisation> =
            self.store.organisations()?.into_iter().map(|body| (body.id, body)).collect();
        let (exploited, is_listed) = (self.exploited(), self.is_listed()?);
        let mut all = Measures::default();
        for (site, logs) in sites.iter().zip(logs) {
            let own = last(site_key(site), Measure::Mfa);
            let body = || last(body_key(bodies.get(&site.org)?), Measure::Mfa);
            let mfa = Attested::of(own.or_else(body), self.now);
            let patched = self.patched(site, &exploited, is_listed);
            all.sites.push(SiteMeasures { site: site.id, patched, logs, mfa });
        }
        all.bodies = counts(sites, &all.sites)
            .into_iter()
            .filter_map(|(org, (sites, measures))| {
                let key = body_key(bodies.get(&org)?);
                let action = |at| last(key.clone(), Measure::action(at));
                let actions = std::array::from_fn(|at| Attested::of(action(at), self.now));
                Some(BodyMeasures { org, sites, measures, actions })
            })
            .collect();
        Ok(all)
    }

    /// The flaws that are known to be exploited and are there for certain, by site, and the sites
    /// where one may be.
    fn exploited(&self) -> (BTreeMap<u32, Vec<String>>, SiteSet) {
        let mut certain: BTreeMap<u32, Vec<String>> = BTreeMap::new();
        let mut possible = SiteSet::new();
        let groups = self.inventory.advisories().groups();
        for group in groups.filter(|group| group.known_exploited()) {
            let found = self.inventory.found(self.store, &group.id);
            for site in &found.affected {
                certain.entry(site).or_default().push(group.id.clone());
            }
            possible |= &found.possible;
        }
        (certain, possible)
    }

    /// There is a list of what is exploited, not old, and something to look for: a catalogue names
    /// no packages, and the few flaws that relight ships are not those of a catalogue.
    fn is_listed(&self) -> Result<bool, EngineError> {
        let newest = self.store.advisories_dated(CATALOGUES)?;
        let is_new = newest.is_some_and(|at| self.now.saturating_sub(at) <= KEV_AGE_MAX_S);
        let mut groups = self.inventory.advisories().groups().filter(|it| it.known_exploited());
        Ok(is_new && groups.any(|group| group.names_packages_beside(BUILTIN_SOURCE)))
    }

    fn patched(
        &self,
        site: &Site,
        (certain, possible): &(BTreeMap<u32, Vec<String>>, SiteSet),
        is_listed: bool,
    ) -> Patched {
        let states: Vec<InventoryState> = self.inventory.index().inventory_states(site.id);
        let at = states.iter().filter_map(|state| state.confirmed).min();
        if let Some(flaws) = certain.get(&site.id.0) {
            let named = flaws.iter().take(FLAWS_NAMED_MAX).cloned().collect();
            return Patched::No { at, flaws: named, count: flaws.len() };
        }
        let reasons = Coverage::reasons(&states, self.now, MEASURED_AGE_MAX_S);
        match at {
            Some(_) if !reasons.is_empty() || possible.contains(site.id.0) => {
                Patched::Unknown(reasons)
            }
            Some(at) if is_listed => Patched::Yes(at),
            Some(_) => Patched::Unlisted,
            None => Patched::Unknown(reasons),
        }
    }
}

/// How many sites of each body there are, and how many have a measure, lack it, or are unknown.
fn counts(sites: &[Site], measured: &[SiteMeasures]) -> BTreeMap<OrgId, (usize, [[usize; 3]; 3])> {
    let mut counted: BTreeMap<OrgId, (usize, [[usize; 3]; 3])> = BTreeMap::new();
    for (site, measures) in sites.iter().zip(measured) {
        let (count, counts) = counted.entry(site.org).or_default();
        *count += 1;
        for (counts, value) in counts.iter_mut().zip(measures.values()) {
            counts[match value {
                Some(true) => 0,
                Some(false) => 1,
                None => 2,
            }] += 1;
        }
    }
    counted
}

#[cfg(test)]
mod tests {
    use relight_model::{AssetId, Basis, Component, Criticality, GateKey, Purl, Sbom, Scope};
    use relight_store::{SiteRow, SnapshotDraft};

    use super::*;

    const NOW: Timestamp = 1_800_000_000;

    /// Sites `a` and `b` of one body, `c` of another; `a` holds this component.
    fn register(purl: &str) -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let row = |(at, (slug, body)): (usize, (&str, &str))| SiteRow {
            line: at + 2,
            slug: GateKey::new(slug).unwrap(),
            name_fr: slug.into(),
            name_en: slug.into(),
            origin: format!("https://{slug}.example"),
            organisation: body.into(),
            sector: "health".into(),
            criticality: Criticality::Important,
            exposure: None,
            aliases: None,
            parts: None,
            channel_fr: None,
            channel_en: None,
            edge: String::new(),
            public: true,
        };
        let sites = [("a", "One"), ("b", "One"), ("c", "Two")];
        let rows: Vec<SiteRow> = sites.into_iter().enumerate().map(row).collect();
        store.apply_import(&store.plan_import(&rows).unwrap(), NOW, "test").unwrap();
        let purl = Purl::parse(purl).unwrap();
        let component = Component::new(purl, "app.war", Basis::PomProperties, Scope::Installed);
        let mut sbom =
            Sbom { components: vec![component], tool: "test 1".into(), ..Sbom::default() };
        sbom.normalise();
        let (at, asset) = (NOW - 3_600, AssetId(1));
        let draft =
            SnapshotDraft { asset, sbom: &sbom, observed_at: at, recorded_at: at, profiles: None };
        store.put_snapshots(&[draft]).unwrap();
        (folder, store)
    }

    fn measured(store: &Store, now: Timestamp) -> Measures {
        measures(store, &store.sites().unwrap(), &|_| false, now).unwrap()
    }

    /// What is exploited, and where it is: not in version 1.0 of what [`register`] holds.
    const KEV: &str = r#"{"catalogVersion":"1","vulnerabilities":[
        {"cveID":"CVE-2026-1","dateAdded":"2026-12-17"},
        {"cveID":"CVE-2020-2","dateAdded":"2020-01-01"}]}"#;
    const PACKAGES: &str = r#"{"id":"CVE-2026-1","affected":[{"package":
        {"ecosystem":"Maven","name":"org.example:fine"},
        "ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1.0"}]}]}]}"#;

    /// Files are imported now, by a register that never saw them.
    fn import(store: &Store, texts: &[&str]) {
        let folder = tempfile::tempdir().unwrap();
        let file = |(at, text): (usize, &&str)| {
            let path = folder.path().join(format!("{at}.json"));
            std::fs::write(&path, text).unwrap();
            path
        };
        let files: Vec<_> = texts.iter().enumerate().map(file).collect();
        let options = crate::import::ImportOptions { now: NOW, ..Default::default() };
        crate::import::import(store, &files, &options, &mut |_, _| ()).unwrap();
    }

    fn yes(measure: Measure) -> Vec<(Measure, bool)> {
        vec![(measure, true)]
    }

    #[test]
    fn patches_are_measured_and_nothing_is_rounded_up() {
        let (_folder, store) = register("pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1");
        let all = measured(&store, NOW);
        let Patched::No { at, flaws, count } = &all.sites[0].patched else {
            panic!("{:?}", all.sites[0].patched)
        };
        assert_eq!((*at, *count), (Some(NOW - 3_600), flaws.len()));
        assert!(flaws.contains(&"CVE-2021-44228".to_owned()), "{flaws:?}");
        assert!(matches!(&all.sites[1].patched, Patched::Unknown(reasons) if !reasons.is_empty()));
        let (_folder, store) = register("pkg:maven/org.example/fine@1.0");
        import(&store, &[KEV, PACKAGES]);
        assert_eq!(measured(&store, NOW).sites[0].patched, Patched::Yes(NOW - 3_600));
        let late = measured(&store, NOW - 3_600 + MEASURED_AGE_MAX_S + 1);
        assert_eq!(late.sites[0].patched, Patched::Unknown(vec![UnknownReason::Stale]));
    }

    /// Goal: nobody is called patched by a list that nobody read, whenever its file was read.
    /// Method: a new register without a list, with one of this month, one that is older, one that
    /// was cut, one of the future, and one that names flaws whose packages nobody names.
    #[test]
    fn nothing_is_patched_without_a_list_of_what_is_exploited() {
        let (_folder, store) = register("pkg:maven/org.example/fine@1.0");
        let patched = || measured(&store, NOW).sites.remove(0);
        assert_eq!(patched().patched, Patched::Unlisted);
        assert_eq!(patched().values()[0], None);
        let old = KEV.replace("2026-12-17", "2026-12-16");
        let future = KEV.replace("2026-12-17", "2027-12-17");
        let (cut, cut_between) = (&KEV[..KEV.len() - 8], &KEV[..KEV.len() - 2]);
        for (name, texts, is_listed) in [
            ("packages alone", vec![PACKAGES], false),
            ("a list alone", vec![KEV], false),
            ("both", vec![KEV, PACKAGES], true),
            ("a list of long ago", vec![&old, PACKAGES], false),
            ("a list that was cut", vec![cut, PACKAGES], false),
            ("a list that was cut between entries", vec![cut_between, PACKAGES], false),
            ("a list that was cut, and an old one", vec![&old, cut, PACKAGES], false),
            ("a date that is still to come", vec![&future, PACKAGES], false),
        ] {
            let (_folder, store) = register("pkg:maven/org.example/fine@1.0");
            import(&store, &texts);
            let patched = measured(&store, NOW).sites.remove(0).patched;
            let wanted = if is_listed { Patched::Yes(NOW - 3_600) } else { Patched::Unlisted };
            assert_eq!(patched, wanted, "{name}");
        }
        let log4j = "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1";
        let (_folder, store) = register(log4j);
        let known = measured(&store, NOW).sites.remove(0).patched;
        assert!(matches!(known, Patched::No { .. }), "what is known without a list: {known:?}");
    }

    #[test]
    fn a_site_attests_for_itself_before_its_body_and_everything_ends() {
        let (_folder, store) = register("pkg:maven/org.example/fine@1.0");
        let (sites, bodies) = (store.sites().unwrap(), store.organisations().unwrap());
        let mfa = yes(Measure::Mfa);
        let what = Attesting { measures: &mfa, evidence: "letter 7", actor: "anna", days: 1 };
        attest(&store, Subject::Body(&bodies[0]), what, NOW).unwrap();
        let no = [(Measure::Mfa, false)];
        let own = Attesting { measures: &no, actor: "zoe", ..what };
        attest(&store, Subject::Site(&sites[1]), own, NOW).unwrap();
        let values = |now| {
            let all = measured(&store, now);
            let of_sites: Vec<_> = all.sites.iter().map(|it| it.mfa.value()).collect();
            let of_bodies: Vec<_> = all.bodies.iter().map(|it| it.measures[2]).collect();
            (of_sites, of_bodies)
        };
        let now = (vec![Some(true), Some(false), None], vec![[1, 1, 0], [0, 0, 1]]);
        assert_eq!(values(NOW + 86_399), now);
        assert_eq!(values(NOW + 86_400), (vec![None; 3], vec![[0, 0, 2], [0, 0, 1]]));
        let last = measured(&store, NOW + 86_400);
        let last = last.sites[0].mfa.last().unwrap();
        assert_eq!((last.actor.as_str(), last.evidence.as_str()), ("anna", "letter 7"));
    }

    #[test]
    fn actions_are_those_of_bodies() {
        let (_folder, store) = register("pkg:maven/org.example/fine@1.0");
        let (sites, bodies) = (store.sites().unwrap(), store.organisations().unwrap());
        let all: Vec<_> = (0..ACTIONS).map(|at| (Measure::action(at), at % 2 == 0)).collect();
        let what = Attesting { measures: &all, evidence: "plan", actor: "anna", days: 30 };
        attest(&store, Subject::Body(&bodies[1]), what, NOW).unwrap();
        let found = measured(&store, NOW);
        let two: Vec<_> = found.bodies[1].actions.iter().map(Attested::value).collect();
        let wanted: Vec<_> = all.iter().map(|(_, in_place)| Some(*in_place)).collect();
        assert_eq!(two, wanted);
        assert!(found.bodies[0].actions.iter().all(|it| *it == Attested::Never));
        assert_eq!(fault_of(Subject::Site(&sites[0]), what), Some("attest-of-site"));
        for (evidence, days, fault) in [
            ("plan", ATTESTED_DAYS_MAX, None),
            ("plan", ATTESTED_DAYS_MAX + 1, Some("attest-days")),
            ("plan", 0, Some("attest-days")),
            ("  ", 1, Some("attest-evidence")),
            ("a\nb", 1, Some("attest-evidence")),
        ] {
            let what = Attesting { evidence, days, ..what };
            assert_eq!(fault_of(Subject::Body(&bodies[0]), what), fault, "{evidence:?} {days}");
            assert_eq!(
                attest(&store, Subject::Body(&bodies[0]), what, NOW).is_ok(),
                fault.is_none()
            );
        }
    }

    #[test]
    fn measures_have_names_that_read_back() {
        let all: Vec<Measure> = Measure::all().collect();
        assert_eq!(all.len(), 1 + ACTIONS);
        for measure in all {
            assert_eq!(Measure::parse(&measure.code()), Some(measure));
        }
        for bad in ["action-0", "action-11", "MFA", ""] {
            assert_eq!(Measure::parse(bad), None, "{bad}");
        }
    }
}
