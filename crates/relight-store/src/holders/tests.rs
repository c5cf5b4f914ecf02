//! Tests of who holds which value: against a plain count, over changes, damage and full disks.

use relight_model::{AssetId, Profile};
use testkit::Rng;

use super::*;
use crate::testing::{behind, open_with_sites, sbom};
use crate::{SnapshotDraft, Store};

/// Sites of the store.
const SITES: usize = 12;

fn place<'a>(database: &'a Connection, store: &'a Store, at_a_time: usize) -> Place<'a> {
    let folder = store.path().parent().unwrap();
    Place { database, folder, kind: ValueKind::Classes, at_a_time }
}

fn put(store: &Store, asset: u32, at: i64, containers: &[Values]) {
    let profile = |(at, values): (usize, &Values)| Profile {
        place: format!("{at}.jar"),
        values: values.clone(),
        names: None,
    };
    let profiles: Vec<Profile> = containers.iter().enumerate().map(profile).collect();
    let component = format!("pkg:npm/a@{at}");
    let sbom = sbom(&[(&component, "x")]);
    let draft = SnapshotDraft {
        asset: AssetId(asset),
        sbom: &sbom,
        observed_at: at,
        recorded_at: at,
        profiles: Some(&profiles),
    };
    store.put_snapshots(&[draft]).unwrap();
}

fn random(rng: &mut Rng, most: usize) -> Values {
    let mut values = Values { gap: *rng.pick(&ProfileGap::ALL), ..Values::default() };
    let shift = *rng.pick(&[0, 57]);
    values.classes.extend((0..rng.below(most)).map(|_| (rng.below(2_000) as u64) << shift));
    values.members.extend((0..rng.below(3)).map(|_| rng.next()));
    values.normalise();
    values
}

/// Every container of the database with its values, by id.
fn truth(database: &Connection) -> Vec<(ContainerId, Values)> {
    let mut query = database.prepare("SELECT id FROM container ORDER BY id").unwrap();
    let ids = query.query_map([], |row| row.get(0)).unwrap();
    ids.map(|id| ContainerId(id.unwrap()))
        .map(|id| (id, profiles::values_of(database, id).unwrap()))
        .collect()
}

/// The holders say of each value what a plain count says, and of each container what it weighs.
fn assert_counted(holders: &Holders, truth: &[(ContainerId, Values)], case: &str) {
    let count = |value: &u64| truth.iter().filter(|(_, it)| it.classes.contains(value)).count();
    assert_eq!(holders.containers().len(), truth.len(), "{case}");
    for (held, (id, values)) in holders.containers().iter().zip(truth) {
        assert_eq!((held.id, held.gap), (*id, values.gap), "{case}");
        let mut weight = 0.0;
        for value in &values.classes {
            weight += 1.0 / count(value) as f64;
        }
        assert_eq!(held.weight.to_bits(), f64::to_bits(weight), "{case}: {id:?}");
    }
    let mut asked: Vec<u64> = truth.iter().flat_map(|(_, it)| it.classes.clone()).collect();
    assert_eq!(holders.values(), asked.len() as u64, "{case}");
    asked.extend([0, 7, u64::MAX]);
    asked.sort_unstable();
    asked.dedup();
    let mut answers = asked.iter();
    holders
        .each(&asked, |holders| {
            let value = answers.next().unwrap();
            let known = truth.iter().enumerate().filter(|(_, (_, it))| it.classes.contains(value));
            let known: Vec<u32> = known.map(|(number, _)| number as u32).collect();
            assert_eq!(holders, known, "{case}: {value}");
        })
        .unwrap();
    assert_eq!(answers.next(), None, "{case}");
}

/// Goal: whatever comes and goes, the file says what the database says, to the last bit of the
/// weights. Method: seeded inventories that replace one another, asked after each few of them, with
/// few and many values at one time. Some questions are answered through the changes, some by a new
/// file.
#[test]
fn it_says_what_a_plain_count_says_whatever_came_and_went() {
    let (mut through, mut anew) = (0, 0);
    for seed in 0..6 {
        let mut rng = Rng::new(seed);
        let (_folder, store) = open_with_sites(SITES);
        let database = behind(&store);
        let pool: Vec<Values> = (0..8).map(|_| random(&mut rng, 900)).collect();
        for step in 0..12 {
            for _ in 0..rng.below(if step == 0 { 40 } else { 3 }) {
                let own = random(&mut rng, 30);
                let shared = (0..rng.below(4)).map(|_| rng.below(pool.len()));
                let mut containers: Vec<Values> = shared.map(|at| pool[at].clone()).collect();
                containers.push(own);
                put(&store, 1 + rng.below(SITES) as u32, step, &containers);
            }
            let at_a_time = *rng.pick(&[1, 50, 1_000, VALUES_AT_A_TIME_MAX]);
            let holders = place(&database, &store, at_a_time).holders(false).unwrap();
            through += usize::from(holders.changes.is_some());
            anew += usize::from(holders.changes.is_none());
            assert_counted(&holders, &truth(&database), &format!("seed {seed}, step {step}"));
        }
    }
    assert!(through > 9 && anew > 9, "{through} through changes, {anew} anew");
}

