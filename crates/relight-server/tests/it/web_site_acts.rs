//! What people do about one site in the console: two of them answer for it, a fix is verified, a
//! part of it is closed.

use std::sync::mpsc::{self, Receiver};

use relight_engine::grants::{PAYLOAD_BYTES_MAX, PAYLOADS_MAX};
use relight_engine::incident::{Entry, EvidenceKind, Phase};
use relight_engine::store::{SiteRow, Store};
use relight_engine::{Inventory, edges};
use relight_model::{
    Basis, Component, Criticality, Digest, Epoch, GateKey, Light, Purl, Sbom, Scope, SitePart,
};
use testkit::behind_the_gate;

use crate::door_support::{START, World, clock, cookie_of, person, token};
use crate::support::wait_until;
use crate::web_acts::{LOG4SHELL, behind_an_edge, decide, field, open_incident, propose};
use crate::web_console::{ask_with_body, get};

/// A world with an incident, and the cookies of a commander, an approver and an owner.
fn start(clock: fn() -> i64) -> (World, [String; 3]) {
    start_with(clock, behind_an_edge)
}

fn start_with(clock: fn() -> i64, sites: fn(&Store)) -> (World, [String; 3]) {
    let mut people = <[String; 3]>::default();
    let world = World::start(clock, |store| {
        sites(store);
        people = [
            person(store, "chief", 1, &[("commander", "/"), ("publisher", "/")]),
            person(store, "zoe", 2, &[("approver", "/")]),
            person(store, "owner", 3, &[("site-owner", "health/Hospital")]),
        ];
    });
    open_incident(&world, &people[0]);
    (world, people)
}

/// The same after the command had `care` taken dark and the approver agreed.
fn start_dark(clock: fn() -> i64) -> (World, [String; 3]) {
    let (world, people) = start(clock);
    let [chief, zoe, _] = &people;
    propose(&world, chief, "care");
    assert_eq!(decide(&world, zoe, "A-0001", "decision=approve").0, 303);
    (world, people)
}

/// Sends a short form about a site as its page stands; the status, and what is said.
fn act(world: &World, cookie: &str, more: &str) -> (u16, String) {
    let page = world.get("/site/care?lang=en", cookie).2;
    send(world, cookie, &page, more)
}

/// The same from a page that was read before.
fn send(world: &World, cookie: &str, page: &str, more: &str) -> (u16, String) {
    let (token, seen) = (token(page), hidden(page));
    let about = field(page, "about");
    let form = format!("token={token}&incident={LOG4SHELL}&seen={seen}&about={about}&{more}");
    let (status, _, body) = world.post("/site/care/act?lang=en", cookie, &form);
    (status, body)
}

/// The id of the request that a page shows; nothing where none waits.
fn hidden(page: &str) -> &str {
    let after = page.split("name=\"seen\" value=\"").nth(1).unwrap_or_default();
    after.split('"').next().unwrap_or_default()
}

fn kinds(world: &World, about: &str) -> Vec<String> {
    let records = world.store.journal(1).unwrap().into_iter();
    let about = records.filter(|record| record.kind.starts_with(about));
    about.map(|record| format!("{} {}", record.kind, record.actor)).collect()
}

/// Goal: nobody answers alone, whatever he types. Method: the same person asks and agrees, then
/// another one does.
#[test]
fn two_people_answer_for_a_site() {
    clock!(now, now_set);
    now_set(START);
    let (world, [chief, zoe, owner]) = start_dark(now);
    assert_eq!(act(&world, &zoe, "act=accept&note=elections").0, 403, "an approver does not ask");
    assert_ne!(act(&world, &owner, "act=accept&note=&days=2").0, 303, "without a reason");
    assert_ne!(act(&world, &owner, "act=accept&note=x&days=31").0, 303, "for too long");
    assert_eq!(act(&world, &owner, "act=accept&note=x&days=soon").0, 422);
    assert_eq!(act(&world, &chief, "act=accept&note=elections&days=2").0, 303);
    let page = world.get("/site/care?lang=en", &zoe).2;
    assert!(page.contains("chief asks a second person"), "{page}");
    assert_eq!(act(&world, &owner, "act=agree").0, 403, "an owner does not agree");
    assert_eq!(act(&world, &chief, "act=agree").0, 403, "nobody answers alone");
    assert_eq!(act(&world, &zoe, "act=agree").0, 303);
    let signed = ["acceptance-proposed chief", "acceptance-signed zoe"];
    assert_eq!(kinds(&world, "acceptance"), signed);
    let page = world.get("/site/care?lang=en", &zoe).2;
    assert!(!page.contains("asks a second person"), "nothing waits any more: {page}");
}

