//! Which scanner finds what: every sample of the corpus, by category.
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::cost::{self, Cost, TIME_MAX_S, line};
use super::json::{Json, quote};
use super::peers::{self, Installed, Said};
use crate::corpus::builder::{Sample, Truth};
use crate::corpus::{CATEGORIES, MARK};

const CVE: &str = "CVE-2021-44228";
/// Wall seconds for all questions to one peer; what it was not asked then counts as not answered.
const PEER_TIME_MAX_S: u64 = 1_800;

/// How an answer stands to the truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Grade {
    /// As it should be; for what nobody can read, "unknown".
    Right,
    /// "Unknown" where somebody could have known.
    Undecided,
    /// Missed, false, or without a word about the measures that were taken.
    Wrong,
}

/// The grade of an answer.
pub(crate) fn grade(sample: &Sample, said: &Said) -> Grade {
    let right = match sample.truth {
        Truth::NotScored => true,
        Truth::Vulnerable => said.affected,
        Truth::Safe => !said.affected && !said.mitigated && !said.unknown,
        Truth::Mitigated => said.mitigated && !said.affected,
    };
    let unreadable = sample.category() == "encryption" && said.unknown;
    let called = said.affected || said.mitigated;
    match sample.truth {
        _ if right || unreadable => Grade::Right,
        _ if said.unknown && !called => Grade::Undecided,
        _ => Grade::Wrong,
    }
}

/// One answer about one sample.
#[derive(Debug)]
pub(crate) struct Entry {
    /// The sample.
    pub sample: Sample,
    /// What was said.
    pub said: Said,
    /// How that stands to the truth.
    pub grade: Grade,
    /// What it cost.
    pub cost: Cost,
    /// A broken promise: a crash, a secret in the answer.
    pub broken: Option<String>,
}

/// The answers of one scanner.
#[derive(Debug)]
pub(crate) struct Column {
    /// The scanner and its version.
    pub name: String,
    /// One for each sample.
    pub entries: Vec<Entry>,
}

/// Asks relight about every sample.
///
/// # Errors
/// When it cannot be measured.
pub(crate) fn relight(program: &Path, corpus: &Path, samples: &[Sample]) -> Result<Column, String> {
    let mut entries = Vec::new();
    for sample in samples {
        let folder = corpus.join(&sample.id);
        // Images too are found by what they hold: peers are told what they are, relight is not.
        let (program, folder) = (program.to_string_lossy(), folder.to_string_lossy());
        let command = line(&[&program, "scan", "--json", &folder]);
        let (cost, run) = cost::measure(corpus, &command, TIME_MAX_S)?;
        let document = Json::parse(&run.stdout).unwrap_or(Json::Null);
        let said = read(&document);
        let broken = if run.stdout.contains(MARK) || run.stderr.contains(MARK) {
            Some("a secret is in the answer".to_owned())
        } else if document == Json::Null {
            Some(format!("no document, {}", run.status()))
        } else {
            None
        };
        let grade = if broken.is_some() { Grade::Wrong } else { grade(sample, &said) };
        entries.push(Entry { sample: sample.clone(), said, grade, cost, broken });
    }
    Ok(Column { name: "relight".into(), entries })
}

/// What a document of `relight.scan/1` says about Log4j.
pub(crate) fn read(document: &Json) -> Said {
    let about = |finding: &&Json| {
        let aliases = finding.get("aliases").items().iter();
        finding.get("id").text() == CVE || aliases.into_iter().any(|alias| alias.text() == CVE)
    };
    let findings: Vec<&Json> = document.get("findings").items().iter().filter(about).collect();
    let states = |wanted: &str| findings.iter().any(|f| f.get("state").text() == wanted);
    let (affected, mitigated) = (states("affected"), states("mitigated"));
    let possible = !findings.is_empty() && !affected && !mitigated;
    let mut versions: Vec<String> = findings
        .iter()
        .filter(|finding| ["affected", "mitigated"].contains(&finding.get("state").text()))
        .map(|finding| version_of(finding.get("component").text()))
        .collect();
    versions.sort();
    versions.dedup();
    let unknown = possible || document.get("complete") != &Json::Bool(true);
    Said { affected, mitigated, unknown, versions }
}

