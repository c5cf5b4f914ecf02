//! `relight edge run` and `relight edge holding`: a town without a proxy of its own.

use std::fs;
use std::net::SocketAddr;

use expect_test::expect;
use relight_engine::edge::exec;
use relight_server::origin::{Origin, OriginConfig, OriginHandle, OriginSite};

use crate::place::{Place, SITES, visitor};
use crate::serve::Server;

/// Three sites on one address, and an edge of the register in front of them.
struct Town {
    place: Place,
    origin: OriginHandle,
    edge: SocketAddr,
}

impl Town {
    fn new() -> Self {
        let place = Place::new();
        place.write("sites.csv", SITES);
        place.expect(0, &["sites", "import", "sites.csv"]);
        let listen = "127.0.0.1:0".parse().unwrap();
        let site = |host: &str| OriginSite { host: host.to_owned(), name: host.to_owned() };
        let sites = ["san1.example", "san2.example", "mun1.example"].map(site).into();
        let origin = Origin::start(OriginConfig { listen, sites }).unwrap();
        let edge = exec::free_address().unwrap();
        let add = ["edge", "add", "builtin", "--name", "north", "--gate", "gate"];
        let more = ["--verify", "verify.sock", "--listen", &edge.to_string()];
        place.expect(0, &[&add[..], &more].concat());
        Self { place, origin, edge }
    }

    /// Imports a site with these words about how else it is reached.
    fn import(&self, words: &str) {
        self.import_in(words, "");
    }

    /// The same in both languages.
    fn import_in(&self, french: &str, english: &str) {
        let row = format!(
            "slug;origin;organisation;sector;criticality;edge;channel_fr;channel_en\n\
             san-001;https://san1.example;Santé Nord;health;2;north;{french};{english}\n"
        );
        self.place.write("channel.csv", &row);
        self.place.expect(0, &["sites", "import", "channel.csv"]);
    }

    fn run(&self, more: &[&str]) -> Server {
        let (server, started) =
            Server::run(&self.place, &[&["edge", "run", "--json"], more].concat());
        assert_eq!(started["schema"], "relight.edge-run/1");
        assert_eq!(started["sites"], 3);
        assert_eq!(started["listeners"][0], self.edge.to_string());
        server
    }

    fn get(&self, host: &str) -> u16 {
        visitor(self.edge).get(host, "/").unwrap().status
    }
}

