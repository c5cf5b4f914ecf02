//! Ten thousand sign-ins in one minute: five are looked at, the journal stays short, and whoever
//! has a passkey comes in meanwhile, from the same address. And connections that say nothing.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use relight_engine::edge::http::Client;

use crate::door_device::Device;
use crate::door_support::{START, World, clock};

/// Trials of one flood.
const TRIALS: usize = 10_000;

/// Connections on which they come.
const CONNECTIONS: usize = 4;

/// Sends trials on one connection; how many were looked at, and how many were not.
fn flood(world: &World) -> (usize, usize) {
    let body = "ticket=x&answer=x&next=%2F";
    let (origin, length) = (world.origin(), body.len());
    let request = format!(
        "POST /sign-in HTTP/1.1\r\nHost: localhost\r\nOrigin: {origin}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    let mut client = Client::connect(world.address()).unwrap();
    client.answer_wait_max = crate::support::DEADLINE;
    let (mut looked_at, mut refused) = (0, 0);
    for _ in 0..TRIALS / CONNECTIONS {
        match client.exchange(request.as_bytes(), false).unwrap().status {
            403 => looked_at += 1,
            429 => refused += 1,
            other => panic!("{other}"),
        }
    }
    (looked_at, refused)
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
    let all = std::thread::scope(|scope| {
        let floods: Vec<_> = (0..CONNECTIONS).map(|_| scope.spawn(|| flood(&world))).collect();
        // In the middle of it, from the same address.
        assert_eq!(world.sign_in(&mut device).0, 303);
        floods.into_iter().map(|it| it.join().unwrap()).fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1))
    });
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
