//! `cargo xtask bench scan`: how much the scanner finds, beside its peers, and what that costs.
use std::path::{Path, PathBuf};

use super::json::quote;
use super::matrix::{self, Column, Grade};
use super::stage::Stage;
use super::{peers, proof, speed};
use crate::corpus::builder::{self, Truth};
use crate::{corpus, tree};

/// What is measured.
#[derive(Debug, Default)]
pub(crate) struct Options {
    /// A small version: fewer rounds, sites and mutations, and peers only on the speed.
    pub quick: bool,
    /// Only the detection matrix.
    pub matrix_only: bool,
    /// Only these groups of measurements, without the matrix.
    pub only: Vec<String>,
    /// A program that was built already; otherwise the one that is packaged (`dist`).
    pub program: Option<PathBuf>,
    /// The corpus; otherwise `target/corpus`.
    pub corpus: Option<PathBuf>,
}

impl Options {
    /// Reads the words behind `bench scan`.
    ///
    /// # Errors
    /// When a word is not known.
    pub(crate) fn parse(words: &[&str]) -> Result<Self, String> {
        let mut options = Self::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut path = || words.next().map(PathBuf::from).ok_or(format!("{word} needs a path"));
            match *word {
                "--quick" => options.quick = true,
                "--matrix" => options.matrix_only = true,
                "--only" => options.only.push(path()?.display().to_string()),
                "--program" => options.program = Some(path()?),
                "--corpus" => options.corpus = Some(path()?),
                _ => return Err(format!("bench scan does not know {word}")),
            }
        }
        Ok(options)
    }
}

impl Options {
    /// Where the result is written: parts that were measured by themselves stand beside each other.
    fn file_name(&self) -> String {
        let mut name = String::from("scan");
        let parts = self.only.iter().map(String::as_str);
        for part in self.matrix_only.then_some("matrix").into_iter().chain(parts) {
            name += &format!("-{part}");
        }
        if self.quick { name + "-quick.json" } else { name + ".json" }
    }
}

/// A promise with a number, and whether it was kept.
#[derive(Debug)]
pub(crate) struct Goal {
    /// What was promised.
    pub name: String,
    /// What was measured.
    pub got: String,
    /// Whether that is enough.
    pub met: bool,
}

impl Goal {
    /// A goal.
    pub(crate) fn new(name: impl Into<String>, got: impl Into<String>, met: bool) -> Self {
        Self { name: name.into(), got: got.into(), met }
    }

    /// A ratio that must not be larger than `limit`.
    pub(crate) fn ratio(name: &str, (ours, theirs): (f64, f64), limit: f64) -> Self {
        let ratio = ours / theirs;
        let got = format!("{ratio:.3} ({ours:.3} s, {theirs:.3} s)");
        Self::new(format!("{name} <= {limit}"), got, ratio <= limit)
    }

    /// A goal that could not be measured, which is a goal that was missed.
    pub(crate) fn unmeasured(name: &str, reason: &str) -> Self {
        let reason = reason.lines().next().unwrap_or_default();
        Self::new(name, format!("not measured: {reason}"), false)
    }

    /// As a member of a list of goals.
    pub(crate) fn json(&self) -> String {
        let Self { name, got, met } = self;
        format!("{{\"goal\":{},\"got\":{},\"met\":{met}}}", quote(name), quote(got))
    }
}

/// Runs the benchmark, prints its tables and writes `scan.json`.
///
/// # Errors
/// When something cannot be built or run, or when a goal is missed.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    let root = tree::root();
    let program = match &options.program {
        Some(program) => program.canonicalize().map_err(|e| format!("find the program: {e}"))?,
        None => super::program(&root, "dist")?,
    };
    let folder = options.corpus.clone().unwrap_or_else(corpus::folder);
    if builder::read_truth(&matrix::samples_folder(&folder)).is_err() {
        corpus::make(&folder)?;
    }
    let folder = folder.canonicalize().map_err(|e| format!("find the corpus: {e}"))?;
    let work = folder.join("bench");
    builder::make_folder(&work)?;
    let (peers, mut absent) = peers::install(&folder);
    let (mut columns, mut faults) = (Vec::new(), Vec::new());
    if options.only.is_empty() {
        (columns, faults) = detection(options, &program, &folder, &peers, &work)?;
        print!("{}", matrix::table(&columns));
    }
    faults.iter().for_each(|line| println!("{line}"));
    let mut goals = detection_goals(&columns);
    if !options.matrix_only {
        goals.extend(measured(options, program, folder, &peers));
    }
    for Goal { name, got, met } in &goals {
        println!("{} {name}: {got}", if *met { "met   " } else { "MISSED" });
    }
    absent.extend(peers::UNCARRIED.map(|(name, why)| format!("{name}: {why}")));
    absent.iter().for_each(|line| println!("peer left out: {line}"));
    let document = document(&columns, &faults, &goals, &absent);
    let results = super::results(&root)?.join(options.file_name());
    super::write(&results, &document)?;
    println!("raw results: {}", results.display());
    let missed = goals.iter().filter(|goal| !goal.met).count();
    if missed == 0 { Ok(()) } else { Err(format!("{missed} of {} goals are missed", goals.len())) }
}

