//! Two proxies in front of the same sites, registered as one edge.

use std::fs;
use std::net::TcpListener;

use crate::place::Place;

fn member<'a>(kind: &'a str, name: &'a str, address: &'a str) -> Vec<&'a str> {
    let mut arguments = vec!["edge", "add", kind, "--name", name, "--gate", name];
    arguments.extend(["--listen", address, "--verify", "verify.sock"]);
    arguments.extend(["--set", "worker_user=self", "--set", "upgrades=refused"]);
    arguments
}

const GROUP: [&str; 8] = ["edge", "add", "group", "--name", "north", "--member", "one", "two"];

/// What was one edge becomes two behind the same name: the sites keep it.
#[test]
fn two_proxies_are_registered_listed_and_compared_as_one() {
    let place = Place::with_sites();
    let listeners = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let addresses = listeners.each_ref().map(|it| it.local_addr().unwrap().to_string());
    place.expect(0, &member("nginx_file", "north", &addresses[0]));
    place.expect(0, &member("nginx_file", "one", &addresses[0]));
    place.expect(0, &member("builtin", "two", &addresses[1]));
    let added = place.expect(0, &GROUP);
    assert_eq!(added.stdout, "edge north registered\nNext: relight edge test north\n");
    let list = place.expect(0, &["edge", "list"]).stdout;
    assert!(list.contains(" north  group           3  one + two\n"), "{list}");
    let list = place.expect(0, &["edge", "list", "--json"]).json();
    let north = &list["edges"][0];
    assert_eq!(north["listeners"], serde_json::json!(addresses));
    assert_eq!(north["settings"]["members"], "one two");
    // As much as the least of both.
    assert_eq!(north["capabilities"]["cuts_tunnels"], "no");
    assert_eq!(north["capabilities"]["maturity"], "tested");
    // The configuration of each serves the sites of the group.
    let config = ["edge", "config", "nginx_file", "--name", "one", "--upstream", "127.0.0.1:8080"];
    let config = place.expect(0, &[&config[..], &["--folder", "/srv/edge"]].concat()).stdout;
    assert!(config.contains("server_name san1.example"), "{config}");
    place.expect(0, &["edge", "check"]);
    // Somebody closes one at one of them: it is neither dark nor lit.
    fs::write(place.path("two/current/san-001"), "").unwrap();
    let checked = place.expect(1, &["edge", "check", "--json"]).json();
    assert_eq!(checked["edges"][0]["differ"], serde_json::json!(["san-001"]));
    fs::remove_file(place.path("two/current/san-001")).unwrap();
    // One that does not answer is said by its address.
    drop(listeners);
    let checked = place.expect(1, &["edge", "check", "--json"]).json();
    let error = checked["edges"][0]["error"].as_str().unwrap();
    assert!(addresses.iter().any(|address| error.contains(address)), "{error}");
}

#[test]
fn what_cannot_be_a_group_is_refused_with_its_reason() {
    let place = Place::with_sites();
    for name in ["one", "two", "three"] {
        place.expect(0, &member("builtin", name, "127.0.0.1:9"));
    }
    let refused = |arguments: &[&str], why: &str| {
        let told = place.expect(2, arguments);
        assert!(told.stderr.contains(why), "{why}: {}", told.text());
    };
    let group = |name: &'static str, members: &[&'static str]| {
        [&["edge", "add", "group", "--name", name, "--member"][..], members].concat()
    };
    refused(&group("north", &["one"]), "a group has two edges or more");
    refused(&group("north", &["one", "one"]), "the edge is named twice");
    refused(&group("north", &["one", "nobody"]), "because of nobody: no edge of the register");
    refused(&["edge", "add", "group", "--name", "north"], "missing: --member\n");
    let plain = ["edge", "add", "builtin", "--name", "four", "--member", "one"];
    refused(&plain, "--member");
    place.expect(0, &member("builtin", "north", "127.0.0.1:9"));
    refused(&group("front", &["one", "north"]), "the edge has sites of its own");
    place.expect(0, &group("north", &["one", "two"]));
    refused(&group("front", &["two", "three"]), "the edge is in another group");
    refused(&group("front", &["north", "three"]), "a group does not stand in a group");
    let barrier = [member("builtin", "one", "127.0.0.1:9"), vec!["--set", "barrier=three"]];
    refused(&barrier.concat(), "a second barrier is given to the group");
    // Nothing is rehearsed, and no site stands, on one of them alone.
    let told = place.expect(1, &["edge", "test", "one"]);
    assert!(told.stderr.contains("one is in a group"), "{}", told.text());
    place.write(
        "more.csv",
        "slug;name_fr;name_en;origin;organisation;sector;criticality;edge;public\r\n\
         san-009;Neuf;Nine;https://san9.example;Santé Nord;health;2;one;oui\r\n",
    );
    let told = place.expect(1, &["sites", "import", "more.csv"]);
    assert!(told.stderr.contains("the edge of this site is in a group"), "{}", told.text());
}

/// Goal: an edge leaves the register only when nothing depends on it, nothing dark is left behind
/// that nobody would open, and it is told who took it out.
#[test]
fn an_edge_is_removed_when_nothing_stands_on_it() {
    let place = Place::with_sites();
    for name in ["north", "one", "two", "three"] {
        place.expect(0, &member("builtin", name, "127.0.0.1:9"));
    }
    let remove = |code: i32, name: &str, why: &str| {
        let told = place.expect(code, &["edge", "remove", name]);
        assert!(told.text().contains(why), "{why}: {}", told.text());
    };
    let names = || {
        let list = place.expect(0, &["edge", "list", "--json"]).json();
        let edges = list["edges"].as_array().unwrap().clone();
        edges.iter().map(|it| it["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    remove(1, "nobody", "the register has no edge nobody");
    remove(1, "north", "3 sites stand on it");
    place.expect(0, &GROUP);
    remove(1, "one", "north stands on it");
    let barred = [member("builtin", "four", "127.0.0.1:9"), vec!["--set", "barrier=three"]];
    place.expect(0, &barred.concat());
    remove(1, "three", "four stands on it");
    remove(0, "four", "edge four left the register");
    // What an order of before left dark would stay so, and nobody would be told.
    let gate = place.path("three");
    fs::write(gate.join("epoch"), "3-1\nold-site\nrelight-canary\n").unwrap();
    remove(1, "three", "its gate holds 1 key dark, among them old-site");
    fs::write(gate.join("epoch"), "nonsense").unwrap();
    remove(1, "three", "the edge cannot be used like this");
    fs::write(gate.join("epoch"), "3-1\nrelight-canary\n").unwrap();
    remove(0, "three", "edge three left the register");
    assert_eq!(names(), ["north", "one", "two"]);
    assert!(gate.join("epoch").is_file(), "its gate stays as it is");
    // A machine that is gone holds nothing.
    place.expect(0, &member("builtin", "three", "127.0.0.1:9"));
    fs::remove_dir_all(&gate).unwrap();
    remove(0, "three", "edge three left the register");
    assert!(!gate.exists());
}
