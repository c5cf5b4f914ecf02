//! Imports of whole files: counts, doubles, withdrawals, cuts, and what stays in force.

use std::fs;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use testkit::Rng;

use super::*;
use crate::advisories_of;

struct Folder {
    folder: tempfile::TempDir,
    store: Store,
}

impl Folder {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("data")).unwrap();
        Self { folder, store }
    }

    fn import(&self, now: Timestamp, files: &[(&str, &[u8])]) -> ImportReport {
        self.import_with(files, &ImportOptions { now, ..ImportOptions::default() })
    }

    fn import_with(&self, files: &[(&str, &[u8])], options: &ImportOptions) -> ImportReport {
        let write = |(name, bytes): &(&str, &[u8])| {
            let path = self.folder.path().join(name);
            fs::write(&path, bytes).unwrap();
            path
        };
        let files: Vec<_> = files.iter().map(write).collect();
        import(&self.store, &files, options, &mut |_, _| {}).unwrap()
    }

    /// What the records say about a package, as group ids with the versions that are affected.
    fn affected(&self, id: &str) -> Vec<String> {
        let known = advisories_of(&self.store).unwrap();
        let Some(group) = known.group(id) else { return Vec::new() };
        let in_force = group.records().filter(|record| record.is_in_force());
        let names = in_force.flat_map(|record| &record.affected).map(|it| it.package.name.clone());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }
}

