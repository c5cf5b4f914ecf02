//! Feeds from a server on the loopback: what is new comes once, and whatever a server does, what
//! is known stays.

use std::collections::BTreeMap;

use tempfile::TempDir;

use super::loopback::{Page, Server, fixture};
use super::*;

const RECORD: &str = r#"{"id":"GHSA-ID","modified":"2024-01-01T00:00:00Z","summary":"TEXT",
"affected":[{"package":{"ecosystem":"npm","name":"left-pad"},
"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.3.0"}]}]}]}"#;

/// A record of OSV.
pub(super) fn record(id: &str, text: &str) -> String {
    RECORD.replace("ID", id).replace("TEXT", text)
}

/// A register, with a fetcher for it.
pub(super) struct Place {
    folder: TempDir,
    pub(super) store: Store,
    fetcher: Fetcher,
}

impl Place {
    pub(super) fn new() -> Self {
        Self::believing("ca.pem")
    }

    fn believing(authorities: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let fetcher = Fetcher::open(folder.path(), Some(&fixture(authorities))).unwrap().unwrap();
        Self { folder, store, fetcher }
    }

    pub(super) fn fetch(&self, feed: &Feed, now: Timestamp) -> Fetched {
        self.fetch_with(feed, FetchOptions { now, ..FetchOptions::default() })
    }

    /// Puts a feed on the list, in the place of another one of its name.
    fn list(&self, feed: &Feed) {
        if !feeds(&self.store).unwrap().contains(feed) {
            remove_feed(&self.store, &feed.name).unwrap();
            add_feed(&self.store, feed.clone()).unwrap().unwrap();
        }
    }

    fn fetch_with(&self, feed: &Feed, options: FetchOptions) -> Fetched {
        self.list(feed);
        self.fetcher.fetch(&self.store, feed, &options, &AtomicBool::new(false)).unwrap()
    }

    pub(super) fn state(&self, feed: &Feed) -> FeedState {
        FeedState::read(&self.store, &feed.name).unwrap()
    }

    /// The ids that are known, with the summaries of their newest records.
    pub(super) fn known(&self) -> BTreeMap<String, String> {
        let text = |bytes: &[u8]| {
            let value: serde_json::Value = serde_json::from_slice(bytes).unwrap();
            value["summary"].as_str().unwrap_or_default().to_owned()
        };
        let all = self.store.advisories().unwrap();
        all.into_iter().map(|it| (it.id, text(&it.bytes))).collect()
    }
}

pub(super) fn feed(kind: FeedKind, url: String) -> Feed {
    Feed { name: "feed".into(), kind, url, whole: None, period_s: 3_600 }
}

pub(super) fn code(fetched: &Fetched) -> &'static str {
    fetched.fault.as_ref().map_or("", |fault| fault.code)
}

#[test]
fn a_document_comes_once_and_again_when_it_changed() {
    let (place, server) = (Place::new(), Server::plain());
    server.put("/a.json", Page::text(record("1", "one")).etag("\"v1\"").dated(1_000));
    let feed = feed(FeedKind::File, server.url("/a.json"));
    let first = place.fetch(&feed, 2_000);
    assert_eq!((code(&first), first.total(|it| it.new), first.requests), ("", 1, 1));
    let second = place.fetch(&feed, 3_000);
    assert_eq!((code(&second), second.reports.len(), second.requests), ("", 0, 1));
    assert_eq!(place.state(&feed).good_at, Some(3_000));
    // A source that has nothing new is not late.
    let sources = place.store.advisory_sources().unwrap();
    assert_eq!(sources[0].last_success, Some(3_000));
    server.put("/a.json", Page::text(record("1", "two")).etag("\"v2\""));
    assert_eq!(place.fetch(&feed, 4_000).total(|it| it.changed), 1);
    assert_eq!(place.known()["GHSA-1"], "two");
    let asked = server.asked();
    assert!(!asked[0].contains("if-none-match") && !asked[0].contains("if-modified-since"));
    assert!(asked[1].contains("if-none-match: \"v1\""), "{asked:?}");
    assert!(asked[1].contains("if-modified-since: thu, 01 jan 1970 00:16:40 gmt"), "{asked:?}");
    assert!(asked[2].contains("if-none-match: \"v1\""), "{asked:?}");
    assert!(asked.iter().all(|head| head.contains("user-agent: relight/")));
}

