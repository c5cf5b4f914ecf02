//! Agents over real sockets: who gets in, and who does not.

#[path = "crowds_tests.rs"]
mod crowds;
#[path = "journal_tests.rs"]
mod journal;
#[path = "renewal_tests.rs"]
mod renewal;

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use relight_engine::store::{AGENT_CODES_MAX, SiteRow};
use relight_engine::{EngineOptions, INVENTORY_TTL_S};
use relight_model::{Criticality, GateKey};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::client::{AgentClient, AgentFault, enrol};
use super::identity::{IDENTITY_FILE, Identity};
use super::serve::{AgentLimits, AgentListener};
use super::wire::EnrolRequest;
use super::*;
use crate::access::limit::TRIALS_MAX;

/// A clock that a test sets, in seconds since now: certificates are checked by the real one.
static LATER_S: AtomicI64 = AtomicI64::new(0);

fn later() -> i64 {
    clock::now_ms() + LATER_S.load(Ordering::SeqCst) * 1_000
}

/// Years ago: what is issued then has ended now.
fn long_ago() -> i64 {
    clock::now_ms() - 400 * 86_400_000
}

/// The engine of a server with a site for each of these organisations and edges.
pub(super) fn engine_of(folder: &Path, sites: &[(&str, &str)], clock: Clock) -> Arc<Engine> {
    let store = Arc::new(Store::open(folder).unwrap());
    let row = |(at, (body, edge)): (usize, &(&str, &str))| SiteRow {
        line: at + 2,
        slug: GateKey::new(&format!("site-{at}")).unwrap(),
        name_fr: String::new(),
        name_en: String::new(),
        origin: format!("https://site-{at}.example"),
        organisation: (*body).into(),
        sector: "health".into(),
        criticality: Criticality::Important,
        exposure: None,
        aliases: None,
        parts: None,
        channel_fr: None,
        channel_en: None,
        edge: (*edge).into(),
        public: true,
    };
    let rows: Vec<SiteRow> = sites.iter().enumerate().map(row).collect();
    store.apply_import(&store.plan_import(&rows).unwrap(), 1, "test").unwrap();
    let holder = "test".into();
    let options = EngineOptions { holder, clock, inventory_ttl_s: INVENTORY_TTL_S };
    Arc::new(Engine::open(store, options).unwrap())
}

struct World {
    desk: Arc<AgentDesk>,
    listener: AgentListener,
    folder: TempDir,
}

impl World {
    fn new() -> Self {
        Self::with(clock::now_ms, AgentLimits::default())
    }

    fn with(clock: Clock, limits: AgentLimits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let engine = engine_of(folder.path(), &[("Hospital", ""), ("Clinic", "")], clock);
        let key = folder.path().join(AGENT_KEY_FILE);
        let desk = Arc::new(AgentDesk::with_clock(engine, &key, clock).unwrap());
        let free = ([127, 0, 0, 1], 0).into();
        let listener = AgentListener::start(Arc::clone(&desk), free, limits).unwrap();
        Self { desk, listener, folder }
    }

    fn code(&self, host: &str) -> String {
        let hospital = self.desk.organisation("Hospital").unwrap();
        self.desk.make_code("anna", &hospital, host).unwrap().text
    }

    fn url(&self) -> String {
        format!("https://{}", self.listener.address())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name).join(IDENTITY_FILE)
    }

    fn enrol(&self, code: &str, host: &str) -> Result<AgentClient, AgentFault> {
        let path = self.path(host);
        let identity = enrol(&self.url(), code, host, &path)?;
        AgentClient::new(identity, &path)
    }

    /// Somebody who enrolled.
    fn agent(&self, host: &str) -> AgentClient {
        self.enrol(&self.code(host), host).unwrap()
    }

    fn journal(&self) -> Vec<Value> {
        let records = self.desk.engine.store().journal(1).unwrap();
        let body = |text: &str| serde_json::from_str(text).unwrap();
        records.iter().filter(|it| it.kind == "access").map(|it| body(&it.body)).collect()
    }

    fn acts(&self) -> Vec<String> {
        self.journal().iter().map(|it| it["act"].as_str().unwrap().to_owned()).collect()
    }
}

