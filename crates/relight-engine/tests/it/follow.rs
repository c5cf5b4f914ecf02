//! Another process writes to the register: the engine that controls it takes in what came, stays
//! in control, and says what it would say had it read everything anew.

use std::collections::BTreeSet;
use std::sync::Arc;

use relight_engine::drill::{DrillReport, Extent, STEPS, Step, is_left, leave as leave_drill};
use relight_engine::incident::{Entry, EvidenceKind, Phase};
use relight_engine::matching::{Advisories, Question};
use relight_engine::store::{By, RawAdvisory, Store};
use relight_engine::{
    Engine, EngineErrorKind, Inventory, advisories_about, advisories_of, leave, trust,
};
use relight_model::{Digest, Sbom, Verdict};
use testkit::Rng;

use crate::edge::key;
use crate::engine::{LOG4SHELL, Town, log4j, name, open, pass, row};

/// What another process sees.
fn other(town: &Town) -> Store {
    Store::open(town.folder.path()).unwrap()
}

pub(crate) fn bring(town: &Town, store: &Store, site: usize, sbom: Sbom) {
    let observed_at = town.engine.now();
    let inventory = Inventory { site: key(&name(site)), sbom, observed_at, profiles: None };
    leave(store, &[inventory], observed_at).unwrap();
}

fn verdicts(engine: &Engine, id: &str) -> Vec<Verdict> {
    let answers = engine.ask(&Question::Advisory(id.into())).sites;
    answers.into_iter().map(|it| it.answer.verdict()).collect()
}

#[test]
fn an_inventory_of_another_process_becomes_evidence_and_takes_no_control() {
    let town = Town::new(2);
    town.ingest(0, log4j("2.17.1"));
    town.incident(LOG4SHELL);
    let store = other(&town);
    pass(1);
    bring(&town, &store, 0, log4j("2.14.1"));
    assert_eq!(town.phase(LOG4SHELL, 0), None);
    town.engine.follow_store().unwrap();
    assert_eq!(town.phase(LOG4SHELL, 0), Some(Phase::Affected));
    assert_eq!(verdicts(&town.engine, LOG4SHELL)[0], Verdict::Affected);
    town.engine.check_lease().unwrap();
    let journal = town.journal().len();
    town.engine.follow_store().unwrap();
    assert_eq!(town.journal().len(), journal, "looked at once");
}

/// Goal: a drill of another process counts, is journalled once under the name of who rehearsed, and
/// takes no control. Bad input: what is no drill of its edge changes nothing, and is told.
#[test]
fn a_drill_of_another_process_is_journalled_once() {
    let town = Town::new(1);
    let store = other(&town);
    let (edge, identity) = ("east".to_owned(), Digest([7; 32]));
    let rehearsed = |passed: bool| DrillReport {
        edge: edge.clone(),
        identity,
        keys: Vec::new(),
        steps: STEPS
            .into_iter()
            .map(|name| Step { name, passed, tried: true, took_ms: 1, detail: "x".into() })
            .collect(),
        left: Vec::new(),
    };
    leave_drill(&store, "anna", &[rehearsed(true)], Extent::Marked).unwrap();
    assert!(is_left(&store, "east").unwrap());
    town.engine.follow_store().unwrap();
    assert!(!is_left(&store, "east").unwrap());
    town.engine.check_lease().unwrap();
    let drilled = || town.engine.with_ledger(|it| it.drilled(&edge, &identity)).map(|it| it.at);
    assert_eq!(drilled(), Some(town.engine.now()));
    let journal = town.journal().len();
    town.engine.follow_store().unwrap();
    assert_eq!(town.journal().len(), journal, "taken once");
    let another = r#"{"actor":"eve","entry":{"kind":"drilled","drill":true,"edge":"west",
        "passed":true,"failed":null}}"#;
    for text in ["", "{", another, r#"{"actor":"eve","entry":{"kind":"closed"}}"#] {
        store.meta_put("left-drill:east", text).unwrap();
        town.engine.follow_store().unwrap();
        let last = store.journal(1).unwrap().pop().unwrap();
        assert_eq!((last.kind.as_str(), last.actor.as_str()), ("refused", "relight"), "{text}");
        assert_eq!(store.meta_get("left-drill:east").unwrap(), None);
    }
    assert!(drilled().is_some(), "the good one stays");
    leave_drill(&store, "anna", &[rehearsed(false)], Extent::Canary).unwrap();
    town.engine.follow_store().unwrap();
    assert!(drilled().is_some(), "the canary alone says nothing of the edge");
    leave_drill(&store, "anna", &[rehearsed(false)], Extent::Marked).unwrap();
    town.engine.follow_store().unwrap();
    assert_eq!(drilled(), None, "one that failed takes it back");
}

