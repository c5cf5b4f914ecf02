//! `relight incident`: undo, analyse, mitigate, accept, exempt, report, and edges that fail.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use relight_engine::edges;
use relight_engine::store::{SiteRow, Store};
use relight_model::{Criticality, GateKey};
use testkit::behind_the_gate;

use crate::incident::{POLICY, Town};
use crate::place::{Outcome, Place, log4j};

const SECOND: &str = "[operators]\nsingle = \"B. Roy\"\n";

fn town() -> Town {
    let town = Town::new();
    town.place.write("data/policy.toml", POLICY);
    town.place.expect(0, &["incident", "open", "CVE-2021-44228"]);
    town
}

#[test]
fn an_order_that_is_taken_back_opens_only_what_is_clear() {
    let town = town();
    let place = &town.place;
    town.off(&["--yes"]);
    place.expect(0, &["incident", "off", "--sites", "site:san-002", "--reason", "x", "--yes"]);
    let undone = place.expect(0, &["incident", "undo", "--json"]).json();
    let opened = serde_json::json!(["san-002"]);
    assert_eq!((&undone["opened"], &undone["kept"]), (&opened, &serde_json::json!([])));
    let first = place.expect(0, &["incident", "undo", "--json"]).json();
    assert_eq!(first["kept"], serde_json::json!(["mun-001", "san-001"]));
    place.expect(1, &["incident", "undo"]);
    place.expect(0, &["edge", "check", "--repair"]);
    let lights = ["san1.example", "san2.example", "mun1.example"].map(|host| town.status(host));
    assert_eq!(lights, [503, 200, 503]);
}

/// Goal: what is told dark is dark. Method: a site that was opened, whose plan is taken back, once
/// with an edge that obeys and once with one that does not.
#[test]
fn a_relight_that_is_taken_back_is_dark_or_told_as_a_failure() {
    for obeys in [true, false] {
        let town = town();
        let place = &town.place;
        town.off(&["--yes"]);
        place.expect(0, &["scan", "good", "--site", "mun-001"]);
        let on = ["incident", "on", "--sites", "site:mun-001", "--yes", "--json"];
        let opened = place.expect(0, &on).json();
        assert_eq!(town.status("mun1.example"), 200);
        if !obeys {
            fs::remove_dir_all(place.path("gate")).unwrap();
            fs::write(place.path("gate"), "").unwrap();
        }
        let undo = ["incident", "undo", opened["hash"].as_str().unwrap(), "--json"];
        let told = place.expect(i32::from(!obeys), &undo).json();
        let (mun, none) = (serde_json::json!(["mun-001"]), serde_json::json!([]));
        let not_proven = if obeys { &none } else { &mun };
        assert_eq!((&told["kept"], &told["not_proven"]), (&mun, not_proven));
        if obeys {
            assert_eq!(town.status("mun1.example"), 503);
        }
    }
}

#[test]
fn looking_says_which_sites_need_a_fresh_inventory() {
    let town = town();
    let place = &town.place;
    town.off(&["--yes"]);
    let told = place.expect(3, &["incident", "analyse", "--json"]).json();
    assert_eq!(told["unknown"], serde_json::json!(["mun-001"]));
    let french = place.expect(3, &["incident", "analyse", "--lang", "fr"]);
    assert!(french.stdout.contains("1 encore inconnu"), "{}", french.text());
}

/// What is told leads to the page of a site, and to no command that is refused there.
fn leads_to_the_page(place: &Place, told: &Outcome, page: &str) {
    let whole = told.text();
    assert!(whole.contains(page) && !whole.contains("incident accept"), "{whole}");
    for next in whole.lines().filter_map(|line| line.strip_prefix("Next: relight ")) {
        let words: Vec<&str> = next.split(' ').collect();
        assert_ne!(place.run(&words).status, 4, "{next}");
    }
}