#[test]
fn it_serves_the_sites_of_the_register_and_holds_what_the_gate_says() {
    let town = Town::new();
    let upstream = town.origin.address().to_string();
    let server = town.run(&["--upstream", &upstream]);
    assert_eq!([town.get("san1.example"), town.get("elsewhere.example")], [200, 421]);
    town.place.expect(0, &["edge", "test", "north"]);
    town.place.expect(0, &["edge", "check"]);
    fs::write(town.place.path("gate/current/san-001"), "").unwrap();
    assert_eq!([town.get("san1.example"), town.get("san2.example")], [503, 200]);
    assert_eq!(server.terminate(), Some(0), "it ends in order when it is asked to");

    // The holding page of the operator outlives a restart.
    let hold = "data/edges/north/hold";
    let page = fs::read_to_string(town.place.path(hold).join("hold.html")).unwrap();
    assert!(page.contains("<html lang=\"fr\""), "{page}");
    let own = ["edge", "holding", hold, "--channel-fr", "Téléphone : 1 800 555-0100"];
    let told = town.place.run(&own);
    expect![[r#"
        hold.html and hold.json written in DIR/data/edges/north/hold
        --- stderr
        --- status 0
    "#]]
    .assert_eq(&told.text());
    let _server = town.run(&["--upstream", &upstream]);
    let answer = visitor(town.edge).get("san1.example", "/").unwrap();
    let body = String::from_utf8_lossy(&answer.body).into_owned();
    assert!(answer.status == 503 && body.contains("1 800 555-0100"), "{answer:?}");
}

/// Goal: whoever finds a dark site reads how else it is reached. Method: one site with words of its
/// own, one without, and then none.
#[test]
fn a_dark_site_says_how_else_it_is_reached() {
    let town = Town::new();
    let upstream = town.origin.address().to_string();
    let channel = |words: &str| {
        town.import(words);
        let hold = ["edge", "holding", "data/edges/north/hold", "--channel-fr", "Guichet 12"];
        town.place.expect(0, &hold).stdout
    };
    let told = channel("Composez le 1 800 555-0101");
    assert!(told.contains("1 site has a page of its own"), "{told}");
    let _server = town.run(&["--upstream", &upstream]);
    for site in ["san-001", "san-002"] {
        fs::write(town.place.path("gate/current").join(site), "").unwrap();
    }
    let page = |host: &str| {
        let answer = visitor(town.edge).get(host, "/").unwrap();
        assert_eq!(answer.status, 503);
        String::from_utf8_lossy(&answer.body).into_owned()
    };
    let own = page("san1.example");
    assert!(own.contains("1 800 555-0101") && !own.contains("Guichet 12"), "{own}");
    assert!(page("san2.example").contains("Guichet 12"));
    assert!(!channel("").contains("of its own"));
    assert!(page("san1.example").contains("Guichet 12"), "its words are gone");
}

/// Goal: the short way shows the words of a site as well, and old words are never shown in silence.
/// Method: an edge that was told nothing, then new words, then words for all.
#[test]
fn it_shows_the_words_of_a_site_by_itself_and_old_ones_are_told() {
    let town = Town::new();
    let upstream = town.origin.address().to_string();
    let shown = || {
        let server = town.run(&["--upstream", &upstream]);
        fs::write(town.place.path("gate/current/san-001"), "").unwrap();
        let answer = visitor(town.edge).get("san1.example", "/").unwrap();
        assert_eq!((answer.status, server.terminate()), (503, Some(0)));
        String::from_utf8_lossy(&answer.body).into_owned()
    };
    let doctor = || town.place.run(&["doctor"]).stdout;
    town.import("L'accueil, 1 800 555-0101");
    assert!(shown().contains("1 800 555-0101"), "nobody wrote a page by hand");
    assert!(!doctor().contains("how else"), "{}", doctor());
    town.import("Composez le 1 800 555-0102");
    assert!(doctor().contains("how else") && doctor().contains("relight edge holding"));
    assert!(shown().contains("1 800 555-0102"));
    // Words for all are the operator's, and how the edge is started does not say them.
    let hold = ["edge", "holding", "data/edges/north/hold", "--channel-en", "Desk 12"];
    town.place.expect(0, &hold);
    town.import("");
    assert!(doctor().contains("1 dark site would not show"), "{}", doctor());
    assert!(shown().contains("1 800 555-0102"));
    town.place.expect(0, &hold);
    assert!(!doctor().contains("how else"), "{}", doctor());
    assert!(shown().contains("Desk 12"));
}

/// Goal: words that the register has no more are told in each language, also where they hold the
/// new ones or were taken back. Method: one of both changes at a time.
#[test]
fn old_words_are_told_in_each_language() {
    let town = Town::new();
    let for_all = ["--channel-fr", "Guichet 12", "--channel-en", "Desk 12"];
    let hold = ["edge", "holding", "data/edges/north/hold"];
    let is_told = |french: &str, english: &str| {
        town.import_in(french, english);
        let told = town.place.run(&["doctor"]).stdout;
        town.place.expect(0, &[&hold[..], &for_all].concat());
        let now = town.place.run(&["doctor"]).stdout;
        assert!(!now.contains("how else"), "{french} {english}: {now}");
        told.contains("how else")
    };
    is_told("le 1, poste 12", "1, ext. 12");
    assert!(!is_told("le 1, poste 12", "1, ext. 12"), "nothing changed");
    assert!(is_told("le 1", "1, ext. 12"));
    assert!(is_told("le 1", "1"));
    assert!(is_told("le 1", ""), "in English those for all");
    assert!(is_told("", "1"));
    assert!(is_told("", ""));
}

/// Goal: a dark site speaks the languages of its operator, in that order, and what is said of it
/// goes by them. Method: a page of relight's own in each of them, then one with words for all.
#[test]
fn a_dark_site_speaks_the_languages_of_its_operator() {
    let town = Town::new();
    let upstream = town.origin.address().to_string();
    town.import_in("Composez le 1 800 555-0101", "Call 1-800-555-0101");
    let shown = |languages: &[&str]| {
        let server = town.run(&[&["--upstream", &upstream], languages].concat());
        let mut told = Vec::new();
        for (site, host) in [("san-001", "san1.example"), ("san-002", "san2.example")] {
            fs::write(town.place.path("gate/current").join(site), "").unwrap();
            let answer = visitor(town.edge).get(host, "/").unwrap();
            assert_eq!(answer.status, 503);
            let html = String::from_utf8_lossy(&answer.body).into_owned();
            let places =
                ["lang=\"fr\">", "lang=\"en\">"].map(|tag| html.find(&format!("<section {tag}")));
            told.push(match places {
                [Some(_), None] => "fr",
                [Some(fr), Some(en)] if fr < en => "fr,en",
                [Some(_), Some(_)] => "en,fr",
                _ => "none",
            });
            assert_eq!(
                html.contains("1-800-555-0101"),
                site == "san-001" && told.last() != Some(&"fr")
            );
        }
        assert_eq!(server.terminate(), Some(0));
        assert_eq!(told[0], told[1], "the page of a site and that for all");
        for page in ["hold.json", "of/san-001.json"] {
            let page = town.place.path("data/edges/north/hold").join(page);
            let json = fs::read_to_string(page).unwrap();
            assert!(json.contains("\"retry_after\":3600"), "programs come back later: {json}");
        }
        told[0]
    };
    assert_eq!(shown(&[]), "fr,en", "nobody said which");
    for languages in ["fr", "en,fr", "fr,en", "fr"] {
        assert_eq!(shown(&["--languages", languages]), languages);
    }
    assert_eq!(shown(&[]), "fr", "as it was");
    assert!(!town.place.run(&["doctor"]).stdout.contains("how else"));

    // Words for all are the operator's: neither they nor their languages change by a start.
    let hold = ["edge", "holding", "data/edges/north/hold", "--languages", "fr"];
    town.place.expect(0, &[&hold[..], &["--channel-fr", "Guichet 12"]].concat());
    assert_eq!(shown(&["--languages", "en,fr"]), "fr");
    let json = fs::read_to_string(town.place.path("data/edges/north/hold/hold.json")).unwrap();
    assert!(json.contains("title_fr") && !json.contains("offline"), "{json}");
    town.import("Composez le 1 800 555-0102");
    let told = town.place.run(&["doctor"]).stdout;
    assert!(told.contains("hold --languages fr"), "{told}");
    let told = town.place.expect(2, &[&hold[..], &["--channel-en", "Desk 12"]].concat());
    assert!(told.stderr.contains("--languages fr,en"), "{}", told.stderr);
}

#[test]
fn each_site_may_have_a_line_of_its_own() {
    let town = Town::new();
    let upstream = town.origin.address();
    // The register knows two of its names as well, in its own spelling.
    let row = "slug;origin;organisation;sector;criticality;edge;aliases\n\
        san-001;https://san1.example;Santé Nord;health;2;north;www.san1.example old.san1.example\n";
    town.place.write("names.csv", row);
    town.place.expect(0, &["sites", "import", "names.csv"]);
    let names = "WWW.san1.example. other.example:80 SAN1.example";
    let routes = format!("# by hand\n\nsan-001 {upstream} {names}\n");
    town.place.write("routes", routes);
    // The others lead where nobody listens.
    let nobody = exec::free_address().unwrap().to_string();
    let _server = town.run(&["--routes", "routes", "--upstream", &nobody]);
    assert_eq!([town.get("san1.example"), town.get("san2.example")], [200, 502]);
    for name in ["www.san1.example", "old.san1.example", "other.example"] {
        let other = visitor(town.edge).get(name, "/").unwrap();
        assert_ne!(other.status, 421, "the edge knows the other name: {other:?}");
    }
}

#[test]
fn what_leads_nowhere_is_refused_before_it_listens() {
    let town = Town::new();
    let upstream = town.origin.address();
    town.place.run(&["edge", "run"]).matches("edge-run-no-route");
    let refused = |routes: &str, told: &str| {
        town.place.write("routes", routes);
        let outcome = town.place.run(&["edge", "run", "--routes", "routes"]);
        assert_eq!(outcome.status, 2, "{}", outcome.text());
        assert!(outcome.stderr.contains(told), "{}", outcome.text());
    };
    refused("san-001\n", "routes:1 cannot be “”");
    refused("san-001 nowhere\n", "routes:1 cannot be “nowhere”");
    let twice = format!("san-001 {upstream}\nsan-001 {upstream}\n");
    refused(&twice, "routes:2: site san-001 has a line already");
    let stranger = format!("san-001 {upstream}\nsan-002 {upstream}\nmun-001 {upstream}\n");
    refused(&format!("{stranger}other {upstream}\n"), "names other, which is no site");
    let doubled = stranger.replacen(&format!("{upstream}"), &format!("{upstream} san2.example"), 1);
    town.place.write("routes", doubled);
    let outcome = town.place.run(&["edge", "run", "--routes", "routes"]);
    assert!(outcome.status == 1 && outcome.stderr.contains("san2.example"), "{}", outcome.text());
    town.place.write("routes", vec![b'#'; 1_000_001]);
    assert_eq!(town.place.run(&["edge", "run", "--routes", "routes"]).status, 1);
    let itself = ["edge", "run", "--upstream", &town.edge.to_string()].map(str::to_owned);
    let itself = town.place.run(&itself.each_ref().map(String::as_str));
    assert!(itself.status == 1 && itself.stderr.contains("the edge itself"), "{}", itself.text());
}

#[test]
fn only_an_edge_of_its_kind_is_run() {
    let place = Place::with_sites();
    let outcome = place.expect(1, &["edge", "run", "--upstream", "127.0.0.1:9"]);
    assert!(outcome.stderr.contains("relight edge add builtin"), "{}", outcome.text());
}
