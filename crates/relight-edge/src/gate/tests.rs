//! Gates that are killed, raced, filled to the brim and edited by others.

use std::sync::Barrier;
use std::thread;

use super::*;

fn set(names: impl IntoIterator<Item = usize>) -> GateSet {
    names.into_iter().map(|n| GateKey::new(&format!("k{n}")).unwrap()).collect()
}

fn epoch(seq: u64) -> Epoch {
    Epoch { term: 1, seq }
}

fn close(gate: &Gate, seq: u64, dark: &GateSet) {
    gate.apply(epoch(seq), Stage::Durable, dark).unwrap();
    gate.apply(epoch(seq), Stage::Runtime, dark).unwrap();
}

/// Goal: a writer killed at any step leaves either set whole (a batch) or every key with its
/// old or its new light (in place), and the next writer finds nothing that looks foreign.
/// Method: fail the n-th step for every n, look, apply again, open everything.
#[test]
fn a_kill_at_any_step_leaves_no_mixed_state() {
    let changes = [
        (set([]), set(0..40)),
        (set(0..40), set(20..60)),
        (set(0..40), set([])),
        (set(0..4), set(2..6)),
        (set(0..4), set([])),
        (set([]), set(0..4)),
    ];
    for (before, after) in changes {
        for stage in [Stage::Durable, Stage::Runtime] {
            let steps = (0..).find(|n| !killed_at(*n, stage, &before, &after)).unwrap();
            assert!(steps >= 3, "only {steps} steps from {before:?} to {after:?}");
        }
    }
}

/// Whether the change had an n-th step to be killed at.
fn killed_at(n: usize, stage: Stage, before: &GateSet, after: &GateSet) -> bool {
    let folder = durable::quick_folder();
    let gate = Gate::create(folder.path()).unwrap();
    close(&gate, 1, before);
    let mut count = 0;
    let mut kill = |_: Step| {
        count += 1;
        if count > n { Err(io::Error::other("killed")) } else { Ok(()) }
    };
    let killed = gate.apply_by_steps(epoch(2), stage, after, &mut kill).is_err();
    let next = Gate::create(folder.path()).unwrap();
    let found = next.entries().unwrap().dark;
    let batch = before.symmetric_difference(after).count() > IN_PLACE_MAX;
    if batch {
        assert!(found == *before || found == *after, "mixed: {found:?}");
    } else {
        assert!(found.is_subset(&(before | after)), "{found:?}");
        assert!((before & after).is_subset(&found), "{found:?}");
        assert!(after.is_subset(&found) || before.is_subset(&found), "opened first: {found:?}");
    }
    assert_eq!(next.foreign().unwrap(), GateSet::new(), "killed at step {n}");
    close(&next, 2, after);
    assert_eq!(next.entries().unwrap().dark, *after);
    close(&next, 3, &set([]));
    assert_eq!(next.entries().unwrap().dark, set([]));
    killed
}

#[test]
fn sixteen_differences_are_made_in_place_and_seventeen_are_not() {
    let folder = durable::quick_folder();
    let gate = Gate::create(folder.path()).unwrap();
    close(&gate, 1, &set([]));
    for (seq, keys, generation) in [(2, IN_PLACE_MAX, "gen-1-1"), (3, 33, "gen-1-3")] {
        close(&gate, seq, &set(0..keys));
        assert_eq!(gate.entries().unwrap().generation.as_deref(), Some(generation));
    }
}

/// Trap: a gate that the workers cannot enter leaves every site lit, without an error.
#[test]
fn a_private_umask_does_not_hide_the_gate() {
    let folder = durable::quick_folder();
    let before = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    let gate = Gate::create(&folder.path().join("gate")).unwrap();
    close(&gate, 1, &set(0..3));
    rustix::process::umask(before);
    for path in [folder.path().join("gate"), gate.current()] {
        let mode = std::os::unix::fs::PermissionsExt::mode(&path.metadata().unwrap().permissions());
        assert_eq!(mode & 0o777, 0o755, "{}", path.display());
    }
}

/// The same epoch again, after somebody else's edits: the generation it names is in use.
#[test]
fn an_equal_epoch_never_touches_the_generation_in_use() {
    let folder = durable::quick_folder();
    let gate = Gate::create(folder.path()).unwrap();
    for (keys, generation) in [(30, "gen-1-1"), (60, "gen-1-1b"), (90, "gen-1-1")] {
        close(&gate, 1, &set(0..keys));
        let entries = gate.entries().unwrap();
        assert_eq!(entries.generation.as_deref(), Some(generation));
        assert_eq!(entries.dark, set(0..keys));
    }
}

#[test]
fn a_gate_holds_its_most_and_refuses_one_more() {
    assert!(check_size(&set(0..GATE_KEYS_MAX)).is_ok());
    let error = check_size(&set(0..=GATE_KEYS_MAX)).unwrap_err();
    assert_eq!(error.kind, EdgeErrorKind::Refused);
    let folder = durable::quick_folder();
    let gate = Gate::create(folder.path()).unwrap();
    assert!(gate.apply(epoch(1), Stage::Durable, &set(0..=GATE_KEYS_MAX)).is_err());
    assert_eq!(gate.entries().unwrap(), Entries::default(), "nothing was written");
}