#[test]
fn what_was_left_while_nobody_looked_is_evidence_for_the_next_controller() {
    let town = Town::new(1);
    town.incident(LOG4SHELL);
    bring(&town, &other(&town), 0, log4j("2.14.1"));
    let next = open(&Arc::new(other(&town)), "next").unwrap();
    assert_eq!(next.phase(LOG4SHELL, &key(&name(0))), Some(Phase::Affected));
    assert_eq!(next.store().left_inventories().unwrap(), []);
}

#[test]
fn a_site_that_is_not_registered_leaves_nothing() {
    let town = Town::new(1);
    let (site, sbom) = (key("nowhere"), log4j("2.14.1"));
    let inventory = Inventory { site, sbom, observed_at: 1, profiles: None };
    assert!(leave(&other(&town), &[inventory], 1).is_err());
}

fn advisory(store: &Store, number: usize, rng: &mut Rng) {
    let (from, to) = (10 + rng.below(8), 10 + rng.below(9));
    let withdrawn = if rng.below(4) == 0 { r#""withdrawn":"2021-12-20T00:00:00Z","# } else { "" };
    let text = format!(
        r#"{{"id":"CVE-2099-{number}",{withdrawn}"modified":"2021-12-18T00:00:00Z","affected":[{{
        "package":{{"ecosystem":"Maven","name":"org.apache.logging.log4j:log4j-core"}},"ranges":[{{
        "type":"ECOSYSTEM","events":[{{"introduced":"2.{from}.0"}},{{"fixed":"2.{to}.1"}}]}}]}}]}}"#
    );
    let mut revision = [0; 32];
    revision[..8].copy_from_slice(&rng.next().to_le_bytes());
    let id = format!("CVE-2099-{number}");
    let (bytes, revision) = (text.as_bytes(), Digest(revision));
    let raw = RawAdvisory { id: &id, revision, bytes, recorded_at: 1 };
    store.put_advisories("osv", &[raw]).unwrap();
}

/// Goal: following gives what reading everything gives. Method: random writes of another process;
/// after each the engine that follows, and one that reads everything, answer the same questions.
#[test]
fn following_equals_reading_everything_anew() {
    for seed in 0..12 {
        let mut rng = Rng::new(seed);
        let town = Town::new(4);
        let store = other(&town);
        town.engine.tell_changes().unwrap();
        let mut sites = 4;
        for step in 0..12 {
            pass(1);
            match rng.below(6) {
                0 | 1 => advisory(&store, rng.below(3), &mut rng),
                2 | 3 => {
                    let version = format!("2.{}.0", 10 + rng.below(9));
                    bring(&town, &store, rng.below(4), log4j(&version));
                }
                4 => {
                    sites += 1;
                    let rows: Vec<_> = (0..sites).map(|site| row(site, &name(site))).collect();
                    let plan = store.plan_import(&rows).unwrap();
                    store.apply_import(&plan, town.engine.now(), "test").unwrap();
                }
                _ => {
                    let (name, by) =
                        (format!("supplier {}", rng.below(3)), By { actor: "test", at: 1 });
                    trust::trust(&store, &name, by).unwrap();
                }
            }
            town.engine.follow_store().unwrap();
            let told = |engine: &Engine| {
                (0..3)
                    .map(|id| format!("CVE-2099-{id}"))
                    .map(|id| (verdicts(engine, &id), engine.found(&id)))
                    .collect::<Vec<_>>()
            };
            let followed = told(&town.engine);
            assert!(town.engine.rematch().is_empty(), "seed {seed}, step {step}: the lists differ");
            town.engine.reload().unwrap();
            assert_eq!(followed, told(&town.engine), "seed {seed}, step {step}");
        }
        assert_eq!(town.engine.sites().len(), sites, "seed {seed}");
    }
}

