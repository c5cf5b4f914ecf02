//! The lock, the epoch, and the record of whose keys are ours.

use std::fs;

use super::*;

fn kind_after(content: &[u8]) -> Option<EdgeErrorKind> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("epoch"), content).unwrap();
    Fence::new(folder.path()).enter(Epoch { term: 1, seq: 0 }).err().map(|error| error.kind)
}

#[test]
fn an_epoch_file_that_is_not_ours_is_not_guessed() {
    assert_eq!(kind_after(b"1-0\nkey\n"), None);
    assert_eq!(kind_after(b"0-99\n"), None);
    assert_eq!(kind_after(b"1-1\n"), Some(EdgeErrorKind::Fenced));
    for garbled in
        [&b""[..], b"1\n", b"1-x\n", b"-1-1\n", b"1-0\nKey\n", b"\xff\xfe\n", b"1-0\n=7\n"]
    {
        assert_eq!(kind_after(garbled), Some(EdgeErrorKind::ForeignEdit), "{garbled:?}");
    }
    let long = "x".repeat(usize::try_from(RECORD_BYTES_MAX).unwrap() + 1);
    assert_eq!(kind_after(long.as_bytes()), Some(EdgeErrorKind::ForeignEdit));
}

#[test]
fn the_largest_gate_fits_into_its_record() {
    let folder = tempfile::tempdir().unwrap();
    let key = |n: usize| GateKey::new(&format!("{n:0>128}")).unwrap();
    let own: GateSet = (0..crate::gate::GATE_KEYS_MAX).map(key).collect();
    let epoch = Epoch { term: u64::MAX, seq: u64::MAX };
    let fence = Fence::new(folder.path());
    let record = Record { epoch: Some(epoch), own };
    fence.enter(epoch).unwrap().write(record.clone()).unwrap();
    assert_eq!(fence.enter(epoch).unwrap().record, record);
}

/// Long keys that come and go make lines, and the file stays one that is read.
#[test]
fn a_record_of_long_keys_is_never_too_long_to_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let fence = Fence::new(folder.path());
    let keys = |from: usize, to: usize| -> GateSet {
        (from..to).map(|n| GateKey::new(&format!("{n:0>128}")).unwrap()).collect()
    };
    let epoch = |seq| Epoch { term: 1, seq };
    let mut record = Record { epoch: Some(epoch(1)), own: keys(0, 45_000) };
    let mut held = fence.enter(epoch(1)).unwrap();
    held.write(record.clone()).unwrap();
    for (seq, count) in (2..).zip([35_000, 45_000, 35_000, 45_000, 25_000]) {
        record = Record { epoch: Some(epoch(seq)), own: keys(0, count) };
        held.write(record.clone()).unwrap();
        assert_eq!(fence.read().unwrap(), record, "{seq}");
    }
    for seq in 7..10 {
        let (came, gone) = (keys(25_000, 45_000), keys(25_000, 45_000));
        held.append(epoch(seq), &came, &GateSet::new()).unwrap();
        assert_eq!(fence.read().unwrap().own.len(), 45_000, "{seq}");
        held.append(epoch(seq), &GateSet::new(), &gone).unwrap();
        assert_eq!(fence.read().unwrap().own, record.own, "{seq}");
    }
}

/// A record that lines were appended to is the one that was meant, wherever a kill cut it.
#[test]
fn appended_lines_count_when_they_are_whole() {
    let set =
        |keys: &[&str]| -> GateSet { keys.iter().map(|key| GateKey::new(key).unwrap()).collect() };
    let folder = tempfile::tempdir().unwrap();
    let (fence, path) = (Fence::new(folder.path()), folder.path().join("epoch"));
    let epoch = |seq| Epoch { term: 1, seq };
    let mut held = fence.enter(epoch(1)).unwrap();
    held.write(Record { epoch: Some(epoch(1)), own: set(&["a", "b"]) }).unwrap();
    held.append(epoch(2), &set(&["b", "c"]), &set(&["a", "x"])).unwrap();
    drop(held);
    assert_eq!(fs::read_to_string(&path).unwrap(), "1-1\na\nb\n=1-2\n+c\n-a\n");
    let after = Record { epoch: Some(epoch(2)), own: set(&["b", "c"]) };
    assert_eq!(fence.read().unwrap(), after);
    assert_eq!(fence.enter(epoch(1)).unwrap_err().kind, EdgeErrorKind::Fenced);
    let whole = fs::read(&path).unwrap();
    for length in "1-1\n".len()..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        let found = fence.read().unwrap();
        assert!(found.epoch >= Some(epoch(1)), "cut at {length}");
        // The next writer neither trips over half a line nor adds to it.
        fence.enter(epoch(2)).unwrap().append(epoch(2), &set(&["c"]), &set(&["a"])).unwrap();
        assert_eq!(fence.read().unwrap().epoch, Some(epoch(2)), "cut at {length}");
        assert!(fence.read().unwrap().own.contains(&set(&["c"]).pop_first().unwrap()));
    }
}