#[test]
fn an_unchanged_register_reads_its_file_and_writes_none() {
    let (_folder, store) = open_with_sites(SITES);
    let database = behind(&store);
    put(&store, 1, 1, &[random(&mut Rng::new(1), 2_000)]);
    let place = place(&database, &store, VALUES_AT_A_TIME_MAX);
    drop(place.holders(false).unwrap());
    let written = |path: &Path| fs::metadata(path).unwrap().ino();
    let before = written(&place.path());
    drop(place.holders(false).unwrap());
    assert_eq!(written(&place.path()), before);
    put(&store, 2, 2, &[random(&mut Rng::new(2), 2_000)]);
    drop(place.holders(false).unwrap());
    let after = written(&place.path());
    assert_ne!(after, before);
    assert!(!place.path().with_extension("new").exists());
    // A little is looked at beside the file.
    let little = Values { classes: vec![1, 2, 3], ..Values::default() };
    put(&store, 3, 3, &[little]);
    let holders = place.holders(false).unwrap();
    assert!(holders.changes.is_some() && written(&place.path()) == after);
    assert_counted(&holders, &truth(&database), "a little more");
    // A damaged file is not looked through.
    let mut bytes = fs::read(place.path()).unwrap();
    bytes[5] ^= 1;
    fs::write(place.path(), bytes).unwrap();
    let holders = place.holders(false).unwrap();
    assert!(holders.changes.is_none());
    assert_counted(&holders, &truth(&database), "damaged");
}

/// Goal: a damaged file is never believed. Method: each byte of a small one is changed, and it is
/// cut at each length; then the answers are those of the database.
#[test]
fn a_damaged_file_is_made_again() {
    let (_folder, store) = open_with_sites(SITES);
    let database = behind(&store);
    let containers = [[1, 2, 3], [3, 4, 5]]
        .map(|classes| Values { classes: classes.to_vec(), ..Values::default() });
    put(&store, 1, 1, &containers);
    let place = place(&database, &store, VALUES_AT_A_TIME_MAX);
    drop(place.holders(false).unwrap());
    let whole = fs::read(place.path()).unwrap();
    let truth = truth(&database);
    let all: Vec<u64> = (0..6).collect();
    let damaged = (0..whole.len()).flat_map(|at| {
        let mut changed = whole.clone();
        changed[at] ^= 1 << (at % 8);
        [changed, whole[..at].to_vec()]
    });
    for (case, bytes) in damaged.enumerate() {
        fs::write(place.path(), bytes).unwrap();
        let mut holders = place.holders(false).unwrap();
        if holders.each(&all, |_| ()).is_err() {
            holders = place.holders(true).unwrap();
        }
        assert_counted(&holders, &truth, &format!("case {case}"));
    }
    // A file that must be merged with what is new is read to its end.
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 1 << (at % 8);
        fs::write(place.path(), changed).unwrap();
        put(&store, 2, 2 + at as i64, &[random(&mut Rng::new(at as u64), 4)]);
        let holders = place.holders(false).unwrap();
        assert_counted(&holders, &self::truth(&database), &format!("byte {at}"));
    }
}

#[test]
fn where_no_file_can_be_written_it_answers_from_memory() {
    let (folder, store) = open_with_sites(SITES);
    let database = behind(&store);
    put(&store, 1, 1, &[random(&mut Rng::new(3), 2_000)]);
    let place = place(&database, &store, 100);
    // Somebody else writes it now.
    let aside = place.path().with_extension("new");
    let other = take(&aside).unwrap();
    assert!(take(&aside).is_none());
    assert_counted(&place.holders(false).unwrap(), &truth(&database), "taken");
    assert!(!place.path().exists());
    drop(other);
    // A folder stands where the file should be.
    fs::create_dir_all(place.path().join("in the way")).unwrap();
    assert_counted(&place.holders(false).unwrap(), &truth(&database), "in the way");
    fs::remove_dir_all(place.path()).unwrap();
    drop(place.holders(false).unwrap());
    assert!(folder.path().join("holders-classes").is_file());
}
