//! The data folder of a drill stays one, and one with real incidents becomes none.

use std::fs;

use relight_engine::store::Store;
use relight_server::web::texts;

use crate::incident::{POLICY, Town};
use crate::place::Place;
use crate::serve::Server;

const FREE: [&str; 5] = ["--json", "--listen", "127.0.0.1:0", "--public-listen", "127.0.0.1:0"];

/// Serves once, with these options too.
fn serve(place: &Place, more: &[&str]) {
    let (server, started) = Server::run(place, &[&["serve"][..], &FREE, more].concat());
    assert_eq!(started["schema"], "relight.serve/1");
    assert_eq!(server.terminate(), Some(0));
}

/// An incident that closes one public site and opens it again.
fn outage(place: &Place) {
    place.expect(0, &["incident", "open", "CVE-2021-44228"]);
    let one = ["--sites", "site:san-001", "--yes"];
    place.expect(0, &[&["incident", "off", "--reason", "Log4Shell"][..], &one].concat());
    place.expect(0, &["incident", "fix", "san-001", "--note", "log4j-core 2.17.1"]);
    place.expect(0, &["incident", "verify", "san-001", "--target", "good"]);
    place.expect(0, &[&["incident", "on"][..], &one].concat());
    place.expect(0, &["incident", "close", "CVE-2021-44228"]);
}

/// What is public about a folder: in stripes, feeds, certificates.
fn published(place: &Place) -> [bool; 3] {
    let current = place.path("data/public/current");
    let page = fs::read_to_string(current.join("fr/index.html")).unwrap();
    // The key that checks certificates is there without any.
    let mut signed = fs::read_dir(place.path("data/public/certificates")).unwrap();
    let signed = signed.any(|file| file.unwrap().file_name() != "key.json");
    [page.contains("[EXERCICE]"), current.join("history.atom").exists(), signed]
}

/// Goal: what was rehearsed is never told as real. Method: one outage, in a folder that was served
/// as a drill and in one that was not; then both are exported and served without `--drill`.
#[test]
fn what_was_rehearsed_is_never_published_as_real() {
    for (more, expected) in [(&["--drill"][..], [true, false, false]), (&[], [false, true, true])] {
        let (town, is_drill) = (Town::new(), !more.is_empty());
        let place = &town.place;
        place.write("data/policy.toml", POLICY);
        serve(place, more);
        outage(place);
        let told = place.expect(0, &["public", "export", "--json"]);
        assert_eq!(told.stderr.contains("is that of a drill"), is_drill, "{}", told.text());
        assert_eq!(published(place), expected, "exported");
        serve(place, &[]);
        assert_eq!(published(place), expected, "served");
    }
}

#[test]
fn no_drill_begins_where_an_incident_is() {
    let place = Place::with_sites();
    place.write("data/policy.toml", POLICY);
    place.expect(0, &["incident", "open", "CVE-2021-44228"]);
    for lang in ["fr", "en"] {
        let told = place.expect(1, &[&["serve", "--drill", "--lang", lang][..], &FREE].concat());
        assert!(told.stderr.contains("relight serve --drill --data"), "{}", told.text());
    }
    serve(&place, &[]);
    let told = place.expect(0, &["public", "export"]);
    assert!(!told.stderr.contains(texts::stage_folder(relight_server::web::Lang::En)));
    assert_eq!(published(&place), [false, true, false]);
}

/// A server that runs knows of no drill, and would publish as real what is rehearsed.
#[test]
fn no_drill_begins_beside_a_server_and_a_drill_is_begun_again() {
    let place = Place::with_sites();
    let (server, _) = Server::run(&place, &[&["serve"][..], &FREE].concat());
    // Whoever was told where it is finds it in control.
    let store = Store::open(&place.path("data")).unwrap();
    assert!(store.take_control().unwrap().is_none());
    let told = place.expect(1, &[&["serve", "--drill"][..], &FREE].concat());
    assert!(told.stderr.contains("a server that runs controls this register"), "{}", told.text());
    assert_eq!(server.terminate(), Some(0));
    serve(&place, &["--drill"]);
    place.write("data/policy.toml", POLICY);
    place.expect(0, &["incident", "open", "CVE-2021-44228"]);
    serve(&place, &["--drill"]);
}

/// A block list has no place for a mark that a firewall would heed.
#[test]
fn campaigns_that_were_played_are_not_exported() {
    let place = Place::with_sites();
    let export = ["watch", "export", "all", "-f", "blocklist"];
    place.expect(0, &export);
    Store::open(&place.path("data")).unwrap().meta_put("demo", "1").unwrap();
    assert!(place.expect(1, &export).stderr.contains("was played and leaves nowhere"));
    let told = place.expect(1, &[&export[..], &["--lang", "fr"]].concat());
    assert!(told.stderr.contains("a été jouée et ne sort pas"), "{}", told.text());
}

#[test]
fn a_demo_folder_is_exported_and_served_as_one() {
    let place = Place::with_sites();
    Store::open(&place.path("data")).unwrap().meta_put("demo", "1").unwrap();
    let page = place.path("data/public/current/fr/index.html");
    place.expect(0, &["public", "export"]);
    assert!(fs::read_to_string(&page).unwrap().contains("[DÉMONSTRATION]"));
    fs::remove_file(&page).unwrap();
    serve(&place, &[]);
    assert!(fs::read_to_string(&page).unwrap().contains("[DÉMONSTRATION]"));
}

/// A gate that an earlier demo wrote obeys no new one: that is said before anything is done.
#[test]
fn a_folder_in_which_a_demo_was_played_is_refused() {
    let place = Place::new();
    place.write("played/data/relight.db", b"");
    for (lang, what) in [("en", "played already"), ("fr", "déjà jouée")] {
        let words = ["demo", "--sites", "20", "--folder", "played", "--lang", lang];
        let refused = place.run(&words);
        assert_eq!(refused.status, 2, "{refused:?}");
        assert!(refused.stderr.contains(what) && refused.stderr.contains("played"), "{refused:?}");
        assert!(refused.stderr.contains("--folder DIR"), "{refused:?}");
    }
}
