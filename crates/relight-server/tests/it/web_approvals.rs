//! A plan is approved by a passkey that signs this plan: what was signed is in the journal, and
//! nothing else that a passkey was shown for counts.

use relight_engine::incident::{Entry, Ground, Proof, Witness};
use relight_model::{Digest, GateKey};
use relight_server::proof::{self, Signing};

use crate::door_device::{Device, Shown, form};
use crate::door_support::{START, World, clock, code_in, person, token, with_key};
use crate::web_acts::{LOG4SHELL, acts, behind_an_edge, field, open_incident, propose};

/// A commander without a passkey of his own here, and two approvers, each with one.
struct Place {
    world: World,
    chief: String,
    zoe: String,
    zoes: Device,
    max: String,
    maxs: Device,
}

impl Place {
    fn start(clock: fn() -> i64) -> Self {
        let (zoes, maxs) = (Device::new(1), Device::new(2));
        let (mut chief, mut zoe, mut max) = Default::default();
        let world = World::start(clock, |store| {
            behind_an_edge(store);
            chief = person(store, "chief", 1, &[("commander", "/")]);
            zoe = with_key(store, "zoe", 2, "approver", &zoes);
            max = with_key(store, "max", 3, "approver", &maxs);
        });
        open_incident(&world, &chief);
        Self { world, chief, zoe, zoes, max, maxs }
    }

    fn page(&self, id: &str, cookie: &str) -> String {
        self.world.get(&format!("/approve/{id}?lang=en"), cookie).2
    }

    /// Sends an approval with what a passkey answered; nothing when it is `None`.
    fn approve(&self, id: &str, cookie: &str, shown: Option<&Shown>) -> (u16, String) {
        let page = self.page(id, cookie);
        let hash = code_in(&page);
        let own = token(&page);
        let mut fields = vec![("token", own.as_str()), ("hash", &hash), ("decision", "approve")];
        if let Some(shown) = shown {
            fields.extend([("ticket", shown.ticket.as_str()), ("answer", &shown.answer)]);
        }
        let address = format!("/approve/{id}?lang=en");
        let (status, _, body) = self.world.post(&address, cookie, &form(&fields));
        (status, body)
    }

    /// What stands beside the approvals in the journal.
    fn proofs(&self) -> Vec<(Digest, String, Option<Box<Proof>>)> {
        let records = self.world.store.journal(1).unwrap().into_iter();
        let approvals = records.filter(|record| record.kind == "plan-approved");
        let entries = approvals.map(|record| Entry::from_body(&record.body).unwrap());
        entries
            .map(|entry| match entry {
                Entry::PlanApproved { plan, by, proof, .. } => (plan, by, proof),
                other => panic!("{other:?}"),
            })
            .collect()
    }
}

/// Goal: what a passkey signed for an approval can be checked by whoever has the journal. Method:
/// an approval half an hour of clock after nothing was shown; the entry is checked by itself.
#[test]
fn a_passkey_signs_the_plan_and_the_journal_holds_what_it_signed() {
    clock!(now, now_set);
    now_set(START);
    let mut place = Place::start(now);
    assert_eq!(propose(&place.world, &place.chief, "care").0, 303);
    // The passkey was shown six minutes ago: it is asked for now, and not before.
    now_set(START + 6 * 60);
    let page = place.page("A-0001", &place.zoe);
    assert!(
        page.contains("data-key=\"get\"") && page.contains("signs exactly this plan"),
        "{page}"
    );
    assert!(!page.contains("/confirm?"), "{page}");
    let shown = place.zoes.get(&page, "/approve/A-0001", &place.world.origin());
    let (status, body) = place.approve("A-0001", &place.zoe, Some(&shown));
    assert_eq!(status, 303, "{body}");
    let wanted = ["plan-approved zoe", "plan-started zoe", "dark-ordered zoe"];
    assert_eq!(acts(&place.world)[2..5], wanted);
    let seats = place.page("A-0001", &place.chief);
    assert!(seats.contains("asked for it") && seats.contains("signed with a passkey"), "{seats}");
    let proofs = place.proofs();
    let [(plan, by, Some(signed))] = &proofs[..] else { panic!("{proofs:?}") };
    assert_eq!((plan.to_string(), by.as_str()), (code_in(&page), "zoe"));
    assert_eq!(proof::check(signed, Signing::Approval, plan), Ok(()));
    assert_eq!(proof::check(signed, Signing::Approval, &Digest([1; 32])), Err("wrong-challenge"));
    assert_eq!(
        place.world.store.verify_journal().unwrap().map(|whole| whole.entries > 5),
        Ok(true)
    );
    place.world.web.stop();
}

