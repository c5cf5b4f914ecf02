//! A version of HAProxy's map that waits for an order, on the real program: it is committed where
//! it is exactly what is wanted, and never else.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::{Arc, Mutex};
use std::thread;

use relight_edge::{EdgeErrorKind, config};
use relight_model::{Epoch, Seen};

use crate::support::{Kind, Rig, epoch, key, set};

/// More than are changed one by one.
const SITES: usize = 40;

/// An edge whose sites all have a version that waits, and that version.
fn ready() -> (Rig, u64) {
    let mut rig = Rig::start(Kind::Haproxy, SITES);
    // From here on single keys are changed one by one, which leaves what waits as it is.
    rig.close(1, &set([]));
    assert!(rig.driver.get_ready(&set(0..SITES), &|| false).unwrap());
    let version = waiting(&rig).unwrap();
    assert_eq!(held(&rig, version), SITES);
    (rig, version)
}

/// The version that waits, as the file beside the gate names it.
fn waiting(rig: &Rig) -> Option<u64> {
    let text = fs::read_to_string(rig.target.gate.join("prepared")).ok()?;
    text.split(' ').nth(3)?.parse().ok()
}

/// How many entries a version has.
fn held(rig: &Rig, version: u64) -> usize {
    let shown = rig.admin(&format!("show map @{version} {}\n", rig.map_file().display()));
    shown.lines().filter(|line| !line.is_empty()).count()
}

fn count(rig: &mut Rig, seen: Seen) -> usize {
    let sites: Vec<usize> = (0..SITES).collect();
    rig.probe(&sites).iter().filter(|result| result.seen == seen).count()
}

/// Puts a socket between the driver and the edge that keeps the first line of each command.
fn overhear(rig: &mut Rig) -> Arc<Mutex<Vec<String>>> {
    let (asked, real) = (rig.path().join("between.sock"), rig.config.folder.join(config::SOCKET));
    let (listener, heard) = (UnixListener::bind(&asked).unwrap(), Arc::default());
    let kept: Arc<Mutex<Vec<String>>> = Arc::clone(&heard);
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let (mut command, mut reply) = (String::new(), Vec::new());
            stream.read_to_string(&mut command).unwrap();
            kept.lock().unwrap().push(command.lines().next().unwrap_or_default().to_owned());
            let mut edge = UnixStream::connect(&real).unwrap();
            edge.write_all(command.as_bytes()).unwrap();
            edge.shutdown(Shutdown::Write).unwrap();
            edge.read_to_end(&mut reply).unwrap();
            // Whoever asked may be gone.
            let _ = stream.write_all(&reply);
        }
    });
    rig.target.settings.insert("socket".to_owned(), asked.display().to_string());
    rig.driver = relight_edge::open(&rig.target).unwrap();
    heard
}

/// Goal: an order for all sites commits what was got ready for it, and until then that changes
/// nothing for any visitor. Method: sites are looked at beside a dark one while the version waits,
/// which holds them all; then the commands of an order are overheard.
#[test]
fn an_order_commits_the_version_that_waited_for_it() {
    let mut rig = Rig::start(Kind::Haproxy, SITES);
    rig.close(1, &set([7]));
    assert!(rig.driver.get_ready(&set(0..SITES), &|| false).unwrap());
    let version = waiting(&rig).unwrap();
    assert_eq!((count(&mut rig, Seen::Dark), count(&mut rig, Seen::Lit)), (1, SITES - 1));
    // Whoever comes after a kill takes it as well: the driver is another one now.
    let heard = overhear(&mut rig);
    assert!(rig.driver.get_ready(&set(0..SITES), &|| false).unwrap());
    assert_eq!(waiting(&rig), Some(version), "it is kept");
    rig.driver.close(epoch(2), &set(0..SITES)).unwrap();
    assert_eq!(count(&mut rig, Seen::Dark), SITES);
    let heard = heard.lock().unwrap().clone();
    assert!(heard.iter().any(|it| it.starts_with(&format!("commit map @{version} "))), "{heard:?}");
    assert!(!heard.iter().any(|it| it.starts_with("prepare")), "{heard:?}");
    let lines = fs::read_to_string(rig.map_file()).unwrap().lines().count();
    assert_eq!(lines, SITES + 1, "the sentinel and every key");
    assert!(rig.driver.get_ready(&set(0..SITES), &|| false).unwrap());
    assert_eq!(waiting(&rig), None, "all of it is dark");
}