/// Whatever a server does instead of answering, what is known stays and the feed says why.
#[test]
fn a_look_that_fails_changes_nothing_and_says_why() {
    let (place, server) = (Place::new(), Server::plain());
    server.put("/a.json", Page::text(record("1", "one")));
    let feed = feed(FeedKind::File, server.url("/a.json"));
    place.fetch(&feed, 1_000);
    let (known, seq) = (place.known(), place.store.advisory_seq().unwrap());
    let whole = record("1", "two");
    let zip = b"PK\x03\x04 and nothing of an archive".to_vec();
    for (at, (page, wanted)) in [
        (Page::status(500), "status"),
        (Page::status(404), "status"),
        (Page::status(503), "busy"),
        (Page::status(301).header("Location", &server.url("/b.json")), "status"),
        (Page::status(206), "status"),
        (Page::status(304), "status"),
        (Page::text(whole.clone()).cut(whole.len() / 2), "cut"),
        (Page::text(whole.clone()).cut(0), "cut"),
        (Page::text(whole.clone()).chunked().cut(whole.len() / 2), "cut"),
        (Page::text("<html>Please sign in</html>"), "nothing-usable"),
        (Page::text(""), "nothing-usable"),
        (Page::text(zip), "nothing-usable"),
        (Page::garbage(), "answer"),
    ]
    .into_iter()
    .enumerate()
    {
        server.put("/a.json", page);
        let now = 2_000 + 3_600 * i64::try_from(at).unwrap();
        let fetched = place.fetch(&feed, now);
        assert_eq!(code(&fetched), wanted, "{at}: {fetched:?}");
        assert_eq!((place.known(), place.store.advisory_seq().unwrap()), (known.clone(), seq));
        let state = place.state(&feed);
        assert_eq!((state.good_at, state.tried_at), (Some(1_000), Some(now)));
        assert_eq!(state.trouble.unwrap().code, wanted);
        assert_eq!(state.errors, u32::try_from(at).unwrap() + 1);
    }
    assert_eq!(place.state(&feed).word(&feed, 0), "failing");
    server.put("/a.json", Page::text(whole));
    assert_eq!(code(&place.fetch(&feed, 90_000)), "");
    assert_eq!((place.state(&feed).errors, place.known()["GHSA-1"].as_str()), (0, "two"));
}

#[test]
fn a_document_that_is_cut_anywhere_is_no_document() {
    let (place, server) = (Place::new(), Server::plain());
    let text = record("1", "one");
    let feed = feed(FeedKind::File, server.url("/a.json"));
    for bytes in 0..text.len() {
        server.put("/a.json", Page::text(text.clone()).cut(bytes));
        assert_eq!(code(&place.fetch(&feed, 1_000)), "cut", "{bytes}");
    }
    assert!(place.known().is_empty());
    server.put("/a.json", Page::text(text));
    assert_eq!(place.fetch(&feed, 2_000).total(|it| it.new), 1);
}

#[test]
fn a_server_that_is_gone_is_unreachable() {
    let (place, server) = (Place::new(), Server::plain());
    let feed = feed(FeedKind::File, server.url("/a.json"));
    server.close();
    assert_eq!(code(&place.fetch(&feed, 1_000)), "unreachable");
    assert_eq!(place.state(&feed).word(&feed, 1_000), "never");
}