/// Goal: nobody answers alone. Method: one machine is one person, whatever name stands in its file.
#[test]
fn the_command_line_answers_for_no_site() {
    let town = town();
    let place = &town.place;
    town.off(&["--yes"]);
    let told = place.expect(1, &["incident", "exempt", "mun-001"]);
    leads_to_the_page(place, &told, "/site/mun-001");
    let ask = ["incident", "accept", "mun-001", "--reason", "elections", "--days", "2"];
    place.expect(2, &["incident", "accept", "mun-001", "--reason", "x", "--days", "31"]);
    for single in [POLICY, SECOND] {
        place.write("data/policy.toml", single);
        let told = place.expect(4, &ask);
        assert!(told.stderr.contains("two people answer for a site"), "{}", told.text());
        leads_to_the_page(place, &told, "/site/mun-001");
    }
    assert_eq!(town.status("mun1.example"), 503);
    let log = place.expect(0, &["incident", "log"]).stdout;
    assert!(!log.contains("answer for it"), "{log}");
}

/// Goal: no path switches more than the policy allows. Method: the signed policy and accounts, one
/// after the other; what is told, and what visitors see.
#[test]
fn the_operator_goes_by_the_signed_policy_and_by_accounts() {
    let town = town();
    let place = &town.place;
    let sign = || place.expect(0, &["policy", "sign", "--key", "key"]);
    let told_of = |sites: &str| {
        let query = format!("site:{sites}");
        place.run(&["incident", "off", "--sites", &query, "--reason", "x", "--yes"])
    };
    let rule = "one operator alone has the rule for one person only";
    let refused = |sites: &str, why: &str| {
        let told = told_of(sites);
        assert_eq!(told.status, 4, "{why}: {}", told.text());
        assert!(told.stderr.contains(rule), "{why}: {}", told.text());
    };
    place.write("data/policy.toml", format!("{POLICY}[switching]\none_person_sites = 0\n"));
    sign();
    refused("san-001", "nobody switches alone");
    place.write("data/policy.toml", format!("{POLICY}[switching]\none_person_sites = 1\n"));
    refused("san-001", "the file was changed since");
    sign();
    let done = told_of("san-001");
    assert_eq!(done.status, 0, "{}", done.text());
    refused("mun-001", "slices of one day add up");
    assert_eq!([town.status("san1.example"), town.status("mun1.example")], [503, 200]);
    let store = Store::open(&place.path("data")).unwrap();
    store.add_account("anna", 1, &[]).unwrap();
    drop(store);
    let off = ["incident", "off", "--sites", "site:mun-001", "--reason", "x", "--yes"];
    for command in [
        &["incident", "open", "CVE-2021-45046"][..],
        &["incident", "close", "CVE-2021-44228"],
        &["incident", "exempt", "san-002"],
        &[&off[..], &["--break-glass"]].concat(),
    ] {
        let told = place.expect(4, command);
        assert!(told.stderr.contains(rule), "{command:?}: {}", told.text());
    }
    assert_eq!(town.status("mun1.example"), 200);
    place.expect(0, &["incident", "fix", "san-001", "--note", "2.17.1"]);
    place.expect(0, &["incident", "undo"]);
}

/// Goal: where people can sign in, one person on the machine does no more than one person in the
/// console. Method: the same commands as above beside an account; no light changes.
#[test]
fn beside_accounts_one_operator_has_the_rule_for_one_person_only() {
    let town = town();
    let place = &town.place;
    town.off(&["--yes"]);
    let proposed = ["incident", "accept", "mun-001", "--reason", "elections"];
    place.expect(4, &proposed);
    let store = Store::open(&place.path("data")).unwrap();
    store.add_account("anna", 1, &[]).unwrap();
    place.write("data/policy.toml", SECOND);
    let off = |more: &[&str]| {
        let off = ["incident", "off", "--sites", "site:san-002", "--reason", "x", "--yes"];
        place.run(&[&off[..], more].concat())
    };
    for refused in [off(&[]), off(&["--break-glass"]), place.run(&proposed)] {
        assert_eq!(refused.status, 4, "{}", refused.text());
        let told = "one operator alone has the rule for one person only";
        assert!(refused.stderr.contains(told), "{}", refused.text());
    }
    let lights = ["san1.example", "san2.example", "mun1.example"].map(|host| town.status(host));
    assert_eq!(lights, [503, 200, 503]);
    // A signed policy gives one person a few sites of one body, none of them vital.
    place.expect(0, &["policy", "sign", "--key", "key"]);
    assert_eq!(off(&["--break-glass"]).status, 4);
    let done = off(&[]);
    assert_eq!(done.status, 0, "{}", done.text());
    assert_eq!(town.status("san2.example"), 503);
}