/// Goal: a record that was kept by a program that could read it is not dropped by one that cannot
/// (ADVISORIES.md 2.1): what it names is unknown, and what is affected stays so. Method: bytes that
/// no reader takes, under an id of its own, with a flaw in their text; then a revision that reads.
#[test]
fn a_kept_record_that_cannot_be_read_leaves_its_flaw_unknown() {
    let town = Town::new(2);
    town.ingest(0, log4j("2.14.1"));
    town.ingest(1, log4j("2.17.1"));
    let put_as = |id: &str, source: &str, bytes: &[u8], revision: u8| {
        let raw = RawAdvisory { id, revision: Digest([revision; 32]), bytes, recorded_at: 1 };
        town.engine.store().put_advisories(source, &[raw]).unwrap();
        town.engine.follow_feeds().unwrap();
    };
    let put = |source: &str, bytes: &[u8], revision: u8| put_as("OLD-1", source, bytes, revision);
    use Verdict::{Affected, Clear, Unknown};
    let expect = |wanted: [Verdict; 2], what: &str| {
        assert_eq!(verdicts(&town.engine, LOG4SHELL), wanted, "{what}");
        let about = advisories_about(town.engine.store(), &[LOG4SHELL.to_owned()]).unwrap();
        let is_unread = about.group(LOG4SHELL).unwrap().is_unread();
        assert_eq!(is_unread, wanted[1] == Unknown, "{what}");
        town.engine.reload().unwrap();
        assert_eq!(verdicts(&town.engine, LOG4SHELL), wanted, "{what}, read anew");
    };
    expect([Affected, Clear], "before");
    put("old", b"{\"was\": \"about CVE-2021-44228, GHSA-jfh8-c2jp-5v3q\"}", 1);
    expect([Affected, Unknown], "unread");
    assert_eq!(verdicts(&town.engine, "OLD-1"), [Affected, Unknown]);
    put("old", br#"{"id":"OLD-1","modified":"2021-12-18T00:00:00Z","affected":[]}"#, 2);
    expect([Affected, Clear], "read again");
    put("kev/cisa", b"{\"was\": \"about CVE-2021-44228\"}", 3);
    expect([Affected, Clear], "no opinion on packages");
    // Its id says which flaw it is about; others it only mentions.
    let later = br#"{"was": "CVE-2021-45046: the fix of CVE-2021-44228 was incomplete"}"#;
    put_as("CVE-2021-45046", "old", later, 4);
    expect([Affected, Clear], "about another flaw");
    let often = format!("{} CVE-2021-44228", "CVE-2021-45105 ".repeat(1_100));
    put("old", often.as_bytes(), 5);
    expect([Affected, Unknown], "named last");
    assert_eq!(verdicts(&town.engine, "CVE-2021-45046"), [Affected, Unknown]);
}

/// Goal: an answer that is kept never outlives what it rests on. Method: the same question before
/// and after each kind of change, a bulletin among them.
#[test]
fn answers_that_are_kept_follow_every_change() {
    let town = Town::new(3);
    town.ingest(0, log4j("2.14.1"));
    town.ingest(1, log4j("2.16.0"));
    let affected = |id: &str| -> BTreeSet<u32> { town.engine.found(id).affected.iter().collect() };
    let put = |id: &str, text: &str, revision: u8| {
        let (bytes, revision) = (text.as_bytes(), Digest([revision; 32]));
        let raw = RawAdvisory { id, revision, bytes, recorded_at: 1 };
        town.engine.store().put_advisories("osv", &[raw]).unwrap();
        town.engine.follow_feeds().unwrap();
    };
    let bulletin = r#"{"id":"BUL-1","modified":"2021-12-18T00:00:00Z","aliases":["CVE-2021-44228",
        "CVE-2021-45046"],"affected":[]}"#;
    put("BUL-1", bulletin, 1);
    for _ in 0..2 {
        assert_eq!(affected("BUL-1"), [1].into());
        assert_eq!(affected("CVE-2021-44228"), [1].into());
        assert_eq!(affected("NOBODY-1"), BTreeSet::new());
    }
    // One more flaw in the bulletin, then another range of that flaw, then another inventory.
    put("BUL-1", &bulletin.replace("CVE-2021-45046", r#"CVE-2021-45046","CVE-2021-45105"#), 2);
    assert_eq!(affected("BUL-1"), [1, 2].into());
    town.ingest(2, log4j("2.16.0"));
    assert_eq!(affected("BUL-1"), [1, 2, 3].into());
    town.ingest(0, log4j("2.17.1"));
    assert_eq!(affected("BUL-1"), [2, 3].into());
    assert_eq!(affected("CVE-2021-44228"), BTreeSet::new());
    let kind = EvidenceKind::Scan;
    town.incident(LOG4SHELL);
    town.engine.attach_evidence("test", LOG4SHELL, &[key(&name(0))], kind).unwrap();
    assert_eq!(town.phase(LOG4SHELL, 0), Some(Phase::Online));
}

/// Goal: what is read for one id says what everything says of it. Method: random records that name
/// each other, statements and bulletins among them; every id, in the case of somebody else.
#[test]
fn what_is_about_an_id_says_what_everything_says() {
    for seed in 0..20 {
        let mut rng = Rng::new(seed);
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let mut ids: Vec<String> = vec![LOG4SHELL.into(), "GHSA-jfh8-c2jp-5v3q".into()];
        ids.extend((0..12).map(|at| {
            if at % 2 == 0 { format!("CVE-2099-{at}") } else { format!("GHSA-{at}-x-y") }
        }));
        for (number, id) in ids.iter().enumerate() {
            let mut link = || ids[rng.below(ids.len())].clone();
            let (alias, related, upstream) = (link(), link(), link());
            let text = format!(
                r#"{{"id":"{id}","modified":"2021-12-18T00:00:00Z","summary":"beside {related}",
                "aliases":["{}"],"related":["{related}"],"upstream":[{}],"affected":[{{"package":{{
                "ecosystem":"npm","name":"p{}"}},"versions":["1.0.0"]}}]}}"#,
                alias.to_lowercase().replace("ghsa", "GHSA"),
                if rng.chance(20) { format!("\"{upstream}\"") } else { String::new() },
                number % 3,
            );
            let mut revision = [0; 32];
            revision[0] = number as u8;
            let (bytes, revision) = (text.as_bytes(), Digest(revision));
            let raw = RawAdvisory { id, revision, bytes, recorded_at: 1 };
            store.put_advisories("osv", &[raw]).unwrap();
        }
        let all = advisories_of(&store).unwrap();
        for id in &ids {
            let about = advisories_about(&store, &[id.to_lowercase()]).unwrap();
            let told = |known: &Advisories| -> Vec<_> {
                let groups = known.groups_of(id);
                groups.map(|it| (it.id.clone(), it.aliases.clone(), it.revision())).collect()
            };
            assert_eq!(told(&about), told(&all), "seed {seed}, {id}");
        }
    }
}