/// Goal: an acceptance is about what both read. Method: other files come between the request and
/// the answer, and between the page and the request; each voids it, and the same files again do
/// not.
#[test]
fn a_request_dies_with_what_it_was_about() {
    clock!(now, now_set);
    now_set(START);
    let (world, [_, zoe, owner]) = start_dark(now);
    let page = world.get("/site/care?lang=en", &owner).2;
    assert_eq!(send(&world, &owner, &page, "act=accept&note=elections&days=2").0, 303);
    let page = world.get("/site/care?lang=en", &zoe).2;
    deploy(&world, "2.14.1");
    let (status, body) = send(&world, &zoe, &page, "act=agree");
    assert_eq!(status, 409, "{body}");
    assert!(body.contains("not what waits for a second person any more"), "{body}");
    let after = world.get("/site/care?lang=en", &zoe).2;
    assert!(!after.contains("asks a second person"), "it waits no more: {after}");
    assert_eq!(act(&world, &zoe, "act=agree").0, 409, "nor is anything else agreed to");
    assert_eq!(kinds(&world, "acceptance-signed"), [""; 0]);
    // Who asks reads what is known, too.
    let page = world.get("/site/care?lang=en", &owner).2;
    deploy(&world, "2.16.0");
    assert_eq!(send(&world, &owner, &page, "act=accept&note=elections&days=2").0, 409);
    assert_eq!(act(&world, &owner, "act=accept&note=elections&days=2").0, 303);
    let page = world.get("/site/care?lang=en", &zoe).2;
    deploy(&world, "2.16.0");
    let same = world.get("/site/care?lang=en", &zoe).2;
    assert_eq!(field(&same, "seen"), field(&page, "seen"), "the same news again is the same");
}

/// Goal: for a vital site the second person is of Command; and whoever signs is there.
#[test]
fn the_command_answers_for_a_vital_site_and_whoever_signs_is_there() {
    clock!(now, now_set);
    now_set(START);
    let (world, [chief, zoe, _]) = start_with(now, |store| {
        behind_an_edge(store);
        person(store, "boss", 9, &[("commander", "/")]);
    });
    let boss = cookie_of(9).0;
    let act = |cookie: &str, more: &str| {
        let page = world.get("/site/power?lang=en", cookie).2;
        let (token, seen) = (token(&page), hidden(&page));
        let form = format!("token={token}&incident={LOG4SHELL}&seen={seen}&{more}");
        let (status, head, body) = world.post("/site/power/act?lang=en", cookie, &form);
        (status, format!("{head}{body}"))
    };
    assert_eq!(act(&chief, "act=accept&note=elections&days=1").0, 303);
    let (status, told) = act(&zoe, "act=agree");
    assert_eq!(status, 403, "{told}");
    assert!(told.contains("the second person is of Command"), "{told}");
    now_set(START + 6 * 60);
    let (status, told) = act(&boss, "act=agree");
    assert!(status == 303 && told.contains("/confirm?next="), "{status} {told}");
    assert_eq!(kinds(&world, "exempted"), [""; 0], "who is away signs nothing");
    now_set(START + 60);
    assert_eq!(act(&boss, "act=agree").0, 303);
    assert_eq!(kinds(&world, "exempted"), ["exempted boss"], "it was online");
}

