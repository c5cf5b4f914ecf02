//! What "who was tried for this, and was it vulnerable that day" costs over 4,000 sites and 180
//! days: a million tries, and inventories that changed in between. Prints one JSON document;
//! `cargo xtask bench watch --only probed` runs it and judges the figure.
//!
//! Usage: `probed FOLDER [SITES]`: FOLDER is empty and takes the register.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark stops at any fault")]

use std::env;
use std::path::Path;
use std::time::Instant;

use relight_engine::store::{ProbeRow, RawAdvisory, SegmentsDraft, SiteRow, SnapshotDraft, Store};
use relight_engine::watch::{Window, catalogue};
use relight_engine::{OnThatDay, Probed, Then, probed};
use relight_formats::advisory::{self, Input};
use relight_model::{
    AssetId, Basis, Component, Criticality, Digest, Exposure, GateKey, OrgId, Purl, Sbom, Scope,
    SiteId, Timestamp,
};
use serde_json::json;
use testkit::Rng;

const SEED: u64 = 20_211_210;
const SITES: usize = 4_000;
const DAYS: i64 = 180;
/// Sites that each door was tried at on a day.
const TRIED: usize = 30;
/// Programs that sites run: many run the same.
const BUILDS: usize = 400;
/// Days between inventories, and how long one speaks for a site, in seconds.
const EVERY_DAYS: i64 = 7;
const AGE_MAX_S: i64 = 7 * 86_400;
const PARTS_OF_A_BUILD: usize = 40;
const FLAW: &str = "CVE-2021-44228";
/// Midnight of the first day.
const FIRST_DAY: i64 = 18_900;

const ADVISORY: &str = r#"{"schema_version":"1.6.0","id":"CVE-2021-44228",
"modified":"2021-12-10T00:00:00Z","summary":"Log4Shell","affected":[{"package":
{"ecosystem":"Maven","name":"org.apache.logging.log4j:log4j-core"},"ranges":[{"type":"ECOSYSTEM",
"events":[{"introduced":"2.0"},{"fixed":"2.15.0"}]}]}]}"#;

fn main() {
    // Cargo adds `--bench`.
    let arguments: Vec<String> = env::args().skip(1).filter(|it| !it.starts_with("--")).collect();
    let [folder, rest @ ..] = &arguments[..] else {
        println!("usage: probed FOLDER [SITES]");
        return;
    };
    let count = rest.first().map_or(SITES, |text| text.parse().unwrap());
    let began = Instant::now();
    let store = Store::open(Path::new(folder)).unwrap();
    let mut rng = Rng::new(SEED);
    register(&store, count);
    inventories(&store, count);
    let tries = doors(&store, count, &mut rng);
    let generated = began.elapsed().as_secs_f64();
    let sites: Vec<SiteId> = store.sites().unwrap().iter().map(|site| site.id).collect();
    let mut took: Vec<f64> = Vec::new();
    let mut counts = [0_usize; Probed::ALL.len()];
    let began = Instant::now();
    let then = Then::new(&store, &[FLAW.to_owned()], AGE_MAX_S).unwrap();
    ask(&then, &store, &catalogue::entries()[0].id, &sites);
    let first = began.elapsed().as_secs_f64() * 1_000.0;
    for entry in catalogue::entries() {
        let began = Instant::now();
        let answers = ask(&then, &store, &entry.id, &sites);
        took.push(began.elapsed().as_secs_f64() * 1_000.0);
        for answer in answers {
            counts[answer as usize] += 1;
        }
    }
    took.sort_by(f64::total_cmp);
    let at = |percent: usize| took[(took.len() * percent / 100).min(took.len() - 1)];
    let answers: serde_json::Map<String, serde_json::Value> = Probed::ALL
        .iter()
        .map(|answer| (answer.as_str().to_owned(), counts[*answer as usize].into()))
        .collect();
    let figures = json!({
        "sites": count, "days": DAYS, "tries": tries, "questions": took.len(),
        "generated_seconds": generated, "first_ms": first, "p50_ms": at(50), "p99_ms": at(99),
        "answers": answers,
    });
    println!("{}", json!({"schema": "relight.bench-probed/1", "seed": SEED, "figures": figures}));
}

