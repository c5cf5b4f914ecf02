//! A host, and files that go away.

use std::fs;

use super::*;
use crate::limits::Options;
use crate::progress::Progress;

/// Goal: a host is scanned by its mount table, a file of two names under both that say
/// something, files that a process has open with who uses them, a deleted one through the
/// process. Method: a small root, and a
/// folder like `/proc` in which process 7 is this one.
#[test]
fn a_host_and_what_runs_on_it() {
    use std::os::unix::fs::symlink;

    let place = tempfile::tempdir().unwrap();
    let (root, proc) = (place.path().join("root"), place.path().join("proc"));
    let package = |name: &str, version: &str| {
        let path = root.join(name).join("package.json");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let text = format!("{{\"name\":\"x\",\"version\":\"{version}\"}}");
        fs::write(&path, text).unwrap();
        path
    };
    let held = File::open(package("srv/node_modules/x", "1.0.0")).unwrap();
    // Renewed twice: two services read two files that had one path.
    let deleted = ["2.0.0", "2.1.0"].map(|version| {
        let gone = package("old/node_modules/x", version);
        let deleted = File::open(&gone).unwrap();
        fs::remove_file(gone).unwrap();
        deleted
    });
    package("net/node_modules/x", "3.0.0");
    package("sys/node_modules/x", "4.0.0");
    let twin = root.join("srv/twin/node_modules/x");
    fs::create_dir_all(&twin).unwrap();
    let original = root.join("srv/node_modules/x/package.json");
    fs::hard_link(original, twin.join("package.json")).unwrap();
    fs::create_dir_all(proc.join("self")).unwrap();
    symlink("/proc/self", proc.join("7")).unwrap();
    let table = "1 0 0:1 / / rw - ext4 x rw\n2 1 0:2 / /net rw - nfs4 x rw\n\
                 3 1 0:3 / /sys rw - sysfs x rw\n";
    fs::write(proc.join("self/mountinfo"), table).unwrap();
    let (options, progress) = (Options::default(), Progress::default());
    let shared = Shared::new(&options, None);
    let services = Services { progress: &progress, pace: None, cache: None };
    let report = Scan::new(shared, &services).host(&root, &proc).unwrap().report(&options);
    drop((held, deleted));
    let at = place.path().display().to_string();
    let at = at.trim_start_matches('/');
    let components = report.sbom.components.iter();
    let found: Vec<_> = components
        .filter(|component| component.purl.name == "x")
        .map(|c| (c.purl.version.as_str(), c.evidence.as_str(), !c.in_use.is_empty()))
        .collect();
    let deleted = format!("{at}/root/old/node_modules/x/package.json#deleted");
    let renewed = format!("{deleted}-2");
    let open = "srv/node_modules/x/package.json";
    let twin = "srv/twin/node_modules/x/package.json";
    let expected = [("1.0.0", open, true), ("1.0.0", twin, true)];
    let gone = [("2.0.0", deleted.as_str(), true), ("2.1.0", renewed.as_str(), true)];
    assert_eq!(found, [&expected[..], &gone[..]].concat());
    let flaws: Vec<_> = report.sbom.flaws.iter().map(|f| (f.code, f.evidence.as_str())).collect();
    assert!(flaws.contains(&(FlawCode::FileSystemExcluded, "net")), "{flaws:?}");
    assert!(!flaws.iter().any(|(_, path)| path.starts_with("sys")), "{flaws:?}");
}

#[test]
fn a_file_that_has_gone_is_named_and_counted() {
    let (options, progress) = (Options::default(), Progress::default());
    let shared = Shared::new(&options, None);
    let services = Services { progress: &progress, pace: None, cache: None };
    let scan = Scan::new(shared, &services);
    let mut output = Output::default();
    for (path, error) in [("gone", 2), ("locked", 13), ("broken", 5)] {
        let open = || Err(io::Error::from_raw_os_error(error));
        scan.file(&open, NOT_LOCAL, path, &mut output);
    }
    let flaws: Vec<_> = output.found.flaws.iter().map(|flaw| flaw.code.as_str()).collect();
    assert_eq!(flaws, ["changed-during-scan", "permission-denied", "io-error"]);
    assert_eq!((output.files, progress.flaws()), (0, 3));
    assert!(!output.report(&options).sbom.is_complete());
}