/// Goal: nothing but this plan, signed by a key of one's own for this sign-in, approves it. Method:
/// two plans and two people; each answer is good for something else.
#[test]
fn what_a_passkey_was_shown_for_elsewhere_approves_nothing() {
    clock!(now, now_set);
    now_set(START);
    let mut place = Place::start(now);
    for site in ["care", "beds"] {
        assert_eq!(propose(&place.world, &place.chief, site).0, 303);
    }
    let origin = place.world.origin();
    let before = acts(&place.world);
    let (first, second) = (place.page("A-0001", &place.zoe), place.page("A-0002", &place.zoe));
    let confirms = place.world.get("/confirm?next=/me", &place.zoe).2;
    let signs_in = place.world.get("/sign-in", "").2;
    let maxs = place.page("A-0001", &place.max);
    let at = "/approve/A-0001";
    let cases = [
        ("nothing shown, though the sign-in is fresh", None),
        ("the other plan", Some(place.zoes.get(&second, "/approve/A-0002", &origin))),
        ("to confirm", Some(place.zoes.get(&confirms, "/confirm", &origin))),
        ("to sign in", Some(place.zoes.get(&signs_in, "/sign-in", &origin))),
        ("for the sign-in of somebody else", Some(place.zoes.get(&maxs, at, &origin))),
        ("by the key of somebody else", Some(place.maxs.get(&first, at, &origin))),
        ("on another page", Some(place.zoes.get(&first, at, "http://localhost.evil.example"))),
    ];
    for (number, (what, shown)) in (1..).zip(cases) {
        // Within the limit of trials.
        now_set(START + number * 60);
        let (status, body) = place.approve("A-0001", &place.zoe, shown.as_ref());
        assert_eq!(status, 403, "{what}: {body}");
        assert!(body.contains("role=\"alert\""), "{what}: {body}");
        assert_eq!(acts(&place.world), before, "{what}");
    }
    now_set(START + 9 * 60);
    // A good answer counts once: it is not good for the same plan a second time either.
    let page = place.page("A-0001", &place.zoe);
    let shown = place.zoes.get(&page, at, &origin);
    let elsewhere = place.approve("A-0002", &place.zoe, Some(&shown));
    assert_eq!(elsewhere.0, 403, "the other plan under its own hash: {}", elsewhere.1);
    let page = place.page("A-0001", &place.zoe);
    let shown = place.zoes.get(&page, at, &origin);
    assert_eq!(place.approve("A-0001", &place.zoe, Some(&shown)).0, 303);
    let (status, _) = place.approve("A-0001", &place.zoe, Some(&shown));
    assert_eq!(status, 403, "replayed");
    assert_eq!(place.proofs().len(), 1);
    place.world.web.stop();
}

/// The programming interface has no passkeys: who has one approves on the page.
#[test]
fn a_sign_in_with_a_passkey_approves_nothing_through_the_api() {
    clock!(now, now_set);
    now_set(START);
    let place = Place::start(now);
    assert_eq!(propose(&place.world, &place.chief, "care").0, 303);
    let page = place.page("A-0001", &place.zoe);
    let body = serde_json::json!({"decision": "approve", "hash": code_in(&page)}).to_string();
    let origin = place.world.origin();
    let head = format!(
        "POST /api/v1/plans/A-0001/decisions HTTP/1.1\r\nCookie: {}\r\nOrigin: {origin}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n",
        place.zoe,
        body.len(),
    );
    let (status, _, text) = crate::web_console::ask_with_body(place.world.address(), &head, &body);
    assert_eq!(status, 403, "{text}");
    assert!(place.proofs().is_empty());
    place.world.web.stop();
}