/// The goals with a measurement, the cheap ones first.
fn measured(
    options: &Options,
    program: PathBuf,
    corpus: PathBuf,
    peers: &[peers::Installed],
) -> Vec<Goal> {
    let stage = Stage { program, corpus, peers, quick: options.quick };
    let parts: [(&str, Part); 8] = [
        ("start", speed::start),
        ("real", proof::real_packages),
        ("fat", proof::fat_jar),
        ("jars", speed::jars),
        ("repetition", speed::repetition),
        ("debian", speed::debian),
        ("determinism", speed::determinism),
        ("mutations", proof::mutations),
    ];
    let chosen = |name: &str| options.only.is_empty() || options.only.iter().any(|o| o == name);
    parts.iter().filter(|(name, _)| chosen(name)).flat_map(|(_, part)| part(&stage)).collect()
}

/// One group of measurements.
type Part = fn(&Stage<'_>) -> Vec<Goal>;

fn detection(
    options: &Options,
    program: &Path,
    folder: &Path,
    installed: &[peers::Installed],
    work: &Path,
) -> Result<(Vec<Column>, Vec<String>), String> {
    let corpus = matrix::samples_folder(folder);
    let samples = builder::read_truth(&corpus)?;
    let ours = matrix::relight(program, &corpus, &samples)?;
    let faults = matrix::faults(&ours);
    let mut columns = vec![ours];
    if !options.quick {
        for peer in installed {
            columns.push(matrix::peer(peer, &corpus, &samples, work)?);
        }
    }
    Ok((columns, faults))
}

fn detection_goals(columns: &[Column]) -> Vec<Goal> {
    let Some((ours, peers)) = columns.split_first() else { return Vec::new() };
    let mut goals = Vec::new();
    for (name, truth, wanted, all_of_them) in [
        (
            "vulnerable samples found, or unknown where encrypted",
            Truth::Vulnerable,
            Grade::Right,
            true,
        ),
        ("safe samples called affected", Truth::Safe, Grade::Wrong, false),
        ("mitigated samples called mitigated", Truth::Mitigated, Grade::Right, true),
    ] {
        let (count, all) = ours.count(None, truth, wanted);
        let met = if all_of_them { count == all } else { count == 0 };
        goals.push(Goal::new(name, format!("{count} of {all}"), met && all > 0));
    }
    let (exact, detected) = ours.exact_versions();
    let met = detected > 0 && exact * 100 >= detected * 95;
    goals.push(Goal::new("a single exact version in 95 %", format!("{exact} of {detected}"), met));
    let unbounded: Vec<_> = ours
        .unbounded()
        .iter()
        .map(|e| format!("{} {:.1} s {:.0} MiB", e.sample.id, e.cost.cpu, e.cost.peak_mib))
        .collect();
    let got = if unbounded.is_empty() { "none".to_owned() } else { unbounded.join(", ") };
    goals.push(Goal::new("samples over 2 CPU s or 64 MiB", got, unbounded.is_empty()));
    let broken: Vec<_> = ours.entries.iter().filter_map(|e| e.broken.clone()).collect();
    goals.push(Goal::new("answers that break a promise", broken.join(", "), broken.is_empty()));
    if !peers.is_empty() {
        let (found, all) = ours.count(None, Truth::Vulnerable, Grade::Right);
        let together = matrix::union(peers);
        let got = format!("{found} of {all}, peers together {together}");
        goals.push(Goal::new("more found than by all peers together", got, found > together));
    }
    goals
}

fn document(columns: &[Column], faults: &[String], goals: &[Goal], absent: &[String]) -> String {
    let texts = |lines: &[String]| lines.iter().map(|l| quote(l)).collect::<Vec<_>>().join(",");
    let goals: Vec<_> = goals.iter().map(Goal::json).collect();
    format!(
        "{{\"schema\":\"relight.bench.scan/1\",\n\"goals\":[{}],\n\"columns\":{},\n\
        \"faults\":[{}],\n\"absent\":[{}]}}\n",
        goals.join(",\n"),
        matrix::json(columns),
        texts(faults),
        texts(absent)
    )
}

#[cfg(test)]
mod tests {
    use super::super::json::Json;
    use super::*;

    #[test]
    fn options_are_read() {
        let options = Options::parse(&["--quick", "--program", "/p", "--matrix"]).unwrap();
        assert!(options.quick && options.matrix_only);
        assert_eq!(options.program, Some(PathBuf::from("/p")));
        assert_eq!(options.file_name(), "scan-matrix-quick.json");
        let parts = Options::parse(&["--only", "fat", "--only", "real"]).unwrap();
        assert_eq!(parts.file_name(), "scan-fat-real.json");
        assert_eq!(Options::default().file_name(), "scan.json");
        assert!(Options::parse(&["--corpus"]).unwrap_err().contains("needs a path"));
        assert!(Options::parse(&["--fast"]).is_err());
    }

    #[test]
    fn a_goal_that_was_not_measured_is_missed() {
        assert!(!Goal::unmeasured("a", "no tool\nmore").met);
        assert!(Goal::ratio("a", (1.0, 2.0), 0.5).met);
        assert!(!Goal::ratio("a", (1.01, 2.0), 0.5).met);
        assert!(!Goal::ratio("a", (0.0, 0.0), 0.5).met, "nothing divided by nothing");
        let goals = [Goal::unmeasured("a \"b\"", "c")];
        let text = document(&[], &["f".into()], &goals, &[]);
        let read = Json::parse(&text).unwrap();
        assert_eq!(read.get("goals").items()[0].get("goal").text(), "a \"b\"");
        assert_eq!(read.get("faults").items().len(), 1);
    }
}