/// What an edge would leave lit is told before anybody agrees, and once.
#[test]
fn an_edge_that_leaves_sites_lit_is_named_in_a_dry_run_and_refuses_the_order() {
    let town = town();
    let place = &town.place;
    let server = "http { server { listen 80; server_name san1.example; } }\n";
    place.write("nginx.conf", server);
    let config = format!("config={}", place.path("nginx.conf").display());
    let add = ["edge", "add", "nginx_file", "--name", "south", "--gate", "south"];
    let sets = ["--set", &config, "--set", "worker_user=self", "--set", "upgrades=refused"];
    let more = ["--listen", "127.0.0.1:1", "--verify", "v.sock"];
    place.expect(0, &[&add[..], &more, &sets].concat());
    let moved = "slug;origin;organisation;sector;criticality;edge\n\
        san-001;https://san1.example;Santé Nord;health;2;south\n";
    place.write("moved.csv", moved);
    place.expect(0, &["sites", "import", "moved.csv"]);
    let off = ["incident", "off", "--sites", "site:san-001", "--reason", "x"];
    let told = "serves visitors without the gate";
    let looked = place.expect(0, &[&off[..], &["--dry-run"]].concat());
    assert_eq!(looked.stderr.matches(told).count(), 1, "{}", looked.text());
    let refused = place.expect(1, &[&off[..], &["--yes"]].concat());
    assert_eq!(refused.stderr.matches(told).count(), 1, "{}", refused.text());
    assert!(refused.stderr.contains("the set-up of south would leave"), "{}", refused.text());
    let unasked = place.expect(1, &off);
    assert!(unasked.stderr.contains("the plan is refused"), "nobody is asked: {}", unasked.text());
    // The others do not wait until somebody mends it.
    let both = ["incident", "off", "--sites", "site:san-001 or site:san-002", "--reason", "x"];
    let done = place.expect(0, &[&both[..], &["--yes"]].concat());
    assert!(done.stdout.contains("1 of 1 site proven dark"), "{}", done.text());
    assert!(done.stdout.contains("san-001: stays lit: the set-up"), "{}", done.text());
    assert!(done.stderr.contains("1 site of it stays lit"), "{}", done.text());
    assert_eq!(done.stderr.matches(told).count(), 1, "{}", done.text());
    let status = place.expect(0, &["incident", "status", "--json"]).json();
    let counted = &status["incidents"][0];
    assert_eq!((&counted["exposed"], &counted["states"]["exposed"]), (&1.into(), &1.into()));
}

#[test]
fn a_control_that_lets_payloads_through_is_none() {
    let town = town();
    let place = &town.place;
    town.off(&["--yes"]);
    place.write("payloads.txt", "${jndi:x}\n\n${lower:j}\n");
    let mitigate = ["incident", "mitigate", "san-001", "--control", "rule 1", "--owner", "C"];
    let replayed = [&mitigate[..], &["--payloads", "payloads.txt", "--json"]].concat();
    let told = place.expect(1, &replayed).json();
    assert_eq!((&told["sent"], &told["blocked"]), (&6.into(), &0.into()));
    assert_eq!((&told["mitigated"], &told["phase"]), (&false.into(), &"affected".into()));
    for (text, why) in [
        (&b"\n\n"[..], "bad.txt holds no payloads that can be sent: there is none"),
        (b"x\n\na\tb\n", "line 3: it holds a control character"),
        (b"x\r\na\rb\r\n", "line 2: it holds a control character"),
        (b"x\n\xff\n", "line 2: it is not UTF-8"),
    ] {
        place.write("bad.txt", text);
        let told = place.expect(2, &[&mitigate[..], &["--payloads", "bad.txt"]].concat());
        assert!(told.stderr.contains(why), "{why}: {}", told.text());
    }
    assert_eq!(town.status("san1.example"), 503);
}