/// Goal: who publishes decides which sites the public page shows, and nobody else. Method: each
/// role hides one and shows it again; the journal and the board say so. Who only publishes does it
/// over the API, without an incident.
#[test]
fn who_publishes_shows_a_site_or_not() {
    clock!(now, now_set);
    now_set(START);
    let (world, [chief, zoe, owner]) = start_with(now, |store| {
        behind_an_edge(store);
        person(store, "press", 9, &[("publisher", "/")]);
    });
    let page = |cookie: &str| world.get("/site/care?lang=en", cookie).2;
    let is_public = || {
        let sites = world.engine.sites();
        sites.iter().find(|site| site.slug.as_str() == "care").unwrap().public
    };
    for other in [&zoe, &owner] {
        assert!(!page(other).contains("value=\"hide\""));
        assert_eq!(act_of(&world, other, "hide"), 403);
    }
    assert!(page(&chief).contains("Take it off the public page"));
    assert_eq!(act_of(&world, &chief, "hide"), 303);
    assert!(!is_public());
    assert_eq!(act_of(&world, &chief, "hide"), 303, "the same again");
    let shown = page(&chief);
    assert!(shown.contains("Show it on the public page") && shown.contains("not shown"), "{shown}");
    assert_eq!(act_of(&world, &chief, "show"), 303);
    assert!(is_public());
    let said = world.journal();
    let acts: Vec<&str> = ["site-hidden", "site-shown"]
        .into_iter()
        .filter(|act| said.iter().filter(|line| line.contains(act)).count() == 1)
        .collect();
    assert_eq!(acts, ["site-hidden", "site-shown"], "{said:?}");
    let (press, act) = (cookie_of(9).0, |act: &str| serde_json::json!({ "act": act }));
    assert_eq!(api(&world, &press, &act("hide")).0, 200);
    assert!(!is_public());
    assert_eq!(api(&world, &press, &act("show")).0, 200);
    assert!(is_public());
    assert_eq!(api(&world, &press, &act("analyse")).0, 403, "nor more than that");
    assert_eq!(api(&world, &chief, &act("analyse")).0, 404, "of no incident");
    assert!(world.store.verify_journal().unwrap().is_ok());
}

/// Goal: the public page never says that all are back while one is not. Method: a site is taken off
/// the page as it goes dark, when it is proven dark, as it comes back and when it is back.
#[test]
fn a_site_that_is_not_back_stays_on_the_public_page() {
    clock!(now, now_set);
    now_set(START);
    let (world, [chief, ..]) = start_dark(now);
    let public = |path: &str| get(world.web.public_addr(), path).2;
    let proved = |light| {
        let (sites, edge) = (vec![GateKey::new("care").unwrap()], "east".into());
        let seen = Entry::Proved { sites, light, edge, epoch: Epoch::default() };
        world.engine.record("relight", LOG4SHELL, seen).unwrap();
    };
    let refused = || {
        let token = token(&world.get("/site/care?lang=en", &chief).2);
        let form = format!("token={token}&act=hide");
        let (status, _, page) = world.post("/site/care/act?lang=en", &chief, &form);
        assert_eq!(status, 409, "{page}");
        assert!(page.contains("the site stays on the public page"), "{page}");
    };
    refused();
    now_set(START + 60);
    proved(Light::Dark);
    let is_told = || public("/feed.json").contains("\"items\":[{");
    wait_until("the feed tells of it", is_told);
    let told = public("/feed.json");
    refused();
    let (status, answer) =
        api(&world, &chief, &serde_json::json!({"incident": LOG4SHELL, "act": "hide"}));
    assert!(status == 409 && answer.contains("urn:relight:problem:site-not-back"), "{answer}");
    assert_eq!(public("/feed.json"), told);
    deploy(&world, "2.17.1");
    refused();
    let care = [GateKey::new("care").unwrap()];
    assert_eq!(world.engine.relight("chief", LOG4SHELL, &care).unwrap(), 1);
    refused();
    proved(Light::Lit);
    assert!(!world.journal().iter().any(|line| line.contains("site-hidden")));
    assert_eq!(act_of(&world, &chief, "hide"), 303, "it is back");
}

