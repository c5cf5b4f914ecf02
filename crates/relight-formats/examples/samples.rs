//! Published advisories against the readers: `cargo xtask vectors` gives the folder. What each
//! document holds is counted here by its own words, and every record of it must come out.
#![expect(clippy::print_stdout, reason = "a program for developers")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

use relight_formats::advisory::{Input, Reading, read};
use relight_model::{Signal, VexStatement};
use serde_json::Value;

/// Folders of documents, beside each other in the folder that is given.
const FOLDERS: [&str; 7] = [
    "advisories/cve-samples",
    "advisories/csaf-redhat",
    "vectors/csaf20/examples/csaf",
    "vectors/csaf20/test/filenames/data/valid",
    "vectors/csaf20/test/validator/data",
    "vectors/openvex",
    "vectors/cyclonedx",
];

/// A catalogue that lies beside the folders.
const KEV: &str = "advisories/known_exploited_vulnerabilities.json";

/// Whether the catalogue of 2025-08-25 has these flaws: two of the four of Log4j.
const LISTED: [(&str, bool); 4] = [
    ("CVE-2021-44228", true),
    ("CVE-2021-45046", true),
    ("CVE-2021-45105", false),
    ("CVE-2021-44832", false),
];

/// What a document says that it holds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Cve,
    Nvd,
    Csaf,
    OpenVex,
    CycloneDx,
    Kev,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Cve => "CVE 5",
            Self::Nvd => "NVD 2.0",
            Self::Csaf => "CSAF",
            Self::OpenVex => "OpenVEX",
            Self::CycloneDx => "CycloneDX VEX",
            Self::Kev => "KEV",
        }
    }
}

/// How many documents and records were met, and how many of them came out otherwise.
#[derive(Default)]
struct Count {
    documents: usize,
    records: usize,
    different: usize,
}

fn main() -> ExitCode {
    let Some(root) = env::args().nth(1).map(PathBuf::from) else {
        println!("samples FOLDER");
        return ExitCode::FAILURE;
    };
    let mut counts: BTreeMap<Kind, Count> = BTreeMap::new();
    for folder in FOLDERS {
        let mut files = Vec::new();
        files_below(&root.join(folder), &mut files);
        if files.is_empty() {
            println!("not run: {folder} is not there");
        }
        files.sort();
        files.iter().for_each(|file| examine(file, &mut counts));
    }
    match fs::read(root.join(KEV)) {
        Ok(bytes) => catalogue(&bytes, &mut counts),
        Err(_) => println!("not run: {KEV} is not there"),
    }
    for (kind, count) in &counts {
        let Count { documents, records, different } = count;
        println!(
            "{}: {documents} documents, {records} records, {different} different",
            kind.as_str()
        );
    }
    let is_right = counts.values().all(|count| count.different == 0);
    if is_right { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn files_below(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        match path.is_dir() {
            true => files_below(&path, files),
            false if path.extension().is_some_and(|it| it == "json") => files.push(path),
            false => {}
        }
    }
}

/// Compares what a document says that it holds with what was read.
fn examine(file: &Path, counts: &mut BTreeMap<Kind, Count>) {
    let Ok(bytes) = fs::read(file) else { return };
    let Ok(value) = serde_json::from_slice::<Value>(&bytes) else { return };
    let Some((kind, mut held)) = held(&value) else { return };
    if kind == Kind::Csaf && must_be_refused(file) {
        held = 0;
    }
    let reading = read(&Input::whole("", "sample", &bytes));
    let count = counts.entry(kind).or_default();
    count.documents += 1;
    count.records += held;
    let found = found(kind, &reading);
    if found == held && reading.refused.is_empty() != (kind == Kind::Csaf && held == 0) {
        return;
    }
    count.different += 1;
    println!("{}: holds {held}, read {found}", file.display());
    for refused in &reading.refused {
        println!("  {}", refused.warning.message);
    }
}

/// Whether a document of the validator's own breaks one of the rules 6.1.1 to 6.1.6, without which
/// nobody knows which product is meant: its name says which, and `-0N` that it breaks it.
fn must_be_refused(file: &Path) -> bool {
    let name = file.file_stem().and_then(|it| it.to_str()).unwrap_or_default();
    let rule = name.split_once("-2021-6-1-").and_then(|(_, rest)| rest.split_once('-'));
    rule.is_some_and(|(rule, case)| {
        matches!(rule, "01" | "02" | "03" | "04" | "05" | "06") && case.starts_with('0')
    })
}

/// What a document is, and how many records it holds; nothing where it is no advisory.
fn held(value: &Value) -> Option<(Kind, usize)> {
    let length = |value: &Value| value.as_array().map_or(0, Vec::len);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    if value["dataType"] == "CVE_RECORD" {
        let containers = &value["containers"];
        return Some((Kind::Cve, 1 + length(&containers["adp"])));
    }
    if value["format"] == "NVD_CVE" {
        return Some((Kind::Nvd, length(&value["vulnerabilities"])));
    }
    if value["document"]["csaf_version"].is_string() {
        return Some((Kind::Csaf, 1));
    }
    if text(&value["@context"]).starts_with("https://openvex.dev/ns") {
        // What names no product is about nothing.
        let all = value["statements"].as_array().into_iter().flatten();
        return Some((Kind::OpenVex, all.filter(|it| length(&it["products"]) > 0).count()));
    }
    let stated = value["vulnerabilities"].as_array().filter(|_| value["bomFormat"] == "CycloneDX");
    Some((Kind::CycloneDx, stated?.iter().filter(|it| it["analysis"]["state"].is_string()).count()))
}

/// The same of what was read.
fn found(kind: Kind, reading: &Reading) -> usize {
    let statements = || -> Vec<&VexStatement> {
        reading.records.iter().flat_map(|it| &it.advisory.statements).collect()
    };
    match kind {
        Kind::OpenVex | Kind::CycloneDx => statements().len(),
        _ => reading.records.len(),
    }
}

/// Every entry of the catalogue, and which of the four flaws of Log4j it has.
fn catalogue(bytes: &[u8], counts: &mut BTreeMap<Kind, Count>) {
    let value: Value = serde_json::from_slice(bytes).unwrap_or_default();
    let held = value["vulnerabilities"].as_array().map_or(0, Vec::len);
    let reading = read(&Input::whole("", "sample", bytes));
    let is_listed = |id: &str| {
        let all = reading.records.iter().filter(|it| it.advisory.signals.iter().any(is_kev));
        all.map(|it| &it.advisory).any(|it| it.id == id || it.aliases.iter().any(|a| a == id))
    };
    let wrong = LISTED.iter().filter(|(id, listed)| is_listed(id) != *listed);
    let wrong = wrong.inspect(|(id, _)| println!("{KEV}: {id} is judged otherwise")).count();
    let missing = held.abs_diff(reading.records.len());
    let different = wrong + missing;
    counts.insert(Kind::Kev, Count { documents: 1, records: held, different });
}

const fn is_kev(signal: &Signal) -> bool {
    matches!(signal, Signal::Kev { .. })
}
