//! Acts in the console, through forms as a browser without scripts sends them: proposed by one,
//! approved by another, refused with a reason; what is forged, stale or not theirs changes nothing.

use relight_engine::edge::Target;
use relight_engine::edges;
use relight_engine::store::{SiteRow, Store};
use relight_model::{Criticality, GateKey};
use relight_server::WebConfig;
use relight_web::Lang;

use crate::door_device::{Device, form};
use crate::door_support::{START, World, clock, code_in, person, token};
use crate::support::wait_until;
use crate::web_console::get;

pub(crate) const LOG4SHELL: &str = "CVE-2021-44228";

/// Puts the three sites behind an edge: what has none cannot be taken dark.
pub(crate) fn behind_an_edge(store: &Store) {
    let row = |(at, (slug, body, sector)): (usize, (&str, &str, &str))| SiteRow {
        line: at + 2,
        slug: GateKey::new(slug).unwrap(),
        name_fr: format!("Nom {slug}"),
        name_en: format!("Name {slug}"),
        origin: format!("https://{slug}.example"),
        organisation: body.into(),
        sector: sector.into(),
        criticality: if slug == "power" { Criticality::Vital } else { Criticality::Important },
        exposure: None,
        aliases: None,
        parts: None,
        channel_fr: None,
        channel_en: None,
        edge: "east".into(),
        public: true,
    };
    let sites = [
        ("care", "Hospital", "health"),
        ("beds", "Hospital", "health"),
        ("power", "Utility", "energy"),
    ];
    let rows: Vec<SiteRow> = sites.into_iter().enumerate().map(row).collect();
    let plan = store.plan_import(&rows).unwrap();
    store.apply_import(&plan, START, "test").unwrap();
    let target = Target {
        name: "east".into(),
        kind: "builtin".into(),
        gate: store.path().parent().unwrap().join("gate"),
        listeners: Vec::new(),
        verify: None,
        settings: [].into(),
        members: Vec::new(),
    };
    store.put_edge(&edges::to_row(&target).unwrap(), START, "test").unwrap();
}

/// The people of a test, by their cookies.
#[derive(Default)]
struct People {
    chief: String,
    approver: String,
    owner: String,
    viewer: String,
    admin: String,
}

fn start(clock: fn() -> i64) -> (World, People) {
    let mut people = People::default();
    let world = World::start(clock, |store| {
        behind_an_edge(store);
        people.chief = person(store, "chief", 1, &[("commander", "/"), ("publisher", "/")]);
        people.approver = person(store, "zoe", 2, &[("approver", "/")]);
        people.owner = person(store, "owner", 3, &[("site-owner", "health/Hospital")]);
        people.viewer = person(store, "viewer", 4, &[("viewer", "/")]);
        people.admin = person(store, "admin", 5, &[("admin", "/")]);
    });
    open_incident(&world, &people.chief);
    (world, people)
}

/// Opens the incident that the tests are about.
pub(crate) fn open_incident(world: &World, chief: &str) {
    let page = world.get("/plans", chief).2;
    let form = format!("token={}&incident={LOG4SHELL}", token(&page));
    let (status, head, body) = world.post("/incident/open?lang=en", chief, &form);
    assert_eq!(status, 303, "{head}{body}");
}

/// What the journal says about plans and orders: kind and actor.
pub(crate) fn acts(world: &World) -> Vec<String> {
    let records = world.store.journal(1).unwrap().into_iter();
    let about = ["plan", "dark", "break", "glass", "update", "fix", "exempted", "closed", "opened"];
    records
        .filter(|record| about.iter().any(|kind| record.kind.starts_with(kind)))
        .map(|record| format!("{} {}", record.kind, record.actor))
        .collect()
}

/// The value of a hidden field.
pub(crate) fn field(page: &str, name: &str) -> String {
    let part = page.split(&format!("name=\"{name}\" value=\"")).nth(1).unwrap();
    part.split('"').next().unwrap().to_owned()
}

pub(crate) const ASK: &str = "/plan?lang=en&action=dark&which=todo&reason=Log4Shell";

/// Shows the plan and asks for it; where that leads, and the status.
pub(crate) fn propose(world: &World, cookie: &str, sites: &str) -> (u16, String) {
    let (status, _, page) = world.get(&format!("{ASK}&sites={sites}"), cookie);
    assert_eq!(status, 200, "{page}");
    let form = format!(
        "token={}&action=dark&which=todo&reason=Log4Shell&sites={sites}&seen={}",
        token(&page),
        field(&page, "seen"),
    );
    let (status, head, body) = world.post("/plan?lang=en", cookie, &form);
    let to = head.split("location: ").nth(1).and_then(|rest| rest.split("\r\n").next());
    (status, to.map_or(body, str::to_owned))
}

