//! `cargo xtask bench wall`: what a wall that changes a thousand times a second costs a browser.
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Stdio;

use super::{number, results, target, write};
use crate::{e2e, process, tree};

/// Sites and changes a second of each measurement.
const WALLS: [(&str, &str); 3] = [("3992", "0"), ("3992", "1000"), ("10000", "1000")];

/// Fewest frames a second, and the largest share of the main thread, at 1,000 changes a second.
const FRAMES_MIN: f64 = 55.0;
const MAIN_MAX: f64 = 0.20;

/// The least share of the changes that has to arrive: one that comes twice within one event counts
/// once.
const ARRIVED_MIN: f64 = 0.95;

/// Longest time from a filter over 10,000 sites to the paint of its rows, 95th percentile.
const FILTER_MS_MAX: f64 = 50.0;

/// Measures each wall, writes the results and compares them with the goals: frames and main thread
/// with 3,992 sites, filters with 10,000.
///
/// # Errors
/// A program is missing or fails, or a goal is missed.
pub(crate) fn run() -> Result<(), String> {
    let root = tree::root();
    e2e::packages(&root)?;
    let profile = ["build", "--profile", "dist"];
    let arguments =
        [&profile[..], &["-p", "relight-server", "--example", "changing_wall"]].concat();
    let built = process::show(&root, "cargo", &arguments, &[])?;
    if !built.success {
        return Err(format!("cargo build: {}", built.status()));
    }
    let program = target(&root).join("dist/examples/changing_wall");
    let mut lines = String::new();
    let mut missed = Vec::new();
    for (sites, changes) in WALLS {
        let measured = measure(&root, &program, sites, changes)?;
        let line = format!("{{\"sites\":{sites},\"changes\":{changes},{}\n", &measured[1..]);
        print!("{line}");
        if (sites, changes) == WALLS[1] {
            missed.extend(misses(&measured, changes.parse().unwrap_or(f64::INFINITY)));
        }
        if (sites, changes) == WALLS[2] {
            missed.extend(slow_filters(&measured));
        }
        lines.push_str(&line);
    }
    write(&results(&root)?.join("wall.jsonl"), &lines)?;
    if missed.is_empty() { Ok(()) } else { Err(format!("missed: {}", missed.join(", "))) }
}

/// One document of figures, from the DevTools protocol.
fn measure(root: &Path, program: &Path, sites: &str, changes: &str) -> Result<String, String> {
    let failed = |error: std::io::Error| format!("run the wall: {error}");
    let mut wall = process::command(root, &program.to_string_lossy(), &[sites, changes])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let mut address = String::new();
    if let Some(stdout) = wall.stdout.take() {
        BufReader::new(stdout).read_line(&mut address).map_err(failed)?;
    }
    let environment = [("CONSOLE", address.trim())];
    let run = process::show(&root.join("e2e"), "node", &["wall.mjs"], &environment);
    // The end of its input is the end of the wall.
    drop(wall.stdin.take());
    wall.wait().map_err(failed)?;
    let run = run?;
    let document = run.stdout.lines().find(|line| line.starts_with('{')).map(str::to_owned);
    document.filter(|_| run.success).ok_or_else(|| format!("wall.mjs: {}", run.status()))
}

/// The goals that a document misses, of a wall with so many changes a second.
fn misses(document: &str, changes: f64) -> Vec<String> {
    // A figure that is not there misses its goal.
    let arrived = number(document, "arrived").unwrap_or(0.0);
    let live = number(document, "live").unwrap_or(0.0);
    let frames = number(document, "frames").unwrap_or(0.0);
    let main = number(document, "main").unwrap_or(f64::INFINITY);
    let mut missed = Vec::new();
    if arrived < ARRIVED_MIN * changes || live < 1.0 {
        missed.push(format!("{arrived} changes a second arrived, not {changes}, live {live}"));
    }
    if frames < FRAMES_MIN {
        missed.push(format!("{frames} frames a second, not {FRAMES_MIN}"));
    }
    if main > MAIN_MAX {
        missed.push(format!("{main} of the main thread, not {MAIN_MAX}"));
    }
    missed
}

/// The goal of filters, when a document misses it.
fn slow_filters(document: &str) -> Option<String> {
    let p95 = number(document, "filter_p95_ms").unwrap_or(f64::INFINITY);
    (p95 > FILTER_MS_MAX).then(|| format!("{p95} ms from filter to paint, not {FILTER_MS_MAX}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_that_is_missed_or_not_measured_is_told() {
        let document = |frames: &str, main: &str, changes: &str, live: &str| {
            format!("{{\"frames\":{frames},\"main\":{main},\"arrived\":{changes},\"live\":{live}}}")
        };
        assert!(misses(&document("60.0", "0.14", "950.0", "1"), 1_000.0).is_empty());
        assert_eq!(misses(&document("54.9", "0.21", "950.0", "1"), 1_000.0).len(), 2);
        assert_eq!(misses(&document("60.0", "0.14", "949.9", "1"), 1_000.0).len(), 1);
        assert_eq!(misses(&document("60.0", "0.14", "1000", "0"), 1_000.0).len(), 1);
        assert_eq!(misses("{}", 1_000.0).len(), 3);
        assert_eq!(slow_filters("{\"filter_p95_ms\":50}"), None);
        assert!(slow_filters("{\"filter_p95_ms\":50.1}").is_some() && slow_filters("{}").is_some());
    }
}