fn osv(id: &str, name: &str, fields: &str) -> String {
    let package = format!(r#""package":{{"ecosystem":"npm","name":"{name}"}}"#);
    let ranges = r#""ranges":[{"type":"SEMVER","events":[{"introduced":"1"},{"fixed":"2"}]}]"#;
    format!(r#"{{"id":"{id}",{fields}"affected":[{{{package},{ranges}}}]}}"#)
}

fn feed(count: usize) -> String {
    (0..count).map(|n| osv(&format!("GHSA-{n}"), "a", "") + "\n").collect()
}

#[test]
fn a_second_import_of_the_same_is_only_counted() {
    let it = Folder::new();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(feed(50).as_bytes()).unwrap();
    let packed = encoder.finish().unwrap();
    let first = it.import(1, &[("a.jsonl.gz", &packed)]);
    assert_eq!((first.records, first.total(|it| it.new), first.rejects), (50, 50, 0));
    assert_eq!(first.formats["osv"], 1);
    let second = it.import(2, &[("a.jsonl.gz", &packed), ("b.json", feed(1).as_bytes())]);
    assert_eq!((second.files, second.records, second.total(|it| it.same)), (2, 51, 51));
    assert_eq!((second.total(|it| it.new), second.total(|it| it.changed)), (0, 0));
}

#[test]
fn any_mixture_of_forms_goes_to_its_sources() {
    let it = Folder::new();
    let kev =
        r#"{"catalogVersion":"1","vulnerabilities":[{"cveID":"CVE-1","dateAdded":"2024-01-01"}]}"#;
    let epss =
        "#model_version:m,score_date:2025-08-25T00:00:00Z\ncve,epss,percentile\nCVE-1,0.5,0.9\n";
    let report = it.import(
        1,
        &[
            ("a.json", osv("GHSA-1", "a", r#""aliases":["CVE-1"],"#).as_bytes()),
            ("b.json", kev.as_bytes()),
            ("c.csv", epss.as_bytes()),
            ("d.txt", b"nothing"),
            ("e.json", b"{\"id\":"),
        ],
    );
    let sources: Vec<_> = report.sources.keys().map(String::as_str).collect();
    assert_eq!(sources, ["ghsa", "kev/cisa"]);
    assert_eq!((report.scores, report.rejects, report.records), (1, 2, 2));
    let known = advisories_of(&it.store).unwrap();
    assert!(known.group("CVE-1").unwrap().known_exploited());
    assert_eq!(it.store.advisory_scores("epss").unwrap().unwrap().model, "m");
}

/// Goal: a record whose successor is broken stays in force, and says that it is out of date.
#[test]
fn a_broken_successor_leaves_the_old_revision_in_force() {
    let it = Folder::new();
    it.import(1, &[("a.json", osv("GHSA-1", "a", "").as_bytes())]);
    let broken = r#"{"id":"GHSA-1","affected":[{"package":{"ecosystem":"npm"}}]}"#;
    let report = it.import(2, &[("a.json", broken.as_bytes())]);
    assert_eq!((report.rejects, report.total(|it| it.stale)), (1, 1));
    assert_eq!(it.affected("GHSA-1"), ["a"]);
    assert_eq!(it.store.advisory_marks().unwrap()[0].kind, "stale-record");
}

/// Goal: a feed that is cut after any number of bytes never takes anything away.
#[test]
fn a_feed_cut_anywhere_takes_nothing_away() {
    let it = Folder::new();
    let whole = format!("{}\n{}\n", osv("GHSA-1", "a", ""), osv("GHSA-2", "b", ""));
    it.import(1, &[("a.jsonl", whole.as_bytes())]);
    let options = ImportOptions { is_whole: true, now: 2, ..ImportOptions::default() };
    for cut in (0..whole.len()).step_by(7) {
        it.import_with(&[("a.jsonl", &whole.as_bytes()[..cut])], &options);
        assert_eq!(
            (it.affected("GHSA-1"), it.affected("GHSA-2")),
            (vec!["a".to_owned()], vec!["b".to_owned()]),
            "{cut}"
        );
    }
}

#[test]
fn doubles_of_one_list_say_both_and_are_stable() {
    let it = Folder::new();
    let list = format!("{}\n{}\n", osv("ALSA-1", "a", ""), osv("ALSA-1", "b", ""));
    let report = it.import(1, &[("a.jsonl", list.as_bytes())]);
    assert_eq!(report.total(|it| it.united), 1);
    assert_eq!(report.warnings[0].code, "duplicate-id");
    assert_eq!(it.affected("ALSA-1"), ["a", "b"]);
    let again = it.import(2, &[("a.jsonl", list.as_bytes())]);
    assert_eq!((again.total(|it| it.same), again.notes), (2, 0));
}

/// Goal: 40 withdrawn records, each replayed both ways, in any order.
#[test]
fn withdrawn_and_back_forty_times() {
    let it = Folder::new();
    let withdrawn = r#""withdrawn":"2024-01-01T00:00:00Z","#;
    let mut rng = Rng::new(40);
    let mut ids: Vec<usize> = (0..40).collect();
    for at in (1..ids.len()).rev() {
        ids.swap(at, rng.below(at + 1));
    }
    for (now, id) in ids.into_iter().enumerate() {
        let (id, now) = (format!("GO-{id}"), 3 * now as i64);
        let states = [("", true), (withdrawn, false), ("", true)];
        for (step, (fields, is_affected)) in states.into_iter().enumerate() {
            let record = osv(&id, "a", fields);
            it.import(now + step as i64, &[("a.json", record.as_bytes())]);
            assert_eq!(!it.affected(&id).is_empty(), is_affected, "{id} {step}");
        }
        let history = it.store.advisory_history("go", &id).unwrap();
        let states: Vec<_> = history.iter().map(|it| it.withdrawn.is_some()).collect();
        assert_eq!(states, [false, true, false]);
    }
}

/// Goal: of a number that is rejected the opinion of each of its containers ends, that of others
/// about it stays, and all is as before when the number is published again. Method: a CVE record
/// with the containers of an assigner and of somebody else, beside a record of OSV.
#[test]
fn m19_rejected_and_back() {
    let it = Folder::new();
    let product = |name: &str| {
        format!(
            r#"{{"packageURL":"pkg:npm/{name}","versions":[{{"version":"0","lessThan":"2",
            "status":"affected","versionType":"semver"}}]}}"#
        )
    };
    let cve = |state: &str, containers: &str| {
        format!(
            r#"{{"dataType":"CVE_RECORD","dataVersion":"5.1","cveMetadata":{{"cveId":
            "CVE-2099-1","state":"{state}","assignerShortName":"x"}},"containers":{containers}}}"#
        )
    };
    let (cna, adp) = (product("cna"), product("adp"));
    let both = format!(
        r#"{{"cna":{{"affected":[{cna}]}},"adp":[{{"title":"T","providerMetadata":
        {{"shortName":"T"}},"affected":[{adp}]}}]}}"#
    );
    let rejected = r#"{"cna":{"rejectedReasons":[{"lang":"en","value":"twice"}]}}"#;
    let osv = osv("GHSA-1", "osv", r#""aliases":["CVE-2099-1"],"#);
    it.import(1, &[("osv.json", osv.as_bytes())]);
    let all = ["adp", "cna", "osv"];
    for (now, record, wanted) in [
        (2, cve("PUBLISHED", &both), &all[..]),
        (3, cve("REJECTED", rejected), &all[2..]),
        (4, cve("PUBLISHED", &both), &all[..]),
    ] {
        it.import(now, &[("cve.json", record.as_bytes())]);
        assert_eq!(it.affected("CVE-2099-1"), wanted, "{now}");
    }
    let history = it.store.advisory_history("cve", "CVE-2099-1").unwrap();
    let states: Vec<_> = history.iter().map(|it| it.withdrawn.is_some()).collect();
    assert_eq!(states, [false, true, false]);
}

