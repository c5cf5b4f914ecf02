//! Breaking glass in the console: one person of the command, dark only, with a key that cannot be
//! copied, and looked at by somebody else afterwards.

use relight_engine::incident::Entry;
use relight_engine::store::RESERVE_FILE;
use relight_server::proof::{self, Signing};
use tempfile::TempDir;
use testkit::SmallDisk;

use crate::door_device::{Device, Shown, cookie_set, form};
use crate::door_support::{START, World, clock, code_in, person, token, with_key};
use crate::web_acts::{acts, behind_an_edge, open_incident, propose_signed};

struct Place {
    world: World,
    chief: String,
    key: Device,
    approver: String,
    approvers: Device,
    auditor: String,
}

impl Place {
    fn start(clock: fn() -> i64) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), clock)
    }

    fn start_in(folder: TempDir, clock: fn() -> i64) -> Self {
        let (mut key, approvers) = (Device::new(1), Device::new(2));
        let (mut chief, mut approver, mut auditor) = Default::default();
        let world = World::start_in(
            folder,
            clock,
            |_| (),
            |store| {
                behind_an_edge(store);
                chief = with_key(store, "chief", 1, "commander", &key);
                approver = with_key(store, "zoe", 2, "approver", &approvers);
                auditor = person(store, "max", 3, &[("auditor", "/")]);
            },
        );
        open_incident(&world, &chief);
        assert_eq!(propose_signed(&world, &chief, &mut key, "care").0, 303);
        Self { world, chief, key, approver, approvers, auditor }
    }

    fn page(&self, cookie: &str) -> String {
        self.world.get("/approve/A-0001?lang=en", cookie).2
    }

    fn smash(&self, cookie: &str, shown: Option<&Shown>, reason: &str) -> (u16, String) {
        let page = self.page(cookie);
        let hash = code_in(&page);
        let own = token(&page);
        let mut fields = vec![
            ("token", own.as_str()),
            ("hash", &hash),
            ("decision", "glass"),
            ("reason", reason),
        ];
        if let Some(shown) = shown {
            fields.extend([("ticket", shown.ticket.as_str()), ("answer", &shown.answer)]);
        }
        let (status, _, body) = self.world.post("/approve/A-0001?lang=en", cookie, &form(&fields));
        (status, body)
    }
}

/// What a page asks a key for in the form that breaks the glass.
fn glass(page: &str) -> String {
    let part = page.split("<details class=\"glass\">").nth(1).unwrap();
    part.split("</details>").next().unwrap().to_owned()
}

/// Goal: one commander darkens at once, loudly, and somebody else looks at it. Method: the whole
/// way; what the key signed is checked from the journal.
#[test]
fn one_commander_with_a_key_that_cannot_be_copied_darkens_and_is_reviewed() {
    clock!(now, now_set);
    now_set(START);
    let mut place = Place::start(now);
    let (page, origin) = (place.page(&place.chief), place.world.origin());
    let shown = place.key.get(&glass(&page), "/approve/A-0001", &origin);
    let (status, body) = place.smash(&place.chief, Some(&shown), "nobody answers");
    assert_eq!(status, 303, "{body}");
    let wanted = ["opened chief", "plan-proposed chief", "break-glass chief", "dark-ordered chief"];
    assert_eq!(acts(&place.world)[..4], wanted);
    let record = place.world.store.journal(1).unwrap();
    let record = record.iter().find(|record| record.kind == "break-glass").unwrap();
    let Entry::BreakGlass { plan, reason, proof: Some(signed), .. } =
        Entry::from_body(&record.body).unwrap()
    else {
        panic!("{}", record.body)
    };
    assert_eq!(reason, "nobody answers");
    assert_eq!(proof::check(&signed, Signing::BrokenGlass, &plan), Ok(()));
    assert!(proof::check(&signed, Signing::Approval, &plan).is_err(), "it agrees to nothing");
    // Everybody who reads everything sees it, and what waits for a review.
    let page = place.world.get("/plans?lang=en", &place.auditor).2;
    assert!(page.contains("nobody answers") && page.contains("Waits for a review"), "{page}");
    let page = place.world.get("/?lang=en", &place.auditor).2;
    assert!(page.contains("nobody answers"), "the log of the incident tells it: {page}");
    for path in ["/sites", "/affected", "/me"] {
        let page = place.world.get(&format!("{path}?lang=en"), &place.auditor).2;
        assert!(page.contains("class=\"glass-told\" aria-label=\"Broken glass\"><p"), "{page}");
    }
    let review = |cookie: &str| {
        let own = token(&place.world.get("/plans", cookie).2);
        let fields =
            form(&[("token", &own), ("plan", &plan.to_string()), ("note", "it was right")]);
        place.world.post("/plans/glass", cookie, &fields).0
    };
    assert_eq!(review(&place.chief), 403, "not by who broke it");
    assert_eq!(review(&place.auditor), 303);
    assert!(!place.world.get("/sites", &place.auditor).2.contains("glass-told"));
    // The plan waits for nobody any more, and is done once.
    let page = place.page(&place.approver);
    assert!(page.contains("carried out") && !page.contains("value=\"approve\""), "{page}");
    place.world.web.stop();
}

