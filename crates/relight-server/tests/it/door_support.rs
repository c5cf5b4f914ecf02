//! A register with two bodies, its console, and people who are signed in to it.

use std::net::SocketAddr;
use std::sync::Arc;

use relight_engine::store::{AccountChange, GrantRow, PasskeyRow, SignInRow, SiteRow, Store};
use relight_engine::{Engine, EngineOptions, INVENTORY_TTL_S};
use relight_model::{Criticality, Digest, GateKey};
use relight_server::{Clock, WebConfig, WebHandle, WebServer};
use tempfile::TempDir;

use crate::door_device::{Device, encode};
use crate::web_console::{ask, ask_raw};

/// When every test begins, in seconds.
pub(crate) const START: i64 = 1_800_000_000;

/// A clock of one test: `clock!(now)` makes `now()` and `now_set(seconds)`.
macro_rules! clock {
    ($name:ident, $set:ident) => {
        static CLOCK_MS: std::sync::atomic::AtomicI64 =
            std::sync::atomic::AtomicI64::new(crate::door_support::START * 1_000);
        fn $name() -> i64 {
            CLOCK_MS.load(std::sync::atomic::Ordering::SeqCst)
        }
        let $set = |seconds: i64| {
            CLOCK_MS.store(seconds * 1_000, std::sync::atomic::Ordering::SeqCst);
        };
    };
}
pub(crate) use clock;

/// A register, its store, and its console.
pub(crate) struct World {
    pub(crate) store: Arc<Store>,
    pub(crate) engine: Arc<Engine>,
    pub(crate) web: WebHandle,
    pub(crate) _folder: TempDir,
}

/// Two sites of `Hospital` (health) and one of `Utility` (energy).
fn rows() -> Vec<SiteRow> {
    [("care", "Hospital"), ("beds", "Hospital"), ("power", "Utility")]
        .into_iter()
        .enumerate()
        .map(|(at, (slug, body))| SiteRow {
            line: at + 2,
            slug: GateKey::new(slug).unwrap(),
            name_fr: format!("Nom {slug}"),
            name_en: format!("Name {slug}"),
            origin: format!("https://{slug}.example"),
            organisation: body.into(),
            sector: if body == "Hospital" { "health" } else { "energy" }.into(),
            criticality: Criticality::Important,
            exposure: None,
            aliases: None,
            parts: None,
            channel_fr: None,
            channel_en: None,
            edge: String::new(),
            public: true,
        })
        .collect()
}

impl World {
    pub(crate) fn start(clock: Clock, people: impl FnOnce(&Store)) -> Self {
        Self::start_at(clock, None, people)
    }

    /// Behind a proxy that gives it an address.
    pub(crate) fn start_at(clock: Clock, url: Option<&str>, people: impl FnOnce(&Store)) -> Self {
        let url = url.map(str::to_owned);
        Self::start_with(clock, move |config| config.console_url = url, people)
    }