/// The version in a package URL.
pub(crate) fn version_of(purl: &str) -> String {
    let version = purl.rsplit_once('@').map_or("", |(_, version)| version);
    version.split(['?', '#']).next().unwrap_or_default().to_owned()
}

/// Asks a peer about every sample: images and hostile ones by themselves, so that nothing else is
/// lost when it hangs, all others category by category, because most of them start slowly.
///
/// # Errors
/// When it cannot be measured.
pub(crate) fn peer(
    peer: &Installed,
    corpus: &Path,
    samples: &[Sample],
    work: &Path,
) -> Result<Column, String> {
    let out = peers::answers(work)?.join(format!("{}.json", peer.peer.name));
    let start = Instant::now();
    let left = |max: u32| {
        let left = PEER_TIME_MAX_S.saturating_sub(start.elapsed().as_secs());
        u32::try_from(left).unwrap_or(max).clamp(1, max)
    };
    let mut entries = Vec::new();
    for (category, _) in CATEGORIES {
        let of = samples.iter().filter(|sample| sample.category() == category);
        if ["images", "hostile"].contains(&category) {
            for sample in of {
                entries.push(asked_alone(peer, corpus, sample, &out, left(TIME_MAX_S))?);
            }
            continue;
        }
        peers::clear(&out)?;
        let folder = corpus.join(category);
        let (cost, run) =
            cost::measure(corpus, &peer.command(&folder, &out), left(TIME_MAX_S * 5))?;
        let mut said = peer.read_tree(&peers::answer(&out), &folder, category);
        let broken = (run.code != Some(0)).then(|| run.status());
        let count = of.clone().count().max(1) as f64;
        for sample in of {
            let said = said.remove(&sample.id).unwrap_or_default();
            let cost = Cost { cpu: cost.cpu / count, wall: cost.wall / count, ..cost };
            let (sample, broken) = (sample.clone(), broken.clone());
            entries.push(Entry { grade: grade(&sample, &said), sample, said, cost, broken });
        }
    }
    Ok(Column { name: peer.title(), entries })
}

fn asked_alone(
    peer: &Installed,
    corpus: &Path,
    sample: &Sample,
    out: &Path,
    seconds: u32,
) -> Result<Entry, String> {
    peers::clear(out)?;
    let folder = corpus.join(&sample.id);
    let command = match sample.category() {
        "images" => peer.image_command(&folder, out),
        _ => peer.command(&folder, out),
    };
    let (cost, run) = cost::measure(corpus, &command, seconds)?;
    let said = peer.read(&peers::answer(out));
    let broken = (run.code != Some(0)).then(|| run.status());
    Ok(Entry { sample: sample.clone(), grade: grade(sample, &said), said, cost, broken })
}

impl Column {
    /// Samples of this truth, and how many have this grade.
    pub(crate) fn count(
        &self,
        category: Option<&str>,
        truth: Truth,
        wanted: Grade,
    ) -> (usize, usize) {
        let of = |entry: &&Entry| {
            entry.sample.truth == truth
                && category.is_none_or(|name| entry.sample.category() == name)
        };
        let all: Vec<_> = self.entries.iter().filter(of).collect();
        (all.iter().filter(|entry| entry.grade == wanted).count(), all.len())
    }

    /// Detections of samples with one version, and how many name it alone.
    pub(crate) fn exact_versions(&self) -> (usize, usize) {
        let detected = self.entries.iter().filter(|entry| {
            let found = entry.said.affected || entry.said.mitigated;
            let scored = matches!(entry.sample.truth, Truth::Vulnerable | Truth::Mitigated);
            // The side-by-side sample names both releases with reason.
            found && scored && !entry.sample.version.is_empty()
        });
        let detected: Vec<_> = detected.collect();
        let exact = detected.iter().filter(|e| e.said.versions == [e.sample.version.clone()]);
        (exact.count(), detected.len())
    }

