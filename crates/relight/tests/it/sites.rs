//! `relight sites`: import, list, show, gaps.

use expect_test::expect;
use serde_json::json;

use crate::place::{Place, SITES, log4j};

const BAD: &str = "slug,name_fr,name_en,origin,organisation,sector,criticality,edge,public
a-1,A,A,https://a1.example,Ville A,municipal,1,north,yes
-bad,B,B,https://b.example,Ville B,municipal,1,north,yes
a-2,A,A,https://a1.example,Ville A,municipal,2,north,yes
a-3,A,A,https://a3.example,Ville A,municipal,7,north,yes
a-4,A,A,https://a4.example,Ville A,municipal,4,,maybe
a-5,A,A,https://a5.example,Ville A,municipal,4,,
";

#[test]
fn a_bad_line_is_told_and_costs_no_other() {
    let place = Place::new();
    place.write("sites.csv", BAD);
    place.run(&["sites", "import", "sites.csv"]).matches("import-bad-lines-en");
    place.run(&["sites", "import", "sites.csv", "--lang", "fr"]).matches("import-bad-lines-fr");
    let list = place.expect(0, &["sites", "list", "--json"]).json();
    assert_eq!(list["total"], 2);
    assert_eq!(list["sites"][1]["slug"], "a-5");
}

/// What is exported is what `sites import` takes, to the byte of every field.
#[test]
fn what_is_exported_is_imported_again() {
    let place = Place::with_sites();
    place.write(
        "more.csv",
        "slug,name_fr,name_en,origin,organisation,sector,criticality,edge,public,exposure\n\
         odd-1,\"Un, deux; \"\"trois\"\"\",\"Two\nlines\",https://o.example,\"O, P\",\
         health,1,,no,controlled\n\
         odd-2,a,b,https://p.example,\"O, P\",health,4,north,,interne\n\
         odd-3,a,b,https://q.example,\"O, P\",health,4,north,,moon\n",
    );
    let told = place.expect(1, &["sites", "import", "more.csv"]);
    assert!(told.stderr.contains("more.csv:5: exposure is internet"), "{}", told.stderr);
    let exported = place.expect(0, &["sites", "export"]).stdout;
    let hall = "mun-001,Mairie,Town hall,https://mun1.example,Ville de X,municipal,4,north,no,";
    assert!(exported.contains(&format!("\n{hall}unknown,,,,\n")), "{exported}");
    assert!(exported.contains("O, P\",health,1,,no,controlled,,,,\n"), "{exported}");
    place.write("all.csv", &exported);
    let again = place.expect(0, &["sites", "import", "all.csv", "--dry-run", "--json"]).json();
    assert_eq!(
        (again["untouched"].as_u64(), again["changed"].as_array().unwrap().len()),
        (Some(5), 0)
    );
    let other = Place::new();
    other.write("all.csv", &exported);
    other.expect(0, &["sites", "import", "all.csv"]);
    assert_eq!(other.expect(0, &["sites", "export"]).stdout, exported);
    let inside = other.expect(0, &["sites", "export", "exposure:internal"]).stdout;
    assert_eq!(inside.lines().skip(1).map(|line| &line[..5]).collect::<Vec<_>>(), ["odd-2"]);
}