/// Goal: what was let go is not ours any more, and nothing else changes. Method: keys that stay,
/// one that is asked for and was never ours, and the same once more.
#[test]
fn what_is_let_go_is_not_ours_and_the_epoch_stays() {
    let set =
        |keys: &[&str]| -> GateSet { keys.iter().map(|key| GateKey::new(key).unwrap()).collect() };
    let folder = tempfile::tempdir().unwrap();
    let (fence, path) = (Fence::new(folder.path()), folder.path().join("epoch"));
    let epoch = Epoch { term: 1, seq: 2 };
    let mut held = fence.enter(epoch).unwrap();
    held.write(Record { epoch: Some(epoch), own: set(&["a", "b", "c"]) }).unwrap();
    for _ in 0..2 {
        held.let_go(&set(&["b", "x"])).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "1-2\na\nb\nc\n-a\n-c\n");
    }
    assert_eq!(fence.read().unwrap(), Record { epoch: Some(epoch), own: set(&["b"]) });
    held.let_go(&GateSet::new()).unwrap();
    assert_eq!(fence.read().unwrap(), Record { epoch: Some(epoch), own: GateSet::new() });
}

/// Goal: what stands beside the record counts as much, and what nobody can make out beside a lost
/// one is not free. Method: each of them alone, beside a record and without one; in the end a
/// controller of the newest term puts right what it finds.
#[test]
fn the_newest_of_all_that_tells_an_epoch_counts() {
    use std::os::unix::fs::symlink;

    let entered = |record: Option<&str>, lock: &str, current: Option<&str>, term: u64| {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        record.iter().for_each(|text| fs::write(path("epoch"), text).unwrap());
        fs::write(path("lock"), lock).unwrap();
        current.iter().for_each(|name| symlink(name, path("current")).unwrap());
        let fence = Fence::new(folder.path());
        let entered = fence.enter(Epoch { term, seq: 4 });
        let kind = entered.err().map(|error| error.kind);
        (kind, fence.newest().ok().flatten(), fs::read_to_string(path("lock")).unwrap())
    };
    let fenced = Some(EdgeErrorKind::Fenced);
    let epoch = |term, seq| Some(Epoch { term, seq });
    for record in [None, Some("2-3\n")] {
        assert_eq!(entered(record, "5\n", None, 4), (fenced, epoch(5, 0), "5\n".into()));
        assert_eq!(entered(record, "5\n", None, 5), (None, epoch(5, 0), "5\n".into()));
        let built = |name| entered(record, "", Some(name), 3);
        assert_eq!(built("gen-3-5"), (fenced, epoch(3, 5), String::new()));
        assert_eq!(built("gen-3-5b"), (fenced, epoch(3, 5), String::new()));
        assert_eq!(built("gen-3-4"), (None, epoch(3, 4), "3\n".into()));
    }
    let foreign = Some(EdgeErrorKind::ForeignEdit);
    assert_eq!(entered(None, "five\n", None, 5), (foreign, None, "five\n".into()));
    assert_eq!(entered(None, "", Some("old"), 5), (foreign, None, String::new()));
    assert_eq!(
        entered(Some("2-3\n"), "strange", Some("old"), 5),
        (None, epoch(5, 0), "5\n".into())
    );
    assert_eq!(entered(Some("2-3\n"), "9\n", None, 10), (None, epoch(10, 0), "10\n".into()));
}

/// A record that is appended to again and again stays near the length of a new one.
#[test]
fn a_record_is_written_anew_before_it_is_much_longer_than_its_keys() {
    let folder = tempfile::tempdir().unwrap();
    let (fence, path) = (Fence::new(folder.path()), folder.path().join("epoch"));
    let keys = |from: usize| -> GateSet {
        (from..from + 300).map(|n| GateKey::new(&format!("site-{n:04}")).unwrap()).collect()
    };
    let (mut appended, mut anew) = (0, 0);
    let mut size = 0;
    for round in 0..40_u64 {
        let epoch = Epoch { term: 1, seq: round };
        let own = if round % 4 == 3 { GateSet::new() } else { keys(100 * round as usize) };
        let record = Record { epoch: Some(epoch), own };
        fence.enter(epoch).unwrap().write(record.clone()).unwrap();
        assert_eq!(fence.read().unwrap(), record, "round {round}");
        let length = fs::metadata(&path).unwrap().len();
        let whole: u64 = record.own.iter().map(|key| key.as_str().len() as u64 + 1).sum();
        assert!(length <= 2 * whole + APPEND_SLACK_BYTES + 32, "round {round}: {length}");
        if length > size {
            appended += 1
        } else {
            anew += 1
        }
        size = length;
    }
    assert!(appended > 5 && anew > 5, "{appended} longer, {anew} anew");
    let stale = fence.enter(Epoch { term: 1, seq: 38 }).unwrap_err();
    assert_eq!(stale.kind, EdgeErrorKind::Fenced);
}