/// Goal: what the register knows is not lost to its incidents because whoever stored it died, or
/// lost the register, before it was journalled. Method: another engine takes the register between
/// the two.
#[test]
fn what_was_stored_and_not_journalled_is_made_good() {
    for is_file in [true, false] {
        let town = Town::new(1);
        town.ingest(0, log4j("2.17.1"));
        town.incident(LOG4SHELL);
        town.darken(&[0]);
        town.ingest(0, log4j("2.17.1"));
        assert_eq!(town.phase(LOG4SHELL, 0), Some(Phase::RelightEligible));
        let site = key(&name(0));
        let newer = open(town.engine.store(), "newer").unwrap();
        let lost = if is_file {
            let (sbom, observed_at) = (log4j("2.14.1"), town.engine.now());
            let inventory = Inventory { site: site.clone(), sbom, observed_at, profiles: None };
            town.engine.ingest("scanner", &[inventory], EvidenceKind::Scan)
        } else {
            town.engine.report_deployed("owner", &site, Digest([7; 32]))
        };
        assert_eq!(lost.unwrap_err().kind, EngineErrorKind::Fenced);
        let wanted = if is_file { Phase::Affected } else { Phase::Unknown };
        newer.follow_store().unwrap();
        assert_eq!(newer.phase(LOG4SHELL, &site), Some(wanted));
        assert_eq!(newer.store().left_inventories().unwrap(), []);
    }
}