/// Other names of a site: said, shown, served, kept by files that do not speak of them, and nobody
/// else's.
#[test]
fn a_site_has_other_names() {
    let place = Place::with_sites();
    let head = "slug,origin,organisation,edge,aliases\n";
    let import = |status: i32, rows: &str| {
        place.write("names.csv", format!("{head}{rows}"));
        place.expect(status, &["sites", "import", "names.csv"])
    };
    import(0, "san-001,https://san1.example,Santé Nord,north,WWW.san1.example old.example\n");
    let shown = place.expect(0, &["sites", "show", "san-001"]);
    assert!(
        shown.stdout.contains("Other names: old.example, www.san1.example"),
        "{}",
        shown.text()
    );
    let site = place.expect(0, &["sites", "show", "san-001", "--json"]).json();
    assert_eq!(site["site"]["aliases"], serde_json::json!(["old.example", "www.san1.example"]));
    let exported = place.expect(0, &["sites", "export", "site:san-001"]).stdout;
    assert!(exported.ends_with(",unknown,old.example www.san1.example,,,\n"), "{exported}");
    let add = ["edge", "add", "nginx_file", "--name", "north", "--gate", "gate"];
    let more = ["--listen", "127.0.0.1:8080", "--verify", "verify.sock"];
    place.expect(0, &[&add[..], &more].concat());
    let config = ["edge", "config", "nginx_file", "--upstream", "127.0.0.1:9", "--folder", "edge"];
    let printed = place.expect(0, &config).stdout;
    let names = "server_name san1.example old.example www.san1.example;";
    assert!(printed.contains(names), "{printed}");
    for (row, why) in [
        (
            "x,https://x.example,O,,old.example",
            "names.csv:2: this host name already belongs to site",
        ),
        (
            "x,https://x.example,O,,no_host",
            "names.csv:2: another name of the site is no valid host",
        ),
    ] {
        let told = import(1, &format!("{row}\n"));
        assert!(told.stderr.contains(why), "{}", told.stderr);
    }
    place.expect(0, &["sites", "import", "sites.csv"]);
    let after = place.expect(0, &["sites", "export", "site:san-001"]).stdout;
    assert!(after.ends_with(",yes,unknown,old.example www.san1.example,,,\n"), "{after}");
}

#[test]
fn a_dry_run_changes_nothing() {
    let place = Place::new();
    place.write("sites.csv", SITES);
    let first = place.expect(0, &["sites", "import", "sites.csv", "--dry-run", "--json"]).json();
    assert_eq!((&first["applied"], &first["added"][0]), (&false.into(), &"san-001".into()));
    assert_eq!(place.expect(0, &["sites", "list", "--json"]).json()["total"], 0);
    let second = place.expect(0, &["sites", "import", "sites.csv", "--json"]).json();
    assert_eq!(first["plan"], second["plan"], "what was shown is what was done");
    let again = place.expect(0, &["sites", "import", "sites.csv", "--json"]).json();
    assert_eq!(again["untouched"], 3);
}