/// Debian's tracker with so many packages, each with a flaw of its own number.
fn tracker(count: usize) -> String {
    let entry = |n: usize| {
        let state = r#"{"status":"open","repositories":{}}"#;
        format!(r#""p{n}":{{"CVE-{n}":{{"releases":{{"bookworm":{state}}}}}}}"#)
    };
    let entries: Vec<_> = (0..count).map(entry).collect();
    format!("{{{}}}", entries.join(","))
}

#[test]
fn what_leaves_the_tracker_of_a_distribution_ends() {
    let it = Folder::new();
    it.import(1, &[("t.json", tracker(30).as_bytes())]);
    assert_eq!(it.affected("CVE-29"), ["p29"]);
    let report = it.import(2, &[("t.json", tracker(29).as_bytes())]);
    assert_eq!(report.total(|it| it.vanished), 1);
    assert_eq!(it.affected("CVE-29"), Vec::<String>::new());
    it.import(3, &[("t.json", tracker(30).as_bytes())]);
    assert_eq!(it.affected("CVE-29"), ["p29"]);
    let report = it.import(4, &[("t.json", tracker(10).as_bytes())]);
    assert_eq!(report.sources["debian"].refused, Some(Guard::Shrunk { before: 30, now: 10 }));
    assert_eq!(it.affected("CVE-29"), ["p29"]);
}

/// The tracker is a complete list: what Debian says through OSV is not in it, and stays.
#[test]
fn the_tracker_of_debian_and_its_advisories_of_osv_end_nothing_of_each_other() {
    let it = Folder::new();
    let tracker = tracker(30);
    let osv: String = (0..30)
        .map(|n| osv(&format!("DSA-{n}-1"), "q", &format!(r#""related":["CVE-{n}"],"#)) + "\n")
        .collect();
    for now in 1..4 {
        for file in [("t.json", tracker.as_bytes()), ("o.jsonl", osv.as_bytes())] {
            let is_whole = now == 3;
            let options = ImportOptions { now, is_whole, ..ImportOptions::default() };
            let report = it.import_with(&[file], &options);
            let counts = |it: &SourceCounts| (it.refused, it.vanished, it.changed);
            assert!(report.sources.values().all(|it| counts(it) == (None, 0, 0)), "{report:?}");
        }
        assert_eq!(it.affected("CVE-29"), ["p29", "q"], "{now}");
    }
    let known = it.store.advisory_sources().unwrap();
    let known: Vec<_> = known.iter().map(|it| (it.name.as_str(), it.records)).collect();
    assert_eq!(known, [("debian", 30), ("osv-debian", 30)]);
}

#[test]
fn a_file_that_is_not_there_is_a_reject_and_warnings_have_an_end() {
    let it = Folder::new();
    let missing = vec![it.folder.path().join("nothing.json")];
    let options = ImportOptions::default();
    let report = import(&it.store, &missing, &options, &mut |_, _| {}).unwrap();
    assert_eq!((report.files, report.rejects), (1, 1));
    let broken = "{\"id\":\"A-1\",\"affected\":7}\n".repeat(WARNINGS_MAX + 5);
    let report = it.import(1, &[("a.jsonl", broken.as_bytes())]);
    assert_eq!((report.rejects, report.warnings.len()), (WARNINGS_MAX + 5, WARNINGS_MAX));
}

#[test]
fn progress_is_told_and_batches_are_bounded() {
    let it = Folder::new();
    let path = it.folder.path().join("a.jsonl");
    let record = osv("GHSA-1", &"x".repeat(4_000), "");
    let count = 2 * BATCH_BYTES / record.len();
    fs::write(&path, (record + "\n").repeat(count)).unwrap();
    let mut told = Vec::new();
    let options = ImportOptions::default();
    import(&it.store, &[path], &options, &mut |records, _| told.push(records)).unwrap();
    assert!(told.len() >= 2, "{told:?}");
    assert_eq!(told.last(), Some(&count));
}

/// Goal: what changes every day (scores, catalogues, ratings, prose) voids no evidence; what
/// decides does.
#[test]
fn daily_news_moves_the_text_and_not_the_revision() {
    let it = Folder::new();
    let record = |fields: &str, name: &str| osv("CVE-1", name, fields);
    let revisions = || {
        let known = advisories_of(&it.store).unwrap();
        let group = known.group("CVE-1").unwrap();
        (group.revision(), group.text_revision())
    };
    it.import(1, &[("a.json", record("", "a").as_bytes())]);
    let mut before = revisions();
    let kev = r#"{"catalogVersion":"1","vulnerabilities":[{"cveID":"CVE-1"}]}"#;
    let nvd = r#"{"resultsPerPage":1,"vulnerabilities":[{"cve":{"id":"CVE-1","metrics":
        {"cvssMetricV31":[{"cvssData":{"vectorString":"CVSS:3.1/AV:N","baseScore":9.8}}]}}}]}"#;
    let prose = record(r#""summary":"other","references":[{"url":"https://example.org"}],"#, "a");
    for (now, text) in [(2, kev), (3, nvd), (4, prose.as_str())] {
        it.import(now, &[("b.json", text.as_bytes())]);
        let after = revisions();
        assert_eq!(after.0, before.0, "{text}");
        assert_ne!(after.1, before.1, "{text}");
        before = after;
    }
    let epss = "#model_version:m,score_date:2025-08-25\ncve,epss,percentile\nCVE-1,0.5,0.9\n";
    it.import(5, &[("e.csv", epss.as_bytes())]);
    assert_eq!(revisions(), before);
    it.import(6, &[("a.json", record("", "b").as_bytes())]);
    assert_ne!(revisions().0, before.0);
}

/// A wrong score is told, and the record counts all the same.
#[test]
fn wrong_scores_are_warnings_on_a_record_that_counts() {
    let vector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";
    let record = |id: &str, score: &str, vector: &str| {
        format!(
            r#"{{"dataType":"CVE_RECORD","dataVersion":"5.1","cveMetadata":{{"cveId":"{id}",
            "state":"PUBLISHED"}},"containers":{{"cna":{{"metrics":[{{"cvssV3_1":{{"version":"3.1",
            "vectorString":"{vector}","baseScore":{score}}}}}],"affected":[{{
            "packageURL":"pkg:npm/a","versions":[{{"version":"1","status":"affected"}}]}}]}}}}}}"#
        )
        .replace('\n', " ")
    };
    for (score, vector, wanted) in [
        ("9.8", vector, ""),
        ("5.0", vector, "the score 5.0 is not that of its vector, which is 9.8"),
        ("9.8", "CVSS:3.1/AV:N", "was not used: cvss-missing"),
        ("9.8", "CVSS:3.1/AV:Q/AC:L", "was not used: cvss-value"),
    ] {
        let folder = Folder::new();
        let report =
            folder.import(1, &[("a.json", record("CVE-2099-1", score, vector).as_bytes())]);
        assert_eq!((report.records, report.rejects), (1, 0), "{:?}", report.warnings);
        assert_eq!(folder.affected("CVE-2099-1"), ["a"]);
        let told: Vec<_> = report.warnings.iter().map(|it| it.message.as_str()).collect();
        match wanted {
            "" => assert_eq!(told, [""; 0]),
            text => assert!(told.iter().any(|it| it.contains(text)), "{text}: {told:?}"),
        }
    }
}

