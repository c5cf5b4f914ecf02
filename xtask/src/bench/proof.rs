//! Real packages, damaged archives, and many relocated libraries in one jar.
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::cost::{self, line};
use super::json::Json;
use super::matrix::{self, Grade};
use super::scan::Goal;
use super::speed::relight_components;
use super::stage::{self, Stage};
use crate::corpus::builder::{Sample, Truth, write};
use crate::corpus::hostile::{Chance, mutate};
use crate::corpus::zip::{self, Member};
use crate::corpus::{real, shading};
use crate::process;

/// The seed of everything that is left to chance here.
const SEED: u64 = 20_211_210;

/// Published packages as they come, and Debian's own.
pub(super) fn real_packages(stage: &Stage<'_>) -> Vec<Goal> {
    let mut right = 0;
    let mut faults = Vec::new();
    for package in &real::PACKAGES {
        let judged = real::fetch(package, &stage.corpus)
            .and_then(|file| judge(stage, &file, package.truth, package.holds));
        match judged {
            Ok(()) => right += 1,
            Err(reason) => faults.push(format!("{} {}: {reason}", package.name, package.version)),
        }
    }
    match debian(stage) {
        Ok(()) => right += 1,
        Err(reason) => faults.push(format!("liblog4j2-java: {reason}")),
    }
    let all = real::PACKAGES.len() + 1;
    let got = format!("{right} of {all} {}", faults.join("; "));
    vec![Goal::new("real packages", got, right == all)]
}

fn debian(stage: &Stage<'_>) -> Result<(), String> {
    let folder = stage.folder("debian")?;
    process::output(&folder, "apt-get", &["download", "-qq", "liblog4j2-java"])?;
    let found = stage::files(&folder, ".deb");
    let file = found.first().ok_or("nothing was downloaded")?;
    judge(stage, file, Truth::Safe, &["liblog4j2-java@", "log4j-core@"])
}

/// Whether one file is answered as it should be, with these words in the inventory.
fn judge(stage: &Stage<'_>, file: &Path, truth: Truth, holds: &[&str]) -> Result<(), String> {
    let (_, document) = stage.scan(&[], file)?;
    let said = matrix::read(&document);
    let (id, note) = ("real/package".to_owned(), String::new());
    let sample = Sample { id, truth, version: String::new(), note };
    let graded = matrix::grade(&sample, &said);
    if graded != Grade::Right {
        return Err(format!("it is {} and was called {said:?}", truth.name()));
    }
    let components = relight_components(&document);
    let absent = holds.iter().find(|word| !components.iter().any(|c| c.purl.contains(*word)));
    absent.map_or(Ok(()), |word| Err(format!("no {word} in the inventory")))
}

/// Damaged copies of small archives of each kind.
pub(super) fn mutations(stage: &Stage<'_>) -> Vec<Goal> {
    mutated(stage).unwrap_or_else(|reason| vec![Goal::unmeasured("mutated archives", &reason)])
}

fn mutated(stage: &Stage<'_>) -> Result<Vec<Goal>, String> {
    let count = if stage.quick { 300 } else { 10_000 };
    let originals = originals(stage)?;
    let (folder, temporary) = (stage.folder("mutated")?, stage.folder("temporary")?);
    let mut chance = Chance(SEED);
    let mut faults = Vec::new();
    let (mut slowest, mut largest) = (0.0_f64, 0.0_f64);
    for number in 0..count {
        let original = &originals[chance.below(originals.len())];
        let file = folder.join("damaged");
        write(&file, &mutate(original, &mut chance))?;
        let mut command = line(&[&format!("TMPDIR={}", temporary.display())]);
        command.extend(stage.relight(&[], &file));
        let (cost, run) = cost::measure(&stage.corpus, &command, 10)?;
        (slowest, largest) = (slowest.max(cost.cpu), largest.max(cost.peak_mib));
        let answered = matches!(run.code, Some(0 | 3)) && Json::parse(&run.stdout).is_some();
        if !answered || cost.cpu > 2.0 || cost.peak_mib > 64.0 {
            let kept = folder.join(format!("fault-{number}"));
            fs::copy(&file, &kept).map_err(|e| format!("keep {}: {e}", kept.display()))?;
            faults.push(format!("{} {}", kept.display(), run.status()));
        }
    }
    let left = fs::read_dir(&temporary).map_or(0, Iterator::count);
    let got = format!(
        "{} faults, slowest {slowest:.2} CPU s, largest {largest:.0} MiB {}",
        faults.len(),
        faults.first().cloned().unwrap_or_default()
    );
    Ok(vec![
        Goal::new(format!("{count} mutated archives, seed {SEED}"), got, faults.is_empty()),
        Goal::new("temporary files left", left.to_string(), left == 0),
    ])
}