/// A number that is typed wrongly loses no signature that was good: it is asked for again.
#[test]
fn a_wrong_number_is_told_after_a_good_signature() {
    clock!(now, now_set);
    now_set(START);
    let mut place = Place::start(now);
    assert_eq!(propose(&place.world, &place.chief, "").0, 303);
    let origin = place.world.origin();
    for (typed, wanted) in [("2", 422), ("3", 303)] {
        let page = place.page("A-0001", &place.zoe);
        let shown = place.zoes.get(&page, "/approve/A-0001", &origin);
        let fields = [
            ("token", token(&page)),
            ("hash", code_in(&page)),
            ("decision", "approve".to_owned()),
            ("typed", typed.to_owned()),
            ("ticket", shown.ticket),
            ("answer", shown.answer),
        ];
        let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
        let address = "/approve/A-0001?lang=en";
        let (status, _, body) = place.world.post(address, &place.zoe, &form(&fields));
        assert_eq!(status, wanted, "{typed}: {body}");
    }
    let proofs = place.proofs();
    assert!(proofs[0].2.as_ref().is_some_and(|it| proof::check(
        it,
        Signing::Approval,
        &proofs[0].0
    ) == Ok(())));
    place.world.web.stop();
}

/// Goal: whoever reads a plan for longer than five minutes signs it all the same, and good
/// signatures use up no trials. Method: the page is opened early; then seven good signatures in one
/// minute under a number that is typed wrong.
#[test]
fn a_plan_is_read_for_as_long_as_it_waits_and_good_signatures_cost_no_trial() {
    clock!(now, now_set);
    now_set(START);
    let mut place = Place::start(now);
    let origin = place.world.origin();
    for site in ["care", "power"] {
        assert_eq!(propose(&place.world, &place.chief, site).0, 303);
    }
    let page = place.page("A-0001", &place.zoe);
    now_set(START + 14 * 60);
    let shown = place.zoes.get(&page, "/approve/A-0001", &origin);
    let (status, body) = place.approve("A-0001", &place.zoe, Some(&shown));
    assert_eq!(status, 303, "{body}");
    for number in 0..7 {
        let page = place.page("A-0002", &place.zoe);
        let shown = place.zoes.get(&page, "/approve/A-0002", &origin);
        let (status, body) = place.approve("A-0002", &place.zoe, Some(&shown));
        assert_eq!(status, 422, "{number}: {body}");
    }
    place.world.web.stop();
}

/// A plan for one person, and the first of two seats, rested on a passkey that was shown for
/// anything in the last five minutes: a stolen cookie was enough to switch five sites.
#[test]
fn whoever_asks_for_a_plan_signs_it_too() {
    clock!(now, now_set);
    now_set(START);
    let mut device = Device::new(1);
    let mut boss = String::new();
    let world = World::start(now, |store| {
        behind_an_edge(store);
        boss = with_key(store, "boss", 1, "commander", &device);
    });
    open_incident(&world, &boss);
    let before = acts(&world);
    let at = "/plan?lang=en&action=dark&which=todo&reason=Log4Shell&sites=care";
    let send = |page: &str, shown: Option<&Shown>| {
        let own = token(page);
        let [seen, made] = ["seen", "made"].map(|name| field(page, name));
        let mut fields = vec![("token", own.as_str()), ("seen", &seen), ("made", &made)];
        fields.extend([("action", "dark"), ("which", "todo"), ("reason", "Log4Shell")]);
        fields.push(("sites", "care"));
        if let Some(shown) = shown {
            fields.extend([("ticket", shown.ticket.as_str()), ("answer", &shown.answer)]);
        }
        let (status, _, body) = world.post("/plan?lang=en", &boss, &form(&fields));
        (status, body)
    };
    let origin = world.origin();
    let page = world.get(at, &boss).2;
    assert!(page.contains("data-key=\"get\"") && !page.contains("/confirm?"), "{page}");
    let confirms = world.get("/confirm?next=/me", &boss).2;
    let other = world.get(&at.replace("care", "beds"), &boss).2;
    for (what, shown) in [
        ("the cookie alone", None),
        ("shown to confirm", Some(device.get(&confirms, "/confirm", &origin))),
        ("another plan", Some(device.get(&other, "/plan?lang", &origin))),
    ] {
        let (status, body) = send(&page, shown.as_ref());
        assert!(matches!(status, 400 | 403), "{what}: {status} {body}");
        assert_eq!(acts(&world), before, "{what}");
    }
    let shown = device.get(&page, "/plan?lang", &origin);
    let (status, body) = send(&page, Some(&shown));
    assert_eq!(status, 303, "{body}");
    let entry = world.store.journal(1).unwrap().pop().unwrap();
    let Ok(Entry::PlanProposed { plan, proof: Some(signed), .. }) = Entry::from_body(&entry.body)
    else {
        panic!("{entry:?}")
    };
    let hash = plan.hash().unwrap();
    assert_eq!(proof::check(&signed, Signing::Proposal, &hash), Ok(()));
    assert_eq!(proof::check(&signed, Signing::Approval, &hash), Err("wrong-challenge"));
    let seats = world.get("/approve/A-0001?lang=en", &boss).2;
    assert!(seats.contains("signed with a passkey"), "{seats}");
    // What was shown five minutes ago is shown again before it is signed.
    let page = world.get(&at.replace("care", "beds"), &boss).2;
    let late = device.get(&page, "/plan?lang", &origin);
    now_set(START + 5 * 60);
    let before = acts(&world);
    let (status, body) = send(&page, Some(&late));
    assert!(matches!(status, 400 | 403 | 409), "{status} {body}");
    assert_eq!(acts(&world), before);
    world.web.stop();
}

