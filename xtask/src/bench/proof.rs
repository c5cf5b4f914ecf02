//! Real packages, damaged archives, and many relocated libraries in one jar.
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

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

/// Wall seconds for all mutated archives.
const MUTATED_TIME_MAX_S: u64 = 1_800;

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
    let places = Places { batch: stage.folder("mutated")?, temporary: stage.folder("temporary")? };
    let kept = stage.folder("faults")?;
    let mut chance = Chance(SEED);
    let (mut seen, mut faults) = (Seen::default(), Vec::new());
    let (start, mut done) = (Instant::now(), 0);
    while done < count && start.elapsed().as_secs() <= MUTATED_TIME_MAX_S {
        let len = BATCH.min(count - done);
        let files: Vec<Vec<u8>> = (0..len)
            .map(|_| mutate(&originals[chance.below(originals.len())], &mut chance))
            .collect();
        // What all of them stay within, each of them does.
        if places.fault(stage, &files, &mut seen)?.is_some() {
            for (at, file) in files.iter().enumerate() {
                if let Some(status) = places.fault(stage, std::slice::from_ref(file), &mut seen)? {
                    let kept = kept.join((done + at).to_string());
                    write(&kept, file)?;
                    faults.push(format!("{} {status}", kept.display()));
                }
            }
        }
        done += len;
    }
    let left = fs::read_dir(&places.temporary).map_or(0, Iterator::count);
    let first = faults.first().cloned().unwrap_or_default();
    let got = format!("{done} scanned, {seen}, {} faults {first}", faults.len());
    let name = format!("{count} mutated archives, seed {SEED}, each within 2 CPU s and 64 MiB");
    Ok(vec![
        Goal::new(name, got, faults.is_empty() && done == count),
        Goal::new("temporary files left", left.to_string(), left == 0),
    ])
}

/// Mutated archives that are scanned at one time.
const BATCH: usize = 16;

/// Where mutated archives are scanned.
struct Places {
    batch: PathBuf,
    temporary: PathBuf,
}

/// The dearest scan of one archive, and of several together.
#[derive(Debug, Default)]
struct Seen {
    cpu: [f64; 2],
    peak_mib: [f64; 2],
}

impl Seen {
    fn add(&mut self, cost: &cost::Cost, is_alone: bool) {
        let at = usize::from(!is_alone);
        self.cpu[at] = self.cpu[at].max(cost.cpu);
        self.peak_mib[at] = self.peak_mib[at].max(cost.peak_mib);
    }
}

impl std::fmt::Display for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ([cpu, cpu_batch], [mib, mib_batch]) = (self.cpu, self.peak_mib);
        write!(f, "slowest {BATCH} together {cpu_batch:.2} CPU s, largest {mib_batch:.0} MiB")?;
        let is_alone = cpu > 0.0 || mib > 0.0;
        if is_alone { write!(f, ", alone {cpu:.2} CPU s, {mib:.0} MiB") } else { Ok(()) }
    }
}

impl Places {
    /// Scans these files as one tree; what is wrong with that, if anything is.
    fn fault(
        &self,
        stage: &Stage<'_>,
        files: &[Vec<u8>],
        seen: &mut Seen,
    ) -> Result<Option<String>, String> {
        crate::corpus::builder::empty(&self.batch)?;
        for (at, file) in files.iter().enumerate() {
            write(&self.batch.join(format!("damaged-{at}")), file)?;
        }
        let mut command = line(&[&format!("TMPDIR={}", self.temporary.display())]);
        command.extend(stage.relight(&["--no-cache"], &self.batch));
        let (cost, run) = cost::measure(&stage.corpus, &command, 10)?;
        seen.add(&cost, files.len() == 1);
        let is_answer = |document: &Json| matches!(document.get("complete"), Json::Bool(_));
        let document = Json::parse(&run.stdout);
        let answered = matches!(run.code, Some(0 | 3)) && document.as_ref().is_some_and(is_answer);
        let is_fault = !answered || cost.cpu > 2.0 || cost.peak_mib > 64.0;
        let told = || format!("{} {:.2} CPU s {:.0} MiB", run.status(), cost.cpu, cost.peak_mib);
        Ok(is_fault.then(told))
    }
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
/// One class of so many may be lost to another library of the same names.
const LOST_SHARE: usize = 20;

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
    let everything: BTreeSet<String> = libraries.iter().map(|it| artifact(&it.name)).collect();
    let libraries = beside_each_other(libraries);
    merge(&folder, &libraries)?;
    let all = linked(&folder, &jars)?;
    let (program, database) = (stage.program.to_string_lossy(), folder.join("all.fp"));
    let database = database.to_string_lossy();
    let source = all.to_string_lossy();
    process::told(&folder, &program, &["fingerprints", "learn", &source, "--to", &database])?;
    let (cost, document) = stage.scan(&["--fingerprints", &database], &folder.join("fat.jar"))?;
    let wanted: BTreeSet<_> = libraries.iter().map(|library| library.name.clone()).collect();
    let told = told(&document, &wanted, &everything);
    let missed: Vec<_> = wanted.difference(&told.named).cloned().collect();
    let wrong: Vec<_> = told.wrong.iter().cloned().collect();
    let possible: Vec<_> = told.possible.iter().cloned().collect();
    let lists = [("missed", &missed), ("wrong", &wrong), ("possible", &possible)]
        .map(|(name, list)| format!("{name}:\n{}\n", list.join("\n")))
        .concat();
    write(&folder.join("lists.txt"), lists.as_bytes())?;
    let right = told.named.len();
    let got = format!(
        "{right} of {} named, of these {} with their version left open ({} of several), {} wrong, \
         {} more called possible, {:.1} CPU s, {:.0} MiB",
        wanted.len(),
        told.open,
        told.among,
        wrong.len(),
        possible.len(),
        cost.cpu,
        cost.peak_mib
    );
    let few = wrong.len() <= 2 && possible.len() <= 3;
    let met = right + 2 >= wanted.len() && few && wanted.len() == FAT;
    let goal = "126 relocated libraries: 124 named, 2 wrong, 3 more called possible";
    Ok(vec![Goal::new(goal, got, met)])
}

