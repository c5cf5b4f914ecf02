//! `relight serve` on a full disk: it stays, says what it cannot do, and catches up.

use std::fs::{self, OpenOptions};
use std::io::BufRead;
use std::path::PathBuf;

use relight_engine::store::RESERVE_FILE;
use serde_json::Value;
use testkit::SmallDisk;

use crate::place::{Place, log4j, visitor};
use crate::serve::{FEED, Server};

/// What is left for the journal when the reserve was given up.
const LEFT_BYTES: u64 = 4 << 20;

/// A register whose reserve was given up, and the file that fills its disk. The server takes the
/// reserve anew when it looks before the disk is full: then once more.
fn fill(disk: &SmallDisk, place: &Place) -> PathBuf {
    let reserve = place.path("data").join(RESERVE_FILE);
    let filled = loop {
        // Not there while the server tries and finds no room.
        let _ = fs::remove_file(&reserve);
        let filled = disk.fill("log");
        if !reserve.exists() {
            break filled;
        }
    };
    let file = OpenOptions::new().write(true).open(&filled).unwrap();
    file.set_len(file.metadata().unwrap().len() - LEFT_BYTES).unwrap();
    filled
}

/// A server whose feeds are on another disk, as those of a mirror are.
fn start(place: &Place) -> (Server, Value) {
    let serve = ["serve", "--json", "--feeds", "feeds"];
    let free = ["--listen", "127.0.0.1:0", "--public-listen", "127.0.0.1:0"];
    Server::run(place, &[&serve[..], &free].concat())
}

fn drop_feed(place: &Place) {
    let part = place.write("feeds/new.json.part", FEED);
    fs::rename(part, place.path("feeds/new.json")).unwrap();
}

/// Both listeners answer.
fn answers(started: &Value) {
    for listener in ["console", "public"] {
        let address = started[listener].as_str().unwrap();
        let address = address.trim_start_matches("http://").trim_end_matches('/');
        let answer = visitor(address.parse().unwrap()).get("localhost", "/").unwrap();
        assert!(answer.status < 400, "{listener}: {}", answer.status);
    }
}

/// Goal: nobody is left without a controller because a disk is full. Method: a feed that comes on a
/// full disk, to a server that runs and to one that is started there; once there is room, what came
/// meanwhile is told.
#[test]
fn a_server_stays_on_a_full_disk_and_one_starts_there() {
    let place = Place::new();
    fs::create_dir_all(place.path("data")).unwrap();
    fs::create_dir_all(place.path("feeds")).unwrap();
    let Some(disk) = SmallDisk::over(&place.path("data")) else { return };
    place.write("sites.csv", crate::place::SITES);
    place.expect(0, &["sites", "import", "sites.csv"]);
    place.write("good/log4j.jar", log4j("2.17.1"));
    place.expect(0, &["scan", "good", "--site", "san-002"]);

    // What is so before the first server is news to nobody, and is noted by that one.
    assert_eq!(start(&place).0.terminate(), Some(0));
    let (mut server, started) = start(&place);
    let filled = fill(&disk, &place);
    drop_feed(&place);
    let mut told = server.stderr().lines().map_while(Result::ok);
    assert!(told.any(|line| line.contains("is full")), "the server ended");
    answers(&started);
    drop(server);

    // What a crash leaves is what the next one finds.
    let (server, started) = start(&place);
    answers(&started);
    fs::remove_file(filled).unwrap();
    let notice = server.next();
    assert_eq!(notice["advisory"], "CVE-2099-0009", "{notice}");
    assert!(matches!(server.terminate(), Some(0 | 1)), "it ends in order");
}