/// The same by somebody with a passkey, who signs what is shown.
pub(crate) fn propose_signed(
    world: &World,
    cookie: &str,
    device: &mut Device,
    sites: &str,
) -> (u16, String) {
    let page = world.get(&format!("{ASK}&sites={sites}"), cookie).2;
    let shown = device.get(&page, "/plan?lang", &world.origin());
    let (own, [seen, made]) = (token(&page), ["seen", "made"].map(|name| field(&page, name)));
    let fields = [
        ("token", own.as_str()),
        ("action", "dark"),
        ("which", "todo"),
        ("reason", "Log4Shell"),
        ("sites", sites),
        ("seen", &seen),
        ("made", &made),
        ("ticket", &shown.ticket),
        ("answer", &shown.answer),
    ];
    let (status, _, body) = world.post("/plan?lang=en", cookie, &form(&fields));
    (status, body)
}

pub(crate) fn decide(world: &World, cookie: &str, id: &str, more: &str) -> (u16, String) {
    let address = format!("/approve/{id}?lang=en");
    let page = world.get(&address, cookie).2;
    let hash = code_in(&page);
    let form = format!("token={}&hash={hash}&{more}", token(&page));
    let (status, _, body) = world.post(&address, cookie, &form);
    (status, body)
}

#[test]
fn one_asks_and_another_agrees() {
    clock!(now, now_set);
    now_set(START);
    let (world, people) = start(now);
    let (status, to) = propose(&world, &people.chief, "care+beds");
    assert_eq!((status, to.as_str()), (303, "/approve/a-0001?lang=en"));
    let page = world.get("/approve/A-0001?lang=en", &people.chief).2;
    assert!(page.contains("<b>2</b> sites") && page.contains("<b>vacant</b>"), "{page}");
    assert!(!page.contains("value=\"approve\""), "who asks is not offered to agree");
    let (status, body) = decide(&world, &people.chief, "A-0001", "decision=approve");
    assert_eq!(status, 403);
    assert!(body.contains("who proposes a plan does not approve it"), "{body}");
    for cookie in [&people.viewer, &people.admin] {
        let (status, body) = decide(&world, cookie, "A-0001", "decision=approve");
        assert_eq!(status, 403, "{body}");
    }
    assert_eq!(acts(&world), ["opened chief", "plan-proposed chief"]);
    let page = world.get("/approve/A-0001?lang=fr", &people.approver).2;
    assert!(page.contains("<button class=\"strong\">Approuver</button>"), "{page}");
    assert!(page.contains("pas de clé d’accès ici"), "who has none is asked for none: {page}");
    assert_eq!(decide(&world, &people.approver, "A-0001", "decision=approve").0, 303);
    let journal = acts(&world);
    let wanted = ["plan-approved zoe", "plan-started zoe", "dark-ordered zoe"];
    assert_eq!(journal[2..5], wanted, "{journal:?}");
    let (status, body) = decide(&world, &people.approver, "A-0001", "decision=approve");
    assert_eq!(status, 409);
    assert!(body.contains("carried out already"), "{body}");
    assert_eq!(decide(&world, &people.chief, "A-0001", "decision=undo").0, 303);
    assert!(acts(&world).contains(&"plan-undone chief".to_owned()));
    world.web.stop();
}

/// Goal: a plan is decided once, however many decide at the same time. Method: the same page is
/// sent eight times at once, half of them agree and half refuse.
#[test]
fn many_who_decide_at_once_decide_once() {
    clock!(now, now_set);
    now_set(START);
    let (world, people) = start(now);
    propose(&world, &people.chief, "care+beds");
    let address = "/approve/A-0001?lang=en";
    let page = world.get(address, &people.approver).2;
    let form = format!("token={}&hash={}", token(&page), code_in(&page));
    let send = &|decision: &str| {
        world.post(address, &people.approver, &format!("{form}&decision={decision}")).0
    };
    let mut statuses: Vec<u16> = std::thread::scope(|scope| {
        let decisions = ["approve", "refuse&reason=no"].repeat(4);
        let sent: Vec<_> =
            decisions.into_iter().map(|decision| scope.spawn(move || send(decision))).collect();
        sent.into_iter().map(|it| it.join().unwrap()).collect()
    });
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 409, 409, 409, 409, 409, 409, 409]);
    let journal = acts(&world);
    let count = |kind: &str| journal.iter().filter(|it| it.starts_with(kind)).count();
    let (approved, refused) = (count("plan-approved"), count("plan-refused"));
    assert_eq!(approved + refused, 1, "{journal:?}");
    let done = (count("plan-started"), count("dark-ordered"));
    assert_eq!(done, (approved, approved), "{journal:?}");
    world.web.stop();
}