#[test]
fn sites_are_listed_and_shown() {
    let place = Place::with_sites();
    expect![[r#"
         Site     Organisme   Secteur             Criticité  Frontal  État
         mun-001  Ville de X  Régies municipales          4  north    En ligne
         san-001  Santé Nord  Réseau de santé             2  north    En ligne
         san-002  Santé Nord  Réseau de santé             3  north    En ligne
        3 sur 3
        --- stderr
        --- status 0
    "#]]
    .assert_eq(&place.run(&["sites", "list", "--lang", "fr"]).text());
    expect![[r#"
         Site     Organisation  Sector          Criticality  Edge   State
         san-001  Santé Nord    Health network            2  north  Online
        1 of 2
        --- stderr
        --- status 0
    "#]]
    .assert_eq(&place.run(&["sites", "list", "sector:health", "--limit", "1"]).text());
    expect![[r#"
        san-001  Clinic  https://san1.example
          Organisation: Santé Nord
          Sector: Health network
          Criticality: 2
          Exposure: not known, counts as the internet
          Edge: north
          State: Online
          ? an asset was never inventoried
        Next: relight scan DIR --site san-001
        --- stderr
        --- status 0
    "#]]
    .assert_eq(&place.run(&["sites", "show", "san-001"]).text());
    expect![[r#"
        --- stderr
        erreur : il n’y a pas de site nobody dans le registre
        conseil : relight sites list montre les sites
        --- status 1
    "#]]
    .assert_eq(&place.run(&["sites", "show", "nobody", "--lang", "fr"]).text());
    expect![[r#"
         2  san-001  its edge is not in the register  → relight edge add KIND --name north
         2  san-001  it sends no logs: nobody can tell who tries it  → relight watch ingest FILE --org "Santé Nord" --follow
         2  san-001  an asset was never inventoried  → relight scan DIR --site san-001
         3  san-002  its edge is not in the register  → relight edge add KIND --name north
         3  san-002  it sends no logs: nobody can tell who tries it  → relight watch ingest FILE --org "Santé Nord" --follow
         3  san-002  an asset was never inventoried  → relight scan DIR --site san-002
         4  mun-001  its edge is not in the register  → relight edge add KIND --name north
         4  mun-001  it sends no logs: nobody can tell who tries it  → relight watch ingest FILE --org "Ville de X" --follow
         4  mun-001  an asset was never inventoried  → relight scan DIR --site mun-001
        9 gaps for 3 sites
        --- stderr
        --- status 0
    "#]]
    .assert_eq(&place.run(&["sites", "gaps"]).text());
    let gaps = place.expect(0, &["sites", "gaps", "--json"]).json();
    assert_eq!(gaps["gaps"][0]["gap"], "edge-unregistered");
}

#[test]
fn a_site_shows_what_could_not_be_read() {
    let place = Place::with_sites();
    place.write("app/torn.jar", &log4j("2.14.1")[..60]);
    place.expect(3, &["scan", "app", "--site", "san-001"]);
    let shown = place.expect(0, &["sites", "show", "san-001"]).stdout;
    assert!(shown.contains("    ? torn.jar: "), "{shown}");
    assert!(shown.contains("  ? a part is corrupt\n"), "{shown}");
    let document = place.expect(0, &["sites", "show", "san-001", "--json"]).json();
    assert_eq!(document["reasons"][0], "partial-corrupt");
}

/// Goal: that some questions stay open is told, and no command that would not close them. Method: a
/// program with packed scripts, beside a jar.
#[test]
fn what_hides_one_kind_of_packages_is_no_gap_of_the_site() {
    let place = Place::with_sites();
    let gaps = |place: &Place| {
        let gaps = place.expect(0, &["sites", "gaps", "--json"]).json()["gaps"].clone();
        let gaps = gaps.as_array().unwrap().iter().filter(|it| it["site"] == "san-001");
        gaps.map(|it| it["gap"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    place.write("app/log4j.jar", log4j("2.14.1"));
    place.run(&["scan", "app", "--site", "san-001"]);
    let shown = place.expect(0, &["sites", "show", "san-001"]).stdout;
    assert!(shown.contains("inventory complete and recent"), "{shown}");
    let before = gaps(&place);
    let mut program = b"\x7fELF\x02\x01\x01".to_vec();
    program.resize(64, 0);
    place.write("app/tool", [&program[..], b"d3n0l4nd....scripts"].concat());
    place.run(&["scan", "app", "--site", "san-001"]);
    let shown = place.expect(0, &["sites", "show", "san-001"]).stdout;
    assert!(shown.contains("    ? questions about npm stay unknown: tool\n"), "{shown}");
    assert!(!shown.contains("relight scan") && !shown.contains("complete and recent"), "{shown}");
    let shown = place.expect(0, &["sites", "show", "san-001", "--lang", "fr"]).stdout;
    assert!(shown.contains("les questions sur npm restent sans réponse"), "{shown}");
    let document = place.expect(0, &["sites", "show", "san-001", "--json"]).json();
    assert_eq!((&document["reasons"], &document["hidden"]), (&json!([]), &json!(["npm"])));
    assert_eq!(gaps(&place), before);
}

#[test]
fn without_a_register_the_next_command_is_told() {
    let place = Place::new();
    expect![[r#"
        --- stderr
        error: there is no register in DIR/data
        hint: make one with: relight sites import FILE.csv, or name another folder with --data
        --- status 1
    "#]]
    .assert_eq(&place.run(&["sites", "list"]).text());
    place.expect(1, &["sites", "import", "nowhere.csv"]);
    place.write("data/relight.db", "not a database at all, but long enough to be looked at");
    let outcome = place.run(&["sites", "list"]);
    assert_eq!(outcome.status, 1);
}

/// What sites must answer behind their gates: one list, lists of a file, and a file that is taken
/// whole or not at all.
#[test]
fn lists_of_checks_are_set_shown_and_taken_whole() {
    let place = Place::with_sites();
    let set = ["sites", "checks", "san-001", "--set", "/ -> Bienvenue", "--set", "HEAD /h -> 204"];
    expect![[r#"
        san-001  GET / -> Bienvenue
        san-001  HEAD /h -> 204
        2 checks of 1 site
        --- stderr
        --- status 0
    "#]]
    .assert_eq(&place.run(&set).text());
    place.write("checks.txt", "# our towns\nmun-001 / -> 200\n\nmun-001 /a -> 301\nsan-002 / -> x");
    place.expect(0, &["sites", "checks", "--file", "checks.txt"]);
    let all = place.expect(0, &["sites", "checks", "--json"]).json();
    let of = |at: usize| &all["sites"][at]["checks"];
    assert_eq!(of(0), &json!(["GET / -> 200", "GET /a -> 301"]));
    assert_eq!(
        (of(1), of(2)),
        (&json!(["GET / -> Bienvenue", "HEAD /h -> 204"]), &json!(["GET / -> x"]))
    );
    let shown = place.expect(0, &["sites", "show", "mun-001", "--lang", "fr"]).stdout;
    assert!(shown.contains("  Essai\u{a0}: GET /a -> 301\n"), "{shown}");
    place.write("bad.txt", "san-002 / -> 200\nmun-001 POST / -> 200\nmun-001 / -> 503\n");
    let bad = ["sites", "checks", "--file", "bad.txt"];
    expect![[r#"
        --- stderr
        error: bad.txt: a check asks with GET or HEAD, and nothing else
          2: a check asks with GET or HEAD, and nothing else
          3: a site that works answers with a status of 200 to 499
        hint: write [GET|HEAD] /PATH -> STATUS TEXT, one of the two or both, for example /booking -> 200 Book
        --- status 2
    "#]]
    .assert_eq(&place.run(&bad).text());
    let french = place.expect(2, &[&bad[..], &["--lang", "fr"]].concat());
    assert!(french.stderr.contains("un essai demande avec GET ou HEAD"), "{}", french.text());
    place.write("nobody.txt", "san-002 / -> 200\nnobody / -> 200\n");
    let told = place.expect(1, &["sites", "checks", "--file", "nobody.txt"]);
    assert!(told.stderr.contains("nobody"), "{}", told.text());
    assert_eq!(place.expect(0, &["sites", "checks", "--json"]).json(), all, "nothing was taken");
    let none = place.expect(0, &["sites", "checks", "san-001", "--none"]).stdout;
    assert!(none.ends_with("0 checks of 0 sites\n"), "{none}");
    place.expect(2, &["sites", "checks", "--set", "/ -> 200"]);
}

/// It stands on the public page, and was seen in an export alone.
#[test]
fn how_else_a_service_is_reached_is_shown_in_each_language() {
    let place = Place::new();
    let text = "slug,origin,organisation,channel_fr,channel_en\n\
                a,a.example,Town,Comptoir,Counter\nb,b.example,Town,,\n";
    place.write("sites.csv", text);
    place.expect(0, &["sites", "import", "sites.csv"]);
    let shown =
        |slug: &str, lang: &str| place.expect(0, &["sites", "show", slug, "--lang", lang]).stdout;
    assert!(shown("a", "en").contains("Other ways to reach it: Counter"), "{}", shown("a", "en"));
    let french = shown("a", "fr").replace('\u{a0}', " ");
    assert!(french.contains("Autres moyens de le joindre : Comptoir"), "{french}");
    assert!(!shown("b", "en").contains("Other ways"));
}
