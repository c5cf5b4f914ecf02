//! No path switches more than the policy allows without two distinct people: random people, roles,
//! tokens, the command line of the machine, slices, retries and clocks, judged by an oracle that
//! says the table in other words. One mutant for each rule must be caught.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use relight_engine::access::{Grant, Role, Scope};
use relight_engine::incident::{Actions, Entry, Ledger};
use relight_engine::plan::{Action, PLAN_AGE_MAX_S, Plan, PlanAsk, PlanSite};
use relight_engine::policy::{Desk, Means, Person, Policy, Refusal};
use relight_model::{Digest, GateKey, Timestamp};
use testkit::Rng;

use crate::policy_given::{Given, with_authority};
use crate::policy_mutants::Mutant;
use crate::policy_people::{may, person};

pub(crate) const ID: &str = "CVE-2021-44228";
/// Worlds that the product itself must survive.
const SEEDS: u64 = 150;
const SEEDS_MAX: u64 = 2_000;
const STEPS: usize = 120;
pub(crate) const BODIES: [(&str, usize); 3] =
    [("health/A", 12), ("health/B", 230), ("energy/C", 8)];

/// Somebody who agreed, as he was then.
#[derive(Clone, Debug)]
struct Consent {
    person: Person,
    typed: Option<usize>,
    proposed: bool,
}

pub(crate) struct World {
    pub(crate) rng: Rng,
    pub(crate) mutant: Mutant,
    pub(crate) policy: Policy,
    pub(crate) ledger: Ledger,
    pub(crate) now: Timestamp,
    people: Vec<Person>,
    sites: Vec<PlanSite>,
    pub(crate) vital: BTreeSet<GateKey>,
    protected: BTreeSet<GateKey>,
    /// Who agreed to what, by the hash that he saw.
    consents: BTreeMap<Digest, Vec<Consent>>,
    refused: BTreeSet<Digest>,
    /// What was switched alone: when, by whom, which sites.
    alone: Vec<(Timestamp, String, BTreeSet<GateKey>)>,
    broken_by: BTreeMap<Digest, String>,
    started: BTreeMap<Digest, Timestamp>,
    /// Nobody can sign in: the operator of the machine is all there is.
    is_town: bool,
    /// What was rested on an authority, and what had been so within a day.
    pub(crate) given: Given,
    /// How often each way led somewhere.
    seen: BTreeMap<&'static str, usize>,
}

impl World {
    pub(crate) fn new(seed: u64, mutant: Mutant) -> Self {
        let mut rng = Rng::new(seed);
        let mut sites = Vec::new();
        let (mut vital, mut protected) = (BTreeSet::new(), BTreeSet::new());
        for (body, count) in BODIES {
            for at in 0..count {
                let key =
                    GateKey::new(&format!("{}-{at:03}", &body[body.len() - 1..].to_lowercase()));
                let site = key.unwrap();
                if at == 1 {
                    vital.insert(site.clone());
                }
                if at == 2 {
                    protected.insert(site.clone());
                }
                let criticality = if at == 1 && mutant != Mutant::VitalIgnored { 1 } else { 3 };
                sites.push(PlanSite {
                    site,
                    edge: "east".into(),
                    verdict: "clear".into(),
                    criticality,
                    org: body.to_owned(),
                    names: Vec::new(),
                });
            }
        }
        let (is_signed, signed) = (rng.chance(75), Policy::signed(Digest([7; 32]), 5, 200));
        let policy = if is_signed { signed } else { Policy::strictest() };
        let policy = with_authority(policy, &mut rng);
        let is_town = rng.chance(15);
        let people = (0..6).map(|at| person(&mut rng, at)).collect();
        let mut ledger = Ledger::new(1);
        let (question, title) = (ID.to_owned(), "Log4Shell".to_owned());
        let (revision, text) = (Digest([1; 32]), String::new());
        let opened = Entry::Opened {
            question,
            title,
            revision,
            statements: Digest::default(),
            policy: text,
        };
        ledger.apply(ID, &opened, 1_000).unwrap();
        for authority in mutant.policy(&policy).standing {
            ledger.apply("", &Entry::AuthorityGranted { authority }, 1_000).unwrap();
        }
        Self {
            rng,
            mutant,
            policy,
            ledger,
            now: 1_000,
            people,
            sites,
            vital,
            protected,
            consents: BTreeMap::new(),
            refused: BTreeSet::new(),
            alone: Vec::new(),
            broken_by: BTreeMap::new(),
            started: BTreeMap::new(),
            is_town,
            given: Given::default(),
            seen: BTreeMap::new(),
        }
    }