fn code<T>(result: Result<T, AgentFault>) -> String {
    result.err().map_or_else(|| "done".to_owned(), |fault| fault.code)
}

#[test]
fn an_agent_enrols_once_with_a_code_and_is_known_from_then_on() {
    let world = World::new();
    let text = world.code("web-*");
    let agent = world.enrol(&text, "web-1").unwrap();
    let identity = agent.identity();
    assert_eq!((identity.host(), identity.organisation()), ("web-1", "Hospital"));
    let left = identity.expires() - clock::now();
    assert!((CERTIFICATE_S - 60..=CERTIFICATE_S).contains(&left), "{left}");
    let seen = || world.desk.all().unwrap()[0].seen;
    assert_eq!(seen(), 0);
    agent.turn(&[]).unwrap();
    assert!(seen() > 0);
    assert_eq!(code(world.enrol(&text, "web-2")), "code-unknown", "it was used");
    assert_eq!(world.acts(), ["agent-code-made", "agent-enrolled", "agent-refused"]);
    // Neither the code nor a key stands anywhere at the server.
    let kept = fs::read(world.desk.engine.store().path()).unwrap();
    let secret = Code::parse(&text).unwrap().secret;
    for part in [text.as_bytes(), &text.as_bytes()[..19], &secret] {
        assert!(!kept.windows(part.len()).any(|window| window == part));
    }
    assert!(!format!("{:?}", world.journal()).contains(&text[..9]));
}

#[test]
fn a_code_is_for_its_machines_and_a_machine_has_one_agent() {
    let world = World::new();
    assert_eq!(code(world.enrol(&world.code("web-*"), "db-1")), "host-not-allowed");
    let first = world.agent("web-1");
    // It was never heard of: its answer may have been lost, and the machine enrols again.
    let second = world.agent("web-1");
    assert_eq!(code(first.turn(&[])), "not-let-in");
    second.turn(&[]).unwrap();
    let text = world.code("web-1");
    assert_eq!(code(world.enrol(&text, "web-1")), "host-taken");
    second.turn(&[]).unwrap();
    world.desk.revoke("anna", second.identity().agent()).unwrap();
    world.enrol(&text, "web-1").unwrap().turn(&[]).unwrap();
}

#[test]
fn who_is_revoked_is_out_at_the_next_request() {
    let world = World::new();
    let (agent, other) = (world.agent("web-1"), world.agent("web-2"));
    agent.turn(&[]).unwrap();
    let id = agent.identity().agent();
    world.desk.revoke("anna", id).unwrap();
    assert_eq!(code(agent.turn(&[])), "not-let-in");
    assert_eq!(renewal::asked(&agent), "not-let-in");
    other.turn(&[]).unwrap();
    let again = world.desk.revoke("anna", id).unwrap_err();
    assert_eq!(again.code(), "not-there");
    assert!(world.desk.all().unwrap()[0].revoked.is_some());
    assert!(world.acts().contains(&"agent-revoked".to_owned()));
}

/// After a restore of the register alone every agent said that the server is another one.
#[test]
fn no_other_key_is_made_beside_agents_that_are_let_in() {
    let world = World::new();
    let agent = world.agent("web-1");
    let (engine, key) = (Arc::clone(&world.desk.engine), world.folder.path().join("elsewhere"));
    let refused = AgentDesk::open(Arc::clone(&engine), &key).unwrap_err();
    assert!(format!("{refused:?}").contains("1 agents are let in"), "{refused:?}");
    assert!(!key.exists());
    world.desk.revoke("anna", agent.identity().agent()).unwrap();
    AgentDesk::open(engine, &key).unwrap();
    assert!(key.exists());
}

#[test]
fn a_certificate_that_has_ended_lets_nobody_in() {
    let world = World::with(long_ago, AgentLimits::default());
    let agent = world.agent("web-1");
    assert!(agent.identity().expires() < clock::now());
    assert_eq!(code(agent.turn(&[])), "not-let-in");
    assert_eq!(renewal::asked(&agent), "not-let-in");
}