/// An effect waits for another writer, and a newer order comes meanwhile.
#[test]
fn an_order_that_waited_until_a_newer_one_was_given_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let epoch = Epoch { term: 1, seq: 1 };
    let (orders, other) = (Orders::default(), Fence::new(folder.path()).enter(epoch).unwrap());
    let (waiting, waited) = std::sync::mpsc::channel();
    let (order, path) = (orders.next(), folder.path().to_owned());
    let effect = thread::spawn(move || {
        order.carry_out(|| {
            let mut fence = Fence::new(&path);
            fence.lock_wait_max = Duration::from_secs(60);
            waiting.send(()).unwrap();
            fence.enter(epoch).map(drop)
        })
    });
    waited.recv().unwrap();
    let newer = orders.next();
    drop(other);
    let refused = effect.join().unwrap().unwrap_err();
    assert_eq!(refused.kind, EdgeErrorKind::Fenced);
    let fence = Fence::new(folder.path());
    assert!(newer.carry_out(|| fence.enter(epoch).is_ok()));
    assert!(fence.enter(epoch).is_ok(), "of nobody who counts orders");
}

#[test]
fn readers_do_not_keep_each_other_out() {
    let folder = tempfile::tempdir().unwrap();
    let fence = Fence::new(folder.path());
    fence.peek(|_| fence.peek(|_| Ok(()))).unwrap();
}

/// A writer that hangs must not hang its successor for ever.
#[test]
fn a_lock_that_is_never_released_is_an_error_after_a_while() {
    let folder = tempfile::tempdir().unwrap();
    let mut fence = Fence::new(folder.path());
    assert_eq!(fence.lock_wait_max, LOCK_WAIT_MAX);
    fence.lock_wait_max = Duration::from_millis(50);
    let epoch = Epoch { term: 1, seq: 1 };
    let held = fence.enter(epoch).unwrap();
    let start = Instant::now();
    assert_eq!(fence.enter(epoch).unwrap_err().kind, EdgeErrorKind::Unreachable);
    assert!(start.elapsed() >= fence.lock_wait_max);
    drop(held);
    assert!(fence.enter(epoch).is_ok());
}

/// Goal: an order for all sites has its lines appended, with one sync, also after all were let go
/// of, at once or one by one. Trap: what had been let go of made the file so long that the order
/// wrote it anew, which takes two, while thousands of sites were waiting.
#[test]
fn an_order_for_all_is_appended_to_a_record_of_which_all_was_let_go() {
    let folder = durable::quick_folder();
    let fence = Fence::new(folder.path());
    let epoch = |seq| Epoch { term: 1, seq };
    let name = |number: usize| GateKey::new(&format!("site-{number:05}")).unwrap();
    let all: GateSet = (0..4_000).map(name).collect();
    let size = || fs::metadata(fence.path()).unwrap().len();
    let whole = |seq| Record { epoch: Some(epoch(seq)), own: all.clone() };
    let none = GateSet::new();
    let order = |seq: u64| {
        let before = size();
        fence.enter(epoch(seq)).unwrap().write(whole(seq)).unwrap();
        // A file that was written anew begins with the epoch that wrote it.
        let text = fs::read_to_string(fence.path()).unwrap();
        assert!(!text.starts_with(&format!("1-{seq}\n")), "{before} bytes before");
    };
    fence.enter(epoch(1)).unwrap().write(whole(1)).unwrap();
    fence.enter(epoch(2)).unwrap().append(epoch(2), &none, &all).unwrap();
    order(3);
    let mut anew = 0;
    for (seq, key) in (4..).zip(&all) {
        let before = size();
        let gone = GateSet::from([key.clone()]);
        fence.enter(epoch(seq)).unwrap().append(epoch(seq), &none, &gone).unwrap();
        anew += usize::from(size() < before);
    }
    assert!((1..20).contains(&anew), "{anew} times");
    order(5_000);
    assert_eq!(fence.owned().unwrap(), all);
}