/// Goal: nobody waits for an import longer than for one batch of it, and a list counts as a whole
/// or not at all. Method: after each batch another connection, as another process has one, writes
/// and reads; nothing is waited for.
#[test]
fn others_get_at_the_store_while_a_list_is_read_and_see_none_of_it() {
    let it = Folder::new();
    it.import(1, &[("a.jsonl", feed(3).as_bytes())]);
    let files: Vec<(String, String)> = (0..2 * BATCH_DOCUMENTS + 5)
        .map(|n| (format!("{n}.json"), osv(&format!("GHSA-{n}"), "b", "")))
        .collect();
    let paths: Vec<PathBuf> = files
        .iter()
        .map(|(name, text)| {
            let path = it.folder.path().join(name);
            fs::write(&path, text).unwrap();
            path
        })
        .collect();
    let other = Store::open(&it.folder.path().join("data")).unwrap();
    let mut batches = 0;
    let mut look = |_: usize, _: &str| {
        batches += 1;
        // In this process too: the import holds the connection only while it keeps a batch.
        it.store.meta_put("own", &batches.to_string()).unwrap();
        other.meta_put("other", &batches.to_string()).unwrap();
        let known = other.advisories().unwrap();
        assert!(known.len() == 3 && known.iter().all(|it| it.bytes.ends_with(b"}]}]}]}")));
        assert!(known.iter().all(|it| !String::from_utf8_lossy(&it.bytes).contains("\"b\"")));
    };
    let options = ImportOptions { now: 2, ..ImportOptions::default() };
    let report = import(&it.store, &paths, &options, &mut look).unwrap();
    assert_eq!((batches, report.records), (3, files.len()));
    assert_eq!((report.total(|it| it.new), report.total(|it| it.changed)), (files.len() - 3, 3));
    assert_eq!(it.store.meta_get("other").unwrap().as_deref(), Some("3"));
    assert_eq!(other.advisories().unwrap().len(), files.len());
}

