//! What holds for all formats together: each line belongs to one, whatever is damaged.

use std::fs;
use std::path::{Path, PathBuf};

use testkit::Rng;

use super::*;
use crate::line::Lines;

/// The undamaged fixtures of every format: name of the format, path, bytes.
fn good_fixtures() -> Vec<(&'static str, PathBuf, Vec<u8>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut found = Vec::new();
    for parser in PARSERS {
        for case in fs::read_dir(root.join(parser.name())).unwrap() {
            let path = case.unwrap().path();
            if !path.file_name().unwrap().to_string_lossy().starts_with("corrupt") {
                let bytes = fs::read(path.join("access.log")).unwrap();
                found.push((parser.name(), path, bytes));
            }
        }
    }
    found
}

/// Goal: detection never guesses. Method: every parser is asked about every undamaged line.
#[test]
fn a_line_belongs_to_one_format_only() {
    let mut lines = 0;
    for (name, path, bytes) in good_fixtures() {
        for parser in PARSERS {
            let mut feed = fixture_feed();
            for line in Lines::new(&bytes) {
                if parser.is_header(&line) {
                    feed.take_header(&line);
                } else if parser.parse(&feed, &line).is_ok() {
                    lines += 1;
                    assert_eq!(parser.name(), name, "{}: {line}", path.display());
                }
            }
        }
    }
    assert!(lines > 300, "{lines}");
}

/// Goal: no attempt is left out by the look at the raw line. Method: every attempt that fixtures of
/// any format hold, escaped as each product escapes it.
#[test]
fn the_raw_line_gives_every_attempt_away() {
    let mut attempts = 0;
    for (name, _, bytes) in good_fixtures() {
        let mut reader = crate::Reader::of(fixture_feed(), named(name).unwrap());
        for line in Lines::new(&bytes) {
            if let crate::Taken::Event(_, event) = reader.take(&line)
                && crate::attempt(&event).is_some()
            {
                attempts += 1;
                assert!(crate::may_hold_attempt(line.as_bytes()), "{line}");
            }
        }
    }
    assert!(attempts > 50, "{attempts}");
}

/// Goal: no damage makes a parser stop, and none is quadratic. Method: lines of every format with
/// bytes changed, cut, doubled, from one seed, given to every parser.
#[test]
fn damaged_lines_harm_no_parser() {
    const SEED: u64 = 0x0bad_1093;
    let mut rng = Rng::new(SEED);
    let fixtures = good_fixtures();
    let (mut taken, mut refused) = (0, 0);
    for _ in 0..6_000 {
        let (_, _, bytes) = rng.pick(&fixtures);
        let mut bytes: Vec<u8> = bytes.iter().copied().take(2_000).collect();
        for _ in 0..1 + rng.below(4) {
            let at = rng.below(bytes.len());
            match rng.below(4) {
                0 => bytes[at] = *rng.pick(b"\0\"\\ {}[]=|,\t:/%-0\xff"),
                1 => bytes.truncate(at + 1),
                2 => bytes.extend_from_within(at..),
                _ => drop(bytes.remove(at)),
            }
            if bytes.is_empty() {
                bytes.push(b'x');
            }
        }
        let mut feed = fixture_feed();
        for line in Lines::new(&bytes) {
            for parser in PARSERS {
                if parser.is_header(&line) {
                    feed.take_header(&line);
                } else if parser.parse(&feed, &line).is_ok() {
                    taken += 1;
                } else {
                    refused += 1;
                }
            }
        }
    }
    assert!(taken > 3_000 && refused > taken, "seed {SEED:#x}: {taken} {refused}");
}

#[test]
fn the_client_behind_proxies_is_the_right_most_stranger() {
    let feed = fixture_feed();
    let proxy: IpAddr = "203.0.113.7".parse().unwrap();
    let seen = |header: &str| feed.client_behind(proxy, header).map(|it| it.to_string());
    assert_eq!(seen("192.0.2.1").as_deref(), Some("192.0.2.1"));
    assert_eq!(seen("8.8.8.8, 192.0.2.1, 203.0.113.9").as_deref(), Some("192.0.2.1"));
    assert_eq!(seen("8.8.8.8%2C%20192.0.2.1").as_deref(), Some("192.0.2.1"));
    assert_eq!(seen("8.8.8.8,+[2001:db8::1]:443").as_deref(), Some("2001:db8::1"));
    for header in ["", "8.8.8.8, unknown", "203.0.113.1", "8.8.8.8%2Cx"] {
        assert_eq!(seen(header), None, "{header}");
    }
    let stranger: IpAddr = "192.0.2.9".parse().unwrap();
    assert_eq!(feed.client_behind(stranger, "8.8.8.8"), None, "who is not trusted is not believed");
}

#[test]
fn networks_and_their_lengths() {
    let net = |text: &str| text.parse::<IpAddr>().unwrap();
    assert!(holds(net("0.0.0.0"), 0, net("255.1.2.3")) && !holds(net("::"), 0, net("1.2.3.4")));
    assert!(holds(net("192.0.2.1"), 32, net("192.0.2.1")));
    assert!(!holds(net("192.0.2.1"), 32, net("192.0.2.2")));
    assert!(holds(net("2001:db8::"), 32, net("2001:db8:1::1")));
    assert!(!holds(net("2001:db8::"), 32, net("2001:db9::1")));
    assert!(holds(net("192.0.2.1"), 200, net("::ffff:192.0.2.1")), "longer than there is");
    for (network, bits, address, is_held) in [
        ("::ffff:10.0.0.0", 104, "10.200.0.1", true),
        ("::ffff:10.0.0.0", 104, "::ffff:10.200.0.1", true),
        ("::ffff:10.0.0.0", 104, "11.0.0.1", false),
        ("::ffff:10.0.0.1", 128, "10.0.0.1", true),
        ("::ffff:10.0.0.1", 128, "10.0.0.2", false),
        ("::ffff:0.0.0.0", 80, "10.0.0.1", false),
    ] {
        assert_eq!(holds(net(network), bits, net(address)), is_held, "{network}/{bits} {address}");
    }
}

#[test]
fn a_header_is_replaced_and_has_a_limit() {
    let mut feed = Feed::default();
    feed.take_header("#Fields: a b");
    feed.take_header("#Date: x");
    feed.take_header("#Fields: c d");
    assert_eq!(feed.header, "#Date: x\n#Fields: c d\n");
    feed.take_header("#separator \\x09");
    assert_eq!(feed.header, "#separator \\x09\n");
    feed.take_header(&format!("#fields\t{}", "x".repeat(HEADER_BYTES_MAX)));
    assert_eq!(feed.header, "#separator \\x09\n", "a longer one is not kept");
}

#[test]
fn sites_by_host_name() {
    let sites = BTreeMap::from([("a.test".to_owned(), SiteId(7))]);
    let feed = Feed { sites, ..Feed::default() };
    assert_eq!(feed.site_of("A.test", ""), Some(SiteId(7)));
    assert_eq!(feed.site_of("b.test", "a.test"), Some(SiteId(7)));
    assert_eq!(feed.site_of("b.test", ""), None);
}
