//! Two relight processes on one register, and one that is killed: on every kind of edge.

use std::collections::BTreeMap;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use relight_edge::{EdgeErrorKind, GateSet, Stage, Target};
use relight_model::{Epoch, Seen};
use testkit::Rng;

use crate::support::{DEADLINE, Finish, Kind, Rig, epoch, eventually, key, set};

/// Names the file of a target: the process with it is the writer that will be killed.
const WRITER: &str = "RELIGHT_TEST_WRITER";
/// Between two rounds of a writer that never stops.
const BREATH: Duration = Duration::from_millis(5);
/// Sites of the edge of a writer.
const SITES: usize = 44;

/// Goal: of two controllers the older never overwrites the newer. Method: the older writes without
/// pause in a thread while the newer takes over; what stays is what the newer wanted, the older is
/// fenced off for good, and it cannot cut either.
#[test]
fn an_older_controller_never_overwrites_a_newer_one() {
    for kind in Kind::ALL {
        let mut rig = Rig::start(kind, SITES);
        let mut older = relight_edge::open(&rig.target).unwrap();
        let (started, done) = (AtomicBool::new(false), AtomicBool::new(false));
        let fenced = AtomicUsize::new(0);
        thread::scope(|scope| {
            let old = scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    for (stage, dark) in [
                        (Stage::Durable, set(0..20)),
                        (Stage::Runtime, set([])),
                        (Stage::Durable, set([])),
                    ] {
                        match older.apply(Epoch { term: 1, seq: 900 }, stage, &dark) {
                            Ok(()) => {}
                            Err(error) if error.kind == EdgeErrorKind::Fenced => {
                                fenced.fetch_add(1, Ordering::Relaxed);
                            }
                            Err(error) => assert!(error.retry, "{kind:?}: {error}"),
                        }
                        let changed = set([0]);
                        let few = older.apply_changes(epoch(900), stage, &dark, &changed);
                        if few.is_err_and(|error| error.kind == EdgeErrorKind::Fenced) {
                            fenced.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                    started.store(true, Ordering::Relaxed);
                    // Whoever asks for the lock a thousand times a second must get it between two
                    // writes; without a breath that took minutes on a busy machine.
                    thread::park_timeout(BREATH);
                }
            });
            let _finish = Finish(&done);
            while !started.load(Ordering::Relaxed) && !old.is_finished() {
                thread::yield_now();
            }
            let newer = Epoch { term: 2, seq: 1 };
            let wanted = set(10..40);
            for stage in [Stage::Durable, Stage::Runtime] {
                // A neighbour that writes all the time may have to be waited for.
                while let Err(error) = rig.driver.apply(newer, stage, &wanted) {
                    assert!(error.retry, "{kind:?}: {error}");
                }
            }
            for _ in 0..3 {
                assert_eq!(seen_dark(&mut rig), wanted, "{kind:?}");
            }
            eventually("the older one is fenced", || {
                fenced.load(Ordering::Relaxed) > 0 || old.is_finished()
            });
            done.store(true, Ordering::Relaxed);
            old.join().unwrap();
            assert!(fenced.load(Ordering::Relaxed) > 0, "{kind:?}: the older one was never fenced");
        });
        let views = rig.driver.observe(&[key(0), key(10)]).unwrap();
        assert_eq!(views[0].durable, Seen::Lit, "{kind:?}");
        assert_eq!(views[1].durable, Seen::Dark, "{kind:?}");
        assert_eq!(views[1].epoch, Some(Epoch { term: 2, seq: 1 }), "{kind:?}");
    }
}

fn seen_dark(rig: &mut Rig) -> GateSet {
    let sites: Vec<usize> = (0..SITES).collect();
    let results = rig.probe(&sites);
    let dark = sites.iter().zip(&results).filter(|(_, result)| result.seen == Seen::Dark);
    dark.map(|(n, _)| key(*n)).collect()
}