/// Goal: an import that dies in the middle changes nothing, and the next one is as if it had never
/// been. Method: an import whose caller panics after its first batch.
#[test]
fn an_import_that_dies_in_the_middle_tells_nothing() {
    let it = Folder::new();
    let text = feed(50);
    let path = it.folder.path().join("a.jsonl");
    fs::write(&path, &text).unwrap();
    let files = [path];
    let died = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let options = ImportOptions::default();
        import(&it.store, &files, &options, &mut |_, _| panic!("as a process that is killed"))
    }));
    assert!(died.is_err());
    assert_eq!((it.store.advisories().unwrap().len(), it.store.advisory_seq().unwrap()), (0, 0));
    let report = it.import(1, &[("a.jsonl", text.as_bytes())]);
    assert_eq!((report.total(|it| it.new), report.rejects), (50, 0));
    assert_eq!(it.store.advisories().unwrap().len(), 50);
    it.store.check().unwrap();
}

/// The releases among these (`deb/debian debian-11`) of which anybody speaks, as told by all
/// advisories and by some.
fn spoken_among(store: &Store, releases: [&str; 3]) -> String {
    let known = crate::advisories_about(store, &["DSA-1".to_owned()]).unwrap();
    let all = advisories_of(store).unwrap();
    let hosts = releases.map(|release| {
        let (system, distro) = release.split_once(' ').unwrap();
        let purl = format!("pkg:{system}/b@1?distro={distro}");
        let purl = relight_model::Purl::parse(&purl).unwrap();
        let (basis, scope) = (relight_model::Basis::Document, relight_model::Scope::Installed);
        relight_model::Component::new(purl, "", basis, scope)
    });
    let heard = hosts.iter().filter(|it| known.unspoken(it).is_none());
    let heard: Vec<_> = heard.map(|it| it.purl.qualifier("distro").unwrap()).collect();
    let whole = hosts.iter().filter(|it| all.unspoken(it).is_none()).count();
    assert_eq!(heard.len(), whole, "of all advisories and of some");
    heard.join(" ")
}

