//! Lines of comparisons: `semantic/*.txt`, and for Maven the verdicts of Maven itself.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use relight_match::{Key, OrderLine, VersionScheme, judge_line, key};

use crate::{Count, files, name};

pub(crate) fn run(folder: &Path) -> Vec<Count> {
    let mut paths = files(&folder.join("semantic"));
    // Maven disagrees with 19 of its lines there.
    paths.retain(|path| !name(path).starts_with("maven"));
    paths.push(folder.join("maven-3.9.9-truth.txt"));
    paths.iter().flat_map(|path| file(path)).collect()
}

fn file(path: &Path) -> Vec<Count> {
    let Ok(text) = fs::read_to_string(path) else { return Vec::new() };
    let Some(scheme) = VersionScheme::from_name(&name(path)) else { return Vec::new() };
    let mut lines = Count::new(name(path));
    let mut keys = Count::new(format!("{}, keys", name(path)));
    let mut versions = HashSet::new();
    for line in text.lines() {
        match judge_line(scheme, line) {
            OrderLine::Blank => continue,
            OrderLine::Same => lines.add(None),
            other => lines.add(Some(format!("{line}: {other:?}"))),
        }
        let words: Vec<_> = line.split_whitespace().collect();
        if let [a, sign, b] = words[..] {
            versions.extend([a, b]);
            keys.add(key_difference(scheme, a, sign, b));
        }
    }
    let ordered = |text: &&&str| matches!(key(scheme, text), Key::Ordered(_));
    let keyed = versions.iter().filter(ordered).count();
    keys.name = format!("{} ({keyed} of {} versions)", keys.name, versions.len());
    vec![lines, keys]
}

/// Where both versions have keys they must say what the line says; Composer's keys follow
/// Composer, which contradicts PHP's raw order on purpose.
fn key_difference(scheme: VersionScheme, a: &str, sign: &str, b: &str) -> Option<String> {
    let (Key::Ordered(x), Key::Ordered(y)) = (key(scheme, a), key(scheme, b)) else { return None };
    let ours = match x.cmp(&y) {
        std::cmp::Ordering::Less => "<",
        std::cmp::Ordering::Equal => "=",
        std::cmp::Ordering::Greater => ">",
    };
    let is_composer = scheme == VersionScheme::Composer;
    (ours != sign && !is_composer).then(|| format!("{a} {sign} {b}: the keys say {ours}"))
}
