//! Lists of changes: OSV, CVE, NVD, CSAF.

use std::io::{Cursor, Write as _};

use flate2::Compression;
use flate2::write::GzEncoder;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::loopback::{Page, Server};
use super::pull::{AHEAD_S, LATE_S};
use super::state::SKIPPED_MAX;
use super::tests::{Place, code, feed, record};
use super::*;

fn zip(records: &[(&str, &str)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (id, text) in records {
        writer.start_file(format!("GHSA-{id}.json"), SimpleFileOptions::default()).unwrap();
        writer.write_all(record(id, text).as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// A moment of the first day of 1970, as lists write it.
fn moment(at: u32) -> String {
    format!("1970-01-01T{:02}:{:02}:{:02}Z", at / 3_600, at / 60 % 60, at % 60)
}

fn list(changes: &[(u32, &str)]) -> String {
    changes.iter().map(|(at, id)| format!("{},GHSA-{id}\n", moment(*at))).collect()
}

/// An ecosystem of OSV, with what its server holds.
struct Osv {
    place: Place,
    server: Server,
    feed: Feed,
}

impl Osv {
    fn new() -> Self {
        let (place, server) = (Place::new(), Server::plain());
        let feed = feed(FeedKind::Osv, server.url("/Maven"));
        Self { place, server, feed }
    }

    fn whole(&self, at: u32, records: &[(&str, &str)]) {
        let tag = format!("\"zip {at}\"");
        self.server.put("/Maven/all.zip", Page::text(zip(records)).dated(at).etag(&tag));
    }

    fn changes(&self, changes: &[(u32, &str)]) {
        let text = list(changes);
        let tag = format!("\"{}\"", text.replace('\n', " "));
        self.server.put("/Maven/modified_id.csv", Page::text(text).etag(&tag));
    }

    fn one(&self, id: &str, text: &str) {
        self.server.put(&format!("/Maven/GHSA-{id}.json"), Page::text(record(id, text)));
    }

    /// Looks, and gives the paths that were asked for.
    fn look(&self, now: Timestamp) -> (Fetched, String) {
        let fetched = self.place.fetch(&self.feed, now);
        (fetched, self.server.take_paths().join(" ").replace("/Maven/", ""))
    }
}

#[test]
fn osv_is_fetched_whole_once_and_then_by_what_changed() {
    let osv = Osv::new();
    osv.whole(10_000, &[("1", "a"), ("2", "a")]);
    // What changed long before the archive was made is in it.
    osv.changes(&[(9_000, "2"), (100, "1")]);
    osv.one("2", "a");
    let (fetched, asked) = osv.look(20_000);
    assert_eq!(code(&fetched), "", "{fetched:?}");
    assert_eq!(asked, "all.zip modified_id.csv GHSA-2.json");
    assert_eq!((fetched.total(|it| it.new), fetched.total(|it| it.same)), (2, 1));
    assert_eq!(osv.look(24_000).1, "modified_id.csv", "nothing changed");
    osv.changes(&[(23_000, "1"), (23_000, "3"), (9_000, "2"), (100, "1")]);
    osv.one("1", "b");
    osv.one("3", "b");
    let (fetched, asked) = osv.look(28_000);
    assert_eq!(asked, "modified_id.csv GHSA-1.json GHSA-3.json");
    assert_eq!((fetched.total(|it| it.new), fetched.total(|it| it.changed)), (1, 1));
    // Another change of the same second is followed, and what was followed is not asked for again.
    osv.changes(&[(23_000, "1"), (23_000, "3"), (23_000, "4"), (9_000, "2"), (100, "1")]);
    osv.one("4", "b");
    assert_eq!(osv.look(32_000).1, "modified_id.csv GHSA-4.json");
    let known: Vec<_> = osv.place.known().into_values().collect();
    assert_eq!(known, ["b", "a", "b", "b"]);
}

/// What no list of changes told comes with the whole list of the next day, and is counted.
#[test]
fn a_change_that_no_list_told_comes_a_day_later_and_is_counted() {
    let osv = Osv::new();
    osv.whole(10_000, &[("1", "a"), ("2", "a")]);
    osv.changes(&[(100, "1"), (100, "2")]);
    osv.look(20_000);
    osv.whole(90_000 % 86_400, &[("1", "told"), ("2", "lost"), ("3", "lost")]);
    osv.changes(&[(40_000, "1"), (100, "2")]);
    osv.one("1", "told");
    let (fetched, asked) = osv.look(20_000 + 86_399);
    assert_eq!((asked.as_str(), fetched.reports.len()), ("modified_id.csv GHSA-1.json", 1));
    let (fetched, asked) = osv.look(20_000 + 86_400);
    assert_eq!((code(&fetched), asked.as_str()), ("", "modified_id.csv all.zip"));
    assert_eq!((osv.place.state(&osv.feed).missed, osv.place.known().len()), (2, 3));
    // What changes told is not lost, where the whole list is as it was.
    osv.changes(&[(50_000, "1"), (100, "2")]);
    osv.one("1", "told again");
    let (fetched, asked) = osv.look(20_000 + 2 * 86_400);
    assert_eq!((asked.as_str(), fetched.reports.len()), ("modified_id.csv GHSA-1.json all.zip", 1));
    assert_eq!(osv.place.state(&osv.feed).missed, 0);
}

#[test]
fn more_changes_than_a_look_may_follow_are_fetched_whole() {
    let osv = Osv::new();
    osv.whole(10_000, &[("1", "a")]);
    osv.changes(&[(100, "1")]);
    osv.look(20_000);
    let ids: Vec<String> = (0..=CHANGES_MAX).map(|at| at.to_string()).collect();
    let records: Vec<_> = ids.iter().map(|id| (id.as_str(), "b")).collect();
    osv.changes(&ids.iter().map(|id| (50_000, id.as_str())).collect::<Vec<_>>());
    osv.server.put("/Maven/all.zip", Page::status(500));
    assert_eq!(code(&osv.look(60_000).0), "status");
    assert_eq!(osv.place.state(&osv.feed).waiting, CHANGES_MAX + 1);
    osv.whole(60_000, &records);
    let (fetched, asked) = osv.look(70_000);
    assert_eq!((code(&fetched), asked.as_str()), ("", "modified_id.csv all.zip modified_id.csv"));
    assert_eq!((osv.place.known().len(), osv.place.state(&osv.feed).waiting), (CHANGES_MAX + 1, 0));
}

/// A record that does not come costs no other; it is missed, and asked for again.
#[test]
fn a_record_that_does_not_come_costs_no_other() {
    let osv = Osv::new();
    osv.whole(10_000, &[("1", "a")]);
    osv.changes(&[(30_000, "3"), (20_000, "2"), (100, "1")]);
    osv.one("3", "b");
    let (fetched, _) = osv.look(40_000);
    assert_eq!((code(&fetched), fetched.notes.len()), ("incomplete", 1), "{fetched:?}");
    assert!(fetched.notes[0].evidence.contains("GHSA-2.json"));
    // A list that did not change makes nothing of it good.
    let (fetched, asked) = osv.look(50_000);
    assert_eq!((code(&fetched), asked.as_str()), ("incomplete", "GHSA-2.json modified_id.csv"));
    assert_eq!((osv.place.state(&osv.feed).good_at, fetched.notes.len()), (None, 0), "said once");
    osv.one("2", "b");
    let (fetched, asked) = osv.look(60_000);
    assert_eq!((code(&fetched), asked.as_str()), ("", "GHSA-2.json modified_id.csv"));
    assert!(osv.place.state(&osv.feed).skipped.is_empty());
    assert_eq!(osv.place.known().len(), 3);
}

/// A server that fails in the middle: what came is kept, and the rest comes next time.
#[test]
fn what_came_before_a_fault_is_kept_and_the_rest_follows() {
    let osv = Osv::new();
    osv.whole(10_000, &[("1", "a")]);
    osv.changes(&[(40_000, "4"), (30_000, "3"), (20_000, "2")]);
    osv.one("2", "b");
    osv.server.put("/Maven/GHSA-3.json", Page::text(record("3", "b")).cut(20));
    osv.one("4", "b");
    let (fetched, asked) = osv.look(50_000);
    assert_eq!(code(&fetched), "cut");
    assert_eq!(asked, "all.zip modified_id.csv GHSA-2.json GHSA-3.json");
    assert_eq!(osv.place.known().len(), 2);
    osv.one("3", "b");
    let (fetched, asked) = osv.look(60_000);
    assert_eq!(code(&fetched), "");
    assert_eq!(asked, "modified_id.csv GHSA-3.json GHSA-4.json");
    assert_eq!(osv.place.known().len(), 4);
}

#[test]
fn a_list_that_is_none_fails_the_look() {
    let osv = Osv::new();
    osv.whole(10_000, &[("1", "a")]);
    osv.server.put("/Maven/modified_id.csv", Page::text("<html>Please sign in</html>"));
    let (fetched, _) = osv.look(20_000);
    assert_eq!((code(&fetched), osv.place.known().len()), ("list", 1));
    osv.changes(&[(100, "1")]);
    assert_eq!(code(&osv.look(30_000).0), "");
}

const CVE: &str = r#"{"dataType":"CVE_RECORD","dataVersion":"5.1","cveMetadata":{
"cveId":"CVE-2024-0001","assignerOrgId":"a","assignerShortName":"example","state":"PUBLISHED"},
"containers":{"cna":{"providerMetadata":{"orgId":"a","shortName":"example"},
"descriptions":[{"lang":"en","value":"x"}],"affected":[],"references":[]}}}"#;

#[test]
fn cve_is_followed_by_its_log_of_changes() {
    let (place, server) = (Place::new(), Server::plain());
    let whole = Some(server.url("/cves.zip"));
    let feed = Feed { whole, ..feed(FeedKind::Cve, server.url("/cves/deltaLog.json")) };
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    archive.start_file("cves/2024/0xxx/CVE-2024-0001.json", SimpleFileOptions::default()).unwrap();
    archive.write_all(CVE.as_bytes()).unwrap();
    // It is an archive of the whole repository.
    for name in ["README.md", "cves/delta.json", "cves/deltaLog.json"] {
        archive.start_file(name, SimpleFileOptions::default()).unwrap();
        archive.write_all(br#"[{"cveId":"CVE-2024-0001"}]"#).unwrap();
    }
    let archive = archive.finish().unwrap().into_inner();
    server.put("/cves.zip", Page::text(archive).dated(10_000));
    let log = |at: u32, id: &str| {
        let change = format!(r#"{{"cveId":"{id}","dateUpdated":"{}"}}"#, moment(at));
        Page::text(format!(r#"[{{"new":[],"updated":[{change}],"error":[]}}]"#))
    };
    server.put("/cves/deltaLog.json", log(100, "CVE-2024-0001"));
    let first = place.fetch(&feed, 20_000);
    assert_eq!((code(&first), first.total(|it| it.new)), ("", 1), "{first:?}");
    assert!(first.reports.iter().all(|it| it.rejects == 0), "{first:?}");
    server.put("/cves/deltaLog.json", log(15_000, "CVE-2024-12345"));
    let second = CVE.replace("CVE-2024-0001", "CVE-2024-12345");
    server.put("/cves/2024/12xxx/CVE-2024-12345.json", Page::text(second));
    let next = place.fetch(&feed, 30_000);
    assert_eq!((code(&next), next.total(|it| it.new)), ("", 1), "{next:?}");
    let paths = server.take_paths();
    assert!(!paths[2..].contains(&"/cves.zip".to_owned()), "{paths:?}");
    // The archive is large: a week passes before it is fetched again.
    place.fetch(&feed, 20_000 + 6 * 86_400);
    assert!(!server.take_paths().contains(&"/cves.zip".to_owned()));
    place.fetch(&feed, 20_000 + 7 * 86_400);
    assert!(server.take_paths().contains(&"/cves.zip".to_owned()));
}

#[test]
fn nvd_is_read_by_years_and_by_what_was_modified() {
    let (place, server) = (Place::new(), Server::plain());
    let feed = feed(FeedKind::Nvd, server.url("/nvd"));
    let page = |ids: &[&str]| {
        let one = |id: &&str| {
            format!(r#"{{"cve":{{"id":"{id}","vulnStatus":"Analyzed","descriptions":[]}}}}"#)
        };
        let all: Vec<_> = ids.iter().map(one).collect();
        let count = ids.len();
        let text = format!(
            r#"{{"resultsPerPage":{count},"startIndex":0,"totalResults":{count},"format":"NVD_CVE",
            "version":"2.0","vulnerabilities":[{}]}}"#,
            all.join(",")
        );
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(text.as_bytes()).unwrap();
        Page::text(packed.finish().unwrap()).etag(&format!("\"{}\"", ids.join("")))
    };
    server.put("/nvd/nvdcve-2.0-modified.json.gz", page(&["CVE-2003-0001"]));
    for year in 2002..=2004 {
        let id = format!("CVE-{year}-0002");
        server.put(&format!("/nvd/nvdcve-2.0-{year}.json.gz"), page(&[&id]));
    }
    // In the middle of January 2005, of which there is no file yet.
    let now = 1_105_700_000;
    let first = place.fetch(&feed, now);
    assert_eq!((code(&first), place.known().len(), first.notes.len()), ("", 4, 1), "{first:?}");
    server.put("/nvd/nvdcve-2.0-modified.json.gz", page(&["CVE-2005-0001"]));
    server.take_paths();
    place.fetch(&feed, now + 7_200);
    assert_eq!(server.take_paths(), ["/nvd/nvdcve-2.0-modified.json.gz"]);
    assert_eq!(place.known().len(), 5);
    // A day later each year is asked for, and given if it changed.
    let next = place.fetch(&feed, now + 86_400);
    assert_eq!((next.requests, next.reports.len()), (5, 0), "{next:?}");
}

fn csaf(id: &str, version: u32) -> String {
    format!(
        r#"{{"document":{{"category":"csaf_security_advisory","csaf_version":"2.0","title":"t",
        "publisher":{{"category":"vendor","name":"Example","namespace":"https://a.example"}},
        "tracking":{{"id":"{id}","status":"final","version":"{version}",
        "initial_release_date":"2024-01-01T00:00:00Z","current_release_date":"2024-01-01T00:00:00Z",
        "revision_history":[]}}}},"vulnerabilities":[{{"cve":"CVE-2024-0001"}}]}}"#
    )
}

#[test]
fn csaf_is_followed_by_the_lists_that_its_provider_names() {
    let (place, server) = (Place::new(), Server::plain());
    let feed = feed(FeedKind::Csaf, server.url("/provider-metadata.json"));
    let folder = format!(r#"{{"distributions":[{{"directory_url":"{}"}}]}}"#, server.url("/csaf"));
    server.put("/provider-metadata.json", Page::text(folder));
    server.put("/csaf/changes.csv", Page::text("\"2024/a.json\",\"2024-01-01T00:00:00Z\"\n"));
    server.put("/csaf/2024/a.json", Page::text(csaf("A-1", 1)));
    let first = place.fetch(&feed, 1_800_001_000);
    assert_eq!((code(&first), first.total(|it| it.new)), ("", 1), "{first:?}");
    // The provider has moved to a feed, which names a document of another machine in plain text.
    let other = Server::plain();
    other.put("/c.json", Page::text(csaf("A-3", 1)));
    let rolie = format!(
        r#"{{"distributions":[{{"rolie":{{"feeds":[{{"tlp_label":"WHITE","url":"{}"}}]}}}}]}}"#,
        server.url("/feed.json")
    );
    server.put("/provider-metadata.json", Page::text(rolie));
    let entry = |id: &str, url: String| {
        let at = "2024-02-01T00:00:00Z";
        format!(r#"{{"id":"{id}","updated":"{at}","content":{{"src":"{url}"}}}}"#)
    };
    let entries =
        [entry("A-2", server.url("/csaf/2024/b.json")), entry("A-3", other.url("/c.json"))];
    let list = format!(r#"{{"feed":{{"entry":[{}]}}}}"#, entries.join(","));
    server.put("/feed.json", Page::text(list).etag("\"1\""));
    server.put("/csaf/2024/b.json", Page::text(csaf("A-2", 1)));
    let next = place.fetch(&feed, 1_800_005_000);
    let counts = (next.total(|it| it.new), next.notes.len());
    assert_eq!((code(&next), counts), ("incomplete", (1, 1)), "{next:?}");
    assert!(other.asked().is_empty());
    server.take_paths();
    place.fetch(&feed, 1_800_009_000);
    assert_eq!(server.take_paths(), ["/provider-metadata.json", "/feed.json"]);
    server.put("/provider-metadata.json", Page::text("{}"));
    assert_eq!(code(&place.fetch(&feed, 1_800_013_000)), "list");
}

/// Thousands of documents come over several looks, the oldest changes first.
#[test]
fn a_long_list_is_followed_over_several_looks() {
    let (place, server) = (Place::new(), Server::plain());
    let feed = feed(FeedKind::Csaf, server.url("/changes.csv"));
    let count = CHANGES_MAX + 3;
    let line = |at: usize| {
        let at_moment = moment(u32::try_from(at / 10).unwrap());
        server.put(&format!("/{at:04}.json"), Page::text(csaf(&format!("A-{at}"), 1)));
        format!("\"{at:04}.json\",\"{at_moment}\"\n")
    };
    let text: String = (0..count).rev().map(line).collect();
    server.put("/changes.csv", Page::text(text.clone()).etag("\"1\""));
    let first = place.fetch(&feed, 1_000_000);
    assert_eq!((code(&first), first.total(|it| it.new)), ("", CHANGES_MAX));
    let how = |now| (place.state(&feed).waiting, place.state(&feed).word(&feed, now));
    assert_eq!(how(1_000_000), (3, "behind"));
    // A list that cannot be read is not one of which nothing waits.
    server.put("/changes.csv", Page::status(500));
    assert_eq!(code(&place.fetch(&feed, 1_005_000)), "status");
    assert_eq!(how(1_005_000), (3, "behind"));
    server.put("/changes.csv", Page::text(text).etag("\"1\""));
    let next = place.fetch(&feed, 1_010_000);
    assert_eq!((next.total(|it| it.new), how(1_010_000)), (3, (0, "fresh")));
    assert_eq!(place.fetch(&feed, 1_020_000).requests, 1);
}

/// Nobody goes past more documents that did not come than can be kept; nothing is lost, and what
/// came counts.
#[test]
fn a_server_that_gives_its_list_alone_is_not_followed_to_the_end() {
    let (place, server) = (Place::new(), Server::plain());
    let feed = feed(FeedKind::Csaf, server.url("/changes.csv"));
    let line = |at: usize| {
        let at_moment = moment(u32::try_from(at / 10).unwrap());
        format!("\"{at:04}.json\",\"{at_moment}\"\n")
    };
    let text: String = (0..SKIPPED_MAX + 3).map(line).collect();
    server.put("/changes.csv", Page::text(text).etag("\"1\""));
    for now in [1_000_000, 1_010_000, 1_020_000] {
        let fetched = place.fetch(&feed, now);
        assert_eq!(code(&fetched), "incomplete", "{:?}", fetched.fault);
        let state = place.state(&feed);
        assert_eq!((state.skipped.len(), state.good_at), (SKIPPED_MAX, None));
    }
    assert_eq!(place.state(&feed).word(&feed, 1_020_000), "failing");
    for at in 0..SKIPPED_MAX + 3 {
        server.put(&format!("/{at:04}.json"), Page::text(csaf(&format!("A-{at}"), 1)));
    }
    assert_eq!(code(&place.fetch(&feed, 1_020_000 + 86_400)), "");
    assert_eq!(place.known().len(), SKIPPED_MAX + 3);
}

/// What is wrong with another machine costs its documents and no other.
#[test]
fn another_machine_costs_its_own_documents_only() {
    let (place, server) = (Place::new(), Server::plain());
    let feed = feed(FeedKind::Csaf, server.url("/feed.json"));
    let (stranger, gone) = (Server::secure("other.pem"), Server::secure("localhost.pem"));
    let around = Server::secure("localhost.pem");
    around.put("/2.json", Page::status(302).header("Location", &around.url("/2.json")));
    gone.close();
    let urls = [
        stranger.url("/0.json"),
        gone.url("/1.json"),
        around.url("/2.json"),
        server.url("/3.json"),
    ];
    let entry = |(at, url): (usize, &String)| {
        format!(r#"{{"id":"A-{at}","updated":"2024-02-0{}","content":{{"src":"{url}"}}}}"#, at + 1)
    };
    let entries: Vec<_> = urls.iter().enumerate().map(entry).collect();
    let list = format!(r#"{{"feed":{{"entry":[{}]}}}}"#, entries.join(","));
    server.put("/feed.json", Page::text(list));
    server.put("/3.json", Page::text(csaf("A-3", 1)));
    let fetched = place.fetch(&feed, 1_800_000_000);
    let counts = (fetched.total(|it| it.new), fetched.notes.len());
    assert_eq!((code(&fetched), counts), ("incomplete", (1, 3)), "{fetched:?}");
    assert_eq!(place.state(&feed).skipped.len(), 3);
}

/// An archive of which a part cannot be read is none that came: no later answer "as it was" makes
/// it good, and changes are followed from where they were.
#[test]
fn an_archive_that_is_damaged_is_asked_for_again() {
    let osv = Osv::new();
    osv.changes(&[(100, "1"), (100, "2")]);
    let records = [("1", "a"), ("2", "a")];
    let mut damaged = zip(&records);
    let at = damaged.windows(2).position(|it| it == b"PK").unwrap() + 45;
    damaged[at] ^= 0xff;
    osv.server.put("/Maven/all.zip", Page::text(damaged).dated(10_000).etag("\"zip 10000\""));
    for now in [20_000, 30_000] {
        let (fetched, asked) = osv.look(now);
        assert_eq!((code(&fetched), asked.as_str()), ("damaged", "all.zip"), "{fetched:?}");
        let state = osv.place.state(&osv.feed);
        assert_eq!((state.full_at, state.cursors.len(), state.good_at), (None, 0, None));
    }
    osv.whole(10_000, &records);
    assert_eq!(code(&osv.look(40_000).0), "");
    assert_eq!(osv.place.known().len(), 2);
}

/// A document of a list that came damaged did not come.
#[test]
fn a_document_that_is_damaged_did_not_come() {
    let osv = Osv::new();
    osv.whole(10_000, &[("1", "a")]);
    osv.changes(&[(20_000, "2"), (100, "1")]);
    osv.server.put("/Maven/GHSA-2.json", Page::text(b"\x1f\x8b\x08 and nothing of it".to_vec()));
    assert_eq!(code(&osv.look(30_000).0), "nothing-usable");
    osv.changes(&[(21_000, "3"), (20_000, "2"), (100, "1")]);
    osv.one("3", "b");
    assert_eq!(code(&osv.look(40_000).0), "incomplete");
    osv.one("2", "b");
    let (fetched, asked) = osv.look(50_000);
    assert_eq!((code(&fetched), asked.as_str()), ("", "GHSA-2.json modified_id.csv"));
    assert_eq!(osv.place.known().len(), 3);
}

/// A provider speaks for itself: what it publishes in the form of another changes nothing.
#[test]
fn a_feed_speaks_in_its_own_form_only() {
    let (place, server) = (Place::new(), Server::plain());
    let file = feed(FeedKind::File, server.url("/1.json"));
    server.put("/1.json", Page::text(record("1", "theirs")));
    place.fetch(&file, 1_000);
    let known = place.known();
    let withdrawn =
        record("1", "mine").replace("{\"id\"", "{\"withdrawn\":\"2024-02-01T00:00:00Z\",\"id\"");
    server.put("/x.json", Page::text(withdrawn.clone()));
    server.put("/a.json", Page::text(csaf("A-1", 1)));
    server.put("/b.json", Page::text(CVE));
    let changes = |names: &[&str]| {
        let line = |name: &&str| format!("\"{name}.json\",\"2024-02-01T00:00:00Z\"\n");
        server.put("/changes.csv", Page::text(names.iter().map(line).collect::<String>()));
    };
    changes(&["x", "b"]);
    let provider = Feed { name: "csaf".into(), ..feed(FeedKind::Csaf, server.url("/changes.csv")) };
    let fetched = place.fetch(&provider, 1_800_000_000);
    assert_eq!((code(&fetched), place.known()), ("nothing-usable", known.clone()), "{fetched:?}");
    changes(&["x", "b", "a"]);
    let fetched = place.fetch(&provider, 1_800_010_000);
    assert_eq!((code(&fetched), fetched.reports[0].rejects), ("", 2), "{fetched:?}");
    let warning = &fetched.reports[0].warnings[0];
    assert_eq!(warning.code, "advisory-format-other");
    assert_eq!(place.known()["GHSA-1"], "theirs");
    assert!(place.store.advisories().unwrap().iter().all(|it| it.source != "cve"));
    // The catalogue of exploited flaws by its name, too.
    server.put("/1.json", Page::text(withdrawn));
    let fetched = place.fetch(&Feed { name: "kev".into(), ..file }, 1_800_000_000);
    assert_eq!(code(&fetched), "nothing-usable");
    assert_eq!(place.known()["GHSA-1"], "theirs");
}

/// An entry of 2062 is followed once and said, and costs nothing that comes after it.
#[test]
fn an_entry_that_is_dated_in_the_future_hides_none() {
    let osv = Osv::new();
    osv.whole(10_000, &[("1", "a")]);
    let ahead = "2062-01-01T00:00:00Z,GHSA-9\n";
    let lists = |text: &str| {
        let tag = format!("\"{}\"", text.len());
        osv.server.put("/Maven/modified_id.csv", Page::text(text).etag(&tag));
    };
    lists(&format!("{ahead}{}", list(&[(20_000, "2")])));
    ["2", "3", "9"].iter().for_each(|id| osv.one(id, "b"));
    let (fetched, asked) = osv.look(30_000);
    assert_eq!((code(&fetched), fetched.notes.len()), ("", 1), "{fetched:?}");
    assert!(fetched.notes[0].message.contains("GHSA-9"), "{fetched:?}");
    assert_eq!(asked, "all.zip modified_id.csv GHSA-2.json GHSA-9.json");
    lists(&format!("{ahead}{}", list(&[(20_000, "2"), (31_000, "3")])));
    let (fetched, asked) = osv.look(40_000);
    assert_eq!((asked.as_str(), fetched.notes.len()), ("modified_id.csv GHSA-3.json", 0));
    // One that the state of an older program believed is forgotten; what is a little ahead is not.
    for (at, wanted) in [
        (50_000 + AHEAD_S, "modified_id.csv"),
        (50_001 + AHEAD_S, "modified_id.csv GHSA-2.json GHSA-3.json GHSA-9.json"),
    ] {
        let mut state = osv.place.state(&osv.feed);
        state.validators.clear();
        state.full_at = Some(50_000);
        state.cursors.values_mut().for_each(|it| it.at = at);
        assert!(state.put(&osv.place.store, &osv.feed).unwrap());
        assert_eq!(osv.look(50_000).1, wanted, "{at}");
    }
}

/// Publishers date a document and publish it days later: it is followed all the same, once.
#[test]
fn a_document_that_appears_late_is_followed() {
    let (place, server) = (Place::new(), Server::plain());
    let feed = feed(FeedKind::Csaf, server.url("/changes.csv"));
    let newest: Timestamp = 1_704_067_200;
    let put = |changes: &[(&str, &str)]| {
        let line = |(id, at): &(&str, &str)| format!("\"{id}.json\",\"{at}\"\n");
        server.put("/changes.csv", Page::text(changes.iter().map(line).collect::<String>()));
        for (id, _) in changes {
            server.put(&format!("/{id}.json"), Page::text(csaf(id, 1)));
        }
    };
    assert_eq!(LATE_S, 14 * 86_400);
    let first = ("a", "2024-01-01T00:00:00Z");
    put(&[first]);
    place.fetch(&feed, newest + 1_000);
    let (late, too_late) = (("b", "2023-12-18T00:00:00Z"), ("c", "2023-12-17T23:59:59Z"));
    put(&[first, late, too_late]);
    server.take_paths();
    place.fetch(&feed, newest + 5_000);
    assert_eq!(server.take_paths(), ["/changes.csv", "/b.json"]);
    place.fetch(&feed, newest + 9_000);
    assert_eq!(server.take_paths(), ["/changes.csv"]);
    // Another revision, dated before the newest change of all.
    put(&[first, ("b", "2023-12-19T00:00:00Z")]);
    place.fetch(&feed, newest + 13_000);
    assert_eq!(server.take_paths(), ["/changes.csv", "/b.json"]);
}

/// A provider of several lists is not asked for more in one look than one with a single list.
#[test]
fn so_many_documents_a_look_are_fetched_of_all_lists() {
    let (place, server) = (Place::new(), Server::plain());
    let feed = feed(FeedKind::Csaf, server.url("/provider-metadata.json"));
    let count = CHANGES_MAX - 2;
    let mut folders = Vec::new();
    for (folder, count) in [("a", count), ("b", 5), ("c", 4)] {
        let line = |at: usize| {
            let id = format!("{folder}-{at}");
            server.put(&format!("/{folder}/{at}.json"), Page::text(csaf(&id, 1)));
            format!("\"{at}.json\",\"2024-01-01T00:00:00Z\"\n")
        };
        let text: String = (0..count).map(line).collect();
        server.put(&format!("/{folder}/changes.csv"), Page::text(text).etag("\"1\""));
        folders.push(format!(r#"{{"directory_url":"{}"}}"#, server.url(&format!("/{folder}"))));
    }
    let text = format!(r#"{{"distributions":[{}]}}"#, folders.join(","));
    server.put("/provider-metadata.json", Page::text(text));
    let first = place.fetch(&feed, 1_800_000_000);
    assert_eq!((code(&first), first.total(|it| it.new)), ("", CHANGES_MAX));
    assert_eq!(place.state(&feed).waiting, 7);
    let next = place.fetch(&feed, 1_800_010_000);
    assert_eq!((next.total(|it| it.new), place.state(&feed).waiting), (7, 0));
}

/// What a publisher took back is not missed for ever; what a list only fails to say is.
#[test]
fn a_document_that_its_list_names_no_longer_is_not_missed() {
    let osv = Osv::new();
    osv.whole(10_000, &[("1", "a")]);
    osv.changes(&[(20_000, "2"), (20_000, "3"), (100, "1")]);
    let missed = |now| {
        let (fetched, _) = osv.look(now);
        (code(&fetched), osv.place.state(&osv.feed).skipped.len())
    };
    assert_eq!(missed(30_000), ("incomplete", 2));
    osv.changes(&[(20_000, "3"), (100, "1")]);
    assert_eq!(missed(40_000), ("incomplete", 1));
    let url = "/Maven/modified_id.csv";
    osv.server.put(url, Page::text(format!("{}GHSA-3", list(&[(100, "1")]))));
    assert_eq!(missed(50_000), ("incomplete", 1), "a line that cannot be used");
    osv.server.put(url, Page::text(""));
    assert_eq!(missed(60_000), ("incomplete", 1), "a list of nothing");
    osv.changes(&[(100, "1")]);
    assert_eq!(missed(70_000), ("", 0));
}
