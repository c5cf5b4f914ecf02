//! A server verifies fixes by itself: declared, read again, and answering behind the closed gate.
//! What does not pass stays dark and says why.

use std::fs;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU16, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use relight_engine::edge::Target;
use relight_engine::edges;
use relight_engine::fixes::{TRIALS_AT_ONCE_MAX, TRY_AGAIN_S, TRY_AGAIN_S_MAX, Tries};
use relight_engine::incident::{Baseline, Compromise, DETAIL_BYTES_MAX, Entry, Phase};
use relight_engine::store::EdgeRow;
use relight_engine::{
    Engine, EngineErrorKind, EngineOptions, FixWatch, FunctionalTest, INVENTORY_TTL_S, SIGNS,
};
use relight_model::{Criticality, Digest, Flaw, FlawCode, GateKey, Sbom, VexStatus};
use testkit::behind_the_gate;

use crate::edge::key;
use crate::engine::{LOG4SHELL, Town, clock, log4j, name, open, pass, row};

/// An application behind the gate: which status it answers (0 closes the connection without one),
/// and how often it was asked.
struct Behind {
    status: AtomicU16,
    asked: AtomicU32,
    /// What answers wait for while somebody holds it.
    door: Mutex<()>,
}

impl Behind {
    fn of(town: &Town) -> Arc<Self> {
        let behind = Arc::new(Self {
            status: AtomicU16::new(200),
            asked: AtomicU32::new(0),
            door: Mutex::new(()),
        });
        let answers = Arc::clone(&behind);
        let address = behind_the_gate(move |_| {
            answers.asked.fetch_add(1, Ordering::SeqCst);
            drop(answers.door.lock().unwrap());
            answers.status.load(Ordering::SeqCst)
        });
        town.verify_at(address);
        behind
    }