/// Goal: whoever reads some records knows of which releases all of them speak, whatever came and
/// went. Method: after each import, what was followed against what is read from nothing.
#[test]
fn releases_that_are_spoken_of_are_followed() {
    let it = Folder::new();
    let entry = |release: &str| {
        format!(r#"{{"package":{{"ecosystem":"{release}","name":"a"}},"versions":["1"]}}"#)
    };
    let record = |id: &str, releases: &[&str], fields: &str| {
        let entries: Vec<_> = releases.iter().map(|it| entry(it)).collect();
        format!(r#"{{"id":"{id}",{fields}"affected":[{}]}}"#, entries.join(","))
    };
    let releases = ["deb/debian debian-11", "deb/debian debian-12", "deb/debian debian-13"];
    let spoken = || spoken_among(&it.store, releases).replace("debian-", "");
    let withdrawn = r#""withdrawn":"2024-01-01T00:00:00Z","#;
    assert_eq!(spoken(), "");
    for (now, text, wanted) in [
        (1, record("DSA-1", &["Debian:12"], ""), "12"),
        (2, record("DSA-2", &["Debian:11", "Debian:12"], ""), "11 12"),
        (3, record("DSA-1", &["npm"], ""), "11 12"),
        (4, record("DSA-3", &["Debian:13"], ""), "11 12 13"),
        (5, record("DSA-2", &["Debian:11", "Debian:12"], withdrawn), "13"),
        (6, record("DSA-2", &["Debian:11"], ""), "11 13"),
    ] {
        it.import(now, &[("a.json", text.as_bytes())]);
        assert_eq!(spoken(), wanted, "import {now}");
    }
    // What other rules made of the same records is read anew.
    let seq = it.store.advisory_seq().unwrap();
    for of in [format!("{seq}\n"), format!("{} {seq}\n", relight_match::MATCHER_REVISION - 1)] {
        it.store.settings(|settings| settings.put(crate::spoken::KEY, &of)).unwrap();
        assert_eq!(spoken(), "11 13", "{of}");
    }
}

/// Goal: a document of CSAF speaks of a release for whoever trusts its issuer, and for nobody else,
/// when the trust changes too. Method: two issuers, one of them with lines in his name that would
/// be a witness of another release.
#[test]
fn releases_are_spoken_of_by_whom_the_operator_trusts() {
    let it = Folder::new();
    let document = |id: &str, name: &str, release: &str| {
        let cpe = format!("cpe:/o:redhat:enterprise_linux:{release}");
        let named = |name: &str, by: serde_json::Value| {
            let helper = "product_identification_helper";
            serde_json::json!({"name": name, "product_id": name, helper: by})
        };
        serde_json::json!({
            "document": {
                "csaf_version": "2.0", "title": "t",
                "publisher": {"name": name, "namespace": "https://www.redhat.com"},
                "tracking": {"id": id, "status": "final", "version": "1"},
            },
            "product_tree": {
                "full_product_names": [
                    named("EL", serde_json::json!({"cpe": cpe})),
                    named("a", serde_json::json!({"purl": "pkg:rpm/redhat/a@1"})),
                ],
                "relationships": [{
                    "category": "default_component_of", "product_reference": "a",
                    "relates_to_product_reference": "EL",
                    "full_product_name": {"name": "EL:a", "product_id": "EL:a"},
                }],
            },
            "vulnerabilities": [{"cve": "CVE-1", "product_status": {"known_affected": ["EL:a"]}}],
        })
        .to_string()
    };
    let forged = "Red Hat\n[\"osv\",\"\",\"Red Hat:7\",\"X\"]\nosv\tRed Hat:7\tX";
    let (own, other) = (document("R-1", "Red Hat", "9"), document("R-2", forged, "8"));
    it.import(1, &[("a.json", own.as_bytes()), ("b.json", other.as_bytes())]);
    let releases = ["rpm/redhat rhel-7.9", "rpm/redhat rhel-8.4", "rpm/redhat rhel-9.4"];
    let spoken = || spoken_among(&it.store, releases);
    // The second time from the list that was kept.
    assert_eq!([spoken(), spoken()], ["", ""]);
    let by = relight_store::By { actor: "anna", at: 2 };
    assert!(crate::trust::trust(&it.store, "Red Hat", by).unwrap());
    assert_eq!([spoken(), spoken()], ["rhel-9.4", "rhel-9.4"]);
    assert!(crate::trust::distrust(&it.store, "Red Hat", by).unwrap());
    assert_eq!(spoken(), "");
}

/// Goal: of two files that tell the same id the later word counts, in whatever order they are
/// read, and all of it; one list that repeats an id says both. Method: a record that was withdrawn
/// once, a range that had no end, and a year of NVD beside what changed since.
#[test]
fn of_two_files_the_later_word_counts() {
    // After the dates of the records: what claims to be of the future is of now.
    let now = 1_800_000_000;
    let dated = |day: usize, more: &str| format!(r#""modified":"202{day}-01-01T00:00:00Z",{more}"#);
    let withdrawn = dated(2, r#""withdrawn":"2022-01-01T00:00:00Z","#);
    let old = osv("GHSA-1", "old", &withdrawn);
    let new = osv("GHSA-1", "new", &dated(6, ""));
    for files in [[("a.json", &old), ("b.json", &new)], [("a.json", &new), ("b.json", &old)]] {
        let it = Folder::new();
        let files = files.map(|(name, text)| (name, text.as_bytes()));
        let report = it.import(now, &files);
        assert_eq!(report.total(|it| it.united), 0);
        assert_eq!(it.affected("GHSA-1"), ["new"]);
        it.import(now + 1, &[("c.json", new.as_bytes())]);
        assert_eq!(it.affected("GHSA-1"), ["new"]);
    }
    let nvd = |day: usize, end: &str| {
        let cpe = "cpe:2.3:a:acme:box:*:*:*:*:*:*:*:*";
        format!(
            r#"{{"resultsPerPage":1,"vulnerabilities":[{{"cve":{{"id":"CVE-2026-1",
            "lastModified":"2026-01-0{day}T00:00:00.000",
            "configurations":[{{"nodes":[{{"operator":"OR","cpeMatch":[{{"vulnerable":true,
            "criteria":"{cpe}","versionEndExcluding":"{end}"}}]}}]}}]}}}}]}}"#
        )
    };
    let (year, since) = (nvd(1, "1.0"), nvd(2, "5.0"));
    for files in [[("a.json", &year), ("b.json", &since)], [("a.json", &since), ("b.json", &year)]]
    {
        let it = Folder::new();
        it.import(now, &files.map(|(name, text)| (name, text.as_bytes())));
        let known = advisories_of(&it.store).unwrap();
        let records: Vec<_> = known.group("CVE-2026-1").unwrap().records().collect();
        let [record] = records[..] else { panic!("{} records", records.len()) };
        let ends: Vec<_> = record.configurations.iter().flat_map(|it| &it.nodes).collect();
        assert_eq!(ends.len(), 1);
        let end = relight_model::Bound::Exclusive("5.0".to_owned());
        assert_eq!(ends[0].matches[0].hi, end);
    }
}