#[test]
fn a_vital_site_needs_the_number_typed_in_full() {
    clock!(now, now_set);
    now_set(START);
    let (world, people) = start(now);
    assert_eq!(propose(&world, &people.chief, "").0, 303);
    let page = world.get("/approve/A-0001?lang=en", &people.approver).2;
    assert!(page.contains("Vital sites") && page.contains("<b>power · Name power</b>"), "{page}");
    assert!(page.contains("name=\"typed\""), "{page}");
    for typed in ["", "2", "three", "3.0"] {
        let more = format!("decision=approve&typed={typed}");
        let (status, body) = decide(&world, &people.approver, "A-0001", &more);
        assert_eq!(status, 422, "{typed}");
        assert!(body.contains("was not typed as it is"), "{body}");
    }
    assert_eq!(decide(&world, &people.approver, "A-0001", "decision=approve&typed=3").0, 303);
    world.web.stop();
}

#[test]
fn what_is_stale_changed_or_refused_is_told_and_loses_nothing() {
    clock!(now, now_set);
    now_set(START);
    let (world, people) = start(now);
    propose(&world, &people.chief, "care");
    let (status, body) = decide(&world, &people.approver, "A-0001", "decision=refuse&reason=+");
    assert_eq!(status, 422, "{body}");
    let more = "decision=refuse&reason=not+%3Ctonight%3E";
    assert_eq!(decide(&world, &people.approver, "A-0001", more).0, 303);
    let page = world.get("/approve/A-0001?lang=en", &people.chief).2;
    assert!(page.contains("refused by zoe: not &#60;tonight&#62;"), "{page}");
    assert_eq!(decide(&world, &people.approver, "A-0001", "decision=approve").0, 409);
    // What was shown is not what would be done any more.
    let page = world.get(&format!("{ASK}&sites=beds"), &people.chief).2;
    let token = token(&page);
    let form = format!("token={token}&action=dark&which=todo&reason=Log4Shell&sites=beds&seen=0");
    let (status, _, body) = world.post("/plan?lang=en", &people.chief, &form);
    assert_eq!(status, 409);
    assert!(body.contains("what you saw has changed since") && body.contains("value=\"beds\""));
    propose(&world, &people.chief, "beds");
    let before = acts(&world);
    now_set(START + 15 * 60);
    let (status, body) = decide(&world, &people.approver, "A-0002", "decision=approve");
    assert_eq!((status, acts(&world)), (409, before), "{body}");
    assert!(body.contains("it is too late"), "{body}");
    world.web.stop();
}

#[test]
fn a_signature_needs_a_passkey_shown_just_now() {
    clock!(now, now_set);
    now_set(START);
    let (world, people) = start(now);
    propose(&world, &people.chief, "care");
    now_set(START + 6 * 60);
    let page = world.get("/approve/A-0001?lang=en", &people.approver).2;
    assert!(page.contains("Show your passkey") && !page.contains("value=\"approve\""), "{page}");
    let (status, body) = decide(&world, &people.approver, "A-0001", "decision=approve");
    assert_eq!(status, 403);
    assert!(body.contains("a signature needs a passkey"), "{body}");
    world.web.stop();
}

#[test]
fn only_our_own_forms_count() {
    clock!(now, now_set);
    now_set(START);
    let (world, people) = start(now);
    propose(&world, &people.chief, "care");
    let before = acts(&world);
    let page = world.get("/approve/A-0001?lang=en", &people.approver).2;
    let own = token(&page);
    let foreign = token(&world.get("/approve/A-0001?lang=en", &people.chief).2);
    let hash = code_in(&page);
    for token in ["", "x", foreign.as_str()] {
        let form = format!("token={token}&hash={hash}&decision=approve");
        let status = world.post("/approve/A-0001", &people.approver, &form).0;
        assert_eq!(status, 403, "{token}");
    }
    let form = format!("token={own}&hash={hash}&decision=approve");
    let evil = format!("Cookie: {}\r\nOrigin: https://evil.example\r\n", people.approver);
    assert_eq!(world.post_from("/approve/A-0001", &evil, &form).0, 403);
    assert_eq!(world.post("/approve/A-0001", "__Host-rl=AAAA", &form).0, 401);
    let long = format!("{form}&reason={}", "x".repeat(70_000));
    assert_eq!(world.post("/approve/A-0001", &people.approver, &long).0, 413);
    assert_eq!(acts(&world), before, "nothing was journalled");
    world.web.stop();
}

