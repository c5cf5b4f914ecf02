//! The published table of the four flaws of Log4j, against the one that the tests go by.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::Count;

/// The table of the tests: a version, and for each source which of the flaws affect it.
const OURS: &str = include_str!("../../tests/it/log4j_truth.txt");

/// The flaws, in the order of the marks of the table.
const FLAWS: [&str; 4] = ["CVE-2021-44228", "CVE-2021-45046", "CVE-2021-45105", "CVE-2021-44832"];

/// The sources, in the order of its columns.
const SOURCES: [&str; 3] = ["apache", "ghsa", "glad"];

pub(crate) fn run(folder: &Path) -> Vec<Count> {
    let file = folder.join("../advisories/log4j-core-truth.csv");
    let Ok(text) = fs::read_to_string(file) else { return Vec::new() };
    let (ours, published) = (ours(), published(&text));
    let mut count = Count::new("log4j-core-truth.csv");
    for (cell, affected) in &published {
        let told = ours.get(cell);
        count.add((told != Some(affected)).then(|| format!("{cell:?}: {affected}, ours {told:?}")));
    }
    let missing = ours.keys().filter(|cell| !published.contains_key(*cell));
    missing.for_each(|cell| count.add(Some(format!("{cell:?}: is not published"))));
    vec![count]
}

/// Version, flaw and source.
type Cell = (String, String, String);

fn ours() -> BTreeMap<Cell, bool> {
    let mut cells = BTreeMap::new();
    for line in OURS.lines().filter(|line| !line.starts_with('#')) {
        let mut words = line.split_whitespace();
        let Some(version) = words.next() else { continue };
        for (source, marks) in SOURCES.into_iter().zip(words) {
            for (flaw, mark) in FLAWS.into_iter().zip(marks.bytes()) {
                cells.insert((version.into(), flaw.into(), source.into()), mark == b'x');
            }
        }
    }
    cells
}

fn published(text: &str) -> BTreeMap<Cell, bool> {
    let mut lines = text.lines();
    let heads: Vec<(&str, &str)> = lines
        .next()
        .into_iter()
        .flat_map(|head| head.split(',').skip(1))
        .filter_map(|head| head.split_once(':'))
        .collect();
    let mut cells = BTreeMap::new();
    for line in lines {
        let mut words = line.split(',');
        let Some(version) = words.next() else { continue };
        for ((flaw, source), mark) in heads.iter().zip(words) {
            cells.insert((version.into(), (*flaw).into(), (*source).into()), mark.trim() == "1");
        }
    }
    cells
}
