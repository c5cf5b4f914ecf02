//! No path switches more than the policy allows without two distinct people: pages, the API,
//! tokens, broken glass, relights, grants of roles, invitations, recovery and the operator of the
//! machine at random against one server, judged by what the journal and the accounts say then and
//! by who sent what.

mod light;
mod people;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use relight_engine::incident::{Acceptance, Entry, Ground, PartName, Phase};
use relight_engine::plan::{Action, Plan, PlanAsk};
use relight_engine::store::{JournalRecord, SiteRow, Store};
use relight_model::{Criticality, Digest, GateKey, SitePart};
use relight_server::policy_file::{self, PolicyFile};
use serde_json::{Value, json};
use testkit::Rng;

use crate::door_device::{Device, form};
use crate::door_support::{START, World, clock, code_in, person, with_key};
use crate::web_acts::{LOG4SHELL, behind_an_edge, open_incident};
use crate::web_console::ask_with_body;

const SEEDS: u64 = 8;
const STEPS: usize = 200;

/// Sites that one person may switch in a day, in a signed world.
const ALONE_MAX: usize = 3;

const HOSPITAL: &str = "health/Hospital";
const UTILITY: &str = "energy/Utility";

/// Who there is, and what was granted.
const PEOPLE: [(&str, &str, &str); 9] = [
    ("chief", "commander", "/"),
    ("boss", "commander", "/"),
    ("zoe", "approver", "/"),
    ("nurse", "approver", HOSPITAL),
    ("owner", "site-owner", HOSPITAL),
    ("works", "site-owner", UTILITY),
    ("viewer", "viewer", "/"),
    ("admin", "admin", "/"),
    (SPARE, "approver", "/"),
];

/// What has to happen.
const WAYS: [&str; 13] = [
    "alone",
    "two",
    "vital",
    "machine",
    "undo",
    "accepted",
    "glass",
    "granted",
    "parts",
    "relit",
    "dark-again",
    "invited",
    "recovered",
];

const MACHINE: &str = "A. Tremblay";

/// A commander with a key of hardware, who breaks glass and does nothing else.
const FIRE: &str = "fire";

/// Somebody who decides and lost his key.
const SPARE: &str = "spare";

/// Somebody without a role, to whom roles are granted.
const NEWCOMER: &str = "newcomer";

/// Who sends something, and how he shows who it is.
#[derive(Clone)]
struct Sender {
    name: &'static str,
    head: String,
    is_person: bool,
}

impl Sender {
    fn may(&self, roles: &[&str], body: &str) -> bool {
        if self.name == MACHINE {
            return roles.contains(&"site-owner");
        }
        if self.name == FIRE {
            return roles.contains(&"commander");
        }
        let here = |at: &str| at == "/" || at == body;
        PEOPLE.iter().any(|(who, role, at)| *who == self.name && roles.contains(role) && here(at))
    }
}

/// What people said about one plan.
struct Said {
    plan: Box<Plan>,
    signers: BTreeSet<&'static str>,
    by_command: bool,
    /// Who broke the glass for it.
    broken: Option<&'static str>,
    is_started: bool,
}

