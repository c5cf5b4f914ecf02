//! How somebody becomes somebody: roles that are granted, people who are invited, and those who
//! come back without their key.

use relight_engine::store::{AccountChange, AuthenticatorRow};

use super::*;
use crate::door_device::Shown;
use crate::web_authenticator::code_at;
use crate::web_recovery::codes;

/// Who is invited, without a role.
const GUESTS: [&str; 2] = ["guest", "ghost"];

/// What the app of who lost his key makes its codes from.
const SPARE_APP: [u8; 20] = [7; 20];

/// Tries of a run to come back: with those who are invited at most five in a minute, from one
/// address.
const TRIES_MAX: usize = 3;

/// The codes of the admin and of who lost his key.
pub(super) fn codes_of(world: &World, cookies: &[String]) -> Vec<(&'static str, String)> {
    let own = |name: &'static str| {
        let at = PEOPLE.iter().position(|it| it.0 == name).unwrap();
        codes(world, &cookies[at]).into_iter().map(move |code| (name, code))
    };
    own("admin").chain(own(SPARE)).collect()
}

/// An app from before somebody decided: nobody signed that it counts for who does.
pub(super) fn app_of_spare(store: &Store) {
    let tables = store.account_tables().unwrap();
    let account = tables.accounts.iter().find(|row| row.name == SPARE).unwrap().id;
    let (secret, created) = (SPARE_APP, START);
    let row = AuthenticatorRow { account, secret, created, step: 0, wrong: 0 };
    store.change_accounts(&[AccountChange::PutAuthenticator(row)]).unwrap();
}

impl Run {
    /// Grants the newcomer a role that decides, or says yes to what somebody granted.
    pub(super) fn grant(&mut self, sender: &Sender) {
        let admin = self.senders.iter().find(|it| it.name == "admin" && it.is_person).unwrap();
        let sender = if self.rng.chance(40) { admin } else { sender }.clone();
        let token = hidden(&self.page(&sender, "/accounts"), "token");
        let role = *self.rng.pick(&["commander", "approver"]);
        let waiting = self.world.store.account_tables().unwrap().proposals;
        let sent = match waiting.last().filter(|_| self.rng.chance(60)) {
            Some(row) => {
                let id = row.id.to_string();
                let fields = [("token", token.as_str()), ("id", &id), ("answer", "confirm")];
                self.world.post_from("/accounts/settle", &sender.head, &form(&fields)).0
            }
            None => {
                let name = *self.rng.pick(&[NEWCOMER, NEWCOMER, sender.name, "viewer"]);
                let fields =
                    [("token", token.as_str()), ("name", name), ("role", role), ("scope", "/")];
                let name_is_new = name == NEWCOMER;
                let status =
                    self.world.post_from("/accounts/grant", &sender.head, &form(&fields)).0;
                // Nobody else may get one in this run: they would act as what they are not here.
                if !name_is_new && status == 200 {
                    self.refuse_all();
                }
                status
            }
        };
        if sent == 200 {
            self.granting.insert(sender.name);
        }
    }

    /// What was proposed for others than the newcomer is taken back.
    fn refuse_all(&self) {
        let chief = &self.senders[0];
        let newcomer = self.account(NEWCOMER);
        for row in self.world.store.account_tables().unwrap().proposals {
            if row.account != newcomer {
                let token = hidden(&self.page(chief, "/accounts"), "token");
                let id = row.id.to_string();
                let fields = [("token", token.as_str()), ("id", &id), ("answer", "refuse")];
                self.world.post_from("/accounts/settle", &chief.head, &form(&fields));
            }
        }
    }

    fn account(&self, name: &str) -> u32 {
        let tables = self.world.store.account_tables().unwrap();
        tables.accounts.iter().find(|row| row.name == name).unwrap().id
    }

    /// Who decides was made so by two people, neither of whom it is; everybody else by nobody. How
    /// many were.
    pub(super) fn judge_grants(&self) -> usize {
        let tables = self.world.store.account_tables().unwrap();
        let decides = tables.grants.iter().filter(|row| row.by != "test");
        let decides = decides.filter(|row| ["commander", "approver"].contains(&row.role.as_str()));
        let decides: Vec<_> = decides.cloned().collect();
        let newcomer = self.account(NEWCOMER);
        for row in &decides {
            assert_eq!(row.account, newcomer, "{row:?}");
            let by: BTreeSet<&str> = row.by.split_whitespace().collect();
            assert!(by.len() == 2 && !by.contains(NEWCOMER), "one person made a decider: {row:?}");
            assert!(by.iter().all(|name| self.granting.contains(name)), "{row:?}");
            let decides = |name: &&str| {
                let roles = ["admin", "commander", "approver"];
                PEOPLE.iter().any(|it| it.0 == *name && roles.contains(&it.1) && it.2 == "/")
            };
            assert!(by.iter().all(decides), "by somebody without a role: {row:?}");
            assert!(!self.is_stale, "nobody was there: {row:?}");
        }
        decides.len()
    }

