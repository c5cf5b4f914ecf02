//! `cargo xtask corpus`: labelled samples of every category, made here from public material, and
//! real published packages. The ordinary tests need neither them nor the network.
pub(crate) mod builder;
mod class;
mod containers;
mod distribution;
pub(crate) mod hostile;
mod images;
mod lures;
mod material;
mod mitigation;
mod nesting;
mod oddities;
mod plain;
pub(crate) mod real;
pub(crate) mod shading;
pub(crate) mod zip;

use std::path::{Path, PathBuf};

use builder::{Builder, Make};
use material::Material;

use crate::{process, tree};

pub(crate) use distribution::MARK;

/// Every category, and what makes its samples. The list may grow; a test refuses a shorter one.
pub(crate) const CATEGORIES: [(&str, Make); 15] = [
    ("plain", plain::plain),
    ("nesting", nesting::nesting),
    ("extensions", plain::extensions),
    ("containers", containers::containers),
    ("images", images::images),
    ("renames", plain::renames),
    ("shading", shading::shading),
    ("mitigation", mitigation::mitigation),
    ("exploded", mitigation::exploded),
    ("oddities", oddities::oddities),
    ("encryption", oddities::encryption),
    ("hostile", hostile::hostile),
    ("lures", lures::lures),
    ("distribution", distribution::distribution),
    ("secrets", distribution::secrets),
];

/// Where the corpus goes unless a folder is given.
pub(crate) fn folder() -> PathBuf {
    tree::root().join("target/corpus")
}

/// Makes the corpus in a folder: `samples/CATEGORY/NAME` and `samples/truth.tsv`.
///
/// # Errors
/// When there is no material, or a file cannot be written.
pub(crate) fn make(folder: &Path) -> Result<(), String> {
    let (samples, work) = (folder.join("samples"), folder.join("work"));
    builder::empty(&samples)?;
    builder::empty(&work)?;
    let samples = samples.canonicalize().map_err(|e| format!("find the corpus: {e}"))?;
    let work = work.canonicalize().map_err(|e| format!("find the corpus: {e}"))?;
    let material = Material::gather(&tree::root(), folder)?;
    let mut builder = Builder::new(&samples, &work, material);
    for (name, make) in CATEGORIES {
        builder.category(name, make);
    }
    builder.write_truth()?;
    builder::empty(&work)?;
    report(&builder);
    Ok(())
}

fn report(builder: &Builder) {
    println!(
        "{:<13} {:>10} {:>5} {:>9} {:>10}",
        "", "vulnerable", "safe", "mitigated", "not scored"
    );
    for (name, _) in CATEGORIES {
        let of = builder.samples.iter().filter(|sample| sample.category() == name);
        println!("{name:<13} {}", counts(of));
    }
    println!("{:<13} {}", "all", counts(builder.samples.iter()));
    for line in &builder.skipped {
        println!("left out: {line}");
    }
    println!("{}", builder.root.display());
}

fn counts<'a>(samples: impl Iterator<Item = &'a builder::Sample>) -> String {
    let mut counts = [0_usize; 4];
    for sample in samples {
        counts[sample.truth as usize] += 1;
    }
    let [vulnerable, safe, mitigated, not_scored] = counts;
    format!("{vulnerable:>10} {safe:>5} {mitigated:>9} {not_scored:>10}")
}

/// Scans the first published package with the release binary and checks what it says.
///
/// # Errors
/// With what the answer lacks.
pub(crate) fn check() -> Result<(), String> {
    let corpus = real::unpacked(&real::PACKAGES[0], &folder())?;
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

/// What a scan of the package must say and this one does not.
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
    fn no_category_is_given_up() {
        // Taking a line out of this list is giving up a promise: say why in the commit.
        let promised = [
            "plain",
            "nesting",
            "extensions",
            "containers",
            "images",
            "renames",
            "shading",
            "mitigation",
            "exploded",
            "oddities",
            "encryption",
            "hostile",
            "lures",
            "distribution",
            "secrets",
        ];
        for name in promised {
            assert!(CATEGORIES.iter().any(|(known, _)| *known == name), "{name} is gone");
        }
    }
}