/// One question. The first one reads the histories of the sites and judges their inventories.
fn ask(then: &Then<'_>, store: &Store, entry: &str, sites: &[SiteId]) -> Vec<Probed> {
    let on = |site, day: (Timestamp, Timestamp)| {
        Ok(match then.exposure_between(site, day, FLAW)? {
            Exposure::Affected => OnThatDay::Affected,
            Exposure::Unknown => OnThatDay::Unknown,
            Exposure::Clear => OnThatDay::Clear,
        })
    };
    let span = (FIRST_DAY, FIRST_DAY + DAYS);
    let found = probed(store, &[entry], sites.iter().copied(), span, &on).unwrap();
    found.iter().map(|site| site.answer).collect()
}

fn register(store: &Store, count: usize) {
    let rows: Vec<SiteRow> = (0..count).map(row).collect();
    store.apply_import(&store.plan_import(&rows).unwrap(), 1, "bench").unwrap();
    let reading = advisory::read(&Input::whole("", "bench", ADVISORY.as_bytes()));
    for record in &reading.records {
        let advisory = &record.advisory;
        let bytes = record.kept(ADVISORY.as_bytes());
        let (id, revision) = (&advisory.id, advisory.revision);
        let row = RawAdvisory { id, revision, bytes, recorded_at: 1 };
        store.put_advisories(&advisory.source, &[row]).unwrap();
    }
}

/// Each site is looked at every week; a third of the programs are mended half way.
fn inventories(store: &Store, count: usize) {
    for day in (0..DAYS).step_by(EVERY_DAYS as usize) {
        let at = (FIRST_DAY + day) * 86_400 + 3_600;
        let sboms: Vec<Sbom> = (0..BUILDS).map(|build| sbom(build, day)).collect();
        let draft = |number: usize| SnapshotDraft {
            asset: AssetId(u32::try_from(number).unwrap() + 1),
            sbom: &sboms[number % BUILDS],
            observed_at: at,
            recorded_at: at,
            profiles: None,
        };
        let drafts: Vec<SnapshotDraft<'_>> = (0..count).map(draft).collect();
        for drafts in drafts.chunks(1_000) {
            store.put_snapshots(drafts).unwrap();
        }
    }
}

fn sbom(build: usize, day: i64) -> Sbom {
    let is_mended = build.is_multiple_of(3) && day > DAYS / 2;
    let log4j = if build % 2 == 1 || is_mended { "2.17.1" } else { "2.14.1" };
    let mut parts = vec![format!("pkg:maven/org.apache.logging.log4j/log4j-core@{log4j}")];
    parts.extend(
        (0..PARTS_OF_A_BUILD).map(|part| format!("pkg:maven/org.example/p{part}@1.{build}")),
    );
    let components = parts
        .iter()
        .map(|text| {
            Component::new(
                Purl::parse(text).unwrap(),
                "lib.jar",
                Basis::PomProperties,
                Scope::Installed,
            )
        })
        .collect();
    let digest = Digest([(build % 251) as u8; 32]);
    Sbom { artifact: Some(digest), tool: "bench".into(), components, ..Sbom::default() }
}

/// Every door is tried at some sites every day, and every site is heard from.
fn doors(store: &Store, count: usize, rng: &mut Rng) -> usize {
    let mut tries = 0;
    let window = Window::new(1).to_bytes();
    for day in FIRST_DAY..FIRST_DAY + DAYS {
        let heard = (1..=u32::try_from(count).unwrap()).collect();
        let mut probes = vec![ProbeRow { entry: String::new(), day, sites: heard }];
        for entry in catalogue::entries() {
            let site = |rng: &mut Rng| 1 + rng.below(count) as u32;
            let sites = (0..TRIED).map(|_| site(rng)).collect();
            probes.push(ProbeRow { entry: entry.id.clone(), day, sites });
            tries += TRIED;
        }
        let mut segment = Digest([0; 32]);
        segment.0[..8].copy_from_slice(&day.to_le_bytes());
        let draft = SegmentsDraft {
            org: OrgId(1),
            segments: &[segment],
            windows: &[(day, window.clone())],
            read_day: day,
            days: &[],
            probes: &probes,
            position: None,
            erasures: 0,
        };
        assert!(store.put_segments(&draft).unwrap());
    }
    tries
}

fn row(number: usize) -> SiteRow {
    SiteRow {
        line: number + 2,
        slug: GateKey::new(&format!("site-{number}")).unwrap(),
        name_fr: format!("Site n° {number}"),
        name_en: format!("Site no. {number}"),
        origin: format!("https://site-{number}.example"),
        organisation: format!("Body {}", number / 100),
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