    fn admin(&self) -> Sender {
        self.senders.iter().find(|it| it.name == "admin" && it.is_person).unwrap().clone()
    }

    /// The path of the link in the answer to a form about an account, where one is made.
    fn link(&self, sender: &Sender, act: &str, name: &str) -> Option<String> {
        let token = hidden(&self.page(sender, "/accounts"), "token");
        let fields = form(&[("token", token.as_str()), ("name", name)]);
        let (status, _, page) =
            self.world.post_from(&format!("/accounts/{act}"), &sender.head, &fields);
        let code = page.split("/start#code=").nth(1)?.split('<').next()?.to_owned();
        assert_eq!(status, 200, "{page}");
        let is_admin = sender.name == "admin" && sender.is_person && !self.is_stale;
        assert!(is_admin, "{} makes a link for {name}", sender.name);
        Some(format!("/start#code={code}"))
    }

    fn sender(&self, name: &'static str, cookie: &str) -> Sender {
        let head = format!("Cookie: {cookie}\r\nOrigin: {}\r\n", self.world.origin());
        Sender { name, head, is_person: true }
    }

    /// An admin invites somebody, perhaps himself under another name: who comes by that has no
    /// role, and cannot be made the second person by whoever invited him.
    pub(super) fn invite(&mut self, sender: &Sender) {
        let sender = if self.rng.chance(60) { self.admin() } else { sender.clone() };
        let Some(name) = GUESTS.get(self.let_in.0).copied() else { return };
        let Some(link) = self.link(&sender, "add", name) else { return };
        self.let_in.0 += 1;
        let number = 60 + self.let_in.0 as u8;
        let cookie = self.world.enter(&link, name, &Device::new(number));
        let guest = self.sender(name, &cookie);
        self.senders.push(guest.clone());
        let token = hidden(&self.page(&sender, "/accounts"), "token");
        let role = *self.rng.pick(&["commander", "approver"]);
        let fields = [("token", token.as_str()), ("name", name), ("role", role), ("scope", "/")];
        let asked = self.world.post_from("/accounts/grant", &sender.head, &form(&fields)).0;
        assert_eq!(asked, 200, "an admin asks for a role");
        self.granting.insert(sender.name);
        let account = self.account(name);
        let waiting = self.world.store.account_tables().unwrap().proposals;
        let asked = waiting.iter().find(|row| row.account == account).unwrap();
        for who in [&guest, &sender] {
            let (page, id) = (self.page(who, "/accounts"), asked.id.to_string());
            let token = hidden(&page, "token");
            let fields = [("token", token.as_str()), ("id", &id), ("answer", "confirm")];
            self.world.post_from("/accounts/settle", &who.head, &form(&fields));
            self.judge_grants();
        }
        self.refuse_all();
        *self.ways.entry("invited").or_default() += 1;
    }

    fn app_code(&self) -> String {
        code_at(SPARE_APP, self.world.engine.now())
    }

    /// Somebody comes back in the place of who lost his key, with the link of an admin and a code,
    /// or without one: only the own code makes the one the other.
    pub(super) fn recover(&mut self, sender: &Sender) {
        let sender = if self.rng.chance(80) { self.admin() } else { sender.clone() };
        if self.let_in.1 >= TRIES_MAX {
            return;
        }
        let Some(link) = self.link(&sender, "renew", SPARE) else { return };
        self.let_in.1 += 1;
        // The link ended every sign-in of before.
        for old in self.senders.iter().filter(|it| it.name == SPARE) {
            let head = format!("GET /me HTTP/1.1\r\n{}", old.head);
            let status = ask_with_body(self.world.address(), &head, "").0;
            assert!([303, 401].contains(&status), "an old sign-in is alive: {status}");
        }
        self.senders.retain(|it| it.name != SPARE);
        let (whose, code) = match self.rng.below(4) {
            // What was used once is nobody's any more, and an app does not count here.
            0 => ("nobody", self.used.last().cloned().unwrap_or_else(|| self.app_code())),
            1 => self.codes.iter().find(|it| it.0 == "admin").unwrap().clone(),
            _ => self.codes.iter().find(|it| it.0 == SPARE).unwrap().clone(),
        };
        let device = Device::new(70 + self.let_in.1 as u8);
        let page = self.world.get(&link, "").2;
        let Shown { ticket, answer } = device.create(&page, "/start", &self.world.origin());
        let fields = [
            ("code", link.split("code=").nth(1).unwrap()),
            ("label", "new key"),
            ("recovery", &code),
            ("ticket", &ticket),
            ("answer", &answer),
        ];
        let (status, head, _) = self.world.post_raw("/start", "", &form(&fields));
        let is_in = head.to_lowercase().contains("set-cookie: __host-rl=");
        assert_eq!(is_in, whose == SPARE, "with a code of {whose}: {status}");
        if is_in {
            self.codes.retain(|it| it.1 != code);
            self.used.push(code);
            let back = self.sender(SPARE, &crate::door_device::cookie_set(&head, status));
            self.senders.push(back);
            *self.ways.entry("recovered").or_default() += 1;
        }
    }
}