#[test]
fn a_server_that_is_busy_is_left_alone_as_long_as_it_asks() {
    let (place, server) = (Place::new(), Server::plain());
    let feed = feed(FeedKind::File, server.url("/a.json"));
    let mut start = 0;
    let date = "Thu, 01 Jan 1970 01:00:00 GMT";
    for (page, wait) in [
        (Page::status(429).header("Retry-After", "120"), 120),
        (Page::status(503).header("Retry-After", "99999999"), RETRY_AFTER_S_MAX),
        (
            Page::status(429)
                .header("Date", date)
                .header("Retry-After", &date.replace("01:0", "01:5")),
            3_000,
        ),
        (Page::status(503).header("Retry-After", "soon"), 0),
        (Page::status(500).header("Retry-After", "120"), 0),
    ] {
        server.put("/a.json", page);
        start += 1_000_000;
        assert!(place.fetch(&feed, start).fault.is_some());
        let asked = server.asked().len();
        if wait > 0 {
            let held = place.fetch(&feed, start + wait - 1);
            assert_eq!((held.held_until, held.requests), (Some(start + wait), 0));
            // Other feeds of the same machine leave it alone as well.
            let other = Feed { name: "other".into(), url: server.url("/b.json"), ..feed.clone() };
            assert_eq!(place.fetch(&other, start + wait - 1).held_until, Some(start + wait));
            assert_eq!(server.asked().len(), asked);
        }
        assert!(place.fetch(&feed, start + wait).held_until.is_none());
        assert_eq!(server.asked().len(), asked + 1);
    }
}

#[test]
fn a_certificate_has_to_be_good_for_the_name_that_is_asked() {
    for (authorities, certificate, wanted) in [
        ("ca.pem", "localhost.pem", ""),
        ("ca.pem", "other.pem", "certificate"),
        ("ca.pem", "expired.pem", "certificate"),
        ("stranger.pem", "localhost.pem", "certificate"),
    ] {
        let (place, server) = (Place::believing(authorities), Server::secure(certificate));
        server.put("/a.json", Page::text(record("1", "one")));
        let feed = feed(FeedKind::File, server.url("/a.json"));
        assert!(feed.url.starts_with("https://localhost:"));
        let fetched = place.fetch(&feed, 1_000);
        assert_eq!(code(&fetched), wanted, "{authorities} {certificate} {fetched:?}");
        assert_eq!(place.known().len(), usize::from(wanted.is_empty()));
    }
    let folder = tempfile::tempdir().unwrap();
    for name in ["key.pem", "README.md", "nothing.pem"] {
        let opened = Fetcher::open(folder.path(), Some(&fixture(name)));
        assert_eq!(opened.unwrap_err().code, "authorities", "{name}");
    }
}

#[test]
fn redirects_are_followed_over_tls_only_and_not_for_ever() {
    let (place, server) = (Place::new(), Server::secure("localhost.pem"));
    let plain = Server::plain();
    plain.put("/a.json", Page::text(record("1", "one")));
    let hop = |to: String| Page::status(302).header("Location", &to);
    for at in 0..=REDIRECTS_MAX {
        server.put(&format!("/{}", at + 1), hop(server.url(&format!("/{at}"))));
    }
    server.put("/0", Page::text(record("1", "one")));
    server.put("/plain", hop(plain.url("/a.json")));
    server.put("/loop", hop(server.url("/loop")));
    for (path, wanted) in [
        (format!("/{REDIRECTS_MAX}"), ""),
        (format!("/{}", REDIRECTS_MAX + 1), "redirect"),
        ("/plain".to_owned(), "redirect"),
        ("/loop".to_owned(), "redirect"),
    ] {
        let fetched = place.fetch(&feed(FeedKind::File, server.url(&path)), 1_000);
        assert_eq!(code(&fetched), wanted, "{path} {fetched:?}");
    }
    assert!(plain.asked().is_empty());
}