/// The smaller samples of each kind of container.
fn originals(stage: &Stage<'_>) -> Result<Vec<Vec<u8>>, String> {
    let samples = stage.corpus.join("samples");
    let mut originals = Vec::new();
    for category in ["containers", "oddities", "images", "encryption", "lures"] {
        for path in stage::files(&samples.join(category), "") {
            let bytes = fs::read(&path).map_err(|e| format!("read {}: {e}", path.display()))?;
            if (32..3_000_000).contains(&bytes.len()) {
                originals.push(bytes);
            }
        }
    }
    if originals.is_empty() { Err("no samples to damage".into()) } else { Ok(originals) }
}

/// Libraries in the fat jar.
const FAT: usize = 126;

/// Half of the libraries of one package, relocated into one jar without metadata, against a
/// database that has all of them: the other half is absent and must not be named.
pub(super) fn fat_jar(stage: &Stage<'_>) -> Vec<Goal> {
    fat(stage).unwrap_or_else(|reason| vec![Goal::unmeasured("126 relocated libraries", &reason)])
}

fn fat(stage: &Stage<'_>) -> Result<Vec<Goal>, String> {
    stage.has("--fingerprints")?;
    let jars = stage::files(&stage.package("pyspark", "3.2.0")?, ".jar");
    let folder = stage.folder("fat")?;
    let mut libraries = Vec::new();
    for jar in &jars {
        libraries.extend(library(jar)?);
    }
    shuffle(&mut libraries, SEED);
    libraries.truncate(FAT);
    merge(&folder, &libraries)?;
    let all = linked(&folder, &jars)?;
    let (program, database) = (stage.program.to_string_lossy(), folder.join("all.fp"));
    let database = database.to_string_lossy();
    let source = all.to_string_lossy();
    process::output(&folder, &program, &["fingerprints", "learn", &source, "-o", &database])?;
    let (cost, document) = stage.scan(&["--fingerprints", &database], &folder.join("fat.jar"))?;
    let named: BTreeSet<_> = relight_components(&document)
        .into_iter()
        .map(|component| format!("{}@{}", component.name, component.version))
        .collect();
    let wanted: BTreeSet<_> = libraries.iter().map(|library| library.name.clone()).collect();
    let right = named.intersection(&wanted).count();
    let wrong: Vec<_> = named.difference(&wanted).cloned().collect();
    let missed: Vec<_> = wanted.difference(&named).cloned().collect();
    let lists = format!("missed:\n{}\nwrong:\n{}\n", missed.join("\n"), wrong.join("\n"));
    write(&folder.join("lists.txt"), lists.as_bytes())?;
    let got = format!(
        "{right} of {} named, {} wrong, {:.1} CPU s, {:.0} MiB",
        wanted.len(),
        wrong.len(),
        cost.cpu,
        cost.peak_mib
    );
    let met = right + 2 >= wanted.len() && wrong.len() <= 2 && wanted.len() == FAT;
    Ok(vec![Goal::new("126 relocated libraries: 124 named, 2 wrong", got, met)])
}