/// Sends an act about `care` as a program with a cookie does; the status and the answer.
fn api(world: &World, cookie: &str, act: &serde_json::Value) -> (u16, String) {
    let (body, origin) = (act.to_string(), world.origin());
    let head = format!(
        "POST /api/v1/sites/care/acts?lang=en HTTP/1.1\r\nCookie: {cookie}\r\n\
         Origin: {origin}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n",
        body.len()
    );
    let (status, _, text) = ask_with_body(world.address(), &head, &body);
    (status, text)
}

/// Shows a site or takes it off, as its page would; the status.
fn act_of(world: &World, cookie: &str, act: &str) -> u16 {
    let token = token(&world.get("/site/care?lang=en", cookie).2);
    world.post("/site/care/act?lang=en", cookie, &format!("token={token}&act={act}")).0
}

/// Bad input: controls without payloads, name or end, in front of what is not affected, and behind
/// an edge that has no way past its gate. Nothing is sent, and nothing journalled.
#[test]
fn a_control_that_cannot_be_tried_is_none() {
    clock!(now, now_set);
    now_set(START);
    let (world, [_, zoe, owner]) = start_dark(now);
    let whole = "act=mitigate&note=rule+1&payloads=%24%7Bjndi%3Ax%7D";
    assert_eq!(act(&world, &zoe, whole).0, 403, "an approver does not");
    assert_eq!(act(&world, &owner, "act=mitigate&note=rule+1&payloads=%0A+%0A").0, 422);
    assert_eq!(act(&world, &owner, &format!("{whole}&days=x")).0, 422);
    assert_eq!(act(&world, &owner, whole).0, 409, "it is not affected");
    deploy(&world, "2.14.1");
    let (status, body) = act(&world, &owner, whole);
    assert_eq!(status, 409, "{body}");
    assert!(body.contains("no verification path"), "{body}");
    assert_eq!(kinds(&world, "mitigated"), [""; 0]);
}

/// An application behind the gate that stops nothing; what each request began with.
fn behind(world: &World) -> Receiver<String> {
    let (told, lines) = mpsc::channel();
    let address = behind_the_gate(move |head| {
        drop(told.send(head.lines().next().unwrap_or_default().to_owned()));
        200
    });
    let mut target = edges::from_row(&world.store.edges().unwrap().remove(0)).unwrap();
    target.verify = Some(address.to_string().into());
    world.store.put_edge(&edges::to_row(&target).unwrap(), START, "test").unwrap();
    lines
}