/// Goal: on a full disk a commander signs in and breaks the glass. Method: a disk that is really
/// full, and sign-ins until the room that is kept for it was given up; then the whole way.
#[test]
fn on_a_full_disk_a_commander_signs_in_and_breaks_the_glass() {
    clock!(now, now_set);
    now_set(START);
    let folder = tempfile::tempdir().unwrap();
    let (reserve, disk) = (folder.path().join(RESERVE_FILE), SmallDisk::over(folder.path()));
    let Some(disk) = disk else { return };
    let mut place = Place::start_in(folder, now);
    disk.fill("log");
    let mut cookie = String::new();
    for trial in 0..200 {
        if trial > 0 && !reserve.exists() {
            break;
        }
        now_set(START + trial * 60);
        let (status, head) = place.world.sign_in(&mut place.key);
        cookie = cookie_set(&head, status);
    }
    assert!(!reserve.exists(), "the disk is not full");
    let (status, head) = place.world.sign_in(&mut place.key);
    assert_ne!(cookie, cookie_set(&head, status));
    assert_eq!(place.world.confirm(&cookie, &mut place.key), 303);
    let (page, origin) = (place.page(&cookie), place.world.origin());
    let shown = place.key.get(&glass(&page), "/approve/A-0001", &origin);
    let (status, body) = place.smash(&cookie, Some(&shown), "nobody answers");
    assert_eq!(status, 303, "{body}");
    assert!(acts(&place.world).contains(&"dark-ordered chief".into()));
    place.world.web.stop();
}

/// Goal: nothing less breaks the glass. Method: one thing is missing at a time.
#[test]
fn nothing_less_breaks_the_glass() {
    clock!(now, now_set);
    now_set(START);
    let mut place = Place::start(now);
    let before = acts(&place.world);
    let origin = place.world.origin();
    let (chief, approver) = (place.chief.clone(), place.approver.clone());
    assert!(!place.page(&approver).contains("class=\"glass\""), "only the command is offered it");
    let at = "/approve/A-0001";
    let page = place.page(&chief);
    let copied = {
        place.key.flags = 0b0000_1101;
        let shown = place.key.get(&glass(&page), at, &origin);
        place.key.flags = 0b0000_0101;
        shown
    };
    let other = place.page(&approver);
    let agreeing = place.approvers.get(&other, at, &origin);
    let no_reason = place.key.get(&glass(&place.page(&chief)), at, &origin);
    for (number, (what, cookie, shown, reason, wanted, why)) in (1..).zip([
        ("a sign-in alone", &chief, None, "x", 403, "a signature needs a passkey"),
        ("a key that can be copied", &chief, Some(&copied), "x", 403, "needs a key of hardware"),
        ("no reason", &chief, Some(&no_reason), " ", 422, "reason"),
        ("an approval", &approver, Some(&agreeing), "x", 403, "Try again"),
    ]) {
        now_set(START + 60 * number);
        let (status, body) = place.smash(cookie, shown, reason);
        assert_eq!(status, wanted, "{what}: {body}");
        assert!(body.contains(why), "{what}: {body}");
        assert_eq!(acts(&place.world), before, "{what}");
    }
    // A plan that was refused is not carried out by breaking glass.
    let page = place.page(&chief);
    let shown = place.key.get(&glass(&page), at, &origin);
    let hash = code_in(&page);
    let own = token(&page);
    let fields = [("token", &*own), ("hash", &*hash), ("decision", "refuse"), ("reason", "no")];
    assert_eq!(place.world.post(at, &chief, &form(&fields)).0, 303);
    assert_eq!(place.smash(&chief, Some(&shown), "x").0, 409);
    assert!(!acts(&place.world).iter().any(|act| act.starts_with("break-glass")));
    place.world.web.stop();
}