#[test]
fn who_owns_one_body_sees_and_switches_nothing_else() {
    clock!(now, now_set);
    now_set(START);
    let (world, people) = start(now);
    propose(&world, &people.chief, "");
    let (status, _, page) = world.get("/approve/A-0001", &people.owner);
    assert_eq!(status, 404, "a plan about another body is not there: {page}");
    assert!(!world.get("/plans?lang=en", &people.owner).2.contains("A-0001"));
    let (_, _, page) = world.get(&format!("{ASK}&sites="), &people.owner);
    assert!(page.contains("<b>2</b> sites"), "only those of his own body: {page}");
    let (status, body) = propose(&world, &people.owner, "");
    assert_eq!(status, 403, "the policy is not signed, so nobody switches alone");
    assert!(body.contains("only the command of the incident proposes this plan"), "{body}");
    for cookie in [&people.viewer, &people.admin] {
        let page = world.get(ASK, cookie).2;
        assert!(!page.contains("name=\"seen\""), "nobody asks without the role");
    }
    world.web.stop();
}

/// Where the organisations could not be read, sites fell out of a dark plan, and pages said that
/// there was nothing to do, no role, no such site.
#[test]
fn a_register_that_cannot_be_read_is_told_and_leaves_no_site_out() {
    clock!(now, now_set);
    now_set(START);
    let (world, people) = start(now);
    let own = token(&world.get("/plans", &people.chief).2);
    let database = rusqlite::Connection::open(world.store.path()).unwrap();
    database.execute_batch("ALTER TABLE organisation RENAME TO elsewhere").unwrap();
    for path in ["/", "/site/care", ASK, "/posture", "/posture?org=Hospital"] {
        assert_eq!(world.get(path, &people.chief).0, 500, "{path}");
    }
    let form = format!("token={own}&incident={LOG4SHELL}&act=analyse");
    assert_eq!(world.post("/site/care/act", &people.chief, &form).0, 500);
    let form = format!("token={own}&org=Hospital&measure=mfa&value=yes&evidence=report&days=30");
    assert_eq!(world.post("/posture/attest", &people.chief, &form).0, 500);
    database.execute_batch("ALTER TABLE elsewhere RENAME TO organisation").unwrap();
    assert_eq!(world.get("/", &people.chief).0, 200);
    world.web.stop();
}

/// Both languages stand side by side before anything is published, and what was typed is text.
#[test]
fn words_are_shown_before_they_are_published() {
    clock!(now, now_set);
    now_set(START);
    let (world, people) = start(now);
    open_incident(&world, &people.chief);
    let before = acts(&world);
    let preview = |form: &str| {
        let token = token(&world.get("/plans", &people.chief).2);
        let form = format!("token={token}&incident={LOG4SHELL}&{form}");
        world.post("/incident/preview?lang=en", &people.chief, &form)
    };
    let (status, _, page) = preview("fr=Bient%C3%B4t+%3Cb%3E&en=Soon");
    assert_eq!(status, 200, "{page}");
    assert!(page.contains("<p lang=\"fr\">Bientôt &#60;b&#62;</p>"), "{page}");
    assert!(page.contains("<p lang=\"en\">Soon</p>"), "{page}");
    assert!(page.contains("action=\"/incident/update?lang=en\""), "{page}");
    let (_, _, page) = preview("fr=Bient%C3%B4t");
    assert!(page.contains("English is needed") && !page.contains("/incident/update"), "{page}");
    let (_, _, page) = preview("en=Soon");
    assert!(page.contains("French is needed") && !page.contains("/incident/update"), "{page}");
    assert_eq!(acts(&world), before, "nothing is published");
    world.web.stop();
}