    /// Samples that took more than 2 CPU seconds or 64 MiB, or did not end.
    pub(crate) fn unbounded(&self) -> Vec<&Entry> {
        let over = |e: &&Entry| e.cost.hung || e.cost.cpu > 2.0 || e.cost.peak_mib > 64.0;
        self.entries.iter().filter(over).collect()
    }

    /// One cell: found of vulnerable, false of safe, said of mitigated.
    fn cell(&self, category: Option<&str>) -> String {
        let mut parts = Vec::new();
        for (truth, wanted, letter) in [
            (Truth::Vulnerable, Grade::Right, "V"),
            (Truth::Safe, Grade::Wrong, "!S"),
            (Truth::Mitigated, Grade::Right, "M"),
        ] {
            let (count, all) = self.count(category, truth, wanted);
            if all > 0 {
                parts.push(format!("{letter} {count}/{all}"));
            }
        }
        parts.join(" ")
    }

    fn json(&self) -> String {
        let mut rows = Vec::new();
        for category in CATEGORIES.iter().map(|(name, _)| Some(*name)).chain([None]) {
            let mut numbers = BTreeMap::new();
            for (name, truth, wanted) in [
                ("found", Truth::Vulnerable, Grade::Right),
                ("vulnerable_undecided", Truth::Vulnerable, Grade::Undecided),
                ("false", Truth::Safe, Grade::Wrong),
                ("safe_undecided", Truth::Safe, Grade::Undecided),
                ("said_mitigated", Truth::Mitigated, Grade::Right),
            ] {
                numbers.insert(name, self.count(category, truth, wanted));
            }
            let numbers = numbers.iter().map(|(name, (n, all))| format!("\"{name}\":[{n},{all}]"));
            let numbers: Vec<_> = numbers.collect();
            rows.push(format!("{}:{{{}}}", quote(category.unwrap_or("all")), numbers.join(",")));
        }
        let cpu: f64 = self.entries.iter().map(|entry| entry.cost.cpu).sum();
        let hung = self.entries.iter().filter(|entry| entry.cost.hung).count();
        let peak = self.entries.iter().map(|e| e.cost.peak_mib).fold(0.0, f64::max);
        format!(
            "{{\"name\":{},\"cpu_seconds\":{cpu:.2},\"hung\":{hung},\"peak_mib\":{peak:.0},\
            \"categories\":{{{}}}}}",
            quote(&self.name),
            rows.join(",")
        )
    }
}

/// The table of all scanners.
pub(crate) fn table(columns: &[Column]) -> String {
    let mut out = format!("{:<13}", "");
    for column in columns {
        out += &format!(" {:<26}", column.name);
    }
    out += "\n";
    for category in CATEGORIES.iter().map(|(name, _)| Some(*name)).chain([None]) {
        out += &format!("{:<13}", category.unwrap_or("all"));
        for column in columns {
            out += &format!(" {:<26}", column.cell(category));
        }
        out += "\n";
    }
    out + "V found of vulnerable, !S safe ones called affected, M mitigated ones called so\n"
}

/// What relight got wrong, one line each.
pub(crate) fn faults(column: &Column) -> Vec<String> {
    let wrong = column.entries.iter().filter(|entry| entry.grade != Grade::Right);
    wrong.map(fault).collect()
}

fn fault(entry: &Entry) -> String {
    let Entry { sample, said, broken, .. } = entry;
    let answer = match said {
        _ if broken.is_some() => broken.clone().unwrap_or_default(),
        Said { affected: true, .. } => "affected".into(),
        Said { mitigated: true, .. } => "mitigated".into(),
        Said { unknown: true, .. } => "unknown".into(),
        _ => "clear".into(),
    };
    format!("{} is {} and was called {answer}: {}", sample.id, sample.truth.name(), sample.note)
}

