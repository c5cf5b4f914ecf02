//! Check boxes of sites lead to a plan for exactly these, without a script; and what sites are
//! built with stands beside them and finds them.

use relight_engine::Inventory;
use relight_engine::incident::EvidenceKind;
use relight_model::{Basis, Component, GateKey, Purl, Sbom, Scope};

use crate::door_support::{START, World, clock, person, token};
use crate::web_acts::{LOG4SHELL, behind_an_edge, field, open_incident};

const LOG4J: &str = "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1";

/// A world with an incident, and the cookies of a commander and a viewer.
fn start(clock: fn() -> i64) -> (World, [String; 2]) {
    let mut people = <[String; 2]>::default();
    let world = World::start(clock, |store| {
        behind_an_edge(store);
        people = [
            person(store, "chief", 1, &[("commander", "/")]),
            person(store, "anna", 3, &[("viewer", "/")]),
        ];
    });
    open_incident(&world, &people[0]);
    (world, people)
}

/// Reads what is deployed at a site, whole.
pub(crate) fn deploy(world: &World, site: &str, purls: &[&str]) {
    deploy_at(world, site, purls, world.engine.now());
}

/// The same as it was seen at a moment.
fn deploy_at(world: &World, site: &str, purls: &[&str], observed_at: i64) {
    let component = |purl: &&str| {
        let purl = Purl::parse(purl).unwrap();
        Component::new(purl, "app.jar", Basis::PomProperties, Scope::Installed)
    };
    let mut components: Vec<Component> = purls.iter().map(component).collect();
    components.sort();
    let sbom = Sbom { components, tool: "relight test".into(), ..Sbom::default() };
    let site = GateKey::new(site).unwrap();
    let inventory = Inventory { site, sbom, observed_at, profiles: None };
    world.engine.ingest("scanner", &[inventory], EvidenceKind::Scan).unwrap();
}

/// The names of the boxes of a page.
fn boxes(page: &str) -> Vec<String> {
    let parts = page.split("<input type=\"checkbox\" form=\"picks\" name=\"pick.").skip(1);
    let mut names: Vec<String> =
        parts.map(|part| part.split('"').next().unwrap().to_owned()).collect();
    names.sort();
    names
}

/// The sites in the rows of a table.
fn rows(page: &str) -> Vec<String> {
    let parts = page.split("<th scope=\"row\"><a href=\"").skip(1);
    let name = |part: &str| part.split('>').nth(1).unwrap().split('<').next().unwrap().to_owned();
    // The last one is the row that a module fills.
    parts.map(name).filter(|name| !name.is_empty()).collect()
}

/// Goal: several sites are checked, and the plan is for these. Method: the boxes of both lists, the
/// address that a browser without scripts makes of them, and the plan that is asked for there.
#[test]
fn sites_that_are_checked_are_those_of_the_plan() {
    clock!(now, now_set);
    now_set(START);
    let (world, [chief, anna]) = start(now);
    // What a scan finds affected goes dark by itself, and is to be done first.
    deploy(&world, "power", &[LOG4J]);
    let (screen, list) = (world.get("/?lang=en", &chief).2, world.get("/sites?lang=en", &chief).2);
    // The last one of each is the row that a module fills.
    assert_eq!(boxes(&screen), ["", "power"], "{screen}");
    assert_eq!(boxes(&list), ["", "beds", "care", "power"], "{list}");
    // The journal says in words what happened, and holds the record behind them.
    let journal = world.get("/audit?lang=fr", &chief).2;
    for said in ["power est touché\u{a0}: app.jar", "Incident ouvert\u{a0}: CVE-2021-44228"] {
        assert!(journal.contains(&format!("<details><summary>{said}")), "{journal}");
    }
    // All that the table on the screen is the beginning of, whoever looks for what in it.
    for (query, wanted) in [("", &["power"][..]), ("stack:java", &["power"]), ("care", &[])] {
        let address = format!("/sites?lang=en&queue=todo&incident={LOG4SHELL}&q={query}");
        let page = world.get(&address, &chief).2;
        assert!(page.contains("<p><b>To do first</b>"), "{page}");
        assert_eq!(rows(&page), wanted, "{query}: {page}");
    }
    for page in [&screen, &list] {
        let form =
            page.split("<form id=\"picks\"").nth(1).unwrap().split("</form>").next().unwrap();
        assert!(form.contains(" action=\"/plan\"") && !form.contains("method"), "{form}");
        assert_eq!(field(form, "which"), "named");
        assert_eq!(field(form, "incident"), LOG4SHELL);
        for action in ["relight", "dark"] {
            let button = format!("<button name=\"action\" value=\"{action}\">");
            assert!(form.contains(&button), "{form}");
        }
    }
    for path in ["/?lang=en", "/sites?lang=en", "/?lang=en&screen=wall"] {
        let cookie = if path.contains("screen") { &chief } else { &anna };
        assert_eq!(boxes(&world.get(path, cookie).2), [""; 0], "{path}");
    }
    let asked = format!("/plan?lang=en&which=named&incident={LOG4SHELL}&action=dark");
    let (status, head, _) = world.get(&format!("{asked}&pick.care=1&pick.beds=1"), &chief);
    let to = head.split("location: ").nth(1).unwrap().split("\r\n").next().unwrap();
    // Heads are in small letters here.
    let to = to.replace(&LOG4SHELL.to_lowercase(), LOG4SHELL);
    assert!(status == 303 && to.contains("which=named") && to.contains("action=dark"), "{to}");
    let (status, _, page) = world.get(&format!("{to}log4shell"), &chief);
    assert!(status == 200 && page.contains(">beds care</textarea>"), "{page}");
    let form = format!(
        "token={}&action=dark&which=named&incident={LOG4SHELL}&reason=log4shell\
         &sites=beds+care&seen={}",
        token(&page),
        field(&page, "seen"),
    );
    let (status, _, told) = world.post("/plan?lang=en", &chief, &form);
    assert_eq!(status, 303, "{told}");
    let sites = world.engine.with_ledger(|it| {
        let newest = it.actions().newest().next().unwrap();
        newest.plan.keys().iter().map(ToString::to_string).collect::<Vec<_>>()
    });
    assert_eq!(sites, ["beds", "care"]);
    // No box is no site, and never every one; a name that comes twice is no address.
    let (status, _, page) = world.get(&format!("{asked}&reason=x"), &chief);
    assert!(status == 200 && !page.contains("name=\"seen\""), "{page}");
    assert_eq!(world.get(&format!("{asked}&sites=care&sites=beds"), &chief).0, 400);
    // What is listed is about the incident of the address, and so is the plan: none that is open.
    let (status, _, page) = world.get("/sites?lang=en&q=site:care&incident=CVE-2000-1", &chief);
    assert_eq!((status, rows(&page), boxes(&page)), (200, vec!["care".to_owned()], vec![]));
    world.web.stop();
}