    fn says(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    fn asked(&self) -> u32 {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Town {
    /// The edge of the town leads testers to an application of its own.
    pub(crate) fn verify_at(&self, address: SocketAddr) {
        let store = self.engine.store();
        let mut target = edges::from_row(&store.edges().unwrap().remove(0)).unwrap();
        target.verify = Some(address.to_string().into());
        store.put_edge(&edges::to_row(&target).unwrap(), 0, "test").unwrap();
    }
}

pub(crate) fn town(count: usize) -> Town {
    let town = Town::new(count);
    town.incident(LOG4SHELL);
    town
}

pub(crate) fn declare(town: &Town, site: usize) -> bool {
    let entry = Entry::FixStarted { site: key(&name(site)), note: "2.17.1".into() };
    town.engine.record("owner", LOG4SHELL, entry).is_ok()
}

/// A site that is affected and dark.
fn affected(town: &Town, site: usize) {
    town.ingest(site, log4j("2.14.1"));
    town.darken(&[site]);
    town.ingest(site, log4j("2.14.1"));
    assert_eq!(town.phase(LOG4SHELL, site), Some(Phase::Affected));
    pass(60);
}

/// The same after somebody said that it is being fixed, and its files were read again.
pub(crate) fn fixed(town: &Town, site: usize) {
    affected(town, site);
    assert!(declare(town, site));
    town.ingest(site, log4j("2.17.1"));
    assert_eq!(town.phase(LOG4SHELL, site), Some(Phase::Verifying));
}

pub(crate) fn why(town: &Town, site: usize) -> String {
    town.engine.tried(LOG4SHELL, &key(&name(site))).map(|it| it.why).unwrap_or_default()
}

/// Goal: a fix that was declared and read again comes back by itself once the site answers behind
/// its gate, and not before. Method: an application that starts late; what is told meanwhile, and
/// how often it is asked.
#[test]
fn a_fix_is_verified_by_itself_once_the_site_answers_as_before() {
    let town = town(1);
    let behind = Behind::of(&town);
    fixed(&town, 0);
    let mut tries = Tries::default();
    let mut verify = || town.engine.verify_ready(&mut tries).unwrap();
    // What is told to others is a fix once it is verified, by any id of the flaw.
    let stated = |id: &str| {
        let stated = town.engine.stated(id, &key(&name(0))).unwrap();
        assert_eq!((stated.id.as_str(), stated.statements.len()), (LOG4SHELL, 1));
        stated.statements[0].status
    };
    assert_eq!(stated(LOG4SHELL), VexStatus::NotAffected);
    behind.says(503);
    assert_eq!((verify(), why(&town, 0).as_str()), (0, "other-status"));
    let told = town.journal().len();
    assert_eq!((verify(), behind.asked()), (0, 1), "not asked again at once");
    behind.says(0);
    let mut waited = 0;
    for turn in 1..20 {
        let wait = (TRY_AGAIN_S << (turn - 1)).min(TRY_AGAIN_S_MAX);
        pass(wait - 1);
        assert_eq!((verify(), behind.asked()), (0, turn), "after {waited} s");
        pass(1);
        verify();
        waited += wait;
    }
    assert_eq!(why(&town, 0), "no-answer");
    assert_eq!(town.journal().len(), told + 1, "news is told once: {:?}", town.journal());
    assert_eq!(town.phase(LOG4SHELL, 0), Some(Phase::Verifying), "it stays dark and waits");
    behind.says(200);
    pass(TRY_AGAIN_S_MAX);
    town.ingest(0, log4j("2.17.1"));
    assert_eq!((verify(), why(&town, 0).as_str()), (1, ""));
    assert_eq!(town.phase(LOG4SHELL, 0), Some(Phase::RelightEligible));
    assert_eq!(["GHSA-jfh8-c2jp-5v3q", LOG4SHELL].map(stated), [VexStatus::Fixed; 2]);
    assert_eq!(town.engine.relight_ready().unwrap(), 1, "and it returns without anybody");
    let again = open(town.engine.store(), "second").unwrap();
    assert_eq!(again.with_ledger(Clone::clone), town.ledger(), "the journal says so alone");
}

/// Goal: nothing returns on a guess. Method: each thing that has to be there is missing once.
#[test]
fn what_was_not_declared_not_read_whole_or_not_reachable_waits() {
    let town = town(4);
    let verify = || town.engine.verify_ready(&mut Tries::default()).unwrap();
    affected(&town, 0);
    town.ingest(0, log4j("2.17.1"));
    assert_eq!(town.phase(LOG4SHELL, 0), Some(Phase::Verifying));
    assert_eq!((verify(), why(&town, 0).as_str()), (0, ""), "nobody said that it is fixed");
    fixed(&town, 1);
    assert_eq!((verify(), why(&town, 1).as_str()), (0, "no-path"));
    let behind = Behind::of(&town);
    affected(&town, 2);
    assert!(declare(&town, 2));
    let flaw = Flaw { code: FlawCode::Encrypted, evidence: "secret.zip".into(), bytes: 9 };
    town.ingest(2, Sbom { flaws: vec![flaw], ..log4j("2.17.1") });
    assert_ne!(town.phase(LOG4SHELL, 2), Some(Phase::Verifying), "not read whole");
    affected(&town, 3);
    assert!(declare(&town, 3) && !declare(&town, 3), "said once");
    assert_eq!((verify(), behind.asked()), (1, 1), "only the second");
    assert_eq!(town.phase(LOG4SHELL, 1), Some(Phase::RelightEligible));
    // Said afterwards is said.
    assert!(declare(&town, 0) && !declare(&town, 0));
    pass(25 * 3_600);
    assert_eq!((verify(), behind.asked()), (0, 1), "its inventory is too old by now");
    town.ingest(0, log4j("2.17.1"));
    assert_eq!((verify(), town.phase(LOG4SHELL, 0)), (1, Some(Phase::RelightEligible)));
}

/// Trap: a site that answered 404 before is not broken by a fix, and one that was broken before is
/// not repaired by being broken again.
#[test]
fn the_answer_of_before_is_what_counts() {
    for (before, now, passes) in
        [(4, 404, true), (4, 200, false), (3, 302, true), (5, 500, false), (5, 200, true)]
    {
        let town = town(1);
        let behind = Behind::of(&town);
        let statuses = vec![Baseline { site: key(&name(0)), class: before }];
        let taken = Entry::BaselineTaken { statuses };
        town.engine.record("test", LOG4SHELL, taken).unwrap();
        fixed(&town, 0);
        behind.says(now);
        let passed = town.engine.verify_ready(&mut Tries::default()).unwrap();
        assert_eq!(passed == 1, passes, "{before}xx before, {now} now");
    }
}

/// More sites than are asked at the same time: each is asked once, and none waits for another turn.
#[test]
fn more_sites_than_are_asked_at_once_are_verified_in_one_turn() {
    let count = 2 * TRIALS_AT_ONCE_MAX + 1;
    let town = town(count);
    let behind = Behind::of(&town);
    (0..count).for_each(|site| fixed(&town, site));
    assert_eq!(town.engine.verify_ready(&mut Tries::default()).unwrap(), count);
    assert_eq!(behind.asked() as usize, count);
}

#[test]
fn a_vital_site_waits_for_somebody_who_looked_for_signs() {
    let town = Town::new(1);
    let vital =
        relight_engine::store::SiteRow { criticality: Criticality::Vital, ..row(0, &name(0)) };
    let store = town.engine.store();
    store.apply_import(&store.plan_import(&[vital]).unwrap(), 1, "test").unwrap();
    town.engine.reload().unwrap();
    town.incident(LOG4SHELL);
    let _behind = Behind::of(&town);
    fixed(&town, 0);
    let mut tries = Tries::default();
    assert_eq!(town.engine.verify_ready(&mut tries).unwrap(), 0);
    assert_eq!(town.phase(LOG4SHELL, 0), Some(Phase::Verifying), "it waits");
    assert_eq!(why(&town, 0), "signs-unknown");
    let (site, test) =
        (key(&name(0)), FunctionalTest { uri: "/".into(), status: 200, text: "hello".into() });
    let verify = |said| town.engine.verify_scanned("anna", LOG4SHELL, &site, &test, said).unwrap();
    assert!(verify(Compromise::NoSigns), "somebody looked");
    assert_eq!(
        (town.phase(LOG4SHELL, 0), why(&town, 0).as_str()),
        (Some(Phase::RelightEligible), "")
    );
}

/// A person who verifies is told why it did not pass, and so is whoever looks afterwards.
#[test]
fn a_verification_by_hand_says_why_as_well() {
    let town = town(1);
    let site: GateKey = key(&name(0));
    fixed(&town, 0);
    let verify = |test: &FunctionalTest, signs| {
        if town.phase(LOG4SHELL, 0) == Some(Phase::Affected) {
            pass(1);
            town.ingest(0, log4j("2.17.1"));
        }
        let passed = town.engine.verify_scanned("anna", LOG4SHELL, &site, test, signs).unwrap();
        (passed, why(&town, 0))
    };
    let test = |status, text: &str| FunctionalTest { uri: "/".into(), status, text: text.into() };
    let failed = |why: &str| (false, why.to_owned());
    assert_eq!(verify(&test(200, ""), Compromise::Unknown), failed("no-path"));
    let behind = Behind::of(&town);
    assert_eq!(verify(&test(204, ""), Compromise::Unknown), failed("other-status"));
    assert_eq!(verify(&test(200, "bye"), Compromise::Unknown), failed("other-text"));
    assert_eq!(verify(&test(200, "hello"), Compromise::Signs), failed("signs"));
    behind.says(0);
    assert_eq!(verify(&test(200, ""), Compromise::Unknown), failed("no-answer"));
    behind.says(200);
    assert_eq!(verify(&test(200, "hello"), Compromise::Unknown), failed("signs"), "still there");
    assert_eq!(verify(&test(200, "hello"), Compromise::NoSigns), (true, String::new()));
    // What an application answers is no place to fill the journal or the memory.
    let detail = "é".repeat(DETAIL_BYTES_MAX);
    let found = Entry::VerificationFound { site: site.clone(), why: "x".into(), detail };
    town.engine.record("test", LOG4SHELL, found).unwrap();
    let kept = town.engine.tried(LOG4SHELL, &site).unwrap().detail;
    assert_eq!(kept.len(), DETAIL_BYTES_MAX);
    let nowhere =
        Entry::VerificationFound { site: key("nowhere"), why: "x".into(), detail: String::new() };
    let refused = town.engine.record("test", LOG4SHELL, nowhere).unwrap_err();
    assert!(matches!(refused.kind, EngineErrorKind::Rejected(_)));
}

/// Goal: a server overrules nobody who saw signs, nor whoever tried in vain. Method: each way in
/// which a verification by hand fails; then the same files are read again, or the advisory is
/// revised, and the server looks.
#[test]
fn what_somebody_found_wrong_is_not_verified_by_the_server() {
    let town = town(3);
    let _behind = Behind::of(&town);
    (0..3).for_each(|site| fixed(&town, site));
    let test = |text: &str| FunctionalTest { uri: "/".into(), status: 200, text: text.into() };
    let verify = |site: usize, text: &str, said| {
        let key = key(&name(site));
        town.engine.verify_scanned("anna", LOG4SHELL, &key, &test(text), said).unwrap()
    };
    let phases = || [0, 1, 2].map(|site| town.phase(LOG4SHELL, site).unwrap());
    let look = || town.engine.verify_ready(&mut Tries::default()).unwrap();
    assert!(!verify(0, "hello", Compromise::Signs) && !verify(1, "bye", Compromise::Unknown));
    assert_eq!(look(), 1, "the third was never tried by hand");
    assert!(!verify(2, "hello", Compromise::Signs), "verified is not too late to say so");
    assert_eq!(phases(), [Phase::Affected; 3]);
    pass(1);
    (0..3).for_each(|site| town.ingest(site, log4j("2.17.1")));
    assert_eq!((look(), phases()), (0, [Phase::Verifying; 3]));
    let revised = Entry::Revised { revision: Digest([9; 32]), statements: Digest::default() };
    town.engine.record("feed", LOG4SHELL, revised).unwrap();
    (0..3).for_each(|site| town.ingest(site, log4j("2.17.1")));
    assert_eq!((look(), phases()), (0, [Phase::Verifying; 3]));
    // Somebody says that it is fixed now: that is enough where nobody saw signs.
    (0..3).for_each(|site| assert!(declare(&town, site)));
    assert_eq!(look(), 1);
    let seen = Phase::Verifying;
    assert_eq!(phases(), [seen, Phase::RelightEligible, seen]);
    assert_eq!((why(&town, 0), why(&town, 2)), ("signs".to_owned(), "signs".to_owned()));
    // Other files are no word about signs.
    pass(1);
    town.ingest(0, log4j("2.17.2"));
    assert_eq!((look(), town.phase(LOG4SHELL, 0)), (0, Some(Phase::Verifying)));
    assert!(verify(0, "hello", Compromise::NoSigns), "somebody looked again");
    let (replayed, _) = relight_engine::replay(town.engine.store()).unwrap();
    let now = town.ledger();
    assert_eq!(replayed.incident(LOG4SHELL), now.incident(LOG4SHELL), "the journal says so alone");
}

/// Race: other files, as clear as those before, are read while a person or the server asks the
/// site. What was tried is not what would be verified.
#[test]
fn a_trial_of_some_files_verifies_no_others() {
    let town = town(2);
    let behind = Behind::of(&town);
    (0..2).for_each(|site| fixed(&town, site));
    let test = FunctionalTest { uri: "/".into(), status: 200, text: String::new() };
    let site = key(&name(0));
    let engine = &town.engine;
    let by_hand = || engine.verify_scanned("anna", LOG4SHELL, &site, &test, Compromise::NoSigns);
    let by_server = || engine.verify_ready(&mut Tries::default());
    let phases = || [0, 1].map(|site| town.phase(LOG4SHELL, site));
    for (is_by_hand, version) in [(true, "2.17.2"), (false, "2.18.0")] {
        let (held, asked, now) = (behind.door.lock().unwrap(), behind.asked(), clock());
        thread::scope(|scope| {
            let trial = scope.spawn(|| {
                // A thread has its own time.
                pass((now - clock()) / 1_000);
                if is_by_hand {
                    let refused = by_hand().unwrap_err().kind;
                    assert!(matches!(refused, EngineErrorKind::Rejected(_)), "{refused:?}");
                } else {
                    assert_eq!(by_server().unwrap(), 0);
                }
            });
            while behind.asked() == asked && !trial.is_finished() {
                thread::yield_now();
            }
            (0..2).for_each(|site| town.ingest(site, log4j(version)));
            drop(held);
        });
        assert_eq!(phases(), [Some(Phase::Verifying); 2], "neither passed nor failed");
    }
    assert!(by_hand().unwrap());
    assert_eq!((by_server().unwrap(), phases()), (1, [Some(Phase::RelightEligible); 2]));
}

/// Goal: whoever ends a server waits for the few sites that are being asked, not for all that are
/// silent. Method: three turns of sites, and a stop during the first.
#[test]
fn a_stop_waits_for_the_sites_that_are_being_asked_and_for_no_others() {
    let count = 3 * TRIALS_AT_ONCE_MAX;
    let town = town(count);
    let behind = Behind::of(&town);
    behind.says(0);
    for site in 0..count {
        fixed(&town, site);
    }
    let verify = |tries: &mut Tries, goes_on: &dyn Fn() -> bool| {
        town.engine.verify_while(tries, goes_on).unwrap()
    };
    let mut tries = Tries::default();
    assert_eq!((verify(&mut tries, &|| false), behind.asked()), (0, 0));
    verify(&mut tries, &|| behind.asked() == 0);
    assert_eq!(behind.asked(), u32::try_from(TRIALS_AT_ONCE_MAX).unwrap());
    verify(&mut tries, &|| true);
    assert_eq!(behind.asked(), u32::try_from(count).unwrap(), "the others, and each once");
}

/// Bad input: what the server cannot look at is told, each cause by its own code and without the
/// places of this machine; it is no reason to say that the site is being asked.
#[test]
fn what_cannot_be_looked_at_is_told() {
    let town = town(1);
    let store = town.engine.store();
    let edge = edges::from_row(&store.edges().unwrap().remove(0)).unwrap();
    let verify = || town.engine.verify_ready(&mut Tries::default()).unwrap();
    fixed(&town, 0);
    let socket = Target { verify: Some(town.folder.path().join("behind.sock")), ..edge };
    store.put_edge(&edges::to_row(&socket).unwrap(), 0, "test").unwrap();
    assert_eq!((verify(), why(&town, 0).as_str()), (0, "no-answer"));
    let told = town.engine.tried(LOG4SHELL, &key(&name(0))).unwrap().detail;
    assert!(told.starts_with("GET /: ") && !told.contains("behind.sock"), "{told}");
    let _behind = Behind::of(&town);
    let list = town.folder.path().join(SIGNS);
    fs::create_dir(&list).unwrap();
    assert_eq!((verify(), why(&town, 0).as_str()), (0, "signs-unread"));
    fs::remove_dir(&list).unwrap();
    let row = store.edges().unwrap().remove(0);
    store.put_edge(&EdgeRow { target: "?".into(), ..row.clone() }, 0, "test").unwrap();
    assert_eq!((verify(), why(&town, 0).as_str()), (0, "no-edge"));
    store.put_edge(&row, 0, "test").unwrap();
    assert_eq!((verify(), why(&town, 0).as_str()), (1, ""));
}

/// Two minutes after the time at which a town begins, on every thread.
fn late() -> i64 {
    1_639_137_720_000
}

/// Broken: another server has the register, so that this one verifies nothing any more.
#[test]
fn a_journal_that_cannot_be_written_is_on_the_board_once() {
    let town = town(1);
    let _behind = Behind::of(&town);
    fixed(&town, 0);
    let holder = "second".to_owned();
    let options = EngineOptions { holder, clock: late, inventory_ttl_s: INVENTORY_TTL_S };
    let engine = Arc::new(Engine::open(Arc::clone(town.engine.store()), options).unwrap());
    let board = engine.board().unwrap();
    let third = open(town.engine.store(), "third").unwrap();
    let watch = FixWatch::start(&engine).unwrap();
    let told = || {
        let lines = board.log_since(0);
        lines.iter().filter(|line| line.code == "log-fixes-failed").count()
    };
    let begun = Instant::now();
    while told() == 0 && begun.elapsed() < Duration::from_secs(60) {
        thread::yield_now();
    }
    drop(watch);
    assert_eq!(told(), 1);
    assert_eq!(third.phase(LOG4SHELL, &key(&name(0))), Some(Phase::Verifying));
}
