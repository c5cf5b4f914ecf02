//! Caches: the same report with and without one, and never a result of something else.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use relight_model::Digest;
use relight_scan::{Cache, Options, Progress, Report, Services, Target, scan_target};

use crate::zip_writer::{Member, write};
use crate::{pom, pom_path, text, tree};

/// A cache in memory that counts.
#[derive(Debug)]
pub(crate) struct Memory {
    pub(crate) records: Mutex<HashMap<Digest, Vec<u8>>>,
    pub(crate) damaged: Mutex<u32>,
    /// Stamps up to this second are believed.
    settled_s: i64,
    /// A file that grows at each look-up, as a busy program would write to it.
    busy: Option<PathBuf>,
}

impl Memory {
    pub(crate) fn new() -> Self {
        let (records, damaged) = (Mutex::default(), Mutex::default());
        Self { records, damaged, settled_s: i64::MAX, busy: None }
    }
}

impl Cache for Memory {
    fn get(&self, key: &Digest) -> Option<Vec<u8>> {
        if let Some(path) = &self.busy {
            let version = "1".repeat(fs::read(path).unwrap().len());
            fs::write(path, write(&[Member::stored(&pom_path("a"), &pom("a", &version))])).unwrap();
        }
        self.records.lock().unwrap().get(key).cloned()
    }

    fn put(&self, key: &Digest, record: Vec<u8>) {
        self.records.lock().unwrap().insert(*key, record);
    }

    fn is_settled(&self, changed_s: i64) -> bool {
        changed_s <= self.settled_s
    }

    fn damaged(&self, _: &Digest) {
        *self.damaged.lock().unwrap() += 1;
    }
}

fn run(root: &Path, cache: &Memory, options: &Options) -> Report {
    let services = Services { progress: &Progress::default(), pace: None, cache: Some(cache) };
    scan_target(&Target::Folder(root.to_owned()), options, &services).unwrap()
}

fn jar(artifact: &str, version: &str) -> Vec<u8> {
    write(&[Member::deflated(&pom_path(artifact), &pom(artifact, version))])
}

/// A report without the number in which two may differ.
pub(crate) fn without_known(report: &Report) -> Report {
    Report { known: 0, ..report.clone() }
}