/// A folder with every jar, for the database.
fn linked(folder: &Path, jars: &[PathBuf]) -> Result<PathBuf, String> {
    let all = folder.join("all");
    crate::corpus::builder::make_folder(&all)?;
    for jar in jars {
        let link = all.join(jar.file_name().unwrap_or_default());
        if !link.exists() {
            fs::hard_link(jar, &link).map_err(|e| format!("link {}: {e}", link.display()))?;
        }
    }
    Ok(all)
}

/// A library of one jar.
#[derive(Debug)]
struct Library {
    /// `artifact@version`, by its own metadata.
    name: String,
    classes: Vec<Member>,
}

/// The library in a jar, when exactly one says its name and it has classes enough to be told.
fn library(jar: &Path) -> Result<Option<Library>, String> {
    let bytes = fs::read(jar).map_err(|e| format!("read {}: {e}", jar.display()))?;
    let members = zip::read(&bytes)?;
    let poms = members.iter().filter(|member| member.text().ends_with("/pom.properties")).count();
    let classes: Vec<_> = members
        .into_iter()
        .filter(|member| {
            let name = member.text();
            name.ends_with(".class") && !name.starts_with("META-INF/") && !name.contains("-info.")
        })
        .collect();
    let stem = jar.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    // The version starts at the first hyphen before a digit.
    let digit = |pair: &[u8]| pair[0] == b'-' && pair[1].is_ascii_digit();
    let Some(at) = stem.as_bytes().windows(2).position(digit) else { return Ok(None) };
    let name = format!("{}@{}", &stem[..at], &stem[at + 1..]);
    Ok((poms == 1 && classes.len() >= 8).then_some(Library { name, classes }))
}

fn shuffle<T>(items: &mut [T], seed: u64) {
    let mut chance = Chance(seed);
    for end in (1..items.len()).rev() {
        items.swap(end, chance.below(end + 1));
    }
}

/// Puts the classes of all libraries into one jar and relocates them.
fn merge(folder: &Path, libraries: &[Library]) -> Result<(), String> {
    let mut names = BTreeSet::new();
    let mut members = Vec::new();
    let mut tops = BTreeSet::new();
    for member in libraries.iter().flat_map(|library| &library.classes) {
        let name = member.text();
        if let Some((top, _)) = name.split_once('/') {
            tops.insert(top.to_owned());
        }
        if names.insert(name) {
            members.push(member.clone());
        }
    }
    // What belongs to Java stays where it is.
    tops.retain(|top| !["java", "javax"].contains(&top.as_str()));
    let rules: String = tops.iter().map(|top| format!("rule {top}.** shaded.{top}.@1\n")).collect();
    write(&folder.join("rules"), rules.as_bytes())?;
    write(&folder.join("merged.jar"), &zip::archive(&members))?;
    shading::jarjar(folder, "rules", "merged.jar", "fat.jar")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_is_named_by_its_file_and_has_classes() {
        let folder = std::env::temp_dir().join(format!("bench-library-{}", std::process::id()));
        let jar = folder.join("kubernetes-model-apps-5.4.1.jar");
        let mut members = vec![Member::stored("META-INF/maven/g/a/pom.properties", b"")];
        members.extend((0..8).map(|n| Member::stored(&format!("a/C{n}.class"), b"")));
        write(&jar, &zip::archive(&members)).unwrap();
        let found = library(&jar).unwrap();
        write(&jar, &zip::archive(&members[..5])).unwrap();
        let small = library(&jar).unwrap();
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(found.map(|library| library.name), Some("kubernetes-model-apps@5.4.1".into()));
        assert!(small.is_none());
    }

    #[test]
    fn shuffling_keeps_every_item_and_follows_the_seed() {
        let mut items: Vec<u32> = (0..50).collect();
        shuffle(&mut items, 1);
        let mut again: Vec<u32> = (0..50).collect();
        shuffle(&mut again, 1);
        assert_eq!(items, again);
        assert_ne!(items, (0..50).collect::<Vec<_>>());
        again.sort_unstable();
        assert_eq!(again, (0..50).collect::<Vec<_>>());
    }
}
