//! CVSS vectors with their scores: `cvss/*`, lines like `VECTOR - (base, temporal, environmental)`.

use std::fs;
use std::path::Path;

use relight_match::cvss_scores;

use crate::{Count, files, name};

pub(crate) fn run(folder: &Path) -> Vec<Count> {
    files(&folder.join("cvss")).iter().filter_map(|path| file(path)).collect()
}

fn file(path: &Path) -> Option<Count> {
    let text = fs::read_to_string(path).ok()?;
    let mut count = Count::new(name(path));
    for line in text.lines() {
        let Some((vector, wanted)) = line.split_once(" - ") else { continue };
        count.add(difference(vector, wanted));
    }
    Some(count)
}

fn difference(vector: &str, wanted: &str) -> Option<String> {
    let Ok(scores) = cvss_scores(vector) else { return Some(format!("{vector}: refused")) };
    let wanted: Vec<_> = wanted
        .trim_matches(['(', ')', ' '])
        .split(',')
        .map(|part| part.trim().trim_start_matches('-'))
        .filter(|part| !part.is_empty())
        .collect();
    let shown = |tenths: u16| format!("{}.{}", tenths / 10, tenths % 10);
    let other = |score: Option<u16>| score.map_or_else(|| "None".to_owned(), shown);
    let ours = match wanted.len() {
        1 => vec![shown(scores.overall())],
        _ => vec![shown(scores.base), other(scores.temporal), other(scores.environmental)],
    };
    (ours != wanted).then(|| format!("{vector}: {wanted:?}, and we say {ours:?}"))
}