#[test]
fn an_answer_that_is_too_long_or_too_slow_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let patient = Client::new(Some(&fixture("ca.pem"))).unwrap();
    let hasty = Client::with_times(Some(&fixture("ca.pem")), 1).unwrap();
    let (server, into) = (Server::plain(), folder.path().join("1"));
    let get = |client: &Client, path: &str, bytes_max, stop: bool| {
        let stop = AtomicBool::new(stop);
        client.get(&server.url(path), None, &into, bytes_max, &stop).map_err(|it| it.code)
    };
    server.put("/long", Page::text("x".repeat(1_000)));
    server.put("/chunks", Page::text("x".repeat(1_000)).chunked());
    for path in ["/long", "/chunks"] {
        assert!(get(&patient, path, 1_000, false).is_ok());
        assert_eq!(get(&patient, path, 999, false), Err("too-long"), "{path}");
    }
    // Who is to end asks nobody, and says why nothing came.
    let asked = server.asked().len();
    assert_eq!(get(&patient, "/long", 1_000, true), Err("stopped"));
    assert_eq!(server.asked().len(), asked);
    server.put("/silent", Page::text("x").silent());
    assert_eq!(get(&hasty, "/silent", 1_000, false), Err("timed-out"));
    server.put("/stalls", Page::text("x".repeat(1_000)).stalls(500));
    assert_eq!(get(&hasty, "/stalls", 1_000, false), Err("timed-out"));
}