/// A commander and an approver, each with a passkey, and an incident about sites that are online.
fn two_with_keys(clock: fn() -> i64) -> (World, [(String, Device); 2]) {
    let devices = [Device::new(1), Device::new(2)];
    let mut cookies = <[String; 2]>::default();
    let world = World::start(clock, |store| {
        behind_an_edge(store);
        let roles = [("chief", "commander"), ("zoe", "approver")];
        for (number, (name, role)) in roles.into_iter().enumerate() {
            let id = u8::try_from(number).unwrap() + 1;
            cookies[number] = with_key(store, name, id, role, &devices[number]);
        }
    });
    open_incident(&world, &cookies[0]);
    let mut cookies = cookies.into_iter();
    (world, devices.map(|device| (cookies.next().unwrap(), device)))
}

/// The fields of the form of an acceptance on a page, with more of them.
fn accepting(page: &str, act: &str, more: &[(&str, &str)]) -> String {
    let own = token(page);
    let held = ["seen", "about"].map(|name| (name, field(page, name)));
    let mut fields = vec![("token", own.as_str()), ("incident", LOG4SHELL), ("act", act)];
    fields.extend(held.iter().map(|(name, value)| (*name, value.as_str())));
    fields.extend(more);
    form(&fields)
}

/// What the page that asks for a passkey holds, as it is sent back.
fn sent_back(page: &str, shown: Option<&Shown>) -> String {
    let names = ["token", "act", "incident", "note", "until", "about", "seen"];
    let has = |name: &&str| page.contains(&format!("name=\"{name}\" value="));
    let held: Vec<_> =
        names.into_iter().filter(has).map(|name| (name, field(page, name))).collect();
    let mut fields: Vec<_> = held.iter().map(|(name, value)| (*name, value.as_str())).collect();
    if let Some(shown) = shown {
        fields.extend([("ticket", shown.ticket.as_str()), ("answer", &shown.answer)]);
    }
    form(&fields)
}

const AT: &str = "/site/care/act?lang=en";

/// What the journal says of acceptances.
fn acceptances(world: &World) -> Vec<String> {
    let records = world.store.journal(1).unwrap().into_iter();
    let kinds = ["acceptance-proposed", "acceptance-signed", "exempted"];
    let about = records.filter(|record| kinds.contains(&record.kind.as_str()));
    about.map(|record| format!("{} {}", record.kind, record.actor)).collect()
}