/// However two controllers race, what stays is what the newer one wanted.
#[test]
fn of_two_writers_the_newer_one_wins() {
    let folder = durable::quick_folder();
    let start = Barrier::new(8);
    thread::scope(|scope| {
        for seq in 1..=8 {
            let (start, folder) = (&start, folder.path());
            scope.spawn(move || {
                let gate = Gate::create(folder).unwrap();
                start.wait();
                for stage in [Stage::Durable, Stage::Runtime] {
                    let keys = usize::try_from(seq).unwrap() * 10;
                    match gate.apply(epoch(seq), stage, &set(0..keys)) {
                        Ok(()) => {}
                        Err(error) => assert_eq!(error.kind, EdgeErrorKind::Fenced, "{error}"),
                    }
                }
            });
        }
    });
    let gate = Gate::create(folder.path()).unwrap();
    assert_eq!(gate.entries().unwrap().dark, set(0..80));
    assert_eq!(gate.foreign().unwrap(), set([]));
}

fn inode(path: &Path) -> Option<u64> {
    fs::metadata(path).ok().map(|it| std::os::unix::fs::MetadataExt::ino(&it))
}

fn generations(gate: &Gate) -> usize {
    let names = fs::read_dir(gate.folder()).unwrap().map(|it| it.unwrap().file_name());
    names.filter(|name| name.to_string_lossy().starts_with("gen-")).count()
}

/// Goal: an order that is most of what was got ready begins with it, any other leaves it, and each
/// closes exactly what was ordered.
#[test]
fn what_was_got_ready_is_taken_where_it_is_less_work() {
    for (order, is_taken) in [
        (0..100, true),
        (0..99, true),
        (3..110, true),
        (0..50, true),
        (0..49, false),
        (60..200, false),
        (0..IN_PLACE_MAX, false),
        (200..300, false),
    ] {
        let folder = durable::quick_folder();
        let gate = Gate::create(folder.path()).unwrap();
        close(&gate, 1, &set([]));
        gate.get_ready(&set(0..100), &|| false).unwrap();
        assert_eq!(gate.entries().unwrap().dark, set([]), "nothing is closed by it");
        let ready = inode(&gate.folder().join(READY)).unwrap();
        close(&gate, 2, &set(order.clone()));
        assert_eq!(gate.entries().unwrap().dark, set(order.clone()), "{order:?}");
        assert_eq!(inode(&gate.current()) == Some(ready), is_taken, "{order:?}");
        assert_eq!(inode(&gate.folder().join(READY)) == Some(ready), !is_taken, "{order:?}");
        assert_eq!(gate.foreign().unwrap(), set([]), "{order:?}");
        gate.get_ready(&set(0..100), &|| false).unwrap();
        close(&gate, 3, &set([]));
        close(&gate, 4, &set(0..100));
        assert_eq!(gate.entries().unwrap().dark, set(0..100));
    }
}

/// Whatever stands where the next generation waits or is built, an order closes what it names.
#[test]
fn what_waits_is_looked_at_before_it_is_taken() {
    type Damage = fn(&Path);
    let damages: [Damage; 6] = [
        |path| fs::remove_file(path.join("k7")).unwrap(),
        |path| drop(File::create(path.join("k777")).unwrap()),
        |path| drop(File::create(path.join(".entry")).unwrap()),
        |path| fs::create_dir(path.join("k888")).unwrap(),
        |path| {
            fs::remove_file(path.join("k8")).unwrap();
            symlink("nowhere", path.join("k8")).unwrap();
        },
        |path| fs::remove_dir_all(path).unwrap(),
    ];
    for (number, damage) in damages.into_iter().enumerate() {
        for place in [READY, BUILDING] {
            let folder = durable::quick_folder();
            let gate = Gate::create(folder.path()).unwrap();
            gate.get_ready(&set(0..50), &|| false).unwrap();
            let waiting = gate.folder().join(place);
            if place == BUILDING {
                // A kill while it was built.
                fs::rename(gate.folder().join(READY), &waiting).unwrap();
            }
            damage(&waiting);
            close(&gate, 1, &set(0..50));
            let Entries { dark, strange, .. } = gate.entries().unwrap();
            assert_eq!((dark, strange), (set(0..50), vec![]), "{number} {place}");
            assert!(!gate.folder().join(BUILDING).exists(), "{number} {place}");
        }
    }
}

/// The first wave is the canary alone, and must not cost the second one what was there for it.
#[test]
fn what_a_kill_left_is_kept_for_a_larger_order() {
    let folder = durable::quick_folder();
    let gate = Gate::create(folder.path()).unwrap();
    gate.get_ready(&set(0..90), &|| false).unwrap();
    let left = inode(&gate.folder().join(READY));
    fs::rename(gate.folder().join(READY), gate.folder().join(BUILDING)).unwrap();
    close(&gate, 1, &set(500..501));
    assert_eq!(gate.entries().unwrap().dark, set(500..501));
    assert_eq!(inode(&gate.folder().join(READY)), left);
    close(&gate, 2, &set(0..100));
    assert_eq!(gate.entries().unwrap().dark, set(0..100));
    assert_eq!(inode(&gate.current()), left);
}

