//! `cargo xtask oracle SCHEME`: random versions, put to the tool that defines their order and to
//! `relight advisories order`; differences are shrunk to the shortest that still differ.

mod lookup;
mod messages;
mod scores;
mod tools;
mod versions;

use std::path::{Path, PathBuf};

use tools::{ORACLES, Oracle};
use versions::Chance;

use crate::{process, tree};

/// Pairs of one run.
const PAIRS: usize = 100_000;

/// Differences that are shrunk and shown.
const SHOWN_MAX: usize = 12;

type Pair = (String, String);

/// Asks both sides about random pairs.
///
/// # Errors
/// When the tool is not there, or the two sides differ.
pub(crate) fn run(words: &[&str]) -> Result<(), String> {
    match words {
        ["log4j", options @ ..] => return lookup::run(options),
        ["cvss", options @ ..] => return scores::run(options),
        _ => {}
    }
    let known: Vec<_> = ORACLES.iter().map(|oracle| oracle.scheme).collect();
    let usage = || {
        let known = known.join(", ");
        format!("oracle SCHEME [--seed N] [--pairs N]; schemes: {known}, cvss, log4j, all")
    };
    let (scheme, options) = words.split_first().ok_or_else(usage)?;
    let (mut seed, mut count) = (1, PAIRS);
    for option in options.chunks(2) {
        match option {
            ["--seed", value] => seed = value.parse().map_err(|_| usage())?,
            ["--pairs", value] => count = value.parse().map_err(|_| usage())?,
            _ => return Err(usage()),
        }
    }
    if *scheme == "all" {
        return all(seed, count);
    }
    let oracle = ORACLES.iter().find(|oracle| oracle.scheme == *scheme).ok_or_else(usage)?;
    one(oracle, seed, count)
}

/// Every tool that defines an order, and the scores; one that differs or is not there stops no
/// other.
fn all(seed: u64, count: usize) -> Result<(), String> {
    let mut faults: Vec<String> =
        ORACLES.iter().filter_map(|oracle| one(oracle, seed, count).err()).collect();
    faults.extend(scores::run(&["--seed", &seed.to_string()]).err());
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n")) }
}

fn one(oracle: &Oracle, seed: u64, count: usize) -> Result<(), String> {
    let scheme = oracle.scheme;
    let program = program()?;
    let mut chance = Chance::new(seed);
    let mut pairs: Vec<_> = (0..count).map(|_| versions::pair(scheme, &mut chance)).collect();
    pairs.retain(|(a, b)| !is_placeholder(a) && !is_placeholder(b));
    let (asked, different) = differences(oracle, &program, &pairs)?;
    println!(
        "{scheme}, seed {seed}: {asked} of {count} pairs valid, {} different",
        different.len()
    );
    for pair in different.iter().take(SHOWN_MAX) {
        let (a, b) = shrink(oracle, &program, pair.clone())?;
        println!("    {a:?} {b:?}: the tool says {}", oracle.ask(&[(a.clone(), b.clone())])?[0]);
    }
    if different.is_empty() { Ok(()) } else { Err(format!("{scheme}: the two sides differ")) }
}

/// What relight orders nowhere, whatever a tool says.
fn is_placeholder(text: &str) -> bool {
    matches!(text.trim(), "" | "-" | "*") || text.starts_with("dev-") || is_commit(text)
}

/// Forty or sixty-four letters and digits of a commit: which of two came first, no text tells.
fn is_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64)
        && text.bytes().all(|it| it.is_ascii_hexdigit())
        && text.bytes().any(|it| it.is_ascii_alphabetic())
}

fn program() -> Result<PathBuf, String> {
    let root = tree::root();
    process::output(&root, "cargo", &["build", "--quiet", "--package", "relight"])?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    Ok(target.unwrap_or_else(|| root.join("target")).join("debug/relight"))
}

/// How many pairs the tool takes for versions, and those about which the sides differ.
fn differences(
    oracle: &Oracle,
    program: &Path,
    pairs: &[Pair],
) -> Result<(usize, Vec<Pair>), String> {
    let verdicts = oracle.ask(pairs).map_err(|error| format!("{} ({})", error, oracle.needs))?;
    let valid: Vec<_> = pairs.iter().zip(&verdicts).filter(|(_, sign)| **sign != '?').collect();
    let lines: String = valid.iter().map(|((a, b), sign)| format!("{a} {sign} {b}\n")).collect();
    let mut arguments = vec!["advisories", "order"];
    arguments.extend(oracle.words);
    arguments.extend(["--lang", "en", "--color", "never"]);
    let run = process::feed(program, &arguments, lines.as_bytes())?;
    let mut different = Vec::new();
    for line in run.stdout.lines().filter(|line| line.starts_with("line ")) {
        let number = line.get(5..).and_then(|rest| rest.split(':').next()).unwrap_or_default();
        let number: usize = number.replace(',', "").parse().unwrap_or(0);
        different.extend(number.checked_sub(1).and_then(|at| valid.get(at)).map(|it| it.0.clone()));
    }
    let summary = run.stdout.lines().last().unwrap_or_default();
    if summary.contains("judged otherwise") {
        return Ok((valid.len(), different));
    }
    Err(format!("relight: {}{}", run.stdout, run.stderr))
}

/// Takes characters away, one at a time, as long as the sides still differ.
fn shrink(oracle: &Oracle, program: &Path, pair: Pair) -> Result<Pair, String> {
    let mut smallest = pair;
    loop {
        let (a, b) = &smallest;
        let without = |text: &str, at: usize| {
            text.char_indices()
                .filter(|(place, _)| *place != at)
                .map(|(_, c)| c)
                .collect::<String>()
        };
        let mut tries: Vec<Pair> = Vec::new();
        tries.extend(a.char_indices().map(|(at, _)| (without(a, at), b.clone())));
        tries.extend(b.char_indices().map(|(at, _)| (a.clone(), without(b, at))));
        tries.retain(|(a, b)| !is_placeholder(a) && !is_placeholder(b));
        let (_, different) = differences(oracle, program, &tries)?;
        match different.into_iter().next() {
            Some(shorter) => smallest = shorter,
            None => return Ok(smallest),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_order_is_not_asked_about() {
        let hash = "a999999999999999999999999999999999999991";
        for placeholder in ["", " ", "-", "*", "dev-main", hash, &format!("{hash}{}", &hash[..24])]
        {
            assert!(is_placeholder(placeholder), "{placeholder:?}");
        }
        for version in ["1", "a", &hash[1..], &format!("{hash}0"), &hash.replace('a', "9"), "dev"] {
            assert!(!is_placeholder(version), "{version:?}");
        }
    }
}