/// Goal: who answers for a site signs exactly that. Method: asked for and agreed to with a cookie
/// alone, with a signature for something else, and with the right one; the journal is checked by
/// itself.
#[test]
fn two_people_sign_what_they_answer_for() {
    clock!(now, now_set);
    now_set(START);
    let (world, [(chief, mut chiefs), (zoe, mut zoes)]) = two_with_keys(now);
    let origin = world.origin();
    let before = acceptances(&world);
    let site = |cookie: &str| world.get("/site/care?lang=en", cookie).2;
    let asks = [("note", "elections"), ("days", "2")];
    let (status, _, page) = world.post(AT, &chief, &accepting(&site(&chief), "accept", &asks));
    assert_eq!(status, 200, "{page}");
    assert!(page.contains("data-key=\"get\"") && page.contains("elections"), "{page}");
    assert_eq!(acceptances(&world), before, "the cookie alone, with a passkey shown just now");
    let confirms = world.get("/confirm?next=/me", &chief).2;
    let other_asks = [("note", "holidays"), ("days", "2")];
    let other = accepting(&site(&chief), "accept", &other_asks);
    let other = world.post(AT, &chief, &other).2;
    for (what, shown) in [
        ("to confirm", chiefs.get(&confirms, "/confirm", &origin)),
        ("other words", chiefs.get(&other, "/site/care/act", &origin)),
    ] {
        let (status, _, body) = world.post(AT, &chief, &sent_back(&page, Some(&shown)));
        assert_eq!(status, 403, "{what}: {body}");
        assert_eq!(acceptances(&world), before, "{what}");
    }
    let shown = chiefs.get(&page, "/site/care/act", &origin);
    // What is asked is what was read, though a minute went by.
    now_set(START + 60);
    let (status, _, body) = world.post(AT, &chief, &sent_back(&page, Some(&shown)));
    assert_eq!(status, 303, "{body}");
    let read = site(&zoe);
    let (status, _, page) = world.post(AT, &zoe, &accepting(&read, "agree", &[]));
    assert_eq!(status, 200, "{page}");
    assert!(page.contains("elections") && page.contains("chief"), "{page}");
    let shown = zoes.get(&page, "/site/care/act", &origin);
    let (status, _, body) = world.post(AT, &zoe, &sent_back(&page, Some(&shown)));
    assert_eq!(status, 303, "{body}");
    assert_eq!(acceptances(&world)[before.len()..], ["acceptance-proposed chief", "exempted zoe"]);
    let records = world.store.journal(1).unwrap();
    let entries = records.iter().filter_map(|it| Entry::from_body(&it.body).ok());
    let mut signed = entries.filter_map(|entry| match entry {
        Entry::AcceptanceProposed { witness, expires, .. } => {
            assert_eq!(expires, START + 2 * 86_400);
            witness
        }
        Entry::Exempted { ground: Ground::Acceptance(it), witness, .. } => {
            let about = witness.as_ref().unwrap().about;
            let care = GateKey::new("care").unwrap();
            let terms = it.terms((LOG4SHELL, &care), &about).unwrap();
            let check = |signing| proof::check(&witness.as_ref().unwrap().proof, signing, &terms);
            assert_eq!(check(Signing::AcceptanceAgreed), Ok(()));
            assert_eq!(check(Signing::AcceptanceAsked), Err("wrong-challenge"));
            witness
        }
        _ => None,
    });
    let [one, two]: [Box<Witness>; 2] = [signed.next().unwrap(), signed.next().unwrap()];
    assert_eq!(one.about, two.about);
    assert_ne!(one.proof.key, two.proof.key);
    world.web.stop();
}

/// Whoever may not ask is told so before anything is signed, and so is who asks for too long.
#[test]
fn nobody_signs_what_would_be_refused() {
    clock!(now, now_set);
    now_set(START);
    let (world, [(chief, _), (zoe, _)]) = two_with_keys(now);
    let before = acceptances(&world);
    for (cookie, act, days, status) in
        [(&zoe, "accept", "2", 403), (&chief, "accept", "31", 409), (&zoe, "agree", "2", 409)]
    {
        let page = world.get("/site/care?lang=en", cookie).2;
        let body = accepting(&page, act, &[("note", "x"), ("days", days)]);
        let (got, _, body) = world.post(AT, cookie, &body);
        assert_eq!(got, status, "{act} {days}: {body}");
        assert!(!body.contains("data-key"), "{act} {days}: {body}");
    }
    assert_eq!(acceptances(&world), before);
    world.web.stop();
}