/// Goal: what is published is what was shown. Method: words of two lines and with quotes; the form
/// that publishes holds them, and none that somebody can change after the look.
#[test]
fn words_are_published_as_they_were_shown() {
    clock!(now, now_set);
    now_set(START);
    let (world, people) = start(now);
    open_incident(&world, &people.chief);
    let token = token(&world.get("/plans", &people.chief).2);
    let form = format!("token={token}&incident={LOG4SHELL}&fr=Un%22%0Adeux&en=One%22%0Atwo");
    let (_, _, page) = world.post("/incident/preview?lang=en", &people.chief, &form);
    let forms: Vec<&str> =
        page.split("<form ").skip(1).map(|it| it.split("</form>").next().unwrap()).collect();
    let to = |path: &str| -> Vec<&str> {
        let address = format!("action=\"/incident/{path}?");
        forms.iter().copied().filter(|it| it.contains(&address)).collect()
    };
    let (publish, again) = (to("update"), to("preview"));
    assert_eq!((publish.len(), again.len()), (1, 1), "{page}");
    let (publish, again) = (publish[0], again[0]);
    assert!(!publish.contains("<textarea") && again.contains("<textarea"), "{page}");
    for (name, text) in [("fr", "Un&#34;\ndeux"), ("en", "One&#34;\ntwo")] {
        let hidden = format!("<input type=\"hidden\" name=\"{name}\" value=\"{text}\">");
        assert!(publish.contains(&hidden), "{publish}");
        assert!(page.contains(&format!("<p lang=\"{name}\">{text}</p>")), "{page}");
    }
    world.web.stop();
}

/// Goal: a public page in French alone. Method: there is no English page, nothing leads to one, and
/// words are asked for and published in French.
#[test]
fn a_page_in_french_only_has_no_english_and_asks_for_none() {
    clock!(now, now_set);
    now_set(START);
    let mut chief = String::new();
    let people = |store: &Store| {
        behind_an_edge(store);
        chief = person(store, "chief", 1, &[("commander", "/"), ("publisher", "/")]);
    };
    let french = |config: &mut WebConfig| config.languages = vec![Lang::Fr];
    let world = World::start_with(now, french, people);
    open_incident(&world, &chief);
    let token = token(&world.get("/plans", &chief).2);
    let form = format!("token={token}&incident={LOG4SHELL}&fr=Bient%C3%B4t");
    let (_, _, page) = world.post("/incident/preview?lang=en", &chief, &form);
    assert!(page.contains("action=\"/incident/update?lang=en\""), "{page}");
    assert!(!page.contains("name=\"en\" rows"), "{page}");
    assert_eq!(world.post("/incident/update", &chief, &form).0, 303);
    let public = world.web.public_addr();
    wait_until("the words on the public page", || get(public, "/fr/").2.contains("Bientôt"));
    assert_eq!(get(public, "/en/").0, 404);
    assert!(!get(public, "/").2.contains("/en/"));
    let home = world.get("/?lang=en", &chief).2;
    assert!(home.contains(&format!("href=\"http://{public}/fr/\"")), "{home}");
    assert!(!home.contains("name=\"en\""), "{home}");
    world.web.stop();
}