/// Goal: the register decides when a certificate ends, not the machine's clock alone.
#[test]
fn what_has_ended_by_the_clock_of_the_register_lets_nobody_in() {
    let world = World::with(later, AgentLimits::default());
    let agent = world.agent("web-1");
    agent.turn(&[]).unwrap();
    LATER_S.store(CERTIFICATE_S, Ordering::SeqCst);
    let turned = agent.turn(&[]);
    LATER_S.store(0, Ordering::SeqCst);
    assert_eq!(code(turned), "not-let-in");
}

/// Goal: a server that others put in its place learns nothing, and one agent cannot be another.
/// Method: codes and identities of one server are taken to another one, whole and in parts.
#[test]
fn servers_and_agents_know_their_own_only() {
    let (ours, theirs) = (World::new(), World::new());
    let text = ours.code("web-1");
    let elsewhere = theirs.path("web-1");
    assert_eq!(code(enrol(&theirs.url(), &text, "web-1", &elsewhere)), "other-server");
    assert!(!elsewhere.exists());
    let (mine, other) = (ours.agent("web-1"), theirs.agent("web-1"));
    mine.turn(&[]).unwrap();
    let read = |world: &World| -> Value {
        serde_json::from_slice(&fs::read(world.path("web-1")).unwrap()).unwrap()
    };
    let tried = |change: &dyn Fn(&mut Value)| {
        let mut document = read(&ours);
        change(&mut document);
        let path = ours.path("mixed");
        super::identity::write_own(&path, document.to_string().as_bytes()).unwrap();
        AgentClient::new(Identity::read(&path).unwrap(), &path).map(|client| code(client.turn(&[])))
    };
    assert_eq!(tried(&|_| ()).unwrap(), "done");
    let theirs_at = theirs.listener.address().to_string();
    assert_eq!(tried(&|it| it["server"] = theirs_at.clone().into()).unwrap(), "other-server");
    let foreign = read(&theirs);
    let take = |names: &'static [&str]| {
        let foreign = foreign.clone();
        move |it: &mut Value| names.iter().for_each(|name| it[*name] = foreign[*name].clone())
    };
    assert_eq!(tried(&take(&["certificate", "key"])).unwrap(), "not-let-in", "of another one");
    assert!(tried(&take(&["key"])).is_err(), "a certificate without its key");
    other.turn(&[]).unwrap();
    // A certificate for servers, by the right authority, is none for agents.
    let (certificate, key) = ours.desk.authority.for_server().unwrap();
    let as_agent = |it: &mut Value| {
        it["certificate"] = secret::encode(&certificate).into();
        it["key"] = secret::encode(&key).into();
    };
    assert_eq!(tried(&as_agent).unwrap(), "not-let-in");
    // One that the authority signed, and that the register does not know.
    let key = authority::AgentKey::new().unwrap();
    let holder = Holder { host: "web-1", organisation: "Hospital" };
    let until = clock::now() + 60;
    let stray = ours.desk.authority.for_agent(&key.public(), holder, until).unwrap();
    let as_stray = |it: &mut Value| {
        it["certificate"] = secret::encode(&stray).into();
        it["key"] = secret::encode(&key.pkcs8).into();
    };
    assert_eq!(tried(&as_stray).unwrap(), "not-let-in");
}

#[test]
fn codes_are_tried_five_times_a_minute_and_a_flood_fills_no_journal() {
    let world = World::new();
    let good = world.code("web-1");
    let wrong = Code::new(world.desk.authority.pin()).unwrap().text();
    for _ in 0..TRIALS_MAX {
        assert_eq!(code(world.enrol(&wrong, "web-1")), "code-unknown");
    }
    for _ in 0..20 {
        assert_eq!(code(world.enrol(&wrong, "web-1")), "too-many-trials");
    }
    assert_eq!(code(world.enrol(&good, "web-1")), "done", "it shares an address with a stranger");
    let refused = world.acts().iter().filter(|act| *act == "agent-refused").count();
    assert_eq!(refused, TRIALS_MAX as usize + 1);
}

