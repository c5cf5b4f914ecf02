//! What a query by example costs on a register of 4,000 sites: reading what their archives are made
//! of, comparing, and an answer for each site. Prints one JSON document; `cargo xtask bench like`
//! runs it and judges the figures.
//!
//! Usage: `alike FOLDER [SITES]`: FOLDER is empty and takes the register.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark stops at any fault")]

use std::env;
use std::path::Path;
use std::time::Instant;

use relight_engine::alike::AskAlike;
use relight_engine::store::{Index, ProfileLook, SiteRow, SnapshotDraft, Store};
use relight_model::{
    AssetId, Criticality, Digest, GateKey, Profile, Sbom, SiteId, ValueKind, Values, Verdict,
};
use serde_json::{Value, json};
use testkit::Rng;

const SEED: u64 = 20_211_210;
const SITES: usize = 4_000;
/// Archives that sites share, and their classes together: what 1.4 GB of published jars hold.
const SHARED: usize = 519;
const SHARED_CLASSES: usize = 625_452;
/// Shared archives of a site.
const ARCHIVES_OF_A_SITE: usize = 40;
/// Classes that only one site has, in an archive with some of a shared library, moved.
const OWN_CLASSES: usize = 150;
/// Members of an archive that are no classes.
const MEMBERS: usize = 60;
/// Questions of each kind.
const ASKED: usize = 40;

/// The register and the truth about it.
struct Town {
    store: Store,
    index: Index,
    sites: Vec<SiteId>,
    shared: Vec<Values>,
    /// Which shared archives each site has.
    has: Vec<Vec<usize>>,
}

fn main() {
    // Cargo adds `--bench`.
    let arguments: Vec<String> = env::args().skip(1).filter(|it| !it.starts_with("--")).collect();
    let [folder, rest @ ..] = &arguments[..] else {
        println!("usage: alike FOLDER [SITES]");
        return;
    };
    let sites = rest.first().map_or(SITES, |text| text.parse().unwrap());
    let began = Instant::now();
    let mut town = Town::generate(Path::new(folder), sites, &mut Rng::new(SEED));
    let generated = began.elapsed().as_secs_f64();
    let first = town.first_question();
    let after_changes = town.after_changes();
    let (containers, values) = town.size();
    let figures = json!({
        "sites": sites, "containers": containers, "values": values,
        "places": sites * (ARCHIVES_OF_A_SITE + 1), "generated_seconds": generated,
        "first_ms": first, "after_a_change": after_changes,
        "shared": town.ask_all(&Town::shared_library),
        "none": town.ask_all(&Town::nothing_known),
        "half": town.ask_all(&Town::half_changed),
        "large": town.ask_all(&Town::all_libraries_of_a_site),
    });
    println!("{}", json!({"schema": "relight.bench-like/1", "seed": SEED, "figures": figures}));
}

impl Town {
    fn generate(folder: &Path, count: usize, rng: &mut Rng) -> Self {
        let store = Store::open(folder).unwrap();
        let rows: Vec<SiteRow> = (0..count).map(row).collect();
        let plan = store.plan_import(&rows).unwrap();
        store.apply_import(&plan, 1, "bench").unwrap();
        let shared: Vec<Values> = (0..SHARED).map(|at| library(at, rng)).collect();
        let mut town = Self {
            index: Index::default(),
            sites: store.sites().unwrap().iter().map(|site| site.id).collect(),
            store,
            shared,
            has: Vec::new(),
        };
        for first in (0..count).step_by(200) {
            town.put_sites(first..(first + 200).min(count), 1, rng);
        }
        town.index = Index::build(&town.store).unwrap();
        town
    }

    fn put_sites(&mut self, numbers: std::ops::Range<usize>, at: i64, rng: &mut Rng) {
        let inventories: Vec<(AssetId, Sbom, Vec<Profile>)> = numbers
            .map(|number| {
                let digest = Digest([(number % 251) as u8 ^ at as u8; 32]);
                let sbom = Sbom { artifact: Some(digest), tool: "bench".into(), ..Sbom::default() };
                (AssetId(u32::try_from(number).unwrap() + 1), sbom, self.site(rng))
            })
            .collect();
        let drafts: Vec<SnapshotDraft<'_>> = inventories
            .iter()
            .map(|(asset, sbom, profiles)| SnapshotDraft {
                asset: *asset,
                sbom,
                observed_at: at,
                recorded_at: at,
                profiles: Some(profiles),
            })
            .collect();
        self.store.put_snapshots(&drafts).unwrap();
    }

    /// The archives of the next site.
    fn site(&mut self, rng: &mut Rng) -> Vec<Profile> {
        let mut has: Vec<usize> = (0..ARCHIVES_OF_A_SITE)
            // Some are everywhere, most are rare.
            .map(|_| {
                let rank_max = 1 + rng.below(SHARED);
                rng.below(rank_max)
            })
            .collect();
        has.sort_unstable();
        has.dedup();
        let place = |at: &usize| Profile {
            place: format!("webapps/app.war!/WEB-INF/lib/library-{at}.jar"),
            values: self.shared[*at].clone(),
            names: None,
        };
        let mut profiles: Vec<Profile> = has.iter().map(place).collect();
        let shaded = rng.below(SHARED);
        let mut values = fresh(OWN_CLASSES, MEMBERS, rng);
        values.classes.extend(self.shared[shaded].classes.iter().take(OWN_CLASSES));
        values.normalise();
        profiles.push(Profile { place: "webapps/app.war".into(), values, names: None });
        self.has.push(has);
        profiles
    }