#[test]
fn nothing_is_got_ready_for_what_is_made_in_place_or_refused() {
    let folder = durable::quick_folder();
    let gate = Gate::create(folder.path()).unwrap();
    let ready = gate.folder().join(READY);
    for (count, is_there) in [
        (IN_PLACE_MAX, false),
        (IN_PLACE_MAX + 1, true),
        (40, true),
        (GATE_KEYS_MAX + 1, false),
        (0, false),
    ] {
        gate.get_ready(&set(0..count), &|| false).unwrap();
        assert_eq!(ready.is_dir(), is_there, "{count}");
        let found = Entries::of(&ready).unwrap().dark;
        assert_eq!(found.len(), if is_there { count } else { 0 });
    }
}

/// Old generations wait until there is time, and never in any number.
#[test]
fn old_generations_are_cleared_away_while_nothing_is_to_do() {
    let folder = durable::quick_folder();
    let gate = Gate::create(folder.path()).unwrap();
    for seq in 1..=3 * OLD_MAX as u64 {
        close(&gate, seq, &set(if seq % 2 == 0 { 0..40 } else { 100..140 }));
        assert!(generations(&gate) <= OLD_MAX + 1, "{seq}");
    }
    assert_eq!(generations(&gate), OLD_MAX + 1);
    gate.get_ready(&set([]), &|| false).unwrap();
    assert_eq!(generations(&gate), 2);
    assert_eq!(gate.entries().unwrap().dark, set(0..40));
}

/// Goal: whoever gets ready stops a step after something else is to do, loses nothing of what was
/// done, and an order in between closes exactly what it names.
#[test]
fn getting_ready_stops_for_an_order_and_goes_on_from_there() {
    let folder = durable::quick_folder();
    let gate = Gate::create(folder.path()).unwrap();
    let count = 5 * STEP_KEYS;
    close(&gate, 1, &set(0..count));
    close(&gate, 2, &set([]));
    close(&gate, 3, &set(0..count));
    let away = gate.folder().join(AWAY);
    assert!(!gate.get_ready(&set(0..count), &|| true).unwrap());
    close(&gate, 4, &set(0..count));
    assert!(away.is_dir(), "an order clears away what was left for later");
    let mut steps = 0;
    // Two old generations, of which one goes, and the five steps of the next one.
    while !gate.get_ready(&set(0..count), &|| true).unwrap() {
        steps += 1;
        assert_eq!(gate.entries().unwrap().dark, set(0..count), "{steps}");
        assert!(steps < 20, "it never ends");
    }
    assert!(steps >= 5, "{steps}");
    assert_eq!(Entries::of(&gate.folder().join(READY)).unwrap().dark, set(0..count));
    assert_eq!(generations(&gate), 2);
    assert!(!away.exists());

    let gate = Gate::create(folder.path().join("other").as_path()).unwrap();
    assert!(!gate.get_ready(&set(0..count), &|| true).unwrap());
    assert_eq!(Entries::of(&gate.folder().join(BUILDING)).unwrap().dark.len(), STEP_KEYS);
    let begun = inode(&gate.folder().join(BUILDING));
    close(&gate, 1, &set(0..count));
    assert_eq!(gate.entries().unwrap().dark, set(0..count));
    assert_eq!(inode(&gate.current()), begun, "it goes on with what was begun");
}

/// Goal: a few keys are looked at one by one, and many in one look, with the same result.
#[test]
fn a_few_keys_show_what_they_show_among_all() {
    let folder = durable::quick_folder();
    let gate = Gate::create(folder.path()).unwrap();
    let all: Vec<GateKey> = set(0..40).into_iter().collect();
    let few = |gate: &Gate| -> Vec<GateView> {
        let chunks = all.chunks(IN_PLACE_MAX);
        chunks.flat_map(|keys| gate.observe(keys).unwrap()).collect()
    };
    assert_eq!(few(&gate), gate.observe(&all).unwrap(), "nothing was ever closed");
    close(&gate, 1, &set(0..20));
    let current = gate.current();
    fs::remove_file(current.join("k3")).unwrap();
    fs::create_dir(current.join("k3")).unwrap();
    fs::remove_file(current.join("k4")).unwrap();
    symlink("k5", current.join("k4")).unwrap();
    fs::remove_file(current.join("k6")).unwrap();
    symlink("nowhere", current.join("k6")).unwrap();
    File::create(current.join("k30")).unwrap();
    assert_eq!(few(&gate), gate.observe(&all).unwrap());
    assert_eq!(few(&gate).iter().filter(|view| view.foreign).count(), 1);
    // A gate that cannot be read shows nothing, however few are asked for.
    fs::remove_file(&current).unwrap();
    File::create(&current).unwrap();
    assert!(gate.observe(&all).is_err() && gate.observe(&all[..1]).is_err());
}