#[test]
fn a_key_without_its_private_half_gets_no_certificate() {
    let world = World::new();
    let text = world.code("web-1");
    let [key, other] = [(); 2].map(|()| authority::AgentKey::new().unwrap());
    let secret_part = Code::parse(&text).unwrap().secret;
    let request = |key: String, proof: Vec<u8>| EnrolRequest {
        code: text.clone(),
        host: "web-1".into(),
        key,
        proof: secret::encode(&proof),
    };
    let public = secret::encode(&key.public());
    for (key, proof) in [
        (public.clone(), other.proof("enrol", &secret_part)),
        (public.clone(), key.proof("enrol", b"another code")),
        (public[1..].to_owned(), key.proof("enrol", &secret_part)),
        (String::new(), Vec::new()),
    ] {
        let refused = world.desk.enrol(&request(key, proof), "192.0.2.1").unwrap_err();
        assert_eq!(refused.code(), "bad-proof");
    }
    world.desk.enrol(&request(public, key.proof("enrol", &secret_part)), "192.0.2.1").unwrap();
}

#[test]
fn codes_that_wait_have_an_end() {
    let world = World::new();
    let hospital = world.desk.organisation("Hospital").unwrap();
    for number in 0..AGENT_CODES_MAX {
        let digest = digest_of(&number.to_be_bytes());
        let (org, host, expires) = (hospital.id, "*".to_owned(), clock::now() + 60);
        let row = AgentCodeRow { digest, org, host, expires, made_by: "anna".into() };
        world.desk.engine.store().put_agent_code(&row, 0).unwrap();
    }
    let more = world.desk.make_code("anna", &hospital, "web-1").unwrap_err();
    assert_eq!(more.code(), "too-many-codes");
    assert_eq!(world.acts(), Vec::<String>::new(), "what was not made is not journalled");
    for bad in ["", "Web 1", "a/b", "-"] {
        let refused = world.desk.make_code("anna", &hospital, bad).unwrap_err();
        assert_eq!(refused.code(), "bad-host", "{bad}");
    }
    assert_eq!(world.desk.organisation("Nobody").unwrap_err().code(), "no-organisation");
}

#[test]
fn what_is_too_long_or_no_message_is_refused() {
    let world = World::new();
    let agent = world.agent("web-1");
    let long = "x".repeat(wire::REQUEST_BYTES_MAX);
    for (body, wanted) in [
        (json!({ "version": long, "sites": [] }), "malformed"),
        (json!({ "version": "1", "sites": [], "run": "/bin/sh" }), "malformed"),
        (json!([]), "malformed"),
        (json!({ "version": "1", "sites": [] }), "done"),
        (json!({ "version": "1", "sites": vec!["a"; wishes::AGENT_SITES_MAX] }), "done"),
        (json!({ "version": "1", "sites": vec!["a"; 257] }), "too-many-sites"),
    ] {
        let answered: Result<Value, AgentFault> = agent.line().ask(wire::TURN, &body);
        assert_eq!(code(answered), wanted);
    }
    let nowhere: Result<Value, AgentFault> = agent.line().ask("/agent/v1/files", &json!({}));
    assert_eq!(code(nowhere), "answer");
}

/// Reads until the other side closes; the time says that it did.
fn closed(address: SocketAddr, sent: &[u8]) -> bool {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream.write_all(sent).unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).is_ok()
}

