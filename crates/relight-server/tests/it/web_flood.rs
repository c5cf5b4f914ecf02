//! Ten thousand sign-ins in one minute: five are looked at, the journal stays short, and whoever
//! has a passkey comes in meanwhile, from the same address. And connections that say nothing.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use relight_engine::edge::http::Client;

use crate::door_device::{Device, form};
use crate::door_support::{START, World, clock, with_key};

/// Trials of one flood.
const TRIALS: usize = 10_000;

/// Connections on which they come.
const CONNECTIONS: usize = 4;

/// What signs nobody in.
const NOTHING: &str = "ticket=x&answer=x&next=%2F";

/// Sends these trials on one connection, each with what stands in its head; how many were looked
/// at, and how many were not.
fn flood(world: &World, body: &str, heads: impl Iterator<Item = String>) -> (usize, usize) {
    let length = body.len();
    let kind = "Content-Type: application/x-www-form-urlencoded\r\n";
    let mut client = Client::connect(world.address()).unwrap();
    client.answer_wait_max = crate::support::DEADLINE;
    let (mut looked_at, mut refused) = (0, 0);
    for head in heads {
        let request = format!(
            "POST /sign-in HTTP/1.1\r\nHost: localhost\r\n{head}{kind}\
             Content-Length: {length}\r\n\r\n{body}"
        );
        match client.exchange(request.as_bytes(), false).unwrap().status {
            403 => looked_at += 1,
            429 => refused += 1,
            other => panic!("{other}"),
        }
    }
    (looked_at, refused)
}

/// The same on several connections, each with its part of the trials, while something else is done.
fn floods(
    world: &World,
    body: &str,
    head: impl Fn(usize) -> String + Sync,
    meanwhile: impl FnOnce(),
) -> (usize, usize) {
    let head = &head;
    let part = |of: usize| (of..TRIALS).step_by(CONNECTIONS).map(head);
    std::thread::scope(|scope| {
        let floods: Vec<_> =
            (0..CONNECTIONS).map(|of| scope.spawn(move || flood(world, body, part(of)))).collect();
        meanwhile();
        floods.into_iter().map(|it| it.join().unwrap()).fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1))
    })
}