#[test]
fn short_forms_are_acts_of_the_role_that_they_need() {
    clock!(now, now_set);
    now_set(START);
    let (world, people) = start(now);
    let token_of = |cookie: &str| token(&world.get("/plans", cookie).2);
    let send = |path: &str, cookie: &str, form: &str| {
        world.post(path, cookie, &format!("token={}&incident={LOG4SHELL}&{form}", token_of(cookie)))
    };
    for (path, form) in [
        ("/incident/open", ""),
        ("/incident/close", ""),
        ("/incident/preview", "fr=Bonjour"),
        ("/incident/update", "fr=Bonjour&en=Hello"),
        ("/site/care/act", "act=fix&note=2.17.1"),
        ("/site/care/act", "act=exempt"),
        ("/site/nowhere/act", "act=analyse"),
    ] {
        for cookie in [&people.viewer, &people.admin, &people.approver] {
            assert_eq!(send(path, cookie, form).0, 403, "{path} {form}");
        }
    }
    let before = acts(&world);
    for (form, lacks) in [("fr=+&en=Hello", "French"), ("fr=Bonjour&en=+", "English")] {
        assert_eq!(send("/incident/update", &people.chief, form).0, 422, "{lacks} is needed");
    }
    assert_eq!(acts(&world), before, "nothing is published");
    assert_eq!(send("/incident/update", &people.chief, "fr=Bonjour&en=Hello").0, 303);
    assert_eq!(send("/site/care/act", &people.owner, "act=exempt").0, 403);
    for unknown in ["act=bless", "act=", ""] {
        assert_eq!(send("/site/care/act", &people.chief, unknown).0, 422, "{unknown:?}");
    }
    let (status, _, body) = send("/site/care/act?lang=en", &people.chief, "act=exempt");
    assert_eq!(status, 409, "no evidence calls it clear: {body}");
    propose(&world, &people.chief, "care");
    decide(&world, &people.approver, "A-0001", "decision=approve");
    assert_eq!(send("/site/care/act", &people.owner, "act=analyse").0, 303);
    assert_eq!(send("/site/power/act", &people.owner, "act=analyse").0, 403, "not his own");
    let (status, _, body) = send("/incident/close?lang=en", &people.chief, "");
    assert_eq!(status, 409, "sites are still dark: {body}");
    let journal = acts(&world);
    assert!(journal.contains(&"update-published chief".to_owned()), "{journal:?}");
    let words = "fr=Seulement+%3Ci%3E&en=Only+%3Ci%3E";
    assert_eq!(send("/incident/update", &people.chief, words).0, 303);
    let public = world.web.public_addr();
    wait_until("the words on the public page", || get(public, "/en/").2.contains("Only"));
    let page = get(public, "/en/").2;
    let (newer, older) = (page.find("<span lang=\"en\">Only &#60;i&#62;"), page.find("Hello"));
    assert!(newer.is_some() && newer < older, "newest first");
    assert!(get(public, "/fr/").2.contains("<span lang=\"fr\">Bonjour"));
    assert!(!page.contains("chief"), "nobody is named");
    world.web.stop();
}

/// Goal: a second incident about a flaw is led to and acted in like the first one. Method: the
/// first is closed and the flaw opened again, by forms; its pages, and a plan that is asked for.
#[test]
fn a_second_incident_about_a_flaw_has_pages_and_plans_of_its_own() {
    clock!(now, now_set);
    now_set(START);
    let (world, people) = start(now);
    let page = world.get("/plans", &people.chief).2;
    let form = format!("token={}&incident={LOG4SHELL}", token(&page));
    assert_eq!(world.post("/incident/close?lang=en", &people.chief, &form).0, 303);
    open_incident(&world, &people.chief);
    let second = "CVE-2021-44228~2";
    let (status, _, page) = world.get(&format!("/incident/{second}?lang=en"), &people.chief);
    assert_eq!(status, 200);
    assert!(page.contains(second) && page.contains("CVSS 10"), "facts of its flaw: {page}");
    let page = world.get("/?lang=en", &people.chief).2;
    assert!(page.contains(&format!("value=\"{second}\"")), "closed under its own id: {page}");
    assert_eq!(propose(&world, &people.chief, "care+beds").0, 303);
    let proposed = world.store.journal(1).unwrap().into_iter();
    let proposed: Vec<String> =
        proposed.filter(|it| it.kind == "plan-proposed").map(|it| it.incident).collect();
    assert_eq!(proposed, [second]);
    // The id of the flaw means the one that is open, in a plan, in words and when it is closed.
    let plan = world.get(&format!("/plan?action=dark&incident={LOG4SHELL}"), &people.chief);
    assert!(plan.0 == 200 && plan.2.contains(&format!("value=\"{second}\"")), "{}", plan.2);
    let page = world.get("/plans", &people.chief).2;
    let form = format!("token={}&incident={LOG4SHELL}", token(&page));
    let words = format!("{form}&fr=Mot&en=Word");
    assert_eq!(world.post("/incident/update?lang=en", &people.chief, &words).0, 303);
    assert_eq!(world.post("/incident/close?lang=en", &people.chief, &form).0, 303);
    assert_eq!(acts(&world).last().map(String::as_str), Some("closed chief"));
    // The report after it was over is of the very one that was named.
    let report = format!("{words}&report=yes");
    assert_eq!(world.post("/incident/update?lang=en", &people.chief, &report).0, 303);
    let journal = world.store.journal(1).unwrap().into_iter();
    let told: Vec<_> = journal.map(|it| (it.kind, it.incident)).collect();
    let last =
        &told[told.len() - 3..].iter().map(|(kind, id)| (&**kind, &**id)).collect::<Vec<_>>();
    let all = [("update-published", second), ("closed", second), ("update-published", LOG4SHELL)];
    assert_eq!(last[..], all);
}