    /// With other settings.
    pub(crate) fn start_with(
        clock: Clock,
        change: impl FnOnce(&mut WebConfig),
        people: impl FnOnce(&Store),
    ) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), clock, change, people)
    }

    /// With its data in this folder.
    pub(crate) fn start_in(
        folder: TempDir,
        clock: Clock,
        change: impl FnOnce(&mut WebConfig),
        people: impl FnOnce(&Store),
    ) -> Self {
        let store = Arc::new(Store::open(folder.path()).unwrap());
        let plan = store.plan_import(&rows()).unwrap();
        store.apply_import(&plan, START, "test").unwrap();
        people(&store);
        let options =
            EngineOptions { holder: "test".into(), clock, inventory_ttl_s: INVENTORY_TTL_S };
        let engine = Arc::new(Engine::open(Arc::clone(&store), options).unwrap());
        let board = engine.board().unwrap();
        let known = Some(Arc::clone(&engine));
        let mut config = WebConfig { engine: known, clock, ..WebConfig::loopback(board) };
        change(&mut config);
        let web = WebServer::start(config).unwrap();
        Self { store, engine, web, _folder: folder }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.web.console_addr()
    }

    /// The origin that browsers send.
    pub(crate) fn origin(&self) -> String {
        format!("http://localhost:{}", self.address().port())
    }

    /// Reads a page with a cookie; that behind a link as its module does, which sends the code
    /// from behind `#` as a form.
    pub(crate) fn get(&self, path: &str, cookie: &str) -> (u16, String, String) {
        if let Some((page, code)) = path.split_once("#code=") {
            return self.post(page, cookie, &format!("code={code}"));
        }
        ask(self.address(), &format!("GET {path} HTTP/1.1\r\nCookie: {cookie}\r\n"))
    }

    /// Sends a form as a page of the console does.
    pub(crate) fn post(&self, path: &str, cookie: &str, form: &str) -> (u16, String, String) {
        let origin = self.origin();
        self.post_from(path, &format!("Cookie: {cookie}\r\nOrigin: {origin}\r\n"), form)
    }

    /// The same, and the head of the answer in its own letters: a cookie is no small letters.
    pub(crate) fn post_raw(&self, path: &str, cookie: &str, form: &str) -> (u16, String, String) {
        let origin = self.origin();
        let kind = "Content-Type: application/x-www-form-urlencoded\r\n";
        let length = form.len();
        let cookie = format!("Cookie: {cookie}\r\nOrigin: {origin}\r\n");
        let head = format!("POST {path} HTTP/1.1\r\n{cookie}{kind}Content-Length: {length}\r\n");
        ask_raw(self.address(), &head, form)
    }

    /// Makes an account as an admin, and gives the path of its link.
    pub(crate) fn new_account(&self, admin: &str, name: &str) -> String {
        let (status, _, page) = self.act(admin, ("/accounts", "/accounts/add"), &[("name", name)]);
        assert_eq!(status, 200, "{page}");
        let code = page.split("/start#code=").nth(1).unwrap().split('<').next().unwrap();
        format!("/start#code={code}")
    }

    /// Sends a form with these headers.
    pub(crate) fn post_from(&self, path: &str, headers: &str, form: &str) -> (u16, String, String) {
        let kind = "Content-Type: application/x-www-form-urlencoded\r\n";
        let length = form.len();
        let head = format!("POST {path} HTTP/1.1\r\n{headers}{kind}Content-Length: {length}\r\n");
        crate::web_console::ask_with_body(self.address(), &head, form)
    }

    /// What the journal says about sign-in and accounts: act, account and facts.
    pub(crate) fn journal(&self) -> Vec<String> {
        let records = self.store.journal(1).unwrap();
        let access = records.into_iter().filter(|record| record.kind == "access");
        access.map(|record| format!("{} {}", record.actor, record.body)).collect()
    }
}

/// The cookie of a sign-in and the digest under which it is known.
pub(crate) fn cookie_of(number: u8) -> (String, Digest) {
    let value = [number; 32];
    let digest = ring::digest::digest(&ring::digest::SHA256, &value);
    (format!("__Host-rl={}", encode(&value)), Digest(digest.as_ref().try_into().unwrap()))
}

/// Somebody who has signed in with a passkey at [`START`], and the cookie of that.
pub(crate) fn person(store: &Store, name: &str, number: u8, grants: &[(&str, &str)]) -> String {
    let changes = grants.iter().map(|(role, scope)| grant(role, scope)).collect();
    signed_in_at_start(store, name, number, changes)
}

/// Somebody with a role everywhere and a passkey, signed in at [`START`].
pub(crate) fn with_key(
    store: &Store,
    name: &str,
    number: u8,
    role: &str,
    device: &Device,
) -> String {
    with_key_of(store, (name, number), role, (device.credential(), device.cose()))
}

/// The same with any key.
pub(crate) fn with_key_of(
    store: &Store,
    (name, number): (&str, u8),
    role: &str,
    (credential, key): (Vec<u8>, Vec<u8>),
) -> String {
    let key = AccountChange::AddKey(PasskeyRow {
        id: 0,
        account: 0,
        credential,
        key,
        name: "key".into(),
        signatures: 0,
        created: START,
        used: START,
    });
    signed_in_at_start(store, name, number, vec![grant(role, "/"), key])
}

fn grant(role: &str, scope: &str) -> AccountChange {
    let (role, scope, by) = (role.into(), scope.into(), "test".into());
    AccountChange::Grant(GrantRow { account: 0, role, scope, at: START, by })
}

/// Adds an account with these changes and a sign-in; gives its cookie.
fn signed_in_at_start(
    store: &Store,
    name: &str,
    number: u8,
    mut changes: Vec<AccountChange>,
) -> String {
    let (cookie, digest) = cookie_of(number);
    changes.push(AccountChange::SignIn(SignInRow {
        digest,
        account: 0,
        factor: "passkey".into(),
        started: START,
        seen: START,
        shown: START,
        address: "127.0.0.1".into(),
        agent: "Test".into(),
    }));
    store.add_account(name, START, &changes).unwrap();
    cookie
}

/// What a page shows first as code: the hash of a plan, or a secret.
pub(crate) fn code_in(page: &str) -> String {
    page.split("<code>").nth(1).unwrap().split('<').next().unwrap().to_owned()
}

/// The token of the first form of a page.
pub(crate) fn token(page: &str) -> String {
    let part = page.split("name=\"token\" value=\"").nth(1).unwrap();
    part.split('"').next().unwrap().to_owned()
}