#[test]
fn ten_thousand_sign_ins_a_minute_are_five_and_lock_nobody_out() {
    clock!(now, now_set);
    now_set(START);
    let world = World::start(now, |_| ());
    let mut device = Device::new(1);
    world.first("anna", &device);
    now_set(START + 60);
    let before = world.store.journal_head().unwrap().0;
    let origin = format!("Origin: {}\r\n", world.origin());
    // In the middle of it, from the same address.
    let all = floods(
        &world,
        NOTHING,
        |_| origin.clone(),
        || {
            assert_eq!(world.sign_in(&mut device).0, 303);
        },
    );
    assert_eq!(all, (5, TRIALS - 5));
    // Five refusals, the first one beyond the limit, and the sign-in that was good.
    assert_eq!(world.store.journal_head().unwrap().0, before + 7);
    now_set(START + 120);
    let (status, _) =
        world.sign_in_with(&crate::door_device::Shown { ticket: "x".into(), answer: "x".into() });
    assert_eq!(status, 403);
    let last = world.journal().pop().unwrap();
    assert!(last.contains(&format!(r#""untold":"{}""#, TRIALS - 6)), "nothing is lost: {last}");
    world.web.stop();
}

/// A console behind a proxy, and anna, who has a passkey.
const URL: &str = "https://relight.example";

/// The head of what comes from this address.
fn from(address: &str) -> String {
    format!("Origin: {URL}\r\nX-Forwarded-For: {address}\r\n")
}

/// What a device shows on the page of the sign-in.
fn shown(world: &World, device: &mut Device) -> String {
    let shown = device.get(&world.get("/sign-in", "").2, "/sign-in", URL);
    form(&[("ticket", &shown.ticket), ("answer", &shown.answer), ("next", "/")])
}

/// How many refused sign-ins the journal tells of, and how many it says that it does not.
fn told(world: &World) -> (usize, u64) {
    let told: Vec<String> =
        world.journal().into_iter().filter(|it| it.contains("sign-in-refused")).collect();
    let untold = |it: &String| {
        let rest = it.split(r#""untold":""#).nth(1)?;
        rest.split('"').next()?.parse::<u64>().ok()
    };
    (told.len(), told.iter().filter_map(untold).sum())
}

/// Goal: many addresses fill no journal and lock nobody out. Method: five trials from each of two
/// thousand; every one is looked at, sixty are told, and the count of the others is.
#[test]
fn a_flood_from_two_thousand_addresses_fills_no_journal_and_locks_nobody_out() {
    clock!(now, now_set);
    now_set(START);
    let mut anna = Device::new(1);
    let world = World::start_at(now, Some(URL), |store| {
        with_key(store, "anna", 1, "viewer", &anna);
    });
    let head = |trial: usize| {
        let host = trial / 5;
        from(&format!("198.51.{}.{}", host / 250, host % 250))
    };
    let all = floods(&world, NOTHING, head, || {
        let good = shown(&world, &mut anna);
        assert_eq!(world.post_from("/sign-in", &from("203.0.113.9"), &good).0, 303);
    });
    assert_eq!(all, (TRIALS, 0), "five of each are within the limit");
    assert_eq!(told(&world), (60, 0));
    now_set(START + 60);
    assert_eq!(world.post_from("/sign-in", &from("198.51.0.1"), NOTHING).0, 403);
    assert_eq!(told(&world), (61, TRIALS as u64 - 60), "nothing is lost");
    world.web.stop();
}

/// Goal: who floods the account of somebody from one address locks her out from that address alone,
/// and she hears of it. Method: ten thousand answers of another key under the id of hers.
#[test]
fn a_flood_on_an_account_locks_out_one_address_for_a_minute() {
    clock!(now, now_set);
    now_set(START);
    let (mut anna, mut cookie) = (Device::new(1), String::new());
    let world = World::start_at(now, Some(URL), |store| {
        cookie = with_key(store, "anna", 1, "viewer", &anna);
    });
    let false_one = shown(&world, &mut Device::new(1));
    let all = floods(
        &world,
        &false_one,
        |_| from("198.51.100.7"),
        || {
            let good = shown(&world, &mut anna);
            assert_eq!(world.post_from("/sign-in", &from("203.0.113.9"), &good).0, 303);
        },
    );
    assert_eq!(all, (5, TRIALS - 5));
    let good = shown(&world, &mut anna);
    assert_eq!(world.post_from("/sign-in", &from("198.51.100.7"), &good).0, 429);
    // Five that were looked at, and the first one beyond the limit.
    assert_eq!(told(&world), (6, 0));
    let page = world.get("/me?lang=en", &cookie).2;
    assert!(page.contains("Sign-in refused, from 198.51.100.7"), "{page}");
    now_set(START + 60);
    let good = shown(&world, &mut anna);
    assert_eq!(world.post_from("/sign-in", &from("198.51.100.7"), &good).0, 303);
    assert_eq!(world.post_from("/sign-in", &from("198.51.100.7"), &false_one).0, 403);
    assert_eq!(told(&world), (7, TRIALS as u64 - 5), "nothing is lost");
    world.web.stop();
}

/// What a connection gets until it ends.
fn got(mut stream: TcpStream) -> String {
    let mut text = String::new();
    stream.set_read_timeout(Some(crate::support::DEADLINE)).unwrap();
    stream.read_to_string(&mut text).unwrap();
    text
}

fn front(address: SocketAddr) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    // Whoever is turned away is so before it says anything.
    let _ = stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let mut text = Vec::new();
    stream.set_read_timeout(Some(crate::support::DEADLINE)).unwrap();
    let _ = stream.read_to_end(&mut text);
    String::from_utf8_lossy(&text).into_owned()
}

/// Goal: whoever opens connections to the public page and says nothing takes nothing from the
/// console, and is told why no more are taken. Trap: all handles of the process were theirs, those
/// for gate files too.
#[test]
fn silent_connections_to_the_public_page_leave_the_console_its_own() {
    clock!(now, _set);
    let world = World::start(now, |_| ());
    let public = world.web.public_addr();
    let mut silent: Vec<_> = (0..600).map(|_| TcpStream::connect(public).unwrap()).collect();
    let last = got(silent.pop().unwrap());
    assert!(last.starts_with("HTTP/1.1 503 ") && last.contains("retry-after: "), "{last}");
    assert!(last.contains("connexions") && last.contains("connections"), "{last}");
    assert!(front(world.address()).starts_with("HTTP/1.1 200 "), "the console answers");
    drop(silent);
    let began = std::time::Instant::now();
    while !front(public).starts_with("HTTP/1.1 3") && !front(public).starts_with("HTTP/1.1 2") {
        assert!(began.elapsed() < crate::support::DEADLINE, "there is room again");
        std::thread::park_timeout(std::time::Duration::from_millis(20));
    }
    world.web.stop();
}