#[test]
fn who_says_nothing_or_no_tls_holds_nobody_up() {
    let handshake = Duration::from_millis(200);
    let limits = AgentLimits { connections: 2, handshake, ..AgentLimits::default() };
    let world = World::with(clock::now_ms, limits);
    let agent = world.agent("web-1");
    let address = world.listener.address();
    let silent: Vec<TcpStream> = (0..8).map(|_| TcpStream::connect(address).unwrap()).collect();
    agent.turn(&[]).unwrap();
    drop(silent);
    assert!(closed(address, b""));
    assert!(closed(address, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
    agent.turn(&[]).unwrap();
}

/// A question about a site, as if an incident waited for it.
fn asked(world: &World, agent: &AgentClient, site: &str, at: i64) -> wire::Wish {
    let ticket = format!("{site}-{at}");
    let key = (agent.identity().agent(), GateKey::new(site).unwrap());
    world.desk.wishes.put(key, &ticket, at);
    wire::Wish { site: site.into(), ticket }
}

/// An inventory of a scan: nothing was left unread.
fn inventory() -> String {
    let sbom = relight_model::Sbom {
        components: Vec::new(),
        flaws: Vec::new(),
        artifact: Some(Digest([7; 32])),
        images: Vec::new(),
        tool: "relight test".into(),
    };
    relight_formats::write_sbom("cyclonedx", &sbom, "site", None).unwrap()
}

/// Goal: an answer counts once, for the question that it was given to, and within its time; what
/// it says was so when the question was asked. Method: each way of being another answer.
#[test]
fn an_inventory_answers_the_last_question_of_its_own_agent_once() {
    let world = World::new();
    let (agent, other) = (world.agent("web-1"), world.agent("web-2"));
    let sites = ["site-0".to_owned(), "site-1".to_owned(), "nowhere".to_owned()];
    let turned = agent.turn(&sites).unwrap();
    assert_eq!(turned.foreign, ["site-1", "nowhere"], "of another organisation, and of nobody");
    assert_eq!(turned.wish, None, "nobody waits");
    assert_eq!(other.turn(&sites).unwrap().foreign, sites, "another agent has it");
    let now = clock::now();
    let stored = || {
        let store = world.desk.engine.store();
        store.asset_by_key("site-0").unwrap().map_or_else(Vec::new, |asset| {
            store.snapshots_of(asset).unwrap().iter().map(|row| row.observed_at).collect()
        })
    };
    let none: Vec<i64> = Vec::new();
    let wish = asked(&world, &agent, "site-0", now - 5);
    assert_eq!(code(other.send(&wish, inventory())), "not-asked", "another agent");
    let forged = wire::Wish { ticket: "x".into(), ..wish.clone() };
    assert_eq!(code(agent.send(&forged, inventory())), "not-asked");
    let elsewhere = wire::Wish { site: "site-1".into(), ..wish.clone() };
    assert_eq!(code(agent.send(&elsewhere, inventory())), "not-asked");
    assert_eq!(stored(), none);
    agent.send(&wish, inventory()).unwrap();
    assert_eq!(stored(), [now - 5]);
    assert_eq!(code(agent.send(&wish, inventory())), "not-asked", "once");
    let old = asked(&world, &agent, "site-0", now - 4);
    let new = asked(&world, &agent, "site-0", now - 3);
    assert_eq!(code(agent.send(&old, inventory())), "not-asked", "an old one");
    for bad in ["", "{}", &inventory()[1..]] {
        let wish = asked(&world, &agent, "site-0", now - 3);
        assert_eq!(code(agent.send(&wish, bad.to_owned())), "not-an-inventory");
    }
    // What does not say that nothing was left unread proves nothing.
    let wish = asked(&world, &agent, "site-0", now - 3);
    agent.send(&wish, inventory().replace("relight:complete", "other")).unwrap();
    let store = world.desk.engine.store();
    let newest = store.snapshots_of(store.asset_by_key("site-0").unwrap().unwrap()).unwrap();
    assert!(!store.snapshot(newest.last().unwrap().digest).unwrap().is_complete());
    assert_eq!(code(agent.send(&new, inventory())), "not-asked", "another one was asked since");
    let foreign = asked(&world, &agent, "site-1", now - 3);
    assert_eq!(code(agent.send(&foreign, inventory())), "not-asked", "of another organisation now");
    let late = asked(&world, &agent, "site-0", now - wishes::INVENTORY_WAIT_S - 1);
    assert_eq!(code(agent.send(&late, inventory())), "not-asked", "too late");
    let wish = asked(&world, &agent, "site-0", now - 2);
    agent.turn(&[]).unwrap();
    assert_eq!(code(agent.send(&wish, inventory())), "not-asked", "its file names it no more");
    let wish = asked(&world, &agent, "site-0", now - 2);
    world.desk.revoke("anna", agent.identity().agent()).unwrap();
    assert_eq!(code(agent.send(&wish, inventory())), "not-let-in");
}