/// An application behind the gate of the town that answers 403 to the payload in each of its
/// places.
fn put_a_control(place: &Place) {
    let places = ["%7Bjndi", "${jndi", "JHtqbmRp"];
    let address =
        behind_the_gate(
            move |head| {
                if places.iter().any(|word| head.contains(word)) { 403 } else { 200 }
            },
        );
    let store = Store::open(&place.path("data")).unwrap();
    let mut target = edges::from_row(&store.edges().unwrap().remove(0)).unwrap();
    target.verify = Some(address.to_string().into());
    store.put_edge(&edges::to_row(&target).unwrap(), 0, "test").unwrap();
}

/// Trap: the answer to `mitigate` named a command that is always refused. Goal: what comes next is
/// what can be done. Method: a control that stops everything, and each command that is named.
#[test]
fn after_a_control_that_stops_everything_two_people_answer_on_the_page_of_the_site() {
    let town = town();
    let place = &town.place;
    town.off(&["--yes"]);
    put_a_control(place);
    place.write("payloads.txt", "${jndi:x}\n");
    let control = ["incident", "mitigate", "san-001", "--control", "rule 1", "--owner", "C"];
    let told = place.expect(0, &[&control[..], &["--payloads", "payloads.txt"]].concat());
    assert!(told.stdout.contains("3 of 3 requests"), "{}", told.text());
    leads_to_the_page(place, &told, "/site/san-001");
    assert_eq!(town.status("san1.example"), 503, "nobody answered for it yet");
}

#[test]
fn an_incident_is_called_as_its_operator_says() {
    let town = Town::new();
    let place = &town.place;
    place.write("data/policy.toml", POLICY);
    let open = |title: &str| place.run(&["incident", "open", "CVE-2021-44228", "--title", title]);
    for wrong in ["", "  ", "a\nb", "a\u{202e}b", "a\u{2028}b", "\u{200b}", &"x".repeat(201)] {
        assert_eq!(open(wrong).status, 2, "{wrong:?}");
    }
    let told = open("").stderr;
    assert!(told.contains("give one line that says something, 200 bytes at most"), "{told}");
    let french = ["incident", "open", "CVE-2021-44228", "--title", "", "--lang", "fr"];
    let told = place.expect(2, &french).stderr;
    assert!(told.contains("donnez une ligne qui dit quelque chose"), "{told}");
    assert_eq!(open("Vendredi soir").status, 0);
    assert_eq!(open("Samedi").status, 0, "it is open already");
    let report = place.expect(0, &["incident", "report", "--json"]).json();
    assert_eq!(report["title"], "Vendredi soir");
}

