//! `cargo xtask bench start`: how long somebody waits who has just got the program.
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::{program, results, timed, write};
use crate::e2e::{Demo, Place};
use crate::{process, tree};

/// Starts of each program of which the one in the middle counts.
const STARTS: usize = 100;

/// Questions of which the one in the middle counts.
const QUESTIONS: usize = 21;

/// Sites of the fictional province, as `relight demo` has them unless told otherwise.
const SITES: &str = "3992";

/// How long the wall of the demo, and its incident after it, are waited for.
const WALL_MAX: Duration = Duration::from_secs(900);

/// The goals: what is measured, the most that it may be, and its unit.
const GOALS: [(&str, f64, &str); 5] = [
    ("version_ms", 10.0, "ms for a start"),
    ("version_peak_mib", 8.0, "MiB for a start"),
    ("affected_ms", 50.0, "ms for an answer beside a server"),
    ("demo_wall_s", 5.0, "s from the program to the wall of the demo"),
    ("scan_s", 60.0, "s from a folder to its first answer"),
];

/// One figure by its name.
type Figure = (&'static str, f64);

/// Measures each, writes the results and compares them with the goals.
///
/// # Errors
/// A program is missing or fails, or a goal is missed.
pub(crate) fn run(words: &[&str]) -> Result<(), String> {
    let root = tree::root();
    let program = match words {
        [] => program(&root, "dist")?,
        ["--program", file] => PathBuf::from(file),
        _ => return Err(format!("bench start: no such option: {}", words.join(" "))),
    };
    let results = results(&root)?;
    let place = Place::new()?;
    let mut figures = starts(&root, &program, &place.path)?;
    figures.extend(newcomer(&root, &program, &place.path)?);
    let text = document(&figures);
    print!("{text}");
    write(&results.join("start.json"), &text)?;
    let missed = misses(&figures);
    if missed.is_empty() { Ok(()) } else { Err(format!("missed: {}", missed.join(", "))) }
}

/// What a start costs, beside that of a program that does nothing.
fn starts(root: &Path, program: &Path, place: &Path) -> Result<Vec<Figure>, String> {
    let program = program.to_string_lossy();
    let nothing = median(STARTS, || process::output(root, "true", &[]).map(drop))?;
    let version = || process::output(root, &program, &["--version"]).map(drop);
    let started = median(STARTS, version)?;
    let (_, timing) = timed(root, place, "version", &[&program, "--version"])?;
    Ok(vec![
        ("true_ms", nothing * 1e3),
        ("version_ms", started * 1e3),
        ("version_peak_mib", timing.peak_mib),
    ])
}

/// The two commands of somebody new: the demo until its wall can be seen, and a folder until its
/// first answer; and what a question costs beside the server of the demo.
fn newcomer(root: &Path, program: &Path, place: &Path) -> Result<Vec<Figure>, String> {
    let name = program.to_string_lossy();
    let began = Instant::now();
    let mut demo = Demo::start(root, program, &place.join("demo"), SITES)?;
    let (console, _) = demo.wait_for_pages(WALL_MAX)?;
    let page = get(&console)?;
    let wall = began.elapsed().as_secs_f64();
    let lights = lights(&page);
    if lights.to_string() != SITES {
        return Err(format!("the wall of the demo has {lights} lights"));
    }
    demo.wait(WALL_MAX)?;
    let data = place.join("demo/data").to_string_lossy().into_owned();
    let question = ["--data", &data, "affected", "CVE-2021-44228", "--json"];
    let affected = median(QUESTIONS, || {
        // The last sites of the demo stay unknown, which is a status of its own.
        let run = process::quiet(root, &name, &question)?;
        let is_answer = run.stdout.contains("relight.answer/1");
        if is_answer { Ok(()) } else { Err(format!("affected: {}\n{}", run.status(), run.stderr)) }
    })?;
    drop(demo);
    let data = place.join("new").to_string_lossy().into_owned();
    let folder = root.to_string_lossy();
    let began = Instant::now();
    let run = process::quiet(root, &name, &["--data", &data, "scan", &folder, "--json"])?;
    let scan = began.elapsed().as_secs_f64();
    if !run.stdout.contains("relight.scan/1") {
        return Err(format!("scan: {}\n{}", run.status(), run.stderr));
    }
    Ok(vec![("affected_ms", affected * 1e3), ("demo_wall_s", wall), ("scan_s", scan)])
}

/// Seconds of the run in the middle of several.
fn median(count: usize, run: impl Fn() -> Result<(), String>) -> Result<f64, String> {
    let mut seconds = Vec::with_capacity(count);
    for _ in 0..count {
        let began = Instant::now();
        run()?;
        seconds.push(began.elapsed().as_secs_f64());
    }
    Ok(super::cost::median(seconds))
}

/// The first page behind an address, as a browser without scripts reads it.
fn get(address: &str) -> Result<String, String> {
    let host = address.trim_start_matches("http://");
    let failed = |error: std::io::Error| format!("ask {address}: {error}");
    let mut stream = TcpStream::connect(host.replace("localhost", "127.0.0.1")).map_err(failed)?;
    let head = format!("GET /?lang=en HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).map_err(failed)?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).map_err(failed)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// How many lights the wall of a page has.
fn lights(page: &str) -> usize {
    let letters = page.split_once(" data-w=\"").and_then(|(_, rest)| rest.split('"').next());
    letters.map_or(0, str::len)
}

fn document(figures: &[Figure]) -> String {
    let mut text = String::from("{");
    for (at, (name, value)) in figures.iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        let _ = write!(text, "{comma}\"{name}\":{value:.3}");
    }
    text + "}\n"
}

/// The goals that are missed; what was not measured misses its goal.
fn misses(figures: &[Figure]) -> Vec<String> {
    let found = |wanted: &str| figures.iter().find(|(name, _)| *name == wanted);
    let of = |(name, most, what): &(&str, f64, &str)| {
        let value = found(name).map_or(f64::INFINITY, |(_, value)| *value);
        (value > *most).then(|| format!("{value:.1} {what}, not {most}"))
    };
    GOALS.iter().filter_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_that_is_missed_or_not_measured_is_told() {
        let good: Vec<Figure> = GOALS.iter().map(|(name, most, _)| (*name, *most)).collect();
        assert!(misses(&good).is_empty());
        assert_eq!(misses(&good[1..]).len(), 1, "one was not measured");
        let slow: Vec<Figure> = good.iter().map(|(name, most)| (*name, most + 0.1)).collect();
        assert_eq!(misses(&slow).len(), GOALS.len());
        assert_eq!(document(&good[..2]), "{\"version_ms\":10.000,\"version_peak_mib\":8.000}\n");
    }

    #[test]
    fn the_run_in_the_middle_counts_and_one_that_fails_ends_it() {
        assert!(median(3, || Ok(())).unwrap() < 60.0);
        assert_eq!(median(3, || Err("no".to_owned())), Err("no".to_owned()));
    }

    #[test]
    fn lights_are_counted() {
        assert_eq!(lights("<rl-wall data-w=\"oood\" data-label=\"\">"), 4);
        assert_eq!(lights("<p>"), 0);
    }
}