struct Run {
    world: World,
    rng: Rng,
    senders: Vec<Sender>,
    fire: (Sender, Device),
    /// Who asked for a role of the newcomer, or agreed to one.
    granting: BTreeSet<&'static str>,
    /// Codes with which somebody comes back who lost his key: of whom, and not used yet.
    codes: Vec<(&'static str, String)>,
    /// Those that were used.
    used: Vec<String>,
    /// Who was let in by an invitation, and how often somebody tried to come back.
    let_in: (usize, usize),
    /// The sites of a relight that was taken back in this step.
    taken_back: BTreeSet<GateKey>,
    /// The sites that could be lit when the step began.
    eligible: BTreeSet<GateKey>,
    is_signed: bool,
    /// Nobody showed a passkey in the last five minutes.
    is_stale: bool,
    said: BTreeMap<Digest, Said>,
    /// What was switched by one person: by whom, in which body, which site.
    alone: Vec<(&'static str, String, GateKey)>,
    ways: BTreeMap<&'static str, usize>,
}

/// Eight sites of a hospital and four of a utility, one of each vital.
fn province(store: &Store) {
    behind_an_edge(store);
    let row = |at: usize| {
        let (body, sector) = if at < 8 { ("Hospital", "health") } else { ("Utility", "energy") };
        SiteRow {
            line: at + 2,
            slug: GateKey::new(&format!("s-{at:02}")).unwrap(),
            name_fr: format!("Nom {at}"),
            name_en: format!("Name {at}"),
            origin: format!("https://s{at}.example"),
            organisation: body.into(),
            sector: sector.into(),
            criticality: if at.is_multiple_of(8) {
                Criticality::Vital
            } else {
                Criticality::Important
            },
            exposure: None,
            aliases: None,
            parts: Some(vec![SitePart::Internet]),
            channel_fr: None,
            channel_en: None,
            edge: "east".into(),
            public: true,
        }
    };
    let rows: Vec<SiteRow> = (0..12).map(row).collect();
    store.apply_import(&store.plan_import(&rows).unwrap(), START, "test").unwrap();
}

impl Run {
    fn start(seed: u64, clock: fn() -> i64) -> Self {
        let mut rng = Rng::new(seed);
        let (is_signed, is_stale) = (seed % 4 != 1, seed % 4 == 3);
        let (mut cookies, mut fire) = (Vec::new(), String::new());
        let key = Device::new(1);
        let world = World::start(clock, |store| {
            province(store);
            // Before anybody has an account it holds without being confirmed.
            if is_signed {
                let folder = store.path().parent().unwrap();
                let text = format!("[switching]\none_person_sites = {ALONE_MAX}\n");
                fs::write(folder.join("policy.toml"), text).unwrap();
                policy_file::sign(folder, store, &folder.join("key"), false).unwrap();
            }
            for ((name, role, at), number) in PEOPLE.into_iter().zip(1..) {
                cookies.push(person(store, name, number, &[(role, at)]));
            }
            fire = with_key(store, FIRE, 30, "commander", &key);
            person(store, NEWCOMER, 31, &[]);
            people::app_of_spare(store);
        });
        open_incident(&world, &cookies[0]);
        let codes = people::codes_of(&world, &cookies);
        let origin = world.origin();
        let mut senders = Vec::new();
        for ((name, role, at), cookie) in PEOPLE.into_iter().zip(&cookies) {
            let head = format!("Cookie: {cookie}\r\nOrigin: {origin}\r\n");
            senders.push(Sender { name, head, is_person: true });
            let role = format!("{role} {at}");
            let fields = [("label", "ci"), ("role", role.as_str()), ("days", "7")];
            let (status, _, page) = world.act(cookie, ("/me", "/me/token"), &fields);
            if status == 200 && page.contains("<code>") {
                let head = format!("Authorization: Bearer {}\r\n", code_in(&page));
                senders.push(Sender { name, head, is_person: false });
            }
        }
        assert!(senders.iter().filter(|it| !it.is_person).count() >= 3, "tokens are tried");
        // What a seed does is not what the next one does after the same first number.
        rng.next();
        let (said, alone, ways, granting, let_in) = Default::default();
        let (taken_back, eligible, used) = Default::default();
        let head = format!("Cookie: {fire}\r\nOrigin: {origin}\r\n");
        let fire = (Sender { name: FIRE, head, is_person: true }, key);
        Self {
            world,
            rng,
            senders,
            fire,
            granting,
            codes,
            let_in,
            taken_back,
            eligible,
            used,
            is_signed,
            is_stale,
            said,
            alone,
            ways,
        }
    }

    fn run(&mut self) {
        for _ in 0..STEPS {
            let before = self.world.store.journal_head().unwrap().0;
            self.taken_back.clear();
            self.eligible = self.in_phase(&[Phase::RelightEligible]).into_iter().collect();
            let (sender, typed) = self.step();
            self.go_on();
            for record in self.world.store.journal(before + 1).unwrap() {
                self.judge(&sender, typed, &record);
            }
            self.judge_grants();
        }
        let granted = self.judge_grants();
        *self.ways.entry("granted").or_default() += granted;
    }

    fn step(&mut self) -> (Sender, Option<usize>) {
        if let Some(signer) = self.take_relight_back() {
            return (signer, None);
        }
        let what = self.rng.below(26);
        // Half of the time it is somebody who may well do this.
        let fits: &[&str] = match what {
            0..6 => &["owner", "works", "chief"],
            6..13 => &["zoe", "boss", "nurse"],
            13..15 => &["chief", "owner"],
            _ => &["zoe", "boss", "chief", "owner"],
        };
        let fit = *self.rng.pick(fits);
        let sender = match self.rng.chance(50) {
            true => self.senders.iter().find(|it| it.name == fit && it.is_person).unwrap(),
            false => self.rng.pick(&self.senders),
        };
        let (sender, mut typed) = (sender.clone(), None);
        match what {
            0..6 => self.propose(&sender),
            6..13 => typed = self.decide(&sender, "approve"),
            13 => typed = self.decide(&sender, "undo"),
            14 => typed = self.decide(&sender, "glass"),
            15..18 => self.answer(&sender),
            18 => self.close(&sender),
            19 => return (self.smash(), None),
            20..23 => self.grant(&sender),
            23 => self.invite(&sender),
            24 => self.recover(&sender),
            _ => return (self.machine(), None),
        }
        (sender, typed)
    }

    /// A few sites of one body, or of everybody.
    fn sites(&mut self) -> Vec<String> {
        let (from, to) = *self.rng.pick(&[(0, 8), (1, 8), (8, 12), (9, 12), (0, 12)]);
        let count = *self.rng.pick(&[1, 1, 2, 3, 4]);
        (0..count).map(|_| format!("s-{:02}", from + self.rng.below(to - from))).collect()
    }

    fn json(&self, sender: &Sender, path: &str, body: &Value) -> u16 {
        let (body, kind) = (body.to_string(), "Content-Type: application/json\r\n");
        let length = body.len();
        let head =
            format!("POST {path} HTTP/1.1\r\n{}{kind}Content-Length: {length}\r\n", sender.head);
        ask_with_body(self.world.address(), &head, &body).0
    }

    fn page(&self, sender: &Sender, path: &str) -> String {
        let head = format!("GET {path} HTTP/1.1\r\n{}", sender.head);
        ask_with_body(self.world.address(), &head, "").2
    }

    fn propose(&mut self, sender: &Sender) {
        let (ready, sites) = (self.ready(), self.sites());
        let relights = !ready.is_empty() && self.rng.chance(40);
        let (action, sites) = if relights { ("relight", ready) } else { ("dark", sites) };
        if self.rng.chance(50) {
            let mut ask =
                json!({"action": action, "which": "named", "sites": sites, "reason": "x"});
            if !relights && self.rng.chance(30) {
                (ask["action"], ask["part"]) = (json!("close"), json!("@internet"));
            }
            self.json(sender, "/api/v1/plans", &ask);
            return;
        }
        let sites = sites.join("+");
        let which = if relights { "named" } else { "todo" };
        let ask = format!("/plan?lang=en&action={action}&which={which}&reason=Log4Shell");
        let page = self.page(sender, &format!("{ask}&sites={sites}"));
        let (token, seen) = (hidden(&page, "token"), hidden(&page, "seen"));
        let form = format!(
            "token={token}&seen={seen}&action={action}&which={which}&reason=Log4Shell&sites={sites}"
        );
        self.world.post_from("/plan?lang=en", &sender.head, &form);
    }

    /// Says something about one of the newest plans; the number of sites that was typed.
    fn decide(&mut self, sender: &Sender, decision: &str) -> Option<usize> {
        let newest: Vec<_> = self.world.engine.with_ledger(|ledger| {
            let newest = ledger.actions().newest().take(4);
            newest.map(|it| (it.id(), it.hash, it.plan.sites.len())).collect()
        });
        if newest.is_empty() {
            return None;
        }
        let (id, hash, count) = self.rng.pick(&newest).clone();
        let hash = if self.rng.chance(10) { Digest([9; 32]) } else { hash }.to_string();
        let typed = [None, Some(count + 1), Some(count), Some(count)][self.rng.below(4)];
        if self.rng.chance(50) {
            let body =
                json!({"decision": decision, "hash": hash, "typed": typed, "reason": "because"});
            self.json(sender, &format!("/api/v1/plans/{id}/decisions"), &body);
            return typed;
        }
        let path = format!("/approve/{id}?lang=en");
        let (token, number) = (hidden(&self.page(sender, &path), "token"), typed.unwrap_or(0));
        let number = number.to_string();
        let fields = [
            ("token", token.as_str()),
            ("hash", &hash),
            ("decision", decision),
            ("typed", &number),
            ("reason", "because"),
        ];
        self.world.post_from(&path, &sender.head, &form(&fields));
        typed
    }

    /// Asks somebody to answer for a site, or agrees to what was asked.
    fn answer(&mut self, sender: &Sender) {
        let named = |at: usize| GateKey::new(&format!("s-{at:02}")).unwrap();
        let asked = |at: &usize| {
            self.world.engine.with_ledger(|it| it.incident(LOG4SHELL)?.request(&named(*at)))
        };
        let waiting: Vec<usize> = (0..12).filter(|at| asked(at).is_some()).collect();
        let anywhere = waiting.is_empty() || self.rng.chance(30);
        let at = if anywhere { self.rng.below(12) } else { *self.rng.pick(&waiting) };
        let (site, asked) = (named(at), asked(&at));
        let (act, seen) = match asked {
            Some(seen) if self.rng.chance(70) => ("agree", seen.to_string()),
            _ => ("accept", String::new()),
        };
        let body = json!({"incident": LOG4SHELL, "act": act, "seen": seen, "note": "x", "days": 1});
        self.json(sender, &format!("/api/v1/sites/{site}/acts"), &body);
    }

    /// Breaks the glass for the newest plan, with a key that cannot be copied.
    fn smash(&mut self) -> Sender {
        let newest =
            self.world.engine.with_ledger(|it| it.actions().newest().next().map(|it| it.id()));
        let (sender, key) = &mut self.fire;
        let Some(id) = newest else { return sender.clone() };
        let path = format!("/approve/{id}?lang=en");
        let head = format!("GET {path} HTTP/1.1\r\n{}", sender.head);
        let page = ask_with_body(self.world.address(), &head, "").2;
        let Some(part) = page.split("<details class=\"glass\">").nth(1) else {
            return sender.clone();
        };
        let part = part.split("</details>").next().unwrap();
        let shown = key.get(part, &format!("/approve/{id}"), &self.world.origin());
        let (token, hash) = (hidden(&page, "token"), code_in(&page));
        let fields = [
            ("token", token.as_str()),
            ("hash", &hash),
            ("decision", "glass"),
            ("reason", "nobody answers"),
            ("ticket", &shown.ticket),
            ("answer", &shown.answer),
        ];
        self.world.post_from(&path, &sender.head, &form(&fields));
        sender.clone()
    }

    /// Somebody without the command closes the incident in vain.
    fn close(&mut self, sender: &Sender) {
        if sender.is_person && sender.may(&["commander"], "/") {
            return;
        }
        let path = format!("/api/v1/incidents/{LOG4SHELL}/close");
        assert_eq!(self.json(sender, &path, &json!({})), 403, "{} closes", sender.name);
        let token = hidden(&self.page(sender, "/plans"), "token");
        let form = format!("token={token}&incident={LOG4SHELL}");
        assert_eq!(self.world.post_from("/incident/close", &sender.head, &form).0, 403);
    }

    /// The operator of the machine, by the acts of the engine that the command line has.
    fn machine(&mut self) -> Sender {
        let ready = if self.rng.chance(50) { self.ready() } else { Vec::new() };
        let engine = &self.world.engine;
        let folder = self.world.store.path().parent().unwrap();
        let policy = PolicyFile::read(folder, &self.world.store).unwrap().policy;
        let person = engine.operator(MACHINE).unwrap();
        assert!(engine.check_command(&policy, &person).is_err(), "people sign in here");
        let ask = PlanAsk {
            incident: LOG4SHELL.into(),
            action: if ready.is_empty() { Action::Dark } else { Action::Relight },
            part: None,
            reason: "x".into(),
            advisory_revision: Digest::default(),
            policy: policy.digest,
            proposer: MACHINE.into(),
            created: engine.now(),
        };
        let sites = if ready.is_empty() { self.sites() } else { ready };
        let sites: Vec<GateKey> = sites.iter().map(|site| GateKey::new(site).unwrap()).collect();
        let engine = &self.world.engine;
        let Ok(plan) = engine.plan(ask, &sites) else {
            return Sender { name: MACHINE, head: String::new(), is_person: true };
        };
        let newest = engine.with_ledger(|it| it.actions().newest().next().map(|it| it.number));
        match (self.rng.below(4), newest) {
            (0, Some(number)) => {
                let hash =
                    engine.with_ledger(|it| it.actions().get(number).map(|it| it.hash)).unwrap();
                let agreed = engine.approve(&policy, &person, number, hash, Some(1));
                assert!(agreed.is_err(), "one machine is nobody's second");
            }
            (1, Some(number)) => drop(engine.take_back(&policy, &person, number)),
            _ if engine.propose(&policy, &person, &plan).is_ok_and(|acted| acted.started) => {
                light::after(engine, &plan);
            }
            _ => {}
        }
        Sender { name: MACHINE, head: String::new(), is_person: true }
    }

    /// Everything that one request made the journal say.
    fn judge(&mut self, sender: &Sender, typed: Option<usize>, record: &JournalRecord) {
        if ["access", "refused"].contains(&record.kind.as_str()) {
            return;
        }
        let told = format!("{} by {} of {}", record.kind, record.actor, sender.name);
        if self.judge_light(record) {
            return;
        }
        assert_eq!(record.actor, sender.name, "{told}");
        let is_machine = sender.name == MACHINE;
        let is_there = sender.is_person && (is_machine || !self.is_stale);
        match Entry::from_body(&record.body).unwrap() {
            Entry::BaselineTaken { .. } | Entry::EvidenceAttached { .. } => {}
            Entry::PlanProposed { plan, seat, .. } => {
                assert!(covers(sender, &["commander", "site-owner"], &plan), "{told}");
                assert!(seat.is_none() || is_there, "{told}: an absent one took a seat");
                let signers = seat.map(|_| sender.name).into_iter().collect();
                let by_command = seat.is_some() && covers(sender, &["commander"], &plan);
                let hash = plan.hash().unwrap();
                let said = Said { plan, signers, by_command, broken: None, is_started: false };
                self.said.insert(hash, said);
            }
            Entry::PlanApproved { plan, by, .. } => {
                let said = self.said.get_mut(&plan).unwrap();
                let is_other = by == sender.name && said.plan.proposer != by;
                assert!(is_there && is_other && !is_machine, "{told}: {by}");
                assert!(covers(sender, &["commander", "approver"], &said.plan), "{told}");
                let is_typed = typed == Some(said.plan.sites.len());
                assert!(is_typed || !has_vital(&said.plan), "{told}: the number was not typed");
                said.signers.insert(sender.name);
                said.by_command |= covers(sender, &["commander"], &said.plan);
            }
            Entry::PlanStarted { plan, .. } => self.judge_start(plan),
            Entry::DarkOrdered { plan, sites, .. } if !self.said.contains_key(&plan) => {
                self.judge_dark_again(sender, &sites);
            }
            Entry::DarkOrdered { plan, sites, .. } => {
                assert_eq!(self.said[&plan].plan.keys(), sites, "{told}: other sites");
                let said = &self.said[&plan];
                let is_broken = said.broken == Some(sender.name);
                assert!(is_broken || said.signers.contains(sender.name), "{told}: not a signer");
            }
            Entry::PartsClosed { plan, parts, .. } => self.judge_parts(sender, plan, &parts),
            Entry::BreakGlass { plan, proof, .. } => {
                assert!(sender.name == FIRE && proof.is_some(), "{told}");
                self.said.get_mut(&plan).unwrap().broken = Some(sender.name);
                *self.ways.entry("glass").or_default() += 1;
            }
            Entry::PlanUndone { plan } => self.judge_undone(sender, plan),
            Entry::AcceptanceProposed { site, proposer, .. } => {
                let asks = sender.may(&["commander", "site-owner"], body_of(&site));
                assert!(asks && is_there && proposer == sender.name, "{told}");
            }
            Entry::AcceptanceSigned { site, acceptance, .. }
            | Entry::Exempted { site, ground: Ground::Acceptance(acceptance), .. } => {
                let Acceptance { proposer, approver, .. } = acceptance;
                let is_vital = ["s-00", "s-08"].contains(&site.as_str());
                let roles = if is_vital { &["commander"][..] } else { &["commander", "approver"] };
                let agrees = sender.may(roles, body_of(&site));
                assert!(agrees && is_there && approver == sender.name, "{told}");
                assert_ne!(proposer, approver, "{told}");
                *self.ways.entry("accepted").or_default() += 1;
            }
            other => panic!("{told}: {other:?}"),
        }
    }

    /// Parts of exactly the sites of a plan are closed, by who signed it or broke the glass.
    fn judge_parts(&mut self, sender: &Sender, plan: Digest, parts: &[PartName]) {
        let said = &self.said[&plan];
        let sites: BTreeSet<_> = parts.iter().map(|part| part.site.clone()).collect();
        assert_eq!(sites, said.plan.keys().into_iter().collect(), "other sites");
        let is_broken = said.broken == Some(sender.name);
        assert!(is_broken || said.signers.contains(sender.name), "{} is no signer", sender.name);
        *self.ways.entry("parts").or_default() += 1;
    }

    /// A plan is carried out: by two people, or by one within the rule for one.
    fn judge_start(&mut self, hash: Digest) {
        self.said.get_mut(&hash).unwrap().is_started = true;
        let Said { plan, signers, by_command, .. } = &self.said[&hash];
        let told = format!("{} sites by {signers:?}", plan.sites.len());
        let is_vital = has_vital(plan);
        assert!(!is_vital || *by_command, "{told}: a vital one without the command");
        if signers.len() > 1 {
            assert!(!signers.contains(MACHINE), "{told}");
            *self.ways.entry(if is_vital { "vital" } else { "two" }).or_default() += 1;
            return;
        }
        let only = *signers.first().unwrap_or_else(|| panic!("{told}: nobody"));
        assert!(self.is_signed && !is_vital, "{told}: alone");
        let owns = |body: &str| only == MACHINE || PEOPLE.contains(&(only, "site-owner", body));
        assert!(plan.sites.iter().all(|site| owns(&site.org)), "{told}: of others");
        let bodies: BTreeSet<&str> = plan.sites.iter().map(|site| site.org.as_str()).collect();
        let mut day: BTreeSet<GateKey> = plan.keys().into_iter().collect();
        let counts =
            |it: &&(&'static str, String, GateKey)| it.0 == only || bodies.contains(it.1.as_str());
        day.extend(self.alone.iter().filter(counts).map(|it| it.2.clone()));
        assert!(day.len() <= ALONE_MAX, "{told}: {day:?} in one day");
        let more = plan.sites.iter().map(|site| (only, site.org.clone(), site.site.clone()));
        self.alone.extend(more);
        *self.ways.entry(if only == MACHINE { "machine" } else { "alone" }).or_default() += 1;
    }
}

fn covers(sender: &Sender, roles: &[&str], plan: &Plan) -> bool {
    plan.sites.iter().all(|site| sender.may(roles, &site.org))
}

fn has_vital(plan: &Plan) -> bool {
    plan.sites.iter().any(|site| ["s-00", "s-08"].contains(&site.site.as_str()))
}

fn body_of(site: &GateKey) -> &'static str {
    let number: usize = site.as_str()[2..].parse().unwrap();
    if number < 8 { HOSPITAL } else { UTILITY }
}

/// The value of a hidden field; nothing where the page has none.
fn hidden(page: &str, name: &str) -> String {
    let part = page.split(&format!("name=\"{name}\" value=\"")).nth(1).unwrap_or_default();
    part.split('"').next().unwrap_or_default().to_owned()
}

#[test]
fn sim_paths_no_path_switches_more_than_two_people_agreed_to() {
    clock!(now, now_set);
    let mut ways: BTreeMap<&str, usize> = BTreeMap::new();
    for seed in 0..SEEDS {
        now_set(START);
        let mut run = Run::start(seed, now);
        if run.is_stale {
            now_set(START + 6 * 60);
        }
        println!("seed {seed}, signed {}, stale {}", run.is_signed, run.is_stale);
        run.run();
        let is_bare =
            run.is_stale && run.ways.keys().any(|way| ["two", "vital", "alone"].contains(way));
        assert!(!is_bare, "nobody was there: {:?}", run.ways);
        for (way, count) in &run.ways {
            *ways.entry(way).or_default() += count;
        }
        assert!(run.world.store.verify_journal().unwrap().is_ok());
        run.world.web.stop();
    }
    println!("{ways:?}");
    for way in WAYS {
        assert!(ways.get(way).is_some_and(|count| *count >= 2), "{way} is hardly tried: {ways:?}");
    }
}