#[test]
fn the_report_names_what_was_affected_and_what_was_done() {
    let town = town();
    let place = &town.place;
    town.off(&["--yes"]);
    let csv = place.expect(0, &["incident", "report", "-f", "csv"]).stdout;
    let mut lines = csv.lines();
    assert!(lines.next().unwrap().starts_with("organisation,sector,site,host,criticality,vendor"));
    let row = lines.find(|line| line.contains("san-001")).unwrap();
    for part in ["org.apache.logging.log4j", "log4j-core", "2.14.1", "removed-from-network"] {
        assert!(row.contains(part), "{part} in {row}");
    }
    let document = place.expect(0, &["incident", "report", "--json"]).json();
    let phases = document["phases"].as_object().unwrap().values();
    let sum: u64 = phases.map(|count| count.as_u64().unwrap()).sum();
    assert_eq!(sum, document["sites"].as_u64().unwrap(), "the counters reconcile");
    let page = place.expect(0, &["incident", "report", "-f", "html"]).stdout;
    assert!(page.contains("<td>org.apache.logging.log4j</td>"), "{page}");
    let credit = &document["sources"][0];
    assert_eq!((&credit["source"], &credit["licence"]), (&"relight".into(), &"Apache-2.0".into()));
    place.write("fixed/log4j.jar", log4j("2.17.1"));
    place.write("fixed/release", "2");
    place.expect(0, &["incident", "fix", "san-001", "--note", "2.17.1"]);
    place.expect(0, &["incident", "verify", "san-001", "--target", "fixed"]);
    place.expect(0, &["incident", "on", "--sites", "site:san-001", "--yes"]);
    let french = place.expect(0, &["incident", "report", "--lang", "fr"]).stdout;
    assert!(french.contains("mis à jour"), "{french}");
    assert!(french.contains("log4j-core 2.14.1"), "as it was when it was affected: {french}");
    assert!(french.contains("  relight CVE-2021-44228: Apache-2.0\n"), "{french}");
    let report = ["incident", "report", "--lang", "fr", "-f"];
    let page = place.expect(0, &[&report[..], &["html"]].concat()).stdout;
    let start = "<!doctype html>\n<html lang=\"fr\">\n";
    assert!(page.starts_with(start) && page.ends_with("</html>\n"), "{page}");
    for part in ["<h1>Rapport sur CVE-2021-44228</h1>", "<td>san-001</td>", "mis à jour"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let text = place.expect(0, &[&report[..], &["markdown"]].concat()).stdout;
    assert!(text.starts_with("# Rapport sur CVE-2021-44228\n\n"), "{text}");
    assert!(text.contains("\n- relight CVE-2021-44228: Apache-2.0\n"), "{text}");
    let row = text.lines().find(|line| line.contains("| san-001 |")).unwrap();
    assert_eq!(row.matches(" | ").count(), 9, "{row}");
    // What the report is for: when what was done.
    let document = place.expect(0, &["incident", "report", "--json"]).json();
    let rows = document["rows"].as_array().unwrap();
    let of = rows.iter().find(|row| row["site"] == "san-001").unwrap();
    for name in ["ordered_at", "relit_at"] {
        let told = of[name].as_str().filter(|told| !told.is_empty()).unwrap();
        let is_told = page.contains(&format!("<td>{told}</td>")) && row.contains(told);
        assert!(is_told, "{name} {told}: {row}");
    }
}

/// Goal: whoever waits for a site reads why it does not come back. Method: a fix that was read
/// before anybody declared it, then one that is asked in vain.
#[test]
fn the_status_says_why_a_fix_is_not_verified() {
    let town = town();
    let place = &town.place;
    town.off(&["--yes"]);
    place.write("fixed/log4j.jar", log4j("2.17.1"));
    place.write("fixed/release", "2");
    place.expect(0, &["scan", "fixed", "--site", "san-001"]);
    let why = || {
        let told = place.expect(0, &["incident", "status", "--json"]).json();
        told["incidents"][0]["unverified"][0].clone()
    };
    assert_eq!(why(), serde_json::json!({"site": "san-001", "why": "undeclared", "detail": ""}));
    let told = place.expect(0, &["incident", "status"]).stdout;
    assert!(told.contains("▲ san-001: nobody said that it was fixed"), "{told}");
    place.expect(0, &["incident", "fix", "san-001", "--note", "2.17.1"]);
    assert_eq!(why()["why"], "");
    let tried = ["incident", "verify", "san-001", "--target", "fixed", "--status", "204"];
    let told = place.expect(1, &tried);
    assert!(told.stdout.contains("answers otherwise behind its gate"), "{}", told.text());
    assert_eq!(
        (&why()["why"], &why()["detail"]),
        (&"other-status".into(), &"GET /: 200, not 204".into())
    );
    let french = place.expect(0, &["incident", "status", "--lang", "fr"]).stdout;
    assert!(french.contains("il répond autrement derrière sa barrière"), "{french}");
    assert_eq!(town.status("san1.example"), 503);
}

/// Goal: what a site must do is asked behind its closed gate before a fix of it counts, and what it
/// does not do is named in both languages. Method: the list of one site, with a request that its
/// application answers otherwise, then one that it answers so.
#[test]
fn a_fix_is_verified_by_the_list_of_its_site() {
    let town = town();
    let place = &town.place;
    let set = |check| place.expect(0, &["sites", "checks", "san-001", "--set", check]);
    town.off(&["--yes"]);
    place.write("fixed/log4j.jar", log4j("2.17.1"));
    place.write("fixed/release", "2");
    place.expect(0, &["incident", "fix", "san-001", "--note", "2.17.1"]);
    set("/booking -> 200 Rendez-vous");
    let verify = ["incident", "verify", "san-001", "--target", "fixed"];
    let told = place.expect(1, &verify);
    let request = "GET /booking -> 200 Rendez-vous: 200";
    let why = format!("the text is missing in what it answers behind its gate: {request}");
    assert!(told.stdout.contains(&why), "{}", told.text());
    assert_eq!(town.status("san1.example"), 503);
    let told = place.expect(0, &["incident", "status", "--lang", "fr"]).stdout;
    let why = format!("le texte manque dans ce qu’il répond derrière sa barrière\u{a0}: {request}");
    assert!(told.contains(&why), "{told}");
    set("HEAD / -> 200");
    place.expect(0, &["incident", "fix", "san-001", "--note", "2.17.1"]);
    place.expect(0, &verify);
    let log = place.expect(0, &["incident", "log", "CVE-2021-44228", "--json"]).json();
    let entries = log["entries"].as_array().unwrap();
    let ran = entries.iter().filter(|entry| entry["kind"] == "checks-run").count();
    assert_eq!(ran, 2, "{log}");
    place.expect(0, &["incident", "on", "--sites", "site:san-001", "--yes"]);
    assert_eq!(town.status("san1.example"), 200);
}

/// Bad input: the gate cannot be written. The edge is named, its sites count as exposed and are
/// never told dark.
#[test]
fn an_edge_that_cannot_be_written_is_named_and_its_sites_are_exposed() {
    let town = town();
    let place = &town.place;
    if rustix::process::geteuid().is_root() {
        // Nothing is forbidden to root: a file where the gate was has the same effect.
        fs::remove_dir_all(place.path("gate")).unwrap();
        fs::write(place.path("gate"), "").unwrap();
    } else {
        fs::set_permissions(place.path("gate"), fs::Permissions::from_mode(0o500)).unwrap();
    }
    let off = town.off(&["--yes"]);
    assert_eq!(off.status, 1, "{}", off.text());
    assert!(off.stderr.contains("north"), "{}", off.text());
    assert!(off.stdout.contains("0 of 2 sites proven dark"), "{}", off.text());
    let status = place.expect(0, &["incident", "status", "--json"]).json();
    assert_eq!(status["incidents"][0]["exposed"], 2);
}

/// INCIDENT 8.1: a name that leads past the gate, or nowhere, leaves the site exposed; and no name
/// is taken away while the site is dark.
#[test]
fn a_site_with_a_name_that_is_not_behind_the_gate_is_exposed() {
    let town = town();
    let place = &town.place;
    let head = "slug;origin;organisation;sector;criticality;edge;aliases\n";
    let row = |aliases: &str| {
        let row = "san-001;https://san1.example;Santé Nord;health;2;north";
        place.write("names.csv", format!("{head}{row};{aliases}\n"));
        place.run(&["sites", "import", "names.csv"])
    };
    assert_eq!(row("old.example").status, 0);
    let off = town.off(&["--yes"]);
    assert_eq!(off.status, 1, "{}", off.text());
    assert!(off.stdout.contains("1 of 2 sites proven dark"), "{}", off.text());
    let status = place.expect(0, &["incident", "status", "--json"]).json();
    assert_eq!(status["incidents"][0]["exposed"], 1, "{status}");
    assert_eq!(town.status("san1.example"), 503, "its gate is closed all the same");
    let taken = row("");
    assert!(taken.stderr.contains("names.csv:2"), "the name stays: {}", taken.text());
    assert!(taken.stderr.contains("none of its other names"), "{}", taken.text());
    let same = row("OLD.example new.example");
    assert_eq!(same.status, 0, "it is the same name, and a new one may come: {}", same.text());
}

/// Bad input: a configuration that would leave sites lit refuses the plan, and glass can be broken.
#[test]
fn a_configuration_without_the_gate_refuses_the_plan() {
    let town = Town::new();
    let place = &town.place;
    place.write("data/policy.toml", POLICY);
    place.expect(0, &["incident", "open", "CVE-2021-44228"]);
    // The same gate, said to belong to an nginx whose configuration does not look into it.
    place.write("nginx.conf", "http { server { listen 80; server_name san1.example; } }\n");
    let known = place.expect(0, &["edge", "list", "--json"]).json()["edges"][0].clone();
    let listen = known["listeners"][0].as_str().unwrap().to_owned();
    let add = ["edge", "add", "nginx_file", "--name", "north", "--gate", "gate", "--listen"];
    let more = ["--set", "worker_user=self", "--set", "upgrades=refused", "--config", "nginx.conf"];
    place.expect(0, &[&add[..], &[listen.as_str()], &more].concat());
    let refused = town.off(&["--yes"]);
    assert_eq!(refused.status, 1, "{}", refused.text());
    let place_of_fault = "nginx.conf:1: san1.example: serves visitors without the gate";
    assert!(refused.stderr.contains(place_of_fault), "{}", refused.text());
    assert_eq!(town.status("san1.example"), 200);
    let forced = town.off(&["--yes", "--break-glass"]);
    assert_eq!(forced.status, 0, "{}", forced.text());
    assert_eq!(town.status("san1.example"), 503);
    let log = place.expect(0, &["incident", "log"]).stdout;
    assert!(log.contains("without the usual approvals"), "{log}");
}

/// Nobody counts the tunnels of this edge: the gate closes, the sites stay exposed, which is said
/// before the order.
#[test]
fn an_edge_that_cannot_count_tunnels_closes_and_proves_nothing() {
    let town = Town::new();
    let place = &town.place;
    place.write("data/policy.toml", POLICY);
    place.expect(0, &["incident", "open", "CVE-2021-44228"]);
    let known = place.expect(0, &["edge", "list", "--json"]).json()["edges"][0].clone();
    let listen = known["listeners"][0].as_str().unwrap().to_owned();
    let add = ["edge", "add", "nginx_file", "--name", "north", "--gate", "gate", "--listen"];
    let more = [listen.as_str(), "--set", "worker_user=self"];
    let added = place.expect(0, &[&add[..], &more].concat());
    assert!(
        added.stderr.contains("nobody knows whether a connection stays open"),
        "{}",
        added.text()
    );
    let off = town.off(&["--yes"]);
    assert_eq!(off.status, 1, "{}", off.text());
    let warned = "north: cannot prove dark for lack of cuts_tunnels: 2 sites count as exposed";
    assert!(off.stderr.contains(warned), "{}", off.text());
    assert!(off.stdout.contains("0 of 2 sites proven dark"), "{}", off.text());
    assert_eq!(town.status("san1.example"), 503, "closed all the same");
    let status = place.expect(0, &["incident", "status", "--json"]).json();
    assert_eq!(status["incidents"][0]["exposed"], 2);
    let said = place.expect(0, &[&add[..], &more, &["--set", "upgrades=refused"]].concat());
    assert!(!said.stderr.contains("nobody knows"), "{}", said.text());
    place.expect(0, &["edge", "check", "--repair"]);
}

/// Goal: a site that is wanted dark and that no edge switches can get an edge: nothing else lets it
/// come back. Method: the register loses the edge of one, as older versions let it be; moved to
/// another edge, a dark site stays where it is.
#[test]
fn a_dark_site_without_an_edge_gets_one() {
    let town = town();
    let place = &town.place;
    town.off(&["--yes"]);
    let import = |edge: &str| {
        let row =
            format!("san-001;Clinique;Clinic;https://san1.example;Santé Nord;health;2;{edge};oui");
        let head = "slug;name_fr;name_en;origin;organisation;sector;criticality;edge;public";
        place.write("moved.csv", format!("{head}\r\n{row}\r\n"));
        place.run(&["sites", "import", "moved.csv"])
    };
    let moved = import("south");
    assert_eq!(moved.status, 1, "{}", moved.text());
    let store = Store::open(&place.path("data")).unwrap();
    let lost = SiteRow {
        line: 1,
        slug: GateKey::new("san-001").unwrap(),
        name_fr: "Clinique".into(),
        name_en: "Clinic".into(),
        origin: "https://san1.example".into(),
        aliases: None,
        parts: None,
        organisation: "Santé Nord".into(),
        sector: "health".into(),
        criticality: Criticality::Essential,
        exposure: None,
        edge: String::new(),
        public: true,
        channel_fr: None,
        channel_en: None,
    };
    let plan = store.plan_import(&[lost]).unwrap();
    store.apply_import(&plan, 0, "test").unwrap();
    drop(store);
    let given = import("north");
    assert_eq!(given.status, 0, "{}", given.text());
    assert!(given.stdout.contains("1 changed"), "{}", given.text());
}
