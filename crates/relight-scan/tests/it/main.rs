//! Whole scans of trees that the tests build themselves: data in, text out.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on must stop")]

mod archives;
mod assemblies;
mod bombs;
mod cache;
mod container_writer;
mod containers;
mod ecosystems;
mod endless;
mod faults;
mod hidden;
mod hostile;
mod image_writer;
mod images;
mod large;
mod layers;
mod limits;
mod links;
mod memory;
mod mutations;
mod packers;
mod phar;
mod programs;
mod quine;
mod sections;
mod silent;
mod symbolic;
mod trees;
mod walk;
mod zip_writer;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use relight_scan::{Options, Progress, Report, scan};
use tempfile::TempDir;

/// A folder with these files.
fn tree(files: &[(&str, &[u8])]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (path, bytes) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    folder
}

fn run(root: &Path, options: &Options) -> Report {
    let report = scan(root, options, &Progress::default()).unwrap();
    assert!(report.file_bytes.balances(), "{:?}", report.file_bytes);
    assert!(report.member_bytes.balances(), "{:?}", report.member_bytes);
    report
}

/// One line for each component and each flaw, then the counters.
fn text(report: &Report) -> String {
    let mut text = String::new();
    // The packages of the writers are there for what they hold.
    let components = report.sbom.components.iter().filter(|it| it.purl.name != "wrapper");
    for component in components {
        let _ = writeln!(text, "{} in {}", component.purl, component.evidence);
    }
    for flaw in &report.sbom.flaws {
        let _ = writeln!(text, "flaw {} {}", flaw.code.as_str(), flaw.evidence);
    }
    text
}

/// The text of a scan of one file with this name and these bytes, with these limits.
fn one_with(options: &Options, name: &str, bytes: &[u8]) -> String {
    text(&run(tree(&[(name, bytes)]).path(), options))
}

/// The text of a scan of one file.
fn one(name: &str, bytes: &[u8]) -> String {
    one_with(&Options::default(), name, bytes)
}

/// The smallest class file that there is: `A`, without members.
const CLASS: &[u8] =
    b"\xca\xfe\xba\xbe\0\0\0\x34\0\x05\x01\0\x01A\x07\0\x01\x01\0\x10java/lang/Object\
    \x07\0\x03\0\x21\0\x02\0\x04\0\0\0\0\0\0\0\0";

/// The content of a `pom.properties`.
fn pom(artifact: &str, version: &str) -> Vec<u8> {
    format!("groupId=g\nartifactId={artifact}\nversion={version}\n").into_bytes()
}

/// The path of the `pom.properties` of an artifact.
fn pom_path(artifact: &str) -> String {
    format!("META-INF/maven/g/{artifact}/pom.properties")
}