/// Goal: what two people answer for is what was replayed. Method: an affected site whose
/// application tells what came; payloads through the API and through the form.
#[test]
fn a_payload_is_sent_as_it_stands_or_not_at_all() {
    clock!(now, now_set);
    now_set(START);
    let (world, [.., owner]) = start_dark(now);
    deploy(&world, "2.14.1");
    let came = behind(&world);
    let send = |payloads: &[String]| {
        let mut body = serde_json::json!({"incident": LOG4SHELL, "act": "mitigate", "note": "x"});
        body["payloads"] = payloads.into();
        api(&world, &owner, &body)
    };
    let list = |payloads: &[&str]| payloads.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
    for (payloads, told) in [
        (list(&["GET /\r\nX: y"]), "payloads[0]"),
        (list(&["x", "a\nb"]), "payloads[1]"),
        (list(&["x", ""]), "payloads[1]"),
        (list(&["a\tb"]), "control character"),
        (list(&[]), "there is none"),
        (vec!["x".into(); PAYLOADS_MAX + 1], "more than 1,000"),
        (vec!["x".repeat(PAYLOAD_BYTES_MAX + 1)], "longer than 4,096 bytes"),
    ] {
        let (status, text) = send(&payloads);
        assert!(status == 422 && text.contains(told), "{told}: {status} {text}");
    }
    let form = |payloads: &str| {
        act(&world, &owner, &format!("act=mitigate&note=rule+1&payloads={payloads}"))
    };
    for (payloads, told) in [
        ("x%0D%0A%0D%0Aa%09b", "line 3: it holds a control character"),
        ("a%0Db", "line 1: it holds a control character"),
        ("%0A+%0A", "there is none"),
        (&"x%0D%0A".repeat(PAYLOADS_MAX + 1), "more than 1,000"),
        (&"x".repeat(PAYLOAD_BYTES_MAX + 1), "longer than 4,096 bytes"),
    ] {
        let (status, page) = form(payloads);
        assert!(status == 422 && page.contains(told), "{told}: {status} {page}");
    }
    assert!(came.try_recv().is_err(), "nothing was sent");
    assert_eq!(send(&list(&[" x "])).0, 409, "it was let through");
    assert_eq!(form("%0D%0A+y+%0D%0A").0, 409, "it was let through");
    let queries: Vec<String> = came.try_iter().filter(|line| line.contains("?q=")).collect();
    let sent = ["x", "%20x%20", "x", "%20y%20"].map(|word| format!("GET /?q={word} HTTP/1.1"));
    assert_eq!(queries, sent, "a harmless word comes first");
    assert_eq!(kinds(&world, "mitigated"), [""; 0]);
}

/// Goal: a second person signs what she read. Method: another request takes the place of the first
/// one between the page and the click.
#[test]
fn who_agrees_agrees_to_what_was_read() {
    clock!(now, now_set);
    now_set(START);
    let (world, [_, zoe, owner]) = start_dark(now);
    assert_eq!(act(&world, &owner, "act=accept&note=one+night&days=1").0, 303);
    let page = world.get("/site/care?lang=en", &zoe).2;
    assert!(page.contains("until 2027-01-16 at 8:00 UTC: one night"), "{page}");
    assert_eq!(act(&world, &owner, "act=accept&note=for+good&days=30").0, 303);
    let (status, body) = send(&world, &zoe, &page, "act=agree");
    assert_eq!(status, 409, "{body}");
    assert!(body.contains("not what waits for a second person any more"), "{body}");
    let form = format!("token={}&incident={LOG4SHELL}&act=agree", token(&page));
    assert_eq!(world.post("/site/care/act", &zoe, &form).0, 409, "what was not read");
    assert_eq!(kinds(&world, "acceptance-signed"), [""; 0]);
    assert_eq!(act(&world, &zoe, "act=agree").0, 303);
    assert_eq!(kinds(&world, "acceptance-signed"), ["acceptance-signed zoe"]);
}

#[test]
fn a_fix_that_nobody_deployed_is_not_verified() {
    clock!(now, now_set);
    now_set(START);
    let (world, [_, zoe, owner]) = start_dark(now);
    assert_eq!(act(&world, &zoe, "act=verify").0, 403);
    assert_eq!(act(&world, &owner, "act=verify&status=abc").0, 422);
    assert_eq!(act(&world, &owner, "act=verify&path=/&status=200&signs=none").0, 409);
    assert_eq!(kinds(&world, "verif"), [""; 0]);
}

/// Reads what is deployed at `care`: this version of log4j-core.
fn deploy(world: &World, version: &str) {
    let purl = Purl::new("maven", "org.apache.logging.log4j", "log4j-core", version);
    let component = Component::new(purl, "log4j.jar", Basis::PomProperties, Scope::Installed);
    let sbom = Sbom {
        components: vec![component],
        flaws: Vec::new(),
        artifact: Some(Digest([version.as_bytes()[3]; 32])),
        images: Vec::new(),
        tool: "relight test".into(),
    };
    let (site, observed_at) = (GateKey::new("care").unwrap(), world.engine.now());
    let inventory = Inventory { site, sbom, observed_at, profiles: None };
    world.engine.ingest("scanner", &[inventory], EvidenceKind::Scan).unwrap();
}

