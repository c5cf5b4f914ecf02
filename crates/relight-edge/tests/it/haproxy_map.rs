//! The traps of HAProxy's runtime API, on the real program.

use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::mpsc;
use std::{fs, thread};

use relight_edge::{Stage, config};
use relight_model::Seen;

use crate::support::{DEADLINE, Kind, Rig, epoch, key, set};

/// Measured: a payload above `tune.bufsize` adds nothing and says nothing; 2,000 keys need several.
#[test]
fn many_keys_go_in_several_payloads() {
    let mut rig = Rig::start(Kind::Haproxy, 2_000);
    let map = rig.map_file().display().to_string();
    let version = rig.admin(&format!("prepare map {map}\n"));
    let version = version.trim().rsplit(' ').next().unwrap().to_owned();
    let all: String = (0..2_000).map(|n| format!("site-{n} 1\n")).collect();
    let reply = rig.admin(&format!("add map @{version} {map} <<\n{all}\n"));
    let shown = rig.admin(&format!("show map @{version} {map}\n"));
    assert!(!shown.contains("site-1999"), "the trap is gone: {reply:?}");
    rig.admin(&format!("clear map @{version} {map}\n"));

    rig.close(1, &set(0..2_000));
    let sites: Vec<usize> = (0..2_000).collect();
    let dark = rig.probe(&sites).iter().filter(|result| result.seen == Seen::Dark).count();
    assert_eq!(dark, 2_000);
    let lines = fs::read_to_string(rig.map_file()).unwrap().lines().count();
    assert_eq!(lines, 2_001, "the sentinel and every key");
    rig.open(2, &set(0..10));
    assert_eq!((rig.seen(9), rig.seen(10)), (Seen::Dark, Seen::Lit));
}

#[test]
fn doubles_and_values_of_others_are_cleared_up() {
    let mut rig = Rig::start(Kind::Haproxy, 4);
    rig.close(1, &set([0]));
    let map = rig.map_file().display().to_string();
    rig.admin(&format!("add map {map} site-0 1\n"));
    rig.admin(&format!("add map {map} site-1 0\n"));
    rig.close(2, &set([0, 1]));
    assert_eq!((rig.seen(0), rig.seen(1)), (Seen::Dark, Seen::Dark));
    let shown = rig.admin(&format!("show map {map}\n"));
    assert_eq!(shown.lines().filter(|line| line.contains(" site-")).count(), 2, "{shown}");
}

#[test]
fn foreign_entries_of_either_copy() {
    let mut rig = Rig::start(Kind::Haproxy, 4);
    rig.close(1, &set([0]));
    let map = rig.map_file().display().to_string();
    rig.admin(&format!("add map {map} site-1 1\n"));
    rig.admin(&format!("del map {map} site-0\n"));
    let view = rig.observe(1);
    assert_eq!((view.runtime, view.durable, view.foreign), (Seen::Dark, Seen::Lit, true));
    assert_eq!(rig.observe(0).runtime, Seen::Lit);
    rig.close(1, &set([0]));
    assert_eq!((rig.seen(0), rig.seen(1)), (Seen::Dark, Seen::Dark));
    rig.open(2, &set([]));
    assert_eq!((rig.seen(0), rig.seen(1)), (Seen::Lit, Seen::Dark));
    // The person decides by removing the entry.
    rig.admin(&format!("del map {map} site-1\n"));
    assert_eq!(rig.seen(1), Seen::Lit);
    rig.close(3, &set([1]));
    rig.open(4, &set([]));
    assert_eq!(rig.seen(1), Seen::Lit);
}

/// A durable copy that somebody emptied would light every site at the next reload.
#[test]
fn a_file_that_was_edited_is_rewritten() {
    let mut rig = Rig::start(Kind::Haproxy, 2);
    rig.close(1, &set([0]));
    fs::write(rig.map_file(), "").unwrap();
    let view = rig.observe(0);
    assert_eq!((view.durable, view.runtime), (Seen::Lit, Seen::Dark));
    fs::write(rig.map_file(), "site-1 perhaps\n").unwrap();
    rig.apply(epoch(1), Stage::Durable, &set([0])).unwrap();
    assert_eq!(rig.observe(0).durable, Seen::Dark);
    // What stood there is kept for whoever asks who that was.
    let kept = fs::read_to_string(rig.target.gate.join("found-1.map")).unwrap();
    assert_eq!(kept, "site-1 perhaps\n");
}