/// What was journalled is not owed.
#[test]
fn what_an_engine_journals_itself_is_left_to_nobody() {
    let town = Town::new(1);
    town.incident(LOG4SHELL);
    town.ingest(0, log4j("2.17.1"));
    town.engine.report_deployed("owner", &key(&name(0)), Digest([7; 32])).unwrap();
    assert_eq!(town.engine.store().left_inventories().unwrap(), []);
}

/// Goal: an open incident is matched again when other releases of distributions are spoken of,
/// although nothing new is said of its flaw: silence is an answer then, or is none any more, also
/// for whoever opens the register after it. Method: a site of Alpine 3.18, of which nobody speaks.
#[test]
fn an_open_incident_follows_which_releases_are_spoken_of() {
    let town = Town::new(2);
    let put = |id: &str, fields: &str, release: &str, package: &str, revision: u8| {
        let text = format!(
            r#"{{"id":"{id}","modified":"2021-12-18T00:00:00Z",{fields}"affected":[{{"package":{{
            "ecosystem":"{release}","name":"{package}"}},"ranges":[{{"type":"ECOSYSTEM",
            "events":[{{"introduced":"0"}}]}}]}}]}}"#
        );
        let (bytes, revision) = (text.as_bytes(), Digest([revision; 32]));
        let raw = RawAdvisory { id, revision, bytes, recorded_at: 1 };
        town.engine.store().put_advisories("osv", &[raw]).unwrap();
    };
    put("CVE-2099-1", "", "Debian:12", "openssl", 1);
    town.engine.follow_feeds().unwrap();
    let mut sbom = log4j("2.17.1");
    let openssl = "pkg:apk/alpine/openssl@3.1.4-r0?distro=alpine-3.18.4";
    sbom.components[0].purl = relight_model::Purl::parse(openssl).unwrap();
    town.incident("CVE-2099-1");
    town.ingest(0, sbom);
    let site = key(&name(0));
    let said = |engine: &Engine| {
        engine.with_ledger(|ledger| {
            let case = ledger.incident("CVE-2099-1").unwrap().case(&site);
            case.and_then(|it| it.evidence.as_ref()).map(|it| it.verdict)
        })
    };
    assert_eq!(said(&town.engine), Some(Verdict::Unknown));
    let musl = "ALPINE-CVE-2099-2";
    put(musl, "", "Alpine:v3.18", "musl", 1);
    town.engine.follow_feeds().unwrap();
    assert_eq!(said(&town.engine), Some(Verdict::Clear));
    let journal = town.journal().len();
    town.engine.follow_feeds().unwrap();
    assert_eq!(town.journal().len(), journal, "looked at once");
    // Its last record ends while nobody follows.
    put(musl, r#""withdrawn":"2021-12-20T00:00:00Z","#, "Alpine:v3.18", "musl", 2);
    let newer = open(&Arc::new(other(&town)), "newer").unwrap();
    assert_eq!(said(&newer), Some(Verdict::Unknown));
}

/// Goal: a dark site does not wait for a scan because its incident was revised and the one who
/// journalled that ended before it was matched again. Method: the revision stands in the journal,
/// and the evidence is of the one before.
#[test]
fn what_was_revised_and_not_matched_is_matched_at_the_next_start() {
    let town = Town::new(1);
    town.incident(LOG4SHELL);
    town.darken(&[0]);
    let (now, statements) = town
        .engine
        .with_ledger(|ledger| ledger.incident(LOG4SHELL).map(|it| (it.revision, it.statements)))
        .unwrap();
    let revised = |revision: Digest| {
        town.engine.record("relight", LOG4SHELL, Entry::Revised { revision, statements }).unwrap();
    };
    revised(Digest([9; 32]));
    town.ingest(0, log4j("2.17.1"));
    assert_eq!(town.phase(LOG4SHELL, 0), Some(Phase::RelightEligible));
    revised(now);
    let site = key(&name(0));
    let permits = |engine: &Engine| {
        engine.with_ledger(|it| it.incident(LOG4SHELL).unwrap().permits(&site, engine.now()))
    };
    assert!(!permits(&town.engine));
    let next = open(town.engine.store(), "next").unwrap();
    assert_eq!(next.phase(LOG4SHELL, &site), Some(Phase::RelightEligible));
    assert!(permits(&next));
    let journal = town.journal().len();
    open(town.engine.store(), "third").unwrap();
    assert_eq!(town.journal().len(), journal, "matched once");
}