/// Goal: a writer killed at any instant leaves one whole set or the other, nothing that looks
/// foreign, and a gate that the next one can use. Method: this test starts itself as the writer of
/// two sets that differ in more keys than are changed in place, and kills it at seeded moments.
#[test]
fn a_writer_that_is_killed_leaves_one_set_or_the_other() {
    if let Some(path) = env::var_os(WRITER) {
        write_for_ever(&PathBuf::from(path));
    }
    let seed = 20_211_212;
    println!("seed {seed}");
    let mut rng = Rng::new(seed);
    let (first, second) = (set(0..30), set(12..42));
    for kind in Kind::ALL {
        let mut rig = Rig::start(kind, SITES);
        rig.close(1, &first);
        let path = rig.path().join("target");
        fs::write(&path, described(&rig.target)).unwrap();
        for round in 0..4 {
            kill_a_writer(&path, Duration::from_millis(20 + rng.below(60) as u64));
            let found = seen_dark(&mut rig);
            if kind == Kind::Command {
                assert!((&first & &second).is_subset(&found), "{kind:?} {round}: {found:?}");
            } else {
                assert!(found == first || found == second, "{kind:?} {round}: mixed {found:?}");
            }
            rig.driver = relight_edge::open(&rig.target).unwrap();
            let keys: Vec<_> = (0..SITES).map(key).collect();
            let views = rig.driver.observe(&keys).unwrap();
            assert!(views.iter().all(|view| !view.foreign), "{kind:?} {round}");
            let at = Epoch { term: 2 + round, seq: 0 };
            rig.driver.apply(at, Stage::Durable, &first).unwrap();
            rig.driver.apply(at, Stage::Runtime, &first).unwrap();
            assert_eq!(seen_dark(&mut rig), first, "{kind:?} {round}");
            fs::write(rig.path().join("term"), format!("{}", 2 + round)).unwrap();
        }
    }
}

/// Starts this test as a writer, waits until it writes, and kills it a little later.
fn kill_a_writer(target: &Path, after: Duration) {
    let ready = target.with_file_name("ready");
    let _ = fs::remove_file(&ready);
    #[expect(clippy::disallowed_methods, reason = "a process to be killed: this test itself")]
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "writers::a_writer_that_is_killed_leaves_one_set_or_the_other"]);
    command.env(WRITER, target).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    let mut child = command.spawn().unwrap();
    let deadline = Instant::now() + DEADLINE;
    while !ready.exists() {
        assert!(Instant::now() < deadline, "the writer does not write");
        thread::yield_now();
    }
    let kill_at = Instant::now() + after;
    while Instant::now() < kill_at {
        thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

fn write_for_ever(path: &Path) -> ! {
    let target = read_target(&fs::read_to_string(path).unwrap());
    let term =
        fs::read_to_string(path.with_file_name("term")).map_or(1, |text| text.parse().unwrap());
    let mut driver = relight_edge::open(&target).unwrap();
    let mut seq = 2;
    loop {
        let dark = if seq % 2 == 0 { set(12..42) } else { set(0..30) };
        for stage in [Stage::Durable, Stage::Runtime] {
            driver.apply(Epoch { term, seq }, stage, &dark).unwrap();
            fs::write(path.with_file_name("ready"), "").unwrap();
        }
        seq += 1;
    }
}

/// Kind and gate, then one setting a line.
fn described(target: &Target) -> String {
    let settings = target.settings.iter().map(|(name, value)| format!("{name}={value}\n"));
    format!("{}\n{}\n{}", target.kind, target.gate.display(), settings.collect::<String>())
}

fn read_target(text: &str) -> Target {
    let mut lines = text.lines();
    let (kind, gate) = (lines.next().unwrap().to_owned(), lines.next().unwrap().into());
    let settings: BTreeMap<String, String> = lines
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    Target {
        name: "north".to_owned(),
        kind,
        gate,
        listeners: Vec::new(),
        verify: None,
        settings,
        members: Vec::new(),
    }
}