/// Goal: what somebody wrote is kept when nothing has to be closed any more, for it takes room and
/// time. Method: a socket in between looks for the copy when the version takes effect.
#[test]
fn a_file_that_was_edited_is_kept_after_the_gate_is_closed() {
    let mut rig = Rig::start(Kind::Haproxy, 2);
    let kept = rig.target.gate.join("found-1.map");
    let (asked, real) = (rig.path().join("between.sock"), rig.config.folder.join(config::SOCKET));
    let listener = UnixListener::bind(&asked).unwrap();
    let (say, said) = mpsc::channel();
    let path = kept.clone();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let (mut command, mut reply) = (Vec::new(), Vec::new());
            stream.read_to_end(&mut command).unwrap();
            if command.starts_with(b"commit map") {
                say.send(path.exists()).unwrap();
            }
            let mut edge = UnixStream::connect(&real).unwrap();
            edge.write_all(&command).unwrap();
            edge.shutdown(Shutdown::Write).unwrap();
            edge.read_to_end(&mut reply).unwrap();
            // Whoever asked may be gone.
            let _ = stream.write_all(&reply);
        }
    });
    rig.target.settings.insert("socket".to_owned(), asked.display().to_string());
    rig.driver = relight_edge::open(&rig.target).unwrap();
    fs::write(rig.map_file(), "site-1 perhaps\n").unwrap();
    // A map that cannot be written is not kept either: a full disk has room for one of them.
    let new = rig.map_file().with_extension("map.new");
    fs::create_dir(&new).unwrap();
    rig.driver.close(epoch(1), &set([0])).unwrap_err();
    assert!(!kept.exists());
    fs::remove_dir(&new).unwrap();
    rig.driver.close(epoch(1), &set([0])).unwrap();
    assert_eq!(said.try_iter().collect::<Vec<_>>(), [false]);
    assert_eq!(fs::read_to_string(&kept).unwrap(), "site-1 perhaps\n");
    assert_eq!(rig.seen(0), Seen::Dark);
}

#[test]
fn a_socket_without_admin_level_is_an_error_of_the_lint() {
    let mut rig = Rig::start(Kind::Haproxy, 1);
    rig.running = None;
    let files = relight_edge::config::haproxy(&rig.config).unwrap();
    let config = files.config.replace("level admin", "level operator");
    let files = relight_edge::config::Files { config, ..files };
    let wait = DEADLINE;
    let listen = &rig.config.listen;
    let running =
        relight_edge::exec::start_haproxy(&rig.config.folder, &files, listen, wait).unwrap();
    let codes: Vec<_> = rig.driver.lint().unwrap().iter().map(|lint| lint.code).collect();
    assert_eq!(codes, ["socket-not-admin"]);
    drop(running);
    assert!(rig.driver.lint().is_err(), "an edge that does not answer cannot be examined");
    assert_eq!(rig.driver.observe(&[key(0)]).unwrap()[0].runtime, Seen::Unknown);
}

#[test]
fn a_small_buffer_and_an_unknown_map_are_errors_of_the_lint() {
    let mut rig = Rig::start(Kind::Haproxy, 1);
    rig.running = None;
    let files = relight_edge::config::haproxy(&rig.config).unwrap();
    let config = files.config.replace("global\n", "global\n  tune.bufsize 8192\n");
    let files = relight_edge::config::Files { config, ..files };
    let wait = DEADLINE;
    let listen = &rig.config.listen;
    let _running =
        relight_edge::exec::start_haproxy(&rig.config.folder, &files, listen, wait).unwrap();
    let codes: Vec<_> = rig.driver.lint().unwrap().iter().map(|lint| lint.code).collect();
    assert_eq!(codes, ["bufsize-too-small"]);
    let other = rig.config.folder.join("other.map");
    fs::write(&other, "").unwrap();
    rig.target.settings.insert("map".to_owned(), other.display().to_string());
    rig.driver = relight_edge::open(&rig.target).unwrap();
    let codes: Vec<_> = rig.driver.lint().unwrap().iter().map(|lint| lint.code).collect();
    assert_eq!(codes, ["map-unknown"]);
}