/// The columns as JSON.
pub(crate) fn json(columns: &[Column]) -> String {
    let columns: Vec<_> = columns.iter().map(Column::json).collect();
    format!("[{}]", columns.join(","))
}

/// How many vulnerable samples the peers find together.
pub(crate) fn union(peers: &[Column]) -> usize {
    let mut found: Vec<&str> = Vec::new();
    for entry in peers.iter().flat_map(|column| &column.entries) {
        if entry.sample.truth == Truth::Vulnerable && entry.grade == Grade::Right {
            found.push(&entry.sample.id);
        }
    }
    found.sort_unstable();
    found.dedup();
    found.len()
}

/// Where the samples are.
pub(crate) fn samples_folder(corpus: &Path) -> PathBuf {
    corpus.join("samples")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(id: &str, truth: Truth) -> Sample {
        Sample { id: id.into(), truth, version: "2.3".into(), note: String::new() }
    }

    #[test]
    fn unknown_is_right_only_where_nobody_can_know() {
        let unknown = Said { unknown: true, ..Said::default() };
        let affected = Said { affected: true, ..Said::default() };
        let mitigated = Said { mitigated: true, ..Said::default() };
        let clear = Said::default();
        let vulnerable = sample("plain/a", Truth::Vulnerable);
        assert_eq!(grade(&vulnerable, &affected), Grade::Right);
        assert_eq!(grade(&vulnerable, &unknown), Grade::Undecided);
        assert_eq!(grade(&vulnerable, &clear), Grade::Wrong);
        assert_eq!(grade(&sample("encryption/a", Truth::Vulnerable), &unknown), Grade::Right);
        assert_eq!(grade(&sample("encryption/a", Truth::Vulnerable), &clear), Grade::Wrong);
        let safe = sample("plain/a", Truth::Safe);
        assert_eq!(grade(&safe, &clear), Grade::Right);
        assert_eq!(grade(&safe, &unknown), Grade::Undecided);
        assert_eq!(grade(&safe, &mitigated), Grade::Wrong);
        assert_eq!(grade(&sample("m/a", Truth::Mitigated), &affected), Grade::Wrong);
        assert_eq!(grade(&sample("m/a", Truth::Mitigated), &mitigated), Grade::Right);
    }

    #[test]
    fn a_document_is_understood() {
        let text = |state: &str, complete: bool| {
            format!(
                "{{\"findings\":[{{\"id\":\"GHSA-1\",\"aliases\":[\"{CVE}\"],\
                \"component\":\"pkg:maven/a/b@2.14.1?type=jar\",\"state\":\"{state}\"}}],\
                \"complete\":{complete}}}"
            )
        };
        let said = |state, complete| read(&Json::parse(&text(state, complete)).unwrap());
        let affected = said("affected", true);
        assert_eq!((affected.affected, affected.unknown), (true, false));
        assert_eq!(affected.versions, ["2.14.1"]);
        assert!(said("possible", true).unknown && said("affected", false).unknown);
        assert!(said("mitigated", true).mitigated);
        assert!(read(&Json::Null).unknown, "no document is no all-clear");
    }

    #[test]
    fn the_table_has_a_line_for_each_category() {
        let said = Said { affected: true, versions: vec!["2.3".into()], ..Said::default() };
        let sample = sample("plain/a", Truth::Vulnerable);
        let cost = Cost { cpu: 3.0, ..Cost::default() };
        let entry = Entry { sample, said, grade: Grade::Right, cost, broken: None };
        let column = Column { name: "x 1".into(), entries: vec![entry] };
        assert_eq!(column.exact_versions(), (1, 1));
        assert_eq!(column.unbounded().len(), 1);
        assert_eq!(faults(&column), Vec::<String>::new());
        assert_eq!(table(&[column]).lines().count(), CATEGORIES.len() + 3);
    }
}