/// Goal: what was united stays so while its list repeats it, and is parted when one of it comes
/// alone or with another; what is withdrawn of it says nothing.
#[test]
fn what_was_united_is_parted() {
    let it = Folder::new();
    let (one, two, three) =
        (osv("ALSA-1", "a", ""), osv("ALSA-1", "b", ""), osv("ALSA-1", "c", ""));
    let list = |parts: &[&String]| -> String { parts.iter().map(|it| format!("{it}\n")).collect() };
    let import = |now: Timestamp, parts: &[&String]| {
        it.import(now, &[("a.jsonl", list(parts).as_bytes())]);
        it.affected("ALSA-1")
    };
    assert_eq!(import(1, &[&one, &two]), ["a", "b"]);
    let revisions = it.store.advisory_history("alsa", "ALSA-1").map(|it| it.len());
    assert_eq!(import(2, &[&one, &two]), ["a", "b"]);
    let again = it.store.advisory_history("alsa", "ALSA-1").map(|it| it.len());
    assert_eq!(again.unwrap(), revisions.unwrap());
    assert_eq!(import(3, &[&two, &one]), ["a", "b"]);
    assert_eq!(import(4, &[&two]), ["b"]);
    assert_eq!(import(5, &[&two, &three]), ["b", "c"]);
    assert_eq!(import(6, &[&three, &one]), ["a", "c"]);
    assert_eq!(import(7, &[&one, &two, &three]), ["a", "b", "c"]);
    let gone = osv("ALSA-1", "a", r#""withdrawn":"2024-01-01T00:00:00Z","#);
    assert_eq!(import(8, &[&gone, &two]), ["b"]);
    assert_eq!(import(9, &[&two, &gone]), ["b"]);
    assert_eq!(import(10, &[&gone]), [""; 0]);
}