    fn run(mut self) -> Result<BTreeMap<&'static str, usize>, String> {
        for _ in 0..STEPS {
            match self.rng.below(24) {
                0..7 => {
                    let person = self.somebody();
                    self.propose(person)?;
                }
                7..14 => {
                    let person = self.somebody();
                    self.approve(person)?;
                }
                14 => self.refuse(),
                15 => self.retry()?,
                16 => {
                    let person = self.somebody();
                    self.break_glass(person)?;
                }
                17 | 18 => self.review()?,
                19 => {
                    let person = self.operator();
                    self.propose(person)?;
                }
                20 => self.try_the_machine()?,
                21 => self.undo()?,
                22 => self.close()?,
                _ => self.wait(),
            }
        }
        Ok(self.seen)
    }

    pub(crate) fn count(&mut self, what: &'static str) {
        *self.seen.entry(what).or_default() += 1;
    }

    fn wait(&mut self) {
        let steps = [1, 30, 600, PLAN_AGE_MAX_S, 6 * 3_600, 24 * 3_600];
        self.now += *self.rng.pick(&steps);
        // A clock may be set back a little.
        if self.rng.chance(10) {
            self.now -= 20;
        }
    }

    fn somebody(&mut self) -> Person {
        if self.is_town {
            return self.operator();
        }
        let mut person = self.rng.pick(&self.people).clone();
        let weak = [Means::Token, Means::SignedIn];
        person.means = match self.rng.below(10) {
            0..3 => *self.rng.pick(&weak),
            3..5 => Means::HardwareKey,
            _ => Means::Passkey,
        };
        person
    }

    /// Whoever sits at the machine, under the name that stands in its policy: maybe somebody's.
    fn operator(&mut self) -> Person {
        let name = if self.rng.chance(30) { "person-1" } else { "A. Tremblay" };
        let bodies = BODIES.map(|(body, _)| Scope::parse(body).unwrap());
        let person = Person::operator(name, bodies.into_iter());
        let ignores = self.mutant == Mutant::MachineIgnoresAccounts;
        if self.is_town || ignores { person.in_command() } else { person }
    }

    /// The machine tries whatever it should not.
    fn try_the_machine(&mut self) -> Result<(), String> {
        let person = self.operator();
        match self.rng.below(3) {
            0 => self.approve(person),
            _ => self.break_glass(person),
        }
    }

    /// A slice of one body, or of everything; sometimes with a site that no plan may touch.
    pub(crate) fn plan(&mut self, proposer: &str) -> Plan {
        let (body, _) = *self.rng.pick(&BODIES);
        let everywhere = self.rng.chance(15);
        let here = |site: &&PlanSite| everywhere || site.org == body;
        let fits = |site: &&PlanSite| !self.protected.contains(&site.site);
        let mut pool: Vec<PlanSite> =
            self.sites.iter().filter(here).filter(fits).cloned().collect();
        if self.rng.chance(10) {
            let forced = self.sites.iter().filter(|site| self.protected.contains(&site.site));
            pool.splice(0..0, forced.cloned());
        }
        let size = *self.rng.pick(&[1, 2, 3, 4, 5, 6, 30, 201, 220]);
        if size > 30 && self.rng.chance(50) {
            pool.retain(|site| !self.vital.contains(&site.site));
        }
        let from = if size > 30 { 0 } else { self.rng.below(pool.len()) };
        let sites: Vec<PlanSite> = pool.into_iter().skip(from).take(size).collect();
        let ask = PlanAsk {
            incident: ID.to_owned(),
            action: if self.rng.chance(70) { Action::Dark } else { Action::Relight },
            part: None,
            reason: "as a precaution".to_owned(),
            advisory_revision: Digest([1; 32]),
            policy: self.policy.digest,
            proposer: proposer.to_owned(),
            created: self.now,
        };
        Plan::new(ask, sites, Vec::new())
    }

    /// Asks the rules under test.
    pub(crate) fn ask<T>(
        &self,
        plan: Option<&Plan>,
        decide: impl FnOnce(&Desk<'_>) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let nothing = Actions::default();
        let is_blind = self.mutant == Mutant::SlicesNotCounted && plan.is_some();
        let actions = if is_blind { &nothing } else { self.ledger.actions() };
        let none = BTreeSet::new();
        let is_free = self.mutant == Mutant::ProtectedIgnored;
        let protected = if is_free { &none } else { &self.protected };
        let policy = self.mutant.policy(&self.policy);
        decide(&Desk { policy: &policy, actions, protected, now: self.time(plan) })
    }

    /// The time as these rules see it.
    fn time(&self, plan: Option<&Plan>) -> Timestamp {
        let oldest = self.ledger.actions().newest().map(|action| action.plan.created).min();
        match self.mutant {
            Mutant::ExpiryIgnored if plan.is_none() => oldest.unwrap_or(self.now).min(self.now),
            _ => self.now,
        }
    }

    fn propose(&mut self, person: Person) -> Result<(), String> {
        let other = self.somebody().name;
        let forged = self.rng.chance(8);
        let name = if forged { other } else { person.name.clone() };
        let plan = self.plan(&name);
        let mut seen = self.mutant.sees(&person, false);
        if self.mutant == Mutant::AnotherName {
            seen.name.clone_from(&plan.proposer);
        }
        let Ok(entry) = self.ask(Some(&plan), |desk| desk.propose(&seen, &plan)) else {
            return Ok(());
        };
        if self.ledger.apply(ID, &entry, self.now).is_err() {
            return Ok(());
        }
        let hash = plan.hash().unwrap();
        let consent = Consent { person, typed: None, proposed: true };
        self.consents.entry(hash).or_default().push(consent);
        self.authorise(hash);
        self.start(hash)
    }

    fn approve(&mut self, person: Person) -> Result<(), String> {
        let Some((number, hash, size)) = self.waiting() else { return Ok(()) };
        // Somebody may have another plan before his eyes: one that was changed, or an older one.
        let shown = if self.rng.chance(10) { Digest([9; 32]) } else { hash };
        let typed = match self.rng.below(4) {
            0 => None,
            1 => Some(size + 1),
            _ => Some(size),
        };
        let mut seen = self.mutant.sees(&person, true);
        if self.mutant == Mutant::SecondSignatureOfOne {
            let signed = self.ledger.actions().get(number).map_or(0, |it| it.signatures.len());
            // Not the proposer: that is another mutant.
            if self.consents.get(&hash).is_none_or(|it| it[0].person.name != person.name) {
                seen.name = format!("{}-{signed}", person.name);
            }
        }
        let counts = if self.mutant == Mutant::NumberNotTyped { Some(size) } else { typed };
        let asked = if self.mutant == Mutant::HashIgnored { hash } else { shown };
        let decided = self.ask(None, |desk| desk.approve(&seen, number, asked, counts));
        let Ok(entry) = decided else { return Ok(()) };
        let now = self.time(None);
        if self.ledger.apply(ID, &entry, now).is_err() {
            return Ok(());
        }
        let consent = Consent { person, typed, proposed: false };
        self.consents.entry(shown).or_default().push(consent);
        self.start(hash)
    }

    fn waiting(&mut self) -> Option<(u32, Digest, usize)> {
        let actions = self.ledger.actions().newest().take(6);
        let all: Vec<_> = actions.map(|it| (it.number, it.hash, it.plan.sites.len())).collect();
        (!all.is_empty()).then(|| *self.rng.pick(&all))
    }

    fn refuse(&mut self) {
        let person = self.somebody();
        let Some((number, hash, _)) = self.waiting() else { return };
        let Ok(entry) = self.ask(None, |desk| desk.refuse(&person, number, hash, "no")) else {
            return;
        };
        let forgets = self.mutant == Mutant::RefusalForgotten;
        if forgets || self.ledger.apply(ID, &entry, self.now).is_ok() {
            self.refused.insert(hash);
            self.count("refused");
        }
    }

    /// The same request comes again, however it ended before.
    fn retry(&mut self) -> Result<(), String> {
        match self.waiting() {
            Some((_, hash, _)) => self.start(hash),
            None => Ok(()),
        }
    }

    fn start(&mut self, hash: Digest) -> Result<(), String> {
        let Some(action) = self.ledger.actions().of(&hash).cloned() else { return Ok(()) };
        let now = self.time(None);
        match self.ask(None, |desk| desk.start(action.number, hash, Vec::new())) {
            Ok(entry) => {
                if self.ledger.apply(ID, &entry, now).is_err() {
                    return Ok(());
                }
            }
            Err(Refusal::AloneTooMuch) if self.mutant == Mutant::SlicesNotCounted => {}
            Err(Refusal::SeatsEmpty) if self.mutant == Mutant::SeatsNotFilled => {}
            Err(_) => return Ok(()),
        }
        self.started.insert(hash, self.now);
        self.judge(&action.plan, hash)
    }

    /// Somebody takes a plan back; half of the time one who agreed to it.
    fn undo(&mut self) -> Result<(), String> {
        let Some((number, hash, _)) = self.waiting() else { return Ok(()) };
        let mut person = if self.rng.chance(40) { self.operator() } else { self.somebody() };
        let agreed = self.consents.get(&hash).cloned().unwrap_or_default();
        if person.means != Means::Operator && self.rng.chance(50) && !agreed.is_empty() {
            person = Person { means: person.means, ..self.rng.pick(&agreed).person.clone() };
        }
        let started = self.started.get(&hash).copied();
        let action = self.ledger.actions().get(number).unwrap();
        let plan = Arc::clone(&action.plan);
        let orgs = plan.sites.iter().map(|site| site.org.as_str());
        let commands = orgs.clone().all(|org| may(&person, &[Role::Commander], org));
        let is_there = !matches!(person.means, Means::Token | Means::SignedIn);
        let first = action.signatures.first().map(|it| it.by.clone());
        let seen = self.mutant.sees_undo(&person, commands, first);
        let now = self.now;
        if self.mutant == Mutant::UndoneLate {
            self.now = started.unwrap_or(now);
        }
        let decided = self.ask(None, |desk| desk.undo(&seen, number));
        self.now = now;
        if decided.is_err() {
            return Ok(());
        }
        self.count("undo");
        // Who was not there when the plan was asked for signed nothing by asking.
        let was_there = |it: &&Consent| !matches!(it.person.means, Means::Token | Means::SignedIn);
        let is_signer = agreed.iter().filter(was_there).any(|it| it.person.name == person.name);
        // Whoever sits at the machine may have written any name into its file.
        let is_signer = is_signer && (person.means != Means::Operator || agreed.len() == 1);
        let allowed = is_signer || (commands && self.broken_by.contains_key(&hash));
        let most = if self.policy.is_signed { 5 } else { 0 };
        let keys: BTreeSet<GateKey> = plan.keys().into_iter().collect();
        let is_many = keys.len() > most || !keys.is_disjoint(&self.vital);
        let darkens_many = plan.action == Action::Relight && is_many;
        let is_soon = started.is_some_and(|at| (0..=600).contains(&(self.now - at)));
        let is_person = person.means != Means::Token && (is_there || !darkens_many);
        let fits = is_soon && is_person && allowed;
        if fits { Ok(()) } else { Err(format!("{person:?} took back what started at {started:?}")) }
    }

    /// Somebody closes the incident: what nobody but its command may.
    fn close(&mut self) -> Result<(), String> {
        let person = if self.rng.chance(30) { self.operator() } else { self.somebody() };
        let mut seen = person.clone();
        match self.mutant {
            Mutant::ClosedByAnybody => {
                seen.grants.push(Grant { role: Role::Commander, scope: Scope::root() })
            }
            Mutant::ClosedByPrograms => seen.means = Means::Passkey,
            _ => {}
        }
        if self.ask(None, |desk| desk.command(&seen)).is_err() {
            return Ok(());
        }
        self.count("close");
        let is_machine = person.means == Means::Operator;
        let commands = may(&person, &[Role::Commander], "/") && person.means != Means::Token;
        let fits = if is_machine { self.is_town } else { commands };
        if fits { Ok(()) } else { Err(format!("closed by {person:?}")) }
    }

    fn break_glass(&mut self, person: Person) -> Result<(), String> {
        let plan = self.plan(&person.name);
        let mut seen = person.clone();
        let mut shown = plan.clone();
        match self.mutant {
            Mutant::GlassWithoutHardware if seen.means == Means::Passkey => {
                seen.means = Means::HardwareKey;
            }
            Mutant::MachineBreaksGlass if seen.means == Means::Operator => {
                seen.grants = vec![Grant { role: Role::Commander, scope: Scope::root() }];
            }
            Mutant::GlassRelights => shown.action = Action::Dark,
            Mutant::GlassByAnybody => {
                seen.grants = vec![Grant { role: Role::Commander, scope: Scope::root() }];
            }
            _ => {}
        }
        let decided = self.ask(Some(&plan), |desk| desk.break_glass(&seen, &shown, "exploited"));
        let Ok(entry) = decided else { return Ok(()) };
        self.ledger.apply(ID, &entry, self.now).unwrap();
        let hash = shown.hash().unwrap();
        self.broken_by.insert(hash, person.name.clone());
        self.count("glass");
        let commands = plan.sites.iter().all(|site| may(&person, &[Role::Commander], &site.org));
        let is_shown = match person.means {
            Means::Operator => self.is_town,
            means => means == Means::HardwareKey && commands,
        };
        let fits = plan.action == Action::Dark && is_shown;
        let is_free = plan.sites.iter().all(|site| !self.protected.contains(&site.site));
        if fits && is_free { Ok(()) } else { Err(format!("glass was broken by {person:?}")) }
    }

    fn review(&mut self) -> Result<(), String> {
        let person = self.somebody();
        let waits = |glass: &&relight_engine::incident::Glass| glass.reviewed.is_none();
        let glass = self.ledger.actions().glass().iter().find(waits).map(|glass| glass.plan);
        let Some(plan) = glass else { return Ok(()) };
        let mut seen = person.clone();
        if self.mutant == Mutant::OwnReview {
            seen.name.push('\'');
        }
        let Ok(entry) = self.ask(None, |desk| desk.review(&seen, plan, "it was right")) else {
            return Ok(());
        };
        self.ledger.apply(ID, &entry, self.now).unwrap();
        self.count("review");
        let own = self.broken_by[&plan] == person.name;
        if own { Err(format!("{} looked at his own glass", person.name)) } else { Ok(()) }
    }

    /// One person carried a plan out.
    fn judge_alone(&mut self, plan: &Plan, only: &Person, is_large: bool) -> Result<(), String> {
        let own = |site: &PlanSite| {
            let here = |grant: &&Grant| grant.scope.to_string() == site.org;
            let mut grants = only.grants.iter().filter(here);
            grants.any(|it| matches!(it.role, Role::SiteOwner | Role::Commander))
        };
        let keys: BTreeSet<GateKey> = plan.keys().into_iter().collect();
        let mut day = keys.clone();
        for (at, by, sites) in &self.alone {
            if self.now - at < 86_400 && *by == only.name {
                day.extend(sites.iter().cloned());
            }
        }
        if is_large || day.len() > 5 || !self.policy.is_signed {
            return Err(format!("one person alone: {} sites, {only:?}", keys.len()));
        }
        if !plan.sites.iter().all(own) {
            return Err(format!("one person, not his own sites: {only:?}"));
        }
        let is_machine = only.means == Means::Operator;
        self.alone.push((self.now, only.name.clone(), keys));
        self.count(if is_machine { "machine" } else { "alone" });
        Ok(())
    }

    /// A plan was carried out: was it allowed?
    fn judge(&mut self, plan: &Plan, hash: Digest) -> Result<(), String> {
        let keys: BTreeSet<GateKey> = plan.keys().into_iter().collect();
        let consents = self.consents.get(&hash).cloned().unwrap_or_default();
        let people: BTreeMap<&str, &Consent> = consents
            .iter()
            .filter(|it| {
                let means = it.person.means;
                matches!(means, Means::Operator | Means::Passkey | Means::HardwareKey)
            })
            .map(|it| (it.person.name.as_str(), it))
            .collect();
        let wrong = |what: &str| Err(format!("{what}: {} sites, {people:?}", keys.len()));
        if plan.action == Action::Dark && !keys.is_disjoint(&self.protected) {
            return wrong("a protected site");
        }
        if self.refused.contains(&hash) {
            return wrong("refused before");
        }
        if self.now >= plan.created + 900 {
            return wrong("too old");
        }
        let is_large = keys.len() > 200 || !keys.is_disjoint(&self.vital);
        for consent in &consents {
            let roles: &[Role] = match consent.proposed {
                true => &[Role::Commander, Role::SiteOwner],
                false => &[Role::Commander, Role::Approver],
            };
            let bodies = plan.sites.iter().map(|site| site.org.as_str());
            if !bodies.clone().all(|body| may(&consent.person, roles, body)) {
                return wrong("somebody without the role");
            }
            let is_typed = consent.proposed || consent.typed == Some(keys.len());
            if is_large && !is_typed {
                return wrong("the number was not typed");
            }
        }
        let commands = |it: &&&Consent| {
            plan.sites.iter().all(|site| may(&it.person, &[Role::Commander], &site.org))
        };
        if consents.len() > 1 && consents.iter().any(|it| it.person.means == Means::Operator) {
            return wrong("the machine as one of two");
        }
        match people.len() {
            0 => wrong("nobody"),
            1 if self.given.is_for(&hash) => {
                let commanded = people.values().all(|it| commands(&it));
                self.judge_given(plan, hash, commanded)
            }
            1 => {
                let only = people.values().next().unwrap().person.clone();
                self.judge_alone(plan, &only, is_large)
            }
            _ if is_large && !people.values().any(|it| commands(&it)) => wrong("no command"),
            _ => {
                self.count(if is_large { "large" } else { "two" });
                Ok(())
            }
        }
    }
}

#[test]
fn sim_policy_no_path_switches_more_than_two_people_agreed_to() {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for seed in 0..SEEDS {
        let ways = World::new(seed, Mutant::None).run();
        for (way, count) in ways.unwrap_or_else(|why| panic!("seed {seed}: {why}")) {
            *seen.entry(way).or_default() += count;
        }
    }
    for way in
        ["alone", "machine", "two", "large", "refused", "glass", "review", "undo", "close", "given"]
    {
        assert!(seen.get(way).is_some_and(|count| *count >= 5), "{way} is hardly tried: {seen:?}");
    }
}

#[test]
fn sim_policy_every_mutant_is_caught() {
    let mut survivors = Vec::new();
    for mutant in Mutant::ALL {
        let caught =
            (0..SEEDS_MAX).find_map(|seed| Some((seed, World::new(seed, mutant).run().err()?)));
        match caught {
            Some((seed, why)) => println!("{mutant:?} is caught by seed {seed}: {why}"),
            None => survivors.push(mutant),
        }
    }
    assert!(survivors.is_empty(), "the oracle did not catch {survivors:?}");
}