/// Goal: what a site is built with is told, and finds it; nobody is called without it who was not
/// looked at. Method: one site of each kind and one without an inventory.
#[test]
fn sites_are_found_by_what_they_are_built_with() {
    clock!(now, now_set);
    now_set(START);
    let (world, [chief, _]) = start(now);
    deploy(&world, "care", &[LOG4J, "pkg:maven/org.springframework.boot/spring-boot@2.6.1"]);
    deploy(&world, "beds", &["pkg:npm/express@4.18.0"]);
    let found = |query: &str| {
        let query = query.replace(' ', "+").replace('"', "%22");
        rows(&world.get(&format!("/sites?lang=en&q={query}"), &chief).2)
    };
    assert_eq!(found("stack:java"), ["care"]);
    assert_eq!(found("stack:\"spring boot\" or stack:express"), ["beds", "care"]);
    assert_eq!(found("not stack:java"), ["beds"], "nobody looked at power");
    assert_eq!(found("stack!=java stack!=node"), [""; 0]);
    let page = world.get("/sites?lang=en&q=stack:cobol", &chief).2;
    assert!(page.contains("known to be built with") && page.contains("values: java, "), "{page}");
    assert!(world.get("/sites?lang=en&q=stack:spring", &chief).2.contains("nearest: spring-boot"));
    let screen = world.get("/?lang=en", &chief).2;
    let cell = " data-label=\"Stack\" title=\"Java · Spring Boot\">Java · Spring Boot</td>";
    assert!(screen.contains(cell), "{screen}");
    // What was seen more than a day ago says nothing about what was added since.
    deploy_at(&world, "power", &["pkg:npm/express@4.18.0"], START - 25 * 3_600);
    assert_eq!(found("stack:node"), ["power", "beds"]);
    assert_eq!(found("not stack:java"), ["beds"]);
    world.web.stop();
}

/// A list that is empty because nobody looked is not one that is empty because nothing is there.
#[test]
fn a_site_that_was_not_read_is_never_told_to_have_no_flaw() {
    clock!(now, now_set);
    now_set(START);
    let (world, [chief, _]) = start(now);
    let told = || {
        let page = world.get("/site/care?lang=en", &chief).2;
        let sure = page.contains("No known advisory concerns what is inventoried.");
        assert_ne!(sure, page.contains("Of the rest nobody can tell anything"), "{page}");
        sure
    };
    assert!(!told(), "nobody looked");
    deploy_at(&world, "care", &["pkg:npm/left-pad@1.3.0"], START - 25 * 3_600);
    assert!(!told(), "by now it may be something else");
    deploy(&world, "care", &["pkg:npm/left-pad@1.3.0"]);
    assert!(told());
}
