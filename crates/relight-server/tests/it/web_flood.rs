//! Ten thousand sign-ins in one minute: five are looked at, the journal stays short, and whoever
//! has a passkey comes in meanwhile, from the same address.

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