/// What an inventory says about the libraries that are there.
#[derive(Debug, Default, PartialEq)]
struct Told {
    /// Those that are named with their version, or with candidates of which one is right.
    named: BTreeSet<String>,
    /// How many are named only by candidates: their version is left open.
    open: usize,
    /// Of these, how many by more than one.
    among: usize,
    /// Versions that are not there, and names of libraries that were left out.
    wrong: BTreeSet<String>,
    /// Libraries that nobody put there by themselves, without a version: what is there may hold
    /// them, as xbean holds ASM.
    possible: BTreeSet<String>,
}

fn told(document: &Json, wanted: &BTreeSet<String>, everything: &BTreeSet<String>) -> Told {
    let mut told = Told::default();
    let (mut exact, mut single) = (BTreeSet::new(), BTreeSet::new());
    let rows = document.get("components").items();
    for (component, row) in relight_components(document).into_iter().zip(rows) {
        let candidates = row.get("candidates").items().iter().map(|it| it.text().to_owned());
        let versions: Vec<String> = candidates.chain([component.version.clone()]).collect();
        let versions = versions.iter().filter(|version| !version.is_empty());
        let all: Vec<String> = versions.map(|it| format!("{}@{it}", component.name)).collect();
        let right: Vec<String> = all.iter().filter(|it| wanted.contains(*it)).cloned().collect();
        if right.is_empty() {
            let name = all.first().unwrap_or(&component.name).clone();
            let is_open = component.version.is_empty() && !everything.contains(&component.name);
            if is_open {
                told.possible.insert(name)
            } else {
                told.wrong.insert(name)
            };
        }
        if !component.version.is_empty() {
            exact.extend(right.clone());
        }
        if all.len() == 1 {
            single.extend(right.clone());
        }
        told.named.extend(right);
    }
    told.open = told.named.difference(&exact).count();
    told.among = told.named.difference(&single).count();
    told
}

fn artifact(name: &str) -> String {
    name.split('@').next().unwrap_or_default().to_owned()
}

/// The first libraries that fit beside each other. One jar has one class of each name: a library
/// most of whose names others have taken is not in it, whatever its file was called.
fn beside_each_other(libraries: Vec<Library>) -> Vec<Library> {
    let (mut names, mut chosen) = (BTreeSet::new(), Vec::new());
    for library in libraries {
        let own: BTreeSet<String> = library.classes.iter().map(Member::text).collect();
        let lost = own.intersection(&names).count();
        if chosen.len() < FAT && lost * LOST_SHARE < own.len() {
            names.extend(own);
            chosen.push(library);
        }
    }
    chosen
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
    let is_pom = |member: &&Member| member.text().ends_with("/pom.properties");
    let poms: Vec<_> = members.iter().filter(is_pom).collect();
    let [pom] = poms[..] else { return Ok(None) };
    let (file, pom) = (jar.to_string_lossy(), pom.text());
    let text = process::output(Path::new("."), "unzip", &["-p", &file, &pom])?;
    // The only metadata of an archive may be that of something merged into it.
    let stem = jar.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let is_own = |name: &String| name.split('@').next().is_some_and(|it| stem.starts_with(it));
    let name = coordinates(&text).filter(is_own);
    let classes: Vec<_> = members
        .into_iter()
        .filter(|member| {
            let name = member.text();
            name.ends_with(".class") && !name.starts_with("META-INF/") && !name.contains("-info.")
        })
        .collect();
    Ok(name.filter(|_| classes.len() >= 8).map(|name| Library { name, classes }))
}

