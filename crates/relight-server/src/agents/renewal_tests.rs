//! Certificates that follow each other, by the clock of the register.

use std::sync::atomic::{AtomicI64, Ordering};

use super::*;

/// A clock of one test, in seconds since now.
macro_rules! clock {
    ($now:ident, $later:ident) => {
        static $later: AtomicI64 = AtomicI64::new(0);
        fn $now() -> i64 {
            clock::now_ms() + $later.load(Ordering::SeqCst) * 1_000
        }
    };
}

/// In this many seconds the first certificate is due.
const DUE_S: i64 = CERTIFICATE_S - RENEW_S + 60;

/// Asks for the next certificate without being told to.
pub(super) fn asked(agent: &AgentClient) -> String {
    let request = json!({ "key": "", "proof": "" });
    code(agent.line().ask::<Value>(wire::RENEW, &request))
}

/// A turn, and what follows from it.
fn turned(agent: &mut AgentClient) -> Result<bool, AgentFault> {
    agent.turn(&[])?;
    agent.renew_when_due()
}

fn renewals(world: &World) -> usize {
    world.acts().iter().filter(|act| *act == "agent-renewed").count()
}

/// Goal: a lost answer costs nothing, and the key before is worth nothing once the one after is
/// used, whoever has a copy of it. Method: an agent beside copies of its file of before.
#[test]
fn the_certificate_before_goes_when_the_one_after_is_used() {
    clock!(now, LATER);
    let world = World::with(now, AgentLimits::default());
    let mut agent = world.agent("web-1");
    assert!(!turned(&mut agent).unwrap(), "not yet");
    let path = world.path("web-1");
    let (elsewhere, thief) = (world.path("copy"), world.path("thief"));
    let copy = |to: &PathBuf| {
        super::super::identity::write_own(to, &fs::read(&path).unwrap()).unwrap();
        AgentClient::new(Identity::read(to).unwrap(), to).unwrap()
    };
    let (mut before, mut thief) = (copy(&elsewhere), copy(&thief));
    LATER.store(DUE_S, Ordering::SeqCst);
    assert!(turned(&mut before).unwrap());
    // That answer was lost, as far as the agent knows: it goes on with what it has.
    assert!(!turned(&mut agent).unwrap(), "not so soon again");
    LATER.store(DUE_S + RENEWALS_S, Ordering::SeqCst);
    assert!(turned(&mut agent).unwrap());
    assert_eq!(code(before.turn(&[])), "not-let-in", "what was lost is out");
    thief.turn(&[]).unwrap();
    assert_ne!(agent.identity().certificate, thief.identity().certificate);
    assert_ne!(agent.identity().key, thief.identity().key);
    assert_eq!(Identity::read(&path).unwrap().certificate, agent.identity().certificate);
    agent.turn(&[]).unwrap();
    LATER.store(DUE_S + 2 * RENEWALS_S, Ordering::SeqCst);
    assert_eq!(code(turned(&mut thief)), "not-let-in");
    assert_eq!(asked(&thief), "not-let-in");
    agent.turn(&[]).unwrap();
    assert_eq!((world.desk.all().unwrap().len(), renewals(&world)), (1, 2));
}

/// Goal: no agent fills the journal. Method: one asks a hundred times, too early and in time.
#[test]
fn a_certificate_is_renewed_when_it_is_due_and_once_an_hour() {
    clock!(now, LATER);
    let world = World::with(now, AgentLimits::default());
    let agent = world.agent("web-1");
    let fingerprint = digest_of(&agent.identity().certificate);
    let ask = || {
        let key = authority::AgentKey::new().unwrap();
        let proof = secret::encode(&key.proof("renew", &fingerprint.0));
        let request = RenewRequest { key: secret::encode(&key.public()), proof };
        world.desk.renew(Some(fingerprint), &request).map(drop).map_err(|it| it.code())
    };
    assert_eq!(ask(), Err("not-due"), "too early");
    assert_eq!(renewals(&world), 0);
    LATER.store(DUE_S, Ordering::SeqCst);
    let done = (0..100).filter(|_| ask().is_ok()).count();
    assert_eq!((done, renewals(&world)), (1, 1));
    LATER.store(DUE_S + RENEWALS_S, Ordering::SeqCst);
    assert_eq!(ask(), Ok(()), "that answer was lost");
    // Its last day is too short to wait for an hour.
    for (left, done) in [(3_600, true), (3_590, false), (3_500, true)] {
        LATER.store(CERTIFICATE_S - left, Ordering::SeqCst);
        assert_eq!(ask().is_ok(), done, "{left}");
    }
}

/// A full disk made the agent ask again at each turn, and each answer was journalled.
#[test]
fn what_could_not_be_kept_is_not_asked_for() {
    clock!(now, LATER);
    let world = World::with(now, AgentLimits::default());
    let agent = world.agent("web-1");
    let path = world.path("elsewhere");
    // A folder stands where the file has to be made first.
    fs::create_dir_all(path.with_file_name("agent.identity.new")).unwrap();
    let identity = Identity::read(&world.path("web-1")).unwrap();
    let mut blocked = AgentClient::new(identity, &path).unwrap();
    LATER.store(DUE_S, Ordering::SeqCst);
    for _ in 0..3 {
        assert_eq!(code(turned(&mut blocked)), "not-writable");
    }
    assert_eq!(renewals(&world), 0);
    drop(agent);
}

/// Goal: a clock of the server that was wrong for a while lets nobody in or out for good. Method:
/// agents enrol while it is ahead, and codes are shown when it was set back to before they were
/// made.
#[test]
fn a_clock_that_is_corrected_lets_agents_in_and_no_old_code() {
    clock!(now, LATER);
    let world = World::with(now, AgentLimits::default());
    LATER.store(2 * 86_400, Ordering::SeqCst);
    let agent = world.agent("web-1");
    agent.turn(&[]).unwrap();
    let text = world.code("web-2");
    LATER.store(0, Ordering::SeqCst);
    agent.turn(&[]).unwrap();
    assert_eq!(code(world.enrol(&text, "web-2")), "code-unknown");
    LATER.store(2 * 86_400 + 60, Ordering::SeqCst);
    world.enrol(&text, "web-2").unwrap();
}