#[test]
fn the_second_report_is_the_first_and_nothing_is_read_for_it() {
    let whole = jar("a", "1");
    let nested = write(&[Member::deflated("lib/b.jar", &jar("b", "2")), Member::stored("c", b"c")]);
    let folder = tree(&[
        ("a.jar", &whole),
        ("x/b.war", &nested),
        ("torn.jar", &whole[..whole.len() - 1]),
        ("readme.txt", b"text"),
        ("node_modules/x/package.json", br#"{"name":"x","version":"1.0.0"}"#),
    ]);
    let plain = crate::run(folder.path(), &Options::default());
    let cache = Memory::new();
    let first = run(folder.path(), &cache, &Options::default());
    let second = run(folder.path(), &cache, &Options::default());
    assert_eq!((first.known, second.known, second.files), (0, 4, 5), "what is torn is read again");
    assert_eq!(without_known(&first), plain);
    assert_eq!(without_known(&second), plain);
    for threads in [1, 8] {
        let options = Options { threads: Some(threads), ..Options::default() };
        assert_eq!(without_known(&run(folder.path(), &cache, &options)), plain);
    }
    assert_eq!(*cache.damaged.lock().unwrap(), 0);
}

/// A database is one by the folders above it: what is known of the same file elsewhere is not known
/// of it.
#[test]
fn a_database_under_another_name_is_read_as_one() {
    let database = include_bytes!("../../fixtures/rpm/sqlite/var/lib/rpm/rpmdb.sqlite");
    let folder = tree(&[("backup/rpmdb.sqlite", database), ("var/lib/rpm/x", b"x")]);
    let cache = Memory::new();
    let first = run(folder.path(), &cache, &Options::default());
    assert_eq!(text(&first), "");
    // As `rpm --rebuilddb` does: the file keeps its stamp where its folder gets another name.
    fs::create_dir_all(folder.path().join("root/var/lib")).unwrap();
    fs::rename(folder.path().join("backup"), folder.path().join("root/var/lib/rpm")).unwrap();
    let report = run(folder.path(), &cache, &Options::default());
    assert!(text(&report).contains("pkg:rpm/"), "{}", text(&report));
}

#[test]
fn what_changed_is_read_again() {
    let folder = tree(&[("a.jar", &jar("a", "1")), ("b.jar", &jar("b", "1"))]);
    let cache = Memory::new();
    run(folder.path(), &cache, &Options::default());
    fs::write(folder.path().join("a.jar"), jar("a", "2")).unwrap();
    let report = run(folder.path(), &cache, &Options::default());
    assert_eq!(text(&report), "pkg:maven/g/a@2 in a.jar\npkg:maven/g/b@1 in b.jar\n");
    assert_eq!(report.known, 1);
    // Another limit may give another result.
    let shallow = Options { depth_max: 1, ..Options::default() };
    assert_eq!(run(folder.path(), &cache, &shallow).known, 0);
    // Evidence wants the digest of every byte.
    let evidence = Options { artifact_digest: true, ..Options::default() };
    assert_eq!(run(folder.path(), &cache, &evidence).known, 0);
}

/// Goal (S11): sites that share their archives cost the distinct ones. Method: copies, each of its
/// own inode and stamp, in 200 folders; every archive is read once, the others are known by their
/// directory, and each is told in its own place.
#[test]
fn copies_of_an_archive_are_read_once() {
    let jars: Vec<Vec<u8>> = (0..5).map(|n| jar(&format!("lib{n}"), "1")).collect();
    let names: Vec<(String, usize)> = (0..1_000)
        .map(|n| (format!("site-{:03}/WEB-INF/lib/lib{}.jar", n / 5, n % 5), n % 5))
        .collect();
    let files: Vec<(&str, &[u8])> =
        names.iter().map(|(name, jar)| (name.as_str(), jars[*jar].as_slice())).collect();
    let folder = tree(&files);
    // Nothing is settled, so that stamps do not help.
    let cache = Memory { settled_s: 0, ..Memory::new() };
    let one = Options { threads: Some(1), ..Options::default() };
    let report = run(folder.path(), &cache, &one);
    assert_eq!((report.files, report.known), (1_000, 995));
    assert_eq!(without_known(&report), crate::run(folder.path(), &one));
    assert_eq!(cache.records.lock().unwrap().len(), 5);
}

/// The same with hard links: known by their stamps, they are not even opened. What catalogers
/// choose by its path is read at each of its names.
#[test]
fn other_names_of_a_file_are_not_opened() {
    let package = br#"{"name":"x","version":"1.0.0"}"#;
    let folder = tree(&[("a/x.jar", &jar("x", "1")), ("node_modules/x/package.json", package)]);
    let at = |name: &str| folder.path().join(name);
    for site in 0..50 {
        fs::create_dir_all(at(&format!("{site}/node_modules/x"))).unwrap();
        fs::hard_link(at("a/x.jar"), at(&format!("{site}/x.jar"))).unwrap();
        let other = at(&format!("{site}/package.json"));
        fs::hard_link(at("node_modules/x/package.json"), other).unwrap();
    }
    let cache = Memory::new();
    let one = Options { threads: Some(1), ..Options::default() };
    let report = run(folder.path(), &cache, &one);
    assert_eq!(without_known(&report), crate::run(folder.path(), &one));
    assert!(report.known >= 50, "{}", report.known);
    assert_eq!(text(&report).matches("pkg:npm").count(), 1);
    assert_eq!(text(&report).matches("pkg:maven").count(), 51);
}

#[test]
fn damaged_records_are_noticed_and_read_again() {
    let folder = tree(&[("a.jar", &jar("a", "1"))]);
    let cache = Memory::new();
    let first = run(folder.path(), &cache, &Options::default());
    for record in cache.records.lock().unwrap().values_mut() {
        let last = record.len() - 1;
        record[last] ^= 1;
    }
    let second = run(folder.path(), &cache, &Options::default());
    assert_eq!((second, *cache.damaged.lock().unwrap()), (first, 2), "by stamp and by directory");
    assert_eq!(run(folder.path(), &cache, &Options::default()).known, 1, "written anew");
}

/// A file that changes each time that it is read is named, counted, and never kept.
#[test]
fn a_file_that_does_not_hold_still_is_named() {
    let folder = tree(&[("a.jar", &jar("a", "1")), ("b.txt", b"b")]);
    let busy = folder.path().join("a.jar");
    let cache = Memory { busy: Some(busy), settled_s: 0, ..Memory::new() };
    let report = run(folder.path(), &cache, &Options::default());
    let flaws: Vec<_> = report.sbom.flaws.iter().map(|f| (f.code.as_str(), &*f.evidence)).collect();
    assert!(flaws.contains(&("changed-during-scan", "a.jar")), "{flaws:?}");
    assert_eq!((report.files, cache.records.lock().unwrap().len()), (2, 0));
}