    /// Sites that have one of these archives whole.
    fn with(&self, library: usize) -> usize {
        self.has.iter().filter(|has| has.contains(&library)).count()
    }

    /// A library that sites have, and how many are known to.
    fn shared_library(&self, rng: &mut Rng) -> (Values, usize) {
        let library = rng.below(SHARED);
        (self.shared[library].clone(), self.with(library))
    }

    fn nothing_known(&self, rng: &mut Rng) -> (Values, usize) {
        (fresh(1_000, MEMBERS, rng), 0)
    }

    /// A new version, two fifths of which nobody has.
    fn half_changed(&self, rng: &mut Rng) -> (Values, usize) {
        let library = rng.below(SHARED);
        let mut values = Values::default();
        let classes = self.shared[library].classes.iter();
        values.classes.extend(classes.enumerate().filter(|(at, _)| at % 5 < 3).map(|it| it.1));
        values.classes.extend(fresh(values.classes.len() * 2 / 3, 0, rng).classes);
        values.normalise();
        (values, self.with(library))
    }

    /// Everything that one site has, in one archive: tens of thousands of classes.
    fn all_libraries_of_a_site(&self, rng: &mut Rng) -> (Values, usize) {
        let site = rng.below(self.sites.len());
        let mut values = Values::default();
        self.has[site].iter().for_each(|at| values.merge(self.shared[*at].clone()));
        let any = |has: &&Vec<usize>| has.iter().any(|at| self.has[site].contains(at));
        (values, self.has.iter().filter(any).count())
    }

    /// Distinct containers, and the values that they hold together.
    fn size(&self) -> (usize, u64) {
        let size = |look: &ProfileLook<'_>| {
            let [classes, members] = ValueKind::ALL.map(|kind| look.holders(kind).unwrap());
            Ok((classes.containers().len(), classes.values() + members.values()))
        };
        self.store.look_at_profiles(size).unwrap()
    }

    /// The question that finds no file of holders, in milliseconds.
    fn first_question(&self) -> f64 {
        let (values, _) = self.shared_library(&mut Rng::new(SEED + 2));
        self.ask(values).0
    }

    /// Questions each after a new inventory of one site.
    fn after_changes(&mut self) -> Value {
        let mut rng = Rng::new(SEED + 3);
        let mut times = Vec::new();
        for at in 0..ASKED {
            let number = rng.below(self.sites.len());
            self.put_sites(number..number + 1, 2 + at as i64, &mut rng);
            if let Some(has) = self.has.pop() {
                self.has[number] = has;
            }
            let (values, _) = self.shared_library(&mut rng);
            times.push(self.ask(values).0);
        }
        quantiles(times)
    }

    /// Asks once: milliseconds, and how many sites are affected.
    fn ask(&self, values: Values) -> (f64, usize) {
        let (examples, index) = ([values], &self.index);
        let ask = AskAlike { examples: &examples, least: 0.5, index, now: 1, age_max: 100 };
        let began = Instant::now();
        let answers = ask.sites(&self.store, self.sites.iter().copied()).unwrap();
        let elapsed = began.elapsed().as_secs_f64() * 1e3;
        (elapsed, answers.iter().filter(|it| it.answer.verdict() == Verdict::Affected).count())
    }

    fn ask_all(&self, example: &dyn Fn(&Self, &mut Rng) -> (Values, usize)) -> Value {
        let mut rng = Rng::new(SEED + 1);
        let (mut times, mut missed) = (Vec::new(), 0);
        for _ in 0..ASKED {
            let (values, known) = example(self, &mut rng);
            let (elapsed, found) = self.ask(values);
            times.push(elapsed);
            missed += known.saturating_sub(found);
        }
        let mut figures = quantiles(times);
        figures["missed_sites"] = missed.into();
        figures
    }
}

fn quantiles(mut times: Vec<f64>) -> Value {
    times.sort_unstable_by(f64::total_cmp);
    let at = |percent: usize| times[(times.len() - 1) * percent / 100];
    json!({"asked": times.len(), "p50_ms": at(50), "p99_ms": at(99), "most_ms": at(100)})
}

/// A shared library: most are small, a few are very large.
fn library(at: usize, rng: &mut Rng) -> Values {
    // Sizes fall with the rank; their sum is that of the measured set.
    let share = 2.0 * (SHARED - at) as f64 / (SHARED * (SHARED + 1)) as f64;
    fresh((SHARED_CLASSES as f64 * share) as usize, MEMBERS, rng)
}

/// Values that nobody has.
fn fresh(classes: usize, members: usize, rng: &mut Rng) -> Values {
    let mut values = Values::default();
    values.classes.extend((0..classes).map(|_| rng.next()));
    values.members.extend((0..members).map(|_| rng.next()));
    values.normalise();
    values
}

fn row(number: usize) -> SiteRow {
    SiteRow {
        line: number + 2,
        slug: GateKey::new(&format!("site-{number}")).unwrap(),
        name_fr: format!("Site n° {number}"),
        name_en: format!("Site no. {number}"),
        origin: format!("https://site-{number}.example"),
        organisation: format!("Body {}", number / 10),
        sector: "health".into(),
        criticality: Criticality::Important,
        exposure: None,
        aliases: None,
        parts: None,
        channel_fr: None,
        channel_en: None,
        edge: "edge-a".into(),
        public: true,
    }
}