/// `artifact@version` of a `pom.properties`.
fn coordinates(text: &str) -> Option<String> {
    let field = |key: &str| text.lines().find_map(|line| line.strip_prefix(key));
    let (name, version) = field("artifactId=").zip(field("version="))?;
    Some(format!("{}@{}", name.trim(), version.trim()))
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
    fn a_library_is_named_by_its_metadata_and_has_classes() {
        let folder = std::env::temp_dir().join(format!("bench-library-{}", std::process::id()));
        let jar = folder.join("kubernetes-model-apps-5.4.1.jar");
        let pom = b"version=5.4.1\ngroupId=g\nartifactId=kubernetes-model-apps\n";
        let mut members = vec![Member::stored("META-INF/maven/g/a/pom.properties", pom)];
        members.extend((0..8).map(|n| Member::stored(&format!("a/C{n}.class"), b"")));
        write(&jar, &zip::archive(&members)).unwrap();
        let found = library(&jar);
        write(&jar, &zip::archive(&members[..5])).unwrap();
        let small = library(&jar);
        fs::remove_dir_all(&folder).unwrap();
        match (found, small) {
            (Ok(found), Ok(small)) => {
                let name = "kubernetes-model-apps@5.4.1";
                assert_eq!(found.map(|library| library.name).as_deref(), Some(name));
                assert!(small.is_none());
            }
            (Err(reason), _) | (_, Err(reason)) => assert!(reason.contains("unzip"), "{reason}"),
        }
        assert_eq!(coordinates("version=1\n"), None);
    }

    #[test]
    fn a_library_is_told_by_its_version_or_among_candidates() {
        let text = r#"{"components":[
            {"purl":"pkg:maven/g/a@1","version":"1","candidates":[]},
            {"purl":"pkg:maven/g/b","version":"","candidates":["2","3"]},
            {"purl":"pkg:maven/g/c","version":"","candidates":["2"]},
            {"purl":"pkg:maven/g/d@9","version":"9","candidates":[]},
            {"purl":"pkg:maven/g/e","version":"","candidates":["1"]},
            {"purl":"pkg:maven/g/absent","version":"","candidates":["1","2"]},
            {"purl":"pkg:maven/g/part","version":"","candidates":["7"]}]}"#;
        let names = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect();
        let wanted = names(&["a@1", "b@3", "c@1", "e@1", "f@1"]);
        let everything = names(&["a", "b", "c", "d", "e", "f", "absent"]);
        let told = told(&Json::parse(text).unwrap(), &wanted, &everything);
        let wrong = names(&["c@2", "d@9", "absent@1"]);
        let (named, possible) = (names(&["a@1", "b@3", "e@1"]), names(&["part@7"]));
        assert_eq!(told, Told { named, open: 2, among: 1, wrong, possible });
    }

    #[test]
    fn a_library_whose_classes_others_brought_is_not_in_the_jar() {
        let library = |name: &str, classes: &[&str]| Library {
            name: name.into(),
            classes: classes.iter().map(|name| Member::stored(name, b"")).collect(),
        };
        let all = vec![
            library("a@1", &["a/A", "b/B"]),
            library("b@1", &["b/B"]),
            library("c@1", &["c/C"]),
        ];
        let chosen: Vec<_> = beside_each_other(all).into_iter().map(|it| it.name).collect();
        assert_eq!(chosen, ["a@1", "c@1"]);
    }

    #[test]
    fn the_dearest_scans_are_told() {
        let mut seen = Seen::default();
        let cost = |cpu, peak_mib| cost::Cost { cpu, peak_mib, ..cost::Cost::default() };
        seen.add(&cost(0.5, 40.0), false);
        seen.add(&cost(0.4, 50.0), false);
        let together = "slowest 16 together 0.50 CPU s, largest 50 MiB";
        assert_eq!(seen.to_string(), together);
        seen.add(&cost(0.1, 20.0), true);
        assert_eq!(seen.to_string(), format!("{together}, alone 0.10 CPU s, 20 MiB"));
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