/// What somebody does to a version that waits, and whether it is what is wanted all the same.
type Change = (&'static str, fn(&mut Rig, &str, u64), bool);

const CHANGES: [Change; 10] = [
    ("a key is deleted from the map", |rig, map, _| drop(rig.admin(&del(map, 3))), true),
    ("it is emptied", |rig, map, it| drop(rig.admin(&format!("clear map @{it} {map}\n"))), true),
    ("a key is added", |rig, map, it| drop(rig.admin(&add(map, it, "other 1"))), false),
    ("a key is doubled", |rig, map, it| drop(rig.admin(&add(map, it, "site-3 1"))), false),
    ("a value is added", |rig, map, it| drop(rig.admin(&add(map, it, "site-3 0"))), false),
    (
        "whoever adds its epoch is killed",
        |rig, map, it| drop(rig.admin(&add(map, it, ".relight.epoch 1-1"))),
        false,
    ),
    ("it is committed", |rig, map, it| drop(rig.admin(&commit(map, it))), false),
    (
        "another one is committed",
        |rig, map, it| {
            rig.admin(&format!("prepare map {map}\n"));
            rig.admin(&commit(map, it + 1));
        },
        false,
    ),
    (
        "another process serves",
        |rig, _, _| {
            rig.running = None;
            rig.start_edge();
        },
        false,
    ),
    (
        "another process serves, which begins as many",
        |rig, map, it| {
            rig.running = None;
            rig.start_edge();
            (0..it).for_each(|_| drop(rig.admin(&format!("prepare map {map}\n"))));
        },
        false,
    ),
];

fn del(map: &str, site: usize) -> String {
    format!("del map {map} {}\n", key(site))
}

fn add(map: &str, version: u64, entry: &str) -> String {
    format!("add map @{version} {map} {entry}\n")
}

fn commit(map: &str, version: u64) -> String {
    format!("commit map @{version} {map}\n")
}

/// Goal: a version that is not what is wanted is never committed and leaves nothing behind, and the
/// order is carried out all the same. Method: each change by hand, the order, and then what is
/// served, what the map holds and what waits.
#[test]
fn a_version_that_somebody_changed_is_not_committed_as_it_is() {
    for (change, make, is_wanted) in CHANGES {
        let (mut rig, version) = ready();
        let map = rig.map_file().display().to_string();
        make(&mut rig, &map, version);
        let heard = overhear(&mut rig);
        rig.driver.close(epoch(2), &set(0..SITES)).unwrap();
        assert_eq!(count(&mut rig, Seen::Dark), SITES, "{change}");
        let shown = rig.admin(&format!("show map {map}\n"));
        assert_eq!(shown.lines().filter(|it| !it.is_empty()).count(), SITES + 1, "{change}");
        let heard = heard.lock().unwrap().clone();
        let is_prepared = heard.iter().any(|it| it.starts_with("prepare"));
        assert_eq!(is_prepared, !is_wanted, "{change}: {heard:?}");
        let listed = rig.admin("show map\n");
        let entries = format!("entry_cnt={}\n", SITES + 1);
        let line = listed.lines().find(|it| it.contains(&format!("({map})"))).unwrap();
        assert!(format!("{line}\n").ends_with(&entries), "{change}: something is left: {line}");
    }
}

/// Goal: a newer controller is not overruled by what an older one got ready. Method: the older one
/// carries out its order after the newer one wrote.
#[test]
fn what_waits_from_an_older_controller_is_not_committed_over_a_newer_epoch() {
    let (mut rig, version) = ready();
    let mut newer = relight_edge::open(&rig.target).unwrap();
    newer.close(Epoch { term: 2, seq: 1 }, &set([5])).unwrap();
    let error = rig.driver.close(epoch(900), &set(0..SITES)).unwrap_err();
    assert_eq!(error.kind, EdgeErrorKind::Fenced);
    assert_eq!((rig.seen(5), count(&mut rig, Seen::Lit)), (Seen::Dark, SITES - 1));
    // It waits for the newer one now.
    newer.close(Epoch { term: 2, seq: 2 }, &set(0..SITES)).unwrap();
    assert_eq!((count(&mut rig, Seen::Dark), held(&rig, version)), (SITES, SITES + 1));
}

/// Goal: whoever was stopped, by an order or a kill, loses nothing of what it did, and nothing that
/// is half done is taken for done. Method: it stops after the first step; the order comes, once in
/// the same process and once in another one.
#[test]
fn half_a_version_is_filled_by_the_order() {
    let sites = 600;
    for is_killed in [false, true] {
        let mut rig = Rig::start(Kind::Haproxy, sites);
        assert!(!rig.driver.get_ready(&set(0..sites), &|| true).unwrap());
        let version = waiting(&rig).unwrap();
        assert!((1..sites).contains(&held(&rig, version)));
        if is_killed {
            rig.driver = relight_edge::open(&rig.target).unwrap();
        }
        rig.driver.close(epoch(1), &set(0..sites)).unwrap();
        assert_eq!(held(&rig, version), sites + 1);
        let all: Vec<usize> = (0..sites).collect();
        assert!(rig.probe(&all).iter().all(|result| result.seen == Seen::Dark));
    }
}

/// Goal: an edge whose looks take all the time that it is given becomes ready nevertheless. Method:
/// the time is over whenever that is asked.
#[test]
fn each_call_gets_on_however_little_time_it_has() {
    let (mut rig, sites, mut steps) = (Rig::start(Kind::Haproxy, SITES), 1_100, 0);
    while !rig.driver.get_ready(&set(0..sites), &|| true).unwrap() {
        steps += 1;
        assert!(steps < 10, "it never ends");
    }
    assert_eq!(held(&rig, waiting(&rig).unwrap()), sites);
    assert!(steps >= 2, "{steps}");
}

/// Goal: nothing stays in the memory of the edge that nobody has a use for. Method: other sites,
/// too few of them for a version, and an order for some.
#[test]
fn a_version_that_nobody_has_a_use_for_is_cleared() {
    let (mut rig, first) = ready();
    assert!(rig.driver.get_ready(&set(0..SITES - 2), &|| false).unwrap());
    let second = waiting(&rig).unwrap();
    assert_eq!((held(&rig, first), held(&rig, second)), (0, SITES - 2));
    assert!(rig.driver.get_ready(&set(0..3), &|| false).unwrap());
    assert_eq!((held(&rig, second), waiting(&rig)), (0, None));
    assert!(rig.driver.get_ready(&set(0..SITES), &|| false).unwrap());
    let third = waiting(&rig).unwrap();
    rig.driver.close(epoch(1), &set(0..SITES - 10)).unwrap();
    assert_eq!((held(&rig, third), count(&mut rig, Seen::Dark)), (0, SITES - 10));
    assert_eq!(count(&mut rig, Seen::Lit), 10);
}