/// A list that shrank is refused whole, is asked for again in full, and passes when a person says.
#[test]
fn a_list_that_shrank_waits_for_a_person() {
    let (place, server) = (Place::new(), Server::plain());
    let catalogue = |count: usize| {
        let entry =
            |at: usize| format!(r#"{{"cveID":"CVE-2024-{:04}","dateAdded":"2024-01-02"}}"#, at + 1);
        let entries: Vec<_> = (0..count).map(entry).collect();
        let head =
            r#""title":"CISA Catalog of Known Exploited Vulnerabilities","catalogVersion":"1""#;
        let text =
            format!(r#"{{{head},"count":{count},"vulnerabilities":[{}]}}"#, entries.join(","));
        Page::text(text).etag(&format!("\"{count}\""))
    };
    let feed = feed(FeedKind::File, server.url("/kev.json"));
    server.put("/kev.json", catalogue(40));
    assert_eq!(place.fetch(&feed, 1_000).total(|it| it.new), 40);
    server.put("/kev.json", catalogue(10));
    for now in [5_000, 9_000] {
        let refused = place.fetch(&feed, now);
        assert_eq!((code(&refused), refused.reports.len()), ("refused", 1), "{refused:?}");
    }
    let accept = vec!["kev/cisa".to_owned()];
    let accepted =
        place.fetch_with(&feed, FetchOptions { accept, now: 20_000, ..FetchOptions::default() });
    assert_eq!((code(&accepted), accepted.total(|it| it.vanished)), ("", 30));
    assert!(place.fetch(&feed, 30_000).reports.is_empty());
}

#[test]
fn one_feed_at_a_time_asks_a_machine_and_each_is_told() {
    let (place, one, two) = (Place::new(), Server::plain().watch(), Server::plain().watch());
    let mut feeds = Vec::new();
    for at in 0..6 {
        let server = if at % 2 == 0 { &one } else { &two };
        let path = format!("/{at}.json");
        server.put(&path, Page::text(record(&at.to_string(), "x")));
        let name = at.to_string();
        feeds.push(Feed { name, ..feed(FeedKind::File, server.url(&path)) });
    }
    two.put("/5.json", Page::status(500));
    let options = FetchOptions { now: 1_000, ..FetchOptions::default() };
    feeds.iter().for_each(|feed| place.list(feed));
    let mut told = BTreeMap::new();
    let (stop, store) = (AtomicBool::new(false), &place.store);
    let all = &mut |it: Fetched| {
        told.insert(it.feed.clone(), code(&it));
    };
    place.fetcher.fetch_all(store, &feeds, &options, &stop, all).unwrap();
    let wanted = [("0", ""), ("1", ""), ("2", ""), ("3", ""), ("4", ""), ("5", "status")];
    assert_eq!(told, wanted.map(|(name, code)| (name.to_owned(), code)).into());
    assert_eq!((one.at_once(), two.at_once(), place.known().len()), (1, 1, 5));
}

/// A program that is told to end, or killed, leaves what is known as it was; nothing of what it
/// had fetched stays.
#[test]
fn a_look_that_is_ended_leaves_the_old_state() {
    let (place, server) = (Place::new(), Server::plain());
    server.put("/a.json", Page::text(record("1", "one")));
    let feed = feed(FeedKind::File, server.url("/a.json"));
    let options = FetchOptions { now: 1_000, ..FetchOptions::default() };
    place.list(&feed);
    let stopped = place.fetcher.fetch(&place.store, &feed, &options, &AtomicBool::new(true));
    assert_eq!(code(&stopped.unwrap()), "stopped");
    let state = place.state(&feed);
    assert_eq!((state.errors, state.is_due(1_000), place.known().len()), (0, true, 0));
    // As if nobody had looked.
    assert_eq!((state.tried_at, server.asked().len()), (None, 0));
    assert!(Fetcher::open(place.folder.path(), None).unwrap().is_none(), "one process at a time");
    let Place { folder, store, fetcher } = place;
    // As a process that dies leaves it.
    std::mem::forget(fetcher);
    assert!(folder.path().join("fetching").exists());
    drop(store);
}

/// Goal: what a look brings of a feed that was taken away meanwhile, or put on the list anew, never
/// stands in the state of the feed that is there then: that one would not be asked for what it was
/// said to have given. Method: the list changes between question and answer, by another connection,
/// as another process has one.
#[test]
fn a_look_at_a_feed_that_is_taken_away_meanwhile_notes_nothing() {
    for (again, wanted_term) in [(None, 0), (Some("/a.json"), 2), (Some("/b.json"), 2)] {
        let (place, server) = (Place::new(), Server::plain());
        for path in ["/a.json", "/b.json"] {
            server.put(path, Page::text(record("1", path)).etag("\"v1\""));
        }
        let old = feed(FeedKind::File, server.url("/a.json"));
        let again = again.map(|path| feed(FeedKind::File, server.url(path)));
        place.list(&old);
        let (folder, next) = (place.folder.path().to_owned(), again.clone());
        server.meanwhile(move || {
            let store = Store::open(&folder).unwrap();
            assert!(remove_feed(&store, "feed").unwrap());
            next.into_iter().for_each(|feed| add_feed(&store, feed).unwrap().unwrap());
        });
        let options = FetchOptions { now: 1_000, ..FetchOptions::default() };
        let never = AtomicBool::new(false);
        let fetched = place.fetcher.fetch(&place.store, &old, &options, &never).unwrap();
        assert_eq!(code(&fetched), "gone", "{fetched:?}");
        let untouched = FeedState { term: wanted_term, ..FeedState::default() };
        assert_eq!(place.state(&old), untouched);
        let Some(again) = again else {
            let fetched = place.fetcher.fetch(&place.store, &old, &options, &never).unwrap();
            assert_eq!((code(&fetched), fetched.requests), ("gone", 0));
            assert_eq!(place.state(&old), untouched);
            continue;
        };
        // It is asked for everything, and what it has comes.
        let fetched = place.fetch(&again, 2_000);
        assert_eq!((code(&fetched), fetched.reports.len()), ("", 1));
        assert!(!server.asked()[1].contains("if-none-match"));
        let path = again.url.rsplit_once('/').unwrap().1;
        assert_eq!(place.known()["GHSA-1"], format!("/{path}"));
    }
}