/// Trap: no signs from an absence of logs.
#[test]
fn no_signs_is_nobodys_mere_word() {
    clock!(now, now_set);
    now_set(START);
    let (world, [.., owner]) = start_dark(now);
    deploy(&world, "2.14.1");
    deploy(&world, "2.17.1");
    let phase = || world.engine.phase(LOG4SHELL, &GateKey::new("care").unwrap());
    assert_eq!(phase(), Some(Phase::Verifying));
    let (status, body) = act(&world, &owner, "act=verify&signs=none");
    assert_eq!(status, 409, "{body}");
    assert!(body.contains("“no signs” cannot be said of care"), "{body}");
    assert!(body.contains("no log of 2027-01-15 was read"), "which day is missing: {body}");
    assert!(!body.contains("relight incident verify"), "refused beside this server: {body}");
    assert_eq!((phase(), kinds(&world, "verified")), (Some(Phase::Verifying), Vec::new()));
    // No edge has a way behind its gate here: a fix that nobody could try is not verified.
    let (status, body) = act(&world, &owner, "act=verify&signs=unknown");
    assert_eq!(status, 409, "{body}");
    assert!(body.contains("care: the fix is not verified, the site stays as it is"), "{body}");
    assert_eq!((phase(), kinds(&world, "verified").len()), (Some(Phase::Affected), 1));
}

/// The same sites; `care` can be closed to who writes.
fn with_a_part(store: &Store) {
    behind_an_edge(store);
    let row = SiteRow {
        line: 2,
        slug: GateKey::new("care").unwrap(),
        name_fr: "Nom care".into(),
        name_en: "Name care".into(),
        origin: "https://care.example".into(),
        organisation: "Hospital".into(),
        sector: "health".into(),
        criticality: Criticality::Important,
        exposure: None,
        aliases: None,
        parts: Some(vec![SitePart::Write]),
        channel_fr: None,
        channel_en: None,
        edge: "east".into(),
        public: true,
    };
    let plan = store.plan_import(&[row]).unwrap();
    store.apply_import(&plan, START, "test").unwrap();
}

#[test]
fn a_part_is_closed_by_a_plan_like_any_other() {
    clock!(now, now_set);
    now_set(START);
    let (world, [chief, zoe, _]) = start_with(now, with_a_part);
    let ask = "action=close&part=%40write&which=todo&reason=test&sites=care";
    let page = world.get(&format!("/plan?lang=en&{ask}"), &chief).2;
    let form = format!("token={}&{ask}&seen={}", token(&page), field(&page, "seen"));
    assert_eq!(world.post("/plan?lang=en", &chief, &form).0, 303, "{page}");
    assert_eq!(decide(&world, &zoe, "A-0001", "decision=approve").0, 303);
    assert_eq!(kinds(&world, "parts"), ["parts-closed zoe"]);
    let page = world.get("/approve/A-0001?lang=en", &chief).2;
    assert!(page.contains("carried out") && !page.contains("value=\"undo\""), "{page}");
    let (status, body) = decide(&world, &chief, "A-0001", "decision=undo");
    assert_eq!(status, 409, "{body}");
    assert!(body.contains("a plan about parts is not taken back"), "{body}");
}

/// A plan that closes a part says so, and never that a site goes dark.
#[test]
fn a_plan_about_a_part_names_it() {
    clock!(now, now_set);
    now_set(START);
    let (world, [chief, ..]) = start(now);
    let ask = "/plan?lang=en&action=close&part=%40write&which=todo&reason=test&sites=care";
    let page = world.get(ask, &chief).2;
    assert!(page.contains("has no part of that name"), "{page}");
    assert!(page.contains("name=\"part\" value=\"@write\""), "{page}");
    let dark = world.get("/plan?lang=en&action=dark&which=todo&reason=test&sites=care", &chief).2;
    assert!(!dark.contains("name=\"part\""), "{dark}");
}
